//! Caches: what makes room, what expires, and who fetches.

use hockeystick_tests::vectors::Params;
use models::observe::CacheObservation;
use serde_json::Value;

use super::seen::{Reading, Seen};
use super::text::{Model, traffic};

/// Requests that get from a cache, and nothing else.
fn cached(keys: &str, rate: f64, cache: &str, relaxation: f64) -> Model {
    let text = format!(
        "traffic:\n{}services:\n  web: {{endpoints: {{get: [{{get: pages}}]}}}}\ncaches:\n  pages: {{{cache}}}\n",
        traffic("users", rate, &format!("web.get, attributes: {{key: {keys}}}")),
    );
    Model { text, rate, relaxation, weight: 1.0 }
}

fn zipf(params: &Params) -> String {
    format!("{{zipf: {{s: {}, n: {}}}}}", params.number("zipf_exponent"), params.count("objects"))
}

/// A cache of so many objects; that it has been filled several times over is felt no more.
fn limited(params: &Params, evict: &str) -> Model {
    const RATE: f64 = 1_000.0;
    let capacity = params.count("capacity");
    let cache = format!("size: {capacity}, evict: {evict}");
    cached(&zipf(params), RATE, &cache, 2.0 * f64::from(capacity) / RATE)
}

pub(super) fn lru(params: &Params) -> Model {
    limited(params, "lru")
}

pub(super) fn fifo(params: &Params) -> Model {
    limited(params, "fifo")
}

pub(super) fn ttl(params: &Params) -> Model {
    let ttl = params.number("ttl");
    let expire = match params.get("mode").and_then(Value::as_str) {
        Some("reset_on_hit") => "after_access",
        Some("fixed_ttl") => "after_write",
        mode => panic!("there is no mode {mode:?}"),
    };
    let cache = format!("ttl: {ttl}s, expire: {expire}");
    cached(&zipf(params), params.number("request_rate"), &cache, 2.0 * ttl)
}

pub(super) fn stampede(params: &Params) -> Model {
    let (ttl, fetch) = (params.number("ttl"), params.number("fetch_latency"));
    let coalesce = match params.get("single_flight").and_then(Value::as_bool) {
        Some(true) => "cluster",
        _ => "none",
    };
    // What is fetched by others is stored once. Cycles that are all but equal would make it matter where in one of them
    // the measurement begins; by the renewal theorem only their mean counts, which jitter leaves as it is.
    let cache =
        format!("ttl: {ttl}s, jitter: 50%, store: add, coalesce: {coalesce}, miss: [{{delay: {fetch}s}}]");
    cached("{uniform: 1}", params.number("request_rate"), &cache, 2.0 * (ttl + fetch))
}

pub(super) fn read(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let cache: &CacheObservation = &seen.segment.caches[0];
    let value = match metric {
        "hit_ratio" => cache.hits as f64 / cache.gets as f64,
        "origin_request_rate" | "origin_call_rate" => cache.fetching.enters as f64 / seen.seconds(),
        "occupancy_mean" => cache.fresh_ns as f64 / 1e9 / seen.seconds(),
        "miss_or_wait_ratio" => cache.misses as f64 / cache.gets as f64,
        "origin_calls_per_expiry_mean" => cache.herd_sum as f64 / cache.herds as f64,
        "origin_calls_per_expiry_p99" => cache.herd.quantile(0.99)?,
        _ => return None,
    };
    Some(Reading::Value(value))
}

//! Timeouts, retries, hedges and breakers.

use std::fmt::Write as _;

use hockeystick_tests::vectors::Params;
use models::blueprint::Outcome;

use super::seen::{Reading, Seen, figure, mean};
use super::stations::given;
use super::text::{Model, law, moments, relaxation};

/// A client with a timeout and retries, and a server without a queue.
pub(super) fn timeout_retry(params: &Params) -> Model {
    let rate = 10.0;
    let (timeout, backoff) = (params.number("timeout"), params.number("backoff"));
    let attempts = params.count("max_retries") + 1;
    let text = format!(
        "traffic:\n  users: {{rate: {rate}/s, to: server.get, policy: patient}}\nservices:\n  server:\n    \
         endpoints:\n      get: [{{delay: {}}}]\npolicies:\n  patient: {{timeout: {timeout}s, retry: {{attempts: \
         {attempts}, backoff: {backoff}s}}}}\n",
        law(given(params, "latency")),
    );
    let relaxation = (timeout + backoff) * f64::from(attempts) + moments(given(params, "latency")).0;
    Model { text, rate, relaxation, weight: f64::from(attempts) }
}

pub(super) fn read_timeout_retry(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let traffic = seen.traffic("users");
    let value = match metric {
        "success_prob" => seen.share(Outcome::OK),
        "attempts_mean" => traffic.attempts as f64 / seen.ended(),
        "response_mean_success" => mean(&traffic.latency)?,
        "response_mean_all" => {
            let mut all = traffic.latency.clone();
            all.merge(&traffic.unanswered);
            mean(&all)?
        }
        _ => return None,
    };
    Some(Reading::Value(value))
}

/// Clients one above the other, the lowest of them above a leaf that fails now and then.
pub(super) fn amplification(params: &Params) -> Model {
    let rate = 100.0;
    let (layers, attempts) = (params.count("layers"), params.count("max_retries") + 1);
    let failures = params.number("leaf_failure_prob") * 100.0;
    // The traffic is the topmost client; service 1 stands right below it.
    let name = |layer: u32| if layer < layers { format!("layer{layer}.get") } else { "leaf.get".to_owned() };
    let mut text = format!(
        "traffic:\n  users: {{rate: {rate}/s, to: {}, policy: stubborn}}\nservices:\n  leaf: {{endpoints: {{get: \
         [{{fail: broken, rate: {failures}%}}]}}}}\n",
        name(1),
    );
    for layer in 1..layers {
        let _ = writeln!(
            text,
            "  layer{layer}: {{endpoints: {{get: [{{call: {}, policy: stubborn}}]}}}}",
            name(layer + 1)
        );
    }
    let _ = write!(
        text,
        "policies:\n  stubborn: {{retry: {{attempts: {attempts}, outcomes: [failed], backoff: 0s}}}}\n"
    );
    let weight = f64::from(attempts).powi(layers.cast_signed()).min(30.0);
    Model { text, rate, relaxation: 1.0, weight }
}

pub(super) fn read_amplification(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let leaf = seen.endpoint("leaf.get");
    let value = match metric {
        "leaf_calls_per_request_mean" => (leaf.answered + leaf.failed) as f64 / seen.ended(),
        "request_success_prob" => seen.share(Outcome::OK),
        _ => return None,
    };
    Some(Reading::Value(value))
}

/// A client that sends a second call when the first is not answered in time, and a server without a queue.
pub(super) fn hedged(params: &Params) -> Model {
    let rate = 100.0;
    let (latency, delay) = (given(params, "latency"), params.number("hedge_delay"));
    let text = format!(
        "traffic:\n  users: {{rate: {rate}/s, to: server.get, policy: hasty}}\nservices:\n  server:\n    endpoints:\n      \
         get: [{{delay: {}}}]\npolicies:\n  hasty: {{hedge: {{after: {delay}s, max: 1, cancel: {}}}}}\n",
        law(latency),
        given(params, "cancel_loser"),
    );
    Model { text, rate, relaxation: 5.0 * moments(latency).0 + delay, weight: 2.0 }
}

pub(super) fn read_hedged(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    if metric == "hedge_fraction" {
        let seen = seen.policy("hasty");
        return Some(Reading::Value(seen.hedges as f64 / seen.calls as f64));
    }
    figure(&seen.latency(), metric.strip_prefix("response_")?)
}

/// Calls that take no time. So many failures in a row are all of the last so many calls.
pub(super) fn breaker(params: &Params) -> Model {
    let (rate, failures) = (params.number("request_rate"), params.number("failure_prob"));
    let (in_a_row, open) = (params.count("consecutive_failures_to_open"), params.number("open_duration"));
    let text = format!(
        "traffic:\n  users: {{rate: {rate}/s, to: server.get, policy: guarded}}\nservices:\n  server: {{endpoints: \
         {{get: [{{fail: broken, rate: {}%}}]}}}}\npolicies:\n  guarded: {{breaker: {{window: {in_a_row} calls, \
         min_calls: {in_a_row}, failures: 100%, open: {open}s, probes: {}}}}}\n",
        failures * 100.0,
        params.count("half_open_probes"),
    );
    // The stays in the two states alternate; what is left of the start falls with the sum of their rates.
    let all = failures.powi(in_a_row.cast_signed());
    let closed = (1.0 - all) / (all * (1.0 - failures)) / rate;
    Model { text, rate, relaxation: closed * open / (closed + open) + 10.0 / rate, weight: 1.0 }
}

pub(super) fn read_breaker(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let server = seen.endpoint("server.get");
    let times = seen.policy("guarded").breaker;
    let share = |time: u64| time as f64 / (times.closed + times.open + times.half_open) as f64;
    let value = match metric {
        "fraction_rejected" => seen.share(Outcome::REJECTED),
        "fraction_success" => seen.share(Outcome::OK),
        "downstream_call_rate" => (server.answered + server.failed) as f64 / seen.seconds(),
        "fraction_time_open" => share(times.open),
        "fraction_time_closed" => share(times.closed),
        _ => return None,
    };
    Some(Reading::Value(value))
}

/// Copies of every request at d different servers, the first of which to answer ends the others: a hedge that does
/// not wait.
pub(super) fn redundancy(params: &Params) -> Model {
    let (servers, d) = (params.count("servers"), params.count("d"));
    let (each, service) = (params.number("arrival_rate_per_server"), given(params, "copy_service"));
    let rate = each * f64::from(servers);
    let hedge = match d {
        1 => String::new(),
        _ => format!(", hedge: {{after: 0s, max: {}, cancel: true}}", d - 1),
    };
    let text = format!(
        "traffic:\n  jobs: {{rate: {rate}/s, to: station.serve, policy: copies}}\nservices:\n  station:\n    replicas: \
         {servers}\n    workers: 1\n    endpoints:\n      serve: [{{delay: {}}}]\nroutes:\n  station: {{pick: \
         random}}\npolicies:\n  copies: {{avoid_tried: true{hedge}}}\n",
        law(service),
    );
    let (mean, scv) = moments(service);
    // Copies make the servers work together.
    let together = if d == 1 { 1.0 } else { f64::from(servers) };
    let relaxation = relaxation(mean, scv, together, each * mean);
    Model { text, rate, relaxation, weight: 2.0 * f64::from(d) }
}

pub(super) fn read_redundancy(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    match metric {
        "number_in_system_mean" => Some(Reading::Value(seen.present())),
        _ => figure(&seen.latency(), metric.strip_prefix("sojourn_")?),
    }
}

/// Servers without a queue, and callers who try again until they are served. The first attempt has a policy of its
/// own, whose fallback is the orbit: so it can be told from those that follow.
pub(super) fn retrial(params: &Params) -> Model {
    let (rate, servers) = (params.number("arrival_rate"), params.count("servers"));
    let (service, interval) = (given(params, "service"), given(params, "retry_interval"));
    let text = format!(
        "traffic:\n  jobs: {{rate: {rate}/s, to: station.serve, policy: first}}\nservices:\n  station:\n    workers: \
         {servers}\n    queue: 0\n    endpoints:\n      serve: [{{delay: {}}}]\npolicies:\n  first: {{fallback: \
         [{{delay: {1}}}, {{call: station.serve, policy: orbit}}]}}\n  orbit: {{retry: {{attempts: 1G, outcomes: \
         [rejected], backoff: {1}}}}}\n",
        law(service),
        law(interval),
    );
    let ((mean, scv), (pause, _)) = (moments(service), moments(interval));
    let rho = rate * mean / f64::from(servers);
    let relaxation = relaxation(mean, scv, f64::from(servers), rho) + 4.0 * pause / (1.0 - rho);
    Model { text, rate, relaxation, weight: 2.0 + mean / pause / (1.0 - rho) }
}

pub(super) fn read_retrial(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let (station, first) = (seen.pool("station.workers"), seen.policy("first"));
    let value = match metric {
        "orbit_mean" => seen.present() - station.in_use.mean(),
        "utilization" => station.in_use.mean() / station.capacity.mean(),
        "sojourn_mean" => mean(&seen.latency())?,
        "prob_blocked_first_attempt" => first.fallbacks as f64 / first.calls as f64,
        "retries_per_job_mean" => seen.policy("orbit").attempts as f64 / seen.ended(),
        _ => return None,
    };
    Some(Reading::Value(value))
}

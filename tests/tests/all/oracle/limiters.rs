//! Rate limiters, and service in batches.

use hockeystick_tests::vectors::Params;
use models::blueprint::Outcome;

use super::seen::{Reading, Seen, figure};
use super::stations::given;
use super::text::{Model, law, moments, relaxation, traffic};

/// Requests that take one unit of a rate, and nothing else.
fn limited(params: &Params, rate: &str, relaxation: f64) -> Model {
    let arrivals = params.number("arrival_rate");
    let text = format!(
        "traffic:\n{}services:\n  gate: {{endpoints: {{pass: [{{take: limit}}]}}}}\nresources:\n  limit: {{{rate}}}\n",
        traffic("jobs", arrivals, "gate.pass"),
    );
    Model { text, rate: arrivals, relaxation, weight: 1.0 }
}

/// How long M/D/1/K remembers.
fn of_buffer(arrivals: f64, served: f64, places: f64) -> f64 {
    let unlimited = relaxation(1.0 / served, 0.0, 1.0, arrivals / served);
    unlimited.min((10.0 + places * places) / served)
}

pub(super) fn token_bucket(params: &Params) -> Model {
    let (arrivals, refill) = (params.number("arrival_rate"), params.number("refill_rate"));
    let burst = params.number("burst");
    limited(params, &format!("rate: {refill}/s, burst: {burst}"), of_buffer(arrivals, refill, burst))
}

pub(super) fn leaky_bucket(params: &Params) -> Model {
    let (arrivals, drain) = (params.number("arrival_rate"), params.number("drain_rate"));
    let places = params.count("capacity_in_system");
    let rate = format!("rate: {drain}/s, style: leaky, queue: {places}");
    limited(params, &rate, of_buffer(arrivals, drain, f64::from(places)))
}

pub(super) fn fixed_window(params: &Params) -> Model {
    let (limit, window) = (params.number("limit"), params.number("window"));
    let rate = format!("rate: {}/s, style: fixed_window, window: {window}s", limit / window);
    limited(params, &rate, window)
}

pub(super) fn read_limiter(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    if let Some(of) = metric.strip_prefix("accepted_sojourn_") {
        return figure(&seen.latency(), of);
    }
    let value = match metric {
        "rejection_prob" => seen.share(Outcome::REJECTED),
        "acceptance_prob" => seen.share(Outcome::OK),
        "accepted_rate" | "throughput" => seen.latency().count() as f64 / seen.seconds(),
        _ => return None,
    };
    Some(Reading::Value(value))
}

/// M/M(a,b)/1: a slot that serves at least a and at most b together, in a time that does not depend on how many.
pub(super) fn batches(params: &Params) -> Model {
    let (rate, service) = (params.number("arrival_rate"), given(params, "service"));
    let (min, max) = (params.count("batch_min"), params.count("batch_max"));
    let text = format!(
        "traffic:\n{}services:\n  station:\n    resources: {{server: {{slots: 1, batch: {{min: {min}, max: {max}, time: \
         {}}}}}}}\n    endpoints:\n      serve: [{{hold: server}}]\n",
        traffic("jobs", rate, "station.serve"),
        law(service),
    );
    let (mean, scv) = moments(service);
    let rho = rate * mean / f64::from(max);
    Model { text, rate, relaxation: relaxation(mean, scv, 1.0, rho), weight: 1.0 }
}

pub(super) fn read_batches(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let pool = seen.pool("station.server");
    let value = match metric {
        "sojourn_mean" => return figure(&seen.latency(), "mean"),
        "wait_mean" => return figure(&pool.wait, "mean"),
        "utilization" => pool.in_use.mean() / pool.capacity.mean(),
        "queue_length_mean" => pool.waiting.mean(),
        "mean_batch_size" => pool.acquired as f64 / pool.batches as f64,
        _ => return None,
    };
    Some(Reading::Value(value))
}

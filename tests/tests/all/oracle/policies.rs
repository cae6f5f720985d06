//! Timeouts and retries.

use std::fmt::Write as _;

use hockeystick_tests::vectors::Params;
use models::blueprint::Outcome;

use super::seen::{Reading, Seen, mean};
use super::stations::given;
use super::text::{Model, law, moments};

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

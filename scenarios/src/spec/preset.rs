//! What well-known libraries and proxies do when they are left as they are.

use super::{default_node, is_distribution, words};
use crate::tree::{Entry, Node, Note, Place, Value};

words! {
    /// A library or proxy with documented defaults.
    PresetWord: "a preset" {
        /// Envoy as a sidecar: 1,024 requests in flight and as many waiting, 15 s a route; `retry` has its numbers.
        Envoy = "envoy",
        /// Hystrix: 1 s, ten calls at once, a breaker over 10 s.
        Hystrix = "hystrix",
        /// resilience4j's breaker over 100 calls; `retry` and `limit` have its numbers.
        Resilience4j = "resilience4j",
        /// gRPC: deadlines and cancellation travel down; `retry` and `hedge` have the numbers of gRFC A6.
        Grpc = "grpc",
        /// The AWS SDKs' standard retry mode.
        AwsSdk = "aws-sdk",
    }
}

/// A value that a preset fills in.
struct Row {
    preset: &'static str,
    path: &'static str,
    value: &'static str,
    source: &'static str,
    /// Whether only where the scenario writes the first part of the path.
    if_written: bool,
}

/// A value that holds whenever the preset is chosen.
const fn always(preset: &'static str, path: &'static str, value: &'static str, source: &'static str) -> Row {
    Row { preset, path, value, source, if_written: false }
}

/// A value for something that is off unless the scenario switches it on.
const fn if_written(
    preset: &'static str,
    path: &'static str,
    value: &'static str,
    source: &'static str,
) -> Row {
    Row { preset, path, value, source, if_written: true }
}

const ROWS: &[Row] = &[
    always("envoy", "total", "15s", "RouteAction.timeout"),
    always("envoy", "limit.calls", "1024", "circuit_breakers.thresholds.max_requests"),
    always("envoy", "limit.queue", "1024", "circuit_breakers.thresholds.max_pending_requests"),
    if_written("envoy", "retry.attempts", "2", "RetryPolicy.num_retries is 1"),
    if_written("envoy", "retry.backoff.base", "25ms", "RetryPolicy.retry_back_off.base_interval"),
    if_written("envoy", "retry.backoff.max", "250ms", "RetryPolicy.retry_back_off: ten times the base"),
    if_written("envoy", "retry.backoff.factor", "2", "RetryPolicy.retry_back_off"),
    if_written("envoy", "retry.backoff.jitter", "full", "RetryPolicy.retry_back_off: fully jittered"),
    if_written("envoy", "retry.parallel", "3", "circuit_breakers.thresholds.max_retries"),
    always("hystrix", "timeout", "1s", "execution.isolation.thread.timeoutInMilliseconds"),
    always("hystrix", "limit.calls", "10", "execution.isolation.semaphore.maxConcurrentRequests"),
    always("hystrix", "breaker.window", "10s", "metrics.rollingStats.timeInMilliseconds"),
    always("hystrix", "breaker.min_calls", "20", "circuitBreaker.requestVolumeThreshold"),
    always("hystrix", "breaker.failures", "50%", "circuitBreaker.errorThresholdPercentage"),
    always("hystrix", "breaker.open", "5s", "circuitBreaker.sleepWindowInMilliseconds"),
    always("hystrix", "breaker.probes", "1", "HystrixCircuitBreaker.attemptExecution: a single call"),
    always("resilience4j", "breaker.window", "100 calls", "CircuitBreakerConfig.slidingWindowSize"),
    always("resilience4j", "breaker.min_calls", "100", "CircuitBreakerConfig.minimumNumberOfCalls"),
    always("resilience4j", "breaker.failures", "50%", "CircuitBreakerConfig.failureRateThreshold"),
    always("resilience4j", "breaker.slow", "60s", "CircuitBreakerConfig.slowCallDurationThreshold"),
    always("resilience4j", "breaker.slow_share", "100%", "CircuitBreakerConfig.slowCallRateThreshold"),
    always("resilience4j", "breaker.open", "60s", "CircuitBreakerConfig.waitDurationInOpenState"),
    always(
        "resilience4j",
        "breaker.probes",
        "10",
        "CircuitBreakerConfig.permittedNumberOfCallsInHalfOpenState",
    ),
    if_written("resilience4j", "retry.attempts", "3", "RetryConfig.maxAttempts"),
    if_written("resilience4j", "retry.backoff", "500ms", "RetryConfig.waitDuration"),
    if_written("resilience4j", "limit.calls", "25", "BulkheadConfig.maxConcurrentCalls"),
    always("grpc", "deadline", "true", "the deadline of a call is passed on with its context"),
    always("grpc", "cancel", "true", "cancellation is passed on with the context"),
    if_written("grpc", "retry.attempts", "5", "gRFC A6: the most that maxAttempts can be"),
    if_written("grpc", "retry.backoff.base", "100ms", "gRFC A6, initialBackoff of the example"),
    if_written("grpc", "retry.backoff.factor", "2", "gRFC A6, backoffMultiplier of the example"),
    if_written("grpc", "retry.backoff.max", "1s", "gRFC A6, maxBackoff of the example"),
    if_written("grpc", "retry.backoff.jitter", "full", "gRFC A6: random(0, backoff)"),
    if_written("grpc", "retry.budget.ratio", "10%", "gRFC A6, tokenRatio of the example"),
    if_written("grpc", "retry.budget.cap", "10", "gRFC A6, maxTokens of the example"),
    if_written("grpc", "retry.budget.credit", "success", "gRFC A6, retry throttling"),
    if_written("grpc", "retry.budget.spend", "failure", "gRFC A6, retry throttling"),
    if_written("grpc", "retry.budget.reserve", "50%", "gRFC A6, retry throttling: none at half of maxTokens"),
    if_written("grpc", "hedge.after", "500ms", "gRFC A6, hedgingDelay of the example"),
    if_written("grpc", "hedge.max", "3", "gRFC A6, maxAttempts of the example is 4"),
    always("aws-sdk", "retry.attempts", "3", "RetryConfig::standard: max_attempts"),
    always("aws-sdk", "retry.backoff.base", "1s", "RetryConfig::standard: initial_backoff"),
    always("aws-sdk", "retry.backoff.factor", "2", "RetryConfig::standard"),
    always("aws-sdk", "retry.backoff.max", "20s", "RetryConfig::standard: max_backoff"),
    always("aws-sdk", "retry.backoff.jitter", "full", "RetryConfig::standard"),
    always("aws-sdk", "retry.budget.ratio", "20%", "TokenBucket: a success adds 1, a retry costs 5"),
    always("aws-sdk", "retry.budget.cap", "100", "TokenBucket: 500 tokens, a retry costs 5"),
    always("aws-sdk", "retry.budget.credit", "success", "TokenBucket"),
    always("aws-sdk", "retry.budget.spend", "retry", "TokenBucket"),
    always("aws-sdk", "retry.budget.reserve", "0%", "TokenBucket"),
];

/// A policy with what its preset fills in; what is written stays as it is.
///
/// A group that is written in its short form (`limit: 20`) is all there is of it, and `~` leaves out a group that
/// the preset has.
pub(super) fn filled_in(node: &Node) -> Node {
    let mut filled = node.clone();
    let Some(preset) = node.get("preset") else { return filled };
    let rows = || ROWS.iter().filter(|row| preset.text() == Some(row.preset));
    let group = |row: &Row| row.path.split('.').next().unwrap_or_default();
    let off = |key: &str| node.get(key).is_some_and(|node| node.value == Value::Null);
    for row in rows() {
        let group = group(row);
        if !off(group) && (!row.if_written || node.get(group).is_some()) {
            fill_in(&mut filled, row.path, row, preset.place);
        }
    }
    if let Value::Map(entries) = &mut filled.value {
        entries.retain(|entry| !(off(&entry.key) && rows().any(|row| group(row) == &*entry.key)));
    }
    filled
}

fn fill_in(node: &mut Node, path: &str, row: &Row, place: Place) {
    let Value::Map(entries) = &mut node.value else { return };
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let known = entries.iter().position(|entry| &*entry.key == key);
    match (known, rest) {
        // A back-off that is drawn is all there is of it.
        (Some(known), Some(_)) if is_distribution(&entries[known].node) => {}
        (Some(known), Some(rest)) => fill_in(&mut entries[known].node, rest, row, place),
        (Some(_), None) => {}
        (None, Some(rest)) => {
            let mut group = Node::new(Value::Map(Vec::new()), place);
            fill_in(&mut group, rest, row, place);
            entries.push(Entry { key: key.into(), place, node: group, note: None });
        }
        (None, None) => {
            let remark = Note { text: format!("{}: {}", row.preset, row.source), absent: false };
            let node = default_node(row.value, place);
            entries.push(Entry { key: key.into(), place, node, note: Some(Box::new(remark)) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Policy, Sink, Spec};

    fn filled(text: &str) -> Node {
        filled_in(&crate::tree::parse(text, 0).unwrap().0)
    }

    fn at<'a>(node: &'a Node, path: &str) -> Option<&'a str> {
        path.split('.').try_fold(node, |node, key| node.get(key))?.text()
    }

    #[test]
    fn every_preset_is_a_policy_with_everything_switched_on() {
        for preset in ["envoy", "hystrix", "resilience4j", "grpc", "aws-sdk"] {
            for rest in ["", ", retry: {}, hedge: {after: p95}, limit: {calls: 3}, breaker: {}"] {
                let text = format!("{{preset: {preset}{rest}}}");
                let mut sink = Sink::default();
                let node = crate::tree::parse(&text, 0).unwrap().0;
                assert!(Policy::read(&node, &mut sink).is_some(), "{text}");
                assert_eq!(sink.list, [], "{text}");
                assert!(ROWS.iter().any(|row| row.preset == preset), "{preset} fills in nothing");
            }
        }
    }

    #[test]
    fn what_is_written_stays() {
        let node = filled("{preset: hystrix, timeout: 2s, breaker: {open: 9s}}");
        assert_eq!(at(&node, "timeout"), Some("2s"));
        assert_eq!(at(&node, "breaker.open"), Some("9s"));
        assert_eq!(at(&node, "breaker.window"), Some("10s"));
    }

    #[test]
    fn what_is_off_by_default_is_filled_in_only_where_it_is_written() {
        assert_eq!(at(&filled("{preset: envoy}"), "retry.attempts"), None);
        assert_eq!(at(&filled("{preset: envoy, retry: {}}"), "retry.backoff.base"), Some("25ms"));
    }

    #[test]
    fn a_short_form_is_all_there_is_and_nothing_leaves_it_out() {
        assert_eq!(filled("{preset: envoy, limit: 20}").get("limit").unwrap().text(), Some("20"));
        assert_eq!(filled("{preset: envoy, limit: ~}").get("limit"), None);
    }
}

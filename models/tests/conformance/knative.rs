//! Cases of the pod autoscaler of Knative.

use models::autoscaler::knative::apply::{ACTIVATION_TIMEOUT_BUFFER, Standing};
use models::autoscaler::knative::decide::Observed;
use models::autoscaler::knative::{
    Activity, ClusterConfig, Decider, MaxWindow, Probe, Reachability, Revision, ScalingMetric, Serving, Spec,
    Window, WindowAlgorithm, apply, resolve_target,
};
use serde_json::{Value, json};

use crate::Compared;
use crate::read::{
    ago, at, count, field, flag, int, list, maybe, maybe_count, maybe_num, now, num, seconds, span, text,
};

/// Sequences start here: earlier than zero has to be told.
const START_S: f64 = 1_000.0;

pub(crate) fn run(kind: &str, case: &Value) -> Option<Compared> {
    let expected = case.get("expected").unwrap_or(&Value::Null);
    Some(match kind {
        "autoscale_sequence" => sequence(case),
        "window_average" => averages(case),
        "max_window" => {
            let mut window = MaxWindow::new(int(case, "buckets") as usize);
            let maxima: Vec<Option<i32>> = list(case, "records")
                .iter()
                .map(|record| {
                    window.record(int(record, "index"), count(record, "value"));
                    window.current()
                })
                .collect();
            Compared::new(expected, json!(maxima))
        }
        "max_time_window" => {
            let granularity = seconds(case, "granularity_s");
            let mut window = MaxWindow::of_time(seconds(case, "duration_s"), granularity);
            for record in list(case, "records") {
                window.record_at(at(num(record, "t_s")), granularity, count(record, "value"));
            }
            Compared::new(expected, json!(window.current()))
        }
        "resolve_target" => {
            let target = resolve_target(&target_config(field(case, "config")), &target_revision(case));
            Compared::new(expected, json!({"target": target.target, "total": target.total}))
        }
        "initial_scale" => {
            let config = config(field(case, "config"));
            let revision = Revision {
                initial_scale: maybe_count(case, "initial_scale_annotation"),
                ..Revision::default()
            };
            Compared::new(expected, json!(revision.initial_scale(&config)))
        }
        "apply_scale" => Compared::new(expected, applied(case)),
        _ => return None,
    })
}

fn target_config(config: &Value) -> ClusterConfig {
    ClusterConfig {
        container_concurrency_target_fraction: num(config, "container_concurrency_target_fraction"),
        container_concurrency_target_default: num(config, "container_concurrency_target_default"),
        rps_target_default: num(config, "requests_per_second_target_default"),
        target_utilization: num(config, "target_utilization"),
        ..ClusterConfig::default()
    }
}

fn target_revision(case: &Value) -> Revision {
    let revision = field(case, "revision");
    Revision {
        metric: match text(revision, "metric") {
            "concurrency" => ScalingMetric::Concurrency,
            "rps" => ScalingMetric::Rps,
            other => panic!("no metric {other}"),
        },
        container_concurrency: int(revision, "container_concurrency") as u32,
        target: maybe_num(revision, "target_annotation"),
        target_utilization_percent: maybe_num(revision, "target_utilization_percent_annotation"),
        ..Revision::default()
    }
}

fn spec(given: &Value) -> Spec {
    Spec {
        target_value: num(given, "target_value"),
        total_value: num(given, "total_value"),
        target_burst_capacity: num(given, "target_burst_capacity"),
        panic_threshold: num(given, "panic_threshold"),
        max_scale_up_rate: num(given, "max_scale_up_rate"),
        max_scale_down_rate: num(given, "max_scale_down_rate"),
        stable_window: seconds(given, "stable_window_s"),
        reachable: flag(given, "reachable"),
        scale_down_delay: seconds(given, "scale_down_delay_s"),
        activation_scale: count(given, "activation_scale"),
    }
}

fn state(decider: &Decider) -> Value {
    let since = decider.panic_since();
    json!({
        "panicking": since.is_some(),
        "panic_since_s": since.map(|since| since.as_seconds() - START_S),
        "max_panic_pods": decider.max_panic_pods(),
    })
}

fn sequence(case: &Value) -> Compared {
    let mut given = field(case, "spec").clone();
    let mut decider = Decider::new(&spec(&given), count(case, "initial_ready_pods"), at(START_S));
    let initial = state(&decider);
    let mut found = Vec::new();
    let mut expected = Vec::new();
    for (index, step) in list(case, "steps").iter().enumerate() {
        if index == 0
            && let Some(other) = maybe(case, "state_override")
        {
            let since = at(START_S + num(step, "t_s") - num(other, "panic_age_s"));
            decider = Decider::panicking(&spec(&given), since, count(other, "max_panic_pods"));
        }
        if let Some(update) = maybe(step, "spec_update").and_then(Value::as_object) {
            for (key, value) in update {
                given[key] = value.clone();
            }
        }
        let known = |key: &str| !flag(step, key);
        let observed = Observed {
            ready: known("pod_count_error").then(|| count(step, "ready_pods")),
            averages: known("metric_error").then(|| (num(step, "stable"), num(step, "panic"))),
        };
        let answer = decider.decide(&spec(&given), &observed, at(START_S + num(step, "t_s")));
        let wanted = field(step, "expected");
        let mut one = state(&decider);
        one["valid"] = json!(answer.is_some());
        if let Some(answer) = answer {
            one["desired"] = json!(answer.desired);
            let excess = answer.excess_burst_capacity;
            let close = maybe_num(wanted, "excess_burst_capacity").filter(|it| (it - excess).abs() <= 1.0);
            one["excess_burst_capacity"] = match close {
                Some(_) => field(wanted, "excess_burst_capacity").clone(),
                None => json!(excess),
            };
        }
        found.push(one);
        expected.push(wanted.clone());
    }
    let mut expected = json!({"steps": expected});
    if let Some(initial) = maybe(case, "expected_initial") {
        expected["initial"] = initial.clone();
    }
    Compared::new(&expected, json!({"initial": initial, "steps": found}))
}

fn averages(case: &Value) -> Compared {
    let algorithm = match text(case, "algorithm") {
        "linear" => WindowAlgorithm::Linear,
        "weighted-exponential" => WindowAlgorithm::WeightedExponential,
        other => panic!("no algorithm {other}"),
    };
    let mut window = Window::new(algorithm, seconds(case, "window_s"), seconds(case, "granularity_s"));
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    for operation in list(case, "operations") {
        let time = at(num(operation, "t_s"));
        match text(operation, "op") {
            "record" => window.record(time, num(operation, "value")),
            "average" => {
                let parts = maybe_num(operation, "digits").map_or(1e9, |digits| 10_f64.powf(digits));
                found.push((window.average(time) * parts).round() / parts);
                expected.push(num(operation, "expected"));
            }
            other => panic!("no operation {other}"),
        }
    }
    assert!(!expected.is_empty(), "no average to compare");
    Compared { tolerance: 1e-5, ..Compared::new(&json!(expected), json!(found)) }
}

fn config(given: &Value) -> ClusterConfig {
    let usual = ClusterConfig::default();
    let or = |key, usual| maybe_num(given, key).map_or(usual, span);
    ClusterConfig {
        enable_scale_to_zero: maybe(given, "enable_scale_to_zero")
            .map_or(usual.enable_scale_to_zero, |_| flag(given, "enable_scale_to_zero")),
        stable_window: or("stable_window_s", usual.stable_window),
        scale_to_zero_grace_period: or("scale_to_zero_grace_period_s", usual.scale_to_zero_grace_period),
        scale_to_zero_pod_retention: or("scale_to_zero_pod_retention_s", usual.scale_to_zero_pod_retention),
        progress_deadline: or("progress_deadline_s", usual.progress_deadline),
        initial_scale: count(given, "initial_scale"),
        allow_zero_initial_scale: flag(given, "allow_zero_initial_scale"),
        ..usual
    }
}

fn applied(case: &Value) -> Value {
    let given = field(case, "config");
    assert_eq!(seconds(given, "activation_timeout_buffer_s"), ACTIVATION_TIMEOUT_BUFFER);
    let of = field(case, "revision");
    let revision = Revision {
        min_scale: maybe_count(of, "min_scale"),
        max_scale: maybe_count(of, "max_scale"),
        window: maybe_num(of, "window_annotation_s").map(span),
        scale_to_zero_pod_retention: maybe_num(of, "retention_annotation_s").map(span),
        progress_deadline: maybe_num(of, "progress_deadline_annotation_s").map(span),
        initial_scale: maybe_count(of, "initial_scale_annotation"),
        target_burst_capacity: maybe_num(of, "target_burst_capacity"),
        ..Revision::default()
    };
    let standing = Standing {
        activity: match text(of, "activity") {
            "active" => Activity::Active,
            "inactive" => Activity::Inactive,
            "unknown" => Activity::Activating,
            other => panic!("no activity {other}"),
        },
        since: ago(of, "activity_age_s"),
        initialized: flag(of, "scale_target_initialized"),
        reachability: match text(of, "reachability") {
            "reachable" => Reachability::Reachable,
            "unreachable" => Reachability::Unreachable,
            "unknown" => Reachability::Unknown,
            other => panic!("no reachability {other}"),
        },
        current: count(case, "current_replicas"),
    };
    let by = field(case, "serving");
    let serving = Serving {
        proxy: text(by, "mode") == "proxy",
        proxy_for: seconds(by, "proxy_for_s"),
        probe: match text(by, "activator_probe") {
            "ok" => Probe::Ok,
            "negative" => Probe::Negative,
            // An answer that must not be asked for fails whoever asks.
            "error" | "must_not_be_called" => Probe::Error,
            other => panic!("no answer {other}"),
        },
    };
    let desired = Some(count(case, "desired")).filter(|desired| *desired >= 0);
    let applied = apply(&config(given), &revision, &standing, &serving, desired, now());
    json!({
        "result": applied.wanted.unwrap_or(-1),
        "applied": applied.write,
        "requeues": i32::from(applied.again.is_some()),
        "async_probes": i32::from(applied.keeps_asking),
    })
}

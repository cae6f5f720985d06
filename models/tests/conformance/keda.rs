//! Cases of KEDA.

use std::collections::BTreeMap;
use std::sync::Arc;

use models::autoscaler::keda::fallback::{Handed, hand_over, value_in_formula};
use models::autoscaler::keda::formula::composite_milli;
use models::autoscaler::keda::jobs::{Demand, Fold, Queue, decide, fold};
use models::autoscaler::keda::{
    Fallback, FallbackBehavior, Formula, Health, JobStrategy, Look, ScaledJob, ScaledObject, look,
};
use models::autoscaler::kubernetes::calculator::{Context, value_replicas};
use models::autoscaler::kubernetes::{
    ControllerSettings, Phase, Pod, Ready, Template, Tolerances, ValueTarget,
};
use serde_json::{Value, json};

use crate::Compared;
use crate::read::{
    ago, count, entries, field, flag, int, list, maybe, maybe_ago, maybe_count, maybe_int, maybe_num, now,
    num, span, text,
};

pub(crate) fn run(kind: &str, case: &Value) -> Option<Compared> {
    let found = match kind {
        "hpa_bounds" => {
            let object = object(case);
            json!({"hpa_min": object.hpa_min(), "hpa_max": object.hpa_max()})
        }
        "bounds_validation" => json!({"valid": object(case).bounds_are_valid()}),
        "fallback" => fell_back(case),
        "request_scale" => looked(case),
        "job_strategy" => {
            let (most, scale_to) = strategy(case).limits(
                int(case, "max_scale"),
                int(case, "running_jobs"),
                int(case, "pending_jobs"),
                int(case, "max_replica_count"),
                int(case, "scale_to"),
            );
            json!({"effective_max": most, "scale_to": scale_to})
        }
        "job_decision" => {
            let demand =
                Demand { active: true, scale_to: int(case, "scale_to"), most: int(case, "max_scale") };
            let start = decide(&job(case), &demand, int(case, "running_jobs"), int(case, "pending_jobs"));
            json!({"effective_max": start.effective_max, "scale_to": start.scale_to})
        }
        "job_state" => {
            let queue = |trigger: &Value| Queue {
                length: num(trigger, "queue_length"),
                target: num(trigger, "target_average"),
                active: flag(trigger, "active"),
            };
            let queues: Vec<Queue> = list(case, "triggers").iter().map(queue).collect();
            let demand = fold(&job(case), &queues);
            json!({"active": demand.active, "scale_to": demand.scale_to, "max_scale": demand.most})
        }
        "job_bounds" => json!({"max": job(case).max(), "min": job(case).min()}),
        "modifier_trigger_value" => {
            let failures = maybe_count(case, "failures").unwrap_or(0);
            json!({"value": value_in_formula(fallback(case).as_ref(), failures, num(case, "value"))})
        }
        "modifier_formula" => {
            let formula = Formula::read(text(case, "formula")).expect("a formula");
            let values: BTreeMap<Box<str>, Option<f64>> = entries(case, "trigger_values")
                .into_iter()
                .map(|(name, value)| (name.into(), value.as_f64()))
                .collect();
            let replicas = maybe_count(case, "fallback_replicas");
            match composite_milli(&formula, &values, replicas, maybe_num(case, "target")) {
                Ok(composite) => json!({"composite_milli": composite}),
                Err(_) => json!({"error": true}),
            }
        }
        "metric_type" => one_metric(case),
        _ => return None,
    };
    Some(Compared::new(field(case, "expected"), found))
}

fn object(case: &Value) -> ScaledObject {
    let usual = ScaledObject::default();
    ScaledObject {
        min_replicas: maybe_count(case, "min_replica_count"),
        max_replicas: maybe_count(case, "max_replica_count"),
        idle_replicas: maybe_count(case, "idle_replica_count"),
        cooldown_period: maybe_num(case, "cooldown_period_s").map_or(usual.cooldown_period, span),
        initial_cooldown_period: maybe_num(case, "initial_cooldown_period_s")
            .map_or(usual.initial_cooldown_period, span),
        fallback: maybe_count(case, "fallback_replicas").map(|replicas| Fallback {
            failure_threshold: 3,
            replicas,
            behavior: FallbackBehavior::Static,
        }),
        paused: flag(case, "paused"),
        paused_scale_in: flag(case, "paused_scale_in"),
        paused_scale_out: flag(case, "paused_scale_out"),
        force_activation: flag(case, "force_activation"),
        ..usual
    }
}

fn fallback(case: &Value) -> Option<Fallback> {
    maybe(case, "fallback").map(|given| Fallback {
        failure_threshold: count(given, "failure_threshold"),
        replicas: count(given, "replicas"),
        behavior: match maybe(given, "behavior").map_or("static", |_| text(given, "behavior")) {
            "static" => FallbackBehavior::Static,
            "currentReplicas" => FallbackBehavior::CurrentReplicas,
            "currentReplicasIfHigher" => FallbackBehavior::CurrentReplicasIfHigher,
            "currentReplicasIfLower" => FallbackBehavior::CurrentReplicasIfLower,
            "scalingModifiers" => FallbackBehavior::ScalingModifiers,
            other => panic!("no behavior {other}"),
        },
    })
}

fn health(given: Option<&Value>) -> Health {
    given.map_or(Health::default(), |given| Health {
        failures: count(given, "failures"),
        failing: text(given, "status") == "Failing",
    })
}

fn fell_back(case: &Value) -> Value {
    let fallback = fallback(case);
    let mut after = health(maybe(case, "health"));
    let target_milli = (num(case, "target_value") * 1000.0) as i64;
    let target = match text(case, "target_type") {
        "Value" => ValueTarget::Value(target_milli),
        _ => ValueTarget::AverageValue(target_milli),
    };
    let value = maybe_num(case, "scaler_value").map(|value| (value * 1000.0) as i64);
    let current = maybe_count(case, "current_replicas").unwrap_or(0);
    let ready = maybe_count(case, "ready_replicas").unwrap_or(current);
    let handed = hand_over(fallback.as_ref(), &mut after, value, target, current, ready);
    let other = health(maybe(case, "other_trigger_health"));
    let mut found = json!({
        "failures": after.failures,
        "status": if after.failing { "Failing" } else { "Happy" },
        "fallback_condition": fallback.is_some_and(|it| after.falls_back(&it) || other.falls_back(&it)),
    });
    match handed {
        Handed::Measured(milli) | Handed::MadeUp(milli) => {
            found["metric_value"] = json!(milli as f64 / 1000.0);
        }
        Handed::Missing => found["metric_value"] = Value::Null,
        Handed::Error => found["error"] = json!(true),
    }
    found
}

fn looked(case: &Value) -> Value {
    let seen = Look {
        current: count(case, "current_replicas"),
        active: flag(case, "triggers_active"),
        error: flag(case, "any_trigger_error"),
        last_active: maybe_ago(case, "last_active_age_s"),
        created: ago(case, "created_age_s"),
        now: now(),
    };
    let object = object(case);
    let found = look(&object, &seen);
    json!({
        "replicas": found.replicas,
        "active_condition": found.active.unwrap_or(false),
        "ready_condition": match found.ready {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        },
        "last_active_updated": found.was_active,
        "paused": object.paused,
    })
}

fn strategy(case: &Value) -> JobStrategy {
    let share = maybe(case, "running_job_percentage").map(|_| text(case, "running_job_percentage"));
    let name = maybe(case, "strategy").map_or("default", |_| text(case, "strategy"));
    JobStrategy::named(name, maybe_int(case, "queue_length_deduction"), share)
}

fn job(case: &Value) -> ScaledJob {
    ScaledJob {
        min_replicas: maybe_count(case, "min_replica_count"),
        max_replicas: maybe_count(case, "max_replica_count"),
        strategy: strategy(case),
        fold: match maybe(case, "multiple_scalers_calculation").and_then(Value::as_str) {
            Some("min") => Fold::Min,
            Some("avg") => Fold::Avg,
            Some("sum") => Fold::Sum,
            _ => Fold::Max,
        },
        ..ScaledJob::default()
    }
}

fn one_metric(case: &Value) -> Value {
    let current = count(case, "current_replicas");
    let pod = |id: i32| Pod {
        id: id as u32,
        phase: Phase::Running,
        ready: Some(Ready { is: true, since: now() }),
        started: Some(now()),
        deleting: false,
        template: Arc::new(Template::default()),
    };
    let pods: Vec<Pod> = (0..current).map(pod).collect();
    let context = Context {
        spec_replicas: current,
        status_replicas: current,
        pods: &pods,
        settings: &ControllerSettings::default(),
        tolerances: Tolerances::both(0.1),
        now: now(),
    };
    let milli = |key| (num(case, key) * 1000.0) as i64;
    let target = match text(case, "target_type") {
        "Value" => ValueTarget::Value(milli("threshold")),
        _ => ValueTarget::AverageValue(milli("threshold")),
    };
    let proposal = value_replicas(&context, milli("value"), target).expect("a proposal");
    json!({"replicas": proposal.replicas})
}

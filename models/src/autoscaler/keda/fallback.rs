//! What stands in for a trigger that fails.
//!
//! Source: kedacore/keda, `pkg/fallback/fallback.go`; for formulas `pkg/scaling/modifiers/`.

use super::super::kubernetes::ValueTarget;

/// What to go by when a trigger fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// It holds from one failure more than this in a row.
    pub failure_threshold: i32,
    /// Replicas that the made-up value asks for.
    pub replicas: i32,
    /// Whether the present count has a say.
    pub behavior: FallbackBehavior,
}

impl Fallback {
    /// Numbers below zero make a fallback that never holds.
    pub fn is_valid(&self) -> bool {
        self.failure_threshold >= 0 && self.replicas >= 0
    }
}

/// Whether the present count has a say in a fallback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FallbackBehavior {
    /// `static`: it has none.
    #[default]
    Static,
    /// `currentReplicas`: it decides.
    CurrentReplicas,
    /// `currentReplicasIfHigher`: the larger of both.
    CurrentReplicasIfHigher,
    /// `currentReplicasIfLower`: the smaller of both.
    CurrentReplicasIfLower,
    /// `scalingModifiers`: the formula is told that there is no value.
    ScalingModifiers,
}

/// How a trigger has been doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Failures in a row.
    pub failures: i32,
    /// Whether it failed when last asked.
    pub failing: bool,
}

impl Health {
    /// Whether a fallback stands in for the trigger.
    pub fn falls_back(&self, fallback: &Fallback) -> bool {
        self.failing && self.failures > fallback.failure_threshold
    }
}

/// What the autoscaler is handed for a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// What the trigger measured.
    Measured(i64),
    /// A made-up value, in thousandths.
    MadeUp(i64),
    /// No value, for a formula.
    Missing,
    /// An error: the metric is broken.
    Error,
}

/// Asks a trigger once: its value or its failure, by way of its health, to what the autoscaler is handed.
pub fn hand_over(
    fallback: Option<&Fallback>,
    health: &mut Health,
    value_milli: Option<i64>,
    target: ValueTarget,
    current_replicas: i32,
    ready_replicas: i32,
) -> Handed {
    let valid = fallback.filter(|fallback| fallback.is_valid());
    if let Some(value) = value_milli {
        if valid.is_some() {
            *health = Health::default();
        }
        return Handed::Measured(value);
    }
    let Some(fallback) = valid else {
        return Handed::Error;
    };
    *health = Health { failures: health.failures + 1, failing: true };
    if !health.falls_back(fallback) {
        return Handed::Error;
    }
    let replicas = match fallback.behavior {
        FallbackBehavior::Static => fallback.replicas,
        FallbackBehavior::CurrentReplicas => current_replicas,
        FallbackBehavior::CurrentReplicasIfHigher => fallback.replicas.max(current_replicas),
        FallbackBehavior::CurrentReplicasIfLower => fallback.replicas.min(current_replicas),
        FallbackBehavior::ScalingModifiers => return Handed::Missing,
    };
    match target {
        ValueTarget::AverageValue(target_milli) => {
            Handed::MadeUp((target_milli as f64 * f64::from(replicas)) as i64)
        }
        ValueTarget::Value(_) if ready_replicas <= 0 => Handed::Error,
        ValueTarget::Value(target_milli) => {
            let share = f64::from(replicas) / f64::from(ready_replicas);
            Handed::MadeUp((target_milli as f64 * share) as i64)
        }
    }
}

/// The value of a trigger in a formula; none once it has failed too often.
pub fn value_in_formula(fallback: Option<&Fallback>, failures: i32, value: f64) -> Option<f64> {
    let failed = fallback.is_some_and(|fallback| {
        fallback.behavior == FallbackBehavior::ScalingModifiers && failures > fallback.failure_threshold
    });
    (!failed).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three failures are tolerated; the fourth brings ten replicas times the target of 5.
    #[test]
    fn a_fallback_holds_from_one_failure_more_than_its_threshold() {
        let fallback = Fallback { failure_threshold: 3, replicas: 10, behavior: FallbackBehavior::Static };
        let mut health = Health::default();
        let mut ask =
            |value| hand_over(Some(&fallback), &mut health, value, ValueTarget::AverageValue(5_000), 2, 2);
        let answers: Vec<Handed> = (0..4).map(|_| ask(None)).collect();
        assert_eq!(answers, [Handed::Error, Handed::Error, Handed::Error, Handed::MadeUp(50_000)]);
        assert_eq!(ask(Some(7_000)), Handed::Measured(7_000));
        assert_eq!(ask(None), Handed::Error, "one success starts the count anew");
    }

    /// 4 ready replicas at target 10: the made-up value is 10 * 6 / 4.
    #[test]
    fn a_made_up_value_is_spread_over_ready_replicas() {
        let fallback = Fallback { failure_threshold: 0, replicas: 6, behavior: FallbackBehavior::Static };
        let mut health = Health::default();
        let handed = hand_over(Some(&fallback), &mut health, None, ValueTarget::Value(10_000), 4, 4);
        assert_eq!(handed, Handed::MadeUp(15_000));
    }
}

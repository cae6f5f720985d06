//! Step and simple scaling.
//!
//! Source: *EC2 Auto Scaling User Guide*, "Step and simple scaling policies".

use sim_core::Span;

use super::super::kubernetes::seconds;
use super::adjust::{Adjustment, AdjustmentType, Bounds};

/// One step: from where to where beyond the alarm's threshold, and what to do there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// `MetricIntervalLowerBound`, relative to the threshold; none for no end.
    pub lower: Option<f64>,
    /// `MetricIntervalUpperBound`, relative to the threshold; none for no end.
    pub upper: Option<f64>,
    /// `ScalingAdjustment`
    pub adjustment: f64,
}

impl Step {
    /// Whether a breach of this size is this step's: its lower end belongs to it from the threshold on, its upper
    /// end below.
    pub fn covers(self, breach: f64) -> bool {
        if breach >= 0.0 {
            self.lower.is_none_or(|lower| lower <= breach) && self.upper.is_none_or(|upper| breach < upper)
        } else {
            self.lower.is_none_or(|lower| lower < breach) && self.upper.is_none_or(|upper| breach <= upper)
        }
    }
}

/// A step scaling policy. It acts on every evaluation that finds its alarm in `ALARM`.
#[derive(Clone, Debug, PartialEq)]
pub struct StepPolicy {
    /// What adjustments mean.
    pub kind: AdjustmentType,
    /// `MinAdjustmentMagnitude`
    pub min_magnitude: Option<i64>,
    /// Steps that neither overlap nor leave gaps.
    pub steps: Vec<Step>,
    /// How long a new instance counts as warming up: `EstimatedInstanceWarmup`, else the group's
    /// `DefaultInstanceWarmup`, else its default cooldown of 300 s.
    pub warmup: Span,
}

impl StepPolicy {
    /// The adjustment for a value of the metric, if any step is for it.
    pub fn adjustment(&self, threshold: f64, metric: f64) -> Option<Adjustment> {
        let breach = metric - threshold;
        let step = self.steps.iter().find(|step| step.covers(breach))?;
        Some(Adjustment { kind: self.kind, value: step.adjustment, min_magnitude: self.min_magnitude })
    }

    /// The capacity for a value of the metric.
    pub fn apply(&self, threshold: f64, metric: f64, capacity: i64, bounds: Bounds) -> i64 {
        self.adjustment(threshold, metric).map_or(capacity, |adjustment| adjustment.apply(capacity, bounds))
    }

    /// The same while instances are warming up: they count as there, so only the difference is added, and nothing is
    /// taken away.
    pub fn apply_while_warming(
        &self,
        threshold: f64,
        metric: f64,
        warm: i64,
        warming: i64,
        bounds: Bounds,
    ) -> i64 {
        let desired = warm + warming;
        if warming == 0 {
            return self.apply(threshold, metric, desired, bounds);
        }
        self.apply(threshold, metric, warm, bounds).max(desired)
    }
}

/// A simple scaling policy: one adjustment, then it waits for its cooldown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimplePolicy {
    /// What it does.
    pub adjustment: Adjustment,
    /// How long it waits from the end of the launch or termination. The group's default cooldown is 300 s.
    pub cooldown: Span,
}

/// The default cooldown of a group.
pub const DEFAULT_COOLDOWN: Span = seconds(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn out() -> StepPolicy {
        let step = |lower, upper, adjustment| Step { lower: Some(lower), upper, adjustment };
        StepPolicy {
            kind: AdjustmentType::PercentChangeInCapacity,
            min_magnitude: None,
            steps: vec![step(0.0, Some(10.0), 0.0), step(10.0, Some(20.0), 10.0), step(20.0, None, 30.0)],
            warmup: DEFAULT_COOLDOWN,
        }
    }

    /// The guide's example: 10 grow by 10 % to 11, and by 30 % at a later breach while the eleventh warms up. 30 %
    /// of the 10 that are warm are 3, of which one is on its way.
    #[test]
    fn what_warms_up_is_taken_off_the_next_step() {
        let bounds = Bounds { min: 0, max: 100 };
        assert_eq!(out().apply(50.0, 60.0, 10, bounds), 11);
        assert_eq!(out().apply_while_warming(50.0, 70.0, 10, 1, bounds), 13);
        assert_eq!(out().apply_while_warming(50.0, 60.0, 10, 3, bounds), 13, "never taken away");
        assert_eq!(out().apply(50.0, 70.0, 11, bounds), 14, "once it is warm");
    }

    #[test]
    fn ends_of_steps_belong_to_the_side_of_the_threshold() {
        let step = Step { lower: Some(10.0), upper: Some(20.0), adjustment: 1.0 };
        assert!(step.covers(10.0) && !step.covers(20.0));
        let step = Step { lower: Some(-20.0), upper: Some(-10.0), adjustment: -1.0 };
        assert!(!step.covers(-20.0) && step.covers(-10.0));
    }
}

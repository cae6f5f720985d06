//! Target tracking.
//!
//! Source: *EC2 Auto Scaling User Guide* and *Application Auto Scaling User Guide*, "Target tracking scaling
//! policies". The two alarms that such a policy makes for itself are not promised; three minutes above the target
//! and fifteen below nine tenths of it are what is seen in practice.

use std::cmp::Ordering;

use sim_core::{SimTime, Span};

use super::super::kubernetes::seconds;
use super::adjust::Bounds;
use super::alarm::{Alarm, Comparison};

/// A target tracking policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetTracking {
    /// The value of the metric that is wanted.
    pub target: f64,
    /// Whether it only ever adds. `DisableScaleIn`, false.
    pub disable_scale_in: bool,
    /// Datapoints above the target that make it add: 3, as observed.
    pub high_datapoints: usize,
    /// Datapoints below that make it take away: 15, as observed.
    pub low_datapoints: usize,
    /// Below this share of the target: 0.9, as observed.
    pub low_threshold_fraction: f64,
    /// Time between two datapoints: 60 s with detailed monitoring, 300 s without.
    pub period: Span,
    /// How long a new instance counts as warming up, 300 s.
    pub warmup: Span,
    /// Cooldowns, where the target is not a group of instances.
    pub cooldowns: Cooldowns,
}

/// How long a policy of Application Auto Scaling waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cooldowns {
    /// After adding: only what goes beyond it is added. `ScaleOutCooldown`
    pub out: Span,
    /// After taking away: nothing more is; adding ends it. `ScaleInCooldown`
    pub in_: Span,
}

impl Default for Cooldowns {
    /// 300 s for ECS, Spot Fleet, EMR, `AppStream`, Aurora, `SageMaker` and custom resources; it is 0 for `DynamoDB`,
    /// Comprehend, Lambda, Keyspaces and MSK.
    fn default() -> Self {
        Self { out: seconds(300), in_: seconds(300) }
    }
}

impl TargetTracking {
    /// A policy with the usual alarms.
    pub fn new(target: f64) -> Self {
        Self {
            target,
            disable_scale_in: false,
            high_datapoints: 3,
            low_datapoints: 15,
            low_threshold_fraction: 0.9,
            period: seconds(60),
            warmup: seconds(300),
            cooldowns: Cooldowns::default(),
        }
    }

    /// The alarm that makes it add.
    pub fn high_alarm(&self) -> Alarm {
        Alarm::new(Comparison::Above, self.target, self.high_datapoints, self.high_datapoints)
    }

    /// The alarm that makes it take away.
    pub fn low_alarm(&self) -> Alarm {
        let threshold = self.target * self.low_threshold_fraction;
        Alarm::new(Comparison::Below, threshold, self.low_datapoints, self.low_datapoints)
    }

    /// The capacity for a value of the metric: in proportion, and never less than leaves it at the target. What is
    /// missing is rounded up and what is too much is rounded down.
    pub fn capacity(&self, capacity: i64, metric: f64, bounds: Bounds) -> i64 {
        let wanted = (capacity as f64 * metric / self.target).ceil() as i64;
        if wanted < capacity && self.disable_scale_in {
            return bounds.clamp(capacity);
        }
        bounds.clamp(wanted)
    }
}

/// What is added in the cooldown of an earlier addition: only what goes beyond it.
pub fn added_in_cooldown(already_added: i64, adjustment: i64) -> i64 {
    (adjustment - already_added).max(0)
}

/// What to track for work that waits in a queue: messages that an instance may have waiting so that the last one is
/// done in time.
///
/// Source: *EC2 Auto Scaling User Guide*, "Scaling based on Amazon SQS".
pub fn acceptable_backlog(longest_latency: f64, processing_time: f64) -> f64 {
    longest_latency / processing_time
}

/// A cooldown that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cooling {
    /// Nothing was done lately.
    No,
    /// Capacity was added.
    Out {
        /// From so much.
        from: i64,
        /// Until then.
        until: SimTime,
    },
    /// Capacity was taken away.
    In {
        /// Until then.
        until: SimTime,
    },
}

impl Cooling {
    /// What of a wanted capacity may be had now.
    pub fn allows(self, current: i64, wanted: i64, now: SimTime) -> i64 {
        match self {
            Self::In { until } if now < until && wanted < current => current,
            Self::Out { until, .. } if now < until && wanted < current => current,
            Self::Out { from, until } if now < until => {
                current + added_in_cooldown(current - from, wanted - from)
            }
            _ => wanted,
        }
    }

    /// The cooldown after a change.
    #[must_use]
    pub fn after(self, from: i64, to: i64, cooldowns: Cooldowns, now: SimTime) -> Self {
        match to.cmp(&from) {
            Ordering::Greater => Self::Out { from, until: now.saturating_add(cooldowns.out) },
            Ordering::Less => Self::In { until: now.saturating_add(cooldowns.in_) },
            Ordering::Equal => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { min: 1, max: 100 };

    /// 4 at 60 of 50 need 4.8; 4 at 30 of 50 need 2.4, and three are left.
    #[test]
    fn what_is_missing_is_rounded_up_and_what_is_too_much_down() {
        let policy = TargetTracking::new(50.0);
        assert_eq!(policy.capacity(4, 60.0, BOUNDS), 5);
        assert_eq!(policy.capacity(4, 30.0, BOUNDS), 3);
        assert_eq!(policy.capacity(4, 0.0, BOUNDS), 1);
        let careful = TargetTracking { disable_scale_in: true, ..policy };
        assert_eq!(careful.capacity(4, 30.0, BOUNDS), 4);
    }

    /// 4 grow to 6 at 0 s; until 300 s only what goes beyond the two counts, and nothing shrinks.
    #[test]
    fn a_cooldown_lets_only_larger_additions_through() {
        let at = |seconds: u64| SimTime::from_nanos(seconds * 1_000_000_000);
        let cooling = Cooling::No.after(4, 6, Cooldowns::default(), at(0));
        assert_eq!(cooling.allows(6, 7, at(100)), 7, "three more than four, of which two are there");
        assert_eq!(cooling.allows(6, 6, at(100)), 6);
        assert_eq!(cooling.allows(6, 3, at(299)), 6);
        assert_eq!(cooling.allows(6, 3, at(300)), 3);
        let cooling = cooling.after(6, 3, Cooldowns::default(), at(300));
        assert_eq!(cooling.allows(3, 2, at(400)), 3);
        assert_eq!(cooling.allows(3, 5, at(400)), 5, "adding ends it");
    }
}

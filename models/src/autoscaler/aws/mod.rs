//! Scaling policies of AWS: EC2 Auto Scaling groups and Application Auto Scaling.
//!
//! Amazon documents what its policies do, not how; what is observed in practice rather than promised is marked as
//! such.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide* and *Application Auto Scaling User Guide*, editions of 2023.

pub mod adjust;
pub mod alarm;
pub mod predictive;
pub mod step;
pub mod tracking;
pub mod warm_pool;

pub use adjust::{Adjustment, AdjustmentType, Bounds};
pub use alarm::{Alarm, AlarmState, Comparison};
pub use predictive::{MaxCapacity, Predictive};
pub use step::{Step, StepPolicy};
pub use tracking::{Cooldowns, TargetTracking};
pub use warm_pool::WarmPool;

/// Which way several policies want to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More capacity.
    Out,
    /// Less.
    In,
}

/// What several policies that act at once come to: the one that leaves the most capacity.
///
/// On the way in that is the most careful one. `None` stands for no policy.
pub fn combine(capacities: &[i64]) -> Option<i64> {
    capacities.iter().copied().max()
}

//! Predictive and scheduled scaling.
//!
//! Source: *EC2 Auto Scaling User Guide*, "Predictive scaling" and "Scheduled scaling".

use sim_core::Span;

use super::super::kubernetes::seconds;
use super::adjust::Bounds;

/// Whether a forecast may go beyond the most of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxCapacity {
    /// `HonorMaxCapacity`: it may not.
    #[default]
    Honor,
    /// `IncreaseMaxCapacity`: it may, by so many percent beyond the forecast.
    Increase {
        /// `MaxCapacityBuffer`
        buffer_percent: i64,
    },
}

/// A predictive scaling policy. How the forecast is made is Amazon's secret; it is handed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predictive {
    /// Whether the forecast may go beyond the most of the group.
    pub max_capacity: MaxCapacity,
    /// How much earlier than the hour it acts. `SchedulingBufferTime`, 300 s.
    pub ahead: Span,
    /// Whether it acts at all, or only forecasts. `Mode`
    pub acts: bool,
}

impl Default for Predictive {
    fn default() -> Self {
        Self { max_capacity: MaxCapacity::Honor, ahead: seconds(300), acts: true }
    }
}

impl Predictive {
    /// The most of the group while a forecast holds.
    pub fn effective_max(&self, predicted: f64, max: i64) -> i64 {
        match self.max_capacity {
            MaxCapacity::Honor => max,
            MaxCapacity::Increase { buffer_percent } => {
                max.max((predicted * (100 + buffer_percent) as f64 / 100.0).ceil() as i64)
            }
        }
    }

    /// The capacity that is desired while a forecast holds: it raises, it never lowers.
    pub fn desired(&self, predicted: f64, actual: i64, bounds: Bounds) -> i64 {
        let max = self.effective_max(predicted, bounds.max);
        let forecast = Bounds { max, ..bounds }.clamp(predicted.ceil() as i64);
        if self.acts { actual.max(forecast) } else { actual }
    }
}

/// A scheduled action: at a time it sets what it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScheduledAction {
    /// `MinSize`
    pub min: Option<i64>,
    /// `MaxSize`
    pub max: Option<i64>,
    /// `DesiredCapacity`
    pub desired: Option<i64>,
}

impl ScheduledAction {
    /// The bounds and the capacity afterwards; capacity stays within bounds.
    pub fn apply(&self, capacity: i64, bounds: Bounds) -> (i64, Bounds) {
        let bounds = Bounds { min: self.min.unwrap_or(bounds.min), max: self.max.unwrap_or(bounds.max) };
        (bounds.clamp(self.desired.unwrap_or(capacity)), bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduled_minimum_lifts_what_is_below_it() {
        let bounds = Bounds { min: 1, max: 10 };
        let evening = ScheduledAction { min: Some(4), ..ScheduledAction::default() };
        assert_eq!(evening.apply(2, bounds), (4, Bounds { min: 4, max: 10 }));
        let exact = ScheduledAction { desired: Some(50), ..ScheduledAction::default() };
        assert_eq!(exact.apply(2, bounds), (10, bounds));
    }
}

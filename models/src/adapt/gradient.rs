//! The gradient of latency: short times against long ones.

use super::Sample;
use crate::blueprint::{Bounds, GradientPlan};

/// Holds from which the average begins as a plain one.
///
/// Source: Netflix, concurrency-limits, `Gradient2Limit`: `new ExpAvgMeasurement(longWindow, 10)`.
const PLAIN: u32 = 10;

/// Compares how long holds take with how long they have taken on average: `limit * gradient + queue`, where the
/// gradient is `tolerance * long / short`, from a half to 1; smoothed.
///
/// Source: Netflix, concurrency-limits, `Gradient2Limit`.
#[derive(Clone, Debug)]
pub struct Gradient {
    plan: GradientPlan,
    bounds: Bounds,
    limit: f64,
    /// The average of many times, in seconds, and from how many.
    long: f64,
    seen: u32,
}

impl Gradient {
    /// A limit that begins at `slots`.
    pub fn new(plan: GradientPlan, bounds: Bounds, slots: u32) -> Self {
        Self { plan, bounds, limit: f64::from(slots), long: 0.0, seen: 0 }
    }

    /// How many slots there are after what was seen.
    pub fn learn(&mut self, sample: Option<Sample>) -> u32 {
        if let Some(sample) = sample {
            self.adjust(&sample);
        }
        self.limit as u32
    }

    fn adjust(&mut self, sample: &Sample) {
        let short = sample.time.as_seconds();
        if self.seen < PLAIN {
            self.seen += 1;
            self.long += (short - self.long) / f64::from(self.seen);
        } else {
            self.long += (short - self.long) * 2.0 / (f64::from(self.plan.long_window) + 1.0);
        }
        let long = self.long;
        if long / short > 2.0 {
            // After a long overload: it would take long to forget by averaging.
            self.long *= 0.9;
        }
        if f64::from(sample.in_use) < self.limit / 2.0 {
            return; // It is not the limit that keeps others out.
        }
        let gradient = (self.plan.tolerance * long / short).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + f64::from(self.plan.queue);
        let smoothed = self.limit * (1.0 - self.plan.smoothing) + wanted * self.plan.smoothing;
        self.limit = smoothed.clamp(f64::from(self.bounds.min), f64::from(self.bounds.max));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::held;
    use super::*;

    fn gradient(slots: u32) -> Gradient {
        let plan = GradientPlan { tolerance: 1.5, smoothing: 0.2, long_window: 600, queue: 4 };
        Gradient::new(plan, Bounds { min: 20, max: 200 }, slots)
    }

    #[test]
    fn steady_times_let_it_grow_by_a_share_of_the_queue() {
        let mut limit = gradient(50);
        // 50 + 0.2 * 4 a step, in whole slots.
        let seen = [50, 50, 50].map(|in_use| limit.learn(held(10, in_use)));
        assert_eq!(seen, [50, 51, 52]);
        assert_eq!(limit.learn(held(10, 26)), 52, "less than half is used");
    }

    #[test]
    fn longer_times_shrink_it_by_no_more_than_half_and_smoothed() {
        let mut limit = gradient(100);
        for _ in 0..10 {
            limit.learn(held(10, 1));
        }
        // The average becomes 10 + 40 * 2 / 601 = 10.133 ms; 1.5 * 10.133 / 50 is less than a half:
        // 0.8 * 100 + 0.2 * (50 + 4) = 90.8.
        assert_eq!(limit.learn(held(50, 100)), 90);
        // 10.166 ms: 1.5 * 10.166 / 20 = 0.762: 0.8 * 90.8 + 0.2 * (0.762 * 90.8 + 4) = 87.3.
        assert_eq!(limit.learn(held(20, 100)), 87);
        for _ in 0..100 {
            limit.learn(held(1_000_000, 100));
        }
        assert_eq!(limit.learn(None), 20);
    }

    #[test]
    fn tolerance_keeps_a_little_variation_from_counting() {
        let mut limit = gradient(100);
        for _ in 0..10 {
            limit.learn(held(10, 1));
        }
        assert_eq!(limit.learn(held(14, 100)), 100, "100.8 slots: 40 % longer is within 50 %");
    }
}

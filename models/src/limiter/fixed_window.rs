//! A counter that is set back when a window ends.

use sim_core::{SimTime, Span};

use super::{Limit, SLACK};
use crate::blueprint::{RatePlan, RateStyle};

/// Lets `limit` through in each window; windows follow each other from the start of the run.
///
/// Twice the limit passes around the edge of two windows.
///
/// Source: Redis, `INCR` documentation, *Pattern: Rate limiter*.
#[derive(Clone, Debug)]
pub struct FixedWindow {
    limit: f64,
    window: u64,
    /// The window that `used` counts in.
    current: u64,
    used: f64,
}

impl FixedWindow {
    /// A counter at 0.
    pub fn new(limit: f64, window: Span) -> Self {
        Self { limit, window: window.as_nanos().max(1), current: 0, used: 0.0 }
    }

    fn used_at(&self, now: SimTime) -> f64 {
        if now.as_nanos() / self.window == self.current { self.used } else { 0.0 }
    }
}

impl Limit for FixedWindow {
    fn take(&mut self, units: f64, now: SimTime) -> Result<(), SimTime> {
        self.used = self.used_at(now);
        self.current = now.as_nanos() / self.window;
        if self.used + units <= self.limit + SLACK {
            self.used += units;
            return Ok(());
        }
        if units > self.limit + SLACK {
            return Err(SimTime::MAX);
        }
        let next = (self.current + 1).checked_mul(self.window);
        Err(next.map_or(SimTime::MAX, SimTime::from_nanos))
    }

    fn free(&self, now: SimTime) -> f64 {
        (1.0 - self.used_at(now) / self.limit).max(0.0)
    }

    fn is_fresh(&self, now: SimTime) -> bool {
        self.used_at(now) <= 0.0
    }

    fn change(&mut self, plan: &RatePlan, now: SimTime) {
        if let RateStyle::FixedWindow { window, limit } = plan.style {
            self.used = self.used_at(now);
            self.window = window.as_nanos().max(1);
            self.current = now.as_nanos() / self.window;
            self.limit = limit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn twice_the_limit_passes_around_an_edge() {
        let mut counter = FixedWindow::new(2.0, Span::from_nanos(1_000_000_000));
        assert_eq!((counter.take(1.0, at(990)), counter.take(1.0, at(999))), (Ok(()), Ok(())));
        assert_eq!(counter.take(1.0, at(999)), Err(at(1_000)));
        assert_eq!((counter.take(1.0, at(1_000)), counter.take(1.0, at(1_001))), (Ok(()), Ok(())));
        assert_eq!(counter.take(1.0, at(1_002)), Err(at(2_000)));
        assert!(counter.free(at(1_999)) < 1e-12 && counter.is_fresh(at(2_000)));
        assert_eq!(counter.take(3.0, at(2_000)), Err(SimTime::MAX));
    }
}

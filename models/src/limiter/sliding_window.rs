//! A log of what was taken during the last window.

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

use super::{Limit, SLACK};
use crate::blueprint::{RatePlan, RateStyle};

/// Lets `limit` through in any window, wherever it begins: it remembers when each was taken.
///
/// What is taken at t counts until just before t + window. Real systems that cannot afford the log weigh the
/// counter of the window before instead; that approximation is off by a few percent and has no hard bound, so the
/// log it is.
///
/// Source: Redis sorted sets as rate limiters: `ZADD`, `ZREMRANGEBYSCORE`, `ZCARD`.
#[derive(Clone, Debug)]
pub struct SlidingWindow {
    limit: f64,
    window: Span,
    /// When, and how many units; the oldest first.
    log: VecDeque<(SimTime, f64)>,
    used: f64,
}

impl SlidingWindow {
    /// An empty log.
    pub fn new(limit: f64, window: Span) -> Self {
        Self { limit, window, log: VecDeque::new(), used: 0.0 }
    }

    fn forget(&mut self, now: SimTime) {
        while let Some(&(at, units)) = self.log.front()
            && at + self.window <= now
        {
            self.log.pop_front();
            self.used -= units;
        }
        if self.log.is_empty() {
            self.used = 0.0; // Sums of fractions do not come back to exactly 0.
        }
    }
}

impl Limit for SlidingWindow {
    fn take(&mut self, units: f64, now: SimTime) -> Result<(), SimTime> {
        self.forget(now);
        if self.used + units <= self.limit + SLACK {
            self.used += units;
            self.log.push_back((now, units));
            return Ok(());
        }
        if units > self.limit + SLACK {
            return Err(SimTime::MAX);
        }
        let mut left = self.used;
        let enough = self.log.iter().find(|(_, used)| {
            left -= used;
            left + units <= self.limit + SLACK
        });
        Err(enough.map_or(SimTime::MAX, |(at, _)| *at + self.window))
    }

    fn free(&self, now: SimTime) -> f64 {
        let gone: f64 =
            self.log.iter().take_while(|(at, _)| *at + self.window <= now).map(|(_, units)| units).sum();
        (1.0 - (self.used - gone) / self.limit).clamp(0.0, 1.0)
    }

    fn is_fresh(&self, now: SimTime) -> bool {
        self.log.back().is_none_or(|(at, _)| *at + self.window <= now)
    }

    fn change(&mut self, plan: &RatePlan, now: SimTime) {
        if let RateStyle::SlidingWindow { window, limit } = plan.style {
            self.window = window;
            self.limit = limit;
            self.forget(now);
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
    fn what_was_taken_counts_for_a_window() {
        let mut log = SlidingWindow::new(2.0, Span::from_nanos(1_000_000_000));
        assert_eq!((log.take(1.0, at(900)), log.take(1.0, at(950))), (Ok(()), Ok(())));
        // A fixed window would begin anew at 1 s.
        assert_eq!(log.take(1.0, at(1_000)), Err(at(1_900)));
        assert_eq!(log.take(2.0, at(1_000)), Err(at(1_950)));
        assert_eq!(log.take(1.0, at(1_899)), Err(at(1_900)));
        assert_eq!(log.take(1.0, at(1_900)), Ok(()));
        assert!((log.free(at(1_949)) - 0.0).abs() < 1e-12 && (log.free(at(1_950)) - 0.5).abs() < 1e-12);
        assert!(log.is_fresh(at(2_900)) && !log.is_fresh(at(2_899)));
        assert_eq!(log.take(3.0, at(3_000)), Err(SimTime::MAX));
    }
}

//! A bucket of tokens that refills by the clock.

use sim_core::SimTime;

use super::{Limit, SLACK, accrued};
use crate::blueprint::{RatePlan, RateStyle};

/// A bucket that holds `burst` tokens, is full at the start, and gets `rate` tokens a second, continuously.
///
/// In any time T no more than `burst + rate * T` are taken.
///
/// Sources: Turner, *New Directions in Communications*, IEEE Communications Magazine 24(10), 1986; Envoy,
/// `local_ratelimit`; Go, `golang.org/x/time/rate`.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    per_second: f64,
    burst: f64,
    /// Tokens at `since`.
    tokens: f64,
    since: SimTime,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(per_second: f64, burst: f64, now: SimTime) -> Self {
        Self { per_second, burst, tokens: burst, since: now }
    }

    fn tokens_at(&self, now: SimTime) -> f64 {
        (self.tokens + now.since(self.since).as_seconds() * self.per_second).min(self.burst)
    }

    fn refill(&mut self, now: SimTime) {
        self.tokens = self.tokens_at(now);
        self.since = now;
    }
}

impl Limit for TokenBucket {
    fn take(&mut self, units: f64, now: SimTime) -> Result<(), SimTime> {
        self.refill(now);
        if units <= self.tokens + SLACK {
            self.tokens = (self.tokens - units).max(0.0);
            return Ok(());
        }
        if units > self.burst + SLACK {
            return Err(SimTime::MAX);
        }
        // What is missing may be less than comes in a nanosecond.
        let soonest = SimTime::from_nanos(now.as_nanos() + 1);
        Err(accrued(now, units - self.tokens, self.per_second).max(soonest))
    }

    fn free(&self, now: SimTime) -> f64 {
        self.tokens_at(now) / self.burst
    }

    fn is_fresh(&self, now: SimTime) -> bool {
        self.tokens_at(now) >= self.burst
    }

    fn change(&mut self, plan: &RatePlan, now: SimTime) {
        self.refill(now);
        self.per_second = plan.per_second;
        if let RateStyle::Token { burst } = plan.style {
            self.tokens = (self.tokens + burst - self.burst).clamp(0.0, burst);
            self.burst = burst;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    /// Two tokens, and one more every 100 ms.
    #[test]
    fn refills_by_the_clock() {
        let mut bucket = TokenBucket::new(10.0, 2.0, at(0));
        assert_eq!((bucket.take(1.0, at(0)), bucket.take(1.0, at(0))), (Ok(()), Ok(())));
        assert_eq!(bucket.take(1.0, at(0)), Err(at(100)));
        assert_eq!(bucket.take(1.0, at(40)), Err(at(100)));
        assert_eq!(bucket.take(1.0, at(100)), Ok(()));
        // 250 ms later there are two again, not two and a half.
        assert_eq!(bucket.take(2.0, at(350)), Ok(()));
        assert_eq!(bucket.take(1.0, at(350)), Err(at(450)));
        assert!(bucket.is_fresh(at(550)) && !bucket.is_fresh(at(549)));
    }

    #[test]
    fn never_has_more_than_it_can_hold() {
        let mut bucket = TokenBucket::new(10.0, 2.0, at(0));
        assert_eq!(bucket.take(3.0, at(0)), Err(SimTime::MAX));
    }

    #[test]
    fn a_change_keeps_what_was_taken() {
        let mut bucket = TokenBucket::new(10.0, 5.0, at(0));
        assert_eq!(bucket.take(4.0, at(0)), Ok(()));
        let wider =
            RatePlan { per_second: 100.0, style: RateStyle::Token { burst: 8.0 }, ..RatePlan::named("r") };
        bucket.change(&wider, at(0));
        assert_eq!(bucket.take(5.0, at(0)), Err(at(10))); // 4 of 8 are there, the fifth comes in 10 ms.
    }
}

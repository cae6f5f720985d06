//! Rate limiters: how much of something may happen in a time.
//!
//! They are state machines that know nothing of the simulation. Whoever is first in line asks; the answer is that
//! the units have been taken, or when to ask again.

mod fixed_window;
mod leaky_bucket;
mod sliding_window;
mod token_bucket;

use sim_core::{SimTime, Span};

use crate::blueprint::{RatePlan, RateStyle};
pub use fixed_window::FixedWindow;
pub use leaky_bucket::LeakyBucket;
pub use sliding_window::SlidingWindow;
pub use token_bucket::TokenBucket;

/// Parts of a unit that sums of fractions may be off by.
const SLACK: f64 = 1e-9;

/// Says when units may be taken.
pub trait Limit {
    /// Takes `units` for the first in line.
    ///
    /// # Errors
    ///
    /// When the units will be there, if nobody else takes any; [`SimTime::MAX`] for never.
    fn take(&mut self, units: f64, now: SimTime) -> Result<(), SimTime>;

    /// Whoever was first in line has left without taking anything, or nobody is in line any more.
    fn rest(&mut self) {}

    /// Share of the limit that is free.
    fn free(&self, now: SimTime) -> f64;

    /// Whether nothing tells it from a new one.
    fn is_fresh(&self, now: SimTime) -> bool;

    /// Other settings hold from now on; what has been taken stays taken.
    fn change(&mut self, plan: &RatePlan, now: SimTime);
}

/// A limiter of any style.
#[derive(Clone, Debug)]
pub enum Limiter {
    /// See [`TokenBucket`].
    Token(TokenBucket),
    /// See [`LeakyBucket`].
    Leaky(LeakyBucket),
    /// See [`FixedWindow`].
    Fixed(FixedWindow),
    /// See [`SlidingWindow`].
    Sliding(SlidingWindow),
}

impl Limiter {
    /// A limiter of which nothing has been taken.
    pub fn new(plan: &RatePlan, now: SimTime) -> Self {
        match plan.style {
            RateStyle::Token { burst } => Self::Token(TokenBucket::new(plan.per_second, burst, now)),
            RateStyle::Leaky => Self::Leaky(LeakyBucket::new(plan.per_second)),
            RateStyle::FixedWindow { window, limit } => Self::Fixed(FixedWindow::new(limit, window)),
            RateStyle::SlidingWindow { window, limit } => Self::Sliding(SlidingWindow::new(limit, window)),
        }
    }
}

macro_rules! each_limiter {
    ($self:ident, $limiter:ident => $body:expr) => {
        match $self {
            Self::Token($limiter) => $body,
            Self::Leaky($limiter) => $body,
            Self::Fixed($limiter) => $body,
            Self::Sliding($limiter) => $body,
        }
    };
}

impl Limit for Limiter {
    fn take(&mut self, units: f64, now: SimTime) -> Result<(), SimTime> {
        each_limiter!(self, limiter => limiter.take(units, now))
    }

    fn rest(&mut self) {
        each_limiter!(self, limiter => limiter.rest());
    }

    fn free(&self, now: SimTime) -> f64 {
        each_limiter!(self, limiter => limiter.free(now))
    }

    fn is_fresh(&self, now: SimTime) -> bool {
        each_limiter!(self, limiter => limiter.is_fresh(now))
    }

    fn change(&mut self, plan: &RatePlan, now: SimTime) {
        let same_style = matches!(
            (&*self, plan.style),
            (Self::Token(_), RateStyle::Token { .. })
                | (Self::Leaky(_), RateStyle::Leaky)
                | (Self::Fixed(_), RateStyle::FixedWindow { .. })
                | (Self::Sliding(_), RateStyle::SlidingWindow { .. })
        );
        if same_style {
            each_limiter!(self, limiter => limiter.change(plan, now));
        } else {
            *self = Self::new(plan, now); // The new one knows nothing of what the old one has counted.
        }
    }
}

/// The first instant at which `units` have accrued that come at `per_second` from `since` on.
fn accrued(since: SimTime, units: f64, per_second: f64) -> SimTime {
    let nanos = (units / per_second * 1e9).ceil();
    if nanos >= 1e19 || nanos.is_nan() {
        return SimTime::MAX;
    }
    since.saturating_add(Span::from_nanos(nanos as u64))
}

#[cfg(test)]
mod laws {
    //! What no limiter may ever allow, on random demand. Whoever is refused asks again when he was told to.

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// When so many units were taken, of demands (gap in ms, units) that queue in line.
    fn served(limiter: &mut Limiter, demands: &[(u64, u32)]) -> Vec<(SimTime, f64)> {
        let mut taken: Vec<(SimTime, f64)> = Vec::new();
        let mut arrival = SimTime::ZERO;
        for &(gap, units) in demands {
            arrival = arrival + Span::from_nanos(gap * 1_000_000 + 17);
            let free = taken.last().map_or(SimTime::ZERO, |(last, _)| *last);
            if arrival > free {
                limiter.rest(); // Nobody is in line.
            }
            let mut now = arrival.max(free);
            let mut asked = 0;
            while let Err(due) = limiter.take(f64::from(units), now) {
                assert!(due > now && due < SimTime::MAX, "told at {now:?} to come at {due:?}");
                now = due;
                asked += 1;
                assert!(asked < 5, "told to come again and again");
            }
            taken.push((now, f64::from(units)));
        }
        taken
    }

    fn plan(per_second: f64, style: RateStyle) -> RatePlan {
        RatePlan { per_second, style, ..RatePlan::named("r") }
    }

    /// Fails if more than `most(length of the span in seconds)` was taken in any closed span between two takes.
    fn never_more(taken: &[(SimTime, f64)], most: impl Fn(f64) -> f64) {
        for (i, (from, _)) in taken.iter().enumerate() {
            let mut sum = 0.0;
            for (to, units) in &taken[i..] {
                sum += units;
                let span = to.since(*from).as_seconds();
                assert!(sum <= most(span) + 1e-6, "{sum} in {span} s");
            }
        }
    }

    fn demands() -> impl Strategy<Value = Vec<(u64, u32)>> {
        vec((prop_oneof![Just(0_u64), 0..50_u64, 0..3_000_u64], 1..=3_u32), 1..120)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn a_token_bucket_lets_through_no_more_than_its_burst_and_the_rate(
            demands in demands(), rate in 1.0..200.0_f64, burst in 3.0..30.0_f64,
        ) {
            let mut bucket = Limiter::new(&plan(rate, RateStyle::Token { burst }), SimTime::ZERO);
            let taken = served(&mut bucket, &demands);
            prop_assert_eq!(taken.len(), demands.len());
            never_more(&taken, |span| burst + rate * span);
        }

        #[test]
        fn a_leaky_bucket_keeps_its_distance(demands in demands(), rate in 1.0..200.0_f64) {
            let mut bucket = Limiter::new(&plan(rate, RateStyle::Leaky), SimTime::ZERO);
            let taken = served(&mut bucket, &demands);
            prop_assert_eq!(taken.len(), demands.len());
            for pair in taken.windows(2) {
                let gap = pair[1].0.since(pair[0].0).as_seconds();
                prop_assert!(gap >= pair[1].1 / rate - 1e-12, "{gap}");
            }
        }

        #[test]
        fn a_fixed_window_never_exceeds_its_limit(demands in demands(), limit in 3.0..40.0_f64) {
            let window = Span::from_nanos(1_000_000_000);
            let style = RateStyle::FixedWindow { window, limit };
            let taken = served(&mut Limiter::new(&plan(limit, style), SimTime::ZERO), &demands);
            prop_assert_eq!(taken.len(), demands.len());
            for second in 0..=taken.last().unwrap().0.as_nanos() / 1_000_000_000 {
                let inside = taken.iter().filter(|(at, _)| at.as_nanos() / 1_000_000_000 == second);
                prop_assert!(inside.map(|(_, units)| units).sum::<f64>() <= limit + 1e-6);
            }
        }

        #[test]
        fn a_sliding_window_never_exceeds_its_limit_anywhere(demands in demands(), limit in 3.0..40.0_f64) {
            let window = Span::from_nanos(1_000_000_000);
            let style = RateStyle::SlidingWindow { window, limit };
            let taken = served(&mut Limiter::new(&plan(limit, style), SimTime::ZERO), &demands);
            prop_assert_eq!(taken.len(), demands.len());
            never_more(&taken, |span| if span < 1.0 { limit } else { f64::INFINITY });
        }
    }
}

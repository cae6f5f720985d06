//! Additive increase, multiplicative decrease.

use super::Sample;
use crate::blueprint::{AimdPlan, Bounds};

/// One slot more whenever a hold ends well while at least half of them are in use, a tenth fewer whenever one ends
/// badly or took longer than a timeout.
///
/// It sees overload only when something times out: set `timeout` to the latency that is too long.
///
/// Source: Netflix, concurrency-limits, `AIMDLimit`; Chiu and Jain, *Analysis of the Increase and Decrease Algorithms
/// for Congestion Avoidance in Computer Networks*, Computer Networks and ISDN Systems 17, 1989.
#[derive(Clone, Debug)]
pub struct Aimd {
    plan: AimdPlan,
    bounds: Bounds,
    limit: u32,
}

impl Aimd {
    /// A limit that begins at `slots`.
    pub fn new(plan: AimdPlan, bounds: Bounds, slots: u32) -> Self {
        Self { plan, bounds, limit: slots }
    }

    /// How many slots there are after what was seen.
    pub fn learn(&mut self, sample: Option<Sample>) -> u32 {
        let Some(Sample { time, in_use, dropped, .. }) = sample else { return self.limit };
        if dropped || time > self.plan.timeout {
            self.limit = (f64::from(self.limit) * self.plan.backoff) as u32;
        } else if u64::from(in_use) * 2 >= u64::from(self.limit) {
            self.limit += 1;
        }
        self.limit = self.limit.clamp(self.bounds.min, self.bounds.max);
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Span;

    use super::super::testing::{dropped, held};
    use super::*;

    fn aimd(slots: u32) -> Aimd {
        let plan = AimdPlan { backoff: 0.9, timeout: Span::from_nanos(5_000_000_000) };
        Aimd::new(plan, Bounds { min: 20, max: 200 }, slots)
    }

    #[test]
    fn it_grows_by_one_while_it_is_used() {
        let mut limit = aimd(20);
        let seen: Vec<u32> = [10, 10, 10, 11, 30].map(|in_use| limit.learn(held(5, in_use))).to_vec();
        // Half of 20, less than half of 21 twice, half of 21 and a little, and more.
        assert_eq!(seen, [21, 21, 21, 22, 23]);
    }

    #[test]
    fn it_shrinks_by_a_tenth_of_what_it_is() {
        let mut limit = aimd(100);
        assert_eq!(limit.learn(dropped(5, 100)), 90);
        assert_eq!(limit.learn(held(5_001, 1)), 81, "longer than the timeout");
        assert_eq!(limit.learn(held(5_000, 1)), 81);
        for _ in 0..30 {
            limit.learn(dropped(5, 100));
        }
        assert_eq!(limit.learn(None), 20);
    }

    #[test]
    fn it_stays_below_the_most() {
        let mut limit = aimd(199);
        assert_eq!([limit.learn(held(5, 200)), limit.learn(held(5, 200))], [200, 200]);
    }
}

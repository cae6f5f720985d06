//! TCP Vegas: the queue is what the delay beyond the shortest one says.

use sim_core::{Draws, Span, mix};

use super::Sample;
use crate::blueprint::{Bounds, VegasPlan};

/// Estimates how many of those in service merely queue there, from how much longer than the shortest time a hold took:
/// `limit * (1 - shortest / time)`. It grows while that are few and shrinks when they are many, in steps of the
/// logarithm of the limit. The shortest time is measured anew every now and then.
///
/// It takes whatever varies for a queue: made for times that are nearly constant when nothing queues.
///
/// Source: Netflix, concurrency-limits, `VegasLimit`; Brakmo and Peterson, *TCP Vegas: End to End Congestion Avoidance
/// on a Global Internet*, IEEE JSAC 13(8), 1995.
#[derive(Clone, Debug)]
pub struct Vegas {
    plan: VegasPlan,
    bounds: Bounds,
    limit: f64,
    shortest: Option<Span>,
    /// Holds since the shortest time was last measured anew.
    seen: u32,
    /// How early it is measured again, a half to the whole of what is planned.
    jitter: f64,
    stream: u64,
    drawn: u64,
}

impl Vegas {
    /// A limit that begins at `slots`; its draws are named by `stream`.
    pub fn new(plan: VegasPlan, bounds: Bounds, slots: u32, stream: u64) -> Self {
        let limit = f64::from(slots);
        let mut vegas = Self { plan, bounds, limit, shortest: None, seen: 0, jitter: 0.0, stream, drawn: 0 };
        vegas.draw_jitter();
        vegas
    }

    fn draw_jitter(&mut self) {
        self.drawn += 1;
        self.jitter = 0.5 + 0.5 * Draws::keyed(mix(self.stream.wrapping_add(self.drawn))).unit();
    }

    /// How many slots there are after what was seen.
    pub fn learn(&mut self, sample: Option<Sample>) -> u32 {
        if let Some(sample) = sample {
            self.seen += 1;
            let is_due = self.jitter * f64::from(self.plan.probe) * self.limit <= f64::from(self.seen);
            if is_due {
                self.draw_jitter();
                self.seen = 0;
            }
            match self.shortest {
                Some(shortest) if !is_due && sample.time >= shortest => self.adjust(&sample, shortest),
                _ => self.shortest = Some(sample.time),
            }
        }
        self.limit as u32
    }

    fn adjust(&mut self, sample: &Sample, shortest: Span) {
        let limit = self.limit;
        let step = logarithm(limit);
        let queued = (limit * (1.0 - shortest.as_seconds() / sample.time.as_seconds())).ceil();
        let (few, many) = (f64::from(self.plan.alpha) * step, f64::from(self.plan.beta) * step);
        let wanted = if sample.dropped {
            limit - step
        } else if f64::from(sample.in_use) * 2.0 < limit {
            return; // It is not the limit that keeps others out.
        } else if queued <= step {
            limit + many
        } else if queued < few {
            limit + step
        } else if queued > many {
            limit - step
        } else {
            return;
        };
        let wanted = wanted.clamp(f64::from(self.bounds.min), f64::from(self.bounds.max));
        self.limit = (1.0 - self.plan.smoothing) * limit + self.plan.smoothing * wanted;
    }
}

/// The decimal logarithm, whole and at least 1.
fn logarithm(limit: f64) -> f64 {
    limit.floor().max(1.0).log10().floor().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dropped, held};
    use super::*;

    fn vegas(slots: u32) -> Vegas {
        let plan = VegasPlan { alpha: 3, beta: 6, smoothing: 1.0, probe: 30 };
        Vegas::new(plan, Bounds { min: 1, max: 1_000 }, slots, 1)
    }

    #[test]
    fn it_grows_while_few_queue_and_shrinks_when_many_do() {
        let mut limit = vegas(20);
        assert_eq!(limit.learn(held(10, 20)), 20, "the shortest time");
        assert_eq!(limit.learn(held(10, 20)), 26, "nobody queues: by beta");
        assert_eq!(limit.learn(held(11, 26)), 26, "26 * (1 - 10/11) = 2.4, that is 3: not below alpha");
        assert_eq!(limit.learn(held(12, 26)), 26, "4.3: neither few nor many");
        assert_eq!(limit.learn(held(20, 26)), 25, "13 of 26 queue");
        assert_eq!(limit.learn(dropped(10, 25)), 24);
        assert_eq!(limit.learn(held(10, 11)), 24, "less than half is used");
        assert_eq!(limit.learn(held(9, 24)), 24, "a shorter time");
    }

    #[test]
    fn steps_grow_with_the_logarithm() {
        let mut limit = vegas(100);
        limit.learn(held(10, 100));
        assert_eq!(limit.learn(held(10, 100)), 112);
        assert_eq!(limit.learn(held(20, 112)), 110);
        assert_eq!([9.0, 10.0, 99.9, 100.0, 1_000.0].map(|x| logarithm(x) as u32), [1, 1, 1, 2, 3]);
    }

    #[test]
    fn the_shortest_time_is_measured_anew() {
        let mut limit = vegas(20);
        limit.learn(held(10, 1));
        let after = |others: u32| {
            let mut limit = limit.clone();
            (0..others).for_each(|_| assert_eq!(limit.learn(held(20, 1)), 20));
            limit.learn(held(20, 20))
        };
        // It is due after 300 to 600 holds; until then 10 of 20 queue, and from then on nobody does.
        assert_eq!([after(298), after(600)], [19, 26]);
    }
}

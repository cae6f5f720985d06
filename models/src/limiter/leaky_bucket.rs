//! A shaper: whoever is in it leaves in turn, at a constant pace.

use sim_core::SimTime;

use super::{Limit, accrued};
use crate::blueprint::RatePlan;

/// Lets one out every `1 / rate`, however many come.
///
/// An idle shaper begins at once with whoever comes, who leaves `1 / rate` later (`units / rate` for several
/// units). So two departures are never closer than that.
///
/// Source: Turner, *New Directions in Communications*, IEEE Communications Magazine 24(10), 1986: the bucket as a
/// queue.
#[derive(Clone, Debug)]
pub struct LeakyBucket {
    per_second: f64,
    /// Since when it works on the first in line, and the units that were done by then; none while it is idle.
    began: Option<(SimTime, f64)>,
}

impl LeakyBucket {
    /// An empty one.
    pub fn new(per_second: f64) -> Self {
        Self { per_second, began: None }
    }
}

impl Limit for LeakyBucket {
    fn take(&mut self, units: f64, now: SimTime) -> Result<(), SimTime> {
        let (since, done) = *self.began.get_or_insert((now, 0.0));
        let due = accrued(since, (units - done).max(0.0), self.per_second);
        if due > now {
            return Err(due);
        }
        self.began = Some((now, 0.0)); // Now for the next one.
        Ok(())
    }

    fn rest(&mut self) {
        self.began = None;
    }

    fn free(&self, _now: SimTime) -> f64 {
        if self.began.is_none() { 1.0 } else { 0.0 }
    }

    fn is_fresh(&self, _now: SimTime) -> bool {
        self.began.is_none()
    }

    fn change(&mut self, plan: &RatePlan, now: SimTime) {
        if let Some((since, done)) = &mut self.began {
            *done += now.since(*since).as_seconds() * self.per_second;
            *since = now;
        }
        self.per_second = plan.per_second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::RateStyle;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    /// One every 100 ms.
    #[test]
    fn lets_out_one_at_a_time() {
        let mut bucket = LeakyBucket::new(10.0);
        // The first one finds it idle, and leaves 100 ms later; the second one follows at once.
        assert_eq!(bucket.take(1.0, at(30)), Err(at(130)));
        assert_eq!(bucket.take(1.0, at(130)), Ok(()));
        assert_eq!(bucket.take(1.0, at(130)), Err(at(230)));
        assert_eq!(bucket.take(1.0, at(230)), Ok(()));
        // Then nobody is there, and what comes later begins anew.
        bucket.rest();
        assert!(bucket.is_fresh(at(230)));
        assert_eq!(bucket.take(2.0, at(1_000)), Err(at(1_200)));
        // Whoever is behind one that leaves begins then.
        bucket.rest();
        assert_eq!(bucket.take(1.0, at(1_050)), Err(at(1_150)));
    }

    #[test]
    fn keeps_what_was_done_when_the_pace_changes() {
        let mut bucket = LeakyBucket::new(10.0);
        assert_eq!(bucket.take(1.0, at(100)), Err(at(200)));
        // Half of it is done; the rest takes ten times as long.
        let slower = RatePlan { per_second: 1.0, style: RateStyle::Leaky, ..RatePlan::named("r") };
        bucket.change(&slower, at(150));
        assert_eq!(bucket.take(1.0, at(150)), Err(at(650)));
    }
}

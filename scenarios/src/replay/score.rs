//! How what was there compares with what was needed.

use sim_core::Span;

use crate::results::{ReplayCounts, ReplayCourse};

use super::time::Millis;

const HOUR: f64 = 3600.0;

/// Replicas over time, and sums over it.
#[derive(Clone, Debug)]
pub(super) struct Score {
    begin: Millis,
    set: i32,
    ready: i32,
    needed: Option<i32>,
    /// Seconds, and those in which it is known what is needed.
    time: f64,
    known: f64,
    under: f64,
    over: f64,
    missing: f64,
    surplus: f64,
    worst: i32,
    pub(super) set_counts: Sums,
    pub(super) needed_counts: Sums,
    /// The replicas set, ready and needed, wherever they change.
    pub(super) course: ReplayCourse,
}

/// Fewest, most and the integral of a count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    min: i32,
    max: i32,
    seconds: f64,
    integral: f64,
}

impl Default for Sums {
    fn default() -> Self {
        Self { min: i32::MAX, max: i32::MIN, seconds: 0.0, integral: 0.0 }
    }
}

impl Sums {
    fn pass(&mut self, count: i32, seconds: f64) {
        self.min = self.min.min(count);
        self.max = self.max.max(count);
        self.seconds += seconds;
        self.integral += f64::from(count) * seconds;
    }

    /// The counts; nothing while no time has passed.
    pub(super) fn counts(&self) -> Option<ReplayCounts> {
        let mean = self.integral / self.seconds;
        (self.seconds > 0.0).then_some(ReplayCounts { min: self.min, mean, max: self.max })
    }

    /// Replica-hours.
    pub(super) fn hours(&self) -> f64 {
        self.integral / HOUR
    }
}

impl Score {
    pub(super) fn new(begin: Millis) -> Self {
        Self {
            begin,
            set: 0,
            ready: 0,
            needed: None,
            time: 0.0,
            known: 0.0,
            under: 0.0,
            over: 0.0,
            missing: 0.0,
            surplus: 0.0,
            worst: 0,
            set_counts: Sums::default(),
            needed_counts: Sums::default(),
            course: ReplayCourse::default(),
        }
    }

    /// How things stand from now on.
    pub(super) fn note(&mut self, now: Millis, set: i32, ready: i32, needed: Option<i32>) {
        (self.set, self.ready, self.needed) = (set, ready, needed);
        let at = (now - self.begin).max(0) as f64 / 1000.0;
        step(&mut self.course.set, at, Some(set));
        step(&mut self.course.ready, at, Some(ready));
        step(&mut self.course.needed, at, needed);
    }

    /// What the controller was told at a second, as it is held against the target.
    pub(super) fn told(&mut self, at: f64, value: Option<f64>) {
        step(&mut self.course.metric, at, value);
    }

    /// Lets time pass as things stand.
    pub(super) fn pass(&mut self, time: Span) {
        let seconds = time.as_seconds();
        self.time += seconds;
        self.set_counts.pass(self.set, seconds);
        let Some(needed) = self.needed else {
            return;
        };
        self.known += seconds;
        self.needed_counts.pass(needed, seconds);
        let gap = needed.saturating_sub(self.ready);
        if gap > 0 {
            self.under += seconds;
            self.missing += f64::from(gap) * seconds;
            self.worst = self.worst.max(gap);
        } else if gap < 0 {
            self.over += seconds;
            self.surplus -= f64::from(gap) * seconds;
        }
    }

    /// A part of the time in which it is known what is needed.
    fn share(&self, seconds: f64) -> Option<f64> {
        (self.known > 0.0).then(|| seconds / self.known)
    }

    pub(super) fn under(&self) -> Option<f64> {
        self.share(self.under)
    }

    pub(super) fn over(&self) -> Option<f64> {
        self.share(self.over)
    }

    pub(super) fn unknown(&self) -> f64 {
        if self.time > 0.0 { 1.0 - self.known / self.time } else { 0.0 }
    }

    pub(super) fn worst(&self) -> Option<i32> {
        self.share(0.0).map(|_| self.worst)
    }

    pub(super) fn missing_hours(&self) -> Option<f64> {
        self.share(0.0).map(|_| self.missing / HOUR)
    }

    pub(super) fn surplus_hours(&self) -> Option<f64> {
        self.share(0.0).map(|_| self.surplus / HOUR)
    }

    pub(super) fn seconds(&self) -> f64 {
        self.time
    }
}

/// Adds a step where the value changes; of several at one time the last counts.
fn step<T: PartialEq>(steps: &mut Vec<(f64, Option<T>)>, at: f64, value: Option<T>) {
    if steps.last().is_some_and(|(last, _)| *last >= at) {
        steps.pop();
    }
    if steps.last().is_none_or(|(_, last)| *last != value) {
        steps.push((at, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 of 4 for an hour, 4 of 4 for two, 4 of 3 for one, and one in which nobody knows.
    #[test]
    fn what_is_missing_and_what_is_too_much_is_summed() {
        let mut score = Score::new(0);
        let hour = Span::from_nanos(3_600_000_000_000);
        for (at, ready, needed, hours) in
            [(0, 2, Some(4), 1), (1, 4, Some(4), 2), (3, 4, Some(3), 1), (4, 4, None, 1)]
        {
            score.note(at * 3_600_000, 4, ready, needed);
            for _ in 0..hours {
                score.pass(hour);
            }
        }
        assert_eq!((score.under(), score.over(), score.worst()), (Some(0.25), Some(0.25), Some(2)));
        assert_eq!((score.missing_hours(), score.surplus_hours()), (Some(2.0), Some(1.0)));
        assert!((score.unknown() - 0.2).abs() < 1e-12);
        assert!((score.set_counts.hours() - 20.0).abs() < 1e-12);
        assert_eq!(score.course.ready, [(0.0, Some(2)), (3_600.0, Some(4))]);
        assert_eq!(score.needed_counts.counts(), Some(ReplayCounts { min: 3, mean: 3.75, max: 4 }));
    }
}

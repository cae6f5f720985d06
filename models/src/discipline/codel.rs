//! Controlled delay: a line that turns requests away when everybody has waited too long for a while.

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

use super::{Joining, Line, Moment};
use crate::blueprint::CodelPlan;

/// After this many intervals without a drop, the pace of dropping is forgotten.
///
/// Source: RFC 8289, section 5.5.
const MEMORY: u64 = 16;

/// First come, first served; but once nobody has waited for less than `target` during an `interval`, requests are
/// turned away when their turn comes, one an interval at first, then faster with the square root of how many it were,
/// until somebody waits for less than `target` again.
///
/// A queue that absorbs a burst and empties is left alone; one that merely stands there is not.
///
/// Source: Nichols, Jacobson and others, *Controlled Delay Active Queue Management*, RFC 8289, 2018. What
/// counts as an empty queue is one request there as here: the one that may wait behind.
#[derive(Clone, Debug)]
pub struct Codel<T> {
    line: VecDeque<(T, SimTime)>,
    plan: CodelPlan,
    /// When waits will have been too long for an interval; none while they are not.
    first_above: Option<SimTime>,
    /// Whether requests are being turned away.
    dropping: bool,
    /// When the next one is.
    drop_next: SimTime,
    /// How many have been since that began, and had been the last time.
    count: u32,
    last_count: u32,
    /// Whether the time of the next one is still to be found.
    just_dropped: bool,
    /// Whether the one whose turn it is is turned away.
    refuses: bool,
}

impl<T> Codel<T> {
    /// An empty line.
    pub fn new(plan: CodelPlan) -> Self {
        Self {
            line: VecDeque::new(),
            plan,
            first_above: None,
            dropping: false,
            drop_next: SimTime::ZERO,
            count: 0,
            last_count: 0,
            just_dropped: false,
            refuses: false,
        }
    }

    /// When the next one is turned away if one was at `from`.
    fn control_law(&self, from: SimTime) -> SimTime {
        let pause = self.plan.interval.as_nanos() as f64 / f64::from(self.count.max(1)).sqrt();
        from.saturating_add(Span::from_nanos(pause as u64))
    }

    /// Whether waits have been too long for an interval, the one of whoever has waited since `since` included.
    fn is_above(&mut self, since: SimTime, moment: Moment) -> bool {
        let Moment { now, waiting } = moment;
        if now.since(since) < self.plan.target || waiting <= 2 {
            self.first_above = None;
            return false;
        }
        let from = *self.first_above.get_or_insert_with(|| now.saturating_add(self.plan.interval));
        now >= from
    }

    /// Whether whoever has waited since `since`, and whose turn it is, is turned away.
    fn turns_away(&mut self, since: SimTime, moment: Moment) -> bool {
        let is_above = self.is_above(since, moment);
        let now = moment.now;
        if self.dropping {
            if !is_above {
                self.dropping = false;
                self.just_dropped = false;
                return false;
            }
            if std::mem::take(&mut self.just_dropped) {
                self.drop_next = self.control_law(self.drop_next);
            }
            if now < self.drop_next {
                return false;
            }
            self.count += 1;
            self.just_dropped = true;
            return true;
        }
        if !is_above {
            return false;
        }
        self.dropping = true;
        // If it is not long since it last had to, it goes on at the pace that was right then.
        let memory = Span::from_nanos(self.plan.interval.as_nanos().saturating_mul(MEMORY));
        let recent = now < self.drop_next.saturating_add(memory);
        let lately = self.count - self.last_count;
        self.count = if lately > 1 && recent { lately } else { 1 };
        self.drop_next = self.control_law(now);
        self.last_count = self.count;
        true
    }
}

impl<T: Copy> Line<T> for Codel<T> {
    fn join(&mut self, entry: T, who: Joining) {
        if who.ahead == 0 {
            // Nobody waited: what is known of a standing queue is over.
            self.first_above = None;
        }
        self.line.push_back((entry, who.now));
    }

    fn first(&mut self, moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        while let Some(&(entry, since)) = self.line.front() {
            if is_live(entry) {
                self.refuses = self.turns_away(since, moment);
                return Some(entry);
            }
            self.line.pop_front();
        }
        None
    }

    fn refuses(&self) -> bool {
        self.refuses
    }

    fn remove_first(&mut self) {
        self.line.pop_front();
    }

    fn entries(&self) -> usize {
        self.line.len()
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        self.line.retain(|&(entry, _)| is_live(entry));
    }

    fn drain(&mut self) -> Vec<T> {
        self.line.drain(..).map(|(entry, _)| entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{free, joins};
    use super::*;

    const PLAN: CodelPlan =
        CodelPlan { target: Span::from_nanos(5_000_000), interval: Span::from_nanos(100_000_000) };

    /// Turns come every 10 ms, and everybody has waited for 50 ms. Which of the turns are not served?
    fn dropped(line: &mut Codel<u64>, from_ms: u64, to_ms: u64) -> Vec<u64> {
        let mut dropped = Vec::new();
        for now in (from_ms..to_ms).step_by(10) {
            line.join(now, joins(9, now - 50));
            while line.first(free(9, now), |_| true).is_some() {
                let refuses = line.refuses();
                line.remove_first();
                if !refuses {
                    break;
                }
                dropped.push(now);
                line.join(now, joins(9, now - 50));
            }
        }
        dropped
    }

    #[test]
    fn a_queue_that_stands_for_an_interval_is_thinned_ever_faster() {
        // Above the target since 100 ms; first at 200 ms, then after 100, 100 / sqrt(2), 100 / sqrt(3) and 50 ms: due
        // at 300, 370.7, 428.4 and 478.4 ms, that is at the next turns.
        let mut line = Codel::new(PLAN);
        assert_eq!(dropped(&mut line, 100, 480), [200, 300, 380, 430]);
    }

    #[test]
    fn it_goes_on_at_the_pace_it_had_if_that_is_not_long_ago() {
        let mut line = Codel::new(PLAN);
        assert_eq!(dropped(&mut line, 100, 480).len(), 4);
        // One wait below the target ends it.
        line.join(0, joins(9, 480));
        assert_eq!(line.first(free(9, 481), |_| true), Some(0));
        assert!(!line.refuses());
        line.remove_first();
        // Four were dropped, one of which counted from the beginning: it goes on as if behind the third. Above the
        // target again from 500 ms: at 600, and 100 / sqrt(3) later.
        assert_eq!(dropped(&mut line, 500, 670), [600, 660]);
    }

    #[test]
    fn short_waits_and_a_line_of_one_are_left_alone() {
        let mut line = Codel::new(PLAN);
        for now in (100..2_000).step_by(10) {
            line.join(now, joins(9, now - 4));
            line.first(free(9, now), |_| true);
            assert!(!line.refuses(), "{now} ms: 4 ms is below the target");
            line.remove_first();
            line.join(now, joins(1, now - 50));
            line.first(free(2, now), |_| true);
            assert!(!line.refuses(), "{now} ms: only one is left behind");
            line.remove_first();
        }
    }

    #[test]
    fn a_line_that_was_empty_begins_anew() {
        let mut line = Codel::new(PLAN);
        assert_eq!(dropped(&mut line, 100, 180), Vec::<u64>::new());
        // Everybody has given up; a second later there is a new line, which has not stood for an interval.
        line.join(1, joins(0, 1_000));
        assert_eq!(line.first(free(9, 1_050), |_| true), Some(1));
        assert!(!line.refuses());
    }
}

//! First in, first out while little waits; last in, first out once there is a backlog.

use std::collections::VecDeque;

use sim_core::SimTime;

use super::{Joining, Line, Moment};
use crate::blueprint::CodelPlan;

/// In order of arrival while no more than `above` wait, the newest first beyond.
///
/// Behind a backlog the oldest are those whose callers are about to give up, or have: to serve them first is to be late
/// for everybody. With `codel`, whoever joins may wait for `interval`, and only for `target` while the line has
/// not been empty for an `interval`; beyond, it is turned away when a turn comes.
///
/// Source: Maurer, *Fail at Scale*, ACM Queue 13(8), 2015; HHVM, `hhvm.server.thread_job_lifo_switch_threshold`.
#[derive(Clone, Debug)]
pub struct AdaptiveLifo<T> {
    /// Who waits, and until when it may.
    line: VecDeque<(T, SimTime)>,
    above: u32,
    codel: Option<CodelPlan>,
    /// When nobody waited, the last time.
    last_empty: SimTime,
    /// Whether the one whose turn it is joined last.
    newest: bool,
    /// Whether it is turned away.
    refuses: bool,
}

impl<T> AdaptiveLifo<T> {
    /// An empty line.
    pub fn new(above: u32, codel: Option<CodelPlan>) -> Self {
        let (line, last_empty) = (VecDeque::new(), SimTime::ZERO);
        Self { line, above, codel, last_empty, newest: false, refuses: false }
    }
}

impl<T: Copy> Line<T> for AdaptiveLifo<T> {
    fn join(&mut self, entry: T, who: Joining) {
        if who.ahead == 0 {
            self.last_empty = who.now;
        }
        let until = self.codel.map_or(SimTime::MAX, |plan| {
            let stands = self.last_empty.saturating_add(plan.interval) < who.now;
            who.now.saturating_add(if stands { plan.target } else { plan.interval })
        });
        self.line.push_back((entry, until));
    }

    fn first(&mut self, moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        while self.line.front().is_some_and(|&(entry, _)| !is_live(entry)) {
            self.line.pop_front();
        }
        while self.line.back().is_some_and(|&(entry, _)| !is_live(entry)) {
            self.line.pop_back();
        }
        let &(oldest, until) = self.line.front()?;
        let &(newest, newest_until) = self.line.back()?;
        // Those who have waited too long are told so first.
        self.refuses = until < moment.now;
        self.newest = !self.refuses && moment.waiting > self.above;
        if self.newest {
            self.refuses = newest_until < moment.now;
            return Some(newest);
        }
        Some(oldest)
    }

    fn refuses(&self) -> bool {
        self.refuses
    }

    fn remove_first(&mut self) {
        if self.newest {
            self.line.pop_back();
        } else {
            self.line.pop_front();
        }
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
    use sim_core::Span;

    use super::super::testing::{free, joins, serve_all};
    use super::*;

    #[test]
    fn the_newest_goes_first_while_more_wait_than_allowed() {
        let mut line = AdaptiveLifo::new(2, None);
        for entry in 1..=5 {
            line.join(entry, joins(entry - 1, 0));
        }
        // 5, 4 and 3 wait beyond two; the other two in order.
        assert_eq!(serve_all(&mut line), [5, 4, 3, 1, 2]);
    }

    #[test]
    fn the_gone_are_passed_over_at_both_ends() {
        let mut line = AdaptiveLifo::new(1, None);
        for entry in 1..=4 {
            line.join(entry, joins(entry - 1, 0));
        }
        assert_eq!(line.first(free(2, 0), |entry| entry == 2 || entry == 3), Some(3));
        line.remove_first();
        assert_eq!(line.first(free(1, 0), |entry| entry == 2), Some(2));
    }

    #[test]
    fn a_line_that_has_not_been_empty_for_an_interval_gives_only_the_target() {
        let plan = CodelPlan { target: Span::from_nanos(5_000_000), interval: Span::from_nanos(100_000_000) };
        let mut line = AdaptiveLifo::new(10, Some(plan));
        line.join('a', joins(0, 0)); // Until 100 ms.
        line.join('b', joins(1, 100)); // Until 200 ms.
        line.join('c', joins(2, 101)); // Not empty for 101 ms: until 106 ms.
        assert_eq!(line.first(free(3, 100), |_| true), Some('a'));
        assert!(!line.refuses());
        line.first(free(3, 101), |_| true);
        assert!(line.refuses(), "a has waited for more than 100 ms");
        line.remove_first();
        assert_eq!(line.first(free(2, 106), |_| true), Some('b'));
        assert!(!line.refuses());
        line.remove_first();
        line.first(free(1, 107), |_| true);
        assert!(line.refuses(), "c has waited for more than 5 ms");
    }
}

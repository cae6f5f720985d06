//! A bulkhead: so many calls of one caller at once, and so many that wait.

use std::collections::VecDeque;

use crate::blueprint::LimitPlan;

/// What asking to make a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It may be made.
    Entered,
    /// It has to wait for another one's end.
    Queued,
    /// There are too many, and too many that wait.
    Refused,
}

/// Calls in flight and calls that wait, first come, first served.
///
/// Source: Nygard, *Release It!*, 2007 (bulkheads); Hystrix, `execution.isolation.semaphore`.
#[derive(Clone, Debug)]
pub struct Limit<T> {
    in_flight: u32,
    waiting: u32,
    /// Those who wait, and those who no longer do.
    line: VecDeque<T>,
}

impl<T: Copy> Limit<T> {
    /// Nobody is there.
    pub fn new() -> Self {
        Self { in_flight: 0, waiting: 0, line: VecDeque::new() }
    }

    /// `call` wants to be made.
    pub fn enter(&mut self, plan: &LimitPlan, call: T) -> Entry {
        if self.in_flight < plan.calls && self.waiting == 0 {
            self.in_flight += 1;
            return Entry::Entered;
        }
        if self.waiting >= plan.queue {
            return Entry::Refused;
        }
        self.waiting += 1;
        self.line.push_back(call);
        Entry::Queued
    }

    /// A call in flight has ended.
    pub fn leave(&mut self) {
        self.in_flight -= 1;
    }

    /// The next of those who wait that may be made now. `waits` tells who has not given up.
    pub fn next(&mut self, plan: &LimitPlan, mut waits: impl FnMut(T) -> bool) -> Option<T> {
        while self.in_flight < plan.calls && self.waiting > 0 {
            let call = self.line.pop_front()?;
            if waits(call) {
                self.waiting -= 1;
                self.in_flight += 1;
                return Some(call);
            }
        }
        None
    }

    /// One of those who wait has given up; `waits` tells who has not.
    pub fn give_up(&mut self, waits: impl FnMut(&T) -> bool) {
        self.waiting -= 1;
        if self.line.len() > 2 * self.waiting as usize + 16 {
            self.line.retain(waits);
        }
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }
}

impl<T: Copy> Default for Limit<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_AND_ONE: LimitPlan = LimitPlan { calls: 2, queue: 1, timeout: None };

    #[test]
    fn beyond_the_limit_calls_wait_and_beyond_the_queue_they_are_refused() {
        let mut limit = Limit::new();
        let entries: Vec<Entry> = (0..4).map(|call| limit.enter(&TWO_AND_ONE, call)).collect();
        assert_eq!(entries, [Entry::Entered, Entry::Entered, Entry::Queued, Entry::Refused]);
        assert_eq!(limit.next(&TWO_AND_ONE, |_| true), None, "both places are taken");
        limit.leave();
        assert_eq!(limit.next(&TWO_AND_ONE, |_| true), Some(2));
        assert_eq!(limit.in_flight(), 2);
    }

    #[test]
    fn who_has_given_up_leaves_room_and_is_passed_over() {
        let mut limit = Limit::new();
        for call in 0..3 {
            limit.enter(&TWO_AND_ONE, call);
        }
        limit.give_up(|_| true);
        assert_eq!(limit.enter(&TWO_AND_ONE, 3), Entry::Queued, "the place in the queue is free again");
        limit.leave();
        assert_eq!(limit.next(&TWO_AND_ONE, |call| call != 2), Some(3));
        limit.leave();
        limit.leave();
        assert_eq!(limit.in_flight(), 0);
    }

    #[test]
    fn nobody_overtakes_those_who_wait() {
        let mut limit = Limit::new();
        let queue = LimitPlan { queue: 5, ..TWO_AND_ONE };
        for call in 0..3 {
            limit.enter(&queue, call);
        }
        limit.leave();
        assert_eq!(limit.enter(&queue, 3), Entry::Queued, "2 was there before");
        assert_eq!(limit.next(&queue, |_| true), Some(2));
    }

    #[test]
    fn a_higher_limit_lets_in_those_who_wait() {
        let mut limit = Limit::new();
        let queue = LimitPlan { queue: 5, ..TWO_AND_ONE };
        for call in 0..5 {
            limit.enter(&queue, call);
        }
        let wider = LimitPlan { calls: 4, ..queue };
        let mut let_in = Vec::new();
        while let Some(call) = limit.next(&wider, |_| true) {
            let_in.push(call);
        }
        assert_eq!(let_in, [2, 3]);
    }
}

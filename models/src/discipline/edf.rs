//! Earliest deadline first, without preemption.

use super::ranked::Ranked;
use super::{Joining, Line, Moment};

/// Who has to be served earliest is served next; those without a deadline last.
///
/// It keeps every deadline as long as any order could. Under overload it serves those who are just about to be too
/// late, so that one delay follows the other.
///
/// Source: Liu and Layland, *Scheduling Algorithms for Multiprogramming in a Hard-Real-Time Environment*, JACM 20(1),
/// 1973.
#[derive(Clone, Debug)]
pub struct Edf<T> {
    line: Ranked<T>,
}

impl<T> Default for Edf<T> {
    fn default() -> Self {
        Self { line: Ranked::default() }
    }
}

impl<T: Copy> Line<T> for Edf<T> {
    fn join(&mut self, entry: T, who: Joining) {
        self.line.join(entry, who.deadline.as_nanos());
    }

    fn first(&mut self, _moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        self.line.first(is_live)
    }

    fn remove_first(&mut self) {
        self.line.remove_first();
    }

    fn entries(&self) -> usize {
        self.line.entries()
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        self.line.sweep(is_live);
    }

    fn drain(&mut self) -> Vec<T> {
        self.line.drain()
    }
}

#[cfg(test)]
mod tests {
    use sim_core::SimTime;

    use super::super::testing::{at_ms, joins, serve_all};
    use super::*;

    #[test]
    fn serves_the_most_urgent_first_and_those_without_a_deadline_last() {
        let mut line = Edf::default();
        for (entry, deadline) in
            [SimTime::MAX, at_ms(30), at_ms(10), SimTime::MAX, at_ms(20)].into_iter().enumerate()
        {
            line.join(entry, Joining { deadline, ..joins(0, 0) });
        }
        assert_eq!(serve_all(&mut line), [2, 4, 1, 0, 3]);
    }
}

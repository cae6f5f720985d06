//! Earliest deadline first, without preemption.

use super::Joining;
use super::ranked::{Rank, Ranked};

/// Who has to be served earliest is served next; those without a deadline last.
///
/// It keeps every deadline as long as any order could. Under overload it serves those who are just about to be too
/// late, so that one delay follows the other.
///
/// Source: Liu and Layland, *Scheduling Algorithms for Multiprogramming in a Hard-Real-Time Environment*, JACM 20(1),
/// 1973.
pub type Edf<T> = Ranked<T, ByDeadline>;

/// The deadline is the rank.
#[derive(Clone, Copy, Debug)]
pub struct ByDeadline;

impl Rank for ByDeadline {
    fn of(who: &Joining) -> u64 {
        who.deadline.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use sim_core::SimTime;

    use super::super::Line;
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

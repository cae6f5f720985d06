//! Shortest job first, without preemption.

use super::Joining;
use super::ranked::{Rank, Ranked};

/// Who has the least to do is served next, and stays until it is done.
///
/// Of all orders that know how long everybody takes and interrupt nobody, it has the shortest mean response time.
///
/// Source: Phipps, *Machine Repair as a Priority Waiting-Line Problem*, Operations Research 4(1), 1956; Schrage and
/// Miller, *The Queue M/G/1 with the Shortest Remaining Processing Time Discipline*, Operations Research 14(4), 1966.
pub type Sjf<T> = Ranked<T, BySize>;

/// What there is to do is the rank.
#[derive(Clone, Copy, Debug)]
pub struct BySize;

impl Rank for BySize {
    fn of(who: &Joining) -> u64 {
        who.size.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Span;

    use super::super::Line;
    use super::super::testing::{free, joins, serve_all};
    use super::*;

    fn line_of(sizes: &[u64]) -> Sjf<usize> {
        let mut line = Sjf::default();
        for (entry, &size) in sizes.iter().enumerate() {
            line.join(entry, Joining { size: Span::from_nanos(size), ..joins(0, 0) });
        }
        line
    }

    #[test]
    fn serves_the_shortest_first_and_equals_in_order_of_arrival() {
        assert_eq!(serve_all(&mut line_of(&[5, 1, 3, 1, 4])), [1, 3, 2, 4, 0]);
    }

    #[test]
    fn passes_over_the_gone_and_gives_them_all_up_in_order_of_arrival() {
        let mut line = line_of(&[5, 1, 3]);
        assert_eq!(line.first(free(2, 0), |entry| entry != 1), Some(2));
        assert_eq!((line.entries(), line.drain()), (2, vec![0, 2]));
    }
}

//! Shortest job first, without preemption.

use super::ranked::Ranked;
use super::{Joining, Line, Moment};

/// Who has the least to do is served next, and stays until it is done.
///
/// Of all orders that know how long everybody takes and interrupt nobody, it has the shortest mean response time.
///
/// Source: Phipps, *Machine Repair as a Priority Waiting-Line Problem*, Operations Research 4(1), 1956; Schrage and
/// Miller, *The Queue M/G/1 with the Shortest Remaining Processing Time Discipline*, Operations Research 14(4), 1966.
#[derive(Clone, Debug)]
pub struct Sjf<T> {
    line: Ranked<T>,
}

impl<T> Default for Sjf<T> {
    fn default() -> Self {
        Self { line: Ranked::default() }
    }
}

impl<T: Copy> Line<T> for Sjf<T> {
    fn join(&mut self, entry: T, who: Joining) {
        self.line.join(entry, who.size.as_nanos());
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
    use sim_core::Span;

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

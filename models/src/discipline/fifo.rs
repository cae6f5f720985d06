//! First come, first served.

use std::collections::VecDeque;

use super::{Joining, Line, Moment};

/// First come, first served.
#[derive(Clone, Debug)]
pub struct Fifo<T> {
    line: VecDeque<T>,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self { line: VecDeque::new() }
    }
}

impl<T: Copy> Line<T> for Fifo<T> {
    #[inline]
    fn join(&mut self, entry: T, _who: Joining) {
        self.line.push_back(entry);
    }

    #[inline]
    fn first(&mut self, _moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        while let Some(&entry) = self.line.front() {
            if is_live(entry) {
                return Some(entry);
            }
            self.line.pop_front();
        }
        None
    }

    #[inline]
    fn remove_first(&mut self) {
        self.line.pop_front();
    }

    fn entries(&self) -> usize {
        self.line.len()
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        self.line.retain(|&entry| is_live(entry));
    }

    fn drain(&mut self) -> Vec<T> {
        self.line.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{free, joins};
    use super::*;

    #[test]
    fn serves_in_order_of_arrival_and_skips_the_gone() {
        let mut line = Fifo::default();
        for entry in 1..=4 {
            line.join(entry, joins(0, 0));
        }
        assert_eq!(line.first(free(4, 0), |entry| entry != 1), Some(2));
        line.remove_first();
        assert_eq!(line.first(free(4, 0), |_| true), Some(3));
        line.sweep(|entry| entry == 4);
        assert_eq!((line.entries(), line.first(free(4, 0), |_| true)), (1, Some(4)));
    }
}

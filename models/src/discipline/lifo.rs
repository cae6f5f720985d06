//! Last come, first served, without preemption.

use super::{Joining, Line, Moment};

/// Last come, first served; whoever is in service stays there.
#[derive(Clone, Debug)]
pub struct Lifo<T> {
    line: Vec<T>,
}

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self { line: Vec::new() }
    }
}

impl<T: Copy> Line<T> for Lifo<T> {
    fn join(&mut self, entry: T, _who: Joining) {
        self.line.push(entry);
    }

    fn first(&mut self, _moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        while let Some(&entry) = self.line.last() {
            if is_live(entry) {
                return Some(entry);
            }
            self.line.pop();
        }
        None
    }

    fn remove_first(&mut self) {
        self.line.pop();
    }

    fn entries(&self) -> usize {
        self.line.len()
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        self.line.retain(|&entry| is_live(entry));
    }

    fn drain(&mut self) -> Vec<T> {
        std::mem::take(&mut self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{free, joins};
    use super::*;

    #[test]
    fn serves_the_latest_first() {
        let mut line = Lifo::default();
        for entry in 1..=3 {
            line.join(entry, joins(0, 0));
        }
        assert_eq!(line.first(free(4, 0), |entry| entry != 3), Some(2));
        line.remove_first();
        assert_eq!(line.first(free(4, 0), |_| true), Some(1));
    }
}

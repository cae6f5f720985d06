//! Last come, first served, without preemption.

use super::Line;

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
    fn join(&mut self, entry: T, _class: u16) {
        self.line.push(entry);
    }

    fn first(&mut self, is_live: impl Fn(T) -> bool) -> Option<T> {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_the_latest_first() {
        let mut line = Lifo::default();
        for entry in 1..=3 {
            line.join(entry, 0);
        }
        assert_eq!(line.first(|entry| entry != 3), Some(2));
        line.remove_first();
        assert_eq!(line.first(|_| true), Some(1));
    }
}

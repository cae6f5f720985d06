//! A line kept in the order of a number that everybody brings along.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Those who wait, the lowest rank first, in order of arrival among equals.
#[derive(Clone, Debug)]
pub(super) struct Ranked<T> {
    line: BinaryHeap<Reverse<Entry<T>>>,
    joined: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    rank: u64,
    number: u64,
    who: T,
}

impl<T> Entry<T> {
    fn key(&self) -> (u64, u64) {
        (self.rank, self.number)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self { line: BinaryHeap::new(), joined: 0 }
    }
}

impl<T: Copy> Ranked<T> {
    pub(super) fn join(&mut self, who: T, rank: u64) {
        self.line.push(Reverse(Entry { rank, number: self.joined, who }));
        self.joined += 1;
    }

    pub(super) fn first(&mut self, is_live: impl Fn(T) -> bool) -> Option<T> {
        while let Some(Reverse(entry)) = self.line.peek() {
            if is_live(entry.who) {
                return Some(entry.who);
            }
            self.line.pop();
        }
        None
    }

    pub(super) fn remove_first(&mut self) {
        self.line.pop();
    }

    pub(super) fn entries(&self) -> usize {
        self.line.len()
    }

    pub(super) fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        self.line.retain(|Reverse(entry)| is_live(entry.who));
    }

    pub(super) fn drain(&mut self) -> Vec<T> {
        let mut entries: Vec<Entry<T>> = self.line.drain().map(|Reverse(entry)| entry).collect();
        entries.sort_by_key(|entry| entry.number);
        entries.into_iter().map(|entry| entry.who).collect()
    }
}

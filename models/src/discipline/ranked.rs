//! A line kept in the order of a number that everybody brings along.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::marker::PhantomData;

use super::{Joining, Line, Moment};

/// What a line goes by.
pub trait Rank {
    /// The lower, the sooner.
    fn of(who: &Joining) -> u64;
}

/// Those who wait, the lowest rank first, in order of arrival among equals.
#[derive(Clone, Debug)]
pub struct Ranked<T, R> {
    line: BinaryHeap<Reverse<Entry<T>>>,
    joined: u64,
    rank: PhantomData<R>,
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

impl<T, R> Default for Ranked<T, R> {
    fn default() -> Self {
        Self { line: BinaryHeap::new(), joined: 0, rank: PhantomData }
    }
}

impl<T: Copy, R: Rank> Line<T> for Ranked<T, R> {
    fn join(&mut self, entry: T, who: Joining) {
        self.line.push(Reverse(Entry { rank: R::of(&who), number: self.joined, who: entry }));
        self.joined += 1;
    }

    fn first(&mut self, _moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        while let Some(Reverse(entry)) = self.line.peek() {
            if is_live(entry.who) {
                return Some(entry.who);
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
        self.line.retain(|Reverse(entry)| is_live(entry.who));
    }

    fn drain(&mut self) -> Vec<T> {
        let mut entries: Vec<Entry<T>> = self.line.drain().map(|Reverse(entry)| entry).collect();
        entries.sort_by_key(|entry| entry.number);
        entries.into_iter().map(|entry| entry.who).collect()
    }
}

//! The events that come next, sorted.

use std::hint::select_unpredictable;

/// Events that move up at a time.
const STEP: usize = 4;

/// Events in order of time, and of arrival within one instant: a queue with insertion.
#[derive(Clone, Debug)]
pub(super) struct Near<E> {
    /// The events are at `head..tail`. Before the head are four places or more, which hold nothing later than any event;
    /// what is behind the tail is never looked at.
    entries: Vec<(u64, E)>,
    head: usize,
    tail: usize,
}

impl<E: Copy> Near<E> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), head: 0, tail: 0 }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.tail - self.head
    }

    /// The events and their times, the earliest first.
    #[inline]
    pub(super) fn entries(&self) -> &[(u64, E)] {
        &self.entries[self.head..self.tail]
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    /// Whether there is no room for another event.
    #[inline]
    pub(super) const fn is_full(&self) -> bool {
        self.tail == self.entries.len()
    }

    /// Adds an event after all that are not later.
    #[inline]
    pub(super) fn insert(&mut self, at: u64, event: E) {
        if self.is_full() {
            self.make_room((at, event));
        }
        self.insert_in_room(at, event);
    }

    /// The same where there is room.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[inline]
    pub(super) fn insert_in_room(&mut self, at: u64, event: E) {
        let new = (at, event);
        let is_nearly_empty = self.len() <= 1;
        let mut open = &mut self.entries[self.head - STEP..=self.tail];
        self.tail += 1;
        // Where a new event belongs nobody can foresee, and a jump into the wrong direction costs more than to move all
        // that might have to.
        if is_nearly_empty && let [.., only, free] = open {
            let (before, moves) = (*only, only.0 > at);
            *free = select_unpredictable(moves, before, new);
            *only = select_unpredictable(moves, new, before);
            return;
        }
        // The last place is free. Four events move up at a time, as long as the first of them is later. What stands before
        // the head is not: so the first four places are never left.
        while let [.., a, b, c, d, free] = open
            && a.0 > at
        {
            (*free, *d, *c, *b) = (*d, *c, *b, *a);
            let rest = open.len() - STEP;
            open = &mut { open }[..rest];
        }
        let [.., b, c, d, free] = open else { unreachable!("four places are before the head") };
        let (last, moves) = ([*b, *c, *d], [b.0 > at, c.0 > at, d.0 > at]);
        *free = select_unpredictable(moves[2], last[2], new);
        *d = select_unpredictable(moves[1], last[1], select_unpredictable(moves[2], new, last[2]));
        *c = select_unpredictable(moves[0], last[0], select_unpredictable(moves[1], new, last[1]));
        *b = select_unpredictable(moves[0], new, last[0]);
    }

    /// Moves the events back to the start of the array if that frees half of it, else doubles the array.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&mut self, (_, filler): (u64, E)) {
        if self.head > self.entries.len() / 2 {
            self.entries.copy_within(self.head..self.tail, STEP);
            self.tail -= self.head - STEP;
            self.head = STEP;
        } else {
            let room = (2 * self.entries.len()).max(128);
            self.entries.resize(room, (0, filler));
            self.head = self.head.max(STEP);
            self.tail = self.tail.max(STEP);
        }
        self.entries[..self.head].fill((0, filler));
    }

    /// Takes the earliest event if it is at `last` or before.
    #[inline]
    pub(super) fn pop(&mut self, last: u64) -> Option<(u64, E)> {
        if self.is_empty() {
            return None;
        }
        let next = self.entries[self.head];
        if next.0 > last {
            return None;
        }
        self.head += 1;
        Some(next)
    }

    /// Hands the events at `from` and later to `take`, in order.
    pub(super) fn split_off(&mut self, from: u64, mut take: impl FnMut(u64, E)) {
        let cut = self.head + self.entries().partition_point(|&(at, _)| at < from);
        for &(at, event) in &self.entries[cut..self.tail] {
            take(at, event);
        }
        self.tail = cut;
    }

    pub(super) const fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<(u64, E)>()
    }
}

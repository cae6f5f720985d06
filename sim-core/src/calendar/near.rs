//! The events that come next, sorted.

/// Events in order of time, and of arrival within one instant: a queue with insertion.
#[derive(Clone, Debug)]
pub(super) struct Near<E> {
    /// The events are at `head..tail`; what is outside is never looked at.
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
        let mut open = &mut self.entries[self.head..=self.tail];
        self.tail += 1;
        // The last place is free. Four events move up at a time, as long as the first of them is later.
        while let [.., a, b, c, d, free] = open
            && a.0 > at
        {
            (*free, *d, *c, *b) = (*d, *c, *b, *a);
            let rest = open.len() - 4;
            open = &mut { open }[..rest];
        }
        while let [.., before, free] = open
            && before.0 > at
        {
            *free = *before;
            let rest = open.len() - 1;
            open = &mut { open }[..rest];
        }
        if let [.., free] = open {
            *free = (at, event);
        }
    }

    /// Moves the events back to the start of the array if that frees half of it, else doubles the array.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&mut self, filler: (u64, E)) {
        if self.head > self.entries.len() / 2 {
            self.entries.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        } else {
            let room = (2 * self.entries.len()).max(128);
            self.entries.resize(room, filler);
        }
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

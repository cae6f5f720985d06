//! The events that come next, sorted.

/// Events in order of time, and of arrival within one instant: a queue with insertion.
///
/// Times and events are in arrays of their own, because shifting them apart is faster than together.
#[derive(Clone, Debug)]
pub(super) struct Near<E> {
    times: Vec<u64>,
    events: Vec<E>,
    /// The events are at `head..tail`.
    head: usize,
    tail: usize,
}

impl<E: Copy> Near<E> {
    pub(super) const fn new() -> Self {
        Self { times: Vec::new(), events: Vec::new(), head: 0, tail: 0 }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.tail - self.head
    }

    /// Times, the earliest first.
    #[inline]
    pub(super) fn times(&self) -> &[u64] {
        &self.times[self.head..self.tail]
    }

    /// Adds an event after all that are not later.
    #[inline]
    pub(super) fn insert(&mut self, at: u64, event: E) {
        if self.tail == self.times.len() {
            self.make_room(event);
        }
        let (times, events) = (&mut self.times[..=self.tail], &mut self.events[..=self.tail]);
        let mut place = self.tail;
        while place > self.head && times[place - 1] > at {
            times[place] = times[place - 1];
            events[place] = events[place - 1];
            place -= 1;
        }
        times[place] = at;
        events[place] = event;
        self.tail += 1;
    }

    /// Moves the events back to the start of the arrays if that frees half of them, else doubles the arrays.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, filler: E) {
        if self.head > self.times.len() / 2 {
            self.times.copy_within(self.head..self.tail, 0);
            self.events.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        } else {
            let room = (2 * self.times.len()).max(128);
            self.times.resize(room, 0);
            self.events.resize(room, filler);
        }
    }

    /// Takes the earliest event if it is at `last` or before.
    #[inline]
    pub(super) fn pop(&mut self, last: u64) -> Option<(u64, E)> {
        let next = (*self.times().first()?, self.events[self.head]);
        if next.0 > last {
            return None;
        }
        self.head += 1;
        Some(next)
    }

    /// Hands the events at `from` and later to `take`, in order.
    pub(super) fn split_off(&mut self, from: u64, mut take: impl FnMut(u64, E)) {
        let cut = self.head + self.times().partition_point(|&at| at < from);
        for i in cut..self.tail {
            take(self.times[i], self.events[i]);
        }
        self.tail = cut;
    }

    pub(super) const fn memory(&self) -> usize {
        self.times.capacity() * size_of::<u64>() + self.events.capacity() * size_of::<E>()
    }
}

//! The pending events, in one total order of (time, sequence).

use crate::{SimTime, Span};

/// Children of a node in the heap.
const ARITY: usize = 4;

/// What is pending, the earliest first; among events of one instant, the one scheduled first.
///
/// A heap of four children a node on `(time << 64) | sequence`. Taking the earliest event leaves a hole at the
/// root, which the next event scheduled fills by sifting down: most handlers schedule one event, and the two
/// then cost one pass instead of two. The vector is padded with entries later than any event so that every
/// node has either four children or none, and the smallest is found without a branch.
///
/// ```
/// use sim_core::{Calendar, SimTime, Span};
/// let mut calendar = Calendar::new();
/// calendar.schedule(SimTime::from_nanos(30), 'c');
/// calendar.schedule(SimTime::from_nanos(10), 'a');
/// calendar.schedule(SimTime::from_nanos(10), 'b');
/// assert_eq!(calendar.pop(), Some((SimTime::from_nanos(10), 'a')));
/// calendar.schedule_in(Span::from_nanos(5), 'd'); // 5 ns from now
/// let rest: Vec<char> = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
/// assert_eq!(rest, ['b', 'd', 'c']);
/// ```
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// `heap[..len]` is the heap; padding follows.
    heap: Vec<Entry<E>>,
    /// Entries in the heap, the one at the root included if it is a hole.
    len: usize,
    /// Whether the root has been popped and not been replaced yet.
    hole: bool,
    /// How many events have ever been scheduled.
    sequence: u64,
    now: SimTime,
    /// Events that the loop has run at `now`, counted in whole slices.
    pub(crate) stalled: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    key: u128,
    event: E,
}

/// The key of the padding.
const NEVER: u128 = u128::MAX;

fn time_of(key: u128) -> SimTime {
    SimTime::from_nanos((key >> 64) as u64)
}

impl<E: Copy> Calendar<E> {
    /// Nothing pending, at the start of simulated time.
    pub const fn new() -> Self {
        Self { heap: Vec::new(), len: 0, hole: false, sequence: 0, now: SimTime::ZERO, stalled: 0 }
    }

    /// Nothing pending, with room for `n` events.
    pub fn with_capacity(n: usize) -> Self {
        Self { heap: Vec::with_capacity(n + ARITY + 1), ..Self::new() }
    }

    /// The time of the event popped last.
    #[inline]
    pub const fn now(&self) -> SimTime {
        self.now
    }

    /// How many events are pending.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len - self.hole as usize
    }

    /// Whether nothing is pending.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events have been popped since the calendar was made.
    #[inline]
    pub const fn popped(&self) -> u64 {
        self.sequence - self.len() as u64
    }

    /// Bytes of memory held.
    pub const fn memory(&self) -> usize {
        self.heap.capacity() * size_of::<Entry<E>>()
    }

    /// Adds an event at `at`, after those already scheduled for that instant.
    ///
    /// # Panics
    ///
    /// When `at` is in the past.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, event: E) {
        assert!(at >= self.now, "an event at {at:?} is in the past of {:?}", self.now);
        let key = (u128::from(at.as_nanos()) << 64) | u128::from(self.sequence);
        self.sequence += 1;
        if self.hole {
            self.hole = false;
            self.sift_down(Entry { key, event });
        } else {
            self.append(Entry { key, event });
        }
    }

    /// Adds an event `span` from now.
    ///
    /// # Panics
    ///
    /// When that is out of range.
    #[inline]
    pub fn schedule_in(&mut self, span: Span, event: E) {
        self.schedule(self.now + span, event);
    }

    /// Takes the earliest event and makes its time the present.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.fill_hole();
        if self.len == 0 {
            return None;
        }
        Some(self.take_root())
    }

    /// Takes the earliest event if it is before `until`.
    #[inline]
    pub fn pop_before(&mut self, until: SimTime) -> Option<(SimTime, E)> {
        self.fill_hole();
        if self.len == 0 || time_of(self.heap[0].key) >= until {
            return None;
        }
        Some(self.take_root())
    }

    /// The time of the earliest event.
    pub fn peek_time(&self) -> Option<SimTime> {
        if self.is_empty() {
            return None;
        }
        let candidates = if self.hole { 1..1 + ARITY } else { 0..1 };
        self.heap[candidates].iter().map(|entry| time_of(entry.key)).min()
    }

    /// Marks the root as popped; it must be there.
    #[inline]
    fn take_root(&mut self) -> (SimTime, E) {
        let Entry { key, event } = self.heap[0];
        self.hole = true;
        self.now = time_of(key);
        (self.now, event)
    }

    /// Closes the hole that is left when a handler has scheduled nothing: the last entry goes there.
    #[inline]
    fn fill_hole(&mut self) {
        if self.hole {
            self.hole = false;
            self.len -= 1;
            let last = self.heap[self.len];
            self.heap[self.len].key = NEVER;
            if self.len > 0 {
                self.sift_down(last);
            }
        }
    }

    /// Puts `entry` at the root or below, where it belongs; the root counts as empty.
    #[inline]
    fn sift_down(&mut self, entry: Entry<E>) {
        let mut node = 0;
        loop {
            let first = ARITY * node + 1;
            let Some(children) = self.heap[..].get(first..first + ARITY) else { break };
            let left = usize::from(children[1].key < children[0].key);
            let right = 2 + usize::from(children[3].key < children[2].key);
            let child = if children[right].key < children[left].key { right } else { left };
            if entry.key < children[child].key {
                break;
            }
            self.heap[node] = children[child];
            node = first + child;
        }
        self.heap[node] = entry;
    }

    /// Adds `entry` at the end and lets it rise to where it belongs.
    #[inline]
    fn append(&mut self, entry: Entry<E>) {
        let mut node = self.len;
        self.len += 1;
        if self.heap.len() < self.len + ARITY {
            self.pad(entry.event);
        }
        while node > 0 {
            let parent = (node - 1) / ARITY;
            if self.heap[parent].key < entry.key {
                break;
            }
            self.heap[node] = self.heap[parent];
            node = parent;
        }
        self.heap[node] = entry;
    }

    /// Grows the padding; `event` is never looked at.
    #[cold]
    fn pad(&mut self, event: E) {
        let capacity = self.heap.capacity().max(2 * self.heap.len()).max(4 * ARITY);
        self.heap.resize(capacity, Entry { key: NEVER, event });
    }
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

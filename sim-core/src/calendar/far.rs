//! The events that come later, sorted into buckets by how far off they are.

/// Ends a list of blocks.
const NIL: u32 = u32::MAX;

/// Entries in a block.
const BLOCK: usize = 128;

/// A radix heap: bucket `i` holds the events whose time differs from now in bit `i` and in none above.
///
/// Those lie in `[lo, lo + 2^i)`, where `lo` is now with bit `i` set and the bits below cleared. All of them are
/// earlier than those of the buckets above, and as long as now stays below `lo` they remain in their bucket: it
/// does not matter when they were added. Within a bucket they are in order of arrival.
///
/// A bucket is a list of blocks taken from one array, so that no memory is lost when a bucket runs empty.
///
/// Source: Ahuja, Mehlhorn, Orlin, Tarjan, *Faster Algorithms for the Shortest Path Problem*, JACM 37(2), 1990.
#[derive(Clone, Debug)]
pub(super) struct Far<E> {
    /// Block `b` is `entries[b * BLOCK..][..BLOCK]`.
    entries: Vec<(u64, E)>,
    /// The block after block `b` in its list.
    next: Vec<u32>,
    /// Blocks that are in no bucket.
    free: u32,
    buckets: [Bucket; 64],
    /// Bit `i` is set when bucket `i` holds anything.
    occupied: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    len: usize,
    earliest: u64,
    first: u32,
    last: u32,
}

impl Bucket {
    const EMPTY: Self = Self { len: 0, earliest: u64::MAX, first: NIL, last: NIL };
}

/// The bucket of an event at `at`.
#[inline]
fn bucket_of(at: u64, now: u64) -> usize {
    ((at ^ now) | 1).ilog2() as usize
}

/// The earliest time that belongs in bucket `i`.
pub(super) const fn start_of(i: usize, now: u64) -> u64 {
    ((now >> i) | 1) << i
}

/// The bucket that begins at or before `at`, which is later than now: when it does.
pub(super) fn boundary_before(at: u64, now: u64) -> u64 {
    start_of(bucket_of(at, now), now)
}

impl<E: Copy> Far<E> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), next: Vec::new(), free: NIL, buckets: [Bucket::EMPTY; 64], occupied: 0 }
    }

    pub(super) fn reserve(&mut self, n: usize) {
        self.entries.reserve(n.next_multiple_of(BLOCK));
        self.next.reserve(n.div_ceil(BLOCK));
    }

    /// The first bucket that holds anything, and how many events.
    pub(super) fn first(&self) -> Option<(usize, usize)> {
        let i = self.occupied.trailing_zeros() as usize;
        self.buckets.get(i).map(|bucket| (i, bucket.len))
    }

    /// Adds an event.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "passing the event through memory costs as much as the rest")]
    pub(super) fn push(&mut self, at: u64, now: u64, event: E) {
        let i = bucket_of(at, now);
        self.occupied |= 1 << i;
        let Bucket { len, last, .. } = self.buckets[i];
        let block = if len % BLOCK == 0 { self.add_block(i, (at, event)) } else { last };
        self.entries[block as usize * BLOCK + len % BLOCK] = (at, event);
        let bucket = &mut self.buckets[i];
        bucket.len = len + 1;
        bucket.earliest = bucket.earliest.min(at);
    }

    /// Appends a block to bucket `i`.
    #[cold]
    #[inline(never)]
    fn add_block(&mut self, i: usize, filler: (u64, E)) -> u32 {
        let mut block = self.free;
        if block == NIL {
            block = self.next.len() as u32;
            self.next.push(NIL);
            self.entries.resize(self.entries.len() + BLOCK, filler);
        } else {
            self.free = self.next[block as usize];
            self.next[block as usize] = NIL;
        }
        let bucket = &mut self.buckets[i];
        if bucket.first == NIL {
            bucket.first = block;
        } else {
            self.next[bucket.last as usize] = block;
        }
        bucket.last = block;
        block
    }

    /// The earliest time in bucket `i`.
    pub(super) const fn earliest(&self, i: usize) -> u64 {
        self.buckets[i].earliest
    }

    /// Empties bucket `i`: hands its events to `take`, in order of arrival, together with the rest of the far.
    #[inline]
    pub(super) fn drain(&mut self, i: usize, mut take: impl FnMut(&mut Self, u64, E)) {
        let Bucket { mut len, first: mut block, .. } = std::mem::replace(&mut self.buckets[i], Bucket::EMPTY);
        self.occupied &= !(1 << i);
        while len > 0 {
            let filled = len.min(BLOCK);
            for entry in block as usize * BLOCK..block as usize * BLOCK + filled {
                let (at, event) = self.entries[entry];
                take(self, at, event);
            }
            len -= filled;
            let next = std::mem::replace(&mut self.next[block as usize], self.free);
            self.free = block;
            block = next;
        }
    }

    /// How many events there are.
    pub(super) const fn len(&self) -> usize {
        let (mut bucket, mut events) = (0, 0);
        while bucket < self.buckets.len() {
            events += self.buckets[bucket].len;
            bucket += 1;
        }
        events
    }

    pub(super) const fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<(u64, E)>() + self.next.capacity() * size_of::<u32>()
    }
}

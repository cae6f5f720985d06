//! Where the entry of a key stands: a hash table with open addressing.

/// Marks a free bucket.
const FREE: u64 = u64::MAX;
/// Buckets of a table that has just been made.
const FEWEST: usize = 16;
/// 2^64 over the golden ratio: neighbouring keys end up far apart (Knuth, *TAOCP* vol. 3, section 6.4).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Keys and the slots in which their entries stand.
///
/// At most half of the buckets are taken; a collision goes to the next bucket, and a removal closes the gap that it
/// leaves, so nothing is ever marked as deleted.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// Key in the upper half, slot in the lower.
    buckets: Vec<u64>,
    taken: usize,
    shift: u32,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { buckets: vec![FREE; FEWEST], taken: 0, shift: 64 - FEWEST.ilog2() }
    }

    #[inline]
    fn home(&self, key: u32) -> usize {
        (u64::from(key).wrapping_mul(SPREAD) >> self.shift) as usize
    }

    #[inline]
    fn next(&self, bucket: usize) -> usize {
        (bucket + 1) & (self.buckets.len() - 1)
    }

    /// The bucket of a key, or the free one where its search ends.
    #[inline]
    fn find(&self, key: u32) -> usize {
        let mut bucket = self.home(key);
        loop {
            let row = self.buckets[bucket];
            if row == FREE || (row >> 32) as u32 == key {
                return bucket;
            }
            bucket = self.next(bucket);
        }
    }

    /// The slot of a key.
    #[inline]
    pub(super) fn get(&self, key: u32) -> Option<u32> {
        let row = self.buckets[self.find(key)];
        (row != FREE).then_some(row as u32)
    }

    /// The entry of `key` stands in `slot`, wherever it stood before.
    pub(super) fn set(&mut self, key: u32, slot: u32) {
        assert!(slot < u32::MAX, "the last slot number marks free buckets");
        let bucket = self.find(key);
        let is_new = self.buckets[bucket] == FREE;
        self.buckets[bucket] = (u64::from(key) << 32) | u64::from(slot);
        if is_new {
            self.taken += 1;
            if self.taken * 2 > self.buckets.len() {
                self.grow();
            }
        }
    }

    /// There is no entry of `key` any more.
    pub(super) fn remove(&mut self, key: u32) {
        let mut gap = self.find(key);
        if self.buckets[gap] == FREE {
            return;
        }
        self.taken -= 1;
        self.buckets[gap] = FREE;
        let mut bucket = self.next(gap);
        while self.buckets[bucket] != FREE {
            let home = self.home((self.buckets[bucket] >> 32) as u32);
            // It may move up unless its home lies behind the gap.
            let mask = self.buckets.len() - 1;
            if (bucket.wrapping_sub(home) & mask) >= (bucket.wrapping_sub(gap) & mask) {
                self.buckets[gap] = self.buckets[bucket];
                self.buckets[bucket] = FREE;
                gap = bucket;
            }
            bucket = self.next(bucket);
        }
    }

    fn grow(&mut self) {
        let more = vec![FREE; self.buckets.len() * 2];
        self.shift -= 1;
        for row in std::mem::replace(&mut self.buckets, more).into_iter().filter(|row| *row != FREE) {
            let bucket = self.find((row >> 32) as u32);
            self.buckets[bucket] = row;
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.buckets.len() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sim_core::Draws;

    use super::*;

    #[test]
    fn keys_are_found_where_they_were_put_last() {
        let mut draws = Draws::keyed(9);
        let (mut index, mut known) = (Index::new(), BTreeMap::new());
        for slot in 0..20_000 {
            let key = draws.below(500);
            if draws.unit() < 0.4 {
                index.remove(key);
                known.remove(&key);
            } else {
                index.set(key, slot);
                known.insert(key, slot);
            }
            let other = draws.below(500);
            assert_eq!(index.get(other), known.get(&other).copied());
        }
        assert_eq!(index.taken, known.len());
    }
}

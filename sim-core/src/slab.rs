//! A slab: values at stable indices, with keys that go stale when their value is removed.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// Ends the list of vacant slots; no slot has this index.
const NIL: u32 = u32::MAX;

/// Names a value in a [`Slab`] until that value is removed.
///
/// One word, so that a key that was just stored can be loaded again without waiting for its halves.
pub struct Key<T> {
    /// Index in the upper half, generation in the lower.
    bits: u64,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key that is never live.
    pub const NONE: Self = Self::from_parts(NIL, 0);

    /// The key of generation `generation` in slot `index`, taken apart before.
    #[inline]
    pub const fn from_parts(index: u32, generation: u32) -> Self {
        Self { bits: ((index as u64) << 32) | generation as u64, value: PhantomData }
    }

    /// The slot that the value is in.
    #[inline]
    pub const fn index(self) -> u32 {
        (self.bits >> 32) as u32
    }

    /// How many values were removed from the slot before this one came.
    #[inline]
    pub const fn generation(self) -> u32 {
        self.bits as u32
    }

    /// Whether this is [`Key::NONE`].
    #[inline]
    pub const fn is_none(self) -> bool {
        self.index() == NIL
    }
}

impl<T> Clone for Key<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<T> Eq for Key<T> {}

impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bits.cmp(&other.bits)
    }
}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits.hash(state);
    }
}

impl<T> Default for Key<T> {
    /// [`Key::NONE`].
    fn default() -> Self {
        Self::NONE
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            write!(f, "Key(none)")
        } else {
            write!(f, "Key({}v{})", self.index(), self.generation())
        }
    }
}

/// Values at stable indices. A vacant slot is used again, the one vacated last first, under a new key.
///
/// A key would come alive again after its slot has been vacated 2^32 times.
///
/// ```
/// use sim_core::Slab;
/// let mut slab = Slab::new();
/// let key = slab.insert("request");
/// assert_eq!(slab.get(key), Some(&"request"));
/// slab.remove(key);
/// let next = slab.insert("another");
/// assert_eq!(next.index(), key.index());
/// assert_eq!(slab.get(key), None, "the old key is stale");
/// ```
#[derive(Clone, Debug)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The slot vacated last.
    vacant: u32,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    /// The slot vacated before this one while this one is vacant, else [`OCCUPIED`].
    next_vacant: u32,
    /// Left as it was when the slot is vacated: a value is plain data.
    value: T,
}

/// Marks a slot that is not vacant.
const OCCUPIED: u32 = NIL - 1;

impl<T: Copy> Slab<T> {
    /// An empty slab.
    pub const fn new() -> Self {
        Self { slots: Vec::new(), vacant: NIL }
    }

    /// Puts `value` into a slot.
    ///
    /// # Panics
    ///
    /// When 2^32 - 2 values are there already.
    #[inline]
    pub fn insert(&mut self, value: T) -> Key<T> {
        let (key, place) = self.claim(|| value);
        *place = value;
        key
    }

    /// A slot filled with whatever is at hand, for the caller to write over in place.
    ///
    /// A large value that is built first and moved then is stored twice, and the second time waits for the first.
    ///
    /// # Panics
    ///
    /// When 2^32 - 2 values are there already.
    #[inline]
    pub fn claim(&mut self, filler: impl FnOnce() -> T) -> (Key<T>, &mut T) {
        if self.vacant == NIL {
            self.grow(filler());
        }
        let index = self.vacant;
        let slot = &mut self.slots[index as usize];
        self.vacant = slot.next_vacant;
        slot.next_vacant = OCCUPIED;
        (Key::from_parts(index, slot.generation), &mut slot.value)
    }

    /// Adds a vacant slot where there is none.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, value: T) {
        let index = self.slots.len() as u32;
        assert!(index < OCCUPIED, "a slab holds fewer than {OCCUPIED} values");
        self.slots.push(Slot { generation: 0, next_vacant: NIL, value });
        self.vacant = index;
    }

    /// The value of `key`, unless it was removed.
    #[inline]
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        let slot = self.slots.get(key.index() as usize)?;
        if slot.is_of(key.generation()) { Some(&slot.value) } else { None }
    }

    /// The value of `key`, unless it was removed.
    #[inline]
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        if slot.is_of(key.generation()) { Some(&mut slot.value) } else { None }
    }

    /// Takes the value of `key` out, unless it was removed before.
    #[inline]
    pub fn remove(&mut self, key: Key<T>) -> Option<T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        if !slot.is_of(key.generation()) {
            return None;
        }
        let value = slot.value;
        self.vacate(key.index());
        Some(value)
    }

    /// Removes the value in slot `index`, whatever its generation.
    ///
    /// # Panics
    ///
    /// When the slot does not exist, or, with debug assertions, when it is vacant.
    #[inline]
    pub fn vacate(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        debug_assert!(slot.next_vacant == OCCUPIED, "slot {index} is vacant");
        slot.generation = slot.generation.wrapping_add(1);
        slot.next_vacant = self.vacant;
        self.vacant = index;
    }

    /// Whether the value of `key` is still there.
    #[inline]
    pub fn contains(&self, key: Key<T>) -> bool {
        self.get(key).is_some()
    }

    /// How many values are there. They are counted: whoever adds and removes does not pay for it.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether no value is there.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The most values that were ever there at once.
    #[inline]
    pub const fn high_water(&self) -> usize {
        self.slots.len() // A slot is added only when none is vacant.
    }

    /// Bytes of memory held, not counting what the values own elsewhere.
    pub const fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<T>>()
    }

    /// The value in slot `index`, whatever its generation.
    ///
    /// # Panics
    ///
    /// When the slot does not exist, or, with debug assertions, when it is vacant.
    #[inline]
    pub fn at(&self, index: u32) -> &T {
        let slot = &self.slots[index as usize];
        debug_assert!(slot.next_vacant == OCCUPIED, "slot {index} is vacant");
        &slot.value
    }

    /// The value in slot `index`, whatever its generation.
    ///
    /// # Panics
    ///
    /// When the slot does not exist, or, with debug assertions, when it is vacant.
    #[inline]
    pub fn at_mut(&mut self, index: u32) -> &mut T {
        let slot = &mut self.slots[index as usize];
        debug_assert!(slot.next_vacant == OCCUPIED, "slot {index} is vacant");
        &mut slot.value
    }

    /// The key of the value in slot `index`.
    ///
    /// # Panics
    ///
    /// When the slot does not exist, or, with debug assertions, when it is vacant.
    #[inline]
    pub fn key_of(&self, index: u32) -> Key<T> {
        let slot = &self.slots[index as usize];
        debug_assert!(slot.next_vacant == OCCUPIED, "slot {index} is vacant");
        Key::from_parts(index, slot.generation)
    }

    /// The values and their keys, by index.
    pub fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.next_vacant == OCCUPIED)
            .map(|(index, slot)| (Key::from_parts(index as u32, slot.generation), &slot.value))
    }

    /// As [`Slab::iter`], to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter(|slot| slot.next_vacant == OCCUPIED).map(|slot| &mut slot.value)
    }
}

impl<T> Slot<T> {
    /// Whether a key of this generation names the value. Vacating moves the generation on, and nobody has a key
    /// of the new one until the slot is filled again.
    #[inline]
    fn is_of(&self, generation: u32) -> bool {
        self.generation == generation
    }
}

impl<T: Copy> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    const _: () = assert!(size_of::<Key<[u64; 9]>>() == 8);

    #[test]
    fn the_slot_vacated_last_is_used_first() {
        let mut slab = Slab::new();
        let keys: Vec<Key<u32>> = (0..4).map(|value| slab.insert(value)).collect();
        slab.remove(keys[1]);
        slab.remove(keys[3]);
        assert_eq!(
            slab.iter().map(|(key, &value)| (key.index(), value)).collect::<Vec<_>>(),
            [(0, 0), (2, 2)]
        );
        let indices: [u32; 3] = std::array::from_fn(|_| slab.insert(9).index());
        assert_eq!(indices, [3, 1, 4]);
        assert_eq!((slab.len(), slab.high_water()), (5, 5));
    }

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut slab = Slab::new();
        let old = slab.insert(1);
        assert_eq!(slab.remove(old), Some(1));
        assert_eq!(slab.get(old), None);
        assert_eq!(slab.remove(old), None);
        let new = slab.insert(2);
        assert_eq!((new.index(), new.generation()), (0, 1));
        assert_eq!(slab.get(old), None);
        assert_eq!(slab.get_mut(old), None);
        assert!(!slab.contains(old));
        assert_eq!((slab.key_of(0), *slab.at(0)), (new, 2));
    }

    #[test]
    fn the_key_of_nothing_finds_nothing() {
        let mut slab = Slab::new();
        assert!(Key::<u8>::NONE.is_none());
        assert_eq!(slab.get(Key::NONE), None);
        let key = slab.insert(1_u8);
        assert!(!key.is_none());
        assert_eq!(slab.get(Key::NONE), None);
        assert_eq!(slab.remove(Key::NONE), None);
        assert_eq!(format!("{key:?} {:?}", Key::<u8>::NONE), "Key(0v0) Key(none)");
    }

    #[test]
    #[should_panic(expected = "slot 0 is vacant")]
    fn a_vacant_slot_has_no_value() {
        let mut slab = Slab::new();
        let key = slab.insert(1);
        slab.remove(key);
        slab.at(0);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Against a sorted map; every key that ever was is tried again.
        #[test]
        fn a_slab_is_a_map_with_its_own_keys(steps in proptest::collection::vec(0..8_u32, 0..300)) {
            let mut slab = Slab::new();
            let mut map = std::collections::BTreeMap::new();
            let (mut keys, mut most) = (Vec::new(), 0);
            for (i, step) in steps.into_iter().enumerate() {
                if step < 4 || keys.is_empty() {
                    let key = slab.insert(i);
                    prop_assert!(map.insert(key, i).is_none());
                    keys.push(key);
                } else {
                    let key = keys[i * step as usize % keys.len()];
                    prop_assert_eq!(slab.remove(key), map.remove(&key));
                }
                most = most.max(map.len());
                prop_assert_eq!((slab.len(), slab.high_water()), (map.len(), most));
                prop_assert!(keys.iter().all(|key| slab.get(*key) == map.get(key)));
                prop_assert!(slab.iter().map(|(key, &value)| (key, value)).eq(map.iter().map(|(k, v)| (*k, *v))));
            }
        }
    }
}

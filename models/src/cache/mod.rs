//! What a cache keeps: entries by key, each until it expires or has to make room.
//!
//! A store knows nothing of the simulation. Entries stand side by side in slots, an index says in which; the rules by
//! which they make room keep what they need beside them. Nothing happens by the clock: that an entry has expired is
//! noticed when somebody looks for it.

mod chain;
mod fifo;
mod index;
mod lfu;
mod lru;
mod none;
mod random;

use sim_core::{Draws, SimTime, Span};

use crate::blueprint::{EvictRule, Outcome};
pub use chain::{Chained, Order};
pub use fifo::{ByAge, Fifo};
use index::Index;
pub use lfu::Lfu;
pub use lru::{ByUse, Lru};
pub use none::{ByExpiry, Keep};
pub use random::Anyone;

/// Says which entry makes room for a new one.
pub trait Evict {
    /// A new entry stands in `slot`.
    fn stored(&mut self, slot: u32, now: SimTime);

    /// The entry in `slot` was asked for.
    fn used(&mut self, slot: u32, now: SimTime, draws: &mut Draws);

    /// Something else was stored under the same key.
    fn stored_again(&mut self, slot: u32, now: SimTime, draws: &mut Draws);

    /// The entry in `slot` is gone.
    fn removed(&mut self, slot: u32);

    /// The entry in slot `from` stands in `to` now.
    fn moved(&mut self, from: u32, to: u32);

    /// The slot of the one of so many entries that is to go.
    fn victim(&mut self, entries: u32, now: SimTime, draws: &mut Draws) -> Option<u32>;

    /// Whether it goes only if it has expired.
    fn spares_the_living(&self) -> bool {
        false
    }

    /// Bytes of what it remembers.
    fn bytes(&self) -> usize;
}

/// A rule of any kind.
#[derive(Clone, Debug)]
pub enum Eviction {
    /// See [`Lru`].
    Lru(Lru),
    /// See [`Lfu`].
    Lfu(Lfu),
    /// See [`Fifo`].
    Fifo(Fifo),
    /// See [`Anyone`].
    Random(Anyone),
    /// See [`Keep`].
    None(Keep),
}

impl Eviction {
    /// The rule, before anything is stored.
    pub fn new(rule: EvictRule) -> Self {
        match rule {
            EvictRule::Lru => Self::Lru(Lru::default()),
            EvictRule::Lfu => Self::Lfu(Lfu::default()),
            EvictRule::Fifo => Self::Fifo(Fifo::default()),
            EvictRule::Random => Self::Random(Anyone),
            EvictRule::None => Self::None(Keep::default()),
        }
    }
}

macro_rules! each_rule {
    ($self:ident, $rule:ident => $body:expr) => {
        match $self {
            Self::Lru($rule) => $body,
            Self::Lfu($rule) => $body,
            Self::Fifo($rule) => $body,
            Self::Random($rule) => $body,
            Self::None($rule) => $body,
        }
    };
}

impl Evict for Eviction {
    fn stored(&mut self, slot: u32, now: SimTime) {
        each_rule!(self, rule => rule.stored(slot, now));
    }

    #[inline]
    fn used(&mut self, slot: u32, now: SimTime, draws: &mut Draws) {
        each_rule!(self, rule => rule.used(slot, now, draws));
    }

    fn stored_again(&mut self, slot: u32, now: SimTime, draws: &mut Draws) {
        each_rule!(self, rule => rule.stored_again(slot, now, draws));
    }

    fn removed(&mut self, slot: u32) {
        each_rule!(self, rule => rule.removed(slot));
    }

    fn moved(&mut self, from: u32, to: u32) {
        each_rule!(self, rule => rule.moved(from, to));
    }

    fn victim(&mut self, entries: u32, now: SimTime, draws: &mut Draws) -> Option<u32> {
        each_rule!(self, rule => rule.victim(entries, now, draws))
    }

    fn spares_the_living(&self) -> bool {
        each_rule!(self, rule => rule.spares_the_living())
    }

    fn bytes(&self) -> usize {
        each_rule!(self, rule => rule.bytes())
    }
}

/// What is kept under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Until when it is fresh.
    pub expires: SimTime,
    /// How long it took to fetch.
    pub fetched_in: Span,
    /// How good an answer it is; a failure that is remembered is one too.
    pub outcome: Outcome,
}

impl Value {
    /// A good answer that took no time, fresh until then.
    pub fn until(expires: SimTime) -> Self {
        Self { expires, fetched_in: Span::ZERO, outcome: Outcome::OK }
    }
}

/// An entry: a [`Value`] and its key, in half a line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Entry {
    expires: SimTime,
    fetched_in: Span,
    /// Up to when its time as a fresh entry has been counted.
    counted: SimTime,
    key: u32,
    outcome: Outcome,
}

impl Entry {
    fn new(key: u32, value: Value, now: SimTime) -> Self {
        let Value { expires, fetched_in, outcome } = value;
        Self { expires, fetched_in, counted: now, key, outcome }
    }

    #[inline]
    fn value(&self) -> Value {
        Value { expires: self.expires, fetched_in: self.fetched_in, outcome: self.outcome }
    }
}

/// What became of something that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It has a place that was free.
    Added,
    /// It has the place of what was there under its key.
    Replaced,
    /// Under its key there is something that is still fresh, and stays.
    Kept,
    /// It has the place of another entry, which is gone.
    Evicted,
    /// There is no place for it.
    Refused,
}

/// Entries by key, at most so many.
#[derive(Clone, Debug)]
pub struct Store {
    index: Index,
    entries: Vec<Entry>,
    eviction: Eviction,
    size: u32,
    draws: Draws,
    /// Nanoseconds that entries were fresh, as far as they have been counted.
    fresh_ns: u128,
}

impl Store {
    /// An empty store of `size` entries; its own draws are named by `stream`.
    pub fn new(rule: EvictRule, size: u32, stream: u64) -> Self {
        Self {
            index: Index::new(),
            entries: Vec::new(),
            eviction: Eviction::new(rule),
            size,
            draws: Draws::keyed(stream),
            fresh_ns: 0,
        }
    }

    /// Entries, fresh or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is kept under a key, without counting as a use.
    pub fn peek(&self, key: u32) -> Option<Value> {
        self.index.get(key).map(|slot| self.entries[slot as usize].value())
    }

    /// What is kept under a key, unless it expired `grace` ago or earlier: then it is gone.
    #[inline]
    pub fn get(&mut self, key: u32, grace: Span, now: SimTime) -> Option<Value> {
        let slot = self.index.get(key)?;
        let value = self.entries[slot as usize].value();
        if value.expires.saturating_add(grace) <= now {
            self.remove_slot(slot, now);
            return None;
        }
        self.eviction.used(slot, now, &mut self.draws);
        Some(value)
    }

    /// What is kept under a key is fresh until `expires`.
    pub fn renew(&mut self, key: u32, expires: SimTime, now: SimTime) {
        if let Some(slot) = self.index.get(key) {
            self.count(slot, now);
            self.entries[slot as usize].expires = expires;
        }
    }

    /// Stores something; `adds` leaves alone what is still fresh.
    pub fn put(&mut self, key: u32, value: Value, adds: bool, now: SimTime) -> Stored {
        if let Some(slot) = self.index.get(key) {
            if adds && self.entries[slot as usize].expires > now {
                return Stored::Kept;
            }
            self.count(slot, now);
            self.entries[slot as usize] = Entry::new(key, value, now);
            self.eviction.stored_again(slot, now, &mut self.draws);
            return Stored::Replaced;
        }
        let entry = Entry::new(key, value, now);
        let slot = self.entries.len() as u32;
        if slot < self.size {
            self.entries.push(entry);
            self.eviction.stored(slot, now);
            self.index.set(key, slot);
            return Stored::Added;
        }
        let victim = match slot {
            0 => None,
            entries => self.eviction.victim(entries, now, &mut self.draws),
        };
        let spared = self.eviction.spares_the_living();
        let victim = victim.filter(|&slot| !spared || self.entries[slot as usize].expires <= now);
        let Some(slot) = victim else { return Stored::Refused };
        self.count(slot, now);
        self.index.remove(self.entries[slot as usize].key);
        self.eviction.removed(slot);
        self.entries[slot as usize] = entry;
        self.eviction.stored(slot, now);
        self.index.set(key, slot);
        Stored::Evicted
    }

    /// Forgets what is kept under a key.
    pub fn remove(&mut self, key: u32, now: SimTime) {
        if let Some(slot) = self.index.get(key) {
            self.remove_slot(slot, now);
        }
    }

    fn remove_slot(&mut self, slot: u32, now: SimTime) {
        self.count(slot, now);
        self.eviction.removed(slot);
        self.index.remove(self.entries[slot as usize].key);
        self.entries.swap_remove(slot as usize);
        let last = self.entries.len() as u32;
        if slot < last {
            self.eviction.moved(last, slot);
            self.index.set(self.entries[slot as usize].key, slot);
        }
    }

    /// Forgets a share of the entries, drawn at random.
    pub fn forget(&mut self, share: f64, now: SimTime) {
        let mut slot = self.entries.len() as u32;
        while slot > 0 {
            slot -= 1;
            if share >= 1.0 || self.draws.unit() < share {
                self.remove_slot(slot, now);
            }
        }
    }

    /// A share of the entries, drawn at random, expires.
    pub fn expire(&mut self, share: f64, now: SimTime) {
        for slot in 0..self.entries.len() as u32 {
            if share >= 1.0 || self.draws.unit() < share {
                self.count(slot, now);
                let entry = &mut self.entries[slot as usize];
                entry.expires = entry.expires.min(now);
            }
        }
    }

    /// It has room for so many entries from now on; what is too much goes by the rule.
    pub fn resize(&mut self, size: u32, now: SimTime) {
        self.size = size;
        while self.entries.len() > size as usize {
            let entries = self.entries.len() as u32;
            let slot = self.eviction.victim(entries, now, &mut self.draws).unwrap_or(entries - 1);
            self.remove_slot(slot, now);
        }
    }

    /// Another rule holds from now on. It knows nothing of what was used when.
    pub fn change_rule(&mut self, rule: EvictRule, now: SimTime) {
        self.eviction = Eviction::new(rule);
        for slot in 0..self.entries.len() as u32 {
            self.eviction.stored(slot, now);
        }
    }

    /// A number of its own in [0, 1), for what is drawn on nobody's behalf.
    pub fn draw(&mut self) -> f64 {
        self.draws.unit()
    }

    /// Counts the time up to `now` during which the entry was fresh.
    #[inline]
    fn count(&mut self, slot: u32, now: SimTime) {
        let entry = &mut self.entries[slot as usize];
        let until = entry.expires.min(now);
        if until > entry.counted {
            self.fresh_ns += u128::from(until.since(entry.counted).as_nanos());
        }
        entry.counted = now;
    }

    /// Nanoseconds that entries were fresh since this was last asked, summed over the entries.
    pub fn take_fresh_ns(&mut self, now: SimTime) -> u128 {
        for slot in 0..self.entries.len() as u32 {
            self.count(slot, now);
        }
        std::mem::take(&mut self.fresh_ns)
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.index.bytes() + self.entries.len() * size_of::<Entry>() + self.eviction.bytes()
    }
}

#[cfg(test)]
mod testing {
    use super::*;

    pub(super) fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    /// The keys that a store of `size` keeps, sorted, when these have been asked for and, where they were not there,
    /// stored.
    pub(super) fn keys_after(rule: EvictRule, size: u32, keys: &[u32]) -> Vec<u32> {
        let mut store = Store::new(rule, size, 1);
        for (now, &key) in keys.iter().enumerate() {
            let now = at(now as u64);
            if store.get(key, Span::ZERO, now).is_none() {
                store.put(key, Value::until(SimTime::MAX), false, now);
            }
        }
        let mut kept: Vec<u32> = store.entries.iter().map(|entry| entry.key).collect();
        kept.sort_unstable();
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::testing::at;
    use super::*;

    const ALL: [EvictRule; 5] =
        [EvictRule::Lru, EvictRule::Lfu, EvictRule::Fifo, EvictRule::Random, EvictRule::None];

    #[test]
    fn an_entry_is_gone_when_its_time_is_up() {
        let mut store = Store::new(EvictRule::Lru, 10, 1);
        store.put(5, Value::until(at(100)), false, at(0));
        let grace = Span::from_nanos(50);
        assert!(store.get(5, Span::ZERO, at(99)).is_some());
        assert!(store.get(5, grace, at(149)).is_some(), "it may be used for a while");
        assert!(store.get(5, grace, at(150)).is_none());
        assert!(store.is_empty(), "it was removed");
    }

    #[test]
    fn what_is_fresh_stays_where_only_new_things_are_added() {
        let mut store = Store::new(EvictRule::Lru, 10, 1);
        store.put(5, Value::until(at(100)), true, at(0));
        assert_eq!(store.put(5, Value::until(at(900)), true, at(99)), Stored::Kept);
        assert_eq!(store.put(5, Value::until(at(900)), false, at(99)), Stored::Replaced);
        assert_eq!(store.peek(5).map(|value| value.expires), Some(at(900)));
    }

    /// Fresh from 0 to 100, stored anew at 60 until 160, looked at from 200 on: 60 + 100. Of another one from 150 on
    /// with an end at 1,000, 50 by then and 30 more when it is removed.
    #[test]
    fn the_time_that_entries_are_fresh_is_counted() {
        let mut store = Store::new(EvictRule::Lru, 10, 1);
        store.put(1, Value::until(at(100)), false, at(0));
        store.put(1, Value::until(at(160)), false, at(60));
        store.put(2, Value::until(at(1_000)), false, at(150));
        assert_eq!(store.take_fresh_ns(at(200)), 160 + 50);
        store.remove(2, at(230));
        assert_eq!(store.take_fresh_ns(at(300)), 30);
    }

    #[test]
    fn a_store_is_never_larger_than_it_may_be() {
        let mut draws = Draws::keyed(4);
        for rule in ALL {
            let mut store = Store::new(rule, 20, 3);
            for step in 0..5_000 {
                let (key, now) = (draws.below(60), at(step));
                match draws.below(20) {
                    0 => store.remove(key, now),
                    1 => store.expire(0.1, now),
                    2 => store.forget(0.1, now),
                    _ if store.get(key, Span::ZERO, now).is_none() => {
                        store.put(key, Value::until(at(step + 300)), false, now);
                        assert!(store.peek(key).is_some() || rule == EvictRule::None, "{rule:?}");
                    }
                    _ => {}
                }
                assert!(store.len() <= 20, "{rule:?}");
            }
            let keys: Vec<u32> = store.entries.iter().map(|entry| entry.key).collect();
            assert!(keys.iter().all(|&key| store.peek(key).is_some()), "{rule:?}");
            store.resize(5, at(9_000));
            assert!(store.len() <= 5, "{rule:?}");
            store.forget(1.0, at(9_000));
            assert!(store.is_empty(), "{rule:?}");
        }
    }

    #[test]
    fn a_store_without_room_stores_nothing() {
        for rule in ALL {
            let mut store = Store::new(rule, 0, 3);
            assert_eq!(store.put(1, Value::until(at(9)), false, at(0)), Stored::Refused, "{rule:?}");
        }
    }
}

//! Nothing goes before its time.

use sim_core::{Draws, SimTime};

use super::Evict;
use super::chain::Chain;

/// When all places are taken, nothing new is stored; only an entry that has expired makes room.
///
/// The one that was stored first expires first, but for jitter.
///
/// Source: Redis, *Key eviction*, `noeviction`, its default; what has expired is removed in the background.
#[derive(Clone, Debug)]
pub struct Keep {
    chain: Chain,
}

impl Keep {
    /// No entries.
    pub fn new() -> Self {
        Self { chain: Chain::new() }
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self::new()
    }
}

impl Evict for Keep {
    fn stored(&mut self, slot: u32, _: SimTime) {
        self.chain.push(slot);
    }

    #[inline]
    fn used(&mut self, _: u32, _: SimTime, _: &mut Draws) {}

    fn stored_again(&mut self, slot: u32, _: SimTime, _: &mut Draws) {
        self.chain.send_to_end(slot);
    }

    fn removed(&mut self, slot: u32) {
        self.chain.take_out(slot);
    }

    fn moved(&mut self, from: u32, to: u32) {
        self.chain.rename(from, to);
    }

    fn victim(&mut self, _: u32, _: SimTime, _: &mut Draws) -> Option<u32> {
        self.chain.first()
    }

    fn spares_the_living(&self) -> bool {
        true
    }

    fn bytes(&self) -> usize {
        self.chain.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, keys_after};
    use super::super::{Store, Stored, Value};
    use crate::blueprint::EvictRule;

    #[test]
    fn nothing_goes_for_something_new() {
        assert_eq!(keys_after(EvictRule::None, 3, &[1, 2, 3, 4, 5]), [1, 2, 3]);
    }

    #[test]
    fn what_has_expired_makes_room() {
        let mut store = Store::new(EvictRule::None, 1, 7);
        assert_eq!(store.put(1, Value::until(at(10)), false, at(0)), Stored::Added);
        assert_eq!(store.put(2, Value::until(at(20)), false, at(9)), Stored::Refused);
        assert_eq!(store.put(2, Value::until(at(20)), false, at(10)), Stored::Evicted);
    }
}

//! The entry goes that has not been used for the longest time.

use sim_core::{Draws, SimTime};

use super::Evict;
use super::chain::Chain;

/// Least recently used, exactly: a hit brings an entry to the end of a list, and the first one goes.
///
/// Redis samples a few entries and evicts the one that has been idle for longest; with its ten candidates the hit
/// ratio is as good as the same.
///
/// Source: Redis, *Key eviction*, `allkeys-lru`; memcached and Varnish keep such a list.
#[derive(Clone, Debug)]
pub struct Lru {
    chain: Chain,
}

impl Lru {
    /// No entries.
    pub fn new() -> Self {
        Self { chain: Chain::new() }
    }
}

impl Default for Lru {
    fn default() -> Self {
        Self::new()
    }
}

impl Evict for Lru {
    fn stored(&mut self, slot: u32, _: SimTime) {
        self.chain.push(slot);
    }

    #[inline]
    fn used(&mut self, slot: u32, _: SimTime, _: &mut Draws) {
        self.chain.send_to_end(slot);
    }

    fn stored_again(&mut self, slot: u32, now: SimTime, draws: &mut Draws) {
        self.used(slot, now, draws);
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

    fn bytes(&self) -> usize {
        self.chain.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::keys_after;
    use crate::blueprint::EvictRule;

    /// Of 1, 2, 3 and a use of 1, the new key 4 drives out 2; of 3, 1, 4 the new key 5 drives out 3.
    #[test]
    fn what_was_not_used_for_longest_goes() {
        assert_eq!(keys_after(EvictRule::Lru, 3, &[1, 2, 3, 1, 4]), [1, 3, 4]);
        assert_eq!(keys_after(EvictRule::Lru, 3, &[1, 2, 3, 1, 4, 5]), [1, 4, 5]);
    }
}

//! The entry goes that was stored first.

use sim_core::{Draws, SimTime};

use super::Evict;
use super::chain::Chain;

/// First in, first out: hits change nothing.
///
/// Source: Gelenbe, *A Unified Approach to the Evaluation of a Class of Replacement Algorithms*, IEEE TC 22(6), 1973:
/// its hit ratio is that of random eviction.
#[derive(Clone, Debug)]
pub struct Fifo {
    chain: Chain,
}

impl Fifo {
    /// No entries.
    pub fn new() -> Self {
        Self { chain: Chain::new() }
    }
}

impl Default for Fifo {
    fn default() -> Self {
        Self::new()
    }
}

impl Evict for Fifo {
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

    fn bytes(&self) -> usize {
        self.chain.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::keys_after;
    use crate::blueprint::EvictRule;

    /// Of 1, 2, 3 the new key 4 drives out 1, whether it was used or not.
    #[test]
    fn what_was_stored_first_goes() {
        assert_eq!(keys_after(EvictRule::Fifo, 3, &[1, 2, 3, 1, 4]), [2, 3, 4]);
        assert_eq!(keys_after(EvictRule::Fifo, 3, &[1, 2, 3, 1, 4, 2, 5]), [3, 4, 5]);
    }
}

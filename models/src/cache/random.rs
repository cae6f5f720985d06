//! Any entry goes.

use sim_core::{Draws, SimTime};

use super::Evict;

/// Every entry is as likely to go as any other.
///
/// Source: Redis, *Key eviction*, `allkeys-random`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anyone;

impl Evict for Anyone {
    fn stored(&mut self, _: u32, _: SimTime) {}

    #[inline]
    fn used(&mut self, _: u32, _: SimTime, _: &mut Draws) {}

    fn stored_again(&mut self, _: u32, _: SimTime, _: &mut Draws) {}

    fn removed(&mut self, _: u32) {}

    fn moved(&mut self, _: u32, _: u32) {}

    fn victim(&mut self, entries: u32, _: SimTime, draws: &mut Draws) -> Option<u32> {
        Some(draws.below(entries))
    }

    fn bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::at;
    use super::super::{Store, Value};
    use crate::blueprint::EvictRule;

    /// Of 4 entries each goes a quarter of the time: 2,500 of 10,000, give or take four deviations of 43.
    #[test]
    fn every_entry_goes_equally_often() {
        let mut gone = [0_u32; 4];
        for stream in 0..10_000 {
            let mut store = Store::new(EvictRule::Random, 4, stream);
            for key in 0..5 {
                store.put(key, Value::until(at(1_000)), false, at(u64::from(key)));
            }
            let missing =
                (0..4).find(|&key| store.peek(key).is_none()).expect("one of the first four is gone");
            gone[missing as usize] += 1;
        }
        assert!(gone.iter().all(|gone| gone.abs_diff(2_500) < 174), "{gone:?}");
    }
}

//! Random choice.

use super::{Pick, Seen};

/// Sends a call to any replica, all with the same probability.
///
/// Splits a Poisson stream into independent Poisson streams.
#[derive(Clone, Debug, PartialEq)]
pub struct Random;

impl Pick for Random {
    #[inline]
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        seen.draws.below(seen.candidates.len() as u32) as usize
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Draws;

    use super::super::testing::ask_loaded;
    use super::*;

    #[test]
    fn every_replica_gets_its_share() {
        let mut draws = Draws::keyed(7);
        let mut hits = [0_u32; 4];
        for _ in 0..40_000 {
            hits[ask_loaded(&mut Random, &[0, 1, 2, 3], &[0; 4], &mut draws)] += 1;
        }
        // Four standard deviations of a binomial count around 10,000.
        assert!(hits.iter().all(|&n| n.abs_diff(10_000) < 350), "{hits:?}");
    }
}

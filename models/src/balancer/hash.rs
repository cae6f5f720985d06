//! Modulo hashing.

use sim_core::mix;

use super::{Pick, Seen};

/// Sends a call to the replica number `hash(label) mod n`.
///
/// Spreads labels evenly, and forgets nearly all of it when n changes: from n to n + 1 replicas only one label in
/// n + 1 keeps its place.
///
/// Source: NGINX, `hash` without `consistent`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hash;

impl Pick for Hash {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        (mix(u64::from(seen.label)) % seen.candidates.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ask;
    use super::*;

    #[test]
    fn a_label_stays_where_it_is() {
        let replicas = [0, 1, 2];
        assert!((0..100).all(|label| ask(&mut Hash, &replicas, label) == ask(&mut Hash, &replicas, label)));
    }

    /// 10 of 11 labels move; four standard deviations of 100,000 labels are 0.36 %.
    #[test]
    fn from_ten_to_eleven_replicas_ten_labels_in_eleven_move() {
        let (ten, eleven): (Vec<u32>, Vec<u32>) = ((0..10).collect(), (0..11).collect());
        let is_new = |label: &u32| ask(&mut Hash, &ten, *label) != ask(&mut Hash, &eleven, *label);
        let moved = (0..100_000).filter(is_new).count();
        assert!(moved.abs_diff(90_909) < 364, "{moved}");
    }
}

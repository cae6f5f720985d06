//! Round robin.

use super::{Pick, Seen};

/// Sends calls to one replica after the other.
///
/// Strictly cyclic, and blind to how busy a replica is: with n replicas each sees every n-th call, which makes
/// its arrivals more even than random dispatch does.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundRobin {
    next: u32,
}

impl RoundRobin {
    /// Begins with the replica at position `first`, modulo their number.
    pub fn starting_at(first: u32) -> Self {
        Self { next: first }
    }

    /// The position, among so many, whose turn it is.
    #[inline]
    pub fn turn(&mut self, count: usize) -> usize {
        let count = count as u32;
        if self.next >= count {
            self.next %= count;
        }
        let chosen = self.next;
        self.next = chosen + 1;
        chosen as usize
    }
}

impl Pick for RoundRobin {
    #[inline]
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        self.turn(seen.candidates.len())
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Draws;

    use super::super::testing::ask_loaded;
    use super::*;

    #[test]
    fn takes_turns_and_survives_a_shrinking_list() {
        let mut rule = RoundRobin::starting_at(1);
        let mut draws = Draws::keyed(1);
        let mut next = |candidates: &[u32]| ask_loaded(&mut rule, candidates, &[0; 3], &mut draws);
        assert_eq!([next(&[0, 1, 2]), next(&[0, 1, 2]), next(&[0, 1, 2])], [1, 2, 0]);
        assert_eq!(next(&[0]), 0);
    }
}

//! The power of d choices.

use super::{Pick, Seen};

/// Sends a call to the least loaded of `choices` replicas drawn at random.
///
/// With two, the longest queue is already doubly logarithmic in the number of replicas. Of equally loaded ones
/// the first drawn wins, which is any of them with equal probability. Some draw without replacement (Finagle), some
/// with: then a replica may be drawn twice, and with four replicas every fourth call compares a replica with itself.
///
/// Source: Mitzenmacher, *The Power of Two Choices in Randomized Load Balancing*, IEEE TPDS 12(10), 2001.
#[derive(Clone, Debug, PartialEq)]
pub struct Least {
    choices: u32,
    /// Whether a replica may be drawn twice.
    replacement: bool,
    /// Reused from call to call: positions already drawn.
    drawn: Vec<u32>,
}

impl Least {
    /// Looks at `choices` different replicas for each call.
    pub fn new(choices: u32) -> Self {
        Self { choices, replacement: false, drawn: Vec::new() }
    }

    /// Draws `choices` times for each call, perhaps the same replica.
    pub fn with_replacement(choices: u32) -> Self {
        Self { replacement: true, ..Self::new(choices) }
    }

    /// The less loaded of any replicas; of equally loaded ones the first drawn.
    fn draw_any(&self, seen: &mut Seen<'_>) -> usize {
        let (mut best, mut fewest) = (0, u32::MAX);
        for _ in 0..self.choices {
            let position = seen.draws.below(seen.candidates.len() as u32) as usize;
            let load = seen.in_flight[seen.candidates[position] as usize];
            if load < fewest {
                (best, fewest) = (position, load);
            }
        }
        best
    }
}

impl Pick for Least {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        if self.replacement {
            return self.draw_any(seen);
        }
        let count = seen.candidates.len() as u32;
        self.drawn.clear();
        let mut best = u32::MAX;
        let mut fewest = u32::MAX;
        // Floyd's sampling: distinct positions with as many draws as choices.
        let choices = self.choices.min(count);
        for upper in count - choices..count {
            let mut position = seen.draws.below(upper + 1);
            if self.drawn.contains(&position) {
                position = upper;
            }
            self.drawn.push(position);
        }
        // Floyd's order is not uniform: ties must not favour the later positions.
        let ties_from = seen.draws.below(choices) as usize;
        for turn in 0..self.drawn.len() {
            let position = self.drawn[(ties_from + turn) % self.drawn.len()];
            let load = seen.in_flight[seen.candidates[position as usize] as usize];
            if load < fewest {
                fewest = load;
                best = position;
            }
        }
        best as usize
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Draws;

    use super::super::testing::ask_loaded;
    use super::*;

    #[test]
    fn of_two_the_less_loaded_wins() {
        let mut rule = Least::new(2);
        let mut draws = Draws::keyed(3);
        for _ in 0..100 {
            assert_eq!(ask_loaded(&mut rule, &[0, 1], &[5, 2], &mut draws), 1);
        }
    }

    #[test]
    fn equally_loaded_replicas_share_evenly() {
        let mut rule = Least::new(2);
        let mut draws = Draws::keyed(4);
        let mut hits = [0_u32; 4];
        for _ in 0..40_000 {
            hits[ask_loaded(&mut rule, &[0, 1, 2, 3], &[1; 4], &mut draws)] += 1;
        }
        assert!(hits.iter().all(|&n| n.abs_diff(10_000) < 350), "{hits:?}");
    }

    /// Of four replicas the busiest is chosen only when it is drawn twice: once in 16.
    #[test]
    fn with_replacement_a_replica_may_be_compared_with_itself() {
        let mut rule = Least::with_replacement(2);
        let mut draws = Draws::keyed(6);
        let busiest = |_: &u32| ask_loaded(&mut rule, &[0, 1, 2, 3], &[1, 1, 1, 9], &mut draws) == 3;
        let hits = (0..64_000).filter(busiest).count();
        assert!(hits.abs_diff(4_000) < 250, "{hits}");
    }

    #[test]
    fn more_choices_than_replicas_looks_at_all() {
        let mut rule = Least::new(9);
        assert_eq!(ask_loaded(&mut rule, &[0, 1, 2], &[3, 3, 1], &mut Draws::keyed(5)), 2);
    }
}

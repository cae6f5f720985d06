//! The power of d choices.

use super::{Pick, Seen};

/// Sends a call to the least loaded of `choices` replicas drawn at random, without replacement.
///
/// With two, the longest queue is already doubly logarithmic in the number of replicas. Of equally loaded ones
/// the first drawn wins, which is any of them with equal probability.
///
/// Source: Mitzenmacher, *The Power of Two Choices in Randomized Load Balancing*, IEEE TPDS 12(10), 2001.
#[derive(Clone, Debug, PartialEq)]
pub struct Least {
    choices: u32,
    /// Reused from call to call: positions already drawn.
    drawn: Vec<u32>,
}

impl Least {
    /// Looks at `choices` replicas for each call.
    pub fn new(choices: u32) -> Self {
        Self { choices, drawn: Vec::new() }
    }
}

impl Pick for Least {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
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

    #[test]
    fn more_choices_than_replicas_looks_at_all() {
        let mut rule = Least::new(9);
        assert_eq!(ask_loaded(&mut rule, &[0, 1, 2], &[3, 3, 1], &mut Draws::keyed(5)), 2);
    }
}

//! Join the shortest queue, as far as the caller can see it.

use super::{Pick, Seen};

/// Sends a call to the replica where the caller has the fewest outstanding calls; ties at random.
///
/// With a single caller this is join-the-shortest-queue.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastConnections;

impl Pick for LeastConnections {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        let load = |&replica: &u32| seen.in_flight[replica as usize];
        let fewest = seen.candidates.iter().map(load).min().unwrap_or(0);
        let tied = seen.candidates.iter().filter(|replica| load(replica) == fewest).count() as u32;
        let mut chosen = seen.draws.below(tied);
        for (position, replica) in seen.candidates.iter().enumerate() {
            if load(replica) == fewest {
                if chosen == 0 {
                    return position;
                }
                chosen -= 1;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Draws;

    use super::super::testing::ask_loaded;
    use super::*;

    #[test]
    fn the_least_loaded_wins_and_ties_are_shared() {
        let mut draws = Draws::keyed(9);
        assert_eq!(ask_loaded(&mut LeastConnections, &[0, 1, 2], &[2, 1, 3], &mut draws), 1);
        let mut hits = [0_u32; 3];
        for _ in 0..20_000 {
            hits[ask_loaded(&mut LeastConnections, &[0, 1, 2], &[0, 4, 0], &mut draws)] += 1;
        }
        assert_eq!(hits[1], 0);
        assert!(hits[0].abs_diff(10_000) < 300, "{hits:?}");
    }

    #[test]
    fn only_candidates_are_chosen() {
        assert_eq!(ask_loaded(&mut LeastConnections, &[2], &[0, 0, 9], &mut Draws::keyed(1)), 0);
    }
}

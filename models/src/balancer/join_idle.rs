//! Join an idle replica, as far as the caller can see it.

use super::{Pick, Seen};

/// Sends a call to a replica where the caller has nothing outstanding, any of them with equal probability; if there
/// is none, to any replica.
///
/// It tells idle from busy and no more, so a queue that is long already is as good as a short one once nobody is idle.
/// With a single caller this is join-idle-queue with one dispatcher. With several, a replica that is idle for one may
/// be busy for another: replicas do not report to one dispatcher at a time, as they do in the paper.
///
/// Source: Lu, Xie, Kliot, Geller, Larus and Greenberg, *Join-Idle-Queue: A Novel Load Balancing Algorithm for
/// Dynamically Scalable Web Services*, Performance Evaluation 68(11), 2011.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinIdle;

impl Pick for JoinIdle {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        let is_idle = |replica: &u32| seen.in_flight[*replica as usize] == 0;
        let idle = seen.candidates.iter().filter(|replica| is_idle(replica)).count() as u32;
        if idle == 0 {
            return seen.draws.below(seen.candidates.len() as u32) as usize;
        }
        let mut chosen = seen.draws.below(idle);
        for (position, replica) in seen.candidates.iter().enumerate() {
            if is_idle(replica) {
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

    fn hits(in_flight: [u32; 4]) -> [u32; 4] {
        let mut draws = Draws::keyed(11);
        let mut hits = [0; 4];
        for _ in 0..40_000 {
            hits[ask_loaded(&mut JoinIdle, &[0, 1, 2, 3], &in_flight, &mut draws)] += 1;
        }
        hits
    }

    #[test]
    fn the_idle_share_all_calls_evenly() {
        let hits = hits([0, 1, 0, 9]);
        assert_eq!((hits[1], hits[3]), (0, 0));
        assert!(hits[0].abs_diff(20_000) < 400, "{hits:?}");
    }

    #[test]
    fn when_nobody_is_idle_a_long_queue_is_as_good_as_a_short_one() {
        let hits = hits([1, 50, 2, 7]);
        assert!(hits.iter().all(|&n| n.abs_diff(10_000) < 350), "{hits:?}");
    }

    #[test]
    fn only_candidates_are_chosen() {
        let mut draws = Draws::keyed(1);
        assert_eq!(ask_loaded(&mut JoinIdle, &[2], &[0, 0, 9], &mut draws), 0);
        assert_eq!(ask_loaded(&mut JoinIdle, &[0, 2], &[3, 0, 0], &mut draws), 1);
    }
}

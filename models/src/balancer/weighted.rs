//! Weighted round robin.

use super::{Pick, Seen};

/// Takes turns in which replica r comes as often as its weight says, spread as evenly as that allows.
///
/// Each turn every replica gains its weight; the one that has most is chosen and pays the sum of all.
///
/// Source: NGINX, `ngx_http_upstream_round_robin.c` (smooth weighted round robin).
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted {
    /// By number of the replica; who is beyond the list weighs as much as the last on it.
    weights: Vec<u32>,
    credits: Vec<i64>,
}

impl Weighted {
    /// Weights by number of the replica.
    pub fn new(weights: &[u32]) -> Self {
        Self { weights: weights.to_vec(), credits: Vec::new() }
    }
}

impl Pick for Weighted {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        let (mut chosen, mut most, mut sum) = (0, i64::MIN, 0);
        for (position, &replica) in seen.candidates.iter().enumerate() {
            let replica = replica as usize;
            if self.credits.len() <= replica {
                self.credits.resize(replica + 1, 0);
            }
            let weight = self.weights.get(replica).or(self.weights.last()).map_or(1, |&w| i64::from(w));
            self.credits[replica] += weight;
            sum += weight;
            if self.credits[replica] > most {
                most = self.credits[replica];
                chosen = position;
            }
        }
        self.credits[seen.candidates[chosen] as usize] -= sum;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ask;
    use super::*;

    /// The sequence in NGINX's own documentation of the rule: { 5, 1, 1 } gives a a b a c a a.
    #[test]
    fn turns_are_those_of_nginx() {
        let mut rule = Weighted::new(&[5, 1, 1]);
        for _ in 0..2 {
            let turns: Vec<u32> = (0..7).map(|_| ask(&mut rule, &[0, 1, 2], 0)).collect();
            assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0]);
        }
    }

    #[test]
    fn a_replica_that_is_away_gains_nothing() {
        let mut rule = Weighted::new(&[3, 1, 1]);
        let turns: Vec<u32> = (0..4).map(|_| ask(&mut rule, &[1, 2], 0)).collect();
        assert_eq!(turns, [1, 2, 1, 2]);
    }
}

//! Consistent hashing.

use sim_core::{combine, mix};

use super::{Pick, Seen};

/// Sends a call to the replica whose point on a ring follows the hash of the label; each replica has `points`.
///
/// A replica that comes or goes moves only the labels of its own arcs: one in n. The price is balance: with v
/// points the load of a replica varies by about 1/sqrt(v) of its mean.
///
/// Source: Karger et al., *Consistent Hashing and Random Trees*, STOC 1997; libketama, which gives each server
/// 100 to 200 points.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    per_replica: u32,
    /// Hash and replica, in the order of the hashes.
    points: Vec<(u32, u32)>,
    /// The replicas on the ring.
    members: Vec<u32>,
}

impl Ring {
    /// A ring with this many points for each replica.
    pub fn new(per_replica: u32) -> Self {
        Self { per_replica, points: Vec::new(), members: Vec::new() }
    }

    fn rebuild(&mut self, members: &[u32]) {
        self.members.clear();
        self.members.extend_from_slice(members);
        self.points.clear();
        for &replica in members {
            let hash = |point: u32| (combine(u64::from(replica), u64::from(point)) >> 32) as u32;
            self.points.extend((0..self.per_replica).map(|point| (hash(point), replica)));
        }
        self.points.sort_unstable();
    }
}

impl Pick for Ring {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        if self.members != seen.candidates {
            self.rebuild(seen.candidates);
        }
        let hash = (mix(u64::from(seen.label)) >> 32) as u32;
        let next = self.points.partition_point(|&(point, _)| point < hash);
        let replica = self.points.get(next).or(self.points.first()).map_or(0, |&(_, replica)| replica);
        self.members.binary_search(&replica).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ask;
    use super::*;

    /// Of 11 replicas the new one takes 1/11; its share of this one ring differs by 1/sqrt(100) of it.
    #[test]
    fn from_ten_to_eleven_replicas_one_label_in_eleven_moves() {
        let (ten, eleven): (Vec<u32>, Vec<u32>) = ((0..10).collect(), (0..11).collect());
        let (mut before, mut after) = (Ring::new(100), Ring::new(100));
        let mut moved = 0;
        for label in 0..100_000 {
            let (from, to) = (ask(&mut before, &ten, label), ask(&mut after, &eleven, label));
            if from != to {
                assert_eq!(to, 10, "a label moves only to the new replica");
                moved += 1;
            }
        }
        assert!((6_500..12_000).contains(&moved), "{moved}");
    }

    /// The largest share of ten replicas, over the mean, of rings by themselves: 2.87, 1.48, 1.17 and 1.07.
    #[test]
    fn more_points_balance_better() {
        for (points, expected) in [(1, 2.87), (10, 1.48), (100, 1.17), (500, 1.07)] {
            let rings = 200;
            let worst = |first: u32| {
                let mut ring = Ring::new(points);
                ring.rebuild(&(first..first + 10).collect::<Vec<_>>());
                let mut shares = [0_u64; 10];
                let mut from = i64::from(ring.points[ring.points.len() - 1].0) - (1 << 32);
                for &(point, replica) in &ring.points {
                    shares[(replica - first) as usize] += (i64::from(point) - from) as u64;
                    from = i64::from(point);
                }
                assert_eq!(shares.iter().sum::<u64>(), 1 << 32);
                shares.into_iter().max().unwrap_or(0) as f64 * 10.0 / (1_u64 << 32) as f64
            };
            let mean = (0..rings).map(|ring| worst(10 * ring)).sum::<f64>() / f64::from(rings);
            assert!((mean / expected - 1.0).abs() < 0.05, "{points} points: {mean}, not {expected}");
        }
    }

    #[test]
    fn the_ring_stands_while_its_replicas_stay() {
        let mut ring = Ring::new(20);
        ask(&mut ring, &[0, 1, 2], 1);
        let before = ring.clone();
        (0..50).for_each(|label| _ = ask(&mut ring, &[0, 1, 2], label));
        assert_eq!(ring, before);
        assert!((0..50).all(|label| ask(&mut ring, &[0, 2], label) != 1));
    }
}

//! Ranks of which the first few are popular.

use rand::distr::Distribution;

use crate::random::Draws;

/// Draws ranks from 0 to `n - 1`: rank k with a probability proportional to `(k + 1)^-s`.
///
/// Rejection-inversion: constant memory and, for any `n` and `s`, less than two tries in the mean.
///
/// Source: Hormann, Derflinger, *Rejection-inversion to generate variates from monotone discrete distributions*,
/// ACM TOMACS 6(3), 1996.
///
/// ```
/// use sim_core::{Draws, Zipf};
/// let keys = Zipf::new(1_000_000, 1.1).unwrap();
/// assert!(keys.sample(&mut Draws::keyed(1)) < 1_000_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    n: u32,
    s: f64,
    law: rand_distr::Zipf<f64>,
}

impl Zipf {
    /// The law of `n` ranks with exponent `s`; 0 makes all of them equally likely.
    ///
    /// None when `n` is 0, or `s` is negative or not finite.
    pub fn new(n: u32, s: f64) -> Option<Self> {
        if !s.is_finite() {
            return None;
        }
        rand_distr::Zipf::new(f64::from(n), s).ok().map(|law| Self { n, s, law })
    }

    /// How many ranks there are.
    pub fn ranks(&self) -> u32 {
        self.n
    }

    /// The exponent.
    pub fn exponent(&self) -> f64 {
        self.s
    }

    /// Probability of the first rank.
    pub fn share_of_first(&self) -> f64 {
        // The first weights are summed one by one, the rest by the trapezoids under their curve.
        const ONE_BY_ONE: u32 = 1_000;
        let weight = |rank: f64| rank.powf(-self.s);
        let exact: f64 = (1..=self.n.min(ONE_BY_ONE)).map(|rank| weight(f64::from(rank))).sum();
        if self.n <= ONE_BY_ONE {
            return 1.0 / exact;
        }
        let (from, to) = (f64::from(ONE_BY_ONE), f64::from(self.n));
        let area = if (self.s - 1.0).abs() < 1e-9 {
            (to / from).ln()
        } else {
            (to.powf(1.0 - self.s) - from.powf(1.0 - self.s)) / (1.0 - self.s)
        };
        1.0 / (exact + area + (weight(to) - weight(from)) / 2.0)
    }

    /// Draws a rank.
    pub fn sample(&self, draws: &mut Draws) -> u32 {
        (self.law.sample(draws) as u32).clamp(1, self.n) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 / H(10) = 2520 / 7381; H(1,000,000) = 14.392726722865724; with s = 0 all are equal.
    #[test]
    fn the_share_of_the_first_rank_is_known() {
        let share = |n, s| Zipf::new(n, s).unwrap().share_of_first();
        assert!((share(10, 1.0) - 2520.0 / 7381.0).abs() < 1e-12);
        assert!((share(1_000_000, 1.0) * 14.392_726_722_865_724 - 1.0).abs() < 1e-6);
        assert!((share(20_000, 0.0) * 20_000.0 - 1.0).abs() < 1e-9);
    }

    /// Ten ranks with s = 1: rank k has (1 / k) / H(10), and H(10) = 7381 / 2520.
    #[test]
    fn ranks_come_as_often_as_their_weight_says() {
        let law = Zipf::new(10, 1.0).unwrap();
        let mut counts = [0_u32; 10];
        for key in 0..100_000 {
            counts[law.sample(&mut Draws::keyed(key)) as usize] += 1;
        }
        for (rank, &count) in counts.iter().enumerate() {
            let share = 2520.0 / 7381.0 / (rank + 1) as f64;
            let deviation = (100_000.0 * share * (1.0 - share)).sqrt();
            assert!((f64::from(count) - 1e5 * share).abs() < 4.0 * deviation, "{rank}: {count}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(Zipf::new(0, 1.0), None);
        assert_eq!(Zipf::new(5, -1.0), None);
        assert_eq!(Zipf::new(5, f64::INFINITY), None);
        assert_eq!(Zipf::new(1, 1.0).unwrap().sample(&mut Draws::keyed(3)), 0);
    }
}

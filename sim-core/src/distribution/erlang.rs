use rand::Rng;
use rand_distr::Distribution as _;

use super::error::positive;
use super::special::incomplete_gamma;
use super::ziggurat::exponential;
use super::{DistributionError, Law};

/// The sum of k exponential phases of equal mean: k steps one after the other.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §4.2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Erlang {
    k: u32,
    phase_mean: f64,
    sampler: rand_distr::Gamma<f64>,
}

/// Up to here adding phases is faster than the gamma sampler.
const FEW: u32 = 4;

impl Erlang {
    /// The Erlang law with this mean, in `k` phases.
    ///
    /// # Errors
    ///
    /// When `mean` is not positive and finite, or `k` is 0.
    pub fn new(mean: f64, k: u32) -> Result<Self, DistributionError> {
        positive("mean", mean)?;
        positive("k", f64::from(k))?;
        Self::of_phases(k, mean / f64::from(k))
    }

    fn of_phases(k: u32, phase_mean: f64) -> Result<Self, DistributionError> {
        let sampler = rand_distr::Gamma::new(f64::from(k), phase_mean)
            .map_err(|_| DistributionError::NotPositive { what: "mean", value: phase_mean })?;
        Ok(Self { k, phase_mean, sampler })
    }

    /// How many phases there are.
    pub fn phases(&self) -> u32 {
        self.k
    }
}

impl Law for Erlang {
    const FAMILY: &'static str = "erlang";

    fn mean(&self) -> f64 {
        f64::from(self.k) * self.phase_mean
    }

    fn second_moment(&self) -> f64 {
        self.mean() * self.phase_mean * (f64::from(self.k) + 1.0)
    }

    fn third_moment(&self) -> f64 {
        self.second_moment() * self.phase_mean * (f64::from(self.k) + 2.0)
    }

    fn scv(&self) -> f64 {
        1.0 / f64::from(self.k)
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        if self.k <= FEW {
            self.phase_mean * (0..self.k).map(|_| exponential(rng)).sum::<f64>()
        } else {
            self.sampler.sample(rng)
        }
    }

    fn cdf(&self, x: f64) -> f64 {
        incomplete_gamma(f64::from(self.k), x / self.phase_mean).0
    }

    fn survival(&self, x: f64) -> f64 {
        incomplete_gamma(f64::from(self.k), x / self.phase_mean).1
    }

    fn scaled(&self, factor: f64) -> Self {
        Self::of_phases(self.k, self.phase_mean * factor).unwrap_or(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_erlang_law() {
        for k in [1, 2, 4, 5, 20] {
            let law = Erlang::new(0.1, k).unwrap();
            assert_sampled(&law, true);
            assert_consistent(law);
            assert_close(law.mean(), 0.1);
        }
        // P(X <= 2) for two phases of mean 1.
        assert_close(Erlang::new(2.0, 2).unwrap().cdf(2.0), 1.0 - 3.0 * (-2.0_f64).exp());
        assert_eq!(Erlang::new(1.0, 0).unwrap_err().to_string(), "expected a positive k, found 0");
    }
}

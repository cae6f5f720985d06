use rand::Rng;
use rand_distr::Distribution as _;

use super::error::positive;
use super::special::incomplete_gamma;
use super::{DistributionError, Law};

/// Gamma: density x^(k-1) e^(-x/theta) / (Gamma(k) theta^k), with shape k = 1/cv^2 and scale theta = mean cv^2.
///
/// Less than exponential variation below cv 1, more above.
///
/// Sampled by Marsaglia and Tsang, *A Simple Method for Generating Gamma Variables*, ACM TOMS 26(3), 2000.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    shape: f64,
    scale: f64,
    sampler: rand_distr::Gamma<f64>,
}

impl Gamma {
    /// The gamma law with this mean and coefficient of variation.
    ///
    /// # Errors
    ///
    /// When `mean` or `cv` is not positive and finite.
    pub fn new(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        positive("mean", mean)?;
        positive("cv", cv)?;
        let scv = cv * cv;
        Self::from_shape_scale(1.0 / scv, mean * scv)
    }

    /// The gamma law with these parameters of the density.
    ///
    /// # Errors
    ///
    /// When `shape` or `scale` is not positive and finite.
    pub fn from_shape_scale(shape: f64, scale: f64) -> Result<Self, DistributionError> {
        positive("shape", shape)?;
        positive("scale", scale)?;
        let sampler = rand_distr::Gamma::new(shape, scale)
            .map_err(|_| DistributionError::NotPositive { what: "shape", value: shape })?;
        Ok(Self { shape, scale, sampler })
    }
}

impl Law for Gamma {
    const FAMILY: &'static str = "gamma";

    fn mean(&self) -> f64 {
        self.shape * self.scale
    }

    fn second_moment(&self) -> f64 {
        self.mean() * self.scale * (self.shape + 1.0)
    }

    fn third_moment(&self) -> f64 {
        self.second_moment() * self.scale * (self.shape + 2.0)
    }

    fn scv(&self) -> f64 {
        1.0 / self.shape
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.sampler.sample(rng)
    }

    fn cdf(&self, x: f64) -> f64 {
        incomplete_gamma(self.shape, x / self.scale).0
    }

    fn survival(&self, x: f64) -> f64 {
        incomplete_gamma(self.shape, x / self.scale).1
    }

    fn scaled(&self, factor: f64) -> Self {
        Self::from_shape_scale(self.shape, self.scale * factor).unwrap_or(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_gamma_law() {
        for cv in [0.3, 1.0, 2.0] {
            let law = Gamma::new(0.02, cv).unwrap();
            assert_sampled(&law, true);
            assert_consistent(law);
            assert_close(law.mean(), 0.02);
            assert_close(law.scv(), cv * cv);
        }
        // Shape 2, scale 3: k (k+1) (k+2) theta^3.
        assert_close(Gamma::from_shape_scale(2.0, 3.0).unwrap().third_moment(), 24.0 * 27.0);
        assert_eq!(Gamma::new(1.0, 0.0).unwrap_err().to_string(), "expected a positive cv, found 0");
    }
}

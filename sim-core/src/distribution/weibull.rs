use rand::Rng;

use super::error::positive;
use super::special::gamma;
use super::ziggurat::exponential;
use super::{DistributionError, Law};

/// A power of an exponential value: P(X > x) = exp(-(x/scale)^shape).
///
/// Below shape 1 the tail is heavier than exponential, above it is lighter.
///
/// Source: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions*, vol. 1 (1994), ch. 21.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weibull {
    scale: f64,
    shape: f64,
}

impl Weibull {
    /// The Weibull law with this mean.
    ///
    /// # Errors
    ///
    /// When `mean` or `shape` is not positive and finite, or the shape is so small that no scale gives the mean.
    pub fn new(mean: f64, shape: f64) -> Result<Self, DistributionError> {
        positive("mean", mean)?;
        positive("shape", shape)?;
        Self::from_scale(mean / gamma(1.0 + 1.0 / shape), shape)
    }

    /// The Weibull law with these parameters of the density.
    ///
    /// # Errors
    ///
    /// When `scale` or `shape` is not positive and finite.
    pub fn from_scale(scale: f64, shape: f64) -> Result<Self, DistributionError> {
        Ok(Self { scale: positive("scale", scale)?, shape: positive("shape", shape)? })
    }

    /// The exponent of the tail.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    fn moment(&self, n: i32) -> f64 {
        self.scale.powi(n) * gamma(1.0 + f64::from(n) / self.shape)
    }
}

impl Law for Weibull {
    const FAMILY: &'static str = "weibull";

    fn mean(&self) -> f64 {
        self.moment(1)
    }

    fn second_moment(&self) -> f64 {
        self.moment(2)
    }

    fn third_moment(&self) -> f64 {
        self.moment(3)
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.scale * exponential(rng).powf(1.0 / self.shape)
    }

    fn cdf(&self, x: f64) -> f64 {
        -(-(x.max(0.0) / self.scale).powf(self.shape)).exp_m1()
    }

    fn survival(&self, x: f64) -> f64 {
        (-(x.max(0.0) / self.scale).powf(self.shape)).exp()
    }

    fn quantile(&self, p: f64) -> f64 {
        self.scale * (-(-p).ln_1p()).powf(1.0 / self.shape)
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        self.scale * (-q.ln()).powf(1.0 / self.shape)
    }

    fn scaled(&self, factor: f64) -> Self {
        Self { scale: self.scale * factor, shape: self.shape }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_weibull_law() {
        for shape in [0.7, 1.0, 2.5] {
            let law = Weibull::new(0.04, shape).unwrap();
            assert_sampled(&law, true);
            assert_consistent(law);
            assert_close(law.mean(), 0.04);
        }
        // Shape 1/2: the square of an exponential value, so the n-th moment is (2n)!.
        let squared = Weibull::from_scale(1.0, 0.5).unwrap();
        assert_close(squared.mean(), 2.0);
        assert_close(squared.second_moment(), 24.0);
        assert_close(squared.third_moment(), 720.0);
    }
}

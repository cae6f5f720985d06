use rand::Rng;

use super::error::positive;
use super::{DistributionError, Law, ziggurat};

/// Memoryless: density e^(-x/mean) / mean, so the rest of a wait is as long as the whole.
///
/// Sampled with the ziggurat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    mean: f64,
}

impl Exponential {
    /// The exponential law with this mean.
    ///
    /// # Errors
    ///
    /// When `mean` is not positive and finite.
    pub fn new(mean: f64) -> Result<Self, DistributionError> {
        Ok(Self { mean: positive("mean", mean)? })
    }
}

impl Law for Exponential {
    const FAMILY: &'static str = "exp";

    fn mean(&self) -> f64 {
        self.mean
    }

    fn second_moment(&self) -> f64 {
        2.0 * self.mean.powi(2)
    }

    fn third_moment(&self) -> f64 {
        6.0 * self.mean.powi(3)
    }

    fn scv(&self) -> f64 {
        1.0
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.mean * ziggurat::exponential(rng)
    }

    fn cdf(&self, x: f64) -> f64 {
        -(-x.max(0.0) / self.mean).exp_m1()
    }

    fn survival(&self, x: f64) -> f64 {
        (-x.max(0.0) / self.mean).exp()
    }

    fn quantile(&self, p: f64) -> f64 {
        -self.mean * (-p).ln_1p()
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        -self.mean * q.ln()
    }

    fn scaled(&self, factor: f64) -> Self {
        Self { mean: self.mean * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_exponential_law() {
        let law = Exponential::new(0.005).unwrap();
        assert_sampled(&law, true);
        assert_consistent(law);
        assert_close(law.quantile(0.5), 0.005 * std::f64::consts::LN_2);
        assert_eq!(Exponential::new(0.0).unwrap_err().to_string(), "expected a positive mean, found 0");
    }
}

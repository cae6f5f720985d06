use rand::{Rng, RngExt};

use super::error::{not_negative, ordered};
use super::{DistributionError, Law};

/// Any value from `low` to `high` is as likely as any other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    low: f64,
    high: f64,
}

impl Uniform {
    /// The uniform law between two bounds, which may be equal.
    ///
    /// # Errors
    ///
    /// When a bound is negative or not finite, or `high` is below `low`.
    pub fn new(low: f64, high: f64) -> Result<Self, DistributionError> {
        not_negative("lower bound", low)?;
        not_negative("upper bound", high)?;
        ordered(("the lower bound", low), ("the upper bound", high))?;
        Ok(Self { low, high })
    }

    fn width(&self) -> f64 {
        self.high - self.low
    }
}

impl Law for Uniform {
    const FAMILY: &'static str = "uniform";

    fn mean(&self) -> f64 {
        0.5 * (self.low + self.high)
    }

    fn second_moment(&self) -> f64 {
        self.mean().powi(2) + self.width().powi(2) / 12.0
    }

    fn third_moment(&self) -> f64 {
        0.5 * self.mean() * (self.low.powi(2) + self.high.powi(2))
    }

    fn scv(&self) -> f64 {
        if self.high == 0.0 { 0.0 } else { (self.width() / self.mean()).powi(2) / 12.0 }
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.low + self.width() * rng.random::<f64>()
    }

    fn cdf(&self, x: f64) -> f64 {
        if x >= self.high { 1.0 } else { ((x - self.low) / self.width()).max(0.0) }
    }

    fn quantile(&self, p: f64) -> f64 {
        self.low + self.width() * p
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        self.high - self.width() * q
    }

    fn scaled(&self, factor: f64) -> Self {
        Self { low: self.low * factor, high: self.high * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_uniform_law() {
        let law = Uniform::new(1.0, 9.0).unwrap();
        assert_sampled(&law, true);
        assert_consistent(law);
        assert_close(law.mean(), 5.0);
        assert_close(law.scv(), 64.0 / 12.0 / 25.0);
        assert_close(law.third_moment(), (9.0_f64.powi(4) - 1.0) / 4.0 / 8.0);
        assert_eq!(
            Uniform::new(9.0, 1.0).unwrap_err().to_string(),
            "the upper bound (1) is below the lower bound (9)"
        );
    }
}

use rand::Rng;

use super::error::not_negative;
use super::{DistributionError, Law};

/// Always the same value; sampling it consumes no random numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    value: f64,
}

impl Constant {
    /// The law that is always `value`.
    ///
    /// # Errors
    ///
    /// When `value` is negative or not finite.
    pub fn new(value: f64) -> Result<Self, DistributionError> {
        Ok(Self { value: not_negative("value", value)? })
    }
}

impl Law for Constant {
    const FAMILY: &'static str = "constant";

    fn mean(&self) -> f64 {
        self.value
    }

    fn second_moment(&self) -> f64 {
        self.value.powi(2)
    }

    fn third_moment(&self) -> f64 {
        self.value.powi(3)
    }

    fn scv(&self) -> f64 {
        0.0
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, _: &mut R) -> f64 {
        self.value
    }

    fn cdf(&self, x: f64) -> f64 {
        if x >= self.value { 1.0 } else { 0.0 }
    }

    fn quantile(&self, _: f64) -> f64 {
        self.value
    }

    fn upper_quantile(&self, _: f64) -> f64 {
        self.value
    }

    fn scaled(&self, factor: f64) -> Self {
        Self { value: self.value * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_never_varies() {
        let law = Constant::new(0.25).unwrap();
        assert_sampled(&law, true);
        assert_consistent(law);
        assert!((Constant::new(0.0).unwrap().mean()).abs() < 1e-300);
        assert_eq!(Constant::new(-1.0).unwrap_err().to_string(), "expected a value of 0 or more, found -1");
    }
}

use std::sync::Arc;

use rand::Rng;

use super::error::not_negative;
use super::{DistributionError, Law};

/// One of a list of measured values, each as likely as any other: the empirical distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Empirical {
    /// In ascending order; never empty.
    values: Arc<[f64]>,
    /// The first three moments.
    moments: [f64; 3],
}

impl Empirical {
    /// The empirical law of these values, in any order.
    ///
    /// # Errors
    ///
    /// When there is none, or one is negative or not finite.
    pub fn new(mut values: Vec<f64>) -> Result<Self, DistributionError> {
        if values.is_empty() {
            return Err(DistributionError::TooFew { what: "values", least: 1, found: 0 });
        }
        for &value in &values {
            not_negative("value", value)?;
        }
        values.sort_by(f64::total_cmp);
        let n = values.len() as f64;
        let moments = [1, 2, 3].map(|k| values.iter().map(|x| x.powi(k)).sum::<f64>() / n);
        Ok(Self { values: values.into(), moments })
    }

    /// The values, in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

impl Law for Empirical {
    const FAMILY: &'static str = "empirical";

    fn mean(&self) -> f64 {
        self.moments[0]
    }

    fn second_moment(&self) -> f64 {
        self.moments[1]
    }

    fn third_moment(&self) -> f64 {
        self.moments[2]
    }

    fn scv(&self) -> f64 {
        if self.values[0] >= self.values[self.values.len() - 1] {
            return 0.0;
        }
        self.moments[1] / self.moments[0].powi(2) - 1.0
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // Multiplication instead of remainder (Lemire 2019).
        let index = (u128::from(rng.next_u64()) * self.values.len() as u128) >> 64;
        self.values[index as usize]
    }

    fn cdf(&self, x: f64) -> f64 {
        self.values.partition_point(|value| *value <= x) as f64 / self.values.len() as f64
    }

    fn quantile(&self, p: f64) -> f64 {
        let rank = (p * self.values.len() as f64).ceil() as usize;
        self.values[rank.clamp(1, self.values.len()) - 1]
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        let above = (q * self.values.len() as f64).floor() as usize;
        self.values[self.values.len() - 1 - above.min(self.values.len() - 1)]
    }

    fn scaled(&self, factor: f64) -> Self {
        let [first, second, third] = self.moments;
        Self {
            values: self.values.iter().map(|x| x * factor).collect(),
            moments: [first * factor, second * factor.powi(2), third * factor.powi(3)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_empirical_law() {
        let law = Empirical::new(vec![3.0, 1.0, 2.0, 10.0]).unwrap();
        assert_sampled(&law, true);
        assert_close(law.mean(), 4.0);
        assert_close(law.second_moment(), 28.5);
        assert_close(law.quantile(0.5), 2.0);
        assert_close(law.upper_quantile(0.5), 2.0);
        assert_close(law.quantile(1.0), 10.0);
        assert_close(law.quantile(0.0), 1.0);
        assert_close(law.scaled(2.0).mean(), 8.0);
        assert_eq!(Empirical::new(vec![]).unwrap_err().to_string(), "expected at least 1 values, found 0");
    }
}

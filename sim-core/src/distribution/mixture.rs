use std::sync::Arc;

use rand::{Rng, RngExt};

use super::error::thresholds;
use super::{Distribution, DistributionError, Law};

/// One of several laws, chosen at random: a fast path and a slow one.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    parts: Arc<[Part]>,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// A draw below this, and not below the part before, chooses the part.
    below: f64,
    weight: f64,
    law: Distribution,
}

impl Mixture {
    /// The mixture of these laws, each with its weight.
    ///
    /// # Errors
    ///
    /// When there is none, a weight is negative, or the weights do not sum to 1.
    pub fn new(parts: Vec<(f64, Distribution)>) -> Result<Self, DistributionError> {
        let weights: Vec<f64> = parts.iter().map(|part| part.0).collect();
        let (thresholds, total) = thresholds(&weights)?;
        let parts = parts.into_iter().zip(thresholds);
        let parts = parts.map(|((weight, law), below)| Part { below, weight: weight / total, law });
        Ok(Self { parts: parts.collect() })
    }

    /// A part of weight 0 counts for nothing, even where its own value is infinite.
    fn sum(&self, of_part: impl Fn(&Distribution) -> f64) -> f64 {
        let present = self.parts.iter().filter(|part| part.weight > 0.0);
        present.map(|part| part.weight * of_part(&part.law)).sum()
    }

    /// Between the smallest and the largest of the parts' own quantiles.
    fn between(&self, of_part: impl Fn(&Distribution) -> f64, holds: impl Fn(f64) -> bool) -> f64 {
        let present = self.parts.iter().filter(|part| part.weight > 0.0);
        let (low, high) = present
            .map(|part| of_part(&part.law))
            .fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        if holds(low) || high.is_infinite() {
            return if holds(low) { low } else { high };
        }
        super::numeric::boundary(holds, low, high)
    }
}

impl Law for Mixture {
    const FAMILY: &'static str = "mixture";

    fn mean(&self) -> f64 {
        self.sum(Distribution::mean)
    }

    fn second_moment(&self) -> f64 {
        self.sum(Distribution::second_moment)
    }

    fn third_moment(&self) -> f64 {
        self.sum(Distribution::third_moment)
    }

    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let choice = rng.random::<f64>();
        let mut chosen = 0;
        while choice >= self.parts[chosen].below {
            chosen += 1;
        }
        self.parts[chosen].law.sample(rng)
    }

    fn cdf(&self, x: f64) -> f64 {
        self.sum(|law| law.cdf(x))
    }

    fn survival(&self, x: f64) -> f64 {
        self.sum(|law| law.survival(x))
    }

    fn quantile(&self, p: f64) -> f64 {
        self.between(|law| law.quantile(p), |x| self.cdf(x) >= p)
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        self.between(|law| law.upper_quantile(q), |x| self.survival(x) <= q)
    }

    fn scaled(&self, factor: f64) -> Self {
        let scale = |part: &Part| Part { law: part.law.scaled(factor), ..part.clone() };
        Self { parts: self.parts.iter().map(scale).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::super::{Constant, Exponential};
    use super::*;

    fn fast_or_stuck() -> Mixture {
        let fast = Exponential::new(0.005).unwrap().into();
        Mixture::new(vec![(0.99, fast), (0.01, Constant::new(1.0).unwrap().into())]).unwrap()
    }

    #[test]
    fn it_is_a_mixture() {
        let law = fast_or_stuck();
        assert_sampled(&law, true);
        assert_consistent(law.clone());
        assert_close(law.mean(), 0.014_95);
        assert_close(law.second_moment(), 0.99 * 2.0 * 0.005_f64.powi(2) + 0.01);
        assert_close(law.quantile(0.999), 1.0);
    }

    #[test]
    fn a_mixture_may_hold_a_mixture() {
        let inner = fast_or_stuck().into();
        let law = Mixture::new(vec![(0.5, inner), (0.5, Constant::new(2.0).unwrap().into())]).unwrap();
        assert_close(law.mean(), 0.5 * 0.014_95 + 1.0);
        assert_sampled(&law, true);
    }

    #[test]
    fn nonsense_is_refused() {
        let part = |weight| (weight, Constant::new(1.0).unwrap().into());
        let refused = |parts: Vec<_>| Mixture::new(parts).unwrap_err().to_string();
        assert_eq!(refused(vec![part(0.9), part(0.2)]), "the weights sum to 1.1, not to 1");
        assert_eq!(refused(vec![part(-1.0)]), "expected a weight of 0 or more, found -1");
        assert_eq!(refused(vec![]), "expected at least 1 alternatives, found 0");
        assert!(Mixture::new(vec![part(0.333), part(0.333), part(0.333)]).is_ok());
    }
}

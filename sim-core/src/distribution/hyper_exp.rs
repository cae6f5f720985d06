use rand::{Rng, RngExt};

use super::error::{positive, thresholds};
use super::ziggurat::exponential;
use super::{DistributionError, Law};

/// One of several exponential phases, chosen at random: P(X > x) is the sum of `p_i e^(-x/m_i)`.
///
/// From a mean and a cv, the two phases have balanced means, p1 m1 = p2 m2.
///
/// Source: Allen, *Probability, Statistics and Queueing Theory*, 2nd ed. (1990), §3.2.9.
#[derive(Clone, Debug, PartialEq)]
pub struct HyperExp {
    phases: Box<[Phase]>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Phase {
    /// A draw below this, and not below the phase before, chooses the phase.
    below: f64,
    weight: f64,
    mean: f64,
}

impl HyperExp {
    /// The hyperexponential law with this mean and coefficient of variation, in two phases of balanced means.
    ///
    /// # Errors
    ///
    /// When `mean` is not positive and finite, or `cv` is below 1.
    pub fn new(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        positive("mean", mean)?;
        positive("cv", cv)?;
        if cv < 1.0 {
            return Err(DistributionError::CvBelowOne(cv));
        }
        let scv = cv * cv;
        // 1 - sqrt((c2 - 1) / (c2 + 1)), without cancellation for a large c2.
        let root = ((scv - 1.0) / (scv + 1.0)).sqrt();
        let rare = 1.0 / ((scv + 1.0) * (1.0 + root));
        let p = 1.0 - rare;
        Self::from_phases(&[(p, mean / (2.0 * p)), (rare, mean / (2.0 * rare))])
    }

    /// The hyperexponential law with these phases: weight and mean of each.
    ///
    /// # Errors
    ///
    /// When the weights are negative or do not sum to 1, or a mean is not positive and finite.
    pub fn from_phases(phases: &[(f64, f64)]) -> Result<Self, DistributionError> {
        let weights: Vec<f64> = phases.iter().map(|phase| phase.0).collect();
        let (thresholds, total) = thresholds(&weights)?;
        let phases = phases.iter().zip(thresholds).map(|(&(weight, mean), below)| {
            Ok(Phase { below, weight: weight / total, mean: positive("mean", mean)? })
        });
        Ok(Self { phases: phases.collect::<Result<_, _>>()? })
    }

    fn sum(&self, of_phase: impl Fn(f64) -> f64) -> f64 {
        self.phases.iter().map(|phase| phase.weight * of_phase(phase.mean)).sum()
    }
}

impl Law for HyperExp {
    const FAMILY: &'static str = "hyperexp";

    fn mean(&self) -> f64 {
        self.sum(|m| m)
    }

    fn second_moment(&self) -> f64 {
        self.sum(|m| 2.0 * m.powi(2))
    }

    fn third_moment(&self) -> f64 {
        self.sum(|m| 6.0 * m.powi(3))
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let choice = rng.random::<f64>();
        let mut chosen = 0;
        while choice >= self.phases[chosen].below {
            chosen += 1;
        }
        self.phases[chosen].mean * exponential(rng)
    }

    fn cdf(&self, x: f64) -> f64 {
        self.sum(|m| -(-x.max(0.0) / m).exp_m1())
    }

    fn survival(&self, x: f64) -> f64 {
        self.sum(|m| (-x.max(0.0) / m).exp())
    }

    fn scaled(&self, factor: f64) -> Self {
        let scale = |phase: &Phase| Phase { mean: phase.mean * factor, ..*phase };
        Self { phases: self.phases.iter().map(scale).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_hyperexponential_law() {
        for cv in [1.0, 2.0, 5.0] {
            let law = HyperExp::new(0.01, cv).unwrap();
            assert_sampled(&law, cv < 4.0);
            assert_consistent(law.clone());
            assert_close(law.mean(), 0.01);
            assert!((law.scv() - cv * cv).abs() < 1e-9, "{cv}: {}", law.scv());
        }
    }

    #[test]
    fn phases_weigh_as_given() {
        let law = HyperExp::from_phases(&[(0.9, 0.002), (0.1, 0.05)]).unwrap();
        assert_close(law.mean(), 0.0068);
        assert_close(law.second_moment(), 2.0 * (0.9 * 4e-6 + 0.1 * 2.5e-3));
        assert_sampled(&law, true);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(
            HyperExp::new(1.0, 0.5).unwrap_err().to_string(),
            "expected a cv of at least 1, found 0.5"
        );
        assert_eq!(
            HyperExp::from_phases(&[(0.5, 1.0), (0.25, 1.0)]).unwrap_err().to_string(),
            "the weights sum to 0.75, not to 1"
        );
    }
}

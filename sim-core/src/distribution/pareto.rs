use rand::{Rng, RngExt};

use super::error::{ordered, positive};
use super::numeric::boundary;
use super::ziggurat::exponential;
use super::{DistributionError, Law};

/// A power-law tail: P(X > x) = (min/x)^alpha from `min` up; with a `max`, given that X <= max.
///
/// Without a `max` the n-th moment is infinite unless alpha is above n: at alpha <= 2 a simulation's averages
/// hardly converge.
///
/// Source: Harchol-Balter, *Performance Modeling and Design of Computer Systems* (2013), ch. 20.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pareto {
    min: f64,
    alpha: f64,
    max: Option<f64>,
    /// The share of the unbounded law that lies below max.
    kept: f64,
}

impl Pareto {
    /// The Pareto law with this mean; `min` is solved for.
    ///
    /// # Errors
    ///
    /// When a parameter is not positive and finite, `max` is not above `mean`, or there is no `max` and `alpha` is
    /// 1 or less.
    pub fn new(mean: f64, alpha: f64, max: Option<f64>) -> Result<Self, DistributionError> {
        positive("mean", mean)?;
        positive("alpha", alpha)?;
        let Some(max) = max else {
            if alpha <= 1.0 {
                return Err(DistributionError::InfiniteMean(alpha));
            }
            return Self::from_min(mean * (alpha - 1.0) / alpha, alpha, None);
        };
        positive("max", max)?;
        ordered(("the mean", mean), ("max", max))?;
        // The mean grows with min, from 0 to max.
        let bounded = |log_min: f64| Self::of(log_min.exp(), alpha, Some(max));
        let mut low = mean.ln() - 1.0;
        while low > -700.0 && bounded(low).mean() > mean {
            low -= low.abs().max(1.0);
        }
        let log_min = boundary(|log_min| bounded(log_min).mean() >= mean, low, mean.ln());
        Self::from_min(log_min.exp(), alpha, Some(max))
    }

    /// The Pareto law that starts at `min`.
    ///
    /// # Errors
    ///
    /// When a parameter is not positive and finite, or `max` is below `min`.
    pub fn from_min(min: f64, alpha: f64, max: Option<f64>) -> Result<Self, DistributionError> {
        positive("min", min)?;
        positive("alpha", alpha)?;
        if let Some(max) = max {
            positive("max", max)?;
            ordered(("min", min), ("max", max))?;
        }
        Ok(Self::of(min, alpha, max))
    }

    fn of(min: f64, alpha: f64, max: Option<f64>) -> Self {
        let kept = max.map_or(1.0, |max| -(-alpha * (max / min).ln()).exp_m1());
        Self { min, alpha, max, kept }
    }

    /// The exponent of the tail, and whether the tail is unbounded.
    pub fn tail(&self) -> (f64, bool) {
        (self.alpha, self.max.is_none())
    }

    /// ln(max / min); infinite without a max.
    fn log_span(&self) -> f64 {
        self.max.map_or(f64::INFINITY, |max| (max / self.min).ln())
    }

    /// With x = min e^y: min^n alpha / kept times the integral of e^(-(alpha - n) y) over y.
    fn moment(&self, n: i32) -> f64 {
        let (excess, span) = (self.alpha - f64::from(n), self.log_span());
        if span == 0.0 {
            return self.min.powi(n);
        }
        let integral = if excess == 0.0 {
            span
        } else if span.is_infinite() && excess < 0.0 {
            f64::INFINITY
        } else {
            -(-excess * span).exp_m1() / excess
        };
        self.min.powi(n) * self.alpha / self.kept * integral
    }
}

impl Law for Pareto {
    const FAMILY: &'static str = "pareto";

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
        match self.max {
            None => self.min * (exponential(rng) / self.alpha).exp(),
            Some(_) => self.quantile(rng.random::<f64>()),
        }
    }

    fn cdf(&self, x: f64) -> f64 {
        1.0 - self.survival(x)
    }

    fn survival(&self, x: f64) -> f64 {
        if x < self.min {
            1.0
        } else if self.max.is_some_and(|max| x >= max) {
            0.0
        } else {
            // The part between x and max, without cancellation near max.
            let to_max = self.max.map_or(f64::INFINITY, |max| (max / x).ln());
            (self.min / x).powf(self.alpha) * -(-self.alpha * to_max).exp_m1() / self.kept
        }
    }

    fn quantile(&self, p: f64) -> f64 {
        let x = self.min * (-(-p * self.kept).ln_1p() / self.alpha).exp();
        self.max.map_or(x, |max| x.min(max))
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        let beyond = self.max.map_or(0.0, |max| (self.min / max).powf(self.alpha));
        let x = self.min * (-(beyond + q * self.kept).ln() / self.alpha).exp();
        self.max.map_or(x, |max| x.min(max))
    }

    fn scaled(&self, factor: f64) -> Self {
        Self { min: self.min * factor, max: self.max.map(|max| max * factor), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    #[test]
    fn it_is_the_pareto_law() {
        let law = Pareto::new(3.0, 3.0, None).unwrap();
        assert_sampled(&law, false);
        assert_consistent(law);
        assert_close(law.quantile(0.0), 2.0);
        assert_close(law.second_moment(), 3.0 * 4.0);
        assert!(law.third_moment().is_infinite());
        assert!(Pareto::new(1.0, 1.5, None).unwrap().scv().is_infinite());
    }

    #[test]
    fn the_bounded_law_has_the_mean_asked_for() {
        for alpha in [0.5, 1.0, 1.5, 2.0, 3.0] {
            let law = Pareto::new(0.02, alpha, Some(10.0)).unwrap();
            assert_close(law.mean(), 0.02);
            assert!(law.quantile(1.0) <= 10.0);
            assert_consistent(law);
        }
        assert_sampled(&Pareto::new(0.02, 1.5, Some(1.0)).unwrap(), true);
    }

    #[test]
    fn bounded_moments_are_those_of_the_textbook() {
        // alpha 1 on [1, e]: kept is 1 - 1/e, E[X] = 1 / kept, E[X^2] = (e - 1) / kept.
        let e = std::f64::consts::E;
        let law = Pareto::from_min(1.0, 1.0, Some(e)).unwrap();
        let kept = 1.0 - 1.0 / e;
        assert_close(law.mean(), 1.0 / kept);
        assert_close(law.second_moment(), (e - 1.0) / kept);
    }

    #[test]
    fn nonsense_is_refused() {
        let refused = |mean, alpha, max| Pareto::new(mean, alpha, max).unwrap_err().to_string();
        assert_eq!(refused(2.0, 1.5, Some(1.0)), "max (1) is below the mean (2)");
        assert_eq!(
            refused(2.0, 0.9, None),
            "without a max, the mean is infinite unless alpha is above 1; found alpha 0.9"
        );
    }
}

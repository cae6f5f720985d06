use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::error::{not_negative, ordered, percentile, positive};
use super::numeric::boundary;
use super::special::{normal_cdf, normal_quantile};
use super::{DistributionError, Law};

/// Its logarithm is normal with mean mu and standard deviation sigma: what many small factors multiply to.
///
/// Source: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions*, vol. 1 (1994), ch. 14.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogNormal {
    mu: f64,
    sigma: f64,
}

/// A property that a lognormal law is chosen by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    /// Its mean.
    Mean(f64),
    /// Its standard deviation.
    Sd(f64),
    /// Its standard deviation over its mean.
    Cv(f64),
    /// A probability strictly between 0 and 1, and the value that is not exceeded with it.
    Quantile(f64, f64),
}

impl Known {
    fn check(self) -> Result<(), DistributionError> {
        match self {
            Self::Mean(mean) => positive("mean", mean).map(|_| ()),
            Self::Sd(sd) => not_negative("sd", sd).map(|_| ()),
            Self::Cv(cv) => not_negative("cv", cv).map(|_| ()),
            Self::Quantile(p, value) if p > 0.0 && p < 1.0 => positive("quantile", value).map(|_| ()),
            Self::Quantile(p, _) => Err(DistributionError::NoQuantile {
                least: "p0",
                most: "p100, both excluded",
                found: percentile(p),
            }),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Mean(_) => "mean".to_owned(),
            Self::Sd(_) => "sd".to_owned(),
            Self::Cv(_) => "cv".to_owned(),
            Self::Quantile(p, _) => percentile(p),
        }
    }

    fn value(self) -> f64 {
        match self {
            Self::Mean(x) | Self::Sd(x) | Self::Cv(x) | Self::Quantile(_, x) => x,
        }
    }
}

impl LogNormal {
    /// The law of e^Z with Z normal of mean `mu` and standard deviation `sigma`.
    ///
    /// # Errors
    ///
    /// When `mu` is not finite, or `sigma` is negative or not finite.
    pub fn from_mu_sigma(mu: f64, sigma: f64) -> Result<Self, DistributionError> {
        positive("median", mu.exp())?;
        Ok(Self { mu, sigma: not_negative("sigma", sigma)? })
    }

    /// The law with two known properties, in either order.
    ///
    /// Where two or three laws qualify, as with a mean and a high quantile, it is the one with the smallest sigma:
    /// the one that varies least.
    ///
    /// # Errors
    ///
    /// When a property is out of range, the same one is given twice, or no law has both.
    ///
    /// ```
    /// use sim_core::distribution::{Distribution, Known, LogNormal};
    /// let law: Distribution =
    ///     LogNormal::from_two(Known::Quantile(0.5, 0.002), Known::Quantile(0.99, 0.009))?.into();
    /// assert!((law.quantile(0.99) - 0.009).abs() < 1e-12);
    /// # Ok::<(), sim_core::distribution::DistributionError>(())
    /// ```
    pub fn from_two(first: Known, second: Known) -> Result<Self, DistributionError> {
        use Known::{Cv, Mean, Quantile, Sd};
        first.check()?;
        second.check()?;
        let impossible = || DistributionError::Impossible {
            first: format!("{} {}", first.name(), first.value()),
            second: format!("{} {}", second.name(), second.value()),
        };
        match (first, second) {
            (Mean(_), Mean(_)) | (Sd(_), Sd(_)) | (Cv(_), Cv(_)) => {
                Err(DistributionError::Twice(first.name()))
            }
            (Mean(mean), Sd(sd)) | (Sd(sd), Mean(mean)) => Self::of_mean_cv(mean, sd / mean),
            (Mean(mean), Cv(cv)) | (Cv(cv), Mean(mean)) => Self::of_mean_cv(mean, cv),
            (Sd(sd), Cv(cv)) | (Cv(cv), Sd(sd)) => Self::of_mean_cv(sd / positive("cv", cv)?, cv),
            (Cv(cv), Quantile(p, value)) | (Quantile(p, value), Cv(cv)) => {
                Self::through(p, value, (cv * cv).ln_1p().sqrt())
            }
            (Mean(mean), Quantile(p, value)) | (Quantile(p, value), Mean(mean)) => {
                let sigma = sigma_of_mean(mean, p, value).ok_or_else(impossible)?;
                Self::from_mu_sigma(mean.ln() - 0.5 * sigma * sigma, sigma)
            }
            (Sd(sd), Quantile(p, value)) | (Quantile(p, value), Sd(sd)) => {
                Self::through(p, value, sigma_of_sd(sd, p, value))
            }
            (Quantile(p, x), Quantile(q, y)) if p <= q => Self::of_quantiles((p, x), (q, y)),
            (Quantile(p, x), Quantile(q, y)) => Self::of_quantiles((q, y), (p, x)),
        }
    }

    fn of_mean_cv(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        positive("mean", mean)?;
        let variance = (cv * cv).ln_1p();
        Self::from_mu_sigma(mean.ln() - 0.5 * variance, variance.sqrt())
    }

    fn through(p: f64, value: f64, sigma: f64) -> Result<Self, DistributionError> {
        Self::from_mu_sigma(value.ln() - normal_quantile(p) * sigma, sigma)
    }

    fn of_quantiles((p, x): (f64, f64), (q, y): (f64, f64)) -> Result<Self, DistributionError> {
        let (low, high) = (percentile(p), percentile(q));
        if low == high {
            return Err(DistributionError::Twice(low));
        }
        ordered((&low, x), (&high, y))?;
        let sigma = (y / x).ln() / (normal_quantile(q) - normal_quantile(p));
        Self::through(p, x, sigma)
    }

    fn moment(&self, n: f64) -> f64 {
        (n * self.mu + 0.5 * (n * self.sigma).powi(2)).exp()
    }

    fn standard(&self, x: f64) -> f64 {
        let above = x.ln() - self.mu;
        if above == 0.0 { 0.0 } else { above / self.sigma }
    }
}

/// The smallest sigma of a law with this mean and p-quantile: ln(value/mean) = z sigma - sigma^2/2.
fn sigma_of_mean(mean: f64, p: f64, value: f64) -> Option<f64> {
    let z = normal_quantile(p);
    let excess = 2.0 * (value / mean).ln();
    let discriminant = z * z - excess;
    if discriminant < 0.0 {
        return None;
    }
    // The product of the two roots is the excess; the form without cancellation depends on the sign.
    let larger = z + discriminant.sqrt();
    if larger <= 0.0 {
        return (excess == 0.0).then_some(0.0);
    }
    let smaller = excess / larger;
    Some(if smaller >= 0.0 { smaller } else { larger })
}

/// The smallest sigma of a law with this standard deviation and p-quantile.
fn sigma_of_sd(sd: f64, p: f64, value: f64) -> f64 {
    if sd == 0.0 {
        return 0.0;
    }
    let z = normal_quantile(p);
    let log_sd = |sigma: f64| {
        let variance = sigma * sigma;
        // ln sqrt(e^v - 1) without overflow for a large v.
        value.ln() - z * sigma + 0.5 * variance + 0.5 * (variance + (-(-variance).exp_m1()).ln())
    };
    let reached = |sigma: f64| log_sd(sigma) >= sd.ln();
    // Small steps, so that the first crossing is not jumped over; it is at sd/value while that is small.
    let mut low = 1e-3 * (sd / value).min(1e-3);
    while !reached(low * 1.01) {
        low *= 1.01;
    }
    boundary(reached, low, low * 1.01)
}

impl Law for LogNormal {
    const FAMILY: &'static str = "lognormal";

    fn mean(&self) -> f64 {
        self.moment(1.0)
    }

    fn second_moment(&self) -> f64 {
        self.moment(2.0)
    }

    fn third_moment(&self) -> f64 {
        self.moment(3.0)
    }

    fn scv(&self) -> f64 {
        self.sigma.powi(2).exp_m1()
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let z: f64 = StandardNormal.sample(rng);
        (self.mu + self.sigma * z).exp()
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { normal_cdf(self.standard(x)) }
    }

    fn survival(&self, x: f64) -> f64 {
        if x <= 0.0 { 1.0 } else { normal_cdf(-self.standard(x)) }
    }

    fn quantile(&self, p: f64) -> f64 {
        if self.sigma == 0.0 { self.mu.exp() } else { (self.mu + self.sigma * normal_quantile(p)).exp() }
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        if self.sigma == 0.0 { self.mu.exp() } else { (self.mu - self.sigma * normal_quantile(q)).exp() }
    }

    fn scaled(&self, factor: f64) -> Self {
        Self { mu: self.mu + factor.ln(), sigma: self.sigma }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;

    fn found(law: LogNormal, known: Known) -> f64 {
        match known {
            Known::Mean(_) => law.mean(),
            Known::Sd(_) => law.mean() * law.scv().sqrt(),
            Known::Cv(_) => law.scv().sqrt(),
            Known::Quantile(p, _) => law.quantile(p),
        }
    }

    #[test]
    fn it_is_the_lognormal_law() {
        let law = LogNormal::from_mu_sigma(-4.0, 0.8).unwrap();
        assert_sampled(&law, true);
        assert_consistent(law);
        assert_close(law.mean(), (-4.0_f64 + 0.32).exp());
    }

    #[test]
    fn any_two_properties_make_a_law() {
        let law = LogNormal::from_mu_sigma(-5.0, 0.7).unwrap();
        let properties = [
            Known::Mean(law.mean()),
            Known::Sd(law.mean() * law.scv().sqrt()),
            Known::Cv(law.scv().sqrt()),
            Known::Quantile(0.25, law.quantile(0.25)),
            Known::Quantile(0.5, law.quantile(0.5)),
            Known::Quantile(0.99, law.quantile(0.99)),
            Known::Quantile(0.999, law.quantile(0.999)),
        ];
        for (i, first) in properties.into_iter().enumerate() {
            for second in properties[i + 1..].iter().copied() {
                for made in [LogNormal::from_two(first, second), LogNormal::from_two(second, first)] {
                    let made = made.unwrap();
                    assert_close(found(made, first), first.value());
                    assert_close(found(made, second), second.value());
                    // Another law may have both, with a smaller sigma: sd and a high quantile allow three.
                    assert!(made.sigma < 0.7 + 1e-9, "{first:?} {second:?}: {made:?}");
                }
            }
        }
    }

    #[test]
    fn of_two_laws_with_a_mean_and_a_p99_the_calmer_is_taken() {
        // sigma solves s^2 - 2 z s + 2 ln(p99/mean) = 0: z - sqrt(z^2 - 2 ln 4) and z + sqrt(...).
        let law = LogNormal::from_two(Known::Mean(1.0), Known::Quantile(0.99, 4.0)).unwrap();
        let z = normal_quantile(0.99);
        assert_close(law.sigma, z - (z * z - 2.0 * 4.0_f64.ln()).sqrt());
        // A p99 at the mean: sigma is 0.
        let flat = LogNormal::from_two(Known::Mean(1.0), Known::Quantile(0.99, 1.0)).unwrap();
        assert!(flat.sigma == 0.0 && (flat.quantile(0.3) - 1.0).abs() < 1e-12 && flat.cdf(1.0) > 0.4);
    }

    #[test]
    fn the_impossible_is_refused() {
        let refused = |first, second| LogNormal::from_two(first, second).unwrap_err().to_string();
        let quantile = Known::Quantile;
        assert_eq!(refused(quantile(0.5, 9.0), quantile(0.99, 5.0)), "p99 (5) is below p50 (9)");
        assert_eq!(refused(quantile(0.999, 5.0), quantile(0.5, 9.0)), "p99.9 (5) is below p50 (9)");
        assert_eq!(refused(Known::Mean(1.0), quantile(0.99, 20.0)), "no lognormal law has mean 1 and p99 20");
        assert_eq!(refused(Known::Mean(1.0), quantile(0.5, 2.0)), "no lognormal law has mean 1 and p50 2");
        assert_eq!(refused(Known::Mean(1.0), Known::Mean(2.0)), "mean is given twice");
        assert_eq!(refused(quantile(0.5, 1.0), quantile(0.5, 1.0)), "p50 is given twice");
        assert_eq!(refused(Known::Mean(-1.0), Known::Cv(1.0)), "expected a positive mean, found -1");
    }
}

//! A value and the interval it is known to lie in.

use crate::{Tally, student_t};

/// The share of intervals that cover what they estimate.
const CONFIDENCE: f64 = 0.95;

/// A value with its 95 % confidence interval.
///
/// ```
/// use sim_core::Estimate;
/// let mean = Estimate::from_samples(&[9.0, 10.0, 11.0]).unwrap();
/// assert_eq!(mean.value, 10.0);
/// assert!(mean.covers(11.0) && !mean.covers(13.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value itself.
    pub value: f64,
    /// Lower end of the interval.
    pub lo: f64,
    /// Upper end of the interval.
    pub hi: f64,
}

impl Estimate {
    /// The mean of independent samples, with Student's interval; `None` for fewer than two.
    pub fn from_samples(samples: &[f64]) -> Option<Self> {
        Self::around(tally(samples).mean()?, samples)
    }

    /// A value found in another way, with the interval that the samples give to their mean; `None` for fewer
    /// than two.
    ///
    /// For a percentile of merged histograms, whose samples are the percentiles of the replications.
    pub fn around(value: f64, samples: &[f64]) -> Option<Self> {
        let error = Self::standard_error(samples)?;
        let half_width = student_t(u32::try_from(samples.len() - 1).unwrap_or(u32::MAX), CONFIDENCE) * error;
        Some(Self { value, lo: value - half_width, hi: value + half_width })
    }

    /// The standard error s/sqrt(n) of the mean of independent samples; `None` for fewer than two.
    pub fn standard_error(samples: &[f64]) -> Option<f64> {
        let tally = tally(samples);
        Some((tally.variance()? / tally.count() as f64).sqrt())
    }

    /// Half of the interval's width.
    pub fn half_width(&self) -> f64 {
        (self.hi - self.lo) / 2.0
    }

    /// Whether `x` is in the interval.
    pub fn covers(&self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }
}

fn tally(samples: &[f64]) -> Tally {
    let mut tally = Tally::new();
    for &sample in samples {
        tally.add(sample);
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean 5, variance 10/3, so s/sqrt(n) = 0.912871, and t(3) = 3.182446.
    #[test]
    fn an_interval_by_hand() {
        let estimate = Estimate::from_samples(&[3.0, 4.0, 6.0, 7.0]).unwrap();
        assert!((estimate.value - 5.0).abs() < 1e-12);
        assert!((estimate.half_width() - 0.912_871 * 3.182_446).abs() < 1e-5, "{estimate:?}");
        assert!((estimate.lo + estimate.hi - 10.0).abs() < 1e-12);
    }

    #[test]
    fn one_sample_has_no_interval() {
        assert_eq!(Estimate::from_samples(&[]), None);
        assert_eq!(Estimate::from_samples(&[1.0]), None);
        assert_eq!(Estimate::around(1.0, &[1.0]), None);
    }

    #[test]
    fn a_value_may_be_given() {
        let samples = [3.0, 4.0, 6.0, 7.0];
        let (mean, given) =
            (Estimate::from_samples(&samples).unwrap(), Estimate::around(20.0, &samples).unwrap());
        assert!((given.value - 20.0).abs() < 1e-12);
        assert!((given.half_width() - mean.half_width()).abs() < 1e-12);
    }

    /// Of 2,000 intervals from five normal-ish samples each, 95 % cover the truth: 1,900 give or take 30.
    #[test]
    fn intervals_cover_what_they_promise() {
        let mut draws = crate::Draws::keyed(1);
        let mut sample = || (0..12).map(|_| draws.unit()).sum::<f64>();
        let covered = (0..2000)
            .filter(|_| {
                let samples: Vec<f64> = (0..5).map(|_| sample()).collect();
                Estimate::from_samples(&samples).unwrap().covers(6.0)
            })
            .count();
        assert!((1870..=1930).contains(&covered), "{covered} of 2000");
    }
}

use thiserror::Error;

/// Why the parameters do not make a law. Values are plain numbers; the caller knows their unit.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DistributionError {
    /// A parameter must be above zero.
    #[error("expected a positive {what}, found {value}")]
    NotPositive {
        /// The parameter.
        what: &'static str,
        /// What was given for it.
        value: f64,
    },
    /// A parameter must be zero or more.
    #[error("expected a {what} of 0 or more, found {value}")]
    Negative {
        /// The parameter.
        what: &'static str,
        /// What was given for it.
        value: f64,
    },
    /// What must be larger is smaller.
    #[error("{high} ({high_value}) is below {low} ({low_value})")]
    Reversed {
        /// The one that must not be smaller.
        high: String,
        /// Its value.
        high_value: f64,
        /// The other.
        low: String,
        /// Its value.
        low_value: f64,
    },
    /// One parameter is given two times.
    #[error("{0} is given twice")]
    Twice(String),
    /// A quantile that does not exist.
    #[error("expected a quantile between {least} and {most}, found {found}")]
    NoQuantile {
        /// The lowest that is allowed.
        least: &'static str,
        /// The highest that is allowed.
        most: &'static str,
        /// What was given.
        found: String,
    },
    /// No member of the family has both properties.
    #[error("no lognormal law has {first} and {second}")]
    Impossible {
        /// One property, with its value.
        first: String,
        /// The other.
        second: String,
    },
    /// A hyperexponential law varies at least as much as the exponential one.
    #[error("expected a cv of at least 1, found {0}")]
    CvBelowOne(f64),
    /// A power-law tail so heavy that there is no mean to choose it by.
    #[error("without a max, the mean is infinite unless alpha is above 1; found alpha {0}")]
    InfiniteMean(f64),
    /// The weights of alternatives must add up to one.
    #[error("the weights sum to {0}, not to 1")]
    Weights(f64),
    /// Too few to make a law.
    #[error("expected at least {least} {what}, found {found}")]
    TooFew {
        /// What there are too few of.
        what: &'static str,
        /// How many it takes.
        least: usize,
        /// How many there are.
        found: usize,
    },
}

/// `value` if it is positive and finite.
pub(super) fn positive(what: &'static str, value: f64) -> Result<f64, DistributionError> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(DistributionError::NotPositive { what, value })
    }
}

/// `value` if it is zero or more, and finite.
pub(super) fn not_negative(what: &'static str, value: f64) -> Result<f64, DistributionError> {
    if value >= 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(DistributionError::Negative { what, value })
    }
}

/// Checks that `high` is not below `low`.
pub(super) fn ordered(low: (&str, f64), high: (&str, f64)) -> Result<(), DistributionError> {
    if low.1 <= high.1 {
        return Ok(());
    }
    Err(DistributionError::Reversed {
        high: high.0.to_owned(),
        high_value: high.1,
        low: low.0.to_owned(),
        low_value: low.1,
    })
}

/// How far a sum of weights may be from 1: three times 33.3 % passes, 90 % and 20 % do not.
const SLACK: f64 = 0.005;

/// The weights, made to sum to exactly 1, as running totals; the last is infinite, so that a draw ends there.
pub(super) fn thresholds(weights: &[f64]) -> Result<(Vec<f64>, f64), DistributionError> {
    if weights.is_empty() {
        return Err(DistributionError::TooFew { what: "alternatives", least: 1, found: 0 });
    }
    for &weight in weights {
        not_negative("weight", weight)?;
    }
    let total: f64 = weights.iter().sum();
    if (total - 1.0).abs() > SLACK {
        return Err(DistributionError::Weights(total));
    }
    let mut below = 0.0;
    let mut thresholds: Vec<f64> = weights
        .iter()
        .map(|weight| {
            below += weight / total;
            below
        })
        .collect();
    // Rounding must not leave a gap below 1, and an alternative of weight 0 must not fill it.
    let last = weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0);
    thresholds[last..].fill(f64::INFINITY);
    Ok((thresholds, total))
}

/// A probability as people name it: `p99.9`.
pub(super) fn percentile(p: f64) -> String {
    format!("p{}", (p * 1e8).round() / 1e6)
}

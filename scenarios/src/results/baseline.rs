//! A result held against an earlier one.

use serde::{Deserialize, Serialize};

use super::E;

/// What has changed since an earlier result of the same scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// Version of the program that made the earlier result.
    pub version: String,
    /// Its seed.
    pub seed: u64,
    /// Its replications.
    pub replications: u32,
    /// How the verdicts were found: `Welch's t, Holm at 5 %`.
    pub method: String,
    /// The figures that both have.
    pub changes: Vec<Change>,
    /// Figures that only one of them has.
    pub missing: Vec<String>,
}

impl BaselineReport {
    /// Whether anything has become worse.
    pub fn has_regressed(&self) -> bool {
        self.changes.iter().any(|change| change.trend == Trend::Regressed)
    }
}

/// One figure then and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// `shoppers.p99`, or an expectation as written.
    pub metric: String,
    /// What it was.
    pub before: E,
    /// What it is.
    pub now: E,
    /// Now minus before, with the interval of two independent runs.
    pub difference: E,
    /// How likely so large a difference is where there is none; none where intervals are missing.
    pub p: Option<f64>,
    /// What that says, in view of all figures that were looked at.
    pub trend: Trend,
}

/// Where a figure went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// It is better.
    Improved,
    /// It is worse.
    Regressed,
    /// It is another, of which nobody can say whether it is better.
    Differs,
    /// Nothing was shown.
    NoEvidence,
}

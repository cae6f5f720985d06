//! Expectations on many seeds, in the schema `hockeystick.verify/1`.

use serde::{Deserialize, Serialize};

use super::Met;

/// Scenarios whose expectations were tried on many seeds: `hockeystick.verify/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Always `hockeystick.verify/1`.
    pub schema: String,
    /// Version of the program.
    pub version: String,
    /// How many seeds: from 1 on.
    pub seeds: u32,
    /// The scenarios, in the order in which they were named.
    pub scenarios: Vec<Verified>,
}

/// One scenario on all seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// Its name.
    pub scenario: String,
    /// Its `about`.
    pub about: Option<String>,
    /// Whether a seed was cut short.
    pub complete: bool,
    /// Its expectations.
    pub expect: Vec<VerifiedExpectation>,
}

/// One expectation on all seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifiedExpectation {
    /// As written.
    pub text: String,
    /// The worst verdict of all seeds: *not met* is worse than *undecided*.
    pub verdict: Met,
    /// On how many seeds it is met.
    pub met: u32,
    /// The lowest figure of all seeds; none where there was none, such as the time of what never recovers.
    pub lowest: Option<f64>,
    /// The highest.
    pub highest: Option<f64>,
    /// Why it is not met or undecided, on the first seed where it is.
    pub why: Option<String>,
}

//! What is due to inputs that are not known exactly, as a part of `hockeystick.result/1`.

use serde::{Deserialize, Serialize};

use super::E;

/// What uncertain inputs and chance contribute to what a run has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uncertainty {
    /// Points at which every uncertain input was drawn anew. All intervals of the result are over them.
    pub points: u32,
    /// Replications of each point.
    pub replications: u32,
    /// The inputs.
    pub inputs: Vec<UncertainInput>,
    /// The latencies of every traffic, and what expectations speak of.
    pub metrics: Vec<UncertainMetric>,
    /// At how many points each expectation is met, by the value alone.
    pub expect: Vec<MetAt>,
}

/// An input that is not known exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UncertainInput {
    /// Its path.
    pub path: String,
    /// Unit of its numbers: `s`, `/s`, `%`, `B`, or empty.
    pub unit: String,
    /// Where its range begins; none for samples.
    pub from: Option<f64>,
    /// Where it ends; none for samples.
    pub to: Option<f64>,
}

/// A metric over the points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UncertainMetric {
    /// `shoppers.p99`.
    pub metric: String,
    /// The mean of the points, each of which is the mean of its replications.
    pub mean: E,
    /// 5 % of the points lie below.
    pub p5: f64,
    /// 5 % of the points lie above.
    pub p95: f64,
    /// Where the variance of the points comes from; none where there is none.
    pub causes: Option<Causes>,
    /// What to do about it.
    pub text: Option<String>,
}

/// Shares of the variance of a metric over the points. They add up to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Causes {
    /// By input, in their order: what depends on it alone.
    pub inputs: Vec<Cause>,
    /// Noise of the simulation: replications of one point differ.
    pub noise: E,
    /// What inputs do together, and what no curve through single ones explains.
    pub rest: E,
}

/// The share of an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// Its path.
    pub path: String,
    /// Its first-order share.
    pub share: E,
}

/// At how many points an expectation is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetAt {
    /// The expectation.
    pub text: String,
    /// Points at which it is met.
    pub met: u32,
    /// Points that have something to say.
    pub points: u32,
}

//! Which paths move a metric most, in the schema `hockeystick.sensitivity/1`.

use serde::{Deserialize, Serialize};

use super::{E, Head};

/// Which paths move a metric most: `hockeystick.sensitivity/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensitivityReport {
    /// What was run; its schema is `hockeystick.sensitivity/1`.
    #[serde(flatten)]
    pub head: Head,
    /// The metric that is moved: `shoppers.p99`.
    pub metric: String,
    /// The metric of the scenario as it stands.
    pub base: Option<E>,
    /// How many trajectories through the ranges of the paths count; each is on random numbers of its own.
    pub trajectories: u32,
    /// How many points were run, those at the ends of the leading paths included.
    pub points: u64,
    /// The paths, those that move the metric most first.
    pub paths: Vec<PathEffect>,
    /// Numbers of the model that were not moved.
    pub left_out: Vec<LeftOut>,
    /// Whether nothing was cut short.
    pub complete: bool,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// What a path does to the metric. Effects are in the metric's base unit, for a move through the path's whole range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathEffect {
    /// The path.
    pub path: String,
    /// Unit of its values for labels: `/s`, `s`, `%`, `replicas`, or empty.
    pub unit: String,
    /// Its value as the scenario stands, in base units; none where the scenario gives none.
    pub at: Option<f64>,
    /// Where its range begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Mean of the absolute effects: how much the path matters.
    pub mu_star: Option<E>,
    /// Mean of the effects, with their signs: where it is smaller than `mu_star`, more of the path is good at some
    /// points and bad at others.
    pub mu: Option<E>,
    /// Standard deviation of the effects: how much it matters where the other paths are, and whether the effect bends.
    pub sigma: Option<f64>,
    /// The metric with this path at `from` and all others as they stand; none unless it is one of the leading paths.
    pub low: Option<E>,
    /// The same with this path at `to`.
    pub high: Option<E>,
}

/// A number of the model that was not moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its path.
    pub path: String,
    /// Why: what is wrong with the scenario when it is moved.
    pub why: String,
}

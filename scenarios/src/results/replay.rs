//! What a replay of an autoscaler found, in the schema `hockeystick.replay/1`.

use serde::{Deserialize, Serialize};

use super::Window;

/// Replays of one command: `hockeystick.replay/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// Always `hockeystick.replay/1`.
    pub schema: String,
    /// Version of the program.
    pub version: String,
    /// One for each autoscaler, in the order of the manifest.
    pub replays: Vec<Replay>,
}

/// One autoscaler against what was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// What it scales, or its own name.
    pub name: String,
    /// What it is: `HorizontalPodAutoscaler`, `ScaledObject`, `Knative`, `AWS`.
    pub kind: String,
    /// Fewest replicas.
    pub min: i32,
    /// Most replicas; nothing for no end.
    pub max: Option<i32>,
    /// `open`, `recorded` or `closed`.
    #[serde(rename = "loop")]
    pub how: String,
    /// The date and time of its beginning in UTC, if the recording has dates.
    pub begin: Option<String>,
    /// In seconds since the beginning.
    pub window: Window,
    /// What it was fed.
    pub metrics: Vec<ReplayMetric>,
    /// How often it decided.
    pub decisions: u64,
    /// Why, the most frequent first.
    pub reasons: Vec<ReplayReason>,
    /// Decisions that changed the count. Beside recorded replicas: decisions whose count differs from the one before.
    pub changes: Vec<ReplayDecision>,
    /// All decisions; only when asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<ReplayDecision>,
    /// Figures of it.
    pub summary: ReplaySummary,
    /// Remarks that a reader of the figures must know.
    pub notes: Vec<String>,
    /// Over time; only when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<ReplayCourse>,
}

/// A metric that was replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayMetric {
    /// As the manifest calls it.
    pub name: String,
    /// `%`, or nothing.
    pub unit: String,
    /// What it is held against.
    pub targets: Vec<f64>,
    /// The file that it was read from.
    pub file: String,
    /// Recorded values, and those of them that say that nothing was measured.
    pub values: u64,
    /// See `values`.
    pub missing: u64,
    /// The usual time between two values in seconds.
    pub step: f64,
}

/// How often a reason was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayReason {
    /// In the controller's own words.
    pub reason: String,
    /// In a phrase.
    pub meaning: String,
    /// How often.
    pub count: u64,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayDecision {
    /// In seconds since the beginning.
    pub at: f64,
    /// The time as the recording has it.
    pub time: String,
    /// What the controller was told of the first metric, as it is held against the target.
    pub value: Option<f64>,
    /// The replicas set before.
    pub from: i32,
    /// The replicas wanted; nothing for no opinion.
    pub to: Option<i32>,
    /// Why, in the controller's own words.
    pub reason: String,
    /// The same in a phrase.
    pub meaning: String,
}

/// Figures of a replay. Where it is not known how many replicas were needed, what depends on it is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplaySummary {
    /// Changes of the count.
    pub changes: u64,
    /// Those that added.
    pub up: u64,
    /// Those that took away.
    pub down: u64,
    /// Changes that turned the direction of the one before within `flap_window`.
    pub flaps: u64,
    /// The same per hour.
    pub flaps_per_hour: f64,
    /// In seconds.
    pub flap_window: f64,
    /// Share of the time with fewer ready replicas than needed.
    pub under: Option<f64>,
    /// Share of the time with more.
    pub over: Option<f64>,
    /// Share of the time in which it is not known.
    pub unknown: f64,
    /// The most replicas that were missing at once.
    pub worst: Option<i32>,
    /// Replica-hours that were missing.
    pub missing_hours: Option<f64>,
    /// Replica-hours that were too many.
    pub surplus_hours: Option<f64>,
    /// Replica-hours that were set.
    pub replica_hours: f64,
    /// Replica-hours that were needed.
    pub needed_hours: Option<f64>,
    /// What they cost.
    pub cost: Option<ReplayCost>,
    /// The replicas set.
    pub replicas: Option<ReplayCounts>,
    /// The replicas needed.
    pub needed: Option<ReplayCounts>,
    /// Beside recorded replicas: the share of decisions that would have had another count.
    pub disagrees: Option<f64>,
}

/// Money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayCost {
    /// How much.
    pub amount: f64,
    /// Of what: `USD`.
    pub currency: String,
}

/// A count over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayCounts {
    /// Fewest.
    pub min: i32,
    /// Mean over time.
    pub mean: f64,
    /// Most.
    pub max: i32,
}

/// Steps over time: each value holds from its second on until the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayCourse {
    /// What the controller was told of the first metric, as it is held against the target.
    pub metric: Vec<(f64, Option<f64>)>,
    /// The replicas set.
    pub set: Vec<(f64, Option<i32>)>,
    /// The replicas that were ready.
    pub ready: Vec<(f64, Option<i32>)>,
    /// The replicas needed.
    pub needed: Vec<(f64, Option<i32>)>,
    /// The replicas wanted by the controller, where that is not what was set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<(f64, Option<i32>)>,
    /// Why, wherever it changes.
    pub reasons: Vec<(f64, String)>,
}

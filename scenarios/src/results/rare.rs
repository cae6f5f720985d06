//! Probabilities of what is rare, in the schema `hockeystick.rare/1`.

use serde::{Deserialize, Serialize};

use super::{E, Head};

/// What was found of rare events: `hockeystick.rare/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RareReport {
    /// What was run; its schema is `hockeystick.rare/1`.
    #[serde(flatten)]
    pub head: Head,
    /// Simulated time that is measured in each replication, in seconds.
    pub measured: f64,
    /// Half-width of the intervals that was asked for, relative to their values.
    pub precision: f64,
    /// The events, in the order of the file.
    pub events: Vec<RareResult>,
    /// Whether all of it came to its end.
    pub complete: bool,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// What was found of a rare event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RareResult {
    /// As written: `shoppers.latency > 2s`.
    pub text: String,
    /// Of what the value is a share, or what it is.
    pub of: RareOf,
    /// The share (0 to 1), or the latency in seconds; none where nothing was seen of it.
    pub value: Option<E>,
    /// Whether the interval is as narrow as it was to be.
    pub is_precise: bool,
    /// What is high before it happens: `shoppers.in_flight`.
    pub toward: String,
    /// The levels from which on more copies run, the lowest first.
    pub levels: Vec<u64>,
    /// How many times as many runs go on from each level.
    pub copies: Vec<u32>,
    /// Replications.
    pub replications: u32,
    /// How often it was seen, copies and all.
    pub seen: u64,
    /// Events that were simulated, those that found the levels among them.
    pub events: u64,
    /// Events that plain simulation would have needed for the same interval, if what it sees were independent: at least
    /// so many.
    pub plain_events: Option<f64>,
    /// What stands in the way of an answer.
    pub note: Option<String>,
}

/// Of what a probability is a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RareOf {
    /// Of the requests that are answered.
    Requests,
    /// Of the time.
    Time,
    /// Of the runs: replications as long as the scenario says.
    Runs,
    /// None: it is a latency.
    Latency,
}

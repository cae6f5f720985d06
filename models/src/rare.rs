//! What is rare, and the ladder of levels that leads to it: what [`split`](crate::split) is asked, and its answer.

use sim_core::Span;

use crate::blueprint::{PoolId, QueueId, ServiceId, TrafficId};

/// A level that is high before something rare happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Requests of a traffic that are in the system.
    Traffic(TrafficId),
    /// Requests that are at a service.
    Service(ServiceId),
    /// Requests that wait for a resource of kind `slots`.
    Waiting(PoolId),
    /// Messages of a queue that one of its groups of consumers has not dealt with.
    Lag(QueueId, u32),
}

/// What is rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rare {
    /// That a request of the traffic is answered later than this; in how many, of those that are answered.
    Slow(TrafficId, Span),
    /// That the gauge is at least so high; for how much of the time.
    High(u64),
    /// That the gauge gets so high; in how many runs.
    Reached(u64),
    /// Long latencies of the traffic: their distribution.
    Tail(TrafficId),
}

/// A level, and how many copies of the run go on from where it is first reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The level.
    pub level: u64,
    /// How many go on, the run itself among them; from 2.
    pub copies: u32,
}

/// What is looked for, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// What is rare.
    pub rare: Rare,
    /// What leads there.
    pub gauge: Gauge,
    /// From the lowest level to the highest; none is plain simulation.
    pub rungs: Vec<Rung>,
}

/// What one replication has found. Counts and times are weighted: a copy counts for as much of the run as it stands
/// for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// How much of it was rare: requests, nanoseconds or runs.
    pub rare: f64,
    /// Of how much.
    pub of: f64,
    /// Nanoseconds at each level of the gauge, from 0. The last one stands for all that are higher.
    pub time_at: Vec<f64>,
    /// Events at each level, unweighted: on how much the time rests.
    pub events_at: Vec<u64>,
    /// For [`Rare::Tail`]: latencies, in ascending order.
    pub tail: Vec<Bucket>,
    /// How often something rare was seen: answers, runs, or events while the gauge was high.
    pub sightings: f64,
    /// The same, of all copies, unweighted.
    pub seen: u64,
    /// Events, weighted: what a plain run would have had.
    pub plain_events: f64,
    /// Events of all copies.
    pub events: u64,
    /// Copies that were made.
    pub copies: u64,
    /// Whether all of them came to their end.
    pub complete: bool,
}

/// Requests whose latencies are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The shortest, in nanoseconds.
    pub from: u64,
    /// The longest.
    pub to: u64,
    /// How many, weighted.
    pub weight: f64,
    /// How many were seen.
    pub seen: u64,
}

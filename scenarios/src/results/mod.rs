//! What an experiment found, in the schema `hockeystick.result/1`.
//!
//! Times are in seconds, rates per second, shares from 0 to 1. `None` (JSON `null`) stands where there is
//! nothing to say; it is never 0 instead.

mod baseline;
mod rare;
mod replay;
mod sensitivity;
mod solve;
mod trace;
mod uncertainty;
mod verify;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use baseline::{BaselineReport, Change, Trend};
pub use rare::{RareOf, RareReport, RareResult};
pub use replay::{
    Replay, ReplayCost, ReplayCounts, ReplayCourse, ReplayDecision, ReplayMetric, ReplayReason, ReplayReport,
    ReplaySummary,
};
pub use sensitivity::{LeftOut, PathEffect, SensitivityReport};
pub use solve::{Answer, Assumption, CheckedPoint, SolveAim, SolveReport, TriedPoint};
pub use trace::{Attribute, SpanKind, TracedRequest, TracedSpan, Traces, chrome, otlp};
pub use uncertainty::{Cause, Causes, MetAt, UncertainInput, UncertainMetric, Uncertainty};
pub use verify::{Verified, VerifiedExpectation, VerifyReport};

/// A figure with its 95 % interval. The bounds are missing where fewer than two replications ran.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct E {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub lo: Option<f64>,
    /// Upper end of the interval.
    pub hi: Option<f64>,
}

/// A latency, wait or hold distribution in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Mean.
    pub mean: Option<E>,
    /// Median.
    pub p50: Option<E>,
    /// 90th percentile.
    pub p90: Option<E>,
    /// 95th percentile.
    pub p95: Option<E>,
    /// 99th percentile.
    pub p99: Option<E>,
    /// 99.9th percentile.
    #[serde(rename = "p99.9")]
    pub p999: Option<E>,
    /// Largest seen.
    pub max: Option<f64>,
    /// How many were measured, over all replications.
    pub count: u64,
    /// Percentiles (`p99`, `p99.9`) with fewer than 10 samples beyond them: too few to rely on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thin: Vec<String>,
}

/// What a result begins with: what was run, by what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The schema of the result: `hockeystick.result/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's `about`.
    pub about: Option<String>,
    /// The variant, when one was chosen.
    pub variant: Option<String>,
    /// Version of the program.
    pub version: String,
    /// The seed of everything that was run.
    pub seed: u64,
}

impl Head {
    /// What this program has run of a scenario.
    pub(crate) fn of(
        schema: &str,
        scenario: &str,
        about: Option<&str>,
        variant: Option<&str>,
        seed: u64,
    ) -> Self {
        Self {
            schema: schema.to_owned(),
            scenario: scenario.to_owned(),
            about: about.map(str::to_owned),
            variant: variant.map(str::to_owned),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
        }
    }
}

/// A run: `hockeystick.result/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was run; its schema is `hockeystick.result/1`.
    #[serde(flatten)]
    pub head: Head,
    /// Replications that finished.
    pub replications: u32,
    /// Whether nothing was cut short.
    pub complete: bool,
    /// Why it was cut short, each reason once.
    pub cut_short: Vec<String>,
    /// How intervals were made: `independent replications, Student t`.
    pub method: String,
    /// The measured part of the run.
    pub window: Window,
    /// Events of all replications.
    pub events: u64,
    /// Fingerprint of the trajectories of all replications.
    pub fingerprint: String,
    /// By traffic name.
    pub traffic: BTreeMap<String, TrafficResult>,
    /// By service name.
    pub services: BTreeMap<String, ServiceResult>,
    /// By route name, where health is judged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, RouteResult>,
    /// Top-level resources by name.
    pub resources: BTreeMap<String, ResourceResult>,
    /// Caches by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub caches: BTreeMap<String, CacheResult>,
    /// Policies that are called under, by name.
    #[serde(default)]
    pub policies: BTreeMap<String, PolicyResult>,
    /// Queues by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<String, QueueResult>,
    /// Jobs by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub jobs: BTreeMap<String, JobResult>,
    /// Autoscalers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub autoscalers: BTreeMap<String, AutoscalerResult>,
    /// The laws that every run must obey.
    pub laws: Laws,
    /// Closed forms beside the simulation.
    pub theory: Vec<TheoryLine>,
    /// The resource that saturates first, from the operational laws.
    pub bottleneck: Option<Bottleneck>,
    /// What grows without bound. Empty when there is a steady state.
    pub growth: Vec<Growth>,
    /// The pools whose units are held by requests that wait for each other at the end, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadlock: Option<String>,
    /// Paths of what has no steady state because of it, sorted: a traffic that passes through what grows, and
    /// what this traffic passes through (`traffic.users`, `services.web.endpoints.get`,
    /// `services.web.resources.cores`, `resources.db_connections`).
    #[serde(default)]
    pub unsteady: Vec<String>,
    /// Expectations and their verdicts.
    pub expect: Vec<Verdict>,
    /// Remarks that a reader of the figures must know (flagged percentiles, heavy tails, ...).
    pub notes: Vec<String>,
    /// Over time; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// The distribution of each traffic's latency; only when asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub distributions: BTreeMap<String, Vec<QuantilePoint>>,
    /// What has changed since an earlier result; only when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineReport>,
    /// What is due to inputs that are not known exactly; only where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<Uncertainty>,
}

impl Report {
    /// Whether the traffic, endpoint, service or resource at `path` has a steady state.
    pub fn is_steady(&self, path: &str) -> bool {
        self.unsteady.binary_search_by(|unsteady| unsteady.as_str().cmp(path)).is_err()
    }
}

/// The measured part of a run, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Where the warm-up ends.
    pub from: f64,
    /// The end.
    pub to: f64,
}

/// One traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrafficResult {
    /// Requests that arrived per second.
    pub offered: Option<E>,
    /// Answered requests per second.
    pub throughput: Option<E>,
    /// Requests that arrived over the whole runs, warm-up included, of all replications.
    pub requests: u64,
    /// What became of them (`ok`, `rejected`, ..., `in_flight`): sums to `requests`.
    pub outcomes: BTreeMap<String, u64>,
    /// Share of the requests that ended in the window and were answered as intended.
    pub ok: Option<E>,
    /// Share that ended neither `ok` nor `degraded`.
    pub errors: Option<E>,
    /// Share of each outcome that occurred.
    pub shares: BTreeMap<String, E>,
    /// Attempts per request, first ones included.
    pub attempts_per_request: Option<E>,
    /// Requests in the system.
    pub in_flight: Option<E>,
    /// Response times of answered requests: from the intended start of an open traffic, and as the client saw
    /// them in a closed one.
    pub latency: Latency,
    /// Closed traffic only: from the intended starts (corrected for coordinated omission).
    pub intended: Option<Latency>,
    /// By class, where there is more than one.
    pub classes: BTreeMap<String, GroupResult>,
    /// By tenant, where they have names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<String, GroupResult>,
    /// Where the time of a median request, and of the slow ones, goes: `p50`, `p99`, `p99.9` -> place -> seconds.
    #[serde(rename = "where")]
    pub time_at: BTreeMap<String, Vec<TimeAt>>,
}

/// Time spent at one place by requests of one percentile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeAt {
    /// `db`, `web.workers`, `db_connections`.
    pub place: String,
    /// `queueing`, `service`, `pools`, `retries`, `network`.
    pub kind: String,
    /// Mean seconds of the requests around that percentile.
    pub seconds: f64,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceResult {
    /// Replicas.
    pub replicas: Option<E>,
    /// Requests in the service.
    pub in_flight: Option<E>,
    /// Share of the requests that the busiest replica gets, where there is more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busiest: Option<E>,
    /// The life of its replicas, where they may start, drain or crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<LifeResult>,
    /// Hours of replicas in a replication, where their number changes or they have a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_hours: Option<E>,
    /// What they cost in a replication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostResult>,
    /// By endpoint name.
    pub endpoints: BTreeMap<String, EndpointResult>,
    /// `workers`, `cores` and the service's own resources.
    pub resources: BTreeMap<String, ResourceResult>,
}

/// What the replicas of a service, or the nodes of an autoscaler, cost in a replication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostResult {
    /// How much.
    pub total: Option<E>,
    /// Of what: `USD`.
    pub currency: String,
}

/// The life of the replicas of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LifeResult {
    /// Replicas that start, on average.
    pub starting: Option<E>,
    /// Replicas that are ready and warm up.
    pub warming: Option<E>,
    /// Replicas that are ready, those that warm up included.
    pub ready: Option<E>,
    /// Replicas that drain.
    pub draining: Option<E>,
    /// Replicas that have crashed and do not start yet.
    pub down: Option<E>,
    /// Share of the time with at least so many ready, for each number from 1 on that was not always there.
    pub available: BTreeMap<u32, Option<E>>,
    /// Starts in a replication.
    pub starts: Option<E>,
    /// Crashes in a replication.
    pub crashes: Option<E>,
    /// Calls refused in a replication because the replica was not there.
    pub refused: Option<E>,
    /// Requests cut off with their replica in a replication.
    pub cut_off: Option<E>,
}

/// One route whose callers judge health, or open connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteResult {
    /// The service that it leads to.
    pub to: String,
    /// Calls sent per second.
    pub sent: Option<E>,
    /// Ejections, over all callers and replications.
    pub ejections: u64,
    /// Share of the time that a replica is out, as its callers see it.
    pub out: Option<E>,
    /// Share of the calls that are sent while health is ignored, because too few replicas are in.
    pub panic: Option<E>,
    /// Connections opened per second, where that takes time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connects: Option<E>,
    /// Share of the calls that find one open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<E>,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueResult {
    /// Messages sent per second.
    pub sent: Option<E>,
    /// Senders that wait for room.
    pub senders: Option<E>,
    /// Messages sent, over all replications, and what became of them on the way: `received`, `rejected` (their sender
    /// was told), `dropped` (it was not), `withdrawn` (the sender gave up).
    pub messages: BTreeMap<String, u64>,
    /// By group of consumers; of a queue that nobody takes from, `nobody`.
    pub consumers: BTreeMap<String, ConsumersResult>,
}

/// One autoscaler. What its replicas cost stands with their service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AutoscalerResult {
    /// The service whose replicas it counts.
    #[serde(default)]
    pub service: String,
    /// Replicas that it wanted.
    pub replicas: Option<E>,
    /// Most of them.
    pub replicas_max: Option<E>,
    /// How often it wanted more than before, in one replication.
    pub ups: Option<E>,
    /// How often it wanted less.
    pub downs: Option<E>,
    /// Both for an hour.
    pub changes_per_hour: Option<E>,
    /// Changes that took back one that was no older than 10 min, in one replication.
    pub flaps: Option<E>,
    /// Nodes for the replicas, where they are counted.
    pub nodes: Option<E>,
    /// Hours of them in a replication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_hours: Option<E>,
    /// What they cost in a replication, where they have a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostResult>,
    /// How often it looked and said this, over all replications; the words are the real one's.
    pub reasons: BTreeMap<String, u64>,
}

/// What a group of consumers did with the messages of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsumersResult {
    /// What became of the messages, over all replications: `done`, `dead`, `lost`. With the lag at both ends they sum
    /// to what was received.
    pub outcomes: BTreeMap<String, u64>,
    /// Messages dealt with per second.
    pub throughput: Option<E>,
    /// Messages that are not dealt with.
    pub lag: Option<E>,
    /// The same at the end.
    pub lag_end: Option<E>,
    /// Most of them.
    pub lag_max: Option<u64>,
    /// The greatest age of any message.
    pub age: Option<E>,
    /// Age of the oldest message at the end.
    pub age_end: Option<E>,
    /// From arrival until the work on a message begins for the first time.
    pub wait: Latency,
    /// From arrival until a message is dealt with.
    pub latency: Latency,
    /// Runs per message.
    pub runs_per_message: Option<E>,
    /// Runs whose work had been done before, in one replication.
    pub duplicates: Option<E>,
    /// Messages whose work was done out of order, in one replication.
    pub disordered: Option<E>,
    /// Given up after the last attempt, in one replication.
    pub dead: Option<E>,
    /// Share of the messages that were lost.
    pub lost: Option<E>,
    /// How often partitions were shared out anew, in one replication.
    pub rebalances: Option<E>,
    /// How often a member took too long, in one replication.
    pub expulsions: Option<E>,
    /// Share of the time that a partition stands still because of that.
    pub stopped: Option<E>,
    /// Members.
    pub members: Option<E>,
    /// Share of the time that a member has something to do.
    pub busy: Option<E>,
    /// By partition: messages that are not dealt with at the end, in one replication.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<f64>,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobResult {
    /// Runs per second that did their work.
    pub throughput: Option<E>,
    /// Runs per second that failed.
    pub failures: Option<E>,
    /// Runs under way.
    pub in_flight: Option<E>,
    /// How long runs took.
    pub latency: Latency,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointResult {
    /// Answered requests per second.
    pub throughput: Option<E>,
    /// Requests per second that ended otherwise.
    pub failures: Option<E>,
    /// Response times of the answered ones.
    pub latency: Latency,
}

/// Requests of one class or one tenant of a traffic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupResult {
    /// Response times of the answered ones.
    #[serde(flatten)]
    pub latency: Latency,
    /// Shares of the outcomes that occurred.
    #[serde(default)]
    pub shares: BTreeMap<String, E>,
}

/// One resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceResult {
    /// `slots` or `cores`.
    pub kind: String,
    /// Units of all instances together, averaged over time.
    pub capacity: Option<E>,
    /// Busy share.
    pub utilization: Option<E>,
    /// Units held (cores busy).
    pub in_use: Option<E>,
    /// Requests waiting.
    pub queue_length: Option<E>,
    /// Longest queue seen, all instances together.
    pub queue_max: Option<u64>,
    /// Share of those who asked and had to wait.
    pub wait_probability: Option<E>,
    /// Waiting times of those who got it; 0 for those who did not have to wait.
    pub wait: Latency,
    /// How long it was held.
    pub hold: Latency,
    /// Acquired per second.
    pub rate: Option<E>,
    /// Got it, over all replications.
    pub acquired: u64,
    /// Refused, over all replications.
    pub rejected: u64,
    /// Gave up waiting, over all replications.
    pub timed_out: u64,
    /// Its connections, if its slots are connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<ConnectionResult>,
    /// Turned away when it was their turn, because everybody had waited for too long, over all replications.
    #[serde(default)]
    pub dropped: u64,
    /// Not served because their caller had gone, over all replications.
    #[serde(default)]
    pub abandoned: u64,
    /// Slots of one instance, where their number adapts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<E>,
    /// Cores with a quota: share of the time during which it made work stand still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<E>,
    /// Cores with a quota: share of the periods with work in which it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled_periods: Option<E>,
    /// Cores that pauses have stopped: share of the core time, which counts as used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<E>,
    /// Requests per batch, where it serves batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<E>,
    /// Of kind `rate`: what the limiter did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limiter: Option<LimiterResult>,
    /// Of kind `volume`: where its level was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeResult>,
}

/// Connections of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionResult {
    /// Those that are open.
    pub open: Option<E>,
    /// Opened per second.
    pub opened: Option<E>,
    /// Attempts per second to open one ahead that came to nothing.
    pub refused: Option<E>,
}

/// What a rate limiter did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimiterResult {
    /// Units per second that it allows, each instance.
    pub limit: f64,
    /// Units per second that were taken, of all instances together.
    pub taken: Option<E>,
    /// Share of the limit that those who asked found free: tokens in the bucket, places in the queue, what the
    /// window had left.
    pub free: Option<E>,
}

/// Where the level of a volume was, all instances together. Counts are those of one replication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeResult {
    /// Mean level.
    pub mean: Option<E>,
    /// Lowest level seen.
    pub min: Option<E>,
    /// Highest level seen.
    pub max: Option<E>,
    /// Level at the end.
    pub end: Option<E>,
    /// Units taken.
    pub taken: Option<E>,
    /// Units given.
    pub given: Option<E>,
    /// Units taken that were not there.
    pub oversold: Option<E>,
    /// Requests that were refused or gave up waiting.
    pub refused: Option<E>,
    /// Seconds after which it first ran out: nothing was left, or less than somebody wanted.
    pub empty_at: Option<E>,
}

/// What a cache did, all its stores together. Rates are per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheResult {
    /// Share of the gets that find an answer, fresh or not, or that fetching it has failed.
    pub hit_ratio: Option<E>,
    /// Gets.
    pub gets: Option<E>,
    /// Gets that find nothing.
    pub misses: Option<E>,
    /// Gets that use an answer beyond its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_hits: Option<E>,
    /// Gets that find that fetching the answer has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_hits: Option<E>,
    /// Gets that fetch an answer anew before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early: Option<E>,
    /// Fetches: what is left for the origin.
    pub fetches: Option<E>,
    /// Fetches under way, averaged over time.
    pub fetching: Option<E>,
    /// How long a fetch that succeeds takes.
    pub fetch: Latency,
    /// Fetches on nobody's behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshes: Option<E>,
    /// Fetches that came to nothing.
    pub fetch_failures: Option<E>,
    /// Most fetches of one key at once, ever.
    pub herd_max: Option<E>,
    /// The same each time that a key is fetched, on average.
    pub herd_mean: Option<E>,
    /// Gets that were given what somebody else had fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesced: Option<E>,
    /// Gets that failed with whom they waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesced_failures: Option<E>,
    /// Gets that wait for somebody else's fetch, averaged over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_length: Option<E>,
    /// How long those waited who were given what they waited for.
    pub wait: Latency,
    /// Entries that are fresh, averaged over time.
    pub entries: Option<E>,
    /// Entries for which there is room, all stores together; none is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<u64>,
    /// Entries that made room for others.
    pub evictions: Option<E>,
    /// Answers that found no room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_room: Option<E>,
    /// Writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puts: Option<E>,
    /// Of a copy that lags behind: share of its reads that were older than a write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_reads: Option<E>,
    /// Of a copy that lags behind: share of the reads that went to what it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_reads: Option<E>,
}

/// Calls under one policy. What the policy does not have is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyResult {
    /// Calls per second.
    pub calls: Option<E>,
    /// Requests sent per call: first attempts, retries and hedges, without those turned away on the spot.
    pub attempts_per_call: Option<E>,
    /// Attempts per second that timed out.
    pub timeouts: Option<E>,
    /// Calls per second that were not made because the caller's own deadline had passed.
    pub expired: Option<E>,
    /// Retries per second.
    pub retries: Option<E>,
    /// Retries per second that the budget (or `parallel`) did not allow.
    pub retries_refused: Option<E>,
    /// Copies per second of attempts that were slow.
    pub hedges: Option<E>,
    /// Copies per second that were answered first.
    pub hedges_won: Option<E>,
    /// The breakers of all callers.
    pub breaker: Option<BreakerResult>,
    /// Attempts per second refused because too many were in flight.
    pub limit_rejected: Option<E>,
    /// Fallbacks per second.
    pub fallbacks: Option<E>,
    /// The same by caller, where there is more than one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub callers: BTreeMap<String, PolicyResult>,
}

/// The breakers of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakerResult {
    /// How often they opened in one replication, all callers together.
    pub trips: Option<E>,
    /// Share of the time that they were closed, from each caller's first call on.
    pub closed: Option<E>,
    /// Share of the time that they were open.
    pub open: Option<E>,
    /// Share of the time that they were half open.
    pub half_open: Option<E>,
    /// Attempts per second that they did not let through.
    pub rejected: Option<E>,
}

/// The laws that every run must obey; a violated one is a bug of the simulator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Laws {
    /// L = lambda W at every service, resource, queue and for every traffic.
    pub littles_law: Vec<LittlesLaw>,
    /// Requests offered and what became of them.
    pub conservation: Vec<Conservation>,
    /// Busy time against the work that was met.
    pub utilization: Vec<UtilizationLaw>,
    /// Whether all of them hold.
    pub hold: bool,
}

/// L = lambda W somewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LittlesLaw {
    /// `traffic.shoppers`, `services.web`, `web.workers queue`, ...
    pub at: String,
    /// Time average of the number present.
    pub l: f64,
    /// Departures per second.
    pub lambda: f64,
    /// Mean time of those who left, in seconds.
    pub w: Option<f64>,
    /// Of the exact law on the sample path, relative: at most 1e-9, or the run has failed.
    pub residual: f64,
    /// (L - lambda W) / L as a reader computes it: far from 0 where the window is not stationary.
    pub gap: Option<f64>,
}

/// Requests offered and what became of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conservation {
    /// The traffic.
    pub at: String,
    /// Requests that arrived.
    pub offered: u64,
    /// Requests that ended.
    pub ended: u64,
    /// Requests in flight at the end.
    pub in_flight: u64,
    /// Whether they balance.
    pub holds: bool,
}

/// Busy time against the work that was met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UtilizationLaw {
    /// The resource.
    pub at: String,
    /// Measured busy share.
    pub utilization: f64,
    /// Throughput times mean demand over capacity.
    pub demand: f64,
    /// Their relative difference on the sample path: at most 1e-6.
    pub residual: f64,
}

/// A closed form beside the simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TheoryLine {
    /// Where: `web`, `shoppers`.
    pub at: String,
    /// `M/M/c`, `M/G/1-PS`, ...
    pub model: String,
    /// `response mean`, `wait p99`, `utilization`, ...
    pub metric: String,
    /// What the closed form says; none where it does not apply.
    pub value: Option<f64>,
    /// What the simulation says.
    pub simulated: Option<E>,
    /// Whether it is exact here.
    pub applies: Applies,
    /// Why, or why not, in one line.
    pub why: String,
}

/// How far a closed form can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// Its assumptions hold.
    Exactly,
    /// An approximation, or an assumption is only nearly met.
    Approximately,
    /// It says nothing here.
    No,
}

/// The resource that saturates first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// The resource.
    pub at: String,
    /// Its utilization as the operational laws predict it for the given load.
    pub predicted: f64,
    /// Its measured utilization.
    pub utilization: Option<E>,
    /// The load at which it saturates.
    pub saturates_at: Option<SaturatesAt>,
    /// The sentence with its numbers.
    pub text: String,
}

/// A load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaturatesAt {
    /// `traffic.shoppers.rate`.
    pub path: String,
    /// Per second (or users).
    pub value: f64,
}

/// Something that grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// `web.workers queue`.
    pub at: String,
    /// Requests per second that it grows by.
    pub per_second: E,
    /// The sentence.
    pub text: String,
}

/// An expectation and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// As written.
    pub text: String,
    /// The verdict.
    pub verdict: Met,
    /// What was seen.
    pub observed: Option<E>,
    /// Why it is undecided, when it is.
    pub why: Option<String>,
}

/// Whether an expectation is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// The whole interval is on the right side.
    Met,
    /// The whole interval is on the wrong side.
    NotMet,
    /// The interval straddles the bound, or the run was cut short.
    Undecided,
}

/// Metrics over time, averaged over the replications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Width of a bin in seconds.
    pub bin: f64,
    /// By metric path (`traffic.shoppers.latency.p99`, `traffic.shoppers.throughput`,
    /// `services.web.resources.workers.queue_length`, `....utilization`): one value a bin.
    #[serde(flatten)]
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
    /// What happened by the clock; what recurs is not told one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventMark>,
}

/// Something that happened by the clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventMark {
    /// When it began, in seconds.
    pub from: f64,
    /// When it ended; none is that it did not, or was over at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// What it was.
    pub label: String,
}

/// A point of a latency distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantilePoint {
    /// The share of requests that are not slower.
    pub q: f64,
    /// Seconds.
    pub seconds: f64,
}

/// A sweep: `hockeystick.sweep/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepReport {
    /// Always `hockeystick.sweep/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's `about`.
    pub about: Option<String>,
    /// Version of the program.
    pub version: String,
    /// The swept paths, the one on the chart's axis first.
    pub paths: Vec<String>,
    /// Unit of each path's values for axis labels: `/s`, `s`, `users`, or empty.
    pub units: Vec<String>,
    /// The points, in the order of the grid.
    pub points: Vec<SweepPoint>,
    /// By traffic: the closed form of the whole system along the first path, where there is one.
    pub theory: Vec<TheoryCurve>,
    /// Where the latency curve turns up.
    pub knee: Option<Knee>,
    /// The largest load at which every expectation is met.
    pub capacity: Option<Capacity>,
    /// The advised operating point.
    pub safe: Option<Safe>,
    /// Where one path is swept that is no load: which of its values meet every expectation.
    #[serde(default)]
    pub suffices: Option<Suffices>,
    /// The condition by which the course of every point is judged: `users.ok > 99%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// One point of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// The swept values in base units (per second, seconds, plain).
    pub at: BTreeMap<String, f64>,
    /// What was found there; none when the point was not reached.
    pub result: Report,
    /// What became of it; none where the sweep does not ask, or a replication was cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<PointOutcome>,
}

/// What becomes of a system over the course of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It never leaves its good state.
    Stable,
    /// It leaves it, and is back at the end.
    Recovers,
    /// It is out of it at the end.
    StaysDown,
}

/// What became of the replications of a point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointOutcome {
    /// What became of most of them; of equally many, the worse.
    pub fate: Fate,
    /// The share of those.
    pub share: f64,
    /// Replications that never left the good state.
    pub stable: u32,
    /// Replications that left it and came back.
    pub recovers: u32,
    /// Replications that were out of it at the end.
    pub stays_down: u32,
}

/// A closed form along a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TheoryCurve {
    /// The traffic.
    pub traffic: String,
    /// `mean`, `p50`, `p99`, `p99.9`.
    pub metric: String,
    /// `M/M/4`, `sum of M/M/c stations`, ...
    pub model: String,
    /// Load and seconds, on a finer grid than the points; ends where the system saturates.
    pub curve: Vec<(f64, f64)>,
}

/// Where the latency curve turns up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// The load.
    pub value: f64,
    /// Which curve, and how it was found.
    pub text: String,
}

/// The largest load at which every expectation is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The load, interpolated between the last point that meets and the first that does not.
    pub value: f64,
    /// The last point at which every expectation is met.
    pub last_met: f64,
    /// The first point at which one is not, and which.
    pub first_not_met: Option<(f64, String)>,
    /// The sentence.
    pub text: String,
}

/// The advised operating point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Safe {
    /// From, 60 % of the capacity.
    pub from: f64,
    /// To, 70 % of it.
    pub to: f64,
    /// The reason.
    pub text: String,
}

/// Which values of a path that is no load meet every expectation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suffices {
    /// The values, ascending.
    pub values: Vec<f64>,
    /// The smallest of them where all above it meet every expectation too and one below does not.
    pub at_least: Option<f64>,
    /// The largest of them where all below it meet every expectation too and one above does not.
    pub at_most: Option<f64>,
    /// The sentence.
    pub text: String,
}

/// A comparison: `hockeystick.compare/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompareReport {
    /// Always `hockeystick.compare/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// Version of the program.
    pub version: String,
    /// The variant that the others are compared with.
    pub base: String,
    /// Each variant's own result, in the order of the file.
    pub variants: Vec<(String, Report)>,
    /// Paired differences: variant minus base on the same arrivals and needs.
    pub differences: Vec<Difference>,
    /// Expectations that speak of several variants, or of one by name.
    pub expect: Vec<Verdict>,
}

/// A paired difference of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The variant.
    pub variant: String,
    /// `shoppers.p99`.
    pub metric: String,
    /// What the base has.
    pub base: E,
    /// What the variant has.
    pub value: E,
    /// Variant minus base with its paired interval.
    pub difference: E,
    /// `better`, `worse` or `no evidence`.
    pub verdict: String,
    /// Variance of the paired difference over that of independent runs.
    pub variance_ratio: Option<f64>,
}

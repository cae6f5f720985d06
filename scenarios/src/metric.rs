//! Metrics: what expectations, comparisons and charts speak of, resolved to indices.

use models::blueprint::{
    AutoscalerId, CacheId, EndpointId, JobId, Outcome, PoolId, QueueId, RateId, RouteId, ServiceId,
    TrafficId, VolumeId,
};
use sim_core::SimTime;

/// One figure of one subject, over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// As the reader would write it: `shoppers.p99`.
    pub name: String,
    /// Whose figure.
    pub subject: Subject,
    /// Which figure.
    pub figure: Figure,
    /// When; none is the measured part of the run.
    pub window: Option<(SimTime, SimTime)>,
    /// What is made of the figure.
    pub reading: Reading,
}

/// What is made of a figure over its window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Reading {
    /// The figure of the window as a whole.
    #[default]
    Value,
    /// How fast a level rises: what it is at the window's end less what it is at its beginning, per second.
    ///
    /// Not a line fitted through all levels: what grows is a sum of arrivals less departures, of which the ends
    /// hold all that there is to know, and they are exact counts.
    Slope,
    /// Seconds from the window's beginning until the condition holds and goes on holding to its end.
    Recovery(Condition),
}

/// That a figure is on one side of a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// How it is compared.
    pub comparison: Comparison,
    /// With what, in base units.
    pub bound: f64,
}

impl Condition {
    /// Whether it holds for a value.
    pub fn holds(self, value: f64) -> bool {
        match self.comparison {
            Comparison::Less => value < self.bound,
            Comparison::AtMost => value <= self.bound,
            Comparison::Greater => value > self.bound,
            Comparison::AtLeast => value >= self.bound,
            Comparison::Equal => value.total_cmp(&self.bound).is_eq(),
        }
    }
}

/// Some of the requests of a traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Those of a class.
    Class(u16),
    /// Those of a tenant who has a name.
    Tenant(u16),
}

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A traffic.
    Traffic(TrafficId),
    /// Requests of one class or one tenant of a traffic.
    Group(TrafficId, Group),
    /// A service.
    Service(ServiceId),
    /// An endpoint.
    Endpoint(EndpointId),
    /// Runs of a job.
    Job(JobId),
    /// A queue, in the eyes of one of its groups of consumers.
    Queue(QueueId, u32),
    /// An autoscaler.
    Autoscaler(AutoscalerId),
    /// A resource of kind `slots`.
    Pool(PoolId),
    /// A resource of kind `rate`.
    Rate(RateId),
    /// A resource of kind `volume`.
    Volume(VolumeId),
    /// A cache.
    Cache(CacheId),
    /// The cores of a service.
    Cores(ServiceId),
    /// Calls under a policy: its uses in the blueprint, from the first to before the last.
    Policy(u32, u32),
    /// A route whose callers judge health.
    Route(RouteId),
}

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// Mean latency in seconds.
    Mean,
    /// A percentile of the latency, 0 to 1.
    Quantile(f64),
    /// Largest latency.
    Max,
    /// The same from the intended starts of a closed traffic.
    IntendedMean,
    /// See [`Figure::IntendedMean`].
    IntendedQuantile(f64),
    /// Share of requests that ended with this outcome.
    Share(Outcome),
    /// Share that ended neither ok nor degraded.
    Errors,
    /// Answered requests per second.
    Throughput,
    /// Requests per second that arrived (traffic), that failed (endpoint: see `Failures`).
    Offered,
    /// Requests per second that ended without an answer.
    Failures,
    /// Attempts per request.
    Attempts,
    /// Requests present.
    InFlight,
    /// Busy share.
    Utilization,
    /// Units held, cores busy.
    InUse,
    /// Requests waiting, time average.
    QueueLength,
    /// Longest queue.
    QueueMax,
    /// Share of those who asked and had to wait.
    WaitProbability,
    /// Mean wait in seconds.
    WaitMean,
    /// A percentile of the wait.
    WaitQuantile(f64),
    /// Mean time held in seconds.
    HoldMean,
    /// A percentile of it.
    HoldQuantile(f64),
    /// Acquisitions per second.
    AcquireRate,
    /// Connections that are open.
    Connections,
    /// Connections opened per second.
    Opened,
    /// Attempts per second to open one ahead that came to nothing.
    OpenRefused,
    /// Share of those who asked and were turned away when it was their turn.
    Dropped,
    /// Share of those who asked and were not served because their caller had gone.
    Abandoned,
    /// Units of one instance.
    Limit,
    /// Share of the time during which a quota made work stand still.
    Throttled,
    /// Share of the periods with work in which it did.
    ThrottledPeriods,
    /// Share of the core time during which pauses had the cores.
    Paused,
    /// Requests per batch.
    BatchSize,
    /// Units per second that were taken of a rate, or units of a volume in one replication.
    Taken,
    /// Share of a rate's limit that those who ask find free.
    Free,
    /// Units given to a volume in one replication.
    Given,
    /// Units taken of a volume that were not there, in one replication.
    Oversold,
    /// Requests that were refused, in one replication.
    Refused,
    /// Mean level of a volume.
    Level,
    /// Lowest level.
    LevelMin,
    /// Highest level.
    LevelMax,
    /// Level at the end.
    LevelEnd,
    /// Seconds after which a volume first ran out.
    Emptied,
    /// Replicas.
    Replicas,
    /// Most replicas, of a service or as an autoscaler wants them.
    ReplicasMax,
    /// How often an autoscaler wanted another number of replicas, in one replication.
    Changes,
    /// The same for an hour.
    ChangesPerHour,
    /// How often it wanted more, in one replication.
    Ups,
    /// How often it wanted less, in one replication.
    Downs,
    /// Changes that took the one before back, in one replication.
    Flaps,
    /// The same for an hour.
    FlapsPerHour,
    /// Nodes for the replicas.
    Nodes,
    /// Most of them.
    NodesMax,
    /// Hours of nodes, in one replication.
    NodeHours,
    /// Replicas in a state: its place in `LifeObservation::STATES`. Those that are ready include those that warm up.
    InState(u8),
    /// Share of the time with at least so many ready.
    Available(u32),
    /// How often replicas started, in one replication.
    Starts,
    /// How often replicas crashed, in one replication.
    Crashes,
    /// Requests that were cut off with their replica, in one replication.
    CutOff,
    /// Hours of replicas, in one replication.
    ReplicaHours,
    /// What replicas or nodes cost, in one replication, at this price for an hour.
    Cost(f64),
    /// Calls per second under a policy.
    Calls,
    /// Attempts per second that timed out.
    TimedOut,
    /// Further attempts per second.
    Retries,
    /// Further attempts per second that could not be paid for.
    Unaffordable,
    /// Calls per second for which the time was up before they were made.
    Expired,
    /// Copies per second.
    Hedges,
    /// Copies per second that were answered first.
    HedgesWon,
    /// How often breakers opened, in one replication.
    Trips,
    /// Attempts per second that a breaker did not let through.
    Broken,
    /// Share of the time that breakers were closed.
    Closed,
    /// Share of the time that they were open.
    Open,
    /// Share of the time that they were half open.
    HalfOpen,
    /// Attempts per second that a limit refused.
    Limited,
    /// Fallbacks per second.
    Fallbacks,
    /// Share of the requests that the busiest replica gets.
    Busiest,
    /// The busiest replica's requests over the mean of all.
    Imbalance,
    /// Share of the requests that replica number n gets.
    Replica(u32),
    /// Share of the requests that replicas number n and above get.
    ReplicasFrom(u32),
    /// Ejections per second.
    Ejections,
    /// Share of the time that a replica is out, as its callers see it.
    Out,
    /// Share of the calls that are sent while health is ignored.
    Panic,
    /// Connections opened per second.
    Connects,
    /// Share of the calls that find one open.
    Reused,
    /// Gets per second.
    Gets,
    /// Share of the gets that find an answer in a cache, or that fetching it has failed.
    HitRatio,
    /// Gets per second that find no answer.
    Misses,
    /// Gets per second that use an answer beyond its time.
    StaleHits,
    /// Gets per second that find that fetching the answer has failed.
    NegativeHits,
    /// Gets per second that fetch an answer anew before its time.
    Early,
    /// Gets per second that were given what somebody else had fetched.
    Coalesced,
    /// Gets per second that failed with whom they waited for.
    CoalescedFailures,
    /// Fetches per second: what is left for the origin.
    Fetches,
    /// Fetches under way.
    Fetching,
    /// Fetches per second on nobody's behalf.
    Refreshes,
    /// Fetches per second that came to nothing.
    FetchFailures,
    /// Mean time of a fetch.
    FetchMean,
    /// A percentile of it.
    FetchQuantile(f64),
    /// Entries that made room for others, per second.
    Evictions,
    /// Answers per second that found no room.
    NoRoom,
    /// Entries that are fresh.
    Entries,
    /// Largest number of fetches of one key at once.
    HerdMax,
    /// The same, over all times that a key was fetched, on average.
    HerdMean,
    /// A percentile of it.
    HerdQuantile(f64),
    /// Writes per second.
    Puts,
    /// Share of the reads of a copy that were older than a write.
    StaleReads,
    /// Share of the reads that went to what a copy follows.
    PinnedReads,
    /// Messages sent per second.
    Sent,
    /// Messages of a queue that are not dealt with.
    Lag,
    /// The same at the end.
    LagEnd,
    /// Most of them.
    LagMax,
    /// The greatest age of any message.
    Age,
    /// Age of the oldest message at the end.
    AgeEnd,
    /// Messages per second that are handed out.
    Deliveries,
    /// Messages that were given up, in one replication.
    Dead,
    /// Share of those among the messages that were dealt with in any way.
    DeadShare,
    /// Share of the messages that were lost: on their way, dropped, too old, or failed too late.
    Lost,
    /// Messages dealt with, in one replication.
    Done,
    /// Runs per message dealt with.
    RunsPerMessage,
    /// Runs whose work had been done before, in one replication.
    Duplicates,
    /// Share of those among the runs that did their work.
    DuplicateShare,
    /// Messages whose work was done out of order, in one replication.
    Disordered,
    /// Share of those among the messages whose work was done.
    DisorderedShare,
    /// How often partitions were shared out anew, in one replication.
    Rebalances,
    /// How often a member took too long, in one replication.
    Expulsions,
    /// Share of the time that a partition stands still because of that.
    Stopped,
    /// Share of the time that a member has something to do.
    Busy,
    /// Members.
    Members,
    /// Messages of one partition that are not dealt with at the end.
    LagOf(u32),
}

/// An expectation as checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// As written.
    pub text: String,
    /// What is looked at.
    pub left: Quantity,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what, in base units (seconds, per second, share).
    pub bound: f64,
    /// For `=`: how far off it may be, absolute.
    pub tolerance: f64,
}

/// The left side of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// A metric of one variant, or of whichever variant runs.
    One(Term),
    /// A ratio of two.
    Ratio(Term, Term),
}

/// A metric of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The variant; none is whichever runs.
    pub variant: Option<String>,
    /// The metric.
    pub metric: Metric,
    /// Whether what it is about is there in this variant, and not only in the one that is named.
    pub is_here: bool,
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `=`, within the tolerance.
    Equal,
}

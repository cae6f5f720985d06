//! What one replication saw: integers and histograms, mergeable.
//!
//! The time axis is cut into segments at the warm-up's end and at every edge of a window that an expectation
//! or a chart asks for. A window's figures are those of its segments joined.

use std::collections::BTreeMap;

use sim_core::{Fingerprint, Histogram, PopulationWindow, SimTime};

use crate::blueprint::{Outcome, PoolId};
pub use crate::policy::StateTimes;

/// Requests of one traffic during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrafficObservation {
    /// Requests that arrived.
    pub offered: u64,
    /// Requests that ended, by outcome.
    pub outcomes: Vec<u64>,
    /// Requests that ended, by class; empty where there is one class.
    pub classes: Vec<GroupObservation>,
    /// Requests that ended, by tenant; empty where tenants have no names.
    pub tenants: Vec<GroupObservation>,
    /// Attempts made by the traffic itself for the requests that ended, first ones included.
    pub attempts: u64,
    /// Response times of answered requests (ok, degraded, stale), from the intended start of an open traffic
    /// and from the actual start of a closed one, in nanoseconds.
    pub latency: Histogram,
    /// Times to the end of the requests that were not answered.
    pub unanswered: Histogram,
    /// Closed traffic: latency corrected to the intended starts (coordinated omission).
    pub intended: Histogram,
    /// Requests in the system.
    pub present: PopulationWindow,
}

/// Requests of one class or one tenant of a traffic that ended during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupObservation {
    /// Requests that ended, by outcome.
    pub outcomes: Vec<u64>,
    /// Response times of the answered ones.
    pub latency: Histogram,
}

/// Requests at one endpoint during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointObservation {
    /// Requests that were answered with [`Outcome::OK`], `DEGRADED` or `STALE`.
    pub answered: u64,
    /// Requests that ended otherwise.
    pub failed: u64,
    /// Response times of the answered ones.
    pub latency: Histogram,
}

/// One service during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceObservation {
    /// Requests in the service, from arrival until their last step ends.
    pub present: PopulationWindow,
    /// Replicas that exist and are not gone.
    pub replicas: PopulationWindow,
    /// Requests that arrived, by number of the replica.
    pub received: Vec<u64>,
    /// The life of its replicas, where they may start, drain or crash.
    pub life: Option<Box<LifeObservation>>,
}

/// The life of the replicas of one service during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LifeObservation {
    /// Nanoseconds that replicas have been in each of [`Self::STATES`], all of them together.
    pub state_ns: [u128; 5],
    /// Nanoseconds by the number of replicas that were ready, those that warmed up included.
    pub ready_ns: Vec<u128>,
    /// Starts, those after a crash included.
    pub starts: u64,
    /// Crashes.
    pub crashes: u64,
    /// Calls that were refused because the replica was not there.
    pub refused: u64,
    /// Requests that were cut off with their replica.
    pub lost: u64,
}

impl LifeObservation {
    /// The states that a replica can be in while it is there.
    pub const STATES: [&'static str; 5] = ["starting", "warming", "ready", "draining", "down"];

    /// Share of the time with at least `k` ready.
    pub fn availability(&self, k: usize) -> f64 {
        let sum = |times: &[u128]| times.iter().sum::<u128>() as f64;
        sum(self.ready_ns.get(k..).unwrap_or_default()) / sum(&self.ready_ns)
    }

    /// Adds what was seen in the segment that follows, or by another replication.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.state_ns.iter_mut().zip(&other.state_ns) {
            *sum += more;
        }
        if self.ready_ns.len() < other.ready_ns.len() {
            self.ready_ns.resize(other.ready_ns.len(), 0);
        }
        for (sum, more) in self.ready_ns.iter_mut().zip(&other.ready_ns) {
            *sum += more;
        }
        self.starts += other.starts;
        self.crashes += other.crashes;
        self.refused += other.refused;
        self.lost += other.lost;
    }
}

/// One route during a segment, all its callers together. Kept only where health is judged, or connections are opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteObservation {
    /// Calls that were sent.
    pub sent: u64,
    /// Of those, calls that were sent while health was ignored.
    pub in_panic: u64,
    /// Ejections.
    pub ejections: u64,
    /// Connections opened.
    pub connects: u64,
    /// Calls that found one open.
    pub reused: u64,
    /// Nanoseconds that replicas were out, as their callers saw it.
    pub out_ns: u128,
    /// Nanoseconds that there were replicas, times callers.
    pub replica_ns: u128,
}

/// One resource of kind `slots`, all its instances together, during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolObservation {
    /// Units there are.
    pub capacity: PopulationWindow,
    /// Units held.
    pub in_use: PopulationWindow,
    /// Requests waiting.
    pub waiting: PopulationWindow,
    /// Waiting times of those who got what they waited for; 0 for those who did not have to wait.
    pub wait: Histogram,
    /// How long units were held.
    pub hold: Histogram,
    /// Got it.
    pub acquired: u64,
    /// Refused because the queue was full.
    pub rejected: u64,
    /// Gave up waiting.
    pub timed_out: u64,
    /// Stopped waiting because the caller cancelled.
    pub cancelled: u64,
    /// Its connections, if its slots are connections.
    pub connections: Option<ConnectionObservation>,
    /// Turned away when it was their turn, because everybody had waited for too long.
    pub dropped: u64,
    /// Not served because their caller had gone.
    pub abandoned: u64,
    /// Nanoseconds that there were instances, times instances.
    pub instance_ns: u128,
    /// Batches in which those who got it were served.
    pub batches: u64,
}

/// The connections of one pool, all its instances together, during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionObservation {
    /// Those that are open.
    pub open: PopulationWindow,
    /// Opened.
    pub opened: u64,
    /// Closed.
    pub closed: u64,
    /// Attempts to open one ahead that came to nothing.
    pub refused: u64,
}

/// One resource of kind `rate`, all its instances together, during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateObservation {
    /// Asked for units.
    pub asked: u64,
    /// Sum over those of the share of the limit that they found free.
    pub free: f64,
    /// Got their units.
    pub acquired: u64,
    /// Units that they got.
    pub units: f64,
    /// Units that could have been had; 0 where the number of instances is not known.
    pub allowed: f64,
    /// Refused.
    pub rejected: u64,
    /// Gave up waiting.
    pub timed_out: u64,
    /// Stopped waiting because the caller cancelled.
    pub cancelled: u64,
    /// Requests waiting.
    pub waiting: PopulationWindow,
    /// Waiting times of those who got what they waited for; 0 for those who did not have to wait.
    pub wait: Histogram,
}

/// One resource of kind `volume`, all its instances together, during a segment.
///
/// What moves the level adds up: `end = start + added + given - taken`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VolumeObservation {
    /// Replications that are added up in this.
    pub replications: u64,
    /// Level at the beginning.
    pub start: f64,
    /// Level at the end.
    pub end: f64,
    /// Integral of the level in unit-seconds.
    pub level_sum: f64,
    /// Lowest level.
    pub lowest: f64,
    /// Highest level.
    pub highest: f64,
    /// Units taken.
    pub taken: f64,
    /// Of those, units that were not there.
    pub oversold: f64,
    /// Units given.
    pub given: f64,
    /// Units that came with new instances, or with a change of the volume's size.
    pub added: f64,
    /// Replications in which it ran out: nothing was left, or less than somebody wanted.
    pub emptied: u64,
    /// Sum of the instants at which that first happened, in seconds.
    pub emptied_at_sum: f64,
    /// Got what they wanted.
    pub acquired: u64,
    /// Refused.
    pub rejected: u64,
    /// Gave up waiting.
    pub timed_out: u64,
    /// Stopped waiting because the caller cancelled.
    pub cancelled: u64,
    /// Requests waiting.
    pub waiting: PopulationWindow,
    /// Waiting times of those who got what they waited for; 0 for those who did not have to wait.
    pub wait: Histogram,
}

/// One job during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobObservation {
    /// Runs that are under way.
    pub present: PopulationWindow,
    /// Runs that ended, by outcome.
    pub outcomes: Vec<u64>,
    /// How long those took, from the start to the last step, in nanoseconds.
    pub time: Histogram,
}

/// One cache, all its stores together, during a segment.
///
/// Whoever gets from it finds a fresh answer, a stale one, or a failure that is remembered, or misses it. Whoever
/// misses it fetches it or waits for somebody who does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheObservation {
    /// Asked for an answer.
    pub gets: u64,
    /// Found one that was fresh. Of a copy that lags behind: read from it.
    pub hits: u64,
    /// Found one that had expired, and used it.
    pub stale_hits: u64,
    /// Found that fetching it had failed.
    pub negative_hits: u64,
    /// Found one, and fetched it anew before its time.
    pub early: u64,
    /// Found none. Of a copy that lags behind: read from what it follows.
    pub misses: u64,
    /// Were given what somebody else had fetched.
    pub coalesced: u64,
    /// Failed because whoever they waited for did.
    pub failed: u64,
    /// Stopped waiting because the caller cancelled.
    pub cancelled: u64,
    /// Fetches on nobody's behalf.
    pub refreshes: u64,
    /// Fetches that ended without an answer.
    pub fetch_failures: u64,
    /// Answers stored.
    pub stored: u64,
    /// Entries that made room for others.
    pub evictions: u64,
    /// Answers that found no room.
    pub refused: u64,
    /// Of a copy that lags behind: read before a write had arrived.
    pub stale_reads: u64,
    /// Writes.
    pub puts: u64,
    /// Entry-nanoseconds that entries were fresh.
    pub fresh_ns: u128,
    /// Herds: times that keys were being fetched, from the first who began until nobody was left.
    pub herds: u64,
    /// Most fetches of a key at once, summed over the herds.
    pub herd_sum: u64,
    /// The same of the largest.
    pub herd_max: u64,
    /// The same as a distribution.
    pub herd: Histogram,
    /// Fetches under way.
    pub fetching: PopulationWindow,
    /// How long fetches that succeeded took.
    pub fetch: Histogram,
    /// Requests waiting for somebody else's fetch.
    pub waiting: PopulationWindow,
    /// Waiting times of those who were given what they waited for.
    pub wait: Histogram,
}

/// One queue during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueObservation {
    /// Messages that were sent.
    pub sent: u64,
    /// Of those, messages that it took in.
    pub received: u64,
    /// Messages whose sender was told that they are not taken.
    pub rejected: u64,
    /// Messages that were lost on their way to it, or dropped because it was full.
    pub dropped: u64,
    /// Of those sent, messages that are on their way at the segment's end.
    pub travelling: u64,
    /// Messages whose sender stopped before there was room for them.
    pub withdrawn: u64,
    /// Senders that wait for room.
    pub senders: PopulationWindow,
    /// By group.
    pub groups: Vec<ConsumersObservation>,
}

/// What a group of consumers did with the messages of a queue during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumersObservation {
    /// Messages that are not dealt with.
    pub lag: PopulationWindow,
    /// Messages that are there at the segment's end, counted one by one.
    pub kept: u64,
    /// Messages that it was to deal with.
    pub received: u64,
    /// Messages dealt with.
    pub done: u64,
    /// Messages given up after their last attempt.
    pub dead: u64,
    /// Messages that became too old, or failed after they had counted as dealt with.
    pub lost: u64,
    /// Messages handed out, again or not.
    pub deliveries: u64,
    /// Runs that did their work.
    pub worked: u64,
    /// Of those, runs whose work had been done before.
    pub duplicates: u64,
    /// Runs that failed.
    pub failures: u64,
    /// Messages whose work was done after that of a later one of the same value.
    pub disordered: u64,
    /// Batches that members took.
    pub polls: u64,
    /// How often partitions were shared out anew.
    pub rebalances: u64,
    /// How often a member took too long.
    pub expulsions: u64,
    /// Nanoseconds that members were not let work, times members.
    pub stopped_ns: u128,
    /// Nanoseconds that there were members, times members.
    pub member_ns: u128,
    /// Nanoseconds that members had something to do, times members.
    pub busy_ns: u128,
    /// From arrival until a message was handed out for the first time.
    pub wait: Histogram,
    /// From arrival until it was dealt with.
    pub latency: Histogram,
    /// The greatest age of any message in nanoseconds.
    pub oldest: u64,
    /// Age of the oldest message at the segment's end.
    pub oldest_end: u64,
    /// By partition: messages that are not dealt with at the segment's end. Empty where there are no partitions.
    pub partitions: Vec<u64>,
    /// Replications that are added up in this.
    pub replications: u64,
}

/// One autoscaler during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AutoscalerObservation {
    /// Replicas that were wanted.
    pub wanted: PopulationWindow,
    /// Nodes that were there, where they are counted.
    pub nodes: PopulationWindow,
    /// How often it looked.
    pub looks: u64,
    /// Of those, how often for which reason, in its own words.
    pub reasons: BTreeMap<String, u64>,
    /// How often it wanted more than before.
    pub ups: u64,
    /// How often it wanted less.
    pub downs: u64,
    /// Of both, changes that took the one before back: see [`crate::autoscaler::flaps`].
    pub flaps: u64,
}

/// The cores of one service, all replicas together, during a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CoresObservation {
    /// Core-nanoseconds there were.
    pub capacity: f64,
    /// Core-nanoseconds used.
    pub busy: f64,
    /// CPU-nanoseconds worked off: `busy` times the speed, less what contention costs. By the utilization law it
    /// is `met + partial_end - partial_start`.
    pub worked: f64,
    /// CPU-nanoseconds of need met by the bursts that ended, in whole or, of stopped ones, in part.
    pub met: f64,
    /// CPU-nanoseconds that bursts unfinished at the segment's beginning had got by then.
    pub partial_start: f64,
    /// The same at its end.
    pub partial_end: f64,
    /// Requests computing or waiting for a core.
    pub present: PopulationWindow,
    /// Time from asking for the CPU until the need was met.
    pub response: Histogram,
    /// The part of it that was not the need itself.
    pub wait: Histogram,
    /// What quotas have held back.
    pub throttled: ThrottledObservation,
    /// Core-nanoseconds during which pauses had the cores: not among `busy`.
    pub paused: f64,
}

impl CoresObservation {
    /// Core-nanoseconds in which the cores were not free: they computed, or stood still for somebody who paused them.
    pub fn taken(&self) -> f64 {
        self.busy + self.paused
    }
}

/// What the quotas of a service's replicas have held back during a segment, as `cpu.stat` tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ThrottledObservation {
    /// Nanoseconds that there were replicas.
    pub replica_ns: f64,
    /// Of those, nanoseconds during which work stood still.
    pub nanos: f64,
    /// Periods in which there was work.
    pub periods: u64,
    /// Of those, periods in which it stood still for a while.
    pub held_back: u64,
}

impl ThrottledObservation {
    /// Adds what others have seen.
    pub fn add(&mut self, more: Self) {
        self.replica_ns += more.replica_ns;
        self.nanos += more.nanos;
        self.periods += more.periods;
        self.held_back += more.held_back;
    }
}

/// Calls under one policy by one caller, all its replicas together, during a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyObservation {
    /// Calls begun.
    pub calls: u64,
    /// Requests sent for them: first attempts, retries and hedges, without those turned away on the spot.
    pub attempts: u64,
    /// Attempts that timed out.
    pub timed_out: u64,
    /// Further attempts decided on.
    pub retries: u64,
    /// Further attempts that the budget, or the number of those under way, did not allow.
    pub unaffordable: u64,
    /// Calls that were not made because the time for them was up.
    pub expired: u64,
    /// Copies sent of attempts that were slow.
    pub hedges: u64,
    /// Attempts that a copy answered before the first one.
    pub hedges_won: u64,
    /// How often the breaker opened.
    pub trips: u64,
    /// Attempts that it did not let through.
    pub broken: u64,
    /// Time that the callers' breakers were in each state, in nanoseconds.
    pub breaker: StateTimes,
    /// Attempts that were refused because too many were in flight.
    pub limited: u64,
    /// Calls that the fallback was run for.
    pub fallbacks: u64,
}

/// Everything seen between two cuts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// Beginning.
    pub from: SimTime,
    /// End.
    pub to: SimTime,
    /// By traffic.
    pub traffics: Vec<TrafficObservation>,
    /// By endpoint.
    pub endpoints: Vec<EndpointObservation>,
    /// By service.
    pub services: Vec<ServiceObservation>,
    /// By pool.
    pub pools: Vec<PoolObservation>,
    /// By rate.
    pub rates: Vec<RateObservation>,
    /// By volume.
    pub volumes: Vec<VolumeObservation>,
    /// By job.
    pub jobs: Vec<JobObservation>,
    /// By cache.
    pub caches: Vec<CacheObservation>,
    /// By queue.
    pub queues: Vec<QueueObservation>,
    /// By autoscaler.
    pub autoscalers: Vec<AutoscalerObservation>,
    /// By route.
    pub routes: Vec<RouteObservation>,
    /// By service; none where it has no cores.
    pub cores: Vec<Option<CoresObservation>>,
    /// By use of a policy, in the order of [`crate::blueprint::Blueprint::uses`].
    pub policies: Vec<PolicyObservation>,
}

/// Counts over the whole run of one traffic, warm-up included: they balance exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Requests that arrived.
    pub offered: u64,
    /// Requests that ended, by outcome.
    pub outcomes: Vec<u64>,
    /// Requests in flight at the end.
    pub in_flight: u64,
}

impl Balance {
    /// Whether what was offered is what ended and what is in flight.
    pub fn holds(&self) -> bool {
        self.offered == self.outcomes.iter().sum::<u64>() + self.in_flight
    }

    /// Requests that ended with `outcome`.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome.0 as usize).copied().unwrap_or(0)
    }
}

/// What a queue had left at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Messages that were on their way to it, or waited for room on it.
    pub on_the_way: u64,
    /// Messages that each of its groups had not dealt with.
    pub kept: Vec<u64>,
}

impl Left {
    /// What was left where the last segment ended.
    pub(crate) fn of(queue: &QueueObservation) -> Self {
        Self {
            on_the_way: queue.travelling + queue.senders.n_end,
            kept: queue.groups.iter().map(|group| group.kept).collect(),
        }
    }
}

/// Where the time of requests went: by place, for requests of similar latency.
///
/// Kept for a sample of answered requests of one traffic. A row is a bucket of latencies, eight an octave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Breakdown {
    /// Bucket number, requests in it, and nanoseconds by place (see [`crate::places`]).
    pub rows: Vec<BreakdownRow>,
}

/// One bucket of a [`Breakdown`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BreakdownRow {
    /// Lower edge of the latencies in it, in nanoseconds.
    pub low: u64,
    /// Upper edge, excluded.
    pub high: u64,
    /// Requests.
    pub requests: u64,
    /// Their total time by place.
    pub nanos: Vec<(u32, u64)>,
}

/// Why a replication ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It reached its duration, or nothing was left to happen.
    Complete,
    /// Too many events.
    EventLimit,
    /// Too many events at one instant; what they were.
    SameInstant {
        /// When.
        at: SimTime,
        /// The repeating cycle, in words.
        cycle: String,
    },
    /// Wall time was up.
    WallLimit,
    /// Too much memory.
    MemoryLimit,
    /// A call went deeper than the limit.
    CallDepth,
    /// The user interrupted it.
    Cancelled,
}

/// Requests that wait for each other: whoever holds units of one pool waits for units of the next, and so round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// When the last of them began to wait.
    pub since: SimTime,
    /// From pool to pool; the last one leads back to the first.
    pub links: Vec<DeadlockLink>,
}

/// One pool of a [`Deadlock`], seen at one of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlockLink {
    /// The pool.
    pub pool: PoolId,
    /// How many of its units are held by requests that wait for the next one.
    pub units: u64,
    /// How many of its units are held at all.
    pub in_use: u64,
    /// The pool that they wait for.
    pub waits_for: PoolId,
}

/// Everything one replication saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Observations {
    /// Consecutive segments from 0 to the end.
    pub segments: Vec<Segment>,
    /// By traffic, over the whole run.
    pub balances: Vec<Balance>,
    /// By queue. Replications that were cut short end in different segments, so segments that were merged do not tell.
    pub left: Vec<Left>,
    /// By traffic; empty unless the replication was told to keep it.
    pub breakdowns: Vec<Breakdown>,
    /// Events handled.
    pub events: u64,
    /// Why it ended.
    pub ended: Ended,
    /// When it ended.
    pub end: SimTime,
    /// Of the trajectory.
    pub fingerprint: Fingerprint,
    /// Requests that wait for each other at the end.
    pub deadlock: Option<Deadlock>,
    /// Most requests and frames in flight at once, and the bytes they took.
    pub peak_frames: u64,
    /// Estimated bytes at the high-water mark.
    pub peak_bytes: u64,
}

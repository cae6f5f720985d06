//! A compiled scenario: flat tables and step code, indices only.
//!
//! The scenario language is resolved by the time a blueprint exists: every name is an index, every default is
//! filled in, every distribution is validated. What fails from here on is our own bug.
//!
//! Rows that may change while the system runs (a fault, a schedule, an autoscaler) live in tables of their
//! own, so that a [`Patch`] can replace a row and put it back.

use std::sync::Arc;

use sim_core::distribution::Distribution;
use sim_core::modulation::Modulation;
use sim_core::rate::RateCurve;
use sim_core::{SimTime, Span};

use crate::attribute::Attributes;
use crate::autoscaler::controller::Controller;
use crate::autoscaler::plan::AutoscalerPlan;
use crate::formula::Formula;
use crate::health::HealthPlan;

/// Declares an index into one of the blueprint's tables.
macro_rules! table_index {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the table.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

table_index! {
    /// A source of traffic.
    TrafficId;
    /// A service.
    ServiceId;
    /// An endpoint of a service.
    EndpointId;
    /// A job.
    JobId;
    /// A queue of messages.
    QueueId;
    /// A `send` step.
    SendId;
    /// A resource of kind `slots`: the plan that all its instances share.
    PoolId;
    /// A distribution, in seconds or plain numbers.
    SamplerId;
    /// A number that follows from levels.
    FormulaId;
    /// A place in the code that calls an endpoint.
    CallId;
    /// How replicas of a service are chosen.
    RouteId;
    /// How a call is made.
    PolicyId;
    /// An `all` step.
    ForkId;
    /// A `choose` step.
    ChoiceId;
    /// What a call sends over the network.
    WireId;
    /// A resource of kind `rate`.
    RateId;
    /// A resource of kind `volume`.
    VolumeId;
    /// A `take` or a `give` step.
    MoveId;
    /// A zone: what can be lost as a whole.
    ZoneId;
    /// Two sides whose messages an event may disturb.
    LinkId;
    /// A cache.
    CacheId;
    /// A `get` step.
    GetId;
    /// A `put` step.
    PutId;
    /// What decides how many replicas a service has.
    AutoscalerId;
    /// An operation in [`Blueprint::code`].
    CodeAddress;
}

/// How a request ended. The first ones are fixed; `fail: name` adds one per name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome(pub u16);

impl Outcome {
    /// Answered as intended.
    pub const OK: Self = Self(0);
    /// A fallback answered.
    pub const DEGRADED: Self = Self(1);
    /// Answered from a copy older than a write that the caller knows of.
    pub const STALE: Self = Self(2);
    /// Refused on arrival.
    pub const REJECTED: Self = Self(3);
    /// The caller gave up.
    pub const TIMED_OUT: Self = Self(4);
    /// Stopped by the caller.
    pub const CANCELLED: Self = Self(5);
    /// Given up by a queue after its last attempt.
    pub const DEAD_LETTERED: Self = Self(6);
    /// Gone with a crash.
    pub const LOST: Self = Self(7);
    /// The names of the fixed outcomes, as they stand in files and results.
    pub const FIXED: [&'static str; 8] =
        ["ok", "degraded", "stale", "rejected", "timed_out", "cancelled", "dead_lettered", "lost"];

    /// The outcome of the `n`-th name that a `fail` step uses.
    pub fn failed(n: usize) -> Self {
        Self((Self::FIXED.len() + n) as u16)
    }

    /// Whether the caller got an answer that it can use.
    #[inline]
    pub fn is_answer(self) -> bool {
        self.0 <= Self::STALE.0
    }
}

/// A set of outcomes, such as those that a policy retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeSet {
    /// `member[o]` tells whether outcome `o` belongs to the set.
    pub member: Vec<bool>,
}

impl OutcomeSet {
    /// Whether `outcome` belongs to the set.
    #[inline]
    pub fn contains(&self, outcome: Outcome) -> bool {
        self.member.get(outcome.0 as usize).copied().unwrap_or(false)
    }
}

/// One operation of the step code.
///
/// A step costs an event only when time passes; everything else is done in the same instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Queues for `units` of the pool and holds them until the matching [`Op::Release`] or the end.
    Acquire {
        /// Which pool; the instance follows from the pool's scope.
        pool: PoolId,
        /// How many units.
        units: u32,
    },
    /// Gives back what the innermost [`Op::Acquire`] took.
    Release,
    /// Passes the activator of the service: queues for the pool if the request came that way, and holds it until the
    /// end.
    Activate(PoolId),
    /// Goes on to a replica that is ready, if the request came through an activator.
    Dispatch,
    /// Takes an idle connection into the slot just got, and goes on at `exit`; else goes on here.
    Connect {
        /// The operation behind [`Op::Opened`].
        exit: CodeAddress,
    },
    /// Opens a connection into the slot just got, which may take time.
    Open(PoolId),
    /// The connection is open.
    Opened {
        /// Whose it is.
        pool: PoolId,
        /// Whether it takes over what the innermost [`Op::Acquire`] took.
        takes_unit: bool,
    },
    /// Queues for a unit of the pool, and is served together with others: the batch takes its time.
    Batch(PoolId),
    /// Takes from a rate or a volume.
    Take(MoveId),
    /// Gives to a volume.
    Give(MoveId),
    /// Looks for an answer in a cache, and goes on here where there is none.
    Get(GetId),
    /// The answer that was missing is there: it is stored.
    Fetched(GetId),
    /// Writes to a cache.
    Put(PutId),
    /// Puts a message on a queue, and waits for as much as it asks for.
    Send(SendId),
    /// Needs CPU time on the replica's cores.
    Cpu(SamplerId),
    /// Needs CPU time on the replica's cores, and more for each byte that the request carries.
    CpuPerByte {
        /// What it needs in any case.
        need: SamplerId,
        /// Seconds for each byte.
        each: f64,
    },
    /// Needs a time of the replica's cores that is so many times what is drawn.
    CpuTimes {
        /// What is drawn.
        need: SamplerId,
        /// How many times; not below 0.
        factor: FormulaId,
    },
    /// Time passes, no core is used.
    Delay(SamplerId),
    /// A time passes that is so many times what is drawn.
    DelayTimes {
        /// What is drawn.
        time: SamplerId,
        /// How many times; not below 0.
        factor: FormulaId,
    },
    /// The cores of the replica stand still for a time.
    Pause(SamplerId),
    /// They stand still for a time that is so many times what is drawn.
    PauseTimes {
        /// What is drawn.
        time: SamplerId,
        /// How many times; not below 0.
        factor: FormulaId,
    },
    /// Calls an endpoint and waits for the reply.
    Call(CallId),
    /// Starts branches and waits for as many as it needs.
    Fork(ForkId),
    /// Draws how often the block is to run and enters it, or skips to `exit` for 0.
    RepeatBegin {
        /// How often.
        times: SamplerId,
        /// The first operation behind the block.
        exit: CodeAddress,
    },
    /// Goes back to `start` while rounds are left.
    RepeatEnd {
        /// The first operation of the block.
        start: CodeAddress,
    },
    /// Continues at the chosen arm.
    Choose(ChoiceId),
    /// Continues at the address.
    Jump(CodeAddress),
    /// Answers the caller now; the following operations run on.
    Reply,
    /// The request has left the queue: copies of it that a tied hedge has sent are stopped.
    Begin,
    /// Ends the frame with `outcome`, always or with a probability.
    Fail {
        /// How it ends.
        outcome: Outcome,
        /// 1 for always.
        probability: f32,
    },
    /// The frame has done its last step: gives back what it holds and answers if it has not yet.
    End,
}

/// How the instances of a pool are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PoolScope {
    /// One in each replica of `service`: number `slot` of the replica's pools.
    Replica {
        /// The service whose replicas own it.
        service: ServiceId,
        /// Its position among the replica's pools.
        slot: u32,
    },
    /// One for the whole system (or the whole service).
    One,
    /// One for each class of request.
    Class,
    /// One for each value of an attribute, made when it is asked for and forgotten when it is idle.
    Each(Attribute),
}

/// Who is served next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// First come, first served.
    Fifo,
    /// Last come, first served; whoever is in service stays there.
    Lifo,
    /// The most important class first (the lowest class index), first come first served within a class.
    Priority,
    /// Anybody.
    Random,
    /// Who has the least to do.
    Sjf,
    /// Who has to be served earliest.
    Edf,
    /// First come, first served, and turned away when the line has stood for too long.
    Codel(CodelPlan),
    /// First come, first served while no more than `above` wait, else last come, first served.
    AdaptiveLifo {
        /// How many may wait before the newest go first.
        above: u32,
        /// How long they may wait.
        codel: Option<CodelPlan>,
    },
}

/// How long a line may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodelPlan {
    /// A wait that is no sign of a standing queue.
    pub target: Span,
    /// How long waits may exceed it.
    pub interval: Span,
}

/// How the slots of a pool adapt to what is seen of those who held them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptPlan {
    /// The rule.
    pub rule: AdaptRule,
    /// Fewest and most slots.
    pub bounds: Bounds,
    /// How long holds are put together before the rule hears of them; none tells it of each.
    pub window: Option<Span>,
}

/// Fewest and most slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
}

/// A rule by which slots adapt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AdaptRule {
    /// See [`crate::adapt::Aimd`].
    Aimd(AimdPlan),
    /// See [`crate::adapt::Vegas`].
    Vegas(VegasPlan),
    /// See [`crate::adapt::Gradient`].
    Gradient(GradientPlan),
}

/// Additive increase, multiplicative decrease.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AimdPlan {
    /// What is left after a decrease, as a share.
    pub backoff: f64,
    /// A hold that takes longer counts as failed.
    pub timeout: Span,
}

/// By the delay beyond the shortest one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VegasPlan {
    /// Fewer than this many logarithms of the limit queue: it grows.
    pub alpha: u32,
    /// More than this many: it shrinks.
    pub beta: u32,
    /// Weight of a new limit.
    pub smoothing: f64,
    /// The shortest time is measured anew after up to so many holds per slot.
    pub probe: u32,
}

/// By the gradient of the latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientPlan {
    /// How much longer than on average a hold may take.
    pub tolerance: f64,
    /// Weight of a new limit.
    pub smoothing: f64,
    /// How many samples the average remembers.
    pub long_window: u32,
    /// How many may queue in service.
    pub queue: u32,
}

/// Slots that are connections.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionPlan {
    /// How long it takes to open one, in seconds.
    pub connect: Option<Distribution>,
    /// How long one stays open that nobody uses.
    pub idle: Option<Span>,
    /// How old one may become before it is no longer put back, in seconds.
    pub max_life: Option<Distribution>,
    /// What opens them ahead, ended by [`Op::End`]; none opens them when they are needed.
    pub opener: Option<CodeAddress>,
    /// What each of them takes a unit of.
    pub from: Option<PoolId>,
}

/// A resource of kind `slots`.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolPlan {
    /// `services.web.workers`, `resources.db_connections`: where the scenario names it.
    pub path: String,
    /// Name by which reports show it: `web.workers`, `db_connections`.
    pub name: String,
    /// Units in each instance; where they adapt, at the beginning.
    pub slots: u32,
    /// Longest queue of each instance; `u32::MAX` for no limit.
    pub queue: u32,
    /// How long a request waits before it gives up with [`Outcome::TIMED_OUT`], in seconds.
    pub timeout: Option<Distribution>,
    /// Who is served next.
    pub order: Discipline,
    /// Whether those whose caller has gone are dropped when it is their turn.
    pub drop_abandoned: bool,
    /// By class, the share of the units that must not be in use yet when a request of it comes; 1 for no such rule.
    /// Empty where there is none for any class.
    pub admit: Vec<f64>,
    /// How the number of units adapts.
    pub adapt: Option<AdaptPlan>,
    /// How instances are laid out.
    pub scope: PoolScope,
    /// Whether it is a service's `workers`: its waiting counts as queueing, that of others as pools.
    pub is_workers: bool,
    /// How its slots are opened and closed, if they are connections.
    pub connections: Option<Box<ConnectionPlan>>,
    /// How those who hold it are served together.
    pub batch: Option<Box<BatchPlan>>,
}

impl PoolPlan {
    /// A pool that lets everybody wait, first come, first served.
    pub fn new(path: impl Into<String>, name: impl Into<String>, slots: u32, scope: PoolScope) -> Self {
        Self {
            path: path.into(),
            name: name.into(),
            slots,
            queue: u32::MAX,
            timeout: None,
            order: Discipline::Fifo,
            drop_abandoned: false,
            admit: Vec::new(),
            adapt: None,
            scope,
            is_workers: false,
            connections: None,
            batch: None,
        }
    }

    /// Whether who waits is served, in an order that is known from who joined when, and whoever comes may wait: a
    /// visit that takes the short way needs no more.
    pub fn is_plain(&self) -> bool {
        let order = matches!(
            self.order,
            Discipline::Fifo | Discipline::Lifo | Discipline::Priority | Discipline::Random
        );
        order && !self.drop_abandoned && self.admit.is_empty() && self.adapt.is_none()
    }
}

/// How requests are served together: a batch holds one unit for the time that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchPlan {
    /// Fewest requests in a batch.
    pub min: u32,
    /// Most requests in a batch.
    pub max: u32,
    /// How long the first in line waits for others to come, while there are fewer than `max`.
    pub delay: Span,
    /// What a batch takes whatever its size, in seconds.
    pub base: Distribution,
    /// What each request adds to that, in seconds.
    pub each: f64,
}

impl BatchPlan {
    /// Mean seconds that a batch of `n` takes.
    pub fn mean(&self, n: u32) -> f64 {
        self.base.mean() + self.each * f64::from(n)
    }
}

/// How the instances of a rate or a volume are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// One for the whole system (or the whole service).
    One,
    /// One in each replica of a service.
    Replica(ServiceId),
    /// One for each value of an attribute.
    Each(Attribute),
}

/// How a rate is enforced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RateStyle {
    /// A bucket of tokens.
    Token {
        /// Most tokens in it.
        burst: f64,
    },
    /// A queue that lets one out at a time.
    Leaky,
    /// A counter that is set back when a window ends.
    FixedWindow {
        /// Length of a window.
        window: Span,
        /// Units of a window.
        limit: f64,
    },
    /// A log of the last window.
    SlidingWindow {
        /// Length of the window.
        window: Span,
        /// Units in any of them.
        limit: f64,
    },
}

/// A resource of kind `rate`.
#[derive(Clone, Debug, PartialEq)]
pub struct RatePlan {
    /// `services.web.resources.quota`, `resources.quota`.
    pub path: String,
    /// Name by which reports show it: `web.quota`, `quota`.
    pub name: String,
    /// Units per second of each instance.
    pub per_second: f64,
    /// How it is enforced.
    pub style: RateStyle,
    /// How instances are laid out.
    pub spacing: Spacing,
    /// Longest queue of each instance; `u32::MAX` for no limit, 0 for none.
    pub queue: u32,
    /// How long a request waits before it gives up with [`Outcome::TIMED_OUT`].
    pub timeout: Option<Span>,
}

impl RatePlan {
    /// One token a second and one at once; nobody waits.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            path: format!("resources.{name}"),
            name,
            per_second: 1.0,
            style: RateStyle::Token { burst: 1.0 },
            spacing: Spacing::One,
            queue: 0,
            timeout: None,
        }
    }
}

/// A resource of kind `volume`.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumePlan {
    /// `services.web.resources.heap`, `resources.stock`.
    pub path: String,
    /// Name by which reports show it: `web.heap`, `stock`.
    pub name: String,
    /// Units that each instance can hold.
    pub volume: f64,
    /// Units that are there at the start.
    pub level: f64,
    /// How instances are laid out.
    pub spacing: Spacing,
    /// Whether who finds too little left waits until somebody gives; else it is refused.
    pub blocks: bool,
    /// Longest queue of each instance; `u32::MAX` for no limit.
    pub queue: u32,
    /// How long a request waits before it gives up with [`Outcome::TIMED_OUT`].
    pub timeout: Option<Span>,
    /// Whether who finds too little left crashes the replica.
    pub restarts: bool,
}

/// Which entry of a cache makes room for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvictRule {
    /// See [`crate::cache::Lru`].
    Lru,
    /// See [`crate::cache::Lfu`].
    Lfu,
    /// See [`crate::cache::Fifo`].
    Fifo,
    /// See [`crate::cache::Anyone`].
    Random,
    /// See [`crate::cache::Keep`].
    None,
}

/// Who waits for whom where several want an answer that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coalesce {
    /// Everybody fetches it.
    None,
    /// One in each replica that asks.
    Replica,
    /// One in each service that asks.
    Service,
    /// One in all.
    Cluster,
}

/// A copy of a service's data that lags behind.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyPlan {
    /// The service.
    pub follows: ServiceId,
    /// How long a write takes to arrive, in seconds.
    pub lag: Distribution,
    /// For how long whoever has written reads from the service itself.
    pub pin_writer: Option<Span>,
}

/// A cache.
#[derive(Clone, Debug, PartialEq)]
pub struct CachePlan {
    /// `caches.pages`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// How its stores are laid out: one, or one in each replica of a service.
    pub spacing: Spacing,
    /// Most entries of each store; `u32::MAX` for no limit.
    pub size: u32,
    /// Which entry makes room.
    pub evict: EvictRule,
    /// How long an entry is fresh; none is for ever.
    pub ttl: Option<Span>,
    /// How much longer or shorter that may be, as a share of it.
    pub jitter: f64,
    /// Whether an entry that is used is fresh for another `ttl`.
    pub renews: bool,
    /// Whether what is still fresh is left alone by whoever has fetched it too.
    pub adds: bool,
    /// Whether a request fails whose answer finds no room.
    pub refuses: bool,
    /// Who waits for whom.
    pub coalesce: Coalesce,
    /// How long an entry is used beyond its time, while one fetches it anew on nobody's behalf.
    pub stale_while: Option<Span>,
    /// The factor by which somebody fetches an entry anew before its time.
    pub early: Option<f64>,
    /// How long a failure to fetch is remembered.
    pub negative: Option<Span>,
    /// The keys that are there at the start.
    pub warm: Arc<[u32]>,
    /// Of a copy that lags behind: of what.
    pub copy: Option<Box<CopyPlan>>,
}

impl CachePlan {
    /// A cache without any limit.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            path: format!("caches.{name}"),
            name,
            spacing: Spacing::One,
            size: u32::MAX,
            evict: EvictRule::Lru,
            ttl: None,
            jitter: 0.0,
            renews: false,
            adds: false,
            refuses: false,
            coalesce: Coalesce::None,
            stale_while: None,
            early: None,
            negative: None,
            warm: Arc::from([]),
            copy: None,
        }
    }
}

/// A `get` step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GetPlan {
    /// The cache.
    pub cache: CacheId,
    /// What entries are known by.
    pub by: Attribute,
    /// Where a frame goes on that has found its answer.
    pub hit: CodeAddress,
    /// Where a frame goes on that was given its answer by whoever has fetched it.
    pub exit: CodeAddress,
    /// What fetches an answer on nobody's behalf, ended by [`Op::End`].
    pub refresh: Option<CodeAddress>,
}

/// A `put` step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PutPlan {
    /// The cache.
    pub cache: CacheId,
    /// What entries are known by.
    pub by: Attribute,
    /// Whether the entry is removed rather than stored.
    pub removes: bool,
}

/// What an event does to the entries of a cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlushPlan {
    /// The cache.
    pub cache: CacheId,
    /// Share of the entries that it is done to.
    pub share: f64,
    /// Whether they expire rather than go.
    pub expires: bool,
}

/// What a `take` or a `give` step takes from or gives to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stock {
    /// A rate, which is never given to.
    Rate(RateId),
    /// A volume.
    Volume(VolumeId),
}

/// How many units are taken or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// All that there are to take or to give back.
    All,
    /// So many.
    Drawn(SamplerId),
    /// As many as levels say; none below 0.
    Of(FormulaId),
}

/// A `take` or a `give` step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovePlan {
    /// From what, or to what.
    pub stock: Stock,
    /// How many.
    pub units: Units,
    /// Whether a volume refuses to go below 0.
    pub guarded: bool,
}

/// What is looked at of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The units that are left.
    Level,
    /// The units that there could be.
    Size,
    /// The units that are gone.
    Used,
}

/// How a level is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `=`
    Equal,
}

impl Compare {
    /// Whether `a` compares with `b` like this.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Greater => a > b,
            Self::AtLeast => a >= b,
            Self::Equal => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        }
    }
}

/// Who computes when more do than there are cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduling {
    /// All advance together, each with at most one core: processor sharing.
    Sharing,
    /// First come, first served, each until its need is met: an event loop.
    RunToCompletion,
    /// The smallest need first, each until it is met.
    ShortestJobFirst,
    /// The smallest need first; who is larger stands back.
    ShortestOriginalSize,
    /// The smallest rest of a need first; who has more left stands back.
    ShortestRemaining,
    /// Who has got the least so far.
    LeastAttained,
    /// Last come, first served; whoever was there stands back.
    LastComeFirst,
    /// The most important class first, first come first served within it.
    Priority {
        /// Whether the less important stand back at once, rather than keep the core that they have.
        preemptive: bool,
    },
}

impl Scheduling {
    /// Whether nobody who computes ever stands back, so that the others wait in line.
    pub fn in_line(self) -> bool {
        matches!(self, Self::RunToCompletion | Self::ShortestJobFirst | Self::Priority { preemptive: false })
    }
}

/// How much those who compute at once are in each other's way: Gunther's Universal Scalability Law.
///
/// Source: Gunther, *Guerrilla Capacity Planning* (2007), chapter 4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contention {
    /// Share of the work that only one can do at a time.
    pub sigma: f64,
    /// Cost of keeping each other up to date, for each pair.
    pub kappa: f64,
}

impl Contention {
    /// The work that `n` do together, in units of what one does alone.
    pub fn speedup(self, n: f64) -> f64 {
        n / (1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0))
    }

    /// The most that any number can do together.
    pub fn most(self) -> f64 {
        if self.kappa <= 0.0 {
            return if self.sigma <= 0.0 { f64::INFINITY } else { self.sigma.recip() };
        }
        let peak = ((1.0 - self.sigma) / self.kappa).sqrt().max(1.0);
        self.speedup(peak.floor()).max(self.speedup(peak.ceil()))
    }
}

/// A quota of CPU time in each period, as Linux gives to a container.
///
/// Source: Linux, `Documentation/scheduler/sched-bwc.rst`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThrottlePlan {
    /// The quota is as many cores for this long.
    pub period: Span,
    /// Cores that can be used at once while it lasts; infinite where everybody has one.
    pub host_cores: f64,
}

/// The `cores` of a service's replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoresPlan {
    /// Cores of each replica; fractions allowed.
    pub cores: f64,
    /// Who computes when more do than there are.
    pub scheduling: Scheduling,
    /// How much they are in each other's way.
    pub contention: Option<Contention>,
    /// Whether the cores are a quota of those of the host.
    pub throttle: Option<ThrottlePlan>,
}

impl CoresPlan {
    /// So many cores that are shared.
    pub fn shared(cores: f64) -> Self {
        Self { cores, scheduling: Scheduling::Sharing, contention: None, throttle: None }
    }

    /// Cores that can be used at once.
    pub fn width(&self) -> f64 {
        self.throttle.map_or(self.cores, |throttle| throttle.host_cores)
    }

    /// How many compute at once at most.
    pub fn admitted(&self) -> usize {
        let cores = self.throttle.map_or(self.cores, |throttle| {
            if throttle.host_cores.is_finite() { throttle.host_cores } else { self.cores }
        });
        match self.scheduling {
            Scheduling::Sharing | Scheduling::LeastAttained => usize::MAX,
            _ => (cores.ceil() as usize).max(1),
        }
    }

    /// Pace of one who computes alone, averaged over the periods of a quota.
    pub fn pace(&self) -> f64 {
        self.cores.min(1.0)
    }

    /// The most work that they can do, in units of what one core does.
    pub fn most_work(&self) -> f64 {
        self.contention.map_or(self.cores, |contention| contention.most().min(self.cores))
    }
}

/// A service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePlan {
    /// Its name.
    pub name: String,
    /// `services.web`.
    pub path: String,
    /// Replicas at the start.
    pub replicas: u32,
    /// Its cores; without, every CPU need is met at once.
    pub cores: Option<CoresPlan>,
    /// Pace of CPU work: 1 is nominal, 0.1 ten times slower, 0 stopped.
    pub speed: f64,
    /// Pools that each replica owns, in slot order.
    pub pools: Vec<PoolId>,
    /// Routes that its calls use, in slot order: each replica keeps a balancer for each.
    pub routes: Vec<RouteId>,
    /// How its replicas begin and end.
    pub life: LifePlan,
}

/// How the replicas of a service begin and end. Those that are there at the start are ready.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LifePlan {
    /// What a new replica goes through before it is as good as the others.
    pub startup: Option<Box<StartupPlan>>,
    /// How long a replica that is taken away may finish what it has; none is as long as it takes.
    pub drain: Option<Span>,
    /// The zones that replicas stand in, in turn.
    pub zones: Vec<ZoneId>,
    /// What a replica costs.
    pub price: Option<Price>,
}

/// What a replica, or a node, costs for as long as it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// For an hour.
    pub per_hour: f64,
    /// Of what: `USD`.
    pub currency: String,
}

impl LifePlan {
    /// Whether replicas come or go in a way that takes time or loses work.
    pub fn is_eventful(&self) -> bool {
        self.startup.is_some() || self.drain.is_some()
    }

    /// The zone of replica number `local`.
    pub fn zone(&self, local: u32) -> Option<ZoneId> {
        let turn = (local as usize).checked_rem(self.zones.len())?;
        Some(self.zones[turn])
    }
}

/// What a new replica goes through.
#[derive(Clone, Debug, PartialEq)]
pub struct StartupPlan {
    /// How long it takes until it is ready, in seconds.
    pub delay: Distribution,
    /// How long its CPU work takes longer after that.
    pub warm: Span,
    /// By which factor at first; it falls to 1 in a straight line.
    pub slowdown: f64,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointPlan {
    /// `web.checkout`.
    pub name: String,
    /// Its service.
    pub service: ServiceId,
    /// Its first operation. The code takes the `workers` slot itself.
    pub entry: CodeAddress,
}

/// Work that no caller waits for, on a replica of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPlan {
    /// Its name.
    pub name: String,
    /// `jobs.worker`.
    pub path: String,
    /// Whose replicas it runs on.
    pub service: ServiceId,
    /// Its first operation. The code takes the `workers` slot itself.
    pub entry: CodeAddress,
    /// When its runs start by themselves; none leaves that to those who take messages.
    pub start: Option<StartPlan>,
}

impl JobPlan {
    /// Whether it differs from the other in nothing but the times at which it starts.
    fn is_like(&self, other: &Self) -> bool {
        let same_start = match (&self.start, &other.start) {
            (Some(start), Some(other)) => start.is_like(other),
            (start, other) => start.is_none() && other.is_none(),
        };
        same_start && Self { start: None, ..self.clone() } == Self { start: None, ..other.clone() }
    }
}

/// When runs of a job start by themselves: by a clock, by a condition, or by a clock that looks at one.
///
/// Where a run is under way none starts.
#[derive(Clone, Debug, PartialEq)]
pub struct StartPlan {
    /// Seconds until its clock ticks first, or without a clock until its condition counts.
    pub at: Option<Distribution>,
    /// Seconds from one tick to the next; none is a clock that ticks at `at` alone.
    pub every: Option<Distribution>,
    /// What must hold for a run to start. Without `every` it starts one at the moment it begins to hold, and again
    /// when a run has ended and it still holds.
    pub when: Option<FormulaId>,
    /// Whether each replica has runs of its own, rather than the service one at a time.
    pub each_replica: bool,
}

impl StartPlan {
    /// Whether a run starts when the condition begins to hold, rather than when a clock ticks.
    pub fn by_condition(&self) -> bool {
        self.when.is_some() && self.every.is_none()
    }

    /// Whether it differs from the other in nothing but times.
    fn is_like(&self, other: &Self) -> bool {
        let shape =
            |start: &Self| (start.at.is_some(), start.every.is_some(), start.when, start.each_replica);
        shape(self) == shape(other)
    }
}

/// What a `send` step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Nothing: the message is on its way.
    None,
    /// The queue has it.
    One,
    /// The queue and its copies have it.
    All,
}

/// A `send` step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendPlan {
    /// To which queue.
    pub queue: QueueId,
    /// What it waits for.
    pub acks: Acks,
}

/// What happens to a message that finds its queue full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Its sender is told.
    Reject,
    /// Its sender waits until there is room.
    Block,
    /// It is lost.
    Drop,
}

/// When a message counts as dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckPlan {
    /// After the work: it is worked on at least once.
    After,
    /// Before it: at most once.
    Before,
}

/// How the partitions of a queue are shared out anew when members come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebalancePlan {
    /// All members stop, and begin again after this time.
    Eager(Span),
    /// Only the partitions that change hands stand still for this time.
    Cooperative(Span),
    /// Who leaves is waited for, this long beyond the time that it may take; then as [`RebalancePlan::Eager`].
    Static {
        /// How long it is waited for.
        session: Span,
        /// How long all stand still then.
        pause: Span,
    },
}

/// How long a message that has failed waits before it is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct BackoffPlan {
    /// After the first failure.
    pub base: Span,
    /// Growth from one to the next.
    pub factor: f64,
    /// The longest.
    pub max: Span,
    /// Its randomisation.
    pub jitter: Jitter,
    /// What it is drawn from instead, in seconds.
    pub drawn: Option<Distribution>,
}

/// Those who take messages of a queue together: each message goes to one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPlan {
    /// Its name; that of its job unless it has its own. Empty where nobody takes anything.
    pub name: String,
    /// What is done for a message; none takes nothing.
    pub job: Option<JobId>,
    /// Members.
    pub members: u32,
    /// Whether there are so many in each replica of the job's service, rather than in all of them together.
    pub per_replica: bool,
    /// Most messages that a member takes at once.
    pub batch: u32,
    /// Whether the job runs once for all of those, rather than once for each.
    pub whole_batch: bool,
    /// When a message counts as dealt with.
    pub ack: AckPlan,
    /// How long a member may take for what it has taken, before it is no longer counted among the members.
    pub poll: Span,
    /// How partitions are shared out anew.
    pub rebalance: RebalancePlan,
}

/// A queue of messages.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuePlan {
    /// Its name.
    pub name: String,
    /// `queues.orders`.
    pub path: String,
    /// Lines that it consists of, each worked off by one member of a group at a time; none is one line for all.
    pub partitions: Option<u32>,
    /// What the partition of a message goes by; none takes them in turn.
    pub by: Option<Attribute>,
    /// Among the messages of which value the order is watched.
    pub order: Option<Attribute>,
    /// Who takes messages; each group sees all. At least one.
    pub groups: Vec<GroupPlan>,
    /// How long a message that was taken is hidden from others, of a queue without partitions.
    pub visibility: Span,
    /// How often a message is tried; `u32::MAX` for no limit.
    pub attempts: u32,
    /// How long it waits in between.
    pub backoff: Option<BackoffPlan>,
    /// Where it goes after the last one.
    pub dead_letter: Option<QueueId>,
    /// How old it may become.
    pub retention: Span,
    /// Most messages in it; `u64::MAX` for no limit.
    pub limit: u64,
    /// What happens beyond that.
    pub on_full: OnFull,
    /// How long a message takes to reach it, and the acknowledgement to come back.
    pub latency: Span,
    /// How long its copies take to have it as well: only then is it handed out.
    pub replicate: Span,
    /// Whether it takes messages at all.
    pub up: bool,
}

/// A place in the code, or a traffic, that calls an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct CallPlan {
    /// The called endpoint.
    pub endpoint: EndpointId,
    /// How the replica is chosen.
    pub route: RouteId,
    /// Position of the route in the caller's [`ServicePlan::routes`] (or [`TrafficPlan::routes`]).
    pub route_slot: u32,
    /// How the call is made; none is a plain call.
    pub policy: Option<PolicyId>,
    /// Network time of each direction.
    pub latency: Option<SamplerId>,
    /// What it sends, where that takes time or can be lost.
    pub wire: Option<WireId>,
    /// What an event may disturb its messages by.
    pub link: Option<LinkId>,
    /// Names the place in the call tree for the request's draws.
    pub salt: u64,
}

impl CallPlan {
    /// Whether the network takes time, or may do so during an event.
    #[inline]
    pub fn takes_time(&self) -> bool {
        self.latency.is_some() || self.wire.is_some() || self.link.is_some()
    }
}

/// What disturbs the messages between two sides. Each part is a row of its own, so that events may overlap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkPlan {
    /// Nothing arrives.
    pub is_cut: bool,
    /// Messages take longer by this many seconds.
    pub added: Option<Distribution>,
    /// Share of the packets that are lost, besides what the route loses.
    pub loss: f64,
}

/// How many bytes a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// None that count.
    Nothing,
    /// As many as the request carries.
    Request,
    /// Drawn.
    Drawn(SamplerId),
}

/// What a call sends over the network, and what that takes.
#[derive(Clone, Debug, PartialEq)]
pub struct WirePlan {
    /// Bytes per second; infinite where they take no time.
    pub bandwidth: f64,
    /// Probability that a packet is lost.
    pub loss: f64,
    /// How long the sender waits before it sends a lost packet again, at first; it doubles each time.
    pub retransmit: Span,
    /// Bytes of the request.
    pub request: Payload,
    /// Bytes of the answer.
    pub reply: Payload,
}

/// How connections to the replicas of a service are opened and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectPlan {
    /// Round trips before the first request can be sent.
    pub round_trips: u32,
    /// How long a connection that nobody uses is kept.
    pub keep_alive: Span,
    /// How many of those each caller keeps for each replica.
    pub idle: u32,
}

/// What a rule knows a request by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Its class.
    Class,
    /// What it asks for.
    Key,
    /// On whose account it comes.
    Tenant,
    /// Who sent it.
    User,
}

/// Which replica gets a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// The first one.
    First,
    /// One after the other; every caller replica keeps its own turn.
    RoundRobin,
    /// In turn, some more often than others.
    Weighted {
        /// By number of the replica.
        weights: Vec<u32>,
    },
    /// Any, with equal probability.
    Random,
    /// The least loaded of `choices` drawn at random, by the caller's own outstanding calls.
    Least {
        /// Replicas looked at.
        choices: u32,
        /// Whether one may be drawn twice.
        replacement: bool,
    },
    /// The least loaded of all, by the caller's own outstanding calls; ties at random.
    LeastConnections,
    /// Any where the caller has nothing outstanding, or any at all.
    JoinIdle,
    /// The cheaper of two drawn at random, by latency and outstanding calls.
    PeakEwma,
    /// By the hash of an attribute, modulo the number of replicas.
    Hash {
        /// The attribute.
        by: Attribute,
    },
    /// By the hash of an attribute, on a ring of points.
    Ring {
        /// The attribute.
        by: Attribute,
        /// Points of each replica.
        points: u32,
    },
    /// By contiguous ranges of an attribute.
    Range {
        /// The attribute.
        by: Attribute,
        /// How many values it has.
        values: u32,
    },
    /// Where the attribute's last call went, for a while.
    Sticky {
        /// The attribute.
        by: Attribute,
        /// How long, in seconds.
        lifetime: Distribution,
        /// The rule for the first call.
        pick: Box<Pick>,
    },
    /// Where the caller's connection leads.
    Pinned {
        /// The rule by which it is opened.
        pick: Box<Pick>,
    },
}

/// How calls to a service choose a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct RoutePlan {
    /// Its name: that of the service unless several routes lead there.
    pub name: String,
    /// Where it leads.
    pub service: ServiceId,
    /// The rule.
    pub pick: Pick,
    /// How the health of replicas is judged; none is not at all.
    pub health: Option<HealthPlan>,
    /// How connections are opened; none is for nothing.
    pub connect: Option<ConnectPlan>,
    /// How long a replica that has become ready gets fewer calls than the others.
    pub slow_start: Option<Span>,
    /// Whether replicas in the caller's own zone come first.
    pub zone: Option<ZonePlan>,
}

/// Replicas in the caller's own zone come first.
///
/// Source: Envoy, priority levels: an overprovisioning factor of 1.4, so that the share of calls that stays is 1.4
/// times the share of the own replicas that are in, and 1 at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZonePlan {
    /// The factor.
    pub overprovisioning: f64,
}

impl RoutePlan {
    /// Whether the rule needs to know nothing of the request, nor how calls end.
    pub fn is_plain(&self) -> bool {
        let needs = crate::balancer::Balancer::needs(&self.pick);
        let is_bare = self.health.is_none() && self.connect.is_none();
        let is_even = self.slow_start.is_none() && self.zone.is_none();
        is_bare && is_even && needs.label.is_none() && !needs.endings
    }
}

/// Replicas that answer every request with a failure, without doing any of its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailurePlan {
    /// The service.
    pub service: ServiceId,
    /// How many of the ready replicas, from the first on.
    pub replicas: u32,
    /// What they run in place of any endpoint.
    pub entry: CodeAddress,
}

/// Randomisation of a back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Exactly the back-off.
    None,
    /// Uniform between 0 and the back-off.
    Full,
    /// Half of it, and a uniform half.
    Equal,
    /// Uniform between the base and three times the last one.
    Decorrelated,
}

/// When a call is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPlan {
    /// Tries in all, the first one included.
    pub attempts: u32,
    /// Outcomes that are tried again.
    pub outcomes: OutcomeSet,
    /// Back-off before the second attempt.
    pub base: Span,
    /// Growth from one back-off to the next.
    pub factor: f64,
    /// Longest back-off.
    pub max: Span,
    /// Its randomisation.
    pub jitter: Jitter,
    /// What every back-off is drawn from instead, in seconds; `base` is its mean then.
    pub drawn: Option<Distribution>,
    /// What retries are paid from; none is no limit.
    pub budget: Option<BudgetPlan>,
    /// Most retries under way at once from one caller, their back-offs included.
    pub parallel: Option<u32>,
}

/// What pays into a retry budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credit {
    /// The first attempt of every call.
    Attempt,
    /// Every attempt that is answered.
    Success,
}

/// What a retry budget is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spend {
    /// Every retry.
    Retry,
    /// Every failure that could be tried again, whether it is or not.
    Failure,
}

/// A bucket of tokens that retries are paid from. It is full at the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetPlan {
    /// Tokens that a credit adds.
    pub ratio: f64,
    /// Most tokens.
    pub cap: f64,
    /// What adds tokens.
    pub credit: Credit,
    /// What takes one.
    pub spend: Spend,
    /// Share of the cap that is kept: at or below it nothing is tried again.
    pub reserve: f64,
}

/// What a breaker judges by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerWindow {
    /// Calls that ended during this time.
    Time(Span),
    /// The last calls that ended.
    Calls(u32),
}

/// When calls are no longer made because those before them failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerPlan {
    /// What is looked at.
    pub window: BreakerWindow,
    /// Calls that must have ended in it before anything is decided.
    pub min_calls: u32,
    /// Share of failures that opens it.
    pub failures: f64,
    /// Calls that take longer are slow.
    pub slow: Option<Span>,
    /// Share of slow calls that opens it; none counts slow calls as failures.
    pub slow_share: Option<f64>,
    /// How long it stays open.
    pub open: Span,
    /// Calls let through while it is half open, which decide.
    pub probes: u32,
}

/// When a copy of a call is sent that has not been answered yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HedgeAfter {
    /// After this time.
    Time(Span),
    /// After this percentile (0 to 1) of the times that the caller has seen.
    Quantile(f64),
}

/// Copies of a call that is slow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgePlan {
    /// When a copy is sent.
    pub after: HedgeAfter,
    /// Most copies beside the first.
    pub max: u32,
    /// Whether the others are stopped once one is answered.
    pub cancel: bool,
    /// Whether the others are stopped as soon as one begins to be worked on.
    pub tied: bool,
}

/// Calls that one caller may have in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitPlan {
    /// This many.
    pub calls: u32,
    /// Calls that may wait; beyond, they are rejected.
    pub queue: u32,
    /// How long they wait before they are rejected.
    pub timeout: Option<Span>,
}

/// How a call is made: fallback(retry(breaker(limit(hedge(timeout(attempt)))))).
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the scenario")]
pub struct PolicyPlan {
    /// Its name.
    pub name: String,
    /// `policies.sql`.
    pub path: String,
    /// How long an attempt may take.
    pub timeout: Option<Span>,
    /// How long all attempts may take together, back-offs included.
    pub total: Option<Span>,
    /// Whether the time that is left is passed down the call tree.
    pub deadline: bool,
    /// Whether giving up stops the callee's work, down the whole tree.
    pub cancel: bool,
    /// When to try again.
    pub retry: Option<RetryPlan>,
    /// When not to call at all.
    pub breaker: Option<BreakerPlan>,
    /// How many calls may be in flight.
    pub limit: Option<LimitPlan>,
    /// When to send copies.
    pub hedge: Option<HedgePlan>,
    /// Whether a retry or a copy goes to a replica that the call has not been sent to yet, while there is one.
    pub avoid_tried: bool,
    /// Whether all callers share one state, rather than each replica having its own.
    pub shared: bool,
}

impl PolicyPlan {
    /// A policy that does nothing.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            path: format!("policies.{name}"),
            name,
            timeout: None,
            total: None,
            deadline: false,
            cancel: false,
            retry: None,
            breaker: None,
            limit: None,
            hedge: None,
            avoid_tried: false,
            shared: false,
        }
    }
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// The replicas of a service.
    Service(ServiceId),
    /// The clients of a traffic.
    Traffic(TrafficId),
}

/// A policy in the hands of one caller: its figures are kept by this, and its fallback runs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsePlan {
    /// The policy.
    pub policy: PolicyId,
    /// Who calls under it.
    pub caller: Caller,
    /// Steps that the caller runs when a call has failed, ended by [`Op::End`].
    pub fallback: Option<CodeAddress>,
}

/// A branch of an `all` step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BranchPlan {
    /// Step code on the same replica, ended by [`Op::End`].
    Code(CodeAddress),
    /// A single call: it needs no frame of its own.
    Call(CallId),
}

/// How many branches an `all` step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// All of them.
    All,
    /// This many that end with an answer.
    Count(u32),
}

/// An `all` step.
#[derive(Clone, Debug, PartialEq)]
pub struct ForkPlan {
    /// Its branches.
    pub branches: Vec<BranchPlan>,
    /// Copies of each branch (`each: n`); none is 1.
    pub copies: Option<SamplerId>,
    /// How many it waits for.
    pub wait_for: WaitFor,
    /// Whether the rest is stopped once the step has ended.
    pub cancel: bool,
}

/// When an arm of a `choose` step is taken. Arms are looked at in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArmTest {
    /// The request's class.
    Class(u16),
    /// The step's one draw in `[0, 1)` is below this (weights are cumulative and end at 1).
    Below(f64),
    /// A condition on a volume.
    Level(FormulaId),
    /// Always.
    Else,
}

/// A `choose` step.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoicePlan {
    /// Tests and where they lead.
    pub arms: Vec<(ArmTest, CodeAddress)>,
    /// Where the step goes when no arm is taken.
    pub otherwise: CodeAddress,
}

/// The instants at which an open traffic's requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// A stream of gaps with mean 1, mapped through the integral of the rate.
    Open {
        /// Requests (or batches) per second over time.
        rate: RateCurve,
        /// The law of the gaps, mean 1: exponential for Poisson, constant for even.
        gap: Distribution,
        /// Makes the rate jump at random; its mean stays what it is.
        modulation: Option<Modulation>,
        /// Requests that arrive together; none is 1.
        batch: Option<Distribution>,
    },
    /// The instants themselves, in nanoseconds, sorted.
    Trace(Arc<[u64]>),
    /// Users who think, send a request, and wait for its end.
    Closed {
        /// How many.
        users: u32,
        /// Time between an answer and the next request.
        think: Distribution,
    },
}

/// A source of requests.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficPlan {
    /// Its name.
    pub name: String,
    /// `traffic.shoppers`.
    pub path: String,
    /// Seeds its streams: the hash of its path.
    pub stream: u64,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// What is called: cumulative share, call. A single entry takes no draw.
    pub targets: Vec<(f64, CallId)>,
    /// Class of a request: cumulative share, class. A single entry takes no draw.
    pub classes: Vec<(f64, u16)>,
    /// What its requests differ in besides.
    pub attributes: Box<Attributes>,
    /// Routes that its calls use, in slot order.
    pub routes: Vec<RouteId>,
    /// For a closed traffic: the time that a user would take from one request to the next in an empty
    /// system. Latency from the intended start is corrected with it.
    pub expected_cycle: Option<Span>,
}

impl TrafficPlan {
    /// Whether several requests may arrive together.
    pub fn comes_in_batches(&self) -> bool {
        matches!(self.arrivals, Arrivals::Open { batch: Some(_), .. })
    }
}

/// One row that replaces another while the system runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A distribution.
    Sampler(SamplerId, Distribution),
    /// A pool.
    Pool(PoolId, PoolPlan),
    /// A rate.
    Rate(RateId, RatePlan),
    /// A volume.
    Volume(VolumeId, VolumePlan),
    /// A `take` or a `give` step.
    Move(MoveId, MovePlan),
    /// A formula.
    Formula(FormulaId, Formula),
    /// A cache.
    Cache(CacheId, CachePlan),
    /// Entries of a cache go: done once, not put in place.
    Flush(FlushPlan),
    /// A service: speed, cores, replicas.
    Service(ServiceId, ServicePlan),
    /// A traffic.
    Traffic(TrafficId, TrafficPlan),
    /// A policy.
    Policy(PolicyId, PolicyPlan),
    /// A route.
    Route(RouteId, RoutePlan),
    /// What a call sends.
    Wire(WireId, WirePlan),
    /// A job: the times at which it starts.
    Job(JobId, JobPlan),
    /// A queue.
    Queue(QueueId, QueuePlan),
    /// A `send` step.
    Send(SendId, SendPlan),
    /// What an autoscaler goes by.
    Autoscaler(AutoscalerId, Box<Controller>),
    /// Which replicas of a service fail.
    Failing(ServiceId, Option<FailurePlan>),
    /// Whether nothing passes a link.
    Cut(LinkId, bool),
    /// How much longer messages on a link take.
    Added(LinkId, Option<Distribution>),
    /// What is lost on a link.
    Lossy(LinkId, f64),
    /// A fork.
    Fork(ForkId, ForkPlan),
    /// A choice.
    Choice(ChoiceId, ChoicePlan),
    /// An operation.
    Code(CodeAddress, Op),
}

impl Row {
    /// Whether both replace the same row.
    fn names_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Formula(a, _), Self::Formula(b, _)) => a == b,
            (Self::Sampler(a, _), Self::Sampler(b, _)) => a == b,
            (Self::Pool(a, _), Self::Pool(b, _)) => a == b,
            (Self::Rate(a, _), Self::Rate(b, _)) => a == b,
            (Self::Volume(a, _), Self::Volume(b, _)) => a == b,
            (Self::Move(a, _), Self::Move(b, _)) => a == b,
            (Self::Cache(a, _), Self::Cache(b, _)) => a == b,
            (Self::Flush(a), Self::Flush(b)) => a.cache == b.cache,
            (Self::Service(a, _), Self::Service(b, _)) | (Self::Failing(a, _), Self::Failing(b, _)) => a == b,
            (Self::Traffic(a, _), Self::Traffic(b, _)) => a == b,
            (Self::Policy(a, _), Self::Policy(b, _)) => a == b,
            (Self::Route(a, _), Self::Route(b, _)) => a == b,
            (Self::Wire(a, _), Self::Wire(b, _)) => a == b,
            (Self::Cut(a, _), Self::Cut(b, _))
            | (Self::Added(a, _), Self::Added(b, _))
            | (Self::Lossy(a, _), Self::Lossy(b, _)) => a == b,
            (Self::Job(a, _), Self::Job(b, _)) => a == b,
            (Self::Queue(a, _), Self::Queue(b, _)) => a == b,
            (Self::Send(a, _), Self::Send(b, _)) => a == b,
            (Self::Autoscaler(a, _), Self::Autoscaler(b, _)) => a == b,
            (Self::Fork(a, _), Self::Fork(b, _)) => a == b,
            (Self::Choice(a, _), Self::Choice(b, _)) => a == b,
            (Self::Code(a, _), Self::Code(b, _)) => a == b,
            _ => false,
        }
    }
}

/// Rows that a change puts in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// The rows, in table order.
    pub rows: Vec<Row>,
}

impl Patch {
    /// Its row that replaces the same one as `like`.
    pub fn row_like(&self, like: &Row) -> Option<&Row> {
        self.rows.iter().find(|row| row.names_same(like))
    }
}

/// Changes that may be in force together and are about the same rows: what holds follows from which of them are, in the
/// order in which they began. Their own patches are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlap {
    /// Their numbers, sorted.
    pub changes: Vec<u32>,
    /// What holds while some of them are in force, by those, in the order in which they began. Sorted.
    pub stacks: Vec<(Vec<u32>, Patch)>,
}

impl Overlap {
    /// What holds while `in_force` are, of all changes, in the order in which they began.
    ///
    /// # Panics
    ///
    /// When they cannot have begun in this order.
    pub fn patch(&self, in_force: &[u32]) -> &Patch {
        let mut stack: Vec<u32> = Vec::new();
        for change in in_force.iter().rev() {
            // Of what has begun more than once, the last counts.
            if self.changes.binary_search(change).is_ok() && !stack.contains(change) {
                stack.push(*change);
            }
        }
        stack.reverse();
        let at = self.stacks.binary_search_by(|(other, _)| other.cmp(&stack));
        &self.stacks[at.expect("any order that can come is there")].1
    }
}

/// Something that happens by the clock: `events`.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When it begins; what recurs, when it may begin first.
    pub at: SimTime,
    /// When it ends; none is never. What recurs begins no more from then on.
    pub until: Option<SimTime>,
    /// What it changes.
    pub patch: Patch,
    /// What the reader wrote: `services.db.speed: 0.1`.
    pub label: String,
    /// How it recurs; none is that it happens once.
    pub recurs: Option<Box<Recurrence>>,
    /// Begins it whenever it holds and did not before, from `at` on, rather than the clock.
    pub when: Option<Formula>,
    /// What happens to replicas.
    pub fault: Option<Fault>,
}

impl Change {
    /// A change of values, from one time to another.
    pub fn once(at: SimTime, until: Option<SimTime>, patch: Patch, label: impl Into<String>) -> Self {
        Self { at, until, patch, label: label.into(), recurs: None, when: None, fault: None }
    }
}

/// How something recurs. Its times are drawn by its name alone, so that variants meet the same ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrence {
    /// Names its draws.
    pub stream: u64,
    /// Seconds from one beginning to the next; from an end to the next beginning where `from_end` says so. None is that
    /// a condition begins it.
    pub gap: Option<Distribution>,
    /// Whether the time until the next runs only while it does not happen.
    pub from_end: bool,
    /// Whether it begins for the first time at once, rather than after a gap.
    pub at_once: bool,
    /// How long it lasts each time, in seconds; none is that it has no end, or is over at once.
    pub lasts: Option<Distribution>,
    /// Whether each replica of the service has a clock of its own: crashes, where `gap` is the time until one.
    pub each_replica: bool,
}

impl Recurrence {
    /// What begins whenever its condition begins to hold, and lasts as long as told.
    pub fn of(stream: u64, lasts: Option<Distribution>) -> Self {
        Self { stream, gap: None, from_end: false, at_once: false, lasts, each_replica: false }
    }
}

/// What happens to replicas.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Replicas crash: what they have and know is lost.
    Crash {
        /// Of this service.
        service: ServiceId,
        /// So many of those that are up.
        replicas: u32,
        /// Any of them, rather than the first ones.
        any: bool,
        /// Seconds until one begins to start again; none is never.
        restart: Option<Distribution>,
    },
    /// All replicas in a zone crash, and start again when the event ends.
    Lose(ZoneId),
    /// Replicas are replaced by new ones, a few at a time.
    Deploy {
        /// Of this service.
        service: ServiceId,
        /// New ones beyond those that are wanted, as a share of them, rounded up.
        surge: f64,
        /// How many of those that are wanted may be missing, as a share, rounded down.
        unavailable: f64,
    },
}

/// A compiled scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Blueprint {
    /// The scenario's name.
    pub name: String,
    /// How long a replication runs.
    pub duration: Span,
    /// How much of it is not measured.
    pub warmup: Span,
    /// Class names, the most important first.
    pub classes: Vec<String>,
    /// Names of tenants, by value.
    pub tenants: Vec<String>,
    /// Outcome names: the fixed ones, then `failed:name`.
    pub outcomes: Vec<String>,
    /// Sources of requests.
    pub traffics: Vec<TrafficPlan>,
    /// Services.
    pub services: Vec<ServicePlan>,
    /// Endpoints of all services.
    pub endpoints: Vec<EndpointPlan>,
    /// What runs by itself.
    pub jobs: Vec<JobPlan>,
    /// Queues of messages.
    pub queues: Vec<QueuePlan>,
    /// `send` steps.
    pub sends: Vec<SendPlan>,
    /// What decides how many replicas services have.
    pub autoscalers: Vec<AutoscalerPlan>,
    /// Resources of kind `slots`.
    pub pools: Vec<PoolPlan>,
    /// Resources of kind `rate`.
    pub rates: Vec<RatePlan>,
    /// Resources of kind `volume`.
    pub volumes: Vec<VolumePlan>,
    /// `take` and `give` steps.
    pub moves: Vec<MovePlan>,
    /// Caches.
    pub caches: Vec<CachePlan>,
    /// `get` steps.
    pub gets: Vec<GetPlan>,
    /// `put` steps.
    pub puts: Vec<PutPlan>,
    /// Step code of all endpoints.
    pub code: Vec<Op>,
    /// For each operation, the number that names its place for the request's draws.
    pub salts: Vec<u64>,
    /// Conditions, amounts and factors that follow from levels.
    pub formulas: Vec<Formula>,
    /// Distributions; times in seconds.
    pub samplers: Vec<Distribution>,
    /// Calls.
    pub calls: Vec<CallPlan>,
    /// Routes.
    pub routes: Vec<RoutePlan>,
    /// What calls send over the network.
    pub wires: Vec<WirePlan>,
    /// Policies.
    pub policies: Vec<PolicyPlan>,
    /// Who calls under which policy, sorted by policy and caller.
    pub uses: Vec<UsePlan>,
    /// Names of the zones.
    pub zones: Vec<String>,
    /// What events may disturb, in its undisturbed state.
    pub links: Vec<LinkPlan>,
    /// `all` steps.
    pub forks: Vec<ForkPlan>,
    /// `choose` steps.
    pub choices: Vec<ChoicePlan>,
    /// Failures that events can bring about.
    pub failures: Vec<FailurePlan>,
    /// What happens by the clock, in the order of the file.
    pub changes: Vec<Change>,
    /// Those that are about the same rows as others.
    pub overlaps: Vec<Overlap>,
    /// Instants at which a measurement window begins or ends, sorted, without 0 and the end. The warm-up's
    /// end is among them when there is one.
    pub cuts: Vec<SimTime>,
    /// What a replication may use before it is cut short.
    pub limits: Limits,
}

/// What a replication may use before it is cut short; the report says which one was hit.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Events.
    pub events: u64,
    /// Events at one instant.
    pub events_at_one_instant: u64,
    /// Wall time.
    pub wall: std::time::Duration,
    /// Estimated memory in bytes.
    pub memory: u64,
    /// Depth of calls.
    pub call_depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 10_000_000_000,
            events_at_one_instant: 1_000_000,
            wall: std::time::Duration::from_secs(600),
            memory: 2 << 30,
            call_depth: 1_000,
        }
    }
}

impl Blueprint {
    /// All rows that changes put in place at some time.
    pub fn changed_rows(&self) -> impl Iterator<Item = &Row> {
        let alone = self.changes.iter().map(|change| &change.patch);
        let together = self.overlaps.iter().flat_map(|overlap| &overlap.stacks).map(|(_, patch)| patch);
        alone.chain(together).flat_map(|patch| &patch.rows)
    }
}

impl Patch {
    /// The rows in which `changed` differs from `base`.
    ///
    /// # Errors
    ///
    /// When the two do not have the same shape: a patch changes numbers, it cannot add or remove parts.
    pub fn between(base: &Blueprint, changed: &Blueprint) -> Result<Self, &'static str> {
        let mut rows = Vec::new();
        let rows = &mut rows;
        differing(&base.formulas, &changed.formulas, rows, |i, row| Row::Formula(FormulaId(i), row))?;
        differing(&base.samplers, &changed.samplers, rows, |i, row| Row::Sampler(SamplerId(i), row))?;
        differing(&base.pools, &changed.pools, rows, |i, row| Row::Pool(PoolId(i), row))?;
        differing(&base.rates, &changed.rates, rows, |i, row| Row::Rate(RateId(i), row))?;
        differing(&base.volumes, &changed.volumes, rows, |i, row| Row::Volume(VolumeId(i), row))?;
        differing(&base.moves, &changed.moves, rows, |i, row| Row::Move(MoveId(i), row))?;
        differing(&base.caches, &changed.caches, rows, |i, row| Row::Cache(CacheId(i), row))?;
        differing(&base.services, &changed.services, rows, |i, row| Row::Service(ServiceId(i), row))?;
        // How long a cycle would take follows from the services: a change of those leaves the traffic alone.
        let same_cycle = |(to, from): (&TrafficPlan, &TrafficPlan)| {
            let stays = to.arrivals == from.arrivals;
            let expected_cycle = if stays { from.expected_cycle } else { to.expected_cycle };
            TrafficPlan { expected_cycle, ..to.clone() }
        };
        let traffics: Vec<TrafficPlan> =
            changed.traffics.iter().zip(&base.traffics).map(same_cycle).collect();
        let traffics =
            if changed.traffics.len() == base.traffics.len() { &traffics } else { &changed.traffics };
        differing(&base.traffics, traffics, rows, |i, row| Row::Traffic(TrafficId(i), row))?;
        differing(&base.policies, &changed.policies, rows, |i, row| Row::Policy(PolicyId(i), row))?;
        differing(&base.routes, &changed.routes, rows, |i, row| Row::Route(RouteId(i), row))?;
        differing(&base.wires, &changed.wires, rows, |i, row| Row::Wire(WireId(i), row))?;
        differing(&base.jobs, &changed.jobs, rows, |i, row| Row::Job(JobId(i), row))?;
        differing(&base.queues, &changed.queues, rows, |i, row| Row::Queue(QueueId(i), row))?;
        differing(&base.autoscalers, &changed.autoscalers, rows, |i, row| {
            Row::Autoscaler(AutoscalerId(i), Box::new(row.controller))
        })?;
        let measured = |plan: &Blueprint| {
            let of = |row: &AutoscalerPlan| (row.service, row.gauges.clone(), row.placement.clone());
            plan.autoscalers.iter().map(of).collect::<Vec<_>>()
        };
        if measured(base) != measured(changed) {
            return Err("what an autoscaler measures, or where it puts replicas, is laid out at the start");
        }
        differing(&base.sends, &changed.sends, rows, |i, row| Row::Send(SendId(i), row))?;
        differing(&base.forks, &changed.forks, rows, |i, row| Row::Fork(ForkId(i), row))?;
        differing(&base.choices, &changed.choices, rows, |i, row| Row::Choice(ChoiceId(i), row))?;
        differing(&base.code, &changed.code, rows, |i, row| Row::Code(CodeAddress(i), row))?;
        if base.calls != changed.calls
            || base.endpoints != changed.endpoints
            || !base.jobs.iter().zip(&changed.jobs).all(|(before, after)| after.is_like(before))
            || base.salts != changed.salts
            || base.uses != changed.uses
            || base.gets != changed.gets
            || base.puts != changed.puts
        {
            return Err("the steps would no longer be the same");
        }
        let laid_out = |plan: &Blueprint| {
            let spacings = plan.rates.iter().map(|row| row.spacing);
            let spacings = spacings.chain(plan.volumes.iter().map(|row| row.spacing));
            let spacings = spacings.chain(plan.caches.iter().map(|row| row.spacing));
            (plan.pools.iter().map(|row| row.scope).collect::<Vec<_>>(), spacings.collect::<Vec<_>>())
        };
        if laid_out(base) != laid_out(changed) {
            return Err("a resource would be laid out anew");
        }
        let same_line = |(before, after): (&QueuePlan, &QueuePlan)| {
            let jobs = |plan: &QueuePlan| plan.groups.iter().map(|group| group.job).collect::<Vec<_>>();
            jobs(before) == jobs(after)
                && before.partitions.is_some() == after.partitions.is_some()
                && before.partitions <= after.partitions
        };
        if !base.queues.iter().zip(&changed.queues).all(same_line) {
            return Err("a queue would be laid out anew: partitions can only be added");
        }
        Ok(Self { rows: std::mem::take(rows) })
    }
}

fn differing<T: Clone + PartialEq>(
    base: &[T],
    changed: &[T],
    rows: &mut Vec<Row>,
    row: impl Fn(u32, T) -> Row,
) -> Result<(), &'static str> {
    if base.len() != changed.len() {
        return Err("parts would be added or removed");
    }
    for (i, (before, after)) in base.iter().zip(changed).enumerate() {
        if before != after {
            rows.push(row(i as u32, after.clone()));
        }
    }
    Ok(())
}

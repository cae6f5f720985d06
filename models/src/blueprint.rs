//! A compiled scenario: flat tables and step code, indices only.
//!
//! The scenario language is resolved by the time a blueprint exists: every name is an index, every default is
//! filled in, every distribution is validated. What fails from here on is our own bug.
//!
//! Rows that may change while the system runs (a fault, a schedule, an autoscaler) live in tables of their
//! own, so that a [`Patch`] can replace a row and put it back.

use std::sync::Arc;

use sim_core::distribution::Distribution;
use sim_core::rate::RateCurve;
use sim_core::{SimTime, Span};

use crate::attribute::Attributes;
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
    /// A resource of kind `slots`: the plan that all its instances share.
    PoolId;
    /// A distribution, in seconds or plain numbers.
    SamplerId;
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
    /// Needs CPU time on the replica's cores.
    Cpu(SamplerId),
    /// Time passes, no core is used.
    Delay(SamplerId),
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
}

/// A resource of kind `slots`.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolPlan {
    /// `services.web.workers`, `resources.db_connections`: where the scenario names it.
    pub path: String,
    /// Name by which reports show it: `web.workers`, `db_connections`.
    pub name: String,
    /// Units in each instance.
    pub slots: u32,
    /// Longest queue of each instance; `u32::MAX` for no limit.
    pub queue: u32,
    /// How long a request waits before it gives up with [`Outcome::TIMED_OUT`].
    pub timeout: Option<Span>,
    /// Who is served next.
    pub order: Discipline,
    /// How instances are laid out.
    pub scope: PoolScope,
    /// Whether it is a service's `workers`: its waiting counts as queueing, that of others as pools.
    pub is_workers: bool,
}

/// The `cores` of a service's replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoresPlan {
    /// Cores of each replica; fractions allowed.
    pub cores: f64,
    /// Whether a request keeps its core until its need is met (an event loop), rather than share it.
    pub run_to_completion: bool,
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
    /// Names the place in the call tree for the request's draws.
    pub salt: u64,
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
}

impl RoutePlan {
    /// Whether the rule needs to know nothing of the request, nor how calls end.
    pub fn is_plain(&self) -> bool {
        let needs = crate::balancer::Balancer::needs(&self.pick);
        self.health.is_none() && needs.label.is_none() && !needs.endings
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
    /// A service: speed, cores, replicas.
    Service(ServiceId, ServicePlan),
    /// A traffic.
    Traffic(TrafficId, TrafficPlan),
    /// A policy.
    Policy(PolicyId, PolicyPlan),
    /// A route.
    Route(RouteId, RoutePlan),
    /// Which replicas of a service fail.
    Failing(ServiceId, Option<FailurePlan>),
    /// A fork.
    Fork(ForkId, ForkPlan),
    /// A choice.
    Choice(ChoiceId, ChoicePlan),
    /// An operation.
    Code(CodeAddress, Op),
}

/// Rows that a change puts in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// The rows, in table order.
    pub rows: Vec<Row>,
}

/// Something that happens by the clock: `events` with `set`.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When it begins.
    pub at: SimTime,
    /// When it ends; none is never.
    pub until: Option<SimTime>,
    /// What it changes.
    pub patch: Patch,
    /// What the reader wrote: `services.db.speed: 0.1`.
    pub label: String,
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
    /// Outcome names: the fixed ones, then `failed:name`.
    pub outcomes: Vec<String>,
    /// Sources of requests.
    pub traffics: Vec<TrafficPlan>,
    /// Services.
    pub services: Vec<ServicePlan>,
    /// Endpoints of all services.
    pub endpoints: Vec<EndpointPlan>,
    /// Resources of kind `slots`.
    pub pools: Vec<PoolPlan>,
    /// Step code of all endpoints.
    pub code: Vec<Op>,
    /// For each operation, the number that names its place for the request's draws.
    pub salts: Vec<u64>,
    /// Distributions; times in seconds.
    pub samplers: Vec<Distribution>,
    /// Calls.
    pub calls: Vec<CallPlan>,
    /// Routes.
    pub routes: Vec<RoutePlan>,
    /// Policies.
    pub policies: Vec<PolicyPlan>,
    /// Who calls under which policy, sorted by policy and caller.
    pub uses: Vec<UsePlan>,
    /// `all` steps.
    pub forks: Vec<ForkPlan>,
    /// `choose` steps.
    pub choices: Vec<ChoicePlan>,
    /// Failures that events can bring about.
    pub failures: Vec<FailurePlan>,
    /// What happens by the clock, in the order of the file.
    pub changes: Vec<Change>,
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

impl Patch {
    /// The rows in which `changed` differs from `base`.
    ///
    /// # Errors
    ///
    /// When the two do not have the same shape: a patch changes numbers, it cannot add or remove parts.
    pub fn between(base: &Blueprint, changed: &Blueprint) -> Result<Self, &'static str> {
        let mut rows = Vec::new();
        let rows = &mut rows;
        differing(&base.samplers, &changed.samplers, rows, |i, row| Row::Sampler(SamplerId(i), row))?;
        differing(&base.pools, &changed.pools, rows, |i, row| Row::Pool(PoolId(i), row))?;
        differing(&base.services, &changed.services, rows, |i, row| Row::Service(ServiceId(i), row))?;
        differing(&base.traffics, &changed.traffics, rows, |i, row| Row::Traffic(TrafficId(i), row))?;
        differing(&base.policies, &changed.policies, rows, |i, row| Row::Policy(PolicyId(i), row))?;
        differing(&base.routes, &changed.routes, rows, |i, row| Row::Route(RouteId(i), row))?;
        differing(&base.forks, &changed.forks, rows, |i, row| Row::Fork(ForkId(i), row))?;
        differing(&base.choices, &changed.choices, rows, |i, row| Row::Choice(ChoiceId(i), row))?;
        differing(&base.code, &changed.code, rows, |i, row| Row::Code(CodeAddress(i), row))?;
        if base.calls != changed.calls
            || base.endpoints != changed.endpoints
            || base.salts != changed.salts
            || base.uses != changed.uses
        {
            return Err("the steps would no longer be the same");
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

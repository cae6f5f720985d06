//! A scenario whose parts fit together.

use models::attribute::Attributes;
use models::autoscaler::plan::AutoscalerPlan;
use models::blueprint::{
    Arrivals, Attribute, CacheId, CachePlan, Caller, Change, ConnectPlan, CoresPlan, EndpointId, Fault,
    FlushPlan, LifePlan, Limits, LinkId, Outcome, Overlap, Pick, PolicyId, PolicyPlan, PoolId, PoolPlan,
    QueuePlan, RatePlan, Recurrence, RouteId, SendPlan, ServiceId, Stock, VolumePlan, WaitFor, ZonePlan,
};
use models::formula::Formula;
use models::health::HealthPlan;
use sim_core::distribution::Distribution;
use sim_core::{SimTime, Span};

use crate::goal::Goal;
use crate::metric::{Expectation, Metric};
use crate::rare::RareEvents;
use crate::results::Head;
use crate::screening::Screening;
use crate::sweep::Axis;
use crate::tree::Place;
use crate::uncertain::Uncertain;

/// How much of a run is not measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmup {
    /// This much.
    Fixed(Span),
    /// Found by MSER-5.
    Auto,
}

/// A scenario that has been checked: names resolved, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub(crate) parts: Parts,
    pub(crate) changes: Vec<Change>,
    pub(crate) overlaps: Vec<Overlap>,
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) variants: Vec<String>,
    pub(crate) axes: Vec<Axis>,
    pub(crate) outcome: Option<Metric>,
    pub(crate) goal: Option<Goal>,
    pub(crate) rare: Option<RareEvents>,
    pub(crate) screening: Option<Screening>,
    pub(crate) uncertain: Uncertain,
}

/// What a scenario consists of; all tables are sorted by name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) duration: Span,
    pub(crate) warmup: Warmup,
    pub(crate) seed: u64,
    pub(crate) replications: u32,
    pub(crate) precision: Option<f64>,
    pub(crate) limits: Limits,
    pub(crate) classes: Vec<String>,
    /// Names of tenants, by value.
    pub(crate) tenants: Vec<String>,
    pub(crate) outcomes: Vec<String>,
    pub(crate) traffics: Vec<Traffic>,
    pub(crate) services: Vec<Service>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) queues: Vec<QueuePlan>,
    pub(crate) autoscalers: Vec<AutoscalerPlan>,
    pub(crate) pools: Vec<PoolPlan>,
    pub(crate) rates: Vec<RatePlan>,
    pub(crate) volumes: Vec<VolumePlan>,
    pub(crate) caches: Vec<CachePlan>,
    pub(crate) policies: Vec<PolicyPlan>,
    /// Sorted by policy and caller.
    pub(crate) uses: Vec<Use>,
    pub(crate) routes: Vec<Route>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) zones: Vec<String>,
    pub(crate) links: Vec<Link>,
    /// What happens by the clock, in the order of the file.
    pub(crate) happenings: Vec<Happening>,
}

/// Two sides whose messages an event may disturb, the smaller one first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) sides: (Caller, Caller),
}

/// What an event does to the messages on a link.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Disturbance {
    Cut,
    Added(Distribution),
    Lossy(f64),
}

/// When an event happens, and what happens besides values that change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Happening {
    pub(crate) at: SimTime,
    pub(crate) until: Option<SimTime>,
    pub(crate) recurs: Option<Box<Recurrence>>,
    /// What begins it, rather than the clock.
    pub(crate) when: Option<Formula>,
    pub(crate) fault: Option<Fault>,
    pub(crate) disturbance: Option<(LinkId, Disturbance)>,
    pub(crate) flush: Option<FlushPlan>,
    pub(crate) label: String,
}

/// Replicas that an event makes fail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) service: ServiceId,
    pub(crate) replicas: u32,
    /// How long it takes to fail.
    pub(crate) after: Distribution,
    pub(crate) outcome: Outcome,
}

/// A service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) replicas: u32,
    pub(crate) cores: Option<CoresPlan>,
    pub(crate) speed: f64,
    /// The pools of each replica, in slot order.
    pub(crate) pools: Vec<PoolId>,
    /// The pool that a request holds from its first step to its last.
    pub(crate) workers: Option<PoolId>,
    pub(crate) life: LifePlan,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    /// `web.checkout`.
    pub(crate) name: String,
    pub(crate) service: ServiceId,
    pub(crate) place: Place,
    pub(crate) steps: Vec<Step>,
}

/// Work that no caller waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) name: String,
    /// Whose replicas it runs on.
    pub(crate) service: ServiceId,
    pub(crate) start: Option<Start>,
    pub(crate) steps: Vec<Step>,
}

/// When runs of a job start by themselves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start {
    pub(crate) at: Option<Distribution>,
    pub(crate) every: Option<Distribution>,
    pub(crate) when: Option<Formula>,
    /// Whether each replica has runs of its own.
    pub(crate) each_replica: bool,
}

/// How calls to a service choose a replica.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) service: ServiceId,
    pub(crate) pick: Pick,
    pub(crate) health: Option<HealthPlan>,
    pub(crate) latency: Option<Distribution>,
    pub(crate) connect: Option<ConnectPlan>,
    pub(crate) slow_start: Option<Span>,
    pub(crate) zone: Option<ZonePlan>,
    /// What passes it, where that takes time or can be lost.
    pub(crate) wire: Option<Box<Wire>>,
}

/// What messages meet on a route.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wire {
    /// Bytes per second.
    pub(crate) bandwidth: f64,
    pub(crate) loss: f64,
    pub(crate) retransmit: Span,
    /// Bytes of the request; none is as many as it carries.
    pub(crate) request: Option<Distribution>,
    /// Bytes of the reply.
    pub(crate) reply: Option<Distribution>,
}

/// A source of requests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Traffic {
    pub(crate) name: String,
    pub(crate) arrivals: Arrivals,
    /// Cumulative shares and what is called, sorted by name.
    pub(crate) targets: Vec<(f64, Call)>,
    /// Cumulative shares and classes, sorted by name.
    pub(crate) classes: Vec<(f64, u16)>,
    pub(crate) attributes: Attributes,
    pub(crate) expected_cycle: Option<Span>,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) endpoint: EndpointId,
    pub(crate) route: RouteId,
    pub(crate) policy: Option<PolicyId>,
    pub(crate) latency: Option<Distribution>,
    pub(crate) wire: Option<Box<Wire>>,
    pub(crate) place: Place,
}

/// A policy in the hands of a caller.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Use {
    pub(crate) policy: PolicyId,
    pub(crate) caller: Caller,
    /// What the caller does when a call has failed.
    pub(crate) fallback: Option<Vec<Step>>,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Cpu(Distribution),
    /// The same, and so many seconds more for each byte of the request.
    PerByte {
        need: Distribution,
        each: f64,
    },
    Delay(Distribution),
    /// Stops the cores of the replica.
    Pause(Distribution),
    /// Takes so many times what is drawn.
    Times {
        time: Distribution,
        factor: Formula,
        of: Timed,
    },
    Hold {
        pool: PoolId,
        units: u32,
        steps: Vec<Step>,
    },
    /// Is served in a batch, which takes a mean of `alone` seconds for one.
    Batch {
        pool: PoolId,
        alone: f64,
    },
    Take(Move),
    Give(Move),
    /// Finds an answer in a cache, or fetches it.
    Get {
        cache: CacheId,
        by: Attribute,
        hit: Vec<Step>,
        miss: Vec<Step>,
    },
    Put {
        cache: CacheId,
        by: Attribute,
        removes: bool,
    },
    Call(Call),
    Send(SendPlan),
    All {
        branches: Vec<Branch>,
        copies: Option<Distribution>,
        wait_for: WaitFor,
        cancel: bool,
    },
    Repeat {
        times: Distribution,
        steps: Vec<Step>,
    },
    Choose(Vec<(ArmWhen, Vec<Step>)>),
    Reply,
    Fail {
        outcome: Outcome,
        probability: f64,
    },
}

/// What the time of a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timed {
    /// A need of the cores.
    Cpu,
    /// Time that passes.
    Delay,
    /// A pause of the cores.
    Pause,
}

/// What a step takes or gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Move {
    pub(crate) stock: Stock,
    pub(crate) units: Units,
    pub(crate) guarded: bool,
}

/// How many units are taken or given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Units {
    All,
    Drawn(Distribution),
    Of(Formula),
}

/// Shows `look` every call of the steps.
pub(crate) fn each_call<'a>(steps: &'a [Step], look: &mut impl FnMut(&'a Call)) {
    for step in steps {
        match step {
            Step::Call(call) => look(call),
            Step::Hold { steps, .. } | Step::Repeat { steps, .. } => each_call(steps, look),
            Step::All { branches, .. } => {
                for branch in branches {
                    match branch {
                        Branch::Call(call) => look(call),
                        Branch::Steps(steps) => each_call(steps, look),
                    }
                }
            }
            Step::Choose(arms) => arms.iter().for_each(|(_, steps)| each_call(steps, look)),
            Step::Get { hit, miss, .. } => {
                each_call(hit, look);
                each_call(miss, look);
            }
            Step::Cpu(_)
            | Step::PerByte { .. }
            | Step::Delay(_)
            | Step::Pause(_)
            | Step::Times { .. }
            | Step::Batch { .. }
            | Step::Take(_)
            | Step::Give(_)
            | Step::Put { .. }
            | Step::Send(_)
            | Step::Reply
            | Step::Fail { .. } => {}
        }
    }
}

/// A branch of an `all` step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Branch {
    Call(Call),
    Steps(Vec<Step>),
}

/// When a branch of a `choose` step is taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ArmWhen {
    Class(u16),
    /// With this probability.
    Weight(f64),
    Level(Formula),
    Else,
}

impl Scenario {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The question that it answers.
    pub fn about(&self) -> Option<&str> {
        self.parts.about.as_deref()
    }

    /// How long a replication runs.
    pub fn duration(&self) -> Span {
        self.parts.duration
    }

    /// How much of it is not measured.
    pub fn warmup(&self) -> Warmup {
        self.parts.warmup
    }

    /// The seed of all random numbers.
    pub fn seed(&self) -> u64 {
        self.parts.seed
    }

    /// The head of a result in this schema; who has chosen a variant adds it.
    pub(crate) fn head(&self, schema: &str) -> Head {
        Head::of(schema, self.name(), self.about(), None, self.seed())
    }

    /// How many replications it asks for.
    pub fn replications(&self) -> u32 {
        self.parts.replications
    }

    /// The relative half-width of intervals that it asks for.
    pub fn precision(&self) -> Option<f64> {
        self.parts.precision
    }

    /// Names of its variants, in the order of the file.
    pub fn variants(&self) -> &[String] {
        &self.variants
    }

    /// What its sweep varies, in the order of the file.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// By what its sweep judges every point: a condition on the course of the run.
    pub fn outcome(&self) -> Option<&Metric> {
        self.outcome.as_ref()
    }

    /// What its `solve` is to find.
    pub fn goal(&self) -> Option<&Goal> {
        self.goal.as_ref()
    }

    /// What is rare and to be estimated.
    pub fn rare(&self) -> Option<&RareEvents> {
        self.rare.as_ref()
    }

    /// What its `sensitivity` is to find.
    pub fn screening(&self) -> Option<&Screening> {
        self.screening.as_ref()
    }

    /// Its inputs that are not known exactly, and how they are drawn.
    pub fn uncertain(&self) -> &Uncertain {
        &self.uncertain
    }

    /// What must hold.
    pub fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }
}

//! What each station is, in the words of queueing theory.

use models::blueprint::{
    Arrivals, Blueprint, CodeAddress, Discipline, EndpointId, Op, Pick, PolicyPlan, PoolId, PoolPlan,
    PoolScope, Scheduling, ServiceId,
};
use models::theory::{BySize, Mmc, Patience, by_size_mean};
use sim_core::distribution::Distribution;

use crate::experiment::analysis::{Analysis, Place, entry_rate, mean};

/// A station whose service time has a law of its own.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an assumption of its own")]
pub(super) struct Law {
    /// Servers of one instance.
    pub(super) servers: u32,
    /// Mean service time of a visit.
    pub(super) mean: f64,
    /// Its squared coefficient of variation.
    pub(super) scv: f64,
    /// Whether it is exponential and the same for all.
    pub(super) exponential: bool,
    /// Whether all in service share the servers, rather than wait for one.
    pub(super) shared: bool,
    /// Visits of one instance per second.
    pub(super) arrivals: f64,
    /// Instances.
    pub(super) instances: u32,
    /// Room for waiting; none is no limit.
    pub(super) room: Option<u32>,
    /// Whether the queue is first come first served.
    pub(super) fifo: bool,
    /// Whether some classes are served before others.
    pub(super) ranked: bool,
    /// Whether the longest wait is limited.
    pub(super) gives_up: bool,
    /// How long those who wait are willing to, where theory knows what follows from it.
    pub(super) patience: Option<Patience>,
    /// Name of the cores that these workers share, when both together are one station.
    pub(super) with_cores: Option<ServiceId>,
    /// Mean response of a visit where the order of service has a closed form of its own, and why it holds.
    pub(super) known: Option<(f64, &'static str)>,
}

impl Law {
    /// `M/M/1`, `M/G/4`, `M/M/1/10`: what the station is with Poisson arrivals.
    pub(super) fn model(&self) -> String {
        let service = if self.exponential {
            "M"
        } else if self.scv == 0.0 {
            "D"
        } else {
            "G"
        };
        let sharing = if self.shared && !self.exponential { "-PS" } else { "" };
        match self.room {
            Some(room) if self.matters(room) => {
                format!("M/{service}/{}/{}", self.servers, self.servers.saturating_add(room))
            }
            _ => format!("M/{service}/{}{sharing}", self.servers),
        }
    }

    /// Whether the queue is ever likely to be full.
    pub(super) fn matters(&self, room: u32) -> bool {
        let utilization = self.arrivals * self.mean / f64::from(self.servers);
        utilization >= 1.0 || utilization.powf(f64::from(room)) > NEVER
    }

    /// Utilization of an instance without loss.
    pub(super) fn utilization(&self) -> f64 {
        self.arrivals * self.mean / f64::from(self.servers)
    }
}

/// Why a station has no law of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NoLaw {
    /// It never makes anybody wait, or it is one with another station: there is nothing to tell.
    Silent(String),
    /// Theory has nothing to say of it, for this reason.
    Because(String),
}

impl NoLaw {
    /// The reason.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Silent(why) | Self::Because(why) => why,
        }
    }
}

/// Probability of a full queue, or of a wait, below which it does not count.
pub(super) const NEVER: f64 = 1e-6;

/// What a stretch of step code does while it holds something.
#[derive(Clone, Debug, Default, PartialEq)]
struct Body {
    mean: f64,
    variance: f64,
    steps: u32,
    exponential: bool,
    /// Time on cores that are limited.
    cpu: bool,
    /// Other time.
    delay: bool,
}

/// Every station with its law, or why it has none.
pub(super) fn describe(blueprint: &Blueprint, analysis: &Analysis) -> Vec<Result<Law, NoLaw>> {
    let stations = analysis.stations.iter();
    let mut laws: Vec<Result<Law, NoLaw>> = stations
        .map(|station| match station.place {
            Place::Pool(pool) => of_pool(blueprint, analysis, pool),
            Place::Cores(service) => of_cores(blueprint, analysis, service).map_err(NoLaw::Because),
        })
        .zip(&analysis.by_jobs)
        .map(|(law, by_jobs)| {
            let why = "jobs use it too, and they do not come as requests do";
            if *by_jobs && law.is_ok() { Err(NoLaw::Because(why.to_owned())) } else { law }
        })
        .collect();
    // Workers and the cores that they share are one station.
    for k in 0..laws.len() {
        let Ok(Law { with_cores: Some(service), .. }) = laws[k] else { continue };
        if let Some(cores) = analysis.station(Place::Cores(service)) {
            laws[cores] = Err(NoLaw::Silent(format!("one station with `{}`", analysis.stations[k].name)));
        }
    }
    laws
}

fn visits(analysis: &Analysis, k: usize) -> f64 {
    let rates = analysis.loads.iter().filter(|load| load.visits[k] > 0.0);
    rates.map(|load| load.rate * load.visits[k]).sum::<f64>() / analysis.stations[k].instances
}

fn of_pool(blueprint: &Blueprint, analysis: &Analysis, id: PoolId) -> Result<Law, NoLaw> {
    let no = |why: &str| Err(NoLaw::Because(why.to_owned()));
    let plan = &blueprint.pools[id.index()];
    let Some(k) = analysis.station(Place::Pool(id)) else { return no("it is never used") };
    let arrivals = visits(analysis, k);
    if arrivals <= 0.0 {
        return no("it is never used");
    }
    if plan.scope == PoolScope::Class {
        return no("each class has a pool of its own");
    }
    if let PoolScope::Each(_) = plan.scope {
        return no("each value has a pool of its own");
    }
    if plan.batch.is_some() {
        return no("it serves batches, whose size depends on the load");
    }
    if let Some(why) = not_known(blueprint, plan) {
        return no(why);
    }
    let (body, service) = body_of(blueprint, analysis, id).map_err(NoLaw::Because)?;
    let cores = blueprint.services[service.index()].cores.filter(|_| body.cpu);
    if let Some(why) = slowed(blueprint, service).filter(|_| cores.is_some()) {
        return Err(NoLaw::Because(why));
    }
    let mut law = Law {
        servers: plan.slots,
        mean: body.mean,
        scv: body.variance / (body.mean * body.mean),
        exponential: body.exponential,
        shared: false,
        arrivals,
        instances: analysis.stations[k].instances as u32,
        room: (plan.queue < u32::MAX).then_some(plan.queue),
        fifo: plan.order == Discipline::Fifo,
        ranked: plan.order == Discipline::Priority && blueprint.classes.len() > 1,
        gives_up: plan.timeout.is_some(),
        patience: plan.timeout.as_ref().and_then(|law| match plan.order {
            _ if law.is_exponential() => Some(Patience::Exponential(law.mean())),
            Discipline::Fifo if law.is_constant() => Some(Patience::Constant(law.mean())),
            _ => None,
        }),
        with_cores: None,
        known: None,
    };
    if let Some(cores) = cores
        && f64::from(plan.slots) > cores.cores
    {
        let whole = cores.cores.fract() == 0.0;
        let spare = f64::from(plan.slots) - cores.cores.ceil();
        let utilization = law.arrivals * law.mean / cores.cores.max(1.0);
        if plan.is_workers && !body.delay && utilization < 1.0 && utilization.powf(spare) < NEVER {
            return Err(NoLaw::Silent(format!("`{}` are practically never all taken", plan.name)));
        }
        if !(plan.is_workers && body.exponential && !body.delay && whole) {
            return Err(NoLaw::Because(format!(
                "{} requests share {} cores while they hold `{}`: how long depends on how many compute",
                plan.slots, cores.cores, plan.name
            )));
        }
        let served = cores.scheduling;
        if !matches!(served, Scheduling::Sharing | Scheduling::RunToCompletion) {
            return Err(NoLaw::Because(format!(
                "`{}` are used in an order of their own",
                cores_name(blueprint, service)
            )));
        }
        // Of those who hold a worker, as many are served at once as there are cores.
        law.room = law.room.map(|room| room.saturating_add(plan.slots - cores.cores as u32));
        law.servers = cores.cores as u32;
        law.shared = served == Scheduling::Sharing;
        law.with_cores = Some(service);
    }
    Ok(law)
}

/// Why no closed form says anything of a pool with such a line; none when one may.
fn not_known(blueprint: &Blueprint, plan: &PoolPlan) -> Option<&'static str> {
    let leaves = |policy: &PolicyPlan| policy.timeout.is_some() || policy.total.is_some();
    match plan.order {
        Discipline::Sjf => return Some("`sjf` serves by size: waits are shorter than in order of arrival"),
        Discipline::Codel(_) | Discipline::AdaptiveLifo { codel: Some(_), .. } => {
            return Some("CoDel turns requests away by how long others have waited");
        }
        Discipline::Fifo
        | Discipline::Lifo
        | Discipline::Priority
        | Discipline::Random
        | Discipline::Edf
        | Discipline::AdaptiveLifo { codel: None, .. } => {}
    }
    if plan.adapt.is_some() {
        return Some("the number of its slots adapts");
    }
    if plan.admit.iter().any(|share| *share < 1.0) {
        return Some("whether a request may enter depends on its class and on what is in use");
    }
    let drops = plan.drop_abandoned && blueprint.policies.iter().any(leaves);
    drops.then_some("requests whose callers have gone are dropped")
}

/// What is done while the pool is held: mixed over all places that hold it.
fn body_of(blueprint: &Blueprint, analysis: &Analysis, id: PoolId) -> Result<(Body, ServiceId), String> {
    let mut bodies: Vec<(f64, Body, ServiceId)> = Vec::new();
    for (e, plan) in blueprint.endpoints.iter().enumerate() {
        let rate = entry_rate(analysis, EndpointId(e as u32));
        if rate <= 0.0 {
            continue;
        }
        for at in straight(blueprint, plan.entry) {
            if matches!(blueprint.code[at], Op::Acquire { pool, units } if pool == id && units == 1) {
                let body = body(blueprint, plan.service, at + 1, &blueprint.pools[id.index()].name)?;
                bodies.push((rate, body, plan.service));
            }
        }
    }
    let name = &blueprint.pools[id.index()].name;
    let Some((_, first, service)) = bodies.first().cloned() else {
        return Err(format!("`{name}` is held on some paths only, or by several units at once"));
    };
    if bodies.iter().all(|(_, body, _)| *body == first) {
        return Ok((first, service));
    }
    if bodies.iter().any(|(_, _, other)| *other != service) {
        return Err(format!("several services hold `{name}`"));
    }
    let total: f64 = bodies.iter().map(|(rate, ..)| rate).sum();
    let moment =
        |of: &dyn Fn(&Body) -> f64| bodies.iter().map(|(rate, body, _)| rate / total * of(body)).sum();
    let mean: f64 = moment(&|body| body.mean);
    let second: f64 = moment(&|body| body.variance + body.mean * body.mean);
    let mixed = Body {
        mean,
        variance: second - mean * mean,
        steps: 2,
        exponential: false,
        cpu: bodies.iter().any(|(_, body, _)| body.cpu),
        delay: bodies.iter().any(|(_, body, _)| body.delay),
    };
    Ok((mixed, service))
}

/// Addresses of the operations that every request runs, up to the first branching.
fn straight(blueprint: &Blueprint, entry: CodeAddress) -> Vec<usize> {
    let mut addresses = Vec::new();
    let mut at = entry.index();
    while let Some(op) = blueprint.code.get(at) {
        addresses.push(at);
        at = match op {
            Op::RepeatBegin { exit, .. } | Op::Connect { exit } => exit.index(),
            Op::Jump(to) if to.index() > at => to.index(),
            Op::End | Op::Choose(_) | Op::Get(_) | Op::Jump(_) => break,
            _ => at + 1,
        };
    }
    addresses
}

/// The law of the time from `start` to the matching release.
fn body(blueprint: &Blueprint, service: ServiceId, start: usize, name: &str) -> Result<Body, String> {
    let mut body = Body::default();
    let mut at = start;
    let plan = &blueprint.services[service.index()];
    while let Some(op) = blueprint.code.get(at) {
        match op {
            Op::Cpu(sampler) => {
                let pace = plan.speed * plan.cores.map_or(1.0, |cores| cores.cores.min(1.0));
                body.step(&blueprint.samplers[sampler.index()], pace);
                body.cpu |= plan.cores.is_some();
                body.delay |= plan.cores.is_none();
            }
            Op::CpuPerByte { .. } => {
                return Err(format!("what is done while `{name}` is held goes by bytes"));
            }
            Op::CpuTimes { .. } | Op::DelayTimes { .. } | Op::PauseTimes { .. } => {
                return Err(format!("what is done while `{name}` is held goes by levels"));
            }
            Op::Pause(_) => {
                return Err(format!("what is done while `{name}` is held stops the cores"));
            }
            Op::Delay(sampler) => {
                body.step(&blueprint.samplers[sampler.index()], 1.0);
                body.delay = true;
            }
            Op::Jump(to) => {
                at = to.index();
                continue;
            }
            Op::Activate(_)
            | Op::Dispatch
            | Op::Reply
            | Op::Begin
            | Op::Give(_)
            | Op::Put(_)
            | Op::Fetched(_) => {}
            Op::Get(_) => {
                return Err(format!("how long `{name}` is held depends on what a cache has"));
            }
            Op::Release | Op::End => {
                return if body.mean > 0.0 { Ok(body) } else { Err(format!("`{name}` is held for no time")) };
            }
            Op::Call(call) => {
                let called = &blueprint.endpoints[blueprint.calls[call.index()].endpoint.index()].name;
                return Err(format!(
                    "`{name}` is held while `{called}` is called: the hold time depends on other queues"
                ));
            }
            Op::Acquire { pool, .. } => {
                return Err(format!(
                    "`{name}` is held while waiting for `{}`: the hold time depends on that queue",
                    blueprint.pools[pool.index()].name
                ));
            }
            Op::Connect { .. } | Op::Open(_) | Op::Opened { .. } => {
                return Err(format!("`{name}` is held longer by those who open a connection"));
            }
            Op::Batch(_) | Op::Take(_) | Op::Send(_) => {
                return Err(format!("`{name}` is held while waiting for another resource"));
            }
            Op::Fork(_) => return Err(format!("`{name}` is held across parallel branches")),
            Op::Choose(_) | Op::RepeatBegin { .. } | Op::RepeatEnd { .. } | Op::Fail { .. } => {
                return Err(format!("the steps while `{name}` is held differ from request to request"));
            }
        }
        at += 1;
    }
    Err(format!("`{name}` is never given back"))
}

impl Body {
    fn step(&mut self, law: &Distribution, pace: f64) {
        self.mean += mean(law) / pace;
        self.variance += law.variance() / (pace * pace);
        self.steps += 1;
        self.exponential = self.steps == 1 && law.is_exponential();
    }
}

/// The law of the bursts on the cores of a service.
fn of_cores(blueprint: &Blueprint, analysis: &Analysis, id: ServiceId) -> Result<Law, String> {
    let plan = &blueprint.services[id.index()];
    let Some(k) = analysis.station(Place::Cores(id)) else { return Err("there are no cores".to_owned()) };
    let Some(cores) = plan.cores else { return Err("there are no cores".to_owned()) };
    let arrivals = visits(analysis, k);
    if arrivals <= 0.0 {
        return Err("they are never used".to_owned());
    }
    if cores.cores > 1.0 && cores.cores.fract() != 0.0 {
        return Err(format!("{} cores are no whole number of servers", cores.cores));
    }
    let pace = plan.speed * cores.cores.min(1.0);
    let busy: f64 = analysis.loads.iter().map(|load| load.rate * load.demands[k]).sum();
    let mean = busy / analysis.stations[k].instances / arrivals / cores.cores.min(1.0);
    let Some(laws) = bursts(blueprint, analysis, id) else {
        return Err("what a request needs goes by its bytes".to_owned());
    };
    let same = laws.windows(2).all(|pair| pair[0] == pair[1]);
    let exponential = same && laws.first().is_some_and(|law| law.is_exponential());
    // Sharing depends on the mean only; for an event loop the variation counts too.
    let moments = laws.iter().map(|law| law.second_moment() / (pace * pace)).sum::<f64>();
    let scv = if same {
        laws.first().map_or(1.0, |law| law.scv())
    } else {
        (moments / laws.len() as f64 / (mean * mean) - 1.0).max(0.0)
    };
    if cores.scheduling == Scheduling::RunToCompletion && !same {
        return Err("bursts of several kinds wait in one line".to_owned());
    }
    if let Some(why) = slowed(blueprint, id) {
        return Err(why);
    }
    let servers = cores.cores.max(1.0) as u32;
    let known = match cores.scheduling {
        Scheduling::Sharing | Scheduling::RunToCompletion => None,
        _ if !same => return Err("bursts of several kinds are served in an order of their own".to_owned()),
        order => Some(ordered(order, arrivals, laws[0], mean, servers)?),
    };
    Ok(Law {
        servers,
        mean,
        scv,
        exponential: exponential && known.is_none(),
        shared: cores.scheduling == Scheduling::Sharing,
        arrivals,
        instances: plan.replicas,
        room: None,
        fifo: known.is_none(),
        ranked: false,
        gives_up: false,
        patience: None,
        with_cores: None,
        known,
    })
}

/// Why no closed form knows how fast the cores of a service are, if none does.
pub(super) fn slowed(blueprint: &Blueprint, id: ServiceId) -> Option<String> {
    let plan = &blueprint.services[id.index()];
    let name = cores_name(blueprint, id);
    let cores = plan.cores?;
    if cores.throttle.is_some() {
        return Some(format!("the quota of `{name}` makes work stand still in part of each period"));
    }
    cores.contention.map(|_| format!("contention on `{name}`: how fast depends on how many compute"))
}

fn cores_name(blueprint: &Blueprint, id: ServiceId) -> String {
    format!("{}.cores", blueprint.services[id.index()].name)
}

/// Mean response of bursts of one law, `mean` seconds each, that are served in an order, and why that is known.
fn ordered(
    order: Scheduling,
    arrivals: f64,
    law: &Distribution,
    mean: f64,
    servers: u32,
) -> Result<(f64, &'static str), String> {
    let by_size = |rule: BySize, why: &'static str| {
        let scaled = (mean > 0.0 && law.mean() > 0.0).then(|| law.scaled(mean / law.mean()));
        let known = scaled.and_then(|law| by_size_mean(rule, arrivals, &law)).filter(|mean| mean.is_finite());
        known.map(|mean| (mean, why)).ok_or_else(|| "no closed form is known for these sizes".to_owned())
    };
    let blind =
        matches!(order, Scheduling::LastComeFirst | Scheduling::LeastAttained | Scheduling::Priority { .. });
    if arrivals * mean >= f64::from(servers) {
        return Err("more work arrives than can be done: there is no steady state".to_owned());
    }
    if blind && law.is_exponential() {
        let known = Mmc::new(arrivals, mean.recip(), servers).map(|queue| queue.mean_response());
        let why =
            "Poisson arrivals, exponential needs: an order that does not go by size leaves the mean as it is";
        return known.map(|mean| (mean, why)).ok_or_else(|| "they are never used".to_owned());
    }
    if servers > 1 {
        return Err("several cores that serve in an order of their own have no closed form".to_owned());
    }
    match order {
        Scheduling::LastComeFirst => Ok((
            mean / (1.0 - arrivals * mean),
            "Poisson arrivals, one core: last come first served, preemptive, depends on the mean need only",
        )),
        Scheduling::ShortestJobFirst => {
            by_size(BySize::ShortestFirst, "Poisson arrivals, one core, the shortest first (Phipps)")
        }
        Scheduling::ShortestOriginalSize => {
            by_size(BySize::PreemptiveShortest, "Poisson arrivals, one core, the shortest first, preemptive")
        }
        Scheduling::ShortestRemaining => by_size(
            BySize::ShortestRemaining,
            "Poisson arrivals, one core, the shortest rest first (Schrage and Miller)",
        ),
        Scheduling::LeastAttained => {
            by_size(BySize::LeastAttained, "Poisson arrivals, one core, the least served first (Schrage)")
        }
        _ => Err("classes are told apart, and what each of them needs is not".to_owned()),
    }
}

/// The laws of the CPU needs in the code of the endpoints that are used; none where a need goes by bytes.
fn bursts<'a>(blueprint: &'a Blueprint, analysis: &Analysis, id: ServiceId) -> Option<Vec<&'a Distribution>> {
    let mut laws = Vec::new();
    for (e, plan) in blueprint.endpoints.iter().enumerate() {
        if plan.service != id || entry_rate(analysis, EndpointId(e as u32)) <= 0.0 {
            continue;
        }
        let next =
            blueprint.endpoints.iter().map(|other| other.entry.index()).filter(|at| *at > plan.entry.index());
        let end = next.min().unwrap_or(blueprint.code.len());
        for op in &blueprint.code[plan.entry.index()..end] {
            match op {
                Op::Cpu(sampler) => laws.push(&blueprint.samplers[sampler.index()]),
                Op::CpuPerByte { .. } | Op::CpuTimes { .. } => return None,
                _ => {}
            }
        }
    }
    Some(laws)
}

/// Why the arrivals of the traffics are not Poisson; none when they are.
pub(super) fn not_poisson(blueprint: &Blueprint) -> Option<String> {
    blueprint.traffics.iter().find_map(|traffic| match &traffic.arrivals {
        Arrivals::Trace(_) => Some(format!("arrivals of `{}` are recorded, not Poisson", traffic.name)),
        Arrivals::Closed { .. } => {
            Some(format!("users of `{}` wait for answers before they go on", traffic.name))
        }
        Arrivals::Open { batch: Some(_), .. } => {
            Some(format!("requests of `{}` arrive in batches", traffic.name))
        }
        Arrivals::Open { modulation: Some(_), .. } => {
            Some(format!("the rate of `{}` jumps at random", traffic.name))
        }
        Arrivals::Open { gap, .. } if gap.is_constant() => {
            Some(format!("arrivals of `{}` are not Poisson (even)", traffic.name))
        }
        Arrivals::Open { gap, .. } if !gap.is_exponential() => {
            Some(format!("arrivals of `{}` are not Poisson ({} gaps)", traffic.name, gap.family()))
        }
        Arrivals::Open { rate, .. } if !rate.is_constant() => {
            Some(format!("the rate of `{}` moves: there is no steady state", traffic.name))
        }
        Arrivals::Open { .. } => None,
    })
}

/// Why calls to a service do not reach its replicas as independent Poisson streams; none when they do.
pub(super) fn not_split(blueprint: &Blueprint, service: ServiceId) -> Option<String> {
    let plan = &blueprint.services[service.index()];
    if plan.replicas <= 1 {
        return None;
    }
    let routes = blueprint.routes.iter().filter(|route| route.service == service);
    routes.into_iter().find_map(|route| {
        let rule = match &route.pick {
            Pick::Random if route.health.is_some() => "by their health",
            Pick::Random => return None,
            Pick::First => "by being first",
            Pick::RoundRobin => "in turn",
            Pick::Weighted { .. } => "in turn by weight",
            Pick::Least { .. } => "by the least loaded of a few",
            Pick::LeastConnections => "by the least loaded",
            Pick::JoinIdle => "by being idle",
            Pick::PeakEwma => "by latency and load",
            Pick::Hash { .. } | Pick::Ring { .. } | Pick::Range { .. } => "by what is asked for",
            Pick::Sticky { .. } => "by session",
            Pick::Pinned { .. } => "by connection",
        };
        Some(format!("the {} replicas of `{}` are chosen {rule}, not at random", plan.replicas, plan.name))
    })
}

/// The service whose replicas own a station.
pub(super) fn owner(blueprint: &Blueprint, place: Place) -> Option<ServiceId> {
    match place {
        Place::Cores(service) => Some(service),
        Place::Pool(pool) => match blueprint.pools[pool.index()].scope {
            PoolScope::Replica { service, .. } => Some(service),
            PoolScope::One | PoolScope::Class | PoolScope::Each(_) => None,
        },
    }
}

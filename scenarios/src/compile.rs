//! From a checked scenario to the tables that are simulated. Nothing can fail here but ourselves.

use std::collections::BTreeSet;

use models::blueprint::{
    ArmTest, Attribute, Blueprint, BranchPlan, CacheId, CachePlan, CallId, CallPlan, Caller, ChoiceId,
    ChoicePlan, CodeAddress, EndpointPlan, FailurePlan, ForkId, ForkPlan, FormulaId, GetId, GetPlan, JobPlan,
    LinkId, LinkPlan, MoveId, MovePlan, Op, Payload, PoolId, PoolPlan, PutId, PutPlan, RouteId, RoutePlan,
    SamplerId, SendId, SendPlan, ServiceId, ServicePlan, StartPlan, TrafficId, TrafficPlan, Units, UsePlan,
    WireId, WirePlan,
};
use models::formula::Formula;
use sim_core::distribution::Distribution;
use sim_core::{SimTime, Span, hash_name};

use crate::scenario::{
    self, ArmWhen, Branch, Call, Endpoint, Failure, Link, Move, Parts, Route, Service, Start, Step, Timed,
    Wire, each_call,
};

/// The blueprint of `parts`, which measures from `warmup` on and over `windows`.
#[expect(clippy::too_many_lines, reason = "a table of tables")]
pub(crate) fn compile(
    parts: &Parts,
    warmup: Span,
    windows: impl IntoIterator<Item = (SimTime, SimTime)>,
) -> Blueprint {
    let mut writer = Writer {
        pools: parts.pools.clone(),
        caches: &parts.caches,
        links: parts.links.clone(),
        callees: parts.endpoints.iter().map(|endpoint| endpoint.service).collect(),
        ..Writer::default()
    };
    let mut uses: Vec<UsePlan> = parts
        .uses
        .iter()
        .map(|usage| UsePlan { policy: usage.policy, caller: usage.caller, fallback: None })
        .collect();
    let tied = tied_endpoints(parts);
    let mut services: Vec<ServicePlan> = parts
        .services
        .iter()
        .map(|service| ServicePlan {
            path: format!("services.{}", service.name),
            name: service.name.clone(),
            replicas: service.replicas,
            cores: service.cores,
            speed: service.speed,
            pools: service.pools.clone(),
            routes: Vec::new(),
            life: service.life.clone(),
        })
        .collect();
    let mut endpoints = Vec::with_capacity(parts.endpoints.len());
    for endpoint in &parts.endpoints {
        let service = endpoint.service.index();
        writer.caller = Some(Caller::Service(endpoint.service));
        let entry = writer.here();
        writer.routes = std::mem::take(&mut services[service].routes);
        writer.activation(parts, endpoint);
        writer.endpoint(
            &endpoint.name,
            parts.services[service].workers,
            tied[endpoints.len()],
            &endpoint.steps,
        );
        services[service].routes = std::mem::take(&mut writer.routes);
        endpoints.push(EndpointPlan { name: endpoint.name.clone(), service: endpoint.service, entry });
    }
    let mut jobs = Vec::with_capacity(parts.jobs.len());
    for job in &parts.jobs {
        let service = job.service.index();
        let path = format!("jobs.{}", job.name);
        let entry = writer.here();
        writer.routes = std::mem::take(&mut services[service].routes);
        // What starts by itself is no request: `workers` do not count it.
        let workers = parts.services[service].workers.filter(|_| job.start.is_none());
        writer.endpoint(&path, workers, false, &job.steps);
        services[service].routes = std::mem::take(&mut writer.routes);
        let start = job.start.as_ref().map(|start| writer.start(start));
        jobs.push(JobPlan { name: job.name.clone(), path, service: job.service, entry, start });
    }
    for (number, service) in services.iter_mut().enumerate() {
        writer.routes = std::mem::take(&mut service.routes);
        writer.caller = Some(Caller::Service(ServiceId(number as u32)));
        writer.fallbacks(parts, Caller::Service(ServiceId(number as u32)), &service.path, &mut uses);
        service.routes = std::mem::take(&mut writer.routes);
    }
    let mut traffics = Vec::with_capacity(parts.traffics.len());
    for traffic in &parts.traffics {
        let path = format!("traffic.{}", traffic.name);
        writer.routes.clear();
        let id = TrafficId(traffics.len() as u32);
        writer.caller = Some(Caller::Traffic(id));
        let targets = traffic
            .targets
            .iter()
            .map(|(share, call)| {
                let place = format!("{path}/{}", parts.endpoints[call.endpoint.index()].name);
                (*share, writer.call(call, &place))
            })
            .collect();
        writer.at_client = true;
        writer.fallbacks(parts, Caller::Traffic(id), &path, &mut uses);
        writer.at_client = false;
        traffics.push(TrafficPlan {
            stream: hash_name(&path),
            name: traffic.name.clone(),
            path,
            arrivals: traffic.arrivals.clone(),
            targets,
            classes: traffic.classes.clone(),
            attributes: Box::new(traffic.attributes.clone()),
            routes: std::mem::take(&mut writer.routes),
            expected_cycle: traffic.expected_cycle,
        });
    }
    writer.openers();
    let failures = parts.failures.iter().map(|failure| writer.failure(failure, &parts.services)).collect();
    Blueprint {
        name: parts.name.clone(),
        duration: parts.duration,
        warmup,
        classes: parts.classes.clone(),
        tenants: parts.tenants.clone(),
        outcomes: parts.outcomes.clone(),
        traffics,
        services,
        endpoints,
        jobs,
        queues: parts.queues.clone(),
        sends: writer.sends,
        autoscalers: parts.autoscalers.clone(),
        pools: writer.pools,
        rates: parts.rates.clone(),
        volumes: parts.volumes.clone(),
        moves: writer.moves,
        formulas: writer.formulas,
        caches: parts.caches.clone(),
        gets: writer.gets,
        puts: writer.puts,
        code: writer.code,
        salts: writer.salts,
        samplers: writer.samplers,
        calls: writer.calls,
        routes: parts.routes.iter().map(route_plan).collect(),
        wires: writer.wires,
        policies: parts.policies.clone(),
        uses,
        zones: parts.zones.clone(),
        links: parts.links.iter().map(|_| LinkPlan::default()).collect(),
        forks: writer.forks,
        choices: writer.choices,
        failures,
        changes: Vec::new(),
        overlaps: Vec::new(),
        cuts: cuts(parts.duration, warmup, windows),
        limits: parts.limits.clone(),
    }
}

fn route_plan(route: &Route) -> RoutePlan {
    RoutePlan {
        name: route.name.clone(),
        service: route.service,
        pick: route.pick.clone(),
        health: route.health.clone(),
        connect: route.connect,
        slow_start: route.slow_start,
        zone: route.zone,
    }
}

/// Instants at which something begins or ends to be measured, without 0 and the end.
fn cuts(duration: Span, warmup: Span, windows: impl IntoIterator<Item = (SimTime, SimTime)>) -> Vec<SimTime> {
    let mut cuts: BTreeSet<SimTime> = windows.into_iter().flat_map(|(from, to)| [from, to]).collect();
    cuts.insert(SimTime::ZERO + warmup);
    cuts.remove(&SimTime::ZERO);
    cuts.into_iter().filter(|cut| *cut < SimTime::ZERO + duration).collect()
}

/// For each endpoint, whether a tied hedge calls it: its requests tell when they begin.
fn tied_endpoints(parts: &Parts) -> Vec<bool> {
    let mut tied = vec![false; parts.endpoints.len()];
    let mut look = |call: &Call| {
        let hedge = call.policy.and_then(|policy| parts.policies[policy.index()].hedge);
        tied[call.endpoint.index()] |= hedge.is_some_and(|hedge| hedge.tied);
    };
    let fallbacks = parts.uses.iter().filter_map(|usage| usage.fallback.as_deref());
    let jobs = parts.jobs.iter().map(|job| job.steps.as_slice());
    for steps in parts.endpoints.iter().map(|endpoint| endpoint.steps.as_slice()).chain(jobs).chain(fallbacks)
    {
        each_call(steps, &mut look);
    }
    parts.traffics.iter().flat_map(|traffic| &traffic.targets).for_each(|(_, call)| look(call));
    tied
}

/// Writes step code.
#[derive(Default)]
struct Writer<'a> {
    code: Vec<Op>,
    salts: Vec<u64>,
    samplers: Vec<Distribution>,
    calls: Vec<CallPlan>,
    wires: Vec<WirePlan>,
    forks: Vec<ForkPlan>,
    choices: Vec<ChoicePlan>,
    moves: Vec<MovePlan>,
    formulas: Vec<Formula>,
    caches: &'a [CachePlan],
    gets: Vec<GetPlan>,
    puts: Vec<PutPlan>,
    /// What is fetched on nobody's behalf, and comes behind the endpoint's code: step, its place, what fetches.
    refreshes: Vec<(GetId, String, &'a [Step])>,
    sends: Vec<SendPlan>,
    /// Routes of the service or traffic at hand.
    routes: Vec<RouteId>,
    pools: Vec<PoolPlan>,
    /// Who makes the calls at hand, the service of each endpoint, and the links that events may disturb.
    caller: Option<Caller>,
    callees: Vec<ServiceId>,
    links: Vec<Link>,
    /// Whether the steps at hand run at a client, which has no cores to share.
    at_client: bool,
    /// Branches whose code comes behind the endpoint's: fork, branch, its place, its steps.
    later: Vec<(ForkId, usize, String, &'a [Step])>,
}

impl<'a> Writer<'a> {
    fn here(&self) -> CodeAddress {
        CodeAddress(self.code.len() as u32)
    }

    /// Adds an operation whose draws are named by `place`.
    fn op(&mut self, op: Op, place: &str) -> usize {
        self.code.push(op);
        self.salts.push(hash_name(place));
        self.code.len() - 1
    }

    fn formula(&mut self, formula: &Formula) -> FormulaId {
        self.formulas.push(formula.clone());
        FormulaId(self.formulas.len() as u32 - 1)
    }

    fn start(&mut self, start: &Start) -> StartPlan {
        let when = start.when.as_ref().map(|when| self.formula(when));
        let Start { at, every, each_replica, .. } = start.clone();
        StartPlan { at, every, when, each_replica }
    }

    fn sampler(&mut self, distribution: &Distribution) -> SamplerId {
        self.samplers.push(distribution.clone());
        SamplerId(self.samplers.len() as u32 - 1)
    }

    fn call(&mut self, call: &Call, place: &str) -> CallId {
        let slot = self.routes.iter().position(|route| *route == call.route).unwrap_or_else(|| {
            self.routes.push(call.route);
            self.routes.len() - 1
        });
        let latency = call.latency.as_ref().map(|latency| self.sampler(latency));
        let wire = call.wire.as_ref().map(|wire| self.wire(wire));
        self.calls.push(CallPlan {
            endpoint: call.endpoint,
            route: call.route,
            route_slot: slot as u32,
            policy: call.policy,
            latency,
            wire,
            link: self.link_to(call),
            salt: hash_name(place),
        });
        CallId(self.calls.len() as u32 - 1)
    }

    /// The link that a call of whoever is at hand passes, if an event may disturb it.
    fn link_to(&self, call: &Call) -> Option<LinkId> {
        let callee = Caller::Service(self.callees[call.endpoint.index()]);
        let sides = (self.caller?.min(callee), self.caller?.max(callee));
        self.links.iter().position(|link| link.sides == sides).map(|at| LinkId(at as u32))
    }

    fn wire(&mut self, wire: &Wire) -> WireId {
        let request = wire.request.as_ref().map_or(Payload::Request, |law| Payload::Drawn(self.sampler(law)));
        let reply = wire.reply.as_ref().map_or(Payload::Nothing, |law| Payload::Drawn(self.sampler(law)));
        let Wire { bandwidth, loss, retransmit, .. } = *wire;
        self.wires.push(WirePlan { bandwidth, loss, retransmit, request, reply });
        WireId(self.wires.len() as u32 - 1)
    }

    /// What a request has to pass before it is at a replica, if the service has an activator.
    fn activation(&mut self, parts: &Parts, endpoint: &Endpoint) {
        let scaler = parts.autoscalers.iter().find(|plan| plan.service == endpoint.service);
        if let Some(pool) = scaler.and_then(|plan| plan.activator) {
            let place = format!("{}/activator", endpoint.name);
            self.op(Op::Activate(pool), &place);
            self.op(Op::Dispatch, &place);
        }
    }

    fn endpoint(&mut self, name: &str, workers: Option<PoolId>, is_tied: bool, steps: &'a [Step]) {
        if let Some(pool) = workers {
            self.op(Op::Acquire { pool, units: 1 }, name);
        }
        if is_tied {
            self.op(Op::Begin, name);
        }
        self.block(name, steps);
    }

    /// Writes the fallbacks of the policies under which `caller` calls.
    fn fallbacks(&mut self, parts: &'a Parts, caller: Caller, path: &str, uses: &mut [UsePlan]) {
        for (usage, plan) in parts.uses.iter().zip(uses).filter(|(usage, _)| usage.caller == caller) {
            if let Some(steps) = &usage.fallback {
                plan.fallback = Some(self.here());
                let policy = &parts.policies[usage.policy.index()].name;
                self.block(&format!("{path}/fallback/{policy}"), steps);
            }
        }
    }

    /// Writes steps, and behind them those of their branches.
    fn block(&mut self, name: &str, steps: &'a [Step]) {
        self.steps(steps, name);
        self.op(Op::End, name);
        loop {
            if let Some((fork, branch, place, steps)) = self.later.pop() {
                self.forks[fork.index()].branches[branch] = BranchPlan::Code(self.here());
                self.steps(steps, &place);
                self.op(Op::End, &place);
            } else if let Some((get, place, steps)) = self.refreshes.pop() {
                self.gets[get.index()].refresh = Some(self.here());
                self.steps(steps, &place);
                self.op(Op::Fetched(get), &place);
                self.op(Op::End, &place);
            } else {
                break;
            }
        }
    }

    /// Takes or opens a connection into the slot that has just been got, if the slots are connections.
    fn connect(&mut self, pool: PoolId, place: &str) {
        let Some(plan) = &self.pools[pool.index()].connections else { return };
        let from = plan.from;
        let connect = self.op(Op::Connect { exit: CodeAddress(u32::MAX) }, place);
        if let Some(from) = from {
            self.op(Op::Acquire { pool: from, units: 1 }, &format!("{place}/from"));
        }
        self.op(Op::Open(pool), &format!("{place}/connect"));
        self.op(Op::Opened { pool, takes_unit: from.is_some() }, &format!("{place}/opened"));
        self.code[connect] = Op::Connect { exit: self.here() };
    }

    /// Writes what opens connections ahead.
    fn openers(&mut self) {
        for number in 0..self.pools.len() as u32 {
            let pool = PoolId(number);
            let plan = &self.pools[pool.index()];
            if plan.connections.as_ref().is_none_or(|plan| plan.opener.is_none()) {
                continue;
            }
            let place = format!("{}/open", plan.path);
            let entry = self.here();
            self.op(Op::Acquire { pool, units: 1 }, &place);
            self.connect(pool, &place);
            self.op(Op::Release, &place);
            self.op(Op::End, &place);
            if let Some(plan) = &mut self.pools[pool.index()].connections {
                plan.opener = Some(entry);
            }
        }
    }

    /// What a failing replica runs in place of any endpoint.
    fn failure(&mut self, failure: &Failure, services: &[Service]) -> FailurePlan {
        let place = format!("{}/fail", services[failure.service.index()].name);
        let entry = self.here();
        let after = self.sampler(&failure.after);
        self.op(Op::Delay(after), &place);
        self.op(Op::Fail { outcome: failure.outcome, probability: 1.0 }, &place);
        FailurePlan { service: failure.service, replicas: failure.replicas, entry }
    }

    fn steps(&mut self, steps: &'a [Step], place: &str) {
        for (i, step) in steps.iter().enumerate() {
            self.step(step, &format!("{place}/{i}"));
        }
    }

    fn step(&mut self, step: &'a Step, place: &str) {
        match step {
            Step::Cpu(need) => {
                let sampler = self.sampler(need);
                self.op(if self.at_client { Op::Delay(sampler) } else { Op::Cpu(sampler) }, place);
            }
            Step::PerByte { need, each } => {
                let need = self.sampler(need);
                // What clients do with their bytes takes no time of the system's.
                let op = if self.at_client { Op::Delay(need) } else { Op::CpuPerByte { need, each: *each } };
                self.op(op, place);
            }
            Step::Delay(time) => {
                let sampler = self.sampler(time);
                self.op(Op::Delay(sampler), place);
            }
            Step::Pause(time) => {
                let sampler = self.sampler(time);
                self.op(Op::Pause(sampler), place);
            }
            Step::Times { time, factor, of } => {
                let (time, factor) = (self.sampler(time), self.formula(factor));
                let op = match of {
                    Timed::Cpu if !self.at_client => Op::CpuTimes { need: time, factor },
                    Timed::Cpu | Timed::Delay => Op::DelayTimes { time, factor },
                    Timed::Pause => Op::PauseTimes { time, factor },
                };
                self.op(op, place);
            }
            Step::Hold { pool, units, steps } => {
                self.op(Op::Acquire { pool: *pool, units: *units }, place);
                self.connect(*pool, place);
                self.steps(steps, &format!("{place}/do"));
                self.op(Op::Release, place);
            }
            Step::Batch { pool, .. } => {
                self.op(Op::Batch(*pool), place);
            }
            Step::Take(moved) => {
                let id = self.moved(moved);
                self.op(Op::Take(id), place);
            }
            Step::Give(moved) => {
                let id = self.moved(moved);
                self.op(Op::Give(id), place);
            }
            Step::Get { cache, by, hit, miss } => self.get(*cache, *by, hit, miss, place),
            Step::Put { cache, by, removes } => {
                self.puts.push(PutPlan { cache: *cache, by: *by, removes: *removes });
                self.op(Op::Put(PutId(self.puts.len() as u32 - 1)), place);
            }
            Step::Call(call) => {
                let call = self.call(call, place);
                self.op(Op::Call(call), place);
            }
            Step::Send(send) => {
                self.sends.push(*send);
                self.op(Op::Send(SendId(self.sends.len() as u32 - 1)), place);
            }
            Step::All { branches, copies, wait_for, cancel } => {
                let fork = ForkId(self.forks.len() as u32);
                let copies = copies.as_ref().map(|copies| self.sampler(copies));
                self.forks.push(ForkPlan {
                    branches: Vec::new(),
                    copies,
                    wait_for: *wait_for,
                    cancel: *cancel,
                });
                self.op(Op::Fork(fork), place);
                for (i, branch) in branches.iter().enumerate() {
                    let at = format!("{place}/all/{i}");
                    let plan = match branch {
                        Branch::Call(call) => BranchPlan::Call(self.call(call, &format!("{at}/0"))),
                        Branch::Steps(steps) => {
                            self.later.push((fork, i, at, steps));
                            BranchPlan::Code(CodeAddress(u32::MAX)) // Known once the code is written.
                        }
                    };
                    self.forks[fork.index()].branches.push(plan);
                }
            }
            Step::Repeat { times, steps } => {
                let times = self.sampler(times);
                let begin = self.op(Op::RepeatBegin { times, exit: CodeAddress(u32::MAX) }, place);
                let start = self.here();
                self.steps(steps, &format!("{place}/do"));
                self.op(Op::RepeatEnd { start }, place);
                self.code[begin] = Op::RepeatBegin { times, exit: self.here() };
            }
            Step::Choose(arms) => self.choose(arms, place),
            Step::Reply => {
                self.op(Op::Reply, place);
            }
            Step::Fail { outcome, probability } => {
                self.op(Op::Fail { outcome: *outcome, probability: *probability as f32 }, place);
            }
        }
    }

    /// What a hit takes stands behind what a miss takes; what is fetched on nobody's behalf, behind the endpoint.
    fn get(&mut self, cache: CacheId, by: Attribute, hit: &'a [Step], miss: &'a [Step], place: &str) {
        let id = GetId(self.gets.len() as u32);
        let nowhere = CodeAddress(u32::MAX);
        self.gets.push(GetPlan { cache, by, hit: nowhere, exit: nowhere, refresh: None });
        self.op(Op::Get(id), place);
        self.steps(miss, &format!("{place}/miss"));
        let plan = &self.caches[cache.index()];
        if plan.stale_while.is_some() {
            self.refreshes.push((id, format!("{place}/refresh"), miss));
        }
        if plan.copy.is_none() {
            self.op(Op::Fetched(id), place);
        }
        let jump = (!hit.is_empty()).then(|| self.op(Op::Jump(nowhere), place));
        self.gets[id.index()].hit = self.here();
        self.steps(hit, &format!("{place}/hit"));
        self.gets[id.index()].exit = self.here();
        if let Some(jump) = jump {
            self.code[jump] = Op::Jump(self.here());
        }
    }

    fn moved(&mut self, moved: &Move) -> MoveId {
        let units = match &moved.units {
            scenario::Units::All => Units::All,
            scenario::Units::Drawn(law) => Units::Drawn(self.sampler(law)),
            scenario::Units::Of(formula) => Units::Of(self.formula(formula)),
        };
        self.moves.push(MovePlan { stock: moved.stock, units, guarded: moved.guarded });
        MoveId(self.moves.len() as u32 - 1)
    }

    fn choose(&mut self, arms: &'a [(ArmWhen, Vec<Step>)], place: &str) {
        let choice = ChoiceId(self.choices.len() as u32);
        self.choices.push(ChoicePlan { arms: Vec::new(), otherwise: CodeAddress(u32::MAX) });
        self.op(Op::Choose(choice), place);
        let sum: f64 =
            arms.iter().map(|(when, _)| if let ArmWhen::Weight(weight) = when { *weight } else { 0.0 }).sum();
        let has_else = arms.iter().any(|(when, _)| *when == ArmWhen::Else);
        // Without an `else` the weights are the whole; three times 33.3 % are.
        let total = if has_else && sum < 1.0 { 1.0 } else { sum };
        let mut plans = Vec::new();
        let mut jumps = Vec::new();
        let mut below = 0.0;
        let last_weight = arms.iter().rposition(|(when, _)| matches!(when, ArmWhen::Weight(_)));
        for (i, (when, steps)) in arms.iter().enumerate() {
            let test = match when {
                ArmWhen::Class(class) => ArmTest::Class(*class),
                ArmWhen::Else => ArmTest::Else,
                ArmWhen::Level(formula) => ArmTest::Level(self.formula(formula)),
                ArmWhen::Weight(weight) => {
                    below += weight / total;
                    ArmTest::Below(if !has_else && last_weight == Some(i) { 1.0 } else { below })
                }
            };
            plans.push((test, self.here()));
            self.steps(steps, &format!("{place}/choose/{i}"));
            if i + 1 < arms.len() {
                jumps.push(self.op(Op::Jump(CodeAddress(u32::MAX)), place));
            }
        }
        let behind = self.here();
        for jump in jumps {
            self.code[jump] = Op::Jump(behind);
        }
        self.choices[choice.index()] = ChoicePlan { arms: plans, otherwise: behind };
    }
}

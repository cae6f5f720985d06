//! What one entry of an endpoint costs on average: a walk over its step code.

use std::collections::BTreeMap;

use models::blueprint::{
    ArmTest, Blueprint, BranchPlan, CallId, CallPlan, ChoicePlan, CodeAddress, ForkPlan, FormulaId, Jitter,
    JobId, Measure, Op, Outcome, Payload, PoolId, RetryPlan, SamplerId, SendId, ServiceId, WaitFor,
};

/// Rounds of the fixed-point iteration: as many as calls may be deep, for recursion that ends by chance.
const MAX_ROUNDS: usize = 2_000;
/// Relative change at which the iteration has converged.
const CONVERGED: f64 = 1e-13;

/// What queueing adds to the times that the blueprint says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waits {
    /// By pool: mean wait of an acquisition.
    pub(crate) pools: Vec<f64>,
    /// By service: factor by which sharing its cores stretches a need.
    pub(crate) stretch: Vec<f64>,
    /// By service: mean wait for a core of an event loop.
    pub(crate) cores: Vec<f64>,
    /// Whether parallel branches take exponential times, so that the longest takes more than any of their
    /// means; otherwise they take exactly their means.
    pub(crate) spread: bool,
}

impl Waits {
    /// An empty system: nobody waits.
    pub(crate) fn none(blueprint: &Blueprint) -> Self {
        Self {
            pools: vec![0.0; blueprint.pools.len()],
            stretch: vec![1.0; blueprint.services.len()],
            cores: vec![0.0; blueprint.services.len()],
            spread: false,
        }
    }

    /// Waits everywhere: what they change depends on queues.
    pub(crate) fn everywhere(blueprint: &Blueprint) -> Self {
        Self {
            pools: vec![1.0; blueprint.pools.len()],
            stretch: vec![2.0; blueprint.services.len()],
            cores: vec![1.0; blueprint.services.len()],
            spread: false,
        }
    }
}

/// Mean cost of one entry: what it needs, where it goes, how it ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cost {
    /// Probability by outcome.
    pub(crate) outcomes: Vec<f64>,
    /// Seconds until the caller has its reply.
    pub(crate) response: f64,
    /// By service: core-seconds.
    pub(crate) cpu: Vec<f64>,
    /// By service: bursts.
    pub(crate) bursts: Vec<f64>,
    /// By service: seconds for which pauses stop the cores of a replica.
    pub(crate) paused: Vec<f64>,
    /// By pool: unit-seconds held.
    pub(crate) held: Vec<f64>,
    /// By pool: acquisitions.
    pub(crate) acquired: Vec<f64>,
    /// By endpoint: entries.
    pub(crate) entries: Vec<f64>,
    /// By queue: messages.
    pub(crate) sent: Vec<f64>,
}

impl Cost {
    pub(crate) fn zero(blueprint: &Blueprint) -> Self {
        Self {
            outcomes: vec![0.0; blueprint.outcomes.len().max(Outcome::FIXED.len())],
            response: 0.0,
            cpu: vec![0.0; blueprint.services.len()],
            bursts: vec![0.0; blueprint.services.len()],
            paused: vec![0.0; blueprint.services.len()],
            held: vec![0.0; blueprint.pools.len()],
            acquired: vec![0.0; blueprint.pools.len()],
            entries: vec![0.0; blueprint.endpoints.len()],
            sent: vec![0.0; blueprint.queues.len()],
        }
    }

    /// Probability that it ends with an answer.
    pub(crate) fn answered(&self) -> f64 {
        self.outcomes.iter().take(usize::from(Outcome::STALE.0) + 1).sum()
    }

    /// Adds `factor` times the work of `other`: what it needs and where it goes, not how it ends.
    pub(crate) fn add_work(&mut self, other: &Self, factor: f64) {
        let rows = [
            (&mut self.cpu, &other.cpu),
            (&mut self.bursts, &other.bursts),
            (&mut self.paused, &other.paused),
            (&mut self.held, &other.held),
            (&mut self.acquired, &other.acquired),
            (&mut self.entries, &other.entries),
            (&mut self.sent, &other.sent),
        ];
        for (sum, more) in rows {
            add_scaled(sum, more, factor);
        }
    }

    /// Adds `factor` times everything about `other`.
    pub(crate) fn add(&mut self, other: &Self, factor: f64) {
        self.add_work(other, factor);
        self.response += factor * other.response;
        add_scaled(&mut self.outcomes, &other.outcomes, factor);
    }

    fn differs_from(&self, other: &Self) -> bool {
        let rows = [
            (&self.cpu, &other.cpu),
            (&self.paused, &other.paused),
            (&self.held, &other.held),
            (&self.entries, &other.entries),
            (&self.sent, &other.sent),
            (&self.outcomes, &other.outcomes),
        ];
        let differ = |a: f64, b: f64| (a - b).abs() > CONVERGED * a.abs().max(b.abs());
        differ(self.response, other.response)
            || rows.iter().any(|(a, b)| a.iter().zip(b.iter()).any(|(a, b)| differ(*a, *b)))
    }
}

fn add_scaled(sum: &mut [f64], more: &[f64], factor: f64) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += factor * more;
    }
}

/// What a call costs its caller, all attempts and back-offs included.
pub(crate) struct CallCost {
    /// The callees' work and how the call ends.
    pub(crate) cost: Cost,
    /// Attempts.
    pub(crate) attempts: f64,
}

/// Costs of every endpoint for requests of one class.
pub(crate) struct Costs<'a> {
    blueprint: &'a Blueprint,
    waits: &'a Waits,
    class: u16,
    endpoints: Vec<Cost>,
    /// By `get` step: the share that finds an answer.
    hits: Vec<f64>,
    jobs: Vec<Cost>,
}

impl<'a> Costs<'a> {
    /// Solves what the endpoints cost, given that each may call the others, by fixed-point iteration.
    ///
    /// Without recursion it ends after as many rounds as calls are deep; with recursion it converges whenever
    /// the expected number of calls is finite.
    pub(crate) fn solve(blueprint: &'a Blueprint, waits: &'a Waits, class: u16) -> Self {
        let endpoints = vec![Cost::zero(blueprint); blueprint.endpoints.len()];
        let hits = super::caches::hit_ratios(blueprint);
        let jobs = vec![Cost::zero(blueprint); blueprint.jobs.len()];
        let mut costs = Self { blueprint, waits, class, endpoints, hits, jobs };
        for _ in 0..MAX_ROUNDS {
            let mut changed = false;
            for endpoint in (0..blueprint.endpoints.len()).rev() {
                let cost = costs.of_endpoint(endpoint);
                changed |= cost.differs_from(&costs.endpoints[endpoint]);
                costs.endpoints[endpoint] = cost;
            }
            for job in 0..blueprint.jobs.len() {
                let cost = costs.of_job(job);
                changed |= cost.differs_from(&costs.jobs[job]);
                costs.jobs[job] = cost;
            }
            if !changed {
                break;
            }
        }
        costs
    }

    fn of_endpoint(&self, endpoint: usize) -> Cost {
        let plan = &self.blueprint.endpoints[endpoint];
        let mut walk = Walk::new(self, plan.service);
        walk.run(plan.entry, None, Flow { before: 1.0, after: 0.0 }, &mut Vec::new());
        walk.total.entries[endpoint] += 1.0;
        walk.total
    }

    /// What one run of a job costs.
    fn of_job(&self, job: usize) -> Cost {
        let plan = &self.blueprint.jobs[job];
        let mut walk = Walk::new(self, plan.service);
        walk.run(plan.entry, None, Flow { before: 1.0, after: 0.0 }, &mut Vec::new());
        walk.total
    }

    /// What one run of each job costs.
    pub(crate) fn of_jobs(&self) -> &[Cost] {
        &self.jobs
    }

    /// What one run of `job` costs.
    fn job(&self, job: JobId) -> &Cost {
        &self.jobs[job.index()]
    }

    /// What `call` costs, with the retries that its policy makes of outcomes it can foresee.
    ///
    /// Only outcomes that the steps themselves produce (`fail`) are foreseen; rejections and timeouts follow
    /// from the load.
    pub(crate) fn of_call(&self, call: CallId) -> CallCost {
        let plan = &self.blueprint.calls[call.index()];
        let network = plan.latency.map_or(0.0, |latency| 2.0 * self.mean(latency)) + self.on_the_wire(plan);
        let mut attempt = self.endpoints[plan.endpoint.index()].clone();
        attempt.response += network;
        let retry = plan.policy.and_then(|policy| self.blueprint.policies[policy.index()].retry.as_ref());
        match retry {
            Some(retry) => with_retries(self.blueprint, &attempt, retry),
            None => CallCost { cost: attempt, attempts: 1.0 },
        }
    }

    /// Mean time that the bytes of a call and of its reply take; what is lost and handshakes are left out.
    fn on_the_wire(&self, plan: &CallPlan) -> f64 {
        let Some(wire) = plan.wire else { return 0.0 };
        let wire = &self.blueprint.wires[wire.index()];
        let bytes = |payload: Payload| match payload {
            Payload::Nothing => 0.0,
            Payload::Request => mean_bytes(self.blueprint),
            Payload::Drawn(law) => self.mean(law),
        };
        (bytes(wire.request) + bytes(wire.reply)) / wire.bandwidth
    }

    fn mean(&self, sampler: SamplerId) -> f64 {
        super::mean(&self.blueprint.samplers[sampler.index()])
    }
}

/// Mean bytes of a request, all traffics that have any alike.
fn mean_bytes(blueprint: &Blueprint) -> f64 {
    let laws = blueprint.traffics.iter().filter_map(|traffic| traffic.attributes.bytes.as_ref());
    let means: Vec<f64> = laws.map(super::mean).collect();
    means.iter().sum::<f64>() / means.len().max(1) as f64
}

fn with_retries(blueprint: &Blueprint, attempt: &Cost, retry: &RetryPlan) -> CallCost {
    let retried = |(o, p): (usize, &f64)| if retry.outcomes.contains(Outcome(o as u16)) { *p } else { 0.0 };
    let again: f64 = attempt.outcomes.iter().enumerate().map(retried).sum();
    let mut cost = Cost::zero(blueprint);
    let mut attempts = 0.0;
    let mut reached = 1.0;
    for tries in 1..=retry.attempts.max(1) {
        attempts += reached;
        cost.add_work(attempt, reached);
        cost.response += reached * attempt.response;
        let last = tries == retry.attempts.max(1);
        for (o, p) in attempt.outcomes.iter().enumerate() {
            if last || !retry.outcomes.contains(Outcome(o as u16)) {
                cost.outcomes[o] += reached * p;
            }
        }
        reached *= again;
        if last || reached <= 0.0 {
            break;
        }
        cost.response += reached * mean_backoff(retry, tries);
    }
    CallCost { cost, attempts }
}

/// Mean back-off after `failed` attempts.
fn mean_backoff(retry: &RetryPlan, failed: u32) -> f64 {
    let backoff = retry.base.as_seconds() * retry.factor.powf(f64::from(failed - 1));
    let backoff = backoff.min(retry.max.as_seconds());
    match retry.jitter {
        Jitter::None => backoff,
        Jitter::Full => backoff / 2.0,
        Jitter::Equal => backoff * 0.75,
        Jitter::Decorrelated => {
            let base = retry.base.as_seconds();
            let mean = |last: f64| (f64::midpoint(base, 3.0 * last)).min(retry.max.as_seconds());
            (0..failed).fold(base, |last, _| mean(last))
        }
    }
}

/// Probability that control is somewhere, before and after the reply.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    before: f64,
    after: f64,
}

impl Flow {
    fn total(self) -> f64 {
        self.before + self.after
    }

    fn scaled(self, factor: f64) -> Self {
        Self { before: self.before * factor, after: self.after * factor }
    }

    fn join(&mut self, other: Self) {
        self.before += other.before;
        self.after += other.after;
    }
}

type Held = Vec<(PoolId, u32)>;

/// A walk over the code of one frame, adding up its cost.
struct Walk<'w, 'a> {
    costs: &'w Costs<'a>,
    service: ServiceId,
    total: Cost,
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(costs: &'w Costs<'a>, service: ServiceId) -> Self {
        Self { costs, service, total: Cost::zero(costs.blueprint) }
    }

    /// Walks from `start` with `flow`, and returns the flow that comes out at the [`Op::RepeatEnd`] of
    /// `block`.
    ///
    /// Jumps lead forward, so taking the lowest address first visits every operation once, with all of its
    /// flow.
    fn run(&mut self, start: CodeAddress, block: Option<CodeAddress>, flow: Flow, held: &mut Held) -> Flow {
        let mut pending: BTreeMap<u32, (Flow, Held)> = BTreeMap::new();
        pending.insert(start.0, (flow, held.clone()));
        let mut out = Flow::default();
        while let Some((at, (flow, mut held))) = pending.pop_first() {
            let op = self.costs.blueprint.code[at as usize];
            if let (Op::RepeatEnd { start }, Some(block)) = (op, block)
                && start == block
            {
                out.join(flow);
                continue;
            }
            for (next, flow) in self.step(op, CodeAddress(at), flow, &mut held) {
                if flow.total() > 0.0 {
                    pending.entry(next.0).or_insert_with(|| (Flow::default(), held.clone())).0.join(flow);
                }
            }
        }
        out
    }

    /// Adds what `op` costs and returns where control goes.
    fn step(&mut self, op: Op, at: CodeAddress, flow: Flow, held: &mut Held) -> Vec<(CodeAddress, Flow)> {
        let next = CodeAddress(at.0 + 1);
        match op {
            Op::Acquire { pool, units } => {
                self.total.acquired[pool.index()] += flow.total();
                self.spend(flow, self.costs.waits.pools[pool.index()], held);
                held.push((pool, units));
                vec![(next, flow)]
            }
            Op::Release => {
                held.pop();
                vec![(next, flow)]
            }
            Op::Batch(pool) => {
                self.batch(pool, flow, held);
                vec![(next, flow)]
            }
            Op::Cpu(sampler) => {
                self.compute(flow, self.costs.mean(sampler), held);
                vec![(next, flow)]
            }
            Op::CpuPerByte { need, each } => {
                let bytes = mean_bytes(self.costs.blueprint);
                self.compute(flow, self.costs.mean(need) + each * bytes, held);
                vec![(next, flow)]
            }
            Op::CpuTimes { need, factor } => {
                let times = at_start(self.costs.blueprint, factor).max(0.0);
                self.compute(flow, self.costs.mean(need) * times, held);
                vec![(next, flow)]
            }
            Op::Delay(sampler) => {
                self.spend(flow, self.costs.mean(sampler), held);
                vec![(next, flow)]
            }
            Op::DelayTimes { time, factor } => {
                let times = at_start(self.costs.blueprint, factor).max(0.0);
                self.spend(flow, self.costs.mean(time) * times, held);
                vec![(next, flow)]
            }
            Op::Pause(sampler) => {
                self.pause(flow, self.costs.mean(sampler), held);
                vec![(next, flow)]
            }
            Op::PauseTimes { time, factor } => {
                let times = at_start(self.costs.blueprint, factor).max(0.0);
                self.pause(flow, self.costs.mean(time) * times, held);
                vec![(next, flow)]
            }
            Op::Call(call) => {
                let call = self.costs.of_call(call).cost;
                self.total.add_work(&call, flow.total());
                self.spend(flow, call.response, held);
                vec![(next, self.split(flow, &call.outcomes))]
            }
            Op::Fork(fork) => {
                let fork = self.costs.blueprint.forks[fork.index()].clone();
                vec![(next, self.fork(flow, &fork, held))]
            }
            Op::RepeatBegin { times, exit } => vec![(exit, self.repeat(flow, next, times, held))],
            // In the long run a connection is there: it has been opened once for all its uses.
            Op::Connect { exit } | Op::Jump(exit) => vec![(exit, flow)],
            Op::RepeatEnd { .. }
            | Op::Activate(_)
            | Op::Dispatch
            | Op::Begin
            | Op::Take(_)
            | Op::Give(_)
            | Op::Put(_)
            | Op::Fetched(_)
            | Op::Open(_)
            | Op::Opened { .. } => vec![(next, flow)],
            Op::Get(site) => {
                let hits = self.costs.hits[site.index()];
                let hit = self.costs.blueprint.gets[site.index()].hit;
                vec![(hit, flow.scaled(hits)), (next, flow.scaled(1.0 - hits))]
            }
            Op::Send(send) => {
                self.send(flow, send);
                vec![(next, flow)]
            }
            Op::Choose(choice) => {
                let blueprint = self.costs.blueprint;
                arms(&blueprint.choices[choice.index()], blueprint, self.costs.class)
                    .into_iter()
                    .map(|(p, to)| (to, flow.scaled(p)))
                    .collect()
            }
            Op::Reply => {
                self.total.outcomes[usize::from(Outcome::OK.0)] += flow.before;
                vec![(next, Flow { before: 0.0, after: flow.total() })]
            }
            Op::Fail { outcome, probability } => {
                let p = f64::from(probability);
                self.total.outcomes[usize::from(outcome.0)] += p * flow.before;
                vec![(next, flow.scaled(1.0 - p))]
            }
            Op::End => {
                self.total.outcomes[usize::from(Outcome::OK.0)] += flow.before;
                Vec::new()
            }
        }
    }

    /// Time passes, with whatever is held.
    fn spend(&mut self, flow: Flow, seconds: f64, held: &Held) {
        self.total.response += flow.before * seconds;
        for (pool, units) in held {
            self.total.held[pool.index()] += flow.total() * seconds * f64::from(*units);
        }
    }

    /// The work of a message is done once by each group, whoever waits for it or not. What fails and is tried again is
    /// left out; of a batch that is worked off as one, a message makes its part of a full one.
    fn send(&mut self, flow: Flow, send: SendId) {
        let queue = self.costs.blueprint.sends[send.index()].queue;
        self.total.sent[queue.index()] += flow.total();
        for group in &self.costs.blueprint.queues[queue.index()].groups {
            let Some(job) = group.job else { continue };
            let runs = if group.whole_batch { 1.0 / f64::from(group.batch) } else { 1.0 };
            self.total.add_work(self.costs.job(job), flow.total() * runs);
        }
    }

    /// Alone, a request takes as long as a batch of one. It needs no more of a slot than its part of a full batch,
    /// though: that is what the slot can come to.
    fn batch(&mut self, pool: PoolId, flow: Flow, held: &Held) {
        let Some(plan) = &self.costs.blueprint.pools[pool.index()].batch else { return };
        let alone = plan.delay.as_seconds() + plan.mean(1);
        self.total.acquired[pool.index()] += flow.total();
        self.total.held[pool.index()] += flow.total() * plan.mean(plan.max) / f64::from(plan.max);
        self.spend(flow, self.costs.waits.pools[pool.index()] + alone, held);
    }

    fn compute(&mut self, flow: Flow, need: f64, held: &Held) {
        let at = self.service.index();
        let plan = &self.costs.blueprint.services[at];
        let need = need / plan.speed;
        let Some(cores) = plan.cores else {
            return self.spend(flow, need, held); // Nobody shares: the need takes its time.
        };
        self.total.cpu[at] += flow.total() * need;
        self.total.bursts[at] += flow.total();
        let pace = cores.cores.min(1.0);
        self.spend(flow, need / pace * self.costs.waits.stretch[at] + self.costs.waits.cores[at], held);
    }

    /// The cores of a replica stand still.
    fn pause(&mut self, flow: Flow, seconds: f64, held: &Held) {
        self.total.paused[self.service.index()] += flow.total() * seconds;
        self.spend(flow, seconds, held);
    }

    /// The flow that goes on after something ended with `outcomes`: those without an answer end the frame.
    fn split(&mut self, flow: Flow, outcomes: &[f64]) -> Flow {
        let mut answered = 0.0;
        for (o, p) in outcomes.iter().enumerate() {
            if Outcome(o as u16).is_answer() {
                answered += p;
            } else {
                self.total.outcomes[o] += flow.before * p;
            }
        }
        flow.scaled(answered)
    }

    fn repeat(&mut self, flow: Flow, start: CodeAddress, times: SamplerId, held: &mut Held) -> Flow {
        if flow.total() <= 0.0 {
            return flow;
        }
        let mut walk = Walk::new(self.costs, self.service);
        let survivors = walk.run(start, Some(start), flow.scaled(1.0 / flow.total()), held);
        let survival = survivors.total();
        let times = self.costs.mean(times);
        // Rounds that begin: the sum of survival^i, with the mean number of times in place of its law.
        let rounds = if survival < 1.0 { (1.0 - survival.powf(times)) / (1.0 - survival) } else { times };
        self.total.add(&walk.total, flow.total() * rounds);
        flow.scaled(survival.powf(times))
    }

    /// Branches run side by side; the step takes as long as the largest of their means (or the k-th), which is a
    /// lower bound of the mean of the largest, or, spread, the mean of the largest of exponential times.
    fn fork(&mut self, flow: Flow, fork: &ForkPlan, held: &Held) -> Flow {
        let copies = fork.copies.map_or(1.0, |copies| self.costs.mean(copies));
        let branches: Vec<Cost> = fork.branches.iter().map(|branch| self.branch(*branch)).collect();
        let mut responses: Vec<f64> = Vec::new();
        for branch in &branches {
            self.total.add_work(branch, flow.total() * copies);
            responses.extend(std::iter::repeat_n(branch.response, copies.round().clamp(0.0, 1e4) as usize));
        }
        responses.sort_by(f64::total_cmp);
        let needed = match fork.wait_for {
            WaitFor::All => responses.len(),
            WaitFor::Count(k) => (k as usize).min(responses.len()),
        };
        let seconds = match needed {
            0 => 0.0,
            _ if self.costs.waits.spread => mean_of_ordered(&responses, needed),
            _ => responses[needed - 1],
        };
        self.spend(flow, seconds, held);
        self.split(flow, &fork_outcomes(&branches, copies, fork.wait_for, self.total.outcomes.len()))
    }

    fn branch(&self, branch: BranchPlan) -> Cost {
        match branch {
            BranchPlan::Call(call) => self.costs.of_call(call).cost,
            BranchPlan::Code(start) => {
                let mut walk = Walk::new(self.costs, self.service);
                walk.run(start, None, Flow { before: 1.0, after: 0.0 }, &mut Vec::new());
                walk.total
            }
        }
    }
}

/// How an `all` step ends: with an answer when enough branches do, otherwise as its failing branches do.
fn fork_outcomes(branches: &[Cost], copies: f64, wait_for: WaitFor, outcomes: usize) -> Vec<f64> {
    let answered: Vec<f64> = branches.iter().map(Cost::answered).collect();
    let enough = match wait_for {
        WaitFor::All => answered.iter().map(|p| p.powf(copies)).product(),
        WaitFor::Count(k) => at_least(k as usize, &answered, copies.round().max(0.0) as usize),
    };
    let mut result = vec![0.0; outcomes];
    for branch in branches {
        for (sum, p) in result.iter_mut().zip(&branch.outcomes).skip(usize::from(Outcome::STALE.0) + 1) {
            *sum += p;
        }
    }
    let failing: f64 = result.iter().sum();
    if failing > 0.0 {
        for p in &mut result {
            *p *= (1.0 - enough) / failing;
        }
    }
    result[usize::from(Outcome::OK.0)] = enough;
    result
}

/// Mean of the `k`-th smallest of independent exponential times with the given means.
fn mean_of_ordered(means: &[f64], k: usize) -> f64 {
    const STEPS: u32 = 100;
    const FURTHEST: f64 = 40.0;
    let longest = means.iter().copied().fold(0.0, f64::max);
    if longest <= 0.0 {
        return 0.0;
    }
    // The integral of the survival function; squared steps resolve the beginning, where short times end.
    let survival = |t: f64| {
        let done = means.iter().map(|mean| if *mean > 0.0 { -(-t / mean).exp_m1() } else { 1.0 });
        if k == means.len() {
            1.0 - done.product::<f64>()
        } else {
            1.0 - at_least(k, &done.collect::<Vec<_>>(), 1)
        }
    };
    let edge = |step: f64| FURTHEST * longest * (step / f64::from(STEPS)).powi(2);
    (0..STEPS)
        .map(|step| {
            let (a, b) = (edge(f64::from(step)), edge(f64::from(step + 1)));
            (b - a) / 6.0 * (survival(a) + 4.0 * survival(f64::midpoint(a, b)) + survival(b))
        })
        .sum()
}

/// Probability that at least `k` of the independent branches, each run `copies` times, succeed.
fn at_least(k: usize, success: &[f64], copies: usize) -> f64 {
    let mut count = vec![1.0]; // count[n] is the probability that n succeeded so far.
    for p in success.iter().flat_map(|p| std::iter::repeat_n(*p, copies.min(1_000))) {
        count.push(0.0);
        for n in (0..count.len()).rev() {
            count[n] = count[n] * (1.0 - p) + if n > 0 { count[n - 1] * p } else { 0.0 };
        }
    }
    count.iter().skip(k).sum::<f64>().min(1.0)
}

/// The value of a formula as the levels are at the start.
fn at_start(blueprint: &Blueprint, formula: FormulaId) -> f64 {
    blueprint.formulas[formula.index()].value(|volume, measure| {
        let plan = &blueprint.volumes[volume.index()];
        match measure {
            Measure::Level => plan.level,
            Measure::Size => plan.volume,
            Measure::Used => plan.volume - plan.level,
        }
    })
}

/// Probability and target of each arm, for requests of `class`.
fn arms(choice: &ChoicePlan, blueprint: &Blueprint, class: u16) -> Vec<(f64, CodeAddress)> {
    let mut result = Vec::new();
    let mut below = 0.0; // The draw is known to be at least this.
    for (test, to) in &choice.arms {
        match test {
            ArmTest::Class(wanted) if *wanted == class => {
                result.push((1.0 - below, *to));
                return result;
            }
            ArmTest::Level(formula) => {
                if at_start(blueprint, *formula) != 0.0 {
                    result.push((1.0 - below, *to));
                    return result;
                }
            }
            ArmTest::Class(_) => {}
            ArmTest::Below(edge) => {
                result.push((edge.clamp(below, 1.0) - below, *to));
                below = edge.clamp(below, 1.0);
            }
            ArmTest::Else => {
                result.push((1.0 - below, *to));
                return result;
            }
        }
    }
    result.push((1.0 - below, choice.otherwise));
    result
}

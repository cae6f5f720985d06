//! Autoscalers: what they see of the system, when they look, and how what they want becomes replicas.
//!
//! What they see is what was read of the system at the times at which somebody reads it, and told when it gets there.
//! What they want is written where events write a number of replicas, and the life of replicas does the rest. Where
//! those have their place is told in `nodes.rs`.

#![expect(clippy::cast_possible_wrap, reason = "replicas are counted far below 2^31")]

use std::collections::{BTreeMap, VecDeque};

use sim_core::{Calendar, Draws, Histogram, SimTime, Span, combine, hash_name};

use super::alarms::Alarm;
use super::nodes::Nodes;
use super::pool::Level;
use super::{Packed, Standing, System};
use crate::autoscaler::controller::{Controller, World};
use crate::autoscaler::flaps::Flaps;
use crate::autoscaler::knative::Scraped;
use crate::autoscaler::kubernetes::pass::Target;
use crate::autoscaler::kubernetes::pods::PodId;
use crate::autoscaler::kubernetes::{MetricError, MetricSource, Phase, Pod, Ready, Sample};
use crate::autoscaler::pipeline::{Pipeline, Reading, Readings};
use crate::autoscaler::plan::{AutoscalerPlan, Signal};
use crate::blueprint::{Blueprint, ServiceId};
use crate::observe::AutoscalerObservation;

/// In place of a pod: all of them, or something that is no pod.
const WHOLE: PodId = PodId::MAX;

/// No autoscaler makes more replicas than this.
const MOST_REPLICAS: i32 = AutoscalerPlan::MOST_REPLICAS as i32;

const SALT_LOSS: u64 = 0xC13F_A9A9_02A6_328F;

/// What an alarm of an autoscaler is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScalerAlarm {
    /// It looks.
    Look,
    /// What this gauge shows is read.
    Read(u32),
    /// It is looked for pods without a node, and nodes that are not needed.
    Scan,
    /// A node is there that was asked for.
    Node,
}

/// All autoscalers of a system.
#[derive(Clone, Debug)]
pub(super) struct Scalers {
    pub(super) rows: Vec<Scaler>,
}

/// One autoscaler.
#[derive(Clone, Debug)]
pub(super) struct Scaler {
    pub(super) service: u32,
    /// None only while it looks.
    controller: Option<Controller>,
    /// When it looks next: what was planned for another time is void.
    next_look: SimTime,
    /// Since when it wants every request to come through the activator.
    proxied_since: Option<SimTime>,
    gauges: Vec<GaugeState>,
    /// By number of the replica.
    pub(super) pods: Vec<PodState>,
    next_pod: PodId,
    pub(super) nodes: Nodes,
    flaps: Flaps,
    wanted: Level,
    seen: AutoscalerObservation,
}

/// What was read of a gauge.
#[derive(Clone, Debug, Default)]
struct GaugeState {
    /// When it is asked next.
    next: SimTime,
    asked: u64,
    /// Answers on their way, in their order.
    coming: VecDeque<Answer>,
    /// What has arrived, by pod.
    readings: BTreeMap<PodId, Readings>,
    /// Of what grows: what was counted before the segment at hand, of the whole and by number of the replica.
    before: Vec<f64>,
    /// Of a latency: the answers of the segment at hand up to the last reading, and those of earlier ones since then.
    answered: Histogram,
    unread: Histogram,
}

/// What was read at once.
#[derive(Clone, Debug)]
struct Answer {
    read: SimTime,
    there: SimTime,
    values: Vec<(PodId, f64)>,
}

/// What a replica is as a pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct PodState {
    id: PodId,
    /// When its container runs for the first time; none while it has no place.
    pub(super) starts: Option<SimTime>,
    /// The number of its node, where nodes are counted.
    pub(super) node: Option<usize>,
    /// When it last changed how it stands.
    pub(super) since: SimTime,
}

impl Blueprint {
    /// The autoscaler of a service.
    pub(crate) fn autoscaler_of(&self, service: ServiceId) -> Option<usize> {
        self.autoscalers.iter().position(|row| row.service == service)
    }
}

impl Scalers {
    pub(super) fn new(plan: &Blueprint) -> Self {
        Self { rows: plan.autoscalers.iter().map(|row| Scaler::new(row, plan)).collect() }
    }

    /// The autoscaler goes by something else from now on.
    pub(super) fn follow(&mut self, scaler: usize, law: &Controller) {
        if let Some(controller) = &mut self.rows[scaler].controller {
            controller.follow(law);
        }
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, now: SimTime) -> Vec<AutoscalerObservation> {
        let flush = |row: &mut Scaler| AutoscalerObservation {
            wanted: row.wanted.flush(now),
            nodes: row.nodes.flush(now),
            ..std::mem::take(&mut row.seen)
        };
        self.rows.iter_mut().map(flush).collect()
    }
}

impl Scaler {
    fn new(row: &AutoscalerPlan, plan: &Blueprint) -> Self {
        let replicas = plan.services[row.service.index()].replicas;
        let placed = row.placement.nodes.as_deref();
        let mut scaler = Self {
            service: row.service.0,
            controller: Some(row.controller.clone()),
            next_look: SimTime::ZERO,
            proxied_since: None,
            gauges: row.gauges.iter().map(|_| GaugeState::default()).collect(),
            pods: Vec::new(),
            next_pod: 0,
            nodes: placed.map_or_else(Nodes::default, |plan| Nodes::new(plan, replicas)),
            flaps: Flaps::default(),
            wanted: Level::default(),
            seen: AutoscalerObservation::default(),
        };
        scaler.note_proxy(SimTime::ZERO);
        scaler.wanted.grow(u64::from(replicas), SimTime::ZERO);
        for local in 0..replicas {
            scaler.renew(local, SimTime::ZERO);
            scaler.pods[local as usize].starts = Some(SimTime::ZERO);
            scaler.pods[local as usize].node = placed.and_then(|plan| scaler.nodes.place(plan));
        }
        scaler
    }

    /// The replica is a new pod.
    pub(super) fn renew(&mut self, local: u32, now: SimTime) {
        let pod = PodState { id: self.next_pod, starts: None, node: None, since: now };
        self.next_pod += 1;
        let at = local as usize;
        if self.pods.len() <= at {
            self.pods.resize(at + 1, pod);
        }
        self.pods[at] = pod;
    }

    /// Notes what it wants of an activator.
    fn note_proxy(&mut self, now: SimTime) {
        let is_wanted = self.controller.as_ref().is_none_or(Controller::wants_proxy);
        self.proxied_since = is_wanted.then(|| self.proxied_since.unwrap_or(now));
    }

    /// Takes in what has arrived by `now`.
    fn receive(&mut self, now: SimTime) {
        let pods = &self.pods;
        for gauge in &mut self.gauges {
            while gauge.coming.front().is_some_and(|answer| answer.there <= now) {
                let Some(answer) = gauge.coming.pop_front() else { break };
                for (pod, value) in answer.values {
                    gauge.readings.entry(pod).or_default().take(Reading { at: answer.read, value });
                }
            }
            gauge.readings.retain(|id, _| *id == WHOLE || pods.iter().any(|pod| pod.id == *id));
        }
    }
}

/// What a controller sees when it looks.
struct Seen<'a> {
    plan: &'a AutoscalerPlan,
    row: &'a Scaler,
    pods: Vec<Pod>,
    spec: i32,
    status: i32,
    cores: f64,
    now: SimTime,
}

impl Seen<'_> {
    fn gauge(&self, name: &str) -> Option<(Signal, &Pipeline, &GaugeState)> {
        let at = self.plan.gauges.iter().position(|gauge| &*gauge.name == name)?;
        let gauge = &self.plan.gauges[at];
        Some((gauge.signal, &gauge.pipeline, &self.row.gauges[at]))
    }

    /// The newest sample of each pod.
    fn samples(&self, name: &str) -> Result<Vec<Sample>, MetricError> {
        let (signal, pipeline, gauge) = self.gauge(name).ok_or(MetricError::Unavailable)?;
        let sample = |(&pod, readings): (&PodId, &Readings)| {
            let sample = if signal.grows() {
                readings.sample(pod, pipeline)?
            } else {
                let Reading { at, value } = readings.last()?;
                Sample { pod, at, window: pipeline.scrape, value_milli: pipeline.milli(value) }
            };
            pipeline.is_fresh(sample.at, self.now).then_some(sample)
        };
        let samples: Vec<Sample> =
            gauge.readings.iter().filter(|(pod, _)| **pod != WHOLE).filter_map(sample).collect();
        if samples.is_empty() { Err(MetricError::NoSamples) } else { Ok(samples) }
    }

    /// The newest value of the whole.
    fn value(&self, name: &str) -> Option<f64> {
        let (signal, pipeline, gauge) = self.gauge(name)?;
        if signal == Signal::Cpu {
            return self.cpu_percent(name);
        }
        let readings = gauge.readings.get(&WHOLE)?;
        let at = readings.last()?.at;
        let value = if signal.grows() { readings.rate()?.2 } else { readings.last()?.value };
        pipeline.is_fresh(at, self.now).then_some(value)
    }

    /// How busy the cores of a replica are on average, in percent.
    fn cpu_percent(&self, name: &str) -> Option<f64> {
        let samples = self.samples(name).ok()?;
        let used: f64 = samples.iter().map(|sample| sample.value_milli as f64 / 1000.0).sum();
        Some(100.0 * used / (samples.len() as f64 * self.cores))
    }

    fn milli(&self, name: &str) -> Result<i64, MetricError> {
        let (_, pipeline, _) = self.gauge(name).ok_or(MetricError::Unavailable)?;
        self.value(name).map(|value| pipeline.milli(value)).ok_or(MetricError::NoSamples)
    }
}

impl MetricSource for Seen<'_> {
    fn resource(&self, resource: &str, _: Option<&str>) -> Result<Vec<Sample>, MetricError> {
        self.samples(resource)
    }

    fn pods(&self, metric: &str) -> Result<Vec<Sample>, MetricError> {
        self.samples(metric)
    }

    fn object(&self, metric: &str) -> Result<i64, MetricError> {
        self.milli(metric)
    }

    fn external(&self, metric: &str) -> Result<Vec<i64>, MetricError> {
        Ok(vec![self.milli(metric)?])
    }
}

impl World for Seen<'_> {
    fn target(&self) -> Target<'_> {
        Target { spec_replicas: self.spec, status_replicas: self.status, pods: &self.pods }
    }

    fn statistic(&self, metric: &str) -> Option<f64> {
        self.value(metric)
    }

    /// All requests at once, those at the replicas too: what an activator has told is taken off what they tell, so the
    /// sum is the same whichever way requests go.
    fn activator(&self) -> Scraped {
        let of = |metric| self.value(metric).unwrap_or(0.0);
        Scraped { concurrency: of("concurrency"), rps: of("rps"), ..Scraped::default() }
    }

    fn proxied(&self) -> Option<Span> {
        self.row.proxied_since.map(|since| self.now.since(since))
    }
}

impl System<'_> {
    /// Plans the first look of each autoscaler, and the first readings of what they go by.
    pub(super) fn start_scalers(&mut self, calendar: &mut Calendar<Packed>) {
        for scaler in 0..self.scalers.rows.len() as u32 {
            for (gauge, row) in (0_u32..).zip(&self.plan.autoscalers[scaler as usize].gauges) {
                if row.signal.grows() {
                    // What grows is told as a difference: this is where it begins.
                    let values = self.measure(scaler, gauge, SimTime::ZERO);
                    let beginning = Answer { read: SimTime::ZERO, there: SimTime::ZERO, values };
                    self.scalers.rows[scaler as usize].gauges[gauge as usize].coming.push_back(beginning);
                }
                self.plan_reading(scaler, gauge, calendar);
            }
            self.plan_look(SimTime::ZERO, scaler, calendar);
            self.plan_scan(scaler, SimTime::ZERO, calendar);
        }
    }

    fn plan_look(&mut self, at: SimTime, scaler: u32, calendar: &mut Calendar<Packed>) {
        self.scalers.rows[scaler as usize].next_look = at;
        self.scaler_alarm_at(at, scaler, ScalerAlarm::Look, calendar);
    }

    pub(super) fn scaler_alarm_at(
        &mut self,
        at: SimTime,
        scaler: u32,
        about: ScalerAlarm,
        calendar: &mut Calendar<Packed>,
    ) {
        self.set_alarm(at, Alarm::Scaler { scaler, about }, calendar);
    }

    pub(super) fn scaler_alarm(
        &mut self,
        scaler: u32,
        about: ScalerAlarm,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        match about {
            ScalerAlarm::Look if self.scalers.rows[scaler as usize].next_look == now => {
                self.look(scaler, now, calendar);
            }
            ScalerAlarm::Look => {} // It has looked meanwhile, or will sooner.
            ScalerAlarm::Read(gauge) => {
                self.read(scaler, gauge, now);
                self.plan_reading(scaler, gauge, calendar);
            }
            ScalerAlarm::Scan => self.scan(scaler, now, calendar),
            ScalerAlarm::Node => self.node_ready(scaler, now, calendar),
        }
    }

    // What is seen -----------------------------------------------------------------------------------------

    /// Plans the next reading of a gauge that is not read only when the controller looks.
    fn plan_reading(&mut self, scaler: u32, gauge: u32, calendar: &mut Calendar<Packed>) {
        let pipeline = self.plan.autoscalers[scaler as usize].gauges[gauge as usize].pipeline;
        if pipeline.scrape == Span::ZERO {
            return;
        }
        let row = &mut self.scalers.rows[scaler as usize].gauges[gauge as usize];
        let first = SimTime::ZERO + pipeline.phase;
        row.next = row.next.max(first).saturating_add(pipeline.scrape);
        // Whoever is asked tells what it saw when it last looked.
        let at = pipeline.looked(row.next);
        self.scaler_alarm_at(at, scaler, ScalerAlarm::Read(gauge), calendar);
    }

    /// Reads a gauge; the answer is on its way.
    fn read(&mut self, scaler: u32, gauge: u32, now: SimTime) {
        let plan = &self.plan.autoscalers[scaler as usize];
        let pipeline = plan.gauges[gauge as usize].pipeline;
        let mut values = self.measure(scaler, gauge, now);
        let stream = combine(self.stream, hash_name(&plan.path) ^ SALT_LOSS);
        let row = &mut self.scalers.rows[scaler as usize].gauges[gauge as usize];
        row.asked += 1;
        let name = combine(combine(stream, u64::from(gauge)), row.asked);
        if pipeline.loss > 0.0 {
            values.retain(|(pod, _)| pipeline.arrives(Draws::keyed(combine(name, u64::from(*pod))).unit()));
        }
        let asked = if pipeline.scrape == Span::ZERO { now } else { row.next };
        row.coming.push_back(Answer { read: now, there: asked.saturating_add(pipeline.delay), values });
    }

    /// What a gauge shows now: of each pod, where pods have it, and of the whole.
    fn measure(&mut self, scaler: u32, gauge: u32, now: SimTime) -> Vec<(PodId, f64)> {
        let own = self.scalers.rows[scaler as usize].service as usize;
        let total = |value: f64| vec![(WHOLE, value)];
        let signal = self.plan.autoscalers[scaler as usize].gauges[gauge as usize].signal;
        match signal {
            Signal::Cpu => self.of_pods(scaler, |system, local| system.core_seconds(own, local, now)),
            Signal::InFlight(service) => {
                let mut values = total(self.services[service.index()].present.n() as f64);
                if service.index() == own {
                    let present = |system: &mut Self, local: usize| {
                        let replica = system.services[own].replicas[local];
                        f64::from(system.replicas[replica as usize].present)
                    };
                    values.extend(self.of_pods(scaler, present));
                }
                values
            }
            Signal::Waiting(pool) => total(self.pools[pool.index()].waiting.n() as f64),
            Signal::InUse(pool) => total(self.pools[pool.index()].in_use.n() as f64),
            Signal::Lag(queue, group) => total(self.queues.lag(queue.index(), group as usize) as f64),
            Signal::Concurrency(_) | Signal::Received(_) | Signal::Arrivals(_) | Signal::Sent(_) => {
                let mut sums = self.counted(signal, now);
                let before = &self.scalers.rows[scaler as usize].gauges[gauge as usize].before;
                for (sum, before) in sums.iter_mut().zip(before) {
                    *sum += before;
                }
                let mut values = total(sums[0]);
                if signal == Signal::Received(ServiceId(own as u32)) {
                    values
                        .extend(self.of_pods(scaler, |_, local| sums.get(local + 1).copied().unwrap_or(0.0)));
                }
                values
            }
            Signal::Latency(endpoint, quantile) => {
                let answered = &self.endpoints[endpoint.index()].latency;
                let row = &mut self.scalers.rows[scaler as usize].gauges[gauge as usize];
                let mut recent = answered.since(&row.answered);
                recent.merge(&row.unread.take());
                row.answered = answered.clone();
                recent.quantile(quantile).map_or_else(Vec::new, |nanos| total(nanos / 1e9))
            }
        }
    }

    /// What a signal that grows has counted in the segment at hand: of the whole and, of requests received, by number
    /// of the replica.
    fn counted(&self, signal: Signal, now: SimTime) -> Vec<f64> {
        match signal {
            Signal::Concurrency(service) => {
                vec![self.services[service.index()].present.integral_at(now) as f64 / 1e9]
            }
            Signal::Received(service) => {
                let row = &self.services[service.index()];
                let of_replicas = row.replicas.iter().map(|&at| self.replicas[at as usize].received as f64);
                std::iter::once(row.present.entered() as f64).chain(of_replicas).collect()
            }
            Signal::Arrivals(traffic) => vec![self.sources[traffic.index()].meter.offered() as f64],
            Signal::Sent(queue) => vec![self.queues.sent(queue.index()) as f64],
            _ => Vec::new(),
        }
    }

    /// A segment ends: what its meters have counted is kept for those who read the sum.
    pub(super) fn carry_gauges(&mut self, now: SimTime) {
        for (scaler, plan) in self.plan.autoscalers.iter().enumerate() {
            for (gauge, row) in plan.gauges.iter().enumerate() {
                let counted = self.counted(row.signal, now);
                let state = &mut self.scalers.rows[scaler].gauges[gauge];
                if state.before.len() < counted.len() {
                    state.before.resize(counted.len(), 0.0);
                }
                for (before, counted) in state.before.iter_mut().zip(counted) {
                    *before += counted;
                }
                if let Signal::Latency(endpoint, _) = row.signal {
                    let answered = &self.endpoints[endpoint.index()].latency;
                    state.unread.merge(&answered.since(&state.answered));
                    state.answered = Histogram::default();
                }
            }
        }
    }

    /// Something of each pod whose container runs.
    fn of_pods(&mut self, scaler: u32, value: impl Fn(&mut Self, usize) -> f64) -> Vec<(PodId, f64)> {
        let row = &self.scalers.rows[scaler as usize];
        let service = row.service as usize;
        let runs = |&(local, _): &(usize, PodId)| {
            let replica = self.services[service].replicas[local];
            !matches!(self.replicas[replica as usize].standing, Standing::Gone | Standing::Down)
        };
        let pods: Vec<_> = row.pods.iter().map(|pod| pod.id).enumerate().filter(runs).collect();
        pods.into_iter().map(|(local, pod)| (pod, value(self, local))).collect()
    }

    /// Core-seconds that a replica's cores have been busy since the run began.
    fn core_seconds(&mut self, service: usize, local: usize, now: SimTime) -> f64 {
        let cores = self.replicas[self.services[service].replicas[local] as usize].cores;
        let Some(row) = self.cores.get_mut(cores as usize) else { return 0.0 };
        row.advance(now);
        let before = self.services[service].lives.as_ref().map_or(0.0, |lives| lives.busy_before(local));
        (before + row.busy) / 1e9
    }

    /// The replicas of a service as pods.
    fn pods_of(&self, scaler: u32, now: SimTime) -> Vec<Pod> {
        let row = &self.scalers.rows[scaler as usize];
        let template = &self.plan.autoscalers[scaler as usize].template;
        let as_pod = |(local, state): (usize, &PodState)| {
            let replica = &self.replicas[self.services[row.service as usize].replicas[local] as usize];
            let (is_ready, since) = match replica.standing {
                Standing::Gone => return None,
                Standing::Ready | Standing::Draining => (true, replica.ready_since),
                Standing::Starting => (false, state.starts.map_or(state.since, |at| at.max(state.since))),
                Standing::Down => (false, state.since),
            };
            let started = state.starts.filter(|starts| *starts <= now);
            Some(Pod {
                id: state.id,
                phase: if started.is_some() { Phase::Running } else { Phase::Pending },
                ready: Some(Ready { is: is_ready, since }),
                started,
                deleting: replica.standing == Standing::Draining,
                template: template.clone(),
            })
        };
        row.pods.iter().enumerate().filter_map(as_pod).collect()
    }

    // Decisions --------------------------------------------------------------------------------------------

    /// An autoscaler looks, and what it wants is written.
    fn look(&mut self, scaler: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let plan = &self.plan.autoscalers[scaler as usize];
        for (gauge, row) in (0_u32..).zip(&plan.gauges) {
            if row.pipeline.scrape == Span::ZERO {
                self.read(scaler, gauge, now);
            }
        }
        self.scalers.rows[scaler as usize].receive(now);
        let Some(mut controller) = self.scalers.rows[scaler as usize].controller.take() else { return };
        let service = plan.service.index();
        let current = self.services_in_force[service].replicas as i32;
        let pods = self.pods_of(scaler, now);
        let seen = Seen {
            plan,
            row: &self.scalers.rows[scaler as usize],
            status: pods.iter().filter(|pod| !pod.deleting).count() as i32,
            pods,
            spec: current,
            cores: self.services_in_force[service].cores.map_or(1.0, |cores| cores.cores),
            now,
        };
        let decision = controller.look(&seen, now);
        let wanted = decision.replicas.unwrap_or(current).clamp(0, MOST_REPLICAS);
        if wanted != current {
            controller.written(current, wanted, now);
        }
        let row = &mut self.scalers.rows[scaler as usize];
        row.controller = Some(controller);
        row.seen.looks += 1;
        *row.seen.reasons.entry(decision.why.name()).or_default() += 1;
        if wanted != current {
            row.change(current, wanted, now);
            self.services_in_force[service].replicas = wanted as u32;
            self.scale_lives(service, wanted as usize, now, calendar);
        }
        self.scalers.rows[scaler as usize].note_proxy(now);
        self.set_door(service, now);
        let next = decision.next.max(now.saturating_add(Span::from_nanos(1)));
        self.plan_look(next, scaler, calendar);
    }

    /// An activator holds a request for which there is no replica: who listens to it looks at once.
    pub(super) fn poke(&mut self, service: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let Some(at) = self.scalers.rows.iter().position(|row| row.service as usize == service) else {
            return;
        };
        if let Some(Controller::Knative(controller)) = &mut self.scalers.rows[at].controller {
            controller.poke(now, 1.0);
            self.plan_look(now, at as u32, calendar);
        }
    }

    /// Whether the autoscaler of a service wants all requests to come through the activator, and how many each replica
    /// is to be sent at once; 0 for any number.
    pub(super) fn wanted_of_activator(&self, service: usize) -> (bool, u32) {
        let row = self.scalers.rows.iter().find(|row| row.service as usize == service);
        row.map_or((false, 0), |row| {
            let each = row.controller.as_ref().map_or(0, Controller::container_concurrency);
            (row.proxied_since.is_some(), each)
        })
    }

    /// Somebody else has set the number of replicas.
    pub(super) fn replicas_set(&mut self, service: usize, to: u32, now: SimTime) {
        let before = self.services_in_force[service].replicas;
        if let Some(row) = self.scalers.rows.iter_mut().find(|row| row.service as usize == service) {
            row.wanted.move_to(u64::from(before), u64::from(to), now);
        }
    }

    /// Which autoscaler has the replica's service.
    pub(super) fn scaler_of(&self, replica: u32) -> Option<u32> {
        let service = self.replicas[replica as usize].service;
        self.scalers.rows.iter().position(|row| row.service == service).map(|at| at as u32)
    }
}

impl Scaler {
    /// It has changed the number of replicas.
    fn change(&mut self, from: i32, to: i32, now: SimTime) {
        self.wanted.move_to(from as u64, to as u64, now);
        if to > from {
            self.seen.ups += 1;
        } else {
            self.seen.downs += 1;
        }
        self.seen.flaps += u64::from(self.flaps.is_flap(from, to, now));
    }
}

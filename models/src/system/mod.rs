//! A running system: the state of one replication and the handlers of its events.
//!
//! A request at an endpoint is a frame in a slab; the frames that work for a request form its call tree, along
//! which outcomes travel up and cancellation travels down. A frame runs its operations until one of them takes
//! time. Frames that another's doing has made runnable wait in `ready`, so that nothing recurses and everything
//! of one instant happens in the order in which it was caused.

mod activators;
mod alarms;
mod batches;
mod caches;
mod calls;
mod conditions;
mod connections;
mod cores;
mod deadlines;
mod deadlock;
mod event;
mod faults;
mod frame;
mod jobs;
mod keyed;
mod lines;
mod lives;
mod network;
mod nodes;
mod policy;
mod pool;
mod queue;
mod queues;
mod rates;
mod recorder;
mod replicate;
mod routing;
mod scalers;
mod segments;
mod split;
mod starts;
mod steps;
mod trace;
mod traffic;
mod visit;
mod volumes;

use sim_core::distribution::Distribution;
use sim_core::{Calendar, Draws, Fingerprint, Histogram, Model, Population, SimTime, Slab, Span};

use crate::adapt::Adaptive;
use crate::blueprint::{
    Blueprint, ChoicePlan, CoresPlan, ForkPlan, LinkPlan, MovePlan, Op, PolicyPlan, PoolScope, RoutePlan,
    Row, SamplerId, ServicePlan, WirePlan,
};
use crate::discipline::Waiting;
use crate::formula::Formula;
use crate::observe::{Ended, RouteObservation, Segment};
use alarms::Alarm;
use batches::Batches;
use caches::Caches;
use conditions::Conditions;
use connections::Connections;
use cores::Cores;
use deadlines::Deadlines;
use event::{Event, Kind, Packed};
use faults::Faults;
use frame::{Arena, Flight, Frame, FrameKey, Held, NONE, Request, Rounds, TriedReplica, Watch};
use jobs::Jobs;
use lives::Lives;
use policy::Memories;
use pool::{Instance, Level, Pool};
use queues::Queues;
use rates::Rates;
pub use replicate::{Replication, record, replicate};
use routing::CallerRoute;
use scalers::Scalers;
pub use split::split;
use starts::Starts;
use trace::Trace;
use traffic::Source;
use visit::{Leaf, Visit};
use volumes::Volumes;

/// A replica of a service, or the client side of a traffic.
#[derive(Clone, Debug)]
struct Replica {
    /// Its service; [`NONE`] for a traffic.
    service: u32,
    /// Its number among the service's replicas.
    local: u32,
    /// First of its pool instances.
    pools: u32,
    /// First of its balancers.
    balancers: u32,
    /// Its cores; [`NONE`] where CPU needs are met at once.
    cores: u32,
    /// Requests and branches that run on it.
    present: u32,
    /// The operation at which every request begins while the replica fails; [`NONE`] while it does not.
    failing: u32,
    /// Requests that arrived since the segment began.
    received: u64,
    standing: Standing,
    /// Whether callers know it.
    is_listed: bool,
    /// How often it has begun to start, or crashed: what was planned in an earlier life is void.
    life: u32,
    /// Which version it runs.
    version: u32,
    /// Until when its CPU work takes longer.
    warm_until: SimTime,
    /// Since when it is ready; the beginning for those that were there then.
    ready_since: SimTime,
    /// How often the time until it fails was drawn.
    failures: u32,
    /// The event by whose clock it has failed, or [`NONE`].
    clock: u32,
    /// Of one that is down: whether it starts as soon as its zone is there.
    is_due: bool,
}

impl Replica {
    /// One that is ready, has nothing and does nothing.
    fn blank(service: u32, local: u32, balancers: u32) -> Self {
        Self {
            service,
            local,
            pools: 0,
            balancers,
            cores: NONE,
            present: 0,
            failing: NONE,
            received: 0,
            standing: Standing::Ready,
            is_listed: true,
            life: 0,
            version: 0,
            warm_until: SimTime::ZERO,
            ready_since: SimTime::ZERO,
            failures: 0,
            clock: NONE,
            is_due: false,
        }
    }
}

/// Where a replica stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It takes calls.
    Ready,
    /// It finishes what it has.
    Draining,
    /// It has nothing left. What is still on its way to it brings it back to draining, or is refused.
    Gone,
    /// It will take calls.
    Starting,
    /// It has crashed.
    Down,
}

/// A service at run time.
#[derive(Clone, Debug)]
struct Service {
    /// Its replicas, by their number.
    replicas: Vec<u32>,
    /// Numbers of the replicas that take calls.
    ready: Vec<u32>,
    /// The replica, if there has never been more than one and it takes calls; else [`NONE`]. The door, where calls go
    /// through it.
    only: u32,
    /// Stands for the replica of who is at the activator; [`NONE`] where there is none.
    door: u32,
    /// Whether every call goes through the activator.
    is_behind: bool,
    speed: f64,
    /// The number of replicas that the scenario or an event has set last; an autoscaler may have changed it since.
    declared: u32,
    present: Population,
    /// Replicas that are not gone.
    running: Level,
    /// Replicas that do work.
    standing: u32,
    /// What is measured of their lives, where they may start, drain or crash.
    lives: Option<Box<Lives>>,
    /// Measurements of its cores.
    cores: CoresMeter,
}

#[derive(Clone, Debug, Default)]
struct CoresMeter {
    present: Population,
    response: Histogram,
    wait: Histogram,
    met: f64,
    /// Work that unfinished bursts had got when the segment began.
    partial: f64,
    capacity: f64,
    /// Nanoseconds that there have been replicas since the segment began.
    replica_ns: f64,
    /// When `capacity` was last brought up to date.
    since: SimTime,
}

/// Measurements of an endpoint.
#[derive(Clone, Debug, Default)]
struct EndpointMeter {
    failed: u64,
    /// Of those answered.
    latency: Histogram,
}

impl Service {
    /// Brings `only` up to date.
    fn note_only(&mut self) {
        self.only = match (&*self.replicas, &*self.ready) {
            _ if self.is_behind => self.door,
            ([replica], [_]) => *replica,
            _ => NONE,
        };
    }
}

/// What an instant still has to do.
#[derive(Clone, Copy, Debug)]
enum Task {
    /// Run the frame's next operations.
    Run(FrameKey),
    /// Start the work of this visit, which has got its worker.
    Work(u32),
    /// End this visit, whose work is done.
    Leave(u32),
    /// Send the attempt of a call that has waited for an end of those in flight.
    Send(FrameKey),
    /// Plan the next end of a burst on these cores, which somebody has left.
    Cores(u32),
    /// Close what is too old among the connections of this instance, and open what is missing.
    Fill(u32),
    /// Look at who waits for this instance of a rate, whose first in line has left.
    Rate(u32),
    /// Let this replica, which drained, go.
    Retire(u32),
    /// Crash this replica, which has run out of something, and start it again.
    Crash(u32),
    /// Let this member of a group look for messages.
    Poll(u32),
    /// Let those go on who wait for room on this queue.
    Room(u32),
    /// Let the clock of this site begin anew.
    Wind(u32),
    /// Look at the condition of this site.
    Look(u32),
    /// Look at the condition of this change.
    Attend(u32),
    /// See to it that this group has the members that it wants, where it wants them.
    Place(u32),
}

/// The state of one replication.
#[derive(Clone, Debug)]
struct System<'a> {
    plan: &'a Blueprint,
    /// Names the draws of the replication that belong to no request.
    stream: u64,
    // Rows that changes may replace.
    code: Vec<Op>,
    /// Where a lone [`Op::End`] stands: what an answer on its way runs when it arrives.
    end_address: u32,
    /// The endpoints that are leaves, and for each call the one it can visit.
    leaves: Vec<Leaf>,
    short_ways: Vec<u32>,
    samplers: Vec<Distribution>,
    services_in_force: Vec<ServicePlan>,
    policies: Vec<PolicyPlan>,
    routes: Vec<RoutePlan>,
    wires: Vec<WirePlan>,
    forks: Vec<ForkPlan>,
    choices: Vec<ChoicePlan>,
    moves: Vec<MovePlan>,
    formulas: Vec<Formula>,
    links: Vec<LinkPlan>,
    faults: Faults,
    // What is there.
    services: Vec<Service>,
    replicas: Vec<Replica>,
    pools: Vec<Pool>,
    instances: Vec<Instance>,
    connections: Connections,
    cores: Vec<Cores>,
    rates: Rates,
    volumes: Volumes,
    conditions: Conditions,
    jobs: Jobs,
    starts: Starts,
    caches: Caches,
    queues: Queues,
    scalers: Scalers,
    balancers: Vec<CallerRoute>,
    sources: Vec<Source>,
    memories: Memories,
    // What is in flight.
    requests: Slab<Request>,
    frames: Slab<Frame>,
    visits: Slab<Visit>,
    watches: Arena<Watch>,
    flights: Arena<Flight>,
    tried: Arena<TriedReplica>,
    /// Reused: replicas that a call has not been sent to yet.
    untried: Vec<u32>,
    /// Reused: replicas in the caller's zone, or in the others.
    zoned: Vec<u32>,
    deadlines: Deadlines,
    alarms: Arena<Alarm>,
    batches: Batches,
    held: Arena<Held>,
    rounds: Arena<Rounds>,
    ready: Agenda,
    /// Changes in force, in the order in which they began.
    in_force: Vec<u32>,
    // What is measured.
    endpoints: Vec<EndpointMeter>,
    route_meters: Vec<RouteObservation>,
    segment_start: SimTime,
    segments: Vec<Segment>,
    next_cut: usize,
    fingerprint: Fingerprint,
    trace: Trace,
    /// Why the run is to end at the next look, because of what was not done.
    halt: Option<Ended>,
    /// Reused by cancellation.
    doomed: Vec<u32>,
    /// Names what happened in an instant that does not end.
    recent: Option<Vec<String>>,
}

impl<'a> System<'a> {
    fn new(plan: &'a Blueprint, seed: u64, index: u32, trace: Trace) -> Self {
        let (leaves, short_ways) = visit::leaves_of(plan);
        let mut system = Self {
            plan,
            code: plan.code.iter().copied().chain([Op::End]).collect(),
            end_address: plan.code.len() as u32,
            stream: sim_core::combine(seed, u64::from(index)),
            leaves,
            short_ways,
            samplers: plan.samplers.clone(),
            services_in_force: plan.services.clone(),
            policies: plan.policies.clone(),
            routes: plan.routes.clone(),
            wires: plan.wires.clone(),
            forks: plan.forks.clone(),
            choices: plan.choices.clone(),
            moves: plan.moves.clone(),
            formulas: plan.formulas.clone(),
            links: plan.links.clone(),
            faults: Faults::new(plan),
            services: Vec::with_capacity(plan.services.len()),
            replicas: Vec::new(),
            pools: plan.pools.iter().map(Pool::new).collect(),
            instances: Vec::new(),
            connections: Connections::new(plan),
            cores: Vec::new(),
            rates: Rates::new(plan),
            volumes: Volumes::new(plan),
            conditions: Conditions::new(plan),
            jobs: Jobs::new(plan),
            starts: Starts::new(plan, sim_core::combine(seed, u64::from(index))),
            caches: Caches::new(plan, sim_core::combine(seed, u64::from(index))),
            queues: Queues::new(plan),
            scalers: Scalers::new(plan),
            balancers: Vec::new(),
            sources: Vec::new(),
            memories: Memories::new(plan),
            requests: Slab::new(),
            frames: Slab::new(),
            visits: Slab::new(),
            watches: Arena::new(),
            flights: Arena::new(),
            tried: Arena::new(),
            untried: Vec::new(),
            zoned: Vec::new(),
            deadlines: Deadlines::new(plan),
            alarms: Arena::new(),
            batches: Batches::default(),
            held: Arena::new(),
            rounds: Arena::new(),
            ready: Agenda::new(),
            in_force: Vec::new(),
            endpoints: plan.endpoints.iter().map(|_| EndpointMeter::default()).collect(),
            route_meters: vec![RouteObservation::default(); plan.routes.len()],
            segment_start: SimTime::ZERO,
            segments: Vec::new(),
            next_cut: 0,
            fingerprint: Fingerprint::default(),
            trace,
            halt: None,
            doomed: Vec::new(),
            recent: None,
        };
        system.lay_out_shared_pools();
        for (service, row) in plan.services.iter().enumerate() {
            system.services.push(Service {
                replicas: Vec::new(),
                ready: Vec::new(),
                only: NONE,
                door: NONE,
                is_behind: false,
                speed: row.speed,
                declared: row.replicas,
                present: Population::default(),
                running: Level::default(),
                standing: 0,
                lives: plan.is_mortal(crate::blueprint::ServiceId(service as u32)).then(Box::default),
                cores: CoresMeter::default(),
            });
            for _ in 0..row.replicas {
                system.add_replica(service as u32, SimTime::ZERO);
            }
        }
        system.add_doors();
        for traffic in 0..plan.traffics.len() {
            system.add_source(traffic as u32, seed, index);
        }
        system
    }

    fn lay_out_shared_pools(&mut self) {
        for pool in 0..self.pools.len() {
            let copies = match self.pools[pool].scope {
                PoolScope::Replica { .. } | PoolScope::Each(_) => continue,
                PoolScope::One => 1,
                PoolScope::Class => self.plan.classes.len().max(1),
            };
            self.pools[pool].first_instance = self.instances.len() as u32;
            for number in 0..copies {
                self.add_instance(pool as u32, number as u32, NONE, SimTime::ZERO);
            }
        }
    }

    /// Adds instance number `number` of a pool, in `replica` or shared.
    fn add_instance(&mut self, pool: u32, number: u32, replica: u32, now: SimTime) {
        let stream = self.stream_of(pool, number);
        let row = &mut self.pools[pool as usize];
        let line = Waiting::new(row.order, self.plan.classes.len(), stream);
        let adaptive = row.adapt.map(|plan| Box::new(Adaptive::new(&plan, row.slots, stream)));
        self.instances.push(Instance { line, adaptive, ..Instance::new(pool, row.slots) });
        row.capacity.grow(u64::from(row.slots), now);
        self.add_rack(pool, self.instances.len() as u32 - 1, replica);
    }

    /// Adds a replica that takes calls at once.
    fn add_replica(&mut self, service: u32, now: SimTime) -> u32 {
        let row = &self.plan.services[service as usize];
        let local = self.services[service as usize].replicas.len() as u32;
        let pools = self.instances.len() as u32;
        let replica = self.replicas.len() as u32;
        for pool in &row.pools {
            self.add_instance(pool.0, local, replica, now);
        }
        let balancers = self.add_balancers(&row.routes, local);
        let cores = self.add_cores(service, local, now);
        self.replicas.push(Replica { pools, cores, ..Replica::blank(service, local, balancers) });
        if !self.volumes.is_empty() {
            self.volumes.lay_out(service, replica, now);
        }
        if !self.caches.is_empty() {
            self.caches.lay_out(service, replica, local, now);
        }
        self.starts.lay_out(self.plan, self.stream, service, replica, local);
        let row = &mut self.services[service as usize];
        row.replicas.push(replica);
        row.ready.push(local);
        row.running.grow(1, now);
        row.standing += 1;
        row.note_only();
        self.count_born(replica, now);
        replica
    }

    fn add_cores(&mut self, service: u32, local: u32, now: SimTime) -> u32 {
        let row = &self.services_in_force[service as usize];
        let plan = match row.cores {
            Some(plan) => plan,
            None if pace_changes(self.plan, service) => CoresPlan::shared(f64::INFINITY),
            None => return NONE,
        };
        let name = self.name_of_cores(service, local);
        self.cores.push(Cores::new(service, &plan, row.speed, name, now));
        (self.cores.len() - 1) as u32
    }

    /// Tells the cores of replica number `local` from all others, in this replication.
    fn name_of_cores(&self, service: u32, local: u32) -> u64 {
        let name = sim_core::hash_name(&self.plan.services[service as usize].path);
        sim_core::combine(self.stream, sim_core::combine(name, u64::from(local)))
    }

    /// Draws a time.
    #[inline]
    fn span_from(&self, sampler: SamplerId, draws: &mut Draws) -> Span {
        span(self.samplers[sampler.index()].sample(draws))
    }

    /// Runs `next`, and then everything that the current instant has made runnable.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop has its registers saved already")]
    fn settle(&mut self, mut next: Option<u32>, now: SimTime, calendar: &mut Calendar<Packed>) {
        loop {
            if let Some(index) = next {
                self.run(index, now, calendar);
            }
            // The most frequent ones go without a call.
            next = match self.ready.take() {
                Some(Task::Run(key)) => self.frames.contains(key).then(|| key.index()),
                Some(Task::Work(visit)) => {
                    self.start_work(visit, now, calendar);
                    None
                }
                Some(task) => self.perform(task, now, calendar),
                None => return,
            };
        }
    }

    /// Does what is to be done. Returns a frame that can go on because of it.
    #[inline(never)]
    fn perform(&mut self, task: Task, now: SimTime, calendar: &mut Calendar<Packed>) -> Option<u32> {
        match task {
            Task::Run(key) => return self.frames.contains(key).then(|| key.index()),
            Task::Leave(visit) => return self.visit_done(visit, now, calendar),
            Task::Send(key) => return self.send_waiting(key, now, calendar),
            Task::Work(visit) => self.start_work(visit, now, calendar),
            Task::Fill(instance) => self.fill(instance, now, calendar),
            Task::Rate(instance) => self.serve_rate(instance, now, calendar),
            Task::Retire(replica) => self.retire(replica, now, calendar),
            Task::Crash(replica) => self.crash(replica, Some(sim_core::Span::ZERO), now, calendar),
            Task::Poll(member) => self.poll(member, now, calendar),
            Task::Place(group) => self.place(group, now, calendar),
            Task::Room(queue) => self.let_in(queue, now, calendar),
            Task::Wind(site) => self.wind(site, now, calendar),
            Task::Look(site) => self.look_at_site(site, now, calendar),
            Task::Attend(change) => self.attend(change, now, calendar),
            Task::Cores(cores) => {
                self.admit_to_cores(cores, now);
                self.schedule_burst_end(cores, calendar);
            }
        }
        None
    }
}

/// Whether a change touches the service, so that the pace of its CPU work may not stay what it is.
fn pace_changes(plan: &Blueprint, service: u32) -> bool {
    let touches = |row: &Row| matches!(row, Row::Service(changed, _) if changed.0 == service);
    plan.changed_rows().any(touches)
}

/// What the current instant still has to do, first in first out.
#[derive(Clone, Debug)]
struct Agenda {
    /// The visit whose work comes before all tasks, or [`NONE`]: most instants have nothing else to do.
    work: u32,
    tasks: Vec<Task>,
    done: usize,
}

impl Agenda {
    const fn new() -> Self {
        Self { work: NONE, tasks: Vec::new(), done: 0 }
    }

    #[inline]
    fn add(&mut self, task: Task) {
        self.tasks.push(task);
    }

    /// As [`Agenda::add`] with [`Task::Work`].
    #[inline]
    fn add_work(&mut self, visit: u32) {
        if self.is_empty() {
            self.work = visit;
        } else {
            self.add(Task::Work(visit));
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.work == NONE && self.done == self.tasks.len()
    }

    #[inline]
    fn take(&mut self) -> Option<Task> {
        if self.work != NONE {
            return Some(Task::Work(std::mem::replace(&mut self.work, NONE)));
        }
        if let Some(&task) = self.tasks.get(self.done) {
            self.done += 1;
            return Some(task);
        }
        if self.done > 0 {
            self.tasks.clear();
            self.done = 0;
        }
        None
    }
}

/// A drawn number of seconds as simulated time. What lies beyond the longest span is as good as never.
#[inline]
fn span(seconds: f64) -> Span {
    Span::from_seconds(seconds).unwrap_or(sim_core::MAX_SPAN)
}

impl Model for System<'_> {
    type Event = Packed;

    fn handle(&mut self, event: Packed, now: SimTime, calendar: &mut Calendar<Packed>) {
        self.fingerprint.absorb2(now.as_nanos(), event.stamp());
        if self.recent.is_some() {
            self.remember(event.unpack());
        }
        // The most frequent ones go without being unpacked.
        let next = match event.kind() {
            Kind::VISIT_DONE => self.visit_done(event.rest(), now, calendar),
            Kind::STEP_DONE => self.step_done(event.key(), now, calendar),
            Kind::ARRIVAL => self.arrival(event.index(), event.rest(), now, calendar),
            _ => self.handle_any(event.unpack(), now, calendar),
        };
        if next.is_some() || !self.ready.is_empty() {
            self.settle(next, now, calendar);
        }
    }
}

impl System<'_> {
    #[inline(never)]
    fn handle_any(&mut self, event: Event, now: SimTime, calendar: &mut Calendar<Packed>) -> Option<u32> {
        match event {
            Event::StepDone(key) => self.step_done(key, now, calendar),
            Event::VisitDone(visit) => self.visit_done(visit, now, calendar),
            Event::Arrival { traffic, generation } => self.arrival(traffic, generation, now, calendar),
            Event::Thought { traffic, user } => self.thought(traffic, user, now, calendar),
            Event::BurstDone { cores, generation } => {
                self.burst_done(cores, generation, now, calendar);
                None
            }
            Event::Timeout(call) => self.timeout(call, now, calendar),
            Event::TotalTimeout(call) => self.total_timeout(call, now, calendar),
            Event::Retry(call) => self.retry(call, now, calendar),
            Event::GiveUp(frame) => self.give_up(frame, now, calendar),
            Event::Hedge(call) => self.hedge(call, now, calendar),
            Event::Refuse(call) => self.refuse(call, now, calendar),
            Event::Cut => {
                self.cut(now, calendar);
                None
            }
            Event::Check { balancer } => {
                self.check(balancer, now, calendar);
                None
            }
            Event::Alarm(alarm) => {
                self.alarm(alarm, now, calendar);
                None
            }
            Event::Change { change, begins } => {
                self.change(change, begins, now, calendar);
                None
            }
        }
    }
}

//! The short way: calls whose whole work is to hold a worker for one step.
//!
//! Most calls of most systems end at a leaf: the endpoint takes a worker, spends some time, and answers. Such a
//! call needs no frame. Nothing can happen to it but waiting and working, so a record of one cache line carries
//! it, and one event ends it. Whatever could interfere keeps a call on the long way: a policy, a network that
//! takes time, cancellation anywhere in the scenario, a full queue, a queue with a timeout, and the account of
//! where the time goes. Both ways make the same draws and do the same things in the same order.

use sim_core::{Calendar, Draws, SimTime};

use super::frame::{FrameKey, Link, NONE};
use super::traffic::Ending;
use super::{Event, Packed, System, span};
use crate::blueprint::{
    Blueprint, CallId, EndpointId, Op, Outcome, PolicyPlan, PoolScope, RouteId, Row, SamplerId,
};
use crate::discipline::{Joining, Line, Moment};

/// An endpoint that a call can visit the short way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    service: u32,
    endpoint: u32,
    /// The pool that it holds a unit of; [`NONE`] if it holds nothing.
    pool: u32,
    /// How long the step takes.
    time: SamplerId,
    /// Names the step to the request's draws.
    salt: u64,
    /// Whether the step is CPU work.
    is_cpu: bool,
    /// Whether that is done on the replica's cores; else it takes its time at the service's speed.
    on_cores: bool,
}

/// A call at a leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) visitor: Visitor,
    leaf: u32,
    /// The replica that it is at.
    pub(super) replica: u32,
    /// The pool's instance there.
    pub(super) instance: u32,
    /// The caller's balancer that counts it as outstanding.
    balancer: u32,
    pub(super) class: u16,
    /// Whether it still waits for a worker.
    pub(super) is_waiting: bool,
    pub(super) arrived: SimTime,
    /// When it got its worker.
    pub(super) began: SimTime,
    pub(super) draw_key: u64,
}

impl Visit {
    /// A visit of nobody.
    fn blank() -> Self {
        Self {
            visitor: Visitor { frame: FrameKey::NONE, detail: NONE, traffic: NONE },
            leaf: NONE,
            replica: NONE,
            instance: NONE,
            balancer: NONE,
            class: 0,
            is_waiting: false,
            arrived: SimTime::ZERO,
            began: SimTime::ZERO,
            draw_key: 0,
        }
    }
}

/// Who waits for a visit: a frame, or a traffic on behalf of a user or of nobody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visitor {
    pub(super) frame: FrameKey,
    /// Of a frame: the epoch of its link. Of a traffic: the user.
    detail: u32,
    /// [`NONE`] for a frame.
    pub(super) traffic: u32,
}

impl Visitor {
    pub(super) fn frame(link: Link) -> Self {
        Self { frame: link.parent, detail: link.epoch, traffic: NONE }
    }

    pub(super) fn traffic(traffic: u32, user: u32) -> Self {
        Self { frame: FrameKey::NONE, detail: user, traffic }
    }
}

/// What a caller knows when it sends a call the short way.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) visitor: Visitor,
    pub(super) class: u16,
    /// The replica that the caller's route has chosen, and the balancer that counts the call.
    pub(super) replica: u32,
    pub(super) balancer: u32,
    pub(super) draw_key: u64,
}

/// The leaves among the endpoints, and for each call the leaf that it can visit, or [`NONE`].
pub(super) fn leaves_of(plan: &Blueprint) -> (Vec<Leaf>, Vec<u32>) {
    if cancels(plan) {
        return (Vec::new(), vec![NONE; plan.calls.len()]);
    }
    let mut leaves = Vec::new();
    let mut number = |endpoint| {
        let leaf = leaf_of(plan, EndpointId(endpoint))?;
        leaves.push(leaf);
        Some(leaves.len() as u32 - 1)
    };
    let endpoints = 0..plan.endpoints.len() as u32;
    let by_endpoint: Vec<u32> = endpoints.map(|endpoint| number(endpoint).unwrap_or(NONE)).collect();
    let of_call = |call: &crate::blueprint::CallPlan| {
        let is_bare = call.policy.is_none() && !call.takes_time();
        if is_bare && is_plain(plan, call.route) { by_endpoint[call.endpoint.index()] } else { NONE }
    };
    (leaves, plan.calls.iter().map(of_call).collect())
}

/// Whether anything in the scenario stops work that has begun or waits, now or after a change.
fn cancels(plan: &Blueprint) -> bool {
    let stops = |policy: &PolicyPlan| {
        policy.cancel || policy.deadline || policy.hedge.is_some_and(|hedge| hedge.cancel || hedge.tied)
    };
    let mut changed = plan.changed_rows();
    plan.forks.iter().any(|fork| fork.cancel)
        || plan.policies.iter().any(stops)
        || changed.any(|row| match row {
            Row::Fork(_, fork) => fork.cancel,
            Row::Policy(_, policy) => stops(policy),
            _ => false,
        })
}

/// Whether the route needs neither the request nor its answer to choose, now and after every change.
fn is_plain(plan: &Blueprint, route: RouteId) -> bool {
    let mut changed = plan.changed_rows();
    let stays = |row: &Row| !matches!(row, Row::Route(changed, to) if *changed == route && !to.is_plain());
    plan.routes[route.index()].is_plain() && changed.all(stays)
}

fn leaf_of(plan: &Blueprint, endpoint: EndpointId) -> Option<Leaf> {
    let row = &plan.endpoints[endpoint.index()];
    if plan.failures.iter().any(|failure| failure.service == row.service) {
        return None; // A replica that fails does something else.
    }
    if plan.is_mortal(row.service) {
        return None; // One that warms up is slower, and one that crashes loses what it has.
    }
    let entry = row.entry.index();
    let (pool, step) = match plan.code[entry] {
        Op::Acquire { pool, units: 1 } if !matches!(plan.pools[pool.index()].scope, PoolScope::Each(_)) => {
            (pool.0, entry + 1)
        }
        Op::Acquire { .. } => return None,
        _ => (NONE, entry),
    };
    if pool != NONE && !stays_plain(plan, pool) {
        return None;
    }
    let (time, is_cpu) = match plan.code[step] {
        Op::Delay(time) => (time, false),
        Op::Cpu(need) => (need, true),
        _ => return None,
    };
    let mut changed = plan.changed_rows();
    let rewritten =
        |row: &Row| matches!(row, Row::Code(address, _) if (entry..=step + 1).contains(&address.index()));
    if plan.code.get(step + 1) != Some(&Op::End) || changed.any(rewritten) {
        return None;
    }
    let (service, salt) = (row.service.0, plan.salts[step]);
    let on_cores = is_cpu && has_cores(plan, row.service);
    Some(Leaf { service, endpoint: endpoint.0, pool, time, salt, is_cpu, on_cores })
}

/// Whether the pool turns nobody away though there is room, and serves by nothing that a visit does not have, now and
/// after every change.
fn stays_plain(plan: &Blueprint, pool: u32) -> bool {
    let mut changed = plan.changed_rows();
    plan.pools[pool as usize].is_plain()
        && changed.all(|row| !matches!(row, Row::Pool(id, to) if id.0 == pool && !to.is_plain()))
}

/// Whether CPU work at the service is done on cores, by the rule of [`System::add_cores`].
fn has_cores(plan: &Blueprint, service: crate::blueprint::ServiceId) -> bool {
    plan.services[service.index()].cores.is_some() || super::pace_changes(plan, service.0)
}

impl System<'_> {
    /// Whether the visit is on the cores, or waits for one.
    pub(super) fn computes(&self, visit: &Visit) -> bool {
        !visit.is_waiting && self.leaves[visit.leaf as usize].on_cores
    }

    /// The leaf that `call` can visit for a request of this weight.
    #[inline]
    pub(super) fn short_way(&self, call: CallId, weight: u32) -> Option<u32> {
        let leaf = self.short_ways[call.index()];
        (leaf != NONE && weight == 0).then_some(leaf)
    }

    /// The replica that gets the call, and the balancer that counts it.
    #[inline]
    pub(super) fn choose_for_leaf(
        &mut self,
        leaf: u32,
        caller: u32,
        call: CallId,
        draw_key: u64,
        now: SimTime,
    ) -> (u32, u32) {
        let service = self.leaves[leaf as usize].service;
        let only = self.services[service as usize].only;
        if only == NONE { self.choose_replica(caller, call, NONE, draw_key, now) } else { (only, NONE) }
    }

    /// Lets a call visit a leaf; false if it would be turned away, or would not wait for as long as it takes.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what is sent is made only to be taken apart")]
    pub(super) fn visit(
        &mut self,
        leaf: u32,
        sent: Sent,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> bool {
        let Leaf { service, pool, .. } = self.leaves[leaf as usize];
        let mut is_waiting = false;
        let mut instance = NONE;
        if pool != NONE {
            let pool = &mut self.pools[pool as usize];
            instance = pool.instance(self.replicas[sent.replica as usize].pools, sent.class);
            let place = &mut self.instances[instance as usize];
            // Where there is room hardly anybody waits, but whether there is room nobody can foresee: one question of the
            // two is enough to get wrong.
            if place.in_use < place.slots && place.waiting == 0 {
                place.in_use += 1;
                pool.wait.record_zero();
                pool.in_use.enter(now);
            } else if place.waiting >= pool.queue || pool.timeout.is_some() {
                return false;
            } else {
                is_waiting = true;
                place.waiting += 1;
                pool.waiting.enter(now);
            }
        }
        // Filled in place: built elsewhere and moved, it would be stored twice.
        let (key, visit) = self.visits.claim(Visit::blank);
        let index = key.index();
        visit.visitor.frame = sent.visitor.frame;
        visit.visitor.detail = sent.visitor.detail;
        visit.visitor.traffic = sent.visitor.traffic;
        visit.leaf = leaf;
        visit.replica = sent.replica;
        visit.instance = instance;
        visit.balancer = sent.balancer;
        visit.class = sent.class;
        visit.is_waiting = is_waiting;
        visit.arrived = now;
        visit.began = now;
        visit.draw_key = sent.draw_key;
        self.replicas[sent.replica as usize].received += 1;
        self.occupy(sent.replica, now);
        self.services[service as usize].present.enter(now);
        if is_waiting {
            let place = &mut self.instances[instance as usize];
            let ahead = place.waiting - 1;
            place.line.join_with(|| (Waiter::Visit(index), Joining::of_class(sent.class, ahead, now)));
        } else {
            self.start_work_at_once(index, now, calendar);
        }
        true
    }

    /// As [`System::start_work`], for whoever does not do so all the time.
    #[inline(never)]
    fn start_work_at_once(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        self.start_work(index, now, calendar);
    }

    /// Starts the work of a visit that has got its worker.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop has its registers saved already")]
    pub(super) fn start_work(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let visit = self.visits.at(index);
        let row = &self.leaves[visit.leaf as usize];
        // The same draw as a frame makes for the step.
        let mut draws = Draws::keyed(visit.draw_key ^ row.salt);
        let seconds = self.samplers[row.time.index()].sample(&mut draws);
        if row.on_cores {
            let (class, cores) = (visit.class, self.replicas[visit.replica as usize].cores);
            self.begin_burst(Worker::Visit(index), class, cores, span(seconds), now, calendar);
            return;
        }
        let seconds = if row.is_cpu { seconds / self.services[row.service as usize].speed } else { seconds };
        calendar.schedule_in(span(seconds), Event::VisitDone(index).pack());
    }

    /// Ends a visit. Returns a frame that can go on because of it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop has its registers saved already")]
    pub(super) fn visit_done(
        &mut self,
        index: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let visit = self.visits.at(index);
        let Visit { visitor, leaf, replica, instance, balancer, class, arrived, began, .. } = *visit;
        self.visits.vacate(index);
        let row = &self.leaves[leaf as usize];
        let meter = &mut self.endpoints[row.endpoint as usize];
        meter.latency.record(now.since(arrived).as_nanos());
        self.services[row.service as usize].present.leave(arrived, now);
        if instance != NONE {
            self.hand_over(instance, began, now);
        }
        self.leave_replica(replica, now);
        if balancer != NONE {
            let local = self.replicas[replica as usize].local;
            self.balancers[balancer as usize].in_flight[local as usize] -= 1;
        }
        if visitor.traffic == NONE {
            let link = Link { parent: visitor.frame, epoch: visitor.detail };
            return self.answer(link, NONE, Outcome::OK, now, calendar);
        }
        let (traffic, user) = (visitor.traffic, visitor.detail);
        let ending =
            Ending { traffic, user, start: arrived, class, tenant: NONE, attempts: 1, outcome: Outcome::OK };
        self.finish_request(&ending, now, calendar);
        None
    }

    /// Gives a unit that a visit has held since `since` to the first who waits for it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop has its registers saved already")]
    fn hand_over(&mut self, instance: u32, since: SimTime, now: SimTime) {
        let place = &mut self.instances[instance as usize];
        let pool = &mut self.pools[place.pool as usize];
        // The usual cases, in fewer words: nobody waits; or a visit does, and there are still as many units as are in
        // use.
        if place.waiting == 0 {
            place.in_use -= 1;
            pool.in_use.leave(since, now);
            pool.hold.record(now.since(since).as_nanos());
        } else if place.in_use == place.slots
            && let Some(Waiter::Visit(next)) =
                place.line.first(Moment { now, waiting: place.waiting }, |_| true)
        {
            place.line.remove_first();
            place.waiting -= 1;
            pool.in_use.replace(since, now);
            pool.hold.record(now.since(since).as_nanos());
            let place = place.pool as usize;
            let arrived = self.serve_visit(next, now);
            let pool = &mut self.pools[place];
            pool.waiting.leave(arrived, now);
            pool.wait.record(now.since(arrived).as_nanos());
        } else {
            self.give_back(instance, 1, since, now);
        }
    }

    /// The callers that these balancers belong to no longer count the visits that they have made.
    pub(super) fn forget_visits_of(&mut self, balancers: std::ops::Range<u32>) {
        let of: Vec<u32> = self
            .visits
            .iter()
            .filter(|(_, visit)| balancers.contains(&visit.balancer))
            .map(|(key, _)| key.index())
            .collect();
        for visit in of {
            self.visits.at_mut(visit).balancer = NONE;
        }
    }

    /// A worker is there for the visit, which has waited. Returns since when.
    #[inline]
    pub(super) fn serve_visit(&mut self, index: u32, now: SimTime) -> SimTime {
        let visit = self.visits.at_mut(index);
        visit.is_waiting = false;
        visit.began = now;
        self.ready.add_work(index);
        visit.arrived
    }
}

/// Whose work cores do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Worker {
    /// A frame's.
    Frame(FrameKey),
    /// A visit's.
    Visit(u32),
}

/// Who waits in a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiter {
    /// A frame, and the units that it wants.
    Frame(FrameKey, u32),
    /// A visit, which wants one.
    Visit(u32),
}

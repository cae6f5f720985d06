//! Sources of requests: open, traced and closed; and the end of a request.

use sim_core::modulation::Phase;
use sim_core::{Calendar, Draws, Histogram, Population, Present, SimTime, combine, hash_name, mix};

use super::calls::Made;
use super::frame::{Link, NONE, Request};
use super::visit::{Sent, Visitor};
use super::{Event, Packed, Replica, System, Task, span};
use crate::attribute::Spread;
use crate::blueprint::{Arrivals, Outcome, TrafficPlan};
use crate::observe::{GroupObservation, TrafficObservation};

/// Separate the draws of one request that are not made by an operation.
const SALT_CLASS: u64 = 0x9FB2_1C65_1E98_DF25;
const SALT_TARGET: u64 = 0x2545_F491_4F6C_DD1D;
const SALT_THINK: u64 = 0xD1B5_4A32_D192_ED03;
const SALT_USER: u64 = 0xAEF1_7502_108E_F2D9;
const SALT_BATCH: u64 = 0x8CB9_2BA7_2F3D_8DD7;
/// Odd: numbers times this differ in all bits.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Most requests of one batch, and most corrections of one latency.
const MOST: f64 = 1.0e6;

/// A traffic at run time.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its row in force.
    pub(super) plan: TrafficPlan,
    /// The replica that stands for its clients.
    client: u32,
    /// Names its requests: seed, replication and path.
    pub(super) stream: u64,
    /// The stream of its gaps.
    gaps: Draws,
    /// Requests so far.
    number: u64,
    /// The instant of the next arrival in seconds, unrounded.
    position: f64,
    /// Where the modulation of the rate is: where the next arrival was planned from, and at that arrival.
    phases: Option<(Phase, Phase)>,
    /// From where and over how much of the rate's integral the next arrival was planned.
    planned: (f64, f64),
    /// Tells the arrival in force from one planned before the rate changed.
    generation: u32,
    /// Requests that each user has sent.
    cycles: Vec<u32>,
    /// Users who have not left.
    active: u32,
    pub(super) meter: Meter,
}

impl Source {
    /// Lets what is to come be drawn anew, under another name.
    pub(super) fn diverge(&mut self, name: u64) {
        self.stream = combine(self.stream, name);
        self.gaps = Draws::keyed(combine(self.stream, hash_name("gaps")));
        if let Some((_, ahead)) = &mut self.phases {
            ahead.diverge(name);
        }
    }

    /// Names the draws of request number `number`.
    #[inline]
    fn key_of(&self, number: u64) -> u64 {
        mix(self.stream.wrapping_add(number.wrapping_mul(STRIDE)))
    }
}

/// Measurements of a traffic.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    offered: u64,
    outcomes: Vec<u64>,
    classes: Vec<GroupObservation>,
    tenants: Vec<GroupObservation>,
    attempts: u64,
    pub(super) latency: Histogram,
    unanswered: Histogram,
    intended: Histogram,
    pub(super) present: Population,
    /// Nanoseconds from which on an answer is late, and how many have been.
    pub(super) late_from: u64,
    pub(super) late: u64,
}

impl Meter {
    /// Requests that arrived since the segment began.
    pub(super) fn offered(&self) -> u64 {
        self.offered
    }

    /// Counts a request that has ended, `nanos` after its start, in the figures of its class and its tenant.
    #[inline(never)]
    fn count_in_groups(&mut self, class: u16, tenant: u32, outcome: Outcome, nanos: u64) {
        let class = self.classes.get_mut(usize::from(class));
        for group in class.into_iter().chain(self.tenants.get_mut(tenant as usize)) {
            group.outcomes[usize::from(outcome.0)] += 1;
            if outcome.is_answer() {
                group.latency.record(nanos);
            }
        }
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, now: SimTime, present: Present) -> TrafficObservation {
        TrafficObservation {
            offered: std::mem::take(&mut self.offered),
            outcomes: taken(&mut self.outcomes),
            classes: flush_groups(&mut self.classes),
            tenants: flush_groups(&mut self.tenants),
            attempts: std::mem::take(&mut self.attempts),
            latency: self.latency.take().compact(),
            unanswered: self.unanswered.take().compact(),
            intended: self.intended.take().compact(),
            present: self.present.flush(now, present),
        }
    }
}

fn flush_groups(groups: &mut [GroupObservation]) -> Vec<GroupObservation> {
    let flush = |group: &mut GroupObservation| GroupObservation {
        outcomes: taken(&mut group.outcomes),
        latency: group.latency.take().compact(),
    };
    groups.iter_mut().map(flush).collect()
}

/// The counts, which begin again at 0.
fn taken(counts: &mut Vec<u64>) -> Vec<u64> {
    let kinds = counts.len();
    std::mem::replace(counts, vec![0; kinds])
}

/// A request that has ended.
pub(super) struct Ending {
    pub(super) traffic: u32,
    pub(super) user: u32,
    pub(super) start: SimTime,
    pub(super) class: u16,
    /// [`NONE`] where it is not known, which is so where it does not count.
    pub(super) tenant: u32,
    pub(super) attempts: u32,
    pub(super) outcome: Outcome,
}

impl System<'_> {
    pub(super) fn add_source(&mut self, traffic: u32, seed: u64, index: u32) {
        let plan = self.plan.traffics[traffic as usize].clone();
        let balancers = self.add_balancers(&plan.routes, 0);
        let client = self.replicas.len() as u32;
        self.replicas.push(Replica::blank(NONE, 0, balancers));
        let stream = combine(combine(seed, u64::from(index)), plan.stream);
        let phases = match &plan.arrivals {
            Arrivals::Open { modulation: Some(modulation), .. } => {
                let phase = Phase::new(modulation, Draws::keyed(combine(stream, hash_name("states"))));
                Some((phase, phase))
            }
            _ => None,
        };
        let kinds = self.plan.outcomes.len();
        let group = GroupObservation { outcomes: vec![0; kinds], ..GroupObservation::default() };
        // One class needs no figures of its own.
        let classes = if self.plan.classes.len() > 1 { self.plan.classes.len() } else { 0 };
        let has_names = matches!(plan.attributes.tenant, Some(Spread::Shares(_)));
        let tenants = if has_names { self.plan.tenants.len() } else { 0 };
        self.sources.push(Source {
            client,
            stream,
            gaps: Draws::keyed(combine(stream, hash_name("gaps"))),
            number: 0,
            position: 0.0,
            phases,
            planned: (0.0, 0.0),
            generation: 0,
            cycles: Vec::new(),
            active: 0,
            meter: Meter {
                outcomes: vec![0; kinds],
                tenants: vec![group.clone(); tenants],
                classes: vec![group; classes],
                late_from: u64::MAX,
                ..Meter::default()
            },
            plan,
        });
    }

    /// Plans the first requests of every traffic.
    pub(super) fn start_sources(&mut self, calendar: &mut Calendar<Packed>) {
        for traffic in 0..self.sources.len() as u32 {
            match &self.sources[traffic as usize].plan.arrivals {
                Arrivals::Open { .. } | Arrivals::Trace(_) => self.plan_arrival(traffic, calendar),
                Arrivals::Closed { users, .. } => {
                    let users = *users;
                    self.admit_users(traffic, users, calendar);
                }
            }
        }
    }

    // Open traffic -----------------------------------------------------------------------------------------

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop has its registers saved already")]
    fn plan_arrival(&mut self, traffic: u32, calendar: &mut Calendar<Packed>) {
        let source = &mut self.sources[traffic as usize];
        let generation = source.generation;
        let at = match &source.plan.arrivals {
            Arrivals::Open { rate, gap, modulation, .. } => {
                let amount = gap.sample(&mut source.gaps);
                source.planned = (source.position, amount);
                let next = match (modulation, &mut source.phases) {
                    (Some(modulation), Some((before, phase))) => {
                        *before = *phase;
                        phase.after(modulation, rate, source.position, amount)
                    }
                    _ => rate.after(source.position, amount),
                };
                let Some(next) = next else { return };
                source.position = next;
                SimTime::ZERO + span(next)
            }
            Arrivals::Trace(instants) => {
                let Some(&next) = instants.get(source.number as usize) else { return };
                SimTime::from_nanos(next)
            }
            Arrivals::Closed { .. } => return,
        };
        calendar.schedule(at.max(calendar.now()), Event::Arrival { traffic, generation }.pack());
    }

    /// Plans the next arrival anew because the rate has changed: what has elapsed of the gap stays elapsed.
    pub(super) fn replan_arrival(
        &mut self,
        traffic: u32,
        plan: TrafficPlan,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let source = &mut self.sources[traffic as usize];
        let before = std::mem::replace(&mut source.plan, plan);
        match (&before.arrivals, &source.plan.arrivals) {
            (
                Arrivals::Open { rate: old, modulation: old_states, .. },
                Arrivals::Open { rate: new, modulation: new_states, .. },
            ) if old != new || old_states != new_states => {
                let (from, amount) = source.planned;
                let now_seconds = now.as_seconds();
                let until = now_seconds.max(from);
                let elapsed = match (old_states, &mut source.phases) {
                    (Some(states), Some((phase, _))) => phase.integral(states, old, from, until),
                    _ => old.integral(from, until),
                };
                let rest = (amount - elapsed).max(0.0);
                source.generation = source.generation.wrapping_add(1);
                source.planned = (now_seconds, rest);
                let generation = source.generation;
                let next = match (new_states, &mut source.phases) {
                    (Some(states), Some((before, phase))) => {
                        *phase = *before;
                        phase.after(states, new, now_seconds, rest)
                    }
                    _ => new.after(now_seconds, rest),
                };
                let Some(next) = next else { return };
                source.position = next;
                let at = (SimTime::ZERO + span(next)).max(now);
                calendar.schedule(at, Event::Arrival { traffic, generation }.pack());
            }
            (Arrivals::Closed { .. }, Arrivals::Closed { users, .. }) => {
                let users = *users;
                self.admit_users(traffic, users, calendar);
            }
            _ => {}
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop has its registers saved already")]
    pub(super) fn arrival(
        &mut self,
        traffic: u32,
        generation: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        if self.sources[traffic as usize].generation != generation {
            return None; // The rate has changed since.
        }
        let source = &mut self.sources[traffic as usize];
        if source.plan.comes_in_batches() {
            return self.batch(traffic, now, calendar);
        }
        let draw_key = source.key_of(source.number);
        source.number += 1;
        self.plan_arrival(traffic, calendar);
        self.release(traffic, NONE, draw_key, now, calendar)
    }

    /// Several requests arrive together, or none.
    #[inline(never)]
    fn batch(&mut self, traffic: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> Option<u32> {
        let source = &mut self.sources[traffic as usize];
        let Arrivals::Open { batch: Some(size), .. } = &source.plan.arrivals else { return None };
        let first = source.number;
        let key = mix(source.stream ^ SALT_BATCH.wrapping_add(first.wrapping_mul(STRIDE)));
        let together = size.sample(&mut Draws::keyed(key)).round_ties_even().clamp(0.0, MOST) as u64;
        if !self.has_room_for(together as u32, calendar) {
            return None;
        }
        let source = &mut self.sources[traffic as usize];
        // An empty batch has a number too.
        source.number = first + together.max(1);
        self.plan_arrival(traffic, calendar);
        let mut next = None;
        for number in first..first + together {
            if let Some(before) = next {
                self.ready.add(Task::Run(self.frames.key_of(before)));
            }
            let draw_key = self.sources[traffic as usize].key_of(number);
            next = self.release(traffic, NONE, draw_key, now, calendar);
        }
        if together > 1 {
            // The last of a batch comes after those before it.
            self.ready.add(Task::Run(self.frames.key_of(next?)));
            return None;
        }
        next
    }

    /// Sends a request into the system.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop has its registers saved already")]
    fn release(
        &mut self,
        traffic: u32,
        user: u32,
        draw_key: u64,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let source = &mut self.sources[traffic as usize];
        source.meter.offered += 1;
        source.meter.present.enter(now);
        let class = drawn(&source.plan.classes, draw_key ^ SALT_CLASS).unwrap_or(0);
        let call = drawn(&source.plan.targets, draw_key ^ SALT_TARGET)?;
        let client = source.client;
        // Requests of a batch run when all have been opened: in turn, whichever way they go.
        let in_turn = source.plan.targets.len() == 1 || !source.plan.comes_in_batches();
        // A visit does not know whose it is.
        let is_plain = in_turn && source.meter.tenants.is_empty();
        let weight = self.trace.weight(draw_key);
        if is_plain && let Some(leaf) = self.short_way(call, weight) {
            let (replica, balancer) = self.choose_for_leaf(leaf, client, call, draw_key, now);
            let visitor = Visitor::traffic(traffic, user);
            let sent = Sent { visitor, class, replica, balancer, draw_key };
            if self.visit(leaf, sent, now, calendar) {
                return None;
            }
            let request = self.open_request(traffic, user, class, draw_key, weight, now);
            self.requests.at_mut(request).attempts = 1;
            let made = Made { call, caller: client, request, link: Link::TO_TRAFFIC, draw_key, depth: 0 };
            return self.enter_service(&made, replica, balancer, now, calendar);
        }
        let index = self.open_request(traffic, user, class, draw_key, weight, now);
        if self.plan.calls[call.index()].policy.is_none() {
            self.requests.at_mut(index).attempts = 1;
        }
        let made = Made { call, caller: client, request: index, link: Link::TO_TRAFFIC, draw_key, depth: 0 };
        self.spawn(&made, now, calendar)
    }

    fn open_request(
        &mut self,
        traffic: u32,
        user: u32,
        class: u16,
        draw_key: u64,
        weight: u32,
        now: SimTime,
    ) -> u32 {
        let label = self.sources[traffic as usize].plan.attributes.label(draw_key, user);
        let (key, row) = self.requests.claim(Request::blank);
        *row =
            Request { traffic, user, start: now, frames: 0, attempts: 0, weight, label, class, ended: false };
        if weight > 0 {
            self.record_request(key.index(), draw_key);
        }
        key.index()
    }

    // Closed traffic ---------------------------------------------------------------------------------------

    /// Brings the number of users to `users`: new ones begin by thinking, surplus ones leave when they would
    /// send again.
    fn admit_users(&mut self, traffic: u32, users: u32, calendar: &mut Calendar<Packed>) {
        let source = &mut self.sources[traffic as usize];
        let known = source.cycles.len() as u32;
        source.active = users;
        for user in known..users {
            self.sources[traffic as usize].cycles.push(0);
            self.think(traffic, user, calendar);
        }
    }

    #[inline]
    fn think(&mut self, traffic: u32, user: u32, calendar: &mut Calendar<Packed>) {
        let source = &self.sources[traffic as usize];
        let Arrivals::Closed { think, .. } = &source.plan.arrivals else { return };
        let key = user_key(source.stream, user, source.cycles[user as usize]);
        let time = span(think.sample(&mut Draws::keyed(key ^ SALT_THINK)));
        calendar.schedule_in(time, Event::Thought { traffic, user }.pack());
    }

    #[inline]
    pub(super) fn thought(
        &mut self,
        traffic: u32,
        user: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let source = &mut self.sources[traffic as usize];
        if user >= source.active {
            source.cycles.truncate(source.cycles.len().min(user as usize));
            return None; // The user has left.
        }
        let cycle = source.cycles[user as usize];
        source.cycles[user as usize] = cycle.wrapping_add(1);
        let draw_key = user_key(source.stream, user, cycle);
        self.release(traffic, user, draw_key, now, calendar)
    }

    // The end of a request ---------------------------------------------------------------------------------

    /// The traffic has the outcome of a request.
    #[inline(never)]
    pub(super) fn complete(
        &mut self,
        request: u32,
        from: u32,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = self.requests.at_mut(request);
        row.ended = true;
        let Request { traffic, user, start, class, attempts, label, weight, .. } = *row;
        if weight > 0 {
            self.trace_outcome(request, from, outcome, now);
        }
        let ending = Ending { traffic, user, start, class, tenant: label.tenant, attempts, outcome };
        self.finish_request(&ending, now, calendar);
    }

    /// Counts a request that has ended, and lets its user think.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "an ending is made only to be taken apart")]
    pub(super) fn finish_request(&mut self, ending: &Ending, now: SimTime, calendar: &mut Calendar<Packed>) {
        let source = &mut self.sources[ending.traffic as usize];
        let meter = &mut source.meter;
        let nanos = now.since(ending.start).as_nanos();
        meter.present.leave(ending.start, now);
        meter.outcomes[ending.outcome.0 as usize] += 1;
        meter.attempts += u64::from(ending.attempts);
        if ending.outcome.is_answer() {
            meter.latency.record(nanos);
            if nanos >= meter.late_from {
                meter.late += 1;
            }
        } else {
            meter.unanswered.record(nanos);
        }
        if !meter.classes.is_empty() || !meter.tenants.is_empty() {
            meter.count_in_groups(ending.class, ending.tenant, ending.outcome, nanos);
        }
        if let Some(cycle) = source.plan.expected_cycle {
            record_from_intended_starts(&mut meter.intended, nanos, cycle.as_nanos());
        }
        if ending.user != NONE {
            self.think(ending.traffic, ending.user, calendar);
        }
    }
}

/// Names the requests of a user: they depend on nobody else's.
fn user_key(stream: u64, user: u32, cycle: u32) -> u64 {
    let user_stream = mix(stream ^ SALT_USER.wrapping_add(u64::from(user).wrapping_mul(STRIDE)));
    mix(user_stream.wrapping_add(u64::from(cycle).wrapping_mul(STRIDE)))
}

/// Draws from cumulative shares. A single entry takes no draw.
#[inline]
fn drawn<T: Copy>(shares: &[(f64, T)], key: u64) -> Option<T> {
    if let [(_, only)] = shares {
        return Some(*only);
    }
    let draw = Draws::keyed(key).unit();
    shares.iter().find(|(share, _)| draw < *share).or(shares.last()).map(|&(_, entry)| entry)
}

/// Records a latency together with those of the requests that the user would have sent meanwhile.
///
/// A user who waits for a slow answer sends nothing, so a closed workload sees one slow request where an open
/// one sees many (coordinated omission). Each `cycle` within the latency stands for a request that was meant to
/// start then.
///
/// Source: `HdrHistogram`'s correction for an expected interval.
fn record_from_intended_starts(histogram: &mut Histogram, nanos: u64, cycle: u64) {
    histogram.record(nanos);
    if cycle == 0 {
        return;
    }
    let mut missed = nanos.saturating_sub(cycle);
    let mut corrections = 0.0;
    while missed >= cycle && corrections < MOST {
        histogram.record(missed);
        missed -= cycle;
        corrections += 1.0;
    }
}

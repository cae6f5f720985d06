//! Calls under a policy: fallback(retry(breaker(limit(hedge(timeout(attempt)))))).
//!
//! Such a call is a frame of its own. Its children are the copies of the attempt that is out, or its fallback. What
//! a caller remembers from call to call (a breaker, a budget, those in flight, how long they took) is kept for each
//! caller replica and policy; the mechanisms themselves are in [`crate::policy`].

use sim_core::{Calendar, Draws, SimTime, Slab, Span, mix};

use super::calls::{Made, Next};
use super::frame::{Arena, Flight, Frame, FrameKey, Kind, Link, NONE, State, TriedReplica, Watch};
use super::{Event, Packed, System, Task, span};
use crate::blueprint::{
    Blueprint, CallId, Caller, EndpointId, HedgeAfter, Jitter, LimitPlan, Outcome, PolicyId, PolicyPlan,
    RetryPlan, ServiceId, TrafficId, UsePlan,
};
use crate::observe::PolicyObservation;
use crate::policy::{Breaker, Budget, Entry, Latencies, Limit, StateTimes};
use crate::spans::What;

/// Separate the draws of one call that are not made by an operation.
const SALT_BACKOFF: u64 = 0x1656_67B1_9E37_79F9;
const SALT_COPY: u64 = 0x85EB_CA77_C2B2_AE63;
const SALT_FALLBACK: u64 = 0xC2B2_AE3D_27D4_EB4F;

/// The number of a call's fallback among its copies.
pub(super) const FALLBACK: u32 = 0;

/// A limit that is none.
const NO_LIMIT: LimitPlan = LimitPlan { calls: u32::MAX, queue: 0, timeout: None };

/// What one caller remembers of its calls under one policy.
#[derive(Clone, Debug)]
struct Memory {
    policy: PolicyId,
    breaker: Option<Breaker>,
    budget: Option<Budget>,
    limit: Limit<Waiting>,
    /// Retries under way, their back-offs included.
    retries: u32,
    /// How long calls took, by endpoint.
    latencies: Vec<(EndpointId, Latencies)>,
}

/// A call that waits for an end of those in flight, and for which of its attempts.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    call: FrameKey,
    attempt: u32,
}

/// Where a caller finds what it remembers, and what its calls are counted in.
#[derive(Clone, Copy, Debug)]
struct Place {
    memory: u32,
    usage: u32,
}

/// What all callers remember, and the figures of all policies.
#[derive(Clone, Debug)]
pub(super) struct Memories {
    policies: usize,
    rows: Vec<Memory>,
    /// By replica (a traffic's clients are one), then by policy; [`NONE`] until the first call.
    places: Vec<Place>,
    /// By use.
    meters: Vec<PolicyObservation>,
}

impl Memories {
    pub(super) fn new(plan: &Blueprint) -> Self {
        Self {
            policies: plan.policies.len(),
            rows: Vec::new(),
            places: Vec::new(),
            meters: vec![PolicyObservation::default(); plan.uses.len()],
        }
    }

    /// The place of `policy` for the caller `replica`, if it has made a call.
    fn place(&mut self, replica: u32, policy: PolicyId) -> &mut Place {
        let at = replica as usize * self.policies + policy.index();
        if self.places.len() <= at {
            self.places.resize(at + 1, Place { memory: NONE, usage: NONE });
        }
        &mut self.places[at]
    }

    /// The memory that all callers share, if there is one.
    fn shared(&self, policy: PolicyId) -> Option<u32> {
        let mut of_policy = self.places.iter().skip(policy.index()).step_by(self.policies);
        of_policy.find(|place| place.memory != NONE).map(|place| place.memory)
    }

    fn at(&mut self, memory: u32) -> &mut Memory {
        &mut self.rows[memory as usize]
    }

    fn meter(&mut self, usage: u32) -> &mut PolicyObservation {
        &mut self.meters[usage as usize]
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, now: SimTime) -> Vec<PolicyObservation> {
        let stays: Vec<Option<StateTimes>> =
            self.rows.iter_mut().map(|row| row.breaker.as_mut().map(|breaker| breaker.flush(now))).collect();
        for place in self.places.iter().filter(|place| place.memory != NONE) {
            if let Some(stays) = stays[place.memory as usize] {
                let sum = &mut self.meters[place.usage as usize].breaker;
                sum.closed += stays.closed;
                sum.open += stays.open;
                sum.half_open += stays.half_open;
            }
        }
        self.meters.iter_mut().map(std::mem::take).collect()
    }
}

/// What beginning an attempt came to.
enum Tried {
    /// It is out; the frame that can run, if any.
    Sent(Option<u32>),
    /// It waits for an end of those in flight.
    Waits,
    /// It was turned away on the spot.
    Refused,
}

impl System<'_> {
    // Calls ------------------------------------------------------------------------------------------------

    /// Starts a call under `policy`. Returns the frame to run, if one can run already.
    pub(super) fn call_under(
        &mut self,
        policy: PolicyId,
        made: &Made,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let Made { call, caller, request, link, draw_key, depth } = *made;
        let inherited = self.deadlines.of(link.parent);
        let total = self.policies[policy.index()].total;
        let deadline = total.map_or(SimTime::MAX, |total| now.saturating_add(total)).min(inherited);
        let Place { memory, usage } = self.place_of(caller, request, policy);
        let at = self.watches.insert(Watch::new(call, memory, usage, deadline, inherited));
        let (index, row) = self.open_frame(request, link, now);
        row.replica = caller;
        row.draw_key = draw_key;
        row.depth = depth;
        row.kind = Kind::Call;
        row.state = State::Calling;
        row.at = at;
        if !link.parent.is_none() {
            self.adopt(link.parent.index(), index);
        }
        self.deadlines.set(index, inherited);
        self.memories.meter(usage).calls += 1;
        let next = if deadline <= now {
            self.memories.meter(usage).expired += 1;
            self.fail_call(index, Outcome::TIMED_OUT, now)
        } else {
            if deadline < SimTime::MAX {
                calendar.schedule(deadline, Event::TotalTimeout(self.frames.key_of(index)).pack());
            }
            if let Some(budget) = self.policies[policy.index()].retry.as_ref().and_then(|retry| retry.budget)
            {
                let row = self.memories.at(memory);
                row.budget.get_or_insert_with(|| Budget::new(&budget)).attempted(&budget);
            }
            self.next_attempt(index, now, calendar)
        };
        match next {
            Next::Run(next) => Some(next),
            Next::Wait => None,
            // Whoever calls is not ready for the answer yet: it is given when the frame runs.
            Next::Finish(index, outcome) => {
                let end = self.end_address;
                let row = self.frames.at_mut(index);
                row.pc = end;
                row.outcome = outcome;
                Some(index)
            }
        }
    }

    /// What the caller remembers of the policy, and whose figures it counts in.
    fn place_of(&mut self, caller: u32, request: u32, policy: PolicyId) -> Place {
        let place = *self.memories.place(caller, policy);
        if place.memory != NONE {
            return place;
        }
        let who = match self.replicas[caller as usize].service {
            NONE => Caller::Traffic(TrafficId(self.requests.at(request).traffic)),
            service => Caller::Service(ServiceId(service)),
        };
        let key = |usage: &UsePlan| (usage.policy, usage.caller);
        let usage = self.plan.uses.binary_search_by_key(&(policy, who), key);
        let usage = usage.unwrap_or_else(|_| panic!("{who:?} is not known to call under {policy:?}")) as u32;
        let shared = self.policies[policy.index()].shared.then(|| self.memories.shared(policy)).flatten();
        let memory = shared.unwrap_or_else(|| {
            self.memories.rows.push(Memory {
                policy,
                breaker: None,
                budget: None,
                limit: Limit::new(),
                retries: 0,
                latencies: Vec::new(),
            });
            self.memories.rows.len() as u32 - 1
        });
        let place = Place { memory, usage };
        *self.memories.place(caller, policy) = place;
        place
    }

    /// The policy of a call.
    fn policy_of(&self, call: CallId) -> &PolicyPlan {
        &self.policies[self.plan.calls[call.index()].policy.map_or(0, PolicyId::index)]
    }

    fn watch(&mut self, index: u32) -> &mut Watch {
        let at = self.frames.at(index).at;
        self.watches.at(at)
    }

    fn meter(&mut self, index: u32) -> &mut PolicyObservation {
        let usage = self.watch(index).usage;
        self.memories.meter(usage)
    }

    /// Ends the call, or runs its fallback.
    fn fail_call(&mut self, index: u32, outcome: Outcome, now: SimTime) -> Next {
        let Watch { usage, inherited, .. } = *self.watch(index);
        let Some(steps) = self.plan.uses[usage as usize].fallback else {
            return Next::Finish(index, outcome);
        };
        self.watch(index).falls_back = true;
        self.memories.meter(usage).fallbacks += 1;
        let key = self.frames.key_of(index);
        let call = self.frames.at_mut(index);
        call.state = State::Calling;
        let call = *call;
        let link = Link { parent: key, epoch: FALLBACK };
        let (child, row) = self.open_frame(call.request, link, now);
        row.pc = steps.0;
        row.replica = call.replica;
        row.draw_key = mix(call.draw_key ^ SALT_FALLBACK);
        row.depth = call.depth;
        row.kind = Kind::Branch;
        self.adopt(index, child);
        self.occupy(call.replica, now);
        self.deadlines.set(child, inherited);
        Next::Run(child)
    }

    // Attempts ---------------------------------------------------------------------------------------------

    /// Begins the next attempt, and those behind it as long as they are turned away and tried again at once.
    fn next_attempt(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> Next {
        loop {
            match self.try_attempt(index, now, calendar) {
                Tried::Sent(next) => return next.map_or(Next::Wait, Next::Run),
                Tried::Waits => return Next::Wait,
                Tried::Refused => {
                    self.end_attempt(index, None, now);
                    if let Some(next) = self.after_failure(index, Outcome::REJECTED, now, calendar) {
                        return next;
                    }
                }
            }
        }
    }

    fn try_attempt(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> Tried {
        let key = self.frames.key_of(index);
        let frame = self.frames.at_mut(index);
        frame.state = State::Calling;
        let at = frame.at;
        let watch = self.watches.at(at);
        watch.attempts += 1;
        watch.copies = 0;
        let (call, memory, usage, attempt) = (watch.call, watch.memory, watch.usage, watch.attempts);
        let policy = self.policy_of(call);
        let (breaker, limit) = (policy.breaker, policy.limit);
        if let Some(plan) = breaker {
            let breaker = &mut self.memories.at(memory).breaker;
            let permit = breaker.get_or_insert_with(|| Breaker::new(&plan, now)).permit(&plan, now);
            self.watches.at(at).permit = permit;
            if permit.is_none() {
                self.memories.meter(usage).broken += 1;
                return Tried::Refused;
            }
        }
        let Some(plan) = limit else {
            return Tried::Sent(self.send_first(index, now, calendar));
        };
        match self.memories.at(memory).limit.enter(&plan, Waiting { call: key, attempt }) {
            Entry::Entered => {
                self.watches.at(at).in_flight = true;
                Tried::Sent(self.send_first(index, now, calendar))
            }
            Entry::Queued => {
                let frame = self.frames.at_mut(index);
                frame.state = State::Limited;
                if let Some(patience) = plan.timeout {
                    frame.patience = now.saturating_add(patience);
                    calendar.schedule(frame.patience, Event::Refuse(key).pack());
                }
                Tried::Waits
            }
            Entry::Refused => {
                self.memories.meter(usage).limited += 1;
                Tried::Refused
            }
        }
    }

    /// Sends the first copy of an attempt.
    fn send_first(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> Option<u32> {
        self.watch(index).since = now;
        let begun = self.send_copy(index, now, calendar);
        self.plan_hedge(index, now, calendar);
        begun
    }

    /// Sends a copy of the attempt. Returns the frame to run, if it can run already.
    fn send_copy(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> Option<u32> {
        let frame = *self.frames.at(index);
        let watch = self.watches.at(frame.at);
        let copy = watch.copies;
        watch.copies += 1;
        watch.sent += 1;
        let watch = *watch;
        self.memories.meter(watch.usage).attempts += 1;
        if frame.link.is_to_traffic() {
            self.requests.at_mut(frame.request).attempts += 1;
        }
        let key = self.frames.key_of(index);
        let policy = self.policy_of(watch.call);
        let timeout = policy.timeout.map_or(SimTime::MAX, |timeout| now.saturating_add(timeout));
        let wanted = if policy.deadline { timeout.min(watch.deadline) } else { watch.inherited };
        if policy.timeout.is_some() {
            calendar.schedule(timeout, Event::Timeout(key).pack());
        }
        self.deadlines.set(index, wanted);
        let mut draw_key = mix(frame.draw_key ^ u64::from(watch.attempts));
        if copy > 0 {
            draw_key = mix(draw_key ^ SALT_COPY.wrapping_mul(u64::from(copy)));
        }
        let link = Link { parent: key, epoch: watch.sent };
        let (call, caller) = (watch.call, frame.replica);
        let made = Made { call, caller, request: frame.request, link, draw_key, depth: frame.depth };
        let avoids = self.policy_of(call).avoid_tried.then_some(frame.at);
        let begun = self.attempt(&made, avoids, now, calendar);
        let sent = self.frames.at(index).first_child;
        if sent != NONE {
            let frame = self.frames.key_of(sent);
            let flight = Flight { number: watch.sent, copy, frame, since: now, timeout, next: NONE };
            self.add_flight(index, flight);
        }
        begun
    }

    /// Remembers where a call was sent.
    pub(super) fn add_tried(&mut self, watch: u32, local: u32) {
        let before = self.watches.at(watch).tried;
        self.watches.at(watch).tried = self.tried.insert(TriedReplica { local, before });
    }

    /// A call that has waited for an end of those in flight may be made.
    pub(super) fn send_waiting(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        self.frames.get(key)?; // Its caller may have given up in the same instant.
        self.trace_lost(key.index(), Some(What::Limit), now);
        self.send_first(key.index(), now, calendar)
    }

    /// A copy of an attempt has ended.
    pub(super) fn attempt_ended(
        &mut self,
        index: u32,
        number: u32,
        from: u32,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Next {
        if number == FALLBACK {
            self.trace_take_over(from, index, now);
            return Next::Finish(index, if outcome.is_answer() { Outcome::DEGRADED } else { outcome });
        }
        let Some(flight) = self.take_flight(index, |flight| flight.number == number) else {
            return Next::Wait; // Given up earlier.
        };
        self.record_attempt(index, number, outcome, now);
        if outcome.is_answer() {
            if flight.copy > 0 {
                self.meter(index).hedges_won += 1;
                self.trace_lost(index, None, flight.since);
            }
            self.trace_take_over(from, index, now);
            self.learn(index, &flight, now);
            let call = self.watch(index).call;
            let cancels = self.policy_of(call).hedge.is_some_and(|hedge| hedge.cancel);
            self.abandon_flights(index, cancels, None, now);
            self.end_attempt(index, Some(outcome), now);
            return Next::Finish(index, outcome);
        }
        if self.watch(index).flights != NONE {
            return Next::Wait; // Another copy may still be answered.
        }
        self.attempt_failed(index, outcome, now, calendar)
    }

    /// The last copy of an attempt has failed.
    fn attempt_failed(
        &mut self,
        index: u32,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Next {
        self.trace_lost(index, None, now);
        self.end_attempt(index, Some(outcome), now);
        self.go_on(index, outcome, now, calendar)
    }

    /// Tries again, at once or later, or gives up.
    fn go_on(&mut self, index: u32, outcome: Outcome, now: SimTime, calendar: &mut Calendar<Packed>) -> Next {
        match self.after_failure(index, outcome, now, calendar) {
            Some(next) => next,
            None => self.next_attempt(index, now, calendar),
        }
    }

    /// An attempt is over, or was turned away before it was made (`outcome` is none): what it had of its
    /// caller's is given back.
    fn end_attempt(&mut self, index: u32, outcome: Option<Outcome>, now: SimTime) {
        let watch = self.watch(index);
        let before = *watch;
        watch.permit = None;
        watch.in_flight = false;
        watch.retrying = false;
        watch.hedge_at = SimTime::MAX;
        let (breaker, retry) = {
            let policy = self.policy_of(before.call);
            (policy.breaker, policy.retry.as_ref())
        };
        let retried = outcome.and_then(|outcome| {
            let retry = retry?;
            Some((retry.budget?, outcome.is_answer(), retry.outcomes.contains(outcome)))
        });
        let memory = self.memories.at(before.memory);
        let mut tripped = false;
        if let (Some(permit), Some(plan), Some(row)) = (before.permit, breaker, &mut memory.breaker) {
            match outcome {
                Some(outcome) => {
                    let took = now.since(before.since);
                    tripped = row.record(&plan, permit, !outcome.is_answer(), took, now);
                }
                None => row.give_back(permit),
            }
        }
        if let Some((plan, answered, again)) = retried {
            let budget = memory.budget.get_or_insert_with(|| Budget::new(&plan));
            if answered {
                budget.succeeded(&plan);
            } else if again {
                budget.failed(&plan);
            }
        }
        memory.retries -= u32::from(before.retrying);
        self.memories.meter(before.usage).trips += u64::from(tripped);
        if before.in_flight {
            self.memories.at(before.memory).limit.leave();
            self.admit_waiting(before.memory);
        }
    }

    /// Decides what follows a failure; none is to try again at once.
    fn after_failure(
        &mut self,
        index: u32,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<Next> {
        let frame = *self.frames.at(index);
        let watch = *self.watches.at(frame.at);
        let policy = self.plan.calls[watch.call.index()].policy.map_or(0, PolicyId::index);
        let retry = self.policies[policy].retry.as_ref();
        let retry = retry.filter(|retry| watch.attempts < retry.attempts && retry.outcomes.contains(outcome));
        let Some(retry) = retry else {
            return Some(self.fail_call(index, outcome, now));
        };
        let draw_key = frame.draw_key ^ SALT_BACKOFF.wrapping_mul(u64::from(watch.attempts) | 1);
        let backoff = back_off(retry, watch.attempts, watch.backoff, draw_key);
        if now.saturating_add(backoff) >= watch.deadline {
            return Some(self.fail_call(index, outcome, now)); // The deadline would pass while it waits.
        }
        let memory = &mut self.memories.rows[watch.memory as usize];
        let room = retry.parallel.is_none_or(|most| memory.retries < most);
        let affordable = room
            && retry
                .budget
                .is_none_or(|plan| memory.budget.get_or_insert_with(|| Budget::new(&plan)).retry(&plan));
        if !affordable {
            self.memories.meter(watch.usage).unaffordable += 1;
            return Some(self.fail_call(index, outcome, now));
        }
        memory.retries += 1;
        self.memories.meter(watch.usage).retries += 1;
        let watch = self.watches.at(frame.at);
        watch.retrying = true;
        watch.backoff = backoff.as_nanos();
        if backoff == Span::ZERO {
            return None;
        }
        self.frames.at_mut(index).state = State::BackingOff;
        calendar.schedule_in(backoff, Event::Retry(self.frames.key_of(index)).pack());
        Some(Next::Wait)
    }

    // Events -----------------------------------------------------------------------------------------------

    pub(super) fn retry(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        // Its caller may have given up.
        self.frames.get(key).filter(|frame| frame.state == State::BackingOff)?;
        self.trace_lost(key.index(), Some(What::BackOff), now);
        let next = self.next_attempt(key.index(), now, calendar);
        self.settle_call(next, now, calendar)
    }

    pub(super) fn timeout(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        self.frames.get(key)?;
        let index = key.index();
        // That copy may have ended.
        let flight = self.take_flight(index, |flight| flight.timeout == now)?;
        self.meter(index).timed_out += 1;
        self.learn(index, &flight, now);
        let call = self.watch(index).call;
        let cancels = self.policy_of(call).cancel;
        self.record_attempt(index, flight.number, Outcome::TIMED_OUT, now);
        self.abandon(flight.frame, cancels, Some(Outcome::TIMED_OUT), now);
        if self.watch(index).flights != NONE {
            return None; // Another copy may still be answered.
        }
        let next = self.attempt_failed(index, Outcome::TIMED_OUT, now, calendar);
        self.settle_call(next, now, calendar)
    }

    pub(super) fn total_timeout(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let index = key.index();
        let state = self.frames.get(key)?.state;
        let watch = *self.watch(index);
        if watch.falls_back {
            return None;
        }
        let out = watch.flights != NONE;
        let what = match state {
            State::BackingOff => Some(What::BackOff),
            State::Limited => Some(What::Limit),
            _ => None,
        };
        let cancels = self.policy_of(watch.call).cancel;
        if state == State::Limited {
            self.leave_limit(index);
        }
        self.abandon_flights(index, cancels, Some(Outcome::TIMED_OUT), now);
        self.trace_lost(index, what, now);
        if out {
            self.memories.meter(watch.usage).timed_out += 1;
        }
        self.end_attempt(index, out.then_some(Outcome::TIMED_OUT), now);
        let next = self.fail_call(index, Outcome::TIMED_OUT, now);
        self.settle_call(next, now, calendar)
    }

    pub(super) fn hedge(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        self.frames.get(key)?;
        let index = key.index();
        if self.watch(index).hedge_at != now {
            return None; // That attempt has ended.
        }
        self.meter(index).hedges += 1;
        let begun = self.send_copy(index, now, calendar);
        self.plan_hedge(index, now, calendar);
        begun
    }

    pub(super) fn refuse(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let frame = self.frames.get(key)?;
        if frame.state != State::Limited || frame.patience != now {
            return None; // It was made.
        }
        let index = key.index();
        self.leave_limit(index);
        self.meter(index).limited += 1;
        self.trace_lost(index, Some(What::Limit), now);
        self.end_attempt(index, None, now);
        let next = self.go_on(index, Outcome::REJECTED, now, calendar);
        self.settle_call(next, now, calendar)
    }

    fn settle_call(&mut self, next: Next, now: SimTime, calendar: &mut Calendar<Packed>) -> Option<u32> {
        match next {
            Next::Run(next) => Some(next),
            Next::Finish(ended, outcome) => self.finish(ended, outcome, now, calendar),
            Next::Wait => None,
        }
    }

    // Copies -----------------------------------------------------------------------------------------------

    /// Plans the next copy of the attempt that is out.
    fn plan_hedge(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let watch = *self.watch(index);
        let Some(plan) = self.policy_of(watch.call).hedge else { return };
        let after = match plan.after {
            _ if watch.copies > plan.max => None,
            HedgeAfter::Time(after) => Some(after),
            HedgeAfter::Quantile(quantile) => self.latencies(&watch, quantile).percentile(),
        };
        let at = after.map_or(SimTime::MAX, |after| now.saturating_add(after));
        self.watch(index).hedge_at = at;
        if at < SimTime::MAX {
            calendar.schedule(at, Event::Hedge(self.frames.key_of(index)).pack());
        }
    }

    /// How long calls of this caller to the same endpoint took.
    fn latencies(&mut self, watch: &Watch, quantile: f64) -> &mut Latencies {
        let endpoint = self.plan.calls[watch.call.index()].endpoint;
        let rows = &mut self.memories.at(watch.memory).latencies;
        let known = rows.iter().position(|(of, _)| *of == endpoint);
        let at = known.unwrap_or_else(|| {
            rows.push((endpoint, Latencies::new(quantile)));
            rows.len() - 1
        });
        let row = &mut rows[at].1;
        if row.quantile().to_bits() != quantile.to_bits() {
            *row = Latencies::new(quantile);
        }
        row
    }

    /// Learns how long the first copy of an attempt took, or was given: one that is beaten must not be forgotten,
    /// or slow calls would never be seen.
    fn learn(&mut self, index: u32, ended: &Flight, now: SimTime) {
        let watch = *self.watch(index);
        let after = self.policy_of(watch.call).hedge.map(|plan| plan.after);
        if let (Some(HedgeAfter::Quantile(quantile)), 0) = (after, ended.copy) {
            self.latencies(&watch, quantile).record(now.since(ended.since));
        }
    }

    /// A copy of an attempt has begun to be worked on: where the hedge is tied, the others are stopped.
    pub(super) fn stop_other_copies(&mut self, index: u32, now: SimTime) {
        let link = self.frames.at(index).link;
        let Some(call) = self.frames.get(link.parent).filter(|parent| parent.kind == Kind::Call) else {
            return;
        };
        let (at, parent) = (call.at, link.parent.index());
        let call = self.watches.at(at).call;
        if !self.policy_of(call).hedge.is_some_and(|hedge| hedge.tied) {
            return;
        }
        self.watches.at(at).hedge_at = SimTime::MAX;
        while let Some(other) = self.take_flight(parent, |flight| flight.number != link.epoch) {
            self.learn(parent, &other, now);
            self.record_attempt(parent, other.number, Outcome::CANCELLED, now);
            self.abandon(other.frame, true, None, now);
        }
    }

    /// Adds a copy that is out, behind those sent before it.
    fn add_flight(&mut self, index: u32, flight: Flight) {
        let added = self.flights.insert(flight);
        let mut last = self.watch(index).flights;
        if last == NONE {
            self.watch(index).flights = added;
            return;
        }
        while self.flights.at(last).next != NONE {
            last = self.flights.at(last).next;
        }
        self.flights.at(last).next = added;
    }

    /// Takes the first copy that `wanted` picks from those that are out.
    fn take_flight(&mut self, index: u32, wanted: impl Fn(&Flight) -> bool) -> Option<Flight> {
        let mut before = NONE;
        let mut at = self.watch(index).flights;
        while at != NONE {
            let flight = *self.flights.at(at);
            if wanted(&flight) {
                if before == NONE {
                    self.watch(index).flights = flight.next;
                } else {
                    self.flights.at(before).next = flight.next;
                }
                self.flights.remove(at);
                return Some(flight);
            }
            (before, at) = (at, flight.next);
        }
        None
    }

    /// The answer of a copy travels on as frame `to`: the policy watches over that now.
    pub(super) fn follow_answer(&mut self, watch: u32, number: u32, to: FrameKey) {
        let mut at = self.watches.at(watch).flights;
        while at != NONE {
            let flight = self.flights.at(at);
            if flight.number == number {
                flight.frame = to;
                return;
            }
            at = flight.next;
        }
    }

    /// Turns away from all copies that are out.
    fn abandon_flights(&mut self, index: u32, cancels: bool, outcome: Option<Outcome>, now: SimTime) {
        while let Some(flight) = self.take_flight(index, |_| true) {
            self.learn(index, &flight, now);
            self.record_attempt(index, flight.number, outcome.unwrap_or(Outcome::CANCELLED), now);
            self.abandon(flight.frame, cancels, outcome, now);
        }
    }

    /// Turns away from a copy; for its caller it ended with `outcome`, if that says anything of the replica. Its
    /// work goes on unless it is cancelled.
    fn abandon(&mut self, copy: FrameKey, cancels: bool, outcome: Option<Outcome>, now: SimTime) {
        if !self.frames.contains(copy) {
            return;
        }
        self.release_balancer(copy.index(), outcome, now);
        if cancels {
            self.cancel(copy.index(), now);
        } else {
            self.leave_parent(copy.index());
        }
    }

    // What a caller has of its own -------------------------------------------------------------------------

    /// A call no longer waits for an end of those in flight.
    fn leave_limit(&mut self, index: u32) {
        self.frames.at_mut(index).state = State::Calling;
        let memory = self.watch(index).memory;
        let (frames, watches) = (&self.frames, &self.watches);
        self.memories.rows[memory as usize].limit.give_up(|entry| waits(frames, watches, entry));
    }

    /// Makes those calls that wait for an end of those in flight, as far as the limit allows.
    fn admit_waiting(&mut self, memory: u32) {
        let row = &mut self.memories.rows[memory as usize];
        let plan = self.policies[row.policy.index()].limit.unwrap_or(NO_LIMIT);
        loop {
            let (frames, watches) = (&self.frames, &self.watches);
            let next = row.limit.next(&plan, |entry| waits(frames, watches, &entry));
            let Some(entry) = next else { return };
            let frame = self.frames.at_mut(entry.call.index());
            frame.state = State::Calling;
            self.watches.at(frame.at).in_flight = true;
            self.ready.add(Task::Send(entry.call));
        }
    }

    /// A call is stopped: it leaves what it is in.
    pub(super) fn leave_policy(&mut self, index: u32, now: SimTime) {
        if self.frames.at(index).state == State::Limited {
            self.leave_limit(index);
        }
        self.end_attempt(index, None, now);
    }

    /// Removes what a policy knows about a call that has ended.
    pub(super) fn forget_watch(&mut self, watch: u32) {
        let Watch { mut flights, mut tried, permit, in_flight, retrying, .. } = self.watches.remove(watch);
        debug_assert!(
            permit.is_none() && !in_flight && !retrying,
            "a call ends with what it had of its caller's"
        );
        while flights != NONE {
            flights = self.flights.remove(flights).next;
        }
        while tried != NONE {
            tried = self.tried.remove(tried).before;
        }
    }

    /// Fails unless those who count in a limit, or as a retry, are the calls that are there.
    pub(super) fn check_memories(&self) {
        let mut counted = vec![(0, 0); self.memories.rows.len()];
        for (_, frame) in self.frames.iter().filter(|(_, frame)| frame.kind == Kind::Call) {
            let watch = self.watches.peek(frame.at);
            let (in_flight, retries) = &mut counted[watch.memory as usize];
            *in_flight += u32::from(watch.in_flight);
            *retries += u32::from(watch.retrying);
        }
        for (row, counted) in self.memories.rows.iter().zip(counted) {
            let remembered = (row.limit.in_flight(), row.retries);
            assert_eq!(remembered, counted, "calls in flight and retries of {:?}", row.policy);
        }
    }

    /// A caller replica is lost, and what it remembers of its calls. It has made none that are still out.
    pub(super) fn forget_memories(&mut self, replica: u32, now: SimTime) {
        for policy in 0..self.memories.policies {
            let Some(&place) = self.memories.places.get(replica as usize * self.memories.policies + policy)
            else {
                return;
            };
            if place.memory == NONE || self.policies[policy].shared {
                continue;
            }
            let row = self.memories.at(place.memory);
            let stays = row.breaker.as_mut().map(|breaker| breaker.flush(now));
            (row.breaker, row.budget, row.retries) = (None, None, 0);
            row.limit = Limit::new();
            row.latencies.clear();
            if let Some(stays) = stays {
                let sum = &mut self.memories.meter(place.usage).breaker;
                sum.closed += stays.closed;
                sum.open += stays.open;
                sum.half_open += stays.half_open;
            }
        }
    }

    /// Puts another row in the place of a policy.
    pub(super) fn change_policy(&mut self, id: PolicyId, to: PolicyPlan) {
        let before = std::mem::replace(&mut self.policies[id.index()], to);
        if before.shared != self.policies[id.index()].shared {
            let places = self.memories.places.iter_mut().skip(id.index()).step_by(self.memories.policies);
            places.for_each(|place| place.memory = NONE);
        }
        for memory in 0..self.memories.rows.len() as u32 {
            if self.memories.at(memory).policy == id {
                self.admit_waiting(memory);
            }
        }
    }

    /// Who loses time when a call of this frame's caller fails.
    pub(super) fn retries_place(&self, frame: &Frame) -> u32 {
        let service = self.replicas[frame.replica as usize].service;
        if service == NONE {
            let traffic = self.requests.at(frame.request).traffic;
            return self.trace.places().client_retries(TrafficId(traffic));
        }
        self.trace.places().retries(ServiceId(service))
    }
}

/// Whether the attempt still waits for an end of those in flight.
fn waits(frames: &Slab<Frame>, watches: &Arena<Watch>, entry: &Waiting) -> bool {
    frames.get(entry.call).is_some_and(|frame| {
        frame.state == State::Limited && watches.peek(frame.at).attempts == entry.attempt
    })
}

impl Watch {
    fn new(call: CallId, memory: u32, usage: u32, deadline: SimTime, inherited: SimTime) -> Self {
        Self {
            call,
            memory,
            usage,
            attempts: 0,
            copies: 0,
            sent: 0,
            flights: NONE,
            tried: NONE,
            backoff: 0,
            since: SimTime::ZERO,
            hedge_at: SimTime::MAX,
            deadline,
            inherited,
            permit: None,
            in_flight: false,
            retrying: false,
            falls_back: false,
        }
    }
}

/// The back-off behind attempt number `attempts`, after one of `last` nanoseconds.
fn back_off(retry: &RetryPlan, attempts: u32, last: u64, draw_key: u64) -> Span {
    if let Some(law) = &retry.drawn {
        return span(law.sample(&mut Draws::keyed(draw_key)));
    }
    let (base, max) = (retry.base.as_seconds(), retry.max.as_seconds());
    let full = (base * retry.factor.powf(f64::from(attempts - 1))).min(max);
    let mut draws = Draws::keyed(draw_key);
    match retry.jitter {
        Jitter::None => span(full),
        Jitter::Full => span(full * draws.unit()),
        Jitter::Equal => span(full * (0.5 + 0.5 * draws.unit())),
        Jitter::Decorrelated => {
            let before = if last == 0 { base } else { Span::from_nanos(last).as_seconds() };
            span((base + draws.unit() * (3.0 * before - base).max(0.0)).min(max))
        }
    }
}

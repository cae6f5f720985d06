//! Who waits in front of a pool, and who may not: what a line goes by, who is turned away, and limits that adapt.

use sim_core::{Calendar, SimTime, Slab, Span, combine, hash_name};

use super::frame::{Frame, Held, Kind, State};
use super::steps::draws_at;
use super::visit::Waiter;
use super::{Packed, System, Task, span};
use crate::adapt::{Adaptive, Sample};
use crate::blueprint::{Discipline, Op, Outcome, PoolPlan, PoolScope};
use crate::discipline::{Joining, Line, Waiting};

/// Why somebody who asks for a pool is turned away at the door.
pub(super) enum TurnedAway {
    /// Too much is in use for its class.
    ByClass,
    /// Its caller has gone.
    Abandoned,
}

impl System<'_> {
    // Joining ----------------------------------------------------------------------------------------------

    /// The frame waits in front of an instance of a pool, at the operation before its next one.
    pub(super) fn join_line(
        &mut self,
        index: u32,
        instance: u32,
        units: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let frame = self.frames.at(index);
        let pc = frame.pc;
        let class = self.requests.at(frame.request).class;
        let place = &mut self.instances[instance as usize];
        let row = &mut self.pools[place.pool as usize];
        let at = Joining::of_class(class, place.waiting, now);
        place.waiting += 1;
        row.waiting.enter(now);
        let order = row.order;
        let salt = self.plan.salts[pc as usize - 1];
        let timeout = row.timeout.as_ref().map(|time| span(time.sample(&mut draws_at(frame, salt))));
        self.wait_in_queue(index, State::Queued, instance, timeout, now, calendar);
        let who = self.joining(index, order, pc, at);
        let key = self.frames.key_of(index);
        self.instances[instance as usize].line.join(Waiter::Frame(key, units), who);
    }

    /// What the line of a pool goes by when frame `index`, about to run the operation at `pc`, joins it.
    pub(super) fn joining(&self, index: u32, order: Discipline, pc: u32, at: Joining) -> Joining {
        match order {
            Discipline::Sjf => Joining { size: self.size_of_hold(index, pc), ..at },
            Discipline::Edf => {
                let inherited = self.deadlines.of(self.frames.key_of(index));
                let frame = self.frames.at(index);
                Joining { deadline: if inherited < SimTime::MAX { inherited } else { frame.patience }, ..at }
            }
            Discipline::Fifo
            | Discipline::Lifo
            | Discipline::Priority
            | Discipline::Random
            | Discipline::Codel(_)
            | Discipline::AdaptiveLifo { .. } => at,
        }
    }

    /// How much the frame will do while it holds what it is about to ask for: the same draws as it will make then.
    fn size_of_hold(&self, index: u32, pc: u32) -> Span {
        let frame = self.frames.at(index);
        let mut seconds = 0.0;
        let mut at = pc as usize;
        loop {
            match self.code[at] {
                Op::Connect { exit } => {
                    at = exit.index();
                    continue;
                }
                Op::Delay(law) | Op::Cpu(law) => seconds += self.drawn(index, law, at as u32),
                Op::CpuPerByte { need, each } => {
                    let bytes = self.requests.at(frame.request).label.bytes;
                    seconds += self.drawn(index, need, at as u32) + each * f64::from(bytes);
                }
                Op::Reply | Op::Begin => {}
                _ => return span(seconds),
            }
            at += 1;
        }
    }

    // Turning away -----------------------------------------------------------------------------------------

    /// Whether the frame may not even ask for the pool.
    pub(super) fn turned_away(&self, index: u32, pool: usize, instance: u32) -> Option<TurnedAway> {
        let row = &self.pools[pool];
        if row.drop_abandoned && is_abandoned(&self.frames, index) {
            return Some(TurnedAway::Abandoned);
        }
        let frame = self.frames.at(index);
        let class = self.requests.at(frame.request).class;
        let share = row.admit.get(usize::from(class)).copied().unwrap_or(1.0);
        if share >= 1.0 {
            return None;
        }
        let place = &self.instances[instance as usize];
        let is_full = f64::from(place.in_use) >= share * f64::from(place.slots);
        is_full.then_some(TurnedAway::ByClass)
    }

    /// Tells the frame, whose turn it is, that it gets nothing: it ends when it runs.
    pub(super) fn turn_away(&mut self, index: u32, instance: u32, outcome: Outcome, now: SimTime) {
        let place = &mut self.instances[instance as usize];
        place.line.remove_first();
        place.waiting -= 1;
        let frame = self.frames.at_mut(index);
        self.pools[place.pool as usize].waiting.leave(frame.since, now);
        frame.state = State::Ready;
        frame.pc = self.end_address;
        frame.outcome = outcome;
        self.ready.add(Task::Run(self.frames.key_of(index)));
        if self.frames.at(index).account != super::NONE {
            self.trace_pool_wait(index, instance, now);
        }
    }

    // Changes ----------------------------------------------------------------------------------------------

    /// Names the draws that an instance makes itself.
    pub(super) fn stream_of(&self, pool: u32, number: u32) -> u64 {
        let path = hash_name(&self.plan.pools[pool as usize].path);
        combine(combine(self.stream, path), u64::from(number))
    }

    /// A hold has ended with `outcome`: where slots adapt, there may be more or fewer of them now.
    pub(super) fn adapt_slots(&mut self, held: &Held, outcome: Outcome, now: SimTime) {
        let dropped =
            matches!(outcome, Outcome::TIMED_OUT | Outcome::REJECTED | Outcome::CANCELLED | Outcome::LOST);
        let Some(limit) = self.instances[held.instance as usize].adaptive.as_deref_mut() else { return };
        if !dropped && !outcome.is_answer() {
            return; // A failure of its own says nothing of the load.
        }
        let sample = Sample { now, time: now.since(held.since), in_use: held.in_use, dropped };
        let slots = limit.learn(sample);
        self.set_slots(held.instance, slots, true, now);
    }

    /// Gives an instance that many slots; `stands` tells whether those count among what there is.
    fn set_slots(&mut self, instance: u32, slots: u32, stands: bool, now: SimTime) {
        let place = &mut self.instances[instance as usize];
        let before = std::mem::replace(&mut place.slots, slots);
        if stands && before != slots {
            let capacity = &mut self.pools[place.pool as usize].capacity;
            capacity.grow(u64::from(slots.saturating_sub(before)), now);
            capacity.shrink(u64::from(before.saturating_sub(slots)), now);
        }
    }

    /// The instance's replica is lost: its slots begin anew. Nobody holds any.
    pub(super) fn renew_instance(&mut self, instance: u32, number: u32, now: SimTime) {
        let pool = self.instances[instance as usize].pool;
        let Some(adapt) = self.pools[pool as usize].adapt else { return };
        let (slots, stream) = (self.pools[pool as usize].slots, self.stream_of(pool, number));
        self.set_slots(instance, slots, true, now);
        self.instances[instance as usize].adaptive = Some(Box::new(Adaptive::new(&adapt, slots, stream)));
    }

    /// Puts another row in the place of a pool.
    pub(super) fn change_pool(
        &mut self,
        pool: usize,
        to: &PoolPlan,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let first = self.pools[pool].first_instance;
        let instances: Vec<(u32, u32, bool)> = match self.pools[pool].scope {
            PoolScope::Replica { service, slot } => {
                let replicas = self.services[service.index()].replicas.iter();
                let instance = |&replica: &u32| {
                    let row = &self.replicas[replica as usize];
                    (row.pools + slot, row.local, row.standing.works())
                };
                replicas.map(instance).collect()
            }
            PoolScope::One => vec![(first, 0, true)],
            PoolScope::Class => {
                let classes = self.plan.classes.len().max(1) as u32;
                (0..classes).map(|class| (first + class, class, true)).collect()
            }
            PoolScope::Each(_) => {
                let values = self.pools[pool].keyed.instances.iter();
                values.map(|(&value, &instance)| (instance, value, false)).collect()
            }
        };
        let row = &mut self.pools[pool];
        let (is_resized, is_reordered) =
            (row.slots != to.slots || row.adapt != to.adapt, row.order != to.order);
        row.change(to);
        for &(instance, number, stands) in &instances {
            if is_resized {
                self.set_slots(instance, to.slots, stands, now);
                let stream = self.stream_of(pool as u32, number);
                let adaptive = to.adapt.map(|plan| Box::new(Adaptive::new(&plan, to.slots, stream)));
                self.instances[instance as usize].adaptive = adaptive;
            }
            if is_reordered {
                self.reorder(instance, number, to.order);
            }
        }
        for (instance, ..) in instances {
            self.look_after(pool, instance);
            self.serve_waiting(instance, now);
            self.start_batches(instance, now, calendar);
        }
    }

    /// Lets those who wait in front of an instance join a line under another discipline, in order of arrival.
    fn reorder(&mut self, instance: u32, number: u32, order: Discipline) {
        let pool = self.instances[instance as usize].pool;
        let stream = self.stream_of(pool, number);
        let mut line = Waiting::new(order, self.plan.classes.len(), stream);
        let frames = &self.frames;
        let mut waiting = self.instances[instance as usize].line.drain();
        waiting.retain(|&waiter| is_waiting(frames, waiter));
        let since = |waiter: &Waiter| match *waiter {
            Waiter::Frame(key, _) => self.frames.at(key.index()).since,
            Waiter::Visit(visit) => self.visits.at(visit).arrived,
        };
        waiting.sort_by_key(since);
        for (ahead, &waiter) in (0_u32..).zip(&waiting) {
            let who = match waiter {
                Waiter::Frame(key, _) => {
                    let frame = self.frames.at(key.index());
                    let class = self.requests.at(frame.request).class;
                    let at = Joining::of_class(class, ahead, frame.since);
                    self.joining(key.index(), order, frame.pc, at)
                }
                Waiter::Visit(visit) => {
                    let visit = self.visits.at(visit);
                    Joining::of_class(visit.class, ahead, visit.arrived)
                }
            };
            line.join(waiter, who);
        }
        self.instances[instance as usize].line = line;
    }
}

/// Whether somebody still waits in the line that keeps the entry.
#[inline]
pub(super) fn is_waiting(frames: &Slab<Frame>, waiter: Waiter) -> bool {
    match waiter {
        Waiter::Frame(key, _) => frames.get(key).is_some_and(|frame| frame.state == State::Queued),
        Waiter::Visit(_) => true,
    }
}

/// Whether nobody waits any more for the request that the frame works on, at the service that it works at.
///
/// That somebody further up has gone is not known here: the caller itself still waits.
pub(super) fn is_abandoned(frames: &Slab<Frame>, index: u32) -> bool {
    let mut frame = frames.at(index);
    let mut is_caller = false;
    loop {
        if frame.replied || matches!(frame.kind, Kind::Opener | Kind::Job | Kind::Refresher) {
            return false; // What is left to do is not done for the caller.
        }
        if frame.link.is_to_nobody() {
            return true;
        }
        // Branches, and the calls whose fallbacks they are, work for the same request.
        let Some(parent) = frames.get(frame.link.parent).filter(|_| !is_caller) else { return false };
        match frame.kind {
            // A call that a policy watches over is the caller's.
            Kind::Endpoint if parent.kind == Kind::Call => is_caller = true,
            Kind::Endpoint | Kind::Reply => return false,
            Kind::Branch | Kind::Call | Kind::Opener | Kind::Job | Kind::Refresher => {}
        }
        frame = parent;
    }
}

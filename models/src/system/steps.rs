//! Running a frame: its operations, what it holds, and its end.

use sim_core::{Calendar, Draws, SimTime, Slab, Span};

use super::alarms::Alarm;
use super::calls::Made;
use super::cores::Begun;
use super::frame::{Frame, FrameKey, Held, Kind, Link, NONE, Rounds, State};
use super::lines::{TurnedAway, is_abandoned, is_waiting};
use super::visit::{Waiter, Worker};
use super::{Event, Packed, System, Task, span};
use crate::blueprint::{
    ArmTest, BranchPlan, CallId, ChoiceId, ForkId, Op, Outcome, PoolScope, SamplerId, Stock, Units, WaitFor,
};
use crate::discipline::{Line, Moment};

/// Most copies of a branch, or rounds of a loop, that a draw can ask for.
const MOST: f64 = 1.0e6;

/// Lines shorter than this are not swept.
pub(super) const SHORT_LINE: usize = 64;

/// What asking for a pool, a rate or a volume came to.
pub(super) enum Asked {
    Got,
    Queued,
    Refused(Outcome),
}

impl System<'_> {
    #[inline]
    pub(super) fn step_done(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        // It may have ended earlier: its caller cancelled it.
        let frame = self.frames.get_mut(key)?;
        let (state, account) = (frame.state, frame.account);
        frame.state = State::Ready;
        if state == State::Travelling {
            if !self.links.is_empty() && self.is_held_up(key.index(), now, calendar) {
                return None;
            }
            self.arrive(key.index(), now);
        } else if account != NONE {
            self.trace_work(key.index(), now);
        }
        Some(key.index())
    }

    /// The call has reached the service, or the answer the caller.
    fn arrive(&mut self, index: u32, now: SimTime) {
        if self.frames.at(index).account != NONE {
            self.trace_network(index, now);
        }
        let frame = self.frames.at_mut(index);
        if frame.kind == Kind::Endpoint {
            frame.arrived = now;
            let service = self.replicas[frame.replica as usize].service as usize;
            self.services[service].present.enter(now);
            let replica = frame.replica;
            self.receive(index, replica, now);
            self.end_if_late(index, now);
        }
    }

    /// Runs operations from the frame's next one on, and then whichever frames that lets go on.
    #[inline(never)]
    pub(super) fn run(&mut self, mut index: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        loop {
            let frame = self.frames.at_mut(index);
            let pc = frame.pc;
            frame.pc = pc + 1;
            match self.code[pc as usize] {
                Op::Acquire { pool, units } => {
                    match self.acquire(index, pool.index(), units, now, calendar) {
                        Asked::Got => {}
                        Asked::Queued => return,
                        Asked::Refused(outcome) => match self.go_without(index, outcome, now, calendar) {
                            Some(next) => index = next,
                            None => return,
                        },
                    }
                }
                Op::Release => self.release_innermost(index, Outcome::OK, now),
                Op::Connect { exit } => self.take_connection(index, exit.0),
                Op::Open(pool) => {
                    if !self.open(index, pool, pc, now, calendar) {
                        return;
                    }
                }
                Op::Opened { pool, takes_unit } => self.opened(index, pool, takes_unit, pc, now),
                Op::Activate(_)
                | Op::Batch(_)
                | Op::Take(_)
                | Op::Give(_)
                | Op::Send(_)
                | Op::Get(_)
                | Op::Fetched(_)
                | Op::Put(_) => match self.ask(index, pc, now, calendar) {
                    Asked::Got => {}
                    Asked::Queued => return,
                    Asked::Refused(outcome) => match self.finish(index, outcome, now, calendar) {
                        Some(next) => index = next,
                        None => return,
                    },
                },
                Op::Dispatch => self.dispatch(index, pc, now),
                Op::Delay(time) => {
                    frame.state = State::Delayed;
                    let mut draws = draws_at(frame, self.plan.salts[pc as usize]);
                    let time = span(self.samplers[time.index()].sample(&mut draws));
                    calendar.schedule_in(time, Event::StepDone(self.frames.key_of(index)).pack());
                    return;
                }
                Op::Cpu(need) => {
                    let seconds = self.drawn(index, need, pc);
                    self.compute(index, seconds, now, calendar);
                    return;
                }
                Op::CpuTimes { .. } | Op::DelayTimes { .. } | Op::Pause(_) | Op::PauseTimes { .. } => {
                    self.take_longer(index, pc, now, calendar);
                    return;
                }
                Op::CpuPerByte { need, each } => {
                    let bytes = self.requests.at(frame.request).label.bytes;
                    let seconds = self.drawn(index, need, pc) + each * f64::from(bytes);
                    self.compute(index, seconds, now, calendar);
                    return;
                }
                Op::Call(call) => match self.call(index, call, now, calendar) {
                    Some(next) => index = next,
                    None => return,
                },
                Op::Fork(fork) => match self.fork(index, fork, pc, now, calendar) {
                    Some(next) => index = next,
                    None => return,
                },
                Op::RepeatBegin { times, exit } => self.begin_rounds(index, times, exit.0, pc),
                Op::RepeatEnd { start } => self.end_round(index, start.0),
                Op::Choose(choice) => self.choose(index, choice, pc, now),
                Op::Jump(to) => frame.pc = to.0,
                Op::Reply => self.reply(index, now, calendar),
                Op::Begin => self.stop_other_copies(index, now),
                Op::Fail { outcome, probability } => {
                    let mut draws = draws_at(frame, self.plan.salts[pc as usize]);
                    if probability < 1.0 && draws.unit() >= f64::from(probability) {
                        continue;
                    }
                    match self.finish(index, outcome, now, calendar) {
                        Some(next) => index = next,
                        None => return,
                    }
                }
                Op::End => {
                    // An answer on its way carries that of its frame.
                    let outcome = frame.outcome.max(frame.quality);
                    match self.finish(index, outcome, now, calendar) {
                        Some(next) => index = next,
                        None => return,
                    }
                }
            }
        }
    }

    fn begin_rounds(&mut self, index: u32, times: SamplerId, exit: u32, pc: u32) {
        let frame = self.frames.at_mut(index);
        let mut draws = draws_at(frame, self.plan.salts[pc as usize]);
        let left = whole(self.samplers[times.index()].sample(&mut draws));
        if left == 0 {
            frame.pc = exit;
            return;
        }
        frame.loops = self.rounds.insert(Rounds { left: left - 1, outer: frame.loops });
        frame.round += 1;
    }

    fn end_round(&mut self, index: u32, start: u32) {
        let frame = self.frames.at_mut(index);
        let rounds = self.rounds.at(frame.loops);
        if rounds.left > 0 {
            rounds.left -= 1;
            frame.round += 1;
            frame.pc = start;
        } else {
            frame.loops = self.rounds.remove(frame.loops).outer;
        }
    }

    fn choose(&mut self, index: u32, choice: ChoiceId, pc: u32, now: SimTime) {
        let frame = self.frames.at_mut(index);
        let class = self.requests.at(frame.request).class;
        let draw = draws_at(frame, self.plan.salts[pc as usize]).unit();
        let row = &self.choices[choice.index()];
        let otherwise = row.otherwise;
        let mut to = None;
        for arm in 0..row.arms.len() {
            let (test, address) = self.choices[choice.index()].arms[arm];
            let passes = match test {
                ArmTest::Class(wanted) => wanted == class,
                ArmTest::Below(share) => draw < share,
                ArmTest::Level(formula) => self.value_for(index, formula, now) != 0.0,
                ArmTest::Else => true,
            };
            if passes {
                to = Some(address);
                break;
            }
        }
        self.frames.at_mut(index).pc = to.unwrap_or(otherwise).0;
    }

    /// Asks for something that is there, or is not, or has to be waited for.
    #[inline(never)]
    fn ask(&mut self, index: u32, pc: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> Asked {
        let (id, gives) = match self.code[pc as usize] {
            Op::Activate(pool) => return self.activate(index, pool, now, calendar),
            Op::Batch(pool) => return self.join_batch(index, pool, now, calendar),
            Op::Send(id) => return self.send(index, id, now, calendar),
            Op::Get(_) | Op::Fetched(_) | Op::Put(_) => return self.look_up(index, pc, now),
            Op::Take(id) => (id, false),
            Op::Give(id) => (id, true),
            other => unreachable!("{other:?} asks for nothing"),
        };
        let row = self.moves[id.index()];
        let units = match row.units {
            Units::All => None,
            Units::Drawn(units) => {
                let mut draws = draws_at(self.frames.at(index), self.plan.salts[pc as usize]);
                Some(self.samplers[units.index()].sample(&mut draws).max(0.0))
            }
            Units::Of(formula) => Some(self.value_for(index, formula, now).max(0.0)),
        };
        match row.stock {
            Stock::Rate(rate) => self.take_of_rate(index, rate.index(), units.unwrap_or(0.0), now, calendar),
            Stock::Volume(volume) if gives => {
                self.give_to_volume(index, volume.index(), units, now);
                Asked::Got
            }
            Stock::Volume(volume) => {
                self.take_of_volume(index, volume.index(), units, row.guarded, now, calendar)
            }
        }
    }

    /// What the operation at `pc` draws.
    #[inline]
    pub(super) fn drawn(&self, index: u32, law: SamplerId, pc: u32) -> f64 {
        let mut draws = draws_at(self.frames.at(index), self.plan.salts[pc as usize]);
        self.samplers[law.index()].sample(&mut draws)
    }

    /// A step that takes so many times what it draws, which depends on levels; or that pauses the cores.
    #[cold]
    fn take_longer(&mut self, index: u32, pc: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        match self.code[pc as usize] {
            Op::CpuTimes { need, factor } => {
                let seconds = self.drawn(index, need, pc) * self.value_for(index, factor, now).max(0.0);
                self.compute(index, seconds, now, calendar);
            }
            Op::DelayTimes { time, factor } => {
                let seconds = self.drawn(index, time, pc) * self.value_for(index, factor, now).max(0.0);
                self.frames.at_mut(index).state = State::Delayed;
                calendar.schedule_in(span(seconds), Event::StepDone(self.frames.key_of(index)).pack());
            }
            Op::Pause(time) => self.pause_cores(index, self.drawn(index, time, pc), now, calendar),
            Op::PauseTimes { time, factor } => {
                let seconds = self.drawn(index, time, pc) * self.value_for(index, factor, now).max(0.0);
                self.pause_cores(index, seconds, now, calendar);
            }
            other => unreachable!("{other:?} takes as long as it draws"),
        }
    }

    /// All cores of the frame's replica stand still for that long.
    fn pause_cores(&mut self, index: u32, seconds: f64, now: SimTime, calendar: &mut Calendar<Packed>) {
        let key = self.frames.key_of(index);
        let cores = self.replicas[self.frames.at(index).replica as usize].cores;
        let row = &mut self.cores[cores as usize];
        row.advance(now);
        row.pause();
        let frame = self.frames.at_mut(index);
        frame.state = State::Pausing;
        frame.at = cores;
        self.set_alarm(now.saturating_add(span(seconds)), Alarm::Resume(key), calendar);
    }

    /// A pause has taken its time, unless whoever made it was stopped.
    pub(super) fn pause_done(&mut self, key: FrameKey, now: SimTime) {
        let Some(frame) = self.frames.get(key) else { return };
        if frame.account != NONE {
            self.trace_work(key.index(), now);
        }
        self.resume(key.index(), now);
        self.ready.add(Task::Run(key));
    }

    /// The frame pauses nobody any more.
    pub(super) fn resume(&mut self, index: u32, now: SimTime) {
        let frame = self.frames.at_mut(index);
        frame.state = State::Ready;
        let cores = frame.at;
        let row = &mut self.cores[cores as usize];
        row.advance(now);
        row.resume();
        self.ready.add(Task::Cores(cores));
    }

    /// The frame needs that much CPU time.
    #[inline]
    fn compute(&mut self, index: u32, seconds: f64, now: SimTime, calendar: &mut Calendar<Packed>) {
        let key = self.frames.key_of(index);
        let at = self.frames.at(index).replica;
        let replica = &self.replicas[at as usize];
        let (service, cores, warms) = (replica.service as usize, replica.cores, replica.warm_until > now);
        let seconds = if warms { seconds * self.slowdown(at, now) } else { seconds };
        let frame = self.frames.at_mut(index);
        if cores == NONE {
            frame.state = State::Delayed;
            calendar.schedule_in(span(seconds / self.services[service].speed), Event::StepDone(key).pack());
            return;
        }
        frame.at = cores;
        frame.since = now;
        let goes_by_class = self.cores[cores as usize].goes_by_class();
        let class = if goes_by_class { self.requests.at(frame.request).class } else { 0 };
        match self.begin_burst(Worker::Frame(key), class, cores, span(seconds), now, calendar) {
            Begun::Computing(ticket) => {
                let frame = self.frames.at_mut(index);
                frame.state = State::Computing;
                frame.ticket = ticket;
            }
            Begun::InLine => self.frames.at_mut(index).state = State::CoreQueued,
        }
    }

    /// Somebody at the service needs that much CPU time.
    #[inline]
    pub(super) fn begin_burst(
        &mut self,
        worker: Worker,
        class: u16,
        cores: u32,
        need: Span,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Begun {
        let row = &mut self.cores[cores as usize];
        self.services[row.service as usize].cores.present.enter(now);
        row.advance(now);
        let begun = row.begin(worker, need.as_nanos(), class);
        if let Begun::Computing(_) = begun {
            self.schedule_burst_end(cores, calendar);
        }
        begun
    }

    /// Plans the event at which the first of the bursts ends, unless one is planned that comes early enough.
    #[inline]
    pub(super) fn schedule_burst_end(&mut self, cores: u32, calendar: &mut Calendar<Packed>) {
        if let Some((at, generation)) = self.cores[cores as usize].plan() {
            calendar.schedule(at, Event::BurstDone { cores, generation }.pack());
        }
    }

    pub(super) fn burst_done(
        &mut self,
        cores: u32,
        generation: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        if !self.cores[cores as usize].is_due(generation) {
            return; // An earlier one has taken its place.
        }
        self.cores[cores as usize].advance(now);
        while let Some((worker, need)) = self.cores[cores as usize].end_one() {
            self.end_burst(worker, need, cores, now);
        }
        self.admit_to_cores(cores, now);
        self.schedule_burst_end(cores, calendar);
    }

    #[inline]
    fn end_burst(&mut self, worker: Worker, need: u64, cores: u32, now: SimTime) {
        let since = match worker {
            Worker::Visit(visit) => {
                self.ready.add(Task::Leave(visit));
                self.visits.at(visit).began
            }
            Worker::Frame(key) => {
                self.ready.add(Task::Run(key));
                let frame = self.frames.at_mut(key.index());
                frame.state = State::Ready;
                frame.since
            }
        };
        let service = self.cores[cores as usize].service;
        let row = &mut self.services[service as usize].cores;
        let response = now.since(since).as_nanos();
        row.present.leave(since, now);
        row.response.record(response);
        row.wait.record(response.saturating_sub(need));
        row.met += need as f64;
        if let Worker::Frame(key) = worker
            && self.frames.at(key.index()).account != NONE
        {
            self.trace_burst(key.index(), response.saturating_sub(need), now);
        }
    }

    /// Lets those in line compute, as far as there are cores.
    pub(super) fn admit_to_cores(&mut self, cores: u32, now: SimTime) {
        let row = &mut self.cores[cores as usize];
        row.advance(now);
        let frames = &mut self.frames;
        let is_live = |frames: &Slab<Frame>, worker| match worker {
            Worker::Frame(key) => frames.get(key).is_some_and(|frame| frame.state == State::CoreQueued),
            Worker::Visit(_) => true,
        };
        while let Some((next, ticket)) = row.next_in_line(|worker| is_live(frames, worker)) {
            if let Worker::Frame(key) = next {
                let frame = frames.at_mut(key.index());
                frame.state = State::Computing;
                frame.ticket = ticket;
            }
        }
    }

    // Pools ------------------------------------------------------------------------------------------------

    #[inline]
    pub(super) fn acquire(
        &mut self,
        index: u32,
        pool: usize,
        units: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Asked {
        let instance = self.instance_for(index, pool);
        if self.pools[pool].is_guarded
            && let Some(why) = self.turned_away(index, pool, instance)
        {
            self.forget_if_idle(instance);
            let row = &mut self.pools[pool];
            return Asked::Refused(match why {
                TurnedAway::ByClass => {
                    row.rejected += 1;
                    Outcome::REJECTED
                }
                TurnedAway::Abandoned => {
                    row.abandoned += 1;
                    Outcome::CANCELLED
                }
            });
        }
        let frame = self.frames.at_mut(index);
        let row = &mut self.pools[pool];
        let place = &mut self.instances[instance as usize];
        if place.in_use + units <= place.slots && place.waiting == 0 {
            row.wait.record_zero();
            place.in_use += units;
            row.in_use.enter_n(u64::from(units), now);
            let in_use = place.in_use;
            let (outer, connection) = (frame.holds, NONE);
            frame.holds = self.held.insert(Held { instance, units, in_use, since: now, outer, connection });
            return Asked::Got;
        }
        if place.waiting >= row.queue {
            row.rejected += 1;
            return Asked::Refused(Outcome::REJECTED);
        }
        self.join_line(index, instance, units, now, calendar);
        Asked::Queued
    }

    #[inline]
    pub(super) fn release_innermost(&mut self, index: u32, outcome: Outcome, now: SimTime) {
        let frame = self.frames.at_mut(index);
        let account = frame.account;
        let held = self.held.remove(frame.holds);
        frame.holds = held.outer;
        if held.connection != NONE {
            self.park(held.connection, now);
        }
        if held.instance == NONE {
            return self.end_fetch(held.units, outcome, now);
        }
        if account != NONE && self.trace.records() {
            self.record_hold(account, &held, now);
        }
        if self.instances[held.instance as usize].adaptive.is_some() {
            self.adapt_slots(&held, outcome, now);
        }
        self.give_back(held.instance, held.units, held.since, now);
    }

    /// Takes back units that somebody has held since `since`, and serves who waits for them.
    #[inline]
    pub(super) fn give_back(&mut self, instance: u32, units: u32, since: SimTime, now: SimTime) {
        let place = &mut self.instances[instance as usize];
        place.in_use -= units;
        let row = &mut self.pools[place.pool as usize];
        row.in_use.leave_n(u64::from(units), since, now);
        row.hold.record(now.since(since).as_nanos());
        let is_keyed = matches!(row.scope, PoolScope::Each(_));
        if place.waiting > 0 {
            self.serve_waiting(instance, now);
        }
        if is_keyed {
            self.forget_if_idle(instance);
        }
    }

    /// Gives back everything that the frame, which ends with `outcome`, holds.
    pub(super) fn release_all(&mut self, index: u32, outcome: Outcome, now: SimTime) {
        while self.frames.at(index).holds != NONE {
            self.release_innermost(index, outcome, now);
        }
    }

    /// Gives free units to those who wait, in the order of the discipline.
    #[inline(never)]
    pub(super) fn serve_waiting(&mut self, instance: u32, now: SimTime) {
        loop {
            let frames = &self.frames;
            let place = &mut self.instances[instance as usize];
            let row = &mut self.pools[place.pool as usize];
            if place.waiting == 0 || place.in_use >= place.slots || row.batch.is_some() {
                return;
            }
            let moment = Moment { now, waiting: place.waiting };
            let Some(first) = place.line.first(moment, |waiter| is_waiting(frames, waiter)) else { return };
            if row.is_guarded
                && let Waiter::Frame(key, _) = first
            {
                if row.drop_abandoned && is_abandoned(frames, key.index()) {
                    row.abandoned += 1;
                    self.turn_away(key.index(), instance, Outcome::CANCELLED, now);
                    continue;
                }
                if place.line.refuses() {
                    row.dropped += 1;
                    self.turn_away(key.index(), instance, Outcome::REJECTED, now);
                    continue;
                }
            }
            let units = if let Waiter::Frame(_, units) = first { units } else { 1 };
            if place.in_use + units > place.slots {
                return;
            }
            place.line.remove_first();
            place.waiting -= 1;
            place.in_use += units;
            let in_use = place.in_use;
            row.in_use.enter_n(u64::from(units), now);
            let since = match first {
                Waiter::Visit(visit) => self.serve_visit(visit, now),
                Waiter::Frame(key, _) => self.serve_frame(key, instance, units, in_use, now),
            };
            let row = &mut self.pools[self.instances[instance as usize].pool as usize];
            row.waiting.leave(since, now);
            row.wait.record(now.since(since).as_nanos());
        }
    }

    /// The units are there for the frame, which has waited. Returns since when.
    fn serve_frame(
        &mut self,
        key: FrameKey,
        instance: u32,
        units: u32,
        in_use: u32,
        now: SimTime,
    ) -> SimTime {
        let frame = self.frames.at_mut(key.index());
        frame.state = State::Ready;
        let (outer, connection) = (frame.holds, NONE);
        frame.holds = self.held.insert(Held { instance, units, in_use, since: now, outer, connection });
        let (since, account) = (frame.since, frame.account);
        self.ready.add(Task::Run(key));
        self.end_if_late(key.index(), now);
        if account != NONE {
            self.trace_pool_wait(key.index(), instance, now);
        }
        since
    }

    pub(super) fn give_up(
        &mut self,
        key: FrameKey,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let frame = self.frames.get(key)?;
        if frame.patience != now {
            return None; // It got what it waited for.
        }
        match frame.state {
            State::Queued => {}
            State::Metered | State::Blocked => return self.give_up_queue(key.index(), now, calendar),
            _ => return None, // The same.
        }
        let instance = frame.at;
        self.leave_line(key.index(), now);
        self.pools[self.instances[instance as usize].pool as usize].timed_out += 1;
        if self.frames.at(key.index()).account != NONE {
            self.trace_pool_wait(key.index(), instance, now);
        }
        let next = self.go_without(key.index(), Outcome::TIMED_OUT, now, calendar);
        // Whoever is behind it may want fewer units.
        self.serve_waiting(instance, now);
        next
    }

    /// The frame has waited for a rate or a volume as long as it may.
    fn give_up_queue(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> Option<u32> {
        let frame = *self.frames.at(index);
        if frame.state == State::Metered {
            self.leave_rate(index, now).timed_out += 1;
            self.trace_rate_wait(index, self.rates.rate_of(frame.at), now);
        } else {
            self.leave_volume(index, now).timed_out += 1;
            self.trace_volume_wait(index, self.volumes.volume_of(frame.at), now);
        }
        self.finish(index, Outcome::TIMED_OUT, now, calendar)
    }

    /// Takes a frame out of the line that it waits in; its entry goes stale with the frame.
    pub(super) fn leave_line(&mut self, index: u32, now: SimTime) {
        let frame = self.frames.at_mut(index);
        frame.state = State::Ready;
        let (instance, since) = (frame.at, frame.since);
        let place = &mut self.instances[instance as usize];
        place.waiting -= 1;
        self.pools[place.pool as usize].waiting.leave(since, now);
        if place.line.entries() > SHORT_LINE && place.line.entries() > 2 * place.waiting as usize {
            let frames = &self.frames;
            place.line.sweep(|waiter| is_waiting(frames, waiter));
        }
        self.forget_if_idle(instance);
    }

    // Branches ---------------------------------------------------------------------------------------------

    /// Starts the branches. Returns the frame to go on with: this one if there is nothing to wait for.
    fn fork(
        &mut self,
        index: u32,
        fork: ForkId,
        pc: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let parent = *self.frames.at(index);
        let mut draws = draws_at(&parent, self.plan.salts[pc as usize]);
        let place = draws.next_u64();
        let copies = self.forks[fork.index()].copies;
        let copies = copies.map_or(1, |number| whole(self.samplers[number.index()].sample(&mut draws)));
        let row = &self.forks[fork.index()];
        let branches = row.branches.len() as u32;
        let total = copies * branches;
        let needed = match row.wait_for {
            WaitFor::All => total,
            WaitFor::Count(count) => count.min(total),
        };
        let cancels = row.cancel;
        if needed == 0 {
            return Some(index);
        }
        if !self.has_room_for(total, calendar) {
            return None;
        }
        let frame = self.frames.at_mut(index);
        frame.state = State::Joining;
        frame.pending = total;
        frame.needed = needed;
        frame.cancels = cancels;
        let link = Link { parent: self.frames.key_of(index), epoch: parent.epoch };
        // Branches run when all have been opened, after what else is to be done now. Visits begin at once,
        // which comes to the same when there is nothing else and nobody but them.
        let weight = self.requests.at(parent.request).weight;
        let leaf_of = |branch: &BranchPlan| match *branch {
            BranchPlan::Call(call) => self.short_way(call, weight),
            BranchPlan::Code(_) => None,
        };
        let row = &self.forks[fork.index()];
        let at_once = self.ready.is_empty() && row.branches.iter().all(|branch| leaf_of(branch).is_some());
        for number in 0..total {
            let draw_key = sim_core::mix(place.wrapping_add(u64::from(number)));
            let child = match self.forks[fork.index()].branches[(number % branches) as usize] {
                BranchPlan::Code(entry) => Some(self.branch(index, &parent, entry.0, link, draw_key, now)),
                BranchPlan::Call(call) => {
                    let (caller, request, depth) = (parent.replica, parent.request, parent.depth);
                    let made = Made { call, caller, request, link, draw_key, depth };
                    if at_once {
                        self.call_leaf(self.short_ways[call.index()], &made, now, calendar)
                    } else {
                        self.spawn(&made, now, calendar)
                    }
                }
            };
            if let Some(child) = child {
                self.ready.add(Task::Run(self.frames.key_of(child)));
            }
        }
        None
    }

    fn branch(
        &mut self,
        index: u32,
        parent: &Frame,
        entry: u32,
        link: Link,
        draw_key: u64,
        now: SimTime,
    ) -> u32 {
        let (child, row) = self.open_frame(parent.request, link, now);
        row.pc = entry;
        row.replica = parent.replica;
        row.call = parent.call;
        row.draw_key = draw_key;
        row.depth = parent.depth;
        row.kind = Kind::Branch;
        self.adopt(index, child);
        self.occupy(parent.replica, now);
        self.deadlines.pass(link.parent, child);
        child
    }

    // Ends -------------------------------------------------------------------------------------------------

    /// Answers whoever waits for the frame, which runs on.
    fn reply(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let frame = *self.frames.at(index);
        if frame.replied || frame.kind != Kind::Endpoint {
            return;
        }
        self.meter_reply(frame.call, frame.arrived, frame.quality, now);
        self.leave_parent(index);
        self.frames.at_mut(index).replied = true;
        if let Some(next) = self.pass_on(index, frame.link, frame.kind, frame.quality, now, calendar) {
            self.ready.add(Task::Run(self.frames.key_of(next)));
        }
    }

    /// Hands an outcome to whoever waits for it, at once or over the network.
    #[inline]
    fn pass_on(
        &mut self,
        index: u32,
        link: Link,
        kind: Kind,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        if kind == Kind::Endpoint && !link.is_to_nobody() {
            let call = self.frames.at(index).call;
            if self.plan.calls[call.index()].takes_time() {
                self.send_reply(index, link, outcome, now, calendar);
                return None;
            }
        }
        self.release_balancer(index, Some(outcome), now);
        self.answer(link, index, outcome, now, calendar)
    }

    /// Ends a frame: gives back what it holds, tells whoever waits for it, and forgets it.
    ///
    /// Returns a frame that can go on because of it.
    pub(super) fn finish(
        &mut self,
        index: u32,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let frame = self.frames.at(index);
        let (kind, link, call, request) = (frame.kind, frame.link, frame.call, frame.request);
        let (replica, arrived, replied) = (frame.replica, frame.arrived, frame.replied);
        let (holds, child, loops) = (frame.holds, frame.first_child, frame.loops);
        let (runs_on_replica, account) = (frame.runs_on_replica(), frame.account);
        if kind == Kind::Endpoint {
            if !replied {
                self.meter_reply(call, arrived, outcome, now);
            }
            let service = self.replicas[replica as usize].service as usize;
            self.services[service].present.leave(arrived, now);
        } else if kind == Kind::Opener {
            self.opener_ended(index);
        } else if kind == Kind::Job {
            self.job_ended(index, outcome, false, now);
        }
        if holds != NONE {
            self.release_all(index, outcome, now);
        }
        if runs_on_replica {
            self.leave_replica(replica, now);
        }
        if child != NONE {
            self.orphan_children(index);
        }
        if !link.parent.is_none() {
            self.leave_parent(index);
        }
        let next = self.pass_on(index, link, kind, outcome, now, calendar);
        if kind == Kind::Call || loops != NONE || account != NONE {
            self.forget_records(index, outcome, now);
        }
        self.frames.vacate(index);
        self.drop_request(request);
        next
    }

    /// Records what an endpoint answered, and how fast.
    #[inline]
    fn meter_reply(&mut self, call: CallId, arrived: SimTime, outcome: Outcome, now: SimTime) {
        let endpoint = self.plan.calls[call.index()].endpoint;
        let meter = &mut self.endpoints[endpoint.index()];
        if outcome.is_answer() {
            meter.latency.record(now.since(arrived).as_nanos());
        } else {
            meter.failed += 1;
        }
    }
}

/// The random numbers of a frame at the operation with this salt.
#[inline]
pub(super) fn draws_at(frame: &Frame, salt: u64) -> Draws {
    let round = u64::from(frame.round).wrapping_mul(0xA24B_AED4_963E_E407);
    Draws::keyed(frame.draw_key ^ salt.wrapping_add(round))
}

/// A drawn number as a count.
fn whole(drawn: f64) -> u32 {
    drawn.round_ties_even().clamp(0.0, MOST) as u32
}

impl Frame {
    /// Whether it keeps its replica from going, and not merely its caller.
    pub(super) fn runs_on_replica(&self) -> bool {
        match self.kind {
            Kind::Endpoint => self.state != State::Travelling,
            Kind::Branch | Kind::Opener | Kind::Job | Kind::Refresher => true,
            Kind::Call | Kind::Reply => false,
        }
    }

    /// A frame that does nothing for nobody.
    pub(super) fn blank() -> Self {
        Self {
            pc: 0,
            replica: NONE,
            request: NONE,
            call: CallId(NONE),
            link: Link::NOBODY,
            epoch: 0,
            at: NONE,
            arrived: SimTime::ZERO,
            since: SimTime::ZERO,
            sent: SimTime::ZERO,
            ticket: 0,
            patience: SimTime::MAX,
            draw_key: 0,
            round: 0,
            holds: NONE,
            loops: NONE,
            first_child: NONE,
            next_sibling: NONE,
            previous_sibling: NONE,
            pending: 0,
            needed: 0,
            balancer: NONE,
            account: NONE,
            depth: 0,
            outcome: Outcome::OK,
            quality: Outcome::OK,
            state: State::Ready,
            kind: Kind::Endpoint,
            cancels: false,
            replied: false,
        }
    }
}

//! Requests that are served together: a batch holds one unit of its pool for the time that it takes.

use std::collections::BTreeMap;

use sim_core::{Calendar, SimTime};

use super::alarms::Alarm;
use super::frame::{FrameKey, State};
use super::lines::is_waiting;
use super::steps::{Asked, draws_at};
use super::visit::Waiter;
use super::{Packed, System, Task, span};
use crate::blueprint::{Outcome, PoolId};
use crate::discipline::{Line, Moment};

/// A batch that is being served.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) instance: u32,
    pub(super) since: SimTime,
    /// Whether its replica was lost, and it with that.
    is_void: bool,
    /// Those in it, in the order in which they were taken. Some may have gone. Empty for a row that is free.
    members: Vec<FrameKey>,
}

/// Batches that are being served.
#[derive(Clone, Debug, Default)]
pub(super) struct Batches {
    rows: Vec<Batch>,
    free: Vec<u32>,
    /// When instances look again whether somebody has waited long enough.
    alarms: BTreeMap<u32, SimTime>,
}

impl Batches {
    fn begin(&mut self, instance: u32, now: SimTime) -> u32 {
        if let Some(row) = self.free.pop() {
            let batch = &mut self.rows[row as usize];
            (batch.instance, batch.since, batch.is_void) = (instance, now, false);
            return row;
        }
        self.rows.push(Batch { instance, since: now, is_void: false, members: Vec::new() });
        self.rows.len() as u32 - 1
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Batch> {
        self.rows.iter().filter(|batch| !batch.members.is_empty())
    }
}

impl System<'_> {
    /// A frame wants to be served with others.
    pub(super) fn join_batch(
        &mut self,
        index: u32,
        pool: PoolId,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Asked {
        let instance = self.instance_for(index, pool.index());
        let row = &mut self.pools[pool.index()];
        let place = &self.instances[instance as usize];
        if place.waiting >= row.queue && !(place.in_use < place.slots && place.waiting == 0) {
            row.rejected += 1;
            self.forget_if_idle(instance);
            return Asked::Refused(Outcome::REJECTED);
        }
        self.join_line(index, instance, 1, now, calendar);
        self.start_batches(instance, now, calendar);
        Asked::Queued
    }

    pub(super) fn batch_alarm(&mut self, instance: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        if self.batches.alarms.get(&instance) == Some(&now) {
            self.batches.alarms.remove(&instance);
        }
        self.start_batches(instance, now, calendar);
    }

    /// Starts the batches that can start, and plans when to look again.
    pub(super) fn start_batches(&mut self, instance: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        loop {
            let place = &mut self.instances[instance as usize];
            let row = &self.pools[place.pool as usize];
            let Some(plan) = &row.batch else { return };
            if place.waiting == 0 || place.in_use >= place.slots || place.waiting < plan.min {
                return; // Whoever joins or ends next looks again.
            }
            let (delay, most) = (plan.delay, plan.max);
            if place.waiting < most && delay > sim_core::Span::ZERO {
                let moment = Moment { now, waiting: place.waiting };
                let first = place.line.first(moment, |w| is_waiting(&self.frames, w));
                let Some(Waiter::Frame(first, _)) = first else { return };
                let due = self.frames.at(first.index()).since + delay;
                if due > now {
                    if self.batches.alarms.get(&instance).is_none_or(|at| due < *at) {
                        self.batches.alarms.insert(instance, due);
                        self.set_alarm(due, Alarm::Batch(instance), calendar);
                    }
                    return;
                }
            }
            self.start_batch(instance, most, now, calendar);
        }
    }

    fn start_batch(&mut self, instance: u32, most: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let place = &mut self.instances[instance as usize];
        let pool = place.pool;
        let size = place.waiting.min(most);
        place.in_use += 1;
        let row = &mut self.pools[pool as usize];
        row.in_use.enter(now);
        row.batches += 1;
        let batch = self.batches.begin(instance, now);
        for _ in 0..size {
            let place = &mut self.instances[instance as usize];
            let moment = Moment { now, waiting: place.waiting };
            let first = place.line.first(moment, |w| is_waiting(&self.frames, w));
            let Some(Waiter::Frame(key, _)) = first else { break };
            place.line.remove_first();
            place.waiting -= 1;
            let frame = self.frames.at_mut(key.index());
            frame.state = State::Batched;
            let (since, account) = (frame.since, frame.account);
            let row = &mut self.pools[pool as usize];
            row.waiting.leave(since, now);
            row.wait.record(now.since(since).as_nanos());
            if account != super::frame::NONE {
                self.trace_pool_wait(key.index(), instance, now);
            }
            self.batches.rows[batch as usize].members.push(key);
        }
        let Some(plan) = &self.pools[pool as usize].batch else { return };
        // The time is drawn by the first one, at the step by which it came here.
        let first = self.frames.at(self.batches.rows[batch as usize].members[0].index());
        let mut draws = draws_at(first, self.plan.salts[first.pc as usize - 1]);
        let time = span(plan.base.sample(&mut draws) + plan.each * f64::from(size));
        self.set_alarm(now.saturating_add(time), Alarm::BatchDone(batch), calendar);
    }

    /// The batches that a replica serves are lost with it, and with those in them.
    pub(super) fn end_batches(&mut self, replica: u32, now: SimTime) {
        let row = &self.replicas[replica as usize];
        let first = row.pools;
        let own = first..first + self.plan.services[row.service as usize].pools.len() as u32;
        for batch in &mut self.batches.rows {
            if batch.members.is_empty() || !own.contains(&batch.instance) {
                continue;
            }
            batch.is_void = true;
            let place = &mut self.instances[batch.instance as usize];
            place.in_use -= 1;
            let pool = &mut self.pools[place.pool as usize];
            pool.in_use.leave(batch.since, now);
            for _ in batch.members.drain(..) {
                pool.hold.record(now.since(batch.since).as_nanos());
            }
        }
    }

    /// All of a batch go on together.
    pub(super) fn batch_done(&mut self, batch: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.batches.rows[batch as usize];
        if row.is_void {
            self.batches.free.push(batch);
            return;
        }
        let mut members = std::mem::take(&mut row.members);
        let (instance, since) = (row.instance, row.since);
        let pool = self.instances[instance as usize].pool as usize;
        self.instances[instance as usize].in_use -= 1;
        self.pools[pool].in_use.leave(since, now);
        for key in members.drain(..) {
            self.pools[pool].hold.record(now.since(since).as_nanos());
            let Some(frame) = self.frames.get_mut(key) else { continue };
            frame.state = State::Ready;
            let account = frame.account;
            if account != super::frame::NONE {
                self.trace_work(key.index(), now);
            }
            self.ready.add(Task::Run(key));
            self.end_if_late(key.index(), now);
        }
        self.batches.rows[batch as usize].members = members; // Keeps its room.
        self.batches.free.push(batch);
        self.start_batches(instance, now, calendar);
        self.forget_if_idle(instance);
    }
}

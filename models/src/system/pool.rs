//! Resources of kind `slots` at run time.

use sim_core::{Histogram, Population, PopulationWindow, Present, SimTime, Span};

use super::keyed::Keyed;
use super::visit::Waiter;
use crate::blueprint::{BatchPlan, PoolPlan, PoolScope};
use crate::discipline::Waiting;
use crate::observe::PoolObservation;

/// How many units or replicas there are, over time.
#[derive(Debug, Default)]
pub(super) struct Level {
    population: Population,
    /// Entries that are still there: when, and how many.
    entries: Vec<(SimTime, u64)>,
}

impl Level {
    pub(super) fn grow(&mut self, by: u64, now: SimTime) {
        if by > 0 {
            self.population.enter_n(by, now);
            self.entries.push((now, by));
        }
    }

    pub(super) fn shrink(&mut self, mut by: u64, now: SimTime) {
        while by > 0 {
            let Some((since, units)) = self.entries.pop() else { return };
            let gone = units.min(by);
            self.population.leave_n(gone, since, now);
            by -= gone;
            if units > gone {
                self.entries.push((since, units - gone));
            }
        }
    }

    pub(super) fn flush(&mut self, now: SimTime) -> PopulationWindow {
        let mut present = Present::default();
        for &(since, units) in &self.entries {
            present.add(units, since);
        }
        self.population.flush(now, present)
    }
}

/// What all instances of a pool share: the limits in force and the measurements.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) slots: u32,
    pub(super) queue: u32,
    pub(super) timeout: Option<Span>,
    pub(super) scope: PoolScope,
    /// The first instance, where instances do not belong to replicas.
    pub(super) first_instance: u32,
    pub(super) capacity: Level,
    pub(super) in_use: Population,
    pub(super) waiting: Population,
    pub(super) wait: Histogram,
    pub(super) hold: Histogram,
    pub(super) acquired: u64,
    pub(super) rejected: u64,
    pub(super) timed_out: u64,
    pub(super) cancelled: u64,
    /// How those who hold it are served together.
    pub(super) batch: Option<Box<BatchPlan>>,
    pub(super) batches: u64,
    /// Where each value of an attribute has an instance.
    pub(super) keyed: Box<Keyed>,
}

impl Pool {
    pub(super) fn new(plan: &PoolPlan) -> Self {
        Self {
            slots: plan.slots,
            queue: plan.queue,
            timeout: plan.timeout,
            scope: plan.scope,
            first_instance: 0,
            capacity: Level::default(),
            in_use: Population::default(),
            waiting: Population::default(),
            wait: Histogram::default(),
            hold: Histogram::default(),
            acquired: 0,
            rejected: 0,
            timed_out: 0,
            cancelled: 0,
            batch: plan.batch.clone(),
            batches: 0,
            keyed: Box::default(),
        }
    }

    /// The instance for a request of `class` at a replica whose pools begin at `replica_pools`.
    #[inline]
    pub(super) fn instance(&self, replica_pools: u32, class: u16) -> u32 {
        match self.scope {
            PoolScope::Replica { slot, .. } => replica_pools + slot,
            PoolScope::One => self.first_instance,
            PoolScope::Class => self.first_instance + u32::from(class),
            PoolScope::Each(_) => unreachable!("instances of values are looked up"),
        }
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, now: SimTime, in_use: Present, waiting: Present) -> PoolObservation {
        PoolObservation {
            capacity: self.capacity.flush(now),
            in_use: self.in_use.flush(now, in_use),
            waiting: self.waiting.flush(now, waiting),
            wait: self.wait.take().compact(),
            hold: self.hold.take().compact(),
            acquired: std::mem::take(&mut self.acquired),
            rejected: std::mem::take(&mut self.rejected),
            timed_out: std::mem::take(&mut self.timed_out),
            cancelled: std::mem::take(&mut self.cancelled),
            batches: std::mem::take(&mut self.batches),
        }
    }
}

/// One instance of a pool.
#[derive(Debug)]
pub(super) struct Instance {
    /// Its pool.
    pub(super) pool: u32,
    /// The value of an attribute whose instance it is, if it is one's.
    pub(super) which: u32,
    /// Units held.
    pub(super) in_use: u32,
    /// Frames waiting, and the units they want.
    pub(super) waiting: u32,
    pub(super) line: Waiting<Waiter>,
}

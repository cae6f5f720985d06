//! Resources of kind `slots` at run time.

use sim_core::distribution::Distribution;
use sim_core::{Histogram, Population, PopulationWindow, Present, SimTime};

use super::keyed::Keyed;
use super::visit::Waiter;
use crate::adapt::Adaptive;
use crate::blueprint::{AdaptPlan, BatchPlan, ConnectionPlan, Discipline, PoolPlan, PoolScope};
use crate::discipline::Waiting;
use crate::observe::PoolObservation;

/// How many units or replicas there are, over time.
#[derive(Clone, Debug, Default)]
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

    /// There were `from`, and are `to`.
    pub(super) fn move_to(&mut self, from: u64, to: u64, now: SimTime) {
        self.grow(to.saturating_sub(from), now);
        self.shrink(from.saturating_sub(to), now);
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
#[derive(Clone, Debug)]
pub(super) struct Pool {
    /// Units of an instance that is new.
    pub(super) slots: u32,
    pub(super) queue: u32,
    pub(super) timeout: Option<Box<Distribution>>,
    pub(super) connections: Option<Box<ConnectionPlan>>,
    pub(super) scope: PoolScope,
    pub(super) order: Discipline,
    /// Whether somebody may be turned away though there is room, at the door or when it is its turn.
    pub(super) is_guarded: bool,
    pub(super) drop_abandoned: bool,
    pub(super) admit: Vec<f64>,
    pub(super) adapt: Option<AdaptPlan>,
    /// The first instance, where instances do not belong to replicas.
    pub(super) first_instance: u32,
    pub(super) capacity: Level,
    pub(super) in_use: Population,
    pub(super) waiting: Population,
    /// Of those who got what they asked for.
    pub(super) wait: Histogram,
    pub(super) hold: Histogram,
    pub(super) rejected: u64,
    pub(super) timed_out: u64,
    pub(super) cancelled: u64,
    pub(super) dropped: u64,
    pub(super) abandoned: u64,
    /// How those who hold it are served together.
    pub(super) batch: Option<Box<BatchPlan>>,
    pub(super) batches: u64,
    /// Where each value of an attribute has an instance.
    pub(super) keyed: Box<Keyed>,
}

impl Pool {
    pub(super) fn new(plan: &PoolPlan) -> Self {
        let mut pool = Self {
            slots: 0,
            queue: 0,
            timeout: None,
            connections: None,
            scope: plan.scope,
            order: plan.order,
            is_guarded: false,
            drop_abandoned: false,
            admit: Vec::new(),
            adapt: None,
            first_instance: 0,
            capacity: Level::default(),
            in_use: Population::default(),
            waiting: Population::default(),
            wait: Histogram::default(),
            hold: Histogram::default(),
            rejected: 0,
            timed_out: 0,
            cancelled: 0,
            dropped: 0,
            abandoned: 0,
            batch: None,
            batches: 0,
            keyed: Box::default(),
        };
        pool.change(plan);
        pool
    }

    /// Takes over what holds from now on.
    pub(super) fn change(&mut self, to: &PoolPlan) {
        self.slots = to.slots;
        self.queue = to.queue;
        self.timeout = to.timeout.clone().map(Box::new);
        self.connections.clone_from(&to.connections);
        self.batch.clone_from(&to.batch);
        self.order = to.order;
        self.drop_abandoned = to.drop_abandoned;
        self.admit.clone_from(&to.admit);
        self.adapt = to.adapt;
        let drops =
            matches!(to.order, Discipline::Codel(_) | Discipline::AdaptiveLifo { codel: Some(_), .. });
        self.is_guarded = drops || to.drop_abandoned || !to.admit.is_empty();
    }

    /// The instance for a request of `class` at a replica whose pools begin at `replica_pools`.
    #[inline]
    pub(super) fn instance(&self, replica_pools: u32, class: u16) -> u32 {
        if let PoolScope::Replica { slot, .. } = self.scope {
            replica_pools + slot
        } else {
            self.shared_instance(class)
        }
    }

    #[inline(never)]
    fn shared_instance(&self, class: u16) -> u32 {
        match self.scope {
            PoolScope::One => self.first_instance,
            PoolScope::Class => self.first_instance + u32::from(class),
            PoolScope::Replica { .. } => unreachable!("instances of replicas are not shared"),
            PoolScope::Each(_) => unreachable!("instances of values are looked up"),
        }
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, now: SimTime, in_use: Present, waiting: Present) -> PoolObservation {
        PoolObservation {
            capacity: self.capacity.flush(now),
            in_use: self.in_use.flush(now, in_use),
            waiting: self.waiting.flush(now, waiting),
            acquired: self.wait.count(),
            wait: self.wait.take().compact(),
            hold: self.hold.take().compact(),
            rejected: std::mem::take(&mut self.rejected),
            timed_out: std::mem::take(&mut self.timed_out),
            cancelled: std::mem::take(&mut self.cancelled),
            dropped: std::mem::take(&mut self.dropped),
            abandoned: std::mem::take(&mut self.abandoned),
            instance_ns: 0,
            connections: None,
            batches: std::mem::take(&mut self.batches),
        }
    }
}

/// One instance of a pool.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    /// Its pool.
    pub(super) pool: u32,
    /// The value of an attribute whose instance it is, if it is one's.
    pub(super) which: u32,
    /// Units held.
    pub(super) in_use: u32,
    /// Frames waiting, and the units they want.
    pub(super) waiting: u32,
    /// Units there are.
    pub(super) slots: u32,
    pub(super) line: Waiting<Waiter>,
    /// How the units adapt, if they do.
    pub(super) adaptive: Option<Box<Adaptive>>,
}

impl Instance {
    /// An idle instance that serves in order of arrival.
    pub(super) fn new(pool: u32, slots: u32) -> Self {
        let line = Waiting::new(Discipline::Fifo, 0, 0);
        Self { pool, which: 0, in_use: 0, waiting: 0, slots, line, adaptive: None }
    }
}

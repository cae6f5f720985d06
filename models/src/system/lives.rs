//! The life of replicas: starting, warming, ready, draining, gone; and down, between a crash and the restart.
//!
//! Callers know a replica from when it is ready until it is taken away. One that has crashed is known to them still:
//! it refuses connections until it is back, and that it should not be called is for health to find out. A service
//! whose replicas neither start, drain nor crash pays for none of this: its replicas are ready or gone.

use sim_core::{Calendar, Draws, SimTime, Span, combine, hash_name};

use super::alarms::Alarm;
use super::frame::NONE;
use super::{Packed, Standing, System, span};
use crate::blueprint::{Blueprint, Fault, Row, ServiceId, Spacing, VolumePlan};
use crate::observe::LifeObservation;

/// In place of an entry of code: the replica refuses whoever comes.
pub(super) const REFUSES: u32 = NONE - 1;

/// Separates the draws of start-ups from others by the name of a service.
const SALT_START: u64 = 0x9FB2_1C65_1E98_DF25;

/// What is measured of the replicas of a service that start, drain or crash.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives {
    /// Replicas in each state of [`LifeObservation::STATES`].
    counts: [u32; 5],
    since: SimTime,
    seen: LifeObservation,
    /// The roll-out under way.
    pub(super) rollout: Option<Rollout>,
    /// By number of the replica: core-nanoseconds that it used before the segment began.
    busy_before: Vec<f64>,
}

/// A roll-out: replicas of older versions are replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rollout {
    /// The version that replaces all others.
    pub(super) version: u32,
    /// New replicas beyond those wanted, as a share.
    pub(super) surge: f64,
    /// Wanted replicas that may be missing, as a share.
    pub(super) unavailable: f64,
}

impl Lives {
    /// Adds up the time since the last change.
    fn count(&mut self, now: SimTime) {
        let elapsed = u128::from(now.since(self.since).as_nanos());
        self.since = now;
        for (sum, &count) in self.seen.state_ns.iter_mut().zip(&self.counts) {
            *sum += elapsed * u128::from(count);
        }
        // Those that warm up do their work.
        let ready = (self.counts[1] + self.counts[2]) as usize;
        if self.seen.ready_ns.len() <= ready {
            self.seen.ready_ns.resize(ready + 1, 0);
        }
        self.seen.ready_ns[ready] += elapsed;
    }

    fn flush(&mut self, now: SimTime) -> LifeObservation {
        self.count(now);
        std::mem::take(&mut self.seen)
    }

    /// Replicas that take calls.
    fn ready(&self) -> u32 {
        self.counts[1] + self.counts[2]
    }

    /// Core-nanoseconds that a replica used before the segment began.
    pub(super) fn busy_before(&self, local: usize) -> f64 {
        self.busy_before.get(local).copied().unwrap_or(0.0)
    }

    /// Adds what a replica used in the segment that ends.
    pub(super) fn add_busy(&mut self, local: usize, busy: f64) {
        if self.busy_before.len() <= local {
            self.busy_before.resize(local + 1, 0.0);
        }
        self.busy_before[local] += busy;
    }
}

impl Blueprint {
    /// Whether replicas of the service may start, drain or crash.
    pub fn is_mortal(&self, service: ServiceId) -> bool {
        let row = &self.services[service.index()];
        let mut changed = self.changed_rows();
        let mut faults = self.changes.iter().filter_map(|change| change.fault.as_ref());
        let strikes = |fault: &Fault| match fault {
            Fault::Crash { service: hit, .. } | Fault::Deploy { service: hit, .. } => *hit == service,
            Fault::Lose(zone) => row.life.zones.contains(zone),
        };
        let restarts = |row: &VolumePlan| row.restarts && row.spacing == Spacing::Replica(service);
        row.life.is_eventful()
            || self.autoscaler_of(service).is_some()
            || self.volumes.iter().any(restarts)
            || faults.any(strikes)
            || changed.any(|row| match row {
                Row::Service(id, row) => *id == service && row.life.is_eventful(),
                Row::Volume(_, row) => restarts(row),
                _ => false,
            })
    }
}

impl Standing {
    /// Whether it does work, so that what it has counts.
    pub(super) fn works(self) -> bool {
        matches!(self, Self::Ready | Self::Draining)
    }

    /// Its place in [`LifeObservation::STATES`].
    fn state(self, warms: bool) -> Option<usize> {
        match self {
            Self::Starting => Some(0),
            Self::Ready => Some(if warms { 1 } else { 2 }),
            Self::Draining => Some(3),
            Self::Down => Some(4),
            Self::Gone => None,
        }
    }
}

impl System<'_> {
    // States -----------------------------------------------------------------------------------------------

    /// The replica stands as told from now on.
    #[cold]
    pub(super) fn stand(&mut self, replica: u32, to: Standing, now: SimTime) {
        self.count_states(replica, now, -1);
        let row = &mut self.replicas[replica as usize];
        let before = std::mem::replace(&mut row.standing, to);
        let (service, pools) = (row.service as usize, row.pools);
        self.count_states(replica, now, 1);
        let (was_there, is_there) = (before != Standing::Gone, to != Standing::Gone);
        if was_there && !is_there {
            self.services[service].running.shrink(1, now);
        } else if !was_there && is_there {
            self.services[service].running.grow(1, now);
        }
        if before != to {
            self.place_members(service as u32);
            self.pod_stands(replica, now);
        }
        if before.works() == to.works() {
            return;
        }
        if !to.works() {
            self.caches.lose(replica, now);
        }
        self.count_capacity(service, now);
        if to.works() {
            self.services[service].standing += 1;
        } else {
            self.services[service].standing -= 1;
        }
        for (slot, pool) in self.plan.services[service].pools.iter().enumerate() {
            let instance = pools + slot as u32;
            let slots = u64::from(self.instances[instance as usize].slots);
            let capacity = &mut self.pools[pool.index()].capacity;
            if to.works() {
                capacity.grow(slots, now);
            } else {
                capacity.shrink(slots, now);
            }
            self.look_after(pool.index(), instance);
        }
    }

    /// Counts the replica in its state, or no longer.
    fn count_states(&mut self, replica: u32, now: SimTime, by: i32) {
        let row = &self.replicas[replica as usize];
        let Some(lives) = &mut self.services[row.service as usize].lives else { return };
        lives.count(now);
        if let Some(state) = row.standing.state(row.warm_until > now) {
            lives.counts[state] = lives.counts[state].wrapping_add_signed(by);
        }
    }

    /// A replica that is there from the start is ready.
    pub(super) fn count_born(&mut self, replica: u32, now: SimTime) {
        self.count_states(replica, now, 1);
    }

    /// Who may be called: those that are ready, and those that crashed since.
    ///
    /// Somebody always may, since there has to be somebody who refuses.
    fn list(&mut self, service: usize, now: SimTime) {
        let row = &self.services[service];
        let is = |local: &u32, wanted: fn(&super::Replica) -> bool| {
            wanted(&self.replicas[row.replicas[*local as usize] as usize])
        };
        let locals = || 0..row.replicas.len() as u32;
        let mut ready: Vec<u32> = locals().filter(|local| is(local, |row| row.is_listed)).collect();
        if ready.is_empty() {
            let next = locals().find(|local| is(local, |row| row.standing == Standing::Starting));
            ready.push(next.unwrap_or(0));
        }
        self.services[service].ready = ready;
        self.services[service].note_only();
        self.set_door(service, now);
    }

    /// The replicas that are wanted and there, or will be.
    fn members(&self, service: usize) -> Vec<u32> {
        let is_member =
            |at: &u32| !matches!(self.replicas[*at as usize].standing, Standing::Draining | Standing::Gone);
        self.services[service].replicas.iter().copied().filter(is_member).collect()
    }

    // Beginning --------------------------------------------------------------------------------------------

    /// Brings the replicas that are there, or will be, to `wanted`.
    pub(super) fn scale_lives(
        &mut self,
        service: usize,
        wanted: usize,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        if self.services[service].lives.as_ref().is_some_and(|lives| lives.rollout.is_some()) {
            self.roll(service, now, calendar);
            return;
        }
        let mut members = self.members(service);
        while members.len() > wanted {
            // Those that are not ready go first, then the last ones: Kubernetes, ReplicaSet.
            let rank = |at: &u32| {
                let row = &self.replicas[*at as usize];
                (row.standing == Standing::Ready, std::cmp::Reverse(row.local))
            };
            let Some(at) = (0..members.len()).min_by_key(|&at| rank(&members[at])) else { break };
            self.take_away(members.swap_remove(at), now, calendar);
        }
        for _ in members.len()..wanted {
            self.start_one(service, now, calendar);
        }
    }

    /// Starts a replica: under a number that nobody has any more, or a new one.
    fn start_one(&mut self, service: usize, now: SimTime, calendar: &mut Calendar<Packed>) -> u32 {
        let is_gone = |at: &&u32| self.replicas[**at as usize].standing == Standing::Gone;
        let found = self.services[service].replicas.iter().find(is_gone).copied();
        let replica = found.unwrap_or_else(|| self.add_unborn(service, now));
        if found.is_none() {
            self.wind_new(replica, now, calendar);
        }
        self.begin_start(replica, now, calendar);
        replica
    }

    /// Adds a replica that is not there yet.
    fn add_unborn(&mut self, service: usize, now: SimTime) -> u32 {
        self.count_capacity(service, now);
        let replica = self.add_replica(service as u32, now);
        self.services[service].ready.pop();
        self.replicas[replica as usize].is_listed = false;
        self.stand(replica, Standing::Gone, now);
        replica
    }

    /// A replica begins to start: one that is new has to be placed first.
    fn begin_start(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.replicas[replica as usize];
        row.life = row.life.wrapping_add(1);
        row.failing = REFUSES;
        row.is_due = true;
        let service = row.service as usize;
        if self.is_zone_lost(replica) {
            self.stand(replica, Standing::Down, now);
            self.list(service, now);
            return;
        }
        if let Some(lives) = &mut self.services[service].lives {
            lives.seen.starts += 1;
        }
        if let Some(wait) = self.place_pod(replica, now, calendar) {
            self.boot(replica, wait, now, calendar);
        } else {
            self.stand(replica, Standing::Starting, now);
            self.list(service, now);
        }
    }

    /// A replica that has its place starts, after `wait`.
    pub(super) fn boot(&mut self, replica: u32, wait: Span, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.replicas[replica as usize];
        let (service, local, life) = (row.service as usize, row.local, row.life);
        let delay = self.services_in_force[service].life.startup.as_ref().map_or(Span::ZERO, |startup| {
            let path = hash_name(&self.plan.services[service].path);
            let name = combine(combine(path, u64::from(local)), u64::from(life));
            span(startup.delay.sample(&mut Draws::keyed(combine(self.stream, name) ^ SALT_START)))
        });
        let ready = now.saturating_add(wait).saturating_add(delay);
        if ready == now {
            self.become_ready(replica, now, calendar);
            return;
        }
        self.stand(replica, Standing::Starting, now);
        self.list(service, now);
        self.set_alarm(ready, Alarm::Started { replica, life }, calendar);
    }

    /// A replica has started, unless that was in an earlier life.
    pub(super) fn started(&mut self, replica: u32, life: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.replicas[replica as usize];
        if row.life == life && row.standing == Standing::Starting {
            self.become_ready(replica, now, calendar);
        }
    }

    fn become_ready(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let service = self.replicas[replica as usize].service as usize;
        self.stand(replica, Standing::Gone, now); // So that it is counted in one state at a time.
        let warm = self.services_in_force[service].life.startup.as_ref().map_or(Span::ZERO, |row| row.warm);
        let row = &mut self.replicas[replica as usize];
        row.warm_until = now.saturating_add(warm);
        row.ready_since = now;
        row.failing = NONE;
        row.is_listed = true;
        let life = row.life;
        self.stand(replica, Standing::Ready, now);
        if warm > Span::ZERO {
            self.set_alarm(now.saturating_add(warm), Alarm::Warm { replica, life }, calendar);
        }
        self.list(service, now);
        self.plan_checks(service, now, calendar);
        self.wind_up(replica, now, calendar);
        self.wake_jobs(replica);
        self.roll(service, now, calendar);
    }

    /// A replica has warmed up.
    pub(super) fn warmed(&mut self, replica: u32, life: u32, now: SimTime) {
        let row = &self.replicas[replica as usize];
        if row.life != life || row.standing != Standing::Ready {
            return;
        }
        let service = row.service as usize;
        if let Some(lives) = &mut self.services[service].lives {
            lives.count(now);
            lives.counts[1] -= 1;
            lives.counts[2] += 1;
        }
    }

    /// How much longer CPU work takes at a replica that warms up.
    #[cold]
    pub(super) fn slowdown(&self, replica: u32, now: SimTime) -> f64 {
        let row = &self.replicas[replica as usize];
        let Some(startup) = &self.services_in_force[row.service as usize].life.startup else { return 1.0 };
        let left = row.warm_until.since(now).as_seconds() / startup.warm.as_seconds().max(1e-9);
        1.0 + (startup.slowdown - 1.0) * left.min(1.0)
    }

    // End --------------------------------------------------------------------------------------------------

    /// A replica is no longer wanted: it finishes what it has, for as long as it may.
    pub(super) fn take_away(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.replicas[replica as usize];
        row.is_listed = false;
        let (service, life, standing) = (row.service as usize, row.life, row.standing);
        if standing == Standing::Ready {
            self.stand(replica, Standing::Draining, now);
            if self.replicas[replica as usize].present == 0 {
                self.go(replica, now, calendar);
            } else if let Some(drain) = self.services_in_force[service].life.drain {
                self.set_alarm(now.saturating_add(drain), Alarm::Drained { replica, life }, calendar);
            }
        } else {
            self.go(replica, now, calendar);
        }
        self.list(service, now);
    }

    /// A replica has had its time to finish what it had: the rest is cut off.
    pub(super) fn drained(&mut self, replica: u32, life: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.replicas[replica as usize];
        if row.life == life && row.standing == Standing::Draining {
            self.go(replica, now, calendar);
        }
    }

    /// A replica is gone, and what it did and knew with it. Though no request is left, calls may be out that nobody
    /// waits for any more.
    pub(super) fn go(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        self.cut_off(replica, now, calendar);
        self.forget_replica(replica, now);
        self.replicas[replica as usize].failing = REFUSES;
        self.stand(replica, Standing::Gone, now);
        self.pod_gone(replica, now, calendar);
        let service = self.replicas[replica as usize].service as usize;
        self.roll(service, now, calendar);
    }

    /// A replica crashes; it begins to start again after `restart`, or never.
    pub(super) fn crash(
        &mut self,
        replica: u32,
        restart: Option<Span>,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &mut self.replicas[replica as usize];
        let (service, standing) = (row.service as usize, row.standing);
        if matches!(standing, Standing::Gone | Standing::Down) {
            return;
        }
        row.life = row.life.wrapping_add(1);
        row.failing = REFUSES;
        row.is_due = false;
        let life = row.life;
        if let Some(lives) = &mut self.services[service].lives {
            lives.seen.crashes += 1;
        }
        if standing == Standing::Draining {
            self.go(replica, now, calendar);
            return;
        }
        self.cut_off(replica, now, calendar);
        self.forget_replica(replica, now);
        self.stand(replica, Standing::Down, now);
        self.list(service, now);
        self.plan_checks(service, now, calendar);
        match restart {
            Some(Span::ZERO) => self.restart(replica, life, now, calendar),
            Some(restart) => {
                self.set_alarm(now.saturating_add(restart), Alarm::Restart { replica, life }, calendar);
            }
            None => {}
        }
    }

    /// A replica that has crashed begins to start, unless that was in an earlier life.
    pub(super) fn restart(&mut self, replica: u32, life: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.replicas[replica as usize];
        if row.life == life && row.standing == Standing::Down {
            row.is_due = true;
            self.start_if_due(replica, now, calendar);
        }
    }

    /// A replica that is down begins to start if nothing but its zone was missing, and that is there.
    pub(super) fn start_if_due(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.replicas[replica as usize];
        if row.standing == Standing::Down && row.is_due && !self.is_zone_lost(replica) {
            self.begin_start(replica, now, calendar);
        }
    }

    // Roll-outs --------------------------------------------------------------------------------------------

    /// Begins to replace all replicas.
    pub(super) fn deploy(
        &mut self,
        service: usize,
        (surge, unavailable): (f64, f64),
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let versions = self.services[service].replicas.iter().map(|&at| self.replicas[at as usize].version);
        let version = versions.max().unwrap_or(0) + 1;
        if let Some(lives) = &mut self.services[service].lives {
            lives.rollout = Some(Rollout { version, surge, unavailable });
        }
        self.roll(service, now, calendar);
    }

    /// Goes on with the roll-out as far as it may.
    ///
    /// Source: Kubernetes, Deployment, `RollingUpdate`: no more than `surge` replicas beyond those wanted, and no fewer
    /// than those wanted without `unavailable` that are ready. Those that drain do not count.
    pub(super) fn roll(&mut self, service: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let wanted = self.services_in_force[service].replicas;
        loop {
            let Some(lives) = &self.services[service].lives else { return };
            let Some(rollout) = lives.rollout else { return };
            let surge = (rollout.surge * f64::from(wanted) - 1e-9).ceil() as u32;
            let mut unavailable = (rollout.unavailable * f64::from(wanted) + 1e-9).floor() as u32;
            if surge == 0 && unavailable == 0 {
                unavailable = 1; // Else nothing could move.
            }
            let ready = lives.ready();
            let members = self.members(service);
            let is_old = |at: &&u32| self.replicas[**at as usize].version < rollout.version;
            let is_ready = |at: u32| self.replicas[at as usize].standing == Standing::Ready;
            let old = members.iter().filter(is_old).count() as u32;
            let new = members.len() as u32 - old;
            let unready = members.iter().filter(is_old).find(|at| !is_ready(**at));
            let first = members.iter().find(is_old).copied();
            if let Some(&at) = unready {
                self.take_away_within_roll(at, now, calendar);
            } else if let Some(at) = first.filter(|_| ready > wanted.saturating_sub(unavailable)) {
                self.take_away_within_roll(at, now, calendar);
            } else if new < wanted && old + new < wanted + surge {
                self.start_within_roll(service, now, calendar);
            } else {
                if old == 0
                    && new >= wanted
                    && let Some(lives) = &mut self.services[service].lives
                {
                    lives.rollout = None;
                    self.scale_lives(service, wanted as usize, now, calendar);
                }
                return;
            }
        }
    }

    /// Sets the roll-out aside meanwhile, so that it does not go on within itself.
    fn take_away_within_roll(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let service = self.replicas[replica as usize].service as usize;
        let rollout = self.services[service].lives.as_mut().and_then(|lives| lives.rollout.take());
        self.take_away(replica, now, calendar);
        if let Some(lives) = &mut self.services[service].lives {
            lives.rollout = rollout;
        }
    }

    /// The same for a start.
    fn start_within_roll(&mut self, service: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let rollout = self.services[service].lives.as_mut().and_then(|lives| lives.rollout.take());
        let replica = self.start_one(service, now, calendar);
        self.replicas[replica as usize].version = rollout.map_or(0, |rollout| rollout.version);
        if let Some(lives) = &mut self.services[service].lives {
            lives.rollout = rollout;
        }
    }

    /// A replica that drains has nothing left, unless something has come since.
    pub(super) fn retire(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.replicas[replica as usize];
        if row.standing == Standing::Draining && row.present == 0 {
            self.go(replica, now, calendar);
        }
    }

    // Measurements -----------------------------------------------------------------------------------------

    /// Closes the segment that ends at `now`.
    pub(super) fn flush_lives(&mut self, now: SimTime) -> Vec<Option<Box<LifeObservation>>> {
        let flush = |service: &mut super::Service| Some(Box::new(service.lives.as_mut()?.flush(now)));
        self.services.iter_mut().map(flush).collect()
    }

    /// Counts a request that a replica refused, or that was lost with it.
    pub(super) fn count_crashed(&mut self, service: usize, refused: u64, lost: u64) {
        if let Some(lives) = &mut self.services[service].lives {
            lives.seen.refused += refused;
            lives.seen.lost += lost;
        }
    }
}

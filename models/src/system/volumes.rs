//! Resources of kind `volume` at run time: levels that move only when somebody takes or gives.

use std::collections::BTreeMap;

use sim_core::{Calendar, Histogram, Population, Present, SimTime};

use super::frame::{Arena, FrameKey, State};
use super::queue::Queue;
use super::steps::Asked;
use super::{Packed, System};
use crate::blueprint::{Blueprint, FormulaId, Measure, Outcome, ServiceId, Spacing, VolumePlan};
use crate::formula::Formula;
use crate::observe::VolumeObservation;

/// Levels closer to 0 than this are 0: sums of fractions do not come back to exactly 0.
const SLACK: f64 = 1e-9;

/// What all instances of a volume share.
#[derive(Clone, Debug)]
struct Volume {
    plan: VolumePlan,
    /// By replica or value of the attribute.
    instances: BTreeMap<u32, u32>,
    /// Levels of all instances together, and up to when they are added up.
    level: f64,
    since: SimTime,
    waiting: Population,
    wait: Histogram,
    seen: VolumeObservation,
}

impl Volume {
    /// The level of an instance moves by `by`.
    fn moves(&mut self, by: f64, now: SimTime) {
        self.seen.level_sum += self.level * now.since(self.since).as_seconds();
        self.since = now;
        self.level += by;
        if self.level.abs() < SLACK {
            self.level = 0.0;
        }
        self.seen.lowest = self.seen.lowest.min(self.level);
        self.seen.highest = self.seen.highest.max(self.level);
    }

    /// An instance has nothing left, or too little.
    fn runs_out(&mut self, now: SimTime) {
        if self.seen.emptied == 0 {
            self.seen.emptied = 1;
            self.seen.emptied_at_sum = now.as_seconds();
        }
    }

    fn new_segment(&self) -> VolumeObservation {
        VolumeObservation {
            lowest: self.level,
            highest: self.level,
            start: self.level,
            replications: 1,
            ..VolumeObservation::default()
        }
    }
}

/// One instance of a volume.
#[derive(Clone, Debug)]
struct Tank {
    volume: u32,
    /// Its replica, or the value of the attribute.
    which: u32,
    level: f64,
    queue: Queue,
}

/// The volumes of a replication.
#[derive(Clone, Debug)]
pub(super) struct Volumes {
    volumes: Vec<Volume>,
    tanks: Arena<Tank>,
}

impl Volumes {
    pub(super) fn new(plan: &Blueprint) -> Self {
        let new = |plan: &VolumePlan| {
            let mut volume = Volume {
                plan: plan.clone(),
                instances: BTreeMap::new(),
                level: 0.0,
                since: SimTime::ZERO,
                waiting: Population::default(),
                wait: Histogram::default(),
                seen: VolumeObservation::default(),
            };
            volume.seen = volume.new_segment();
            volume
        };
        let mut volumes = Self { volumes: plan.volumes.iter().map(new).collect(), tanks: Arena::new() };
        for (volume, row) in plan.volumes.iter().enumerate() {
            if row.spacing == Spacing::One {
                volumes.tank(volume, 0, SimTime::ZERO);
            }
        }
        volumes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.volumes.is_empty()
    }

    /// The volume that the tank belongs to.
    pub(super) fn volume_of(&self, tank: u32) -> u32 {
        self.tanks.peek(tank).volume
    }

    /// The replica that the tank is in, or the value that it is for.
    pub(super) fn which(&self, tank: u32) -> u32 {
        self.tanks.peek(tank).which
    }

    /// The tank for a replica or value.
    fn tank(&mut self, volume: usize, which: u32, now: SimTime) -> u32 {
        let row = &mut self.volumes[volume];
        if let Some(&tank) = row.instances.get(&which) {
            return tank;
        }
        let level = row.plan.level;
        let tank = self.tanks.insert(Tank { volume: volume as u32, which, level, queue: Queue::default() });
        row.instances.insert(which, tank);
        row.moves(level, now);
        row.seen.added += level;
        if now <= SimTime::ZERO {
            row.seen = row.new_segment(); // It has been there from the start.
        }
        tank
    }

    /// A replica of the service is there: its tanks are.
    pub(super) fn lay_out(&mut self, service: u32, replica: u32, now: SimTime) {
        for volume in 0..self.volumes.len() {
            if matches!(self.volumes[volume].plan.spacing, Spacing::Replica(owner) if owner.0 == service) {
                self.tank(volume, replica, now);
            }
        }
    }

    /// A tank in a replica holds again what there is at the start.
    fn renew(&mut self, tank: u32, now: SimTime) {
        let place = self.tanks.at(tank);
        let row = &mut self.volumes[place.volume as usize];
        let more = row.plan.level - place.level;
        place.level = row.plan.level;
        row.moves(more, now);
        row.seen.added += more;
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, waiting: &[Present], now: SimTime) -> Vec<VolumeObservation> {
        let close = |(row, &waiting): (&mut Volume, &Present)| {
            row.moves(0.0, now);
            let next = row.new_segment();
            VolumeObservation {
                waiting: row.waiting.flush(now, waiting),
                wait: row.wait.take().compact(),
                end: row.level,
                ..std::mem::replace(&mut row.seen, next)
            }
        };
        self.volumes.iter_mut().zip(waiting).map(close).collect()
    }

    /// Bytes of what is remembered.
    pub(super) fn bytes(&self) -> usize {
        let tanks = self.volumes.iter().flat_map(|row| row.instances.values());
        let lines: usize = tanks.map(|&at| self.tanks.peek(at).queue.entries()).sum();
        self.tanks.high_water() * (size_of::<Tank>() + 32) + lines * size_of::<(FrameKey, f64)>()
    }

    /// What is seen of the tank of a volume for a replica or value.
    pub(super) fn level(&mut self, volume: usize, which: u32, measure: Measure, now: SimTime) -> f64 {
        let tank = self.tank(volume, which, now);
        self.seen(tank, measure)
    }

    /// The value of a formula, where it is said which replica of a service is meant.
    pub(super) fn value(
        &mut self,
        formula: &Formula,
        replica_of: impl Fn(ServiceId) -> u32,
        now: SimTime,
    ) -> f64 {
        formula.value(|volume, measure| {
            let which = match self.volumes[volume.index()].plan.spacing {
                Spacing::Replica(owner) => replica_of(owner),
                Spacing::One | Spacing::Each(_) => 0,
            };
            self.level(volume.index(), which, measure, now)
        })
    }

    /// What is seen of a tank.
    fn seen(&self, tank: u32, measure: Measure) -> f64 {
        let place = self.tanks.peek(tank);
        let size = self.volumes[place.volume as usize].plan.volume;
        match measure {
            Measure::Level => place.level,
            Measure::Size => size,
            Measure::Used => size - place.level,
        }
    }

    /// Takes `units` out of a tank.
    fn draw(&mut self, tank: u32, units: f64, now: SimTime) {
        let tank = self.tanks.at(tank);
        let row = &mut self.volumes[tank.volume as usize];
        let missing = (units - tank.level.max(0.0)).max(0.0);
        tank.level -= units;
        if tank.level.abs() < SLACK {
            tank.level = 0.0;
        }
        let is_out = tank.level <= 0.0 && units > 0.0;
        row.seen.taken += units;
        if missing > SLACK {
            row.seen.oversold += missing;
        }
        row.seen.acquired += 1;
        row.moves(-units, now);
        if is_out {
            row.runs_out(now);
        }
    }
}

impl System<'_> {
    /// The tank that the frame takes from.
    fn tank_for(&mut self, index: u32, volume: usize, now: SimTime) -> u32 {
        let which = self.which(index, self.volumes.volumes[volume].plan.spacing);
        self.volumes.tank(volume, which, now)
    }

    /// Takes units of a volume for a frame; none is all that is left.
    pub(super) fn take_of_volume(
        &mut self,
        index: u32,
        volume: usize,
        units: Option<f64>,
        guarded: bool,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Asked {
        let tank = self.tank_for(index, volume, now);
        let Volumes { volumes, tanks } = &mut self.volumes;
        let (row, place) = (&mut volumes[volume], tanks.peek(tank));
        let units = units.unwrap_or(place.level.max(0.0));
        let waiting = place.queue.waiting;
        if !guarded || (waiting == 0 && units <= place.level + SLACK) {
            row.wait.record_zero();
            self.volumes.draw(tank, units, now);
            if units > 0.0 {
                self.level_moved(tank);
            }
            return Asked::Got;
        }
        if units > place.level + SLACK {
            row.runs_out(now);
        }
        let frame = self.frames.at(index);
        let service = self.replicas[frame.replica as usize].service;
        if row.plan.restarts && row.plan.spacing == Spacing::Replica(crate::blueprint::ServiceId(service)) {
            // It ends with its replica, in this instant.
            self.ready.add(super::Task::Crash(frame.replica));
            return Asked::Queued;
        }
        let hopeless = units > row.plan.volume + SLACK;
        if !row.plan.blocks || waiting >= row.plan.queue || hopeless {
            row.seen.rejected += 1;
            return Asked::Refused(Outcome::REJECTED);
        }
        row.waiting.enter(now);
        let timeout = row.plan.timeout;
        let key = self.frames.key_of(index);
        self.volumes.tanks.at(tank).queue.join(key, units);
        self.wait_in_queue(index, State::Blocked, tank, timeout, now, calendar);
        Asked::Queued
    }

    /// Gives units to a volume, which holds no more than it can; none is all that are gone.
    pub(super) fn give_to_volume(&mut self, index: u32, volume: usize, units: Option<f64>, now: SimTime) {
        let tank = self.tank_for(index, volume, now);
        let Volumes { volumes, tanks } = &mut self.volumes;
        let (row, place) = (&mut volumes[volume], tanks.at(tank));
        let room = (row.plan.volume - place.level).max(0.0);
        let given = units.unwrap_or(room).min(room);
        place.level += given;
        row.seen.given += given;
        row.moves(given, now);
        if given > 0.0 {
            self.level_moved(tank);
        }
        self.serve_volume(tank, now);
    }

    /// Lets those in line go on for whom there is enough.
    fn serve_volume(&mut self, tank: u32, now: SimTime) {
        loop {
            let place = self.volumes.tanks.at(tank);
            let Some((key, units)) = place.queue.first(&self.frames) else { return };
            if units > place.level + SLACK {
                return;
            }
            place.queue.remove_first();
            let volume = place.volume;
            self.volumes.draw(tank, units, now);
            self.level_moved(tank);
            let since = self.let_go_on(key, now);
            self.trace_volume_wait(key.index(), volume, now);
            let row = &mut self.volumes.volumes[volume as usize];
            row.waiting.leave(since, now);
            row.wait.record(now.since(since).as_nanos());
        }
    }

    /// Takes a frame out of the line that it waits in. Returns where that is counted.
    pub(super) fn leave_volume(&mut self, index: u32, now: SimTime) -> &mut VolumeObservation {
        let frame = self.frames.at_mut(index);
        frame.state = State::Ready;
        let (tank, since) = (frame.at, frame.since);
        let place = self.volumes.tanks.at(tank);
        place.queue.leave(&self.frames);
        let volume = place.volume as usize;
        self.volumes.volumes[volume].waiting.leave(since, now);
        // Whoever was behind it may want less.
        self.serve_volume(tank, now);
        &mut self.volumes.volumes[volume].seen
    }

    /// The value of a formula, by the levels that a frame would find.
    pub(super) fn value_for(&mut self, index: u32, formula: FormulaId, now: SimTime) -> f64 {
        let formula = self.formulas[formula.index()].clone();
        formula.value(|volume, measure| {
            let which = self.which(index, self.volumes.volumes[volume.index()].plan.spacing);
            self.volumes.level(volume.index(), which, measure, now)
        })
    }

    /// The volume gets larger or smaller: what is gone of it stays gone.
    pub(super) fn change_volume(&mut self, volume: usize, to: VolumePlan, now: SimTime) {
        let more = to.volume - self.volumes.volumes[volume].plan.volume;
        self.volumes.volumes[volume].plan = to;
        let tanks: Vec<u32> = self.volumes.volumes[volume].instances.values().copied().collect();
        for tank in tanks {
            self.volumes.tanks.at(tank).level += more;
            let row = &mut self.volumes.volumes[volume];
            row.moves(more, now);
            row.seen.added += more;
            self.level_moved(tank);
            self.serve_volume(tank, now);
        }
    }

    /// The replica is lost: a new one begins with what there is at the start. Nobody waits for it any more.
    pub(super) fn renew_volumes(&mut self, service: u32, replica: u32, now: SimTime) {
        for volume in 0..self.volumes.volumes.len() {
            let row = &self.volumes.volumes[volume];
            if matches!(row.plan.spacing, Spacing::Replica(owner) if owner.0 == service)
                && let Some(&tank) = row.instances.get(&replica)
            {
                self.volumes.renew(tank, now);
                self.level_moved(tank);
            }
        }
    }
}

//! Slots that are connections: opened before they are used, kept while they are idle, and closed in the end.
//!
//! Whoever has got a slot takes the connection that was put back last, or opens one if none is idle: that may take
//! a unit of what the connections come out of, and then time. Both are ordinary operations of the step code, so
//! timeouts, refusals and cancellation need nothing of their own. What is eager is opened by frames that work for
//! nobody; they hold the slot until its connection is there, so nobody gets a slot that has none.

use sim_core::{Calendar, Population, Present, SimTime, Span, hash_name, mix};

use super::alarms::Alarm;
use super::frame::{Arena, Kind, Link, NONE, Request, State};
use super::steps::draws_at;
use super::{Event, Packed, Standing, System, Task, span};
use crate::blueprint::{Outcome, PoolId};
use crate::observe::ConnectionObservation;

/// Pauses between attempts to open: from the first to the longest, twice as long each time.
///
/// Source: `HikariCP`, `HikariPool.PoolEntryCreator`.
const FIRST_PAUSE: Span = Span::from_nanos(10_000_000);
const LONGEST_PAUSE: Span = Span::from_nanos(5_000_000_000);
/// Odd: numbers times this differ in all bits.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// A connection that is open.
#[derive(Clone, Copy, Debug)]
struct Connection {
    instance: u32,
    opened: SimTime,
    /// When it is no longer put back.
    dies: SimTime,
    /// When it was put back last.
    parked: SimTime,
    /// The instance that its unit came out of, or [`NONE`], and since when.
    source: u32,
    since: SimTime,
}

/// The connections of one instance.
#[derive(Clone, Debug)]
struct Rack {
    /// Those that nobody uses, the last one used on top.
    idle: Vec<u32>,
    /// Those that are open, idle or not.
    open: u32,
    /// Frames that are about to open one for nobody.
    openers: u32,
    /// Openers so far: part of the names of their draws.
    started: u64,
    /// The replica that the instance belongs to; [`NONE`] for one that is shared.
    replica: u32,
    /// When the event in force looks for those that have been idle for too long.
    planned: SimTime,
}

/// What a pool's connections are measured by.
#[derive(Clone, Debug, Default)]
struct Meter {
    open: Population,
    opened: u64,
    closed: u64,
    refused: u64,
}

/// All connections of a system.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    rows: Arena<Connection>,
    /// By instance; none where slots are no connections.
    racks: Vec<Option<Box<Rack>>>,
    /// By pool.
    meters: Vec<Option<Box<Meter>>>,
}

impl Connections {
    pub(super) fn new(plan: &crate::blueprint::Blueprint) -> Self {
        let meter = |pool: &crate::blueprint::PoolPlan| pool.connections.as_ref().map(|_| Box::default());
        Self { rows: Arena::new(), racks: Vec::new(), meters: plan.pools.iter().map(meter).collect() }
    }

    /// A new instance is there whose slots are no connections.
    pub(super) fn add_none(&mut self) {
        self.racks.push(None);
    }

    /// Bytes at the high-water mark.
    pub(super) fn bytes(&self) -> usize {
        self.rows.high_water() * size_of::<Connection>()
    }

    fn rack(&mut self, instance: u32) -> &mut Rack {
        self.racks[instance as usize]
            .as_mut()
            .expect("connections are kept where the pool has a plan for them")
    }

    fn meter(&mut self, pool: u32) -> &mut Meter {
        self.meters[pool as usize]
            .as_mut()
            .expect("connections are measured where the pool has a plan for them")
    }

    /// Those that are open, each with its instance: when it was opened, and the instance and time of its unit.
    pub(super) fn census(&self) -> impl Iterator<Item = (u32, SimTime, Option<(u32, SimTime)>)> {
        self.rows.iter().filter(|row| row.instance != NONE).map(|row| {
            let unit = (row.source != NONE).then_some((row.source, row.since));
            (row.instance, row.opened, unit)
        })
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(
        &mut self,
        pool: usize,
        now: SimTime,
        open: Present,
    ) -> Option<ConnectionObservation> {
        let meter = self.meters[pool].as_mut()?;
        Some(ConnectionObservation {
            open: meter.open.flush(now, open),
            opened: std::mem::take(&mut meter.opened),
            closed: std::mem::take(&mut meter.closed),
            refused: std::mem::take(&mut meter.refused),
        })
    }
}

impl System<'_> {
    /// A new instance of `pool` is there, in `replica` or shared.
    pub(super) fn add_rack(&mut self, pool: u32, instance: u32, replica: u32) {
        let kept = self.pools[pool as usize].connections.is_some();
        let rack =
            || Rack { idle: Vec::new(), open: 0, openers: 0, started: 0, replica, planned: SimTime::MAX };
        self.connections.racks.push(kept.then(|| Box::new(rack())));
        if kept {
            self.ready.add(Task::Fill(instance));
        }
    }

    /// Connections of the instance may have to be closed or opened.
    pub(super) fn look_after(&mut self, pool: usize, instance: u32) {
        if self.pools[pool].connections.is_some() {
            self.ready.add(Task::Fill(instance));
        }
    }

    /// The frame has got a slot: it goes on with a connection, at `exit`, or opens one.
    pub(super) fn take_connection(&mut self, index: u32, exit: u32) {
        let frame = self.frames.at_mut(index);
        if frame.kind == Kind::Opener {
            return; // It is here to open one.
        }
        let held = self.held.at(frame.holds);
        if let Some(connection) = self.connections.rack(held.instance).idle.pop() {
            held.connection = connection;
            frame.pc = exit;
        }
    }

    /// The frame opens a connection. Returns whether it can go on at once.
    pub(super) fn open(
        &mut self,
        index: u32,
        pool: PoolId,
        pc: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> bool {
        let Some(plan) = &self.pools[pool.index()].connections else { return true };
        let Some(connect) = &plan.connect else { return true };
        let frame = self.frames.at_mut(index);
        let time = span(connect.sample(&mut draws_at(frame, self.plan.salts[pc as usize])));
        frame.state = State::Delayed;
        frame.since = now;
        calendar.schedule_in(time, Event::StepDone(self.frames.key_of(index)).pack());
        false
    }

    /// The connection is open: it takes over the unit, if the frame has got one for it.
    pub(super) fn opened(&mut self, index: u32, pool: PoolId, takes_unit: bool, pc: u32, now: SimTime) {
        let frame = self.frames.at_mut(index);
        let (mut source, mut since) = (NONE, now);
        if takes_unit {
            let unit = self.held.remove(frame.holds);
            frame.holds = unit.outer;
            (source, since) = (unit.instance, unit.since);
        }
        let plan = self.pools[pool.index()].connections.as_deref();
        let max_life = plan.and_then(|plan| plan.max_life.as_ref());
        let life = max_life.map(|life| span(life.sample(&mut draws_at(frame, self.plan.salts[pc as usize]))));
        let dies = life.map_or(SimTime::MAX, |life| now.saturating_add(life));
        let held = self.held.at(frame.holds);
        let row = Connection { instance: held.instance, opened: now, dies, parked: now, source, since };
        held.connection = self.connections.rows.insert(row);
        self.connections.rack(row.instance).open += 1;
        let meter = self.connections.meter(pool.0);
        meter.open.enter(now);
        meter.opened += 1;
    }

    /// A slot is given back: its connection waits for the next one, unless it is too old or one too many.
    pub(super) fn park(&mut self, connection: u32, now: SimTime) {
        let row = self.connections.rows.at(connection);
        row.parked = now;
        let (instance, dies) = (row.instance, row.dies);
        let pool = &self.pools[self.instances[instance as usize].pool as usize];
        let (slots, plan) = (self.instances[instance as usize].slots, pool.connections.as_deref());
        let idle = plan.and_then(|plan| plan.idle);
        let rack = self.connections.rack(instance);
        if now >= dies || rack.open > slots {
            self.close(connection, now);
            self.ready.add(Task::Fill(instance));
            return;
        }
        rack.idle.push(connection);
        let expires = idle.map_or(dies, |idle| dies.min(now.saturating_add(idle)));
        if expires < rack.planned {
            self.ready.add(Task::Fill(instance));
        }
    }

    /// Closes a connection, which gives back its unit.
    fn close(&mut self, connection: u32, now: SimTime) {
        let row = self.connections.rows.remove(connection);
        self.connections.rows.at(connection).instance = NONE;
        self.connections.rack(row.instance).open -= 1;
        let meter = self.connections.meter(self.instances[row.instance as usize].pool);
        meter.open.leave(row.opened, now);
        meter.closed += 1;
        if row.source != NONE {
            self.give_back(row.source, 1, row.since, now);
        }
    }

    /// Closes what has been idle for too long or is one too many, and opens what is missing.
    pub(super) fn fill(&mut self, instance: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let pool = self.instances[instance as usize].pool;
        let row = &self.pools[pool as usize];
        let Some(plan) = row.connections.as_deref() else { return };
        let (idle_time, opener) = (plan.idle, plan.opener);
        let slots = self.instances[instance as usize].slots;
        let expiry = |row: &Connection| {
            idle_time.map_or(row.dies, |idle| row.dies.min(row.parked.saturating_add(idle)))
        };
        let replica = self.connections.rack(instance).replica;
        let standing =
            if replica == NONE { Standing::Ready } else { self.replicas[replica as usize].standing };
        let mut at = 0;
        let mut next = SimTime::MAX;
        while let Some(&connection) = self.connections.rack(instance).idle.get(at) {
            let expires = expiry(self.connections.rows.peek(connection));
            let surplus = self.connections.rack(instance).open > slots || !standing.works();
            if expires <= now || surplus {
                self.connections.rack(instance).idle.remove(at);
                self.close(connection, now);
            } else {
                next = next.min(expires);
                at += 1;
            }
        }
        let rack = self.connections.rack(instance);
        if next < rack.planned {
            rack.planned = next;
            self.set_alarm(next, Alarm::Fill(instance), calendar);
        }
        if let Some(entry) = opener
            && standing == Standing::Ready
        {
            while self.connections.rack(instance).open + self.connections.rack(instance).openers < slots {
                self.start_opener(instance, entry.0, now);
            }
        }
    }

    /// Closes the connections of the instance that nobody uses.
    pub(super) fn close_idle(&mut self, instance: u32, now: SimTime) {
        if self.connections.racks[instance as usize].is_none() {
            return;
        }
        while let Some(connection) = self.connections.rack(instance).idle.pop() {
            self.close(connection, now);
        }
    }

    /// The time to look for connections that have been idle for too long has come.
    pub(super) fn fill_due(&mut self, instance: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let rack = self.connections.rack(instance);
        if rack.planned == now {
            rack.planned = SimTime::MAX; // Otherwise an earlier look has taken its place.
            self.fill(instance, now, calendar);
        }
    }

    /// Starts a frame that opens a connection for nobody.
    fn start_opener(&mut self, instance: u32, entry: u32, now: SimTime) {
        let pool = self.instances[instance as usize].pool;
        let rack = self.connections.rack(instance);
        rack.openers += 1;
        rack.started += 1;
        let (replica, number) = (rack.replica, rack.started);
        let local = u64::from(self.replicas[replica as usize].local);
        // By names, not by positions: what else there is changes nothing.
        let path = hash_name(&self.plan.pools[pool as usize].path);
        let draw_key =
            mix(self.stream ^ mix(path.wrapping_add(local.wrapping_mul(STRIDE))).wrapping_add(number));
        let request = self.requests.insert(Request::blank()).index();
        let (index, frame) = self.open_frame(request, Link::NOBODY, now);
        frame.pc = entry;
        frame.replica = replica;
        frame.draw_key = draw_key;
        frame.kind = Kind::Opener;
        frame.ticket = instance;
        self.occupy(replica, now);
        self.ready.add(Task::Run(self.frames.key_of(index)));
    }

    /// The frame did not get what it asked a pool for. It ends; but what opens connections tries again later.
    pub(super) fn go_without(
        &mut self,
        index: u32,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let frame = self.frames.at_mut(index);
        if frame.kind != Kind::Opener || self.replicas[frame.replica as usize].standing != Standing::Ready {
            return self.finish(index, outcome, now, calendar);
        }
        frame.pc -= 1;
        frame.state = State::Delayed;
        let doubled = FIRST_PAUSE.as_nanos() << frame.round.min(20);
        frame.round += 1;
        let pause = Span::from_nanos(doubled.min(LONGEST_PAUSE.as_nanos()));
        let pool = self.instances[frame.ticket as usize].pool;
        self.connections.meter(pool).refused += 1;
        calendar.schedule_in(pause, Event::StepDone(self.frames.key_of(index)).pack());
        None
    }

    /// What opens a connection has ended, with or without one.
    #[cold]
    pub(super) fn opener_ended(&mut self, index: u32) {
        let instance = self.frames.at(index).ticket;
        self.connections.rack(instance).openers -= 1;
        self.ready.add(Task::Fill(instance));
    }
}

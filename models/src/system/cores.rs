//! The cores of one replica: processor sharing by virtual time, and event loops.
//!
//! All that compute progress at the same pace, at most one core each. Virtual time is the CPU time that each of
//! them has got; a burst ends when virtual time has advanced by its need. So a change of pace costs nothing per
//! burst, and one event, for the burst that ends first, is enough. An event loop lets only as many compute as
//! it has cores; the others wait in line.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use sim_core::{SimTime, Span};

use super::frame::Arena;
use super::visit::Worker;

/// Half a nanosecond: events happen at whole ones.
const ROUNDING: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Cores {
    /// The service whose replica owns them.
    pub(super) service: u32,
    /// Cores; infinite where a service has no limit.
    limit: f64,
    speed: f64,
    /// How many may compute at once.
    admitted: usize,
    /// Virtual time: nanoseconds of CPU that each burst has got.
    virtual_time: f64,
    last: SimTime,
    /// Bursts by the virtual time at which they end; those that were stopped are skipped.
    active: BinaryHeap<Reverse<(u64, u32, u32)>>,
    bursts: Arena<Burst>,
    /// Bursts that compute.
    running: usize,
    sequence: u32,
    line: VecDeque<(Worker, u64)>,
    /// When the event in force looks for bursts that have ended: not after the first of them ends.
    planned: SimTime,
    /// Tells that event from older ones.
    generation: u32,
    /// Core-nanoseconds used since the segment began.
    pub(super) busy: f64,
    /// CPU-nanoseconds worked off since the segment began.
    pub(super) worked: f64,
    /// Sum of the virtual times at which the running bursts began, to tell what they have got so far.
    starts: f64,
}

/// Where a burst stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It computes: its ticket.
    Computing(u32),
    /// It waits for a core.
    InLine,
}

/// A burst that computes, or did until somebody stopped it.
#[derive(Clone, Copy, Debug)]
struct Burst {
    worker: Worker,
    /// CPU-nanoseconds.
    need: u64,
    /// The virtual time at which it began.
    start: f64,
    running: bool,
}

impl Cores {
    pub(super) fn new(service: u32, cores: f64, run_to_completion: bool, speed: f64, now: SimTime) -> Self {
        let mut new = Self {
            service,
            limit: cores,
            speed,
            admitted: usize::MAX,
            virtual_time: 0.0,
            last: now,
            active: BinaryHeap::new(),
            bursts: Arena::new(),
            running: 0,
            sequence: 0,
            line: VecDeque::new(),
            planned: SimTime::MAX,
            generation: 0,
            busy: 0.0,
            worked: 0.0,
            starts: 0.0,
        };
        new.reshape(cores, run_to_completion, speed);
        new
    }

    fn reshape(&mut self, cores: f64, run_to_completion: bool, speed: f64) {
        self.limit = cores;
        self.speed = speed;
        self.admitted = if run_to_completion { (cores.ceil() as usize).max(1) } else { usize::MAX };
    }

    /// Puts other limits in force.
    pub(super) fn change(&mut self, cores: f64, run_to_completion: bool, speed: f64, now: SimTime) {
        self.advance(now);
        self.reshape(cores, run_to_completion, speed);
    }

    /// CPU-nanoseconds per nanosecond that each burst gets.
    fn pace(&self) -> f64 {
        self.speed * (self.limit / self.running as f64).min(1.0)
    }

    /// Brings virtual time up to `now`.
    pub(super) fn advance(&mut self, now: SimTime) {
        if self.running > 0 {
            let elapsed = now.since(self.last).as_nanos() as f64;
            let pace = self.pace();
            self.virtual_time += elapsed * pace;
            self.busy += elapsed * self.limit.min(self.running as f64);
            self.worked += elapsed * pace * self.running as f64;
        }
        self.last = now;
    }

    /// Begins a burst of `need` CPU-nanoseconds. Virtual time must be up to date.
    pub(super) fn begin(&mut self, worker: Worker, need: u64) -> Begun {
        if self.running >= self.admitted {
            self.line.push_back((worker, need));
            return Begun::InLine;
        }
        Begun::Computing(self.admit(worker, need))
    }

    fn admit(&mut self, worker: Worker, need: u64) -> u32 {
        if self.running == 0 {
            // Nobody remembers the old origin: a fresh one keeps the sums precise.
            self.virtual_time = 0.0;
            self.starts = 0.0;
        }
        let start = self.virtual_time;
        let ticket = self.bursts.insert(Burst { worker, need, start, running: true });
        self.sequence = self.sequence.wrapping_add(1);
        self.starts += start;
        self.active.push(Reverse(((start + need as f64).to_bits(), self.sequence, ticket)));
        self.running += 1;
        ticket
    }

    /// Ends a burst that has got its need, if one has: whose it was, and its need.
    pub(super) fn end_one(&mut self) -> Option<(Worker, u64)> {
        let (end, ticket) = self.earliest()?;
        if (end - self.virtual_time) > ROUNDING * self.pace() {
            return None;
        }
        self.active.pop();
        let burst = self.bursts.remove(ticket);
        self.leave(burst.start);
        Some((burst.worker, burst.need))
    }

    /// The burst that ends first: the virtual time of its end, and its ticket.
    fn earliest(&mut self) -> Option<(f64, u32)> {
        while let Some(&Reverse((end, _, ticket))) = self.active.peek() {
            if self.bursts.at(ticket).running {
                return Some((f64::from_bits(end), ticket));
            }
            self.active.pop();
            self.bursts.remove(ticket);
        }
        None
    }

    fn leave(&mut self, start: f64) {
        self.running -= 1;
        self.starts -= start;
    }

    /// Lets the next in line compute: who it is, and its ticket.
    pub(super) fn next_in_line(&mut self, is_live: impl Fn(Worker) -> bool) -> Option<(Worker, u32)> {
        while self.running < self.admitted {
            let (worker, need) = self.line.pop_front()?;
            if is_live(worker) {
                return Some((worker, self.admit(worker, need)));
            }
        }
        None
    }

    /// Stops a burst before it has got its need. Returns the CPU-nanoseconds that it got.
    pub(super) fn stop(&mut self, ticket: u32) -> f64 {
        let burst = self.bursts.at(ticket);
        burst.running = false;
        let start = burst.start;
        self.leave(start);
        self.virtual_time - start
    }

    /// When to look for bursts that have ended, and the generation of that event; none if an event in force will
    /// look early enough, or if there is nothing to look for.
    ///
    /// Whoever joins makes the others end later, not earlier: an event that comes too early looks again. So a
    /// change of pace seldom costs an event.
    pub(super) fn plan(&mut self) -> Option<(SimTime, u32)> {
        let at = self.last.saturating_add(Span::from_nanos(self.until_next_end()?));
        if at >= self.planned {
            return None;
        }
        self.planned = at;
        self.generation = self.generation.wrapping_add(1);
        Some((at, self.generation))
    }

    /// Whether the event of this generation is the one in force, which it is no longer.
    pub(super) fn is_due(&mut self, generation: u32) -> bool {
        let in_force = self.generation == generation;
        if in_force {
            self.planned = SimTime::MAX;
        }
        in_force
    }

    /// Nanoseconds until the earliest end, if any burst computes and time passes for it.
    fn until_next_end(&mut self) -> Option<u64> {
        let (end, _) = self.earliest()?;
        let pace = self.pace();
        if pace <= 0.0 {
            return None;
        }
        let nanos = ((end - self.virtual_time) / pace - 1e-6).ceil().max(0.0);
        (nanos < 3.0e18).then_some(nanos as u64)
    }

    /// CPU-nanoseconds that unfinished bursts have got so far.
    pub(super) fn partial(&self) -> f64 {
        self.virtual_time * self.running as f64 - self.starts
    }
}

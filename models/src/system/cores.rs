//! The cores of one replica: processor sharing by virtual time, and event loops.
//!
//! All that compute progress at the same pace, at most one core each. Virtual time is the CPU time that each of
//! them has got; a burst ends when virtual time has advanced by its need. So a change of pace costs nothing per
//! burst, and one event, for the burst that ends first, is enough. An event loop lets only as many compute as
//! it has cores; the others wait in line.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use sim_core::SimTime;

use super::frame::FrameKey;

/// Half a nanosecond: events happen at whole ones.
const ROUNDING: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Cores {
    /// The service whose replica owns them.
    pub(super) service: u32,
    /// Cores; infinite where a service has no limit.
    cores: f64,
    speed: f64,
    /// How many may compute at once.
    admitted: usize,
    /// Virtual time: nanoseconds of CPU that each burst has got.
    virtual_time: f64,
    last: SimTime,
    /// Bursts by the virtual time at which they end; those that were stopped are skipped.
    active: BinaryHeap<Reverse<(u64, u32, FrameKey)>>,
    /// Bursts that compute.
    running: usize,
    sequence: u32,
    line: VecDeque<(FrameKey, u64)>,
    /// Tells the event in force from older ones.
    pub(super) generation: u32,
    /// Core-nanoseconds used since the segment began.
    pub(super) busy: f64,
    /// CPU-nanoseconds worked off since the segment began.
    pub(super) worked: f64,
    /// Sum of the virtual times at which the running bursts began, to tell what they have got so far.
    starts: f64,
}

/// A burst that computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Burst {
    /// Tells it from others of the same frame.
    pub(super) ticket: u32,
    /// The virtual time at which it began.
    pub(super) start: f64,
}

/// Where a burst stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Begun {
    /// It computes.
    Computing(Burst),
    /// It waits for a core.
    InLine,
}

impl Cores {
    pub(super) fn new(service: u32, cores: f64, run_to_completion: bool, speed: f64, now: SimTime) -> Self {
        let mut new = Self {
            service,
            cores,
            speed,
            admitted: usize::MAX,
            virtual_time: 0.0,
            last: now,
            active: BinaryHeap::new(),
            running: 0,
            sequence: 0,
            line: VecDeque::new(),
            generation: 0,
            busy: 0.0,
            worked: 0.0,
            starts: 0.0,
        };
        new.reshape(cores, run_to_completion, speed);
        new
    }

    fn reshape(&mut self, cores: f64, run_to_completion: bool, speed: f64) {
        self.cores = cores;
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
        self.speed * (self.cores / self.running as f64).min(1.0)
    }

    /// Brings virtual time up to `now`.
    pub(super) fn advance(&mut self, now: SimTime) {
        if self.running > 0 {
            let elapsed = now.since(self.last).as_nanos() as f64;
            let pace = self.pace();
            self.virtual_time += elapsed * pace;
            self.busy += elapsed * self.cores.min(self.running as f64);
            self.worked += elapsed * pace * self.running as f64;
        }
        self.last = now;
    }

    /// Begins a burst of `need` CPU-nanoseconds. Virtual time must be up to date.
    pub(super) fn begin(&mut self, frame: FrameKey, need: u64) -> Begun {
        if self.running >= self.admitted {
            self.line.push_back((frame, need));
            return Begun::InLine;
        }
        Begun::Computing(self.admit(frame, need))
    }

    fn admit(&mut self, frame: FrameKey, need: u64) -> Burst {
        if self.running == 0 {
            // Nobody remembers the old origin: a fresh one keeps the sums precise.
            self.virtual_time = 0.0;
            self.starts = 0.0;
            self.active.clear();
        }
        self.sequence = self.sequence.wrapping_add(1);
        let end = self.virtual_time + need as f64;
        self.starts += self.virtual_time;
        self.active.push(Reverse((end.to_bits(), self.sequence, frame)));
        self.running += 1;
        Burst { ticket: self.sequence, start: self.virtual_time }
    }

    /// A burst that has got its need, if one has; `is_live` knows those that were stopped.
    pub(super) fn ended(&mut self, need_of: impl Fn(FrameKey, u32) -> Option<u64>) -> Option<FrameKey> {
        let (end, frame, need) = self.earliest(need_of)?;
        if (end - self.virtual_time) > ROUNDING * self.pace() {
            return None;
        }
        self.active.pop();
        self.leave(end - need as f64);
        Some(frame)
    }

    /// The burst that ends first: the virtual time of its end, its frame and its need.
    fn earliest(&mut self, need_of: impl Fn(FrameKey, u32) -> Option<u64>) -> Option<(f64, FrameKey, u64)> {
        while let Some(&Reverse((end, ticket, frame))) = self.active.peek() {
            if let Some(need) = need_of(frame, ticket) {
                return Some((f64::from_bits(end), frame, need));
            }
            self.active.pop();
        }
        None
    }

    fn leave(&mut self, start: f64) {
        self.running -= 1;
        self.starts -= start;
    }

    /// Lets the next in line compute: its frame and burst.
    pub(super) fn next_in_line(&mut self, is_live: impl Fn(FrameKey) -> bool) -> Option<(FrameKey, Burst)> {
        while self.running < self.admitted {
            let (frame, need) = self.line.pop_front()?;
            if is_live(frame) {
                return Some((frame, self.admit(frame, need)));
            }
        }
        None
    }

    /// Stops a burst that began at virtual time `start` before it has got its need. Returns what it got.
    pub(super) fn stop(&mut self, start: f64) -> f64 {
        self.leave(start);
        self.virtual_time - start
    }

    /// Nanoseconds until the earliest end, if any burst computes and time passes for it.
    pub(super) fn until_next_end(&mut self, need_of: impl Fn(FrameKey, u32) -> Option<u64>) -> Option<u64> {
        let (end, _, _) = self.earliest(need_of)?;
        let pace = self.pace();
        if pace <= 0.0 {
            return None;
        }
        let nanos = ((end - self.virtual_time) / pace - 1e-6).ceil().max(0.0);
        Some(if nanos < 3.0e18 { nanos as u64 } else { return None })
    }

    /// CPU-nanoseconds that unfinished bursts have got so far.
    pub(super) fn partial(&self) -> f64 {
        self.virtual_time * self.running as f64 - self.starts
    }
}

//! The cores of one replica.
//!
//! A burst is the need of one request for CPU time. Who computes is a matter of the scheduling, one file a
//! discipline: each keeps the bursts, and virtual times that tell what those who compute have got. So a change of
//! pace costs nothing per burst, and one event, for the burst that ends first, is enough. What slows all of them
//! (contention, a quota) is the same for every discipline and stands here.

mod brakes;
mod least_attained;
mod ranked;
mod sharing;

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

use super::visit::Worker;
use crate::blueprint::{CoresPlan, Scheduling};
use crate::observe::ThrottledObservation;
use brakes::Brakes;
use least_attained::LeastAttained;
use ranked::Ranked;
use sharing::Sharing;

/// Half a nanosecond: events happen at whole ones.
const ROUNDING: f64 = 0.5;

/// A need for CPU time.
#[derive(Clone, Copy, Debug)]
struct Burst {
    worker: Worker,
    /// CPU-nanoseconds.
    need: u64,
    /// The class of its request, where that counts.
    class: u16,
}

/// A burst that is moved from one discipline to another, and what it has got so far.
#[derive(Clone, Copy, Debug)]
struct Moved {
    ticket: u32,
    burst: Burst,
    got: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Cores {
    /// The service whose replica owns them.
    pub(super) service: u32,
    /// Cores that can be used at once; infinite where a service has no limit.
    width: f64,
    /// Cores that the replica may use in the long run.
    limit: f64,
    speed: f64,
    last: SimTime,
    discipline: Discipline,
    /// What makes work slower than the cores are.
    brakes: Option<Box<Brakes>>,
    /// Whether the scheduling goes by class.
    by_class: bool,
    line: VecDeque<Burst>,
    /// When the event in force looks for bursts that have ended: not after the first of them ends.
    planned: SimTime,
    /// Tells that event from older ones.
    generation: u32,
    /// Core-nanoseconds used since the segment began.
    pub(super) busy: f64,
    /// CPU-nanoseconds worked off since the segment began.
    pub(super) worked: f64,
    /// Core-nanoseconds during which pauses had the cores since the segment began.
    pub(super) paused: f64,
}

/// Where a burst stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// The discipline has it: its ticket. Whether it computes at this moment is the discipline's affair.
    Computing(u32),
    /// It waits for a core.
    InLine,
}

/// Who computes, and what they have got.
#[derive(Clone, Debug)]
enum Discipline {
    Sharing(Sharing),
    Ranked(Box<Ranked>),
    LeastAttained(Box<LeastAttained>),
}

/// Runs the same expression on the discipline.
macro_rules! each {
    ($discipline:expr, $row:ident => $body:expr) => {
        match $discipline {
            Discipline::Sharing($row) => $body,
            Discipline::Ranked($row) => $body,
            Discipline::LeastAttained($row) => $body,
        }
    };
}

impl Discipline {
    fn new(plan: &CoresPlan) -> Self {
        match plan.scheduling {
            Scheduling::Sharing | Scheduling::RunToCompletion => Self::Sharing(Sharing::new(plan)),
            Scheduling::LeastAttained => Self::LeastAttained(Box::new(LeastAttained::new(plan))),
            Scheduling::ShortestJobFirst
            | Scheduling::ShortestOriginalSize
            | Scheduling::ShortestRemaining
            | Scheduling::LastComeFirst
            | Scheduling::Priority { .. } => Self::Ranked(Box::new(Ranked::new(plan))),
        }
    }

    /// Puts other limits in force; bursts that the discipline cannot keep are handed over to another.
    fn change(&mut self, plan: &CoresPlan) {
        let stays = match self {
            Self::Sharing(row) => row.change(plan),
            Self::Ranked(row) => row.change(plan),
            Self::LeastAttained(row) => row.change(plan),
        };
        if !stays {
            let mut moved = each!(self, row => row.take_all());
            *self = Self::new(plan);
            if let Self::LeastAttained(_) = self {
                moved.sort_by(|a, b| b.got.total_cmp(&a.got));
            }
            for moved in moved {
                each!(self, row => row.adopt(moved));
            }
        }
    }
}

impl Cores {
    /// `name` tells the quotas of several replicas apart, whose periods begin at different times.
    pub(super) fn new(service: u32, plan: &CoresPlan, speed: f64, name: u64, now: SimTime) -> Self {
        Self {
            service,
            width: plan.width(),
            limit: plan.cores,
            speed,
            last: now,
            discipline: Discipline::new(plan),
            brakes: Brakes::new(plan, name),
            by_class: matches!(plan.scheduling, Scheduling::Priority { .. }),
            line: VecDeque::new(),
            planned: SimTime::MAX,
            generation: 0,
            busy: 0.0,
            worked: 0.0,
            paused: 0.0,
        }
    }

    /// Puts other limits in force.
    pub(super) fn change(&mut self, plan: &CoresPlan, speed: f64, name: u64, now: SimTime) {
        self.advance(now);
        self.width = plan.width();
        self.limit = plan.cores;
        self.speed = speed;
        self.by_class = matches!(plan.scheduling, Scheduling::Priority { .. });
        self.discipline.change(plan);
        match &mut self.brakes {
            Some(brakes) => brakes.change(plan, name),
            brakes => *brakes = Brakes::new(plan, name),
        }
    }

    /// Whether the class of a request counts.
    #[inline]
    pub(super) fn goes_by_class(&self) -> bool {
        self.by_class
    }

    /// The sharing of cores that nothing slows: the usual case, which goes without asking what else there is.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would cost as much as it saves")]
    fn plain(&mut self) -> Option<&mut Sharing> {
        match (&mut self.discipline, &self.brakes) {
            (Discipline::Sharing(row), None) => Some(row),
            _ => None,
        }
    }

    /// How many compute at this moment.
    fn running(&self) -> usize {
        each!(&self.discipline, row => row.running())
    }

    /// CPU-nanoseconds per nanosecond of one who has a core of its own.
    fn full(&self) -> f64 {
        match &self.brakes {
            None => self.speed,
            Some(brakes) => self.speed * brakes.efficiency(self.running(), self.width),
        }
    }

    /// Brings virtual times up to `now`.
    #[inline]
    pub(super) fn advance(&mut self, now: SimTime) {
        let (elapsed, speed, width) = (now.since(self.last).as_nanos() as f64, self.speed, self.width);
        let Some(row) = self.plain() else { return self.advance_any(now) };
        if row.running() > 0 {
            let used = width.min(row.running() as f64);
            let work = row.pass(elapsed, speed);
            self.busy += elapsed * used;
            self.worked += work;
        }
        self.last = now;
    }

    /// Stops everybody who computes. Virtual times must be up to date.
    pub(super) fn pause(&mut self) {
        self.brakes.get_or_insert_default().pause();
    }

    /// Lets everybody go on, unless somebody else has paused them too. Virtual times must be up to date.
    pub(super) fn resume(&mut self) {
        self.brakes.get_or_insert_default().resume();
    }

    fn is_paused(&self) -> bool {
        self.brakes.as_ref().is_some_and(|brakes| brakes.is_paused())
    }

    #[inline(never)]
    fn advance_any(&mut self, now: SimTime) {
        let running = self.running();
        if self.is_paused() {
            self.paused += now.since(self.last).as_nanos() as f64 * self.limit;
        } else if running > 0 {
            let mut elapsed = now.since(self.last).as_nanos() as f64;
            let full = self.full();
            let used = self.width.min(running as f64);
            if let Some(brakes) = &mut self.brakes {
                elapsed = brakes.pass(self.last, now, used);
            }
            self.busy += elapsed * used;
            self.worked += each!(&mut self.discipline, row => row.pass(elapsed, full));
        }
        self.last = now;
    }

    /// Begins a burst of `need` CPU-nanoseconds. Virtual times must be up to date.
    #[inline]
    pub(super) fn begin(&mut self, worker: Worker, need: u64, class: u16) -> Begun {
        let burst = Burst { worker, need, class };
        if each!(&self.discipline, row => row.has_room()) {
            return Begun::Computing(each!(&mut self.discipline, row => row.begin(burst)));
        }
        self.line.push_back(burst);
        Begun::InLine
    }

    /// Ends a burst that has got its need, if one has: whose it was, and its need.
    #[inline]
    pub(super) fn end_one(&mut self) -> Option<(Worker, u64)> {
        let speed = self.speed;
        if let Some(row) = self.plain() {
            return row.end_one(speed).map(|burst| (burst.worker, burst.need));
        }
        let full = self.full();
        each!(&mut self.discipline, row => row.end_one(full)).map(|burst| (burst.worker, burst.need))
    }

    /// Lets the next in line compute: who it is, and its ticket.
    pub(super) fn next_in_line(&mut self, is_live: impl Fn(Worker) -> bool) -> Option<(Worker, u32)> {
        while !self.line.is_empty() && each!(&self.discipline, row => row.has_room()) {
            let burst = self.line.pop_front()?;
            if is_live(burst.worker) {
                let ticket = each!(&mut self.discipline, row => row.begin(burst));
                return Some((burst.worker, ticket));
            }
        }
        None
    }

    /// Stops a burst before it has got its need. Returns the CPU-nanoseconds that it got.
    pub(super) fn stop(&mut self, ticket: u32) -> f64 {
        each!(&mut self.discipline, row => row.stop(ticket))
    }

    /// When to look for bursts that have ended, and the generation of that event; none if an event in force will
    /// look early enough, or if there is nothing to look for.
    ///
    /// Whoever joins makes the others end later, not earlier: an event that comes too early looks again. So a
    /// change of pace seldom costs an event.
    #[inline]
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
    #[inline]
    pub(super) fn is_due(&mut self, generation: u32) -> bool {
        let in_force = self.generation == generation;
        if in_force {
            self.planned = SimTime::MAX;
        }
        in_force
    }

    /// Nanoseconds until the earliest end, if any burst computes and time passes for it.
    #[inline]
    fn until_next_end(&mut self) -> Option<u64> {
        let speed = self.speed;
        let until = match self.plain() {
            Some(row) => row.until_next(speed)?,
            None => self.until_next_any()?,
        };
        let nanos = (until - 1e-6).ceil().max(0.0);
        (nanos < 3.0e18).then_some(nanos as u64)
    }

    #[inline(never)]
    fn until_next_any(&mut self) -> Option<f64> {
        if self.is_paused() {
            return None;
        }
        let full = self.full();
        let until = each!(&mut self.discipline, row => row.until_next(full))?;
        let used = self.width.min(self.running() as f64);
        Some(self.brakes.as_ref().map_or(until, |brakes| brakes.delay(self.last, until, used)))
    }

    /// CPU-nanoseconds that unfinished bursts have got so far.
    pub(super) fn partial(&self) -> f64 {
        each!(&self.discipline, row => row.partial())
    }

    /// What the quota has held back since the last call.
    pub(super) fn take_throttled(&mut self) -> ThrottledObservation {
        self.brakes.as_mut().map(|brakes| brakes.take_throttled()).unwrap_or_default()
    }
}

/// Sequences of bursts against the disciplines, worked out by hand.
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Burst, Moved, ROUNDING};
use crate::blueprint::{CoresPlan, Scheduling};
use crate::system::frame::Arena;

/// Lines with fewer entries of those who are gone are not swept.
const SHORT_LINE: usize = 64;

/// As many compute as there are cores: the first of an order. Who is behind them waits, and, where the order is
/// preemptive, stands back without losing what it has got.
///
/// All that compute have the same pace, so that one virtual time tells what they have got since they took a core.
/// With a fraction of a core more than whole ones, that many more compute and all share what there is.
///
/// Sources: SRPT is optimal for the mean response time, Schrage, *A Proof of the Optimality of the Shortest
/// Remaining Processing Time Discipline*, Operations Research 16(3), 1968; the others as in Harchol-Balter,
/// *Performance Modeling and Design of Computer Systems* (2013), chapters 30 to 33.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    rule: Scheduling,
    width: f64,
    /// How many compute at once.
    admitted: usize,
    virtual_time: f64,
    bursts: Arena<Row>,
    /// Those that compute, in no order: there are as many as cores.
    running: Vec<u32>,
    /// Those that wait, by rank; some may have been stopped.
    waiting: BinaryHeap<Reverse<(u64, u64, u32)>>,
    /// How many of those are still wanted.
    wanted: usize,
    sequence: u64,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    burst: Burst,
    /// Its number in the order of arrival.
    sequence: u64,
    /// What it got before it took the core that it has, or in all while it waits.
    got: f64,
    /// The virtual time at which it took its core.
    start: f64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    Waiting,
    Stopped,
}

impl Ranked {
    pub(super) fn new(plan: &CoresPlan) -> Self {
        Self {
            rule: plan.scheduling,
            width: plan.width(),
            admitted: plan.admitted(),
            virtual_time: 0.0,
            bursts: Arena::new(),
            running: Vec::new(),
            waiting: BinaryHeap::new(),
            wanted: 0,
            sequence: 0,
        }
    }

    /// Puts other limits in force, if the order stays.
    pub(super) fn change(&mut self, plan: &CoresPlan) -> bool {
        if plan.scheduling != self.rule {
            return false;
        }
        self.width = plan.width();
        self.admitted = plan.admitted();
        while self.running.len() > self.admitted && !self.rule.in_line() {
            self.displace_last();
        }
        self.fill();
        true
    }

    #[inline]
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    fn pace(&self, full: f64) -> f64 {
        full * (self.width / self.running.len() as f64).min(1.0)
    }

    /// Lets time pass; returns the work that was done in it.
    pub(super) fn pass(&mut self, elapsed: f64, full: f64) -> f64 {
        let pace = self.pace(full);
        self.virtual_time += elapsed * pace;
        elapsed * pace * self.running.len() as f64
    }

    /// What the burst has got by now.
    fn got(&self, row: &Row) -> f64 {
        if row.stage == Stage::Running { row.got + (self.virtual_time - row.start) } else { row.got }
    }

    /// Where a burst stands in the order: smaller is earlier, and among equals who came first.
    fn rank(&self, row: &Row) -> (u64, u64) {
        let key = match self.rule {
            // Never negative, so that the order of the bits is that of the numbers.
            Scheduling::ShortestRemaining => (row.burst.need as f64 - self.got(row)).max(0.0).to_bits(),
            Scheduling::ShortestOriginalSize | Scheduling::ShortestJobFirst => row.burst.need,
            Scheduling::Priority { .. } => u64::from(row.burst.class),
            Scheduling::LastComeFirst => u64::MAX - row.sequence,
            Scheduling::Sharing | Scheduling::RunToCompletion | Scheduling::LeastAttained => row.sequence,
        };
        (key, row.sequence)
    }

    /// Nobody waits outside.
    #[expect(clippy::unused_self, reason = "other disciplines let some wait")]
    pub(super) fn has_room(&self) -> bool {
        true
    }

    /// The ticket of a burst that begins. It always does, though it may have to wait for a core.
    pub(super) fn begin(&mut self, burst: Burst) -> u32 {
        let row = Row { burst, sequence: self.sequence, got: 0.0, start: 0.0, stage: Stage::Waiting };
        self.sequence += 1;
        let ticket = self.bursts.insert(row);
        self.enter(ticket);
        ticket
    }

    /// Gives a burst a core, or a place in line.
    fn enter(&mut self, ticket: u32) {
        if self.running.len() < self.admitted {
            self.start(ticket);
            return;
        }
        let rank = self.rank(self.bursts.peek(ticket));
        let last = self.last_running();
        let comes_first = last.is_some_and(|at| rank < self.rank(self.bursts.peek(self.running[at])));
        if comes_first && !self.rule.in_line() {
            self.displace_last();
            self.start(ticket);
        } else {
            self.wait(ticket);
        }
    }

    /// The place among the running of the one that is last in order.
    fn last_running(&self) -> Option<usize> {
        (0..self.running.len()).max_by_key(|&at| self.rank(self.bursts.peek(self.running[at])))
    }

    fn start(&mut self, ticket: u32) {
        if self.running.is_empty() {
            // Nobody remembers the old origin: a fresh one keeps the sums precise.
            self.virtual_time = 0.0;
        }
        let row = self.bursts.at(ticket);
        row.start = self.virtual_time;
        row.stage = Stage::Running;
        self.running.push(ticket);
    }

    fn wait(&mut self, ticket: u32) {
        let (key, sequence) = self.rank(self.bursts.peek(ticket));
        self.waiting.push(Reverse((key, sequence, ticket)));
        self.wanted += 1;
    }

    fn displace_last(&mut self) {
        let Some(at) = self.last_running() else { return };
        let ticket = self.running.swap_remove(at);
        let got = self.got(self.bursts.peek(ticket));
        let row = self.bursts.at(ticket);
        row.got = got;
        row.stage = Stage::Waiting;
        self.wait(ticket);
    }

    /// Gives free cores to the first in order.
    fn fill(&mut self) {
        while self.running.len() < self.admitted {
            let Some(Reverse((_, _, ticket))) = self.waiting.pop() else { return };
            if self.bursts.peek(ticket).stage == Stage::Waiting {
                self.wanted -= 1;
                self.start(ticket);
            } else {
                self.bursts.remove(ticket);
            }
        }
    }

    /// Ends a burst that has got its need, if one has.
    pub(super) fn end_one(&mut self, full: f64) -> Option<Burst> {
        let (at, left) = self.earliest()?;
        if left > ROUNDING * self.pace(full) {
            return None;
        }
        let ticket = self.running.swap_remove(at);
        let row = self.bursts.remove(ticket);
        self.fill();
        Some(row.burst)
    }

    /// Who ends first: its place among the running, and what it still needs.
    fn earliest(&self) -> Option<(usize, f64)> {
        let left = |ticket: u32| {
            let row = self.bursts.peek(ticket);
            row.burst.need as f64 - self.got(row)
        };
        let all = self.running.iter().enumerate().map(|(at, &ticket)| (at, left(ticket)));
        let order = |at: usize| self.bursts.peek(self.running[at]).sequence;
        all.min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| order(a.0).cmp(&order(b.0))))
    }

    /// Stops a burst. Returns the CPU-nanoseconds that it got.
    pub(super) fn stop(&mut self, ticket: u32) -> f64 {
        let row = *self.bursts.peek(ticket);
        let got = self.got(&row);
        if row.stage == Stage::Running {
            self.running.retain(|&other| other != ticket);
            self.bursts.remove(ticket);
            self.fill();
            return got;
        }
        self.bursts.at(ticket).stage = Stage::Stopped;
        self.wanted -= 1;
        if self.waiting.len() > SHORT_LINE && self.waiting.len() > 2 * self.wanted {
            self.sweep();
        }
        got
    }

    /// Forgets those in line who were stopped.
    fn sweep(&mut self) {
        let mut kept = std::mem::take(&mut self.waiting).into_vec();
        kept.retain(|&Reverse((_, _, ticket))| {
            let stays = self.bursts.peek(ticket).stage == Stage::Waiting;
            if !stays {
                self.bursts.remove(ticket);
            }
            stays
        });
        self.waiting = kept.into();
    }

    /// Nanoseconds until the earliest end, if any burst computes and time passes for it.
    pub(super) fn until_next(&mut self, full: f64) -> Option<f64> {
        let (_, left) = self.earliest()?;
        let pace = self.pace(full);
        (pace > 0.0).then(|| left / pace)
    }

    /// CPU-nanoseconds that unfinished bursts have got so far.
    pub(super) fn partial(&self) -> f64 {
        let waiting = self.waiting.iter().map(|&Reverse((_, _, ticket))| ticket);
        let all = self.running.iter().copied().chain(waiting).map(|ticket| self.bursts.peek(ticket));
        all.filter(|row| row.stage != Stage::Stopped).map(|row| self.got(row)).sum()
    }

    /// Gives all bursts away, the oldest first.
    pub(super) fn take_all(&mut self) -> Vec<Moved> {
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|Reverse((_, _, ticket))| ticket);
        let tickets: Vec<u32> = std::mem::take(&mut self.running).into_iter().chain(waiting).collect();
        let rows = tickets.into_iter().map(|ticket| (ticket, self.bursts.peek(ticket)));
        let mut all: Vec<(u64, Moved)> = rows
            .filter(|(_, row)| row.stage != Stage::Stopped)
            .map(|(ticket, row)| (row.sequence, Moved { ticket, burst: row.burst, got: self.got(row) }))
            .collect();
        all.sort_unstable_by_key(|(sequence, _)| *sequence);
        all.into_iter().map(|(_, moved)| moved).collect()
    }

    /// Takes a burst over that has begun elsewhere.
    pub(super) fn adopt(&mut self, moved: Moved) {
        let Moved { ticket, burst, got } = moved;
        let row = Row { burst, sequence: self.sequence, got, start: 0.0, stage: Stage::Waiting };
        self.sequence += 1;
        self.bursts.insert_at(ticket, row);
        self.enter(ticket);
    }
}

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Burst, Moved, ROUNDING};
use crate::blueprint::{CoresPlan, Scheduling};
use crate::system::frame::Arena;

/// Processor sharing, and event loops.
///
/// All that compute progress at the same pace, at most one core each. Virtual time is the CPU time that each of
/// them has got; a burst ends when virtual time has advanced by its need. An event loop lets only as many compute
/// as it has cores; the others wait in line.
#[derive(Clone, Debug)]
pub(super) struct Sharing {
    width: f64,
    /// How many may compute at once.
    admitted: usize,
    /// Virtual time: nanoseconds of CPU that each burst has got.
    virtual_time: f64,
    /// Bursts by the virtual time at which they end; those that were stopped are skipped.
    active: BinaryHeap<Reverse<(u64, u32, u32)>>,
    bursts: Arena<Computing>,
    /// Bursts that compute.
    running: usize,
    sequence: u32,
    /// Sum of the virtual times at which the running bursts began, to tell what they have got so far.
    starts: f64,
}

/// A burst that computes, or did until somebody stopped it.
#[derive(Clone, Copy, Debug)]
struct Computing {
    burst: Burst,
    /// The virtual time at which it began.
    start: f64,
    running: bool,
}

impl Sharing {
    pub(super) fn new(plan: &CoresPlan) -> Self {
        Self {
            width: plan.width(),
            admitted: plan.admitted(),
            virtual_time: 0.0,
            active: BinaryHeap::new(),
            bursts: Arena::new(),
            running: 0,
            sequence: 0,
            starts: 0.0,
        }
    }

    /// Puts other limits in force, if they are of the same kind.
    pub(super) fn change(&mut self, plan: &CoresPlan) -> bool {
        self.width = plan.width();
        self.admitted = plan.admitted();
        matches!(plan.scheduling, Scheduling::Sharing | Scheduling::RunToCompletion)
    }

    #[inline]
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// CPU-nanoseconds per nanosecond that each burst gets.
    #[inline]
    fn pace(&self, full: f64) -> f64 {
        full * (self.width / self.running as f64).min(1.0)
    }

    /// Lets time pass; returns the work that was done in it.
    #[inline]
    pub(super) fn pass(&mut self, elapsed: f64, full: f64) -> f64 {
        let pace = self.pace(full);
        self.virtual_time += elapsed * pace;
        elapsed * pace * self.running as f64
    }

    /// Whether one more may compute.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.running < self.admitted
    }

    /// The ticket of a burst that begins. There must be room for it.
    #[inline]
    pub(super) fn begin(&mut self, burst: Burst) -> u32 {
        if self.running == 0 {
            // Nobody remembers the old origin: a fresh one keeps the sums precise.
            self.virtual_time = 0.0;
            self.starts = 0.0;
        }
        let start = self.virtual_time;
        let ticket = self.bursts.insert(Computing { burst, start, running: true });
        self.enlist(ticket, start, burst.need);
        ticket
    }

    #[inline]
    fn enlist(&mut self, ticket: u32, start: f64, need: u64) {
        self.sequence = self.sequence.wrapping_add(1);
        self.starts += start;
        self.active.push(Reverse(((start + need as f64).to_bits(), self.sequence, ticket)));
        self.running += 1;
    }

    /// Ends a burst that has got its need, if one has.
    #[inline]
    pub(super) fn end_one(&mut self, full: f64) -> Option<Burst> {
        let (end, ticket) = self.earliest()?;
        if (end - self.virtual_time) > ROUNDING * self.pace(full) {
            return None;
        }
        self.active.pop();
        let Computing { burst, start, .. } = self.bursts.remove(ticket);
        self.leave(start);
        Some(burst)
    }

    /// The burst that ends first: the virtual time of its end, and its ticket.
    #[inline]
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

    #[inline]
    fn leave(&mut self, start: f64) {
        self.running -= 1;
        self.starts -= start;
    }

    /// Stops a burst. Returns the CPU-nanoseconds that it got.
    pub(super) fn stop(&mut self, ticket: u32) -> f64 {
        let burst = self.bursts.at(ticket);
        burst.running = false;
        let start = burst.start;
        self.leave(start);
        self.virtual_time - start
    }

    /// Nanoseconds until the earliest end, if any burst computes and time passes for it.
    #[inline]
    pub(super) fn until_next(&mut self, full: f64) -> Option<f64> {
        let (end, _) = self.earliest()?;
        let pace = self.pace(full);
        (pace > 0.0).then(|| (end - self.virtual_time) / pace)
    }

    /// CPU-nanoseconds that unfinished bursts have got so far.
    pub(super) fn partial(&self) -> f64 {
        self.virtual_time * self.running as f64 - self.starts
    }

    /// Gives all bursts away, the oldest first.
    pub(super) fn take_all(&mut self) -> Vec<Moved> {
        let mut all = Vec::new();
        for Reverse((_, sequence, ticket)) in std::mem::take(&mut self.active) {
            let row = *self.bursts.peek(ticket);
            if row.running {
                let got = self.virtual_time - row.start;
                all.push((sequence, Moved { ticket, burst: row.burst, got }));
            }
        }
        all.sort_unstable_by_key(|(sequence, _)| *sequence);
        all.into_iter().map(|(_, moved)| moved).collect()
    }

    /// Takes a burst over that has begun elsewhere, in line or not.
    pub(super) fn adopt(&mut self, moved: Moved) {
        let Moved { ticket, burst, got } = moved;
        let start = self.virtual_time - got.min(burst.need as f64);
        self.bursts.insert_at(ticket, Computing { burst, start, running: true });
        self.enlist(ticket, start, burst.need);
    }
}

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Burst, Moved, ROUNDING};
use crate::blueprint::{CoresPlan, Scheduling};
use crate::system::frame::Arena;

/// Groups that meet within as many nanoseconds are one already.
const SOON: f64 = 1e-6;

/// Who has got the least computes; those who have got the same share. Also known as least attained service (LAS),
/// and, with rounds of finite length, as a multilevel feedback queue.
///
/// Those who have got the same are a group. The groups with the least get as many cores as they have members, the
/// next ones what is left; a group that has caught up with the next becomes one with it. Who came later has never
/// got more, so a group is a run of arrivals.
///
/// Source: Schrage, *The Queue M/G/1 with Feedback to Lower Priority Queues*, Management Science 13(7), 1967;
/// Kleinrock, *Queueing Systems*, vol. 2 (1976), §4.6.
#[derive(Clone, Debug)]
pub(super) struct LeastAttained {
    width: f64,
    bursts: Arena<Row>,
    /// From those who have got the most to those who have got the least.
    groups: Vec<Group>,
    /// Heaps of groups that are no more.
    spare: Vec<BinaryHeap<Entry>>,
    sequence: u64,
}

/// Need, arrival number, ticket; the smallest first.
type Entry = Reverse<(u64, u64, u32)>;

#[derive(Clone, Copy, Debug)]
struct Row {
    burst: Burst,
    sequence: u64,
    stopped: bool,
}

/// Those who have got the same.
#[derive(Clone, Debug)]
struct Group {
    /// CPU-nanoseconds that each of them has got.
    level: f64,
    /// How many are still wanted.
    members: usize,
    /// The arrival number of the oldest.
    first: u64,
    /// By need, then by arrival; some may have been stopped.
    by_need: BinaryHeap<Entry>,
}

/// The share of a core that each of `members` gets of the `room` that is left, if there is any.
fn share_of(room: &mut f64, members: usize) -> Option<f64> {
    let (given, members) = (*room, members as f64);
    if given <= 0.0 {
        return None;
    }
    *room = (given - members).max(0.0);
    Some((given / members).min(1.0))
}

impl LeastAttained {
    pub(super) fn new(plan: &CoresPlan) -> Self {
        Self { width: plan.width(), bursts: Arena::new(), groups: Vec::new(), spare: Vec::new(), sequence: 0 }
    }

    /// Puts other limits in force, if the discipline stays.
    pub(super) fn change(&mut self, plan: &CoresPlan) -> bool {
        self.width = plan.width();
        plan.scheduling == Scheduling::LeastAttained
    }

    /// The groups that compute, from the one with the least, and the share of a core that each member has.
    fn served(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let mut room = self.width;
        let groups = self.groups.iter().enumerate().rev();
        groups.map_while(move |(at, group)| Some((at, share_of(&mut room, group.members)?)))
    }

    pub(super) fn running(&self) -> usize {
        self.served().map(|(at, _)| self.groups[at].members).sum()
    }

    /// Lets time pass; returns the work that was done in it.
    pub(super) fn pass(&mut self, elapsed: f64, full: f64) -> f64 {
        let mut left = elapsed;
        let mut work = 0.0;
        loop {
            let meeting = self.next_meeting(full);
            let time = meeting.map_or(left, |(_, until)| until.min(left));
            let mut room = self.width;
            for group in self.groups.iter_mut().rev() {
                let Some(share) = share_of(&mut room, group.members) else { break };
                let got = time * share * full;
                group.level += got;
                work += got * group.members as f64;
            }
            left -= time;
            match meeting {
                Some((at, until)) if until <= time + SOON => self.merge(at),
                _ => return work,
            }
        }
    }

    /// The group that catches up first with the one above it, and the nanoseconds until then.
    fn next_meeting(&self, full: f64) -> Option<(usize, f64)> {
        let mut first: Option<(usize, f64)> = None;
        let mut served = self.served().peekable();
        while let Some((at, share)) = served.next() {
            let Some(above) = at.checked_sub(1) else { break };
            let faster = (share - served.peek().map_or(0.0, |&(_, share)| share)) * full;
            let gap = (self.groups[above].level - self.groups[at].level).max(0.0);
            if faster > 0.0 && first.is_none_or(|(_, best)| gap / faster < best) {
                first = Some((at, gap / faster));
            }
        }
        first
    }

    /// Makes group number `at` one with the one above it.
    fn merge(&mut self, at: usize) {
        let Group { members, mut by_need, .. } = self.groups.remove(at);
        let group = &mut self.groups[at - 1];
        group.members += members;
        group.by_need.append(&mut by_need); // The shorter heap goes into the longer one.
        self.spare.push(by_need);
    }

    /// Nobody waits outside.
    #[expect(clippy::unused_self, reason = "other disciplines let some wait")]
    pub(super) fn has_room(&self) -> bool {
        true
    }

    /// The ticket of a burst that begins. It always does, though others may compute first later.
    pub(super) fn begin(&mut self, burst: Burst) -> u32 {
        let row = Row { burst, sequence: self.sequence, stopped: false };
        let ticket = self.bursts.insert(row);
        self.enter(ticket, 0.0);
        ticket
    }

    fn enter(&mut self, ticket: u32, got: f64) {
        let sequence = self.sequence;
        self.sequence += 1;
        let entry = Reverse((self.bursts.peek(ticket).burst.need, sequence, ticket));
        match self.groups.last_mut() {
            Some(group) if group.level <= got => {
                group.members += 1;
                group.by_need.push(entry);
            }
            _ => {
                let mut by_need = self.spare.pop().unwrap_or_default();
                by_need.push(entry);
                self.groups.push(Group { level: got, members: 1, first: sequence, by_need });
            }
        }
    }

    /// Ends a burst that has got its need, if one has.
    pub(super) fn end_one(&mut self, full: f64) -> Option<Burst> {
        let mut room = self.width;
        for at in (0..self.groups.len()).rev() {
            let share = share_of(&mut room, self.groups[at].members)?;
            let Some((need, ticket)) = self.smallest(at) else { continue };
            if need - self.groups[at].level <= ROUNDING * share * full {
                self.groups[at].by_need.pop();
                let burst = self.bursts.remove(ticket).burst;
                self.leave(at);
                return Some(burst);
            }
        }
        None
    }

    /// The smallest need in a group, and whose it is.
    fn smallest(&mut self, at: usize) -> Option<(f64, u32)> {
        let group = &mut self.groups[at];
        while let Some(&Reverse((need, _, ticket))) = group.by_need.peek() {
            if !self.bursts.peek(ticket).stopped {
                return Some((need as f64, ticket));
            }
            group.by_need.pop();
            self.bursts.remove(ticket);
        }
        None
    }

    /// Somebody has left a group.
    fn leave(&mut self, at: usize) {
        self.groups[at].members -= 1;
        if self.groups[at].members == 0 {
            let mut by_need = self.groups.remove(at).by_need;
            for Reverse((_, _, ticket)) in by_need.drain() {
                self.bursts.remove(ticket);
            }
            self.spare.push(by_need);
        }
    }

    /// Stops a burst. Returns the CPU-nanoseconds that it got.
    pub(super) fn stop(&mut self, ticket: u32) -> f64 {
        let row = self.bursts.at(ticket);
        row.stopped = true;
        let sequence = row.sequence;
        let at = self.groups.partition_point(|group| group.first <= sequence) - 1;
        let level = self.groups[at].level;
        self.leave(at);
        level
    }

    /// Nanoseconds until the earliest end, or until a group has caught up, if time passes for anybody.
    pub(super) fn until_next(&mut self, full: f64) -> Option<f64> {
        if full <= 0.0 {
            return None;
        }
        let mut until = self.next_meeting(full).map_or(f64::INFINITY, |(_, until)| until);
        let mut room = self.width;
        for at in (0..self.groups.len()).rev() {
            let Some(share) = share_of(&mut room, self.groups[at].members) else { break };
            if let Some((need, _)) = self.smallest(at) {
                until = until.min((need - self.groups[at].level) / (share * full));
            }
        }
        until.is_finite().then_some(until)
    }

    /// CPU-nanoseconds that unfinished bursts have got so far.
    pub(super) fn partial(&self) -> f64 {
        self.groups.iter().map(|group| group.level * group.members as f64).sum()
    }

    /// Gives all bursts away, the oldest first.
    pub(super) fn take_all(&mut self) -> Vec<Moved> {
        let mut all = Vec::new();
        for group in std::mem::take(&mut self.groups) {
            for Reverse((_, _, ticket)) in group.by_need {
                let row = self.bursts.peek(ticket);
                if !row.stopped {
                    all.push((row.sequence, Moved { ticket, burst: row.burst, got: group.level }));
                }
            }
        }
        all.sort_unstable_by_key(|(sequence, _)| *sequence);
        all.into_iter().map(|(_, moved)| moved).collect()
    }

    /// Takes a burst over that has begun elsewhere; those who have got more come before.
    pub(super) fn adopt(&mut self, moved: Moved) {
        let Moved { ticket, burst, got } = moved;
        let row = Row { burst, sequence: self.sequence, stopped: false };
        self.bursts.insert_at(ticket, row);
        self.enter(ticket, got);
    }
}

//! Until when answers are wanted, passed down the call tree.

use sim_core::SimTime;

use super::System;
use super::frame::{FrameKey, Kind, Link};
use crate::blueprint::{Blueprint, Outcome, PolicyPlan, Row};

/// Until when the answer of each frame is wanted.
///
/// It is kept beside the frames, and only where a policy passes its deadline down: without one, calls carry
/// nothing more.
#[derive(Clone, Debug)]
pub(super) struct Deadlines {
    on: bool,
    /// By frame.
    at: Vec<SimTime>,
}

impl Deadlines {
    pub(super) fn new(plan: &Blueprint) -> Self {
        let passes = |policy: &PolicyPlan| policy.deadline;
        let rows = plan.changed_rows();
        let mut changed =
            rows.filter_map(|row| if let Row::Policy(_, policy) = row { Some(policy) } else { None });
        Self { on: plan.policies.iter().any(passes) || changed.any(passes), at: Vec::new() }
    }

    /// Until when `frame` has to be answered.
    pub(super) fn of(&self, frame: FrameKey) -> SimTime {
        if !self.on || frame.is_none() {
            return SimTime::MAX;
        }
        self.at[frame.index() as usize]
    }

    #[inline]
    pub(super) fn set(&mut self, frame: u32, at: SimTime) {
        if self.on {
            let frame = frame as usize;
            if self.at.len() <= frame {
                self.at.resize(frame + 1, SimTime::MAX);
            }
            self.at[frame] = at;
        }
    }

    /// `child` has the deadline of `parent`.
    #[inline]
    pub(super) fn pass(&mut self, parent: FrameKey, child: u32) {
        if self.on {
            self.set(child, self.of(parent));
        }
    }

    /// Whether it is too late to begin with what `frame` wants.
    #[inline]
    pub(super) fn has_passed(&self, frame: FrameKey, now: SimTime) -> bool {
        self.on && self.of(frame) <= now
    }
}

impl System<'_> {
    /// The answer to a call that is not made because the time for it is up.
    #[cold]
    pub(super) fn refuse_late(&mut self, request: u32, caller: u32, link: Link, now: SimTime) -> u32 {
        let end = self.end_address;
        let (index, row) = self.open_frame(request, link, now);
        row.pc = end;
        row.replica = caller;
        row.kind = Kind::Reply;
        row.outcome = Outcome::TIMED_OUT;
        self.adopt(link.parent.index(), index);
        index
    }

    /// A request that is about to begin ends instead where nobody waits for it any more.
    #[inline]
    pub(super) fn end_if_late(&mut self, index: u32, now: SimTime) {
        if self.deadlines.has_passed(self.frames.key_of(index), now) {
            let end = self.end_address;
            let frame = self.frames.at_mut(index);
            frame.pc = end;
            frame.outcome = Outcome::TIMED_OUT;
        }
    }
}

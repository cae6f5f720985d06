//! Those who wait for units of a rate or a volume, first come first served.

use sim_core::{SimTime, Slab};

use super::frame::{Frame, FrameKey, State};
use super::steps::SHORT_LINE;
use crate::discipline::{Fifo, Joining, Line, Moment};

/// A line, each with the units that it wants. Entries of those who have left go stale with their frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    line: Fifo<(FrameKey, f64)>,
    /// How many really wait.
    pub(super) waiting: u32,
}

impl Queue {
    pub(super) fn join(&mut self, frame: FrameKey, units: f64) {
        // In order of arrival, whoever it is.
        self.line.join((frame, units), Joining::of_class(0, self.waiting, SimTime::ZERO));
        self.waiting += 1;
    }

    /// The first in line and what it wants.
    pub(super) fn first(&mut self, frames: &Slab<Frame>) -> Option<(FrameKey, f64)> {
        if self.waiting == 0 {
            return None;
        }
        let moment = Moment { now: SimTime::ZERO, waiting: self.waiting };
        self.line.first(moment, |(key, _)| is_waiting(frames, key))
    }

    /// The first in line has got what it wanted.
    pub(super) fn remove_first(&mut self) {
        self.line.remove_first();
        self.waiting -= 1;
    }

    /// Somebody has left without it.
    pub(super) fn leave(&mut self, frames: &Slab<Frame>) {
        self.waiting -= 1;
        if self.line.entries() > SHORT_LINE && self.line.entries() > 2 * self.waiting as usize {
            self.line.sweep(|(key, _)| is_waiting(frames, key));
        }
    }

    pub(super) fn entries(&self) -> usize {
        self.line.entries()
    }
}

fn is_waiting(frames: &Slab<Frame>, key: FrameKey) -> bool {
    frames.get(key).is_some_and(|frame| matches!(frame.state, State::Metered | State::Blocked))
}

impl super::System<'_> {
    /// What the frame waited for is there. Returns since when it waited.
    pub(super) fn let_go_on(&mut self, key: FrameKey, now: SimTime) -> SimTime {
        let frame = self.frames.at_mut(key.index());
        frame.state = State::Ready;
        let since = frame.since;
        self.ready.add(super::Task::Run(key));
        self.end_if_late(key.index(), now);
        since
    }
}

//! Those who wait for units of a rate or a volume, first come first served.

use sim_core::{Calendar, SimTime, Slab, Span};

use super::frame::{Frame, FrameKey, State};
use super::steps::SHORT_LINE;
use super::{Event, Packed, System, Task};
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
    frames
        .get(key)
        .is_some_and(|frame| matches!(frame.state, State::Metered | State::Blocked | State::Sending))
}

impl System<'_> {
    /// The frame waits in a line until it is served, or for as long as it may.
    pub(super) fn wait_in_queue(
        &mut self,
        index: u32,
        state: State,
        at: u32,
        timeout: Option<Span>,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let key = self.frames.key_of(index);
        let frame = self.frames.at_mut(index);
        frame.state = state;
        frame.at = at;
        frame.since = now;
        // What it waited for before may have left it with the end of another patience.
        frame.patience = timeout.map_or(SimTime::MAX, |patience| now.saturating_add(patience));
        if timeout.is_some() {
            calendar.schedule(frame.patience, Event::GiveUp(key).pack());
        }
    }

    /// What the frame waited for is there. Returns since when it waited.
    pub(super) fn let_go_on(&mut self, key: FrameKey, now: SimTime) -> SimTime {
        let frame = self.frames.at_mut(key.index());
        frame.state = State::Ready;
        let since = frame.since;
        self.ready.add(Task::Run(key));
        self.end_if_late(key.index(), now);
        since
    }
}

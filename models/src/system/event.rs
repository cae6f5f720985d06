//! What can happen, packed into one word for the calendar.

use sim_core::Key;

use super::frame::FrameKey;

/// Everything that can happen in a running system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    /// The step that the frame was in has taken its time.
    StepDone(FrameKey),
    /// The traffic releases its next request.
    Arrival { traffic: u32, generation: u32 },
    /// The user has thought long enough.
    Thought { traffic: u32, user: u32 },
    /// A burst on these cores may have ended.
    BurstDone { cores: u32, generation: u32 },
    /// An attempt of the call has waited as long as its policy allows.
    Timeout(FrameKey),
    /// All attempts together have.
    TotalTimeout(FrameKey),
    /// The back-off is over.
    Retry(FrameKey),
    /// The frame has waited for a pool as long as it may.
    GiveUp(FrameKey),
    /// A copy of the call may be sent.
    Hedge(FrameKey),
    /// The call has waited as long as it may for an end of those in flight.
    Refuse(FrameKey),
    /// A segment of the measurements ends.
    Cut,
    /// A change begins or ends.
    Change { change: u32, begins: bool },
}

/// An [`Event`] in one word: four bits of kind, 28 of index, 32 of generation or user.
///
/// The calendar moves events about more often than they are looked at, and a word moves in a register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed(u64);

const INDEX_BITS: u32 = 28;

impl Event {
    #[inline]
    pub(super) fn pack(self) -> Packed {
        let word = |kind: u64, index: u32, rest: u32| {
            assert!(index < 1 << INDEX_BITS, "an event names row {index}, beyond what it has bits for");
            Packed((kind << 60) | (u64::from(index) << 32) | u64::from(rest))
        };
        let key = |kind: u64, key: FrameKey| word(kind, key.index(), key.generation());
        match self {
            Self::StepDone(frame) => key(0, frame),
            Self::Arrival { traffic, generation } => word(1, traffic, generation),
            Self::Thought { traffic, user } => word(2, traffic, user),
            Self::BurstDone { cores, generation } => word(3, cores, generation),
            Self::Timeout(call) => key(4, call),
            Self::TotalTimeout(call) => key(5, call),
            Self::Retry(call) => key(6, call),
            Self::GiveUp(frame) => key(7, frame),
            Self::Cut => word(8, 0, 0),
            Self::Change { change, begins } => word(9, change, u32::from(begins)),
            Self::Hedge(call) => key(10, call),
            Self::Refuse(call) => key(11, call),
        }
    }
}

impl Packed {
    #[inline]
    pub(super) fn unpack(self) -> Event {
        let index = ((self.0 >> 32) as u32) & ((1 << INDEX_BITS) - 1);
        let rest = self.0 as u32;
        let key = || Key::from_parts(index, rest);
        match self.0 >> 60 {
            0 => Event::StepDone(key()),
            1 => Event::Arrival { traffic: index, generation: rest },
            2 => Event::Thought { traffic: index, user: rest },
            3 => Event::BurstDone { cores: index, generation: rest },
            4 => Event::Timeout(key()),
            5 => Event::TotalTimeout(key()),
            6 => Event::Retry(key()),
            7 => Event::GiveUp(key()),
            8 => Event::Cut,
            10 => Event::Hedge(key()),
            11 => Event::Refuse(key()),
            _ => Event::Change { change: index, begins: rest != 0 },
        }
    }

    /// A number for the fingerprint. It names what is in flight, not rows of tables: adding a service that
    /// nobody calls leaves the fingerprint as it is.
    #[inline]
    pub(super) fn stamp(self) -> u64 {
        const BURST_DONE: u64 = 3;
        let kind = self.0 >> 60;
        if kind == BURST_DONE { kind << 60 } else { self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_out_as_it_went_in() {
        let key = Key::from_parts((1 << INDEX_BITS) - 1, u32::MAX);
        let all = [
            Event::StepDone(key),
            Event::Arrival { traffic: 3, generation: 9 },
            Event::Thought { traffic: 1, user: u32::MAX },
            Event::BurstDone { cores: 77, generation: 5 },
            Event::Timeout(key),
            Event::TotalTimeout(key),
            Event::Retry(key),
            Event::GiveUp(key),
            Event::Hedge(key),
            Event::Refuse(key),
            Event::Cut,
            Event::Change { change: 2, begins: true },
            Event::Change { change: 2, begins: false },
        ];
        for event in all {
            assert_eq!(event.pack().unpack(), event);
        }
    }
}

//! What can happen, packed into one word for the calendar.

use sim_core::Key;

use super::frame::FrameKey;

/// Everything that can happen in a running system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    /// The step that the frame was in has taken its time.
    StepDone(FrameKey),
    /// The visit's only step has.
    VisitDone(u32),
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
    /// A caller checks the health of replicas.
    Check { balancer: u32 },
    /// A resource looks at itself again.
    Alarm(u32),
    /// A change begins or ends.
    Change { change: u32, begins: bool },
}

/// An [`Event`] in one word: four bits of kind, 28 of index, 32 of generation or user.
///
/// The calendar moves events about more often than they are looked at, and a word moves in a register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed(u64);

const INDEX_BITS: u32 = 28;

/// The numbers of the kinds of [`Event`].
pub(super) struct Kind;

impl Kind {
    pub(super) const STEP_DONE: u64 = 0;
    pub(super) const ARRIVAL: u64 = 1;
    const THOUGHT: u64 = 2;
    const BURST_DONE: u64 = 3;
    const TIMEOUT: u64 = 4;
    const TOTAL_TIMEOUT: u64 = 5;
    const RETRY: u64 = 6;
    const GIVE_UP: u64 = 7;
    const CUT: u64 = 8;
    const CHANGE: u64 = 9;
    pub(super) const VISIT_DONE: u64 = 10;
    const HEDGE: u64 = 11;
    const REFUSE: u64 = 12;
    const CHECK: u64 = 13;
    const ALARM: u64 = 14;
}

impl Event {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the kind is known wherever an event is made")]
    pub(super) fn pack(self) -> Packed {
        let word = |kind: u64, index: u32, rest: u32| {
            assert!(index < 1 << INDEX_BITS, "an event names row {index}, beyond what it has bits for");
            Packed((kind << 60) | (u64::from(index) << 32) | u64::from(rest))
        };
        let key = |kind: u64, key: FrameKey| word(kind, key.index(), key.generation());
        match self {
            Self::StepDone(frame) => key(Kind::STEP_DONE, frame),
            Self::Arrival { traffic, generation } => word(Kind::ARRIVAL, traffic, generation),
            Self::Thought { traffic, user } => word(Kind::THOUGHT, traffic, user),
            Self::BurstDone { cores, generation } => word(Kind::BURST_DONE, cores, generation),
            Self::Timeout(call) => key(Kind::TIMEOUT, call),
            Self::TotalTimeout(call) => key(Kind::TOTAL_TIMEOUT, call),
            Self::Retry(call) => key(Kind::RETRY, call),
            Self::GiveUp(frame) => key(Kind::GIVE_UP, frame),
            Self::Cut => word(Kind::CUT, 0, 0),
            Self::Change { change, begins } => word(Kind::CHANGE, change, u32::from(begins)),
            Self::VisitDone(visit) => word(Kind::VISIT_DONE, 0, visit),
            Self::Hedge(call) => key(Kind::HEDGE, call),
            Self::Refuse(call) => key(Kind::REFUSE, call),
            Self::Check { balancer } => word(Kind::CHECK, 0, balancer),
            Self::Alarm(alarm) => word(Kind::ALARM, 0, alarm),
        }
    }
}

impl Packed {
    /// One of the numbers of [`Kind`].
    #[inline]
    pub(super) fn kind(self) -> u64 {
        self.0 >> 60
    }

    #[inline]
    pub(super) fn index(self) -> u32 {
        ((self.0 >> 32) as u32) & ((1 << INDEX_BITS) - 1)
    }

    #[inline]
    pub(super) fn rest(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(super) fn key(self) -> FrameKey {
        Key::from_parts(self.index(), self.rest())
    }

    pub(super) fn unpack(self) -> Event {
        let (index, rest, key) = (self.index(), self.rest(), self.key());
        match self.kind() {
            Kind::STEP_DONE => Event::StepDone(key),
            Kind::ARRIVAL => Event::Arrival { traffic: index, generation: rest },
            Kind::THOUGHT => Event::Thought { traffic: index, user: rest },
            Kind::BURST_DONE => Event::BurstDone { cores: index, generation: rest },
            Kind::TIMEOUT => Event::Timeout(key),
            Kind::TOTAL_TIMEOUT => Event::TotalTimeout(key),
            Kind::RETRY => Event::Retry(key),
            Kind::GIVE_UP => Event::GiveUp(key),
            Kind::CUT => Event::Cut,
            Kind::CHANGE => Event::Change { change: index, begins: rest != 0 },
            Kind::HEDGE => Event::Hedge(key),
            Kind::REFUSE => Event::Refuse(key),
            Kind::CHECK => Event::Check { balancer: rest },
            Kind::ALARM => Event::Alarm(rest),
            _ => Event::VisitDone(rest),
        }
    }

    /// A number for the fingerprint: the kind, not where we keep what it happens to. So adding a service that
    /// nobody calls leaves the fingerprint as it is, and a step is a step whichever way it goes.
    #[inline]
    pub(super) fn stamp(self) -> u64 {
        if self.kind() == Kind::VISIT_DONE { Kind::STEP_DONE } else { self.kind() }
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
            Event::VisitDone(u32::MAX),
            Event::Check { balancer: 7 },
            Event::Alarm(u32::MAX),
        ];
        for event in all {
            assert_eq!(event.pack().unpack(), event);
        }
    }
}

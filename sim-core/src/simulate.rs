//! The loop: takes the earliest event, lets the model handle it, again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::{Calendar, SimTime};

/// Events between two looks at the cancel flag and the limits.
const SLICE: u64 = 4096;

/// What is simulated.
pub trait Model {
    /// What can happen in it: plain ids, at most 16 bytes.
    type Event: Copy;

    /// Changes the state as `event` demands and schedules what follows.
    fn handle(&mut self, event: Self::Event, now: SimTime, calendar: &mut Calendar<Self::Event>);
}

/// How far a run may go before it is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events in all, over all calls of [`run`] on one calendar.
    pub events: u64,
    /// Events at one instant: with more, time probably stands still for good. Reached with up to 8,192 more.
    pub events_at_one_instant: u64,
    /// Wall-clock time. The kernel has no clock: who calls [`run_some`] looks at it between slices.
    pub wall: Option<Duration>,
}

impl Default for Limits {
    /// 10^10 events, 10^6 at one instant, 10 minutes.
    fn default() -> Self {
        Self {
            events: 10_000_000_000,
            events_at_one_instant: 1_000_000,
            wall: Some(Duration::from_secs(600)),
        }
    }
}

/// Asks a run in another thread to stop soon. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag, for good.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is raised.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// Events handled in this call.
    pub events: u64,
    /// Simulated time reached: the end if it was [`EndReason::Finished`], else that of the last event.
    pub at: SimTime,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its time is over. Events at the very end have not been run.
    Finished,
    /// Nothing was left to happen.
    Exhausted,
    /// [`Limits::events`] was reached.
    EventLimit,
    /// [`Limits::events_at_one_instant`] was reached.
    SameInstant {
        /// The instant that does not pass.
        at: SimTime,
    },
    /// The [`CancelFlag`] was raised.
    Cancelled,
    /// The number of events that the caller asked for has been run.
    Paused,
}

/// Runs `model` until just before `until`, or until something stops it.
///
/// ```
/// use sim_core::{Calendar, CancelFlag, EndReason, Limits, Model, SimTime, Span, run};
///
/// /// Ticks every 10 ns.
/// struct Clock(u32);
///
/// impl Model for Clock {
///     type Event = ();
///
///     fn handle(&mut self, (): (), _now: SimTime, calendar: &mut Calendar<()>) {
///         self.0 += 1;
///         calendar.schedule_in(Span::from_nanos(10), ());
///     }
/// }
///
/// let (mut clock, mut calendar) = (Clock(0), Calendar::new());
/// calendar.schedule(SimTime::ZERO, ());
/// let until = SimTime::from_nanos(100);
/// let ended = run(&mut clock, &mut calendar, until, &Limits::default(), &CancelFlag::new());
/// assert_eq!((ended.reason, ended.at, clock.0), (EndReason::Finished, until, 10));
/// ```
pub fn run<M: Model>(
    model: &mut M,
    calendar: &mut Calendar<M::Event>,
    until: SimTime,
    limits: &Limits,
    cancel: &CancelFlag,
) -> Ended {
    run_some(model, calendar, until, limits, cancel, u64::MAX)
}

/// As [`run`], but pauses after `max_events` events, so that the caller can look at the clock and the memory.
///
/// Called again with the same calendar, it goes on as if it had never paused.
pub fn run_some<M: Model>(
    model: &mut M,
    calendar: &mut Calendar<M::Event>,
    until: SimTime,
    limits: &Limits,
    cancel: &CancelFlag,
    max_events: u64,
) -> Ended {
    let before = calendar.popped();
    let reason = loop {
        if cancel.is_cancelled() {
            break EndReason::Cancelled;
        }
        let (run, left) = (calendar.popped() - before, limits.events.saturating_sub(calendar.popped()));
        if left == 0 {
            break EndReason::EventLimit;
        }
        if run >= max_events {
            break EndReason::Paused;
        }
        let slice = SLICE.min(left).min(max_events - run).min(limits.events_at_one_instant.max(1));
        let start = calendar.now();
        if !run_slice(model, calendar, until, slice) {
            break if calendar.is_empty() { EndReason::Exhausted } else { EndReason::Finished };
        }
        // Counting whole slices only costs nothing per event, and misses at most two of them.
        calendar.stalled = if calendar.now() == start { calendar.stalled + slice } else { 0 };
        if calendar.stalled >= limits.events_at_one_instant {
            break EndReason::SameInstant { at: start };
        }
    };
    let at = if reason == EndReason::Finished { until } else { calendar.now() };
    Ended { reason, events: calendar.popped() - before, at }
}

/// Runs `events` events; false if there were not as many before `until`.
#[inline]
fn run_slice<M: Model>(
    model: &mut M,
    calendar: &mut Calendar<M::Event>,
    until: SimTime,
    events: u64,
) -> bool {
    for _ in 0..events {
        let Some((now, event)) = calendar.pop_before(until) else {
            return false;
        };
        model.handle(event, now, calendar);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    /// Schedules itself again after `period`, and remembers when it ran; cancels itself after some events.
    struct Ticker {
        period: Span,
        ticks: u64,
        cancel: Option<(u64, CancelFlag)>,
    }

    impl Model for Ticker {
        type Event = ();

        fn handle(&mut self, (): (), _now: SimTime, calendar: &mut Calendar<()>) {
            self.ticks += 1;
            calendar.schedule_in(self.period, ());
            if let Some((at, flag)) = &self.cancel
                && self.ticks == *at
            {
                flag.cancel();
            }
        }
    }

    fn ticker(period: u64) -> (Ticker, Calendar<()>) {
        let mut calendar = Calendar::new();
        calendar.schedule(SimTime::ZERO, ());
        (Ticker { period: Span::from_nanos(period), ticks: 0, cancel: None }, calendar)
    }

    #[test]
    fn events_at_the_end_are_left_for_the_next_run() {
        let (mut model, mut calendar) = ticker(10);
        let (limits, flag) = (Limits::default(), CancelFlag::new());
        let until = SimTime::from_nanos(100);
        let first = run(&mut model, &mut calendar, until, &limits, &flag);
        assert_eq!(first, Ended { reason: EndReason::Finished, events: 10, at: until });
        let second = run(&mut model, &mut calendar, SimTime::from_nanos(101), &limits, &flag);
        assert_eq!((second.events, calendar.now()), (1, until));
    }

    #[test]
    fn pausing_changes_nothing() {
        let (mut paused, mut calendar) = ticker(3);
        let (limits, flag) = (Limits::default(), CancelFlag::new());
        let until = SimTime::from_nanos(100_000);
        let (mut breaks, mut events) = (0, 0);
        loop {
            let ended = run_some(&mut paused, &mut calendar, until, &limits, &flag, 1000);
            events += ended.events;
            if ended.reason != EndReason::Paused {
                assert_eq!((ended.reason, ended.at), (EndReason::Finished, until));
                break;
            }
            assert_eq!(ended.events, 1000);
            breaks += 1;
        }
        let (mut straight, mut other) = ticker(3);
        let ended = run(&mut straight, &mut other, until, &limits, &flag);
        assert_eq!((breaks, events, paused.ticks), (33, ended.events, straight.ticks));
        assert_eq!(calendar.now(), other.now());
    }

    #[test]
    fn nothing_left_is_the_end() {
        struct Idle;
        impl Model for Idle {
            type Event = u8;
            fn handle(&mut self, _: u8, _: SimTime, _: &mut Calendar<u8>) {}
        }
        let mut calendar = Calendar::new();
        calendar.schedule(SimTime::from_nanos(5), 1);
        let ended = run(&mut Idle, &mut calendar, SimTime::MAX, &Limits::default(), &CancelFlag::new());
        assert_eq!(ended, Ended { reason: EndReason::Exhausted, events: 1, at: SimTime::from_nanos(5) });
    }

    #[test]
    fn the_event_limit_is_exact_and_spans_calls() {
        let (mut model, mut calendar) = ticker(1);
        let limits = Limits { events: 10_000, ..Limits::default() };
        let flag = CancelFlag::new();
        run_some(&mut model, &mut calendar, SimTime::MAX, &limits, &flag, 6_000);
        let ended = run(&mut model, &mut calendar, SimTime::MAX, &limits, &flag);
        assert_eq!((ended.reason, ended.events, model.ticks), (EndReason::EventLimit, 4_000, 10_000));
    }

    #[test]
    fn time_that_stands_still_is_noticed() {
        for (limit, slack) in [(100, 200), (1_000_000, 8_192)] {
            for pause in [u64::MAX, 77, 5_000] {
                let (mut model, mut calendar) = ticker(10);
                let limits = Limits { events_at_one_instant: limit, ..Limits::default() };
                let flag = CancelFlag::new();
                run(&mut model, &mut calendar, SimTime::from_nanos(50_000), &limits, &flag);
                let before = model.ticks;
                model.period = Span::ZERO;
                let mut ended = run_some(&mut model, &mut calendar, SimTime::MAX, &limits, &flag, pause);
                while ended.reason == EndReason::Paused {
                    ended = run_some(&mut model, &mut calendar, SimTime::MAX, &limits, &flag, pause);
                }
                assert_eq!(ended.reason, EndReason::SameInstant { at: SimTime::from_nanos(50_000) });
                assert!(
                    (limit..=limit + slack).contains(&(model.ticks - before)),
                    "{}",
                    model.ticks - before
                );
            }
        }
    }

    #[test]
    fn busy_instants_that_pass_are_no_limit() {
        let (mut model, mut calendar) = ticker(1);
        (1..99).for_each(|_| calendar.schedule(SimTime::ZERO, ()));
        let limits = Limits { events_at_one_instant: 100, ..Limits::default() };
        let until = SimTime::from_nanos(1000);
        let ended = run(&mut model, &mut calendar, until, &limits, &CancelFlag::new());
        assert_eq!((ended.reason, ended.events), (EndReason::Finished, 99_000));
    }

    #[test]
    fn a_raised_flag_stops_within_a_slice() {
        let (mut model, mut calendar) = ticker(1);
        let flag = CancelFlag::new();
        model.cancel = Some((10_000, flag.clone()));
        let ended = run(&mut model, &mut calendar, SimTime::MAX, &Limits::default(), &flag);
        assert_eq!(ended.reason, EndReason::Cancelled);
        assert!((10_000..=10_000 + SLICE).contains(&ended.events), "{}", ended.events);
    }
}

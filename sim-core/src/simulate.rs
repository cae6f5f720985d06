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

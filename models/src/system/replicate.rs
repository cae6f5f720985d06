//! One replication from start to end.

use std::time::Instant;

use sim_core::{Calendar, CancelFlag, EndReason, SimTime, run_some};

use super::alarms::Alarm;
use super::frame::{Flight, Frame, Held, Request, TriedReplica, Watch};
use super::trace::Trace;
use super::visit::{Visit, Waiter};
use super::{Event, Packed, System};
use crate::blueprint::{Blueprint, CallPlan, Limits};
use crate::observe::{Balance, Ended, Left, Observations};
use crate::spans::Recorded;

/// Events between two looks at the clock and the memory.
const SLICE: u64 = 1 << 20;

/// Events listed when time stands still.
const LISTED: u64 = 48;

/// Which replication to run.
#[derive(Clone, Copy, Debug)]
pub struct Replication {
    /// The experiment's seed.
    pub seed: u64,
    /// Its number, from 0.
    pub index: u32,
    /// Whether to keep where requests spend their time.
    pub breakdown: bool,
}

/// Runs one replication of `plan` to its end, or until a limit or `cancel` stops it.
///
/// The same arguments give the same observations, bit for bit; only a limit on wall time, or `cancel`, can cut
/// them short at another point.
pub fn replicate(plan: &Blueprint, replication: &Replication, cancel: &CancelFlag) -> Observations {
    simulate(plan, replication, Trace::new(plan, replication.breakdown), cancel).0
}

/// Runs the same replication, and follows its requests: of those that end after the warm-up, half of `most` are the
/// slowest and half are picked at random, shared out evenly among the traffics and their classes.
///
/// What a request does to others does not depend on being followed, so the trajectory is that of [`replicate`]. A
/// request that comes while 65,536 frames are followed already is not followed but counted, and of a request at most
/// 10,000 spans are kept.
pub fn record(
    plan: &Blueprint,
    replication: &Replication,
    most: u32,
    cancel: &CancelFlag,
) -> (Observations, Recorded) {
    simulate(plan, replication, Trace::recording(plan, most), cancel)
}

fn simulate(
    plan: &Blueprint,
    replication: &Replication,
    trace: Trace,
    cancel: &CancelFlag,
) -> (Observations, Recorded) {
    let (mut system, mut calendar) = System::begin(plan, replication, trace);
    let until = SimTime::ZERO + plan.duration;
    let limits = sim_core::Limits {
        events: plan.limits.events,
        events_at_one_instant: plan.limits.events_at_one_instant,
        wall: None,
    };
    let clock = WallClock::start(&plan.limits);
    let (mut events, mut end);
    events = 0;
    let ended = loop {
        let slice = run_some(&mut system, &mut calendar, until, &limits, cancel, SLICE);
        events += slice.events;
        end = slice.at;
        if let Some(why) = system.halt.take() {
            break why;
        }
        match slice.reason {
            EndReason::Finished | EndReason::Exhausted => {
                end = until;
                break Ended::Complete;
            }
            EndReason::EventLimit => break Ended::EventLimit,
            EndReason::Cancelled => break Ended::Cancelled,
            EndReason::SameInstant { at } => {
                let cycle = system.name_cycle(&mut calendar, until, cancel);
                break Ended::SameInstant { at, cycle };
            }
            EndReason::Paused if clock.is_up() => break Ended::WallLimit,
            EndReason::Paused if system.bytes(&calendar) > plan.limits.memory => break Ended::MemoryLimit,
            EndReason::Paused => {}
        }
    };
    let peak_bytes = system.bytes(&calendar);
    system.close_segment(end);
    let deadlock = system.deadlock();
    system.end_recordings(end);
    let recorded = system.trace.take_recorded(system.offered());
    (Observations { deadlock, ..system.into_observations(events, ended, end, peak_bytes) }, recorded)
}

/// How long a replication has run.
pub(super) struct WallClock {
    began: Instant,
    limit: std::time::Duration,
}

impl WallClock {
    #[expect(clippy::disallowed_methods, reason = "it can only cut a run short, and the run says so")]
    pub(super) fn start(limits: &Limits) -> Self {
        Self { began: Instant::now(), limit: limits.wall }
    }

    pub(super) fn is_up(&self) -> bool {
        self.began.elapsed() > self.limit
    }
}

impl<'a> System<'a> {
    /// A replication at its beginning, and what is to happen in it.
    pub(super) fn begin(
        plan: &'a Blueprint,
        replication: &Replication,
        trace: Trace,
    ) -> (Self, Calendar<Packed>) {
        let mut system = System::new(plan, replication.seed, replication.index, trace);
        let mut calendar = Calendar::new();
        system.start_clock(&mut calendar);
        system.start_members();
        system.start_jobs();
        system.start_scalers(&mut calendar);
        system.start_sources(&mut calendar);
        // What opens connections ahead begins before anybody comes.
        system.settle(None, SimTime::ZERO, &mut calendar);
        (system, calendar)
    }
}

impl System<'_> {
    /// Bytes that what is in flight takes, at the high-water mark.
    pub(super) fn bytes(&self, calendar: &Calendar<Packed>) -> u64 {
        let lines: usize = self.instances.iter().map(|row| crate::discipline::Line::entries(&row.line)).sum();
        let sessions: usize = self.balancers.iter().map(super::CallerRoute::sessions).sum();
        let bytes = self.frames.high_water() * (size_of::<Frame>() + 8)
            + self.visits.high_water() * (size_of::<Visit>() + 8)
            + self.requests.high_water() * (size_of::<Request>() + 8)
            + self.watches.high_water() * size_of::<Watch>()
            + self.flights.high_water() * size_of::<Flight>()
            + self.tried.high_water() * size_of::<TriedReplica>()
            + self.held.high_water() * size_of::<Held>()
            + self.connections.bytes()
            + calendar.len() * 32
            + lines * size_of::<Waiter>()
            + sessions * 32
            + self.rates.bytes()
            + self.volumes.bytes()
            + self.caches.bytes()
            + self.queues.bytes()
            + self.starts.bytes()
            + self.alarms.high_water() * size_of::<Alarm>();
        bytes as u64
    }

    /// What repeats in an instant that does not end.
    fn name_cycle(&mut self, calendar: &mut Calendar<Packed>, until: SimTime, cancel: &CancelFlag) -> String {
        self.recent = Some(Vec::new());
        run_some(self, calendar, until, &sim_core::Limits::default(), cancel, LISTED);
        let mut names = self.recent.take().unwrap_or_default();
        let mut seen: Vec<String> = Vec::new();
        names.retain(|name| {
            let new = !seen.contains(name);
            if new {
                seen.push(name.clone());
            }
            new
        });
        names.join(" -> ")
    }

    /// Keeps the name of an event.
    #[cold]
    pub(super) fn remember(&mut self, event: Event) {
        let endpoint = |key| {
            let frame: Option<&Frame> = self.frames.get(key);
            let call = frame.and_then(|frame| self.plan.calls.get(frame.call.index()));
            let named = |call: &CallPlan| self.plan.endpoints[call.endpoint.index()].name.clone();
            call.map_or_else(|| "a call".to_owned(), named)
        };
        let name = match event {
            Event::Arrival { traffic, .. } | Event::Thought { traffic, .. } => {
                format!("{} sends", self.plan.traffics[traffic as usize].name)
            }
            Event::StepDone(key) => format!("{} steps", endpoint(key)),
            Event::VisitDone(visit) => {
                let service = self.replicas[self.visits.at(visit).replica as usize].service;
                format!("{} steps", self.plan.services[service as usize].name)
            }
            Event::BurstDone { cores, .. } => {
                let service = self.cores[cores as usize].service as usize;
                format!("{} computes", self.plan.services[service].name)
            }
            Event::Timeout(_) | Event::TotalTimeout(_) => "a call times out".to_owned(),
            Event::Retry(_) => "a call is retried".to_owned(),
            Event::GiveUp(_) | Event::Refuse(_) => "a wait times out".to_owned(),
            Event::Hedge(_) => "a call is hedged".to_owned(),
            Event::Check { .. } => "a health check".to_owned(),
            Event::Alarm(alarm) => match *self.alarms.peek(alarm) {
                Alarm::LookAgain(site) => format!("{} starts", self.job_at(site).name),
                _ => "a resource looks at itself".to_owned(),
            },
            Event::Cut => "a window ends".to_owned(),
            Event::Change { change, .. } => self.plan.changes[change as usize].label.clone(),
        };
        if let Some(recent) = &mut self.recent {
            recent.push(name);
        }
    }

    /// Requests that have come, in all segments that are closed.
    fn offered(&self) -> u64 {
        self.segments.iter().flat_map(|segment| &segment.traffics).map(|row| row.offered).sum()
    }

    fn into_observations(self, events: u64, ended: Ended, end: SimTime, peak_bytes: u64) -> Observations {
        let balances = (0..self.sources.len())
            .map(|traffic| {
                let mut balance =
                    Balance { outcomes: vec![0; self.plan.outcomes.len()], ..Balance::default() };
                for segment in &self.segments {
                    let row = &segment.traffics[traffic];
                    balance.offered += row.offered;
                    for (sum, count) in balance.outcomes.iter_mut().zip(&row.outcomes) {
                        *sum += count;
                    }
                }
                let running = |request: &Request| request.traffic as usize == traffic && !request.ended;
                let requests = self.requests.iter().filter(|(_, request)| running(request)).count();
                let visits =
                    self.visits.iter().filter(|(_, visit)| visit.visitor.traffic == traffic as u32).count();
                balance.in_flight = (requests + visits) as u64;
                balance
            })
            .collect();
        let last = self.segments.last().map(|segment| segment.queues.as_slice()).unwrap_or_default();
        Observations {
            left: last.iter().map(Left::of).collect(),
            segments: self.segments,
            balances,
            breakdowns: self.trace.into_breakdowns(),
            events,
            ended,
            end,
            fingerprint: self.fingerprint,
            deadlock: None,
            peak_frames: (self.frames.high_water() + self.visits.high_water()) as u64,
            peak_bytes,
        }
    }
}

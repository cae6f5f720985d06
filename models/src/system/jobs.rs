//! Jobs: work on a replica that no caller waits for.
//!
//! A run of a job is a frame like any other, and what it holds, calls and waits for is what requests hold, call and
//! wait for. It carries a request of no traffic, which has the label and the class of whatever the run is for, so
//! that keys, tenants and priorities mean what they mean everywhere. Whoever started it is told when it ends, however
//! it ends.

use sim_core::{Histogram, Population, Present, SimTime};

use super::frame::{FrameKey, Kind, Link, NONE, Request};
use super::{System, Task};
use crate::attribute::Label;
use crate::blueprint::{Blueprint, JobId, Outcome};
use crate::observe::JobObservation;

/// What a run of a job is for, and who is told of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nobody's.
    Nothing,
    /// A message that a member of a group has taken.
    Member(u32),
    /// Nobody's: it started by itself, at this site.
    Site(u32),
}

/// What is known of a run beside its frame.
#[derive(Clone, Copy, Debug)]
struct Run {
    job: JobId,
    cause: Cause,
}

/// What a job is measured by.
#[derive(Clone, Debug, Default)]
struct Meter {
    present: Population,
    outcomes: Vec<u64>,
    time: Histogram,
}

/// A run that is about to start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) job: JobId,
    pub(super) replica: u32,
    pub(super) cause: Cause,
    /// What its keys and limits by class go by.
    pub(super) label: Label,
    pub(super) class: u16,
    /// Names its draws.
    pub(super) draw_key: u64,
}

/// All jobs of a system.
#[derive(Clone, Debug)]
pub(super) struct Jobs {
    meters: Vec<Meter>,
    /// By index of a frame; meaningful where that is a run.
    runs: Vec<Run>,
    outcomes: usize,
}

impl Jobs {
    pub(super) fn new(plan: &Blueprint) -> Self {
        let outcomes = plan.outcomes.len();
        let meter = |_| Meter { outcomes: vec![0; outcomes], ..Meter::default() };
        Self { meters: plan.jobs.iter().map(meter).collect(), runs: Vec::new(), outcomes }
    }

    /// The job that the frame runs.
    pub(super) fn of(&self, frame: u32) -> usize {
        self.runs[frame as usize].job.index()
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, present: &[Present], now: SimTime) -> Vec<JobObservation> {
        let meters = self.meters.iter_mut().zip(present);
        meters
            .map(|(meter, &present)| JobObservation {
                present: meter.present.flush(now, present),
                outcomes: std::mem::replace(&mut meter.outcomes, vec![0; self.outcomes]),
                time: meter.time.take().compact(),
            })
            .collect()
    }
}

impl System<'_> {
    /// Starts a run of a job; its first operation is run when it is its turn in the present instant.
    pub(super) fn start_job(&mut self, start: &Start, now: SimTime) -> FrameKey {
        let request = Request { label: start.label, class: start.class, ..Request::blank() };
        let request = self.requests.insert(request).index();
        let entry = self.plan.jobs[start.job.index()].entry.0;
        let (index, frame) = self.open_frame(request, Link::NOBODY, now);
        frame.pc = entry;
        frame.replica = start.replica;
        frame.draw_key = start.draw_key;
        frame.kind = Kind::Job;
        let run = Run { job: start.job, cause: start.cause };
        let runs = &mut self.jobs.runs;
        if runs.len() <= index as usize {
            runs.resize(index as usize + 1, Run { job: JobId(NONE), cause: Cause::Nothing });
        }
        runs[index as usize] = run;
        self.jobs.meters[start.job.index()].present.enter(now);
        self.occupy(start.replica, now);
        let key = self.frames.key_of(index);
        self.ready.add(Task::Run(key));
        key
    }

    /// A run has ended, or was stopped. Its frame is still there, with all that it holds.
    #[inline(never)]
    pub(super) fn job_ended(&mut self, index: u32, outcome: Outcome, is_stopped: bool, now: SimTime) {
        let Run { job, cause } = self.jobs.runs[index as usize];
        let started = self.frames.at(index).arrived;
        let meter = &mut self.jobs.meters[job.index()];
        meter.present.leave(started, now);
        meter.outcomes[usize::from(outcome.0)] += 1;
        meter.time.record(now.since(started).as_nanos());
        match cause {
            Cause::Nothing => {}
            Cause::Member(member) => self.member_done(member, outcome, is_stopped),
            Cause::Site(site) => self.run_ended(site, now),
        }
    }
}

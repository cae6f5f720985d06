//! Jobs that start by themselves: by a clock, by a condition, or by a clock that looks at one.
//!
//! A **site** is where runs of a job follow one another: a replica, or the whole service, which runs it on the first of
//! its replicas that is ready. The clock of a replica is wound when it becomes ready and stands still when it is no
//! longer; that of a service always goes, and a tick that finds no replica passes.

use sim_core::{Calendar, Draws, SimTime, combine, hash_name};

use super::alarms::Alarm;
use super::frame::NONE;
use super::jobs::{Cause, Start};
use super::{Packed, Standing, System, Task, span};
use crate::attribute::Label;
use crate::blueprint::{Blueprint, JobId, JobPlan, StartPlan};

/// Separate the draws of one site.
const SALT_FIRST: u64 = 0x2545_F491_4F6C_DD1D;
const SALT_TICK: u64 = 0xD1B5_4A32_D192_ED03;
const SALT_RUN: u64 = 0x8CB9_2BA7_2F3D_8DD7;

/// Where runs of a job follow one another.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Site {
    job: u32,
    /// The replica; [`NONE`] for the whole service.
    replica: u32,
    /// Names its draws.
    name: u64,
    /// Whether a run is under way.
    runs: bool,
    /// When the last run began; before any did, [`SimTime::MAX`].
    began: SimTime,
    /// Runs that have begun, and ticks of its clock.
    begun: u64,
    ticks: u64,
    /// How often its clock was wound: ticks planned before are void.
    wound: u32,
    /// Whether the time has come from which on its condition counts.
    is_open: bool,
    /// Whether a level that its condition is about has moved since the last run began.
    has_moved: bool,
    /// Whether it is on the agenda.
    is_awaited: bool,
}

/// All sites of a replication.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    /// By job: how its runs start, as far as it is in force.
    plans: Vec<Option<StartPlan>>,
    /// By service: the jobs that start there by themselves.
    at: Vec<Vec<u32>>,
    /// By job: its sites; of a job of replicas by the replica's number in its service.
    of: Vec<Vec<u32>>,
    sites: Vec<Site>,
}

impl Starts {
    pub(super) fn new(plan: &Blueprint, stream: u64) -> Self {
        let mut starts = Self {
            plans: plan.jobs.iter().map(|job| job.start.clone()).collect(),
            at: vec![Vec::new(); plan.services.len()],
            of: vec![Vec::new(); plan.jobs.len()],
            sites: Vec::new(),
        };
        for (job, row) in (0_u32..).zip(&plan.jobs) {
            let Some(start) = &row.start else { continue };
            starts.at[row.service.index()].push(job);
            if !start.each_replica {
                starts.add(job, NONE, 0, stream, row);
            }
        }
        starts
    }

    fn add(&mut self, job: u32, replica: u32, local: u32, stream: u64, row: &JobPlan) {
        self.of[job as usize].push(self.sites.len() as u32);
        self.sites.push(Site {
            job,
            replica,
            name: combine(stream, combine(hash_name(&row.path), u64::from(local))),
            runs: false,
            began: SimTime::MAX,
            begun: 0,
            ticks: 0,
            wound: 0,
            is_open: false,
            has_moved: false,
            is_awaited: false,
        });
    }

    /// A replica is there: its sites are. Replicas of a service come in the order of their numbers.
    pub(super) fn lay_out(&mut self, plan: &Blueprint, stream: u64, service: u32, replica: u32, local: u32) {
        for at in 0..self.at[service as usize].len() {
            let job = self.at[service as usize][at];
            let row = &plan.jobs[job as usize];
            if row.start.as_ref().is_some_and(|start| start.each_replica) {
                self.add(job, replica, local, stream, row);
            }
        }
    }

    /// Bytes of what is remembered.
    pub(super) fn bytes(&self) -> usize {
        self.sites.len() * size_of::<Site>()
    }
}

impl System<'_> {
    /// Winds the clocks of all sites.
    pub(super) fn start_jobs(&mut self) {
        for site in 0..self.starts.sites.len() as u32 {
            self.ready.add(Task::Wind(site));
        }
    }

    /// A replica is ready.
    pub(super) fn wake_jobs(&mut self, replica: u32) {
        let row = &self.replicas[replica as usize];
        let (service, local) = (row.service as usize, row.local as usize);
        for at in 0..self.starts.at[service].len() {
            let job = self.starts.at[service][at] as usize;
            match self.starts.plans[job].as_ref().map(|start| start.each_replica) {
                Some(true) => self.ready.add(Task::Wind(self.starts.of[job][local])),
                Some(false) => self.tell_job(job, None),
                None => {}
            }
        }
    }

    /// The times at which a job starts are others from now on.
    pub(super) fn change_job(
        &mut self,
        job: usize,
        to: JobPlan,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        self.starts.plans[job] = to.start;
        for at in 0..self.starts.of[job].len() {
            self.wind(self.starts.of[job][at], now, calendar);
        }
    }

    /// A level has moved that the condition of a job is about: that of one replica, or one that all share.
    pub(super) fn tell_job(&mut self, job: usize, replica: Option<u32>) {
        let each = self.plan.jobs[job].start.as_ref().is_some_and(|start| start.each_replica);
        if let (Some(replica), true) = (replica, each) {
            let local = self.replicas[replica as usize].local as usize;
            self.tell_site(self.starts.of[job][local]);
            return;
        }
        for at in 0..self.starts.of[job].len() {
            self.tell_site(self.starts.of[job][at]);
        }
    }

    fn tell_site(&mut self, site: u32) {
        self.starts.sites[site as usize].has_moved = true;
        self.await_site(site);
    }

    /// A site is to be looked at in this instant.
    fn await_site(&mut self, site: u32) {
        let row = &mut self.starts.sites[site as usize];
        if row.is_open && !row.runs && !row.is_awaited {
            row.is_awaited = true;
            self.ready.add(Task::Look(site));
        }
    }

    // Clocks -----------------------------------------------------------------------------------------------

    /// The clock of a site begins anew.
    pub(super) fn wind(&mut self, site: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.starts.sites[site as usize];
        row.wound = row.wound.wrapping_add(1);
        row.is_open = false;
        let (name, wound) = (row.name, row.wound);
        let Some(plan) = &self.starts.plans[row.job as usize] else { return };
        let first = match (&plan.at, &plan.every) {
            (Some(at), _) => {
                let mut draws = Draws::keyed(combine(name ^ SALT_FIRST, u64::from(wound)));
                span(at.sample(&mut draws))
            }
            (None, Some(_)) => return self.plan_tick(site, now, calendar),
            (None, None) => return self.open_site(site),
        };
        self.set_alarm(now.saturating_add(first), Alarm::Tick { site, wound }, calendar);
    }

    fn plan_tick(&mut self, site: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.starts.sites[site as usize];
        let Some(every) = self.starts.plans[row.job as usize].as_ref().and_then(|plan| plan.every.as_ref())
        else {
            return;
        };
        row.ticks += 1;
        let mut draws = Draws::keyed(combine(row.name ^ SALT_TICK, row.ticks));
        let (gap, wound) = (span(every.sample(&mut draws)), row.wound);
        self.set_alarm(now.saturating_add(gap), Alarm::Tick { site, wound }, calendar);
    }

    /// The clock of a site ticks, unless it was wound anew since or its replica is not there.
    pub(super) fn tick(&mut self, site: u32, wound: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = self.starts.sites[site as usize];
        if row.wound != wound || (row.replica != NONE && !self.is_ready(row.replica)) {
            return;
        }
        let by_condition = self.starts.plans[row.job as usize].as_ref().is_some_and(StartPlan::by_condition);
        if by_condition {
            self.open_site(site);
            return;
        }
        self.plan_tick(site, now, calendar);
        self.start_at(site, now);
    }

    // Conditions -------------------------------------------------------------------------------------------

    /// The condition of a site counts from now on.
    fn open_site(&mut self, site: u32) {
        self.starts.sites[site as usize].is_open = true;
        self.await_site(site);
    }

    /// Looks at the condition of a site.
    ///
    /// What began in this instant begins again by an event of its own, so that runs which take no time and never have
    /// enough are noticed.
    pub(super) fn look_at_site(&mut self, site: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.starts.sites[site as usize];
        row.is_awaited = false;
        if !row.is_open {
            return;
        }
        if row.began == now {
            row.is_awaited = true;
            self.set_alarm(now, Alarm::LookAgain(site), calendar);
        } else {
            self.start_at(site, now);
        }
    }

    /// The same, by an event.
    pub(super) fn look_again(&mut self, site: u32, now: SimTime) {
        let row = &mut self.starts.sites[site as usize];
        row.is_awaited = false;
        if row.is_open {
            self.start_at(site, now);
        }
    }

    // Runs -------------------------------------------------------------------------------------------------

    /// The job whose runs are at a site.
    pub(super) fn job_at(&self, site: u32) -> &JobPlan {
        &self.plan.jobs[self.starts.sites[site as usize].job as usize]
    }

    fn is_ready(&self, replica: u32) -> bool {
        self.replicas[replica as usize].standing == Standing::Ready
    }

    /// The replica on which a run would start.
    fn replica_for(&self, site: &Site) -> Option<u32> {
        if site.replica != NONE {
            return Some(site.replica).filter(|&replica| self.is_ready(replica));
        }
        let service = self.plan.jobs[site.job as usize].service.index();
        self.services[service].replicas.iter().copied().find(|&replica| self.is_ready(replica))
    }

    /// Starts a run if none is under way, there is a replica for it and its condition holds.
    fn start_at(&mut self, site: u32, now: SimTime) {
        let row = self.starts.sites[site as usize];
        if row.runs {
            return;
        }
        let Some(replica) = self.replica_for(&row) else { return };
        let when = self.starts.plans[row.job as usize].as_ref().and_then(|plan| plan.when);
        if when.is_some_and(|when| !self.holds_at(replica, when, now)) {
            return;
        }
        let row = &mut self.starts.sites[site as usize];
        (row.runs, row.began, row.has_moved) = (true, now, false);
        row.begun += 1;
        let start = Start {
            job: JobId(row.job),
            replica,
            cause: Cause::Site(site),
            label: Label::default(),
            class: 0,
            draw_key: combine(row.name ^ SALT_RUN, row.begun),
        };
        self.start_job(&start, now);
    }

    /// A run has ended. One that took no time and found all levels where they stay does not begin again.
    pub(super) fn run_ended(&mut self, site: u32, now: SimTime) {
        let row = &mut self.starts.sites[site as usize];
        row.runs = false;
        if row.began < now || row.has_moved {
            self.await_site(site);
        }
    }
}

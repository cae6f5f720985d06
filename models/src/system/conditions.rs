//! Conditions over levels that start something as soon as they hold: runs of jobs, and events.
//!
//! A condition is looked at when a level that it is about has moved, after whoever moved it has done all that it does
//! in that instant: what holds only between two steps that take no time is not seen. A level that no condition is about
//! costs one look at an empty list.

use sim_core::{Calendar, SimTime};

use super::alarms::Alarm;
use super::{Event, Packed, System, Task};
use crate::blueprint::{Blueprint, FormulaId, ServiceId, Spacing};
use crate::formula::Formula;

/// What has a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Job(u32),
    Change(u32),
}

/// What is known of the condition of a change.
#[derive(Clone, Copy, Debug, Default)]
struct Edge {
    /// Whether the time has come from which on it counts.
    is_open: bool,
    /// Whether it held when it was looked at last.
    held: bool,
    /// Whether it is on the agenda.
    is_awaited: bool,
}

/// The conditions of a replication.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    /// By volume: what is to be looked at when one of its levels moves.
    about: Vec<Vec<Subject>>,
    /// By change.
    edges: Vec<Edge>,
}

impl Conditions {
    pub(super) fn new(plan: &Blueprint) -> Self {
        let mut conditions = Self { about: Vec::new(), edges: vec![Edge::default(); plan.changes.len()] };
        conditions.note(plan, &plan.formulas);
        conditions
    }

    /// Notes which conditions are about which volumes.
    fn note(&mut self, plan: &Blueprint, formulas: &[Formula]) {
        self.about = vec![Vec::new(); plan.volumes.len()];
        let jobs = (0_u32..).zip(&plan.jobs).filter_map(|(job, row)| {
            let start = row.start.as_ref().filter(|start| start.by_condition())?;
            Some((Subject::Job(job), &formulas[start.when?.index()]))
        });
        let changes = (0_u32..).zip(&plan.changes);
        let changes = changes.filter_map(|(change, row)| Some((Subject::Change(change), row.when.as_ref()?)));
        for (subject, formula) in jobs.chain(changes) {
            for volume in formula.volumes() {
                let about = &mut self.about[volume.index()];
                if !about.contains(&subject) {
                    about.push(subject);
                }
            }
        }
    }
}

impl System<'_> {
    /// A level has moved.
    #[inline]
    pub(super) fn level_moved(&mut self, tank: u32) {
        let volume = self.volumes.volume_of(tank) as usize;
        if !self.conditions.about[volume].is_empty() {
            self.tell_of_level(volume, tank);
        }
    }

    #[cold]
    fn tell_of_level(&mut self, volume: usize, tank: u32) {
        let replica = match self.plan.volumes[volume].spacing {
            Spacing::Replica(_) => Some(self.volumes.which(tank)),
            Spacing::One | Spacing::Each(_) => None,
        };
        for at in 0..self.conditions.about[volume].len() {
            match self.conditions.about[volume][at] {
                Subject::Job(job) => self.tell_job(job as usize, replica),
                Subject::Change(change) => self.await_change(change),
            }
        }
    }

    /// A formula is another one from now on.
    pub(super) fn change_formula(&mut self, formula: usize, to: Formula) {
        self.formulas[formula] = to;
        self.conditions.note(self.plan, &self.formulas);
        for (job, row) in self.plan.jobs.iter().enumerate() {
            let when = row.start.as_ref().and_then(|start| start.when);
            if when.is_some_and(|when| when.index() == formula) {
                self.tell_job(job, None);
            }
        }
    }

    /// Whether a condition holds where a replica is.
    pub(super) fn holds_at(&mut self, replica: u32, condition: FormulaId, now: SimTime) -> bool {
        self.volumes.value(&self.formulas[condition.index()], |_| replica, now) != 0.0
    }

    // Events -----------------------------------------------------------------------------------------------

    /// The condition of a change counts from now on.
    pub(super) fn open_change(&mut self, change: u32) {
        self.conditions.edges[change as usize].is_open = true;
        self.await_change(change);
    }

    /// The condition of a change is to be looked at in this instant.
    fn await_change(&mut self, change: u32) {
        let edge = &mut self.conditions.edges[change as usize];
        if !edge.is_awaited && edge.is_open {
            edge.is_awaited = true;
            self.ready.add(Task::Attend(change));
        }
    }

    /// Looks at the condition of a change, which begins when that holds and did not before.
    pub(super) fn attend(&mut self, change: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let plan = self.plan;
        let Some(condition) = &plan.changes[change as usize].when else { return };
        // Of what each replica has one, the scenario has one replica.
        let services = &self.services;
        let only = |owner: ServiceId| services[owner.index()].replicas[0];
        let holds = self.volumes.value(condition, only, now) != 0.0;
        let edge = &mut self.conditions.edges[change as usize];
        edge.is_awaited = false;
        let held = std::mem::replace(&mut edge.held, holds);
        if holds && !held {
            calendar.schedule(now, Event::Change { change, begins: true }.pack());
        }
    }

    /// Plans when the condition of a change begins to count.
    pub(super) fn plan_condition(&mut self, change: u32, calendar: &mut Calendar<Packed>) {
        let at = self.plan.changes[change as usize].at;
        if at > SimTime::ZERO {
            self.set_alarm(at, Alarm::Open(change), calendar);
        } else {
            self.open_change(change);
        }
    }
}

//! Jobs: whose replicas they run on, what starts them, and their steps.

use models::blueprint::{Caller, JobId, QueuePlan, ServiceId, Spacing};
use models::formula::Formula;

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::scenario::{Job, Start};
use crate::spec::{At, JobSpec, Name, Named, NamedEntry, OnceInWord, StepSpec};
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

impl<'a> Checker<'a> {
    /// The jobs as written, sorted by name.
    pub(super) fn job_specs(&self) -> Vec<&'a NamedEntry<JobSpec>> {
        self.spec.jobs.iter().flat_map(Named::sorted).collect()
    }

    /// The jobs, in the order of their names: one for each that is written, so that their numbers are known ahead.
    pub(super) fn all_jobs(&mut self) -> Vec<Job> {
        let mut all = Vec::new();
        for entry in self.job_specs() {
            let spec = entry.value.as_ref();
            let service = spec.and_then(|spec| spec.service.0.as_ref());
            let id = service.and_then(|at| self.service_named(at));
            let items: &[StepSpec] =
                spec.and_then(|spec| spec.do_steps.0.as_ref()).map_or(&[], |steps| &steps.items);
            let (mut steps, mut start) = (Vec::new(), None);
            if let (Some(id), Some(name), Some(spec)) = (id, service, spec) {
                self.caller = Caller::Service(id);
                start = self.start(&name.value.0, spec);
                if start.is_none() {
                    let workers = self.pool_names.get(&format!("{}.workers", name.value.0)).copied();
                    self.check_size(workers, items, entry.place);
                }
                steps = self.steps(&name.value.0, items);
            }
            all.push(Job { name: entry.name.clone(), service: id.unwrap_or(ServiceId(0)), start, steps });
        }
        all
    }

    /// When runs of a job of `service` start by themselves.
    fn start(&mut self, service: &str, spec: &JobSpec) -> Option<Start> {
        let (at, every, when) = (spec.at.as_ref(), spec.every.as_ref(), spec.when.as_ref());
        if at.is_none() && every.is_none() && when.is_none() {
            return None;
        }
        let start = Start {
            at: at.and_then(|at| self.distribution(at)),
            every: every.and_then(|every| self.more_than_nothing(every)),
            when: when.and_then(|when| self.condition(service, when)),
            each_replica: spec.per.value == OnceInWord::Replica,
        };
        if let (Some(when), Some(condition)) = (when, &start.when) {
            self.check_keyless(when.place, condition, "a job that starts by itself works for no request");
        }
        Some(start)
    }

    /// A condition that no request looks at cannot be about what each value of an attribute has for itself.
    pub(super) fn check_keyless(&mut self, place: Place, condition: &Formula, why: &str) {
        let keyed = condition
            .volumes()
            .find(|volume| matches!(self.volumes[volume.index()].spacing, Spacing::Each(_)));
        if let Some(volume) = keyed {
            let name = &self.volumes[volume.index()].name;
            let message = format!("`{name}` is one for each value of an attribute, and {why}");
            self.error(place, message, "look at a volume that all share: `per: cluster`");
        }
    }

    /// A job is started by itself or by a queue, and by one of them.
    pub(super) fn check_starts(&mut self, jobs: &[Job], queues: &[QueuePlan]) {
        let groups = || queues.iter().flat_map(|queue| queue.groups.iter().map(move |group| (queue, group)));
        for (number, (job, entry)) in jobs.iter().zip(self.job_specs()).enumerate() {
            let id = JobId(number as u32);
            let taker = groups().find(|(_, group)| group.job == Some(id)).map(|(queue, _)| queue);
            match (taker, &job.start) {
                (Some(queue), Some(_)) => {
                    let message = format!("`{}` starts by itself, and consumes `{}`", job.name, queue.name);
                    let help = "make them two jobs: a run of a consumer is for one message";
                    self.error(entry.place, message, help);
                }
                // What is wrong elsewhere may be what would start it.
                (None, None) if !self.sink.failed() => {
                    let message = format!("nothing starts `{}`", job.name);
                    let help = "write `every: 60s`, `when: heap.free < 20%`, or make it the job of a queue's `consumers`";
                    self.sink.report(Diagnostic::warning(message).at(entry.place).help(help));
                }
                _ => {}
            }
        }
    }

    /// The service of this name.
    pub(super) fn service_named(&mut self, at: &At<Name>) -> Option<ServiceId> {
        let name = at.value.0.as_str();
        if let Some(id) = self.services.get(name) {
            return Some(*id);
        }
        let known = || self.services.keys().copied();
        let help =
            did_you_mean(name, known()).unwrap_or_else(|| format!("the services are {}", listed(known())));
        self.error(at.place, format!("there is no service {}", quoted(name)), help);
        None
    }
}

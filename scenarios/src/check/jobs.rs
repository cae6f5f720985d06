//! Jobs: whose replicas they run on, and their steps.

use models::blueprint::{Caller, ServiceId};

use super::Checker;
use crate::scenario::Job;
use crate::spec::{At, JobSpec, Name, Named, NamedEntry, StepSpec};
use crate::tree::quoted;
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
            let mut steps = Vec::new();
            if let (Some(id), Some(name)) = (id, service) {
                self.caller = Caller::Service(id);
                let workers = self.pool_names.get(&format!("{}.workers", name.value.0)).copied();
                self.check_size(workers, items, entry.place);
                steps = self.steps(&name.value.0, items);
            }
            all.push(Job { name: entry.name.clone(), service: id.unwrap_or(ServiceId(0)), steps });
        }
        all
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

//! Cores: where they are written, and what their settings mean.

use models::blueprint::{Contention, CoresPlan, Scheduling, ThrottlePlan};

use super::{Checker, services_of, span};
use crate::spec::{
    At, ContentionSpec, CoresMapSpec, Named, NamedEntry, PriorityWord, ResourceSpec, SchedulingSpec,
    SchedulingWord, ServiceSpec, ThrottleSpec,
};

impl<'a> Checker<'a> {
    /// The cores of a service: its `cores`, or one of its resources.
    pub(super) fn cores(&mut self, spec: &'a ServiceSpec) -> Option<CoresPlan> {
        let short = spec.cores.as_ref();
        let mut resources = cores_resources(spec);
        let resource = resources.next();
        let second = match short {
            Some(_) => resource.map(|(entry, _)| entry),
            None => resources.next().map(|(entry, _)| entry),
        };
        if let Some(second) = second {
            let help = "keep one of the two: `cores: 4`, or a resource of kind `cores`";
            self.error(second.place, "a service has its cores only once", help);
        }
        let settings = match short {
            Some(short) => Some(&short.0.as_ref()?.spec),
            None => resource.map(|(_, settings)| settings),
        };
        let inner = settings.and_then(|settings| settings.scheduling.as_ref());
        if let (Some(outer), Some(_)) = (&spec.scheduling, inner) {
            self.error(outer.place, "`scheduling` is given twice", "keep one of the two");
        }
        let scheduling = spec.scheduling.as_ref().or(inner);
        let Some(settings) = settings else {
            if let Some(scheduling) = scheduling {
                let help = "without `cores` every CPU need is met at once; add `cores: 1`";
                self.error(scheduling.place, "`scheduling` needs `cores`", help);
            }
            return None;
        };
        self.plan_of_cores(settings, scheduling)
    }

    fn plan_of_cores(
        &mut self,
        spec: &CoresMapSpec,
        scheduling: Option<&At<SchedulingSpec>>,
    ) -> Option<CoresPlan> {
        let number = spec.cores.value.number;
        if number <= 0.0 {
            self.error(spec.cores.place, "expected more than 0 cores", "write `cores: 2` or `cores: 0.5`");
            return None;
        }
        let rule = scheduling.map_or(Scheduling::Sharing, |at| self.scheduling(at));
        let throttle = spec.throttle.as_ref().map(|throttle| self.throttle(&throttle.value));
        if rule == Scheduling::RunToCompletion && number.fract() != 0.0 && throttle.is_none() {
            let help = "an event loop has a whole core; use `speed: 0.5` for a slower one";
            self.error(spec.cores.place, "`run_to_completion` needs whole cores", help);
        }
        let contention = spec.contention.as_ref().map(|at| {
            let ContentionSpec { sigma, kappa } = &at.value;
            Contention { sigma: sigma.value.fraction, kappa: kappa.value.number }
        });
        Some(CoresPlan { cores: number, scheduling: rule, contention, throttle })
    }

    fn scheduling(&mut self, at: &At<SchedulingSpec>) -> Scheduling {
        match at.value {
            SchedulingSpec::Word(SchedulingWord::Sharing) => Scheduling::Sharing,
            SchedulingSpec::Word(SchedulingWord::RunToCompletion) => Scheduling::RunToCompletion,
            SchedulingSpec::Word(SchedulingWord::Sjf) => Scheduling::ShortestJobFirst,
            SchedulingSpec::Word(SchedulingWord::Srpt) => Scheduling::ShortestRemaining,
            SchedulingSpec::Word(SchedulingWord::Psjf) => Scheduling::ShortestOriginalSize,
            SchedulingSpec::Word(SchedulingWord::ForegroundBackground) => Scheduling::LeastAttained,
            SchedulingSpec::Word(SchedulingWord::LifoPreemptive) => Scheduling::LastComeFirst,
            SchedulingSpec::Priority(word) => {
                if self.classes.len() < 2 {
                    let help = "give a traffic `attributes: {class: {critical: 20%, bulk: 80%}, priority: [critical, bulk]}`";
                    self.error(at.place, "`priority` needs requests of different classes", help);
                }
                Scheduling::Priority { preemptive: word == PriorityWord::Preemptive }
            }
        }
    }

    fn throttle(&mut self, spec: &ThrottleSpec) -> ThrottlePlan {
        if spec.period.value.seconds <= 0.0 {
            self.error(spec.period.place, "a period of no time has no quota", "write `period: 100ms`");
        }
        let host_cores = spec.host_cores.as_ref().map_or(f64::INFINITY, |host| {
            if host.value.number <= 0.0 {
                self.error(host.place, "expected more than 0 cores", "write `host_cores: 8`");
            }
            host.value.number
        });
        ThrottlePlan { period: span(&spec.period).unwrap_or_default(), host_cores }
    }

    /// Whether a step of `service` names a resource of kind `cores`.
    pub(super) fn cores_resource(&self, service: &str, name: &str) -> bool {
        let is_one = |service: &str, name: &str| {
            let entry = services_of(self.spec).into_iter().find(|entry| entry.name == service);
            let spec = entry.and_then(|entry| entry.value.as_ref());
            spec.is_some_and(|spec| cores_resources(spec).any(|(entry, _)| entry.name == name))
        };
        is_one(service, name) || name.split_once('.').is_some_and(|(service, name)| is_one(service, name))
    }
}

/// Whether the replicas of a service have a limit of CPU time.
pub(super) fn has_cores(spec: &ServiceSpec) -> bool {
    spec.cores.is_some() || cores_resources(spec).next().is_some()
}

/// Resources of kind `cores`, by name.
fn cores_resources(spec: &ServiceSpec) -> impl Iterator<Item = (&NamedEntry<ResourceSpec>, &CoresMapSpec)> {
    let all = spec.resources.iter().flat_map(Named::sorted);
    all.filter_map(|entry| match &entry.value {
        Some(ResourceSpec::Cores(cores)) => Some((entry, cores)),
        _ => None,
    })
}

//! Resources: which pools there are, and which of them a step means.

use models::blueprint::{PoolId, PoolPlan, PoolScope, ServiceId};

use super::lines::LineSpec;
use super::{Checker, services_of};
use crate::spec::{At, Named, ResourceSpec, ServiceSpec, SlotsSpec, Text};
use crate::tree::quoted;
use crate::words::{did_you_mean, listed};

impl<'a> Checker<'a> {
    /// Makes the pools: service by service, then those of the top level, each by name.
    pub(super) fn resources(&mut self) {
        for (i, entry) in services_of(self.spec).into_iter().enumerate() {
            let Some(spec) = &entry.value else {
                continue;
            };
            let service = ServiceId(i as u32);
            self.workers(&entry.name, service, spec);
            for own in spec.resources.iter().flat_map(Named::sorted) {
                if matches!(own.name.as_str(), "workers" | "cores") {
                    let help = format!("say `{}` in the service itself, or choose another name", own.name);
                    self.error(
                        own.place,
                        format!("`{}` is a resource that every service has", own.name),
                        help,
                    );
                }
                if let Some(resource) = &own.value {
                    let name = format!("{}.{}", entry.name, own.name);
                    let path = format!("services.{}.resources.{}", entry.name, own.name);
                    self.resource(name, path, resource, Some(service));
                }
            }
        }
        for entry in self.spec.resources.iter().flat_map(Named::sorted) {
            if let Some(resource) = &entry.value {
                self.resource(entry.name.clone(), format!("resources.{}", entry.name), resource, None);
            }
        }
        self.connection_sources();
    }

    fn workers(&mut self, name: &str, service: ServiceId, spec: &'a ServiceSpec) {
        let line = LineSpec::of_workers(spec);
        let Some(workers) = &spec.workers else {
            for (key, place) in line.said() {
                let help = "without `workers` nobody has to queue; add `workers: 64`";
                self.error(place, format!("`{key}` needs `workers`"), help);
            }
            if let Some(queue) = &spec.queue {
                let help = "without `workers` nothing has to queue; add `workers: 64`";
                self.error(queue.place, "`queue` needs `workers`", help);
            }
            return;
        };
        let Some(workers) = &workers.0 else {
            return;
        };
        let (path, name) = (format!("services.{name}.workers"), format!("{name}.workers"));
        let mut plan = PoolPlan {
            queue: spec.queue.as_ref().map_or(u32::MAX, |queue| queue.value.count),
            is_workers: true,
            ..PoolPlan::new(path, name, workers.value.count, self.in_replicas(service))
        };
        self.line(&mut plan, &line, workers.place);
        self.add(plan);
    }

    /// The scope of a new pool in the replicas of `service`.
    fn in_replicas(&self, service: ServiceId) -> PoolScope {
        PoolScope::Replica { service, slot: self.slots[service.index()].len() as u32 }
    }

    fn resource(&mut self, name: String, path: String, spec: &'a ResourceSpec, owner: Option<ServiceId>) {
        match spec {
            ResourceSpec::Slots(spec) => self.pool(name, path, spec, owner),
            // They are told with the rest of the service.
            ResourceSpec::Cores(_) if owner.is_some() => {}
            ResourceSpec::Cores(spec) => {
                let help = "write them under `resources` of a service, or as its `cores`";
                self.error(spec.cores.place, "cores belong to the replicas of a service", help);
            }
        }
    }

    fn pool(&mut self, name: String, path: String, spec: &'a SlotsSpec, owner: Option<ServiceId>) {
        let scope = match (&spec.per, owner) {
            (None, Some(service)) => self.in_replicas(service),
            (None, None) => PoolScope::One,
            (Some(per), _) => match (per.value.0.as_str(), owner) {
                ("cluster", _) => PoolScope::One,
                ("class", _) => PoolScope::Class,
                ("replica", Some(service)) => self.in_replicas(service),
                (other, _) => match self.services.get(other) {
                    Some(&service) if owner.is_none_or(|owner| owner == service) => self.in_replicas(service),
                    Some(_) => {
                        let help =
                            "a service's own resource is one in each of its replicas, or `per: cluster`";
                        self.error(per.place, "a service owns this resource, not another one", help);
                        return;
                    }
                    None if matches!(other, "key" | "tenant" | "shard" | "user" | "zone") => {
                        self.sink.report(crate::spec::not_yet(&format!("per: {other}"), per.place));
                        return;
                    }
                    None => {
                        let known = self.services.keys().copied().chain(["class", "cluster"]);
                        let help = did_you_mean(other, known).unwrap_or_else(|| {
                            "one in each replica of a service: its name; one for each `class`; one: `cluster`".into()
                        });
                        self.error(per.place, format!("there is no service {}", quoted(other)), help);
                        return;
                    }
                },
            },
        };
        let mut plan = PoolPlan {
            queue: spec.queue.as_ref().map_or(u32::MAX, |queue| queue.value.count),
            ..PoolPlan::new(path, name, spec.slots.value.count, scope)
        };
        plan.connections = self.connections(&plan.name, spec, scope);
        self.line(&mut plan, &LineSpec::of_slots(spec), spec.slots.place);
        self.add(plan);
    }

    fn add(&mut self, plan: PoolPlan) {
        let id = PoolId(self.pools.len() as u32);
        if let PoolScope::Replica { service, .. } = plan.scope {
            self.slots[service.index()].push(id);
        }
        self.pool_names.insert(plan.name.clone(), id);
        self.pools.push(plan);
    }

    /// The pool that a step of `service` means: its own, one of the top level, or `service.resource`.
    pub(super) fn pool_named(&mut self, service: &str, at: &At<Text>) -> Option<PoolId> {
        let name = at.value.0.as_str();
        let own = self.pool_names.get(&format!("{service}.{name}")).copied();
        if let Some(pool) = own.or_else(|| self.pool_names.get(name).copied()) {
            if let PoolScope::Replica { service: owner, .. } = self.pools[pool.index()].scope
                && self.services.get(service) != Some(&owner)
            {
                let owner = services_of(self.spec)[owner.index()].name.clone();
                let message =
                    format!("`{name}` is one in each replica of `{owner}`, so `{service}` cannot hold it");
                self.error(
                    at.place,
                    message,
                    format!("hold it in a step of `{owner}`, or use `per: cluster`"),
                );
                return None;
            }
            return Some(pool);
        }
        if name.rsplit('.').next() == Some("cores") || self.cores_resource(service, name) {
            self.error(at.place, "cores are not held, they are shared by a `cpu` step", "write `cpu: 5ms`");
            return None;
        }
        if self.told(service, name) {
            return None;
        }
        let prefix = format!("{service}.");
        let known = || self.pool_names.keys().map(|known| known.strip_prefix(&prefix).unwrap_or(known));
        let help = match did_you_mean(name, known()) {
            Some(guess) => guess,
            None if self.pool_names.is_empty() => {
                format!("add it to `resources`: `{}: {{slots: 10}}`", name.rsplit('.').next().unwrap_or(name))
            }
            None => format!("add it to `resources`, or use one of {}", listed(known())),
        };
        self.error(at.place, format!("there is no resource {}", quoted(name)), help);
        None
    }

    /// Whether the resource is there, but could not be read, which has been told.
    pub(super) fn told(&self, service: &str, name: &str) -> bool {
        let own = |service: &str, name: &str| {
            let entry = services_of(self.spec).into_iter().find(|entry| entry.name == service);
            let Some(entry) = entry else { return false };
            let Some(spec) = &entry.value else { return true };
            spec.resources.iter().flat_map(|resources| &resources.entries).any(|entry| entry.name == name)
        };
        own(service, name)
            || self
                .spec
                .resources
                .iter()
                .flat_map(|resources| &resources.entries)
                .any(|entry| entry.name == name)
            || name.split_once('.').is_some_and(|(service, name)| own(service, name))
    }
}

//! Resources: which pools there are, and which of them a step means.

use models::blueprint::{
    Attribute, BatchPlan, Discipline, PoolId, PoolPlan, PoolScope, ServiceId, Spacing, Stock,
};

use super::lines::LineSpec;
use super::{Checker, services_of, span};
use crate::spec::{At, BatchSpec, ByWord, Name, Named, ResourceSpec, ServiceSpec, SlotsSpec, Text};
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
            ResourceSpec::Rate(spec) => self.rate(name, path, spec, owner),
            ResourceSpec::Volume(spec) => self.volume(name, path, spec, owner),
            // They are told with the rest of the service.
            ResourceSpec::Cores(_) if owner.is_some() => {}
            ResourceSpec::Cores(spec) => {
                let help = "write them under `resources` of a service, or as its `cores`";
                self.error(spec.cores.place, "cores belong to the replicas of a service", help);
            }
        }
    }

    fn pool(&mut self, name: String, path: String, spec: &'a SlotsSpec, owner: Option<ServiceId>) {
        let Some(spacing) = self.spacing(spec.per.as_ref(), owner) else { return };
        let scope = match spacing {
            Spacing::One => PoolScope::One,
            Spacing::Replica(service) => self.in_replicas(service),
            Spacing::Each(Attribute::Class) => PoolScope::Class,
            Spacing::Each(by) => PoolScope::Each(by),
        };
        let batch = match &spec.batch {
            Some(batch) => match self.batch(batch) {
                Some(batch) => Some(batch),
                None => return,
            },
            None => None,
        };
        let mut plan = PoolPlan {
            queue: spec.queue.as_ref().map_or(u32::MAX, |queue| queue.value.count),
            ..PoolPlan::new(path, name, spec.slots.value.count, scope)
        };
        plan.batch = batch.map(Box::new);
        plan.connections = self.connections(&plan.name, spec, scope);
        self.line(&mut plan, &LineSpec::of_slots(spec), spec.slots.place);
        self.check_kind(&plan, spec);
        self.add(plan);
    }

    /// Slots that are served together, that belong to a value, or that are connections cannot be everything else too.
    fn check_kind(&mut self, plan: &PoolPlan, spec: &SlotsSpec) {
        let of_a_value = matches!(plan.scope, PoolScope::Each(_));
        let drops =
            matches!(plan.order, Discipline::Codel(_) | Discipline::AdaptiveLifo { codel: Some(_), .. });
        let guarded = [
            (plan.drop_abandoned, "`drop_abandoned`"),
            (!plan.admit.is_empty(), "`admit`"),
            (plan.adapt.is_some(), "`adapt`"),
            (drops, "an order that turns requests away"),
        ];
        if let (Some(batch), Some((_, what))) = (&spec.batch, guarded.iter().find(|(is_set, _)| *is_set)) {
            let message = format!("a batch takes whoever waits: it does not go with {what}");
            self.error(batch.place, message, "leave one of them out");
        }
        if plan.connections.is_some() && (of_a_value || plan.batch.is_some()) {
            let what = if of_a_value { "slots of a value come and go" } else { "a batch is not held" };
            self.error(
                spec.slots.place,
                format!("{what}: they cannot be connections"),
                "make them two resources",
            );
        }
        if of_a_value && plan.adapt.is_some() {
            let message = "slots of a value come and go: there is nothing to adapt";
            self.error(spec.slots.place, message, "leave `adapt` out");
        }
    }

    fn batch(&mut self, spec: &At<BatchSpec>) -> Option<BatchPlan> {
        let batch = &spec.value;
        let base = self.distribution(&batch.time.base)?;
        let (min, max) = (batch.min.value.count, batch.max.value.count);
        if min > max {
            let message = format!("a batch of at most {max} never has {min}");
            self.error(batch.min.place, message, "raise `max` or lower `min`");
            return None;
        }
        let each = batch.time.each.as_ref().map_or(0.0, |each| each.value.seconds);
        Some(BatchPlan { min, max, delay: span(&batch.delay)?, base, each })
    }

    /// What has an instance of its own, of a resource of any kind.
    pub(super) fn spacing(&mut self, per: Option<&At<Name>>, owner: Option<ServiceId>) -> Option<Spacing> {
        let Some(per) = per else {
            return Some(owner.map_or(Spacing::One, Spacing::Replica));
        };
        let by = match (per.value.0.as_str(), owner) {
            ("cluster", _) => return Some(Spacing::One),
            ("class", _) => ByWord::Class,
            ("key", _) => ByWord::Key,
            ("tenant", _) => ByWord::Tenant,
            ("user", _) => ByWord::User,
            ("replica", Some(service)) => return Some(Spacing::Replica(service)),
            (other, _) => match self.services.get(other) {
                Some(&service) if owner.is_none_or(|owner| owner == service) => {
                    return Some(Spacing::Replica(service));
                }
                Some(_) => {
                    let help = "a service's own resource is one in each of its replicas, or `per: cluster`";
                    self.error(per.place, "a service owns this resource, not another one", help);
                    return None;
                }
                None if matches!(other, "shard" | "zone") => {
                    self.sink.report(crate::spec::not_yet(&format!("per: {other}"), per.place));
                    return None;
                }
                None => {
                    let words = ["class", "key", "tenant", "user", "cluster"];
                    let known = self.services.keys().copied().chain(words);
                    let help = did_you_mean(other, known).unwrap_or_else(|| {
                        "one in each replica of a service: its name; one for each `class`, `key`, `tenant` or `user`; \
                         one: `cluster`"
                            .into()
                    });
                    self.error(per.place, format!("there is no service {}", quoted(other)), help);
                    return None;
                }
            },
        };
        self.attribute(&At { value: by, place: per.place }).map(Spacing::Each)
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
        let pool = self.look_up(service, at, &format!("write `- take: {name}`"))?;
        if let PoolScope::Replica { service: owner, .. } = self.pools[pool.index()].scope
            && self.services.get(service) != Some(&owner)
        {
            let owner = services_of(self.spec)[owner.index()].name.clone();
            let message =
                format!("`{name}` is one in each replica of `{owner}`, so `{service}` cannot hold it");
            let help = format!("hold it in a step of `{owner}`, or use `per: cluster`");
            self.error(at.place, message, help);
            return None;
        }
        Some(pool)
    }

    /// The pool of that name, as `service` would say it. `instead` is the help for what is no pool.
    pub(super) fn look_up(&mut self, service: &str, at: &At<Text>, instead: &str) -> Option<PoolId> {
        let name = at.value.0.as_str();
        let own = self.pool_names.get(&format!("{service}.{name}")).copied();
        if let Some(pool) = own.or_else(|| self.pool_names.get(name).copied()) {
            return Some(pool);
        }
        if let Some(stock) = self.stocks.get(&format!("{service}.{name}")).or_else(|| self.stocks.get(name)) {
            let (kind, does) = match stock {
                Stock::Rate(_) => ("a rate", "taken"),
                Stock::Volume(_) => ("a volume", "taken and given"),
            };
            let message = format!("`{name}` is {kind}, which is {does}, not held");
            self.error(at.place, message, instead);
            return None;
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

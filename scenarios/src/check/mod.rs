//! From the scenario as written to one whose parts fit: names resolved, defaults filled in, numbers in range.

mod attributes;
mod autoscalers;
mod caches;
mod classes;
mod connections;
mod cores;
mod cycles;
mod distributions;
mod empty;
mod events;
mod files;
mod formulas;
mod jobs;
mod lines;
mod moves;
mod network;
mod policies;
mod queues;
mod rare;
mod rates;
mod resources;
mod routes;
mod sensitivity;
mod solve;
mod steps;
mod sweep;
mod traffic;
mod uncertainty;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use models::blueprint::{
    CacheId, CachePlan, Caller, EndpointId, LifePlan, Limits, Outcome, PolicyId, PoolId, PoolPlan, Price,
    QueueId, RatePlan, RouteId, ServiceId, StartupPlan, Stock, VolumePlan,
};
use sim_core::Span;
use sim_core::distribution::Distribution;

use crate::diagnostic::Diagnostic;
use crate::scenario::{Endpoint, Parts, Route, Service, Warmup};
use crate::spec::{
    At, AutoscalerSpec, LimitsSpec, Named, PolicySpec, Priced, RouteSpec, ScenarioSpec, ServiceSpec, Sink,
    Text, Time, WarmupSpec,
};
use crate::text::Source;
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

use caches::CacheNote;
pub(crate) use cycles::callees_first;
pub(crate) use empty::EmptySystem;
pub(crate) use rare::rare;
pub(crate) use sensitivity::screening;
pub(crate) use solve::goal;
pub(crate) use sweep::{axes, single};
pub(crate) use uncertainty::uncertain;

/// Turns a spec into a scenario's parts; mistakes go to the sink, and where there are any the result is not used.
pub(crate) fn check(spec: &ScenarioSpec, source: &Source, sink: &mut Sink) -> Parts {
    Checker::new(spec, source, sink).run()
}

/// What is known while a scenario is checked.
pub(super) struct Checker<'a> {
    spec: &'a ScenarioSpec,
    source: &'a Source,
    sink: &'a mut Sink,
    services: BTreeMap<&'a str, ServiceId>,
    /// `web.checkout`.
    endpoints: BTreeMap<String, EndpointId>,
    policies: BTreeMap<&'a str, PolicyId>,
    queues: BTreeMap<&'a str, QueueId>,
    routes: BTreeMap<&'a str, &'a RouteSpec>,
    classes: Vec<String>,
    /// Names that `fail` steps use.
    failures: Vec<String>,
    pools: Vec<PoolPlan>,
    pool_names: BTreeMap<String, PoolId>,
    rates: Vec<RatePlan>,
    volumes: Vec<VolumePlan>,
    caches: Vec<CachePlan>,
    /// What is known of each cache beside its plan.
    cache_notes: Vec<CacheNote<'a>>,
    /// Caches in whose steps the steps at hand are.
    within: Vec<CacheId>,
    /// Rates and volumes by name.
    stocks: BTreeMap<String, Stock>,
    /// The pools of each service's replicas, in slot order.
    slots: Vec<Vec<PoolId>>,
    /// Pools of connections, and what they say that these come out of.
    sources: Vec<(String, &'a At<Text>)>,
    /// Pools that serve by deadline, and where that is said.
    urgent: Vec<(PoolId, Place)>,
    used_routes: Vec<Route>,
    route_ids: BTreeMap<(ServiceId, Option<&'a str>), RouteId>,
    /// Who makes the calls at hand.
    caller: Caller,
    /// Policies written where they are used, and what they are called.
    own_policies: Vec<(String, PolicySpec, Place)>,
    /// Who calls under which policy.
    used_policies: BTreeSet<(PolicyId, Caller)>,
}

impl<'a> Checker<'a> {
    fn new(spec: &'a ScenarioSpec, source: &'a Source, sink: &'a mut Sink) -> Self {
        let mut services = BTreeMap::new();
        let mut endpoints = BTreeMap::new();
        for (i, entry) in services_of(spec).iter().enumerate() {
            services.insert(entry.name.as_str(), ServiceId(i as u32));
            let named = entry.value.as_ref().and_then(|service| service.endpoints.0.as_ref());
            for endpoint in named.map(Named::sorted).unwrap_or_default() {
                let id = EndpointId(endpoints.len() as u32);
                endpoints.insert(format!("{}.{}", entry.name, endpoint.name), id);
            }
        }
        let mut policies = BTreeMap::new();
        for (i, entry) in spec.policies.iter().flat_map(Named::sorted).enumerate() {
            policies.insert(entry.name.as_str(), PolicyId(i as u32));
        }
        let mut queues = BTreeMap::new();
        for (i, entry) in spec.queues.iter().flat_map(Named::sorted).enumerate() {
            queues.insert(entry.name.as_str(), QueueId(i as u32));
        }
        let slots = vec![Vec::new(); services.len()];
        Self {
            spec,
            source,
            sink,
            services,
            endpoints,
            policies,
            queues,
            routes: BTreeMap::new(),
            classes: Vec::new(),
            failures: Vec::new(),
            pools: Vec::new(),
            pool_names: BTreeMap::new(),
            rates: Vec::new(),
            volumes: Vec::new(),
            caches: Vec::new(),
            cache_notes: Vec::new(),
            within: Vec::new(),
            stocks: BTreeMap::new(),
            slots,
            sources: Vec::new(),
            urgent: Vec::new(),
            used_routes: Vec::new(),
            route_ids: BTreeMap::new(),
            caller: Caller::Service(ServiceId(0)),
            own_policies: Vec::new(),
            used_policies: BTreeSet::new(),
        }
    }

    fn run(mut self) -> Parts {
        for entry in self.spec.routes.iter().flat_map(Named::sorted) {
            if let Some(route) = &entry.value {
                self.routes.insert(&entry.name, route);
            }
        }
        let duration = self.duration();
        let warmup = self.warmup(duration);
        let limits = self.limits(&self.spec.limits);
        self.classes = self.all_classes();
        self.failures = self.all_failures();
        self.resources();
        self.all_caches();
        let zones = self.all_zones();
        let services = self.all_services(&zones);
        self.check_prices();
        let endpoints = self.all_endpoints();
        let jobs = self.all_jobs();
        let queues = self.all_queues();
        self.check_starts(&jobs, &queues);
        let traffics = self.all_traffics(&endpoints, &services);
        let uses = self.all_uses();
        let policies = self.all_policies();
        self.check_urgency(&policies);
        let failures = self.all_failing();
        self.warm_up();
        let (happenings, links) = self.all_happenings(&zones);
        self.check_cycles(&endpoints);
        let spec = self.spec;
        let file_stem = || {
            let stem = std::path::Path::new(self.source.name()).file_stem();
            stem.map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy().into_owned())
        };
        let mut outcomes: Vec<String> = Outcome::FIXED.iter().map(ToString::to_string).collect();
        outcomes.extend(self.failures.iter().map(|name| format!("failed:{name}")));
        let tenants = self.tenants();
        let mut parts = Parts {
            name: spec.name.as_ref().map_or_else(file_stem, |name| name.value.0.clone()),
            about: spec.about.as_ref().map(|about| about.value.0.clone()),
            // What could not be read has been told; the rest of the file is checked as if it did not matter.
            duration: duration.unwrap_or(sim_core::MAX_SPAN),
            warmup: warmup.unwrap_or(Warmup::Auto),
            seed: spec.seed.value.seed,
            replications: spec.replications.value.count,
            precision: spec.precision.as_ref().map(|precision| precision.value.fraction),
            limits,
            tenants,
            classes: std::mem::take(&mut self.classes),
            outcomes,
            traffics,
            services,
            endpoints,
            jobs,
            queues,
            autoscalers: Vec::new(),
            pools: std::mem::take(&mut self.pools),
            rates: std::mem::take(&mut self.rates),
            volumes: std::mem::take(&mut self.volumes),
            caches: std::mem::take(&mut self.caches),
            policies,
            uses,
            routes: std::mem::take(&mut self.used_routes),
            failures,
            zones,
            links,
            happenings,
        };
        self.all_autoscalers(&mut parts);
        parts
    }

    /// Adds an error.
    fn error(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.sink.report(Diagnostic::error(message).at(place).help(help));
    }

    fn duration(&mut self) -> Option<Span> {
        let duration = self.spec.duration.0.as_ref()?;
        if duration.value.seconds <= 0.0 {
            self.error(duration.place, "the run has no duration", "write `duration: 10m`");
            return None;
        }
        span(duration)
    }

    fn warmup(&mut self, duration: Option<Span>) -> Option<Warmup> {
        let at = &self.spec.warmup;
        let WarmupSpec::Fixed(time) = at.value else {
            return Some(Warmup::Auto);
        };
        let span = Span::from_seconds(time.seconds).ok()?;
        if duration.is_some_and(|duration| span >= duration) {
            let help = "leave a part of the run to be measured: `warmup: auto` finds out how much";
            self.error(at.place, "the warm-up takes the whole run", help);
        }
        Some(Warmup::Fixed(span))
    }

    fn limits(&mut self, spec: &LimitsSpec) -> Limits {
        if spec.call_depth.value.count == 0 {
            self.error(spec.call_depth.place, "a call depth of 0 allows no call", "write `call_depth: 1000`");
        }
        Limits {
            events: spec.events.value.count,
            events_at_one_instant: spec.events_at_one_instant.value.count,
            wall: std::time::Duration::from_secs_f64(spec.wall.value.seconds),
            memory: spec.memory.value.bytes as u64,
            call_depth: spec.call_depth.value.count,
        }
    }

    fn all_services(&mut self, zones: &[String]) -> Vec<Service> {
        let mut all = Vec::new();
        for entry in services_of(self.spec) {
            let Some(spec) = &entry.value else {
                continue;
            };
            if let Some(endpoints) =
                spec.endpoints.0.as_ref().filter(|endpoints| endpoints.entries.is_empty())
            {
                let _ = endpoints;
                self.error(
                    entry.place,
                    format!("the service `{}` has no endpoint", entry.name),
                    "write `endpoints: {get: [{cpu: 5ms}]}`",
                );
            }
            let cores = self.cores(spec);
            let life = self.life(&entry.name, spec, zones);
            all.push(Service {
                name: entry.name.clone(),
                replicas: spec.replicas.value.count,
                cores,
                speed: spec.speed.value.number,
                pools: self.slots[all.len()].clone(),
                workers: self.pool_names.get(&format!("{}.workers", entry.name)).copied(),
                life,
            });
        }
        all
    }

    /// How the replicas of a service begin and end.
    fn life(&mut self, name: &str, spec: &ServiceSpec, zones: &[String]) -> LifePlan {
        let startup = spec.startup.as_ref().and_then(|at| {
            let fields = &at.value.0;
            let warm = fields.warm.as_ref().and_then(span).unwrap_or_default();
            let slowdown = fields.slowdown.value.number;
            if slowdown < 1.0 {
                let help = "write `slowdown: 3`: CPU work takes three times as long at first";
                self.error(
                    fields.slowdown.place,
                    "a replica that warms up is not faster than the others",
                    help,
                );
            } else if slowdown > 1.0 && warm == Span::ZERO {
                let help = "add `warm: 30s`";
                self.error(fields.slowdown.place, "it is not said how long the replica warms up", help);
            }
            Some(Box::new(StartupPlan { delay: self.distribution(&fields.delay)?, warm, slowdown }))
        });
        LifePlan {
            startup,
            drain: spec.drain.as_ref().and_then(span),
            zones: Self::zones_of(spec.zones.as_ref(), zones),
            price: self.price(name, Priced::Replica),
        }
    }

    /// What a replica of the service costs, or a node of its autoscaler.
    fn price(&self, service: &str, of: Priced) -> Option<Price> {
        let all = self.spec.cost.iter().flat_map(|prices| &prices.entries);
        let price = all.filter(|entry| entry.name == service).find_map(|entry| entry.value.as_ref())?;
        (price.of == of).then(|| Price { per_hour: price.per_hour, currency: price.currency.clone() })
    }

    /// Prices are those of services, and those of nodes of services whose nodes are counted.
    fn check_prices(&mut self) {
        let spec = self.spec;
        let has_nodes = |service: &str| {
            let mut all = spec.autoscalers.iter().flat_map(|all| &all.entries);
            all.any(|entry| {
                let scaled = |row: &AutoscalerSpec| row.service.as_ref().map(|at| at.value.0.clone());
                let row = entry.value.as_ref();
                row.is_none_or(|row| row.nodes.is_some())
                    && row.and_then(scaled).as_ref().unwrap_or(&entry.name) == service
            })
        };
        for entry in spec.cost.iter().flat_map(|prices| &prices.entries) {
            if self.services.contains_key(entry.name.as_str()) {
                let of_node = entry.value.as_ref().is_some_and(|price| price.of == Priced::Node);
                if of_node && !has_nodes(&entry.name) {
                    let message =
                        format!("no nodes of {} are counted, so none has a price", quoted(&entry.name));
                    let help = format!(
                        "add `nodes: {{pods: 10, provision: 2m}}` to the autoscaler of `{}`, or price its replicas: \
                         `0.05 USD/replica-hour`",
                        entry.name
                    );
                    self.error(entry.place, message, help);
                }
                continue;
            }
            let known = || self.services.keys().copied();
            let help = did_you_mean(&entry.name, known())
                .unwrap_or_else(|| format!("the services are {}", listed(known())));
            self.error(entry.place, format!("there is no service {}", quoted(&entry.name)), help);
        }
    }

    fn all_endpoints(&mut self) -> Vec<Endpoint> {
        let mut all = Vec::new();
        for (i, entry) in services_of(self.spec).into_iter().enumerate() {
            let named = entry.value.as_ref().and_then(|service| service.endpoints.0.as_ref());
            self.caller = Caller::Service(ServiceId(i as u32));
            for endpoint in named.map(Named::sorted).unwrap_or_default() {
                let workers = self.pool_names.get(&format!("{}.workers", entry.name)).copied();
                if let Some(steps) = &endpoint.value {
                    self.check_size(workers, &steps.items, endpoint.place);
                }
                let steps = endpoint.value.as_ref().map(|steps| self.steps(&entry.name, &steps.items));
                all.push(Endpoint {
                    name: format!("{}.{}", entry.name, endpoint.name),
                    service: ServiceId(i as u32),
                    place: endpoint.place,
                    steps: steps.unwrap_or_default(),
                });
            }
        }
        all
    }

    /// The endpoint `web.checkout`.
    fn endpoint_named(&mut self, name: &str, place: Place) -> Option<EndpointId> {
        if let Some(id) = self.endpoints.get(name) {
            return Some(*id);
        }
        let Some((service, endpoint)) = name.split_once('.') else {
            let help = if self.services.contains_key(name) {
                format!(
                    "say which endpoint: {}",
                    listed(self.endpoints_of(name).map(std::string::String::as_str))
                )
            } else {
                "write `service.endpoint`".into()
            };
            self.error(
                place,
                format!("expected an endpoint such as `web.checkout`, found {}", quoted(name)),
                help,
            );
            return None;
        };
        if !self.services.contains_key(service) {
            let close = self.endpoints.keys().map(String::as_str);
            let help = did_you_mean(service, self.services.keys().copied())
                .or_else(|| did_you_mean(name, close))
                .unwrap_or_else(|| format!("the services are {}", listed(self.services.keys().copied())));
            self.error(place, format!("there is no service {}", quoted(service)), help);
            return None;
        }
        let entry = services_of(self.spec).into_iter().find(|entry| entry.name == service);
        if entry.is_none_or(|entry| entry.value.as_ref().is_none_or(|service| service.endpoints.0.is_none()))
        {
            return None; // Its endpoints could not be read, which has been told.
        }
        let known: Vec<&str> = self
            .endpoints_of(service)
            .filter_map(|full| full.split_once('.'))
            .map(|(_, name)| name)
            .collect();
        let help = did_you_mean(endpoint, known.iter().copied())
            .unwrap_or_else(|| format!("its endpoints are {}", listed(known.iter().copied())));
        let message = format!("the service `{service}` has no endpoint {}", quoted(endpoint));
        self.error(place, message, help);
        None
    }

    fn endpoints_of(&self, service: &str) -> impl Iterator<Item = &String> {
        let prefix = format!("{service}.");
        self.endpoints.keys().filter(move |full| full.starts_with(&prefix))
    }
}

/// The services as written, sorted by name.
fn services_of(spec: &ScenarioSpec) -> Vec<&crate::spec::NamedEntry<ServiceSpec>> {
    spec.services.0.as_ref().map(Named::sorted).unwrap_or_default()
}

/// A time as a span; times are checked when they are read.
fn span(time: &At<Time>) -> Option<Span> {
    Span::from_seconds(time.value.seconds).ok()
}

/// The distribution that is always `value`.
fn constant(value: f64) -> Option<Distribution> {
    sim_core::distribution::Constant::new(value).ok().map(Distribution::from)
}

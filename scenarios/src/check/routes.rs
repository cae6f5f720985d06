//! Routes: what rules go by, and what they and health need to make sense; and replicas that fail.

use models::attribute::Spread;
use models::blueprint::{Attribute, Pick, RouteId, ServiceId};
use models::health::{CheckPlan, EjectPlan, HealthPlan};
use sim_core::Span;

use super::{Checker, services_of, span};
use crate::diagnostic::Diagnostic;
use crate::scenario::{Failure, Route};
use crate::spec::{
    At, ByWord, ConnectionsWord, Count, EventSpec, FailEvent, HealthSpec, List, Name, PickSpec, RingSpec,
    RouteSpec, StickySpec, Time,
};
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

/// Points on a ring beyond which it only takes memory.
const MOST_POINTS: u32 = 10_000;

impl<'a> Checker<'a> {
    /// The route to `service` named `name`, or the service's own.
    pub(super) fn route(&mut self, service: ServiceId, name: Option<&At<Name>>) -> Option<RouteId> {
        let service_name = *self.services.iter().find(|(_, id)| **id == service)?.0;
        let key = match name {
            None => None,
            Some(at) if at.value.0 == service_name => None,
            Some(at) => {
                let known = self.spec.routes.iter().flat_map(|routes| &routes.entries);
                let Some(entry) = known.clone().find(|entry| entry.name == at.value.0) else {
                    let names = known.map(|entry| entry.name.as_str());
                    let help =
                        did_you_mean(&at.value.0, names).unwrap_or_else(|| "add it to `routes`".into());
                    self.error(at.place, format!("there is no route {}", quoted(&at.value.0)), help);
                    return None;
                };
                Some(entry.name.as_str())
            }
        };
        if let Some(id) = self.route_ids.get(&(service, key)) {
            return Some(*id);
        }
        let spec = self.routes.get(key.unwrap_or(service_name)).copied();
        let pick = spec.map_or(Some(Pick::RoundRobin), |spec| self.route_pick(spec, service));
        let health = spec.and_then(|spec| spec.health.as_ref()).map(|spec| self.health(spec));
        let latency = spec.and_then(|spec| spec.latency.as_ref()).and_then(|spec| self.distribution(spec));
        let id = RouteId(self.used_routes.len() as u32);
        let name = key.unwrap_or(service_name).to_string();
        let pick = pick.unwrap_or(Pick::RoundRobin); // What is wrong with it has been told.
        let connect = spec.and_then(|spec| self.connect(spec));
        let wire = spec.and_then(|spec| self.wire(spec));
        self.used_routes.push(Route { name, service, pick, health, latency, connect, wire });
        self.route_ids.insert((service, key), id);
        Some(id)
    }

    fn route_pick(&mut self, spec: &'a RouteSpec, service: ServiceId) -> Option<Pick> {
        let pick = self.pick(&spec.pick, service)?;
        Some(match spec.connections.value {
            ConnectionsWord::PerCall => pick,
            ConnectionsWord::Pinned => Pick::Pinned { pick: Box::new(pick) },
        })
    }

    fn pick(&mut self, spec: &'a At<PickSpec>, service: ServiceId) -> Option<Pick> {
        Some(match &spec.value {
            PickSpec::First => Pick::First,
            PickSpec::RoundRobin => Pick::RoundRobin,
            PickSpec::Random => Pick::Random,
            PickSpec::LeastConnections => Pick::LeastConnections,
            PickSpec::PeakEwma => Pick::PeakEwma,
            PickSpec::JoinIdle => Pick::JoinIdle,
            PickSpec::Least(least) => Pick::Least {
                choices: least.0.choices.value.count,
                replacement: least.0.replacement.value.on,
            },
            PickSpec::Weighted(weights) => self.weighted(weights, spec.place, service)?,
            PickSpec::Hash(by) => Pick::Hash { by: self.attribute(by)? },
            PickSpec::Ring(ring) => self.ring(ring)?,
            PickSpec::Range(by) => Pick::Range { by: self.attribute(by)?, values: self.values_of(by.value) },
            PickSpec::Sticky(sticky) => self.sticky(sticky, service)?,
        })
    }

    fn weighted(&mut self, weights: &List<At<Count>>, place: Place, service: ServiceId) -> Option<Pick> {
        let replicas = services_of(self.spec)[service.index()].value.as_ref()?.replicas.value.count;
        let given = weights.items.len();
        if given != replicas as usize {
            let message = format!("{given} weights for {replicas} replicas");
            self.error(place, message, "give each replica its weight, in the order of their numbers");
            return None;
        }
        let weights: Vec<u32> = weights.items.iter().map(|weight| weight.value.count).collect();
        if weights.iter().all(|&weight| weight == 0) {
            self.error(place, "no replica has any weight", "give at least one a weight of 1 or more");
            return None;
        }
        Some(Pick::Weighted { weights })
    }

    fn ring(&mut self, spec: &RingSpec) -> Option<Pick> {
        let points = spec.points.value.count;
        if points > MOST_POINTS {
            let message = format!("expected at most {MOST_POINTS} points for each replica, found {points}");
            let help = "the load of a replica varies by 1/sqrt(points): 100 give 10%, 1000 give 3%";
            self.error(spec.points.place, message, help);
            return None;
        }
        Some(Pick::Ring { by: self.attribute(&spec.by)?, points })
    }

    fn sticky(&mut self, spec: &'a StickySpec, service: ServiceId) -> Option<Pick> {
        let inner = &*spec.pick;
        if matches!(
            inner.value,
            PickSpec::Hash(_) | PickSpec::Ring(_) | PickSpec::Range(_) | PickSpec::Sticky(_)
        ) {
            let help = "sessions begin by load or by chance: `random`, `round_robin`, `least_connections`";
            self.error(inner.place, "this rule is sticky by itself", help);
            return None;
        }
        let lifetime = self.distribution(&spec.for_time)?;
        let pick = Box::new(self.pick(inner, service)?);
        Some(Pick::Sticky { by: self.attribute(&spec.by)?, lifetime, pick })
    }

    /// The attribute that a rule goes by; some traffic has to have it.
    pub(super) fn attribute(&mut self, by: &At<ByWord>) -> Option<Attribute> {
        let (attribute, name) = match by.value {
            ByWord::Class => return Some(Attribute::Class),
            ByWord::Key => (Attribute::Key, "key"),
            ByWord::Tenant => (Attribute::Tenant, "tenant"),
            ByWord::User => (Attribute::User, "user"),
        };
        if self.values_of(by.value) == 0 {
            let help = format!("write `attributes: {{{name}: {{uniform: 1M}}}}` under a traffic");
            self.error(by.place, format!("no traffic has the attribute `{name}`"), help);
            return None;
        }
        Some(attribute)
    }

    /// How many values an attribute has, over all traffics.
    fn values_of(&mut self, by: ByWord) -> u32 {
        if by == ByWord::Class {
            return self.classes.len() as u32;
        }
        let specs: Vec<_> = self.traffic_specs().collect();
        let values = |spec| {
            let attributes = self.attributes(spec);
            let spread = match by {
                ByWord::Key => attributes.key,
                ByWord::Tenant => attributes.tenant,
                _ => attributes.user,
            };
            match spread {
                Some(Spread::Zipf(law)) => law.ranks(),
                Some(Spread::Uniform(values)) => values,
                Some(Spread::Shares(_)) => self.names_of_attribute(by),
                None if by == ByWord::User => spec
                    .users
                    .as_ref()
                    .and_then(|users| users.0.as_ref())
                    .map_or(0, |users| users.value.count),
                None => 0,
            }
        };
        specs.into_iter().map(values).max().unwrap_or(0)
    }

    fn health(&mut self, spec: &HealthSpec) -> HealthPlan {
        if let (None, None) = (&spec.check, &spec.eject) {
            let help = "write `health: {eject: {}}` to go by how calls end, or `health: {check: 2s}`";
            self.error(spec.panic.place, "this health never changes: nothing is looked at", help);
        }
        // What could not be read has been told.
        let check = spec.check.as_ref().and_then(|every| every.0.as_ref()).map(|every| CheckPlan {
            every: self.not_zero(every, "2s"),
            fall: spec.fall.value.count,
            rise: spec.rise.value.count,
        });
        let eject = spec.eject.as_ref().and_then(|eject| eject.0.as_ref()).map(|eject| EjectPlan {
            errors: eject.errors.value.count,
            time: self.not_zero(&eject.for_time, "30s"),
            max: eject.max.value.fraction,
        });
        HealthPlan { check, eject, panic: spec.panic.value.fraction }
    }

    fn not_zero(&mut self, time: &At<Time>, example: &str) -> Span {
        if time.value.seconds <= 0.0 {
            self.error(time.place, "expected more than no time at all", format!("write `{example}`"));
        }
        span(time).unwrap_or_default()
    }

    /// Replicas that events make fail, in the order of the file.
    pub(super) fn all_failing(&mut self) -> Vec<Failure> {
        let events = self.spec.events.iter().flat_map(|events| &events.items);
        let failing = events.filter_map(|event| match event {
            EventSpec::Fail(fail) => Some(fail),
            EventSpec::Set(_) | EventSpec::Flush(_) | EventSpec::Expire(_) => None,
        });
        failing.filter_map(|fail| self.failing(fail)).collect()
    }

    fn failing(&mut self, spec: &FailEvent) -> Option<Failure> {
        let name = spec.fail.value.0.as_str();
        let after = self.distribution(&spec.after);
        let outcome = self.failure_named(&spec.outcome, "a replica");
        let Some(&service) = self.services.get(name) else {
            let known = || self.services.keys().copied();
            let help = did_you_mean(name, known())
                .unwrap_or_else(|| format!("the services are {}", listed(known())));
            self.error(spec.fail.place, format!("there is no service {}", quoted(name)), help);
            return None;
        };
        let replicas = services_of(self.spec)[service.index()].value.as_ref()?.replicas.value.count;
        let wanted = spec.replicas.value.count;
        if wanted > replicas {
            let message = format!("{wanted} replicas are to fail, and `{name}` has {replicas} at the start");
            let help = "all that there are at that time will";
            self.sink.report(Diagnostic::warning(message).at(spec.replicas.place).help(help));
        }
        Some(Failure { service, replicas: wanted, after: after?, outcome: outcome? })
    }
}

//! Events: when they happen, and faults of replicas, zones and the network.

use models::blueprint::{Caller, Fault, LinkId, Recurrence, ServiceId, Spacing, TrafficId, ZoneId};
use models::formula::Formula;
use sim_core::distribution::Distribution;
use sim_core::{SimTime, Span, combine, hash_name};

use super::moves::EVERYWHERE;
use super::{Checker, services_of};
use crate::diagnostic::Diagnostic;
use crate::scenario::{Disturbance, Happening, Link};
use crate::spec::{
    At, CrashEvent, DeployEvent, DistributionSpec, EventSpec, List, Name, RestartSpec, Text, Time, TimingSpec,
};
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

/// When something happens.
#[derive(Default)]
struct Times {
    at: SimTime,
    until: Option<SimTime>,
    recurs: Option<Box<Recurrence>>,
    when: Option<Formula>,
}

impl<'a> Checker<'a> {
    /// All zones that replicas stand in, sorted by name.
    pub(super) fn all_zones(&mut self) -> Vec<String> {
        let mut zones: Vec<String> = Vec::new();
        for entry in services_of(self.spec) {
            let named = entry.value.as_ref().and_then(|service| service.zones.as_ref());
            for zone in named.into_iter().flat_map(|zones| &zones.items) {
                zones.push(zone.value.0.clone());
            }
        }
        zones.sort();
        zones.dedup();
        zones
    }

    /// The zones of a service, in turn.
    pub(super) fn zones_of(zones: Option<&List<At<Name>>>, all: &[String]) -> Vec<ZoneId> {
        let named = zones.into_iter().flat_map(|zones| &zones.items);
        named
            .filter_map(|zone| all.iter().position(|name| *name == zone.value.0))
            .map(|at| ZoneId(at as u32))
            .collect()
    }

    /// What happens by the clock, in the order of the file, and what may be disturbed between whom.
    pub(super) fn all_happenings(&mut self, zones: &[String]) -> (Vec<Happening>, Vec<Link>) {
        let spec = self.spec;
        let events = spec.events.as_ref().map(|events| events.items.as_slice()).unwrap_or_default();
        let mut links = Vec::new();
        let mut names = std::collections::BTreeMap::<String, u64>::new();
        let mut happenings = Vec::new();
        for event in events {
            let label = label_of(event);
            // Events that are written alike are told apart by how many there were before.
            let number = names.entry(label.clone()).or_default();
            *number += 1;
            let stream = combine(hash_name(&format!("events/{label}")), *number);
            let Times { at, until, recurs, when } = self.times(event, stream).unwrap_or_default();
            let fault = self.fault(event, zones, recurs.is_some());
            let disturbance = self.disturbance(event, &mut links);
            let flush = self.flush(event);
            happenings.push(Happening { at, until, recurs, when, fault, disturbance, flush, label });
        }
        (happenings, links)
    }

    /// When an event begins, ends and recurs.
    fn times(&mut self, event: &'a EventSpec, stream: u64) -> Option<Times> {
        let (timing, lasts) = event.timing();
        let crashes_alone = matches!(event, EventSpec::Crash(_)) && timing.mttf.is_some();
        if let (Some(_), Some(mttf)) = (&timing.every, &timing.mttf) {
            let help =
                "`every` counts from one beginning to the next, `mttf` from the end of one: keep one of them";
            self.error(mttf.place, "`mttf` stands beside `every`", help);
            return None;
        }
        let again = timing.every.as_ref().or(timing.mttf.as_ref());
        if let (Some(when), Some(_)) = (&timing.when, again) {
            let help = "keep one of them; with `when` it happens each time that this begins to hold";
            self.error(when.place, "this happens by the clock and by a condition", help);
            return None;
        }
        if again.is_none() && timing.at.is_none() && timing.when.is_none() {
            let help = "write `at: 2m`, `every: {exp: 1h}` or `when: disk.free < 5%`";
            self.error(event_place(event), "it is not said when this happens", help);
            return None;
        }
        let at = self.begins(timing)?;
        let lasts = match lasts {
            Some(lasts) => Some((self.more_than_nothing(lasts)?, lasts.place)),
            None => None,
        };
        if let Some(when) = &timing.when {
            let when = self.condition_of_event(when)?;
            let recurs = Recurrence::of(stream, lasts.map(|(law, _)| law));
            return Some(Times { at, until: None, recurs: Some(Box::new(recurs)), when: Some(when) });
        }
        let Some(gap) = again else {
            let until = match lasts {
                Some((law, place)) => Some(at + self.one_time(&law, place)?),
                None => None,
            };
            return Some(Times { at, until, recurs: None, when: None });
        };
        if timing.mttf.is_some() && lasts.is_none() && !crashes_alone {
            let help =
                "say how long it lasts: `for: {exp: 5m}`; or write `every` for one beginning after another";
            self.error(gap.place, "`mttf` is the time from an end, and this has none", help);
            return None;
        }
        let recurs = Recurrence {
            gap: Some(self.more_than_nothing(gap)?),
            from_end: timing.mttf.is_some(),
            at_once: timing.at.is_some(),
            each_replica: crashes_alone,
            ..Recurrence::of(stream, lasts.map(|(law, _)| law))
        };
        Some(Times { at, until: None, recurs: Some(Box::new(recurs)), when: None })
    }

    /// When an event may begin first.
    fn begins(&mut self, timing: &TimingSpec) -> Option<SimTime> {
        let Some(at) = &timing.at else { return Some(SimTime::ZERO) };
        let begins = SimTime::ZERO + Span::from_seconds(at.value.seconds).ok()?;
        if begins >= SimTime::ZERO + super::span(self.spec.duration.0.as_ref()?)? {
            let message = "this happens after the end of the run";
            let help = "move it to before the end, or raise `duration`";
            self.sink.report(Diagnostic::error(message).at(at.place).help(help));
        }
        Some(begins)
    }

    /// What begins an event: a condition that knows one level of everything that it is about.
    fn condition_of_event(&mut self, when: &At<Text>) -> Option<Formula> {
        let condition = self.condition(EVERYWHERE, when)?;
        self.check_keyless(when.place, &condition, "an event has no request");
        for volume in condition.volumes() {
            let Spacing::Replica(owner) = self.volumes[volume.index()].spacing else { continue };
            let owner = services_of(self.spec)[owner.index()];
            let replicas = owner.value.as_ref().map_or(1, |service| service.replicas.value.count);
            if replicas > 1 {
                let name = &self.volumes[volume.index()].name;
                let message =
                    format!("`{name}` is one in each of the {replicas} replicas of `{}`", owner.name);
                let help = "an event looks at one level: use `per: cluster`, or a job, which looks at each";
                self.error(when.place, message, help);
                return None;
            }
        }
        Some(condition)
    }

    /// A time that is never 0.
    pub(super) fn more_than_nothing(&mut self, spec: &DistributionSpec<Time>) -> Option<Distribution> {
        let law = self.distribution(spec)?;
        if law.mean() <= 0.0 {
            self.error(spec.place, "this lasts no time at all", "write `10s`");
            return None;
        }
        Some(law)
    }

    /// The time of what happens once, which cannot be drawn.
    fn one_time(&mut self, law: &Distribution, place: Place) -> Option<Span> {
        if !matches!(law, Distribution::Constant(_)) {
            let help = "write `for: 10s`, or let it happen again and again with `every` or `mttf`";
            self.error(place, "what happens once lasts a time that is known", help);
            return None;
        }
        Span::from_seconds(law.mean()).ok()
    }

    fn service_hit(&mut self, at: &At<Name>) -> Option<ServiceId> {
        let name = at.value.0.as_str();
        if let Some(&service) = self.services.get(name) {
            return Some(service);
        }
        let known = || self.services.keys().copied();
        let help =
            did_you_mean(name, known()).unwrap_or_else(|| format!("the services are {}", listed(known())));
        self.error(at.place, format!("there is no service {}", quoted(name)), help);
        None
    }

    fn fault(&mut self, event: &'a EventSpec, zones: &[String], recurs: bool) -> Option<Fault> {
        match event {
            EventSpec::Crash(crash) => self.crash(crash, recurs),
            EventSpec::Deploy(deploy) => self.deploy(deploy),
            EventSpec::Lose(lose) => {
                let zone = &lose.lose.zone;
                let found = zones.iter().position(|name| *name == zone.value.0);
                if found.is_none() {
                    let names = zones.iter().map(String::as_str);
                    let help = did_you_mean(&zone.value.0, names.clone()).unwrap_or_else(|| {
                        if zones.is_empty() {
                            "write `zones: [a, b, c]` under a service".into()
                        } else {
                            format!("the zones are {}", listed(names))
                        }
                    });
                    self.error(zone.place, format!("no service has a zone {}", quoted(&zone.value.0)), help);
                }
                found.map(|at| Fault::Lose(ZoneId(at as u32)))
            }
            _ => None,
        }
    }

    fn crash(&mut self, spec: &CrashEvent, recurs: bool) -> Option<Fault> {
        let service = self.service_hit(&spec.crash)?;
        let there = services_of(self.spec)[service.index()].value.as_ref()?.replicas.value.count;
        let wanted = spec.replicas.as_ref().map_or(1, |replicas| replicas.value.count);
        if let (Some(replicas), Some(_)) = (&spec.replicas, &spec.timing.mttf) {
            let help = "leave `replicas` out, or use `every` for crashes of some of them";
            self.error(replicas.place, "with `mttf` each replica crashes by itself", help);
            return None;
        }
        if let Some(replicas) = spec.replicas.as_ref().filter(|_| wanted > there) {
            let message = format!(
                "{wanted} replicas are to crash, and `{}` has {there} at the start",
                spec.crash.value.0
            );
            let help = "all that there are at that time will";
            self.sink.report(Diagnostic::warning(message).at(replicas.place).help(help));
        }
        let restart = match &spec.restart {
            RestartSpec::Never => None,
            RestartSpec::After(time) => Some(self.distribution(time)?),
        };
        Some(Fault::Crash { service, replicas: wanted, any: recurs, restart })
    }

    fn deploy(&mut self, spec: &DeployEvent) -> Option<Fault> {
        let service = self.service_hit(&spec.deploy)?;
        if let Some(mttf) = &spec.timing.mttf {
            self.error(mttf.place, "a deployment has no end by the clock", "write `every`");
            return None;
        }
        let (surge, unavailable) = (spec.surge.value.fraction, spec.max_unavailable.value.fraction);
        if surge <= 0.0 && unavailable <= 0.0 {
            let help = "let one of them be more than `0%`";
            self.error(
                spec.surge.place,
                "with no replica beyond those wanted and none missing nothing moves",
                help,
            );
            return None;
        }
        Some(Fault::Deploy { service, surge, unavailable })
    }

    fn disturbance(&mut self, event: &'a EventSpec, links: &mut Vec<Link>) -> Option<(LinkId, Disturbance)> {
        let (between, place) = match event {
            EventSpec::Partition(event) => (&event.partition, event_place_of(&event.partition)),
            EventSpec::Latency(event) => (&event.latency.between, event_place_of(&event.latency.between)),
            EventSpec::Loss(event) => (&event.loss.between, event_place_of(&event.loss.between)),
            _ => return None,
        };
        let [one, other] = between.items.as_slice() else {
            let message = format!("expected two sides, found {}", between.items.len());
            self.error(place.unwrap_or(event_place(event)), message, "write `[web, db]`");
            return None;
        };
        let (a, b) = (self.side(one)?, self.side(other)?);
        if a == b {
            self.error(other.place, "this is the same side twice", "write `[web, db]`");
            return None;
        }
        let link = Link { sides: (a.min(b), a.max(b)) };
        let id = links.iter().position(|known| *known == link).unwrap_or_else(|| {
            links.push(link);
            links.len() - 1
        });
        let disturbance = match event {
            EventSpec::Latency(event) => Disturbance::Added(self.distribution(&event.latency.add)?),
            EventSpec::Loss(event) => Disturbance::Lossy(event.loss.share.value.fraction),
            _ => Disturbance::Cut,
        };
        Some((LinkId(id as u32), disturbance))
    }

    /// A service or a traffic.
    fn side(&mut self, at: &At<Name>) -> Option<Caller> {
        let name = at.value.0.as_str();
        if let Some(&service) = self.services.get(name) {
            return Some(Caller::Service(service));
        }
        let traffics: Vec<&str> = self
            .spec
            .traffic
            .0
            .iter()
            .flat_map(crate::spec::Named::sorted)
            .map(|entry| entry.name.as_str())
            .collect();
        if let Some(at) = traffics.iter().position(|known| *known == name) {
            return Some(Caller::Traffic(TrafficId(at as u32)));
        }
        let known: Vec<&str> = self.services.keys().copied().chain(traffics).collect();
        let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
            format!("the sides are services and traffics: {}", listed(known.iter().copied()))
        });
        self.error(at.place, format!("there is no service or traffic {}", quoted(name)), help);
        None
    }
}

/// What the reader wrote, in short.
fn label_of(event: &EventSpec) -> String {
    let sides = |between: &List<At<Name>>| {
        between.items.iter().map(|side| side.value.0.as_str()).collect::<Vec<_>>().join(", ")
    };
    match event {
        EventSpec::Set(_) => "set".into(),
        EventSpec::Fail(fail) => {
            format!("fail: {}, replicas: {}", fail.fail.value.0, fail.replicas.value.count)
        }
        EventSpec::Crash(crash) => match &crash.replicas {
            Some(replicas) => format!("crash: {}, replicas: {}", crash.crash.value.0, replicas.value.count),
            None => format!("crash: {}", crash.crash.value.0),
        },
        EventSpec::Partition(event) => format!("partition: [{}]", sides(&event.partition)),
        EventSpec::Latency(event) => format!("latency: [{}]", sides(&event.latency.between)),
        EventSpec::Loss(event) => format!("loss: [{}]", sides(&event.loss.between)),
        EventSpec::Lose(event) => format!("lose: zone {}", event.lose.zone.value.0),
        EventSpec::Deploy(event) => format!("deploy: {}", event.deploy.value.0),
        EventSpec::Flush(event) => format!("flush: {}", event.flush.value.0),
        EventSpec::Expire(event) => format!("expire: {}", event.expire.value.0),
    }
}

/// Where an event is to be shown.
fn event_place(event: &EventSpec) -> Place {
    let sides = |between: &List<At<Name>>| event_place_of(between).unwrap_or_default();
    match event {
        EventSpec::Set(event) => event
            .set
            .0
            .as_ref()
            .and_then(|set| set.0.entries().first().map(|entry| entry.place))
            .unwrap_or_default(),
        EventSpec::Fail(event) => event.fail.place,
        EventSpec::Crash(event) => event.crash.place,
        EventSpec::Partition(event) => sides(&event.partition),
        EventSpec::Latency(event) => sides(&event.latency.between),
        EventSpec::Loss(event) => sides(&event.loss.between),
        EventSpec::Lose(event) => event.lose.zone.place,
        EventSpec::Deploy(event) => event.deploy.place,
        EventSpec::Flush(event) => event.flush.place,
        EventSpec::Expire(event) => event.expire.place,
    }
}

fn event_place_of(between: &List<At<Name>>) -> Option<Place> {
    between.items.first().map(|side| side.place)
}

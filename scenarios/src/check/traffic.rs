//! Traffic: what arrives when, and what it calls.

use std::sync::Arc;

use models::blueprint::{Arrivals, Caller, TrafficId};
use sim_core::distribution::{Distribution, Exponential};
use sim_core::modulation::Modulation;
use sim_core::{SimTime, Span};

use super::classes::NO_CLASS;
use super::empty::EmptySystem;
use super::{Checker, constant};
use crate::diagnostic::Diagnostic;
use crate::scenario::{Call, Endpoint, Route, Service, Traffic};
use crate::spec::{
    ArrivalsSpec, At, List, Named, NamedEntry, Quantity, Rate, Required, TargetsSpec, Time, TraceSpec,
    TrafficSpec,
};
use crate::tree::Place;

impl Checker<'_> {
    pub(super) fn all_traffics(&mut self, endpoints: &[Endpoint], services: &[Service]) -> Vec<Traffic> {
        let entries = self.spec.traffic.0.as_ref().map(Named::sorted).unwrap_or_default();
        if let (Some(traffic), true) = (&self.spec.traffic.0, entries.is_empty()) {
            let _ = traffic;
            self.sink.report(
                Diagnostic::error("there is no traffic")
                    .help("write `traffic: {shoppers: {rate: 40/s, to: web.checkout}}`"),
            );
        }
        let mut empty = EmptySystem::new(endpoints, services);
        let mut all = Vec::new();
        for entry in entries {
            let Some(spec) = &entry.value else {
                continue;
            };
            let arrivals = self.arrivals(entry, spec);
            self.caller = Caller::Traffic(TrafficId(all.len() as u32));
            let targets = self.targets(&entry.name, spec);
            let classes = self.traffic_classes(spec);
            let (Some(arrivals), Some(targets), Some(classes)) = (arrivals, targets, classes) else {
                continue;
            };
            let expected_cycle = match &arrivals {
                Arrivals::Closed { think, .. } => {
                    let mean = think.mean() + empty.response(&targets);
                    Span::from_seconds(mean).ok()
                }
                _ => None,
            };
            let attributes = self.attributes(spec);
            all.push(Traffic {
                name: entry.name.clone(),
                arrivals,
                targets,
                classes,
                attributes,
                expected_cycle,
            });
        }
        all
    }

    fn arrivals(&mut self, entry: &NamedEntry<TrafficSpec>, spec: &TrafficSpec) -> Option<Arrivals> {
        let trace = match &spec.arrivals.value {
            ArrivalsSpec::Trace(trace) => Some(trace),
            _ => None,
        };
        if spec.users.is_some() || spec.think.is_some() {
            return self.closed(entry.place, spec);
        }
        if let Some(trace) = trace {
            if let Some(Required(Some(rate))) = &spec.rate {
                self.error(rate.place(), "a trace has its own rate", "remove `rate`");
                return None;
            }
            if let Some(batch) = &spec.batch {
                self.error(batch.place, "a trace has its own batches", "remove `batch`");
                return None;
            }
            return self.trace(trace);
        }
        let renewal = match &spec.arrivals.value {
            ArrivalsSpec::Renewal(gap) => Some(self.gap(gap)?),
            _ => None,
        };
        let states = match &spec.arrivals.value {
            ArrivalsSpec::Mmpp(states) => Some(self.modulation(states)?),
            _ => None,
        };
        let gap = match (&spec.arrivals.value, &renewal) {
            (ArrivalsSpec::Even, _) => constant(1.0)?,
            (_, Some(gap)) => gap.scaled(1.0 / gap.mean()),
            _ => Exponential::new(1.0).ok()?.into(),
        };
        let own = renewal.map(|gap| 1.0 / gap.mean()).or(states.as_ref().map(|(_, mean)| *mean));
        let rate = match (&spec.rate, own) {
            (Some(Required(rate)), _) => self.curve(rate.as_ref()?),
            (None, Some(rate)) => sim_core::rate::RateCurve::constant(rate).ok(),
            (None, None) => {
                let help = "write `rate: 40/s`, or `users: 500` with `think: {exp: 1s}`";
                self.error(entry.place, "`rate` is missing", help);
                None
            }
        };
        let batch = match &spec.batch {
            Some(batch) => Some(self.distribution(batch)?),
            None => None,
        };
        Some(Arrivals::Open { rate: rate?, gap, modulation: states.map(|(states, _)| states), batch })
    }

    /// The states of an MMPP, and its mean rate.
    fn modulation(&mut self, spec: &At<List<(At<Rate>, At<Time>)>>) -> Option<(Modulation, f64)> {
        if !spec.value.whole {
            return None;
        }
        let states: Vec<(f64, f64)> =
            spec.value.items.iter().map(|(rate, stay)| (rate.value.per_second, stay.value.seconds)).collect();
        match Modulation::new(&states) {
            Ok(modulation) => Some(modulation),
            Err(error) => {
                let help =
                    "write `{mmpp: [[100/s, 9s], [1000/s, 1s]]}`: rates, and how long each lasts on average";
                self.error(spec.place, error.to_string(), help);
                None
            }
        }
    }

    fn gap(&mut self, spec: &crate::spec::DistributionSpec<Time>) -> Option<Distribution> {
        let gap = self.distribution(spec)?;
        if gap.mean() <= 0.0 {
            self.error(
                spec.place,
                "the gaps between arrivals have no length",
                "write `{renewal: {exp: 5ms}}`",
            );
            return None;
        }
        Some(gap)
    }

    fn closed(&mut self, place: Place, spec: &TrafficSpec) -> Option<Arrivals> {
        if let Some(Required(Some(rate))) = &spec.rate {
            let help =
                "users send their next request when they have thought; remove `rate`, or `users` and `think`";
            self.error(rate.place(), "a traffic has a `rate` or `users`, not both", help);
        }
        if !matches!(spec.arrivals.value, ArrivalsSpec::Poisson) {
            self.error(
                spec.arrivals.place,
                "`arrivals` belongs to a `rate`",
                "remove it: users follow `think`",
            );
        }
        if let Some(batch) = &spec.batch {
            self.error(batch.place, "`batch` belongs to a `rate`", "remove it, or raise `users`");
        }
        let Some(users) = &spec.users else {
            self.error(place, "`think` needs `users`", "write `users: 500`");
            return None;
        };
        let Some(think) = &spec.think else {
            let help = "write `think: {exp: 1s}`, or `think: 0s` for clients that never pause";
            let place = users.0.as_ref().map_or(place, |users| users.place);
            self.error(place, "`users` needs `think`", help);
            return None;
        };
        let (users, think) = (users.0.as_ref()?, think.0.as_ref()?);
        Some(Arrivals::Closed { users: users.value.count, think: self.distribution(think)? })
    }

    /// Instants in nanoseconds from the start of the run, sorted; the first request of the trace arrives at 0.
    fn trace(&mut self, spec: &TraceSpec) -> Option<Arrivals> {
        let unit = spec.unit.value.0.as_str();
        let Some(factor) = Time::unit(Some(unit)) else {
            self.wrong_unit(spec.unit.place, Some(unit), Time::UNITS);
            return None;
        };
        let values = self.column(&spec.trace, spec.column.as_ref())?;
        let mut sorted: Vec<f64> = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let first = sorted[0];
        let instants: Option<Vec<u64>> = sorted
            .iter()
            .map(|instant| Span::from_seconds((instant - first) * factor).ok().map(Span::as_nanos))
            .collect();
        let Some(instants) = instants else {
            self.error(spec.trace.place, "the trace is longer than 100 years", "check its `unit`");
            return None;
        };
        if self.spec.duration.0.as_ref().is_some_and(|duration| {
            instants
                .last()
                .is_some_and(|last| SimTime::from_nanos(*last).as_seconds() > duration.value.seconds)
        }) {
            self.sink.report(
                Diagnostic::warning("the trace is longer than the run; its end is not simulated")
                    .at(spec.trace.place)
                    .help("raise `duration` to use all of it"),
            );
        }
        Some(Arrivals::Trace(Arc::from(instants)))
    }

    fn targets(&mut self, traffic: &str, spec: &TrafficSpec) -> Option<Vec<(f64, Call)>> {
        let policy = match &spec.policy {
            Some(policy) => self.policy_of(policy, || format!("{traffic}.policy")).map(Some),
            None => Some(None),
        };
        let mut shares: Vec<(&str, Place, f64)> = match spec.to.0.as_ref()? {
            TargetsSpec::One(one) => vec![(&one.value.0, one.place, 1.0)],
            TargetsSpec::Mix(mix) => {
                mix.entries.iter().map(|(name, place, share)| (name.as_str(), *place, *share)).collect()
            }
        };
        shares.sort_by_key(|(name, ..)| *name);
        let mut calls = Vec::new();
        for (name, place, share) in shares {
            let Some(endpoint) = self.endpoint_named(name, place) else {
                continue;
            };
            let service = self.services.get(name.split('.').next()?).copied()?;
            let route = self.route(service, None)?;
            let Route { latency, wire, .. } = &self.used_routes[route.0 as usize];
            calls.push((share, (endpoint, route, latency.clone(), wire.clone(), place)));
        }
        let policy = policy?;
        let call =
            |(endpoint, route, latency, wire, place)| Call { endpoint, route, policy, latency, wire, place };
        let calls: Vec<(f64, Call)> = calls.into_iter().map(|(share, parts)| (share, call(parts))).collect();
        (!calls.is_empty()).then(|| cumulative(calls))
    }

    fn traffic_classes(&mut self, spec: &TrafficSpec) -> Option<Vec<(f64, u16)>> {
        let weights = spec.attributes.as_ref().and_then(|attributes| attributes.class.as_ref());
        let mut shares: Vec<(&str, f64)> = match (&spec.class, weights) {
            (Some(class), _) => vec![(&class.value.0, 1.0)],
            (None, Some(weights)) => {
                weights.entries.iter().map(|(name, _, share)| (name.as_str(), *share)).collect()
            }
            (None, None) => vec![(NO_CLASS, 1.0)],
        };
        shares.sort_by_key(|(name, _)| *name);
        let indexed: Option<Vec<(f64, u16)>> =
            shares.into_iter().map(|(name, share)| Some((share, self.class_index(name)?))).collect();
        indexed.map(cumulative)
    }
}

/// Shares as running totals that end at exactly 1. What has no share stays: an event may give it one.
pub(super) fn cumulative<T>(mut shares: Vec<(f64, T)>) -> Vec<(f64, T)> {
    let total: f64 = shares.iter().map(|(share, _)| share).sum();
    let mut below = 0.0;
    for (share, _) in &mut shares {
        below += *share / total;
        *share = below;
    }
    // What rounding leaves to 1 is the last one's that has a share, and of nobody behind it.
    for (share, _) in &mut shares {
        if *share >= below {
            *share = 1.0;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_share_is_never_drawn() {
        let shares = [(0.0, 'a'), (0.1, 'b'), (0.0, 'c'), (0.6, 'd'), (0.0, 'e')];
        let totals: Vec<f64> = cumulative(shares.to_vec()).iter().map(|(share, _)| *share).collect();
        // The first total above a draw from [0, 1) is drawn: b below a seventh, and else d.
        assert_eq!(totals, [0.0, 0.1 / 0.7, 0.1 / 0.7, 1.0, 1.0]);
    }
}

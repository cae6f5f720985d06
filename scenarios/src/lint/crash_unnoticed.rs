//! A replica that is down and is called nevertheless.

use models::blueprint::Fault;

use super::{Diagnostic, Seen};
use crate::spec::EventSpec;

/// The rule: where one of several replicas can be down, callers judge health. Else it gets its share of the calls for
/// as long as it is down.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let events = seen.spec.events.as_ref().map(|events| events.items.as_slice()).unwrap_or_default();
    for (event, happening) in events.iter().zip(&seen.parts.happenings) {
        let place = match event {
            EventSpec::Crash(event) => event.crash.place,
            EventSpec::Lose(event) => event.lose.zone.place,
            _ => continue,
        };
        let is_hit = |number: usize| match &happening.fault {
            Some(Fault::Crash { service, .. }) => service.index() == number,
            Some(Fault::Lose(zone)) => seen.parts.services[number].life.zones.contains(zone),
            _ => false,
        };
        for route in &seen.parts.routes {
            let service = &seen.parts.services[route.service.index()];
            if route.health.is_none() && service.replicas > 1 && is_hit(route.service.index()) {
                let message = format!(
                    "calls to `{}` go on to replicas that are down: the route `{}` judges no health",
                    service.name, route.name
                );
                let help = format!(
                    "write `routes: {{{}: {{health: {{check: 2s}}}}}}`, as readiness probes and load balancers do",
                    route.name
                );
                found.push(Diagnostic::warning(message).at(place).help(help));
            }
        }
    }
    found.dedup_by(|a, b| a.message == b.message);
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn crash(replicas: u32, routes: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services: {{web: {{replicas: {replicas}, endpoints: {{get: [{{delay: 1ms}}]}}}}}}
{routes}
events: [{{at: 10s, crash: web, restart: 5s}}]
"
        ))
    }

    #[test]
    fn one_of_several_that_nobody_looks_after_is_told() {
        let told = crash(3, "");
        assert!(told.contains("calls to `web` go on to replicas that are down"), "{told}");
        assert!(told.contains("health: {check: 2s}"), "{told}");
    }

    #[test]
    fn one_alone_or_looked_after_is_not() {
        assert_eq!(crash(1, ""), "");
        assert_eq!(crash(3, "routes: {web: {health: {check: 2s}}}"), "");
    }
}

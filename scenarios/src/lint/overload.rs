//! Cores that are asked for more than they can do.
//!
//! Source: the utilization law, Denning and Buzen, *The Operational Analysis of Queueing Network Models*, Computing
//! Surveys 10(3), 1978.

use super::{Diagnostic, Seen};
use crate::experiment::analysis::{Place, figure, percent};

/// The rule: the work that arrives per second is less than the cores can do in one.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let over = seen.analysis.stations.iter().filter(|station| station.utilization > 1.0 + 1e-9);
    over.filter_map(|station| {
        let Place::Cores(service) = station.place else { return None };
        let message = format!(
            "`{}` is asked for {} of what it can do: {} cores of work arrive for {}",
            station.name,
            percent(station.utilization),
            figure(station.utilization * station.capacity()),
            station.capacity()
        );
        let name = &seen.parts.services[service.index()].name;
        let place = seen.place(&format!("services.{name}.cores"));
        Some(Diagnostic::warning(message).at(place).help("add replicas or cores, or lower the load"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn rate(rate: u32) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: {rate}/s, to: web.get}}}}
services:
  web:
    replicas: 2
    cores: 1
    endpoints: {{get: [{{cpu: {{exp: 10ms}}}}]}}
"
        ))
    }

    #[test]
    fn overload_is_told() {
        insta::assert_snapshot!(rate(250));
    }

    #[test]
    fn high_load_is_not() {
        assert_eq!(rate(190), "");
    }
}

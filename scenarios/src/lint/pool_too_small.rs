//! A pool that has fewer units than are needed on average.
//!
//! Source: Little, *A Proof for the Queuing Formula L = lambda W*, Operations Research 9(3), 1961.

use super::{Diagnostic, Seen};
use crate::experiment::analysis::{Place, duration, figure};

/// The rule: a pool has more units than its acquisitions per second times the seconds that each is held.
///
/// Holds are those of an empty system, so what is said is a lower bound.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let stations = seen.analysis.stations.iter().enumerate();
    let over = stations.filter(|(_, station)| station.utilization > 1.0 + 1e-9);
    over.filter_map(|(k, station)| {
        let Place::Pool(pool) = station.place else { return None };
        let rate: f64 = seen.analysis.loads.iter().map(|load| load.rate * load.visits[k]).sum();
        let need = station.utilization * station.capacity();
        let message = format!(
            "`{}` needs {} units on average and has {}: {}/s hold it for {} (Little's Law)",
            station.name,
            figure(need),
            station.capacity(),
            figure(rate),
            duration(need / rate)
        );
        let plan = &seen.parts.pools[pool.index()];
        let slots = seen.place(&format!("{}.slots", plan.path));
        Some(
            Diagnostic::warning(message)
                .at(slots)
                .help("add units, hold it for less time, or lower the load"),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn slots(slots: u32) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 100/s, to: web.get}}}}
services: {{web: {{endpoints: {{get: [{{hold: connections, do: [{{delay: 55ms}}]}}]}}}}}}
resources:
  connections: {{slots: {slots}}}
"
        ))
    }

    #[test]
    fn a_pool_below_littles_need_is_told() {
        insta::assert_snapshot!(slots(5));
    }

    #[test]
    fn a_pool_above_it_is_not() {
        assert_eq!(slots(6), "");
    }
}

//! An autoscaler that wants more requests in flight at a replica than a replica lets in.
//!
//! Source: conservation: what is in a replica has a worker or waits for one, and beyond that it is rejected.

use models::autoscaler::controller::{Controller, OwnLaw};
use models::autoscaler::kubernetes::{Metric, ValueTarget};
use models::autoscaler::plan::{AutoscalerPlan, Signal};

use super::{Diagnostic, Seen};
use crate::experiment::analysis::percent;

/// The rule: workers and queue of a replica hold more than an autoscaler tolerates that goes by what is in flight
/// alone.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    seen.blueprint.autoscalers.iter().filter_map(|plan| of(seen, plan)).collect()
}

fn of(seen: &Seen<'_>, plan: &AutoscalerPlan) -> Option<Diagnostic> {
    let Target { metric, each, tolerance } = target(&plan.controller)?;
    let gauge = plan.gauges.iter().find(|gauge| *gauge.name == *metric)?;
    if gauge.signal != Signal::InFlight(plan.service) || plan.activator.is_some() {
        return None; // What an activator holds is in flight too.
    }
    let pools = &seen.blueprint.services[plan.service.index()].pools;
    let workers = pools.iter().map(|id| &seen.blueprint.pools[id.index()]).find(|pool| pool.is_workers)?;
    let room = Some(workers.queue).filter(|queue| *queue != u32::MAX)?.saturating_add(workers.slots);
    if f64::from(room) > each * (1.0 + tolerance) {
        return None;
    }
    let name = &seen.parts.services[plan.service.index()].name;
    let message = format!(
        "`{}` never grows: a replica of `{name}` has at most {room} requests, {} in work and {} waiting, and the target is \
         {each}, of which it tolerates {} more",
        plan.name,
        workers.slots,
        workers.queue,
        percent(tolerance),
    );
    let help = format!("lower the target below {}, to what a replica does well", workers.slots);
    Some(Diagnostic::warning(message).at(seen.place(&plan.path)).help(help))
}

/// Requests in flight that each replica is to have.
struct Target<'a> {
    metric: &'a str,
    each: f64,
    tolerance: f64,
}

/// The target of a law that goes by one metric, so much of it for each replica.
fn target(controller: &Controller) -> Option<Target<'_>> {
    match controller {
        Controller::Own(controller) => {
            let OwnLaw::Concurrency { law, in_flight } = controller.law() else { return None };
            Some(Target { metric: in_flight, each: law.target, tolerance: controller.common().tolerance })
        }
        Controller::Hpa(controller) => {
            let [metric] = controller.hpa().metrics.as_slice() else { return None };
            let (metric, milli) = match metric {
                Metric::Pods { metric, average_milli } => (metric, *average_milli),
                Metric::Object { metric, target: ValueTarget::AverageValue(milli) }
                | Metric::External { metric, target: ValueTarget::AverageValue(milli) } => (metric, *milli),
                _ => return None,
            };
            let tolerance = controller.settings().tolerance;
            Some(Target { metric, each: milli as f64 / 1000.0, tolerance })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// Forty requests at each replica at the most.
    fn scaled_by(law: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 10/s, to: web.get}}}}
services:
  web: {{workers: 30, queue: 10, endpoints: {{get: [{{delay: 20ms}}]}}}}
autoscalers:
  web: {{{law}}}
"
        ))
    }

    /// 10 % more than 37 are 40.7, more than 40; 10 % more than 36 are 39.6.
    #[test]
    fn a_target_that_a_replica_cannot_exceed_is_told() {
        insta::assert_snapshot!(scaled_by("max: 9, concurrency: {target: 37}"));
        assert_eq!(scaled_by("max: 9, concurrency: {target: 36}"), "");
        assert_eq!(scaled_by("max: 9, concurrency: {target: 37}, activator: {}"), "");
    }

    #[test]
    fn a_metric_of_pods_is_looked_at_too() {
        let hpa = |target: u32| {
            scaled_by(&format!(
                "hpa: {{maxReplicas: 9, metrics: [{{type: Pods, pods: {{metric: {{name: busy}}, target: {{type: \
                 AverageValue, averageValue: {target}}}}}}}]}}, metrics: {{busy: web.in_flight}}"
            ))
        };
        assert!(hpa(50).contains("`web` never grows"), "{}", hpa(50));
        assert_eq!(hpa(20), "");
    }
}

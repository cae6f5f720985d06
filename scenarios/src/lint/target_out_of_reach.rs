//! An autoscaler that goes by what never gets scarce.
//!
//! Source: the utilization law; where something else is used up first, CPU stays at the share that belongs to it.

use models::autoscaler::controller::Controller;
use models::autoscaler::kubernetes::{Metric, ResourceTarget};
use models::autoscaler::plan::AutoscalerPlan;
use models::blueprint::ServiceId;

use super::{Diagnostic, Seen};
use crate::experiment::analysis::{Place, Station, percent};

/// The rule: before the slots of a replica are all taken, its cores are busier than the target of an autoscaler that goes
/// by them.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    seen.blueprint.autoscalers.iter().filter_map(|plan| of(seen, plan)).collect()
}

fn of(seen: &Seen<'_>, plan: &AutoscalerPlan) -> Option<Diagnostic> {
    let target = target(plan)?;
    let (cores, slots) = used_up_first(seen, plan.service)?;
    let busy = cores.utilization / slots.utilization;
    let requested = plan.template.requested_milli("cpu").map_or(cores.units, |milli| milli as f64 / 1000.0);
    let reached = busy * cores.units / requested;
    if reached > target {
        return None;
    }
    let name = &seen.parts.services[plan.service.index()].name;
    let message = format!(
        "`{}` never grows: when `{}` has no unit left, the CPU of `{name}` is at {} of what is requested, and the target is {}",
        plan.name,
        slots.name,
        percent(reached),
        percent(target),
    );
    let help = "go by what is used up: `concurrency`, or a metric of requests in flight";
    Some(Diagnostic::warning(message).at(seen.place(&plan.path)).help(help))
}

/// The share of the requested CPU at which it grows, where CPU is all that it goes by.
fn target(plan: &AutoscalerPlan) -> Option<f64> {
    let Controller::Hpa(controller) = &plan.controller else { return None };
    let [Metric::Resource { resource, target: ResourceTarget::Utilization(percent) }] =
        controller.hpa().metrics.as_slice()
    else {
        return None;
    };
    (&**resource == "cpu").then(|| f64::from(*percent) / 100.0)
}

/// The cores of a service, and those of its own slots that are used up first, if they are used up before the cores.
fn used_up_first<'a>(seen: &'a Seen<'_>, service: ServiceId) -> Option<(&'a Station, &'a Station)> {
    let stations = || seen.analysis.stations.iter();
    let cores = stations().find(|station| station.place == Place::Cores(service))?;
    let own = format!("{}.", seen.parts.services[service.index()].name);
    let slots = stations()
        .filter(|station| matches!(station.place, Place::Pool(_)) && station.name.starts_with(&own));
    let first = slots.max_by(|a, b| a.utilization.total_cmp(&b.utilization))?;
    (first.utilization > cores.utilization).then_some((cores, first))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// 20 ms of CPU and a time of waiting, 50 threads on four cores.
    fn waiting(seconds: f64, target: u32) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 10/s, to: web.get}}}}
services:
  web: {{cores: 4, workers: 50, endpoints: {{get: [{{cpu: 20ms}}, {{delay: {seconds}s}}]}}}}
autoscalers:
  web: {{hpa: {{maxReplicas: 9, metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: {target}}}}}}}]}}}}
"
        ))
    }

    /// 50 threads that take a second for 20 ms of CPU use 1 core of 4.
    #[test]
    fn cpu_that_stays_low_is_told() {
        insta::assert_snapshot!(waiting(0.98, 70));
        assert_eq!(waiting(0.98, 20), "");
    }

    #[test]
    fn cpu_that_runs_out_first_is_not() {
        assert_eq!(waiting(0.1, 70), "");
    }
}

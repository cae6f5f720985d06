//! An autoscaler that goes by what never gets scarce.
//!
//! Source: the utilization law; where something else is used up first, CPU stays at the share that belongs to it.

use models::autoscaler::controller::{AwsPolicy, Controller};
use models::autoscaler::kubernetes::{Metric, ResourceTarget};
use models::autoscaler::plan::{AutoscalerPlan, Signal};
use models::blueprint::ServiceId;

use super::{Diagnostic, Seen};
use crate::experiment::analysis::{Place, Station, percent};

/// The rule: before the slots of a replica are all taken, or its cores, these are busier than an autoscaler tolerates
/// that goes by them.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    seen.blueprint.autoscalers.iter().filter_map(|plan| of(seen, plan)).collect()
}

fn of(seen: &Seen<'_>, plan: &AutoscalerPlan) -> Option<Diagnostic> {
    let (target, tolerance) = target(plan)?;
    let cores = seen.analysis.stations.iter().find(|station| station.place == Place::Cores(plan.service))?;
    let first = used_up_first(seen, plan.service, cores);
    let busy = first.map_or(1.0, |slots| cores.utilization / slots.utilization);
    let requested = plan.template.requested_milli("cpu").map_or(cores.units, |milli| milli as f64 / 1000.0);
    let reached = busy * cores.units / requested;
    if reached > target * (1.0 + tolerance) {
        return None;
    }
    let name = &seen.parts.services[plan.service.index()].name;
    let when = match first {
        Some(slots) => format!("when `{}` has no unit left", slots.name),
        None => "when all its cores are busy".to_owned(),
    };
    let tolerated = if reached > target {
        format!(", of which it tolerates {} more", percent(tolerance))
    } else {
        String::new()
    };
    let message = format!(
        "`{}` never grows: {when}, the CPU of `{name}` is at {} of what is requested, and the target is {}{tolerated}",
        plan.name,
        percent(reached),
        percent(target),
    );
    let help = match first {
        Some(_) => "go by what is used up: `concurrency`, or a metric of requests in flight",
        None => "lower the target, or let a replica request less than it can use: `requests: {cpu: 500m}`",
    };
    Some(Diagnostic::warning(message).at(seen.place(&plan.path)).help(help))
}

/// The share of the requested CPU at which it grows, where CPU is all that it goes by, and what it tolerates beyond
/// that.
fn target(plan: &AutoscalerPlan) -> Option<(f64, f64)> {
    match &plan.controller {
        Controller::Hpa(controller) => {
            let [Metric::Resource { resource, target: ResourceTarget::Utilization(percent) }] =
                controller.hpa().metrics.as_slice()
            else {
                return None;
            };
            let is_cpu = &**resource == "cpu";
            is_cpu.then(|| (f64::from(*percent) / 100.0, controller.settings().tolerance))
        }
        Controller::Aws(controller) => {
            let [AwsPolicy::TargetTracking { policy, metric }] = controller.group().policies.as_slice()
            else {
                return None;
            };
            let gauge = plan.gauges.iter().find(|gauge| gauge.name == *metric)?;
            (gauge.signal == Signal::Cpu).then_some((policy.target / 100.0, 0.0))
        }
        _ => None,
    }
}

/// The own slots of a service that are used up first, if they are used up before its cores.
fn used_up_first<'a>(seen: &'a Seen<'_>, service: ServiceId, cores: &Station) -> Option<&'a Station> {
    let own = format!("{}.", seen.parts.services[service.index()].name);
    let slots = seen
        .analysis
        .stations
        .iter()
        .filter(|station| matches!(station.place, Place::Pool(_)) && station.name.starts_with(&own));
    let first = slots.max_by(|a, b| a.utilization.total_cmp(&b.utilization))?;
    (first.utilization > cores.utilization).then_some(first)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// 20 ms of CPU and a time of waiting, 50 threads on four cores.
    fn waiting(seconds: f64, target: u32) -> String {
        scaled_by(
            seconds,
            &format!(
                "hpa: {{maxReplicas: 9, metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: {target}}}}}}}]}}"
            ),
        )
    }

    fn scaled_by(seconds: f64, law: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 10/s, to: web.get}}}}
services:
  web: {{cores: 4, workers: 50, endpoints: {{get: [{{cpu: 20ms}}, {{delay: {seconds}s}}]}}}}
autoscalers:
  web: {{{law}}}
"
        ))
    }

    /// 50 threads that take a second for 20 ms of CPU use 1 core of 4.
    #[test]
    fn cpu_that_stays_low_is_told() {
        insta::assert_snapshot!(waiting(0.98, 70));
        assert_eq!(waiting(0.98, 20), "");
        let aws =
            |target: u32| scaled_by(0.98, &format!("max: 9, aws_target_tracking: {{target: {target}}}"));
        assert!(aws(50).contains("`web` never grows"), "{}", aws(50));
        assert_eq!(aws(20), "");
    }

    #[test]
    fn cpu_that_runs_out_first_is_not() {
        assert_eq!(waiting(0.1, 70), "");
    }

    /// Busy cores are at 100 %: 10 % more than 91 % are 100.1 %, 10 % more than 90 % are 99 %.
    #[test]
    fn a_target_that_even_busy_cores_do_not_exceed_is_told() {
        insta::assert_snapshot!(waiting(0.1, 91));
        assert!(waiting(0.1, 100).contains("and the target is 100 %\n"), "{}", waiting(0.1, 100));
        assert_eq!(waiting(0.1, 90), "");
    }
}

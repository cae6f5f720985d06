//! An autoscaler whose fewest replicas carry the load, but not without one of them.
//!
//! Source: the utilization law, for the replicas that a failure leaves.

use models::autoscaler::controller::Controller;
use models::autoscaler::plan::AutoscalerPlan;
use models::blueprint::{Fault, PoolScope};

use super::{Diagnostic, Seen};
use crate::experiment::analysis::{Place, percent};

/// The rule: where the scenario lets replicas or zones fail, what a failure leaves of the fewest replicas can carry the
/// load that the fewest carry. An autoscaler sees the rest overloaded, and then has to start what is missing.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    seen.blueprint.autoscalers.iter().filter_map(|plan| of(seen, plan)).collect()
}

fn of(seen: &Seen<'_>, plan: &AutoscalerPlan) -> Option<Diagnostic> {
    let fewest = u32::try_from(fewest(&plan.controller)?).ok()?;
    let (lost, what) = lost(seen, plan, fewest)?;
    let needed = replicas_needed(seen, plan)?;
    if needed > f64::from(fewest) || needed <= f64::from(fewest - lost) {
        return None;
    }
    let name = &seen.parts.services[plan.service.index()].name;
    let left = if fewest == lost {
        "leaves none".to_owned()
    } else {
        format!(
            "leaves {}, which the load would keep {} busy",
            fewest - lost,
            percent(needed / f64::from(fewest - lost))
        )
    };
    let replicas = if fewest == 1 { "replica" } else { "replicas" };
    let message = format!(
        "`{}` keeps {fewest} {replicas} of `{name}` at the fewest, and losing {what} {left}",
        plan.name
    );
    let spare = needed.ceil() as u32 + lost;
    let help =
        format!("keep at least {spare}: it takes until new ones have started to replace those that are lost");
    Some(Diagnostic::warning(message).at(seen.place(&plan.path)).help(help))
}

/// The fewest replicas of a law that never goes below them.
fn fewest(controller: &Controller) -> Option<i32> {
    match controller {
        Controller::Hpa(controller) => Some(controller.hpa().min_replicas),
        Controller::Aws(controller) => i32::try_from(controller.bounds().min).ok(),
        Controller::Own(controller) => Some(controller.fewest()),
        _ => None,
    }
    .filter(|fewest| *fewest > 0)
}

/// How many of the fewest replicas a failure of the scenario takes at once, and what it is.
fn lost(seen: &Seen<'_>, plan: &AutoscalerPlan, fewest: u32) -> Option<(u32, String)> {
    let zones = &seen.parts.services[plan.service.index()].life.zones;
    let of = |fault: &Fault| match fault {
        Fault::Crash { service, replicas, .. } if *service == plan.service => {
            let count = (*replicas).min(fewest);
            Some((count, if count == 1 { "one".to_owned() } else { format!("{count} of them") }))
        }
        Fault::Lose(zone) if zones.contains(zone) => {
            let in_zone = fewest.div_ceil(zones.len() as u32);
            Some((in_zone, format!("zone `{}`", seen.parts.zones[zone.index()])))
        }
        _ => None,
    };
    let faults = seen.parts.happenings.iter().filter_map(|happening| happening.fault.as_ref());
    faults.filter_map(of).max_by_key(|(count, _)| *count)
}

/// Replicas that the load needs at the least: those of the first of its own resources that would run out.
fn replicas_needed(seen: &Seen<'_>, plan: &AutoscalerPlan) -> Option<f64> {
    let is_own = |place: Place| match place {
        Place::Cores(service) => service == plan.service,
        Place::Pool(pool) => {
            matches!(seen.blueprint.pools[pool.index()].scope, PoolScope::Replica { service, .. } if service == plan.service)
        }
    };
    let stations = seen.analysis.stations.iter().filter(|station| is_own(station.place));
    stations.map(|station| station.utilization * station.instances).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// 250/s of 10 ms are 2.5 cores.
    fn failing(fewest: u32, zones: &str, event: &str) -> String {
        linted(&format!(
            "duration: 10m
traffic: {{users: {{rate: 250/s, to: web.get}}}}
services: {{web: {{replicas: {fewest}, cores: 1, {zones} endpoints: {{get: [{{cpu: 10ms}}]}}}}}}
routes: {{web: {{health: {{check: 2s}}}}}}
autoscalers:
  web: {{hpa: {{minReplicas: {fewest}, maxReplicas: 9}}}}
events: [{event}]
"
        ))
    }

    /// Two of three are left for 2.5: 125 %.
    #[test]
    fn one_too_few_is_told() {
        let crash = "{at: 1m, crash: web, restart: 1m}";
        insta::assert_snapshot!(failing(3, "", crash));
        assert_eq!(failing(4, "", crash), "");
        assert_eq!(failing(3, "", "{at: 1m, set: {services.web.speed: 0.9}}"), "");
    }

    /// Four replicas in two zones: the loss of one leaves two.
    #[test]
    fn a_zone_too_few_is_told() {
        let lose = "{at: 1m, for: 1m, lose: {zone: a}}";
        let told = failing(4, "zones: [a, b],", lose);
        assert!(told.contains("losing zone `a` leaves 2, which the load would keep 125 % busy"), "{told}");
        assert_eq!(failing(6, "zones: [a, b],", lose), "");
    }
}

//! An autoscaler that takes back what it has just done, at a load that stays as it is.
//!
//! Source: *EC2 Auto Scaling User Guide*, "Step and simple scaling policies", on thresholds that are far enough apart;
//! for Kubernetes `ceil(n * u / target)`, which is the same for every n at one load, so that only the tolerance and the
//! window keep a load that wavers around one of its steps from wavering between two counts.

use models::autoscaler::aws::{Adjustment, Alarm, Bounds, Comparison, StepPolicy};
use models::autoscaler::controller::{AwsController, AwsPolicy, Controller, HpaController};
use models::autoscaler::plan::AutoscalerPlan;
use sim_core::Span;

use super::{Diagnostic, Seen};
use crate::experiment::analysis::percent;

/// The rule: at no number of replicas does a step up put a mean over replicas to where a step down follows, and a law
/// that goes by a target has a tolerance or a window.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let found = seen.blueprint.autoscalers.iter().filter_map(|plan| {
        let (message, help) = match &plan.controller {
            Controller::Hpa(controller) => of_target(plan, controller)?,
            Controller::Aws(controller) => of_alarms(plan, controller)?,
            _ => return None,
        };
        Some(Diagnostic::warning(message).at(seen.place(&plan.path)).help(help))
    });
    found.collect()
}

/// A target that nothing keeps the count still at.
fn of_target(plan: &AutoscalerPlan, controller: &HpaController) -> Option<(String, String)> {
    let window = controller.hpa().behavior.as_ref().map(|behavior| behavior.scale_down.window)?;
    if controller.settings().tolerance > 0.0 || window > Span::ZERO {
        return None;
    }
    let message = format!(
        "`{}` has neither a tolerance nor a window: at a load that wavers around a multiple of its target it changes with \
         every sample",
        plan.name
    );
    Some((
        message,
        "leave `tolerance` at 10%, or raise `stabilizationWindowSeconds` of `scaleDown`".to_owned(),
    ))
}

/// An alarm that adds, and another of the same metric that rings as soon as that has taken effect.
fn of_alarms(plan: &AutoscalerPlan, controller: &AwsController) -> Option<(String, String)> {
    let group = controller.group();
    let steps = || {
        group.policies.iter().filter_map(|policy| match policy {
            AwsPolicy::Step { policy, metric, alarm } => Some((policy, metric, alarm)),
            _ => None,
        })
    };
    for (up, metric, high) in steps().filter(|(_, _, alarm)| is_high(alarm)) {
        for (down, _, low) in steps().filter(|(_, other, alarm)| *other == metric && !is_high(alarm)) {
            let most = group.bounds.max.min(i64::from(plan.most)).min(MOST_LOOKED_AT);
            for n in group.bounds.min.max(1)..most {
                if let Some((more, after)) = turns(n, group.bounds, (up, high), (down, low)) {
                    let message = format!(
                        "`{}` takes back what it adds: {n} replicas at {} become {more} at {}, where the alarm below {} rings",
                        plan.name,
                        share(metric, high.threshold()),
                        share(metric, after),
                        share(metric, low.threshold()),
                    );
                    let help =
                        format!("lower the threshold below {}, or add less at once", share(metric, after));
                    return Some((message, help));
                }
            }
        }
    }
    None
}

/// Counts beyond this are not looked at: the more there are, the less one more or less changes.
const MOST_LOOKED_AT: i64 = 1000;

fn is_high(alarm: &Alarm) -> bool {
    matches!(alarm.comparison(), Comparison::Above | Comparison::AtLeast)
}

/// What `n` replicas become when the mean is just beyond the upper threshold, and what the mean is then, if the lower
/// alarm rings there and takes any away.
fn turns(
    n: i64,
    bounds: Bounds,
    (up, high): (&StepPolicy, &Alarm),
    (down, low): (&StepPolicy, &Alarm),
) -> Option<(i64, f64)> {
    let change = |policy: &StepPolicy, alarm: &Alarm, value: f64, from: i64| {
        let adjusted = |adjustment: Adjustment| adjustment.apply(from, bounds);
        policy.adjustment(alarm.threshold(), value).map_or(from, adjusted)
    };
    let more = change(up, high, high.threshold(), n);
    let after = high.threshold() * n as f64 / more as f64;
    let rings = match low.comparison() {
        Comparison::Below => after < low.threshold(),
        _ => after <= low.threshold(),
    };
    (more > n && rings && change(down, low, after, more) < more).then_some((more, after))
}

/// A threshold as its metric tells it.
fn share(metric: &str, value: f64) -> String {
    if metric.ends_with("CPUUtilization") { percent(value / 100.0) } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn scaled(law: &str) -> String {
        linted(&format!(
            "duration: 10m
traffic: {{users: {{rate: 10/s, to: web.get}}}}
services: {{web: {{replicas: 2, cores: 1, endpoints: {{get: [{{cpu: 10ms}}]}}}}}}
autoscalers: {{web: {{{law}}}}}
"
        ))
    }

    fn steps(low: u32) -> String {
        scaled(&format!(
            "min: 2, max: 20, aws_step: {{policies: [{{alarm: {{above: 70}}, steps: [{{add: 2}}]}}, {{alarm: {{below: {low}}}, \
             steps: [{{remove: 1}}]}}]}}"
        ))
    }

    /// Two replicas at 70 % become four at 35 %.
    #[test]
    fn alarms_too_close_are_told() {
        insta::assert_snapshot!(steps(40));
        assert_eq!(steps(30), "");
    }

    #[test]
    fn a_target_that_nothing_holds_is_told() {
        let hpa = |tolerance: &str, window: u32| {
            scaled(&format!(
                "controller: {{tolerance: {tolerance}}}, hpa: {{maxReplicas: 9, behavior: {{scaleDown: \
                 {{stabilizationWindowSeconds: {window}}}}}}}"
            ))
        };
        insta::assert_snapshot!(hpa("0%", 0));
        assert_eq!(hpa("10%", 0), "");
        assert_eq!(hpa("0%", 300), "");
    }
}

//! An autoscaler that gives away what it cannot have back in time.

use models::autoscaler::controller::Controller;

use super::{Diagnostic, Seen};
use crate::experiment::analysis::{duration, mean};

/// The rule: a count is held up for at least as long as a replica takes to start, or load that comes back finds none.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for plan in &seen.blueprint.autoscalers {
        let Controller::Hpa(controller) = &plan.controller else { continue };
        let Some(behavior) = &controller.hpa().behavior else { continue };
        let service = &seen.parts.services[plan.service.index()];
        let Some(startup) = &service.life.startup else { continue };
        let (window, start) = (behavior.scale_down.window.as_seconds(), mean(&startup.delay));
        if window >= start {
            continue;
        }
        let pace = if window > 0.0 {
            format!("holds the count up for {}", duration(window))
        } else {
            "gives replicas away at once".to_owned()
        };
        let message = format!(
            "`{}` {pace}, and a replica of `{}` takes {} to start: load that comes back finds too few",
            plan.name,
            service.name,
            duration(start),
        );
        let help = "raise `behavior.scaleDown.stabilizationWindowSeconds`; the default is 300";
        found.push(Diagnostic::warning(message).at(seen.place(&plan.path)).help(help));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn held_up(seconds: u32) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services:
  web: {{cores: 1, startup: 45s, endpoints: {{get: [{{cpu: 20ms}}]}}}}
autoscalers:
  web: {{hpa: {{maxReplicas: 9, behavior: {{scaleDown: {{stabilizationWindowSeconds: {seconds}}}}}}}}}
"
        ))
    }

    #[test]
    fn a_window_shorter_than_a_start_is_told() {
        insta::assert_snapshot!(held_up(30));
        assert!(held_up(0).contains("`web` gives replicas away at once"), "{}", held_up(0));
        assert_eq!(held_up(45), "");
    }
}

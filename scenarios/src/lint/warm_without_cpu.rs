//! A start-up that warms up what is not there.

use super::{Diagnostic, Seen};
use crate::scenario::{Branch, Step};

/// The rule: a service whose replicas warm up has CPU work, which is all that warming up makes slower.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (number, service) in seen.parts.services.iter().enumerate() {
        let Some(startup) = &service.life.startup else { continue };
        let mut endpoints = seen.parts.endpoints.iter().filter(|row| row.service.index() == number);
        if startup.slowdown <= 1.0 || endpoints.any(|endpoint| computes(&endpoint.steps)) {
            continue;
        }
        let path = format!("services.{}.startup.slowdown", service.name);
        let message =
            format!("`{}` has no `cpu` steps, and only these are slower while it warms up", service.name);
        let help = "write what it does itself as `cpu`; a `delay` is time spent elsewhere";
        found.push(Diagnostic::warning(message).at(seen.place(&path)).help(help));
    }
    found
}

fn computes(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Cpu(_) | Step::PerByte { .. } => true,
        Step::Hold { steps, .. } | Step::Repeat { steps, .. } => computes(steps),
        Step::All { branches, .. } => branches.iter().any(|branch| match branch {
            Branch::Steps(steps) => computes(steps),
            Branch::Call(_) => false,
        }),
        Step::Choose(arms) => arms.iter().any(|(_, steps)| computes(steps)),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn warming(step: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services:
  web:
    startup: {{delay: 1s, warm: 10s, slowdown: 3}}
    endpoints: {{get: [{{{step}: 1ms}}]}}
"
        ))
    }

    #[test]
    fn nothing_to_warm_up_is_told() {
        let told = warming("delay");
        assert!(told.contains("`web` has no `cpu` steps"), "{told}");
        assert_eq!(warming("cpu"), "");
    }
}

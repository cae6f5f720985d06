//! A failure that its caller never hears of.

use super::{Diagnostic, Seen};
use crate::spec::{ArmSpec, Named, StepSpec};
use crate::tree::Place;

/// The rule: nothing fails behind a `reply`: the caller has its answer, and the outcome stands.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let services =
        seen.spec.services.0.iter().flat_map(Named::sorted).filter_map(|entry| entry.value.as_ref());
    let endpoints = services.filter_map(|service| service.endpoints.0.as_ref()).flat_map(Named::sorted);
    let mut places = Vec::new();
    for steps in endpoints.filter_map(|endpoint| endpoint.value.as_ref()) {
        walk(&steps.items, false, &mut places);
    }
    let warn = |place: Place| {
        Diagnostic::warning("this fails behind a `reply`, which changes nothing for the caller")
            .at(place)
            .help("put it before the `reply`, or remove it")
    };
    places.into_iter().map(warn).collect()
}

/// Collects `fail` steps that are reached only after a reply; whether what follows the steps is, too.
fn walk(steps: &[StepSpec], mut replied: bool, places: &mut Vec<Place>) -> bool {
    for step in steps {
        match step {
            StepSpec::Reply => replied = true,
            StepSpec::Fail(step) if replied => places.push(step.fail.place),
            StepSpec::Hold(step) => {
                if let Some(steps) = &step.do_steps {
                    replied = walk(&steps.items, replied, places);
                }
            }
            StepSpec::Repeat(step) => {
                walk(&step.do_steps.items, replied, places);
            }
            StepSpec::Choose(step) => {
                let mut all = true;
                let mut otherwise = false;
                for arm in &step.choose.items {
                    otherwise |= matches!(arm, ArmSpec::Else(..));
                    all &= walk(&arm.steps().items, replied, places);
                }
                replied |= all && otherwise;
            }
            StepSpec::All(step) => {
                for branch in &step.all.0.items {
                    walk(&branch.steps.items, replied, places);
                }
            }
            StepSpec::Cpu(_)
            | StepSpec::Delay(_)
            | StepSpec::Pause(_)
            | StepSpec::Take(_)
            | StepSpec::Give(_)
            | StepSpec::Get(_)
            | StepSpec::Put(_)
            | StepSpec::Send(_)
            | StepSpec::Call(_)
            | StepSpec::Fail(_) => {}
        }
    }
    replied
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn steps(steps: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services: {{web: {{endpoints: {{get: {steps}}}}}}}
"
        ))
    }

    #[test]
    fn a_failure_behind_a_reply_is_told() {
        insta::assert_snapshot!(steps("[{delay: 1ms}, reply, {fail: late, rate: 1%}]"));
    }

    #[test]
    fn a_failure_before_it_is_not() {
        assert_eq!(steps("[{fail: early, rate: 1%}, reply, {delay: 1ms}]"), "");
        assert_eq!(
            steps("[{choose: [{weight: 50%, do: [reply]}, {else: []}]}, {fail: perhaps, rate: 1%}]"),
            ""
        );
    }
}

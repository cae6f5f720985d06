//! Classes of requests, and which of them is more important.

use std::collections::{BTreeMap, BTreeSet};

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::spec::{At, EventSpec, List, Name, Named, PolicyRef, PolicySpec, StepSpec, TrafficSpec};
use crate::tree::quoted;
use crate::words::{did_you_mean, listed};

/// The class of requests that have none.
pub(super) const NO_CLASS: &str = "default";

impl<'a> Checker<'a> {
    pub(super) fn traffic_specs(&self) -> impl Iterator<Item = &'a TrafficSpec> + use<'a> {
        let traffics = self.spec.traffic.0.as_ref().map(Named::sorted).unwrap_or_default();
        traffics.into_iter().filter_map(|entry| entry.value.as_ref())
    }

    /// All classes, the most important first; those that no `priority` names come last, by name.
    pub(super) fn all_classes(&mut self) -> Vec<String> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for traffic in self.traffic_specs() {
            let weights = traffic.attributes.as_ref().and_then(|attributes| attributes.class.as_ref());
            match (&traffic.class, weights) {
                (Some(class), None) => {
                    names.insert(&class.value.0);
                }
                (None, Some(weights)) => names.extend(weights.entries.iter().map(|(name, ..)| name.as_str())),
                (None, None) => {
                    names.insert(NO_CLASS);
                }
                (Some(class), Some(_)) => {
                    let help = "keep `class` for one class, or `attributes.class` for several";
                    self.error(class.place, "the class is given twice", help);
                }
            }
        }
        let lists: Vec<&List<At<Name>>> = self
            .traffic_specs()
            .flat_map(|traffic| {
                [traffic.priority.as_ref(), traffic.attributes.as_ref().and_then(|a| a.priority.as_ref())]
            })
            .flatten()
            .collect();
        let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for list in lists {
            for class in &list.items {
                let name = class.value.0.as_str();
                if !names.contains(name) {
                    let help = did_you_mean(name, names.iter().copied())
                        .unwrap_or_else(|| format!("the classes are {}", listed(names.iter().copied())));
                    self.error(class.place, format!("there is no class {}", quoted(name)), help);
                }
                below.entry(name).or_default();
            }
            for pair in list.items.windows(2) {
                let (high, low) = (pair[0].value.0.as_str(), pair[1].value.0.as_str());
                if reaches(&below, low, high) {
                    let message = format!("`{high}` is both above and below `{low}`");
                    self.sink.report(
                        Diagnostic::error(message)
                            .at(pair[1].place)
                            .help("every `priority` of the scenario has to agree on the order"),
                    );
                } else {
                    below.entry(high).or_default().insert(low);
                }
            }
        }
        let mut order: Vec<String> = Vec::new();
        let mut left: BTreeSet<&str> = below.keys().copied().collect();
        while let Some(&next) =
            left.iter().find(|name| !left.iter().any(|other| below[other].contains(*name)))
        {
            left.remove(next);
            order.push(next.into());
        }
        order.extend(names.iter().filter(|name| !below.contains_key(**name)).map(ToString::to_string));
        if order.is_empty() {
            order.push(NO_CLASS.into());
        }
        order
    }

    /// The index of a class.
    pub(super) fn class_named(&mut self, at: &At<Name>) -> Option<u16> {
        let name = at.value.0.as_str();
        if let Some(index) = self.class_index(name) {
            return Some(index);
        }
        let known = || self.classes.iter().map(String::as_str);
        let help = match did_you_mean(name, known()) {
            Some(guess) => guess,
            None if known().eq([NO_CLASS]) => {
                "give a traffic `attributes: {class: {gold: 10%, other: 90%}}`".into()
            }
            None => format!("the classes are {}", listed(known())),
        };
        self.error(at.place, format!("there is no class {}", quoted(name)), help);
        None
    }

    pub(super) fn class_index(&self, name: &str) -> Option<u16> {
        self.classes.iter().position(|class| class == name).map(|index| index as u16)
    }

    /// Names that `fail` steps and events use for outcomes of their own, sorted.
    pub(super) fn all_failures(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        for entry in super::services_of(self.spec) {
            let endpoints = entry.value.as_ref().and_then(|service| service.endpoints.0.as_ref());
            for steps in endpoints.iter().flat_map(|endpoints| &endpoints.entries) {
                failures(steps.value.as_ref().map_or(&[], |steps| &steps.items), &mut names);
            }
        }
        for job in self.job_specs() {
            let steps = job.value.as_ref().and_then(|job| job.do_steps.0.as_ref());
            failures(steps.map_or(&[], |steps| &steps.items), &mut names);
        }
        for cache in self.spec.caches.iter().flat_map(|caches| &caches.entries) {
            let Some(cache) = &cache.value else { continue };
            for steps in [&cache.hit, &cache.miss].into_iter().flatten() {
                failures(&steps.items, &mut names);
            }
        }
        let policies = self.spec.policies.iter().flat_map(|policies| &policies.entries);
        for policy in policies.filter_map(|entry| entry.value.as_ref()) {
            failures_of(&policy.0, &mut names);
        }
        for traffic in self.traffic_specs() {
            failures_of_own(traffic.policy.as_ref(), &mut names);
        }
        for event in self.spec.events.iter().flat_map(|events| &events.items) {
            if let EventSpec::Fail(fail) = event {
                names.insert(fail.outcome.value.0.clone());
            }
        }
        names.into_iter().filter(|name| super::steps::fixed_outcome(name).is_none()).collect()
    }
}

fn reaches(below: &BTreeMap<&str, BTreeSet<&str>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(below.get(name).into_iter().flatten().copied());
        }
    }
    false
}

fn failures(steps: &[StepSpec], names: &mut BTreeSet<String>) {
    for step in steps {
        match step {
            StepSpec::Fail(fail) => {
                names.insert(fail.fail.value.0.clone());
            }
            StepSpec::Hold(hold) => {
                hold.do_steps.iter().for_each(|steps| failures(&steps.items, names));
            }
            StepSpec::Repeat(repeat) => failures(&repeat.do_steps.items, names),
            StepSpec::All(all) => {
                all.all.0.items.iter().for_each(|branch| failures(&branch.steps.items, names));
            }
            StepSpec::Choose(choose) => {
                choose.choose.items.iter().for_each(|arm| failures(&arm.steps().items, names));
            }
            StepSpec::Call(call) => failures_of_own(call.policy.as_ref(), names),
            StepSpec::Cpu(_)
            | StepSpec::Delay(_)
            | StepSpec::Pause(_)
            | StepSpec::Take(_)
            | StepSpec::Give(_)
            | StepSpec::Get(_)
            | StepSpec::Put(_)
            | StepSpec::Send(_)
            | StepSpec::Reply => {}
        }
    }
}

/// Names that the fallback of a policy uses.
fn failures_of(policy: &PolicySpec, names: &mut BTreeSet<String>) {
    failures(policy.fallback.as_ref().map_or(&[], |steps| &steps.items), names);
}

fn failures_of_own(policy: Option<&PolicyRef>, names: &mut BTreeSet<String>) {
    if let Some(PolicyRef::Own(policy, _)) = policy {
        failures_of(&policy.0, names);
    }
}

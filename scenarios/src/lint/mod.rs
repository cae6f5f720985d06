//! What is probably not meant, though the scenario can run: one rule a file.
//!
//! A lint is a warning: it names the place, the numbers behind it and what to do. Rules speak of what the file
//! itself says, before anything runs; what follows only from queueing is left to the simulation.

mod back_and_forth;
mod breaker_never_opens;
mod connections_beyond_database;
mod consumers_too_slow;
mod crash_unnoticed;
mod expiry_wave;
mod extra_load;
mod fail_after_reply;
mod fewest_without_spare;
mod in_flight_out_of_reach;
mod never_written;
mod overload;
mod partition_without_timeout;
mod poll_too_short;
mod pool_deadlock;
mod pool_too_small;
mod retry_product;
mod shrinks_too_soon;
mod stampede;
mod target_out_of_reach;
#[cfg(test)]
mod testing;
mod timeout_inversion;
mod timeout_too_short;
mod visibility_too_short;
mod warm_without_cpu;

use models::blueprint::{Blueprint, CacheId, PolicyPlan};
use sim_core::Span;

use crate::check::{EmptySystem, callees_first};
use crate::diagnostic::Diagnostic;
use crate::experiment::analysis::Analysis;
use crate::scenario::{Branch, Call, Endpoint, Parts, Scenario, Step, each_call};
use crate::spec::{ScenarioSpec, Sink};
use crate::tree::{Node, Place};

/// A scenario without mistakes, as the rules see it.
struct Seen<'a> {
    spec: &'a ScenarioSpec,
    parts: &'a Parts,
    analysis: Analysis,
    blueprint: &'a Blueprint,
    tree: &'a Node,
}

/// Reports what the rules find.
pub(crate) fn lint(spec: &ScenarioSpec, tree: &Node, scenario: &Scenario, sink: &mut Sink) {
    let blueprint = at_most(scenario.compile());
    let analysis = Analysis::of(&blueprint);
    let seen = Seen { spec, parts: &scenario.parts, analysis, blueprint: &blueprint, tree };
    let rules = [
        retry_product::lint,
        timeout_too_short::lint,
        timeout_inversion::lint,
        pool_too_small::lint,
        overload::lint,
        pool_deadlock::lint,
        fail_after_reply::lint,
        breaker_never_opens::lint,
        extra_load::lint,
        crash_unnoticed::lint,
        partition_without_timeout::lint,
        warm_without_cpu::lint,
        expiry_wave::lint,
        stampede::lint,
        never_written::lint,
        consumers_too_slow::lint,
        poll_too_short::lint,
        visibility_too_short::lint,
        target_out_of_reach::lint,
        in_flight_out_of_reach::lint,
        shrinks_too_soon::lint,
        connections_beyond_database::lint,
        fewest_without_spare::lint,
        back_and_forth::lint,
    ];
    for rule in rules {
        sink.list.extend(rule(&seen));
    }
}

/// The system with as many replicas as its autoscalers may make.
fn at_most(mut blueprint: Blueprint) -> Blueprint {
    for row in &blueprint.autoscalers {
        let service = &mut blueprint.services[row.service.index()];
        service.replicas = service.replicas.max(row.most);
    }
    blueprint
}

impl Seen<'_> {
    /// Where the value at `path` stands, or what names the last of its parents that the file has.
    fn place(&self, path: &str) -> Place {
        let mut node = self.tree;
        for key in path.split('.') {
            match node.get(key) {
                Some(next) => node = next,
                None => return node.label,
            }
        }
        node.place
    }

    /// Whether the file itself has the value at `path`.
    fn is_written(&self, path: &str) -> bool {
        path.split('.').try_fold(self.tree, |node, key| node.get(key)).is_some()
    }

    fn policy(&self, call: &Call) -> Option<&PolicyPlan> {
        call.policy.map(|policy| &self.parts.policies[policy.index()])
    }

    fn endpoint(&self, call: &Call) -> &Endpoint {
        &self.parts.endpoints[call.endpoint.index()]
    }

    /// Mean seconds that it takes to fetch an answer for the cache when nothing else goes on.
    fn fetch_seconds(&self, cache: CacheId) -> f64 {
        let mut empty = EmptySystem::new(&self.parts.endpoints, &self.parts.services);
        let steps = self.parts.endpoints.iter().find_map(|endpoint| fetching(&endpoint.steps, cache));
        steps.map_or(0.0, |steps| empty.time_of(steps))
    }

    /// Every call of the scenario: those of traffics, then those of endpoints.
    fn calls(&self) -> Vec<&Call> {
        let targets = self.parts.traffics.iter().flat_map(|traffic| &traffic.targets);
        let mut calls: Vec<&Call> = targets.map(|(_, call)| call).collect();
        for endpoint in &self.parts.endpoints {
            each_call(&endpoint.steps, &mut |call| calls.push(call));
        }
        for job in &self.parts.jobs {
            each_call(&job.steps, &mut |call| calls.push(call));
        }
        calls
    }

    /// By endpoint: what `of` makes of it, given what is known of those that it calls.
    ///
    /// Recursion ends after some rounds.
    fn by_endpoint<T: Copy + PartialEq>(&self, start: T, of: impl Fn(&Endpoint, &[T]) -> T) -> Vec<T> {
        const ROUNDS: usize = 20;
        let order = callees_first(&self.parts.endpoints);
        let mut values = vec![start; self.parts.endpoints.len()];
        for _ in 0..ROUNDS {
            let mut settled = true;
            for &i in &order {
                let value = of(&self.parts.endpoints[i], &values);
                settled &= value == values[i];
                values[i] = value;
            }
            if settled {
                break;
            }
        }
        values
    }
}

/// What the first `get` from the cache among the steps does to fetch an answer.
fn fetching(steps: &[Step], wanted: CacheId) -> Option<&[Step]> {
    steps.iter().find_map(|step| match step {
        Step::Get { cache, miss, .. } if *cache == wanted => Some(miss.as_slice()),
        Step::Get { hit, miss, .. } => fetching(miss, wanted).or_else(|| fetching(hit, wanted)),
        Step::Hold { steps, .. } | Step::Repeat { steps, .. } => fetching(steps, wanted),
        Step::All { branches, .. } => branches.iter().find_map(|branch| match branch {
            Branch::Call(_) => None,
            Branch::Steps(steps) => fetching(steps, wanted),
        }),
        Step::Choose(arms) => arms.iter().find_map(|(_, steps)| fetching(steps, wanted)),
        _ => None,
    })
}

/// How long one attempt is waited for; none for ever.
fn limit(policy: &PolicyPlan) -> Option<f64> {
    policy.timeout.into_iter().chain(policy.total).min().map(Span::as_seconds)
}

fn attempts(policy: Option<&PolicyPlan>) -> f64 {
    policy.and_then(|policy| policy.retry.as_ref()).map_or(1.0, |retry| f64::from(retry.attempts))
}

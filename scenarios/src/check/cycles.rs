//! Endpoints that call each other without end.

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::scenario::{ArmWhen, Branch, Call, Endpoint, Step, each_call};

impl Checker<'_> {
    /// Reports endpoints that no request can come back from, one cycle each.
    ///
    /// Recursion behind a condition is legal: the depth of calls is limited at run time.
    pub(super) fn check_cycles(&mut self, endpoints: &[Endpoint]) {
        let mut ends = vec![false; endpoints.len()];
        let order = callees_first(endpoints);
        loop {
            let mut found = false;
            for &i in &order {
                if !ends[i] && can_end(&endpoints[i].steps, &ends) != Way::None {
                    ends[i] = true;
                    found = true;
                }
            }
            if !found {
                break;
            }
        }
        let mut told = vec![false; endpoints.len()];
        for start in 0..endpoints.len() {
            if ends[start] || told[start] {
                continue;
            }
            let mut path = vec![start];
            let mut calls = Vec::new();
            loop {
                let last = path[path.len() - 1];
                let Some(call) = endless_call(&endpoints[last].steps, &ends) else {
                    break;
                };
                let next = call.endpoint.index();
                calls.push(call);
                if let Some(from) = path.iter().position(|&seen| seen == next) {
                    let cycle = &path[from..];
                    if !cycle.iter().any(|&i| told[i]) {
                        self.report_cycle(endpoints, cycle, calls[from]);
                    }
                    break;
                }
                if told[next] {
                    break;
                }
                path.push(next);
            }
            for i in path {
                told[i] = true;
            }
        }
    }

    fn report_cycle(&mut self, endpoints: &[Endpoint], cycle: &[usize], call: &Call) {
        const SHOWN: usize = 8;
        let mut names: Vec<&str> = cycle.iter().take(SHOWN).map(|&i| endpoints[i].name.as_str()).collect();
        if cycle.len() > SHOWN {
            names.push("...");
        }
        names.push(&endpoints[cycle[0]].name);
        self.sink.report(
            Diagnostic::error(format!("these calls never end: `{}`", names.join(" -> ")))
                .at(call.place)
                .help("put one of the calls behind a `choose`, so that a request can come back"),
        );
    }
}

/// How a list of steps can come to an end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Not at all.
    None,
    /// Only by failing.
    Fails,
    /// By reaching the steps behind it.
    Passes,
}

/// The best way through the steps, when calls to endpoints outside of `ends` do not come back.
fn can_end(steps: &[Step], ends: &[bool]) -> Way {
    let mut fails = false;
    for step in steps {
        let way = match step {
            Step::Cpu(_)
            | Step::PerByte { .. }
            | Step::Delay(_)
            | Step::Pause(_)
            | Step::Times { .. }
            | Step::Batch { .. }
            | Step::Take(_)
            | Step::Give(_)
            | Step::Put { .. }
            | Step::Send(_)
            | Step::Reply => Way::Passes,
            // Whoever comes first finds nothing.
            Step::Get { miss, .. } => can_end(miss, ends),
            Step::Hold { steps, .. } => can_end(steps, ends),
            Step::Call(call) => call_ends(call, ends),
            Step::All { branches, .. } => {
                let way = |branch: &Branch| match branch {
                    Branch::Call(call) => call_ends(call, ends),
                    Branch::Steps(steps) => can_end(steps, ends),
                };
                if branches.iter().any(|branch| way(branch) == Way::None) { Way::None } else { Way::Passes }
            }
            Step::Repeat { times, steps } => {
                if times.cdf(0.5) > 0.0 {
                    Way::Passes
                } else {
                    can_end(steps, ends)
                }
            }
            Step::Choose(arms) => choose_ends(arms, ends),
            Step::Fail { probability, .. } if *probability >= 1.0 => return Way::Fails,
            Step::Fail { probability, .. } => {
                fails |= *probability > 0.0;
                Way::Passes
            }
        };
        match way {
            Way::None => return if fails { Way::Fails } else { Way::None },
            Way::Fails => return Way::Fails,
            Way::Passes => {}
        }
    }
    Way::Passes
}

fn call_ends(call: &Call, ends: &[bool]) -> Way {
    if ends[call.endpoint.index()] { Way::Passes } else { Way::None }
}

fn choose_ends(arms: &[(ArmWhen, Vec<Step>)], ends: &[bool]) -> Way {
    let weights: f64 =
        arms.iter().map(|(when, _)| if let ArmWhen::Weight(weight) = when { *weight } else { 0.0 }).sum();
    let covered = weights > 0.99 || arms.iter().any(|(when, _)| *when == ArmWhen::Else);
    let mut best = if covered { Way::None } else { Way::Passes };
    for (when, steps) in arms {
        if matches!(when, ArmWhen::Weight(weight) if *weight <= 0.0) {
            continue;
        }
        match (can_end(steps, ends), best) {
            (Way::Passes, _) => return Way::Passes,
            (Way::Fails, Way::None) => best = Way::Fails,
            _ => {}
        }
    }
    best
}

/// The first call of the steps to an endpoint that does not come back.
fn endless_call<'a>(steps: &'a [Step], ends: &[bool]) -> Option<&'a Call> {
    let mut endless = None;
    each_call(steps, &mut |call| {
        if !ends[call.endpoint.index()] {
            endless = endless.or(Some(call));
        }
    });
    endless
}

/// All endpoints, each behind those that it calls where that is possible: one pass then decides nearly all.
pub(crate) fn callees_first(endpoints: &[Endpoint]) -> Vec<usize> {
    let callees: Vec<Vec<usize>> = endpoints
        .iter()
        .map(|endpoint| {
            let mut callees = Vec::new();
            each_call(&endpoint.steps, &mut |call| callees.push(call.endpoint.index()));
            callees
        })
        .collect();
    let mut seen = vec![false; endpoints.len()];
    let mut order = Vec::with_capacity(endpoints.len());
    let mut open = Vec::new();
    for start in 0..endpoints.len() {
        if !seen[start] {
            seen[start] = true;
            open.push((start, 0));
        }
        while let Some((at, next)) = open.last_mut() {
            if let Some(&callee) = callees[*at].get(*next) {
                *next += 1;
                if !seen[callee] {
                    seen[callee] = true;
                    open.push((callee, 0));
                }
            } else {
                order.push(*at);
                open.pop();
            }
        }
    }
    order
}

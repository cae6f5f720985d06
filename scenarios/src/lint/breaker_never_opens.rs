//! A breaker that cannot open: it waits for more calls than come, or for calls slower than any can be.
//!
//! Source: Hystrix, `requestVolumeThreshold`: with 20 calls per 10 s, a circuit that sees 19 stays closed even if all
//! of them fail. resilience4j, `slowCallDurationThreshold`: 60 s unless said otherwise.

use models::blueprint::{Arrivals, BreakerPlan, BreakerWindow, Caller, PolicyPlan};

use super::{Diagnostic, Seen, attempts};
use crate::experiment::analysis::{entry_rate, figure, mean};
use crate::scenario::{Branch, Call, Step, Use};

/// Standard deviations by which chance may bring more calls than usual: a run has many windows.
const CHANCE: f64 = 4.0;

/// The rule: a window gets as many calls as the breaker wants, and an attempt may take as long as a slow one.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (number, policy) in seen.parts.policies.iter().enumerate() {
        let Some(breaker) = &policy.breaker else { continue };
        let mut uses = seen.parts.uses.iter().filter(|usage| usage.policy.index() == number).peekable();
        let is_used = uses.peek().is_some();
        // Where one caller has enough, the breaker is of use.
        let lacking: Option<Vec<Diagnostic>> =
            uses.map(|usage| too_few(seen, policy, breaker, usage)).collect();
        found.extend(lacking.filter(|_| is_used).into_iter().flatten().take(1));
        found.extend(never_slow(seen, policy, breaker));
    }
    found
}

fn too_few(seen: &Seen<'_>, policy: &PolicyPlan, breaker: &BreakerPlan, usage: &Use) -> Option<Diagnostic> {
    let BreakerWindow::Time(window) = breaker.window else { return None };
    // A load that moves may reach what its mean does not.
    let steady = seen.parts.traffics.iter().all(|traffic| match &traffic.arrivals {
        Arrivals::Open { rate, modulation, .. } => rate.is_constant() && modulation.is_none(),
        Arrivals::Closed { .. } => true,
        Arrivals::Trace(_) => false,
    });
    let (name, rate) = match usage.caller {
        Caller::Traffic(id) => {
            let traffic = &seen.parts.traffics[id.index()];
            let load = seen.analysis.loads.iter().find(|load| load.traffic == id)?;
            let mut last = 0.0;
            let mut share = 0.0;
            for (cumulative, call) in &traffic.targets {
                share += if call.policy == Some(usage.policy) { cumulative - last } else { 0.0 };
                last = *cumulative;
            }
            (&traffic.name, load.rate * share)
        }
        Caller::Service(id) => {
            let service = &seen.parts.services[id.index()];
            let endpoints = seen.parts.endpoints.iter().enumerate().filter(|(_, e)| e.service == id);
            let calls = endpoints.map(|(number, endpoint)| {
                let rate = entry_rate(&seen.analysis, models::blueprint::EndpointId(number as u32));
                rate * calls(&endpoint.steps, &|call| call.policy == Some(usage.policy))
            });
            let replicas = if policy.shared { 1.0 } else { f64::from(service.replicas) };
            (&service.name, calls.sum::<f64>() / replicas)
        }
    };
    let come = rate * attempts(Some(policy)) * window.as_seconds();
    if !steady || come + CHANCE * come.sqrt() >= f64::from(breaker.min_calls) {
        return None;
    }
    let message = format!(
        "the breaker of `{}` waits for {} calls within {} s, and `{name}` makes about {} in that time: it never opens",
        policy.name,
        breaker.min_calls,
        figure(window.as_seconds()),
        figure(come),
    );
    let place = seen.place(&format!("{}.breaker.min_calls", policy.path));
    Some(Diagnostic::warning(message).at(place).help("lower `min_calls`, or look at a longer window"))
}

fn never_slow(seen: &Seen<'_>, policy: &PolicyPlan, breaker: &BreakerPlan) -> Option<Diagnostic> {
    let (slow, timeout) = (breaker.slow?, policy.timeout?);
    // What a preset brings along is not what somebody meant.
    let path = format!("{}.breaker.slow", policy.path);
    if slow < timeout || !seen.is_written(&path) {
        return None;
    }
    let message = format!(
        "no call of `{}` is ever slow: each ends after {} s at most, and only longer ones than {} s are",
        policy.name,
        figure(timeout.as_seconds()),
        figure(slow.as_seconds()),
    );
    Some(Diagnostic::warning(message).at(seen.place(&path)).help("make `slow` shorter than `timeout`"))
}

/// How often the steps make a call that `counts`, at most: of a choice every branch is taken.
fn calls(steps: &[Step], counts: &impl Fn(&Call) -> bool) -> f64 {
    let one = |call: &Call| if counts(call) { 1.0 } else { 0.0 };
    let of = |step: &Step| match step {
        Step::Call(call) => one(call),
        Step::Hold { steps, .. } => calls(steps, counts),
        Step::Repeat { times, steps } => mean(times) * calls(steps, counts),
        Step::All { branches, copies, .. } => {
            let branch = |branch: &Branch| match branch {
                Branch::Call(call) => one(call),
                Branch::Steps(steps) => calls(steps, counts),
            };
            copies.as_ref().map_or(1.0, mean) * branches.iter().map(branch).sum::<f64>()
        }
        Step::Get { hit, miss, .. } => calls(hit, counts).max(calls(miss, counts)),
        Step::Choose(arms) => arms.iter().map(|(_, steps)| calls(steps, counts)).sum(),
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
        | Step::Reply
        | Step::Fail { .. } => 0.0,
    };
    steps.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// Two replicas share 30 pages a second with two calls each: 30/s from each, 300 in ten seconds.
    fn breaker(breaker: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 30/s, to: web.page}}}}
services:
  web:
    replicas: 2
    endpoints: {{page: [{{repeat: 2, do: [{{call: db.read, policy: sql}}]}}]}}
  db: {{endpoints: {{read: [{{delay: 1ms}}]}}}}
policies:
  sql: {{timeout: 1s, breaker: {{{breaker}}}}}
"
        ))
    }

    #[test]
    fn a_volume_that_is_never_reached_is_told() {
        insta::assert_snapshot!(breaker("window: 10s, min_calls: 370, failures: 50%"));
    }

    #[test]
    fn a_volume_that_is_reached_is_not() {
        assert_eq!(breaker("window: 10s, min_calls: 300, failures: 50%"), "");
        assert_eq!(breaker("window: 10s, min_calls: 369, failures: 50%"), "", "300 + 4 sqrt(300), by chance");
        assert_eq!(breaker("window: 100 calls, failures: 50%"), "");
    }

    #[test]
    fn what_times_out_first_is_never_slow() {
        insta::assert_snapshot!(breaker("window: 10s, min_calls: 20, failures: 50%, slow: 60s"));
        assert_eq!(breaker("window: 10s, min_calls: 20, failures: 50%, slow: 800ms"), "");
    }
}

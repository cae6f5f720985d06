//! A timeout that cuts off what it waits for even when nothing queues.
//!
//! Source: Brooker, *Timeouts, retries, and backoff with jitter*, Amazon Builders' Library, 2019: choose an
//! acceptable share of false timeouts, such as 0.1 %, and look at the percentile of the latency beyond it.

use super::{Diagnostic, Seen, limit};
use crate::check::EmptySystem;
use crate::experiment::analysis::{duration, percent};
use crate::scenario::{Branch, Call, Endpoint, Step};

/// Share of the attempts that may time out in an empty system.
const MOST: f64 = 0.01;
/// Calls within calls that are followed.
const DEEPEST: u32 = 50;

/// The rule: an attempt gets at least the mean, and the 99th percentile of any single step, of what it waits for.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut empty = EmptySystem::new(&seen.parts.endpoints, &seen.parts.services);
    let mut told = Vec::new();
    let mut warnings = Vec::new();
    for call in seen.calls() {
        let Some((policy, limit)) = seen.policy(call).and_then(|policy| Some((policy, limit(policy)?)))
        else {
            continue;
        };
        let key = (policy.name.as_str(), call.endpoint);
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        let mean = empty.response(&[(1.0, call.clone())]);
        let name = &seen.endpoint(call).name;
        let late = beyond(seen, seen.endpoint(call), limit, DEEPEST);
        let message = if mean > limit {
            format!(
                "`{name}` takes {} on average even when nothing waits, and gets {}",
                duration(mean),
                duration(limit)
            )
        } else if late > MOST {
            format!(
                "`{name}` takes longer than the {} it gets at least {} of the time, even when nothing waits",
                duration(limit),
                percent(late)
            )
        } else {
            continue;
        };
        let key = if policy.timeout.is_some_and(|timeout| timeout.as_seconds() <= limit) {
            "timeout"
        } else {
            "total"
        };
        let warning = Diagnostic::warning(message).at(seen.place(&format!("{}.{key}", policy.path)));
        warnings.push(
            warning.related(call.place, "of this call").help("raise it, or make what it waits for faster"),
        );
    }
    warnings
}

/// A lower bound of the probability that the endpoint takes longer than `limit` when nothing waits.
fn beyond(seen: &Seen<'_>, endpoint: &Endpoint, limit: f64, deep: u32) -> f64 {
    let service = &seen.parts.services[endpoint.service.index()];
    let pace = service.speed
        * service.cores.map_or(1.0, |cores| if cores.throttle.is_some() { 1.0 } else { cores.pace() });
    of_steps(seen, &endpoint.steps, limit, pace, deep)
}

/// The same of steps: at least what the slowest of those takes that are always reached.
pub(super) fn of_steps(seen: &Seen<'_>, steps: &[Step], limit: f64, pace: f64, deep: u32) -> f64 {
    let of_call = |call: &Call| {
        let cut = seen.policy(call).is_some_and(|policy| super::limit(policy).is_some());
        if cut || deep == 0 { 0.0 } else { beyond(seen, seen.endpoint(call), limit, deep - 1) }
    };
    let mut most: f64 = 0.0;
    for step in steps {
        let late = match step {
            Step::Cpu(need) | Step::PerByte { need, .. } => need.survival(limit * pace),
            Step::Delay(time) | Step::Pause(time) => time.survival(limit),
            Step::Hold { steps, .. } => of_steps(seen, steps, limit, pace, deep),
            Step::Call(call) => of_call(call),
            Step::All { branches, wait_for: models::blueprint::WaitFor::All, copies: None, .. } => {
                let of_branch = |branch: &Branch| match branch {
                    Branch::Call(call) => of_call(call),
                    Branch::Steps(steps) => of_steps(seen, steps, limit, pace, deep),
                };
                branches.iter().map(of_branch).fold(0.0, f64::max)
            }
            Step::Reply | Step::Fail { .. } => return most,
            // How long the first takes goes by levels.
            Step::Times { .. }
            | Step::All { .. }
            | Step::Repeat { .. }
            | Step::Choose(_)
            | Step::Batch { .. }
            | Step::Take(_)
            | Step::Give(_)
            | Step::Get { .. }
            | Step::Send(_)
            | Step::Put { .. } => 0.0,
        };
        most = most.max(late);
    }
    most
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn timeout(timeout: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services:
  web: {{endpoints: {{get: [{{call: db.read, policy: sql}}]}}}}
  db: {{endpoints: {{read: [{{delay: {{exp: 10ms}}}}]}}}}
policies: {{sql: {{timeout: {timeout}}}}}
"
        ))
    }

    #[test]
    fn a_timeout_below_the_mean_is_told() {
        insta::assert_snapshot!(timeout("8ms"));
    }

    /// exp(-3) is 5 %.
    #[test]
    fn a_timeout_that_cuts_off_the_tail_is_told() {
        insta::assert_snapshot!(timeout("30ms"));
    }

    /// exp(-5) is 0.7 %.
    #[test]
    fn a_timeout_beyond_the_99th_percentile_is_not() {
        assert_eq!(timeout("50ms"), "");
    }
}

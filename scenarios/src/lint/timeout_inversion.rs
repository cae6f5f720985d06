//! A caller that gives up while the callee still tries.
//!
//! Source: Beyer et al., *Site Reliability Engineering* (2016), ch. 22, "Latency and Deadlines": work goes on for
//! callers that have gone unless deadlines shrink down the stack.

use models::blueprint::PolicyPlan;
use sim_core::Span;

use super::{Diagnostic, Seen, limit};
use crate::experiment::analysis::duration;
use crate::scenario::each_call;

/// The rule: an attempt is waited for at least as long as any single call that it makes may take with all of its
/// own attempts, unless giving up cancels it.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    // By endpoint: the call that is waited for longest, and how long.
    let longest = seen.by_endpoint(None, |endpoint, known: &[Option<(usize, f64)>]| {
        let mut longest: Option<(usize, f64)> = None;
        each_call(&endpoint.steps, &mut |call| {
            let own =
                call.policy.and_then(|id| Some((id.index(), patience(&seen.parts.policies[id.index()])?)));
            let waits = own.or(known[call.endpoint.index()]);
            if waits.is_some_and(|(_, waits)| longest.is_none_or(|(_, longest)| waits > longest)) {
                longest = waits;
            }
        });
        longest
    });
    let mut told = Vec::new();
    let mut warnings = Vec::new();
    for call in seen.calls() {
        let Some(policy) = seen.policy(call).filter(|policy| !policy.cancel) else { continue };
        let (Some(limit), Some((inner, waits))) = (limit(policy), longest[call.endpoint.index()]) else {
            continue;
        };
        let inner = &seen.parts.policies[inner];
        let key = (policy.name.as_str(), inner.name.as_str());
        if waits <= limit * (1.0 + 1e-9) || told.contains(&key) {
            continue;
        }
        told.push(key);
        let message = format!(
            "the caller of `{}` gives up after {}, while `{}` inside may go on for {}",
            seen.endpoint(call).name,
            duration(limit),
            inner.name,
            duration(waits)
        );
        let warning = Diagnostic::warning(message).at(seen.place(&format!("{}.timeout", policy.path)));
        let warning = warning.related(seen.place(&inner.path), "goes on for nobody");
        warnings.push(warning.help(format!(
            "wait at least {}, give `{}` less time (`total`), or stop it with `cancel: true`",
            duration(waits),
            inner.name
        )));
    }
    warnings
}

/// The longest that a call under the policy can take; none where nothing limits it.
fn patience(policy: &PolicyPlan) -> Option<f64> {
    let total = policy.total.map(Span::as_seconds);
    let Some(timeout) = policy.timeout.map(Span::as_seconds) else { return total };
    let attempts = policy.retry.as_ref().map_or(timeout, |retry| {
        let mut backoff = retry.base.as_seconds();
        let mut sum = timeout;
        for _ in 1..retry.attempts.min(1_000) {
            sum += timeout + backoff.min(retry.max.as_seconds());
            backoff *= retry.factor;
        }
        sum
    });
    Some(total.map_or(attempts, |total| total.min(attempts)))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn inverted(outer: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get, policy: browser}}}}
services:
  web: {{endpoints: {{get: [{{call: shop.list}}]}}}}
  shop: {{endpoints: {{list: [{{call: db.read, policy: sql}}]}}}}
  db: {{endpoints: {{read: [{{delay: 1ms}}]}}}}
policies:
  browser: {{{outer}}}
  sql: {{timeout: 1s, retry: {{attempts: 3, backoff: {{base: 100ms, factor: 2, max: 1s}}}}}}
"
        ))
    }

    /// Three attempts of a second and back-offs of 100 and 200 ms.
    #[test]
    fn a_caller_with_less_patience_than_its_callee_is_told() {
        insta::assert_snapshot!(inverted("timeout: 2s"));
    }

    #[test]
    fn a_caller_that_waits_long_enough_or_cancels_is_not() {
        assert_eq!(inverted("timeout: 3.3s"), "");
        assert_eq!(inverted("timeout: 2s, cancel: true"), "");
    }
}

//! Attempts multiply along a path of calls.
//!
//! Source: Brooker, *Timeouts, retries, and backoff with jitter*, Amazon Builders' Library, 2019: a stack of five
//! calls with three attempts each loads the last of them 243 times over.

use super::{Diagnostic, Seen, attempts};
use crate::scenario::each_call;
use crate::scenario::{Call, Traffic};

/// Attempts at one place that one request may cause.
const MOST: f64 = 10.0;
/// Calls of a path that are followed.
const LONGEST: usize = 100;

/// The rule: one request causes at most ten attempts anywhere.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let products = seen.by_endpoint(1.0, |endpoint, known| {
        let mut most: f64 = 1.0;
        each_call(&endpoint.steps, &mut |call| {
            most = most.max(attempts(seen.policy(call)) * known[call.endpoint.index()]);
        });
        most.min(1e9)
    });
    seen.parts.traffics.iter().filter_map(|traffic| of_traffic(seen, traffic, &products)).collect()
}

fn of_traffic(seen: &Seen<'_>, traffic: &Traffic, products: &[f64]) -> Option<Diagnostic> {
    let product = |call: &Call| attempts(seen.policy(call)) * products[call.endpoint.index()];
    let mut path: Vec<&Call> = Vec::new();
    let mut next =
        traffic.targets.iter().map(|(_, call)| call).max_by(|a, b| product(a).total_cmp(&product(b)));
    let most = next.map(product).filter(|most| *most > MOST)?;
    while let Some(call) = next.filter(|call| product(call) > 1.0 && path.len() < LONGEST) {
        path.push(call);
        let mut best: Option<&Call> = None;
        each_call(&seen.endpoint(call).steps, &mut |call| {
            if best.is_none_or(|best| product(call) > product(best)) {
                best = Some(call);
            }
        });
        next = best;
    }
    let retried = path.iter().filter_map(|call| seen.policy(call)).filter(|policy| policy.retry.is_some());
    let mut places = Vec::new();
    for policy in retried {
        let place = seen.place(&format!("{}.retry.attempts", policy.path));
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let (last, others) = places.split_last()?;
    let end = &seen.endpoint(path.last()?).name;
    let message = format!("one request of `{}` can become {most} attempts at `{end}`", traffic.name);
    let mut warning = Diagnostic::warning(message).at(*last);
    for place in others {
        warning = warning.related(*place, "times these");
    }
    Some(warning.help("attempts multiply: try again at one level of the path, and once at all others"))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn attempts(inner: u32) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get, policy: outer}}}}
services:
  web: {{endpoints: {{get: [{{call: db.read, policy: inner}}]}}}}
  db: {{endpoints: {{read: [{{delay: 1ms}}]}}}}
policies:
  outer: {{retry: {{attempts: 4}}}}
  inner: {{retry: {{attempts: {inner}}}}}
"
        ))
    }

    #[test]
    fn attempts_multiply() {
        insta::assert_snapshot!(attempts(3));
    }

    #[test]
    fn eight_attempts_are_not_too_many() {
        assert_eq!(attempts(2), "");
    }
}

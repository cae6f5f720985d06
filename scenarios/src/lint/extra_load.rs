//! Retries and copies that push what they call over its capacity.
//!
//! A budget of b lets retries add b to the load. As long as lambda (1 + b) < mu a system that was pushed over the edge
//! comes back; otherwise the budget holds and the system stays down. Copies after the percentile q add 1 - q.
//!
//! Source: Bronson, Aghayev, Charapko and Zhu, *Metastable Failures in Distributed Systems*, `HotOS` 2021; Dean and
//! Barroso, *The Tail at Scale*, Communications of the ACM 56(2), 2013.

use models::blueprint::{Credit, HedgeAfter, PolicyPlan, ServiceId, Spend};

use super::{Diagnostic, Seen};
use crate::experiment::analysis::{Place, Station, percent};

/// The rule: what is called under a policy can carry what the policy may add to it.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (number, policy) in seen.parts.policies.iter().enumerate() {
        let called: Vec<ServiceId> = services(seen, number);
        found.extend(retries(seen, policy, &called));
        found.extend(hedges(seen, policy, &called));
    }
    found
}

/// The services that get no other calls than those under the policy.
fn services(seen: &Seen<'_>, policy: usize) -> Vec<ServiceId> {
    let calls = seen.calls();
    let is_under = |call: &&&super::Call| call.policy.is_some_and(|known| known.index() == policy);
    let mut called: Vec<ServiceId> =
        calls.iter().filter(is_under).map(|c| seen.endpoint(c).service).collect();
    called.sort_unstable();
    called.dedup();
    called.retain(|service| {
        calls.iter().filter(|call| seen.endpoint(call).service == *service).all(|call| is_under(&call))
    });
    called
}

/// The station of these services that is the busiest under `times` its load, if that is more than it can do.
fn over<'s>(seen: &'s Seen<'_>, called: &[ServiceId], times: f64) -> Option<&'s Station> {
    let of_them = |station: &&Station| match station.place {
        Place::Cores(service) => called.contains(&service),
        Place::Pool(pool) => {
            called.iter().any(|service| seen.parts.services[service.index()].workers == Some(pool))
        }
    };
    let stations = seen.analysis.stations.iter().filter(of_them);
    let busiest = stations.max_by(|a, b| a.utilization.total_cmp(&b.utilization))?;
    // What is overloaded anyway is told elsewhere.
    (busiest.utilization < 1.0 && busiest.utilization * times >= 1.0 - 1e-9).then_some(busiest)
}

fn retries(seen: &Seen<'_>, policy: &PolicyPlan, called: &[ServiceId]) -> Option<Diagnostic> {
    let retry = policy.retry.as_ref()?;
    let budget = retry.budget.as_ref().filter(|b| b.credit == Credit::Attempt && b.spend == Spend::Retry)?;
    let added = budget.ratio.min(f64::from(retry.attempts) - 1.0);
    let station = over(seen, called, 1.0 + added)?;
    let message = format!(
        "the retry budget of `{}` cannot hold: `{}` is {} busy, and with {} of retries on top {}",
        policy.name,
        station.name,
        percent(station.utilization),
        percent(added),
        percent(station.utilization * (1.0 + added)),
    );
    let place = seen.place(&format!("{}.retry.budget", policy.path));
    let most = 1.0 / station.utilization - 1.0;
    let help = format!(
        "once calls fail they go on failing: a budget below {}, or more capacity, lets it come back",
        percent(most)
    );
    Some(Diagnostic::warning(message).at(place).help(help))
}

fn hedges(seen: &Seen<'_>, policy: &PolicyPlan, called: &[ServiceId]) -> Option<Diagnostic> {
    let hedge = policy.hedge.as_ref().filter(|hedge| !hedge.tied)?;
    let HedgeAfter::Quantile(q) = hedge.after else { return None };
    let added = (1.0 - q) * f64::from(hedge.max);
    let station = over(seen, called, 1.0 + added)?;
    let message = format!(
        "copies of calls under `{}` are {} more load, and `{}` is {} busy without them: they make it slower",
        policy.name,
        percent(added),
        station.name,
        percent(station.utilization),
    );
    let place = seen.place(&format!("{}.hedge", policy.path));
    let help = "`tied: true` stops a copy before it is worked off; or hedge later, or add capacity";
    Some(Diagnostic::warning(message).at(place).help(help))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// 30 workers of 100 ms carry 300/s.
    fn client(rate: u32, client: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: {rate}/s, to: api.get, policy: client}}}}
services:
  api: {{workers: 30, endpoints: {{get: [{{delay: {{exp: 100ms}}}}]}}}}
policies:
  client: {{timeout: 1s, {client}}}
"
        ))
    }

    #[test]
    fn a_budget_beyond_what_is_spare_cannot_hold() {
        insta::assert_snapshot!(client(
            285,
            "retry: {attempts: 4, backoff: 0s, budget: {ratio: 10%, cap: 10}}"
        ));
    }

    #[test]
    fn a_budget_within_what_is_spare_holds() {
        assert_eq!(client(240, "retry: {attempts: 4, backoff: 0s, budget: {ratio: 10%, cap: 10}}"), "");
        assert_eq!(client(240, "retry: {attempts: 4, backoff: 0s, budget: {ratio: 20%, cap: 10}}"), "");
    }

    #[test]
    fn copies_beyond_what_is_spare_hurt() {
        insta::assert_snapshot!(client(290, "hedge: {after: p95}"));
        assert_eq!(client(280, "hedge: {after: p95}"), "");
        assert_eq!(client(290, "hedge: {after: p95, tied: true}"), "");
    }
}

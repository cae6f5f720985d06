//! A partition that callers wait out.

use models::blueprint::Caller;

use super::{Diagnostic, Seen};
use crate::scenario::{Call, Disturbance, each_call};
use crate::spec::EventSpec;

/// The rule: calls that a partition can hold up have a timeout. Else they, and what they hold, wait for its end.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let events = seen.spec.events.as_ref().map(|events| events.items.as_slice()).unwrap_or_default();
    for (event, happening) in events.iter().zip(&seen.parts.happenings) {
        let (EventSpec::Partition(event), Some((link, Disturbance::Cut))) = (event, &happening.disturbance)
        else {
            continue;
        };
        let sides = seen.parts.links[link.index()].sides;
        let mut waits: Option<String> = None;
        let mut look = |caller: Caller, call: &Call| {
            let callee = Caller::Service(seen.parts.endpoints[call.endpoint.index()].service);
            let is_cut = sides == (caller.min(callee), caller.max(callee));
            let gives_up =
                seen.policy(call).is_some_and(|policy| policy.timeout.is_some() || policy.total.is_some());
            if is_cut && !gives_up && waits.is_none() {
                waits = Some(seen.endpoint(call).name.clone());
            }
        };
        for endpoint in &seen.parts.endpoints {
            each_call(&endpoint.steps, &mut |call| look(Caller::Service(endpoint.service), call));
        }
        for (number, traffic) in (0_u32..).zip(&seen.parts.traffics) {
            let caller = Caller::Traffic(models::blueprint::TrafficId(number));
            traffic.targets.iter().for_each(|(_, call)| look(caller, call));
        }
        if let (Some(endpoint), Some(side)) = (waits, event.partition.items.first()) {
            let message =
                format!("calls of `{endpoint}` have no timeout: they wait until the partition is over");
            let help = "give them a policy with a `timeout`, or their callers keep what they hold meanwhile";
            found.push(Diagnostic::warning(message).at(side.place).help(help));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn partition(policy: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services:
  web: {{endpoints: {{get: [{{call: db.get{policy}}}]}}}}
  db: {{endpoints: {{get: [{{delay: 1ms}}]}}}}
events: [{{at: 10s, for: 5s, partition: [web, db]}}]
"
        ))
    }

    #[test]
    fn calls_that_wait_it_out_are_told() {
        let told = partition("");
        assert!(told.contains("calls of `db.get` have no timeout"), "{told}");
    }

    #[test]
    fn calls_that_give_up_are_not() {
        assert_eq!(partition(", policy: {timeout: 1s}"), "");
    }
}

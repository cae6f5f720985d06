//! More connections than there are, once an autoscaler has grown.
//!
//! Source: `HikariCP`, *About Pool Sizing*: pools add up over replicas.

use models::blueprint::PoolScope;

use super::{Diagnostic, Seen};

/// The rule: the pools of as many replicas as an autoscaler may make take no more than there is of what they are taken
/// from.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for plan in &seen.blueprint.autoscalers {
        for pool in &seen.blueprint.pools {
            let PoolScope::Replica { service, .. } = pool.scope else { continue };
            let from = pool.connections.as_ref().and_then(|connections| connections.from);
            let Some(from) = from.filter(|_| service == plan.service) else { continue };
            let source = &seen.blueprint.pools[from.index()];
            let wanted = u64::from(plan.most) * u64::from(pool.slots);
            let there = u64::from(source.slots);
            if wanted <= there {
                continue;
            }
            let message = format!(
                "`{}` may make {} replicas with {} of `{}` each: {wanted}, and `{}` has {there}",
                plan.name, plan.most, pool.slots, pool.name, source.name,
            );
            let help = format!(
                "at most {} replicas, smaller pools, or one pool for all (`per: cluster`)",
                there / u64::from(pool.slots.max(1))
            );
            found.push(Diagnostic::warning(message).at(seen.place(&plan.path)).help(help));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn grown_to(replicas: u32) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services:
  web:
    cores: 1
    resources: {{conns: {{slots: 10, from: db.sessions}}}}
    endpoints: {{get: [{{cpu: 20ms}}, {{hold: conns, do: [{{call: db.query}}]}}]}}
  db: {{resources: {{sessions: {{slots: 97, per: cluster}}}}, endpoints: {{query: [{{delay: 1ms}}]}}}}
autoscalers:
  web: {{hpa: {{maxReplicas: {replicas}}}}}
"
        ))
    }

    #[test]
    fn pools_that_add_up_to_too_many_are_told() {
        insta::assert_snapshot!(grown_to(30));
        assert_eq!(grown_to(9), "");
    }
}

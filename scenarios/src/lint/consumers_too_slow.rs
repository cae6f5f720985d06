//! Consumers that cannot keep up.
//!
//! Source: a partition is worked off by one member of a group at a time (Apache Kafka, *Consumer groups*), so a group
//! does at most as much as the fewer of its members and the partitions do.

use models::blueprint::GroupPlan;

use super::{Diagnostic, Seen};
use crate::experiment::analysis::figure;

/// Members of a group, in all replicas.
pub(super) fn members(seen: &Seen<'_>, group: &GroupPlan) -> f64 {
    let Some(job) = group.job else { return 0.0 };
    let replicas = seen.blueprint.services[seen.parts.jobs[job.index()].service.index()].replicas;
    f64::from(group.members) * if group.per_replica { f64::from(replicas) } else { 1.0 }
}

/// The rule: what comes in a second is worked off in one.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for (q, queue) in seen.parts.queues.iter().enumerate() {
        let sent = seen.analysis.sent[q];
        for group in &queue.groups {
            let members = members(seen, group);
            let Some(job) = group.job.filter(|_| members > 0.0) else { continue };
            let partitions = queue.partitions.map_or(f64::INFINITY, f64::from);
            let at_once = if group.whole_batch { f64::from(group.batch) } else { 1.0 };
            let run = seen.analysis.runs[job.index()];
            let most = members.min(partitions) * at_once / run;
            if run <= 0.0 || sent <= most * (1.0 + 1e-9) {
                continue;
            }
            let message = format!(
                "`{}` gets {} messages a second and `{}` works off {} at most: it falls behind",
                queue.name,
                figure(sent),
                group.name,
                figure(most)
            );
            let help = if members >= partitions {
                "add partitions: members beyond them are idle; or do less for a message"
            } else {
                "add members, or do less for a message"
            };
            let place = seen.place(&format!("{}.consumers", queue.path));
            told.push(Diagnostic::warning(message).at(place).help(help));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn queue(queue: &str) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 5000/s, to: web.get}}}}
services: {{web: {{endpoints: {{get: [{{send: orders}}]}}}}}}
queues: {{orders: {queue}}}
jobs: {{index: {{service: web, do: [{{delay: 1.5ms}}]}}}}
"
        ))
    }

    #[test]
    fn consumers_that_fall_behind_are_told() {
        insta::assert_snapshot!(queue("{partitions: 6, consumers: {job: index, members: 8, batch: 10}}"));
    }

    #[test]
    fn consumers_that_keep_up_are_not() {
        assert_eq!(queue("{partitions: 8, consumers: {job: index, members: 8, batch: 10}}"), "");
        // A batch that is worked off as one.
        assert_eq!(queue("{consumers: {job: index, members: 1, batch: 10, each: batch}}"), "");
    }
}

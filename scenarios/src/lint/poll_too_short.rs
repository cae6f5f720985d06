//! Members that are thrown out while they work.
//!
//! Source: Apache Kafka, `max.poll.interval.ms`: a member that does not poll in time has failed, and its partitions go
//! to others, who begin with what it has not committed.

use models::blueprint::RebalancePlan;

use super::{Diagnostic, Seen};
use crate::experiment::analysis::duration as seconds;

/// The rule: a full batch is worked off before the group gives its member up.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for queue in seen.parts.queues.iter().filter(|queue| queue.partitions.is_some()) {
        for group in &queue.groups {
            let Some(job) = group.job else { continue };
            let runs = if group.whole_batch { 1.0 } else { f64::from(group.batch) };
            let takes = runs * seen.analysis.runs[job.index()];
            let patience = match group.rebalance {
                RebalancePlan::Static { session, .. } => group.poll + session,
                _ => group.poll,
            };
            if takes <= patience.as_seconds() {
                continue;
            }
            let message = format!(
                "a full batch of {} takes `{}` {} on average, and after {} it is thrown out: nothing of it counts",
                group.batch,
                group.name,
                seconds(takes),
                seconds(patience.as_seconds())
            );
            let place = seen.place(&format!("{}.consumers", queue.path));
            let help = "take fewer at a time with `batch`, or raise `poll`";
            told.push(Diagnostic::warning(message).at(place).help(help));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn batch(consumers: &str) -> String {
        linted(&format!(
            "duration: 1h
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services: {{web: {{endpoints: {{get: [{{send: orders}}]}}}}}}
queues: {{orders: {{partitions: 6, consumers: {{job: bill, members: 6, {consumers}}}}}}}
jobs: {{bill: {{service: web, do: [{{delay: 0.7s}}]}}}}
"
        ))
    }

    #[test]
    fn a_batch_that_takes_too_long_is_told() {
        insta::assert_snapshot!(batch("batch: 500"));
    }

    #[test]
    fn a_batch_that_does_not_is_not() {
        assert_eq!(batch("batch: 100"), "");
        assert_eq!(batch("batch: 500, poll: 400s"), "");
        assert_eq!(batch("batch: 500, rebalance: {static: 60s}"), "");
        assert_eq!(batch("batch: 500, each: batch"), "");
    }
}

//! Messages that come back while they are worked on.
//!
//! Source: Amazon SQS, *visibility timeout*: set it to the maximum time that it takes to process and delete a message.

use super::timeout_too_short::of_steps;
use super::{Diagnostic, Seen};
use crate::experiment::analysis::duration as seconds;
use crate::experiment::analysis::percent;

/// Share of the messages that may come back too early.
const MOST: f64 = 0.01;

/// Calls within calls that are looked at.
const DEEP: u32 = 8;

/// The rule: a message stays hidden until its work is done, but for one in a hundred.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for queue in seen.parts.queues.iter().filter(|queue| queue.partitions.is_none()) {
        for group in &queue.groups {
            let Some(job) = group.job.filter(|_| group.ack == models::blueprint::AckPlan::After) else {
                continue;
            };
            let visibility = queue.visibility.as_seconds();
            let runs = if group.whole_batch { 1.0 } else { f64::from(group.batch) };
            let mean = runs * seen.analysis.runs[job.index()];
            let job = &seen.parts.jobs[job.index()];
            let pace = seen.parts.services[job.service.index()].speed;
            let late = of_steps(seen, &job.steps, visibility, pace, DEEP);
            let why = if mean > visibility {
                format!("the last of a batch of {} has waited for {} on average", group.batch, seconds(mean))
            } else if late > MOST {
                format!("its work takes longer in {} of the cases", percent(late))
            } else {
                continue;
            };
            let message = format!(
                "messages of `{}` come back after {} and are worked on twice: {why}",
                queue.name,
                seconds(visibility)
            );
            let stands = seen.place(&format!("{}.visibility", queue.path));
            told.push(
                Diagnostic::warning(message).at(stands).help("raise `visibility`, or take fewer at a time"),
            );
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
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services: {{web: {{endpoints: {{get: [{{send: orders}}]}}}}}}
queues: {{orders: {queue}}}
jobs: {{bill: {{service: web, do: [{{delay: {{exp: 1s}}}}]}}}}
"
        ))
    }

    #[test]
    fn a_message_that_comes_back_too_early_is_told() {
        insta::assert_snapshot!(queue("{visibility: 2s, consumers: {job: bill, members: 9}}"));
        insta::assert_snapshot!(queue("{visibility: 8s, consumers: {job: bill, members: 9, batch: 10}}"));
    }

    #[test]
    fn one_that_does_not_is_not() {
        assert_eq!(queue("{consumers: {job: bill, members: 9}}"), "");
        assert_eq!(queue("{visibility: 2s, consumers: {job: bill, members: 9, ack: before}}"), "");
    }
}

//! Queues: who takes their messages, and what becomes of those that fail.

use models::blueprint::{
    AckPlan, Acks, BackoffPlan, GroupPlan, JobId, OnFull, QueueId, QueuePlan, RebalancePlan, SendPlan,
};
use sim_core::Span;

use super::{Checker, span};
use crate::spec::{
    AckWord, AcksWord, At, BackoffSpec, ConsumerSpec, ConsumersSpec, EachWord, Name, Named, OnFullQueueWord,
    PerWord, QueueSpec, RebalanceSpec, SendStep, Time,
};
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

/// Records that a member gets at once of a queue with partitions.
///
/// Source: Apache Kafka, `max.poll.records`.
const POLL_RECORDS: u32 = 500;

/// Source: Apache Kafka, `max.poll.interval.ms`.
const POLL_INTERVAL: f64 = 300.0;

/// Source: Amazon SQS, `VisibilityTimeout`.
const VISIBILITY: f64 = 30.0;

/// Source: Apache Kafka, `group.initial.rebalance.delay.ms`.
const REBALANCE: f64 = 3.0;

impl<'a> Checker<'a> {
    /// The queues, in the order of their names.
    pub(super) fn all_queues(&mut self) -> Vec<QueuePlan> {
        let spec = self.spec;
        let mut all = Vec::new();
        for entry in spec.queues.iter().flat_map(Named::sorted) {
            all.push(match &entry.value {
                Some(queue) => self.queue(&entry.name, queue),
                None => blank(&entry.name),
            });
        }
        self.check_dead_letters(&all);
        all
    }

    fn queue(&mut self, name: &str, spec: &'a QueueSpec) -> QueuePlan {
        let mut plan = blank(name);
        plan.partitions = spec.partitions.as_ref().map(|partitions| partitions.value.count);
        if let (Some(by), None) = (&spec.by, &spec.partitions) {
            let help = "say how many: `partitions: 6`";
            self.error(by.place, "`by` says which partition a message goes to, and there are none", help);
        }
        if let (Some(visibility), Some(_)) = (&spec.visibility, &spec.partitions) {
            let help = "leave it out: a member that takes longer than `poll` is thrown out instead";
            self.error(visibility.place, "messages of partitions are not hidden one by one", help);
        }
        plan.by = spec.by.as_ref().and_then(|by| self.attribute(by));
        plan.order = match &spec.order {
            Some(order) => self.attribute(order),
            None => plan.by,
        };
        plan.visibility = self.some_time(spec.visibility.as_ref(), VISIBILITY);
        plan.retention = self.some_time(Some(&spec.retention), f64::INFINITY);
        plan.attempts = spec.attempts.as_ref().map_or(u32::MAX, |attempts| attempts.value.count);
        plan.backoff = spec.backoff.as_ref().map(|backoff| self.backoff_plan(backoff));
        plan.dead_letter = spec.dead_letter.as_ref().and_then(|at| self.queue_named(&at.value.0, at.place));
        if let (Some(at), None) = (&spec.dead_letter, &spec.attempts) {
            let help = "say after how many: `attempts: 3`";
            self.error(at.place, "nothing ever goes there: a message is tried until it works", help);
        }
        plan.limit = spec.limit.as_ref().map_or(u64::MAX, |limit| limit.value.count);
        plan.on_full = match spec.on_full.value {
            OnFullQueueWord::Reject => OnFull::Reject,
            OnFullQueueWord::Block => OnFull::Block,
            OnFullQueueWord::Drop => OnFull::Drop,
        };
        plan.latency = span(&spec.latency).unwrap_or_default();
        plan.replicate = span(&spec.replicate).unwrap_or_default();
        plan.up = spec.up.value.on;
        plan.groups = match &spec.consumers {
            None => Vec::new(),
            Some(ConsumersSpec::One(group, place)) => {
                let name = group.job.0.as_ref().map_or(name, |job| &job.value.0);
                vec![self.group(name, group, spec.partitions.is_some(), *place)]
            }
            Some(ConsumersSpec::Several(groups)) => {
                let groups = groups.sorted().into_iter();
                let groups = groups.filter_map(|entry| Some((entry, entry.value.as_ref()?)));
                let has_partitions = spec.partitions.is_some();
                groups
                    .map(|(entry, group)| self.group(&entry.name, group, has_partitions, entry.place))
                    .collect()
            }
        };
        if plan.groups.is_empty() {
            plan.groups.push(nobody());
        }
        plan
    }

    fn group(&mut self, name: &str, spec: &'a ConsumerSpec, has_partitions: bool, _: Place) -> GroupPlan {
        if !has_partitions {
            let poll = spec.poll.as_ref().map(|poll| ("poll", poll.place));
            let rebalance = spec.rebalance.as_ref().map(|rebalance| ("rebalance", rebalance.place));
            for (key, place) in [poll, rebalance].into_iter().flatten() {
                let help =
                    "write `partitions: 6`, or leave it out: `visibility` says when a message comes back";
                self.error(place, format!("`{key}` is about partitions, and there are none"), help);
            }
        }
        let pause = Span::from_seconds(REBALANCE).unwrap_or_default();
        let rebalance = match spec.rebalance.as_ref().map(|rebalance| rebalance.value) {
            None => RebalancePlan::Eager(pause),
            Some(RebalanceSpec::Eager(time)) => RebalancePlan::Eager(seconds(time.seconds)),
            Some(RebalanceSpec::Cooperative(time)) => RebalancePlan::Cooperative(seconds(time.seconds)),
            Some(RebalanceSpec::Static(time)) => {
                RebalancePlan::Static { session: seconds(time.seconds), pause }
            }
        };
        let batch = if has_partitions { POLL_RECORDS } else { 1 };
        GroupPlan {
            name: name.into(),
            job: spec.job.0.as_ref().and_then(|at| self.job_named(at)),
            members: spec.members.value.count,
            per_replica: spec.per.value == PerWord::Replica,
            batch: spec.batch.as_ref().map_or(batch, |batch| batch.value.count),
            whole_batch: spec.each.value == EachWord::Batch,
            ack: match spec.ack.value {
                AckWord::After => AckPlan::After,
                AckWord::Before => AckPlan::Before,
            },
            poll: self.some_time(spec.poll.as_ref(), POLL_INTERVAL),
            rebalance,
        }
    }

    /// A time that is not 0, or the default in seconds.
    fn some_time(&mut self, time: Option<&At<Time>>, default: f64) -> Span {
        let Some(time) = time else { return seconds(default) };
        if time.value.seconds <= 0.0 {
            self.error(time.place, "this is no time at all", "write `30s`");
        }
        span(time).unwrap_or(sim_core::MAX_SPAN)
    }

    fn backoff_plan(&mut self, spec: &BackoffSpec) -> BackoffPlan {
        let drawn = match spec {
            BackoffSpec::Drawn(law) => self.distribution(law),
            _ => None,
        };
        let (base, factor, max, jitter) = self.backoff(spec, drawn.as_ref());
        BackoffPlan { base, factor, max, jitter, drawn }
    }

    /// The queue of this name.
    fn queue_named(&mut self, name: &str, place: Place) -> Option<QueueId> {
        if let Some(id) = self.queues.get(name) {
            return Some(*id);
        }
        let known = || self.queues.keys().copied();
        let help = match did_you_mean(name, known()) {
            Some(guess) => guess,
            None if self.queues.is_empty() => {
                format!("add it: `queues: {{{name}: {{consumers: {{job: worker}}}}}}`")
            }
            None => format!("the queues are {}", listed(known())),
        };
        self.error(place, format!("there is no queue {}", quoted(name)), help);
        None
    }

    /// The job of this name.
    fn job_named(&mut self, at: &At<Name>) -> Option<JobId> {
        let name = at.value.0.as_str();
        let jobs: Vec<&str> = self.job_specs().iter().map(|entry| entry.name.as_str()).collect();
        if let Some(position) = jobs.iter().position(|job| *job == name) {
            return Some(JobId(position as u32));
        }
        let help = match did_you_mean(name, jobs.iter().copied()) {
            Some(guess) => guess,
            None if jobs.is_empty() => {
                format!("add it: `jobs: {{{name}: {{service: web, do: [{{delay: 1ms}}]}}}}`")
            }
            None => format!("the jobs are {}", listed(jobs.iter().copied())),
        };
        self.error(at.place, format!("there is no job {}", quoted(name)), help);
        None
    }

    /// A `send` step.
    pub(super) fn send(&mut self, step: &SendStep) -> Option<SendPlan> {
        let queue = self.queue_named(&step.send.value.0, step.send.place)?;
        let acks = match step.acks.as_ref().map(|acks| acks.value) {
            Some(AcksWord::None) => Acks::None,
            Some(AcksWord::One) => Acks::One,
            None | Some(AcksWord::All) => Acks::All,
        };
        Some(SendPlan { queue, acks })
    }

    /// A queue whose dead messages come back to it never ends.
    fn check_dead_letters(&mut self, all: &[QueuePlan]) {
        let spec = self.spec;
        for (at, entry) in spec.queues.iter().flat_map(Named::sorted).enumerate() {
            let Some(place) = entry.value.as_ref().and_then(|queue| queue.dead_letter.as_ref()) else {
                continue;
            };
            let mut next = all[at].dead_letter;
            for _ in 0..all.len() {
                let Some(id) = next.filter(|id| id.index() != at) else { break };
                next = all[id.index()].dead_letter;
            }
            if next.is_some_and(|id| id.index() == at) {
                let message = format!("dead letters of `{}` come back to it", entry.name);
                self.error(place.place, message, "send them to a queue that gives up, or that nobody reads");
            }
        }
    }
}

fn seconds(seconds: f64) -> Span {
    Span::from_seconds(seconds).unwrap_or(sim_core::MAX_SPAN)
}

/// A queue of which nothing is said.
fn blank(name: &str) -> QueuePlan {
    QueuePlan {
        name: name.into(),
        path: format!("queues.{name}"),
        partitions: None,
        by: None,
        order: None,
        groups: vec![nobody()],
        visibility: sim_core::MAX_SPAN,
        attempts: u32::MAX,
        backoff: None,
        dead_letter: None,
        retention: sim_core::MAX_SPAN,
        limit: u64::MAX,
        on_full: OnFull::Reject,
        latency: Span::ZERO,
        replicate: Span::ZERO,
        up: true,
    }
}

/// Nobody takes messages: they stay.
fn nobody() -> GroupPlan {
    GroupPlan {
        name: String::new(),
        job: None,
        members: 0,
        per_replica: false,
        batch: 1,
        whole_batch: false,
        ack: AckPlan::After,
        poll: sim_core::MAX_SPAN,
        rebalance: RebalancePlan::Eager(Span::ZERO),
    }
}

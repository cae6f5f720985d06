//! Members of a group: they take batches of messages and work them off, one after the other.
//!
//! Source: Apache Kafka, `KafkaConsumer.poll` and `max.poll.interval.ms`; what follows a failure is Spring Kafka's
//! `DefaultErrorHandler`: what came before is committed, and the failed message is polled again.

use sim_core::{Calendar, Draws, Key, SimTime, Span, mix};

use super::{Fate, Message, QueueAlarm, STRIDE, System, Taken, Task};
use crate::blueprint::{AckPlan, BackoffPlan, Jitter, JobId, Outcome, RebalancePlan};
use crate::system::frame::NONE;
use crate::system::jobs::{Cause, Start};
use crate::system::{Alarm, Packed, span};

/// What a member is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// Waiting for a message.
    Free,
    /// Working off a batch.
    Working,
    /// Waiting before it goes on.
    Pausing,
    /// Waiting for its share of the partitions.
    Joining,
    /// Not there any more.
    Gone,
}

/// Where a message that a member works on comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// A partition, and its number there.
    Line(u32, u64),
    /// It was taken out, for the how manieth time.
    Taken(Key<Taken>, u32),
}

/// A message in the hands of a member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) message: Message,
    pub(super) origin: Origin,
}

/// One that takes messages.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct Member {
    pub(super) group: u32,
    /// Its number in the group.
    pub(super) number: u32,
    /// Where it runs.
    pub(super) replica: u32,
    pub(super) doing: Doing,
    /// Whether the group counts it among its members.
    pub(super) is_counted: bool,
    /// Whether it is to go when it has worked off what it has, and who gets its partitions then.
    pub(super) is_leaving: bool,
    pub(super) heir: u32,
    /// The partitions that are its.
    pub(super) owned: Vec<u32>,
    /// Whose turn it is among those.
    turn: u32,
    /// When it took its batch.
    pub(super) polled: SimTime,
    /// Whether an alarm looks whether it takes too long.
    is_watched: bool,
    /// Whether the group counts it as having something to do.
    is_busy: bool,
    batch: Vec<Item>,
    /// The item at work.
    at: usize,
    /// How often it has waited before it went on.
    pauses: u32,
    /// Whether it is among those that wait for a message.
    pub(super) is_idle: bool,
    /// How the last run ended, until that has been looked at, and whether it was stopped.
    ended: Option<(Outcome, bool)>,
}

impl Member {
    pub(super) fn new(group: u32, number: u32, replica: u32) -> Self {
        Self {
            group,
            number,
            replica,
            doing: Doing::Free,
            is_counted: true,
            is_leaving: false,
            heir: NONE,
            owned: Vec::new(),
            turn: 0,
            polled: SimTime::ZERO,
            is_watched: false,
            is_busy: false,
            batch: Vec::new(),
            at: 0,
            pauses: 0,
            is_idle: false,
            ended: None,
        }
    }

    /// Whether it waits for a message.
    pub(super) fn is_free(&self) -> bool {
        self.doing == Doing::Free
    }

    /// Whether it has messages in its hands.
    pub(super) fn has_batch(&self) -> bool {
        !self.batch.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.batch.capacity() * size_of::<Item>()
    }
}

/// Batches that may be taken in one instant before time is looked at.
const AT_ONCE: u32 = 16;

impl System<'_> {
    /// A run of the member's job has ended. What follows is done when what it held has been given back.
    pub(in crate::system) fn member_done(&mut self, member: u32, outcome: Outcome, is_stopped: bool) {
        self.queues.members[member as usize].ended = Some((outcome, is_stopped));
        self.ready.add(Task::Poll(member));
    }

    /// Lets a member look at what it has done, and for more to do.
    pub(in crate::system) fn poll(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.members[member as usize];
        match row.doing {
            Doing::Free => self.take_batch(member, now, calendar),
            Doing::Working => {
                if let Some((outcome, is_stopped)) = row.ended.take() {
                    if is_stopped {
                        self.stopped(member, now, calendar);
                    } else if outcome.is_answer() {
                        self.worked(member, now, calendar);
                    } else {
                        self.failed(member, now, calendar);
                    }
                }
            }
            Doing::Pausing | Doing::Joining | Doing::Gone => {}
        }
    }

    /// What the member works on is stopped, with its replica. What counted as dealt with when it was handed out is
    /// lost; the rest is for others.
    fn stopped(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.queues.members[member as usize];
        let group = row.group as usize;
        if self.queues.groups[group].plan.ack == AckPlan::Before {
            for at in row.at..row.batch.len() {
                let Origin::Taken(key, _) = self.queues.members[member as usize].batch[at].origin else {
                    continue;
                };
                if self.queues.groups[group].taken.contains(key) {
                    self.end_taken(group, key, Fate::Lost, now, calendar);
                }
            }
        }
        self.drop_batch(member, now);
        self.poll_again(member, now, calendar);
    }

    /// Goes on with the next message of the batch, unless the replica is lost meanwhile.
    fn go_on_with_batch(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let replica = self.queues.members[member as usize].replica;
        if self.replicas[replica as usize].standing.works() {
            self.begin_run(member, now);
        } else {
            self.stopped(member, now, calendar);
        }
    }

    /// The member has waited long enough.
    pub(super) fn pause_over(
        &mut self,
        member: u32,
        pause: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &self.queues.members[member as usize];
        if row.doing == Doing::Pausing && row.pauses == pause {
            self.poll_again(member, now, calendar);
        }
    }

    /// The member waits before it goes on.
    fn pause(&mut self, member: u32, until: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.members[member as usize];
        row.doing = Doing::Pausing;
        row.pauses = row.pauses.wrapping_add(1);
        let alarm = QueueAlarm::Again(member, row.pauses);
        self.set_alarm(until, Alarm::Queue(alarm), calendar);
    }

    // Taking -----------------------------------------------------------------------------------------------

    /// The member is done with what it had, and comes back to its group.
    pub(super) fn poll_again(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.members[member as usize];
        row.doing = Doing::Free;
        let group = row.group as usize;
        if row.is_leaving {
            self.leave_group(member, now, calendar);
            return;
        }
        if !row.is_counted {
            // It finds out that it was taken for dead, and joins again.
            row.is_counted = true;
            self.join_group(member, now, calendar);
            return;
        }
        if self.waits_for_share(group, member, now, calendar) {
            return;
        }
        self.take_batch(member, now, calendar);
    }

    fn take_batch(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.queues.members[member as usize];
        let group = row.group as usize;
        if !self.replicas[row.replica as usize].standing.works() {
            return; // It is about to leave.
        }
        let queue = self.queues.groups[group].queue as usize;
        if self.queues.instant.0 == now {
            self.queues.instant.1 += 1;
            // Work that takes no time and makes more of its kind must not keep time from going on for ever unseen.
            if self.queues.instant.1.is_multiple_of(AT_ONCE) && self.queues.groups[group].lag.n() > 0 {
                self.pause(member, now, calendar);
                return;
            }
        } else {
            self.queues.instant = (now, 1);
        }
        let before = self.queues.groups[group].plan.ack == AckPlan::Before;
        match self.queues.queues[queue].plan.partitions {
            Some(_) => self.take_of_partitions(member, before, now, calendar),
            None => self.take_of_line(member, before, now, calendar),
        }
        let row = &mut self.queues.members[member as usize];
        if row.batch.is_empty() {
            if self.queues.queues[queue].plan.partitions.is_none() && !row.is_idle {
                row.is_idle = true;
                self.queues.groups[group].idle.push_back(member);
            }
            return;
        }
        row.doing = Doing::Working;
        row.polled = now;
        row.at = 0;
        row.is_busy = true;
        let group_row = &mut self.queues.groups[group];
        let busy = group_row.busy.n + 1;
        group_row.busy.set(busy, now);
        group_row.seen.polls += 1;
        self.watch_for_slowness(member, calendar);
        self.begin_run(member, now);
    }

    fn take_of_partitions(
        &mut self,
        member: u32,
        before: bool,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &self.queues.members[member as usize];
        let (group, turn, owned) = (row.group as usize, row.turn as usize, row.owned.len());
        let queue = self.queues.groups[group].queue as usize;
        let mut room = u64::from(self.queues.groups[group].plan.batch);
        for step in 0..owned {
            let position = (turn + step) % owned;
            let partition = self.queues.members[member as usize].owned[position];
            let at = partition as usize;
            self.expire_line(group, at, now, calendar);
            let row = &mut self.queues.groups[group];
            let track = &mut row.tracks[at];
            let log = &self.queues.queues[queue].logs[at];
            let from = track.committed;
            let to = log.end().min(from + room);
            if from == to || track.heir != NONE {
                continue;
            }
            room -= to - from;
            let batch = &mut self.queues.members[member as usize].batch;
            if before {
                for number in from..to {
                    let message = *log.at(number);
                    let key = row.taken.insert(Taken::of(message));
                    batch.push(Item { message, origin: Origin::Taken(key, 0) });
                }
                track.committed = to;
                (track.begun, track.worked) = (to, to);
                self.queues.trim(queue, at);
            } else {
                let item =
                    |number| Item { message: *log.at(number), origin: Origin::Line(partition, number) };
                batch.extend((from..to).map(item));
            }
            if room == 0 {
                break;
            }
        }
        // Each of its partitions is the first to be looked at in turn: one that is never empty gets no less than
        // others.
        let row = &mut self.queues.members[member as usize];
        if !row.batch.is_empty() {
            row.turn = row.turn.wrapping_add(1);
        }
    }

    fn take_of_line(&mut self, member: u32, before: bool, now: SimTime, calendar: &mut Calendar<Packed>) {
        let group = self.queues.members[member as usize].group as usize;
        let queue = self.queues.groups[group].queue as usize;
        self.expire_line(group, 0, now, calendar);
        for _ in 0..self.queues.groups[group].plan.batch {
            let row = &mut self.queues.groups[group];
            let back = loop {
                match row.returned.pop_front() {
                    Some(key) if !row.taken.contains(key) => {} // It was dealt with after all.
                    back => break back,
                }
            };
            let key = if let Some(key) = back {
                key
            } else {
                let log = &self.queues.queues[queue].logs[0];
                let track = &mut row.tracks[0];
                if track.committed == log.end() {
                    break;
                }
                let message = *log.at(track.committed);
                track.committed += 1;
                row.taken.insert(Taken::of(message))
            };
            let Some(taken) = self.queues.groups[group].taken.get_mut(key) else { break };
            taken.receipt += 1;
            taken.is_back = false;
            let (message, receipt) = (taken.message, taken.receipt);
            let item = Item { message, origin: Origin::Taken(key, receipt) };
            self.queues.members[member as usize].batch.push(item);
            if !before {
                self.hide(group, key, receipt, now, calendar);
            }
        }
        self.queues.trim(queue, 0);
    }

    // Working ----------------------------------------------------------------------------------------------

    /// Begins to work on the message at hand.
    fn begin_run(&mut self, member: u32, now: SimTime) {
        let row = &self.queues.members[member as usize];
        let (group, item, replica) = (row.group as usize, row.batch[row.at], row.replica);
        let rest = row.at..row.batch.len();
        let group_row = &mut self.queues.groups[group];
        let whole = group_row.plan.whole_batch;
        let attempt = match item.origin {
            Origin::Line(partition, number) => {
                let track = &group_row.tracks[partition as usize];
                if track.failed == number { track.failures } else { 0 }
            }
            Origin::Taken(_, receipt) => receipt.saturating_sub(1),
        };
        for at in if whole { rest } else { row.at..row.at + 1 } {
            let Item { message, origin } = row.batch[at];
            let is_first = match origin {
                Origin::Line(partition, number) => {
                    let track = &mut group_row.tracks[partition as usize];
                    let is_first = number >= track.begun;
                    track.begun = track.begun.max(number + 1);
                    is_first
                }
                Origin::Taken(key, _) => {
                    let taken = group_row.taken.get_mut(key);
                    taken.is_some_and(|taken| !std::mem::replace(&mut taken.is_begun, true))
                }
            };
            if is_first {
                group_row.wait.record(now.since(message.sent).as_nanos());
            }
            group_row.seen.deliveries += 1;
        }
        let draw_key =
            mix(item.message.draw_key
                ^ group_row.stream.wrapping_add(u64::from(attempt).wrapping_mul(STRIDE)));
        let start = Start {
            job: group_row.plan.job.unwrap_or(JobId(NONE)),
            replica,
            cause: Cause::Member(member),
            label: item.message.label,
            class: item.message.class,
            draw_key,
        };
        self.start_job(&start, now);
    }

    /// How many messages the last run was for.
    fn of_last_run(&self, member: u32) -> usize {
        let row = &self.queues.members[member as usize];
        let whole = self.queues.groups[row.group as usize].plan.whole_batch;
        if whole { row.batch.len() - row.at } else { 1 }
    }

    /// The work on the message at hand has been done.
    fn worked(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        for _ in 0..self.of_last_run(member) {
            let row = &mut self.queues.members[member as usize];
            let (group, Item { message, origin }) = (row.group as usize, row.batch[row.at]);
            row.at += 1;
            let queue = self.queues.groups[group].queue as usize;
            let QueueViews { order, logs } = QueueViews {
                order: self.queues.queues[queue].plan.order,
                logs: &self.queues.queues[queue].logs,
            };
            let row = &mut self.queues.groups[group];
            row.seen.worked += 1;
            let (is_new, is_mine) = match origin {
                Origin::Line(partition, number) => {
                    let track = &mut row.tracks[partition as usize];
                    let is_new = number >= track.worked;
                    track.worked = track.worked.max(number + 1);
                    (is_new, None)
                }
                Origin::Taken(key, receipt) => match row.taken.get_mut(key) {
                    Some(taken) => {
                        let is_new = !std::mem::replace(&mut taken.is_worked, true);
                        (is_new, (taken.receipt == receipt).then_some(key))
                    }
                    None => (false, None), // Somebody else has dealt with it meanwhile.
                },
            };
            if is_new {
                row.note_order(order, &message, logs);
            } else {
                row.seen.duplicates += 1;
            }
            if let Some(key) = is_mine {
                self.end_taken(group, key, Fate::Done, now, calendar);
            }
        }
        let row = &self.queues.members[member as usize];
        if row.at < row.batch.len() {
            self.go_on_with_batch(member, now, calendar);
            return;
        }
        self.commit(member, now, calendar);
        self.drop_batch(member, now);
        self.poll_again(member, now, calendar);
    }

    /// What the member has worked off of partitions is dealt with, if it still counts.
    fn commit(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.queues.members[member as usize];
        if !row.is_counted {
            return; // Others have its partitions, and begin anew.
        }
        let group = row.group as usize;
        for at in 0..row.at {
            let Item { message, origin } = self.queues.members[member as usize].batch[at];
            if let Origin::Line(partition, number) = origin {
                self.pass(group, partition, number, &message, Fate::Done, now, calendar);
            }
        }
    }

    /// The first message of a line that is not dealt with leaves.
    #[expect(clippy::too_many_arguments, reason = "a message, its place and its fate")]
    fn pass(
        &mut self,
        group: usize,
        partition: u32,
        number: u64,
        message: &Message,
        fate: Fate,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &mut self.queues.groups[group];
        let track = &mut row.tracks[partition as usize];
        assert_eq!(track.committed, number, "a partition is worked off in order");
        track.committed = number + 1;
        track.begun = track.begun.max(number + 1);
        track.worked = track.worked.max(number + 1);
        let queue = row.queue as usize;
        self.ends(group, message, fate, now, calendar);
        self.queues.trim(queue, partition as usize);
    }

    /// The work on the message at hand has failed.
    fn failed(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let count = self.of_last_run(member);
        let row = &self.queues.members[member as usize];
        let (group, first) = (row.group as usize, row.batch[row.at]);
        let queue = self.queues.groups[group].queue as usize;
        self.queues.groups[group].seen.failures += 1;
        match first.origin {
            Origin::Line(partition, number) => {
                self.failed_in_line(member, partition, number, count, now, calendar);
            }
            Origin::Taken(..) => {
                let before = self.queues.groups[group].plan.ack == AckPlan::Before;
                for _ in 0..count {
                    let row = &mut self.queues.members[member as usize];
                    let Item { message, origin } = row.batch[row.at];
                    row.at += 1;
                    let Origin::Taken(key, receipt) = origin else { continue };
                    let taken = self.queues.groups[group].taken.get_mut(key);
                    let Some(taken) = taken.filter(|taken| taken.receipt == receipt && !taken.is_back) else {
                        continue; // Somebody else has it.
                    };
                    if before {
                        self.end_taken(group, key, Fate::Lost, now, calendar);
                    } else if let Some(plan) = &self.queues.queues[queue].plan.backoff {
                        // What was handed out so far counts for nothing any more.
                        taken.receipt += 1;
                        taken.failures += 1;
                        let pause = back_off(plan, taken.failures, message.draw_key);
                        let alarm = QueueAlarm::Returned(group as u32, key);
                        self.set_alarm(now.saturating_add(pause), Alarm::Queue(alarm), calendar);
                    }
                    // Otherwise it stays hidden until its time is up.
                }
                let row = &self.queues.members[member as usize];
                if row.at < row.batch.len() {
                    self.go_on_with_batch(member, now, calendar);
                } else {
                    self.drop_batch(member, now);
                    self.poll_again(member, now, calendar);
                }
            }
        }
    }

    /// What was done before is committed, and the failed message is polled again, unless this was its last attempt.
    fn failed_in_line(
        &mut self,
        member: u32,
        partition: u32,
        number: u64,
        count: usize,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &self.queues.members[member as usize];
        let (group, is_counted) = (row.group as usize, row.is_counted);
        let queue = self.queues.groups[group].queue as usize;
        if !is_counted {
            self.drop_batch(member, now);
            self.poll_again(member, now, calendar);
            return;
        }
        self.commit(member, now, calendar);
        let plan = &self.queues.queues[queue].plan;
        let track = &mut self.queues.groups[group].tracks[partition as usize];
        if track.failed != number {
            (track.failed, track.failures) = (number, 0);
        }
        track.failures += 1;
        let failures = track.failures;
        if failures >= plan.attempts {
            (track.failed, track.failures) = (u64::MAX, 0);
            for _ in 0..count {
                let row = &mut self.queues.members[member as usize];
                let Item { message, origin } = row.batch[row.at];
                row.at += 1;
                if let Origin::Line(partition, number) = origin {
                    self.pass(group, partition, number, &message, Fate::Dead, now, calendar);
                }
            }
            let row = &self.queues.members[member as usize];
            if row.at < row.batch.len() {
                self.rest_of_batch(member);
                self.go_on_with_batch(member, now, calendar);
                return;
            }
            self.drop_batch(member, now);
            self.poll_again(member, now, calendar);
            return;
        }
        let row = &self.queues.members[member as usize];
        let draw_key = row.batch[row.at].message.draw_key;
        let pause = plan.backoff.as_ref().map_or(Span::ZERO, |plan| back_off(plan, failures, draw_key));
        self.drop_batch(member, now);
        if !self.stops_pausing(member, now, calendar) {
            self.pause(member, now.saturating_add(pause), calendar);
        }
    }

    /// Forgets the part of the batch that has been committed.
    fn rest_of_batch(&mut self, member: u32) {
        let row = &mut self.queues.members[member as usize];
        row.batch.drain(..row.at);
        row.at = 0;
    }

    /// The member has nothing in its hands any more.
    pub(super) fn drop_batch(&mut self, member: u32, now: SimTime) {
        let row = &mut self.queues.members[member as usize];
        row.batch.clear();
        row.at = 0;
        if row.doing == Doing::Working {
            row.doing = Doing::Free;
        }
        self.no_longer_busy(member, now);
    }

    /// What the member still works on is not its group's work any more.
    pub(super) fn no_longer_busy(&mut self, member: u32, now: SimTime) {
        let row = &mut self.queues.members[member as usize];
        if std::mem::replace(&mut row.is_busy, false) {
            let group = &mut self.queues.groups[row.group as usize];
            let busy = group.busy.n - 1;
            group.busy.set(busy, now);
        }
    }

    // Taking too long --------------------------------------------------------------------------------------

    /// How long a member of the group may take for a batch.
    fn patience(&self, group: usize) -> Span {
        let row = &self.queues.groups[group];
        if self.queues.queues[row.queue as usize].plan.partitions.is_none() {
            return sim_core::MAX_SPAN;
        }
        match row.plan.rebalance {
            RebalancePlan::Static { session, .. } => row.plan.poll + session,
            RebalancePlan::Eager(_) | RebalancePlan::Cooperative(_) => row.plan.poll,
        }
    }

    fn watch_for_slowness(&mut self, member: u32, calendar: &mut Calendar<Packed>) {
        let row = &self.queues.members[member as usize];
        let patience = self.patience(row.group as usize);
        if row.is_watched || patience > self.plan.duration {
            return;
        }
        let due = row.polled.saturating_add(patience);
        self.queues.members[member as usize].is_watched = true;
        self.set_alarm(due, Alarm::Queue(QueueAlarm::Slow(member)), calendar);
    }

    /// A member that has taken too long is no longer counted.
    pub(super) fn look_at_slow(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.members[member as usize];
        row.is_watched = false;
        if row.doing != Doing::Working || !row.is_counted {
            return; // It is watched again when it takes its next batch.
        }
        let group = row.group as usize;
        if self.queues.members[member as usize].polled.saturating_add(self.patience(group)) > now {
            self.watch_for_slowness(member, calendar);
            return;
        }
        self.evict(member, now, calendar);
    }
}

/// What is looked at of a queue while one of its groups changes.
struct QueueViews<'q> {
    order: Option<crate::blueprint::Attribute>,
    logs: &'q [super::Log],
}

impl Taken {
    /// A message that is taken for the first time.
    fn of(message: Message) -> Self {
        Self { message, receipt: 0, failures: 0, is_begun: false, is_worked: false, is_back: false }
    }
}

/// How long a message waits that has failed `failures` times.
fn back_off(plan: &BackoffPlan, failures: u32, draw_key: u64) -> Span {
    let (base, max) = (plan.base.as_seconds(), plan.max.as_seconds());
    let full = (base * plan.factor.powf(f64::from(failures - 1))).min(max);
    let mut draws = Draws::keyed(mix(draw_key.wrapping_add(u64::from(failures).wrapping_mul(STRIDE))));
    if let Some(law) = &plan.drawn {
        return span(law.sample(&mut draws));
    }
    match plan.jitter {
        Jitter::None => span(full),
        Jitter::Full => span(full * draws.unit()),
        Jitter::Equal => span(full * (0.5 + 0.5 * draws.unit())),
        Jitter::Decorrelated => span((base + draws.unit() * (3.0 * full - base).max(0.0)).min(max)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_offs_double_up_to_the_longest() {
        let plan = BackoffPlan {
            base: Span::from_nanos(1_000_000_000),
            factor: 2.0,
            max: Span::from_nanos(5_000_000_000),
            jitter: Jitter::None,
            drawn: None,
        };
        let seconds = |failures| back_off(&plan, failures, 7).as_nanos() / 1_000_000_000;
        assert_eq!([seconds(1), seconds(2), seconds(3), seconds(4)], [1, 2, 4, 5]);
        let full = BackoffPlan { jitter: Jitter::Full, ..plan.clone() };
        assert!(back_off(&full, 1, 7) < back_off(&plan, 1, 7));
        assert_ne!(back_off(&full, 1, 7), back_off(&full, 1, 8));
    }
}

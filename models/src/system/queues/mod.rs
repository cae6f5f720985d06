//! Queues: work that is kept for later, and those who take it.
//!
//! A queue is a log for each of its partitions, or one for all. A group of consumers has a place in each log: up to
//! there everything is dealt with. So a message that waits is one record, however many groups are to see it, and what
//! is known of a group's progress is a number. Only where messages are taken one by one (without partitions, or where
//! they count as dealt with before the work) does a message that is worked on have a record of its own ([`taken`]).
//!
//! Members take batches and work them off message by message, each a run of the group's job ([`super::jobs`]), on a
//! replica of the job's service: [`members`]. How partitions are shared out among members stands in [`group`].
//!
//! What was received is dealt with, dead, lost, or there: by counts that are kept where it happens, against a count of
//! what is there when a segment is closed.

mod group;
mod log;
mod members;
mod taken;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use sim_core::{Calendar, Histogram, Key, Population, Present, SimTime, Slab, Span, hash_name, mix};

use self::log::{Log, Message};
use self::members::Member;
use self::taken::Taken;
use super::frame::{FrameKey, NONE, State};
use super::queue::Queue as Line;
use super::routing::value_of;
use super::steps::{Asked, draws_at};
use super::{Alarm, Event, Packed, System, Task};
use crate::blueprint::{Acks, Attribute, Blueprint, GroupPlan, OnFull, Outcome, QueuePlan, SendId, SendPlan};
use crate::observe::{ConsumersObservation, QueueObservation};

/// Odd: numbers times this differ in all bits.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// What an alarm of a queue is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum QueueAlarm {
    /// The message has reached its queue.
    Arrive(Key<Travelling>),
    /// The oldest message of the queue may be too old.
    Expire(u32),
    /// The member has waited long enough, for the how manieth time, before it goes on.
    Again(u32, u32),
    /// The member may have taken too long.
    Slow(u32),
    /// All members of the group may go on, with the partitions that are theirs now.
    Shared(u32),
    /// The partition of the group goes to its new owner.
    Moved(u32, u32),
    /// A message that a member of the group has taken may have been hidden long enough.
    Visible(u32),
    /// A message that has failed may be taken again.
    Returned(u32, Key<Taken>),
}

/// A message on its way to a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Travelling {
    queue: u32,
    message: Message,
    acks: Acks,
    /// Who sent it, and until when it waits for the acknowledgement.
    sender: FrameKey,
    told_at: SimTime,
}

/// What becomes of a message in the eyes of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Dead,
    Lost,
}

/// How many there are of something, over time.
#[derive(Clone, Debug, Default)]
struct Integral {
    n: u64,
    since: SimTime,
    sum: u128,
}

impl Integral {
    fn set(&mut self, n: u64, now: SimTime) {
        self.sum += u128::from(self.n) * u128::from(now.since(self.since).as_nanos());
        self.since = now;
        self.n = n;
    }

    fn flush(&mut self, now: SimTime) -> u128 {
        self.set(self.n, now);
        std::mem::take(&mut self.sum)
    }
}

/// Where a group stands in one log.
#[derive(Clone, Debug)]
struct Track {
    /// The first message that is not dealt with; without partitions, that was not taken yet.
    committed: u64,
    /// The first message whose work has not begun yet, and the first whose work was never done.
    begun: u64,
    worked: u64,
    /// The message that failed last, and how often.
    failed: u64,
    failures: u32,
    /// The member that works it off; [`NONE`] for none.
    owner: u32,
    /// The member that is to have it, and from when on; [`NONE`] where it stays.
    heir: u32,
    due: SimTime,
}

impl Track {
    fn new(at: u64) -> Self {
        let due = SimTime::ZERO;
        Self {
            committed: at,
            begun: at,
            worked: at,
            failed: u64::MAX,
            failures: 0,
            owner: NONE,
            heir: NONE,
            due,
        }
    }
}

/// How a group's partitions are being shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// They are.
    Done,
    /// Members that are still at work are waited for.
    Gathering,
    /// All stand still.
    Pausing,
}

/// Those who take messages of one queue together.
#[derive(Clone, Debug)]
struct Group {
    queue: u32,
    plan: GroupPlan,
    /// Names the draws of its runs.
    stream: u64,
    tracks: Vec<Track>,
    /// Its members, by their numbers in the group.
    members: Vec<u32>,
    sharing: Sharing,
    /// Whether it has had members yet.
    is_settled: bool,
    /// Members that wait for a message, without partitions. Some may have found one since.
    idle: VecDeque<u32>,
    taken: Slab<Taken>,
    /// Messages to be taken again, the first to come back first.
    returned: VecDeque<Key<Taken>>,
    /// Messages that are hidden, until when, and as handed out for the how manieth time.
    hidden: VecDeque<(SimTime, Key<Taken>, u32)>,
    is_watched: bool,
    /// By value: the last message whose work was done.
    last: BTreeMap<u32, u64>,
    lag: Population,
    stopped: Integral,
    present: Integral,
    busy: Integral,
    wait: Histogram,
    latency: Histogram,
    seen: ConsumersObservation,
}

impl Group {
    fn new(queue: u32, plan: &GroupPlan, row: &QueuePlan) -> Self {
        let lines = row.partitions.unwrap_or(1) as usize;
        let name = hash_name(&row.path) ^ hash_name(&plan.name).rotate_left(17);
        Self {
            queue,
            plan: plan.clone(),
            stream: mix(name),
            tracks: vec![Track::new(0); lines],
            members: Vec::new(),
            sharing: Sharing::Done,
            is_settled: false,
            idle: VecDeque::new(),
            taken: Slab::new(),
            returned: VecDeque::new(),
            hidden: VecDeque::new(),
            is_watched: false,
            last: BTreeMap::new(),
            lag: Population::default(),
            stopped: Integral::default(),
            present: Integral::default(),
            busy: Integral::default(),
            wait: Histogram::default(),
            latency: Histogram::default(),
            seen: ConsumersObservation::default(),
        }
    }

    /// Who is there, one by one, and the greatest age.
    fn census(&self, logs: &[Log], now: SimTime) -> (Present, u64) {
        let (mut present, mut oldest) = (Present::default(), now);
        let mut count = |sent: SimTime| {
            present.add(1, sent);
            oldest = oldest.min(sent);
        };
        for (track, log) in self.tracks.iter().zip(logs) {
            log.from(track.committed).for_each(|message| count(message.sent));
        }
        self.taken.iter().for_each(|(_, taken)| count(taken.message.sent));
        (present, now.since(oldest).as_nanos())
    }

    fn flush(&mut self, logs: &[Log], has_partitions: bool, now: SimTime) -> ConsumersObservation {
        let (present, oldest_end) = self.census(logs, now);
        let lag = |(track, log): (&Track, &Log)| log.end() - track.committed;
        let partitions =
            if has_partitions { self.tracks.iter().zip(logs).map(lag).collect() } else { vec![] };
        let seen = std::mem::take(&mut self.seen);
        ConsumersObservation {
            lag: self.lag.flush(now, present),
            kept: present.count,
            stopped_ns: self.stopped.flush(now),
            member_ns: self.present.flush(now),
            busy_ns: self.busy.flush(now),
            wait: self.wait.take().compact(),
            latency: self.latency.take().compact(),
            oldest: seen.oldest.max(oldest_end),
            oldest_end,
            partitions,
            replications: 1,
            ..seen
        }
    }

    /// A member that waits for a message, for which there is one now.
    fn wake(&mut self, members: &mut [Member]) -> Option<u32> {
        while let Some(member) = self.idle.pop_front() {
            let row = &mut members[member as usize];
            row.is_idle = false;
            if row.is_free() {
                return Some(member);
            }
        }
        None
    }

    /// A message that came at `sent` leaves.
    fn leave(&mut self, sent: SimTime, fate: Fate, now: SimTime) {
        self.lag.leave(sent, now);
        let age = now.since(sent).as_nanos();
        self.seen.oldest = self.seen.oldest.max(age);
        match fate {
            Fate::Done => {
                self.seen.done += 1;
                self.latency.record(age);
            }
            Fate::Dead => self.seen.dead += 1,
            Fate::Lost => self.seen.lost += 1,
        }
    }

    /// The work of a message has been done for the first time: was it its turn?
    fn note_order(&mut self, order: Option<Attribute>, message: &Message, logs: &[Log]) {
        let Some(by) = order else { return };
        let value = value_of(by, message.label, message.class);
        let last = self.last.entry(value).or_insert(message.number);
        if *last > message.number {
            self.seen.disordered += 1;
        } else {
            *last = message.number;
        }
        // Values whose last message is older than all that are still to come cannot be overtaken any more.
        if self.last.len() as u64 > 4_096 + 4 * self.lag.n() {
            let first = self
                .tracks
                .iter()
                .zip(logs)
                .filter(|(track, log)| track.committed < log.end())
                .map(|(track, log)| log.at(track.committed).number);
            let taken = self.taken.iter().map(|(_, taken)| taken.message.number);
            let oldest = first.chain(taken).min().unwrap_or(u64::MAX);
            self.last.retain(|_, number| *number >= oldest);
        }
    }
}

/// A queue of messages.
#[derive(Clone, Debug)]
struct QueueState {
    plan: QueuePlan,
    logs: Vec<Log>,
    groups: Range<usize>,
    /// Messages that it has taken in.
    numbered: u64,
    travelling: u64,
    /// Senders that wait for room.
    line: Line,
    senders: Population,
    /// Whether an alarm looks for messages that are too old.
    is_watched: bool,
    seen: QueueObservation,
}

/// The queues of a replication, and those who take messages of them.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "they are what they are")]
pub(super) struct Queues {
    queues: Vec<QueueState>,
    groups: Vec<Group>,
    members: Vec<Member>,
    pub(super) sends: Vec<SendPlan>,
    travelling: Slab<Travelling>,
    /// The instant at hand, and how many batches were taken in it.
    instant: (SimTime, u32),
}

impl Queues {
    pub(super) fn new(plan: &Blueprint) -> Self {
        let mut groups = Vec::new();
        let mut queues = Vec::new();
        for (number, row) in plan.queues.iter().enumerate() {
            let from = groups.len();
            groups.extend(row.groups.iter().map(|group| Group::new(number as u32, group, row)));
            queues.push(QueueState {
                plan: row.clone(),
                logs: (0..row.partitions.unwrap_or(1)).map(|_| Log::default()).collect(),
                groups: from..groups.len(),
                numbered: 0,
                travelling: 0,
                line: Line::default(),
                senders: Population::default(),
                is_watched: false,
                seen: QueueObservation::default(),
            });
        }
        let sends = plan.sends.clone();
        let instant = (SimTime::ZERO, 0);
        Self { queues, groups, members: Vec::new(), sends, travelling: Slab::new(), instant }
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, sending: &[Present], now: SimTime) -> Vec<QueueObservation> {
        let groups = &mut self.groups;
        let close = |(row, &sending): (&mut QueueState, &Present)| {
            let has_partitions = row.plan.partitions.is_some();
            let seen = groups[row.groups.clone()].iter_mut();
            QueueObservation {
                senders: row.senders.flush(now, sending),
                travelling: row.travelling,
                groups: seen.map(|group| group.flush(&row.logs, has_partitions, now)).collect(),
                ..std::mem::take(&mut row.seen)
            }
        };
        self.queues.iter_mut().zip(sending).map(close).collect()
    }

    /// Messages of a queue that a group of it has not dealt with.
    pub(super) fn lag(&self, queue: usize, group: usize) -> u64 {
        self.groups[self.queues[queue].groups.start + group].lag.n()
    }

    /// Messages that were sent to a queue since the segment began.
    pub(super) fn sent(&self, queue: usize) -> u64 {
        self.queues[queue].seen.sent
    }

    /// Bytes of what is kept.
    pub(super) fn bytes(&self) -> usize {
        let logs = self.queues.iter().flat_map(|queue| &queue.logs).map(Log::bytes);
        let taken = self.groups.iter().map(|group| {
            group.taken.high_water() * size_of::<Taken>() + group.last.len() * 32 + group.hidden.len() * 24
        });
        logs.sum::<usize>()
            + taken.sum::<usize>()
            + self.travelling.high_water() * size_of::<Travelling>()
            + self.members.iter().map(Member::bytes).sum::<usize>()
    }

    /// Whether there is no room for a message more.
    fn is_full(&self, queue: usize) -> bool {
        let row = &self.queues[queue];
        if row.plan.limit == u64::MAX {
            return false;
        }
        let most = self.groups[row.groups.clone()].iter().map(|group| group.lag.n()).max();
        most.unwrap_or(0) + row.travelling >= row.plan.limit
    }

    /// Forgets what all groups have dealt with.
    fn trim(&mut self, queue: usize, partition: usize) {
        let row = &mut self.queues[queue];
        let places = self.groups[row.groups.clone()].iter().map(|group| group.tracks[partition].committed);
        if let Some(first) = places.min() {
            row.logs[partition].forget_before(first);
        }
    }
}

impl System<'_> {
    // Sending ----------------------------------------------------------------------------------------------

    /// A step puts a message on a queue.
    pub(super) fn send(
        &mut self,
        index: u32,
        id: SendId,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Asked {
        let SendPlan { queue, acks } = self.queues.sends[id.index()];
        let is_full = self.queues.is_full(queue.index());
        let row = &mut self.queues.queues[queue.index()];
        row.seen.sent += 1;
        let on_full = if is_full { Some(row.plan.on_full) } else { None };
        match (row.plan.up, on_full) {
            (true, None) => self.post(index, queue.0, acks, now, calendar),
            (true, Some(OnFull::Block)) => {
                row.senders.enter(now);
                let key = self.frames.key_of(index);
                row.line.join(key, 1.0);
                let frame = self.frames.at_mut(index);
                frame.state = State::Sending;
                frame.at = queue.0;
                frame.since = now;
                frame.patience = SimTime::MAX;
                Asked::Queued
            }
            (true, Some(OnFull::Drop)) => {
                row.seen.dropped += 1;
                Asked::Got
            }
            // Who does not wait for an answer gets none.
            _ if acks == Acks::None => {
                row.seen.dropped += 1;
                Asked::Got
            }
            _ => {
                row.seen.rejected += 1;
                Asked::Refused(Outcome::REJECTED)
            }
        }
    }

    /// Sends the message of a frame on its way.
    fn post(
        &mut self,
        index: u32,
        queue: u32,
        acks: Acks,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Asked {
        let frame = self.frames.at(index);
        let draw_key = draws_at(frame, self.plan.salts[frame.pc as usize - 1]).next_u64();
        let request = self.requests.at(frame.request);
        let message = Message { sent: now, number: 0, draw_key, label: request.label, class: request.class };
        let row = &mut self.queues.queues[queue as usize];
        let (latency, replicate) = (row.plan.latency, row.plan.replicate);
        if latency + replicate == Span::ZERO {
            self.accept(queue as usize, message, now, calendar);
            return Asked::Got;
        }
        row.travelling += 1;
        let wait = match acks {
            Acks::None => Span::ZERO,
            Acks::One => latency + latency,
            Acks::All => latency + latency + replicate,
        };
        let sender = self.frames.key_of(index);
        let told_at = now.saturating_add(wait);
        let key = self.queues.travelling.insert(Travelling { queue, message, acks, sender, told_at });
        let arrives = now.saturating_add(latency + replicate);
        self.set_alarm(arrives, Alarm::Queue(QueueAlarm::Arrive(key)), calendar);
        if wait == Span::ZERO {
            return Asked::Got;
        }
        let frame = self.frames.at_mut(index);
        frame.state = State::Delayed;
        frame.since = now;
        calendar.schedule(told_at, Event::StepDone(sender).pack());
        Asked::Queued
    }

    /// A message that was on its way is there.
    fn arrived(&mut self, key: Key<Travelling>, now: SimTime, calendar: &mut Calendar<Packed>) {
        let Some(travelling) = self.queues.travelling.remove(key) else { return }; // It got lost.
        self.queues.queues[travelling.queue as usize].travelling -= 1;
        self.accept(travelling.queue as usize, travelling.message, now, calendar);
    }

    /// The queue takes a message in.
    fn accept(&mut self, queue: usize, message: Message, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.queues[queue];
        let number = row.numbered;
        row.numbered += 1;
        row.seen.received += 1;
        let partition = match (row.logs.len(), row.plan.by) {
            (1, _) => 0,
            (lines, None) => (number % lines as u64) as usize,
            (lines, Some(by)) => {
                let value = u64::from(value_of(by, message.label, message.class));
                (mix(value.wrapping_add(STRIDE)) % lines as u64) as usize
            }
        };
        row.logs[partition].push(Message { sent: now, number, ..message });
        for group in &mut self.queues.groups[row.groups.clone()] {
            group.lag.enter(now);
            group.seen.received += 1;
            if row.plan.partitions.is_some() {
                let owner = group.tracks[partition].owner;
                if owner != NONE && self.queues.members[owner as usize].is_free() {
                    self.ready.add(Task::Poll(owner));
                }
            } else if let Some(member) = group.wake(&mut self.queues.members) {
                self.ready.add(Task::Poll(member));
            }
        }
        if !row.is_watched && row.plan.retention < self.plan.duration {
            row.is_watched = true;
            let at = now.saturating_add(row.plan.retention);
            self.set_alarm(at, Alarm::Queue(QueueAlarm::Expire(queue as u32)), calendar);
        }
    }

    /// Lets those who wait for room send, as far as there is some.
    pub(super) fn let_in(&mut self, queue: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        while !self.queues.is_full(queue as usize) {
            let row = &mut self.queues.queues[queue as usize];
            let Some((key, _)) = row.line.first(&self.frames) else { return };
            row.line.remove_first();
            row.senders.leave(self.frames.at(key.index()).since, now);
            self.trace_queue_wait(key.index(), queue, now);
            let acks = match self.code[self.frames.at(key.index()).pc as usize - 1] {
                crate::blueprint::Op::Send(id) => self.queues.sends[id.index()].acks,
                other => unreachable!("{other:?} sends nothing"),
            };
            match self.post(key.index(), queue, acks, now, calendar) {
                Asked::Got => {
                    self.let_go_on(key, now);
                }
                Asked::Queued | Asked::Refused(_) => {}
            }
        }
    }

    /// A frame stops waiting for room.
    pub(super) fn leave_senders(&mut self, index: u32, now: SimTime) {
        let frame = self.frames.at_mut(index);
        frame.state = State::Ready;
        let (queue, since) = (frame.at as usize, frame.since);
        let row = &mut self.queues.queues[queue];
        row.line.leave(&self.frames);
        row.senders.leave(since, now);
        row.seen.withdrawn += 1;
    }

    // Leaving ----------------------------------------------------------------------------------------------

    /// A message leaves in the eyes of a group.
    fn ends(
        &mut self,
        group: usize,
        message: &Message,
        fate: Fate,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &mut self.queues.groups[group];
        row.leave(message.sent, fate, now);
        let queue = row.queue as usize;
        let plan = &self.queues.queues[queue].plan;
        let heir = plan.dead_letter.filter(|_| fate == Fate::Dead);
        if plan.limit < u64::MAX && self.queues.queues[queue].line.waiting > 0 {
            self.ready.add(Task::Room(queue as u32));
        }
        if let Some(heir) = heir {
            self.queues.queues[heir.index()].seen.sent += 1;
            self.accept(heir.index(), *message, now, calendar);
        }
    }

    /// Looks for messages that are too old.
    fn expire(&mut self, queue: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let groups = self.queues.queues[queue].groups.clone();
        let lines = self.queues.queues[queue].logs.len();
        for group in groups {
            for partition in 0..lines {
                let owner = self.queues.groups[group].tracks[partition].owner;
                let has_partitions = self.queues.queues[queue].plan.partitions.is_some();
                // What is being worked on is looked at when its member comes for more.
                if !has_partitions || owner == NONE || !self.queues.members[owner as usize].has_batch() {
                    self.expire_line(group, partition, now, calendar);
                }
            }
        }
        let row = &mut self.queues.queues[queue];
        let retention = row.plan.retention;
        let tracks = self.queues.groups[row.groups.clone()].iter().flat_map(|group| &group.tracks);
        let first = tracks
            .zip(row.logs.iter().cycle())
            .filter(|(track, log)| track.committed < log.end())
            .map(|(track, log)| log.at(track.committed).sent.saturating_add(retention));
        let next = first.min();
        row.is_watched = next.is_some();
        if let Some(at) = next {
            // One that is being worked on is due already: look again when it may be back.
            let later = now.saturating_add(Span::from_nanos((retention.as_nanos() / 64).max(1_000_000)));
            let at = if at > now { at } else { later };
            self.set_alarm(at, Alarm::Queue(QueueAlarm::Expire(queue as u32)), calendar);
        }
    }

    /// Takes messages that are too old off the head of a line.
    fn expire_line(&mut self, group: usize, partition: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let queue = self.queues.groups[group].queue as usize;
        loop {
            let row = &self.queues.queues[queue];
            let track = &mut self.queues.groups[group].tracks[partition];
            let log = &row.logs[partition];
            if track.committed >= log.end() {
                break;
            }
            let message = *log.at(track.committed);
            if message.sent.saturating_add(row.plan.retention) > now {
                break;
            }
            track.committed += 1;
            track.begun = track.begun.max(track.committed);
            track.worked = track.worked.max(track.committed);
            self.ends(group, &message, Fate::Lost, now, calendar);
        }
        self.queues.trim(queue, partition);
    }

    // Alarms and changes -----------------------------------------------------------------------------------

    pub(super) fn queue_alarm(&mut self, alarm: QueueAlarm, now: SimTime, calendar: &mut Calendar<Packed>) {
        match alarm {
            QueueAlarm::Arrive(key) => self.arrived(key, now, calendar),
            QueueAlarm::Expire(queue) => self.expire(queue as usize, now, calendar),
            QueueAlarm::Again(member, pause) => self.pause_over(member, pause, now, calendar),
            QueueAlarm::Slow(member) => self.look_at_slow(member, now, calendar),
            QueueAlarm::Shared(group) => self.shared_out(group as usize, now),
            QueueAlarm::Moved(group, partition) => {
                self.moved(group as usize, partition as usize, now, calendar);
            }
            QueueAlarm::Visible(group) => self.look_at_hidden(group as usize, now, calendar),
            QueueAlarm::Returned(group, key) => self.give_back_taken(group as usize, key, now, calendar),
        }
    }

    pub(super) fn change_queue(
        &mut self,
        queue: usize,
        to: QueuePlan,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &mut self.queues.queues[queue];
        let before = std::mem::replace(&mut row.plan, to);
        let lines = row.plan.partitions.unwrap_or(1) as usize;
        let has_more = lines > row.logs.len();
        row.logs.resize_with(lines.max(row.logs.len()), Log::default);
        let goes_down = before.up && !row.plan.up;
        let plans: Vec<GroupPlan> = row.plan.groups.clone();
        for (group, plan) in row.groups.clone().zip(plans) {
            let row = &mut self.queues.groups[group];
            row.plan = plan;
            if has_more {
                row.tracks.resize(lines, Track::new(0));
                self.rebalance(group, now, calendar);
            }
            self.ready.add(Task::Place(group as u32));
        }
        self.ready.add(Task::Room(queue as u32));
        if goes_down {
            self.lose_travelling(queue as u32, now, calendar);
        }
    }

    /// What has not reached the copies is lost, whatever its sender was told.
    fn lose_travelling(&mut self, queue: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let lost: Vec<(Key<Travelling>, Travelling)> = {
            let all = self.queues.travelling.iter();
            all.filter(|(_, row)| row.queue == queue).map(|(key, row)| (key, *row)).collect()
        };
        for (key, row) in lost {
            self.queues.travelling.remove(key);
            let seen = &mut self.queues.queues[queue as usize];
            seen.travelling -= 1;
            let waits = self.frames.get(row.sender).is_some_and(|frame| frame.state == State::Delayed);
            if row.acks == Acks::None || row.told_at <= now || !waits {
                seen.seen.dropped += 1;
                continue;
            }
            seen.seen.rejected += 1;
            if let Some(next) = self.finish(row.sender.index(), Outcome::REJECTED, now, calendar) {
                self.ready.add(Task::Run(self.frames.key_of(next)));
            }
        }
    }
}

//! Follows single requests: every frame that works for one is a span, and so is whatever its account is charged with.
//!
//! A recorder sits beside the accounts and hears what they hear. Requests are recorded from the start, since nobody
//! knows yet which will be slow; of each traffic and class the slowest are kept, and as many picked at random.

use std::collections::BTreeMap;

use sim_core::{SimTime, mix};

use super::System;
use super::frame::{Arena, Frame, Held, Kind, Link, NONE, Request, State};
use super::policy::FALLBACK;
use crate::blueprint::{Blueprint, Outcome, PoolId, QueueId, RateId, ServiceId, TrafficId, VolumeId};
use crate::spans::{Recorded, RequestTrace, Span, What};

/// Most spans of one request: a loop may make any number.
const MOST_SPANS: usize = 10_000;

/// Separates the draw by which requests are picked from all others.
const SALT_PICK: u64 = 0x5851_F42D_4C95_7F2D;

/// A request that is being followed.
#[derive(Clone, Debug, Default)]
struct Recording {
    /// None once it is given back.
    trace: Option<Box<RequestTrace>>,
    /// Frames that work for it.
    frames: u32,
    /// Whether its traffic has its outcome.
    ended: bool,
}

/// Traces by rank and name, the lowest rank first to go.
type Ranked = BTreeMap<(u64, u64), RequestTrace>;

/// What is kept of one traffic and class.
#[derive(Clone, Debug, Default)]
struct Shelf {
    slowest: Ranked,
    picked: Ranked,
}

impl Shelf {
    /// Keeps the trace if it is among the slowest, or among those picked: at most so many of either.
    fn offer(&mut self, trace: RequestTrace, most: usize) {
        let (slow, pick) = ((trace.nanos(), trace.key), (mix(trace.key ^ SALT_PICK), trace.key));
        if ranks(&self.picked, pick, most) {
            keep(&mut self.picked, pick, trace.clone(), most);
        }
        if ranks(&self.slowest, slow, most) {
            keep(&mut self.slowest, slow, trace, most);
        }
    }

    /// All that is kept; what is kept for both reasons comes once.
    fn into_traces(self) -> impl Iterator<Item = RequestTrace> {
        let mut by_key: BTreeMap<u64, RequestTrace> = BTreeMap::new();
        let slow = self.slowest.into_values().map(|trace| RequestTrace { is_slow: true, ..trace });
        let picked = self.picked.into_values().map(|trace| RequestTrace { is_sampled: true, ..trace });
        for trace in slow.chain(picked) {
            let kept = by_key.entry(trace.key).or_insert_with(|| trace.clone());
            kept.is_sampled |= trace.is_sampled;
        }
        by_key.into_values()
    }
}

fn ranks(kept: &Ranked, rank: (u64, u64), most: usize) -> bool {
    kept.len() < most || kept.keys().next().is_some_and(|lowest| *lowest < rank)
}

fn keep(kept: &mut Ranked, rank: (u64, u64), trace: RequestTrace, most: usize) {
    kept.insert(rank, trace);
    if kept.len() > most {
        kept.pop_first();
    }
}

/// What is recorded of requests in flight, and what is kept of those that have ended.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    recordings: Arena<Recording>,
    /// By request.
    of_requests: Vec<u32>,
    /// Requests that were followed, kept or not.
    opened: u64,
    /// Most traces that a shelf keeps for one reason.
    most: usize,
    /// By traffic and class.
    shelves: BTreeMap<(u32, u16), Shelf>,
}

impl Recorder {
    /// Keeps about `most` traces, shared out evenly among the traffics and their classes, at least two for each.
    pub(super) fn new(plan: &Blueprint, most: u32) -> Self {
        let kinds: usize = plan.traffics.iter().map(|traffic| traffic.classes.len()).sum();
        Self {
            recordings: Arena::new(),
            of_requests: Vec::new(),
            opened: 0,
            most: (most as usize / 2 / kinds.max(1)).max(1),
            shelves: BTreeMap::new(),
        }
    }

    /// Begins to follow a request.
    fn open(&mut self, index: u32, request: &Request, stream: u64, key: u64) {
        let Request { traffic, class, label, start, .. } = *request;
        let root = Span {
            parent: 0,
            from: start,
            to: start,
            what: What::Request,
            outcome: Outcome::OK,
            is_open: true,
        };
        let trace = RequestTrace {
            traffic: TrafficId(traffic),
            class,
            label,
            stream,
            key,
            is_slow: false,
            is_sampled: false,
            path: Vec::new(),
            spans: vec![root],
            left_out: 0,
        };
        let recording = Recording { trace: Some(Box::new(trace)), frames: 0, ended: false };
        let recording = self.recordings.insert(recording);
        self.opened += 1;
        let at = index as usize;
        if self.of_requests.len() <= at {
            self.of_requests.resize(at + 1, NONE);
        }
        self.of_requests[at] = recording;
    }

    /// Adds a span. Returns its position, unless there are too many.
    fn add(&mut self, recording: u32, span: Span) -> Option<u32> {
        let trace = self.recordings.at(recording).trace.as_mut()?;
        if trace.spans.len() == MOST_SPANS {
            trace.left_out += 1;
            return None;
        }
        trace.spans.push(span);
        Some(trace.spans.len() as u32 - 1)
    }

    /// Adds a span that is over; nothing that took no time.
    pub(super) fn add_done(&mut self, at: Followed, what: What, from: SimTime, to: SimTime) {
        if at.recording != NONE && from < to {
            let span = Span { parent: at.span, from, to, what, outcome: Outcome::OK, is_open: false };
            self.add(at.recording, span);
        }
    }

    /// The span of this copy of an attempt of a call.
    fn attempt(&mut self, at: Followed, copy: u32) -> Option<(u32, &mut Span)> {
        let spans = &mut self.recordings.at(at.recording).trace.as_mut()?.spans;
        let is_it = |span: &Span| {
            span.parent == at.span && matches!(span.what, What::Attempt { number, .. } if number == copy)
        };
        let position = spans.iter().rposition(is_it)?;
        Some((position as u32, &mut spans[position]))
    }

    /// A frame is gone, and with it what was done in its span; unless the run is over, with this outcome.
    fn close(&mut self, at: Followed, what: Option<What>, outcome: Option<Outcome>, now: SimTime) {
        let recording = self.recordings.at(at.recording);
        recording.frames -= 1;
        if at.is_own
            && let Some(trace) = &mut recording.trace
        {
            let span = &mut trace.spans[at.span as usize];
            (span.to, span.what) = (now, what.unwrap_or(span.what));
            (span.outcome, span.is_open) = (outcome.unwrap_or(span.outcome), outcome.is_none());
        }
        if recording.ended && recording.frames == 0 {
            self.put_away(at.recording);
        }
    }

    /// Nobody works for the request any more: its trace is kept, or not.
    fn put_away(&mut self, recording: u32) {
        let trace = self.recordings.at(recording).trace.take();
        self.recordings.remove(recording);
        let Some(trace) = trace else { return };
        let kind = (trace.traffic.0, trace.class);
        self.shelves.entry(kind).or_default().offer(*trace, self.most);
    }

    /// What is kept, in the order of the requests' starts; `offered` requests have come.
    pub(super) fn into_recorded(self, offered: u64) -> Recorded {
        let mut traces: Vec<RequestTrace> = self.shelves.into_values().flat_map(Shelf::into_traces).collect();
        traces.sort_by_key(|trace| (trace.spans[0].from, trace.traffic.0, trace.key));
        Recorded { traces, missed: offered - self.opened }
    }
}

/// Where a frame is followed: the recording of its request, and the span in it that it adds to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    recording: u32,
    span: u32,
    /// Whether the span is the frame's, and not that of whoever waits for it.
    is_own: bool,
}

impl Followed {
    /// Not at all.
    pub(super) const NOWHERE: Self = Self { recording: NONE, span: 0, is_own: false };
}

impl Default for Followed {
    fn default() -> Self {
        Self::NOWHERE
    }
}

impl System<'_> {
    /// A request that is looked at begins.
    #[cold]
    pub(super) fn record_request(&mut self, index: u32, key: u64) {
        if let Some(recorder) = self.trace.recorder() {
            let request = self.requests.at(index);
            recorder.open(index, request, self.sources[request.traffic as usize].stream, key);
        }
    }

    /// A frame that works for a request begins; `link` says who waits for it.
    pub(super) fn record_frame(&mut self, request: u32, link: Link, now: SimTime) -> Followed {
        let parent = self.frames.get(link.parent).copied();
        let waiting = parent.filter(|parent| parent.account != NONE);
        let above = waiting.map_or(Followed::NOWHERE, |parent| self.trace.followed(parent.account));
        let Some(recorder) = self.trace.recorder() else { return Followed::NOWHERE };
        let Some(&recording) = recorder.of_requests.get(request as usize) else { return Followed::NOWHERE };
        recorder.recordings.at(recording).frames += 1;
        let open =
            |parent, what| Span { parent, from: now, to: now, what, outcome: Outcome::OK, is_open: true };
        let span = if above.recording == recording { above.span } else { 0 };
        let mut at = Followed { recording, span, is_own: false };
        // What else it is, is known when it has been filled in.
        let mut what = What::Branch;
        if let Some(parent) = waiting.filter(|parent| parent.kind == Kind::Call) {
            if link.epoch == FALLBACK {
                what = What::Fallback;
            } else {
                let watch = self.watches.peek(parent.at);
                let (attempt, copy) = (watch.attempts, watch.copies.saturating_sub(1));
                let known = recorder.attempt(at, link.epoch).map(|(position, _)| position);
                let made = open(at.span, What::Attempt { attempt, copy, number: link.epoch });
                at.span = known.or_else(|| recorder.add(recording, made)).unwrap_or(at.span);
            }
        }
        match recorder.add(recording, open(at.span, what)) {
            Some(span) => Followed { span, is_own: true, ..at },
            None => at,
        }
    }

    /// A copy of an attempt is over for its caller, whatever becomes of the work.
    #[inline]
    pub(super) fn record_attempt(&mut self, call: u32, number: u32, outcome: Outcome, now: SimTime) {
        let account = self.frames.at(call).account;
        if account == NONE || !self.trace.records() {
            return;
        }
        let at = self.trace.followed(account);
        if at.recording != NONE
            && let Some(recorder) = self.trace.recorder()
            && let Some((_, span)) = recorder.attempt(at, number)
        {
            (span.outcome, span.to, span.is_open) = (outcome, now, false);
        }
    }

    /// A frame gives back what it has held.
    #[cold]
    pub(super) fn record_hold(&mut self, account: u32, held: &Held, now: SimTime) {
        let pool = self.instances[held.instance as usize].pool;
        let at = self.trace.followed(account);
        if !self.plan.pools[pool as usize].is_workers
            && let Some(recorder) = self.trace.recorder()
        {
            let what = What::Hold(PoolId(pool), held.units);
            recorder.add_done(at, what, held.since, now);
        }
    }

    /// A frame ends with this outcome.
    pub(super) fn record_end(&mut self, index: u32, outcome: Outcome, now: SimTime) {
        let frame = self.frames.at(index);
        let at = self.trace.followed(frame.account);
        if at.recording != NONE {
            let what = self.what_is(frame);
            if let Some(recorder) = self.trace.recorder() {
                recorder.close(at, what, Some(outcome), now);
            }
        }
    }

    /// A request has its outcome; its critical path, where it was answered.
    pub(super) fn record_outcome(
        &mut self,
        request: u32,
        outcome: Outcome,
        path: Vec<(u32, u64)>,
        now: SimTime,
    ) {
        let is_measured = now >= self.trace.measured_from();
        let Some(recorder) = self.trace.recorder() else { return };
        let Some(&at) = recorder.of_requests.get(request as usize) else { return };
        let recording = recorder.recordings.at(at);
        recording.ended = true;
        if !is_measured {
            recording.trace = None;
        }
        if let Some(trace) = &mut recording.trace {
            trace.path = path;
            let root = &mut trace.spans[0];
            (root.outcome, root.to, root.is_open) = (outcome, now, false);
        }
    }

    /// A frame is stopped in the middle of something: the time since its account was charged last was spent on that.
    pub(super) fn record_stop(&mut self, frame: &Frame, now: SimTime) {
        let places = self.trace.places();
        let service = ServiceId(self.replicas[frame.replica as usize].service);
        let what = match frame.state {
            State::Queued | State::Batched => {
                What::At(places.pool_wait(PoolId(self.instances[frame.at as usize].pool)))
            }
            State::Delayed | State::Computing if service.0 != NONE => What::At(places.work(service)),
            State::CoreQueued => What::At(places.cpu_wait(service)),
            State::Travelling => What::At(places.network(service)),
            State::Metered => What::At(places.rate_wait(RateId(self.rates.rate_of(frame.at)))),
            State::Blocked => What::At(places.volume_wait(VolumeId(self.volumes.volume_of(frame.at)))),
            State::Sending => What::At(places.queue_wait(QueueId(frame.at))),
            State::BackingOff => What::BackOff,
            State::Limited => What::Limit,
            _ => return,
        };
        let (at, since) = (self.trace.followed(frame.account), self.trace.mark(frame.account));
        if let Some(recorder) = self.trace.recorder() {
            recorder.add_done(at, what, since, now);
        }
    }

    /// What a frame is to those who read its span, where that was not known when it began.
    fn what_is(&self, frame: &Frame) -> Option<What> {
        match frame.kind {
            Kind::Endpoint => {
                let endpoint = self.plan.calls[frame.call.index()].endpoint;
                Some(What::Endpoint(endpoint, self.replicas[frame.replica as usize].local))
            }
            Kind::Call => Some(What::Call(self.watches.peek(frame.at).call)),
            Kind::Reply => Some(What::Answer),
            Kind::Branch | Kind::Opener | Kind::Job | Kind::Refresher => None,
        }
    }

    /// The run is over: requests that have their outcome are kept with what still runs on for them.
    pub(super) fn end_recordings(&mut self, now: SimTime) {
        if !self.trace.records() {
            return;
        }
        let left: Vec<Frame> =
            self.frames.iter().map(|(_, frame)| *frame).filter(|frame| frame.account != NONE).collect();
        for frame in left {
            self.record_stop(&frame, now);
            let (at, what) = (self.trace.followed(frame.account), self.what_is(&frame));
            if at.recording != NONE
                && let Some(recorder) = self.trace.recorder()
            {
                recorder.close(at, what, None, now);
            }
        }
    }
}

//! Where the time of requests goes.
//!
//! While a request is looked at, each of its frames keeps the places at which the time since its start was spent,
//! without gap or overlap. A frame that waits for others takes over the account of the one that it had to wait for: so
//! what reaches the traffic is the critical path, and its parts sum to the latency.

use sim_core::{SimTime, Span};

use super::System;
use super::frame::{Arena, Frame, Kind, Link, NONE, Request};
use super::recorder::{Followed, Recorder};
use crate::blueprint::{Blueprint, CacheId, Op, Outcome, PoolId, QueueId, RateId, ServiceId, VolumeId};
use crate::observe::{Breakdown, BreakdownRow};
use crate::places::Places;
use crate::spans::{Recorded, What};

/// Requests of which every one is looked at: a p99.9 rests on 20 of them or more.
const ALL: u64 = 20_000;

/// Then every other one is, until there are so many of those, then every fourth until there are as many again, and so on.
const FURTHER: u64 = 10_000;

/// Most accounts that are open at once: a backlog is not looked at request by request.
const MOST_OPEN: usize = 1 << 16;

/// Buckets of latency an octave.
const BUCKETS: u32 = 8;

/// One frame's account.
#[derive(Clone, Debug, Default)]
struct Account {
    /// Up to when time is accounted for.
    mark: SimTime,
    /// Place and nanoseconds.
    parts: Vec<(u32, u64)>,
    /// Where a recorder follows it.
    at: Followed,
}

impl Account {
    fn add(&mut self, place: u32, nanos: u64) {
        if nanos == 0 {
            return;
        }
        match self.parts.iter_mut().find(|(known, _)| *known == place) {
            Some((_, sum)) => *sum += nanos,
            None => self.parts.push((place, nanos)),
        }
    }

    /// Puts the time since the mark down to `place`.
    fn charge(&mut self, place: u32, now: SimTime) {
        self.add(place, now.since(self.mark).as_nanos());
        self.mark = now;
    }
}

/// The accounts of the frames of some requests, and the breakdown that they add up to.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    on: bool,
    places: Places,
    from: SimTime,
    accounts: Arena<Account>,
    open: usize,
    /// Looks at requests whose draws' name has these bits clear.
    mask: u64,
    /// Requests to complete before the mask grows.
    left: u64,
    breakdowns: Vec<Vec<BreakdownRow>>,
    /// Hears all that accounts are charged with, where requests are followed one by one.
    recorder: Option<Box<Recorder>>,
}

impl Trace {
    /// Looks at a sample of the requests if it is `on`.
    pub(super) fn new(plan: &Blueprint, on: bool) -> Self {
        Self {
            on,
            places: Places::of(plan),
            from: SimTime::ZERO + plan.warmup,
            accounts: Arena::new(),
            open: 0,
            mask: 0,
            left: ALL,
            breakdowns: plan.traffics.iter().map(|_| Vec::new()).collect(),
            recorder: None,
        }
    }

    /// Looks at every request, and follows it span by span.
    pub(super) fn recording(plan: &Blueprint, most: u32) -> Self {
        let recorder = Some(Box::new(Recorder::new(plan, most)));
        Self { left: u64::MAX, recorder, ..Self::new(plan, true) }
    }

    /// How many requests the one that draws by this name stands for; 0 if it is not looked at.
    #[inline]
    pub(super) fn weight(&self, draw_key: u64) -> u32 {
        let looks = self.on && draw_key & self.mask == 0 && self.open < MOST_OPEN;
        if looks { self.mask as u32 + 1 } else { 0 }
    }

    pub(super) fn places(&self) -> Places {
        self.places
    }

    /// Opens the account of a new frame.
    fn begin(&mut self, at: Followed, now: SimTime) -> u32 {
        self.open += 1;
        let (account, row) = self.accounts.claim(Account::default);
        row.parts.clear();
        (row.mark, row.at) = (now, at);
        account
    }

    /// Closes the account of a frame that is gone.
    fn end(&mut self, account: u32) {
        self.open -= 1;
        self.accounts.vacate(account);
    }

    /// Puts the time since the last mark down to `place`.
    fn charge(&mut self, account: u32, place: u32, now: SimTime) {
        self.charge_as(account, place, Some(What::At(place)), now);
    }

    /// The same; a recorder shows it as `what`, or not at all.
    fn charge_as(&mut self, account: u32, place: u32, what: Option<What>, now: SimTime) {
        let account = self.accounts.at(account);
        if let (Some(what), Some(recorder)) = (what, &mut self.recorder) {
            recorder.add_done(account.at, what, account.mark, now);
        }
        account.charge(place, now);
    }

    /// Whether requests are followed one by one.
    #[inline]
    pub(super) fn records(&self) -> bool {
        self.recorder.is_some()
    }

    /// Who follows requests one by one.
    pub(super) fn recorder(&mut self) -> Option<&mut Recorder> {
        self.recorder.as_deref_mut()
    }

    /// Where the frame with this account is followed.
    pub(super) fn followed(&self, account: u32) -> Followed {
        self.accounts.peek(account).at
    }

    /// Up to when the time of an account is accounted for.
    pub(super) fn mark(&self, account: u32) -> SimTime {
        self.accounts.peek(account).mark
    }

    /// When the warm-up ends.
    pub(super) fn measured_from(&self) -> SimTime {
        self.from
    }

    /// `to` goes on with what `from` has accounted for.
    fn copy(&mut self, from: u32, to: u32, mark: SimTime) {
        let parts = std::mem::take(&mut self.accounts.at(from).parts);
        let account = self.accounts.at(to);
        for &(place, nanos) in &parts {
            account.add(place, nanos);
        }
        account.mark = mark;
        self.accounts.at(from).parts = parts;
    }

    /// A request of `traffic`, which stands for `weight`, was answered `nanos` after its start.
    fn complete(&mut self, traffic: u32, weight: u32, account: u32, nanos: u64) {
        let account = self.accounts.peek(account);
        let accounted: u64 = account.parts.iter().map(|(_, part)| part).sum();
        assert_eq!(accounted, nanos, "the parts of a latency must sum to it: {:?}", account.parts);
        let (bucket, low, high) = bucket_of(nanos);
        let rows = &mut self.breakdowns[traffic as usize];
        if rows.len() <= bucket {
            rows.resize(bucket + 1, BreakdownRow::default());
        }
        let row = &mut rows[bucket];
        (row.low, row.high) = (low, high);
        row.requests += u64::from(weight);
        for &(place, part) in &account.parts {
            let part = part.saturating_mul(u64::from(weight));
            match row.nanos.binary_search_by_key(&place, |&(known, _)| known) {
                Ok(at) => row.nanos[at].1 += part,
                Err(at) => row.nanos.insert(at, (place, part)),
            }
        }
        self.left -= 1;
        if self.left == 0 {
            self.mask = (self.mask << 1) | 1;
            self.left = FURTHER;
        }
    }

    /// What is kept of the requests that were followed, of so many that have come.
    pub(super) fn take_recorded(&mut self, offered: u64) -> Recorded {
        self.recorder.take().map_or_else(Recorded::default, |recorder| recorder.into_recorded(offered))
    }

    /// What was found, by traffic.
    pub(super) fn into_breakdowns(self) -> Vec<Breakdown> {
        let kept = |rows: Vec<BreakdownRow>| rows.into_iter().filter(|row| row.requests > 0).collect();
        self.breakdowns.into_iter().map(|rows| Breakdown { rows: kept(rows) }).collect()
    }
}

/// Number and edges of the bucket that holds a latency.
fn bucket_of(nanos: u64) -> (usize, u64, u64) {
    if nanos < u64::from(BUCKETS) {
        return (nanos as usize, nanos, nanos + 1);
    }
    let octave = nanos.ilog2();
    let width = 1_u64 << (octave - BUCKETS.ilog2());
    let step = (nanos >> (octave - BUCKETS.ilog2())) - u64::from(BUCKETS);
    let low = (u64::from(BUCKETS) + step) * width;
    let number = (octave - BUCKETS.ilog2() + 1) * BUCKETS + step as u32;
    (number as usize, low, low.saturating_add(width))
}

impl System<'_> {
    /// Opens the account of a new frame, for which `link` waits.
    #[cold]
    pub(super) fn trace_begin(&mut self, request: u32, link: Link, now: SimTime) -> u32 {
        let records = self.trace.records();
        let at = if records { self.record_frame(request, link, now) } else { Followed::NOWHERE };
        self.trace.begin(at, now)
    }

    /// Closes the account of a frame that ends.
    #[cold]
    pub(super) fn trace_end(&mut self, index: u32, outcome: Outcome, now: SimTime) {
        if self.trace.records() {
            self.record_end(index, outcome, now);
        }
        self.trace.end(self.frames.at(index).account);
    }

    /// The service that a frame runs at.
    fn service_of(&self, frame: &Frame) -> ServiceId {
        ServiceId(self.replicas[frame.replica as usize].service)
    }

    /// The frame has worked, or waited for what is not modelled.
    pub(super) fn trace_work(&mut self, index: u32, now: SimTime) {
        let frame = self.frames.at(index);
        // A client works only on fallbacks.
        let place = match (self.service_of(frame), self.code[frame.pc as usize - 1]) {
            (ServiceId(NONE), _) => self.retries_place(frame),
            (_, Op::Open(pool)) => self.trace.places().pool_wait(pool),
            (service, _) => self.trace.places().work(service),
        };
        self.trace.charge(frame.account, place, now);
    }

    /// The frame's CPU need was met, after `wait` nanoseconds more than the need itself.
    pub(super) fn trace_burst(&mut self, index: u32, wait: u64, now: SimTime) {
        let frame = self.frames.at(index);
        let service = self.service_of(frame);
        let places = self.trace.places();
        let account = frame.account;
        let mark = self.trace.mark(account);
        let waited = Span::from_nanos(wait.min(now.since(mark).as_nanos()));
        self.trace.charge(account, places.cpu_wait(service), mark + waited);
        self.trace.charge(account, places.work(service), now);
    }

    /// The frame has waited for a pool.
    pub(super) fn trace_pool_wait(&mut self, index: u32, instance: u32, now: SimTime) {
        let pool = PoolId(self.instances[instance as usize].pool);
        let account = self.frames.at(index).account;
        self.trace.charge(account, self.trace.places().pool_wait(pool), now);
    }

    /// The frame has waited for units of a rate.
    pub(super) fn trace_rate_wait(&mut self, index: u32, rate: u32, now: SimTime) {
        let account = self.frames.at(index).account;
        if account != NONE {
            self.trace.charge(account, self.trace.places().rate_wait(RateId(rate)), now);
        }
    }

    /// The frame has waited until somebody gave to a volume.
    pub(super) fn trace_volume_wait(&mut self, index: u32, volume: u32, now: SimTime) {
        let account = self.frames.at(index).account;
        if account != NONE {
            self.trace.charge(account, self.trace.places().volume_wait(VolumeId(volume)), now);
        }
    }

    /// The frame has waited for what somebody else fetched for a cache.
    pub(super) fn trace_cache_wait(&mut self, index: u32, cache: u32, now: SimTime) {
        let account = self.frames.at(index).account;
        if account != NONE {
            self.trace.charge(account, self.trace.places().cache_wait(CacheId(cache)), now);
        }
    }

    /// The frame has waited for room on a queue.
    pub(super) fn trace_queue_wait(&mut self, index: u32, queue: u32, now: SimTime) {
        let account = self.frames.at(index).account;
        if account != NONE {
            self.trace.charge(account, self.trace.places().queue_wait(QueueId(queue)), now);
        }
    }

    /// The frame, or the answer that it is, has arrived.
    pub(super) fn trace_network(&mut self, index: u32, now: SimTime) {
        let frame = self.frames.at(index);
        let service = self.service_of(frame);
        self.trace.charge(frame.account, self.trace.places().network(service), now);
    }

    /// An attempt of the call, or a wait before one (`what`), led to nothing.
    pub(super) fn trace_lost(&mut self, index: u32, what: Option<What>, now: SimTime) {
        let frame = self.frames.at(index);
        if frame.account != NONE {
            debug_assert_eq!(frame.kind, Kind::Call, "only calls have attempts");
            let (place, account) = (self.retries_place(frame), frame.account);
            self.trace.charge_as(account, place, what, now);
        }
    }

    /// `waiting` had to wait for `awaited`: it takes over that account.
    #[inline]
    pub(super) fn trace_take_over(&mut self, awaited: u32, waiting: u32, now: SimTime) {
        let account = self.frames.at(waiting).account;
        if account != NONE {
            let awaited = self.frames.at(awaited).account;
            self.trace.copy(awaited, account, now);
        }
    }

    /// `to` goes on with the account of `from`: an answer on its way.
    pub(super) fn trace_hand_over(&mut self, from: u32, to: u32) {
        let account = self.frames.at(to).account;
        if account != NONE {
            let from = self.frames.at(from).account;
            let mark = self.trace.accounts.peek(from).mark;
            self.trace.copy(from, account, mark);
        }
    }

    /// A request that is looked at has its outcome, by `frame`.
    #[cold]
    pub(super) fn trace_outcome(&mut self, request: u32, frame: u32, outcome: Outcome, now: SimTime) {
        let Request { traffic, start, weight, .. } = *self.requests.at(request);
        let account = self.frames.at(frame).account;
        let is_counted = outcome.is_answer() && now >= self.trace.from;
        if is_counted {
            self.trace.complete(traffic, weight, account, now.since(start).as_nanos());
        }
        if self.trace.records() {
            let parts = &self.trace.accounts.peek(account).parts;
            let path = if is_counted { parts.clone() } else { Vec::new() };
            self.record_outcome(request, outcome, path, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_the_axis() {
        let mut last = bucket_of(0);
        assert_eq!(last, (0, 0, 1));
        for nanos in 1..100_000 {
            let (number, low, high) = bucket_of(nanos);
            assert!(low <= nanos && nanos < high, "{nanos} is outside {low}..{high}");
            if number != last.0 {
                assert_eq!((number, low), (last.0 + 1, last.2), "a gap before {nanos}");
            }
            last = (number, low, high);
        }
    }
}

//! Caches at run time: who finds an answer, who fetches it, and who waits for whoever does.
//!
//! The steps that fetch an answer are ordinary step code of whoever misses it. What makes them a fetch is a record
//! among what the frame holds: the last of them stores the answer, and on every other way out the record is given
//! back like a unit of a resource, which tells those who wait. Fetches of a key by those who may wait for each other
//! are a group. When one succeeds, all who wait go on; when it fails, they fail as it did; when it is stopped, the
//! next one in line fetches.
//!
//! Source: Go, `golang.org/x/sync/singleflight`: all callers get the result of one, errors included. That a fetch
//! which is stopped is taken over is what a lock or a lease does: Nishtala et al., *Scaling Memcache at Facebook*,
//! NSDI 2013, section 3.2.1; NGINX, `proxy_cache_lock`.

use std::collections::{BTreeMap, VecDeque};

use sim_core::{Histogram, Population, Present, SimTime, Span, combine, hash_name};

use super::frame::{Arena, FrameKey, Held, Kind, Link, NONE, Request, State};
use super::steps::{Asked, SHORT_LINE, draws_at};
use super::{System, Task, span};
use crate::blueprint::{
    Attribute, Blueprint, CachePlan, Coalesce, FlushPlan, GetId, GetPlan, Op, Outcome, PutId, Spacing,
};
use crate::cache::{Store, Stored, Value};
use crate::observe::CacheObservation;

/// Writes that are remembered at least before those that have arrived are forgotten.
const FEW_WRITES: usize = 1_024;

/// What all stores of a cache share.
#[derive(Clone, Debug)]
struct Row {
    plan: CachePlan,
    /// The store of each replica; where there is one for all, only that.
    stores: Vec<u32>,
    fetching: Population,
    fetch: Histogram,
    waiting: Population,
    wait: Histogram,
    herd: Histogram,
    seen: CacheObservation,
    /// Of a copy that lags behind: when the last write of a key arrives, and until when a user reads elsewhere.
    arriving: BTreeMap<u32, SimTime>,
    pinned: BTreeMap<u32, SimTime>,
    /// How many of both there may be before they are looked through.
    many: usize,
}

impl Row {
    #[inline]
    fn store(&self, replica: u32) -> usize {
        let at = if self.plan.spacing == Spacing::One { 0 } else { replica as usize };
        self.stores[at] as usize
    }
}

/// When what is stored now is no longer fresh, given a draw.
fn expiry(plan: &CachePlan, now: SimTime, draw: f64) -> SimTime {
    let Some(ttl) = plan.ttl else { return SimTime::MAX };
    if plan.jitter <= 0.0 {
        return now.saturating_add(ttl);
    }
    now.saturating_add(span(ttl.as_seconds() * (1.0 + plan.jitter * (2.0 * draw - 1.0))))
}

/// A fetch under way.
#[derive(Clone, Copy, Debug)]
struct Fetch {
    cache: u32,
    store: u32,
    group: u32,
    key: u32,
    since: SimTime,
    /// How good an answer its frame had got before.
    quality: Outcome,
}

/// Fetches of a key by those who may wait for each other.
#[derive(Clone, Debug)]
struct Group {
    cache: u32,
    scope: u32,
    key: u32,
    fetching: u32,
    /// Those who wait; entries of those who have gone go stale with their frame.
    line: VecDeque<FrameKey>,
    waiting: u32,
}

/// Fetches of a key by anybody.
#[derive(Clone, Copy, Debug, Default)]
struct Herd {
    now: u32,
    most: u32,
}

/// The caches of a replication.
#[derive(Clone, Debug)]
pub(super) struct Caches {
    stream: u64,
    rows: Vec<Row>,
    stores: Vec<Store>,
    fetches: Arena<Fetch>,
    groups: Arena<Group>,
    /// By cache, scope and key.
    group_of: BTreeMap<(u32, u32, u32), u32>,
    /// By cache and key.
    herds: BTreeMap<(u32, u32), Herd>,
}

impl Caches {
    /// The group of a fetch under way.
    pub(super) fn group_of_fetch(&self, fetch: u32) -> u32 {
        self.fetches.peek(fetch).group
    }

    pub(super) fn new(plan: &Blueprint, stream: u64) -> Self {
        let new = |plan: &CachePlan| Row {
            plan: plan.clone(),
            stores: Vec::new(),
            fetching: Population::default(),
            fetch: Histogram::default(),
            waiting: Population::default(),
            wait: Histogram::default(),
            herd: Histogram::default(),
            seen: CacheObservation::default(),
            arriving: BTreeMap::new(),
            pinned: BTreeMap::new(),
            many: FEW_WRITES,
        };
        let mut caches = Self {
            stream,
            rows: plan.caches.iter().map(new).collect(),
            stores: Vec::new(),
            fetches: Arena::new(),
            groups: Arena::new(),
            group_of: BTreeMap::new(),
            herds: BTreeMap::new(),
        };
        for cache in 0..caches.rows.len() {
            if caches.rows[cache].plan.spacing == Spacing::One {
                caches.add_store(cache, 0, 0, SimTime::ZERO);
            }
        }
        caches
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A replica of the service is there: its stores are. What there is from the start may be warm.
    pub(super) fn lay_out(&mut self, service: u32, replica: u32, local: u32, now: SimTime) {
        for cache in 0..self.rows.len() {
            if matches!(self.rows[cache].plan.spacing, Spacing::Replica(owner) if owner.0 == service) {
                self.add_store(cache, replica as usize, local, now);
            }
        }
    }

    fn add_store(&mut self, cache: usize, at: usize, number: u32, now: SimTime) {
        let row = &mut self.rows[cache];
        let stream = combine(combine(self.stream, hash_name(&row.plan.path)), u64::from(number));
        let mut store = Store::new(row.plan.evict, row.plan.size, stream);
        if now <= SimTime::ZERO {
            for &key in row.plan.warm.iter() {
                let draw = store.draw();
                store.put(key, Value::until(expiry(&row.plan, now, draw)), false, now);
            }
        }
        if row.stores.len() <= at {
            row.stores.resize(at + 1, NONE);
        }
        row.stores[at] = self.stores.len() as u32;
        self.stores.push(store);
    }

    /// What was in the memory of a replica is gone with it.
    pub(super) fn lose(&mut self, replica: u32, now: SimTime) {
        for row in &self.rows {
            if row.plan.spacing == Spacing::One {
                continue;
            }
            if let Some(&store) = row.stores.get(replica as usize).filter(|store| **store != NONE) {
                self.stores[store as usize].forget(1.0, now);
            }
        }
    }

    /// The cache that a fetch is for.
    pub(super) fn fetched_for(&self, fetch: u32) -> u32 {
        self.fetches.peek(fetch).cache
    }

    /// The cache that a group fetches for.
    pub(super) fn cache_of(&self, group: u32) -> u32 {
        self.groups.peek(group).cache
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(
        &mut self,
        fetching: &[Present],
        waiting: &[Present],
        now: SimTime,
    ) -> Vec<CacheObservation> {
        let Self { rows, stores, .. } = self;
        let close = |(row, (&fetching, &waiting)): (&mut Row, (&Present, &Present))| {
            let own = row.stores.iter().filter(|store| **store != NONE);
            CacheObservation {
                fresh_ns: own.map(|&store| stores[store as usize].take_fresh_ns(now)).sum(),
                fetching: row.fetching.flush(now, fetching),
                fetch: row.fetch.take().compact(),
                waiting: row.waiting.flush(now, waiting),
                wait: row.wait.take().compact(),
                herd: row.herd.take().compact(),
                ..std::mem::take(&mut row.seen)
            }
        };
        rows.iter_mut().zip(fetching.iter().zip(waiting)).map(close).collect()
    }

    /// Bytes of what is remembered.
    pub(super) fn bytes(&self) -> usize {
        let stores: usize = self.stores.iter().map(Store::bytes).sum();
        let writes: usize = self.rows.iter().map(|row| row.arriving.len() + row.pinned.len()).sum();
        stores
            + self.fetches.high_water() * size_of::<Fetch>()
            + self.groups.high_water() * (size_of::<Group>() + 64)
            + writes * 32
    }

    // Changes ----------------------------------------------------------------------------------------------

    /// Other settings hold from now on; what is stored keeps its time.
    pub(super) fn change(&mut self, cache: usize, to: CachePlan, now: SimTime) {
        let Self { rows, stores, .. } = self;
        let row = &mut rows[cache];
        let before = std::mem::replace(&mut row.plan, to);
        for &store in row.stores.iter().filter(|store| **store != NONE) {
            let store = &mut stores[store as usize];
            if before.evict != row.plan.evict {
                store.change_rule(row.plan.evict, now);
            }
            if before.size != row.plan.size {
                store.resize(row.plan.size, now);
            }
        }
    }

    /// Entries go, or expire.
    pub(super) fn empty(&mut self, flush: FlushPlan, now: SimTime) {
        let Self { rows, stores, .. } = self;
        for &store in rows[flush.cache.index()].stores.iter().filter(|store| **store != NONE) {
            let store = &mut stores[store as usize];
            if flush.expires {
                store.expire(flush.share, now);
            } else {
                store.forget(flush.share, now);
            }
        }
    }

    // Groups -----------------------------------------------------------------------------------------------

    fn group(&mut self, cache: u32, scope: u32, key: u32) -> u32 {
        if let Some(&group) = self.group_of.get(&(cache, scope, key)) {
            return group;
        }
        let new = Group { cache, scope, key, fetching: 0, line: VecDeque::new(), waiting: 0 };
        let group = self.groups.insert(new);
        self.group_of.insert((cache, scope, key), group);
        group
    }

    /// Whether somebody of the group fetches the key already.
    fn is_fetched(&self, cache: u32, scope: u32, key: u32) -> bool {
        self.group_of.get(&(cache, scope, key)).is_some_and(|&group| self.groups.peek(group).fetching > 0)
    }

    /// A fetch has ended, one way or another.
    fn end(&mut self, fetch: u32, now: SimTime) -> Fetch {
        let fetch = self.fetches.remove(fetch);
        let row = &mut self.rows[fetch.cache as usize];
        row.fetching.leave(fetch.since, now);
        self.groups.at(fetch.group).fetching -= 1;
        if let Some(herd) = self.herds.get_mut(&(fetch.cache, fetch.key)) {
            herd.now -= 1;
            if herd.now == 0 {
                row.seen.herds += 1;
                row.seen.herd_sum += u64::from(herd.most);
                row.herd.record(u64::from(herd.most));
                self.herds.remove(&(fetch.cache, fetch.key));
            }
        }
        fetch
    }

    fn forget_if_idle(&mut self, group: u32) {
        let row = self.groups.at(group);
        if row.fetching == 0 && row.waiting == 0 {
            row.line = VecDeque::new();
            let name = (row.cache, row.scope, row.key);
            self.group_of.remove(&name);
            self.groups.remove(group);
        }
    }
}

impl System<'_> {
    /// A `get` or a `put`, or the end of a fetch.
    #[inline(never)]
    pub(super) fn look_up(&mut self, index: u32, pc: u32, now: SimTime) -> Asked {
        match self.code[pc as usize] {
            Op::Get(id) => self.get(index, id, pc, now),
            Op::Fetched(id) => self.fetched(index, id, pc, now),
            Op::Put(id) => self.put(index, id, pc, now),
            other => unreachable!("{other:?} has nothing to do with caches"),
        }
    }

    fn get(&mut self, index: u32, id: GetId, pc: u32, now: SimTime) -> Asked {
        let site = self.plan.gets[id.index()];
        let cache = site.cache.index();
        let key = self.value(index, site.by);
        if self.caches.rows[cache].plan.copy.is_some() {
            return self.read_copy(index, site, key, now);
        }
        let frame = self.frames.at(index);
        let scope = self.scope_of(cache, frame.replica);
        let Caches { rows, stores, .. } = &mut self.caches;
        let row = &mut rows[cache];
        row.seen.gets += 1;
        let store = row.store(frame.replica);
        let grace = row.plan.stale_while.unwrap_or(Span::ZERO);
        let found = stores[store].get(key, grace, now);
        let Some(value) = found.filter(|value| value.expires > now || value.outcome.is_answer()) else {
            row.seen.misses += 1;
            return self.miss(index, cache, store as u32, scope, key, now);
        };
        if !value.outcome.is_answer() {
            row.seen.negative_hits += 1;
            return Asked::Refused(value.outcome);
        }
        if value.expires > now {
            let mut draws = draws_at(frame, self.plan.salts[pc as usize]);
            if let Some(beta) = row.plan.early {
                let ahead = value.fetched_in.as_seconds() * beta * -draws.open_unit().ln();
                let coordinated = row.plan.coalesce != Coalesce::None;
                if now.saturating_add(span(ahead)) >= value.expires
                    && !(coordinated && self.caches.is_fetched(cache as u32, scope, key))
                {
                    self.caches.rows[cache].seen.early += 1;
                    let group = self.caches.group(cache as u32, scope, key);
                    self.begin_fetch(index, cache as u32, store as u32, group, key, now);
                    return Asked::Got;
                }
            }
            let row = &mut self.caches.rows[cache];
            row.seen.hits += 1;
            if row.plan.renews {
                let expires = expiry(&row.plan, now, draws.unit());
                self.caches.stores[store].renew(key, expires, now);
            }
        } else {
            row.seen.stale_hits += 1;
            self.refresh(index, site, store as u32, scope, key, pc, now);
        }
        let frame = self.frames.at_mut(index);
        frame.quality = frame.quality.max(value.outcome);
        frame.pc = site.hit.0;
        Asked::Got
    }

    /// Those who share fetches with a replica.
    fn scope_of(&self, cache: usize, replica: u32) -> u32 {
        let row = &self.caches.rows[cache];
        match row.plan.coalesce {
            Coalesce::None => row.store(replica) as u32,
            Coalesce::Replica => replica,
            Coalesce::Service => match self.replicas[replica as usize].service {
                NONE => NONE - replica, // Clients are nobody's service.
                service => service,
            },
            Coalesce::Cluster => 0,
        }
    }

    /// The answer is not there: the frame fetches it, or waits for whoever does.
    fn miss(&mut self, index: u32, cache: usize, store: u32, scope: u32, key: u32, now: SimTime) -> Asked {
        let group = self.caches.group(cache as u32, scope, key);
        let row = &mut self.caches.rows[cache];
        let place = self.caches.groups.at(group);
        if row.plan.coalesce == Coalesce::None || place.fetching == 0 {
            self.begin_fetch(index, cache as u32, store, group, key, now);
            return Asked::Got;
        }
        place.line.push_back(self.frames.key_of(index));
        place.waiting += 1;
        row.waiting.enter(now);
        let frame = self.frames.at_mut(index);
        frame.state = State::Awaiting;
        frame.at = group;
        frame.since = now;
        Asked::Queued
    }

    fn begin_fetch(&mut self, index: u32, cache: u32, store: u32, group: u32, key: u32, now: SimTime) {
        let frame = self.frames.at_mut(index);
        // How good its answer is depends on what fetches it, not on what the frame has done before.
        let quality = std::mem::replace(&mut frame.quality, Outcome::OK);
        let fetch = self.caches.fetches.insert(Fetch { cache, store, group, key, since: now, quality });
        let (outer, connection) = (frame.holds, NONE);
        let held = Held { instance: NONE, units: fetch, in_use: 0, since: now, outer, connection };
        frame.holds = self.held.insert(held);
        let row = &mut self.caches.rows[cache as usize];
        row.fetching.enter(now);
        self.caches.groups.at(group).fetching += 1;
        let others = self.caches.herds.entry((cache, key)).or_default();
        others.now += 1;
        others.most = others.most.max(others.now);
        row.seen.herd_max = row.seen.herd_max.max(u64::from(others.now));
    }

    /// Fetches an answer anew on nobody's behalf, unless somebody does already.
    #[expect(clippy::too_many_arguments, reason = "all that a get knows")]
    fn refresh(
        &mut self,
        index: u32,
        site: GetPlan,
        store: u32,
        scope: u32,
        key: u32,
        pc: u32,
        now: SimTime,
    ) {
        let cache = site.cache.0;
        let Some(entry) = site.refresh.filter(|_| !self.caches.is_fetched(cache, scope, key)) else { return };
        let asker = *self.frames.at(index);
        let Request { label, class, .. } = *self.requests.at(asker.request);
        let request = self.requests.insert(Request { label, class, ..Request::blank() }).index();
        let draw_key = draws_at(&asker, self.plan.salts[pc as usize]).next_u64();
        let (child, frame) = self.open_frame(request, Link::NOBODY, now);
        frame.pc = entry.0;
        frame.replica = asker.replica;
        frame.call = asker.call;
        frame.draw_key = draw_key;
        frame.depth = asker.depth;
        frame.kind = Kind::Refresher;
        self.occupy(asker.replica, now);
        self.caches.rows[cache as usize].seen.refreshes += 1;
        let group = self.caches.group(cache, scope, key);
        self.begin_fetch(child, cache, store, group, key, now);
        self.ready.add(Task::Run(self.frames.key_of(child)));
    }

    // Ends of a fetch --------------------------------------------------------------------------------------

    /// The frame has fetched an answer: it is stored, and those who wait for it go on.
    fn fetched(&mut self, index: u32, id: GetId, pc: u32, now: SimTime) -> Asked {
        let site = self.plan.gets[id.index()];
        let frame = self.frames.at_mut(index);
        let held = self.held.remove(frame.holds);
        assert!(held.instance == NONE, "what is held last is the fetch that has succeeded");
        frame.holds = held.outer;
        let fetch = self.caches.end(held.units, now);
        let outcome = frame.quality;
        frame.quality = outcome.max(fetch.quality);
        let draw = draws_at(frame, self.plan.salts[pc as usize]).unit();
        let Caches { rows, stores, .. } = &mut self.caches;
        let row = &mut rows[site.cache.index()];
        let fetched_in = now.since(fetch.since);
        row.fetch.record(fetched_in.as_nanos());
        let value = Value { expires: expiry(&row.plan, now, draw), fetched_in, outcome };
        let stored = stores[fetch.store as usize].put(fetch.key, value, row.plan.adds, now);
        let refuses = row.plan.refuses;
        self.count_stored(site.cache.index(), stored);
        self.hand_out(&fetch, value, now);
        if stored == Stored::Refused && refuses { Asked::Refused(Outcome::REJECTED) } else { Asked::Got }
    }

    fn count_stored(&mut self, cache: usize, stored: Stored) {
        let seen = &mut self.caches.rows[cache].seen;
        match stored {
            Stored::Added | Stored::Replaced => seen.stored += 1,
            Stored::Evicted => {
                seen.stored += 1;
                seen.evictions += 1;
            }
            Stored::Kept => {}
            Stored::Refused => seen.refused += 1,
        }
    }

    /// Those who wait for a fetch go on with what it found.
    fn hand_out(&mut self, fetch: &Fetch, value: Value, now: SimTime) {
        let mut line = std::mem::take(&mut self.caches.groups.at(fetch.group).line);
        for key in line.drain(..) {
            let Some(since) = self.stop_waiting(key, fetch.group, now) else { continue };
            let index = key.index();
            let frame = self.frames.at_mut(index);
            frame.quality = frame.quality.max(value.outcome);
            let replica = frame.replica;
            let Op::Get(id) = self.code[frame.pc as usize - 1] else {
                unreachable!("only a get waits for a fetch")
            };
            frame.pc = self.plan.gets[id.index()].exit.0;
            let row = &mut self.caches.rows[fetch.cache as usize];
            row.seen.coalesced += 1;
            row.wait.record(now.since(since).as_nanos());
            let store = row.store(replica);
            if store != fetch.store as usize {
                let adds = row.plan.adds;
                let stored = self.caches.stores[store].put(fetch.key, value, adds, now);
                self.count_stored(fetch.cache as usize, stored);
            }
            self.end_if_late(index, now);
        }
        self.caches.groups.at(fetch.group).line = line; // Keeps its room.
        self.caches.forget_if_idle(fetch.group);
    }

    /// The frame, if it still waits in the group, goes on when it is its turn. Returns since when it has waited.
    fn stop_waiting(&mut self, key: FrameKey, group: u32, now: SimTime) -> Option<SimTime> {
        let frame = self.frames.get_mut(key)?;
        if frame.state != State::Awaiting || frame.at != group {
            return None;
        }
        frame.state = State::Ready;
        let since = frame.since;
        let row = self.caches.groups.at(group);
        row.waiting -= 1;
        let cache = row.cache;
        self.caches.rows[cache as usize].waiting.leave(since, now);
        self.ready.add(Task::Run(key));
        self.trace_cache_wait(key.index(), cache, now);
        Some(since)
    }

    /// A fetch has ended without an answer, because its frame ends with `outcome`.
    #[cold]
    pub(super) fn end_fetch(&mut self, fetch: u32, outcome: Outcome, now: SimTime) {
        let fetch = self.caches.end(fetch, now);
        let stopped = matches!(outcome, Outcome::CANCELLED | Outcome::LOST);
        let Caches { rows, stores, .. } = &mut self.caches;
        let row = &mut rows[fetch.cache as usize];
        row.seen.fetch_failures += 1;
        if let Some(time) = row.plan.negative.filter(|_| !stopped && !outcome.is_answer()) {
            let store = &mut stores[fetch.store as usize];
            let grace = row.plan.stale_while.unwrap_or(Span::ZERO);
            let is_better =
                |value: Value| value.outcome.is_answer() && value.expires.saturating_add(grace) > now;
            if !store.peek(fetch.key).is_some_and(is_better) {
                let expires = now.saturating_add(time);
                let value = Value { expires, fetched_in: now.since(fetch.since), outcome };
                let stored = store.put(fetch.key, value, false, now);
                self.count_stored(fetch.cache as usize, stored);
            }
        }
        if self.caches.groups.at(fetch.group).fetching == 0 {
            if stopped {
                self.pass_on_fetch(&fetch, now);
            } else {
                self.fail_group(&fetch, outcome, now);
            }
        }
        self.caches.forget_if_idle(fetch.group);
    }

    /// Those who wait fail as the fetch did.
    fn fail_group(&mut self, fetch: &Fetch, outcome: Outcome, now: SimTime) {
        while let Some(key) = self.caches.groups.at(fetch.group).line.pop_front() {
            if self.stop_waiting(key, fetch.group, now).is_some() {
                let frame = self.frames.at_mut(key.index());
                frame.pc = self.end_address;
                frame.outcome = outcome;
                self.caches.rows[fetch.cache as usize].seen.failed += 1;
            }
        }
    }

    /// The first of those who wait fetches what nobody fetches any more.
    fn pass_on_fetch(&mut self, fetch: &Fetch, now: SimTime) {
        while let Some(key) = self.caches.groups.at(fetch.group).line.pop_front() {
            if self.stop_waiting(key, fetch.group, now).is_none() {
                continue;
            }
            let index = key.index();
            if self.deadlines.has_passed(key, now) {
                self.end_if_late(index, now);
                self.caches.rows[fetch.cache as usize].seen.failed += 1;
                continue;
            }
            let replica = self.frames.at(index).replica;
            let store = self.caches.rows[fetch.cache as usize].store(replica) as u32;
            self.begin_fetch(index, fetch.cache, store, fetch.group, fetch.key, now);
            return;
        }
    }

    /// Takes a frame out of the group that it waits in. Returns where that is counted.
    pub(super) fn leave_herd(&mut self, index: u32, now: SimTime) -> &mut CacheObservation {
        let frame = self.frames.at_mut(index);
        frame.state = State::Ready;
        let (group, since) = (frame.at, frame.since);
        let row = self.caches.groups.at(group);
        row.waiting -= 1;
        let cache = row.cache as usize;
        if row.line.len() > SHORT_LINE && row.line.len() > 2 * row.waiting as usize {
            let frames = &self.frames;
            row.line.retain(|&key| frames.get(key).is_some_and(|frame| frame.state == State::Awaiting));
        }
        let row = &mut self.caches.rows[cache];
        row.waiting.leave(since, now);
        &mut row.seen
    }

    // Writes -----------------------------------------------------------------------------------------------

    /// Reads from a copy that lags behind, or from what it follows.
    fn read_copy(&mut self, index: u32, site: GetPlan, key: u32, now: SimTime) -> Asked {
        let user = self.value(index, Attribute::User);
        let row = &mut self.caches.rows[site.cache.index()];
        row.seen.gets += 1;
        let is_later = |time: Option<&SimTime>| time.is_some_and(|time| *time > now);
        if is_later(row.pinned.get(&user)) {
            row.seen.misses += 1;
            return Asked::Got;
        }
        row.seen.hits += 1;
        let frame = self.frames.at_mut(index);
        if is_later(row.arriving.get(&key)) {
            row.seen.stale_reads += 1;
            frame.quality = frame.quality.max(Outcome::STALE);
        }
        frame.pc = site.hit.0;
        Asked::Got
    }

    fn put(&mut self, index: u32, id: PutId, pc: u32, now: SimTime) -> Asked {
        let site = self.plan.puts[id.index()];
        let key = self.value(index, site.by);
        let user = self.value(index, Attribute::User);
        let frame = self.frames.at(index);
        let mut draws = draws_at(frame, self.plan.salts[pc as usize]);
        let replica = frame.replica;
        let Caches { rows, stores, .. } = &mut self.caches;
        let row = &mut rows[site.cache.index()];
        row.seen.puts += 1;
        if let Some(copy) = &row.plan.copy {
            // Writes of a key arrive in their order.
            let arrives = now.saturating_add(span(copy.lag.sample(&mut draws)));
            let last = row.arriving.entry(key).or_insert(arrives);
            *last = (*last).max(arrives);
            if let Some(time) = copy.pin_writer {
                row.pinned.insert(user, now.saturating_add(time));
            }
            if row.arriving.len() + row.pinned.len() > row.many {
                row.arriving.retain(|_, arrives| *arrives > now);
                row.pinned.retain(|_, until| *until > now);
                row.many = FEW_WRITES + 2 * (row.arriving.len() + row.pinned.len());
            }
            return Asked::Got;
        }
        let store = &mut stores[row.store(replica)];
        if site.removes {
            store.remove(key, now);
            return Asked::Got;
        }
        let value = Value::until(expiry(&row.plan, now, draws.unit()));
        let stored = store.put(key, value, false, now);
        let refuses = row.plan.refuses;
        self.count_stored(site.cache.index(), stored);
        if stored == Stored::Refused && refuses { Asked::Refused(Outcome::REJECTED) } else { Asked::Got }
    }
}

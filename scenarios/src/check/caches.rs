//! Caches, the steps that look into them, and events that empty them.

use std::sync::Arc;

use models::attribute::Spread;
use models::blueprint::{
    Attribute, CacheId, CachePlan, Coalesce, CopyPlan, EvictRule, FlushPlan, ServiceId, Spacing,
};
use sim_core::Span;

use super::{Checker, services_of, span};
use crate::diagnostic::Diagnostic;
use crate::scenario::Step;
use crate::spec::{
    At, ByWord, CacheSpec, CoalesceWord, EventSpec, EvictWord, ExpireWord, GetStep, Name, Named,
    OnFullCacheWord, PlaceSpec, PutStep, StoreWord, Time,
};
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

/// What is known of a cache beside its plan.
pub(super) struct CacheNote<'a> {
    spec: &'a CacheSpec,
    /// The service in which it is, or whose replicas share it.
    owner: Option<ServiceId>,
    /// What its answers are known by, as its first step says.
    by: Option<Attribute>,
}

impl<'a> Checker<'a> {
    /// Makes the caches, by name. What they cannot be is told; they are there all the same.
    pub(super) fn all_caches(&mut self) {
        for entry in self.spec.caches.iter().flat_map(Named::sorted) {
            let Some(spec) = &entry.value else { continue };
            let owner = spec.at.as_ref().and_then(|at| self.owner_of_cache(at));
            let mut plan = CachePlan::named(&entry.name);
            if let (Some(service), Some(At { value: PlaceSpec::Named(_), .. })) = (owner, &spec.at) {
                plan.spacing = Spacing::Replica(service);
            }
            if spec.follows.is_some() {
                self.copy(&mut plan, spec);
            } else {
                self.store(&mut plan, spec);
            }
            self.caches.push(plan);
            self.cache_notes.push(CacheNote { spec, owner, by: None });
        }
    }

    fn owner_of_cache(&mut self, at: &At<PlaceSpec>) -> Option<ServiceId> {
        let name = match &at.value {
            PlaceSpec::Named(name) if name == "cluster" => return None,
            PlaceSpec::Named(name) | PlaceSpec::Shared(name) => name.as_str(),
        };
        let service = self.services.get(name).copied();
        if service.is_none() {
            let known = || self.services.keys().copied();
            let help = did_you_mean(name, known().chain(["cluster"]))
                .unwrap_or_else(|| format!("the services are {}", listed(known())));
            self.error(at.place, format!("there is no service {}", quoted(name)), help);
        }
        service
    }

    /// A cache that is filled by those who miss.
    fn store(&mut self, plan: &mut CachePlan, spec: &'a CacheSpec) {
        if let Some(lag) = &spec.lag {
            self.error(lag.place, "`lag` needs `follows`", "say whose data it has a copy of: `follows: db`");
        }
        if let Some(pin) = &spec.pin_writer {
            self.error(
                pin.place,
                "`pin_writer` needs `follows`",
                "say whose data it has a copy of: `follows: db`",
            );
        }
        let place = |at: &Option<At<Time>>| at.as_ref().map(|at| at.place);
        let needs_time = [
            ("jitter", (spec.jitter.value.fraction > 0.0).then_some(spec.jitter.place)),
            ("stale_while", place(&spec.stale_while)),
            ("early", spec.early.as_ref().map(|at| at.place)),
            ("expire", (spec.expire.value == ExpireWord::AfterAccess).then_some(spec.expire.place)),
        ];
        for (key, place) in needs_time.into_iter().filter_map(|(key, place)| Some((key, place?))) {
            if spec.ttl.is_none() {
                let help = "say how long an entry is fresh: `ttl: 60s`";
                self.error(place, format!("`{key}` needs a `ttl`: without, nothing ever expires"), help);
            }
        }
        for time in [&spec.ttl, &spec.stale_while, &spec.negative].into_iter().flatten() {
            if time.value.seconds <= 0.0 {
                self.error(time.place, "this is no time at all", "write `60s`, or leave it out");
            }
        }
        if let Some(early) = spec.early.as_ref().filter(|early| early.value.number <= 0.0) {
            self.error(early.place, "with this factor nobody is ever early", "write `early: 1`");
        }
        if let (Some(evict), None) = (&spec.evict, &spec.size) {
            let help = "say how many entries there is room for: `size: 100k`";
            self.error(evict.place, "`evict` needs a `size`: without, nothing has to make room", help);
        }
        let rule = spec.evict.as_ref().map_or(EvictWord::Lru, |evict| evict.value);
        if let Some(full) = spec.on_full.as_ref().filter(|_| rule != EvictWord::None) {
            let help = "write `evict: none`, or leave it out: otherwise another entry makes room";
            self.error(full.place, "`on_full` needs `evict: none`", help);
        }
        plan.size = spec.size.as_ref().map_or(u32::MAX, |size| size.value.count);
        plan.evict = match rule {
            EvictWord::Lru => EvictRule::Lru,
            EvictWord::Lfu => EvictRule::Lfu,
            EvictWord::Fifo => EvictRule::Fifo,
            EvictWord::Random => EvictRule::Random,
            EvictWord::None => EvictRule::None,
        };
        plan.ttl = spec.ttl.as_ref().and_then(span).filter(|ttl| *ttl > Span::ZERO);
        plan.jitter = spec.jitter.value.fraction;
        plan.renews = spec.expire.value == ExpireWord::AfterAccess;
        plan.adds = spec.store.value == StoreWord::Add;
        plan.refuses = spec.on_full.as_ref().is_some_and(|full| full.value == OnFullCacheWord::Fail);
        plan.coalesce = match spec.coalesce.value {
            CoalesceWord::None => Coalesce::None,
            CoalesceWord::Replica => Coalesce::Replica,
            CoalesceWord::Service => Coalesce::Service,
            CoalesceWord::Cluster => Coalesce::Cluster,
        };
        plan.stale_while = spec.stale_while.as_ref().and_then(span);
        plan.early = spec.early.as_ref().map(|early| early.value.number);
        plan.negative = spec.negative.as_ref().and_then(span);
    }

    /// A copy of a service's data.
    fn copy(&mut self, plan: &mut CachePlan, spec: &'a CacheSpec) {
        let Some(follows) = &spec.follows else { return };
        let name = follows.value.0.as_str();
        let place = |at: &Option<At<Time>>| at.as_ref().map(|at| at.place);
        let said: [(&str, Option<Place>); 13] = [
            ("at", spec.at.as_ref().map(|at| at.place)),
            ("size", spec.size.as_ref().map(|at| at.place)),
            ("evict", spec.evict.as_ref().map(|at| at.place)),
            ("ttl", place(&spec.ttl)),
            ("jitter", (spec.jitter.value.fraction > 0.0).then_some(spec.jitter.place)),
            ("expire", (spec.expire.value == ExpireWord::AfterAccess).then_some(spec.expire.place)),
            ("store", (spec.store.value == StoreWord::Add).then_some(spec.store.place)),
            ("on_full", spec.on_full.as_ref().map(|at| at.place)),
            ("coalesce", (spec.coalesce.value != CoalesceWord::None).then_some(spec.coalesce.place)),
            ("stale_while", place(&spec.stale_while)),
            ("early", spec.early.as_ref().map(|at| at.place)),
            ("negative", place(&spec.negative)),
            ("warm", spec.warm.as_ref().map(|at| at.place)),
        ];
        for (key, place) in said.into_iter().filter_map(|(key, place)| Some((key, place?))) {
            let help =
                "leave it out, or put a cache of its own in front: a `get` in its `hit` or `miss` steps";
            self.error(place, format!("a copy of all of `{name}` has no `{key}`"), help);
        }
        let service = self.services.get(name).copied();
        if service.is_none() {
            let known = || self.services.keys().copied();
            let help = did_you_mean(name, known())
                .unwrap_or_else(|| format!("the services are {}", listed(known())));
            self.error(follows.place, format!("there is no service {}", quoted(name)), help);
        }
        match (&spec.pin_writer, &spec.miss) {
            (Some(pin), None) => {
                let help = format!("say what that takes: `miss: [{{call: {name}.read}}]`");
                self.error(pin.place, format!("whoever has written reads from `{name}`"), help);
            }
            (None, Some(_)) => {
                let help = "give it `pin_writer: 5s`, or say in `hit` what reading from the copy takes";
                self.error(follows.place, "nothing is ever missing in a copy, so `miss` is never done", help);
            }
            _ => {}
        }
        if let Some(pin) = &spec.pin_writer {
            self.attribute(&At { value: ByWord::User, place: pin.place });
        }
        let Some(lag) = &spec.lag else {
            self.error(follows.place, "it is not said how far behind it is", "write `lag: 2s`");
            return;
        };
        let pin_writer = spec.pin_writer.as_ref().and_then(span);
        if let (Some(lag), Some(follows)) = (self.distribution(lag), service) {
            plan.copy = Some(Box::new(CopyPlan { follows, lag, pin_writer }));
        }
    }

    // Steps ------------------------------------------------------------------------------------------------

    fn cache_named(&mut self, service: &str, at: &At<Name>) -> Option<CacheId> {
        let name = at.value.0.as_str();
        let found = self.caches.iter().position(|cache| cache.name == name);
        let Some(found) = found else {
            let could_not_be_read =
                self.spec.caches.iter().flat_map(|caches| &caches.entries).any(|entry| entry.name == name);
            if !could_not_be_read {
                let known = || self.caches.iter().map(|cache| cache.name.as_str());
                let help = match did_you_mean(name, known()) {
                    Some(guess) => guess,
                    None if self.caches.is_empty() => {
                        format!("add it to `caches`: `{name}: {{ttl: 60s, miss: [...]}}`")
                    }
                    None => format!("the caches are {}", listed(known())),
                };
                self.error(at.place, format!("there is no cache {}", quoted(name)), help);
            }
            return None;
        };
        if let Some(owner) = self.cache_notes[found].owner
            && self.services.get(service) != Some(&owner)
        {
            let owner = services_of(self.spec)[owner.index()].name.clone();
            let message = format!("`{name}` is a cache of `{owner}`, so `{service}` cannot look into it");
            let help = format!("do it in a step of `{owner}`, or leave `at` out: then there is one for all");
            self.error(at.place, message, help);
            return None;
        }
        Some(CacheId(found as u32))
    }

    fn known_by(&mut self, cache: CacheId, key: Option<&At<ByWord>>, place: Place) -> Option<Attribute> {
        let by =
            key.map_or(At { value: ByWord::Key, place }, |key| At { value: key.value, place: key.place });
        let by = self.attribute(&by)?;
        self.cache_notes[cache.index()].by.get_or_insert(by);
        Some(by)
    }

    /// A `get` step of `service`.
    pub(super) fn get(&mut self, service: &str, step: &GetStep) -> Option<Step> {
        let cache = self.cache_named(service, &step.get)?;
        let by = self.known_by(cache, step.key.as_ref(), step.get.place);
        if self.within.contains(&cache) {
            let message =
                format!("`{}` would be looked into to fetch what is missing in it", step.get.value.0);
            self.error(
                step.get.place,
                message,
                "its `miss` steps have to get the answer from somewhere else",
            );
            return None;
        }
        let spec = self.cache_notes[cache.index()].spec;
        self.within.push(cache);
        let told = self.sink.list.len();
        let mut steps = |steps: &'a Option<crate::spec::List<_>>| {
            steps.as_ref().map(|steps| self.steps(service, &steps.items)).unwrap_or_default()
        };
        let (hit, miss) = (steps(&spec.hit), steps(&spec.miss));
        self.within.pop();
        // The steps are looked at for each `get`; what is wrong with them is told once.
        let fresh: Vec<Diagnostic> = self.sink.list.split_off(told.min(self.sink.list.len()));
        for diagnostic in fresh {
            if !self.sink.list.contains(&diagnostic) {
                self.sink.list.push(diagnostic);
            }
        }
        Some(Step::Get { cache, by: by?, hit, miss })
    }

    /// A `put` step of `service`.
    pub(super) fn put(&mut self, service: &str, step: &PutStep) -> Option<Step> {
        let cache = self.cache_named(service, &step.put)?;
        let by = self.known_by(cache, step.key.as_ref(), step.put.place)?;
        let removes = step.remove.value.on;
        if removes && self.cache_notes[cache.index()].spec.follows.is_some() {
            let help = "leave `remove` out: a write is there when the `lag` has passed";
            self.error(step.remove.place, "nothing is removed from a copy", help);
            return None;
        }
        Some(Step::Put { cache, by, removes })
    }

    // The start, and events --------------------------------------------------------------------------------

    /// Fills caches that are warm at the start with the most popular keys.
    pub(super) fn warm_up(&mut self) {
        for cache in 0..self.caches.len() {
            let CacheNote { spec, by, .. } = self.cache_notes[cache];
            let Some(warm) = &spec.warm else { continue };
            let (share, by) = (warm.value.fraction, by.unwrap_or(Attribute::Key));
            let spread = self.traffic_specs().collect::<Vec<_>>().into_iter().find_map(|traffic| {
                let attributes = self.attributes(traffic);
                match by {
                    Attribute::Key => attributes.key,
                    Attribute::Tenant => attributes.tenant,
                    Attribute::User => attributes.user,
                    Attribute::Class => None,
                }
            });
            let Some(spread) = spread else {
                let help = "give a traffic `attributes: {key: {zipf: {s: 1, n: 100k}}}`";
                self.error(warm.place, "it is not known which keys are popular", help);
                continue;
            };
            let most = self.caches[cache].size;
            let ranked = spread.most_popular(most);
            // Without a limit, the room is for all keys there are.
            let room = if most == u32::MAX { ranked.len() as f64 } else { f64::from(most) };
            let keep = ((share * room).round() as usize).min(ranked.len());
            self.caches[cache].warm = Arc::from(&ranked[..keep]);
        }
    }

    /// What a cache loses in an event.
    pub(super) fn flush(&mut self, event: &EventSpec) -> Option<FlushPlan> {
        let (name, share, expires) = match event {
            EventSpec::Flush(event) => (&event.flush, &event.share, false),
            EventSpec::Expire(event) => (&event.expire, &event.share, true),
            _ => return None,
        };
        let known = || self.caches.iter().map(|cache| cache.name.as_str());
        let Some(cache) = self.caches.iter().position(|cache| cache.name == name.value.0) else {
            let help = did_you_mean(&name.value.0, known())
                .unwrap_or_else(|| format!("the caches are {}", listed(known())));
            self.error(name.place, format!("there is no cache {}", quoted(&name.value.0)), help);
            return None;
        };
        if self.caches[cache].copy.is_some() {
            let help = "to let it lag further behind, write `set: {caches.replica.lag: 30s}`";
            self.error(name.place, "a copy that follows a service has nothing to empty", help);
            return None;
        }
        Some(FlushPlan { cache: CacheId(cache as u32), share: share.value.fraction, expires })
    }
}

/// The most popular values of an attribute.
trait Ranked {
    /// At most so many of them, the most popular first.
    fn most_popular(&self, most: u32) -> Vec<u32>;
}

impl Ranked for Spread {
    fn most_popular(&self, most: u32) -> Vec<u32> {
        match self {
            Self::Zipf(law) => (0..law.ranks().min(most)).collect(),
            Self::Uniform(values) => (0..(*values).min(most)).collect(),
            Self::Shares(shares) => {
                let mut below = 0.0;
                let mut ranked: Vec<(f64, u32)> = shares
                    .iter()
                    .map(|&(to, value)| (to - std::mem::replace(&mut below, to), value))
                    .collect();
                ranked.retain(|(share, _)| *share > 0.0);
                ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                ranked.into_iter().take(most as usize).map(|(_, value)| value).collect()
            }
        }
    }
}

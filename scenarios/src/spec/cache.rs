//! Caches as written, and events that empty them.

use serde_json::{Value as Json, json};

use super::{
    At, ByWord, Definitions, DistributionSpec, Flag, List, Name, Number, Positive, Share, Sink, Spec,
    StepSpec, Time, TimingSpec, defined, spec, words,
};
use crate::tree::{Node, Value};

spec! {
    /// A keyed, expiring, bounded memory of answers; with `follows` a copy of a service's data that lags behind.
    CacheSpec: "a cache" {
        /// Where it is: a service (each of its replicas has one), `{service: web}` (its replicas share one), or
        /// `cluster` (there is one for all).
        at: Option<At<PlaceSpec>> => "`cluster`" ("Redis and memcached are servers of their own"),
        /// Most entries of each.
        size: Option<At<Positive>> => "no limit" ("Redis, maxmemory 0"),
        /// Which entry makes room for a new one.
        evict: Option<At<EvictWord>> => "`lru`" ("memcached"),
        /// How long an entry is fresh.
        ttl: Option<At<Time>> => "for ever" ("Redis, SET without EX"),
        /// How much longer or shorter that is for each entry, at most.
        jitter: At<Share> = "0%" ("Redis, EX is exact"),
        /// From when on the `ttl` counts.
        expire: At<ExpireWord> = "after_write" ("Redis, EX"),
        /// What becomes of an answer that was fetched while somebody else has stored one.
        store: At<StoreWord> = "set" ("Redis, SET"),
        /// `evict: none`: what becomes of a request whose answer finds no room.
        on_full: Option<At<OnFullCacheWord>> => "`ignore`" ("Rails, RedisCacheStore: errors of the cache are logged, not raised"),
        /// Among whom one fetches what is missing while the others wait for it.
        coalesce: At<CoalesceWord> = "none" ("Redis and memcached clients: everybody fetches what they miss"),
        /// How long an entry is used beyond its time, while it is fetched anew on nobody's behalf.
        stale_while: Option<At<Time>> => "not at all" ("RFC 5861, stale-while-revalidate"),
        /// The factor beta by which entries are fetched anew before their time, with a probability that grows.
        early: Option<At<Number>> => "nobody does" ("XFetch, with 1: Vattani et al., VLDB 2015"),
        /// How long it is remembered that fetching an answer failed: requests then fail at once.
        negative: Option<At<Time>> => "not at all" ("Caffeine: nothing is stored when loading fails"),
        /// Share of the room that the most popular keys fill at the start.
        warm: Option<At<Share>> => "it is empty" ("Redis and memcached after a restart"),
        /// What using an answer takes.
        hit: Option<List<StepSpec>> => "nothing" (""),
        /// What fetching an answer takes, in the hands of whoever misses it. With `pin_writer`: what reading from the
        /// service itself takes.
        miss: Option<List<StepSpec>> => "nothing" (""),
        /// The service whose data it has a copy of.
        follows: Option<At<Name>> => "it is filled by those who miss" (""),
        /// `follows`: how long a write takes to arrive.
        lag: Option<DistributionSpec<Time>>,
        /// `follows`: for how long whoever has written reads from the service itself.
        pin_writer: Option<At<Time>> => "not at all" ("PostgreSQL and MySQL: an asynchronous replica promises nothing"),
    }
}

/// Where a cache is.
#[derive(Clone, Debug)]
pub(crate) enum PlaceSpec {
    /// In each replica of a service, or `cluster`.
    Named(String),
    /// Shared by the replicas of a service.
    Shared(String),
}

impl Spec for PlaceSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const HELP: &str =
            "write `at: web` for one in each replica, or `at: {service: web}` for one that they share";
        match &node.value {
            Value::Map(_) => match node.entries() {
                [entry] if &*entry.key == "service" => {
                    Name::read(&entry.node, sink).map(|name| Self::Shared(name.0))
                }
                _ => {
                    sink.expected("a service", node, HELP);
                    None
                }
            },
            Value::String(_) => Name::read(node, sink).map(|name| Self::Named(name.0)),
            _ => {
                sink.expected("a service", node, HELP);
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let name = Name::schema(definitions);
        let shared = json!({"type": "object", "properties": {"service": name}, "required": ["service"], "additionalProperties": false});
        defined(definitions, "CachePlace", |_| json!({"anyOf": [name, shared]}))
    }
}

words! {
    /// Which entry makes room for a new one.
    EvictWord: "a rule" {
        /// The one that was not used for the longest time.
        Lru = "lru",
        /// One that is seldom used, as Redis counts: logarithmic counters, the lowest of five entries drawn at random.
        Lfu = "lfu",
        /// The one that was stored first.
        Fifo = "fifo",
        /// Any.
        Random = "random",
        /// None: when there is no room, nothing new is stored.
        None = "none",
    }
}

words! {
    /// From when on an entry's time counts.
    ExpireWord: "`after_write` or `after_access`" {
        /// From when it was stored.
        AfterWrite = "after_write",
        /// From when it was last used.
        AfterAccess = "after_access",
    }
}

words! {
    /// What becomes of an answer that was fetched while somebody else has stored one.
    StoreWord: "`set` or `add`" {
        /// It takes its place, and its time begins anew.
        Set = "set",
        /// What is still fresh stays.
        Add = "add",
    }
}

words! {
    /// What becomes of a request whose answer finds no room.
    OnFullCacheWord: "`ignore` or `fail`" {
        /// It goes on.
        Ignore = "ignore",
        /// It is rejected.
        Fail = "fail",
    }
}

words! {
    /// Among whom one fetches what is missing while the others wait for it.
    CoalesceWord: "`none`, `replica`, `service` or `cluster`" {
        /// Everybody fetches.
        None = "none",
        /// One in each replica.
        Replica = "replica",
        /// One in each service.
        Service = "service",
        /// One of all.
        Cluster = "cluster",
    }
}

spec! {
    /// Looks for an answer in a cache; where there is none, the cache's `miss` steps run here.
    GetStep: "a `get` step" {
        /// The cache.
        get: At<Name>,
        /// What answers are known by.
        key: Option<At<ByWord>> => "`key`" (""),
    }
}

spec! {
    /// Writes: a cache stores the answer; a copy that `follows` a service has it when its `lag` has passed.
    PutStep: "a `put` step" {
        /// The cache.
        put: At<Name>,
        /// What answers are known by.
        key: Option<At<ByWord>> => "`key`" (""),
        /// Whether the entry is removed instead, so that the next one who wants it fetches it.
        remove: At<Flag> = "false" ("Redis, SET"),
    }
}

spec! {
    /// Entries of a cache go.
    FlushEvent: "an event that empties a cache" {
        ..timing: TimingSpec,
        /// The cache.
        flush: At<Name>,
        /// Share of the entries that go, drawn at random.
        share: At<Share> = "100%" ("Redis, FLUSHALL"),
    }
}

spec! {
    /// Entries of a cache expire. What may be used beyond its time may still be.
    ExpireEvent: "an event that ages a cache" {
        ..timing: TimingSpec,
        /// The cache.
        expire: At<Name>,
        /// Share of the entries that expire, drawn at random.
        share: At<Share> = "100%" ("Varnish, ban"),
    }
}

//! Resources as written: a map whose one leading key says of which kind it is.

use serde_json::{Value as Json, json};

use super::{
    AdaptSpec, Amount, At, CoresMapSpec, Count, Definitions, DistributionSpec, Flag, Name, Named, OrderSpec,
    Positive, Quota, Share, Sink, Spec, Text, Time, defined, spec, words,
};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Value};
use crate::words::listed;

/// Anything limited.
#[derive(Clone, Debug)]
pub(crate) enum ResourceSpec {
    /// Held, and given back.
    Slots(Box<SlotsSpec>),
    /// Shared by whoever computes.
    Cores(CoresMapSpec),
    /// Refilled by the clock.
    Rate(RateResourceSpec),
    /// Moves only when somebody takes or gives.
    Volume(VolumeSpec),
}

/// The keys that say of which kind a resource is.
const KINDS: [&str; 4] = ["slots", "cores", "rate", "volume"];

impl Spec for ResourceSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match kind(node, sink)? {
            "cores" => CoresMapSpec::read(node, sink).map(Self::Cores),
            "rate" => RateResourceSpec::read(node, sink).map(Self::Rate),
            "volume" => VolumeSpec::read(node, sink).map(Self::Volume),
            _ => SlotsSpec::read(node, sink).map(Box::new).map(Self::Slots),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Resource", |definitions| {
            let kinds = [
                SlotsSpec::schema(definitions),
                CoresMapSpec::schema(definitions),
                RateResourceSpec::schema(definitions),
                VolumeSpec::schema(definitions),
            ];
            json!({"anyOf": kinds})
        })
    }

    fn complete(node: &mut Node) {
        match kind(node, &mut Sink::default()) {
            Some("cores") => CoresMapSpec::complete(node),
            Some("rate") => RateResourceSpec::complete(node),
            Some("volume") => VolumeSpec::complete(node),
            Some(_) => SlotsSpec::complete(node),
            None => {}
        }
    }
}

/// The key that says of which kind the resource is.
fn kind(node: &Node, sink: &mut Sink) -> Option<&'static str> {
    let Value::Map(entries) = &node.value else {
        sink.expected("a resource", node, "write `{slots: 10}`");
        return None;
    };
    let mut kinds = KINDS.iter().filter(|kind| entries.iter().any(|entry| *entry.key == ***kind));
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Some(kind),
        (Some(first), Some(second)) => {
            let twice = entries.iter().find(|entry| *entry.key == **second);
            let message = format!("a resource is of one kind, found `{first}` and `{second}`");
            let place = twice.map_or(node.place, |entry| entry.place);
            sink.report(Diagnostic::error(message).at(place).help("make them two resources"));
            None
        }
        _ => {
            let message = "it is not said of which kind this resource is";
            let help = format!("the kinds are {}: write `slots: 10`", listed(KINDS));
            sink.report(Diagnostic::error(message).at(node.label).help(help));
            None
        }
    }
}

spec! {
    /// Slots that are held and given back.
    SlotsSpec: "a resource of slots" {
        /// Units that can be held at once.
        slots: At<Positive>,
        /// What has one of its own: a service (each of its replicas has one), `class`, `key`, `tenant`, `user`, or
        /// `cluster` (there is one).
        per: Option<At<Name>> => "one in each replica when a service owns it, else one for all" (""),
        /// Requests that may wait; beyond that a request is rejected.
        queue: Option<At<Count>> => "no limit" ("Go, database/sql with SetMaxOpenConns"),
        /// How long a request waits before it gives up; drawn for each where it is a distribution.
        timeout: Option<DistributionSpec<Time>> => "none" ("Go, database/sql waits as long as the request does"),
        /// How long it takes to open a connection, before its first use.
        connect: Option<DistributionSpec<Time>> => "no time" (""),
        /// How long a connection stays open that nobody uses; those opened ahead stay.
        idle: Option<At<Time>> => "for good" ("Go, database/sql without SetConnMaxIdleTime"),
        /// How old a connection may become: an older one is closed when it is put back.
        max_life: Option<DistributionSpec<Time>> => "without limit" ("Go, database/sql without SetConnMaxLifetime"),
        /// Whether all connections are opened ahead, and replaced when they are closed.
        eager: At<Flag> = "false" ("Go, database/sql opens a connection when one is needed"),
        /// The resource that each open connection takes a unit of: `db.sessions`.
        from: Option<At<Text>> => "nothing" (""),
        /// Who is served next.
        order: At<OrderSpec> = "fifo" ("HikariCP and Go database/sql serve waiters in order"),
        /// Whether a request whose caller has gone is dropped when it is its turn.
        drop_abandoned: At<Flag> = "false" ("Tomcat and Jetty run what is queued, whoever still waits for it"),
        /// Share of the slots that a class may fill: while that many or more are in use, its requests are `rejected` at
        /// once. Classes that are not named, or may fill all, wait for a slot.
        admit: Option<Named<At<Share>>> => "every class may fill all" (""),
        /// How the number of slots adapts to what is seen of those who held them; it begins with `slots`.
        adapt: Option<At<AdaptSpec>> => "it does not" (""),
        /// How those who hold it are served together; a slot then serves a batch at a time.
        batch: Option<At<BatchSpec>> => "each is served alone" ("Triton, dynamic_batching is off unless it is given"),
    }
}

spec! {
    /// Requests that are served together. A batch starts when a slot is free and `max` wait, or when at least `min`
    /// do and the first of them has waited for `delay`. Nobody joins a batch that has started.
    BatchSpec: "a batch" {
        /// Most requests in a batch.
        max: At<Positive>,
        /// Fewest requests in a batch.
        min: At<Positive> = "1" ("Triton, dynamic_batching waits for no size unless told to"),
        /// How long the first in line waits for others.
        delay: At<Time> = "0s" ("Triton, dynamic_batching max_queue_delay_microseconds"),
        /// What a batch takes: a time, or `{base: 20ms, each: 1ms}`, where each request adds something.
        time: BatchTime,
    }
}

/// What a batch takes.
#[derive(Clone, Debug)]
pub(crate) struct BatchTime {
    /// Whatever its size.
    pub(crate) base: DistributionSpec<Time>,
    /// For each request in it.
    pub(crate) each: Option<At<Time>>,
}

spec! {
    /// What a batch takes, by its size.
    BatchTimeMap: "the time of a batch" {
        /// Whatever its size.
        base: DistributionSpec<Time>,
        /// For each request in it.
        each: At<Time>,
    }
}

impl Spec for BatchTime {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if node.get("base").is_some() || node.get("each").is_some() {
            let map = BatchTimeMap::read(node, sink)?;
            return Some(Self { base: map.base, each: Some(map.each) });
        }
        Some(Self { base: DistributionSpec::read(node, sink)?, each: None })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let forms = [DistributionSpec::<Time>::schema(definitions), BatchTimeMap::schema(definitions)];
        json!({"anyOf": forms})
    }
}

spec! {
    /// How much of something may be taken in a time: a rate limiter.
    RateResourceSpec: "a rate" {
        /// How much, in which time: `100/min`, `10MiB/s`.
        rate: At<Quota>,
        /// How it is enforced.
        style: At<StyleWord> = "token" ("Envoy, local rate limit; AWS API Gateway"),
        /// `token`: the most that can be taken at once, and what there is at the start.
        burst: Option<At<Amount>> => "what comes in a second, at least 1" ("Guava, RateLimiter.create"),
        /// `fixed_window`, `sliding_window`: the length of the window.
        window: Option<At<Time>> => "the time in which the rate is given" ("Kong, rate-limiting: a limit is per second, minute, hour"),
        /// What has one of its own: a service (each of its replicas has one), `class`, `key`, `tenant`, `user`, or
        /// `cluster` (there is one).
        per: Option<At<Name>> => "one in each replica when a service owns it, else one for all" (""),
        /// Requests that may wait for their turn; beyond that a request is rejected. With `leaky` all that are in it.
        queue: Option<At<Count>> => "none waits; with `leaky` it must be given" ("Envoy answers 429 at once"),
        /// How long a request waits before it gives up.
        timeout: Option<At<Time>> => "none" ("Guava, RateLimiter.acquire waits for as long as it takes"),
    }
}

words! {
    /// How a rate is enforced.
    StyleWord: "a style" {
        /// A bucket that refills by the clock, full at the start: takes are at most `burst` and the rate.
        Token = "token",
        /// A queue that lets one out at a time, at a constant pace.
        Leaky = "leaky",
        /// A counter that is set back when a window ends.
        FixedWindow = "fixed_window",
        /// A log of what was taken in the last window.
        SlidingWindow = "sliding_window",
    }
}

spec! {
    /// Something that only taking and giving moves: a stock, a disk, a heap, a debt. Its level is what is left.
    VolumeSpec: "a volume" {
        /// How much there can be: a number, or an amount of data.
        volume: At<Amount>,
        /// How much there is at the start.
        level: Option<At<Amount>> => "the volume: nothing has been taken yet" (""),
        /// What happens when somebody wants more than is left, because the rest is full or sold.
        on_full: At<OnFullWord> = "fail" ("POSIX, write: ENOSPC"),
        /// What has one of its own: a service (each of its replicas has one), `class`, `key`, `tenant`, `user`, or
        /// `cluster` (there is one).
        per: Option<At<Name>> => "one in each replica when a service owns it, else one for all" (""),
        /// `block`: requests that may wait; beyond that a request is rejected.
        queue: Option<At<Count>> => "no limit" ("Java, ArrayBlockingQueue.put"),
        /// `block`: how long a request waits before it gives up.
        timeout: Option<At<Time>> => "none" ("Java, ArrayBlockingQueue.put"),
    }
}

words! {
    /// What happens when too little is left.
    OnFullWord: "`fail`, `block` or `restart`" {
        /// The request is rejected.
        Fail = "fail",
        /// It waits until somebody gives.
        Block = "block",
        /// The replica crashes and starts again, with what there is at the start.
        Restart = "restart",
    }
}

//! Routes as written.

use serde_json::{Value as Json, json};

use super::{
    At, Bandwidth, Count, Definitions, DistributionSpec, Flag, List, Number, Positive, Required, Share, Sink,
    Spec, Time, defined, one_key, policy::short_form, spec, words, wrong_word,
};
use crate::diagnostic::Diagnostic;
use crate::tree::{Entry, Node, Value};

spec! {
    /// How calls choose a replica, and how far away it is. A route named like a service is that service's.
    RouteSpec: "a route" {
        /// The rule by which a replica is chosen.
        pick: At<PickSpec> = "round_robin" ("NGINX, upstream; Envoy, ROUND_ROBIN"),
        /// Whether the rule chooses for each call, or once for each caller's connection.
        connections: At<ConnectionsWord> = "per_call" ("NGINX and Envoy balance requests, not connections"),
        /// How the health of replicas is judged.
        health: Option<HealthSpec> => "every replica is taken to be healthy" ("HAProxy, without `check`; Envoy, without outlier_detection"),
        /// Network time of each direction.
        latency: Option<DistributionSpec<Time>> => "none" (""),
        /// How fast the bytes of a message pass, each message as if it had the route to itself.
        bandwidth: Option<At<Bandwidth>> => "bytes take no time" (""),
        /// Share of the packets that are lost, in each direction. A packet has up to 1,460 bytes; what is lost is sent
        /// again, up to 15 times, after which the call ends as `lost`.
        loss: At<Share> = "0%" ("a network that loses nothing"),
        /// How long a sender waits before it sends a lost packet again; doubles each time, up to 2m.
        retransmit: At<Time> = "200ms" ("Linux, TCP_RTO_MIN"),
        /// How long a replica that has become ready gets fewer calls: a tenth of what the others get at first, rising
        /// in a straight line.
        slow_start: Option<At<Time>> => "it gets as many at once" ("HAProxy, without slowstart; Envoy, without slow_start_config"),
        /// Whether replicas in the caller's own zone come first: `prefer`.
        zone: Option<At<ZoneWord>> => "zones make no difference" (""),
        /// With `zone: prefer`: calls leave the zone when the share of its replicas that are in, times this, is
        /// below 1.
        overprovisioning: At<Number> = "1.4" ("Envoy, overprovisioning_factor of 140"),
        /// What it takes to open a connection, and how long it is kept.
        connect: Option<At<ConnectSpec>> => "connections are open" (""),
    }
    later ["panic", "to"]
}

words! {
    /// What zones are to a route.
    ZoneWord: "`prefer`" {
        /// Calls stay in the zone of the replica that makes them, as far as enough replicas there are in.
        Prefer = "prefer",
    }
}

spec! {
    /// How connections are opened. Each caller replica has its own to each replica, and each call one for itself;
    /// with `connections: pinned` all calls share one.
    ConnectSpec: "a connection" {
        /// Round trips before the first request can be sent: 1 for TCP or QUIC, 2 for TLS 1.3, 3 for TLS 1.2.
        round_trips: At<Count> = "1" ("TCP, RFC 9293, three-way handshake"),
        /// How long a connection that nobody uses is kept; 0s opens one for each call.
        keep_alive: At<Time> = "1h" ("Envoy, HttpProtocolOptions.idle_timeout"),
        /// Connections that are kept while nobody uses them, by each caller to each replica.
        idle: Option<At<Count>> => "no limit" ("Envoy, HTTP/1.1 connection pool"),
    }
}

words! {
    /// What the rule chooses a replica for.
    ConnectionsWord: "a kind of connections" {
        /// for each call.
        PerCall = "per_call",
        /// for the one connection that each caller replica opens and keeps: HTTP/2 behind a balancer of connections.
        Pinned = "pinned",
    }
}

spec! {
    /// What a caller thinks of the replicas: an opinion with a delay, each caller replica's own.
    HealthSpec: "health" {
        /// Time between two checks of a replica.
        check: Option<Required<At<Time>>> => "no checks" ("HAProxy, without `check`; Envoy, without health_checks"),
        /// Failed checks in a row after which a replica is out.
        fall: At<Positive> = "3" ("HAProxy, fall"),
        /// Passed checks in a row after which it is in again.
        rise: At<Positive> = "2" ("HAProxy, rise"),
        /// Ejection by how the caller's own calls end.
        eject: Option<Required<EjectSpec>> => "no ejection" ("Envoy, without outlier_detection"),
        /// When a smaller share of the replicas is in, health is ignored.
        panic: At<Share> = "50%" ("Envoy, healthy_panic_threshold"),
    }
    later ["interval", "latency"]
}

spec! {
    /// Ejection of replicas whose calls fail: rejected, timed out, lost or failed, as the caller sees it.
    EjectSpec: "an ejection" {
        /// Failures in a row after which a replica is ejected.
        errors: At<Positive> = "5" ("Envoy, outlier_detection.consecutive_5xx"),
        /// How long, times how often it was ejected; at most 5m, unless this is longer.
        for_time ["for"]: At<Time> = "30s" ("Envoy, outlier_detection.base_ejection_time"),
        /// The largest share of the replicas that may be ejected at once; one always may.
        max: At<Share> = "10%" ("Envoy, outlier_detection.max_ejection_percent"),
    }
}

words! {
    /// What a rule knows a request by.
    ByWord: "an attribute" {
        /// what it asks for.
        Key = "key",
        /// on whose account it comes.
        Tenant = "tenant",
        /// who sent it.
        User = "user",
        /// its class.
        Class = "class",
    }
    later ["bytes", "zone"]
}

spec! {
    /// The least loaded of some replicas drawn at random.
    LeastFields: "a choice of the least loaded" {
        /// Replicas drawn for each call.
        choices: At<Positive> = "2" ("Envoy, LEAST_REQUEST: choice_count"),
        /// Whether one may be drawn twice: then it is compared with itself.
        replacement: At<Flag> = "false" ("Finagle, P2C; HAProxy draws with replacement"),
    }
}

short_form! {
    /// How many replicas are looked at: `2`, or all about it.
    LeastSpec = LeastFields by "choices" as Positive;
}

spec! {
    /// A ring of points: consistent hashing.
    RingSpec: "a ring" {
        /// What is hashed.
        by: At<ByWord>,
        /// Points of each replica on the ring.
        points: At<Positive> = "100" ("libketama, 100 to 200 points a server"),
    }
}

spec! {
    /// Sessions: a user stays with a replica for a while.
    StickySpec: "a sticky rule" {
        /// Whose sessions.
        by: At<ByWord>,
        /// How long a session lasts, from its first call on.
        for_time ["for"]: DistributionSpec<Time>,
        /// The rule for the first call of a session.
        pick: Box<At<PickSpec>> = "random" ("many independent clients"),
    }
}

/// How a replica is chosen.
#[derive(Clone, Debug)]
pub(crate) enum PickSpec {
    /// The first.
    First,
    /// One after the other.
    RoundRobin,
    /// One after the other, some more often.
    Weighted(List<At<Count>>),
    /// Any.
    Random,
    /// The least loaded of some.
    Least(LeastSpec),
    /// The least loaded of all.
    LeastConnections,
    /// An idle one.
    JoinIdle,
    /// The cheaper of two by latency and load.
    PeakEwma,
    /// By the hash of an attribute, modulo.
    Hash(At<ByWord>),
    /// By the hash of an attribute, on a ring.
    Ring(RingSpec),
    /// By contiguous ranges of an attribute.
    Range(At<ByWord>),
    /// Where the last call of the session went.
    Sticky(StickySpec),
}

const WORDS: [&str; 6] = ["first", "round_robin", "random", "least_connections", "join_idle", "peak_ewma"];
const MAPS: [&str; 6] = ["least", "weighted", "hash", "ring", "range", "sticky"];
const LATER: [&str; 1] = ["shard"];

/// How a rule is written that needs more than a word.
const FORMS: [(&str, &str); 6] = [
    ("least", "say how many replicas are looked at: `{least: 2}`"),
    ("weighted", "give each replica its weight: `{weighted: [3, 1, 1]}`"),
    ("hash", "say what is hashed: `{hash: key}`"),
    ("ring", "say what is hashed: `{ring: {by: key, points: 100}}`"),
    ("range", "say what is split into ranges: `{range: key}`"),
    ("sticky", "say who sticks, and for how long: `{sticky: {by: user, for: 2h}}`"),
];

impl Spec for PickSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const WHAT: &str = "a rule such as `round_robin`";
        match node.text() {
            Some("first") => return Some(Self::First),
            Some("round_robin") => return Some(Self::RoundRobin),
            Some("random") => return Some(Self::Random),
            Some("least_connections") => return Some(Self::LeastConnections),
            Some("join_idle") => return Some(Self::JoinIdle),
            Some("peak_ewma") => return Some(Self::PeakEwma),
            _ => {}
        }
        if let Some((_, help)) = FORMS.iter().find(|(word, _)| node.text() == Some(word)) {
            sink.expected(WHAT, node, *help);
            return None;
        }
        if node.text() == Some("zone") || node.get("zone").is_some() {
            let message = "a zone is no rule: it says among which replicas a rule picks";
            sink.report(Diagnostic::error(message).at(node.place).help("write `zone: prefer` beside `pick`"));
            return None;
        }
        if !matches!(node.value, Value::Map(_)) {
            wrong_word(node, WHAT, &[&WORDS[..], &MAPS].concat(), &LATER, sink);
            return None;
        }
        let entry = one_key(node, WHAT, &MAPS, &LATER, sink)?;
        match &*entry.key {
            "least" => LeastSpec::read(&entry.node, sink).map(Self::Least),
            "weighted" => List::read(&entry.node, sink).filter(|list| list.whole).map(Self::Weighted),
            "hash" => At::read(&entry.node, sink).map(Self::Hash),
            "ring" => RingSpec::read(&entry.node, sink).map(Self::Ring),
            "range" => At::read(&entry.node, sink).map(Self::Range),
            _ => StickySpec::read(&entry.node, sink).map(Self::Sticky),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Pick", |definitions| {
            let one = |key: &str, schema: Json| json!({"type": "object", "properties": {key: schema}, "required": [key], "additionalProperties": false});
            json!({"anyOf": [
                {"enum": WORDS},
                one("least", LeastSpec::schema(definitions)),
                one("weighted", List::<Count>::schema(definitions)),
                one("hash", ByWord::schema(definitions)),
                one("ring", RingSpec::schema(definitions)),
                one("range", ByWord::schema(definitions)),
                one("sticky", StickySpec::schema(definitions)),
            ]})
        })
    }

    fn complete(node: &mut Node) {
        if let Value::Map(entries) = &mut node.value {
            for entry in entries {
                match &*entry.key {
                    "least" => LeastSpec::complete(&mut entry.node),
                    "ring" => RingSpec::complete(&mut entry.node),
                    "sticky" => StickySpec::complete(&mut entry.node),
                    _ => {}
                }
            }
        }
    }
}

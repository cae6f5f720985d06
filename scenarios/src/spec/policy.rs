//! Policies and routes as written.

use serde_json::{Value as Json, json};

use super::{
    At, Definitions, DistributionSpec, Flag, List, Name, Number, Positive, Sink, Spec, Time, defined,
    one_key, spec, words, wrong_word,
};
use crate::tree::{Node, Value};

spec! {
    /// How a call is made.
    PolicySpec: "a policy" {
        /// How long one attempt may take.
        timeout: Option<At<Time>> => "none" ("Go, http.Client.Timeout is 0"),
        /// How long all attempts may take together, back-offs included.
        total: Option<At<Time>> => "none" ("gRPC sets no deadline by itself"),
        /// Whether giving up stops the callee's work, down the whole tree. Without, it runs on for nobody.
        cancel: At<Flag> = "false" ("HTTP/1.1 servers notice a closed connection only when they write"),
        /// When to try again.
        retry: Option<RetrySpec> => "one attempt" ("gRPC, without a retryPolicy in the service config"),
    }
    later ["breaker", "hedge", "limit", "fallback", "deadline", "shared", "connect"]
}

spec! {
    /// When to try again.
    RetrySpec: "a retry" {
        /// Tries in all, the first one included.
        attempts: At<Positive> = "3" ("AWS SDKs, standard retry mode"),
        /// Outcomes that are tried again: `rejected`, `timed_out`, `lost`, `failed` (all failures), or the name of a
        /// failure.
        outcomes: List<At<Name>> = "[rejected, timed_out, lost, failed]" ("AWS SDKs, standard retry mode: throttling, timeouts, connection errors and 5xx"),
        /// Time between the attempts.
        backoff: BackoffSpec = "{}" ("AWS SDKs, standard retry mode"),
    }
    later ["budget"]
}

/// The time between attempts.
#[derive(Clone, Debug)]
pub(crate) enum BackoffSpec {
    /// Always the same.
    Constant(At<Time>),
    /// Growing.
    Growing(GrowingSpec),
}

spec! {
    /// A back-off that grows from attempt to attempt.
    GrowingSpec: "a back-off" {
        /// Back-off before the second attempt.
        base: At<Time> = "1s" ("AWS SDK for Rust, RetryConfig::standard: initial_backoff"),
        /// Growth from one back-off to the next.
        factor: At<Number> = "2" ("AWS SDKs, standard retry mode"),
        /// Longest back-off.
        max: At<Time> = "20s" ("AWS SDKs, standard retry mode"),
        /// Its randomisation.
        jitter: At<JitterWord> = "full" ("AWS SDKs, standard retry mode"),
    }
}

words! {
    /// Randomisation of a back-off.
    ///
    /// Source: Brooker, *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015.
    JitterWord: "a jitter" {
        /// exactly the back-off.
        None = "none",
        /// uniform between 0 and the back-off.
        Full = "full",
        /// half of it, and a uniform half.
        Equal = "equal",
        /// uniform between the base and three times the last one.
        Decorrelated = "decorrelated",
    }
}

impl Spec for BackoffSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match node.value {
            Value::Map(_) => GrowingSpec::read(node, sink).map(Self::Growing),
            _ => At::read(node, sink).map(Self::Constant),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let time = Time::schema(definitions);
        let growing = GrowingSpec::schema(definitions);
        json!({"anyOf": [time, growing]})
    }

    fn complete(node: &mut Node) {
        if matches!(node.value, Value::Map(_)) {
            GrowingSpec::complete(node);
        }
    }
}

spec! {
    /// How calls choose a replica, and how far away it is. A route named like a service is that service's.
    RouteSpec: "a route" {
        /// The rule by which a replica is chosen.
        pick: At<PickSpec> = "round_robin" ("NGINX, upstream; Envoy, ROUND_ROBIN"),
        /// Network time of each direction.
        latency: Option<DistributionSpec<Time>> => "none" (""),
    }
    later ["bandwidth", "loss", "health", "connections", "panic", "to"]
}

/// How a replica is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PickSpec {
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// The least loaded of some.
    Least(u32),
    /// The least loaded of all.
    LeastConnections,
}

const PICKS: [&str; 4] = ["round_robin", "random", "least", "least_connections"];
const LATER_PICKS: [&str; 9] =
    ["first", "weighted", "peak_ewma", "hash", "ring", "range", "sticky", "zone", "shard"];

impl Spec for PickSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const WHAT: &str = "a rule such as `round_robin`";
        match node.text() {
            Some("round_robin") => return Some(Self::RoundRobin),
            Some("random") => return Some(Self::Random),
            Some("least_connections") => return Some(Self::LeastConnections),
            Some("least") => {
                sink.expected(WHAT, node, "say how many replicas are looked at: `{least: 2}`");
                return None;
            }
            _ => {}
        }
        if !matches!(node.value, Value::Map(_)) {
            wrong_word(node, WHAT, &PICKS, &LATER_PICKS, sink);
            return None;
        }
        let entry = one_key(node, WHAT, &["least"], &LATER_PICKS, sink)?;
        Positive::read(&entry.node, sink).map(|choices| Self::Least(choices.count))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Pick", |definitions| {
            let choices = Positive::schema(definitions);
            json!({"anyOf": [
                {"enum": ["round_robin", "random", "least_connections"]},
                {"type": "object", "properties": {"least": choices}, "required": ["least"], "additionalProperties": false},
            ]})
        })
    }
}

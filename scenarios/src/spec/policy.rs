//! Policies as written.

use serde_json::{Value as Json, json};

use super::{At, Definitions, Flag, List, Name, Number, Positive, Sink, Spec, Time, spec, words};
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

//! Policies as written.

use serde_json::{Value as Json, json};

use super::preset::{self, PresetWord};
use super::{
    At, Count, Definitions, Flag, List, Name, Number, Positive, Share, Sink, Spec, StepSpec, Time, spec,
    words,
};
use crate::tree::{Entry, Node, Place, Value};

spec! {
    /// How a call is made. The mechanisms work in a fixed order:
    /// fallback(retry(breaker(limit(hedge(timeout(attempt)))))).
    PolicySpec: "a policy" {
        /// A library or proxy whose documented defaults fill in what is not written; `~` leaves one of them out.
        preset: Option<At<PresetWord>> => "none" (""),
        /// How long one attempt may take.
        timeout: Option<At<Time>> => "none" ("Go, http.Client.Timeout is 0"),
        /// How long all attempts may take together, back-offs included.
        total: Option<At<Time>> => "none" ("gRPC sets no deadline by itself"),
        /// Whether the time that is left is passed down the call tree: calls below fail at once when it is up, and
        /// requests that have not begun by then do not begin.
        deadline: At<Flag> = "false" ("HTTP has no header for it"),
        /// Whether giving up stops the callee's work, down the whole tree. Without, it runs on for nobody.
        cancel: At<Flag> = "false" ("HTTP/1.1 servers notice a closed connection only when they write"),
        /// When to try again.
        retry: Option<RetrySpec> => "one attempt" ("gRPC, without a retryPolicy in the service config"),
        /// When not to call at all, because the calls before have failed.
        breaker: Option<BreakerSpec> => "none" ("gRPC has none"),
        /// Calls that one caller replica may have in flight: a number, or more about it.
        limit: Option<LimitSpec> => "none" ("Go, http.Transport.MaxConnsPerHost is 0"),
        /// When to send a copy of a call that is not answered yet.
        hedge: Option<HedgeSpec> => "none" ("gRPC, without a hedgingPolicy in the service config"),
        /// Steps that the caller runs when the call has failed for good; if they succeed the outcome is `degraded`.
        fallback: Option<List<StepSpec>> => "none: the call fails" (""),
        /// Whether all callers share the state of breaker, budget and limit, rather than each replica having its own.
        shared: At<Flag> = "false" ("resilience4j, Hystrix and Envoy keep their state in each process"),
    }
    later ["connect"]
}

/// A policy: with a preset, filled in from it.
#[derive(Clone, Debug)]
pub(crate) struct Policy(pub(crate) PolicySpec);

impl Spec for Policy {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let policy = PolicySpec::read(&preset::filled_in(node), sink)?;
        debug_assert!(policy.preset.is_none() || node.get("preset").is_some(), "presets fill in no preset");
        Some(Self(policy))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        PolicySpec::schema(definitions)
    }

    fn complete(node: &mut Node) {
        *node = preset::filled_in(node);
        PolicySpec::complete(node);
    }
}

/// A policy where it is used: its name, or the policy itself.
#[derive(Clone, Debug)]
pub(crate) enum PolicyRef {
    /// One of `policies`.
    Named(At<Name>),
    /// One of its own.
    Own(Box<Policy>, Place),
}

impl Spec for PolicyRef {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match node.value {
            Value::Map(_) => Policy::read(node, sink).map(|policy| Self::Own(Box::new(policy), node.label)),
            _ => At::read(node, sink).map(Self::Named),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let (name, own) = (Name::schema(definitions), Policy::schema(definitions));
        json!({"anyOf": [name, own]})
    }

    fn complete(node: &mut Node) {
        if matches!(node.value, Value::Map(_)) {
            Policy::complete(node);
        }
    }
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
        /// What retries are paid from: a share of the calls, or more about it.
        budget: Option<BudgetSpec> => "none: every failure is tried again" ("Go, hashicorp/go-retryablehttp"),
        /// Most retries under way at once from one caller replica, their back-offs included.
        parallel: Option<At<Count>> => "no limit" (""),
    }
}

spec! {
    /// A bucket of tokens that retries are paid from. It is full at the start.
    BudgetFields: "a retry budget" {
        /// Tokens that a credit adds: a share of one.
        ratio: At<Share> = "20%" ("Envoy, retry_budget.budget_percent; Finagle, RetryBudget"),
        /// Most tokens.
        cap: At<Number> = "10" ("gRFC A6, maxTokens of its example"),
        /// What adds tokens.
        credit: At<CreditWord> = "attempt" ("Finagle, RetryBudget.deposit"),
        /// What takes one.
        spend: At<SpendWord> = "retry" ("Finagle, RetryBudget.tryWithdraw"),
        /// Share of the cap that is kept: at or below it nothing is tried again.
        reserve: At<Share> = "0%" ("Finagle, RetryBudget"),
    }
}

words! {
    /// What pays into a retry budget.
    CreditWord: "what credits a budget" {
        /// the first attempt of every call.
        Attempt = "attempt",
        /// every attempt that is answered.
        Success = "success",
    }
}

words! {
    /// What a retry budget is spent on.
    SpendWord: "what a budget is spent on" {
        /// every retry.
        Retry = "retry",
        /// every failure that could be tried again, as gRPC does.
        Failure = "failure",
    }
}

spec! {
    /// When not to call at all.
    BreakerSpec: "a breaker" {
        /// What it judges by: calls that ended during a time (`30s`), or a number of them (`100 calls`).
        window: At<WindowSpec> = "100 calls" ("resilience4j, slidingWindowSize"),
        /// Calls that must have ended in the window before anything is decided; at most its number of calls.
        min_calls: At<Positive> = "100" ("resilience4j, minimumNumberOfCalls"),
        /// Share of them that opens it when so many failed.
        failures: At<Share> = "50%" ("resilience4j, failureRateThreshold"),
        /// Calls that take longer are slow, and count as failures.
        slow: Option<At<Time>> => "no call is slow" ("Hystrix"),
        /// Share of slow calls that opens it; they do not count as failures then.
        slow_share: Option<At<Share>> => "slow calls count as failures" (""),
        /// How long it stays open.
        open: At<Time> = "60s" ("resilience4j, waitDurationInOpenState"),
        /// Calls let through while it is half open; when all of them have ended they decide.
        probes: At<Positive> = "10" ("resilience4j, permittedNumberOfCallsInHalfOpenState"),
    }
}

spec! {
    /// Calls that one caller replica may have in flight.
    LimitFields: "a limit" {
        /// This many.
        calls: At<Positive>,
        /// Calls that may wait; beyond them a call is `rejected`.
        queue: At<Count> = "0" ("Hystrix, execution.isolation.semaphore"),
        /// How long a call waits before it is `rejected`.
        timeout: Option<At<Time>> => "none" (""),
    }
}

spec! {
    /// When to send a copy of a call that is not answered yet.
    HedgeSpec: "a hedge" {
        /// After this time, or after a percentile (`p95`) of the times that the caller replica has seen lately.
        after: At<AfterSpec>,
        /// Most copies beside the first; each waits as long again.
        max: At<Positive> = "1" ("Finagle, BackupRequestFilter"),
        /// Whether the others are stopped once one is answered.
        cancel: At<Flag> = "true" ("gRFC A6: all other outstanding copies are cancelled"),
        /// Whether the others are stopped as soon as one leaves the queue.
        tied: At<Flag> = "false" ("gRPC"),
    }
}

/// Declares a group of settings that may be written as one of them.
macro_rules! short_form {
    ($($(#[doc = $doc:literal])+ $name:ident = $fields:ident by $key:literal as $short:ty;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) $fields);

        impl $name {
            fn long(node: &Node) -> Node {
                if matches!(node.value, Value::Map(_)) {
                    return node.clone();
                }
                let entry = Entry { key: $key.into(), place: node.place, node: node.clone(), note: None };
                Node { value: Value::Map(vec![entry]), ..node.clone() }
            }
        }

        impl Spec for $name {
            fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
                $fields::read(&Self::long(node), sink).map(Self)
            }

            fn schema(definitions: &mut Definitions) -> Json {
                let (short, long) = (<$short>::schema(definitions), $fields::schema(definitions));
                json!({"anyOf": [short, long]})
            }

            fn complete(node: &mut Node) {
                *node = Self::long(node);
                $fields::complete(node);
            }
        }
    )*};
}

pub(super) use short_form;

short_form! {
    /// A retry budget: `10%`, or all of it.
    BudgetSpec = BudgetFields by "ratio" as Share;
    /// A limit: `50`, or all of it.
    LimitSpec = LimitFields by "calls" as Positive;
}

/// What a breaker judges by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WindowSpec {
    /// Calls that ended during this many seconds.
    Time(f64),
    /// So many calls.
    Calls(u32),
}

impl Spec for WindowSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const HELP: &str = "write a time such as `30s`, or a number of calls such as `100 calls`";
        if let Some(number) = node.text().and_then(|text| text.strip_suffix("calls")) {
            let count = Node { value: Node::plain(number.trim(), node.place).value, ..node.clone() };
            return Positive::read(&count, sink).map(|calls| Self::Calls(calls.count));
        }
        if node.text().is_none_or(|text| text.trim().parse::<f64>().is_ok()) {
            let help =
                node.text().map_or_else(|| HELP.into(), |text| format!("write `{text}s` or `{text} calls`"));
            sink.expected("a window such as `30s` or `100 calls`", node, help);
            return None;
        }
        Time::read(node, sink).map(|time| Self::Time(time.seconds))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let time = Time::schema(definitions);
        json!({"anyOf": [time, {"type": "string", "pattern": "^[0-9.]+[kM]? calls$"}]})
    }
}

/// When a copy is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AfterSpec {
    /// After so many seconds.
    Time(f64),
    /// After a percentile, 0 to 1.
    Quantile(f64),
}

impl Spec for AfterSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const WHAT: &str = "a time such as `20ms` or a percentile such as `p95`";
        let Some(digits) = node.text().and_then(|text| text.strip_prefix('p')) else {
            if node.text().is_none_or(|text| !text.starts_with(|c: char| c.is_ascii_digit() || c == '-')) {
                sink.expected(WHAT, node, "write `20ms`, or `p95`");
                return None;
            }
            return Time::read(node, sink).map(|time| Self::Time(time.seconds));
        };
        match digits.parse::<f64>() {
            Ok(percent) if (1.0..=99.99).contains(&percent) => {
                Some(Self::Quantile((percent * 1e8).round() / 1e10))
            }
            _ => {
                sink.expected(WHAT, node, "a percentile lies between `p1` and `p99.99`");
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let time = Time::schema(definitions);
        json!({"anyOf": [time, {"type": "string", "pattern": "^p[0-9]+([.][0-9]+)?$"}]})
    }
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

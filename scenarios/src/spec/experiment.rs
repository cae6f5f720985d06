//! Events and sweeps as written.

use serde_json::{Value as Json, json};

use super::{
    At, Changes, Definitions, DistributionSpec, ExpireEvent, FlushEvent, Name, Positive, Raw, Required, Sink,
    Spec, Time, any_quantity, defined, spec, words, wrong_quantity,
};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Place, Value};

/// Something that happens by the clock.
#[derive(Clone, Debug)]
pub(crate) enum EventSpec {
    /// Values change.
    Set(SetEvent),
    /// Replicas fail.
    Fail(FailEvent),
    /// A cache is emptied.
    Flush(FlushEvent),
    /// What a cache has expires.
    Expire(ExpireEvent),
}

impl EventSpec {
    /// When, and how long.
    pub(crate) fn times(&self) -> (&At<Time>, Option<&At<Time>>) {
        match self {
            Self::Set(set) => (&set.at, set.for_time.as_ref()),
            Self::Fail(fail) => (&fail.at, fail.for_time.as_ref()),
            Self::Flush(flush) => (&flush.at, None),
            Self::Expire(expire) => (&expire.at, None),
        }
    }
}

impl Spec for EventSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if node.get("fail").is_some() {
            return FailEvent::read(node, sink).map(Self::Fail);
        }
        if node.get("flush").is_some() {
            return FlushEvent::read(node, sink).map(Self::Flush);
        }
        if node.get("expire").is_some() {
            return ExpireEvent::read(node, sink).map(Self::Expire);
        }
        SetEvent::read(node, sink).map(Self::Set)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let kinds = [
            SetEvent::schema(definitions),
            FailEvent::schema(definitions),
            FlushEvent::schema(definitions),
            ExpireEvent::schema(definitions),
        ];
        json!({"anyOf": kinds})
    }

    fn complete(node: &mut Node) {
        if node.get("fail").is_some() {
            FailEvent::complete(node);
        } else if node.get("flush").is_some() {
            FlushEvent::complete(node);
        } else if node.get("expire").is_some() {
            ExpireEvent::complete(node);
        } else {
            SetEvent::complete(node);
        }
    }
}

spec! {
    /// Replicas that answer every request with a failure, without queueing for workers or doing any of the steps.
    /// Checks of them fail.
    FailEvent: "an event that fails replicas" {
        /// When, from the start of the run.
        at: At<Time>,
        /// How long it lasts.
        for_time ["for"]: Option<At<Time>> => "to the end of the run" (""),
        /// The service.
        fail: At<Name>,
        /// How many of its ready replicas, from the first on.
        replicas: At<Positive> = "1" ("a single machine"),
        /// How long the answer takes: usually much less than the work.
        after: DistributionSpec<Time>,
        /// The name of the failure.
        outcome: At<Name> = "unavailable" ("gRPC, UNAVAILABLE; HTTP, 503 Service Unavailable"),
    }
}

spec! {
    /// Values that change by the clock.
    SetEvent: "an event" {
        /// When, from the start of the run.
        at: At<Time>,
        /// How long it lasts.
        for_time ["for"]: Option<At<Time>> => "to the end of the run" (""),
        /// Paths and the values they get: `{services.db.speed: 0.1}`.
        set: Required<Changes>,
    }
    later [
        "every", "crash", "restart", "replicas", "partition", "latency", "loss", "deploy", "drain", "scale",
        "health", "pause", "zone",
    ]
}

/// The values that a sweep gives to a path.
#[derive(Clone, Debug)]
pub(crate) enum SweepSpec {
    /// These.
    List(Vec<Node>),
    /// A range.
    Range(RangeSpec),
}

spec! {
    /// A range of values.
    RangeSpec: "a range" {
        /// The first value.
        from: Raw,
        /// The last value.
        to: Raw,
        /// How many values.
        points: Option<At<Positive>>,
        /// Distance of neighbours; instead of `points`.
        step: Option<Raw>,
        /// How the points are spaced.
        spacing: At<Spacing> = "linear" ("equal distances"),
    }
}

words! {
    /// How the points of a sweep are spaced.
    Spacing: "a spacing" {
        /// equal distances.
        Linear = "linear",
        /// equal ratios.
        Log = "log",
    }
}

impl Spec for SweepSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match &node.value {
            Value::List(items) if items.is_empty() => {
                sink.report(
                    Diagnostic::error("the list of values is empty").at(node.place).help("give one or more"),
                );
                None
            }
            Value::List(items) => {
                let good = items.iter().filter(|item| check_value(item, sink)).count();
                (good == items.len()).then(|| Self::List(items.clone()))
            }
            Value::Map(_) => {
                let range = RangeSpec::read(node, sink)?;
                let ends = [&range.from.0, &range.to.0].map(|end| check_value(end, sink));
                let step = range.step.as_ref().is_none_or(|step| check_value(&step.0, sink));
                (ends == [true, true] && step).then_some(Self::Range(range))
            }
            _ => {
                let help = "write `[1, 2, 4]`, `{from: 50/s, to: 1200/s, points: 20}` or `{from: 1, to: 8, step: 1}`";
                sink.expected("a list or a range of values", node, help);
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Sweep", |definitions| {
            let range = RangeSpec::schema(definitions);
            json!({"anyOf": [{"type": "array", "minItems": 1}, range]})
        })
    }

    fn complete(node: &mut Node) {
        RangeSpec::complete(node);
    }
}

fn check_value(node: &Node, sink: &mut Sink) -> bool {
    if any_quantity(node).is_none() {
        wrong_quantity(node, sink);
        return false;
    }
    true
}

/// An expectation as written.
#[derive(Clone, Debug)]
pub(crate) struct ExpectSpec {
    /// The text.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) place: Place,
    /// Whether it stands there letter by letter.
    pub(crate) verbatim: bool,
}

impl Spec for ExpectSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        // YAML takes `fixed: users.p99 < 1s` for a map.
        if let [entry] = node.entries()
            && let Some(text) = entry.node.text()
        {
            let place = entry.place.to(entry.node.place);
            return Some(Self { text: format!("{}: {text}", entry.key), place, verbatim: false });
        }
        let Some(text) = node.text() else {
            sink.expected("an expectation", node, "write `shoppers.p99 < 250ms`");
            return None;
        };
        let verbatim = (node.place.end - node.place.start) as usize == text.len();
        Some(Self { text: text.into(), place: node.place, verbatim })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Expectation", |_| {
            json!({"type": ["string", "object"],
                   "description": "`[variant:] metric comparison value`, such as `shoppers.p99 < 250ms`."})
        })
    }
}

//! Sweeps and expectations as written.

use serde_json::{Value as Json, json};

use super::{At, Definitions, Positive, Raw, Sink, Spec, any_quantity, defined, spec, words, wrong_quantity};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Place, Value};

/// The values that a sweep gives to a path.
#[derive(Clone, Debug)]
pub(crate) enum SweepSpec {
    /// These.
    List(Vec<Node>),
    /// A range.
    Range(RangeSpec),
    /// All from one to the other: `1..50`.
    Between(EndsSpec),
}

/// Two values with dots between them: `1..50`.
#[derive(Clone, Debug)]
pub(crate) struct EndsSpec {
    pub(crate) from: Node,
    pub(crate) to: Node,
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
            Value::String(text) if text.contains("..") => EndsSpec::read(node, sink).map(Self::Between),
            _ => {
                let help = "write `[1, 2, 4]`, `1..8`, `{from: 50/s, to: 1200/s, points: 20}` or `{from: 1, to: 8, step: 1}`";
                sink.expected("a list or a range of values", node, help);
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Sweep", |definitions| {
            let range = RangeSpec::schema(definitions);
            let ends = EndsSpec::schema(definitions);
            let between = json!({"allOf": [ends], "description":
                "`1..50` is every whole number; of values with a unit it is 101 at equal distances."});
            json!({"anyOf": [{"type": "array", "minItems": 1}, between, range]})
        })
    }

    fn complete(node: &mut Node) {
        RangeSpec::complete(node);
    }
}

impl Spec for EndsSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Some((from, to)) = node.text().and_then(|text| text.split_once("..")) else {
            sink.expected(
                "two values such as `2..8`",
                node,
                "write the smaller one first: `2..8`, `50/s..80/s`",
            );
            return None;
        };
        let ends = [from, to].map(|end| Node::plain(end.trim(), node.place));
        let good = ends.iter().filter(|end| check_value(end, sink)).count();
        let [from, to] = ends;
        (good == 2).then_some(Self { from, to })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(
            definitions,
            "Ends",
            |_| json!({"type": "string", "pattern": "\\.\\.", "description": "Two values, the smaller one first: `2..8`."}),
        )
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

//! Who is served next, as written.

use serde_json::{Value as Json, json};

use super::policy::short_form;
use super::{At, Count, Definitions, Sink, Spec, Time, defined, one_key, spec, wrong_word};
use crate::diagnostic::Diagnostic;
use crate::tree::{Entry, Node, Value};

/// Who is served next.
#[derive(Clone, Debug)]
pub(crate) enum OrderSpec {
    /// First come, first served.
    Fifo,
    /// Last come, first served.
    Lifo,
    /// The most important class first.
    Priority,
    /// Anybody.
    Random,
    /// Who has the least to do.
    Sjf,
    /// Who has to be served earliest.
    Edf,
    /// In order of arrival, but a queue that merely stands is thinned.
    Codel(CodelSpec),
    /// In order of arrival, the newest first behind a backlog.
    AdaptiveLifo(AdaptiveLifoSpec),
}

spec! {
    /// Controlled delay: when waits have exceeded the target for an interval, requests are `rejected` when it is their
    /// turn, ever faster, until somebody waits less than the target again.
    CodelFields: "CoDel" {
        /// A wait that is no sign of a standing queue.
        target: At<Time> = "5ms" ("RFC 8289, TARGET"),
        /// How long waits may exceed it.
        interval: At<Time> = "100ms" ("RFC 8289, INTERVAL"),
    }
}

spec! {
    /// In order of arrival while few wait, the newest first behind a backlog.
    AdaptiveLifoFields: "an adaptive LIFO" {
        /// The newest go first while more than this many wait.
        above: At<Count>,
        /// How long a request may wait: for the interval, and for the target only while the line has not been empty for
        /// an interval; beyond, it is `rejected` when it is its turn. With `{}`: 5ms and 100ms.
        codel: Option<CodelSpec> => "as long as it takes" ("HHVM, without server.thread_job_max_queuing_milli_seconds"),
    }
}

short_form! {
    /// `codel`: its target, `5ms`, or all of it.
    CodelSpec = CodelFields by "target" as Time;
    /// An adaptive LIFO: how many may wait before, `20`, or all of it.
    AdaptiveLifoSpec = AdaptiveLifoFields by "above" as Count;
}

const WORDS: [&str; 6] = ["fifo", "lifo", "priority", "random", "sjf", "edf"];
const MAPS: [&str; 2] = ["codel", "adaptive_lifo"];

/// How an order is written that needs more than a word.
const FORMS: [(&str, &str); 2] = [
    ("codel", "say which wait is no sign of a standing queue: `{codel: 5ms}`"),
    ("adaptive_lifo", "say how many may wait before the newest go first: `{adaptive_lifo: 20}`"),
];

/// Orders that interrupt whoever is served, and what comes nearest without.
const PREEMPTIVE: [(&str, &str); 6] = [
    ("srpt", "sjf"),
    ("psjf", "sjf"),
    ("preemptive_sjf", "sjf"),
    ("preemptive_priority", "priority"),
    ("preemptive_lifo", "lifo"),
    ("preemptive_edf", "edf"),
];

impl Spec for OrderSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const WHAT: &str = "an order such as `fifo`";
        match node.text() {
            Some("fifo") => return Some(Self::Fifo),
            Some("lifo") => return Some(Self::Lifo),
            Some("priority") => return Some(Self::Priority),
            Some("random") => return Some(Self::Random),
            Some("sjf") => return Some(Self::Sjf),
            Some("edf") => return Some(Self::Edf),
            _ => {}
        }
        if let Some((word, nearest)) = PREEMPTIVE.iter().find(|(word, _)| node.text() == Some(word)) {
            let message = format!("preemption needs `cores`: `{word}` interrupts whoever is served");
            let help = format!(
                "a slot is kept until it is given back: write `order: {nearest}`, or do the work in a `cpu` step and order the cores"
            );
            sink.report(Diagnostic::error(message).at(node.place).help(help));
            return None;
        }
        if let Some((_, help)) = FORMS.iter().find(|(word, _)| node.text() == Some(word)) {
            sink.expected(WHAT, node, *help);
            return None;
        }
        if !matches!(node.value, Value::Map(_)) {
            wrong_word(node, WHAT, &[&WORDS[..], &MAPS].concat(), &[], sink);
            return None;
        }
        let entry = one_key(node, WHAT, &MAPS, &[], sink)?;
        match &*entry.key {
            "codel" => CodelSpec::read(&entry.node, sink).map(Self::Codel),
            _ => AdaptiveLifoSpec::read(&entry.node, sink).map(Self::AdaptiveLifo),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Order", |definitions| {
            let one = |key: &str, schema: Json| json!({"type": "object", "properties": {key: schema}, "required": [key], "additionalProperties": false});
            json!({"description": "Who is served next.", "anyOf": [
                {"enum": WORDS},
                one("codel", CodelSpec::schema(definitions)),
                one("adaptive_lifo", AdaptiveLifoSpec::schema(definitions)),
            ]})
        })
    }

    fn complete(node: &mut Node) {
        if let Value::Map(entries) = &mut node.value {
            for entry in entries {
                match &*entry.key {
                    "codel" => CodelSpec::complete(&mut entry.node),
                    "adaptive_lifo" => AdaptiveLifoSpec::complete(&mut entry.node),
                    _ => {}
                }
            }
        }
    }
}

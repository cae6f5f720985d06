//! Traffic as written.

use serde_json::{Value as Json, json};

use super::{
    At, Definitions, DistributionSpec, List, Name, Number, PolicyRef, Positive, Rate, RateSpec, Required,
    Share, Sink, Size, Spec, Text, Time, defined, one_key, spec, wrong_word,
};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Place, Value};

spec! {
    /// Requests that arrive: open (`rate`), from a trace, or closed (`users` who `think`).
    TrafficSpec: "a traffic" {
        /// How many requests arrive: `400/s`, or a rate over time. Required for open traffic.
        rate: Option<Required<RateSpec>>,
        /// What is called: `web.checkout`, or a weighted mix `{web.browse: 80%, web.buy: 20%}`.
        to: Required<TargetsSpec>,
        /// The policy with which clients call: one of `policies`, or a policy of its own.
        policy: Option<PolicyRef> => "a plain call: no timeout, no retry" ("curl without options"),
        /// How the arrivals of open traffic are spaced.
        arrivals: At<ArrivalsSpec> = "poisson" ("many independent clients, Palm-Khintchine theorem"),
        /// How many requests arrive together.
        batch: Option<DistributionSpec<Number>> => "one" (""),
        /// How many users send a request, wait for its end, think, and send the next. Makes the traffic closed.
        users: Option<Required<At<Positive>>>,
        /// How long a user thinks between an answer and the next request.
        think: Option<Required<DistributionSpec<Time>>>,
        /// The class of all its requests.
        class: Option<At<Name>>,
        /// What distinguishes its requests.
        attributes: Option<AttributesSpec>,
        /// Classes, the most important first; for resources with `order: priority`.
        priority: Option<List<At<Name>>>,
    }
    later ["sessions", "deadline", "bytes"]
}

spec! {
    /// What distinguishes requests.
    AttributesSpec: "attributes" {
        /// Classes and their shares: `{critical: 20%, bulk: 80%}`.
        class: Option<Weights>,
        /// Classes, the most important first; for resources with `order: priority`.
        priority: Option<List<At<Name>>>,
        /// What a request asks for: a number, or one of some names. Routes can go by it.
        key: Option<At<SpreadSpec>>,
        /// On whose account it comes.
        tenant: Option<At<SpreadSpec>>,
        /// Who sent it.
        user: Option<At<SpreadSpec>> => "the number of the user in closed traffic" (""),
        /// How many bytes it carries, to whatever it calls; at most 4 GiB.
        bytes: Option<DistributionSpec<Size>> => "none that count" (""),
    }
    later ["zone"]
}

/// How the values of an attribute are spread over requests.
#[derive(Clone, Debug)]
pub(crate) enum SpreadSpec {
    /// A few are popular.
    Zipf(ZipfSpec),
    /// All of so many are equally likely.
    Uniform(Positive),
    /// Names and their shares.
    Weights(Weights),
}

spec! {
    /// Value k has a probability proportional to k to the power of -s.
    ZipfSpec: "a Zipf law" {
        /// The exponent: 0 makes all values equally likely; web pages and cache keys have about 1.
        s: At<Number>,
        /// How many values there are.
        n: At<Positive>,
    }
}

const SPREADS: [&str; 3] = ["zipf", "uniform", "weights"];

impl Spec for SpreadSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const WHAT: &str = "a spread such as `{zipf: {s: 1.1, n: 1M}}`";
        if !matches!(node.value, Value::Map(_)) {
            wrong_word(node, WHAT, &SPREADS, &[], sink);
            return None;
        }
        let entry = one_key(node, WHAT, &SPREADS, &[], sink)?;
        match &*entry.key {
            "zipf" => ZipfSpec::read(&entry.node, sink).map(Self::Zipf),
            "uniform" => Positive::read(&entry.node, sink).map(Self::Uniform),
            _ => Weights::read(&entry.node, sink).map(Self::Weights),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Spread", |definitions| {
            let kinds = [
                ("zipf", ZipfSpec::schema(definitions)),
                ("uniform", Positive::schema(definitions)),
                ("weights", Weights::schema(definitions)),
            ];
            let one = |(key, schema): (&str, Json)| json!({"type": "object", "properties": {key: schema}, "required": [key], "additionalProperties": false});
            json!({"anyOf": kinds.map(one), "description": "How the values of an attribute are spread over requests."})
        })
    }
}

/// Names and shares that sum to the whole.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// Name, where it stands, share.
    pub(crate) entries: Vec<(String, Place, f64)>,
}

/// How far a sum of shares may be from the whole: three times 33.3 % passes.
pub(crate) const SLACK: f64 = 0.005;

impl Spec for Weights {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::Map(nodes) = &node.value else {
            sink.expected("names and their shares", node, "write `{a: 80%, b: 20%}`");
            return None;
        };
        let mut entries = Vec::new();
        for entry in nodes {
            if let Some(share) = Share::read(&entry.node, sink) {
                entries.push((entry.key.to_string(), entry.place, share.fraction));
            }
        }
        if entries.len() < nodes.len() {
            return None;
        }
        let sum: f64 = entries.iter().map(|(.., share)| share).sum();
        if (sum - 1.0).abs() > SLACK {
            sink.report(
                Diagnostic::error(format!("the shares sum to {}, not to 100%", percent(sum)))
                    .at(node.place)
                    .help("every request has exactly one of them"),
            );
            return None;
        }
        Some(Self { entries })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let share = Share::schema(definitions);
        json!({"type": "object", "additionalProperties": share, "minProperties": 1})
    }
}

/// A fraction as a percentage with at most four decimals.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{}%", (fraction * 1e6).round() / 1e4)
}

/// What a traffic calls.
#[derive(Clone, Debug)]
pub(crate) enum TargetsSpec {
    /// Always the same endpoint.
    One(At<Text>),
    /// Endpoints and their shares.
    Mix(Weights),
}

impl Spec for TargetsSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match &node.value {
            Value::Map(_) => Weights::read(node, sink).map(Self::Mix),
            Value::String(_) => At::read(node, sink).map(Self::One),
            _ => {
                let help = "write `web.checkout`, or a mix `{web.browse: 80%, web.buy: 20%}`";
                sink.expected("an endpoint", node, help);
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let weights = Weights::schema(definitions);
        json!({"anyOf": [{"type": "string"}, weights]})
    }
}

/// How arrivals are spaced.
#[derive(Clone, Debug)]
pub(crate) enum ArrivalsSpec {
    /// Exponential gaps: independent clients.
    Poisson,
    /// Equal gaps: a load generator, a clock.
    Even,
    /// Independent gaps of any distribution; its mean follows from the rate, if there is one.
    Renewal(DistributionSpec<Time>),
    /// A Markov-modulated Poisson process: states in turn, each with a rate and a mean stay.
    Mmpp(At<List<(At<Rate>, At<Time>)>>),
    /// The instants themselves.
    Trace(TraceSpec),
}

spec! {
    /// The instants of arrival from a CSV file beside the scenario, counted from the first.
    TraceSpec: "a trace" {
        /// Path of the file, relative to the scenario's folder and inside of it.
        trace: At<Text>,
        /// Name of the column with the instants; may be left out when there is only one.
        column: Option<At<Text>> => "the only column" (""),
        /// Unit of the instants.
        unit: At<Text> = "s" ("Unix time"),
    }
}

const ARRIVALS: [&str; 5] = ["poisson", "even", "renewal", "mmpp", "trace"];

impl Spec for ArrivalsSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const WHAT: &str = "`poisson`, `even`, a renewal process, `mmpp` or a trace";
        match node.text() {
            Some("poisson") => return Some(Self::Poisson),
            Some("even") => return Some(Self::Even),
            _ => {}
        }
        if !matches!(node.value, Value::Map(_)) {
            wrong_word(node, WHAT, &ARRIVALS, &[], sink);
            return None;
        }
        if node.get("trace").is_some() {
            return TraceSpec::read(node, sink).map(Self::Trace);
        }
        let entry = one_key(node, WHAT, &["renewal", "mmpp", "trace"], &[], sink)?;
        if &*entry.key == "mmpp" {
            return At::read(&entry.node, sink).map(Self::Mmpp);
        }
        DistributionSpec::read(&entry.node, sink).map(Self::Renewal)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Arrivals", |definitions| {
            let gap = DistributionSpec::<Time>::schema(definitions);
            let states = List::<(At<Rate>, At<Time>)>::schema(definitions);
            let trace = TraceSpec::schema(definitions);
            json!({"anyOf": [
                {"enum": ["poisson", "even"]},
                {"type": "object", "properties": {"renewal": gap}, "required": ["renewal"], "additionalProperties": false},
                {"type": "object", "properties": {"mmpp": states}, "required": ["mmpp"], "additionalProperties": false},
                trace,
            ]})
        })
    }
}

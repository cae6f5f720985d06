//! Slots that adapt, as written.

use serde_json::{Value as Json, json};

use super::{
    At, Count, Definitions, Number, Positive, Share, Sink, Spec, Time, defined, one_key, spec, wrong_word,
};
use crate::tree::{Node, Value};

/// The rule by which slots adapt. They begin with what `slots` says.
#[derive(Clone, Debug)]
pub(crate) enum AdaptSpec {
    /// By how holds end.
    Aimd(AimdSpec),
    /// By the time beyond the shortest one.
    Vegas(VegasSpec),
    /// By short times against long ones.
    Gradient(GradientSpec),
}

spec! {
    /// One slot more whenever a hold ends well while half of the slots are in use, a share fewer whenever one is
    /// rejected, cancelled or times out below, or takes too long.
    AimdSpec: "an AIMD limit" {
        /// What is left of the slots after a decrease.
        backoff: At<Share> = "90%" ("Netflix concurrency-limits, AIMDLimit: backoffRatio"),
        /// A hold that takes longer counts as failed.
        timeout: At<Time> = "5s" ("Netflix concurrency-limits, AIMDLimit: timeout"),
        /// Fewest slots.
        min: At<Positive> = "20" ("Netflix concurrency-limits, AIMDLimit: minLimit"),
        /// Most slots.
        max: At<Positive> = "200" ("Netflix concurrency-limits, AIMDLimit: maxLimit"),
        /// How long holds are put together before they count, as their mean.
        window: Option<At<Time>> => "every hold counts by itself" ("Netflix concurrency-limits, without WindowedLimit"),
    }
}

spec! {
    /// Estimates how many queue in service from how much longer than the shortest time a hold takes; grows while they
    /// are few and shrinks when they are many.
    VegasSpec: "a Vegas limit" {
        /// Below this many times the decimal logarithm of the slots, few queue.
        alpha: At<Positive> = "3" ("Netflix concurrency-limits, VegasLimit: alpha"),
        /// Above this many times it, many do.
        beta: At<Positive> = "6" ("Netflix concurrency-limits, VegasLimit: beta"),
        /// Weight of a new limit.
        smoothing: At<Share> = "100%" ("Netflix concurrency-limits, VegasLimit: smoothing"),
        /// The shortest time is measured anew after up to so many holds for each slot.
        probe: At<Positive> = "30" ("Netflix concurrency-limits, VegasLimit: probeMultiplier"),
        /// Fewest slots.
        min: At<Positive> = "1" ("Netflix concurrency-limits, VegasLimit"),
        /// Most slots.
        max: At<Positive> = "1000" ("Netflix concurrency-limits, VegasLimit: maxConcurrency"),
        /// How long holds are put together before they count, as their mean.
        window: Option<At<Time>> => "every hold counts by itself" ("Netflix concurrency-limits, without WindowedLimit"),
    }
}

spec! {
    /// Shrinks as far as holds take longer than they have on average for long, and lets a few queue.
    GradientSpec: "a gradient limit" {
        /// How many times as long as on average holds may take.
        tolerance: At<Number> = "1.5" ("Netflix concurrency-limits, Gradient2Limit: rttTolerance"),
        /// Weight of a new limit.
        smoothing: At<Share> = "20%" ("Netflix concurrency-limits, Gradient2Limit: smoothing"),
        /// How many windows (or holds) the long average remembers.
        long_window: At<Positive> = "600" ("Netflix concurrency-limits, Gradient2Limit: longWindow"),
        /// How many may queue in service.
        queue: At<Count> = "4" ("Netflix concurrency-limits, Gradient2Limit: queueSize"),
        /// Fewest slots.
        min: At<Positive> = "20" ("Netflix concurrency-limits, Gradient2Limit: minLimit"),
        /// Most slots.
        max: At<Positive> = "200" ("Netflix concurrency-limits, Gradient2Limit: maxConcurrency"),
        /// How long holds are put together before they count, as their mean; ten of them at least. `0s`: every hold
        /// counts by itself.
        window: At<Time> = "1s" ("Netflix concurrency-limits, WindowedLimit: minWindowTime"),
    }
}

const RULES: [&str; 3] = ["aimd", "vegas", "gradient"];

impl Spec for AdaptSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        const WHAT: &str = "a rule such as `{gradient: {}}`";
        if !matches!(node.value, Value::Map(_)) {
            if let Some(word) = node.text().filter(|word| RULES.contains(word)) {
                sink.expected(WHAT, node, format!("write `{{{word}: {{}}}}` for its defaults"));
            } else {
                wrong_word(node, WHAT, &RULES, &[], sink);
            }
            return None;
        }
        let entry = one_key(node, WHAT, &RULES, &[], sink)?;
        match &*entry.key {
            "aimd" => AimdSpec::read(&entry.node, sink).map(Self::Aimd),
            "vegas" => VegasSpec::read(&entry.node, sink).map(Self::Vegas),
            _ => GradientSpec::read(&entry.node, sink).map(Self::Gradient),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Adapt", |definitions| {
            let kinds = [
                ("aimd", AimdSpec::schema(definitions)),
                ("vegas", VegasSpec::schema(definitions)),
                ("gradient", GradientSpec::schema(definitions)),
            ];
            let one = |(key, schema): (&str, Json)| json!({"type": "object", "properties": {key: schema}, "required": [key], "additionalProperties": false});
            json!({"anyOf": kinds.map(one), "description": "The rule by which slots adapt. They begin with what `slots` says."})
        })
    }

    fn complete(node: &mut Node) {
        if let Value::Map(entries) = &mut node.value {
            for entry in entries {
                match &*entry.key {
                    "aimd" => AimdSpec::complete(&mut entry.node),
                    "vegas" => VegasSpec::complete(&mut entry.node),
                    "gradient" => GradientSpec::complete(&mut entry.node),
                    _ => {}
                }
            }
        }
    }
}

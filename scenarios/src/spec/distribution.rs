//! Distributions as written: a bare value, or a map of one key.

use std::marker::PhantomData;

use serde_json::{Value as Json, json};

use super::{At, Definitions, Number, Positive, Quantity, Share, Sink, Spec, Text, defined, one_key, spec};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Place, Value, quoted};

/// A distribution of quantities: a bare value is constant, everything else a map of one key.
#[derive(Clone, Debug)]
pub(crate) struct DistributionSpec<Q> {
    /// Where it stands.
    pub(crate) place: Place,
    /// Which one.
    pub(crate) family: Family,
    quantity: PhantomData<Q>,
}

/// The families of distributions; values in base units.
#[derive(Clone, Debug)]
pub(crate) enum Family {
    /// Always the same.
    Constant(f64),
    /// Exponential with this mean.
    Exp(f64),
    /// Between two values.
    Uniform(f64, f64),
    /// Mean and standard deviation, cut off at 0.
    Normal(f64, f64),
    /// Two of mean, sd, cv and percentiles: key, value, where the key stands.
    Lognormal(Vec<(&'static str, f64, Place)>),
    /// Mean and coefficient of variation.
    Gamma(f64, f64),
    /// Mean and phases.
    Erlang(f64, u32),
    /// Mean and coefficient of variation, or phases.
    Hyperexp(HyperexpSpec),
    /// Mean and shape.
    Weibull(f64, f64),
    /// Mean, exponent and largest value.
    Pareto(f64, f64, Option<f64>),
    /// Weights and parts.
    Mixture(Vec<(f64, Family)>),
    /// Percentiles (0 to 1), values and where the keys stand.
    Quantiles(Vec<(f64, f64, Place)>),
    /// Measured values.
    File(FileSpec),
}

/// A hyperexponential distribution.
#[derive(Clone, Debug)]
pub(crate) enum HyperexpSpec {
    /// By mean and coefficient of variation, with balanced means.
    Mean(f64, f64),
    /// By weight and mean of each phase.
    Phases(Vec<(f64, f64)>),
}

spec! {
    /// A normal distribution, cut off at 0.
    NormalSpec<Q>: "a normal distribution" {
        /// Its mean before it is cut off.
        mean: At<Q>,
        /// Its standard deviation before it is cut off.
        sd: At<Q>,
    }
}

spec! {
    /// A lognormal distribution: the classic shape of latencies. Any two of its keys determine it.
    LognormalSpec<Q>: "a lognormal distribution" {
        /// Mean.
        mean: Option<At<Q>>,
        /// Standard deviation.
        sd: Option<At<Q>>,
        /// Coefficient of variation: standard deviation over mean.
        cv: Option<At<Number>>,
        /// Median.
        p50: Option<At<Q>>,
        /// 90th percentile.
        p90: Option<At<Q>>,
        /// 95th percentile.
        p95: Option<At<Q>>,
        /// 99th percentile.
        p99: Option<At<Q>>,
        /// 99.9th percentile.
        p99_9 ["p99.9"]: Option<At<Q>>,
    }
}

spec! {
    /// A gamma distribution.
    GammaSpec<Q>: "a gamma distribution" {
        /// Mean.
        mean: At<Q>,
        /// Coefficient of variation: standard deviation over mean.
        cv: At<Number>,
    }
}

spec! {
    /// An Erlang distribution: the sum of `k` exponential phases.
    ErlangSpec<Q>: "an Erlang distribution" {
        /// Mean of the sum.
        mean: At<Q>,
        /// Number of phases; more of them vary less.
        k: At<Positive>,
    }
}

spec! {
    /// A hyperexponential distribution of two phases with balanced means; it varies more than an exponential one.
    HyperexpMeanSpec<Q>: "a hyperexponential distribution" {
        /// Mean.
        mean: At<Q>,
        /// Coefficient of variation, at least 1.
        cv: At<Number>,
    }
}

spec! {
    /// A Weibull distribution.
    WeibullSpec<Q>: "a Weibull distribution" {
        /// Mean.
        mean: At<Q>,
        /// Shape: below 1 the tail is heavier than exponential, above 1 lighter.
        shape: At<Number>,
    }
}

spec! {
    /// A Pareto distribution: a power-law tail.
    ParetoSpec<Q>: "a Pareto distribution" {
        /// Mean.
        mean: At<Q>,
        /// Exponent of the tail; without `max` it has to be above 1, and up to 2 the variance is infinite.
        alpha: At<Number>,
        /// Largest value.
        max: Option<At<Q>> => "unbounded" ("")
    }
}

spec! {
    /// Measured values from a CSV file beside the scenario: each is as likely as it is frequent there.
    FileSpec: "a file of values" {
        /// Path of the file, relative to the scenario's folder and inside of it.
        file: At<Text>,
        /// Name of the column; may be left out when there is only one.
        column: Option<At<Text>> => "the only column" (""),
        /// Unit of the values in the column: `ms`. Times need one.
        unit: Option<At<Text>>,
        /// `true` where the values are samples that might have been others: at every point, as many are drawn from them
        /// with replacement. A number is one such drawing.
        bootstrap: Option<ResampleSpec> => "the values as they are" (""),
    }
}

/// Whether samples are drawn anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResampleSpec {
    /// The number of the drawing.
    pub(crate) number: Option<u64>,
}

impl Spec for ResampleSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if let Value::Bool(_) = node.value {
            return Some(Self { number: None }); // `true` has been seen before anything had a type.
        }
        let number = node.text().and_then(|text| text.parse().ok());
        if number.is_none() {
            sink.expected("`true`, `false` or a whole number", node, "write `bootstrap: true`");
        }
        number.map(|number| Self { number: Some(number) })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["boolean", "integer"]})
    }
}

/// The families by key.
const FAMILIES: [&str; 12] = [
    "exp",
    "uniform",
    "normal",
    "lognormal",
    "gamma",
    "erlang",
    "hyperexp",
    "weibull",
    "pareto",
    "mixture",
    "quantiles",
    "file",
];

/// Whether the node is a map whose first key names a distribution.
pub(crate) fn is_distribution(node: &Node) -> bool {
    node.entries().first().is_some_and(|entry| FAMILIES.contains(&&*entry.key))
}

impl<Q: Quantity> Spec for DistributionSpec<Q> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        family::<Q>(node, sink).map(|family| Self { place: node.place, family, quantity: PhantomData })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, &format!("Distribution{}", Q::NAME), |definitions| {
            let one = |key: &str, doc: &str, schema: Json| {
                let mut properties = serde_json::Map::new();
                properties.insert(key.into(), schema);
                json!({"type": "object", "description": doc, "properties": properties, "required": [key],
                       "additionalProperties": false})
            };
            let value = Q::schema(definitions);
            let itself = json!({"$ref": format!("#/definitions/Distribution{}", Q::NAME)});
            let share = Share::schema(definitions);
            let list = |item: &Json| json!({"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": [share, item]}});
            let hyperexp = json!({"anyOf": [HyperexpMeanSpec::<Q>::schema(definitions), list(&value)]});
            let any = [
                json!({"allOf": [value], "description": "Always the same."}),
                one("exp", "Exponential, by its mean: memoryless.", value.clone()),
                one(
                    "uniform",
                    "Any value between two is as likely as any other.",
                    json!({"type": "array", "minItems": 2, "maxItems": 2, "items": value}),
                ),
                one("normal", "Normal, cut off at 0.", NormalSpec::<Q>::schema(definitions)),
                one(
                    "lognormal",
                    "Lognormal, by any two of its figures.",
                    LognormalSpec::<Q>::schema(definitions),
                ),
                one("gamma", "Gamma.", GammaSpec::<Q>::schema(definitions)),
                one("erlang", "Erlang.", ErlangSpec::<Q>::schema(definitions)),
                one(
                    "hyperexp",
                    "Hyperexponential: by mean and cv, or by weight and mean of each phase.",
                    hyperexp,
                ),
                one("weibull", "Weibull.", WeibullSpec::<Q>::schema(definitions)),
                one("pareto", "Pareto.", ParetoSpec::<Q>::schema(definitions)),
                one("mixture", "One of several distributions, by weight.", list(&itself)),
                one(
                    "quantiles",
                    "By its percentiles: `{p0: 1ms, p50: 12ms, p99: 90ms, p100: 1s}`.",
                    json!({"type": "object", "patternProperties": {"^p[0-9.]+$": value}, "additionalProperties": false}),
                ),
                FileSpec::schema(definitions),
            ];
            json!({"anyOf": any})
        })
    }
}

fn family<Q: Quantity>(node: &Node, sink: &mut Sink) -> Option<Family> {
    if !matches!(node.value, Value::Map(_)) {
        if matches!(node.value, Value::List(_)) {
            sink.expected(
                "a value or a distribution",
                node,
                "a distribution is a map of one key: `{exp: 5ms}`",
            );
            return None;
        }
        if let Some((name, _)) = node.text().and_then(|text| text.split_once('('))
            && FAMILIES.contains(&name)
        {
            sink.expected(
                "a value or a distribution",
                node,
                format!("write a map of one key: `{{{name}: ...}}`"),
            );
            return None;
        }
        return Q::read(node, sink).map(|value| Family::Constant(value.value()));
    }
    if node.get("file").is_some() {
        return FileSpec::read(node, sink).map(Family::File);
    }
    let entry = one_key(node, "a distribution", &FAMILIES, &[], sink)?;
    let node = &entry.node;
    Some(match &*entry.key {
        "exp" => Family::Exp(Q::read(node, sink)?.value()),
        "uniform" => {
            let (low, high) = <(At<Q>, At<Q>)>::read(node, sink)?;
            if low.value.value() > high.value.value() {
                let diagnostic = Diagnostic::error("the bounds of `uniform` are in the wrong order");
                sink.report(diagnostic.at(node.place).help("the lower one comes first"));
                return None;
            }
            Family::Uniform(low.value.value(), high.value.value())
        }
        "normal" => {
            let spec = NormalSpec::<Q>::read(node, sink)?;
            Family::Normal(spec.mean.value.value(), spec.sd.value.value())
        }
        "lognormal" => Family::Lognormal(lognormal::<Q>(node, sink)?),
        "gamma" => {
            let spec = GammaSpec::<Q>::read(node, sink)?;
            Family::Gamma(spec.mean.value.value(), spec.cv.value.number)
        }
        "erlang" => {
            let spec = ErlangSpec::<Q>::read(node, sink)?;
            Family::Erlang(spec.mean.value.value(), spec.k.value.count)
        }
        "hyperexp" => Family::Hyperexp(if let Value::List(_) = &node.value {
            let phases = super::List::<(At<Share>, At<Q>)>::read(node, sink)?;
            let phases = phases.whole.then_some(phases.items)?;
            HyperexpSpec::Phases(phases.iter().map(|(w, q)| (w.value.fraction, q.value.value())).collect())
        } else {
            let spec = HyperexpMeanSpec::<Q>::read(node, sink)?;
            HyperexpSpec::Mean(spec.mean.value.value(), spec.cv.value.number)
        }),
        "weibull" => {
            let spec = WeibullSpec::<Q>::read(node, sink)?;
            Family::Weibull(spec.mean.value.value(), spec.shape.value.number)
        }
        "pareto" => {
            let spec = ParetoSpec::<Q>::read(node, sink)?;
            let max = spec.max.map(|max| max.value.value());
            Family::Pareto(spec.mean.value.value(), spec.alpha.value.number, max)
        }
        "mixture" => {
            let parts = super::List::<(At<Share>, DistributionSpec<Q>)>::read(node, sink)?;
            let parts = parts.whole.then_some(parts.items)?;
            Family::Mixture(parts.into_iter().map(|(w, part)| (w.value.fraction, part.family)).collect())
        }
        _ => Family::Quantiles(quantiles::<Q>(node, sink)?),
    })
}

/// The keys of a lognormal distribution that were given.
fn lognormal<Q: Quantity>(node: &Node, sink: &mut Sink) -> Option<Vec<(&'static str, f64, Place)>> {
    let spec = LognormalSpec::<Q>::read(node, sink)?;
    let q = |value: Option<At<Q>>| value.map(|at| (at.value.value(), at.place));
    let values = [
        q(spec.mean),
        q(spec.sd),
        spec.cv.map(|at| (at.value.number, at.place)),
        q(spec.p50),
        q(spec.p90),
        q(spec.p95),
        q(spec.p99),
        q(spec.p99_9),
    ];
    let given: Vec<_> = LognormalSpec::<Q>::FIELDS
        .iter()
        .zip(values)
        .filter_map(|(field, value)| value.map(|(value, place)| (field.key, value, place)))
        .collect();
    if given.len() != 2 || given.len() != node.entries().len() {
        if given.len() == node.entries().len() {
            let message = format!("expected two figures of a lognormal distribution, found {}", given.len());
            sink.report(Diagnostic::error(message).at(node.place).help(
                "any two of `mean`, `sd`, `cv`, `p50`, `p90`, `p95`, `p99` and `p99.9` determine it; use `quantiles` for more",
            ));
        }
        return None;
    }
    in_order(
        given
            .iter()
            .filter(|(key, ..)| key.starts_with('p'))
            .map(|&(key, value, place)| (key.to_string(), value, place)),
        sink,
    )?;
    Some(given)
}

/// Percentiles and their values.
fn quantiles<Q: Quantity>(node: &Node, sink: &mut Sink) -> Option<Vec<(f64, f64, Place)>> {
    let Value::Map(entries) = &node.value else {
        sink.expected("percentiles and their values", node, "write `{p50: 12ms, p99: 90ms}`");
        return None;
    };
    let mut points = Vec::new();
    let mut whole = true;
    for entry in entries {
        let percent = entry.key.strip_prefix('p').and_then(|text| text.parse::<f64>().ok());
        let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
        let value = Q::read(&entry.node, sink);
        let Some(percent) = percent else {
            let message = format!("expected a percentile such as `p99`, found {}", quoted(&entry.key));
            sink.report(Diagnostic::error(message).at(entry.place).help("write `p0` to `p100`"));
            whole = false;
            continue;
        };
        match value {
            Some(value) => {
                points.push((percent / 100.0, value.value(), entry.node.place, entry.key.to_string()));
            }
            None => whole = false,
        }
    }
    if !whole {
        return None;
    }
    if points.len() < 2 {
        let message = format!("expected two percentiles or more, found {}", points.len());
        sink.report(Diagnostic::error(message).at(node.place).help("write `{p50: 12ms, p99: 90ms}`"));
        return None;
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    in_order(points.iter().map(|(_, value, place, key)| (key.clone(), *value, *place)), sink)?;
    Some(points.into_iter().map(|(p, value, place, _)| (p, value, place)).collect())
}

/// Checks that values of rising percentiles do not fall.
fn in_order(points: impl Iterator<Item = (String, f64, Place)>, sink: &mut Sink) -> Option<()> {
    let mut last: Option<(String, f64, Place)> = None;
    for (key, value, place) in points {
        if let Some((below, least, below_place)) = &last
            && value < *least
        {
            sink.report(
                Diagnostic::error(format!("`{key}` is below `{below}`"))
                    .at(place)
                    .related(*below_place, format!("`{below}`"))
                    .help("a higher percentile is at least as large"),
            );
            return None;
        }
        last = Some((key, value, place));
    }
    Some(())
}

//! Rates over time as written.

use serde_json::{Value as Json, json};

use super::{At, Clock, Definitions, Number, Rate, Sink, Spec, Text, Time, defined, one_key, spec};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Place, Value};

/// A rate: constant, or changing over time.
#[derive(Clone, Debug)]
pub(crate) enum RateSpec {
    /// The same all the time.
    Constant(At<Rate>),
    /// Straight lines between points.
    Linear(Vec<(At<Time>, At<Rate>)>),
    /// Each rate from its time on.
    Steps(Vec<(At<Time>, At<Rate>)>),
    /// Over a day.
    Daily(Daily),
    /// From a file.
    File(CurveFile),
}

spec! {
    /// A rate that follows a cosine over the day; the run begins at midnight.
    Daily: "a daily rate" {
        /// Mean over the day.
        mean: At<Rate>,
        /// Rate at the busiest time; at most twice the mean.
        peak: At<Rate>,
        /// The busiest time of the day.
        at: At<Clock>,
    }
}

spec! {
    /// Rates from a CSV file beside the scenario, one row for each interval.
    CurveFile: "a file of rates" {
        /// Path of the file, relative to the scenario's folder and inside of it.
        file: At<Text>,
        /// Name of the column with requests per second; may be left out when there is only one.
        column: Option<At<Text>> => "the only column" (""),
        /// Length of the interval that a row stands for.
        every: At<Time>,
        /// Factor for all rates.
        scale: At<Number> = "1" ("the file as it is"),
    }
}

impl RateSpec {
    /// Where it stands, or a part of it.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Constant(rate) => rate.place,
            Self::Linear(points) | Self::Steps(points) => points[0].0.place,
            Self::Daily(daily) => daily.mean.place,
            Self::File(file) => file.file.place,
        }
    }
}

impl Spec for RateSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            return At::read(node, sink).map(Self::Constant);
        };
        if node.get("file").is_some() {
            return CurveFile::read(node, sink).map(Self::File);
        }
        let is_time = |key: &str| key.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
        if entries.iter().any(|entry| is_time(&entry.key)) {
            return points(node, sink).map(Self::Linear);
        }
        let what = "a rate such as `40/s`, points in time such as `{0s: 100/s, 5m: 800/s}`, or a curve";
        let entry = one_key(node, what, &["steps", "daily", "file"], &[], sink)?;
        match &*entry.key {
            "steps" => points(&entry.node, sink).map(Self::Steps),
            _ => Daily::read(&entry.node, sink).map(Self::Daily),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "RateOverTime", |definitions| {
            let rate = Rate::schema(definitions);
            let daily = Daily::schema(definitions);
            let file = CurveFile::schema(definitions);
            let points = json!({"type": "object", "patternProperties": {"^[0-9.]": rate}, "additionalProperties": false});
            json!({"anyOf": [
                rate,
                {"allOf": [points], "description": "Straight lines between points: `{0s: 100/s, 5m: 800/s}`."},
                {"type": "object", "properties": {"steps": points}, "required": ["steps"], "additionalProperties": false},
                {"type": "object", "properties": {"daily": daily}, "required": ["daily"], "additionalProperties": false},
                file,
            ]})
        })
    }
}

/// Times and rates, the times in ascending order from 0.
fn points(node: &Node, sink: &mut Sink) -> Option<Vec<(At<Time>, At<Rate>)>> {
    let Value::Map(entries) = &node.value else {
        sink.expected("points in time", node, "write `{0s: 100/s, 5m: 800/s}`");
        return None;
    };
    let mut points: Vec<(At<Time>, At<Rate>)> = Vec::new();
    let mut whole = true;
    for entry in entries {
        let time = At::<Time>::read(&Node::plain(&entry.key, entry.place), sink);
        let rate = At::<Rate>::read(&entry.node, sink);
        match (time, rate) {
            (Some(time), Some(rate)) => points.push((time, rate)),
            _ => whole = false,
        }
    }
    if !whole {
        return None;
    }
    let Some((first, _)) = points.first() else {
        sink.expected("points in time", node, "write `{0s: 100/s, 5m: 800/s}`");
        return None;
    };
    if first.value.seconds > 0.0 {
        let diagnostic = Diagnostic::error("the first point in time is not `0s`").at(first.place);
        sink.report(diagnostic.help("say what the rate is at the start: `{0s: 100/s, 5m: 800/s}`"));
        return None;
    }
    if let Some(pair) = points.windows(2).find(|pair| pair[1].0.value.seconds <= pair[0].0.value.seconds) {
        let diagnostic =
            Diagnostic::error("the points in time are not in ascending order").at(pair[1].0.place);
        sink.report(diagnostic.related(pair[0].0.place, "comes later").help("sort them, each time once"));
        return None;
    }
    Some(points)
}

//! Results for programs: JSON and CSV.

use serde::Serialize;
use serde_json::Value;

use scenarios::results::{
    CompareReport, E, Met, RareOf, RareReport, ReplayReport, Report, SensitivityReport, SolveReport,
    SweepReport, TriedPoint,
};

use crate::failure::Failure;

/// One JSON object, its keys in the order of the schema.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn json(result: &impl Serialize) -> Result<String, Failure> {
    written(serde_json::to_string_pretty(result))
}

/// A JSON text that was written elsewhere, with the end of its last line.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn written(json: serde_json::Result<String>) -> Result<String, Failure> {
    let mut text = json.map_err(unwritable)?;
    text.push('\n');
    Ok(text)
}

/// `metric,value,lo,hi`, one figure a line.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn run_csv(report: &Report) -> Result<String, Failure> {
    let mut lines = Lines::new(&["metric", "value", "lo", "hi"])?;
    for figure in figures(report)? {
        lines.add(figure.cells())?;
    }
    lines.text()
}

/// The same for every point, behind the swept values.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn sweep_csv(report: &SweepReport) -> Result<String, Failure> {
    let paths: Vec<&str> = report.paths.iter().map(String::as_str).collect();
    let mut lines = Lines::new(&[&paths[..], &["metric", "value", "lo", "hi"]].concat())?;
    for point in &report.points {
        let at: Vec<String> = paths.iter().map(|path| cell(point.at.get(*path))).collect();
        for figure in figures(&point.result)? {
            lines.add(at.iter().cloned().chain(figure.cells()))?;
        }
    }
    lines.text()
}

/// The events: what the value is a share of (or `latency`), the value and its interval, replications.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn rare_csv(report: &RareReport) -> Result<String, Failure> {
    let mut lines = Lines::new(&["event", "of", "value", "lo", "hi", "replications"])?;
    for event in &report.events {
        let of = match event.of {
            RareOf::Requests => "requests",
            RareOf::Time => "time",
            RareOf::Runs => "runs",
            RareOf::Latency => "latency",
        };
        let e = event.value;
        let interval = [e.map(|e| e.value), e.and_then(|e| e.lo), e.and_then(|e| e.hi)].map(cell);
        let name = [event.text.clone(), of.to_owned()];
        lines.add(name.into_iter().chain(interval).chain([event.replications.to_string()]))?;
    }
    lines.text()
}

/// The points that were tried, in order: values of the paths, what they come to, verdict, the metric and its interval.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn solve_csv(report: &SolveReport) -> Result<String, Failure> {
    let paths: Vec<&str> = report.paths.iter().map(String::as_str).collect();
    let told = ["value", "verdict", "answer", report.metric.as_str(), "lo", "hi", "replications"];
    let mut lines = Lines::new(&[&paths[..], &told].concat())?;
    for (position, point) in report.tried.iter().enumerate() {
        let TriedPoint { at, value, verdict, metric, result, .. } = point;
        let verdict = match verdict {
            Met::Met => "met",
            Met::NotMet => "not_met",
            Met::Undecided => "undecided",
        };
        let is_answer = report.answer.as_ref().is_some_and(|answer| answer.point == position);
        let found = [
            value.to_string(),
            verdict.to_owned(),
            is_answer.to_string(),
            cell(metric.map(|e| e.value)),
            cell(metric.and_then(|e| e.lo)),
            cell(metric.and_then(|e| e.hi)),
            result.replications.to_string(),
        ];
        lines.add(paths.iter().map(|path| cell(at.get(*path).copied())).chain(found))?;
    }
    lines.text()
}

/// The paths, those that move the metric most first: their ranges, effects, and the metric at both ends.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn sensitivity_csv(report: &SensitivityReport) -> Result<String, Failure> {
    let mut lines = Lines::new(&["path", "from", "to", "mu_star", "lo", "hi", "mu", "sigma", "low", "high"])?;
    let value = |e: Option<E>| cell(e.map(|e| e.value));
    for path in &report.paths {
        lines.add([
            path.path.clone(),
            path.from.to_string(),
            path.to.to_string(),
            value(path.mu_star),
            cell(path.mu_star.and_then(|e| e.lo)),
            cell(path.mu_star.and_then(|e| e.hi)),
            value(path.mu),
            cell(path.sigma),
            value(path.low),
            value(path.high),
        ])?;
    }
    lines.text()
}

/// The paired differences: `variant,metric,base,value,difference,lo,hi,verdict`.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn compare_csv(report: &CompareReport) -> Result<String, Failure> {
    let mut lines = Lines::new(&["variant", "metric", "base", "value", "difference", "lo", "hi", "verdict"])?;
    for found in &report.differences {
        lines.add([
            found.variant.clone(),
            found.metric.clone(),
            found.base.value.to_string(),
            found.value.value.to_string(),
            found.difference.value.to_string(),
            cell(found.difference.lo),
            cell(found.difference.hi),
            found.verdict.clone(),
        ])?;
    }
    lines.text()
}

/// The decisions of a replay, all or those that changed something: `workload,time,at,value,from,to,reason`.
///
/// # Errors
///
/// Never, in practice: results are plain data.
pub(crate) fn replay_csv(report: &ReplayReport) -> Result<String, Failure> {
    let mut lines = Lines::new(&["workload", "time", "at", "value", "from", "to", "reason"])?;
    for replay in &report.replays {
        let shown = if replay.all.is_empty() { &replay.changes } else { &replay.all };
        for decision in shown {
            lines.add([
                replay.name.clone(),
                decision.time.clone(),
                decision.at.to_string(),
                cell(decision.value),
                decision.from.to_string(),
                cell(decision.to),
                decision.reason.clone(),
            ])?;
        }
    }
    lines.text()
}

/// A number, or nothing where there is none.
fn cell(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Lines of CSV.
struct Lines(csv::Writer<Vec<u8>>);

impl Lines {
    fn new(head: &[&str]) -> Result<Self, Failure> {
        let mut lines = Self(csv::Writer::from_writer(Vec::new()));
        lines.0.write_record(head).map_err(unwritable)?;
        Ok(lines)
    }

    fn add(&mut self, cells: impl IntoIterator<Item = String>) -> Result<(), Failure> {
        self.0.write_record(cells.into_iter().map(String::into_bytes)).map_err(unwritable)
    }

    fn text(self) -> Result<String, Failure> {
        let bytes = self.0.into_inner().map_err(unwritable)?;
        String::from_utf8(bytes).map_err(unwritable)
    }
}

fn unwritable(error: impl std::fmt::Display) -> Failure {
    Failure::Machine { what: "write the result", reason: error.to_string() }
}

/// A figure and its path in the result.
struct Figure {
    metric: String,
    value: String,
    lo: String,
    hi: String,
}

impl Figure {
    fn cells(self) -> [String; 4] {
        [self.metric, self.value, self.lo, self.hi]
    }
}

/// Every number of a report, by its path.
fn figures(report: &Report) -> Result<Vec<Figure>, Failure> {
    let value = serde_json::to_value(report).map_err(unwritable)?;
    let mut figures = Vec::new();
    flatten(String::new(), &value, &mut figures);
    Ok(figures)
}

fn flatten(path: String, value: &Value, figures: &mut Vec<Figure>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let text = |value: Option<&Value>| {
        value.filter(|value| !value.is_null()).map(Value::to_string).unwrap_or_default()
    };
    match value {
        Value::Object(map) if map.len() == 3 && map.contains_key("lo") && map.contains_key("hi") => {
            figures.push(Figure {
                value: text(map.get("value")),
                lo: text(map.get("lo")),
                hi: text(map.get("hi")),
                metric: path,
            });
        }
        Value::Object(map) => map.iter().for_each(|(key, value)| flatten(below(key), value, figures)),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(below(&label(item).unwrap_or_else(|| at.to_string())), item, figures);
            }
        }
        Value::Number(number) => {
            figures.push(Figure {
                metric: path,
                value: number.to_string(),
                lo: String::new(),
                hi: String::new(),
            });
        }
        Value::String(word) if path.ends_with(".verdict") => {
            figures.push(Figure { metric: path, value: word.clone(), lo: String::new(), hi: String::new() });
        }
        Value::String(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// What an item of a list is about.
fn label(item: &Value) -> Option<String> {
    let words: Vec<&str> = ["at", "place", "kind", "model", "metric", "text"]
        .iter()
        .filter_map(|key| item.get(key)?.as_str())
        .collect();
    // A sentence about a place says no more than the place.
    match words.as_slice() {
        [] => None,
        [at, .., sentence] if sentence.contains(' ') && item.get("text").is_some() => Some((*at).to_owned()),
        words => Some(words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fixtures;

    #[test]
    fn csv_has_one_figure_a_line() {
        let text = run_csv(&fixtures::shop()).unwrap();
        assert!(text.starts_with("metric,value,lo,hi\n"), "{text}");
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).map(str::to_owned);
        assert_eq!(line("replications,").unwrap(), "replications,10,,");
        assert!(line("traffic.shoppers.latency.mean,0.06197,").is_some(), "{text}");
        assert!(line("theory.db M/M/c response mean.simulated,0.00502,").is_some(), "{text}");
        assert!(line("expect.shoppers.p99 < 250ms.verdict,not_met,,").is_some(), "{text}");
        assert!(line("traffic.shoppers.where.p99.db_connections pools.seconds,0.19,,").is_some(), "{text}");
    }

    #[test]
    fn a_sweep_puts_the_swept_values_first() {
        let text = sweep_csv(&fixtures::hockeystick()).unwrap();
        assert!(text.starts_with("traffic.shoppers.rate,metric,value,lo,hi\n50,"), "{text}");
    }

    #[test]
    fn json_keeps_the_order_of_the_schema() {
        let text = json(&fixtures::shop()).unwrap();
        assert!(
            text.starts_with("{\n  \"schema\": \"hockeystick.result/1\",\n  \"scenario\": \"checkout\""),
            "{text}"
        );
    }
}

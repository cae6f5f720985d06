//! The values of a sweep's axes.

use crate::diagnostic::Diagnostic;
use crate::spec::{
    At, EndsSpec, NamedEntry, Positive, RangeSpec, Raw, ScenarioSpec, Sink, Spacing, SweepSpec, any_quantity,
};
use crate::sweep::{Axis, AxisValue, tidy, unit_in};
use crate::tree::{Node, Place, quoted};

/// Most values of one axis.
const MOST: usize = 10_000;

/// The axes of the scenario's sweep, in the order of the file.
pub(crate) fn axes(spec: &ScenarioSpec, sink: &mut Sink) -> Vec<Axis> {
    let entries = spec.sweep.iter().flat_map(|sweep| &sweep.axes);
    entries.filter_map(|entry| axis(entry, sink)).collect()
}

/// A path and its values.
pub(super) fn axis(entry: &NamedEntry<SweepSpec>, sink: &mut Sink) -> Option<Axis> {
    let values = expand(entry.value.as_ref()?, entry.place, sink)?;
    let kind = any_quantity(&values[0].node).map_or("", |(kind, _)| kind);
    Some(Axis { path: entry.name.clone(), unit: unit(kind, &entry.name), values, place: entry.place })
}

/// A path and the two ends between which it is moved.
pub(super) fn ends(entry: &NamedEntry<EndsSpec>, sink: &mut Sink) -> Option<Axis> {
    let EndsSpec { from, to } = entry.value.as_ref()?;
    let ((kind, first), (other, last)) = (any_quantity(from)?, any_quantity(to)?);
    if kind != other || first >= last {
        let message = format!("`{}..{}` does not lead from less to more", from.text()?, to.text()?);
        let help = "write the smaller one first, both in the same kind of unit: `2..8`, `50/s..80/s`";
        sink.report(Diagnostic::error(message).at(from.place).help(help));
        return None;
    }
    let unit = unit_of(from, first, to, last);
    let values = [first, last].map(|number| AxisValue::written(number, unit, entry.place));
    let label = self::unit(kind, &entry.name);
    Some(Axis { path: entry.name.clone(), unit: label, values: values.into(), place: entry.place })
}

/// A path that has one value so far.
pub(crate) fn single(path: &str, place: Place, node: &Node) -> Option<Axis> {
    let (kind, number) = any_quantity(node)?;
    let value = AxisValue { text: node.text()?.into(), number, node: node.clone() };
    Some(Axis { path: path.into(), unit: unit(kind, path), values: vec![value], place })
}

/// The unit for labels; plain counts are called after what they count.
fn unit(kind: &str, path: &str) -> String {
    const COUNTS: [&str; 8] =
        ["users", "replicas", "workers", "cores", "slots", "queue", "attempts", "batch"];
    let last = path.rsplit('.').next().unwrap_or(path);
    match kind {
        "" if COUNTS.contains(&last) => last.into(),
        "%" => String::new(),
        other => other.into(),
    }
}

fn expand(spec: &SweepSpec, place: Place, sink: &mut Sink) -> Option<Vec<AxisValue>> {
    match spec {
        SweepSpec::List(nodes) => {
            let (first, _) = any_quantity(&nodes[0])?;
            let mut values = Vec::new();
            for node in nodes {
                let (kind, number) = any_quantity(node)?;
                if kind != first {
                    sink.report(
                        Diagnostic::error("the values have different units")
                            .at(node.place)
                            .related(nodes[0].place, "the first value")
                            .help("give all of them the same kind of unit"),
                    );
                    return None;
                }
                values.push(AxisValue { text: node.text()?.into(), number, node: node.clone() });
            }
            Some(values)
        }
        SweepSpec::Range(range) => expand_range(range, place, sink),
        SweepSpec::Between(ends) => expand_range(&between_ends(ends, sink)?, place, sink),
    }
}

/// Values of a range with a unit that says nothing of their number: a hundredth of it apart.
const FINE: u32 = 101;

/// The range that `1..50` stands for: every whole number, or values at equal distances where there is a unit.
fn between_ends(EndsSpec { from, to }: &EndsSpec, sink: &mut Sink) -> Option<RangeSpec> {
    let ((kind, first), (_, last)) = (any_quantity(from)?, any_quantity(to)?);
    let range = |points, step| RangeSpec {
        from: Raw(from.clone()),
        to: Raw(to.clone()),
        points,
        step,
        spacing: At { value: Spacing::Linear, place: from.place },
    };
    if !kind.is_empty() {
        return Some(range(Some(At { value: Positive { count: FINE }, place: from.place }), None));
    }
    let most = MOST as f64;
    if first.fract() != 0.0 || last.fract() != 0.0 || last < first || last - first >= most {
        let message = format!("`{}..{}` is no range of whole numbers", from.text()?, to.text()?);
        let help = format!("write the smaller one first, as in `1..50`; it gives at most {MOST} values");
        sink.report(Diagnostic::error(message).at(from.place).help(help));
        return None;
    }
    Some(range(None, Some(Raw(Node::plain("1", from.place)))))
}

fn expand_range(range: &RangeSpec, place: Place, sink: &mut Sink) -> Option<Vec<AxisValue>> {
    let (from_node, to_node) = (&range.from.0, &range.to.0);
    let (kind, from) = any_quantity(from_node)?;
    let (to_kind, to) = any_quantity(to_node)?;
    if kind != to_kind {
        sink.report(
            Diagnostic::error("`from` and `to` have different units")
                .at(to_node.place)
                .related(from_node.place, "`from`")
                .help("give both the same kind of unit"),
        );
        return None;
    }
    let log = range.spacing.value == Spacing::Log;
    if log && (from <= 0.0 || to <= 0.0) {
        let end = if from <= 0.0 { from_node } else { to_node };
        let diagnostic = Diagnostic::error("equal ratios cannot begin or end at 0").at(end.place);
        sink.report(diagnostic.help("use a small value, or leave out `spacing: log`"));
        return None;
    }
    let numbers: Vec<f64> = match (&range.points, &range.step) {
        (Some(points), Some(_)) => {
            let diagnostic = Diagnostic::error("a range has `points` or `step`, not both").at(points.place);
            sink.report(diagnostic.help("remove one of the two"));
            return None;
        }
        (None, None) => {
            let diagnostic = Diagnostic::error("the range says neither `points` nor `step`").at(place);
            sink.report(diagnostic.help("write `points: 20`, or a `step`"));
            return None;
        }
        (Some(points), None) => {
            let count = points.value.count as usize;
            if count > MOST {
                let diagnostic = Diagnostic::error(format!("a sweep takes at most {MOST} values of a path"));
                sink.report(diagnostic.at(points.place).help("20 show where the curve bends"));
                return None;
            }
            (0..count).map(|i| between(from, to, i, count, log)).collect()
        }
        (None, Some(step)) => {
            let (step_kind, step_size) = any_quantity(&step.0)?;
            let steps = ((to - from) / step_size + 1e-9).floor();
            if step_kind != kind || log || step_size <= 0.0 || !(0.0..MOST as f64).contains(&steps) {
                let message =
                    format!("a step of {} does not lead from `from` to `to`", quoted(step.0.text()?));
                let help =
                    format!("`step` is above 0, in the unit of `from`, and gives at most {MOST} values");
                sink.report(Diagnostic::error(message).at(step.0.place).help(help));
                return None;
            }
            (0..=steps as usize).map(|i| tidy(from + i as f64 * step_size)).collect()
        }
    };
    let unit = unit_of(from_node, from, to_node, to);
    Some(numbers.into_iter().map(|number| AxisValue::written(number, unit, place)).collect())
}

fn between(from: f64, to: f64, i: usize, count: usize, log: bool) -> f64 {
    if i == 0 {
        return from;
    }
    if i + 1 == count {
        return to;
    }
    let part = i as f64 / (count - 1) as f64;
    tidy(if log { from * (to / from).powf(part) } else { from + (to - from) * part })
}

/// How the values are written: in the unit of the larger end.
fn unit_of<'a>(from_node: &'a Node, from: f64, to_node: &'a Node, to: f64) -> (f64, &'a str) {
    if to.abs() >= from.abs() { unit_in(to_node, to) } else { unit_in(from_node, from) }
}

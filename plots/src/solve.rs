//! What was tried for an answer: cost against latency, or the hockey stick up to the capacity.

use scenarios::results::{Capacity, Met, Report, SolveAim, SolveReport, SweepPoint, SweepReport, TriedPoint};

use crate::PlotError;
use crate::found::{Limit, intervals, method, point, title, warning};
use crate::page::{Around, Page};
use crate::palette::{BLACK, BLUE, Color, GREY, VERMILLION};
use crate::scene::Shape;
use crate::stack::{Axis, Bound, Curve, Ends, Key, Mark, Panel, Point, Rule, Sample, Stack};
use crate::sweep;
use crate::unit::Unit;

/// Draws every point that was tried by what it comes to and by the metric, with the answer marked; a load that is
/// maximized as the curve that a sweep draws, with the capacity.
///
/// # Errors
///
/// [`PlotError::NoPoints`] when nothing was tried.
pub fn solve_svg(report: &SolveReport) -> Result<String, PlotError> {
    picture(report, Around::Words)
}

/// The picture with or without the words around it.
pub(crate) fn picture(report: &SolveReport, around: Around) -> Result<String, PlotError> {
    if report.tried.is_empty() {
        return Err(PlotError::NoPoints);
    }
    if report.aim == SolveAim::Maximize && report.paths.len() == 1 {
        return sweep::picture(&as_sweep(report), around);
    }
    let stack = stack(report);
    Ok(page(report).draw(around, |scene, top| stack.draw(scene, top)))
}

/// What was tried along a load, as a sweep tells it.
fn as_sweep(report: &SolveReport) -> SweepReport {
    let mut points: Vec<&TriedPoint> = report.tried.iter().collect();
    points.sort_by(|a, b| a.value.total_cmp(&b.value));
    let points = points.into_iter().map(|point| SweepPoint {
        at: point.at.clone(),
        result: point.result.clone(),
        outcome: None,
    });
    let capacity = report.answer.as_ref().map(|answer| {
        let beyond =
            report.tried.iter().filter(|point| point.verdict != Met::Met && point.value > answer.value);
        let first = beyond.min_by(|a, b| a.value.total_cmp(&b.value));
        Capacity {
            value: answer.value,
            last_met: answer.value,
            first_not_met: first.map(|point| (point.value, String::new())),
            text: report.text.clone(),
        }
    });
    SweepReport {
        schema: "hockeystick.sweep/1".to_owned(),
        scenario: title(&report.head),
        about: Some(about(report)),
        version: report.head.version.clone(),
        paths: report.paths.clone(),
        units: report.units.clone(),
        points: points.collect(),
        theory: report.theory.clone(),
        knee: None,
        capacity,
        safe: None,
        suffices: None,
        outcome: None,
    }
}

/// The question and its answer.
fn about(report: &SolveReport) -> String {
    let mut answer = report.text.replace('`', "");
    if let Some(first) = answer.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    report.head.about.as_ref().map_or_else(|| format!("{answer}."), |about| format!("{about} {answer}."))
}

fn page(report: &SolveReport) -> Page {
    let reports: Vec<&Report> = report.tried.iter().map(|point| &point.result).collect();
    let mut footer = method(&reports, &report.head.version, " per point");
    footer.splice(1..1, intervals(&reports));
    let points = report.tried.len();
    footer.insert(0, format!("{points} of {} points tried", report.points.max(points as u64)));
    Page { title: title(&report.head), about: about(report), footer, warning: warning(&reports) }
}

fn stack(report: &SolveReport) -> Stack {
    let axis = axis(report);
    let answer = report.answer.as_ref();
    let label = |value: f64| format!("answer {}", axis.unit.figure(value));
    let rule = answer.map(|answer| Rule { x: answer.value, color: BLACK, label: label(answer.value) });
    Stack { rules: rule.into_iter().collect(), bands: Vec::new(), panels: vec![panel(report)], axis }
}

fn axis(report: &SolveReport) -> Axis {
    let values = || report.tried.iter().map(|point| point.value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let room = if high > low { 0.05 * (high - low) } else { 0.1 * low.abs().max(1.0) };
    let unit = Unit::named(&report.unit);
    let title = if report.of == "cost" { format!("cost ({})", report.unit) } else { report.of.clone() };
    let from = if low >= 0.0 && low <= 0.35 * high { 0.0 } else { low - room };
    let to = high + room;
    Axis { ticks: ticks(report, &unit, to - from), title, unit, log: false, from, to }
}

/// Of a few counts: the counts themselves.
fn ticks(report: &SolveReport, unit: &Unit, length: f64) -> Option<Vec<(f64, String)>> {
    let mut values: Vec<f64> = report.tried.iter().map(|point| point.value).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let whole = matches!(unit, Unit::Count(_)) && values.iter().all(|value| value.fract() == 0.0);
    let apart = values.windows(2).all(|pair| pair[1] - pair[0] >= length / 16.0);
    let labels = unit.ticks(&values, false);
    (whole && apart).then(|| values.into_iter().zip(labels).collect())
}

/// What the points of a verdict look like; their shapes say the same as their colours.
const LOOKS: [(Met, &str, Color, Shape); 3] = [
    (Met::NotMet, "fails", VERMILLION, Shape::Diamond),
    (Met::Undecided, "undecided", GREY, Shape::Square),
    (Met::Met, "holds", BLUE, Shape::Circle),
];

fn panel(report: &SolveReport) -> Panel {
    let mut curves: Vec<Curve> = LOOKS.into_iter().map(|look| scattered(report, look)).collect();
    // The rule says it where there is one path.
    let several = report.paths.len() > 1;
    let mark = report.answer.as_ref().filter(|_| several).map(|answer| Mark {
        x: answer.value,
        curve: curves.len(),
        label: place(report, &report.tried[answer.point]),
    });
    curves.push(frontier(report));
    let expected = report.tried.first().map_or(&[][..], |point| &point.result.expect);
    let limit =
        expected.iter().filter_map(|verdict| Limit::parse(&verdict.text)).find(|l| l.metric == report.metric);
    let unit = Unit::of_metric(&report.metric);
    let hollow = report.tried.iter().any(|tried| !tried.result.unsteady.is_empty());
    let bound = limit.map(|limit| Bound {
        y: limit.value,
        label: format!("{} < {}", report.metric, unit.figure(limit.value)),
        color: BLACK,
    });
    Panel {
        title: format!("{} of every point that was tried", report.metric),
        unit,
        height: 430.0,
        ends: Ends::Log,
        curves,
        references: Vec::new(),
        bounds: bound.into_iter().collect(),
        mark,
        keys: hollow
            .then(|| Key { sample: Sample::Hollow, text: "no steady state".into() })
            .into_iter()
            .collect(),
    }
}

/// The points of one verdict, each alone, from left to right.
fn scattered(report: &SolveReport, (verdict, name, color, shape): (Met, &str, Color, Shape)) -> Curve {
    let mut points: Vec<Point> =
        report.tried.iter().filter(|tried| tried.verdict == verdict).filter_map(drawn).collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let alone = points.into_iter().flat_map(|point| [Some(point), None]);
    Curve {
        name: name.to_owned(),
        color,
        shape: Some(shape),
        width: 0.0,
        dash: None,
        points: alone.collect(),
    }
}

fn drawn(tried: &TriedPoint) -> Option<Point> {
    let steady = tried.result.unsteady.is_empty();
    point(tried.value, tried.metric, steady)
}

/// The points of which none is both better and lower, joined.
fn frontier(report: &SolveReport) -> Curve {
    let points = report.frontier.iter().filter_map(|number| drawn(&report.tried[*number]));
    Curve {
        name: String::new(),
        color: BLUE,
        shape: None,
        width: 2.0,
        dash: Some("6 4"),
        points: points.map(Some).collect(),
    }
}

/// The values of a point: `replicas 10, slots 3`.
fn place(report: &SolveReport, tried: &TriedPoint) -> String {
    let paths = report.paths.iter().zip(&report.units).zip(report.names());
    let each = paths.filter_map(|((path, unit), name)| {
        let value = tried.at.get(path)?;
        let unit = Unit::named(unit);
        let bare = if matches!(unit, Unit::Count(_)) { Unit::Count(String::new()) } else { unit };
        Some(format!("{name} {}", bare.figure(*value)))
    });
    each.collect::<Vec<_>>().join(", ")
}

//! A replay of an autoscaler over time: what it was told, the replicas, and why.

use scenarios::results::{Replay, ReplayCourse, ReplayMetric};

use crate::PlotError;
use crate::page::{Around, Page};
use crate::palette::{BLUE, Color, GREEN, GREY, ORANGE, PURPLE, VERMILLION, nth};
use crate::stack::{Axis, Bound, Curve, Ends, Panel, Point, Stack};
use crate::unit::Unit;

/// Parts of the time that are told apart: about one for each pixel.
const PARTS: usize = 1_000;
/// Reasons that have a lane of their own; the most frequent ones.
const LANES: usize = 8;
/// Height of a lane.
const LANE: f64 = 24.0;

/// Draws a replay that kept its course: the metric with its target, the replicas set, ready and needed, and the
/// reasons.
///
/// # Errors
///
/// [`PlotError::NoSeries`] when it did not keep it.
pub fn replay_svg(replay: &Replay, version: &str) -> Result<String, PlotError> {
    let course = replay.series.as_ref().ok_or(PlotError::NoSeries)?;
    let to = replay.window.to.max(1.0);
    let since = replay.begin.as_ref().map_or("the start".to_owned(), |begin| format!("{begin} UTC"));
    let axis = Axis {
        title: format!("time since {since}"),
        unit: Unit::Clock,
        log: false,
        from: 0.0,
        to,
        ticks: None,
    };
    let metric = replay.metrics.first().map(|metric| metric_panel(metric, course, to));
    let panels =
        metric.into_iter().chain([replicas_panel(replay, course, to), reasons_panel(replay, course, to)]);
    let stack = Stack { axis, bands: Vec::new(), rules: Vec::new(), panels: panels.collect() };
    let page = Page {
        title: replay.name.clone(),
        about: about(replay),
        footer: footer(replay, version),
        warning: replay.notes.first().cloned(),
    };
    Ok(page.draw(Around::Words, |scene, top| stack.draw(scene, top)))
}

fn about(replay: &Replay) -> String {
    let found = &replay.summary;
    let share = |share: Option<f64>| share.map(|share| Unit::Share.figure(share));
    let under = share(found.under).map(|share| format!(", under-provisioned {share} of the time"));
    let over = share(found.over).map(|share| format!(", over-provisioned {share}"));
    format!(
        "{}: {} changes, {} flaps per hour{}{}, {} replica-hours",
        replay.kind,
        found.changes,
        Unit::Count(String::new()).figure(found.flaps_per_hour),
        under.unwrap_or_default(),
        over.unwrap_or_default(),
        Unit::Count(String::new()).figure(found.replica_hours),
    )
}

fn footer(replay: &Replay, version: &str) -> Vec<String> {
    let how = match replay.how.as_str() {
        "closed" => "closed loop: replicas take time to start and to be seen",
        "recorded" => "beside the replicas that were recorded",
        _ => "open loop: replicas are there at once",
    };
    let files = replay.metrics.iter().map(|metric| metric.file.clone());
    let decisions = format!("{} decisions", replay.decisions);
    files.chain([how.to_owned(), decisions, format!("hockeystick {version}")]).collect()
}

fn metric_panel(metric: &ReplayMetric, course: &ReplayCourse, to: f64) -> Panel {
    let bound = |target: &f64| Bound {
        y: *target,
        label: format!("target {}", Unit::Count(metric.unit.clone()).figure(*target)),
        color: GREY,
    };
    let unit = if metric.unit.is_empty() { String::new() } else { format!(" ({})", metric.unit) };
    Panel {
        title: format!("{}{unit}, as the controller was told", metric.name),
        unit: Unit::Count(metric.unit.clone()),
        height: 200.0,
        ends: Ends::Zero(metric.targets.iter().copied().fold(0.0, f64::max) * 1.1),
        curves: vec![steps(String::new(), BLUE, 1.8, None, &course.metric, to)],
        references: Vec::new(),
        bounds: metric.targets.iter().map(bound).collect(),
        mark: None,
        keys: Vec::new(),
    }
}

fn replicas_panel(replay: &Replay, course: &ReplayCourse, to: f64) -> Panel {
    let counts = |steps: &[(f64, Option<i32>)]| -> Vec<(f64, Option<f64>)> {
        steps.iter().map(|(at, count)| (*at, count.map(f64::from))).collect()
    };
    let curve = |name: &str, color, width, dash, of: &[(f64, Option<i32>)]| {
        steps(name.to_owned(), color, width, dash, &counts(of), to)
    };
    let mut curves = Vec::new();
    if course.needed.iter().any(|(_, needed)| needed.is_some()) {
        curves.push(curve("needed", VERMILLION, 1.8, None, &course.needed));
    }
    if !course.wanted.is_empty() {
        curves.push(curve("wanted", PURPLE, 1.8, Some("6 4"), &course.wanted));
    }
    if course.ready == course.set {
        curves.push(curve("replicas", GREEN, 2.6, None, &course.set));
    } else {
        curves.push(curve("set", ORANGE, 1.8, Some("6 4"), &course.set));
        curves.push(curve("ready", GREEN, 2.6, None, &course.ready));
    }
    let most = replay.summary.replicas.map_or(1, |counts| counts.max);
    let near = replay.max.filter(|max| f64::from(*max) <= 1.3 * f64::from(most));
    let bound = near.map(|max| Bound { y: f64::from(max), label: format!("at most {max}"), color: GREY });
    Panel {
        title: "Replicas".to_owned(),
        unit: Unit::Count(String::new()),
        height: 220.0,
        ends: Ends::Zero(1.0),
        curves,
        references: Vec::new(),
        bounds: bound.into_iter().collect(),
        mark: None,
        keys: Vec::new(),
    }
}

/// A lane for each reason, drawn where it was given.
fn reasons_panel(replay: &Replay, course: &ReplayCourse, to: f64) -> Panel {
    let shown: Vec<&str> = replay.reasons.iter().take(LANES).map(|reason| reason.reason.as_str()).collect();
    let lanes = shown.len();
    let lane = |(row, name): (usize, &&str)| Curve {
        name: (*name).to_owned(),
        color: nth(row),
        shape: None,
        width: 9.0,
        dash: None,
        points: spans(&course.reasons, name, to, (lanes - row) as f64 - 0.5),
    };
    Panel {
        title: "Why".to_owned(),
        unit: Unit::Lanes,
        height: LANE * lanes as f64,
        ends: Ends::Lanes(lanes as f64),
        curves: shown.iter().enumerate().map(lane).collect(),
        references: Vec::new(),
        bounds: Vec::new(),
        mark: None,
        keys: Vec::new(),
    }
}

fn point(x: f64, y: f64) -> Point {
    Point { x, y, interval: None, steady: true, thin: false }
}

/// Where a reason was given, at a height; what is closer than a pixel is joined.
fn spans(reasons: &[(f64, String)], name: &str, to: f64, y: f64) -> Vec<Option<Point>> {
    let pixel = to / PARTS as f64;
    let mut spans: Vec<(f64, f64)> = Vec::new();
    for (index, (from, reason)) in reasons.iter().enumerate() {
        if reason != name {
            continue;
        }
        let until = reasons.get(index + 1).map_or(to, |(next, _)| *next).max(from + pixel).min(to);
        match spans.last_mut() {
            Some((_, end)) if from - *end < pixel => *end = until.max(*end),
            _ => spans.push((*from, until)),
        }
    }
    spans.into_iter().flat_map(|(from, until)| [Some(point(from, y)), Some(point(until, y)), None]).collect()
}

/// A line of steps up to `to`; `None` breaks it. Of many steps within a pixel the first, the least, the most and the
/// last are drawn, which looks the same.
fn steps(
    name: String,
    color: Color,
    width: f64,
    dash: Option<&'static str>,
    steps: &[(f64, Option<f64>)],
    to: f64,
) -> Curve {
    let mut corners: Vec<Option<(f64, f64)>> = Vec::new();
    for (index, (from, value)) in steps.iter().enumerate() {
        let until = steps.get(index + 1).map_or(to, |(next, _)| *next).min(to);
        match value.filter(|value| value.is_finite()) {
            Some(value) => corners.extend([Some((*from, value)), Some((until, value))]),
            None => corners.push(None),
        }
    }
    let part = |x: f64| (x / to * PARTS as f64) as usize;
    let mut points = Vec::new();
    let same = |a: &Option<(f64, f64)>, b: &Option<(f64, f64)>| match (a, b) {
        (Some(a), Some(b)) => part(a.0) == part(b.0),
        _ => false,
    };
    for run in corners.chunk_by(same) {
        let known: Vec<(usize, (f64, f64))> =
            run.iter().enumerate().filter_map(|(index, corner)| Some((index, (*corner)?))).collect();
        if known.len() <= 4 {
            points.extend(run.iter().map(|corner| corner.map(|(x, y)| point(x, y))));
            continue;
        }
        let by_height = |a: &&(usize, (f64, f64)), b: &&(usize, (f64, f64))| a.1.1.total_cmp(&b.1.1);
        let ends =
            [known.first(), known.iter().min_by(by_height), known.iter().max_by(by_height), known.last()];
        let mut kept: Vec<(usize, (f64, f64))> = ends.into_iter().flatten().copied().collect();
        kept.sort_by_key(|(index, _)| *index);
        kept.dedup_by_key(|(index, _)| *index);
        points.extend(kept.into_iter().map(|(_, (x, y))| Some(point(x, y))));
    }
    // A line that goes up and down within every pixel would be a block.
    let width = if points.len() > 2 * PARTS { width.min(0.8) } else { width };
    Curve { name, color, shape: None, width, dash, points }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_steps_within_a_pixel_keep_their_extremes() {
        let many: Vec<(f64, Option<f64>)> = (0..100_000_u32)
            .map(|i| (f64::from(i), Some(f64::from(if i == 5_017 { 9 } else { i % 2 }))))
            .collect();
        let curve = steps(String::new(), BLUE, 1.0, None, &many, 100_000.0);
        assert!(curve.points.len() <= 4 * PARTS + 4, "{}", curve.points.len());
        assert!(curve.points.iter().flatten().any(|point| point.y > 8.0));
    }

    #[test]
    fn reasons_that_follow_closely_are_joined() {
        let reasons: Vec<(f64, String)> = [(0.0, "a"), (500.0, "b"), (500.5, "a"), (900.0, "b")]
            .map(|(at, name)| (at, name.to_owned()))
            .to_vec();
        let drawn =
            |name| spans(&reasons, name, 1000.0, 0.5).into_iter().flatten().map(|p| p.x).collect::<Vec<_>>();
        assert_eq!(drawn("a"), [0.0, 900.0]);
        assert_eq!(drawn("b"), [500.0, 501.0, 900.0, 1000.0]);
    }
}

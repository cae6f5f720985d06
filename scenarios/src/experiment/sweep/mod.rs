//! A grid of points along swept paths: the hockey stick.

mod capacity;
mod knee;
mod suffices;

use std::collections::BTreeMap;

use models::blueprint::Blueprint;
use sim_core::CancelFlag;

pub(crate) use suffices::said;

use super::analysis::Analysis;
use super::gather::{Gathered, Progress, Simulate, gather_each};
use super::run::{BrokenLaws, Options, Plan, Prepared, lawful};
use super::{course, theory};
use crate::results::{PointOutcome, Report, SweepPoint, SweepReport, TheoryCurve};
use crate::sweep::traffic_of;

/// One swept path.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// `traffic.shoppers.rate`.
    pub path: String,
    /// Unit for axis labels: `/s`, `s`, `users`, or empty.
    pub unit: String,
}

/// One point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The swept values in base units, by path.
    pub at: BTreeMap<String, f64>,
    /// What is run there.
    pub plan: Plan,
}

/// A sweep as compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The swept paths, the one on the chart's axis first.
    pub axes: Vec<Axis>,
    /// The points, in the order in which they are run and reported.
    pub points: Vec<Point>,
    /// Values of the first path, in order, and the system there, with the other paths as in the first point: for
    /// the theory that is drawn between the points.
    pub between: Vec<(f64, Blueprint)>,
}

/// Runs every replication of every point on rayon's current threads.
///
/// Once `cancel` is raised, points of which a replication has finished are reported, the last of them with
/// `complete: false`.
///
/// # Errors
///
/// When a run broke a law of its own.
pub fn sweep(
    grid: &Grid,
    options: Options,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<SweepReport, BrokenLaws> {
    sweep_with(grid, options, &super::engine, progress, cancel)
}

pub(crate) fn sweep_with(
    grid: &Grid,
    options: Options,
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<SweepReport, BrokenLaws> {
    let plans = || grid.points.iter().map(|point| &point.plan);
    let prepared = plans()
        .map(|plan| Prepared::new(plan, options.bins, simulate, progress, cancel).watching_outcome(plan));
    let prepared: Vec<Prepared> = prepared.collect();
    let cases: Vec<_> = prepared.iter().map(|prepared| prepared.case.clone()).collect();
    let plan = |number: usize| &grid.points[number].plan;
    let wanted = |number: usize, seen: &Gathered| {
        plan(number).replications.wanted(&cases[number], seen, &plan(number).expectations)
    };
    let mut results: Vec<Option<Result<Report, BrokenLaws>>> = vec![None; cases.len()];
    let mut outcomes: Vec<Option<PointOutcome>> = vec![None; cases.len()];
    let finish = |number: usize, seen: Gathered| {
        let some = !seen.samples.is_empty();
        // It is watched behind what expectations watch.
        if plan(number).outcome.is_some() && seen.complete() {
            let held: Vec<&[bool]> =
                seen.samples.iter().filter_map(|sample| sample.held.last().map(Vec::as_slice)).collect();
            outcomes[number] = course::outcome(&held);
        }
        results[number] = some.then(|| lawful(prepared[number].report(plan(number), &seen, options)));
    };
    gather_each(&cases, simulate, progress, cancel, wanted, finish);
    let mut points = Vec::new();
    for ((point, result), outcome) in grid.points.iter().zip(results).zip(outcomes) {
        if let Some(result) = result {
            points.push(SweepPoint { at: point.at.clone(), result: result?, outcome });
        }
    }
    Ok(assemble(grid, points))
}

/// What the points show together.
fn assemble(grid: &Grid, points: Vec<SweepPoint>) -> SweepReport {
    let first = grid.points.first().map(|point| &point.plan);
    let axis = grid.axes.first().filter(|_| grid.axes.len() == 1 || varies_alone(grid));
    let load = axis.filter(|axis| is_load(&axis.path));
    let line = load.map(|axis| Line::new(&axis.path, &points));
    let traffic = load.and_then(|axis| traffic_of(&axis.path));
    let knee = line.as_ref().and_then(|line| knee::find(line, traffic));
    let saturation = first.and_then(|plan| {
        let analysis = Analysis::of(&plan.blueprint);
        let load = plan.blueprint.traffics.iter().position(|t| Some(t.name.as_str()) == traffic)?;
        analysis.saturates_at(&plan.blueprint, load)
    });
    let expectations = first.map_or(&[][..], |plan| &plan.expectations);
    let other = axis.filter(|axis| !is_load(&axis.path));
    let suffices = other.and_then(|axis| suffices::find(&Line::new(&axis.path, &points), &axis.unit));
    let capacity = line.as_ref().and_then(|line| capacity::find(line, expectations, saturation.as_ref()));
    let safe = capacity.as_ref().map(|capacity| {
        let is_last =
            |point: &&Point| load.is_some_and(|axis| point.at.get(&axis.path) == Some(&capacity.last_met));
        let last = grid.points.iter().find(is_last);
        capacity::safe(capacity, last.and_then(|point| capacity::bottleneck_replicas(&point.plan.blueprint)))
    });
    SweepReport {
        schema: "hockeystick.sweep/1".to_owned(),
        scenario: first.map(|plan| plan.blueprint.name.clone()).unwrap_or_default(),
        about: first.and_then(|plan| plan.heading.about.clone()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        paths: grid.axes.iter().map(|axis| axis.path.clone()).collect(),
        units: grid.axes.iter().map(|axis| axis.unit.clone()).collect(),
        theory: curves(&grid.between),
        knee,
        capacity,
        safe,
        suffices,
        outcome: first.and_then(|plan| plan.outcome.as_ref()).map(|metric| metric.name.clone()),
        points,
    }
}

/// Whether only the first path takes more than one value.
fn varies_alone(grid: &Grid) -> bool {
    grid.axes.iter().skip(1).all(|axis| {
        let mut values = grid.points.iter().filter_map(|point| point.at.get(&axis.path));
        let first = values.next();
        values.all(|value| Some(value) == first)
    })
}

/// Whether a path scales the load.
fn is_load(path: &str) -> bool {
    traffic_of(path).is_some()
}

/// The points along the first path, in its order.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) path: &'a str,
    pub(crate) points: Vec<(f64, &'a SweepPoint)>,
}

impl<'a> Line<'a> {
    fn new(path: &'a str, points: &'a [SweepPoint]) -> Self {
        let mut points: Vec<(f64, &SweepPoint)> =
            points.iter().filter_map(|point| Some((*point.at.get(path)?, point))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { path, points }
    }
}

/// The closed form of the whole system at these values of a path, for every traffic that has one.
pub(crate) fn curves(between: &[(f64, Blueprint)]) -> Vec<TheoryCurve> {
    let mut curves: BTreeMap<(usize, usize), TheoryCurve> = BTreeMap::new();
    for (value, blueprint) in between {
        for (t, (plan, whole)) in blueprint.traffics.iter().zip(theory::wholes(blueprint)).enumerate() {
            let Some(whole) = whole else { continue };
            for (m, (metric, seconds)) in whole.metrics().into_iter().enumerate() {
                let Some(seconds) = seconds.filter(|seconds| seconds.is_finite()) else { continue };
                let curve = curves.entry((t, m)).or_insert_with(|| TheoryCurve {
                    traffic: plan.name.clone(),
                    metric: metric.to_owned(),
                    model: whole.model.clone(),
                    curve: Vec::new(),
                });
                curve.curve.push((*value, seconds));
            }
        }
    }
    curves.into_values().collect()
}

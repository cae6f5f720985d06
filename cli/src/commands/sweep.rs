//! `hockeystick sweep`.

use std::collections::BTreeMap;

use clap::Args;
use models::blueprint::Blueprint;
use plots::sweep_svg;
use scenarios::experiment::{self, Grid, Options, Point};
use scenarios::results::SweepReport;
use scenarios::{Axis, Override, Scenario};

use super::sensitivity::sensitivity;
use crate::effort::{Chosen, Effort, Format, Outlet, on_threads};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::load::Loaded;
use crate::progress::Bar;
use crate::{formats, interrupt, junit, load, output, pictures, text};

/// Draw the hockey stick: run a scenario at every point of its `sweep`
///
/// With `--sensitivity`, rank instead which paths move a metric most.
///
/// The exit code is 0 when every point ran, for to find out where expectations fail is what a sweep is for, and 3 when one
/// was cut short. To gate on a load, run at it.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) chosen: Chosen,
    /// Rank which paths move this metric most, such as `shoppers.p99` (default: what `sensitivity` in the scenario says)
    #[expect(clippy::option_option, reason = "not asked for, asked for, asked for of a metric")]
    #[arg(long, value_name = "METRIC", num_args = 0..=1, require_equals = true)]
    sensitivity: Option<Option<String>>,
    /// Move this path between these ends, as in `--over services.web.replicas=2..8`; may be repeated (default: every number of the model, by 20 % to either side)
    #[arg(long, value_name = "PATH=FROM..TO", requires = "sensitivity")]
    pub(super) over: Vec<String>,
    #[command(flatten)]
    pub(super) effort: Effort,
    #[command(flatten)]
    pub(super) outlet: Outlet,
    #[command(flatten)]
    pub(super) drawn: pictures::Drawn,
}

pub(crate) fn sweep(arguments: &Arguments) -> Result<Exit, Failure> {
    if let Some(metric) = &arguments.sensitivity {
        return sensitivity(arguments, metric.as_deref());
    }
    let loaded = arguments.chosen.not_drawn(&arguments.effort, Vec::new())?;
    if loaded.scenario.axes().is_empty() {
        let help = "add `sweep: {traffic.NAME.rate: {from: 50/s, to: 1200/s, points: 20}}` to the scenario, or run it";
        let message = format!("`{}` has no `sweep`", loaded.source.name());
        return Err(Failure::command(message, Some(help.to_owned())));
    }
    let files = arguments.drawn.files(loaded.scenario.name())?;
    output::expect_folders(files.all().chain(arguments.outlet.output.as_deref()))?;
    let cancel = interrupt::flag()?;
    let points = points(&loaded)?;
    let between = between(&loaded);
    let axes = loaded.scenario.axes().iter();
    let axes =
        axes.map(|axis| experiment::Axis { path: axis.path.clone(), unit: axis.unit.clone() }).collect();
    let grid = Grid { axes, points, between };
    let bar = Bar::new();
    let report = on_threads(arguments.effort.threads, || {
        Ok(experiment::sweep(&grid, Options::default(), &bar, &cancel)?)
    })?;
    drop(bar);
    show(arguments, &files, &report)?;
    if interrupt::was_pressed() {
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::of([], report.points.iter().all(|point| point.result.complete)))
}

fn show(arguments: &Arguments, files: &pictures::Files, report: &SweepReport) -> Result<(), Failure> {
    if report.points.is_empty() {
        output::remark("no point was reached: nothing to draw");
    } else {
        pictures::chart(&sweep_svg(report)?, &files.svg, arguments.drawn.png())?;
    }
    if let Some(file) = &files.html {
        pictures::page(report, file)?;
    }
    let text = match arguments.outlet.format {
        Format::Text => text::sweep(report, output::width()),
        Format::Json => formats::json(report)?,
        Format::Csv => formats::sweep_csv(report)?,
        Format::Junit => junit::points(report)?,
    };
    output::result(&text, arguments.outlet.output.as_deref())
}

/// Every combination of values, the first axis varying fastest.
fn points(loaded: &Loaded) -> Result<Vec<Point>, Failure> {
    let axes = loaded.scenario.axes();
    let count: usize = axes.iter().map(|axis| axis.values.len()).product();
    (0..count).map(|number| point(loaded, &places(axes, number))).collect()
}

/// The position on each axis of point `number`.
fn places(axes: &[Axis], number: usize) -> Vec<usize> {
    let mut rest = number;
    axes.iter()
        .map(|axis| {
            let place = rest % axis.values.len();
            rest /= axis.values.len();
            place
        })
        .collect()
}

fn point(loaded: &Loaded, places: &[usize]) -> Result<Point, Failure> {
    let axes = loaded.scenario.axes();
    let moved = axes.iter().zip(places).map(|(axis, place)| axis.override_at(*place));
    let at: BTreeMap<String, f64> = axes
        .iter()
        .zip(places)
        .map(|(axis, place)| (axis.path.clone(), axis.values[*place].number))
        .collect();
    let scenario = changed(loaded, moved)?;
    Ok(Point { at, plan: load::plan(&scenario, loaded.variant.as_deref()) })
}

/// The scenario with further changes; its doubts have been told.
fn changed(loaded: &Loaded, moved: impl Iterator<Item = Override>) -> Result<Scenario, Failure> {
    let overrides: Vec<Override> = loaded.overrides.iter().cloned().chain(moved).collect();
    Ok(Scenario::load(&loaded.source, &overrides)?.0)
}

/// The system along the first path, more finely than it is run, for the theory drawn between the points.
fn between(loaded: &Loaded) -> Vec<(f64, Blueprint)> {
    let Some((first, rest)) = loaded.scenario.axes().split_first() else { return Vec::new() };
    let numbers: Vec<f64> = first.values.iter().map(|value| value.number).collect();
    let at = |value: f64| {
        let text = match first.unit.as_str() {
            "users" | "" => format!("{value:.0}"),
            unit => format!("{value}{unit}"),
        };
        let moved = Override::parse(&format!("{}={text}", first.path)).ok()?;
        let others = rest.iter().map(|axis| axis.override_at(0));
        Some((value, changed(loaded, std::iter::once(moved).chain(others)).ok()?.compile()))
    };
    fine(&numbers).into_iter().filter_map(at).collect()
}

/// Points of a theory curve.
const FINE: usize = 120;

/// Values from the least to the largest of `numbers`, and closer where these are: each gap is cut evenly.
fn fine(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let parts = FINE.div_ceil(sorted.len().max(1));
    let gaps = sorted.windows(2).flat_map(|gap| {
        let (from, to) = (gap[0], gap[1]);
        (0..parts).map(move |part| from + (to - from) * part as f64 / parts as f64)
    });
    gaps.chain(sorted.last().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn theory_has_more_values_than_the_sweep() {
        let values = fine(&[10.0, 20.0, 40.0]);
        assert_eq!(values.len(), 2 * 40 + 1);
        assert_eq!((values[0], values[40], values[80]), (10.0, 20.0, 40.0));
        assert_eq!(fine(&[5.0]), [5.0]);
    }
}

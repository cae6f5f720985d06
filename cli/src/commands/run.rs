//! `hockeystick run`.

use std::path::{Path, PathBuf};

use clap::Args;
use plots::run_svg;
use scenarios::experiment::{self, Options, Plan, Silent};
use scenarios::results::{self, BaselineReport, Report, Traces};
use sim_core::CancelFlag;

use crate::effort::{Chosen, Effort, Format, Outlet, on_threads};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::text::Detail;
use crate::{baseline, formats, interrupt, junit, output, pictures, text};

/// Simulate a scenario and report what was found
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    effort: Effort,
    #[command(flatten)]
    outlet: Outlet,
    /// Draw the run over time: an SVG, or a PNG if the name says so
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    pictures: pictures::Wanted,
    /// Follow about N requests span by span, the slowest and a sample: `<scenario>.trace.json` (Chrome, Perfetto) and `<scenario>.otlp.json` (OpenTelemetry)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    trace: Option<u32>,
    /// Folder for pictures, pages and traces, unless they are named
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Hold the result against an earlier one (JSON) of the same scenario: exit code 1 if anything has become worse
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Report metrics over time as well (JSON and CSV)
    #[arg(long)]
    series: bool,
    /// Show all rows of long tables
    #[arg(long)]
    all: bool,
    /// Show Little's Law at every place
    #[arg(long)]
    laws: bool,
    /// Run twice, the second time on one thread, and insist on the same bytes
    #[arg(long)]
    check_determinism: bool,
}

/// Bins of the series over time.
const BINS: u32 = 120;

pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = arguments.chosen.load(&arguments.effort)?;
    let mut plan = Plan::drawn(&loaded.source, &loaded.overrides, &loaded.scenario)?;
    plan.heading.variant.clone_from(&loaded.variant);
    let before = earlier(arguments, loaded.scenario.name(), loaded.variant.as_deref())?;
    let folder = output::folder(arguments.out.as_deref())?;
    let chart = chart_file(arguments, &folder, loaded.scenario.name());
    let html = arguments.pictures.html_file(&folder, loaded.scenario.name());
    let outputs = [&chart, &html, &arguments.outlet.output];
    output::expect_folders(outputs.into_iter().flatten().map(PathBuf::as_path))?;
    let drawn = chart.is_some() || html.is_some();
    let options = Options { bins: (arguments.series || drawn).then_some(BINS), distributions: drawn };
    let cancel = interrupt::flag()?;
    let mut report = on_threads(arguments.effort.threads, || simulate(&plan, options, &cancel))?;
    if arguments.check_determinism && !interrupt::was_pressed() {
        same_again(&plan, options, &report, &cancel)?;
    }
    report.baseline = before.map(|before| experiment::against(&report, &before));
    if let Some(file) = chart {
        pictures::chart(&run_svg(&report)?, &file, arguments.pictures.png)?;
    }
    if let Some(file) = html {
        pictures::page(&report, &file)?;
    }
    if let Some(most) = arguments.trace.filter(|_| !interrupt::was_pressed()) {
        save_traces(&follow(&plan, options, most, &cancel), &folder)?;
    }
    let text = match arguments.outlet.format {
        Format::Text => {
            text::run(&report, Detail { all: arguments.all, laws: arguments.laws }, output::width())
        }
        Format::Json => formats::json(&report)?,
        Format::Csv => formats::run_csv(&report)?,
        Format::Junit => junit::run(&report)?,
    };
    output::result(&text, arguments.outlet.output.as_deref())?;
    if interrupt::was_pressed() {
        return Ok(Exit::Interrupted);
    }
    if report.baseline.as_ref().is_some_and(BaselineReport::has_regressed) {
        return Ok(Exit::NotMet);
    }
    Ok(Exit::of(&report.expect, report.complete))
}

/// The result to hold the new one against; it is read before work is done that would be lost.
fn earlier(arguments: &Arguments, scenario: &str, variant: Option<&str>) -> Result<Option<Report>, Failure> {
    let file = arguments.baseline.as_deref();
    file.map(|file| baseline::read(file, scenario, variant)).transpose()
}

/// Where the chart goes; a PNG alone is drawn beside an SVG named like the scenario.
fn chart_file(arguments: &Arguments, folder: &Path, name: &str) -> Option<PathBuf> {
    let unnamed = || arguments.pictures.png.then(|| folder.join(format!("{name}.svg")));
    arguments.plot.clone().or_else(unnamed)
}

/// Traces about `most` requests.
fn follow(plan: &Plan, options: Options, most: u32, cancel: &CancelFlag) -> Traces {
    if plan.drawn.is_some() {
        output::remark("requests are traced with all uncertain inputs in the middle");
    }
    let traces = experiment::trace(plan, options, most, &Bar::new(), cancel);
    if traces.missed > 0 {
        let missed = text::grouped(traces.missed);
        output::remark(&format!("requests left out, which came while too many were followed: {missed}"));
    }
    traces
}

/// Writes the traces in both forms, named like the scenario.
fn save_traces(traces: &Traces, folder: &Path) -> Result<(), Failure> {
    let file = |form: &str| folder.join(format!("{}.{form}.json", traces.scenario));
    output::save(&file("trace"), formats::written(results::chrome(traces))?.as_bytes())?;
    output::save(&file("otlp"), formats::written(results::otlp(traces))?.as_bytes())
}

fn simulate(plan: &Plan, options: Options, cancel: &CancelFlag) -> Result<Report, Failure> {
    let bar = Bar::new();
    Ok(experiment::run(plan, options, &bar, cancel)?.report)
}

/// Runs once more on one thread.
fn same_again(plan: &Plan, options: Options, first: &Report, cancel: &CancelFlag) -> Result<(), Failure> {
    let again = on_threads(Some(1), || Ok(experiment::run(plan, options, &Silent, cancel)?.report))?;
    if interrupt::was_pressed() {
        return Ok(());
    }
    if again.fingerprint != first.fingerprint {
        let what = format!("their events (fingerprints {} and {})", first.fingerprint, again.fingerprint);
        return Err(Failure::NotDeterministic(what));
    }
    if formats::json(&again)? != formats::json(first)? {
        return Err(Failure::NotDeterministic("their results".to_owned()));
    }
    output::remark(&format!("two runs gave the same bytes, fingerprint {}", first.fingerprint));
    Ok(())
}

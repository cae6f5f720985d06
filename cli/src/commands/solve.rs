//! `hockeystick solve`.

use clap::Args;
use plots::solve_svg;
use scenarios::experiment::{self, Unsolved};
use scenarios::results::{Met, SolveReport};

use crate::effort::{Chosen, Effort, Format, Outlet, on_threads};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::{formats, interrupt, junit, output, pictures, text};

/// Find the cheapest point, or the largest load, at which every expectation holds: what `solve` in the scenario asks for
///
/// The exit code is 0 when a point was found, 1 when none holds, and 3 when that is undecided or the search was cut short.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    effort: Effort,
    #[command(flatten)]
    outlet: Outlet,
    #[command(flatten)]
    drawn: pictures::Drawn,
}

pub(crate) fn solve(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = arguments.chosen.not_drawn(&arguments.effort, Vec::new())?;
    if loaded.scenario.goal().is_none() {
        let help = "add `solve: {minimize: services.NAME.replicas, over: {services.NAME.replicas: 1..50}}`, or \
                    `solve: {maximize: traffic.NAME.rate}`";
        let message = format!("`{}` has no `solve`", loaded.source.name());
        return Err(Failure::command(message, Some(help.to_owned())));
    }
    let files = arguments.drawn.files(loaded.scenario.name())?;
    output::expect_folders(files.all().chain(arguments.outlet.output.as_deref()))?;
    let cancel = interrupt::flag()?;
    let bar = Bar::new();
    let found = on_threads(arguments.effort.threads, || {
        experiment::solve(&loaded.source, &loaded.overrides, &bar, &cancel).map_err(|why| match why {
            Unsolved::Wrong(mistakes) => Failure::from(mistakes),
            Unsolved::Broken(broken) => Failure::from(broken),
            Unsolved::NoGoal => Failure::command(why.to_string(), None),
        })
    });
    drop(bar);
    let mut report = found?;
    report.head.variant = loaded.variant;
    show(arguments, &files, &report)?;
    if interrupt::was_pressed() {
        return Ok(Exit::Interrupted);
    }
    Ok(match report.verdict() {
        Met::Met => Exit::Met,
        Met::NotMet => Exit::NotMet,
        Met::Undecided => Exit::Undecided,
    })
}

fn show(arguments: &Arguments, files: &pictures::Files, report: &SolveReport) -> Result<(), Failure> {
    if report.tried.is_empty() {
        output::remark("no point was tried: nothing to draw");
    } else {
        pictures::chart(&solve_svg(report)?, &files.svg, arguments.drawn.png())?;
        if let Some(file) = &files.html {
            pictures::page(report, file)?;
        }
    }
    let text = match arguments.outlet.format {
        Format::Text => text::solve(report, output::width()),
        Format::Json => formats::json(report)?,
        Format::Csv => formats::solve_csv(report)?,
        Format::Junit => junit::solved(report)?,
    };
    output::result(&text, arguments.outlet.output.as_deref())
}

//! `hockeystick rare`.

use clap::Args;
use scenarios::experiment;
use scenarios::results::RareReport;

use crate::effort::{Chosen, Effort, Format, Outlet, on_threads};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::{formats, interrupt, load, output, text};

/// Say how likely is what is too rare to be waited for: what `rare` in the scenario asks for, by splitting runs on the way to it
///
/// The exit code is 0 when every probability is known as precisely as it was to be, and 3 when one is not.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    effort: Effort,
    #[command(flatten)]
    outlet: Outlet,
}

pub(crate) fn rare(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = arguments.chosen.not_drawn(&arguments.effort, Vec::new())?;
    let Some(wanted) = loaded.scenario.rare() else {
        let help = "add `rare: {events: [shoppers.latency > 2s]}` to the scenario";
        let message = format!("`{}` has no `rare`", loaded.source.name());
        return Err(Failure::command(message, Some(help.to_owned())));
    };
    output::expect_folders(arguments.outlet.output.as_deref())?;
    if arguments.outlet.format == Format::Junit {
        let help = Some("ask for `text`, `json` or `csv`".to_owned());
        return Err(Failure::command("probabilities are no tests, so there is no JUnit of them", help));
    }
    let plan = load::plan(&loaded.scenario, loaded.variant.as_deref());
    let cancel = interrupt::flag()?;
    let bar = Bar::new();
    let report = on_threads(arguments.effort.threads, || Ok(experiment::rare(&plan, wanted, &bar, &cancel)))?;
    drop(bar);
    show(arguments, &report)?;
    if interrupt::was_pressed() {
        return Ok(Exit::Interrupted);
    }
    Ok(if report.events.iter().all(|event| event.is_precise) { Exit::Met } else { Exit::Undecided })
}

fn show(arguments: &Arguments, report: &RareReport) -> Result<(), Failure> {
    let text = match arguments.outlet.format {
        Format::Json => formats::json(report)?,
        Format::Csv => formats::rare_csv(report)?,
        Format::Text | Format::Junit => text::rare(report, output::width()),
    };
    output::result(&text, arguments.outlet.output.as_deref())
}

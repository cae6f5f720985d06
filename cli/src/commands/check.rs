//! `hockeystick check`.

use clap::Args;
use models::blueprint::Blueprint;
use scenarios::experiment::predicted;

use crate::effort::Chosen;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::text::{Cell, Column, Page, Table, Unit};

/// Say everything that is wrong with a scenario, and what the operational laws predict of it
///
/// What is probably not meant (a timeout shorter than what it waits for, a pool that can deadlock, ...) is told as a
/// warning. The exit code is 0 unless the scenario cannot run.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
}

/// Stations that are listed.
const MOST: usize = 8;

pub(crate) fn check(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = arguments.chosen.check()?;
    let blueprint = loaded.scenario.compile();
    let mut page = Page::new(output::width());
    page.prose(&format!("{}: {}. No mistakes.", loaded.scenario.name(), contents(&blueprint)));
    prediction(&mut page, &blueprint);
    output::result(&page.into_text(), None)?;
    Ok(Exit::Met)
}

/// `2 services, 3 endpoints, 1 traffic`.
fn contents(blueprint: &Blueprint) -> String {
    let counted = |n: usize, one: &str, many: &str| {
        (n > 0).then(|| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") })
    };
    let parts = [
        counted(blueprint.services.len(), "service", "services"),
        counted(blueprint.endpoints.len(), "endpoint", "endpoints"),
        counted(blueprint.pools.len(), "pool", "pools"),
        counted(blueprint.traffics.len(), "traffic", "traffics"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What the operational laws say before anything runs.
fn prediction(page: &mut Page, blueprint: &Blueprint) {
    let analysis = predicted(blueprint);
    let mut stations: Vec<_> = analysis.stations.iter().filter(|station| station.utilization > 0.0).collect();
    stations.sort_by(|a, b| b.utilization.total_cmp(&a.utilization));
    let mut table = Table::new([
        Column::name("Predicted by the operational laws"),
        Column::number("units"),
        Column::number(if analysis.bounds { "busy at most" } else { "busy" }),
    ]);
    let hidden = stations.len().saturating_sub(MOST);
    for station in stations.into_iter().take(MOST) {
        table.row([
            Cell::from(format!("  {}", station.name)),
            Unit::Count.cell(station.capacity()),
            Unit::Share.cell(station.utilization),
        ]);
    }
    page.table(&table);
    if hidden > 0 {
        page.item(&format!("... and {hidden} more, no busier"));
    }
    if let Some(bottleneck) = analysis.bottleneck(blueprint) {
        page.gap();
        page.prose(&format!("{}.", bottleneck.text.replace('`', "")));
    }
}

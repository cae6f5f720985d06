//! Resources that are not held: rates and volumes.

use scenarios::results::{LimiterResult, Report, ResourceResult, VolumeResult};

use super::figure::Unit;
use super::page::Page;
use super::run::{brief, busiest_resources};
use super::table::{Cell, Column, Table};

/// What limiters let through.
pub(super) fn rates(page: &mut Page, report: &Report) {
    let mut table = Table::new([
        Column::name("Rates"),
        Column::number("limit/s"),
        Column::number("taken/s"),
        Column::number("free"),
        Column::number("longest"),
        Column::number("wait"),
        Column::number("wait p99"),
        Column::number("refused"),
    ]);
    for (name, resource) in busiest_resources(report) {
        let Some(LimiterResult { limit, taken, free }) = &resource.limiter else { continue };
        let waited = resource.queue_max.filter(|longest| *longest > 0);
        table.row([
            Cell::from(format!("  {name}")),
            Unit::Count.cell(*limit),
            brief(Unit::Count, *taken),
            brief(Unit::Share, *free),
            waited.map_or_else(Cell::none, Cell::count),
            brief(Unit::Seconds, resource.wait.mean.filter(|_| waited.is_some())),
            brief(Unit::Seconds, resource.wait.p99.filter(|_| waited.is_some())),
            refused(resource),
        ]);
    }
    page.table(&table);
}

/// Where levels were.
pub(super) fn volumes(page: &mut Page, report: &Report) {
    let mut table = Table::new([
        Column::name("Volumes"),
        Column::number("units"),
        Column::number("mean"),
        Column::number("least"),
        Column::number("at the end"),
        Column::number("taken"),
        Column::number("given"),
        Column::number("oversold"),
        Column::number("empty at"),
        Column::number("refused"),
    ]);
    for (name, resource) in busiest_resources(report) {
        let Some(VolumeResult { mean, min, end, taken, given, oversold, empty_at, .. }) = &resource.volume
        else {
            continue;
        };
        table.row([
            Cell::from(format!("  {name}")),
            brief(Unit::Count, resource.capacity),
            brief(Unit::Count, *mean),
            brief(Unit::Count, *min),
            brief(Unit::Count, *end),
            brief(Unit::Count, *taken),
            brief(Unit::Count, *given),
            brief(Unit::Count, oversold.filter(|oversold| oversold.value > 0.0)),
            brief(Unit::Seconds, *empty_at),
            refused(resource),
        ]);
    }
    page.table(&table);
}

fn refused(resource: &ResourceResult) -> Cell {
    match resource.rejected + resource.timed_out {
        0 => Cell::none(),
        refused => Cell::count(refused),
    }
}

//! What has changed since an earlier result.

use scenarios::results::{BaselineReport, Change, Trend};

use super::figure::Unit;
use super::page::Page;
use super::table::{Cell, Column, Table};

/// Adds a table of the figures then and now.
pub(super) fn baseline(page: &mut Page, found: &BaselineReport) {
    let mut table = Table::new([
        Column::whole_name("Since the baseline"),
        Column::number("before"),
        Column::number("now"),
        Column::number("difference"),
        Column::number("±"),
        Column::text("verdict"),
    ]);
    for change in &found.changes {
        table.row(row(change));
    }
    page.table(&table);
    page.prose(&format!(
        "{} replications with seed {} of version {}. {} over all {} figures.",
        found.replications,
        found.seed,
        found.version,
        found.method,
        found.changes.len()
    ));
    if !found.missing.is_empty() {
        page.prose(&format!("Not in both results: {}.", found.missing.join(", ")));
    }
}

fn row(change: &Change) -> Vec<Cell> {
    let unit = Unit::of_metric(&change.metric);
    vec![
        Cell::from(format!("  {}", change.metric).as_str()),
        unit.brief(&change.before),
        unit.brief(&change.now),
        unit.estimate(&change.difference),
        unit.bare_margin(&change.difference),
        Cell::from(trend(change.trend)),
    ]
}

/// As it stands in tables.
pub(crate) fn trend(trend: Trend) -> &'static str {
    match trend {
        Trend::Improved => "improved",
        Trend::Regressed => "REGRESSED",
        Trend::Differs => "differs",
        Trend::NoEvidence => "no evidence",
    }
}

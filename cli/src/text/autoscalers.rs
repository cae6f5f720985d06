//! Autoscalers and what they did.

use scenarios::results::{AutoscalerResult, Report};

use super::figure::{Unit, counted};
use super::page::Page;
use super::run::brief;
use super::table::{Cell, Column, Table};

/// What they wanted, how often that changed, and why.
pub(super) fn autoscalers(page: &mut Page, report: &Report) {
    if report.autoscalers.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::name("Autoscalers"),
        Column::number("wanted"),
        Column::number("most"),
        Column::number("up"),
        Column::number("down"),
        Column::number("changes/h"),
        Column::number("flaps"),
        Column::number("nodes"),
    ]);
    for (name, found) in &report.autoscalers {
        table.row([
            Cell::from(if *name == found.service {
                format!("  {name}")
            } else {
                format!("  {name} of {}", found.service)
            }),
            brief(Unit::Count, found.replicas),
            brief(Unit::Count, found.replicas_max),
            brief(Unit::Count, found.ups),
            brief(Unit::Count, found.downs),
            brief(Unit::Count, found.changes_per_hour),
            brief(Unit::Count, found.flaps),
            brief(Unit::Count, found.nodes),
        ]);
    }
    page.table(&table);
    for (name, found) in &report.autoscalers {
        page.prose(&format!("`{name}` looked {}", reasons(found)));
    }
}

/// How often it looked, and in how many of those it said what.
fn reasons(found: &AutoscalerResult) -> String {
    let looks: u64 = found.reasons.values().sum();
    let mut told: Vec<_> = found.reasons.iter().collect();
    told.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let told: Vec<String> = told.iter().map(|(name, count)| format!("{name} {count}")).collect();
    format!("{} in all replications: {}.", counted(looks, "time"), told.join(", "))
}

//! Caches: what they had, and what was left for those behind them.

use scenarios::results::{CacheResult, E, Report};

use super::figure::Unit;
use super::page::Page;
use super::run::brief;
use super::table::{Cell, Column, Table};

/// What caches did.
pub(super) fn caches(page: &mut Page, report: &Report) {
    stores(page, report);
    copies(page, report);
}

fn stores(page: &mut Page, report: &Report) {
    let mut table = Table::new([
        Column::name("Caches"),
        Column::number("gets/s"),
        Column::number("hits"),
        Column::number("fetches/s"),
        Column::number("fetch"),
        Column::number("herd"),
        Column::number("largest"),
        Column::number("waited/s"),
        Column::number("wait"),
        Column::number("entries"),
        Column::number("room"),
        Column::number("evicted/s"),
        Column::number("failed/s"),
    ]);
    for (name, cache) in report.caches.iter().filter(|(_, cache)| cache.stale_reads.is_none()) {
        table.row([
            Cell::from(format!("  {name}")),
            brief(Unit::Count, cache.gets),
            brief(Unit::Share, cache.hit_ratio),
            brief(Unit::Count, cache.fetches),
            brief(Unit::Seconds, cache.fetch.mean),
            brief(Unit::Count, cache.herd_mean),
            brief(Unit::Count, cache.herd_max),
            brief(Unit::Count, some(cache.coalesced)),
            brief(Unit::Seconds, cache.wait.mean),
            brief(Unit::Count, cache.entries),
            cache.room.map_or_else(Cell::none, Cell::count),
            brief(Unit::Count, some(cache.evictions)),
            brief(Unit::Count, some(cache.fetch_failures)),
        ]);
    }
    page.table(&table);
    for (name, cache) in &report.caches {
        for line in beyond(name, cache) {
            page.prose(&line);
        }
    }
}

/// What only some caches have, one line each.
fn beyond(name: &str, cache: &CacheResult) -> Vec<String> {
    let rows = [
        (cache.stale_hits, "gets a second used an answer beyond its time"),
        (cache.refreshes, "fetches a second were on nobody's behalf"),
        (cache.early, "gets a second fetched an answer before its time was up"),
        (cache.negative_hits, "gets a second found that fetching had failed"),
        (cache.coalesced_failures, "gets a second failed with whom they waited for"),
        (cache.no_room, "answers a second found no room"),
    ];
    let told = rows.into_iter().filter_map(|(figure, what)| Some((some(figure)?, what)));
    told.map(|(figure, what)| format!("{name}: {} {what}.", Unit::Count.say(figure.value))).collect()
}

fn copies(page: &mut Page, report: &Report) {
    let mut table = Table::new([
        Column::name("Copies that lag behind"),
        Column::number("reads/s"),
        Column::number("writes/s"),
        Column::number("stale"),
        Column::number("pinned"),
    ]);
    for (name, cache) in report.caches.iter().filter(|(_, cache)| cache.stale_reads.is_some()) {
        table.row([
            Cell::from(format!("  {name}")),
            brief(Unit::Count, cache.gets),
            brief(Unit::Count, cache.puts),
            brief(Unit::Share, cache.stale_reads),
            brief(Unit::Share, some(cache.pinned_reads)),
        ]);
    }
    page.table(&table);
}

/// A figure that is not 0.
fn some(figure: Option<E>) -> Option<E> {
    figure.filter(|figure| figure.value > 0.0)
}

//! Queues and those who take from them.

use scenarios::results::Report;

use super::figure::Unit;
use super::page::Page;
use super::run::brief;
use super::table::{Cell, Column, Table};

/// What waits, how long, and what became of it.
pub(super) fn queues(page: &mut Page, report: &Report) {
    if report.queues.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::name("Queues"),
        Column::number("sent/s"),
        Column::number("done/s"),
        Column::number("lag"),
        Column::number("at the end"),
        Column::number("oldest"),
        Column::number("p50"),
        Column::number("p99"),
        Column::number("lost"),
        Column::number("dead"),
    ]);
    for (name, queue) in &report.queues {
        for (group, found) in &queue.consumers {
            let taken = found.members.is_some_and(|members| members.value > 0.0);
            let name = match queue.consumers.len() {
                1 => name.clone(),
                _ => format!("{name}, {group}"),
            };
            table.row([
                Cell::from(format!("  {name}")),
                brief(Unit::Rate, queue.sent),
                brief(Unit::Rate, found.throughput.filter(|_| taken)),
                brief(Unit::Count, found.lag),
                brief(Unit::Count, found.lag_end),
                brief(Unit::Seconds, found.age.filter(|age| age.value > 0.0)),
                brief(Unit::Seconds, found.latency.p50),
                brief(Unit::Seconds, found.latency.p99),
                brief(Unit::Share, found.lost.filter(|lost| lost.value > 0.0)),
                brief(Unit::Count, found.dead.filter(|dead| dead.value > 0.0)),
            ]);
        }
    }
    page.table(&table);
    consumers(page, report);
}

/// How the work was shared out, where anybody takes anything.
fn consumers(page: &mut Page, report: &Report) {
    let mut table = Table::new([
        Column::name("Consumers"),
        Column::number("members"),
        Column::number("busy"),
        Column::number("runs/message"),
        Column::number("done twice"),
        Column::number("out of order"),
        Column::number("rebalances"),
        Column::number("too slow"),
        Column::number("stopped"),
    ]);
    let mut any = false;
    for (queue, row) in &report.queues {
        for (group, found) in &row.consumers {
            let Some(members) = found.members.filter(|members| members.value > 0.0) else { continue };
            any = true;
            let name = if row.consumers.len() == 1 { queue.clone() } else { format!("{queue}, {group}") };
            let told = |e: Option<scenarios::results::E>| e.filter(|e| e.value > 0.0);
            table.row([
                Cell::from(format!("  {name}")),
                brief(Unit::Count, Some(members)),
                brief(Unit::Share, found.busy),
                brief(Unit::Count, found.runs_per_message),
                brief(Unit::Count, told(found.duplicates)),
                brief(Unit::Count, told(found.disordered)),
                brief(Unit::Count, told(found.rebalances)),
                brief(Unit::Count, told(found.expulsions)),
                brief(Unit::Share, told(found.stopped)),
            ]);
        }
    }
    if any {
        page.table(&table);
    }
}

/// Runs of jobs.
pub(super) fn jobs(page: &mut Page, report: &Report) {
    if report.jobs.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::name("Jobs"),
        Column::number("runs/s"),
        Column::number("failed/s"),
        Column::number("under way"),
        Column::number("mean"),
        Column::number("p99"),
    ]);
    for (name, found) in &report.jobs {
        table.row([
            Cell::from(format!("  {name}")),
            brief(Unit::Rate, found.throughput),
            brief(Unit::Rate, found.failures.filter(|failures| failures.value > 0.0)),
            brief(Unit::Count, found.in_flight),
            brief(Unit::Seconds, found.latency.mean),
            brief(Unit::Seconds, found.latency.p99),
        ]);
    }
    page.table(&table);
}

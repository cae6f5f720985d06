//! A sweep.

use scenarios::results::{E, Report, SweepPoint, SweepReport, TrafficResult};

use super::figure::Unit;
use super::outcome;
use super::page::Page;
use super::run::busiest_resources;
use super::table::{Cell, Column, Table};

/// The report as text, `width` columns wide.
pub(crate) fn sweep(report: &SweepReport, width: usize) -> String {
    let mut page = Page::new(width);
    page.title(&report.scenario, report.about.as_deref());
    let paths: Vec<String> = report.paths.iter().map(|path| format!("`{path}`")).collect();
    page.prose(&format!("{} points along {}.", report.points.len(), paths.join(" and ")));
    outcome::map(&mut page, report);
    if report.outcome.is_some() && report.paths.len() > 1 {
        cut_short(&mut page, report);
        return page.into_text();
    }
    let mut traffics: Vec<&String> = Vec::new();
    for name in report.points.iter().flat_map(|point| point.result.traffic.keys()) {
        if !traffics.contains(&name) {
            traffics.push(name);
        }
    }
    for name in traffics {
        page.table(&points(report, name));
    }
    busiest(&mut page, report);
    if report.points.iter().any(|point| !point.result.unsteady.is_empty()) {
        page.item("grows: something on its way grows without bound there, so no latency holds");
    }
    page.gap();
    match report.paths.as_slice() {
        [path] if is_load(path) => found(&mut page, report),
        [_] => {
            let text = report.suffices.as_ref().map(|suffices| suffices.text.as_str());
            page.hanging(
                "Suffices  ",
                "          ",
                text.unwrap_or("nothing is expected: `expect` says what is enough"),
            );
        }
        _ => page.prose(
            "Several paths have no knee and no capacity of their own: sweep one of them, and set the rest.",
        ),
    }
    cut_short(&mut page, report);
    page.into_text()
}

/// How many points were cut short, and why.
fn cut_short(page: &mut Page, report: &SweepReport) {
    let cut = report.points.iter().filter(|point| !point.result.complete).count();
    if cut > 0 {
        page.gap();
        let are = if cut == 1 { "point was" } else { "points were" };
        page.prose(&format!("{cut} {are} cut short: {}.", reasons(&report.points).join("; ")));
    }
}

/// Whether a path scales the load.
fn is_load(path: &str) -> bool {
    matches!(path.split('.').collect::<Vec<_>>().as_slice(), ["traffic", _, "rate" | "users"])
}

/// Knee, capacity and safe range of a sweep over the load.
fn found(page: &mut Page, report: &SweepReport) {
    let sentences = [
        ("Knee", report.knee.as_ref().map(|knee| &knee.text)),
        ("Capacity", report.capacity.as_ref().map(|capacity| &capacity.text)),
    ];
    for (what, text) in sentences {
        let text = text.map_or("not within this sweep", String::as_str);
        page.hanging(&format!("{what:10}"), "          ", text);
    }
    if let Some(safe) = &report.safe {
        let unit = report.units.first().map_or("", String::as_str);
        let range = format!("{} to {}: ", value(unit, safe.from), value(unit, safe.to));
        page.hanging("Safe      ", "          ", &format!("{range}{}", safe.text));
    }
}

/// Which resource is the busiest, and from which point on.
fn busiest(page: &mut Page, report: &SweepReport) {
    let mut said: Vec<(String, String)> = Vec::new();
    for point in &report.points {
        let Some((name, _)) = busiest_resources(&point.result).into_iter().next() else { continue };
        if said.last().is_none_or(|(last, _)| *last != name) {
            said.push((name, place(report, point)));
        }
    }
    let texts: Vec<String> = match said.as_slice() {
        [(only, _)] => vec![only.clone()],
        several => several.iter().take(6).map(|(name, from)| format!("{name} from {from} on")).collect(),
    };
    if !texts.is_empty() {
        page.hanging("  ", "    ", &format!("busiest: {}", texts.join(", ")));
    }
}

/// A point as a reader would name it.
fn place(report: &SweepReport, point: &SweepPoint) -> String {
    let at = report.paths.iter().zip(&report.units);
    let values = at.filter_map(|(path, unit)| point.at.get(path).map(|at| value(unit, *at)));
    values.collect::<Vec<_>>().join(" and ")
}

fn reasons(points: &[SweepPoint]) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for reason in points.iter().flat_map(|point| &point.result.cut_short) {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    reasons
}

fn points(report: &SweepReport, traffic: &str) -> Table {
    let heads = ["answered/s", "mean", "p50", "p99", "p99.9", "errors"];
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    let mut columns: Vec<Column> = report.paths.iter().map(|path| Column::number(&last(path))).collect();
    if let Some(first) = columns.first_mut() {
        // Several traffics: whose figures these are.
        let name = report.paths.first().map(|path| last(path)).unwrap_or_default();
        let only = report.points.iter().all(|point| point.result.traffic.len() < 2);
        *first = Column::number(&if only { name } else { format!("{traffic}: {name}") });
    }
    columns.extend(heads.map(Column::number));
    columns.push(Column::number("busiest"));
    let mut table = Table::new(columns);
    for point in &report.points {
        let Some(seen) = point.result.traffic.get(traffic) else { continue };
        let at = report.paths.iter().zip(&report.units).map(|(path, unit)| {
            point.at.get(path).map_or_else(Cell::none, |at| Cell::Word(value(unit, *at)))
        });
        table.row(at.chain(figures(&point.result, traffic, seen)));
    }
    table
}

/// A swept value as its unit tells it.
pub(super) fn value(unit: &str, value: f64) -> String {
    match unit {
        "s" => Unit::Seconds.say(value),
        "%" => Unit::Share.say(value),
        "/s" => Unit::Rate.say(value),
        _ => Unit::Count.say(value),
    }
}

fn figures(report: &Report, name: &str, traffic: &TrafficResult) -> Vec<Cell> {
    let steady = report.is_steady(&format!("traffic.{name}"));
    let short = |unit: Unit, e: Option<E>| e.map_or_else(Cell::none, |e| unit.cell(e.value));
    let latency = |e: Option<E>| {
        if steady { short(Unit::Seconds, e) } else { Cell::Word("grows".to_owned()) }
    };
    let mut cells = vec![
        short(Unit::Rate, traffic.throughput),
        latency(traffic.latency.mean),
        latency(traffic.latency.p50),
        latency(traffic.latency.p99),
        latency(traffic.latency.p999),
        short(Unit::Share, traffic.errors),
    ];
    let busiest = busiest_resources(report).first().and_then(|(_, resource)| resource.utilization);
    cells.push(busiest.map_or_else(Cell::none, |e| Cell::Number {
        digits: format!("{:.0}", e.value * 100.0),
        unit: "%".to_owned(),
    }));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fixtures;

    #[test]
    fn a_sweep_is_shown_in_80_columns() {
        let text = sweep(&fixtures::hockeystick(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}

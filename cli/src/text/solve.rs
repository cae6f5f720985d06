//! An answer, and what was tried for it.

use std::collections::BTreeMap;

use scenarios::results::{CheckedPoint, Met, SolveAim, SolveReport, TriedPoint};

use super::figure::{Unit, counted};
use super::page::Page;
use super::sweep::value;
use super::table::{Cell, Column, Table};

/// The report as text, `width` columns wide.
pub(crate) fn solve(report: &SolveReport, width: usize) -> String {
    let mut page = Page::new(width);
    page.head(&report.head);
    page.prose(&format!("{} points were tried, all on the same arrivals and needs.", tried_of(report)));
    page.gap();
    page.hanging("Answer    ", "          ", &report.text);
    page.table(&points(report));
    if report.aim == SolveAim::Minimize && report.frontier.len() > 1 {
        page.item(&format!(
            "* frontier: no better point that was tried holds with a lower {}",
            report.metric
        ));
    }
    page.gap();
    for (number, assumption) in report.assumptions.iter().enumerate() {
        page.hanging(if number == 0 { "Assumed   " } else { "          " }, "          ", &assumption.text);
    }
    for (number, check) in report.checks.iter().enumerate() {
        page.hanging(
            if number == 0 { "Checked   " } else { "          " },
            "          ",
            &checked(report, check),
        );
    }
    for note in &report.notes {
        page.hanging("Note      ", "          ", note);
    }
    page.into_text()
}

/// `7 of 50`, or how many where any number was possible.
fn tried_of(report: &SolveReport) -> String {
    let tried = report.tried.len() as u64;
    if report.points > tried { format!("{tried} of {}", report.points) } else { tried.to_string() }
}

/// What was tried, the smallest first.
fn points(report: &SolveReport) -> Table {
    let costs = report.of == "cost";
    let mut columns = vec![Column::text("")];
    columns.extend(costs.then(|| Column::number(&report.unit)));
    columns.extend(report.names().into_iter().map(Column::number));
    columns.extend([Column::number(&report.metric), Column::number("±"), Column::number("runs")]);
    columns.push(Column::name(""));
    let mut table = Table::new(columns);
    let mut order: Vec<usize> = (0..report.tried.len()).collect();
    order.sort_by(|a, b| by_value(report, *a, *b));
    for number in order {
        table.row(row(report, number, costs));
    }
    table
}

fn by_value(report: &SolveReport, a: usize, b: usize) -> std::cmp::Ordering {
    let key = |point: usize| {
        let tried = &report.tried[point];
        let at = report.paths.iter().filter_map(|path| tried.at.get(path).copied());
        std::iter::once(tried.value).chain(at).collect::<Vec<f64>>()
    };
    let pairs = key(a).into_iter().zip(key(b));
    pairs.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne()).unwrap_or(a.cmp(&b))
}

fn row(report: &SolveReport, number: usize, costs: bool) -> Vec<Cell> {
    let point = &report.tried[number];
    let is_answer = report.answer.as_ref().is_some_and(|answer| answer.point == number);
    let on_frontier =
        report.aim == SolveAim::Minimize && report.frontier.len() > 1 && report.frontier.contains(&number);
    let mark = match (is_answer, on_frontier) {
        (true, _) => "=>",
        (_, true) => " *",
        _ => "  ",
    };
    let unit = Unit::of_metric(&report.metric);
    let mut cells = vec![Cell::from(mark)];
    cells.extend(costs.then(|| Unit::Count.cell(point.value)));
    let at = report.paths.iter().zip(&report.units);
    cells.extend(
        at.map(|(path, unit)| point.at.get(path).map_or_else(Cell::none, |at| Cell::Word(value(unit, *at)))),
    );
    cells.extend(match point.metric {
        Some(e) if is_steady(report, point) => [unit.brief(&e), unit.margin(&e)],
        Some(_) => [Cell::Word("grows".to_owned()), Cell::none()],
        None => [Cell::none(), Cell::none()],
    });
    cells.push(Cell::count(u64::from(point.result.replications)));
    cells.push(Cell::from(format!("{} {}", word(point.verdict), why(point)).trim_end()));
    cells
}

/// Whether the metric is that of a steady state.
fn is_steady(report: &SolveReport, point: &TriedPoint) -> bool {
    let subject = report.metric.split('.').find(|part| *part != "traffic").unwrap_or_default();
    point.result.is_steady(&format!("traffic.{subject}"))
}

fn word(verdict: Met) -> &'static str {
    match verdict {
        Met::Met => "holds",
        Met::NotMet => "fails",
        Met::Undecided => "undecided",
    }
}

/// The expectation that is not met.
fn why(point: &TriedPoint) -> String {
    let first = |wanted: Met| point.result.expect.iter().find(|verdict| verdict.verdict == wanted);
    let open = first(Met::NotMet).or_else(|| first(Met::Undecided));
    open.map(|verdict| verdict.text.clone()).unwrap_or_default()
}

fn checked(report: &SolveReport, check: &CheckedPoint) -> String {
    format!(
        "on seed {} {} {}, in {}",
        check.seed,
        place(report, &check.at),
        match check.verdict {
            Met::Undecided => "is undecided",
            decided => word(decided),
        },
        counted(u64::from(check.replications), "replication")
    )
}

/// Values as the head of the table names them: `replicas 4, slots 20`.
fn place(report: &SolveReport, at: &BTreeMap<String, f64>) -> String {
    let paths = report.paths.iter().zip(&report.units).zip(report.names());
    let each =
        paths.filter_map(|((path, unit), name)| Some(format!("{name} {}", value(unit, *at.get(path)?))));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fixtures;

    #[test]
    fn an_answer_is_shown_in_80_columns() {
        let text = solve(&fixtures::solved(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn paths_are_named_by_as_little_as_tells_them_apart() {
        let named = |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            let report = SolveReport { paths, ..fixtures::solved() };
            report.names().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(named(&["services.web.replicas", "resources.pool.slots"]), ["replicas", "slots"]);
        assert_eq!(
            named(&["services.web.replicas", "services.db.replicas"]),
            ["web.replicas", "db.replicas"]
        );
        assert_eq!(named(&["seed"]), ["seed"]);
    }
}

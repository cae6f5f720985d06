//! What became of every point of a sweep, as a map.

use std::collections::BTreeMap;

use scenarios::results::{Fate, PointOutcome, SweepPoint, SweepReport};

use super::page::Page;
use super::sweep::value;
use super::table::{Cell, Column, Table};

/// Room for the columns of a map.
const ROOM: usize = 80;
/// Blanks between columns.
const GAP: usize = 2;

/// The map of outcomes, where the sweep asks for one: the first path from left to right, the second one downwards, a
/// map for each combination of the others.
pub(crate) fn map(page: &mut Page, report: &SweepReport) {
    let Some(condition) = &report.outcome else { return };
    let mut maps: BTreeMap<Vec<u64>, Vec<&SweepPoint>> = BTreeMap::new();
    for point in &report.points {
        let others = report.paths.iter().skip(2).map(|path| point.at[path].to_bits());
        maps.entry(others.collect()).or_default().push(point);
    }
    for points in maps.values() {
        page.gap();
        let others = report.paths.iter().zip(&report.units).skip(2);
        let others: Vec<String> =
            others.map(|(path, unit)| format!("`{path}` = {}", value(unit, points[0].at[path]))).collect();
        let with = if others.is_empty() { String::new() } else { format!(" with {}", others.join(", ")) };
        page.prose(&format!("What becomes of `{condition}`{with}:"));
        one(page, report, points);
    }
    legend(page, report);
}

/// Different values of a path, ascending.
fn values(points: &[&SweepPoint], path: &str) -> Vec<f64> {
    let mut values: Vec<f64> = points.iter().filter_map(|point| point.at.get(path).copied()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn one(page: &mut Page, report: &SweepReport, points: &[&SweepPoint]) {
    let Some(first) = report.paths.first() else { return };
    let second = report.paths.get(1);
    let unit = |number: usize| report.units.get(number).map_or("", String::as_str);
    let columns = values(points, first);
    let heads: Vec<String> = columns.iter().map(|x| value(unit(0), *x)).collect();
    let rows: Vec<Option<f64>> =
        second.map_or(vec![None], |path| values(points, path).into_iter().map(Some).collect());
    let last = |path: &String| path.rsplit('.').next().unwrap_or(path).to_owned();
    let corner = second.map_or_else(|| last(first), |second| format!("{} \\ {}", last(second), last(first)));
    let names: Vec<String> = rows.iter().map(|y| y.map_or(String::new(), |y| value(unit(1), y))).collect();
    let side = names.iter().chain([&corner]).map(|name| name.chars().count()).max().unwrap_or(0);
    let widest = heads.iter().map(|head| head.chars().count()).max().unwrap_or(1).max(4);
    let fit = ((ROOM - side) / (widest + GAP)).max(1);
    for (columns, heads) in columns.chunks(fit).zip(heads.chunks(fit)) {
        let heads = heads.iter().map(|head| Column::number(head));
        let mut table = Table::new([Column::text(&corner)].into_iter().chain(heads));
        for (row, name) in rows.iter().zip(&names) {
            let cell = |x: &f64| {
                let here = |point: &&&SweepPoint| {
                    let same = |path: &String, value: f64| {
                        point.at.get(path).is_some_and(|at| at.total_cmp(&value).is_eq())
                    };
                    same(first, *x) && second.zip(*row).is_none_or(|(second, y)| same(second, y))
                };
                Cell::Word(points.iter().find(here).map_or(" ".to_owned(), |point| sign(point.outcome)))
            };
            // A blank keeps a row without a name.
            let name = if name.is_empty() { " " } else { name };
            table.row([Cell::from(name)].into_iter().chain(columns.iter().map(cell)));
        }
        page.table(&table);
    }
}

/// `X`, or `X 70` where only so many per cent of the replications do.
fn sign(outcome: Option<PointOutcome>) -> String {
    let Some(outcome) = outcome else { return "?".to_owned() };
    let sign = match outcome.fate {
        Fate::Stable => "·",
        Fate::Recovers => "o",
        Fate::StaysDown => "X",
    };
    if outcome.share < 1.0 { format!("{sign} {:.0}", outcome.share * 100.0) } else { sign.to_owned() }
}

fn legend(page: &mut Page, report: &SweepReport) {
    let seen = || report.points.iter().map(|point| point.outcome);
    page.gap();
    page.line("  ·  stable: never left its good state");
    page.line("  o  recovers: left it, and is back at the end");
    page.line("  X  stays down: still out of it in the last tenth of the run");
    if seen().flatten().any(|outcome| outcome.share < 1.0) {
        page.line("  A number: so many per cent of the replications; the others differ.");
    }
    if seen().any(|outcome| outcome.is_none()) {
        page.line("  ?  cut short");
    }
}

#[cfg(test)]
mod tests {
    use scenarios::results::PointOutcome;

    use super::*;
    use crate::text::fixtures;
    use crate::text::sweep::sweep;

    fn storm() -> SweepReport {
        let mut report = fixtures::hockeystick();
        let point = report.points[0].clone();
        report.points.clear();
        report.paths = vec!["traffic.users.rate".into(), "events.0.for".into()];
        report.units = vec!["/s".into(), "s".into()];
        report.outcome = Some("users.ok > 99%".into());
        for (row, length) in [0.5, 2.0, 20.0].into_iter().enumerate() {
            for column in 0..14_u32 {
                let rate = f64::from(column + 1) * 20.0;
                let at = [("traffic.users.rate", rate), ("events.0.for", length)];
                let fate = match (row, column) {
                    (0, _) => Fate::Stable,
                    (_, 0..4) => Fate::Recovers,
                    _ => Fate::StaysDown,
                };
                let share = if (row, column) == (1, 4) { 0.7 } else { 1.0 };
                let outcome = Some(PointOutcome { fate, share, stable: 0, recovers: 3, stays_down: 7 });
                let at = at.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
                report.points.push(SweepPoint { at, outcome, ..point.clone() });
            }
        }
        report
    }

    #[test]
    fn a_map_of_outcomes_is_shown_in_80_columns() {
        let text = sweep(&storm(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}

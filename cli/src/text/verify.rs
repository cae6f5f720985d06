//! Expectations on many seeds.

use std::fmt::Write as _;

use scenarios::results::{Met, VerifiedExpectation, VerifyReport};

use super::figure::{Unit, counted};
use super::page::Page;
use super::table::{Cell, Column, Table};

/// The report as text, `width` columns wide.
pub(crate) fn verify(report: &VerifyReport, width: usize) -> String {
    let mut page = Page::new(width);
    let mut table = Table::new([
        Column::whole_name("Story and expectation"),
        Column::number("lowest"),
        Column::number("highest"),
        Column::text("verdict"),
    ]);
    for scenario in &report.scenarios {
        table.row([Cell::Span(scenario.scenario.clone())]);
        for expectation in &scenario.expect {
            let [lowest, highest] = ends(expectation);
            table.row([
                Cell::from(format!("  {}", expectation.text)),
                Cell::Word(lowest),
                Cell::Word(highest),
                Cell::from(verdict(expectation, report.seeds)),
            ]);
        }
        if !scenario.complete {
            table.row([Cell::Span("  cut short".to_owned())]);
        }
    }
    page.table(&table);
    page.gap();
    page.prose(&summary(report));
    page.into_text()
}

/// The report as a table for a document.
pub(crate) fn verify_markdown(report: &VerifyReport) -> String {
    let mut text = "| story | expectation | observed | verdict |\n|---|---|---|---|\n".to_owned();
    for scenario in &report.scenarios {
        for expectation in &scenario.expect {
            let row = [
                scenario.scenario.clone(),
                format!("`{}`", expectation.text.replace('|', "\\|")),
                range(expectation),
                verdict(expectation, report.seeds),
            ];
            // Writing to memory does not fail.
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
    }
    let _ = writeln!(text, "\n{}", summary(report));
    text
}

/// The figures of all seeds, and on how many of them the expectation is not met.
pub(crate) fn observed_on_seeds(expectation: &VerifiedExpectation, seeds: u32) -> String {
    let why = expectation.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{}, {}{why}", range(expectation), verdict(expectation, seeds))
}

/// From the lowest figure to the highest.
fn range(expectation: &VerifiedExpectation) -> String {
    let [lowest, highest] = ends(expectation);
    if lowest == highest { lowest } else { format!("{lowest} to {highest}") }
}

/// The lowest and the highest figure, in words.
fn ends(expectation: &VerifiedExpectation) -> [String; 2] {
    let left = expectation.text.split(['<', '>', '=']).next().unwrap_or_default();
    let unit = if left.contains('/') { Unit::Count } else { Unit::of_metric(&expectation.text) };
    [expectation.lowest, expectation.highest]
        .map(|value| value.map_or("-".to_owned(), |value| unit.say(value)))
}

fn verdict(expectation: &VerifiedExpectation, seeds: u32) -> String {
    let missed = seeds.saturating_sub(expectation.met);
    match expectation.verdict {
        Met::Met => "met".to_owned(),
        Met::NotMet => format!("NOT MET {missed}/{seeds}"),
        Met::Undecided => format!("undecided {missed}/{seeds}"),
    }
}

fn summary(report: &VerifyReport) -> String {
    let expectations = report.scenarios.iter().map(|scenario| scenario.expect.len()).sum::<usize>();
    let missed = report.scenarios.iter().flat_map(|scenario| &scenario.expect);
    let missed = missed.filter(|expectation| expectation.verdict != Met::Met).count();
    let held = match (expectations, missed) {
        (0, _) => "there is nothing to verify".to_owned(),
        (1, 0) => "it is met on every seed".to_owned(),
        (1, _) => "it is not met, or undecided, on some seed".to_owned(),
        (_, 0) => "all of them are met on every seed".to_owned(),
        (_, 1) => "one of them is not met, or undecided, on some seed".to_owned(),
        _ => format!("{missed} of them are not met, or undecided, on some seed"),
    };
    format!(
        "{} of {} on {}: {held}.",
        counted(expectations as u64, "expectation"),
        counted(report.scenarios.len() as u64, "scenario"),
        counted(u64::from(report.seeds), "seed")
    )
}

#[cfg(test)]
mod tests {
    use scenarios::results::Verified;

    use super::*;

    fn report() -> VerifyReport {
        let expectation = |text: &str, verdict, met, ends: Option<(f64, f64)>| VerifiedExpectation {
            text: text.to_owned(),
            verdict,
            met,
            lowest: ends.map(|(lowest, _)| lowest),
            highest: ends.map(|(_, highest)| highest),
            why: None,
        };
        let expect = vec![
            expectation("users.ok[120s..150s] > 99.9%", Met::Met, 20, Some((0.9997, 1.0))),
            expectation("storm.users.attempts[60s..140s] = 4 ± 0.1%", Met::NotMet, 17, Some((3.9, 4.0))),
            expectation("storm.users.recovery(ok > 99%, after 40s) > 60s", Met::Met, 20, None),
            expectation(
                "hedged_at_96.clients.p99[40s..60s] / plain_at_96.clients.p99[40s..60s] > 2",
                Met::Undecided,
                19,
                Some((1.9, 26.0)),
            ),
        ];
        VerifyReport {
            schema: "hockeystick.verify/1".to_owned(),
            version: "0.1.0".to_owned(),
            seeds: 20,
            scenarios: vec![Verified {
                scenario: "retry_storm".to_owned(),
                about: None,
                complete: true,
                expect,
            }],
        }
    }

    #[test]
    fn verified_expectations_are_shown_in_80_columns() {
        let text = verify(&report(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_summary_counts_one_as_one() {
        let of = |expectations: usize, seeds: u32| {
            let mut report = VerifyReport { seeds, ..report() };
            report.scenarios[0].expect.truncate(expectations);
            summary(&report)
        };
        assert_eq!(of(0, 20), "0 expectations of 1 scenario on 20 seeds: there is nothing to verify.");
        assert_eq!(of(1, 1), "1 expectation of 1 scenario on 1 seed: it is met on every seed.");
        let one_of_three = "one of them is not met, or undecided, on some seed.";
        assert_eq!(of(3, 20), format!("3 expectations of 1 scenario on 20 seeds: {one_of_three}"));
    }

    #[test]
    fn the_same_table_can_stand_in_a_document() {
        insta::assert_snapshot!(verify_markdown(&report()));
    }
}

//! Verdicts for CI systems: XML of `JUnit`, a test for each expectation.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use scenarios::results::{
    Change, Met, Report, SolveAim, SolveReport, SweepPoint, SweepReport, Trend, Verdict, Verified,
    VerifyReport,
};

use crate::failure::Failure;
use crate::text;

/// What is said of an expectation.
struct Found {
    text: String,
    verdict: Met,
    observed: String,
}

impl Found {
    fn of(verdict: &Verdict) -> Self {
        Self { text: verdict.text.clone(), verdict: verdict.verdict, observed: text::observed(verdict) }
    }
}

/// The expectations of a run, and what has changed since its baseline.
///
/// # Errors
///
/// Never, in practice: the result is text.
pub(crate) fn run(report: &Report) -> Result<String, Failure> {
    let expectations = suite(&report.head.scenario, report.expect.iter().map(Found::of));
    let changed = report.baseline.as_ref().map(|found| {
        let of = |change: &Change| Found {
            text: change.metric.clone(),
            verdict: if change.trend == Trend::Regressed { Met::NotMet } else { Met::Met },
            observed: format!(
                "{}: {} before, {} now",
                text::trend(change.trend),
                change.before.value,
                change.now.value
            ),
        };
        suite(&format!("{} since its baseline", report.head.scenario), found.changes.iter().map(of))
    });
    write(std::iter::once(expectations).chain(changed).collect())
}

/// The expectations of a comparison.
///
/// # Errors
///
/// Never, in practice: the result is text.
pub(crate) fn expectations(scenario: &str, verdicts: &[Verdict]) -> Result<String, Failure> {
    write(vec![suite(scenario, verdicts.iter().map(Found::of))])
}

/// The expectations at each point of a sweep.
///
/// # Errors
///
/// Never, in practice: the result is text.
pub(crate) fn points(report: &SweepReport) -> Result<String, Failure> {
    let of = |point: &SweepPoint| {
        let at: Vec<String> = point.at.iter().map(|(path, value)| format!("{path}={value}")).collect();
        let name = format!("{} at {}", report.scenario, at.join(", "));
        suite(&name, point.result.expect.iter().map(Found::of))
    };
    write(report.points.iter().map(of).collect())
}

/// Whether what was sought was found.
///
/// # Errors
///
/// Never, in practice: the result is text.
pub(crate) fn solved(report: &SolveReport) -> Result<String, Failure> {
    let aim = match report.aim {
        SolveAim::Minimize => "minimize",
        SolveAim::Maximize => "maximize",
    };
    let text = format!("{aim} {}", report.of);
    let found = Found { text, verdict: report.verdict(), observed: report.text.clone() };
    write(vec![suite(&report.head.scenario, std::iter::once(found))])
}

/// The same on many seeds.
///
/// # Errors
///
/// Never, in practice: the result is text.
pub(crate) fn verified(report: &VerifyReport) -> Result<String, Failure> {
    let of = |scenario: &Verified| {
        let found = scenario.expect.iter().map(|expectation| Found {
            text: expectation.text.clone(),
            verdict: expectation.verdict,
            observed: text::observed_on_seeds(expectation, report.seeds),
        });
        suite(&scenario.scenario, found)
    };
    write(report.scenarios.iter().map(of).collect())
}

fn suite(scenario: &str, found: impl Iterator<Item = Found>) -> TestSuite {
    let mut suite = TestSuite::new(scenario);
    suite.add_test_cases(found.map(|found| {
        let mut status = match found.verdict {
            Met::Met => TestCaseStatus::success(),
            Met::NotMet => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Met::Undecided => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        match found.verdict {
            Met::Met => {}
            Met::NotMet => drop(status.set_type("not met").set_message(found.observed)),
            Met::Undecided => drop(status.set_type("undecided").set_message(found.observed)),
        }
        let mut case = TestCase::new(found.text, status);
        case.set_classname(scenario);
        case
    }));
    suite
}

fn write(suites: Vec<TestSuite>) -> Result<String, Failure> {
    let mut report = quick_junit::Report::new("hockeystick");
    report.add_test_suites(suites);
    let text = report.to_string();
    text.map_err(|error| Failure::Machine { what: "write the result", reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fixtures;

    #[test]
    fn expectations_are_tests() {
        let shop = fixtures::shop();
        insta::assert_snapshot!(expectations(&shop.head.scenario, &shop.expect).unwrap());
    }
}

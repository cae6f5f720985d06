//! What was found, in sentences.

use crate::experiment::sweep::said;
use crate::goal::GoalAxis;
use crate::metric::{Comparison, Expectation, Figure, Quantity, Subject};
use crate::results::{Assumption, CheckedPoint, E, Met, Report, SolveAim, SolveReport, TriedPoint};
use crate::{Scenario, sweep::traffic_of};
use std::collections::BTreeMap;

/// The metric that is told beside the verdicts.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// `shoppers.p99`.
    pub(crate) name: String,
    /// The expectation that observes it; none for the p99 of a traffic.
    expectation: Option<String>,
    traffic: String,
}

/// The first latency of a traffic of which something is expected, else the p99 of the first traffic.
pub(crate) fn shown(scenario: &Scenario) -> Shown {
    let latency = |expectation: &&Expectation| {
        let Quantity::One(term) = &expectation.left else { return false };
        let bounded = matches!(expectation.comparison, Comparison::Less | Comparison::AtMost);
        let figure = matches!(term.metric.figure, Figure::Mean | Figure::Quantile(_));
        let of_traffic = matches!(term.metric.subject, Subject::Traffic(_) | Subject::Group(..));
        bounded && figure && of_traffic && term.variant.is_none()
    };
    let expected = scenario.expectations().iter().find(latency);
    let traffic = scenario.parts.traffics.first().map(|traffic| traffic.name.clone()).unwrap_or_default();
    let name = expected
        .and_then(|expectation| expectation.left.terms().first().map(|term| term.metric.name.clone()));
    Shown {
        name: name.unwrap_or_else(|| format!("{traffic}.p99")),
        expectation: expected.map(|expectation| expectation.text.clone()),
        traffic,
    }
}

impl Shown {
    /// What it is in a report.
    pub(crate) fn of(&self, report: &Report) -> Option<E> {
        match &self.expectation {
            Some(text) => report.expect.iter().find(|verdict| verdict.text == *text)?.observed,
            None => report.traffic.get(&self.traffic)?.latency.p99,
        }
    }
}

/// What was taken for granted of every path.
pub(crate) fn assumptions(axes: &[GoalAxis], doubts: &[Option<String>]) -> Vec<Assumption> {
    let one = |(axis, doubt): (&GoalAxis, &Option<String>)| {
        let path = &axis.axis.path;
        let more = if axis.more_is_easier { "more" } else { "less" };
        let text = match doubt {
            None => format!(
                "{more} of `{path}` is taken never to be worse, and nothing that was tried speaks against it"
            ),
            Some(why) => format!(
                "{more} of `{path}` can be worse: {why}; so nothing was taken for granted along it, and every point \
                 was tried that would be a better answer"
            ),
        };
        Assumption { path: path.clone(), held: doubt.is_none(), text }
    };
    axes.iter().zip(doubts).map(one).collect()
}

/// The answer, or why there is none.
pub(crate) fn answer(report: &SolveReport) -> String {
    let sought = match report.aim {
        SolveAim::Minimize if report.of == "cost" => "the cheapest point".to_owned(),
        SolveAim::Minimize => format!("the smallest `{}`", report.of),
        SolveAim::Maximize => format!("the largest `{}`", report.of),
    };
    let Some(answer) = &report.answer else {
        return nothing(report, &sought);
    };
    let value = said(&report.unit, answer.value);
    let others = report.of == "cost" || report.paths.len() > 1;
    let at = if others { format!(", at {}", place(report, &answer.at)) } else { String::new() };
    format!("{sought} at which every expectation holds is {value}{at}")
}

fn nothing(report: &SolveReport, sought: &str) -> String {
    if !report.complete {
        let holds = report.tried.iter().filter(|point| point.verdict == Met::Met).count();
        let so_far = if holds == 0 {
            "none that was tried holds".to_owned()
        } else {
            format!("{holds} of those tried hold")
        };
        return format!("{sought} at which every expectation holds was not found in time; {so_far}");
    }
    let open = match report.tried.iter().filter(|point| point.verdict == Met::Undecided).count() {
        0 => String::new(),
        1 => "; one of those tried is undecided".to_owned(),
        several => format!("; {several} of those tried are undecided"),
    };
    format!("no point was found at which every expectation holds{open}")
}

/// Values of all paths: `services.web.replicas = 4, resources.conns.slots = 20`.
fn place(report: &SolveReport, at: &BTreeMap<String, f64>) -> String {
    let each = report.paths.iter().zip(&report.units);
    let values = each.filter_map(|(path, unit)| Some(format!("`{path}` = {}", number(unit, *at.get(path)?))));
    values.collect::<Vec<_>>().join(", ")
}

/// A value behind its path: counts without what they count.
fn number(unit: &str, value: f64) -> String {
    if matches!(unit, "s" | "/s" | "%") { said(unit, value) } else { format!("{value}") }
}

/// What else is worth knowing.
pub(crate) fn notes(report: &SolveReport, expectations: &[Expectation]) -> Vec<String> {
    let mut notes = Vec::new();
    match expectations.iter().filter(|e| e.left.names_a_variant()).count() {
        0 => {}
        1 => notes.push("one expectation names a variant and is not judged".to_owned()),
        several => notes.push(format!("{several} expectations name variants and are not judged")),
    }
    notes.extend(report.checks.iter().filter_map(|check| checked(report, check)));
    notes.extend(undecided(report));
    notes.extend(edge(report));
    notes
}

/// What another seed changed.
fn checked(report: &SolveReport, check: &CheckedPoint) -> Option<String> {
    let point = check.point.and_then(|point| report.tried.get(point));
    let before = point.map(|point| point.verdict);
    let at = place(report, &check.at);
    match (before, check.verdict) {
        (Some(Met::Met), Met::Met) => None,
        (Some(Met::Met), _) => {
            let open = check.expect.iter().find(|verdict| verdict.verdict != Met::Met)?;
            let how = if open.verdict == Met::NotMet { "fails" } else { "is undecided" };
            Some(format!(
                "on seed {} {at} does not hold: `{}` {how}; it was passed over",
                check.seed, open.text
            ))
        }
        (_, Met::Met) => Some(format!(
            "on seed {} {at} holds too: it is too close to tell, and more `replications` or a longer `duration` would",
            check.seed
        )),
        _ => None,
    }
}

/// Better points that more replications would decide.
fn undecided(report: &SolveReport) -> Option<String> {
    let better = |point: &&TriedPoint| {
        report.answer.as_ref().is_none_or(|answer| match report.aim {
            SolveAim::Minimize => point.value < answer.value,
            SolveAim::Maximize => point.value > answer.value,
        })
    };
    let open = report.tried.iter().filter(|point| point.verdict == Met::Undecided).filter(better);
    let (point, needs) =
        open.filter_map(|point| Some((point, point.needs?))).min_by_key(|(_, needs)| *needs)?;
    let what = if point.needs > Some(MANY) { format!("more than {MANY}") } else { format!("about {needs}") };
    Some(format!(
        "{} is undecided after {} replications and counts as failing; {what} would tell",
        place(report, &point.at),
        point.result.replications
    ))
}

/// More replications than anybody waits for.
const MANY: u32 = 10_000;

/// That the answer is at the end of what was allowed.
fn edge(report: &SolveReport) -> Option<String> {
    let answer = report.answer.as_ref()?;
    let load = report.aim == SolveAim::Maximize && traffic_of(&report.of).is_some();
    let failing = report.tried.iter().any(|point| point.verdict != Met::Met);
    (load && !failing).then(|| {
        format!(
            "nothing that was tried fails: {} is only the largest that was tried",
            said(&report.unit, answer.value)
        )
    })
}

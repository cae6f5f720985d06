//! Variants on the same arrivals and needs.

use std::collections::BTreeSet;

use models::blueprint::Blueprint;
use sim_core::CancelFlag;

use super::estimate::{ENOUGH, Observed, difference, more_is_better, variance};
use super::expect::{Ran, judge};
use super::gather::{Case, Gathered, Progress, Simulate, gather};
use super::growth::{self, Unsteady};
use super::precision::Until;
use super::report::{Heading, costs, headline};
use super::run::{BrokenLaws, Options, Plan, Prepared, lawful};
use crate::metric::{Figure, Metric, Reading};
use crate::results::{CompareReport, Difference, Met, Verdict};

/// Runs the variants on common random numbers and compares the others with `base`.
///
/// A request's draws depend on the seed, the replication and its place, not on what other requests do: so
/// replication `i` of two variants sees the same arrivals and the same needs, and their differences are paired.
/// Each plan carries the scenario's expectations as resolved for its variant; those that name a variant are
/// judged across all of them. The name of a plan's variant is that of the list.
///
/// # Errors
///
/// When a run broke a law of its own.
///
/// # Panics
///
/// When `base` is none of the variants.
pub fn compare(
    variants: &[(String, Plan)],
    base: &str,
    options: Options,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<CompareReport, BrokenLaws> {
    compare_with(variants, base, options, &super::engine, progress, cancel)
}

pub(crate) fn compare_with(
    variants: &[(String, Plan)],
    base: &str,
    options: Options,
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<CompareReport, BrokenLaws> {
    let base_at = variants.iter().position(|(name, _)| name == base);
    let base_at = base_at.unwrap_or_else(|| panic!("`{base}` is none of the variants"));
    let named = |(name, plan): &(String, Plan)| {
        let heading = Heading { variant: Some(name.clone()), ..plan.heading.clone() };
        Plan { heading, ..plan.clone() }
    };
    let plans: Vec<Plan> = variants.iter().map(named).collect();
    let prepared = prepare(&plans, options, simulate, progress, cancel);
    let cases: Vec<Case> = prepared.iter().map(|p| p.case.clone()).collect();
    let wanted = |gathered: &[Gathered]| {
        let each = plans.iter().zip(&cases).zip(gathered);
        let most = each.map(|((plan, case), seen)| plan.replications.wanted(case, seen, &plan.expectations));
        let most = most.max().unwrap_or(0);
        let first = &plans[base_at].replications;
        let begun = gathered[base_at].begun;
        let open = first.until != Until::Enough
            && gathered.iter().all(|seen| seen.begun > 0 && seen.cut_short.is_empty())
            && across(&ran(&plans, &cases, gathered, &unsteady(&cases, gathered)), base_at)
                .iter()
                .any(|v| v.verdict == Met::Undecided);
        // Pairs need as many of each.
        vec![if open { most.max(first.after(begun)) } else { most }; plans.len()]
    };
    let gathered = gather(&cases, simulate, progress, cancel, wanted);
    let mut reports = Vec::new();
    for (((name, _), plan), (prepared, seen)) in
        variants.iter().zip(&plans).zip(prepared.iter().zip(&gathered))
    {
        reports.push((name.clone(), lawful(prepared.report(plan, seen, options))?));
    }
    let unsteady = unsteady(&cases, &gathered);
    let ran = ran(&plans, &cases, &gathered, &unsteady);
    Ok(CompareReport {
        schema: "hockeystick.compare/1".to_owned(),
        scenario: cases[base_at].blueprint.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        base: base.to_owned(),
        differences: differences(&ran, base_at),
        expect: across(&ran, base_at),
        variants: reports,
    })
}

/// Cases with the same measured part and the same windows: pairs need both.
fn prepare(
    plans: &[Plan],
    options: Options,
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Vec<Prepared> {
    let mut prepared: Vec<Prepared> =
        plans.iter().map(|plan| Prepared::new(plan, options.bins, simulate, progress, cancel)).collect();
    let warmup = prepared.iter().map(|p| p.case.blueprint.warmup).max().unwrap_or_default();
    for one in &mut prepared {
        let Case { mut blueprint, seed, variant, mut windows, batches, watched, .. } = one.case.clone();
        blueprint.warmup = warmup;
        windows.retain(|window| !batches.contains(window));
        let case = Case::new(blueprint, seed, variant, windows).watching(watched);
        one.case = if batches.is_empty() { case } else { case.in_batches() };
    }
    prepared
}

fn ran<'a>(
    plans: &'a [Plan],
    cases: &'a [Case],
    gathered: &'a [Gathered],
    unsteady: &'a [Unsteady],
) -> Vec<Ran<'a>> {
    let each = plans.iter().zip(cases).zip(gathered).zip(unsteady);
    each.map(|(((plan, case), gathered), unsteady)| Ran {
        case,
        gathered,
        expectations: &plan.expectations,
        unsteady,
    })
    .collect()
}

/// What has no steady state, of each.
fn unsteady(cases: &[Case], gathered: &[Gathered]) -> Vec<Unsteady> {
    cases.iter().zip(gathered).map(|(case, gathered)| growth::detect(case, gathered).unsteady).collect()
}

/// Verdicts on the expectations that name a variant.
fn across(ran: &[Ran<'_>], base: usize) -> Vec<Verdict> {
    let named = ran[base].expectations.iter().filter(|expectation| expectation.left.names_a_variant());
    named.filter_map(|expectation| judge(expectation, ran, &ran[base])).collect()
}

fn differences(ran: &[Ran<'_>], base: usize) -> Vec<Difference> {
    let scaled: BTreeSet<&str> = ran.iter().flat_map(|ran| scaled(&ran.case.blueprint)).collect();
    let before = metrics(&ran[base], &scaled);
    let mut differences = Vec::new();
    for other in ran.iter().enumerate().filter(|(at, _)| *at != base).map(|(_, other)| other) {
        let after = metrics(other, &scaled);
        for metric in &before {
            let same = after.iter().find(|m| m.name == metric.name && m.window == metric.window);
            differences.extend(same.and_then(|same| differ((metric, &ran[base]), (same, other))));
        }
    }
    differences
}

/// Services whose replicas an autoscaler counts.
fn scaled(plan: &Blueprint) -> impl Iterator<Item = &str> {
    plan.autoscalers.iter().map(|row| plan.services[row.service.index()].path.as_str())
}

/// The headline of every traffic, what services and nodes cost, and what the expectations speak of.
fn metrics(ran: &Ran<'_>, scaled: &BTreeSet<&str>) -> Vec<Metric> {
    let mut metrics = headline(&ran.case.blueprint);
    metrics.extend(costs(&ran.case.blueprint, scaled));
    let terms = ran.expectations.iter().flat_map(|expectation| expectation.left.terms());
    for term in terms.filter(|term| term.is_here) {
        let recovers = matches!(term.metric.reading, Reading::Recovery(_)); // For ever less for ever is nothing.
        if !recovers && !metrics.iter().any(|m| m.name == term.metric.name && m.window == term.metric.window)
        {
            metrics.push(term.metric.clone());
        }
    }
    metrics
}

fn differ((metric, base): (&Metric, &Ran<'_>), (same, other): (&Metric, &Ran<'_>)) -> Option<Difference> {
    let before = Observed::of(metric, base.case, base.gathered)?;
    let after = Observed::of(same, other.case, other.gathered)?;
    let paired = difference(&after, &before);
    let values = paired.values();
    let independent = variance(&before.values())? + variance(&after.values())?;
    let variance_ratio = variance(&values).filter(|_| independent > 0.0).map(|paired| paired / independent);
    Some(Difference {
        variant: other.case.variant.clone()?,
        metric: metric.name.clone(),
        base: before.estimate(),
        value: after.estimate(),
        difference: paired.estimate(),
        verdict: verdict(metric.figure, &paired).to_owned(),
        variance_ratio,
    })
}

fn verdict(figure: Figure, paired: &Observed) -> &'static str {
    let e = paired.estimate();
    let (Some(lo), Some(hi)) = (e.lo, e.hi) else { return "no evidence" };
    let up = if lo > 0.0 {
        true
    } else if hi < 0.0 {
        false
    } else {
        return "no evidence";
    };
    if paired.values().len() < ENOUGH && !paired.is_certain() {
        return "no evidence";
    }
    match more_is_better(figure) {
        Some(better) if better == up => "better",
        Some(_) => "worse",
        None => "differs",
    }
}

//! Variants on the same arrivals and needs.

use sim_core::CancelFlag;

use super::estimate::{ENOUGH, Observed, difference, more_is_better, variance};
use super::expect::{Ran, judge};
use super::gather::{Gathered, Progress, Simulate, gather};
use super::report::headline;
use super::run::{BrokenLaws, Options, Plan, Prepared, lawful, windows};
use crate::metric::{Expectation, Figure, Metric, Quantity};
use crate::results::{CompareReport, Difference, Verdict};

/// Runs the variants on common random numbers and compares the others with `base`.
///
/// A request's draws depend on the seed, the replication and its place, not on what other requests do: so
/// replication `i` of two variants sees the same arrivals and the same needs, and their differences are paired.
/// `expectations` are all of the scenario's; those that name a variant are judged here.
///
/// # Errors
///
/// When a run broke a law of its own.
///
/// # Panics
///
/// When there is no variant, or `base` is none of them.
pub fn compare(
    variants: &[(String, Plan)],
    base: &str,
    expectations: &[Expectation],
    options: Options,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<CompareReport, BrokenLaws> {
    compare_with(variants, base, expectations, options, &super::engine, progress, cancel)
}

pub(crate) fn compare_with(
    variants: &[(String, Plan)],
    base: &str,
    expectations: &[Expectation],
    options: Options,
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<CompareReport, BrokenLaws> {
    let base_at = variants.iter().position(|(name, _)| name == base);
    let base_at = base_at.unwrap_or_else(|| panic!("`{base}` is none of the variants"));
    let mut prepared: Vec<Prepared> = Vec::new();
    for (_, plan) in variants {
        let mut plan = plan.clone();
        plan.expectations.extend_from_slice(expectations); // For the windows that they look at.
        prepared.push(Prepared::new(&plan, options.bins, simulate, progress, cancel));
    }
    // Pairs need the same measured part: the longest warm-up holds for all.
    let warmup = prepared.iter().map(|p| p.case.blueprint.warmup).max().unwrap_or_default();
    let windows = windows(expectations);
    for one in &mut prepared {
        let mut blueprint = one.case.blueprint.clone();
        blueprint.warmup = warmup;
        let mut all = one.case.windows.clone();
        all.extend(windows.iter().filter(|w| !one.case.windows.contains(w)));
        one.case = super::gather::Case::new(blueprint, one.case.seed, all);
    }
    let cases: Vec<_> = prepared.iter().map(|p| p.case.clone()).collect();
    let wanted = |gathered: &[Gathered]| {
        let each = variants.iter().zip(&cases).zip(gathered);
        let most = each.map(|(((_, plan), case), seen)| {
            plan.replications.wanted(case, seen, &plan.expectations)
        });
        // Pairs need as many of each.
        vec![most.max().unwrap_or(0); variants.len()]
    };
    let gathered = gather(&cases, simulate, progress, cancel, wanted);
    let mut reports = Vec::new();
    for (((name, plan), prepared), seen) in variants.iter().zip(&prepared).zip(&gathered) {
        let mut plan = plan.clone();
        plan.heading.variant = Some(name.clone());
        reports.push((name.clone(), lawful(prepared.report(&plan, seen, options))?));
    }
    let ran: Vec<Ran<'_>> = variants
        .iter()
        .zip(&cases)
        .zip(&gathered)
        .zip(&reports)
        .map(|((((name, _), case), gathered), (_, report))| Ran {
            variant: Some(name),
            case,
            gathered,
            growing: !report.growth.is_empty(),
        })
        .collect();
    Ok(CompareReport {
        schema: "hockeystick.compare/1".to_owned(),
        scenario: cases[base_at].blueprint.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        base: base.to_owned(),
        differences: differences(&ran, base_at, expectations),
        expect: across(expectations, &ran, base_at),
        variants: reports,
    })
}

/// Verdicts on the expectations that name a variant.
fn across(expectations: &[Expectation], ran: &[Ran<'_>], base: usize) -> Vec<Verdict> {
    let names_one = |expectation: &&Expectation| match &expectation.left {
        Quantity::One(term) => term.variant.is_some(),
        Quantity::Ratio(upper, lower) => upper.variant.is_some() || lower.variant.is_some(),
    };
    let named = expectations.iter().filter(names_one);
    named.filter_map(|expectation| judge(expectation, ran, &ran[base])).collect()
}

fn differences(ran: &[Ran<'_>], base: usize, expectations: &[Expectation]) -> Vec<Difference> {
    let metrics = metrics(ran, base, expectations);
    let others = ran.iter().enumerate().filter(|(at, _)| *at != base);
    others
        .flat_map(|(_, other)| metrics.iter().filter_map(|metric| differ(metric, &ran[base], other)))
        .collect()
}

/// The headline of every traffic, and what the expectations speak of.
fn metrics(ran: &[Ran<'_>], base: usize, expectations: &[Expectation]) -> Vec<Metric> {
    let mut metrics = headline(&ran[base].case.blueprint);
    for expectation in expectations {
        let terms = match &expectation.left {
            Quantity::One(term) => vec![term],
            Quantity::Ratio(upper, lower) => vec![upper, lower],
        };
        for term in terms {
            if !metrics.iter().any(|metric| metric.name == term.metric.name) {
                metrics.push(term.metric.clone());
            }
        }
    }
    metrics
}

fn differ(metric: &Metric, base: &Ran<'_>, other: &Ran<'_>) -> Option<Difference> {
    let before = Observed::of(metric, base.case, base.gathered)?;
    let after = Observed::of(metric, other.case, other.gathered)?;
    let paired = difference(&after, &before);
    let values = paired.values();
    let independent = variance(&before.values())? + variance(&after.values())?;
    let variance_ratio = variance(&values).filter(|_| independent > 0.0).map(|paired| paired / independent);
    Some(Difference {
        variant: other.variant?.to_owned(),
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

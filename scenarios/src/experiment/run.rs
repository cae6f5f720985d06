//! One run: replications in parallel, and the report on them.

use models::blueprint::Blueprint;
use models::observe::Observations;
use sim_core::{CancelFlag, SimTime, Span};
use thiserror::Error;

use super::gather::{Case, Gathered, Progress, Simulate, add_cuts, gather};
use super::precision::Replications;
use super::report::{Extras, Heading, report};
use super::uncertainty::{self as drawn, Drawn};
use super::{laws, series, warmup};
use crate::metric::{Expectation, Metric, Reading};
use crate::results::Report;

/// What is run, and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What is simulated.
    pub blueprint: Blueprint,
    /// Seeds all streams.
    pub seed: u64,
    /// Whether a pilot finds the warm-up; that of the blueprint does not count then.
    pub auto_warmup: bool,
    /// How many replications are run.
    pub replications: Replications,
    /// What must hold.
    pub expectations: Vec<Expectation>,
    /// By what a sweep judges the course of the run.
    pub outcome: Option<Metric>,
    /// What stands above the figures.
    pub heading: Heading,
    /// Points at which uncertain inputs are drawn; none where there are no such inputs, or they are taken in the
    /// middle.
    pub drawn: Option<Drawn>,
}

impl Plan {
    /// Ten replications of `blueprint` without expectations.
    pub fn new(blueprint: Blueprint, seed: u64) -> Self {
        Self {
            blueprint,
            seed,
            auto_warmup: false,
            replications: Replications::default(),
            expectations: Vec::new(),
            outcome: None,
            heading: Heading::default(),
            drawn: None,
        }
    }
}

/// What a run is to show beyond the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Bins of the series over time; none is no series.
    pub bins: Option<u32>,
    /// Whether to list points of the latency distributions.
    pub distributions: bool,
}

/// What a run found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// The replications that count, merged; none when none got anywhere.
    pub observations: Option<Observations>,
}

/// A run has broken a law that every run obeys: the simulator is wrong, not the scenario.
#[derive(Clone, Debug, Error)]
#[error(
    "`{}` broke the laws that every simulation obeys; this is a bug of the simulator, its figures cannot be \
     trusted:\n  {}",
    report.head.scenario,
    violations.join("\n  ")
)]
pub struct BrokenLaws {
    /// What is violated, one line each.
    pub violations: Vec<String>,
    /// The report as it came out.
    pub report: Box<Report>,
}

/// Runs the replications of `plan` on rayon's current threads and reports on them.
///
/// The figures are the same bytes on any number of threads. Once `cancel` is raised, what is finished is
/// reported with `complete: false`.
///
/// # Errors
///
/// When the run broke a law of its own.
pub fn run(
    plan: &Plan,
    options: Options,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<Outcome, BrokenLaws> {
    run_with(plan, options, &super::engine, progress, cancel)
}

pub(crate) fn run_with(
    plan: &Plan,
    options: Options,
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<Outcome, BrokenLaws> {
    let prepared = Prepared::new(plan, options.bins, simulate, progress, cancel);
    let Some(drawn) = &plan.drawn else {
        let cases = [prepared.case.clone()];
        let wanted = |gathered: &[Gathered]| {
            vec![plan.replications.wanted(&prepared.case, &gathered[0], &plan.expectations)]
        };
        let gathered = gather(&cases, simulate, progress, cancel, wanted).swap_remove(0);
        let report = lawful(prepared.report(plan, &gathered, options))?;
        return Ok(Outcome { report, observations: gathered.merged });
    };
    let gathered = drawn.gather(plan, &prepared, simulate, progress, cancel)?;
    let mut report = lawful(prepared.report(plan, &gathered, options))?;
    report.uncertainty = Some(drawn.told(&prepared.case, &gathered, &plan.expectations));
    Ok(Outcome { report, observations: gathered.merged })
}

/// The report, unless a law is broken.
pub(crate) fn lawful(report: Report) -> Result<Report, BrokenLaws> {
    let violations = laws::violations(&report.laws);
    if violations.is_empty() { Ok(report) } else { Err(BrokenLaws { violations, report: Box::new(report) }) }
}

/// A plan whose warm-up is known and whose cuts are made.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) case: Case,
    /// What the pilot had to say.
    remark: Option<String>,
}

impl Prepared {
    pub(crate) fn new(
        plan: &Plan,
        bins: Option<u32>,
        simulate: &Simulate<'_>,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Self {
        let mut blueprint = plan.blueprint.clone();
        let mut remark = None;
        if plan.auto_warmup {
            progress.stage("finding the warm-up");
            let found = warmup::pilot(&blueprint, plan.seed, simulate, cancel);
            blueprint.warmup = found.span;
            remark = Some(told(found.span, found.steady));
        }
        if let Some(bins) = bins {
            let edges = series::edges(&blueprint, bins);
            add_cuts(&mut blueprint, edges);
        }
        let variant = plan.heading.variant.clone();
        let case = Case::new(blueprint, plan.seed, variant, windows(&plan.expectations))
            .watching(recoveries(&plan.expectations));
        let case = if plan.replications.is_one() && plan.drawn.is_none() { case.in_batches() } else { case };
        Self { case, remark }
    }

    /// The same, with the case changed.
    pub(crate) fn with(self, change: impl FnOnce(Case) -> Case) -> Self {
        Self { case: change(self.case), ..self }
    }

    /// The same, with the condition watched by which a sweep judges the course of the run, warm-up left out.
    pub(crate) fn watching_outcome(mut self, plan: &Plan) -> Self {
        if let Some(metric) = &plan.outcome {
            let window = Some(super::evaluate::measured(&self.case.blueprint));
            self.case = self.case.watching(vec![Metric { window, ..metric.clone() }]);
        }
        self
    }

    pub(crate) fn report(&self, plan: &Plan, gathered: &Gathered, options: Options) -> Report {
        let extras = Extras { bins: options.bins, distributions: options.distributions };
        let mut report = report(&self.case, gathered, &plan.expectations, &plan.heading, extras);
        report.notes.extend(self.remark.clone());
        if gathered.points.is_empty() {
            report.notes.extend(plan.heading.not_drawn.clone());
            report.notes.extend(plan.replications.shortfall(&self.case, gathered, &plan.expectations));
        } else {
            report.notes.extend(drawn::remarks(plan));
        }
        report
    }
}

fn told(warmup: Span, steady: bool) -> String {
    let seconds = super::analysis::figure(warmup.as_seconds());
    if steady {
        format!("warm-up of {seconds} s, found by MSER-5 on a pilot run")
    } else {
        format!(
            "no steady state: a pilot run is still settling in the second half, the first {seconds} s are cut \
             off; a longer run would show whether it ever settles"
        )
    }
}

/// The windows that expectations look at.
fn windows(expectations: &[Expectation]) -> Vec<(SimTime, SimTime)> {
    let mut windows = Vec::new();
    for window in expectations.iter().flat_map(crate::expect::windows) {
        if !windows.contains(&window) {
            windows.push(window);
        }
    }
    windows
}

/// The recoveries that expectations look for.
fn recoveries(expectations: &[Expectation]) -> Vec<Metric> {
    let mut found: Vec<Metric> = Vec::new();
    let terms = expectations.iter().flat_map(|expectation| expectation.left.terms());
    for term in terms.filter(|term| term.is_here) {
        if matches!(term.metric.reading, Reading::Recovery(_)) && !found.contains(&term.metric) {
            found.push(term.metric.clone());
        }
    }
    found
}

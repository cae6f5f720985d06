//! Runs points until they are decided.

use sim_core::CancelFlag;

use super::Unsolved;
use crate::experiment::estimate::ENOUGH;
use crate::experiment::expect;
use crate::experiment::gather::Simulate;
use crate::experiment::precision::{Replications, Until};
use crate::experiment::run::{Options, Plan, run_with};
use crate::experiment::steps::Steps;
use crate::results::{Met, Report};
use crate::{Override, Scenario, Source};

/// Where points are run.
pub(crate) struct Lab<'a> {
    pub(crate) source: &'a Source,
    /// What is changed at every point.
    pub(crate) overrides: &'a [Override],
    /// Most replications of a point.
    pub(crate) at_most: u32,
    pub(crate) simulate: &'a Simulate<'a>,
    pub(crate) progress: Steps<'a>,
    pub(crate) cancel: &'a CancelFlag,
}

/// What a point came to.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) report: Report,
    pub(crate) verdict: Met,
    /// Where more replications would decide: about how many in all.
    pub(crate) needs: Option<u32>,
}

impl Lab<'_> {
    /// Runs the scenario with these changes until every expectation is decided or its replications are used up.
    pub(crate) fn run(&self, changes: &[Override], seed: Option<u64>) -> Result<Ran, Unsolved> {
        let all: Vec<Override> = self.overrides.iter().chain(changes).cloned().collect();
        let (scenario, _) = Scenario::load(self.source, &all)?;
        let mut plan = Plan::of(&scenario);
        plan.seed = seed.unwrap_or(plan.seed);
        let at_least = plan.replications.at_least.max(ENOUGH as u32);
        plan.replications =
            Replications { at_least, until: Until::Decided, at_most: self.at_most.max(at_least) };
        self.progress.begin();
        let report = run_with(&plan, Options::default(), self.simulate, &self.progress, self.cancel)?.report;
        let needs = report.expect.iter();
        let needs = needs
            .filter_map(|verdict| expect::needed(&plan.expectations, verdict, report.replications))
            .max();
        let verdict = together(report.expect.iter().map(|verdict| verdict.verdict));
        Ok(Ran { verdict, needs: needs.filter(|_| verdict == Met::Undecided), report })
    }
}

/// Whether all are met; one that is not decides.
fn together(verdicts: impl Iterator<Item = Met>) -> Met {
    verdicts.fold(Met::Met, |all, one| match (all, one) {
        (Met::NotMet, _) | (_, Met::NotMet) => Met::NotMet,
        (Met::Undecided, _) | (_, Met::Undecided) => Met::Undecided,
        (Met::Met, Met::Met) => Met::Met,
    })
}

//! Whether the expectations of a scenario hold on whatever seed.

use rayon::prelude::*;
use sim_core::CancelFlag;

use super::compare::compare;
use super::gather::Progress;
use super::run::{BrokenLaws, Options, Plan, run};
use super::setup;
use crate::results::{Met, Verdict, Verified, VerifiedExpectation};
use crate::{Diagnostics, Override, Scenario, Source};

/// Why a scenario could not be verified.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unverified {
    /// It does not hold together.
    #[error(transparent)]
    Wrong(#[from] Diagnostics),
    /// A run broke a law of its own.
    #[error(transparent)]
    Broken(#[from] BrokenLaws),
}

/// Every verdict on the scenario: on its variants against each other, and on it as it stands, and whether all of them
/// ran to their end.
///
/// # Errors
///
/// When the scenario is wrong, or a run broke a law of its own.
pub fn verdicts(
    source: &Source,
    overrides: &[Override],
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<(Vec<Verdict>, bool), Unverified> {
    let (scenario, _) = Scenario::load(source, overrides)?;
    let plans = setup::variants(source, overrides)?;
    let (mut verdicts, mut complete, mut alone) = (Vec::new(), true, None);
    if let Some((base, _)) = plans.first() {
        let compared = compare(&plans, base, Options::default(), progress, cancel)?;
        verdicts.extend(compared.expect);
        complete = compared.variants.iter().all(|(_, report)| report.complete);
        // A variant without changes is the scenario as it stands.
        alone = compared.variants.into_iter().find(|(name, _)| source.variant_overrides(name).is_empty());
    }
    let report = match alone {
        Some((_, report)) => report,
        None => run(&Plan::of(&scenario), Options::default(), progress, cancel)?.report,
    };
    // What names that variant has been told already.
    let more = report.expect.into_iter().filter(|one| {
        !scenario.expectations().iter().any(|known| known.text == one.text && known.left.names_a_variant())
    });
    verdicts.extend(more);
    Ok((verdicts, complete && report.complete))
}

/// Runs the scenario and its variants on the seeds from 1 to `seeds`, in parallel.
///
/// # Errors
///
/// When the scenario is wrong, or a run broke a law of its own.
pub fn verify(
    source: &Source,
    overrides: &[Override],
    seeds: u32,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<Verified, Unverified> {
    let (scenario, _) = Scenario::load(source, overrides)?;
    let on_seed = |seed: u32| {
        let mut all = overrides.to_vec();
        all.push(Override::parse(&format!("seed={seed}"))?);
        verdicts(source, &all, progress, cancel)
    };
    let seen: Vec<(Vec<Verdict>, bool)> =
        (1..=seeds).into_par_iter().map(on_seed).collect::<Result<_, _>>()?;
    let complete = seen.iter().all(|(_, complete)| *complete);
    let seen: Vec<Vec<Verdict>> = seen.into_iter().map(|(verdicts, _)| verdicts).collect();
    Ok(Verified {
        scenario: scenario.name().to_owned(),
        about: scenario.about().map(str::to_owned),
        complete,
        expect: together(&seen),
    })
}

/// The expectations, each over all seeds. Every seed has the same ones.
fn together(seen: &[Vec<Verdict>]) -> Vec<VerifiedExpectation> {
    let Some(first) = seen.first() else { return Vec::new() };
    let one = |(position, verdict): (usize, &Verdict)| {
        let of_all: Vec<&Verdict> = seen.iter().filter_map(|verdicts| verdicts.get(position)).collect();
        let values = || of_all.iter().filter_map(|verdict| Some(verdict.observed?.value));
        let worst = |wanted: Met| of_all.iter().find(|verdict| verdict.verdict == wanted);
        let failing = worst(Met::NotMet).or_else(|| worst(Met::Undecided));
        VerifiedExpectation {
            text: verdict.text.clone(),
            verdict: failing.map_or(Met::Met, |failing| failing.verdict),
            met: of_all.iter().filter(|verdict| verdict.verdict == Met::Met).count() as u32,
            lowest: values().min_by(f64::total_cmp),
            highest: values().max_by(f64::total_cmp),
            why: failing.and_then(|failing| failing.why.clone()),
        }
    };
    first.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Silent;
    use crate::results::E;

    fn verdict(verdict: Met, value: Option<f64>) -> Verdict {
        let observed = value.map(|value| E { value, lo: None, hi: None });
        Verdict { text: "users.ok > 99%".to_owned(), verdict, observed, why: None }
    }

    #[test]
    fn the_worst_seed_decides() {
        let seen =
            [(Met::Met, Some(0.5)), (Met::Undecided, Some(0.25)), (Met::NotMet, None), (Met::Met, Some(1.0))];
        let all = together(&seen.map(|(met, value)| vec![verdict(met, value)]));
        assert_eq!((all[0].verdict, all[0].met), (Met::NotMet, 2));
        assert_eq!((all[0].lowest, all[0].highest), (Some(0.25), Some(1.0)));
    }

    #[test]
    fn variants_and_the_scenario_itself_are_verified() {
        let text = "duration: 20s
traffic: {users: {rate: 50/s, to: web.get}}
services: {web: {workers: 1, endpoints: {get: [{delay: 10ms}]}}}
variants: {half: {traffic.users.rate: 25/s}}
expect:
  - users.ok >= 100%
  - half.users.mean < 20ms
  - half.users.mean < 1ms
";
        let source = Source::from_text("shop.yaml", text, ".").unwrap();
        let seen = verify(&source, &[], 3, &Silent, &CancelFlag::default()).unwrap();
        let found: Vec<(&str, Met, u32)> =
            seen.expect.iter().map(|e| (e.text.as_str(), e.verdict, e.met)).collect();
        assert_eq!(
            found,
            [
                ("half.users.mean < 20ms", Met::Met, 3),
                ("half.users.mean < 1ms", Met::NotMet, 0),
                ("users.ok >= 100%", Met::Met, 3)
            ]
        );
        assert!(seen.expect[0].lowest.unwrap() < seen.expect[0].highest.unwrap(), "seeds differ");
    }
}

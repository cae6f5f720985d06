//! Inputs whose shares are known.

use sim_core::CancelFlag;

use super::*;
use crate::experiment::{Silent, run};
use crate::results::Report;

fn report(text: &str) -> Report {
    let source = Source::from_text("inputs.yaml", text, "").unwrap();
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|why| panic!("{why}"));
    let plan = Plan::drawn(&source, &[], &scenario).unwrap();
    run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report
}

fn shares(report: &Report, metric: &str) -> Vec<f64> {
    let found = report.uncertainty.as_ref().unwrap().metrics.iter().find(|found| found.metric == metric);
    let Causes { inputs, noise, rest } = found.unwrap().causes.clone().unwrap();
    inputs.iter().map(|cause| cause.share).chain([noise, rest]).map(|e| e.value).collect()
}

/// Nobody queues, so the latency is the sum of two delays that are uniform over 1 ms and 2 ms: means of 4 ms and 10 ms,
/// and variances as 1 to 4.
const SUM: &str = "\
name: sum
duration: 2s
uncertainty: {points: 20}
traffic: {users: {rate: 100/s, to: web.get}}
services:
  web:
    endpoints:
      get:
        - delay: {between: [3.5ms, 4.5ms]}
        - delay: {between: [9ms, 11ms]}
expect: [users.mean < 14.75ms]
";

#[test]
fn a_sum_of_two_delays_is_split_by_the_squares_of_their_widths() {
    let report = report(SUM);
    let split = shares(&report, "users.mean");
    for (share, wanted) in split.iter().zip([0.2, 0.8, 0.0, 0.0]) {
        assert!((share - wanted).abs() < 1e-6, "{split:?}");
    }
    let found = report.uncertainty.unwrap();
    let mean = found.metrics[0].mean;
    assert_eq!(found.metrics[0].metric, "users.mean");
    assert!((mean.value - 0.014).abs() < 1e-9, "{mean:?}: the middles of strata are exact");
    // s^2 = (1 + 4) / 12 ms^2, or 645 µs; over the root of 20 points, times t(19) = 2.093: 302 µs to either side.
    assert!(((mean.hi.unwrap() - mean.value) / 0.302e-3 - 1.0).abs() < 0.2, "{mean:?}");
    let own = report.traffic["users"].latency.mean.unwrap();
    assert!(
        (own.lo.unwrap() - mean.lo.unwrap()).abs() < 1e-12,
        "a run's own intervals are over points: {own:?}"
    );
    assert_eq!((report.replications, found.points, found.replications), (40, 20, 2));
    let text = found.metrics[0].text.as_deref();
    let wanted = "measure `services.web.endpoints.get.1.delay` better: it causes 80 % of the uncertainty of `users.mean`";
    assert_eq!(text, Some(wanted));
    let met = &found.expect[0];
    assert!((10..20).contains(&met.met) && met.points == 20, "{met:?}");
}

/// T = s / (1 - lambda s) with lambda in 40/s to 60/s and s in 8 ms to 12 ms: by numerical integration the mean is
/// 20.90 ms, and the first-order shares are 74.0 % and 21.2 %; 4.8 % is what both do together.
#[test]
fn shares_of_mm1_are_those_of_its_formula() {
    let report = report(
        "
name: mm1
duration: 250s
warmup: 10s
uncertainty: {points: 60}
traffic: {users: {rate: {between: [40/s, 60/s]}, to: web.get}}
services: {web: {workers: 1, endpoints: {get: [{delay: {exp: {between: [8ms, 12ms]}}}]}}}
",
    );
    let found = report.uncertainty.unwrap().metrics.swap_remove(0);
    let Causes { inputs, rest, .. } = found.causes.unwrap();
    for (e, exact) in [(inputs[0].share, 0.212), (inputs[1].share, 0.740), (rest, 0.048)] {
        let (lo, hi) = (e.lo.unwrap(), e.hi.unwrap());
        assert!(lo < exact && exact < hi, "{e:?} is not {exact}");
        assert!(hi - lo < 0.25, "{e:?} proves little");
    }
    let (lo, hi) = (found.mean.lo.unwrap(), found.mean.hi.unwrap());
    assert!(lo < 0.0209 && 0.0209 < hi && hi - lo < 0.004, "{:?}", found.mean);
}

/// Nothing but chance: all of the variance is noise.
#[test]
fn an_input_that_does_nothing_has_no_share() {
    let idle = "
name: noise
duration: 5s
traffic: {users: {rate: 100/s, to: web.get}}
services:
  web: {endpoints: {get: [{delay: {exp: 10ms}}]}}
  idle: {workers: {between: [1, 9]}, endpoints: {get: [{delay: 1ms}]}}
";
    let split = shares(&report(idle), "users.mean");
    assert!(split[0] < 0.15 && split[1] > 0.7, "{split:?}");
}

/// Replicas are counted: every number of them comes up equally often.
#[test]
fn what_is_counted_is_drawn_in_whole_units() {
    let text = SUM.replace("  web:\n", "  web:\n    replicas: {between: [2, 5]}\n");
    let source = Source::from_text("inputs.yaml", text, "").unwrap();
    let (scenario, _) = Scenario::load(&source, &[]).unwrap();
    let drawn = Drawn::of(&source, &[], &scenario).unwrap().unwrap();
    let of_replicas = drawn.inputs.iter().position(|input| input.path == "services.web.replicas").unwrap();
    for replicas in 2..=5 {
        let here = drawn.points.iter().filter(|point| point.blueprint.services[0].replicas == replicas);
        assert_eq!(here.count(), 5, "{replicas}");
    }
    assert!(drawn.points.iter().all(|point| point.at[of_replicas].len() == 1));
}

/// What is drawn for an input depends on nothing but itself.
#[test]
fn another_input_changes_no_value() {
    let drawn = |text: &str| {
        let source = Source::from_text("inputs.yaml", text, "").unwrap();
        let (scenario, _) = Scenario::load(&source, &[]).unwrap();
        Drawn::of(&source, &[], &scenario).unwrap().unwrap()
    };
    let (two, one) = (drawn(SUM), drawn(&SUM.replace("{between: [9ms, 11ms]}", "10ms")));
    assert_eq!((two.inputs.len(), one.inputs.len()), (2, 1));
    assert!(two.points.iter().zip(&one.points).all(|(two, one)| two.at[0] == one.at[0]));
}

/// The mean of n samples drawn from n has the n-th part of their variance: of 1 to 20 ms, 33.25 / 20 ms^2.
#[test]
fn samples_are_drawn_anew_at_every_point() {
    let text = SUM
        .replace("{between: [3.5ms, 4.5ms]}", "{file: seen.csv, unit: ms, bootstrap: true}")
        .replace("{between: [9ms, 11ms]}", "10ms")
        .replace("rate: 100/s", "rate: 1000/s")
        .replace("points: 20", "points: 30");
    let source = Source::from_text("inputs.yaml", text, "").unwrap();
    let samples: Vec<f64> = (1..=20).map(f64::from).collect();
    source.files.lock().unwrap().insert(("seen.csv".to_owned(), None), samples.into());
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|why| panic!("{why}"));
    let plan = Plan::drawn(&source, &[], &scenario).unwrap();
    let report = run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    let split = shares(&report, "users.mean");
    assert!(split[0] > 0.9, "{split:?}");
    let mean = report.uncertainty.unwrap().metrics[0].mean;
    assert!(mean.lo.unwrap() < 0.0205 && 0.0205 < mean.hi.unwrap(), "{mean:?}");
    // t(29) = 2.045 of the root of 33.25 / 20 / 30 ms^2.
    let half = 2.045 * (33.25_f64 / 20.0 / 30.0).sqrt() * 1e-3;
    assert!(((mean.hi.unwrap() - mean.value) / half - 1.0).abs() < 0.3, "{mean:?} {half}");
}

/// What a variant makes uncertain is drawn when the variant is run, and nowhere else.
#[test]
fn a_variant_may_be_less_certain() {
    let text = format!("{SUM}variants: {{vague: {{traffic.users.rate: {{between: [50/s, 150/s]}}}}}}\n");
    let source = Source::from_text("inputs.yaml", text, "").unwrap();
    let inputs = |overrides: &[Override]| {
        Scenario::load(&source, overrides).unwrap_or_else(|why| panic!("{why}")).0.uncertain().inputs.len()
    };
    assert_eq!((inputs(&[]), inputs(&source.variant_overrides("vague"))), (2, 3));
    let set = Override::parse("services.web.endpoints.get.0.delay=4ms").unwrap();
    assert_eq!(inputs(&[set]), 1, "what is set is known");
}

#[test]
fn quantiles_of_few_values_lie_between_them() {
    let close = |share: f64, value: f64| assert!((quantile(&[1.0, 2.0, 4.0], share) - value).abs() < 1e-12);
    close(0.0, 1.0);
    close(0.25, 1.5);
    close(0.75, 3.0);
    close(1.0, 4.0);
}

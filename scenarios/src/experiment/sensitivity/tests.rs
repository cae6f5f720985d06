//! Effects whose size is known.

use sim_core::CancelFlag;

use super::*;
use crate::experiment::Silent;

/// One exponential server: the mean response is 1 / (mu - lambda).
const MM1: &str = "\
name: mm1
duration: 600s
warmup: 20s
replications: 8
traffic:
  users: {rate: 50/s, to: web.get}
services:
  web: {workers: 1, endpoints: {get: [{delay: {exp: 10ms}}]}}
  idle: {workers: 3, endpoints: {get: [{delay: 1ms}]}}
sensitivity:
  of: users.mean
  over: {services.idle.workers: 1..9, services.web.endpoints.get.0.delay.exp: 9.9ms..10.1ms, traffic.users.rate: 49/s..51/s}
";

fn ranked(text: &str) -> SensitivityReport {
    let source = Source::from_text("mm1.yaml", text, "").unwrap();
    let report = sensitivity(&source, &[], &Silent, &CancelFlag::new());
    report.unwrap_or_else(|why| panic!("{why:?}"))
}

/// dT/dlambda = 1/(mu - lambda)^2 = 0.4 ms per 1/s, and dT/ds = mu^2/(mu - lambda)^2 = 4: through the ranges, of 2/s
/// and of 0.2 ms, that is 0.8 ms each. What is never asked has no effect at all, for all meets the same draws.
#[test]
fn effects_of_mm1_are_its_derivatives() {
    let report = ranked(MM1);
    assert_eq!(report.paths.len(), 3);
    for path in &report.paths[..2] {
        let (mu, mu_star) = (path.mu.unwrap(), path.mu_star.unwrap());
        assert!(mu.lo.unwrap() < 0.8e-3 && 0.8e-3 < mu.hi.unwrap(), "{path:?}");
        assert!(mu.hi.unwrap() - mu.lo.unwrap() < 0.3e-3, "{path:?} proves little");
        assert_eq!(mu.value.to_bits(), mu_star.value.to_bits(), "it never falls");
        let (low, high) = (path.low.unwrap().value, path.high.unwrap().value);
        assert!((high - low - 0.8e-3).abs() < 0.1e-3, "{low} {high}");
    }
    let last = &report.paths[2];
    assert_eq!(last.path, "services.idle.workers");
    let nothing = Some(E { value: 0.0, lo: Some(0.0), hi: Some(0.0) });
    assert_eq!((last.mu_star, last.mu, last.sigma), (nothing, nothing, Some(0.0)));
    assert_eq!((last.low, last.high), (None, None));
    assert_eq!((report.trajectories, report.points), (8, 1 + 8 * 4 + 2 * 2));
    let base = report.base.unwrap();
    assert!((base.value - 0.02).abs() < 0.001, "{base:?}");
}

#[test]
fn a_model_of_many_numbers_is_not_moved_as_a_whole() {
    let services: Vec<String> =
        (0..200).map(|i| format!("  s{i}: {{endpoints: {{get: [{{delay: 1ms}}]}}}}\n")).collect();
    let services = services.concat();
    let text = format!(
        "duration: 1s\ntraffic: {{users: {{rate: 50/s, to: s0.get}}}}\nservices:\n{services}sensitivity: {{of: users.mean}}\n"
    );
    let source = Source::from_text("many.yaml", text, "").unwrap();
    let refused = sensitivity(&source, &[], &Silent, &CancelFlag::new());
    assert!(matches!(refused, Err(Unranked::TooMany(201))), "{refused:?}");
}

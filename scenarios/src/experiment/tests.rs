//! Experiments on systems with known answers.

use sim_core::CancelFlag;

use super::testing::{Builder, exp, mmc, shared_core};
use super::*;
use crate::results::Report;

fn report_on(blueprint: Blueprint) -> Report {
    run(&Plan::new(blueprint, 1), Options::default(), &Silent, &CancelFlag::new()).unwrap().report
}

/// M/M/1 at 80 % load: response 1/(mu - lambda) = 50 ms, in flight 4, p99 4.605 times the mean.
#[test]
fn mm1_is_reported_as_it_is() {
    let report = report_on(mmc(80.0, 0.01, 1, 600.0, 60.0));
    let users = &report.traffic["users"];
    let mean = users.latency.mean.unwrap();
    assert!(mean.lo.unwrap() < 0.05 && 0.05 < mean.hi.unwrap(), "{mean:?}");
    assert!(mean.hi.unwrap() - mean.lo.unwrap() < 0.01, "{mean:?} proves little");
    let p99 = users.latency.p99.unwrap();
    assert!((p99.value / 0.2303 - 1.0).abs() < 0.1, "{p99:?}");
    let busy = report.services["web"].resources["workers"].utilization.unwrap();
    assert!((busy.value - 0.8).abs() < 0.01, "{busy:?}");
    assert!(report.laws.hold, "{:?}", report.laws);
    assert!(report.complete && report.growth.is_empty(), "{:?}", report.growth);
    assert_eq!(report.replications, 10);
    let bottleneck = report.bottleneck.unwrap();
    assert_eq!(
        bottleneck.text,
        "`web.workers` is the bottleneck: at least 80 % busy at 80.0/s, saturates at 100/s"
    );
    let requests: u64 = users.outcomes.values().sum();
    assert_eq!(requests, users.requests);
    let time: f64 = users.time_at["p50"].iter().map(|time| time.seconds).sum();
    assert!((time / users.latency.p50.unwrap().value - 1.0).abs() < 0.1);
}

#[test]
fn overload_is_growth_and_high_load_is_not() {
    for (rate, grows) in [(95.0, false), (98.0, false), (105.0, true), (102.0, true)] {
        let report = report_on(mmc(rate, 0.01, 1, 600.0, 60.0));
        assert_eq!(!report.growth.is_empty(), grows, "at {rate}: {:?}", report.growth);
        if grows {
            let growth = &report.growth[0];
            assert_eq!(growth.at, "web.workers queue");
            assert!((growth.per_second.value - (rate - 100.0)).abs() < 1.0, "{growth:?}");
            assert!(report.notes[0].starts_with("there is no steady state: `web.workers queue` grows"));
        }
    }
}

/// Processor sharing of one core: 10 ms / (1 - 0.5), whatever the law of the needs.
#[test]
fn a_shared_core_is_reported_as_it_is() {
    let report = report_on(shared_core(50.0, exp(0.01), 400.0, 40.0));
    let mean = report.traffic["users"].latency.mean.unwrap();
    assert!(mean.lo.unwrap() < 0.02 && 0.02 < mean.hi.unwrap(), "{mean:?}");
    assert!(report.laws.hold, "{:?}", report.laws);
}

/// The same bytes on one thread and on four.
#[test]
fn threads_change_nothing() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let report = pool.install(|| report_on(mmc(80.0, 0.01, 2, 60.0, 6.0)));
        serde_json::to_string(&report).unwrap()
    };
    assert_eq!(on(1), on(4));
}

/// Closed: 20 users, think 1 s, one server of 100 ms: saturated, throughput 10/s, users about (1 + 0.1) * 10.
#[test]
fn a_saturated_closed_traffic_is_told() {
    let mut builder = Builder::new(300.0, 30.0);
    let service = builder.sampler(exp(0.1));
    let web = builder.service("web", Some(1), None, &[models::blueprint::Op::Delay(service)]);
    builder.closed("users", 20, 1.0, web);
    let report = report_on(builder.0);
    let throughput = report.traffic["users"].throughput.unwrap().value;
    assert!((throughput - 10.0).abs() < 0.3, "{throughput}");
    let bottleneck = report.bottleneck.unwrap();
    assert!((bottleneck.saturates_at.unwrap().value - 11.0).abs() < 1e-9);
    assert!(report.notes.iter().any(|note| note.starts_with("`users` saturates the system: beyond about 11.0")));
    assert!(report.growth.is_empty());
}

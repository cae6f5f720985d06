//! Answers on systems where they are known.

use models::theory::erlang_c;
use sim_core::CancelFlag;

use super::*;
use crate::experiment::Silent;
use crate::results::Met;

/// M/M/c: `rate` requests a second, each 100 ms of a worker.
fn station(rate: &str, more: &str) -> Source {
    let text = format!(
        "name: station\nduration: 200s\nwarmup: 20s\ntraffic: {{users: {{rate: {rate}, to: web.get}}}}\n\
         services: {{web: {{workers: 12, endpoints: {{get: [{{delay: {{exp: 100ms}}}}]}}}}}}\n{more}"
    );
    Source::from_text("station.yaml", text, ".").unwrap()
}

fn solved(source: &Source) -> SolveReport {
    solve(source, &[], &Silent, &CancelFlag::new()).unwrap()
}

/// The value of a path in the answer.
fn answer(report: &SolveReport, path: &str) -> f64 {
    report.answer.as_ref().unwrap_or_else(|| panic!("{report:#?}")).at[path]
}

/// Values of a path, in the order in which they were tried.
fn tried(report: &SolveReport, path: &str) -> Vec<f64> {
    report.tried.iter().map(|point| point.at[path]).collect()
}

/// 8 erlangs: with 10 workers the mean is 100 ms + C(10, 8) / (100 - 80)/s = 120.5 ms, with 11 it is 108.2 ms.
#[test]
fn the_least_workers_of_an_mmc_are_those_of_erlang_c() {
    let mean = |servers: u32| 0.1 + erlang_c(8.0, servers) / (f64::from(servers) * 10.0 - 80.0);
    assert!(mean(10) > 0.120 && mean(11) < 0.109);
    let report = solved(&station(
        "80/s",
        "expect: [users.mean < 115ms]\nsolve: {minimize: services.web.workers, over: {services.web.workers: 1..50}}\n",
    ));
    assert_eq!(answer(&report, "services.web.workers"), 11.0);
    assert_eq!((report.points, report.verdict(), report.complete), (50, Met::Met, true));
    assert!(report.tried.len() <= 7, "{:?}", tried(&report, "services.web.workers"));
    assert!(report.assumptions[0].held, "{:?}", report.assumptions);
    assert_eq!(report.metric, "users.mean");
    // The answer and the one below it, on the next seed.
    let checked: Vec<(f64, Met)> =
        report.checks.iter().map(|check| (check.at["services.web.workers"], check.verdict)).collect();
    assert_eq!(checked, [(11.0, Met::Met), (10.0, Met::NotMet)]);
    assert!(report.checks.iter().all(|check| check.seed == 2));
    assert_eq!(
        report.text,
        "the smallest `services.web.workers` at which every expectation holds is 11 workers"
    );
}

/// The response of M/M/1 is exponential with mean 1/(mu - lambda): its p99 is below 200 ms up to
/// 100/s - ln(100)/200 ms = 76.97/s.
#[test]
fn the_capacity_of_an_mm1_is_found_by_doubling() {
    let text = "duration: 600s
warmup: 20s
traffic: {users: {rate: 5/s, to: web.get}}
services: {web: {workers: 1, endpoints: {get: [{delay: {exp: 10ms}}]}}}
expect: [users.p99 < 200ms]
solve: {maximize: traffic.users.rate}
";
    let report = solved(&Source::from_text("mm1.yaml", text, ".").unwrap());
    let rate = answer(&report, "traffic.users.rate");
    let exact = 100.0 - 100.0_f64.ln() / 0.2;
    assert!(0.96 * exact < rate && rate < 1.005 * exact, "{rate} of {exact}");
    assert_eq!(tried(&report, "traffic.users.rate")[..5], [5.0, 10.0, 20.0, 40.0, 80.0]);
    let curve = report.theory.iter().find(|curve| curve.metric == "p99").unwrap();
    assert!(curve.curve.iter().all(|(rate, p99)| (p99 * (100.0 - rate) / 100.0_f64.ln() - 1.0).abs() < 1e-6));
    let halved = solved(&Source::from_text("mm1.yaml", text.replace("5/s", "300/s"), ".").unwrap());
    let again = answer(&halved, "traffic.users.rate");
    assert!(0.96 * exact < again && again < 1.005 * exact, "{again}");
}

/// Two stations in a row are independent (Jackson). At 80/s, `app` takes 100 ms of a worker for 1 USD, `db` 20 ms of
/// one for 3 USD. 10 and 3 workers, for 19 USD, have a mean of 144.4 ms; what is cheaper, or as cheap, has 157 ms
/// (13 and 2) and more.
#[test]
fn the_cheapest_mix_of_two_stations_is_that_of_jackson() {
    let text = "duration: 200s
warmup: 20s
traffic: {users: {rate: 80/s, to: web.get}}
services:
  web: {endpoints: {get: [{call: app.do}, {call: db.do}]}}
  app: {workers: 20, endpoints: {do: [{delay: {exp: 100ms}}]}}
  db: {workers: 8, endpoints: {do: [{delay: {exp: 20ms}}]}}
expect: [users.mean < 150ms]
solve:
  minimize: cost
  over: {services.app.workers: 9..20, services.db.workers: 2..8}
  prices: {services.app.workers: 1 USD/unit-hour, services.db.workers: 72 USD/unit-day}
";
    let report = solved(&Source::from_text("jackson.yaml", text, ".").unwrap());
    assert_eq!(
        (answer(&report, "services.app.workers"), answer(&report, "services.db.workers")),
        (10.0, 3.0)
    );
    assert_eq!((report.points, report.unit.as_str()), (84, "USD/h"));
    assert_eq!(report.answer.as_ref().unwrap().value, 19.0);
    assert!(report.tried.len() < 20, "{} of 84", report.tried.len());
    assert!(report.assumptions.iter().all(|assumption| assumption.held), "{:?}", report.assumptions);
    let best = report.tried.iter().filter(|point| point.verdict == Met::Met).map(|point| point.value);
    assert_eq!(best.min_by(f64::total_cmp), Some(19.0));
    let on_frontier: Vec<f64> = report.frontier.iter().map(|point| report.tried[*point].value).collect();
    assert!(on_frontier[0] == 19.0 && on_frontier.is_sorted(), "{on_frontier:?}");
}

/// n at work do n / (1 + 0.05 (n - 1) + 0.02 n (n - 1)) times the work of one, 100/s: 246/s with three, 288/s with
/// four, 244/s with sixteen, 143/s with 32. So 260/s can be served by 4, and not by as many as there are.
#[test]
fn more_that_is_worse_is_noticed_and_the_answer_found_all_the_same() {
    let text = "duration: 100s
warmup: 10s
traffic: {users: {rate: 260/s, to: db.get}}
services:
  db:
    workers: 8
    cores: {cores: 32, contention: {sigma: 5%, kappa: 0.02}}
    endpoints: {get: [{cpu: {exp: 10ms}}]}
expect: [users.mean < 200ms]
solve: {minimize: services.db.workers, over: {services.db.workers: 1..32}}
";
    let report = solved(&Source::from_text("usl.yaml", text, ".").unwrap());
    assert_eq!(answer(&report, "services.db.workers"), 4.0);
    assert!(!report.assumptions[0].held);
    let said = &report.assumptions[0].text;
    assert!(said.starts_with("more of `services.db.workers` can be worse: at "), "{said}");
}

/// Ten workers of 100 ms do at most 100/s.
#[test]
fn where_nothing_holds_that_is_said() {
    let report = solved(&station(
        "300/s",
        "expect: [users.mean < 115ms]\nsolve: {minimize: services.web.workers, over: {services.web.workers: 1..10}}\n",
    ));
    assert_eq!((report.answer.as_ref(), report.verdict()), (None, Met::NotMet));
    assert_eq!(report.text, "no point was found at which every expectation holds");
    let values = tried(&report, "services.web.workers");
    assert!(values.contains(&10.0) && values.contains(&1.0), "both ends were tried: {values:?}");
    assert!(values.len() < 10, "{values:?}");
}

/// At 90/s the mean of 10 workers is 100 ms + C(10, 9) / (100 - 90)/s = 166.87 ms: nobody can tell.
#[test]
fn a_point_that_stays_undecided_does_not_count_and_says_what_it_takes() {
    assert!((0.1 + erlang_c(9.0, 10) / 10.0 - 0.166_87).abs() < 1e-5);
    let report = solved(&station(
        "90/s",
        "expect: [users.mean < 166.87ms]\n\
         solve: {minimize: services.web.workers, over: {services.web.workers: [10]}, replications: 15}\n",
    ));
    assert_eq!((report.answer.as_ref(), report.verdict()), (None, Met::Undecided));
    assert_eq!(report.tried[0].result.replications, 15);
    assert!(report.tried[0].needs.unwrap() > 15);
    assert!(report.text.ends_with("; one of those tried is undecided"), "{}", report.text);
    assert!(
        report.notes.iter().any(|note| note.contains("is undecided after 15 replications")),
        "{:?}",
        report.notes
    );
}

/// On the second seed 11 workers are made to be 9: they are passed over, and 12 is the answer.
#[test]
fn what_does_not_hold_on_another_seed_is_passed_over() {
    let source = station(
        "80/s",
        "expect: [users.mean < 115ms]\nsolve: {minimize: services.web.workers, over: {services.web.workers: 8..15}}\n",
    );
    let fewer = |blueprint: &models::blueprint::Blueprint, seed, index, breakdown, cancel: &CancelFlag| {
        let mut blueprint = blueprint.clone();
        if seed == 2 && blueprint.pools[0].slots == 11 {
            blueprint.pools[0].slots = 9;
        }
        crate::experiment::engine(&blueprint, seed, index, breakdown, cancel)
    };
    let report = solve_with(&source, &[], &fewer, &Silent, &CancelFlag::new()).unwrap();
    assert_eq!(answer(&report, "services.web.workers"), 12.0);
    let said =
        "on seed 2 `services.web.workers` = 11 does not hold: `users.mean < 115ms` fails; it was passed over";
    assert!(report.notes.iter().any(|note| note == said), "{:?}", report.notes);
}

#[test]
fn no_more_points_are_tried_than_allowed() {
    let report = solved(&station(
        "80/s",
        "expect: [users.mean < 115ms]\n\
         solve: {minimize: services.web.workers, over: {services.web.workers: 1..50}, points: 2}\n",
    ));
    assert_eq!((report.tried.len(), report.complete, report.verdict()), (2, false, Met::Undecided));
    assert_eq!(report.notes[0], "2 points were tried, as many as `points` allows");
}

#[test]
fn an_interrupted_search_has_no_answer() {
    let source = station("80/s", "expect: [users.mean < 115ms]\nsolve: {maximize: traffic.users.rate}\n");
    let cancel = CancelFlag::new();
    cancel.cancel();
    let report = solve(&source, &[], &Silent, &cancel).unwrap();
    assert_eq!(
        (report.answer.as_ref(), report.complete, report.notes[0].as_str()),
        (None, false, "interrupted")
    );
}

#[test]
fn threads_change_nothing() {
    let source = station(
        "80/s",
        "expect: [users.mean < 115ms]\nsolve: {minimize: services.web.workers, over: {services.web.workers: 8..15}}\n",
    );
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        serde_json::to_string(&pool.install(|| solved(&source))).unwrap()
    };
    assert_eq!(on(1), on(3));
}

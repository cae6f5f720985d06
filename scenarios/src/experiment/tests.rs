//! Experiments on systems with known answers.

use sim_core::CancelFlag;

use super::analysis::Analysis;
use super::testing::{Builder, exp, mmc, shared_core};
use super::*;
use crate::metric::{Comparison, Expectation, Figure, Quantity, Subject, Term};
use crate::results::{Applies, Met, Report, SweepReport};

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
    assert_eq!(bottleneck.text, "`web.workers` is the bottleneck: 80 % busy at 80.0/s, saturates at 100/s");
    let requests: u64 = users.outcomes.values().sum();
    assert_eq!(requests, users.requests);
    let time: f64 = users.time_at["p50"].iter().map(|time| time.seconds).sum();
    assert!((time / users.latency.p50.unwrap().value - 1.0).abs() < 0.1);
}

/// One run of 20,000 s: relaxation takes about 1 s, so its 20 batches are independent.
#[test]
fn one_long_run_is_cut_into_batches() {
    let one = |duration| {
        let replications = Replications { at_least: 1, ..Replications::default() };
        let plan = Plan { replications, ..Plan::new(mmc(80.0, 0.01, 1, duration, 60.0), 1) };
        run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report
    };
    let long = one(20_060.0);
    assert_eq!(
        (long.replications, long.method.as_str()),
        (1, "20 batch means of one replication, Student t")
    );
    let users = &long.traffic["users"];
    let mean = users.latency.mean.unwrap();
    let (lo, hi) = (mean.lo.unwrap(), mean.hi.unwrap());
    assert!(lo < 0.05 && 0.05 < hi, "{mean:?}");
    // Asymptotic variance of the mean number in M/M/1 is 2 rho (1 + rho) / (1 - rho)^4 / mu; by Little's Law the mean response
    // has a half-width of about 2.1 sqrt(18 / 20,000) / 80 = 0.8 ms.
    assert!((0.0004..0.0014).contains(&((hi - lo) / 2.0)), "{mean:?}");
    assert!(users.latency.p99.unwrap().lo.is_some());
    assert!(long.notes.is_empty(), "{:?}", long.notes);
    // Batches of 30 ms: what one has is what the next one has.
    let short = one(60.6);
    assert!(short.traffic["users"].latency.mean.unwrap().lo.is_none());
    assert!(short.notes.iter().any(|note| note.contains("depend on each other")), "{:?}", short.notes);
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
    assert!(
        report.notes.iter().any(|note| note.starts_with("`users` saturates the system: beyond about 11.0"))
    );
    assert!(report.growth.is_empty());
}

/// Runs the system and compares the mean response with its closed form.
fn agrees(blueprint: Blueprint, model: &str, applies: Applies, width: f64) -> Report {
    let report = report_on(blueprint);
    let line = report.theory.iter().find(|line| line.metric == "response mean").unwrap();
    assert_eq!((line.model.as_str(), line.applies), (model, applies), "{line:?}");
    let (value, seen) = (line.value.unwrap(), line.simulated.unwrap());
    let (lo, hi) = (seen.lo.unwrap(), seen.hi.unwrap());
    assert!(hi - lo < width * value, "{line:?} proves little");
    let slack = if applies == Applies::Exactly { 0.0 } else { 0.06 * value };
    assert!(lo - slack <= value && value <= hi + slack, "{line:?}");
    assert!(report.laws.hold);
    report
}

#[test]
fn mm4_agrees_with_theory() {
    let report = agrees(mmc(320.0, 0.01, 4, 400.0, 40.0), "M/M/4", Applies::Exactly, 0.05);
    for line in &report.theory {
        let (value, seen) = (line.value.unwrap(), line.simulated.unwrap());
        let most = if line.metric.ends_with("p99.9") { 0.1 } else { 0.05 };
        assert!((seen.value / value - 1.0).abs() < most, "{line:?}");
    }
    assert!(report.theory.iter().any(|line| line.metric == "response p99"));
    assert!(report.theory.iter().any(|line| line.at == "web.workers" && line.metric == "wait p99"));
}

/// A hundred replicas at 80 % load, of which a caller who knows them chooses by load.
fn chosen(pick: models::blueprint::Pick) -> Report {
    let mut builder = Builder::new(400.0, 40.0);
    let web = builder.station("web", 1, 0.01);
    builder.0.services[0].replicas = 100;
    builder.0.routes[0].pick = pick;
    builder.open("users", 8_000.0, web);
    report_on(builder.0)
}

#[test]
fn the_best_of_two_queues_agrees_with_the_mean_field() {
    let report = chosen(models::blueprint::Pick::Least { choices: 2, replacement: false });
    assert_eq!(report.theory.len(), 3, "{:?}", report.theory);
    for line in &report.theory {
        assert_eq!((line.model.as_str(), line.applies), ("best of 2 M/M/1", Applies::Approximately));
        let (value, seen) = (line.value.unwrap(), line.simulated.unwrap());
        assert!((seen.value / value - 1.0).abs() < 0.03, "{line:?}");
    }
}

#[test]
fn the_shortest_of_all_queues_is_nearly_one_queue() {
    let report = chosen(models::blueprint::Pick::LeastConnections);
    let lines = report.theory.iter().map(|line| (line.model.as_str(), line.metric.as_str()));
    assert_eq!(lines.collect::<Vec<_>>(), [("M/M/100", "response mean"), ("M/M/100", "wait mean")]);
    for line in &report.theory {
        let (value, seen) = (line.value.unwrap(), line.simulated.unwrap());
        assert!(seen.value > 0.98 * value && seen.value < value + 0.001, "{line:?}");
    }
}

#[test]
fn an_idle_replica_or_any_has_no_closed_form() {
    let report = chosen(models::blueprint::Pick::JoinIdle);
    let why = "an idle replica is chosen, or else any: there is no closed form. One shared queue would wait";
    assert!(report.theory.iter().all(|line| line.value.is_none() && line.why.starts_with(why)));
    assert_eq!(report.theory.len(), 2, "{:?}", report.theory);
}

#[test]
fn a_tandem_agrees_with_jackson() {
    let mut builder = Builder::new(400.0, 40.0);
    let stations: Vec<_> = (0..3).map(|i| builder.station(&format!("s{i}"), 1, 0.01)).collect();
    let front = builder.gateway("front", &stations, false);
    builder.open("users", 70.0, front);
    let report = agrees(builder.0, "Jackson network", Applies::Exactly, 0.05);
    let p99 = report.theory.iter().find(|line| line.metric == "response p99").unwrap();
    assert!((p99.simulated.unwrap().value / p99.value.unwrap() - 1.0).abs() < 0.05, "{p99:?}");
}

#[test]
fn a_fork_join_agrees_with_nelson_and_tantawi() {
    let mut builder = Builder::new(200.0, 20.0);
    let leaves: Vec<_> = (0..20).map(|i| builder.station(&format!("leaf{i}"), 1, 0.01)).collect();
    let front = builder.gateway("front", &leaves, true);
    builder.open("users", 50.0, front);
    agrees(builder.0, "fork-join of 20 M/M/1", Applies::Approximately, 0.05);
}

#[test]
fn shared_cores_agree_whatever_the_law() {
    // Mean exp(-5.405 + 0.8) = 10 ms, squared coefficient of variation exp(1.6) - 1 = 3.95.
    let mu = 0.01_f64.ln() - 0.8;
    let heavy = sim_core::distribution::LogNormal::from_mu_sigma(mu, 1.6_f64.sqrt()).unwrap().into();
    agrees(shared_core(60.0, heavy, 600.0, 60.0), "M/G/1-PS", Applies::Exactly, 0.05);
}

#[test]
fn one_worker_with_constant_service_agrees_with_pollaczek_and_khinchine() {
    let mut builder = Builder::new(400.0, 40.0);
    let law = builder.sampler(sim_core::distribution::Constant::new(0.01).unwrap().into());
    let web = builder.service("web", Some(1), None, &[models::blueprint::Op::Delay(law)]);
    builder.open("users", 80.0, web);
    agrees(builder.0, "M/D/1", Applies::Exactly, 0.05);
}

#[test]
fn workers_that_share_cores_are_one_station() {
    let mut builder = Builder::new(1_600.0, 40.0);
    let law = builder.sampler(exp(0.01));
    let web = builder.service("web", Some(4), Some(2.0), &[models::blueprint::Op::Cpu(law)]);
    builder.open("users", 170.0, web);
    agrees(builder.0, "M/M/2", Applies::Exactly, 0.06);
}

#[test]
fn users_agree_with_machine_repair() {
    let mut builder = Builder::new(100.0, 10.0);
    let web = builder.station("web", 8, 0.006);
    builder.closed("users", 1_000, 1.0, web);
    let report = agrees(builder.0, "M/M/8//1000", Applies::Exactly, 0.02);
    let mean = report.theory[0].value.unwrap();
    assert!((mean / 6.989_79e-3 - 1.0).abs() < 1e-5, "{mean}");
}

#[test]
fn users_of_several_stations_agree_with_mva() {
    let mut builder = Builder::new(600.0, 60.0);
    let stations = [builder.station("a", 1, 0.05), builder.station("b", 1, 0.08)];
    let front = builder.gateway("front", &stations, false);
    builder.closed("users", 10, 0.5, front);
    agrees(builder.0, "closed network (MVA)", Applies::Exactly, 0.05);
}

/// A caller's workers are held while it calls: no closed form, and the line says so.
#[test]
fn theory_says_why_it_does_not_apply() {
    let mut builder = Builder::new(100.0, 10.0);
    let db = builder.station("db", 4, 0.01);
    let call = builder.call(db, 0);
    let web = builder.service("web", Some(8), None, &[models::blueprint::Op::Call(call)]);
    let routes = vec![models::blueprint::RouteId(0)];
    builder.0.services[1].routes = routes;
    builder.open("users", 300.0, web);
    let report = report_on(builder.0);
    let line = report.theory.iter().find(|line| line.at == "web.workers").unwrap();
    assert_eq!(line.applies, Applies::No);
    assert_eq!(
        line.why,
        "`web.workers` is held while `db.do` is called: the hold time depends on other queues"
    );
    assert_eq!(
        report.bottleneck.unwrap().text,
        "`db.workers` is the bottleneck: 75 % busy at 300/s, saturates at 400/s"
    );
}

/// M/M/1//30 with 400 ms of service and 10 s of thinking is 94.7 % busy, and its asymptote is at 100 %.
#[test]
fn a_closed_traffic_is_predicted_by_its_closed_form() {
    let mut builder = Builder::new(100.0, 10.0);
    let web = builder.station("web", 1, 0.4);
    builder.closed("users", 30, 10.0, web);
    let (bound, exact) = (Analysis::of(&builder.0), predicted(&builder.0));
    assert!(bound.bounds && (bound.stations[0].utilization - 1.0).abs() < 1e-9, "{bound:?}");
    assert!(!exact.bounds && (exact.stations[0].utilization - 0.947).abs() < 5e-4, "{exact:?}");
    assert!(exact.bottleneck(&builder.0).unwrap().text.contains("bottleneck: 95 % busy at 30.0 users"));
}

/// Eight servers for a hundredth of a request at a time: nobody waits, and there is nothing to compare.
#[test]
fn theory_that_says_nothing_is_left_out() {
    let report = report_on(mmc(1.0, 0.01, 8, 100.0, 10.0));
    let lines = |metric: &str| report.theory.iter().filter(|line| line.metric == metric).count();
    assert_eq!((lines("wait probability"), lines("response mean")), (0, 1), "{:?}", report.theory);
}

fn sweep_of(rates: &[f64], expectations: &[Expectation]) -> SweepReport {
    let plan = |rate: f64| Plan {
        replications: Replications { at_least: 10, ..Replications::default() },
        expectations: expectations.to_vec(),
        ..Plan::new(mmc(rate, 0.01, 1, 200.0, 20.0), 1)
    };
    let path = "traffic.users.rate".to_owned();
    let points = rates
        .iter()
        .map(|rate| Point { at: [(path.clone(), *rate)].into_iter().collect(), plan: plan(*rate) })
        .collect();
    let fine = (10..=110).map(f64::from);
    let between = fine.map(|rate| (rate, mmc(rate, 0.01, 1, 200.0, 20.0))).collect();
    let grid = Grid { axes: vec![Axis { path, unit: "/s".to_owned() }], points, between };
    sweep(&grid, Options::default(), &Silent, &CancelFlag::new()).unwrap()
}

fn expect_mean_below(bound: f64) -> Expectation {
    let subject = Subject::Traffic(models::blueprint::TrafficId(0));
    let metric = estimate::of("users.mean", subject, Figure::Mean);
    Expectation {
        text: "users.mean < bound".to_owned(),
        left: Quantity::One(Term { variant: None, metric, is_here: true }),
        comparison: Comparison::Less,
        bound,
        tolerance: 0.0,
    }
}

/// M/M/1 with service 10 ms: the knee is at 50/s, and the mean reaches 40 ms at 75/s.
#[test]
fn a_sweep_finds_knee_and_capacity() {
    let rates: Vec<f64> = (1..=11).map(|i| f64::from(i) * 10.0).collect();
    let report = sweep_of(&rates, &[expect_mean_below(0.04)]);
    assert_eq!(report.points.len(), 11);
    let knee = report.knee.unwrap();
    assert!((knee.value - 50.0).abs() < 3.0, "{knee:?}");
    let capacity = report.capacity.unwrap();
    assert_eq!(capacity.last_met, 70.0);
    assert_eq!(capacity.first_not_met.as_ref().unwrap().0, 80.0);
    assert!((capacity.value - 75.0).abs() < 1.5, "{capacity:?}");
    let safe = report.safe.unwrap();
    assert!((safe.from - 45.0).abs() < 1.0 && (safe.to - 52.5).abs() < 1.1, "{safe:?}");
    let curve = report.theory.iter().find(|curve| curve.metric == "mean").unwrap();
    assert!(curve.curve.iter().all(|(rate, mean)| (mean * (100.0 - rate) - 1.0).abs() < 1e-9));
    assert!(curve.curve.last().unwrap().0 < 100.0);
}

#[test]
fn without_expectations_capacity_is_where_the_bottleneck_saturates() {
    let report = sweep_of(&[60.0, 90.0, 120.0], &[]);
    let capacity = report.capacity.unwrap();
    assert!((capacity.value - 100.0).abs() < 1e-9, "{capacity:?}");
    assert_eq!(capacity.last_met, 90.0);
    assert_eq!(capacity.first_not_met.unwrap().0, 120.0);
}

/// What says that something goes wrong, or that enough comes, is no limit of the load.
#[test]
fn only_what_limits_the_load_counts_for_the_capacity() {
    let subject = Subject::Traffic(models::blueprint::TrafficId(0));
    let at_least = |text: &str, figure: Figure, bound: f64| Expectation {
        text: text.to_owned(),
        left: Quantity::One(Term {
            variant: None,
            metric: estimate::of(text, subject, figure),
            is_here: true,
        }),
        comparison: Comparison::AtLeast,
        bound,
        tolerance: 0.0,
    };
    let slow = at_least("users.mean >= 1", Figure::Mean, 1.0);
    let busy = at_least("users.throughput >= 65", Figure::Throughput, 65.0);
    let rates = [40.0, 60.0, 80.0, 120.0];
    let report = sweep_of(&rates, &[slow.clone(), expect_mean_below(0.04), busy]);
    let capacity = report.capacity.unwrap();
    assert_eq!(capacity.last_met, 60.0);
    assert!(
        capacity.text.contains("; from 120/s on `web.workers queue` grows without bound")
            && capacity.text.ends_with(
                "`users.mean >= 1`, `users.throughput >= 65` do not limit the load and are not counted"
            ),
        "{}",
        capacity.text
    );
    let capacity = sweep_of(&rates, &[slow]).capacity.unwrap();
    assert_eq!(
        capacity.text,
        "no expectation limits the load of what was swept; the bottleneck saturates at 100/s; `users.mean >= 1` \
         does not limit the load and is not counted"
    );
}

/// M/M/c at 150/s with service 10 ms: with 2 servers the mean is 22.9 ms, with 3 it is 11.6 ms.
#[test]
fn a_sweep_of_replicas_says_which_suffices() {
    let path = "services.web.workers".to_owned();
    let point = |servers: u32| Point {
        at: [(path.clone(), f64::from(servers))].into_iter().collect(),
        plan: Plan {
            expectations: vec![expect_mean_below(0.015)],
            ..Plan::new(mmc(150.0, 0.01, servers, 100.0, 10.0), 1)
        },
    };
    let sweep_over = |servers: &[u32]| {
        let axes = vec![Axis { path: path.clone(), unit: String::new() }];
        let grid = Grid { axes, points: servers.iter().copied().map(point).collect(), between: Vec::new() };
        sweep(&grid, Options::default(), &Silent, &CancelFlag::new()).unwrap()
    };
    let report = sweep_over(&[1, 2, 3, 4]);
    assert!(report.knee.is_none() && report.capacity.is_none() && report.safe.is_none());
    let suffices = report.suffices.unwrap();
    assert_eq!((suffices.values, suffices.at_least, suffices.at_most), (vec![3.0, 4.0], Some(3.0), None));
    assert_eq!(
        suffices.text,
        "the smallest value that meets every expectation is 3; at 2 `users.mean < bound` fails"
    );
    assert_eq!(sweep_over(&[1, 2]).suffices.unwrap().text, "no value that was run meets every expectation");
    assert_eq!(sweep_over(&[3, 4]).suffices.unwrap().text, "every value from 3 to 4 meets every expectation");
}

/// Two traffics with a server each, of which one gets too much: the other keeps its steady state.
#[test]
fn growth_takes_the_steady_state_only_from_what_passes_through_it() {
    let mut builder = Builder::new(300.0, 30.0);
    let (fast, slow) = (builder.station("fast", 1, 0.01), builder.station("slow", 1, 0.01));
    let front = builder.gateway("front", &[slow], false);
    builder.open("calm", 50.0, fast);
    builder.open("wild", 120.0, front);
    let mut plan = Plan::new(builder.0, 1);
    let mut mean_of = |traffic: u32, bound: f64| {
        let subject = Subject::Traffic(models::blueprint::TrafficId(traffic));
        let mut expectation = expect_mean_below(bound);
        expectation.text = format!("{traffic}.mean < {bound}");
        expectation.left = Quantity::One(Term {
            variant: None,
            metric: estimate::of("mean", subject, Figure::Mean),
            is_here: true,
        });
        plan.expectations.push(expectation);
    };
    mean_of(0, 0.1);
    mean_of(1, 1e6);
    let report = run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    assert_eq!(report.growth[0].at, "slow.workers queue");
    assert_eq!(
        report.unsteady,
        [
            "services.front",
            "services.front.endpoints.do",
            "services.slow",
            "services.slow.endpoints.do",
            "services.slow.resources.workers",
            "traffic.wild",
        ]
    );
    assert_eq!((report.expect[0].verdict, report.expect[1].verdict), (Met::Met, Met::Undecided));
    assert!(
        report.notes[0].ends_with("so means and percentiles of `wild` say how long the run was"),
        "{:?}",
        report.notes
    );
}

#[test]
fn variants_are_compared_in_pairs() {
    let mut ratio = expect_mean_below(0.9);
    let term = |variant: &str| Term {
        is_here: true,
        variant: Some(variant.to_owned()),
        metric: estimate::of("users.mean", Subject::Traffic(models::blueprint::TrafficId(0)), Figure::Mean),
    };
    ratio.left = Quantity::Ratio(term("fast"), term("slow"));
    let plan = |mean: f64| Plan {
        expectations: vec![ratio.clone()],
        ..Plan::new(mmc(80.0, mean, 1, 200.0, 20.0), 1)
    };
    let variants = [("slow".to_owned(), plan(0.01)), ("fast".to_owned(), plan(0.009))];
    let report = compare(&variants, "slow", Options::default(), &Silent, &CancelFlag::new()).unwrap();
    let mean = report.differences.iter().find(|d| d.metric == "users.mean").unwrap();
    assert_eq!(mean.verdict, "better");
    assert!(mean.difference.hi.unwrap() < 0.0);
    assert!(mean.variance_ratio.unwrap() < 0.8, "common random numbers pay: {mean:?}");
    let same = report.differences.iter().find(|d| d.metric == "users.throughput").unwrap();
    assert_eq!(same.verdict, "no evidence", "{same:?}");
    assert_eq!(report.expect.len(), 1);
    assert_eq!(report.expect[0].verdict, Met::Met, "{:?}", report.expect);
}

#[test]
fn precision_adds_replications_until_it_is_reached() {
    let mut plan = Plan::new(mmc(80.0, 0.01, 1, 60.0, 6.0), 1);
    plan.replications = Replications { at_least: 10, until: Until::Precise(0.05), at_most: 200 };
    let report = run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    assert!(report.replications > 10, "{}", report.replications);
    let mean = report.traffic["users"].latency.mean.unwrap();
    assert!(mean.hi.unwrap() - mean.value <= 0.05 * mean.value, "{mean:?}");
    plan.replications.at_most = 12;
    let report = run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    assert_eq!(report.replications, 12);
    let note = report.notes.iter().find(|note| note.contains("was not reached in 12 replications"));
    assert!(note.is_some(), "{:?}", report.notes);
}

#[test]
fn an_interrupted_run_decides_nothing() {
    let mut plan = Plan::new(mmc(80.0, 0.01, 1, 60.0, 6.0), 1);
    plan.expectations = vec![expect_mean_below(10.0)];
    let cancel = CancelFlag::new();
    cancel.cancel();
    let report = run(&plan, Options::default(), &Silent, &cancel).unwrap().report;
    assert!(!report.complete);
    assert_eq!(report.cut_short, ["interrupted"]);
    assert_eq!(report.expect[0].verdict, Met::Undecided);
}

#[test]
fn a_run_that_hits_a_limit_says_so() {
    let mut blueprint = mmc(80.0, 0.01, 1, 600.0, 6.0);
    blueprint.limits.events = 10_000;
    let report = report_on(blueprint);
    assert!(!report.complete);
    assert!(report.cut_short.iter().all(|why| why.starts_with("the limit of events was reached at")));
    assert!(report.traffic["users"].latency.mean.is_some());
}

#[test]
fn the_warm_up_is_found() {
    let mut plan = Plan::new(mmc(90.0, 0.01, 1, 600.0, 0.0), 1);
    plan.auto_warmup = true;
    let report = run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    assert!(report.window.from < 300.0);
    assert!(report.notes.iter().any(|note| note.contains("found by MSER-5")), "{:?}", report.notes);
    plan.blueprint = mmc(110.0, 0.01, 1, 600.0, 0.0);
    let report = run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    assert!(report.notes.iter().any(|note| note.starts_with("no steady state")), "{:?}", report.notes);
}

#[test]
fn series_and_distributions_are_shown_on_demand() {
    let plan = Plan::new(mmc(50.0, 0.01, 1, 100.0, 10.0), 1);
    let options = Options { bins: Some(20), distributions: true };
    let report = run(&plan, options, &Silent, &CancelFlag::new()).unwrap().report;
    let series = report.series.unwrap();
    assert_eq!(series.metrics["traffic.users.throughput"].len(), 20);
    let mean: f64 = series.metrics["traffic.users.throughput"].iter().flatten().sum::<f64>() / 20.0;
    assert!((mean - 50.0).abs() < 1.0, "{mean}");
    let points = &report.distributions["users"];
    assert!(points.len() > 50 && points.windows(2).all(|pair| pair[0].seconds <= pair[1].seconds));
    let without = run(&plan, Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    assert_eq!(without.traffic, report.traffic, "bins change nothing");
}

// From files ------------------------------------------------------------------------------------------------

const CHECKOUT: &str = "
name: checkout
about: Can the shop take the Friday peak?
duration: 20s
warmup: 5s
traffic:
  shoppers: {rate: 400/s, to: web.checkout, policy: browser}
services:
  web:
    replicas: 4
    workers: 64
    queue: 256
    cores: 2
    endpoints:
      checkout:
        - cpu: {lognormal: {p50: 2ms, p99: 9ms}}
        - all:
            - call: prices.quote
            - call: stock.check
        - hold: db_connections
          do:
            - call: db.insert
  prices: {replicas: 2, workers: 32, cores: 2, endpoints: {quote: [{cpu: {exp: 3ms}}]}}
  stock:  {replicas: 2, workers: 32, cores: 2, endpoints: {check: [{delay: {exp: 4ms}}]}}
  db:     {workers: 100, cores: 8, endpoints: {insert: [{cpu: {exp: 5ms}}]}}
resources:
  db_connections: {slots: 10, per: web, timeout: 1s}
policies:
  browser: {timeout: 2s, retry: {attempts: 3, backoff: {base: 100ms, max: 2s, jitter: full}}}
expect:
  - shoppers.p99 < 250ms
  - shoppers.errors < 0.1%
variants:
  base: {}
  more: {services.db.cores: 16}
sweep:
  traffic.shoppers.rate: {from: 400/s, to: 2000/s, points: 5}
";

fn checkout() -> (crate::Source, crate::Scenario) {
    let source = crate::Source::from_text("checkout.yaml", CHECKOUT, ".").unwrap();
    let (scenario, _) = crate::Scenario::load(&source, &[]).unwrap();
    (source, scenario)
}

#[test]
fn the_checkout_scenario_runs() {
    let (_, scenario) = checkout();
    let report = run(&Plan::of(&scenario), Options::default(), &Silent, &CancelFlag::new()).unwrap().report;
    assert!(report.laws.hold && report.complete && report.growth.is_empty());
    assert!(report.expect.iter().all(|verdict| verdict.verdict == Met::Met), "{:?}", report.expect);
    assert_eq!(
        report.bottleneck.unwrap().text,
        "`prices.cores` is the bottleneck: 30 % busy at 400/s, saturates at 1333/s"
    );
    let mean = report.theory.iter().find(|line| line.metric == "response mean").unwrap();
    assert_eq!(mean.applies, Applies::Approximately);
    assert!((mean.simulated.unwrap().value / mean.value.unwrap() - 1.0).abs() < 0.03, "{mean:?}");
    let workers = &report.services["web"].resources["workers"];
    assert_eq!(workers.capacity.unwrap().value, 256.0);
    assert!(report.resources.contains_key("db_connections"));
}

#[test]
fn the_checkout_scenario_sweeps() {
    let (source, scenario) = checkout();
    let grid = Grid::of(&source, &[], &scenario).unwrap();
    assert_eq!(
        grid.points.iter().map(|p| p.at["traffic.shoppers.rate"]).collect::<Vec<_>>(),
        [400.0, 800.0, 1200.0, 1600.0, 2000.0]
    );
    let report = sweep(&grid, Options::default(), &Silent, &CancelFlag::new()).unwrap();
    let capacity = report.capacity.unwrap();
    assert!((1200.0..1600.0).contains(&capacity.value), "{capacity:?}");
    let knee = report.knee.unwrap().value;
    assert!((600.0..1100.0).contains(&knee), "{knee}");
    let curve = &report.theory[0];
    assert!(curve.curve.len() > 50 && curve.curve.last().unwrap().0 < 1334.0);
    assert!(report.points[4].result.notes[0].starts_with("`prices.cores` is asked for 150 %"));
}

#[test]
fn the_checkout_scenario_is_compared() {
    let (source, _) = checkout();
    let variants = variants(&source, &[]).unwrap();
    let report = compare(&variants, "base", Options::default(), &Silent, &CancelFlag::new()).unwrap();
    assert_eq!(report.variants.len(), 2);
    let mean = report.differences.iter().find(|d| d.metric == "shoppers.mean").unwrap();
    assert!(mean.variance_ratio.unwrap() < 0.1, "{mean:?}");
}

/// A sweep that is interrupted keeps the points that are finished.
#[test]
fn an_interrupted_sweep_keeps_what_is_finished() {
    struct Stop(CancelFlag, std::sync::atomic::AtomicU32);
    impl Progress for Stop {
        fn planned(&self, _: u64) {}
        fn finished(&self, _: u64) {
            if self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 14 {
                self.0.cancel();
            }
        }
    }
    let (source, scenario) = checkout();
    let grid = Grid::of(&source, &[], &scenario).unwrap();
    let cancel = CancelFlag::new();
    let stop = Stop(cancel.clone(), 0.into());
    let report = sweep(&grid, Options::default(), &stop, &cancel).unwrap();
    assert!(report.points[0].result.complete);
    assert!(report.points.len() < 5);
    let last = &report.points.last().unwrap().result;
    assert!(!last.complete && last.cut_short == ["interrupted"], "{:?}", last.cut_short);
    assert!(last.laws.hold);
}

/// Where some classes go first, a closed form for all of them is not exact for each.
#[test]
fn classes_that_go_first_are_told() {
    let mut builder = Builder::new(100.0, 10.0);
    let web = builder.station("web", 1, 0.01);
    builder.open("users", 80.0, web);
    builder.0.pools[0].order = models::blueprint::Discipline::Priority;
    builder.0.classes = vec!["gold".to_owned(), "bulk".to_owned()];
    builder.0.traffics[0].classes = vec![(0.5, 0), (1.0, 1)];
    let report = report_on(builder.0);
    let line = report.theory.iter().find(|line| line.metric == "response mean").unwrap();
    assert_eq!(line.applies, Applies::Approximately);
    assert_eq!(line.why, "`web.workers` serves some classes first: this is the mean of all");
    let of = |class: &str| report.traffic["users"].classes[class].latency.mean.unwrap().value;
    assert!(of("gold") < of("bulk"));
}

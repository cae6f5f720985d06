//! Visits, demands and saturation worked out by hand.

use models::blueprint::{
    ArmTest, ChoiceId, ChoicePlan, CodeAddress, Jitter, Op, Outcome, OutcomeSet, PolicyId, PolicyPlan,
    PoolId, RetryPlan,
};

use super::*;
use crate::experiment::testing::{Builder, exp, mmc, span};

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1e-9)
}

#[test]
fn calls_add_up_along_the_tree() {
    let mut builder = Builder::new(100.0, 10.0);
    let db = builder.station("db", 5, 0.01);
    let cache = builder.station("cache", 1, 0.001);
    let web = builder.gateway("web", &[cache, db, db], false);
    builder.open("users", 100.0, web);
    let analysis = Analysis::of(&builder.0);
    let load = &analysis.loads[0];
    assert!(close(load.response, 0.021));
    assert_eq!(load.entries, [2.0, 1.0, 1.0]);
    let db = analysis.station(Place::Pool(PoolId(0))).unwrap();
    assert!(close(load.demands[db], 0.02));
    assert!(close(analysis.stations[db].utilization, 100.0 * 0.02 / 5.0));
    // The database saturates at 5 / 0.02 = 250/s.
    assert!(close(analysis.saturation(0).unwrap(), 250.0));
    assert!(!analysis.stations[db].nested);
}

/// 150/s of 10 ms on 2.5 replicas of one worker: 60 % busy, saturated at 250/s.
#[test]
fn replicas_that_an_autoscaler_has_made_carry_the_load() {
    let plan = mmc(150.0, 0.01, 1, 100.0, 10.0);
    let analysis = Analysis::of(&plan).with_replicas(&plan, |_| Some(2.5));
    assert!(close(analysis.stations[0].utilization, 0.6));
    assert!(close(analysis.saturation(0).unwrap(), 250.0));
}

#[test]
fn parallel_branches_take_as_long_as_the_longest() {
    let mut builder = Builder::new(100.0, 10.0);
    let branches = [builder.station("a", 1, 0.01), builder.station("b", 1, 0.03)];
    let web = builder.gateway("web", &branches, true);
    builder.open("users", 10.0, web);
    assert!(close(Analysis::of(&builder.0).loads[0].response, 0.03));
}

/// The later of two exponential times: 1/a + 1/b - 1/(a + b) in rates.
#[test]
fn spread_branches_take_the_mean_of_the_longest() {
    let mut builder = Builder::new(100.0, 10.0);
    let branches = [builder.station("a", 1_000, 0.01), builder.station("b", 1_000, 0.03)];
    let web = builder.gateway("web", &branches, true);
    builder.open("users", 1e-3, web);
    let exact = 0.01 + 0.03 - 1.0 / (1.0 / 0.01 + 1.0 / 0.03);
    let found = Loaded::of(&builder.0).unwrap().response(0);
    assert!((found / exact - 1.0).abs() < 1e-4, "{found} for {exact}");
}

/// Half of the requests fail and are tried up to three times: 1 + 1/2 + 1/4 attempts, 7/8 answered.
#[test]
fn retries_multiply_visits() {
    let mut builder = Builder::new(100.0, 10.0);
    let law = builder.sampler(exp(0.01));
    let fail = Op::Fail { outcome: Outcome::failed(0), probability: 0.5 };
    let web = builder.service("web", Some(1), None, &[Op::Delay(law), fail]);
    builder.0.outcomes.push("failed:boom".to_owned());
    builder.open("users", 20.0, web);
    let mut member = vec![false; 9];
    member[8] = true;
    builder.0.policies.push(PolicyPlan {
        retry: Some(RetryPlan {
            attempts: 3,
            outcomes: OutcomeSet { member },
            base: span(0.1),
            factor: 2.0,
            max: span(10.0),
            jitter: Jitter::None,
            drawn: None,
            budget: None,
            parallel: None,
        }),
        ..PolicyPlan::named("p")
    });
    builder.0.calls[0].policy = Some(PolicyId(0));
    let load = &Analysis::of(&builder.0).loads[0];
    assert!(close(load.attempts, 1.75));
    assert!(close(load.answered, 0.875));
    assert!(close(load.demands[0], 0.0175));
    // Back-offs of 0.1 s after the first and 0.2 s after the second failure.
    assert!(close(load.response, 0.0175 + 0.5 * 0.1 + 0.25 * 0.2));
}

/// Four rounds, of which each goes on with probability 3/4: 1 + 3/4 + 9/16 + 27/64 rounds.
#[test]
fn repeats_end_with_failure() {
    let mut builder = Builder::new(100.0, 10.0);
    let law = builder.sampler(exp(0.01));
    let times = builder.sampler(sim_core::distribution::Constant::new(4.0).unwrap().into());
    let fail = Op::Fail { outcome: Outcome::REJECTED, probability: 0.25 };
    let steps = [
        Op::RepeatBegin { times, exit: CodeAddress(4) },
        Op::Delay(law),
        fail,
        Op::RepeatEnd { start: CodeAddress(1) },
    ];
    let web = builder.service("web", None, None, &steps);
    builder.open("users", 20.0, web);
    let load = &Analysis::of(&builder.0).loads[0];
    assert!(close(load.response, 0.01 * (1.0 + 0.75 + 0.5625 + 0.421_875)));
    assert!(close(load.answered, 0.75_f64.powi(4)));
}

/// Weights 3/4 and 1/4 of 10 ms and 50 ms: 20 ms.
#[test]
fn choices_weigh_their_arms() {
    let mut builder = Builder::new(100.0, 10.0);
    let short = builder.sampler(exp(0.01));
    let long = builder.sampler(exp(0.05));
    builder.0.choices.push(ChoicePlan {
        arms: vec![(ArmTest::Below(0.75), CodeAddress(1)), (ArmTest::Else, CodeAddress(3))],
        otherwise: CodeAddress(4),
    });
    let steps = [Op::Choose(ChoiceId(0)), Op::Delay(short), Op::Jump(CodeAddress(4)), Op::Delay(long)];
    let web = builder.service("web", None, None, &steps);
    builder.open("users", 20.0, web);
    assert!(close(Analysis::of(&builder.0).loads[0].response, 0.02));
}

/// An endpoint that calls itself with probability 1/2: twice on average.
#[test]
fn recursion_that_ends_by_chance_is_solved() {
    let mut builder = Builder::new(100.0, 10.0);
    let law = builder.sampler(exp(0.01));
    builder
        .0
        .choices
        .push(ChoicePlan { arms: vec![(ArmTest::Below(0.5), CodeAddress(2))], otherwise: CodeAddress(3) });
    let call = models::blueprint::CallId(0);
    let steps = [Op::Delay(law), Op::Choose(ChoiceId(0)), Op::Call(call)];
    let web = builder.service("web", None, None, &steps);
    assert_eq!(builder.call(web, 0), call);
    builder.open("users", 20.0, web);
    let load = &Analysis::of(&builder.0).loads[0];
    assert!((load.entries[0] - 2.0).abs() < 1e-9, "{load:?}");
    assert!((load.response - 0.02).abs() < 1e-9);
}

/// Workers held across a call: their time is that of the call too, and queueing makes it longer.
#[test]
fn what_is_held_across_calls_is_nested() {
    let mut builder = Builder::new(100.0, 10.0);
    let db = builder.station("db", 1, 0.01);
    let call = builder.call(db, 0);
    let law = builder.sampler(exp(0.005));
    let web = builder.service("web", Some(4), None, &[Op::Delay(law), Op::Call(call)]);
    builder.open("users", 50.0, web);
    let analysis = Analysis::of(&builder.0);
    let [db, web] =
        [0, 1].map(|pool| &analysis.stations[analysis.station(Place::Pool(PoolId(pool))).unwrap()]);
    assert!(!db.nested && web.nested);
    assert!(close(web.utilization, 50.0 * 0.015 / 4.0));
    // Under load a visit of the database takes 10 ms / (1 - 0.5).
    let loaded = Loaded::of(&builder.0).unwrap();
    assert!(close(loaded.analysis.stations[1].utilization, 50.0 * 0.025 / 4.0));
}

#[test]
fn a_closed_traffic_is_bounded_by_its_asymptotes() {
    let mut builder = Builder::new(100.0, 10.0);
    let web = builder.station("web", 2, 0.1);
    builder.closed("users", 100, 0.9, web);
    let analysis = Analysis::of(&builder.0);
    assert!(close(analysis.loads[0].rate, 20.0), "two workers do 20/s");
    assert!(close(analysis.saturation_users(0).unwrap(), 20.0));
    let bottleneck = analysis.bottleneck(&builder.0).unwrap();
    assert_eq!(bottleneck.saturates_at.unwrap().path, "traffic.users.users");
    assert_eq!(
        bottleneck.text,
        "`web.workers` is the bottleneck: at most 100 % busy at 100 users, saturates at about 20.0 users"
    );
}

#[test]
fn overload_is_known_before_anything_runs() {
    let bottleneck = Analysis::of(&mmc(150.0, 0.01, 1, 100.0, 10.0))
        .bottleneck(&mmc(150.0, 0.01, 1, 100.0, 10.0))
        .unwrap();
    assert_eq!(
        bottleneck.text,
        "`web.workers` is overloaded: 150/s needs 150 % of it, it saturates at 100/s"
    );
    assert_eq!(Loaded::of(&mmc(150.0, 0.01, 1, 100.0, 10.0)), None);
}

#[test]
fn numbers_have_the_digits_that_are_read() {
    for (x, text) in [(488.28, "488"), (0.012_345, "0.0123"), (12_345.6, "12346"), (1.5, "1.50"), (0.0, "0")]
    {
        assert_eq!(figure(x), text);
    }
    assert_eq!(percent(0.8249), "82 %");
    assert_eq!(percent(0.012), "1.20 %");
}

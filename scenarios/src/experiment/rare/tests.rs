//! Splitting, held against exact results and against plain simulation.

use super::*;
use crate::experiment::Silent;
use crate::{Scenario, Source};

/// An M/M/1 queue with arrival rate `load` and service rate 1, and what is rare in it.
fn queue(load: f64, duration: &str, rare: &str) -> String {
    format!(
        "duration: {duration}\nwarmup: 50s\ntraffic: {{users: {{rate: {load}/s, to: web.get}}}}\n\
         services: {{web: {{workers: 1, endpoints: {{get: [{{delay: {{exp: 1s}}}}]}}}}}}\nrare: {rare}\n"
    )
}

fn run(text: &str) -> RareReport {
    let source = Source::from_text("test.yaml", text, "").unwrap_or_else(|wrong| panic!("{wrong}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let wanted = scenario.rare().unwrap_or_else(|| panic!("nothing is rare"));
    rare(&Plan::of(&scenario), wanted, &Silent, &CancelFlag::new())
}

/// The only event.
fn find(text: &str) -> RareResult {
    run(text).events.swap_remove(0)
}

/// Within four standard errors, and these are small enough for that to mean something.
fn assert_near(found: &RareResult, exact: f64) {
    let Some(e) = found.value else { panic!("{found:?}") };
    let relative = half_width(&e) / e.value;
    assert!(relative < 0.2, "{relative}: {found:?}");
    assert!((e.value - exact).abs() < 2.0 * half_width(&e), "{exact}: {found:?}");
}

#[test]
fn time_at_high_levels_is_that_of_a_geometric_law() {
    // P(N >= n) = rho^n.
    let found = find(&queue(0.5, "1000s", "{events: [web.in_flight >= 20], precision: 15%}"));
    assert_near(&found, 0.5_f64.powi(20));
    assert!(found.is_precise && found.note.is_none(), "{found:?}");
    assert!(found.plain_events.is_some_and(|plain| plain > 25.0 * found.events as f64), "{found:?}");
    assert_eq!((found.of, found.toward.as_str()), (RareOf::Time, "web.in_flight"));
    // Each level is half as likely as the one below it, so each is a rung with two copies, but for some of which trials
    // have seen too little or a bit less than half.
    assert!(found.levels.last().is_some_and(|last| (16..20).contains(last)), "{found:?}");
    assert!(found.levels.windows(2).all(|pair| pair[1] - pair[0] <= 2), "{:?}", found.levels);
    assert!(found.copies.iter().all(|copies| (2..=4).contains(copies)), "{:?}", found.copies);
}

#[test]
fn long_latencies_are_those_of_an_exponential_law() {
    // Of M/M/1 the response is exponential with rate mu - lambda: P(R > t) = exp(-0.5 t).
    let found = find(&queue(0.5, "1000s", "{events: [users.latency > 20s], precision: 15%}"));
    assert_near(&found, (-10.0_f64).exp());
    let found = find(&queue(0.5, "1000s", "{events: [users.p99.999], precision: 10%}"));
    assert_near(&found, 100_000.0_f64.ln() / 0.5);
    assert_eq!((found.of, found.toward.as_str()), (RareOf::Latency, "users.in_flight"));
}

/// The probability that an M/M/1 queue that begins empty has `level` requests before `time`, by uniformization.
fn reached(load: f64, level: usize, time: f64) -> f64 {
    let pace = load + 1.0;
    let mut here = vec![0.0; level + 1];
    here[0] = 1.0;
    let (mut poisson, mut reached) = ((-pace * time).exp(), 0.0);
    for jump in 1..2_000 {
        reached += poisson * here[level];
        poisson *= pace * time / f64::from(jump);
        let mut next = vec![0.0; level + 1];
        next[level] = here[level];
        for n in 0..level {
            next[n + 1] += here[n] * load / pace;
            next[n.saturating_sub(1)] += here[n] / pace;
        }
        here = next;
    }
    reached
}

#[test]
fn runs_that_reach_a_level_are_as_many_as_uniformization_says() {
    let exact = reached(0.5, 18, 200.0);
    assert!((1e-5..1e-3).contains(&exact), "{exact}");
    let text = queue(0.5, "200s", "{events: [web.in_flight reaches 18], precision: 15%, replications: 3000}");
    let found = find(&text);
    assert_near(&found, exact);
    assert_eq!(found.of, RareOf::Runs);
}

#[test]
fn copies_of_calls_with_policies_meet_what_plain_runs_meet() {
    // Frames, not leaves: retries, a pool with its own line, and a choice.
    let text = |events: &str| {
        format!(
            "duration: 400s\nwarmup: 20s\n\
             traffic: {{users: {{rate: 0.3/s, to: web.get, policy: p}}}}\n\
             policies: {{p: {{timeout: 15s, retry: {{attempts: 2, backoff: 500ms}}}}}}\n\
             resources: {{conns: {{slots: 2}}}}\n\
             services:\n\
             \x20 web: {{endpoints: {{get: [{{hold: conns, do: [{{call: db.query}}]}}]}}}}\n\
             \x20 db: {{cores: 1, endpoints: {{query: [{{choose: [{{weight: 90%, do: [{{cpu: {{exp: 1s}}}}]}}, \
             {{weight: 10%, do: [{{cpu: {{exp: 3s}}}}]}}]}}]}}}}\n\
             rare: {{events: [{events}], precision: 10%, replications: 400}}\n"
        )
    };
    let split = find(&text("conns.queue_length >= 5"));
    assert!(!split.levels.is_empty(), "{split:?}");
    let source = Source::from_text("test.yaml", text("conns.queue_length >= 5"), "");
    let source = source.unwrap_or_else(|wrong| panic!("{wrong}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let event = &scenario.rare().unwrap_or_else(|| panic!("nothing is rare")).events[0];
    let blueprint = scenario.compile();
    let ladder = Ladder { rare: event.sought.rare(), gauge: event.gauge, rungs: Vec::new() };
    let replication = |index| Replication { seed: 77, index, breakdown: false };
    let mut plain = Pooled::default();
    let cancel = CancelFlag::new();
    split_all(0..1_200, &blueprint, &ladder, &replication, &Silent, &cancel, |found| plain.add(&found));
    let (Some(a), Some(b)) = (split.value, plain.estimate(event.sought)) else {
        panic!("{split:?} {plain:?}")
    };
    let together = half_width(&a).hypot(half_width(&b));
    assert!((a.value - b.value).abs() < 2.0 * together, "{a:?} {b:?}");
    assert!(together < 0.5 * b.value, "{a:?} {b:?}");
}

#[test]
fn what_is_not_rare_is_not_split() {
    let found = find(&queue(0.5, "1000s", "{events: [web.in_flight >= 1], precision: 5%}"));
    assert_near(&found, 0.5);
    assert_eq!((found.levels.len(), found.note.as_deref()), (0, None));
}

#[test]
fn what_never_happens_is_told() {
    let queue = queue(0.2, "100s", "{events: [users.latency > 1000s], replications: 10}");
    let found = find(&queue.replace("workers: 1", "workers: 50"));
    assert!(found.value.is_none() && !found.is_precise, "{found:?}");
    let note = "never seen, however high `users.in_flight` is: something else leads there (`toward`)";
    assert_eq!(found.note.as_deref(), Some(note));
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let text = queue(0.5, "300s", "{events: [web.in_flight >= 15, users.p99.99], replications: 12}");
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap_or_else(|error| panic!("{error}")).install(|| run(&text))
    };
    assert_eq!(on(1), on(3));
}

//! Replicas that start, drain and crash, links that are cut, and roll-outs, by sequences computed by hand.

#![expect(clippy::unwrap_used, reason = "a test may")]

use models::blueprint::Outcome;
use models::observe::{LifeObservation, Segment};

fn run_seed(text: &str, seed: u64) -> Segment {
    crate::once::segment(&format!("duration: 20s\nwarmup: 0s\n{text}"), seed)
}

/// The only segment of a run of 20 s.
fn run(text: &str) -> Segment {
    run_seed(text, 1)
}

fn outcome(segment: &Segment, outcome: Outcome) -> u64 {
    segment.traffics[0].outcomes[usize::from(outcome.0)]
}

fn life(segment: &Segment, service: usize) -> &LifeObservation {
    segment.services[service].life.as_ref().unwrap()
}

/// Seconds that replicas were in a state.
fn in_state(segment: &Segment, service: usize, state: &str) -> f64 {
    let at = LifeObservation::STATES.iter().position(|known| *known == state).unwrap();
    life(segment, service).state_ns[at] as f64 / 1e9
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-3, "{a} is not {b}");
}

/// Ten a second in turn, one second each: five are at work on the first replica when it crashes at 10.05 s. For 4 s
/// of repair and 2 s of start every other call is refused: 30 of 60. Nobody waits for a worker.
#[test]
fn what_a_replica_works_on_is_lost_and_calls_to_it_are_refused_until_it_is_back() {
    let seen = run("
traffic: {users: {rate: 10/s, arrivals: even, to: web.get}}
services: {web: {replicas: 2, startup: 2s, endpoints: {get: [{delay: 1s}]}}}
events: [{at: 10.05s, crash: web, restart: 4s}]
");
    assert_eq!(outcome(&seen, Outcome::LOST), 5);
    assert_eq!(outcome(&seen, Outcome::REJECTED), 30);
    let web = life(&seen, 0);
    assert_eq!((web.crashes, web.starts, web.lost, web.refused), (1, 1, 5, 30));
    close(in_state(&seen, 0, "down"), 4.0);
    close(in_state(&seen, 0, "starting"), 2.0);
    close(web.availability(2), 14.0 / 20.0);
    close(web.availability(1), 1.0);
}

/// With checks every 100 ms the third failure takes the replica out within 0.3 s: at most three calls are refused.
#[test]
fn health_finds_out_that_a_replica_is_down() {
    let seen = run("
traffic: {users: {rate: 10/s, arrivals: even, to: web.get}}
services: {web: {replicas: 2, endpoints: {get: [{delay: 1ms}]}}}
routes: {web: {health: {check: 100ms}}}
events: [{at: 10.05s, crash: web, restart: never}]
");
    let refused = outcome(&seen, Outcome::REJECTED);
    assert!((1..=3).contains(&refused), "{refused}");
    close(in_state(&seen, 0, "down"), 9.95);
}

/// A crash ends the calls that the replica has made as well, and gives back what it holds of others; what they do for
/// it goes on.
#[test]
fn a_caller_that_crashes_gives_back_what_it_holds_of_others() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services:
  web: {endpoints: {get: [{hold: sessions, do: [{call: db.get}]}]}}
  db: {endpoints: {get: [{delay: 3s}]}}
resources: {sessions: {slots: 2}}
events: [{at: 4.5s, crash: web, restart: never}]
");
    // Those of 1 s and 2 s have sessions until 4 s and 5 s, that of 3 s gets one at 4 s; that of 4 s waits.
    assert_eq!(outcome(&seen, Outcome::LOST), 3);
    let sessions = &seen.pools[seen.pools.len() - 1];
    assert_eq!((sessions.in_use.n_end, sessions.waiting.n_end), (0, 0));
    assert_eq!(sessions.cancelled, 1);
    close(sessions.in_use.integral as f64 / 1e9, 3.0 + 2.5 + 0.5);
    let db = seen.endpoints.iter().map(|endpoint| endpoint.answered).min().unwrap();
    assert!(db >= 1, "what is done for a caller that is gone is done nevertheless");
}

/// Five seconds of work each, one a second; of two replicas one is taken away at 10.5 s. It has what came to it in the
/// last 5 s, which is 2 or 3 of 5; what would end after 12.5 s is cut off.
#[test]
fn a_replica_that_drains_finishes_what_it_can() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {replicas: 2, drain: 2s, endpoints: {get: [{delay: 5s}]}}}
events: [{at: 10.5s, set: {services.web.replicas: 1}}]
");
    let lost = outcome(&seen, Outcome::LOST);
    assert!((1..=2).contains(&lost), "{lost}");
    close(in_state(&seen, 0, "draining"), 2.0);
    assert_eq!(outcome(&seen, Outcome::REJECTED), 0);
    let whole = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {replicas: 2, drain: 5s, endpoints: {get: [{delay: 5s}]}}}
events: [{at: 10.5s, set: {services.web.replicas: 1}}]
");
    assert_eq!(outcome(&whole, Outcome::LOST), 0);
    assert!(in_state(&whole, 0, "draining") > 4.0);
}

/// Each request fails at once, and leaves a call behind that takes 3.05 s and of which there may be one. The one that
/// began at 5 s ends with its replica; the next replica may make one at 6 s, and then at 10, 14 and 18 s.
#[test]
fn calls_that_nobody_waits_for_end_with_the_replica_that_made_them() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services:
  web: {endpoints: {get: [{all: [{call: db.get, policy: one}, {fail: oops}]}]}}
  db: {endpoints: {get: [{delay: 3.05s}]}}
policies: {one: {limit: 1}}
events: [{at: 5.3s, deploy: web}]
");
    assert_eq!(seen.policies[0].calls, seen.traffics[0].offered);
    assert_eq!(seen.policies[0].calls - seen.policies[0].limited, 6);
}

/// One request a second needs 100 ms of CPU. The replica is back at 5.5 s and warms up for 10 s from a factor of 3: the
/// request at 6 s needs 1 + 2 * 0.95 times as much, that at 15 s 1 + 2 * 0.05, 21 of them from 0.95 down in steps of a
/// tenth.
#[test]
fn work_takes_longer_while_a_replica_warms_up() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {cores: 1, startup: {delay: 1s, warm: 10s, slowdown: 3}, endpoints: {get: [{cpu: 100ms}]}}}
events: [{at: 4.5s, crash: web}]
");
    assert_eq!(outcome(&seen, Outcome::REJECTED), 1);
    let answered = seen.traffics[0].latency.count() as f64;
    let extra: f64 = (0..10).map(|n| 2.0 * (0.95 - 0.1 * f64::from(n))).sum();
    let mean = seen.traffics[0].latency.mean().unwrap() / 1e9;
    close(mean, 0.1 * (answered + extra) / answered);
    close(in_state(&seen, 0, "warming"), 10.0);
}

/// What is sent at 10 s is sent again after 0.2, 0.4, 0.8 and 1.6 s, the last of which arrives: 3 s late. The one of
/// 11 s is there at 12.4 s, and that of 12 s, when the partition is over, at once.
#[test]
fn what_a_partition_holds_up_arrives_after_it() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {endpoints: {get: [{delay: 100ms}]}}}
events: [{at: 9.95s, for: 2s, partition: [users, web]}]
");
    assert_eq!(outcome(&seen, Outcome::OK), seen.traffics[0].offered - seen.traffics[0].present.n_end);
    let answered = seen.traffics[0].latency.count() as f64;
    let mean = seen.traffics[0].latency.mean().unwrap() / 1e9;
    close(mean, (0.1 * answered + 3.0 + 1.4) / answered);
}

/// Callers that have a timeout see that, and an answer on its way is held up as well.
#[test]
fn callers_time_out_during_a_partition() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get, policy: {timeout: 500ms}}}
services: {web: {endpoints: {get: [{delay: 100ms}]}}}
events: [{at: 10.05s, for: 2s, partition: [users, web]}]
");
    // The answer to that of 10 s, and that of 11 s; that of 12 s is sent again in time.
    assert_eq!(outcome(&seen, Outcome::TIMED_OUT), 2);
}

#[test]
fn a_slow_network_adds_to_both_directions() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {endpoints: {get: [{delay: 100ms}]}}}
events: [{at: 9.5s, for: 5s, latency: {between: [web, users], add: 40ms}}]
");
    let answered = seen.traffics[0].latency.count() as f64;
    let mean = seen.traffics[0].latency.mean().unwrap() / 1e9;
    close(mean, 0.1 + 5.0 * 0.08 / answered);
}

/// Four replicas, one more at a time, and never fewer than four ready: four times 2 s, and four starts.
#[test]
fn a_roll_out_keeps_enough_replicas_ready() {
    let text = |how: &str| {
        format!(
            "traffic: {{users: {{rate: 10/s, arrivals: even, to: web.get}}}}
services: {{web: {{replicas: 4, startup: 2s, endpoints: {{get: [{{delay: 100ms}}]}}}}}}
events: [{{at: 1.05s, deploy: web{how}}}]
"
        )
    };
    let surging = run(&text(", max_unavailable: 0%"));
    assert_eq!((life(&surging, 0).starts, life(&surging, 0).crashes), (4, 0));
    close(life(&surging, 0).availability(4), 1.0);
    close(in_state(&surging, 0, "starting"), 8.0);
    let failed = [Outcome::LOST, Outcome::REJECTED].map(|failed| outcome(&surging, failed));
    assert_eq!(failed, [0, 0]);
    let missing = run(&text(", surge: 0%"));
    assert_eq!(life(&missing, 0).starts, 4);
    close(life(&missing, 0).availability(4), 1.0 - 8.0 / 20.0);
    close(life(&missing, 0).availability(3), 1.0);
    // Kubernetes' defaults: one more, and one missing.
    let both = run(&text(""));
    close(life(&both, 0).availability(4), 1.0 - 4.0 / 20.0);
}

/// The heap of 3.5 MB takes three requests of 1 MB; the fourth kills the replica, which is back after 1.5 s.
#[test]
fn a_full_heap_restarts_the_replica() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services:
  web:
    startup: 1.5s
    resources: {heap: {volume: 3.5MB, on_full: restart}}
    endpoints: {get: [{take: heap, units: 1MB}, {delay: 100ms}]}
");
    // One to three, the fourth is lost and the fifth refused; six to eight, and so on up to the 19th.
    let web = life(&seen, 0);
    assert_eq!((web.crashes, web.lost, web.refused), (4, 4, 3));
    assert_eq!(outcome(&seen, Outcome::OK), 12);
}

/// Two zones with two replicas each call two zones with two each: nobody leaves its zone until it has lost a replica
/// there: 1.4 / 2 of the calls stay.
#[test]
fn calls_stay_in_their_zone_while_enough_of_it_is_there() {
    let text = |event: &str| {
        format!(
            "traffic: {{users: {{rate: 200/s, arrivals: even, to: web.get}}}}
services:
  web: {{replicas: 1, zones: [a], endpoints: {{get: [{{call: db.get}}]}}}}
  db: {{replicas: 4, zones: [a, b], endpoints: {{get: [{{delay: 1ms}}]}}}}
routes: {{db: {{zone: prefer, pick: round_robin, health: {{check: 10ms, panic: 0%}}}}}}
{event}"
        )
    };
    let whole = run(&text(""));
    let received = |seen: &Segment| {
        // `db` comes before `web`.
        seen.services[0].received.iter().map(|&n| n as f64).collect::<Vec<f64>>()
    };
    let all = received(&whole);
    close((all[1] + all[3]) / all.iter().sum::<f64>(), 0.0);
    let short = received(&run(&text("events: [{at: 0s, crash: db, replicas: 1, restart: never}]")));
    let share = (short[0] + short[2]) / short.iter().sum::<f64>();
    assert!((share - 0.7).abs() < 0.03, "{share}");
}

/// The share of a replica that is new rises from a tenth in a straight line over 10 s.
#[test]
fn a_new_replica_gets_fewer_calls_at_first() {
    let text = |slow: &str| {
        format!(
            "traffic: {{users: {{rate: 1000/s, arrivals: even, to: web.get}}}}
services: {{web: {{replicas: 1, drain: 1s, endpoints: {{get: [{{delay: 1ms}}]}}}}}}
routes: {{web: {{pick: round_robin{slow}}}}}
events: [{{at: 10s, set: {{services.web.replicas: 2}}}}]
"
        )
    };
    let share = |slow: &str| {
        let seen = run(&text(slow));
        seen.services[0].received[1] as f64 / 10_000.0
    };
    close(share(""), 0.5);
    // The integral of w / (1 + w) over w from 0 to 1 is 1 - ln 2; with a tenth at least, 0.0047 more.
    let slow = share(", slow_start: 10s");
    assert!((slow - 0.311).abs() < 0.02, "{slow}");
}

/// Zones are lost and come back as a whole, and random faults strike every variant alike.
#[test]
fn a_zone_is_lost_and_comes_back() {
    let seen = run("
traffic: {users: {rate: 10/s, arrivals: even, to: web.get}}
services: {web: {replicas: 5, zones: [a, b], startup: 1s, endpoints: {get: [{delay: 1ms}]}}}
events: [{at: 5s, for: 4s, lose: {zone: a}}]
");
    close(in_state(&seen, 0, "down"), 3.0 * 4.0);
    close(in_state(&seen, 0, "starting"), 3.0);
    assert_eq!(life(&seen, 0).crashes, 3);
}

/// One that was down before its zone was lost comes back when it is due, not with its zone: after 6 s, or never.
#[test]
fn a_zone_brings_back_only_what_it_took() {
    let down = |restart: &str| {
        let seen = run(&format!(
            "
traffic: {{users: {{rate: 10/s, arrivals: even, to: web.get}}}}
services: {{web: {{replicas: 5, zones: [a, b], startup: 1s, endpoints: {{get: [{{delay: 1ms}}]}}}}}}
events: [{{at: 4s, crash: web, restart: {restart}}}, {{at: 5s, for: 4s, lose: {{zone: a}}}}]
"
        ));
        assert_eq!(life(&seen, 0).crashes, 3);
        (in_state(&seen, 0, "down"), in_state(&seen, 0, "starting"))
    };
    let (later, starting) = down("6s");
    close(later, 6.0 + 2.0 * 4.0);
    close(starting, 3.0);
    // 3 s are over while the zone is gone: it starts with it.
    close(down("3s").0, 5.0 + 2.0 * 4.0);
    let (never, starting) = down("never");
    close(never, 16.0 + 2.0 * 4.0);
    close(starting, 2.0);
}

/// One that is wanted while its zone is lost starts when that comes back.
#[test]
fn a_zone_brings_up_what_was_wanted_meanwhile() {
    let seen = run("
traffic: {users: {rate: 10/s, arrivals: even, to: web.get}}
services: {web: {replicas: 2, zones: [a, b], startup: 1s, endpoints: {get: [{delay: 1ms}]}}}
events: [{at: 5s, for: 4s, lose: {zone: a}}, {at: 6s, set: {services.web.replicas: 4}}]
");
    close(in_state(&seen, 0, "down"), 4.0 + 3.0);
    close(in_state(&seen, 0, "starting"), 3.0);
    close(in_state(&seen, 0, "ready"), 20.0 + 20.0 - 5.0 + 20.0 - 10.0 + 20.0 - 7.0);
}

#[test]
fn variants_meet_the_same_faults() {
    let text = |work: &str, more: &str| {
        format!(
            "traffic: {{users: {{rate: 100/s, to: web.get}}}}
services:
  web: {{replicas: 3, endpoints: {{get: [{{delay: {work}}}]}}}}
  other: {{endpoints: {{get: [{{delay: 1ms}}]}}}}
events:
{more}  - {{every: {{exp: 2s}}, crash: web, restart: {{exp: 1s}}}}
  - {{mttf: {{exp: 5s}}, crash: web, restart: {{exp: 500ms}}}}
"
        )
    };
    for seed in 1..=5 {
        let one = run_seed(&text("1ms", ""), seed);
        let more = "  - {at: 3s, set: {services.other.replicas: 2}}\n";
        let other = run_seed(&text("{exp: 40ms}", more), seed);
        let of = |seen: &Segment| life(seen, usize::from(seen.services[0].life.is_none())).clone();
        let (one, other) = (of(&one), of(&other));
        assert_eq!((one.crashes, one.ready_ns), (other.crashes, other.ready_ns));
        assert!(one.crashes > 5, "{}", one.crashes);
    }
}

/// Speed 0 for half a second, every two seconds: the requests at 2, 4, 6 s and so on wait for it.
#[test]
fn changes_of_values_recur() {
    let seen = run("
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {cores: 1, endpoints: {get: [{cpu: 100ms}]}}}
events: [{every: 2s, for: 500ms, set: {services.web.speed: 0}}]
");
    let paused = 9.0; // 2 s to 18 s; that of 20 s is not answered.
    let answered = seen.traffics[0].latency.count() as f64;
    close(seen.traffics[0].latency.mean().unwrap() / 1e9, 0.1 + paused * 0.5 / answered);
}

//! Jobs that start by themselves, pauses, and events on a condition, by sequences computed by hand.

use models::blueprint::Outcome;
use models::observe::Segment;

use crate::flows::{close, mean_ms, once, run};

/// Runs of a job that ended well.
fn runs(seen: &Segment, job: usize) -> u64 {
    seen.jobs[job].outcomes[usize::from(Outcome::OK.0)]
}

/// A request at 1 s that does nothing, two replicas with a core each, and whatever else is told; for 20 s.
fn system(more: &str) -> Segment {
    run(&format!(
        "traffic:\n{}services:\n  s: {{replicas: 2, cores: 1, endpoints: {{go: [{{delay: 0s}}]}}}}\n{more}",
        once("a", 1000, 1, "s.go", "")
    ))
}

/// From 3 s on every 3 s, six times; on each of two replicas, or on one of them.
#[test]
fn a_clock_starts_a_run_at_each_replica_or_one_at_the_service() {
    let seen = system(
        "jobs:\n  each: {service: s, every: 3s, do: [{delay: 1s}]}\n  one: {service: s, every: 3s, per: service, do: [{delay: 1s}]}\n",
    );
    assert_eq!((runs(&seen, 0), runs(&seen, 1)), (12, 6));
    close(seen.jobs[0].time.mean().unwrap_or(0.0) / 1e6, 1_000.0);
}

/// A run of 4 s at 3 s lets the tick at 6 s go by; the next ones are at 9 s and 15 s.
#[test]
fn a_tick_during_a_run_goes_by() {
    let seen = system("jobs:\n  slow: {service: s, every: 3s, per: service, do: [{delay: 4s}]}\n");
    assert_eq!(runs(&seen, 0), 3);
}

/// At 1, 6, 11 and 16 s; once at 2 s; and with a first time that is drawn for each replica, ten times in 10 s at both.
#[test]
fn a_clock_begins_when_it_is_told_to() {
    let seen = system(
        "jobs:\n  a: {service: s, at: 1s, every: 5s, per: service, do: [{delay: 1ms}]}\n  b: {service: s, at: 2s, do: [{delay: 1ms}]}\n  \
         c: {service: s, at: {uniform: [9s, 10s]}, every: 1s, do: [{delay: 950ms}]}\n",
    );
    assert_eq!((runs(&seen, 0), runs(&seen, 1)), (4, 2));
    assert_eq!(runs(&seen, 2), 20);
    assert_eq!(seen.jobs[2].present.max, 2, "both at once, though they began at different times");
}

/// Four of ten are taken at 1 s, so that a run starts; two more meanwhile, and all is given back at 1.5 s. Nine go at
/// 5 s: runs that give two each follow one another until 7 are there, after 1.5 s.
#[test]
fn a_condition_starts_runs_for_as_long_as_it_holds() {
    let text = |give: &str| {
        format!(
            "traffic:\n{}{}{}services:\n  s: {{endpoints: {{one: [{{take: tank}}]}}}}\nresources:\n  tank: {{volume: 10}}\njobs:\n  \
             fill: {{service: s, when: tank.level < 7, do: [{{delay: 500ms}}, {{give: tank, units: {give}}}]}}\n",
            once("a", 1000, 4, "s.one", ""),
            once("b", 1200, 2, "s.one", ""),
            once("c", 5000, 9, "s.one", ""),
        )
    };
    let seen = run(&text("all"));
    assert_eq!(runs(&seen, 0), 2);
    close(seen.volumes[0].end, 10.0);
    // By 1.5 s, with four left: 6, and 8 at 2 s. By 5 s there are 8, so that one of the nine is turned away; 0, 2, 4,
    // 6, 8.
    let seen = run(&text("2"));
    assert_eq!(seen.traffics[2].outcomes[usize::from(Outcome::REJECTED.0)], 1);
    assert_eq!(runs(&seen, 0), 2 + 4);
    close(seen.jobs[0].present.integral as f64 / 1e6, 3_000.0);
    close(seen.volumes[0].end, 8.0);
}

/// It begins to hold at 5 s and is looked at every 2 s: at 6 s, 8 s and so on until 18 s, and at 20 s the run is over.
#[test]
fn a_clock_looks_at_a_condition() {
    let seen = run(&format!(
        "traffic:\n{}services:\n  s: {{endpoints: {{one: [{{take: tank}}]}}}}\nresources:\n  tank: {{volume: 10}}\njobs:\n  \
         look: {{service: s, every: 2s, when: tank.used > 3, do: [{{delay: 1s}}]}}\n",
        once("a", 5000, 4, "s.one", ""),
    ));
    assert_eq!(runs(&seen, 0), 7);
}

/// Each replica looks at its own heap. The first request goes to the first replica, the second to the second; each
/// fills the heap of its replica, which is emptied after 1 s.
#[test]
fn a_replica_looks_at_its_own_levels() {
    let seen = run(&format!(
        "traffic:\n{}services:\n  s: {{replicas: 2, resources: {{heap: {{volume: 10}}}}, endpoints: {{fill: [{{take: heap, units: 9}}]}}}}\n\
         jobs:\n  gc: {{service: s, when: heap.free < 20%, do: [{{delay: 1s}}, {{give: heap, units: all}}]}}\n",
        once("a", 5000, 2, "s.fill", ""),
    ));
    assert_eq!(runs(&seen, 0), 2);
    assert_eq!(seen.jobs[0].present.max, 2);
    close(seen.volumes[0].end, 20.0);
}

/// What takes no time and moves nothing starts once for each time that a level has moved: three here.
#[test]
fn runs_that_change_nothing_do_not_repeat_themselves() {
    let seen = run(&format!(
        "traffic:\n{}{}{}services:\n  s: {{endpoints: {{one: [{{take: tank}}]}}}}\nresources:\n  tank: {{volume: 10}}\njobs:\n  \
         idle: {{service: s, when: tank.level < 10, do: [{{give: tank, units: 0}}]}}\n",
        once("a", 1000, 1, "s.one", ""),
        once("b", 2000, 1, "s.one", ""),
        once("c", 3000, 1, "s.one", ""),
    ));
    assert_eq!(runs(&seen, 0), 3);
}

/// A need of 1 s at 1 s has got half of it at 1.5 s, when everything stands still for 2 s: it is met at 4 s. A second
/// pause from 2.5 s to 5.5 s outlasts the first: 6 s.
#[test]
fn pauses_stop_the_cores_until_the_last_one_ends() {
    let text = |more: &str| {
        format!(
            "traffic:\n{}services:\n  s: {{cores: 1, endpoints: {{go: [{{cpu: 1s}}]}}}}\njobs:\n  a: {{service: s, at: 1500ms, do: [{{pause: \
             2s}}]}}\n{more}",
            once("a", 1000, 1, "s.go", ""),
        )
    };
    let core_s = |seen: &Segment| {
        let cores = seen.cores[0].as_ref().map(|cores| (cores.busy / 1e9, cores.paused / 1e9));
        cores.unwrap_or_default()
    };
    let seen = run(&text(""));
    close(mean_ms(&seen, 0), 3_000.0);
    assert_eq!(core_s(&seen), (1.0, 2.0));
    let seen = run(&text(
        "  b: {service: s, at: 2500ms, do: [{pause: 1s, times: 1 + tank.size}]}\nresources:\n  tank: {volume: 2}\n",
    ));
    close(mean_ms(&seen, 0), 5_000.0);
    assert_eq!(core_s(&seen), (1.0, 4.0));
}

/// Every kind of scheduling stands still, and goes on where it was: two needs of 1 s that come at 1 s on one core, and
/// a pause of 2 s at 1.5 s. Shared they end at 5 s, one after the other at 4 s and 5 s.
#[test]
fn every_scheduling_stands_still() {
    for (scheduling, mean) in [
        ("sharing", 4_000.0),
        ("run_to_completion", 3_500.0),
        ("srpt", 3_500.0),
        ("sjf", 3_500.0),
        ("lifo_preemptive", 3_500.0),
        ("foreground_background", 4_000.0),
    ] {
        let seen = run(&format!(
            "traffic:\n{}services:\n  s: {{cores: 1, scheduling: {scheduling}, endpoints: {{go: [{{cpu: 1s}}]}}}}\njobs:\n  a: {{service: s, at: \
             1500ms, do: [{{pause: 2s}}]}}\n",
            once("a", 1000, 2, "s.go", ""),
        ));
        let measured = mean_ms(&seen, 0);
        assert!((measured - mean).abs() < 1e-3, "{scheduling}: {measured}");
    }
}

/// A pause that its caller gives up on after 100 ms is over then; one that a crash ends is over too, and its replica
/// computes when it is back.
#[test]
fn a_pause_ends_with_whoever_made_it() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{cores: 1, endpoints: {{stop: [{{pause: 10s}}], go: [{{cpu: 1s}}]}}}}\n",
        once("a", 1000, 1, "s.stop", ", policy: {timeout: 100ms, cancel: true}"),
        once("b", 2000, 1, "s.go", ""),
    ));
    close(mean_ms(&seen, 1), 1_000.0);
    let seen = run(&format!(
        "traffic:\n{}services:\n  s: {{cores: 1, endpoints: {{go: [{{cpu: 500ms}}]}}}}\njobs:\n  stop: {{service: s, at: 1s, do: [{{pause: 10s}}]}}\n\
         events:\n  - {{at: 1500ms, crash: s, restart: 8s}}\n",
        once("a", 9600, 1, "s.go", ""),
    ));
    close(mean_ms(&seen, 0), 500.0);
    let cores = seen.cores[0].as_ref().map_or(0.0, |cores| cores.paused / 1e9);
    // Half a second, and another run 1 s after the replica is back at 9.5 s: from 10.5 s to the end.
    close(cores, 0.5 + 9.5);
    let outcome = |outcome: Outcome| seen.jobs[0].outcomes[usize::from(outcome.0)];
    assert_eq!((outcome(Outcome::OK), outcome(Outcome::CANCELLED)), (0, 1));
}

/// A job takes no worker: with the only one busy it runs all the same.
#[test]
fn a_job_that_starts_by_itself_takes_no_worker() {
    let seen = run(&format!(
        "traffic:\n{}services:\n  s: {{workers: 1, queue: 0, endpoints: {{go: [{{delay: 10s}}]}}}}\njobs:\n  beat: {{service: s, every: 1s, do: \
         [{{delay: 1ms}}]}}\n",
        once("a", 1000, 1, "s.go", ""),
    ));
    assert_eq!(runs(&seen, 0), 19);
}

/// The clock of a replica that is down stands still: runs at 1 s and 2 s, a crash at 2.5 s, back at 6 s, then from 7 s
/// to 19 s. The one of the service goes on at the other replica.
#[test]
fn clocks_of_replicas_stop_with_them() {
    let seen = system(
        "jobs:\n  each: {service: s, every: 1s, do: [{delay: 1ms}]}\n  one: {service: s, every: 1s, per: service, do: [{delay: 1ms}]}\n\
         events:\n  - {at: 2500ms, crash: s, restart: 3500ms}\n",
    );
    assert_eq!((runs(&seen, 0), runs(&seen, 1)), (19 + 2 + 13, 19));
}

/// Three messages are handed out at 1 s, counted as dealt with; the first is worked off at 2 s, and at 2.5 s the
/// replica crashes with the other two.
#[test]
fn what_counted_when_it_was_handed_out_is_lost_with_its_replica() {
    let seen = run(&format!(
        "traffic:\n{}services:\n  s: {{endpoints: {{go: [{{send: line}}]}}}}\n  t: {{endpoints: {{go: [{{delay: 0s}}]}}}}\nqueues:\n  line: \
         {{consumers: {{job: work, batch: 3, ack: before}}}}\njobs:\n  work: {{service: t, do: [{{delay: 1s}}]}}\nevents:\n  - {{at: 2500ms, \
         crash: t, restart: 1s}}\n",
        once("a", 1000, 3, "s.go", ""),
    ));
    let group = &seen.queues[0].groups[0];
    assert_eq!((group.received, group.done, group.lost, group.kept), (3, 1, 2, 0));
}

/// Random clocks go by the job's name and the replica's number alone: another job beside it changes nothing.
#[test]
fn another_job_changes_no_clock() {
    let job = "jobs:\n  b: {service: s, every: {exp: 500ms}, do: [{delay: {exp: 20ms}}]}\n";
    let alone = system(job);
    let beside =
        system(&format!("{job}  a: {{service: s, every: {{exp: 100ms}}, do: [{{delay: {{exp: 20ms}}}}]}}\n"));
    assert!(runs(&alone, 0) > 40, "{}", runs(&alone, 0));
    assert_eq!(alone.jobs[0], beside.jobs[1]);
}

/// From 10 s on every 1 s instead of every 4 s: 4 s, 8 s, then 11 s to 19 s. A condition that becomes another one is
/// looked at at once: one run.
#[test]
fn events_change_clocks_and_conditions() {
    let seen = system(
        "resources:\n  tank: {volume: 10, level: 5}\njobs:\n  clock: {service: s, every: 4s, per: service, do: [{delay: 1ms}]}\n  \
         fill: {service: s, when: tank.level < 3, per: service, do: [{give: tank, units: all}]}\nevents:\n  - {at: 10s, set: {jobs.clock.every: \
         1s}}\n  - {at: 5s, set: {jobs.fill.when: tank.level < 6}}\n",
    );
    assert_eq!((runs(&seen, 0), runs(&seen, 1)), (2 + 9, 1));
}

/// Below 5 at 1 s and again at 7 s, not in between: it crashes twice, or from 4 s on once.
#[test]
fn an_event_happens_each_time_that_its_condition_begins_to_hold() {
    for (at, crashes) in [("", 2), ("at: 4s, ", 1), ("at: 8s, ", 1)] {
        let seen = run(&format!(
            "traffic:\n{}{}{}{}services:\n  s: {{endpoints: {{one: [{{take: tank}}], all: [{{give: tank, units: all}}]}}}}\n  t: {{endpoints: {{go: \
             [{{delay: 0s}}]}}}}\nresources:\n  tank: {{volume: 10}}\nevents:\n  - {{{at}when: tank.level < 5, crash: t}}\n",
            once("a", 1000, 6, "s.one", ""),
            once("b", 2000, 1, "s.one", ""),
            once("c", 3000, 1, "s.all", ""),
            once("d", 7000, 6, "s.one", ""),
        ));
        let life = seen.services[1].life.as_ref().map_or(0, |life| life.crashes);
        assert_eq!(life, crashes, "{at}");
    }
}

/// At 1 s the level falls, and for 2 s everything takes ten times as long: a request of 1 s at 2 s has got 0.1 s at
/// 3 s, and is done at 3.9 s.
#[test]
fn an_event_on_a_condition_lasts_as_long_as_told() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{cores: 1, endpoints: {{one: [{{take: tank}}], go: [{{cpu: 1s}}]}}}}\nresources:\n  tank: {{volume: \
         10}}\nevents:\n  - {{when: tank.used > 0, for: 2s, set: {{services.s.speed: 0.1}}}}\n",
        once("a", 1000, 1, "s.one", ""),
        once("b", 2000, 1, "s.go", ""),
    ));
    close(mean_ms(&seen, 1), 1_900.0);
}

//! Messages and those who take them, by sequences computed by hand.

use models::observe::ConsumersObservation;
use scenarios::experiment::{Options, Plan, Silent, run};
use scenarios::{Scenario, Source};
use sim_core::CancelFlag;

/// A message at each full second of a run of 20 s, for a job that takes 600 ms.
fn consumers(queue: &str, more: &str) -> ConsumersObservation {
    let text = format!(
        "duration: 20s\nwarmup: 0s\ntraffic: {{users: {{rate: 1/s, arrivals: even, to: web.post}}}}\nservices:\n  \
         web: {{endpoints: {{post: [{{send: line}}]}}}}\n  worker: {{endpoints: {{look: [{{delay: 1ms}}]}}}}\n\
         jobs: {{work: {{service: worker, do: [{{delay: 600ms}}]}}}}\nqueues: {{line: {{{queue}}}}}\n{more}"
    );
    crate::once::segment(&text, 1).queues[0].groups[0].clone()
}

const CRASH: &str = "events: [{at: 5.3s, crash: worker}]\n";

/// The message of 5 s is at work when its worker crashes. It has been acknowledged: nobody gets it again.
#[test]
fn what_was_acknowledged_before_is_lost_in_a_crash() {
    for partitions in ["", "partitions: 1, "] {
        let queue = format!("{partitions}consumers: {{job: work, members: 1, ack: before}}");
        let seen = consumers(&queue, CRASH);
        assert_eq!((seen.lost, seen.deliveries - seen.done, seen.kept), (1, 1, 0), "{partitions}");
    }
}

/// It has not been acknowledged: after 2 s of not being seen it is handed out again, one attempt later.
#[test]
fn what_was_hidden_in_a_crash_comes_back() {
    let seen = consumers("visibility: 2s, consumers: {job: work, members: 1}", CRASH);
    assert_eq!((seen.lost, seen.dead, seen.kept), (0, 0, 0));
    assert_eq!((seen.deliveries, seen.worked, seen.duplicates), (seen.received + 1, seen.received, 0));
    assert_eq!(seen.oldest, 2_600_000_000, "2 s hidden, then its work");
    let seen = consumers("visibility: 2s, attempts: 1, consumers: {job: work, members: 1}", CRASH);
    assert_eq!((seen.dead, seen.deliveries), (1, seen.received), "its only attempt is over");
}

/// A partition is polled again from where it was committed, as soon as the worker is back.
#[test]
fn a_partition_goes_on_where_it_was_committed() {
    let seen = consumers("partitions: 1, consumers: {job: work, members: 1, rebalance: {eager: 0s}}", CRASH);
    assert_eq!((seen.lost, seen.kept), (0, 0));
    assert_eq!((seen.deliveries, seen.worked, seen.duplicates), (seen.received + 1, seen.received, 0));
    assert_eq!(seen.oldest, 900_000_000, "300 ms until the crash, and then all of its work");
}

/// Deployed twice while the message of 5 s is at work: the member of the first deployment is gone before the old one,
/// so that the third follows the first.
#[test]
fn a_static_member_is_followed_by_whoever_is_there_when_it_goes() {
    let events = "events: [{at: 5.1s, deploy: worker}, {at: 5.3s, deploy: worker}]\n";
    let seen =
        consumers("partitions: 1, consumers: {job: work, members: 1, rebalance: {static: 10s}}", events);
    assert_eq!((seen.kept, seen.deliveries, seen.rebalances), (0, seen.received, 0));
    assert_eq!(seen.oldest, 600_000_000, "nothing ever waited");
}

/// The message of 5 s takes 1.5 s, 0.5 s too long, and its worker is deployed meanwhile: nobody is left to take over
/// from, so that the new member has to ask for its share.
#[test]
fn who_follows_one_that_was_taken_for_dead_joins_anew() {
    let events =
        "events: [{at: 4.9s, for: 0.5s, set: {jobs.work.do.0.delay: 1.5s}}, {at: 5.1s, deploy: worker}]\n";
    let queue =
        "partitions: 1, consumers: {job: work, members: 1, batch: 1, poll: 0.5s, rebalance: {static: 0.5s}}";
    let seen = consumers(queue, events);
    assert_eq!((seen.expulsions, seen.kept, seen.duplicates), (1, 0, 1));
}

/// Messages that replications have left are counted where each of them ended, not in the segment that the last one has
/// reached.
#[test]
fn replications_that_are_cut_short_in_different_segments_lose_no_message() {
    let windows: Vec<String> = (20..80).map(|end| format!("'users.ok[0s..{end}s] >= 0%'")).collect();
    let text = format!(
        "duration: 200s\nwarmup: 0s\nreplications: 4\nlimits: {{events: 4000}}\n\
         traffic: {{users: {{rate: 20/s, to: web.post}}}}\n\
         services:\n  web: {{endpoints: {{post: [{{send: line}}]}}}}\n  worker: {{endpoints: {{look: [{{delay: 1ms}}]}}}}\n\
         queues: {{line: {{latency: 2s, consumers: {{job: work}}}}}}\njobs: {{work: {{service: worker, do: [{{delay: 60ms}}]}}}}\n\
         expect: [{}]\n",
        windows.join(", ")
    );
    let source = Source::from_text("cut.yaml", text, "").unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let plan = Plan::of(&scenario);
    let found = run(&plan, Options::default(), &Silent, &CancelFlag::new());
    let report = found.unwrap_or_else(|broken| panic!("{broken}")).report;
    assert!(report.laws.hold);
    assert!(report.cut_short.len() > 1, "they end at different times: {:?}", report.cut_short);
}

//! Connections: opened before they are used, kept, closed, and taken out of what there is of them.

#![expect(clippy::unwrap_used, reason = "a test may")]

use models::blueprint::Outcome;
use models::observe::{ConnectionObservation, Segment};

fn measured(text: &str) -> Segment {
    crate::once::segment(text, 1)
}

/// One request a second, each of which holds a connection for 1 ms.
fn each_second(connections: &str) -> Segment {
    measured(&format!(
        "duration: 100s\nwarmup: 0s\ntraffic: {{users: {{rate: 1/s, arrivals: even, to: web.page}}}}\nservices:\n  web:\n    \
         endpoints: {{page: [{{hold: conns, do: [{{delay: 1ms}}]}}]}}\n    \
         resources: {{conns: {{slots: 3, connect: 40ms, {connections}}}}}\n"
    ))
}

fn connections(seen: &Segment) -> &ConnectionObservation {
    seen.pools[0].connections.as_ref().unwrap()
}

#[test]
fn the_first_use_opens_and_the_others_find_it_open() {
    let seen = each_second("idle: 10s");
    assert_eq!((connections(&seen).opened, connections(&seen).closed), (1, 0));
    let latency = &seen.traffics[0].latency;
    assert_eq!((latency.max(), latency.min()), (Some(41_000_000), Some(1_000_000)));
    assert_eq!(latency.sum(), 41_000_000 + (u128::from(latency.count()) - 1) * 1_000_000);
}

#[test]
fn what_is_idle_for_too_long_is_closed() {
    let seen = each_second("idle: 500ms");
    let requests = seen.traffics[0].latency.count();
    assert_eq!(seen.traffics[0].latency.min(), Some(41_000_000), "each of them opens one");
    assert_eq!((connections(&seen).opened, connections(&seen).closed), (requests, requests));
    assert_eq!(connections(&seen).open.max, 1);
    // Each is open for its use and 500 ms more.
    let open = connections(&seen).open.integral;
    assert_eq!(open, u128::from(requests) * 501_000_000);
}

#[test]
fn what_is_too_old_is_closed_when_it_is_idle() {
    // Opened at 1.04 s, it dies at 11.04 s; the next is opened for the request after that: at 12 s, 23 s, ... 89 s.
    let seen = each_second("max_life: 10s");
    assert_eq!((connections(&seen).opened, connections(&seen).closed), (9, 9));
}

#[test]
fn what_is_opened_ahead_costs_nobody_any_time() {
    let seen = each_second("idle: 500ms, eager: true");
    assert_eq!(seen.traffics[0].latency.max(), Some(1_000_000));
    assert_eq!((connections(&seen).opened, connections(&seen).closed), (3, 0));
    let seen = each_second("max_life: 10s, eager: true");
    assert_eq!(seen.traffics[0].latency.max(), Some(1_000_000), "they are replaced when they are closed");
    // Three at 0.04 s, and then every 10.04 s.
    assert_eq!((connections(&seen).opened, connections(&seen).closed), (30, 27));
}

/// Requests have to be answered within 10 ms; what opens connections for nobody takes its 30 ms all the same.
#[test]
fn deadlines_are_of_requests_and_not_of_what_opens_connections() {
    let seen = measured(
        "duration: 20s\nwarmup: 0s\ntraffic: {users: {rate: 10/s, arrivals: even, to: web.get, policy: soon}}\n\
         services:\n  web:\n    resources: {own: {slots: 4, connect: 30ms, eager: true}}\n    \
         endpoints: {get: [{hold: own, do: [{delay: 5ms}]}]}\n\
         policies: {soon: {timeout: 10ms, deadline: true, cancel: true}}\n",
    );
    assert_eq!(connections(&seen).open.n_end, 4);
    let outcomes = &seen.traffics[0].outcomes;
    assert_eq!(outcomes[usize::from(Outcome::OK.0)], outcomes.iter().sum::<u64>());
}

/// Twelve replicas with ten connections each ask for 120 of 97: the first nine get theirs, the tenth seven, and
/// whoever comes to the last two waits in vain.
fn crowded(more: &str) -> Segment {
    measured(&format!(
        "duration: 120s\nwarmup: 60s\ntraffic: {{users: {{rate: 120/s, to: web.page, arrivals: even}}}}\nservices:\n  web:\n    \
         replicas: 12\n    endpoints: {{page: [{{hold: conns, do: [{{call: db.query}}]}}]}}\n    resources:\n      \
         conns: {{slots: 10, timeout: 1s, connect: 40ms, eager: true, from: db.sessions}}\n  db:\n    \
         endpoints: {{query: [{{delay: 5ms}}]}}\n    resources: {{sessions: {{slots: 97, queue: 0, per: cluster}}}}\n{more}"
    ))
}

#[test]
fn connections_cannot_outnumber_what_they_come_out_of() {
    let seen = crowded("");
    let [sessions, conns] = &seen.pools[..] else { panic!("{} pools", seen.pools.len()) };
    let open = conns.connections.as_ref().unwrap();
    assert_eq!((open.open.n_end, open.open.max), (97, 97));
    assert_eq!(sessions.in_use.n_end, 97);
    // 23 are missing, each of which is tried for every 5 s.
    assert_eq!(open.refused, 23 * 60 / 5);
    let outcomes = &seen.traffics[0].outcomes;
    let (ok, timed_out) = (outcomes[usize::from(Outcome::OK.0)], outcomes[usize::from(Outcome::TIMED_OUT.0)]);
    assert_eq!((ok, timed_out), (6000, 1200), "ten of the twelve replicas can work");
}

#[test]
fn replicas_that_go_give_their_connections_back() {
    let seen = crowded("events: [{at: 30s, set: {services.web.replicas: 9}}]\n");
    let open = seen.pools[1].connections.as_ref().unwrap();
    assert_eq!((open.open.n_start, open.open.max, open.refused), (90, 90, 0));
    assert_eq!(seen.pools[0].in_use.n_end, 90);
    assert_eq!(seen.traffics[0].outcomes[usize::from(Outcome::OK.0)], 7200);
    // Those that come back open theirs again.
    let seen = crowded("events: [{at: 20s, for: 20s, set: {services.web.replicas: 3}}]\n");
    assert_eq!(seen.pools[1].connections.as_ref().unwrap().open.n_start, 97);
}

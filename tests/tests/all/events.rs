//! What holds while several events are in force, by sums computed by hand.

use models::observe::TrafficObservation;

/// A request every 100 ms for 15 s, which takes 10 ms of a core.
fn users(events: &str) -> TrafficObservation {
    let text = format!(
        "duration: 15s\nwarmup: 0s\ntraffic: {{users: {{rate: 10/s, arrivals: even, to: web.get}}}}\nservices:\n  \
         web: {{cores: 1, endpoints: {{get: [{{cpu: 10ms}}]}}}}\nevents:\n{events}"
    );
    crate::once::segment(&text, 1).traffics[0].clone()
}

/// Response times of all requests together, in ms, but for the nanoseconds by which bursts end late.
fn total_ms(seen: &TrafficObservation) -> u64 {
    let count: u64 = seen.outcomes.iter().sum();
    (seen.latency.mean().unwrap_or(0.0) * count as f64 / 1e6).round() as u64
}

/// 5 s at 10/s, 5 s at 20/s, and 5 s at 10/s again.
#[test]
fn an_event_may_set_a_value_back() {
    let seen = users(
        "- {at: 5.05s, set: {traffic.users.rate: 20/s}}\n- {at: 10.05s, set: {traffic.users.rate: 10/s}}\n",
    );
    assert!((199..=201).contains(&seen.offered), "{}", seen.offered);
}

/// At half the speed from 5 s on, with one replica and then with two.
#[test]
fn an_event_leaves_what_another_has_set_of_the_same_part() {
    let seen = users(
        "- {at: 5.05s, set: {services.web.speed: 0.5}}\n- {at: 10.05s, set: {services.web.replicas: 2}}\n",
    );
    assert_eq!(total_ms(&seen), 50 * 10 + 99 * 20);
}

/// A quarter of the speed within the time of half the speed, and half the speed again when that is over.
#[test]
fn what_has_held_before_holds_again_when_an_event_is_over() {
    let seen = users(
        "- {at: 2.05s, for: 10s, set: {services.web.speed: 0.5}}\n\
         - {at: 4.05s, for: 2s, set: {services.web.speed: 0.25}}\n",
    );
    assert_eq!(total_ms(&seen), 49 * 10 + 80 * 20 + 20 * 40);
}

/// Half the speed for a second out of four, while the number of replicas changes once.
#[test]
fn what_recurs_does_not_set_back_what_has_been_set_for_good() {
    let seen = users(
        "- {at: 2.05s, every: 4s, for: 1s, set: {services.web.speed: 0.5}}\n\
         - {at: 4.05s, set: {services.web.cores: 0.5}}\n",
    );
    // Half a core is half the pace as well: 10 ms until 2 s, 20 ms for a second, 10 ms until 4 s, then 20 ms, and 40 ms
    // for the seconds from 6, 10 and 14 s on.
    assert_eq!(total_ms(&seen), 30 * 10 + 10 * 20 + 80 * 20 + 29 * 40);
}

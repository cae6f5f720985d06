//! Caches by sequences computed by hand: who finds, who fetches, who waits, and what becomes of them.

use std::fmt::Write as _;

use models::blueprint::{Outcome, PoolId};
use models::observe::{CacheObservation, Ended, Observations};
use sim_core::Histogram;

/// Runs one replication of a minute in which requests for one page arrive at these milliseconds.
fn run(at_ms: &[u64], rest: &str) -> Observations {
    let mut text = String::from("duration: 60s\ntraffic:\n");
    for (number, at) in at_ms.iter().enumerate() {
        // Even arrivals at 1/s: the first comes a second after the rate begins, and there is no second one.
        let begins = at - 1_000;
        let before = if begins > 0 { "0s: 0/s, " } else { "" };
        let _ = writeln!(
            text,
            "  r{number:02}: {{rate: {{steps: {{{before}{begins}ms: 1/s, {}ms: 0/s}}}}, arrivals: even, to: web.get, \
             attributes: {{key: {{weights: {{home: 100%}}}}, user: {{weights: {{me: 100%}}}}}}}}",
            at + 500
        );
    }
    text.push_str(rest);
    let seen = crate::once::observations(&text, 1);
    assert_eq!(seen.ended, Ended::Complete);
    seen
}

/// A page that takes 100 ms.
fn page(settings: &str) -> String {
    format!(
        "services: {{web: {{endpoints: {{get: [{{get: pages}}]}}}}}}\ncaches: {{pages: {{{settings}, miss: [{{delay: \
         100ms}}]}}}}\n"
    )
}

/// Milliseconds that each request took; none for one that was not answered.
fn latencies(seen: &Observations) -> Vec<Option<u64>> {
    let all: &[models::observe::Segment] = &seen.segments;
    let ms = |latency: &Histogram| latency.mean().map(|nanos| (nanos / 1e6).round() as u64);
    all[0].traffics.iter().map(|traffic| ms(&traffic.latency)).collect()
}

fn outcomes(seen: &Observations, outcome: Outcome) -> u64 {
    seen.balances.iter().map(|balance| balance.of(outcome)).sum()
}

fn cache(seen: &Observations) -> &CacheObservation {
    &seen.segments[0].caches[0]
}

#[test]
fn an_entry_is_found_until_its_time_is_up() {
    // Stored at 1.1 s for 10 s: found at 2 s and 11 s, not at 11.2 s.
    let seen = run(&[1_000, 2_000, 11_000, 11_200], &page("ttl: 10s"));
    assert_eq!(latencies(&seen), [Some(100), Some(0), Some(0), Some(100)]);
    assert_eq!((cache(&seen).hits, cache(&seen).misses), (2, 2));
    // Fresh for 10 s, and from 11.3 s on for 10 s again.
    assert_eq!(cache(&seen).fresh_ns, 20_000_000_000);
}

#[test]
fn a_use_can_let_the_time_begin_anew() {
    let seen = run(&[1_000, 9_000, 18_000, 29_000], &page("ttl: 10s, expire: after_access"));
    assert_eq!(latencies(&seen), [Some(100), Some(0), Some(0), Some(100)]);
}

#[test]
fn everybody_fetches_unless_one_does_for_all() {
    let times = [1_000, 1_040, 1_080];
    let alone = run(&times, &page("ttl: 10s"));
    assert_eq!(latencies(&alone), [Some(100), Some(100), Some(100)]);
    let herd = cache(&alone);
    assert_eq!((herd.fetching.enters, herd.herds, herd.herd_sum, herd.herd_max), (3, 1, 3, 3));
    let together = run(&times, &page("ttl: 10s, coalesce: cluster"));
    assert_eq!(latencies(&together), [Some(100), Some(60), Some(20)]);
    let herd = cache(&together);
    assert_eq!((herd.fetching.enters, herd.herd_max, herd.coalesced), (1, 1, 2));
    // 60 ms and 20 ms.
    assert_eq!(herd.waiting.time_sum, 80_000_000);
}

#[test]
fn those_who_wait_fail_with_the_one_they_wait_for() {
    let failing = "services: {web: {endpoints: {get: [{get: pages}]}}}\ncaches: {pages: {coalesce: cluster, miss: \
                   [{delay: 100ms}, {fail: broken}]}}\n";
    let seen = run(&[1_000, 1_040, 1_200], failing);
    assert_eq!(latencies(&seen), [None, None, None]);
    let found = cache(&seen);
    assert_eq!((found.fetching.enters, found.fetch_failures, found.failed), (2, 2, 1));
    assert_eq!(outcomes(&seen, Outcome::failed(0)), 3);
}

#[test]
fn a_failure_is_remembered_where_that_is_wanted() {
    let failing = "services: {web: {endpoints: {get: [{get: pages}]}}}\ncaches: {pages: {negative: 1s, miss: [{delay: \
                   100ms}, {fail: broken}]}}\n";
    // Known from 1.1 s to 2.1 s.
    let seen = run(&[1_000, 1_500, 2_000, 2_200], failing);
    let found = cache(&seen);
    assert_eq!((found.fetching.enters, found.negative_hits), (2, 2));
    assert_eq!(outcomes(&seen, Outcome::failed(0)), 4);
}

/// The first caller gives up after 50 ms and stops what it has called; the next one fetches from then on.
#[test]
fn the_next_in_line_takes_over_a_fetch_that_is_stopped() {
    let rest = "services:
  web:
    endpoints:
      get: [{choose: [{when: turn.level > 0, do: [{take: turn}, {call: page.get, policy: {timeout: 50ms, cancel: true}}]}, {else: [{call: page.get}]}]}]
  page: {endpoints: {get: [{get: pages}]}}
resources: {turn: {volume: 1}}
caches: {pages: {coalesce: cluster, miss: [{delay: 100ms}]}}
";
    let seen = run(&[1_000, 1_020, 1_040], rest);
    // From 1.05 s on the second one fetches: until 1.15 s.
    assert_eq!(latencies(&seen), [None, Some(130), Some(110)]);
    let found = cache(&seen);
    assert_eq!((found.fetching.enters, found.fetch_failures, found.coalesced), (2, 1, 1));
    assert_eq!(outcomes(&seen, Outcome::TIMED_OUT), 1);
}

#[test]
fn what_has_expired_is_used_while_one_fetches_it_for_nobody() {
    // Stored at 1.1 s for 1 s. At 2.5 s and 2.55 s it is old; one fetches, until 2.6 s.
    let seen = run(&[1_000, 2_500, 2_550, 2_700], &page("ttl: 1s, stale_while: 5s"));
    assert_eq!(latencies(&seen), [Some(100), Some(0), Some(0), Some(0)]);
    let found = cache(&seen);
    assert_eq!((found.stale_hits, found.refreshes, found.hits, found.misses), (2, 1, 1, 1));
    assert_eq!(outcomes(&seen, Outcome::OK), 4, "nobody has written in the meantime");
    // Too old to be used.
    let seen = run(&[1_000, 7_200], &page("ttl: 1s, stale_while: 5s"));
    assert_eq!(latencies(&seen), [Some(100), Some(100)]);
}

#[test]
fn events_empty_a_cache_or_let_it_expire() {
    let flush = page("ttl: 30s, stale_while: 5s") + "events: [{at: 5s, flush: pages}]\n";
    assert_eq!(latencies(&run(&[1_000, 6_000], &flush)), [Some(100), Some(100)]);
    let expire = page("ttl: 30s, stale_while: 5s") + "events: [{at: 5s, expire: pages}]\n";
    let seen = run(&[1_000, 6_000, 7_000], &expire);
    assert_eq!(latencies(&seen), [Some(100), Some(0), Some(0)]);
    assert_eq!((cache(&seen).stale_hits, cache(&seen).hits), (1, 1));
}

#[test]
fn a_read_is_stale_until_the_write_has_arrived() {
    let rest = "services:
  web: {endpoints: {get: [{choose: [{when: turn.level > 0, do: [{take: turn}, {put: copy}]}, {else: [{get: copy}]}]}]}}
  db: {endpoints: {read: [{delay: 7ms}]}}
resources: {turn: {volume: 1}}
caches: {copy: {follows: db, lag: 2s, hit: [{delay: 3ms}]}}
";
    let seen = run(&[1_000, 2_900, 3_100], rest);
    assert_eq!(latencies(&seen), [Some(0), Some(3), Some(3)]);
    assert_eq!((outcomes(&seen, Outcome::STALE), outcomes(&seen, Outcome::OK)), (1, 2));
    // Whoever has written reads from the primary, for a second.
    let pinned =
        rest.replace("hit: [{delay: 3ms}]", "hit: [{delay: 3ms}], miss: [{call: db.read}], pin_writer: 1s");
    let seen = run(&[1_000, 1_900, 2_100], &pinned);
    assert_eq!(latencies(&seen), [Some(0), Some(7), Some(3)]);
    assert_eq!(outcomes(&seen, Outcome::STALE), 1);
}

/// What was poor when it was fetched stays poor: a stale read that is cached is stale for all who find it.
#[test]
fn a_cached_answer_is_as_good_as_it_was() {
    let rest = "services:
  web: {endpoints: {get: [{choose: [{when: turn.level > 0, do: [{take: turn}, {put: copy}]}, {else: [{get: pages}]}]}]}}
  db: {endpoints: {read: [{delay: 7ms}]}}
resources: {turn: {volume: 1}}
caches:
  copy: {follows: db, lag: 2s}
  pages: {ttl: 10s, miss: [{get: copy}]}
";
    let seen = run(&[1_000, 2_900, 5_000, 20_000], rest);
    assert_eq!(outcomes(&seen, Outcome::STALE), 2);
}

/// By `XFetch`: with a fetch of 100 ms and beta 1, an entry of 10 s is fetched about once in its time, whatever the
/// rate, and hardly anybody ever finds that it has expired.
#[test]
fn entries_are_fetched_about_once_ahead_of_their_time() {
    let text = |early: &str| {
        format!(
            "duration: 1010s
warmup: 10s
traffic: {{users: {{rate: 500/s, to: web.get, attributes: {{key: {{uniform: 1}}}}}}}}
services: {{web: {{endpoints: {{get: [{{get: pages}}]}}}}}}
caches: {{pages: {{ttl: 10s, coalesce: cluster{early}, miss: [{{delay: 100ms}}]}}}}
"
        )
    };
    let fetches = |text: String| crate::once::segment(&text, 1).caches[0].clone();
    // Without, each cycle is 10 s, 100 ms and a gap of 2 ms, and 50 requests wait.
    let late = fetches(text(""));
    assert!(late.fetching.enters.abs_diff(99) <= 1, "{}", late.fetching.enters);
    assert!(late.coalesced > 4_500, "{}", late.coalesced);
    // With, a request whose draw u has -ln u above x / 100 ms comes 500 times a second when x is left: the first of
    // them is early by 100 ms * (ln(500 * 0.1) + 0.58) = 450 ms on average. A cycle is 10 s - 450 ms + 100 ms.
    let early = fetches(text(", early: 1"));
    assert!(early.fetching.enters.abs_diff(103) <= 3, "{}", early.fetching.enters);
    assert!(early.early + 3 >= early.fetching.enters, "{early:?}");
    // Whoever finds it expired is rare: an early fetch takes 100 ms, and begins later than that with 1 - exp(-50 / e).
    assert!(early.coalesced < 20, "{}", early.coalesced);
}

/// Of two workers one fetches, and the other waits for what it fetches: nobody is left to render it. With a third all
/// go on.
#[test]
fn who_waits_for_a_fetch_that_waits_for_the_same_workers_waits_for_ever() {
    let deadlock = |workers: u32, coalesce: &str| {
        let rest = format!(
            "services: {{web: {{workers: {workers}, endpoints: {{get: [{{get: pages}}], render: [{{delay: 1ms}}]}}}}}}\n\
             caches: {{pages: {{coalesce: {coalesce}, miss: [{{call: web.render, latency: 50ms}}]}}}}\n"
        );
        run(&[1_000, 1_010], &rest).deadlock
    };
    let links = deadlock(2, "cluster").map(|found| found.links).unwrap_or_default();
    let found: Vec<_> =
        links.iter().map(|link| (link.pool, link.units, link.in_use, link.waits_for)).collect();
    assert_eq!(found, [(PoolId(0), 2, 2, PoolId(0))]);
    assert_eq!(deadlock(3, "cluster"), None);
    // Both wait for a worker that the other has.
    assert!(deadlock(2, "none").is_some());
}

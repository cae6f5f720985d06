//! Rates, volumes, batches and slots of values, by sequences computed by hand.

#![expect(clippy::unwrap_used, reason = "a test may")]

use models::blueprint::Outcome;
use models::observe::Segment;

/// The only segment of a run without a warm-up.
pub(crate) fn run(text: &str) -> Segment {
    crate::once::segment(&format!("duration: 20s\nwarmup: 0s\n{text}"), 1)
}

/// A traffic of `n` requests that arrive together at `at` ms.
pub(crate) fn once(name: &str, at: u32, n: u32, to: &str, more: &str) -> String {
    let from = at.saturating_sub(1000);
    let end = at + 500;
    let start = if from == 0 { String::new() } else { format!("0s: 0/s, {from}ms: 1/s, ") };
    let start = if start.is_empty() { "0s: 1/s, ".to_owned() } else { start };
    format!(
        "  {name}: {{rate: {{steps: {{{start}{end}ms: 0/s}}}}, arrivals: even, batch: {n}, to: {to}{more}}}\n"
    )
}

pub(crate) fn mean_ms(segment: &Segment, traffic: usize) -> f64 {
    segment.traffics[traffic].latency.mean().unwrap() / 1e6
}

pub(crate) fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-3, "{a} is not {b}");
}

/// Of three that come at once, two fill a batch: 1 s + 2 * 100 ms. The third has waited longer than the delay when the
/// slot is free, and takes 1.1 s. One that comes alone waits for 100 ms and takes 1.1 s.
#[test]
fn batches_start_when_they_are_full_or_old_enough() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{endpoints: {{go: [{{hold: gpu}}]}}}}\nresources:\n  gpu: {{slots: 1, batch: \
         {{max: 2, delay: 100ms, time: {{base: 1s, each: 100ms}}}}}}\n",
        once("a", 1000, 3, "s.go", ""),
        once("b", 10_000, 1, "s.go", ""),
    ));
    close(mean_ms(&seen, 0), (1_200.0 + 1_200.0 + 2_300.0) / 3.0);
    close(mean_ms(&seen, 1), 1_200.0);
    let pool = &seen.pools[0];
    assert_eq!((pool.acquired, pool.batches), (4, 3));
    close(pool.in_use.integral as f64 / 1e6, 1_200.0 + 1_100.0 + 1_100.0);
}

/// 100 rows, and ten more with each request: what is scanned takes 1 ms a row, of one core; an index 1 ms times the
/// logarithm. Half of what is left goes at the end.
#[test]
fn steps_take_as_long_as_levels_say() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{cores: 1, endpoints: {{scan: [{{cpu: 1ms, times: rows.used}}, {{take: rows, units: 10}}], \
         index: [{{delay: 1ms, times: log2(rows.used + 8)}}, {{take: rows, units: 0.5 * rows.level}}]}}}}\nresources:\n  rows: \
         {{volume: 1000, level: 900}}\n",
        once("a", 1000, 1, "s.scan", ""),
        once("b", 2000, 1, "s.index", ""),
    ));
    close(mean_ms(&seen, 0), 100.0);
    close(mean_ms(&seen, 1), f64::log2(118.0));
    close(seen.volumes[0].end, 445.0);
}

/// Each tenant has a quota of its own, and figures of its own: three of a's five are turned away, none of b's two.
#[test]
fn tenants_with_names_are_counted_apart() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{endpoints: {{go: [{{take: quota}}, {{delay: 10ms}}]}}}}\nresources:\n  quota: \
         {{rate: 1/h, burst: 2, per: tenant}}\n",
        once("x", 1000, 5, "s.go", ", attributes: {tenant: {weights: {a: 100%}}}"),
        once("y", 2000, 2, "s.go", ", attributes: {tenant: {weights: {b: 100%}}}"),
    ));
    let of = |traffic: usize, tenant: usize, outcome: Outcome| {
        seen.traffics[traffic].tenants[tenant].outcomes[usize::from(outcome.0)]
    };
    assert_eq!((of(0, 0, Outcome::OK), of(0, 0, Outcome::REJECTED), of(0, 1, Outcome::OK)), (2, 3, 0));
    assert_eq!((of(1, 1, Outcome::OK), of(1, 1, Outcome::REJECTED), of(1, 0, Outcome::OK)), (2, 0, 0));
}

/// Two are never enough for a batch of three; the fifth second brings the third.
#[test]
fn batches_wait_for_their_least_size() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{endpoints: {{go: [{{hold: gpu}}]}}}}\nresources:\n  gpu: {{slots: 1, batch: \
         {{max: 4, min: 3, time: 1s}}}}\n",
        once("a", 1000, 2, "s.go", ""),
        once("b", 5000, 1, "s.go", ""),
    ));
    close(mean_ms(&seen, 0), 5_000.0);
    close(mean_ms(&seen, 1), 1_000.0);
}

/// Two tokens are there, the third comes after 500 ms, the fourth after 1 s; the fifth finds the queue full.
#[test]
fn a_token_bucket_lets_those_in_line_go_one_by_one() {
    let seen = run(&format!(
        "traffic:\n{}services:\n  s: {{endpoints: {{go: [{{take: quota}}]}}}}\nresources:\n  quota: {{rate: 2/s, burst: 2, \
         queue: 2}}\n",
        once("a", 3000, 5, "s.go", ""),
    ));
    close(mean_ms(&seen, 0), (0.0 + 0.0 + 500.0 + 1_000.0) / 4.0);
    assert_eq!(seen.traffics[0].outcomes[usize::from(Outcome::REJECTED.0)], 1);
    let quota = &seen.rates[0];
    assert_eq!((quota.asked, quota.acquired, quota.rejected), (5, 4, 1));
    close(quota.units, 4.0);
    close(quota.allowed, 40.0);
}

/// One of the two tenants uses up its own bucket; the other does not notice.
#[test]
fn every_tenant_has_a_bucket_of_its_own() {
    let tenant = |name: &str| format!(", attributes: {{tenant: {{weights: {{{name}: 100%}}}}}}");
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{endpoints: {{go: [{{take: quota}}]}}}}\nresources:\n  quota: {{rate: 1/s, burst: 2, \
         per: tenant}}\n",
        once("a", 1000, 5, "s.go", &tenant("whale")),
        once("b", 1000, 2, "s.go", &tenant("minnow")),
    ));
    let ok = |traffic: usize| seen.traffics[traffic].outcomes[0];
    assert_eq!((ok(0), ok(1)), (2, 2));
}

/// Two of two go at once; the third waits until somebody gives, and the fourth for ever.
#[test]
fn an_empty_volume_blocks_until_somebody_gives() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{endpoints: {{go: [{{take: stock}}], back: [{{give: stock}}]}}}}\nresources:\n  \
         stock: {{volume: 2, on_full: block, timeout: 10s}}\n",
        once("a", 1000, 4, "s.go", ""),
        once("b", 4000, 1, "s.back", ""),
    ));
    close(mean_ms(&seen, 0), (0.0 + 0.0 + 3_000.0) / 3.0);
    assert_eq!(seen.traffics[0].outcomes[usize::from(Outcome::TIMED_OUT.0)], 1);
    let stock = &seen.volumes[0];
    assert_eq!((stock.acquired, stock.timed_out), (3, 1));
    close(stock.taken - stock.given, 2.0);
    close(stock.emptied_at_sum, 1.0);
    // 2 for one second, then none.
    close(stock.level_sum, 2.0);
}

/// Whoever looks first and takes later sells the last item three times.
#[test]
fn check_then_act_oversells() {
    let seen = run(&format!(
        "traffic:\n{}services:\n  s: {{endpoints: {{go: [{{choose: [{{when: stock.level > 0, do: [{{delay: 10ms}}, {{take: \
         stock, guard: none}}]}}, {{else: [{{fail: sold_out}}]}}]}}]}}}}\nresources: {{stock: {{volume: 5, level: 1}}}}\n",
        once("a", 1000, 3, "s.go", ""),
    ));
    let stock = &seen.volumes[0];
    close(stock.taken, 3.0);
    close(stock.oversold, 2.0);
    close(stock.end, -2.0);
}

/// Two requests for one row follow each other, a third for another row does not wait.
#[test]
fn every_key_has_a_lock_of_its_own() {
    let key = |name: &str| format!(", attributes: {{key: {{weights: {{{name}: 100%}}}}}}");
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s: {{endpoints: {{go: [{{hold: row, do: [{{delay: 1s}}]}}]}}}}\nresources:\n  row: {{slots: \
         1, per: key}}\n",
        once("a", 1000, 2, "s.go", &key("x")),
        once("b", 1000, 1, "s.go", &key("y")),
    ));
    close(mean_ms(&seen, 0), 1_500.0);
    close(mean_ms(&seen, 1), 1_000.0);
    assert_eq!((seen.pools[0].in_use.max, seen.pools[0].waiting.max), (2, 1));
}

/// It had a second for the first lock and got it; the second lock it may wait for as long as it takes.
#[test]
fn the_patience_for_one_resource_ends_when_it_is_got() {
    let seen = run(&format!(
        "traffic:\n{}{}services:\n  s:\n    endpoints:\n      block: [{{all: [[{{hold: a, do: [{{delay: 600ms}}]}}], [{{hold: b, \
         do: [{{delay: 3s}}]}}]]}}]\n      both: [{{hold: a, do: [{{delay: 0s}}]}}, {{hold: b, do: [{{delay: \
         0s}}]}}]\nresources:\n  a: {{slots: 1, timeout: 1s}}\n  b: {{slots: 1}}\n",
        once("a", 1000, 1, "s.block", ""),
        once("b", 1100, 1, "s.both", ""),
    ));
    close(mean_ms(&seen, 1), 2_900.0);
    assert_eq!(seen.pools[1].timed_out, 0);
}

/// Each event makes 100,000 frames or requests of some 144 bytes: a million events later it would be too late to look.
#[test]
fn what_one_event_makes_does_not_outgrow_the_limit_of_memory() {
    let text = |traffic: &str, step: &str| {
        format!(
            "duration: 1000s\nwarmup: 0s\nreplications: 1\nlimits: {{memory: 50MiB}}\n\
             traffic: {{users: {{rate: 1/s, {traffic}to: web.get}}}}\n\
             services: {{web: {{endpoints: {{get: [{step}]}}}}}}\n"
        )
    };
    let crowd = text("", "{all: [{delay: 1000s}], each: 100000}");
    let batch = text("batch: 100000, ", "{delay: 1000s}");
    for text in [crowd, batch] {
        let seen = crate::once::observations(&text, 1);
        assert_eq!(seen.ended, models::observe::Ended::MemoryLimit);
        assert!((100_000..500_000).contains(&seen.peak_frames), "{}", seen.peak_frames);
        assert!(seen.balances[0].holds(), "{:?}", seen.balances);
    }
}

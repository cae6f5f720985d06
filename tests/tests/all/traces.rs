//! Single requests, span by span: against a sequence computed by hand, and by what must hold of any of them.

use std::collections::{BTreeMap, BTreeSet};

use models::blueprint::Blueprint;
use models::spans::{Recorded, RequestTrace, What};
use models::{Replication, record, replicate};
use rayon::ThreadPoolBuilder;
use scenarios::experiment::{Options, Plan, Silent, trace};
use scenarios::results::{Attribute, TracedSpan, Traces, chrome, otlp};
use scenarios::{Scenario, Source};
use serde_json::Value;
use sim_core::CancelFlag;

use crate::determinism::{compile, guarded_shop, shop};
use crate::flows::once;

fn traced(text: &str) -> Traces {
    let source = Source::from_text("test", text.to_owned(), "").unwrap_or_else(|wrong| panic!("{wrong}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let plan = Plan::new(scenario.compile(), 1);
    trace(&plan, Options::default(), 100, &Silent, &CancelFlag::new())
}

/// Two requests come at once and need the same unit for 30 ms. The second has it after 30 ms and is given up after 50;
/// its work runs on to 65 ms. After a back-off of 10 ms it is tried again, finds the unit free, and takes 35 ms.
const ONE_RETRY: &str = "\
services: {web: {endpoints: {get: [{hold: seat, do: [{delay: 30ms}]}, {delay: 5ms}]}}}
resources: {seat: {slots: 1}}
policies: {patient: {timeout: 50ms, retry: {attempts: 2, backoff: {base: 10ms, jitter: none}}}}
";

fn one_retry() -> Traces {
    let traffic = once("users", 1000, 2, "web.get", ", policy: patient");
    traced(&format!("duration: 3s\nwarmup: 0s\ntraffic:\n{traffic}{ONE_RETRY}"))
}

/// Depths, names and times in ms since the request's start, in the order of these.
fn outline(spans: &[TracedSpan]) -> Vec<(usize, &str, u64, u64)> {
    let mut depths: BTreeMap<u64, usize> = BTreeMap::new();
    let mut rows: Vec<(usize, &str, u64, u64)> = Vec::new();
    for span in spans {
        let depth = span.parent.map_or(0, |parent| depths[&parent] + 1);
        depths.insert(span.id, depth);
        let ms = |nanos: u64| (nanos - spans[0].from) / 1_000_000;
        rows.push((depth, span.name.as_str(), ms(span.from), ms(span.to)));
    }
    rows.sort_by_key(|&(depth, name, from, to)| (from, depth, name, to));
    rows
}

fn has(span: &TracedSpan, attribute: &str) -> bool {
    span.attributes.iter().any(|(name, _)| name == attribute)
}

fn path_ms(span: &TracedSpan) -> Vec<(&str, u64)> {
    let mut parts = Vec::new();
    for (name, value) in &span.attributes {
        if let (Some(place), Attribute::Whole(nanos)) = (name.strip_prefix("critical_path."), value) {
            parts.push((place, nanos / 1_000_000));
        }
    }
    parts
}

#[test]
fn a_retry_and_a_wait_for_a_pool_are_the_spans_worked_out_by_hand() {
    let mut requests = one_retry().requests;
    requests.sort_by_key(|request| request.spans[0].to);
    let [quick, slow] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    assert_eq!(
        outline(&quick.spans),
        [
            (0, "users", 0, 35),
            (1, "call web.get", 0, 35),
            (2, "attempt 1", 0, 35),
            (3, "web.get", 0, 35),
            (4, "hold seat", 0, 30),
            (4, "work", 0, 30),
            (4, "work", 30, 35),
        ]
    );
    assert_eq!(path_ms(&quick.spans[0]), [("web.service", 35)]);
    assert_eq!(
        outline(&slow.spans),
        [
            (0, "users", 0, 95),
            (1, "call web.get", 0, 95),
            (2, "attempt 1", 0, 50),
            (3, "web.get", 0, 65),
            (4, "wait for seat", 0, 30),
            (4, "hold seat", 30, 60),
            (4, "work", 30, 60),
            (2, "back-off", 50, 60),
            (2, "attempt 2", 60, 95),
            (3, "web.get", 60, 95),
            (4, "hold seat", 60, 90),
            (4, "work", 60, 65),
            (4, "work", 60, 90),
            (4, "work", 90, 95),
        ]
    );
    assert_eq!(path_ms(&slow.spans[0]), [("users.retries", 60), ("web.service", 35)]);
    let outcomes: Vec<&str> = slow.spans.iter().filter_map(|span| span.outcome.as_deref()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "timed_out").count(), 1);
    // Only the work of the attempt that was given up runs on after whoever wanted it.
    let abandoned: Vec<&TracedSpan> = slow.spans.iter().filter(|span| has(span, "abandoned")).collect();
    assert_eq!(outline_of(&abandoned, slow.spans[0].from), [("web.get", 0, 65)]);
}

fn outline_of<'a>(spans: &[&'a TracedSpan], start: u64) -> Vec<(&'a str, u64, u64)> {
    let ms = |nanos: u64| (nanos - start) / 1_000_000;
    spans.iter().map(|span| (span.name.as_str(), ms(span.from), ms(span.to))).collect()
}

/// What each of the shops' requests was made of, on the first replication.
fn recorded(plan: &Blueprint) -> Vec<RequestTrace> {
    let replication = Replication { seed: 3, index: 0, breakdown: false };
    record(plan, &replication, 400, &CancelFlag::new()).1.traces
}

#[test]
fn to_follow_requests_changes_nothing() {
    for scenario in [shop(), guarded_shop()] {
        let plan = compile(&scenario);
        let replication = Replication { seed: 3, index: 0, breakdown: false };
        let usual = replicate(&plan, &replication, &CancelFlag::new());
        let (followed, recorded) = record(&plan, &replication, 400, &CancelFlag::new());
        assert!(recorded.traces.len() > 100, "{} traces", recorded.traces.len());
        assert_eq!(recorded.missed, 0);
        assert_eq!(usual.fingerprint, followed.fingerprint);
        assert_eq!(usual.segments, followed.segments);
    }
}

/// A leaf without a policy, so that requests that are not followed go the short way.
#[test]
fn requests_that_would_go_the_short_way_fare_the_same() {
    let scenario = serde_json::json!({
        "duration": "60s", "warmup": "5s",
        "traffic": {"users": {"rate": "80/s", "to": "web.get"}},
        "services": {"web": {"workers": 1, "endpoints": {"get": [{"delay": {"exp": "10ms"}}]}}},
    });
    let plan = compile(&scenario);
    let replication = Replication { seed: 1, index: 0, breakdown: false };
    let usual = replicate(&plan, &replication, &CancelFlag::new());
    let (followed, Recorded { traces, .. }) = record(&plan, &replication, 20, &CancelFlag::new());
    assert_eq!(usual.segments, followed.segments);
    // The slowest are the slowest: half of those that were asked for, the largest latency among them.
    let slow: Vec<&RequestTrace> = traces.iter().filter(|trace| trace.is_slow).collect();
    assert_eq!(slow.len(), 10);
    let measured = usual.segments.iter().filter_map(|segment| segment.traffics[0].latency.max()).skip(1);
    assert_eq!(slow.iter().map(|trace| trace.nanos()).max(), measured.max());
    let quickest = slow.iter().map(|trace| trace.nanos()).min().unwrap();
    assert!(traces.iter().filter(|trace| !trace.is_slow).all(|trace| trace.nanos() <= quickest));
    assert_eq!(traces.iter().filter(|trace| trace.is_sampled).count(), 10);
}

/// Nothing ends, and each request is one frame: all are followed that find less than 2^16 there.
#[test]
fn what_comes_to_a_backlog_is_not_followed_and_counted() {
    let scenario = serde_json::json!({
        "duration": "60s", "warmup": "0s",
        "traffic": {"users": {"rate": "1200/s", "to": "web.get"}},
        "services": {"web": {"endpoints": {"get": [{"delay": "2min"}]}}},
    });
    let replication = Replication { seed: 1, index: 0, breakdown: false };
    let (followed, recorded) = record(&compile(&scenario), &replication, 20, &CancelFlag::new());
    let offered = followed.balances[0].offered;
    assert!(offered > 70_000, "{offered} have come");
    assert_eq!(recorded, Recorded { traces: Vec::new(), missed: offered - (1 << 16) });
}

#[test]
fn spans_nest_and_the_critical_path_sums_to_the_latency() {
    let (mut answered, mut ran_on) = (0, 0);
    for scenario in [shop(), guarded_shop()] {
        for trace in recorded(&compile(&scenario)) {
            let root = &trace.spans[0];
            if root.outcome.is_answer() {
                let path: u64 = trace.path.iter().map(|(_, nanos)| nanos).sum();
                assert_eq!(path, trace.nanos(), "the critical path of {:x}", trace.key);
                answered += 1;
            }
            for (position, span) in trace.spans.iter().enumerate().skip(1) {
                let parent = &trace.spans[span.parent as usize];
                assert!((span.parent as usize) < position, "a parent comes first");
                assert!(parent.from <= span.from && span.from <= span.to, "{span:?} in {parent:?}");
                // Whoever took part in the path of an answered call is not longer than what waited for it.
                let waits =
                    matches!(span.what, What::BackOff | What::Limit | What::Attempt { .. } | What::Hold(..));
                assert!(!waits || span.to <= parent.to, "{span:?} in {parent:?}");
                ran_on += usize::from(span.to > parent.to);
            }
        }
    }
    assert!(answered > 200 && ran_on > 0, "{answered} answered, {ran_on} ran on");
}

/// Every place at which a request was, on its critical path or not, is one that a span names.
#[test]
fn the_critical_path_has_a_span_for_each_of_its_places() {
    for trace in recorded(&compile(&shop())) {
        let places: BTreeSet<u32> = trace
            .spans
            .iter()
            .filter_map(|span| match span.what {
                What::At(place) => Some(place),
                _ => None,
            })
            .collect();
        let retried =
            trace.spans.iter().any(|span| matches!(span.what, What::BackOff | What::Attempt { .. }));
        let missing = trace.path.iter().filter(|(place, _)| !places.contains(place)).count();
        assert!(missing == 0 || retried && missing <= 2, "{:?}", trace.path);
    }
}

#[test]
fn traces_are_the_same_bytes_on_any_number_of_threads() {
    let plan = Plan::new(compile(&shop()), 3);
    let on = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let traces = pool.install(|| trace(&plan, Options::default(), 50, &Silent, &CancelFlag::new()));
        (chrome(&traces).unwrap(), otlp(&traces).unwrap())
    };
    assert_eq!(on(1), on(4));
}

fn is_hex(value: &Value, digits: usize) -> bool {
    let text = value.as_str().unwrap_or_default();
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.len() == digits && text.chars().all(is_digit) && text.chars().any(|c| c != '0')
}

#[test]
fn the_otlp_file_has_what_the_protocol_demands() {
    let traces = one_retry();
    let file: Value = serde_json::from_str(&otlp(&traces).unwrap()).unwrap();
    let resources = file["resourceSpans"].as_array().unwrap();
    let name = |resource: &Value| resource["resource"]["attributes"][0]["value"]["stringValue"].clone();
    assert_eq!(resources.iter().map(name).collect::<Vec<_>>(), ["users", "web"]);
    let spans: Vec<&Value> = resources
        .iter()
        .flat_map(|resource| resource["scopeSpans"][0]["spans"].as_array().unwrap())
        .collect();
    assert_eq!(spans.len(), traces.requests.iter().map(|request| request.spans.len()).sum::<usize>());
    let ids: BTreeSet<(&str, &str)> = spans
        .iter()
        .map(|span| (span["traceId"].as_str().unwrap(), span["spanId"].as_str().unwrap()))
        .collect();
    assert_eq!(ids.len(), spans.len(), "ids are not shared");
    for span in spans {
        assert!(is_hex(&span["traceId"], 32) && is_hex(&span["spanId"], 16), "{span}");
        if let Some(parent) = span.get("parentSpanId") {
            assert!(ids.contains(&(span["traceId"].as_str().unwrap(), parent.as_str().unwrap())), "{span}");
        }
        let nanos = |key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
        assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"), "{span}");
        assert!((1..=3).contains(&span["kind"].as_u64().unwrap()), "{span}");
        assert!((0..=2).contains(&span["status"]["code"].as_u64().unwrap()), "{span}");
    }
}

/// In one thread of the viewer a span is inside of another or beside it, never across its end.
#[test]
fn chrome_events_nest_in_their_threads() {
    let plan = Plan::new(compile(&guarded_shop()), 3);
    let traces = trace(&plan, Options::default(), 100, &Silent, &CancelFlag::new());
    let file: Value = serde_json::from_str(&chrome(&traces).unwrap()).unwrap();
    let mut threads: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    let mut spans = 0;
    for event in file["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X") {
        let nanos = |key: &str| (event[key].as_f64().unwrap() * 1000.0).round() as u64;
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        threads.entry(thread).or_default().push((nanos("ts"), nanos("ts") + nanos("dur")));
        spans += 1;
    }
    assert_eq!(spans, traces.requests.iter().map(|request| request.spans.len()).sum::<usize>());
    assert!(threads.keys().any(|(_, thread)| *thread > 0), "something runs beside something else");
    for events in threads.values_mut() {
        events.sort_by_key(|&(from, to)| (from, std::cmp::Reverse(to)));
        let mut open: Vec<u64> = Vec::new();
        for &mut (from, to) in events {
            while open.last().is_some_and(|end| *end <= from) {
                open.pop();
            }
            assert!(open.last().is_none_or(|end| to <= *end), "{from}..{to} across {open:?}");
            open.push(to);
        }
    }
}

/// Traffics and classes share what is kept: none is drowned by another that is slower.
#[test]
fn every_traffic_and_class_is_among_the_traces() {
    let plan = compile(&shop());
    let traces = recorded(&plan);
    let kinds: BTreeSet<(u32, u16)> = traces.iter().map(|trace| (trace.traffic.0, trace.class)).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

/// Nobody is answered within 5 ms: what failed is kept like anything else, with how it failed.
#[test]
fn requests_that_fail_are_followed_too() {
    let traffic = once("users", 1000, 3, "web.get", ", policy: hasty");
    let traces = traced(&format!(
        "duration: 3s\nwarmup: 0s\ntraffic:\n{traffic}services: {{web: {{endpoints: {{get: [{{delay: 8ms}}]}}}}}}\n\
         policies: {{hasty: {{timeout: 5ms, cancel: true}}}}\n"
    ));
    assert_eq!(traces.requests.len(), 3);
    for request in &traces.requests {
        let root = &request.spans[0];
        assert_eq!((root.to - root.from, root.failed), (5_000_000, true));
        assert_eq!((root.outcome.as_deref(), path_ms(root)), (Some("timed_out"), vec![]));
        // What was stopped shows what it was doing.
        let cancelled = outline(&request.spans);
        assert_eq!(cancelled.last(), Some(&(4, "work", 0, 5)), "{cancelled:?}");
    }
}

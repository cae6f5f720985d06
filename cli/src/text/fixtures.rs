//! Results made up by hand.

use std::collections::BTreeMap;

use scenarios::results::{
    Answer, Applies, Assumption, Bottleneck, BreakerResult, Capacity, CheckedPoint, CompareReport,
    Difference, E, EndpointResult, Growth, Head, Knee, Latency, Laws, LittlesLaw, Met, PolicyResult, RareOf,
    RareReport, RareResult, Report, ResourceResult, Safe, SaturatesAt, ServiceResult, SolveAim, SolveReport,
    SweepPoint, SweepReport, TheoryLine, TimeAt, TrafficResult, TriedPoint, Verdict, Window,
};

/// An estimate of `value` with an interval that reaches by `share` of it to both sides.
#[expect(clippy::unnecessary_wraps, reason = "results have optional estimates")]
fn e(value: f64, share: f64) -> Option<E> {
    Some(E { value, lo: Some(value * (1.0 - share)), hi: Some(value * (1.0 + share)) })
}

fn latency(mean: f64, share: f64) -> Latency {
    Latency {
        mean: e(mean, share),
        p50: e(0.7 * mean, share),
        p90: e(2.0 * mean, share),
        p95: e(2.5 * mean, 2.0 * share),
        p99: e(4.3 * mean, 4.0 * share),
        p999: e(7.1 * mean, 16.0 * share),
        max: Some(9.4 * mean),
        count: 2_160_000,
        thin: Vec::new(),
    }
}

fn resource(kind: &str, capacity: f64, busy: f64, wait: f64) -> ResourceResult {
    ResourceResult {
        kind: kind.to_owned(),
        capacity: e(capacity, 0.0),
        utilization: e(busy, 0.004),
        in_use: e(busy * capacity, 0.004),
        queue_length: e(400.0 * wait, 0.08),
        queue_max: Some(if wait > 0.0 { 214 } else { 0 }),
        wait_probability: e(busy * busy, 0.01),
        wait: latency(wait, 0.05),
        hold: latency(0.01, 0.01),
        rate: e(400.0, 0.001),
        acquired: 2_160_000,
        rejected: 0,
        timed_out: if busy > 0.8 { 37 } else { 0 },
        connections: None,
        dropped: 0,
        abandoned: 0,
        limit: None,
        throttled: None,
        throttled_periods: None,
        paused: None,
        batch_size: None,
        limiter: None,
        volume: None,
    }
}

fn service(replicas: f64, endpoint: &str, mean: f64, resources: &[(&str, ResourceResult)]) -> ServiceResult {
    let result =
        EndpointResult { throughput: e(400.1, 0.001), failures: e(0.0, 0.0), latency: latency(mean, 0.01) };
    ServiceResult {
        replicas: e(replicas, 0.0),
        in_flight: e(400.0 * mean, 0.01),
        busiest: None,
        life: None,
        replica_hours: None,
        cost: None,
        endpoints: BTreeMap::from([(endpoint.to_owned(), result)]),
        resources: resources.iter().map(|(name, resource)| ((*name).to_owned(), resource.clone())).collect(),
    }
}

fn policy() -> PolicyResult {
    PolicyResult {
        calls: e(400.1, 0.001),
        attempts_per_call: e(1.07, 0.01),
        timeouts: e(12.0, 0.05),
        expired: None,
        retries: e(8.2, 0.05),
        retries_refused: e(3.1, 0.1),
        hedges: e(20.0, 0.02),
        hedges_won: e(14.0, 0.02),
        breaker: Some(BreakerResult {
            trips: e(2.4, 0.3),
            closed: e(0.96, 0.01),
            open: e(0.035, 0.1),
            half_open: e(0.005, 0.2),
            rejected: e(13.9, 0.2),
        }),
        limit_rejected: None,
        fallbacks: e(15.0, 0.1),
        callers: BTreeMap::new(),
    }
}

fn traffic() -> TrafficResult {
    let at =
        |place: &str, kind: &str, seconds: f64| TimeAt { place: place.into(), kind: kind.into(), seconds };
    TrafficResult {
        offered: e(400.12, 0.001),
        throughput: e(400.05, 0.001),
        requests: 2_400_613,
        outcomes: BTreeMap::from([
            ("ok".to_owned(), 2_400_190),
            ("timed_out".to_owned(), 398),
            ("in_flight".to_owned(), 25),
        ]),
        ok: e(0.999_83, 0.000_02),
        errors: e(0.000_17, 0.1),
        shares: BTreeMap::new(),
        attempts_per_request: e(1.002, 0.000_4),
        in_flight: e(24.8, 0.01),
        latency: Latency { thin: vec!["p99.9".into()], ..latency(0.061_97, 0.002) },
        intended: None,
        classes: BTreeMap::new(),
        tenants: BTreeMap::new(),
        time_at: BTreeMap::from([
            ("p50".to_owned(), vec![at("db", "service", 0.021), at("web", "queueing", 0.012)]),
            (
                "p99".to_owned(),
                vec![
                    at("db_connections", "pools", 0.19),
                    at("db", "service", 0.05),
                    at("web", "queueing", 0.02),
                ],
            ),
            ("p99.9".to_owned(), vec![at("db_connections", "pools", 0.39), at("db", "service", 0.06)]),
        ]),
    }
}

fn law(at: &str, gap: f64) -> LittlesLaw {
    LittlesLaw {
        at: at.into(),
        l: 24.8,
        lambda: 400.05,
        w: Some(0.061_97),
        residual: 3.1e-13,
        gap: Some(gap),
    }
}

fn theory(at: &str, metric: &str, value: f64, simulated: f64, applies: Applies) -> TheoryLine {
    TheoryLine {
        at: at.into(),
        model: "M/M/c".into(),
        metric: metric.into(),
        value: Some(value),
        simulated: e(simulated, 0.004),
        applies,
        why: "Poisson arrivals, exponential times, one queue".into(),
    }
}

/// A steady run of the shop.
pub(crate) fn shop() -> Report {
    let web =
        [("workers", resource("slots", 256.0, 0.34, 0.0)), ("cores", resource("cores", 8.0, 0.61, 0.0009))];
    let db = [("cores", resource("cores", 8.0, 0.25, 0.000_02))];
    let mut services = BTreeMap::from([
        ("web".to_owned(), service(4.0, "checkout", 0.058, &web)),
        ("db".to_owned(), service(1.0, "insert", 0.005, &db)),
    ]);
    for n in 0..20 {
        let name = format!("recommendation-backend-for-region-{n:02}");
        services.insert(name, service(2.0, "get", 0.004, &[("cores", resource("cores", 2.0, 0.2, 0.0001))]));
    }
    Report {
        head: Head {
            schema: "hockeystick.result/1".into(),
            scenario: "checkout".into(),
            about: Some("Can the shop take the Friday peak?".into()),
            variant: None,
            version: "0.1.0".into(),
            seed: 1,
        },
        replications: 10,
        complete: true,
        cut_short: Vec::new(),
        method: "independent replications, Student t".into(),
        window: Window { from: 60.0, to: 600.0 },
        events: 31_234_567,
        fingerprint: "5f3a09c1".into(),
        traffic: BTreeMap::from([("shoppers".to_owned(), traffic())]),
        services,
        routes: BTreeMap::new(),
        resources: BTreeMap::from([("db_connections".to_owned(), resource("slots", 40.0, 0.83, 0.03))]),
        caches: BTreeMap::new(),
        queues: BTreeMap::new(),
        autoscalers: BTreeMap::new(),
        jobs: BTreeMap::new(),
        policies: BTreeMap::from([("sql".to_owned(), policy())]),
        laws: Laws {
            littles_law: vec![law("traffic.shoppers", 0.0004), law("web.workers queue", -0.012)],
            hold: true,
            ..Laws::default()
        },
        theory: vec![
            theory("db", "response mean", 0.005_01, 0.005_02, Applies::Exactly),
            theory("db", "response p99", 0.023_1, 0.023_5, Applies::Exactly),
            theory("web", "wait mean", 0.000_95, 0.000_9, Applies::Approximately),
            theory("web", "utilization", 0.61, 0.6103, Applies::Exactly),
            TheoryLine {
                value: None,
                simulated: None,
                applies: Applies::No,
                why: "connections are held across calls".into(),
                ..theory("db_connections", "wait mean", 0.0, 0.0, Applies::No)
            },
        ],
        bottleneck: Some(Bottleneck {
            at: "db_connections".into(),
            predicted: 0.83,
            utilization: e(0.831, 0.004),
            saturates_at: Some(SaturatesAt { path: "traffic.shoppers.rate".into(), value: 482.0 }),
            text: "`db_connections` is the bottleneck: at least 83 % busy at 400/s, saturates at 482/s".into(),
        }),
        growth: Vec::new(),
        deadlock: None,
        unsteady: Vec::new(),
        expect: vec![
            verdict("shoppers.p99 < 250ms", Met::NotMet, 0.266, None),
            verdict("shoppers.errors < 0.1%", Met::Met, 0.000_17, None),
            verdict("shoppers.mean < 62ms", Met::Undecided, 0.061_97, Some("the interval straddles the bound")),
        ],
        notes: vec![
            "p99.9 of `shoppers` rest on fewer than 10 samples beyond them (9,612 requests)".into(),
            "a pareto distribution with mean 0.005 s has no variance: means settle slowly and their intervals are \
             too narrow"
                .into(),
        ],
        series: None,
        distributions: BTreeMap::new(),
        baseline: None,
        uncertainty: None,
    }
}

fn verdict(text: &str, verdict: Met, observed: f64, why: Option<&str>) -> Verdict {
    Verdict { text: text.into(), verdict, observed: e(observed, 0.004), why: why.map(str::to_owned) }
}

/// The shop when more comes than it can take.
pub(crate) fn overloaded() -> Report {
    let growth = Growth {
        at: "web.workers queue".into(),
        per_second: e(18.2, 0.05).unwrap(),
        text: "`web.workers queue` grows by 18.2 a second and never stops: `db_connections` is 100 % busy and gets \
               more than it can do"
            .into(),
    };
    let mut report = shop();
    report.theory.clear();
    report.services.retain(|name, _| !name.starts_with("recommendation"));
    let mut unsteady: Vec<String> = report.traffic.keys().map(|name| format!("traffic.{name}")).collect();
    for (service, result) in &report.services {
        unsteady.push(format!("services.{service}"));
        unsteady.extend(result.endpoints.keys().map(|name| format!("services.{service}.endpoints.{name}")));
        unsteady.extend(result.resources.keys().map(|name| format!("services.{service}.resources.{name}")));
    }
    unsteady.extend(report.resources.keys().map(|name| format!("resources.{name}")));
    unsteady.sort();
    Report {
        growth: vec![growth],
        unsteady,
        complete: false,
        cut_short: vec!["interrupted".into()],
        ..report
    }
}

/// The shop run once.
pub(crate) fn single() -> Report {
    let text = serde_json::to_string(&Report { replications: 1, ..shop() }).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    forget_intervals(&mut value);
    let mut report: Report = serde_json::from_value(value).unwrap();
    report.services.retain(|name, _| !name.starts_with("recommendation"));
    report.theory.clear();
    report.notes.clear();
    report.expect.clear();
    report.bottleneck = None;
    report
}

fn forget_intervals(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            for key in ["lo", "hi"] {
                if map.contains_key(key) {
                    map.insert(key.into(), serde_json::Value::Null);
                }
            }
            map.values_mut().for_each(forget_intervals);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_intervals),
        _ => {}
    }
}

/// A sweep of the shop over its rate.
pub(crate) fn hockeystick() -> SweepReport {
    let point = |rate: f64| {
        let mut result = if rate > 480.0 { overloaded() } else { shop() };
        result.complete = true;
        result.cut_short.clear();
        let busy = (rate / 482.0).min(1.0);
        result.services.retain(|name, _| !name.starts_with("recommendation"));
        if let Some(traffic) = result.traffic.get_mut("shoppers") {
            traffic.offered = e(rate, 0.001);
            traffic.throughput = e(rate.min(482.0), 0.001);
            traffic.latency = latency(0.01 / (1.001 - busy), 0.01);
        }
        if let Some(pool) = result.resources.get_mut("db_connections") {
            pool.utilization = e(busy, 0.001);
        }
        SweepPoint { at: BTreeMap::from([("traffic.shoppers.rate".to_owned(), rate)]), result, outcome: None }
    };
    SweepReport {
        schema: "hockeystick.sweep/1".into(),
        scenario: "checkout".into(),
        about: None,
        version: "0.1.0".into(),
        paths: vec!["traffic.shoppers.rate".into()],
        units: vec!["/s".into()],
        points: [50.0, 150.0, 250.0, 350.0, 450.0, 550.0].map(point).into(),
        theory: Vec::new(),
        knee: Some(Knee {
            value: 310.0,
            text: "the mean latency of `shoppers` turns up at 310/s: beyond it, latency grows faster than throughput"
                .into(),
        }),
        capacity: Some(Capacity {
            value: 410.0,
            last_met: 350.0,
            first_not_met: Some((450.0, "shoppers.p99 < 250ms".into())),
            text: "every expectation is met up to about 410/s; beyond it `shoppers.p99 < 250ms` fails".into(),
        }),
        safe: Some(Safe {
            from: 246.0,
            to: 287.0,
            text: "60 to 70 % of the capacity: near the limit a small rise of the load costs most".into(),
        }),
        suffices: None,
        outcome: None,
    }
}

/// Two variants of the shop.
pub(crate) fn comparison() -> CompareReport {
    let difference = |metric: &str, base: f64, value: f64, verdict: &str| Difference {
        variant: "fixed".into(),
        metric: metric.into(),
        base: e(base, 0.01).unwrap(),
        value: e(value, 0.01).unwrap(),
        difference: e(value - base, 0.08).unwrap(),
        verdict: verdict.into(),
        variance_ratio: Some(0.1),
    };
    CompareReport {
        schema: "hockeystick.compare/1".into(),
        scenario: "checkout".into(),
        version: "0.1.0".into(),
        base: "broken".into(),
        variants: vec![("broken".into(), overloaded()), ("fixed".into(), shop())],
        differences: vec![
            difference("shoppers.mean", 0.0619, 0.0233, "better"),
            difference("shoppers.p99.9", 0.439, 0.51, "worse"),
            difference("shoppers.throughput", 400.0, 400.1, "no evidence"),
            difference("shoppers.errors", 0.02, 0.001, "better"),
        ],
        expect: vec![verdict("fixed.shoppers.p99 / broken.shoppers.p99 < 0.5", Met::Met, 0.376, None)],
    }
}

/// What is rare in the shop.
pub(crate) fn rare() -> RareReport {
    let event = |text: &str, of: RareOf, value: Option<E>, note: Option<&str>| RareResult {
        text: text.to_owned(),
        of,
        value,
        is_precise: note.is_none(),
        toward: "shoppers.in_flight".to_owned(),
        levels: if value.is_some() { vec![7, 14, 22, 29, 36, 44, 52, 59] } else { Vec::new() },
        copies: if value.is_some() { vec![5; 8] } else { Vec::new() },
        replications: 35,
        seen: 4_210,
        events: 18_401_223,
        plain_events: value.map(|e| 7.4e3 / e.value),
        note: note.map(str::to_owned),
    };
    let e = |value: f64| Some(E { value, lo: Some(value * 0.91), hi: Some(value * 1.09) });
    RareReport {
        head: Head {
            schema: "hockeystick.rare/1".to_owned(),
            scenario: "shop".to_owned(),
            about: Some("How often does a checkout take longer than anybody waits?".to_owned()),
            variant: None,
            version: "0.1.0".to_owned(),
            seed: 1,
        },
        measured: 3_600.0,
        precision: 0.1,
        events: vec![
            event("shoppers.latency > 2s", RareOf::Requests, e(1.04e-7), None),
            event("resources.db_connections.queue_length >= 100", RareOf::Time, e(9.3e-8), None),
            event("web.in_flight reaches 500", RareOf::Runs, e(2.1e-5), None),
            event("shoppers.p99.99", RareOf::Latency, e(0.412), None),
            event(
                "shoppers.latency > 1h",
                RareOf::Requests,
                None,
                Some(
                    "never seen, however high `shoppers.in_flight` is: something else leads there (`toward`)",
                ),
            ),
        ],
        complete: true,
        notes: Vec::new(),
    }
}

/// The cheapest mix of replicas and connections for the shop.
pub(crate) fn solved() -> SolveReport {
    let paths = ["services.web.replicas", "resources.db_connections.slots"];
    let at = |replicas: f64, slots: f64| {
        BTreeMap::from([(paths[0].to_owned(), replicas), (paths[1].to_owned(), slots)])
    };
    let point = |replicas: f64, slots: f64, p99: f64, met: Met| {
        let mut result = if p99 > 10.0 { overloaded() } else { shop() };
        result.replications = if met == Met::Undecided { 50 } else { 10 };
        result.expect = vec![verdict("shoppers.p99 < 250ms", met, p99, None)];
        TriedPoint {
            at: at(replicas, slots),
            value: (5.0 * replicas + slots) / 100.0,
            verdict: met,
            metric: e(p99, 0.03),
            needs: (met == Met::Undecided).then_some(380),
            result,
        }
    };
    let assumption = |path: &str| Assumption {
        path: path.to_owned(),
        held: true,
        text: format!(
            "more of `{path}` is taken never to be worse, and nothing that was tried speaks against it"
        ),
    };
    let check = |replicas: f64, slots: f64, met: Met| CheckedPoint {
        at: at(replicas, slots),
        point: Some(0),
        seed: 2,
        verdict: met,
        replications: 10,
        expect: Vec::new(),
    };
    SolveReport {
        head: Head {
            schema: "hockeystick.solve/1".into(),
            scenario: "checkout".into(),
            about: Some("How many replicas and connections does the peak take?".into()),
            variant: None,
            version: "0.1.0".into(),
            seed: 1,
        },
        aim: SolveAim::Minimize,
        of: "cost".into(),
        unit: "USD/h".into(),
        paths: paths.map(str::to_owned).into(),
        units: vec!["replicas".into(), "slots".into()],
        points: 200,
        metric: "shoppers.p99".into(),
        answer: Some(Answer { at: at(4.0, 20.0), value: 0.4, point: 2 }),
        text: "the cheapest point at which every expectation holds is 0.4 USD/h, at `services.web.replicas` = 4, \
               `resources.db_connections.slots` = 20"
            .into(),
        assumptions: paths.map(assumption).into(),
        tried: vec![
            point(25.0, 20.0, 0.121, Met::Met),
            point(3.0, 20.0, 23.4, Met::NotMet),
            point(4.0, 20.0, 0.183, Met::Met),
            point(4.0, 10.0, 0.251, Met::Undecided),
        ],
        frontier: vec![2, 0],
        checks: vec![check(4.0, 20.0, Met::Met), check(3.0, 20.0, Met::NotMet)],
        complete: true,
        notes: vec![
            "`services.web.replicas` = 4, `resources.db_connections.slots` = 10 is undecided after 50 replications \
             and counts as failing; about 380 would tell"
                .into(),
        ],
        theory: Vec::new(),
    }
}

//! Results made up from closed forms, with a little noise from a fixed sequence.

use std::collections::BTreeMap;

use hockeystick_tests::results;
use scenarios::results::{
    Answer, Applies, AutoscalerResult, Bottleneck, Capacity, CompareReport, Conservation, Difference, E,
    Fate, Growth, Head, Knee, Latency, Laws, LittlesLaw, Met, PointOutcome, QuantilePoint, Report,
    ResourceResult, Safe, SaturatesAt, Series, ServiceResult, SolveAim, SolveReport, Suffices, SweepPoint,
    SweepReport, TheoryCurve, TheoryLine, TimeAt, TrafficResult, TriedPoint, Verdict, Window,
};

/// Steady noise: the same on every run.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From -1 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    #[expect(clippy::unnecessary_wraps, reason = "the fields of results are options")]
    /// An estimate near `value`, with an interval of the relative half width `spread`.
    pub(crate) fn near(&mut self, value: f64, spread: f64) -> Option<E> {
        let value = value * (1.0 + 0.5 * spread * self.next());
        Some(E { value, lo: Some(value * (1.0 - spread)), hi: Some(value * (1.0 + spread)) })
    }
}

/// A multi-server queue with exponential times.
#[derive(Clone, Copy)]
pub(crate) struct Mmc {
    pub(crate) servers: u32,
    pub(crate) mu: f64,
}

impl Mmc {
    pub(crate) fn saturation(self) -> f64 {
        f64::from(self.servers) * self.mu
    }

    fn wait_probability(self, lambda: f64) -> f64 {
        let offered = lambda / self.mu;
        let blocked = (1..=self.servers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
        let rho = lambda / self.saturation();
        blocked / (1.0 - rho * (1.0 - blocked))
    }

    pub(crate) fn mean(self, lambda: f64) -> f64 {
        self.wait_probability(lambda) / (self.saturation() - lambda) + 1.0 / self.mu
    }

    pub(crate) fn quantile(self, lambda: f64, q: f64) -> f64 {
        let (c, mu, theta) = (self.wait_probability(lambda), self.mu, self.saturation() - lambda);
        let survival = |t: f64| {
            let gap = theta - mu;
            let extra = if gap.abs() < 1e-9 { mu * t } else { mu * (1.0 - (-gap * t).exp()) / gap };
            (-mu * t).exp() * (1.0 + c * extra)
        };
        let (mut low, mut high) = (0.0, 1e6);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if survival(middle) > 1.0 - q { low = middle } else { high = middle }
        }
        low
    }

    pub(crate) fn by_name(self, lambda: f64, name: &str) -> f64 {
        match name {
            "mean" => self.mean(lambda),
            "p50" => self.quantile(lambda, 0.5),
            "p99" => self.quantile(lambda, 0.99),
            _ => self.quantile(lambda, 0.999),
        }
    }
}

pub(crate) fn empty_report() -> Report {
    Report {
        head: Head {
            schema: "hockeystick.result/1".into(),
            scenario: "shop".into(),
            about: Some("A web shop with four database connections, open traffic and no retries.".into()),
            variant: None,
            version: "0.1.0".into(),
            seed: 1,
        },
        replications: 20,
        complete: true,
        cut_short: Vec::new(),
        method: "independent replications, Student t".into(),
        window: Window { from: 60.0, to: 600.0 },
        events: 1_234_567,
        fingerprint: "5f3a".into(),
        traffic: BTreeMap::new(),
        services: BTreeMap::new(),
        routes: BTreeMap::new(),
        resources: BTreeMap::new(),
        caches: BTreeMap::new(),
        policies: BTreeMap::new(),
        queues: BTreeMap::new(),
        autoscalers: BTreeMap::new(),
        jobs: BTreeMap::new(),
        laws: Laws { hold: true, ..Laws::default() },
        theory: Vec::new(),
        bottleneck: None,
        growth: Vec::new(),
        deadlock: None,
        unsteady: Vec::new(),
        expect: Vec::new(),
        notes: Vec::new(),
        series: None,
        distributions: BTreeMap::new(),
        baseline: None,
        uncertainty: None,
    }
}

pub(crate) fn traffic() -> TrafficResult {
    TrafficResult {
        offered: None,
        throughput: None,
        requests: 0,
        outcomes: BTreeMap::new(),
        ok: None,
        errors: None,
        shares: BTreeMap::new(),
        attempts_per_request: None,
        in_flight: None,
        latency: Latency::default(),
        intended: None,
        classes: BTreeMap::new(),
        tenants: BTreeMap::new(),
        time_at: BTreeMap::new(),
    }
}

pub(crate) fn resource(utilization: Option<E>) -> ResourceResult {
    ResourceResult { kind: "slots".into(), utilization, ..ResourceResult::default() }
}

pub(crate) fn service(resources: impl IntoIterator<Item = (&'static str, Option<E>)>) -> ServiceResult {
    ServiceResult {
        replicas: Some(E { value: 2.0, lo: None, hi: None }),
        in_flight: None,
        busiest: None,
        life: None,
        replica_hours: None,
        cost: None,
        endpoints: BTreeMap::new(),
        resources: resources.into_iter().map(|(name, u)| (name.to_owned(), resource(u))).collect(),
    }
}

/// The shop at one load.
pub(crate) fn shop_at(lambda: f64, queue: Mmc, noise: &mut Noise) -> Report {
    let mut report = empty_report();
    let steady = lambda < queue.saturation();
    let rho = (lambda / queue.saturation()).min(1.0);
    let spread = 0.015 + 0.12 * rho.powi(8);
    let lost = if steady { 0.0004 * rho.powi(6) } else { 1.0 - queue.saturation() / lambda };
    let mut shoppers = traffic();
    shoppers.offered = noise.near(lambda, 0.004);
    shoppers.throughput = noise.near(lambda * (1.0 - lost), 0.004);
    shoppers.errors = noise.near(lost, 0.1);
    shoppers.ok = Some(E { value: 1.0 - lost, lo: None, hi: None });
    shoppers.requests = (lambda * 10_800.0) as u64;
    shoppers.outcomes = BTreeMap::from([("ok".into(), shoppers.requests)]);
    let overload = (lambda - queue.saturation()).max(0.0) * 1.4 + 6.0;
    let mut at = |name: &str, factor: f64, wide: f64| {
        let value = if steady { queue.by_name(lambda, name) } else { overload * factor };
        noise.near(value, spread * wide)
    };
    shoppers.latency = Latency {
        mean: at("mean", 1.0, 0.5),
        p50: at("p50", 1.02, 0.5),
        p90: None,
        p95: None,
        p99: at("p99", 1.9, 1.0),
        p999: at("p99.9", 2.0, 2.2),
        max: Some(9.0),
        count: shoppers.requests,
        thin: if lambda < 6.0 { vec!["p99.9".into()] } else { Vec::new() },
    };
    let p99 = shoppers.latency.p99;
    report.traffic.insert("shoppers".into(), shoppers);
    report.services.insert(
        "web".into(),
        service([("workers", noise.near(rho * 0.72, 0.01)), ("cores", noise.near(rho * 0.31, 0.01))]),
    );
    report.services.insert("db".into(), service([("cores", noise.near(rho * 0.55, 0.01))]));
    report.resources.insert("db_connections".into(), resource(noise.near(rho, 0.01)));
    report.resources.insert("gateway".into(), resource(noise.near(rho * 0.1, 0.01)));
    report.bottleneck = Some(Bottleneck {
        at: "db_connections".into(),
        predicted: rho,
        utilization: None,
        saturates_at: Some(SaturatesAt { path: "traffic.shoppers.rate".into(), value: queue.saturation() }),
        text: "db_connections saturates first, at 40 requests per second".into(),
    });
    if !steady {
        report.growth.push(Growth {
            at: "db_connections queue".into(),
            per_second: E { value: lambda - queue.saturation(), lo: None, hi: None },
            text: "the queue of db_connections grows without bound".into(),
        });
        report.unsteady = report.traffic.keys().map(|name| format!("traffic.{name}")).collect();
    }
    let met = p99.is_some_and(|e| e.value < 0.6);
    report.expect = vec![
        Verdict {
            text: "shoppers.p99 < 600ms".into(),
            verdict: if met { Met::Met } else { Met::NotMet },
            observed: p99,
            why: None,
        },
        Verdict { text: "shoppers.errors < 1%".into(), verdict: Met::Met, observed: None, why: None },
    ];
    report
}

/// A sweep of the shop's rate.
pub(crate) fn sweep(loads: &[f64]) -> SweepReport {
    let queue = Mmc { servers: 4, mu: 10.0 };
    let mut noise = Noise::new(7);
    let path = "traffic.shoppers.rate";
    let points = loads.iter().map(|&lambda| SweepPoint {
        at: BTreeMap::from([(path.to_owned(), lambda)]),
        result: shop_at(lambda, queue, &mut noise),
        outcome: None,
    });
    let theory = ["mean", "p50", "p99", "p99.9"].map(|metric| TheoryCurve {
        traffic: "shoppers".into(),
        metric: metric.into(),
        model: "M/M/4".into(),
        curve: (1..400).map(|i| f64::from(i) * 0.1).map(|x| (x, queue.by_name(x, metric))).collect(),
    });
    SweepReport {
        schema: "hockeystick.sweep/1".into(),
        scenario: "shop".into(),
        about: Some("A web shop with four database connections: where does the latency turn up?".into()),
        version: "0.1.0".into(),
        paths: vec![path.into()],
        units: vec!["/s".into()],
        points: points.collect(),
        theory: theory.into(),
        knee: Some(Knee { value: 31.4, text: "p99, by the largest distance from the chord".into() }),
        capacity: Some(Capacity {
            value: 34.7,
            last_met: 34.0,
            first_not_met: Some((36.0, "shoppers.p99 < 600ms".into())),
            text: "capacity is 34.7 requests per second".into(),
        }),
        safe: Some(Safe { from: 20.8, to: 24.3, text: "60 to 70 % of the capacity".into() }),
        suffices: None,
        outcome: None,
    }
}

/// The shop from idle to overload.
pub(crate) fn hockey_stick() -> SweepReport {
    sweep(&[4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 30.0, 32.0, 34.0, 36.0, 38.0, 39.0, 42.0, 46.0])
}

/// Without theory, markers or any figure that is not the points'.
pub(crate) fn bare(mut sweep: SweepReport) -> SweepReport {
    sweep.theory.clear();
    (sweep.knee, sweep.capacity, sweep.safe) = (None, None, None);
    sweep
}

/// Replicas instead of loads.
pub(crate) fn replicas() -> SweepReport {
    let path = "services.web.replicas".to_owned();
    let mut sweep = bare(self::sweep(&[46.0, 38.0, 32.0, 20.0, 8.0]));
    for (replicas, point) in (1..).zip(&mut sweep.points) {
        point.at = BTreeMap::from([(path.clone(), f64::from(replicas))]);
    }
    (sweep.paths, sweep.units) = (vec![path], vec!["replicas".into()]);
    sweep.suffices = Some(Suffices {
        values: vec![3.0, 4.0, 5.0],
        at_least: Some(3.0),
        at_most: None,
        text: "the smallest value that meets every expectation is 3".into(),
    });
    sweep
}

/// Loads from 1 to 1000 per second, equally spaced on a logarithmic axis.
pub(crate) fn wide() -> SweepReport {
    let queue = Mmc { servers: 64, mu: 15.0 };
    let mut noise = Noise::new(3);
    let mut sweep = bare(self::sweep(&[]));
    let loads = (0..13).map(|i| 10_f64.powf(f64::from(i) / 4.0));
    sweep.points = loads
        .map(|lambda| SweepPoint {
            at: BTreeMap::from([("traffic.shoppers.rate".to_owned(), lambda)]),
            result: shop_at(lambda, queue, &mut noise),
            outcome: None,
        })
        .collect();
    sweep
}

/// A grid of rates and connections.
pub(crate) fn grid(servers: &[u32], loads: u32) -> SweepReport {
    let mut noise = Noise::new(11);
    let mut sweep = bare(self::sweep(&[]));
    sweep.paths.push("resources.db_connections.slots".into());
    sweep.units.push(String::new());
    for &servers in servers {
        let queue = Mmc { servers, mu: 10.0 };
        for i in 1..=loads {
            let lambda = f64::from(i) * 80.0 / f64::from(loads);
            let at = BTreeMap::from([
                (sweep.paths[0].clone(), lambda),
                (sweep.paths[1].clone(), f64::from(servers)),
            ]);
            sweep.points.push(SweepPoint { at, result: shop_at(lambda, queue, &mut noise), outcome: None });
        }
    }
    sweep
}

/// A grid of rates and lengths of a trigger, and what became of each point: what a retry storm does.
pub(crate) fn fates() -> SweepReport {
    let mut sweep = grid(&[1, 2, 3, 4], 8);
    sweep.outcome = Some("shoppers.ok > 99%".into());
    (sweep.paths[1], sweep.units[1]) = ("events.0.for".into(), "s".into());
    for point in &mut sweep.points {
        let (load, length) = (point.at["traffic.shoppers.rate"], point.at["resources.db_connections.slots"]);
        point.at = BTreeMap::from([("traffic.shoppers.rate".into(), load), ("events.0.for".into(), length)]);
        let fate = match load * length {
            calm if calm < 60.0 => Fate::Stable,
            _ if load < 45.0 => Fate::Recovers,
            _ => Fate::StaysDown,
        };
        let of = |wanted: Fate| if wanted == fate { 10 } else { 0 };
        let [stable, recovers, stays_down] = [Fate::Stable, Fate::Recovers, Fate::StaysDown].map(of);
        point.outcome = Some(PointOutcome { fate, share: 1.0, stable, recovers, stays_down });
    }
    if let Some(outcome) = sweep.points.iter_mut().rev().find_map(|point| point.outcome.as_mut()) {
        *outcome = PointOutcome { share: 0.7, recovers: 3, stays_down: 7, ..*outcome };
    }
    sweep
}

/// Three traffics, and names as long as they get.
pub(crate) fn long_names() -> SweepReport {
    let mut sweep = hockey_stick();
    sweep.scenario = "A scenario whose name somebody wrote as a whole sentence because nothing forbids it, and it does not end here".into();
    sweep.about = Some("An explanation that goes on, & on, <with> \"quotes\" and ümläuts, ".repeat(6));
    for point in &mut sweep.points {
        let report = &mut point.result;
        let shoppers = report.traffic["shoppers"].clone();
        for (name, share) in
            [("nightly-batch-import-of-all-suppliers", 0.3), ("recommendations", 0.2), ("crawlers", 0.1)]
        {
            let scaled = |e: E| E { value: e.value * share, lo: None, hi: None };
            let mut other = shoppers.clone();
            other.offered = other.offered.map(scaled);
            other.throughput = other.throughput.map(scaled);
            other.latency.p99 =
                other.latency.p99.map(|e| E { value: e.value * (1.0 + share), lo: None, hi: None });
            report.traffic.insert(name.into(), other);
        }
        let busy = report.resources["db_connections"].utilization.map(|e| E { value: e.value * 0.97, ..e });
        report.services.insert(
            "recommendation-engine-for-returning-customers".into(),
            service([("connection_pool_of_the_feature_store", busy)]),
        );
    }
    sweep
}

/// Every figure missing.
pub(crate) fn nothing_known() -> SweepReport {
    let mut sweep = bare(self::sweep(&[10.0, 20.0, 30.0]));
    for point in &mut sweep.points {
        point.result = empty_report();
        point.result.traffic.insert("shoppers".into(), traffic());
        point.result.services.insert("web".into(), service([("workers", None)]));
    }
    sweep
}

/// A run with a failing database between 200 s and 300 s, over time.
pub(crate) fn run() -> Report {
    let queue = Mmc { servers: 4, mu: 10.0 };
    let mut noise = Noise::new(5);
    let mut report = shop_at(28.0, queue, &mut noise);
    report.traffic.insert(
        "batch".into(),
        TrafficResult { latency: report.traffic["shoppers"].latency.clone(), ..traffic() },
    );
    if let Some(shoppers) = report.traffic.get_mut("shoppers") {
        let place =
            |place: &str, kind: &str, seconds| TimeAt { place: place.into(), kind: kind.into(), seconds };
        shoppers.time_at = BTreeMap::from([
            ("p50".into(), vec![place("db", "service", 0.06), place("db_connections", "pools", 0.01)]),
            ("p99".into(), vec![place("db", "service", 0.21), place("db_connections", "pools", 0.28)]),
        ]);
    }
    let mut metrics: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for i in 0..120 {
        let t = f64::from(i) * 5.0;
        let load = 22.0 + 8.0 * (t / 95.0).sin() + 6.0 * f64::from(u8::from((200.0..300.0).contains(&t)));
        let rho = (load / 40.0).min(0.97);
        let mut note = |name: &str, value: f64| {
            let value = value * (1.0 + 0.05 * noise.next());
            let known = !(30..33).contains(&i) || name.contains("utilization");
            metrics.entry(name.into()).or_default().push(known.then_some(value));
        };
        let lambda = rho * 40.0;
        for (name, q) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
            note(&format!("traffic.shoppers.latency.{name}"), queue.quantile(lambda, q));
            note(&format!("traffic.batch.latency.{name}"), 0.4 + queue.quantile(lambda * 0.9, q));
        }
        note("traffic.shoppers.throughput", load);
        note("traffic.shoppers.offered", load * 1.01);
        note("traffic.batch.throughput", 4.0);
        note("traffic.shoppers.errors", 0.002 * rho.powi(4));
        note("resources.db_connections.queue_length", 6.0 * rho.powi(6));
        note("services.web.resources.workers.queue_length", 2.0 * rho.powi(6));
        note("services.web.resources.workers.utilization", 0.8 * rho);
        note("resources.db_connections.utilization", rho);
        note("services.web.replicas", 2.0 + f64::from(i / 40));
    }
    report.series = Some(Series { bin: 5.0, metrics, events: Vec::new() });
    let curve = |shift: f64| {
        let qs = (0..=60).map(|i| 1.0 - 10_f64.powf(-f64::from(i) / 12.0)).chain([1.0]);
        qs.map(|q| QuantilePoint { q, seconds: shift + queue.quantile(28.0, q.min(0.999_999)) }).collect()
    };
    report.distributions = BTreeMap::from([("shoppers".into(), curve(0.0)), ("batch".into(), curve(0.4))]);
    report.laws = Laws {
        littles_law: vec![LittlesLaw {
            at: "traffic.shoppers".into(),
            l: 3.2,
            lambda: 28.0,
            w: Some(0.114),
            residual: 3e-12,
            gap: Some(0.001),
        }],
        conservation: vec![Conservation {
            at: "shoppers".into(),
            offered: 302_400,
            ended: 302_392,
            in_flight: 8,
            holds: true,
        }],
        utilization: Vec::new(),
        hold: true,
    };
    report.theory = vec![TheoryLine {
        at: "db_connections".into(),
        model: "M/M/c".into(),
        metric: "response mean".into(),
        value: Some(0.1144),
        simulated: noise.near(0.1144, 0.01),
        applies: Applies::Exactly,
        why: "Poisson arrivals, exponential times".into(),
    }];
    report.notes = vec!["p99.9 of batch rests on fewer than 10 samples".into()];
    report
}

/// Three variants against a base.
pub(crate) fn comparison() -> CompareReport {
    let e = |value: f64, half: f64| E { value, lo: Some(value - half), hi: Some(value + half) };
    let row = |variant: &str, metric: &str, base: f64, value: f64, half: f64, verdict: &str| Difference {
        variant: variant.into(),
        metric: metric.into(),
        base: e(base, half),
        value: e(value, half),
        difference: e(value - base, half),
        verdict: verdict.into(),
        variance_ratio: Some(0.12),
    };
    CompareReport {
        schema: "hockeystick.compare/1".into(),
        scenario: "shop".into(),
        version: "0.1.0".into(),
        base: "as it is".into(),
        variants: vec![("as it is".into(), empty_report()), ("more connections".into(), empty_report())],
        differences: vec![
            row("more connections", "shoppers.mean", 0.114, 0.103, 0.002, "better"),
            row("least of two", "shoppers.mean", 0.114, 0.1135, 0.0015, "no evidence"),
            row("retries", "shoppers.mean", 0.114, 0.131, 0.004, "worse"),
            row("more connections", "shoppers.p99", 0.482, 0.391, 0.02, "better"),
            row("least of two", "shoppers.p99", 0.482, 0.47, 0.018, "no evidence"),
            row("retries", "shoppers.p99", 0.482, 2.9, 0.2, "worse"),
            row("more connections", "shoppers.errors", 0.0, 0.0, 0.0, "no evidence"),
            row("retries", "shoppers.errors", 0.0, 0.012, 0.001, "worse"),
            row("more connections", "shoppers.throughput", 28.0, 28.01, 0.03, "no evidence"),
            row("retries", "a-traffic-with-a-very-long-name-indeed.throughput", 28.0, 27.2, 0.2, "worse"),
        ],
        expect: Vec::new(),
    }
}

/// The same with one traffic, and no distribution.
pub(crate) fn run_of_one() -> Report {
    let mut report = run();
    report.distributions.clear();
    if let Some(series) = &mut report.series {
        series.metrics.retain(|name, _| !name.contains("batch"));
    }
    report
}

/// The same with replicas that an autoscaler of another name counts, and their nodes.
pub(crate) fn scaled() -> Report {
    let mut report = run_of_one();
    if let Some(series) = &mut report.series {
        let course = |scale: f64| (0..120).map(|i| Some(scale * f64::from(2 + i / 40))).collect();
        for name in ["services.web.ready", "services.web.replicas", "autoscalers.by_load.replicas"] {
            series.metrics.insert(name.to_owned(), course(1.0));
        }
        series.metrics.insert("autoscalers.by_load.nodes".to_owned(), course(0.5));
    }
    let scaler = AutoscalerResult { service: "web".to_owned(), ..AutoscalerResult::default() };
    report.autoscalers.insert("by_load".to_owned(), scaler);
    report
}

/// What was tried at the points of a sweep, of which those between two values hold.
fn tried(sweep: &SweepReport, holds: std::ops::RangeInclusive<f64>) -> Vec<TriedPoint> {
    let point = |point: &SweepPoint| {
        let value = point.at[&sweep.paths[0]];
        TriedPoint {
            at: point.at.clone(),
            value,
            verdict: if holds.contains(&value) { Met::Met } else { Met::NotMet },
            metric: point.result.traffic["shoppers"].latency.p99,
            needs: None,
            result: point.result.clone(),
        }
    };
    sweep.points.iter().map(point).collect()
}

/// How many replicas it takes: a search through the points of [`replicas`].
pub(crate) fn solved() -> SolveReport {
    let sweep = replicas();
    let tried = tried(&sweep, 3.0..=99.0);
    SolveReport {
        head: Head {
            schema: "hockeystick.solve/1".into(),
            scenario: sweep.scenario,
            about: sweep.about,
            variant: None,
            version: sweep.version,
            seed: 1,
        },
        aim: SolveAim::Minimize,
        of: "services.web.replicas".into(),
        unit: "replicas".into(),
        paths: sweep.paths,
        units: sweep.units,
        points: 50,
        metric: "shoppers.p99".into(),
        answer: Some(Answer { at: tried[2].at.clone(), value: 3.0, point: 2 }),
        text: "the smallest `services.web.replicas` at which every expectation holds is 3 replicas".into(),
        assumptions: Vec::new(),
        frontier: vec![2, 3, 4],
        tried,
        checks: Vec::new(),
        complete: true,
        notes: Vec::new(),
        theory: Vec::new(),
    }
}

/// The largest load: a search along [`hockey_stick`].
pub(crate) fn capacity() -> SolveReport {
    let sweep = hockey_stick();
    let tried = tried(&sweep, 0.0..=34.0);
    SolveReport {
        aim: SolveAim::Maximize,
        of: "traffic.shoppers.rate".into(),
        unit: "/s".into(),
        answer: Some(Answer { at: tried[9].at.clone(), value: 34.0, point: 9 }),
        text: "the largest `traffic.shoppers.rate` at which every expectation holds is 34.0/s".into(),
        frontier: Vec::new(),
        tried,
        paths: sweep.paths,
        units: sweep.units,
        theory: sweep.theory,
        ..solved()
    }
}

/// A run of whose inputs two are uncertain.
pub(crate) fn guesses() -> Report {
    Report { uncertainty: Some(results::uncertainty()), ..run() }
}

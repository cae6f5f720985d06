//! Results made up by hand, for whoever shows them.

use scenarios::results::{
    Cause, Causes, E, Head, LeftOut, MetAt, PathEffect, SensitivityReport, UncertainInput, UncertainMetric,
    Uncertainty,
};

/// What moves the latency of a shop.
pub fn ranking() -> SensitivityReport {
    let e = |value: f64, half: f64| Some(E { value, lo: Some(value - half), hi: Some(value + half) });
    let path = |path: &str, unit: &str, (from, at, to): (f64, f64, f64)| PathEffect {
        path: path.to_owned(),
        unit: unit.to_owned(),
        at: Some(at),
        from,
        to,
        mu_star: e(0.0, 0.0),
        mu: e(0.0, 0.0),
        sigma: Some(0.0),
        low: None,
        high: None,
    };
    SensitivityReport {
        head: Head {
            schema: "hockeystick.sensitivity/1".to_owned(),
            scenario: "checkout".to_owned(),
            about: Some("What has to be known exactly, and what does not matter?".to_owned()),
            variant: None,
            version: "0.1.0".to_owned(),
            seed: 1,
        },
        metric: "shoppers.p99".to_owned(),
        base: e(0.1142, 0.004),
        trajectories: 10,
        points: 88,
        paths: vec![
            PathEffect {
                mu_star: e(0.152, 0.031),
                mu: e(0.152, 0.031),
                sigma: Some(0.098),
                low: e(0.0731, 0.001),
                high: e(0.231, 0.012),
                ..path("traffic.shoppers.rate", "/s", (320.0, 400.0, 480.0))
            },
            PathEffect {
                mu_star: e(0.061, 0.012),
                mu: e(-0.061, 0.012),
                sigma: Some(0.041),
                low: e(0.151, 0.006),
                high: e(0.0941, 0.002),
                ..path("services.db.cores", "cores", (6.0, 8.0, 10.0))
            },
            PathEffect {
                mu_star: e(0.021, 0.004),
                mu: e(0.019, 0.005),
                sigma: Some(0.009),
                low: e(0.1041, 0.003),
                high: e(0.1258, 0.004),
                ..path("services.web.endpoints.checkout.0.cpu.lognormal.p99", "s", (0.0072, 0.009, 0.0108))
            },
            path("services.web.queue", "queue", (205.0, 256.0, 307.0)),
        ],
        left_out: vec![LeftOut {
            path: "traffic.shoppers.to.web.checkout".to_owned(),
            why: "the shares add up to 116 %".to_owned(),
        }],
        complete: true,
        notes: Vec::new(),
    }
}

/// What uncertain inputs do to the latency of the shop.
pub fn uncertainty() -> Uncertainty {
    let e = |value: f64, half: f64| E { value, lo: Some((value - half).max(0.0)), hi: Some(value + half) };
    let (time, load) = ("services.db.endpoints.insert.0.cpu.exp", "traffic.shoppers.rate");
    let cause = |path: &str, share: f64| Cause { path: path.to_owned(), share: e(share, 0.08) };
    let causes = |of_time: f64, of_load: f64, noise: f64, rest: f64| Causes {
        inputs: vec![cause(time, of_time), cause(load, of_load)],
        noise: e(noise, 0.02),
        rest: e(rest, 0.05),
    };
    let metric = |name: &str, value: f64, causes: Option<Causes>, text: Option<&str>| UncertainMetric {
        metric: format!("shoppers.{name}"),
        mean: e(value, 0.05 * value),
        p5: 0.7 * value,
        p95: 1.6 * value,
        causes,
        text: text.map(str::to_owned),
    };
    let advice = "measure `services.db.endpoints.insert.0.cpu.exp` better: it causes 71 % of the uncertainty of \
                  `shoppers.p99`";
    let input = |path: &str, unit: &str, from, to| UncertainInput {
        path: path.to_owned(),
        unit: unit.to_owned(),
        from: Some(from),
        to: Some(to),
    };
    Uncertainty {
        points: 50,
        replications: 2,
        inputs: vec![input(time, "s", 0.003, 0.005), input(load, "/s", 350.0, 450.0)],
        metrics: vec![
            metric("mean", 0.0612, Some(causes(0.66, 0.31, 0.003, 0.027)), None),
            metric("p99", 0.114, Some(causes(0.71, 0.2, 0.05, 0.04)), Some(advice)),
            metric("errors", 0.0, None, None),
        ],
        expect: vec![MetAt { text: "shoppers.p99 < 150ms".to_owned(), met: 43, points: 50 }],
    }
}

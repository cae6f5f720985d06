//! One station with an order of its own for who computes, and contention between those who do.

use std::fmt::Write as _;

use hockeystick_tests::vectors::Params;
use serde_json::Value;

use super::seen::{Reading, Seen, figure, mean};
use super::stations::given;
use super::text::{Model, law, moments, relaxation, traffic};

/// M/G/1, preemptive-resume, in an order that goes by size or by arrival.
pub(super) fn by_size(params: &Params) -> Model {
    let (rate, service) = (params.number("arrival_rate"), given(params, "service"));
    let scheduling = match given(params, "discipline").as_str() {
        Some("lifo_preemptive_resume") => "lifo_preemptive",
        Some(word) => word,
        None => panic!("the discipline is no word"),
    };
    let text = format!(
        "traffic:\n{}services:\n  station:\n    cores: 1\n    scheduling: {scheduling}\n    endpoints:\n      serve: \
         [{{cpu: {}}}]\n",
        traffic("jobs", rate, "station.serve"),
        law(service),
    );
    let (mean, scv) = moments(service);
    Model { text, rate, relaxation: relaxation(mean, scv, 1.0, rate * mean), weight: 2.0 }
}

pub(super) fn read_by_size(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    match metric {
        "number_in_system_mean" => Some(Reading::Value(seen.present())),
        _ => figure(&seen.latency(), metric.strip_prefix("sojourn_")?),
    }
}

/// M/G/1 or M/M/c with preemptive-resume priorities: a traffic for each class.
pub(super) fn priority(params: &Params) -> Model {
    let rates = params.numbers("class_arrival_rates");
    let servers = params.count("servers");
    let services: Vec<&Value> = match params.get("class_services") {
        Some(Value::Array(services)) => services.iter().collect(),
        _ => vec![given(params, "service"); rates.len()],
    };
    let names: Vec<String> = (1..=rates.len()).map(|class| format!("class{class}")).collect();
    let (mut traffics, mut endpoints) = (String::new(), String::new());
    let (mut load, mut slow, mut wild) = (0.0, 0.0_f64, 0.0_f64);
    for ((name, rate), service) in names.iter().zip(&rates).zip(services) {
        let order =
            if name == "class1" { format!(", priority: [{}]", names.join(", ")) } else { String::new() };
        let _ = writeln!(traffics, "  {name}: {{rate: {rate}/s, to: station.{name}, class: {name}{order}}}");
        let _ = writeln!(endpoints, "      {name}: [{{cpu: {}}}]", law(service));
        let (mean, scv) = moments(service);
        load += rate * mean;
        slow = slow.max(mean);
        wild = wild.max(scv);
    }
    let text = format!(
        "traffic:\n{traffics}services:\n  station:\n    cores: {servers}\n    scheduling: {{priority: preemptive}}\n    \
         endpoints:\n{endpoints}"
    );
    let relaxation = relaxation(slow, wild, f64::from(servers), load / f64::from(servers));
    Model { text, rate: rates.iter().sum(), relaxation, weight: 2.0 }
}

pub(super) fn read_priority(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let (of, metric) = metric.split_once('_')?;
    match (of, metric) {
        ("overall", "sojourn_mean") => figure(&seen.latency(), "mean"),
        (class, "sojourn_mean") => Some(Reading::Value(mean(&seen.traffic(class).latency)?)),
        _ => None,
    }
}

/// How many requests compute at once in the cases of the family.
const AT_ONCE: [u32; 5] = [1, 2, 8, 32, 128];

/// Users who do not think, more cores than users, and contention: a service for each number of users.
pub(super) fn contention(params: &Params) -> Model {
    let (gamma, sigma, kappa) = (params.number("gamma"), params.number("alpha"), params.number("beta"));
    let (mut traffics, mut services) = (String::new(), String::new());
    for n in AT_ONCE {
        let _ = writeln!(traffics, "  users{n}: {{users: {n}, think: 0s, to: station{n}.serve}}");
        let _ = writeln!(
            services,
            "  station{n}: {{cores: {{cores: 1000, contention: {{sigma: {}%, kappa: {kappa}}}}}, endpoints: {{serve: \
             [{{cpu: {{exp: {}s}}}}]}}}}",
            sigma * 100.0,
            gamma.recip(),
        );
    }
    let text = format!("traffic:\n{traffics}services:\n{services}");
    Model { text, rate: 10.0 * gamma, relaxation: 10.0 / gamma, weight: 2.0 }
}

pub(super) fn read_contention(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let users = metric.strip_prefix("throughput_at_")?;
    let answered = seen.traffic(&format!("users{users}")).latency.count();
    Some(Reading::Value(answered as f64 / seen.seconds()))
}

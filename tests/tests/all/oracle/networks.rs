//! Closed users, networks with feedback, fan-out and fork-join.

use std::fmt::Write as _;

use hockeystick_tests::vectors::Params;
use serde_json::Value;

use super::seen::{Reading, Seen, figure, mean, not_zero};
use super::stations::given;
use super::text::{Model, field, law, moments, relaxation, traffic};

/// Users who think and then visit one station.
pub(super) fn closed(params: &Params) -> Model {
    let (users, servers) = (params.count("population"), params.count("servers"));
    let (think, service) = (given(params, "think_time"), given(params, "service"));
    let text = format!(
        "traffic:\n  users: {{users: {users}, think: {}, to: station.serve}}\nservices:\n  station:\n    workers: \
         {servers}\n    endpoints:\n      serve: [{{delay: {}}}]\n",
        law(think),
        law(service),
    );
    let ((think, _), (service, _)) = (moments(think), moments(service));
    let busiest = f64::from(servers) / service;
    let rate = (f64::from(users) / (think + service)).min(busiest);
    Model { text, rate, relaxation: think + 20.0 * service + f64::from(users) / busiest, weight: 1.0 }
}

pub(super) fn read_closed(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let pool = seen.pool("station.workers");
    let value = match metric {
        "throughput" => seen.ended() / seen.seconds(),
        "response_mean" => mean(&seen.latency())?,
        "number_at_station_mean" => pool.waiting.mean() + pool.in_use.mean(),
        "utilization" => pool.in_use.mean() / pool.capacity.mean(),
        // One server is idle exactly while all think.
        "prob_all_thinking" if seen.params.count("servers") == 1 => 1.0 - pool.in_use.mean(),
        "prob_wait_on_arrival" => not_zero(&pool.wait)?,
        _ => return None,
    };
    Some(Reading::Value(value))
}

/// An open network: an endpoint holds its station's server only while it is served, and then calls the next one.
pub(super) fn jackson(params: &Params) -> Model {
    let external = params.numbers("external_arrival_rates");
    let (routing, stations) = (params.matrix("routing"), params.stations("stations"));
    let mut text = String::from("traffic:\n");
    for (i, rate) in external.iter().enumerate().filter(|(_, rate)| **rate > 0.0) {
        text.push_str(&traffic(&format!("from{}", i + 1), *rate, &format!("net.s{}", i + 1)));
    }
    text.push_str("resources:\n");
    for (i, station) in stations.iter().enumerate() {
        let _ = writeln!(text, "  station{}: {{slots: {}}}", i + 1, station.servers);
    }
    text.push_str("services:\n  net:\n    endpoints:\n");
    for (i, (row, station)) in routing.iter().zip(&stations).enumerate() {
        let _ = writeln!(
            text,
            "      s{0}:\n        - {{hold: station{0}, do: [{{delay: {{exp: {1}s}}}}]}}",
            i + 1,
            station.mean_service
        );
        let onward: f64 = row.iter().sum();
        if onward == 0.0 {
            continue;
        }
        text.push_str("        - choose:\n");
        for (next, share) in row.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let _ = writeln!(
                text,
                "            - {{weight: {}%, do: [{{call: net.s{}}}]}}",
                share * 100.0,
                next + 1
            );
        }
        if onward < 1.0 - 1e-9 {
            text.push_str("            - {else: []}\n");
        }
    }
    let visits = traffic_equations(&external, &routing);
    let slowest = visits.iter().zip(&stations).map(|(rate, station)| {
        let servers = f64::from(station.servers);
        relaxation(station.mean_service, 1.0, servers, rate * station.mean_service / servers)
    });
    let relaxation = 3.0 * slowest.fold(0.0, f64::max);
    let rate: f64 = external.iter().sum();
    Model { text, rate, relaxation, weight: visits.iter().sum::<f64>() / rate }
}

/// Arrivals per second at each station.
fn traffic_equations(external: &[f64], routing: &[Vec<f64>]) -> Vec<f64> {
    let mut rates = external.to_vec();
    for _ in 0..1_000 {
        let fed = |to: usize| rates.iter().zip(routing).map(|(rate, row)| rate * row[to]).sum::<f64>();
        rates = (0..external.len()).map(|to| external[to] + fed(to)).collect();
    }
    rates
}

pub(super) fn read_jackson(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let value = match metric {
        "network_number_mean" => seen.present(),
        "network_sojourn_mean" => mean(&seen.latency())?,
        _ => return read_station_of_network(seen, metric),
    };
    Some(Reading::Value(value))
}

/// A station that is a resource of its own.
pub(super) fn read_station_of_network(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let (station, metric) = metric.split_once('_')?;
    let pool = seen.pool(station);
    let value = match metric {
        "arrival_rate" | "throughput" => pool.acquired as f64 / seen.seconds(),
        "number_mean" => pool.waiting.mean() + pool.in_use.mean(),
        "utilization" => pool.in_use.mean() / pool.capacity.mean(),
        "sojourn_per_visit" | "residence_per_visit" => mean(&pool.wait)? + mean(&pool.hold)?,
        _ => return None,
    };
    Some(Reading::Value(value))
}

/// A front end that asks `n` leaves without queues and waits for `k` of them.
pub(super) fn fan(n: u32, wait_for: &str, latency: &Value) -> Model {
    let rate = 100.0;
    let text = format!(
        "traffic:\n{}services:\n  front:\n    endpoints:\n      fan: [{{all: {{call: leaf.get}}, each: {n}, \
         wait_for: {wait_for}}}]\n  leaf:\n    endpoints:\n      get: [{{delay: {}}}]\n",
        traffic("users", rate, "front.fan"),
        law(latency),
    );
    Model { text, rate, relaxation: 5.0 * moments(latency).0, weight: f64::from(n) }
}

pub(super) fn fan_out(params: &Params) -> Model {
    fan(params.count("fanout"), "all", given(params, "latency"))
}

pub(super) fn quorum(params: &Params) -> Model {
    fan(params.count("n"), &params.count("k").to_string(), given(params, "latency"))
}

/// Every request sends one task to each of n servers with queues of their own: n services, or n replicas in turn.
pub(super) fn fork_join(params: &Params) -> Model {
    let (n, rate) = (params.count("fanout"), params.number("arrival_rate"));
    let service = given(params, "branch_service");
    let mut text = format!("traffic:\n{}services:\n", traffic("jobs", rate, "front.fork"));
    let leaf = format!("workers: 1, endpoints: {{run: [{{delay: {}}}]}}}}\n", law(service));
    if n <= 4 {
        let calls: Vec<String> = (1..=n).map(|i| format!("{{call: leaf{i}.run}}")).collect();
        let _ = writeln!(text, "  front: {{endpoints: {{fork: [{{all: [{}]}}]}}}}", calls.join(", "));
        (1..=n).for_each(|i| {
            let _ = write!(text, "  leaf{i}: {{{leaf}");
        });
    } else {
        let _ = writeln!(text, "  front: {{endpoints: {{fork: [{{all: {{call: leaf.run}}, each: {n}}}]}}}}");
        let _ = write!(text, "  leaf: {{replicas: {n}, {leaf}");
    }
    let (mean, scv) = moments(service);
    Model { text, rate, relaxation: relaxation(mean, scv, 1.0, rate * mean), weight: f64::from(n) }
}

/// How many of the responses took the slower of two latencies.
pub(super) fn read_slow_share(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    if metric != "fraction_response_ge_slow" {
        return read_response(seen, metric);
    }
    let latency = given(seen.params, "latency");
    let between = f64::midpoint(field(latency, "v1"), field(latency, "v2"));
    Some(Reading::Value(1.0 - seen.latency().share_at_most((between * 1e9) as u64)?))
}

/// Fork-join; how long a task takes is how long the call of its leaf does. The approximation of Nelson and Tantawi is of the
/// mean response, and comes with how far off it may be.
pub(super) fn read_fork_join(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    match metric.strip_prefix("branch_sojourn_") {
        Some(of) => figure(&seen.endpoint("leaf1.run").latency, of),
        None => read_response(seen, metric.trim_end_matches("_nelson_tantawi")),
    }
}

pub(super) fn read_response(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    figure(&seen.latency(), metric.strip_prefix("response_")?)
}

/// Calls one after the other, none of which waits.
pub(super) fn serial(params: &Params) -> Model {
    let Value::Array(latencies) = given(params, "latencies") else { panic!("not a list") };
    let rate = 100.0;
    let calls: Vec<String> = (1..=latencies.len()).map(|i| format!("{{call: leaf{i}.get}}")).collect();
    let mut text = format!(
        "traffic:\n{}services:\n  front: {{endpoints: {{get: [{}]}}}}\n",
        traffic("users", rate, "front.get"),
        calls.join(", "),
    );
    for (i, latency) in latencies.iter().enumerate() {
        let _ = writeln!(text, "  leaf{}: {{endpoints: {{get: [{{delay: {}}}]}}}}", i + 1, law(latency));
    }
    let all: f64 = latencies.iter().map(|latency| moments(latency).0).sum();
    Model { text, rate, relaxation: 5.0 * all, weight: latencies.len() as f64 }
}

/// Fork-join where the next request may begin only when all tasks of the one before have ended: a gate around them.
pub(super) fn split_merge(params: &Params) -> Model {
    let (n, rate) = (params.count("fanout"), params.number("arrival_rate"));
    let service = given(params, "branch_service");
    let text = format!(
        "traffic:\n{}resources:\n  gate: {{slots: 1}}\nservices:\n  front:\n    endpoints:\n      fork: [{{hold: \
         gate, do: [{{all: {{call: leaf.run}}, each: {n}}}]}}]\n  leaf: {{replicas: {n}, workers: 1, endpoints: \
         {{run: [{{delay: {}}}]}}}}\n",
        traffic("jobs", rate, "front.fork"),
        law(service),
    );
    // The longest of n exponential times; it varies less than one of them.
    let slowest = moments(service).0 * (1..=n).map(|k| 1.0 / f64::from(k)).sum::<f64>();
    Model { text, rate, relaxation: relaxation(slowest, 1.0, 1.0, rate * slowest), weight: f64::from(n) }
}

pub(super) fn read_split_merge(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    match metric {
        "utilization" => Some(Reading::Value(seen.pool("gate").in_use.mean())),
        _ => read_response(seen, metric),
    }
}

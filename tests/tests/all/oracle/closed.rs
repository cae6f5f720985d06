//! Closed networks: as many users as ever, who go round for ever.

use std::fmt::Write as _;

use hockeystick_tests::vectors::{Params, Station};
use serde_json::Value;

use super::networks::read_station_of_network;
use super::seen::{Reading, Seen, figure, mean};
use super::text::{Model, law, moments};

/// A resource for each station.
fn stations(text: &mut String, stations: &[Station]) {
    text.push_str("resources:\n");
    for (i, station) in stations.iter().enumerate() {
        let _ = writeln!(text, "  station{}: {{slots: {}}}", i + 1, station.servers);
    }
}

/// The step that visits a station, the first being 1.
fn visit(number: usize, station: &Station) -> String {
    format!("{{hold: station{number}, do: [{{delay: {{exp: {}s}}}}]}}", station.mean_service)
}

/// Users who think, and then visit each station as often as they are to on average: so many times, and once more with
/// the probability that is left.
pub(super) fn product_form(params: &Params) -> Model {
    let (users, list) = (params.count("population"), params.stations("stations"));
    let (think, thinks) = match params.get("think_time") {
        Some(law_of @ Value::Object(_)) => (law(law_of), moments(law_of).0),
        _ => ("0s".to_owned(), 0.0),
    };
    let mut text = format!("traffic:\n  users: {{users: {users}, think: {think}, to: net.cycle}}\n");
    stations(&mut text, &list);
    text.push_str("services:\n  net:\n    endpoints:\n      cycle:\n");
    for (i, station) in list.iter().enumerate() {
        let (visits, step) = (station.visits_per_cycle, visit(i + 1, station));
        let whole = (visits + 1e-9).floor();
        if whole > 0.0 {
            let _ = writeln!(text, "        - {{repeat: {whole}, do: [{step}]}}");
        }
        let once_more = visits - whole;
        if once_more > 1e-9 {
            let share = once_more * 100.0;
            let _ =
                writeln!(text, "        - {{choose: [{{weight: {share}%, do: [{step}]}}, {{else: []}}]}}");
        }
    }
    let demand = |station: &Station| station.visits_per_cycle * station.mean_service;
    let per_server = |station: &Station| demand(station) / f64::from(station.servers);
    let slowest = list.iter().map(per_server).fold(0.0, f64::max);
    let alone: f64 = thinks + list.iter().map(demand).sum::<f64>();
    let rate = (f64::from(users) / alone).min(1.0 / slowest);
    let weight = list.iter().map(|station| station.visits_per_cycle).sum();
    Model { text, rate, relaxation: alone + f64::from(users) * slowest, weight }
}

pub(super) fn read_product_form(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let value = match metric {
        "throughput" => seen.ended() / seen.seconds(),
        "response_mean" => mean(&seen.latency())?,
        "number_thinking_mean" => f64::from(seen.params.count("population")) - seen.present(),
        _ => return read_station_of_network(seen, metric),
    };
    Some(Reading::Value(value))
}

/// Jobs that never leave: a request is what a job does from one visit of the first station to the next.
pub(super) fn jackson(params: &Params) -> Model {
    let (users, list) = (params.count("population"), params.stations("stations"));
    let routing = params.matrix("routing");
    let mut text = format!("traffic:\n  jobs: {{users: {users}, think: 0s, to: net.s1}}\n");
    stations(&mut text, &list);
    text.push_str("services:\n  net:\n    endpoints:\n");
    for (i, (row, station)) in routing.iter().zip(&list).enumerate() {
        let _ = writeln!(text, "      s{0}:\n        - {1}\n        - choose:", i + 1, visit(i + 1, station));
        for (next, share) in row.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let on = if next == 0 { String::new() } else { format!("{{call: net.s{}}}", next + 1) };
            let _ = writeln!(text, "            - {{weight: {}%, do: [{on}]}}", share * 100.0);
        }
    }
    let visits = visits_per_round(&routing);
    let demand = |(station, visits): (&Station, &f64)| station.mean_service * visits;
    let all: f64 = list.iter().zip(&visits).map(demand).sum();
    let per_server = |(station, visits)| demand((station, visits)) / f64::from(station.servers);
    let slowest = list.iter().zip(&visits).map(per_server).fold(0.0, f64::max);
    let rate = (f64::from(users) / all).min(1.0 / slowest);
    let relaxation = all + f64::from(users) * slowest * f64::from(users);
    Model { text, rate, relaxation, weight: visits.iter().sum() }
}

/// How often each station is visited between two visits of the first.
fn visits_per_round(routing: &[Vec<f64>]) -> Vec<f64> {
    let mut visits = vec![0.0; routing.len()];
    visits[0] = 1.0;
    for _ in 0..1_000 {
        let fed = |to: usize| visits.iter().zip(routing).map(|(count, row)| count * row[to]).sum::<f64>();
        visits = (0..visits.len()).map(|to| if to == 0 { 1.0 } else { fed(to) }).collect();
    }
    visits
}

/// Two kinds of users with needs of their own, at cores that are shared.
pub(super) fn classes(params: &Params) -> Model {
    let (users, think) = (params.numbers("population"), params.numbers("think_time"));
    let demands = params.matrix("demands");
    let (mut text, mut endpoints, mut rate) = (String::from("traffic:\n"), String::new(), 0.0);
    for (class, needs) in demands.iter().enumerate() {
        let number = class + 1;
        let think_for =
            if think[class] > 0.0 { format!("{{exp: {}s}}", think[class]) } else { "0s".to_owned() };
        let _ = writeln!(
            text,
            "  class{number}: {{users: {}, think: {think_for}, to: net.c{number}}}",
            users[class]
        );
        let calls: Vec<String> =
            (1..=needs.len()).map(|station| format!("{{call: station{station}.c{number}}}")).collect();
        let _ = writeln!(endpoints, "      c{number}: [{}]", calls.join(", "));
        rate += users[class] / (think[class] + needs.iter().sum::<f64>());
    }
    let _ = writeln!(text, "services:\n  net:\n    endpoints:\n{}", endpoints.trim_end());
    let mut slowest = 0.0_f64;
    for station in 0..demands[0].len() {
        let _ = writeln!(text, "  station{}:\n    cores: 1\n    endpoints:", station + 1);
        for (class, needs) in demands.iter().enumerate() {
            let _ = writeln!(text, "      c{}: [{{cpu: {{exp: {}s}}}}]", class + 1, needs[station]);
            slowest = slowest.max(needs[station]);
        }
    }
    let relaxation =
        think.iter().fold(0.0, |most: f64, &time| most.max(time)) + slowest * users.iter().sum::<f64>();
    Model { text, rate, relaxation, weight: 2.0 * demands[0].len() as f64 }
}

pub(super) fn read_classes(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let (of, metric) = metric.split_once('_')?;
    if of.starts_with("station") {
        return (metric == "number_mean").then(|| Reading::Value(seen.service(of).present.mean()));
    }
    let traffic = seen.traffic(of);
    match metric {
        "throughput" => Some(Reading::Value(traffic.outcomes.iter().sum::<u64>() as f64 / seen.seconds())),
        _ => figure(&traffic.latency, metric.strip_prefix("response_")?),
    }
}

//! One dispatcher in front of single-server queues, who knows how long each of them is.

use hockeystick_tests::vectors::Params;

use super::seen::{Reading, Seen, figure, not_zero};
use super::stations::{self, given};
use super::text::{Model, law, moments, relaxation, traffic};

/// `servers` replicas with one worker each. A traffic is one caller: what it has outstanding at a replica is the
/// replica's queue, the request in service included.
fn dispatched(params: &Params, servers: u32, rate: f64, pick: &str, relaxation: f64) -> Model {
    let text = format!(
        "traffic:\n{}services:\n  station:\n    replicas: {servers}\n    workers: 1\n    endpoints:\n      serve: \
         [{{delay: {}}}]\nroutes:\n  station: {{pick: {pick}}}\n",
        traffic("jobs", rate, "station.serve"),
        law(given(params, "service")),
    );
    Model { text, rate, relaxation, weight: 1.0 }
}

/// How long `of` servers remember that act as one, at this utilization.
fn remembered(params: &Params, rho: f64, of: u32) -> f64 {
    let (mean, scv) = moments(given(params, "service"));
    relaxation(mean, scv, f64::from(of), rho)
}

fn total(params: &Params) -> (u32, f64, f64) {
    let (servers, rate) = (params.count("servers"), params.number("total_arrival_rate"));
    let (mean, _) = moments(given(params, "service"));
    (servers, rate, rate * mean / f64::from(servers))
}

/// The shortest queue: as good as one shared queue, nearly.
pub(super) fn shortest(params: &Params) -> Model {
    let (servers, rate, rho) = total(params);
    dispatched(params, servers, rate, "least_connections", remembered(params, rho, servers))
}

/// An idle server, or any: what waits does not move, so the queues forget no faster than single ones.
pub(super) fn idle(params: &Params) -> Model {
    let (servers, rate, rho) = total(params);
    dispatched(params, servers, rate, "join_idle", remembered(params, rho, 1))
}

/// The least unfinished work. No caller knows how long its requests will take, so there is no such rule; but there
/// need not be. Who joins the server that will be free first begins when the first of the servers is free, in order
/// of arrival, and that is what the head of one shared queue does: request by request, both begin at the same times.
///
/// Source: Harchol-Balter, *Performance Modeling and Design of Computer Systems* (2013), §24.1.
pub(super) fn least_work(params: &Params) -> Model {
    let (servers, rate, rho) = total(params);
    let text = format!(
        "traffic:\n{}services:\n  station:\n    workers: {servers}\n    endpoints:\n      serve: [{{delay: {}}}]\n",
        traffic("jobs", rate, "station.serve"),
        law(given(params, "service")),
    );
    Model { text, rate, relaxation: remembered(params, rho, servers), weight: 1.0 }
}

/// The policies of `load_balancer_sim`; its dispatcher of d choices draws with replacement.
pub(super) fn policy(params: &Params) -> Model {
    let (servers, each) = (params.count("servers"), params.number("arrival_rate_per_server"));
    let pick = match given(params, "policy").as_str() {
        Some("jsq") => "least_connections".to_owned(),
        Some("jiq") => "join_idle".to_owned(),
        Some("power_of_d") => format!("{{least: {{choices: {}, replacement: true}}}}", params.count("d")),
        other => panic!("there is no way to write the policy {other:?}"),
    };
    let mut relaxation = calmed(each);
    if pick == "join_idle" {
        relaxation = relaxation.max(remembered(params, each, servers));
    }
    dispatched(params, servers, f64::from(servers) * each, &pick, relaxation)
}

/// Very many servers and d choices. With one choice they do not know of each other, and two are as good as very many.
pub(super) fn choices(params: &Params) -> Model {
    let (d, each) = (params.count("d"), params.number("arrival_rate_per_server"));
    let (servers, relaxation) = if d == 1 { (2, remembered(params, each, 1)) } else { (500, calmed(each)) };
    dispatched(params, servers, f64::from(servers) * each, &format!("{{least: {d}}}"), relaxation)
}

/// How long queues remember that see each other, in service times: with two choices a surplus of requests spreads at
/// once, and leaves at the rate at which it raises the share of busy servers. By the fixed point
/// `s_k = lambda^(2^k - 1)` of the mean field it takes `sum (2^k - 1) lambda^(2^k - 2)`, which is below
/// `1.5 / (1 - lambda)`; more choices are faster.
///
/// Source: Mitzenmacher, *The Power of Two Choices in Randomized Load Balancing*, IEEE TPDS 12(10), 2001.
fn calmed(lambda: f64) -> f64 {
    10.0 + 1.5 / (1.0 - lambda)
}

pub(super) fn read(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let pool = seen.pool("station.workers");
    let busy = pool.in_use.mean() / pool.capacity.mean();
    // Arrivals are Poisson and see time averages: who waits has found nobody idle.
    let some_idle = 1.0 - not_zero(&pool.wait)?;
    let value = match metric {
        "fraction_busy_servers" | "fraction_servers_with_ge_1" => busy,
        "prob_at_least_one_idle" => some_idle,
        // Of two, each is idle for a share of the time: both together are counted twice.
        "prob_both_idle" => 2.0 * (1.0 - busy) - some_idle,
        "number_in_system_mean" => seen.present(),
        "prob_wait" => return stations::read_station(seen, metric),
        _ => return figure(&seen.latency(), metric.strip_prefix("sojourn_")?),
    };
    Some(Reading::Value(value))
}

//! Figures that others have printed, of models that other families have too.

use hockeystick_tests::vectors::Params;
use models::blueprint::Outcome;
use serde_json::json;

use super::seen::{Reading, Seen, figure};
use super::text::{Model, law, moments, relaxation};
use super::{closed, networks, stations};

/// The model that the parameters are those of.
enum Kind {
    Closed,
    Open,
    SlowLeaves,
    ForkJoin,
    Scalability,
    Loss,
    Station,
}

fn kind(params: &Params) -> Kind {
    let has = |name: &str| params.get(name).is_some();
    match () {
        () if has("population") => Kind::Closed,
        () if has("external_arrival_rates") => Kind::Open,
        () if has("slow_prob") => Kind::SlowLeaves,
        () if has("branch_service") => Kind::ForkJoin,
        () if has("gamma") => Kind::Scalability,
        () if has("capacity_in_system") => Kind::Loss,
        () => Kind::Station,
    }
}

pub(super) fn model(params: &Params) -> Model {
    match kind(params) {
        Kind::Closed => closed::product_form(params),
        Kind::Open => networks::jackson(params),
        Kind::SlowLeaves => {
            let slow = params.number("slow_prob");
            let latency = json!({
                "dist": "bimodal", "p1": 1.0 - slow, "v1": 0.01, "v2": 1.0,
                "implied_mean": 0.01 + 0.99 * slow, "implied_scv": 0.0,
            });
            networks::fan(params.count("fanout"), "all", &latency)
        }
        Kind::ForkJoin => networks::fork_join(params),
        Kind::Scalability => scalability(params),
        Kind::Loss => stations::station(params),
        Kind::Station => counted_station(params),
    }
}

pub(super) fn read(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    match kind(seen.params) {
        Kind::Closed => closed::read_product_form(seen, metric),
        Kind::Open => networks::read_jackson(seen, metric),
        Kind::SlowLeaves => slow_responses(seen, metric),
        Kind::ForkJoin => networks::read_response(seen, metric),
        Kind::Scalability => read_scalability(seen, metric),
        Kind::Loss => stations::read_station(seen, metric),
        Kind::Station => read_counted(seen, metric),
    }
}

fn slow_responses(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let slower = 1.0 - seen.latency().share_at_most(500_000_000)?;
    (metric == "fraction_response_ge_slow").then_some(Reading::Value(slower))
}

/// M/M/c whose requests are counted by a volume, at which probes look now and then: Poisson arrivals see time averages.
///
/// Source: Wolff, *Poisson Arrivals See Time Averages*, Operations Research 30(2), 1982.
fn counted_station(params: &Params) -> Model {
    let (rate, servers) = (params.number("arrival_rate"), params.count("servers"));
    let service = stations::given(params, "service");
    let text = format!(
        "traffic:\n  jobs: {{rate: {rate}/s, to: front.serve}}\n  probes: {{rate: {rate}/s, to: front.look}}\n\
         resources:\n  room: {{volume: 1M}}\nservices:\n  front:\n    endpoints:\n      serve: [{{take: room}}, {{call: \
         station.serve}}, {{give: room}}]\n      look: [{{choose: [{{when: room.used < 1, do: [{{fail: nobody}}]}}, \
         {{else: []}}]}}]\n  station: {{workers: {servers}, endpoints: {{serve: [{{delay: {}}}]}}}}\n",
        law(service),
    );
    let (mean, scv) = moments(service);
    let servers = f64::from(servers);
    Model { text, rate, relaxation: relaxation(mean, scv, servers, rate * mean / servers), weight: 2.0 }
}

fn read_counted(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let jobs = seen.traffic("jobs");
    match metric {
        "prob_empty" => {
            let probes = &seen.traffic("probes").outcomes;
            let ok = probes[usize::from(Outcome::OK.0)] as f64;
            Some(Reading::Value(1.0 - ok / probes.iter().sum::<u64>() as f64))
        }
        _ => match metric.strip_prefix("sojourn_") {
            Some(of) => figure(&jobs.latency, of),
            None => stations::read_station(seen, metric),
        },
    }
}

/// As many users as there are at the peak, who do not think.
fn scalability(params: &Params) -> Model {
    let (gamma, sigma, kappa) = (params.number("gamma"), params.number("alpha"), params.number("beta"));
    let peak = ((1.0 - sigma) / kappa).sqrt().round();
    let text = format!(
        "traffic:\n  users: {{users: {peak}, think: 0s, to: station.serve}}\nservices:\n  station: {{cores: {{cores: 1000, \
         contention: {{sigma: {}%, kappa: {kappa}}}}}, endpoints: {{serve: [{{cpu: {{exp: {}s}}}}]}}}}\n",
        sigma * 100.0,
        gamma.recip(),
    );
    Model { text, rate: 10.0 * gamma, relaxation: 10.0 / gamma, weight: 2.0 }
}

fn read_scalability(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let answered = seen.latency().count() as f64;
    (metric == "throughput_peak").then(|| Reading::Value(answered / seen.seconds()))
}

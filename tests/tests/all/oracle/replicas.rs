//! Replicas that fail, servers that stop, and what is started only when it is needed.

use hockeystick_tests::vectors::Params;

use super::seen::{Reading, Seen, figure, mean};
use super::stations::given;
use super::text::{Model, law, moments, relaxation, traffic};

/// Nodes that fail and are repaired, each by itself. A traffic that hardly does anything sets the pace.
pub(super) fn nodes(params: &Params) -> Model {
    let (nodes, up, down) = (params.count("nodes"), params.number("mttf"), params.number("mttr"));
    let text = format!(
        "traffic:\n{}services:\n  node:\n    replicas: {nodes}\n    endpoints: {{ping: [{{delay: 0s}}]}}\nevents:\n  \
         - {{mttf: {{exp: {up}s}}, crash: node, restart: {{exp: {down}s}}}}\n",
        traffic("pings", up.recip(), "node.ping"),
    );
    Model { text, rate: up.recip(), relaxation: down, weight: 3.0 }
}

/// `prob_at_least_3_up` as the share of the time with three ready.
pub(super) fn read_nodes(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let k = metric.strip_prefix("prob_at_least_")?.strip_suffix("_up")?.parse().ok()?;
    seen.segment.services[0].life.as_ref().map(|life| Reading::Value(life.availability(k)))
}

/// M/G/1 whose server stands still now and then, whether or not it has anything to do, or only while it has: a job that
/// pauses its core, by a clock without memory, which may as well go on while nobody looks at it.
pub(super) fn pauses(params: &Params) -> Model {
    let (rate, service, pause) =
        (params.number("arrival_rate"), given(params, "service"), given(params, "pause_duration"));
    let up = params.number("pause_rate").recip();
    let when = if is_paused_idle(params) { "" } else { ", when: free.used > 0" };
    let text = format!(
        "traffic:\n{}services:\n  station:\n    cores: 1\n    scheduling: run_to_completion\n    endpoints:\n      \
         serve: [{{take: free}}, {{cpu: {}}}, {{give: free}}]\nresources: {{free: {{volume: 1M}}}}\njobs:\n  \
         pause: {{service: station, every: {{exp: {up}s}}{when}, do: [{{pause: {}}}]}}\n",
        traffic("jobs", rate, "station.serve"),
        law(service),
        law(pause),
    );
    let (own, scv) = moments(service);
    let (length, spread) = moments(pause);
    let share = length / (up + length);
    let load = rate * own / (1.0 - share);
    // Pauses make the work uneven: as if each request had its share of them.
    let uneven = share * length * (1.0 + spread) / own;
    Model { text, rate, relaxation: relaxation(own, scv + uneven, 1.0, load) + up, weight: 1.0 }
}

/// Whether the server stands still also while it has nothing to do.
fn is_paused_idle(params: &Params) -> bool {
    params.get("mode").is_none_or(|mode| mode != "busy_only")
}

pub(super) fn read_pauses(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    if let Some(of) = metric.strip_prefix("sojourn_") {
        return figure(&seen.latency(), of);
    }
    let cores = seen.segment.cores[0].as_ref()?;
    match (metric, is_paused_idle(seen.params)) {
        ("number_in_system_mean", _) => Some(Reading::Value(seen.present())),
        ("availability", true) => Some(Reading::Value(1.0 - cores.paused / cores.capacity)),
        ("busy_or_paused_fraction_of_load", false) => Some(Reading::Value(cores.taken() / cores.capacity)),
        _ => None,
    }
}

/// M/G/1 whose server is switched off when nobody is there: a connection that is closed as soon as nobody uses it.
pub(super) fn setup(params: &Params) -> Model {
    let (rate, service, setup) =
        (params.number("arrival_rate"), given(params, "service"), given(params, "setup_time"));
    let text = format!(
        "traffic:\n{}services:\n  station:\n    resources: {{server: {{slots: 1, connect: {}, idle: 1ns}}}}\n    \
         endpoints:\n      serve: [{{hold: server, do: [{{delay: {}}}]}}]\n",
        traffic("jobs", rate, "station.serve"),
        law(setup),
        law(service),
    );
    let (own, scv) = moments(service);
    let (length, _) = moments(setup);
    Model { text, rate, relaxation: relaxation(own, scv, 1.0, rate * own) + length, weight: 1.0 }
}

/// The wait is all that is not service; the server is off while nobody has it.
pub(super) fn read_setup(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    if let Some(of) = metric.strip_prefix("sojourn_") {
        return figure(&seen.latency(), of);
    }
    match metric {
        "wait_mean" => {
            let (own, _) = moments(given(seen.params, "service"));
            mean(&seen.latency()).map(|all| Reading::Value(all - own))
        }
        "fraction_time_off" => Some(Reading::Value(1.0 - seen.pool("station.server").in_use.mean())),
        _ => None,
    }
}

/// An environment that is kept for a while after its last request.
pub(super) fn keep_alive(params: &Params) -> Model {
    let (rate, keep) = (params.number("request_rate"), params.number("keepalive"));
    let text = format!(
        "traffic:\n{}services:\n  function:\n    resources: {{environment: {{slots: 1, idle: {keep}s}}}}\n    \
         endpoints:\n      invoke: [{{hold: environment, do: [{{delay: 0s}}]}}]\n",
        traffic("requests", rate, "function.invoke"),
    );
    Model { text, rate, relaxation: keep + rate.recip(), weight: 1.0 }
}

pub(super) fn read_keep_alive(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let pool = seen.pool("function.environment");
    let connections = pool.connections.as_ref()?;
    match metric {
        "cold_start_prob" => Some(Reading::Value(connections.opened as f64 / pool.acquired as f64)),
        "instance_up_fraction" => Some(Reading::Value(connections.open.mean())),
        _ => None,
    }
}

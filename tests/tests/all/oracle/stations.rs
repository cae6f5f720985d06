//! One station: queues in line, losses, processor sharing, disciplines, balancing.

use std::fmt::Write as _;

use hockeystick_tests::vectors::Params;
use models::blueprint::Outcome;
use serde_json::Value;

use super::seen::{Reading, Seen, figure, mean, not_zero};
use super::text::{Model, field, law, moments, relaxation, traffic};

pub(super) fn given<'a>(params: &'a Params, name: &str) -> &'a Value {
    params.get(name).unwrap_or_else(|| panic!("there is no {name}"))
}

/// How requests come: at a rate, or after gaps of a law. With the rate and the variation of the gaps.
fn arrivals(params: &Params, to: &str) -> (String, f64, f64) {
    let Some(gap) = params.get("interarrival") else {
        let rate = params.number("arrival_rate");
        return (traffic("jobs", rate, to), rate, 1.0);
    };
    let (mean, scv) = moments(gap);
    let arrivals = if scv == 0.0 { "even".to_owned() } else { format!("{{renewal: {}}}", law(gap)) };
    (format!("  jobs: {{rate: {}/s, arrivals: {arrivals}, to: {to}}}\n", mean.recip()), mean.recip(), scv)
}

/// G/G/c, with or without a limit: workers and a queue.
pub(super) fn station(params: &Params) -> Model {
    let service = given(params, "service");
    let (traffic, rate, variation) = arrivals(params, "station.serve");
    let servers = params.count("servers");
    let capacity = params.get("capacity_in_system").map(|_| params.count("capacity_in_system"));
    let queue = capacity.map_or(String::new(), |k| format!("    queue: {}\n", k - servers));
    let text = format!(
        "traffic:\n{traffic}services:\n  station:\n    workers: {servers}\n{queue}    endpoints:\n      serve: [{{delay: \
         {}}}]\n",
        law(service),
    );
    let (mean, scv) = moments(service);
    let rho = rate * mean / f64::from(servers);
    if scv + variation == 0.0 {
        // The same over and over again as soon as all servers have work; nothing is random, so whole gaps are measured.
        return Model { text, rate, relaxation: f64::from(servers) / rate, weight: 1.0 };
    }
    let unlimited = relaxation(mean, scv + variation - 1.0, f64::from(servers), rho);
    let relaxation = match capacity {
        Some(k) => unlimited.min(mean * (1.0 + scv) * (10.0 + f64::from(k * k) / f64::from(servers))),
        None => unlimited,
    };
    Model { text, rate, relaxation, weight: 1.0 }
}

pub(super) fn read_station(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    read_pool(seen, "station.workers", metric)
}

/// As Little's Law says: so many come, and stay so long.
pub(super) fn little(params: &Params) -> Model {
    let (rate, stay) = (params.number("throughput"), params.number("sojourn_mean"));
    let text = format!(
        "traffic:\n{}services:\n  station: {{endpoints: {{serve: [{{delay: {{exp: {stay}s}}}}]}}}}\n",
        traffic("jobs", rate, "station.serve"),
    );
    Model { text, rate, relaxation: stay, weight: 1.0 }
}

pub(super) fn read_little(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    (metric == "number_in_system_mean").then(|| Reading::Value(seen.present()))
}

fn read_pool(seen: &Seen<'_>, pool: &str, metric: &str) -> Option<Reading> {
    let pool = seen.pool(pool);
    let metric = metric.strip_prefix("accepted_").unwrap_or(metric);
    if let Some(of) = metric.strip_prefix("sojourn_") {
        return figure(&seen.latency(), of);
    }
    if let Some(of) = metric.strip_prefix("wait_") {
        return figure(&pool.wait, of);
    }
    let value = match metric {
        "utilization" => Some(pool.in_use.mean() / pool.capacity.mean()),
        "carried_load" => Some(pool.in_use.mean()),
        "queue_length_mean" => Some(pool.waiting.mean()),
        "number_in_system_mean" => Some(seen.present()),
        "prob_wait" => not_zero(&pool.wait),
        "blocking_prob" => Some(seen.share(Outcome::REJECTED)),
        "throughput" => Some(seen.latency().count() as f64 / seen.seconds()),
        "fraction_sojourn_le_5_mean_services" => {
            let (mean, _) = moments(given(seen.params, "service"));
            seen.latency().share_at_most((5e9 * mean) as u64)
        }
        _ => None,
    };
    value.map(Reading::Value)
}

/// M/G/1 with processor sharing: one core. Two sizes are two classes, so that each has figures of its own.
pub(super) fn sharing(params: &Params) -> Model {
    let (rate, service) = (params.number("arrival_rate"), given(params, "service"));
    let (mean, scv) = moments(service);
    let cores = "services:\n  station:\n    cores: 1\n    endpoints:\n      serve:";
    let text = if service["dist"] == "bimodal" {
        let share = field(service, "p1") * 100.0;
        format!(
            "traffic:\n  jobs:\n    rate: {rate}/s\n    to: station.serve\n    attributes: {{class: {{small: {share}%, \
             large: {}%}}}}\n{cores}\n        - choose:\n            - {{class: small, do: [{{cpu: {}s}}]}}\n            \
             - {{class: large, do: [{{cpu: {}s}}]}}\n",
            100.0 - share,
            field(service, "v1"),
            field(service, "v2"),
        )
    } else {
        format!("traffic:\n{}{cores} [{{cpu: {}}}]\n", traffic("jobs", rate, "station.serve"), law(service))
    };
    Model { text, rate, relaxation: relaxation(mean, scv, 1.0, rate * mean), weight: 2.0 }
}

pub(super) fn read_sharing(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let service = given(seen.params, "service");
    let class = |name: &str| {
        let class = seen.plan.classes.iter().position(|class| class == name)?;
        seen.traffic("jobs").classes.get(class)
    };
    match metric {
        "sojourn_mean_small" => figure(&class("small")?.latency, "mean"),
        "sojourn_mean_large" => figure(&class("large")?.latency, "mean"),
        "mean_slowdown" if service["dist"] == "bimodal" => {
            let (small, large) = (&class("small")?.latency, &class("large")?.latency);
            let slowdown = small.sum() as f64 / 1e9 / field(service, "v1")
                + large.sum() as f64 / 1e9 / field(service, "v2");
            Some(Reading::Value(slowdown / (small.count() + large.count()) as f64))
        }
        "number_in_system_mean" => Some(Reading::Value(seen.present())),
        _ => figure(&seen.latency(), metric.strip_prefix("sojourn_")?),
    }
}

/// M/G/1, last come first served: a resource with an order.
pub(super) fn lifo(params: &Params) -> Model {
    let (rate, service) = (params.number("arrival_rate"), given(params, "service"));
    let text = format!(
        "traffic:\n{}services:\n  station:\n    resources: {{server: {{slots: 1, order: lifo}}}}\n    endpoints:\n      \
         serve: [{{hold: server, do: [{{delay: {}}}]}}]\n",
        traffic("jobs", rate, "station.serve"),
        law(service),
    );
    let (mean, scv) = moments(service);
    Model { text, rate, relaxation: relaxation(mean, scv, 1.0, rate * mean), weight: 1.0 }
}

pub(super) fn read_lifo(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    read_pool(seen, "station.server", metric)
}

/// M/G/1, shortest first: workers with an order. Sizes that are asked for are brought by a few probes, four of the one
/// half of the mean for each of three times it, so that the load stays what it is.
pub(super) fn shortest(params: &Params) -> Model {
    const PROBES: f64 = 0.001;
    let (rate, service) = (params.number("arrival_rate"), given(params, "service"));
    let (mean, scv) = moments(service);
    let (small, large) = (4.0 * PROBES * rate, PROBES * rate);
    let text = format!(
        "traffic:\n{}{}{}services:\n  station:\n    workers: 1\n    order: sjf\n    endpoints:\n      serve: [{{delay: \
         {}}}]\n      small: [{{delay: {}s}}]\n      large: [{{delay: {}s}}]\n",
        traffic("jobs", rate - small - large, "station.serve"),
        traffic("small", small, "station.small"),
        traffic("large", large, "station.large"),
        law(service),
        0.5 * mean,
        3.0 * mean,
    );
    Model { text, rate, relaxation: relaxation(mean, scv, 1.0, rate * mean), weight: 1.0 }
}

pub(super) fn read_shortest(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let traffic = match metric {
        "sojourn_mean" => "jobs",
        "sojourn_mean_given_size_0.5" => "small",
        "sojourn_mean_given_size_3.0" => "large",
        _ => return None,
    };
    figure(&seen.traffic(traffic).latency, "mean")
}

/// M/M/c whose customers give up, after a time that is drawn or the same for all: a resource with a timeout.
pub(super) fn impatient(params: &Params) -> Model {
    let (rate, service) = (params.number("arrival_rate"), given(params, "service"));
    let servers = params.count("servers");
    let (timeout, patience) = match params.get("patience") {
        Some(patience) => (law(patience), moments(patience).0),
        None => (format!("{}s", params.number("queue_timeout")), params.number("queue_timeout")),
    };
    let text = format!(
        "traffic:\n{}services:\n  station:\n    workers: {servers}\n    timeout: {timeout}\n    endpoints:\n      serve: \
         [{{delay: {}}}]\n",
        traffic("jobs", rate, "station.serve"),
        law(service),
    );
    let (mean, scv) = moments(service);
    // Patience bounds what is remembered, under overload too.
    let rho = (rate * mean / f64::from(servers)).min(0.9);
    let relaxation = relaxation(mean, scv, f64::from(servers), rho).min(mean + 4.0 * patience) + mean;
    Model { text, rate, relaxation, weight: 1.0 }
}

pub(super) fn read_impatient(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let pool = seen.pool("station.workers");
    let asked = (pool.acquired + pool.timed_out) as f64;
    let value = match metric {
        "prob_abandon" | "prob_timeout" => pool.timed_out as f64 / asked,
        // Those who gave up have waited too.
        "wait_mean" => pool.waiting.mean() * seen.seconds() / asked,
        "prob_wait" => (not_zero(&pool.wait)? * pool.acquired as f64 + pool.timed_out as f64) / asked,
        _ => return read_station(seen, metric),
    };
    Some(Reading::Value(value))
}

/// M/G/1 or M/M/c with priorities: a traffic for each class. The work itself is a call, so that both the response time
/// and the service time of a class are seen; the wait is what lies between.
pub(super) fn priority(params: &Params) -> Model {
    let rates = params.numbers("class_arrival_rates");
    let servers = if params.get("servers").is_some() { params.count("servers") } else { 1 };
    let services = match params.get("class_services") {
        Some(Value::Array(services)) => services.clone(),
        _ => vec![given(params, "service").clone(); rates.len()],
    };
    let (mut traffics, mut stations, mut work) = (String::new(), String::new(), String::new());
    let (mut rho, mut slow, mut wild) = (0.0, 0.0_f64, 0.0_f64);
    for (i, (rate, service)) in rates.iter().zip(&services).enumerate() {
        let class = i + 1;
        let order = if i == 0 { ", priority: [class1, class2, class3]" } else { "" };
        let order = if rates.len() == 2 { order.replace(", class3", "") } else { order.to_owned() };
        let _ = writeln!(
            traffics,
            "  jobs{class}: {{rate: {rate}/s, to: station.serve{class}, class: class{class}{order}}}"
        );
        let _ =
            writeln!(stations, "      serve{class}: [{{hold: server, do: [{{call: work.class{class}}}]}}]");
        let _ = writeln!(work, "      class{class}: [{{delay: {}}}]", law(service));
        let (mean, scv) = moments(service);
        rho += rate * mean / f64::from(servers);
        slow = slow.max(mean);
        wild = wild.max(scv);
    }
    let text = format!(
        "traffic:\n{traffics}services:\n  station:\n    resources: {{server: {{slots: {servers}, order: priority}}}}\n    \
         endpoints:\n{stations}  work:\n    endpoints:\n{work}"
    );
    // The lowest class waits for the busy periods of the others.
    Model {
        text,
        rate: rates.iter().sum(),
        relaxation: relaxation(slow, wild, f64::from(servers), rho),
        weight: 2.0,
    }
}

pub(super) fn read_priority(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    if metric == "overall_sojourn_mean" {
        return figure(&seen.latency(), "mean");
    }
    let (class, metric) = metric.strip_prefix("class")?.split_once('_')?;
    let response = mean(&seen.traffic(&format!("jobs{class}")).latency)?;
    let value = match metric {
        "sojourn_mean" => response,
        "wait_mean" => response - mean(&seen.endpoint(&format!("work.class{class}")).latency)?,
        _ => return None,
    };
    Some(Reading::Value(value))
}

/// Replicas with one worker each behind a balancer.
fn balanced(params: &Params, pick: &str) -> Model {
    let (rate, service) = (params.number("total_arrival_rate"), given(params, "service"));
    let servers = params.count("servers");
    let text = format!(
        "traffic:\n{}services:\n  station:\n    replicas: {servers}\n    workers: 1\n    endpoints:\n      serve: \
         [{{delay: {}}}]\nroutes:\n  station: {{pick: {pick}}}\n",
        traffic("jobs", rate, "station.serve"),
        law(service),
    );
    let (mean, scv) = moments(service);
    let rho = rate * mean / f64::from(servers);
    Model { text, rate, relaxation: relaxation(mean, scv, 1.0, rho), weight: 1.0 }
}

pub(super) fn round_robin(params: &Params) -> Model {
    balanced(params, "round_robin")
}

pub(super) fn random(params: &Params) -> Model {
    balanced(params, "random")
}

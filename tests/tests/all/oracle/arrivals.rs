//! One station whose requests do not come one by one at a constant rate.

use std::fmt::Write as _;

use hockeystick_tests::vectors::Params;

use super::seen::{Reading, Seen, mean};
use super::stations::{given, read_station};
use super::text::{Model, field, law, moments, relaxation};

/// Shares of a geometric batch size below this are one.
const NEVER: f64 = 1e-12;

fn one_server(traffic: &str, params: &Params) -> String {
    format!(
        "traffic:\n  jobs: {{{traffic}, to: station.serve}}\nservices:\n  station:\n    workers: 1\n    endpoints:\n      \
         serve: [{{delay: {}}}]\n",
        law(given(params, "service")),
    )
}

/// Poisson batches whose members are served one by one.
pub(super) fn batches(params: &Params) -> Model {
    let (rate, size) = (params.number("batch_arrival_rate"), given(params, "batch_size"));
    let (mean_size, fixed) = (field(size, "mean"), size["dist"] == "fixed");
    let together = if fixed { mean_size.to_string() } else { geometric(mean_size) };
    let text = one_server(&format!("rate: {rate}/s, batch: {together}"), params);
    let (mean, scv) = moments(given(params, "service"));
    let rate = rate * mean_size;
    // What arrives together varies the load as much as a service time of the whole batch.
    let spread = if fixed { mean_size } else { 2.0 * mean_size };
    Model { text, rate, relaxation: relaxation(mean, spread + scv, 1.0, rate * mean), weight: 1.0 }
}

/// 1, 2, 3, ...: each as likely as the one before times a constant.
fn geometric(mean: f64) -> String {
    let more = 1.0 - 1.0 / mean;
    let mut text = String::from("{mixture: [");
    let (mut size, mut left) = (1, 1.0);
    while left > NEVER {
        let share = if left * more > NEVER { left * (1.0 - more) } else { left };
        write!(text, "[{}%, {size}], ", share * 100.0).expect("memory");
        left -= share;
        size += 1;
    }
    text + "]}"
}

/// A Markov-modulated Poisson process of two states.
pub(super) fn modulated(params: &Params) -> Model {
    let arrivals = given(params, "arrival_mmpp2");
    let of = |name: &str| field(arrivals, name);
    let (first, second) = (of("rate_state1"), of("rate_state2"));
    let (leave_first, leave_second) = (of("switch_1_to_2"), of("switch_2_to_1"));
    let states = format!("[[{first}/s, {}s], [{second}/s, {}s]]", 1.0 / leave_first, 1.0 / leave_second);
    let text = one_server(&format!("arrivals: {{mmpp: {states}}}"), params);
    let switches = leave_first + leave_second;
    let rate = (first * leave_second + second * leave_first) / switches;
    // Source: the index of dispersion of counts in the long run, Fischer and Meier-Hellstern (1993).
    let dispersion =
        1.0 + 2.0 * (first - second).powi(2) * leave_first * leave_second / (switches.powi(3) * rate);
    let (mean, scv) = moments(given(params, "service"));
    let relaxation = relaxation(mean, scv + dispersion, 1.0, rate * mean) + 2.0 / switches;
    Model { text, rate, relaxation, weight: 1.0 }
}

pub(super) fn read_modulated(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    if metric == "arrival_rate_mean" {
        return Some(Reading::Value(seen.traffic("jobs").offered as f64 / seen.seconds()));
    }
    read_station(seen, metric)
}

/// A server that leaves whenever nobody is there: its vacations are the work of one user who never thinks and lets all
/// others go first.
pub(super) fn vacations(params: &Params) -> Model {
    let (rate, service) = (params.number("arrival_rate"), given(params, "service"));
    let vacation = given(params, "vacation");
    let text = format!(
        "traffic:\n  jobs: {{rate: {rate}/s, to: station.serve, class: job}}\n  rest: {{users: 1, think: 0s, to: \
         station.rest, class: rest, priority: [job, rest]}}\nservices:\n  station:\n    workers: 1\n    order: priority\n    \
         endpoints:\n      serve: [{{delay: {}}}]\n      rest: [{{delay: {}}}]\n",
        law(service),
        law(vacation),
    );
    let ((mean, scv), (rest, _)) = (moments(service), moments(vacation));
    Model {
        text,
        rate,
        relaxation: relaxation(mean, scv, 1.0, rate * mean) + rest,
        weight: 1.0 + 1.0 / (rate * rest),
    }
}

pub(super) fn read_vacations(seen: &Seen<'_>, metric: &str) -> Option<Reading> {
    let jobs = seen.traffic("jobs");
    let sojourn = mean(&jobs.latency)?;
    match metric {
        "sojourn_mean" => Some(Reading::Value(sojourn)),
        "number_in_system_mean" => Some(Reading::Value(jobs.present.mean())),
        // What a job waits is all but its service, which takes as long as the law says on average.
        "wait_mean" => Some(Reading::Value(sojourn - moments(given(seen.params, "service")).0)),
        _ => None,
    }
}

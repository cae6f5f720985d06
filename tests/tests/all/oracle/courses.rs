//! What happens over time: many short runs from the same start, looked at at given instants.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hockeystick_tests::vectors::{Case, Group, Params};
use models::blueprint::Blueprint;
use models::observe::{Ended, Observations};
use models::{Replication, replicate};
use rayon::prelude::*;
use scenarios::{Scenario, Source};
use serde_json::Value;
use sim_core::{CancelFlag, Estimate};

use super::stations::given;
use super::text::{law, moments};
use super::{Figure, seed};
use crate::laws;

/// A family whose metrics are about instants of the run.
pub(super) struct Course {
    pub(super) name: &'static str,
    /// The scenario without `duration`, and what to look at.
    film: fn(&Params) -> Film,
    /// The metric of all runs together.
    read: fn(&Film, &[Vec<Shot>], &str) -> Option<Figure>,
}

/// A scenario and the instants at which it is looked at.
pub(super) struct Film {
    text: String,
    instants: Vec<f64>,
    /// Seconds of the scenario in a second of the configuration.
    slower: f64,
    runs: u32,
}

/// What is seen at an instant, and since the one before.
pub(super) struct Shot {
    at: f64,
    /// Requests in the system.
    number: f64,
    /// Most of them in line.
    longest: f64,
    /// Longest wait in seconds of those who have been served.
    waited: f64,
    /// Those who have left, and their seconds in the system.
    left: f64,
    stayed: f64,
}

pub(super) const COURSES: &[Course] = &[
    Course { name: "mginf", film: snapshots, read: read_snapshots },
    Course { name: "mg1_drain", film: drain, read: read_drain },
    Course { name: "mginf_transient", film: start_up, read: read_instants },
    Course { name: "mm1_transient", film: one_server, read: read_instants },
    Course { name: "mtg_inf_sinusoid", film: day, read: read_day },
    Course { name: "fluid_overload_drain", film: overload, read: read_overload },
];

const DAY: f64 = 86_400.0;
/// Instants of a day at which it is looked at; a phase of a quarter and of a half is among them.
const HOURS: u32 = 24;
/// Days after which the start is forgotten, and days that are looked at.
const DAYS: (u32, u32) = (6, 2);

/// Simulates the configuration and reads its metrics.
pub(super) fn found(course: &Course, group: &Group) -> Vec<(Case, Option<Figure>)> {
    let film = (course.film)(&group.params);
    let plan = film.compile(&group.name);
    let run = |index: u32| {
        let replication = Replication { seed: seed(), index, breakdown: false };
        let seen = replicate(&plan, &replication, &CancelFlag::new());
        assert_eq!(seen.ended, Ended::Complete, "{}", group.name);
        laws::check(&plan, &seen);
        film.shots(&seen)
    };
    let runs: Vec<Vec<Shot>> = (0..film.runs).into_par_iter().map(run).collect();
    let read = |case: &Case| (case.clone(), (course.read)(&film, &runs, &case.metric));
    group.cases.iter().map(read).collect()
}

impl Film {
    fn compile(&self, name: &str) -> Blueprint {
        let last = self.instants.last().expect("there are some");
        let mut text = format!("duration: {}s\nwarmup: 0s\n{}expect:\n", last + 0.001, self.text);
        for edges in self.instants.windows(2) {
            writeln!(text, "  - jobs.in_flight[{}s..{}s] < 1M", edges[0], edges[1]).expect("memory");
        }
        let source =
            Source::from_text(name, text.clone(), "").unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        scenario.compile()
    }

    /// What is seen at each of the instants.
    fn shots(&self, seen: &Observations) -> Vec<Shot> {
        let at = |instant: &f64| {
            let starts = |from: f64| (from - instant).abs() < 1e-6;
            let next = seen.segments.iter().position(|segment| starts(segment.from.as_seconds()));
            let next = next.unwrap_or_else(|| panic!("nothing begins at {instant} s"));
            let traffics = &seen.segments[next].traffics;
            let before = &seen.segments[next - 1];
            Shot {
                at: *instant,
                number: traffics.iter().map(|traffic| traffic.present.n_start).sum::<u64>() as f64,
                longest: before.pools.first().map_or(0.0, |pool| pool.waiting.max as f64),
                waited: before.pools.first().map_or(0.0, |pool| pool.wait.max().unwrap_or(0) as f64 / 1e9),
                left: before.traffics.iter().map(|traffic| traffic.latency.count()).sum::<u64>() as f64,
                stayed: before.traffics.iter().map(|traffic| traffic.latency.sum() as f64 / 1e9).sum(),
            }
        };
        self.instants.iter().map(at).collect()
    }
}

/// Mean of the runs and its standard error.
fn mean_of(values: &[f64]) -> Option<Figure> {
    let value = values.iter().sum::<f64>() / values.len() as f64;
    Some(Figure { value, error: Estimate::standard_error(values)?, zeros: None })
}

/// The variance of the runs and its standard error.
fn variance_of(values: &[f64]) -> Option<Figure> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    mean_of(&values.iter().map(|value| (value - mean).powi(2)).collect::<Vec<_>>())
}

/// The ratio of two sums over the runs and its standard error.
///
/// Source: Law, *Simulation Modeling and Analysis*, 9.5.3, regenerative method: the classical ratio estimator.
fn ratio_of(tops: &[f64], bottoms: &[f64]) -> Option<Figure> {
    let below = bottoms.iter().sum::<f64>();
    let value = tops.iter().sum::<f64>() / below;
    let rests: Vec<f64> = tops.iter().zip(bottoms).map(|(top, bottom)| top - value * bottom).collect();
    let error = Estimate::standard_error(&rests)? * bottoms.len() as f64 / below;
    Some(Figure { value, error, zeros: None })
}

/// The seconds of `number_mean_at_0.1s`.
fn instant(metric: &str) -> Option<f64> {
    metric.rsplit_once("_at_")?.1.strip_suffix('s')?.parse().ok()
}

/// The instants that the families of this kind ask for.
fn usual_instants() -> Vec<f64> {
    vec![0.1, 1.0, 5.0, 20.0, 50.0]
}

/// No line: everybody is served at once, from empty.
fn start_up(params: &Params) -> Film {
    let text = format!(
        "traffic:\n  jobs: {{rate: {}/s, to: station.serve}}\nservices:\n  station: {{endpoints: {{serve: [{{delay: \
         {}}}]}}}}\n",
        params.number("arrival_rate"),
        law(given(params, "service")),
    );
    Film { text, instants: usual_instants(), slower: 1.0, runs: 4_000 }
}

/// The same, looked at again and again when its start is forgotten: often enough to see it empty a hundred times,
/// unless that is hopeless.
fn snapshots(params: &Params) -> Film {
    const LOOKS: u32 = 100;
    let stay = moments(given(params, "service")).0;
    let instants = (0..=LOOKS).map(|look| stay * (30.0 + 2.0 * f64::from(look))).collect();
    let empty = (-params.number("arrival_rate") * stay).exp();
    let runs = if empty > 1e-6 { (2.0 / empty).clamp(1_000.0, 50_000.0) as u32 } else { 1_000 };
    Film { instants, runs, ..start_up(params) }
}

fn read_snapshots(_: &Film, runs: &[Vec<Shot>], metric: &str) -> Option<Figure> {
    // The last instant is where the run ends.
    let looks = |run: &'_ Vec<Shot>| run.len() - 1;
    let each = |of: &dyn Fn(&Shot) -> f64| -> Vec<f64> {
        let sum = |run: &Vec<Shot>| run[..looks(run)].iter().map(of).sum::<f64>() / looks(run) as f64;
        runs.iter().map(sum).collect()
    };
    let mean = mean_of(&each(&|shot| shot.number))?;
    match metric {
        "number_in_system_mean" => Some(mean),
        "number_in_system_var" => mean_of(&each(&|shot| (shot.number - mean.value).powi(2))),
        "prob_empty" => mean_of(&each(&|shot| f64::from(u8::from(shot.number == 0.0)))),
        "number_in_system_p99" => {
            let mut numbers: Vec<f64> =
                runs.iter().flat_map(|run| &run[..looks(run)]).map(|shot| shot.number).collect();
            numbers.sort_by(f64::total_cmp);
            let value = numbers[(0.99 * numbers.len() as f64).ceil() as usize - 1];
            Some(Figure { value, error: 0.0, zeros: None })
        }
        "wait_mean" => mean_of(&each(&|shot| shot.waited)),
        "sojourn_mean" => {
            let later = |of: &dyn Fn(&Shot) -> f64| -> Vec<f64> {
                runs.iter().map(|run| run[1..looks(run)].iter().map(of).sum()).collect()
            };
            ratio_of(&later(&|shot| shot.stayed), &later(&|shot| shot.left))
        }
        _ => None,
    }
}

/// One server with many who are there from the beginning, and one who lets all others go first: its wait ends when
/// the server would be idle for the first time.
fn drain(params: &Params) -> Film {
    let (rate, there) = (params.number("arrival_rate"), params.number("initial_jobs"));
    let service = given(params, "service");
    let (mean, scv) = moments(service);
    let text = format!(
        "traffic:\n  jobs: {{rate: {rate}/s, to: station.serve, class: usual, priority: [usual, last]}}\n  first: {{rate: \
         {{steps: {{0s: {there}M/s, 0.000001s: 0/s}}}}, arrivals: even, to: station.serve, class: usual}}\n  last: \
         {{rate: {{steps: {{0s: 1M/s, 0.0000015s: 0/s}}}}, arrivals: even, to: station.leave, class: last}}\nservices:\n  \
         station:\n    resources: {{server: {{slots: 1, order: priority}}}}\n    endpoints:\n      serve: [{{hold: \
         server, do: [{{delay: {}}}]}}]\n      leave: [{{hold: server, do: [{{delay: 0s}}]}}]\n",
        law(service),
    );
    // Takács, *Introduction to the Theory of Queues*, 1962: busy periods that so many begin.
    let rho = rate * mean;
    let typical = there * mean / (1.0 - rho);
    let spread = (there * (scv + rho) / (1.0 - rho).powi(3)).sqrt() * mean;
    let end = typical + 12.0 * spread;
    Film { text, instants: vec![end, end + 1.0], slower: 1.0, runs: 10_000 }
}

fn read_drain(_: &Film, runs: &[Vec<Shot>], metric: &str) -> Option<Figure> {
    let times: Vec<f64> = runs.iter().map(|shots| shots[0].waited).collect();
    match metric {
        "time_to_empty_mean" => mean_of(&times),
        "time_to_empty_var" => variance_of(&times),
        _ => None,
    }
}

/// One server, from empty or with a few who are there from the beginning.
fn one_server(params: &Params) -> Film {
    let there = params.count("initial_jobs");
    // So many within the first millionth of a second.
    let first = if there > 0 {
        format!(
            "  first: {{rate: {{steps: {{0s: {there}M/s, 0.000001s: 0/s}}}}, arrivals: even, to: station.serve}}\n"
        )
    } else {
        String::new()
    };
    let text = format!(
        "traffic:\n  jobs: {{rate: {}/s, to: station.serve}}\n{first}services:\n  station: {{workers: 1, endpoints: \
         {{serve: [{{delay: {}}}]}}}}\n",
        params.number("arrival_rate"),
        law(given(params, "service")),
    );
    Film { text, instants: usual_instants(), slower: 1.0, runs: if there > 0 { 200_000 } else { 30_000 } }
}

fn read_instants(film: &Film, runs: &[Vec<Shot>], metric: &str) -> Option<Figure> {
    let at = instant(metric)?;
    let shot = film.instants.iter().position(|instant| (instant - at).abs() < 1e-9)?;
    let numbers: Vec<f64> = runs.iter().map(|shots| shots[shot].number).collect();
    if metric.starts_with("number_var") {
        return variance_of(&numbers);
    }
    if metric.starts_with("prob_empty") {
        return mean_of(
            &numbers.iter().map(|number| f64::from(u8::from(*number == 0.0))).collect::<Vec<_>>(),
        );
    }
    metric.contains("_mean_at_").then(|| mean_of(&numbers))?
}

/// A period of the rate is a day: everything is slowed down as much.
fn day(params: &Params) -> Film {
    let slower = DAY / params.number("period");
    let (mean, swing) = (params.number("mean_rate") / slower, params.number("relative_amplitude"));
    let mut service = given(params, "service").clone();
    for name in ["mean", "value", "implied_mean"] {
        if let Some(time) = service[name].as_f64() {
            service[name] = Value::from(time * slower);
        }
    }
    let text = format!(
        "traffic:\n  jobs: {{rate: {{daily: {{mean: {mean}/s, peak: {}/s, at: \"06:00\"}}}}, to: station.serve}}\n\
         services:\n  station: {{endpoints: {{serve: [{{delay: {}}}]}}}}\n",
        mean * (1.0 + swing),
        law(&service),
    );
    let hours = DAYS.0 * HOURS..=(DAYS.0 + DAYS.1) * HOURS;
    let instants = hours.map(|hour| f64::from(hour) * DAY / f64::from(HOURS)).collect();
    Film { text, instants, slower, runs: 1_500 }
}

/// The mean number follows a sine as the rate does: mean, amplitude and lag come from the first harmonic.
fn read_day(film: &Film, runs: &[Vec<Shot>], metric: &str) -> Option<Figure> {
    let angle = |shot: &Shot| std::f64::consts::TAU * (shot.at / DAY);
    let mean = |shots: &[Shot], weight: &dyn Fn(&Shot) -> f64| {
        let days = &shots[1..]; // Whole days: the first instant is the last of another.
        days.iter().map(|shot| weight(shot) * shot.number).sum::<f64>() / days.len() as f64
    };
    let each = |weight: &dyn Fn(&Shot) -> f64| -> Vec<f64> {
        runs.iter().map(|shots| mean(shots, weight)).collect()
    };
    if let Some(phase) = metric.strip_prefix("number_mean_at_phase_") {
        let phase: f64 = phase.parse().ok()?;
        let is_there = |shot: &Shot| ((shot.at / DAY).fract() - phase).abs() < 1e-9;
        let numbers = |shots: &Vec<Shot>| {
            let there: Vec<f64> =
                shots.iter().filter(|shot| is_there(shot)).map(|shot| shot.number).collect();
            there.iter().sum::<f64>() / there.len() as f64
        };
        return mean_of(&runs.iter().map(numbers).collect::<Vec<_>>());
    }
    let average = mean_of(&each(&|_| 1.0))?;
    let sine = mean_of(&each(&|shot| 2.0 * angle(shot).sin()))?;
    let cosine = mean_of(&each(&|shot| 2.0 * angle(shot).cos()))?;
    let amplitude = sine.value.hypot(cosine.value);
    let error = sine.error.hypot(cosine.error);
    let lag = (-cosine.value).atan2(sine.value);
    let figure = |value: f64, error: f64| Some(Figure { value, error, zeros: None });
    match metric {
        "number_mean_time_avg" => Some(average),
        "number_mean_peak" => figure(average.value + amplitude, average.error.hypot(error)),
        "number_mean_trough" => figure(average.value - amplitude, average.error.hypot(error)),
        "peak_lag_after_rate_peak" => {
            let seconds = DAY / std::f64::consts::TAU / film.slower;
            figure(lag * seconds, error / amplitude * seconds)
        }
        _ => None,
    }
}

/// More comes than can be served, then less; as near to a fluid as requests are.
fn overload(params: &Params) -> Film {
    let (capacity, until) = (params.number("capacity"), params.number("overload_duration"));
    let (high, low) = (params.number("overload_rate"), params.number("normal_rate"));
    let text = format!(
        "traffic:\n  jobs: {{rate: {{steps: {{0s: {high}/s, {until}s: {low}/s}}}}, arrivals: even, to: station.serve}}\n\
         services:\n  station: {{workers: 1, endpoints: {{serve: [{{delay: {}s}}]}}}}\n",
        1.0 / capacity,
    );
    let drained = (high - capacity) * until / (capacity - low);
    let instants: BTreeSet<u32> =
        (0..=150).map(|step| (until + drained * f64::from(step) / 100.0) as u32).collect();
    Film { text, instants: instants.into_iter().map(f64::from).collect(), slower: 1.0, runs: 2 }
}

fn read_overload(film: &Film, runs: &[Vec<Shot>], metric: &str) -> Option<Figure> {
    let over = film.instants.first()?;
    let each = |of: &dyn Fn(&[Shot]) -> f64| mean_of(&runs.iter().map(|shots| of(shots)).collect::<Vec<_>>());
    let highest = |shots: &[Shot], of: &dyn Fn(&Shot) -> f64| shots.iter().map(of).fold(0.0, f64::max);
    match metric {
        "backlog_peak" => each(&|shots| highest(shots, &|shot| shot.longest)),
        "max_delay" => each(&|shots| highest(shots, &|shot| shot.waited)),
        "drain_time_after_overload_end" => each(&|shots| {
            let empty = shots.iter().find(|shot| shot.number <= 1.0);
            empty.map_or(f64::NAN, |shot| shot.at - over)
        }),
        _ => None,
    }
}

//! A run over time, and the distribution of its latencies.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::results::{AutoscalerResult, QuantilePoint, Report, Series};

use crate::PlotError;
use crate::found::{busiest, method, title, warning};
use crate::page::{Around, Page};
use crate::palette::{self, BLUE, Color, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION};
use crate::stack::{Axis, Band, Bound, Curve, Ends, Panel, Point, Rule, Stack};
use crate::unit::Unit;

/// What is drawn of a traffic's latency, the thickest line last.
const PERCENTILES: [(&str, Color, f64); 3] =
    [("p50", BLUE, 1.8), ("p99.9", PURPLE, 1.8), ("p99", VERMILLION, 2.6)];

/// Traffics, queues and resources that are drawn, at most.
const SHOWN: usize = 4;

/// Events that are marked.
const MARKED: usize = 12;

/// Letters of their labels.
const LABEL: usize = 32;

/// Services whose replicas are shown by state.
const SERVICES: usize = 3;

/// States of replicas.
const STATES: [(&str, Color, f64); 5] = [
    ("ready", GREEN, 2.2),
    ("warming", SKY, 1.6),
    ("starting", BLUE, 1.6),
    ("draining", PURPLE, 1.6),
    ("down", VERMILLION, 2.2),
];

/// Draws a run over time (latencies, throughput, queues, utilization, replicas, nodes) as far as the report has series,
/// and the distribution of latencies as far as it has distributions.
///
/// # Errors
///
/// [`PlotError::NoSeries`] when the report has neither.
pub fn run_svg(report: &Report) -> Result<String, PlotError> {
    picture(report, Around::Words)
}

/// The picture with or without the words around it.
pub(crate) fn picture(report: &Report, around: Around) -> Result<String, PlotError> {
    let traffics = traffics(report);
    let over_time = report.series.as_ref().and_then(|series| over_time(series, report, &traffics));
    let slow = distribution(&report.distributions, &traffics);
    if over_time.is_none() && slow.is_none() {
        return Err(PlotError::NoSeries);
    }
    let page = Page {
        title: title(&report.head),
        about: report.head.about.clone().unwrap_or_default(),
        footer: method(&[report], &report.head.version, ""),
        warning: warning(&[report]),
    };
    Ok(page.draw(around, |scene, top| {
        let mut at = top;
        for stack in over_time.iter().chain(&slow) {
            at = stack.draw(scene, at) + 12.0;
        }
        at - 12.0
    }))
}

/// The panels over time; none when no series is drawn.
fn over_time(series: &Series, report: &Report, traffics: &[String]) -> Option<Stack> {
    let time = Time::new(series, report, traffics);
    let families = [
        time.latency(),
        time.throughput(),
        time.hits(),
        time.fetches(),
        time.stale_reads(),
        time.queues(),
        time.lag(),
        time.age(),
        time.utilization(),
        time.limits(),
        time.replicas(),
    ];
    let families = families.into_iter().chain(time.lives()).chain([time.nodes()]);
    let panels: Vec<Panel> = families.filter(|panel| !panel.curves.is_empty()).collect();
    if panels.is_empty() {
        return None;
    }
    let bins = series.metrics.values().map(Vec::len).max().unwrap_or(0);
    let to = (series.bin * bins as f64).max(report.window.to);
    let to = if to.is_finite() && to > 0.0 { to } else { 1.0 };
    let warm_up = (report.window.from > 0.0).then(|| Band {
        from: 0.0,
        to: report.window.from.min(to),
        color: GREY,
        label: "warm-up".into(),
    });
    let (bands, rules) = marks(series, to);
    let bands = warm_up.into_iter().chain(bands).collect();
    let axis = Axis {
        title: "time since the start".into(),
        unit: Unit::Clock,
        log: false,
        from: 0.0,
        to,
        ticks: None,
    };
    Some(Stack { axis, bands, rules, panels })
}

/// What happened by the clock: what lasts as a band, what is over at once as a line.
fn marks(series: &Series, to: f64) -> (Vec<Band>, Vec<Rule>) {
    let (mut bands, mut rules) = (Vec::new(), Vec::new());
    for mark in series.events.iter().filter(|mark| mark.from < to).take(MARKED) {
        let label = shortened(&mark.label);
        match mark.to {
            Some(end) => bands.push(Band { from: mark.from, to: end.min(to), color: ORANGE, label }),
            None => rules.push(Rule { x: mark.from, color: ORANGE, label }),
        }
    }
    (bands, rules)
}

/// A label that leaves room for others.
fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL {
        return label.to_owned();
    }
    label.chars().take(LABEL - 1).chain(['\u{2026}']).collect()
}

/// Series by what they measure.
struct Time<'a> {
    series: &'a Series,
    scalers: &'a BTreeMap<String, AutoscalerResult>,
    /// Names of traffics, whose places are their colours.
    traffics: &'a [String],
    /// Names of resources, by their first appearance.
    others: Vec<String>,
}

/// Traffics that have a series or a distribution, by name.
fn traffics(report: &Report) -> Vec<String> {
    let paths = report.series.iter().flat_map(|series| series.metrics.keys());
    let from_series = paths.filter_map(|path| path.strip_prefix("traffic.")?.split('.').next());
    let names: BTreeSet<&str> = from_series.chain(report.distributions.keys().map(String::as_str)).collect();
    names.into_iter().map(str::to_owned).collect()
}

impl<'a> Time<'a> {
    fn new(series: &'a Series, report: &'a Report, traffics: &'a [String]) -> Self {
        let mut time = Self { series, scalers: &report.autoscalers, traffics, others: Vec::new() };
        for figure in ["utilization", "queue_length", "lag", "limit", "replicas", "gets"] {
            for (name, _) in time.largest(figure) {
                if !time.others.contains(&name) {
                    time.others.push(name);
                }
            }
        }
        time
    }

    /// The same colour for the same name in every panel.
    fn color(&self, name: &str) -> Color {
        let place = |names: &[String]| names.iter().position(|other| other == name);
        let other = || place(&self.others).map(|at| self.traffics.len() + at);
        palette::nth(place(self.traffics).or_else(other).unwrap_or(0))
    }

    /// Series of one figure: the subject (`web.workers`) and its values.
    fn of(&self, figure: &str) -> Vec<(String, &'a [Option<f64>])> {
        let found = self.series.metrics.iter().filter_map(|(path, values)| {
            let subject = path.strip_suffix(figure)?.strip_suffix('.')?;
            Some((subject_of(subject), values.as_slice()))
        });
        found.collect()
    }

    /// The same, those with the largest values only and these first.
    fn largest(&self, figure: &str) -> Vec<(String, &'a [Option<f64>])> {
        let mut found = self.of(figure);
        let top = |values: &[Option<f64>]| values.iter().flatten().copied().fold(0.0, f64::max);
        let tops: BTreeMap<String, f64> =
            found.iter().map(|(name, values)| (name.clone(), top(values))).collect();
        let order = busiest(tops, SHOWN);
        found.retain(|(name, _)| order.contains(name));
        found.sort_by_key(|(name, _)| order.iter().position(|other| other == name));
        found
    }

    fn curve(&self, name: String, color: Color, width: f64, values: &[Option<f64>]) -> Curve {
        let middle = |i: usize| (i as f64 + 0.5) * self.series.bin;
        let point = |(i, y): (usize, &Option<f64>)| {
            let y = y.filter(|y| y.is_finite())?;
            Some(Point { x: middle(i), y, interval: None, steady: true, thin: false })
        };
        let points = values.iter().enumerate().map(point).collect();
        Curve { name, color, shape: None, width, dash: None, points }
    }

    fn curves(&self, found: Vec<(String, &'a [Option<f64>])>) -> Vec<Curve> {
        let draw = |(name, values): (String, &'a [Option<f64>])| {
            let color = self.color(&name);
            self.curve(name, color, 2.2, values)
        };
        found.into_iter().map(draw).collect()
    }

    /// Percentiles by colour for one traffic; several traffics by colour, their percentiles by thickness.
    fn latency(&self) -> Panel {
        let shown: Vec<String> = self.largest("latency.p99").into_iter().map(|(name, _)| name).collect();
        let many = shown.len() > 1;
        let mut curves = Vec::new();
        for (percentile, color, width) in
            PERCENTILES.into_iter().filter(|(name, ..)| !many || *name != "p99.9")
        {
            for (name, values) in self.of(&format!("latency.{percentile}")) {
                if !shown.is_empty() && !shown.contains(&name) {
                    continue;
                }
                let (label, color) = if many {
                    (format!("{name} {percentile}"), self.color(&name))
                } else {
                    (percentile.to_owned(), color)
                };
                let mut curve = self.curve(label, color, width, values);
                curve.dash = (many && percentile == "p50").then_some("6 4");
                curves.push(curve);
            }
        }
        let title = if many {
            "Latency: p99, and p50 dashed".to_owned()
        } else {
            format!("Latency of {}", shown.concat())
        };
        panel(&title, Unit::Seconds, 260.0, Ends::Auto, curves)
    }

    fn throughput(&self) -> Panel {
        let mut curves = self.curves(self.largest("throughput"));
        for (name, values) in self.largest("offered") {
            let color = curves.iter().find(|curve| curve.name == name).map_or(GREY, |curve| curve.color);
            let mut offered = self.curve(String::new(), color, 1.5, values);
            offered.dash = Some("2 4");
            curves.push(offered);
        }
        let dotted = curves.iter().any(|curve| curve.dash.is_some());
        let title = if dotted { "Throughput, and offered dotted" } else { "Throughput" };
        panel(title, Unit::Rate, 130.0, Ends::Zero(0.0), curves)
    }

    /// What caches have of what is asked for.
    fn hits(&self) -> Panel {
        let mut panel = panel(
            "Hit ratio of caches",
            Unit::Share,
            130.0,
            Ends::Busy,
            self.curves(self.largest("hit_ratio")),
        );
        panel.bounds.push(Bound { y: 1.0, label: String::new(), color: GREY });
        panel
    }

    /// What is left for those behind them.
    fn fetches(&self) -> Panel {
        let mut curves = self.curves(self.largest("fetches"));
        // Without a fetch there is nothing to see.
        curves.retain(|curve| curve.points.iter().flatten().any(|point| point.y > 0.0));
        panel("Fetches of caches", Unit::Rate, 110.0, Ends::Zero(1.0), curves)
    }

    fn stale_reads(&self) -> Panel {
        let curves = self.curves(self.largest("stale_reads"));
        panel("Reads older than a write", Unit::Share, 110.0, Ends::Busy, curves)
    }

    fn queues(&self) -> Panel {
        panel(
            "Longest queues (requests waiting)",
            Unit::Count(String::new()),
            130.0,
            Ends::Zero(1.0),
            self.curves(self.largest("queue_length")),
        )
    }

    /// Messages that are not dealt with.
    fn lag(&self) -> Panel {
        panel(
            "Lag (messages not dealt with)",
            Unit::Count(String::new()),
            130.0,
            Ends::Zero(1.0),
            self.curves(self.largest("lag")),
        )
    }

    fn age(&self) -> Panel {
        panel(
            "Age of the oldest message",
            Unit::Seconds,
            110.0,
            Ends::Zero(0.0),
            self.curves(self.largest("age")),
        )
    }

    fn utilization(&self) -> Panel {
        let mut panel = panel(
            "Utilization of the busiest resources",
            Unit::Share,
            130.0,
            Ends::Busy,
            self.curves(self.largest("utilization")),
        );
        panel.bounds.push(Bound { y: 1.0, label: String::new(), color: GREY });
        panel
    }

    /// Limits that adapt.
    fn limits(&self) -> Panel {
        panel(
            "Limits (slots of one replica)",
            Unit::Count(String::new()),
            110.0,
            Ends::Zero(1.0),
            self.curves(self.largest("limit")),
        )
    }

    /// Services whose replicas come and go, and have a panel each.
    fn mortal(&self) -> Vec<String> {
        self.largest("ready").into_iter().map(|(name, _)| name).take(SERVICES).collect()
    }

    /// Replicas by their state, a panel for each service whose replicas come and go.
    fn lives(&self) -> Vec<Panel> {
        let draw = |name: String| {
            let curve = |(state, color, width): &(&str, Color, f64)| {
                let values = self.of(state).into_iter().find(|(of, _)| *of == name)?.1;
                let happens = *state == "ready" || values.iter().flatten().any(|y| *y > 0.0);
                happens.then(|| self.curve((*state).to_owned(), *color, *width, values))
            };
            let mut curves: Vec<Curve> = STATES.iter().filter_map(curve).collect();
            let scaler =
                self.scalers.iter().find(|(_, found)| found.service == name).map(|(scaler, _)| scaler);
            let wanted =
                scaler.and_then(|scaler| self.series.metrics.get(&format!("autoscalers.{scaler}.replicas")));
            if let Some(values) = wanted {
                let mut wanted = self.curve("wanted".to_owned(), GREY, 1.5, values);
                wanted.dash = Some("2 4");
                curves.push(wanted);
            }
            panel(&format!("Replicas of {name}"), Unit::Count(String::new()), 110.0, Ends::Zero(1.0), curves)
        };
        self.mortal().into_iter().map(draw).collect()
    }

    /// Nodes, where they are counted, by the name of the autoscaler.
    fn nodes(&self) -> Panel {
        let bare = |(path, values): (String, _)| (path.trim_start_matches("autoscalers.").to_owned(), values);
        let curves = self.curves(self.largest("nodes").into_iter().map(bare).collect());
        panel("Nodes", Unit::Count(String::new()), 90.0, Ends::Zero(1.0), curves)
    }

    /// Of services whose number changes, and whose replicas have no panel of their own.
    fn replicas(&self) -> Panel {
        let mortal = self.mortal();
        let mut of_services = self.largest("replicas");
        // What is wanted stands beside the states.
        of_services.retain(|(name, values)| {
            let mut seen = values.iter().flatten();
            let first = seen.next();
            let is_shown = name.starts_with("autoscalers.") || mortal.contains(name);
            !is_shown && seen.any(|value| Some(value) != first)
        });
        panel("Replicas", Unit::Count(String::new()), 90.0, Ends::Zero(1.0), self.curves(of_services))
    }
}

/// `services.web.resources.workers` is `web.workers`.
fn subject_of(path: &str) -> String {
    let heads = ["traffic.", "services.", "resources.", "queues.", "caches."];
    let bare = heads.iter().find_map(|head| path.strip_prefix(head)).unwrap_or(path);
    bare.replacen(".resources.", ".", 1)
}

fn panel(title: &str, unit: Unit, height: f64, ends: Ends, curves: Vec<Curve>) -> Panel {
    let (references, bounds, keys) = (Vec::new(), Vec::new(), Vec::new());
    Panel { title: title.to_owned(), unit, height, ends, curves, references, bounds, mark: None, keys }
}

/// Latency against the share of requests that are slower, one curve a traffic; none without points.
fn distribution(distributions: &BTreeMap<String, Vec<QuantilePoint>>, traffics: &[String]) -> Option<Stack> {
    let inside = |p: &&QuantilePoint| (0.0..1.0).contains(&p.q) && p.seconds.is_finite();
    let draw = |(name, found): (&String, &Vec<QuantilePoint>)| {
        let points = found.iter().filter(inside).map(|p| {
            Some(Point { x: 1.0 / (1.0 - p.q), y: p.seconds, interval: None, steady: true, thin: false })
        });
        let index = traffics.iter().position(|other| other == name).unwrap_or(0);
        Curve {
            name: name.clone(),
            color: palette::nth(index),
            shape: None,
            width: 2.4,
            dash: None,
            points: points.collect(),
        }
    };
    let curves: Vec<Curve> = distributions.iter().map(draw).collect();
    let far = curves.iter().flat_map(|c| &c.points).flatten().map(|p| p.x).fold(0.0, f64::max);
    if far <= 1.0 {
        return None;
    }
    let axis = Axis {
        title: "share of requests that are not slower".into(),
        unit: Unit::Count(String::new()),
        log: true,
        from: 1.0,
        to: far.max(100.0) * 1.05,
        ticks: Some(nines(far.max(100.0) * 1.05)),
    };
    let panel = panel("Latency distribution", Unit::Seconds, 300.0, Ends::Auto, curves);
    Some(Stack { axis, bands: Vec::new(), rules: Vec::new(), panels: vec![panel] })
}

/// 0 %, 50 %, 90 %, 99 %, 99.9 % and so on, where 1/(1-q) is at most `far`.
fn nines(far: f64) -> Vec<(f64, String)> {
    let mut ticks = vec![(1.0, "0 %".to_owned()), (2.0, "50 %".to_owned()), (10.0, "90 %".to_owned())];
    for decimals in 0..=10_u8 {
        let words = if decimals == 0 {
            "99 %".to_owned()
        } else {
            format!("99.{} %", "9".repeat(usize::from(decimals)))
        };
        ticks.push((10_f64.powi(i32::from(decimals) + 2), words));
    }
    ticks.retain(|(x, _)| *x <= far);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nines_are_powers_of_ten() {
        let words: Vec<String> = nines(1_050.0).into_iter().map(|(_, words)| words).collect();
        assert_eq!(words, ["0 %", "50 %", "90 %", "99 %", "99.9 %"]);
    }

    #[test]
    fn subjects_are_named_as_in_a_scenario() {
        assert_eq!(subject_of("services.web.resources.workers"), "web.workers");
        assert_eq!(subject_of("resources.db_connections"), "db_connections");
        assert_eq!(subject_of("traffic.shoppers"), "shoppers");
    }
}

//! The hockey stick: latency, throughput, errors and utilization against load.

mod groups;
mod panels;

use std::collections::BTreeMap;

use scenarios::results::{Met, Report, SweepReport};

use self::groups::{Group, by_offered, groups, order};

use crate::PlotError;
use crate::fate;
use crate::found::{intervals, method, warning};
use crate::heat;
use crate::page::{Around, Page};
use crate::palette::{self, BLACK, BLUE, Color, GREEN, PURPLE, VERMILLION};
use crate::scene::Shape;
use crate::stack::{Axis, Band, Rule, Stack};
use crate::unit::Unit;

/// What is drawn of the main traffic's latency.
const LATENCIES: [(&str, Color, Shape); 4] = [
    ("mean", BLACK, Shape::Circle),
    ("p50", BLUE, Shape::Square),
    ("p99", VERMILLION, Shape::Triangle),
    ("p99.9", PURPLE, Shape::Diamond),
];

/// The one that stands for all where there is room for one.
const HEADLINE: &str = "p99";
/// Other traffics that are drawn, at most.
const OTHERS: usize = 3;

/// Draws the hockey stick: latency against load with its intervals, theory, knee, capacity and safe range,
/// and throughput, errors and utilization under it.
///
/// With a second path the picture has one curve for each of its values, or a heat map of p99 where these are
/// too many to tell apart.
///
/// # Errors
///
/// [`PlotError::NoPoints`] when no point has a load.
pub fn sweep_svg(sweep: &SweepReport) -> Result<String, PlotError> {
    picture(sweep, Around::Words)
}

/// The picture with or without the words around it.
pub(crate) fn picture(sweep: &SweepReport, around: Around) -> Result<String, PlotError> {
    let chart = Chart::new(sweep)?;
    let page = chart.page();
    if sweep.outcome.is_some() {
        let map = chart.fates();
        return Ok(page.draw(around, |scene, top| map.draw(scene, top)));
    }
    if chart.groups.len() > palette::DISTINCT {
        let map = chart.heat();
        return Ok(page.draw(around, |scene, top| map.draw(scene, top)));
    }
    let stack = chart.stack();
    Ok(page.draw(around, |scene, top| stack.draw(scene, top)))
}

/// A sweep that is being drawn.
struct Chart<'a> {
    sweep: &'a SweepReport,
    path: &'a str,
    unit: Unit,
    /// The main traffic.
    traffic: Option<&'a str>,
    others: Vec<&'a str>,
    groups: Vec<Group<'a>>,
}

impl<'a> Chart<'a> {
    fn new(sweep: &'a SweepReport) -> Result<Self, PlotError> {
        let path = sweep.paths.first().ok_or(PlotError::NoPoints)?;
        let groups = groups(sweep, path);
        if groups.is_empty() {
            return Err(PlotError::NoPoints);
        }
        let mut ranked = by_offered(sweep);
        if let Some(swept) = ranked.iter().position(|name| path.starts_with(&format!("traffic.{name}."))) {
            ranked[..=swept].rotate_right(1);
        }
        let traffic = ranked.first().copied();
        let others = ranked.into_iter().skip(1).take(OTHERS).collect();
        let unit = Unit::named(sweep.units.first().map_or("", String::as_str));
        Ok(Self { sweep, path, unit, traffic, others, groups })
    }

    fn page(&self) -> Page {
        let reports: Vec<&Report> = self.sweep.points.iter().map(|point| &point.result).collect();
        let mut footer = method(&reports, &self.sweep.version, " per point");
        footer.splice(1..1, intervals(&reports));
        Page {
            title: self.sweep.scenario.clone(),
            about: self.sweep.about.clone().unwrap_or_default(),
            footer,
            warning: warning(&reports),
        }
    }

    fn stack(&self) -> Stack {
        let axis = self.axis();
        let panels = vec![self.latency(), self.throughput(&axis), self.errors(), self.utilization()];
        Stack { bands: self.bands(&axis), rules: self.rules(&axis), axis, panels }
    }

    fn loads(&self) -> impl Iterator<Item = f64> {
        self.groups.iter().flat_map(|group| group.points.iter().map(|(load, _)| *load))
    }

    fn axis(&self) -> Axis {
        let low = self.loads().fold(f64::INFINITY, f64::min);
        let high = self.loads().fold(f64::NEG_INFINITY, f64::max);
        let small = self.loads().filter(|load| *load <= high / 10.0).count();
        let log = low > 0.0 && high >= 100.0 * low && 3 * small >= self.loads().count();
        let low = self.sweep.safe.as_ref().map_or(low, |safe| low.min(safe.from));
        let high = self.sweep.capacity.as_ref().map_or(high, |capacity| high.max(capacity.value));
        let (from, to) = match (log, high > low) {
            (true, _) => (low / 1.1, high * 1.1),
            (false, _) if low >= 0.0 && low <= 0.35 * high && high > 0.0 => (0.0, high * 1.02),
            (false, true) => (low - 0.03 * (high - low), high + 0.03 * (high - low)),
            (false, false) if low == 0.0 => (0.0, 1.0),
            (false, false) => (low - 0.1 * low.abs().max(1.0), low + 0.1 * low.abs().max(1.0)),
        };
        let title =
            format!("{}{}{}", self.path, unit_words(&self.unit), if log { ", log scale" } else { "" });
        Axis { title, unit: self.unit.clone(), log, from, to, ticks: self.ticks(from, to, log) }
    }

    /// Of a few counts: the counts themselves, since there is nothing between 2 and 3 replicas.
    fn ticks(&self, from: f64, to: f64, log: bool) -> Option<Vec<(f64, String)>> {
        let mut values: Vec<f64> = self.loads().collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let counts = matches!(self.unit, Unit::Count(_)) && values.iter().all(|value| value.fract() == 0.0);
        let apart = values.windows(2).all(|pair| pair[1] - pair[0] >= (to - from) / 16.0);
        let labels = self.unit.ticks(&values, log);
        (counts && apart && !log).then(|| values.into_iter().zip(labels).collect())
    }

    /// Shaded ranges: the safe one, and where something grows without bound whatever the other paths are.
    fn bands(&self, axis: &Axis) -> Vec<Band> {
        let safe = self.sweep.safe.iter().map(|safe| Band {
            from: safe.from,
            to: safe.to,
            color: GREEN,
            label: format!("safe {}", self.range(safe.from, safe.to)),
        });
        let mut overloaded: BTreeMap<u64, (f64, bool)> = BTreeMap::new();
        for &(load, point) in self.groups.iter().flat_map(|group| &group.points) {
            let all = &mut overloaded.entry(order(load)).or_insert((load, true)).1;
            *all &= !point.result.growth.is_empty();
        }
        let loads: Vec<(f64, bool)> = overloaded.into_values().collect();
        let between = |a: usize, b: usize| self.turn(loads[a].0, loads[b].0);
        let mut bands: Vec<Band> = safe.collect();
        let mut first = 0;
        for run in loads.chunk_by(|a, b| a.1 == b.1) {
            let last = first + run.len() - 1;
            if run[0].1 {
                let from = if first == 0 {
                    self.saturation(axis.from, run[0].0).unwrap_or(run[0].0)
                } else {
                    between(first - 1, first)
                };
                let to = if last + 1 == loads.len() { axis.to } else { between(last, last + 1) };
                bands.push(Band { from, to, color: VERMILLION, label: "grows without bound".into() });
            }
            first = last + 1;
        }
        bands
    }

    /// Where overload begins between two loads: where the bottleneck saturates, else half way.
    fn turn(&self, below: f64, above: f64) -> f64 {
        self.saturation(below, above).unwrap_or(f64::midpoint(below, above))
    }

    /// Where the bottleneck saturates, if that is between two loads.
    fn saturation(&self, below: f64, above: f64) -> Option<f64> {
        let known = self.sweep.points.iter().filter_map(|point| {
            let at = point.result.bottleneck.as_ref()?.saturates_at.as_ref()?;
            (at.path == self.path).then_some(at.value)
        });
        known.into_iter().find(|value| (below..=above).contains(value))
    }

    fn rules(&self, axis: &Axis) -> Vec<Rule> {
        let capacity = self.sweep.capacity.iter().filter(|c| (axis.from..=axis.to).contains(&c.value));
        let rule = capacity.map(|capacity| {
            let more = if capacity.first_not_met.is_none() { "at least " } else { "" };
            let label = format!("capacity {more}{}", self.unit.figure(capacity.value));
            Rule { x: capacity.value, color: BLACK, label }
        });
        rule.chain(self.enough(axis)).collect()
    }

    /// The value from which on, or up to which, every expectation is met.
    fn enough(&self, axis: &Axis) -> Option<Rule> {
        let suffices = self.sweep.suffices.as_ref()?;
        let (x, from) = match (suffices.at_least, suffices.at_most) {
            (Some(least), _) => (least, "from"),
            (None, most) => (most?, "up to"),
        };
        let label = format!("enough {from} {}", self.unit.figure(x));
        (axis.from..=axis.to).contains(&x).then_some(Rule { x, color: BLACK, label })
    }

    fn range(&self, from: f64, to: f64) -> String {
        format!("{} to {}", self.unit.figure(from), self.unit.figure(to))
    }

    /// Loads, ascending, each once.
    fn columns(&self) -> Vec<f64> {
        let mut loads: Vec<f64> = self.loads().collect();
        loads.sort_by(f64::total_cmp);
        loads.dedup();
        loads
    }

    fn fates(&self) -> fate::Map {
        let loads = self.columns();
        let several = self.groups.len() > 1;
        let row = |group: &Group<'a>| {
            let at = |load: &f64| group.points.iter().find(|(at, _)| at.total_cmp(load).is_eq());
            let cells = loads.iter().map(|load| at(load).and_then(|(_, point)| point.outcome)).collect();
            // The path stands beside all of them.
            let value = group.name.split_once(" = ").filter(|_| self.sweep.paths.len() == 2);
            let name = value.map_or_else(|| group.name.clone(), |(_, value)| value.to_owned());
            fate::Row { name: if several { name } else { String::new() }, cells }
        };
        let down = self.sweep.paths.get(1).filter(|_| self.sweep.paths.len() == 2);
        fate::Map {
            title: format!("What becomes of {}", self.sweep.outcome.as_deref().unwrap_or_default()),
            across: format!("{}{}", self.path, unit_words(&self.unit)),
            down: down.filter(|_| several).cloned().unwrap_or_default(),
            columns: self.unit.ticks(&loads, true),
            rows: self.groups.iter().rev().map(row).collect(),
        }
    }

    fn heat(&self) -> heat::Map {
        let loads = self.columns();
        let cell = |group: &Group<'a>, load: f64| {
            let found = &group.points.iter().find(|(at, _)| at.total_cmp(&load).is_eq())?.1.result;
            let latency = self.traffic.and_then(|traffic| found.traffic.get(traffic)?.latency.p99);
            let steady = self.traffic.is_none_or(|traffic| found.is_steady(&format!("traffic.{traffic}")));
            let missed = found.expect.iter().any(|v| v.verdict == Met::NotMet);
            Some(heat::Cell { value: latency.map(|e| e.value), steady, missed })
        };
        let row = |group: &Group<'a>| heat::Row {
            name: group.name.clone(),
            cells: loads.iter().map(|&load| cell(group, load)).collect(),
        };
        heat::Map {
            title: format!(
                "p99{}",
                self.traffic.map_or_else(String::new, |traffic| format!(" of {traffic}"))
            ),
            axis: format!("{}{}", self.path, unit_words(&self.unit)),
            columns: self.unit.ticks(&loads, true),
            rows: self.groups.iter().rev().map(row).collect(),
        }
    }
}
/// What follows an axis' path.
fn unit_words(unit: &Unit) -> String {
    match unit {
        Unit::Rate => " (requests per second)".into(),
        Unit::Count(what) if !what.is_empty() => format!(" ({what})"),
        _ => String::new(),
    }
}

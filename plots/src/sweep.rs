//! The hockey stick: latency, throughput, errors and utilization against load.

use std::collections::BTreeMap;

use scenarios::results::{E, Met, Report, SweepPoint, SweepReport};

use crate::PlotError;
use crate::found::{Limit, busiest, intervals, method, point, quantile, resources, warning};
use crate::heat;
use crate::page::Page;
use crate::palette::{self, BLACK, BLUE, Color, GREEN, GREY, PURPLE, VERMILLION};
use crate::scene::Shape;
use crate::stack::{Axis, Band, Bound, Curve, Ends, Key, Mark, Panel, Reference, Rule, Sample, Stack};
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
/// Resources that are drawn, at most.
const RESOURCES: usize = 4;
const THEORY: &str = "7 5";
const DIAGONAL: &str = "2 4";

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
    let chart = Chart::new(sweep)?;
    let page = chart.page();
    if chart.groups.len() > palette::DISTINCT {
        let map = chart.heat();
        return Ok(page.draw(|scene, top| map.draw(scene, top)));
    }
    let stack = chart.stack();
    Ok(page.draw(|scene, top| stack.draw(scene, top)))
}

/// A point with its load.
type Loaded<'a> = (f64, &'a SweepPoint);

/// The points that differ only in load.
struct Group<'a> {
    /// The values of the other paths, `replicas = 4`; empty where there are none.
    name: String,
    points: Vec<Loaded<'a>>,
}

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
            (false, false) => (low - 0.1 * low.abs().max(1.0), low + 0.1 * low.abs().max(1.0)),
        };
        let title =
            format!("{}{}{}", self.path, unit_words(&self.unit), if log { ", log scale" } else { "" });
        Axis { title, unit: self.unit.clone(), log, from, to, ticks: None }
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
                let from = if first == 0 { axis.from } else { between(first - 1, first) };
                let to = if last + 1 == loads.len() { axis.to } else { between(last, last + 1) };
                bands.push(Band { from, to, color: VERMILLION, label: "grows without bound".into() });
            }
            first = last + 1;
        }
        bands
    }

    /// Where overload begins between two loads: where the bottleneck saturates, else half way.
    fn turn(&self, below: f64, above: f64) -> f64 {
        let saturation = |point: &SweepPoint| {
            let at = point.result.bottleneck.as_ref()?.saturates_at.as_ref()?;
            (at.path == self.path).then_some(at.value)
        };
        let within = |value: &f64| (below..=above).contains(value);
        self.sweep.points.iter().filter_map(saturation).find(within).unwrap_or(f64::midpoint(below, above))
    }

    fn rules(&self, axis: &Axis) -> Vec<Rule> {
        let capacity = self.sweep.capacity.iter().filter(|c| (axis.from..=axis.to).contains(&c.value));
        let rule = capacity.map(|capacity| {
            let more = if capacity.first_not_met.is_none() { "at least " } else { "" };
            let label = format!("capacity {more}{}", self.unit.figure(capacity.value));
            Rule { x: capacity.value, color: BLACK, label }
        });
        rule.collect()
    }

    fn range(&self, from: f64, to: f64) -> String {
        format!("{} to {}", self.unit.figure(from), self.unit.figure(to))
    }

    /// A curve of one metric through the points of a group.
    fn curve(&self, group: &Group<'a>, look: Look, metric: impl Fn(&Report) -> Option<E>) -> Curve {
        let points = group
            .points
            .iter()
            .map(|&(load, found)| point(load, metric(&found.result), found.result.growth.is_empty()));
        Curve {
            name: look.name,
            color: look.color,
            shape: look.shape,
            width: look.width,
            dash: look.dash,
            points: points.collect(),
        }
    }

    /// One curve a group, in the group's colour.
    fn by_group(&self, metric: impl Fn(&Report) -> Option<E>) -> Vec<Curve> {
        let single = self.groups.len() == 1;
        let look = |(i, group): (usize, &Group<'a>)| {
            let look = Look {
                name: group.name.clone(),
                color: if single { BLACK } else { palette::nth(i) },
                shape: Some(Shape::nth(i)),
                ..Look::default()
            };
            self.curve(group, look, &metric)
        };
        self.groups.iter().enumerate().map(look).collect()
    }

    /// The other traffics as thin grey curves.
    fn beside(&self, what: &str, metric: impl Fn(&Report, &str) -> Option<E>) -> Vec<Curve> {
        let [group] = &self.groups[..] else {
            return Vec::new();
        };
        let dashes = [None, Some("9 3"), Some("3 3")];
        let look = |(i, name): (usize, &&'a str)| {
            let label = format!("{name} {what}").trim_end().to_owned();
            let look =
                Look { name: label, color: GREY, shape: None, width: 1.6, dash: dashes[i % dashes.len()] };
            self.curve(group, look, |report| metric(report, name))
        };
        self.others.iter().enumerate().map(look).collect()
    }

    fn latency_curves(&self) -> Vec<Curve> {
        let of = |metric: &'static str| {
            move |report: &Report| quantile(&report.traffic.get(self.traffic?)?.latency, metric)
        };
        let [group] = &self.groups[..] else {
            return self.by_group(of(HEADLINE));
        };
        let mut curves: Vec<Curve> = Vec::new();
        for (name, color, shape) in LATENCIES {
            let look = Look {
                name: name.into(),
                color,
                shape: Some(shape),
                width: if name == HEADLINE { 3.0 } else { 2.2 },
                dash: None,
            };
            let mut curve = self.curve(group, look, of(name));
            for (point, (_, found)) in curve.points.iter_mut().zip(&group.points) {
                let latency =
                    self.traffic.and_then(|traffic| found.result.traffic.get(traffic)).map(|t| &t.latency);
                let thin = latency.is_some_and(|latency| latency.thin.iter().any(|thin| thin == name));
                if let Some(point) = point {
                    point.thin = thin;
                }
            }
            curves.push(curve);
        }
        curves.extend(self.beside(HEADLINE, |report, name| report.traffic.get(name)?.latency.p99));
        curves
    }

    fn latency(&self) -> Panel {
        let curves = self.latency_curves();
        let single = self.groups.len() == 1;
        let mut references = Vec::new();
        let mut models: Vec<&str> = Vec::new();
        let known =
            self.sweep.theory.iter().filter(|theory| single && Some(theory.traffic.as_str()) == self.traffic);
        for theory in known {
            let Some((_, color, _)) = LATENCIES.iter().find(|(name, ..)| *name == theory.metric) else {
                continue;
            };
            references.push(Reference {
                color: *color,
                dash: THEORY,
                width: 1.8,
                points: theory.curve.clone(),
            });
            if !models.contains(&theory.model.as_str()) {
                models.push(&theory.model);
            }
        }
        let mut keys = Vec::new();
        if !references.is_empty() {
            keys.push(Key {
                sample: Sample::Dashes(BLACK, THEORY),
                text: format!("theory: {}", models.join(", ")),
            });
        }
        let points = || curves.iter().flat_map(|curve| &curve.points).flatten();
        if points().any(|point| point.interval.is_some()) {
            keys.push(Key { sample: Sample::Interval, text: "95 % interval".into() });
        }
        if points().any(|point| !point.steady) {
            keys.push(Key { sample: Sample::Hollow, text: "no steady state".into() });
        }
        if points().any(|point| point.thin) {
            keys.push(Key { sample: Sample::Cross, text: "few samples".into() });
        }
        let whose = self.traffic.map_or_else(String::new, |traffic| format!(" of {traffic}"));
        let title = if single { format!("Latency{whose}") } else { format!("{HEADLINE}{whose}") };
        Panel {
            title,
            unit: Unit::Seconds,
            height: 370.0,
            ends: Ends::Auto,
            mark: self.knee(),
            bounds: self.bounds(|metric| {
                let named = LATENCIES.iter().find(|(name, ..)| *name == metric);
                named.map(|(name, color, _)| (*name, *color)).filter(|(name, _)| single || *name == HEADLINE)
            }),
            curves,
            references,
            keys,
        }
    }

    fn knee(&self) -> Option<Mark> {
        let knee = self.sweep.knee.as_ref().filter(|_| self.groups.len() == 1)?;
        let named = ["p99.9", "p99", "p50", "mean"].into_iter().find(|name| knee.text.contains(name));
        let curve = LATENCIES.iter().position(|(name, ..)| *name == named.unwrap_or(HEADLINE))?;
        Some(Mark { x: knee.value, curve, label: format!("knee {}", self.unit.figure(knee.value)) })
    }

    /// Upper bounds that expectations set for a metric of the main traffic.
    fn bounds(&self, known: impl Fn(&str) -> Option<(&'static str, Color)>) -> Vec<Bound> {
        let mut limits: Vec<Limit> = Vec::new();
        for verdict in self.sweep.points.iter().flat_map(|point| &point.result.expect) {
            if let Some(limit) = Limit::parse(&verdict.text).filter(|limit| !limits.contains(limit)) {
                limits.push(limit);
            }
        }
        let bound = |limit: &Limit| {
            let metric = limit.metric.strip_prefix(self.traffic?)?.strip_prefix('.')?;
            let (name, color) = known(metric)?;
            let figure = Unit::of_metric(metric).figure(limit.value);
            Some(Bound { y: limit.value, label: format!("{name} < {figure}"), color })
        };
        limits.iter().filter_map(bound).collect()
    }

    fn throughput(&self, axis: &Axis) -> Panel {
        let metric = |report: &Report| report.traffic.get(self.traffic?)?.throughput;
        let mut curves = self.by_group(metric);
        curves.extend(self.beside("", |report, name| report.traffic.get(name)?.throughput));
        self.name_first(&mut curves);
        let is_rate =
            self.unit == Unit::Rate && self.traffic.is_some_and(|t| self.path == format!("traffic.{t}.rate"));
        let points = if is_rate {
            let steps = |i: u32| {
                let share = f64::from(i) / 100.0;
                if axis.log {
                    axis.from * (axis.to / axis.from).powf(share)
                } else {
                    axis.from + share * (axis.to - axis.from)
                }
            };
            (0..=100).map(steps).map(|load| (load, load)).collect()
        } else {
            let group = &self.groups[0];
            let offered = |(load, found): &Loaded| {
                Some((*load, found.result.traffic.get(self.traffic?)?.offered?.value))
            };
            group.points.iter().filter_map(offered).collect()
        };
        Panel {
            title: "Throughput".into(),
            unit: Unit::Rate,
            height: 92.0,
            ends: if axis.log { Ends::Log } else { Ends::Zero(0.0) },
            curves,
            references: vec![Reference { color: GREY, dash: DIAGONAL, width: 1.6, points }],
            bounds: Vec::new(),
            mark: None,
            keys: vec![Key { sample: Sample::Dashes(GREY, DIAGONAL), text: "offered".into() }],
        }
    }

    /// The main traffic's curve needs a name where other traffics are beside it.
    fn name_first(&self, curves: &mut [Curve]) {
        if let (1, [first, _, ..], Some(traffic)) = (self.groups.len(), curves, self.traffic) {
            traffic.clone_into(&mut first.name);
        }
    }

    fn errors(&self) -> Panel {
        let mut curves = self.by_group(|report| report.traffic.get(self.traffic?)?.errors);
        curves.extend(self.beside("", |report, name| report.traffic.get(name)?.errors));
        self.name_first(&mut curves);
        Panel {
            title: "Errors".into(),
            unit: Unit::Share,
            height: 92.0,
            ends: Ends::Zero(0.01),
            curves,
            references: Vec::new(),
            bounds: self.bounds(|metric| (metric == "errors").then_some(("errors", VERMILLION))),
            mark: None,
            keys: Vec::new(),
        }
    }

    fn utilization(&self) -> Panel {
        let single = self.groups.len() == 1;
        let curves = if single { self.busiest_resources() } else { self.by_group(top_utilization) };
        let title = if single {
            "Utilization of the busiest resources"
        } else {
            "Utilization of the busiest resource"
        };
        Panel {
            title: title.into(),
            unit: Unit::Share,
            height: 92.0,
            ends: Ends::Busy,
            curves,
            references: Vec::new(),
            bounds: vec![Bound { y: 1.0, label: String::new(), color: GREY }],
            mark: None,
            keys: Vec::new(),
        }
    }

    fn busiest_resources(&self) -> Vec<Curve> {
        let mut tops: BTreeMap<String, f64> = BTreeMap::new();
        for point in &self.sweep.points {
            for (name, resource) in resources(&point.result) {
                if let Some(found) = resource.utilization.filter(|e| e.value.is_finite()) {
                    let top = tops.entry(name).or_insert(found.value);
                    *top = top.max(found.value);
                }
            }
        }
        let draw = |(i, name): (usize, String)| {
            let metric = |report: &Report| resources(report).find(|(other, _)| *other == name)?.1.utilization;
            let look = Look {
                name: name.clone(),
                color: palette::nth(i),
                shape: Some(Shape::nth(i)),
                ..Look::default()
            };
            self.curve(&self.groups[0], look, metric)
        };
        busiest(tops, RESOURCES).into_iter().enumerate().map(draw).collect()
    }

    fn heat(&self) -> heat::Map {
        let mut loads: Vec<f64> = self.loads().collect();
        loads.sort_by(f64::total_cmp);
        loads.dedup();
        let cell = |group: &Group<'a>, load: f64| {
            let found = &group.points.iter().find(|(at, _)| *at == load)?.1.result;
            let latency = self.traffic.and_then(|traffic| found.traffic.get(traffic)?.latency.p99);
            let missed = found.expect.iter().any(|v| v.verdict == Met::NotMet);
            Some(heat::Cell { value: latency.map(|e| e.value), steady: found.growth.is_empty(), missed })
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

/// How a curve looks.
struct Look {
    name: String,
    color: Color,
    shape: Option<Shape>,
    width: f64,
    dash: Option<&'static str>,
}

impl Default for Look {
    fn default() -> Self {
        Self { name: String::new(), color: BLACK, shape: None, width: 2.2, dash: None }
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

/// Bits that sort as the numbers do, for numbers that are not negative.
fn order(load: f64) -> u64 {
    let bits = (load + 0.0).to_bits();
    if load < 0.0 { !bits } else { bits | 1 << 63 }
}

/// Traffics by what they offer at most, the largest first.
fn by_offered(sweep: &SweepReport) -> Vec<&str> {
    let mut offered: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, traffic) in sweep.points.iter().flat_map(|point| &point.result.traffic) {
        let most = offered.entry(name).or_insert(0.0);
        *most = most.max(traffic.offered.map_or(0.0, |e| e.value));
    }
    let mut ranked: Vec<(&str, f64)> = offered.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.into_iter().map(|(name, _)| name).collect()
}

fn top_utilization(report: &Report) -> Option<E> {
    let known = resources(report).filter_map(|(_, resource)| resource.utilization);
    known.max_by(|a, b| a.value.total_cmp(&b.value))
}

/// The points of each combination of the other paths, by load.
fn groups<'a>(sweep: &'a SweepReport, path: &str) -> Vec<Group<'a>> {
    let others: Vec<(&String, Unit)> = sweep
        .paths
        .iter()
        .enumerate()
        .skip(1)
        .map(|(i, path)| (path, Unit::named(sweep.units.get(i).map_or("", String::as_str))))
        .collect();
    let mut groups: BTreeMap<Vec<u64>, Group<'a>> = BTreeMap::new();
    for point in &sweep.points {
        let Some(&load) = point.at.get(path).filter(|load| load.is_finite()) else {
            continue;
        };
        let values: Vec<f64> =
            others.iter().map(|(path, _)| point.at.get(*path).copied().unwrap_or(0.0)).collect();
        let group = groups.entry(values.iter().map(|&v| order(v)).collect()).or_insert_with(|| {
            let part = |((path, unit), value): (&(&String, Unit), &f64)| {
                format!("{} = {}", short(path), unit.figure(*value))
            };
            let name = others.iter().zip(&values).map(part).collect::<Vec<_>>().join(", ");
            Group { name, points: Vec::new() }
        });
        group.points.push((load, point));
    }
    let mut groups: Vec<Group<'a>> = groups.into_values().collect();
    for group in &mut groups {
        group.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    groups
}

/// The last part of a path.
fn short(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

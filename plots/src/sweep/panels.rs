//! The four panels: latency, throughput, errors and utilization.

use std::collections::BTreeMap;

use scenarios::results::{E, Report};

use super::groups::{Group, Loaded};
use super::{Chart, HEADLINE, LATENCIES};
use crate::found::{Limit, busiest, point, quantile, resources};
use crate::palette::{self, BLACK, Color, GREY, VERMILLION};
use crate::scene::Shape;
use crate::stack::{Axis, Bound, Curve, Ends, Key, Mark, Panel, Reference, Sample};
use crate::unit::Unit;

/// Resources that are drawn, at most.
const RESOURCES: usize = 4;
const THEORY: &str = "7 5";
const DIAGONAL: &str = "2 4";

impl<'a> Chart<'a> {
    /// One curve a group, in the group's colour.
    fn by_group(&self, metric: impl Fn(&Report) -> Option<E>) -> Vec<Curve> {
        let single = self.groups.len() == 1;
        let look = |(i, group): (usize, &Group<'a>)| {
            let look = Look {
                name: group.name.clone(),
                traffic: self.traffic,
                color: if single { BLACK } else { palette::nth(i) },
                shape: Some(Shape::nth(i)),
                ..Look::default()
            };
            curve(group, look, &metric)
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
            let look = Look {
                name: label,
                traffic: Some(name),
                color: GREY,
                shape: None,
                width: 1.6,
                dash: dashes[i % dashes.len()],
            };
            curve(group, look, |report| metric(report, name))
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
                traffic: self.traffic,
                color,
                shape: Some(shape),
                width: if name == HEADLINE { 3.0 } else { 2.2 },
                dash: None,
            };
            let mut curve = curve(group, look, of(name));
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

    pub(super) fn latency(&self) -> Panel {
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

    pub(super) fn throughput(&self, axis: &Axis) -> Panel {
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

    pub(super) fn errors(&self) -> Panel {
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

    pub(super) fn utilization(&self) -> Panel {
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
            curve(&self.groups[0], look, metric)
        };
        busiest(tops, RESOURCES).into_iter().enumerate().map(draw).collect()
    }
}

/// How a curve looks.
struct Look<'a> {
    name: String,
    /// The traffic that it is about, if any.
    traffic: Option<&'a str>,
    color: Color,
    shape: Option<Shape>,
    width: f64,
    dash: Option<&'static str>,
}

impl Default for Look<'_> {
    fn default() -> Self {
        Self { name: String::new(), traffic: None, color: BLACK, shape: None, width: 2.2, dash: None }
    }
}

/// A curve of one metric through the points of a group.
fn curve(group: &Group, look: Look<'_>, metric: impl Fn(&Report) -> Option<E>) -> Curve {
    let Look { name, traffic, color, shape, width, dash } = look;
    let path = traffic.map(|traffic| format!("traffic.{traffic}"));
    let points = group.points.iter().map(|(load, found)| {
        let result = &found.result;
        let steady = path.as_ref().map_or(result.growth.is_empty(), |path| result.is_steady(path));
        point(*load, metric(result), steady)
    });
    Curve { name, color, shape, width, dash, points: points.collect() }
}

fn top_utilization(report: &Report) -> Option<E> {
    let known = resources(report).filter_map(|(_, resource)| resource.utilization);
    known.max_by(|a, b| a.value.total_cmp(&b.value))
}

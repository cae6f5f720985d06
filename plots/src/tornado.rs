//! What the ends of a path's range do to a metric: a bar for each of the leading paths, the longest on top.

use scenarios::results::{E, Head, PathEffect, SensitivityReport};

use crate::PlotError;
use crate::found::title;
use crate::page::{Around, Page};
use crate::palette::{BLUE, Color, VERMILLION};
use crate::scale::{Scale, round_step};
use crate::scene::{Anchor, Paint, Rect, Scene, Text};
use crate::stack::{LABEL, MARGIN, PAGE};
use crate::text::{squeeze, width};
use crate::unit::Unit;

const ROW: f64 = 46.0;
const BAR: f64 = 26.0;
/// Widest name of a path.
const NAMES: f64 = 400.0;
/// Room for the value of the path beside either end of its bar.
const VALUE: f64 = 96.0;
const SMALL: f64 = 14.0;
const GRID: &str = "#e8e8e8";
const WORDS: &str = "#333333";

/// Draws the metric at both ends of the leading paths, all others as they stand: a tornado.
///
/// # Errors
///
/// [`PlotError::NoEffects`] when no path moves the metric.
pub fn sensitivity_svg(report: &SensitivityReport) -> Result<String, PlotError> {
    picture(report, Around::Words)
}

/// The picture with or without the words around it.
pub(crate) fn picture(report: &SensitivityReport, around: Around) -> Result<String, PlotError> {
    let tornado = Tornado::new(report).ok_or(PlotError::NoEffects)?;
    let base = tornado.unit.figure(tornado.base);
    let page = Page {
        title: title(&report.head),
        about: format!(
            "{} with one path moved and all others as they stand, where it is {base}",
            report.metric
        ),
        footer: made(report),
        warning: (!report.complete).then(|| "It was cut short: some of it is missing.".to_owned()),
    };
    Ok(page.draw(around, |scene, top| tornado.draw(scene, top)))
}

/// How the figures were made.
pub(crate) fn made(report: &SensitivityReport) -> Vec<String> {
    let SensitivityReport { trajectories, paths, head: Head { seed, version, .. }, .. } = report;
    vec![
        "whiskers are 95 % intervals; all points on the same arrivals and needs".to_owned(),
        format!("the leading of {} paths by Morris screening, {trajectories} trajectories", paths.len()),
        format!("seed {seed}"),
        format!("hockeystick {version}"),
    ]
}

struct Tornado<'a> {
    unit: Unit,
    base: f64,
    paths: Vec<&'a PathEffect>,
    /// Where the names end.
    names: f64,
}

impl<'a> Tornado<'a> {
    fn new(report: &'a SensitivityReport) -> Option<Self> {
        let paths: Vec<&PathEffect> =
            report.paths.iter().filter(|path| path.low.is_some() || path.high.is_some()).collect();
        let names = paths.iter().map(|path| width(&path.path, LABEL, false)).fold(120.0, f64::max).min(NAMES);
        let base = report.base?.value;
        (!paths.is_empty()).then(|| Self { unit: Unit::of_metric(&report.metric), base, paths, names })
    }

    /// From the names to the right margin, with room for words beside the bars.
    fn scale(&self) -> Scale {
        let ends = self.paths.iter().flat_map(|path| [path.low, path.high]).flatten();
        let values =
            ends.flat_map(|e| [Some(e.value), e.lo, e.hi]).flatten().filter(|value| value.is_finite());
        let (low, high) =
            values.fold((self.base, self.base), |(low, high), value| (low.min(value), high.max(value)));
        let step = round_step(((high - low) / 6.0).max(f64::MIN_POSITIVE));
        let (from, to) = ((low / step).floor() * step, (high / step).ceil() * step);
        let (start, end) = (MARGIN + self.names + VALUE, PAGE - MARGIN - VALUE);
        Scale { unit: self.unit.clone(), log: false, from, to, start, end }
    }

    fn draw(&self, scene: &mut Scene, top: f64) -> f64 {
        let x = self.scale();
        let bottom = top + ROW * self.paths.len() as f64 + 8.0;
        let ticks = x.ticks(90.0);
        for (&tick, label) in ticks.iter().zip(x.unit.ticks(&ticks, false)) {
            scene.line((x.at(tick), top), (x.at(tick), bottom), &Paint::line(GRID, 1.0));
            scene.text(&Text::new(x.at(tick), bottom + 22.0, LABEL, WORDS, label).anchor(Anchor::Middle));
        }
        for (row, path) in self.paths.iter().enumerate() {
            self.draw_row(scene, &x, path, top + ROW * (row as f64 + 0.5));
        }
        let base = x.at(self.base);
        scene.line((base, top), (base, bottom), &Paint::line("#444444", 1.6).class("zero"));
        keys(scene, bottom + 48.0);
        bottom + 62.0
    }

    fn draw_row(&self, scene: &mut Scene, x: &Scale, path: &PathEffect, y: f64) {
        let mut name =
            Text::new(MARGIN, y + 5.5, LABEL, WORDS, squeeze(&path.path, LABEL, false, self.names));
        name.full = Some(path.path.clone());
        scene.text(&name);
        let ends = [(path.low, path.from, VERMILLION), (path.high, path.to, BLUE)];
        let known = |(metric, number, color): (Option<E>, f64, Color)| {
            metric.filter(|e| e.value.is_finite()).map(|metric| End { metric, number, color })
        };
        let mut ends: Vec<End> = ends.into_iter().filter_map(known).collect();
        let far = |end: &End| (end.metric.value - self.base).abs();
        ends.sort_by(|a, b| far(b).total_cmp(&far(a)));
        let rises = |end: &End| end.metric.value >= self.base;
        for (row, end) in ends.iter().enumerate() {
            end.draw(scene, x, self.base, y);
            // Where both ends are on one side, the words of the shorter bar would lie on the longer one.
            if row == 0 || rises(end) != rises(&ends[0]) {
                end.label(scene, x, worded(&path.unit, end.number, path.to), rises(end), y);
            }
        }
    }
}

/// The value of a path: `3.2 ms`, `3 replicas`, `1 replica`.
fn worded(unit: &str, number: f64, like: f64) -> String {
    let one = number.total_cmp(&1.0).is_eq() && unit.len() > 2;
    let unit = if one { unit.trim_end_matches('s') } else { unit };
    Unit::named(unit).figure_like(number, like, true)
}

/// The metric at one end of a path's range.
#[derive(Clone, Copy)]
struct End {
    metric: E,
    number: f64,
    color: Color,
}

impl End {
    /// A bar from the metric as it stands, and its interval.
    fn draw(&self, scene: &mut Scene, x: &Scale, base: f64, y: f64) {
        let E { value, lo, hi } = self.metric;
        let (left, right) = (x.at(base.min(value)), x.at(base.max(value)));
        let bar = Rect { left, right: right.max(left + 0.5), top: y - BAR / 2.0, bottom: y + BAR / 2.0 };
        scene.rect(bar, &Paint::fill(self.color.line).class("bar"));
        let (Some(lo), Some(hi)) = (lo, hi) else { return };
        let paint = Paint::line(WORDS, 1.6).class("interval");
        scene.line((x.at(lo), y), (x.at(hi), y), &paint);
        for end in [lo, hi] {
            scene.line((x.at(end), y - 5.0), (x.at(end), y + 5.0), &paint);
        }
    }

    /// The value of the path, beyond the bar.
    fn label(&self, scene: &mut Scene, x: &Scale, words: String, rises: bool, y: f64) {
        let E { value, lo, hi } = self.metric;
        let (reach, gap, anchor) = if rises {
            (hi.unwrap_or(value).max(value), 8.0, Anchor::Start)
        } else {
            (lo.unwrap_or(value).min(value), -8.0, Anchor::End)
        };
        let text = Text::new(x.at(reach) + gap, y + 5.0, SMALL, self.color.ink, words);
        scene.text(&text.anchor(anchor).halo());
    }
}

/// What the colours mean.
fn keys(scene: &mut Scene, y: f64) {
    let mut at = MARGIN;
    for (color, words) in [(VERMILLION, "the path at the start of its range"), (BLUE, "at its end")] {
        let swatch = Rect { left: at, right: at + 16.0, top: y - 12.0, bottom: y + 2.0 };
        scene.rect(swatch, &Paint::fill(color.line));
        scene.text(&Text::new(at + 24.0, y, SMALL, WORDS, words));
        at += 24.0 + width(words, SMALL, false) + 32.0;
    }
}

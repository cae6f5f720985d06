//! Panels above one another on one horizontal axis: the layout of sweeps and of runs over time.

use crate::palette::{BLACK, Color};
use crate::place::{Placer, spread};
use crate::scale::{Scale, decades, from_zero};
use crate::scene::{Anchor, Paint, Rect, Scene, Shape, Text};
use crate::text::{squeeze, width};
use crate::unit::Unit;

/// Width of every picture.
pub(crate) const PAGE: f64 = 1200.0;
/// Blank paper at the left and right edges.
pub(crate) const MARGIN: f64 = 28.0;
/// Size of labels and ticks.
pub(crate) const LABEL: f64 = 16.0;
/// Size of panel titles.
const TITLE: f64 = 17.0;
/// Size of keys.
const KEY: f64 = 14.0;
/// From the top of a panel's title to its plot.
const HEAD: f64 = 34.0;
/// A line of labels above the first plot.
const ROW: f64 = 23.0;
/// Between panels.
const GAP: f64 = 16.0;
/// Under the last plot: ticks and the axis' title.
const FOOT: f64 = 62.0;
/// Widest label at the end of a curve.
const WIDEST: f64 = 215.0;

/// Height of a name at the end of a curve.
const NAME: f64 = 20.0;

const GRID: &str = "#e8e8e8";
const AXIS: &str = "#8a8a8a";
const WORDS: &str = "#333333";

/// A measured point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Its 95 % interval.
    pub(crate) interval: Option<(f64, f64)>,
    /// Whether it is a steady state; drawn hollow where it is not.
    pub(crate) steady: bool,
    /// Whether too few samples support it; drawn as a cross.
    pub(crate) thin: bool,
}

/// A curve through points; `None` breaks it.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) color: Color,
    /// The shape of its points; none draws the line alone.
    pub(crate) shape: Option<Shape>,
    pub(crate) width: f64,
    pub(crate) dash: Option<&'static str>,
    pub(crate) points: Vec<Option<Point>>,
}

impl Curve {
    fn known(&self) -> impl DoubleEndedIterator<Item = &Point> {
        self.points.iter().flatten()
    }
}

/// A thin line to compare with: a closed form, the diagonal.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) color: Color,
    pub(crate) dash: &'static str,
    pub(crate) width: f64,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A level that should not be crossed.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) y: f64,
    pub(crate) label: String,
    pub(crate) color: Color,
}

/// A place on a curve with a name.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) x: f64,
    /// Which of the panel's curves.
    pub(crate) curve: usize,
    pub(crate) label: String,
}

/// How the vertical axis ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ends {
    /// From zero, or logarithmic where the figures span more than two decades.
    Auto,
    /// From zero to a round figure, at least this one.
    Zero(f64),
    /// Logarithmic.
    Log,
    /// From 0 to a little over 100 %.
    Busy,
}

/// An entry of the key beside a panel's title.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) sample: Sample,
    pub(crate) text: String,
}

/// What an entry of the key shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// A dashed line.
    Dashes(Color, &'static str),
    /// A shaded interval.
    Interval,
    /// Hollow points.
    Hollow,
    /// Crosses.
    Cross,
}

/// One plot.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    /// Height of the plot, at least.
    pub(crate) height: f64,
    pub(crate) ends: Ends,
    pub(crate) curves: Vec<Curve>,
    pub(crate) references: Vec<Reference>,
    pub(crate) bounds: Vec<Bound>,
    pub(crate) mark: Option<Mark>,
    pub(crate) keys: Vec<Key>,
}

/// A shaded range of the horizontal axis, through all panels.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) color: Color,
    pub(crate) label: String,
}

/// A vertical line through all panels.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) x: f64,
    pub(crate) color: Color,
    pub(crate) label: String,
}

/// The horizontal axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) log: bool,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Where ticks stand and what they say, if not at round figures.
    pub(crate) ticks: Option<Vec<(f64, String)>>,
}

/// Panels above one another.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) axis: Axis,
    pub(crate) bands: Vec<Band>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) panels: Vec<Panel>,
}

/// A plot's two axes.
struct Frame {
    x: Scale,
    y: Scale,
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    fn rect(&self) -> Rect {
        Rect { left: self.x.start, top: self.y.end, right: self.x.end, bottom: self.y.start }
    }
}

impl Stack {
    /// Draws the panels from `top` down and returns where they end.
    pub(crate) fn draw(&self, scene: &mut Scene, top: f64) -> f64 {
        let vertical: Vec<Scale> = self.panels.iter().map(Panel::scale).collect();
        let x = self.horizontal(&vertical);
        let strip = self.strip(&x);
        let rows = strip.iter().map(|(row, _)| row + 1).max().unwrap_or(0);
        let mut at = top;
        for (index, (panel, y)) in self.panels.iter().zip(vertical).enumerate() {
            let keys_top = at;
            at += HEAD + panel.extra_key_rows() * ROW;
            if index == 0 {
                at += rows as f64 * ROW;
                for (row, text) in &strip {
                    scene.text(&Text { y: at - 8.0 - *row as f64 * ROW, ..text.clone() });
                }
            }
            panel.draw_head(scene, keys_top);
            let y = Scale { start: at + panel.plot_height(), end: at, ..y };
            let frame = Frame { x: x.clone(), y };
            self.draw_ground(scene, &frame, index == 0);
            panel.draw(scene, &frame, &self.rules);
            at += panel.plot_height() + GAP;
        }
        self.draw_foot(scene, &x, at - GAP);
        at - GAP + FOOT
    }

    /// The horizontal axis, between room for ticks and room for labels.
    fn horizontal(&self, vertical: &[Scale]) -> Scale {
        let tick_width = |scale: &Scale| {
            let labels = scale.unit.ticks(&tick_values(scale), scale.log);
            labels.iter().map(|label| width(label, LABEL, false)).fold(0.0, f64::max)
        };
        let left = vertical.iter().map(tick_width).fold(40.0, f64::max);
        let names = self.panels.iter().flat_map(|panel| &panel.curves).map(|curve| &curve.name);
        let right = names.map(|name| width(name, LABEL, true)).fold(24.0, f64::max).min(WIDEST);
        Scale {
            unit: self.axis.unit.clone(),
            log: self.axis.log,
            from: self.axis.from,
            to: self.axis.to,
            start: MARGIN + left + 10.0,
            end: PAGE - MARGIN - right - 20.0,
        }
    }

    /// The labels of rules and bands, each with its row above the first plot.
    fn strip(&self, x: &Scale) -> Vec<(usize, Text)> {
        let rules = self.rules.iter().map(|rule| (x.at(rule.x), rule.color, &rule.label));
        let bands =
            self.bands.iter().map(|band| ((x.at(band.from) + x.at(band.to)) / 2.0, band.color, &band.label));
        let mut taken: Vec<(usize, Text)> = Vec::new();
        for (middle, color, label) in rules.chain(bands).filter(|(_, _, label)| !label.is_empty()) {
            let half = width(label, LABEL, true) / 2.0;
            let middle = middle.clamp(MARGIN + half, (PAGE - MARGIN - half).max(MARGIN + half));
            let text = Text::new(middle, 0.0, LABEL, color.ink, label.clone()).bold().anchor(Anchor::Middle);
            let room =
                Rect { left: text.bounds().left - 12.0, right: text.bounds().right + 12.0, ..text.bounds() };
            let free =
                |row: &usize| !taken.iter().any(|(other, t)| other == row && t.bounds().overlaps(&room));
            let row = (0..).find(free).unwrap_or(0);
            taken.push((row, text));
        }
        taken
    }

    /// Bands, grid and rules: what lies under the curves.
    fn draw_ground(&self, scene: &mut Scene, frame: &Frame, first: bool) {
        let plot = frame.rect();
        for band in &self.bands {
            let at = Rect { left: frame.x.at(band.from), right: frame.x.at(band.to), ..plot };
            scene.rect(at, &Paint::fill(band.color.line).opacity(0.11).class("band"));
            if first {
                let bar = Rect { top: plot.top - 4.0, bottom: plot.top, ..at };
                scene.rect(bar, &Paint::fill(band.color.line));
            }
        }
        let ticks = tick_values(&frame.y);
        for (&value, label) in ticks.iter().zip(frame.y.unit.ticks(&ticks, frame.y.log)) {
            let y = frame.y.at(value);
            scene.line((plot.left, y), (plot.right, y), &Paint::line(GRID, 1.0));
            scene.text(&Text::new(plot.left - 8.0, y + 5.5, LABEL, WORDS, label).anchor(Anchor::End));
        }
        for (value, _) in self.horizontal_ticks(&frame.x) {
            let x = frame.x.at(value);
            scene.line((x, plot.bottom), (x, plot.bottom + 5.0), &Paint::line(AXIS, 1.0));
        }
        scene.line((plot.left, plot.bottom), (plot.right, plot.bottom), &Paint::line(AXIS, 1.2));
        for rule in &self.rules {
            let x = frame.x.at(rule.x);
            scene.line(
                (x, plot.top - if first { 6.0 } else { 0.0 }),
                (x, plot.bottom),
                &Paint::line(rule.color.line, 2.0),
            );
        }
    }

    fn horizontal_ticks(&self, x: &Scale) -> Vec<(f64, String)> {
        let fits = |ticks: &[(f64, String)]| {
            ticks.windows(2).all(|pair| {
                let half = |tick: &(f64, String)| width(&tick.1, LABEL, false) / 2.0;
                x.at(pair[1].0) - x.at(pair[0].0) >= half(&pair[0]) + half(&pair[1]) + 14.0
            })
        };
        if let Some(ticks) = &self.axis.ticks {
            return ticks.clone();
        }
        let labelled = |spacing: f64| {
            let values = x.ticks(spacing);
            let labels = x.unit.ticks(&values, x.log);
            values.into_iter().zip(labels).collect::<Vec<_>>()
        };
        [80.0, 110.0, 150.0, 220.0, 300.0]
            .map(labelled)
            .into_iter()
            .find(|ticks| fits(ticks))
            .unwrap_or_default()
    }

    fn draw_foot(&self, scene: &mut Scene, x: &Scale, y: f64) {
        for (value, label) in self.horizontal_ticks(x) {
            scene.text(&Text::new(x.at(value), y + 23.0, LABEL, WORDS, label).anchor(Anchor::Middle));
        }
        let middle = f64::midpoint(x.start, x.end);
        let title = squeeze(&self.axis.title, LABEL, true, PAGE - 2.0 * MARGIN);
        let half = width(&title, LABEL, true) / 2.0;
        let middle = middle.clamp(MARGIN + half, PAGE - MARGIN - half);
        scene.text(&Text::new(middle, y + 49.0, LABEL, WORDS, title).bold().anchor(Anchor::Middle));
    }
}

/// Pixels between ticks of a vertical axis, at least.
fn spacing(height: f64) -> f64 {
    if height > 200.0 { 46.0 } else { 29.0 }
}

/// Ticks of a vertical axis.
fn tick_values(y: &Scale) -> Vec<f64> {
    y.ticks(spacing(y.length()))
}

impl Panel {
    /// As high as asked for, or as the names of its curves need.
    fn plot_height(&self) -> f64 {
        let names = self.curves.iter().filter(|curve| !curve.name.is_empty()).count();
        self.height.max(NAME * names as f64)
    }

    /// The vertical axis, still at the top of the page.
    fn scale(&self) -> Scale {
        let ends = |p: &Point| {
            let interval = p.interval.filter(|_| p.steady);
            [Some(p.y), interval.map(|(lo, _)| lo), interval.map(|(_, hi)| hi)]
        };
        let values = self.curves.iter().flat_map(Curve::known).flat_map(ends).flatten();
        let counted = self.references.iter().filter(|_| self.ends != Ends::Auto).flat_map(|r| &r.points);
        let values = values.chain(counted.map(|(_, y)| *y));
        let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        let high = values.iter().copied().fold(0.0, f64::max);
        let low = values.iter().copied().filter(|&v| v > 0.0).fold(f64::INFINITY, f64::min);
        let log = low < high && (self.ends == Ends::Log || self.ends == Ends::Auto && high > 100.0 * low);
        let reach = if log { 10.0 } else { 1.6 };
        let near = self.bounds.iter().map(|b| b.y).filter(|&y| y <= reach * high);
        let top = near.fold(high, f64::max);
        let count = (self.plot_height() / spacing(self.plot_height())).floor();
        let (from, to) = match self.ends {
            _ if log => decades(low, 1.05 * top),
            Ends::Busy => (0.0, 1.1_f64.max(1.02 * high)),
            Ends::Zero(least) => from_zero(top.max(least), count),
            Ends::Auto | Ends::Log => from_zero(1.02 * top, count),
        };
        Scale { unit: self.unit.clone(), log, from, to, start: self.plot_height(), end: 0.0 }
    }

    /// The title with what the axis does to the figures.
    fn heading(&self) -> String {
        if self.scale().log { format!("{} (log scale)", self.title) } else { self.title.clone() }
    }

    fn title_width(&self) -> f64 {
        width(&self.heading(), TITLE, true).min(PAGE - 2.0 * MARGIN)
    }

    fn keys_width(&self) -> f64 {
        self.keys.iter().map(Key::width).sum()
    }

    /// Lines that the key needs beside the title's.
    fn extra_key_rows(&self) -> f64 {
        let all = self.title_width() + 30.0 + self.keys_width();
        if all > PAGE - 2.0 * MARGIN { 1.0 } else { 0.0 }
    }

    fn draw_head(&self, scene: &mut Scene, top: f64) {
        let title = squeeze(&self.heading(), TITLE, true, PAGE - 2.0 * MARGIN);
        scene.text(&Text::new(MARGIN, top + 18.0, TITLE, "#111111", title).bold());
        let y = top + 18.0 + self.extra_key_rows() * ROW;
        let mut x = (PAGE - MARGIN - self.keys_width()).max(MARGIN);
        for key in &self.keys {
            key.draw(scene, x, y);
            x += key.width();
        }
    }

    fn draw(&self, scene: &mut Scene, frame: &Frame, rules: &[Rule]) {
        let plot = frame.rect();
        let mut placer = Placer::new(plot);
        for rule in rules {
            let x = frame.x.at(rule.x);
            placer.note_line(&[(x, plot.top), (x, plot.bottom)]);
        }
        for curve in &self.curves {
            draw_intervals(scene, frame, curve);
        }
        for reference in &self.references {
            let paint = Paint::line(reference.color.line, reference.width)
                .dash(Some(reference.dash))
                .class("reference");
            for part in clipped(frame, &reference.points) {
                scene.polyline(&part, &paint);
                placer.note_line(&part);
            }
        }
        for bound in self.bounds.iter().filter(|bound| frame.y.shows(bound.y)) {
            let y = frame.y.at(bound.y);
            let paint = Paint::line(bound.color.line, 1.5).dash(Some("2 4")).class("bound");
            scene.line((plot.left, y), (plot.right, y), &paint);
            placer.note_line(&[(plot.left, y), (plot.right, y)]);
        }
        for curve in &self.curves {
            self.draw_curve(scene, frame, curve, &mut placer);
        }
        self.draw_mark(scene, frame, &mut placer);
        for bound in &self.bounds {
            draw_bound_label(scene, frame, bound, &mut placer);
        }
        self.draw_names(scene, frame, &mut placer);
        if self.curves.iter().all(|curve| curve.known().next().is_none()) {
            let (x, y) = (f64::midpoint(plot.left, plot.right), f64::midpoint(plot.top, plot.bottom));
            scene.text(&Text::new(x, y, LABEL, "#777777", "nothing was measured").anchor(Anchor::Middle));
        }
    }

    fn draw_curve(&self, scene: &mut Scene, frame: &Frame, curve: &Curve, placer: &mut Placer) {
        for run in curve.points.split(Option::is_none) {
            let run: Vec<Point> = run.iter().flatten().copied().collect();
            for part in run.chunk_by(|a, b| a.steady == b.steady) {
                let line: Vec<_> = part.iter().map(|p| frame.at(p.x, p.y)).collect();
                let paint = Paint::line(curve.color.line, curve.width).dash(curve.dash).class("curve");
                let faint = paint.clone().opacity(0.55);
                scene.polyline(&line, if part[0].steady { &paint } else { &faint });
                placer.note_line(&line);
            }
            for pair in run.windows(2).filter(|pair| pair[0].steady != pair[1].steady) {
                let line = [frame.at(pair[0].x, pair[0].y), frame.at(pair[1].x, pair[1].y)];
                let paint =
                    Paint::line(curve.color.line, curve.width).dash(curve.dash).opacity(0.55).class("curve");
                scene.polyline(&line, &paint);
                placer.note_line(&line);
            }
            self.draw_points(scene, frame, curve, &run, placer);
        }
    }

    fn draw_points(
        &self,
        scene: &mut Scene,
        frame: &Frame,
        curve: &Curve,
        run: &[Point],
        placer: &mut Placer,
    ) {
        let alone = run.len() == 1 && curve.shape.is_none();
        let Some(shape) = curve.shape.or(alone.then_some(Shape::Circle)) else {
            return;
        };
        for point in run {
            let at @ (x, y) = frame.at(point.x, point.y);
            let radius = if alone { 2.0 } else { 5.0 };
            let tip = self.tip(frame, curve, point);
            let paint = Paint::fill(if point.steady { curve.color.line } else { "#ffffff" });
            let paint = paint.stroke(curve.color.line, if point.steady { 0.0 } else { 2.0 }).class("mark");
            if point.thin {
                let cross = Paint::line(curve.color.line, 2.2);
                scene.line((x - 5.0, y - 5.0), (x + 5.0, y + 5.0), &cross);
                scene.line((x - 5.0, y + 5.0), (x + 5.0, y - 5.0), &cross);
                scene.point(shape, at, 2.2, &paint, &tip);
            } else {
                scene.point(shape, at, radius, &paint, &tip);
            }
            placer.note_point(at, radius + 2.0);
        }
    }

    /// What a browser shows when the point is pointed at.
    fn tip(&self, frame: &Frame, curve: &Curve, point: &Point) -> String {
        let interval = point.interval.map_or_else(String::new, |(lo, hi)| {
            format!(" ({} to {})", self.unit.figure(lo), self.unit.figure(hi))
        });
        let state = if point.steady { "" } else { ", no steady state" };
        let (x, y) = (frame.x.unit.figure(point.x), self.unit.figure(point.y));
        format!("{} at {x}: {y}{interval}{state}", curve.name)
    }

    fn draw_mark(&self, scene: &mut Scene, frame: &Frame, placer: &mut Placer) {
        let Some(mark) = self.mark.as_ref().filter(|mark| frame.x.shows(mark.x)) else {
            return;
        };
        let x = frame.x.at(mark.x);
        let Some(y) = self.curves.get(mark.curve).and_then(|curve| height_at(frame, curve, x)) else {
            return;
        };
        placer.note_point((x, y), 12.0);
        let ring = Paint::default().stroke(BLACK.line, 3.0).class("knee");
        scene.point(Shape::Circle, (x, y), 10.0, &ring, &mark.label);
        let wide = width(&mark.label, LABEL, true);
        let offsets = [18.0, 34.0, 56.0, 84.0, 120.0]
            .into_iter()
            .flat_map(|d| [(-d, -d), (-d, 0.0), (0.0, -d), (d, d), (d, 0.0), (0.0, d), (-d, d), (d, -d)]);
        let candidates: Vec<(f64, f64)> = offsets.collect();
        let texts = candidates.iter().map(|&(dx, dy)| {
            let left = if dx < 0.0 {
                x + dx - wide
            } else if dx > 0.0 {
                x + dx
            } else {
                x - wide / 2.0
            };
            Text::new(left, y + dy + 5.5, LABEL, BLACK.ink, mark.label.clone()).bold().halo()
        });
        let Some(text) = placer.place(texts) else {
            return;
        };
        let at = text.bounds();
        let near = (x.clamp(at.left, at.right), y.clamp(at.top, at.bottom));
        let distance = (near.0 - x).hypot(near.1 - y);
        if distance > 24.0 {
            let share = 11.0 / distance;
            let from = (x + share * (near.0 - x), y + share * (near.1 - y));
            scene.line(from, near, &Paint::line(BLACK.line, 1.2));
        }
        scene.text(&text);
    }

    /// Names at the ends of the curves: in the right margin, or in the plot where a curve ends early.
    fn draw_names(&self, scene: &mut Scene, frame: &Frame, placer: &mut Placer) {
        let plot = frame.rect();
        let ends = |curve: &&Curve| curve.known().next_back().map(|p| frame.at(p.x, p.y));
        let named: Vec<(&Curve, (f64, f64))> = self
            .curves
            .iter()
            .filter_map(|curve| Some((curve, ends(&curve)?)))
            .filter(|(c, _)| !c.name.is_empty())
            .collect();
        let (early, late): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|(_, (x, _))| plot.right - x > 90.0);
        let inside: Option<Vec<Text>> =
            early.iter().map(|(curve, end)| place_name(placer, curve, *end)).collect();
        let margin = if let Some(texts) = inside {
            texts.iter().for_each(|text| scene.text(text));
            late
        } else {
            early.into_iter().chain(late).collect()
        };
        let wanted: Vec<f64> = margin.iter().map(|(_, (_, y))| *y).collect();
        let places = spread(&wanted, NAME, plot.top - 2.0, plot.bottom + 4.0);
        for ((curve, (x, y)), place) in margin.into_iter().zip(places) {
            let edge = plot.right + 12.0;
            scene.polyline(
                &[(x + 7.0, y), (plot.right.max(x + 7.0), y), (edge, place)],
                &Paint::line(curve.color.line, 1.0),
            );
            let name = squeeze(&curve.name, LABEL, true, WIDEST);
            let mut text = Text::new(edge + 4.0, place + 5.5, LABEL, curve.color.ink, name).bold();
            text.full = Some(curve.name.clone());
            scene.text(&text);
        }
    }
}

fn draw_intervals(scene: &mut Scene, frame: &Frame, curve: &Curve) {
    for run in curve.points.split(|p| p.is_none_or(|p| p.interval.is_none())) {
        let ends = |p: &Point| p.interval.map(|(lo, hi)| (frame.at(p.x, lo), frame.at(p.x, hi)));
        let ends: Vec<_> = run.iter().flatten().filter_map(ends).collect();
        let upper = ends.iter().map(|(_, hi)| *hi);
        let lower = ends.iter().rev().map(|(lo, _)| *lo);
        let outline: Vec<_> = upper.chain(lower).collect();
        scene.polygon(&outline, &Paint::fill(curve.color.line).opacity(0.2).class("interval"));
    }
}

/// The name of a curve that ends early, beside its end; none where there is no room.
fn place_name(placer: &mut Placer, curve: &Curve, (x, y): (f64, f64)) -> Option<Text> {
    let name = squeeze(&curve.name, LABEL, true, WIDEST);
    let half = width(&name, LABEL, true) / 2.0;
    let spots = [(10.0, 5.5), (-half, -14.0), (10.0, -10.0), (10.0, 22.0), (-half, 26.0)];
    placer.place(spots.map(|(dx, dy)| {
        let mut text = Text::new(x + dx, y + dy, LABEL, curve.color.ink, name.clone()).bold().halo();
        text.full = Some(curve.name.clone());
        text
    }))
}

/// The label of a level, on its line; at the top edge, with an arrow, where the level is beyond the plot.
fn draw_bound_label(scene: &mut Scene, frame: &Frame, bound: &Bound, placer: &mut Placer) {
    let plot = frame.rect();
    let shown = frame.y.shows(bound.y);
    let label = if shown { bound.label.clone() } else { format!("{} ↑", bound.label) };
    let y = if shown { frame.y.at(bound.y) } else { plot.top };
    let wide = width(&label, LABEL, false);
    let mut spots = Vec::new();
    for step in 0..10 {
        let x = plot.left + 8.0 + f64::from(step) / 9.0 * (plot.width() - wide - 20.0).max(0.0);
        spots.push((x, y - 7.0));
        spots.push((x, y + 18.0));
    }
    let texts = spots.into_iter().map(|(x, y)| Text::new(x, y, LABEL, bound.color.ink, label.clone()).halo());
    if let Some(text) = placer.place(texts) {
        scene.text(&text);
    }
}

/// The pixel at which a curve passes the pixel `x`; none beyond its ends.
fn height_at(frame: &Frame, curve: &Curve, x: f64) -> Option<f64> {
    let line: Vec<_> = curve.known().map(|p| frame.at(p.x, p.y)).collect();
    line.windows(2).find(|pair| pair[0].0 <= x && x <= pair[1].0).map(|pair| {
        let ((left, from), (right, to)) = (pair[0], pair[1]);
        if right > left { from + (x - left) / (right - left) * (to - from) } else { from }
    })
}

/// The parts of a line that lie in the plot, cut at its top.
fn clipped(frame: &Frame, points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut open = false;
    let mut last: Option<(f64, f64)> = None;
    for &(x, y) in points.iter().filter(|(x, y)| x.is_finite() && y.is_finite() && frame.x.shows(*x)) {
        if y <= frame.y.to {
            if !open {
                parts.push(Vec::new());
                open = true;
            }
            if let Some(part) = parts.last_mut() {
                part.push(frame.at(x, y));
            }
        } else if let (true, Some((before, low))) = (open, last) {
            let share = (frame.y.to - low) / (y - low);
            if let Some(part) = parts.last_mut() {
                part.push(frame.at(before + share * (x - before), frame.y.to));
            }
            open = false;
        }
        last = Some((x, y));
    }
    parts
}

impl Key {
    fn width(&self) -> f64 {
        34.0 + width(&self.text, KEY, false) + 20.0
    }

    fn draw(&self, scene: &mut Scene, x: f64, y: f64) {
        let middle = y - 5.0;
        match self.sample {
            Sample::Dashes(color, dash) => {
                scene.line((x, middle), (x + 28.0, middle), &Paint::line(color.line, 2.0).dash(Some(dash)));
            }
            Sample::Interval => {
                let at = Rect { left: x, top: middle - 6.0, right: x + 28.0, bottom: middle + 6.0 };
                scene.rect(at, &Paint::fill(BLACK.line).opacity(0.2));
                scene.line((x, middle), (x + 28.0, middle), &Paint::line(BLACK.line, 2.0));
            }
            Sample::Hollow => {
                let paint = Paint::fill("#ffffff").stroke(BLACK.line, 2.0);
                scene.point(Shape::Circle, (x + 18.0, middle), 5.0, &paint, &self.text);
            }
            Sample::Cross => {
                let cross = Paint::line(BLACK.line, 2.0);
                scene.line((x + 13.0, middle - 5.0), (x + 23.0, middle + 5.0), &cross);
                scene.line((x + 13.0, middle + 5.0), (x + 23.0, middle - 5.0), &cross);
            }
        }
        scene.text(&Text::new(x + 34.0, y, KEY, WORDS, self.text.clone()));
    }
}

//! One plot: its axis, its curves and their names.

use super::{Bound, Curve, Ends, Frame, Key, LABEL, MARGIN, PAGE, Panel, Point, Rule, Sample};
use crate::palette::BLACK;
use crate::place::{Placer, spread};
use crate::scale::{Scale, decades, from_zero};
use crate::scene::{Anchor, Paint, Rect, Scene, Shape, Text};
use crate::text::{squeeze, width};
use crate::unit::Unit;

/// Size of panel titles.
const TITLE: f64 = 17.0;
/// Size of keys.
const KEY: f64 = 14.0;
/// A line of labels above the first plot.
pub(super) const ROW: f64 = 23.0;
/// Widest label at the end of a curve.
pub(super) const WIDEST: f64 = 215.0;

/// Height of a name at the end of a curve.
const NAME: f64 = 20.0;

const WORDS: &str = "#333333";

/// Pixels between ticks of a vertical axis, at least.
fn spacing(height: f64) -> f64 {
    if height > 200.0 { 46.0 } else { 29.0 }
}

/// Ticks of a vertical axis.
pub(super) fn tick_values(y: &Scale) -> Vec<f64> {
    y.ticks(spacing(y.length()))
}

impl Panel {
    /// As high as asked for, or as the names of its curves need.
    pub(super) fn plot_height(&self) -> f64 {
        let names = self.curves.iter().filter(|curve| !curve.name.is_empty()).count();
        self.height.max(NAME * names as f64)
    }

    /// The vertical axis, still at the top of the page.
    pub(super) fn scale(&self) -> Scale {
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
            Ends::Lanes(lanes) => (0.0, lanes),
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
    pub(super) fn extra_key_rows(&self) -> f64 {
        let all = self.title_width() + 30.0 + self.keys_width();
        if all > PAGE - 2.0 * MARGIN { 1.0 } else { 0.0 }
    }

    pub(super) fn draw_head(&self, scene: &mut Scene, top: f64) {
        let title = squeeze(&self.heading(), TITLE, true, PAGE - 2.0 * MARGIN);
        scene.text(&Text::new(MARGIN, top + 18.0, TITLE, "#111111", title).bold());
        let y = top + 18.0 + self.extra_key_rows() * ROW;
        let mut x = (PAGE - MARGIN - self.keys_width()).max(MARGIN);
        for key in &self.keys {
            key.draw(scene, x, y);
            x += key.width();
        }
    }

    pub(super) fn draw(&self, scene: &mut Scene, frame: &Frame, rules: &[Rule]) {
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
            named.into_iter().partition(|(_, (x, _))| plot.right - x > 90.0 && self.unit != Unit::Lanes);
        let inside: Option<Vec<Text>> =
            early.iter().map(|(curve, end)| place_name(placer, curve, *end)).collect();
        let margin = if let Some(texts) = inside {
            for text in &texts {
                scene.text(text);
            }
            late
        } else {
            early.into_iter().chain(late).collect()
        };
        let wanted: Vec<f64> = margin.iter().map(|(_, (_, y))| *y).collect();
        let heights = spread(&wanted, NAME, plot.top - 2.0, plot.bottom + 4.0);
        for ((curve, (x, y)), place) in margin.into_iter().zip(heights) {
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
    if let [(only, y)] = line[..] {
        return ((only - x).abs() < 0.5).then_some(y);
    }
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

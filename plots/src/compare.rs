//! Paired differences between variants: a row for each, with its interval beside a line at zero.

use scenarios::results::{CompareReport, Difference, Report};

use crate::PlotError;
use crate::found::{method, warning};
use crate::page::{Around, Page};
use crate::palette::{BLUE, Color, GREY, VERMILLION};
use crate::scale::{Scale, round_step};
use crate::scene::{Anchor, Paint, Rect, Scene, Shape, Text};
use crate::stack::{LABEL, MARGIN, PAGE};
use crate::text::{squeeze, width};
use crate::unit::Unit;

const ROW: f64 = 34.0;
const HEADING: f64 = 36.0;
/// Widest name of a variant.
const NAMES: f64 = 260.0;
/// Room for the verdicts.
const VERDICT: f64 = 118.0;
const GRID: &str = "#e8e8e8";
const WORDS: &str = "#333333";

/// Draws each metric's change against the base variant with its interval, in per cent of the base.
///
/// # Errors
///
/// [`PlotError::NoDifferences`] when nothing was compared.
pub fn compare_svg(compare: &CompareReport) -> Result<String, PlotError> {
    picture(compare, Around::Words)
}

/// The picture with or without the words around it.
pub(crate) fn picture(compare: &CompareReport, around: Around) -> Result<String, PlotError> {
    if compare.differences.is_empty() {
        return Err(PlotError::NoDifferences);
    }
    let reports: Vec<&Report> = compare.variants.iter().map(|(_, report)| report).collect();
    let mut footer = method(&reports, &compare.version, " per variant");
    footer.insert(1, "95 % intervals of paired differences, on the same arrivals and needs".to_owned());
    let page = Page {
        title: compare.scenario.clone(),
        about: format!("Change against `{}`, in per cent of it", compare.base),
        footer,
        warning: warning(&reports),
    };
    let forest = Forest::new(compare);
    Ok(page.draw(around, |scene, top| forest.draw(scene, top)))
}

/// What a verdict looks like; the words say the same.
struct Look {
    color: Color,
    shape: Shape,
    hollow: bool,
}

fn look(verdict: &str) -> Look {
    match verdict {
        "better" => Look { color: BLUE, shape: Shape::Circle, hollow: false },
        "worse" => Look { color: VERMILLION, shape: Shape::Diamond, hollow: false },
        _ => Look { color: GREY, shape: Shape::Circle, hollow: true },
    }
}

/// A difference as shares of the base.
#[derive(Clone, Copy)]
struct Share {
    value: f64,
    lo: f64,
    hi: f64,
}

/// None where the base is 0 and a share of it means nothing.
fn share(row: &Difference) -> Option<Share> {
    let base = row.base.value.abs();
    let part = |v: f64| v / base;
    let (value, lo, hi) = (row.difference.value, row.difference.lo, row.difference.hi);
    let share = Share { value: part(value), lo: part(lo.unwrap_or(value)), hi: part(hi.unwrap_or(value)) };
    (base > 0.0 && [share.value, share.lo, share.hi].iter().all(|v| v.is_finite())).then_some(share)
}

struct Forest<'a> {
    /// By metric, in the order of the report.
    metrics: Vec<(&'a str, Vec<&'a Difference>)>,
    /// Where the names end.
    names: f64,
    /// Width of the figures on the right.
    figures: f64,
}

impl<'a> Forest<'a> {
    fn new(compare: &'a CompareReport) -> Self {
        let mut metrics: Vec<(&str, Vec<&Difference>)> = Vec::new();
        for row in &compare.differences {
            match metrics.iter_mut().find(|(metric, _)| *metric == row.metric) {
                Some((_, rows)) => rows.push(row),
                None => metrics.push((&row.metric, vec![row])),
            }
        }
        let names = compare.differences.iter().map(|row| width(&row.variant, LABEL, false));
        let figures = compare.differences.iter().map(|row| width(&figures(row), LABEL, false));
        Self {
            names: names.fold(120.0, f64::max).min(NAMES),
            figures: figures.fold(180.0, f64::max).min(430.0),
            metrics,
        }
    }

    /// How far the axis reaches: four times the median change. A change beyond that is drawn as an arrow, so that
    /// it does not make all others invisible.
    fn reach(&self) -> f64 {
        let far = |s: Share| s.value.abs().max(s.lo.abs()).max(s.hi.abs());
        let mut sizes: Vec<f64> = self.shares().map(far).filter(|far| *far > 0.0).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.get(sizes.len() / 2).map_or(0.01, |median| 4.0 * median)
    }

    fn shares(&self) -> impl Iterator<Item = Share> {
        self.metrics.iter().flat_map(|(_, rows)| rows).filter_map(|row| share(row))
    }

    /// From the names to the figures.
    fn scale(&self) -> Scale {
        let reach = self.reach();
        let low = self.shares().map(|s| s.lo.min(s.value)).fold(0.0, f64::min).max(-reach);
        let high = self.shares().map(|s| s.hi.max(s.value)).fold(0.0, f64::max).min(reach);
        let step = round_step(((high - low) / 6.0).max(0.002));
        let (from, to) = ((low / step - 0.1).floor() * step, (high / step + 0.1).ceil() * step);
        let (start, end) = (MARGIN + self.names + 34.0, PAGE - MARGIN - VERDICT - self.figures - 30.0);
        Scale { unit: Unit::Share, log: false, from, to, start, end }
    }

    fn draw(&self, scene: &mut Scene, top: f64) -> f64 {
        let x = self.scale();
        let rows: usize = self.metrics.iter().map(|(_, rows)| rows.len()).sum();
        let bottom = top + HEADING * self.metrics.len() as f64 + ROW * rows as f64 + 8.0;
        let ticks = x.ticks(70.0);
        for (&tick, label) in ticks.iter().zip(x.unit.ticks(&ticks, false)) {
            let at = x.at(tick);
            let paint = if tick.abs() < 1e-12 {
                Paint::line("#444444", 1.6).class("zero")
            } else {
                Paint::line(GRID, 1.0)
            };
            scene.line((at, top + 6.0), (at, bottom), &paint);
            scene.text(&Text::new(at, bottom + 22.0, LABEL, WORDS, label).anchor(Anchor::Middle));
        }
        let mut y = top;
        for (metric, rows) in &self.metrics {
            let name = squeeze(metric, LABEL, true, PAGE - 2.0 * MARGIN);
            let mut text = Text::new(MARGIN, y + HEADING - 10.0, LABEL, "#111111", name).bold().halo();
            text.full = Some((*metric).to_owned());
            scene.text(&text);
            y += HEADING;
            for row in rows {
                draw_row(scene, &x, self.figures, row, y + ROW / 2.0);
                y += ROW;
            }
        }
        bottom + 44.0
    }
}

fn draw_row(scene: &mut Scene, x: &Scale, figures_width: f64, row: &Difference, y: f64) {
    let look = look(&row.verdict);
    let mut name =
        Text::new(MARGIN + 14.0, y + 5.5, LABEL, WORDS, squeeze(&row.variant, LABEL, false, NAMES));
    name.full = Some(row.variant.clone());
    scene.text(&name);
    let words = figures(row);
    if let Some(share) = share(row) {
        draw_bar(scene, x, share, &look, y, &format!("{} {}: {words}", row.variant, row.metric));
    } else {
        let text = Text::new(x.at(0.0) + 10.0, y + 5.0, 14.0, "#777777", "the base is 0");
        let text = if text.bounds().right > x.end {
            Text { x: x.at(0.0) - 10.0, anchor: Anchor::End, ..text }
        } else {
            text
        };
        scene.text(&text.halo());
    }
    let right = PAGE - MARGIN - VERDICT;
    scene.text(
        &Text::new(right, y + 5.5, LABEL, WORDS, squeeze(&words, LABEL, false, figures_width))
            .anchor(Anchor::End),
    );
    scene.text(&Text::new(right + 14.0, y + 5.5, 15.0, look.color.ink, row.verdict.clone()).bold());
}

/// An interval with its estimate; an arrow at the edge where it goes on.
fn draw_bar(scene: &mut Scene, x: &Scale, share: Share, look: &Look, y: f64, tip: &str) {
    let (from, to) = (x.at(share.lo), x.at(share.hi));
    let paint = Paint::line(look.color.line, 4.0).class("interval");
    scene.line((from, y), (to.max(from + 0.5), y), &paint);
    for (end, value) in [(from, share.lo), (to, share.hi)] {
        if x.shows(value) {
            scene.line((end, y - 6.0), (end, y + 6.0), &Paint::line(look.color.line, 2.0));
        }
    }
    if x.shows(share.value) {
        let paint = Paint::fill(if look.hollow { "#ffffff" } else { look.color.line });
        scene.point(
            look.shape,
            (x.at(share.value), y),
            6.5,
            &paint.stroke(look.color.line, 2.0).class("mark"),
            tip,
        );
        return;
    }
    let (edge, way) = if share.value > 0.0 { (x.end, -1.0) } else { (x.start, 1.0) };
    let paint = Paint::fill(look.color.line).class("mark");
    scene.polygon(&[(edge, y), (edge + way * 16.0, y - 8.0), (edge + way * 16.0, y + 8.0)], &paint);
    let box_at = Rect { left: edge + way * 16.0, right: x.at(0.0), top: y, bottom: y };
    scene.line((box_at.left, y), (box_at.right, y), &Paint::line(look.color.line, 2.0).dash(Some("2 4")));
    let words = format!("{}{}", if share.value > 0.0 { "+" } else { "" }, Unit::Share.figure(share.value));
    let anchor = if way < 0.0 { Anchor::End } else { Anchor::Start };
    scene.text(&Text::new(edge + way * 22.0, y - 5.0, 14.0, look.color.ink, words).anchor(anchor).halo());
}

/// `482 ms → 391 ms: −91 ms (−111 to −71)`.
fn figures(row: &Difference) -> String {
    let unit = Unit::of_metric(&row.metric);
    let like = row.base.value.abs().max(row.value.value.abs());
    let signed = |v: f64, named: bool| {
        let plus = if v > 0.0 { "+" } else { "" };
        format!("{plus}{}", unit.figure_like(v, like, named))
    };
    let interval = match (row.difference.lo, row.difference.hi) {
        (Some(lo), Some(hi)) => format!(" ({} to {})", signed(lo, false), signed(hi, false)),
        _ => String::new(),
    };
    let (base, value) = (unit.figure(row.base.value), unit.figure(row.value.value));
    format!("{base} → {value}: {}{interval}", signed(row.difference.value, true))
}

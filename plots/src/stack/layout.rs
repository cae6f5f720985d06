//! Where the panels stand, and what lies under their curves.

use super::panel::{ROW, WIDEST, tick_values};
use super::{Frame, LABEL, MARGIN, PAGE, Panel, Stack};
use crate::scale::Scale;
use crate::scene::{Anchor, Paint, Rect, Scene, Text};
use crate::text::{squeeze, width};

/// From the top of a panel's title to its plot.
const HEAD: f64 = 34.0;
/// Between panels.
const GAP: f64 = 16.0;
/// Under the last plot: ticks and the axis' title.
const FOOT: f64 = 62.0;

const GRID: &str = "#e8e8e8";
const AXIS: &str = "#8a8a8a";
const WORDS: &str = "#333333";

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
                    scene.text(&Text { y: at - 12.0 - *row as f64 * ROW, ..text.clone() });
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
        let bands = self
            .bands
            .iter()
            .map(|band| (f64::midpoint(x.at(band.from), x.at(band.to)), band.color, &band.label));
        let mut taken: Vec<(usize, Text)> = Vec::new();
        for (middle, color, label) in rules.chain(bands).filter(|(_, _, label)| !label.is_empty()) {
            let half = width(label, LABEL, true) / 2.0;
            let middle = middle.clamp(MARGIN + half, (PAGE - MARGIN - half).max(MARGIN + half));
            let text = Text::new(middle, 0.0, LABEL, color.ink, label.clone()).bold().anchor(Anchor::Middle);
            let room =
                Rect { left: text.bounds().left - 12.0, right: text.bounds().right + 12.0, ..text.bounds() };
            let free =
                |row: &usize| !taken.iter().any(|(other, t)| other == row && t.bounds().overlaps(&room));
            let row = (0..taken.len()).find(free).unwrap_or(taken.len());
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
                (x, plot.top - if first { 9.0 } else { 0.0 }),
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

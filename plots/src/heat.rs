//! A grid of cells, coloured by p99: two swept paths with many values each.

use crate::palette::{VERMILLION, ramp};
use crate::scale::round_step;
use crate::scene::{Anchor, Paint, Rect, Scene, Text};
use crate::stack::{LABEL, MARGIN, PAGE};
use crate::text::{squeeze, width};
use crate::unit::Unit;

/// One point of the grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Seconds.
    pub(crate) value: Option<f64>,
    /// Whether there is a steady state.
    pub(crate) steady: bool,
    /// Whether an expectation is not met.
    pub(crate) missed: bool,
}

/// The points of one value of the second path.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Option<Cell>>,
}

/// The grid.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) title: String,
    pub(crate) axis: String,
    /// The loads as words.
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

const TITLE: f64 = 17.0;
const KEY: f64 = 14.0;
const SCALE: f64 = 18.0;
const GROWS: &str = "#dddddd";

impl Map {
    /// Draws the grid from `top` down and returns where it ends.
    pub(crate) fn draw(&self, scene: &mut Scene, top: f64) -> f64 {
        let title = format!("{} (colour: log scale)", self.title);
        scene.text(&Text::new(MARGIN, top + 18.0, TITLE, "#111111", title).bold());
        let names = self.rows.iter().map(|row| width(&row.name, LABEL, true));
        let left = MARGIN + names.fold(0.0, f64::max).min(260.0) + 12.0;
        let height = (640.0 / self.rows.len() as f64).clamp(24.0, 60.0);
        let grid = Rect {
            left,
            top: top + 40.0,
            right: PAGE - MARGIN - 130.0,
            bottom: top + 40.0 + height * self.rows.len() as f64,
        };
        let range = self.range();
        let wide = grid.width() / self.columns.len() as f64;
        for (i, row) in self.rows.iter().enumerate() {
            let y = grid.top + i as f64 * height;
            let mut name = Text::new(
                left - 10.0,
                y + height / 2.0 + 5.5,
                LABEL,
                "#333333",
                squeeze(&row.name, LABEL, true, 260.0),
            );
            name.full = Some(row.name.clone());
            scene.text(&name.bold().anchor(Anchor::End));
            for (j, cell) in row.cells.iter().enumerate() {
                let x = left + j as f64 * wide;
                let at =
                    Rect { left: x + 1.0, top: y + 1.0, right: x + wide - 1.0, bottom: y + height - 1.0 };
                if let Some(cell) = cell {
                    draw_cell(scene, at, *cell, range);
                }
            }
        }
        self.draw_columns(scene, grid, wide);
        draw_scale(scene, Rect { left: grid.right + 24.0, right: grid.right + 24.0 + SCALE, ..grid }, range);
        let foot = grid.bottom + 62.0;
        draw_key(scene, foot + 16.0);
        foot + 30.0
    }

    /// The ends of the colours, from the steady cells.
    fn range(&self) -> (f64, f64) {
        let cells = self.rows.iter().flat_map(|row| &row.cells).flatten().filter(|cell| cell.steady);
        let values: Vec<f64> =
            cells.filter_map(|cell| cell.value).filter(|v| v.is_finite() && *v > 0.0).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        if low < high {
            (low, high)
        } else if high > 0.0 {
            (high / 2.0, high * 2.0)
        } else {
            (1e-3, 1.0)
        }
    }

    /// Loads under the grid, as many as have room.
    fn draw_columns(&self, scene: &mut Scene, grid: Rect, wide: f64) {
        let widest = self.columns.iter().map(|name| width(name, LABEL, false)).fold(0.0, f64::max) + 14.0;
        let every = (widest / wide).ceil().max(1.0) as usize;
        for (j, name) in self.columns.iter().enumerate().step_by(every) {
            let x = grid.left + (j as f64 + 0.5) * wide;
            scene.text(
                &Text::new(x, grid.bottom + 22.0, LABEL, "#333333", name.clone()).anchor(Anchor::Middle),
            );
        }
        let title = squeeze(&self.axis, LABEL, true, grid.width());
        let middle = f64::midpoint(grid.left, grid.right);
        scene.text(
            &Text::new(middle, grid.bottom + 48.0, LABEL, "#333333", title).bold().anchor(Anchor::Middle),
        );
    }
}

/// From 0, the fastest, to 1.
fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    ((value.max(f64::MIN_POSITIVE) / low).ln() / (high / low).ln()).clamp(0.0, 1.0)
}

fn draw_cell(scene: &mut Scene, at: Rect, cell: Cell, range: (f64, f64)) {
    let (fill, ink, words) = match cell.value {
        Some(value) if cell.steady && value.is_finite() => {
            let (fill, ink) = ramp(share(value, range));
            (fill, ink, Unit::Seconds.figure(value))
        }
        _ if !cell.steady => (GROWS.to_owned(), "#555555", "grows".to_owned()),
        _ => ("#ffffff".to_owned(), "#777777", "–".to_owned()),
    };
    scene.rect(at, &Paint::fill(&fill).class("mark"));
    if cell.missed {
        let thick = if at.height().min(at.width()) < 34.0 { 1.8 } else { 3.0 };
        let by = thick / 2.0;
        let inner =
            Rect { left: at.left + by, top: at.top + by, right: at.right - by, bottom: at.bottom - by };
        scene.rect(inner, &Paint::default().stroke(VERMILLION.line, thick));
    }
    let size = if width(&words, LABEL, false) < at.width() - 10.0 { LABEL } else { 13.0 };
    if width(&words, size, false) < at.width() - 6.0 {
        let (x, y) = (f64::midpoint(at.left, at.right), f64::midpoint(at.top, at.bottom) + 0.35 * size);
        scene.text(&Text::new(x, y, size, ink, words).anchor(Anchor::Middle));
    }
}

/// The colours and what they mean.
fn draw_scale(scene: &mut Scene, at: Rect, range @ (low, high): (f64, f64)) {
    let steps = 48;
    for i in 0..steps {
        let part = |k: i32| at.bottom - f64::from(k) / f64::from(steps) * at.height();
        let (fill, _) = ramp((f64::from(i) + 0.5) / f64::from(steps));
        scene.rect(Rect { top: part(i + 1) - 0.5, bottom: part(i), ..at }, &Paint::fill(&fill));
    }
    let mut ticks = vec![low];
    let mut next = round_step(low * 1.3);
    while next < high / 1.3 {
        ticks.push(next);
        next = round_step(next * 1.5);
    }
    ticks.push(high);
    let top = ticks.len() - 1;
    let mut last = f64::INFINITY;
    for (i, tick) in ticks.into_iter().enumerate() {
        let y = at.bottom - share(tick, range) * at.height();
        if last - y > 24.0 && (i == top || y > at.top + 24.0) {
            scene.text(&Text::new(at.right + 8.0, y + 5.5, LABEL, "#333333", Unit::Seconds.figure(tick)));
            last = y;
        }
    }
}

fn draw_key(scene: &mut Scene, y: f64) {
    let grows = Rect { left: MARGIN, top: y - 12.0, right: MARGIN + 24.0, bottom: y + 2.0 };
    scene.rect(grows, &Paint::fill(GROWS));
    scene.text(&Text::new(MARGIN + 32.0, y, KEY, "#333333", "grows without bound: no steady state"));
    let missed = Rect { left: 400.0, right: 424.0, ..grows };
    scene.rect(missed, &Paint::default().stroke(VERMILLION.line, 3.0));
    scene.text(&Text::new(432.0, y, KEY, "#333333", "an expectation is not met"));
}

//! A map of what becomes of a system: two swept paths, a colour for each of three outcomes.

use scenarios::results::{Fate, PointOutcome};

use crate::palette::{BLUE, Color, ORANGE, VERMILLION};
use crate::scene::{Anchor, Paint, Rect, Scene, Text};
use crate::stack::{LABEL, MARGIN, PAGE};
use crate::text::{squeeze, width};

/// The points of one value of the second path.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Option<PointOutcome>>,
}

/// The map.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) title: String,
    /// What stands under the grid.
    pub(crate) across: String,
    /// What the names beside it are values of; nothing where one path is swept.
    pub(crate) down: String,
    pub(crate) columns: Vec<String>,
    /// From top to bottom.
    pub(crate) rows: Vec<Row>,
}

const TITLE: f64 = 18.0;
const KEY: f64 = 16.0;
/// Most of the page that names beside the grid may take.
const NAMES: f64 = 200.0;

impl Map {
    /// Draws the map from `top` down and returns where it ends.
    pub(crate) fn draw(&self, scene: &mut Scene, top: f64) -> f64 {
        let title = squeeze(&self.title, TITLE, true, PAGE - 2.0 * MARGIN);
        scene.text(&Text::new(MARGIN, top + 20.0, TITLE, "#111111", title).bold());
        let key = draw_key(scene, top + 54.0);
        let names = self.rows.iter().map(|row| width(&row.name, LABEL, true)).fold(0.0, f64::max).min(NAMES);
        let left = MARGIN + names + 14.0;
        let above = if self.down.is_empty() { 0.0 } else { 26.0 };
        let height = (430.0 / self.rows.len() as f64).clamp(24.0, 76.0);
        let (from, rows) = (key + above, self.rows.len() as f64);
        let grid = Rect { left, top: from, right: PAGE - MARGIN, bottom: from + height * rows };
        let wide = grid.width() / self.columns.len() as f64;
        for (i, row) in self.rows.iter().enumerate() {
            let y = grid.top + i as f64 * height;
            let shown = squeeze(&row.name, LABEL, true, NAMES);
            let mut name = Text::new(left - 12.0, y + height / 2.0 + 5.5, LABEL, "#333333", shown);
            name.full = Some(row.name.clone());
            scene.text(&name.bold().anchor(Anchor::End));
            for (j, outcome) in row.cells.iter().enumerate() {
                let x = left + j as f64 * wide;
                let at =
                    Rect { left: x + 1.5, top: y + 1.5, right: x + wide - 1.5, bottom: y + height - 1.5 };
                draw_cell(scene, at, *outcome);
            }
        }
        self.draw_axes(scene, grid, wide);
        grid.bottom + 62.0
    }

    fn draw_axes(&self, scene: &mut Scene, grid: Rect, wide: f64) {
        let widest = self.columns.iter().map(|name| width(name, LABEL, true)).fold(0.0, f64::max) + 14.0;
        let every = (widest / wide).ceil().max(1.0) as usize;
        for (j, name) in self.columns.iter().enumerate().step_by(every) {
            let x = grid.left + (j as f64 + 0.5) * wide;
            let label = Text::new(x, grid.bottom + 23.0, LABEL, "#333333", name.clone());
            scene.text(&label.bold().anchor(Anchor::Middle));
        }
        let across = squeeze(&self.across, LABEL, false, grid.width());
        let middle = f64::midpoint(grid.left, grid.right);
        scene.text(&Text::new(middle, grid.bottom + 49.0, LABEL, "#333333", across).anchor(Anchor::Middle));
        if !self.down.is_empty() {
            let down = squeeze(&self.down, LABEL, false, PAGE - 2.0 * MARGIN);
            scene.text(&Text::new(MARGIN, grid.top - 10.0, LABEL, "#333333", down));
        }
    }
}

/// The colour, the word and the explanation of an outcome.
fn look(fate: Fate) -> (Color, &'static str, &'static str) {
    match fate {
        Fate::Stable => (BLUE, "stable", "stable: never leaves its good state"),
        Fate::Recovers => (ORANGE, "recovers", "recovers by itself"),
        Fate::StaysDown => (VERMILLION, "down", "stays down"),
    }
}

/// The colour of words on a fill.
fn ink(fate: Fate) -> &'static str {
    if fate == Fate::Recovers { "#111111" } else { "#ffffff" }
}

fn draw_cell(scene: &mut Scene, at: Rect, outcome: Option<PointOutcome>) {
    let Some(outcome) = outcome else {
        return scene.rect(at, &Paint::fill("#eeeeee").class("mark"));
    };
    let (color, word, _) = look(outcome.fate);
    scene.rect(at, &Paint::fill(color.line).class("mark"));
    // Where replications differ, how many do what most do; else the word, for those who see no colours.
    let words = if outcome.share < 1.0 { format!("{:.0} %", outcome.share * 100.0) } else { word.to_owned() };
    if width(&words, LABEL, false) < at.width() - 6.0 {
        let (x, y) = (f64::midpoint(at.left, at.right), f64::midpoint(at.top, at.bottom) + 0.35 * LABEL);
        scene.text(&Text::new(x, y, LABEL, ink(outcome.fate), words).anchor(Anchor::Middle));
    }
}

/// The colours and what they mean; returns where the grid may begin.
fn draw_key(scene: &mut Scene, y: f64) -> f64 {
    let mut x = MARGIN;
    for fate in [Fate::Stable, Fate::Recovers, Fate::StaysDown] {
        let (color, _, words) = look(fate);
        let at = Rect { left: x, top: y - 14.0, right: x + 26.0, bottom: y + 3.0 };
        scene.rect(at, &Paint::fill(color.line));
        scene.text(&Text::new(x + 34.0, y, KEY, "#333333", words));
        x += 34.0 + width(words, KEY, false) + 34.0;
    }
    scene.text(&Text::new(x, y, KEY, "#777777", "per cent: where replications differ"));
    y + 22.0
}

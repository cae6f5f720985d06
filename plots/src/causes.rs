//! Where the variance of metrics over uncertain inputs comes from: a bar for each metric, cut into its causes.

use scenarios::results::{Causes, Uncertainty};

use crate::palette::{self, GREY};
use crate::scene::{Anchor, Paint, Rect, Scene, Text};
use crate::stack::{LABEL, MARGIN, PAGE};
use crate::text::{squeeze, width};

const ROW: f64 = 40.0;
const BAR: f64 = 26.0;
const NAMES: f64 = 300.0;
const WORDS: &str = "#333333";
/// What is left is lighter than noise.
const REST: &str = "#dddddd";

/// The picture; none where nothing varies.
pub(crate) fn picture(found: &Uncertainty) -> Option<String> {
    let metrics: Vec<(&str, &Causes)> = found
        .metrics
        .iter()
        .filter_map(|metric| Some((metric.metric.as_str(), metric.causes.as_ref()?)))
        .collect();
    if metrics.is_empty() {
        return None;
    }
    let mut scene = Scene::default();
    let mut y = 8.0;
    for (name, causes) in &metrics {
        draw_row(&mut scene, name, causes, y + ROW / 2.0);
        y += ROW;
    }
    y = keys(&mut scene, found, y + 24.0);
    Some(scene.finish(PAGE, y + 8.0, "Where the variance comes from"))
}

/// The causes by their colours: inputs, then noise, then what is left.
fn parts(causes: &Causes) -> Vec<(f64, &'static str, String)> {
    let inputs = causes.inputs.iter().enumerate();
    let inputs = inputs.map(|(i, cause)| (cause.share.value, palette::nth(i).line, cause.path.clone()));
    let noise = (causes.noise.value, GREY.line, "noise".to_owned());
    inputs.chain([noise, (causes.rest.value, REST, "unexplained".to_owned())]).collect()
}

fn draw_row(scene: &mut Scene, name: &str, causes: &Causes, y: f64) {
    let mut label = Text::new(MARGIN, y + 5.5, LABEL, WORDS, squeeze(name, LABEL, false, NAMES));
    label.full = Some(name.to_owned());
    scene.text(&label);
    let mut left = MARGIN + NAMES + 16.0;
    let whole = PAGE - MARGIN - left;
    for (share, color, _) in parts(causes) {
        let right = left + share * whole;
        let bar = Rect { left, right, top: y - BAR / 2.0, bottom: y + BAR / 2.0 };
        if bar.width() > 0.0 {
            scene.rect(bar, &Paint::fill(color).class("cause"));
        }
        let words = format!("{:.0} %", share * 100.0);
        if width(&words, LABEL, true) + 8.0 < bar.width() {
            let ink = if color == REST { WORDS } else { "#ffffff" };
            let middle = f64::midpoint(left, right);
            scene.text(&Text::new(middle, y + 5.5, LABEL, ink, words).bold().anchor(Anchor::Middle));
        }
        left = right;
    }
}

/// What the colours mean, a line for each; returns where they end.
fn keys(scene: &mut Scene, found: &Uncertainty, top: f64) -> f64 {
    let Some(causes) = found.metrics.iter().find_map(|metric| metric.causes.as_ref()) else { return top };
    let mut y = top;
    for (_, color, name) in parts(causes) {
        let swatch = Rect { left: MARGIN, right: MARGIN + 16.0, top: y - 13.0, bottom: y + 2.0 };
        scene.rect(swatch, &Paint::fill(color));
        let words = squeeze(&name, LABEL, false, PAGE - 2.0 * MARGIN - 24.0);
        scene.text(&Text::new(MARGIN + 24.0, y, LABEL, WORDS, words));
        y += 24.0;
    }
    y
}

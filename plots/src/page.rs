//! What every picture has around its plots: title, what it is about, and how the figures were made.

use crate::scene::{Scene, Text};
use crate::stack::{MARGIN, PAGE};
use crate::text::{shorten, wrap};

const TITLE: f64 = 27.0;
const ABOUT: f64 = 17.0;
const FOOTER: f64 = 14.0;

/// What stands around the plots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Around {
    /// Title, subject and footer: the picture stands alone.
    Words,
    /// Nothing: the picture is a part of a page that has these words.
    Nothing,
}

/// The words around the plots.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) footer: Vec<String>,
    /// What a reader must know before believing the picture.
    pub(crate) warning: Option<String>,
}

impl Page {
    /// Draws a picture around what `plots` draws from a given height down to the height that it returns.
    pub(crate) fn draw(&self, around: Around, plots: impl FnOnce(&mut Scene, f64) -> f64) -> String {
        let mut scene = Scene::default();
        if around == Around::Nothing {
            let bottom = plots(&mut scene, 4.0);
            return scene.finish(PAGE, bottom + 4.0, &self.title);
        }
        let room = PAGE - 2.0 * MARGIN;
        let mut y = MARGIN + 22.0;
        let title = shorten(&self.title, TITLE, true, room);
        scene.text(&Text::new(MARGIN, y, TITLE, "#111111", title).bold());
        for line in wrap(&self.about, ABOUT, false, room, 2) {
            y += 25.0;
            scene.text(&Text::new(MARGIN, y, ABOUT, "#444444", line));
        }
        y = plots(&mut scene, y + 18.0) + 14.0;
        for line in self.warning.iter().flat_map(|warning| wrap(warning, FOOTER, true, room, 2)) {
            scene.text(&Text::new(MARGIN, y, FOOTER, crate::palette::VERMILLION.ink, line).bold());
            y += 20.0;
        }
        for line in wrap(&self.footer.join(" · "), FOOTER, false, room, 2) {
            scene.text(&Text::new(MARGIN, y, FOOTER, "#666666", line));
            y += 20.0;
        }
        scene.finish(PAGE, y + 6.0, &self.title)
    }
}

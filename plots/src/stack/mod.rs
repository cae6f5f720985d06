//! Panels above one another on one horizontal axis: the layout of sweeps and of runs over time.

mod layout;
mod panel;

use crate::palette::Color;
use crate::scale::Scale;
use crate::scene::{Rect, Shape};
use crate::unit::Unit;

/// Width of every picture.
pub(crate) const PAGE: f64 = 1200.0;
/// Blank paper at the left and right edges.
pub(crate) const MARGIN: f64 = 28.0;
/// Size of labels and ticks.
pub(crate) const LABEL: f64 = 16.0;

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
    /// So many lanes of one each.
    Lanes(f64),
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

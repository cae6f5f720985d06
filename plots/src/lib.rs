//! Charts of Hockeystick results: SVG, PNG (feature `png`) and a report in HTML, made from results alone.
//!
//! The pictures are drawn directly, not with a plotting library. Labels stand at the ends of their curves and
//! must not collide; for that the widths of words have to be known before they are drawn, which an SVG backend
//! without fonts can only guess. With the widths of one font at hand (`text`), a scene of six shapes (`scene`)
//! is all that is left to do, and it brings real dashes, rims around words, tips on points and one dependency
//! less.

mod causes;
mod compare;
mod fate;
mod found;
mod heat;
mod html;
mod page;
mod palette;
mod place;
#[cfg(feature = "png")]
mod png;
mod replay;
mod run;
mod scale;
mod scene;
mod solve;
mod stack;
mod sweep;
mod text;
mod tornado;
mod unit;

#[cfg(test)]
mod tests;

pub use compare::compare_svg;
pub use html::{Found, report_html};
#[cfg(feature = "png")]
pub use png::to_png;
pub use replay::replay_svg;
pub use run::run_svg;
pub use solve::solve_svg;
pub use sweep::sweep_svg;
pub use tornado::sensitivity_svg;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The sweep has no point with a value of its first path.
    #[error("the sweep has no points to draw")]
    NoPoints,
    /// The run has neither series nor distributions.
    #[error("the run has no series to draw: ask for them with `--series`")]
    NoSeries,
    /// The comparison is empty.
    #[error("the comparison has no differences to draw")]
    NoDifferences,
    /// No path moves the metric.
    #[error("no path moves the metric: there is nothing to draw")]
    NoEffects,
    /// The text is not SVG.
    #[cfg(feature = "png")]
    #[error("cannot read the picture: {0}")]
    Svg(String),
    /// The picture would be too small or too large.
    #[cfg(feature = "png")]
    #[error("cannot draw the picture at scale {scale}: its sides must have 1 to 16,384 pixels")]
    Size {
        /// The scale that was asked for.
        scale: f32,
    },
    /// The picture cannot be encoded.
    #[cfg(feature = "png")]
    #[error("cannot encode the picture: {0}")]
    Png(String),
}

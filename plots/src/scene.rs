//! Shapes and words on a page, written as SVG.
//!
//! No ids, no scripts, no style sheet: several pictures fit into one page of HTML, and every viewer draws the
//! same. Coordinates are rounded to a tenth of a pixel, so that the same figures give the same bytes.

use std::fmt::Write;

use crate::text::{ASCENT, DESCENT, width};

/// Fonts in the order of preference; the first is the one that `to_png` carries.
pub(crate) const FONTS: &str = "DejaVu Sans, Verdana, sans-serif";

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    /// Whether both share more than an edge.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether the other lies inside.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        other.left >= self.left
            && other.right <= self.right
            && other.top >= self.top
            && other.bottom <= self.bottom
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// How a shape is painted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paint {
    fill: Option<String>,
    stroke: Option<&'static str>,
    width: f64,
    dash: Option<&'static str>,
    opacity: Option<f64>,
    class: Option<&'static str>,
}

impl Paint {
    pub(crate) fn fill(color: &str) -> Self {
        Self { fill: Some(color.to_owned()), ..Self::default() }
    }

    pub(crate) fn line(color: &'static str, width: f64) -> Self {
        Self { stroke: Some(color), width, ..Self::default() }
    }

    pub(crate) fn stroke(mut self, color: &'static str, width: f64) -> Self {
        self.stroke = Some(color);
        self.width = width;
        self
    }

    pub(crate) fn dash(mut self, dash: Option<&'static str>) -> Self {
        self.dash = dash;
        self
    }

    pub(crate) fn opacity(mut self, opacity: f64) -> Self {
        self.opacity = Some(opacity);
        self
    }

    pub(crate) fn class(mut self, class: &'static str) -> Self {
        self.class = Some(class);
        self
    }

    fn attributes(&self) -> String {
        let mut out = String::new();
        let _ = write!(out, r#" fill="{}""#, self.fill.as_deref().unwrap_or("none"));
        if let Some(stroke) = self.stroke {
            let _ = write!(
                out,
                r#" stroke="{stroke}" stroke-width="{}" stroke-linejoin="round""#,
                px(self.width)
            );
        }
        if let Some(dash) = self.dash {
            let _ = write!(out, r#" stroke-dasharray="{dash}""#);
        }
        if let Some(opacity) = self.opacity {
            let _ = write!(out, r#" opacity="{opacity:.2}""#);
        }
        if let Some(class) = self.class {
            let _ = write!(out, r#" class="{class}""#);
        }
        out
    }
}

/// Where a line of text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text; the point is on its base line.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
    pub(crate) color: &'static str,
    /// A white rim that keeps it readable on lines.
    pub(crate) halo: bool,
    pub(crate) words: String,
    /// The whole of what is shortened.
    pub(crate) full: Option<String>,
}

impl Text {
    pub(crate) fn new(x: f64, y: f64, size: f64, color: &'static str, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { x, y, size, bold: false, anchor: Anchor::Start, color, halo: false, words, full: None }
    }

    pub(crate) fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(crate) fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    pub(crate) fn halo(mut self) -> Self {
        self.halo = true;
        self
    }

    /// The box that the words take.
    pub(crate) fn bounds(&self) -> Rect {
        let wide = width(&self.words, self.size, self.bold);
        let left = match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - wide / 2.0,
            Anchor::End => self.x - wide,
        };
        let (top, bottom) = (self.y - ASCENT * self.size, self.y + DESCENT * self.size);
        Rect { left, top, right: left + wide, bottom }
    }
}

/// The shape of a point, so that colour is not alone in telling series apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Shape {
    /// The shape of the `index`-th series.
    pub(crate) fn nth(index: usize) -> Self {
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond][index % 4]
    }

    fn path(self, x: f64, y: f64, r: f64) -> String {
        let polygon = |points: &[(f64, f64)]| {
            let at: Vec<String> =
                points.iter().map(|(a, b)| format!("{},{}", px(x + a), px(y + b))).collect();
            format!("M{}Z", at.join("L"))
        };
        match self {
            Self::Circle => {
                let (left, wide) = (px(x - r), px(2.0 * r));
                let r = px(r);
                format!("M{left},{}a{r},{r} 0 1 0 {wide},0a{r},{r} 0 1 0 -{wide},0Z", px(y))
            }
            Self::Square => {
                let h = 0.9 * r;
                polygon(&[(-h, -h), (h, -h), (h, h), (-h, h)])
            }
            Self::Triangle => polygon(&[(0.0, -1.2 * r), (1.15 * r, 0.85 * r), (-1.15 * r, 0.85 * r)]),
            Self::Diamond => polygon(&[(0.0, -1.35 * r), (1.35 * r, 0.0), (0.0, 1.35 * r), (-1.35 * r, 0.0)]),
        }
    }
}

/// A page that is being drawn.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    body: String,
}

impl Scene {
    pub(crate) fn rect(&mut self, at: Rect, paint: &Paint) {
        let (x, y, w, h) = (px(at.left), px(at.top), px(at.width()), px(at.height()));
        self.add(&format!(r#"<rect x="{x}" y="{y}" width="{w}" height="{h}"{}/>"#, paint.attributes()));
    }

    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), paint: &Paint) {
        let (x1, y1, x2, y2) = (px(x1), px(y1), px(x2), px(y2));
        self.add(&format!(r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{}/>"#, paint.attributes()));
    }

    /// A line through all points; nothing for fewer than two.
    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], paint: &Paint) {
        if points.len() > 1 {
            self.add(&format!(r#"<polyline points="{}"{}/>"#, join(points), paint.attributes()));
        }
    }

    pub(crate) fn polygon(&mut self, points: &[(f64, f64)], paint: &Paint) {
        if points.len() > 2 {
            self.add(&format!(r#"<polygon points="{}"{}/>"#, join(points), paint.attributes()));
        }
    }

    /// A point of radius `r`; browsers show `tip` when it is pointed at.
    pub(crate) fn point(&mut self, shape: Shape, (x, y): (f64, f64), r: f64, paint: &Paint, tip: &str) {
        let d = shape.path(x, y, r);
        let attributes = paint.attributes();
        self.add(&format!(r#"<path d="{d}"{attributes}><title>{}</title></path>"#, escape(tip)));
    }

    pub(crate) fn text(&mut self, text: &Text) {
        if text.words.is_empty() {
            return;
        }
        let anchor = match text.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let bold = if text.bold { r#" font-weight="bold""# } else { "" };
        let halo = r##" stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke""##;
        let halo = if text.halo { halo } else { "" };
        let title = text.full.as_ref().filter(|full| **full != text.words);
        let title = title.map_or_else(String::new, |full| format!("<title>{}</title>", escape(full)));
        self.add(&format!(
            r#"<text x="{}" y="{}" font-size="{}" text-anchor="{anchor}" fill="{}"{bold}{halo}>{title}{}</text>"#,
            px(text.x),
            px(text.y),
            px(text.size),
            text.color,
            escape(&text.words),
        ));
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// The whole picture.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let (w, h) = (px(width), px(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             role=\"img\" font-family=\"{FONTS}\">\n<title>{}</title>\n\
             <rect x=\"0\" y=\"0\" width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            escape(title),
            self.body
        )
    }
}

fn join(points: &[(f64, f64)]) -> String {
    points.iter().map(|&(x, y)| format!("{},{}", px(x), px(y))).collect::<Vec<_>>().join(" ")
}

/// A coordinate to a tenth of a pixel, without a trailing zero.
fn px(value: f64) -> String {
    assert!(value.is_finite(), "coordinate {value} is off the page");
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text as XML has it; characters that XML forbids are replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("a < b & \"c\"\u{1}\n"), "a &lt; b &amp; &quot;c&quot;\u{fffd} ");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([px(1.0), px(1.26), px(-0.04)], ["1", "1.3", "0"]);
    }

    #[test]
    fn boxes_that_touch_do_not_overlap() {
        let left = Rect { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };
        let right = Rect { left: 10.0, right: 20.0, ..left };
        assert!(!left.overlaps(&right));
        assert!(left.overlaps(&Rect { left: 9.0, ..right }));
    }
}

//! Pictures as PNG, drawn with the fonts that the crate carries, so that they look the same everywhere.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use crate::PlotError;

const REGULAR: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../fonts/DejaVuSans-Bold.ttf");

/// Longest side of a picture in pixels: a picture that needs more memory than 1 GiB is a mistake.
const LONGEST: f32 = 16_384.0;

/// Rasterises a picture of this crate; with a `scale` of 2 its sides become twice as long.
///
/// # Errors
///
/// [`PlotError::Svg`] when the text is not SVG, [`PlotError::Size`] when a side would be shorter than one pixel
/// or longer than 16,384, [`PlotError::Png`] when the picture cannot be encoded.
pub fn to_png(svg: &str, scale: f32) -> Result<Vec<u8>, PlotError> {
    let tree = tree(svg)?;
    let (wide, high) = (tree.size().width() * scale, tree.size().height() * scale);
    if !(1.0..=LONGEST).contains(&wide) || !(1.0..=LONGEST).contains(&high) {
        return Err(PlotError::Size { scale });
    }
    let mut pixels =
        tiny_skia::Pixmap::new(wide.round() as u32, high.round() as u32).ok_or(PlotError::Size { scale })?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|why| PlotError::Png(why.to_string()))
}

/// The picture with its words laid out.
pub(crate) fn tree(svg: &str) -> Result<usvg::Tree, PlotError> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(BOLD.to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = usvg::Options { fontdb: Arc::new(fonts), ..usvg::Options::default() };
    usvg::Tree::from_str(svg, &options).map_err(|why| PlotError::Svg(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='20'/>";

    /// Width and height are the first fields of the first chunk.
    #[test]
    fn the_scale_is_that_of_the_sides() {
        let png = to_png(SQUARE, 2.0).unwrap();
        assert_eq!(&png[1..4], b"PNG");
        assert_eq!(u32::from_be_bytes(png[16..20].try_into().unwrap()), 20);
        assert_eq!(u32::from_be_bytes(png[20..24].try_into().unwrap()), 40);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(matches!(to_png("no picture", 1.0), Err(PlotError::Svg(_))));
        assert!(matches!(to_png(SQUARE, 1e9), Err(PlotError::Size { .. })));
        assert!(matches!(to_png(SQUARE, f32::NAN), Err(PlotError::Size { .. })));
    }
}

//! Colours that readers with any colour vision can tell apart.
//!
//! Source: Okabe and Ito, *Color Universal Design* (2008). Yellow is left out: it is too light for lines. The
//! heat map's ramp is cividis: Nuñez, Anderton and Renslow, *PLOS ONE* 13(7), 2018.

/// A colour for lines and areas, and a darker one of the same hue for words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Color {
    pub(crate) line: &'static str,
    pub(crate) ink: &'static str,
}

pub(crate) const BLACK: Color = Color { line: "#222222", ink: "#111111" };
pub(crate) const BLUE: Color = Color { line: "#0072b2", ink: "#005a8c" };
pub(crate) const VERMILLION: Color = Color { line: "#d55e00", ink: "#a84a00" };
pub(crate) const GREEN: Color = Color { line: "#009e73", ink: "#00755a" };
pub(crate) const PURPLE: Color = Color { line: "#cc79a7", ink: "#a0457a" };
pub(crate) const SKY: Color = Color { line: "#56b4e9", ink: "#1f78ad" };
pub(crate) const ORANGE: Color = Color { line: "#e69f00", ink: "#8f6200" };
pub(crate) const GREY: Color = Color { line: "#8a8a8a", ink: "#555555" };

/// For things that have no colour of their own, in the order of use.
const WHEEL: [Color; 7] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK];

/// How many things the wheel keeps apart.
pub(crate) const DISTINCT: usize = WHEEL.len();

/// The colour of the `index`-th thing.
pub(crate) fn nth(index: usize) -> Color {
    WHEEL[index % WHEEL.len()]
}

const CIVIDIS: [[f64; 3]; 6] = [
    [0.0, 34.0, 78.0],
    [53.0, 69.0, 108.0],
    [102.0, 105.0, 112.0],
    [148.0, 142.0, 119.0],
    [200.0, 184.0, 102.0],
    [254.0, 232.0, 56.0],
];

/// A fill from dark (0) to light (1), and the colour of words on it.
pub(crate) fn ramp(share: f64) -> (String, &'static str) {
    let place = share.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64;
    let below = (place.floor() as usize).min(CIVIDIS.len() - 2);
    let part = place - below as f64;
    let channel = |i: usize| CIVIDIS[below][i] + part * (CIVIDIS[below + 1][i] - CIVIDIS[below][i]);
    let [red, green, blue] = [channel(0), channel(1), channel(2)];
    let words = if 0.3 * red + 0.59 * green + 0.11 * blue > 125.0 { "#111111" } else { "#ffffff" };
    (format!("#{:02x}{:02x}{:02x}", red.round() as u8, green.round() as u8, blue.round() as u8), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_runs_from_dark_blue_to_yellow() {
        assert_eq!(ramp(0.0), ("#00224e".into(), "#ffffff"));
        assert_eq!(ramp(1.0), ("#fee838".into(), "#111111"));
        assert_eq!(ramp(7.0), ramp(1.0));
    }
}

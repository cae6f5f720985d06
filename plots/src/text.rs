//! How wide words are, known without a font at hand.
//!
//! The tables are the advance widths of `DejaVu Sans`. Where a viewer falls back to another sans serif the
//! words become narrower (Verdana is as wide, nearly all others are not), so nothing collides there either.

/// Height of capitals above the base line, in ems.
pub(crate) const ASCENT: f64 = 0.76;
/// Depth of descenders below it, in ems.
pub(crate) const DESCENT: f64 = 0.24;

const UNITS_PER_EM: f64 = 2048.0;

/// Advance widths of the printable ASCII characters, from the space on.
const REGULAR: [u16; 95] = [
    651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690, 1303, 1303, 1303,
    1303, 1303, 1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716, 1087, 2048, 1401, 1405, 1430, 1577,
    1294, 1178, 1587, 1540, 604, 604, 1343, 1141, 1767, 1532, 1612, 1235, 1612, 1423, 1300, 1251, 1499, 1401,
    2025, 1403, 1251, 1403, 799, 690, 799, 1716, 1024, 1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298,
    569, 569, 1186, 569, 1995, 1298, 1253, 1300, 1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075,
    1303, 690, 1303, 1716,
];

/// The same in bold.
const BOLD: [u16; 95] = [
    713, 934, 1067, 1716, 1425, 2052, 1786, 627, 936, 936, 1071, 1716, 778, 850, 778, 748, 1425, 1425, 1425,
    1425, 1425, 1425, 1425, 1425, 1425, 1425, 819, 819, 1716, 1716, 1716, 1188, 2048, 1585, 1561, 1503, 1700,
    1399, 1399, 1681, 1714, 762, 762, 1587, 1305, 2038, 1714, 1741, 1501, 1741, 1577, 1475, 1397, 1663, 1585,
    2259, 1579, 1483, 1485, 936, 748, 936, 1716, 1024, 1024, 1382, 1466, 1214, 1466, 1389, 891, 1466, 1458,
    702, 702, 1362, 702, 2134, 1458, 1407, 1466, 1466, 1010, 1219, 979, 1458, 1335, 1892, 1321, 1335, 1192,
    1458, 748, 1458, 1716,
];

/// Width in pixels of one line of text of `size` pixels an em.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let units: u32 = text.chars().map(|c| u32::from(advance(c, bold))).sum();
    f64::from(units) * size / UNITS_PER_EM
}

/// Advance of one character; a safe guess where the table ends.
fn advance(c: char, bold: bool) -> u16 {
    let table = if bold { &BOLD } else { &REGULAR };
    match c {
        ' '..='~' => table[c as usize - ' ' as usize],
        '·' | '’' | '‘' => 778,
        '–' => 1024,
        '“' | '”' => 1346,
        '\u{a0}'..='\u{24f}' | '\u{370}'..='\u{45f}' => {
            if bold {
                1700
            } else {
                1500
            }
        }
        _ => 2048,
    }
}

/// The text, its end replaced by an ellipsis where it is wider than `limit`.
pub(crate) fn shorten(text: &str, size: f64, bold: bool, limit: f64) -> String {
    if width(text, size, bold) <= limit {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        kept.pop();
        let candidate = format!("{}…", kept.iter().collect::<String>().trim_end());
        if kept.is_empty() || width(&candidate, size, bold) <= limit {
            return candidate;
        }
    }
}

/// The text, its middle replaced by an ellipsis where it is wider than `limit`: names differ at their ends.
pub(crate) fn squeeze(text: &str, size: f64, bold: bool, limit: f64) -> String {
    if width(text, size, bold) <= limit {
        return text.to_owned();
    }
    let all: Vec<char> = text.chars().collect();
    for kept in (2..all.len()).rev() {
        let head: String = all[..kept.div_ceil(2)].iter().collect();
        let tail: String = all[all.len() - kept / 2..].iter().collect();
        let candidate = format!("{head}…{tail}");
        if width(&candidate, size, bold) <= limit {
            return candidate;
        }
    }
    shorten(text, size, bold, limit)
}

/// Breaks a paragraph into at most `lines` lines of `limit` pixels; what is left over ends in an ellipsis.
pub(crate) fn wrap(text: &str, size: f64, bold: bool, limit: f64, lines: usize) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while words.peek().is_some() && done.len() < lines {
        if done.len() + 1 == lines {
            let rest: Vec<&str> = words.by_ref().collect();
            done.push(shorten(&rest.join(" "), size, bold, limit));
            break;
        }
        let mut line = String::new();
        while let Some(word) = words.peek() {
            let longer = if line.is_empty() { (*word).to_owned() } else { format!("{line} {word}") };
            if !line.is_empty() && width(&longer, size, bold) > limit {
                break;
            }
            line = longer;
            words.next();
        }
        done.push(shorten(&line, size, bold, limit));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An `M` is 1767 units wide, an `i` 569.
    #[test]
    fn widths_are_those_of_the_font() {
        assert!((width("Mi", 16.0, false) - (1767.0 + 569.0) / 2048.0 * 16.0).abs() < 1e-9);
        assert!(width("Mi", 16.0, true) > width("Mi", 16.0, false));
    }

    #[test]
    fn names_keep_both_ends() {
        let name = "recommendations.connection_pool";
        let short = squeeze(name, 16.0, true, 150.0);
        assert!(short.starts_with("reco") && short.ends_with("pool") && short.contains('…'), "{short}");
        assert!(width(&short, 16.0, true) <= 150.0);
        assert_eq!(squeeze("web", 16.0, true, 150.0), "web");
    }

    #[test]
    fn paragraphs_break_between_words_and_end_in_an_ellipsis() {
        let text = "one two three four five six seven eight nine ten";
        let lines = wrap(text, 16.0, false, 120.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("one two") && lines[1].ends_with('…'), "{lines:?}");
        assert!(lines.iter().all(|line| width(line, 16.0, false) <= 120.0));
        assert_eq!(wrap("", 16.0, false, 120.0, 2), Vec::<String>::new());
    }
}

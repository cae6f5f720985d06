//! Quantities as Kubernetes writes them: `15`, `500m`, `1.5Gi`, `2e3`.
//!
//! Source: kubernetes/apimachinery, `pkg/api/resource/quantity.go`.

/// A quantity in thousandths, rounded up; nothing if it is not one. It ends at the largest 64-bit number.
///
/// ```
/// use models::autoscaler::kubernetes::quantity::milli;
/// assert_eq!(milli("15"), Some(15_000));
/// assert_eq!(milli("6666m"), Some(6_666));
/// assert_eq!(milli("1.5Ki"), Some(1_536_000));
/// assert_eq!(milli("1u"), Some(1), "a millionth is rounded up");
/// assert_eq!(milli("ten"), None);
/// ```
pub fn milli(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (factor, exponent) = unit(suffix)?;
    // Digits beyond this cannot matter to 64 bits of thousandths.
    let digits: String = whole.chars().chain(fraction.chars()).collect();
    let digits = digits.trim_start_matches('0');
    if digits.len() > 30 {
        return None;
    }
    let mantissa: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let scaled = mantissa.checked_mul(factor)?;
    let power = exponent + 3 - i32::try_from(fraction.len()).ok()?;
    let value = if scaled == 0 {
        0
    } else if power >= 0 {
        let tens = 10_i128.checked_pow(power.unsigned_abs());
        tens.and_then(|tens| scaled.checked_mul(tens)).unwrap_or(i128::MAX)
    } else {
        match 10_i128.checked_pow(power.unsigned_abs()) {
            Some(tens) => (scaled + tens - 1) / tens,
            None => 1,
        }
    };
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    Some(if negative { -value } else { value })
}

/// A quantity as a number, for shares such as a tolerance; its thousandths are what it is read to.
pub fn number(text: &str) -> Option<f64> {
    milli(text).map(|milli| milli as f64 / 1000.0)
}

/// Factor and power of ten of a suffix.
fn unit(suffix: &str) -> Option<(i128, i32)> {
    Some(match suffix {
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "" => (1, 0),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => (1, suffix.strip_prefix(['e', 'E'])?.parse().ok().filter(|power| (-30..=30).contains(power))?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_scale_and_what_is_not_a_quantity_is_refused() {
        let read: Vec<Option<i64>> =
            ["0.1", "100m", "2k", "1Mi", "1e3", "1E", "9223372036854775807", "1500n", "-5", ".5"]
                .map(milli)
                .to_vec();
        let expected = [100, 100, 2_000_000, 1_048_576_000, 1_000_000, i64::MAX, i64::MAX, 1, -5_000, 500];
        assert_eq!(read, expected.map(Some));
        for text in ["", "m", "1.2.3", "1 Gi", "1gi", "0x10", "1e", "1e99", "--1"] {
            assert_eq!(milli(text), None, "{text}");
        }
    }
}

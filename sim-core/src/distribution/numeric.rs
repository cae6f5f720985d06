//! Root finding for laws and formulas without a closed inverse.

/// The smallest positive `x` at which `holds` turns true, to the last bit; 0 if it holds there.
///
/// `holds` is false below some point and true above. `guess` is any positive number near the answer. Infinite
/// when `holds` is never true.
pub fn smallest(holds: impl Fn(f64) -> bool, guess: f64) -> f64 {
    if holds(0.0) {
        return 0.0;
    }
    let mut high = if guess > 0.0 && guess.is_finite() { guess } else { 1.0 };
    let mut low = 0.0;
    while !holds(high) {
        if high.is_infinite() {
            return high;
        }
        low = high;
        high *= 2.0;
    }
    while low == 0.0 && high > f64::MIN_POSITIVE {
        if holds(high / 2.0) {
            high /= 2.0;
        } else {
            low = high / 2.0;
        }
    }
    boundary(holds, low, high)
}

/// The point between `low` and `high` at which `holds` turns from false to true, to the last bit.
///
/// `holds` is false at `low` and true at `high`.
pub fn boundary(holds: impl Fn(f64) -> bool, mut low: f64, mut high: f64) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_to_the_last_bits() {
        for guess in [1e-9, 1.0, 1e9] {
            assert!((smallest(|x| x * x >= 2.0, guess) - 2.0_f64.sqrt()).abs() < 1e-15);
        }
        assert_eq!(smallest(|x| x >= 0.0, 1.0).to_bits(), 0);
        assert!(smallest(|_| false, 1.0).is_infinite());
        assert!(smallest(|x| x >= 1e-200, 1.0) > 0.99e-200);
    }
}

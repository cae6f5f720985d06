//! A running hash that tells two trajectories apart.

use std::fmt;

use crate::combine;

/// 128 bits that depend on every number absorbed and on their order.
///
/// Two lanes of xor, multiply and rotate: fast, stable, and not meant to resist anybody who tries.
///
/// ```
/// use sim_core::Fingerprint;
/// let (mut a, mut b) = (Fingerprint::default(), Fingerprint::default());
/// a.absorb(1);
/// a.absorb(2);
/// b.absorb(2);
/// b.absorb(1);
/// assert_ne!(a, b);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    a: u64,
    b: u64,
}

/// Odd, without a pattern: from the fractional part of pi.
const MULTIPLY_A: u64 = 0x243f_6a88_85a3_08d3;
const MULTIPLY_B: u64 = 0x1319_8a2e_0370_7345;

impl Fingerprint {
    /// The fingerprint of nothing.
    pub const fn new() -> Self {
        Self { a: 0xa409_3822_299f_31d0, b: 0x082e_fa98_ec4e_6c89 }
    }

    /// Absorbs a number.
    #[inline]
    pub const fn absorb(&mut self, x: u64) {
        self.absorb2(x, 0);
    }

    /// Absorbs two numbers; the order of the two matters.
    #[inline]
    pub const fn absorb2(&mut self, x: u64, y: u64) {
        self.a = (self.a.rotate_left(29) ^ x).wrapping_mul(MULTIPLY_A) ^ y;
        self.b = (self.b.rotate_left(23) ^ y).wrapping_mul(MULTIPLY_B) ^ x;
    }

    /// The hash so far.
    pub const fn value(&self) -> u128 {
        ((combine(self.a, self.b) as u128) << 64) | combine(self.b, self.a) as u128
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Fingerprint {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u64]) -> u128 {
        let mut fingerprint = Fingerprint::new();
        for &number in numbers {
            fingerprint.absorb(number);
        }
        fingerprint.value()
    }

    #[test]
    fn it_is_32_digits() {
        let text = Fingerprint::new().to_string();
        assert_eq!(text.len(), 32);
        assert_eq!(u128::from_str_radix(&text, 16), Ok(Fingerprint::new().value()));
    }

    #[test]
    fn order_length_and_value_matter() {
        let mut all =
            vec![of(&[]), of(&[0]), of(&[0, 0]), of(&[1]), of(&[1, 2]), of(&[2, 1]), of(&[1, 2, 0])];
        let (mut a, mut b) = (Fingerprint::new(), Fingerprint::new());
        a.absorb2(1, 2);
        b.absorb2(2, 1);
        all.extend([a.value(), b.value()]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9, "{all:x?}");
    }

    /// A difference far back, in any bit, is still there a thousand numbers later, in half of the bits.
    #[test]
    fn a_difference_is_never_forgotten() {
        for bit in 0..64 {
            let tail = 0..1000_u64;
            let a: Vec<u64> = std::iter::once(0).chain(tail.clone()).collect();
            let b: Vec<u64> = std::iter::once(1 << bit).chain(tail).collect();
            let differing = (of(&a) ^ of(&b)).count_ones();
            assert!((36..=92).contains(&differing), "bit {bit}: {differing} of 128");
        }
    }

    #[test]
    fn neighbouring_pairs_do_not_collide() {
        let mut values: Vec<u128> = (0..300_u64)
            .flat_map(|x| (0..300_u64).map(move |y| (x, y)))
            .map(|(x, y)| {
                let mut fingerprint = Fingerprint::new();
                fingerprint.absorb2(x, y);
                fingerprint.value()
            })
            .collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 90_000);
    }
}

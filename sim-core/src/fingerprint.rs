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

//! Random numbers that depend on names and counts, never on who drew before.
//!
//! Two named generators: [`Draws`], eight bytes, made afresh for every request from a key, and [`Stream`], a
//! long stream for arrivals. Both give the same numbers on every platform.

use std::convert::Infallible;

use rand::rand_core::utils::fill_bytes_via_next_word;
use rand::{SeedableRng, TryRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The increment of `SplitMix64`: 2^64 over the golden ratio, made odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A strong one-to-one scrambling of 64 bits: each input bit flips each output bit half of the time.
///
/// Source: Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014, with the
/// constants of Stafford's variant 13. `mix(s)` is what `SplitMix64` returns in state `s`.
#[inline]
pub const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(GAMMA);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A key made of two; the order of the two matters.
#[inline]
pub const fn combine(a: u64, b: u64) -> u64 {
    mix(mix(a) ^ b)
}

/// A stable hash of a name: FNV-1a, then [`mix`].
pub const fn hash_name(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    mix(hash)
}

/// 53 random bits as a number in [0, 1).
#[inline]
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// 53 random bits as a number in (0, 1]: its logarithm is finite.
#[inline]
fn open_unit(bits: u64) -> f64 {
    ((bits >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// 64 random bits as a number below `n`, by multiplication (Lemire 2019); the bias is below n / 2^64.
#[inline]
fn below(bits: u64, n: u32) -> u32 {
    assert!(n > 0, "there is no number below 0");
    ((u128::from(bits) * u128::from(n)) >> 64) as u32
}

/// A request's own random numbers: `SplitMix64`, cheap enough to be made afresh from a key whenever needed.
///
/// ```
/// use sim_core::Draws;
/// let mut draws = Draws::keyed(7);
/// let first = draws.unit();
/// assert_eq!(Draws::keyed(7).unit(), first, "the key decides");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    state: u64,
}

const _: () = assert!(size_of::<Draws>() == 8);

impl Draws {
    /// The numbers that belong to `key`; neighbouring keys give unrelated numbers.
    #[inline]
    pub const fn keyed(key: u64) -> Self {
        Self { state: mix(key) }
    }

    /// The next 64 random bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        let bits = mix(self.state);
        self.state = self.state.wrapping_add(GAMMA);
        bits
    }

    /// The next number in [0, 1), with 53 random bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// The next number in (0, 1], with 53 random bits.
    #[inline]
    pub fn open_unit(&mut self) -> f64 {
        open_unit(self.next_u64())
    }

    /// The next number from 0 to `n - 1`.
    ///
    /// # Panics
    ///
    /// When `n` is 0.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        below(self.next_u64(), n)
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

/// A long random stream with a name, for arrivals: xoshiro256++.
///
/// ```
/// use sim_core::Stream;
/// let mut arrivals = Stream::new(42, 0, "traffic.shoppers", "arrival");
/// assert!(arrivals.unit() < 1.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream of `path` for one `purpose` in one replication.
    pub fn new(seed: u64, replication: u32, path: &str, purpose: &str) -> Self {
        let run = combine(seed, u64::from(replication));
        let name = combine(hash_name(path), hash_name(purpose));
        Self(Xoshiro256PlusPlus::seed_from_u64(combine(run, name)))
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let Ok(bits) = self.0.try_next_u64();
        bits
    }

    /// The next number in [0, 1), with 53 random bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// The next number in (0, 1], with 53 random bits.
    #[inline]
    pub fn open_unit(&mut self) -> f64 {
        open_unit(self.next_u64())
    }

    /// The next number from 0 to `n - 1`.
    ///
    /// # Panics
    ///
    /// When `n` is 0.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        below(self.next_u64(), n)
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

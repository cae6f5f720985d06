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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// From the reference implementation of `SplitMix64`, seeded with 0 and with 1234567.
    #[test]
    fn mix_is_the_step_of_splitmix64() {
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        let outputs: [u64; 3] =
            std::array::from_fn(|i| mix(1_234_567_u64.wrapping_add(GAMMA.wrapping_mul(i as u64))));
        assert_eq!(
            outputs,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    /// From a second implementation, in another language. Whoever changes these numbers changes all results.
    #[test]
    fn keyed_draws_are_pinned() {
        let mut draws = Draws::keyed(42);
        let bits: [u64; 3] = std::array::from_fn(|_| draws.next_u64());
        assert_eq!(bits, KEYED_42);
        let mut stream = Stream::new(42, 7, "traffic.shoppers", "arrival");
        let bits: [u64; 3] = std::array::from_fn(|_| stream.next_u64());
        assert_eq!(bits, STREAM_42_7);
        assert_eq!(hash_name("services.web"), HASH_WEB);
        assert_eq!(combine(1, 2), COMBINE_1_2);
    }

    const KEYED_42: [u64; 3] =
        [6_332_618_229_526_065_668, 17_630_415_256_238_047_317, 8_971_565_426_155_258_802];
    const STREAM_42_7: [u64; 3] =
        [6_916_581_783_652_127_055, 13_006_837_654_882_624_050, 16_333_482_761_712_947_407];
    const HASH_WEB: u64 = 6_903_331_451_487_440_638;
    const COMBINE_1_2: u64 = 13_608_149_317_741_381_227;

    #[test]
    fn every_part_of_a_name_matters() {
        let first =
            |seed, replication, path, purpose| Stream::new(seed, replication, path, purpose).next_u64();
        let mut firsts = vec![
            first(1, 0, "a", "b"),
            first(2, 0, "a", "b"),
            first(1, 1, "a", "b"),
            first(0, 1, "a", "b"),
            first(1, 0, "b", "a"),
            first(1, 0, "a", ""),
            first(1, 0, "ab", ""),
            first(1, 0, "", "ab"),
        ];
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 8);
        assert_ne!(combine(1, 2), combine(2, 1));
    }

    #[test]
    fn units_keep_to_their_ends() {
        assert_eq!((unit(0), open_unit(u64::MAX)), (0.0, 1.0));
        assert!(unit(u64::MAX) < 1.0 && open_unit(0) > 0.0);
        assert_eq!((below(0, 10), below(u64::MAX, 10), below(1 << 63, 10)), (0, 9, 5));
    }

    #[test]
    #[should_panic(expected = "there is no number below 0")]
    fn nothing_is_below_0() {
        Draws::keyed(1).below(0);
    }

    #[test]
    fn the_generator_trait_gives_the_same_bits() {
        let mut bytes = [0; 8];
        Draws::keyed(3).fill_bytes(&mut bytes);
        assert_eq!(u64::from_le_bytes(bytes), Draws::keyed(3).next_u64());
        assert_eq!(Rng::next_u32(&mut Draws::keyed(3)), (Draws::keyed(3).next_u64() >> 32) as u32);
    }

    /// Pearson's chi-square against equal shares; with 255 degrees of freedom, 0.1 % exceed 330.5 and 0.1 %
    /// fall short of 190.9.
    fn assert_uniform(what: &str, values: impl Iterator<Item = u64>) {
        let mut counts = [0_u64; 256];
        let mut n = 0_u64;
        for value in values {
            counts[value as usize] += 1;
            n += 1;
        }
        let expected = n as f64 / 256.0;
        let chi_square: f64 = counts.iter().map(|&c| (c as f64 - expected).powi(2) / expected).sum();
        assert!((190.0..331.0).contains(&chi_square), "{what}: {chi_square}");
    }

    /// Consecutive keys, and keys that differ in one high bit, are how requests are numbered.
    #[test]
    fn draws_of_neighbouring_keys_are_uniform_and_unrelated() {
        for (name, step) in [("1", 1_u64), ("2^32", 1 << 32), ("gamma", GAMMA)] {
            let keys = || (0..200_000_u64).map(move |i| i.wrapping_mul(step));
            for skipped in 0..3 {
                let draw = move |key| {
                    let mut draws = Draws::keyed(key);
                    (0..skipped).for_each(|_| _ = draws.next_u64());
                    draws.next_u64()
                };
                assert_uniform(&format!("high byte, step {name}"), keys().map(|k| draw(k) >> 56));
                assert_uniform(&format!("low byte, step {name}"), keys().map(|k| draw(k) & 255));
                // A pair of nibbles, one of this key and one of the next.
                assert_uniform(
                    &format!("pairs, step {name}"),
                    keys().map(|k| (draw(k) >> 60 << 4) | (draw(k.wrapping_add(step)) >> 60)),
                );
            }
            let sum: f64 = keys()
                .map(|k| {
                    let (a, b) = (Draws::keyed(k).unit(), Draws::keyed(k.wrapping_add(step)).unit());
                    (a - 0.5) * (b - 0.5) * 12.0
                })
                .sum();
            let correlation = sum / 200_000.0;
            assert!(correlation.abs() < 3.3 / 200_000_f64.sqrt(), "step {name}: {correlation}");
        }
    }

    #[test]
    fn flipping_a_bit_of_a_key_flips_half_of_the_bits() {
        for bit in 0..64 {
            let flipped: u32 =
                (0..1000_u64).map(|k| (combine(k, 9) ^ combine(k ^ (1 << bit), 9)).count_ones()).sum();
            assert!((31_300..32_700).contains(&flipped), "bit {bit} flips {flipped} of 64000");
        }
    }
}

//! A log-linear histogram of durations.

use std::ops::RangeInclusive;

/// Buckets in an octave, from 2^k to 2^(k+1).
const PER_OCTAVE: u32 = 128;
const OCTAVE_BITS: u32 = PER_OCTAVE.ilog2();

/// The window grows by half an octave at a time.
const STEP: u32 = PER_OCTAVE / 2;

/// Counts durations, given in ns, in buckets at most 1/128 of their value wide.
///
/// Values below 256 ns are counted exactly, and so are zeros at any resolution; the bucket of a larger value
/// spans at most 1/128 of it, so its middle is off by at most 0.4 %. Count, sum, smallest and largest are
/// exact integers: merging is associative to the last bit. The buckets in memory are those from the
/// smallest to the largest non-zero value, an eighth of a KiB an octave.
///
/// ```
/// use sim_core::Histogram;
/// let mut waits = Histogram::new();
/// for ns in [0, 0, 10, 30] {
///     waits.record(ns);
/// }
/// assert_eq!(waits.mean(), Some(10.0));
/// assert_eq!(waits.quantile(0.5), Some(0.0), "half of them did not wait");
/// assert_eq!(waits.quantile(0.75), Some(10.0));
/// ```
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Histogram {
    // What every value is counted in is one line of the cache.
    sum: u128,
    count: u64,
    min: u64,
    /// By how much the largest exceeds the smallest: one comparison tells whether a value is between them.
    spread: u64,
    /// `counts[0]` counts zeros, `counts[1 + i]` the bucket `base + i`.
    ///
    /// Bytes: what is counted into all the time should stay in the first-level cache.
    counts: Box<[u8]>,
    base: u32,
    /// Counts that have gone beyond 2^8: where in `counts`, sorted, and how many times.
    carries: Vec<(u32, u64)>,
}

/// The bucket of a value: the value itself below 256, then 128 an octave.
#[inline]
const fn bucket_of(value: u64) -> u32 {
    let octave = (value | PER_OCTAVE as u64).ilog2() - OCTAVE_BITS;
    (octave << OCTAVE_BITS).wrapping_add((value >> octave) as u32)
}

/// The values that share a bucket.
fn range_of(bucket: u32) -> RangeInclusive<u64> {
    let octave = (bucket >> OCTAVE_BITS).saturating_sub(1);
    let low = u64::from(bucket - (octave << OCTAVE_BITS)) << octave;
    low..=low + ((1 << octave) - 1)
}

impl Histogram {
    /// An empty histogram, which holds no memory.
    pub fn new() -> Self {
        Self {
            sum: 0,
            count: 0,
            min: u64::MAX,
            spread: 0,
            counts: Box::new([]),
            base: 0,
            carries: Vec::new(),
        }
    }

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let slot = self.slot(value);
        if let Some(count) = self.counts.get_mut(slot)
            && let Some(more) = count.checked_add(1)
        {
            *count = more;
        } else {
            self.add(value, 1);
        }
        if value.wrapping_sub(self.min) > self.spread {
            self.stretch(value);
        }
        // Neither sum can reach its end, and checking costs as much as adding.
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.wrapping_add(u128::from(value));
    }

    /// Keeps a value that is smaller or larger than all before, which is rare. It is counted afterwards.
    #[cold]
    fn stretch(&mut self, value: u64) {
        let max = if self.is_empty() { value } else { self.largest().max(value) };
        self.min = self.min.min(value);
        self.spread = max - self.min;
    }

    /// The largest value, where there is any.
    const fn largest(&self) -> u64 {
        self.min + self.spread
    }

    /// Counts a zero.
    #[inline]
    pub fn record_zero(&mut self) {
        if let Some(count) = self.counts.first_mut()
            && *count < u8::MAX
        {
            *count += 1;
        } else {
            self.add(0, 1);
        }
        if self.min > 0 {
            self.stretch(0);
        }
        self.count = self.count.wrapping_add(1);
    }

    /// Counts one value `n` times.
    pub fn record_n(&mut self, value: u64, n: u64) {
        if n == 0 {
            return;
        }
        self.add(value, n);
        self.stretch(value);
        self.count += n;
        self.sum += u128::from(value) * u128::from(n);
    }

    /// Where in `counts` a value belongs; out of its range when the window has to grow, and for a zero.
    #[inline]
    fn slot(&self, value: u64) -> usize {
        bucket_of(value).wrapping_sub(self.base) as usize + 1
    }

    /// Adds to the bucket of `value`, and widens the window to it if need be.
    #[cold]
    #[inline(never)]
    fn add(&mut self, value: u64, n: u64) {
        if self.counts.is_empty() {
            self.counts = Box::new([0]);
        }
        if value > 0 && self.slot(value) >= self.counts.len() {
            let bucket = bucket_of(value);
            self.widen(bucket, bucket);
        }
        let slot = if value > 0 { self.slot(value) } else { 0 };
        let sum = u64::from(self.counts[slot]) + n;
        self.counts[slot] = sum as u8;
        let carried = sum >> u8::BITS;
        if carried > 0 {
            match self.find_carries(slot) {
                Ok(i) => self.carries[i].1 += carried,
                Err(i) => self.carries.insert(i, (slot as u32, carried)),
            }
        }
    }

    fn find_carries(&self, slot: usize) -> Result<usize, usize> {
        self.carries.binary_search_by_key(&(slot as u32), |&(carried, _)| carried)
    }

    /// Widens the window to the buckets from `low` to `high`, in whole steps; that of zeros is no part of it.
    fn widen(&mut self, low: u32, high: u32) {
        let low = (low / STEP * STEP).max(1);
        let end = (high / STEP + 1) * STEP;
        let mut counts = std::mem::take(&mut self.counts).into_vec();
        let buckets = counts.len() as u32 - 1;
        if buckets == 0 {
            self.base = low;
        } else if low < self.base {
            let added = self.base - low;
            counts.splice(1..1, std::iter::repeat_n(0, added as usize));
            for (slot, _) in self.carries.iter_mut().filter(|(slot, _)| *slot > 0) {
                *slot += added;
            }
            self.base = low;
        }
        let buckets = (end - self.base).max(counts.len() as u32 - 1) as usize;
        counts.resize(buckets + 1, 0);
        self.counts = counts.into_boxed_slice();
    }

    /// Adds what `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        for (low, _, n) in other.buckets() {
            self.add(low, n);
        }
        if !other.is_empty() {
            self.stretch(other.min);
            self.stretch(other.largest());
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    /// What this has counted beyond `earlier`, which counted the first of the same values; to the accuracy of the
    /// buckets.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut before = earlier.buckets().peekable();
        let mut later = Self::new();
        for (low, _, n) in self.buckets() {
            let known = before.next_if(|(other, ..)| *other == low).map_or(0, |(.., known)| known);
            later.record_n(low, n - known);
        }
        later
    }

    /// How many values were counted.
    #[inline]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was counted.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Their sum in ns, exactly.
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// The smallest in ns, exactly.
    pub fn min(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest in ns, exactly.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then(|| self.largest())
    }

    /// The mean in ns.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The variance in ns^2 of the values as a whole population.
    ///
    /// Inside a bucket the values are taken to be spread evenly, which is off by less than 10^-5 of the mean
    /// square; equal values have no variance.
    pub fn variance(&self) -> Option<f64> {
        let mean = self.mean()?;
        let squares = self.buckets().map(|(low, high, n)| {
            let (low, high) = (low.max(self.min), high.min(self.largest()));
            let middle = low as f64 + (high - low) as f64 / 2.0;
            let width = (high - low) as f64 + 1.0;
            n as f64 * ((middle - mean).powi(2) + (width * width - 1.0) / 12.0)
        });
        Some(squares.sum::<f64>() / self.count as f64)
    }

    /// The smallest t in ns such that a share of at least `p` is at most t.
    ///
    /// Inside a bucket the values are taken to be spread evenly. The ends, and zeros, are exact.
    ///
    /// # Panics
    ///
    /// When `p` is not from 0 to 1.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let rank = self.rank(p)?;
        if rank == 1 {
            return Some(self.min as f64);
        }
        if rank == self.count {
            return Some(self.largest() as f64);
        }
        let mut below = 0;
        for (low, high, n) in self.buckets() {
            if below + n >= rank {
                let share = ((rank - below) as f64 - 0.5) / n as f64;
                let t = low as f64 + (high - low) as f64 * share;
                return Some(t.clamp(self.min as f64, self.largest() as f64));
            }
            below += n;
        }
        unreachable!("rank {rank} of {} is in no bucket", self.count)
    }

    /// Which of the values in order, counted from 1, is the `p`-quantile.
    fn rank(&self, p: f64) -> Option<u64> {
        assert!((0.0..=1.0).contains(&p), "a quantile is from 0 to 1, not {p}");
        if self.count == 0 {
            return None;
        }
        // 0.07 * 100 is a little over 7 in floating point, and still means the seventh.
        let rank = (p * self.count as f64 * (1.0 - 4.0 * f64::EPSILON)).ceil() as u64;
        Some(rank.clamp(1, self.count))
    }

    /// The share of values of at most `value` ns; inside a bucket the values are taken to be spread evenly.
    pub fn share_at_most(&self, value: u64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        if value >= self.largest() {
            return Some(1.0);
        }
        if value < self.min {
            return Some(0.0);
        }
        let mut at_most = 0.0;
        for (low, high, n) in self.buckets().take_while(|&(low, ..)| low <= value) {
            let covered = (value.min(high) - low + 1) as f64 / (high - low + 1) as f64;
            at_most += n as f64 * covered;
        }
        Some(at_most / self.count as f64)
    }

    /// How many values come after the `p`-quantile; with fewer than 10 it means little.
    ///
    /// # Panics
    ///
    /// When `p` is not from 0 to 1.
    pub fn samples_beyond(&self, p: f64) -> u64 {
        self.rank(p).map_or(0, |rank| self.count - rank)
    }

    /// The buckets that have counted something, smallest first: lowest value, highest value (both included), count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let mut carries = self.carries.iter().peekable();
        self.counts.iter().zip(0..).filter_map(move |(&count, slot)| {
            let beyond = carries.next_if(|carry| carry.0 == slot).map_or(0, |carry| carry.1);
            let n = u64::from(count) + (beyond << u8::BITS);
            if n == 0 {
                return None;
            }
            let range = if slot == 0 { 0..=0 } else { range_of(self.base + slot - 1) };
            Some((*range.start(), *range.end(), n))
        })
    }

    /// What slot `slot` has counted.
    fn counted(&self, slot: usize) -> u64 {
        let carried = self.find_carries(slot).map_or(0, |i| self.carries[i].1);
        self.counts.get(slot).map_or(0, |&count| u64::from(count) + (carried << u8::BITS))
    }

    /// Bytes of memory held by the buckets.
    pub const fn memory(&self) -> usize {
        self.counts.len() + self.carries.capacity() * size_of::<(u32, u64)>()
    }

    /// The same in as little memory as possible.
    #[must_use]
    pub fn compact(mut self) -> Self {
        let mut used = (1..self.counts.len()).filter(|&slot| self.counted(slot) > 0);
        let first = used.next().unwrap_or(1);
        let last = used.next_back().unwrap_or(first);
        let mut counts = std::mem::take(&mut self.counts).into_vec();
        counts.truncate(last + 1);
        counts.drain(1.min(counts.len())..first.min(counts.len()));
        for (slot, _) in self.carries.iter_mut().filter(|(slot, _)| *slot > 0) {
            *slot -= first as u32 - 1;
        }
        self.base += first as u32 - 1;
        if self.count == 0 {
            counts.clear();
        }
        self.counts = counts.into_boxed_slice();
        self
    }

    /// Forgets what was counted, and keeps the memory.
    pub fn clear(&mut self) {
        let (mut counts, base) = (std::mem::take(&mut self.counts), self.base);
        counts.fill(0);
        *self = Self { counts, base, ..Self::new() };
    }

    /// Hands over what was counted; what stays is empty and holds no memory.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// Equal when the same was counted, however much memory is held for it.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        (self.count, self.sum, self.min, self.spread) == (other.count, other.sum, other.min, other.spread)
            && self.buckets().eq(other.buckets())
    }
}

impl Eq for Histogram {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draws;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        for &value in values {
            histogram.record(value);
        }
        histogram
    }

    /// 3, 3 and 1,000 of which the first 3 and nothing else had been counted before.
    #[test]
    fn what_has_come_since_is_what_is_beyond_the_earlier() {
        let mut earlier = Histogram::new();
        earlier.record(3);
        let mut later = earlier.clone();
        for value in [3, 1_000, 0] {
            later.record(value);
        }
        let since = later.since(&earlier);
        assert_eq!((since.count(), since.min()), (3, Some(0)));
        assert_eq!(since.share_at_most(3), Some(2.0 / 3.0));
        assert!(later.since(&later).is_empty());
    }

    /// 1 to 100: mean 50.5, variance (100^2 - 1)/12 = 833.25, and each value is its own percentile.
    #[test]
    fn one_to_a_hundred_by_hand() {
        let histogram = of(&(1..=100).collect::<Vec<_>>());
        assert_eq!((histogram.count(), histogram.sum()), (100, 5050));
        assert_eq!((histogram.min(), histogram.max()), (Some(1), Some(100)));
        assert_eq!((histogram.mean(), histogram.variance()), (Some(50.5), Some(833.25)));
        for percent in 1..=100_u32 {
            let p = f64::from(percent) / 100.0;
            assert_eq!(histogram.quantile(p), Some(f64::from(percent)), "p = {p}");
            assert_eq!(histogram.share_at_most(u64::from(percent)), Some(p));
            assert_eq!(histogram.samples_beyond(p), u64::from(100 - percent));
        }
        assert_eq!(histogram.quantile(0.0), Some(1.0));
        assert_eq!((histogram.share_at_most(0), histogram.share_at_most(1000)), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn an_empty_histogram_says_nothing() {
        let empty = Histogram::new();
        assert_eq!((empty.mean(), empty.variance(), empty.quantile(0.5)), (None, None, None));
        assert_eq!((empty.min(), empty.max(), empty.share_at_most(3)), (None, None, None));
        assert_eq!((empty.samples_beyond(0.5), empty.memory(), empty.buckets().count()), (0, 0, 0));
    }

    /// Each edge belongs to one bucket, which is at most 1/128 of its lowest value wide.
    #[test]
    fn buckets_are_narrow_and_without_gaps() {
        let last = bucket_of(u64::MAX);
        let mut next = 0;
        for bucket in 0..=last {
            let range = range_of(bucket);
            assert_eq!(*range.start(), next, "bucket {bucket}");
            assert_eq!((bucket_of(*range.start()), bucket_of(*range.end())), (bucket, bucket));
            assert!((range.end() - range.start()) as f64 <= *range.start() as f64 / 128.0);
            next = range.end().wrapping_add(1);
        }
        assert_eq!(next, 0, "the last bucket ends at the largest number");
    }

    #[test]
    fn counts_go_on_beyond_32_bits() {
        let mut histogram = Histogram::new();
        histogram.record_n(1000, (3 << 32) - 1);
        histogram.record(1000);
        histogram.record_n(0, 1 << 32);
        histogram.record_zero();
        histogram.record(10); // Widens the window downwards.
        histogram.record(1001);
        let expected = vec![(0, 0, (1 << 32) + 1), (10, 10, 1), (1000, 1003, (3 << 32) + 1)];
        let mut twice = histogram.clone();
        twice.merge(&histogram);
        assert_eq!(histogram.compact().buckets().collect::<Vec<_>>(), expected);
        assert_eq!(
            (twice.count(), twice.buckets().last()),
            ((8 << 32) + 6, Some((1000, 1003, (6 << 32) + 2)))
        );
        assert_eq!(twice.quantile(0.25), Some(0.0));
        assert!(twice.quantile(0.26).is_some_and(|t| (1000.0..1001.0).contains(&t)));
    }

    #[test]
    fn zeros_stay_exact_beside_long_times() {
        let mut histogram = Histogram::new();
        histogram.record_n(0, 60);
        histogram.record_n(5_000_000_000, 40);
        assert_eq!(histogram.quantile(0.6), Some(0.0));
        assert_eq!(histogram.quantile(0.61), Some(5e9));
        assert_eq!(histogram.share_at_most(0), Some(0.6));
        assert!(histogram.memory() < 1024, "{} bytes", histogram.memory());
    }

    #[test]
    fn equal_values_have_no_variance() {
        for value in [1, 255, 1_000_003, 123_456_789_012_345_678] {
            let mut histogram = Histogram::new();
            histogram.record_n(value, 1000);
            assert_eq!((histogram.mean(), histogram.variance()), (Some(value as f64), Some(0.0)));
            assert_eq!(histogram.quantile(0.3), Some(value as f64));
        }
    }

    #[test]
    fn ten_octaves_take_five_kilobytes() {
        let mut histogram = Histogram::new();
        let mut draws = Draws::keyed(1);
        for _ in 0..100_000 {
            histogram.record(1_000_000 << draws.below(10));
        }
        assert!(histogram.memory() <= 8 << 10, "{} bytes", histogram.memory());
        let compact = histogram.clone().compact();
        assert_eq!(compact, histogram);
        assert!(compact.memory() <= 5 << 10, "{} bytes", compact.memory());
    }

    /// Exponential with mean 1 ms: the p-quantile is -ln(1 - p) ms.
    #[test]
    fn quantiles_of_the_exponential_agree_with_the_formula() {
        let mut histogram = Histogram::new();
        let mut draws = Draws::keyed(11);
        for _ in 0..1_000_000 {
            histogram.record((-draws.open_unit().ln() * 1e6) as u64);
        }
        for (p, tolerance) in [(0.1, 0.015), (0.5, 0.008), (0.9, 0.008), (0.99, 0.01), (0.999, 0.02)] {
            let exact = -f64::ln_1p(-p) * 1e6;
            let found = histogram.quantile(p).unwrap();
            assert!((found / exact - 1.0).abs() < tolerance, "p{p}: {found}, not {exact}");
            assert!((histogram.share_at_most(exact as u64).unwrap() - p).abs() < 0.002);
        }
        assert!((histogram.variance().unwrap() / 1e12 - 1.0).abs() < 0.02);
    }

    #[test]
    fn taking_and_clearing_leave_nothing() {
        let mut histogram = of(&[0, 7, 1 << 40]);
        let whole = histogram.clone();
        let taken = histogram.take();
        assert_eq!((taken, histogram.memory()), (whole.clone(), 0));
        assert_eq!(histogram, Histogram::new());
        let mut cleared = whole;
        cleared.clear();
        assert_eq!(cleared, Histogram::new());
        assert!(cleared.memory() > 0);
        assert_eq!(Histogram::new().compact(), Histogram::new());
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        let value = prop_oneof![Just(0), 0..300_u64, (0..64_u32, any::<u64>()).prop_map(|(bit, x)| x >> bit)];
        proptest::collection::vec(value, 1..200)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn merging_is_recording_everything(a in values(), b in values(), c in values()) {
            let all = of(&[a.clone(), b.clone(), c.clone()].concat());
            let (a, b, c) = (of(&a), of(&b), of(&c));
            let mut left = a.clone();
            left.merge(&b);
            left.merge(&c);
            let mut right = c;
            right.merge(&a.compact());
            right.merge(&b);
            prop_assert_eq!(&left, &all);
            prop_assert_eq!(&right, &all);
            prop_assert_eq!(all.buckets().map(|(.., n)| n).sum::<u64>(), all.count());
        }

        #[test]
        fn a_quantile_is_that_of_the_sorted_values(mut values in values(), p in 0.0..=1.0_f64) {
            let histogram = of(&values);
            values.sort_unstable();
            let rank = ((p * values.len() as f64).ceil() as usize).max(1);
            let exact = values[rank - 1] as f64;
            let found = histogram.quantile(p).unwrap();
            prop_assert!((found - exact).abs() <= exact / 128.0, "{found}, not {exact}");
            prop_assert_eq!(histogram.samples_beyond(p), (values.len() - rank) as u64);
        }

        #[test]
        fn a_share_is_within_a_bucket_of_the_exact_one(values in values(), at in any::<u64>(), bit in 0..64_u32) {
            let at = at >> bit;
            let found = of(&values).share_at_most(at).unwrap() * values.len() as f64;
            let range = range_of(bucket_of(at));
            let below = values.iter().filter(|&v| v < range.start()).count();
            let within = values.iter().filter(|&v| v <= range.end()).count();
            prop_assert!(found > below as f64 - 1e-6 && found < within as f64 + 1e-6);
        }

        #[test]
        fn recording_many_is_recording_often(value in any::<u64>(), n in 0..50_u64) {
            let mut many = Histogram::new();
            many.record_n(value >> 3, n);
            prop_assert_eq!(many, of(&vec![value >> 3; n as usize]));
        }
    }
}

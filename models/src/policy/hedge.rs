//! What a caller knows of how long its calls take: when a hedge that goes by a percentile sends its copy.

use sim_core::Span;

/// Buckets an octave: a bucket is 3 % wide.
const STEPS: u32 = 32;

/// Times of a generation; the last full one is remembered beside the present one.
const GENERATION: f64 = 1_000.0;

/// Times seen between two looks at the percentile.
const PATIENCE: u32 = 16;

/// Samples that must lie beyond the percentile before it is believed.
const BEYOND: f64 = 5.0;

/// The times that calls of one caller took lately, in buckets.
///
/// Nothing is known before five times would lie beyond the percentile: 100 calls for p95, 500 for p99. Until then
/// no copies are sent. From then on the percentile is that of the last 1,000 to 2,000 times, or more where less than
/// fifty of them would lie beyond it.
///
/// Source: Dean and Barroso, *The Tail at Scale*, CACM 56(2), 2013; Finagle, `BackupRequestFilter`, which records
/// the first copy's time also where another copy was faster.
#[derive(Clone, Debug)]
pub struct Latencies {
    quantile: f64,
    /// Times by bucket: of the present generation, and of the one before.
    counts: Vec<[u32; 2]>,
    /// Times of each of the two.
    sums: [u32; 2],
    /// Times until the percentile is looked at again.
    until_look: u32,
    found: Option<Span>,
}

impl Latencies {
    /// Nothing is known yet of the percentile `quantile` (0 to 1).
    pub fn new(quantile: f64) -> Self {
        let enough = (BEYOND / (1.0 - quantile)).ceil().clamp(1.0, 1e6);
        Self { quantile, counts: Vec::new(), sums: [0; 2], until_look: enough as u32, found: None }
    }

    /// Which percentile it looks for.
    pub fn quantile(&self) -> f64 {
        self.quantile
    }

    /// The percentile, once enough is known.
    pub fn percentile(&self) -> Option<Span> {
        self.found
    }

    /// A call took this long.
    pub fn record(&mut self, time: Span) {
        let bucket = bucket_of(time.as_nanos());
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, [0; 2]);
        }
        self.counts[bucket][0] += 1;
        self.sums[0] += 1;
        self.until_look -= 1;
        if self.until_look > 0 {
            return;
        }
        self.until_look = PATIENCE;
        self.found = Some(self.look());
        let generation = GENERATION.max(10.0 * BEYOND / (1.0 - self.quantile)).min(1e7);
        if f64::from(self.sums[0]) >= generation {
            self.counts.iter_mut().for_each(|[present, before]| *before = std::mem::take(present));
            self.sums = [0, self.sums[0]];
        }
    }

    /// The percentile of the buckets, straight within one.
    fn look(&self) -> Span {
        let wanted = self.quantile * f64::from(self.sums[0] + self.sums[1]);
        let mut below = 0.0;
        for (bucket, [present, before]) in self.counts.iter().enumerate() {
            let count = f64::from(present + before);
            if count > 0.0 && below + count >= wanted {
                let (low, high) = edges(bucket);
                let share = (wanted - below) / count;
                return Span::from_nanos(low + (share * (high - low) as f64) as u64);
            }
            below += count;
        }
        Span::ZERO
    }
}

fn bucket_of(nanos: u64) -> usize {
    if nanos < u64::from(STEPS) {
        return nanos as usize;
    }
    let octave = nanos.ilog2() - STEPS.ilog2();
    (u64::from(octave * STEPS) + (nanos >> octave)) as usize
}

/// The bucket's least time, and the next one's.
fn edges(bucket: usize) -> (u64, u64) {
    let steps = STEPS as usize;
    if bucket < 2 * steps {
        return (bucket as u64, bucket as u64 + 1);
    }
    let octave = bucket / steps - 1;
    let low = ((bucket - octave * steps) as u64) << octave;
    (low, low + (1 << octave))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Span {
        Span::from_nanos(n * 1_000_000)
    }

    #[test]
    fn every_time_lies_between_the_edges_of_its_bucket() {
        for nanos in (0..5_000).chain([1_000_000, 123_456_789, u64::MAX >> 4]) {
            let (low, high) = edges(bucket_of(nanos));
            assert!(low <= nanos && nanos < high, "{nanos} is outside {low}..{high}");
            assert!((high - low) as f64 <= 1.0 + low as f64 / f64::from(STEPS), "{low}..{high} is too wide");
        }
    }

    #[test]
    fn nothing_is_known_before_a_hundred_calls_at_p95() {
        let mut seen = Latencies::new(0.95);
        for i in 1..100 {
            seen.record(ms(i));
            assert_eq!(seen.percentile(), None, "after {i}");
        }
        seen.record(ms(100));
        let found = seen.percentile().unwrap().as_seconds();
        assert!((found / 0.095 - 1.0).abs() < 0.03, "{found}");
    }

    #[test]
    fn the_percentile_follows_the_times() {
        let mut seen = Latencies::new(0.5);
        (0..2_000).for_each(|_| seen.record(ms(10)));
        (0..3_000).for_each(|_| seen.record(ms(80)));
        let found = seen.percentile().unwrap().as_seconds();
        assert!((found / 0.080 - 1.0).abs() < 0.04, "{found}");
    }

    #[test]
    fn a_twentieth_of_the_times_lies_beyond_p95() {
        let mut seen = Latencies::new(0.95);
        let mut beyond = 0;
        // 7,919 is prime to 10,000: every tenth of a millisecond up to a second comes once.
        for i in 0..10_000_u64 {
            let time = Span::from_nanos(i * 7_919 % 10_000 * 100_000);
            if seen.percentile().is_some_and(|p95| time > p95) {
                beyond += 1;
            }
            seen.record(time);
        }
        assert!((460..540).contains(&beyond), "{beyond} of 9,900");
    }
}

//! Hit ratios of caches whose keys are asked for independently of each other.

use crate::attribute::Spread;

/// How often keys are asked for: shares that sum to 1.
///
/// Keys of nearly the same popularity are put together, so that it stays small however many there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Popularity {
    /// Share of each key, and how many keys have it; the most popular first.
    parts: Vec<(f64, f64)>,
}

/// How much the ranks of keys that are put together may differ.
const WIDTH: f64 = 1.0 / 512.0;

impl Popularity {
    /// `keys` ranks, the k-th with a share proportional to `k^-s`; the first `exact` are taken one by one.
    ///
    /// The sum over the ranks a to b - 1 of those put together is the integral from a - 1/2 to b - 1/2, which is off by
    /// some s^2 / (24 a^2) of it.
    pub fn zipf(keys: u32, s: f64, exact: u32) -> Self {
        let mut parts: Vec<(f64, f64)> =
            (1..=keys.min(exact)).map(|rank| (f64::from(rank).powf(-s), 1.0)).collect();
        let area = |from: f64, to: f64| {
            let (from, to) = (from - 0.5, to - 0.5);
            if (s - 1.0).abs() < 1e-9 {
                (to / from).ln()
            } else {
                (to.powf(1.0 - s) - from.powf(1.0 - s)) / (1.0 - s)
            }
        };
        let mut from = f64::from(keys.min(exact)) + 1.0;
        let end = f64::from(keys) + 1.0;
        while from < end {
            let to = (from * (1.0 + WIDTH)).ceil().min(end);
            parts.push((area(from, to) / (to - from), to - from));
            from = to;
        }
        Self::normed(parts)
    }

    /// That of an attribute's values.
    pub fn of(spread: &Spread, exact: u32) -> Self {
        match spread {
            Spread::Zipf(law) => Self::zipf(law.ranks(), law.exponent(), exact),
            Spread::Uniform(values) => Self::normed(vec![(1.0, f64::from(*values))]),
            Spread::Shares(shares) => {
                let mut below = 0.0;
                let own = |&(to, _): &(f64, u32)| (to - std::mem::replace(&mut below, to), 1.0);
                let mut parts: Vec<(f64, f64)> = shares.iter().map(own).filter(|part| part.0 > 0.0).collect();
                parts.sort_by(|a, b| b.0.total_cmp(&a.0));
                Self::normed(parts)
            }
        }
    }

    fn normed(mut parts: Vec<(f64, f64)>) -> Self {
        let sum: f64 = parts.iter().map(|(share, count)| share * count).sum();
        for part in &mut parts {
            part.0 /= sum;
        }
        Self { parts }
    }

    /// How many keys there are.
    pub fn keys(&self) -> f64 {
        self.parts.iter().map(|(_, count)| count).sum()
    }

    /// Share of the `n` most popular keys together: the most that any cache of that size can hit that keeps the same.
    pub fn share_of_first(&self, n: f64) -> f64 {
        let mut left = n;
        let mut sum = 0.0;
        for &(share, count) in &self.parts {
            let taken = left.min(count);
            sum += taken * share;
            left -= taken;
        }
        super::share(sum)
    }
}

/// A cache in which each key stays for a characteristic time, counted from its last use or from when it was stored.
///
/// Source: Che, Tung, Wang, *Hierarchical Web Caching Systems*, IEEE JSAC 20(7), 2002, for LRU; Martina, Garetto,
/// Leonardi, *A Unified Approach to the Performance Analysis of Caching Systems*, INFOCOM 2014, for FIFO and random
/// eviction, whose hit ratios are the same (Gelenbe 1973). For caches whose entries expire the time is given, and with
/// Poisson requests the formulas are exact.
#[derive(Clone, Debug, PartialEq)]
pub struct CharacteristicTime<'a> {
    popularity: &'a Popularity,
    /// In gets: the time in which so many come, on average.
    time: f64,
    /// Whether a use lets it begin anew.
    renewed: bool,
    /// The time that it takes to fetch a key, in the same unit.
    fetch: f64,
}

impl<'a> CharacteristicTime<'a> {
    /// A cache of `size` entries from which the least recently used one goes.
    pub fn lru(popularity: &'a Popularity, size: f64) -> Self {
        Self::filling(popularity, size, true)
    }

    /// A cache of `size` entries from which the oldest, or any, goes.
    pub fn fifo(popularity: &'a Popularity, size: f64) -> Self {
        Self::filling(popularity, size, false)
    }

    /// A cache without a limit, asked `rate` times a second, whose entries stay for `ttl` seconds after they were
    /// stored or, `renewed`, after they were last used.
    pub fn ttl(popularity: &'a Popularity, rate: f64, ttl: f64, renewed: bool) -> Self {
        Self { popularity, time: rate * ttl, renewed, fetch: 0.0 }
    }

    /// The same if it takes that many gets' time to fetch a key: until the first who misses it has it, all others miss
    /// it too. Only the first time counts after that; of a cache whose uses count it says nothing.
    ///
    /// Between two times that a key expires there is on average one get, the fetch and the `ttl`.
    #[must_use]
    pub fn with_fetches(mut self, gets: f64) -> Self {
        self.fetch = gets;
        self
    }

    /// How often a key with this share of the gets is fetched from the first miss until it is there, on average.
    pub fn fetches_of(&self, share: f64) -> f64 {
        1.0 + share * self.fetch
    }

    /// The time after which `size` keys are there.
    fn filling(popularity: &'a Popularity, size: f64, renewed: bool) -> Self {
        if size >= popularity.keys() {
            return Self { popularity, time: f64::INFINITY, renewed, fetch: 0.0 };
        }
        let with = |time: f64| Self { popularity, time, renewed, fetch: 0.0 };
        let (mut low, mut high) = (0.0, 1.0);
        while with(high).occupancy() < size && high < 1e300 {
            (low, high) = (high, high * 2.0);
        }
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if with(middle).occupancy() < size {
                low = middle;
            } else {
                high = middle;
            }
        }
        with(high)
    }

    /// Probability that a key with this share of the gets is there.
    pub fn hit_ratio_of(&self, share: f64) -> f64 {
        if self.time.is_infinite() {
            return 1.0;
        }
        let gets = share * self.time;
        if self.renewed { -(-gets).exp_m1() } else { gets / (1.0 + gets + share * self.fetch) }
    }

    /// Share of the gets that hit.
    pub fn hit_ratio(&self) -> f64 {
        let hits = |&(share, count): &(f64, f64)| count * share * self.hit_ratio_of(share);
        super::share(self.popularity.parts.iter().map(hits).sum())
    }

    /// Mean number of entries.
    pub fn occupancy(&self) -> f64 {
        self.popularity.parts.iter().map(|&(share, count)| count * self.hit_ratio_of(share)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One key, 5 gets a second, 0.2 s: one get in the mean. 1 - 1/e with renewal, a half without.
    #[test]
    fn a_key_alone_is_there_for_its_time() {
        let one = Popularity::zipf(1, 0.0, 10);
        let renewed = CharacteristicTime::ttl(&one, 5.0, 0.2, true);
        assert!((renewed.hit_ratio() - 0.632_120_558_828_557_7).abs() < 1e-12);
        assert!((CharacteristicTime::ttl(&one, 5.0, 0.2, false).hit_ratio() - 0.5).abs() < 1e-12);
    }

    /// Of equally popular keys the share is there that finds room, whatever the rule.
    #[test]
    fn without_favourites_the_room_decides() {
        let even = Popularity::zipf(50, 0.0, 100);
        for cache in [CharacteristicTime::lru(&even, 10.0), CharacteristicTime::fifo(&even, 10.0)] {
            assert!((cache.hit_ratio() - 0.2).abs() < 1e-9, "{cache:?}");
            assert!((cache.occupancy() - 10.0).abs() < 1e-9);
        }
        assert!((even.share_of_first(10.0) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn keys_put_together_hardly_change_anything() {
        let (one_by_one, together) =
            (Popularity::zipf(100_000, 0.9, 100_000), Popularity::zipf(100_000, 0.9, 1_000));
        assert!(together.parts.len() < 4_000, "{}", together.parts.len());
        assert!((together.keys() - 100_000.0).abs() < 1e-6);
        let ratio = |popularity: &Popularity| CharacteristicTime::lru(popularity, 2_000.0).hit_ratio();
        assert!((ratio(&one_by_one) - ratio(&together)).abs() < 1e-6);
    }

    #[test]
    fn a_cache_with_room_for_all_always_hits() {
        let keys = Popularity::zipf(10, 1.0, 10);
        assert!((CharacteristicTime::lru(&keys, 10.0).hit_ratio() - 1.0).abs() < 1e-12);
    }
}

//! Mean and variance of observations, one at a time.

/// Count, mean, variance and extremes of what was added.
///
/// Source: Welford, *Note on a Method for Calculating Corrected Sums of Squares and Products*, Technometrics
/// 4(3), 1962; merging: Chan, Golub, `LeVeque`, *Updating Formulae*, 1979.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    count: u64,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    min: f64,
    max: f64,
}

impl Tally {
    /// Nothing added yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an observation.
    #[inline]
    pub fn add(&mut self, x: f64) {
        self.merge(&Self { count: 1, mean: x, squares: 0.0, min: x, max: x });
    }

    /// Adds what `other` has seen.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let gap = other.mean - self.mean;
        self.count += other.count;
        self.mean += gap * (m / (n + m));
        self.squares += other.squares + gap * gap * (n * m / (n + m));
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many observations were added.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their mean.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Their variance as a sample, with n - 1 below the line.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }

    /// The smallest.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(xs: &[f64]) -> Tally {
        let mut tally = Tally::new();
        for &x in xs {
            tally.add(x);
        }
        tally
    }

    /// The mean is 40/8 = 5, the squared deviations are 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32.
    #[test]
    fn eight_numbers_by_hand() {
        let tally = tally(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(tally.count(), 8);
        assert_eq!(tally.mean(), Some(5.0));
        assert!((tally.variance().unwrap() - 32.0 / 7.0).abs() < 1e-12);
        assert_eq!((tally.min(), tally.max()), (Some(2.0), Some(9.0)));
    }

    #[test]
    fn an_empty_tally_says_nothing() {
        assert_eq!(Tally::new().mean(), None);
        assert_eq!(Tally::new().max(), None);
        assert_eq!(tally(&[3.0]).variance(), None);
    }

    #[test]
    fn variance_survives_a_large_offset() {
        let offset = tally(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
        assert!((offset.variance().unwrap() - 30.0).abs() < 1e-6);
    }

    #[test]
    fn merging_is_adding_one_after_the_other() {
        let all = [1.0, 8.0, -3.0, 2.5, 2.5, 100.0, 0.0];
        for cut in 0..=all.len() {
            let mut merged = tally(&all[..cut]);
            merged.merge(&tally(&all[cut..]));
            let whole = tally(&all);
            assert_eq!(merged.count(), whole.count());
            assert!((merged.mean().unwrap() - whole.mean().unwrap()).abs() < 1e-12);
            assert!((merged.variance().unwrap() - whole.variance().unwrap()).abs() < 1e-9);
            assert_eq!((merged.min(), merged.max()), (whole.min(), whole.max()));
        }
    }
}

//! Checks that every law's unit tests share.

use super::{Distribution, Law};
use crate::Draws;

/// Whether two numbers agree to a relative 1e-9.
#[track_caller]
pub(super) fn assert_close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1e-300),
        "found {found}, expected {expected}"
    );
}

/// A million draws: their mean and their squares are within four standard errors of the exact moments, and they
/// fall below each quantile as often as they should.
///
/// The law needs a finite fourth moment for the squares to be judged; `squares` says whether it has.
pub(super) fn assert_sampled(law: &impl Law, squares: bool) {
    const N: u32 = 1_000_000;
    let n = f64::from(N);
    let mut draws = Draws::keyed(20);
    let mut values: Vec<f64> = (0..N).map(|_| law.sample(&mut draws)).collect();
    assert!(values.iter().all(|x| *x >= 0.0 && x.is_finite()));
    let mean = law.mean();
    assert_within(values.iter().copied(), mean);
    if squares {
        let scale = mean * mean;
        assert_within(values.iter().map(|x| x * x / scale), law.scv() + 1.0);
    }
    values.sort_by(f64::total_cmp);
    for p in [0.1, 0.5, 0.9, 0.99, 0.999] {
        let x = law.quantile(p);
        assert!(law.cdf(x) >= p - 1e-9, "cdf({x}) = {} at {p}", law.cdf(x));
        let share = values.partition_point(|value| *value <= x) as f64 / n;
        let expected = law.cdf(x);
        let error = 4.0 * (expected * (1.0 - expected) / n).sqrt() + 1e-12;
        assert!((share - expected).abs() <= error, "{share} of the draws are below p{p}, not {expected}");
        assert!((law.survival(x) - (1.0 - expected)).abs() < 1e-12);
    }
}

fn assert_within(values: impl ExactSizeIterator<Item = f64> + Clone, expected: f64) {
    let n = values.len() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let error = 4.0 * (variance / n).sqrt();
    assert!(error < 0.1 * expected, "the test proves little: {expected} +- {error}");
    assert!((mean - expected).abs() <= error + 1e-12 * expected, "{mean} is not {expected} +- {error}");
}

/// The moments scale as moments do, and the quantiles of both ends agree.
pub(super) fn assert_consistent(law: impl Law + Clone + Into<Distribution>) {
    let law: Distribution = law.into();
    let scaled = law.scaled(3.0);
    assert_close(scaled.mean(), 3.0 * law.mean());
    if law.third_moment().is_finite() {
        assert_close(scaled.third_moment(), 27.0 * law.third_moment());
    }
    for p in [0.01, 0.3, 0.5, 0.9, 0.999] {
        assert_close(scaled.quantile(p), 3.0 * law.quantile(p));
        let (x, y) = (law.quantile(p), law.upper_quantile(1.0 - p));
        assert!((x - y).abs() <= 1e-9 * x, "{x} and {y} at {p}");
    }
    assert_eq!(law.family(), scaled.family());
}

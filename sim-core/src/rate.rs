//! Rates that change over time, exactly: [`RateCurve`].
//!
//! Arrivals of a Poisson process with such a rate come from [`RateCurve::after`]: the next one is where the
//! integral since the last has grown by an exponential draw of mean 1. Nothing is stepped and nothing thinned.
//!
//! Source: Devroye, *Non-Uniform Random Variate Generation* (1986), §VI.1.3.

use std::f64::consts::TAU;
use std::sync::Arc;

use thiserror::Error;

/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// How often something happens, per second, as a function of the time in seconds since the start.
///
/// ```
/// use sim_core::rate::RateCurve;
///
/// // From 100/s to 800/s in five minutes.
/// let ramp = RateCurve::linear(&[(0.0, 100.0), (300.0, 800.0)])?;
/// assert_eq!(ramp.at(150.0), 450.0);
/// assert_eq!(ramp.integral(0.0, 300.0), 135_000.0);
/// assert_eq!(ramp.after(0.0, 135_000.0), Some(300.0));
/// # Ok::<(), sim_core::rate::RateError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum RateCurve {
    /// The same at all times.
    Constant(f64),
    /// Straight lines between points; after the last point its value holds.
    Linear(Points),
    /// Each point's value holds until the next point.
    Steps(Points),
    /// A constant value in each of many intervals of the same length, then 0.
    Bins(Bins),
    /// A cosine with a period of a day.
    Daily(Daily),
}

/// Why the parameters do not make a rate curve.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum RateError {
    /// A rate is negative or not a finite number.
    #[error("expected a rate of 0 or more, found {0}")]
    Rate(f64),
    /// There is no point.
    #[error("expected at least one point")]
    Empty,
    /// The first point is not at the start.
    #[error("expected the first point at 0, found {0}")]
    Start(f64),
    /// A point is not after the one before it.
    #[error("expected a time after {before}, found {found}")]
    Unsorted {
        /// The time of the point before.
        before: f64,
        /// The time of the point.
        found: f64,
    },
    /// The length of a bin is not positive.
    #[error("expected a positive interval, found {0}")]
    Interval(f64),
    /// The peak of a day lies below its mean.
    #[error("the peak ({peak}) is below the mean ({mean})")]
    LowPeak {
        /// The mean over a day.
        mean: f64,
        /// The highest rate.
        peak: f64,
    },
    /// The trough of a day would be negative.
    #[error("the peak ({peak}) is over twice the mean ({mean}): the rate would be negative at night")]
    HighPeak {
        /// The mean over a day.
        mean: f64,
        /// The highest rate.
        peak: f64,
    },
}

fn checked(rate: f64) -> Result<f64, RateError> {
    if rate >= 0.0 && rate.is_finite() { Ok(rate) } else { Err(RateError::Rate(rate)) }
}

impl RateCurve {
    /// The rate that is the same at all times.
    ///
    /// # Errors
    ///
    /// When the rate is negative or not finite.
    pub fn constant(per_second: f64) -> Result<Self, RateError> {
        Ok(Self::Constant(checked(per_second)?))
    }

    /// Straight lines between points of time and rate; after the last point its rate holds.
    ///
    /// # Errors
    ///
    /// When there is no point, the first is not at 0, they are not in ascending order of time, or a rate is
    /// negative.
    pub fn linear(points: &[(f64, f64)]) -> Result<Self, RateError> {
        Points::new(points, |rate, next| 0.5 * (rate + next)).map(Self::Linear)
    }

    /// From each point of time and rate on, that rate.
    ///
    /// # Errors
    ///
    /// As for [`RateCurve::linear`].
    pub fn steps(points: &[(f64, f64)]) -> Result<Self, RateError> {
        Points::new(points, |rate, _| rate).map(Self::Steps)
    }

    /// One rate for every interval of `every` seconds, and 0 after the last.
    ///
    /// # Errors
    ///
    /// When there is no rate, one is negative, or `every` is not positive and finite.
    pub fn bins(every: f64, rates: impl Into<Arc<[f64]>>) -> Result<Self, RateError> {
        Bins::new(every, rates.into()).map(Self::Bins)
    }

    /// A day's cosine around `mean` that reaches `peak` at `at` seconds after midnight; time 0 is midnight.
    ///
    /// # Errors
    ///
    /// When a rate is negative, `at` is not finite, or `peak` is below `mean` or over twice as high.
    pub fn daily(mean: f64, peak: f64, at: f64) -> Result<Self, RateError> {
        Daily::new(mean, peak, at).map(Self::Daily)
    }

    /// The rate at time `t`.
    pub fn at(&self, t: f64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Linear(points) => points.line(t),
            Self::Steps(points) => points.step(t),
            Self::Bins(bins) => bins.at(t),
            Self::Daily(daily) => daily.at(t),
        }
    }

    /// How many happen on average between two times; 0 when `to` is not later than `from`.
    pub fn integral(&self, from: f64, to: f64) -> f64 {
        if to <= from {
            return 0.0;
        }
        match self {
            Self::Constant(rate) => rate * (to - from),
            Self::Linear(points) => points.integral(from, to, Line::of),
            Self::Steps(points) => points.integral(from, to, Line::flat),
            Self::Bins(bins) => bins.integral(from, to),
            Self::Daily(daily) => daily.integral(from, to - from),
        }
    }

    /// The time at which the integral since `from` equals `amount`; `None` if it never does.
    ///
    /// Where the rate is 0, the earliest such time. Takes O(log n) for n points or bins.
    ///
    /// # Panics
    ///
    /// When `amount` is negative or not a number.
    #[inline]
    pub fn after(&self, from: f64, amount: f64) -> Option<f64> {
        assert!(amount >= 0.0, "cannot wait for {amount} arrivals");
        if amount == 0.0 {
            return Some(from);
        }
        // The most common one goes without a call.
        match self {
            Self::Constant(rate) => (*rate > 0.0).then(|| from + amount / rate),
            _ => self.after_on_curve(from, amount),
        }
    }

    #[inline(never)]
    fn after_on_curve(&self, from: f64, amount: f64) -> Option<f64> {
        match self {
            Self::Constant(rate) => (*rate > 0.0).then(|| from + amount / rate),
            Self::Linear(points) => points.after(from, amount, Line::of),
            Self::Steps(points) => points.after(from, amount, Line::flat),
            Self::Bins(bins) => bins.after(from, amount),
            Self::Daily(daily) => daily.after(from, amount),
        }
    }

    /// The curve of `factor` times the rate.
    ///
    /// # Panics
    ///
    /// When `factor` is negative or not finite.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        assert!(factor >= 0.0 && factor.is_finite(), "cannot scale a rate by {factor}");
        match self {
            Self::Constant(rate) => Self::Constant(rate * factor),
            Self::Linear(points) => Self::Linear(points.scaled(factor)),
            Self::Steps(points) => Self::Steps(points.scaled(factor)),
            Self::Bins(bins) => Self::Bins(bins.scaled(factor)),
            Self::Daily(daily) => Self::Daily(daily.scaled(factor)),
        }
    }

    /// The highest rate at any time.
    pub fn maximum(&self) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Linear(points) | Self::Steps(points) => highest(points.0.iter().map(|point| point.rate)),
            Self::Bins(bins) => highest(bins.rates.iter().copied()),
            Self::Daily(daily) => daily.mean + daily.swing,
        }
    }

    /// Whether the rate is the same at all times from 0 on.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::Linear(points) | Self::Steps(points) => {
                points.0.iter().all(|point| point.rate.to_bits() == points.0[0].rate.to_bits())
            }
            Self::Bins(bins) => bins.rates.iter().all(|rate| *rate == 0.0),
            Self::Daily(daily) => daily.swing == 0.0,
        }
    }

    /// The mean rate between two times; the rate at `from` when they are the same.
    pub fn average(&self, from: f64, to: f64) -> f64 {
        if to > from { self.integral(from, to) / (to - from) } else { self.at(from) }
    }
}

fn highest(rates: impl Iterator<Item = f64>) -> f64 {
    rates.fold(0.0, f64::max)
}

/// Rates at points in time. Made by [`RateCurve::linear`] and [`RateCurve::steps`].
#[derive(Clone, Debug, PartialEq)]
pub struct Points(Arc<[Point]>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    at: f64,
    rate: f64,
    /// The integral from 0 up to here.
    before: f64,
}

/// A stretch of a curve: `rate` at its start, changing by `slope` per second.
#[derive(Clone, Copy, Debug)]
struct Line {
    rate: f64,
    slope: f64,
}

impl Line {
    /// The straight line from one point to the next.
    fn of(point: &Point, next: Option<&Point>) -> Self {
        let slope = next.map_or(0.0, |next| (next.rate - point.rate) / (next.at - point.at));
        Self { rate: point.rate, slope }
    }

    /// The point's rate, up to the next.
    fn flat(point: &Point, _: Option<&Point>) -> Self {
        Self { rate: point.rate, slope: 0.0 }
    }

    fn from(self, elapsed: f64) -> Self {
        Self { rate: (self.rate + self.slope * elapsed).max(0.0), slope: self.slope }
    }

    fn area(self, length: f64) -> f64 {
        length * (self.rate + 0.5 * self.slope * length)
    }

    /// The length at which the area is `amount`; infinite if the rate stays 0.
    ///
    /// The root of rate d + slope d^2 / 2 = amount in the form that does not cancel.
    fn length(self, amount: f64) -> f64 {
        let root = (self.rate * self.rate + 2.0 * self.slope * amount).max(0.0).sqrt();
        2.0 * amount / (self.rate + root)
    }
}

impl Points {
    fn new(points: &[(f64, f64)], mean: impl Fn(f64, f64) -> f64) -> Result<Self, RateError> {
        let &(first, _) = points.first().ok_or(RateError::Empty)?;
        if first != 0.0 {
            return Err(RateError::Start(first));
        }
        let mut made: Vec<Point> = Vec::with_capacity(points.len());
        for &(at, rate) in points {
            checked(rate)?;
            let before = match made.last() {
                None => 0.0,
                Some(last) if at > last.at && at.is_finite() => {
                    last.before + mean(last.rate, rate) * (at - last.at)
                }
                Some(last) => return Err(RateError::Unsorted { before: last.at, found: at }),
            };
            made.push(Point { at, rate, before });
        }
        Ok(Self(made.into()))
    }

    /// The last point that is not after `t`.
    fn index(&self, t: f64) -> usize {
        self.0.partition_point(|point| point.at <= t).saturating_sub(1)
    }

    fn line(&self, t: f64) -> f64 {
        let i = self.index(t);
        Line::of(&self.0[i], self.0.get(i + 1)).from(t - self.0[i].at).rate
    }

    fn step(&self, t: f64) -> f64 {
        self.0[self.index(t)].rate
    }

    fn integral(&self, from: f64, to: f64, line: impl Fn(&Point, Option<&Point>) -> Line) -> f64 {
        let (i, j) = (self.index(from), self.index(to));
        let on = |i: usize, elapsed| line(&self.0[i], self.0.get(i + 1)).from(elapsed);
        let first = on(i, from - self.0[i].at);
        if i == j {
            return first.area(to - from);
        }
        let between = self.0[j].before - self.0[i + 1].before;
        first.area(self.0[i + 1].at - from) + between + on(j, 0.0).area(to - self.0[j].at)
    }

    fn after(&self, from: f64, amount: f64, line: impl Fn(&Point, Option<&Point>) -> Line) -> Option<f64> {
        let i = self.index(from);
        let first = line(&self.0[i], self.0.get(i + 1)).from(from - self.0[i].at);
        let Some(next) = self.0.get(i + 1) else {
            return finite(from + first.length(amount));
        };
        let here = first.area(next.at - from);
        if amount <= here {
            return Some((from + first.length(amount)).min(next.at));
        }
        let target = next.before + (amount - here);
        let j = self.0.partition_point(|point| point.before < target).saturating_sub(1).max(i + 1);
        let (point, next) = (&self.0[j], self.0.get(j + 1));
        let t = point.at + line(point, next).length((target - point.before).max(0.0));
        finite(next.map_or(t, |next| t.min(next.at)))
    }

    fn scaled(&self, factor: f64) -> Self {
        let scale =
            |point: &Point| Point { at: point.at, rate: point.rate * factor, before: point.before * factor };
        Self(self.0.iter().map(scale).collect())
    }
}

fn finite(t: f64) -> Option<f64> {
    t.is_finite().then_some(t)
}

/// Rates in intervals of equal length. Made by [`RateCurve::bins`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    every: f64,
    rates: Arc<[f64]>,
    /// The integral up to each bin, and at last over all of them.
    before: Arc<[f64]>,
}

impl Bins {
    fn new(every: f64, rates: Arc<[f64]>) -> Result<Self, RateError> {
        if !(every > 0.0 && every.is_finite()) {
            return Err(RateError::Interval(every));
        }
        if rates.is_empty() {
            return Err(RateError::Empty);
        }
        let mut sum = 0.0;
        let mut before = vec![0.0];
        for &rate in rates.iter() {
            sum += checked(rate)? * every;
            before.push(sum);
        }
        Ok(Self { every, rates, before: before.into() })
    }

    fn start(&self, bin: usize) -> f64 {
        bin as f64 * self.every
    }

    /// The bin that `t` falls into; the number of bins after the end.
    fn index(&self, t: f64) -> usize {
        let bin = ((t / self.every) as usize).min(self.rates.len());
        // The quotient may round across the edge.
        if bin > 0 && t < self.start(bin) {
            bin - 1
        } else if bin < self.rates.len() && t >= self.start(bin + 1) {
            bin + 1
        } else {
            bin
        }
    }

    fn rate(&self, bin: usize) -> f64 {
        self.rates.get(bin).copied().unwrap_or(0.0)
    }

    fn at(&self, t: f64) -> f64 {
        self.rate(self.index(t))
    }

    fn integral(&self, from: f64, to: f64) -> f64 {
        let (i, j) = (self.index(from), self.index(to));
        if i == j {
            return self.rate(i) * (to - from);
        }
        let between = self.before[j] - self.before[i + 1];
        self.rate(i) * (self.start(i + 1) - from) + between + self.rate(j) * (to - self.start(j))
    }

    fn after(&self, from: f64, amount: f64) -> Option<f64> {
        let i = self.index(from);
        if i >= self.rates.len() {
            return None;
        }
        let end = self.start(i + 1);
        let here = self.rates[i] * (end - from);
        if amount <= here {
            return Some((from + amount / self.rates[i]).min(end));
        }
        let target = self.before[i + 1] + (amount - here);
        let j = self.before.partition_point(|before| *before < target).saturating_sub(1).max(i + 1);
        if j >= self.rates.len() {
            return None;
        }
        Some((self.start(j) + (target - self.before[j]).max(0.0) / self.rates[j]).min(self.start(j + 1)))
    }

    fn scaled(&self, factor: f64) -> Self {
        let scale = |values: &[f64]| values.iter().map(|value| value * factor).collect();
        Self { every: self.every, rates: scale(&self.rates), before: scale(&self.before) }
    }
}

/// mean + swing cos(2 pi (t - at) / day). Made by [`RateCurve::daily`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Daily {
    mean: f64,
    swing: f64,
    at: f64,
}

/// 2 pi over a day.
const OMEGA: f64 = TAU / DAY;

impl Daily {
    fn new(mean: f64, peak: f64, at: f64) -> Result<Self, RateError> {
        checked(mean)?;
        checked(peak)?;
        if peak < mean {
            return Err(RateError::LowPeak { mean, peak });
        }
        if peak > 2.0 * mean {
            return Err(RateError::HighPeak { mean, peak });
        }
        if !at.is_finite() {
            return Err(RateError::Start(at));
        }
        Ok(Self { mean, swing: peak - mean, at })
    }

    fn at(&self, t: f64) -> f64 {
        (self.mean + self.swing * (OMEGA * (t - self.at)).cos()).max(0.0)
    }

    /// Over `length` seconds from `from`; the difference of two sines as a product, which does not cancel.
    fn integral(&self, from: f64, length: f64) -> f64 {
        let half = 0.5 * length;
        let middle = OMEGA * (from - self.at + half);
        self.mean * length + 2.0 * self.swing / OMEGA * middle.cos() * (OMEGA * half).sin()
    }

    /// Newton's method, kept inside the interval that must hold the root.
    fn after(&self, from: f64, amount: f64) -> Option<f64> {
        if self.mean == 0.0 {
            return None;
        }
        // The sine adds or takes at most 2 swing / omega.
        let slack = 2.0 * self.swing / OMEGA;
        let mut low = ((amount - slack) / self.mean).max(amount / (self.mean + self.swing));
        let mut high = (amount + slack) / self.mean;
        let mut length = (amount / self.at(from)).clamp(low, high);
        for _ in 0..200 {
            let missing = amount - self.integral(from, length);
            if missing.abs() <= 1e-15 * amount {
                break;
            }
            if missing > 0.0 {
                low = length;
            } else {
                high = length;
            }
            let newton = length + missing / self.at(from + length);
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            if (next - length).abs() <= 1e-16 * length {
                break;
            }
            length = next;
        }
        Some(from + length)
    }

    fn scaled(&self, factor: f64) -> Self {
        Self { mean: self.mean * factor, swing: self.swing * factor, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn curves() -> Vec<RateCurve> {
        let points = [(0.0, 100.0), (300.0, 800.0), (600.0, 0.0), (900.0, 0.0), (1000.0, 50.0)];
        vec![
            RateCurve::constant(3.0).unwrap(),
            RateCurve::linear(&points).unwrap(),
            RateCurve::steps(&points).unwrap(),
            RateCurve::bins(60.0, vec![1.0, 0.0, 7.0, 2.5]).unwrap(),
            RateCurve::daily(500.0, 900.0, 72_000.0).unwrap(),
            RateCurve::daily(10.0, 20.0, 0.0).unwrap(),
        ]
    }

    fn close(found: f64, expected: f64, tolerance: f64) -> bool {
        (found - expected).abs() <= tolerance * expected.abs().max(1.0)
    }

    #[test]
    fn integrals_agree_with_the_trapezoid_rule() {
        for curve in curves() {
            for (from, to) in [(0.0, 50.0), (10.0, 310.0), (100.0, 2_000.0), (500.0, 100_000.0)] {
                let n = 1_000_000;
                let width = (to - from) / f64::from(n);
                let sum: f64 = (0..n).map(|i| curve.at(from + (f64::from(i) + 0.5) * width)).sum();
                let exact = curve.integral(from, to);
                // A step that falls inside a slice leaves an error of one slice.
                let jump = curve.maximum() * width * 5.0;
                assert!(
                    (exact - sum * width).abs() <= 1e-6 * exact + jump,
                    "{curve:?}: {exact}, {}",
                    sum * width
                );
            }
        }
    }

    #[test]
    fn known_values() {
        let linear = RateCurve::linear(&[(0.0, 0.0), (10.0, 20.0)]).unwrap();
        // d^2 arrivals in the first d seconds, then 20 each second.
        assert_eq!(linear.after(0.0, 25.0), Some(5.0));
        assert_eq!(linear.after(3.0, 16.0), Some(5.0));
        assert_eq!(linear.after(0.0, 140.0), Some(12.0));
        let steps = RateCurve::steps(&[(0.0, 1.0), (10.0, 0.0), (20.0, 2.0)]).unwrap();
        assert_eq!(steps.after(0.0, 10.0), Some(10.0));
        assert_eq!(steps.after(5.0, 7.0), Some(21.0));
        assert_eq!(steps.after(12.0, 0.0), Some(12.0));
        let daily = RateCurve::daily(500.0, 900.0, 72_000.0).unwrap();
        assert!(close(daily.at(72_000.0), 900.0, 1e-12) && close(daily.at(28_800.0), 100.0, 1e-12));
        assert!(close(daily.integral(7.0, 7.0 + DAY), 500.0 * DAY, 1e-12));
        assert!(close(daily.average(0.0, DAY), 500.0, 1e-12));
    }

    #[test]
    fn some_amounts_never_come() {
        assert_eq!(RateCurve::constant(0.0).unwrap().after(0.0, 1.0), None);
        let ends = RateCurve::linear(&[(0.0, 10.0), (10.0, 0.0)]).unwrap();
        assert_eq!(ends.after(0.0, 50.0), Some(10.0));
        assert_eq!(ends.after(0.0, 50.1), None);
        assert_eq!(ends.after(10.0, 1.0), None);
        let bins = RateCurve::bins(1.0, vec![3.0, 2.0]).unwrap();
        assert_eq!(bins.after(0.0, 5.0), Some(2.0));
        assert_eq!(bins.after(0.5, 4.0), None);
        assert_eq!(bins.after(5.0, 1.0), None);
        assert_eq!(RateCurve::daily(0.0, 0.0, 0.0).unwrap().after(0.0, 1.0), None);
    }

    #[test]
    fn scaling_scales() {
        for curve in curves() {
            let double = curve.scaled(2.0);
            assert!(close(double.integral(3.0, 700.0), 2.0 * curve.integral(3.0, 700.0), 1e-12));
            assert!(close(double.maximum(), 2.0 * curve.maximum(), 1e-12));
            assert_eq!(double.is_constant(), curve.is_constant());
        }
        assert!(RateCurve::linear(&[(0.0, 5.0), (9.0, 5.0)]).unwrap().is_constant());
    }

    #[test]
    fn nonsense_is_refused() {
        let message = |curve: Result<RateCurve, RateError>| curve.unwrap_err().to_string();
        assert_eq!(message(RateCurve::constant(-1.0)), "expected a rate of 0 or more, found -1");
        assert_eq!(message(RateCurve::linear(&[(0.0, f64::NAN)])), "expected a rate of 0 or more, found NaN");
        assert_eq!(message(RateCurve::steps(&[(5.0, 1.0)])), "expected the first point at 0, found 5");
        assert_eq!(message(RateCurve::steps(&[])), "expected at least one point");
        assert_eq!(
            message(RateCurve::linear(&[(0.0, 1.0), (9.0, 1.0), (9.0, 2.0)])),
            "expected a time after 9, found 9"
        );
        assert_eq!(message(RateCurve::bins(0.0, vec![1.0])), "expected a positive interval, found 0");
        assert_eq!(
            message(RateCurve::daily(5.0, 11.0, 0.0)),
            "the peak (11) is over twice the mean (5): the rate would be negative at night"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

        #[test]
        fn after_inverts_the_integral(
            which in 0_usize..6,
            from in 0.0..150_000.0_f64,
            amount in prop_oneof![1e-6..10.0_f64, 10.0..1e7_f64],
        ) {
            let curve = &curves()[which];
            if let Some(t) = curve.after(from, amount) {
                prop_assert!(t >= from);
                let found = curve.integral(from, t);
                // A time is known to 16 digits, and so is the area to its left.
                let tolerance = 1e-12 * amount + curve.maximum() * t * 1e-15;
                prop_assert!((found - amount).abs() <= tolerance, "{found} at {t}");
            } else {
                prop_assert!(curve.integral(from, 1e12) < amount);
            }
        }

        #[test]
        fn after_inverts_any_lines(
            rates in prop::collection::vec(prop_oneof![Just(0.0), 0.0..1e3_f64], 1..30),
            from in 0.0..40.0_f64,
            amount in 1e-3..1e4_f64,
        ) {
            let points: Vec<(f64, f64)> = rates.iter().enumerate().map(|(i, rate)| (i as f64, *rate)).collect();
            for curve in [
                RateCurve::linear(&points).unwrap(),
                RateCurve::steps(&points).unwrap(),
                RateCurve::bins(1.0, rates.clone()).unwrap(),
            ] {
                match curve.after(from, amount) {
                    Some(t) => {
                        let found = curve.integral(from, t);
                        prop_assert!((found - amount).abs() <= 1e-9 * amount + 1e-10, "{curve:?}: {found} at {t}");
                    }
                    None => prop_assert!(curve.integral(from, 1e9) <= amount * (1.0 + 1e-12)),
                }
            }
        }
    }
}

//! Simulated time in whole nanoseconds: points ([`SimTime`]) and durations ([`Span`]).

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use thiserror::Error;

const NANOS_PER_SECOND: f64 = 1e9;

/// The longest [`Span`] that seconds are turned into: 100 years of 365.25 days.
pub const MAX_SPAN: Span = Span(3_155_760_000_000_000_000);

/// A point in simulated time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(u64);

impl SimTime {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that is simulated.
    pub const MAX: Self = Self(u64::MAX);

    /// The point `nanos` nanoseconds after the start.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, to the precision of an `f64`.
    #[inline]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// The time that has passed since `earlier`.
    ///
    /// # Panics
    ///
    /// When `earlier` is later than `self`.
    #[inline]
    pub const fn since(self, earlier: Self) -> Span {
        match self.0.checked_sub(earlier.0) {
            Some(nanos) => Span(nanos),
            None => panic!("simulated time ran backwards"),
        }
    }

    /// The point `span` later, or [`SimTime::MAX`] where that is out of range.
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add<Span> for SimTime {
    type Output = Self;

    /// # Panics
    ///
    /// When the sum is out of range, after 584 simulated years.
    #[inline]
    fn add(self, span: Span) -> Self {
        match self.0.checked_add(span.0) {
            Some(nanos) => Self(nanos),
            None => panic!("simulated time is out of range"),
        }
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimTime({} ns)", self.0)
    }
}

/// A duration of simulated time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The length in nanoseconds.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in seconds, to the precision of an `f64`.
    #[inline]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// The span nearest to `seconds`; a tie goes to the even nanosecond.
    ///
    /// The one place where a draw becomes time.
    ///
    /// # Errors
    ///
    /// When `seconds` is not a number, negative, or more than [`MAX_SPAN`].
    ///
    /// ```
    /// use sim_core::Span;
    /// assert_eq!(Span::from_seconds(0.002), Ok(Span::from_nanos(2_000_000)));
    /// assert_eq!(Span::from_seconds(2.5e-9), Ok(Span::from_nanos(2)));
    /// assert!(Span::from_seconds(-1.0).is_err());
    /// ```
    #[inline]
    pub fn from_seconds(seconds: f64) -> Result<Self, SpanError> {
        let nanos = seconds * NANOS_PER_SECOND;
        if (0.0..TWO_52).contains(&nanos) { Ok(Self(round_half_even(nanos))) } else { Self::long(seconds) }
    }

    /// The span of `seconds` that are too many to have fractions of a nanosecond, or no time at all.
    #[cold]
    fn long(seconds: f64) -> Result<Self, SpanError> {
        let nanos = seconds * NANOS_PER_SECOND;
        let is_span = nanos >= TWO_52 && nanos <= MAX_SPAN.0 as f64;
        if is_span { Ok(Self(nanos as u64)) } else { Err(SpanError::of(seconds)) }
    }
}

/// 2^52: from here on `f64` has no fractions.
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// `x` rounded to the nearest integer, a tie to the even one; for `x` from 0 to 2^52.
///
/// Between 2^52 and 2^53 the spacing of `f64` is one: adding 2^52 makes the addition itself round, and leaves
/// the integer in the low bits. `f64::round_ties_even` is a call into libm unless SSE 4.1 is switched on.
#[inline]
fn round_half_even(x: f64) -> u64 {
    (x + TWO_52).to_bits().wrapping_sub(TWO_52.to_bits())
}

impl Add for Span {
    type Output = Self;

    /// # Panics
    ///
    /// When the sum is out of range.
    #[inline]
    fn add(self, other: Self) -> Self {
        match self.0.checked_add(other.0) {
            Some(nanos) => Self(nanos),
            None => panic!("a span of simulated time is out of range"),
        }
    }
}

impl AddAssign for Span {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Self;

    /// # Panics
    ///
    /// When `other` is longer than `self`.
    #[inline]
    fn sub(self, other: Self) -> Self {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Self(nanos),
            None => panic!("a span of simulated time would be negative"),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Span({} ns)", self.0)
    }
}

/// Why a number of seconds is not a [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum SpanError {
    /// It is not a number.
    #[error("the duration is not a number")]
    NotANumber,
    /// It is below zero.
    #[error("the duration is negative: {0} s")]
    Negative(f64),
    /// It is more than [`MAX_SPAN`].
    #[error("the duration is over 100 years: {0} s")]
    TooLong(f64),
}

impl SpanError {
    #[cold]
    fn of(seconds: f64) -> Self {
        if seconds.is_nan() {
            Self::NotANumber
        } else if seconds < 0.0 {
            Self::Negative(seconds)
        } else {
            Self::TooLong(seconds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_rounded_half_to_even() {
        for (seconds, nanos) in [
            (0.0, 0),
            (-0.0, 0),
            (0.5e-9, 0),
            (1.5e-9, 2),
            (2.5e-9, 2),
            (0.1, 100_000_000),
            (1e-3, 1_000_000),
            (4_503_599.0, 4_503_599_000_000_000),
            (4_503_600.0, 4_503_600_000_000_000),
            (3_155_760_000.0, MAX_SPAN.as_nanos()),
        ] {
            assert_eq!(Span::from_seconds(seconds), Ok(Span::from_nanos(nanos)), "{seconds} s");
        }
    }

    #[test]
    fn rounding_agrees_with_the_standard_library() {
        let around = |x: f64| [x.next_down(), x, x.next_up()];
        for exponent in 0..52 {
            let power = (1_u64 << exponent) as f64;
            for base in [power, power + 0.5, power + 1.0, power + 1.5, power * 1.3, power * 2.0 - 0.5] {
                for x in around(base).into_iter().filter(|x| *x < TWO_52) {
                    assert_eq!(round_half_even(x), x.round_ties_even() as u64, "{x}");
                }
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(Span::from_seconds(f64::NAN), Err(SpanError::NotANumber));
        assert_eq!(Span::from_seconds(-1e-12), Err(SpanError::Negative(-1e-12)));
        assert_eq!(Span::from_seconds(f64::INFINITY), Err(SpanError::TooLong(f64::INFINITY)));
        assert_eq!(Span::from_seconds(3.2e9), Err(SpanError::TooLong(3.2e9)));
    }

    #[test]
    fn time_adds_up() {
        let at = SimTime::from_nanos(5) + Span::from_nanos(7);
        assert_eq!(at.as_nanos(), 12);
        assert_eq!(at.since(SimTime::from_nanos(5)), Span::from_nanos(7));
        assert_eq!(SimTime::MAX.saturating_add(Span::from_nanos(1)), SimTime::MAX);
        assert!((SimTime::from_nanos(1_500_000_000).as_seconds() - 1.5).abs() < 1e-15);
    }

    #[test]
    #[should_panic(expected = "simulated time ran backwards")]
    fn time_does_not_run_backwards() {
        let _ = SimTime::ZERO.since(SimTime::from_nanos(1));
    }

    #[test]
    #[should_panic(expected = "simulated time is out of range")]
    fn time_does_not_wrap_around() {
        let _ = SimTime::MAX + Span::from_nanos(1);
    }
}

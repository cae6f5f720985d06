//! The law of a sum of independent response times.

use std::f64::consts::PI;
use std::ops::{Add, Div, Mul, Sub};

/// A response time as its Laplace transform knows it: with probability `waits` an exponential wait before the
/// exponential service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    /// Rate of the service.
    pub(super) mu: f64,
    /// Probability of a wait.
    pub(super) waits: f64,
    /// Rate at which waits end.
    pub(super) slack: f64,
}

/// The `p`-quantile of the sum of the parts.
pub(super) fn quantile(parts: &[Part], p: f64) -> f64 {
    let mean: f64 = parts.iter().map(|part| 1.0 / part.mu + part.waits / part.slack).sum();
    let (mut low, mut high) = (0.0, mean);
    while survival(parts, high) > 1.0 - p && high < 1e6 * mean {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if survival(parts, middle) > 1.0 - p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Probability that the sum exceeds `t`, by numerical inversion of its Laplace transform; off by about 1e-8.
///
/// Source: Abate, Whitt, *Numerical Inversion of Laplace Transforms of Probability Distributions*, ORSA Journal
/// on Computing 7(1), 1995, the Euler algorithm.
fn survival(parts: &[Part], t: f64) -> f64 {
    const A: f64 = 18.4;
    const TERMS: u32 = 30;
    /// Binomial coefficients over 2^11: the weights of Euler summation.
    const EULER: [f64; 12] = [1.0, 11.0, 55.0, 165.0, 330.0, 462.0, 462.0, 330.0, 165.0, 55.0, 11.0, 1.0];
    let transform = |k: u32| {
        let s = Complex { re: A / (2.0 * t), im: f64::from(k) * PI / t };
        ((ONE - product(parts, s)) / s).re
    };
    let mut sum = 0.5 * transform(0);
    let mut partial = Vec::with_capacity(EULER.len());
    for k in 1..TERMS + EULER.len() as u32 {
        sum += if k % 2 == 0 { 1.0 } else { -1.0 } * transform(k);
        if k >= TERMS {
            partial.push(sum);
        }
    }
    let smoothed: f64 = partial.iter().zip(EULER).map(|(sum, weight)| sum * weight / 2048.0).sum();
    (A / 2.0).exp() / t * smoothed
}

fn product(parts: &[Part], s: Complex) -> Complex {
    parts.iter().fold(ONE, |product, part| {
        let pole = |rate: f64| Complex { re: rate, im: 0.0 } / (Complex { re: rate, im: 0.0 } + s);
        let wait = Complex { re: 1.0 - part.waits, im: 0.0 }
            + Complex { re: part.waits, im: 0.0 } * pole(part.slack);
        product * pole(part.mu) * wait
    })
}

#[derive(Clone, Copy, Debug)]
struct Complex {
    re: f64,
    im: f64,
}

const ONE: Complex = Complex { re: 1.0, im: 0.0 };

impl Add for Complex {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        Self { re: self.re + b.re, im: self.im + b.im }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        Self { re: self.re - b.re, im: self.im - b.im }
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        Self { re: self.re * b.re - self.im * b.im, im: self.re * b.im + self.im * b.re }
    }
}

impl Div for Complex {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let size = b.re * b.re + b.im * b.im;
        Self { re: (self.re * b.re + self.im * b.im) / size, im: (self.im * b.re - self.re * b.im) / size }
    }
}

#[cfg(test)]
mod tests {
    use models::theory::{Mm1, Mmc};

    use super::*;

    #[test]
    fn one_station_has_its_own_quantiles() {
        let one = Mmc::new(14.4, 1.0, 16).unwrap();
        let part = Part { mu: 1.0, waits: one.prob_wait(), slack: 16.0 - 14.4 };
        for p in [0.5, 0.99, 0.999] {
            assert!((quantile(&[part], p) / one.response_quantile(p) - 1.0).abs() < 1e-5, "{p}");
        }
    }

    /// Two M/M/1 in a row with the same slack: Erlang(2), whose p99 is 6.63835 means of a phase.
    #[test]
    fn two_in_a_row_are_erlang() {
        let slack = 1.0 / Mm1::new(0.8, 1.0).unwrap().mean_response();
        let part = Part { mu: 1.0, waits: 0.8, slack };
        assert!((quantile(&[part, part], 0.99) * slack - 6.638_352).abs() < 1e-4);
    }

    /// A tandem of ten M/M/4 has its p99 at 30.52 s. With four servers requests overtake each other, so response
    /// times at the stations are not quite independent, and the sum of independent ones is a little off.
    #[test]
    fn ten_stations_in_a_row() {
        let one = Mmc::new(3.2, 1.0, 4).unwrap();
        let part = Part { mu: 1.0, waits: one.prob_wait(), slack: 4.0 - 3.2 };
        let p99 = quantile(&[part; 10], 0.99);
        assert!((p99 / 30.52 - 1.0).abs() < 0.01, "{p99}");
    }
}

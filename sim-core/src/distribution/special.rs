//! Special functions: the normal law and the incomplete gamma function.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Probability that a standard normal value is at most `x`; precise in the lower tail.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// Density of the standard normal law at `x`.
pub fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The `x` with `normal_cdf(x) == p`; infinite at 0 and 1. For the upper tail use `-normal_quantile(q)`.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        f64::NEG_INFINITY
    } else if p >= 1.0 {
        f64::INFINITY
    } else {
        crate::normal_quantile(p)
    }
}

/// Gamma function, for positive `x`.
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// Regularized incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), both precise where they are small.
///
/// P(a, x) is the probability that a gamma value of shape `a` and scale 1 is at most `x`.
///
/// Source: Press et al., *Numerical Recipes*, 3rd ed. (2007), §6.2: series below a + 1, Lentz's continued
/// fraction above.
pub fn incomplete_gamma(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x.is_infinite() {
        return (1.0, 0.0);
    }
    let front = (a * x.ln() - x - libm::lgamma(a)).exp();
    if x < a + 1.0 {
        let p = front * series(a, x);
        (p, 1.0 - p)
    } else {
        let q = front * continued_fraction(a, x);
        (1.0 - q, q)
    }
}

fn series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    let mut n = a;
    while term > sum * 1e-17 {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

#[expect(clippy::many_single_char_names, reason = "the letters of the source")]
fn continued_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |y: f64| if y.abs() < TINY { TINY } else { y };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away_from_zero(b);
    let mut fraction = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(an * d + b);
        c = away_from_zero(b + an / c);
        let change = c * d;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_are_the_textbook_ones() {
        for (p, z) in [
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_4),
            (0.95, 1.644_853_626_951_472_2),
            (0.99, 2.326_347_874_040_840_8),
            (0.999, 3.090_232_306_167_813),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-13, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn normal_quantile_inverts_the_cdf() {
        for p in [1e-300, 1e-20, 1e-6, 0.01, 0.024, 0.025, 0.3, 0.5] {
            let back = normal_cdf(normal_quantile(p));
            assert!((back / p - 1.0).abs() < 1e-12, "{p}: {back}");
        }
    }

    #[test]
    fn incomplete_gamma_agrees_with_erlang_and_normal() {
        // Shape 2: 1 - e^-x (1 + x). Shape 1/2: erf(sqrt(x)).
        for x in [0.1_f64, 1.0, 2.5, 10.0, 30.0] {
            let (p, q) = incomplete_gamma(2.0, x);
            let tail = (-x).exp() * (1.0 + x);
            assert!((q / tail - 1.0).abs() < 1e-13 && (p + q - 1.0).abs() < 1e-15, "{x}");
            let (_, q) = incomplete_gamma(0.5, x);
            assert!((q / libm::erfc(x.sqrt()) - 1.0).abs() < 1e-13, "{x}");
        }
    }
}

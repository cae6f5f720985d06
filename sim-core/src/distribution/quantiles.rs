use std::sync::Arc;

use rand::{Rng, RngExt};

use super::error::{not_negative, ordered, percentile};
use super::{DistributionError, Law};

/// Given by its quantiles, each of which it hits exactly.
///
/// Between two points the logarithm of the value is linear in the probability (the value itself, where the lower
/// point is 0). Below the first point, without a p0, the first line goes on down to p = 0. Above the last, without
/// a p100, the tail is exponential, with the slope of value over -ln(1 - p) between the last two points: the
/// lightest tail that goes on as the points do. Give p100 to bound it.
///
/// No family with two parameters goes through three measured quantiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    pieces: Arc<[Piece]>,
}

/// The values from probability `from` on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from: f64,
    width: f64,
    low: f64,
    /// Where the piece ends; infinite for an exponential tail.
    high: f64,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// `low e^(log t)` at the share `t` of the width.
    Logarithmic { log: f64 },
    /// `low + rise t`.
    Linear { rise: f64 },
    /// `low - scale ln(1 - t)`.
    Tail { scale: f64 },
}

impl Piece {
    fn between((from, low): (f64, f64), (to, high): (f64, f64)) -> Self {
        let form = if low > 0.0 {
            Form::Logarithmic { log: (high / low).ln() }
        } else {
            Form::Linear { rise: high - low }
        };
        Self { from, width: to - from, low, high, form }
    }

    #[inline]
    fn value(&self, share: f64) -> f64 {
        match self.form {
            Form::Logarithmic { log } => self.low * (log * share).exp(),
            Form::Linear { rise } => self.low + rise * share,
            Form::Tail { scale } if scale > 0.0 => self.low - scale * (-share).ln_1p(),
            Form::Tail { .. } => self.low,
        }
    }

    /// The share of the piece above `x`, which lies within it.
    fn above(&self, x: f64) -> f64 {
        match self.form {
            Form::Logarithmic { log } if log > 0.0 => (self.high / x).ln() / log,
            Form::Linear { rise } if rise > 0.0 => (self.high - x) / rise,
            Form::Tail { scale } if scale > 0.0 => ((self.low - x) / scale).exp(),
            _ => 0.0,
        }
    }

    /// The n-th moment within the piece.
    fn moment(&self, n: i32) -> f64 {
        let (low, high) = (self.low, self.high);
        match self.form {
            // (high^n - low^n) / (n log), without cancellation.
            Form::Logarithmic { log } if log > 0.0 => {
                let power = f64::from(n) * log;
                low.powi(n) * power.exp_m1() / power
            }
            Form::Linear { .. } => high.powi(n) / f64::from(n + 1), // It starts at 0.
            Form::Logarithmic { .. } => low.powi(n),
            Form::Tail { scale } => match n {
                1 => low + scale,
                2 => low.powi(2) + 2.0 * scale * (low + scale),
                _ => low.powi(3) + 3.0 * scale * (low.powi(2) + 2.0 * scale * (low + scale)),
            },
        }
    }
}

impl Quantiles {
    /// The law through these points, in any order: a probability from 0 to 1, and the value at it.
    ///
    /// # Errors
    ///
    /// When there are fewer than two, a probability is out of range or comes twice, a value is negative, or a
    /// higher quantile has a lower value.
    ///
    /// ```
    /// use sim_core::distribution::{Distribution, Quantiles};
    /// let law: Distribution = Quantiles::new(&[(0.5, 0.015), (0.95, 0.8), (0.99, 4.2)])?.into();
    /// assert!((law.quantile(0.95) - 0.8).abs() < 1e-12);
    /// # Ok::<(), sim_core::distribution::DistributionError>(())
    /// ```
    pub fn new(points: &[(f64, f64)]) -> Result<Self, DistributionError> {
        let mut points = checked(points)?;
        let (first, second) = (points[0], points[1]);
        if first.0 > 0.0 {
            let value = if first.1 > 0.0 {
                first.1 * (first.1 / second.1).powf(first.0 / (second.0 - first.0))
            } else {
                0.0
            };
            points.insert(0, (0.0, value));
        }
        let mut pieces: Vec<Piece> = points.windows(2).map(|pair| Piece::between(pair[0], pair[1])).collect();
        let [.., before, last] = points[..] else { unreachable!("there are two points at least") };
        if last.0 < 1.0 {
            let scale = (last.1 - before.1) / ((1.0 - before.0) / (1.0 - last.0)).ln();
            let high = if scale > 0.0 { f64::INFINITY } else { last.1 };
            pieces.push(Piece {
                from: last.0,
                width: 1.0 - last.0,
                low: last.1,
                high,
                form: Form::Tail { scale },
            });
        }
        Ok(Self { pieces: pieces.into() })
    }

    /// The piece that probability `p` falls into.
    #[inline]
    fn piece(&self, p: f64) -> &Piece {
        let mut i = self.pieces.len() - 1;
        while i > 0 && p < self.pieces[i].from {
            i -= 1;
        }
        &self.pieces[i]
    }

    fn moment(&self, n: i32) -> f64 {
        self.pieces.iter().map(|piece| piece.width * piece.moment(n)).sum()
    }
}

/// The points in order, if they make a law.
fn checked(points: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, DistributionError> {
    if points.len() < 2 {
        return Err(DistributionError::TooFew { what: "quantiles", least: 2, found: points.len() });
    }
    for &(p, value) in points {
        if !(0.0..=1.0).contains(&p) {
            let found = percentile(p);
            return Err(DistributionError::NoQuantile { least: "p0", most: "p100", found });
        }
        not_negative("quantile", value)?;
    }
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in points.windows(2) {
        let (low, high) = (percentile(pair[0].0), percentile(pair[1].0));
        if pair[0].0 >= pair[1].0 {
            return Err(DistributionError::Twice(low));
        }
        ordered((&low, pair[0].1), (&high, pair[1].1))?;
    }
    Ok(points)
}

impl Law for Quantiles {
    const FAMILY: &'static str = "quantiles";

    fn mean(&self) -> f64 {
        self.moment(1)
    }

    fn second_moment(&self) -> f64 {
        self.moment(2)
    }

    fn third_moment(&self) -> f64 {
        self.moment(3)
    }

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let p = rng.random::<f64>();
        let piece = self.piece(p);
        piece.value((p - piece.from) / piece.width)
    }

    fn cdf(&self, x: f64) -> f64 {
        1.0 - self.survival(x)
    }

    fn survival(&self, x: f64) -> f64 {
        let pieces = self.pieces.iter();
        let share = |piece: &Piece| {
            if x < piece.low {
                1.0
            } else if x >= piece.high {
                0.0
            } else {
                piece.above(x)
            }
        };
        pieces.map(|piece| piece.width * share(piece)).sum::<f64>().min(1.0)
    }

    fn quantile(&self, p: f64) -> f64 {
        let piece = self.piece(p);
        piece.value((p - piece.from) / piece.width)
    }

    fn upper_quantile(&self, q: f64) -> f64 {
        match self.pieces.last() {
            Some(Piece { width, low, form: Form::Tail { scale }, .. }) if q <= *width => {
                if *scale > 0.0 {
                    low - scale * (q / width).ln()
                } else {
                    *low
                }
            }
            _ => self.quantile(1.0 - q),
        }
    }

    fn scaled(&self, factor: f64) -> Self {
        let scale = |piece: &Piece| {
            let form = match piece.form {
                Form::Logarithmic { log } => Form::Logarithmic { log },
                Form::Linear { rise } => Form::Linear { rise: rise * factor },
                Form::Tail { scale } => Form::Tail { scale: scale * factor },
            };
            Piece { low: piece.low * factor, high: piece.high * factor, form, ..*piece }
        };
        Self { pieces: self.pieces.iter().map(scale).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_consistent, assert_sampled};
    use super::*;
    use crate::Draws;

    fn assert_hits(points: &[(f64, f64)]) {
        let law = Quantiles::new(points).unwrap();
        assert_sampled(&law, true);
        assert_consistent(law.clone());
        let mut draws = Draws::keyed(3);
        let mut values: Vec<f64> = (0..1_000_000).map(|_| law.sample(&mut draws)).collect();
        values.sort_by(f64::total_cmp);
        for &(p, value) in points.iter().filter(|point| point.0 > 0.0 && point.0 < 1.0) {
            assert_close(law.quantile(p), value);
            let share = values.partition_point(|x| *x <= value) as f64 / 1e6;
            assert!((share - p).abs() < 0.01 * (1.0 - p).max(0.1), "{share} of the draws are below p{p}");
        }
    }

    #[test]
    fn every_given_quantile_is_hit() {
        assert_hits(&[(0.5, 0.015), (0.95, 0.8), (0.99, 4.2)]);
        assert_hits(&[(0.0, 0.001), (0.5, 0.012), (0.95, 0.045), (0.99, 0.09), (1.0, 1.0)]);
        assert_hits(&[(0.0, 0.0), (0.5, 2.0), (1.0, 3.0)]);
    }

    #[test]
    fn moments_are_those_worked_out_by_hand() {
        // ln X uniform on [0, 1]: E[X^n] = (e^n - 1) / n.
        let e = std::f64::consts::E;
        let law = Quantiles::new(&[(0.0, 1.0), (1.0, e)]).unwrap();
        assert_close(law.mean(), e - 1.0);
        assert_close(law.second_moment(), (e * e - 1.0) / 2.0);
        assert_close(law.third_moment(), (e * e * e - 1.0) / 3.0);
        // Uniform on [0, 2].
        let law = Quantiles::new(&[(0.0, 0.0), (1.0, 2.0)]).unwrap();
        assert_close(law.mean(), 1.0);
        assert_close(law.second_moment(), 4.0 / 3.0);
    }

    #[test]
    fn the_tail_beyond_the_last_quantile_is_exponential() {
        // 3400 ms over ln 5 from p95 to p99.
        let law = Quantiles::new(&[(0.5, 15.0), (0.95, 800.0), (0.99, 4200.0)]).unwrap();
        let scale = 3400.0 / 5.0_f64.ln();
        assert_close(law.quantile(0.999), 4200.0 + scale * 10.0_f64.ln());
        assert_close(law.upper_quantile(1e-9), 4200.0 + scale * 1e7_f64.ln());
        assert_close(law.survival(4200.0 + scale), 0.01 / std::f64::consts::E);
    }

    #[test]
    fn a_flat_stretch_is_an_atom() {
        let law = Quantiles::new(&[(0.1, 2.0), (0.9, 2.0)]).unwrap();
        assert_close(law.mean(), 2.0);
        assert!(law.scv() < 1e-12);
        assert_close(law.quantile(0.99), 2.0);
        assert_close(law.cdf(2.0), 1.0);
    }

    #[test]
    fn nonsense_is_refused() {
        let refused = |points: &[(f64, f64)]| Quantiles::new(points).unwrap_err().to_string();
        assert_eq!(refused(&[(0.5, 9.0), (0.99, 5.0)]), "p99 (5) is below p50 (9)");
        assert_eq!(refused(&[(0.5, 9.0), (0.5, 10.0)]), "p50 is given twice");
        assert_eq!(refused(&[(0.5, 9.0)]), "expected at least 2 quantiles, found 1");
        assert_eq!(refused(&[(0.5, 9.0), (1.5, 9.0)]), "expected a quantile between p0 and p100, found p150");
        assert_eq!(refused(&[(0.5, -9.0), (0.9, 9.0)]), "expected a quantile of 0 or more, found -9");
    }
}

//! Axes: from figures to pixels.

use crate::unit::Unit;

/// A mapping of figures to pixels.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) unit: Unit,
    pub(crate) log: bool,
    /// The figures at both ends.
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// The pixels at both ends.
    pub(crate) start: f64,
    pub(crate) end: f64,
}

impl Scale {
    /// The pixel of a figure; figures beyond the ends land on them.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(f64::MIN_POSITIVE) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// Whether a figure lies between the ends.
    pub(crate) fn shows(&self, value: f64) -> bool {
        let slack = 1e-9 * (self.to - self.from).abs();
        value >= self.from - slack && value <= self.to + slack
    }

    /// Length in pixels.
    pub(crate) fn length(&self) -> f64 {
        (self.end - self.start).abs()
    }

    /// Round figures about `spacing` pixels apart.
    pub(crate) fn ticks(&self, spacing: f64) -> Vec<f64> {
        if self.unit == Unit::Lanes {
            return Vec::new();
        }
        let count = (self.length() / spacing).floor().max(1.0);
        if self.log {
            return log_ticks(self.from, self.to, count as usize);
        }
        let steps = if self.unit == Unit::Clock { clock_step } else { round_step };
        multiples(self.from, self.to, steps((self.to - self.from) / count))
    }
}

fn multiples(from: f64, to: f64, step: f64) -> Vec<f64> {
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least`.
pub(crate) fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factor =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= least * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// The same among the steps of a clock.
fn clock_step(least: f64) -> f64 {
    const STEPS: [f64; 17] = [
        10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 21_600.0,
        43_200.0, 86_400.0, 172_800.0, 604_800.0,
    ];
    if least <= 5.0 {
        return round_step(least);
    }
    STEPS.into_iter().find(|&step| step >= least).unwrap_or_else(|| 86_400.0 * round_step(least / 86_400.0))
}

/// Powers of ten, with 2 and 5 between them (or fewer powers) as `count` allows.
fn log_ticks(from: f64, to: f64, count: usize) -> Vec<f64> {
    let first = from.log10().floor() as i32;
    let last = to.log10().ceil() as i32;
    let inside = |v: &f64| *v >= from * (1.0 - 1e-9) && *v <= to * (1.0 + 1e-9);
    let with = |factors: &'static [f64], every: usize| -> Vec<f64> {
        (first..=last)
            .step_by(every)
            .flat_map(|power| factors.iter().map(move |f| f * 10_f64.powi(power)))
            .filter(inside)
            .collect()
    };
    let choices: [(&[f64], usize); 6] =
        [(&[1.0, 2.0, 5.0], 1), (&[1.0, 3.0], 1), (&[1.0], 1), (&[1.0], 2), (&[1.0], 3), (&[1.0], 5)];
    let fits = |ticks: &Vec<f64>| (2..=count.max(2)).contains(&ticks.len());
    choices
        .into_iter()
        .map(|(factors, every)| with(factors, every))
        .find(fits)
        .unwrap_or_else(|| vec![from, to])
}

/// Ends of a linear axis from 0 that holds `top`, on a round figure.
pub(crate) fn from_zero(top: f64, count: f64) -> (f64, f64) {
    if !(top.is_finite() && top > 0.0) {
        return (0.0, 1.0);
    }
    let step = round_step(top / count);
    (0.0, (top / step - 1e-9).ceil() * step)
}

/// Ends of a logarithmic axis that holds both figures, on 1, 2 or 5 times a power of ten.
pub(crate) fn decades(low: f64, high: f64) -> (f64, f64) {
    let below = |v: f64| {
        let power = 10_f64.powf(v.log10().floor());
        [5.0, 2.0, 1.0].into_iter().map(|f| f * power).find(|&b| b <= v * (1.0 + 1e-9)).unwrap_or(power)
    };
    let from = below(low);
    let to = round_step(high);
    if to > from * 1.5 { (from, to) } else { (from / 2.0, to * 2.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(unit: Unit, log: bool, from: f64, to: f64) -> Scale {
        Scale { unit, log, from, to, start: 0.0, end: 600.0 }
    }

    #[test]
    fn a_linear_axis_has_round_ticks() {
        assert_eq!(scale(Unit::Rate, false, 0.0, 52.0).ticks(90.0), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(scale(Unit::Clock, false, 0.0, 600.0).ticks(150.0), [0.0, 300.0, 600.0]);
    }

    #[test]
    fn a_logarithmic_axis_has_powers_of_ten() {
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a / b - 1.0).abs() < 1e-9);
        let wide = scale(Unit::Seconds, true, 1e-3, 1e2).ticks(60.0);
        assert!(wide.len() == 6 && close(&wide, &[1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0]), "{wide:?}");
        let narrow = scale(Unit::Seconds, true, 1e-2, 1.0).ticks(60.0);
        assert!(narrow.len() == 7 && close(&narrow, &[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]), "{narrow:?}");
    }

    #[test]
    fn a_decade_is_a_tenth_of_ten_decades() {
        let axis = scale(Unit::Seconds, true, 1e-5, 1e5);
        assert!((axis.at(1e-4) - 60.0).abs() < 1e-9);
        assert!((axis.at(1e9) - 600.0).abs() < 1e-9);
        assert!(!axis.shows(1e9));
    }

    #[test]
    fn ends_are_round() {
        assert_eq!(from_zero(43.0, 5.0), (0.0, 50.0));
        assert_eq!(from_zero(0.0, 5.0), (0.0, 1.0));
        let (from, to) = decades(0.0234, 7.1);
        assert!((from - 0.02).abs() < 1e-12 && (to - 10.0).abs() < 1e-12, "{from} {to}");
    }
}

//! Where the latency curve turns up.

use super::Line;
use crate::experiment::analysis::figure;
use crate::results::{Knee, SweepPoint};

/// The load with the largest power: throughput over mean response.
///
/// There a ray from the origin touches the latency curve: below, a little more load costs relatively less
/// latency than it brings work; above, more. Unlike the place of the sharpest bend, it depends neither on the
/// units of the axes nor on how far the sweep went. One server with exponential times has it at 50 % load, four
/// at 66 %, sixteen at 81 %.
///
/// Between the points, power is a parabola in the logarithms. Points without a steady state have no power.
/// None when the largest power is at an end of the sweep.
///
/// Source: Kleinrock, *Power and deterministic rules of thumb for probabilistic problems in computer
/// communications*, ICC 1979.
pub(crate) fn find(line: &Line<'_>, traffic: Option<&str>) -> Option<Knee> {
    let name = traffic?;
    let path = format!("traffic.{name}");
    let is_steady = |point: &SweepPoint| point.result.is_steady(&path);
    let powers: Vec<(f64, f64)> = line
        .points
        .iter()
        .filter(|(load, point)| *load > 0.0 && is_steady(point))
        .filter_map(|(load, point)| {
            let traffic = point.result.traffic.get(name)?;
            let (throughput, mean) = (traffic.throughput?.value, traffic.latency.mean?.value);
            (throughput > 0.0 && mean > 0.0).then(|| (load.ln(), (throughput / mean).ln()))
        })
        .collect();
    let grows = line.points.iter().any(|(_, point)| !is_steady(point));
    let value = peak(&powers, grows)?.exp();
    Some(Knee {
        value,
        text: format!(
            "the mean latency of `{name}` turns up at {}: beyond it, latency grows faster than throughput",
            at(line.path, value)
        ),
    })
}

/// A load as the reader would write it.
pub(crate) fn at(path: &str, value: f64) -> String {
    match path.rsplit_once('.') {
        Some((_, "rate")) => format!("{}/s", figure(value)),
        _ => format!("{} users", figure(value)),
    }
}

/// Where the curve through the points is largest; none at its first point, and at its last unless the curve
/// is known to fall after it.
fn peak(points: &[(f64, f64)], falls_after: bool) -> Option<f64> {
    let largest = (0..points.len()).max_by(|a, b| points[*a].1.total_cmp(&points[*b].1))?;
    if largest == 0 {
        return None;
    }
    if largest + 1 == points.len() {
        return falls_after.then(|| points[largest].0);
    }
    let [(x0, y0), (x1, y1), (x2, y2)] = [points[largest - 1], points[largest], points[largest + 1]];
    let (left, right) = ((y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1));
    if left - right <= 0.0 {
        return Some(x1);
    }
    // The parabola's slope runs linearly from `left` in the middle of one gap to `right` in that of the other.
    let (a, b) = (f64::midpoint(x0, x1), f64::midpoint(x1, x2));
    Some((a + (b - a) * left / (left - right)).clamp(x0, x2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M/M/1 with mean service 1: power is rho (1 - rho), largest at one half.
    #[test]
    fn the_knee_of_mm1_is_at_half_load() {
        let points: Vec<(f64, f64)> = (1..20)
            .map(|i| f64::from(i) * 0.05 - 0.013)
            .map(|rho| (rho.ln(), (rho * (1.0 - rho)).ln()))
            .collect();
        let knee = peak(&points, false).unwrap().exp();
        assert!((knee - 0.5).abs() < 0.005, "{knee}");
    }

    #[test]
    fn a_curve_without_a_bend_has_no_knee() {
        let straight: Vec<(f64, f64)> = (0..10).map(|i| (f64::from(i), f64::from(i))).collect();
        assert_eq!(peak(&straight, false), None);
        assert_eq!(peak(&straight, true), Some(9.0));
        assert_eq!(peak(&[], false), None);
    }
}

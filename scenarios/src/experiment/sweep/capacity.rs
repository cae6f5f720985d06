//! The largest load that the system can take, and the load to run it at.

use models::blueprint::{Blueprint, PoolScope};

use super::Line;
use super::knee::at;
use crate::experiment::analysis::{Analysis, Place, percent};
use crate::metric::{Comparison, Expectation, Quantity};
use crate::results::{Capacity, Met, Safe, SaturatesAt, SweepPoint};

/// Shares of the capacity that are advised.
const SAFE: (f64, f64) = (0.6, 0.7);

/// The largest load at which every expectation is met; without expectations, at which the system is stable.
///
/// Assumes that more load is never better: the capacity lies between the last point of the first unbroken
/// stretch at which all are met and the next at which one is not. Between the two the figure that fails is
/// taken to run straight (times: straight in their logarithm). None when already the first point fails.
pub(crate) fn find(
    line: &Line<'_>,
    expectations: &[Expectation],
    saturation: Option<&SaturatesAt>,
) -> Option<Capacity> {
    if line.points.iter().all(|(_, point)| point.result.expect.is_empty()) {
        return stable(line, saturation);
    }
    let met = |point: &SweepPoint| point.result.expect.iter().all(|verdict| verdict.verdict == Met::Met);
    let stretch = line.points.iter().take_while(|(_, point)| met(point)).count();
    let last = stretch.checked_sub(1)?;
    let (last_met, _) = line.points[last];
    let fails = |point: &SweepPoint| {
        point.result.expect.iter().find(|verdict| verdict.verdict == Met::NotMet).map(|v| v.text.clone())
    };
    let first_not_met = line.points[stretch..].iter().find_map(|(load, point)| Some((*load, fails(point)?)));
    let Some((_, text)) = &first_not_met else {
        let undecided = if stretch < line.points.len() { "; beyond it the runs do not decide" } else { "" };
        return Some(Capacity {
            value: last_met,
            last_met,
            first_not_met: None,
            text: format!(
                "every expectation is met up to {}, the largest load that shows it{undecided}",
                at(line.path, last_met)
            ),
        });
    };
    let crossings = expectations.iter().filter_map(|e| crossing(&line.points[last..], e));
    let value = crossings.min_by(f64::total_cmp).unwrap_or(last_met);
    let text = format!(
        "every expectation is met up to about {}; beyond it `{text}` fails (more load is taken never to be better)",
        at(line.path, value)
    );
    Some(Capacity { value, last_met, first_not_met, text })
}

/// Where the figure of an expectation reaches its bound, among points of which the first is on the right side.
fn crossing(points: &[(f64, &SweepPoint)], expectation: &Expectation) -> Option<f64> {
    let seen = |point: &SweepPoint| {
        let mut verdicts = point.result.expect.iter();
        verdicts.find(|v| v.text == expectation.text).and_then(|v| v.observed).map(|e| e.value)
    };
    let Quantity::One(_) = expectation.left else { return None };
    let bound = expectation.bound;
    let right = |value: f64| match expectation.comparison {
        Comparison::Less | Comparison::AtMost => value <= bound,
        Comparison::Greater | Comparison::AtLeast => value >= bound,
        Comparison::Equal => (value - bound).abs() <= expectation.tolerance,
    };
    points.windows(2).find_map(|pair| {
        let [(x0, a), (x1, b)] = [pair[0], pair[1]];
        let (y0, y1) = (seen(a)?, seen(b)?);
        (right(y0) && !right(y1)).then(|| between((x0, y0), (x1, y1), bound))
    })
}

/// Where the line between two points, straight in the logarithm of `y` if that exists, reaches `bound`.
fn between((x0, y0): (f64, f64), (x1, y1): (f64, f64), bound: f64) -> f64 {
    let logarithms = y0 > 0.0 && y1 > 0.0 && bound > 0.0;
    let scale = |y: f64| if logarithms { y.ln() } else { y };
    let (y0, y1, bound) = (scale(y0), scale(y1), scale(bound));
    let rise = y1 - y0;
    if rise.abs() <= 0.0 { x0 } else { x0 + (x1 - x0) * ((bound - y0) / rise).clamp(0.0, 1.0) }
}

/// Without expectations: the load at which the bottleneck saturates, or the largest stable point.
fn stable(line: &Line<'_>, saturation: Option<&SaturatesAt>) -> Option<Capacity> {
    let stretch = line.points.iter().take_while(|(_, point)| point.result.growth.is_empty()).count();
    let (last_met, _) = line.points[stretch.checked_sub(1)?];
    let first_not_met = line.points.get(stretch).and_then(|(load, point)| {
        point.result.growth.first().map(|growth| (*load, format!("`{}` grows without bound", growth.at)))
    });
    let top = first_not_met.as_ref().map_or(f64::INFINITY, |(load, _)| *load);
    let predicted = saturation.filter(|s| s.path == line.path && s.value <= top).map(|s| s.value);
    let (value, text) = match predicted {
        Some(value) => {
            (value, format!("nothing is expected; the bottleneck saturates at {}", at(line.path, value)))
        }
        None => (
            last_met,
            format!(
                "nothing is expected; the largest stable load that was run is {}",
                at(line.path, last_met)
            ),
        ),
    };
    Some(Capacity { value, last_met, first_not_met, text })
}

/// Name and replicas of the service that owns the bottleneck.
pub(crate) fn bottleneck_replicas(blueprint: &Blueprint) -> Option<(String, u32)> {
    let analysis = Analysis::of(blueprint);
    let service = match analysis.stations[analysis.busiest()?].place {
        Place::Cores(service) => service,
        Place::Pool(pool) => match blueprint.pools[pool.index()].scope {
            PoolScope::Replica { service, .. } => service,
            PoolScope::One | PoolScope::Class => return None,
        },
    };
    let plan = &blueprint.services[service.index()];
    Some((plan.name.clone(), plan.replicas))
}

/// 60 to 70 % of the capacity, and why.
pub(crate) fn safe(capacity: &Capacity, bottleneck: Option<(String, u32)>) -> Safe {
    let reserve = match bottleneck {
        Some((name, replicas)) if replicas > 1 => {
            let lost = 1.0 / f64::from(replicas);
            let more = if lost > 1.0 - SAFE.1 { ", more than is kept" } else { "" };
            format!("; one of the {replicas} replicas of `{name}` is {} of it{more}", percent(lost))
        }
        Some((name, _)) => format!("; `{name}` has one replica, and no reserve survives its loss"),
        None => String::new(),
    };
    Safe {
        from: SAFE.0 * capacity.value,
        to: SAFE.1 * capacity.value,
        text: format!(
            "60 to 70 % of the capacity: near the limit a small rise of the load costs most, so a third is kept \
             for bursts, growth and failures{reserve}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_run_straight_in_their_logarithm() {
        // From 10 ms to 1 s over 100 requests a second: 100 ms is halfway.
        assert!((between((400.0, 0.01), (500.0, 1.0), 0.1) - 450.0).abs() < 1e-9);
        assert!((between((400.0, 0.0), (500.0, 0.01), 0.001) - 410.0).abs() < 1e-9);
    }

    #[test]
    fn the_safe_load_is_below_the_capacity() {
        let capacity = Capacity { value: 1000.0, last_met: 950.0, first_not_met: None, text: String::new() };
        let safe = safe(&capacity, Some(("db".to_owned(), 4)));
        assert!((safe.from - 600.0).abs() < 1e-9 && (safe.to - 700.0).abs() < 1e-9);
        assert!(safe.text.ends_with("one of the 4 replicas of `db` is 25 % of it"));
    }
}

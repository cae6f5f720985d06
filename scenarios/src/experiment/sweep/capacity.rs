//! The largest load that the system can take, and the load to run it at.

use models::blueprint::{Blueprint, Outcome, PoolScope};

use super::Line;
use super::knee::at;
use crate::experiment::analysis::{Analysis, Place, percent};
use crate::metric::{Comparison, Expectation, Figure, Quantity};
use crate::results::{Capacity, Met, Safe, SaturatesAt, SweepPoint, Verdict};

/// Shares of the capacity that are advised.
const SAFE: (f64, f64) = (0.6, 0.7);

/// The largest load at which every expectation is met; without expectations, at which the system is stable.
///
/// Only what can limit the load counts: see [`limits_load`].
/// Assumes that more load is never better: the capacity lies between the last point of the first unbroken
/// stretch at which all are met and the next at which one is not. Between the two the figure that fails is
/// taken to run straight (times: straight in their logarithm). None when already the first point fails.
pub(crate) fn find(
    line: &Line<'_>,
    expectations: &[Expectation],
    saturation: Option<&SaturatesAt>,
) -> Option<Capacity> {
    let (counted, others): (Vec<&Expectation>, Vec<&Expectation>) =
        expectations.iter().filter(|e| is_judged(e, line)).partition(|e| limits_load(e));
    let left_out = left_out(&others);
    if counted.is_empty() {
        return stable(line, saturation, expectations.is_empty(), &left_out);
    }
    let ends = |e: &Expectation, point: &SweepPoint, how: Met| {
        verdict_on(e, point).is_some_and(|verdict| verdict.verdict == how)
    };
    let met = |point: &SweepPoint| counted.iter().all(|e| ends(e, point, Met::Met));
    let grows = grows(line);
    let stretch = line.points.iter().take_while(|(_, point)| met(point)).count();
    let last = stretch.checked_sub(1)?;
    let (last_met, _) = line.points[last];
    let fails =
        |point: &SweepPoint| counted.iter().find(|e| ends(e, point, Met::NotMet)).map(|e| e.text.clone());
    let first_not_met = line.points[stretch..].iter().find_map(|(load, point)| Some((*load, fails(point)?)));
    let Some((_, text)) = &first_not_met else {
        let undecided = if stretch < line.points.len() { "; beyond it the runs do not decide" } else { "" };
        return Some(Capacity {
            value: last_met,
            last_met,
            first_not_met: None,
            text: format!(
                "every expectation is met up to {}, the largest load that shows it{undecided}{grows}{left_out}",
                at(line.path, last_met)
            ),
        });
    };
    let crossings = counted.iter().filter_map(|e| crossing(&line.points[last..], e));
    let value = crossings.min_by(f64::total_cmp).unwrap_or(last_met);
    let text = format!(
        "every expectation is met up to about {}; beyond it `{text}` fails{grows} (more load is taken never to be \
         better){left_out}",
        at(line.path, value)
    );
    Some(Capacity { value, last_met, first_not_met, text })
}

/// Whether more load can break the expectation: an upper bound on what load raises, or a lower bound on the
/// share of requests that are answered.
///
/// Others say that something goes wrong, or that enough comes: little load would fail them, and more would not.
fn limits_load(expectation: &Expectation) -> bool {
    let Quantity::One(term) = &expectation.left else { return true };
    let answered = term.metric.figure == Figure::Share(Outcome::OK);
    match expectation.comparison {
        Comparison::Less | Comparison::AtMost => !answered,
        Comparison::Greater | Comparison::AtLeast => answered,
        Comparison::Equal => true,
    }
}

/// Whether the expectation speaks of what was swept.
fn is_judged(expectation: &Expectation, line: &Line<'_>) -> bool {
    line.points.iter().any(|(_, point)| verdict_on(expectation, point).is_some())
}

fn verdict_on<'p>(expectation: &Expectation, point: &'p SweepPoint) -> Option<&'p Verdict> {
    point.result.expect.iter().find(|verdict| verdict.text == expectation.text)
}

/// What more load cannot break.
fn left_out(others: &[&Expectation]) -> String {
    let texts: Vec<String> = others.iter().map(|expectation| format!("`{}`", expectation.text)).collect();
    match texts.len() {
        0 => String::new(),
        1 => format!("; {} does not limit the load and is not counted", texts[0]),
        _ => format!("; {} do not limit the load and are not counted", texts.join(", ")),
    }
}

/// From which load on something grows without bound.
fn grows(line: &Line<'_>) -> String {
    let first = line.points.iter().find_map(|(load, point)| Some((*load, point.result.growth.first()?)));
    first.map_or_else(String::new, |(load, growth)| {
        format!("; from {} on `{}` grows without bound", at(line.path, load), growth.at)
    })
}

/// Where the figure of an expectation reaches its bound, among points of which the first is on the right side.
fn crossing(points: &[(f64, &SweepPoint)], expectation: &Expectation) -> Option<f64> {
    let seen = |point| verdict_on(expectation, point)?.observed.map(|e| e.value);
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

/// Without expectations that count: the load at which the bottleneck saturates, or the largest stable point.
fn stable(
    line: &Line<'_>,
    saturation: Option<&SaturatesAt>,
    nothing: bool,
    left_out: &str,
) -> Option<Capacity> {
    let none =
        if nothing { "nothing is expected" } else { "no expectation limits the load of what was swept" };
    let stretch = line.points.iter().take_while(|(_, point)| point.result.growth.is_empty()).count();
    let (last_met, _) = line.points[stretch.checked_sub(1)?];
    let first_not_met = line.points.get(stretch).and_then(|(load, point)| {
        point.result.growth.first().map(|growth| (*load, format!("`{}` grows without bound", growth.at)))
    });
    let top = first_not_met.as_ref().map_or(f64::INFINITY, |(load, _)| *load);
    let predicted = saturation.filter(|s| s.path == line.path && s.value <= top).map(|s| s.value);
    let (value, text) = match predicted {
        Some(value) => {
            (value, format!("{none}; the bottleneck saturates at {}{left_out}", at(line.path, value)))
        }
        None => (
            last_met,
            format!("{none}; the largest stable load that was run is {}{left_out}", at(line.path, last_met)),
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
            PoolScope::One | PoolScope::Class | PoolScope::Each(_) => return None,
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

//! Whether a condition holds over the course of a run: how long it takes to recover, and what becomes of it.
//!
//! The run is cut into [`CELLS`] equal windows, those of its series over time, so that a recovery is told to a 120th
//! of the run. A window holds when the figure of all that ended in it does. One in which nothing ended says what
//! the window before it said, unless somebody was waiting: then it does not hold.

use models::blueprint::Blueprint;
use models::observe::{Observations, Segment};
use sim_core::SimTime;

use super::evaluate::{figure, waits};
use super::{joined, series};
use crate::metric::{Metric, Reading};
use crate::results::{Fate, PointOutcome};

/// Equal windows of a run.
pub(crate) const CELLS: u32 = 120;

/// Where the windows of the metric's part of the run begin and end.
pub(crate) fn edges(metric: &Metric, blueprint: &Blueprint) -> Vec<SimTime> {
    let (from, to) = super::evaluate::span(metric, blueprint);
    let inner =
        series::edges(blueprint, CELLS).into_iter().filter(|at| (from..to).contains(at) && *at > from);
    std::iter::once(from).chain(inner).chain([to]).collect()
}

/// By window: whether the condition of the metric, whose reading is a recovery, holds in one replication.
pub(crate) fn held(metric: &Metric, observations: &Observations, blueprint: &Blueprint) -> Vec<bool> {
    let Reading::Recovery(condition) = metric.reading else { return Vec::new() };
    let edges = edges(metric, blueprint);
    let mut held: Vec<bool> = Vec::with_capacity(edges.len());
    for pair in edges.windows(2) {
        let look = |segment: &Segment| {
            let value = figure(metric, segment);
            let before = held.last().copied().unwrap_or(true);
            value.map_or_else(|| before && !waits(metric.subject, segment), |value| condition.holds(value))
        };
        let mut inside = joined::inside(observations, pair[0], pair[1]);
        let holds = match (inside.next(), inside.next()) {
            (None, _) => break, // It was cut short.
            (Some(only), None) => look(only),
            (Some(_), Some(_)) => {
                joined::window(observations, pair[0], pair[1]).is_some_and(|all| look(&all))
            }
        };
        held.push(holds);
    }
    held
}

/// Seconds from the metric's `after` until its condition holds for good; infinite where it does not at the end.
///
/// None where the replication did not get to the end.
pub(crate) fn recovered(metric: &Metric, held: &[bool], blueprint: &Blueprint) -> Option<f64> {
    let edges = edges(metric, blueprint);
    if held.len() + 1 != edges.len() {
        return None;
    }
    let first = held.iter().rposition(|holds| !holds).map_or(0, |last| last + 1);
    Some(if first == held.len() { f64::INFINITY } else { edges[first].since(edges[0]).as_seconds() })
}

/// What becomes of a system that held the condition, or did not, window by window.
///
/// What it is like at the end is what most windows of the last tenth say, so that one of them that fails by chance
/// does not decide.
pub(crate) fn fate(held: &[bool]) -> Fate {
    let last = &held[held.len() - held.len().div_ceil(10)..];
    let good = last.iter().filter(|holds| **holds).count();
    if 2 * good <= last.len() {
        Fate::StaysDown
    } else if held.iter().all(|holds| *holds) {
        Fate::Stable
    } else {
        Fate::Recovers
    }
}

/// What became of the replications: of each, and of most of them. Between equally many, the worse.
pub(crate) fn outcome(held: &[&[bool]]) -> Option<PointOutcome> {
    let count = |wanted: Fate| held.iter().filter(|held| fate(held) == wanted).count() as u32;
    let [stable, recovers, stays_down] = [Fate::Stable, Fate::Recovers, Fate::StaysDown].map(count);
    let most = stable.max(recovers).max(stays_down);
    let fate = if stays_down == most {
        Fate::StaysDown
    } else if recovers == most {
        Fate::Recovers
    } else {
        Fate::Stable
    };
    (most > 0).then(|| PointOutcome {
        fate,
        share: f64::from(most) / held.len() as f64,
        stable,
        recovers,
        stays_down,
    })
}

#[cfg(test)]
mod tests {
    use models::blueprint::{Outcome, TrafficId};
    use sim_core::Span;

    use super::*;
    use crate::experiment::estimate::of;
    use crate::experiment::testing::Builder;
    use crate::metric::{Comparison, Condition, Figure, Subject};

    /// A run of 120 s and a recovery looked for from 30.5 s on: windows of 1 s, the first one of half a second.
    fn recovery() -> (Metric, Blueprint) {
        let seconds = |s: f64| SimTime::ZERO + Span::from_seconds(s).unwrap();
        let Builder(blueprint) = Builder::new(120.0, 0.0);
        let condition = Condition { comparison: Comparison::Greater, bound: 0.99 };
        let ok = of("users.ok", Subject::Traffic(TrafficId(0)), Figure::Share(Outcome::OK));
        let window = Some((seconds(30.5), seconds(120.0)));
        (Metric { window, reading: Reading::Recovery(condition), ..ok }, blueprint)
    }

    #[test]
    fn it_has_recovered_when_it_never_fails_again() {
        let (metric, blueprint) = recovery();
        let edges = edges(&metric, &blueprint);
        assert_eq!(edges.len(), 91);
        let mut held = vec![true; 90];
        let seconds = |held: &[bool]| recovered(&metric, held, &blueprint).unwrap();
        assert!(seconds(&held).abs() < 1e-9);
        held[0] = false;
        assert!((seconds(&held) - 0.5).abs() < 1e-9);
        held[4] = false; // The window from 34 s to 35 s.
        assert!((seconds(&held) - 4.5).abs() < 1e-9);
        held[89] = false;
        assert!(seconds(&held).is_infinite());
        assert_eq!(recovered(&metric, &held[..40], &blueprint), None);
    }

    #[test]
    fn the_last_tenth_says_how_it_ends() {
        let mut held = vec![true; 40];
        assert_eq!(fate(&held), Fate::Stable);
        held[10] = false;
        assert_eq!(fate(&held), Fate::Recovers);
        held[39] = false; // One of the last four.
        assert_eq!(fate(&held), Fate::Recovers);
        held[38] = false;
        assert_eq!(fate(&held), Fate::StaysDown);
    }

    #[test]
    fn most_replications_decide_and_the_worse_wins_a_tie() {
        let (good, bad) = (vec![true; 20], vec![false; 20]);
        let two = outcome(&[&good, &bad]).unwrap();
        assert_eq!((two.fate, two.stable, two.stays_down), (Fate::StaysDown, 1, 1));
        let three = outcome(&[&good, &bad, &good]).unwrap();
        assert_eq!(three.fate, Fate::Stable);
        assert!((three.share - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(outcome(&[]), None);
    }
}

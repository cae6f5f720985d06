//! Answers instead of points: the cheapest point, or the largest load, at which every expectation holds.
//!
//! Points are run one after the other on common random numbers, each until it is decided. What holds or fails settles
//! others ([`Lattice`](lattice::Lattice)); what speaks against that is noticed, and then nothing is taken for granted.

mod doubt;
mod lab;
mod lattice;
mod space;
#[cfg(test)]
#[expect(clippy::float_cmp, reason = "values of paths are written, not computed")]
mod tests;
mod told;

use std::collections::BTreeMap;

use sim_core::CancelFlag;

use super::gather::{Progress, Simulate};
use super::run::BrokenLaws;
use super::steps::Steps;
use super::{setup, sweep};
use crate::goal::{Aim, Goal, GoalAxis, Measure};
use crate::results::{Answer, CheckedPoint, E, Met, SolveAim, SolveReport, TheoryCurve, TriedPoint};
use crate::sweep::{tidy, traffic_of};
use crate::{Diagnostics, Override, Scenario, Source};
use doubt::contradiction;
use lab::{Lab, Ran};
use space::Space;

/// Why nothing was looked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unsolved {
    /// The scenario does not say what is to be found.
    #[error("the scenario has no `solve`")]
    NoGoal,
    /// A point does not hold together.
    #[error(transparent)]
    Wrong(#[from] Diagnostics),
    /// A run broke a law of its own.
    #[error(transparent)]
    Broken(#[from] BrokenLaws),
}

/// Finds what the scenario's `solve` asks for, on rayon's current threads.
///
/// Which points are tried, and what comes out, is the same on any number of threads. Once `cancel` is raised, what was
/// tried is reported without an answer.
///
/// # Errors
///
/// When the scenario asks for nothing, a point does not hold together, or a run broke a law of its own.
pub fn solve(
    source: &Source,
    overrides: &[Override],
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<SolveReport, Unsolved> {
    solve_with(source, overrides, &super::engine, progress, cancel)
}

pub(crate) fn solve_with(
    source: &Source,
    overrides: &[Override],
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<SolveReport, Unsolved> {
    let (scenario, _) = Scenario::load(source, overrides)?;
    let goal = scenario.goal().ok_or(Unsolved::NoGoal)?;
    let at_most = goal.replications;
    let lab = Lab { source, overrides, at_most, simulate, progress: Steps::new(progress), cancel };
    let space = Space::new(goal.axes.clone(), &goal.of, goal.aim);
    let mut search = Search {
        goal,
        scenario: &scenario,
        lab,
        doubts: vec![None; goal.axes.len()],
        shown: told::shown(&scenario),
        space,
        tried: Vec::new(),
        checks: Vec::new(),
        stopped: None,
    };
    let answer = search.find()?;
    Ok(search.report(answer))
}

/// How often a load is doubled, at most: a thousandfold.
const DOUBLINGS: u32 = 10;
/// How often it is halved, at most: a millionth.
const HALVINGS: u32 = 20;
/// Parts into which the last doubling is cut: the answer is known to one in a hundred.
const PARTS: u32 = 100;

/// A search.
struct Search<'a> {
    goal: &'a Goal,
    scenario: &'a Scenario,
    lab: Lab<'a>,
    space: Space,
    /// By path: what speaks against an easier value of it being never worse.
    doubts: Vec<Option<String>>,
    /// The metric that is told beside the verdicts.
    shown: told::Shown,
    tried: Vec<TriedPoint>,
    checks: Vec<CheckedPoint>,
    /// Why the search was given up.
    stopped: Option<String>,
}

impl Search<'_> {
    /// The best point that holds on another seed as well; its number among those that were tried.
    fn find(&mut self) -> Result<Option<usize>, Unsolved> {
        if self.goal.open {
            self.bracket()?;
        }
        while self.stopped.is_none() {
            let best = self.space.lattice.best();
            let next = self.space.lattice.next().or_else(|| self.beside(best));
            match (next, best) {
                (Some(point), _) => {
                    self.try_point(point)?;
                }
                (None, None) => return Ok(None),
                (None, Some(best)) if self.holds_again(best)? => {
                    return Ok(self.number(&self.space.at(best)));
                }
                (None, Some(best)) => self.space.lattice.learn(best, false),
            }
        }
        Ok(None)
    }

    /// A point that was not tried, and would show that an easier value is worse: one step from the best point, or where
    /// nothing holds all along the axes.
    fn beside(&self, best: Option<usize>) -> Option<usize> {
        let lattice = &self.space.lattice;
        let Some(best) = best else {
            return lattice.quarters().into_iter().find(|point| !lattice.is_known(*point));
        };
        self.trusted_neighbours(best).into_iter().find(|point| !lattice.is_known(*point))
    }

    fn trusted_neighbours(&self, best: usize) -> Vec<usize> {
        let lattice = &self.space.lattice;
        let trusted = |point: &usize| lattice.between(best, *point).iter().all(|axis| lattice.trusts(*axis));
        lattice.neighbours(best).into_iter().filter(trusted).collect()
    }

    /// Tries a point and learns from it. None when the search is given up.
    fn try_point(&mut self, point: usize) -> Result<Option<Met>, Unsolved> {
        if self.lab.cancel.is_cancelled() {
            self.stopped = Some("interrupted".to_owned());
            return Ok(None);
        }
        if self.tried.len() >= self.goal.points as usize {
            self.stopped =
                Some(format!("{} points were tried, as many as `points` allows", self.goal.points));
            return Ok(None);
        }
        let open = self.space.lattice.open_count();
        let ahead = (open + 1).ilog2() + 2 * self.goal.axes.len() as u32 + 1;
        let number = self.tried.len() + 1;
        self.lab.progress.expect(self.tried.len(), u64::from(ahead), &format!("point {number}"));
        let ran = self.lab.run(&self.space.overrides(point), None)?;
        if self.lab.cancel.is_cancelled() {
            self.stopped = Some("interrupted".to_owned());
        }
        let verdict = ran.verdict;
        self.note(point, ran);
        Ok(Some(verdict))
    }

    fn note(&mut self, point: usize, ran: Ran) {
        let Ran { report, verdict, needs } = ran;
        let (at, value) = (self.space.at(point), self.space.value(point));
        let metric = self.shown.of(&report);
        self.space.lattice.learn(point, verdict == Met::Met);
        self.tried.push(TriedPoint { at, value, verdict, metric, needs, result: report });
        self.doubt(point);
    }

    /// Compares the point that was tried last with all others.
    fn doubt(&mut self, last: usize) {
        let Some((new, others)) = self.tried.split_last() else { return };
        let units = self.units();
        let mut found = Vec::new();
        for old in others {
            let Some(point) = self.space.point(&old.at) else { continue };
            let lattice = &self.space.lattice;
            let (easier, harder) = match (lattice.is_easier(last, point), lattice.is_easier(point, last)) {
                (true, _) => (new, old),
                (_, true) => (old, new),
                _ => continue,
            };
            let axes = lattice.between(last, point);
            // What an axis does that is not trusted says nothing of the others.
            let trusted = axes.iter().all(|axis| lattice.trusts(*axis));
            let why = contradiction(easier, harder, self.scenario.expectations(), &units).filter(|_| trusted);
            found.extend(why.map(|why| (axes, why)));
        }
        for (axes, why) in found {
            for axis in axes {
                self.space.lattice.distrust(axis);
                self.doubts[axis].get_or_insert_with(|| why.clone());
            }
        }
    }

    /// Whether a point holds on another seed; those beside it that would be better are looked at there too.
    fn holds_again(&mut self, best: usize) -> Result<bool, Unsolved> {
        if self.check(best)? != Met::Met {
            return Ok(false);
        }
        for point in self.space.lattice.neighbours(best) {
            if self.space.lattice.is_better(point, best) {
                self.check(point)?;
            }
        }
        Ok(true)
    }

    fn check(&mut self, point: usize) -> Result<Met, Unsolved> {
        let at = self.space.at(point);
        let seed = self.scenario.seed().wrapping_add(1);
        self.lab.progress.expect(self.tried.len() + self.checks.len(), 1, "the answer on another seed");
        let Ran { report, verdict, .. } = self.lab.run(&self.space.overrides(point), Some(seed))?;
        if self.lab.cancel.is_cancelled() {
            self.stopped = Some("interrupted".to_owned());
        }
        self.checks.push(CheckedPoint {
            point: self.number(&at),
            at,
            seed,
            verdict,
            replications: report.replications,
            expect: report.expect,
        });
        Ok(verdict)
    }

    /// Doubles or halves the only path until one value holds and the next does not, and puts the values between the two
    /// in place of those that it had.
    fn bracket(&mut self) -> Result<(), Unsolved> {
        let [axis] = self.goal.axes.as_slice() else { return Ok(()) };
        let whole = axis.axis.is_whole();
        let mut at = axis.axis.values[0].number;
        let Some(first) = self.try_value(axis, at)? else { return Ok(()) };
        let up = first == Met::Met;
        for _ in 0..if up { DOUBLINGS } else { HALVINGS } {
            let next = tidy(if up { 2.0 * at } else { at / 2.0 });
            let next = if whole { next.floor() } else { next };
            if next <= 0.0 {
                break;
            }
            let Some(verdict) = self.try_value(axis, next)? else { return Ok(()) };
            let (holds, fails) = if up { (at, next) } else { (next, at) };
            if (verdict == Met::Met) != up {
                self.look_between(axis, holds, fails, whole);
                return Ok(());
            }
            at = next;
        }
        Ok(())
    }

    /// Tries a value of the only path.
    fn try_value(&mut self, axis: &GoalAxis, number: f64) -> Result<Option<Met>, Unsolved> {
        self.move_to(axis, [number]);
        self.try_point(0)
    }

    fn look_between(&mut self, axis: &GoalAxis, holds: f64, fails: f64, whole: bool) {
        let part = |i: u32| tidy(holds + (fails - holds) * f64::from(i) / f64::from(PARTS));
        let mut numbers: Vec<f64> =
            (0..=PARTS).map(|i| if whole { part(i).round() } else { part(i) }).collect();
        numbers.dedup_by(|a, b| a.total_cmp(b).is_eq());
        self.move_to(axis, numbers);
        for tried in &self.tried {
            if let Some(point) = self.space.point(&tried.at) {
                self.space.lattice.learn(point, tried.verdict == Met::Met);
            }
        }
    }

    /// Gives the only path other values.
    fn move_to(&mut self, axis: &GoalAxis, numbers: impl IntoIterator<Item = f64>) {
        let moved = GoalAxis { axis: axis.axis.with(numbers), ..axis.clone() };
        self.space = Space::new(vec![moved], &self.goal.of, self.goal.aim);
    }

    /// The number of the point among those that were tried.
    fn number(&self, at: &BTreeMap<String, f64>) -> Option<usize> {
        self.tried.iter().position(|tried| tried.at == *at)
    }

    /// Paths and their units.
    fn units(&self) -> Vec<(String, String)> {
        self.goal.axes.iter().map(|axis| (axis.axis.path.clone(), axis.axis.unit.clone())).collect()
    }

    fn report(self, answer: Option<usize>) -> SolveReport {
        let (paths, units) = self.units().into_iter().unzip();
        let (of, unit) = match &self.goal.of {
            Measure::Path(axis) => {
                let axis = &self.goal.axes[*axis].axis;
                (axis.path.clone(), axis.unit.clone())
            }
            Measure::Cost { currency, .. } => ("cost".to_owned(), format!("{currency}/h")),
        };
        let aim = match self.goal.aim {
            Aim::Minimize => SolveAim::Minimize,
            Aim::Maximize => SolveAim::Maximize,
        };
        let theory = self.theory();
        let mut report = SolveReport {
            head: self.scenario.head("hockeystick.solve/1"),
            aim,
            of,
            unit,
            paths,
            units,
            points: self.goal.axes.iter().map(|axis| axis.axis.values.len() as u64).product(),
            metric: self.shown.name,
            answer: answer.map(|point| Answer {
                at: self.tried[point].at.clone(),
                value: self.tried[point].value,
                point,
            }),
            text: String::new(),
            assumptions: told::assumptions(&self.goal.axes, &self.doubts),
            frontier: frontier(&self.tried, self.goal.aim),
            tried: self.tried,
            checks: self.checks,
            complete: self.stopped.is_none(),
            notes: self.stopped.into_iter().collect(),
            theory,
        };
        if self.goal.open {
            report.points = report.tried.len() as u64;
        }
        report.text = told::answer(&report);
        report.notes.extend(told::notes(&report, self.scenario.expectations()));
        report
    }

    /// The closed form along a load that is maximized.
    fn theory(&self) -> Vec<TheoryCurve> {
        let [axis] = self.goal.axes.as_slice() else { return Vec::new() };
        if traffic_of(&axis.axis.path).is_none() {
            return Vec::new();
        }
        let numbers: Vec<f64> = self.tried.iter().map(|point| point.value).collect();
        let named = (axis.axis.path.as_str(), axis.axis.unit.as_str());
        sweep::curves(&setup::between(self.lab.source, self.lab.overrides, named, &numbers))
    }
}

/// Of the points that hold, those of which none is both better and lower in the metric, best first.
fn frontier(tried: &[TriedPoint], aim: Aim) -> Vec<usize> {
    let metric = |point: usize| tried[point].metric.map_or(f64::INFINITY, |e: E| e.value);
    let sign = if aim == Aim::Minimize { 1.0 } else { -1.0 };
    let mut holding: Vec<usize> =
        (0..tried.len()).filter(|point| tried[*point].verdict == Met::Met).collect();
    holding.sort_by(|a, b| {
        let values = (sign * tried[*a].value).total_cmp(&(sign * tried[*b].value));
        values.then(metric(*a).total_cmp(&metric(*b)))
    });
    let mut lowest = f64::INFINITY;
    holding.retain(|point| {
        let lower = metric(*point) < lowest;
        lowest = lowest.min(metric(*point));
        lower
    });
    holding
}

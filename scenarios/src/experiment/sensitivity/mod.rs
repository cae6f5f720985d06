//! Which paths move a metric most.
//!
//! Trajectory number t runs on replication number t at each of its points, so that what is compared meets the same
//! arrivals and the same needs, and what the trajectories say is independent: the intervals are over them. What leads
//! is then run at both ends of its range with all other paths as they stand, for the picture that everybody knows.

mod morris;
mod paths;
#[cfg(test)]
mod tests;

use sim_core::CancelFlag;

use self::morris::{Effect, LEVELS, Trajectory};
use self::paths::{Factor, Factors, Finder, MOST};
use super::estimate::Observed;
use super::gather::{Case, Gathered, Progress, Simulate, gather_each};
use super::run::{BrokenLaws, Options, Plan, Prepared, lawful};
use super::steps::Steps;
use crate::metric::Metric;
use crate::results::{E, PathEffect, SensitivityReport};
use crate::{Diagnostics, Override, Scenario, Source};

/// How many of the leading paths are run at both ends of their ranges.
const LEADING: usize = 10;
/// How often a trajectory that leads to a point which does not hold together is drawn anew.
const TRIES: u32 = 50;

/// Why paths were not ranked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unranked {
    /// The scenario does not say which metric is to be moved.
    #[error("the scenario has no `sensitivity`")]
    NotAsked,
    /// Nothing can be moved.
    #[error("no number of the model can be moved")]
    NothingMoves,
    /// There are too many numbers to move all of them.
    #[error("the model has {0} numbers, and at most {MOST} are moved unless they are chosen")]
    TooMany(usize),
    /// A point does not hold together.
    #[error(transparent)]
    Wrong(#[from] Diagnostics),
    /// A run broke a law of its own.
    #[error(transparent)]
    Broken(#[from] BrokenLaws),
}

/// Ranks the paths that the scenario's `sensitivity` speaks of, on rayon's current threads.
///
/// There are as many trajectories as the scenario has replications. The figures are the same bytes on any number of
/// threads. Once `cancel` is raised, what is known is reported with `complete: false`.
///
/// # Errors
///
/// When the scenario asks for nothing, nothing can be moved, or a run broke a law of its own.
pub fn sensitivity(
    source: &Source,
    overrides: &[Override],
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<SensitivityReport, Unranked> {
    sensitivity_with(source, overrides, &super::engine, progress, cancel)
}

pub(crate) fn sensitivity_with(
    source: &Source,
    overrides: &[Override],
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Result<SensitivityReport, Unranked> {
    let (scenario, _) = Scenario::load(source, overrides)?;
    let screening = scenario.screening().ok_or(Unranked::NotAsked)?;
    let uncertain = &scenario.uncertain().inputs;
    let Factors { factors, left_out } =
        Finder { source, overrides, screening, uncertain }.find().map_err(Unranked::TooMany)?;
    if factors.is_empty() {
        return Err(Unranked::NothingMoves);
    }
    let steps = Steps::new(progress);
    let plan = Plan::of(&scenario);
    let base = Prepared::new(&plan, None, simulate, &steps, cancel);
    let metric = &screening.metric;
    let lab = Lab { source, overrides, metric, base: &base, simulate, progress: &steps, cancel };
    let mut ranking = lab.screen(plan, &factors)?;
    lab.lead(&mut ranking, &factors)?;
    let Ranking { base, paths, trajectories, points, complete, mut notes } = ranking;
    notes.extend(scenario.uncertain().remark());
    Ok(SensitivityReport {
        head: scenario.head("hockeystick.sensitivity/1"),
        metric: metric.name.clone(),
        base,
        trajectories,
        points,
        paths,
        left_out,
        complete,
        notes,
    })
}

/// What is known of the paths.
struct Ranking {
    /// The metric of the scenario as it stands.
    base: Option<E>,
    /// Those that move the metric most first.
    paths: Vec<PathEffect>,
    trajectories: u32,
    /// Points that were run.
    points: u64,
    complete: bool,
    notes: Vec<String>,
}

fn strength(path: &PathEffect) -> f64 {
    path.mu_star.map_or(-1.0, |e| e.value)
}

fn told(factor: &Factor, effect: Option<Effect>) -> PathEffect {
    PathEffect {
        path: factor.axis.path.clone(),
        unit: factor.unit.clone(),
        at: factor.at,
        from: factor.number(0),
        to: factor.number(LEVELS - 1),
        mu_star: effect.map(|effect| effect.mu_star),
        mu: effect.map(|effect| effect.mu),
        sigma: effect.and_then(|effect| effect.sigma),
        low: None,
        high: None,
    }
}

/// A point, and on which replications it is run.
struct Point {
    plan: Plan,
    first: u32,
    replications: u32,
}

/// What a point has shown.
#[derive(Clone, Debug, Default)]
struct Seen {
    metric: Option<E>,
    complete: bool,
    /// What has no steady state there.
    notes: Vec<String>,
}

/// Where points are made and run.
struct Lab<'a> {
    source: &'a Source,
    overrides: &'a [Override],
    metric: &'a Metric,
    /// The scenario as it stands.
    base: &'a Prepared,
    simulate: &'a Simulate<'a>,
    progress: &'a Steps<'a>,
    cancel: &'a CancelFlag,
}

impl Lab<'_> {
    /// Runs the scenario as it stands and as many trajectories as it has replications.
    fn screen(&self, plan: Plan, factors: &[Factor]) -> Result<Ranking, Unranked> {
        let drawn = self.trajectories(factors, plan.seed, plan.replications.at_least)?;
        let (trajectories, plans): (Vec<Trajectory>, Vec<Vec<Plan>>) = drawn.into_iter().unzip();
        let mut points = vec![self.point(plan)];
        for (first, plans) in (0..).zip(plans) {
            points.extend(plans.into_iter().map(|plan| Point { first, replications: 1, ..self.point(plan) }));
        }
        let seen = self.run(&points, "trajectories")?;
        let complete = seen.iter().all(|seen| seen.complete);
        let values: Vec<Option<f64>> = seen.iter().map(|seen| seen.metric.map(|e| e.value)).collect();
        let mut effects = vec![Vec::new(); factors.len()];
        for (trajectory, values) in trajectories.iter().zip(values[1..].chunks(factors.len() + 1)) {
            let each = trajectory.effects(values, |path, level| factors[path].number(level));
            for (all, effect) in effects.iter_mut().zip(each) {
                all.extend(effect);
            }
        }
        let effects = effects.iter().map(|effects| Effect::of(effects));
        let mut paths: Vec<PathEffect> =
            factors.iter().zip(effects).map(|(factor, effect)| told(factor, effect)).collect();
        paths.sort_by(|a, b| strength(b).total_cmp(&strength(a)).then_with(|| a.path.cmp(&b.path)));
        let Seen { metric: base, notes, .. } = seen[0].clone();
        let count = (trajectories.len() as u32, points.len() as u64);
        Ok(Ranking { base, paths, trajectories: count.0, points: count.1, complete, notes })
    }

    /// Runs the leading paths at both ends of their ranges, all others as they stand.
    fn lead(&self, ranking: &mut Ranking, factors: &[Factor]) -> Result<(), Unranked> {
        let leading = ranking.paths.iter().take(LEADING).filter(|path| strength(path) > 0.0);
        let leading: Vec<&Factor> =
            leading.filter_map(|path| factors.iter().find(|factor| factor.axis.path == path.path)).collect();
        let ends = self.ends(&leading)?;
        ranking.points += ends.len() as u64;
        for (path, ends) in ranking.paths.iter_mut().zip(self.run(&ends, "the leading paths")?.chunks(2)) {
            (path.low, path.high) = (ends[0].metric, ends[1].metric);
            ranking.complete &= ends.iter().all(|end| end.complete);
            for (end, seen) in ["start", "end"].iter().zip(ends) {
                let at = format!("at the {end} of the range of `{}`", path.path);
                ranking.notes.extend(seen.notes.iter().map(|note| format!("{at}: {note}")));
            }
        }
        Ok(())
    }

    /// What is run with some paths at some of their levels.
    fn plan<'f>(&self, levels: impl IntoIterator<Item = (&'f Factor, usize)>) -> Result<Plan, Diagnostics> {
        let moved = levels.into_iter().map(|(factor, level)| factor.axis.override_at(level));
        let all: Vec<Override> = self.overrides.iter().cloned().chain(moved).collect();
        Scenario::load(self.source, &all).map(|(scenario, _)| Plan::of(&scenario))
    }

    /// So many trajectories whose points all hold together: a range may reach where another one forbids it.
    fn trajectories(
        &self,
        factors: &[Factor],
        seed: u64,
        count: u32,
    ) -> Result<Vec<(Trajectory, Vec<Plan>)>, Diagnostics> {
        let names: Vec<&str> = factors.iter().map(|factor| factor.axis.path.as_str()).collect();
        let mut found = Vec::new();
        let mut number = 0;
        while found.len() < count as usize {
            let trajectory = Trajectory::draw(&names, seed, number);
            let points = trajectory.points();
            let plans = points.iter().map(|levels| self.plan(factors.iter().zip(levels.iter().copied())));
            match plans.collect() {
                Ok(plans) => found.push((trajectory, plans)),
                Err(mistakes) if number >= TRIES * count => return Err(mistakes),
                Err(_) => {}
            }
            number += 1;
        }
        Ok(found)
    }

    /// Each of the paths at both of its ends, all others as they stand.
    fn ends(&self, leading: &[&Factor]) -> Result<Vec<Point>, Diagnostics> {
        let ends = leading.iter().flat_map(|factor| [(*factor, 0), (*factor, LEVELS - 1)]);
        ends.map(|end| self.plan([end]).map(|plan| self.point(plan))).collect()
    }

    /// A point on all replications of the scenario.
    fn point(&self, mut plan: Plan) -> Point {
        plan.auto_warmup = false; // What the scenario itself needs is cut off everywhere.
        plan.blueprint.warmup = self.base.case.blueprint.warmup;
        Point { first: 0, replications: plan.replications.at_least, plan }
    }

    fn run(&self, points: &[Point], what: &str) -> Result<Vec<Seen>, BrokenLaws> {
        self.progress.expect(0, 0, what);
        self.progress.begin();
        let prepared: Vec<Prepared> = points.iter().map(|point| self.prepare(point)).collect();
        let cases: Vec<Case> = prepared.iter().map(|prepared| prepared.case.clone()).collect();
        let mut seen: Vec<Result<Seen, BrokenLaws>> = vec![Ok(Seen::default()); points.len()];
        let wanted = |number: usize, _: &Gathered| points[number].replications;
        let finish = |number: usize, gathered: Gathered| {
            seen[number] = self.see(&points[number], &prepared[number], &gathered);
        };
        gather_each(&cases, self.simulate, self.progress, self.cancel, wanted, finish);
        seen.into_iter().collect()
    }

    fn prepare(&self, point: &Point) -> Prepared {
        let prepared = Prepared::new(&point.plan, None, self.simulate, self.progress, self.cancel);
        prepared.with(|case| case.beginning_with(point.first).looking_at(self.metric.window))
    }

    fn see(&self, point: &Point, prepared: &Prepared, gathered: &Gathered) -> Result<Seen, BrokenLaws> {
        if gathered.samples.is_empty() {
            return Ok(Seen::default());
        }
        let report = lawful(prepared.report(&point.plan, gathered, Options::default()))?;
        let observed = Observed::of(self.metric, &prepared.case, gathered);
        Ok(Seen {
            metric: observed.map(|observed| observed.estimate()),
            complete: gathered.complete(),
            notes: report.growth.into_iter().map(|growth| growth.text).chain(report.deadlock).collect(),
        })
    }
}

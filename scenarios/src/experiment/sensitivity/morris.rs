//! Morris screening: what one path does to a metric, at random places of all others.
//!
//! Every path is cut into four levels. A trajectory starts at a random one of each and then moves one path after the
//! other by two levels, once each; the change of the metric over the change of the path is its elementary effect there.
//! With k paths, k + 1 points give an effect of every one of them.
//!
//! Source: Morris, *Factorial Sampling Plans for Preliminary Computational Experiments*, Technometrics 33(2), 1991; the
//! mean of absolute effects is from Campolongo, Cariboni and Saltelli, *An effective screening design for sensitivity
//! analysis of large models*, Environmental Modelling & Software 22(10), 2007.

use sim_core::{Estimate, Stream};

use crate::experiment::estimate::variance;
use crate::results::E;

/// Levels of a path, its two ends included.
pub(crate) const LEVELS: usize = 4;
/// Levels by which a path is moved. With half of them, every level is equally likely before and after.
const STRIDE: usize = LEVELS / 2;

/// A way through the levels on which every path is moved once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trajectory {
    /// The level of every path where it starts.
    start: Vec<usize>,
    /// The paths in the order in which they are moved.
    order: Vec<usize>,
}

impl Trajectory {
    /// Trajectory `number` of these paths.
    ///
    /// What is drawn for a path depends on nothing but itself: another path beside it changes neither its levels nor
    /// its place among the others.
    pub(crate) fn draw(paths: &[&str], seed: u64, number: u32) -> Self {
        let draws = |path: &str, purpose: &str| Stream::new(seed, number, path, purpose);
        let start = paths.iter().map(|path| draws(path, "level").below(LEVELS as u32) as usize).collect();
        let mut order: Vec<usize> = (0..paths.len()).collect();
        order.sort_by_cached_key(|path| draws(paths[*path], "turn").next_u64());
        Self { start, order }
    }

    /// The levels of all paths at each of its points.
    pub(crate) fn points(&self) -> Vec<Vec<usize>> {
        let mut levels = self.start.clone();
        let mut points = vec![levels.clone()];
        for path in &self.order {
            levels[*path] = moved(levels[*path]);
            points.push(levels.clone());
        }
        points
    }

    /// By path: its effect for a move from its first level to its last, given the metric at each point and the number
    /// that a level of a path stands for. None where one of the two points has nothing to say.
    pub(crate) fn effects(
        &self,
        metric: &[Option<f64>],
        number: impl Fn(usize, usize) -> f64,
    ) -> Vec<Option<f64>> {
        let mut effects = vec![None; self.start.len()];
        for (step, path) in self.order.iter().enumerate() {
            let (before, after) = (self.start[*path], moved(self.start[*path]));
            let pace = (number(*path, LEVELS - 1) - number(*path, 0))
                / (number(*path, after) - number(*path, before));
            effects[*path] =
                metric[step].zip(metric[step + 1]).map(|(before, after)| (after - before) * pace + 0.0);
        }
        effects
    }
}

fn moved(level: usize) -> usize {
    if level < STRIDE { level + STRIDE } else { level - STRIDE }
}

/// What the elementary effects of a path come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effect {
    /// Mean of their absolute values.
    pub(crate) mu_star: E,
    /// Mean.
    pub(crate) mu: E,
    /// Standard deviation.
    pub(crate) sigma: Option<f64>,
}

impl Effect {
    /// None where there is no effect to tell of.
    pub(crate) fn of(effects: &[f64]) -> Option<Self> {
        let absolute: Vec<f64> = effects.iter().map(|effect| effect.abs()).collect();
        let mu_star = mean(&absolute)?;
        Some(Self {
            mu_star: E { lo: mu_star.lo.map(|lo| lo.max(0.0)), ..mu_star },
            mu: mean(effects)?,
            sigma: variance(effects).map(f64::sqrt),
        })
    }
}

/// The mean of independent values with its interval.
fn mean(values: &[f64]) -> Option<E> {
    let value = values.iter().sum::<f64>() / values.len() as f64;
    let (lo, hi) = Estimate::from_samples(values).map(|e| (e.lo, e.hi)).unzip();
    (!values.is_empty()).then_some(E { value, lo, hi })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 3] = ["a", "b", "c"];
    /// Ends of three paths.
    const ENDS: [(f64, f64); 3] = [(0.0, 3.0), (10.0, 40.0), (-1.0, 1.0)];

    fn number(path: usize, level: usize) -> f64 {
        let (from, to) = ENDS[path];
        from + (to - from) * level as f64 / (LEVELS - 1) as f64
    }

    /// By path: the effects of 20 trajectories on a function of the paths' numbers.
    fn effects(f: impl Fn(f64, f64, f64) -> f64) -> [Vec<f64>; 3] {
        let mut all = [const { Vec::new() }; 3];
        for t in 0..20 {
            let trajectory = Trajectory::draw(&PATHS, 1, t);
            let at = |levels: &Vec<usize>| {
                Some(f(number(0, levels[0]), number(1, levels[1]), number(2, levels[2])))
            };
            let metric: Vec<Option<f64>> = trajectory.points().iter().map(at).collect();
            for (all, effect) in all.iter_mut().zip(trajectory.effects(&metric, number)) {
                all.push(effect.unwrap());
            }
        }
        all
    }

    /// Of 2a - b, every effect of a is 2 * 3, every one of b is -30, and c has none.
    #[test]
    fn effects_of_a_plane_are_its_slopes() {
        let [a, b, c] = effects(|a, b, _| 2.0 * a - b).map(|effects| Effect::of(&effects).unwrap());
        assert!((a.mu.value - 6.0).abs() < 1e-9 && (a.mu_star.value - 6.0).abs() < 1e-9, "{a:?}");
        assert!((b.mu.value + 30.0).abs() < 1e-9 && (b.mu_star.value - 30.0).abs() < 1e-9, "{b:?}");
        assert!(a.sigma.unwrap() < 1e-9 && b.sigma.unwrap() < 1e-9);
        assert_eq!((c.mu_star.value, c.mu.value, c.sigma), (0.0, 0.0, Some(0.0)));
        assert_eq!((c.mu_star.lo, c.mu_star.hi), (Some(0.0), Some(0.0)));
    }

    /// Of a * c with c at -1, -1/3, 1/3 or 1, an effect of a is 3c: its mean is 0, that of its absolute value 2.
    #[test]
    fn what_turns_around_has_a_strength_and_no_direction() {
        let [a, ..] = effects(|a, _, c| a * c);
        assert!(
            a.iter().all(|effect| [1.0, 3.0].iter().any(|size| (effect.abs() - size).abs() < 1e-9)),
            "{a:?}"
        );
        let a = Effect::of(&a).unwrap();
        assert!(a.mu_star.lo.unwrap() < 2.0 && 2.0 < a.mu_star.hi.unwrap(), "{a:?}");
        assert!(a.mu.lo.unwrap() < 0.0 && 0.0 < a.mu.hi.unwrap(), "{a:?}");
        assert!(a.sigma.unwrap() > 1.5, "{a:?}");
    }

    #[test]
    fn a_trajectory_moves_every_path_once_by_half_of_its_levels() {
        let trajectory = Trajectory::draw(&PATHS, 7, 3);
        let points = trajectory.points();
        assert_eq!(points.len(), 4);
        for pair in points.windows(2) {
            let moved: Vec<usize> = (0..3).filter(|path| pair[0][*path] != pair[1][*path]).collect();
            assert_eq!(moved.len(), 1, "{points:?}");
            assert_eq!(pair[0][moved[0]].abs_diff(pair[1][moved[0]]), 2);
        }
        assert!((0..3).all(|path| points[0][path] != points[3][path]), "{points:?}");
    }

    /// What is measured of a path does not change when another one is measured too.
    #[test]
    fn another_path_changes_no_level() {
        for t in 0..10 {
            let (few, many) = (Trajectory::draw(&["a", "c"], 1, t), Trajectory::draw(&PATHS, 1, t));
            assert_eq!(few.start, [many.start[0], many.start[2]]);
            let order: Vec<usize> =
                many.order.iter().filter(|path| **path != 1).map(|path| path / 2).collect();
            assert_eq!(few.order, order);
        }
    }
}

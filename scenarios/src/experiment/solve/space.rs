//! The points between which an answer is looked for: values of paths, what they come to, and the lattice of them.

use std::collections::BTreeMap;

use super::lattice::Lattice;
use crate::Override;
use crate::goal::{Aim, GoalAxis, Measure};
use crate::sweep::tidy;

/// The values that the paths may take, and what is known of their combinations.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    axes: Vec<GoalAxis>,
    of: Measure,
    pub(crate) lattice: Lattice,
}

impl Space {
    pub(crate) fn new(axes: Vec<GoalAxis>, of: &Measure, aim: Aim) -> Self {
        let sizes: Vec<usize> = axes.iter().map(|axis| axis.axis.values.len()).collect();
        let key = |positions: &[usize]| {
            let amounts = amounts(&axes, positions);
            let value = value(&axes, of, &amounts);
            // Of equals, the one that has less of everything.
            (Ordered(if aim == Aim::Minimize { value } else { -value }), amounts)
        };
        let lattice = Lattice::new(&sizes, key);
        Self { of: of.clone(), lattice, axes }
    }

    /// The values at a point, in base units.
    pub(crate) fn at(&self, point: usize) -> BTreeMap<String, f64> {
        self.each(point)
            .map(|(axis, amount)| (axis.axis.path.clone(), axis.axis.values[amount].number))
            .collect()
    }

    /// The changes that lead to a point.
    pub(crate) fn overrides(&self, point: usize) -> Vec<Override> {
        self.each(point).map(|(axis, amount)| axis.axis.override_at(amount)).collect()
    }

    /// What a point comes to.
    pub(crate) fn value(&self, point: usize) -> f64 {
        value(&self.axes, &self.of, &amounts(&self.axes, &self.lattice.positions(point)))
    }

    /// The point at these values; none where one of them is not among those of its path.
    pub(crate) fn point(&self, at: &BTreeMap<String, f64>) -> Option<usize> {
        let position = |axis: &GoalAxis| {
            let wanted = at.get(&axis.axis.path)?;
            let amount = axis.axis.values.iter().position(|value| value.number.total_cmp(wanted).is_eq())?;
            Some(turned(axis, amount))
        };
        let positions: Option<Vec<usize>> = self.axes.iter().map(position).collect();
        positions.map(|positions| self.lattice.point(&positions))
    }

    fn each(&self, point: usize) -> impl Iterator<Item = (&GoalAxis, usize)> {
        self.axes.iter().zip(amounts(&self.axes, &self.lattice.positions(point)))
    }
}

/// What a point comes to, by the numbers of its values.
fn value(axes: &[GoalAxis], of: &Measure, amounts: &[usize]) -> f64 {
    let number = |axis: usize| axes[axis].axis.values[amounts[axis]].number;
    match of {
        Measure::Path(sought) => number(*sought),
        Measure::Cost { rest, .. } => {
            tidy(rest + (0..axes.len()).map(|axis| axes[axis].price * number(axis)).sum::<f64>())
        }
    }
}

/// By axis: the number of the value, smallest first, at positions that begin with the hardest.
fn amounts(axes: &[GoalAxis], positions: &[usize]) -> Vec<usize> {
    axes.iter().zip(positions).map(|(axis, position)| turned(axis, *position)).collect()
}

/// From the number of a value to its position, and back.
fn turned(axis: &GoalAxis, number: usize) -> usize {
    if axis.more_is_easier { number } else { axis.axis.values.len() - 1 - number }
}

/// A number that can be sorted.
#[derive(Clone, Copy, Debug)]
struct Ordered(f64);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

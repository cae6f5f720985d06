//! What `solve` is to find.

use crate::sweep::Axis;

/// What is to be found, among which points, with how much effort.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Whether it is to be as little or as much as possible.
    pub aim: Aim,
    /// Of what.
    pub of: Measure,
    /// What may change.
    pub axes: Vec<GoalAxis>,
    /// Whether the values of the only path are to be found by doubling the one that it has.
    pub open: bool,
    /// Most replications of a point.
    pub replications: u32,
    /// Most points that are tried.
    pub points: u32,
}

/// Whether something is to be as little or as much as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// As little.
    Minimize,
    /// As much.
    Maximize,
}

/// What is to be as little or as much as possible.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// The value of a path: which of the axes.
    Path(usize),
    /// What the replicas and the priced units cost in an hour.
    Cost {
        /// Of replicas that no path changes.
        rest: f64,
        /// `USD`.
        currency: String,
    },
}

/// A path that may change.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalAxis {
    /// The path and its values, ascending.
    pub axis: Axis,
    /// Whether more of it is taken to make it easier to meet what is expected.
    pub more_is_easier: bool,
    /// What one more costs in an hour.
    pub price: f64,
}

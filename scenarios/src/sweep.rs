//! What a sweep varies: paths and the values that they take.

use crate::tree::{Assignment, Node, Override, Place};

/// A path and the values that it takes one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The path.
    pub path: String,
    /// The values.
    pub values: Vec<AxisValue>,
    /// Unit of the numbers for labels: `/s`, `s`, `B`, `users`, or empty.
    pub unit: String,
    pub(crate) place: Place,
}

/// A value that a sweep gives to a path.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisValue {
    /// As it would be written: `62.5/s`.
    pub text: String,
    /// In base units: per second, seconds, a fraction, plain.
    pub number: f64,
    pub(crate) node: Node,
}

impl Axis {
    /// The change that puts value number `index` in place.
    ///
    /// # Panics
    ///
    /// When there are not as many values.
    pub fn override_at(&self, index: usize) -> Override {
        let assignment =
            Assignment { path: self.path.clone(), place: self.place, value: self.values[index].node.clone() };
        Override { assignment, text: None }
    }
}

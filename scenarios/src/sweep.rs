//! What a sweep varies: paths and the values that they take.

use crate::spec::any_quantity;
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

impl AxisValue {
    /// The value of a number in base units, written in a unit of this size and name.
    pub(crate) fn written(number: f64, (size, suffix): (f64, &str), place: Place) -> Self {
        let text = format!("{}{suffix}", tidy(number / size));
        let mut node = Node::plain(&text, place);
        node.label = place;
        Self { text, number, node }
    }
}

impl Axis {
    /// The same path with other values, in the same unit.
    pub(crate) fn with(&self, numbers: impl IntoIterator<Item = f64>) -> Self {
        let kind =
            self.values.first().and_then(|value| any_quantity(&value.node)).map_or("", |(kind, _)| kind);
        let unit = base_unit(kind);
        let values = numbers.into_iter().map(|number| AxisValue::written(number, unit, self.place)).collect();
        Self { values, ..self.clone() }
    }

    /// A number written like the last of its values: the unit of a quota is its period.
    pub(crate) fn like(&self, number: f64) -> AxisValue {
        let unit = match self.values.last().map(|value| (value, any_quantity(&value.node))) {
            None | Some((_, None | Some(("", _)))) => base_unit(""),
            Some((value, Some(_))) => unit_in(&value.node, value.number),
        };
        AxisValue::written(number, unit, self.place)
    }

    /// Whether its values are whole numbers, as counts are.
    pub(crate) fn is_whole(&self) -> bool {
        let whole = |value: &AxisValue| matches!(any_quantity(&value.node), Some(("", number)) if number.fract() == 0.0);
        self.values.iter().all(whole)
    }
}

/// Size and name of the base unit of a kind of quantity.
pub(crate) fn base_unit(kind: &str) -> (f64, &'static str) {
    match kind {
        "s" => (1.0, "s"),
        "/s" => (1.0, "/s"),
        "%" => (0.01, "%"),
        "B" => (1.0, "B"),
        _ => (1.0, ""),
    }
}

/// Size and name of the unit in which a number is written.
pub(crate) fn unit_in(node: &Node, number: f64) -> (f64, &str) {
    let text = node.text().unwrap_or_default().trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || ".+-".contains(c))).unwrap_or(text.len());
    match text[..digits].parse::<f64>() {
        // `1e6` and `1h30m` do not end with their unit; they are rare enough for base units.
        Ok(written) if written != 0.0 && !text[digits..].starts_with(['e', 'E']) => {
            let suffix = &text[digits..];
            if suffix.bytes().any(|b| b.is_ascii_digit()) {
                base_unit_of(node)
            } else {
                (number / written, suffix)
            }
        }
        _ => base_unit_of(node),
    }
}

fn base_unit_of(node: &Node) -> (f64, &'static str) {
    base_unit(any_quantity(node).map_or("", |(kind, _)| kind))
}

/// The number without the noise of binary fractions: twelve digits.
pub(crate) fn tidy(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

/// The traffic whose load a path scales; none where it scales none.
pub(crate) fn traffic_of(path: &str) -> Option<&str> {
    match path.split('.').collect::<Vec<_>>().as_slice() {
        ["traffic", name, "rate" | "users"] => Some(name),
        _ => None,
    }
}

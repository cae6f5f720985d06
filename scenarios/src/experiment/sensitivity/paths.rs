//! Which paths are moved, and how far.

use super::morris::LEVELS;
use crate::check::single;
use crate::results::LeftOut;
use crate::screening::Screening;
use crate::spec::{MODEL, Sink, any_quantity};
use crate::sweep::{Axis, AxisValue, tidy};
use crate::tree::{Node, Value, find};
use crate::uncertain::{Input, settle};
use crate::{Override, Scenario, Source};

/// Most numbers of a model that are moved unless they are chosen: every one of them is a run in every trajectory.
pub(crate) const MOST: usize = 200;

/// A path that is moved.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// The path and its levels, smallest first.
    pub(crate) axis: Axis,
    /// The unit of its numbers for labels; of shares too.
    pub(crate) unit: String,
    /// Its number as the scenario stands, if that says one.
    pub(crate) at: Option<f64>,
}

impl Factor {
    /// The number of a level.
    pub(crate) fn number(&self, level: usize) -> f64 {
        self.axis.values[level].number
    }
}

/// What is moved, and what is not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Factors {
    pub(crate) factors: Vec<Factor>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// Finds them in a scenario.
pub(crate) struct Finder<'a> {
    pub(crate) source: &'a Source,
    pub(crate) overrides: &'a [Override],
    pub(crate) screening: &'a Screening,
    /// Inputs that are not known exactly.
    pub(crate) uncertain: &'a [Input],
}

impl Finder<'_> {
    /// What is moved, and what is not.
    ///
    /// # Errors
    ///
    /// When there are too many numbers: how many.
    pub(crate) fn find(&self) -> Result<Factors, usize> {
        let mut tree = self.source.tree_with(self.overrides);
        settle(&mut tree, &mut Sink::default());
        let mut found = Factors::default();
        if let Some(over) = &self.screening.over {
            for axis in over {
                let at = find(&tree, &axis.path).and_then(any_quantity).map(|(_, number)| number);
                found.factors.push(self.between(axis, at));
            }
            return Ok(found);
        }
        let mut numbers: Vec<(String, &Node)> = Vec::new();
        for section in MODEL {
            let Some(node) = tree.get(section) else { continue };
            each_number(section, node, &mut numbers);
        }
        if numbers.len() > MOST {
            return Err(numbers.len());
        }
        for (path, node) in numbers {
            self.by_range(&path, node, &mut found);
        }
        Ok(found)
    }

    /// A path that is moved from one given end to the other.
    fn between(&self, ends: &Axis, at: Option<f64>) -> Factor {
        let (from, to) = (ends.values[0].number, ends.values[1].number);
        factor(ends, at, (from, to), self.is_whole(ends, from))
    }

    /// A number of the model, moved by the usual range; to one side only where the other does not hold together. What
    /// is uncertain is moved through what it may be.
    fn by_range(&self, path: &str, node: &Node, found: &mut Factors) {
        let Some(axis) = single(path, node.place, node) else { return };
        let at = axis.values[0].number;
        let known = self.uncertain.iter().find(|input| input.path == path);
        if let Some(ends) = known.and_then(Input::ends) {
            found.factors.push(self.between(ends, Some(at)));
            return;
        }
        if at <= 0.0 {
            return; // A share of nothing is nothing.
        }
        let whole = self.is_whole(&axis, at);
        let step = self.screening.range * at;
        let step = if whole { step.round().max(1.0) } else { step };
        // No share of a whole is more than all of it, though some that look like one may be.
        let most = if is_share(&axis) && at <= 1.0 { 1.0 } else { f64::INFINITY };
        let ends = [at - step, (at + step).min(most)].map(tidy);
        let [below, above] = ends.map(|end| self.mistake(&written(&axis, end)));
        let moved = |from: f64, to: f64| factor(&axis, Some(at), (from, to), whole);
        match (below, above) {
            (None, None) => found.factors.push(moved(ends[0], ends[1])),
            (None, Some(_)) => found.factors.push(moved(ends[0], at)),
            (Some(_), None) if ends[1] > at => found.factors.push(moved(at, ends[1])),
            (Some(why), _) => found.left_out.push(LeftOut { path: path.to_owned(), why }),
        }
    }

    /// Whether the path counts something: there is no half of it.
    fn is_whole(&self, axis: &Axis, number: f64) -> bool {
        axis.is_whole() && self.mistake(&written(axis, number.floor() + 0.5)).is_some()
    }

    /// What is wrong with the scenario when the path has its first value.
    fn mistake(&self, axis: &Axis) -> Option<String> {
        let mut all = self.overrides.to_vec();
        all.push(axis.override_at(0));
        let mistakes = Scenario::load(self.source, &all).err()?;
        mistakes.list().first().map(|mistake| mistake.message.clone())
    }
}

/// A path and its levels.
fn factor(axis: &Axis, at: Option<f64>, (from, to): (f64, f64), whole: bool) -> Factor {
    let level = |level: usize| {
        let number = from + (to - from) * level as f64 / (LEVELS - 1) as f64;
        if whole { number.round() } else { tidy(number) }
    };
    let values: Vec<AxisValue> = (0..LEVELS).map(|at| axis.like(level(at))).collect();
    let unit = if is_share(axis) { "%".to_owned() } else { axis.unit.clone() };
    Factor { axis: Axis { values, ..axis.clone() }, unit, at }
}

fn is_share(axis: &Axis) -> bool {
    any_quantity(&axis.values[0].node).is_some_and(|(kind, _)| kind == "%")
}

/// The path with one value.
fn written(axis: &Axis, number: f64) -> Axis {
    Axis { values: vec![axis.like(number)], ..axis.clone() }
}

/// Adds every number below a node with its path.
fn each_number<'n>(path: &str, node: &'n Node, numbers: &mut Vec<(String, &'n Node)>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                each_number(&format!("{path}.{}", entry.key), &entry.node, numbers);
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                each_number(&format!("{path}.{at}"), item, numbers);
            }
        }
        _ if any_quantity(node).is_some() => numbers.push((path.to_owned(), node)),
        _ => {}
    }
}

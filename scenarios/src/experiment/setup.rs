//! From a scenario to what an experiment runs.

use std::collections::BTreeMap;

use models::blueprint::Blueprint;

use super::precision::Replications;
use super::report::Heading;
use super::run::Plan;
use super::sweep::{Grid, Point};
use super::uncertainty::Drawn;
use crate::tree::{Assignment, Node, Place};
use crate::{Diagnostics, Override, Scenario, Source, Warmup};

/// Most replications that a precision asks for by itself.
const AT_MOST: u32 = 200;

impl Plan {
    /// What `run` does with the scenario as it stands.
    pub fn of(scenario: &Scenario) -> Self {
        let at_least = scenario.replications();
        Self {
            blueprint: scenario.compile(),
            seed: scenario.seed(),
            auto_warmup: scenario.warmup() == Warmup::Auto,
            replications: Replications {
                at_least,
                until: scenario.precision().into(),
                at_most: at_least.max(AT_MOST),
            },
            expectations: scenario.expectations().to_vec(),
            outcome: scenario.outcome().cloned(),
            heading: Heading {
                about: scenario.about().map(str::to_owned),
                variant: None,
                not_drawn: scenario.uncertain().remark(),
            },
            drawn: None,
        }
    }

    /// The same, at the points at which its uncertain inputs are drawn, if there are any.
    ///
    /// # Errors
    ///
    /// When a point does not hold together.
    pub fn drawn(source: &Source, overrides: &[Override], scenario: &Scenario) -> Result<Self, Diagnostics> {
        Ok(Self { drawn: Drawn::of(source, overrides, scenario)?, ..Self::of(scenario) })
    }

    /// What `run` does with a variant of the scenario in `source`, after `overrides`.
    ///
    /// # Errors
    ///
    /// When the variant does not hold together.
    pub fn of_variant(source: &Source, overrides: &[Override], variant: &str) -> Result<Self, Diagnostics> {
        let mut all = source.variant_overrides(variant);
        all.extend_from_slice(overrides);
        let (scenario, _) = Scenario::load(source, &all)?;
        let mut plan = Self::of(&scenario);
        plan.heading.variant = Some(variant.to_owned());
        Ok(plan)
    }
}

/// Every variant of the scenario with its plan, in the order of the file.
///
/// # Errors
///
/// When one of them does not hold together.
pub fn variants(source: &Source, overrides: &[Override]) -> Result<Vec<(String, Plan)>, Diagnostics> {
    let names = source.variants().into_iter();
    names.map(|name| Plan::of_variant(source, overrides, &name).map(|plan| (name, plan))).collect()
}

impl Grid {
    /// The grid that the scenario's `sweep` describes, compiled point by point.
    ///
    /// The first axis is the one on the chart. When there are several, it varies fastest, so that each curve
    /// is complete before the next one is begun.
    ///
    /// # Errors
    ///
    /// When a point does not hold together.
    pub fn of(source: &Source, overrides: &[Override], scenario: &Scenario) -> Result<Self, Diagnostics> {
        let axes = scenario.axes();
        let count: usize =
            if axes.is_empty() { 0 } else { axes.iter().map(|axis| axis.values.len()).product() };
        let mut points = Vec::with_capacity(count);
        for number in 0..count {
            let mut rest = number;
            let mut all = overrides.to_vec();
            let mut at = BTreeMap::new();
            for axis in axes {
                let index = rest % axis.values.len();
                rest /= axis.values.len();
                all.push(axis.override_at(index));
                at.insert(axis.path.clone(), axis.values[index].number);
            }
            let (scenario, _) = Scenario::load(source, &all)?;
            points.push(Point { at, plan: Plan::of(&scenario) });
        }
        let axes = axes.iter();
        let named = axes.map(|axis| super::Axis { path: axis.path.clone(), unit: axis.unit.clone() });
        Ok(Self { axes: named.collect(), points, between: first_between(source, overrides, scenario) })
    }
}

/// The first path between its smallest and its largest value, the others at their first values.
fn first_between(source: &Source, overrides: &[Override], scenario: &Scenario) -> Vec<(f64, Blueprint)> {
    let Some((first, others)) = scenario.axes().split_first() else { return Vec::new() };
    let all: Vec<Override> =
        overrides.iter().cloned().chain(others.iter().map(|axis| axis.override_at(0))).collect();
    let numbers: Vec<f64> = first.values.iter().map(|value| value.number).collect();
    between(source, &all, (&first.path, &first.unit), &numbers)
}

/// The system at `FINE` values of a path between the smallest and the largest of `numbers`.
pub(crate) fn between(
    source: &Source,
    overrides: &[Override],
    (path, unit): (&str, &str),
    numbers: &[f64],
) -> Vec<(f64, Blueprint)> {
    let ends =
        (numbers.iter().copied().min_by(f64::total_cmp), numbers.iter().copied().max_by(f64::total_cmp));
    let (Some(from), Some(to)) = ends else { return Vec::new() };
    let mut values: Vec<f64> =
        (0..=FINE).map(|i| from + (to - from) * f64::from(i) / f64::from(FINE)).collect();
    let Some(unit) = written_unit(unit) else { return Vec::new() };
    if unit.is_empty() {
        for value in &mut values {
            *value = value.round();
        }
        values.dedup();
    }
    values
        .into_iter()
        .filter_map(|value| {
            let mut all = overrides.to_vec();
            all.push(set(path, &format!("{value}{unit}")));
            let (scenario, _) = Scenario::load(source, &all).ok()?;
            Some((value, scenario.compile()))
        })
        .collect()
}

/// Points of a theory curve.
const FINE: u32 = 200;

/// How a number with this unit is written; none where it is not known.
fn written_unit(unit: &str) -> Option<&str> {
    match unit {
        "/s" | "s" | "B" => Some(unit),
        "users" | "" => Some(""),
        _ => None,
    }
}

/// An override from within: its text is part of no file.
fn set(path: &str, text: &str) -> Override {
    let place = Place::default();
    let assignment = Assignment { path: path.to_owned(), place, value: Node::plain(text, place) };
    Override { assignment, text: None }
}

//! Events: what they change, as the difference between two blueprints.

use models::blueprint::{Blueprint, Change, Overlap, Patch, Row};
use sim_core::Span;

use super::{applied, overlaps, parts_of};
use crate::compile::compile;
use crate::diagnostic::Diagnostic;
use crate::scenario::{Disturbance, Happening, Parts};
use crate::spec::{EventSpec, MODEL, ScenarioSpec, Sink};
use crate::text::Source;
use crate::tree::{Assignment, Node, Place, assignments, print};
use crate::words::{did_you_mean, listed};

/// An event whose paths are in order.
pub(super) struct TimedEvent<'a> {
    happening: &'a Happening,
    /// What it sets.
    set: Option<&'a Node>,
    label: String,
}

/// The events, as far as they can be checked one by one.
pub(super) fn timed_events<'a>(
    spec: &'a ScenarioSpec,
    parts: &'a Parts,
    tree: &Node,
    sink: &mut Sink,
) -> Vec<TimedEvent<'a>> {
    let events = spec.events.as_ref().map(|events| events.items.as_slice()).unwrap_or_default();
    let happenings = events.iter().zip(&parts.happenings);
    happenings.filter_map(|(event, happening)| timed(event, happening, tree, sink)).collect()
}

fn timed<'a>(
    event: &'a EventSpec,
    happening: &'a Happening,
    tree: &Node,
    sink: &mut Sink,
) -> Option<TimedEvent<'a>> {
    let EventSpec::Set(event) = event else {
        return Some(TimedEvent { happening, set: None, label: happening.label.clone() });
    };
    let set = &event.set.0.as_ref()?.0;
    let mut labels = Vec::new();
    for assignment in assignments(set) {
        let section = assignment.path.split('.').next().unwrap_or_default();
        if !MODEL.contains(&section) {
            let help = did_you_mean(section, MODEL)
                .unwrap_or_else(|| format!("what can change begins with {}", listed(MODEL)));
            let message = format!("`{}` cannot change while the system runs", assignment.path);
            sink.report(Diagnostic::error(message).at(assignment.place).help(help));
            return None;
        }
        labels.push(format!("{}: {}", assignment.path, print(&assignment.value).trim_end()));
    }
    applied(tree, set, sink)?;
    Some(TimedEvent { happening, set: Some(set), label: labels.join(", ") })
}

/// What happens by the clock or on a condition, and what holds while several of them are in force that are about the
/// same.
pub(super) fn changes(
    tree: &Node,
    source: &Source,
    events: &[TimedEvent<'_>],
    parts: &Parts,
    sink: &mut Sink,
) -> (Vec<Change>, Vec<Overlap>) {
    if events.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let of = Base { tree, source, blueprint: compile(parts, Span::ZERO, []) };
    let mut all = Vec::new();
    let mut failures = of.blueprint.failures.iter();
    for event in events {
        let Happening { at, until, recurs, when, fault, disturbance, flush, .. } = event.happening.clone();
        let label = event.label.clone();
        let change = |patch| Change { at, until, patch, label, recurs, when, fault };
        if event.set.is_some() {
            all.extend(of.patch(&[event], sink).map(change));
            continue;
        }
        let rows = match disturbance {
            Some((link, Disturbance::Cut)) => vec![Row::Cut(link, true)],
            Some((link, Disturbance::Added(law))) => vec![Row::Added(link, Some(law))],
            Some((link, Disturbance::Lossy(loss))) => vec![Row::Lossy(link, loss)],
            None if flush.is_some() => flush.map(Row::Flush).into_iter().collect(),
            None if fault_is_none(event.happening) => {
                failures.next().map(|row| Row::Failing(row.service, Some(*row))).into_iter().collect()
            }
            None => Vec::new(),
        };
        all.push(change(Patch { rows }));
    }
    if sink.failed() {
        return (all, Vec::new());
    }
    let overlaps = overlaps::overlaps(&of, events, &mut all, sink);
    (all, overlaps)
}

/// What events change.
pub(super) struct Base<'a> {
    tree: &'a Node,
    source: &'a Source,
    blueprint: Blueprint,
}

impl Base<'_> {
    /// What holds once these events have set their values, one after the other.
    pub(super) fn patch(&self, events: &[&TimedEvent<'_>], sink: &mut Sink) -> Option<Patch> {
        let mut changed = self.tree.clone();
        for set in events.iter().filter_map(|event| event.set) {
            changed = applied(&changed, set, sink)?;
        }
        let parts = parts_of(&changed, self.source, sink)?;
        let patch = Patch::between(&self.blueprint, &compile(&parts, Span::ZERO, []));
        let report = |why: &str| {
            let message = format!("an event cannot make this change: {why}");
            let place = events.iter().rev().find_map(|event| event.place());
            let diagnostic = Diagnostic::error(message)
                .help("an event changes numbers; to add or remove parts, use a variant");
            sink.report(Diagnostic { place, ..diagnostic });
        };
        patch.map_err(report).ok()
    }
}

impl TimedEvent<'_> {
    /// The values that it sets.
    pub(super) fn assignments(&self) -> Vec<Assignment> {
        self.set.map(assignments).unwrap_or_default()
    }

    /// Where it sets its first value; none where it sets none.
    pub(super) fn place(&self) -> Option<Place> {
        self.assignments().first().map(|set| set.place)
    }
}

/// Whether an event that sets nothing is one of replicas that fail.
fn fault_is_none(happening: &Happening) -> bool {
    happening.fault.is_none() && happening.disturbance.is_none()
}

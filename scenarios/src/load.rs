//! From a source and overrides to a checked scenario.

use std::sync::Arc;

use models::blueprint::{Blueprint, Change, Patch};
use sim_core::{SimTime, Span};

use crate::check;
use crate::compile::compile;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Text};
use crate::expect;
use crate::scenario::{Parts, Scenario};
use crate::spec::{EventSpec, ScenarioSpec, Sink, Spec};
use crate::text::Source;
use crate::tree::{Node, Override, apply, assignments};
use crate::words::{did_you_mean, listed};

impl Scenario {
    /// The scenario that `source` describes once `overrides` are in place, and doubts about it.
    ///
    /// # Errors
    ///
    /// When anything in it is wrong: all of it at once.
    pub fn load(source: &Source, overrides: &[Override]) -> Result<(Self, Diagnostics), Diagnostics> {
        let mut texts: Vec<Arc<Text>> = vec![source.text.clone()];
        let mut tree = source.tree.clone();
        let mut sink = Sink { list: source.mistakes.clone() };
        for change in overrides {
            let id = texts.len() as u16;
            texts.extend(change.text.clone());
            if let Err(diagnostic) = apply(&mut tree, &change.moved_to(id)) {
                sink.report(diagnostic);
            }
        }
        // What a sweep or a variant changed was looked at when the scenario itself was loaded.
        let from_outside = overrides.iter().all(|change| change.text.is_some());
        let scenario = load_tree(&tree, source, from_outside, &mut sink);
        let failed = sink.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let diagnostics = Diagnostics::new(sink.list, texts, &[&tree, &source.tree]);
        match scenario {
            Some(scenario) if !failed => Ok((scenario, diagnostics)),
            _ => Err(diagnostics),
        }
    }

    /// The blueprint of the scenario; where the warm-up is `auto`, without any.
    pub fn compile(&self) -> Blueprint {
        self.compile_with_warmup(match self.parts.warmup {
            crate::Warmup::Fixed(span) => span,
            crate::Warmup::Auto => Span::ZERO,
        })
    }

    /// The blueprint of the scenario with this warm-up.
    pub fn compile_with_warmup(&self, warmup: Span) -> Blueprint {
        let windows = self.expectations.iter().flat_map(expect::windows);
        let mut blueprint = compile(&self.parts, warmup, windows);
        blueprint.changes.clone_from(&self.changes);
        blueprint
    }
}

/// Loads a tree; `whole` asks for variants and sweeps to be tried as well.
fn load_tree(tree: &Node, source: &Source, whole: bool, sink: &mut Sink) -> Option<Scenario> {
    let spec = ScenarioSpec::read(tree, sink)?;
    let parts = check::check(&spec, source, sink);
    let axes = check::axes(&spec, sink);
    let variants: Vec<String> =
        spec.variants.iter().flat_map(|variants| &variants.entries).map(|entry| entry.name.clone()).collect();
    let broken = |sink: &Sink| sink.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    // Expectations speak of parts by name, so these have to be there.
    let parts = parts.filter(|_| !broken(sink) || only_outside(sink, source))?;
    let texts = spec.expect.as_ref().map(|expect| expect.items.as_slice()).unwrap_or_default();
    let expectations = expect::expectations(texts, &parts, &variants, sink);
    if broken(sink) {
        return None;
    }
    let changes = events(tree, source, &spec, &parts, sink);
    let scenario = Scenario { parts, changes, expectations, variants, axes };
    if whole {
        try_variants(tree, source, &scenario, sink);
        try_axes(tree, source, &scenario, sink);
    }
    Some(scenario)
}

/// Whether all errors so far are of the tree, such as keys given twice: the parts are complete.
fn only_outside(sink: &Sink, source: &Source) -> bool {
    let errors = sink.list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.count() == source.mistakes.len()
}

/// The parts of `tree` after some changes; mistakes go to the sink.
fn changed_parts(tree: &Node, source: &Source, changes: &Node, sink: &mut Sink) -> Option<Parts> {
    let mut changed = tree.clone();
    let mut good = true;
    for assignment in assignments(changes) {
        if let Err(diagnostic) = apply(&mut changed, &assignment) {
            sink.report(diagnostic);
            good = false;
        }
    }
    if !good {
        return None;
    }
    parts_of(&changed, source, sink)
}

fn parts_of(tree: &Node, source: &Source, sink: &mut Sink) -> Option<Parts> {
    let mut own = Sink::default();
    let spec = ScenarioSpec::read(tree, &mut own);
    let parts = spec.and_then(|spec| check::check(&spec, source, &mut own));
    let failed = own.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    // Doubts about the scenario itself have been told.
    sink.list.extend(own.list.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error));
    parts.filter(|_| !failed)
}

/// What happens by the clock: each event as the difference between two blueprints.
fn events(tree: &Node, source: &Source, spec: &ScenarioSpec, parts: &Parts, sink: &mut Sink) -> Vec<Change> {
    let events = spec.events.as_ref().map(|events| events.items.as_slice()).unwrap_or_default();
    if events.is_empty() {
        return Vec::new();
    }
    let base = compile(parts, Span::ZERO, []);
    events.iter().filter_map(|event| change(tree, source, event, parts, &base, sink)).collect()
}

fn change(
    tree: &Node,
    source: &Source,
    event: &EventSpec,
    parts: &Parts,
    base: &Blueprint,
    sink: &mut Sink,
) -> Option<Change> {
    let set = &event.set.0.as_ref()?.0;
    let at = SimTime::ZERO + Span::from_seconds(event.at.value.seconds).ok()?;
    if at >= SimTime::ZERO + parts.duration {
        sink.report(
            Diagnostic::error("this happens after the end of the run")
                .at(event.at.place)
                .help("move it to before the end, or raise `duration`"),
        );
    }
    let until = match &event.for_time {
        Some(time) if time.value.seconds <= 0.0 => {
            sink.report(Diagnostic::error("this lasts no time at all").at(time.place).help("write `for: 10s`"));
            None
        }
        Some(time) => Some(at + Span::from_seconds(time.value.seconds).ok()?),
        None => None,
    };
    let mut labels = Vec::new();
    for assignment in assignments(set) {
        const SECTIONS: [&str; 5] = ["traffic", "services", "resources", "policies", "routes"];
        let section = assignment.path.split('.').next().unwrap_or_default();
        if !SECTIONS.contains(&section) {
            let help = did_you_mean(section, SECTIONS)
                .unwrap_or_else(|| format!("what can change begins with {}", listed(SECTIONS)));
            let message = format!("`{}` cannot change while the system runs", assignment.path);
            sink.report(Diagnostic::error(message).at(assignment.place).help(help));
            return None;
        }
        labels.push(format!("{}: {}", assignment.path, crate::tree::print(&assignment.value).trim_end()));
    }
    let changed = changed_parts(tree, source, set, sink)?;
    match Patch::between(base, &compile(&changed, Span::ZERO, [])) {
        Ok(patch) => Some(Change { at, until, patch, label: labels.join(", ") }),
        Err(why) => {
            let place = set.entries().first().map_or(set.place, |entry| entry.place);
            sink.report(
                Diagnostic::error(format!("an event cannot make this change: {why}"))
                    .at(place)
                    .help("an event changes numbers; to add or remove parts, use a variant"),
            );
            None
        }
    }
}

/// Reports what is wrong with variants.
fn try_variants(tree: &Node, source: &Source, scenario: &Scenario, sink: &mut Sink) {
    let variants = tree.get("variants").map_or(&[][..], Node::entries);
    for (entry, _) in variants.iter().zip(&scenario.variants) {
        changed_parts(tree, source, &entry.node, sink);
    }
}

/// Reports what is wrong with the ends of a sweep.
fn try_axes(tree: &Node, source: &Source, scenario: &Scenario, sink: &mut Sink) {
    for axis in &scenario.axes {
        for index in [0, axis.values.len() - 1] {
            let mut changed = tree.clone();
            let result = apply(&mut changed, &axis.override_at(index).assignment);
            match result {
                Ok(()) => {
                    parts_of(&changed, source, sink);
                }
                Err(diagnostic) => {
                    sink.report(diagnostic);
                    break;
                }
            }
        }
    }
}

//! From a source and overrides to a checked scenario.

use std::collections::BTreeSet;
use std::sync::Arc;

use models::blueprint::Blueprint;
use sim_core::Span;

use crate::check;
use crate::compile::compile;
use crate::diagnostic::{Diagnostics, Severity, Text};
use crate::expect;
use crate::lint::lint;
use crate::scenario::{Parts, Scenario};
use crate::spec::{Named, ScenarioSpec, Sink, Spec};
use crate::text::Source;
use crate::tree::{Node, Override, apply, assignments};
use crate::uncertain::{self, Input};

mod events;
mod overlaps;

impl Scenario {
    /// The scenario that `source` describes once `overrides` are in place, and doubts about it.
    ///
    /// # Errors
    ///
    /// When anything in it is wrong: all of it at once.
    pub fn load(source: &Source, overrides: &[Override]) -> Result<(Self, Diagnostics), Diagnostics> {
        Self::read(source, overrides, Doubts::Few)
    }

    /// The same, for whoever takes uncertain inputs in the middle: doubts about each of them.
    ///
    /// # Errors
    ///
    /// When anything in it is wrong: all of it at once.
    pub fn load_not_drawn(
        source: &Source,
        overrides: &[Override],
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        Self::read(source, overrides, Doubts::NotDrawn)
    }

    /// The same, with still more doubts: what is probably not meant, though it can run.
    ///
    /// # Errors
    ///
    /// When anything in it is wrong: all of it at once.
    pub fn check(source: &Source, overrides: &[Override]) -> Result<(Self, Diagnostics), Diagnostics> {
        Self::read(source, overrides, Doubts::All)
    }

    fn read(
        source: &Source,
        overrides: &[Override],
        doubts: Doubts,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
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
        let inputs = uncertain::settle(&mut tree, &mut sink);
        if doubts != Doubts::Few {
            for doubt in uncertain::not_drawn(&inputs) {
                sink.report(doubt);
            }
        }
        // What a sweep or a variant changed was looked at when the scenario itself was loaded.
        let from_outside = overrides.iter().all(|change| change.text.is_some());
        let asked = Asked { whole: from_outside, lints: doubts == Doubts::All };
        let scenario = load_tree(&tree, source, inputs, asked, &mut sink);
        let failed = sink.failed();
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
        blueprint.overlaps.clone_from(&self.overlaps);
        blueprint
    }
}

/// Which doubts are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubts {
    /// What the file itself says.
    Few,
    /// Inputs that are taken in the middle as well.
    NotDrawn,
    /// What is probably not meant as well.
    All,
}

/// What is looked at beside the scenario itself.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// Variants, and the ends of whatever is varied.
    whole: bool,
    /// What is probably not meant.
    lints: bool,
}

/// Loads a tree whose uncertain inputs are settled.
fn load_tree(
    tree: &Node,
    source: &Source,
    inputs: Vec<Input>,
    asked: Asked,
    sink: &mut Sink,
) -> Option<Scenario> {
    let spec = ScenarioSpec::read(tree, sink)?;
    let parts = check::check(&spec, source, sink);
    let axes = check::axes(&spec, sink);
    let variants: Vec<String> =
        spec.variants.iter().flat_map(|variants| &variants.entries).map(|entry| entry.name.clone()).collect();
    let expectations = spec.expect.as_ref().map(|expect| expect.items.as_slice()).unwrap_or_default();
    let in_variant = |name: &str| parts_in(name, source);
    let variants_and_parts = (variants.as_slice(), &in_variant as &expect::PartsIn<'_>);
    let expectations = expect::expectations(expectations, &parts, &names(&spec), variants_and_parts, sink);
    let outcome = spec.sweep.as_ref().and_then(|sweep| sweep.outcome.as_ref());
    let outcome = outcome.and_then(|outcome| expect::outcome(outcome, &parts, &names(&spec), sink));
    let goal = check::goal(&spec, tree, &parts, &expectations, sink);
    let rare = check::rare(&spec, &parts, sink);
    let screening = check::screening(&spec, &parts, &names(&spec), sink);
    let uncertain = check::uncertain(&spec, inputs, sink);
    let events = events::timed_events(&spec, &parts, tree, sink);
    if sink.failed() {
        return None;
    }
    let (changes, overlaps) = events::changes(tree, source, &events, &parts, sink);
    let scenario = Scenario {
        parts,
        changes,
        overlaps,
        expectations,
        variants,
        axes,
        outcome,
        goal,
        rare,
        screening,
        uncertain,
    };
    if asked.whole {
        try_variants(tree, source, &scenario, sink);
        try_axes(tree, source, &scenario, sink);
    }
    if asked.lints && !sink.failed() {
        lint(&spec, tree, &scenario, sink);
    }
    Some(scenario)
}

/// Names of everything that the file names, readable or not.
fn names(spec: &ScenarioSpec) -> BTreeSet<&str> {
    fn of<T>(named: Option<&Named<T>>) -> impl Iterator<Item = &str> {
        named.into_iter().flat_map(|named| &named.entries).map(|entry| entry.name.as_str())
    }
    let all = of(spec.traffic.0.as_ref()).chain(of(spec.services.0.as_ref()));
    all.chain(of(spec.resources.as_ref()))
        .chain(of(spec.caches.as_ref()))
        .chain(of(spec.policies.as_ref()))
        .chain(of(spec.queues.as_ref()))
        .chain(of(spec.jobs.as_ref()))
        .collect()
}

/// The tree after some changes; mistakes go to the sink.
fn applied(tree: &Node, changes: &Node, sink: &mut Sink) -> Option<Node> {
    let mut after = tree.clone();
    let before = sink.list.len();
    for assignment in assignments(changes) {
        if let Err(diagnostic) = apply(&mut after, &assignment) {
            sink.report(diagnostic);
        }
    }
    (sink.list.len() == before).then_some(after)
}

/// The parts that a tree describes; mistakes go to the sink.
fn parts_of(tree: &Node, source: &Source, sink: &mut Sink) -> Option<Parts> {
    let mut own = Sink::default();
    let spec = ScenarioSpec::read(tree, &mut own);
    let parts = spec.map(|spec| check::check(&spec, source, &mut own));
    let failed = own.failed();
    // Doubts about the scenario itself have been told.
    sink.list.extend(own.list.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error));
    parts.filter(|_| !failed)
}

/// The parts of a variant of the file as it is written, if they hold together.
fn parts_in(variant: &str, source: &Source) -> Option<Parts> {
    let mut told = Sink::default();
    let changed = applied(&source.tree, source.tree.get("variants")?.get(variant)?, &mut told)?;
    parts_of(&changed, source, &mut told)
}

/// Reports what is wrong with variants.
fn try_variants(tree: &Node, source: &Source, scenario: &Scenario, sink: &mut Sink) {
    let variants = tree.get("variants").map_or(&[][..], Node::entries);
    for (entry, _) in variants.iter().zip(&scenario.variants) {
        if let Some(changed) = applied(tree, &entry.node, sink) {
            parts_of(&changed, source, sink);
        }
    }
}

/// Reports what is wrong with the ends of a sweep, of what `solve` may change, of what `sensitivity` moves, or of what
/// is uncertain.
fn try_axes(tree: &Node, source: &Source, scenario: &Scenario, sink: &mut Sink) {
    let solved = scenario.goal.iter().flat_map(|goal| goal.axes.iter().map(|axis| &axis.axis));
    let moved = scenario.screening.iter().flat_map(|screening| screening.over.iter().flatten());
    let drawn = scenario.uncertain.inputs.iter().filter_map(Input::ends);
    for axis in scenario.axes.iter().chain(solved).chain(moved).chain(drawn) {
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

#[cfg(test)]
mod tests;

//! What `sweep --sensitivity` is to find.

use std::collections::BTreeSet;

use super::sweep::ends;
use crate::diagnostic::Diagnostic;
use crate::expect;
use crate::scenario::Parts;
use crate::screening::Screening;
use crate::spec::{ScenarioSpec, SensitivitySpec, Sink};
use crate::sweep::Axis;

/// What the scenario's `sensitivity` asks for; mistakes go to the sink.
pub(crate) fn screening(
    spec: &ScenarioSpec,
    parts: &Parts,
    names: &BTreeSet<&str>,
    sink: &mut Sink,
) -> Option<Screening> {
    let spec = spec.sensitivity.as_ref()?;
    let range = spec.range.value.fraction;
    if range <= 0.0 {
        let diagnostic = Diagnostic::error("a path that is moved by nothing moves nothing");
        sink.report(diagnostic.at(spec.range.place).help("write `range: 20%`"));
    }
    let over = chosen(spec, sink);
    let metric = expect::moved_metric(&spec.of, parts, names, sink)?;
    Some(Screening { metric, range, over })
}

/// The paths that were chosen.
fn chosen(spec: &SensitivitySpec, sink: &mut Sink) -> Option<Vec<Axis>> {
    let over = spec.over.as_ref()?;
    Some(over.entries.iter().filter_map(|entry| ends(entry, sink)).collect())
}

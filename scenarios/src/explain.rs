//! The scenario with everything filled in that it leaves out.

use crate::diagnostic::Diagnostics;
use crate::scenario::Scenario;
use crate::spec::{ScenarioSpec, Sink, Spec};
use crate::text::Source;
use crate::tree::{Override, print};
use crate::uncertain::settle;

/// The scenario as YAML with all defaults filled in, each with a comment on where it comes from.
///
/// # Errors
///
/// When anything in the scenario is wrong.
pub fn explain(source: &Source, overrides: &[Override]) -> Result<String, Diagnostics> {
    Scenario::load(source, overrides)?;
    let mut tree = source.tree_with(overrides);
    settle(&mut tree, &mut Sink::default());
    ScenarioSpec::complete(&mut tree);
    Ok(print(&tree))
}

/// The JSON schema (draft-07) of scenario files, for editors.
pub fn schema() -> serde_json::Value {
    crate::spec::reference()
}

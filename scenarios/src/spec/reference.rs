//! The JSON schema of the language, for editors.

use serde_json::{Value as Json, json};

use super::{Definitions, ScenarioSpec, Spec};

/// The JSON schema (draft-07) of scenario files.
pub(crate) fn reference() -> Json {
    let mut definitions = Definitions::new();
    let root = ScenarioSpec::schema(&mut definitions);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Hockeystick scenario",
        "allOf": [root],
        "definitions": definitions,
    })
}

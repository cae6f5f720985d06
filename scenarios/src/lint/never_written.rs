//! A copy that lags behind writes of which nobody tells it.

use super::{Diagnostic, Seen};

/// The rule: somebody writes to each copy with a `put` step.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let blueprint = seen.blueprint;
    let mut warnings = Vec::new();
    for (number, cache) in seen.parts.caches.iter().enumerate() {
        let Some(copy) = &cache.copy else { continue };
        if blueprint.puts.iter().any(|put| put.cache.index() == number) {
            continue;
        }
        let service = &seen.parts.services[copy.follows.index()].name;
        let message =
            format!("nobody tells `{}` of a write, so it never lags behind `{service}`", cache.name);
        let help = format!("put `{{put: {}}}` behind what is written in `{service}`", cache.name);
        warnings.push(Diagnostic::warning(message).at(seen.place(&cache.path)).help(help));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn copy(written: &str) -> String {
        linted(&format!(
            "duration: 2m
traffic: {{users: {{rate: 1/s, to: db.write, attributes: {{key: {{uniform: 500}}}}}}}}
services: {{db: {{endpoints: {{write: [{{delay: 1ms}}{written}, {{get: replica}}]}}}}}}
caches: {{replica: {{follows: db, lag: 2s}}}}
"
        ))
    }

    #[test]
    fn a_copy_that_is_never_written_to_is_told() {
        insta::assert_snapshot!(copy(""));
    }

    #[test]
    fn one_that_is_written_to_is_not() {
        assert_eq!(copy(", {put: replica}"), "");
    }
}

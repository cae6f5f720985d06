//! Scenarios for the tests of the rules.

use crate::{Scenario, Source};

/// All that is told of a scenario without mistakes.
pub(super) fn linted(text: &str) -> String {
    let source = Source::from_text("shop.yaml", text, ".").unwrap();
    let (_, told) = Scenario::check(&source, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    if told.is_empty() { String::new() } else { told.to_string() }
}

//! One replication of a scenario, held to all laws.

use models::observe::{Observations, Segment};
use models::{Replication, replicate};
use scenarios::{Scenario, Source};
use sim_core::CancelFlag;

/// What the first replication of a scenario has measured.
pub(crate) fn observations(text: &str, seed: u64) -> Observations {
    let source =
        Source::from_text("test", text.to_owned(), "").unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    let plan = scenario.compile();
    let replication = Replication { seed, index: 0, breakdown: true };
    let found = replicate(&plan, &replication, &CancelFlag::new());
    crate::laws::check(&plan, &found);
    found
}

/// The last segment of that: the whole run, if it has no warm-up and nothing is cut.
pub(crate) fn segment(text: &str, seed: u64) -> Segment {
    observations(text, seed).segments.pop().unwrap_or_else(|| panic!("a run has a segment\n{text}"))
}

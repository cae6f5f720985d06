//! Experiments: replications, sweeps and comparisons, and what is concluded from them.

pub mod analysis;
mod baseline;
mod batches;
mod compare;
mod course;
mod deadlock;
mod estimate;
mod evaluate;
mod expect;
mod gather;
mod growth;
mod joined;
mod laws;
mod notes;
mod precision;
mod rank;
mod rare;
mod report;
mod run;
mod sensitivity;
mod series;
mod setup;
mod solve;
mod steps;
mod sweep;
#[cfg(test)]
mod testing;
#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are set, not computed")]
mod tests;
mod theory;
mod trace;
mod uncertainty;
mod units;
mod verify;
mod warmup;

use models::blueprint::Blueprint;
use models::observe::Observations;
use models::{Replication, replicate};
use sim_core::CancelFlag;

pub use baseline::against;
pub use compare::compare;
pub use evaluate::evaluate;
pub use gather::{Progress, Silent};
pub use joined::merge;
pub use precision::{Replications, Until};
pub use rare::rare;
pub use report::Heading;
pub use run::{BrokenLaws, Options, Outcome, Plan, run};
pub use sensitivity::{Unranked, sensitivity};
pub use setup::variants;
pub use solve::{Unsolved, solve};
pub use sweep::{Axis, Grid, Point, sweep};
pub use theory::predicted;
pub use trace::trace;
pub use uncertainty::Drawn;
pub(crate) use uncertainty::least_points;
pub use verify::{Unverified, verdicts, verify};

/// The engine, as experiments call it.
fn engine(
    blueprint: &Blueprint,
    seed: u64,
    index: u32,
    breakdown: bool,
    cancel: &CancelFlag,
) -> Observations {
    replicate(blueprint, &Replication { seed, index, breakdown }, cancel)
}

//! How inputs that are not known exactly are drawn, as written.

use super::{At, Positive, spec};

spec! {
    /// How inputs that are not known exactly are drawn: `{between: [3ms, 5ms]}`, or samples with `bootstrap: true`.
    UncertaintySpec: "`uncertainty`" {
        /// Points at which every uncertain input is drawn anew; at least 10, and 6 more than twice as many as there are
        /// inputs.
        points: At<Positive> = "50" ("ten for each of five inputs: Loeppky, Sacks and Welch, Technometrics 51(4), 2009"),
        /// Replications of each point, at least 2: they tell noise from inputs.
        replications: At<Positive> = "2" ("the fewest that show noise; another point tells more than another replication"),
    }
}

//! Which paths move a metric most, as written.

use super::{At, ByPath, EndsSpec, Share, Text, spec};

spec! {
    /// Which paths move a metric most: `hockeystick sweep --sensitivity`.
    SensitivitySpec: "`sensitivity`" {
        /// The metric that is moved, as expectations name it: `shoppers.p99`.
        of: At<Text>,
        /// How far every path is moved to either side of its value; whole numbers by whole units, at least by one.
        range: At<Share> = "20%" ("enough to bend a curve, little enough to happen"),
        /// Paths that are moved, and between which values: `{services.web.replicas: 2..8}`.
        over: Option<ByPath<EndsSpec>> => "every number of the model, by `range`" (""),
    }
}

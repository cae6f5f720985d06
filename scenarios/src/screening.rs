//! What `sweep --sensitivity` is to find.

use crate::metric::Metric;
use crate::sweep::Axis;

/// Which paths move a metric, and how far they are moved themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Screening {
    /// The metric.
    pub metric: Metric,
    /// How far a path is moved to either side of its value, as a share of that.
    pub range: f64,
    /// Paths that were chosen, each with its two ends; none is every number of the model.
    pub over: Option<Vec<Axis>>,
}

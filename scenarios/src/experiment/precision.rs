//! How many replications it takes.

use super::estimate::{ENOUGH, Observed};
use super::expect;
use super::gather::{Case, Gathered};
use super::growth::{self, Unsteady};
use super::report::{headline, verdicts};
use crate::metric::{Expectation, Figure, Metric};
use crate::results::{E, Met};

/// How many replications are run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replications {
    /// At least this many.
    pub at_least: u32,
    /// Until when more are added.
    pub until: Until,
    /// Never more than this many.
    pub at_most: u32,
}

/// Until when replications are added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Until {
    /// There are as many as were asked for.
    Enough,
    /// No expectation is left that more of them could decide.
    Decided,
    /// Every expectation is decided, or every metric that they name (without expectations, the mean and p99 of
    /// every traffic) has an interval no wider than this share of its value to either side.
    Precise(f64),
}

impl From<Option<f64>> for Until {
    fn from(precision: Option<f64>) -> Self {
        precision.map_or(Self::Enough, Self::Precise)
    }
}

impl Default for Replications {
    fn default() -> Self {
        Self { at_least: ENOUGH as u32, until: Until::Enough, at_most: 200 }
    }
}

impl Replications {
    /// The number of replications to have after `begun`: 10, 15, 23, 35, ...
    pub(crate) fn after(&self, begun: u32) -> u32 {
        let first =
            if self.until == Until::Enough { self.at_least } else { self.at_least.max(ENOUGH as u32) };
        let next = if begun < first { first } else { (begun * 3).div_ceil(2) };
        next.min(self.at_most.max(self.at_least))
    }

    /// Whether there is to be a single one.
    pub(crate) fn is_one(&self) -> bool {
        self.at_least == 1 && self.until == Until::Enough
    }

    /// How many replications a case should have, given what is known.
    pub(crate) fn wanted(&self, case: &Case, gathered: &Gathered, expectations: &[Expectation]) -> u32 {
        let enough = gathered.begun > 0
            && (self.until == Until::Enough
                || !gathered.cut_short.is_empty()
                || self.is_reached(case, gathered, expectations));
        if enough && gathered.begun >= self.at_least { gathered.begun } else { self.after(gathered.begun) }
    }

    /// Whether no more are wanted for the sake of what is asked.
    pub(crate) fn is_reached(&self, case: &Case, gathered: &Gathered, expectations: &[Expectation]) -> bool {
        if self.until == Until::Enough {
            return true;
        }
        let unsteady = growth::detect(case, gathered).unsteady;
        let verdicts = verdicts(expectations, case, gathered, &unsteady);
        let Until::Precise(precision) = self.until else {
            return !verdicts.iter().any(|verdict| expect::is_open(expectations, verdict));
        };
        let decided = verdicts.iter().all(|verdict| verdict.verdict != Met::Undecided);
        if !verdicts.is_empty() && decided {
            return true;
        }
        imprecise(case, gathered, expectations, precision, &unsteady).is_empty()
    }

    /// What is not as precise as it was to be, and how many replications it would take.
    pub(crate) fn shortfall(
        &self,
        case: &Case,
        gathered: &Gathered,
        expectations: &[Expectation],
    ) -> Option<String> {
        let Until::Precise(precision) = self.until else { return None };
        if self.is_reached(case, gathered, expectations) {
            return None;
        }
        let unsteady = growth::detect(case, gathered).unsteady;
        let open = imprecise(case, gathered, expectations, precision, &unsteady);
        let (metric, needed) = open.iter().max_by_key(|(_, needed)| *needed)?;
        Some(format!(
            "a precision of {} % was not reached in {} replications: `{}` needs about {needed}",
            precision * 100.0,
            gathered.samples.len(),
            metric.name,
        ))
    }
}

/// Metrics whose intervals are too wide, and the replications that each would need. What grows without bound
/// never settles and is left out.
fn imprecise(
    case: &Case,
    gathered: &Gathered,
    expectations: &[Expectation],
    precision: f64,
    unsteady: &Unsteady,
) -> Vec<(Metric, u32)> {
    let n = gathered.samples.len() as f64;
    named(case, expectations)
        .into_iter()
        .filter(|metric| !unsteady.has(metric.subject))
        .filter_map(|metric| {
            let E { value, lo, hi } = Observed::of(&metric, case, gathered)?.estimate();
            let half_width = (hi? - lo?) / 2.0;
            let wanted = precision * value.abs();
            (half_width > wanted && wanted > 0.0 && half_width.is_finite()).then(|| {
                let needed = (n * (half_width / wanted).powi(2)).ceil().min(f64::from(u32::MAX));
                (metric, needed as u32)
            })
        })
        .collect()
}

/// The metrics that expectations name, or the mean and p99 of every traffic.
fn named(case: &Case, expectations: &[Expectation]) -> Vec<Metric> {
    let of_this = expectations.iter().filter(|expectation| !expectation.left.names_a_variant());
    let terms = of_this.flat_map(|expectation| expectation.left.terms());
    let metrics: Vec<Metric> = terms.map(|term| term.metric.clone()).collect();
    if !metrics.is_empty() {
        return metrics;
    }
    let default = |metric: &Metric| matches!(metric.figure, Figure::Mean | Figure::Quantile(0.99));
    headline(&case.blueprint).into_iter().filter(default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_points_grow_by_half() {
        let rule = Replications { until: Until::Precise(0.05), ..Replications::default() };
        let mut points = Vec::new();
        let mut n = 0;
        while points.len() < 6 {
            n = rule.after(n);
            points.push(n);
        }
        assert_eq!(points, [10, 15, 23, 35, 53, 80]);
        assert_eq!(rule.after(190), 200);
        assert_eq!(rule.after(200), 200);
    }
}

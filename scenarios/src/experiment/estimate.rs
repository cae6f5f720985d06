//! Estimates with their intervals.

use models::blueprint::Outcome;
use models::observe::Segment;
use sim_core::{Estimate, SimTime};

use super::evaluate::figure;
use super::gather::{Case, Gathered, Sample};
use super::{batches, course, evaluate, rank};
use crate::metric::{Figure, Metric, Reading, Subject};
use crate::results::E;

/// Replications that an interval needs before it decides anything.
pub(crate) const ENOUGH: usize = 10;

/// A metric in the replications of one case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
    /// In the merged replications.
    pub(crate) value: f64,
    /// In each replication, or at each point where uncertain inputs are drawn; none where it has nothing to say.
    pub(crate) each: Vec<Option<f64>>,
    /// For a share: of how many it is a share.
    pub(crate) out_of: Option<u64>,
    /// Whether the value is the median of the replications, which may be infinite, and not a mean.
    pub(crate) median: bool,
}

impl Observed {
    /// What `metric` was; none where nothing was measured.
    pub(crate) fn of(metric: &Metric, case: &Case, gathered: &Gathered) -> Option<Self> {
        let each: Vec<Option<f64>> =
            gathered.grouped(&each(metric, case, gathered)?).iter().map(|of| mean(of)).collect();
        let values: Vec<f64> = each.iter().flatten().copied().collect();
        if let Reading::Recovery(_) = metric.reading {
            return Some(Self { value: rank::median(&values)?, each, out_of: None, median: true });
        }
        let merged = looked_at(metric.window, case, gathered.measured.as_ref(), &gathered.windows)?;
        let value = figure(metric, merged)?;
        // Every point counts the same, however many requests it has.
        let value = if gathered.points.is_empty() { value } else { mean(&values)? };
        Some(Self { value, each, out_of: out_of(metric, merged), median: false })
    }

    /// The values of the replications that have one.
    pub(crate) fn values(&self) -> Vec<f64> {
        self.each.iter().flatten().copied().collect()
    }

    /// Whether at least two replications agree to the last digit.
    pub(crate) fn is_certain(&self) -> bool {
        let values = self.values();
        values.len() >= 2 && values.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits())
    }

    /// The value of the merged replications, and the interval that the replications' own values give it.
    ///
    /// A share that is 0 (or 1) in every replication has no variance to tell by: the bound is then the share
    /// that would have shown itself with 95 % probability, about three in as many as were looked at.
    ///
    /// A median has the interval that ranks give: it stays one where some of the values are infinite.
    pub(crate) fn estimate(&self) -> E {
        if self.median {
            let (lo, hi) = rank::interval(&self.values()).unzip();
            return E { value: self.value, lo, hi };
        }
        let Some(estimate) = Estimate::around(self.value, &self.values()) else {
            return E { value: self.value, lo: None, hi: None };
        };
        let (mut lo, mut hi) = (estimate.lo, estimate.hi);
        if let Some(out_of) = self.out_of {
            let unseen = 1.0 - 0.05_f64.powf(1.0 / out_of.max(1) as f64);
            if self.value <= 0.0 {
                hi = hi.max(unseen);
            }
            if self.value >= 1.0 {
                lo = lo.min(1.0 - unseen);
            }
            (lo, hi) = (lo.max(0.0), hi.min(1.0));
        }
        E { value: self.value, lo: Some(lo), hi: Some(hi) }
    }
}

/// What `metric` was in each replication; or in each batch of a single one, where batches tell.
pub(crate) fn each(metric: &Metric, case: &Case, gathered: &Gathered) -> Option<Vec<Option<f64>>> {
    let samples = gathered.samples.iter();
    if let Reading::Recovery(_) = metric.reading {
        let watched = case.watched.iter().position(|known| known == metric)?;
        let recovered =
            |sample: &Sample| course::recovered(metric, sample.held.get(watched)?, &case.blueprint);
        return Some(samples.map(recovered).collect());
    }
    if let Some(batches) = in_batches(metric, case, gathered) {
        return Some(batches);
    }
    let value = |sample: &Sample| {
        figure(metric, looked_at(metric.window, case, sample.measured.as_ref(), &sample.windows)?)
    };
    Some(samples.map(value).collect())
}

/// What `metric` was in the batches of the only replication, if that says how sure it is.
fn in_batches(metric: &Metric, case: &Case, gathered: &Gathered) -> Option<Vec<Option<f64>>> {
    let [only] = gathered.samples.as_slice() else { return None };
    if case.batches.is_empty() || metric.window.is_some() || !batches::has_means(metric.figure) {
        return None;
    }
    let value =
        |batch: &(SimTime, SimTime)| figure(metric, looked_at(Some(*batch), case, None, &only.windows)?);
    let values: Vec<Option<f64>> = case.batches.iter().map(value).collect();
    batches::are_independent(&values).then_some(values)
}

/// The mean of some values; none where there are none.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// What was seen in a window, or in the measured part.
fn looked_at<'a>(
    window: Option<(SimTime, SimTime)>,
    case: &Case,
    measured: Option<&'a Segment>,
    windows: &'a [Option<Segment>],
) -> Option<&'a Segment> {
    let Some(window) = window else { return measured };
    let position = case.windows.iter().position(|known| *known == window)?;
    windows.get(position)?.as_ref()
}

/// Of how many requests the metric is a share.
fn out_of(metric: &Metric, segment: &Segment) -> Option<u64> {
    if !matches!(metric.figure, Figure::Share(_) | Figure::Errors | Figure::Lost) {
        return None;
    }
    match metric.subject {
        Subject::Traffic(id) => Some(segment.traffics.get(id.index())?.outcomes.iter().sum()),
        Subject::Group(id, group) => {
            Some(evaluate::group(segment.traffics.get(id.index())?, group)?.outcomes.iter().sum())
        }
        Subject::Queue(id, _) => Some(segment.queues.get(id.index())?.sent),
        Subject::Job(id) => Some(segment.jobs.get(id.index())?.outcomes.iter().sum()),
        Subject::Endpoint(id) => segment.endpoints.get(id.index()).map(|e| e.answered + e.failed),
        _ => None,
    }
}

/// A ratio of two metrics of the same replications, with its interval by the delta method on the pairs.
///
/// None when the lower one is 0.
pub(crate) fn ratio(upper: &Observed, lower: &Observed) -> Option<Observed> {
    if lower.value == 0.0 {
        return None;
    }
    let value = upper.value / lower.value;
    // Each pair's deviation from the ratio, in units of the ratio: their mean is close to it.
    let pair = |(u, l): (&Option<f64>, &Option<f64>)| {
        let (u, l) = ((*u)?, (*l)?);
        Some(value + (u - value * l) / lower.value)
    };
    let each = upper.each.iter().zip(&lower.each).map(pair).collect();
    Some(Observed { value, each, out_of: None, median: false })
}

/// The paired difference of two metrics: `a` minus `b`.
pub(crate) fn difference(a: &Observed, b: &Observed) -> Observed {
    let pair = |(a, b): (&Option<f64>, &Option<f64>)| Some((*a)? - (*b)?);
    let each = a.each.iter().zip(&b.each).map(pair).collect();
    Observed { value: a.value - b.value, each, out_of: None, median: false }
}

/// Variance of the values as a sample.
pub(crate) fn variance(values: &[f64]) -> Option<f64> {
    let error = Estimate::standard_error(values)?;
    Some(error * error * values.len() as f64)
}

/// A metric of a traffic over the measured part.
pub(crate) fn of(name: impl Into<String>, subject: Subject, figure: Figure) -> Metric {
    Metric { name: name.into(), subject, figure, window: None, reading: Reading::Value }
}

/// Whether a larger value is better, and whether that can be said at all.
pub(crate) fn more_is_better(figure: Figure) -> Option<bool> {
    match figure {
        Figure::Share(Outcome::OK) | Figure::Throughput | Figure::Reused | Figure::Available(_) => Some(true),
        Figure::Share(Outcome::DEGRADED)
        | Figure::Offered
        | Figure::InUse
        | Figure::AcquireRate
        | Figure::Connections
        | Figure::Opened
        | Figure::Replicas
        | Figure::InState(_)
        | Figure::Starts
        | Figure::ReplicaHours
        | Figure::Nodes
        | Figure::NodeHours
        | Figure::Calls
        | Figure::Hedges
        | Figure::HedgesWon
        | Figure::Closed
        | Figure::HalfOpen
        | Figure::Replica(_)
        | Figure::ReplicasFrom(_) => None,
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(value: f64, each: &[f64]) -> Observed {
        Observed { value, each: each.iter().map(|x| Some(*x)).collect(), out_of: None, median: false }
    }

    /// Mean 5, s/sqrt(n) = 0.912871, t(3) = 3.182446.
    #[test]
    fn an_interval_by_hand() {
        let e = observed(20.0, &[3.0, 4.0, 6.0, 7.0]).estimate();
        let half = 0.912_871 * 3.182_446;
        assert!((e.lo.unwrap() - (20.0 - half)).abs() < 1e-5);
        assert!((e.hi.unwrap() - (20.0 + half)).abs() < 1e-5);
    }

    #[test]
    fn one_replication_has_no_interval() {
        assert_eq!(observed(1.0, &[1.0]).estimate(), E { value: 1.0, lo: None, hi: None });
    }

    /// Rule of three: of 3,000 requests none failed, so at most 0.1 % do.
    #[test]
    fn a_share_never_seen_is_bounded_by_the_rule_of_three() {
        let errors = Observed { out_of: Some(3_000), ..observed(0.0, &[0.0; 10]) };
        let e = errors.estimate();
        assert_eq!(e.lo, Some(0.0));
        assert!((e.hi.unwrap() - 0.001).abs() < 1e-5, "{e:?}");
    }

    /// Pairs that are exactly proportional leave no doubt about their ratio, however much they vary.
    #[test]
    fn a_ratio_of_proportional_pairs_is_certain() {
        let lower = [1.0, 2.0, 4.0, 9.0];
        let upper = lower.map(|x| 0.2 * x);
        let ratio = ratio(&observed(0.8, &upper), &observed(4.0, &lower)).unwrap();
        let e = ratio.estimate();
        assert!((e.value - 0.2).abs() < 1e-12);
        assert!(e.hi.unwrap() - e.lo.unwrap() < 1e-12);
    }

    #[test]
    fn a_difference_is_paired() {
        let (a, b) = (observed(3.0, &[1.0, 5.0, 3.0]), observed(2.0, &[0.0, 4.0, 2.0]));
        let difference = difference(&a, &b);
        assert_eq!(difference.values(), [1.0, 1.0, 1.0]);
        assert!(difference.is_certain());
    }
}

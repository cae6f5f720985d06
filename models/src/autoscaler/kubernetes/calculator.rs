//! From one metric to a proposed number of replicas.
//!
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/replica_calculator.go` and
//! `metrics/utilization.go`.

use std::collections::BTreeMap;

use sim_core::SimTime;
use thiserror::Error;

use super::pods::{Groups, Phase, Pod, PodId, Sample, group, requests};
use super::{ControllerSettings, ValueTarget};

/// Why a metric gives no proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MetricError {
    /// The source returned nothing.
    #[error("no samples")]
    NoSamples,
    /// No sample belongs to a pod with a known request.
    #[error("no sample belongs to a pod with a known request")]
    NoSamplesForKnownPods,
    /// Every pod that has a sample was set aside.
    #[error("all pods with samples are starting or on their way out")]
    NoSamplesForTargetedPods,
    /// A container requests nothing, so there is nothing to take a share of.
    #[error("a container requests nothing of the resource")]
    MissingRequest,
    /// No container of that name.
    #[error("a pod lacks the container")]
    ContainerNotFound,
    /// There are no pods.
    #[error("there are no pods")]
    NoPods,
    /// The source does not answer.
    #[error("the source of the metric does not answer")]
    Unavailable,
    /// A type of metric that the controller does not know.
    #[error("the controller does not know this type of metric")]
    Unsupported,
}

/// What a metric asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// So many replicas.
    pub replicas: i32,
    /// The share of requests in use, where the target is one.
    pub utilization_percent: Option<i32>,
    /// The mean over pods, as the autoscaler reports it.
    pub average_milli: Option<i64>,
    /// The value, where that is what the target is about.
    pub value_milli: Option<i64>,
}

/// How far a ratio may be from one without a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// Below one.
    pub down: f64,
    /// Above one.
    pub up: f64,
}

impl Tolerances {
    /// The same both ways.
    pub fn both(tolerance: f64) -> Self {
        Self { down: tolerance, up: tolerance }
    }

    /// Whether a ratio is too close to one to act; both ends belong.
    pub fn holds(self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

/// A ratio to the target, and what is reported beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Measured over wanted.
    pub ratio: f64,
    /// The share of requests in use, in whole percent.
    pub utilization_percent: Option<i32>,
    /// The mean over pods.
    pub average_milli: i64,
}

/// The share of requests that is in use, in whole percent, over the one wanted.
///
/// Percent are cut, not rounded: 55.9 % reads 55.
///
/// # Errors
///
/// When no sample belongs to a pod whose request is known, or requests sum to nothing.
pub fn utilization_ratio(
    values: &BTreeMap<PodId, i64>,
    requests: &BTreeMap<PodId, i64>,
    target_percent: i32,
) -> Result<Ratio, MetricError> {
    let (mut used, mut requested, mut pods) = (0_i64, 0_i64, 0_i64);
    for (pod, value) in values {
        if let Some(request) = requests.get(pod) {
            used = used.wrapping_add(*value);
            requested = requested.wrapping_add(*request);
            pods += 1;
        }
    }
    if requested == 0 {
        return Err(MetricError::NoSamplesForKnownPods);
    }
    let percent = (used.wrapping_mul(100) / requested) as i32;
    Ok(Ratio {
        ratio: f64::from(percent) / f64::from(target_percent),
        utilization_percent: Some(percent),
        average_milli: used / pods,
    })
}

/// The mean over pods, cut to whole thousandths, over the one wanted.
///
/// # Panics
///
/// When there are no values.
pub fn usage_ratio(values: &BTreeMap<PodId, i64>, target_milli: i64) -> Ratio {
    assert!(!values.is_empty(), "a mean over no pods");
    let sum = values.values().fold(0_i64, |sum, value| sum.wrapping_add(*value));
    let mean = sum / values.len() as i64;
    Ratio { ratio: mean as f64 / target_milli as f64, utilization_percent: None, average_milli: mean }
}

/// What a calculation knows besides the metric.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Replicas that the target is told to have.
    pub spec_replicas: i32,
    /// Replicas that it has.
    pub status_replicas: i32,
    /// Its pods.
    pub pods: &'a [Pod],
    /// Settings of the controller.
    pub settings: &'a ControllerSettings,
    /// How far from the target is close enough.
    pub tolerances: Tolerances,
    /// The time of the pass.
    pub now: SimTime,
}

/// Replicas for a share of requests in use.
///
/// # Errors
///
/// When there are no samples, none that counts, or a request is missing.
pub fn utilization_replicas(
    context: &Context<'_>,
    samples: &[Sample],
    resource: &str,
    container: Option<&str>,
    target_percent: i32,
) -> Result<Proposal, MetricError> {
    let (groups, mut values) = sort_out(context, samples, resource)?;
    if values.is_empty() {
        return Err(MetricError::NoSamplesForTargetedPods);
    }
    let requests = requests(context.pods, resource, container, context.settings)?;
    let first = utilization_ratio(&values, &requests, target_percent)?;
    let charge = |pod: &PodId| {
        let percent = i64::from(target_percent.max(100));
        requests.get(pod).copied().unwrap_or(0).wrapping_mul(percent) / 100
    };
    let replicas = if fill_in(&groups, first.ratio, &mut values, charge) {
        let ratio = utilization_ratio(&values, &requests, target_percent)?.ratio;
        second_pass(context, first.ratio, ratio, values.len())
    } else {
        first_pass(context, first.ratio, groups.ready)
    };
    Ok(Proposal {
        replicas,
        utilization_percent: first.utilization_percent,
        average_milli: Some(first.average_milli),
        value_milli: None,
    })
}

/// Replicas for a mean over pods.
///
/// # Errors
///
/// When there are no samples, or none that counts.
pub fn average_replicas(
    context: &Context<'_>,
    samples: &[Sample],
    resource: &str,
    target_milli: i64,
) -> Result<Proposal, MetricError> {
    let (groups, mut values) = sort_out(context, samples, resource)?;
    if values.is_empty() {
        return Err(MetricError::NoSamplesForTargetedPods);
    }
    let first = usage_ratio(&values, target_milli);
    let replicas = if fill_in(&groups, first.ratio, &mut values, |_| target_milli) {
        second_pass(context, first.ratio, usage_ratio(&values, target_milli).ratio, values.len())
    } else {
        first_pass(context, first.ratio, groups.ready)
    };
    Ok(Proposal { replicas, average_milli: Some(first.average_milli), ..Proposal::default() })
}

/// The pods by worth, and the values of those that are neither starting nor leaving.
fn sort_out(
    context: &Context<'_>,
    samples: &[Sample],
    resource: &str,
) -> Result<(Groups, BTreeMap<PodId, i64>), MetricError> {
    if samples.is_empty() {
        return Err(MetricError::NoSamples);
    }
    if context.pods.is_empty() {
        return Err(MetricError::NoPods);
    }
    let samples: BTreeMap<PodId, Sample> = samples.iter().map(|sample| (sample.pod, *sample)).collect();
    let groups = group(context.pods, &samples, resource, context.settings, context.now);
    let aside = |pod: &PodId| groups.ignored.contains(pod) || groups.unready.contains(pod);
    let values = samples
        .iter()
        .filter(|(pod, _)| !aside(pod))
        .map(|(pod, sample)| (*pod, sample.value_milli))
        .collect();
    Ok((groups, values))
}

/// Puts in what damps the change: pods without a sample count as full when it shrinks and as idle when it grows;
/// pods that start count as idle when it grows. Returns whether a second pass is due.
fn fill_in(
    groups: &Groups,
    ratio: f64,
    values: &mut BTreeMap<PodId, i64>,
    charge: impl Fn(&PodId) -> i64,
) -> bool {
    let grows_with_unready = !groups.unready.is_empty() && ratio > 1.0;
    if !grows_with_unready && groups.missing.is_empty() {
        return false;
    }
    for pod in &groups.missing {
        if ratio < 1.0 {
            values.insert(*pod, charge(pod));
        } else if ratio > 1.0 {
            values.insert(*pod, 0);
        }
    }
    if grows_with_unready {
        values.extend(groups.unready.iter().map(|pod| (*pod, 0)));
    }
    true
}

fn first_pass(context: &Context<'_>, ratio: f64, ready: usize) -> i32 {
    if context.tolerances.holds(ratio) { context.spec_replicas } else { ceil(ratio * ready as f64) }
}

/// What remains of the change once the doubtful pods count, unless that would turn it around.
fn second_pass(context: &Context<'_>, first: f64, ratio: f64, pods: usize) -> i32 {
    let turned = (first < 1.0 && ratio > 1.0) || (first > 1.0 && ratio < 1.0);
    if context.tolerances.holds(ratio) || turned {
        return context.spec_replicas;
    }
    let replicas = ceil(ratio * pods as f64);
    let backwards = (ratio < 1.0 && replicas > context.spec_replicas)
        || (ratio > 1.0 && replicas < context.spec_replicas);
    if backwards { context.spec_replicas } else { replicas }
}

/// Replicas for a value that belongs to no pod.
///
/// Held against the value itself, only pods that run and are ready are multiplied: with few of them the answer
/// can be below the present count although the value is far above its target. Held against the average, readiness
/// does not matter.
///
/// # Errors
///
/// When there are replicas but no pods to count.
pub fn value_replicas(
    context: &Context<'_>,
    value_milli: i64,
    target: ValueTarget,
) -> Result<Proposal, MetricError> {
    match target {
        ValueTarget::Value(target_milli) => {
            let ratio = value_milli as f64 / target_milli as f64;
            let replicas = if context.spec_replicas == 0 {
                ceil(ratio)
            } else if context.tolerances.holds(ratio) {
                context.spec_replicas
            } else if context.pods.is_empty() {
                return Err(MetricError::NoPods);
            } else {
                let serves = |pod: &&Pod| pod.phase == Phase::Running && pod.is_ready();
                ceil(ratio * context.pods.iter().filter(serves).count() as f64)
            };
            Ok(Proposal { replicas, value_milli: Some(value_milli), ..Proposal::default() })
        }
        ValueTarget::AverageValue(target_milli) => {
            let status = f64::from(context.status_replicas);
            let ratio = value_milli as f64 / (target_milli as f64 * status);
            let replicas = if context.tolerances.holds(ratio) {
                context.status_replicas
            } else {
                ceil(value_milli as f64 / target_milli as f64)
            };
            // At the end of the range the mean is the sum.
            let average = if value_milli as f64 >= i64::MAX as f64 {
                i64::MAX
            } else {
                (value_milli as f64 / status).ceil() as i64
            };
            Ok(Proposal { replicas, average_milli: Some(average), ..Proposal::default() })
        }
    }
}

/// The sum of all series of an external metric; it stops at the largest number there is.
///
/// # Errors
///
/// When there is no series.
pub fn sum_of_series(values_milli: &[i64]) -> Result<i64, MetricError> {
    if values_milli.is_empty() {
        return Err(MetricError::NoSamples);
    }
    Ok(values_milli.iter().fold(0_i64, |sum, value| sum.saturating_add(*value)))
}

/// Rounded up to a count, at most the largest that 32 bits hold.
fn ceil(x: f64) -> i32 {
    x.ceil() as i32
}

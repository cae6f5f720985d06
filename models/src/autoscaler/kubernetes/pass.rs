//! One pass of the controller: metrics to a number, remembered and limited.
//!
//! Source: kubernetes/kubernetes, `reconcileAutoscaler` and `computeReplicasForMetrics` in
//! `pkg/controller/podautoscaler/horizontal.go`.

use sim_core::SimTime;

use super::behavior::{
    Recommendation, ScaleEvent, clamp_plainly, limit_rate, stabilize, stabilize_plainly, store_event,
};
use super::calculator::{
    Context, MetricError, Proposal, Tolerances, average_replicas, sum_of_series, utilization_replicas,
    value_replicas,
};
use super::pods::{Pod, Sample};
use super::{ControllerSettings, Hpa, Metric, ResourceTarget};

/// Growth in one step without `behavior`: the double, ...
const SCALE_UP_LIMIT_FACTOR: f64 = 2.0;
/// ... or to so many.
const SCALE_UP_LIMIT_MINIMUM: f64 = 4.0;

/// Where metrics come from.
pub trait MetricSource {
    /// What pods, or one container of each, use of a resource. A pod one of whose containers has no value has no
    /// sample.
    ///
    /// # Errors
    ///
    /// When the source does not answer.
    fn resource(&self, resource: &str, container: Option<&str>) -> Result<Vec<Sample>, MetricError>;

    /// Something measured at every pod.
    ///
    /// # Errors
    ///
    /// When the source does not answer.
    fn pods(&self, metric: &str) -> Result<Vec<Sample>, MetricError>;

    /// Something measured at another object.
    ///
    /// # Errors
    ///
    /// When the source does not answer.
    fn object(&self, metric: &str) -> Result<i64, MetricError>;

    /// All series of something measured elsewhere.
    ///
    /// # Errors
    ///
    /// When the source does not answer.
    fn external(&self, metric: &str) -> Result<Vec<i64>, MetricError>;
}

/// What the controller remembers of an autoscaler from pass to pass; a restart loses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// What was recommended before anything was limited; nothing before the first pass.
    pub recommendations: Option<Vec<Recommendation>>,
    /// Growth that was made.
    pub ups: Vec<ScaleEvent>,
    /// Shrinking that was made.
    pub downs: Vec<ScaleEvent>,
}

impl History {
    /// The count was written: what the rates are limited by.
    pub fn changed(&mut self, hpa: &Hpa, from: i32, to: i32, now: SimTime) {
        let Some(behavior) = &hpa.behavior else {
            return;
        };
        if to > from {
            store_event(&mut self.ups, &behavior.scale_up, to - from, now);
        } else if to < from {
            store_event(&mut self.downs, &behavior.scale_down, from - to, now);
        }
    }
}

/// Why a pass did what it did, in the controller's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Kubernetes' own")]
pub enum Reason {
    DesiredWithinRange,
    TooFewReplicas,
    TooManyReplicas,
    ScaleUpLimit,
    ScaleDownLimit,
    ReadyForNewScale,
    ScaleUpStabilized,
    ScaleDownStabilized,
    SucceededGetScale,
    SucceededRescale,
    ScalingDisabled,
    ValidMetricFound,
    FailedGetResourceMetric,
    FailedGetContainerResourceMetric,
    FailedGetPodsMetric,
    FailedGetObjectMetric,
    FailedGetExternalMetric,
    InvalidMetricSourceType,
}

impl Reason {
    /// As Kubernetes writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DesiredWithinRange => "DesiredWithinRange",
            Self::TooFewReplicas => "TooFewReplicas",
            Self::TooManyReplicas => "TooManyReplicas",
            Self::ScaleUpLimit => "ScaleUpLimit",
            Self::ScaleDownLimit => "ScaleDownLimit",
            Self::ReadyForNewScale => "ReadyForNewScale",
            Self::ScaleUpStabilized => "ScaleUpStabilized",
            Self::ScaleDownStabilized => "ScaleDownStabilized",
            Self::SucceededGetScale => "SucceededGetScale",
            Self::SucceededRescale => "SucceededRescale",
            Self::ScalingDisabled => "ScalingDisabled",
            Self::ValidMetricFound => "ValidMetricFound",
            Self::FailedGetResourceMetric => "FailedGetResourceMetric",
            Self::FailedGetContainerResourceMetric => "FailedGetContainerResourceMetric",
            Self::FailedGetPodsMetric => "FailedGetPodsMetric",
            Self::FailedGetObjectMetric => "FailedGetObjectMetric",
            Self::FailedGetExternalMetric => "FailedGetExternalMetric",
            Self::InvalidMetricSourceType => "InvalidMetricSourceType",
        }
    }

    /// The same in a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::DesiredWithinRange => "as the metrics ask for",
            Self::TooFewReplicas => "raised to the fewest",
            Self::TooManyReplicas => "held at the most",
            Self::ScaleUpLimit => "growth limited by a policy",
            Self::ScaleDownLimit => "shrinking limited by a policy",
            Self::ReadyForNewScale => "within tolerance, or as many as needed",
            Self::ScaleUpStabilized => "growth held back by the window",
            Self::ScaleDownStabilized => "held up by the window",
            Self::SucceededGetScale => "nothing decided yet",
            Self::SucceededRescale => "brought within the bounds",
            Self::ScalingDisabled => "switched off: at zero by hand",
            Self::ValidMetricFound => "the metrics can be read",
            Self::FailedGetResourceMetric
            | Self::FailedGetContainerResourceMetric
            | Self::FailedGetPodsMetric
            | Self::FailedGetObjectMetric
            | Self::FailedGetExternalMetric => "the metric cannot be had: frozen",
            Self::InvalidMetricSourceType => "no such type of metric: frozen",
        }
    }
}

/// A condition of the autoscaler's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it holds.
    pub is: bool,
    /// Why.
    pub reason: Reason,
}

/// What a pass came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// So many replicas are wanted; the present number where nothing is to be done.
    pub desired: i32,
    /// Before windows and limits; nothing where no metric was read or none worked.
    pub recommended: Option<i32>,
    /// What each metric asked for.
    pub proposals: Vec<Result<Proposal, MetricError>>,
    /// `AbleToScale`
    pub able: Condition,
    /// `ScalingActive`, where the pass says something of it.
    pub active: Option<Condition>,
    /// `ScalingLimited`, where the pass says something of it.
    pub limited: Option<Condition>,
    /// The first metric that failed.
    pub error: Option<MetricError>,
}

/// What a pass sees besides metrics.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Replicas that the target is told to have.
    pub spec_replicas: i32,
    /// Replicas that it has.
    pub status_replicas: i32,
    /// Its pods.
    pub pods: &'a [Pod],
}

/// One pass.
///
/// The caller writes [`Pass::desired`] if it differs from the present count, and says so by
/// [`History::changed`] if that succeeded.
pub fn pass(
    hpa: &Hpa,
    settings: &ControllerSettings,
    history: &mut History,
    target: &Target<'_>,
    source: &impl MetricSource,
    now: SimTime,
) -> Pass {
    let current = target.spec_replicas;
    let first = || vec![Recommendation { replicas: current, at: now }];
    let recommendations = history.recommendations.get_or_insert_with(first);
    let mut result = Pass {
        desired: current,
        recommended: None,
        proposals: Vec::new(),
        able: Condition { is: true, reason: Reason::SucceededGetScale },
        active: None,
        limited: None,
        error: None,
    };
    if current == 0 && hpa.min_replicas != 0 {
        result.active = Some(Condition { is: false, reason: Reason::ScalingDisabled });
        return result;
    }
    if current > hpa.max_replicas {
        result.desired = hpa.max_replicas;
    } else if current < hpa.min_replicas {
        result.desired = hpa.min_replicas;
    } else {
        let Some(recommended) = recommend(hpa, settings, target, source, now, &mut result) else {
            return result;
        };
        result.recommended = Some(recommended);
        let (stable, desired, reason) = match &hpa.behavior {
            None => {
                let window = settings.downscale_stabilization;
                let stable = stabilize_plainly(recommendations, recommended, window, now);
                let (desired, reason) = clamp_plainly(
                    current,
                    stable,
                    hpa.min_replicas,
                    hpa.max_replicas,
                    SCALE_UP_LIMIT_FACTOR,
                    SCALE_UP_LIMIT_MINIMUM,
                );
                (stable, desired, reason)
            }
            Some(behavior) => {
                let (up, down) = (behavior.scale_up.window, behavior.scale_down.window);
                let stable = stabilize(recommendations, current, recommended, up, down, now);
                let bounds = (hpa.min_replicas, hpa.max_replicas);
                let (desired, reason) =
                    limit_rate(current, stable, bounds, behavior, &history.ups, &history.downs, now);
                (stable, desired, reason)
            }
        };
        result.desired = desired;
        result.able.reason = if stable == recommended {
            Reason::ReadyForNewScale
        } else if hpa.behavior.is_some() && recommended >= current {
            Reason::ScaleUpStabilized
        } else {
            Reason::ScaleDownStabilized
        };
        result.limited = Some(Condition { is: desired != stable, reason });
    }
    if result.desired != current {
        result.able.reason = Reason::SucceededRescale;
    }
    result
}

/// The largest proposal of all metrics, unless all are broken, or some are and the rest would shrink.
fn recommend(
    hpa: &Hpa,
    settings: &ControllerSettings,
    target: &Target<'_>,
    source: &impl MetricSource,
    now: SimTime,
    result: &mut Pass,
) -> Option<i32> {
    let context = Context {
        spec_replicas: target.spec_replicas,
        status_replicas: target.status_replicas,
        pods: target.pods,
        settings,
        tolerances: tolerances(hpa, settings),
        now,
    };
    result.proposals = hpa.metrics.iter().map(|metric| propose(metric, &context, source)).collect();
    let first_broken = result.proposals.iter().position(Result::is_err);
    let largest = result.proposals.iter().flatten().map(|proposal| proposal.replicas).max();
    result.error = first_broken.and_then(|index| result.proposals[index].err());
    match (largest, first_broken) {
        (Some(largest), None) => {
            result.active = Some(Condition { is: true, reason: Reason::ValidMetricFound });
            Some(largest)
        }
        (Some(largest), Some(_)) if largest >= target.spec_replicas => {
            result.active = Some(Condition { is: true, reason: Reason::ValidMetricFound });
            Some(largest)
        }
        (_, broken) => {
            let reason = broken.map_or(Reason::InvalidMetricSourceType, |index| failed(&hpa.metrics[index]));
            result.active = Some(Condition { is: false, reason });
            None
        }
    }
}

fn tolerances(hpa: &Hpa, settings: &ControllerSettings) -> Tolerances {
    let own = |tolerance: Option<f64>| {
        tolerance.filter(|_| settings.configurable_tolerance).unwrap_or(settings.tolerance)
    };
    match &hpa.behavior {
        None => Tolerances::both(settings.tolerance),
        Some(behavior) => {
            Tolerances { down: own(behavior.scale_down.tolerance), up: own(behavior.scale_up.tolerance) }
        }
    }
}

/// What one metric asks for.
///
/// # Errors
///
/// When its source fails or gives nothing to go by.
pub fn propose(
    metric: &Metric,
    context: &Context<'_>,
    source: &impl MetricSource,
) -> Result<Proposal, MetricError> {
    let resource_replicas = |resource: &str, container: Option<&str>, target: ResourceTarget| {
        let samples = source.resource(resource, container)?;
        match target {
            ResourceTarget::Utilization(percent) => {
                utilization_replicas(context, &samples, resource, container, percent)
            }
            ResourceTarget::AverageValue(milli) => average_replicas(context, &samples, resource, milli),
        }
    };
    match metric {
        Metric::Resource { resource, target } => resource_replicas(resource, None, *target),
        Metric::ContainerResource { resource, container, target } => {
            resource_replicas(resource, Some(container), *target)
        }
        Metric::Pods { metric, average_milli } => {
            average_replicas(context, &source.pods(metric)?, "", *average_milli)
        }
        Metric::Object { metric, target } => value_replicas(context, source.object(metric)?, *target),
        Metric::External { metric, target } => {
            value_replicas(context, sum_of_series(&source.external(metric)?)?, *target)
        }
        Metric::Unsupported => Err(MetricError::Unsupported),
    }
}

fn failed(metric: &Metric) -> Reason {
    match metric {
        Metric::Resource { .. } => Reason::FailedGetResourceMetric,
        Metric::ContainerResource { .. } => Reason::FailedGetContainerResourceMetric,
        Metric::Pods { .. } => Reason::FailedGetPodsMetric,
        Metric::Object { .. } => Reason::FailedGetObjectMetric,
        Metric::External { .. } => Reason::FailedGetExternalMetric,
        Metric::Unsupported => Reason::InvalidMetricSourceType,
    }
}

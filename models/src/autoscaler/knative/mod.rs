//! The pod autoscaler of Knative Serving.
//!
//! Source: knative/serving, main of August 2026: `pkg/autoscaler/`, `pkg/reconciler/autoscaling/`; defaults of
//! `config/core/configmaps/autoscaler.yaml` and `pkg/autoscaler/config/config.go`.

pub mod apply;
pub mod collect;
pub mod decide;
pub mod window;

use sim_core::Span;

use super::kubernetes::seconds;
pub use apply::{Activity, Applied, Probe, Reachability, Serving, apply};
pub use collect::{Collector, Scraped};
pub use decide::{Answer, Decider, Spec};
pub use window::{MaxWindow, Window, WindowAlgorithm};

/// What holds for all revisions of a cluster: the config map `config-autoscaler`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConfig {
    /// `stable-window`, 60 s.
    pub stable_window: Span,
    /// `panic-window-percentage`, 10.
    pub panic_window_percentage: f64,
    /// `panic-threshold-percentage`, 200.
    pub panic_threshold_percentage: f64,
    /// `max-scale-up-rate`, 1000.
    pub max_scale_up_rate: f64,
    /// `max-scale-down-rate`, 2.
    pub max_scale_down_rate: f64,
    /// `target-burst-capacity`, 211; -1 is unlimited.
    pub target_burst_capacity: f64,
    /// `activator-capacity`, 100.
    pub activator_capacity: f64,
    /// `container-concurrency-target-default`, 100.
    pub container_concurrency_target_default: f64,
    /// `container-concurrency-target-percentage`, 70, as a share.
    pub container_concurrency_target_fraction: f64,
    /// `requests-per-second-target-default`, 200.
    pub rps_target_default: f64,
    /// The share of a target in requests per second, 0.7.
    pub target_utilization: f64,
    /// `enable-scale-to-zero`, true.
    pub enable_scale_to_zero: bool,
    /// `scale-to-zero-grace-period`, 30 s.
    pub scale_to_zero_grace_period: Span,
    /// `scale-to-zero-pod-retention-period`, 0 s.
    pub scale_to_zero_pod_retention: Span,
    /// `scale-down-delay`, 0 s.
    pub scale_down_delay: Span,
    /// `initial-scale`, 1.
    pub initial_scale: i32,
    /// `allow-zero-initial-scale`, false.
    pub allow_zero_initial_scale: bool,
    /// `min-scale`, 0.
    pub min_scale: i32,
    /// `max-scale`, 0: no limit.
    pub max_scale: i32,
    /// `max-scale-limit`, 0: none. A revision may not ask for more; it limits manifests, not decisions.
    pub max_scale_limit: i32,
    /// `progress-deadline` of `config-deployment`, 600 s.
    pub progress_deadline: Span,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            stable_window: seconds(60),
            panic_window_percentage: 10.0,
            panic_threshold_percentage: 200.0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            target_burst_capacity: 211.0,
            activator_capacity: 100.0,
            container_concurrency_target_default: 100.0,
            container_concurrency_target_fraction: 0.7,
            rps_target_default: 200.0,
            target_utilization: 0.7,
            enable_scale_to_zero: true,
            scale_to_zero_grace_period: seconds(30),
            scale_to_zero_pod_retention: Span::ZERO,
            scale_down_delay: Span::ZERO,
            initial_scale: 1,
            allow_zero_initial_scale: false,
            min_scale: 0,
            max_scale: 0,
            max_scale_limit: 0,
            progress_deadline: seconds(600),
        }
    }
}

/// What a revision is scaled by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScalingMetric {
    /// Requests in flight.
    #[default]
    Concurrency,
    /// Requests per second.
    Rps,
}

/// What a revision says of itself: annotations below `autoscaling.knative.dev/`, and `containerConcurrency`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Revision {
    /// `metric`
    pub metric: ScalingMetric,
    /// `containerConcurrency`: requests that a pod takes at once; 0 for any number.
    pub container_concurrency: u32,
    /// `target`
    pub target: Option<f64>,
    /// `target-utilization-percentage`
    pub target_utilization_percent: Option<f64>,
    /// `target-burst-capacity`
    pub target_burst_capacity: Option<f64>,
    /// `min-scale`
    pub min_scale: Option<i32>,
    /// `max-scale`
    pub max_scale: Option<i32>,
    /// `initial-scale`
    pub initial_scale: Option<i32>,
    /// `activation-scale`
    pub activation_scale: Option<i32>,
    /// `window`
    pub window: Option<Span>,
    /// `panic-window-percentage`
    pub panic_window_percentage: Option<f64>,
    /// `panic-threshold-percentage`
    pub panic_threshold_percentage: Option<f64>,
    /// `scale-down-delay`
    pub scale_down_delay: Option<Span>,
    /// `scale-to-zero-pod-retention-period`
    pub scale_to_zero_pod_retention: Option<Span>,
    /// `progress-deadline` of `serving.knative.dev`
    pub progress_deadline: Option<Span>,
    /// `metric-aggregation-algorithm`
    pub algorithm: WindowAlgorithm,
}

impl Revision {
    /// How long it averages over in calm times.
    pub fn stable_window(&self, config: &ClusterConfig) -> Span {
        self.window.unwrap_or(config.stable_window)
    }

    /// How long it averages over to see a burst: whole seconds, at least one.
    ///
    /// Source: `PanicWindow` in `pkg/reconciler/autoscaling/resources/metric.go`.
    pub fn panic_window(&self, config: &ClusterConfig) -> Span {
        let percent = self.panic_window_percentage.unwrap_or(config.panic_window_percentage);
        let window = self.stable_window(config).as_seconds() * percent / 100.0;
        seconds((window.round() as u64).max(1))
    }

    /// Fewest and most pods; no limit is 0.
    pub fn bounds(&self, config: &ClusterConfig, reachable: bool) -> (i32, i32) {
        let min = if reachable { self.min_scale.unwrap_or(config.min_scale) } else { 0 };
        let max = self.max_scale.unwrap_or(config.max_scale);
        (min, max)
    }

    /// The share of room for bursts that is wanted beyond the present load.
    pub fn target_burst_capacity(&self, config: &ClusterConfig) -> f64 {
        self.target_burst_capacity.unwrap_or(config.target_burst_capacity)
    }

    /// Pods to begin with. A revision may say none only if the cluster lets it.
    ///
    /// Source: `GetInitialScale` in `pkg/reconciler/autoscaling/kpa/resources/decider.go`.
    pub fn initial_scale(&self, config: &ClusterConfig) -> i32 {
        match self.initial_scale {
            Some(0) if !config.allow_zero_initial_scale => config.initial_scale,
            Some(scale) => scale,
            None => config.initial_scale,
        }
    }

    /// What the decider goes by.
    pub fn spec(&self, config: &ClusterConfig, reachable: bool) -> Spec {
        let Target { target, total } = resolve_target(config, self);
        let threshold = self.panic_threshold_percentage.unwrap_or(config.panic_threshold_percentage);
        Spec {
            target_value: target,
            total_value: total,
            target_burst_capacity: self.target_burst_capacity(config),
            panic_threshold: threshold / 100.0,
            max_scale_up_rate: config.max_scale_up_rate,
            max_scale_down_rate: config.max_scale_down_rate,
            stable_window: self.stable_window(config),
            reachable,
            scale_down_delay: self.scale_down_delay.unwrap_or(config.scale_down_delay),
            activation_scale: self.activation_scale.unwrap_or(1),
        }
    }
}

/// What one pod is to carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// What the autoscaler aims at.
    pub target: f64,
    /// What the pod can carry.
    pub total: f64,
}

/// The least that a pod is aimed at.
const LEAST_TARGET: f64 = 0.01;

/// What one pod is to carry, from the cluster, the revision and its annotations.
///
/// Source: `ResolveMetricTarget` in `pkg/reconciler/autoscaling/resources/target.go`.
pub fn resolve_target(config: &ClusterConfig, revision: &Revision) -> Target {
    let hard = f64::from(revision.container_concurrency);
    let (default, share) = match revision.metric {
        ScalingMetric::Rps => (config.rps_target_default, config.target_utilization),
        ScalingMetric::Concurrency => {
            let limit = if hard == 0.0 { config.container_concurrency_target_default } else { hard };
            (limit, config.container_concurrency_target_fraction)
        }
    };
    let total = match revision.target {
        Some(target) if revision.metric == ScalingMetric::Concurrency && hard != 0.0 => target.min(hard),
        Some(target) => target,
        None => default,
    };
    let share = revision.target_utilization_percent.map_or(share, |percent| percent / 100.0);
    Target { target: (total * share).max(LEAST_TARGET), total }
}

/// Activators in the path of requests.
///
/// Source: `computeNumActivators` in `pkg/reconciler/autoscaling/kpa/kpa.go`.
pub fn activators(ready: i32, total_value: f64, target_burst_capacity: f64, activator_capacity: f64) -> i32 {
    const FEWEST: f64 = 2.0;
    if target_burst_capacity == 0.0 {
        return FEWEST as i32;
    }
    let capacity = f64::from(ready) * total_value + target_burst_capacity.max(0.0);
    (capacity / activator_capacity).ceil().max(FEWEST) as i32
}

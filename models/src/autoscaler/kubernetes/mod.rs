//! The horizontal pod autoscaler of Kubernetes.
//!
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/` of the 1.35 line: `replica_calculator.go`,
//! `horizontal.go`, `metrics/utilization.go`.
//!
//! Quantities are in thousandths (`milli`) in 64 bits and counts in 32, as there.

pub mod behavior;
pub mod calculator;
pub mod pass;
pub mod pods;
pub mod quantity;

use sim_core::Span;

pub use behavior::{Behavior, PartialRules, Policy, PolicyType, Rules, Select};
pub use calculator::{MetricError, Proposal, Tolerances};
pub use pass::{Condition, History, MetricSource, Pass, Reason};
pub use pods::{Container, Groups, Phase, Pod, Ready, Sample, Template};

/// What holds for every autoscaler of a cluster: flags of the kube-controller-manager.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControllerSettings {
    /// Time between two passes. `--horizontal-pod-autoscaler-sync-period`, 15 s.
    pub sync_period: Span,
    /// How far from one a ratio may be without a change. `--horizontal-pod-autoscaler-tolerance`, 0.1.
    pub tolerance: f64,
    /// How long a recommendation holds the count up. `--horizontal-pod-autoscaler-downscale-stabilization`, 5 min.
    pub downscale_stabilization: Span,
    /// How long the CPU samples of a young pod are distrusted.
    /// `--horizontal-pod-autoscaler-cpu-initialization-period`, 5 min.
    pub cpu_initialization_period: Span,
    /// A pod whose readiness last changed this soon after its start has never been ready.
    /// `--horizontal-pod-autoscaler-initial-readiness-delay`, 30 s.
    pub initial_readiness_delay: Span,
    /// Whether tolerances of manifests count. Gate `HPAConfigurableTolerance`, on since 1.35.
    pub configurable_tolerance: bool,
    /// Whether requests of whole pods count. Gate `PodLevelResources`, on since 1.34.
    pub pod_level_resources: bool,
}

impl Default for ControllerSettings {
    fn default() -> Self {
        Self {
            sync_period: seconds(15),
            tolerance: 0.1,
            downscale_stabilization: seconds(300),
            cpu_initialization_period: seconds(300),
            initial_readiness_delay: seconds(30),
            configurable_tolerance: true,
            pod_level_resources: true,
        }
    }
}

/// One autoscaler: the `spec` of its manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Hpa {
    /// Fewest replicas, 1 if the manifest says nothing.
    pub min_replicas: i32,
    /// Most replicas.
    pub max_replicas: i32,
    /// What it looks at: the largest proposal wins.
    pub metrics: Vec<Metric>,
    /// Windows and policies. Without them other rules hold, not the defaults of these.
    pub behavior: Option<Behavior>,
}

impl Hpa {
    /// What the interface fills in when a manifest names no metric: 80 % of the requested CPU.
    ///
    /// Source: `pkg/apis/autoscaling/v2/defaults.go`, `DefaultCPUUtilization`.
    pub fn default_metrics() -> Vec<Metric> {
        vec![Metric::Resource { resource: "cpu".into(), target: ResourceTarget::Utilization(80) }]
    }
}

/// A metric with its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// What the containers of a pod use of a resource, in sum.
    Resource {
        /// `cpu` or `memory`.
        resource: Box<str>,
        /// How much of it.
        target: ResourceTarget,
    },
    /// What one container of a pod uses of a resource.
    ContainerResource {
        /// `cpu` or `memory`.
        resource: Box<str>,
        /// The container.
        container: Box<str>,
        /// How much of it.
        target: ResourceTarget,
    },
    /// Something measured at every pod.
    Pods {
        /// Its name.
        metric: Box<str>,
        /// The mean over pods that is wanted.
        average_milli: i64,
    },
    /// Something measured at another object of the cluster.
    Object {
        /// Its name.
        metric: Box<str>,
        /// The value that is wanted.
        target: ValueTarget,
    },
    /// Something measured outside of the cluster.
    External {
        /// Its name.
        metric: Box<str>,
        /// The value that is wanted.
        target: ValueTarget,
    },
    /// A type that the controller does not know: it fails in every pass.
    Unsupported,
}

impl Metric {
    /// The resource, or its own name; nothing for a type that nobody knows.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Resource { resource: name, .. }
            | Self::ContainerResource { resource: name, .. }
            | Self::Pods { metric: name, .. }
            | Self::Object { metric: name, .. }
            | Self::External { metric: name, .. } => Some(name),
            Self::Unsupported => None,
        }
    }
}

/// How much of a resource is wanted to be in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceTarget {
    /// Percent of what the pods request.
    Utilization(i32),
    /// So much in each pod on average, in thousandths.
    AverageValue(i64),
}

/// What the value of a metric is held against, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueTarget {
    /// The value itself.
    Value(i64),
    /// The value divided by the number of replicas.
    AverageValue(i64),
}

/// A span of whole seconds.
pub(crate) const fn seconds(seconds: u64) -> Span {
    Span::from_nanos(seconds * 1_000_000_000)
}

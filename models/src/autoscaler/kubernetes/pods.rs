//! What the controller sees of pods, and which of them it believes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim_core::{SimTime, Span};

use super::{ControllerSettings, MetricError};

/// Names a pod.
pub type PodId = u32;

/// A pod as the controller sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// Which one.
    pub id: PodId,
    /// Where it is in its life.
    pub phase: Phase,
    /// Its condition `Ready`, once it has one.
    pub ready: Option<Ready>,
    /// When the node took it on.
    pub started: Option<SimTime>,
    /// Whether it has been told to go.
    pub deleting: bool,
    /// What it is made of, shared by all pods of a template.
    pub template: Arc<Template>,
}

impl Pod {
    /// Whether its condition says that it is ready.
    pub fn is_ready(&self) -> bool {
        self.ready.is_some_and(|ready| ready.is)
    }
}

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not on a node, or its images are being pulled.
    Pending,
    /// At least one container runs.
    Running,
    /// All containers ended well.
    Succeeded,
    /// A container ended badly.
    Failed,
}

/// The condition `Ready` of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Whether it is.
    pub is: bool,
    /// Since when.
    pub since: SimTime,
}

/// What pods are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its init containers.
    pub init_containers: Vec<Container>,
    /// What the pod as a whole requests, by resource.
    pub requests_milli: BTreeMap<Box<str>, i64>,
}

impl Template {
    /// What a pod requests of a resource: as a whole, or all its containers together.
    pub fn requested_milli(&self, resource: &str) -> Option<i64> {
        let whole = self.requests_milli.get(resource).copied();
        whole.or_else(|| self.containers.iter().map(|row| row.requests_milli.get(resource).copied()).sum())
    }
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: Box<str>,
    /// What it requests, by resource.
    pub requests_milli: BTreeMap<Box<str>, i64>,
    /// Whether it is an init container that is started again and again: a side car.
    pub restarts_always: bool,
}

/// A value measured at a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The pod.
    pub pod: PodId,
    /// When it was taken.
    pub at: SimTime,
    /// Over how long.
    pub window: Span,
    /// The value.
    pub value_milli: i64,
}

/// Pods by what their samples are worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// Pods whose samples are believed.
    pub ready: usize,
    /// Pods that are starting: their samples are dropped.
    pub unready: BTreeSet<PodId>,
    /// Pods without a sample.
    pub missing: BTreeSet<PodId>,
    /// Pods that are on their way out.
    pub ignored: BTreeSet<PodId>,
}

/// Sorts pods by what their samples are worth; the first rule that fits decides.
///
/// Only the resource `cpu` looks at readiness and age: a pod that starts burns CPU that says nothing of the load.
///
/// Source: `groupPods` in `replica_calculator.go`.
pub fn group(
    pods: &[Pod],
    samples: &BTreeMap<PodId, Sample>,
    resource: &str,
    settings: &ControllerSettings,
    now: SimTime,
) -> Groups {
    let mut groups = Groups::default();
    for pod in pods {
        if pod.deleting || pod.phase == Phase::Failed {
            groups.ignored.insert(pod.id);
        } else if pod.phase == Phase::Pending {
            groups.unready.insert(pod.id);
        } else if let Some(sample) = samples.get(&pod.id) {
            if resource == "cpu" && distrusts_cpu(pod, sample, settings, now) {
                groups.unready.insert(pod.id);
            } else {
                groups.ready += 1;
            }
        } else {
            groups.missing.insert(pod.id);
        }
    }
    groups
}

/// Whether the CPU sample of a pod says nothing of its load.
fn distrusts_cpu(pod: &Pod, sample: &Sample, settings: &ControllerSettings, now: SimTime) -> bool {
    let (Some(ready), Some(started)) = (pod.ready, pod.started) else {
        return true;
    };
    if started.saturating_add(settings.cpu_initialization_period) > now {
        !ready.is || sample.at < ready.since.saturating_add(sample.window)
    } else {
        !ready.is && started.saturating_add(settings.initial_readiness_delay) > ready.since
    }
}

/// What each of the pods requests of a resource, in all containers or in one.
///
/// # Errors
///
/// When a container that counts requests nothing, or a pod lacks the container that is asked for.
///
/// Source: `calculateRequests` in `replica_calculator.go`.
pub fn requests(
    pods: &[Pod],
    resource: &str,
    container: Option<&str>,
    settings: &ControllerSettings,
) -> Result<BTreeMap<PodId, i64>, MetricError> {
    pods.iter().map(|pod| Ok((pod.id, request(&pod.template, resource, container, settings)?))).collect()
}

/// What a pod requests of a resource.
///
/// # Errors
///
/// As [`requests`].
pub fn request(
    template: &Template,
    resource: &str,
    container: Option<&str>,
    settings: &ControllerSettings,
) -> Result<i64, MetricError> {
    if settings.pod_level_resources && container.is_none() && !template.requests_milli.is_empty() {
        return template.requests_milli.get(resource).copied().ok_or(MetricError::MissingRequest);
    }
    let sidecars = template.init_containers.iter().filter(|container| container.restarts_always);
    let mut sum = 0_i64;
    let mut found = container.is_none();
    for each in template.containers.iter().chain(sidecars) {
        if container.is_none_or(|name| name == &*each.name) {
            let request = each.requests_milli.get(resource).ok_or(MetricError::MissingRequest)?;
            sum = sum.saturating_add(*request);
            found = true;
        }
    }
    if found { Ok(sum) } else { Err(MetricError::ContainerNotFound) }
}

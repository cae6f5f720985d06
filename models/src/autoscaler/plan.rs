//! An autoscaler in a scenario: whose replicas it counts, what it goes by, and what stands between a decision and a
//! replica.

use std::sync::Arc;

use sim_core::Span;
use sim_core::distribution::Distribution;

use super::controller::Controller;
use super::kubernetes::Template;
use super::pipeline::Pipeline;
use crate::blueprint::{EndpointId, PoolId, Price, QueueId, ServiceId, TrafficId};

/// What decides how many replicas a service has.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoscalerPlan {
    /// Its name.
    pub name: String,
    /// `autoscalers.web`.
    pub path: String,
    /// Whose replicas it counts.
    pub service: ServiceId,
    /// Its law, remembering nothing.
    pub controller: Controller,
    /// Most replicas that the law allows.
    pub most: u32,
    /// What the law goes by, under the names by which it asks.
    pub gauges: Vec<Gauge>,
    /// What the pods are made of.
    pub template: Arc<Template>,
    /// How a new replica gets to where it starts.
    pub placement: Placement,
    /// Where requests wait that an activator holds back; none where there is no activator. It has as many slots as the
    /// activator lets through at once, whatever its row says.
    pub activator: Option<PoolId>,
}

impl AutoscalerPlan {
    /// No autoscaler makes more replicas than this, whatever its law allows.
    pub const MOST_REPLICAS: u32 = 100_000;

    /// What a node costs, where nodes are counted.
    pub fn price_of_node(&self) -> Option<&Price> {
        self.placement.nodes.as_ref()?.price.as_ref()
    }
}

/// What is measured for a law.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// The law's name for it: `cpu`, `queue_depth`.
    pub name: Box<str>,
    /// What it is.
    pub signal: Signal,
    /// How it gets to the law.
    pub pipeline: Pipeline,
}

/// What real monitoring can see of a system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Signal {
    /// Cores that the replicas of the scaled service use.
    Cpu,
    /// Requests that are in a service.
    InFlight(ServiceId),
    /// Requests that are in a service, on average between two readings.
    Concurrency(ServiceId),
    /// Requests per second that arrive at a service.
    Received(ServiceId),
    /// Requests per second that a traffic sends.
    Arrivals(TrafficId),
    /// Requests that wait for a resource, all its instances together.
    Waiting(PoolId),
    /// Units of a resource that are in use, all its instances together.
    InUse(PoolId),
    /// Messages that a group of consumers has not dealt with.
    Lag(QueueId, u32),
    /// Messages per second that are sent to a queue.
    Sent(QueueId),
    /// A percentile of the time that answers of an endpoint took, in seconds, over the time between two scrapes.
    Latency(EndpointId, f64),
}

impl Signal {
    /// Whether it is told as the rate at which something grows.
    pub fn grows(self) -> bool {
        matches!(
            self,
            Self::Cpu | Self::Concurrency(_) | Self::Received(_) | Self::Arrivals(_) | Self::Sent(_)
        )
    }
}

/// How a new replica gets to where it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// How long it takes until a node is chosen, in seconds.
    pub scheduling: Option<Distribution>,
    /// How long its image is pulled, in seconds.
    pub pull: Option<Distribution>,
    /// The nodes that there are; none for as many as it takes.
    pub nodes: Option<Box<Nodes>>,
}

/// Nodes that replicas run on, how further ones come and how they are given back: the cluster autoscaler of Kubernetes.
#[derive(Clone, Debug, PartialEq)]
pub struct Nodes {
    /// Replicas that one has room for.
    pub pods: u32,
    /// Those that are there at the start.
    pub ready: u32,
    /// Those that always stay.
    pub min: u32,
    /// How long it takes until one that was asked for is there, in seconds.
    pub provision: Distribution,
    /// How often it is looked for replicas without a node, and for nodes that are not needed.
    pub scan: Span,
    /// A node of which less than this share is requested may be given back.
    pub utilization: f64,
    /// It is after it has not been needed for longer than this.
    pub unneeded: Span,
    /// For how long none is given back after one was asked for.
    pub after_add: Span,
    /// What one costs.
    pub price: Option<Price>,
}

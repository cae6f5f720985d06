//! What drives the laws over time: the state that a real controller keeps between its decisions.
//!
//! A [`Controller`] is fed a [`World`] at the times that it asked for, and answers a number of replicas, why, and when
//! it wants to look again. It knows no calendar and draws no random numbers. One decision is one call of
//! [`Controller::look`]; whoever writes the number says so by [`Controller::written`], because real controllers
//! remember what they changed, not what they wanted.

mod aws;
mod google;
mod keda;
mod knative;
mod kubernetes;
mod own;

use sim_core::SimTime;

use super::knative::Scraped;
use super::kubernetes::MetricSource;
use super::kubernetes::pass::Target;
pub use aws::{AwsController, AwsGroup, AwsPolicy, AwsReason, Flavor};
pub use google::{GoogleController, GoogleSignal};
pub use keda::KedaController;
pub use knative::{KnativeController, KnativeReason};
pub use kubernetes::HpaController;
pub use own::{OwnController, OwnLaw};

/// What a controller may see of the world when it looks: never more than the real one's sources tell it.
pub trait World: MetricSource {
    /// The count that is set, the count that is there, and the pods.
    fn target(&self) -> Target<'_>;

    /// What the pods answer to a scrape, in an order that says nothing of them; for Knative.
    fn scrape(&self) -> Vec<Scraped> {
        Vec::new()
    }

    /// What the activators tell of requests that went through them; for Knative.
    fn activator(&self) -> Scraped {
        Scraped::default()
    }

    /// Whether the activator is in the path of requests, and for how long; for Knative.
    fn proxied(&self) -> Option<sim_core::Span> {
        None
    }

    /// The newest datapoint of a metric; for AWS, Google and the laws of ours.
    fn statistic(&self, _metric: &str) -> Option<f64> {
        None
    }
}

/// Why a controller wants what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Of [`HpaController`].
    Kubernetes(super::kubernetes::Reason),
    /// Of [`KedaController`]'s loop.
    Keda(super::keda::LoopReason),
    /// Of [`KnativeController`].
    Knative(KnativeReason),
    /// Of [`AwsController`].
    Aws(AwsReason),
    /// Of [`GoogleController`].
    Google(super::google::Reason),
    /// Of [`OwnController`].
    Own(super::own::Reason),
}

impl Why {
    /// In the controller's own words.
    pub fn name(self) -> String {
        match self {
            Self::Kubernetes(reason) => reason.name().into(),
            Self::Keda(reason) => format!("{reason:?}"),
            Self::Knative(KnativeReason::Decided(reason)) => format!("{reason:?}"),
            Self::Knative(KnativeReason::Applied(reason)) => format!("{reason:?}"),
            Self::Aws(reason) => format!("{reason:?}"),
            Self::Google(reason) => format!("{reason:?}"),
            Self::Own(reason) => format!("{reason:?}"),
        }
    }

    /// In a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Kubernetes(reason) => reason.meaning(),
            Self::Keda(reason) => reason.meaning(),
            Self::Knative(KnativeReason::Decided(reason)) => reason.meaning(),
            Self::Knative(KnativeReason::Applied(reason)) => reason.meaning(),
            Self::Aws(reason) => reason.meaning(),
            Self::Google(reason) => reason.meaning(),
            Self::Own(reason) => reason.meaning(),
        }
    }
}

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// So many replicas; nothing for no opinion.
    pub replicas: Option<i32>,
    /// Why.
    pub why: Why,
    /// When it looks again.
    pub next: SimTime,
}

/// A controller of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Controller {
    /// Kubernetes' own.
    Hpa(HpaController),
    /// KEDA, with the autoscaler of Kubernetes that it makes.
    Keda(KedaController),
    /// Knative's.
    Knative(KnativeController),
    /// A group of AWS with its policies.
    Aws(AwsController),
    /// A managed instance group of Google.
    Google(GoogleController),
    /// One of ours.
    Own(OwnController),
}

impl Controller {
    /// Looks at the world and decides.
    pub fn look(&mut self, world: &impl World, now: SimTime) -> Decision {
        match self {
            Self::Hpa(controller) => controller.look(world, now),
            Self::Keda(controller) => controller.look(world, now),
            Self::Knative(controller) => controller.look(world, now),
            Self::Aws(controller) => controller.look(world, now),
            Self::Google(controller) => controller.look(world, now),
            Self::Own(controller) => controller.look(world, now),
        }
    }

    /// The count was changed as it wanted.
    pub fn written(&mut self, from: i32, to: i32, now: SimTime) {
        match self {
            Self::Hpa(controller) => controller.written(from, to, now),
            Self::Keda(controller) => controller.written(from, to, now),
            Self::Knative(_) | Self::Google(_) | Self::Own(_) => {}
            Self::Aws(controller) => controller.written(from, to, now),
        }
    }

    /// Whether an activator is to stay in the path of requests. Others than Knative's never leave it.
    pub fn wants_proxy(&self) -> bool {
        if let Self::Knative(controller) = self { controller.wants_proxy() } else { true }
    }

    /// Requests that an activator lets through to a replica at once; 0 for any number.
    pub fn container_concurrency(&self) -> u32 {
        if let Self::Knative(controller) = self { controller.container_concurrency() } else { 0 }
    }

    /// Goes by what `other` goes by from now on, and keeps what it remembers as far as that still means something.
    pub fn follow(&mut self, other: &Self) {
        match (self, other) {
            (Self::Hpa(controller), Self::Hpa(other)) => controller.follow(other),
            (Self::Keda(controller), Self::Keda(other)) => controller.follow(other),
            (Self::Own(controller), Self::Own(other)) => controller.follow(other),
            (Self::Aws(controller), Self::Aws(other)) => controller.follow(other),
            // What these remember is made of what they go by.
            (controller, other) => *controller = other.clone(),
        }
    }

    /// It has been restarted and lost what it remembered.
    pub fn restarted(&mut self, world: &impl World, now: SimTime) {
        match self {
            Self::Hpa(controller) => controller.restarted(),
            Self::Keda(controller) => controller.restarted(),
            Self::Knative(controller) => controller.restarted(world, now),
            Self::Google(controller) => controller.restarted(),
            Self::Own(controller) => controller.restarted(),
            // Amazon keeps what its groups remember.
            Self::Aws(_) => {}
        }
    }
}

/// A world made of plain values, for tests.
#[cfg(test)]
pub(crate) mod worlds {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use sim_core::{SimTime, Span};

    use super::super::kubernetes::pass::Target;
    use super::super::kubernetes::{MetricError, MetricSource, Phase, Pod, Ready, Sample, Template};
    use super::{Controller, Scraped, World};

    pub(crate) struct Plain {
        pub(crate) set: i32,
        pub(crate) pods: Vec<Pod>,
        pub(crate) values: BTreeMap<&'static str, f64>,
        pub(crate) scraped: Vec<Scraped>,
        pub(crate) proxied: Option<Span>,
    }

    impl Plain {
        /// So many pods that have been ready for ever.
        pub(crate) fn of(replicas: i32) -> Self {
            let mut plain = Self {
                set: 0,
                pods: Vec::new(),
                values: BTreeMap::new(),
                scraped: Vec::new(),
                proxied: None,
            };
            plain.resize(replicas);
            plain
        }

        /// All pods there at once.
        pub(crate) fn resize(&mut self, replicas: i32) {
            let template = Arc::new(Template::default());
            let pod = |id| Pod {
                id,
                phase: Phase::Running,
                ready: Some(Ready { is: true, since: SimTime::ZERO }),
                started: Some(SimTime::ZERO),
                deleting: false,
                template: template.clone(),
            };
            self.set = replicas;
            self.pods = (0..replicas as u32).map(pod).collect();
        }

        pub(crate) fn with(mut self, metric: &'static str, value: f64) -> Self {
            self.values.insert(metric, value);
            self
        }

        fn value(&self, metric: &str) -> Result<i64, MetricError> {
            self.values.get(metric).map(|value| (value * 1000.0) as i64).ok_or(MetricError::Unavailable)
        }
    }

    impl MetricSource for Plain {
        fn resource(&self, _: &str, _: Option<&str>) -> Result<Vec<Sample>, MetricError> {
            Err(MetricError::Unavailable)
        }

        fn pods(&self, _: &str) -> Result<Vec<Sample>, MetricError> {
            Err(MetricError::Unavailable)
        }

        fn object(&self, metric: &str) -> Result<i64, MetricError> {
            self.value(metric)
        }

        fn external(&self, metric: &str) -> Result<Vec<i64>, MetricError> {
            Ok(vec![self.value(metric)?])
        }
    }

    impl World for Plain {
        fn target(&self) -> Target<'_> {
            Target { spec_replicas: self.set, status_replicas: self.pods.len() as i32, pods: &self.pods }
        }

        fn scrape(&self) -> Vec<Scraped> {
            self.scraped.clone()
        }

        fn proxied(&self) -> Option<Span> {
            self.proxied
        }

        fn statistic(&self, metric: &str) -> Option<f64> {
            self.values.get(metric).copied()
        }
    }

    pub(crate) fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// A change of the count: when, in seconds, to how many, and why.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Change {
        pub(crate) second: u64,
        pub(crate) to: i32,
        pub(crate) why: String,
    }

    /// Runs a controller until a second that still belongs to it. `tell` sets the world before each look; every answer
    /// takes effect at once.
    pub(crate) fn reasoned_course(
        mut controller: Controller,
        start: i32,
        until: u64,
        tell: impl Fn(&mut Plain, u64),
    ) -> Vec<Change> {
        let mut world = Plain::of(start);
        let mut changes = Vec::new();
        let mut now = at(0);
        while now <= at(until) {
            let second = now.as_seconds() as u64;
            tell(&mut world, second);
            let decision = controller.look(&world, now);
            if let Some(to) = decision.replicas.filter(|to| *to != world.set) {
                let from = world.set;
                world.resize(to);
                controller.written(from, to, now);
                changes.push(Change { second, to, why: decision.why.name() });
            }
            now = decision.next;
        }
        changes
    }

    /// The same, without the reasons.
    pub(crate) fn course(
        controller: Controller,
        start: i32,
        until: u64,
        tell: impl Fn(&mut Plain, u64),
    ) -> Vec<(u64, i32)> {
        let changes = reasoned_course(controller, start, until, tell);
        changes.into_iter().map(|change| (change.second, change.to)).collect()
    }
}

//! Google's autoscaler over time.

use sim_core::{SimTime, Span};

use super::super::google::{Autoscaler, Settings, for_utilization};
use super::super::kubernetes::seconds;
use super::{Decision, Why, World};

/// A signal with its target.
#[derive(Clone, Debug, PartialEq)]
pub struct GoogleSignal {
    /// The metric: the mean over instances that have started.
    pub metric: Box<str>,
    /// What it is to be.
    pub target: f64,
}

/// A managed instance group's autoscaler.
#[derive(Clone, Debug, PartialEq)]
pub struct GoogleController {
    settings: Settings,
    signals: Vec<GoogleSignal>,
    autoscaler: Autoscaler,
}

/// Time between two decisions. Google does not promise one; its metrics come every minute.
const INTERVAL: Span = seconds(60);

impl GoogleController {
    /// A controller that remembers nothing.
    pub fn new(settings: Settings, signals: Vec<GoogleSignal>) -> Self {
        Self { settings, signals, autoscaler: Autoscaler::default() }
    }

    pub(super) fn look(&mut self, world: &impl World, now: SimTime) -> Decision {
        let seen = world.target();
        let current = i64::from(seen.spec_replicas);
        let ready = seen.pods.iter().filter(|pod| pod.is_ready()).count() as i64;
        let wanted = |signal: &GoogleSignal| {
            let value = world.statistic(&signal.metric)?;
            Some(for_utilization(ready, value, signal.target))
        };
        let wanted: Vec<i64> = self.signals.iter().filter_map(wanted).collect();
        let (size, reason) = self.autoscaler.decide(&self.settings, current, &wanted, now);
        Decision {
            replicas: i32::try_from(size).ok(),
            why: Why::Google(reason),
            next: now.saturating_add(INTERVAL),
        }
    }

    pub(super) fn restarted(&mut self) {
        self.autoscaler = Autoscaler::default();
    }
}

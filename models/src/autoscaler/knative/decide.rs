//! The decision that is made every two seconds.
//!
//! Source: knative/serving, `pkg/autoscaler/scaling/autoscaler.go`.

use sim_core::{SimTime, Span};

use super::super::kubernetes::seconds;
use super::window::MaxWindow;

/// Time between two decisions: `tickInterval` in `pkg/autoscaler/scaling/multiscaler.go`.
pub const TICK: Span = seconds(2);

/// What a decider goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// What a pod is aimed at.
    pub target_value: f64,
    /// What a pod can carry.
    pub total_value: f64,
    /// Room for bursts that is wanted; -1 for any.
    pub target_burst_capacity: f64,
    /// Times the pods that a burst has to ask for.
    pub panic_threshold: f64,
    /// Times the pods that one decision may lead to.
    pub max_scale_up_rate: f64,
    /// Times fewer pods that one decision may lead to.
    pub max_scale_down_rate: f64,
    /// How long a panic lasts after the last burst.
    pub stable_window: Span,
    /// Whether any route leads to the revision.
    pub reachable: bool,
    /// How long shrinking is put off.
    pub scale_down_delay: Span,
    /// Pods once there is anything to do.
    pub activation_scale: i32,
}

/// What a decider is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// Pods that are ready; nothing when that is not known.
    pub ready: Option<i32>,
    /// The averages over the stable and the panic window, in sum over pods; nothing when there are none.
    pub averages: Option<(f64, f64)>,
}

/// What a decider answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Pods that are wanted.
    pub desired: i32,
    /// Room beyond the wanted bursts; below zero the activator stays in the path of requests.
    pub excess_burst_capacity: f64,
    /// Why.
    pub reason: DecideReason,
}

/// Why a decider answers what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecideReason {
    /// The average over the stable window.
    Stable,
    /// The most that was wanted since the burst began.
    Panic,
    /// More was wanted within the delay.
    Delayed,
    /// The rates cut it.
    RateLimited,
    /// Raised to the activation scale.
    ActivationScale,
}

impl DecideReason {
    /// In a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Stable => "by the stable window's average",
            Self::Panic => "the most that the burst asked for",
            Self::Delayed => "held up by the delay",
            Self::RateLimited => "limited by the rates of a decision",
            Self::ActivationScale => "raised to the activation scale",
        }
    }
}

/// Decides for one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decider {
    panic_since: Option<SimTime>,
    max_panic_pods: i32,
    delay: Option<MaxWindow>,
}

impl Decider {
    /// A new decider. One that finds more than one pod is in panic: it has lost its history and must not shrink.
    pub fn new(spec: &Spec, ready: i32, now: SimTime) -> Self {
        Self {
            panic_since: (ready > 1).then_some(now),
            max_panic_pods: ready,
            delay: (spec.scale_down_delay > Span::ZERO)
                .then(|| MaxWindow::of_time(spec.scale_down_delay, TICK)),
        }
    }

    /// A decider in the middle of a panic.
    pub fn panicking(spec: &Spec, since: SimTime, max_panic_pods: i32) -> Self {
        Self { panic_since: Some(since), max_panic_pods, ..Self::new(spec, 0, since) }
    }

    /// Since when it panics.
    pub fn panic_since(&self) -> Option<SimTime> {
        self.panic_since
    }

    /// The most pods that were wanted in this panic.
    pub fn max_panic_pods(&self) -> i32 {
        self.max_panic_pods
    }

    /// The decision; nothing when it is not known how many pods there are or what they do.
    pub fn decide(&mut self, spec: &Spec, observed: &Observed, now: SimTime) -> Option<Answer> {
        let (Some(ready), Some((stable, panic))) = (observed.ready, observed.averages) else {
            return None;
        };
        let pods = f64::from(ready).max(1.0);
        let most = (spec.max_scale_up_rate * pods).ceil();
        let fewest = if spec.reachable { (pods / spec.max_scale_down_rate).floor() } else { 0.0 };
        let for_stable = (stable / spec.target_value).ceil();
        let for_panic = (panic / spec.target_value).ceil();
        let limited = |wanted: f64| wanted.max(fewest).min(most) as i32;
        let activated = |wanted: f64| {
            let limited = limited(wanted);
            let raises = spec.activation_scale > 1 && wanted > 0.0;
            if raises { limited.max(spec.activation_scale) } else { limited }
        };
        let (want_stable, want_panic) = (activated(for_stable), activated(for_panic));

        let bursts = for_panic / pods >= spec.panic_threshold;
        if bursts {
            self.panic_since = Some(now);
        } else if self.panic_since.is_some_and(|since| now.since(since) > spec.stable_window) {
            self.panic_since = None;
            self.max_panic_pods = 0;
        }

        let mut desired = want_stable;
        let mut reason = if want_stable > limited(for_stable) {
            DecideReason::ActivationScale
        } else if for_stable < fewest || for_stable > most {
            DecideReason::RateLimited
        } else {
            DecideReason::Stable
        };
        if self.panic_since.is_some() {
            self.max_panic_pods = self.max_panic_pods.max(want_stable).max(want_panic);
            desired = self.max_panic_pods;
            reason = DecideReason::Panic;
        }
        if let Some(delay) = self.delay.as_mut().filter(|_| spec.reachable) {
            delay.record_at(now, TICK, desired);
            let delayed = delay.current().unwrap_or(desired);
            if delayed != desired {
                reason = DecideReason::Delayed;
            }
            desired = delayed;
        }

        let capacity = f64::from(ready) * spec.total_value;
        let excess_burst_capacity = if spec.target_burst_capacity == 0.0 {
            0.0
        } else if spec.target_burst_capacity > 0.0 {
            (capacity - spec.target_burst_capacity - panic).floor()
        } else {
            -1.0
        };
        Some(Answer { desired, excess_burst_capacity, reason })
    }
}

//! From a decision to a number that is written: bounds, and the way to zero.
//!
//! Source: knative/serving, `pkg/reconciler/autoscaling/kpa/scaler.go`.

use sim_core::{SimTime, Span};

use super::super::kubernetes::seconds;
use super::{ClusterConfig, Revision};

/// An activation is given up this long after its deadline: `activationTimeoutBuffer`.
pub const ACTIVATION_TIMEOUT_BUFFER: Span = seconds(30);
/// When to look again at a revision that has just been taken out of service: `handleScaleToZero`.
const AFTER_DEACTIVATION: Span = seconds(3);

/// The condition `Active` of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// True: it serves.
    Active,
    /// Unknown: it is being brought up.
    Activating,
    /// False: requests go to the activator.
    Inactive,
}

/// Whether a route leads to a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reachability {
    /// One does.
    Reachable,
    /// None does.
    Unreachable,
    /// Not known yet.
    Unknown,
}

/// Where requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Through the activator, as far as is asked for.
    pub proxy: bool,
    /// How long they have in fact.
    pub proxy_for: Span,
    /// What the activator answers when it is asked whether it is in the path.
    pub probe: Probe,
}

/// What comes back from a question to the activator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It is in the path.
    Ok,
    /// It is not.
    Negative,
    /// There was no answer.
    Error,
}

/// How a revision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it serves.
    pub activity: Activity,
    /// Since when.
    pub since: SimTime,
    /// Whether it once had as many pods as it was to begin with.
    pub initialized: bool,
    /// Whether a route leads to it.
    pub reachability: Reachability,
    /// The number that is written now.
    pub current: i32,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Pods that are wanted; nothing for no opinion.
    pub wanted: Option<i32>,
    /// Whether the number is to be written: it is wanted now, and differs from the present one.
    pub write: bool,
    /// When to look again without another decision.
    pub again: Option<Span>,
    /// Whether the activator is to be asked in the background until it is in the path.
    pub keeps_asking: bool,
    /// Why.
    pub reason: ApplyReason,
}

/// Why a decision is applied as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyReason {
    /// There is no decision yet.
    NoDecision,
    /// As decided.
    AsDecided,
    /// The bounds changed it.
    Bounded,
    /// Scaling to zero is switched off.
    ScaleToZeroOff,
    /// It has been coming up for too long.
    ActivationTimedOut,
    /// It is coming up.
    Activating,
    /// It has been active for a stable window, so it is taken out of service; its pods stay.
    Deactivated,
    /// One pod for the rest of the stable window.
    ActiveForLessThanWindow,
    /// It has been out of service long enough.
    Idle,
    /// The last pod is kept for a while.
    PodRetention,
    /// Requests have gone through the activator for long enough.
    ProxiedForGrace,
    /// The activator has to be in the path for a while longer.
    GracePeriod,
    /// The activator is not in the path yet.
    NotProxied,
}

impl ApplyReason {
    /// In a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NoDecision => "no decision yet",
            Self::AsDecided => "as decided",
            Self::Bounded => "held at the fewest or the most",
            Self::ScaleToZeroOff => "one stays: scaling to zero is off",
            Self::ActivationTimedOut => "it came up for too long",
            Self::Activating => "coming up",
            Self::Deactivated => "out of service; its pods stay",
            Self::ActiveForLessThanWindow => "one stays for the rest of the window",
            Self::Idle => "out of service for long enough",
            Self::PodRetention => "the last pod is kept for a while",
            Self::ProxiedForGrace => "behind the activator for long enough",
            Self::GracePeriod => "behind the activator for a while yet",
            Self::NotProxied => "the activator is not in the path yet",
        }
    }
}

/// Applies a decision; nothing for no decision yet.
pub fn apply(
    config: &ClusterConfig,
    revision: &Revision,
    standing: &Standing,
    serving: &Serving,
    desired: Option<i32>,
    now: SimTime,
) -> Applied {
    let nothing = Applied {
        wanted: desired,
        write: false,
        again: None,
        keeps_asking: false,
        reason: ApplyReason::NoDecision,
    };
    if desired.is_none() && standing.activity != Activity::Activating {
        return nothing;
    }
    let unreachable = standing.reachability == Reachability::Unreachable;
    let (mut min, max) = revision.bounds(config, !unreachable);
    let initial = revision.initial_scale(config);
    if initial > 1 && !standing.initialized && !unreachable {
        min = min.max(initial);
    }
    let decided = desired.unwrap_or(-1);
    let bounded = if decided < min {
        min
    } else if max != 0 && decided > max {
        max
    } else {
        decided
    };
    if bounded == 0 {
        return to_zero(config, revision, standing, serving, now);
    }
    let reason = if bounded == decided { ApplyReason::AsDecided } else { ApplyReason::Bounded };
    Applied { wanted: Some(bounded), write: bounded != standing.current, reason, ..nothing }
}

/// Nothing is wanted: how far it goes towards zero now.
fn to_zero(
    config: &ClusterConfig,
    revision: &Revision,
    standing: &Standing,
    serving: &Serving,
    now: SimTime,
) -> Applied {
    let write = |wanted: i32, reason| Applied {
        wanted: Some(wanted),
        write: wanted != standing.current,
        again: None,
        keeps_asking: false,
        reason,
    };
    let wait = |again, reason| Applied { write: false, again, ..write(0, reason) };
    if !config.enable_scale_to_zero {
        return write(1, ApplyReason::ScaleToZeroOff);
    }
    let age = now.since(standing.since);
    match standing.activity {
        Activity::Activating => {
            let deadline = revision.progress_deadline.unwrap_or(config.progress_deadline);
            let timeout = deadline + ACTIVATION_TIMEOUT_BUFFER;
            if age > timeout {
                return write(0, ApplyReason::ActivationTimedOut);
            }
            Applied { wanted: None, ..wait(Some(timeout), ApplyReason::Activating) }
        }
        Activity::Active => {
            let window = revision.stable_window(config);
            if age >= window {
                return wait(serving.proxy.then_some(AFTER_DEACTIVATION), ApplyReason::Deactivated);
            }
            Applied { again: Some(window - age), ..write(1, ApplyReason::ActiveForLessThanWindow) }
        }
        Activity::Inactive => {
            let always_proxied = revision.target_burst_capacity(config) < 0.0;
            if !always_proxied && serving.probe != Probe::Ok {
                return Applied { keeps_asking: true, ..wait(None, ApplyReason::NotProxied) };
            }
            let kept = if standing.reachability == Reachability::Unreachable {
                Span::ZERO
            } else {
                revision.scale_to_zero_pod_retention.unwrap_or(config.scale_to_zero_pod_retention)
            };
            let grace = config.scale_to_zero_grace_period;
            if age >= grace.max(kept) {
                write(0, ApplyReason::Idle)
            } else if age < kept {
                wait(Some(kept - age), ApplyReason::PodRetention)
            } else if serving.proxy_for >= grace {
                write(0, ApplyReason::ProxiedForGrace)
            } else {
                wait(Some(grace - serving.proxy_for), ApplyReason::GracePeriod)
            }
        }
    }
}

/// Pods that have to be ready for a revision to serve.
///
/// Source: `activeThreshold` in `pkg/reconciler/autoscaling/kpa/kpa.go`.
pub fn active_threshold(config: &ClusterConfig, revision: &Revision, standing: &Standing) -> i32 {
    let (min, _) = revision.bounds(config, standing.reachability != Reachability::Unreachable);
    min.max(if standing.initialized { 1 } else { revision.initial_scale(config) })
}

/// Whether a revision counts as serving, coming up, or neither, given the pods that are ready and wanted; without an
/// opinion on those, what is out of service stays so.
///
/// Source: `computeActiveCondition` in `pkg/reconciler/autoscaling/kpa/kpa.go`.
pub fn activity(before: Activity, ready: i32, wanted: Option<i32>, threshold: i32) -> Activity {
    let stays_out = wanted.is_none() && before == Activity::Inactive;
    if wanted == Some(0) || threshold == 0 || stays_out {
        Activity::Inactive
    } else if ready < threshold {
        Activity::Activating
    } else {
        Activity::Active
    }
}

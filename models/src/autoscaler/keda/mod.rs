//! KEDA: a loop that takes a target from zero to one and back, and an autoscaler of Kubernetes that does the rest.
//!
//! Source: kedacore/keda, main of August 2026 (documentation 2.21): `apis/keda/v1alpha1/scaledobject_types.go`,
//! `pkg/scaling/executor/scale_scaledobjects.go`.

pub mod fallback;
pub mod formula;
pub mod jobs;

use sim_core::{SimTime, Span};

use super::kubernetes::{Behavior, Hpa, Metric, PartialRules, Select, ValueTarget, seconds};
pub use fallback::{Fallback, FallbackBehavior, Health};
pub use formula::{Formula, FormulaError};
pub use jobs::{JobStrategy, ScaledJob};

/// A `ScaledObject`: what to scale, by what, and when to nothing.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "they are annotations, each by itself")]
pub struct ScaledObject {
    /// Time between two looks at the triggers. `pollingInterval`, 30 s.
    pub polling_interval: Span,
    /// How long nothing is active before it goes to zero. `cooldownPeriod`, 300 s.
    pub cooldown_period: Span,
    /// The same for one that was never active. `initialCooldownPeriod`, 0 s.
    pub initial_cooldown_period: Span,
    /// Fewest replicas while active. `minReplicaCount`, 0.
    pub min_replicas: Option<i32>,
    /// Most replicas. `maxReplicaCount`, 100.
    pub max_replicas: Option<i32>,
    /// Replicas while nothing is active, below the fewest. `idleReplicaCount`, none.
    pub idle_replicas: Option<i32>,
    /// What to go by when a trigger fails.
    pub fallback: Option<Fallback>,
    /// What it looks at.
    pub triggers: Vec<Trigger>,
    /// A formula over all triggers, instead of each by itself.
    pub modifiers: Option<Modifiers>,
    /// Passed on to the autoscaler.
    pub behavior: Option<Behavior>,
    /// Nothing is scaled.
    pub paused: bool,
    /// Nothing shrinks.
    pub paused_scale_in: bool,
    /// Nothing grows.
    pub paused_scale_out: bool,
    /// Active whatever the triggers say.
    pub force_activation: bool,
}

impl Default for ScaledObject {
    fn default() -> Self {
        Self {
            polling_interval: seconds(30),
            cooldown_period: seconds(300),
            initial_cooldown_period: Span::ZERO,
            min_replicas: None,
            max_replicas: None,
            idle_replicas: None,
            fallback: None,
            triggers: Vec::new(),
            modifiers: None,
            behavior: None,
            paused: false,
            paused_scale_in: false,
            paused_scale_out: false,
            force_activation: false,
        }
    }
}

/// Replicas at most, where nothing is said.
const MOST_REPLICAS: i32 = 100;

/// One of the things that a [`ScaledObject`] looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The name of its metric; also its name in a formula.
    pub name: Box<str>,
    /// What it measures.
    pub kind: TriggerKind,
    /// Whether the autoscaler is handed what the last look found, rather than a value of its own.
    pub use_cached_metrics: bool,
}

/// What a trigger measures.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerKind {
    /// CPU or memory of the pods: left to the autoscaler, and always active.
    Resource(Metric),
    /// A value from elsewhere.
    External {
        /// What the autoscaler holds it against.
        target: ValueTarget,
        /// Active above this, and only above it; in thousandths.
        activation_milli: i64,
    },
}

/// A formula over triggers.
#[derive(Clone, Debug, PartialEq)]
pub struct Modifiers {
    /// The formula.
    pub formula: Formula,
    /// What its value is held against.
    pub target: ValueTarget,
    /// Active above this; in thousandths.
    pub activation_milli: i64,
}

/// The name of the metric that a formula makes.
pub const COMPOSITE_METRIC: &str = "s0-composite";

impl ScaledObject {
    /// Fewest replicas that the autoscaler is given: one, if the loop may go to zero.
    pub fn hpa_min(&self) -> i32 {
        self.min_replicas.filter(|min| *min > 0).unwrap_or(1)
    }

    /// Most replicas that the autoscaler is given.
    pub fn hpa_max(&self) -> i32 {
        self.max_replicas.unwrap_or(MOST_REPLICAS)
    }

    /// Whether fewest, most and idle go together.
    pub fn bounds_are_valid(&self) -> bool {
        let min = self.min_replicas.map_or(0, |_| self.hpa_min());
        min <= self.hpa_max() && self.idle_replicas.is_none_or(|idle| idle < min)
    }

    /// The autoscaler of Kubernetes that is made for it.
    pub fn hpa(&self) -> Hpa {
        let external = |name: &str, target| Metric::External { metric: name.into(), target };
        let metrics = match &self.modifiers {
            Some(modifiers) => {
                let resources = self.triggers.iter().filter_map(|trigger| match &trigger.kind {
                    TriggerKind::Resource(metric) => Some(metric.clone()),
                    TriggerKind::External { .. } => None,
                });
                resources.chain([external(COMPOSITE_METRIC, modifiers.target)]).collect()
            }
            None => self
                .triggers
                .iter()
                .map(|trigger| match &trigger.kind {
                    TriggerKind::Resource(metric) => metric.clone(),
                    TriggerKind::External { target, .. } => external(&trigger.name, *target),
                })
                .collect(),
        };
        let mut behavior = self.behavior.clone();
        if self.paused_scale_in || self.paused_scale_out {
            let rules = behavior.get_or_insert_with(|| {
                Behavior::filled(&PartialRules::default(), &PartialRules::default(), seconds(300))
            });
            if self.paused_scale_in {
                rules.scale_down.select = Select::Disabled;
            }
            if self.paused_scale_out {
                rules.scale_up.select = Select::Disabled;
            }
        }
        Hpa { min_replicas: self.hpa_min(), max_replicas: self.hpa_max(), metrics, behavior }
    }
}

/// Whether a value makes a trigger active: above the threshold, not at it.
pub fn is_active(value_milli: i64, activation_milli: i64) -> bool {
    value_milli > activation_milli
}

/// What the loop sees when it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Replicas that the target is told to have.
    pub current: i32,
    /// Whether any trigger is active.
    pub active: bool,
    /// Whether any trigger failed.
    pub error: bool,
    /// When a trigger was last active.
    pub last_active: Option<SimTime>,
    /// When the object was made.
    pub created: SimTime,
    /// The time of the look.
    pub now: SimTime,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The number to write, the present one where there is nothing to do.
    pub replicas: i32,
    /// Why.
    pub reason: LoopReason,
    /// The condition `Active`; nothing while it is paused.
    pub active: Option<bool>,
    /// The condition `Ready`; nothing for unknown.
    pub ready: Option<bool>,
    /// Whether this look counts as the last time that something was active.
    pub was_active: bool,
}

/// Why the loop does what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopReason {
    /// The object is paused.
    Paused,
    /// A trigger is active, so it leaves zero, or idle.
    Activated,
    /// The same, but growth is paused.
    ScaleOutPaused,
    /// Something is active, or nothing is and nothing can go: the autoscaler does the rest.
    LeftToHpa,
    /// A trigger failed; the fallback is the autoscaler's.
    LeftToFallback,
    /// A trigger failed and there is no fallback.
    TriggerError,
    /// Nothing has been active for long enough.
    Deactivated,
    /// Nothing is active, but not for long enough.
    CoolingDown,
    /// Nothing has been active for long enough, but shrinking is paused.
    ScaleInPaused,
    /// Below the fewest.
    RaisedToMinimum,
}

impl LoopReason {
    /// In a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Activated => "a trigger is active: away from zero",
            Self::ScaleOutPaused => "growth is paused",
            Self::LeftToHpa => "left to the autoscaler it makes",
            Self::LeftToFallback => "a trigger failed: left to the fallback",
            Self::TriggerError => "a trigger failed, and there is no fallback",
            Self::Deactivated => "nothing was active for a cooldown",
            Self::CoolingDown => "nothing is active, not for long enough",
            Self::ScaleInPaused => "shrinking is paused",
            Self::RaisedToMinimum => "raised to the fewest",
        }
    }
}

/// One look at the triggers.
///
/// Cool-downs are over when more than their time has passed, not when it has.
///
/// Source: `RequestScale` in `pkg/scaling/executor/scale_scaledobjects.go`.
pub fn look(object: &ScaledObject, seen: &Look) -> Found {
    let min = object.min_replicas.unwrap_or(0);
    let mut found = Found {
        replicas: seen.current,
        reason: LoopReason::LeftToHpa,
        active: None,
        ready: Some(true),
        was_active: false,
    };
    if object.paused {
        return Found { reason: LoopReason::Paused, ..found };
    }
    let active = seen.active || object.force_activation;
    found.active = Some(active);
    if active {
        if seen.current == 0 || (object.idle_replicas.is_some() && seen.current < min) {
            if object.paused_scale_out {
                found.reason = LoopReason::ScaleOutPaused;
            } else {
                found.replicas = min.max(1);
                found.reason = LoopReason::Activated;
                found.was_active = true;
            }
        } else if seen.error {
            found.ready = None;
        } else {
            found.was_active = true;
        }
        return found;
    }
    if seen.error && object.fallback.as_ref().is_some_and(|fallback| fallback.replicas != 0) {
        found.reason = LoopReason::LeftToFallback;
    } else if seen.error && object.fallback.is_none() {
        found.ready = Some(false);
        found.reason = LoopReason::TriggerError;
    } else if object.idle_replicas.is_some_and(|idle| seen.current > idle) || (seen.current > 0 && min == 0) {
        if object.paused_scale_in {
            found.reason = LoopReason::ScaleInPaused;
        } else if has_cooled_down(object, seen) {
            found.replicas = object.idle_replicas.unwrap_or(min);
            found.reason = LoopReason::Deactivated;
        } else {
            found.reason = LoopReason::CoolingDown;
        }
    } else if object.idle_replicas.is_none() && seen.current < min {
        found.replicas = min;
        found.reason = LoopReason::RaisedToMinimum;
    }
    found
}

fn has_cooled_down(object: &ScaledObject, seen: &Look) -> bool {
    match seen.last_active {
        Some(last) => seen.now.since(last) > object.cooldown_period,
        None => seen.now.since(seen.created) > object.initial_cooldown_period,
    }
}

//! KEDA over time: a loop that polls its triggers, and the autoscaler of Kubernetes beside it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sim_core::SimTime;

use super::super::keda::fallback::{Handed, hand_over, value_in_formula};
use super::super::keda::formula::composite_milli;
use super::super::keda::{COMPOSITE_METRIC, Health, Look, ScaledObject, TriggerKind, is_active, look};
use super::super::kubernetes::calculator::sum_of_series;
use super::super::kubernetes::{ControllerSettings, MetricError, MetricSource, Phase, Sample, ValueTarget};
use super::{Decision, HpaController, Why, World};

/// One `ScaledObject`.
#[derive(Clone, Debug, PartialEq)]
pub struct KedaController {
    object: ScaledObject,
    hpa: HpaController,
    sync: sim_core::Span,
    created: SimTime,
    last_active: Option<SimTime>,
    health: BTreeMap<Box<str>, Health>,
    /// What the last poll found.
    polled: BTreeMap<Box<str>, Option<i64>>,
    next_poll: SimTime,
    next_sync: SimTime,
}

impl KedaController {
    /// A controller for an object that is made now.
    pub fn new(object: ScaledObject, settings: ControllerSettings, now: SimTime) -> Self {
        let hpa = HpaController::new(object.hpa(), settings);
        Self {
            object,
            hpa,
            sync: settings.sync_period,
            created: now,
            last_active: None,
            health: BTreeMap::new(),
            polled: BTreeMap::new(),
            next_poll: now,
            next_sync: now,
        }
    }

    /// A poll, a pass of the autoscaler, or both; where both are due the poll's change comes first.
    pub(super) fn look(&mut self, world: &impl World, now: SimTime) -> Decision {
        let mut decision = None;
        if now >= self.next_poll {
            self.next_poll = now.saturating_add(self.object.polling_interval);
            decision = self.poll(world, now);
        }
        if now >= self.next_sync && decision.is_none() {
            self.next_sync = now.saturating_add(self.sync);
            decision = Some(self.sync(world, now));
        }
        let left = (None, Why::Keda(super::super::keda::LoopReason::LeftToHpa));
        let (replicas, why) = decision.unwrap_or(left);
        // A pass that had to wait for a poll's change is made up for at once.
        let next = self.next_poll.min(self.next_sync).max(now.saturating_add(sim_core::Span::from_nanos(1)));
        Decision { replicas, why, next }
    }

    /// Asks all triggers; an answer only if the loop changes something.
    fn poll(&mut self, world: &impl World, now: SimTime) -> Option<(Option<i32>, Why)> {
        let (mut active, mut error) = (false, false);
        let mut external = false;
        for trigger in &self.object.triggers {
            let TriggerKind::External { activation_milli, .. } = trigger.kind else {
                continue;
            };
            external = true;
            let value = world.external(&trigger.name).and_then(|values| sum_of_series(&values)).ok();
            active |= value.is_some_and(|value| is_active(value, activation_milli));
            error |= value.is_none();
            self.polled.insert(trigger.name.clone(), value);
        }
        if let Some(modifiers) = &self.object.modifiers {
            let composite = composite(&self.object, &self.health, &self.polled);
            active = !error && composite.is_ok_and(|value| is_active(value, modifiers.activation_milli));
        }
        let current = world.target().spec_replicas;
        let seen = Look {
            current,
            active: active || !external,
            error,
            last_active: self.last_active,
            created: self.created,
            now,
        };
        let found = look(&self.object, &seen);
        if found.was_active {
            self.last_active = Some(now);
        }
        (found.replicas != current).then_some((Some(found.replicas), Why::Keda(found.reason)))
    }

    fn sync(&mut self, world: &impl World, now: SimTime) -> (Option<i32>, Why) {
        let asked =
            Asked { keda: RefCell::new(&mut self.health), object: &self.object, polled: &self.polled, world };
        let pass = self.hpa.pass(world, &asked, now);
        let decision = self.hpa.decision(&pass, now);
        (decision.replicas, decision.why)
    }

    pub(super) fn written(&mut self, from: i32, to: i32, now: SimTime) {
        self.hpa.written(from, to, now);
    }

    pub(super) fn follow(&mut self, other: &Self) {
        self.object.clone_from(&other.object);
        self.hpa.follow(&other.hpa);
        self.sync = other.sync;
    }

    pub(super) fn restarted(&mut self) {
        self.hpa.restarted();
    }
}

/// The value of the formula over what triggers measured.
fn composite(
    object: &ScaledObject,
    health: &BTreeMap<Box<str>, Health>,
    values: &BTreeMap<Box<str>, Option<i64>>,
) -> Result<i64, MetricError> {
    let modifiers = object.modifiers.as_ref().ok_or(MetricError::Unsupported)?;
    let mut known = BTreeMap::new();
    for (name, milli) in values {
        let failures = health.get(name).map_or(0, |health| health.failures);
        let value = milli.map(|milli| milli as f64 / 1000.0);
        let value = value.and_then(|value| value_in_formula(object.fallback.as_ref(), failures, value));
        known.insert(name.clone(), value);
    }
    let target = match modifiers.target {
        ValueTarget::Value(milli) | ValueTarget::AverageValue(milli) => milli as f64 / 1000.0,
    };
    let replicas = object.fallback.map(|fallback| fallback.replicas);
    composite_milli(&modifiers.formula, &known, replicas, Some(target)).map_err(|_| MetricError::Unavailable)
}

/// KEDA as the source of the autoscaler's metrics.
struct Asked<'a, W> {
    keda: RefCell<&'a mut BTreeMap<Box<str>, Health>>,
    object: &'a ScaledObject,
    polled: &'a BTreeMap<Box<str>, Option<i64>>,
    world: &'a W,
}

impl<W: World> Asked<'_, W> {
    /// What a trigger hands over.
    fn hand(&self, name: &str) -> Result<Handed, MetricError> {
        let trigger = self
            .object
            .triggers
            .iter()
            .find(|trigger| &*trigger.name == name)
            .ok_or(MetricError::Unsupported)?;
        let TriggerKind::External { target, .. } = trigger.kind else {
            return Err(MetricError::Unsupported);
        };
        let value = if trigger.use_cached_metrics {
            self.polled.get(name).copied().flatten()
        } else {
            self.world.external(name).and_then(|values| sum_of_series(&values)).ok()
        };
        let seen = self.world.target();
        let ready = seen.pods.iter().filter(|pod| pod.phase == Phase::Running && pod.is_ready()).count();
        let mut health = self.keda.borrow_mut();
        let health = health.entry(name.into()).or_default();
        let fallback = self.object.fallback.as_ref();
        Ok(hand_over(fallback, health, value, target, seen.spec_replicas, ready as i32))
    }
}

impl<W: World> MetricSource for Asked<'_, W> {
    fn resource(&self, resource: &str, container: Option<&str>) -> Result<Vec<Sample>, MetricError> {
        self.world.resource(resource, container)
    }

    fn pods(&self, metric: &str) -> Result<Vec<Sample>, MetricError> {
        self.world.pods(metric)
    }

    fn object(&self, metric: &str) -> Result<i64, MetricError> {
        self.world.object(metric)
    }

    fn external(&self, metric: &str) -> Result<Vec<i64>, MetricError> {
        let value = if metric == COMPOSITE_METRIC && self.object.modifiers.is_some() {
            let mut values = BTreeMap::new();
            for trigger in &self.object.triggers {
                if !matches!(trigger.kind, TriggerKind::External { .. }) {
                    continue;
                }
                match self.hand(&trigger.name)? {
                    // One trigger in fallback puts the formula aside.
                    Handed::MadeUp(milli) => return Ok(vec![milli]),
                    Handed::Measured(milli) => values.insert(trigger.name.clone(), Some(milli)),
                    Handed::Missing => values.insert(trigger.name.clone(), None),
                    Handed::Error => return Err(MetricError::Unavailable),
                };
            }
            composite(self.object, &self.keda.borrow(), &values)?
        } else {
            match self.hand(metric)? {
                Handed::Measured(milli) | Handed::MadeUp(milli) => milli,
                Handed::Missing | Handed::Error => return Err(MetricError::Unavailable),
            }
        };
        Ok(vec![value])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::keda::{Fallback, FallbackBehavior, Trigger};
    use super::super::super::kubernetes::seconds;
    use super::super::Controller;
    use super::super::worlds::{self, at};
    use super::*;

    fn object() -> ScaledObject {
        let kind = TriggerKind::External { target: ValueTarget::AverageValue(10_000), activation_milli: 0 };
        ScaledObject {
            max_replicas: Some(20),
            triggers: vec![Trigger { name: "queue".into(), kind, use_cached_metrics: false }],
            ..ScaledObject::default()
        }
    }

    /// Runs an object on a queue that is told for each second, or is silent.
    fn course(
        object: ScaledObject,
        start: i32,
        queue: impl Fn(u64) -> Option<f64>,
        until: u64,
    ) -> Vec<(u64, i32)> {
        let controller = Controller::Keda(KedaController::new(object, ControllerSettings::default(), at(0)));
        worlds::course(controller, start, until, |world, second| {
            world.values = queue(second).map(|value| ("queue", value)).into_iter().collect();
        })
    }

    /// A queue of 80 from 10 s to 100 s. The poll of 30 s finds it: 1, and the autoscaler goes on to 4 and 8. The last
    /// active poll is at 90 s. The autoscaler holds 8 until its window of 300 s has passed; its last pass that wants 8
    /// is at 90 s. The cooldown is over once more than 300 s have passed since 90 s: at the poll of 420 s, for at 390 s
    /// it is exactly 300 s.
    #[test]
    fn from_zero_and_back() {
        let queue = |second| Some(if (10..100).contains(&second) { 80.0 } else { 0.0 });
        let changes = course(object(), 0, queue, 600);
        assert_eq!(changes.first(), Some(&(30, 1)));
        assert_eq!(changes[1..3], [(30, 4), (45, 8)]);
        assert_eq!(changes.last(), Some(&(420, 0)));
    }

    /// The source is silent from 100 s on. Passes at 105, 120 and 135 s fail; the one at 150 s is the fourth, one more
    /// than the threshold, and gets a made-up value for 6 replicas.
    #[test]
    fn a_silent_source_falls_back_after_its_threshold() {
        let fallback = Fallback { failure_threshold: 3, replicas: 6, behavior: FallbackBehavior::Static };
        let object = ScaledObject { min_replicas: Some(1), fallback: Some(fallback), ..object() };
        let queue = |second| (second < 100).then_some(20.0);
        assert_eq!(course(object, 2, queue, 300), [(150, 4), (165, 6)]);
    }

    /// 10 replicas, nothing active, never was: 120 s of initial cooldown have to be exceeded, which the poll of 150 s
    /// is the first to find.
    #[test]
    fn one_that_was_never_active_waits_for_its_initial_cooldown() {
        let object = ScaledObject { initial_cooldown_period: seconds(120), ..object() };
        assert_eq!(course(object, 10, |_| Some(0.0), 200), [(150, 0)]);
    }
}

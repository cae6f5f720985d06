//! The horizontal pod autoscaler over time.

use sim_core::SimTime;

use super::super::kubernetes::{ControllerSettings, History, Hpa, MetricSource, Pass, Reason, pass};
use super::{Decision, Why, World};

/// One autoscaler, looked at every sync period.
#[derive(Clone, Debug, PartialEq)]
pub struct HpaController {
    hpa: Hpa,
    settings: ControllerSettings,
    history: History,
}

impl HpaController {
    /// A controller that remembers nothing.
    pub fn new(hpa: Hpa, settings: ControllerSettings) -> Self {
        Self { hpa, settings, history: History::default() }
    }

    /// The flags of the controller that acts on it.
    pub fn settings(&self) -> &ControllerSettings {
        &self.settings
    }

    /// What it goes by.
    pub fn hpa(&self) -> &Hpa {
        &self.hpa
    }

    /// One pass, with all it has to say; `source` may be another than the world's.
    pub(super) fn pass(&mut self, world: &impl World, source: &impl MetricSource, now: SimTime) -> Pass {
        pass::pass(&self.hpa, &self.settings, &mut self.history, &world.target(), source, now)
    }

    pub(super) fn look(&mut self, world: &impl World, now: SimTime) -> Decision {
        let pass = self.pass(world, world, now);
        self.decision(&pass, now)
    }

    pub(super) fn decision(&self, pass: &Pass, now: SimTime) -> Decision {
        Decision {
            replicas: pass.error.is_none().then_some(pass.desired).or(pass.recommended.map(|_| pass.desired)),
            why: Why::Kubernetes(reason(pass)),
            next: now.saturating_add(self.settings.sync_period),
        }
    }

    pub(super) fn written(&mut self, from: i32, to: i32, now: SimTime) {
        self.history.changed(&self.hpa, from, to, now);
    }

    pub(super) fn follow(&mut self, other: &Self) {
        self.hpa.clone_from(&other.hpa);
        self.settings = other.settings;
    }

    pub(super) fn restarted(&mut self) {
        self.history = History::default();
    }
}

/// The one reason that says most: what switched it off or broke it, then the limit, then the window.
fn reason(pass: &Pass) -> Reason {
    match (pass.active, pass.limited) {
        (Some(active), _) if !active.is => active.reason,
        (_, Some(limited)) if limited.is => limited.reason,
        (_, Some(_)) if pass.able.reason == Reason::SucceededRescale => Reason::DesiredWithinRange,
        _ => pass.able.reason,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::kubernetes::{
        Behavior, Metric, PartialRules, Policy, PolicyType, ValueTarget, seconds,
    };
    use super::super::Controller;
    use super::super::worlds::{self, Plain, at};
    use super::*;

    fn hpa(behavior: Option<Behavior>) -> Hpa {
        let target = ValueTarget::AverageValue(10_000);
        Hpa {
            min_replicas: 1,
            max_replicas: 100,
            metrics: vec![Metric::External { metric: "queue".into(), target }],
            behavior,
        }
    }

    /// Runs a controller on a queue that is told for each second.
    fn course(
        behavior: Option<Behavior>,
        start: i32,
        queue: impl Fn(u64) -> f64,
        until: u64,
    ) -> Vec<(u64, i32)> {
        let controller = Controller::Hpa(HpaController::new(hpa(behavior), ControllerSettings::default()));
        worlds::course(controller, start, until, |world, second| {
            world.values.insert("queue", queue(second));
        })
    }

    /// 10 replicas at 100 for 100; from 60 s on the queue is 20. The recommendation of 10 at 45 s is 300 s old at
    /// 345 s and still counts; at 360 s it no longer does. With `behavior` it does not count at 345 s.
    #[test]
    fn shrinking_waits_for_the_window_to_pass() {
        let queue = |second| if second < 60 { 100.0 } else { 20.0 };
        assert_eq!(course(None, 10, queue, 600), [(360, 2)]);
        let none = PartialRules::default();
        let behavior = Behavior::filled(&none, &none, seconds(300));
        assert_eq!(course(Some(behavior), 10, queue, 600), [(345, 2)]);
    }

    /// Without `behavior` 1 grows to 4, 8, 16 and 30; with its defaults to 5, 10, 20 and 30.
    #[test]
    fn growth_is_doubling_either_way() {
        assert_eq!(course(None, 1, |_| 300.0, 100), [(0, 4), (15, 8), (30, 16), (45, 30)]);
        let none = PartialRules::default();
        let behavior = Behavior::filled(&none, &none, seconds(300));
        assert_eq!(course(Some(behavior), 1, |_| 300.0, 100), [(0, 5), (15, 10), (30, 20), (45, 30)]);
    }

    /// 2 pods a minute: after each step the whole minute has to pass, and a change exactly a minute old is past.
    #[test]
    fn policies_count_what_was_changed_within_their_period() {
        let policy = Policy { kind: PolicyType::Pods, value: 2, period: seconds(60) };
        let down = PartialRules {
            window: Some(seconds(0)),
            policies: Some(vec![policy]),
            ..PartialRules::default()
        };
        let behavior = Behavior::filled(&PartialRules::default(), &down, seconds(300));
        assert_eq!(course(Some(behavior), 10, |_| 20.0, 200), [(0, 8), (60, 6), (120, 4), (180, 2)]);
    }

    /// A restarted controller knows only the present size, and holds it for a window.
    #[test]
    fn a_restart_holds_the_size_for_a_window() {
        let mut controller = Controller::Hpa(HpaController::new(hpa(None), ControllerSettings::default()));
        let world = Plain::of(10).with("queue", 20.0);
        assert_eq!(controller.look(&world, at(0)).replicas, Some(10));
        assert_eq!(controller.look(&world, at(315)).replicas, Some(2));
        controller.restarted(&world, at(320));
        let decision = controller.look(&world, at(330));
        assert_eq!(decision.replicas, Some(10));
        assert_eq!(decision.why.name(), "ScaleDownStabilized");
    }

    #[test]
    fn a_metric_that_is_gone_freezes_the_count() {
        let mut controller = Controller::Hpa(HpaController::new(hpa(None), ControllerSettings::default()));
        let decision = controller.look(&Plain::of(10), at(0));
        assert_eq!(decision.replicas, None);
        assert_eq!(decision.why.name(), "FailedGetExternalMetric");
    }
}

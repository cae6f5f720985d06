//! Who waits in front of slots, and who may: orders, shares of classes, limits that adapt.

use models::blueprint::{
    AdaptPlan, AdaptRule, AimdPlan, Bounds, CodelPlan, Discipline, GradientPlan, PolicyPlan, PoolId,
    PoolPlan, VegasPlan,
};
use sim_core::Span;

use super::{Checker, span};
use crate::spec::{
    AdaptSpec, At, CodelSpec, DistributionSpec, Flag, Name, Named, OrderSpec, Positive, ServiceSpec, Share,
    SlotsSpec, StepSpec, Time,
};
use crate::tree::Place;

/// What a resource of slots, and a service with workers, say of their line.
pub(super) struct LineSpec<'a> {
    order: Option<&'a At<OrderSpec>>,
    timeout: Option<&'a DistributionSpec<Time>>,
    drop_abandoned: Option<&'a At<Flag>>,
    admit: Option<&'a Named<At<Share>>>,
    adapt: Option<&'a At<AdaptSpec>>,
}

impl<'a> LineSpec<'a> {
    pub(super) fn of_slots(spec: &'a SlotsSpec) -> Self {
        Self {
            order: Some(&spec.order),
            timeout: spec.timeout.as_ref(),
            drop_abandoned: Some(&spec.drop_abandoned),
            admit: spec.admit.as_ref(),
            adapt: spec.adapt.as_ref(),
        }
    }

    pub(super) fn of_workers(spec: &'a ServiceSpec) -> Self {
        Self {
            order: spec.order.as_ref(),
            timeout: spec.timeout.as_ref(),
            drop_abandoned: spec.drop_abandoned.as_ref(),
            admit: spec.admit.as_ref(),
            adapt: spec.adapt.as_ref(),
        }
    }

    /// What is said, and where.
    pub(super) fn said(&self) -> Vec<(&'static str, Place)> {
        let admit = self.admit.and_then(|admit| admit.entries.first());
        let said = [
            ("order", self.order.map(|order| order.place)),
            ("timeout", self.timeout.map(|timeout| timeout.place)),
            ("drop_abandoned", self.drop_abandoned.map(|flag| flag.place)),
            ("admit", admit.map(|entry| entry.place)),
            ("adapt", self.adapt.map(|adapt| adapt.place)),
        ];
        said.into_iter().filter_map(|(key, place)| Some((key, place?))).collect()
    }
}

impl Checker<'_> {
    /// Writes what is said of the line into the plan of pool `id`; `slots` is where their number stands.
    pub(super) fn line(&mut self, plan: &mut PoolPlan, line: &LineSpec<'_>, slots: Place) {
        let id = PoolId(self.pools.len() as u32);
        if let Some(order) = line.order {
            plan.order = self.order(order, id);
        }
        if let Some(timeout) = line.timeout {
            plan.timeout = self.distribution(timeout);
            if plan.timeout.as_ref().is_some_and(|law| law.mean() <= 0.0) {
                let help = "to refuse whoever would have to wait, write `queue: 0`";
                self.error(timeout.place, "this leaves no time to wait at all", help);
            }
        }
        plan.drop_abandoned = line.drop_abandoned.is_some_and(|flag| flag.value.on);
        if let Some(admit) = line.admit {
            plan.admit = self.admit(admit);
        }
        plan.adapt = line.adapt.and_then(|adapt| self.adapt(adapt, plan.slots, slots));
    }

    fn order(&mut self, order: &At<OrderSpec>, id: PoolId) -> Discipline {
        match &order.value {
            OrderSpec::Fifo => Discipline::Fifo,
            OrderSpec::Lifo => Discipline::Lifo,
            OrderSpec::Random => Discipline::Random,
            OrderSpec::Sjf => Discipline::Sjf,
            OrderSpec::Edf => {
                self.urgent.push((id, order.place));
                Discipline::Edf
            }
            OrderSpec::Codel(codel) => self.codel(codel).map_or(Discipline::Fifo, Discipline::Codel),
            OrderSpec::AdaptiveLifo(spec) => Discipline::AdaptiveLifo {
                above: spec.0.above.value.count,
                codel: spec.0.codel.as_ref().and_then(|codel| self.codel(codel)),
            },
            OrderSpec::Priority => {
                if self.classes.len() < 2 {
                    let help = "give a traffic `attributes: {class: {critical: 20%, bulk: 80%}, priority: [critical, bulk]}`";
                    self.error(order.place, "`order: priority` needs requests of different classes", help);
                }
                Discipline::Priority
            }
        }
    }

    fn codel(&mut self, codel: &CodelSpec) -> Option<CodelPlan> {
        let (target, interval) = (&codel.0.target, &codel.0.interval);
        if target.value.seconds >= interval.value.seconds {
            let message = "the target is not shorter than the interval";
            let help =
                "RFC 8289: the interval is about the longest response time, the target 5 to 10 % of it";
            self.error(target.place, message, help);
            return None;
        }
        Some(CodelPlan { target: span(target)?, interval: span(interval)? })
    }

    /// By class, the share of the slots that it may fill.
    fn admit(&mut self, shares: &Named<At<Share>>) -> Vec<f64> {
        let mut admit = vec![1.0; self.classes.len()];
        for entry in &shares.entries {
            let name = At { value: Name(entry.name.clone()), place: entry.place };
            if let (Some(class), Some(share)) = (self.class_named(&name), &entry.value) {
                admit[usize::from(class)] = share.value.fraction;
            }
        }
        admit
    }

    fn adapt(&mut self, adapt: &At<AdaptSpec>, slots: u32, at: Place) -> Option<AdaptPlan> {
        let share = |at: &At<Share>| at.value.fraction;
        let (rule, min, max, window) = match &adapt.value {
            AdaptSpec::Aimd(spec) => {
                if !(0.5..1.0).contains(&share(&spec.backoff)) {
                    let message = "expected a share from 50% to below 100%";
                    self.error(spec.backoff.place, message, "write `backoff: 90%`");
                }
                let rule = AimdPlan { backoff: share(&spec.backoff), timeout: span(&spec.timeout)? };
                (AdaptRule::Aimd(rule), &spec.min, &spec.max, spec.window.as_ref())
            }
            AdaptSpec::Vegas(spec) => {
                let (alpha, beta) = (spec.alpha.value.count, spec.beta.value.count);
                if alpha > beta {
                    self.error(
                        spec.alpha.place,
                        "`alpha` is larger than `beta`",
                        "write `alpha: 3, beta: 6`",
                    );
                }
                self.moves(&spec.smoothing);
                let probe = spec.probe.value.count;
                let rule = VegasPlan { alpha, beta, smoothing: share(&spec.smoothing), probe };
                (AdaptRule::Vegas(rule), &spec.min, &spec.max, spec.window.as_ref())
            }
            AdaptSpec::Gradient(spec) => {
                if spec.tolerance.value.number < 1.0 {
                    let message = "holds must be allowed to take as long as on average";
                    self.error(spec.tolerance.place, message, "write `tolerance: 1.5`");
                }
                self.moves(&spec.smoothing);
                let rule = GradientPlan {
                    tolerance: spec.tolerance.value.number,
                    smoothing: share(&spec.smoothing),
                    long_window: spec.long_window.value.count,
                    queue: spec.queue.value.count,
                };
                (AdaptRule::Gradient(rule), &spec.min, &spec.max, Some(&spec.window))
            }
        };
        let bounds = self.bounds(min, max, slots, at)?;
        let window = window.and_then(span).filter(|window| *window > Span::ZERO);
        Some(AdaptPlan { rule, bounds, window })
    }

    /// A weight with which a limit moves at all.
    fn moves(&mut self, smoothing: &At<Share>) {
        if smoothing.value.fraction <= 0.0 {
            self.error(smoothing.place, "with this weight the limit never moves", "write `smoothing: 20%`");
        }
    }

    fn bounds(&mut self, min: &At<Positive>, max: &At<Positive>, slots: u32, at: Place) -> Option<Bounds> {
        let bounds = Bounds { min: min.value.count, max: max.value.count };
        if bounds.min > bounds.max {
            let message = format!("the limit cannot be at least {} and at most {}", bounds.min, bounds.max);
            self.error(min.place, message, "lower `min` or raise `max`");
            return None;
        }
        let (side, key) = match slots {
            slots if slots < bounds.min => ("least", "min"),
            slots if slots > bounds.max => ("most", "max"),
            _ => return Some(bounds),
        };
        let bound = if key == "min" { bounds.min } else { bounds.max };
        let message = format!("the limit begins at {slots}, but is to be at {side} {bound}");
        self.error(at, message, format!("write `{key}: {slots}` in `adapt`, or begin within its bounds"));
        None
    }

    /// Says so where somebody is to be served by size whose size cannot be known before.
    pub(super) fn check_size(&mut self, pool: Option<PoolId>, steps: &[StepSpec], place: Place) {
        let Some(plan) = pool.map(|pool| &self.pools[pool.index()]) else { return };
        if plan.order != Discipline::Sjf {
            return;
        }
        // Levels move while it waits.
        let is_known = |step: &StepSpec| match step {
            StepSpec::Cpu(step) => step.times.is_none(),
            StepSpec::Delay(step) => step.times.is_none(),
            StepSpec::Reply => true,
            _ => false,
        };
        if !steps.iter().all(is_known) {
            let message =
                format!("`order: sjf` of `{}` cannot know beforehand how long this will take", plan.name);
            let help = "do nothing but `cpu` and `delay` while it is held, or choose another order";
            self.error(place, message, help);
        }
    }

    /// Says so where somebody is to be served by a deadline that nobody has.
    pub(super) fn check_urgency(&mut self, policies: &[PolicyPlan]) {
        if policies.iter().any(|policy| policy.deadline) {
            return;
        }
        for (pool, place) in std::mem::take(&mut self.urgent) {
            if self.pools[pool.index()].timeout.is_none() {
                let help = "give the policy of the calls `deadline: true`, or the resource a `timeout`";
                self.error(place, "`order: edf` needs deadlines, and nobody has one", help);
            }
        }
    }
}

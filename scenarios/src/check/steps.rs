//! Steps: names resolved, weights summed.

use models::blueprint::{Caller, Outcome, PoolId, WaitFor};
use sim_core::distribution::Distribution;

use super::cores::has_cores;
use super::{Checker, services_of};
use crate::scenario::{ArmWhen, Branch, Call, Step, Timed};
use crate::spec::{
    AllStep, ArmSpec, At, BranchSpec, CallStep, ChooseStep, FailStep, HoldStep, List, Name, PauseStep, SLACK,
    StepSpec, WaitForSpec, percent,
};

/// The fixed outcome that `fail` can name.
pub(super) fn fixed_outcome(name: &str) -> Option<Result<Outcome, ()>> {
    let index = Outcome::FIXED.iter().position(|fixed| *fixed == name)?;
    let outcome = Outcome(index as u16);
    let allowed = [Outcome::DEGRADED, Outcome::STALE, Outcome::REJECTED, Outcome::TIMED_OUT, Outcome::LOST]
        .contains(&outcome);
    Some(if allowed { Ok(outcome) } else { Err(()) })
}

impl ArmSpec {
    /// Its steps.
    pub(crate) fn steps(&self) -> &List<StepSpec> {
        match self {
            Self::Weight(_, steps) | Self::Class(_, steps) | Self::When(_, steps) | Self::Else(_, steps) => {
                steps
            }
        }
    }
}

impl Checker<'_> {
    /// The steps of an endpoint of `service`, without those in which a mistake has been told.
    pub(super) fn steps(&mut self, service: &str, specs: &[StepSpec]) -> Vec<Step> {
        specs.iter().filter_map(|spec| self.step(service, spec)).collect()
    }

    fn step(&mut self, service: &str, spec: &StepSpec) -> Option<Step> {
        Some(match spec {
            StepSpec::Cpu(step) => {
                let need = self.distribution(&step.cpu)?;
                match (&step.per_byte, &step.times) {
                    (Some(each), None) => Step::PerByte { need, each: each.value.seconds },
                    (None, Some(times)) => {
                        Step::Times { time: need, factor: self.number(service, times)?, of: Timed::Cpu }
                    }
                    (None, None) => Step::Cpu(need),
                    (Some(_), Some(times)) => {
                        let help = "make them two `cpu` steps";
                        self.error(times.place, "a step goes by bytes or by levels", help);
                        return None;
                    }
                }
            }
            StepSpec::Delay(step) => {
                let time = self.distribution(&step.delay)?;
                match &step.times {
                    Some(times) => {
                        Step::Times { time, factor: self.number(service, times)?, of: Timed::Delay }
                    }
                    None => Step::Delay(time),
                }
            }
            StepSpec::Pause(step) => self.pause(service, step)?,
            StepSpec::Hold(step) => self.hold(service, step)?,
            StepSpec::Take(step) => Step::Take(self.take(service, step)?),
            StepSpec::Give(step) => Step::Give(self.give(service, step)?),
            StepSpec::Get(step) => self.get(service, step)?,
            StepSpec::Put(step) => self.put(service, step)?,
            StepSpec::Call(step) => Step::Call(self.call(service, step)?),
            StepSpec::Send(step) => Step::Send(self.send(step)?),
            StepSpec::All(step) => self.all(service, step)?,
            StepSpec::Repeat(step) => {
                let times = self.distribution(&step.repeat);
                let steps = self.steps(service, &step.do_steps.items);
                Step::Repeat { times: times?, steps }
            }
            StepSpec::Choose(step) => self.choose(service, step)?,
            StepSpec::Reply => Step::Reply,
            StepSpec::Fail(step) => self.fail(step)?,
        })
    }

    fn pause(&mut self, service: &str, step: &PauseStep) -> Option<Step> {
        let time = self.distribution(&step.pause)?;
        let spec = match self.caller {
            Caller::Service(id) => services_of(self.spec)[id.index()].value.as_ref(),
            Caller::Traffic(_) => None,
        };
        if !spec.is_some_and(has_cores) {
            let (message, help) = match spec {
                Some(_) => (
                    format!("`{service}` has no `cores` that could stand still"),
                    format!("add `cores: 2` to `services.{service}`, or write `delay`"),
                ),
                None => (
                    "a client has no cores that could stand still".to_owned(),
                    "pause those of a service, in an endpoint or a job".to_owned(),
                ),
            };
            self.error(step.pause.place, message, help);
            return None;
        }
        Some(match &step.times {
            Some(times) => Step::Times { time, factor: self.number(service, times)?, of: Timed::Pause },
            None => Step::Pause(time),
        })
    }

    fn hold(&mut self, service: &str, step: &HoldStep) -> Option<Step> {
        let pool = self.pool_named(service, &step.hold);
        let steps = step.do_steps.as_ref().map(|steps| self.steps(service, &steps.items));
        self.check_size(pool, step.do_steps.as_ref().map_or(&[], |steps| &steps.items), step.hold.place);
        let pool = pool?;
        if self.pools[pool.index()].batch.is_some() {
            return self.batched(pool, step, steps.is_some());
        }
        let Some(steps) = steps else {
            let name = &step.hold.value.0;
            let help = format!(
                "write `{{hold: {name}, do: [...]}}`; without `do` only a resource with `batch` is held"
            );
            self.error(step.hold.place, "nothing is done while this is held", help);
            return None;
        };
        let plan = &self.pools[pool.index()];
        // A limit that adapts may be that low for a while, and is not raised unless somebody holds something.
        let slots = plan.adapt.map_or(plan.slots, |adapt| adapt.bounds.min);
        let units = step.units.value.count;
        if units > slots {
            let message = format!("`{}` has {slots} slots, so nobody can hold {units}", step.hold.value.0);
            self.error(step.units.place, message, "lower `units` or raise `slots`");
            return None;
        }
        if units > 1 && self.pools[pool.index()].connections.is_some() {
            let message = format!("`{}` are connections: a step holds one at a time", step.hold.value.0);
            self.error(step.units.place, message, "nest two `hold` steps");
            return None;
        }
        Some(Step::Hold { pool, units, steps })
    }

    fn batched(&mut self, pool: PoolId, step: &HoldStep, has_steps: bool) -> Option<Step> {
        let name = &step.hold.value.0;
        if has_steps {
            let help = "put the steps behind it: the batch's time is all that happens while the slot is held";
            self.error(step.hold.place, format!("`{name}` serves batches, which do no steps"), help);
            return None;
        }
        if step.units.value.count != 1 {
            let help = "a batch holds one slot, whoever is in it";
            self.error(step.units.place, format!("`{name}` serves batches, which have no `units`"), help);
            return None;
        }
        let alone = self.pools[pool.index()].batch.as_ref().map_or(0.0, |batch| batch.mean(1));
        Some(Step::Batch { pool, alone })
    }

    fn call(&mut self, caller: &str, step: &CallStep) -> Option<Call> {
        let endpoint = self.endpoint_named(&step.call.value.0, step.call.place);
        let name = || format!("{caller} to {}", step.call.value.0);
        let policy = step.policy.as_ref().map(|policy| self.policy_of(policy, name));
        let latency = step.latency.as_ref().map(|latency| self.distribution(latency));
        let service =
            step.call.value.0.split_once('.').and_then(|(service, _)| self.services.get(service).copied());
        let route = self.route(service?, step.route.as_ref())?;
        let latency = match latency {
            Some(own) => Some(own?),
            None => self.used_routes[route.0 as usize].latency.clone(),
        };
        let wire = self.wire_of(step, route);
        let policy = match policy {
            Some(policy) => Some(policy?),
            None => None,
        };
        Some(Call { endpoint: endpoint?, route, policy, latency, wire, place: step.call.place })
    }

    fn all(&mut self, service: &str, step: &AllStep) -> Option<Step> {
        let mut branches = Vec::new();
        for branch in &step.all.0.items {
            branches.extend(self.branch(service, branch));
        }
        let copies = match &step.each {
            Some(each) => Some(self.distribution(each)?),
            None => None,
        };
        if !step.all.0.whole || branches.len() < step.all.0.items.len() {
            return None;
        }
        if branches.is_empty() {
            self.error(
                step.wait_for.place,
                "`all` has no branches",
                "write `all: [{call: a.x}, {call: b.y}]`",
            );
            return None;
        }
        let wait_for = match step.wait_for.value {
            WaitForSpec::All => WaitFor::All,
            WaitForSpec::Count(count) => {
                let known = copies.as_ref().is_none_or(Distribution::is_constant);
                let each = copies.as_ref().map_or(1.0, |copies| copies.mean().round());
                let most = branches.len() as f64 * each;
                if known && f64::from(count) > most {
                    let plural = if most < 1.5 { "branch" } else { "branches" };
                    let message = format!("`wait_for: {count}` can never be reached by {most} {plural}");
                    self.error(step.wait_for.place, message, "lower it, or write `all`");
                    return None;
                }
                WaitFor::Count(count)
            }
        };
        Some(Step::All { branches, copies, wait_for, cancel: step.cancel.value.on })
    }

    fn branch(&mut self, service: &str, branch: &BranchSpec) -> Option<Branch> {
        if !branch.is_list
            && let [StepSpec::Call(call)] = branch.steps.items.as_slice()
        {
            return self.call(service, call).map(Branch::Call);
        }
        let steps = self.steps(service, &branch.steps.items);
        (steps.len() == branch.steps.items.len()).then_some(Branch::Steps(steps))
    }

    fn choose(&mut self, service: &str, step: &ChooseStep) -> Option<Step> {
        let mut arms = Vec::new();
        let mut sum = 0.0;
        let mut weights = None;
        let (mut has_else, mut whole) = (false, step.choose.whole);
        for (i, arm) in step.choose.items.iter().enumerate() {
            let steps = self.steps(service, &arm.steps().items);
            let when = match arm {
                ArmSpec::Weight(weight, _) => {
                    sum += weight.value.fraction;
                    weights.get_or_insert(weight.place);
                    ArmWhen::Weight(weight.value.fraction)
                }
                ArmSpec::Class(class, _) => {
                    if let Some(class) = self.class_named(class) {
                        ArmWhen::Class(class)
                    } else {
                        whole = false;
                        continue;
                    }
                }
                ArmSpec::When(when, _) => {
                    let Some(test) = self.condition(service, when) else {
                        whole = false;
                        continue;
                    };
                    ArmWhen::Level(test)
                }
                ArmSpec::Else(place, _) => {
                    if i + 1 < step.choose.items.len() {
                        self.error(*place, "nothing behind `else` is ever chosen", "put `else` last");
                    }
                    has_else = true;
                    ArmWhen::Else
                }
            };
            arms.push((when, steps));
        }
        if !whole {
            return None;
        }
        if let Some(place) = weights
            && (sum > 1.0 + SLACK || (!has_else && sum < 1.0 - SLACK))
        {
            let (message, help) = match (arms.len(), sum < 1.0) {
                (1, true) => (
                    format!("the only branch is taken {} of the time, and there is no other", percent(sum)),
                    "add `{else: []}` if nothing is to be done otherwise",
                ),
                (_, true) => (
                    format!("the weights sum to {}, not to 100%", percent(sum)),
                    "add an `{else: [...]}` for the rest",
                ),
                (_, false) => (format!("the weights sum to {}, not to 100%", percent(sum)), "lower them"),
            };
            self.error(place, message, help);
            return None;
        }
        Some(Step::Choose(arms))
    }

    fn fail(&mut self, step: &FailStep) -> Option<Step> {
        let outcome = self.failure_named(&step.fail, "a step")?;
        let probability = step.rate.as_ref().map_or(1.0, |rate| rate.value.fraction);
        Some(Step::Fail { outcome, probability })
    }

    /// The outcome that `who` names for a failure.
    pub(super) fn failure_named(&mut self, at: &At<Name>, who: &str) -> Option<Outcome> {
        let name = at.value.0.as_str();
        match fixed_outcome(name) {
            Some(Ok(outcome)) => Some(outcome),
            Some(Err(())) => {
                let message = format!("`{name}` is not a failure that {who} can have");
                self.error(at.place, message, "choose a name of your own, such as `fail: out_of_stock`");
                None
            }
            None => self.failures.iter().position(|failure| failure == name).map(Outcome::failed),
        }
    }
}

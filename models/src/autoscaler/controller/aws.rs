//! AWS over time: alarms that are evaluated each period, and what several policies make of them.

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

use super::super::aws::predictive::ScheduledAction;
use super::super::aws::step::SimplePolicy;
use super::super::aws::tracking::Cooling;
use super::super::aws::{Alarm, AlarmState, Bounds, Predictive, StepPolicy, TargetTracking};
use super::super::kubernetes::seconds;
use super::{Decision, Why, World};

/// What is scaled: how policies know that earlier changes have not taken effect yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavor {
    /// A group of EC2 instances, which warm up.
    #[default]
    Ec2,
    /// A target of Application Auto Scaling, with cooldowns.
    Application,
}

/// A policy with its metric.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsPolicy {
    /// Target tracking.
    TargetTracking {
        /// The policy.
        policy: TargetTracking,
        /// Its metric.
        metric: Box<str>,
    },
    /// Steps beyond an alarm.
    Step {
        /// The policy.
        policy: StepPolicy,
        /// Its metric.
        metric: Box<str>,
        /// Its alarm.
        alarm: Alarm,
    },
    /// One adjustment, then a cooldown.
    Simple {
        /// The policy.
        policy: SimplePolicy,
        /// Its metric.
        metric: Box<str>,
        /// Its alarm.
        alarm: Alarm,
    },
}

impl AwsPolicy {
    /// What it looks at.
    pub fn metric(&self) -> &str {
        let (Self::TargetTracking { metric, .. } | Self::Step { metric, .. } | Self::Simple { metric, .. }) =
            self;
        metric
    }

    /// Time between two datapoints of its metric.
    pub fn period(&self) -> Span {
        match self {
            Self::TargetTracking { policy, .. } => policy.period,
            Self::Step { alarm, .. } | Self::Simple { alarm, .. } => alarm.period(),
        }
    }
}

/// A group with all that scales it.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsGroup {
    /// What is scaled.
    pub flavor: Flavor,
    /// Fewest and most.
    pub bounds: Bounds,
    /// Its policies.
    pub policies: Vec<AwsPolicy>,
    /// Actions by the clock, in order of time.
    pub scheduled: Vec<(SimTime, ScheduledAction)>,
    /// A forecast: the policy and the capacity for each hour from the start.
    pub forecast: Option<(Predictive, Vec<f64>)>,
}

impl AwsGroup {
    /// Time between two values that are read of a metric: the longest that the periods of all its alarms are made of.
    /// The datapoints of an alarm with a longer period are means of several.
    pub fn period(&self) -> Span {
        let periods = self.policies.iter().map(|policy| policy.period().as_nanos());
        periods
            .reduce(greatest_common_divisor)
            .filter(|nanos| *nanos > 0)
            .map_or(seconds(60), Span::from_nanos)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Why a group goes where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsReason {
    /// No alarm rings.
    NoAlarm,
    /// A policy adds.
    ScaleOut,
    /// A policy takes away.
    ScaleIn,
    /// A policy would add, but what was added has not taken effect.
    WarmingUp,
    /// A policy would act, but a cooldown runs.
    Cooldown,
    /// A policy would take away, but another does not agree.
    NotAllAgree,
    /// An action by the clock.
    Scheduled,
    /// The forecast.
    Predicted,
}

impl AwsReason {
    /// In a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NoAlarm => "no alarm rings",
            Self::ScaleOut => "an alarm rings: more",
            Self::ScaleIn => "an alarm rings: fewer",
            Self::WarmingUp => "what was added warms up",
            Self::Cooldown => "a cooldown runs",
            Self::NotAllAgree => "not all policies want fewer",
            Self::Scheduled => "by the clock",
            Self::Predicted => "by the forecast",
        }
    }
}

/// Alarms of a policy, and its cooldown.
#[derive(Clone, Debug, PartialEq)]
struct Watch {
    high: Option<Alarm>,
    low: Option<Alarm>,
    cooling: Cooling,
    /// When its alarms get their next datapoint.
    due: SimTime,
    /// Values since the last one: their sum, and how many.
    values: (f64, u32),
    /// Whether it is target tracking that did not want less when it last looked.
    minds: bool,
}

impl Watch {
    /// Takes in a value.
    fn take(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.values = (self.values.0 + value, self.values.1 + 1);
        }
    }

    /// The datapoint of the period that is over: the mean of its values.
    fn datapoint(&mut self, period: Span, now: SimTime) -> Option<f64> {
        self.due = now.saturating_add(period);
        let (sum, count) = std::mem::take(&mut self.values);
        (count > 0).then(|| sum / f64::from(count))
    }
}

/// What a policy wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// Nothing, and it minds nothing.
    None,
    /// It is target tracking and does not want less.
    Keep,
    /// It would act if it were not for this.
    Blocked(AwsReason),
    /// More.
    Out(i64),
    /// Less.
    In(i64),
}

/// A group of AWS over time.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsController {
    group: AwsGroup,
    watches: Vec<Watch>,
    /// Launches that may still be warming up: when, and how many.
    launches: VecDeque<(SimTime, i64)>,
    /// A change that simple scaling waits for.
    pending: bool,
    cooldown_until: SimTime,
    next_scheduled: usize,
    next_hour: usize,
    next_period: SimTime,
}

impl AwsController {
    /// A controller whose alarms have seen nothing.
    pub fn new(group: AwsGroup, now: SimTime) -> Self {
        let watch = |policy: &AwsPolicy| {
            let (high, low) = match policy {
                AwsPolicy::TargetTracking { policy, .. } => {
                    (Some(policy.high_alarm()), Some(policy.low_alarm()))
                }
                AwsPolicy::Step { alarm, .. } | AwsPolicy::Simple { alarm, .. } => {
                    (Some(alarm.clone()), None)
                }
            };
            let due = now.saturating_add(policy.period());
            Watch { high, low, cooling: Cooling::No, due, values: (0.0, 0), minds: false }
        };
        Self {
            watches: group.policies.iter().map(watch).collect(),
            next_period: now.saturating_add(group.period()),
            launches: VecDeque::new(),
            pending: false,
            cooldown_until: SimTime::ZERO,
            next_scheduled: 0,
            next_hour: 0,
            group,
        }
    }

    /// What scales it.
    pub fn group(&self) -> &AwsGroup {
        &self.group
    }

    /// Fewest and most now.
    pub fn bounds(&self) -> Bounds {
        self.group.bounds
    }

    pub(super) fn look(&mut self, world: &impl World, now: SimTime) -> Decision {
        let seen = world.target();
        let (desired, present) = (i64::from(seen.spec_replicas), i64::from(seen.status_replicas));
        let mut capacity = desired;
        let mut reason = AwsReason::NoAlarm;
        while let Some((_, action)) =
            self.group.scheduled.get(self.next_scheduled).filter(|(at, _)| *at <= now)
        {
            (capacity, self.group.bounds) = action.apply(capacity, self.group.bounds);
            reason = AwsReason::Scheduled;
            self.next_scheduled += 1;
        }
        if let Some(forecast) = self.due_forecast(now) {
            let policy = self.group.forecast.as_ref().map_or_else(Predictive::default, |(policy, _)| *policy);
            let raised = policy.desired(forecast, capacity, self.group.bounds);
            if raised > capacity {
                (capacity, reason) = (raised, AwsReason::Predicted);
            }
        }
        if now >= self.next_period {
            self.next_period = now.saturating_add(self.group.period());
            let (wanted, why) = self.evaluate(world, capacity, present, now);
            if wanted != capacity || reason == AwsReason::NoAlarm {
                (capacity, reason) = (wanted, why);
            }
        }
        Decision { replicas: i32::try_from(capacity).ok(), why: Why::Aws(reason), next: self.next(now) }
    }

    fn next(&self, now: SimTime) -> SimTime {
        let scheduled = self.group.scheduled.get(self.next_scheduled).map(|(at, _)| *at);
        let forecast = self.hour(self.next_hour).map(|(at, _)| at);
        let next = [scheduled, forecast].into_iter().flatten().fold(self.next_period, SimTime::min);
        next.max(now)
    }

    /// When the forecast of an hour is acted on, and what it is.
    fn hour(&self, hour: usize) -> Option<(SimTime, f64)> {
        let (policy, hours) = self.group.forecast.as_ref()?;
        let start = hour as u64 * 3_600_000_000_000;
        let at = SimTime::from_nanos(start.saturating_sub(policy.ahead.as_nanos()));
        Some((at, *hours.get(hour)?))
    }

    fn due_forecast(&mut self, now: SimTime) -> Option<f64> {
        let mut due = None;
        while let Some((_, forecast)) = self.hour(self.next_hour).filter(|(at, _)| *at <= now) {
            due = Some(forecast);
            self.next_hour += 1;
        }
        due
    }

    /// Instances that were launched less than `warmup` ago.
    fn warming(&self, warmup: Span, now: SimTime) -> i64 {
        let recent = self.launches.iter().filter(|(at, _)| now.since(*at) < warmup);
        recent.map(|(_, launched)| *launched).sum()
    }

    /// One evaluation of all alarms.
    fn evaluate(
        &mut self,
        world: &impl World,
        capacity: i64,
        present: i64,
        now: SimTime,
    ) -> (i64, AwsReason) {
        if self.pending && present == capacity {
            self.pending = false;
        }
        let mut wishes = Vec::with_capacity(self.watches.len());
        for index in 0..self.watches.len() {
            let policy = &self.group.policies[index];
            let watch = &mut self.watches[index];
            watch.take(world.statistic(policy.metric()));
            if now < watch.due {
                wishes.push(if watch.minds { Wish::Keep } else { Wish::None });
                continue;
            }
            let value = watch.datapoint(policy.period(), now);
            let wish = match policy {
                AwsPolicy::TargetTracking { policy, .. } => {
                    let policy = *policy;
                    self.track(index, &policy, value, capacity, now)
                }
                AwsPolicy::Step { policy, .. } => {
                    let warming = self.warming(policy.warmup, now).min(capacity);
                    let watch = &mut self.watches[index];
                    ring(watch.high.as_mut(), value).map_or(Wish::None, |(threshold, value)| {
                        let bounds = self.group.bounds;
                        let warm = capacity - warming;
                        let to = policy.apply_while_warming(threshold, value, warm, warming, bounds);
                        wish(
                            capacity,
                            to,
                            if warming > 0 { AwsReason::WarmingUp } else { AwsReason::NoAlarm },
                        )
                    })
                }
                AwsPolicy::Simple { policy, .. } => {
                    let policy = *policy;
                    let watch = &mut self.watches[index];
                    match ring(watch.high.as_mut(), value) {
                        None => Wish::None,
                        Some(_) if self.pending || now < self.cooldown_until => {
                            Wish::Blocked(AwsReason::Cooldown)
                        }
                        Some(_) => {
                            let to = policy.adjustment.apply(capacity, self.group.bounds);
                            if to != capacity {
                                self.pending = true;
                                self.cooldown_until = now.saturating_add(policy.cooldown);
                            }
                            wish(capacity, to, AwsReason::NoAlarm)
                        }
                    }
                }
            };
            self.watches[index].minds = wish == Wish::Keep;
            wishes.push(wish);
        }
        self.settle(&wishes, capacity, now)
    }

    fn track(
        &mut self,
        index: usize,
        policy: &TargetTracking,
        value: Option<f64>,
        capacity: i64,
        now: SimTime,
    ) -> Wish {
        let bounds = self.group.bounds;
        let warming = match self.group.flavor {
            Flavor::Ec2 => self.warming(policy.warmup, now).min(capacity),
            Flavor::Application => 0,
        };
        let watch = &mut self.watches[index];
        let high = ring(watch.high.as_mut(), value);
        let low = ring(watch.low.as_mut(), value);
        let Some((_, value)) = high.or(low) else {
            return if policy.disable_scale_in { Wish::None } else { Wish::Keep };
        };
        // Only what has warmed up is in the metric.
        let to = policy.capacity(capacity - warming, value, bounds);
        if high.is_some() {
            let to = to.max(capacity);
            return match self.group.flavor {
                Flavor::Ec2 => wish(capacity, to, AwsReason::WarmingUp),
                Flavor::Application => {
                    wish(capacity, watch.cooling.allows(capacity, to, now), AwsReason::Cooldown)
                }
            };
        }
        if policy.disable_scale_in {
            return Wish::None;
        }
        if warming > 0 {
            return Wish::Blocked(AwsReason::WarmingUp);
        }
        let to = match self.group.flavor {
            Flavor::Ec2 => to,
            Flavor::Application => watch.cooling.allows(capacity, to, now),
        };
        wish(capacity, to.min(capacity), AwsReason::Cooldown)
    }

    /// The most capacity of those that add, else the most of those that take away, if none minds.
    fn settle(&mut self, wishes: &[Wish], capacity: i64, now: SimTime) -> (i64, AwsReason) {
        let out =
            wishes.iter().filter_map(|wish| if let Wish::Out(to) = wish { Some(*to) } else { None }).max();
        let less =
            wishes.iter().filter_map(|wish| if let Wish::In(to) = wish { Some(*to) } else { None }).max();
        let blocked =
            wishes.iter().find_map(|wish| if let Wish::Blocked(why) = wish { Some(*why) } else { None });
        let tracks = |index: usize| matches!(self.group.policies[index], AwsPolicy::TargetTracking { .. });
        // A step policy takes away whether target tracking agrees or not.
        let steps_in = wishes.iter().enumerate().any(|(at, wish)| matches!(wish, Wish::In(_)) && !tracks(at));
        let minds = wishes.contains(&Wish::Keep) && !steps_in;
        let (to, why) = match (out, less) {
            (Some(to), _) => (to, AwsReason::ScaleOut),
            (None, Some(_)) if minds => (capacity, AwsReason::NotAllAgree),
            (None, Some(to)) => (to, AwsReason::ScaleIn),
            (None, None) => (capacity, blocked.unwrap_or(AwsReason::NoAlarm)),
        };
        if to != capacity {
            for (watch, policy) in self.watches.iter_mut().zip(&self.group.policies) {
                if let AwsPolicy::TargetTracking { policy, .. } = policy {
                    watch.cooling = watch.cooling.after(capacity, to, policy.cooldowns, now);
                }
            }
        }
        (to, why)
    }

    /// Alarms begin anew; launches, cooldowns and the time of the next evaluation stay.
    pub(super) fn follow(&mut self, other: &Self) {
        self.group.clone_from(&other.group);
        self.watches.clone_from(&other.watches);
    }

    pub(super) fn written(&mut self, from: i32, to: i32, now: SimTime) {
        if to > from {
            self.launches.push_back((now, i64::from(to - from)));
        }
        // No warm-up is anywhere near this long.
        while self.launches.front().is_some_and(|(at, _)| now.since(*at) > seconds(86_400)) {
            self.launches.pop_front();
        }
    }
}

/// Feeds an alarm; its threshold and the value if it rings.
fn ring(alarm: Option<&mut Alarm>, value: Option<f64>) -> Option<(f64, f64)> {
    let alarm = alarm?;
    let rings = alarm.next(value) == AlarmState::Alarm;
    value.filter(|_| rings).map(|value| (alarm.threshold(), value))
}

fn wish(from: i64, to: i64, if_same: AwsReason) -> Wish {
    match to.cmp(&from) {
        std::cmp::Ordering::Greater => Wish::Out(to),
        std::cmp::Ordering::Less => Wish::In(to),
        std::cmp::Ordering::Equal if if_same == AwsReason::NoAlarm => Wish::None,
        std::cmp::Ordering::Equal => Wish::Blocked(if_same),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::aws::Step;
    use super::super::super::aws::adjust::{Adjustment, AdjustmentType};
    use super::super::super::aws::alarm::Comparison;
    use super::super::Controller;
    use super::super::worlds::{self, Plain, at};
    use super::*;

    fn group(policies: Vec<AwsPolicy>) -> AwsGroup {
        AwsGroup {
            flavor: Flavor::Ec2,
            bounds: Bounds { min: 1, max: 100 },
            policies,
            scheduled: Vec::new(),
            forecast: None,
        }
    }

    fn tracking() -> AwsPolicy {
        AwsPolicy::TargetTracking { policy: TargetTracking::new(50.0), metric: "cpu".into() }
    }

    /// Runs a group minute by minute; `load` is what the metric is at a time and a size.
    fn course(group: AwsGroup, start: i32, load: impl Fn(u64, i32) -> f64, minutes: u64) -> Vec<(u64, i32)> {
        let controller = Controller::Aws(AwsController::new(group, at(0)));
        worlds::course(controller, start, 60 * minutes, |world, second| {
            world.values.insert("cpu", load(second, world.set));
        })
    }

    /// Load 400 on 4 is 100 against 50: three datapoints (60, 120, 180 s) ring, 8 are wanted. At 50 nothing rings. From
    /// 600 s on the load is 100, 12.5 each: the fifteenth low datapoint after that is the one of 1440 s (600, 660, ...,
    /// 1440 s), and 2 are enough.
    #[test]
    fn target_tracking_acts_after_three_and_fifteen_minutes() {
        let load = |second, size| if second < 600 { 400.0 } else { 100.0 } / f64::from(size);
        assert_eq!(course(group(vec![tracking()]), 4, load, 40), [(180, 8), (1440, 2)]);
    }

    /// The metric stays at 100 although 4 more warm up for 300 s: only the 4 warm ones count, so nothing is added until
    /// 480 s; then all 8 count and 16 are wanted.
    #[test]
    fn what_warms_up_is_not_added_twice() {
        assert_eq!(course(group(vec![tracking()]), 4, |_, _| 100.0, 9), [(180, 8), (480, 16)]);
    }

    /// The same with cooldowns: what was added counts until 480 s, but 8 at 100 ask for 16, which is 8 more.
    #[test]
    fn a_cooldown_counts_what_was_added() {
        let group = AwsGroup { flavor: Flavor::Application, ..group(vec![tracking()]) };
        assert_eq!(course(group, 4, |_, _| 100.0, 4), [(180, 8), (240, 16)]);
    }

    /// Two alarms of one group: one rings beyond 80 after one datapoint of a minute, the other below 40 after one of
    /// five. 90 for two minutes and 10 after that: one is added at 60 s and at 120 s. The mean of the first five
    /// minutes is (90 + 90 + 10 + 10 + 10) / 5 = 42, which is not below 40; that of the next five is 10, so one is
    /// taken away at 600 s.
    #[test]
    fn alarms_have_periods_of_their_own() {
        let step = |alarm: Alarm, by: f64| {
            let steps = vec![Step { lower: None, upper: None, adjustment: by }];
            let kind = AdjustmentType::ChangeInCapacity;
            let policy = StepPolicy { kind, min_magnitude: None, steps, warmup: Span::ZERO };
            AwsPolicy::Step { policy, metric: "cpu".into(), alarm }
        };
        let high = step(Alarm::new(Comparison::Above, 80.0, 1, 1), 1.0);
        let low = step(Alarm::new(Comparison::Below, 40.0, 1, 1).every(seconds(300)), -1.0);
        let group = group(vec![high, low]);
        assert_eq!(group.period(), seconds(60));
        let load = |second, _| if second <= 120 { 90.0 } else { 10.0 };
        assert_eq!(course(group, 4, load, 11), [(60, 5), (120, 6), (600, 5)]);
    }

    /// One adjustment of one, then 300 s: at 60, 360 and 660 s.
    #[test]
    fn simple_scaling_waits_for_its_cooldown() {
        let adjustment =
            Adjustment { kind: AdjustmentType::ChangeInCapacity, value: 1.0, min_magnitude: None };
        let policy = SimplePolicy { adjustment, cooldown: seconds(300) };
        let alarm = Alarm::new(Comparison::Above, 50.0, 1, 1);
        let simple = AwsPolicy::Simple { policy, metric: "cpu".into(), alarm };
        assert_eq!(course(group(vec![simple]), 4, |_, _| 100.0, 12), [(60, 5), (360, 6), (660, 7)]);
    }

    /// Two targets: the load of one is gone, the other is exactly met, so nothing is taken away.
    #[test]
    fn all_target_tracking_policies_have_to_agree_to_take_away() {
        let other = AwsPolicy::TargetTracking { policy: TargetTracking::new(70.0), metric: "memory".into() };
        let mut controller = Controller::Aws(AwsController::new(group(vec![tracking(), other]), at(0)));
        let world = Plain::of(4).with("cpu", 1.0).with("memory", 70.0);
        let last = (0..=20).map(|minute| controller.look(&world, at(60 * minute))).last().expect("a look");
        assert_eq!((last.replicas, last.why), (Some(4), Why::Aws(AwsReason::NotAllAgree)));
    }

    /// The forecast of hour 1 is 12, acted on 300 s ahead; the action at 4000 s raises the minimum to 20.
    #[test]
    fn forecasts_and_the_clock_act_at_their_times() {
        let group = AwsGroup {
            forecast: Some((Predictive::default(), vec![2.0, 12.0])),
            scheduled: vec![(at(4000), ScheduledAction { min: Some(20), ..ScheduledAction::default() })],
            ..group(Vec::new())
        };
        assert_eq!(course(group, 4, |_, _| 0.0, 70), [(3300, 12), (4000, 20)]);
    }
}

//! Laws of AWS that stand in a scenario: target tracking, steps beyond alarms, a forecast.

use models::autoscaler::aws::{
    AdjustmentType, Alarm, Bounds, Comparison, MaxCapacity, Predictive, Step, StepPolicy, TargetTracking,
};
use models::autoscaler::controller::{AwsController, AwsGroup, AwsPolicy, Controller, Flavor};
use models::autoscaler::pipeline::Pipeline;
use sim_core::{SimTime, Span};

use super::{Asked, Checker, Chosen, Of, span};
use crate::manifest::MetricKind;
use crate::spec::{AlarmSpec, At, Number, PredictiveSpec, StepPolicySpec, StepScaleSpec, TargetTrackingSpec};
use crate::tree::Place;

impl Checker<'_> {
    /// A group of instances with the policies that the scenario gives it.
    pub(super) fn aws_group(&mut self, of: Of<'_>) -> Option<Chosen> {
        let spec = of.spec;
        let (min, max) = self.fewest_and_most(of)?;
        let mut policies = Vec::new();
        if let Some(tracking) = &spec.aws_target_tracking {
            policies.push(self.tracking(tracking)?);
        }
        if let Some(scaling) = &spec.aws_step {
            let warmup = span(&scaling.warmup)?;
            if scaling.policies.whole && scaling.policies.items.is_empty() {
                let help = "write `policies: [{alarm: {above: 70}, steps: [{add: 1}]}]`";
                self.error(scaling.warmup.place, "there is no policy that an alarm could set off", help);
            }
            for policy in &scaling.policies.items {
                policies.push(self.steps_of(policy, warmup)?);
            }
        }
        let forecast = match &spec.predictive {
            Some(predictive) => Some(self.forecast(predictive)?),
            None => None,
        };
        let bounds = Bounds { min: i64::from(min), max: i64::from(max) };
        let group = AwsGroup { flavor: Flavor::Ec2, bounds, policies, scheduled: Vec::new(), forecast };
        let pipeline = Pipeline { scrape: group.period(), ..Pipeline::cloudwatch(true) };
        let mut asks: Vec<Asked> = Vec::new();
        for policy in &group.policies {
            if !asks.iter().any(|asked| *asked.name == *policy.metric()) {
                let name = policy.metric().into();
                asks.push(Asked { name, kind: MetricKind::Statistic, path: None, pipeline });
            }
        }
        let controller = Controller::Aws(AwsController::new(group, SimTime::ZERO));
        Some(Chosen { controller, most: max, asks })
    }

    fn tracking(&mut self, spec: &TargetTrackingSpec) -> Option<AwsPolicy> {
        if spec.target.value.number <= 0.0 {
            self.error(spec.target.place, "a target has to be above 0", "write `target: 50`");
        }
        let policy = TargetTracking {
            disable_scale_in: spec.disable_scale_in.value.on,
            period: Pipeline::cloudwatch(spec.detailed.value.on).scrape,
            warmup: span(&spec.warmup)?,
            ..TargetTracking::new(spec.target.value.number)
        };
        Some(AwsPolicy::TargetTracking { policy, metric: spec.metric.value.0.as_str().into() })
    }

    /// A policy of steps with its alarm.
    fn steps_of(&mut self, spec: &StepPolicySpec, warmup: Span) -> Option<AwsPolicy> {
        let alarm = self.alarm(&spec.alarm)?;
        let changes: Option<Vec<(AdjustmentType, f64)>> =
            spec.steps.items.iter().map(|step| self.change_of(step, spec.percent.value.on)).collect();
        let changes = changes?;
        self.check_steps(spec)?;
        let (kind, _) = *changes.first()?;
        if let Some(at) = changes.iter().position(|(other, _)| *other != kind) {
            let message = "one step of a policy sets a number, another changes it";
            self.error(spec.steps.items[at].from.place, message, "make them two policies with an alarm each");
        }
        let is_low = matches!(alarm.comparison(), Comparison::Below | Comparison::AtMost);
        let step = |(step, (_, adjustment)): (&StepScaleSpec, &(AdjustmentType, f64))| {
            let (from, to) = (step.from.value.number, step.to.as_ref().map(|to| to.value.number));
            let (lower, upper) = if is_low { (to.map(|to| -to), Some(-from)) } else { (Some(from), to) };
            Step { lower, upper, adjustment: *adjustment }
        };
        let steps = spec.steps.items.iter().zip(&changes).map(step).collect();
        let min_magnitude = spec.min_magnitude.as_ref().map(|least| i64::from(least.value.count));
        let policy = StepPolicy { kind, min_magnitude, steps, warmup };
        Some(AwsPolicy::Step { policy, metric: spec.alarm.metric.value.0.as_str().into(), alarm })
    }

    /// What a step does.
    fn change_of(&mut self, spec: &StepScaleSpec, percent: bool) -> Option<(AdjustmentType, f64)> {
        let relative =
            if percent { AdjustmentType::PercentChangeInCapacity } else { AdjustmentType::ChangeInCapacity };
        let number = |at: &At<Number>| at.value.number;
        match (&spec.add, &spec.remove, &spec.set) {
            (Some(more), None, None) => Some((relative, number(more))),
            (None, Some(fewer), None) => Some((relative, -number(fewer))),
            (None, None, Some(exact)) => Some((AdjustmentType::ExactCapacity, number(exact))),
            _ => {
                let help = "write one of `{add: 2}`, `{remove: 1}` and `{set: 5}`";
                self.error(spec.from.place, "a step does one thing", help);
                None
            }
        }
    }

    /// Nothing where steps overlap or leave a gap, which Amazon refuses.
    fn check_steps(&mut self, spec: &StepPolicySpec) -> Option<()> {
        let end = |step: &StepScaleSpec| step.to.as_ref().map_or(f64::INFINITY, |to| to.value.number);
        let mut steps: Vec<(f64, f64, Place)> = spec
            .steps
            .items
            .iter()
            .map(|step| (step.from.value.number, end(step), step.from.place))
            .collect();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        if steps.is_empty() && spec.steps.whole {
            let help = "write `steps: [{add: 1}]`";
            self.error(spec.percent.place, "a policy without steps does nothing", help);
        }
        for pair in steps.windows(2) {
            let ((_, to, _), (from, _, place)) = (pair[0], pair[1]);
            if (to - from).abs() > 1e-9 {
                let what = if from < to { "overlap" } else { "leave a gap" };
                let message = format!("steps {what} between {} and {}", from.min(to), from.max(to));
                let help = "let each begin where the one before ends: `{to: 10, add: 1}, {from: 10, add: 2}`";
                self.error(place, message, help);
                return None;
            }
        }
        (!steps.is_empty()).then_some(())
    }

    fn alarm(&mut self, spec: &AlarmSpec) -> Option<Alarm> {
        let comparisons = [
            (&spec.above, Comparison::Above),
            (&spec.at_least, Comparison::AtLeast),
            (&spec.below, Comparison::Below),
            (&spec.at_most, Comparison::AtMost),
        ];
        let given: Vec<(&At<Number>, Comparison)> =
            comparisons.into_iter().filter_map(|(at, comparison)| Some((at.as_ref()?, comparison))).collect();
        let [(threshold, comparison)] = given.as_slice() else {
            let place = given.get(1).map_or(spec.metric.place, |(at, _)| at.place);
            let help = "write one of `above`, `at_least`, `below` and `at_most`: `{above: 70}`";
            self.error(place, format!("an alarm has one threshold, found {}", given.len()), help);
            return None;
        };
        let period = span(&spec.period)?;
        if period == Span::ZERO {
            self.error(spec.period.place, "there is no time between two datapoints", "write `period: 1m`");
            return None;
        }
        let periods = spec.evaluation_periods.value.count;
        let needed = spec.datapoints.as_ref().map_or(periods, |needed| needed.value.count);
        if let Some(at) = spec.datapoints.as_ref().filter(|_| needed > periods) {
            let message = format!("of {periods} datapoints {needed} are never beyond the threshold");
            self.error(at.place, message, "raise `evaluation_periods` or lower `datapoints`");
        }
        let alarm = Alarm::new(*comparison, threshold.value.number, needed as usize, periods as usize);
        Some(alarm.every(period))
    }

    fn forecast(&mut self, spec: &PredictiveSpec) -> Option<(Predictive, Vec<f64>)> {
        if spec.forecast.whole && spec.forecast.items.is_empty() {
            let help = "write the replicas for each hour: `forecast: [3, 3, 8, 20]`";
            self.error(spec.ahead.place, "the forecast is empty", help);
        }
        let max_capacity = spec.buffer.as_ref().map_or(MaxCapacity::Honor, |buffer| MaxCapacity::Increase {
            buffer_percent: (100.0 * buffer.value.fraction).round() as i64,
        });
        let policy = Predictive { max_capacity, ahead: span(&spec.ahead)?, acts: true };
        Some((policy, spec.forecast.items.iter().map(|at| at.value.number).collect()))
    }
}

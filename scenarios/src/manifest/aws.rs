//! The JSON of AWS: scaling policies of EC2 Auto Scaling and Application Auto Scaling, their alarms, and groups.
//!
//! Read are the bodies of `PutScalingPolicy` and `PutMetricAlarm`, a bare `TargetTrackingConfiguration`, and what
//! `describe-policies`, `describe-scaling-policies`, `describe-alarms` and `describe-auto-scaling-groups` print.
//!
//! Source: *Amazon EC2 Auto Scaling API Reference*, *Application Auto Scaling API Reference*, *`CloudWatch` API
//! Reference*.

use models::autoscaler::aws::adjust::{Adjustment, AdjustmentType};
use models::autoscaler::aws::step::{DEFAULT_COOLDOWN, SimplePolicy};
use models::autoscaler::aws::{Bounds, Comparison, Cooldowns, Step, StepPolicy, TargetTracking};
use models::autoscaler::controller::Flavor;
use sim_core::Span;

use crate::diagnostic::Diagnostic;
use crate::spec::Sink;
use crate::tree::Node;

use super::block::{Block, MOST};
use super::{Manifest, What};

/// One document of AWS.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsDocument {
    /// A scaling policy.
    Policy(AwsPolicyDocument),
    /// An alarm.
    Alarm(AwsAlarm),
    /// A group.
    Group(AwsGroupLimits),
}

/// A scaling policy, and how its alarms are found.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsPolicyDocument {
    /// The policy.
    pub policy: AwsScalingPolicy,
    /// What it scales: a group of instances, or a target of Application Auto Scaling.
    pub flavor: Flavor,
    /// `PolicyARN`
    pub arn: Option<String>,
    /// The names of its alarms, as `describe-policies` prints them.
    pub alarms: Vec<String>,
    /// `EstimatedInstanceWarmup`; where there is none, the group's holds.
    pub warmup: Option<Span>,
    /// `Cooldown`; where there is none, the group's holds.
    pub cooldown: Option<Span>,
}

/// A scaling policy.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsScalingPolicy {
    /// Target tracking.
    TargetTracking {
        /// The policy.
        policy: TargetTracking,
        /// Its metric.
        metric: AwsMetric,
    },
    /// Steps; the alarm stands elsewhere.
    Step(StepPolicy),
    /// One adjustment; the alarm stands elsewhere.
    Simple(SimplePolicy),
}

/// What a policy looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsMetric {
    /// One of those that AWS knows by name: `ASGAverageCPUUtilization`.
    Predefined(String),
    /// Any other.
    Customized {
        /// `MetricName`
        name: String,
        /// `Statistic`
        statistic: String,
    },
}

/// An alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsAlarm {
    /// `MetricName`
    pub metric: String,
    /// How a datapoint is held against the threshold.
    pub comparison: Comparison,
    /// The threshold.
    pub threshold: f64,
    /// Datapoints that have to breach it.
    pub needed: usize,
    /// Of so many.
    pub periods: usize,
    /// Time between two datapoints.
    pub period: Span,
    /// `AlarmActions`: the policies that it sets off, by their ARNs.
    pub actions: Vec<String>,
}

/// What a group, or a target of Application Auto Scaling, says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsGroupLimits {
    /// Fewest and most.
    pub bounds: Bounds,
    /// `DesiredCapacity`
    pub desired: Option<i64>,
    /// `DefaultCooldown`
    pub cooldown: Span,
    /// `DefaultInstanceWarmup`
    pub warmup: Option<Span>,
}

pub(super) fn read(root: &Node, sink: &mut Sink, out: &mut Vec<Manifest>) {
    let Some(block) = Block::of(root, sink) else {
        return;
    };
    for (key, one) in [
        ("ScalingPolicies", policy as Reader),
        ("MetricAlarms", alarm),
        ("AutoScalingGroups", group),
        ("ScalableTargets", scalable),
    ] {
        if block.get(key).is_some() {
            for item in block.list(key, sink) {
                out.extend(Block::of(item, sink).and_then(|item| one(&item, sink)));
            }
            block.skip(&["NextToken", "CompositeAlarms"]);
            block.finish(sink);
            return;
        }
    }
    let has = |key: &str| block.keys().any(|(known, _)| known == key);
    if has("ComparisonOperator") {
        out.extend(alarm(&block, sink));
    } else if ["PolicyType", "TargetValue", "StepAdjustments", "ScalingAdjustment"].into_iter().any(has) {
        out.extend(policy(&block, sink));
    } else if has("MaxSize") {
        out.extend(group(&block, sink));
    } else if has("MaxCapacity") {
        out.extend(scalable(&block, sink));
    } else {
        let unknown = Diagnostic::warning("this document is not modelled; it is left out").at(root.place);
        sink.report(
            unknown.help("a manifest has a `kind`, a policy of AWS a `PolicyType` or a `TargetValue`"),
        );
    }
}

type Reader = fn(&Block<'_>, &mut Sink) -> Option<Manifest>;

fn policy(block: &Block<'_>, sink: &mut Sink) -> Option<Manifest> {
    let name = block.text("PolicyName", sink).map(str::to_owned);
    let group =
        block.text("AutoScalingGroupName", sink).or(block.text("ResourceId", sink)).map(str::to_owned);
    block.skip(&["ServiceNamespace", "ScalableDimension", "CreationTime", "Enabled"]);
    let arn = block.text("PolicyARN", sink).map(str::to_owned);
    let named = |alarm: &Node| alarm.get("AlarmName").and_then(Node::text).map(str::to_owned);
    let alarms = block.list("Alarms", sink).iter().filter_map(named).collect();
    if let Some(off) = block.get("Enabled").filter(|_| block.flag("Enabled", sink) == Some(false)) {
        sink.report(
            Diagnostic::warning("this policy is switched off; it is read all the same").at(off.place),
        );
    }
    let warmup = block.seconds("EstimatedInstanceWarmup", 0..=MOST, sink);
    let cooldown = block.seconds("Cooldown", 0..=MOST, sink);
    let inner = ["TargetTrackingConfiguration", "TargetTrackingScalingPolicyConfiguration"]
        .into_iter()
        .find_map(|key| block.block(key, sink));
    let steps = block.block("StepScalingPolicyConfiguration", sink);
    let kind = block.get("PolicyType");
    let kind_text = kind.and_then(Node::text).unwrap_or(match (&inner, block.get("TargetValue"), &steps) {
        (Some(_), ..) | (_, Some(_), _) => "TargetTrackingScaling",
        (_, _, Some(_)) => "StepScaling",
        _ if block.get("StepAdjustments").is_some() => "StepScaling",
        _ => "SimpleScaling",
    });
    let policy = match kind_text {
        "TargetTrackingScaling" => {
            let read = tracking(inner.as_ref().unwrap_or(block), sink);
            if let Some(inner) = &inner {
                inner.finish(sink);
            }
            read
        }
        "StepScaling" => {
            let read = step(steps.as_ref().unwrap_or(block), sink);
            if let Some(steps) = &steps {
                steps.finish(sink);
            }
            read.map(AwsScalingPolicy::Step)
        }
        "SimpleScaling" => simple(block, sink).map(AwsScalingPolicy::Simple),
        _ => {
            let place = kind.map_or(block.place(), |node| node.place);
            let other = Diagnostic::warning(format!("a policy of type `{kind_text}` is not modelled"));
            sink.report(other.at(place).help("a forecast is Amazon's own; write what it comes to by hand"));
            return None;
        }
    };
    block.finish(sink);
    let policy = policy?;
    let flavor = flavor(block, inner.as_ref().unwrap_or(block), &policy);
    // Application Auto Scaling calls it a cooldown inside of the configuration.
    let inside = steps.and_then(|steps| steps.seconds("Cooldown", 0..=MOST, sink));
    let document = AwsPolicyDocument { policy, flavor, arn, alarms, warmup: warmup.or(inside), cooldown };
    let what = What::Aws(AwsDocument::Policy(document));
    Some(Manifest { what, name, target: group, place: block.place() })
}

/// Policies of Application Auto Scaling name a resource, wrap their settings, have cooldowns of their own or follow a
/// metric of another service.
fn flavor(block: &Block<'_>, inner: &Block<'_>, policy: &AwsScalingPolicy) -> Flavor {
    const OUTER: [&str; 4] = [
        "ResourceId",
        "ServiceNamespace",
        "TargetTrackingScalingPolicyConfiguration",
        "StepScalingPolicyConfiguration",
    ];
    const INNER: [&str; 2] = ["ScaleOutCooldown", "ScaleInCooldown"];
    let elsewhere = match policy {
        AwsScalingPolicy::TargetTracking { metric: AwsMetric::Predefined(name), .. } => {
            !["ASG", "ALB"].iter().any(|prefix| name.starts_with(prefix))
        }
        _ => false,
    };
    let wrapped = block.keys().any(|(key, _)| OUTER.contains(&key));
    let cooled = inner.keys().any(|(key, _)| INNER.contains(&key));
    if elsewhere || wrapped || cooled { Flavor::Application } else { Flavor::Ec2 }
}

fn tracking(block: &Block<'_>, sink: &mut Sink) -> Option<AwsScalingPolicy> {
    let node = block.need("TargetValue", "write the value that the metric is to have", sink)?;
    let target = block.number("TargetValue", sink)?;
    if target <= 0.0 {
        sink.expected("a number above zero", node, "");
        return None;
    }
    let metric = if let Some(predefined) = block.block("PredefinedMetricSpecification", sink) {
        let help = "write one such as `ASGAverageCPUUtilization`";
        let name = predefined.need("PredefinedMetricType", help, sink)?.text()?.to_owned();
        predefined.not_modelled(&[("ResourceLabel", "the metric is told by the scenario")], sink);
        predefined.finish(sink);
        AwsMetric::Predefined(name)
    } else {
        let help = "write `PredefinedMetricSpecification` or `CustomizedMetricSpecification`";
        let own = Block::of(block.need("CustomizedMetricSpecification", help, sink)?, sink)?;
        own.skip(&["Namespace", "Unit"]);
        own.not_modelled(&[("Dimensions", "the metric is told by the scenario"), ("Metrics", "")], sink);
        let name = own.need("MetricName", "a metric has a name", sink)?.text()?.to_owned();
        let statistic = own.text("Statistic", sink).unwrap_or("Average").to_owned();
        own.finish(sink);
        AwsMetric::Customized { name, statistic }
    };
    let usual = TargetTracking::new(target);
    let seconds = |key, sink: &mut Sink| block.seconds(key, 0..=MOST, sink);
    let policy = TargetTracking {
        disable_scale_in: block.flag("DisableScaleIn", sink).unwrap_or(false),
        cooldowns: Cooldowns {
            out: seconds("ScaleOutCooldown", sink).unwrap_or(usual.cooldowns.out),
            in_: seconds("ScaleInCooldown", sink).unwrap_or(usual.cooldowns.in_),
        },
        ..usual
    };
    Some(AwsScalingPolicy::TargetTracking { policy, metric })
}

fn kind_of(block: &Block<'_>, sink: &mut Sink) -> Option<AdjustmentType> {
    let node = block.need("AdjustmentType", "write `ChangeInCapacity`", sink)?;
    match node.text() {
        Some("ChangeInCapacity") => Some(AdjustmentType::ChangeInCapacity),
        Some("ExactCapacity") => Some(AdjustmentType::ExactCapacity),
        Some("PercentChangeInCapacity") => Some(AdjustmentType::PercentChangeInCapacity),
        _ => {
            sink.expected("`ChangeInCapacity`, `ExactCapacity` or `PercentChangeInCapacity`", node, "");
            None
        }
    }
}

fn step(block: &Block<'_>, sink: &mut Sink) -> Option<StepPolicy> {
    let kind = kind_of(block, sink);
    let min_magnitude = block.int("MinAdjustmentMagnitude", 0..=MOST, sink);
    block.not_modelled(&[("MetricAggregationType", "the newest datapoint counts")], sink);
    block.skip(&["Cooldown"]);
    let steps_node = block.need("StepAdjustments", "write at least one step", sink)?;
    let mut steps = Vec::new();
    for item in block.list("StepAdjustments", sink) {
        let one = Block::of(item, sink)?;
        one.need("ScalingAdjustment", "write how much the step changes", sink)?;
        steps.push(Step {
            lower: one.number("MetricIntervalLowerBound", sink),
            upper: one.number("MetricIntervalUpperBound", sink),
            adjustment: one.number("ScalingAdjustment", sink)?,
        });
        one.finish(sink);
    }
    if let Some(problem) = wrong_steps(&steps) {
        sink.report(Diagnostic::error(problem).at(steps_node.place).help(
            "each step begins where the one before ends, relative to the threshold; leave out the outermost ends",
        ));
    }
    Some(StepPolicy { kind: kind?, min_magnitude, steps, warmup: DEFAULT_COOLDOWN })
}

/// Steps may neither overlap nor leave gaps, and only the outermost ends may be open.
fn wrong_steps(steps: &[Step]) -> Option<&'static str> {
    let ends = |step: &Step| (step.lower.unwrap_or(f64::NEG_INFINITY), step.upper.unwrap_or(f64::INFINITY));
    let mut ranges: Vec<(f64, f64)> = steps.iter().map(ends).collect();
    ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
    if ranges.is_empty() {
        return Some("there are no steps");
    }
    if ranges.iter().any(|(lower, upper)| lower >= upper) {
        return Some("a step ends before it begins");
    }
    let meets = |pair: &[(f64, f64)]| pair[0].1.total_cmp(&pair[1].0);
    if ranges.windows(2).any(|pair| meets(pair).is_gt()) {
        return Some("two steps overlap");
    }
    ranges.windows(2).any(|pair| meets(pair).is_lt()).then_some("there is a gap between two steps")
}

fn simple(block: &Block<'_>, sink: &mut Sink) -> Option<SimplePolicy> {
    let kind = kind_of(block, sink)?;
    block.need("ScalingAdjustment", "write how much it changes", sink)?;
    let value = block.number("ScalingAdjustment", sink)?;
    let min_magnitude = block.int("MinAdjustmentMagnitude", 0..=MOST, sink);
    let adjustment = Adjustment { kind, value, min_magnitude };
    Some(SimplePolicy { adjustment, cooldown: DEFAULT_COOLDOWN })
}

fn alarm(block: &Block<'_>, sink: &mut Sink) -> Option<Manifest> {
    let name = block.text("AlarmName", sink).map(str::to_owned);
    let keys = [
        "AlarmArn",
        "AlarmDescription",
        "OKActions",
        "InsufficientDataActions",
        "ActionsEnabled",
        "Namespace",
        "Unit",
        "StateValue",
        "StateReason",
        "StateReasonData",
        "StateUpdatedTimestamp",
        "StateTransitionedTimestamp",
        "AlarmConfigurationUpdatedTimestamp",
    ];
    block.skip(&keys);
    block.not_modelled(
        &[
            ("Dimensions", "the metric is told by the scenario"),
            ("TreatMissingData", "a missing datapoint neither breaches nor calms"),
            ("ExtendedStatistic", "the metric is told by the scenario"),
            ("Statistic", "the metric is told by the scenario"),
            ("Metrics", "the metric is told by the scenario"),
        ],
        sink,
    );
    let node = block.need("ComparisonOperator", "write `GreaterThanThreshold`", sink)?;
    let comparison = match node.text() {
        Some("GreaterThanThreshold") => Comparison::Above,
        Some("GreaterThanOrEqualToThreshold") => Comparison::AtLeast,
        Some("LessThanThreshold") => Comparison::Below,
        Some("LessThanOrEqualToThreshold") => Comparison::AtMost,
        _ => {
            sink.expected("`GreaterThanThreshold`, `LessThanThreshold` or one with `OrEqualTo`", node, "");
            return None;
        }
    };
    block.need("Threshold", "write the threshold", sink)?;
    block.need("EvaluationPeriods", "write how many datapoints it looks at", sink)?;
    let periods = block.int("EvaluationPeriods", 1..=MOST, sink)?;
    let needed = block.int("DatapointsToAlarm", 1..=periods, sink).unwrap_or(periods);
    let what = AwsAlarm {
        metric: block.need("MetricName", "an alarm has a metric", sink)?.text()?.to_owned(),
        comparison,
        threshold: block.number("Threshold", sink)?,
        needed: needed as usize,
        periods: periods as usize,
        period: block.seconds("Period", 1..=86_400, sink).unwrap_or(Span::from_nanos(60_000_000_000)),
        actions: block.list("AlarmActions", sink).iter().filter_map(Node::text).map(str::to_owned).collect(),
    };
    block.finish(sink);
    Some(Manifest { what: What::Aws(AwsDocument::Alarm(what)), name, target: None, place: block.place() })
}

fn group(block: &Block<'_>, sink: &mut Sink) -> Option<Manifest> {
    let name = block.text("AutoScalingGroupName", sink).map(str::to_owned);
    let limits = AwsGroupLimits {
        bounds: bounds(block, "MinSize", "MaxSize", sink)?,
        desired: block.int("DesiredCapacity", 0..=MOST, sink),
        cooldown: block.seconds("DefaultCooldown", 0..=MOST, sink).unwrap_or(DEFAULT_COOLDOWN),
        warmup: block.seconds("DefaultInstanceWarmup", 0..=MOST, sink),
    };
    block.finish(sink);
    let what = What::Aws(AwsDocument::Group(limits));
    Some(Manifest { what, target: name.clone(), name, place: block.place() })
}

/// A target of Application Auto Scaling.
fn scalable(block: &Block<'_>, sink: &mut Sink) -> Option<Manifest> {
    let name = block.text("ResourceId", sink).map(str::to_owned);
    block.skip(&["ServiceNamespace", "ScalableDimension", "CreationTime", "RoleARN", "ScalableTargetARN"]);
    let bounds = bounds(block, "MinCapacity", "MaxCapacity", sink)?;
    let limits = AwsGroupLimits { bounds, desired: None, cooldown: DEFAULT_COOLDOWN, warmup: None };
    block.finish(sink);
    let what = What::Aws(AwsDocument::Group(limits));
    Some(Manifest { what, target: name.clone(), name, place: block.place() })
}

fn bounds(block: &Block<'_>, fewest: &str, most: &str, sink: &mut Sink) -> Option<Bounds> {
    let min = block.int(fewest, 0..=MOST, sink).unwrap_or(0);
    block.need(most, "write the most instances there may be", sink)?;
    let max = block.int(most, 0..=MOST, sink)?;
    if min > max {
        let more = Diagnostic::error(format!("`{fewest}` is {min}, more than `{most}`, {max}"));
        sink.report(more.at(block.place()).help("the fewest may not be more than the most"));
    }
    Some(Bounds { min, max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::autoscaler::kubernetes::ControllerSettings;

    fn read(text: &str) -> Result<(AwsDocument, String), String> {
        let read = super::super::read("policy.json", text, &ControllerSettings::default())
            .map_err(|wrong| wrong.to_string())?;
        let What::Aws(document) = read.list[0].what.clone() else { panic!("{:?}", read.list) };
        Ok((document, read.warnings.to_string()))
    }

    #[test]
    fn a_target_tracking_configuration_is_read_bare_or_wrapped() {
        let bare = r#"{"TargetValue": 50.0, "PredefinedMetricSpecification":
            {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}, "ScaleInCooldown": 60}"#;
        let wrapped = format!(
            r#"{{"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "ResourceId": "service/a/b",
                "TargetTrackingScalingPolicyConfiguration": {bare}}}"#
        );
        let (bare, warnings) = read(bare).expect("a policy");
        assert_eq!(warnings.matches("warning").count(), 1, "{warnings}");
        assert!(warnings.contains("nothing says how many instances there may be"), "{warnings}");
        assert_eq!(bare, read(&wrapped).expect("a policy").0);
        let AwsDocument::Policy(bare) = bare else { panic!("{bare:?}") };
        assert_eq!(bare.flavor, Flavor::Application);
        let AwsScalingPolicy::TargetTracking { policy, metric } = bare.policy else { panic!("{bare:?}") };
        assert_eq!(metric, AwsMetric::Predefined("ECSServiceAverageCPUUtilization".into()));
        assert_eq!(policy.cooldowns.in_, Span::from_nanos(60_000_000_000));
        assert_eq!(policy.cooldowns.out, Cooldowns::default().out);
    }

    #[test]
    fn steps_are_read_and_must_meet() {
        let steps = |upper: f64| {
            format!(
                r#"{{"PolicyType": "StepScaling", "AdjustmentType": "PercentChangeInCapacity", "EstimatedInstanceWarmup": 120,
                "StepAdjustments": [{{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": {upper}, "ScalingAdjustment": 10}},
                {{"MetricIntervalLowerBound": 20, "ScalingAdjustment": 30}}]}}"#
            )
        };
        let (document, _) = read(&steps(20.0)).expect("a policy");
        let AwsDocument::Policy(document) = document else { panic!("{document:?}") };
        let AwsScalingPolicy::Step(policy) = document.policy else { panic!("{document:?}") };
        assert_eq!((policy.steps.len(), document.warmup), (2, Some(Span::from_nanos(120_000_000_000))));
        assert!(read(&steps(10.0)).expect_err("a gap").contains("there is a gap between two steps"));
        assert!(read(&steps(30.0)).expect_err("an overlap").contains("two steps overlap"));
        assert!(read(&steps(-1.0)).expect_err("turned round").contains("ends before it begins"));
    }

    #[test]
    fn alarms_and_groups_are_read_from_what_the_tools_print() {
        let alarms = r#"{"MetricAlarms": [{"AlarmName": "high", "MetricName": "CPUUtilization", "Threshold": 70,
            "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Period": 60,
            "TreatMissingData": "missing"}]}"#;
        let (document, warnings) = read(alarms).expect("an alarm");
        assert!(warnings.contains("`TreatMissingData` is not modelled"), "{warnings}");
        let AwsDocument::Alarm(alarm) = document else { panic!("{document:?}") };
        assert_eq!((alarm.needed, alarm.periods, alarm.comparison), (2, 3, Comparison::Above));
        let group = r#"{"AutoScalingGroupName": "web", "MinSize": 2, "MaxSize": 9, "DesiredCapacity": 3}"#;
        let (document, _) = read(group).expect("a group");
        let AwsDocument::Group(group) = document else { panic!("{document:?}") };
        assert_eq!((group.bounds, group.desired), (Bounds { min: 2, max: 9 }, Some(3)));
        let targets =
            r#"{"ScalableTargets": [{"ResourceId": "service/a/b", "MinCapacity": 1, "MaxCapacity": 8}]}"#;
        let (document, warnings) = read(targets).expect("a target");
        let AwsDocument::Group(group) = document else { panic!("{document:?}") };
        assert_eq!((group.bounds, warnings.trim()), (Bounds { min: 1, max: 8 }, ""));
    }

    #[test]
    fn what_aws_refuses_is_an_error_and_forecasts_are_left_out() {
        let predicted =
            r#"{"PolicyName": "f", "PolicyType": "PredictiveScaling", "PredictiveScalingConfiguration": {}}"#;
        assert!(read(predicted).expect_err("nothing is left").contains("nothing in this file"));
        for (text, message) in [
            (
                r#"{"TargetValue": 0, "PredefinedMetricSpecification": {"PredefinedMetricType": "x"}}"#,
                "above zero",
            ),
            (r#"{"TargetValue": 50}"#, "`CustomizedMetricSpecification` is missing"),
            (
                r#"{"PolicyType": "SimpleScaling", "AdjustmentType": "Twice", "ScalingAdjustment": 1}"#,
                "found `Twice`",
            ),
            (r#"{"MinSize": 5, "MaxSize": 2}"#, "more than `MaxSize`"),
        ] {
            let told = read(text).expect_err(text);
            assert!(told.contains(message), "{told}");
        }
    }
}

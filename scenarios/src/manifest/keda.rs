//! KEDA's `ScaledObject` and `ScaledJob`.
//!
//! Source: kedacore/keda, `apis/keda/v1alpha1/`; for triggers kedacore/keda-docs, `content/docs/2.21/scalers/`.

use std::collections::BTreeMap;

use models::autoscaler::keda::jobs::Fold;
use models::autoscaler::keda::{
    Fallback, FallbackBehavior, Formula, JobStrategy, Modifiers, ScaledJob, ScaledObject, Trigger,
    TriggerKind,
};
use models::autoscaler::kubernetes::{ControllerSettings, Metric, ResourceTarget, ValueTarget, quantity};

use crate::diagnostic::Diagnostic;
use crate::spec::Sink;
use crate::tree::{Node, Value};

use super::block::{Block, MOST};
use super::{Manifest, What, hpa, name_of, target_of};

/// KEDA scales a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledObjectManifest {
    /// What it goes by.
    pub object: ScaledObject,
    /// Where its triggers read, by their names.
    pub sources: BTreeMap<String, TriggerSource>,
    /// Replicas that a pause sets once.
    pub paused_replicas: Option<i32>,
    /// Triggers of kinds whose target is not known here.
    pub open: Vec<Box<str>>,
}

/// KEDA starts jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledJobManifest {
    /// What it goes by.
    pub job: ScaledJob,
    /// Its triggers.
    pub triggers: Vec<JobTrigger>,
}

/// A trigger of a `ScaledJob`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobTrigger {
    /// Its name.
    pub name: String,
    /// Messages for one job, in thousandths.
    pub target_milli: i64,
    /// Active above this, in thousandths.
    pub activation_milli: i64,
    /// Where it reads.
    pub source: TriggerSource,
}

/// Where a trigger reads: what the manifest says of it besides its target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TriggerSource {
    /// The kind of scaler: `kafka`, `prometheus`.
    pub kind: String,
    /// Its metadata, unread.
    pub metadata: BTreeMap<String, String>,
}

/// Annotations that are read.
const ANNOTATIONS: [&str; 5] = [
    "autoscaling.keda.sh/paused",
    "autoscaling.keda.sh/paused-replicas",
    "autoscaling.keda.sh/paused-scale-in",
    "autoscaling.keda.sh/paused-scale-out",
    "autoscaling.keda.sh/force-activation",
];

/// How a kind of scaler calls its target and its activation threshold, and the target's default.
const SCALERS: [(&str, &str, &str, Option<&str>); 23] = [
    ("activemq", "targetQueueSize", "activationTargetQueueSize", Some("10")),
    ("apache-kafka", "lagThreshold", "activationLagThreshold", Some("10")),
    ("aws-cloudwatch", "targetMetricValue", "activationTargetMetricValue", None),
    ("aws-kinesis-stream", "shardCount", "activationShardCount", Some("2")),
    ("aws-sqs-queue", "queueLength", "activationQueueLength", Some("5")),
    ("azure-eventhub", "unprocessedEventThreshold", "activationUnprocessedEventThreshold", Some("64")),
    ("azure-monitor", "targetValue", "activationTargetValue", None),
    ("azure-queue", "queueLength", "activationQueueLength", Some("5")),
    ("azure-servicebus", "messageCount", "activationMessageCount", Some("5")),
    ("datadog", "queryValue", "activationQueryValue", None),
    ("elasticsearch", "targetValue", "activationTargetValue", None),
    ("gcp-pubsub", "value", "activationValue", Some("10")),
    ("kafka", "lagThreshold", "activationLagThreshold", Some("10")),
    ("kubernetes-workload", "value", "activationValue", None),
    ("metrics-api", "targetValue", "activationTargetValue", None),
    ("mongodb", "queryValue", "activationQueryValue", None),
    ("mysql", "queryValue", "activationQueryValue", None),
    ("nats-jetstream", "lagThreshold", "activationLagThreshold", Some("10")),
    ("postgresql", "targetQueryValue", "activationTargetQueryValue", None),
    ("prometheus", "threshold", "activationThreshold", None),
    ("pulsar", "msgBacklogThreshold", "activationMsgBacklogThreshold", Some("10")),
    ("rabbitmq", "value", "activationValue", None),
    ("redis", "listLength", "activationListLength", Some("5")),
];

pub(super) fn object(block: &Block<'_>, settings: &ControllerSettings, sink: &mut Sink) -> Option<Manifest> {
    let name = name_of(block, &ANNOTATIONS, sink);
    block.skip(&["status"]);
    let spec = Block::of(block.need("spec", "a ScaledObject is made of its `spec`", sink)?, sink)?;
    let target = target_of(&spec, sink);
    let mut read = described(&spec, settings, sink);
    read.paused_replicas = pauses(block, &mut read.object, sink);
    Some(Manifest { what: What::ScaledObject(read), name, target, place: block.place() })
}

/// The `spec` of a `ScaledObject` that stands elsewhere than in a manifest.
pub(crate) fn of_spec(
    node: &Node,
    settings: &ControllerSettings,
    sink: &mut Sink,
) -> Option<ScaledObjectManifest> {
    let spec = Block::of(node, sink)?;
    spec.skip(&["scaleTargetRef"]);
    Some(described(&spec, settings, sink))
}

/// What a `spec` says.
fn described(spec: &Block<'_>, settings: &ControllerSettings, sink: &mut Sink) -> ScaledObjectManifest {
    let usual = ScaledObject::default();
    let mut object = ScaledObject {
        polling_interval: spec.seconds("pollingInterval", 1..=MOST, sink).unwrap_or(usual.polling_interval),
        cooldown_period: spec.seconds("cooldownPeriod", 0..=MOST, sink).unwrap_or(usual.cooldown_period),
        initial_cooldown_period: spec
            .seconds("initialCooldownPeriod", 0..=MOST, sink)
            .unwrap_or(usual.initial_cooldown_period),
        min_replicas: spec.count("minReplicaCount", 0, sink),
        max_replicas: spec.count("maxReplicaCount", 1, sink),
        idle_replicas: spec.count("idleReplicaCount", 0, sink),
        fallback: spec.get("fallback").and_then(|node| fallback(node, sink)),
        ..usual
    };
    if let Some(advanced) = spec.block("advanced", sink) {
        advanced
            .not_modelled(&[("restoreToOriginalReplicaCount", "the object is not deleted in a run")], sink);
        if let Some(config) = advanced.block("horizontalPodAutoscalerConfig", sink) {
            config.skip(&["name"]);
            object.behavior = config.get("behavior").and_then(|node| hpa::behavior(node, settings, sink));
            config.finish(sink);
        }
        object.modifiers = advanced.get("scalingModifiers").and_then(|node| modifiers(node, sink));
        advanced.finish(sink);
    }
    let Triggers { list, sources, open } = triggers(spec, sink);
    object.triggers = list;
    spec.finish(sink);
    check(spec, &object, sink);
    ScaledObjectManifest { object, sources, paused_replicas: None, open }
}

pub(super) fn job(block: &Block<'_>, sink: &mut Sink) -> Option<Manifest> {
    let name = name_of(block, &[], sink);
    block.skip(&["status"]);
    let usual = ScaledJob::default();
    let spec = Block::of(block.need("spec", "a ScaledJob is made of its `spec`", sink)?, sink)?;
    spec.skip(&["jobTargetRef"]);
    spec.not_modelled(
        &[
            ("successfulJobsHistoryLimit", "jobs that have ended are gone"),
            ("failedJobsHistoryLimit", "jobs that have ended are gone"),
            ("rollout", "nothing is rolled out in a run"),
            ("rolloutStrategy", "nothing is rolled out in a run"),
            ("envSourceContainerName", ""),
        ],
        sink,
    );
    let mut job = ScaledJob {
        polling_interval: spec.seconds("pollingInterval", 1..=MOST, sink).unwrap_or(usual.polling_interval),
        min_replicas: spec.count("minReplicaCount", 0, sink),
        max_replicas: spec.count("maxReplicaCount", 0, sink),
        ..usual
    };
    if let Some(strategy) = spec.block("scalingStrategy", sink) {
        let named = strategy.text("strategy", sink).unwrap_or("default");
        let deduction = strategy.int("customScalingQueueLengthDeduction", i64::MIN..=MOST, sink);
        let share = strategy.text("customScalingRunningJobPercentage", sink);
        job.strategy = JobStrategy::named(named, deduction, share);
        let place = strategy.get("strategy").map_or(strategy.place(), |node| node.place);
        if !["default", "custom", "accurate", "eager"].contains(&named) {
            let unknown = format!("there is no strategy `{named}`, so KEDA uses `default`");
            sink.report(Diagnostic::warning(unknown).at(place));
        } else if named == "custom" && job.strategy == JobStrategy::Default {
            let help = "write `customScalingRunningJobPercentage: \"0.5\"`";
            let without = "`custom` without a share of running jobs that is a number is `default` for KEDA";
            sink.report(Diagnostic::warning(without).at(place).help(help));
        }
        job.fold = match strategy.get("multipleScalersCalculation").map(|node| (node, node.text())) {
            None | Some((_, Some("max"))) => Fold::Max,
            Some((_, Some("min"))) => Fold::Min,
            Some((_, Some("avg"))) => Fold::Avg,
            Some((_, Some("sum"))) => Fold::Sum,
            Some((node, _)) => {
                sink.expected("`max`, `min`, `avg` or `sum`", node, "");
                Fold::Max
            }
        };
        strategy.not_modelled(&[("pendingPodConditions", "a job is pending until its pod runs")], sink);
        strategy.finish(sink);
    }
    let Triggers { list, sources, open } = triggers(&spec, sink);
    let known = list.into_iter().filter(|trigger| !open.contains(&trigger.name));
    let triggers = known.filter_map(|trigger| match trigger.kind {
        TriggerKind::External { target, activation_milli } => {
            let (ValueTarget::Value(target_milli) | ValueTarget::AverageValue(target_milli)) = target;
            let name = trigger.name.to_string();
            let source = sources.get(&name).cloned().unwrap_or_default();
            Some(JobTrigger { name, target_milli, activation_milli, source })
        }
        TriggerKind::Resource(_) => {
            let place = spec.get("triggers").map_or(spec.place(), |node| node.label);
            sink.report(Diagnostic::error("a ScaledJob cannot be scaled by cpu or memory").at(place));
            None
        }
    });
    let triggers = triggers.collect();
    spec.finish(sink);
    let what = What::ScaledJob(ScaledJobManifest { job, triggers });
    Some(Manifest { what, name, target: None, place: block.place() })
}

fn check(spec: &Block<'_>, object: &ScaledObject, sink: &mut Sink) {
    let place_of = |key: &str| spec.get(key).map_or(spec.place(), |node| node.place);
    if !object.bounds_are_valid() {
        let idle = object.idle_replicas.is_some();
        let key = if idle { "idleReplicaCount" } else { "minReplicaCount" };
        let counts = Diagnostic::error("these counts of replicas do not go together").at(place_of(key));
        sink.report(counts.help("idle has to be below the fewest, and the fewest not above the most"));
    }
    if object.idle_replicas.is_some_and(|idle| idle > 0) {
        let zero = "the autoscaler of Kubernetes raises it to the fewest at once; only 0 stays";
        let idle =
            Diagnostic::warning("`idleReplicaCount` above 0 does not hold").at(place_of("idleReplicaCount"));
        sink.report(idle.help(zero));
    }
    let resources = object.triggers.iter().any(|trigger| matches!(trigger.kind, TriggerKind::Resource(_)));
    if let Some(fallback) = &object.fallback {
        if !fallback.is_valid() {
            let error =
                Diagnostic::error("a fallback needs numbers of at least zero").at(place_of("fallback"));
            sink.report(error.help("KEDA ignores one that has others"));
        } else if resources {
            let no_fallback = "a fallback does not hold for triggers of cpu and memory";
            sink.report(Diagnostic::warning(no_fallback).at(place_of("fallback")));
        }
    }
    let Some(modifiers) = &object.modifiers else {
        return;
    };
    for name in modifiers.formula.triggers() {
        if !object.triggers.iter().any(|trigger| &*trigger.name == name) {
            let error = Diagnostic::error(format!("the formula names `{name}`, and no trigger is called so"));
            sink.report(error.at(place_of("advanced")).help("give the trigger this `name`"));
        }
    }
}

/// Pauses, which are annotations; the count that one of them sets.
fn pauses(block: &Block<'_>, object: &mut ScaledObject, sink: &mut Sink) -> Option<i32> {
    let annotations = block.block("metadata", sink)?.block("annotations", sink)?;
    let mut on = |key: &str| match annotations.text(key, sink) {
        Some("true") => true,
        Some("false") | None => false,
        Some(_) => {
            if let Some(node) = annotations.get(key) {
                sink.expected("`\"true\"` or `\"false\"`", node, "");
            }
            false
        }
    };
    object.paused = on(ANNOTATIONS[0]);
    object.paused_scale_in = on(ANNOTATIONS[2]);
    object.paused_scale_out = on(ANNOTATIONS[3]);
    object.force_activation = on(ANNOTATIONS[4]);
    let node = annotations.get(ANNOTATIONS[1])?;
    object.paused = true;
    let replicas = node.text().and_then(|text| text.parse().ok());
    if replicas.is_none() {
        sink.expected("a number of replicas in quotes", node, "");
    }
    replicas
}

fn fallback(node: &Node, sink: &mut Sink) -> Option<Fallback> {
    let block = Block::of(node, sink)?;
    block.need("failureThreshold", "write after how many failures in a row it holds", sink)?;
    block.need("replicas", "write how many replicas it asks for", sink)?;
    let behavior = match block.get("behavior").map(|node| (node, node.text())) {
        None | Some((_, Some("static"))) => FallbackBehavior::Static,
        Some((_, Some("currentReplicas"))) => FallbackBehavior::CurrentReplicas,
        Some((_, Some("currentReplicasIfHigher"))) => FallbackBehavior::CurrentReplicasIfHigher,
        Some((_, Some("currentReplicasIfLower"))) => FallbackBehavior::CurrentReplicasIfLower,
        Some((_, Some("scalingModifiers"))) => FallbackBehavior::ScalingModifiers,
        Some((node, _)) => {
            let known = "`static`, `currentReplicas`, `currentReplicasIfHigher`, `currentReplicasIfLower` or \
                         `scalingModifiers`";
            sink.expected(known, node, "");
            return None;
        }
    };
    let read = Fallback {
        failure_threshold: block.count("failureThreshold", i64::from(i32::MIN), sink)?,
        replicas: block.count("replicas", i64::from(i32::MIN), sink)?,
        behavior,
    };
    block.finish(sink);
    Some(read)
}

fn modifiers(node: &Node, sink: &mut Sink) -> Option<Modifiers> {
    let block = Block::of(node, sink)?;
    let text = block.need("formula", "write a formula over the names of triggers", sink)?;
    let formula = match Formula::read(text.text()?) {
        Ok(formula) => Some(formula),
        Err(wrong) => {
            sink.report(Diagnostic::error(wrong.to_string()).at(text.place).help(
                "read are numbers, triggers, arithmetic, comparisons, `?:`, `??`, lists and the usual functions",
            ));
            None
        }
    };
    let target = number_text(&block, "target", sink)?;
    let activation_milli = block.get("activationTarget").map_or(Some(0), |node| milli(node, sink))?;
    let target = match block.get("metricType").map(|node| (node, node.text())) {
        None | Some((_, Some("AverageValue"))) => ValueTarget::AverageValue(target),
        Some((_, Some("Value"))) => ValueTarget::Value(target),
        Some((node, _)) => {
            sink.expected("`AverageValue` or `Value`", node, "");
            return None;
        }
    };
    block.finish(sink);
    Some(Modifiers { formula: formula?, target, activation_milli })
}

/// A number in a text above zero, in thousandths.
fn number_text(block: &Block<'_>, key: &str, sink: &mut Sink) -> Option<i64> {
    let node = block.need(key, "write what the value is held against", sink)?;
    let number = milli(node, sink)?;
    if number <= 0 {
        sink.expected("a number above zero", node, "");
        return None;
    }
    Some(number)
}

/// A number in a text, in thousandths.
fn milli(node: &Node, sink: &mut Sink) -> Option<i64> {
    if let Value::Number(_) = node.value {
        sink.expected("a text", node, "values of metadata are texts: put the number in quotes");
        return None;
    }
    let number = node.text().and_then(quantity::milli);
    if number.is_none() {
        sink.expected("a number in quotes", node, "");
    }
    number
}

/// The triggers of an object.
#[derive(Default)]
struct Triggers {
    list: Vec<Trigger>,
    sources: BTreeMap<String, TriggerSource>,
    /// The names of those whose target is not known.
    open: Vec<Box<str>>,
}

fn triggers(spec: &Block<'_>, sink: &mut Sink) -> Triggers {
    let Triggers { mut list, mut sources, mut open } = Triggers::default();
    spec.need("triggers", "write at least one trigger", sink);
    for (index, item) in spec.list("triggers", sink).iter().enumerate() {
        let Some((trigger, source, is_open)) = trigger(item, index, sink) else {
            continue;
        };
        if is_open {
            open.push(trigger.name.clone());
        }
        if sources.insert(trigger.name.to_string(), source).is_some() {
            let twice = format!("two triggers are called `{}`", trigger.name);
            sink.report(Diagnostic::error(twice).at(item.place).help("give each a `name` of its own"));
        }
        list.push(trigger);
    }
    Triggers { list, sources, open }
}

/// A trigger, where it reads, and whether its target is not known.
fn trigger(node: &Node, index: usize, sink: &mut Sink) -> Option<(Trigger, TriggerSource, bool)> {
    let block = Block::of(node, sink)?;
    let kind_node = block.need("type", "write the kind of scaler: `type: kafka`", sink)?;
    let kind = kind_node.text()?;
    let metadata =
        Block::of(block.need("metadata", "a trigger is described by its `metadata`", sink)?, sink)?;
    block.skip(&["authenticationRef"]);
    let given = block.text("name", sink).map(str::to_owned);
    let use_cached_metrics = block.flag("useCachedMetrics", sink).unwrap_or(false);
    let metric_type = block.get("metricType");
    block.finish(sink);
    let name: Box<str> = given.unwrap_or_else(|| format!("s{index}-{kind}")).into();
    let mut is_open = false;
    let kind_of = match kind {
        "cpu" | "memory" => TriggerKind::Resource(resource(kind, metric_type, &metadata, sink)?),
        _ => {
            let (target, activation) = external(kind, kind_node, &name, &metadata, sink)?;
            is_open = target.is_none();
            let target = target.unwrap_or(i64::MAX);
            let target = match metric_type.map(|node| (node, node.text())) {
                None | Some((_, Some("AverageValue"))) => ValueTarget::AverageValue(target),
                Some((_, Some("Value"))) => ValueTarget::Value(target),
                Some((node, _)) => {
                    sink.expected("`AverageValue` or `Value`", node, "");
                    return None;
                }
            };
            TriggerKind::External { target, activation_milli: activation }
        }
    };
    let mut source = TriggerSource { kind: kind.into(), metadata: BTreeMap::new() };
    for (key, _) in metadata.keys() {
        if let Some(text) = metadata.get(key).and_then(Node::text) {
            source.metadata.insert(key.into(), text.into());
        }
    }
    Some((Trigger { name, kind: kind_of, use_cached_metrics }, source, is_open))
}

/// Target and activation threshold of a trigger, in thousandths; no target where it is not known what that is called.
fn external(
    kind: &str,
    node: &Node,
    name: &str,
    metadata: &Block<'_>,
    sink: &mut Sink,
) -> Option<(Option<i64>, i64)> {
    let Some((_, target, activation, default)) = SCALERS.iter().find(|(known, ..)| *known == kind) else {
        if kind == "cron" {
            let cron = Diagnostic::warning("a trigger of type `cron` is not modelled; it is left out");
            sink.report(cron.at(node.place).help("use a timetable of your own beside it"));
            return None;
        }
        let unknown = format!("what a trigger of type `{kind}` aims at is not known here");
        let help = format!(
            "say it where the manifest is used: `metrics: {{{name}: {{of: web.in_flight, target: 10}}}}` in a scenario, \
             `--goal 10` in a replay; else the trigger is left out"
        );
        sink.report(Diagnostic::warning(unknown).at(node.place).help(help));
        return Some((None, 0));
    };
    let target = match (metadata.get(target), default) {
        (None, Some(default)) => quantity::milli(default)?,
        _ => number_text(metadata, target, sink)?,
    };
    let activation = metadata.get(activation).map_or(Some(0), |node| milli(node, sink))?;
    Some((Some(target), activation))
}

fn resource(kind: &str, metric_type: Option<&Node>, metadata: &Block<'_>, sink: &mut Sink) -> Option<Metric> {
    let value = metadata.need("value", "write the target: `value: \"60\"`", sink)?;
    let kind_of = metric_type.or_else(|| metadata.get("type")).and_then(Node::text).unwrap_or("Utilization");
    let number = milli(value, sink)?;
    let target = match kind_of {
        "Utilization" => ResourceTarget::Utilization(i32::try_from(number / 1000).ok()?),
        "AverageValue" => ResourceTarget::AverageValue(number),
        _ => {
            sink.expected("`Utilization` or `AverageValue`", metric_type?, "");
            return None;
        }
    };
    Some(match metadata.text("containerName", sink) {
        Some(container) => {
            Metric::ContainerResource { resource: kind.into(), container: container.into(), target }
        }
        None => Metric::Resource { resource: kind.into(), target },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::Span;

    fn read(text: &str) -> Result<(Manifest, String), String> {
        super::super::read("keda.yaml", text, &ControllerSettings::default())
            .map(|read| (read.list[0].clone(), read.warnings.to_string()))
            .map_err(|wrong| wrong.to_string())
    }

    const OBJECT: &str = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\n";

    #[test]
    fn a_scaled_object_is_read_with_its_triggers() {
        let text = format!(
            "{OBJECT}metadata:
  name: orders
  annotations: {{autoscaling.keda.sh/paused-scale-in: \"true\", autoscaling.keda.sh/wobble: \"1\"}}
spec:
  scaleTargetRef: {{name: worker}}
  cooldownPeriod: 60
  minReplicaCount: 1
  fallback: {{failureThreshold: 3, replicas: 6}}
  advanced:
    horizontalPodAutoscalerConfig: {{behavior: {{scaleDown: {{stabilizationWindowSeconds: 0}}}}}}
    scalingModifiers: {{formula: \"lag + 2 * depth\", target: \"5\", activationTarget: \"1.5\"}}
  triggers:
  - {{type: kafka, name: lag, metadata: {{topic: orders, lagThreshold: \"50\", activationLagThreshold: \"2\"}}}}
  - {{type: redis, name: depth, metricType: Value, metadata: {{listName: jobs}}}}
  - {{type: cpu, metricType: Utilization, metadata: {{value: \"60\"}}}}
"
        );
        let (manifest, warnings) = read(&text).expect("a manifest");
        assert!(warnings.contains("`autoscaling.keda.sh/wobble` is not modelled"), "{warnings}");
        assert_eq!(warnings.matches("not modelled").count(), 1, "{warnings}");
        let What::ScaledObject(read) = manifest.what else { panic!("{manifest:?}") };
        let object = &read.object;
        assert_eq!(object.cooldown_period, Span::from_nanos(60_000_000_000));
        assert_eq!((object.min_replicas, object.hpa_max(), object.paused_scale_in), (Some(1), 100, true));
        let external = |target, activation_milli| TriggerKind::External { target, activation_milli };
        assert_eq!(object.triggers[0].kind, external(ValueTarget::AverageValue(50_000), 2_000));
        assert_eq!(object.triggers[1].kind, external(ValueTarget::Value(5_000), 0));
        let cpu = Metric::Resource { resource: "cpu".into(), target: ResourceTarget::Utilization(60) };
        assert_eq!(object.triggers[2].kind, TriggerKind::Resource(cpu));
        assert_eq!(read.sources["lag"].metadata["topic"], "orders");
        let modifiers = object.modifiers.as_ref().expect("modifiers");
        assert_eq!((modifiers.target, modifiers.activation_milli), (ValueTarget::AverageValue(5_000), 1_500));
        assert!(object.behavior.is_some());
    }

    #[test]
    fn a_scaled_job_is_read_with_its_strategy() {
        let text = "apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {name: render}
spec:
  jobTargetRef: {template: {}}
  maxReplicaCount: 30
  successfulJobsHistoryLimit: 5
  scalingStrategy: {strategy: custom, customScalingQueueLengthDeduction: 1, customScalingRunningJobPercentage: \"0.5\", multipleScalersCalculation: sum}
  triggers: [{type: aws-sqs-queue, metadata: {queueLength: \"10\"}}]
";
        let (manifest, warnings) = read(text).expect("a manifest");
        assert!(warnings.contains("`successfulJobsHistoryLimit` is not modelled"), "{warnings}");
        let What::ScaledJob(read) = manifest.what else { panic!("{manifest:?}") };
        assert_eq!(read.job.strategy, JobStrategy::Custom { deduction: 1, share: 0.5 });
        assert_eq!((read.job.fold, read.job.max()), (Fold::Sum, 30));
        assert_eq!(read.triggers[0].target_milli, 10_000);
    }

    #[test]
    fn an_unknown_trigger_is_kept_without_a_target() {
        let text = format!("{OBJECT}spec: {{triggers: [{{type: teapot, metadata: {{a: b}}}}]}}\n");
        let (manifest, warnings) = read(&text).expect("a manifest");
        assert!(warnings.contains("what a trigger of type `teapot` aims at is not known here"), "{warnings}");
        let What::ScaledObject(read) = manifest.what else { panic!("{manifest:?}") };
        assert_eq!(read.open, ["s0-teapot".into()]);
    }

    #[test]
    fn what_keda_refuses_is_an_error() {
        for (spec, message) in [
            ("triggers: []\n  minReplicaCount: 5\n  maxReplicaCount: 2", "do not go together"),
            ("triggers: []\n  minReplicaCount: 1\n  idleReplicaCount: 1", "do not go together"),
            ("minReplicaCount: 1", "`triggers` is missing"),
            ("triggers: [{type: kafka, metadata: {lagThreshold: 50}}]", "put the number in quotes"),
            ("triggers: [{type: prometheus, metadata: {query: up}}]", "`threshold` is missing"),
            ("triggers: []\n  fallback: {replicas: 1}", "`failureThreshold` is missing"),
            ("triggers: []\n  fallback: {failureThreshold: -1, replicas: 1}", "at least zero"),
            (
                "triggers: []\n  advanced: {scalingModifiers: {formula: 'a +', target: '1'}}",
                "expected a number, a trigger or a function",
            ),
            (
                "triggers: []\n  advanced: {scalingModifiers: {formula: 'a', target: '1'}}",
                "no trigger is called so",
            ),
        ] {
            let told = read(&format!("{OBJECT}spec:\n  {spec}\n")).expect_err(spec);
            assert!(told.contains(message), "{told}");
            assert!(told.contains("keda.yaml:"), "{told}");
        }
    }
}

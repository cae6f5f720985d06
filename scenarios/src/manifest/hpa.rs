//! `HorizontalPodAutoscaler`.
//!
//! Source: kubernetes/kubernetes, `staging/src/k8s.io/api/autoscaling/v2/types.go` and
//! `pkg/apis/autoscaling/validation/validation.go`.

use models::autoscaler::kubernetes::{
    Behavior, ControllerSettings, Hpa, Metric, PartialRules, Policy, PolicyType, ResourceTarget, Select,
    ValueTarget, quantity,
};

use crate::diagnostic::Diagnostic;
use crate::spec::Sink;
use crate::tree::Node;

use super::block::{Block, MOST};
use super::{Manifest, What, name_of, target_of};

/// An autoscaler of Kubernetes.
#[derive(Clone, Debug, PartialEq)]
pub struct HpaManifest {
    /// What it goes by.
    pub hpa: Hpa,
}

/// Longest window and period in seconds.
const LONGEST_WINDOW: i64 = 3600;
const LONGEST_PERIOD: i64 = 1800;

pub(super) fn read(
    block: &Block<'_>,
    version: &str,
    settings: &ControllerSettings,
    sink: &mut Sink,
) -> Option<Manifest> {
    let name = name_of(block, &[], sink);
    block.skip(&["status"]);
    let spec = Block::of(block.need("spec", "a HorizontalPodAutoscaler is made of its `spec`", sink)?, sink)?;
    let target = target_of(&spec, sink);
    let hpa = described(&spec, version, block.get("apiVersion").unwrap_or(block.node()), settings, sink)?;
    Some(Manifest { what: What::Hpa(HpaManifest { hpa }), name, target, place: block.place() })
}

/// What a `spec` says, which is of this version, as `told` says.
fn described(
    spec: &Block<'_>,
    version: &str,
    told: &Node,
    settings: &ControllerSettings,
    sink: &mut Sink,
) -> Option<Hpa> {
    let min = spec.count("minReplicas", 0, sink);
    let max = spec.need("maxReplicas", "write the most replicas there may be: `maxReplicas: 10`", sink);
    let max = max.and_then(|_| spec.count("maxReplicas", 1, sink));
    let (metrics, behavior) = match version {
        "autoscaling/v1" => {
            let percent = spec.int("targetCPUUtilizationPercentage", 1..=MOST, sink);
            let target = ResourceTarget::Utilization(percent.map_or(80, |percent| percent as i32));
            (vec![Metric::Resource { resource: "cpu".into(), target }], None)
        }
        "autoscaling/v2" | "autoscaling/v2beta2" => {
            let read: Vec<Option<Metric>> =
                spec.list("metrics", sink).iter().map(|item| metric(item, sink)).collect();
            let given = !read.is_empty();
            let metrics: Vec<Metric> = read.into_iter().flatten().collect();
            let metrics = if given { metrics } else { Hpa::default_metrics() };
            (metrics, spec.get("behavior").and_then(|node| behavior(node, settings, sink)))
        }
        _ => {
            let other = Diagnostic::error(format!("`{version}` cannot be read")).at(told.place);
            sink.report(other.help("write it as `autoscaling/v2`: `kubectl get hpa.v2.autoscaling -o yaml`"));
            return None;
        }
    };
    spec.finish(sink);
    let (min, max) = (min.unwrap_or(1), max?);
    if max < min {
        let place = spec.get("maxReplicas").map_or(spec.place(), |node| node.place);
        let less = Diagnostic::error(format!("`maxReplicas` is {max}, less than `minReplicas`, {min}"));
        sink.report(less.at(place).help("the most has to be at least the fewest"));
    }
    check_zero(spec, min, &metrics, sink);
    Some(Hpa { min_replicas: min, max_replicas: max, metrics, behavior })
}

/// The `spec` of an autoscaler, autoscaling/v2, that stands elsewhere than in a manifest.
pub(crate) fn of_spec(node: &Node, settings: &ControllerSettings, sink: &mut Sink) -> Option<Hpa> {
    let spec = Block::of(node, sink)?;
    spec.skip(&["scaleTargetRef"]);
    described(&spec, "autoscaling/v2", node, settings, sink)
}

/// Zero replicas need a metric that is there without them, and a gate.
fn check_zero(spec: &Block<'_>, min: i32, metrics: &[Metric], sink: &mut Sink) {
    if min != 0 {
        return;
    }
    let place = spec.get("minReplicas").map_or(spec.place(), |node| node.place);
    if metrics.iter().any(|metric| matches!(metric, Metric::Object { .. } | Metric::External { .. })) {
        let gate = "it needs the gate HPAScaleToZero, which is off unless somebody switched it on";
        sink.report(Diagnostic::warning("`minReplicas: 0` is refused by most clusters").at(place).help(gate));
    } else {
        let error = Diagnostic::error("`minReplicas: 0` needs an Object or External metric").at(place);
        sink.report(error.help("without replicas nobody measures the others; write at least 1"));
    }
}

fn metric(node: &Node, sink: &mut Sink) -> Option<Metric> {
    let block = Block::of(node, sink)?;
    let kind = block.need("type", "write `type: Resource`, `Pods`, `Object` or `External`", sink)?;
    let (key, kind_text) = match kind.text()? {
        "Resource" => ("resource", "Resource"),
        "ContainerResource" => ("containerResource", "ContainerResource"),
        "Pods" => ("pods", "Pods"),
        "Object" => ("object", "Object"),
        "External" => ("external", "External"),
        _ => {
            sink.expected(
                "`Resource`, `ContainerResource`, `Pods`, `Object` or `External`",
                kind,
                "any other type fails in every pass of the controller",
            );
            return None;
        }
    };
    let help = format!("a metric of type `{kind_text}` is described under `{key}`");
    let source = Block::of(block.need(key, &help, sink)?, sink)?;
    block.finish(sink);
    let target = Block::of(source.need("target", "write what the metric is held against", sink)?, sink)?;
    let read = match key {
        "resource" | "containerResource" => {
            let resource = source.need("name", "write `cpu` or `memory`", sink)?.text()?;
            let to = resource_target(&target, sink);
            if key == "resource" {
                to.map(|target| Metric::Resource { resource: resource.into(), target })
            } else {
                let container = source.need("container", "write the name of the container", sink)?.text()?;
                to.map(|target| Metric::ContainerResource {
                    resource: resource.into(),
                    container: container.into(),
                    target,
                })
            }
        }
        _ => {
            let metric = named(&source, sink)?;
            let to = value_target(&target, key, sink);
            match (key, to) {
                ("pods", Some(ValueTarget::AverageValue(average_milli))) => {
                    Some(Metric::Pods { metric, average_milli })
                }
                ("object", Some(target)) => {
                    source.skip(&["describedObject"]);
                    Some(Metric::Object { metric, target })
                }
                ("external", Some(target)) => Some(Metric::External { metric, target }),
                _ => None,
            }
        }
    };
    source.finish(sink);
    target.finish(sink);
    read
}

/// The name of a metric.
fn named(source: &Block<'_>, sink: &mut Sink) -> Option<Box<str>> {
    let metric = Block::of(source.need("metric", "write `metric: {name: ...}`", sink)?, sink)?;
    metric.not_modelled(&[("selector", "every series of that name counts")], sink);
    let name = metric.need("name", "a metric has a name", sink)?.text()?.into();
    metric.finish(sink);
    Some(name)
}

fn resource_target(target: &Block<'_>, sink: &mut Sink) -> Option<ResourceTarget> {
    let kind = target.need("type", "write `type: Utilization` or `type: AverageValue`", sink)?;
    match kind.text()? {
        "Utilization" => {
            let help = "write the share of what the pods request, in percent: `averageUtilization: 70`";
            target.need("averageUtilization", help, sink)?;
            let percent = target.int("averageUtilization", 1..=MOST, sink)?;
            Some(ResourceTarget::Utilization(percent as i32))
        }
        "AverageValue" => Some(ResourceTarget::AverageValue(positive(target, "averageValue", sink)?)),
        _ => {
            sink.expected("`Utilization` or `AverageValue`", kind, "");
            None
        }
    }
}

fn value_target(target: &Block<'_>, key: &str, sink: &mut Sink) -> Option<ValueTarget> {
    let kind = target.need("type", "write `type: AverageValue` or `type: Value`", sink)?;
    match kind.text()? {
        "Value" if key != "pods" => Some(ValueTarget::Value(positive(target, "value", sink)?)),
        "AverageValue" => Some(ValueTarget::AverageValue(positive(target, "averageValue", sink)?)),
        _ if key == "pods" => {
            sink.expected("`AverageValue`", kind, "a metric of pods is held against its average");
            None
        }
        _ => {
            sink.expected("`Value` or `AverageValue`", kind, "");
            None
        }
    }
}

/// A quantity above zero.
fn positive(target: &Block<'_>, key: &str, sink: &mut Sink) -> Option<i64> {
    let node = target.need(key, "write what the metric is held against", sink)?;
    let milli = target.quantity(key, sink)?;
    if milli == 0 {
        sink.expected("a quantity above zero", node, "nothing can be held against zero");
        return None;
    }
    Some(milli)
}

/// The windows and policies of a manifest; both sides are filled as soon as there is a `behavior` at all.
pub(super) fn behavior(node: &Node, settings: &ControllerSettings, sink: &mut Sink) -> Option<Behavior> {
    let block = Block::of(node, sink)?;
    let mut side = |key| block.get(key).and_then(|node| rules(node, settings, sink)).unwrap_or_default();
    let (up, down) = (side("scaleUp"), side("scaleDown"));
    block.finish(sink);
    Some(Behavior::filled(&up, &down, settings.downscale_stabilization))
}

fn rules(node: &Node, settings: &ControllerSettings, sink: &mut Sink) -> Option<PartialRules> {
    let block = Block::of(node, sink)?;
    let select = block.get("selectPolicy").and_then(|node| match node.text() {
        Some("Max") => Some(Select::Max),
        Some("Min") => Some(Select::Min),
        Some("Disabled") => Some(Select::Disabled),
        _ => {
            sink.expected("`Max`, `Min` or `Disabled`", node, "");
            None
        }
    });
    let allowed = block.get("policies").map(|list| {
        let items = block.list("policies", sink);
        if items.is_empty() {
            let advice = "leave `policies` out for the defaults, or write `selectPolicy: Disabled`";
            sink.expected("at least one policy", list, advice);
        }
        items.iter().filter_map(|item| policy(item, sink)).collect()
    });
    let tolerance = block.get("tolerance").and_then(|node| {
        let tolerance = node.text().and_then(quantity::number).filter(|tolerance| *tolerance >= 0.0);
        match tolerance {
            None => sink.expected("a share such as `0.05`", node, ""),
            Some(_) if !settings.configurable_tolerance => {
                let off = "the gate HPAConfigurableTolerance is off, so the controller's own holds";
                sink.report(Diagnostic::warning("`tolerance` is ignored").at(node.place).help(off));
            }
            Some(_) => {}
        }
        tolerance
    });
    let read = PartialRules {
        window: block.seconds("stabilizationWindowSeconds", 0..=LONGEST_WINDOW, sink),
        select,
        policies: allowed,
        tolerance,
    };
    block.finish(sink);
    Some(read)
}

fn policy(node: &Node, sink: &mut Sink) -> Option<Policy> {
    let block = Block::of(node, sink)?;
    let kind = block.need("type", "write `type: Pods` or `type: Percent`", sink)?;
    let kind = match kind.text() {
        Some("Pods") => Some(PolicyType::Pods),
        Some("Percent") => Some(PolicyType::Percent),
        _ => {
            sink.expected("`Pods` or `Percent`", kind, "");
            None
        }
    };
    block.need("value", "write how many, or how many percent", sink)?;
    let value = block.count("value", 1, sink);
    block.need("periodSeconds", "write in how many seconds, at most 1800", sink)?;
    let period = block.seconds("periodSeconds", 1..=LONGEST_PERIOD, sink);
    block.finish(sink);
    Some(Policy { kind: kind?, value: value?, period: period? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::Span;

    const HEAD: &str =
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n";

    fn read_one(spec: &str) -> (Hpa, String) {
        let text = format!("{HEAD}{spec}");
        let read = super::super::read("hpa.yaml", &text, &ControllerSettings::default());
        let read = read.unwrap_or_else(|wrong| panic!("{wrong}"));
        let What::Hpa(manifest) = &read.list[0].what else { panic!("{:?}", read.list) };
        (manifest.hpa.clone(), read.warnings.to_string())
    }

    fn wrong(spec: &str) -> String {
        let text = format!("{HEAD}{spec}");
        super::super::read("hpa.yaml", &text, &ControllerSettings::default()).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_metric_is_read() {
        let spec = "  maxReplicas: 9
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}
  - {type: ContainerResource, containerResource: {name: memory, container: app, target: {type: AverageValue, averageValue: 1Gi}}}
  - {type: Pods, pods: {metric: {name: qps}, target: {type: AverageValue, averageValue: 1500m}}}
  - {type: Object, object: {metric: {name: hits}, describedObject: {kind: Ingress, name: main}, target: {type: Value, value: 2k}}}
  - {type: External, external: {metric: {name: depth}, target: {type: AverageValue, averageValue: \"30\"}}}
";
        let (hpa, warnings) = read_one(spec);
        assert_eq!(warnings.trim(), "");
        assert_eq!((hpa.min_replicas, hpa.max_replicas, hpa.behavior), (1, 9, None));
        assert_eq!(
            hpa.metrics,
            [
                Metric::Resource { resource: "cpu".into(), target: ResourceTarget::Utilization(70) },
                Metric::ContainerResource {
                    resource: "memory".into(),
                    container: "app".into(),
                    target: ResourceTarget::AverageValue(1_073_741_824_000),
                },
                Metric::Pods { metric: "qps".into(), average_milli: 1_500 },
                Metric::Object { metric: "hits".into(), target: ValueTarget::Value(2_000_000) },
                Metric::External { metric: "depth".into(), target: ValueTarget::AverageValue(30_000) },
            ]
        );
    }

    #[test]
    fn nothing_said_means_the_documented_defaults() {
        let (hpa, _) = read_one("  maxReplicas: 9\n");
        assert_eq!(hpa.metrics, Hpa::default_metrics());
        let (hpa, _) =
            read_one("  maxReplicas: 9\n  behavior: {scaleUp: {stabilizationWindowSeconds: 30}}\n");
        let behavior = hpa.behavior.expect("both sides are filled");
        assert_eq!(behavior.scale_up.window, Span::from_nanos(30_000_000_000));
        assert_eq!(behavior.scale_up.policies.len(), 2);
        assert_eq!(behavior.scale_down.window, Span::from_nanos(300_000_000_000));
    }

    #[test]
    fn what_is_not_modelled_is_a_warning_with_its_place() {
        let spec = "  maxReplicas: 9
  surprise: 1
  metrics:
  - {type: External, external: {metric: {name: depth, selector: {matchLabels: {q: a}}}, target: {type: Value, value: 5}}}
";
        let (_, warnings) = read_one(spec);
        assert!(warnings.contains("`surprise` is not modelled"), "{warnings}");
        assert!(warnings.contains("hpa.yaml:6:3"), "{warnings}");
        assert!(warnings.contains("`selector` is not modelled"), "{warnings}");
    }

    #[test]
    fn what_kubernetes_refuses_is_an_error_with_a_fix() {
        for (spec, message) in [
            ("  minReplicas: 1\n", "`maxReplicas` is missing"),
            ("  minReplicas: 5\n  maxReplicas: 4\n", "less than `minReplicas`"),
            ("  minReplicas: 0\n  maxReplicas: 4\n", "needs an Object or External metric"),
            ("  maxReplicas: many\n", "expected a whole number of at least 1, found `many`"),
            ("  maxReplicas: 4\n  metrics: [{type: Custom}]\n", "found `Custom`"),
            ("  maxReplicas: 4\n  metrics: [{type: Resource}]\n", "`resource` is missing"),
            (
                "  maxReplicas: 4\n  behavior: {scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 60}]}}\n",
                "expected a whole number of at least 1, found `0`",
            ),
            (
                "  maxReplicas: 4\n  behavior: {scaleDown: {stabilizationWindowSeconds: 7200}}\n",
                "expected a whole number from 0 to 3600, found `7200`",
            ),
        ] {
            let told = wrong(spec);
            assert!(told.contains(message), "{told}");
            assert!(told.contains("hpa.yaml:"), "{told}");
        }
    }
}

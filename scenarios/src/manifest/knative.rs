//! Knative's revisions and its config maps.
//!
//! Source: knative/serving, `pkg/apis/autoscaling/register.go`, `annotation_validation.go` and
//! `pkg/autoscaler/config/config.go`.

use models::autoscaler::knative::{ClusterConfig, Revision, ScalingMetric, WindowAlgorithm};
use sim_core::Span;

use crate::diagnostic::Diagnostic;
use crate::did_you_mean;
use crate::spec::Sink;
use crate::tree::{Node, Place, Value};

use super::block::Block;
use super::{Manifest, What, name_of};

/// Knative scales a revision.
#[derive(Clone, Debug, PartialEq)]
pub struct KnativeRevision {
    /// What it says of itself.
    pub revision: Revision,
}

/// Where annotations of the autoscaler begin.
const PREFIX: &str = "autoscaling.knative.dev/";
/// The autoscaler that is modelled.
const KPA: &str = "kpa.autoscaling.knative.dev";
/// What to do about others.
const OTHER_CLASS: &str = "write the HorizontalPodAutoscaler that it makes, or leave the class out";

/// Annotations that are read.
const KNOWN: [&str; 17] = [
    "class",
    "metric",
    "target",
    "target-utilization-percentage",
    "target-burst-capacity",
    "min-scale",
    "max-scale",
    "initial-scale",
    "activation-scale",
    "window",
    "panic-window-percentage",
    "panic-threshold-percentage",
    "scale-down-delay",
    "scale-to-zero-pod-retention-period",
    "metric-aggregation-algorithm",
    "minScale",
    "maxScale",
];

pub(super) fn revision(block: &Block<'_>, sink: &mut Sink) -> Option<Manifest> {
    let name = name_of(block, &[], sink);
    let kind = block.get("kind").and_then(Node::text).unwrap_or_default();
    let spec = Block::of(block.need("spec", "a service is made of its `spec`", sink)?, sink)?;
    if kind == "Service" {
        spec.not_modelled(&[("traffic", "all traffic goes to the newest revision")], sink);
    }
    let template = if kind == "Revision" { None } else { spec.block("template", sink) };
    let (metadata, pod) = match &template {
        Some(template) => (template.block("metadata", sink), template.block("spec", sink)),
        None => (block.block("metadata", sink), block.block("spec", sink)),
    };
    let mut revision = Revision::default();
    if let Some(pod) = pod {
        let limit = pod.int("containerConcurrency", 0..=1000, sink);
        revision.container_concurrency = limit.unwrap_or(0) as u32;
    }
    if let Some(annotations) = metadata.and_then(|metadata| metadata.block("annotations", sink)) {
        if is_of_another(&annotations, sink) {
            return None;
        }
        annotated(&annotations, &mut revision, sink);
    }
    let what = What::Knative(KnativeRevision { revision });
    Some(Manifest { what, name: name.clone(), target: name, place: block.place() })
}

/// Whether something else scales the revision, which is told.
fn is_of_another(annotations: &Block<'_>, sink: &mut Sink) -> bool {
    let class = entry(annotations, &format!("{PREFIX}class"), sink).filter(|class| class.text != KPA);
    let Some(class) = class else { return false };
    let message = format!("the class `{}` is not modelled here; this document is left out", class.text);
    sink.report(Diagnostic::warning(message).at(class.place).help(OTHER_CLASS));
    true
}

/// What stands in a scenario: the annotations of a revision without their prefix, its `containerConcurrency`, and under
/// `config` what the config map `config-autoscaler` says.
pub(crate) fn of_spec(node: &Node, sink: &mut Sink) -> Option<(ClusterConfig, Revision)> {
    const OTHERS: [&str; 2] = ["containerConcurrency", "config"];
    let block = Block::of(node, sink)?.loosely();
    let mut config = ClusterConfig::default();
    if let Some(data) = block.block("config", sink) {
        autoscaler(&data, &mut config, sink);
    }
    let limit = block.int("containerConcurrency", 0..=1000, sink).unwrap_or(0) as u32;
    let mut revision = Revision { container_concurrency: limit, ..Revision::default() };
    for (full, place) in block.keys().filter(|(key, _)| !OTHERS.contains(key)) {
        annotation(&block, full, full.strip_prefix(PREFIX).unwrap_or(full), place, &mut revision, sink);
    }
    check_bounds(&block, &revision, sink);
    Some((config, revision))
}

fn annotated(annotations: &Block<'_>, revision: &mut Revision, sink: &mut Sink) {
    for (full, place) in annotations.keys() {
        if let Some(key) = full.strip_prefix(PREFIX) {
            annotation(annotations, full, key, place, revision, sink);
        } else if full == "serving.knative.dev/progress-deadline" {
            revision.progress_deadline = entry(annotations, full, sink).and_then(|it| it.duration(sink));
        }
    }
    check_bounds(annotations, revision, sink);
}

/// What an annotation says: its name as it stands there, and without its prefix.
fn annotation(
    annotations: &Block<'_>,
    full: &str,
    key: &str,
    place: Place,
    revision: &mut Revision,
    sink: &mut Sink,
) {
    let Some(entry) = entry(annotations, full, sink) else { return };
    match key {
        "class" if entry.text == KPA => {}
        "class" => {
            let other = format!("the class `{}` is not modelled here", entry.text);
            sink.report(Diagnostic::error(other).at(entry.place).help(OTHER_CLASS));
        }
        "metric" => match entry.text {
            "concurrency" => revision.metric = ScalingMetric::Concurrency,
            "rps" => revision.metric = ScalingMetric::Rps,
            _ => entry.wrong("`concurrency` or `rps`", "others belong to another class", sink),
        },
        "metric-aggregation-algorithm" => match entry.text {
            "linear" => revision.algorithm = WindowAlgorithm::Linear,
            "weighted-exponential" => revision.algorithm = WindowAlgorithm::WeightedExponential,
            _ => entry.wrong("`linear` or `weighted-exponential`", "", sink),
        },
        "target" => revision.target = entry.number(0.01, f64::MAX, sink),
        "target-utilization-percentage" => {
            revision.target_utilization_percent = entry.number(1.0, 100.0, sink);
        }
        "target-burst-capacity" => revision.target_burst_capacity = entry.number(-1.0, f64::MAX, sink),
        "min-scale" | "minScale" => revision.min_scale = entry.count(sink),
        "max-scale" | "maxScale" => revision.max_scale = entry.count(sink),
        "initial-scale" => revision.initial_scale = entry.count(sink),
        "activation-scale" => revision.activation_scale = entry.count(sink),
        "window" => revision.window = entry.window(sink),
        "panic-window-percentage" => revision.panic_window_percentage = entry.number(1.0, 100.0, sink),
        "panic-threshold-percentage" => {
            revision.panic_threshold_percentage = entry.number(110.0, 1000.0, sink);
        }
        "scale-down-delay" => revision.scale_down_delay = entry.duration(sink),
        "scale-to-zero-pod-retention-period" => {
            revision.scale_to_zero_pod_retention = entry.duration(sink);
        }
        _ => {
            let unknown = Diagnostic::warning(format!("the annotation `{full}` is not modelled")).at(place);
            sink.report(unknown.help_if(did_you_mean(key, KNOWN)));
        }
    }
}

fn check_bounds(annotations: &Block<'_>, revision: &Revision, sink: &mut Sink) {
    if let (Some(min), Some(max)) = (revision.min_scale, revision.max_scale)
        && max != 0
        && min > max
    {
        let more = format!("the fewest pods, {min}, are more than the most, {max}");
        sink.report(Diagnostic::error(more).at(annotations.place()).help("0 for the most is no limit"));
    }
}

pub(super) fn config_map(block: &Block<'_>, sink: &mut Sink) -> Option<Manifest> {
    let name = name_of(block, &[], sink);
    let mut config = ClusterConfig::default();
    let data = block.block("data", sink);
    match name.as_deref() {
        Some("config-autoscaler") => {
            if let Some(data) = data {
                autoscaler(&data, &mut config, sink);
            }
        }
        Some("config-deployment") => {
            if let Some(data) = data {
                // What is under `_example` is read by nobody.
                data.skip(&["_example"]);
                config.progress_deadline = entry(&data, "progress-deadline", sink)
                    .and_then(|it| it.duration(sink))
                    .unwrap_or(config.progress_deadline);
                data.finish(sink);
            }
        }
        _ => {
            let place = block.get("kind").map_or(block.place(), |node| node.place);
            let other = Diagnostic::warning("a `ConfigMap` of this name is not modelled; it is left out");
            sink.report(other.at(place).help("read are `config-autoscaler` and `config-deployment`"));
            return None;
        }
    }
    Some(Manifest { what: What::KnativeConfig(config), name, target: None, place: block.place() })
}

fn autoscaler(data: &Block<'_>, config: &mut ClusterConfig, sink: &mut Sink) {
    data.skip(&["_example"]);
    let mut number = |key: &str, least: f64, into: &mut f64| {
        if let Some(value) = entry(data, key, sink).and_then(|entry| entry.number(least, f64::MAX, sink)) {
            *into = value;
        }
    };
    number("panic-window-percentage", 1.0, &mut config.panic_window_percentage);
    number("panic-threshold-percentage", 110.0, &mut config.panic_threshold_percentage);
    number("max-scale-up-rate", 1.001, &mut config.max_scale_up_rate);
    number("max-scale-down-rate", 1.001, &mut config.max_scale_down_rate);
    number("target-burst-capacity", -1.0, &mut config.target_burst_capacity);
    number("activator-capacity", 1.0, &mut config.activator_capacity);
    number("container-concurrency-target-default", 0.01, &mut config.container_concurrency_target_default);
    number("requests-per-second-target-default", 1.0, &mut config.rps_target_default);
    let mut percent = f64::NAN;
    number("container-concurrency-target-percentage", 0.0, &mut percent);
    if percent > 0.0 {
        // A share up to one is a share, anything above is percent.
        config.container_concurrency_target_fraction = if percent > 1.0 { percent / 100.0 } else { percent };
    }
    let mut count = |key: &str, into: &mut i32| {
        if let Some(value) = entry(data, key, sink).and_then(|entry| entry.count(sink)) {
            *into = value;
        }
    };
    count("initial-scale", &mut config.initial_scale);
    count("min-scale", &mut config.min_scale);
    count("max-scale", &mut config.max_scale);
    count("max-scale-limit", &mut config.max_scale_limit);
    let mut duration = |key: &str, into: &mut Span| {
        if let Some(value) = entry(data, key, sink).and_then(|entry| entry.duration(sink)) {
            *into = value;
        }
    };
    duration("scale-to-zero-grace-period", &mut config.scale_to_zero_grace_period);
    duration("scale-to-zero-pod-retention-period", &mut config.scale_to_zero_pod_retention);
    duration("scale-down-delay", &mut config.scale_down_delay);
    if let Some(window) = entry(data, "stable-window", sink).and_then(|entry| entry.window(sink)) {
        config.stable_window = window;
    }
    let mut flag = |key: &str, into: &mut bool| {
        if let Some(entry) = entry(data, key, sink) {
            match entry.text {
                "true" => *into = true,
                "false" => *into = false,
                _ => entry.wrong("`\"true\"` or `\"false\"`", "", sink),
            }
        }
    };
    flag("enable-scale-to-zero", &mut config.enable_scale_to_zero);
    flag("allow-zero-initial-scale", &mut config.allow_zero_initial_scale);
    if let Some(class) = entry(data, "pod-autoscaler-class", sink).filter(|entry| entry.text != KPA) {
        let warning = Diagnostic::warning(format!("the class `{}` is not modelled", class.text));
        sink.report(warning.at(class.place).help("revisions are scaled by Knative's own"));
    }
    data.finish(sink);
}

/// A text of an annotation or a config map.
struct Entry<'a> {
    text: &'a str,
    node: &'a Node,
    place: Place,
}

fn entry<'a>(block: &Block<'a>, key: &str, sink: &mut Sink) -> Option<Entry<'a>> {
    let node = block.get(key)?;
    let text = match &node.value {
        Value::String(text) => Some(text.trim()),
        Value::Number(text) if block.is_loose() => Some(&**text),
        Value::Bool(flag) if block.is_loose() => Some(if *flag { "true" } else { "false" }),
        _ => None,
    };
    if let Some(text) = text {
        return Some(Entry { text, node, place: node.place });
    }
    sink.expected("a text", node, "values here are texts: put it in quotes");
    None
}

impl Entry<'_> {
    fn wrong(&self, what: &str, help: &str, sink: &mut Sink) {
        sink.expected(what, self.node, help);
    }

    fn number(&self, least: f64, most: f64, sink: &mut Sink) -> Option<f64> {
        let number = self.text.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let what = match most {
                f64::MAX => format!("a number of at least {least}"),
                _ => format!("a number from {least} to {most}"),
            };
            self.wrong(&what, "", sink);
        }
        number
    }

    fn count(&self, sink: &mut Sink) -> Option<i32> {
        let count = self.text.parse::<i32>().ok().filter(|count| *count >= 0);
        if count.is_none() {
            self.wrong("a number of pods", "", sink);
        }
        count
    }

    fn duration(&self, sink: &mut Sink) -> Option<Span> {
        let span = go_duration(self.text);
        if span.is_none() {
            self.wrong("a duration", "write `30s`, `1m30s` or `2h`", sink);
        }
        span
    }

    /// A stable window: whole seconds from 6 s to an hour.
    fn window(&self, sink: &mut Sink) -> Option<Span> {
        const SECOND: u64 = 1_000_000_000;
        let nanos = self.duration(sink)?.as_nanos();
        if nanos % SECOND == 0 && (6..=3600).contains(&(nanos / SECOND)) {
            return Some(Span::from_nanos(nanos));
        }
        self.wrong("whole seconds from `6s` to `1h`", "", sink);
        None
    }
}

/// A duration as Go writes it: `1h15m`, `1.5s`, `300ms`.
fn go_duration(text: &str) -> Option<Span> {
    if text == "0" {
        return Some(Span::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number * unit;
        rest = &rest[end..];
    }
    if text.is_empty() { None } else { Span::from_seconds(seconds).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::autoscaler::kubernetes::ControllerSettings;

    fn read(text: &str) -> Result<(Manifest, String), String> {
        super::super::read("knative.yaml", text, &ControllerSettings::default())
            .map(|read| (read.list[0].clone(), read.warnings.to_string()))
            .map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_service_is_read_with_its_annotations() {
        let text = "apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/min-scale: \"2\"
        autoscaling.knative.dev/maxScale: \"9\"
        autoscaling.knative.dev/metric: rps
        autoscaling.knative.dev/target: \"150\"
        autoscaling.knative.dev/window: 1m30s
        autoscaling.knative.dev/minimum: \"1\"
    spec: {containerConcurrency: 20, containers: [{image: hello}]}
";
        let (manifest, warnings) = read(text).expect("a manifest");
        assert_eq!(warnings.matches("not modelled").count(), 1, "{warnings}");
        assert!(warnings.contains("knative.yaml:13:9"), "{warnings}");
        let What::Knative(KnativeRevision { revision }) = manifest.what else { panic!("{manifest:?}") };
        let expected = Revision {
            metric: ScalingMetric::Rps,
            container_concurrency: 20,
            target: Some(150.0),
            min_scale: Some(2),
            max_scale: Some(9),
            window: Some(Span::from_nanos(90_000_000_000)),
            ..Revision::default()
        };
        assert_eq!(revision, expected);
    }

    /// What stands under `_example` is for people; what is beside it holds.
    #[test]
    fn a_config_map_overrides_defaults() {
        let text = "apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler}
data:
  _example: |
    stable-window: \"10s\"
  container-concurrency-target-percentage: \"0.5\"
  scale-to-zero-grace-period: 45s
  max-scale-down-rate: \"4\"
  enable-scale-to-zero: \"false\"
";
        let (manifest, warnings) = read(text).expect("a manifest");
        assert_eq!(warnings.trim(), "");
        let expected = ClusterConfig {
            container_concurrency_target_fraction: 0.5,
            scale_to_zero_grace_period: Span::from_nanos(45_000_000_000),
            max_scale_down_rate: 4.0,
            enable_scale_to_zero: false,
            ..ClusterConfig::default()
        };
        assert_eq!(manifest.what, What::KnativeConfig(expected));
    }

    #[test]
    fn what_knative_refuses_is_an_error() {
        let service = |annotation: &str| {
            format!(
                "apiVersion: serving.knative.dev/v1\nkind: Service\nspec: {{template: {{metadata: {{annotations: \
                 {{autoscaling.knative.dev/{annotation}}}}}}}}}\n"
            )
        };
        for (annotation, message) in [
            ("min-scale: 2", "put it in quotes"),
            ("window: 3s", "whole seconds from `6s` to `1h`"),
            ("metric: cpu", "expected `concurrency` or `rps`"),
            ("class: hpa.autoscaling.knative.dev", "is not modelled here"),
            ("target-utilization-percentage: '120'", "a number from 1 to 100"),
            ("min-scale: '5', autoscaling.knative.dev/max-scale: '2'", "more than the most"),
        ] {
            let told = read(&service(annotation)).expect_err(annotation);
            assert!(told.contains(message), "{told}");
        }
    }

    #[test]
    fn a_revision_of_another_class_is_left_out_of_many() {
        let service = |name: &str, class: &str| {
            format!(
                "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{template: {{metadata: \
                 {{annotations: {{autoscaling.knative.dev/class: {class}}}}}}}}}\n"
            )
        };
        let (other, own) = (service("a", "hpa.autoscaling.knative.dev"), service("b", KPA));
        let (manifest, warnings) = read(&format!("{other}---\n{own}")).expect("one of two");
        assert_eq!(manifest.name.as_deref(), Some("b"));
        assert!(warnings.contains("`hpa.autoscaling.knative.dev` is not modelled here"), "{warnings}");
    }

    #[test]
    fn durations_are_written_as_go_does() {
        let seconds = |text| go_duration(text).map(|span: Span| span.as_seconds());
        assert_eq!(["1h15m", "1.5s", "300ms", "0"].map(seconds), [4500.0, 1.5, 0.3, 0.0].map(Some));
        assert_eq!(["", "10", "s", "1d", "-1s"].map(seconds), [None; 5]);
    }
}

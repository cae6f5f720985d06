//! Manifests of real autoscalers, unchanged, as the settings of `models::autoscaler`.
//!
//! Read are `HorizontalPodAutoscaler` (autoscaling/v1, v2 and v2beta2), KEDA's `ScaledObject` and `ScaledJob`,
//! Knative's `Service`, `Configuration` and `Revision` and its config maps `config-autoscaler` and `config-deployment`,
//! and the JSON of AWS scaling policies, alarms and groups; several documents in one file.
//!
//! Whatever is in a file and cannot be had is a warning at its place. A value that the real system would refuse is an
//! error.

mod aws;
mod block;
mod controller;
mod hpa;
mod keda;
mod knative;

use std::sync::Arc;

pub use models::autoscaler::kubernetes::ControllerSettings;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Text};
use crate::spec::Sink;
use crate::text::MAX_BYTES;
use crate::tree::{self, Node, Place};

pub(crate) use block::Block;
pub(crate) use hpa::of_spec as hpa_of_spec;
pub(crate) use keda::of_spec as keda_of_spec;
pub(crate) use knative::of_spec as knative_of_spec;

pub use aws::{AwsAlarm, AwsDocument, AwsGroupLimits, AwsMetric, AwsPolicyDocument, AwsScalingPolicy};
pub use controller::{Goal, Law, MetricKind, Scaler, WantedMetric, nothing_scales};
pub use hpa::HpaManifest;
pub use keda::{JobTrigger, ScaledJobManifest, ScaledObjectManifest, TriggerSource};
pub use knative::KnativeRevision;

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Manifests {
    /// Its documents that scale something, in the order of the file.
    pub list: Vec<Manifest>,
    /// The autoscalers that they set up together.
    pub scalers: Vec<Scaler>,
    /// What of it cannot be had.
    pub warnings: Diagnostics,
}

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// What it is.
    pub what: What,
    /// Its own name.
    pub name: Option<String>,
    /// The name of what it scales.
    pub target: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// What a document sets up.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An autoscaler of Kubernetes.
    Hpa(HpaManifest),
    /// KEDA scales a workload.
    ScaledObject(ScaledObjectManifest),
    /// KEDA starts jobs.
    ScaledJob(ScaledJobManifest),
    /// Knative scales a revision.
    Knative(KnativeRevision),
    /// What holds for all revisions of Knative.
    KnativeConfig(models::autoscaler::knative::ClusterConfig),
    /// AWS: a policy, an alarm or a group.
    Aws(AwsDocument),
}

/// Reads a file of manifests, called `name` in messages; `settings` are those of the controller that would read it.
///
/// # Errors
///
/// When it is not YAML or JSON, or the real system would refuse it.
pub fn read(name: &str, text: &str, settings: &ControllerSettings) -> Result<Manifests, Diagnostics> {
    read_all(&[(name, text)], settings)
}

/// Reads several files, each with its name, that belong together: a revision and its config maps, policies and their
/// alarms.
///
/// # Errors
///
/// As [`read`].
pub fn read_all(files: &[(&str, &str)], settings: &ControllerSettings) -> Result<Manifests, Diagnostics> {
    let source = |(name, text): &(&str, &str)| Arc::new(Text { name: (*name).into(), text: (*text).into() });
    let texts: Vec<Arc<Text>> = files.iter().map(source).collect();
    let mut sink = Sink { list: Vec::new() };
    let mut roots = Vec::new();
    for (source, text) in (0_u16..).zip(&texts) {
        let (trees, mistakes) = trees(text, source).map_err(|mistake| {
            let place = mistake.place.or(Some(Place { source, ..Place::default() }));
            Diagnostics::new(vec![Diagnostic { place, ..mistake }], texts.clone(), &[])
        })?;
        roots.extend(trees);
        sink.list.extend(mistakes);
    }
    let mut list = Vec::new();
    for root in &roots {
        document(root, settings, &mut sink, &mut list);
    }
    let scalers = controller::scalers(&list, settings, &mut sink);
    let empty = list.is_empty();
    let (errors, warnings): (Vec<_>, Vec<_>) =
        sink.list.into_iter().partition(|diagnostic| diagnostic.severity == Severity::Error);
    let trees: Vec<&Node> = roots.iter().collect();
    let told = |list: Vec<Diagnostic>| Diagnostics::new(list, texts.clone(), &trees);
    if !errors.is_empty() {
        return Err(told(errors));
    }
    if empty {
        let nothing = Diagnostic::error("nothing in this file scales anything").at(Place::default()).help(
            "a manifest is a HorizontalPodAutoscaler, a ScaledObject or ScaledJob, a Knative Service or its \
             `config-autoscaler`, or the JSON of an AWS scaling policy",
        );
        return Err(told([vec![nothing], warnings].concat()));
    }
    Ok(Manifests { list, scalers, warnings: told(warnings) })
}

/// The documents of a file.
fn trees(text: &Text, source: u16) -> Result<(Vec<Node>, Vec<Diagnostic>), Diagnostic> {
    if text.text.len() > MAX_BYTES {
        return Err(Diagnostic::error("the file is over 4 MiB").help("no manifest needs this"));
    }
    tree::parse_documents(&text.text, source)
}

/// Reads one document, or the documents of a list.
fn document(root: &Node, settings: &ControllerSettings, sink: &mut Sink, out: &mut Vec<Manifest>) {
    let Some(block) = Block::of(root, sink) else {
        return;
    };
    let Some(kind) = block.get("kind") else {
        aws::read(root, sink, out);
        return;
    };
    let version = block.text("apiVersion", sink).unwrap_or_default();
    let (group, _) = version.rsplit_once('/').unwrap_or(("", version));
    match (group, kind.text().unwrap_or_default()) {
        ("", "List") => {
            for item in block.list("items", sink) {
                document(item, settings, sink, out);
            }
        }
        ("autoscaling", "HorizontalPodAutoscaler") => out.extend(hpa::read(&block, version, settings, sink)),
        ("keda.sh", "ScaledObject") => out.extend(keda::object(&block, settings, sink)),
        ("keda.sh", "ScaledJob") => out.extend(keda::job(&block, sink)),
        ("serving.knative.dev", "Service" | "Configuration" | "Revision") => {
            out.extend(knative::revision(&block, sink));
        }
        ("", "ConfigMap") => out.extend(knative::config_map(&block, sink)),
        _ => sink.report(
            Diagnostic::warning(format!("a {} is not modelled; this document is left out", kind.describe()))
                .at(kind.place),
        ),
    }
}

/// The name of a document, and a warning for annotations that scale and are not read.
fn name_of(block: &Block<'_>, read: &[&str], sink: &mut Sink) -> Option<String> {
    const SCALE: [&str; 4] = [
        "autoscaling.keda.sh/",
        "scaledobject.keda.sh/",
        "autoscaling.knative.dev/",
        "autoscaling.alpha.kubernetes.io/",
    ];
    let metadata = block.block("metadata", sink)?;
    if let Some(annotations) = metadata.block("annotations", sink) {
        for (key, place) in annotations.keys() {
            if SCALE.iter().any(|prefix| key.starts_with(prefix)) && !read.contains(&key) {
                sink.report(Diagnostic::warning(format!("the annotation `{key}` is not modelled")).at(place));
            }
        }
    }
    metadata.text("name", sink).map(str::to_owned)
}

/// The name of what a document scales.
fn target_of(spec: &Block<'_>, sink: &mut Sink) -> Option<String> {
    let target = spec.block("scaleTargetRef", sink)?;
    target.skip(&["apiVersion", "kind", "envSourceContainerName"]);
    let name = target.text("name", sink).map(str::to_owned);
    target.finish(sink);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Manifests {
        read("test.yaml", text, &ControllerSettings::default()).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    #[test]
    fn other_documents_are_named_and_left_out() {
        let text = "\
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 4, scaleTargetRef: {kind: Deployment, name: shop}}
---
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
";
        let read = read_all(text);
        assert_eq!(read.list.len(), 1);
        assert_eq!(
            (read.list[0].name.as_deref(), read.list[0].target.as_deref()),
            (Some("web"), Some("shop"))
        );
        let warnings = read.warnings.to_string();
        assert!(warnings.contains("a `PodDisruptionBudget` is not modelled"), "{warnings}");
        assert!(warnings.contains("test.yaml:8:7"), "{warnings}");
    }

    #[test]
    fn what_scales_nothing_is_an_error() {
        for text in ["", "---\n", "a: 1\n", "kind: Pod\napiVersion: v1\n", "[1, 2]", "{"] {
            assert!(read("x.yaml", text, &ControllerSettings::default()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_list_is_its_items() {
        let item = "{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, spec: {maxReplicas: 4}}";
        let read = read_all(&format!("apiVersion: v1\nkind: List\nitems: [{item}, {item}]\n"));
        assert_eq!(read.list.len(), 2);
    }
}

//! What manifests set up: controllers of `models::autoscaler`, and what each has to be fed.

use models::autoscaler::aws::{Alarm, Bounds};
use models::autoscaler::controller::{
    AwsController, AwsGroup, AwsPolicy, Controller, HpaController, KedaController, KnativeController,
};
use models::autoscaler::keda::{ScaledObject, TriggerKind};
use models::autoscaler::knative::{ClusterConfig, Revision, ScalingMetric, resolve_target};
use models::autoscaler::kubernetes::{ControllerSettings, Hpa, Metric, ResourceTarget, ValueTarget};
use sim_core::SimTime;

use crate::diagnostic::Diagnostic;
use crate::spec::Sink;
use crate::tree::Place;
use crate::words::listed;

use super::{
    AwsAlarm, AwsDocument, AwsGroupLimits, AwsMetric, AwsPolicyDocument, AwsScalingPolicy, Manifest,
    Manifests, What,
};

/// An autoscaler that manifests set up.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// Its own name.
    pub name: Option<String>,
    /// The name of what it scales.
    pub target: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// What it goes by.
    pub law: Law,
    /// Replicas that the manifest itself sets to begin with.
    pub start: Option<i32>,
    /// Metrics whose target it does not say in a way that is known here, in their order; they make no sense without.
    pub open: Vec<Box<str>>,
}

/// What an autoscaler goes by.
#[derive(Clone, Debug, PartialEq)]
pub enum Law {
    /// Kubernetes' own, with the settings of the cluster's controller.
    Hpa(Hpa, ControllerSettings),
    /// KEDA's, with the settings of the autoscaler that it makes.
    Keda(ScaledObject, ControllerSettings),
    /// Knative's.
    Knative(ClusterConfig, Revision),
    /// A group of AWS.
    Aws(AwsGroup),
}

/// A metric that a controller asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedMetric {
    /// What it is asked for by: a resource, a trigger, a metric's own name.
    pub name: Box<str>,
    /// Where it is asked for.
    pub kind: MetricKind,
    /// What it is held against; nothing where only a formula is.
    pub goals: Vec<Goal>,
}

/// Which of the sources of a `World` a metric comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// What pods use of a resource.
    Resource,
    /// What one container of each pod uses of a resource.
    Container(Box<str>),
    /// Something measured at every pod.
    Pods,
    /// Something measured at another object.
    Object,
    /// Something measured elsewhere.
    External,
    /// What Knative scrapes.
    Scraped(ScalingMetric),
    /// A statistic of `CloudWatch`.
    Statistic,
}

/// What a metric is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Percent of what the replicas request.
    Utilization(f64),
    /// So much for each replica.
    PerReplica(f64),
    /// The value itself: replicas are in proportion to it.
    Value(f64),
    /// An alarm rings beyond it; how many replicas it takes is not said.
    Threshold(f64),
}

impl Law {
    /// What it is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hpa(..) => "HorizontalPodAutoscaler",
            Self::Keda(..) => "ScaledObject",
            Self::Knative(..) => "Knative revision",
            Self::Aws(_) => "AWS group",
        }
    }
}

impl Scaler {
    /// The controller, which remembers nothing, of so many replicas that are ready.
    pub fn controller(&self, ready: i32, now: SimTime) -> Controller {
        match &self.law {
            Law::Hpa(hpa, settings) => Controller::Hpa(HpaController::new(hpa.clone(), *settings)),
            Law::Keda(object, settings) => {
                Controller::Keda(KedaController::new(object.clone(), *settings, now))
            }
            Law::Knative(config, revision) => {
                let controller = KnativeController::new(config.clone(), revision.clone(), ready, now);
                Controller::Knative(controller)
            }
            Law::Aws(group) => Controller::Aws(AwsController::new(group.clone(), now)),
        }
    }

    /// Fewest and most replicas.
    pub fn bounds(&self) -> (i32, i32) {
        match &self.law {
            Law::Hpa(hpa, _) => (hpa.min_replicas, hpa.max_replicas),
            Law::Keda(object, _) => (object.min_replicas.unwrap_or(0), object.hpa_max()),
            Law::Knative(config, revision) => {
                let (min, max) = revision.bounds(config, true);
                (min, if max == 0 { i32::MAX } else { max })
            }
            Law::Aws(group) => {
                let count = |bound| i32::try_from(bound).unwrap_or(i32::MAX);
                (count(group.bounds.min), count(group.bounds.max))
            }
        }
    }

    /// What it asks for, each metric once.
    pub fn metrics(&self) -> Vec<WantedMetric> {
        let mut wanted = Vec::new();
        match &self.law {
            Law::Hpa(hpa, _) => {
                for metric in &hpa.metrics {
                    want_metric(&mut wanted, metric);
                }
            }
            Law::Keda(object, _) => {
                for trigger in &object.triggers {
                    match &trigger.kind {
                        TriggerKind::Resource(metric) => want_metric(&mut wanted, metric),
                        TriggerKind::External { target, .. } => {
                            let goal = object.modifiers.is_none().then(|| value_goal(*target));
                            want(&mut wanted, &trigger.name, MetricKind::External, goal);
                        }
                    }
                }
            }
            Law::Knative(config, revision) => {
                let name = match revision.metric {
                    ScalingMetric::Concurrency => "concurrency",
                    ScalingMetric::Rps => "rps",
                };
                let goal = Goal::PerReplica(resolve_target(config, revision).target);
                want(&mut wanted, name, MetricKind::Scraped(revision.metric), Some(goal));
            }
            Law::Aws(group) => {
                for policy in &group.policies {
                    let goal = match policy {
                        AwsPolicy::TargetTracking { policy, .. } => Goal::Value(policy.target),
                        AwsPolicy::Step { alarm, .. } | AwsPolicy::Simple { alarm, .. } => {
                            Goal::Threshold(alarm.threshold())
                        }
                    };
                    want(&mut wanted, policy.metric(), MetricKind::Statistic, Some(goal));
                }
            }
        }
        wanted
    }

    /// Forgets the metrics that `keeps` does not name.
    pub fn keep(&mut self, keeps: impl Fn(&str) -> bool) {
        let kept = |metric: &Metric| metric.name().is_none_or(&keeps);
        match &mut self.law {
            Law::Hpa(hpa, _) => hpa.metrics.retain(kept),
            Law::Keda(object, _) => object.triggers.retain(|trigger| match &trigger.kind {
                TriggerKind::Resource(metric) => kept(metric),
                TriggerKind::External { .. } => keeps(&trigger.name),
            }),
            Law::Knative(..) => {}
            Law::Aws(group) => group.policies.retain(|policy| keeps(policy.metric())),
        }
    }

    /// Sets the target of one of its open metrics: so much for each replica, in thousandths.
    pub fn aim(&mut self, metric: &str, target_milli: i64) {
        if let Law::Keda(object, _) = &mut self.law {
            for trigger in object.triggers.iter_mut().filter(|trigger| *trigger.name == *metric) {
                if let TriggerKind::External { target, .. } = &mut trigger.kind {
                    *target = ValueTarget::AverageValue(target_milli);
                }
            }
        }
        self.open.retain(|open| **open != *metric);
    }

    /// Forgets the metrics whose target is still open, and returns their names.
    pub fn forget_open(&mut self) -> Vec<Box<str>> {
        let open = std::mem::take(&mut self.open);
        self.keep(|name| !open.iter().any(|open| **open == *name));
        open
    }

    /// Whether it makes no sense without one of its metrics: a formula is made of them.
    pub fn needs_all(&self) -> bool {
        matches!(&self.law, Law::Keda(object, _) if object.modifiers.is_some())
    }

    /// How messages call it.
    pub fn title(&self) -> &str {
        self.target.as_deref().or(self.name.as_deref()).unwrap_or("an autoscaler without a name")
    }
}

fn want_metric(wanted: &mut Vec<WantedMetric>, metric: &Metric) {
    let resource_goal = |target| match target {
        ResourceTarget::Utilization(percent) => Goal::Utilization(f64::from(percent)),
        ResourceTarget::AverageValue(milli) => Goal::PerReplica(milli as f64 / 1000.0),
    };
    let (name, kind, goal) = match metric {
        Metric::Resource { resource, target } => (resource, MetricKind::Resource, resource_goal(*target)),
        Metric::ContainerResource { resource, container, target } => {
            (resource, MetricKind::Container(container.clone()), resource_goal(*target))
        }
        Metric::Pods { metric, average_milli } => {
            (metric, MetricKind::Pods, value_goal(ValueTarget::AverageValue(*average_milli)))
        }
        Metric::Object { metric, target } => (metric, MetricKind::Object, value_goal(*target)),
        Metric::External { metric, target } => (metric, MetricKind::External, value_goal(*target)),
        Metric::Unsupported => return,
    };
    want(wanted, name, kind, Some(goal));
}

fn value_goal(target: ValueTarget) -> Goal {
    match target {
        ValueTarget::Value(milli) => Goal::Value(milli as f64 / 1000.0),
        ValueTarget::AverageValue(milli) => Goal::PerReplica(milli as f64 / 1000.0),
    }
}

fn want(wanted: &mut Vec<WantedMetric>, name: &str, kind: MetricKind, goal: Option<Goal>) {
    if let Some(known) = wanted.iter_mut().find(|known| *known.name == *name && known.kind == kind) {
        known.goals.extend(goal);
    } else {
        wanted.push(WantedMetric { name: name.into(), kind, goals: goal.into_iter().collect() });
    }
}

impl Manifests {
    /// The autoscaler of what is called `target`; otherwise the only one there is.
    ///
    /// # Errors
    ///
    /// When there is none, or several and not exactly one of them scales it. The message has no place: it belongs to
    /// whoever named the target.
    pub fn scaler_of(&self, target: &str) -> Result<&Scaler, Diagnostic> {
        let named: Vec<&Scaler> =
            self.scalers.iter().filter(|scaler| scaler.target.as_deref() == Some(target)).collect();
        match (named.as_slice(), self.scalers.as_slice()) {
            ([one], _) => Ok(one),
            ([], [one]) => Ok(one),
            ([], []) => Err(nothing_scales()),
            ([], several) => {
                let titles = listed(several.iter().map(Scaler::title));
                let unknown = Diagnostic::error(format!("nothing in the manifest scales `{target}`"));
                Err(unknown.help(format!("it scales {titles}")))
            }
            (_, _) => Err(Diagnostic::error(format!("several autoscalers in the manifest scale `{target}`"))
                .help("the real ones would fight; keep one of them")),
        }
    }
}

/// That documents were read, and none of them sets up an autoscaler.
pub fn nothing_scales() -> Diagnostic {
    Diagnostic::error("nothing in the manifest scales by replicas")
        .help("a ScaledJob starts jobs, and a step policy needs its alarm")
}

/// The autoscalers that documents set up together, in their order; those of AWS last.
pub(super) fn scalers(list: &[Manifest], settings: &ControllerSettings, sink: &mut Sink) -> Vec<Scaler> {
    let config = knative_config(list);
    let mut out = Vec::new();
    for manifest in list {
        let mut open = Vec::new();
        let (law, start) = match &manifest.what {
            What::Hpa(read) => (Law::Hpa(read.hpa.clone(), *settings), None),
            What::ScaledObject(read) => {
                open.clone_from(&read.open);
                (Law::Keda(read.object.clone(), *settings), read.paused_replicas)
            }
            What::Knative(read) => {
                let start = read.revision.initial_scale(&config);
                (Law::Knative(config.clone(), read.revision.clone()), Some(start))
            }
            What::ScaledJob(_) | What::KnativeConfig(_) | What::Aws(_) => continue,
        };
        let (name, target) = (manifest.name.clone(), manifest.target.clone());
        out.push(Scaler { name, target, place: manifest.place, law, start, open });
    }
    out.extend(Aws::of(list).scalers(sink));
    if out.is_empty() {
        out.extend(list.iter().find_map(|manifest| of_config(manifest, &config)));
    }
    out
}

/// What a config map alone does: it scales a revision that says nothing of itself.
fn of_config(manifest: &Manifest, config: &ClusterConfig) -> Option<Scaler> {
    matches!(manifest.what, What::KnativeConfig(_)).then(|| Scaler {
        name: manifest.name.clone(),
        target: None,
        place: manifest.place,
        law: Law::Knative(config.clone(), Revision::default()),
        start: Some(Revision::default().initial_scale(config)),
        open: Vec::new(),
    })
}

/// What holds for all revisions: both config maps, each with what it is about.
fn knative_config(list: &[Manifest]) -> ClusterConfig {
    let mut config = ClusterConfig::default();
    for manifest in list {
        let What::KnativeConfig(read) = &manifest.what else {
            continue;
        };
        if manifest.name.as_deref() == Some("config-deployment") {
            config.progress_deadline = read.progress_deadline;
        } else {
            config = ClusterConfig { progress_deadline: config.progress_deadline, ..read.clone() };
        }
    }
    config
}

type Of<'a, T> = (&'a Manifest, &'a T);

/// The documents of AWS, which find each other by name.
#[derive(Default)]
struct Aws<'a> {
    policies: Vec<Of<'a, AwsPolicyDocument>>,
    alarms: Vec<Of<'a, AwsAlarm>>,
    groups: Vec<Of<'a, AwsGroupLimits>>,
}

impl<'a> Aws<'a> {
    fn of(list: &'a [Manifest]) -> Self {
        let mut aws = Self::default();
        for manifest in list {
            match &manifest.what {
                What::Aws(AwsDocument::Policy(policy)) => aws.policies.push((manifest, policy)),
                What::Aws(AwsDocument::Alarm(alarm)) => aws.alarms.push((manifest, alarm)),
                What::Aws(AwsDocument::Group(group)) => aws.groups.push((manifest, group)),
                _ => {}
            }
        }
        aws
    }

    /// One for each thing that policies scale.
    fn scalers(&self, sink: &mut Sink) -> Vec<Scaler> {
        let mut targets: Vec<Option<&str>> = Vec::new();
        for (manifest, _) in &self.policies {
            let target = self.target(manifest);
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        targets.into_iter().filter_map(|target| self.scaler(target, sink)).collect()
    }

    /// What a policy scales: what it names, else the only group.
    fn target(&self, policy: &'a Manifest) -> Option<&'a str> {
        let only = || match self.groups.as_slice() {
            [(group, _)] => group.name.as_deref(),
            _ => None,
        };
        policy.target.as_deref().or_else(only)
    }

    fn scaler(&self, target: Option<&str>, sink: &mut Sink) -> Option<Scaler> {
        let policies: Vec<&Of<'_, AwsPolicyDocument>> =
            self.policies.iter().filter(|(manifest, _)| self.target(manifest) == target).collect();
        let (first, document) = policies.first()?;
        let limits = self.groups.iter().find(|(group, _)| group.name.as_deref() == target);
        let limits = limits.map(|(_, limits)| **limits);
        let mut wired = Vec::new();
        for policy in &policies {
            wired.extend(self.wire(policy, limits, sink));
        }
        if wired.is_empty() {
            return None;
        }
        if limits.is_none() {
            let missing = "nothing says how many instances there may be: from 1 on without an end";
            let help = "add what `aws autoscaling describe-auto-scaling-groups` or \
                        `aws application-autoscaling describe-scalable-targets` prints";
            sink.report(Diagnostic::warning(missing).at(first.place).help(help));
        }
        let group = AwsGroup {
            flavor: document.flavor,
            bounds: limits.map_or(Bounds { min: 1, max: i64::from(i32::MAX) }, |limits| limits.bounds),
            policies: wired,
            scheduled: Vec::new(),
            forecast: None,
        };
        let start = limits.and_then(|limits| limits.desired).and_then(|desired| i32::try_from(desired).ok());
        let target = target.map(str::to_owned);
        let name = target.clone().or_else(|| first.name.clone());
        Some(Scaler { name, target, place: first.place, law: Law::Aws(group), start, open: Vec::new() })
    }

    /// A policy with its metric: its own, or that of each alarm that sets it off.
    fn wire(
        &self,
        (manifest, document): &Of<'_, AwsPolicyDocument>,
        limits: Option<AwsGroupLimits>,
        sink: &mut Sink,
    ) -> Vec<AwsPolicy> {
        let warmup = document.warmup.or(limits.and_then(|limits| limits.warmup));
        if let AwsScalingPolicy::TargetTracking { policy, metric } = &document.policy {
            let (AwsMetric::Predefined(name) | AwsMetric::Customized { name, .. }) = metric;
            let mut policy = *policy;
            policy.warmup = warmup.unwrap_or(policy.warmup);
            return vec![AwsPolicy::TargetTracking { policy, metric: name.as_str().into() }];
        }
        let alarms = self.alarms_of(manifest, document);
        if alarms.is_empty() {
            let silent = Diagnostic::warning("no alarm sets off this policy; it is left out");
            sink.report(silent.at(manifest.place).help(
                "add what `aws cloudwatch describe-alarms` prints; an alarm is found by the policy's `Alarms`, \
                 its own `AlarmActions`, or because both are the only ones",
            ));
        }
        let wired = alarms.into_iter().filter_map(|read| {
            let metric = read.metric.as_str().into();
            let alarm = Alarm::new(read.comparison, read.threshold, read.needed, read.periods);
            let alarm = alarm.every(read.period);
            match &document.policy {
                AwsScalingPolicy::TargetTracking { .. } => None,
                AwsScalingPolicy::Step(policy) => {
                    let mut policy = policy.clone();
                    let cooldown = limits.map(|limits| limits.cooldown);
                    policy.warmup = warmup.or(cooldown).unwrap_or(policy.warmup);
                    Some(AwsPolicy::Step { policy, metric, alarm })
                }
                AwsScalingPolicy::Simple(policy) => {
                    let mut policy = *policy;
                    let cooldown = document.cooldown.or(limits.map(|limits| limits.cooldown));
                    policy.cooldown = cooldown.unwrap_or(policy.cooldown);
                    Some(AwsPolicy::Simple { policy, metric, alarm })
                }
            }
        });
        wired.collect()
    }

    /// The alarms that set off a policy.
    fn alarms_of(&self, manifest: &Manifest, document: &AwsPolicyDocument) -> Vec<&'a AwsAlarm> {
        let suffix = manifest.name.as_ref().map(|name| format!(":policyName/{name}"));
        let sets_off = |(alarm, read): &&Of<'a, AwsAlarm>| {
            let listed = alarm.name.as_ref().is_some_and(|name| document.alarms.contains(name));
            let acts = |action: &String| {
                document.arn.as_ref() == Some(action)
                    || suffix.as_ref().is_some_and(|suffix| action.ends_with(suffix))
            };
            listed || read.actions.iter().any(acts)
        };
        let found: Vec<&AwsAlarm> = self.alarms.iter().filter(sets_off).map(|(_, read)| *read).collect();
        let rings = |(_, other): &&Of<'_, AwsPolicyDocument>| {
            !matches!(other.policy, AwsScalingPolicy::TargetTracking { .. })
        };
        match self.alarms.as_slice() {
            [(_, only)] if found.is_empty() && self.policies.iter().filter(rings).count() == 1 => vec![only],
            _ => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use models::autoscaler::controller::Flavor;
    use sim_core::Span;

    use super::*;

    fn read(text: &str) -> Manifests {
        super::super::read("test.yaml", text, &ControllerSettings::default())
            .unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    fn hpa(name: &str) -> String {
        format!(
            "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {name}-hpa}}\n\
             spec:\n  scaleTargetRef: {{kind: Deployment, name: {name}}}\n  minReplicas: 2\n  maxReplicas: 9\n  \
             metrics:\n  - {{type: Resource, resource: {{name: cpu, target: {{type: Utilization, \
             averageUtilization: 60}}}}}}\n  - {{type: External, external: {{metric: {{name: lag}}, \
             target: {{type: AverageValue, averageValue: \"500m\"}}}}}}\n"
        )
    }

    fn metric(name: &str, kind: MetricKind, goals: &[Goal]) -> WantedMetric {
        WantedMetric { name: name.into(), kind, goals: goals.to_vec() }
    }

    #[test]
    fn an_hpa_asks_for_its_metrics() {
        let read = read(&hpa("web"));
        let scaler = read.scaler_of("web").expect("one");
        let expected = [
            metric("cpu", MetricKind::Resource, &[Goal::Utilization(60.0)]),
            metric("lag", MetricKind::External, &[Goal::PerReplica(0.5)]),
        ];
        assert_eq!((scaler.metrics().as_slice(), scaler.bounds()), (expected.as_slice(), (2, 9)));
        assert!(matches!(scaler.controller(2, SimTime::ZERO), Controller::Hpa(_)));
    }

    #[test]
    fn a_document_is_picked_by_what_it_scales_and_the_only_one_without() {
        let two = read(&format!("{}{}", hpa("web"), hpa("cart")));
        assert_eq!(two.scaler_of("cart").expect("it").name.as_deref(), Some("cart-hpa"));
        let wrong = two.scaler_of("db").expect_err("neither");
        assert_eq!(wrong.message, "nothing in the manifest scales `db`");
        assert_eq!(wrong.help.as_deref(), Some("it scales `web` and `cart`"));
        let twice = read(&format!("{}{}", hpa("web"), hpa("web")));
        assert!(twice.scaler_of("web").expect_err("both").message.contains("several autoscalers"));
        assert!(read(&hpa("web")).scaler_of("anything").is_ok());
    }

    #[test]
    fn config_maps_hold_for_the_revisions_beside_them() {
        let map = |name: &str, data: &str| {
            format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{data}}}\n")
        };
        let service = "---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: hello}\n\
                       spec: {template: {spec: {containerConcurrency: 10}}}\n";
        let text = [
            map("config-deployment", "progress-deadline: 100s"),
            service.to_owned(),
            map("config-autoscaler", "container-concurrency-target-percentage: '50', initial-scale: '3'"),
        ];
        let read = read(&text.concat());
        let scaler = read.scaler_of("hello").expect("one");
        let Law::Knative(config, _) = &scaler.law else { panic!("{scaler:?}") };
        assert_eq!(config.progress_deadline, Span::from_nanos(100_000_000_000));
        let concurrency = MetricKind::Scraped(ScalingMetric::Concurrency);
        assert_eq!(scaler.metrics(), [metric("concurrency", concurrency, &[Goal::PerReplica(5.0)])]);
        assert_eq!((scaler.bounds(), scaler.start), ((0, i32::MAX), Some(3)));
    }

    #[test]
    fn a_scaled_object_asks_for_its_triggers() {
        let object = |more: &str| {
            format!(
                "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: w}}\nspec:\n  \
                 scaleTargetRef: {{name: worker}}\n  triggers:\n  - {{type: kafka, name: lag, metadata: \
                 {{lagThreshold: \"50\"}}}}\n  - {{type: cpu, metadata: {{value: \"60\"}}}}\n{more}"
            )
        };
        let cpu = metric("cpu", MetricKind::Resource, &[Goal::Utilization(60.0)]);
        let plain = read(&object(""));
        let lag = metric("lag", MetricKind::External, &[Goal::PerReplica(50.0)]);
        assert_eq!(plain.scalers[0].metrics(), [lag, cpu.clone()]);
        let composed =
            read(&object("  advanced: {scalingModifiers: {formula: \"lag * 2\", target: \"5\"}}\n"));
        assert_eq!(composed.scalers[0].metrics(), [metric("lag", MetricKind::External, &[]), cpu]);
        assert_eq!(plain.scalers[0].bounds(), (0, 100));
    }

    /// Both policies of a group share one metric and find their alarms each its own way; the group's warm-up holds
    /// where a policy has none.
    #[test]
    fn policies_find_their_alarms_and_their_group() {
        let step = |name: &str, more: &str| {
            format!(
                r#"{{"PolicyName": "{name}", "AutoScalingGroupName": "web", "PolicyType": "StepScaling",
                "AdjustmentType": "ChangeInCapacity", {more}
                "StepAdjustments": [{{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}}]}}"#
            )
        };
        let alarm = |name: &str, threshold: u32, more: &str| {
            format!(
                r#"{{"AlarmName": "{name}", "MetricName": "CPUUtilization", "Threshold": {threshold}, {more}
                "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 3, "Period": 300}}"#
            )
        };
        let arn = r#""AlarmActions": ["arn:aws:autoscaling:x:1:scalingPolicy:u:autoScalingGroupName/web:policyName/in"],"#;
        let documents = [
            format!(
                r#"{{"ScalingPolicies": [{}, {}]}}"#,
                step("out", r#""EstimatedInstanceWarmup": 60, "Alarms": [{"AlarmName": "high"}],"#),
                step("in", "")
            ),
            format!(r#"{{"MetricAlarms": [{}, {}]}}"#, alarm("high", 70, ""), alarm("low", 30, arn)),
            r#"{"AutoScalingGroups": [{"AutoScalingGroupName": "web", "MinSize": 2, "MaxSize": 8, "DesiredCapacity": 4,
               "DefaultInstanceWarmup": 120}]}"#
                .to_owned(),
        ];
        let read = read(&documents.join("\n---\n"));
        assert!(read.warnings.is_empty(), "{}", read.warnings);
        let scaler = read.scaler_of("web").expect("one");
        let thresholds = [Goal::Threshold(70.0), Goal::Threshold(30.0)];
        assert_eq!(scaler.metrics(), [metric("CPUUtilization", MetricKind::Statistic, &thresholds)]);
        assert_eq!((scaler.bounds(), scaler.start), ((2, 8), Some(4)));
        let Law::Aws(group) = &scaler.law else { panic!("{scaler:?}") };
        assert_eq!((group.flavor, group.period()), (Flavor::Ec2, Span::from_nanos(300_000_000_000)));
        let warmups: Vec<f64> = group
            .policies
            .iter()
            .map(|policy| match policy {
                AwsPolicy::Step { policy, .. } => policy.warmup.as_seconds(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(warmups, [60.0, 120.0]);
    }

    #[test]
    fn policies_have_periods_of_their_own() {
        let policies = r#"{"TargetValue": 50, "AutoScalingGroupName": "web", "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
---
{"PolicyName": "out", "AutoScalingGroupName": "web", "PolicyType": "SimpleScaling", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1}
---
{"AlarmName": "high", "MetricName": "Lag", "Threshold": 9, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Period": 300}"#;
        let read = read(policies);
        let Law::Aws(group) = &read.scaler_of("web").expect("one").law else { panic!("{read:?}") };
        let periods: Vec<f64> = group.policies.iter().map(|policy| policy.period().as_seconds()).collect();
        assert_eq!((periods, group.period().as_seconds()), (vec![60.0, 300.0], 60.0));
    }

    #[test]
    fn what_cannot_act_is_left_out_with_a_warning() {
        let step = r#"{"PolicyName": "out", "PolicyType": "SimpleScaling", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1}"#;
        let read = read(step);
        let warnings = read.warnings.to_string();
        assert!(warnings.contains("no alarm sets off this policy"), "{warnings}");
        assert!(read.scalers.is_empty());
        assert!(read.scaler_of("web").expect_err("none").message.contains("nothing in the manifest scales"));
    }
}

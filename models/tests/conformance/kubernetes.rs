//! Cases of the horizontal pod autoscaler of Kubernetes.

use std::collections::BTreeMap;
use std::sync::Arc;

use models::autoscaler::kubernetes::behavior::{
    Recommendation, ScaleEvent, clamp_plainly, down_limit, limit_rate, recent_change, stabilize,
    stabilize_plainly, store_event, up_limit,
};
use models::autoscaler::kubernetes::calculator::{
    Context, average_replicas, sum_of_series, usage_ratio, utilization_ratio, utilization_replicas,
    value_replicas,
};
use models::autoscaler::kubernetes::pass::Target;
use models::autoscaler::kubernetes::pods::{PodId, group, request};
use models::autoscaler::kubernetes::{
    Behavior, Condition, Container, ControllerSettings, History, Hpa, Metric, MetricError, MetricSource,
    PartialRules, Phase, Pod, Policy, PolicyType, Proposal, Ready, ResourceTarget, Rules, Sample, Select,
    Template, Tolerances, ValueTarget, pass, quantity,
};
use serde_json::{Value, json};
use sim_core::{SimTime, Span};

use crate::Compared;
use crate::read::{
    ago, at, count, entries, field, flag, int, integer, list, maybe, maybe_ago, maybe_count, maybe_int,
    maybe_list, maybe_num, now, num, seconds, span, text,
};

pub(crate) fn run(kind: &str, case: &Value) -> Option<Compared> {
    let found = match kind {
        "replicas" => replicas(case),
        "group_pods" => group_pods(case),
        "pod_requests" => pod_requests(case),
        "utilization_ratio" => {
            let values = numbers(case, "samples_milli");
            let requests = numbers(case, "requests_milli");
            let target = count(case, "target_utilization_percent");
            ratio(utilization_ratio(&values, &requests, target))
        }
        "usage_ratio" => ratio(Ok(usage_ratio(&numbers(case, "samples_milli"), int(case, "target_milli")))),
        "clamp_no_behavior" => {
            let (replicas, reason) = clamp_plainly(
                count(case, "current_replicas"),
                count(case, "desired_replicas"),
                count(case, "min_replicas"),
                count(case, "max_replicas"),
                num(case, "scale_up_limit_factor"),
                num(case, "scale_up_limit_minimum"),
            );
            json!({"replicas": replicas, "reason": reason.name()})
        }
        "stabilize_no_behavior" => {
            let mut history = recommendations(list(case, "recommendations"));
            let window = seconds(case, "downscale_stabilization_s");
            let replicas = stabilize_plainly(&mut history, count(case, "desired_replicas"), window, now());
            json!({"replicas": replicas, "history_length": history.len()})
        }
        "stabilize_behavior" => {
            let mut history = recommendations(list(case, "recommendations"));
            let replicas = stabilize(
                &mut history,
                count(case, "current_replicas"),
                count(case, "desired_replicas"),
                seconds(case, "scale_up_window_s"),
                seconds(case, "scale_down_window_s"),
                now(),
            );
            let history: Vec<i32> = history.iter().map(|entry| entry.replicas).collect();
            json!({"replicas": replicas, "history": history})
        }
        "rate_limit" => {
            let behavior = behavior(field(case, "behavior"), span(300.0));
            let (replicas, reason) = limit_rate(
                count(case, "current_replicas"),
                count(case, "desired_replicas"),
                (count(case, "min_replicas"), count(case, "max_replicas")),
                &behavior,
                &events(list(case, "scale_up_events")),
                &events(list(case, "scale_down_events")),
                now(),
            );
            json!({"replicas": replicas, "reason": reason.name()})
        }
        "policy_limit" => {
            let up = text(case, "direction") == "up";
            let limit = if up { up_limit } else { down_limit };
            let rules = rules(field(case, "rules"), up);
            let ups = events(list(case, "scale_up_events"));
            let downs = events(list(case, "scale_down_events"));
            json!({"limit": limit(count(case, "current_replicas"), &rules, &ups, &downs, now())})
        }
        "store_event" => stored(case),
        "reconcile" => reconcile(case),
        "hpa_timeline" => timeline(case),
        _ => return None,
    };
    Some(Compared::new(field(case, "expected"), found))
}

// What is read.

/// Numbers of pods by their names, as numbers by pods.
fn numbers(case: &Value, key: &str) -> BTreeMap<PodId, i64> {
    let of = |name: &str| name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().expect("pN");
    entries(case, key).into_iter().map(|(name, value)| (of(name), integer(value))).collect()
}

/// Pods with numbers for their names.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn id(&mut self, name: &str) -> PodId {
        let known = self.0.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.0.push(name.into());
            self.0.len() - 1
        });
        index as PodId
    }

    fn of<'a>(&self, ids: impl IntoIterator<Item = &'a PodId>) -> Vec<&str> {
        ids.into_iter().map(|id| self.0[*id as usize].as_str()).collect()
    }
}

fn pods(case: &Value, names: &mut Names, resource: &str) -> Vec<Pod> {
    list(case, "pods").iter().map(|pod| one_pod(pod, names, resource)).collect()
}

fn one_pod(pod: &Value, names: &mut Names, resource: &str) -> Pod {
    let requests = maybe(pod, "container_requests_milli")
        .map_or(Vec::new(), |_| entries(pod, "container_requests_milli"));
    let containers = requests.into_iter().map(|(name, request)| Container {
        name: name.into(),
        requests_milli: request.as_i64().map(|request| (resource.into(), request)).into_iter().collect(),
        restarts_always: false,
    });
    Pod {
        id: names.id(text(pod, "name")),
        phase: match text(pod, "phase") {
            "Pending" => Phase::Pending,
            "Running" => Phase::Running,
            "Succeeded" => Phase::Succeeded,
            "Failed" => Phase::Failed,
            other => panic!("no phase {other}"),
        },
        ready: maybe(pod, "ready")
            .map(|_| Ready { is: flag(pod, "ready"), since: ago(pod, "ready_transition_age_s") }),
        started: maybe_ago(pod, "start_age_s"),
        deleting: flag(pod, "deleting"),
        template: Arc::new(Template { containers: containers.collect(), ..Template::default() }),
    }
}

/// Samples of a resource, in sum over containers or of one.
fn resource_samples(samples: &[Value], names: &mut Names, container: Option<&str>) -> Vec<Sample> {
    let mut read = Vec::new();
    for sample in samples {
        let usage = entries(sample, "container_usage_milli");
        let value = match container {
            Some(name) => usage.iter().find(|(each, _)| *each == name).and_then(|(_, value)| value.as_i64()),
            None => usage.iter().map(|(_, value)| value.as_i64()).sum(),
        };
        let pod = names.id(text(sample, "pod"));
        read.extend(value.map(|value| one_sample(sample, pod, value)));
    }
    read
}

fn one_sample(sample: &Value, pod: PodId, value_milli: i64) -> Sample {
    Sample { pod, at: ago(sample, "age_s"), window: seconds(sample, "window_s"), value_milli }
}

fn value_samples(samples: &[Value], names: &mut Names) -> Vec<Sample> {
    let one = |sample| one_sample(sample, names.id(text(sample, "pod")), int(sample, "value_milli"));
    samples.iter().map(one).collect()
}

fn settings(case: &Value) -> ControllerSettings {
    let given = field(case, "settings");
    let usual = ControllerSettings::default();
    let or = |key: &str, usual: Span| maybe_num(given, key).map_or(usual, span);
    ControllerSettings {
        tolerance: maybe_num(given, "tolerance").unwrap_or(usual.tolerance),
        downscale_stabilization: or("downscale_stabilization_s", usual.downscale_stabilization),
        cpu_initialization_period: or("cpu_initialization_period_s", usual.cpu_initialization_period),
        initial_readiness_delay: or("initial_readiness_delay_s", usual.initial_readiness_delay),
        configurable_tolerance: maybe(given, "configurable_tolerance_enabled")
            .map_or(usual.configurable_tolerance, |_| flag(given, "configurable_tolerance_enabled")),
        ..usual
    }
}

fn recommendations(entries: &[Value]) -> Vec<Recommendation> {
    let one = |entry| Recommendation { replicas: count(entry, "replicas"), at: ago(entry, "age_s") };
    entries.iter().map(one).collect()
}

fn events(entries: &[Value]) -> Vec<ScaleEvent> {
    let one = |entry| ScaleEvent { change: count(entry, "change"), at: ago(entry, "age_s"), outdated: false };
    entries.iter().map(one).collect()
}

fn partial(rules: Option<&Value>) -> PartialRules {
    let Some(rules) = rules else {
        return PartialRules::default();
    };
    let policy = |policy: &Value| Policy {
        kind: match text(policy, "type") {
            "Pods" => PolicyType::Pods,
            "Percent" => PolicyType::Percent,
            other => panic!("no policy {other}"),
        },
        value: count(policy, "value"),
        period: seconds(policy, "periodSeconds"),
    };
    PartialRules {
        window: maybe_num(rules, "stabilizationWindowSeconds").map(span),
        select: maybe(rules, "selectPolicy").map(|_| match text(rules, "selectPolicy") {
            "Max" => Select::Max,
            "Min" => Select::Min,
            "Disabled" => Select::Disabled,
            other => panic!("no choice {other}"),
        }),
        policies: maybe(rules, "policies").map(|_| list(rules, "policies").iter().map(policy).collect()),
        tolerance: maybe(rules, "tolerance").map(|tolerance| match tolerance.as_f64() {
            Some(tolerance) => tolerance,
            None => quantity::number(text(rules, "tolerance")).expect("a quantity"),
        }),
    }
}

fn behavior(behavior: &Value, downscale_stabilization: Span) -> Behavior {
    let side = |key| partial(maybe(behavior, key));
    Behavior::filled(&side("scaleUp"), &side("scaleDown"), downscale_stabilization)
}

fn rules(given: &Value, up: bool) -> Rules {
    let (given, none) = (partial(Some(given)), PartialRules::default());
    if up {
        Behavior::filled(&given, &none, span(300.0)).scale_up
    } else {
        Behavior::filled(&none, &given, span(300.0)).scale_down
    }
}

fn milli(target: &Value, key: &str) -> i64 {
    match field(target, key) {
        Value::String(text) => quantity::milli(text).expect("a quantity"),
        number => integer(number) * 1000,
    }
}

fn metric(spec: &Value) -> Metric {
    let kind = text(spec, "type");
    let source = |key| field(spec, key);
    let resource = |source| {
        let target = field(source, "target");
        match text(target, "type") {
            "Utilization" => ResourceTarget::Utilization(count(target, "averageUtilization")),
            _ => ResourceTarget::AverageValue(milli(target, "averageValue")),
        }
    };
    let value = |source| {
        let target = field(source, "target");
        match text(target, "type") {
            "Value" => ValueTarget::Value(milli(target, "value")),
            _ => ValueTarget::AverageValue(milli(target, "averageValue")),
        }
    };
    let name = |source| text(field(source, "metric"), "name").into();
    match kind {
        "Resource" => Metric::Resource {
            resource: text(source("resource"), "name").into(),
            target: resource(source("resource")),
        },
        "ContainerResource" => Metric::ContainerResource {
            resource: text(source("containerResource"), "name").into(),
            container: text(source("containerResource"), "container").into(),
            target: resource(source("containerResource")),
        },
        "Pods" => Metric::Pods {
            metric: name(source("pods")),
            average_milli: milli(field(source("pods"), "target"), "averageValue"),
        },
        "Object" => Metric::Object { metric: name(source("object")), target: value(source("object")) },
        "External" => {
            Metric::External { metric: name(source("external")), target: value(source("external")) }
        }
        _ => Metric::Unsupported,
    }
}

fn hpa(spec: &Value, settings: &ControllerSettings) -> Hpa {
    let metrics: Vec<Metric> = maybe_list(spec, "metrics").iter().map(metric).collect();
    Hpa {
        min_replicas: maybe_count(spec, "minReplicas").unwrap_or(1),
        max_replicas: count(spec, "maxReplicas"),
        metrics: if metrics.is_empty() { Hpa::default_metrics() } else { metrics },
        behavior: maybe(spec, "behavior").map(|given| behavior(given, settings.downscale_stabilization)),
    }
}

// What is found.

fn error(error: MetricError) -> Value {
    let name = match error {
        MetricError::NoSamples => "no_samples",
        MetricError::NoSamplesForKnownPods => "no_samples_for_known_pods",
        MetricError::NoSamplesForTargetedPods => "no_samples_for_targeted_pods",
        MetricError::MissingRequest => "missing_request",
        MetricError::ContainerNotFound => "container_not_found",
        MetricError::NoPods => "no_pods",
        MetricError::Unavailable => "unavailable",
        MetricError::Unsupported => "unsupported",
    };
    json!({"error": name})
}

fn ratio(ratio: Result<models::autoscaler::kubernetes::calculator::Ratio, MetricError>) -> Value {
    ratio.map_or_else(error, |ratio| {
        json!({
            "ratio": ratio.ratio,
            "utilization_percent": ratio.utilization_percent,
            "average_milli": ratio.average_milli,
        })
    })
}

fn proposal(proposal: Result<Proposal, MetricError>) -> Value {
    proposal.map_or_else(error, |proposal| {
        json!({
            "replicas": proposal.replicas,
            "utilization_percent": proposal.utilization_percent,
            "average_milli": proposal.average_milli,
            "value_milli": proposal.value_milli,
        })
    })
}

fn replicas(case: &Value) -> Value {
    let metric = field(case, "metric");
    let given = field(case, "settings");
    let resource = maybe(metric, "resource").map_or("", |_| text(metric, "resource"));
    let mut names = Names::default();
    let pods = pods(case, &mut names, resource);
    let settings = settings(case);
    let context = Context {
        spec_replicas: count(case, "current_replicas"),
        status_replicas: count(case, "current_replicas"),
        pods: &pods,
        settings: &settings,
        tolerances: Tolerances {
            down: num(given, "tolerance_scale_down"),
            up: num(given, "tolerance_scale_up"),
        },
        now: now(),
    };
    let container = maybe(metric, "container").map(|_| text(metric, "container"));
    proposal(match text(metric, "type") {
        "Resource" | "ContainerResource" => {
            let samples = resource_samples(list(case, "samples"), &mut names, container);
            match maybe_count(metric, "target_utilization_percent") {
                Some(percent) => utilization_replicas(&context, &samples, resource, container, percent),
                None => average_replicas(&context, &samples, resource, int(metric, "target_milli")),
            }
        }
        "Pods" => {
            let samples = value_samples(list(case, "samples"), &mut names);
            average_replicas(&context, &samples, "", int(metric, "target_milli"))
        }
        kind => {
            let values: Vec<i64> = list(case, "values_milli").iter().map(integer).collect();
            let target = match text(metric, "target_type") {
                "Value" => ValueTarget::Value(int(metric, "target_milli")),
                _ => ValueTarget::AverageValue(int(metric, "target_milli")),
            };
            let value = if kind == "Object" {
                values.first().copied().ok_or(MetricError::NoSamples)
            } else {
                sum_of_series(&values)
            };
            value.and_then(|value| value_replicas(&context, value, target))
        }
    })
}

fn group_pods(case: &Value) -> Value {
    let resource = text(case, "resource");
    let mut names = Names::default();
    let pods = pods(case, &mut names, resource);
    let one = |sample: &Value| {
        let pod = names.id(text(sample, "pod"));
        (pod, one_sample(sample, pod, 0))
    };
    let samples: BTreeMap<PodId, Sample> = list(case, "samples").iter().map(one).collect();
    let groups = group(&pods, &samples, resource, &settings(case), now());
    json!({
        "ready_count": groups.ready,
        "unready": names.of(&groups.unready),
        "missing": names.of(&groups.missing),
        "ignored": names.of(&groups.ignored),
    })
}

fn pod_requests(case: &Value) -> Value {
    let resource = text(case, "resource");
    let requests = |request: Option<i64>| {
        request.map(|request| (resource.into(), request)).into_iter().collect::<BTreeMap<Box<str>, i64>>()
    };
    let container = |container: &Value| Container {
        name: text(container, "name").into(),
        requests_milli: requests(maybe_int(container, "request_milli")),
        restarts_always: maybe(container, "restart_policy").is_some_and(|policy| policy == "Always"),
    };
    let containers = |key| list(case, key).iter().map(container).collect();
    let template = Template {
        containers: containers("containers"),
        init_containers: containers("init_containers"),
        requests_milli: requests(maybe_int(case, "pod_level_request_milli")),
    };
    let settings = ControllerSettings {
        pod_level_resources: flag(case, "pod_level_resources_enabled"),
        ..ControllerSettings::default()
    };
    let container = maybe(case, "container").map(|_| text(case, "container"));
    request(&template, resource, container, &settings)
        .map_or_else(error, |request| json!({"request_milli": request}))
}

fn stored(case: &Value) -> Value {
    let mut events = events(list(case, "previous_events"));
    let recent = recent_change(&events, seconds(case, "query_period_s"), now());
    if let Some(given) = maybe(case, "rules") {
        let (mut up, mut down) = (events.clone(), events.clone());
        store_event(&mut up, &rules(given, true), count(case, "new_change"), now());
        store_event(&mut down, &rules(given, false), count(case, "new_change"), now());
        assert_eq!(up, down, "the rule is the same both ways");
        events = up;
    }
    let events: Vec<Value> =
        events.iter().map(|event| json!({"change": event.change, "outdated": event.outdated})).collect();
    json!({"recent_change_before": recent, "events": events})
}

/// The metrics of a case.
struct Observed<'a> {
    case: &'a Value,
    names: std::cell::RefCell<Names>,
}

impl Observed<'_> {
    fn answers(&self, kind: &str) -> Result<&Value, MetricError> {
        let observations = field(self.case, "observations");
        let silent = maybe_list(observations, "unavailable").iter().any(|each| each == kind);
        if silent { Err(MetricError::Unavailable) } else { Ok(observations) }
    }
}

impl MetricSource for Observed<'_> {
    fn resource(&self, _: &str, container: Option<&str>) -> Result<Vec<Sample>, MetricError> {
        let kind = if container.is_some() { "ContainerResource" } else { "Resource" };
        let samples = maybe_list(self.answers(kind)?, "resource");
        Ok(resource_samples(samples, &mut self.names.borrow_mut(), container))
    }

    fn pods(&self, metric: &str) -> Result<Vec<Sample>, MetricError> {
        let samples = maybe_list(field(self.answers("Pods")?, "pods"), metric);
        Ok(value_samples(samples, &mut self.names.borrow_mut()))
    }

    fn object(&self, metric: &str) -> Result<i64, MetricError> {
        Ok(int(field(self.answers("Object")?, "object"), metric))
    }

    fn external(&self, metric: &str) -> Result<Vec<i64>, MetricError> {
        let values = maybe_list(field(self.answers("External")?, "external"), metric);
        Ok(values.iter().map(integer).collect())
    }
}

fn reconcile(case: &Value) -> Value {
    let settings = settings(case);
    let hpa = hpa(field(case, "hpa_spec"), &settings);
    let resource = hpa.metrics.iter().find_map(|metric| match metric {
        Metric::Resource { resource, .. } | Metric::ContainerResource { resource, .. } => Some(&**resource),
        _ => None,
    });
    let mut names = Names::default();
    let pods = pods(case, &mut names, resource.unwrap_or("cpu"));
    let source = Observed { case, names: names.into() };
    let mut history = History {
        recommendations: maybe(case, "recommendations")
            .map(|_| recommendations(list(case, "recommendations"))),
        ..History::default()
    };
    let target = Target {
        spec_replicas: count(case, "spec_replicas"),
        status_replicas: count(case, "status_replicas"),
        pods: &pods,
    };
    let result = pass::pass(&hpa, &settings, &mut history, &target, &source, now());
    // Exactly the conditions that are there have to be expected.
    let mut conditions = json!({});
    let all = [
        ("AbleToScale", Some(result.able)),
        ("ScalingActive", result.active),
        ("ScalingLimited", result.limited),
    ];
    for (name, condition) in all {
        if let Some(Condition { is, reason }) = condition {
            conditions[name] = json!([if is { "True" } else { "False" }, reason.name()]);
        }
    }
    let expected = field(field(case, "expected"), "conditions").as_object().expect("conditions").len();
    assert_eq!(conditions.as_object().expect("a map").len(), expected, "found {conditions}");
    json!({
        "desired_replicas": result.desired,
        "conditions": conditions,
        "error": result.error.is_some(),
    })
}

/// A metric that is there at one pass.
struct Total(i64);

impl MetricSource for Total {
    fn resource(&self, _: &str, _: Option<&str>) -> Result<Vec<Sample>, MetricError> {
        Err(MetricError::Unavailable)
    }

    fn pods(&self, _: &str) -> Result<Vec<Sample>, MetricError> {
        Err(MetricError::Unavailable)
    }

    fn object(&self, _: &str) -> Result<i64, MetricError> {
        Err(MetricError::Unavailable)
    }

    fn external(&self, _: &str) -> Result<Vec<i64>, MetricError> {
        Ok(vec![self.0])
    }
}

fn timeline(case: &Value) -> Value {
    let settings = settings(case);
    let hpa = hpa(field(case, "hpa_spec"), &settings);
    let mut history = History::default();
    let mut replicas = count(case, "start_replicas");
    let mut course = Vec::new();
    for (index, total) in list(case, "external_total_milli").iter().enumerate() {
        let now: SimTime = at(num(case, "sync_period_s") * index as f64);
        let target = Target { spec_replicas: replicas, status_replicas: replicas, pods: &[] };
        let result = pass::pass(&hpa, &settings, &mut history, &target, &Total(integer(total)), now);
        history.changed(&hpa, replicas, result.desired, now);
        replicas = result.desired;
        course.push(replicas);
    }
    json!({"replicas": course})
}

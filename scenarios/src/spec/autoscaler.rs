//! Autoscalers as written: one law each, and what stands between it and the replicas.

use serde_json::{Value as Json, json};

use super::{
    At, Count, Definitions, DistributionSpec, Flag, List, Name, Number, Positive, Raw, Share, Sink, Spec,
    Text, Time, default_node, defined, spec,
};
use crate::tree::{Node, Place, Value};

spec! {
    /// What decides how many replicas a service has: exactly one law.
    AutoscalerSpec: "an autoscaler" {
        /// Whose replicas it counts.
        service: Option<At<Name>> => "the service that is called as it is" (""),
        /// The law of Kubernetes: the `spec` of a `HorizontalPodAutoscaler`, autoscaling/v2, as it stands in its
        /// manifest.
        hpa: Option<Raw> => "another law" (""),
        /// The law of a manifest, unchanged, in a file beside the scenario: HPA, KEDA, Knative or AWS. Of several, the
        /// one that scales what is called like the service.
        manifest: Option<At<Text>> => "another law" (""),
        /// The law of KEDA: the `spec` of a `ScaledObject`, as it stands in its manifest.
        keda: Option<Raw> => "another law" (""),
        /// The law of Knative: the annotations of a revision without `autoscaling.knative.dev/`, its
        /// `containerConcurrency`, and under `config` what stands in the config map `config-autoscaler`:
        /// `{containerConcurrency: 10, max-scale: 20}`.
        knative: Option<Raw> => "another law" (""),
        /// AWS: keeps a metric at a target.
        aws_target_tracking: Option<TargetTrackingSpec> => "another law" (""),
        /// AWS: steps beyond alarms.
        aws_step: Option<StepScalingSpec> => "another law" (""),
        /// AWS: raises the count to a forecast, by itself or beside `aws_target_tracking` or `aws_step`.
        predictive: Option<PredictiveSpec> => "no forecast" (""),
        /// Of this simulator: what empties a queue in time.
        queue_depth: Option<QueueDepthSpec> => "another law" (""),
        /// Of this simulator: so many requests in flight at each replica.
        concurrency: Option<ConcurrencySpec> => "another law" (""),
        /// Of this simulator: more while a latency is too long.
        latency: Option<LatencySpec> => "another law" (""),
        /// Of this simulator: a timetable. Beside `queue_depth`, `concurrency` and `latency`, what they never go below.
        schedule: Option<List<ScheduleSpec>> => "no timetable" (""),
        /// What the metrics are that the law asks for, by the names that it has for them: `{queue_depth: orders.lag}`;
        /// for a trigger of KEDA whose target is not known here `{queue_depth: {of: orders.lag, target: 100}}`.
        metrics: Option<MetricNames> => "CPU alone" (""),
        /// What each replica requests of a node, as Kubernetes writes it: `{cpu: 500m}`. Utilization is a share of it.
        requests: Option<Raw> => "as many CPUs as the service has cores" (""),
        /// Fewest replicas; a manifest says so itself.
        min: Option<At<Count>> => "`1`" ("Kubernetes, HorizontalPodAutoscaler minReplicas"),
        /// Most replicas; a manifest says so itself.
        max: Option<At<Positive>> => "no limit" (""),
        /// `queue_depth`, `concurrency`, `latency`: time between two decisions.
        interval: At<Time> = "15s" ("Kubernetes, --horizontal-pod-autoscaler-sync-period"),
        /// `queue_depth`, `concurrency`, `latency`: how long the most that was wanted holds the count up.
        stabilization: At<Time> = "5m" ("Kubernetes, --horizontal-pod-autoscaler-downscale-stabilization"),
        /// `concurrency`, `latency`: how far from its target a signal may be without a change.
        tolerance: At<Share> = "10%" ("Kubernetes, --horizontal-pod-autoscaler-tolerance"),
        /// Flags of the controller that acts on the manifests of Kubernetes and KEDA.
        controller: ControllerSpec = "{}" ("see each"),
        /// How what is measured gets to the law; each default is that of the law's usual source.
        pipeline: PipelineSpec = "{}" ("see each"),
        /// What holds requests back while no replica is ready; of `knative` also while there is too little room for
        /// bursts.
        activator: Option<ActivatorSpec> => "of `knative` one with the defaults, else none: without a replica every call is refused" ("Kubernetes, a Service without endpoints"),
        /// How long it takes until a new replica has a node, where one has room.
        scheduling: Option<DistributionSpec<Time>> => "no time" (""),
        /// How long the image of a new replica is pulled.
        pull: Option<DistributionSpec<Time>> => "no time" ("the image is there already"),
        /// The nodes that replicas need.
        nodes: Option<NodesSpec> => "as many as it takes" (""),
    }
}

spec! {
    /// Flags of the kube-controller-manager.
    ControllerSpec: "flags of the controller" {
        /// Time between two passes.
        sync: At<Time> = "15s" ("--horizontal-pod-autoscaler-sync-period"),
        /// How far from one a ratio may be without a change.
        tolerance: At<Share> = "10%" ("--horizontal-pod-autoscaler-tolerance"),
        /// How long a recommendation holds the count up.
        downscale_stabilization: At<Time> = "5m" ("--horizontal-pod-autoscaler-downscale-stabilization"),
        /// How long the CPU samples of a young replica are distrusted.
        cpu_initialization: At<Time> = "5m" ("--horizontal-pod-autoscaler-cpu-initialization-period"),
        /// A replica whose readiness last changed this soon after its start has never been ready.
        initial_readiness: At<Time> = "30s" ("--horizontal-pod-autoscaler-initial-readiness-delay"),
    }
}

spec! {
    /// How what is measured gets to the law.
    PipelineSpec: "a pipeline of metrics" {
        /// How often the source is asked; `0s`: whenever the law looks.
        scrape: Option<At<Time>> => "CPU 15s, Knative 1s, AWS 1m, KEDA `0s`, `queue_depth`, `concurrency` and `latency` 15s, any other metric 1m" ("metrics-server, manifests; KEDA asks by itself; CloudWatch; Prometheus, scrape_interval"),
        /// How often the source itself looks; between two looks it tells what it saw last.
        refresh: Option<At<Time>> => "CPU in Kubernetes 10s, anything else whenever it is asked" ("kubelet, --housekeeping-interval"),
        /// When it is asked for the first time, within the time between two.
        phase: At<Time> = "0s" ("asked at the full minute"),
        /// How long an answer takes until it can be had.
        delay: At<Time> = "0s" ("an adapter that asks the source directly"),
        /// Older values are gone.
        stale_after: Option<At<Time>> => "5m for metrics of Prometheus, else never" ("Prometheus, --query.lookback-delta"),
        /// Share of the answers that get lost, of each replica by itself.
        loss: At<Share> = "0%" ("a network that works"),
    }
}

spec! {
    /// Keeps a metric at a target: three datapoints above it add, fifteen below nine tenths of it take away.
    TargetTrackingSpec: "target tracking" {
        /// The value that is wanted; of `CPUUtilization`, in percent.
        target: At<Number>,
        /// The metric: `CPUUtilization`, or one of `metrics`.
        metric: At<Text> = "CPUUtilization" ("Amazon EC2 Auto Scaling, ASGAverageCPUUtilization"),
        /// Whether there is a datapoint a minute, rather than every five.
        detailed: At<Flag> = "true" ("groups that are made by a launch template, as AWS advises"),
        /// Whether it never takes away.
        disable_scale_in: At<Flag> = "false" ("Amazon EC2 Auto Scaling, DisableScaleIn"),
        /// How long a new replica counts as warming up.
        warmup: At<Time> = "5m" ("Amazon EC2 Auto Scaling, default cooldown"),
    }
}

spec! {
    /// Policies of a group that an alarm each sets off. Of all that ring the one that wants most wins.
    StepScalingSpec: "step scaling" {
        /// The policies.
        policies: List<StepPolicySpec>,
        /// How long a new replica counts as warming up: only what goes beyond those is added, and nothing is taken
        /// away.
        warmup: At<Time> = "5m" ("Amazon EC2 Auto Scaling, default cooldown"),
    }
}

spec! {
    /// What is done while an alarm rings.
    StepPolicySpec: "a policy of steps" {
        /// What sets it off.
        alarm: AlarmSpec,
        /// Whether the numbers of its steps are percent of the capacity.
        percent: At<Flag> = "false" ("Amazon EC2 Auto Scaling, ChangeInCapacity"),
        /// Smaller changes by percent are made as large as this.
        min_magnitude: Option<At<Positive>> => "1" ("Amazon EC2 Auto Scaling, MinAdjustmentMagnitude"),
        /// What to do how far beyond the threshold.
        steps: List<StepScaleSpec>,
    }
}

spec! {
    /// A step: which distances from the threshold it is for, and what it does: one of `add`, `remove` and `set`.
    StepScaleSpec: "a step" {
        /// From this far beyond the threshold on, in units of the metric.
        from: At<Number> = "0" ("Amazon EC2 Auto Scaling, MetricIntervalLowerBound"),
        /// Up to this far beyond it.
        to: Option<At<Number>> => "no end" ("Amazon EC2 Auto Scaling, MetricIntervalUpperBound"),
        /// So many replicas more, or percent of them.
        add: Option<At<Number>> => "another change" (""),
        /// So many fewer.
        remove: Option<At<Number>> => "another change" (""),
        /// So many, whatever there were: `ExactCapacity`.
        set: Option<At<Number>> => "another change" (""),
    }
}

spec! {
    /// An alarm of `CloudWatch`: it rings while enough of the last datapoints are beyond a threshold. Exactly one of
    /// `above`, `at_least`, `below` and `at_most`.
    AlarmSpec: "an alarm" {
        /// The metric: `CPUUtilization`, or one of `metrics`.
        metric: At<Text> = "CPUUtilization" ("Amazon EC2 Auto Scaling, ASGAverageCPUUtilization"),
        /// It rings above this; of `CPUUtilization`, percent.
        above: Option<At<Number>> => "another comparison" (""),
        /// It rings from this on.
        at_least: Option<At<Number>> => "another comparison" (""),
        /// It rings below this.
        below: Option<At<Number>> => "another comparison" (""),
        /// It rings up to this.
        at_most: Option<At<Number>> => "another comparison" (""),
        /// Time between two datapoints, each the mean of that time.
        period: At<Time> = "1m" ("Amazon EC2, detailed monitoring"),
        /// How many datapoints it looks at.
        evaluation_periods: At<Positive> = "1" ("Amazon CloudWatch console, 1 out of 1 datapoints"),
        /// How many of them have to be beyond the threshold.
        datapoints: Option<At<Positive>> => "all of them" ("Amazon CloudWatch, DatapointsToAlarm"),
    }
}

spec! {
    /// A forecast, which raises the count and never lowers it. How Amazon makes one is not known; this one is given.
    PredictiveSpec: "a forecast" {
        /// Replicas for each hour from the start of the run: `[3, 3, 8, 20]`.
        forecast: List<At<Number>>,
        /// How much before the hour it acts.
        ahead: At<Time> = "5m" ("Amazon EC2 Auto Scaling, SchedulingBufferTime"),
        /// How far beyond the forecast it may go where that is more than the most replicas.
        buffer: Option<At<Share>> => "never beyond the most" ("Amazon EC2 Auto Scaling, HonorMaxCapacity"),
    }
}

spec! {
    /// What stands in front of a service and holds requests back: the activator of Knative, the interceptor of KEDA's
    /// HTTP add-on. Who passes it goes to the replica with the fewest requests.
    ActivatorSpec: "an activator" {
        /// Requests that wait; beyond this one is rejected.
        queue: At<Count> = "10k" ("Knative, breakerQueueDepth in pkg/activator/net/throttler.go"),
        /// How long a request waits before it times out.
        timeout: At<Time> = "5m" ("Knative, revision-timeout-seconds in config-defaults"),
    }
}

spec! {
    /// As many replicas as empty a queue in time and keep up with what comes:
    /// `(backlog * per_message / drain + rate * per_message) / slots`.
    QueueDepthSpec: "a law of queue depth" {
        /// What waits, such as `orders.lag` or `web.workers.queue_length`.
        backlog: At<Text>,
        /// How much more comes each second, such as `orders.sent` or `shoppers.offered`.
        rate: At<Text>,
        /// After how long what waits now is to be done.
        drain: At<Time>,
        /// How long one takes, as whoever sets it up believes.
        per_message: At<Time>,
        /// How many a replica works on at once.
        slots: At<Positive> = "1" ("a worker that takes one after the other"),
    }
}

spec! {
    /// As many replicas as have `target` requests in flight each.
    ConcurrencySpec: "a law of concurrency" {
        /// Requests in flight that a replica is to have.
        target: At<Number>,
        /// What is in flight.
        of: Option<At<Text>> => "the service's `in_flight`" (""),
    }
}

spec! {
    /// More replicas while a latency is above its target, at most twice as many at once; a tenth fewer while it is
    /// below half.
    LatencySpec: "a law of latency" {
        /// The latency that is wanted.
        target: At<Time>,
        /// Whose: a percentile of an endpoint, such as `web.checkout.p95`, over the time between two scrapes.
        of: At<Text>,
    }
}

spec! {
    /// At least so many replicas from here to there.
    ScheduleSpec: "an entry of a timetable" {
        /// From then on, after the start of the run.
        from: At<Time>,
        /// Until then.
        until: At<Time>,
        /// So many.
        replicas: At<Positive>,
    }
}

spec! {
    /// Nodes that replicas run on: a replica that finds no room waits for a new one, and one that is not needed is
    /// given back.
    NodesSpec: "nodes" {
        /// Replicas that a node has room for.
        pods: At<Positive>,
        /// Nodes that are there at the start; at least as many as the replicas then need.
        ready: At<Count> = "0" ("as many as the replicas need"),
        /// Nodes that are there at the start and never given back.
        min: At<Count> = "0" ("Kubernetes cluster-autoscaler, --nodes: the smallest group that there can be"),
        /// How long it takes from asking for a node until it is ready.
        provision: DistributionSpec<Time>,
        /// How often it is looked for replicas without a node, and for nodes that are not needed.
        scan: At<Time> = "10s" ("Kubernetes cluster-autoscaler, --scan-interval"),
        /// A node with replicas on less than this share of its room is not needed, if the others have room for them;
        /// `0%`: none is ever given back.
        utilization: At<Share> = "50%" ("Kubernetes cluster-autoscaler, --scale-down-utilization-threshold"),
        /// After how long a node that is not needed is given back.
        unneeded: At<Time> = "10m" ("Kubernetes cluster-autoscaler, --scale-down-unneeded-time"),
        /// For how long none is given back after one was asked for.
        after_add: At<Time> = "10m" ("Kubernetes cluster-autoscaler, --scale-down-delay-after-add"),
    }
}

impl ActivatorSpec {
    /// One with the defaults.
    pub(crate) fn usual(place: Place) -> Option<Self> {
        Self::read(&default_node("{}", place), &mut Sink::default())
    }
}

spec! {
    /// A metric and what a replica is to have of it.
    GoalSpec: "a metric with its target" {
        /// The metric.
        of: At<Text>,
        /// So much for each replica.
        target: At<Number>,
    }
}

/// What a metric is, and the target if it is not the law that says so.
#[derive(Clone, Debug)]
pub(crate) struct MetricGiven {
    pub(crate) of: At<Text>,
    pub(crate) target: Option<At<Number>>,
}

impl Spec for MetricGiven {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if let Value::Map(_) = &node.value {
            let GoalSpec { of, target } = GoalSpec::read(node, sink)?;
            return Some(Self { of, target: Some(target) });
        }
        Some(Self { of: At::read(node, sink)?, target: None })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"anyOf": [Text::schema(definitions), GoalSpec::schema(definitions)]})
    }
}

/// What metrics are, by the names that a law has for them, which are whatever their makers liked.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetricNames {
    pub(crate) entries: Vec<(String, Place, MetricGiven)>,
}

impl Spec for MetricNames {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            sink.expected("a map of metrics", node, "write `{queue_depth: orders.lag}`");
            return None;
        };
        let mut names = Self::default();
        for entry in entries {
            if let Some(metric) = MetricGiven::read(&entry.node, sink) {
                names.entries.push((entry.key.to_string(), entry.place, metric));
            }
        }
        Some(names)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let given = MetricGiven::schema(definitions);
        defined(definitions, "MetricNames", |_| json!({"type": "object", "additionalProperties": given}))
    }
}

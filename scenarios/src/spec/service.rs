//! Services as written.

use serde_json::{Value as Json, json};

use super::{
    AdaptSpec, At, CoresSpec, Count, Definitions, DistributionSpec, Flag, Name, Named, Number, OrderSpec,
    Positive, Required, ResourceSpec, SchedulingSpec, Share, Sink, Spec, StepSpec, Time, is_distribution,
    spec,
};
use crate::spec::List;
use crate::tree::{Entry, Node, Value};

spec! {
    /// Replicas that own resources; the endpoints are lists of steps.
    ServiceSpec: "a service" {
        /// Replicas at the start.
        replicas: At<Positive> = "1" ("Kubernetes, Deployment spec.replicas"),
        /// Requests that one replica works on at once; the others queue. Held from the first step to the end of the
        /// last, also after a `reply`.
        workers: Option<Required<At<Positive>>> => "no limit" ("Go net/http starts a goroutine for each request"),
        /// Requests that may queue for the workers of one replica; beyond that a request is rejected.
        queue: Option<At<Count>> => "no limit" ("Java, Executors.newFixedThreadPool has an unbounded queue"),
        /// Whose turn it is when a worker is free.
        order: Option<At<OrderSpec>> => "fifo" ("Java, Executors.newFixedThreadPool"),
        /// How long a request queues for a worker before it gives up; drawn for each where it is a distribution.
        timeout: Option<DistributionSpec<Time>> => "none" ("Java, Executors.newFixedThreadPool"),
        /// Whether a request whose caller has gone is dropped when it is its turn.
        drop_abandoned: Option<At<Flag>> => "false" ("Tomcat and Jetty run what is queued, whoever still waits for it"),
        /// Share of the workers that a class may fill: while that many or more are in use, its requests are `rejected`
        /// at once. Classes that are not named, or may fill all, queue for a worker.
        admit: Option<Named<At<Share>>> => "every class may fill all" (""),
        /// How the number of workers adapts to what is seen of those who held them; it begins with `workers`.
        adapt: Option<At<AdaptSpec>> => "it does not" (""),
        /// CPU cores of one replica; fractions are allowed.
        cores: Option<Required<CoresSpec>> => "every CPU need is met at once" (""),
        /// How requests share the cores.
        scheduling: Option<At<SchedulingSpec>> => "sharing" ("Linux shares a core fairly among runnable threads"),
        /// Pace of CPU work: 1 is nominal, 0.1 is ten times slower, 0 stands still.
        speed: At<Number> = "1" ("nominal pace"),
        /// What a replica that is added, or comes back after a crash, goes through: a time until it is ready, or
        /// `{delay: 20s, warm: 30s, slowdown: 3}`. Those that are there at the start of the run are ready.
        startup: Option<At<StartupSpec>> => "none: it is ready at once" (""),
        /// How long a replica that is taken away may finish what it has; what is left then is cut off, and `lost` to
        /// its callers. It gets no new requests meanwhile.
        drain: Option<At<Time>> => "as long as it takes" (""),
        /// The zones that the replicas stand in: the first one in the first zone, the second one in the second, and so
        /// on in turn.
        zones: Option<List<At<Name>>> => "none" (""),
        /// What can be called, and the steps that it takes.
        endpoints: Required<Named<List<StepSpec>>>,
        /// Resources of its own; one in each replica unless `per` says otherwise.
        resources: Option<Named<ResourceSpec>>,
    }
    later ["zone"]
}

spec! {
    /// What a new replica goes through.
    StartupFields: "a start-up" {
        /// How long it takes until it is ready. It gets no requests before.
        delay: DistributionSpec<Time>,
        /// How long its CPU work takes longer after that: code that is not compiled yet, caches of the processor.
        warm: Option<At<Time>> => "it is as fast as the others" (""),
        /// By which factor at first; it falls to 1 in a straight line.
        slowdown: At<Number> = "1" ("none"),
    }
}

/// How long it takes until a replica is ready, `20s` or `{exp: 20s}`, or all about it.
#[derive(Clone, Debug)]
pub(crate) struct StartupSpec(pub(crate) StartupFields);

impl StartupSpec {
    fn long(node: &Node) -> Node {
        if matches!(node.value, Value::Map(_)) && !is_distribution(node) {
            return node.clone();
        }
        let entry = Entry { key: "delay".into(), place: node.place, node: node.clone(), note: None };
        Node { value: Value::Map(vec![entry]), ..node.clone() }
    }
}

impl Spec for StartupSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        StartupFields::read(&Self::long(node), sink).map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let forms = [DistributionSpec::<Time>::schema(definitions), StartupFields::schema(definitions)];
        json!({"anyOf": forms})
    }

    fn complete(node: &mut Node) {
        *node = Self::long(node);
        StartupFields::complete(node);
    }
}

//! Services as written.

use serde_json::{Value as Json, json};

use super::{
    AdaptSpec, At, Count, Definitions, DistributionSpec, Flag, Named, Number, OrderSpec, Positive, Required,
    ResourceSpec, Share, Sink, Spec, StepSpec, Time, defined, spec, words,
};
use crate::spec::List;
use crate::tree::{Node, Value};

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
        /// Share of the workers that a class may fill: while that many or more are in use, its requests are `rejected` at
        /// once. Classes that are not named, or may fill all, queue for a worker.
        admit: Option<Named<At<Share>>> => "every class may fill all" (""),
        /// How the number of workers adapts to what is seen of those who held them; it begins with `workers`.
        adapt: Option<At<AdaptSpec>> => "it does not" (""),
        /// CPU cores of one replica; fractions are allowed.
        cores: Option<Required<CoresSpec>> => "every CPU need is met at once" (""),
        /// How requests share the cores.
        scheduling: Option<At<SchedulingWord>> => "sharing" ("Linux shares a core fairly among runnable threads"),
        /// Pace of CPU work: 1 is nominal, 0.1 is ten times slower, 0 stands still.
        speed: At<Number> = "1" ("nominal pace"),
        /// What can be called, and the steps that it takes.
        endpoints: Required<Named<List<StepSpec>>>,
        /// Resources of its own; one in each replica unless `per` says otherwise.
        resources: Option<Named<ResourceSpec>>,
    }
    later ["startup", "drain", "zones", "contention", "throttle", "zone"]
}

/// The cores of each replica: a number, or a number with settings.
#[derive(Clone, Debug)]
pub(crate) struct CoresSpec {
    /// How many.
    pub(crate) cores: At<Number>,
    /// How requests share them, when it is said here.
    pub(crate) scheduling: Option<At<SchedulingWord>>,
}

spec! {
    /// Cores with settings.
    CoresMapSpec: "cores" {
        /// CPU cores of one replica; fractions are allowed.
        cores: At<Number>,
        /// How requests share the cores.
        scheduling: Option<At<SchedulingWord>> => "sharing" ("Linux shares a core fairly among runnable threads"),
    }
    later ["contention", "throttle"]
}

impl Spec for CoresSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if matches!(node.value, Value::Map(_)) {
            let spec = CoresMapSpec::read(node, sink)?;
            return Some(Self { cores: spec.cores, scheduling: spec.scheduling });
        }
        At::read(node, sink).map(|cores| Self { cores, scheduling: None })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Cores", |definitions| {
            let number = Number::schema(definitions);
            let map = CoresMapSpec::schema(definitions);
            json!({"anyOf": [number, map]})
        })
    }

    fn complete(node: &mut Node) {
        CoresMapSpec::complete(node);
    }
}

words! {
    /// How requests share cores.
    SchedulingWord: "how cores are shared" {
        /// All that need CPU advance together, each with at most one core.
        Sharing = "sharing",
        /// A request keeps its core until its need is met: an event loop.
        RunToCompletion = "run_to_completion",
    }
}

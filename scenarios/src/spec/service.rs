//! Services as written.

use serde_json::{Value as Json, json};

use super::{
    At, Count, Definitions, Named, Number, Positive, Required, ResourceSpec, Sink, Spec, StepSpec, defined,
    spec, words,
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
    later ["startup", "drain", "zones", "admit", "order", "timeout", "drop_abandoned", "contention", "throttle", "zone"]
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

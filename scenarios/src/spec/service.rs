//! Services as written.

use super::{
    At, CoresSpec, Count, Named, Number, Positive, Required, ResourceSpec, SchedulingSpec, StepSpec, spec,
};
use crate::spec::List;

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
        scheduling: Option<At<SchedulingSpec>> => "sharing" ("Linux shares a core fairly among runnable threads"),
        /// Pace of CPU work: 1 is nominal, 0.1 is ten times slower, 0 stands still.
        speed: At<Number> = "1" ("nominal pace"),
        /// What can be called, and the steps that it takes.
        endpoints: Required<Named<List<StepSpec>>>,
        /// Resources of its own; one in each replica unless `per` says otherwise.
        resources: Option<Named<ResourceSpec>>,
    }
    later ["startup", "drain", "zones", "admit", "order", "timeout", "drop_abandoned", "zone"]
}

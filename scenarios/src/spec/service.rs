//! Services as written.

use super::{
    AdaptSpec, At, CoresSpec, Count, DistributionSpec, Flag, Named, Number, OrderSpec, Positive, Required,
    ResourceSpec, SchedulingSpec, Share, StepSpec, Time, spec,
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
        scheduling: Option<At<SchedulingSpec>> => "sharing" ("Linux shares a core fairly among runnable threads"),
        /// Pace of CPU work: 1 is nominal, 0.1 is ten times slower, 0 stands still.
        speed: At<Number> = "1" ("nominal pace"),
        /// What can be called, and the steps that it takes.
        endpoints: Required<Named<List<StepSpec>>>,
        /// Resources of its own; one in each replica unless `per` says otherwise.
        resources: Option<Named<ResourceSpec>>,
    }
    later ["startup", "drain", "zones", "zone"]
}

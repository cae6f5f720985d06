//! Events as written: what happens to the system by the clock, once or again and again.

use serde_json::{Value as Json, json};

use super::{
    At, Changes, Definitions, DistributionSpec, ExpireEvent, FlushEvent, List, Name, Positive, Required,
    Share, Sink, Spec, Text, Time, spec,
};
use crate::diagnostic::Diagnostic;
use crate::tree::Node;

/// Something that happens by the clock.
#[derive(Clone, Debug)]
pub(crate) enum EventSpec {
    /// Values change.
    Set(SetEvent),
    /// Replicas fail.
    Fail(FailEvent),
    /// Replicas crash.
    Crash(CrashEvent),
    /// Nothing passes between two sides.
    Partition(PartitionEvent),
    /// Messages between two sides take longer.
    Latency(LatencyEvent),
    /// Messages between two sides are lost.
    Loss(LossEvent),
    /// A zone is lost.
    Lose(LoseEvent),
    /// Replicas are replaced.
    Deploy(DeployEvent),
    /// A cache is emptied.
    Flush(FlushEvent),
    /// What a cache has expires.
    Expire(ExpireEvent),
}

impl EventSpec {
    /// When it happens, and how long it lasts.
    pub(crate) fn timing(&self) -> (&TimingSpec, Option<&DistributionSpec<Time>>) {
        let lasting = match self {
            Self::Crash(event) => return (&event.timing, None),
            Self::Deploy(event) => return (&event.timing, None),
            Self::Flush(event) => return (&event.timing, None),
            Self::Expire(event) => return (&event.timing, None),
            Self::Set(event) => &event.timing,
            Self::Fail(event) => &event.timing,
            Self::Partition(event) => &event.timing,
            Self::Latency(event) => &event.timing,
            Self::Loss(event) => &event.timing,
            Self::Lose(event) => &event.timing,
        };
        (&lasting.timing, lasting.for_time.as_ref())
    }
}

/// The keys by which events are told apart.
const KINDS: [&str; 10] =
    ["set", "fail", "crash", "partition", "latency", "loss", "lose", "deploy", "flush", "expire"];

/// Of which kind the event is; without any of the keys it is one that sets.
fn kind(node: &Node) -> &'static str {
    KINDS.into_iter().find(|kind| node.get(kind).is_some()).unwrap_or("set")
}

impl Spec for EventSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let is_kind = |entry: &&crate::tree::Entry| KINDS.contains(&&*entry.key);
        let mut kinds = node.entries().iter().filter(is_kind);
        if let (Some(first), Some(second)) = (kinds.next(), kinds.next()) {
            let message = format!("an event does one thing, found `{}` and `{}`", first.key, second.key);
            sink.report(Diagnostic::error(message).at(second.place).help("make them two events"));
            return None;
        }
        Some(match kind(node) {
            "fail" => Self::Fail(FailEvent::read(node, sink)?),
            "crash" => Self::Crash(CrashEvent::read(node, sink)?),
            "partition" => Self::Partition(PartitionEvent::read(node, sink)?),
            "latency" => Self::Latency(LatencyEvent::read(node, sink)?),
            "loss" => Self::Loss(LossEvent::read(node, sink)?),
            "lose" => Self::Lose(LoseEvent::read(node, sink)?),
            "deploy" => Self::Deploy(DeployEvent::read(node, sink)?),
            "flush" => Self::Flush(FlushEvent::read(node, sink)?),
            "expire" => Self::Expire(ExpireEvent::read(node, sink)?),
            _ => Self::Set(SetEvent::read(node, sink)?),
        })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let kinds = [
            SetEvent::schema(definitions),
            FailEvent::schema(definitions),
            CrashEvent::schema(definitions),
            PartitionEvent::schema(definitions),
            LatencyEvent::schema(definitions),
            LossEvent::schema(definitions),
            LoseEvent::schema(definitions),
            DeployEvent::schema(definitions),
            FlushEvent::schema(definitions),
            ExpireEvent::schema(definitions),
        ];
        json!({"anyOf": kinds})
    }

    fn complete(node: &mut Node) {
        match kind(node) {
            "fail" => FailEvent::complete(node),
            "crash" => CrashEvent::complete(node),
            "partition" => PartitionEvent::complete(node),
            "latency" => LatencyEvent::complete(node),
            "loss" => LossEvent::complete(node),
            "lose" => LoseEvent::complete(node),
            "deploy" => DeployEvent::complete(node),
            "flush" => FlushEvent::complete(node),
            "expire" => ExpireEvent::complete(node),
            _ => SetEvent::complete(node),
        }
    }
}

spec! {
    /// When an event happens.
    TimingSpec: "an event" {
        /// When, from the start of the run; with `every` the first time, with `when` the earliest.
        at: Option<At<Time>> => "with `every` or `mttf`, after that time; with `when`, from the start" (""),
        /// Time from one beginning to the next: `10m`, or `{exp: 1h}` for random ones. Variants meet the same times.
        every: Option<DistributionSpec<Time>> => "it happens once" (""),
        /// Time from the end of one to the beginning of the next; instead of `every`, with `for`. For a `crash`, the
        /// time that each replica is up, by a clock of its own.
        mttf: Option<DistributionSpec<Time>> => "it happens once" (""),
        /// Instead of a time: a condition over levels, such as `disk.free < 5%`. It happens each time that this begins
        /// to hold.
        when: Option<At<Text>> => "it happens by the clock" (""),
    }
}

spec! {
    /// When an event happens, and for how long.
    LastingSpec: "an event" {
        ..timing: TimingSpec,
        /// How long it lasts; drawn each time where it is a distribution.
        for_time ["for"]: Option<DistributionSpec<Time>> => "to the end of the run" (""),
    }
}

spec! {
    /// Values that change by the clock.
    SetEvent: "an event" {
        ..timing: LastingSpec,
        /// Paths and the values they get: `{services.db.speed: 0.1}`.
        set: Required<Changes>,
    }
    later ["flush", "drain", "scale", "health", "pause", "zone"]
}

spec! {
    /// Replicas that answer every request with a failure, without queueing for workers or doing any of the steps.
    /// Checks of them fail.
    FailEvent: "an event that fails replicas" {
        ..timing: LastingSpec,
        /// The service.
        fail: At<Name>,
        /// How many of its ready replicas, from the first on.
        replicas: At<Positive> = "1" ("a single machine"),
        /// How long the answer takes: usually much less than the work.
        after: DistributionSpec<Time>,
        /// The name of the failure.
        outcome: At<Name> = "unavailable" ("gRPC, UNAVAILABLE; HTTP, 503 Service Unavailable"),
    }
}

spec! {
    /// Replicas crash: what they work on is `lost` to its callers, what they know is forgotten, and calls to them are
    /// `rejected` at once until they are back. They come back through `startup`.
    CrashEvent: "a crash" {
        ..timing: TimingSpec,
        /// The service.
        crash: At<Name>,
        /// How many of its replicas that are up: from the first on, or with `every` any of them.
        replicas: Option<At<Positive>> => "1, or with `mttf` all, each by itself" ("a single machine"),
        /// How long it takes until a replica begins to start again, or `never`.
        restart: RestartSpec = "0s" ("Kubernetes, restartPolicy: Always, restarts a container at once the first time"),
    }
}

spec! {
    /// Nothing passes between two sides, in either direction. What is sent meanwhile, or on its way, is sent again as
    /// TCP does it: it arrives after the partition, unless that lasts longer than its sender tries (about 15m), and
    /// callers that have a timeout see that.
    PartitionEvent: "a partition" {
        ..timing: LastingSpec,
        /// The two sides: names of services or traffics.
        partition: List<At<Name>>,
    }
}

spec! {
    /// Messages between two sides take longer, in both directions.
    LatencyEvent: "a slow network" {
        ..timing: LastingSpec,
        /// Between whom, and how much longer.
        latency: AddedSpec,
    }
}

spec! {
    /// Packets between two sides are lost, in both directions. They are sent again.
    LossEvent: "a network that loses packets" {
        ..timing: LastingSpec,
        /// Between whom, and how many.
        loss: LossSpec,
    }
}

spec! {
    /// Everything in a zone is lost: its replicas crash, and start again when the event ends.
    LoseEvent: "a loss of a zone" {
        ..timing: LastingSpec,
        /// The zone.
        lose: LostSpec,
    }
}

spec! {
    /// All replicas are replaced by new ones, a few at a time: a rolling update.
    DeployEvent: "a deployment" {
        ..timing: TimingSpec,
        /// The service.
        deploy: At<Name>,
        /// New replicas beyond those that are wanted, as a share of them, rounded up.
        surge: At<Share> = "25%" ("Kubernetes, rollingUpdate.maxSurge"),
        /// How many of the wanted replicas may be missing meanwhile, as a share of them, rounded down.
        max_unavailable: At<Share> = "25%" ("Kubernetes, rollingUpdate.maxUnavailable"),
    }
}

spec! {
    /// Between whom messages take longer.
    AddedSpec: "a slow network" {
        /// The two sides: names of services or traffics.
        between: List<At<Name>>,
        /// How much longer each message takes.
        add: DistributionSpec<Time>,
    }
}

spec! {
    /// Between whom packets are lost.
    LossSpec: "a loss" {
        /// The two sides: names of services or traffics.
        between: List<At<Name>>,
        /// Share of the packets.
        share: At<Share>,
    }
}

spec! {
    /// What is lost.
    LostSpec: "what is lost" {
        /// The zone.
        zone: At<Name>,
    }
}

/// When a replica that has crashed begins to start again.
#[derive(Clone, Debug)]
pub(crate) enum RestartSpec {
    /// Not at all.
    Never,
    /// After this time.
    After(DistributionSpec<Time>),
}

impl Spec for RestartSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if node.text() == Some("never") {
            return Some(Self::Never);
        }
        if node.text().is_some_and(|text| text.starts_with(|c: char| c.is_ascii_alphabetic())) {
            sink.expected("a time such as `30s`, or `never`", node, "write `restart: 30s`");
            return None;
        }
        DistributionSpec::read(node, sink).map(Self::After)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let time = DistributionSpec::<Time>::schema(definitions);
        json!({"anyOf": [{"const": "never"}, time]})
    }
}

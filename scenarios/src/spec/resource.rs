//! Resources as written: a map whose one leading key says of which kind it is.

use serde_json::{Value as Json, json};

use super::{
    AdaptSpec, At, CoresMapSpec, Count, Definitions, DistributionSpec, Flag, Name, Named, OrderSpec,
    Positive, Share, Sink, Spec, Text, Time, defined, not_yet, spec,
};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Value};
use crate::words::listed;

/// Anything limited.
#[derive(Clone, Debug)]
pub(crate) enum ResourceSpec {
    /// Held, and given back.
    Slots(SlotsSpec),
    /// Shared by whoever computes.
    Cores(CoresMapSpec),
}

/// The keys that say of which kind a resource is.
const KINDS: [&str; 2] = ["slots", "cores"];
const LATER: [&str; 2] = ["rate", "volume"];

impl Spec for ResourceSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match kind(node, sink)? {
            "cores" => CoresMapSpec::read(node, sink).map(Self::Cores),
            _ => SlotsSpec::read(node, sink).map(Self::Slots),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Resource", |definitions| {
            let kinds = [SlotsSpec::schema(definitions), CoresMapSpec::schema(definitions)];
            json!({"anyOf": kinds})
        })
    }

    fn complete(node: &mut Node) {
        match kind(node, &mut Sink::default()) {
            Some("cores") => CoresMapSpec::complete(node),
            Some(_) => SlotsSpec::complete(node),
            None => {}
        }
    }
}

/// The key that says of which kind the resource is.
fn kind(node: &Node, sink: &mut Sink) -> Option<&'static str> {
    let Value::Map(entries) = &node.value else {
        sink.expected("a resource", node, "write `{slots: 10}`");
        return None;
    };
    let mut kinds = KINDS.iter().filter(|kind| entries.iter().any(|entry| *entry.key == ***kind));
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Some(kind),
        (Some(first), Some(second)) => {
            let twice = entries.iter().find(|entry| *entry.key == **second);
            let message = format!("a resource is of one kind, found `{first}` and `{second}`");
            let place = twice.map_or(node.place, |entry| entry.place);
            sink.report(Diagnostic::error(message).at(place).help("make them two resources"));
            None
        }
        _ => {
            if let Some(entry) = entries.iter().find(|entry| LATER.contains(&&*entry.key)) {
                sink.report(not_yet(&entry.key, entry.place));
                return None;
            }
            let message = "it is not said of which kind this resource is";
            let help = format!("the kinds are {}: write `slots: 10`", listed(KINDS));
            sink.report(Diagnostic::error(message).at(node.label).help(help));
            None
        }
    }
}

spec! {
    /// Slots that are held and given back.
    SlotsSpec: "a resource of slots" {
        /// Units that can be held at once.
        slots: At<Positive>,
        /// What has one of its own: a service (each of its replicas has one), `class`, or `cluster` (there is one).
        per: Option<At<Name>> => "one in each replica when a service owns it, else one for all" (""),
        /// Requests that may wait; beyond that a request is rejected.
        queue: Option<At<Count>> => "no limit" ("Go, database/sql with SetMaxOpenConns"),
        /// How long a request waits before it gives up; drawn for each where it is a distribution.
        timeout: Option<DistributionSpec<Time>> => "none" ("Go, database/sql waits as long as the request does"),
        /// How long it takes to open a connection, before its first use.
        connect: Option<DistributionSpec<Time>> => "no time" (""),
        /// How long a connection stays open that nobody uses; those opened ahead stay.
        idle: Option<At<Time>> => "for good" ("Go, database/sql without SetConnMaxIdleTime"),
        /// How old a connection may become: an older one is closed when it is put back.
        max_life: Option<DistributionSpec<Time>> => "without limit" ("Go, database/sql without SetConnMaxLifetime"),
        /// Whether all connections are opened ahead, and replaced when they are closed.
        eager: At<Flag> = "false" ("Go, database/sql opens a connection when one is needed"),
        /// The resource that each open connection takes a unit of: `db.sessions`.
        from: Option<At<Text>> => "nothing" (""),
        /// Who is served next.
        order: At<OrderSpec> = "fifo" ("HikariCP and Go database/sql serve waiters in order"),
        /// Whether a request whose caller has gone is dropped when it is its turn.
        drop_abandoned: At<Flag> = "false" ("Tomcat and Jetty run what is queued, whoever still waits for it"),
        /// Share of the slots that a class may fill: while that many or more are in use, its requests are `rejected` at
        /// once. Classes that are not named, or may fill all, wait for a slot.
        admit: Option<Named<At<Share>>> => "every class may fill all" (""),
        /// How the number of slots adapts to what is seen of those who held them; it begins with `slots`.
        adapt: Option<At<AdaptSpec>> => "it does not" (""),
    }
    later ["batch"]
}

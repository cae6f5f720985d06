//! Which metric a path means: every subject has a full path and abbreviations, every kind of subject its figures.

use std::collections::BTreeMap;

use models::blueprint::{
    AutoscalerId, CacheId, Caller, EndpointId, JobId, Outcome, PoolId, QueueId, RateId, RouteId, ServiceId,
    TrafficId, VolumeId,
};

use crate::metric::{Figure, Group, Subject};
use crate::scenario::{Parts, Use};
use crate::words::{closest, listed};
use models::attribute::Spread;

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds.
    Time,
    /// Per second.
    Rate,
    /// A fraction.
    Share,
    /// A plain number.
    Number,
}

/// A metric that was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) subject: Subject,
    pub(super) figure: Figure,
    pub(super) unit: Unit,
}

/// The subjects of a scenario by their paths.
pub(super) struct Subjects<'a> {
    parts: &'a Parts,
    /// Every way to write a subject; the full path first.
    names: BTreeMap<String, Vec<Subject>>,
    /// Names without the service that they belong to, for when nothing else fits.
    short: BTreeMap<String, Vec<Subject>>,
    full: Vec<(Subject, String)>,
}

impl<'a> Subjects<'a> {
    pub(super) fn new(parts: &'a Parts) -> Self {
        let mut subjects = Self { parts, names: BTreeMap::new(), short: BTreeMap::new(), full: Vec::new() };
        for (i, traffic) in parts.traffics.iter().enumerate() {
            let id = TrafficId(i as u32);
            let name = &traffic.name;
            subjects.add(Subject::Traffic(id), [format!("traffic.{name}"), name.clone()]);
            for (_, class) in &traffic.classes {
                subjects.group(
                    id,
                    name,
                    "classes",
                    &parts.classes[usize::from(*class)],
                    Group::Class(*class),
                );
            }
            if let Some(Spread::Shares(tenants)) = &traffic.attributes.tenant {
                for (_, tenant) in tenants {
                    let group = Group::Tenant(*tenant as u16);
                    subjects.group(id, name, "tenants", &parts.tenants[*tenant as usize], group);
                }
            }
        }
        for (i, service) in parts.services.iter().enumerate() {
            let id = ServiceId(i as u32);
            let name = &service.name;
            subjects.add(Subject::Service(id), [format!("services.{name}"), name.clone()]);
            if service.cores.is_some() {
                subjects.owned(Subject::Cores(id), name, "resources", "cores");
            }
        }
        for (i, endpoint) in parts.endpoints.iter().enumerate() {
            if let Some((service, name)) = endpoint.name.split_once('.') {
                subjects.owned(Subject::Endpoint(EndpointId(i as u32)), service, "endpoints", name);
                subjects.short.entry(name.into()).or_default().push(Subject::Endpoint(EndpointId(i as u32)));
            }
        }
        for (i, job) in parts.jobs.iter().enumerate() {
            let name = &job.name;
            subjects.add(Subject::Job(JobId(i as u32)), [format!("jobs.{name}"), name.clone()]);
        }
        for (i, queue) in parts.queues.iter().enumerate() {
            let name = &queue.name;
            for (g, group) in queue.groups.iter().enumerate() {
                let subject = Subject::Queue(QueueId(i as u32), g as u32);
                let of_group = [
                    format!("queues.{name}.consumers.{}", group.name),
                    format!("queues.{name}.{}", group.name),
                    format!("{name}.consumers.{}", group.name),
                    format!("{name}.{}", group.name),
                ];
                let own = [format!("queues.{name}"), name.clone()];
                let named = of_group.into_iter().filter(|_| !group.name.is_empty());
                // With one group, what the group sees is all that there is to say of the queue.
                if queue.groups.len() == 1 {
                    subjects.add(subject, own.into_iter().chain(named));
                } else {
                    subjects.add(subject, named.chain(own));
                }
            }
        }
        for (i, autoscaler) in parts.autoscalers.iter().enumerate() {
            // Its name alone is that of its service.
            subjects.add(Subject::Autoscaler(AutoscalerId(i as u32)), [autoscaler.path.clone()]);
        }
        for (i, route) in parts.routes.iter().enumerate() {
            let name = &route.name;
            subjects.add(Subject::Route(RouteId(i as u32)), [format!("routes.{name}"), name.clone()]);
        }
        for (i, pool) in parts.pools.iter().enumerate() {
            subjects.resource(Subject::Pool(PoolId(i as u32)), &pool.name);
        }
        for (i, rate) in parts.rates.iter().enumerate() {
            subjects.resource(Subject::Rate(RateId(i as u32)), &rate.name);
        }
        for (i, volume) in parts.volumes.iter().enumerate() {
            subjects.resource(Subject::Volume(VolumeId(i as u32)), &volume.name);
        }
        for (i, cache) in parts.caches.iter().enumerate() {
            let name = &cache.name;
            subjects.add(Subject::Cache(CacheId(i as u32)), [format!("caches.{name}"), name.clone()]);
        }
        subjects.add_policies();
        subjects
    }

    fn group(&mut self, id: TrafficId, traffic: &str, kind: &str, name: &str, group: Group) {
        let names = [
            format!("traffic.{traffic}.{kind}.{name}"),
            format!("traffic.{traffic}.{name}"),
            format!("{traffic}.{kind}.{name}"),
            format!("{traffic}.{name}"),
        ];
        self.add(Subject::Group(id, group), names);
    }

    fn resource(&mut self, subject: Subject, name: &str) {
        match name.split_once('.') {
            Some((service, name)) => {
                self.owned(subject, service, "resources", name);
                self.short.entry(name.into()).or_default().push(subject);
            }
            None => self.add(subject, [format!("resources.{name}"), name.to_owned()]),
        }
    }

    fn add_policies(&mut self) {
        let parts = self.parts;
        for (i, policy) in parts.policies.iter().enumerate() {
            let name = &policy.name;
            let of_policy = |usage: &Use| usage.policy.index() == i;
            let Some(from) = parts.uses.iter().position(of_policy) else { continue };
            let to = from + parts.uses.iter().filter(|usage| of_policy(usage)).count();
            let subject = Subject::Policy(from as u32, to as u32);
            self.add(subject, [format!("policies.{name}"), name.clone()]);
            for (at, usage) in (from as u32..).zip(&parts.uses[from..to]) {
                let caller = match usage.caller {
                    Caller::Service(id) => parts.services.get(id.index()).map(|service| &service.name),
                    Caller::Traffic(id) => parts.traffics.get(id.index()).map(|traffic| &traffic.name),
                };
                // One that could not be read is not among them; that has been told.
                let Some(caller) = caller else { continue };
                // A policy of one caller is that caller's.
                if to - from > 1 {
                    let names =
                        [format!("policies.{name}.callers.{caller}"), format!("{name}.callers.{caller}")];
                    self.add(Subject::Policy(at, at + 1), names);
                }
            }
        }
    }

    fn owned(&mut self, subject: Subject, service: &str, group: &str, name: &str) {
        let names = [
            format!("services.{service}.{group}.{name}"),
            format!("services.{service}.{name}"),
            format!("{service}.{group}.{name}"),
            format!("{service}.{name}"),
        ];
        self.add(subject, names);
    }

    fn add(&mut self, subject: Subject, names: impl IntoIterator<Item = String>) {
        let mut names = names.into_iter().peekable();
        if let Some(full) = names.peek() {
            self.full.push((subject, full.clone()));
        }
        for name in names {
            self.names.entry(name).or_default().push(subject);
        }
    }

    /// Whether `name` is a traffic.
    pub(super) fn is_traffic(&self, name: &str) -> bool {
        self.parts.traffics.iter().any(|traffic| traffic.name == name)
    }

    /// The metric that `path` means, or why there is none and what to do.
    pub(super) fn find(&self, path: &str) -> Result<Found, (String, String)> {
        let mut found = self.matches(path, &self.names);
        if found.is_empty() {
            found = self.matches(path, &self.short);
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(self.unknown(path)),
            _ => {
                let paths: Vec<&str> =
                    found.iter().filter_map(|found| self.full_path(found.subject)).collect();
                Err((
                    format!("`{path}` can mean several metrics"),
                    format!("write more of the path: it belongs to {}", listed(paths)),
                ))
            }
        }
    }

    fn full_path(&self, subject: Subject) -> Option<&str> {
        self.full.iter().find(|(known, _)| *known == subject).map(|(_, path)| path.as_str())
    }

    fn matches(&self, path: &str, names: &BTreeMap<String, Vec<Subject>>) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (dot, _) in path.match_indices('.') {
            let (name, figure) = (&path[..dot], &path[dot + 1..]);
            for subject in names.get(name).into_iter().flatten() {
                if let Some((figure, unit)) = self.figure(*subject, figure) {
                    found.push(Found { subject: *subject, figure, unit });
                }
            }
        }
        found
    }

    fn unknown(&self, path: &str) -> (String, String) {
        let message = format!("there is no metric `{path}`");
        // The longest start of the path that is a subject tells which figures could follow.
        let starts = path.match_indices('.').map(|(dot, _)| &path[..dot]).chain([path]);
        let known = starts.filter_map(|start| Some((start, self.names.get(start)?.first()?))).next_back();
        if let Some((start, subject)) = known {
            let figures = self.figures(*subject);
            let rest = path.strip_prefix(start).unwrap_or_default().trim_start_matches('.');
            let guess = closest(rest, figures.iter().map(String::as_str));
            let help = match guess {
                Some(guess) => format!("did you mean `{start}.{guess}`?"),
                None => {
                    format!("the figures of `{start}` are {}", listed(figures.iter().map(String::as_str)))
                }
            };
            return (message, help);
        }
        let first = path.split('.').next().unwrap_or(path);
        let short: Vec<&str> =
            self.names.keys().map(String::as_str).filter(|name| !name.contains('.')).collect();
        let help = match closest(first, short.iter().copied()) {
            Some(guess) => format!("did you mean `{guess}{}`?", &path[first.len()..]),
            None => format!("a metric begins with one of {}", listed(short.iter().copied())),
        };
        (message, help)
    }

    /// The figure `text` of a subject.
    fn figure(&self, subject: Subject, text: &str) -> Option<(Figure, Unit)> {
        let latency = text.strip_prefix("latency.").unwrap_or(text);
        let of_latency = || {
            Some(match latency {
                "mean" => Figure::Mean,
                "max" => Figure::Max,
                _ => Figure::Quantile(quantile(latency)?),
            })
        };
        let time = |figure: Figure| (figure, Unit::Time);
        match subject {
            Subject::Traffic(_) => {
                if let Some(intended) = text.strip_prefix("intended.") {
                    return Some(time(match intended {
                        "mean" => Figure::IntendedMean,
                        _ => Figure::IntendedQuantile(quantile(intended)?),
                    }));
                }
                if let Some((_, figure, unit)) = TRAFFIC.iter().find(|(word, ..)| *word == text) {
                    return Some((*figure, *unit));
                }
                self.outcome(text).or_else(|| of_latency().map(time))
            }
            Subject::Group(..) => {
                row(GROUP, text).or_else(|| self.outcome(text)).or_else(|| of_latency().map(time))
            }
            Subject::Endpoint(_) => row(ENDPOINT, text).or_else(|| of_latency().map(time)),
            Subject::Job(_) => {
                row(JOB, text).or_else(|| self.outcome(text)).or_else(|| of_latency().map(time))
            }
            Subject::Service(id) => {
                row(SERVICE, text).or_else(|| self.cost(id, text)).or_else(|| replica(text))
            }
            Subject::Queue(..) => row(QUEUE, text)
                .or_else(|| partition(text))
                .or_else(|| waits_only(text))
                .or_else(|| of_latency().map(time)),
            Subject::Autoscaler(id) => row(AUTOSCALER, text).or_else(|| self.cost_of_nodes(id, text)),
            Subject::Route(_) => row(ROUTE, text),
            Subject::Pool(id) => {
                let connections = || row(self.connections(id), text);
                row(RESOURCE, text).or_else(|| row(POOL, text)).or_else(connections).or_else(|| waits(text))
            }
            Subject::Cores(_) => row(RESOURCE, text).or_else(|| row(CORES, text)).or_else(|| waits(text)),
            Subject::Rate(_) => row(RATE, text).or_else(|| row(QUEUED, text)).or_else(|| waits_only(text)),
            Subject::Volume(_) => {
                row(VOLUME, text).or_else(|| row(QUEUED, text)).or_else(|| waits_only(text))
            }
            Subject::Cache(_) => row(CACHE, text).or_else(|| of_cache(text)).or_else(|| waits_only(text)),
            Subject::Policy(..) => row(POLICY, text),
        }
    }

    /// The share of the requests that end with an outcome of that name.
    fn outcome(&self, text: &str) -> Option<(Figure, Unit)> {
        let outcome = self.parts.outcomes.iter().position(|outcome| outcome == text)?;
        Some((Figure::Share(Outcome(outcome as u16)), Unit::Share))
    }

    /// What the replicas of a service cost.
    fn cost(&self, id: ServiceId, text: &str) -> Option<(Figure, Unit)> {
        let price = self.parts.services[id.index()].life.price.as_ref()?;
        (text == "cost").then_some((Figure::Cost(price.per_hour), Unit::Number))
    }

    /// What the nodes of an autoscaler cost.
    fn cost_of_nodes(&self, id: AutoscalerId, text: &str) -> Option<(Figure, Unit)> {
        let price = self.parts.autoscalers[id.index()].price_of_node()?;
        (text == "cost").then_some((Figure::Cost(price.per_hour), Unit::Number))
    }

    /// The figures of a pool's connections.
    fn connections(&self, id: PoolId) -> &'static [Row] {
        let has_some = self.parts.pools[id.index()].connections.is_some();
        if has_some { CONNECTIONS } else { &[] }
    }

    /// The figures of a subject, as examples where there are endlessly many.
    fn figures(&self, subject: Subject) -> Vec<String> {
        let latency = ["mean", "p50", "p99", "p99.9", "max"];
        let waits = ["wait.mean", "wait.p99", "hold.mean", "hold.p99"];
        let words = |tables: &[&[Row]]| -> Vec<String> {
            tables.iter().flat_map(|table| table.iter().map(|(word, ..)| (*word).to_string())).collect()
        };
        let own = |list: &[&str]| -> Vec<String> { list.iter().map(ToString::to_string).collect() };
        match subject {
            Subject::Traffic(_) => [own(&latency), words(&[TRAFFIC]), self.parts.outcomes.clone()].concat(),
            Subject::Group(..) => [own(&latency), words(&[GROUP]), self.parts.outcomes.clone()].concat(),
            Subject::Endpoint(_) => [own(&latency), words(&[ENDPOINT])].concat(),
            Subject::Job(_) => [own(&latency), words(&[JOB]), self.parts.outcomes.clone()].concat(),
            Subject::Queue(..) => [own(&latency), own(&waits[..2]), words(&[QUEUE])].concat(),
            Subject::Service(_) => [words(&[SERVICE]), own(&["replica.0", "from.1", "available.1"])].concat(),
            Subject::Autoscaler(_) => words(&[AUTOSCALER]),
            Subject::Route(_) => words(&[ROUTE]),
            Subject::Pool(id) => [words(&[RESOURCE, POOL, self.connections(id)]), own(&waits)].concat(),
            Subject::Cores(_) => [words(&[RESOURCE, CORES]), own(&waits)].concat(),
            Subject::Rate(_) => [words(&[RATE, QUEUED]), own(&waits[..2])].concat(),
            Subject::Volume(_) => [words(&[VOLUME, QUEUED]), own(&waits[..2])].concat(),
            Subject::Cache(_) => {
                [words(&[CACHE]), own(&["herd.p99", "fetch.mean", "fetch.p99"]), own(&waits[..2])].concat()
            }
            Subject::Policy(..) => words(&[POLICY]),
        }
    }
}

type Row = (&'static str, Figure, Unit);

const TRAFFIC: &[Row] = &[
    ("errors", Figure::Errors, Unit::Share),
    ("throughput", Figure::Throughput, Unit::Rate),
    ("offered", Figure::Offered, Unit::Rate),
    ("failures", Figure::Failures, Unit::Rate),
    ("attempts", Figure::Attempts, Unit::Number),
    ("attempts_per_request", Figure::Attempts, Unit::Number),
    ("in_flight", Figure::InFlight, Unit::Number),
];
const GROUP: &[Row] = &[
    ("failures", Figure::Failures, Unit::Rate),
    ("errors", Figure::Errors, Unit::Share),
    ("throughput", Figure::Throughput, Unit::Rate),
];
const ENDPOINT: &[Row] = &[
    ("ok", Figure::Share(Outcome::OK), Unit::Share),
    ("errors", Figure::Errors, Unit::Share),
    ("throughput", Figure::Throughput, Unit::Rate),
    ("failures", Figure::Failures, Unit::Rate),
    ("offered", Figure::Offered, Unit::Rate),
];
const JOB: &[Row] = &[
    ("errors", Figure::Errors, Unit::Share),
    ("throughput", Figure::Throughput, Unit::Rate),
    ("failures", Figure::Failures, Unit::Rate),
    ("offered", Figure::Offered, Unit::Rate),
    ("in_flight", Figure::InFlight, Unit::Number),
];
const QUEUE: &[Row] = &[
    ("lag", Figure::Lag, Unit::Number),
    ("lag.end", Figure::LagEnd, Unit::Number),
    ("lag.max", Figure::LagMax, Unit::Number),
    ("age", Figure::Age, Unit::Time),
    ("age.end", Figure::AgeEnd, Unit::Time),
    ("sent", Figure::Sent, Unit::Rate),
    ("offered", Figure::Offered, Unit::Rate),
    ("throughput", Figure::Throughput, Unit::Rate),
    ("deliveries", Figure::Deliveries, Unit::Rate),
    ("failures", Figure::Failures, Unit::Rate),
    ("runs_per_message", Figure::RunsPerMessage, Unit::Number),
    ("done", Figure::Done, Unit::Number),
    ("dead", Figure::Dead, Unit::Number),
    ("dead.share", Figure::DeadShare, Unit::Share),
    ("lost", Figure::Lost, Unit::Share),
    ("rejected", Figure::Share(Outcome::REJECTED), Unit::Share),
    ("duplicates", Figure::Duplicates, Unit::Number),
    ("duplicates.share", Figure::DuplicateShare, Unit::Share),
    ("disordered", Figure::Disordered, Unit::Number),
    ("disordered.share", Figure::DisorderedShare, Unit::Share),
    ("rebalances", Figure::Rebalances, Unit::Number),
    ("expulsions", Figure::Expulsions, Unit::Number),
    ("stopped", Figure::Stopped, Unit::Share),
    ("busy", Figure::Busy, Unit::Share),
    ("members", Figure::Members, Unit::Number),
    ("senders", Figure::QueueLength, Unit::Number),
];
const SERVICE: &[Row] = &[
    ("replicas", Figure::Replicas, Unit::Number),
    ("replicas.max", Figure::ReplicasMax, Unit::Number),
    ("starting", Figure::InState(0), Unit::Number),
    ("warming", Figure::InState(1), Unit::Number),
    ("ready", Figure::InState(2), Unit::Number),
    ("draining", Figure::InState(3), Unit::Number),
    ("down", Figure::InState(4), Unit::Number),
    ("starts", Figure::Starts, Unit::Number),
    ("crashes", Figure::Crashes, Unit::Number),
    ("cut_off", Figure::CutOff, Unit::Number),
    ("refused", Figure::Refused, Unit::Number),
    ("replica_hours", Figure::ReplicaHours, Unit::Number),
    ("in_flight", Figure::InFlight, Unit::Number),
    ("offered", Figure::Offered, Unit::Rate),
    ("busiest", Figure::Busiest, Unit::Share),
    ("imbalance", Figure::Imbalance, Unit::Number),
    ("mean", Figure::Mean, Unit::Time),
    ("latency.mean", Figure::Mean, Unit::Time),
];
const AUTOSCALER: &[Row] = &[
    ("replicas", Figure::Replicas, Unit::Number),
    ("replicas.max", Figure::ReplicasMax, Unit::Number),
    ("changes", Figure::Changes, Unit::Number),
    ("changes_per_hour", Figure::ChangesPerHour, Unit::Number),
    ("ups", Figure::Ups, Unit::Number),
    ("downs", Figure::Downs, Unit::Number),
    ("flaps", Figure::Flaps, Unit::Number),
    ("flaps_per_hour", Figure::FlapsPerHour, Unit::Number),
    ("nodes", Figure::Nodes, Unit::Number),
    ("nodes.max", Figure::NodesMax, Unit::Number),
    ("node_hours", Figure::NodeHours, Unit::Number),
];

const ROUTE: &[Row] = &[
    ("sent", Figure::Offered, Unit::Rate),
    ("ejections", Figure::Ejections, Unit::Rate),
    ("out", Figure::Out, Unit::Share),
    ("panic", Figure::Panic, Unit::Share),
    ("connects", Figure::Connects, Unit::Rate),
    ("reused", Figure::Reused, Unit::Share),
];
const RESOURCE: &[Row] = &[
    ("utilization", Figure::Utilization, Unit::Share),
    ("in_use", Figure::InUse, Unit::Number),
    ("queue_length", Figure::QueueLength, Unit::Number),
    ("queue_max", Figure::QueueMax, Unit::Number),
    ("in_flight", Figure::InFlight, Unit::Number),
    ("rate", Figure::AcquireRate, Unit::Rate),
    ("wait_probability", Figure::WaitProbability, Unit::Share),
];
const CORES: &[Row] = &[
    ("throttled", Figure::Throttled, Unit::Share),
    ("throttled_periods", Figure::ThrottledPeriods, Unit::Share),
    ("paused", Figure::Paused, Unit::Share),
];
const POOL: &[Row] = &[
    ("rejected", Figure::Share(Outcome::REJECTED), Unit::Share),
    ("timed_out", Figure::Share(Outcome::TIMED_OUT), Unit::Share),
    ("dropped", Figure::Dropped, Unit::Share),
    ("abandoned", Figure::Abandoned, Unit::Share),
    ("limit", Figure::Limit, Unit::Number),
    ("batch_size", Figure::BatchSize, Unit::Number),
];

const CONNECTIONS: &[Row] = &[
    ("connections", Figure::Connections, Unit::Number),
    ("opened", Figure::Opened, Unit::Rate),
    ("open_refused", Figure::OpenRefused, Unit::Rate),
];
/// What is taken and not held, and waited for.
const QUEUED: &[Row] = &[
    ("rate", Figure::AcquireRate, Unit::Rate),
    ("rejected", Figure::Share(Outcome::REJECTED), Unit::Share),
    ("timed_out", Figure::Share(Outcome::TIMED_OUT), Unit::Share),
    ("queue_length", Figure::QueueLength, Unit::Number),
    ("queue_max", Figure::QueueMax, Unit::Number),
    ("wait_probability", Figure::WaitProbability, Unit::Share),
];
const RATE: &[Row] = &[
    ("utilization", Figure::Utilization, Unit::Share),
    ("free", Figure::Free, Unit::Share),
    ("taken", Figure::Taken, Unit::Rate),
];
const VOLUME: &[Row] = &[
    ("level", Figure::Level, Unit::Number),
    ("level.mean", Figure::Level, Unit::Number),
    ("level.min", Figure::LevelMin, Unit::Number),
    ("level.max", Figure::LevelMax, Unit::Number),
    ("level.end", Figure::LevelEnd, Unit::Number),
    ("taken", Figure::Taken, Unit::Number),
    ("given", Figure::Given, Unit::Number),
    ("oversold", Figure::Oversold, Unit::Number),
    ("refused", Figure::Refused, Unit::Number),
    ("empty_at", Figure::Emptied, Unit::Time),
];

const CACHE: &[Row] = &[
    ("hit_ratio", Figure::HitRatio, Unit::Share),
    ("gets", Figure::Gets, Unit::Rate),
    ("misses", Figure::Misses, Unit::Rate),
    ("stale_hits", Figure::StaleHits, Unit::Rate),
    ("negative_hits", Figure::NegativeHits, Unit::Rate),
    ("early", Figure::Early, Unit::Rate),
    ("coalesced", Figure::Coalesced, Unit::Rate),
    ("coalesced_failures", Figure::CoalescedFailures, Unit::Rate),
    ("fetches", Figure::Fetches, Unit::Rate),
    ("fetching", Figure::Fetching, Unit::Number),
    ("refreshes", Figure::Refreshes, Unit::Rate),
    ("fetch_failures", Figure::FetchFailures, Unit::Rate),
    ("evictions", Figure::Evictions, Unit::Rate),
    ("no_room", Figure::NoRoom, Unit::Rate),
    ("entries", Figure::Entries, Unit::Number),
    ("herd.max", Figure::HerdMax, Unit::Number),
    ("herd.mean", Figure::HerdMean, Unit::Number),
    ("puts", Figure::Puts, Unit::Rate),
    ("stale_reads", Figure::StaleReads, Unit::Share),
    ("pinned_reads", Figure::PinnedReads, Unit::Share),
    ("queue_length", Figure::QueueLength, Unit::Number),
    ("queue_max", Figure::QueueMax, Unit::Number),
];

const POLICY: &[Row] = &[
    ("calls", Figure::Calls, Unit::Rate),
    ("attempts", Figure::Attempts, Unit::Number),
    ("attempts_per_call", Figure::Attempts, Unit::Number),
    ("timeouts", Figure::TimedOut, Unit::Rate),
    ("expired", Figure::Expired, Unit::Rate),
    ("retries", Figure::Retries, Unit::Rate),
    ("retries_refused", Figure::Unaffordable, Unit::Rate),
    ("hedges", Figure::Hedges, Unit::Rate),
    ("hedges_won", Figure::HedgesWon, Unit::Rate),
    ("breaker.trips", Figure::Trips, Unit::Number),
    ("breaker.rejected", Figure::Broken, Unit::Rate),
    ("breaker.closed", Figure::Closed, Unit::Share),
    ("breaker.open", Figure::Open, Unit::Share),
    ("breaker.half_open", Figure::HalfOpen, Unit::Share),
    ("limit.rejected", Figure::Limited, Unit::Rate),
    ("fallbacks", Figure::Fallbacks, Unit::Rate),
];

fn row(table: &[Row], text: &str) -> Option<(Figure, Unit)> {
    table.iter().find(|(word, ..)| *word == text).map(|(_, figure, unit)| (*figure, *unit))
}

/// Waits of what is not held.
fn waits_only(text: &str) -> Option<(Figure, Unit)> {
    waits(text).filter(|_| text.starts_with("wait."))
}

/// `herd.p99` and `fetch.p99`.
fn of_cache(text: &str) -> Option<(Figure, Unit)> {
    match text.split_once('.')? {
        ("fetch", "mean") => Some((Figure::FetchMean, Unit::Time)),
        ("fetch", figure) => Some((Figure::FetchQuantile(quantile(figure)?), Unit::Time)),
        ("herd", figure) => Some((Figure::HerdQuantile(quantile(figure)?), Unit::Number)),
        _ => None,
    }
}

/// `replica.0`, `from.4` and `available.2`.
fn replica(text: &str) -> Option<(Figure, Unit)> {
    let (what, number) = text.split_once('.')?;
    let number = number.parse().ok()?;
    match what {
        "replica" => Some((Figure::Replica(number), Unit::Share)),
        "available" => Some((Figure::Available(number), Unit::Share)),
        "from" => Some((Figure::ReplicasFrom(number), Unit::Share)),
        _ => None,
    }
}

/// `partition.3`: what is left of it.
fn partition(text: &str) -> Option<(Figure, Unit)> {
    let number = text.strip_prefix("partition.")?.parse().ok()?;
    Some((Figure::LagOf(number), Unit::Number))
}

fn waits(text: &str) -> Option<(Figure, Unit)> {
    let (what, figure) = text.split_once('.')?;
    let figure = match (what, figure) {
        ("wait", "mean") => Figure::WaitMean,
        ("hold", "mean") => Figure::HoldMean,
        ("wait", _) => Figure::WaitQuantile(quantile(figure)?),
        ("hold", _) => Figure::HoldQuantile(quantile(figure)?),
        _ => return None,
    };
    Some((figure, Unit::Time))
}

/// `p99.9` as 0.999.
fn quantile(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('p')?;
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let percent: f64 = digits.parse().ok()?;
    (0.0..=100.0).contains(&percent).then(|| (percent * 1e8).round() / 1e10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_fractions_without_noise() {
        assert_eq!(quantile("p99.9"), Some(0.999));
        assert_eq!(quantile("p50"), Some(0.5));
        assert_eq!(quantile("p101"), None);
        assert_eq!(quantile("pinf"), None);
    }
}

//! What a run found, as figures with their intervals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use models::blueprint::{
    Arrivals, AutoscalerId, Blueprint, CacheId, CachePlan, Caller, Coalesce, EndpointId, EvictRule, JobId,
    Outcome, PolicyPlan, PoolId, QueueId, RateId, RouteId, ServiceId, Stock, TrafficId, UsePlan, VolumeId,
};
use models::observe::{Balance, Breakdown};
use models::places::Places;
use sim_core::{Fingerprint, Histogram};

use super::analysis::{self, Analysis, Place};
use super::estimate::{Observed, of};
use super::evaluate::{max, measured};
use super::expect::{Ran, judge};
use super::gather::{Case, Gathered};
use super::growth::{Growing, Unsteady};
use super::{deadlock, evaluate, growth, laws, notes, series, theory};
use crate::metric::{Expectation, Figure, Group, Metric, Reading, Subject};
use crate::results::{
    AutoscalerResult, Bottleneck, BreakerResult, CacheResult, ConnectionResult, ConsumersResult, CostResult,
    E, EndpointResult, GroupResult, Head, JobResult, Latency, LifeResult, LimiterResult, PolicyResult,
    QuantilePoint, QueueResult, Report, ResourceResult, RouteResult, ServiceResult, TimeAt, TrafficResult,
    Verdict, VolumeResult, Window,
};

/// Most numbers of replicas whose availability is listed.
const MOST_LISTED: usize = 100;

/// Samples that must lie beyond a percentile before it can be relied on.
pub(crate) const BEYOND: u64 = 10;

/// What stands above the figures: where they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heading {
    /// The scenario's `about`.
    pub about: Option<String>,
    /// The variant, when one was chosen.
    pub variant: Option<String>,
    /// What was taken of uncertain inputs that were not drawn.
    pub not_drawn: Option<String>,
}

impl Heading {
    /// The head of a result on one case, in this schema.
    pub(crate) fn head(&self, schema: &str, case: &Case) -> Head {
        let (about, variant) = (self.about.as_deref(), self.variant.as_deref());
        Head::of(schema, &case.blueprint.name, about, variant, case.seed)
    }
}

/// What a report shows beyond the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    /// Bins of the series over time.
    pub(crate) bins: Option<u32>,
    /// Whether to list points of the latency distributions.
    pub(crate) distributions: bool,
}

/// Figures of one case.
struct Figures<'a> {
    case: &'a Case,
    gathered: &'a Gathered,
    blueprint: &'a Blueprint,
}

/// The report on one case.
pub(crate) fn report(
    case: &Case,
    gathered: &Gathered,
    expectations: &[Expectation],
    heading: &Heading,
    extras: Extras,
) -> Report {
    let blueprint = &case.blueprint;
    let figures = Figures { case, gathered, blueprint };
    let analysis = theory::predicted(blueprint);
    let Growing { growth, unsteady } = growth::detect(case, gathered);
    let (from, to) = measured(blueprint);
    let expect = verdicts(expectations, case, gathered, &unsteady);
    let laws = gathered
        .merged
        .as_ref()
        .map(|merged| laws::laws(blueprint, gathered.measured.as_ref(), merged))
        .unwrap_or_default();
    let mut report = Report {
        head: heading.head("hockeystick.result/1", case),
        replications: gathered.samples.len() as u32,
        complete: gathered.complete(),
        cut_short: gathered.cut_short.clone(),
        method: method(case, gathered),
        window: Window { from: from.as_seconds(), to: to.as_seconds() },
        events: gathered.merged.as_ref().map_or(0, |merged| merged.events),
        fingerprint: fingerprint(gathered).to_string(),
        traffic: figures.traffics(),
        services: figures.services(),
        routes: figures.routes(),
        resources: figures.resources(),
        caches: figures.caches(),
        policies: figures.policies(),
        queues: figures.queues(),
        jobs: figures.jobs(),
        autoscalers: figures.autoscalers(),
        laws,
        // No closed form is about inputs that differ from point to point.
        theory: if gathered.points.is_empty() {
            theory::lines(case, gathered, &unsteady)
        } else {
            Vec::new()
        },
        bottleneck: figures.bottleneck(&analysis),
        growth,
        deadlock: deadlock::told(case, gathered),
        unsteady: unsteady.paths(blueprint),
        expect,
        notes: Vec::new(),
        series: extras.bins.and_then(|bins| series::series(case, gathered, bins)),
        distributions: if extras.distributions { figures.distributions() } else { BTreeMap::new() },
        baseline: None,
        uncertainty: None,
    };
    report.notes = notes::notes(&report, case, gathered, &analysis);
    report
}

/// How intervals were made.
fn method(case: &Case, gathered: &Gathered) -> String {
    match gathered.points.as_slice() {
        [] if !case.batches.is_empty() => {
            format!("{} batch means of one replication, Student t", case.batches.len())
        }
        [] => "independent replications, Student t".to_owned(),
        points => format!("{} points of uncertain inputs, Student t over points", points.len()),
    }
}

/// Of the trajectories of all replications that count.
pub(crate) fn fingerprint(gathered: &Gathered) -> Fingerprint {
    let mut all = Fingerprint::default();
    for sample in &gathered.samples {
        let value = sample.fingerprint.value();
        all.absorb2((value >> 64) as u64, value as u64);
    }
    all
}

/// Verdicts on the expectations that speak of what ran.
pub(crate) fn verdicts(
    expectations: &[Expectation],
    case: &Case,
    gathered: &Gathered,
    unsteady: &Unsteady,
) -> Vec<Verdict> {
    let ran = Ran { case, gathered, expectations, unsteady };
    expectations.iter().filter_map(|expectation| judge(expectation, &[ran], &ran)).collect()
}

impl Figures<'_> {
    fn e(&self, subject: Subject, figure: Figure) -> Option<E> {
        let metric = Metric { name: String::new(), subject, figure, window: None, reading: Reading::Value };
        Some(Observed::of(&metric, self.case, self.gathered)?.estimate())
    }

    /// The figures of a distribution, given how each is called for its subject.
    fn latency(
        &self,
        subject: Subject,
        mean: Figure,
        quantile: fn(f64) -> Figure,
        seen: Option<&Histogram>,
    ) -> Latency {
        let Some(seen) = seen.filter(|seen| !seen.is_empty()) else { return Latency::default() };
        let q = |q: f64| self.e(subject, quantile(q));
        let thin = [("p99", 0.99), ("p99.9", 0.999)]
            .into_iter()
            .filter(|(_, q)| seen.samples_beyond(*q) < BEYOND)
            .map(|(name, _)| name.to_owned())
            .collect();
        Latency {
            mean: self.e(subject, mean),
            p50: q(0.5),
            p90: q(0.9),
            p95: q(0.95),
            p99: q(0.99),
            p999: q(0.999),
            max: max(seen),
            count: seen.count(),
            thin,
        }
    }

    fn traffics(&self) -> BTreeMap<String, TrafficResult> {
        let plans = self.blueprint.traffics.iter().enumerate();
        plans.map(|(t, plan)| (plan.name.clone(), self.traffic(TrafficId(t as u32)))).collect()
    }

    fn traffic(&self, id: TrafficId) -> TrafficResult {
        let subject = Subject::Traffic(id);
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.traffics.get(id.index()));
        let merged = self.gathered.merged.as_ref();
        let balance = merged.and_then(|merged| merged.balances.get(id.index())).cloned().unwrap_or_default();
        let closed = matches!(self.blueprint.traffics[id.index()].arrivals, Arrivals::Closed { .. });
        let intended = seen.filter(|seen| closed && !seen.intended.is_empty()).map(|seen| {
            self.latency(subject, Figure::IntendedMean, Figure::IntendedQuantile, Some(&seen.intended))
        });
        let breakdown = merged.and_then(|merged| merged.breakdowns.get(id.index()));
        TrafficResult {
            offered: self.e(subject, Figure::Offered),
            throughput: self.e(subject, Figure::Throughput),
            requests: balance.offered,
            outcomes: self.outcomes(&balance),
            ok: self.e(subject, Figure::Share(Outcome::OK)),
            errors: self.e(subject, Figure::Errors),
            shares: seen.map(|seen| self.shares(subject, &seen.outcomes)).unwrap_or_default(),
            attempts_per_request: self.e(subject, Figure::Attempts),
            in_flight: self.e(subject, Figure::InFlight),
            latency: self.latency(subject, Figure::Mean, Figure::Quantile, seen.map(|seen| &seen.latency)),
            intended,
            classes: self.groups(id, &self.blueprint.classes, Group::Class),
            tenants: self.groups(id, &self.blueprint.tenants, Group::Tenant),
            time_at: breakdown.map(|breakdown| self.time_at(breakdown)).unwrap_or_default(),
        }
    }

    /// Counts over the whole runs, of the outcomes that occurred.
    fn outcomes(&self, balance: &Balance) -> BTreeMap<String, u64> {
        let ended = self.blueprint.outcomes.iter().zip(&balance.outcomes);
        let mut outcomes: BTreeMap<String, u64> =
            ended.filter(|(_, n)| **n > 0).map(|(name, n)| (name.clone(), *n)).collect();
        outcomes.entry(Outcome::FIXED[0].to_owned()).or_insert(0);
        outcomes.insert("in_flight".to_owned(), balance.in_flight);
        outcomes
    }

    /// The shares of the outcomes that occurred, given how often each did.
    fn shares(&self, subject: Subject, outcomes: &[u64]) -> BTreeMap<String, E> {
        let occurred = outcomes.iter().enumerate().filter(|(_, n)| **n > 0);
        occurred
            .filter_map(|(o, _)| {
                let share = self.e(subject, Figure::Share(Outcome(o as u16)))?;
                Some((self.blueprint.outcomes.get(o)?.clone(), share))
            })
            .collect()
    }

    /// Those of the classes or tenants of a traffic of whom a request has ended.
    fn groups(&self, id: TrafficId, names: &[String], of: fn(u16) -> Group) -> BTreeMap<String, GroupResult> {
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.traffics.get(id.index()));
        let numbered = (0..).map(of).zip(names);
        let result = |(group, name): (Group, &String)| {
            let seen = evaluate::group(seen?, group)?;
            let subject = Subject::Group(id, group);
            let latency = self.latency(subject, Figure::Mean, Figure::Quantile, Some(&seen.latency));
            let shares = self.shares(subject, &seen.outcomes);
            (!shares.is_empty()).then(|| (name.clone(), GroupResult { latency, shares }))
        };
        numbered.filter_map(result).collect()
    }

    /// Mean time by place of the requests in the bucket that holds each percentile, the longest first.
    fn time_at(&self, breakdown: &Breakdown) -> BTreeMap<String, Vec<TimeAt>> {
        let requests: u64 = breakdown.rows.iter().map(|row| row.requests).sum();
        let mut result = BTreeMap::new();
        for (name, q) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
            let wanted = (q * requests as f64).ceil() as u64;
            let mut below = 0;
            let row = breakdown.rows.iter().find(|row| {
                below += row.requests;
                below >= wanted && row.requests > 0
            });
            let Some(row) = row else { continue };
            let mut places: Vec<TimeAt> = row
                .nanos
                .iter()
                .filter(|(_, nanos)| *nanos > 0)
                .map(|(place, nanos)| {
                    let (place, kind) = Places::of(self.blueprint).describe(self.blueprint, *place);
                    let seconds = *nanos as f64 / row.requests as f64 / 1e9;
                    TimeAt { place, kind: kind.name().to_owned(), seconds }
                })
                .collect();
            places.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then_with(|| a.place.cmp(&b.place)));
            result.insert(name.to_owned(), places);
        }
        result
    }

    fn services(&self) -> BTreeMap<String, ServiceResult> {
        let plans = self.blueprint.services.iter().enumerate();
        plans.map(|(s, plan)| (plan.name.clone(), self.service(ServiceId(s as u32)))).collect()
    }

    fn service(&self, id: ServiceId) -> ServiceResult {
        let plan = &self.blueprint.services[id.index()];
        let endpoints = self.blueprint.endpoints.iter().enumerate();
        let endpoints = endpoints
            .filter(|(_, endpoint)| endpoint.service == id)
            .map(|(e, endpoint)| {
                let name = local_name(&endpoint.name, &plan.name);
                (name, self.endpoint(EndpointId(e as u32)))
            })
            .collect();
        let pools = self.blueprint.pools.iter().enumerate();
        let mut resources: BTreeMap<String, ResourceResult> = pools
            .filter(|(_, pool)| owner(&pool.path) == Some(&plan.path))
            .map(|(p, pool)| (local_name(&pool.name, &plan.name), self.pool(PoolId(p as u32))))
            .collect();
        resources.extend(
            self.stocks()
                .filter(|(path, ..)| owner(path) == Some(&plan.path))
                .map(|(_, name, stock)| (local_name(name, &plan.name), self.stock(stock))),
        );
        if plan.cores.is_some() {
            resources.insert("cores".to_owned(), self.cores(id));
        }
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.services.get(id.index()));
        let several = seen.is_some_and(|seen| seen.received.len() > 1);
        let replicas = self.e(Subject::Service(id), Figure::Replicas);
        // A number that never changes says what it costs.
        let most = seen.map_or(0.0, |seen| seen.replicas.max as f64);
        let changes = replicas.is_some_and(|mean| (mean.value - most).abs() > 1e-9 * most);
        ServiceResult {
            replicas,
            in_flight: self.e(Subject::Service(id), Figure::InFlight),
            busiest: self.e(Subject::Service(id), Figure::Busiest).filter(|_| several),
            life: self.life(id),
            replica_hours: self.e(Subject::Service(id), Figure::ReplicaHours).filter(|_| {
                plan.life.price.is_some() || changes || seen.is_some_and(|seen| seen.life.is_some())
            }),
            cost: plan.life.price.as_ref().map(|price| CostResult {
                total: self.e(Subject::Service(id), Figure::Cost(price.per_hour)),
                currency: price.currency.clone(),
            }),
            endpoints,
            resources,
        }
    }

    /// The life of a service's replicas, where they may start, drain or crash.
    fn life(&self, id: ServiceId) -> Option<LifeResult> {
        let segment = self.gathered.measured.as_ref()?;
        let seen = segment.services.get(id.index())?.life.as_ref()?;
        let e = |figure| self.e(Subject::Service(id), figure);
        let most = seen.ready_ns.len().min(MOST_LISTED + 1) as u32;
        let partly = |k: &u32| seen.availability(*k as usize) < 1.0;
        Some(LifeResult {
            starting: e(Figure::InState(0)),
            warming: e(Figure::InState(1)),
            ready: e(Figure::InState(2)),
            draining: e(Figure::InState(3)),
            down: e(Figure::InState(4)),
            available: (1..most).filter(partly).map(|k| (k, e(Figure::Available(k)))).collect(),
            starts: e(Figure::Starts),
            crashes: e(Figure::Crashes),
            refused: e(Figure::Refused),
            cut_off: e(Figure::CutOff),
        })
    }

    fn routes(&self) -> BTreeMap<String, RouteResult> {
        let mut all = BTreeMap::new();
        for (r, plan) in self
            .blueprint
            .routes
            .iter()
            .enumerate()
            .filter(|(_, plan)| plan.health.is_some() || plan.connect.is_some())
        {
            let id = RouteId(r as u32);
            let subject = Subject::Route(id);
            let seen = self.gathered.measured.as_ref().and_then(|segment| segment.routes.get(r));
            let to = self.blueprint.services[plan.service.index()].name.clone();
            // A route may lead to several services.
            let name = if all.contains_key(&plan.name) {
                format!("{} to {to}", plan.name)
            } else {
                plan.name.clone()
            };
            let result = RouteResult {
                to,
                sent: self.e(subject, Figure::Offered),
                ejections: seen.map_or(0, |seen| seen.ejections),
                out: self.e(subject, Figure::Out),
                panic: self.e(subject, Figure::Panic),
                connects: self.e(subject, Figure::Connects),
                reused: self.e(subject, Figure::Reused),
            };
            all.insert(name, result);
        }
        all
    }

    fn queues(&self) -> BTreeMap<String, QueueResult> {
        let plans = self.blueprint.queues.iter().enumerate();
        plans.map(|(q, plan)| (plan.name.clone(), self.queue(QueueId(q as u32)))).collect()
    }

    fn queue(&self, id: QueueId) -> QueueResult {
        let plan = &self.blueprint.queues[id.index()];
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.queues.get(id.index()));
        let counts = seen
            .map_or([0; 5], |seen| [seen.sent, seen.received, seen.rejected, seen.dropped, seen.withdrawn]);
        let names = ["sent", "received", "rejected", "dropped", "withdrawn"];
        let subject = Subject::Queue(id, 0);
        let groups = plan.groups.iter().enumerate().map(|(g, group)| {
            let name = if group.name.is_empty() { "nobody" } else { &group.name };
            (name.to_owned(), self.consumers(id, g as u32))
        });
        QueueResult {
            sent: self.e(subject, Figure::Sent),
            senders: self.e(subject, Figure::QueueLength),
            messages: names.into_iter().map(str::to_owned).zip(counts).collect(),
            consumers: groups.collect(),
        }
    }

    fn consumers(&self, id: QueueId, number: u32) -> ConsumersResult {
        let subject = Subject::Queue(id, number);
        let queue = self.gathered.measured.as_ref().and_then(|segment| segment.queues.get(id.index()));
        let seen = queue.and_then(|seen| seen.groups.get(number as usize));
        let e = |figure: Figure| self.e(subject, figure);
        let counts = seen.map_or([0; 3], |seen| [seen.done, seen.dead, seen.lost]);
        let replications = seen.map_or(1, |seen| seen.replications.max(1)) as f64;
        let latency = |mean, quantile, of| self.latency(subject, mean, quantile, of);
        ConsumersResult {
            outcomes: ["done", "dead", "lost"].into_iter().map(str::to_owned).zip(counts).collect(),
            throughput: e(Figure::Throughput),
            lag: e(Figure::Lag),
            lag_end: e(Figure::LagEnd),
            lag_max: seen.map(|seen| seen.lag.max),
            age: e(Figure::Age),
            age_end: e(Figure::AgeEnd),
            wait: latency(Figure::WaitMean, Figure::WaitQuantile, seen.map(|seen| &seen.wait)),
            latency: latency(Figure::Mean, Figure::Quantile, seen.map(|seen| &seen.latency)),
            runs_per_message: e(Figure::RunsPerMessage),
            duplicates: e(Figure::Duplicates),
            disordered: e(Figure::Disordered),
            dead: e(Figure::Dead),
            lost: e(Figure::Lost),
            rebalances: e(Figure::Rebalances),
            expulsions: e(Figure::Expulsions),
            stopped: e(Figure::Stopped),
            members: e(Figure::Members),
            busy: e(Figure::Busy),
            partitions: seen.map_or_else(Vec::new, |seen| {
                seen.partitions.iter().map(|lag| *lag as f64 / replications).collect()
            }),
        }
    }

    fn autoscalers(&self) -> BTreeMap<String, AutoscalerResult> {
        let plans = self.blueprint.autoscalers.iter().enumerate();
        plans.map(|(a, plan)| (plan.name.clone(), self.autoscaler(AutoscalerId(a as u32)))).collect()
    }

    fn autoscaler(&self, id: AutoscalerId) -> AutoscalerResult {
        let e = |figure: Figure| self.e(Subject::Autoscaler(id), figure);
        let plan = &self.blueprint.autoscalers[id.index()];
        let has_nodes = plan.placement.nodes.is_some();
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.autoscalers.get(id.index()));
        AutoscalerResult {
            service: self.blueprint.services[plan.service.index()].name.clone(),
            replicas: e(Figure::Replicas),
            replicas_max: e(Figure::ReplicasMax),
            ups: e(Figure::Ups),
            downs: e(Figure::Downs),
            changes_per_hour: e(Figure::ChangesPerHour),
            flaps: e(Figure::Flaps),
            nodes: e(Figure::Nodes).filter(|_| has_nodes),
            node_hours: e(Figure::NodeHours).filter(|_| has_nodes),
            cost: plan.price_of_node().map(|price| CostResult {
                total: e(Figure::Cost(price.per_hour)),
                currency: price.currency.clone(),
            }),
            reasons: seen.map(|seen| seen.reasons.clone()).unwrap_or_default(),
        }
    }

    fn jobs(&self) -> BTreeMap<String, JobResult> {
        let plans = self.blueprint.jobs.iter().enumerate();
        plans.map(|(j, plan)| (plan.name.clone(), self.job(JobId(j as u32)))).collect()
    }

    fn job(&self, id: JobId) -> JobResult {
        let subject = Subject::Job(id);
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.jobs.get(id.index()));
        JobResult {
            throughput: self.e(subject, Figure::Throughput),
            failures: self.e(subject, Figure::Failures),
            in_flight: self.e(subject, Figure::InFlight),
            latency: self.latency(subject, Figure::Mean, Figure::Quantile, seen.map(|seen| &seen.time)),
        }
    }

    fn endpoint(&self, id: EndpointId) -> EndpointResult {
        let subject = Subject::Endpoint(id);
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.endpoints.get(id.index()));
        EndpointResult {
            throughput: self.e(subject, Figure::Throughput),
            failures: self.e(subject, Figure::Failures),
            latency: self.latency(subject, Figure::Mean, Figure::Quantile, seen.map(|seen| &seen.latency)),
        }
    }

    /// Pools that no service owns by name.
    fn resources(&self) -> BTreeMap<String, ResourceResult> {
        let owned = |path: &str| {
            self.blueprint.services.iter().any(|service| owner(path) == Some(service.path.as_str()))
        };
        let pools = self.blueprint.pools.iter().enumerate().filter(|(_, pool)| !owned(&pool.path));
        let pools = pools.map(|(p, pool)| (pool.name.clone(), self.pool(PoolId(p as u32))));
        let stocks = self.stocks().filter(|(path, ..)| !owned(path));
        pools.chain(stocks.map(|(_, name, stock)| (name.to_owned(), self.stock(stock)))).collect()
    }

    /// Rates and volumes with their paths and names.
    fn stocks(&self) -> impl Iterator<Item = (&str, &str, Stock)> {
        let rates = self.blueprint.rates.iter().enumerate();
        let rates =
            rates.map(|(r, row)| (row.path.as_str(), row.name.as_str(), Stock::Rate(RateId(r as u32))));
        let volumes = self.blueprint.volumes.iter().enumerate();
        rates.chain(
            volumes.map(|(v, row)| (row.path.as_str(), row.name.as_str(), Stock::Volume(VolumeId(v as u32)))),
        )
    }

    fn stock(&self, stock: Stock) -> ResourceResult {
        match stock {
            Stock::Rate(id) => self.rate(id),
            Stock::Volume(id) => self.volume(id),
        }
    }

    fn rate(&self, id: RateId) -> ResourceResult {
        let subject = Subject::Rate(id);
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.rates.get(id.index()));
        ResourceResult {
            utilization: self.e(subject, Figure::Utilization),
            queue_max: seen.map(|seen| seen.waiting.max),
            wait: self.latency(subject, Figure::WaitMean, Figure::WaitQuantile, seen.map(|seen| &seen.wait)),
            acquired: seen.map_or(0, |seen| seen.acquired),
            rejected: seen.map_or(0, |seen| seen.rejected),
            timed_out: seen.map_or(0, |seen| seen.timed_out),
            limiter: Some(LimiterResult {
                limit: self.blueprint.rates[id.index()].per_second,
                taken: self.e(subject, Figure::Taken),
                free: self.e(subject, Figure::Free),
            }),
            ..self.not_held("rate", subject)
        }
    }

    fn volume(&self, id: VolumeId) -> ResourceResult {
        let subject = Subject::Volume(id);
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.volumes.get(id.index()));
        ResourceResult {
            capacity: Some(exactly(self.blueprint.volumes[id.index()].volume)),
            queue_max: seen.map(|seen| seen.waiting.max),
            wait: self.latency(subject, Figure::WaitMean, Figure::WaitQuantile, seen.map(|seen| &seen.wait)),
            acquired: seen.map_or(0, |seen| seen.acquired),
            rejected: seen.map_or(0, |seen| seen.rejected),
            timed_out: seen.map_or(0, |seen| seen.timed_out),
            volume: Some(VolumeResult {
                mean: self.e(subject, Figure::Level),
                min: self.e(subject, Figure::LevelMin),
                max: self.e(subject, Figure::LevelMax),
                end: self.e(subject, Figure::LevelEnd),
                taken: self.e(subject, Figure::Taken),
                given: self.e(subject, Figure::Given),
                oversold: self.e(subject, Figure::Oversold),
                refused: self.e(subject, Figure::Refused),
                empty_at: self.e(subject, Figure::Emptied),
            }),
            ..self.not_held("volume", subject)
        }
    }

    /// The figures that resources have in common which nobody holds.
    fn not_held(&self, kind: &str, subject: Subject) -> ResourceResult {
        ResourceResult {
            kind: kind.to_owned(),
            queue_length: self.e(subject, Figure::QueueLength),
            wait_probability: self.e(subject, Figure::WaitProbability),
            rate: self.e(subject, Figure::AcquireRate),
            ..ResourceResult::default()
        }
    }

    fn pool(&self, id: PoolId) -> ResourceResult {
        let subject = Subject::Pool(id);
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.pools.get(id.index()));
        // An activator has no slots of its own: it lets through as many as the replicas behind it can take.
        let is_activator = self.blueprint.autoscalers.iter().any(|row| row.activator == Some(id));
        let capacity = seen.filter(|seen| !is_activator && seen.capacity.span_ns > 0);
        let capacity = capacity.map(|seen| seen.capacity.mean());
        ResourceResult {
            kind: "slots".to_owned(),
            capacity: capacity.map(exactly),
            utilization: self.e(subject, Figure::Utilization),
            in_use: self.e(subject, Figure::InUse),
            queue_length: self.e(subject, Figure::QueueLength),
            queue_max: seen.map(|seen| seen.waiting.max),
            wait_probability: self.e(subject, Figure::WaitProbability),
            wait: self.latency(subject, Figure::WaitMean, Figure::WaitQuantile, seen.map(|seen| &seen.wait)),
            hold: self.latency(subject, Figure::HoldMean, Figure::HoldQuantile, seen.map(|seen| &seen.hold)),
            rate: self.e(subject, Figure::AcquireRate),
            acquired: seen.map_or(0, |seen| seen.acquired),
            rejected: seen.map_or(0, |seen| seen.rejected),
            timed_out: seen.map_or(0, |seen| seen.timed_out),
            connections: self.connections(id),
            dropped: seen.map_or(0, |seen| seen.dropped),
            abandoned: seen.map_or(0, |seen| seen.abandoned),
            limit: self.blueprint.pools[id.index()].adapt.and_then(|_| self.e(subject, Figure::Limit)),
            batch_size: self.e(subject, Figure::BatchSize),
            ..ResourceResult::default()
        }
    }

    fn connections(&self, id: PoolId) -> Option<ConnectionResult> {
        self.blueprint.pools[id.index()].connections.as_ref()?;
        let subject = Subject::Pool(id);
        Some(ConnectionResult {
            open: self.e(subject, Figure::Connections),
            opened: self.e(subject, Figure::Opened),
            refused: self.e(subject, Figure::OpenRefused),
        })
    }

    fn cores(&self, id: ServiceId) -> ResourceResult {
        let subject = Subject::Cores(id);
        let seen =
            self.gathered.measured.as_ref().and_then(|segment| segment.cores.get(id.index())?.as_ref());
        let span = seen.map_or(0, |seen| seen.present.span_ns);
        let has_quota =
            self.blueprint.services[id.index()].cores.is_some_and(|cores| cores.throttle.is_some());
        let capacity = seen.filter(|_| span > 0).map(|seen| seen.capacity / span as f64);
        ResourceResult {
            kind: "cores".to_owned(),
            capacity: capacity.map(exactly),
            utilization: self.e(subject, Figure::Utilization),
            in_use: self.e(subject, Figure::InUse),
            queue_length: self.e(subject, Figure::QueueLength),
            wait_probability: self.e(subject, Figure::WaitProbability),
            wait: self.latency(subject, Figure::WaitMean, Figure::WaitQuantile, seen.map(|seen| &seen.wait)),
            hold: self.latency(
                subject,
                Figure::HoldMean,
                Figure::HoldQuantile,
                seen.map(|seen| &seen.response),
            ),
            rate: self.e(subject, Figure::AcquireRate),
            acquired: seen.map_or(0, |seen| seen.response.count()),
            throttled: self.e(subject, Figure::Throttled).filter(|_| has_quota),
            throttled_periods: self.e(subject, Figure::ThrottledPeriods).filter(|_| has_quota),
            paused: self.e(subject, Figure::Paused).filter(|_| seen.is_some_and(|seen| seen.paused > 0.0)),
            ..ResourceResult::default()
        }
    }

    fn caches(&self) -> BTreeMap<String, CacheResult> {
        let caches = self.blueprint.caches.iter().enumerate();
        caches.map(|(c, plan)| (plan.name.clone(), self.cache(CacheId(c as u32), plan))).collect()
    }

    fn cache(&self, id: CacheId, plan: &CachePlan) -> CacheResult {
        let subject = Subject::Cache(id);
        let seen = self.gathered.measured.as_ref().and_then(|segment| segment.caches.get(id.index()));
        let e = |figure: Figure| self.e(subject, figure);
        let when = |has: bool, figure: Figure| e(figure).filter(|_| has);
        let is_copy = plan.copy.is_some();
        let waits = plan.coalesce != Coalesce::None;
        let is_written = self.blueprint.puts.iter().any(|put| put.cache == id);
        let stores = super::analysis::stores(self.blueprint, plan) as u64;
        CacheResult {
            hit_ratio: when(!is_copy, Figure::HitRatio),
            gets: e(Figure::Gets),
            misses: when(!is_copy, Figure::Misses),
            stale_hits: when(plan.stale_while.is_some(), Figure::StaleHits),
            negative_hits: when(plan.negative.is_some(), Figure::NegativeHits),
            early: when(plan.early.is_some(), Figure::Early),
            fetches: when(!is_copy, Figure::Fetches),
            fetching: when(!is_copy, Figure::Fetching),
            fetch: self.latency(
                subject,
                Figure::FetchMean,
                Figure::FetchQuantile,
                seen.map(|seen| &seen.fetch),
            ),
            refreshes: when(plan.stale_while.is_some(), Figure::Refreshes),
            fetch_failures: when(!is_copy, Figure::FetchFailures),
            herd_max: when(!is_copy, Figure::HerdMax),
            herd_mean: when(!is_copy, Figure::HerdMean),
            coalesced: when(waits, Figure::Coalesced),
            coalesced_failures: when(waits, Figure::CoalescedFailures),
            queue_length: when(waits, Figure::QueueLength),
            wait: self.latency(subject, Figure::WaitMean, Figure::WaitQuantile, seen.map(|seen| &seen.wait)),
            entries: when(!is_copy, Figure::Entries),
            room: (plan.size < u32::MAX).then(|| u64::from(plan.size) * stores),
            evictions: when(!is_copy, Figure::Evictions),
            no_room: when(plan.evict == EvictRule::None, Figure::NoRoom),
            puts: when(is_written, Figure::Puts),
            stale_reads: when(is_copy, Figure::StaleReads),
            pinned_reads: when(is_copy, Figure::PinnedReads),
        }
    }

    fn policies(&self) -> BTreeMap<String, PolicyResult> {
        let uses = &self.blueprint.uses;
        let mut policies = BTreeMap::new();
        for (i, plan) in self.blueprint.policies.iter().enumerate() {
            let of_policy = |usage: &UsePlan| usage.policy.index() == i;
            let Some(from) = uses.iter().position(of_policy) else { continue };
            let to = from + uses.iter().filter(|usage| of_policy(usage)).count();
            let mut result = self.policy(plan, from, to);
            if to - from > 1 {
                let callers =
                    (from..to).map(|at| (self.caller(uses[at].caller), self.policy(plan, at, at + 1)));
                result.callers = callers.collect();
            }
            policies.insert(plan.name.clone(), result);
        }
        policies
    }

    /// The name of a caller; that of a traffic has its section where a service is called the same.
    fn caller(&self, caller: Caller) -> String {
        match caller {
            Caller::Service(id) => self.blueprint.services[id.index()].name.clone(),
            Caller::Traffic(id) => {
                let plan = &self.blueprint.traffics[id.index()];
                let taken = self.blueprint.services.iter().any(|service| service.name == plan.name);
                if taken { plan.path.clone() } else { plan.name.clone() }
            }
        }
    }

    /// The figures of a policy's uses from number `from` to before `to`.
    fn policy(&self, plan: &PolicyPlan, from: usize, to: usize) -> PolicyResult {
        let e = |figure: Figure| self.e(Subject::Policy(from as u32, to as u32), figure);
        let falls_back = self.blueprint.uses[from..to].iter().any(|usage| usage.fallback.is_some());
        let passes = self.blueprint.policies.iter().any(|policy| policy.deadline);
        let limited = plan.retry.as_ref().is_some_and(|r| r.budget.is_some() || r.parallel.is_some());
        let when = |has: bool, figure: Figure| e(figure).filter(|_| has);
        PolicyResult {
            calls: e(Figure::Calls),
            attempts_per_call: e(Figure::Attempts),
            timeouts: when(plan.timeout.is_some() || plan.total.is_some() || passes, Figure::TimedOut),
            expired: when(passes, Figure::Expired),
            retries: when(plan.retry.is_some(), Figure::Retries),
            retries_refused: when(limited, Figure::Unaffordable),
            hedges: when(plan.hedge.is_some(), Figure::Hedges),
            hedges_won: when(plan.hedge.is_some(), Figure::HedgesWon),
            breaker: plan.breaker.map(|_| BreakerResult {
                trips: e(Figure::Trips),
                closed: e(Figure::Closed),
                open: e(Figure::Open),
                half_open: e(Figure::HalfOpen),
                rejected: e(Figure::Broken),
            }),
            limit_rejected: when(plan.limit.is_some(), Figure::Limited),
            fallbacks: when(falls_back, Figure::Fallbacks),
            callers: BTreeMap::new(),
        }
    }

    /// The predicted bottleneck with its measured utilization.
    fn bottleneck(&self, analysis: &Analysis) -> Option<Bottleneck> {
        let analysis = analysis.clone().with_replicas(self.blueprint, |service| self.scaled_to(service));
        let mut bottleneck = analysis.bottleneck(self.blueprint)?;
        let place = analysis.stations[analysis.busiest()?].place;
        let subject = match place {
            Place::Pool(pool) => Subject::Pool(pool),
            Place::Cores(service) => Subject::Cores(service),
        };
        if let Some(replicas) = place.service(self.blueprint).and_then(|service| self.scaled_to(service)) {
            let _ =
                write!(bottleneck.text, ", with {} replicas ready on average", analysis::figure(replicas));
        }
        Some(Bottleneck { utilization: self.e(subject, Figure::Utilization), ..bottleneck })
    }

    /// Replicas of a service that were ready on average, where an autoscaler decides how many there are.
    fn scaled_to(&self, service: ServiceId) -> Option<f64> {
        self.blueprint.autoscalers.iter().find(|row| row.service == service)?;
        let ready = self.e(Subject::Service(service), Figure::InState(2))?.value;
        (ready > 0.0).then_some(ready)
    }

    /// Points of each traffic's latency distribution: evenly in the number of nines, as far as there are
    /// samples beyond.
    fn distributions(&self) -> BTreeMap<String, Vec<QuantilePoint>> {
        let Some(segment) = &self.gathered.measured else { return BTreeMap::new() };
        let seen = self.blueprint.traffics.iter().zip(&segment.traffics);
        seen.map(|(plan, seen)| (plan.name.clone(), quantile_points(&seen.latency))).collect()
    }
}

fn quantile_points(latency: &Histogram) -> Vec<QuantilePoint> {
    let nines = (0..=120).map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 20.0));
    let points = nines.take_while(|q| latency.samples_beyond(*q) >= BEYOND);
    points
        .filter_map(|q| latency.quantile(q).map(|nanos| QuantilePoint { q, seconds: nanos / 1e9 }))
        .collect()
}

/// An estimate without doubt.
fn exactly(value: f64) -> E {
    E { value, lo: Some(value), hi: Some(value) }
}

/// `checkout` of `web.checkout`.
fn local_name(name: &str, service: &str) -> String {
    name.strip_prefix(service).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name).to_owned()
}

/// `services.web` of `services.web.workers` and `services.web.resources.threads`.
fn owner(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("services.")?;
    let name = rest.split('.').next()?;
    path.get(.."services.".len() + name.len())
}

/// What services and the nodes of autoscalers cost; where they have no price, the hours of nodes and of the replicas of
/// services that are `scaled`, by their paths.
pub(crate) fn costs(blueprint: &Blueprint, scaled: &BTreeSet<&str>) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (s, plan) in blueprint.services.iter().enumerate() {
        let id = ServiceId(s as u32);
        let mut add = |name: &str, figure| {
            let name = plan.path.trim_start_matches("services.").to_owned() + name;
            metrics.push(of(name, Subject::Service(id), figure));
        };
        match &plan.life.price {
            Some(price) => add(".cost", Figure::Cost(price.per_hour)),
            None if scaled.contains(plan.path.as_str()) => add(".replica_hours", Figure::ReplicaHours),
            None => {}
        }
    }
    for (a, plan) in blueprint.autoscalers.iter().enumerate() {
        let mut add = |name: &str, figure| {
            metrics.push(of(
                format!("{}.{name}", plan.path),
                Subject::Autoscaler(AutoscalerId(a as u32)),
                figure,
            ));
        };
        match plan.price_of_node() {
            Some(price) => add("cost", Figure::Cost(price.per_hour)),
            None if plan.placement.nodes.is_some() => add("node_hours", Figure::NodeHours),
            None => {}
        }
    }
    metrics
}

/// Metrics of a traffic that comparisons and precision look at.
pub(crate) fn headline(blueprint: &Blueprint) -> Vec<Metric> {
    let figures = [
        ("mean", Figure::Mean),
        ("p50", Figure::Quantile(0.5)),
        ("p99", Figure::Quantile(0.99)),
        ("p99.9", Figure::Quantile(0.999)),
        ("throughput", Figure::Throughput),
        ("errors", Figure::Errors),
        ("attempts_per_request", Figure::Attempts),
    ];
    let traffics = blueprint.traffics.iter().enumerate();
    traffics
        .flat_map(|(t, plan)| {
            figures.map(|(name, figure)| {
                of(format!("{}.{name}", plan.name), Subject::Traffic(TrafficId(t as u32)), figure)
            })
        })
        .collect()
}

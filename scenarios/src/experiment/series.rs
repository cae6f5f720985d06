//! Metrics over time.

use std::collections::BTreeMap;

use models::blueprint::{AutoscalerId, Blueprint, CacheId, Outcome, PoolId, QueueId, ServiceId, TrafficId};
use models::observe::LifeObservation;
use sim_core::SimTime;

use super::estimate::of;
use super::evaluate::figure;
use super::gather::{Case, Gathered};
use super::joined;
use crate::metric::{Figure, Metric, Subject};
use crate::results::{EventMark, Series};

/// The edges of `bins` equal bins over the whole run, without its ends.
pub(crate) fn edges(blueprint: &Blueprint, bins: u32) -> Vec<SimTime> {
    (1..bins).map(|bin| edge(blueprint, bin, bins)).collect()
}

fn edge(blueprint: &Blueprint, bin: u32, bins: u32) -> SimTime {
    let nanos = u128::from(blueprint.duration.as_nanos()) * u128::from(bin) / u128::from(bins.max(1));
    SimTime::from_nanos(nanos as u64)
}

/// The metrics over `bins` equal bins of the whole run, from the merged replications.
pub(crate) fn series(case: &Case, gathered: &Gathered, bins: u32) -> Option<Series> {
    if gathered.samples.iter().any(|sample| !sample.complete) {
        return None; // Replications cut short do not share their bins.
    }
    let merged = gathered.merged.as_ref()?;
    let blueprint = &case.blueprint;
    let metrics = metrics(blueprint);
    let mut values: Vec<Vec<Option<f64>>> = vec![Vec::with_capacity(bins as usize); metrics.len()];
    for bin in 0..bins {
        let segment = joined::window(merged, edge(blueprint, bin, bins), edge(blueprint, bin + 1, bins));
        for (values, metric) in values.iter_mut().zip(&metrics) {
            values.push(segment.as_ref().and_then(|segment| figure(metric, segment)));
        }
    }
    let metrics: BTreeMap<String, Vec<Option<f64>>> =
        metrics.into_iter().map(|metric| metric.name).zip(values).collect();
    let once = blueprint.changes.iter().filter(|change| change.recurs.is_none());
    let events = once.map(|change| EventMark {
        from: change.at.as_seconds(),
        to: change.until.map(SimTime::as_seconds),
        label: change.label.clone(),
    });
    let bin = blueprint.duration.as_seconds() / f64::from(bins);
    Some(Series { bin, metrics, events: events.collect() })
}

/// What a series shows, by path.
fn metrics(blueprint: &Blueprint) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (t, plan) in blueprint.traffics.iter().enumerate() {
        let mut add = |name: &str, figure| {
            let subject = Subject::Traffic(TrafficId(t as u32));
            metrics.push(of(format!("{}.{name}", plan.path), subject, figure));
        };
        add("offered", Figure::Offered);
        add("throughput", Figure::Throughput);
        add("ok", Figure::Share(Outcome::OK));
        add("errors", Figure::Errors);
        add("attempts_per_request", Figure::Attempts);
        add("in_flight", Figure::InFlight);
        add("latency.mean", Figure::Mean);
        add("latency.p50", Figure::Quantile(0.5));
        add("latency.p99", Figure::Quantile(0.99));
        add("latency.p99.9", Figure::Quantile(0.999));
    }
    for (s, plan) in blueprint.services.iter().enumerate() {
        let id = ServiceId(s as u32);
        metrics.push(of(format!("{}.replicas", plan.path), Subject::Service(id), Figure::Replicas));
        if blueprint.is_mortal(id) {
            for (state, name) in (0_u8..).zip(LifeObservation::STATES) {
                let figure = Figure::InState(state);
                metrics.push(of(format!("{}.{name}", plan.path), Subject::Service(id), figure));
            }
        }
        metrics.push(of(format!("{}.in_flight", plan.path), Subject::Service(id), Figure::InFlight));
        if plan.cores.is_some() {
            let path = format!("{}.resources.cores", plan.path);
            metrics.push(of(format!("{path}.utilization"), Subject::Cores(id), Figure::Utilization));
            metrics.push(of(format!("{path}.queue_length"), Subject::Cores(id), Figure::QueueLength));
        }
    }
    for (c, plan) in blueprint.caches.iter().enumerate() {
        let subject = Subject::Cache(CacheId(c as u32));
        let path = &plan.path;
        if plan.copy.is_some() {
            metrics.push(of(format!("{path}.stale_reads"), subject, Figure::StaleReads));
        } else {
            metrics.push(of(format!("{path}.hit_ratio"), subject, Figure::HitRatio));
        }
        metrics.push(of(format!("{path}.gets"), subject, Figure::Gets));
        metrics.push(of(format!("{path}.fetches"), subject, Figure::Fetches));
        metrics.push(of(format!("{path}.fetching"), subject, Figure::Fetching));
        metrics.push(of(format!("{path}.entries"), subject, Figure::Entries));
    }
    for (p, plan) in blueprint.pools.iter().enumerate() {
        let subject = Subject::Pool(PoolId(p as u32));
        let path = pool_path(&plan.path);
        metrics.push(of(format!("{path}.utilization"), subject, Figure::Utilization));
        metrics.push(of(format!("{path}.queue_length"), subject, Figure::QueueLength));
        metrics.push(of(format!("{path}.wait.mean"), subject, Figure::WaitMean));
        if plan.adapt.is_some() {
            metrics.push(of(format!("{path}.limit"), subject, Figure::Limit));
        }
    }
    for (a, plan) in blueprint.autoscalers.iter().enumerate() {
        let subject = Subject::Autoscaler(AutoscalerId(a as u32));
        metrics.push(of(format!("{}.replicas", plan.path), subject, Figure::Replicas));
        if plan.placement.nodes.is_some() {
            metrics.push(of(format!("{}.nodes", plan.path), subject, Figure::Nodes));
        }
    }
    for (q, plan) in blueprint.queues.iter().enumerate() {
        for (g, group) in plan.groups.iter().enumerate() {
            let subject = Subject::Queue(QueueId(q as u32), g as u32);
            let path = match plan.groups.len() {
                1 => plan.path.clone(),
                _ => format!("{}.consumers.{}", plan.path, group.name),
            };
            let mut add = |name: &str, figure| metrics.push(of(format!("{path}.{name}"), subject, figure));
            add("lag", Figure::Lag);
            add("age", Figure::Age);
            add("throughput", Figure::Throughput);
            add("sent", Figure::Sent);
            if plan.partitions.is_some() && group.job.is_some() {
                add("stopped", Figure::Stopped);
            }
        }
    }
    metrics
}

/// `services.web.resources.workers` of `services.web.workers`, as results place it.
fn pool_path(path: &str) -> String {
    match path.split('.').collect::<Vec<_>>().as_slice() {
        ["services", service, resource] => format!("services.{service}.resources.{resource}"),
        _ => path.to_owned(),
    }
}

//! The value of a metric in what was observed.

use models::blueprint::{Blueprint, Outcome};
use models::observe::{
    AutoscalerObservation, CacheObservation, ConsumersObservation, CoresObservation, EndpointObservation,
    GroupObservation, JobObservation, Observations, PolicyObservation, PoolObservation, QueueObservation,
    RateObservation, RouteObservation, Segment, ServiceObservation, StateTimes, TrafficObservation,
    VolumeObservation,
};
use sim_core::{Histogram, PopulationWindow, SimTime};

use super::{course, joined};
use crate::metric::{Figure, Group, Metric, Reading, Subject};

/// The value of `metric` in one replication or in merged replications, in base units.
///
/// Over the metric's window or, without one, from the warm-up's end. None where there is nothing to say: no
/// request ended there, or the figure makes no sense for the subject.
pub fn evaluate(metric: &Metric, observations: &Observations, blueprint: &Blueprint) -> Option<f64> {
    if let Reading::Recovery(_) = metric.reading {
        return course::recovered(metric, &course::held(metric, observations, blueprint), blueprint);
    }
    let (from, to) = span(metric, blueprint);
    figure(metric, &joined::window(observations, from, to)?)
}

/// The window of `metric`, or the measured part of the run.
pub(crate) fn span(metric: &Metric, blueprint: &Blueprint) -> (SimTime, SimTime) {
    metric.window.unwrap_or_else(|| measured(blueprint))
}

/// The measured part of the run: from the warm-up's end to the end.
pub(crate) fn measured(blueprint: &Blueprint) -> (SimTime, SimTime) {
    (SimTime::ZERO + blueprint.warmup, SimTime::ZERO + blueprint.duration)
}

/// The value of `metric` in `segment`, whatever the metric's window.
pub(crate) fn figure(metric: &Metric, segment: &Segment) -> Option<f64> {
    if metric.reading == Reading::Slope {
        return slope(metric.figure, metric.subject, segment);
    }
    let seconds = joined::seconds(segment);
    let replications = seconds / segment.to.since(segment.from).as_seconds();
    let value = match metric.subject {
        Subject::Traffic(id) => traffic(metric.figure, segment.traffics.get(id.index())?, seconds),
        Subject::Group(id, group) => {
            let seen = self::group(segment.traffics.get(id.index())?, group)?;
            ended(metric.figure, &seen.outcomes, seconds).or_else(|| latency_of(metric.figure, &seen.latency))
        }
        Subject::Endpoint(id) => endpoint(metric.figure, segment.endpoints.get(id.index())?, seconds),
        Subject::Job(id) => job(metric.figure, segment.jobs.get(id.index())?, seconds),
        Subject::Queue(id, group) => {
            queue_of(metric.figure, segment.queues.get(id.index())?, group as usize, seconds)
        }
        Subject::Service(id) => service(metric.figure, segment.services.get(id.index())?, replications),
        Subject::Autoscaler(id) => {
            autoscaler(metric.figure, segment.autoscalers.get(id.index())?, seconds, replications)
        }
        Subject::Route(id) => route(metric.figure, segment.routes.get(id.index())?, seconds),
        Subject::Pool(id) => pool(metric.figure, segment.pools.get(id.index())?, seconds),
        Subject::Rate(id) => limiter(metric.figure, segment.rates.get(id.index())?, seconds),
        Subject::Volume(id) => volume(metric.figure, segment.volumes.get(id.index())?, seconds),
        Subject::Cache(id) => cache(metric.figure, segment.caches.get(id.index())?, seconds),
        Subject::Cores(id) => cores(metric.figure, segment.cores.get(id.index())?.as_ref()?, seconds),
        Subject::Policy(from, to) => {
            let mut sum = PolicyObservation::default();
            segment
                .policies
                .get(from as usize..to as usize)?
                .iter()
                .for_each(|more| joined::policy(&mut sum, more));
            policy(metric.figure, &sum, seconds, replications)
        }
    };
    value.filter(|value| value.is_finite())
}

/// How fast a level rises over a segment, per second; of merged replications, on average.
fn slope(level: Figure, subject: Subject, segment: &Segment) -> Option<f64> {
    let seen = |present: &PopulationWindow| (present.n_end as f64 - present.n_start as f64, present.span_ns);
    let both = |(a, span): (f64, u128), (b, _): (f64, u128)| (a + b, span);
    let (rise, span_ns) = match (subject, level) {
        (Subject::Traffic(id), Figure::InFlight) => seen(&segment.traffics.get(id.index())?.present),
        (Subject::Queue(id, group), Figure::Lag) => {
            seen(&segment.queues.get(id.index())?.groups.get(group as usize)?.lag)
        }
        (Subject::Queue(id, _), Figure::QueueLength) => seen(&segment.queues.get(id.index())?.senders),
        (Subject::Job(id), Figure::InFlight) => seen(&segment.jobs.get(id.index())?.present),
        (Subject::Service(id), Figure::InFlight) => seen(&segment.services.get(id.index())?.present),
        (Subject::Service(id), Figure::Replicas) => seen(&segment.services.get(id.index())?.replicas),
        (Subject::Cores(id), Figure::InFlight) => seen(&segment.cores.get(id.index())?.as_ref()?.present),
        (Subject::Pool(id), level) => {
            let pool = segment.pools.get(id.index())?;
            match level {
                Figure::QueueLength => seen(&pool.waiting),
                Figure::InUse => seen(&pool.in_use),
                Figure::InFlight => both(seen(&pool.waiting), seen(&pool.in_use)),
                _ => return None,
            }
        }
        _ => return None,
    };
    ratio(rise, span_ns as f64 / 1e9)
}

/// Whether somebody is there during the segment who has not ended yet.
pub(crate) fn waits(subject: Subject, segment: &Segment) -> bool {
    let someone = |present: &PopulationWindow| present.integral > 0;
    match subject {
        Subject::Traffic(id) | Subject::Group(id, _) => {
            segment.traffics.get(id.index()).is_some_and(|seen| someone(&seen.present))
        }
        Subject::Service(id) => segment.services.get(id.index()).is_some_and(|seen| someone(&seen.present)),
        Subject::Job(id) => segment.jobs.get(id.index()).is_some_and(|seen| someone(&seen.present)),
        Subject::Queue(id, group) => {
            let seen = segment.queues.get(id.index()).and_then(|seen| seen.groups.get(group as usize));
            seen.is_some_and(|seen| someone(&seen.lag))
        }
        Subject::Pool(id) => segment.pools.get(id.index()).is_some_and(|seen| someone(&seen.waiting)),
        Subject::Cores(id) => {
            let seen = segment.cores.get(id.index()).and_then(Option::as_ref);
            seen.is_some_and(|seen| someone(&seen.present))
        }
        Subject::Rate(id) => segment.rates.get(id.index()).is_some_and(|seen| someone(&seen.waiting)),
        Subject::Volume(id) => segment.volumes.get(id.index()).is_some_and(|seen| someone(&seen.waiting)),
        Subject::Cache(id) => segment.caches.get(id.index()).is_some_and(|seen| someone(&seen.fetching)),
        // Whose requests these are is not counted apart: anybody's.
        Subject::Endpoint(_) | Subject::Policy(..) | Subject::Route(_) | Subject::Autoscaler(_) => {
            segment.traffics.iter().any(|seen| someone(&seen.present))
        }
    }
}

fn traffic(figure: Figure, seen: &TrafficObservation, seconds: f64) -> Option<f64> {
    match figure {
        Figure::Share(_) | Figure::Errors | Figure::Throughput | Figure::Failures => {
            ended(figure, &seen.outcomes, seconds)
        }
        Figure::Offered => rate(seen.offered, seconds),
        Figure::Attempts => share(seen.attempts, seen.outcomes.iter().sum()),
        Figure::InFlight => average(&seen.present),
        Figure::QueueMax => Some(seen.present.max as f64),
        Figure::IntendedMean => mean(&seen.intended),
        Figure::IntendedQuantile(q) => quantile(&seen.intended, q),
        latency => latency_of(latency, &seen.latency),
    }
}

/// What became of requests, given how many ended with each outcome; none for other figures.
fn ended(figure: Figure, outcomes: &[u64], seconds: f64) -> Option<f64> {
    let ended: u64 = outcomes.iter().sum();
    let of = |outcome: Outcome| outcomes.get(usize::from(outcome.0)).copied().unwrap_or(0);
    let answered: u64 = outcomes.iter().take(usize::from(Outcome::STALE.0) + 1).sum();
    match figure {
        Figure::Share(outcome) => share(of(outcome), ended),
        Figure::Errors => share(ended - of(Outcome::OK) - of(Outcome::DEGRADED), ended),
        Figure::Throughput => rate(answered, seconds),
        Figure::Failures => rate(ended - answered, seconds),
        _ => None,
    }
}

/// The requests of a class or a tenant.
pub(crate) fn group(traffic: &TrafficObservation, group: Group) -> Option<&GroupObservation> {
    match group {
        Group::Class(class) => traffic.classes.get(usize::from(class)),
        Group::Tenant(tenant) => traffic.tenants.get(usize::from(tenant)),
    }
}

fn endpoint(figure: Figure, seen: &EndpointObservation, seconds: f64) -> Option<f64> {
    let ended = seen.answered + seen.failed;
    match figure {
        Figure::Throughput => rate(seen.answered, seconds),
        Figure::Failures => rate(seen.failed, seconds),
        Figure::Offered => rate(ended, seconds),
        Figure::Errors => share(seen.failed, ended),
        Figure::Share(Outcome::OK) => share(seen.answered, ended),
        latency => latency_of(latency, &seen.latency),
    }
}

fn job(figure: Figure, seen: &JobObservation, seconds: f64) -> Option<f64> {
    match figure {
        Figure::Offered => rate(seen.present.enters, seconds),
        Figure::InFlight => average(&seen.present),
        other => ended(other, &seen.outcomes, seconds).or_else(|| latency_of(other, &seen.time)),
    }
}

fn queue_of(figure: Figure, queue: &QueueObservation, group: usize, seconds: f64) -> Option<f64> {
    let seen: &ConsumersObservation = queue.groups.get(group)?;
    let in_one = |count: u64| ratio(count as f64, seen.replications as f64);
    match figure {
        Figure::Sent => rate(queue.sent, seconds),
        Figure::Share(Outcome::REJECTED) => share(queue.rejected, queue.sent),
        Figure::QueueLength => average(&queue.senders),
        Figure::Lag => average(&seen.lag),
        Figure::LagEnd => in_one(seen.lag.n_end),
        Figure::LagMax => Some(seen.lag.max as f64),
        Figure::Age => Some(seen.oldest as f64 / 1e9),
        Figure::AgeEnd => in_one(seen.oldest_end).map(|nanos| nanos / 1e9),
        Figure::Offered => rate(seen.received, seconds),
        Figure::Throughput => rate(seen.done, seconds),
        Figure::Deliveries => rate(seen.deliveries, seconds),
        Figure::Failures => rate(seen.failures, seconds),
        Figure::RunsPerMessage => share(seen.deliveries, seen.done + seen.dead + seen.lost),
        Figure::Done => in_one(seen.done),
        Figure::Dead => in_one(seen.dead),
        Figure::Lost => share(seen.lost + queue.dropped, queue.sent),
        Figure::DeadShare => share(seen.dead, seen.done + seen.dead + seen.lost),
        Figure::Duplicates => in_one(seen.duplicates),
        Figure::DuplicateShare => share(seen.duplicates, seen.worked),
        Figure::Disordered => in_one(seen.disordered),
        Figure::DisorderedShare => share(seen.disordered, seen.worked - seen.duplicates),
        Figure::Rebalances => in_one(seen.rebalances),
        Figure::Expulsions => in_one(seen.expulsions),
        Figure::Stopped => ratio(seen.stopped_ns as f64 / seen.partitions.len() as f64, seconds * 1e9),
        Figure::Busy => ratio(seen.busy_ns as f64, seen.member_ns as f64),
        Figure::Members => ratio(seen.member_ns as f64, seconds * 1e9),
        Figure::LagOf(number) => in_one(*seen.partitions.get(number as usize)?),
        Figure::WaitMean => mean(&seen.wait),
        Figure::WaitQuantile(q) => quantile(&seen.wait, q),
        latency => latency_of(latency, &seen.latency),
    }
}

fn service(figure: Figure, seen: &ServiceObservation, replications: f64) -> Option<f64> {
    let all: u64 = seen.received.iter().sum();
    let most = seen.received.iter().copied().max().unwrap_or(0);
    match figure {
        Figure::Replicas => average(&seen.replicas),
        Figure::ReplicasMax => Some(seen.replicas.max as f64),
        Figure::InFlight => average(&seen.present),
        Figure::Offered => Some(seen.present.arrival_rate()),
        Figure::Mean => seen.present.mean_time(),
        Figure::QueueMax => Some(seen.present.max as f64),
        Figure::Busiest => share(most, all),
        Figure::Imbalance => share(most * seen.received.len() as u64, all),
        Figure::Replica(number) => share(seen.received.get(number as usize).copied().unwrap_or(0), all),
        Figure::ReplicasFrom(first) => share(seen.received.iter().skip(first as usize).sum(), all),
        Figure::ReplicaHours => in_hours(&seen.replicas, replications),
        Figure::Cost(price) => Some(price * in_hours(&seen.replicas, replications)?),
        _ => life(figure, seen, replications),
    }
}

/// How many there were for how many hours, in one replication.
fn in_hours(there: &PopulationWindow, replications: f64) -> Option<f64> {
    ratio(there.integral as f64 / HOUR, replications)
}

/// Nanoseconds of an hour.
const HOUR: f64 = 3_600e9;

/// The life of replicas. Where they neither start, drain nor crash, all are ready for as long as they are there.
fn life(figure: Figure, seen: &ServiceObservation, replications: f64) -> Option<f64> {
    let Some(life) = &seen.life else {
        let always = |holds: bool| if holds { 1.0 } else { 0.0 };
        return match figure {
            Figure::InState(2) => average(&seen.replicas),
            Figure::Available(k) => Some(always(average(&seen.replicas)? + 1e-9 >= f64::from(k))),
            Figure::InState(_) | Figure::Starts | Figure::Crashes | Figure::CutOff | Figure::Refused => {
                Some(0.0)
            }
            _ => None,
        };
    };
    let span: u128 = life.ready_ns.iter().sum();
    let in_state = |at: usize| life.state_ns.get(at).copied().unwrap_or(0);
    match figure {
        Figure::InState(2) => ratio((in_state(1) + in_state(2)) as f64, span as f64),
        Figure::InState(state) => ratio(in_state(usize::from(state)) as f64, span as f64),
        Figure::Available(k) => Some(life.availability(k as usize)),
        Figure::Starts => ratio(life.starts as f64, replications),
        Figure::Crashes => ratio(life.crashes as f64, replications),
        Figure::CutOff => ratio(life.lost as f64, replications),
        Figure::Refused => ratio(life.refused as f64, replications),
        _ => None,
    }
}

fn autoscaler(figure: Figure, seen: &AutoscalerObservation, seconds: f64, replications: f64) -> Option<f64> {
    let in_one = |count: u64| ratio(count as f64, replications);
    let per_hour = |count: u64| ratio(count as f64 * 3_600.0, seconds);
    match figure {
        Figure::Replicas => average(&seen.wanted),
        Figure::ReplicasMax => Some(seen.wanted.max as f64),
        Figure::Changes => in_one(seen.ups + seen.downs),
        Figure::ChangesPerHour => per_hour(seen.ups + seen.downs),
        Figure::Ups => in_one(seen.ups),
        Figure::Downs => in_one(seen.downs),
        Figure::Flaps => in_one(seen.flaps),
        Figure::FlapsPerHour => per_hour(seen.flaps),
        Figure::Nodes => average(&seen.nodes),
        Figure::NodesMax => Some(seen.nodes.max as f64),
        Figure::NodeHours => in_hours(&seen.nodes, replications),
        Figure::Cost(price) => Some(price * in_hours(&seen.nodes, replications)?),
        _ => None,
    }
}

fn route(figure: Figure, seen: &RouteObservation, seconds: f64) -> Option<f64> {
    match figure {
        Figure::Offered if seen.replica_ns > 0 => rate(seen.sent, seconds),
        Figure::Ejections if seen.replica_ns > 0 => rate(seen.ejections, seconds),
        Figure::Out => ratio(seen.out_ns as f64, seen.replica_ns as f64),
        Figure::Panic => share(seen.in_panic, seen.sent),
        Figure::Connects if seen.connects + seen.reused > 0 => rate(seen.connects, seconds),
        Figure::Reused => share(seen.reused, seen.connects + seen.reused),
        _ => None,
    }
}

fn pool(figure: Figure, seen: &PoolObservation, seconds: f64) -> Option<f64> {
    match figure {
        Figure::Utilization => ratio(seen.in_use.integral as f64, seen.capacity.integral as f64),
        Figure::InUse => average(&seen.in_use),
        Figure::QueueLength => average(&seen.waiting),
        Figure::QueueMax => Some(seen.waiting.max as f64),
        Figure::InFlight => Some(average(&seen.waiting)? + average(&seen.in_use)?),
        Figure::WaitMean => mean(&seen.wait),
        Figure::WaitQuantile(q) => quantile(&seen.wait, q),
        Figure::HoldMean => mean(&seen.hold),
        Figure::HoldQuantile(q) => quantile(&seen.hold, q),
        Figure::AcquireRate => rate(seen.acquired, seconds),
        Figure::WaitProbability => waited(&seen.wait),
        Figure::Share(Outcome::REJECTED) => share(seen.rejected, asked(seen)),
        Figure::Share(Outcome::TIMED_OUT) => share(seen.timed_out, asked(seen)),
        Figure::Connections => average(&seen.connections.as_ref()?.open),
        Figure::Opened => rate(seen.connections.as_ref()?.opened, seconds),
        Figure::OpenRefused => rate(seen.connections.as_ref()?.refused, seconds),
        Figure::Dropped => share(seen.dropped, asked(seen)),
        Figure::Abandoned => share(seen.abandoned, asked(seen)),
        Figure::Limit => ratio(seen.capacity.integral as f64, seen.instance_ns as f64),
        Figure::BatchSize => share(seen.acquired, seen.batches),
        _ => None,
    }
}

fn limiter(figure: Figure, seen: &RateObservation, seconds: f64) -> Option<f64> {
    match figure {
        Figure::Utilization => ratio(seen.units, seen.allowed),
        Figure::Free => ratio(seen.free, seen.asked as f64),
        Figure::Taken => ratio(seen.units, seconds),
        Figure::AcquireRate => rate(seen.acquired, seconds),
        Figure::Share(Outcome::REJECTED) => share(seen.rejected, seen.asked),
        Figure::Share(Outcome::TIMED_OUT) => share(seen.timed_out, seen.asked),
        figure => queue(figure, &seen.waiting, &seen.wait),
    }
}

fn volume(figure: Figure, seen: &VolumeObservation, seconds: f64) -> Option<f64> {
    let of_one = |sum: f64| ratio(sum, seen.replications as f64);
    let asked = seen.acquired + seen.rejected + seen.timed_out + seen.cancelled;
    match figure {
        Figure::Level => ratio(seen.level_sum, seconds),
        Figure::LevelMin => Some(seen.lowest),
        Figure::LevelMax => Some(seen.highest),
        Figure::LevelEnd => of_one(seen.end),
        Figure::Taken => of_one(seen.taken),
        Figure::Given => of_one(seen.given),
        Figure::Oversold => of_one(seen.oversold),
        Figure::Refused => of_one((seen.rejected + seen.timed_out) as f64),
        Figure::Emptied => ratio(seen.emptied_at_sum, seen.emptied as f64),
        Figure::AcquireRate => rate(seen.acquired, seconds),
        Figure::Share(Outcome::REJECTED) => share(seen.rejected, asked),
        Figure::Share(Outcome::TIMED_OUT) => share(seen.timed_out, asked),
        figure => queue(figure, &seen.waiting, &seen.wait),
    }
}

fn cache(figure: Figure, seen: &CacheObservation, seconds: f64) -> Option<f64> {
    let per_second = |count: u64| rate(count, seconds);
    match figure {
        Figure::HitRatio => share(seen.gets - seen.misses - seen.early, seen.gets),
        Figure::Gets => per_second(seen.gets),
        Figure::Misses => per_second(seen.misses),
        Figure::StaleHits => per_second(seen.stale_hits),
        Figure::NegativeHits => per_second(seen.negative_hits),
        Figure::Early => per_second(seen.early),
        Figure::Coalesced => per_second(seen.coalesced),
        Figure::CoalescedFailures => per_second(seen.failed),
        Figure::Fetches => per_second(seen.fetching.enters),
        Figure::Fetching => average(&seen.fetching),
        Figure::Refreshes => per_second(seen.refreshes),
        Figure::FetchFailures => per_second(seen.fetch_failures),
        Figure::FetchMean => mean(&seen.fetch),
        Figure::FetchQuantile(q) => quantile(&seen.fetch, q),
        Figure::Evictions => per_second(seen.evictions),
        Figure::NoRoom => per_second(seen.refused),
        Figure::Entries => ratio(seen.fresh_ns as f64 / 1e9, seconds),
        Figure::HerdMax => (seen.herd_max > 0).then_some(seen.herd_max as f64),
        Figure::HerdMean => share(seen.herd_sum, seen.herds),
        Figure::HerdQuantile(q) => quantile(&seen.herd, q).map(|count| count * 1e9),
        Figure::Puts => per_second(seen.puts),
        Figure::StaleReads => share(seen.stale_reads, seen.gets),
        Figure::PinnedReads => share(seen.misses, seen.gets),
        Figure::QueueLength => average(&seen.waiting),
        Figure::QueueMax => Some(seen.waiting.max as f64),
        Figure::WaitMean => mean(&seen.wait),
        Figure::WaitQuantile(q) => quantile(&seen.wait, q),
        _ => None,
    }
}

/// Figures of those who wait for something that is not held.
fn queue(figure: Figure, waiting: &PopulationWindow, wait: &Histogram) -> Option<f64> {
    match figure {
        Figure::QueueLength => average(waiting),
        Figure::QueueMax => Some(waiting.max as f64),
        Figure::WaitMean => mean(wait),
        Figure::WaitQuantile(q) => quantile(wait, q),
        Figure::WaitProbability => waited(wait),
        _ => None,
    }
}

fn cores(figure: Figure, seen: &CoresObservation, seconds: f64) -> Option<f64> {
    match figure {
        // A window that cuts the periods of a quota can hold one quota more than its own.
        Figure::Utilization => ratio(seen.taken().min(seen.capacity), seen.capacity),
        Figure::InUse => ratio(seen.taken() / 1e9, seconds),
        Figure::Paused => ratio(seen.paused, seen.capacity),
        Figure::QueueLength => Some((average(&seen.present)? - seen.busy / 1e9 / seconds).max(0.0)),
        Figure::InFlight => average(&seen.present),
        Figure::QueueMax => Some(seen.present.max as f64),
        Figure::WaitMean => mean(&seen.wait),
        Figure::WaitQuantile(q) => quantile(&seen.wait, q),
        Figure::HoldMean => mean(&seen.response),
        Figure::HoldQuantile(q) => quantile(&seen.response, q),
        Figure::AcquireRate => rate(seen.present.enters, seconds),
        Figure::WaitProbability => waited(&seen.wait),
        Figure::Throttled => ratio(seen.throttled.nanos, seen.throttled.replica_ns),
        Figure::ThrottledPeriods => share(seen.throttled.held_back, seen.throttled.periods),
        _ => None,
    }
}

fn policy(figure: Figure, seen: &PolicyObservation, seconds: f64, replications: f64) -> Option<f64> {
    let StateTimes { closed, open, half_open } = seen.breaker;
    let stay = |time: u64| share(time, closed + open + half_open);
    let per_second = |count: u64| rate(count, seconds);
    match figure {
        Figure::Calls => per_second(seen.calls),
        Figure::Attempts => share(seen.attempts, seen.calls),
        Figure::TimedOut => per_second(seen.timed_out),
        Figure::Retries => per_second(seen.retries),
        Figure::Unaffordable => per_second(seen.unaffordable),
        Figure::Expired => per_second(seen.expired),
        Figure::Hedges => per_second(seen.hedges),
        Figure::HedgesWon => per_second(seen.hedges_won),
        Figure::Trips => ratio(seen.trips as f64, replications),
        Figure::Broken => per_second(seen.broken),
        Figure::Closed => stay(closed),
        Figure::Open => stay(open),
        Figure::HalfOpen => stay(half_open),
        Figure::Limited => per_second(seen.limited),
        Figure::Fallbacks => per_second(seen.fallbacks),
        _ => None,
    }
}

/// How often a pool was asked and has decided.
fn asked(seen: &PoolObservation) -> u64 {
    seen.acquired + seen.rejected + seen.timed_out + seen.cancelled + seen.dropped + seen.abandoned
}

fn latency_of(figure: Figure, latency: &Histogram) -> Option<f64> {
    match figure {
        Figure::Mean => mean(latency),
        Figure::Quantile(q) => quantile(latency, q),
        Figure::Max => max(latency),
        _ => None,
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn rate(count: u64, seconds: f64) -> Option<f64> {
    ratio(count as f64, seconds)
}

fn average(population: &PopulationWindow) -> Option<f64> {
    (population.span_ns > 0).then(|| population.mean())
}

/// Mean of a histogram of nanoseconds, in seconds.
pub(crate) fn mean(histogram: &Histogram) -> Option<f64> {
    histogram.mean().map(|nanos| nanos / 1e9)
}

/// Quantile of a histogram of nanoseconds, in seconds.
pub(crate) fn quantile(histogram: &Histogram, q: f64) -> Option<f64> {
    histogram.quantile(q).map(|nanos| nanos / 1e9)
}

/// Largest value of a histogram of nanoseconds, in seconds.
pub(crate) fn max(histogram: &Histogram) -> Option<f64> {
    histogram.max().map(|nanos| nanos as f64 / 1e9)
}

/// Share of the values that are not 0.
fn waited(wait: &Histogram) -> Option<f64> {
    wait.share_at_most(0).map(|at_once| 1.0 - at_once)
}

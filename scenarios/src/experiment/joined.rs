//! Segments put together: in time within a replication, and over replications.

use models::observe::{
    AutoscalerObservation, CacheObservation, ConsumersObservation, CoresObservation, EndpointObservation,
    GroupObservation, JobObservation, Observations, PolicyObservation, PoolObservation, QueueObservation,
    RateObservation, RouteObservation, Segment, ServiceObservation, TrafficObservation, VolumeObservation,
};
use sim_core::{Histogram, PopulationWindow, SimTime};

/// How two observations of one thing are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The second follows the first in the same replication.
    InTime,
    /// The second is of another replication.
    OfReplications,
}

impl How {
    fn population(self, sum: &mut PopulationWindow, more: &PopulationWindow) {
        match self {
            Self::InTime => sum.join(more),
            Self::OfReplications => sum.merge(more),
        }
    }
}

/// The observations of a window of one replication, or of the same window merged over replications: its
/// segments joined. None where no whole segment lies inside.
pub(crate) fn window(observations: &Observations, from: SimTime, to: SimTime) -> Option<Segment> {
    let mut inside = inside(observations, from, to);
    let mut joined = inside.next()?.clone();
    for segment in inside {
        join(&mut joined, segment, How::InTime);
    }
    Some(joined)
}

/// The segments that lie inside of a window, in order.
pub(crate) fn inside(
    observations: &Observations,
    from: SimTime,
    to: SimTime,
) -> impl Iterator<Item = &Segment> {
    observations.segments.iter().filter(move |s| s.from >= from && s.to <= to && s.from < s.to)
}

/// Adds `more` to `sum`.
pub(crate) fn join(sum: &mut Segment, more: &Segment, how: How) {
    sum.from = sum.from.min(more.from);
    sum.to = sum.to.max(more.to);
    both(&mut sum.traffics, &more.traffics, |a, b| traffic(a, b, how));
    both(&mut sum.endpoints, &more.endpoints, endpoint);
    both(&mut sum.services, &more.services, |a, b| service(a, b, how));
    both(&mut sum.routes, &more.routes, route);
    both(&mut sum.pools, &more.pools, |a, b| pool(a, b, how));
    both(&mut sum.rates, &more.rates, |a, b| rate(a, b, how));
    both(&mut sum.volumes, &more.volumes, |a, b| volume(a, b, how));
    both(&mut sum.jobs, &more.jobs, |a, b| job(a, b, how));
    both(&mut sum.caches, &more.caches, |a, b| cache(a, b, how));
    both(&mut sum.queues, &more.queues, |a, b| queue(a, b, how));
    both(&mut sum.autoscalers, &more.autoscalers, |a, b| autoscaler(a, b, how));
    both(&mut sum.cores, &more.cores, |a, b| {
        if let (Some(a), Some(b)) = (a, b) {
            cores(a, b, how);
        }
    });
    both(&mut sum.policies, &more.policies, policy);
}

/// Adds the observations of another replication, segment by segment; those that a replication cut short did
/// not reach are taken from the others.
///
/// `sum` keeps its own fingerprint, and how and when it ended.
pub(crate) fn merge_into(sum: &mut Observations, more: &Observations) {
    both(&mut sum.segments, &more.segments, |a, b| join(a, b, How::OfReplications));
    if more.segments.len() > sum.segments.len() {
        sum.segments.extend_from_slice(&more.segments[sum.segments.len()..]);
    }
    both(&mut sum.balances, &more.balances, |a, b| {
        a.offered += b.offered;
        counts(&mut a.outcomes, &b.outcomes);
        a.in_flight += b.in_flight;
    });
    both(&mut sum.left, &more.left, |a, b| {
        a.on_the_way += b.on_the_way;
        counts(&mut a.kept, &b.kept);
    });
    sum.events += more.events;
    sum.peak_frames = sum.peak_frames.max(more.peak_frames);
    sum.peak_bytes = sum.peak_bytes.max(more.peak_bytes);
}

/// The observations of several replications of one blueprint as one, in index order.
///
/// None where there are none. The fingerprint is that of the first.
pub fn merge(replications: &[Observations]) -> Option<Observations> {
    let (first, rest) = replications.split_first()?;
    let mut sum = first.clone();
    for more in rest {
        merge_into(&mut sum, more);
    }
    Some(sum)
}

/// Seconds that a segment spans, of all replications merged into it.
pub(crate) fn seconds(segment: &Segment) -> f64 {
    let of_traffic = segment.traffics.first().map(|traffic| traffic.present.span_ns);
    let span_ns = of_traffic.or_else(|| segment.services.first().map(|service| service.present.span_ns));
    span_ns.map_or_else(|| segment.to.since(segment.from).as_seconds(), |ns| ns as f64 / 1e9)
}

fn both<T>(sum: &mut [T], more: &[T], mut add: impl FnMut(&mut T, &T)) {
    for (a, b) in sum.iter_mut().zip(more) {
        add(a, b);
    }
}

fn counts(sum: &mut Vec<u64>, more: &[u64]) {
    if sum.len() < more.len() {
        sum.resize(more.len(), 0);
    }
    both(sum, more, |a, b| *a += b);
}

fn histogram(sum: &mut Histogram, more: &Histogram) {
    sum.merge(more);
}

fn traffic(sum: &mut TrafficObservation, more: &TrafficObservation, how: How) {
    sum.offered += more.offered;
    counts(&mut sum.outcomes, &more.outcomes);
    groups(&mut sum.classes, &more.classes);
    groups(&mut sum.tenants, &more.tenants);
    sum.attempts += more.attempts;
    histogram(&mut sum.latency, &more.latency);
    histogram(&mut sum.unanswered, &more.unanswered);
    histogram(&mut sum.intended, &more.intended);
    how.population(&mut sum.present, &more.present);
}

fn groups(sum: &mut Vec<GroupObservation>, more: &[GroupObservation]) {
    if sum.len() < more.len() {
        sum.resize_with(more.len(), GroupObservation::default);
    }
    both(sum, more, |a, b| {
        counts(&mut a.outcomes, &b.outcomes);
        histogram(&mut a.latency, &b.latency);
    });
}

fn endpoint(sum: &mut EndpointObservation, more: &EndpointObservation) {
    sum.answered += more.answered;
    sum.failed += more.failed;
    histogram(&mut sum.latency, &more.latency);
}

fn service(sum: &mut ServiceObservation, more: &ServiceObservation, how: How) {
    how.population(&mut sum.present, &more.present);
    how.population(&mut sum.replicas, &more.replicas);
    counts(&mut sum.received, &more.received);
    if let (Some(sum), Some(more)) = (&mut sum.life, &more.life) {
        sum.add(more);
    }
}

fn route(sum: &mut RouteObservation, more: &RouteObservation) {
    sum.sent += more.sent;
    sum.in_panic += more.in_panic;
    sum.ejections += more.ejections;
    sum.connects += more.connects;
    sum.reused += more.reused;
    sum.out_ns += more.out_ns;
    sum.replica_ns += more.replica_ns;
}

fn pool(sum: &mut PoolObservation, more: &PoolObservation, how: How) {
    how.population(&mut sum.capacity, &more.capacity);
    how.population(&mut sum.in_use, &more.in_use);
    how.population(&mut sum.waiting, &more.waiting);
    histogram(&mut sum.wait, &more.wait);
    histogram(&mut sum.hold, &more.hold);
    sum.acquired += more.acquired;
    sum.rejected += more.rejected;
    sum.timed_out += more.timed_out;
    sum.cancelled += more.cancelled;
    if let Some(more) = &more.connections {
        let sum = sum.connections.get_or_insert_default();
        how.population(&mut sum.open, &more.open);
        sum.opened += more.opened;
        sum.closed += more.closed;
        sum.refused += more.refused;
    }
    sum.dropped += more.dropped;
    sum.abandoned += more.abandoned;
    sum.instance_ns += more.instance_ns;
    sum.batches += more.batches;
}

fn rate(sum: &mut RateObservation, more: &RateObservation, how: How) {
    sum.asked += more.asked;
    sum.free += more.free;
    sum.acquired += more.acquired;
    sum.units += more.units;
    sum.allowed += more.allowed;
    sum.rejected += more.rejected;
    sum.timed_out += more.timed_out;
    sum.cancelled += more.cancelled;
    how.population(&mut sum.waiting, &more.waiting);
    histogram(&mut sum.wait, &more.wait);
}

fn volume(sum: &mut VolumeObservation, more: &VolumeObservation, how: How) {
    match how {
        How::InTime => {
            sum.end = more.end;
            if sum.emptied == 0 {
                (sum.emptied, sum.emptied_at_sum) = (more.emptied, more.emptied_at_sum);
            }
        }
        How::OfReplications => {
            sum.replications += more.replications;
            sum.start += more.start;
            sum.end += more.end;
            sum.emptied += more.emptied;
            sum.emptied_at_sum += more.emptied_at_sum;
        }
    }
    sum.level_sum += more.level_sum;
    sum.lowest = sum.lowest.min(more.lowest);
    sum.highest = sum.highest.max(more.highest);
    sum.taken += more.taken;
    sum.oversold += more.oversold;
    sum.given += more.given;
    sum.added += more.added;
    sum.acquired += more.acquired;
    sum.rejected += more.rejected;
    sum.timed_out += more.timed_out;
    sum.cancelled += more.cancelled;
    how.population(&mut sum.waiting, &more.waiting);
    histogram(&mut sum.wait, &more.wait);
}

fn job(sum: &mut JobObservation, more: &JobObservation, how: How) {
    how.population(&mut sum.present, &more.present);
    counts(&mut sum.outcomes, &more.outcomes);
    histogram(&mut sum.time, &more.time);
}

fn cache(sum: &mut CacheObservation, more: &CacheObservation, how: How) {
    sum.gets += more.gets;
    sum.hits += more.hits;
    sum.stale_hits += more.stale_hits;
    sum.negative_hits += more.negative_hits;
    sum.early += more.early;
    sum.misses += more.misses;
    sum.coalesced += more.coalesced;
    sum.failed += more.failed;
    sum.cancelled += more.cancelled;
    sum.refreshes += more.refreshes;
    sum.fetch_failures += more.fetch_failures;
    sum.stored += more.stored;
    sum.evictions += more.evictions;
    sum.refused += more.refused;
    sum.stale_reads += more.stale_reads;
    sum.puts += more.puts;
    sum.fresh_ns += more.fresh_ns;
    sum.herds += more.herds;
    sum.herd_sum += more.herd_sum;
    sum.herd_max = sum.herd_max.max(more.herd_max);
    histogram(&mut sum.herd, &more.herd);
    how.population(&mut sum.fetching, &more.fetching);
    histogram(&mut sum.fetch, &more.fetch);
    how.population(&mut sum.waiting, &more.waiting);
    histogram(&mut sum.wait, &more.wait);
}

fn queue(sum: &mut QueueObservation, more: &QueueObservation, how: How) {
    sum.sent += more.sent;
    sum.received += more.received;
    sum.rejected += more.rejected;
    sum.dropped += more.dropped;
    sum.withdrawn += more.withdrawn;
    match how {
        How::InTime => sum.travelling = more.travelling,
        How::OfReplications => sum.travelling += more.travelling,
    }
    how.population(&mut sum.senders, &more.senders);
    both(&mut sum.groups, &more.groups, |a, b| group(a, b, how));
}

fn autoscaler(sum: &mut AutoscalerObservation, more: &AutoscalerObservation, how: How) {
    how.population(&mut sum.wanted, &more.wanted);
    how.population(&mut sum.nodes, &more.nodes);
    sum.looks += more.looks;
    sum.ups += more.ups;
    sum.downs += more.downs;
    sum.flaps += more.flaps;
    for (reason, count) in &more.reasons {
        *sum.reasons.entry(reason.clone()).or_default() += count;
    }
}

fn group(sum: &mut ConsumersObservation, more: &ConsumersObservation, how: How) {
    match how {
        How::InTime => {
            sum.kept = more.kept;
            sum.oldest_end = more.oldest_end;
            sum.partitions.clone_from(&more.partitions);
        }
        How::OfReplications => {
            sum.kept += more.kept;
            sum.oldest_end += more.oldest_end;
            counts(&mut sum.partitions, &more.partitions);
            sum.replications += more.replications;
        }
    }
    how.population(&mut sum.lag, &more.lag);
    sum.received += more.received;
    sum.done += more.done;
    sum.dead += more.dead;
    sum.lost += more.lost;
    sum.deliveries += more.deliveries;
    sum.worked += more.worked;
    sum.duplicates += more.duplicates;
    sum.failures += more.failures;
    sum.disordered += more.disordered;
    sum.polls += more.polls;
    sum.rebalances += more.rebalances;
    sum.expulsions += more.expulsions;
    sum.stopped_ns += more.stopped_ns;
    sum.member_ns += more.member_ns;
    sum.busy_ns += more.busy_ns;
    histogram(&mut sum.wait, &more.wait);
    histogram(&mut sum.latency, &more.latency);
    sum.oldest = sum.oldest.max(more.oldest);
}

/// Adds what was counted of another use, segment or replication of a policy.
pub(crate) fn policy(sum: &mut PolicyObservation, more: &PolicyObservation) {
    sum.calls += more.calls;
    sum.attempts += more.attempts;
    sum.timed_out += more.timed_out;
    sum.retries += more.retries;
    sum.unaffordable += more.unaffordable;
    sum.expired += more.expired;
    sum.hedges += more.hedges;
    sum.hedges_won += more.hedges_won;
    sum.trips += more.trips;
    sum.broken += more.broken;
    sum.breaker.closed += more.breaker.closed;
    sum.breaker.open += more.breaker.open;
    sum.breaker.half_open += more.breaker.half_open;
    sum.limited += more.limited;
    sum.fallbacks += more.fallbacks;
}

fn cores(sum: &mut CoresObservation, more: &CoresObservation, how: How) {
    sum.capacity += more.capacity;
    sum.busy += more.busy;
    sum.paused += more.paused;
    sum.worked += more.worked;
    sum.met += more.met;
    match how {
        How::InTime => sum.partial_end = more.partial_end,
        How::OfReplications => {
            sum.partial_start += more.partial_start;
            sum.partial_end += more.partial_end;
        }
    }
    how.population(&mut sum.present, &more.present);
    sum.throttled.add(more.throttled);
    histogram(&mut sum.response, &more.response);
    histogram(&mut sum.wait, &more.wait);
}

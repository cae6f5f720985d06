//! What holds in every run, on any input: conservation, Little's Law, the utilization law, and that everything
//! that was taken is given back once traffic has stopped.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod system;

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use models::blueprint::{
    Blueprint, EndpointPlan, Fault, JobId, PoolPlan, PoolScope, Row, ServiceId, ServicePlan,
};
use models::observe::{
    Balance, CacheObservation, ConsumersObservation, CoresObservation, Ended, Observations,
    PolicyObservation, QueueObservation, Segment, TrafficObservation, VolumeObservation,
};
use models::{Replication, replicate};
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use scenarios::{Scenario, Source};
use sim_core::{CancelFlag, PopulationWindow};

use self::system::System;

#[test]
fn random_systems_obey_the_laws_and_drain() {
    let cases = if env::var_os("HOCKEYSTICK_LONG").is_some() { 100_000 } else { 1_000 };
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(2_026), failure_persistence: None, ..Config::default() };
    let drained = AtomicU32::new(0);
    let found = TestRunner::new(config).run(&system::systems(), |system| {
        if obeys_the_laws(&system) {
            drained.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    match found {
        Err(TestError::Fail(why, system)) => panic!("{why}\n{system}"),
        Err(error) => panic!("{error}"),
        Ok(()) => {}
    }
    // A system may be busier than the test has patience, but hardly any is.
    let drained = drained.into_inner();
    assert!(drained >= cases * 9 / 10, "only {drained} of {cases} drained");
}

/// Runs the system, fails when it breaks a law, and tells whether it came to its end.
fn obeys_the_laws(system: &System) -> bool {
    let text = system.to_string();
    let source =
        Source::from_text("random", text.clone(), "").unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    let plan = scenario.compile();
    let replication = Replication { seed: 5, index: 0, breakdown: true };
    let seen = replicate(&plan, &replication, &CancelFlag::new());
    check(&plan, &seen);
    // Without the account of where the time goes, leaves are visited the short way: nothing else may change.
    let short = replicate(&plan, &Replication { breakdown: false, ..replication }, &CancelFlag::new());
    assert_eq!((short.events, short.fingerprint), (seen.events, seen.fingerprint), "{text}");
    assert!(short.segments == seen.segments && short.balances == seen.balances, "{text}");
    let complete = seen.ended == Ended::Complete;
    assert!(complete || seen.ended == Ended::EventLimit, "{:?}", seen.ended);
    let drains = complete && !storms(&seen);
    if drains {
        check_drained(&plan, &seen);
    }
    drains
}

/// What began this many nanoseconds before the end is stuck.
const LONG_AGO: u128 = 300_000_000_000;

/// Whether something goes on for ever: a group hands the same messages out again, because its members take longer for
/// them than it waits, or the clock or the condition of a job has begun another run. One that began long ago is stuck.
fn storms(seen: &Observations) -> bool {
    let last = seen.segments.last().unwrap();
    let mut groups = last.queues.iter().flat_map(|queue| &queue.groups);
    groups.any(|group| group.kept > 0 && group.expulsions > 20)
        || last.jobs.iter().any(|job| job.present.n_end > 0 && job.present.age_end < LONG_AGO)
}

/// Fails unless the replication obeys every law.
pub(crate) fn check(plan: &Blueprint, seen: &Observations) {
    assert!(seen.balances.iter().all(Balance::holds), "{}: {:?}", plan.name, seen.balances);
    for segment in &seen.segments {
        for window in populations(segment) {
            assert!(window.residual() == 0.0, "{}: Little's Law fails on {window:?}", plan.name);
        }
        for (service, cores) in segment.cores.iter().enumerate() {
            if let Some(seen) = cores {
                check_utilization(seen, spare_quota(plan, service));
            }
        }
        segment.volumes.iter().for_each(check_volume);
        segment.traffics.iter().for_each(check_groups);
        segment.caches.iter().for_each(check_cache);
        if !resizes(plan) {
            // An activator lets through as many as the replicas take, which nobody counts.
            let is_counted = |plan: &PoolPlan| plan.slots > 0 && !matches!(plan.scope, PoolScope::Each(_));
            for (_, pool) in plan.pools.iter().zip(&segment.pools).filter(|(plan, _)| is_counted(plan)) {
                assert!(pool.in_use.integral <= pool.capacity.integral, "{pool:?}");
            }
        }
        if plan.changes.is_empty() && plan.autoscalers.is_empty() {
            check_limits(plan, segment);
        }
    }
    check_policies(plan, seen);
    check_messages(plan, seen);
    for pair in seen.segments.windows(2) {
        for (before, after) in populations(&pair[0]).zip(populations(&pair[1])) {
            assert_eq!((before.to, before.n_end), (after.from, after.n_start), "{}", plan.name);
        }
    }
}

/// A level moves by what is taken, given and added, and by nothing else.
fn check_volume(seen: &VolumeObservation) {
    let end = seen.start + seen.added + seen.given - seen.taken;
    assert!((end - seen.end).abs() <= 1e-6, "{seen:?}");
    assert!(seen.lowest <= seen.start.min(seen.end) && seen.start.max(seen.end) <= seen.highest, "{seen:?}");
    assert_eq!(seen.acquired, seen.wait.count(), "{seen:?}");
}

/// Whether the replicas that run a job are there in the end.
fn comes_back(plan: &Blueprint, job: JobId) -> bool {
    let on = plan.jobs[job.index()].service;
    let gone = |fault: &Fault| matches!(fault, Fault::Crash { service, restart: None, .. } if *service == on);
    !plan.changes.iter().filter_map(|change| change.fault.as_ref()).any(gone)
}

/// The requests of all classes, and those of all tenants, are those of the traffic.
fn check_groups(seen: &TrafficObservation) {
    for groups in [&seen.classes, &seen.tenants].into_iter().filter(|groups| !groups.is_empty()) {
        for (outcome, &ended) in seen.outcomes.iter().enumerate() {
            assert_eq!(groups.iter().map(|group| group.outcomes[outcome]).sum::<u64>(), ended, "{seen:?}");
        }
        let answered: u64 = groups.iter().map(|group| group.latency.count()).sum();
        assert_eq!(answered, seen.latency.count(), "{seen:?}");
    }
}

/// Whoever asks a cache finds something or does not.
fn check_cache(seen: &CacheObservation) {
    let found = seen.hits + seen.stale_hits + seen.negative_hits + seen.early;
    assert_eq!(seen.gets, found + seen.misses, "{seen:?}");
    assert_eq!(seen.coalesced, seen.wait.count(), "{seen:?}");
    assert_eq!(seen.herds, seen.herd.count(), "{seen:?}");
    assert!(seen.stale_reads <= seen.hits && seen.herd_sum >= seen.herds, "{seen:?}");
}

/// Every attempt is a first one, a retry or a hedge, and those turned away are not sent.
fn check_policies(plan: &Blueprint, seen: &Observations) {
    for (i, usage) in plan.uses.iter().enumerate() {
        let sum = |count: fn(&PolicyObservation) -> u64| -> u64 {
            seen.segments.iter().map(|segment| count(&segment.policies[i])).sum()
        };
        let wanted = sum(|seen| seen.calls + seen.retries + seen.hedges);
        let decided = sum(|seen| seen.attempts + seen.broken + seen.limited + seen.expired);
        assert!(decided <= wanted, "{usage:?}: {decided} of {wanted} attempts");
        assert!(sum(|seen| seen.hedges_won) <= sum(|seen| seen.hedges), "{usage:?}");
    }
}

/// What was sent was taken in, refused or lost, or is on its way; what was received is dealt with, dead, lost or there.
fn check_messages(plan: &Blueprint, seen: &Observations) {
    let Some(last) = seen.segments.last() else { return };
    for (q, queue) in plan.queues.iter().enumerate() {
        let sum = |count: &dyn Fn(&QueueObservation) -> u64| -> u64 {
            seen.segments.iter().map(|segment| count(&segment.queues[q])).sum()
        };
        let end = &last.queues[q];
        let fates = sum(&|seen| seen.received + seen.rejected + seen.dropped + seen.withdrawn);
        assert_eq!(sum(&|seen| seen.sent), fates + end.travelling + end.senders.n_end, "{}", queue.name);
        for (g, group) in queue.groups.iter().enumerate() {
            let of = |count: fn(&ConsumersObservation) -> u64| sum(&|seen| count(&seen.groups[g]));
            let (received, ended) = (of(|seen| seen.received), of(|seen| seen.done + seen.dead + seen.lost));
            assert_eq!(received, sum(&|seen| seen.received), "{}: every group sees all", queue.name);
            assert_eq!(received, ended + end.groups[g].kept, "{} of {}", group.name, queue.name);
            let [worked, twice, failed, handed] = [
                of(|seen| seen.worked),
                of(|seen| seen.duplicates),
                of(|seen| seen.failures),
                of(|seen| seen.deliveries),
            ];
            assert!(
                twice <= worked && worked + failed <= handed,
                "{}: {worked} {twice} {failed} {handed}",
                queue.name
            );
            if let Some(partitions) = queue.partitions.filter(|_| plan.changes.is_empty()) {
                assert_eq!(end.groups[g].partitions.len(), partitions as usize);
            }
        }
    }
}

fn populations(segment: &Segment) -> impl Iterator<Item = &PopulationWindow> {
    let traffics = segment.traffics.iter().map(|traffic| &traffic.present);
    let services = segment.services.iter().flat_map(|service| [&service.present, &service.replicas]);
    let pools = segment.pools.iter().flat_map(|pool| [&pool.waiting, &pool.in_use, &pool.capacity]);
    let connections = segment.pools.iter().filter_map(|pool| Some(&pool.connections.as_ref()?.open));
    let cores = segment.cores.iter().flatten().map(|cores| &cores.present);
    let rates = segment.rates.iter().map(|rate| &rate.waiting);
    let volumes = segment.volumes.iter().map(|volume| &volume.waiting);
    let jobs = segment.jobs.iter().map(|job| &job.present);
    let lags = segment.queues.iter().flat_map(|queue| queue.groups.iter().map(|group| &group.lag));
    let senders = segment.queues.iter().map(|queue| &queue.senders);
    let volumes = volumes.chain(jobs).chain(lags).chain(senders);
    let caches = segment.caches.iter().flat_map(|cache| [&cache.waiting, &cache.fetching]);
    let flows = rates.chain(volumes).chain(caches);
    traffics.chain(services).chain(pools).chain(connections).chain(cores).chain(flows)
}

/// Whether the size of a pool itself changes, so that for a while more may be lent than there is.
fn resizes(plan: &Blueprint) -> bool {
    let mut rows = plan.changed_rows();
    rows.any(|row| matches!(row, Row::Pool(..))) || plan.pools.iter().any(|pool| pool.adapt.is_some())
}

/// What the cores have worked off is the need that was met, but for the whole nanoseconds at which bursts end; and
/// no more of them are busy than there are, those of replicas that finish what they have included.
fn check_utilization(seen: &CoresObservation, spare: f64) {
    let &CoresObservation { capacity, busy, worked, met, partial_start, partial_end, .. } = seen;
    let met = met + partial_end - partial_start;
    // Sums of fractions are off by what doubles leave out, if by nothing else.
    let rounding = (seen.present.leaves + seen.present.n_end) as f64 + 1e-3;
    let gap = ((worked - met).abs() - rounding).max(0.0);
    assert!(gap <= 1e-6 * worked.max(met), "{worked} core-ns were worked off, but {met} met");
    assert!(busy <= capacity * (1.0 + 1e-9) + spare, "{busy} core-ns were busy out of {capacity}");
}

/// Core-nanoseconds that a window which cuts the periods of a quota can hold beyond its own: those of one period, and
/// of another for each change by an event, at which the quota begins anew.
fn spare_quota(plan: &Blueprint, service: usize) -> f64 {
    let changes = plan.changed_rows();
    let later = changes.filter_map(|row| match row {
        Row::Service(id, row) if id.index() == service => Some(row),
        _ => None,
    });
    let rows: Vec<_> = later.chain([&plan.services[service]]).collect();
    let has_quota = |row: &&ServicePlan| row.cores.is_some_and(|cores| cores.throttle.is_some());
    if plan.is_mortal(ServiceId(service as u32)) && rows.iter().any(has_quota) {
        return f64::INFINITY; // Each time that a replica starts its quota begins anew.
    }
    let quota = |row: &&ServicePlan| {
        let cores = row.cores?;
        Some(cores.cores * cores.throttle?.period.as_nanos() as f64 * f64::from(row.replicas))
    };
    // Each change begins and ends.
    2.0 * rows.len() as f64 * rows.iter().filter_map(quota).fold(0.0, f64::max)
}

/// No pool lends more than it has, and no queue is longer than it may be.
fn check_limits(plan: &Blueprint, segment: &Segment) {
    for (pool, seen) in plan.pools.iter().zip(&segment.pools) {
        let instances = match pool.scope {
            PoolScope::Replica { service, .. } => plan.services[service.index()].replicas,
            PoolScope::One => 1,
            PoolScope::Class => plan.classes.len().max(1) as u32,
            PoolScope::Each(_) => continue, // As many as there are values.
        };
        let slots = pool.adapt.map_or(pool.slots, |adapt| adapt.bounds.max);
        let (units, places) = (u64::from(slots) * u64::from(instances), u64::from(pool.queue));
        assert!(seen.in_use.max <= units, "{} lends more than {units}", pool.name);
        assert!(seen.capacity.max <= units, "{} has more than {units}", pool.name);
        if pool.queue < u32::MAX {
            let places = places * u64::from(instances);
            assert!(seen.waiting.max <= places, "{} lets more than {places} wait", pool.name);
        }
    }
}

/// Fails unless everything has come to an end and everything has been given back.
fn check_drained(plan: &Blueprint, seen: &Observations) {
    for (traffic, balance) in plan.traffics.iter().zip(&seen.balances) {
        assert_eq!(balance.in_flight, 0, "{} is still in flight", traffic.name);
    }
    let last = seen.segments.last().unwrap();
    for (service, seen) in plan.services.iter().zip(&last.services) {
        assert_eq!(seen.present.n_end, 0, "somebody is still in {}: {seen:?}", service.name);
    }
    for (pool, seen) in plan.pools.iter().zip(&last.pools) {
        // A connection that is renewed ahead may be on its way just then.
        let opens = seen.connections.is_some() && seen.in_use.age_end < LONG_AGO;
        assert_eq!(seen.waiting.n_end, 0, "somebody still waits for {}", pool.name);
        assert!(seen.in_use.n_end == 0 || opens, "{} is not given back", pool.name);
    }
    for (rate, seen) in plan.rates.iter().zip(&last.rates) {
        assert_eq!(seen.waiting.n_end, 0, "somebody still waits for {}", rate.name);
    }
    for (volume, seen) in plan.volumes.iter().zip(&last.volumes) {
        assert_eq!(seen.waiting.n_end, 0, "somebody still waits for {}", volume.name);
    }
    for (cache, seen) in plan.caches.iter().zip(&last.caches) {
        let left = (seen.waiting.n_end, seen.fetching.n_end);
        assert_eq!(left, (0, 0), "somebody still waits for or fetches {}", cache.name);
    }
    for (queue, seen) in plan.queues.iter().zip(&last.queues) {
        assert_eq!((seen.travelling, seen.senders.n_end), (0, 0), "{}: {seen:?}", queue.name);
        let groups = queue.groups.iter().zip(&seen.groups);
        for (group, seen) in groups.filter(|(group, _)| group.job.is_some_and(|job| comes_back(plan, job))) {
            assert_eq!(seen.kept, 0, "{} has not taken all of {}: {seen:?}", group.name, queue.name);
        }
    }
    for (job, seen) in plan.jobs.iter().zip(&last.jobs) {
        assert_eq!(seen.present.n_end, 0, "{} still runs", job.name);
    }
    check_counts(plan, seen);
    for (service, seen) in plan.services.iter().zip(&last.cores) {
        let present = seen.as_ref().map_or(0, |cores| cores.present.n_end);
        assert_eq!(present, 0, "somebody still computes in {}", service.name);
    }
}

/// Over a whole run that has drained, what was counted at different places agrees.
fn check_counts(plan: &Blueprint, seen: &Observations) {
    let sum = |count: &dyn Fn(&Segment) -> u64| seen.segments.iter().map(count).sum::<u64>();
    for (i, pool) in plan.pools.iter().enumerate() {
        let acquired = sum(&|segment| segment.pools[i].acquired);
        assert_eq!(acquired, sum(&|segment| segment.pools[i].wait.count()), "waits at {}", pool.name);
        // Those that a connection which is on its way still has.
        let held = seen.segments.last().map_or(0, |segment| segment.pools[i].in_use.n_end);
        let holds = sum(&|segment| segment.pools[i].hold.count());
        assert_eq!(acquired, holds + held, "holds at {}", pool.name);
    }
    for (i, rate) in plan.rates.iter().enumerate() {
        let ended = sum(&|segment| {
            let seen = &segment.rates[i];
            seen.acquired + seen.rejected + seen.timed_out + seen.cancelled
        });
        assert_eq!(ended, sum(&|segment| segment.rates[i].asked), "who asked for {}", rate.name);
        let waits = sum(&|segment| segment.rates[i].wait.count());
        assert_eq!(waits, sum(&|segment| segment.rates[i].acquired), "waits for {}", rate.name);
    }
    for (i, cache) in plan.caches.iter().enumerate().filter(|(_, cache)| cache.copy.is_none()) {
        let sum = |count: fn(&CacheObservation) -> u64| sum(&|segment| count(&segment.caches[i]));
        let given = sum(|seen| seen.coalesced + seen.failed + seen.cancelled);
        // Who misses fetches, or waits until it is given something, fails, goes, or fetches after all.
        let fetched = sum(|seen| seen.misses + seen.early + seen.refreshes) - given;
        assert_eq!(sum(|seen| seen.fetching.enters), fetched, "fetches for {}", cache.name);
        let ended = sum(|seen| seen.fetch.count() + seen.fetch_failures);
        assert_eq!(sum(|seen| seen.fetching.leaves), ended, "ends of fetches for {}", cache.name);
    }
    for (i, service) in plan.services.iter().enumerate() {
        let entered = sum(&|segment| segment.services[i].present.enters);
        let answers = |segment: &Segment| -> u64 {
            let of_service = |(plan, _): &(&EndpointPlan, _)| plan.service.index() == i;
            let endpoints = plan.endpoints.iter().zip(&segment.endpoints).filter(of_service);
            endpoints.map(|(_, seen)| seen.answered + seen.failed).sum()
        };
        assert_eq!(entered, sum(&answers), "requests of {} that are answered once", service.name);
    }
}

//! Whether something grows without bound.
//!
//! A population is said to grow when, over the measured part,
//!
//! 1. the interval of its slope over the replications lies above 0,
//! 2. it grows in the second half at least half as fast as in the first: a queue that is still filling up to
//!    its steady level slows down, a queue without one does not,
//! 3. what is added exceeds what chance adds to a balanced queue: four standard deviations of the difference
//!    between as many arrivals and as many departures,
//! 4. the slope is at least 1 % of what passes, or 0.1 % while something is at least 98 % busy.
//!
//! So a stable system at 95 % load does not count as growing, however long its queue gets at times, and one that
//! gets 5 % more than it can do does.

use models::blueprint::{Arrivals, Blueprint};
use models::observe::Segment;
use sim_core::Estimate;

use super::analysis::{figure, percent};
use super::evaluate;
use super::gather::{Case, Gathered, Levels};
use crate::results::{E, Growth};

/// Slope as a share of the throughput from which growth is clear by itself.
const CLEAR: f64 = 0.01;
/// The same while something is saturated.
const SATURATED: f64 = 0.001;
/// Busy share from which something counts as saturated.
const BUSY: f64 = 0.98;
/// Standard deviations of chance that growth must exceed.
const DEVIATIONS: f64 = 4.0;

/// Whether the blueprint has a steady state at all: constant rates, and nothing that happens by the clock.
pub(crate) fn is_transient(blueprint: &Blueprint) -> bool {
    !blueprint.changes.is_empty() || blueprint.traffics.iter().any(|traffic| moves(&traffic.arrivals))
}

fn moves(arrivals: &Arrivals) -> bool {
    match arrivals {
        Arrivals::Open { rate, .. } => !rate.is_constant(),
        Arrivals::Trace(_) => true,
        Arrivals::Closed { .. } => false,
    }
}

/// A population that may grow.
struct Candidate {
    /// `web.workers queue`.
    at: String,
    /// Its levels in a replication.
    levels: fn(&Levels, usize) -> Option<[u64; 3]>,
    position: usize,
    /// How many entered it per second.
    passing: f64,
}

/// What grows without bound: queues, and where no queue explains it, services and traffics.
///
/// Empty for a transient scenario, which has no steady state to compare with.
pub(crate) fn detect(case: &Case, gathered: &Gathered) -> Vec<Growth> {
    let Some(measured) = &gathered.measured else { return Vec::new() };
    if is_transient(&case.blueprint) {
        return Vec::new();
    }
    let busiest = busiest(&case.blueprint, measured);
    let grow = |candidates: Vec<Candidate>| -> Vec<Growth> {
        candidates
            .into_iter()
            .filter_map(|candidate| grows(&candidate, case, gathered, busiest.as_ref()))
            .collect()
    };
    let queues = grow(queues(&case.blueprint, measured));
    if queues.is_empty() { grow(whole(&case.blueprint, measured)) } else { queues }
}

fn queues(blueprint: &Blueprint, measured: &Segment) -> Vec<Candidate> {
    let pools = blueprint.pools.iter().zip(&measured.pools).enumerate().map(|(position, (plan, seen))| {
        let levels: fn(&Levels, usize) -> _ = |levels, at| levels.pools.get(at).copied();
        let passing = seen.in_use.arrival_rate().max(seen.waiting.arrival_rate());
        Candidate { at: format!("{} queue", plan.name), levels, position, passing }
    });
    let cores =
        blueprint.services.iter().zip(&measured.cores).enumerate().filter_map(|(position, (plan, seen))| {
            let levels: fn(&Levels, usize) -> _ = |levels, at| levels.cores.get(at).copied();
            let passing = seen.as_ref()?.present.arrival_rate();
            Some(Candidate { at: format!("{}.cores queue", plan.name), levels, position, passing })
        });
    pools.chain(cores).collect()
}

fn whole(blueprint: &Blueprint, measured: &Segment) -> Vec<Candidate> {
    let services =
        blueprint.services.iter().zip(&measured.services).enumerate().map(|(position, (plan, seen))| {
            let levels: fn(&Levels, usize) -> _ = |levels, at| levels.services.get(at).copied();
            Candidate { at: plan.path.clone(), levels, position, passing: seen.present.arrival_rate() }
        });
    let traffics =
        blueprint.traffics.iter().zip(&measured.traffics).enumerate().map(|(position, (plan, seen))| {
            let levels: fn(&Levels, usize) -> _ = |levels, at| levels.traffics.get(at).copied();
            Candidate { at: plan.path.clone(), levels, position, passing: seen.present.arrival_rate() }
        });
    services.chain(traffics).collect()
}

/// The busiest resource and its utilization.
fn busiest(blueprint: &Blueprint, measured: &Segment) -> Option<(String, f64)> {
    let pools = blueprint.pools.iter().zip(&measured.pools).map(|(plan, seen)| {
        (plan.name.clone(), seen.in_use.integral as f64 / seen.capacity.integral.max(1) as f64)
    });
    let cores = blueprint.services.iter().zip(&measured.cores).filter_map(|(plan, seen)| {
        let seen = seen.as_ref()?;
        (seen.capacity > 0.0).then(|| (format!("{}.cores", plan.name), seen.busy / seen.capacity))
    });
    let largest = |a: &(String, f64), b: &(String, f64)| a.1.total_cmp(&b.1);
    match (cores.max_by(largest), pools.max_by(largest)) {
        // Busy cores explain why workers are busy, so they win a tie.
        (Some(cores), Some(pool)) => Some(if cores.1 + 1e-3 >= pool.1 { cores } else { pool }),
        (cores, pool) => cores.or(pool),
    }
}

fn grows(
    candidate: &Candidate,
    case: &Case,
    gathered: &Gathered,
    busiest: Option<&(String, f64)>,
) -> Option<Growth> {
    let (from, to) = evaluate::measured(&case.blueprint);
    let seconds = to.since(from).as_seconds();
    let levels: Vec<[f64; 3]> = gathered
        .samples
        .iter()
        .filter_map(|sample| (candidate.levels)(sample.levels.as_ref()?, candidate.position))
        .map(|levels| levels.map(|n| n as f64))
        .collect();
    let slopes: Vec<f64> = levels.iter().map(|[start, _, end]| (end - start) / seconds).collect();
    let slope = slopes.iter().sum::<f64>() / slopes.len().max(1) as f64;
    let halves = levels.iter().fold((0.0, 0.0), |(first, second), [start, middle, end]| {
        (first + middle - start, second + end - middle)
    });
    let estimate = Estimate::around(slope, &slopes);
    let chance =
        DEVIATIONS * (2.0 * candidate.passing * seconds).sqrt() / (levels.len().max(1) as f64).sqrt();
    let saturated = busiest.is_some_and(|(_, busy)| *busy >= BUSY);
    let share = if saturated { SATURATED } else { CLEAR };
    let does = estimate.is_none_or(|e| e.lo > 0.0)
        && halves.1 > 0.0
        && halves.1 >= 0.5 * halves.0
        && slope * seconds > chance
        && slope >= share * candidate.passing;
    let at = &candidate.at;
    does.then(|| Growth {
        at: at.clone(),
        per_second: E { value: slope, lo: estimate.map(|e| e.lo), hi: estimate.map(|e| e.hi) },
        text: match busiest {
            Some((name, busy)) if saturated => format!(
                "`{at}` grows by {} a second and never stops: `{name}` is {} busy and gets more than it can do",
                figure(slope),
                percent(*busy),
            ),
            _ => format!("`{at}` grows by {} a second and never stops", figure(slope)),
        },
    })
}

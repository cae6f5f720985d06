//! What queueing adds, station by station.
//!
//! Each queue is looked at on its own, as if Poisson arrivals met exponential holds; holds across calls contain
//! the waits of the queues inside, found by iteration. Exact for open Jackson networks, an approximation
//! elsewhere.

use models::blueprint::{Blueprint, PoolScope, ServiceId};
use models::theory::erlang_c;

use super::{Analysis, Load, Offered, Place, Waits};

/// Rounds of the iteration.
const ROUNDS: usize = 500;
/// Relative change of the responses at which it has converged.
const CONVERGED: f64 = 1e-10;

/// One station under load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Queue {
    /// Visits per second of one instance.
    pub(crate) arrivals: f64,
    /// Mean unit-seconds of a visit.
    pub(crate) hold: f64,
    /// Offered load of one instance in erlangs.
    pub(crate) offered: f64,
}

/// A stable system under its open load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) analysis: Analysis,
    /// By station.
    pub(crate) queues: Vec<Queue>,
}

impl Loaded {
    /// The system with the waits that its load causes; none when a queue grows without bound or users wait for
    /// answers.
    pub(crate) fn of(blueprint: &Blueprint) -> Option<Self> {
        let mut waits = Waits { spread: true, ..Waits::none(blueprint) };
        let mut analysis = Analysis::of(blueprint);
        if analysis.loads.iter().any(|load| matches!(load.offered, Offered::Closed { .. })) {
            return None;
        }
        for _ in 0..ROUNDS {
            let queues = queues(&analysis);
            let next = waits_of(blueprint, &analysis, &queues)?;
            let settled = changes(&waits, &next) < CONVERGED;
            waits = next;
            analysis = Analysis::with_waits(blueprint, &waits);
            if settled {
                return Some(Self { queues: self::queues(&analysis), analysis });
            }
        }
        None
    }

    /// Mean response of `load` in seconds.
    pub(crate) fn response(&self, load: usize) -> f64 {
        self.analysis.loads[load].response
    }
}

fn queues(analysis: &Analysis) -> Vec<Queue> {
    let sum = |k: usize, of: fn(&Load, usize) -> f64| -> f64 {
        analysis.loads.iter().filter(|l| l.visits[k] > 0.0).map(|l| l.rate * of(l, k)).sum()
    };
    let stations = analysis.stations.iter().enumerate();
    stations
        .map(|(k, station)| {
            let arrivals = sum(k, |load, k| load.visits[k]) / station.instances;
            let offered = sum(k, |load, k| load.demands[k]) / station.instances;
            Queue { arrivals, hold: if arrivals > 0.0 { offered / arrivals } else { 0.0 }, offered }
        })
        .collect()
}

/// The waits that the queues cause; none when one of them is not stable.
fn waits_of(blueprint: &Blueprint, analysis: &Analysis, queues: &[Queue]) -> Option<Waits> {
    let mut waits = Waits { spread: true, ..Waits::none(blueprint) };
    for (station, queue) in analysis.stations.iter().zip(queues) {
        if queue.arrivals <= 0.0 {
            continue;
        }
        // A sum of rounded terms may reach the capacity without exceeding it.
        if queue.offered >= station.units * (1.0 - 1e-9) {
            return None;
        }
        let wait = wait(station.units, queue.offered) * queue.hold;
        match station.place {
            Place::Pool(pool) => waits.pools[pool.index()] = wait,
            Place::Cores(service) => {
                let cores = blueprint.services[service.index()].cores?;
                if cores.scheduling.in_line() {
                    waits.cores[service.index()] = wait;
                } else {
                    let pace = cores.cores.min(1.0);
                    let stretch = 1.0 + wait / (queue.hold / pace);
                    waits.stretch[service.index()] = stretch.min(most_sharing(blueprint, service));
                }
            }
        }
    }
    Some(waits)
}

/// Mean wait at `units` servers in units of the mean hold, for Poisson arrivals and exponential holds.
fn wait(units: f64, offered: f64) -> f64 {
    if units < 1.0 {
        let utilization = offered / units;
        return utilization / (1.0 - utilization) / units; // One server of pace `units`.
    }
    // Between whole numbers of servers, the wait is taken to run straight; below the offered load there is none.
    let (below, above) = (units.floor(), units.ceil());
    let whole = |servers: f64| erlang_c(offered, servers as u32) / (servers - offered);
    if units.fract() == 0.0 || offered >= below {
        return whole(above).max(0.0);
    }
    whole(below) + (units - below) * (whole(above) - whole(below))
}

/// By how much sharing can stretch a need at most: as many share a replica's cores as it has workers.
fn most_sharing(blueprint: &Blueprint, service: ServiceId) -> f64 {
    let cores = blueprint.services[service.index()].cores.map_or(f64::INFINITY, |plan| plan.cores);
    let workers = blueprint.pools.iter().find(|pool| {
        pool.is_workers && matches!(pool.scope, PoolScope::Replica { service: owner, .. } if owner == service)
    });
    workers.map_or(f64::INFINITY, |workers| (f64::from(workers.slots) / cores).max(1.0))
}

fn changes(before: &Waits, after: &Waits) -> f64 {
    let pairs = before.pools.iter().zip(&after.pools);
    let pairs = pairs.chain(before.stretch.iter().zip(&after.stretch));
    let pairs = pairs.chain(before.cores.iter().zip(&after.cores));
    pairs.map(|(a, b)| (a - b).abs() / a.abs().max(b.abs()).max(f64::MIN_POSITIVE)).fold(0.0, f64::max)
}

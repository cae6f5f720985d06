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
//!
//! What grows takes the steady state from the traffics that pass through it, and from all that these pass
//! through. Others keep theirs.

use models::blueprint::{
    Arrivals, Blueprint, CacheId, EndpointId, PoolId, QueueId, RateId, ServiceId, TrafficId, VolumeId,
};
use models::observe::Segment;
use sim_core::Estimate;

use super::analysis::{Analysis, Place, figure, percent};
use super::gather::{Case, Gathered, Levels};
use super::{deadlock, evaluate};
use crate::metric::Subject;
use crate::results::{E, Growth};

/// Slope as a share of the throughput from which growth is clear by itself.
const CLEAR: f64 = 0.01;
/// The same while something is saturated.
const SATURATED: f64 = 0.001;
/// Busy share from which something counts as saturated.
const BUSY: f64 = 0.98;
/// Standard deviations of chance that growth must exceed.
const DEVIATIONS: f64 = 4.0;

/// Whether the blueprint has no steady state by design: rates that move, something that happens by the clock, or
/// replicas that are counted anew all the time.
pub(crate) fn is_transient(blueprint: &Blueprint) -> bool {
    !blueprint.changes.is_empty()
        || !blueprint.autoscalers.is_empty()
        || blueprint.traffics.iter().any(|traffic| moves(&traffic.arrivals))
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
    /// Whose population it is.
    whose: Subject,
    /// How many entered it per second.
    passing: f64,
}

/// What grows, and what has no steady state because of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Growing {
    pub(crate) growth: Vec<Growth>,
    pub(crate) unsteady: Unsteady,
}

/// What grows without bound: queues, and where no queue explains it, services and traffics.
///
/// Nothing in a transient scenario, which has no steady state to compare with.
pub(crate) fn detect(case: &Case, gathered: &Gathered) -> Growing {
    let Some(measured) = &gathered.measured else { return Growing::default() };
    let stuck = deadlock::pools(gathered);
    if is_transient(&case.blueprint) {
        return Growing { growth: Vec::new(), unsteady: Unsteady::by(&case.blueprint, &stuck) };
    }
    let busiest = busiest(&case.blueprint, measured);
    let grow = |candidates: Vec<Candidate>| -> Vec<(Subject, Growth)> {
        candidates
            .into_iter()
            .filter_map(|candidate| {
                Some((candidate.whose, grows(&candidate, case, gathered, busiest.as_ref())?))
            })
            .collect()
    };
    let mut grown = grow(queues(&case.blueprint, measured));
    if grown.is_empty() {
        grown = grow(whole(&case.blueprint, measured));
    }
    let (mut whose, growth): (Vec<Subject>, Vec<Growth>) = grown.into_iter().unzip();
    whose.extend(stuck);
    Growing { growth, unsteady: Unsteady::by(&case.blueprint, &whose) }
}

/// Everything without a steady state.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Unsteady {
    subjects: Vec<Subject>,
}

impl Unsteady {
    /// What `growing` takes the steady state from.
    fn by(blueprint: &Blueprint, growing: &[Subject]) -> Self {
        if growing.is_empty() {
            return Self::default();
        }
        let mut subjects = growing.to_vec();
        // Nobody waits for what a queue keeps for later.
        let growing: Vec<Subject> =
            growing.iter().copied().filter(|subject| !matches!(subject, Subject::Queue(..))).collect();
        if growing.is_empty() {
            return Self { subjects };
        }
        let passes = passages(blueprint);
        let mut touched =
            passes.iter().filter(|passes| growing.iter().any(|g| passes.contains(g))).peekable();
        if touched.peek().is_none() {
            subjects.extend(passes.iter().flatten()); // Nobody is known to pass through it: anybody may.
        }
        subjects.extend(touched.flatten());
        Self { subjects }
    }

    /// Whether `subject` has no steady state.
    pub(crate) fn has(&self, subject: Subject) -> bool {
        let subject = match subject {
            Subject::Group(traffic, _) => Subject::Traffic(traffic),
            other => other,
        };
        self.subjects.contains(&subject)
    }

    /// Where it shows in a report, sorted: `services.web.endpoints.get`, `traffic.users`.
    pub(crate) fn paths(&self, blueprint: &Blueprint) -> Vec<String> {
        let of_service = |name: &str, kind: &str| {
            let (service, own) = name.split_once('.')?;
            Some(format!("services.{service}.{kind}.{own}"))
        };
        let path = |subject: &Subject| match *subject {
            Subject::Traffic(id) | Subject::Group(id, _) => blueprint.traffics[id.index()].path.clone(),
            Subject::Service(id) => blueprint.services[id.index()].path.clone(),
            Subject::Cores(id) => format!("{}.resources.cores", blueprint.services[id.index()].path),
            Subject::Endpoint(id) => {
                let name = &blueprint.endpoints[id.index()].name;
                of_service(name, "endpoints").unwrap_or_else(|| name.clone())
            }
            Subject::Job(id) => blueprint.jobs[id.index()].path.clone(),
            Subject::Queue(id, _) => blueprint.queues[id.index()].path.clone(),
            Subject::Pool(id) => {
                let name = &blueprint.pools[id.index()].name;
                of_service(name, "resources").unwrap_or_else(|| format!("resources.{name}"))
            }
            Subject::Rate(id) => {
                let name = &blueprint.rates[id.index()].name;
                of_service(name, "resources").unwrap_or_else(|| format!("resources.{name}"))
            }
            Subject::Volume(id) => {
                let name = &blueprint.volumes[id.index()].name;
                of_service(name, "resources").unwrap_or_else(|| format!("resources.{name}"))
            }
            Subject::Cache(id) => blueprint.caches[id.index()].path.clone(),
            Subject::Autoscaler(id) => blueprint.autoscalers[id.index()].path.clone(),
            Subject::Route(id) => format!("routes.{}", blueprint.routes[id.index()].name),
            Subject::Policy(first, _) => {
                let used = &blueprint.uses[first as usize];
                blueprint.policies[used.policy.index()].path.clone()
            }
        };
        let mut paths: Vec<String> = self.subjects.iter().map(path).collect();
        paths.sort();
        paths.dedup();
        paths
    }
}

/// By traffic: itself and all that its requests pass through.
fn passages(blueprint: &Blueprint) -> Vec<Vec<Subject>> {
    let analysis = Analysis::of(blueprint);
    let through = |load: &super::analysis::Load| {
        let entered = load.entries.iter().enumerate().filter(|(_, entries)| **entries > 0.0);
        let entered: Vec<EndpointId> = entered.map(|(e, _)| EndpointId(e as u32)).collect();
        let services = entered.iter().map(|e| Subject::Service(blueprint.endpoints[e.index()].service));
        let visited = analysis.stations.iter().zip(&load.visits).filter(|(_, visits)| **visits > 0.0);
        let stations = visited.map(|(station, _)| match station.place {
            Place::Pool(pool) => Subject::Pool(pool),
            Place::Cores(service) => Subject::Cores(service),
        });
        let mut passes = vec![Subject::Traffic(load.traffic)];
        passes.extend(services.chain(stations));
        passes.extend(entered.iter().copied().map(Subject::Endpoint));
        passes
    };
    analysis.loads.iter().map(through).collect()
}

fn queues(blueprint: &Blueprint, measured: &Segment) -> Vec<Candidate> {
    let pools = blueprint.pools.iter().zip(&measured.pools).enumerate().map(|(position, (plan, seen))| {
        let passing = seen.in_use.arrival_rate().max(seen.waiting.arrival_rate());
        let whose = Subject::Pool(PoolId(position as u32));
        Candidate { at: format!("{} queue", plan.name), whose, passing }
    });
    let cores =
        blueprint.services.iter().zip(&measured.cores).enumerate().filter_map(|(position, (plan, seen))| {
            let passing = seen.as_ref()?.present.arrival_rate();
            let whose = Subject::Cores(ServiceId(position as u32));
            Some(Candidate { at: format!("{}.cores queue", plan.name), whose, passing })
        });
    let rates = blueprint.rates.iter().zip(&measured.rates).enumerate().map(|(position, (plan, seen))| {
        let whose = Subject::Rate(RateId(position as u32));
        Candidate { at: format!("{} queue", plan.name), whose, passing: seen.waiting.arrival_rate() }
    });
    let volumes = blueprint.volumes.iter().zip(&measured.volumes).enumerate();
    let volumes = volumes.map(|(position, (plan, seen))| {
        let whose = Subject::Volume(VolumeId(position as u32));
        Candidate { at: format!("{} queue", plan.name), whose, passing: seen.waiting.arrival_rate() }
    });
    let caches = blueprint.caches.iter().zip(&measured.caches).enumerate();
    let caches = caches.map(|(position, (plan, seen))| {
        let whose = Subject::Cache(CacheId(position as u32));
        Candidate { at: format!("{} queue", plan.name), whose, passing: seen.fetching.arrival_rate() }
    });
    let lags = blueprint.queues.iter().zip(&measured.queues).enumerate().flat_map(|(q, (plan, seen))| {
        let groups = plan.groups.iter().zip(&seen.groups).enumerate();
        // What nobody takes is kept on purpose.
        let taken = groups.filter(|(_, (group, _))| group.job.is_some());
        taken.map(move |(g, (group, seen))| {
            let whose = Subject::Queue(QueueId(q as u32), g as u32);
            let at = if plan.groups.len() > 1 {
                format!("{} lag of {}", plan.name, group.name)
            } else {
                format!("{} lag", plan.name)
            };
            Candidate { at, whose, passing: seen.lag.arrival_rate() }
        })
    });
    pools.chain(cores).chain(rates).chain(volumes).chain(caches).chain(lags).collect()
}

fn whole(blueprint: &Blueprint, measured: &Segment) -> Vec<Candidate> {
    let services =
        blueprint.services.iter().zip(&measured.services).enumerate().map(|(position, (plan, seen))| {
            let whose = Subject::Service(ServiceId(position as u32));
            Candidate { at: plan.path.clone(), whose, passing: seen.present.arrival_rate() }
        });
    let traffics =
        blueprint.traffics.iter().zip(&measured.traffics).enumerate().map(|(position, (plan, seen))| {
            let whose = Subject::Traffic(TrafficId(position as u32));
            Candidate { at: plan.path.clone(), whose, passing: seen.present.arrival_rate() }
        });
    services.chain(traffics).collect()
}

/// The levels of a population in a replication.
fn levels_of(levels: &Levels, whose: Subject) -> Option<[u64; 3]> {
    match whose {
        Subject::Pool(id) => levels.pools.get(id.index()).copied(),
        Subject::Cores(id) => levels.cores.get(id.index()).copied(),
        Subject::Service(id) => levels.services.get(id.index()).copied(),
        Subject::Traffic(id) => levels.traffics.get(id.index()).copied(),
        Subject::Rate(id) => levels.rates.get(id.index()).copied(),
        Subject::Volume(id) => levels.volumes.get(id.index()).copied(),
        Subject::Cache(id) => levels.caches.get(id.index()).copied(),
        Subject::Group(..)
        | Subject::Endpoint(_)
        | Subject::Job(_)
        | Subject::Autoscaler(_)
        | Subject::Policy(..)
        | Subject::Route(_) => None,
        Subject::Queue(id, group) => levels.queues.get(id.index())?.get(group as usize).copied(),
    }
}

/// The busiest resource and its utilization.
fn busiest(blueprint: &Blueprint, measured: &Segment) -> Option<(String, f64)> {
    let pools = blueprint.pools.iter().zip(&measured.pools).map(|(plan, seen)| {
        (plan.name.clone(), seen.in_use.integral as f64 / seen.capacity.integral.max(1) as f64)
    });
    let cores = blueprint.services.iter().zip(&measured.cores).filter_map(|(plan, seen)| {
        let seen = seen.as_ref()?;
        (seen.capacity > 0.0).then(|| (format!("{}.cores", plan.name), seen.taken() / seen.capacity))
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
        .filter_map(|sample| levels_of(sample.levels.as_ref()?, candidate.whose))
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

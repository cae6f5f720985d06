//! The closed form of the whole system, as one traffic sees it.

use models::blueprint::{Arrivals, Blueprint, BranchPlan, Op, PolicyPlan, PoolPlan, WaitFor};
use models::theory::{MachineRepair, Mmc, Mmck, Station, closed, fork_join_mean};

use sim_core::Span;

use super::by_load::{ByLoad, by_load};
use super::station::{Law, NEVER, NoLaw, describe, not_poisson, not_split, owner, slowed};
use super::sum::{Part, quantile};
use crate::experiment::analysis::{Analysis, Loaded, Offered, Place, mean};
use crate::experiment::growth::is_transient;
use crate::results::Applies;

/// Response times of a traffic, from a closed form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Whole {
    /// `M/M/4`, `Jackson network`, ...
    pub(crate) model: String,
    pub(crate) mean: Option<f64>,
    /// p50, p99, p99.9.
    pub(crate) quantiles: Option<[f64; 3]>,
    /// Whether the percentiles are only nearly exact where the mean is.
    pub(crate) rough: bool,
    pub(crate) applies: Applies,
    pub(crate) why: String,
}

impl Whole {
    /// By name: mean and percentiles.
    pub(crate) fn metrics(&self) -> [(&'static str, Option<f64>); 4] {
        let at = |i: usize| self.quantiles.map(|quantiles| quantiles[i]);
        [("mean", self.mean), ("p50", at(0)), ("p99", at(1)), ("p99.9", at(2))]
    }

    fn exactly(model: String, mean: f64, quantiles: Option<[f64; 3]>, why: &str) -> Self {
        let why = why.to_owned();
        Self { model, mean: Some(mean), quantiles, rough: false, applies: Applies::Exactly, why }
    }
}

/// The percentiles that are told.
fn three(quantile: impl Fn(f64) -> f64) -> [f64; 3] {
    [quantile(0.5), quantile(0.99), quantile(0.999)]
}

/// A system as theory sees it.
#[derive(Debug)]
pub(super) struct System<'a> {
    pub(super) blueprint: &'a Blueprint,
    pub(super) analysis: Analysis,
    /// By station.
    pub(super) laws: Vec<Result<Law, NoLaw>>,
    /// Under its load, if that leaves it stable.
    loaded: Option<Loaded>,
    /// Whether timeouts or retries are ever likely to act.
    pub(super) policies_matter: bool,
}

impl<'a> System<'a> {
    pub(super) fn of(blueprint: &'a Blueprint) -> Self {
        let analysis = Analysis::of(blueprint);
        let laws = describe(blueprint, &analysis);
        let loaded = Loaded::of(blueprint);
        let policies_matter = policies_matter(blueprint, loaded.as_ref());
        Self { blueprint, analysis, laws, loaded, policies_matter }
    }

    /// The closed form for traffic number `load`, or why there is none.
    pub(super) fn whole(&self, load: usize) -> Result<Whole, String> {
        if is_transient(self.blueprint) {
            return Err("the load or the system changes during the run: there is no steady state".to_owned());
        }
        let visits = &self.analysis.loads[load].visits;
        let visited = self.analysis.stations.iter().zip(visits).filter(|(_, visits)| **visits > 0.0);
        let mut services = visited.filter_map(|(station, _)| match station.place {
            Place::Cores(service) => Some(service),
            Place::Pool(_) => None,
        });
        if let Some(why) = services.find_map(|service| slowed(self.blueprint, service)) {
            return Err(why);
        }
        if let Some(why) = delayed(self.blueprint) {
            return Err(why);
        }
        if !self.blueprint.gets.is_empty() {
            return Err("whether a request finds its answer in a cache depends on those before it".to_owned());
        }
        match self.analysis.loads[load].offered {
            Offered::Closed { users, think } => of_users(self, load, users as u32, think),
            Offered::Open { .. } => of_open(self, load),
        }
    }
}

/// What the network does that closed forms leave out, if it does.
fn delayed(blueprint: &Blueprint) -> Option<String> {
    if let Some(route) = blueprint.routes.iter().find(|route| route.connect.is_some()) {
        return Some(format!("handshakes of connections to `{}` are left out", route.name));
    }
    let lossy = blueprint.wires.iter().any(|wire| wire.loss > 0.0);
    lossy.then(|| "what is lost on the way and sent again is left out".to_owned())
}

/// Stations that requests of `load` visit, those that are one with another left out.
fn visited<'l>(
    analysis: &Analysis,
    laws: &'l [Result<Law, NoLaw>],
    load: usize,
) -> Vec<(usize, &'l Result<Law, NoLaw>)> {
    let merged = |k: usize| {
        laws.iter().flatten().any(|law| {
            law.with_cores.is_some_and(|service| analysis.station(Place::Cores(service)) == Some(k))
        })
    };
    let used = |k: &usize| analysis.loads[load].visits[*k] > 0.0 && !merged(*k);
    (0..laws.len()).filter(used).map(|k| (k, &laws[k])).collect()
}

/// Mean responses that a timeout must leave for it never to matter: exponential times exceed them with
/// probability 1e-13.
const FAR: f64 = 30.0;

/// Whether timeouts or retries are ever likely to act.
fn policies_matter(blueprint: &Blueprint, loaded: Option<&Loaded>) -> bool {
    let policies = &blueprint.policies;
    if policies.iter().any(|p| p.hedge.is_some() || p.limit.is_some()) {
        return true;
    }
    let acts =
        |p: &PolicyPlan| p.retry.is_some() || p.timeout.is_some() || p.total.is_some() || p.breaker.is_some();
    let falls_back = blueprint.uses.iter().any(|usage| usage.fallback.is_some());
    if !falls_back && !policies.iter().any(acts) {
        return false;
    }
    let Some(loaded) = loaded else { return true };
    let longest = (0..loaded.analysis.loads.len()).map(|l| loaded.response(l)).fold(0.0, f64::max);
    let near = |limit: Option<Span>| limit.is_some_and(|limit| limit.as_seconds() < FAR * longest);
    let refuses = |pool: &PoolPlan| pool.queue < u32::MAX || pool.timeout.is_some();
    let fails = blueprint.code.iter().any(|op| matches!(op, Op::Fail { .. }))
        || blueprint.pools.iter().zip(&loaded.queues).any(|(pool, queue)| {
            // Pools come first among the stations.
            refuses(pool) && models::theory::erlang_c(queue.offered, pool.slots) > NEVER
        });
    (falls_back && fails)
        || policies.iter().any(|p| {
            let slow = p.breaker.and_then(|breaker| breaker.slow);
            let reacts = p.retry.is_some() || p.breaker.is_some();
            near(p.timeout) || near(p.total) || near(slow) || (reacts && fails)
        })
}

/// What keeps product form from being exact: forks, policies, pools that matter and are held across calls.
fn doubts(
    system: &System<'_>,
    stations: &[(usize, &Result<Law, NoLaw>)],
    idle: &dyn Fn(usize) -> bool,
) -> Vec<String> {
    let System { blueprint, analysis, .. } = system;
    let mut doubts = Vec::new();
    if !blueprint.forks.is_empty() {
        doubts.push("parallel branches are taken to be independent and exponential".to_owned());
    }
    if blueprint.code.iter().any(|op| matches!(op, Op::Take(_))) {
        doubts.push("waits for rates and volumes are left out".to_owned());
    }
    if system.policies_matter {
        doubts.push("timeouts and retries are left out".to_owned());
    }
    for (k, law) in stations {
        let station = &analysis.stations[*k];
        match law {
            _ if idle(*k) => continue,
            Err(no) => doubts.push(no.why().to_owned()),
            Ok(law) if law.ranked => {
                doubts.push(format!("`{}` serves some classes first: this is the mean of all", station.name));
            }
            Ok(law) if law.gives_up => doubts.push(format!("waits for `{}` are cut off", station.name)),
            Ok(law) if law.room.is_some_and(|room| law.matters(room)) => {
                doubts.push(format!("the queue of `{}` is limited", station.name));
            }
            Ok(law) if !law.shared && !law.exponential => {
                doubts.push(format!("service at `{}` is not exponential", station.name));
            }
            Ok(_) => {}
        }
        doubts.extend(owner(blueprint, station.place).and_then(|service| not_split(blueprint, service)));
    }
    doubts
}

// Open traffic ---------------------------------------------------------------------------------------------

fn of_open(system: &System<'_>, load: usize) -> Result<Whole, String> {
    let System { blueprint, analysis, laws, loaded, .. } = system;
    // A pool at which practically nobody waits might as well not be there.
    let idle = |k: usize| {
        let Some(loaded) = loaded else { return false };
        let (station, queue) = (&loaded.analysis.stations[k], loaded.queues[k]);
        matches!(station.place, Place::Pool(_))
            && laws[k].as_ref().map_or(true, |law| law.with_cores.is_none())
            && models::theory::erlang_c(queue.offered, station.units as u32) < NEVER
    };
    let all = visited(analysis, laws, load);
    let mut stations = all.clone();
    stations.retain(|(k, _)| !idle(*k));
    if stations.is_empty() {
        stations = all;
    }
    let poisson = not_poisson(blueprint);
    let alone = stations.len() == 1 && blueprint.forks.is_empty() && !system.policies_matter;
    if let [(k, Ok(law))] = stations.as_slice()
        && alone
        && poisson.is_none()
        && not_split_at(blueprint, analysis, *k).is_none()
        && (analysis.loads[load].response - law.mean).abs() < 1e-12 + 1e-9 * law.mean
        && let Some(whole) = one_station(law)
    {
        return Ok(whole);
    }
    if let [(k, Ok(law))] = stations.as_slice()
        && alone
        && (analysis.loads[load].response - law.mean).abs() < 1e-12 + 1e-9 * law.mean
        && let Some(by_load) = by_load(system, law, analysis.stations[*k].place)
    {
        return match by_load {
            ByLoad::Unknown(why) => Err(why),
            ByLoad::Nearly { model, mean_wait, why, .. } => Ok(Whole {
                model,
                mean: Some(mean_wait + law.mean),
                quantiles: None,
                rough: true,
                applies: Applies::Approximately,
                why,
            }),
        };
    }
    let Some(loaded) = loaded else {
        let closed = blueprint.traffics.iter().any(|t| matches!(t.arrivals, Arrivals::Closed { .. }));
        let overloaded = analysis.stations.iter().any(|station| station.utilization >= 1.0);
        return Err(if closed {
            "users who wait for answers share the system".to_owned()
        } else if !overloaded {
            "what is held across calls limits the queues inside: there is no closed form".to_owned()
        } else {
            "more work arrives than can be done: there is no steady state".to_owned()
        });
    };
    if let Some(whole) = fork_join(system, load) {
        return Ok(whole);
    }
    let mut doubts = doubts(system, &stations, &idle);
    doubts.extend(poisson);
    let mean = Some(loaded.response(load));
    if let Some(first) = doubts.into_iter().next() {
        let model = "M/M/c stations, one by one".to_owned();
        return Ok(Whole {
            model,
            mean,
            quantiles: None,
            rough: true,
            applies: Applies::Approximately,
            why: first,
        });
    }
    let quantiles = in_a_row(analysis, &stations, load, &idle);
    Ok(Whole {
        model: "Jackson network".to_owned(),
        mean,
        quantiles,
        rough: overtaking(&stations),
        applies: Applies::Exactly,
        why: "Poisson input, and every station is exponential or shared".to_owned(),
    })
}

fn not_split_at(blueprint: &Blueprint, analysis: &Analysis, k: usize) -> Option<String> {
    not_split(blueprint, owner(blueprint, analysis.stations[k].place)?)
}

/// A traffic that visits one station and nothing else.
fn one_station(law: &Law) -> Option<Whole> {
    let mu = 1.0 / law.mean;
    if law.gives_up || law.ranked {
        return None;
    }
    if let Some((mean, why)) = law.known {
        return Some(Whole::exactly(law.model(), mean, None, why));
    }
    if let Some(room) = law.room.filter(|room| law.matters(*room)) {
        let places = law.servers.checked_add(room)?;
        let finite = law.exponential.then(|| Mmck::new(law.arrivals, mu, law.servers, places)).flatten()?;
        let quantiles = (law.fifo && !law.shared).then(|| three(|p| finite.response_quantile(p)));
        return Some(Whole::exactly(
            law.model(),
            finite.mean_response(),
            quantiles,
            "Poisson arrivals, exponential service, a limited queue",
        ));
    }
    let multi = Mmc::new(law.arrivals, mu, law.servers)?;
    if law.shared {
        let why = if law.exponential {
            "Poisson arrivals, exponential needs, shared cores"
        } else {
            "Poisson arrivals; shared cores depend on the mean need only"
        };
        return Some(Whole::exactly(law.model(), multi.mean_response(), None, why));
    }
    if law.exponential {
        let quantiles = law.fifo.then(|| three(|p| multi.response_quantile(p)));
        return Some(Whole::exactly(
            law.model(),
            multi.mean_response(),
            quantiles,
            "Poisson arrivals, exponential service, one queue",
        ));
    }
    let wait = models::theory::allen_cunneen(law.arrivals, mu, law.servers, 1.0, law.scv)?;
    let response = wait.is_finite().then_some(wait + law.mean)?;
    let (applies, why) = if law.servers == 1 {
        (Applies::Exactly, "Poisson arrivals, one server (Pollaczek-Khinchine)")
    } else {
        (Applies::Approximately, "service is not exponential (Allen-Cunneen)")
    };
    Some(Whole {
        model: law.model(),
        mean: Some(response),
        quantiles: None,
        rough: true,
        applies,
        why: why.to_owned(),
    })
}

/// Percentiles of a sequence of stations, each visited once and without overtaking on the way.
///
/// Response times at the stations of a tandem are independent while all but the first and the last have one
/// server (Burke, 1969); with more they nearly are.
fn in_a_row(
    analysis: &Analysis,
    stations: &[(usize, &Result<Law, NoLaw>)],
    load: usize,
    idle: &dyn Fn(usize) -> bool,
) -> Option<[f64; 3]> {
    let load = &analysis.loads[load];
    let mut parts = Vec::new();
    let mut time = 0.0;
    for (k, law) in stations {
        let once = (load.visits[*k] - 1.0).abs() < 1e-9;
        match law {
            Ok(law) if once && law.fifo && law.exponential && !law.shared => {
                let station = Mmc::new(law.arrivals, 1.0 / law.mean, law.servers)?;
                let mu = 1.0 / law.mean;
                let slack = mu * f64::from(law.servers) - law.arrivals;
                parts.push(Part { mu, waits: station.prob_wait(), slack });
                time += law.mean;
            }
            _ if idle(*k) => {}
            _ => return None,
        }
    }
    let nothing_else = (load.response - time).abs() <= 1e-9 * time;
    (nothing_else && !parts.is_empty()).then(|| three(|p| quantile(&parts, p)))
}

/// Whether requests may overtake each other somewhere between the first station and the last.
fn overtaking(stations: &[(usize, &Result<Law, NoLaw>)]) -> bool {
    let several = |(_, law): &(usize, &Result<Law, NoLaw>)| law.as_ref().is_ok_and(|law| law.servers > 1);
    stations.len() > 2 && stations.iter().filter(|station| several(station)).count() > 0
}

/// Requests that do nothing but fork into equal calls of single-server stations, and wait for all of them.
fn fork_join(system: &System<'_>, load: usize) -> Option<Whole> {
    let System { blueprint, analysis, laws, .. } = system;
    let [(_, call)] = blueprint.traffics[load].targets.as_slice() else { return None };
    let poisson = not_poisson(blueprint).is_none() && !system.policies_matter;
    let entry = blueprint.endpoints[blueprint.calls[call.index()].endpoint.index()].entry.index();
    let (Op::Fork(fork), Op::End) = (*blueprint.code.get(entry)?, *blueprint.code.get(entry + 1)?) else {
        return None;
    };
    let fork = &blueprint.forks[fork.index()];
    let calls = fork.branches.iter().all(|branch| matches!(branch, BranchPlan::Call(_)));
    if !poisson || !calls || fork.wait_for != WaitFor::All || fork.copies.is_some() {
        return None;
    }
    let stations = visited(analysis, laws, load);
    let of = |(k, law): &(usize, &Result<Law, NoLaw>)| {
        let once = (analysis.loads[load].visits[*k] - 1.0).abs() < 1e-9;
        law.as_ref()
            .ok()
            .filter(|law| once && law.exponential && law.servers == 1 && law.room.is_none())
            .cloned()
    };
    let single: Vec<Law> = stations.iter().map(of).collect::<Option<_>>()?;
    let first = single.first()?;
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b;
    let same = single.iter().all(|law| near(law.mean, first.mean) && near(law.arrivals, first.arrivals));
    let n = single.len();
    if !same || n != fork.branches.len() || first.instances != 1 {
        return None;
    }
    let mean = fork_join_mean(first.arrivals, 1.0 / first.mean, n as u32)?;
    Some(Whole {
        model: format!("fork-join of {n} M/M/1"),
        mean: Some(mean),
        quantiles: None,
        rough: true,
        applies: if n <= 2 { Applies::Exactly } else { Applies::Approximately },
        why: if n <= 2 {
            "Poisson arrivals, two equal exponential stations".to_owned()
        } else {
            "Nelson and Tantawi's approximation for more than two branches".to_owned()
        },
    })
}

// Closed traffic -------------------------------------------------------------------------------------------

fn of_users(system: &System<'_>, load: usize, users: u32, think: f64) -> Result<Whole, String> {
    let System { blueprint, analysis, laws, .. } = system;
    if blueprint.traffics.len() > 1 {
        return Err("other traffic shares the system with these users".to_owned());
    }
    let stations = visited(analysis, laws, load);
    // Those who cannot all be there at once never wait.
    let idle = |k: usize| {
        let station = &analysis.stations[k];
        matches!(station.place, Place::Pool(_))
            && station.instances <= 1.0
            && station.units >= f64::from(users)
    };
    let mut doubts = doubts(system, &stations, &idle);
    let own = &analysis.loads[load];
    let mut parts = Vec::new();
    let mut known = 0.0;
    for (k, law) in &stations {
        if idle(*k) {
            continue;
        }
        let law = law.as_ref().map_err(|no| no.why().to_owned())?;
        let visits = own.visits[*k] / f64::from(law.instances.max(1));
        for _ in 0..law.instances.max(1) {
            parts.push(Station { service: law.mean, visits, servers: law.servers });
        }
        known += own.visits[*k] * law.mean;
        if law.instances > 1 && doubts.is_empty() {
            doubts.push("requests are spread over the replicas at random".to_owned());
        }
    }
    let elsewhere = (own.response - known).max(0.0);
    if !blueprint.forks.is_empty() {
        return Err("users fork into parallel branches: there is no product form".to_owned());
    }
    let (applies, doubt) = match doubts.into_iter().next() {
        Some(doubt) => (Applies::Approximately, Some(doubt)),
        None => (Applies::Exactly, None),
    };
    if let [one] = parts.as_slice()
        && doubt.is_none()
        && elsewhere <= 1e-9 * known
        && (one.visits - 1.0).abs() < 1e-9
        && let Some(whole) = machine_repair(blueprint, &stations, load, users, think, one)
    {
        return Ok(whole);
    }
    let network =
        closed(users, think + elsewhere, &parts).ok_or_else(|| "a request takes no time".to_owned())?;
    Ok(Whole {
        model: "closed network (MVA)".to_owned(),
        mean: Some(network.response + elsewhere),
        quantiles: None,
        rough: true,
        applies,
        why: doubt.unwrap_or_else(|| "every station is exponential or shared".to_owned()),
    })
}

fn machine_repair(
    blueprint: &Blueprint,
    stations: &[(usize, &Result<Law, NoLaw>)],
    load: usize,
    users: u32,
    think: f64,
    one: &Station,
) -> Option<Whole> {
    let Arrivals::Closed { think: law, .. } = &blueprint.traffics[load].arrivals else { return None };
    let queue = stations.iter().find_map(|(_, law)| law.as_ref().ok().filter(|law| law.exponential))?;
    let repair = MachineRepair::new(users, think, 1.0 / one.service, one.servers)?;
    let known = law.is_exponential() && queue.fifo && !queue.shared;
    let quantiles = known.then(|| three(|p| repair.response_quantile(p)));
    debug_assert!((mean(law) - think).abs() <= 1e-9 * think);
    Some(Whole::exactly(
        format!("M/M/{}//{users}", one.servers),
        repair.mean_response(),
        quantiles,
        "users who think, exponential service at one station",
    ))
}

//! What the operational laws say about a blueprint before anything runs.
//!
//! Mean visits and demands follow from the step code alone; utilizations, the bottleneck and the asymptotic
//! bounds follow from those. Times held across calls are taken as in an empty system, so what is said of a
//! pool held across calls is a lower bound: queueing behind it only makes the holds longer.
//!
//! Source: Denning and Buzen, *The Operational Analysis of Queueing Network Models*, Computing Surveys 10(3),
//! 1978.

mod caches;
mod loaded;
#[cfg(test)]
mod tests;
mod walk;

use models::blueprint::{
    Arrivals, Attribute, Blueprint, EndpointId, JobPlan, PoolId, PoolScope, ServiceId, TrafficId, TrafficPlan,
};
use sim_core::SimTime;
use sim_core::distribution::Distribution;
use sim_core::rate::RateCurve;

pub(crate) use caches::{asked_for, stores};
pub(crate) use loaded::Loaded;
pub(crate) use walk::Waits;

use crate::results::{Bottleneck, SaturatesAt};
use walk::{CallCost, Cost, Costs};

/// The probability of the most frequent value of an attribute over all traffics, as if each had the same one.
fn most_frequent(blueprint: &Blueprint, by: Attribute) -> f64 {
    let (mut frequent, mut all) = (0.0, 0.0);
    for traffic in &blueprint.traffics {
        let weight = match offered(blueprint, traffic) {
            Offered::Open { rate, .. } => rate,
            Offered::Closed { users, think } => users / think.max(1e-9),
        };
        let spread = match by {
            Attribute::Class => None,
            Attribute::Key => traffic.attributes.key.as_ref(),
            Attribute::Tenant => traffic.attributes.tenant.as_ref(),
            Attribute::User => traffic.attributes.user.as_ref(),
        };
        let share = match (spread, by, &traffic.arrivals) {
            (Some(spread), ..) => spread.largest_share(),
            (None, Attribute::User, Arrivals::Closed { users, .. }) => 1.0 / f64::from((*users).max(1)),
            (None, ..) => 1.0,
        };
        frequent += weight * share;
        all += weight;
    }
    if all > 0.0 && frequent > 0.0 { frequent / all } else { 1.0 }
}

/// Where requests queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A resource of kind `slots`.
    Pool(PoolId),
    /// The cores of a service.
    Cores(ServiceId),
}

impl Place {
    /// The service of whose replicas each has one.
    pub(crate) fn service(self, blueprint: &Blueprint) -> Option<ServiceId> {
        match self {
            Self::Cores(service) => Some(service),
            Self::Pool(pool) => match blueprint.pools[pool.index()].scope {
                PoolScope::Replica { service, .. } => Some(service),
                _ => None,
            },
        }
    }
}

/// A resource with a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// Which one.
    pub place: Place,
    /// `db.cores`, `web.workers`, `db_connections`.
    pub name: String,
    /// Units of one instance.
    pub units: f64,
    /// Instances: replicas, or 1.
    pub instances: f64,
    /// Share of the units that is busy under the given load, over 1 where it cannot cope.
    pub utilization: f64,
    /// Whether it is held while waiting for something else, so that queues inside make it busier.
    pub nested: bool,
}

impl Station {
    /// Units of all instances.
    pub fn capacity(&self) -> f64 {
        self.units * self.instances
    }
}

/// How requests come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offered {
    /// At this mean rate over the measured part, whatever happens.
    Open {
        /// Requests per second.
        rate: f64,
        /// Requests that arrive together.
        batch: f64,
    },
    /// From users who wait for the answer.
    Closed {
        /// How many.
        users: f64,
        /// Mean seconds between an answer and the next request.
        think: f64,
    },
}

/// What one traffic asks of the system.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Which traffic.
    pub traffic: TrafficId,
    /// How its requests come.
    pub offered: Offered,
    /// Requests per second; for a closed traffic the upper bound from the asymptotes.
    pub rate: f64,
    /// Mean response in an empty system, in seconds. Parallel branches count as the longest of their means.
    pub response: f64,
    /// By station: unit-seconds that a request needs.
    pub demands: Vec<f64>,
    /// By station: visits of a request.
    pub visits: Vec<f64>,
    /// By endpoint: entries of a request.
    pub entries: Vec<f64>,
    /// By queue: messages of a request, and of what they lead to.
    pub sent: Vec<f64>,
    /// Attempts of a request, as far as its failures follow from `fail` steps.
    pub attempts: f64,
    /// Share of the requests that are answered, as far as it follows from `fail` steps.
    pub answered: f64,
}

/// What the operational laws say.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Everything with a limit: pools, then cores.
    pub stations: Vec<Station>,
    /// By traffic.
    pub loads: Vec<Load>,
    /// Whether the rates of closed traffics are the most that their asymptotes allow, not what they come to.
    pub bounds: bool,
    /// By station: whether jobs use it too.
    pub by_jobs: Vec<bool>,
    /// By station: units that jobs on a clock keep busy, as far as they go by no condition.
    pub by_clock: Vec<f64>,
    /// By queue: messages per second.
    pub sent: Vec<f64>,
    /// By job: seconds that a run takes in an empty system, over all classes alike.
    pub runs: Vec<f64>,
}

impl Analysis {
    /// Analyses an empty system.
    pub fn of(blueprint: &Blueprint) -> Self {
        let mut analysis = Self::with_waits(blueprint, &Waits::none(blueprint));
        let waiting = Self::with_waits(blueprint, &Waits::everywhere(blueprint));
        for (k, station) in analysis.stations.iter_mut().enumerate() {
            let same = |(a, b): (&Load, &Load)| (a.demands[k] - b.demands[k]).abs() <= 1e-9 * b.demands[k];
            station.nested = !analysis.loads.iter().zip(&waiting.loads).all(same);
        }
        analysis
    }

    /// Analyses a system in which `waits` lengthen the holds and responses.
    fn with_waits(blueprint: &Blueprint, waits: &Waits) -> Self {
        let stations = stations(blueprint);
        let classes: Vec<Costs<'_>> = (0..blueprint.classes.len().max(1))
            .map(|class| Costs::solve(blueprint, waits, class as u16))
            .collect();
        let mut loads: Vec<Load> = blueprint
            .traffics
            .iter()
            .enumerate()
            .map(|(t, plan)| load(blueprint, &classes, TrafficId(t as u32), plan, &stations))
            .collect();
        bound_closed(&stations, &mut loads);
        let bounds = loads.iter().any(|load| matches!(load.offered, Offered::Closed { .. }));
        let uses = |station: &Station| {
            let jobs = classes.iter().flat_map(Costs::of_jobs);
            let computes = |cost: &Cost, at: usize| cost.bursts[at] > 0.0 || cost.paused[at] > 0.0;
            let used = |cost: &Cost| match station.place {
                // How long a pool of a replica is held goes by who else computes there.
                Place::Pool(pool) => match blueprint.pools[pool.index()].scope {
                    PoolScope::Replica { service, .. } if computes(cost, service.index()) => true,
                    _ => cost.acquired[pool.index()] > 0.0,
                },
                Place::Cores(service) => computes(cost, service.index()),
            };
            jobs.into_iter().any(used)
        };
        let by_jobs = stations.iter().map(uses).collect();
        let by_clock = stations.iter().map(|station| by_clock(blueprint, &classes[0], station)).collect();
        let sent = (0..blueprint.queues.len())
            .map(|queue| loads.iter().map(|load| load.rate * load.sent[queue]).sum())
            .collect();
        let run = |job: usize| {
            classes.iter().map(|costs| costs.of_jobs()[job].response).sum::<f64>() / classes.len() as f64
        };
        let runs = (0..blueprint.jobs.len()).map(run).collect();
        let mut analysis = Self { stations, loads, bounds, by_jobs, by_clock, sent, runs };
        analysis.use_stations();
        analysis
    }

    /// The same, where the only traffic is closed and its throughput is known to be `rate`.
    #[must_use]
    pub(crate) fn with_throughput(mut self, rate: f64) -> Self {
        for load in &mut self.loads {
            load.rate = rate;
        }
        self.bounds = false;
        self.use_stations();
        self
    }

    /// The same with another number of replicas of the services of which there are `some`, as an autoscaler has made
    /// them.
    #[must_use]
    pub(crate) fn with_replicas(
        mut self,
        blueprint: &Blueprint,
        some: impl Fn(ServiceId) -> Option<f64>,
    ) -> Self {
        for station in &mut self.stations {
            if let Some(replicas) = station.place.service(blueprint).and_then(&some) {
                station.instances = replicas;
            }
        }
        self.use_stations();
        self
    }

    /// Utilizations from the rates.
    fn use_stations(&mut self) {
        for (k, station) in self.stations.iter_mut().enumerate() {
            let loads = self.loads.iter().filter(|load| load.demands[k] > 0.0);
            let busy = loads.map(|load| load.rate * load.demands[k]).sum::<f64>() + self.by_clock[k];
            station.utilization = busy / station.capacity();
        }
    }

    /// The position of `place` among the stations; none for a service without cores.
    pub fn station(&self, place: Place) -> Option<usize> {
        self.stations.iter().position(|station| station.place == place)
    }

    /// The station with the largest predicted utilization.
    pub fn busiest(&self) -> Option<usize> {
        let used = |k: &usize| self.loads.iter().any(|load| load.demands[*k] > 0.0);
        (0..self.stations.len()).filter(used).max_by(|a, b| {
            self.stations[*a].utilization.total_cmp(&self.stations[*b].utilization).then(b.cmp(a))
        })
    }

    /// Requests per second of `load` at which the first station saturates while the others' load stays as it
    /// is; none when nothing limits it.
    pub fn saturation(&self, load: usize) -> Option<f64> {
        let own = &self.loads[load];
        let free = |k: usize| {
            let others: f64 = self
                .loads
                .iter()
                .enumerate()
                .filter(|(other, l)| *other != load && l.demands[k] > 0.0)
                .map(|(_, l)| l.rate * l.demands[k])
                .sum();
            (self.stations[k].capacity() - self.by_clock[k] - others).max(0.0) / own.demands[k]
        };
        (0..self.stations.len()).filter(|k| own.demands[*k] > 0.0).map(free).min_by(f64::total_cmp)
    }

    /// Users beyond which a closed traffic cannot be served without queueing: where its two asymptotes cross.
    pub fn saturation_users(&self, load: usize) -> Option<f64> {
        let Offered::Closed { think, .. } = self.loads[load].offered else { return None };
        Some(self.saturation(load)? * (think + self.loads[load].response))
    }

    /// The value of the path that scales `load` (`traffic.x.rate` or `.users`) at which the system saturates.
    pub fn saturates_at(&self, blueprint: &Blueprint, load: usize) -> Option<SaturatesAt> {
        let path = &blueprint.traffics[self.loads[load].traffic.index()].path;
        let (key, value) = match self.loads[load].offered {
            Offered::Open { batch, .. } => ("rate", self.saturation(load)? / batch),
            Offered::Closed { .. } => ("users", self.saturation_users(load)?),
        };
        value.is_finite().then(|| SaturatesAt { path: format!("{path}.{key}"), value })
    }

    /// The resource that saturates first, with its numbers in a sentence.
    pub fn bottleneck(&self, blueprint: &Blueprint) -> Option<Bottleneck> {
        let k = self.busiest()?;
        let station = &self.stations[k];
        let share = |load: &Load| load.rate * load.demands[k];
        let load = (0..self.loads.len())
            .max_by(|a, b| share(&self.loads[*a]).total_cmp(&share(&self.loads[*b])).then(b.cmp(a)))?;
        let saturates_at = self.saturates_at(blueprint, load);
        let text = self.bottleneck_text(k, load, saturates_at.as_ref());
        Some(Bottleneck {
            at: station.name.clone(),
            predicted: station.utilization,
            utilization: None,
            saturates_at,
            text,
        })
    }

    fn bottleneck_text(&self, k: usize, load: usize, saturates_at: Option<&SaturatesAt>) -> String {
        let station = &self.stations[k];
        let busy = percent(station.utilization);
        let bound = match (station.nested, self.bounds) {
            (true, true) => "about ",
            (true, false) => "at least ",
            (false, true) => "at most ",
            (false, false) => "",
        };
        let (now, limit) = match self.loads[load].offered {
            Offered::Open { rate, batch } => {
                let limit = saturates_at.map(|s| format!("{}/s", figure(s.value)));
                (format!("{}/s", figure(rate / batch)), limit)
            }
            Offered::Closed { users, .. } => {
                let limit = saturates_at.map(|s| format!("about {} users", figure(s.value)));
                (format!("{} users", figure(users)), limit)
            }
        };
        let name = &station.name;
        match limit {
            Some(limit) if station.utilization > 1.0 => {
                format!("`{name}` is overloaded: {now} needs {bound}{busy} of it, it saturates at {limit}")
            }
            Some(limit) => {
                format!("`{name}` is the bottleneck: {bound}{busy} busy at {now}, saturates at {limit}")
            }
            None => format!("`{name}` is the bottleneck: {bound}{busy} busy at {now}"),
        }
    }
}

fn stations(blueprint: &Blueprint) -> Vec<Station> {
    let replicas = |service: ServiceId| f64::from(blueprint.services[service.index()].replicas);
    let pools = blueprint.pools.iter().enumerate().map(|(p, plan)| Station {
        place: Place::Pool(PoolId(p as u32)),
        name: plan.name.clone(),
        // Slots that adapt can become as many as they may.
        units: f64::from(plan.adapt.map_or(plan.slots, |adapt| adapt.bounds.max)),
        instances: match plan.scope {
            PoolScope::Replica { service, .. } => replicas(service),
            PoolScope::One => 1.0,
            PoolScope::Class => blueprint.classes.len().max(1) as f64,
            // As many as it would take if all values were as frequent as the most frequent one.
            PoolScope::Each(by) => 1.0 / most_frequent(blueprint, by),
        },
        utilization: 0.0,
        nested: false,
    });
    let cores = blueprint.services.iter().enumerate().filter_map(|(s, plan)| {
        plan.cores.map(|cores| Station {
            place: Place::Cores(ServiceId(s as u32)),
            name: format!("{}.cores", plan.name),
            units: cores.most_work(),
            instances: f64::from(plan.replicas),
            utilization: 0.0,
            nested: false,
        })
    });
    pools.chain(cores).collect()
}

fn load(
    blueprint: &Blueprint,
    classes: &[Costs<'_>],
    traffic: TrafficId,
    plan: &TrafficPlan,
    stations: &[Station],
) -> Load {
    let mut cost = Cost::zero(blueprint);
    let mut attempts = 0.0;
    for (class_share, class) in shares(&plan.classes) {
        for (share, call) in shares(&plan.targets) {
            let CallCost { cost: of_call, attempts: of_attempts } = classes[usize::from(class)].of_call(call);
            cost.add(&of_call, share * class_share);
            attempts += share * class_share * of_attempts;
        }
    }
    let offered = offered(blueprint, plan);
    let visits = |station: &Station| match station.place {
        Place::Pool(pool) => cost.acquired[pool.index()],
        Place::Cores(service) => cost.bursts[service.index()],
    };
    Load {
        traffic,
        offered,
        rate: match offered {
            Offered::Open { rate, .. } => rate,
            Offered::Closed { users, think } => users / (think + cost.response),
        },
        response: cost.response,
        demands: stations.iter().map(|station| demand(&cost, station)).collect(),
        visits: stations.iter().map(visits).collect(),
        entries: cost.entries.clone(),
        sent: cost.sent.clone(),
        attempts,
        answered: cost.answered(),
    }
}

/// Unit-seconds of a station that something costs. A pause takes all cores of a replica.
fn demand(cost: &Cost, station: &Station) -> f64 {
    match station.place {
        Place::Pool(pool) => cost.held[pool.index()],
        Place::Cores(service) => cost.cpu[service.index()] + cost.paused[service.index()] * station.units,
    }
}

/// Units of a station that jobs on a clock keep busy: their runs per second, times what a run takes. A run that takes
/// longer than a tick makes fewer of them.
fn by_clock(blueprint: &Blueprint, costs: &Costs<'_>, station: &Station) -> f64 {
    let busy = |(plan, cost): (&JobPlan, &Cost)| {
        let start = plan.start.as_ref().filter(|start| start.when.is_none())?;
        let gap = mean(start.every.as_ref()?).max(cost.response);
        let sites = if start.each_replica { blueprint.services[plan.service.index()].replicas } else { 1 };
        Some(f64::from(sites) * demand(cost, station) / gap)
    };
    blueprint.jobs.iter().zip(costs.of_jobs()).filter_map(busy).sum()
}

/// Shares from cumulative shares.
pub(crate) fn shares<T: Copy>(cumulative: &[(f64, T)]) -> Vec<(f64, T)> {
    let mut below = 0.0;
    cumulative
        .iter()
        .map(|(edge, item)| {
            let share = edge - below;
            below = *edge;
            (share, *item)
        })
        .collect()
}

fn offered(blueprint: &Blueprint, plan: &TrafficPlan) -> Offered {
    let (from, to) = (blueprint.warmup.as_seconds(), blueprint.duration.as_seconds());
    match &plan.arrivals {
        Arrivals::Open { rate, batch, .. } => {
            let batch = batch.as_ref().map_or(1.0, mean);
            Offered::Open { rate: mean_rate(rate, from, to) * batch, batch }
        }
        Arrivals::Trace(instants) => {
            let inside = |at: &&u64| {
                let at = SimTime::from_nanos(**at).as_seconds();
                from <= at && at < to
            };
            Offered::Open { rate: instants.iter().filter(inside).count() as f64 / (to - from), batch: 1.0 }
        }
        Arrivals::Closed { users, think } => Offered::Closed { users: f64::from(*users), think: mean(think) },
    }
}

/// Scales the closed traffics down to what the stations leave them: throughput cannot exceed capacity over
/// demand.
fn bound_closed(stations: &[Station], loads: &mut [Load]) {
    let closed = |load: &Load| matches!(load.offered, Offered::Closed { .. });
    let busy = |wanted: bool, k: usize, loads: &[Load]| -> f64 {
        loads
            .iter()
            .filter(|l| closed(l) == wanted && l.demands[k] > 0.0)
            .map(|l| l.rate * l.demands[k])
            .sum()
    };
    let factor = stations
        .iter()
        .enumerate()
        .map(|(k, station)| {
            let wanted = busy(true, k, loads);
            let free = (station.capacity() - busy(false, k, loads)).max(0.0);
            if wanted > free { free / wanted } else { 1.0 }
        })
        .fold(1.0, f64::min);
    loads.iter_mut().filter(|load| closed(load)).for_each(|load| load.rate *= factor);
}

/// Mean of a distribution.
pub(crate) fn mean(distribution: &Distribution) -> f64 {
    distribution.mean()
}

/// Mean of a rate between two instants, in seconds.
pub(crate) fn mean_rate(rate: &RateCurve, from: f64, to: f64) -> f64 {
    rate.average(from, to)
}

/// Three significant digits, without an exponent.
pub(crate) fn figure(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let digits = (2 - x.abs().log10().floor() as i32).max(0);
    format!("{x:.*}", digits as usize)
}

/// A time as a reader would write it.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{} us", figure(s * 1e6)),
        s if s < 1.0 => format!("{} ms", figure(s * 1e3)),
        s => format!("{} s", figure(s)),
    }
}

/// A share in percent, to the whole percent where that says enough.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 { format!("{percent:.0} %") } else { format!("{percent:.2} %") }
}

/// Entries per second of an endpoint, over all traffics.
pub(crate) fn entry_rate(analysis: &Analysis, endpoint: EndpointId) -> f64 {
    analysis.loads.iter().map(|load| load.rate * load.entries[endpoint.index()]).sum()
}

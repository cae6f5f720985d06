//! The laws that every run must obey. A violated one is a bug of the simulator.

use models::blueprint::Blueprint;
use models::observe::{
    ConsumersObservation, CoresObservation, Observations, PoolObservation, QueueObservation, Segment,
};
use sim_core::PopulationWindow;

use super::joined;
use crate::results::{Conservation, Laws, LittlesLaw, UtilizationLaw};

/// Largest relative residual of Little's Law on the sample path.
const LITTLES_LAW: f64 = 1e-9;
/// Largest relative residual of the utilization law.
const UTILIZATION: f64 = 1e-6;

/// The laws over the measured part of merged replications.
pub(crate) fn laws(blueprint: &Blueprint, measured: Option<&Segment>, merged: &Observations) -> Laws {
    let conservation = conservation(blueprint, merged);
    let littles_law = measured.map_or_else(Vec::new, |segment| littles_laws(blueprint, segment));
    let utilization = measured.map_or_else(Vec::new, |segment| utilization_laws(blueprint, segment));
    let hold = conservation.iter().all(|law| law.holds)
        && littles_law.iter().all(|law| !exceeds(law.residual, LITTLES_LAW))
        && utilization.iter().all(|law| !exceeds(law.residual, UTILIZATION));
    Laws { littles_law, conservation, utilization, hold }
}

/// What is violated, one line each.
pub(crate) fn violations(laws: &Laws) -> Vec<String> {
    let conservation = laws.conservation.iter().filter(|law| !law.holds).map(|law| {
        let Conservation { at, offered, ended, in_flight, .. } = law;
        format!(
            "requests of `{at}` are not conserved: {offered} offered, {ended} ended, {in_flight} in flight"
        )
    });
    let littles_law = laws
        .littles_law
        .iter()
        .filter(|law| exceeds(law.residual, LITTLES_LAW))
        .map(|law| format!("Little's Law fails at `{}`: relative residual {:e}", law.at, law.residual));
    let utilization = laws.utilization.iter().filter(|law| exceeds(law.residual, UTILIZATION)).map(|law| {
        format!(
            "the utilization law fails at `{}`: busy {}, work {}, relative residual {:e}",
            law.at, law.utilization, law.demand, law.residual
        )
    });
    conservation.chain(littles_law).chain(utilization).collect()
}

/// Whether a residual is too large, or no number at all.
fn exceeds(residual: f64, limit: f64) -> bool {
    residual.is_nan() || residual > limit
}

fn conservation(blueprint: &Blueprint, merged: &Observations) -> Vec<Conservation> {
    let balances = blueprint.traffics.iter().zip(&merged.balances);
    let requests = balances.map(|(plan, balance)| Conservation {
        at: plan.path.clone(),
        offered: balance.offered,
        ended: balance.outcomes.iter().sum(),
        in_flight: balance.in_flight,
        holds: balance.holds(),
    });
    requests.chain(messages(blueprint, merged)).collect()
}

/// What was sent to a queue was taken in, refused or lost, or is on its way; and what a group was to deal with is dealt
/// with, dead, lost, or still there, counted one by one.
fn messages(blueprint: &Blueprint, merged: &Observations) -> Vec<Conservation> {
    let mut laws = Vec::new();
    for (q, plan) in blueprint.queues.iter().enumerate() {
        let rows = || merged.segments.iter().filter_map(|segment| segment.queues.get(q));
        let sum = |count: fn(&QueueObservation) -> u64| rows().map(count).sum::<u64>();
        let Some(left) = merged.left.get(q) else { continue };
        let mut law = |at: String, offered: u64, ended: u64, in_flight: u64| {
            laws.push(Conservation { at, offered, ended, in_flight, holds: offered == ended + in_flight });
        };
        let sent = sum(|seen| seen.received + seen.rejected + seen.dropped + seen.withdrawn);
        law(plan.path.clone(), sum(|seen| seen.sent), sent, left.on_the_way);
        for (g, group) in plan.groups.iter().enumerate() {
            let of = |count: fn(&ConsumersObservation) -> u64| {
                rows().map(|seen| count(&seen.groups[g])).sum::<u64>()
            };
            let ended = of(|seen| seen.done + seen.dead + seen.lost);
            let at = of_group(&plan.path, &group.name);
            law(at, of(|seen| seen.received), ended, left.kept[g]);
        }
    }
    laws
}

/// How a group of a queue is called.
fn of_group(queue: &str, group: &str) -> String {
    if group.is_empty() { format!("{queue} kept") } else { format!("{queue} consumers {group}") }
}

fn littles_laws(blueprint: &Blueprint, segment: &Segment) -> Vec<LittlesLaw> {
    let traffics = blueprint.traffics.iter().zip(&segment.traffics);
    let mut laws: Vec<LittlesLaw> =
        traffics.map(|(plan, seen)| littles_law(plan.path.clone(), &seen.present)).collect();
    let services = blueprint.services.iter().zip(&segment.services);
    laws.extend(services.map(|(plan, seen)| littles_law(plan.path.clone(), &seen.present)));
    for (plan, seen) in blueprint.pools.iter().zip(&segment.pools) {
        laws.push(littles_law(format!("{} queue", plan.name), &seen.waiting));
        laws.push(littles_law(format!("{} units", plan.name), &seen.in_use));
        if let Some(connections) = &seen.connections {
            laws.push(littles_law(format!("{} connections", plan.name), &connections.open));
        }
    }
    for (plan, seen) in blueprint.rates.iter().zip(&segment.rates) {
        laws.push(littles_law(format!("{} queue", plan.name), &seen.waiting));
    }
    for (plan, seen) in blueprint.volumes.iter().zip(&segment.volumes) {
        laws.push(littles_law(format!("{} queue", plan.name), &seen.waiting));
    }
    for (plan, seen) in blueprint.jobs.iter().zip(&segment.jobs) {
        laws.push(littles_law(plan.path.clone(), &seen.present));
    }
    for (plan, seen) in blueprint.caches.iter().zip(&segment.caches) {
        laws.push(littles_law(format!("{} queue", plan.name), &seen.waiting));
        laws.push(littles_law(format!("{} fetches", plan.name), &seen.fetching));
    }
    for (plan, seen) in blueprint.queues.iter().zip(&segment.queues) {
        laws.push(littles_law(format!("{} senders", plan.name), &seen.senders));
        for (group, seen) in plan.groups.iter().zip(&seen.groups) {
            laws.push(littles_law(of_group(&plan.name, &group.name), &seen.lag));
        }
    }
    for (plan, seen) in blueprint.services.iter().zip(&segment.cores) {
        if let Some(seen) = seen {
            laws.push(littles_law(format!("{}.cores", plan.name), &seen.present));
        }
    }
    laws
}

fn littles_law(at: String, seen: &PopulationWindow) -> LittlesLaw {
    let seconds = seen.span_ns as f64 / 1e9;
    let (l, w) = (seen.mean(), seen.mean_time());
    let lambda = if seconds > 0.0 { seen.leaves as f64 / seconds } else { 0.0 };
    let gap = w.filter(|_| l > 0.0).map(|w| (l - lambda * w) / l);
    // Where nobody ever was, both sides are exactly 0.
    let residual = if seen.integral == 0 && seen.time_sum == 0 { 0.0 } else { seen.residual() };
    LittlesLaw { at, l, lambda, w, residual, gap }
}

fn utilization_laws(blueprint: &Blueprint, segment: &Segment) -> Vec<UtilizationLaw> {
    let cores = blueprint.services.iter().zip(&segment.cores);
    let mut laws: Vec<UtilizationLaw> =
        cores.filter_map(|(plan, seen)| of_cores(&plan.name, seen.as_ref()?)).collect();
    let seconds = joined::seconds(segment);
    let pools = blueprint.pools.iter().zip(&segment.pools);
    laws.extend(pools.filter_map(|(plan, seen)| of_pool(&plan.name, seen, seconds)));
    laws
}

/// Nanoseconds by which sums of fractions may be off where nothing else is: bursts of hours that a window cuts.
const SUMS: f64 = 1e-3;

/// The work that the cores have done is the need that was met, corrected by the bursts that the window's edges
/// cut. A burst ends at a whole nanosecond, so each may have got up to one more than it needed.
fn of_cores(name: &str, seen: &CoresObservation) -> Option<UtilizationLaw> {
    let met = seen.met + seen.partial_end - seen.partial_start;
    let rounding = (seen.present.leaves + seen.present.n_end) as f64 + SUMS;
    let gap = ((seen.worked - met).abs() - rounding).max(0.0);
    (seen.capacity > 0.0).then(|| UtilizationLaw {
        at: format!("{name}.cores"),
        utilization: seen.busy / seen.capacity,
        demand: seen.met / seen.capacity,
        residual: if gap > 0.0 { gap / seen.worked.abs().max(met.abs()) } else { 0.0 },
    })
}

/// The units held are the acquisitions times how long each was held, corrected at the window's edges: which
/// makes it Little's Law of the units.
fn of_pool(name: &str, seen: &PoolObservation, seconds: f64) -> Option<UtilizationLaw> {
    let capacity = seen.capacity.mean();
    let held = seen.in_use.mean_time()? * seen.in_use.leaves as f64 / seconds;
    let on_path = (seen.in_use.time_sum + seen.in_use.age_end) as f64 - seen.in_use.age_start as f64;
    (capacity > 0.0).then(|| UtilizationLaw {
        at: name.to_owned(),
        utilization: seen.in_use.mean() / capacity,
        demand: held / capacity,
        residual: relative(seen.in_use.integral as f64, on_path),
    })
}

fn relative(a: f64, b: f64) -> f64 {
    let gap = (a - b).abs();
    if gap <= 0.0 { 0.0 } else { gap / a.abs().max(b.abs()) }
}

#[cfg(test)]
mod tests {
    use models::observe::{Balance, Ended, TrafficObservation};
    use sim_core::{Fingerprint, SimTime};

    use super::*;
    use crate::experiment::testing::mmc;

    fn seen(balance: Balance, present: PopulationWindow) -> (Segment, Observations) {
        let traffic = TrafficObservation { present, ..TrafficObservation::default() };
        let segment = Segment { traffics: vec![traffic], ..Segment::default() };
        let observations = Observations {
            segments: vec![segment.clone()],
            balances: vec![balance],
            left: Vec::new(),
            breakdowns: Vec::new(),
            events: 1,
            ended: Ended::Complete,
            end: SimTime::ZERO,
            fingerprint: Fingerprint::new(),
            deadlock: None,
            peak_frames: 0,
            peak_bytes: 0,
        };
        (segment, observations)
    }

    /// One request, there for 50 of 100 ns.
    fn one_request() -> PopulationWindow {
        PopulationWindow {
            span_ns: 100,
            integral: 50,
            time_sum: 50,
            enters: 1,
            leaves: 1,
            max: 1,
            ..PopulationWindow::default()
        }
    }

    #[test]
    fn lawful_observations_pass() {
        let balance = Balance { offered: 3, outcomes: vec![2], in_flight: 1 };
        let (segment, merged) = seen(balance, one_request());
        let laws = laws(&mmc(1.0, 0.1, 1, 1.0, 0.0), Some(&segment), &merged);
        assert!(laws.hold && violations(&laws).is_empty(), "{laws:?}");
        assert!((laws.littles_law[0].l - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_lost_request_is_a_violation() {
        let balance = Balance { offered: 4, outcomes: vec![2], in_flight: 1 };
        let (segment, merged) = seen(balance, one_request());
        let laws = laws(&mmc(1.0, 0.1, 1, 1.0, 0.0), Some(&segment), &merged);
        assert!(!laws.hold);
        assert_eq!(
            violations(&laws),
            ["requests of `traffic.users` are not conserved: 4 offered, 2 ended, 1 in flight"]
        );
    }

    #[test]
    fn a_wrong_time_is_a_violation() {
        let balance = Balance { offered: 3, outcomes: vec![2], in_flight: 1 };
        let wrong = PopulationWindow { time_sum: 51, ..one_request() };
        let (segment, merged) = seen(balance, wrong);
        let laws = laws(&mmc(1.0, 0.1, 1, 1.0, 0.0), Some(&segment), &merged);
        assert!(!laws.hold);
        assert!(violations(&laws)[0].starts_with("Little's Law fails at `traffic.users`"));
    }
}

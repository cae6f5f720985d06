//! What a reader of the figures must know.

use models::blueprint::Blueprint;

use super::analysis::{Analysis, Offered, figure, percent};
use super::batches::BATCHES;
use super::gather::{Case, Gathered};
use super::growth::is_transient;
use crate::results::{Latency, Report, TrafficResult};

/// Replications below which the report says that its intervals are only a hint.
const FEW: u32 = 10;
/// How much more than its share the busiest replica has to get before that is told.
const UNEVEN: f64 = 1.2;
/// Gap of L = lambda W, as readers compute it, from which a window is not stationary.
const NOT_STATIONARY: f64 = 0.05;

/// The remarks on `report`, whose figures are complete.
pub(crate) fn notes(report: &Report, case: &Case, gathered: &Gathered, analysis: &Analysis) -> Vec<String> {
    let blueprint = &case.blueprint;
    let mut notes = Vec::new();
    if !report.growth.is_empty() {
        notes.push(no_steady_state(report));
    }
    if is_transient(blueprint) {
        notes.push(
            "the load or the system changes during the run: figures of the whole run mix its phases, look at \
             windows such as `p99[120s..180s]`"
                .to_owned(),
        );
    }
    notes.extend(overloaded(blueprint, analysis));
    notes.extend(closed_and_saturated(blueprint, analysis));
    notes.extend(uneven(report));
    notes.extend(thin(report));
    notes.extend(heavy_tails(blueprint));
    if report.growth.is_empty() && report.deadlock.is_none() && !is_transient(blueprint) {
        notes.extend(not_stationary(report));
    }
    let told = |traffic: &TrafficResult| traffic.latency.mean.is_none_or(|mean| mean.lo.is_some());
    if gathered.complete() && !case.batches.is_empty() {
        notes.extend((!report.traffic.values().all(told)).then(dependent));
    } else if gathered.complete() && report.replications < FEW {
        let count = match report.replications {
            1 => "one replication".to_owned(),
            n => format!("{n} replications"),
        };
        notes.push(format!("{count}: expectations need {FEW} before an interval decides"));
    }
    notes
}

fn dependent() -> String {
    format!(
        "one replication, and its {BATCHES} batches depend on each other, so that they do not tell how sure some figures are: a \
         longer run would, or several replications"
    )
}

fn no_steady_state(report: &Report) -> String {
    let what: Vec<String> = report.growth.iter().map(|growth| format!("`{}`", growth.at)).collect();
    format!(
        "there is no steady state: {} without bound, so means and percentiles{} say how long the run was",
        if what.len() == 1 { format!("{} grows", what[0]) } else { format!("{} grow", what.join(", ")) },
        if report.traffic.keys().any(|name| report.is_steady(&format!("traffic.{name}"))) {
            format!(" of {}", unsteady_traffics(report).join(", "))
        } else {
            String::new()
        },
    )
}

/// The traffics without a steady state.
fn unsteady_traffics(report: &Report) -> Vec<String> {
    let unsteady = report.traffic.keys().filter(|name| !report.is_steady(&format!("traffic.{name}")));
    unsteady.map(|name| format!("`{name}`")).collect()
}

fn overloaded(blueprint: &Blueprint, analysis: &Analysis) -> Option<String> {
    let station = &analysis.stations[analysis.busiest()?];
    let open = analysis.loads.iter().any(|load| matches!(load.offered, Offered::Open { .. }));
    let retries = blueprint.policies.iter().any(|policy| policy.retry.is_some());
    // What is asked for is held against the replicas of the start, which an autoscaler changes.
    (open && blueprint.autoscalers.is_empty() && station.utilization > 1.0).then(|| {
        let more = if retries { ", before any retry" } else { "" };
        format!("`{}` is asked for {} of what it can do{more}", station.name, percent(station.utilization))
    })
}

fn closed_and_saturated(blueprint: &Blueprint, analysis: &Analysis) -> Vec<String> {
    let loads = analysis.loads.iter().enumerate();
    loads
        .filter_map(|(l, load)| {
            let Offered::Closed { users, .. } = load.offered else { return None };
            let limit = analysis.saturation_users(l)?;
            (users > limit).then(|| {
                format!(
                    "`{}` saturates the system: beyond about {} users more users mean longer waits, not more \
                     throughput; its latency says nothing about open traffic",
                    blueprint.traffics[load.traffic.index()].name,
                    figure(limit),
                )
            })
        })
        .collect()
}

/// Services of which one replica gets more than its share.
fn uneven(report: &Report) -> Vec<String> {
    let services = report.services.iter();
    services
        .filter_map(|(name, service)| {
            let (busiest, replicas) = (service.busiest?, service.replicas?.value);
            (busiest.lo? * replicas > UNEVEN).then(|| {
                format!(
                    "the busiest replica of `{name}` gets {} of its requests, {} times its share: what is predicted \
                     for an even share comes earlier there",
                    percent(busiest.value),
                    figure(busiest.value * replicas)
                )
            })
        })
        .collect()
}

fn thin(report: &Report) -> Vec<String> {
    let flagged = |name: &str, latency: &Latency| {
        (!latency.thin.is_empty()).then(|| {
            format!(
                "{} of `{name}` rest on fewer than 10 samples beyond them ({} requests)",
                latency.thin.join(" and "),
                latency.count
            )
        })
    };
    report.traffic.iter().filter_map(|(name, traffic)| flagged(name, &traffic.latency)).collect()
}

/// Distributions whose mean or variance is infinite.
fn heavy_tails(blueprint: &Blueprint) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for law in &blueprint.samplers {
        let mean = law.mean();
        let note = if !mean.is_finite() {
            format!(
                "a {} distribution has no mean: every figure depends on how long the run is",
                law.family()
            )
        } else if !law.scv().is_finite() {
            format!(
                "a {} distribution with mean {} s has no variance: means settle slowly and their intervals are \
                 too narrow",
                law.family(),
                figure(mean)
            )
        } else {
            continue;
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

fn not_stationary(report: &Report) -> Option<String> {
    let traffics = report.laws.littles_law.iter().filter(|law| law.at.starts_with("traffic."));
    let worst = traffics
        .filter_map(|law| law.gap.map(|gap| (law, gap)))
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    (worst.1.abs() > NOT_STATIONARY).then(|| {
        format!(
            "L and lambda W differ by {} at `{}`: the measured part is not stationary, a longer warm-up or run \
             would help",
            percent(worst.1.abs()),
            worst.0.at
        )
    })
}

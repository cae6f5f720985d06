//! What was simulated, by the names of the scenario.

use hockeystick_tests::vectors::Params;
use models::blueprint::{Blueprint, Outcome, UsePlan};
use models::observe::{
    EndpointObservation, PolicyObservation, PoolObservation, Segment, ServiceObservation, TrafficObservation,
};
use sim_core::Histogram;

/// The measured part of a replication, or of several together.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) plan: &'a Blueprint,
    pub(super) segment: &'a Segment,
    pub(super) params: &'a Params,
}

impl Seen<'_> {
    pub(super) fn traffic(&self, name: &str) -> &TrafficObservation {
        &self.segment.traffics[position(&self.plan.traffics, |plan| plan.name == name, name)]
    }

    pub(super) fn pool(&self, name: &str) -> &PoolObservation {
        &self.segment.pools[position(&self.plan.pools, |plan| plan.name == name, name)]
    }

    pub(super) fn service(&self, name: &str) -> &ServiceObservation {
        &self.segment.services[position(&self.plan.services, |plan| plan.name == name, name)]
    }

    pub(super) fn endpoint(&self, name: &str) -> &EndpointObservation {
        &self.segment.endpoints[position(&self.plan.endpoints, |plan| plan.name == name, name)]
    }

    /// Calls under a policy that has one caller.
    pub(super) fn policy(&self, name: &str) -> &PolicyObservation {
        let of_it = |plan: &UsePlan| self.plan.policies[plan.policy.index()].name == name;
        &self.segment.policies[position(&self.plan.uses, of_it, name)]
    }

    /// Seconds that were measured, of all replications together.
    pub(super) fn seconds(&self) -> f64 {
        self.segment.traffics[0].present.span_ns as f64 / 1e9
    }

    /// Response times of all traffics.
    pub(super) fn latency(&self) -> Histogram {
        let mut all = Histogram::new();
        self.segment.traffics.iter().for_each(|traffic| all.merge(&traffic.latency));
        all
    }

    /// Requests that ended.
    pub(super) fn ended(&self) -> f64 {
        self.segment.traffics.iter().flat_map(|traffic| &traffic.outcomes).sum::<u64>() as f64
    }

    /// The share of the ended requests that ended with `outcome`.
    pub(super) fn share(&self, outcome: Outcome) -> f64 {
        let of = |traffic: &TrafficObservation| traffic.outcomes[usize::from(outcome.0)];
        self.segment.traffics.iter().map(of).sum::<u64>() as f64 / self.ended()
    }

    /// Mean requests in the system.
    pub(super) fn present(&self) -> f64 {
        self.segment.traffics.iter().map(|traffic| traffic.present.mean()).sum()
    }
}

fn position<T>(table: &[T], is_it: impl FnMut(&T) -> bool, name: &str) -> usize {
    table.iter().position(is_it).unwrap_or_else(|| panic!("there is no {name}"))
}

/// How a metric is read.
pub(super) enum Reading {
    Value(f64),
    /// The `p`-quantile of these times, in seconds.
    Quantile(Histogram, f64),
}

/// `mean`, `max`, `var`, `p50`, `p90`, `p95`, `p99` or `p999` in seconds; or the share that is `below_` so many
/// seconds.
pub(super) fn figure(times: &Histogram, name: &str) -> Option<Reading> {
    let quantile = |p| Some(Reading::Quantile(times.clone(), p));
    match name {
        "mean" => mean(times).map(Reading::Value),
        "max" => Some(Reading::Value(times.max()? as f64 / 1e9)),
        "var" => Some(Reading::Value(times.variance()? / 1e18)),
        _ if name.starts_with("below_") => {
            let below: f64 = name.strip_prefix("below_")?.parse().ok()?;
            Some(Reading::Value(times.share_at_most((below * 1e9) as u64 - 1)?))
        }
        "p50" => quantile(0.5),
        "p90" => quantile(0.9),
        "p95" => quantile(0.95),
        "p99" => quantile(0.99),
        "p999" => quantile(0.999),
        _ => None,
    }
}

/// The mean in seconds.
pub(super) fn mean(times: &Histogram) -> Option<f64> {
    Some(times.mean()? / 1e9)
}

/// The share of the times that are not 0.
pub(super) fn not_zero(times: &Histogram) -> Option<f64> {
    Some(1.0 - times.share_at_most(0)?)
}

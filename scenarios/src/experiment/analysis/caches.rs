//! How often caches can be expected to have what is asked for, before anything runs.

use models::attribute::Spread;
use models::blueprint::{Attribute, Blueprint, CachePlan, EvictRule, Spacing};
use models::theory::{CharacteristicTime, Popularity};

use super::{Offered, offered};

/// Ranks that are taken one by one: an expectation needs no more.
const EXACT: u32 = 256;

/// By `get` step: the share of its gets that find an answer, as if each request got once from a cache that has had
/// time to fill.
pub(super) fn hit_ratios(blueprint: &Blueprint) -> Vec<f64> {
    let of = |site: &models::blueprint::GetPlan| {
        let plan = &blueprint.caches[site.cache.index()];
        expected(blueprint, plan, site.by)
    };
    blueprint.gets.iter().map(of).collect()
}

/// The spread of an attribute, where exactly one traffic has it, and the rate of that traffic's requests.
pub(crate) fn asked_for(blueprint: &Blueprint, by: Attribute) -> Option<(&Spread, Option<f64>)> {
    let spread = |traffic: &'_ models::blueprint::TrafficPlan| match by {
        Attribute::Key => traffic.attributes.key.is_some(),
        Attribute::Tenant => traffic.attributes.tenant.is_some(),
        Attribute::User => traffic.attributes.user.is_some(),
        Attribute::Class => false,
    };
    let mut asking = blueprint.traffics.iter().filter(|traffic| spread(traffic));
    let (traffic, None) = (asking.next()?, asking.next()) else { return None };
    let rate = match offered(blueprint, traffic) {
        Offered::Open { rate, .. } => Some(rate),
        Offered::Closed { .. } => None,
    };
    let attributes = &traffic.attributes;
    let spread = match by {
        Attribute::Key => &attributes.key,
        Attribute::Tenant => &attributes.tenant,
        _ => &attributes.user,
    };
    Some((spread.as_ref()?, rate))
}

/// Stores that share the gets.
pub(crate) fn stores(blueprint: &Blueprint, plan: &CachePlan) -> f64 {
    match plan.spacing {
        Spacing::Replica(service) => f64::from(blueprint.services[service.index()].replicas.max(1)),
        _ => 1.0,
    }
}

fn expected(blueprint: &Blueprint, plan: &CachePlan, by: Attribute) -> f64 {
    if plan.copy.is_some() {
        return 1.0;
    }
    let Some((spread, rate)) = asked_for(blueprint, by) else { return 0.0 };
    let popularity = Popularity::of(spread, EXACT);
    let by_room = match plan.evict {
        _ if plan.size == u32::MAX => 1.0,
        EvictRule::Lru => CharacteristicTime::lru(&popularity, f64::from(plan.size)).hit_ratio(),
        EvictRule::Fifo | EvictRule::Random => {
            CharacteristicTime::fifo(&popularity, f64::from(plan.size)).hit_ratio()
        }
        EvictRule::Lfu | EvictRule::None => popularity.share_of_first(f64::from(plan.size)),
    };
    let by_time = match (plan.ttl, rate) {
        (Some(ttl), Some(rate)) => {
            let each = rate / stores(blueprint, plan);
            CharacteristicTime::ttl(&popularity, each, ttl.as_seconds(), plan.renews).hit_ratio()
        }
        _ => 1.0,
    };
    by_room.min(by_time)
}

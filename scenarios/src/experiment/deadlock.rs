//! What a report says of requests that wait for each other.

use models::blueprint::Blueprint;
use models::observe::Deadlock;

use super::analysis::figure;
use super::gather::{Case, Gathered};
use crate::metric::Subject;

/// The sentence on the deadlock in which replications ended; none where none did.
pub(crate) fn told(case: &Case, gathered: &Gathered) -> Option<String> {
    let mut stuck = gathered.samples.iter().filter_map(|sample| sample.deadlock.as_ref());
    let first = stuck.next()?;
    let (count, all) = (1 + stuck.count(), gathered.samples.len());
    let how_often =
        if all == 1 { String::new() } else { format!(" (so it ends in {count} of {all} replications)") };
    Some(format!("deadlock: {}{how_often}", sentence(&case.blueprint, first)))
}

/// Who waits for whom in one replication.
fn sentence(blueprint: &Blueprint, deadlock: &Deadlock) -> String {
    let name = |pool: models::blueprint::PoolId| &blueprint.pools[pool.index()].name;
    let mut text = String::new();
    for (number, link) in deadlock.links.iter().enumerate() {
        let units = if link.units == link.in_use {
            format!("all {} units", link.in_use)
        } else {
            format!("{} of the {} units", link.units, link.in_use)
        };
        let (pool, next) = (name(link.pool), name(link.waits_for));
        let link = if number == 0 {
            format!("{units} of `{pool}` that are in use are held by requests that wait for `{next}`")
        } else {
            format!(", {units} of which are held by requests that wait for `{next}`")
        };
        text.push_str(&link);
    }
    format!("{text}, since {} s at the latest", figure(deadlock.since.as_seconds()))
}

/// The pools of all deadlocks.
pub(crate) fn pools(gathered: &Gathered) -> Vec<Subject> {
    let stuck = gathered.samples.iter().filter_map(|sample| sample.deadlock.as_ref());
    let mut pools: Vec<_> = stuck.flat_map(|deadlock| deadlock.links.iter().map(|link| link.pool)).collect();
    pools.sort_unstable();
    pools.dedup();
    pools.into_iter().map(Subject::Pool).collect()
}

#[cfg(test)]
mod tests {
    use models::blueprint::PoolId;
    use models::observe::DeadlockLink;
    use sim_core::SimTime;

    use super::*;
    use crate::experiment::testing::mmc;

    #[test]
    fn a_cycle_is_told_from_pool_to_pool() {
        let mut blueprint = mmc(1.0, 0.01, 4, 10.0, 0.0);
        blueprint.pools.push(blueprint.pools[0].clone());
        blueprint.pools[1].name = "connections".to_owned();
        let link = |pool, waits_for, units| DeadlockLink {
            pool: PoolId(pool),
            waits_for: PoolId(waits_for),
            units,
            in_use: 10,
        };
        let deadlock = Deadlock {
            since: SimTime::from_nanos(2_500_000_000),
            links: vec![link(0, 1, 10), link(1, 0, 9)],
        };
        assert_eq!(
            sentence(&blueprint, &deadlock),
            "all 10 units of `web.workers` that are in use are held by requests that wait for `connections`, 9 of the 10 \
             units of which are held by requests that wait for `web.workers`, since 2.50 s at the latest"
        );
    }
}

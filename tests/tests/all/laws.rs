//! Laws.
use models::blueprint::Blueprint;
use models::observe::{Balance, Ended, Observations};
use sim_core::PopulationWindow;

/// Fails unless the replication ended in time and obeys every law: conservation, Little's Law, utilization.
pub(crate) fn check(plan: &Blueprint, seen: &Observations) {
    assert_eq!(seen.ended, Ended::Complete, "{}", plan.name);
    assert!(seen.balances.iter().all(Balance::holds), "{}: {:?}", plan.name, seen.balances);
    for segment in &seen.segments {
        let traffics = segment.traffics.iter().map(|traffic| &traffic.present);
        let services = segment.services.iter().flat_map(|service| [&service.present, &service.replicas]);
        let pools = segment.pools.iter().flat_map(|pool| [&pool.waiting, &pool.in_use, &pool.capacity]);
        let cores = segment.cores.iter().flatten().map(|cores| &cores.present);
        let all: Vec<&PopulationWindow> = traffics.chain(services).chain(pools).chain(cores).collect();
        assert!(!all.is_empty());
        for window in all {
            assert!(window.residual() == 0.0, "{}: Little's Law fails on {window:?}", plan.name);
        }
    }
}

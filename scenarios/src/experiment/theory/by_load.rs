//! Replicas that one caller chooses by how many calls it has outstanding at each.

use models::blueprint::{Blueprint, Pick};
use models::theory::{Mmc, PowerOfChoices};

use super::station::{Law, not_poisson, owner};
use super::whole::System;
use crate::experiment::analysis::{Place, duration};

/// What theory says of such replicas.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ByLoad {
    /// Very nearly this.
    Nearly {
        model: String,
        /// Probability of a wait, where that is known.
        prob_wait: Option<f64>,
        mean_wait: f64,
        why: String,
    },
    /// Nothing, for this reason.
    Unknown(String),
}

/// What theory says of a station whose replicas are chosen by load: one server each, exponential service, first come
/// first served, and Poisson arrivals from a single caller who knows every queue. None where that is not so.
pub(super) fn by_load(system: &System<'_>, law: &Law, place: Place) -> Option<ByLoad> {
    let blueprint = system.blueprint;
    let n = law.instances;
    let fits = n > 1 && law.servers == 1 && law.exponential && law.fifo && !law.shared && law.room.is_none();
    if !fits || law.gives_up || not_poisson(blueprint).is_some() || system.policies_matter {
        return None;
    }
    let pick = only_rule(blueprint, place)?;
    let mu = 1.0 / law.mean;
    let shared = Mmc::new(law.arrivals * f64::from(n), mu, n)?;
    match pick {
        Pick::Least { choices, .. } if *choices > 1 && *choices < n => {
            let chosen = PowerOfChoices::new(law.arrivals, mu, *choices)?;
            Some(ByLoad::Nearly {
                model: format!("best of {choices} M/M/1"),
                prob_wait: Some(chosen.prob_wait()),
                mean_wait: chosen.mean_wait(),
                why: format!("as if there were very many replicas, not {n} (the mean field of Mitzenmacher)"),
            })
        }
        Pick::LeastConnections | Pick::Least { replacement: false, .. } => {
            let random = matches!(pick, Pick::Least { choices: 1, .. });
            (!random).then(|| ByLoad::Nearly {
                model: format!("M/M/{n}"),
                prob_wait: None,
                mean_wait: shared.mean_wait(),
                why: format!(
                    "as if the {n} replicas shared one queue: the shortest of {n} is a little worse"
                ),
            })
        }
        Pick::JoinIdle => {
            let alone = Mmc::new(law.arrivals, mu, 1)?;
            Some(ByLoad::Unknown(format!(
                "an idle replica is chosen, or else any: there is no closed form. One shared queue would wait {}, \
                 queues chosen at random {}",
                duration(shared.mean_wait()),
                duration(alone.mean_wait()),
            )))
        }
        _ => None,
    }
}

/// The rule by which the only traffic chooses a replica of the station's service, which it calls itself.
fn only_rule(blueprint: &Blueprint, place: Place) -> Option<&Pick> {
    let service = owner(blueprint, place)?;
    let [traffic] = blueprint.traffics.as_slice() else { return None };
    let mut called = traffic.targets.iter().map(|(_, call)| {
        let endpoint = blueprint.calls[call.index()].endpoint;
        blueprint.endpoints[endpoint.index()].service
    });
    let mut routes = blueprint.routes.iter().filter(|route| route.service == service);
    let (route, others) = (routes.next()?, routes.next());
    let alone = called.all(|of| of == service) && others.is_none() && route.health.is_none();
    alone.then_some(&route.pick)
}

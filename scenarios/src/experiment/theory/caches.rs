//! Caches: the hit ratio that follows from how popular keys are.

use models::blueprint::{
    Attribute, Blueprint, CacheId, CachePlan, Coalesce, EvictRule, GetPlan, Pick, RoutePlan, Spacing,
};
use models::observe::CacheObservation;
use models::theory::{CharacteristicTime, Popularity};

use super::{not_poisson, simulated};
use crate::experiment::analysis::{asked_for, stores};
use crate::experiment::gather::{Case, Gathered};
use crate::experiment::growth::is_transient;
use crate::metric::{Figure, Subject};
use crate::results::{Applies, TheoryLine};

/// Ranks that are taken one by one.
const EXACT: u32 = 4_096;

/// Theory beside every cache that is used.
pub(super) fn lines(case: &Case, gathered: &Gathered) -> Vec<TheoryLine> {
    let blueprint = &case.blueprint;
    let Some(measured) = &gathered.measured else { return Vec::new() };
    let caches = blueprint.caches.iter().zip(&measured.caches).enumerate();
    let used = caches.filter(|(_, (plan, seen))| seen.gets > 0 && plan.copy.is_none());
    used.flat_map(|(number, (plan, seen))| {
        let subject = Subject::Cache(CacheId(number as u32));
        let line = |model: &str, metric: &str, value, figure, applies, why: &str| TheoryLine {
            at: plan.path.clone(),
            model: model.to_owned(),
            metric: metric.to_owned(),
            value,
            simulated: simulated(case, gathered, subject, figure),
            applies,
            why: why.to_owned(),
        };
        match law(blueprint, plan, CacheId(number as u32), seen) {
            Err(why) => vec![line("none", "hit ratio", None, Figure::HitRatio, Applies::No, &why)],
            Ok(says) => {
                let mut lines = vec![line(
                    &says.model,
                    "hit ratio",
                    Some(says.hits),
                    Figure::HitRatio,
                    says.applies,
                    says.why,
                )];
                if let Some(entries) = says.entries {
                    let applies = says.applies;
                    lines.push(line(
                        &says.model,
                        "entries",
                        Some(entries),
                        Figure::Entries,
                        applies,
                        says.why,
                    ));
                }
                lines
            }
        }
    })
    .collect()
}

struct Says {
    model: String,
    hits: f64,
    entries: Option<f64>,
    applies: Applies,
    why: &'static str,
}

fn law(
    blueprint: &Blueprint,
    plan: &CachePlan,
    id: CacheId,
    seen: &CacheObservation,
) -> Result<Says, String> {
    if is_transient(blueprint) {
        return Err("the load or the system changes during the run: there is no steady state".to_owned());
    }
    if plan.early.is_some() || plan.stale_while.is_some() || plan.negative.is_some() {
        return Err(
            "what is fetched ahead, used beyond its time or remembered as failed is left out".to_owned()
        );
    }
    let sites: Vec<&GetPlan> = blueprint.gets.iter().filter(|site| site.cache == id).collect();
    let by = sites.first().map_or(Attribute::Key, |site| site.by);
    if sites.iter().any(|site| site.by != by) {
        return Err("its answers are known by several attributes".to_owned());
    }
    if blueprint.puts.iter().any(|put| put.cache == id) {
        return Err("it is written to as well".to_owned());
    }
    let Some((spread, rate)) = asked_for(blueprint, by) else {
        return Err("several traffics ask for keys, each with a popularity of its own".to_owned());
    };
    if is_behind_another(blueprint, id) {
        return Err("it is asked for what another cache has missed".to_owned());
    }
    if let Spacing::Replica(service) = plan.spacing {
        let splits = |route: &&RoutePlan| {
            route.service == service && !matches!(route.pick, Pick::RoundRobin | Pick::Random)
        };
        if blueprint.services[service.index()].replicas > 1 && blueprint.routes.iter().any(|r| splits(&r)) {
            return Err("replicas are not asked for the same keys".to_owned());
        }
    }
    let popularity = Popularity::of(spread, EXACT);
    let keys = popularity.keys();
    let limited = f64::from(plan.size) < keys;
    match (plan.ttl, limited) {
        (None, true) => of_size(&popularity, plan),
        (Some(ttl), false) => {
            let Some(rate) = rate else {
                return Err("how often users ask depends on how long they wait".to_owned());
            };
            if let Some(why) = not_poisson(blueprint) {
                return Err(why);
            }
            if plan.jitter > 0.0 {
                return Err("entries stay for different times".to_owned());
            }
            // Fetching takes time, during which nobody hits.
            let fetch = seen.fetch.mean().unwrap_or(0.0) / 1e9;
            let once = plan.adds || plan.coalesce == Coalesce::Cluster;
            let fetches = fetch > 1e-3 * ttl.as_seconds() && (plan.renews || !once);
            let each = gets_per_second(rate, seen) / stores(blueprint, plan);
            let time = CharacteristicTime::ttl(&popularity, each, ttl.as_seconds(), plan.renews);
            let time = if plan.renews { time } else { time.with_fetches(each * fetch) };
            let (hits, entries) = (time.hit_ratio(), time.occupancy() * stores(blueprint, plan));
            let (applies, why) = if fetches {
                (Applies::Approximately, "as if each key were stored once, by the first who fetches it")
            } else {
                (Applies::Exactly, "Poisson gets of independent keys")
            };
            let model = if plan.renews { "TTL from the last use" } else { "TTL" };
            Ok(Says { model: model.to_owned(), hits, entries: Some(entries), applies, why })
        }
        (Some(_), true) => Err("entries expire and make room for others".to_owned()),
        (None, false) => {
            Err("there is room for all keys, and they stay: in the end everybody hits".to_owned())
        }
    }
}

fn of_size(popularity: &Popularity, plan: &CachePlan) -> Result<Says, String> {
    let size = f64::from(plan.size);
    let (model, hits, why) = match plan.evict {
        EvictRule::Lru => {
            ("Che, LRU", CharacteristicTime::lru(popularity, size).hit_ratio(), "independent gets of keys")
        }
        EvictRule::Fifo => {
            ("Che, FIFO", CharacteristicTime::fifo(popularity, size).hit_ratio(), "independent gets of keys")
        }
        EvictRule::Random => (
            "Che, random",
            CharacteristicTime::fifo(popularity, size).hit_ratio(),
            "independent gets of keys",
        ),
        EvictRule::Lfu => (
            "most popular keys",
            popularity.share_of_first(size),
            "if it knew how popular keys are: counters that are drawn and decay reach less",
        ),
        EvictRule::None => return Err("it keeps what came first".to_owned()),
    };
    Ok(Says { model: model.to_owned(), hits, entries: None, applies: Applies::Approximately, why })
}

/// Gets per second of all stores: a whole number for each request, where that is what was seen but for chance.
fn gets_per_second(rate: f64, seen: &CacheObservation) -> f64 {
    let each = seen.gets as f64 / (seen.waiting.span_ns as f64 / 1e9) / rate;
    let whole = each.round();
    if whole >= 1.0 && (each / whole - 1.0).abs() < 0.05 { whole * rate } else { each * rate }
}

/// Whether the step stands among what another cache does for those who miss.
fn is_behind_another(blueprint: &Blueprint, id: CacheId) -> bool {
    use models::blueprint::Op;
    let mut open: Vec<CacheId> = Vec::new();
    for op in &blueprint.code {
        match op {
            Op::Get(site) => {
                let cache = blueprint.gets[site.index()].cache;
                if cache == id && !open.is_empty() {
                    return true;
                }
                if blueprint.caches[cache.index()].copy.is_none() {
                    open.push(cache);
                }
            }
            Op::Fetched(_) => {
                open.pop();
            }
            Op::End => open.clear(),
            _ => {}
        }
    }
    false
}

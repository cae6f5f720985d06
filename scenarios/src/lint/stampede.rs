//! A popular answer that many will fetch at once when it expires.
//!
//! Source: Vattani, Chierichetti, Lowenstein, *Optimal Probabilistic Cache Stampede Prevention*, VLDB 2015.

use models::blueprint::{Attribute, CachePlan, Coalesce, GetPlan};

use super::{Diagnostic, Seen};
use crate::experiment::analysis::asked_for;

/// Fetches of one answer at once that are worth a word.
const HERD: f64 = 10.0;

/// The rule: while the most popular answer is fetched, fewer than ten others ask for it, or one fetches for all.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let gets = seen.blueprint.gets.iter();
    let mut told = Vec::new();
    let mut warnings = Vec::new();
    for get in gets {
        if !told.contains(&get.cache) {
            told.push(get.cache);
            warnings.extend(warn(seen, get, &seen.parts.caches[get.cache.index()]));
        }
    }
    warnings
}

fn warn(seen: &Seen<'_>, get: &GetPlan, cache: &CachePlan) -> Option<Diagnostic> {
    let eased = cache.coalesce != Coalesce::None || cache.stale_while.is_some() || cache.early.is_some();
    if eased || cache.copy.is_some() || cache.ttl.is_none() || get.by == Attribute::Class {
        return None;
    }
    let (spread, rate) = asked_for(seen.blueprint, get.by)?;
    let seconds = seen.fetch_seconds(get.cache);
    let asked = rate? * spread.largest_share();
    let herd = asked * seconds;
    if herd < HERD {
        return None;
    }
    let message = format!(
        "when the most popular entry of `{}` expires, about {herd:.0} requests fetch it at once: {asked:.0} a second ask \
         for it, and it takes {:.0} ms",
        cache.name,
        seconds * 1e3
    );
    let help = "let one fetch for all: `coalesce: cluster`; or use it meanwhile: `stale_while: 10s`";
    Some(Diagnostic::warning(message).at(seen.place(&cache.path)).help(help))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// 1,000 requests a second for one page, which takes 20 ms.
    fn cache(settings: &str) -> String {
        linted(&format!(
            "duration: 2m
traffic: {{users: {{rate: 1000/s, to: web.get, attributes: {{key: {{uniform: 1}}}}}}}}
services:
  web: {{endpoints: {{get: [{{get: pages}}]}}}}
  db: {{endpoints: {{read: [{{delay: 15ms}}]}}}}
caches: {{pages: {{{settings}, miss: [{{delay: 5ms}}, {{call: db.read}}]}}}}
"
        ))
    }

    #[test]
    fn a_herd_is_told() {
        insta::assert_snapshot!(cache("ttl: 60s"));
    }

    #[test]
    fn where_one_fetches_for_all_there_is_none() {
        for settings in ["ttl: 60s, coalesce: replica", "ttl: 60s, stale_while: 5s", "size: 10"] {
            assert_eq!(cache(settings), "", "{settings}");
        }
    }
}

//! Entries that were all stored at the same time and all expire at the same time.
//!
//! Source: Nishtala et al., *Scaling Memcache at Facebook*, NSDI 2013, section 4.3 (cold cluster warm-up).

use models::blueprint::CachePlan;

use super::{Diagnostic, Seen};

/// Entries of which it does not matter.
const FEW: usize = 20;

/// The rule: a cache that is warm at the start, and whose entries expire within the run, has jitter.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let caches = seen.parts.caches.iter();
    caches.filter_map(|cache| warn(seen, cache)).collect()
}

fn warn(seen: &Seen<'_>, cache: &CachePlan) -> Option<Diagnostic> {
    let ttl = cache.ttl?;
    // What is used stays, each entry for as long as it is.
    if cache.warm.len() < FEW || cache.jitter > 0.0 || cache.renews || ttl >= seen.parts.duration {
        return None;
    }
    let message = format!(
        "the {} entries that `{}` has at the start all expire after {} s, at the same instant",
        cache.warm.len(),
        cache.name,
        ttl.as_seconds()
    );
    let help = "give it `jitter: 10%`; or leave `warm` out and let it fill";
    Some(Diagnostic::warning(message).at(seen.place(&format!("{}.ttl", cache.path))).help(help))
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    fn cache(settings: &str) -> String {
        linted(&format!(
            "duration: 2m
traffic: {{users: {{rate: 1/s, to: web.get, attributes: {{key: {{uniform: 500}}}}}}}}
services: {{web: {{endpoints: {{get: [{{get: pages}}]}}}}}}
caches: {{pages: {{{settings}}}}}
"
        ))
    }

    #[test]
    fn entries_that_expire_together_are_told() {
        insta::assert_snapshot!(cache("ttl: 60s, warm: 50%"));
    }

    #[test]
    fn entries_that_do_not_are_not() {
        for settings in ["ttl: 60s, warm: 50%, jitter: 10%", "ttl: 60s", "ttl: 3m, warm: 100%", "warm: 100%"]
        {
            assert_eq!(cache(settings), "", "{settings}");
        }
    }
}

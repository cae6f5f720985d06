//! Reading results: the figures that charts and tables share.

use std::collections::BTreeMap;

use scenarios::results::{E, Head, Latency, Report, ResourceResult};

use crate::stack::Point;
use crate::unit;

/// A percentile (or the mean) of a latency, by the name that results use.
pub(crate) fn quantile(latency: &Latency, name: &str) -> Option<E> {
    match name {
        "mean" => latency.mean,
        "p50" => latency.p50,
        "p90" => latency.p90,
        "p95" => latency.p95,
        "p99" => latency.p99,
        "p99.9" => latency.p999,
        _ => None,
    }
}

/// All resources of a result: those of services as `service.resource`, then the others.
pub(crate) fn resources(report: &Report) -> impl Iterator<Item = (String, &ResourceResult)> {
    let inner = report.services.iter().flat_map(|(service, found)| {
        found.resources.iter().map(move |(name, resource)| (format!("{service}.{name}"), resource))
    });
    inner.chain(report.resources.iter().map(|(name, resource)| (name.clone(), resource)))
}

/// A point of a chart, where there is a figure.
pub(crate) fn point(x: f64, estimate: Option<E>, steady: bool) -> Option<Point> {
    let estimate = estimate.filter(|e| e.value.is_finite())?;
    let interval = estimate.lo.zip(estimate.hi).filter(|(lo, hi)| lo.is_finite() && hi.is_finite());
    Some(Point { x, y: estimate.value, interval, steady, thin: false })
}

/// The largest first; ties by name.
pub(crate) fn busiest(tops: BTreeMap<String, f64>, count: usize) -> Vec<String> {
    let mut tops: Vec<(String, f64)> = tops.into_iter().collect();
    tops.sort_by(|a, b| b.1.total_cmp(&a.1));
    tops.into_iter().take(count).map(|(name, _)| name).collect()
}

/// An upper bound that an expectation sets: `shoppers.p99 < 250ms` is 0.25 for `shoppers.p99`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) metric: String,
    pub(crate) value: f64,
}

impl Limit {
    /// None where the text says something else: a lower bound, a ratio, a window.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (metric, bound) = text.split_once('<')?;
        let metric = metric.trim();
        let value = unit::parse(bound.strip_prefix('=').unwrap_or(bound))?;
        let plain = !metric.is_empty() && metric.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
        plain.then(|| Self { metric: metric.to_owned(), value })
    }
}

/// What was run, for the top of a picture.
pub(crate) fn title(head: &Head) -> String {
    let variant = head.variant.as_ref().map(|variant| format!(" · {variant}"));
    head.scenario.clone() + &variant.unwrap_or_default()
}

/// How the figures were made, for the foot of a picture.
pub(crate) fn method(reports: &[&Report], version: &str, each: &str) -> Vec<String> {
    let counts = || reports.iter().map(|report| report.replications);
    let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let plural = if most == 1 { "" } else { "s" };
    let count = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    let mut parts = vec![format!("{count} replication{plural}{each}")];
    let mut seeds: Vec<u64> = reports.iter().map(|report| report.head.seed).collect();
    seeds.dedup();
    if let [seed] = seeds[..] {
        parts.push(format!("seed {seed}"));
    }
    parts.push(format!("hockeystick {version}"));
    parts
}

/// How the intervals were made; none where there are none.
pub(crate) fn intervals(reports: &[&Report]) -> Option<String> {
    let report = reports.iter().find(|report| report.replications > 1)?;
    let method = if report.method.is_empty() { String::new() } else { format!(" ({})", report.method) };
    Some(format!("95 % intervals{method}"))
}

/// What a reader must know before believing the figures.
pub(crate) fn warning(reports: &[&Report]) -> Option<String> {
    let mut parts = Vec::new();
    let short = reports.iter().filter(|report| !report.complete).count();
    if short > 0 {
        let reasons: Vec<&str> = reports.iter().flat_map(|r| &r.cut_short).map(String::as_str).collect();
        let reason = reasons.first().map_or_else(String::new, |reason| format!(": {reason}"));
        let which = if reports.len() == 1 {
            "cut short".to_owned()
        } else {
            format!("{short} of {} results were cut short", reports.len())
        };
        parts.push(format!("{which}{reason}"));
    }
    if reports.iter().any(|report| !report.laws.hold) {
        parts.push("a law that every run must obey is violated: do not use these figures".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_bounds_are_read_from_expectations() {
        let limit = |metric: &str, value| Some(Limit { metric: metric.into(), value });
        assert_eq!(Limit::parse("shoppers.p99 < 250ms"), limit("shoppers.p99", 0.25));
        assert_eq!(Limit::parse("shoppers.errors <= 1%"), limit("shoppers.errors", 0.01));
        assert_eq!(Limit::parse("shoppers.p99 / old.p99 < 2"), None);
        assert_eq!(Limit::parse("shoppers.ok > 99%"), None);
    }

    #[test]
    fn the_busiest_come_first() {
        let tops = BTreeMap::from([("a".to_owned(), 0.2), ("b".to_owned(), 0.9), ("c".to_owned(), 0.5)]);
        assert_eq!(busiest(tops, 2), ["b", "c"]);
    }
}

//! The points of a sweep, by what they differ in.

use std::collections::BTreeMap;

use scenarios::results::{SweepPoint, SweepReport};

use crate::unit::Unit;

/// A point with its load.
pub(super) type Loaded<'a> = (f64, &'a SweepPoint);

/// The points that differ only in load.
pub(super) struct Group<'a> {
    /// The values of the other paths, `replicas = 4`; empty where there are none.
    pub(super) name: String,
    pub(super) points: Vec<Loaded<'a>>,
}

/// Bits that sort as the numbers do, for numbers that are not negative.
pub(super) fn order(load: f64) -> u64 {
    let bits = (load + 0.0).to_bits();
    if load < 0.0 { !bits } else { bits | 1 << 63 }
}

/// Traffics by what they offer at most, the largest first.
pub(super) fn by_offered(sweep: &SweepReport) -> Vec<&str> {
    let mut offered: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, traffic) in sweep.points.iter().flat_map(|point| &point.result.traffic) {
        let most = offered.entry(name).or_insert(0.0);
        *most = most.max(traffic.offered.map_or(0.0, |e| e.value));
    }
    let mut ranked: Vec<(&str, f64)> = offered.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.into_iter().map(|(name, _)| name).collect()
}

/// The points of each combination of the other paths, by load.
pub(super) fn groups<'a>(sweep: &'a SweepReport, path: &str) -> Vec<Group<'a>> {
    let others: Vec<(&String, Unit)> = sweep
        .paths
        .iter()
        .enumerate()
        .skip(1)
        .map(|(i, path)| (path, Unit::named(sweep.units.get(i).map_or("", String::as_str))))
        .collect();
    let mut groups: BTreeMap<Vec<u64>, Group<'a>> = BTreeMap::new();
    for point in &sweep.points {
        let Some(&load) = point.at.get(path).filter(|load| load.is_finite()) else {
            continue;
        };
        let values: Vec<f64> =
            others.iter().map(|(path, _)| point.at.get(*path).copied().unwrap_or(0.0)).collect();
        let group = groups.entry(values.iter().map(|&v| order(v)).collect()).or_insert_with(|| {
            let part = |((path, unit), value): (&(&String, Unit), &f64)| {
                format!("{} = {}", short(path), unit.figure(*value))
            };
            let name = others.iter().zip(&values).map(part).collect::<Vec<_>>().join(", ");
            Group { name, points: Vec::new() }
        });
        group.points.push((load, point));
    }
    let mut groups: Vec<Group<'a>> = groups.into_values().collect();
    for group in &mut groups {
        group.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    groups
}

/// The last part of a path.
fn short(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

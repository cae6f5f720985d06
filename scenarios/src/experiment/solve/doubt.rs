//! What speaks against an easier value being never worse.

use crate::experiment::sweep::said;
use crate::metric::{Comparison, Expectation};
use crate::results::{E, Met, TriedPoint, Verdict};

/// Why the easier of two points is worse; none where it is not, as far as can be told.
///
/// It is worse where it fails an expectation that the harder one meets, or is further from meeting it: their intervals
/// are apart.
pub(crate) fn contradiction(
    easier: &TriedPoint,
    harder: &TriedPoint,
    expectations: &[Expectation],
    units: &[(String, String)],
) -> Option<String> {
    let other = |verdict: &Verdict| harder.result.expect.iter().find(|other| other.text == verdict.text);
    let wrong =
        easier.result.expect.iter().filter(|verdict| verdict.verdict != Met::Met).find_map(|verdict| {
            let expectation = expectations.iter().find(|expectation| expectation.text == verdict.text)?;
            let harder = other(verdict)?;
            let how = if harder.verdict == Met::Met && verdict.verdict == Met::NotMet {
                "holds"
            } else if is_further(expectation.comparison, verdict.observed?, harder.observed?) {
                "is nearer"
            } else {
                return None;
            };
            Some((&verdict.text, how))
        });
    let (text, how) = wrong?;
    let at = |point: &TriedPoint| {
        let differs = units.iter().filter(|(path, _)| easier.at.get(path) != harder.at.get(path));
        let values = differs.filter_map(|(path, unit)| Some(said(unit, *point.at.get(path)?)));
        values.collect::<Vec<_>>().join(" and ")
    };
    Some(format!("at {} `{text}` fails, and at {} it {how}", at(easier), at(harder)))
}

/// Whether the first is further in the wrong direction than the second, beyond chance.
fn is_further(comparison: Comparison, easier: E, harder: E) -> bool {
    let apart = |low: E, high: E| low.hi.zip(high.lo).is_some_and(|(low, high)| low < high);
    match comparison {
        Comparison::Less | Comparison::AtMost => apart(harder, easier),
        Comparison::Greater | Comparison::AtLeast => apart(easier, harder),
        Comparison::Equal => false,
    }
}

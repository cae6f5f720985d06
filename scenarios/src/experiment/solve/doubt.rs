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
            } else if is_further(expectation, verdict.observed?, harder.observed?) {
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

/// Whether the first is further from meeting the expectation than the second, beyond chance.
fn is_further(expectation: &Expectation, easier: E, harder: E) -> bool {
    let apart = |harder: (f64, f64), easier: (f64, f64)| harder.1 < easier.0;
    lack(expectation, harder)
        .zip(lack(expectation, easier))
        .is_some_and(|(harder, easier)| apart(harder, easier))
}

/// How far an estimate is from where it should be: the least and the most of it. Less than nothing is good.
fn lack(expectation: &Expectation, e: E) -> Option<(f64, f64)> {
    let (lo, hi) = (e.lo? - expectation.bound, e.hi? - expectation.bound);
    Some(match expectation.comparison {
        Comparison::Less | Comparison::AtMost => (lo, hi),
        Comparison::Greater | Comparison::AtLeast => (-hi, -lo),
        Comparison::Equal if lo > 0.0 => (lo, hi),
        Comparison::Equal if hi < 0.0 => (-hi, -lo),
        Comparison::Equal => (0.0, hi.max(-lo)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::estimate::of;
    use crate::metric::{Figure, Quantity, Subject, Term};
    use models::blueprint::TrafficId;

    /// Whether the first of two intervals is further from what is expected, with the bound at 10.
    fn further(comparison: Comparison, easier: (f64, f64), harder: (f64, f64)) -> bool {
        let metric = of("users.mean", Subject::Traffic(TrafficId(0)), Figure::Mean);
        let left = Quantity::One(Term { variant: None, metric, is_here: true });
        let expectation = Expectation { text: String::new(), left, comparison, bound: 10.0, tolerance: 0.1 };
        let e = |(lo, hi): (f64, f64)| E { value: f64::midpoint(lo, hi), lo: Some(lo), hi: Some(hi) };
        is_further(&expectation, e(easier), e(harder))
    }

    #[test]
    fn what_is_further_in_the_wrong_direction_is_worse() {
        assert!(further(Comparison::Less, (20.0, 22.0), (15.0, 19.0)));
        assert!(!further(Comparison::Less, (18.0, 22.0), (15.0, 19.0)), "that may be chance");
        assert!(!further(Comparison::Less, (15.0, 19.0), (20.0, 22.0)));
        assert!(further(Comparison::AtLeast, (1.0, 2.0), (3.0, 4.0)));
        assert!(
            further(Comparison::Equal, (1.0, 2.0), (17.0, 17.9)),
            "8 and more is further than 7.9 at most"
        );
        assert!(further(Comparison::Equal, (2.0, 3.0), (4.0, 5.0)));
        assert!(!further(Comparison::Equal, (9.0, 12.0), (4.0, 5.0)));
    }
}

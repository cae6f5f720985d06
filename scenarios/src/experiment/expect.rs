//! Whether expectations are met.

use super::estimate::{ENOUGH, Observed, ratio};
use super::gather::{Case, Gathered};
use super::growth::Unsteady;
use crate::metric::{Comparison, Expectation, Figure, Quantity, Reading, Term};
use crate::results::{E, Met, Verdict};

/// What ran, as expectations see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran<'a> {
    pub(crate) case: &'a Case,
    pub(crate) gathered: &'a Gathered,
    /// The expectations as they were resolved for it: a variant may number its parts differently.
    pub(crate) expectations: &'a [Expectation],
    /// What has no steady state in it.
    pub(crate) unsteady: &'a Unsteady,
}

/// The verdict on `expectation`, given what ran; `whichever` is what runs where no variant is named.
///
/// None when it speaks of a variant that did not run.
pub(crate) fn judge(expectation: &Expectation, ran: &[Ran<'_>], whichever: &Ran<'_>) -> Option<Verdict> {
    let terms = expectation.left.terms();
    let runs = terms.iter().map(|term| find(term, ran, whichever)).collect::<Option<Vec<&Ran<'_>>>>()?;
    // As each of them was resolved for what ran.
    let own = |(position, ran): (usize, &&Ran<'_>)| {
        let own = ran.expectations.iter().find(|own| own.text == expectation.text)?;
        own.left.terms().get(position).filter(|term| term.is_here).copied().cloned()
    };
    let own: Vec<Option<Term>> = runs.iter().enumerate().map(own).collect();
    let observe = |(term, ran): (&Option<Term>, &&Ran<'_>)| {
        Observed::of(&term.as_ref()?.metric, ran.case, ran.gathered)
    };
    let seen: Vec<Option<Observed>> = own.iter().zip(&runs).map(observe).collect();
    let observed = together(&seen);
    let complete = runs.iter().all(|ran| ran.gathered.complete());
    let grows = own.iter().zip(&runs).any(|(term, ran)| {
        term.as_ref().is_some_and(|term| ran.unsteady.has(term.metric.subject) && depends_on_length(term))
    });
    let (verdict, why) = decide(expectation, observed.as_ref(), complete, grows);
    Some(Verdict {
        text: expectation.text.clone(),
        verdict,
        observed: observed.and_then(|observed| told(observed.estimate())),
        why,
    })
}

/// What a case shows of the left side of an expectation that names no variant.
pub(crate) fn observed(expectation: &Expectation, case: &Case, gathered: &Gathered) -> Option<Observed> {
    let terms = expectation.left.terms();
    let seen = terms.iter().map(|term| Observed::of(&term.metric, case, gathered));
    together(&seen.collect::<Vec<_>>())
}

/// A metric, or the ratio of two.
fn together(seen: &[Option<Observed>]) -> Option<Observed> {
    match seen {
        [Some(one)] => Some(one.clone()),
        [Some(upper), Some(lower)] => ratio(upper, lower),
        _ => None,
    }
}

/// Whether a value is on the right side.
pub(crate) fn holds(expectation: &Expectation, value: f64) -> bool {
    side(expectation, &exactly(value)) == Some(true)
}

/// A value that is known.
fn exactly(value: f64) -> E {
    E { value, lo: Some(value), hi: Some(value) }
}

impl Quantity {
    /// Its terms.
    pub(crate) fn terms(&self) -> Vec<&Term> {
        match self {
            Self::One(term) => vec![term],
            Self::Ratio(upper, lower) => vec![upper, lower],
        }
    }

    /// Whether it names a variant.
    pub(crate) fn names_a_variant(&self) -> bool {
        self.terms().iter().any(|term| term.variant.is_some())
    }
}

/// What can be told of an estimate: what takes for ever has no figure.
fn told(e: E) -> Option<E> {
    let finite = |bound: Option<f64>| bound.filter(|bound| bound.is_finite());
    e.value.is_finite().then(|| E { value: e.value, lo: finite(e.lo), hi: finite(e.hi) })
}

fn find<'r, 'a>(term: &Term, ran: &'r [Ran<'a>], whichever: &'r Ran<'a>) -> Option<&'r Ran<'a>> {
    match &term.variant {
        None => Some(whichever),
        Some(name) => ran.iter().find(|ran| ran.case.variant.as_ref() == Some(name)),
    }
}

/// Whether the figure depends on how long the run is when something grows: times and queues do, shares of
/// outcomes and rates over a fixed window do not.
fn depends_on_length(term: &Term) -> bool {
    term.metric.window.is_none()
        && term.metric.reading == Reading::Value
        && matches!(
            term.metric.figure,
            Figure::Mean
                | Figure::Quantile(_)
                | Figure::Max
                | Figure::IntendedMean
                | Figure::IntendedQuantile(_)
                | Figure::InFlight
                | Figure::QueueLength
                | Figure::QueueMax
                | Figure::WaitMean
                | Figure::WaitQuantile(_)
                | Figure::Lag
                | Figure::LagMax
                | Figure::LagEnd
                | Figure::Age
                | Figure::AgeEnd
        )
}

fn decide(
    expectation: &Expectation,
    observed: Option<&Observed>,
    complete: bool,
    grows: bool,
) -> (Met, Option<String>) {
    let undecided = |why: &str| (Met::Undecided, Some(why.to_owned()));
    if !complete {
        return undecided("the run was cut short");
    }
    let Some(observed) = observed else {
        return undecided("there is nothing to measure it by");
    };
    let values = observed.values().len();
    let estimate = observed.estimate();
    if values < ENOUGH && !(observed.is_certain() && observed.out_of.is_none()) {
        return undecided(&format!(
            "{ENOUGH} replications are needed before an interval decides, {values} ran"
        ));
    }
    let never = observed.values().iter().filter(|value| value.is_infinite()).count();
    let never_why = format!("in {never} of {values} replications it does not recover before the end");
    if never > 0 && !matches!(expectation.comparison, Comparison::Greater | Comparison::AtLeast) {
        return (Met::NotMet, Some(never_why)); // One that stays down is not within any time.
    }
    let at_the_bound = observed.is_certain() && estimate.value.total_cmp(&expectation.bound).is_eq();
    let met = side(expectation, &if at_the_bound { exactly(estimate.value) } else { estimate });
    match met {
        Some(true) if grows => undecided("it grows without bound or is stuck: a longer run would show more"),
        Some(met) => (if met { Met::Met } else { Met::NotMet }, (never > 0).then_some(never_why)),
        None => undecided("the interval straddles the bound"),
    }
}

/// Whether more replications may decide what this verdict left undecided: the interval straddles the bound.
pub(crate) fn is_open(expectations: &[Expectation], verdict: &Verdict) -> bool {
    undecided_by(expectations, verdict).is_some()
}

/// How many replications it would take to decide what `n` of them left open, if what they saw holds; none where
/// nothing is open, or what was seen lies on the bound.
pub(crate) fn needed(expectations: &[Expectation], verdict: &Verdict, n: u32) -> Option<u32> {
    let (expectation, e) = undecided_by(expectations, verdict)?;
    let bounds = match expectation.comparison {
        Comparison::Equal => {
            vec![expectation.bound - expectation.tolerance, expectation.bound + expectation.tolerance]
        }
        _ => vec![expectation.bound],
    };
    let ratio = |bound: f64| {
        let reach = if bound > e.value { e.hi? - e.value } else { e.value - e.lo? };
        Some(reach / (bound - e.value).abs()).filter(|ratio| ratio.is_finite())
    };
    let worst = bounds.into_iter().filter_map(ratio).max_by(f64::total_cmp)?;
    // What was never seen becomes rarer with every replication; an interval shrinks with the root of their number.
    let times = if e.value == 0.0 { worst } else { worst * worst };
    Some((f64::from(n) * times).ceil().clamp(f64::from(n) + 1.0, f64::from(u32::MAX)) as u32)
}

/// The expectation and what was observed of it, where that straddles the bound.
fn undecided_by<'e>(expectations: &'e [Expectation], verdict: &Verdict) -> Option<(&'e Expectation, E)> {
    let expectation = expectations.iter().find(|expectation| expectation.text == verdict.text)?;
    let e = verdict.observed.filter(|_| verdict.verdict == Met::Undecided)?;
    side(expectation, &e).is_none().then_some((expectation, e))
}

/// Whether the whole interval is on the right side (true) or on the wrong one (false).
fn side(expectation: &Expectation, e: &E) -> Option<bool> {
    let (lo, hi, bound) = (e.lo?, e.hi?, expectation.bound);
    let (met, not_met) = match expectation.comparison {
        Comparison::Less => (hi < bound, lo >= bound),
        Comparison::AtMost => (hi <= bound, lo > bound),
        Comparison::Greater => (lo > bound, hi <= bound),
        Comparison::AtLeast => (lo >= bound, hi < bound),
        Comparison::Equal => {
            let (least, most) = (bound - expectation.tolerance, bound + expectation.tolerance);
            (least <= lo && hi <= most, hi < least || most < lo)
        }
    };
    if met { Some(true) } else { not_met.then_some(false) }
}

#[cfg(test)]
mod tests {
    use models::blueprint::TrafficId;

    use super::*;
    use crate::experiment::estimate::of;
    use crate::metric::Subject;

    fn expectation(comparison: Comparison, bound: f64, tolerance: f64) -> Expectation {
        let metric = of("users.mean", Subject::Traffic(TrafficId(0)), Figure::Mean);
        let left = Quantity::One(Term { variant: None, metric, is_here: true });
        Expectation { text: "users.mean ? x".to_owned(), left, comparison, bound, tolerance }
    }

    /// Ten values around 10: half width 2.262 * 0.4714 / sqrt(10) = 0.3372.
    fn ten() -> Observed {
        let each = (0..10).map(|i| Some(10.0 + [-0.5, 0.5, -0.4, 0.4, 0.0][i % 5])).collect();
        Observed { value: 10.0, each, out_of: None, median: false }
    }

    #[test]
    fn the_whole_interval_decides() {
        let e = ten().estimate();
        let half = e.hi.unwrap() - 10.0;
        assert!((0.2..0.4).contains(&half), "{half}");
        let cases = [
            (Comparison::Less, 11.0, 0.0, Met::Met),
            (Comparison::Less, 10.1, 0.0, Met::Undecided),
            (Comparison::Less, 9.0, 0.0, Met::NotMet),
            (Comparison::AtMost, 9.0, 0.0, Met::NotMet),
            (Comparison::Greater, 9.0, 0.0, Met::Met),
            (Comparison::AtLeast, 11.0, 0.0, Met::NotMet),
            (Comparison::Equal, 10.0, 0.5, Met::Met),
            (Comparison::Equal, 10.0, 0.1, Met::Undecided),
            (Comparison::Equal, 12.0, 1.0, Met::NotMet),
        ];
        for (comparison, bound, tolerance, wanted) in cases {
            let (met, _) = decide(&expectation(comparison, bound, tolerance), Some(&ten()), true, false);
            assert_eq!(met, wanted, "{comparison:?} {bound} ± {tolerance}");
        }
    }

    #[test]
    fn few_replications_decide_nothing() {
        let nine = Observed { each: ten().each[..9].to_vec(), ..ten() };
        let (met, why) = decide(&expectation(Comparison::Less, 100.0, 0.0), Some(&nine), true, false);
        assert_eq!(met, Met::Undecided);
        assert_eq!(why.unwrap(), "10 replications are needed before an interval decides, 9 ran");
    }

    #[test]
    fn certain_counts_are_decided_by_their_value() {
        let three = Observed { value: 243.0, each: vec![Some(243.0); 3], ..ten() };
        let (met, _) = decide(&expectation(Comparison::Equal, 243.0, 0.0), Some(&three), true, false);
        assert_eq!(met, Met::Met);
        let none = Observed { value: 0.0, each: vec![Some(0.0); 10], out_of: Some(100), median: false };
        let (met, _) = decide(&expectation(Comparison::AtMost, 0.0, 0.0), Some(&none), true, false);
        assert_eq!(met, Met::Met, "no more can be shown than that there was none");
        let (met, _) = decide(&expectation(Comparison::Less, 0.001, 0.0), Some(&none), true, false);
        assert_eq!(met, Met::Undecided, "100 requests cannot show less than 0.1 %");
    }

    #[test]
    fn what_straddles_its_bound_says_how_many_replications_it_takes() {
        let all = [expectation(Comparison::Less, 11.0, 0.0)];
        let open = |met: Met, value: f64, lo: f64, hi: f64| Verdict {
            text: all[0].text.clone(),
            verdict: met,
            observed: Some(E { value, lo: Some(lo), hi: Some(hi) }),
            why: None,
        };
        // Half the width takes four times as many: from 2 to either side to 1 below the bound.
        let verdict = open(Met::Undecided, 10.0, 8.0, 12.0);
        assert!(is_open(&all, &verdict));
        assert_eq!(needed(&all, &verdict, 10), Some(40));
        // No error in so many: three times as many requests show a third of the bound.
        assert_eq!(needed(&all, &open(Met::Undecided, 0.0, 0.0, 33.0), 10), Some(30));
        let grows = open(Met::Undecided, 10.0, 9.0, 10.5);
        assert!(!is_open(&all, &grows), "another reason left it undecided");
        assert_eq!(needed(&all, &open(Met::NotMet, 12.0, 11.5, 12.5), 10), None);
    }

    #[test]
    fn what_was_cut_short_or_grows_is_undecided() {
        let wide = expectation(Comparison::Less, 100.0, 0.0);
        assert_eq!(decide(&wide, Some(&ten()), false, false).0, Met::Undecided);
        assert_eq!(decide(&wide, Some(&ten()), true, true).0, Met::Undecided);
        assert_eq!(decide(&wide, None, true, false).0, Met::Undecided);
        let tight = expectation(Comparison::Less, 1.0, 0.0);
        assert_eq!(decide(&tight, Some(&ten()), true, true).0, Met::NotMet);
    }
}

//! Holds a result against an earlier one: Welch's t on the figures of both, with Holm's correction for their number.
//!
//! Nothing but the two results is needed. The standard error of a figure is the longer half of its interval over
//! Student's t; an interval that was cut at 0 or 1, or widened because nothing was seen, is taken for as wide as it
//! says. Results of the same seed are held against each other as if they were independent, which finds less than pairs
//! would ([`super::compare`]), and nothing that is not there.
//!
//! Sources: Welch, *The generalization of 'Student's' problem when several different population variances are
//! involved*, Biometrika 34 (1947); Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian
//! Journal of Statistics 6 (1979).

use sim_core::{student_share, student_t};

use super::estimate::ENOUGH;
use crate::results::{BaselineReport, Change, E, Report, Trend, Verdict};

/// How likely it may be, over all figures, that one is called changed that is not.
const ALPHA: f64 = 0.05;

/// A figure of a report.
struct Figure {
    name: String,
    value: E,
    /// Whether more is better, where that can be said.
    more_is_better: Option<bool>,
}

/// What has changed from `before` to `now`, which are results of the same scenario.
pub fn against(now: &Report, before: &Report) -> BaselineReport {
    let (then, figures) = (figures(before), figures(now));
    let found = |name: &str, among: &[Figure]| among.iter().any(|figure| figure.name == name);
    let names = |of: &[Figure], others: &[Figure]| -> Vec<String> {
        let alone = of.iter().filter(|figure| !found(&figure.name, others));
        alone.map(|figure| figure.name.clone()).collect()
    };
    let missing = [names(&figures, &then), names(&then, &figures)].concat();
    let samples = (before.replications, now.replications);
    let mut changes: Vec<(Change, Option<bool>)> = Vec::new();
    for figure in &figures {
        if let Some(same) = then.iter().find(|same| same.name == figure.name) {
            changes.push((change(&figure.name, same.value, figure.value, samples), figure.more_is_better));
        }
    }
    judge(&mut changes);
    BaselineReport {
        version: before.head.version.clone(),
        seed: before.head.seed,
        replications: before.replications,
        method: "Welch's t, Holm at 5 %".to_owned(),
        changes: changes.into_iter().map(|(change, _)| change).collect(),
        missing,
    }
}

/// The headline of every traffic, what services and nodes cost, and what else the expectations speak of.
fn figures(report: &Report) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    let mut add = |name: String, value: Option<E>, more_is_better: Option<bool>| {
        figures.extend(value.map(|value| Figure { name, value, more_is_better }));
    };
    for (name, traffic) in &report.traffic {
        let latency = &traffic.latency;
        add(format!("{name}.mean"), latency.mean, Some(false));
        add(format!("{name}.p50"), latency.p50, Some(false));
        add(format!("{name}.p99"), latency.p99, Some(false));
        add(format!("{name}.ok"), traffic.ok, Some(true));
        add(format!("{name}.throughput"), traffic.throughput, Some(true));
    }
    for (name, service) in &report.services {
        add(format!("{name}.cost"), service.cost.as_ref().and_then(|cost| cost.total), Some(false));
    }
    for (name, autoscaler) in &report.autoscalers {
        let cost = autoscaler.cost.as_ref().and_then(|cost| cost.total);
        add(format!("autoscalers.{name}.cost"), cost, Some(false));
    }
    for verdict in &report.expect {
        let metric = verdict.text.split(['<', '>', '=']).next().map_or("", str::trim_end);
        if !figures.iter().any(|figure| figure.name == metric) {
            let (name, more_is_better) = (verdict.text.clone(), wanted(verdict));
            figures.extend(verdict.observed.map(|value| Figure { name, value, more_is_better }));
        }
    }
    figures
}

/// Whether an expectation wants more of its metric, or less; not where it wants a value.
fn wanted(verdict: &Verdict) -> Option<bool> {
    // The condition of a recovery has comparisons of its own.
    match verdict.text.rsplit(')').next()?.chars().find(|c| ['<', '>', '='].contains(c))? {
        '<' => Some(false),
        '>' => Some(true),
        _ => None,
    }
}

fn change(name: &str, before: E, now: E, samples: (u32, u32)) -> Change {
    let value = now.value - before.value;
    let tested = Tested::of(before, now, samples);
    let half = tested.as_ref().map(|tested| tested.error * student_t(tested.degrees, 0.95));
    Change {
        metric: name.to_owned(),
        before,
        now,
        difference: E { value, lo: half.map(|half| value - half), hi: half.map(|half| value + half) },
        p: tested.map(|tested| tested.p(value)),
        trend: Trend::NoEvidence,
    }
}

/// The distribution of a difference where there is none.
struct Tested {
    error: f64,
    degrees: u32,
}

impl Tested {
    /// None where either has too few replications to decide anything.
    fn of(before: E, now: E, (n, m): (u32, u32)) -> Option<Self> {
        if (n.min(m) as usize) < ENOUGH {
            return None;
        }
        let (a, b) = (error(before, n)?.powi(2), error(now, m)?.powi(2));
        let spread = a * a / f64::from(n - 1) + b * b / f64::from(m - 1);
        // Welch and Satterthwaite; rounded down, which finds less rather than more.
        let degrees = if spread > 0.0 { ((a + b).powi(2) / spread) as u32 } else { n + m - 2 };
        Some(Self { error: (a + b).sqrt(), degrees: degrees.max(1) })
    }

    fn p(&self, difference: f64) -> f64 {
        if difference == 0.0 {
            return 1.0;
        }
        1.0 - student_share(self.degrees, difference.abs() / self.error)
    }
}

/// The standard error of an estimate from so many replications.
fn error(e: E, replications: u32) -> Option<f64> {
    let half = (e.hi? - e.value).max(e.value - e.lo?);
    Some(half / student_t(replications - 1, 0.95))
}

/// From the least likely on, differences are real as long as each is less likely than its part of the error allows.
fn judge(changes: &mut [(Change, Option<bool>)]) {
    let mut tested: Vec<(f64, usize)> =
        (0..).zip(changes.iter()).filter_map(|(at, (change, _))| Some((change.p?, at))).collect();
    tested.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = tested.len();
    for (rank, (p, at)) in tested.into_iter().enumerate() {
        if p > ALPHA / (all - rank) as f64 {
            return;
        }
        let (change, more_is_better) = &mut changes[at];
        change.trend = match more_is_better {
            None => Trend::Differs,
            Some(better) if *better == (change.difference.value > 0.0) => Trend::Improved,
            Some(_) => Trend::Regressed,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Met;

    fn e(value: f64, half: f64) -> E {
        E { value, lo: Some(value - half), hi: Some(value + half) }
    }

    /// Ten replications each, half widths of 2.262157 standard errors of 3 and 4: the error is 5, and there are
    /// 25^2 / (81/9 + 256/9) = 16.7 degrees of freedom. 2.119905 is the critical value for 16.
    #[test]
    fn welch_by_hand() {
        let t = 2.262_157;
        let change = change("x", e(100.0, 3.0 * t), e(100.0 + 5.0 * 2.119_905, 4.0 * t), (10, 10));
        assert!((change.p.unwrap() - 0.05).abs() < 1e-5, "{change:?}");
        assert!(change.difference.lo.unwrap().abs() < 1e-4, "{change:?}");
    }

    /// The same again is no difference, not even a certain one.
    #[test]
    fn equal_figures_have_not_changed() {
        assert_eq!(change("x", e(1.0, 0.0), e(1.0, 0.0), (10, 10)).p, Some(1.0));
        assert_eq!(change("x", e(1.0, 0.0), e(1.5, 0.0), (10, 10)).p, Some(0.0));
        assert_eq!(change("x", e(1.0, 0.1), e(9.0, 0.1), (10, 9)).p, None);
    }

    /// The bounds of four are 0.05/4, 0.05/3, 0.05/2 and 0.05. All of 0.005, 0.01, 0.02, 0.03 are within theirs; of
    /// 0.005, 0.01, 0.03, 0.04 the third is not, which ends it though 0.04 would be; of four times 0.02 the first is
    /// not.
    #[test]
    fn holm_by_hand() {
        let of = |ps: [f64; 4]| {
            let new = |p| {
                let change = change("x", e(1.0, 0.1), e(2.0, 0.1), (10, 10));
                (Change { p: Some(p), ..change }, Some(false))
            };
            let mut changes = ps.map(new);
            judge(&mut changes);
            changes.map(|(change, _)| change.trend == Trend::Regressed)
        };
        assert_eq!(of([0.01, 0.02, 0.03, 0.005]), [true; 4]);
        assert_eq!(of([0.01, 0.04, 0.03, 0.005]), [true, false, false, true]);
        assert_eq!(of([0.02, 0.02, 0.02, 0.02]), [false; 4]);
    }

    #[test]
    fn expectations_say_what_is_better() {
        let of = |text: &str| {
            wanted(&Verdict { text: text.to_owned(), verdict: Met::Met, observed: None, why: None })
        };
        assert_eq!(of("shoppers.p99 < 250ms"), Some(false));
        assert_eq!(of("users.ok[200s..600s] > 99%"), Some(true));
        assert_eq!(of("orders.lag.slope = 1000/s ± 1%"), None);
        assert_eq!(of("users.recovery(ok > 99%, after 130s) < 100s"), Some(false));
    }
}

//! Runs at points at which uncertain inputs are drawn anew, and what of the result is due to which of them.
//!
//! Point number k runs on replications of its own, so that what points say is independent, noise included: intervals
//! are over points.

mod shares;
#[cfg(test)]
mod tests;

use models::blueprint::Blueprint;
use sim_core::{CancelFlag, Estimate};

use self::shares::{Columns, Shares, shares};
use super::estimate;
use super::expect::{holds, observed};
use super::gather::{Case, Gathered, Progress, Simulate, gather_each};
use super::precision::Until;
use super::report::headline;
use super::run::{BrokenLaws, Options, Plan, Prepared, lawful};
use crate::metric::{Expectation, Figure, Metric, Reading};
use crate::results::{Cause, Causes, E, MetAt, UncertainInput, UncertainMetric, Uncertainty};
use crate::uncertain::{Input, Known, Uncertain};
use crate::{Diagnostics, Override, Scenario, Source};

pub(crate) use self::shares::least_points;

/// The points at which uncertain inputs are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    inputs: Vec<Input>,
    /// Replications of each point.
    replications: u32,
    points: Vec<DrawnPoint>,
}

/// A point.
#[derive(Clone, Debug, PartialEq)]
struct DrawnPoint {
    blueprint: Blueprint,
    /// By input: the numbers that stand for what was drawn.
    at: Vec<Vec<f64>>,
}

impl Drawn {
    /// None where all inputs of the scenario are known.
    ///
    /// # Errors
    ///
    /// When a point does not hold together.
    pub(crate) fn of(
        source: &Source,
        overrides: &[Override],
        scenario: &Scenario,
    ) -> Result<Option<Self>, Diagnostics> {
        let Uncertain { inputs, points, replications } = scenario.uncertain();
        if inputs.is_empty() {
            return Ok(None);
        }
        let draw = |point: u32| {
            let drawn: Vec<Override> =
                inputs.iter().map(|input| input.at(point, *points, scenario.seed())).collect();
            let all: Vec<Override> = overrides.iter().chain(&drawn).cloned().collect();
            let (scenario, _) = Scenario::load(source, &all)?;
            let at = inputs.iter().zip(&drawn).map(|(input, drawn)| input.covariates(drawn, source));
            Ok(DrawnPoint { blueprint: scenario.compile(), at: at.collect() })
        };
        let points = (0..*points).map(draw).collect::<Result<_, Diagnostics>>()?;
        Ok(Some(Self { inputs: inputs.clone(), replications: *replications, points }))
    }

    /// What all replications of all points have shown. The laws hold at each of them.
    pub(crate) fn gather(
        &self,
        plan: &Plan,
        prepared: &Prepared,
        simulate: &Simulate<'_>,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Gathered, BrokenLaws> {
        let points: Vec<Prepared> = self
            .points
            .iter()
            .zip(0..)
            .map(|(point, number)| {
                prepared.clone().with(|case| {
                    // Duration, windows and whatever happens by the clock are the same everywhere.
                    let Blueprint { warmup, cuts, .. } = case.blueprint;
                    let blueprint = Blueprint { warmup, cuts, ..point.blueprint.clone() };
                    Case { blueprint, ..case }.beginning_with(number * self.replications)
                })
            })
            .collect();
        let cases: Vec<Case> = points.iter().map(|point| point.case.clone()).collect();
        let mut seen = vec![Gathered::default(); cases.len()];
        let finish = |point: usize, gathered: Gathered| seen[point] = gathered;
        gather_each(&cases, simulate, progress, cancel, |_, _| self.replications, finish);
        let mut all = Gathered::default();
        for (point, gathered) in points.iter().zip(seen) {
            if !gathered.samples.is_empty() {
                lawful(point.report(plan, &gathered, Options::default()))?;
            }
            all.join(gathered);
        }
        Ok(all)
    }

    /// What is due to which input.
    pub(crate) fn told(&self, case: &Case, gathered: &Gathered, expectations: &[Expectation]) -> Uncertainty {
        let metrics = metrics(case, expectations);
        Uncertainty {
            points: self.points.len() as u32,
            replications: self.replications,
            inputs: self.inputs.iter().map(input).collect(),
            metrics: metrics.iter().filter_map(|metric| self.metric(metric, case, gathered)).collect(),
            expect: expectations
                .iter()
                .filter_map(|expectation| met_at(expectation, case, gathered))
                .collect(),
        }
    }

    fn metric(&self, metric: &Metric, case: &Case, gathered: &Gathered) -> Option<UncertainMetric> {
        let each = gathered.grouped(&estimate::each(metric, case, gathered)?);
        // Where nothing was measured, nothing can be told.
        let (seen, points): (Vec<Vec<f64>>, Vec<&DrawnPoint>) =
            each.into_iter().zip(&self.points).filter(|(seen, _)| !seen.is_empty()).unzip();
        let mut means: Vec<f64> =
            seen.iter().map(|seen| seen.iter().sum::<f64>() / seen.len() as f64).collect();
        if means.is_empty() || means.iter().any(|mean| !mean.is_finite()) {
            return None;
        }
        let value = means.iter().sum::<f64>() / means.len() as f64;
        let (lo, hi) = Estimate::from_samples(&means).map(|e| (e.lo, e.hi)).unzip();
        means.sort_by(f64::total_cmp);
        let causes = shares(&seen, &self.columns(&points)).map(|shares| self.causes(shares));
        Some(UncertainMetric {
            metric: metric.name.clone(),
            mean: E { value, lo, hi },
            p5: quantile(&means, 0.05),
            p95: quantile(&means, 0.95),
            text: causes.as_ref().map(|causes| advice(&metric.name, causes)),
            causes,
        })
    }

    /// By input and column: the numbers at these points.
    fn columns(&self, points: &[&DrawnPoint]) -> Columns {
        let column =
            |input: usize, column: usize| points.iter().map(|point| point.at[input][column]).collect();
        let columns = |input: usize| {
            let count = points.first().map_or(0, |point| point.at[input].len());
            (0..count).map(|number| column(input, number)).collect()
        };
        (0..self.inputs.len()).map(columns).collect()
    }

    fn causes(&self, shares: Shares) -> Causes {
        let Shares { noise, inputs, rest } = shares;
        let named = self.inputs.iter().zip(inputs);
        let inputs = named.map(|(input, share)| Cause { path: input.path.clone(), share }).collect();
        Causes { inputs, noise, rest }
    }
}

/// What a reader has to know of figures over uncertain inputs.
pub(crate) fn remarks(plan: &Plan) -> Vec<String> {
    let mut remarks = vec![
        "uncertain inputs are drawn anew at every point: figures are means over the points, and intervals are over them; \
         what operational laws predict is of the middle, and no closed form stands beside"
            .to_owned(),
    ];
    if plan.replications.until != Until::Enough {
        let remark = "no `precision` is sought where inputs are uncertain: another replication makes none of them known";
        remarks.push(remark.to_owned());
    }
    remarks
}

fn input(input: &Input) -> UncertainInput {
    let path = input.path.clone();
    match &input.known {
        Known::Between { ends, .. } => UncertainInput {
            path,
            unit: ends.unit.clone(),
            from: ends.values.first().map(|value| value.number),
            to: ends.values.last().map(|value| value.number),
        },
        Known::Samples { .. } => UncertainInput { path, unit: String::new(), from: None, to: None },
    }
}

/// The latencies of every traffic, and what expectations speak of.
fn metrics(case: &Case, expectations: &[Expectation]) -> Vec<Metric> {
    let latency = |metric: &Metric| {
        metric.figure == Figure::Mean || [0.5, 0.99].map(Figure::Quantile).contains(&metric.figure)
    };
    let mut metrics: Vec<Metric> = headline(&case.blueprint).into_iter().filter(latency).collect();
    for term in expectations.iter().flat_map(|expectation| expectation.left.terms()) {
        let recovers = matches!(term.metric.reading, Reading::Recovery(_)); // It may take for ever.
        let known = |known: &Metric| (&known.name, known.window) == (&term.metric.name, term.metric.window);
        if term.variant.is_none() && !recovers && !metrics.iter().any(known) {
            metrics.push(term.metric.clone());
        }
    }
    metrics
}

fn met_at(expectation: &Expectation, case: &Case, gathered: &Gathered) -> Option<MetAt> {
    if expectation.left.names_a_variant() {
        return None;
    }
    let values = observed(expectation, case, gathered)?.values();
    let met = values.iter().filter(|value| holds(expectation, **value)).count() as u32;
    Some(MetAt { text: expectation.text.clone(), met, points: values.len() as u32 })
}

/// A quantile of sorted values, with straight lines between them.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// What to do about the greatest of the causes.
fn advice(metric: &str, causes: &Causes) -> String {
    let percent = |e: E| format!("{:.0} % of the uncertainty of `{metric}`", e.value * 100.0);
    let first = causes.inputs.iter().max_by(|a, b| a.share.value.total_cmp(&b.share.value));
    let of_input = first.map_or(0.0, |first| first.share.value);
    if causes.noise.value >= of_input.max(causes.rest.value) {
        return format!(
            "simulate longer, or more replications of each point: noise causes {}",
            percent(causes.noise)
        );
    }
    match first {
        Some(first) if of_input >= causes.rest.value => {
            format!("measure `{}` better: it causes {}", first.path, percent(first.share))
        }
        _ => format!("no single input is to blame: what they do together causes {}", percent(causes.rest)),
    }
}

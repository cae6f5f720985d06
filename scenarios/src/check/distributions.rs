//! Distributions and rates: from what is written to what can be sampled.

use sim_core::distribution::{
    Constant, Distribution, DistributionError, Empirical, Erlang, Exponential, Gamma, HyperExp, Known,
    LogNormal, Mixture, Normal, Pareto, Quantiles, Uniform, Weibull,
};
use sim_core::rate::{RateCurve, RateError};

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::spec::{DistributionSpec, Family, HyperexpSpec, Quantity, RateSpec};
use crate::tree::Place;
use crate::uncertain::resampled;

impl Checker<'_> {
    /// The distribution, or none where a mistake has been told.
    pub(super) fn distribution<Q: Quantity>(&mut self, spec: &DistributionSpec<Q>) -> Option<Distribution> {
        self.family::<Q>(&spec.family, spec.place)
    }

    fn family<Q: Quantity>(&mut self, family: &Family, place: Place) -> Option<Distribution> {
        let made: Result<Distribution, DistributionError> = match family {
            Family::Constant(value) => Constant::new(*value).map(Into::into),
            Family::Exp(mean) => Exponential::new(*mean).map(Into::into),
            Family::Uniform(low, high) => Uniform::new(*low, *high).map(Into::into),
            Family::Normal(mean, sd) => Normal::new(*mean, *sd).map(Into::into),
            Family::Lognormal(given) => lognormal(given).map(Into::into),
            Family::Gamma(mean, cv) => Gamma::new(*mean, *cv).map(Into::into),
            Family::Erlang(mean, k) => Erlang::new(*mean, *k).map(Into::into),
            Family::Hyperexp(HyperexpSpec::Mean(mean, cv)) => HyperExp::new(*mean, *cv).map(Into::into),
            Family::Hyperexp(HyperexpSpec::Phases(phases)) => HyperExp::from_phases(phases).map(Into::into),
            Family::Weibull(mean, shape) => Weibull::new(*mean, *shape).map(Into::into),
            Family::Pareto(mean, alpha, max) => Pareto::new(*mean, *alpha, *max).map(Into::into),
            Family::Mixture(parts) => {
                let mut laws = Vec::new();
                for (weight, part) in parts {
                    laws.push((*weight, self.family::<Q>(part, place)?));
                }
                Mixture::new(laws).map(Into::into)
            }
            Family::Quantiles(points) => {
                let points: Vec<(f64, f64)> = points.iter().map(|(p, value, _)| (*p, *value)).collect();
                Quantiles::new(&points).map(Into::into)
            }
            Family::File(file) => {
                let unit = file.unit.as_ref().map(|unit| unit.value.0.as_str());
                let Some(factor) = Q::unit(unit) else {
                    self.wrong_unit(file.unit.as_ref().map_or(place, |unit| unit.place), unit, Q::UNITS);
                    return None;
                };
                let values = self.column(&file.file, file.column.as_ref())?;
                let scaled = |values: &[f64]| values.iter().map(|value| value * factor).collect();
                let values = match file.bootstrap.and_then(|resample| resample.number) {
                    Some(number) => scaled(&resampled(&values, number)),
                    None => scaled(&values),
                };
                Empirical::new(values).map(Into::into)
            }
        };
        match made {
            Ok(law) if law.mean().is_finite() => Some(law),
            Ok(_) => {
                self.error(place, "the mean of this distribution is infinite", "give it a `max`");
                None
            }
            Err(error) => {
                self.sink.report(impossible(&error, place));
                None
            }
        }
    }

    pub(super) fn wrong_unit(&mut self, place: Place, unit: Option<&str>, units: &[&str]) {
        let units = crate::words::listed(units.iter().copied());
        match unit {
            None => self.error(
                place,
                "the unit of the column is missing",
                format!("add `unit:` with one of {units}"),
            ),
            Some(unit) if units.is_empty() => {
                self.error(place, format!("plain numbers have no unit, found `{unit}`"), "remove `unit`");
            }
            Some(unit) => {
                self.error(place, format!("there is no unit `{unit}`"), format!("the units are {units}"));
            }
        }
    }

    /// The rate over time.
    pub(super) fn curve(&mut self, spec: &RateSpec) -> Option<RateCurve> {
        let (made, place) = match spec {
            RateSpec::Constant(rate) => (RateCurve::constant(rate.value.per_second), rate.place),
            RateSpec::Linear(points) | RateSpec::Steps(points) => {
                let place = points[0].0.place.to(points[points.len() - 1].1.place);
                let pairs: Vec<(f64, f64)> =
                    points.iter().map(|(time, rate)| (time.value.seconds, rate.value.per_second)).collect();
                let made = match spec {
                    RateSpec::Linear(_) => RateCurve::linear(&pairs),
                    _ => RateCurve::steps(&pairs),
                };
                (made, place)
            }
            RateSpec::Daily(daily) => {
                let (mean, peak) = (daily.mean.value.per_second, daily.peak.value.per_second);
                if peak < mean || peak > 2.0 * mean {
                    let help = "a cosine peaks between one and two times its mean; use points in time for other shapes";
                    self.error(daily.peak.place, "no cosine has this mean and this peak", help);
                    return None;
                }
                (RateCurve::daily(mean, peak, daily.at.value.seconds), daily.mean.place)
            }
            RateSpec::File(file) => {
                let values = self.column(&file.file, file.column.as_ref())?;
                if file.every.value.seconds <= 0.0 {
                    self.error(file.every.place, "an interval has to last some time", "write `every: 1m`");
                    return None;
                }
                let rates: Vec<f64> = values.iter().map(|value| value * file.scale.value.number).collect();
                if let Some(rate) = rates.iter().find(|rate| **rate > 1e9) {
                    let message = format!("a rate is at most 10^9 per second, found {rate}");
                    self.error(file.file.place, message, "lower `scale`");
                    return None;
                }
                (RateCurve::bins(file.every.value.seconds, rates), file.file.place)
            }
        };
        match made {
            Ok(curve) if curve.maximum() <= 0.0 => {
                let help = "leave the traffic out, or start it later: `{0s: 0/s, 1m: 100/s}`";
                self.error(place, "at a rate of 0 no request ever arrives", help);
                None
            }
            Ok(curve) => Some(curve),
            Err(error) => {
                self.sink.report(wrong_curve(error, place));
                None
            }
        }
    }
}

fn wrong_curve(error: RateError, place: Place) -> Diagnostic {
    Diagnostic::error(error.to_string()).at(place)
}

/// Why there is no such distribution. Its numbers are in base units, so they are left to the drawing.
fn impossible(error: &DistributionError, place: Place) -> Diagnostic {
    let (message, help) = match error {
        DistributionError::NotPositive { what, .. } => (
            format!("the {what} of a distribution has to be above 0"),
            "a value that is always 0 is written as `0s`",
        ),
        DistributionError::Impossible { .. } => (
            "no lognormal distribution has these two figures".into(),
            "far percentiles need a longer tail than this family has; use `quantiles`",
        ),
        DistributionError::CvBelowOne(_) => (
            "a hyperexponential distribution has a cv of at least 1".into(),
            "use `gamma` or `erlang` for less variation",
        ),
        DistributionError::InfiniteMean(_) => {
            ("without a `max`, the mean is infinite unless `alpha` is above 1".into(), "give it a `max`")
        }
        DistributionError::Weights(sum) => {
            return Diagnostic::error(format!(
                "the weights sum to {}, not to 100%",
                crate::spec::percent(*sum)
            ))
            .at(place)
            .help("every draw takes exactly one of them");
        }
        DistributionError::TooFew { what, .. } => (format!("there are no {what}"), "give at least one"),
        DistributionError::Reversed { high, low, .. } => {
            (format!("`{high}` is below `{low}`"), "check the order of the two")
        }
        other => (other.to_string(), "check its figures"),
    };
    Diagnostic::error(message).at(place).help(help)
}

fn lognormal(given: &[(&'static str, f64, Place)]) -> Result<LogNormal, DistributionError> {
    let known = |(key, value, _): &(&'static str, f64, Place)| match *key {
        "mean" => Known::Mean(*value),
        "sd" => Known::Sd(*value),
        "cv" => Known::Cv(*value),
        "p50" => Known::Quantile(0.5, *value),
        "p90" => Known::Quantile(0.9, *value),
        "p95" => Known::Quantile(0.95, *value),
        "p99" => Known::Quantile(0.99, *value),
        _ => Known::Quantile(0.999, *value),
    };
    LogNormal::from_two(known(&given[0]), known(&given[1]))
}

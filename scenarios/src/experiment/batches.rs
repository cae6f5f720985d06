//! Batch means: what one long run knows of its own uncertainty.
//!
//! Where there is one replication, its measured part is cut into batches of equal length. If they are long enough to be nearly
//! independent, the figures of the batches vary as those of so many short replications would (Law, *Simulation Modeling and
//! Analysis*, 5th ed., §9.5.3). If they are not, there is no interval: one that is too narrow would be worse than none.

use models::blueprint::Blueprint;
use sim_core::SimTime;

use super::evaluate;
use super::growth::is_transient;
use crate::metric::Figure;

/// Batches of one run. More would be shorter and less independent and hardly make the interval narrower (Schmeiser, *Batch
/// size effects in the analysis of simulation output*, 1982: 10 to 30 are enough).
pub(crate) const BATCHES: usize = 20;
/// Correlation of one batch with the next from which they are taken to depend on each other: independent ones have less in
/// 95 % of the cases, `1.645 / sqrt(20)`.
const DEPENDENT: f64 = 0.37;

/// The batches of a run that has a steady state to speak of.
pub(crate) fn of(blueprint: &Blueprint) -> Vec<(SimTime, SimTime)> {
    let (from, to) = evaluate::measured(blueprint);
    let length = to.since(from.min(to)).as_nanos() / BATCHES as u64;
    if is_transient(blueprint) || length == 0 {
        return Vec::new();
    }
    let edge = |batch: usize| SimTime::from_nanos(from.as_nanos() + batch as u64 * length);
    (0..BATCHES).map(|batch| (edge(batch), edge(batch + 1))).collect()
}

/// Whether the figure of the whole is the mean of those of its parts, or near it: not what is counted or is an extreme.
pub(crate) fn has_means(figure: Figure) -> bool {
    matches!(
        figure,
        Figure::Mean
            | Figure::Quantile(_)
            | Figure::IntendedMean
            | Figure::IntendedQuantile(_)
            | Figure::Share(_)
            | Figure::Errors
            | Figure::Throughput
            | Figure::Offered
            | Figure::Failures
            | Figure::Attempts
            | Figure::InFlight
            | Figure::Utilization
            | Figure::InUse
            | Figure::QueueLength
            | Figure::WaitProbability
            | Figure::WaitMean
            | Figure::WaitQuantile(_)
            | Figure::HoldMean
            | Figure::HoldQuantile(_)
            | Figure::AcquireRate
            | Figure::Connections
            | Figure::BatchSize
            | Figure::Level
            | Figure::Calls
            | Figure::Retries
            | Figure::Hedges
    )
}

/// Whether the values of all batches, in their order, look independent.
pub(crate) fn are_independent(values: &[Option<f64>]) -> bool {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    if known.len() < values.len() {
        return false;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let off: Vec<f64> = known.iter().map(|value| value - mean).collect();
    let square: f64 = off.iter().map(|off| off * off).sum();
    let next: f64 = off.windows(2).map(|pair| pair[0] * pair[1]).sum();
    square == 0.0 || next / square < DEPENDENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(value: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
        (0..BATCHES).map(|batch| Some(value(batch))).collect()
    }

    #[test]
    fn batches_that_follow_a_trend_or_a_wave_are_not_independent() {
        assert!(are_independent(&batches(|_| 3.0)));
        assert!(are_independent(&batches(|batch| (batch * 7 % 20) as f64)));
        assert!(!are_independent(&batches(|batch| batch as f64)));
        assert!(!are_independent(&batches(|batch| (batch as f64 / 3.0).sin())));
        let mut with_a_gap = batches(|_| 3.0);
        with_a_gap[4] = None;
        assert!(!are_independent(&with_a_gap));
    }
}

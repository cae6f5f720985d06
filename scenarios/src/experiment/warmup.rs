//! Where the warm-up ends, when the scenario leaves it to the simulator.

use models::blueprint::Blueprint;
use sim_core::{CancelFlag, SimTime, Span, mser5};

use super::evaluate::mean;
use super::gather::{Simulate, add_cuts};

/// Bins of the pilot: MSER-5 looks at batches of five.
const BINS: u64 = 500;

/// The warm-up that a pilot run suggests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Warmup {
    pub(crate) span: Span,
    /// Whether the pilot reached a steady state within the first half of the run.
    pub(crate) steady: bool,
}

/// Runs replication 0 with fine cuts, and cuts off what MSER-5 says of the mean latency and of the requests
/// in flight of every traffic: the longest of them.
///
/// A cut beyond half of the run is no steady state; the half is cut off then.
pub(crate) fn pilot(
    blueprint: &Blueprint,
    seed: u64,
    simulate: &Simulate<'_>,
    cancel: &CancelFlag,
) -> Warmup {
    let mut fine = blueprint.clone();
    fine.warmup = Span::ZERO;
    let edge = |bin: u64| {
        let nanos = u128::from(blueprint.duration.as_nanos()) * u128::from(bin) / u128::from(BINS);
        SimTime::from_nanos(nanos as u64)
    };
    fine.cuts = Vec::new();
    add_cuts(&mut fine, (1..BINS).map(edge));
    let observed = simulate(&fine, seed, 0, false, cancel);
    let mut cut = Some(0);
    for traffic in 0..blueprint.traffics.len() {
        let present: Vec<f64> =
            observed.segments.iter().map(|s| s.traffics[traffic].present.mean()).collect();
        // A bin in which nothing ended takes the latency of the bin before.
        let latency = observed.segments.iter().scan(0.0, |last, s| {
            *last = mean(&s.traffics[traffic].latency).unwrap_or(*last);
            Some(*last)
        });
        for series in [present, latency.collect()] {
            cut = cut.zip(mser5(&series)).map(|(a, b)| a.max(b));
        }
    }
    match cut {
        Some(bins) => Warmup { span: Span::from_nanos(edge(bins as u64).as_nanos()), steady: true },
        None => Warmup { span: Span::from_nanos(blueprint.duration.as_nanos() / 2), steady: false },
    }
}

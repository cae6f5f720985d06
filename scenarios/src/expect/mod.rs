//! Expectations: from what is written to metrics resolved to indices.

use sim_core::SimTime;

use crate::metric::{Expectation, Quantity};
use crate::scenario::Parts;
use crate::spec::{At, Sink, Text};

/// The expectations as checked; mistakes go to the sink.
pub(crate) fn expectations(_: &[At<Text>], _: &Parts, _: &[String], _: &mut Sink) -> Vec<Expectation> {
    Vec::new()
}

/// The windows that an expectation looks at.
pub(crate) fn windows(expectation: &Expectation) -> impl Iterator<Item = (SimTime, SimTime)> {
    let terms = match &expectation.left {
        Quantity::One(term) => [Some(term), None],
        Quantity::Ratio(above, below) => [Some(above), Some(below)],
    };
    terms.into_iter().flatten().filter_map(|term| term.metric.window)
}

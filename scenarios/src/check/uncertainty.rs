//! How uncertain inputs are drawn.

use crate::diagnostic::Diagnostic;
use crate::experiment::least_points;
use crate::spec::{Positive, ScenarioSpec, Sink};
use crate::uncertain::{Input, Uncertain};

/// The uncertain inputs and how they are drawn; mistakes go to the sink.
pub(crate) fn uncertain(spec: &ScenarioSpec, inputs: Vec<Input>, sink: &mut Sink) -> Uncertain {
    let (points, replications) = (&spec.uncertainty.points, &spec.uncertainty.replications);
    let Positive { count } = points.value;
    let least = least_points(inputs.len());
    if !inputs.is_empty() && (count as usize) < least {
        let many = if inputs.len() == 1 { "" } else { "s" };
        let message = format!("{count} points are too few for {} uncertain input{many}", inputs.len());
        let help = format!("write `uncertainty: {{points: {least}}}`, or more");
        sink.report(Diagnostic::error(message).at(points.place).help(help));
    }
    if !inputs.is_empty() && replications.value.count < 2 {
        let message = "one replication of a point does not tell noise from inputs";
        let help = "write `uncertainty: {replications: 2}`";
        sink.report(Diagnostic::error(message).at(replications.place).help(help));
    }
    Uncertain { inputs, points: count, replications: replications.value.count }
}

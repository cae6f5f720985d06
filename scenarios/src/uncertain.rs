//! Inputs that are not known exactly: `{between: [3ms, 5ms]}` where a number is meant, and samples that stand for
//! others like them.
//!
//! They stand in the tree in place of a value. Before anything has a type they get one, each by an override of its path:
//! the middle, or what is drawn for a point. So what comes after knows nothing of them.

use sim_core::Stream;

use crate::diagnostic::Diagnostic;
use crate::spec::{MODEL, Sink, any_quantity};
use crate::sweep::{Axis, AxisValue};
use crate::text::Source;
use crate::tree::{Assignment, Entry, Node, Note, Override, Place, Value, print, quoted};
use crate::words::listed;

/// What names a range.
const BETWEEN: &str = "between";
/// What asks for samples to be drawn anew.
const BOOTSTRAP: &str = "bootstrap";

/// An input that is not known exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The path that gets a value.
    pub path: String,
    /// Where it stands.
    pub(crate) place: Place,
    /// What is known of it.
    pub(crate) known: Known,
}

/// What is known of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// It lies between two values, and any is as likely as any other.
    Between {
        /// The two, the smaller one first.
        ends: Axis,
        /// Whether it is counted: both are written as whole numbers.
        whole: bool,
    },
    /// Samples of it, which might have been others.
    Samples {
        /// The file and its column.
        column: (String, Option<String>),
    },
}

impl Input {
    /// The change that puts the value of point number `point` of `points` in place, and what stands for it in fits.
    ///
    /// Ranges are cut into as many strata as there are points, each of which is met once, in its middle and in an order
    /// that depends on the seed and the path alone: Latin hypercube sampling (*Technometrics* 21(2), 1979), in the
    /// centred form of Patterson, *The errors of lattice sampling*, JRSS B 16(1), 1954. Samples are drawn from the
    /// samples with replacement (Barton, Nelson and Xie, *Quantifying Input Uncertainty via Simulation Confidence
    /// Intervals*, INFORMS Journal on Computing 26(1), 2014).
    pub(crate) fn at(&self, point: u32, points: u32, seed: u64) -> Override {
        let (path, node) = match &self.known {
            Known::Between { ends, whole } => {
                let share = (f64::from(self.stratum(point, points, seed)) + 0.5) / f64::from(points);
                (self.path.clone(), ends.like(within(ends, *whole, share)).node)
            }
            Known::Samples { .. } => {
                let number = Stream::new(seed, point, &self.path, "resample").next_u64();
                (format!("{}.{BOOTSTRAP}", self.path), Node::plain(&number.to_string(), self.place))
            }
        };
        Override { assignment: Assignment { path, place: self.place, value: node }, text: None }
    }

    /// The stratum that a point meets: its rank among all of them.
    fn stratum(&self, point: u32, points: u32, seed: u64) -> u32 {
        let key = |point: u32| (Stream::new(seed, point, &self.path, "stratum").next_u64(), point);
        let own = key(point);
        (0..points).filter(|other| key(*other) < own).count() as u32
    }

    /// What stands for the value of `drawn` in a fit: the number itself, or mean and p99 of the samples.
    pub(crate) fn covariates(&self, drawn: &Override, source: &Source) -> Vec<f64> {
        let value = &drawn.assignment.value;
        match &self.known {
            Known::Between { .. } => any_quantity(value).map(|(_, number)| number).into_iter().collect(),
            Known::Samples { column } => {
                let values = source.files.lock().ok().and_then(|files| files.get(column).cloned());
                let number = value.text().and_then(|text| text.parse().ok());
                let (Some(values), Some(number)) = (values, number) else { return Vec::new() };
                let mut values = resampled(&values, number);
                values.sort_by(f64::total_cmp);
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let p99 = values[((values.len() as f64 * 0.99).ceil() as usize).clamp(1, values.len()) - 1];
                vec![mean, p99]
            }
        }
    }

    /// The ends of a range, to be tried.
    pub(crate) fn ends(&self) -> Option<&Axis> {
        match &self.known {
            Known::Between { ends, .. } => Some(ends),
            Known::Samples { .. } => None,
        }
    }

    /// What is used of it where nothing is drawn.
    fn middle(&self) -> String {
        match &self.known {
            Known::Between { ends, whole } => {
                let middle = ends.like(within(ends, *whole, 0.5));
                format!("the middle of its range, {}", middle.text)
            }
            Known::Samples { column: (file, _) } => format!("the samples in `{file}` as they are"),
        }
    }
}

/// As many of the values as there are, drawn with replacement.
pub(crate) fn resampled(values: &[f64], number: u64) -> Vec<f64> {
    let mut draws = Stream::new(number, 0, BOOTSTRAP, "sample");
    (0..values.len()).map(|_| values[draws.below(values.len() as u32) as usize]).collect()
}

/// The number at a share of the way from one end to the other.
fn within(ends: &Axis, whole: bool, share: f64) -> f64 {
    let (from, to) = (ends.values[0].number, ends.values[1].number);
    if whole { (from + (share * (to - from + 1.0)).floor()).min(to) } else { from + share * (to - from) }
}

/// Puts the middle of every range in its place; mistakes go to the sink.
///
/// Returns the inputs of the scenario, in the order of the tree: those of variants count once a variant is chosen.
pub(crate) fn settle(tree: &mut Node, sink: &mut Sink) -> Vec<Input> {
    let mut settling = Settling { inputs: Vec::new(), sink };
    settling.inside("", tree);
    settling.inputs.retain(|input| !input.path.starts_with("variants."));
    settling.inputs
}

struct Settling<'a> {
    inputs: Vec<Input>,
    sink: &'a mut Sink,
}

impl Settling<'_> {
    fn inside(&mut self, path: &str, node: &mut Node) {
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match &mut node.value {
            Value::Map(entries) => {
                for entry in entries {
                    let path = below(&entry.key);
                    if let Some(text) = self.settled(&path, &mut entry.node) {
                        entry.note = Some(Box::new(Note { text, absent: false }));
                    }
                }
            }
            Value::List(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.settled(&below(&at.to_string()), item);
                }
            }
            _ => {}
        }
    }

    /// Settles a value, or what is inside of it; says so where it was uncertain itself.
    fn settled(&mut self, path: &str, node: &mut Node) -> Option<String> {
        if let Some(ends) = range_of(node) {
            let input = self.between(path, node, ends);
            // Where it is wrong, one that can be read will do: the scenario will not run.
            let known = input.as_ref().map(|input| &input.known);
            let value = match known {
                Some(Known::Between { ends, whole }) => ends.like(within(ends, *whole, 0.5)).node,
                _ => one_of(ends),
            };
            let remark = format!("the middle of `{}`", print(node).trim_end());
            *node = Node { label: node.label, place: node.place, ..value };
            self.inputs.extend(input);
            return Some(remark);
        }
        self.samples(path, node);
        self.inside(path, node);
        None
    }

    fn between(&mut self, path: &str, node: &Node, ends: &Node) -> Option<Input> {
        if !may_vary(path) {
            let message = format!("`{path}` has to be known: every point is run in the same way");
            let help = format!("what may be uncertain begins with {}", listed(MODEL));
            self.sink.report(Diagnostic::error(message).at(node.place).help(help));
            return None;
        }
        let wrong = |message: &str, place: Place| {
            Diagnostic::error(message).at(place).help("write the smaller one first: `{between: [3ms, 5ms]}`")
        };
        let Value::List(items) = &ends.value else { return None };
        let [from, to] = items.as_slice() else {
            let message = format!("a range has two ends, found {}", items.len());
            self.sink.report(wrong(&message, ends.place));
            return None;
        };
        let numbers = [from, to].map(any_quantity);
        for (end, number) in [from, to].into_iter().zip(numbers) {
            if number.is_none() {
                let found = if range_of(end).is_some() { "another range".into() } else { end.describe() };
                self.sink
                    .report(wrong(&format!("expected a number with its unit, found {found}"), end.place));
            }
        }
        let [Some((kind, first)), Some((other, last))] = numbers else { return None };
        if kind != other {
            let diagnostic = Diagnostic::error("the ends of the range have different units").at(to.place);
            let diagnostic = diagnostic.related(from.place, "the first one");
            self.sink.report(diagnostic.help("give both the same kind of unit"));
            return None;
        }
        if first >= last {
            let message = format!(
                "{} does not lead from less to more",
                quoted(&format!("[{}, {}]", from.text()?, to.text()?))
            );
            self.sink.report(wrong(&message, ends.place));
            return None;
        }
        let value = |node: &Node, number: f64| {
            Some(AxisValue { text: node.text()?.into(), number, node: node.clone() })
        };
        let counted =
            |node: &Node, number: f64| number.fract() == 0.0 && !node.text().unwrap_or(".").contains('.');
        let ends = Axis {
            path: path.to_owned(),
            values: vec![value(from, first)?, value(to, last)?],
            unit: kind.to_owned(),
            place: node.place,
        };
        let whole = kind.is_empty() && counted(from, first) && counted(to, last);
        Some(Input { path: path.to_owned(), place: node.place, known: Known::Between { ends, whole } })
    }

    /// Notes samples that are to be drawn anew.
    fn samples(&mut self, path: &str, node: &Node) {
        let asked = |entry: &Entry| &*entry.key == BOOTSTRAP && entry.node.value == Value::Bool(true);
        if node.entries().iter().any(asked)
            && let Some(file) = node.get("file").and_then(Node::text)
        {
            let column = node.get("column").and_then(Node::text).map(str::to_owned);
            let known = Known::Samples { column: (file.to_owned(), column) };
            self.inputs.push(Input { path: path.to_owned(), place: node.place, known });
        }
    }
}

/// The ends, if the node is `{between: [...]}` and at least one of them is a number or a range: `{between: [web, db]}`
/// is the two sides of a link.
fn range_of(node: &Node) -> Option<&Node> {
    let [entry] = node.entries() else { return None };
    let Value::List(items) = &entry.node.value else { return None };
    let number = |item: &Node| any_quantity(item).is_some() || range_of(item).is_some();
    (&*entry.key == BETWEEN && items.iter().any(number)).then_some(&entry.node)
}

/// Any number of a list.
fn one_of(ends: &Node) -> Node {
    let Value::List(items) = &ends.value else { return ends.clone() };
    items.iter().find(|item| any_quantity(item).is_some()).unwrap_or(ends).clone()
}

/// Whether a path is one of what the system is, or of how much an event changes it. When something happens is the same
/// at every point, for all of them share their windows.
fn may_vary(path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["variants", ..] => true, // It is asked again at the path that the variant changes.
        ["events", _, what, ..] => !["at", "for", "every", "until", "when"].contains(what),
        [section, ..] => MODEL.contains(section),
        [] => false,
    }
}

/// That inputs are not drawn but taken as they stand in the middle.
pub(crate) fn not_drawn(inputs: &[Input]) -> Vec<Diagnostic> {
    let warn = |input: &Input| {
        Diagnostic::warning(format!("`{}` is uncertain, and taken to be {}", input.path, input.middle()))
            .at(input.place)
            .help("`hockeystick run` draws it, and says how much it matters")
    };
    inputs.iter().map(warn).collect()
}

/// The uncertain inputs of a scenario, and how they are drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uncertain {
    /// The inputs, in the order of the file.
    pub inputs: Vec<Input>,
    /// Points at which all of them are drawn anew.
    pub points: u32,
    /// Replications of each point.
    pub replications: u32,
}

impl Uncertain {
    /// That inputs are taken in the middle, in a sentence; none where all are known.
    pub(crate) fn remark(&self) -> Option<String> {
        let each: Vec<String> =
            self.inputs.iter().map(|input| format!("`{}` ({})", input.path, input.middle())).collect();
        (!each.is_empty()).then(|| format!("uncertain inputs were not drawn: {}", each.join("; ")))
    }
}

//! Expectations: from what is written to metrics resolved to indices.

mod parse;
mod resolve;

use std::collections::BTreeSet;

use sim_core::{SimTime, Span};

use self::parse::{Piece, TermText, Written, parse};
use self::resolve::{Subjects, Unit};
use crate::diagnostic::Diagnostic;
use crate::metric::{Comparison, Expectation, Figure, Metric, Quantity, Term};
use crate::scenario::Parts;
use crate::spec::{ExpectSpec, Sink, any_quantity, as_percent, not_yet};
use crate::tree::{Node, Place, quoted};
use crate::words::{did_you_mean, listed};

/// The expectations as checked; mistakes go to the sink.
///
/// `names` are those of all parts: where some could not be read, nothing is said about their metrics.
pub(crate) fn expectations(
    specs: &[ExpectSpec],
    parts: &Parts,
    names: &BTreeSet<&str>,
    variants: &[String],
    sink: &mut Sink,
) -> Vec<Expectation> {
    if specs.is_empty() {
        return Vec::new();
    }
    let subjects = Subjects::new(parts);
    let known = if sink.failed() { Some(names) } else { None };
    let mut reader = Reader { subjects, parts, told: known, variants, sink };
    specs.iter().filter_map(|spec| reader.expectation(spec)).collect()
}

/// Whether a figure is counted, so that it can be told to the unit.
fn is_exact(figure: Figure) -> bool {
    matches!(
        figure,
        Figure::QueueMax
            | Figure::Replicas
            | Figure::Trips
            | Figure::Taken
            | Figure::Given
            | Figure::Oversold
            | Figure::Refused
            | Figure::LevelMin
            | Figure::LevelMax
            | Figure::LevelEnd
    )
}

/// The windows that an expectation looks at.
pub(crate) fn windows(expectation: &Expectation) -> impl Iterator<Item = (SimTime, SimTime)> {
    let terms = match &expectation.left {
        Quantity::One(term) => [Some(term), None],
        Quantity::Ratio(above, below) => [Some(above), Some(below)],
    };
    terms.into_iter().flatten().filter_map(|term| term.metric.window)
}

struct Reader<'a> {
    subjects: Subjects<'a>,
    parts: &'a Parts,
    /// Names of parts of which some could not be read.
    told: Option<&'a BTreeSet<&'a str>>,
    variants: &'a [String],
    sink: &'a mut Sink,
}

impl Reader<'_> {
    fn expectation(&mut self, spec: &ExpectSpec) -> Option<Expectation> {
        let written = match parse(&spec.text) {
            Ok(written) => written,
            Err(at) => {
                self.sink.report(unreadable(spec, at));
                return None;
            }
        };
        let left = self.term(spec, &written, &written.left)?;
        let below = match &written.below {
            Some(below) => Some(self.term(spec, &written, below)?),
            None => None,
        };
        let (left, unit) = match (left, below) {
            ((term, unit), None) => (Quantity::One(term), unit),
            ((above, unit), Some((below, other))) => {
                if unit != other {
                    let place = spec.part(&written.left.path);
                    let message = "the two sides of the ratio are measured in different units";
                    self.error(place, message, "compare times with times and rates with rates");
                    return None;
                }
                (Quantity::Ratio(above, below), Unit::Number)
            }
        };
        let is_ratio = matches!(left, Quantity::Ratio(..));
        let bound = self.value(spec, &written.bound, unit, is_ratio)?;
        let tolerance = self.tolerance(spec, &written, &left, unit, bound)?;
        Some(Expectation { text: spec.text.clone(), left, comparison: written.comparison, bound, tolerance })
    }

    fn error(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.sink.report(Diagnostic::error(message).at(place).help(help));
    }

    fn term(&mut self, spec: &ExpectSpec, all: &Written<'_>, text: &TermText<'_>) -> Option<(Term, Unit)> {
        const LATER: [&str; 3] = ["slope", "lag", "recovery"];
        let path = text.path.text;
        let place = spec.part(&text.path);
        let mut variant = None;
        if let Some(piece) = &all.variant {
            variant = Some(self.variant(spec, piece)?);
        }
        let mut found = self.subjects.find(path);
        let mut name = path;
        // `fixed.users.p99` is `users.p99` of the variant `fixed`, unless something is called `fixed`.
        if found.is_err()
            && let Some((first, rest)) = path.split_once('.')
            && self.variants.iter().any(|known| known == first)
        {
            variant = Some(first.to_string());
            found = self.subjects.find(rest);
            name = rest;
        }
        let found = match found {
            Ok(found) => found,
            Err((message, help)) => {
                if let Some(word) = LATER.into_iter().find(|word| path.rsplit('.').next() == Some(word)) {
                    self.sink.report(not_yet(word, place));
                } else if !self.is_told(path) {
                    self.error(place, message, help);
                }
                return None;
            }
        };
        let window = match &text.window {
            Some((from, to)) => Some(self.window(spec, from, to)?),
            None => None,
        };
        let metric = Metric { name: name.into(), subject: found.subject, figure: found.figure, window };
        Some((Term { variant, metric }, found.unit))
    }

    /// Whether `path` speaks of a part that may be missing because it could not be read.
    fn is_told(&self, path: &str) -> bool {
        let mut words = path.split('.').skip_while(|word| {
            matches!(*word, "traffic" | "services" | "resources" | "policies")
                || self.variants.iter().any(|known| known == word)
        });
        let first = words.next().unwrap_or_default();
        self.told.is_some_and(|names| names.contains(first)) && !self.subjects.is_traffic(first)
    }

    fn variant(&mut self, spec: &ExpectSpec, piece: &Piece<'_>) -> Option<String> {
        let name = piece.text;
        if self.variants.iter().any(|known| known == name) {
            return Some(name.into());
        }
        let known = || self.variants.iter().map(String::as_str);
        let help = match did_you_mean(name, known()) {
            Some(guess) => guess,
            None if self.variants.is_empty() => "the scenario has no `variants`".into(),
            None => format!("the variants are {}", listed(known())),
        };
        self.error(spec.part(piece), format!("there is no variant {}", quoted(name)), help);
        None
    }

    fn window(&mut self, spec: &ExpectSpec, from: &Piece<'_>, to: &Piece<'_>) -> Option<(SimTime, SimTime)> {
        let begin = self.instant(spec, from)?;
        let end = self.instant(spec, to)?;
        let run = SimTime::ZERO + self.parts.duration;
        if begin >= end {
            self.error(spec.part(from), "the window ends before it begins", "write `[200s..600s]`");
            return None;
        }
        if end > run {
            let help = format!("the run ends at {}s", run.as_seconds());
            self.error(spec.part(to), "the window reaches beyond the end of the run", help);
            return None;
        }
        Some((begin, end))
    }

    fn instant(&mut self, spec: &ExpectSpec, piece: &Piece<'_>) -> Option<SimTime> {
        let node = Node::plain(piece.text, spec.part(piece));
        if let Some(("s", seconds)) = any_quantity(&node) {
            Span::from_seconds(seconds).ok().map(|span| SimTime::ZERO + span)
        } else {
            self.sink.expected("a time such as `200s`", &node, "write `[200s..600s]`");
            None
        }
    }

    /// A number with the unit of what it is compared with.
    fn value(&mut self, spec: &ExpectSpec, piece: &Piece<'_>, unit: Unit, is_ratio: bool) -> Option<f64> {
        let node = Node::plain(piece.text, spec.part(piece));
        let (what, help) = match (any_quantity(&node), unit) {
            (Some(("s", value)), Unit::Time)
            | (Some(("/s", value)), Unit::Rate)
            | (Some(("%", value)), Unit::Share)
            | (Some(("" | "B", value)), Unit::Number) => return Some(value),
            (Some(("%", value)), Unit::Number) if is_ratio => return Some(value),
            (_, Unit::Time) => ("a time such as `250ms`", with_unit(piece.text, &["ms", "s"])),
            (_, Unit::Rate) => ("a rate such as `400/s`", with_unit(piece.text, &["/s", "/min"])),
            (Some(("", value)), Unit::Share) if (0.0..=1.0).contains(&value) => {
                ("a share such as `1%`", format!("write `{}`", as_percent(value)))
            }
            (_, Unit::Share) => ("a share such as `1%`", with_unit(piece.text, &["%"])),
            (_, Unit::Number) => ("a plain number", "write it without a unit".into()),
        };
        self.sink.expected(what, &node, help);
        None
    }

    /// How far off an `=` may be, absolute; a percentage is relative unless the bound is one itself.
    fn tolerance(
        &mut self,
        spec: &ExpectSpec,
        written: &Written<'_>,
        left: &Quantity,
        unit: Unit,
        bound: f64,
    ) -> Option<f64> {
        match (&written.tolerance, written.comparison) {
            (None, Comparison::Equal) => {
                let exact = matches!(left, Quantity::One(term)
                    if is_exact(term.metric.figure));
                if exact {
                    return Some(0.0);
                }
                let text = written.bound.text;
                let help = format!("write `= {text} ± 1%`");
                self.error(spec.part(&written.bound), "`=` needs a tolerance", help);
                None
            }
            (None, _) => Some(0.0),
            (Some(piece), Comparison::Equal) => {
                let node = Node::plain(piece.text, spec.part(piece));
                match (any_quantity(&node), unit) {
                    (Some(("%", share)), Unit::Time | Unit::Rate | Unit::Number) => Some(share * bound.abs()),
                    _ => self.value(spec, piece, unit, false),
                }
            }
            (Some(piece), _) => {
                self.error(spec.part(piece), "only `=` takes a tolerance", "move the bound instead");
                None
            }
        }
    }
}

fn with_unit(text: &str, units: &[&str]) -> String {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let ways: Vec<String> = units.iter().map(|unit| format!("`{digits}{unit}`")).collect();
    format!("write {}", ways.join(" or "))
}

fn unreadable(spec: &ExpectSpec, at: usize) -> Diagnostic {
    if let Some(open) = spec.text.find('(') {
        let start = spec.text[..open].rfind(['.', ' ']).map_or(0, |i| i + 1);
        let piece = Piece { text: &spec.text[start..open], range: start..open };
        if matches!(piece.text, "recovery" | "max" | "min" | "mean") {
            return not_yet(&format!("{}(...)", piece.text), spec.part(&piece));
        }
    }
    let end = spec.text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let place = spec.part(&Piece { text: "", range: at..end });
    let message = match spec.text[at..].chars().next() {
        None => "the expectation stops too early".to_string(),
        Some(_) => {
            format!("expected a metric, a comparison and a value, found {}", quoted(spec.text[at..].trim()))
        }
    };
    Diagnostic::error(message)
        .at(place)
        .help("write it like `shoppers.p99 < 250ms` or `web.ok[200s..600s] > 99%`")
}

impl ExpectSpec {
    /// Where a part of the text stands.
    fn part(&self, piece: &Piece<'_>) -> Place {
        if !self.verbatim {
            return self.place;
        }
        Place {
            start: self.place.start + piece.range.start as u32,
            end: self.place.start + piece.range.end as u32,
            ..self.place
        }
    }
}

//! Expectations: from what is written to metrics resolved to indices.

mod parse;
mod resolve;

use std::collections::BTreeSet;

use sim_core::{SimTime, Span};

use self::parse::{ConditionText, Piece, TermText, Written, parse, parse_metric};
use self::resolve::{Found, Subjects, Unit};
use crate::diagnostic::Diagnostic;
use crate::metric::{Comparison, Condition, Expectation, Figure, Metric, Quantity, Reading, Subject, Term};
use crate::scenario::Parts;
use crate::spec::{At, ExpectSpec, Sink, Text, any_quantity, as_percent, not_yet};
use crate::tree::{Node, Place, quoted};
use crate::words::{did_you_mean, listed};

/// The expectations as checked; mistakes go to the sink.
///
/// `names` are those of all parts: where some could not be read, nothing is said about their metrics. `parts_in` are
/// those of a variant.
pub(crate) fn expectations(
    specs: &[ExpectSpec],
    parts: &Parts,
    names: &BTreeSet<&str>,
    (variants, parts_in): (&[String], &PartsIn<'_>),
    sink: &mut Sink,
) -> Vec<Expectation> {
    if specs.is_empty() {
        return Vec::new();
    }
    let subjects = Subjects::new(parts);
    let known = if sink.failed() { Some(names) } else { None };
    let mut reader = Reader { subjects, parts, told: known, variants, parts_in, sink };
    specs.iter().filter_map(|spec| reader.expectation(spec)).collect()
}

/// What a path such as `orders.lag` means: whose figure, and which; or why it means nothing, and what to do.
pub(crate) fn figure_of(path: &str, parts: &Parts) -> Result<(Subject, Figure), (String, String)> {
    Subjects::new(parts).find(path).map(|found| (found.subject, found.figure))
}

/// By what the points of a sweep are judged: the condition that holds in the good state of the system.
///
/// `users` alone is `users.ok > 99%`: two nines.
pub(crate) fn outcome(
    spec: &ExpectSpec,
    parts: &Parts,
    names: &BTreeSet<&str>,
    sink: &mut Sink,
) -> Option<Metric> {
    let told = if sink.failed() { Some(names) } else { None };
    let mut reader =
        Reader { subjects: Subjects::new(parts), parts, told, variants: &[], parts_in: &|_| None, sink };
    let bare = !spec.text.contains(['<', '>', '=', '≤', '≥', ' ']);
    let own = ExpectSpec { text: format!("{}.ok > 99%", spec.text), place: spec.place, verbatim: false };
    let spec = if bare { &own } else { spec };
    let written = parse(&spec.text).ok();
    let Some(written) = written.filter(|written| {
        let Written { variant, left, below, comparison, tolerance, .. } = written;
        let plain = variant.is_none() && below.is_none() && tolerance.is_none();
        plain && left.window.is_none() && left.condition.is_none() && *comparison != Comparison::Equal
    }) else {
        let message = format!("expected a condition, found {}", quoted(&spec.text));
        reader.error(spec.place, message, "write `outcome: users`, or `outcome: users.ok > 90%`");
        return None;
    };
    let (Term { metric, .. }, unit) = reader.term(spec, None, &written.left)?;
    let bound = reader.value(spec, &written.bound, unit, false)?;
    if metric.reading != Reading::Value {
        let message = "a slope says nothing about a single window of the run";
        reader.error(spec.part(&written.left.path), message, "judge by a figure such as `users.ok`");
        return None;
    }
    let reading = Reading::Recovery(Condition { comparison: written.comparison, bound });
    Some(Metric { name: spec.text.clone(), reading, ..metric })
}

/// The metric that paths move.
pub(crate) fn moved_metric(
    text: &At<Text>,
    parts: &Parts,
    names: &BTreeSet<&str>,
    sink: &mut Sink,
) -> Option<Metric> {
    let At { value: Text(text), place } = text;
    let verbatim = (place.end - place.start) as usize == text.len();
    let spec = ExpectSpec { text: text.clone(), place: *place, verbatim };
    let told = if sink.failed() { Some(names) } else { None };
    let mut reader =
        Reader { subjects: Subjects::new(parts), parts, told, variants: &[], parts_in: &|_| None, sink };
    let Ok(written) = parse_metric(&spec.text) else {
        let message = format!("expected a metric, found {}", quoted(&spec.text));
        reader.error(spec.place, message, "name it as `expect` does: `shoppers.p99`");
        return None;
    };
    let (Term { metric, .. }, _) = reader.term(&spec, None, &written)?;
    if matches!(metric.reading, Reading::Recovery(_)) {
        let message = "a time to recover has no differences: one that never recovers takes for ever";
        reader.error(spec.part(&written.path), message, "move a figure such as `shoppers.p99`");
        return None;
    }
    Some(metric)
}

/// Whether a figure is counted, so that it can be told to the unit.
fn is_exact(figure: Figure) -> bool {
    matches!(
        figure,
        Figure::QueueMax
            | Figure::Replicas
            | Figure::Trips
            | Figure::Starts
            | Figure::Crashes
            | Figure::CutOff
            | Figure::Taken
            | Figure::Given
            | Figure::Oversold
            | Figure::Refused
            | Figure::LevelMin
            | Figure::LevelMax
            | Figure::LevelEnd
            | Figure::Done
            | Figure::Dead
            | Figure::Duplicates
            | Figure::Disordered
            | Figure::Rebalances
            | Figure::Expulsions
            | Figure::LagMax
            | Figure::LagEnd
    )
}

/// The windows that an expectation looks at.
pub(crate) fn windows(expectation: &Expectation) -> impl Iterator<Item = (SimTime, SimTime)> {
    let terms = match &expectation.left {
        Quantity::One(term) => [Some(term), None],
        Quantity::Ratio(above, below) => [Some(above), Some(below)],
    };
    let metrics = terms.into_iter().flatten().map(|term| &term.metric);
    metrics
        .filter(|metric| !matches!(metric.reading, Reading::Recovery(_)))
        .filter_map(|metric| metric.window)
}

/// What the last word of a metric makes of the rest.
#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    /// Nothing: the metric is what is written.
    Value,
    /// `slope` of this level.
    Slope(&'a str),
    /// `recovery` of whose figure.
    Recovery(&'a str, &'a ConditionText<'a>),
}

/// The parts of a variant; none where it has mistakes.
pub(crate) type PartsIn<'a> = dyn Fn(&str) -> Option<Parts> + 'a;

struct Reader<'a> {
    subjects: Subjects<'a>,
    parts: &'a Parts,
    /// Names of parts of which some could not be read.
    told: Option<&'a BTreeSet<&'a str>>,
    variants: &'a [String],
    parts_in: &'a PartsIn<'a>,
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
        let variant = written.variant.as_ref();
        let left = self.term(spec, variant, &written.left)?;
        let below = match &written.below {
            Some(below) => Some(self.term(spec, variant, below)?),
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
                if let Some((_, text)) = [(&above, &written.left), (&below, written.below.as_ref()?)]
                    .into_iter()
                    .find(|(term, _)| matches!(term.metric.reading, Reading::Recovery(_)))
                {
                    let message = "a time to recover has no ratio: one that never recovers takes for ever";
                    self.error(spec.part(&text.path), message, "compare each of the two with a time");
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

    fn term(
        &mut self,
        spec: &ExpectSpec,
        named: Option<&Piece<'_>>,
        text: &TermText<'_>,
    ) -> Option<(Term, Unit)> {
        let place = spec.part(&text.path);
        let kind = self.kind(spec, text)?;
        let asked = match kind {
            Kind::Value => text.path.text.to_owned(),
            Kind::Slope(level) => level.to_owned(),
            Kind::Recovery(whose, condition) => format!("{whose}.{}", condition.figure.text),
        };
        let path = asked.as_str();
        let place =
            if let Kind::Recovery(_, condition) = kind { spec.part(&condition.figure) } else { place };
        let mut variant = None;
        if let Some(piece) = named {
            variant = Some(self.variant(spec, piece)?);
        }
        let mut found = self.subjects.find(path);
        let mut name = text.path.text;
        // `fixed.users.p99` is `users.p99` of the variant `fixed`, unless something is called `fixed`.
        if found.is_err()
            && let Some((first, rest)) = path.split_once('.')
            && self.variants.iter().any(|known| known == first)
        {
            variant = Some(first.to_string());
            found = self.subjects.find(rest);
            name = &name[first.len() + 1..];
        }
        let is_here = found.is_ok();
        if let (false, Some(variant)) = (is_here, &variant) {
            let own = path.strip_prefix(variant).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path);
            if let Some(parts) = (self.parts_in)(variant) {
                found = Subjects::new(&parts).find(own);
            }
        }
        let found = match found {
            Ok(found) => found,
            Err((message, help)) => {
                if !self.is_told(path) {
                    self.error(place, message, help);
                }
                return None;
            }
        };
        let mut window = match &text.window {
            Some((from, to)) => Some(self.window(spec, from, to)?),
            None => None,
        };
        let (mut name, mut unit) = (name.to_owned(), found.unit);
        let reading = match kind {
            Kind::Value => Reading::Value,
            Kind::Slope(level) => {
                self.rises(place, level, &found)?;
                unit = Unit::Rate;
                Reading::Slope
            }
            Kind::Recovery(_, condition) => {
                let bound = self.value(spec, &condition.bound, found.unit, false)?;
                window = Some((self.after(spec, &condition.after)?, SimTime::ZERO + self.parts.duration));
                unit = Unit::Time;
                let ConditionText { figure, bound: to, after, .. } = condition;
                let whole = spec.text.get(figure.range.start..after.range.end);
                name = format!("{name}({})", whole.unwrap_or(to.text));
                Reading::Recovery(Condition { comparison: condition.comparison, bound })
            }
        };
        let metric = Metric { name, subject: found.subject, figure: found.figure, window, reading };
        Some((Term { variant, metric, is_here }, unit))
    }

    /// What the last word of a metric makes of the rest.
    fn kind<'t>(&mut self, spec: &ExpectSpec, text: &'t TermText<'t>) -> Option<Kind<'t>> {
        let (rest, last) = text.path.text.rsplit_once('.').unwrap_or(("", text.path.text));
        match (last, &text.condition) {
            ("recovery", Some(_)) if text.window.is_some() => {
                let message = "a recovery has no window: it is looked for up to the end of the run";
                self.error(spec.part(&text.path), message, "write `recovery(ok > 99%, after 130s)`");
                None
            }
            ("recovery", Some(condition)) => Some(Kind::Recovery(rest, condition)),
            ("recovery", None) => {
                let help = format!("write `{rest}.recovery(ok > 99%, after 130s)`");
                self.error(
                    spec.part(&text.path),
                    "`recovery` does not say what is to hold, and since when",
                    help,
                );
                None
            }
            (_, Some(condition)) => {
                let message = format!("{} takes nothing in parentheses", quoted(last));
                self.error(spec.part(&condition.figure), message, "only `recovery` does");
                None
            }
            ("slope", None) => Some(Kind::Slope(rest)),
            _ => Some(Kind::Value),
        }
    }

    /// That a figure is a level, which can rise.
    fn rises(&mut self, place: Place, level: &str, found: &Found) -> Option<()> {
        let is_level = matches!(
            found.figure,
            Figure::InFlight | Figure::QueueLength | Figure::InUse | Figure::Replicas | Figure::Lag
        );
        let of_cores = matches!(found.subject, Subject::Cores(_)) && found.figure != Figure::InFlight;
        if is_level && !of_cores {
            return Some(());
        }
        let help = if of_cores {
            let whose = level.rsplit_once('.').map_or(level, |(whose, _)| whose);
            format!("who computes and who waits is not told apart there: write `{whose}.in_flight.slope`")
        } else {
            "levels have one: `in_flight`, `queue_length`, `in_use`, `replicas`, `lag`".into()
        };
        self.error(place, format!("`{level}` has no slope"), help);
        None
    }

    /// The instant from which a recovery counts.
    fn after(&mut self, spec: &ExpectSpec, piece: &Piece<'_>) -> Option<SimTime> {
        let after = self.instant(spec, piece)?;
        let run = SimTime::ZERO + self.parts.duration;
        if after >= run {
            let help = format!("the run ends at {}s", run.as_seconds());
            self.error(spec.part(piece), "nothing is left of the run to recover in", help);
            return None;
        }
        Some(after)
    }

    /// Whether `path` speaks of a part that may be missing because it could not be read.
    fn is_told(&self, path: &str) -> bool {
        let mut words = path.split('.').skip_while(|word| {
            matches!(
                *word,
                "traffic" | "services" | "resources" | "policies" | "queues" | "jobs" | "autoscalers"
            ) || self.variants.iter().any(|known| known == word)
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
        // A level may fall: `-20/s`.
        let positive = Node::plain(piece.text.strip_prefix('-').unwrap_or(piece.text), node.place);
        if let (Some(("/s", value)), Unit::Rate, true) =
            (any_quantity(&positive), unit, piece.text.starts_with('-'))
        {
            return Some(-value);
        }
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
        if matches!(piece.text, "max" | "min" | "mean") {
            return not_yet(&format!("{}(...)", piece.text), spec.part(&piece));
        }
        if piece.text == "recovery" && at == open {
            let close = spec.text[open..].find(')').map_or(spec.text.len(), |i| open + i + 1);
            let place = spec.part(&Piece { text: "", range: open..close });
            return Diagnostic::error("expected a condition and the time from which it is looked for")
                .at(place)
                .help("write `recovery(ok > 99%, after 130s)`");
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

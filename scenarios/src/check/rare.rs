//! What is rare.

use models::blueprint::TrafficId;
use models::rare::{Gauge, Rare};
use sim_core::Span;

use crate::diagnostic::Diagnostic;
use crate::expect::figure_of;
use crate::metric::{Figure, Subject};
use crate::rare::{RareEvent, RareEvents, Sought};
use crate::scenario::Parts;
use crate::spec::{At, ExpectSpec, ScenarioSpec, Sink, any_quantity};
use crate::tree::{Node, Place, quoted};
use crate::words::{did_you_mean, listed};

/// The latency of a traffic, as a whole.
const LATENCY: &str = ".latency";
/// What to write.
const FORMS: &str =
    "write `shoppers.latency > 2s`, `web.in_flight >= 100`, `web.in_flight reaches 500` or `shoppers.p99.99`";

/// The rare events of the scenario; mistakes go to the sink.
pub(crate) fn rare(spec: &ScenarioSpec, parts: &Parts, sink: &mut Sink) -> Option<RareEvents> {
    let At { value: rare, place } = spec.rare.as_ref()?;
    if sink.failed() {
        return None; // Names may be missing because of it.
    }
    let written = rare.events.0.as_ref()?;
    if written.items.is_empty() {
        sink.report(Diagnostic::error("`rare` names no events").at(*place).help(FORMS));
    }
    let toward = rare.toward.as_ref().and_then(|path| {
        let found = gauge(&path.value.0, parts);
        let gauge = found.map_err(|wrong| sink.report(wrong.at(path.place))).ok();
        gauge.map(|gauge| (path.value.0.clone(), gauge))
    });
    let reader = Reader { parts, toward };
    let read = |spec: &ExpectSpec| reader.event(spec).map_err(|wrong| sink.report(wrong.at(spec.place))).ok();
    let events = written.items.iter().filter_map(read).collect();
    Some(RareEvents {
        events,
        precision: rare.precision.value.fraction,
        replications: rare.replications.value.count,
    })
}

struct Reader<'a> {
    parts: &'a Parts,
    toward: Option<(String, Gauge)>,
}

impl Reader<'_> {
    fn event(&self, spec: &ExpectSpec) -> Result<RareEvent, Diagnostic> {
        let text = spec.text.trim();
        let Some((path, sign, bound)) = parts_of(text) else { return self.quantile(text) };
        if let Some(name) = path.strip_suffix(LATENCY) {
            return self.slow(text, name, sign, bound, spec.place);
        }
        let gauge = gauge(path, self.parts)?;
        let level = quantity(bound, "", spec.place)
            .filter(|level| *level >= 0.0 && level.fract() == 0.0 && *level < 1e15)
            .ok_or_else(|| {
                Diagnostic::error(format!("expected a whole number, found {}", quoted(bound)))
                    .help(format!("write `{path} >= 100`"))
            })? as u64;
        let level = if sign == Sign::Above { level + 1 } else { level };
        let rare = if sign == Sign::Reaches { Rare::Reached(level) } else { Rare::High(level) };
        if level == 0 {
            let message = format!("`{path}` is always at least 0");
            return Err(Diagnostic::error(message).help("give a level that is rarely reached"));
        }
        let toward = path.to_owned();
        Ok(RareEvent { text: text.to_owned(), sought: Sought::Share(rare), toward, gauge })
    }

    fn slow(
        &self,
        text: &str,
        name: &str,
        sign: Sign,
        bound: &str,
        place: Place,
    ) -> Result<RareEvent, Diagnostic> {
        let names = || self.parts.traffics.iter().map(|traffic| traffic.name.as_str());
        let Some(traffic) = names().position(|known| known == name) else {
            let help = did_you_mean(name, names())
                .unwrap_or_else(|| format!("long latencies are those of a traffic: {}", listed(names())));
            return Err(Diagnostic::error(format!("there is no traffic {}", quoted(name))).help(help));
        };
        let traffic = TrafficId(traffic as u32);
        if sign == Sign::Reaches {
            let message = "a latency reaches nothing: every request has its own";
            return Err(Diagnostic::error(message).help(format!("write `{name}{LATENCY} > {bound}`")));
        }
        let than = quantity(bound, "s", place).and_then(|seconds| Span::from_seconds(seconds).ok());
        let than = than.ok_or_else(|| {
            Diagnostic::error(format!("expected a time, found {}", quoted(bound)))
                .help(format!("write `{name}{LATENCY} > 2s`"))
        })?;
        let than =
            if sign == Sign::AtLeast { Span::from_nanos(than.as_nanos().saturating_sub(1)) } else { than };
        Ok(self.of_traffic(text, traffic, Sought::Share(Rare::Slow(traffic, than))))
    }

    fn quantile(&self, text: &str) -> Result<RareEvent, Diagnostic> {
        let nothing = || Diagnostic::error(format!("{} is nothing that is rare", quoted(text))).help(FORMS);
        if text.contains(['<', '=', ' ']) {
            return Err(nothing());
        }
        match found(text, self.parts)? {
            (Subject::Traffic(traffic), Figure::Quantile(p)) if p > 0.0 && p < 1.0 => {
                Ok(self.of_traffic(text, traffic, Sought::Quantile(traffic, p)))
            }
            _ => Err(nothing()),
        }
    }

    /// Something that is rare among the requests of a traffic.
    fn of_traffic(&self, text: &str, traffic: TrafficId, sought: Sought) -> RareEvent {
        let own = || {
            let name = &self.parts.traffics[traffic.index()].name;
            (format!("{name}.in_flight"), Gauge::Traffic(traffic))
        };
        let (toward, gauge) = self.toward.clone().unwrap_or_else(own);
        RareEvent { text: text.to_owned(), sought, toward, gauge }
    }
}

/// How a bound is approached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Above,
    AtLeast,
    Reaches,
}

/// What stands on both sides of the sign; none where there is none.
fn parts_of(text: &str) -> Option<(&str, Sign, &str)> {
    let signs =
        [(" reaches ", Sign::Reaches), (">=", Sign::AtLeast), ("≥", Sign::AtLeast), (">", Sign::Above)];
    signs.into_iter().find_map(|(word, sign)| {
        let (path, bound) = text.split_once(word)?;
        Some((path.trim(), sign, bound.trim()))
    })
}

/// A number with this unit, in base units.
fn quantity(text: &str, unit: &str, place: Place) -> Option<f64> {
    any_quantity(&Node::plain(text, place)).filter(|(found, _)| *found == unit).map(|(_, number)| number)
}

fn found(path: &str, parts: &Parts) -> Result<(Subject, Figure), Diagnostic> {
    figure_of(path, parts).map_err(|(message, help)| Diagnostic::error(message).help(help))
}

/// The level that a path means.
fn gauge(path: &str, parts: &Parts) -> Result<Gauge, Diagnostic> {
    match found(path, parts)? {
        (Subject::Traffic(id), Figure::InFlight) => Ok(Gauge::Traffic(id)),
        (Subject::Service(id), Figure::InFlight) => Ok(Gauge::Service(id)),
        (Subject::Pool(id), Figure::QueueLength) => Ok(Gauge::Waiting(id)),
        (Subject::Queue(id, group), Figure::Lag) => Ok(Gauge::Lag(id, group)),
        _ => Err(Diagnostic::error(format!("{} is no level that is watched", quoted(path))).help(
            "levels are `in_flight` of a traffic or a service, `queue_length` of slots, and `lag` of a queue",
        )),
    }
}

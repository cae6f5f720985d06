//! Closed forms beside the simulation: what theory says of every station and of the whole, where it applies,
//! and why where it does not.

mod by_load;
mod caches;
mod station;
mod sum;
mod whole;

use models::blueprint::{Blueprint, Outcome, Pick, TrafficId};
use models::theory::{GiM1, Impatient, Mmc, Mmck, Patience, allen_cunneen, erlang_b};

use super::analysis::{Analysis, Offered, Place, Station};
use super::estimate::{Observed, of};
use super::gather::{Case, Gathered};
use super::growth::{Unsteady, is_transient};
use crate::metric::{Figure, Subject};
use crate::results::{Applies, E, TheoryLine};
use by_load::{ByLoad, by_load};
use station::{Law, NEVER, NoLaw, not_poisson, not_split, owner};
use whole::System;
pub(crate) use whole::Whole;

/// The closed form of the whole system for each traffic, where there is one.
pub(crate) fn wholes(blueprint: &Blueprint) -> Vec<Option<Whole>> {
    let system = System::of(blueprint);
    (0..blueprint.traffics.len()).map(|t| system.whole(t).ok()).collect()
}

/// What the operational laws say, with the throughput of a closed traffic as its closed form knows it where there
/// is an exact one.
pub fn predicted(blueprint: &Blueprint) -> Analysis {
    let analysis = Analysis::of(blueprint);
    let [load] = analysis.loads.as_slice() else { return analysis };
    let Offered::Closed { users, think } = load.offered else { return analysis };
    let whole = System::of(blueprint).whole(0).ok().filter(|whole| whole.applies == Applies::Exactly);
    match whole.and_then(|whole| whole.mean) {
        Some(mean) => analysis.with_throughput(users / (think + mean)),
        None => analysis,
    }
}

/// Theory beside the simulation, for every traffic and every station that is used.
pub(crate) fn lines(case: &Case, gathered: &Gathered, unsteady: &Unsteady) -> Vec<TheoryLine> {
    let blueprint = &case.blueprint;
    let system = System::of(blueprint);
    let analysis = &system.analysis;
    let wholes: Vec<_> = (0..blueprint.traffics.len()).map(|t| system.whole(t)).collect();
    let exact = wholes.iter().flatten().filter(|whole| whole.applies == Applies::Exactly).count();
    let product_form = exact == wholes.len();
    let each = wholes.into_iter().enumerate();
    let mut lines: Vec<TheoryLine> =
        each.flat_map(|(t, whole)| of_traffic(case, gathered, t, whole)).collect();
    let open = analysis.loads.iter().all(|load| matches!(load.offered, Offered::Open { .. }));
    let transient = is_transient(blueprint);
    for (k, law) in system.laws.iter().enumerate() {
        if analysis.loads.iter().any(|load| load.visits[k] > 0.0) && open && !transient {
            let steady = !unsteady.has(subject(analysis.stations[k].place));
            let says = match law {
                _ if !blueprint.gets.is_empty() => {
                    vec![Says::nothing("how much gets here depends on what caches have")]
                }
                Err(NoLaw::Silent(_)) => Vec::new(),
                Err(NoLaw::Because(why)) => vec![Says::nothing(why)],
                Ok(law) => say(&system, k, law, steady, product_form),
            };
            let station = &analysis.stations[k];
            lines.extend(says.into_iter().map(|says| says.line(case, gathered, station)));
        }
    }
    lines.retain(compares);
    lines.extend(caches::lines(case, gathered));
    lines
}

/// Whether a line says anything: that nobody ever waits, as theory says and the simulation saw, does not.
fn compares(line: &TheoryLine) -> bool {
    let (Some(value), Some(simulated)) = (line.value, line.simulated) else { return true };
    value >= NEVER || simulated.value != 0.0
}

fn subject(place: Place) -> Subject {
    match place {
        Place::Pool(pool) => Subject::Pool(pool),
        Place::Cores(service) => Subject::Cores(service),
    }
}

fn simulated(case: &Case, gathered: &Gathered, subject: Subject, figure: Figure) -> Option<E> {
    Some(Observed::of(&of("", subject, figure), case, gathered)?.estimate())
}

fn of_traffic(case: &Case, gathered: &Gathered, t: usize, whole: Result<Whole, String>) -> Vec<TheoryLine> {
    let name = &case.blueprint.traffics[t].name;
    let subject = Subject::Traffic(TrafficId(t as u32));
    let figures = [Figure::Mean, Figure::Quantile(0.5), Figure::Quantile(0.99), Figure::Quantile(0.999)];
    let line = |model: &str, metric: &str, value: Option<f64>, figure, applies, why: &str| TheoryLine {
        at: name.clone(),
        model: model.to_owned(),
        metric: format!("response {metric}"),
        value,
        simulated: simulated(case, gathered, subject, figure),
        applies,
        why: why.to_owned(),
    };
    match whole {
        Ok(whole) => {
            let metrics = whole.metrics().into_iter().zip(figures);
            metrics
                .filter(|((_, value), _)| value.is_some())
                .map(|((metric, value), figure)| {
                    if whole.rough && metric != "mean" {
                        let why = "response times at the stations are taken to be independent";
                        line(&whole.model, metric, value, figure, Applies::Approximately, why)
                    } else {
                        line(&whole.model, metric, value, figure, whole.applies, &whole.why)
                    }
                })
                .collect()
        }
        Err(why) => vec![line("none", "mean", None, Figure::Mean, Applies::No, &why)],
    }
}

/// A value of a closed form about a station.
struct Says {
    model: String,
    metric: &'static str,
    value: Option<f64>,
    figure: Figure,
    applies: Applies,
    why: String,
}

impl Says {
    fn nothing(why: &str) -> Self {
        Self {
            model: "none".to_owned(),
            metric: "wait mean",
            value: None,
            figure: Figure::WaitMean,
            applies: Applies::No,
            why: why.to_owned(),
        }
    }

    fn line(self, case: &Case, gathered: &Gathered, station: &Station) -> TheoryLine {
        let subject = subject(station.place);
        TheoryLine {
            at: station.name.clone(),
            model: self.model,
            metric: self.metric.to_owned(),
            value: self.value,
            simulated: simulated(case, gathered, subject, self.figure),
            applies: self.applies,
            why: self.why,
        }
    }
}

fn say(system: &System<'_>, k: usize, law: &Law, steady: bool, product_form: bool) -> Vec<Says> {
    let place = system.analysis.stations[k].place;
    // With one law for all, whoever is served first, the mean wait of all is the same.
    let ranked = (law.ranked && !law.exponential)
        .then(|| "some classes are served first: this is the wait in order of arrival".to_owned());
    let doubt = ranked.or_else(|| doubt(system, place, product_form));
    let mu = 1.0 / law.mean;
    let new = |metric, value: Option<f64>, figure, exact: bool, why: &str| {
        let (applies, why) = match &doubt {
            Some(doubt) => (Applies::Approximately, doubt.clone()),
            None if exact => (Applies::Exactly, why.to_owned()),
            None => (Applies::Approximately, why.to_owned()),
        };
        Says { model: law.model(), metric, value, figure, applies, why }
    };
    if law.with_cores.is_some() {
        return Vec::new(); // Told for the whole; the split between the two queues has no closed form.
    }
    if law.gives_up && cuts_off(law) {
        return with_patience(law, new);
    }
    if let Some(room) = law.room.filter(|room| law.matters(*room)) {
        return with_limited_queue(law, room, new);
    }
    let (false, true) = (law.utilization() >= 1.0, steady) else {
        return vec![Says::nothing("more work arrives than can be done: there is no steady state")];
    };
    let Some(poisson) = Mmc::new(law.arrivals, mu, law.servers) else { return Vec::new() };
    if let Some((mean, why)) = law.known {
        return vec![new("response mean", Some(mean), Figure::HoldMean, true, why)];
    }
    if law.shared {
        let why = "Poisson arrivals; shared cores depend on the mean need only";
        return vec![new("response mean", Some(poisson.mean_response()), Figure::HoldMean, true, why)];
    }
    if let Some(turns) = in_turn(system, law, place) {
        return turns;
    }
    if let Some(by_load) = by_load(system, law, place) {
        return chosen_by_load(by_load);
    }
    if law.exponential {
        let why = "Poisson arrivals, exponential service";
        let waits = poisson.prob_wait();
        let mut says = vec![new("wait probability", Some(waits), Figure::WaitProbability, true, why)];
        if waits < NEVER {
            return says; // Nobody waits: there is nothing more to tell.
        }
        says.push(new("wait mean", Some(poisson.mean_wait()), Figure::WaitMean, true, why));
        if law.fifo {
            let p99 = poisson.wait_quantile(0.99);
            says.push(new("wait p99", Some(p99), Figure::WaitQuantile(0.99), true, why));
        }
        return says;
    }
    let wait = allen_cunneen(law.arrivals, mu, law.servers, 1.0, law.scv).filter(|wait| wait.is_finite());
    let (exact, why) = if law.servers == 1 {
        (true, "Poisson arrivals, one server (Pollaczek-Khinchine)")
    } else {
        (false, "service is not exponential (Allen-Cunneen)")
    };
    vec![new("wait mean", wait, Figure::WaitMean, exact, why)]
}

/// Whether anybody is ever likely to give up.
fn cuts_off(law: &Law) -> bool {
    let Some(endless) = Mmc::new(law.arrivals, 1.0 / law.mean, law.servers) else { return true };
    let spare = f64::from(law.servers) / law.mean - law.arrivals;
    let beyond = match law.patience {
        Some(Patience::Constant(patience)) => (-spare * patience).exp(),
        _ => 1.0,
    };
    endless.prob_wait() * beyond > NEVER
}

/// A station at which those who wait give up.
fn with_patience(
    law: &Law,
    new: impl Fn(&'static str, Option<f64>, Figure, bool, &str) -> Says,
) -> Vec<Says> {
    if law.room.is_some_and(|room| law.matters(room)) {
        return vec![Says::nothing("those who wait give up, and the queue is limited too")];
    }
    let patience = law.patience.filter(|_| law.exponential && !law.shared);
    let Some(patience) = patience else {
        return vec![Says::nothing(
            "those who wait give up: known for exponential service and patience only",
        )];
    };
    let mu = 1.0 / law.mean;
    let Some(station) = Impatient::new(law.arrivals, mu, law.servers, patience) else { return Vec::new() };
    let (model, why) = match patience {
        Patience::Exponential(_) => ("+M", "Poisson arrivals, exponential service and patience (Erlang A)"),
        Patience::Constant(_) => ("+D", "Poisson arrivals, exponential service, constant patience"),
    };
    let says = [
        ("timed out", station.prob_abandon(), Figure::Share(Outcome::TIMED_OUT)),
        ("queue length", station.mean_queue(), Figure::QueueLength),
    ];
    says.into_iter()
        .map(|(metric, value, figure)| {
            let says = new(metric, Some(value), figure, true, why);
            Says { model: format!("{}{model}", says.model), ..says }
        })
        .collect()
}

fn with_limited_queue(
    law: &Law,
    room: u32,
    new: impl Fn(&'static str, Option<f64>, Figure, bool, &str) -> Says,
) -> Vec<Says> {
    let refused = Figure::Share(Outcome::REJECTED);
    if room == 0 {
        let lost = erlang_b(law.arrivals * law.mean, law.servers);
        let why = "Poisson arrivals, no queue (Erlang B holds for any service time)";
        return vec![new("rejected", Some(lost), refused, true, why)];
    }
    let places = law.servers.saturating_add(room);
    let Some(finite) = Mmck::new(law.arrivals, 1.0 / law.mean, law.servers, places) else {
        return Vec::new();
    };
    let why = if law.exponential {
        "Poisson arrivals, exponential service, a limited queue"
    } else {
        "as if service were exponential"
    };
    vec![
        new("rejected", Some(finite.prob_rejected()), refused, law.exponential, why),
        new("wait mean", Some(finite.mean_wait()), Figure::WaitMean, law.exponential, why),
    ]
}

/// Replicas that are chosen by how busy they are.
fn chosen_by_load(by_load: ByLoad) -> Vec<Says> {
    let (model, prob_wait, mean_wait, why) = match by_load {
        ByLoad::Nearly { model, prob_wait, mean_wait, why } => (model, prob_wait, mean_wait, why),
        ByLoad::Unknown(why) => return vec![Says::nothing(&why)],
    };
    let says = |metric, value, figure| Says {
        model: model.clone(),
        metric,
        value: Some(value),
        figure,
        applies: Applies::Approximately,
        why: why.clone(),
    };
    let waits = prob_wait.map(|waits| says("wait probability", waits, Figure::WaitProbability));
    waits.into_iter().chain([says("wait mean", mean_wait, Figure::WaitMean)]).collect()
}

/// Replicas with one server each that get Poisson arrivals in turn.
fn in_turn(system: &System<'_>, law: &Law, place: Place) -> Option<Vec<Says>> {
    let blueprint = system.blueprint;
    let service = owner(blueprint, place)?;
    let in_turn = blueprint
        .routes
        .iter()
        .any(|r| r.service == service && r.pick == Pick::RoundRobin && r.health.is_none());
    let from_traffic = blueprint.traffics.len() == 1
        && blueprint.traffics[0].targets.iter().all(|(_, call)| {
            let called = blueprint.calls[call.index()].endpoint;
            blueprint.endpoints[called.index()].service == service
        });
    let fits = law.instances > 1 && law.servers == 1 && law.exponential && law.fifo && in_turn;
    if !fits || !from_traffic || not_poisson(blueprint).is_some() || system.policies_matter {
        return None;
    }
    let n = law.instances;
    let turns = GiM1::round_robin(law.arrivals * f64::from(n), 1.0 / law.mean, n)?;
    let says = |metric, value, figure| Says {
        model: format!("E{n}/M/1"),
        metric,
        value: Some(value),
        figure,
        applies: Applies::Exactly,
        why: format!("Poisson arrivals that go to {n} replicas in turn"),
    };
    Some(vec![
        says("wait probability", turns.prob_wait(), Figure::WaitProbability),
        says("wait mean", turns.mean_wait(), Figure::WaitMean),
    ])
}

/// Why the arrivals at a station are only nearly Poisson; none when they are.
fn doubt(system: &System<'_>, place: Place, product_form: bool) -> Option<String> {
    let blueprint = system.blueprint;
    if let Some(why) = not_poisson(blueprint) {
        return Some(why);
    }
    if system.policies_matter {
        return Some("timeouts and retries are left out".to_owned());
    }
    let service = owner(blueprint, place);
    if let Some(why) = service.and_then(|service| not_split(blueprint, service)) {
        return Some(why);
    }
    let direct = blueprint.traffics.iter().flat_map(|traffic| &traffic.targets).all(|(_, call)| {
        let called = blueprint.calls[call.index()].endpoint;
        Some(blueprint.endpoints[called.index()].service) == service
    });
    let elsewhere =
        !direct || blueprint.calls.len() > blueprint.traffics.iter().map(|t| t.targets.len()).sum();
    let nearly = "what arrives has passed other queues: it is only nearly Poisson";
    (elsewhere && !product_form).then(|| nearly.to_owned())
}

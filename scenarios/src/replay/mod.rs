//! An autoscaler's manifest against what was recorded: what it would have done, and whether that was enough.
//!
//! The controllers are those of `models::autoscaler`, unchanged. What they look at is a recorded series in one of three
//! ways ([`Loop`]); no service is modelled.

#![expect(
    clippy::cast_possible_wrap,
    reason = "replicas are counted far below 2^31, and times are of this age"
)]

mod feed;
mod recording;
mod score;
mod stage;
mod time;
mod track;

use std::sync::Arc;

use models::autoscaler::controller::{Controller, KnativeReason, Why};
use models::autoscaler::flaps::Flaps;
use models::autoscaler::knative::apply::ApplyReason;
use sim_core::SimTime;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Goal, Law, Scaler};
use crate::results::{Replay, ReplayCost, ReplayDecision, ReplayMetric, ReplayReason, ReplaySummary, Window};
use crate::spec::{PriceSpec, Priced, seconds};

use feed::Told;
pub use feed::{Feed, Meaning, Taken};
pub use recording::{Recording, Series};
pub use sim_core::Span;

use stage::{LEAD, Stage};
use time::Millis;

/// How the replicas answer to decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loop {
    /// They are there at once. A recorded load is spread over them; a recorded mean stays what it was.
    #[default]
    Open,
    /// They are those that were recorded: each decision is one beside what happened.
    Recorded,
    /// They have to start, a load cannot take more than all of them, and the metric is as old as its pipeline makes it.
    Closed,
}

/// What a replay goes by besides manifest and metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How replicas answer.
    pub how: Loop,
    /// The replicas that were there when the metrics were recorded.
    pub recorded: Option<Arc<Series>>,
    /// Replicas to begin with; otherwise the recorded ones, those the manifest sets, or as many as are needed.
    pub start: Option<i32>,
    /// How long a replica takes from being wanted to being ready; for a closed loop.
    pub startup: Span,
    /// Time between two scrapes instead of the pipeline's own; for a closed loop.
    pub scrape: Option<Span>,
    /// How long an answer takes until it can be seen instead of the pipeline's own; for a closed loop.
    pub age: Option<Span>,
    /// How long a value holds when no other follows; otherwise 5 minutes, or three usual steps where that is longer.
    pub stale_after: Option<Span>,
    /// A change is a flap if it turns the direction of another this short before.
    pub flap_window: Span,
    /// What a replica costs.
    pub price: Option<Price>,
    /// Whether all decisions are kept, and the course over time.
    pub keep_all: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            how: Loop::Open,
            recorded: None,
            start: None,
            startup: Span::from_nanos(30_000_000_000),
            scrape: None,
            age: None,
            stale_after: None,
            flap_window: Flaps::WINDOW,
            price: None,
            keep_all: false,
        }
    }
}

/// What a replica costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    per_hour: f64,
    currency: String,
}

impl Price {
    /// Reads a price: `0.05 USD/replica-hour`.
    pub fn parse(text: &str) -> Option<Self> {
        let price = PriceSpec::per(Priced::Replica, text)?;
        Some(Self { per_hour: price.per_hour, currency: price.currency })
    }
}

/// Reads a length of time as scenarios write it: `90s`, `1h30m`.
///
/// # Errors
///
/// When it is none: what is wrong, and what to do.
pub fn span(text: &str) -> Result<Span, String> {
    let seconds = seconds(text).map_err(|(wrong, help)| format!("{wrong}; {help}"))?;
    Span::from_seconds(seconds).map_err(|error| error.to_string())
}

/// What is fixed while a replay runs.
#[derive(Debug)]
struct Plan {
    how: Loop,
    recorded: Option<Arc<Series>>,
    startup: Span,
    scrape: Option<Span>,
    age: Option<Span>,
    stale_after: Millis,
    /// Whether triggers are asked at the time of the decision.
    live: bool,
    /// Time between two datapoints of a statistic.
    period: Span,
    fewest: i32,
}

fn millis(span: Span) -> Millis {
    (span.as_nanos() / 1_000_000) as Millis
}

/// Replays a scaler, whose metrics are those of `feeds`.
///
/// # Errors
///
/// When the load cannot be told in a closed loop, or the formula of a scaler lacks a trigger. The message has no place:
/// it belongs to the command line.
pub fn replay(
    mut scaler: Scaler,
    feeds: &[Feed],
    files: &[&str],
    options: &Options,
) -> Result<Replay, Diagnostic> {
    let notes = narrow(&mut scaler, feeds)?;
    if options.how == Loop::Closed && options.recorded.is_none() && !feeds.iter().all(Feed::is_load) {
        let unknown = "a closed loop needs the load, and a mean over replicas was recorded";
        return Err(Diagnostic::error(unknown).help(
            "give the replicas that it was measured on with `--replicas`, or a load and `--value total`",
        ));
    }
    if options.how == Loop::Recorded && options.recorded.is_none() {
        return Err(Diagnostic::error("there are no recorded replicas").help("give them with `--replicas`"));
    }
    let ranges = feeds.iter().map(|feed| feed.series.range());
    let begin = ranges.clone().map(|(begin, _)| begin).min().unwrap_or(0);
    let end = ranges.map(|(_, end)| end).max().unwrap_or(0);
    let plan = plan(&scaler, feeds, options);
    let start = start(&scaler, feeds, options, &plan, begin);
    let mut course = Course::new(&plan, options, feeds, begin, start);
    let mut controller = scaler.controller(start, SimTime::ZERO + LEAD);
    course.run(&mut controller, end)?;
    Ok(course.report(&scaler, feeds, files, begin, notes))
}

fn plan(scaler: &Scaler, feeds: &[Feed], options: &Options) -> Plan {
    let usual = feeds.iter().map(|feed| feed.series.step()).max().unwrap_or(0);
    Plan {
        how: options.how,
        recorded: options.recorded.clone(),
        startup: options.startup,
        scrape: options.scrape,
        age: options.age,
        stale_after: options.stale_after.map_or((3 * usual).max(300_000), millis),
        live: matches!(scaler.law, Law::Keda(..)),
        period: match &scaler.law {
            Law::Aws(group) => group.period(),
            _ => Span::from_nanos(60_000_000_000),
        },
        fewest: scaler.bounds().0,
    }
}

/// Leaves out of the scaler what nothing was recorded of, and says so.
fn narrow(scaler: &mut Scaler, feeds: &[Feed]) -> Result<Vec<String>, Diagnostic> {
    let fed = |name: &str| feeds.iter().any(|feed| *feed.metric.name == *name);
    let left: Vec<String> = scaler
        .metrics()
        .iter()
        .filter(|metric| {
            !feeds.iter().any(|feed| feed.metric.kind == metric.kind && feed.metric.name == metric.name)
        })
        .map(|metric| metric.name.to_string())
        .collect();
    if let Some(name) = left.first().filter(|_| scaler.needs_all()) {
        let missing =
            format!("the formula of `{}` needs `{name}`, and nothing was recorded of it", scaler.title());
        return Err(Diagnostic::error(missing).help(format!("give a series for each trigger: `{name}=FILE`")));
    }
    scaler.keep(fed);
    Ok(left.iter().map(|name| format!("nothing was recorded of `{name}`: it is left out")).collect())
}

/// Replicas to begin with.
fn start(scaler: &Scaler, feeds: &[Feed], options: &Options, plan: &Plan, begin: Millis) -> i32 {
    let (min, max) = scaler.bounds();
    let recorded = || {
        options
            .recorded
            .as_ref()
            .and_then(|series| series.at(begin, Millis::MAX))
            .map(|count| count.round() as i32)
    };
    let needed = || {
        let of = |feed: &Feed| feed.value(begin, plan.stale_after).filter(|_| feed.is_load());
        feeds
            .iter()
            .filter_map(|feed| feed.needed(of(feed)?))
            .max()
            .map(|needed| needed.clamp(min, max.max(min)))
    };
    options.start.or_else(recorded).or(scaler.start).or_else(needed).unwrap_or(min.max(1))
}

/// Most replicas: the pods of the largest clusters that Kubernetes supports.
const MOST: i32 = 150_000;

/// A controller on its way through the recording.
struct Course<'a> {
    stage: Stage<'a>,
    options: &'a Options,
    plan: &'a Plan,
    decisions: u64,
    reasons: Vec<(Why, u64)>,
    changes: Vec<ReplayDecision>,
    all: Vec<ReplayDecision>,
    /// The count that it wanted last, and how often that was not the one that was there.
    wanted: i32,
    disagreed: u64,
    /// Changes that took back the one before, and what tells them.
    flaps: u64,
    turns: Flaps,
    last_why: Option<Why>,
}

impl<'a> Course<'a> {
    fn new(plan: &'a Plan, options: &'a Options, feeds: &'a [Feed], begin: Millis, start: i32) -> Self {
        Self {
            stage: Stage::new(plan, feeds, begin, start),
            options,
            plan,
            decisions: 0,
            reasons: Vec::new(),
            changes: Vec::new(),
            all: Vec::new(),
            wanted: start,
            disagreed: 0,
            flaps: 0,
            turns: Flaps::within(options.flap_window),
            last_why: None,
        }
    }

    fn run(&mut self, controller: &mut Controller, end: Millis) -> Result<(), Diagnostic> {
        let mut now = SimTime::ZERO + LEAD;
        let mut set = self.stage.set();
        while self.stage.millis(now) < end {
            self.stage.advance(now);
            if self.stage.set() != set {
                // Somebody else wrote it: the recording.
                controller.written(set, self.stage.set(), now);
            }
            let decision = controller.look(&self.stage, now);
            // A scrape between two decisions of Knative.
            let silent = decision.why == Why::Knative(KnativeReason::Applied(ApplyReason::NoDecision));
            if decision.replicas.is_some() || !silent {
                self.decided(decision.replicas, decision.why, now);
            }
            if decision.replicas.is_some_and(|to| to > MOST) {
                return Err(self.ran_away(now));
            }
            let before = self.stage.set();
            if let Some(to) = decision.replicas.filter(|to| *to != before && self.plan.how != Loop::Recorded)
            {
                self.stage.scale(to);
                controller.written(before, to, now);
            }
            set = self.stage.set();
            now = decision.next.max(now.saturating_add(Span::from_nanos(1)));
        }
        let left =
            Span::from_nanos((end - self.stage.millis(SimTime::ZERO)).max(0).unsigned_abs() * 1_000_000);
        self.stage.advance(SimTime::ZERO + left);
        Ok(())
    }

    fn ran_away(&self, now: SimTime) -> Diagnostic {
        let when = time::show(self.stage.millis(now));
        let message = format!("the count runs away: it is more than {MOST} at {when}");
        Diagnostic::error(message).help(
            "a mean over replicas does not answer to these decisions: give the load (`--value total`), or `--replicas`; \
             or set a maximum in the manifest",
        )
    }

    fn decided(&mut self, to: Option<i32>, why: Why, now: SimTime) {
        self.decisions += 1;
        match self.reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => self.reasons.push((why, 1)),
        }
        let at = self.seconds(now);
        if self.options.keep_all {
            if self.last_why.replace(why) != Some(why) {
                self.stage.score.course.reasons.push((at, why.name()));
            }
            let held = self.stage.held(0);
            self.stage.score.told(at, held);
        }
        let from = self.stage.set();
        self.disagreed += u64::from(to.is_some_and(|to| to != from));
        let last = if self.plan.how == Loop::Recorded { self.wanted } else { from };
        let changed = to.filter(|to| *to != last);
        if changed.is_none() && !self.options.keep_all {
            return;
        }
        let decision = ReplayDecision {
            at,
            time: time::show(self.stage.millis(now)),
            value: self.stage.held(0),
            from,
            to,
            reason: why.name(),
            meaning: why.meaning().to_owned(),
        };
        if let Some(to) = changed {
            self.changed(last, to, now);
            self.changes.push(decision.clone());
        }
        if self.options.keep_all {
            self.all.push(decision);
        }
    }

    /// Since the beginning, as exactly as recordings go.
    fn seconds(&self, now: SimTime) -> f64 {
        (self.stage.millis(now) - self.stage.millis(SimTime::ZERO + LEAD)) as f64 / 1000.0
    }

    fn changed(&mut self, from: i32, to: i32, now: SimTime) {
        let turned = self.turns.is_flap(from, to, now);
        self.flaps += u64::from(turned);
        if self.plan.how == Loop::Recorded {
            let at = self.seconds(now);
            self.stage.score.course.wanted.push((at, Some(to)));
        }
        self.wanted = to;
    }

    fn report(
        self,
        scaler: &Scaler,
        feeds: &[Feed],
        files: &[&str],
        begin: Millis,
        mut notes: Vec<String>,
    ) -> Replay {
        notes.extend(remarks(self.plan, feeds, tolerance(scaler)));
        let (min, max) = scaler.bounds();
        let metric = |(feed, file): (&Feed, &&str)| ReplayMetric {
            name: feed.metric.name.to_string(),
            unit: feed.unit().to_owned(),
            targets: feed.metric.goals.iter().map(|goal| goal.value()).collect(),
            file: (*file).to_owned(),
            values: feed.series.len() as u64,
            missing: feed.series.missing() as u64,
            step: feed.series.step() as f64 / 1000.0,
        };
        let mut reasons: Vec<ReplayReason> = self
            .reasons
            .iter()
            .map(|(why, count)| ReplayReason {
                reason: why.name(),
                meaning: why.meaning().to_owned(),
                count: *count,
            })
            .collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        let summary = self.summary();
        let to = self.stage.score.seconds();
        Replay {
            name: scaler.title().to_owned(),
            kind: scaler.law.kind().to_owned(),
            min,
            max: Some(max).filter(|max| *max != i32::MAX),
            how: self.plan.how.name().to_owned(),
            begin: time::is_date(begin).then(|| time::show(begin)),
            window: Window { from: 0.0, to },
            metrics: feeds.iter().zip(files).map(metric).collect(),
            decisions: self.decisions,
            reasons,
            changes: self.changes,
            all: self.all,
            summary,
            notes,
            series: self.options.keep_all.then_some(self.stage.score.course),
        }
    }

    fn summary(&self) -> ReplaySummary {
        let score = &self.stage.score;
        let mut last = None;
        let mut up = 0;
        for change in &self.changes {
            let from =
                if self.plan.how == Loop::Recorded { last.unwrap_or(change.from) } else { change.from };
            up += u64::from(change.to.is_some_and(|to| to > from));
            last = change.to;
        }
        let changes = self.changes.len() as u64;
        let hours = score.seconds() / 3600.0;
        let replica_hours = score.set_counts.hours();
        let cost = self.options.price.as_ref().map(|price| ReplayCost {
            amount: price.per_hour * replica_hours,
            currency: price.currency.clone(),
        });
        let needed = score.needed_counts.counts();
        ReplaySummary {
            changes,
            up,
            down: changes - up,
            flaps: self.flaps,
            flaps_per_hour: if hours > 0.0 { self.flaps as f64 / hours } else { 0.0 },
            flap_window: self.options.flap_window.as_seconds(),
            under: score.under(),
            over: score.over(),
            unknown: score.unknown(),
            worst: score.worst(),
            missing_hours: score.missing_hours(),
            surplus_hours: score.surplus_hours(),
            replica_hours,
            needed_hours: needed.map(|_| score.needed_counts.hours()),
            cost,
            replicas: score.set_counts.counts(),
            needed,
            disagrees: (self.plan.how == Loop::Recorded && self.decisions > 0)
                .then(|| self.disagreed as f64 / self.decisions as f64),
        }
    }
}

/// How far beyond its target a scaler tolerates a metric.
fn tolerance(scaler: &Scaler) -> f64 {
    match &scaler.law {
        Law::Hpa(_, settings) | Law::Keda(_, settings) => settings.tolerance,
        Law::Knative(..) | Law::Aws(_) => 0.0,
    }
}

/// What a reader of the figures has to know.
fn remarks(plan: &Plan, feeds: &[Feed], tolerance: f64) -> Vec<String> {
    let mut remarks = Vec::new();
    let out_of_reach = |feed: &Feed| {
        let bounds = feed.share.zip(feed.full).filter(|_| feed.told == Told::Percent);
        bounds.is_some_and(|(share, full)| share * (1.0 + tolerance) >= full)
    };
    if plan.how == Loop::Closed && feeds.iter().all(out_of_reach) {
        remarks.push(
            "no replica is used by more than 100 %, and the target with what is tolerated is not below that: it never \
             grows; `--capacity` is what a replica carries when it uses all that it requests"
                .to_owned(),
        );
    }
    let loads = plan.recorded.is_some() || feeds.iter().all(Feed::is_load);
    if plan.how == Loop::Open && !loads {
        remarks.push(
            "a mean over replicas was recorded, and it does not answer to these decisions: the count runs away \
             from where it was measured; give the load, or `--replicas`"
                .to_owned(),
        );
    }
    if loads && feeds.iter().any(|feed| feed.share.is_none()) {
        let told = "how many replicas were needed cannot be told";
        remarks.push(format!("{told}: the target does not say what one replica carries"));
    }
    let missing: usize = feeds.iter().map(|feed| feed.series.missing()).sum();
    if missing > 0 {
        remarks.push(format!(
            "nothing was measured at {missing} of the recorded times; the metric is gone until the next"
        ));
    }
    remarks
}

impl Loop {
    /// As it is called in results.
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Recorded => "recorded",
            Self::Closed => "closed",
        }
    }
}

impl Goal {
    /// The number.
    fn value(self) -> f64 {
        let (Self::Utilization(value)
        | Self::PerReplica(value)
        | Self::Value(value)
        | Self::Threshold(value)) = self;
        value
    }
}

#[cfg(test)]
mod tests;

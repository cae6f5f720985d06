//! Runs replications and keeps what is needed of each.

use std::collections::{BTreeMap, BTreeSet};

use models::blueprint::Blueprint;
use models::observe::{Deadlock, Ended, Observations, Segment};
use sim_core::{CancelFlag, Fingerprint, PopulationWindow, SimTime, Span};

use super::joined::{self, How};
use super::{batches, course, evaluate, units};
use crate::metric::Metric;

/// Simulates one replication: `(blueprint, seed, index, breakdown, cancel)`.
///
/// The engine, or what a test puts in its place.
pub(crate) type Simulate<'a> = dyn Fn(&Blueprint, u64, u32, bool, &CancelFlag) -> Observations + Sync + 'a;

/// Hears how far an experiment is. Called from any thread.
pub trait Progress: Sync {
    /// The experiment now expects this many replications in all; more may follow.
    fn planned(&self, replications: u64);
    /// One more replication has ended, having handled this many events.
    fn finished(&self, events: u64);
    /// What is being done now: `finding the warm-up`, `12 of 20 points`.
    fn stage(&self, _text: &str) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn planned(&self, _replications: u64) {}
    fn finished(&self, _events: u64) {}
}

/// A blueprint to replicate.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What is simulated. Its cuts include the edges of `windows` and the middle of the measured part.
    pub(crate) blueprint: Blueprint,
    pub(crate) seed: u64,
    /// Number of its first replication.
    pub(crate) first: u32,
    /// Its variant; none for the scenario as it stands.
    pub(crate) variant: Option<String>,
    /// Windows that metrics look at, besides the measured part.
    pub(crate) windows: Vec<(SimTime, SimTime)>,
    /// Those of them into which a single replication is cut; none where there are several, or no steady state.
    pub(crate) batches: Vec<(SimTime, SimTime)>,
    /// Conditions that are watched over the course of the run: metrics whose reading is a recovery.
    pub(crate) watched: Vec<Metric>,
}

impl Case {
    pub(crate) fn new(
        mut blueprint: Blueprint,
        seed: u64,
        variant: Option<String>,
        windows: Vec<(SimTime, SimTime)>,
    ) -> Self {
        add_cuts(&mut blueprint, windows.iter().flat_map(|(from, to)| [*from, *to]));
        let middle = middle(&blueprint);
        add_cuts(&mut blueprint, [middle]);
        Self { blueprint, seed, first: 0, variant, windows, batches: Vec::new(), watched: Vec::new() }
    }

    /// The same, its replications numbered from `first` on: on other random numbers.
    pub(crate) fn beginning_with(self, first: u32) -> Self {
        Self { first, ..self }
    }

    /// The same, with these windows looked at too.
    pub(crate) fn looking_at(mut self, windows: impl IntoIterator<Item = (SimTime, SimTime)>) -> Self {
        for (from, to) in windows {
            if !self.windows.contains(&(from, to)) {
                self.windows.push((from, to));
                add_cuts(&mut self.blueprint, [from, to]);
            }
        }
        self
    }

    /// The same, its only replication cut into batches.
    pub(crate) fn in_batches(self) -> Self {
        let batches = batches::of(&self.blueprint);
        Self { batches: batches.clone(), ..self.looking_at(batches) }
    }

    /// The same, with these conditions watched too.
    pub(crate) fn watching(mut self, watched: Vec<Metric>) -> Self {
        let edges: Vec<SimTime> =
            watched.iter().flat_map(|metric| course::edges(metric, &self.blueprint)).collect();
        add_cuts(&mut self.blueprint, edges);
        self.watched.extend(watched);
        self
    }
}

/// The middle of the measured part.
pub(crate) fn middle(blueprint: &Blueprint) -> SimTime {
    let (from, to) = evaluate::measured(blueprint);
    SimTime::from_nanos(u64::midpoint(from.as_nanos(), to.as_nanos()))
}

/// Adds instants at which segments end; those outside of the run are left out.
pub(crate) fn add_cuts(blueprint: &mut Blueprint, at: impl IntoIterator<Item = SimTime>) {
    let end = SimTime::ZERO + blueprint.duration;
    let inside = |at: &SimTime| *at > SimTime::ZERO && *at < end;
    let mut cuts: BTreeSet<SimTime> = blueprint.cuts.iter().copied().collect();
    if blueprint.warmup > Span::ZERO {
        cuts.insert(SimTime::ZERO + blueprint.warmup);
    }
    cuts.extend(at);
    blueprint.cuts = cuts.into_iter().filter(inside).collect();
}

/// What is kept of one replication.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Whether it reached its end.
    pub(crate) complete: bool,
    pub(crate) fingerprint: Fingerprint,
    /// The measured part; none when it ended before.
    pub(crate) measured: Option<Segment>,
    /// By window of the case.
    pub(crate) windows: Vec<Option<Segment>>,
    /// By watched condition of the case: whether it held, window by window.
    pub(crate) held: Vec<Vec<bool>>,
    /// Requests that wait for each other at the end.
    pub(crate) deadlock: Option<Deadlock>,
    /// Who was present at the beginning, in the middle and at the end of the measured part.
    pub(crate) levels: Option<Levels>,
}

/// Populations at the beginning, in the middle and at the end of the measured part.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Levels {
    pub(crate) traffics: Vec<[u64; 3]>,
    pub(crate) services: Vec<[u64; 3]>,
    /// Waiting.
    pub(crate) pools: Vec<[u64; 3]>,
    /// Computing or waiting for a core, by service.
    pub(crate) cores: Vec<[u64; 3]>,
    /// Waiting.
    pub(crate) rates: Vec<[u64; 3]>,
    /// Waiting.
    pub(crate) volumes: Vec<[u64; 3]>,
    /// Fetches under way, and those who wait for them.
    pub(crate) caches: Vec<[u64; 3]>,
    /// Messages that are not dealt with, by queue and group.
    pub(crate) queues: Vec<Vec<[u64; 3]>>,
}

impl Levels {
    fn of(observations: &Observations, from: SimTime, middle: SimTime, to: SimTime) -> Option<Self> {
        // Populations only: to put whole segments together would copy every histogram in them.
        let inside = |from: SimTime, to: SimTime| joined::inside(observations, from, to);
        let first = inside(from, middle).next()?;
        let (half, last) = (inside(from, middle).last()?, inside(middle, to).last()?);
        let at = |start: &PopulationWindow, half: &PopulationWindow, end: &PopulationWindow| {
            [start.n_start, half.n_end, end.n_end]
        };
        let traffics = (0..first.traffics.len())
            .map(|i| at(&first.traffics[i].present, &half.traffics[i].present, &last.traffics[i].present))
            .collect();
        let services = (0..first.services.len())
            .map(|i| at(&first.services[i].present, &half.services[i].present, &last.services[i].present))
            .collect();
        let pools = (0..first.pools.len())
            .map(|i| at(&first.pools[i].waiting, &half.pools[i].waiting, &last.pools[i].waiting))
            .collect();
        let cores = (0..first.cores.len())
            .map(|i| match (&first.cores[i], &half.cores[i], &last.cores[i]) {
                (Some(a), Some(b), Some(c)) => at(&a.present, &b.present, &c.present),
                _ => [0; 3],
            })
            .collect();
        let rates = (0..first.rates.len())
            .map(|i| at(&first.rates[i].waiting, &half.rates[i].waiting, &last.rates[i].waiting))
            .collect();
        let volumes = (0..first.volumes.len())
            .map(|i| at(&first.volumes[i].waiting, &half.volumes[i].waiting, &last.volumes[i].waiting))
            .collect();
        let caches = (0..first.caches.len())
            .map(|i| {
                let of = |segment: &Segment| segment.caches[i].fetching.clone();
                let waiting = at(&first.caches[i].waiting, &half.caches[i].waiting, &last.caches[i].waiting);
                let fetching = at(&of(first), &of(half), &of(last));
                [0, 1, 2].map(|k| waiting[k] + fetching[k])
            })
            .collect();
        let lags =
            |segment: &Segment, queue: usize, group: usize| segment.queues[queue].groups[group].lag.clone();
        let groups = |i: usize| {
            (0..first.queues[i].groups.len())
                .map(|g| at(&lags(first, i, g), &lags(half, i, g), &lags(last, i, g)))
                .collect()
        };
        let queues = (0..first.queues.len()).map(groups).collect();
        Some(Self { traffics, services, pools, cores, rates, volumes, caches, queues })
    }
}

/// What the replications of one case have shown so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered {
    /// Replications that were begun, in index order.
    pub(crate) begun: u32,
    /// By replication that counts, in index order: those that reached their end, or, as long as none has,
    /// those that were cut short.
    pub(crate) samples: Vec<Sample>,
    /// The same replications merged.
    pub(crate) merged: Option<Observations>,
    /// Their measured parts merged.
    pub(crate) measured: Option<Segment>,
    /// By window of the case: merged.
    pub(crate) windows: Vec<Option<Segment>>,
    /// Why replications were cut short, each reason once.
    pub(crate) cut_short: Vec<String>,
    /// Where uncertain inputs were drawn: how many of the samples each point has. Empty where all is known.
    pub(crate) points: Vec<usize>,
}

impl Gathered {
    /// Whether no replication was cut short.
    pub(crate) fn complete(&self) -> bool {
        self.cut_short.is_empty() && !self.samples.is_empty()
    }

    /// Says so where fewer replications than `target` were begun.
    fn expect(&mut self, target: u32) {
        let reason = "interrupted".to_owned();
        if self.begun < target && !self.cut_short.contains(&reason) {
            self.cut_short.push(reason);
        }
    }

    /// Adds what the replications of the next point have shown.
    pub(crate) fn join(&mut self, point: Self) {
        self.begun += point.begun;
        self.points.push(point.samples.len());
        self.samples.extend(point.samples);
        merge_segment(&mut self.measured, point.measured.as_ref());
        self.windows.resize_with(self.windows.len().max(point.windows.len()), || None);
        for (sum, more) in self.windows.iter_mut().zip(&point.windows) {
            merge_segment(sum, more.as_ref());
        }
        match (&mut self.merged, point.merged) {
            (Some(sum), Some(more)) => joined::merge_into(sum, &more),
            (sum, more) => *sum = sum.take().or(more),
        }
        for reason in point.cut_short {
            if !self.cut_short.contains(&reason) {
                self.cut_short.push(reason);
            }
        }
    }

    /// What samples have to say, by point; each sample is its own where all inputs are known.
    pub(crate) fn grouped(&self, each: &[Option<f64>]) -> Vec<Vec<f64>> {
        let mut rest = each.iter();
        let of_point = |count: usize| rest.by_ref().take(count).flatten().copied().collect();
        if self.points.is_empty() {
            return each.iter().map(|value| value.iter().copied().collect()).collect();
        }
        self.points.iter().copied().map(of_point).collect()
    }

    /// Adds the next replication.
    pub(crate) fn add(&mut self, case: &Case, observations: Observations) {
        self.begun += 1;
        let complete = observations.ended == Ended::Complete;
        if let Some(reason) = reason(&observations.ended, observations.end)
            && !self.cut_short.contains(&reason)
        {
            self.cut_short.push(reason);
        }
        let some_complete = self.samples.iter().any(|sample| sample.complete);
        if !complete && some_complete {
            return;
        }
        if complete && !some_complete {
            let Self { begun, ref cut_short, .. } = *self; // What was cut short no longer counts.
            *self = Self { begun, cut_short: cut_short.clone(), ..Self::default() };
        }
        let sample = sample(case, &observations);
        merge_segment(&mut self.measured, sample.measured.as_ref());
        self.windows.resize_with(case.windows.len(), || None);
        for (sum, more) in self.windows.iter_mut().zip(&sample.windows) {
            merge_segment(sum, more.as_ref());
        }
        match &mut self.merged {
            Some(sum) => joined::merge_into(sum, &observations),
            None => self.merged = Some(observations),
        }
        self.samples.push(sample);
    }
}

fn merge_segment(sum: &mut Option<Segment>, more: Option<&Segment>) {
    match (sum, more) {
        (_, None) => {}
        (sum @ None, Some(more)) => *sum = Some(more.clone()),
        (Some(sum), Some(more)) => joined::join(sum, more, How::OfReplications),
    }
}

fn sample(case: &Case, observations: &Observations) -> Sample {
    let (from, to) = evaluate::measured(&case.blueprint);
    let window = |(from, to): &(SimTime, SimTime)| joined::window(observations, *from, *to);
    Sample {
        complete: observations.ended == Ended::Complete,
        fingerprint: observations.fingerprint,
        measured: joined::window(observations, from, to),
        windows: case.windows.iter().map(window).collect(),
        held: case.watched.iter().map(|metric| course::held(metric, observations, &case.blueprint)).collect(),
        deadlock: observations.deadlock.clone(),
        levels: Levels::of(observations, from, middle(&case.blueprint), to),
    }
}

/// Why a replication was cut short.
fn reason(ended: &Ended, end: SimTime) -> Option<String> {
    let at = end.as_seconds();
    match ended {
        Ended::Complete => None,
        Ended::EventLimit => Some(format!("the limit of events was reached at {at:.3} s")),
        Ended::SameInstant { at, cycle } => {
            Some(format!("time stands still at {:.9} s: {cycle}", at.as_seconds()))
        }
        Ended::WallLimit => Some(format!("the limit of wall time was reached at {at:.3} s")),
        Ended::MemoryLimit => Some(format!("the limit of memory was reached at {at:.3} s")),
        Ended::CallDepth => Some(format!("the limit of call depth was reached at {at:.3} s")),
        Ended::Cancelled => Some("interrupted".to_owned()),
    }
}

/// Runs replications of cases that have nothing to do with each other. Each is handed to `finish` as soon as
/// `wanted` asks for no more of it, so that few are in memory at any time.
///
/// Apart from that, like [`gather`].
pub(crate) fn gather_each(
    cases: &[Case],
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
    wanted: impl Fn(usize, &Gathered) -> u32 + Sync,
    mut finish: impl FnMut(usize, Gathered) + Send,
) {
    let mut open: BTreeMap<usize, Gathered> =
        (0..cases.len()).map(|case| (case, Gathered::default())).collect();
    let mut planned = 0;
    while !cancel.is_cancelled() {
        let targets: BTreeMap<usize, u32> =
            open.iter().map(|(case, seen)| (*case, wanted(*case, seen))).collect();
        let units: Vec<(usize, u32)> = targets
            .iter()
            .flat_map(|(case, target)| (open[case].begun..*target).map(move |index| (*case, index)))
            .collect();
        if units.is_empty() {
            break;
        }
        planned += units.len() as u64;
        progress.planned(planned);
        let work = |unit: usize| run_unit(cases, units[unit], simulate, progress, cancel);
        let done = |unit: usize, observations: Observations| {
            let (case, _) = units[unit];
            let Some(seen) = open.get_mut(&case) else { return };
            seen.add(&cases[case], observations);
            if seen.begun == targets[&case] && wanted(case, seen) <= seen.begun {
                finish(case, open.remove(&case).unwrap_or_default());
            }
        };
        units::in_order(units.len(), cancel, work, done);
        for (case, seen) in &mut open {
            seen.expect(targets[case]);
        }
    }
    for (case, seen) in open {
        finish(case, seen);
    }
}

fn run_unit(
    cases: &[Case],
    (case, index): (usize, u32),
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Observations {
    let case = &cases[case];
    let number = case.first + index;
    let observations = simulate(&case.blueprint, case.seed, number, number == 0, cancel);
    progress.finished(observations.events);
    observations
}

/// Runs replications of all cases until `wanted` asks for no more.
///
/// `wanted` returns how many replications each case should have, given what has been gathered. All
/// replications that are still to come run in parallel, whichever case they belong to; results are added case
/// by case in index order, so they do not depend on the number of threads.
pub(crate) fn gather(
    cases: &[Case],
    simulate: &Simulate<'_>,
    progress: &dyn Progress,
    cancel: &CancelFlag,
    mut wanted: impl FnMut(&[Gathered]) -> Vec<u32>,
) -> Vec<Gathered> {
    let mut gathered: Vec<Gathered> = vec![Gathered::default(); cases.len()];
    let mut planned = 0;
    loop {
        let targets = wanted(&gathered);
        let units: Vec<(usize, u32)> = targets
            .iter()
            .enumerate()
            .flat_map(|(case, target)| (gathered[case].begun..*target).map(move |index| (case, index)))
            .collect();
        if units.is_empty() {
            break;
        }
        planned += units.len() as u64;
        progress.planned(planned);
        let work = |unit: usize| run_unit(cases, units[unit], simulate, progress, cancel);
        let done = |unit: usize, observations: Observations| {
            let (case, _) = units[unit];
            gathered[case].add(&cases[case], observations);
        };
        units::in_order(units.len(), cancel, work, done);
        for (seen, target) in gathered.iter_mut().zip(&targets) {
            seen.expect(*target);
        }
        if cancel.is_cancelled() {
            break;
        }
    }
    gathered
}

//! How likely what is rare is: by splitting runs that come close to it.

mod ladder;
#[cfg(test)]
mod tests;

use std::ops::Range;

use models::blueprint::Blueprint;
use models::rare::{Bucket, Findings, Ladder, Rare};
use models::{Replication, split};
use sim_core::{CancelFlag, Estimate, normal_quantile};

use self::ladder::Found;
use super::estimate::ENOUGH;
use super::evaluate;
use super::gather::Progress;
use super::precision::{Replications, Until};
use super::run::{Plan, Prepared};
use super::units;
use crate::rare::{RareEvent, RareEvents, Sought};
use crate::results::{E, RareOf, RareReport, RareResult};

/// Estimates the probability of every event on rayon's current threads.
///
/// Each event has replications of its own, split on the way to it; the figures are the same on any number of threads.
/// Once `cancel` is raised, what is finished is reported with `complete: false`.
pub fn rare(plan: &Plan, wanted: &RareEvents, progress: &dyn Progress, cancel: &CancelFlag) -> RareReport {
    let prepared = Prepared::new(plan, None, &super::engine, progress, cancel);
    let case = &prepared.case;
    let (from, to) = evaluate::measured(&case.blueprint);
    let hunt = Hunt { blueprint: &case.blueprint, seed: case.seed, wanted, progress, cancel };
    let events: Vec<RareResult> = wanted.events.iter().map(|event| hunt.find(event)).collect();
    RareReport {
        head: plan.heading.head("hockeystick.rare/1", case),
        measured: to.since(from).as_seconds(),
        precision: wanted.precision,
        complete: !cancel.is_cancelled() && events.iter().all(|event| event.replications > 0),
        events,
        notes: Vec::new(),
    }
}

struct Hunt<'a> {
    blueprint: &'a Blueprint,
    seed: u64,
    wanted: &'a RareEvents,
    progress: &'a dyn Progress,
    cancel: &'a CancelFlag,
}

impl Hunt<'_> {
    fn find(&self, event: &RareEvent) -> RareResult {
        let found = ladder::find(self.blueprint, self.seed, event, self.progress, self.cancel);
        self.progress.stage(&event.text);
        let mut seen = Pooled::default();
        let precision = self.wanted.precision;
        let steps = Replications {
            at_least: ENOUGH as u32,
            until: Until::Precise(precision),
            at_most: self.wanted.replications.max(ENOUGH as u32),
        };
        let is_precise = |seen: &Pooled| {
            let value = seen.estimate(event.sought);
            seen.each.len() >= ENOUGH && value.is_some_and(|e| half_width(&e) <= precision * e.value)
        };
        let replication = |index| Replication { seed: self.seed, index, breakdown: false };
        while !self.cancel.is_cancelled() && seen.sum.complete && !is_precise(&seen) {
            let begun = seen.each.len() as u32;
            let target = steps.after(begun);
            if target <= begun {
                break;
            }
            self.progress.planned(u64::from(target));
            let each = |found| seen.add(&found);
            let numbers = begun..target;
            split_all(numbers, self.blueprint, &found.ladder, &replication, self.progress, self.cancel, each);
        }
        let value = seen.estimate(event.sought);
        RareResult {
            text: event.text.clone(),
            of: of(event.sought),
            value,
            is_precise: is_precise(&seen),
            toward: event.toward.clone(),
            levels: found.ladder.rungs.iter().map(|rung| rung.level).collect(),
            copies: found.ladder.rungs.iter().map(|rung| rung.copies).collect(),
            replications: seen.each.len() as u32,
            seen: seen.sum.seen,
            events: seen.sum.events + found.events,
            plain_events: value.and_then(|e| plain_events(&e, &seen.sum)),
            note: self.note(event, &found, &seen, value),
        }
    }

    /// What stands in the way of an answer.
    fn note(&self, event: &RareEvent, found: &Found, seen: &Pooled, value: Option<E>) -> Option<String> {
        let runs = seen.each.len() as f64;
        if self.cancel.is_cancelled() {
            return Some("interrupted".to_owned());
        }
        if !seen.sum.complete {
            return Some(
                "a limit of the scenario was reached: see `limits`, or ask for what is less rare".into(),
            );
        }
        let Some(e) = value else {
            let levels = &event.toward;
            return Some(if found.ladder.rungs.is_empty() {
                format!(
                    "never seen, and `{levels}` is never high: it does not lead there, or the runs are too short"
                )
            } else {
                format!("never seen, however high `{levels}` is: something else leads there (`toward`)")
            });
        };
        let missing = half_width(&e) / e.value / self.wanted.precision;
        if missing > 1.0 && runs >= f64::from(self.wanted.replications) {
            let needed = (runs * missing * missing).ceil();
            return Some(format!(
                "{} % was not reached in {runs} replications: it needs about {needed}, or longer ones",
                self.wanted.precision * 100.0
            ));
        }
        (!found.is_long_enough).then(|| {
            format!(
                "`{}` was not seen often enough on the way to trust the interval: longer runs help",
                event.text
            )
        })
    }
}

/// Events with which plain simulation would have an interval as narrow as this, if it saw something new each time.
fn plain_events(e: &E, found: &Findings) -> Option<f64> {
    let relative = half_width(e) / e.value;
    let sightings = (normal_quantile(0.975) / relative).powi(2);
    let each = found.plain_events / found.sightings;
    (each.is_finite() && relative > 0.0).then_some(sightings * each)
}

fn of(sought: Sought) -> RareOf {
    match sought {
        Sought::Quantile(..) => RareOf::Latency,
        Sought::Share(Rare::Slow(..) | Rare::Tail(_)) => RareOf::Requests,
        Sought::Share(Rare::High(_)) => RareOf::Time,
        Sought::Share(Rare::Reached(_)) => RareOf::Runs,
    }
}

fn half_width(e: &E) -> f64 {
    match (e.lo, e.hi) {
        (Some(lo), Some(hi)) => (hi - lo) / 2.0,
        _ => f64::INFINITY,
    }
}

/// Runs replications, and hands them over in the order of their numbers.
fn split_all(
    numbers: Range<u32>,
    blueprint: &Blueprint,
    ladder: &Ladder,
    replication: &(impl Fn(u32) -> Replication + Sync),
    progress: &dyn Progress,
    cancel: &CancelFlag,
    mut each: impl FnMut(Findings) + Send,
) {
    let work = |unit: usize| {
        let found = split(blueprint, &replication(numbers.start + unit as u32), ladder, cancel);
        progress.finished(found.events);
        found
    };
    units::in_order(numbers.len(), cancel, work, |_, found| each(found));
}

/// What replications have found, put together.
#[derive(Clone, Debug)]
struct Pooled {
    sum: Findings,
    each: Vec<Findings>,
}

impl Default for Pooled {
    fn default() -> Self {
        Self { sum: Findings { complete: true, ..Findings::default() }, each: Vec::new() }
    }
}

impl Pooled {
    fn add(&mut self, found: &Findings) {
        let sum = &mut self.sum;
        sum.rare += found.rare;
        sum.of += found.of;
        add_all(&mut sum.time_at, &found.time_at, |sum, more| *sum += more);
        add_all(&mut sum.events_at, &found.events_at, |sum, more| *sum += more);
        merge(&mut sum.tail, &found.tail);
        sum.sightings += found.sightings;
        sum.seen += found.seen;
        sum.plain_events += found.plain_events;
        sum.events += found.events;
        sum.copies += found.copies;
        sum.complete &= found.complete;
        self.each.push(Findings { time_at: Vec::new(), events_at: Vec::new(), ..found.clone() });
    }

    /// The value over all replications; none where nothing was seen.
    fn estimate(&self, sought: Sought) -> Option<E> {
        let (value, each) = match sought {
            Sought::Share(_) => self.share()?,
            Sought::Quantile(_, p) => {
                let each = self.each.iter().filter_map(|found| quantile(&found.tail, found.of, p));
                (quantile(&self.sum.tail, self.sum.of, p)?, each.collect())
            }
        };
        let estimate = Estimate::around(value, &each)?;
        Some(E { value, lo: Some(estimate.lo.max(0.0)), hi: Some(estimate.hi) })
    }

    /// A ratio of sums. What each replication adds to it is taken by the delta method: where they differ in how much
    /// was measured, a mean of ratios would be biased.
    fn share(&self) -> Option<(f64, Vec<f64>)> {
        let Findings { rare, of, .. } = self.sum;
        if rare <= 0.0 || of <= 0.0 {
            return None;
        }
        let (value, mean) = (rare / of, of / self.each.len() as f64);
        let each = self.each.iter().map(|found| value + (found.rare - value * found.of) / mean);
        Some((value, each.collect()))
    }
}

fn add_all<T: Copy + Default>(sums: &mut Vec<T>, more: &[T], add: impl Fn(&mut T, T)) {
    if sums.len() < more.len() {
        sums.resize(more.len(), T::default());
    }
    for (sum, more) in sums.iter_mut().zip(more) {
        add(sum, *more);
    }
}

/// Adds buckets to buckets, both in ascending order.
fn merge(sum: &mut Vec<Bucket>, more: &[Bucket]) {
    for bucket in more {
        match sum.binary_search_by_key(&bucket.from, |known| known.from) {
            Ok(at) => {
                sum[at].weight += bucket.weight;
                sum[at].seen += bucket.seen;
            }
            Err(at) => sum.insert(at, *bucket),
        }
    }
}

/// The latency in seconds that a share `p` of the requests does not exceed: in the middle of its bucket.
fn quantile(tail: &[Bucket], of: f64, p: f64) -> Option<f64> {
    let mut beyond = (1.0 - p) * of;
    let bucket = tail.iter().rev().find(|bucket| {
        beyond -= bucket.weight;
        beyond < 0.0
    })?;
    Some((bucket.from as f64).midpoint(bucket.to as f64) / 1e9)
}

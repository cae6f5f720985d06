//! Finds the levels at which a run is to be split, by trial.

use models::Replication;
use models::blueprint::Blueprint;
use models::rare::{Findings, Ladder, Rare, Rung};
use sim_core::{CancelFlag, combine, hash_name};

use super::{Pooled, split_all};
use crate::experiment::gather::Progress;
use crate::rare::{RareEvent, Sought};

/// From one rung to the next it is so many times less likely to be there. Few copies at many rungs are less alike than
/// many at few: of an M/M/1 queue at 80 % load, steps of 5 took four times as many events for the same interval.
const STEP: f64 = 2.0;
/// Most copies at a rung: levels that are skipped make steps longer.
const MOST_COPIES: f64 = 50.0;
/// Replications of a trial are added so many at a time, until they have had so many events, or are so many.
const AT_ONCE: u32 = 4;
const EVENTS: u64 = 100_000;
const MOST_TRIALS: u32 = 64;
/// Most trials. Each sees two rungs or three further than the one before.
const STAGES: u32 = 16;
/// Events at a level and above, or sightings, on which a probability may rest in a trial.
const ENOUGH: u64 = 500;
const SEEN: u64 = 100;

/// A ladder, and what it took to find it.
pub(super) struct Found {
    pub(super) ladder: Ladder,
    pub(super) events: u64,
    /// Whether what is rare was seen often enough on it.
    pub(super) is_long_enough: bool,
}

/// Builds the ladder from the lowest rung up: each trial shows how likely levels are that the one before has seen
/// little of.
pub(super) fn find(
    blueprint: &Blueprint,
    seed: u64,
    event: &RareEvent,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Found {
    let seed = combine(seed, hash_name("levels of what is rare"));
    let mut ladder = Ladder { rare: event.sought.rare(), gauge: event.gauge, rungs: Vec::new() };
    let mut events = 0;
    for stage in 0..STAGES {
        progress.stage(&format!("{}: finding its levels, {} so far", event.text, ladder.rungs.len()));
        // Trials are no part of the estimate, so where the rungs come to be cannot bias it.
        let seed = combine(seed, u64::from(stage));
        let replication = |index| Replication { seed, index, breakdown: false };
        let mut pooled = Pooled::default();
        let mut begun = 0;
        while begun == 0 || (pooled.sum.events < EVENTS && begun < MOST_TRIALS && !cancel.is_cancelled()) {
            let numbers = begun..begun + AT_ONCE;
            split_all(numbers, blueprint, &ladder, &replication, progress, cancel, |found| {
                pooled.add(&found);
            });
            begun += AT_ONCE;
        }
        events += pooled.sum.events;
        let rungs = rungs(&pooled.sum, ladder.rare);
        if is_seen(&pooled.sum, event) {
            ladder.rungs = rungs;
            return Found { ladder, events, is_long_enough: true };
        }
        if cancel.is_cancelled() || !pooled.sum.complete || rungs == ladder.rungs {
            break;
        }
        ladder.rungs = rungs;
    }
    Found { ladder, events, is_long_enough: false }
}

/// Whether what is sought can be told from what was seen.
fn is_seen(found: &Findings, event: &RareEvent) -> bool {
    match event.sought {
        Sought::Quantile(_, p) => {
            let beyond = |weight: f64| weight > (1.0 - p) * found.of;
            let mut left = found.of;
            let mut seen: u64 = found.tail.iter().map(|bucket| bucket.seen).sum();
            for bucket in &found.tail {
                left -= bucket.weight;
                seen -= bucket.seen;
                if !beyond(left) {
                    break;
                }
            }
            seen >= SEEN
        }
        Sought::Share(Rare::High(_)) => found.seen >= ENOUGH,
        Sought::Share(_) => found.seen >= SEEN,
    }
}

/// The rungs that the time at each level suggests, as far up as it is known.
fn rungs(found: &Findings, rare: Rare) -> Vec<Rung> {
    let mut above = found.time_at.clone();
    let mut events = found.events_at.clone();
    for level in (0..above.len().saturating_sub(1)).rev() {
        above[level] += above[level + 1];
        events[level] += events[level + 1];
    }
    // What is rare at a level needs no rung there or above.
    let end = match rare {
        Rare::High(level) | Rare::Reached(level) => level,
        Rare::Slow(..) | Rare::Tail(_) => u64::MAX,
    };
    let all = above.first().copied().unwrap_or(0.0);
    let mut copies = 1.0;
    let mut rungs = Vec::new();
    for (level, (time, events)) in (0..end).zip(above.iter().zip(&events)).skip(1) {
        if *events < ENOUGH || *time <= 0.0 {
            break;
        }
        // By the product of all copies so far: what is lost by rounding at one rung is made up for at the next.
        let due = all / time / copies;
        if due >= STEP {
            let made = due.floor().min(MOST_COPIES);
            copies *= made;
            rungs.push(Rung { level, copies: made as u32 });
        }
    }
    rungs
}

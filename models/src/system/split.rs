//! Splitting: a run that comes close to what is rare goes on in several copies, which share its weight (RESTART;
//! Villén-Altamirano and Villén-Altamirano, *RESTART: a method for accelerating rare event simulations*, 1991).
//!
//! A copy that was made on a rung of the ladder ends when the gauge falls well below it; the run itself goes on, with
//! its old weight. At every instant the weights of all who are there add up, in expectation, to what a plain run would
//! have seen, so whatever is counted by weight is unbiased, wherever the rungs are. Copies meet what is to come with
//! random numbers of their own.

use std::collections::BTreeMap;

use sim_core::{Calendar, CancelFlag, EndReason, SimTime, combine, run_some};

use super::frame::State;
use super::replicate::{Replication, WallClock};
use super::trace::Trace;
use super::{Packed, System};
use crate::blueprint::{Blueprint, Discipline};
use crate::rare::{Bucket, Findings, Gauge, Ladder, Rare};

/// Levels that are told apart.
const LEVELS: usize = 1 << 20;

/// Events between two looks at the limit.
const PATIENCE: u64 = 1 << 12;

/// A run is on a rung until it falls below the one that is so many under it. Falling and rising again then makes no new
/// copies: of an M/M/1 queue at 80 % load the same interval took a quarter of the time that it takes without, and 4 was
/// no better.
const BACK: usize = 3;

/// Runs one replication of `plan`, split where `ladder` says. The warm-up is not counted.
///
/// The same arguments give the same findings, bit for bit, unless `cancel` cuts them short.
pub fn split(plan: &Blueprint, replication: &Replication, ladder: &Ladder, cancel: &CancelFlag) -> Findings {
    let plan = Blueprint { cuts: Vec::new(), ..plan.clone() };
    let (system, calendar) = System::begin(&plan, replication, Trace::new(&plan, false));
    let mut climb = Climb::new(&plan, ladder, system.stream, cancel);
    let mut run = Run { system, calendar, rung: 0, born: 0, copies: 0, counted: Counted::default() };
    if let Rare::Slow(traffic, than) = ladder.rare {
        run.system.sources[traffic.index()].meter.late_from = than.as_nanos().saturating_add(1);
    }
    climb.waiting.push(run);
    while let Some(run) = climb.next() {
        climb.follow(run);
    }
    climb.findings()
}

/// A run that is to go on, or copies of it that have not begun.
#[derive(Clone)]
struct Run<'a> {
    system: System<'a>,
    calendar: Calendar<Packed>,
    /// Rungs that it has climbed and not left.
    rung: usize,
    /// It ends when it has fewer than so many left.
    born: usize,
    /// Copies; 0 is the run itself.
    copies: u32,
    /// What has been put into the findings.
    counted: Counted,
}

/// What a traffic has counted so far.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    late: u64,
    answered: u64,
}

/// What a level means for a run.
enum Step {
    Stay,
    /// It has fallen off the ladder, or what it was to see has come about.
    End,
    /// It is on a rung, and so many copies go on with it.
    Split(u32),
}

struct Climb<'a> {
    plan: &'a Blueprint,
    ladder: &'a Ladder,
    cancel: &'a CancelFlag,
    until: SimTime,
    measured_from: SimTime,
    /// What a run weighs that is on so many rungs.
    weights: Vec<f64>,
    /// For each rung, the level below which a run is no longer on it.
    left_below: Vec<u64>,
    /// Names copies.
    stream: u64,
    /// Who has not come to the end, the last one first: a run waits for its copies, so that there are few.
    waiting: Vec<Run<'a>>,
    clock: WallClock,
    tail: BTreeMap<u64, Bucket>,
    found: Findings,
}

impl<'a> Climb<'a> {
    fn new(plan: &'a Blueprint, ladder: &'a Ladder, stream: u64, cancel: &'a CancelFlag) -> Self {
        let shares = ladder.rungs.iter().scan(1.0, |weight, rung| {
            *weight /= f64::from(rung.copies);
            Some(*weight)
        });
        let until = SimTime::ZERO + plan.duration;
        let measured_from = SimTime::ZERO + plan.warmup;
        let of = match ladder.rare {
            Rare::Slow(..) | Rare::Tail(_) => 0.0,
            Rare::High(_) => until.since(measured_from).as_nanos() as f64,
            Rare::Reached(_) => 1.0,
        };
        Self {
            plan,
            ladder,
            cancel,
            until,
            measured_from,
            weights: std::iter::once(1.0).chain(shares).collect(),
            stream,
            left_below: (0..ladder.rungs.len())
                .map(|rung| rung.checked_sub(BACK).map_or(1, |under| ladder.rungs[under].level))
                .collect(),
            waiting: Vec::new(),
            clock: WallClock::start(&plan.limits),
            tail: BTreeMap::new(),
            found: Findings { of, complete: true, ..Findings::default() },
        }
    }

    fn findings(self) -> Findings {
        Findings { tail: self.tail.into_values().collect(), ..self.found }
    }

    /// Who is to go on next.
    fn next(&mut self) -> Option<Run<'a>> {
        let last = self.waiting.last_mut()?;
        if last.copies == 0 {
            return self.waiting.pop();
        }
        last.copies -= 1;
        let mut run = if last.copies > 0 { last.clone() } else { self.waiting.pop()? };
        run.copies = 0;
        self.found.copies += 1;
        run.system.diverge(combine(self.stream, self.found.copies));
        Some(run)
    }

    /// Follows a run to its end, or until copies of it are to run first.
    fn follow(&mut self, mut run: Run<'a>) {
        let limits = sim_core::Limits {
            events: u64::MAX,
            events_at_one_instant: self.plan.limits.events_at_one_instant,
            wall: None,
        };
        let mut now = run.calendar.now();
        loop {
            let level = run.system.level_of(self.ladder.gauge);
            match self.step_to(&mut run, level) {
                Step::Stay => {}
                Step::End => return,
                Step::Split(copies) => {
                    let copy = Run { born: run.rung, copies, ..run.clone() };
                    self.waiting.extend([run, copy]);
                    return;
                }
            }
            let ended = run_some(&mut run.system, &mut run.calendar, self.until, &limits, self.cancel, 1);
            let is_over = matches!(ended.reason, EndReason::Finished | EndReason::Exhausted);
            let then = if is_over { self.until } else { ended.at };
            self.spend(run.rung, level, now, then);
            now = then;
            if now < self.measured_from {
                run.counted = self.counters(&mut run.system, 0.0);
            }
            self.found.events += ended.events;
            if is_over {
                self.count(&mut run);
                return;
            }
            let is_too_much = self.found.events.is_multiple_of(PATIENCE) && self.exceeds_limits(&run);
            if ended.reason != EndReason::Paused || is_too_much || run.system.halt.is_some() {
                self.found.complete = false;
                self.waiting.clear();
                return;
            }
        }
    }

    /// Whether a limit of the scenario is reached, by this replication as a whole.
    fn exceeds_limits(&self, run: &Run<'_>) -> bool {
        let bytes = run.system.bytes(&run.calendar).saturating_mul(self.waiting.len() as u64 + 1);
        let limits = &self.plan.limits;
        self.found.events > limits.events || bytes > limits.memory || self.clock.is_up()
    }

    /// Climbs up or down the ladder.
    fn step_to(&mut self, run: &mut Run<'a>, level: u64) -> Step {
        let rungs = &self.ladder.rungs;
        while run.rung > 0 && level < self.left_below[run.rung - 1] {
            self.count(run);
            run.rung -= 1;
            if run.rung < run.born {
                return Step::End;
            }
        }
        if let Some(rung) = rungs.get(run.rung).filter(|rung| level >= rung.level) {
            self.count(run);
            run.rung += 1;
            return Step::Split(rung.copies.saturating_sub(1));
        }
        if matches!(self.ladder.rare, Rare::Reached(high) if level >= high) {
            self.found.rare += self.weights[run.rung];
            self.found.sightings += self.weights[run.rung];
            self.found.seen += 1;
            return Step::End;
        }
        Step::Stay
    }

    /// Accounts for the time from `from` to `to`, during which the gauge was at `level`.
    fn spend(&mut self, rung: usize, level: u64, from: SimTime, to: SimTime) {
        let weight = self.weights[rung];
        let time = to.since(from.max(self.measured_from).min(to)).as_nanos() as f64 * weight;
        let at = usize::try_from(level).unwrap_or(LEVELS).min(LEVELS - 1);
        let found = &mut self.found;
        if found.time_at.len() <= at {
            found.time_at.resize(at + 1, 0.0);
            found.events_at.resize(at + 1, 0);
        }
        found.plain_events += weight;
        found.time_at[at] += time;
        found.events_at[at] += 1;
        if matches!(self.ladder.rare, Rare::High(high) if level >= high) {
            found.rare += time;
            found.sightings += weight;
            found.seen += 1;
        }
    }

    /// Counts what has been answered since the run last stood on another rung.
    fn count(&mut self, run: &mut Run<'a>) {
        let weight = self.weights[run.rung];
        let before = run.counted;
        run.counted = self.counters(&mut run.system, weight);
        let late = run.counted.late - before.late;
        let answered = run.counted.answered - before.answered;
        if matches!(self.ladder.rare, Rare::Slow(..)) {
            self.found.rare += weight * late as f64;
            self.found.sightings += weight * late as f64;
            self.found.seen += late;
        }
        self.found.of += weight * answered as f64;
    }

    /// What the traffic has counted. Of a tail, what is new goes into it by its weight, and is forgotten.
    fn counters(&mut self, system: &mut System<'_>, weight: f64) -> Counted {
        match self.ladder.rare {
            Rare::High(_) | Rare::Reached(_) => Counted::default(),
            Rare::Slow(traffic, _) => {
                let meter = &system.sources[traffic.index()].meter;
                Counted { late: meter.late, answered: meter.latency.count() }
            }
            Rare::Tail(traffic) => {
                let latency = &mut system.sources[traffic.index()].meter.latency;
                if weight > 0.0 {
                    for (from, to, count) in latency.buckets() {
                        let blank = Bucket { from, to, weight: 0.0, seen: 0 };
                        let bucket = self.tail.entry(from).or_insert(blank);
                        bucket.weight += weight * count as f64;
                        bucket.seen += count;
                        self.found.of += weight * count as f64;
                    }
                }
                latency.clear();
                Counted::default()
            }
        }
    }
}

impl System<'_> {
    /// How high it is.
    fn level_of(&self, gauge: Gauge) -> u64 {
        match gauge {
            Gauge::Traffic(traffic) => self.sources[traffic.index()].meter.present.n(),
            Gauge::Service(service) => self.services[service.index()].present.n(),
            Gauge::Waiting(pool) => self.pools[pool.index()].waiting.n(),
            Gauge::Lag(queue, group) => self.queues.lag(queue.index(), group as usize),
        }
    }

    /// Lets what is to come be drawn anew, under another name.
    ///
    /// What has been drawn stays: a request keeps its class, a step that has begun its time. Where something is drawn
    /// ahead and looked at again (the size by which a line is ordered, what a step asks for until it gets it), the
    /// request keeps its numbers, which makes copies more alike and no less right.
    fn diverge(&mut self, name: u64) {
        self.stream = combine(self.stream, name);
        for source in &mut self.sources {
            source.diverge(name);
        }
        for visit in self.visits.values_mut() {
            visit.draw_key = combine(visit.draw_key, name);
        }
        for frame in self.frames.values_mut() {
            let is_free = match frame.state {
                State::Travelling
                | State::Delayed
                | State::Computing
                | State::CoreQueued
                | State::Calling
                | State::Joining
                | State::BackingOff => true,
                State::Queued => {
                    let pool = self.instances[frame.at as usize].pool;
                    self.pools[pool as usize].order != Discipline::Sjf
                }
                _ => false,
            };
            if is_free {
                frame.draw_key = combine(frame.draw_key, name);
            }
        }
    }
}

//! Resources of kind `rate` at run time: who may take, who has to wait, and until when.

use std::collections::BTreeMap;

use sim_core::{Calendar, Histogram, Population, Present, SimTime};

use super::alarms::Alarm;
use super::frame::{Arena, FrameKey, State};
use super::queue::Queue;
use super::steps::Asked;
use super::{Packed, System, Task};
use crate::blueprint::{Blueprint, Outcome, RatePlan, RateStyle, Spacing};
use crate::limiter::{Limit, Limiter};
use crate::observe::RateObservation;

/// Instances that are kept before those that are as good as new are looked for.
const FEW: usize = 64;

/// What all instances of a rate share.
#[derive(Clone, Debug)]
struct Rate {
    plan: RatePlan,
    /// By replica or value of the attribute: those that have been asked for anything lately.
    instances: BTreeMap<u32, u32>,
    /// How many there may be before they are swept.
    sweep_at: usize,
    waiting: Population,
    wait: Histogram,
    seen: RateObservation,
    /// Up to when `seen.allowed` is added up.
    since: SimTime,
}

/// One instance of a rate.
#[derive(Clone, Debug)]
struct Limited {
    rate: u32,
    limiter: Limiter,
    queue: Queue,
    /// When the earliest alarm goes off that is still of interest.
    alarm: SimTime,
    /// Alarms that name the instance.
    alarms: u32,
}

/// The rates of a replication.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    rates: Vec<Rate>,
    instances: Arena<Limited>,
}

impl Rates {
    pub(super) fn new(plan: &Blueprint) -> Self {
        let new = |plan: &RatePlan| Rate {
            plan: plan.clone(),
            instances: BTreeMap::new(),
            sweep_at: FEW,
            waiting: Population::default(),
            wait: Histogram::default(),
            seen: RateObservation::default(),
            since: SimTime::ZERO,
        };
        Self { rates: plan.rates.iter().map(new).collect(), instances: Arena::new() }
    }

    /// The rate that the instance belongs to.
    pub(super) fn rate_of(&self, instance: u32) -> u32 {
        self.instances.peek(instance).rate
    }

    /// The instance for a replica or value.
    fn instance(&mut self, rate: usize, which: u32, now: SimTime) -> u32 {
        if let Some(&instance) = self.rates[rate].instances.get(&which) {
            return instance;
        }
        self.forget_idle(rate, now);
        let limiter = Limiter::new(&self.rates[rate].plan, now);
        let alarm = SimTime::MAX;
        let row = Limited { rate: rate as u32, limiter, queue: Queue::default(), alarm, alarms: 0 };
        let instance = self.instances.insert(row);
        self.rates[rate].instances.insert(which, instance);
        instance
    }

    /// Forgets the instances that are as good as new once there are twice as many as when it last did.
    fn forget_idle(&mut self, rate: usize, now: SimTime) {
        let row = &mut self.rates[rate];
        if row.instances.len() < row.sweep_at {
            return;
        }
        let instances = &mut self.instances;
        row.instances.retain(|_, &mut instance| {
            let limited = instances.peek(instance);
            let is_idle = limited.queue.waiting == 0 && limited.alarms == 0 && limited.limiter.is_fresh(now);
            if is_idle {
                instances.remove(instance);
            }
            !is_idle
        });
        row.sweep_at = FEW.max(2 * row.instances.len());
    }

    /// The replica is lost: what its limiters counted is forgotten. Nobody waits for them any more.
    pub(super) fn renew(&mut self, service: u32, replica: u32, now: SimTime) {
        let Self { rates, instances } = self;
        for row in rates {
            if matches!(row.plan.spacing, Spacing::Replica(owner) if owner.0 == service)
                && let Some(&instance) = row.instances.get(&replica)
            {
                instances.at(instance).limiter = Limiter::new(&row.plan, now);
            }
        }
    }

    /// Adds up what the rate would have allowed. Call it before it changes.
    fn count_allowed(&mut self, rate: usize, now: SimTime) {
        let row = &mut self.rates[rate];
        if row.plan.spacing == Spacing::One {
            row.seen.allowed += row.plan.per_second * now.since(row.since).as_seconds();
        }
        row.since = now;
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, waiting: &[Present], now: SimTime) -> Vec<RateObservation> {
        for rate in 0..self.rates.len() {
            self.count_allowed(rate, now);
        }
        let close = |(row, &waiting): (&mut Rate, &Present)| RateObservation {
            waiting: row.waiting.flush(now, waiting),
            wait: row.wait.take().compact(),
            ..std::mem::take(&mut row.seen)
        };
        self.rates.iter_mut().zip(waiting).map(close).collect()
    }

    /// Bytes of what is remembered.
    pub(super) fn bytes(&self) -> usize {
        let lines: usize = self
            .rates
            .iter()
            .flat_map(|row| row.instances.values())
            .map(|&at| self.instances.peek(at).queue.entries())
            .sum();
        self.instances.high_water() * (size_of::<Limited>() + 32) + lines * size_of::<(FrameKey, f64)>()
    }
}

impl System<'_> {
    /// Takes units of a rate for a frame.
    pub(super) fn take_of_rate(
        &mut self,
        index: u32,
        rate: usize,
        units: f64,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Asked {
        let which = self.which(index, self.rates.rates[rate].plan.spacing);
        let instance = self.rates.instance(rate, which, now);
        let Rates { rates, instances } = &mut self.rates;
        let (row, limited) = (&mut rates[rate], instances.at(instance));
        let waiting = limited.queue.waiting;
        row.seen.asked += 1;
        row.seen.free += match row.plan.style {
            RateStyle::Leaky if row.plan.queue < u32::MAX => {
                1.0 - f64::from(waiting) / f64::from(row.plan.queue.max(1))
            }
            _ => limited.limiter.free(now),
        };
        if waiting == 0 {
            match limited.limiter.take(units, now) {
                Ok(()) => {
                    limited.limiter.rest();
                    row.wait.record_zero();
                    row.seen.acquired += 1;
                    row.seen.units += units;
                    return Asked::Got;
                }
                Err(due) if due < SimTime::MAX && row.plan.queue > 0 => {
                    self.set_rate_alarm(instance, due, calendar);
                }
                Err(_) => {
                    limited.limiter.rest();
                    row.seen.rejected += 1;
                    return Asked::Refused(Outcome::REJECTED);
                }
            }
        } else if waiting >= row.plan.queue {
            row.seen.rejected += 1;
            return Asked::Refused(Outcome::REJECTED);
        }
        let key = self.frames.key_of(index);
        let row = &mut self.rates.rates[rate];
        row.waiting.enter(now);
        let timeout = row.plan.timeout;
        self.rates.instances.at(instance).queue.join(key, units);
        self.wait_in_queue(index, State::Metered, instance, timeout, now, calendar);
        Asked::Queued
    }

    /// Looks at the instance again at `due`, or earlier.
    fn set_rate_alarm(&mut self, instance: u32, due: SimTime, calendar: &mut Calendar<Packed>) {
        let limited = self.rates.instances.at(instance);
        if due < limited.alarm {
            limited.alarm = due;
            limited.alarms += 1;
            self.set_alarm(due, Alarm::Rate(instance), calendar);
        }
    }

    pub(super) fn rate_alarm(&mut self, instance: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let limited = self.rates.instances.at(instance);
        limited.alarms -= 1;
        if limited.alarm == now {
            limited.alarm = SimTime::MAX;
            self.serve_rate(instance, now, calendar);
        }
    }

    /// Lets those in line go on for whom there are units.
    pub(super) fn serve_rate(&mut self, instance: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        loop {
            let frames = &self.frames;
            let Rates { rates, instances } = &mut self.rates;
            let limited = instances.at(instance);
            let Some((key, units)) = limited.queue.first(frames) else {
                limited.limiter.rest();
                return;
            };
            match limited.limiter.take(units, now) {
                Err(SimTime::MAX) => return, // Never, unless the limit is raised.
                Err(due) => return self.set_rate_alarm(instance, due, calendar),
                Ok(()) => {}
            }
            limited.queue.remove_first();
            let row = &mut rates[limited.rate as usize];
            row.seen.acquired += 1;
            row.seen.units += units;
            let rate = limited.rate;
            let since = self.let_go_on(key, now);
            self.trace_rate_wait(key.index(), rate, now);
            let row = &mut self.rates.rates[rate as usize];
            row.waiting.leave(since, now);
            row.wait.record(now.since(since).as_nanos());
        }
    }

    /// Takes a frame out of the line that it waits in. Returns where that is counted.
    pub(super) fn leave_rate(&mut self, index: u32, now: SimTime) -> &mut RateObservation {
        let key = self.frames.key_of(index);
        let frame = self.frames.at(index);
        let (instance, since) = (frame.at, frame.since);
        let Rates { rates, instances } = &mut self.rates;
        let limited = instances.at(instance);
        let is_first = limited.queue.first(&self.frames).is_some_and(|(first, _)| first == key);
        self.frames.at_mut(index).state = State::Ready;
        limited.queue.leave(&self.frames);
        if is_first {
            // Whoever is behind it begins now, or wants fewer units.
            limited.limiter.rest();
            self.ready.add(Task::Rate(instance));
        }
        let row = &mut rates[limited.rate as usize];
        row.waiting.leave(since, now);
        &mut row.seen
    }

    pub(super) fn change_rate(
        &mut self,
        rate: usize,
        to: RatePlan,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        self.rates.count_allowed(rate, now);
        self.rates.rates[rate].plan = to;
        let instances: Vec<u32> = self.rates.rates[rate].instances.values().copied().collect();
        for instance in instances {
            let Rates { rates, instances } = &mut self.rates;
            instances.at(instance).limiter.change(&rates[rate].plan, now);
            self.serve_rate(instance, now, calendar);
        }
    }
}

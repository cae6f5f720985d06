//! The laws of ours over time.

use sim_core::{SimTime, Span};

use super::super::own::{Common, Concurrency, Latency, QueueDepth, Reason, Schedule, Steady};
use super::{Decision, Why, World};

/// A law of ours with the names of its metrics.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnLaw {
    /// A timetable alone.
    Schedule,
    /// Messages that wait and how many more come.
    QueueDepth {
        /// The law.
        law: QueueDepth,
        /// Messages that wait.
        backlog: Box<str>,
        /// Messages per second.
        rate: Box<str>,
    },
    /// Requests in flight.
    Concurrency {
        /// The law.
        law: Concurrency,
        /// Requests in flight at all replicas together.
        in_flight: Box<str>,
    },
    /// A latency.
    Latency {
        /// The law.
        law: Latency,
        /// The latency in seconds.
        latency: Box<str>,
    },
}

/// A controller of ours: a law, and a timetable beside it that it never goes below.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnController {
    common: Common,
    law: OwnLaw,
    schedule: Schedule,
    steady: Steady,
}

impl OwnController {
    /// A controller that remembers nothing.
    pub fn new(common: Common, law: OwnLaw, schedule: Schedule) -> Self {
        Self { common, law, schedule, steady: Steady::default() }
    }

    /// What all laws have.
    pub fn common(&self) -> &Common {
        &self.common
    }

    /// Its law.
    pub fn law(&self) -> &OwnLaw {
        &self.law
    }

    /// Fewest replicas.
    pub fn fewest(&self) -> i32 {
        self.common.min
    }

    /// What the law itself wants.
    fn wanted(&self, world: &impl World, current: i32) -> Option<(i32, Reason)> {
        Some(match &self.law {
            OwnLaw::Schedule => (self.common.min, Reason::Scheduled),
            OwnLaw::QueueDepth { law, backlog, rate } => {
                (law.replicas(world.statistic(backlog)?, world.statistic(rate)?), Reason::Signal)
            }
            OwnLaw::Concurrency { law, in_flight } => {
                law.replicas(&self.common, current, world.statistic(in_flight)?)
            }
            OwnLaw::Latency { law, latency } => {
                let measured = Span::from_seconds(world.statistic(latency)?).ok()?;
                law.replicas(&self.common, current, measured)
            }
        })
    }

    pub(super) fn look(&mut self, world: &impl World, now: SimTime) -> Decision {
        let current = world.target().spec_replicas;
        let next = now.saturating_add(self.common.interval).min(self.schedule.next_change(now));
        let (mut replicas, mut why) = match self.wanted(world, current) {
            None => (current, Reason::NoSignal),
            // A timetable says itself when it ends: nothing holds it up.
            Some((wanted, reason)) if self.law == OwnLaw::Schedule => (wanted, reason),
            Some((wanted, reason)) => self.steady.settle(&self.common, wanted, reason, now),
        };
        if let Some(floor) = self.schedule.replicas(now).filter(|floor| *floor > replicas) {
            (replicas, why) = (floor.min(self.common.max), Reason::Scheduled);
        }
        Decision { replicas: Some(replicas), why: Why::Own(why), next }
    }

    pub(super) fn follow(&mut self, other: &Self) {
        *self = Self { steady: std::mem::take(&mut self.steady), ..other.clone() };
    }

    pub(super) fn restarted(&mut self) {
        self.steady = Steady::default();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::kubernetes::seconds;
    use super::super::super::own::Entry;
    use super::super::Controller;
    use super::super::worlds::{Plain, at};
    use super::*;

    /// At least 24 from 45 s to 90 s; 3 otherwise. It looks again at the very edge.
    #[test]
    fn a_timetable_warms_up_ahead() {
        let entry = Entry { from: seconds(45), until: seconds(95), replicas: 24 };
        let schedule = Schedule { entries: vec![entry], repeat: None };
        let common = Common { min: 3, interval: seconds(60), ..Common::default() };
        let mut controller = Controller::Own(OwnController::new(common, OwnLaw::Schedule, schedule));
        let world = Plain::of(3);
        let mut course = Vec::new();
        let mut now = at(0);
        while now < at(200) {
            let decision = controller.look(&world, now);
            course.push((now.as_seconds() as u64, decision.replicas.expect("an opinion")));
            now = decision.next;
        }
        assert_eq!(course, [(0, 3), (45, 24), (95, 3), (155, 3)]);
    }

    /// 600 wait and 20/s come, at 0.5 s each, to be done in 60 s: 5 + 10.
    #[test]
    fn a_queue_asks_for_what_empties_it() {
        let law = QueueDepth { drain: seconds(60), per_message: Span::from_nanos(500_000_000), slots: 1 };
        let law = OwnLaw::QueueDepth { law, backlog: "backlog".into(), rate: "rate".into() };
        let mut controller = Controller::Own(OwnController::new(Common::default(), law, Schedule::default()));
        let world = Plain::of(2).with("backlog", 600.0).with("rate", 20.0);
        assert_eq!(controller.look(&world, at(0)).replicas, Some(15));
        let empty = Plain::of(15).with("backlog", 0.0).with("rate", 20.0);
        assert_eq!(controller.look(&empty, at(300)).replicas, Some(15), "held for 300 s");
        assert_eq!(controller.look(&empty, at(301)).replicas, Some(10));
        let silent = Plain::of(10);
        assert_eq!(controller.look(&silent, at(302)).why, Why::Own(Reason::NoSignal));
    }
}

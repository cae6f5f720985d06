//! Laws of ours, for signals that the known autoscalers do not have: a timetable, the time until a queue is empty,
//! requests in flight, and latency.
//!
//! They are written down here in full; no real controller is imitated. All share [`Common`].

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

use super::kubernetes::seconds;

/// What all of these laws share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Common {
    /// Fewest replicas.
    pub min: i32,
    /// Most replicas.
    pub max: i32,
    /// Time between two decisions: 15 s, as Kubernetes has it.
    pub interval: Span,
    /// How long the most that was wanted holds the count up: 300 s, as Kubernetes has it.
    pub stabilization: Span,
    /// How far from its target a signal may be without a change: 0.1, as Kubernetes has it.
    pub tolerance: f64,
}

impl Default for Common {
    fn default() -> Self {
        Self { min: 1, max: i32::MAX, interval: seconds(15), stabilization: seconds(300), tolerance: 0.1 }
    }
}

/// Why a law of ours wants what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The timetable has an entry for now.
    Scheduled,
    /// The signal asks for it.
    Signal,
    /// The signal is close enough to its target.
    WithinTolerance,
    /// More was wanted a while ago.
    Stabilized,
    /// The fewest or the most.
    Bounded,
    /// There is no signal.
    NoSignal,
}

impl Reason {
    /// In a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Scheduled => "by the timetable",
            Self::Signal => "as the signal asks for",
            Self::WithinTolerance => "close enough to the target",
            Self::Stabilized => "held up by the window",
            Self::Bounded => "held at the fewest or the most",
            Self::NoSignal => "there is no signal: frozen",
        }
    }
}

/// Holds a count up for a while and within bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steady {
    wanted: VecDeque<(SimTime, i32)>,
}

impl Steady {
    /// What becomes of a wanted count.
    pub fn settle(&mut self, common: &Common, wanted: i32, reason: Reason, now: SimTime) -> (i32, Reason) {
        while self.wanted.front().is_some_and(|(at, _)| now.since(*at) > common.stabilization) {
            self.wanted.pop_front();
        }
        self.wanted.push_back((now, wanted));
        let held = self.wanted.iter().map(|(_, wanted)| *wanted).max().unwrap_or(wanted);
        let bounded = held.min(common.max).max(common.min);
        if bounded != held {
            (bounded, Reason::Bounded)
        } else if held != wanted {
            (held, Reason::Stabilized)
        } else {
            (held, reason)
        }
    }
}

/// A timetable of fewest replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Its entries; where they overlap the largest counts.
    pub entries: Vec<Entry>,
    /// After how long it starts anew.
    pub repeat: Option<Span>,
}

/// So many replicas from here to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From then on.
    pub from: Span,
    /// Until then; that instant no longer belongs to it.
    pub until: Span,
    /// So many.
    pub replicas: i32,
}

impl Schedule {
    fn clock(&self, now: SimTime) -> u64 {
        match self.repeat {
            Some(repeat) if repeat > Span::ZERO => now.as_nanos() % repeat.as_nanos(),
            _ => now.as_nanos(),
        }
    }

    /// Replicas that the timetable asks for now.
    pub fn replicas(&self, now: SimTime) -> Option<i32> {
        let clock = self.clock(now);
        let holds = |entry: &&Entry| (entry.from.as_nanos()..entry.until.as_nanos()).contains(&clock);
        self.entries.iter().filter(holds).map(|entry| entry.replicas).max()
    }

    /// When it next says something else; [`SimTime::MAX`] for never.
    pub fn next_change(&self, now: SimTime) -> SimTime {
        let clock = self.clock(now);
        let edges = || self.entries.iter().flat_map(|entry| [entry.from, entry.until]).map(Span::as_nanos);
        let ahead = edges().filter(|edge| *edge > clock).min().map(|edge| edge - clock);
        let wait = match self.repeat {
            Some(repeat) => {
                let around = edges().min().map(|edge| repeat.as_nanos() - clock + edge);
                let within = ahead.filter(|wait| clock + wait < repeat.as_nanos());
                within.into_iter().chain(around).min()
            }
            None => ahead,
        };
        wait.map_or(SimTime::MAX, |wait| now.saturating_add(Span::from_nanos(wait)))
    }
}

/// Workers that empty a queue in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueueDepth {
    /// What waits now is to be done after this long.
    pub drain: Span,
    /// How long a message takes, as whoever sets it up believes.
    pub per_message: Span,
    /// Messages that a replica works on at once.
    pub slots: u32,
}

impl QueueDepth {
    /// Workers for `backlog` messages that wait and `arrival_rate` more each second:
    ///
    /// `ceil((backlog * s / drain + rate * s) / slots)`.
    ///
    /// Those for the stream keep the queue as it is (Little's law), the rest empty it in time.
    pub fn replicas(&self, backlog: f64, arrival_rate: f64) -> i32 {
        let each = self.per_message.as_seconds();
        let workers = backlog * each / self.drain.as_seconds() + arrival_rate * each;
        (workers / f64::from(self.slots.max(1))).ceil() as i32
    }
}

/// Replicas for requests in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    /// Requests in flight that a replica is to have.
    pub target: f64,
}

impl Concurrency {
    /// Replicas for so many requests in flight at all of them together: `ceil(in_flight / target)`, unless each has
    /// nearly its share.
    pub fn replicas(&self, common: &Common, current: i32, in_flight: f64) -> (i32, Reason) {
        let ratio = in_flight / (self.target * f64::from(current));
        if current > 0 && (ratio - 1.0).abs() <= common.tolerance {
            return (current, Reason::WithinTolerance);
        }
        ((in_flight / self.target).ceil() as i32, Reason::Signal)
    }
}

/// Replicas for a latency.
///
/// Latency says that something is wrong and not how much: it hardly moves below saturation and has no bound above.
/// So it grows by a bounded factor, and shrinks by a small share only while the latency is far below its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// The latency that is wanted.
    pub target: Span,
    /// At most so many times the replicas in one decision: 2, as Kubernetes has it.
    pub most_growth: f64,
    /// It shrinks below this share of the target: 0.5.
    pub low: f64,
    /// By this share of the replicas, at least one: 0.1.
    pub shrink: f64,
}

impl Latency {
    /// A law with the usual bounds.
    pub fn new(target: Span) -> Self {
        Self { target, most_growth: 2.0, low: 0.5, shrink: 0.1 }
    }

    /// Replicas for a latency that was measured.
    pub fn replicas(&self, common: &Common, current: i32, measured: Span) -> (i32, Reason) {
        let ratio = measured.as_seconds() / self.target.as_seconds();
        let replicas = f64::from(current);
        if ratio > 1.0 + common.tolerance {
            ((replicas * ratio.min(self.most_growth)).ceil() as i32, Reason::Signal)
        } else if ratio < self.low {
            ((replicas - (replicas * self.shrink).floor().max(1.0)) as i32, Reason::Signal)
        } else {
            (current, Reason::WithinTolerance)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// 24 from 7:45 to 8:30, every day.
    #[test]
    fn a_timetable_repeats() {
        let entry = Entry { from: seconds(27_900), until: seconds(30_600), replicas: 24 };
        let day = Schedule { entries: vec![entry], repeat: Some(seconds(86_400)) };
        assert_eq!(day.replicas(at(27_899)), None);
        assert_eq!(day.replicas(at(27_900)), Some(24));
        assert_eq!(day.replicas(at(30_600)), None);
        assert_eq!(day.replicas(at(86_400 + 28_000)), Some(24));
        assert_eq!(day.next_change(at(0)), at(27_900));
        assert_eq!(day.next_change(at(27_900)), at(30_600));
        assert_eq!(day.next_change(at(30_600)), at(86_400 + 27_900));
        let once = Schedule { repeat: None, ..day };
        assert_eq!(once.next_change(at(30_600)), SimTime::MAX);
    }

    /// 12,000 messages of 0.1 s in 60 s are 20 workers, and 50/s of them are 5 more; four at once make 7 replicas.
    #[test]
    fn a_queue_is_emptied_in_time() {
        let law = QueueDepth { drain: seconds(60), per_message: Span::from_nanos(100_000_000), slots: 1 };
        assert_eq!(law.replicas(12_000.0, 50.0), 25);
        assert_eq!(QueueDepth { slots: 4, ..law }.replicas(12_000.0, 50.0), 7);
        assert_eq!(law.replicas(0.0, 0.0), 0);
    }

    #[test]
    fn requests_in_flight_are_shared_out() {
        let (law, common) = (Concurrency { target: 35.0 }, Common::default());
        assert_eq!(law.replicas(&common, 2, 300.0), (9, Reason::Signal));
        assert_eq!(law.replicas(&common, 9, 330.0), (9, Reason::WithinTolerance));
        assert_eq!(law.replicas(&common, 0, 1.0), (1, Reason::Signal));
    }

    /// 30 s against 100 ms doubles, it does not multiply by 300.
    #[test]
    fn a_latency_grows_by_a_bounded_factor() {
        let (law, common) = (Latency::new(Span::from_nanos(100_000_000)), Common::default());
        assert_eq!(law.replicas(&common, 5, seconds(30)), (10, Reason::Signal));
        assert_eq!(law.replicas(&common, 5, Span::from_nanos(120_000_000)), (6, Reason::Signal));
        assert_eq!(law.replicas(&common, 5, Span::from_nanos(105_000_000)), (5, Reason::WithinTolerance));
        assert_eq!(law.replicas(&common, 5, Span::from_nanos(60_000_000)), (5, Reason::WithinTolerance));
        assert_eq!(law.replicas(&common, 30, Span::from_nanos(10_000_000)), (27, Reason::Signal));
    }

    #[test]
    fn the_most_that_was_wanted_holds_for_a_while() {
        let common = Common { max: 20, ..Common::default() };
        let mut steady = Steady::default();
        assert_eq!(steady.settle(&common, 12, Reason::Signal, at(0)), (12, Reason::Signal));
        assert_eq!(steady.settle(&common, 4, Reason::Signal, at(300)), (12, Reason::Stabilized));
        assert_eq!(steady.settle(&common, 4, Reason::Signal, at(301)), (4, Reason::Signal));
        assert_eq!(steady.settle(&common, 50, Reason::Signal, at(302)), (20, Reason::Bounded));
    }
}

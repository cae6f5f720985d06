//! Balancers: which replica gets a call.
//!
//! Every caller replica keeps a balancer of its own for each route, as real clients do. A balancer sees only
//! what its caller knows: the replicas on its list, the calls that it has outstanding there, how long its calls
//! took, and the request itself.

mod first;
mod hash;
mod join_idle;
mod least;
mod least_connections;
mod peak_ewma;
mod pinned;
mod random;
mod range;
mod ring;
mod round_robin;
mod sticky;
mod weighted;

use sim_core::{Draws, SimTime, Span};

use crate::blueprint::{self, Attribute};
pub use first::First;
pub use hash::Hash;
pub use join_idle::JoinIdle;
pub use least::Least;
pub use least_connections::LeastConnections;
pub use peak_ewma::PeakEwma;
pub use pinned::Pinned;
pub use random::Random;
pub use range::Range;
pub use ring::Ring;
pub use round_robin::RoundRobin;
pub use sticky::Sticky;
pub use weighted::Weighted;

/// What a balancer sees when a call is to be sent.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Numbers of the replicas that may be called, ascending; never empty.
    pub candidates: &'a [u32],
    /// `in_flight[r]` counts what this caller has outstanding at replica `r`.
    pub in_flight: &'a [u32],
    /// The attribute of the request that the rule goes by; 0 for a rule that goes by none.
    pub label: u32,
    /// The current instant.
    pub now: SimTime,
    /// The calling request's own random numbers.
    pub draws: &'a mut Draws,
}

/// Picks the replica that a call goes to.
pub trait Pick {
    /// The position in `candidates` of the chosen replica.
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize;

    /// A call to `replica` came to an end for this caller, `latency` after it was sent. Told only to rules that
    /// need it.
    fn ended(&mut self, _replica: u32, _latency: Span, _now: SimTime) {}
}

/// The state of one caller's balancer.
#[derive(Clone, Debug, PartialEq)]
pub enum Balancer {
    /// See [`First`].
    First(First),
    /// See [`RoundRobin`].
    RoundRobin(RoundRobin),
    /// See [`Weighted`].
    Weighted(Box<Weighted>),
    /// See [`Random`].
    Random(Random),
    /// See [`Least`].
    Least(Least),
    /// See [`LeastConnections`].
    LeastConnections(LeastConnections),
    /// See [`JoinIdle`].
    JoinIdle(JoinIdle),
    /// See [`PeakEwma`].
    PeakEwma(PeakEwma),
    /// See [`struct@Hash`].
    Hash(Hash),
    /// See [`Ring`].
    Ring(Box<Ring>),
    /// See [`Range`].
    Range(Range),
    /// See [`Sticky`].
    Sticky(Box<Sticky>),
    /// See [`Pinned`].
    Pinned(Box<Pinned>),
}

/// What a rule has to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Outstanding calls.
    pub in_flight: bool,
    /// How calls ended.
    pub endings: bool,
    /// An attribute of the request.
    pub label: Option<Attribute>,
}

impl Balancer {
    /// A balancer that follows `rule`. Callers count from 0: those who take turns start at different replicas.
    pub fn new(rule: &blueprint::Pick, caller: u32) -> Self {
        match rule {
            blueprint::Pick::First => Self::First(First),
            blueprint::Pick::RoundRobin => Self::RoundRobin(RoundRobin::starting_at(caller)),
            blueprint::Pick::Weighted { weights } => Self::Weighted(Box::new(Weighted::new(weights))),
            blueprint::Pick::Random => Self::Random(Random),
            blueprint::Pick::Least { choices, replacement: false } => Self::Least(Least::new(*choices)),
            blueprint::Pick::Least { choices, replacement: true } => {
                Self::Least(Least::with_replacement(*choices))
            }
            blueprint::Pick::LeastConnections => Self::LeastConnections(LeastConnections),
            blueprint::Pick::JoinIdle => Self::JoinIdle(JoinIdle),
            blueprint::Pick::PeakEwma => Self::PeakEwma(PeakEwma::default()),
            blueprint::Pick::Hash { .. } => Self::Hash(Hash),
            blueprint::Pick::Ring { points, .. } => Self::Ring(Box::new(Ring::new(*points))),
            blueprint::Pick::Range { values, .. } => Self::Range(Range::over(*values)),
            blueprint::Pick::Sticky { lifetime, pick, .. } => {
                Self::Sticky(Box::new(Sticky::new(lifetime.clone(), Self::new(pick, caller))))
            }
            blueprint::Pick::Pinned { pick } => Self::Pinned(Box::new(Pinned::new(Self::new(pick, caller)))),
        }
    }

    /// Sessions that it keeps: the only thing that grows with the run.
    pub fn entries(&self) -> usize {
        match self {
            Self::Sticky(rule) => rule.entries(),
            Self::Pinned(rule) => rule.entries(),
            _ => 0,
        }
    }

    /// What `rule` has to be told.
    pub fn needs(rule: &blueprint::Pick) -> Needs {
        let nothing = Needs::default();
        match rule {
            blueprint::Pick::First
            | blueprint::Pick::RoundRobin
            | blueprint::Pick::Weighted { .. }
            | blueprint::Pick::Random => nothing,
            blueprint::Pick::Least { .. } | blueprint::Pick::LeastConnections | blueprint::Pick::JoinIdle => {
                Needs { in_flight: true, ..nothing }
            }
            blueprint::Pick::PeakEwma => Needs { in_flight: true, endings: true, label: None },
            blueprint::Pick::Hash { by }
            | blueprint::Pick::Ring { by, .. }
            | blueprint::Pick::Range { by, .. } => Needs { label: Some(*by), ..nothing },
            // Only a rule that goes by nothing chooses for a user who is new.
            blueprint::Pick::Sticky { by, pick, .. } => Needs { label: Some(*by), ..Self::needs(pick) },
            blueprint::Pick::Pinned { pick } => Self::needs(pick),
        }
    }
}

impl Pick for Balancer {
    #[inline]
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        match self {
            Self::First(rule) => rule.pick(seen),
            Self::RoundRobin(rule) => rule.pick(seen),
            Self::Weighted(rule) => rule.pick(seen),
            Self::Random(rule) => rule.pick(seen),
            Self::Least(rule) => rule.pick(seen),
            Self::LeastConnections(rule) => rule.pick(seen),
            Self::JoinIdle(rule) => rule.pick(seen),
            Self::PeakEwma(rule) => rule.pick(seen),
            Self::Hash(rule) => rule.pick(seen),
            Self::Ring(rule) => rule.pick(seen),
            Self::Range(rule) => rule.pick(seen),
            Self::Sticky(rule) => rule.pick(seen),
            Self::Pinned(rule) => rule.pick(seen),
        }
    }

    fn ended(&mut self, replica: u32, latency: Span, now: SimTime) {
        match self {
            Self::PeakEwma(rule) => rule.ended(replica, latency, now),
            Self::Sticky(rule) => rule.ended(replica, latency, now),
            Self::Pinned(rule) => rule.ended(replica, latency, now),
            Self::First(_)
            | Self::RoundRobin(_)
            | Self::Weighted(_)
            | Self::Random(_)
            | Self::Least(_)
            | Self::LeastConnections(_)
            | Self::JoinIdle(_)
            | Self::Hash(_)
            | Self::Ring(_)
            | Self::Range(_) => {}
        }
    }
}

/// What the tests of the rules share.
#[cfg(test)]
mod testing {
    use super::*;

    /// Asks `rule` once; nothing is outstanding.
    pub(super) fn ask(rule: &mut impl Pick, candidates: &[u32], label: u32) -> u32 {
        ask_at(rule, candidates, label, SimTime::ZERO)
    }

    /// The same at an instant.
    pub(super) fn ask_at(rule: &mut impl Pick, candidates: &[u32], label: u32, now: SimTime) -> u32 {
        let in_flight = vec![0; candidates.iter().max().map_or(0, |&last| last as usize + 1)];
        let draws = &mut Draws::keyed(u64::from(label) ^ now.as_nanos());
        candidates[rule.pick(&mut Seen { candidates, in_flight: &in_flight, label, now, draws })]
    }

    /// Asks `rule` while the replicas have this many calls outstanding.
    pub(super) fn ask_loaded(
        rule: &mut impl Pick,
        candidates: &[u32],
        in_flight: &[u32],
        draws: &mut Draws,
    ) -> usize {
        rule.pick(&mut Seen { candidates, in_flight, label: 0, now: SimTime::ZERO, draws })
    }
}

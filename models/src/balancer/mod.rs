//! Balancers: which replica gets a call.
//!
//! Every caller replica keeps a balancer of its own for each route, as real clients do. A balancer sees only
//! what its caller knows: the replicas on its list and the calls that it has outstanding there.

mod least;
mod least_connections;
mod random;
mod round_robin;

use sim_core::Draws;

use crate::blueprint;
pub use least::Least;
pub use least_connections::LeastConnections;
pub use random::Random;
pub use round_robin::RoundRobin;

/// Picks the replica that a call goes to.
pub trait Pick {
    /// The position in `candidates` of the chosen replica.
    ///
    /// `candidates` holds the numbers of the replicas that may be called; it is never empty. `in_flight[r]`
    /// counts what this caller has outstanding at replica `r`. `draws` are the calling request's own random
    /// numbers.
    fn pick(&mut self, candidates: &[u32], in_flight: &[u32], draws: &mut Draws) -> usize;
}

/// The state of one caller's balancer.
#[derive(Clone, Debug, PartialEq)]
pub enum Balancer {
    /// See [`RoundRobin`].
    RoundRobin(RoundRobin),
    /// See [`Random`].
    Random(Random),
    /// See [`Least`].
    Least(Least),
    /// See [`LeastConnections`].
    LeastConnections(LeastConnections),
}

impl Balancer {
    /// A balancer that follows `rule`. Callers count from 0: those who take turns start at different replicas.
    pub fn new(rule: blueprint::Pick, caller: u32) -> Self {
        match rule {
            blueprint::Pick::RoundRobin => Self::RoundRobin(RoundRobin::starting_at(caller)),
            blueprint::Pick::Random => Self::Random(Random),
            blueprint::Pick::Least { choices } => Self::Least(Least::new(choices)),
            blueprint::Pick::LeastConnections => Self::LeastConnections(LeastConnections),
        }
    }

    /// Whether the rule looks at outstanding calls.
    pub fn counts_calls(rule: blueprint::Pick) -> bool {
        match rule {
            blueprint::Pick::RoundRobin | blueprint::Pick::Random => false,
            blueprint::Pick::Least { .. } | blueprint::Pick::LeastConnections => true,
        }
    }
}

impl Pick for Balancer {
    #[inline]
    fn pick(&mut self, candidates: &[u32], in_flight: &[u32], draws: &mut Draws) -> usize {
        match self {
            Self::RoundRobin(rule) => rule.pick(candidates, in_flight, draws),
            Self::Random(rule) => rule.pick(candidates, in_flight, draws),
            Self::Least(rule) => rule.pick(candidates, in_flight, draws),
            Self::LeastConnections(rule) => rule.pick(candidates, in_flight, draws),
        }
    }
}

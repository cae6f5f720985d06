//! Pinned connections.

use sim_core::{SimTime, Span};

use super::{Balancer, Pick, Seen};

/// Sends all calls of a caller over the one connection that it has: to the replica that another rule chose when
/// the connection was opened, until that replica goes away.
///
/// What HTTP/2 and gRPC do behind a balancer that spreads connections, not requests: with fewer callers than
/// replicas some replicas get nothing.
///
/// Source: gRPC, *Load Balancing* (`pick_first` by default); Kubernetes, Service (kube-proxy balances connections).
#[derive(Clone, Debug, PartialEq)]
pub struct Pinned {
    rule: Balancer,
    /// The replica that the connection leads to.
    to: Option<u32>,
}

impl Pinned {
    /// A connection that is opened where `rule` says.
    pub fn new(rule: Balancer) -> Self {
        Self { rule, to: None }
    }

    /// Sessions that its rule keeps.
    pub(super) fn entries(&self) -> usize {
        self.rule.entries()
    }
}

impl Pick for Pinned {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        if let Some(position) = self.to.and_then(|to| seen.candidates.binary_search(&to).ok()) {
            return position;
        }
        let position = self.rule.pick(seen);
        self.to = Some(seen.candidates[position]);
        position
    }

    fn ended(&mut self, replica: u32, latency: Span, now: SimTime) {
        self.rule.ended(replica, latency, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::RoundRobin;
    use super::super::testing::ask;
    use super::*;

    #[test]
    fn a_connection_stays_until_its_replica_goes() {
        let mut rule = Pinned::new(Balancer::RoundRobin(RoundRobin::starting_at(2)));
        let mut to = |replicas: &[u32]| ask(&mut rule, replicas, 0);
        assert_eq!([to(&[0, 1, 2, 3]), to(&[0, 1, 2, 3]), to(&[0, 2, 3])], [2, 2, 2]);
        assert_eq!([to(&[0, 1, 3]), to(&[0, 1, 2, 3])], [0, 0], "3 mod 3, and no way back");
    }
}

//! Sticky sessions.

use std::collections::BTreeMap;

use sim_core::distribution::Distribution;
use sim_core::{SimTime, Span};

use super::{Balancer, Pick, Seen};

/// Sessions that are swept for ended ones when there are twice as many as after the last sweep.
const FEW: usize = 1_024;

/// Sends a user to the same replica for as long as a session lasts. The first call of a session is sent by
/// another rule.
///
/// A session lasts from its first call on, however often it is used. Who has a session at a replica that may no
/// longer be called begins a new one elsewhere.
///
/// Source: `HAProxy`, `cookie insert ... maxlife`; AWS Elastic Load Balancing, duration-based stickiness.
#[derive(Clone, Debug, PartialEq)]
pub struct Sticky {
    lifetime: Distribution,
    rule: Balancer,
    /// By label: the replica, and when the session ends.
    sessions: BTreeMap<u32, (u32, SimTime)>,
    /// Sessions after the last sweep.
    swept: usize,
}

impl Sticky {
    /// Sessions that last as long as drawn, begun where `rule` says.
    pub fn new(lifetime: Distribution, rule: Balancer) -> Self {
        Self { lifetime, rule, sessions: BTreeMap::new(), swept: FEW }
    }

    /// Sessions that it keeps.
    pub(super) fn entries(&self) -> usize {
        self.sessions.len()
    }
}

impl Pick for Sticky {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        if let Some(&(replica, until)) = self.sessions.get(&seen.label)
            && seen.now < until
            && let Ok(position) = seen.candidates.binary_search(&replica)
        {
            return position;
        }
        let position = self.rule.pick(seen);
        let lifetime = Span::from_seconds(self.lifetime.sample(seen.draws)).unwrap_or(sim_core::MAX_SPAN);
        let until = seen.now.saturating_add(lifetime);
        self.sessions.insert(seen.label, (seen.candidates[position], until));
        if self.sessions.len() > 2 * self.swept {
            self.sessions.retain(|_, (_, until)| *until > seen.now);
            self.swept = self.sessions.len().max(FEW);
        }
        position
    }

    fn ended(&mut self, replica: u32, latency: Span, now: SimTime) {
        self.rule.ended(replica, latency, now);
    }
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::Constant;

    use super::super::RoundRobin;
    use super::super::testing::ask_at;
    use super::*;

    #[test]
    fn a_session_lasts_as_long_as_it_should_and_its_replica_does() {
        let turns = Balancer::RoundRobin(RoundRobin::starting_at(0));
        let mut rule = Sticky::new(Constant::new(60.0).unwrap().into(), turns);
        let mut at = |replicas: &[u32], user, seconds: f64| {
            ask_at(&mut rule, replicas, user, SimTime::ZERO + Span::from_seconds(seconds).unwrap())
        };
        assert_eq!([at(&[0, 1, 2], 7, 0.0), at(&[0, 1, 2], 8, 1.0)], [0, 1]);
        assert_eq!([at(&[0, 1, 2], 7, 59.0), at(&[0, 1, 2], 8, 60.5)], [0, 1], "both stay");
        assert_eq!(at(&[0, 1, 2], 7, 60.0), 2, "over: the next in turn");
        assert_eq!(at(&[0, 1], 7, 61.0), 1, "its replica has gone: 3 mod 2");
        assert_eq!(at(&[0, 1, 2], 7, 62.0), 1, "and stays forgotten");
    }

    #[test]
    fn ended_sessions_are_swept() {
        let mut rule =
            Sticky::new(Constant::new(1.0).unwrap().into(), Balancer::RoundRobin(RoundRobin::starting_at(0)));
        for user in 0..100_000 {
            let now = SimTime::ZERO + Span::from_seconds(f64::from(user)).unwrap();
            ask_at(&mut rule, &[0, 1], user, now);
        }
        assert!(rule.sessions.len() <= 2 * FEW, "{}", rule.sessions.len());
    }
}

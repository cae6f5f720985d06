//! A pool of which a request may wait for more while it already holds some.
//!
//! Source: Wooldridge, *About Pool Sizing*, wiki of the connection pool `HikariCP`: pool size = Tn (Cm - 1) + 1 for Tn
//! threads that hold up to Cm connections at once.

use std::collections::BTreeSet;

use models::blueprint::{Arrivals, PoolId, PoolScope};

use super::{Diagnostic, Seen};
use crate::scenario::{Branch, Call, Endpoint, Step};

/// Endpoints that are looked at, each with what is held on the way to it.
const MOST: usize = 10_000;

/// The rule: when all that can hold units of a pool wait for more of it, one of them still gets what it needs.
pub(super) fn lint(seen: &Seen<'_>) -> Vec<Diagnostic> {
    let mut search = Search { seen, users: None, visited: BTreeSet::new(), found: Vec::new() };
    for traffic in &seen.parts.traffics {
        search.users = match traffic.arrivals {
            Arrivals::Closed { users, .. } => Some(u64::from(users)),
            Arrivals::Open { .. } | Arrivals::Trace(_) => None,
        };
        search.visited.clear();
        for (_, call) in &traffic.targets {
            search.call(call, &Vec::new());
        }
    }
    search.found.into_iter().map(|(_, warning)| warning).collect()
}

/// What a request holds, in the order in which it got it.
type Held = Vec<(PoolId, u32)>;

struct Search<'s, 'a> {
    seen: &'s Seen<'a>,
    users: Option<u64>,
    visited: BTreeSet<(usize, Vec<(u32, u32)>)>,
    found: Vec<(PoolId, Diagnostic)>,
}

impl Search<'_, '_> {
    fn call(&mut self, call: &Call, held: &Held) {
        let state = (call.endpoint.index(), held.iter().map(|(pool, units)| (pool.0, *units)).collect());
        if self.visited.len() >= MOST || !self.visited.insert(state) {
            return;
        }
        let seen = self.seen;
        let endpoint = seen.endpoint(call);
        let mut held = held.clone();
        if let Some(workers) = seen.parts.services[endpoint.service.index()].workers {
            self.acquire(workers, 1, &mut held, endpoint);
        }
        self.steps(&endpoint.steps, &mut held, endpoint);
    }

    fn steps(&mut self, steps: &[Step], held: &mut Held, endpoint: &Endpoint) {
        for step in steps {
            match step {
                Step::Hold { pool, units, steps } => {
                    self.acquire(*pool, *units, held, endpoint);
                    self.steps(steps, held, endpoint);
                    held.pop();
                }
                Step::Call(call) => self.call(call, held),
                Step::All { branches, .. } => {
                    for branch in branches {
                        match branch {
                            Branch::Call(call) => self.call(call, held),
                            Branch::Steps(steps) => self.steps(steps, held, endpoint),
                        }
                    }
                }
                Step::Repeat { steps, .. } => self.steps(steps, held, endpoint),
                Step::Get { hit, miss, .. } => {
                    self.steps(hit, held, endpoint);
                    self.steps(miss, held, endpoint);
                }
                Step::Choose(arms) => arms.iter().for_each(|(_, steps)| self.steps(steps, held, endpoint)),
                Step::Cpu(_)
                | Step::PerByte { .. }
                | Step::Delay(_)
                | Step::Pause(_)
                | Step::Times { .. }
                | Step::Batch { .. }
                | Step::Take(_)
                | Step::Give(_)
                | Step::Put { .. }
                | Step::Send(_)
                | Step::Reply
                | Step::Fail { .. } => {}
            }
        }
    }

    fn acquire(&mut self, pool: PoolId, units: u32, held: &mut Held, endpoint: &Endpoint) {
        let first = held.iter().position(|(other, _)| *other == pool);
        if let Some(first) = first
            && !self.found.iter().any(|(known, _)| *known == pool)
        {
            let own: u32 = held.iter().filter(|(other, _)| *other == pool).map(|(_, units)| units).sum();
            let threads =
                held[..first].iter().map(|(around, _)| self.room(*around, pool)).chain(self.users).min();
            self.found
                .extend(self.warn(pool, threads, (own, units), endpoint).map(|warning| (pool, warning)));
        }
        held.push((pool, units));
    }

    /// How many requests at most hold `around` where they share an instance of `pool`.
    fn room(&self, around: PoolId, pool: PoolId) -> u64 {
        let pools = &self.seen.parts.pools;
        let slots = u64::from(pools[around.index()].slots);
        match (pools[around.index()].scope, pools[pool.index()].scope) {
            (PoolScope::Replica { service: a, .. }, PoolScope::Replica { service: b, .. }) if a == b => slots,
            (PoolScope::Replica { service, .. }, _) => {
                slots * u64::from(self.seen.parts.services[service.index()].replicas)
            }
            (PoolScope::One | PoolScope::Class | PoolScope::Each(_), _) => slots,
        }
    }

    fn warn(
        &self,
        pool: PoolId,
        threads: Option<u64>,
        (own, more): (u32, u32),
        endpoint: &Endpoint,
    ) -> Option<Diagnostic> {
        let plan = &self.seen.parts.pools[pool.index()];
        let need = threads.map(|threads| threads * u64::from(own) + u64::from(more));
        if need.is_some_and(|need| u64::from(plan.slots) >= need) {
            return None;
        }
        let (name, slots) = (&plan.name, plan.slots);
        let who =
            threads.map_or("any number of requests".to_owned(), |threads| format!("{threads} requests"));
        let until = if plan.timeout.is_some() { " until they time out" } else { "" };
        let message = format!(
            "`{name}` can deadlock: {who} may each hold {own} of its {slots} units and wait for {more} more{until}"
        );
        let help = match need {
            Some(need) => format!("give it {need} units, or take all that a request needs at once (`units`)"),
            None => "take all that a request needs at once (`units`), or let fewer get there (`workers`)"
                .to_owned(),
        };
        let place = self.seen.place(&format!("{}.slots", plan.path));
        let warning = Diagnostic::warning(message).at(place).help(help);
        Some(warning.related(endpoint.place, "more of it is asked for here"))
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::linted;

    /// Tn = 4 threads with Cm = 2 connections each need 4 (2 - 1) + 1 = 5.
    fn connections(workers: &str, slots: u32) -> String {
        linted(&format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services:
  web:
    {workers}
    endpoints:
      get: [{{hold: connections, do: [{{delay: 1ms}}, {{call: web.audit}}]}}]
      audit: [{{hold: connections, do: [{{delay: 1ms}}]}}]
    resources:
      connections: {{slots: {slots}}}
"
        ))
    }

    #[test]
    fn a_pool_that_is_held_twice_can_deadlock() {
        insta::assert_snapshot!(linted(
            "duration: 1m
traffic: {users: {users: 4, think: 1s, to: web.get}}
services:
  web:
    endpoints: {get: [{hold: connections, do: [{hold: connections, do: [{delay: 1ms}]}]}]}
    resources:
      connections: {slots: 4}
"
        ));
    }

    #[test]
    fn one_unit_more_than_all_can_hold_is_enough() {
        let text = "duration: 1m
traffic: {users: {users: 4, think: 1s, to: web.get}}
services:
  web:
    endpoints: {get: [{hold: connections, do: [{hold: connections, do: [{delay: 1ms}]}]}]}
    resources:
      connections: {slots: 5}
";
        assert_eq!(linted(text), "");
    }

    #[test]
    fn open_traffic_can_fill_any_pool() {
        insta::assert_snapshot!(connections("cores: 1", 100));
    }

    #[test]
    fn workers_that_call_themselves_can_deadlock() {
        let text = connections("workers: 4", 5);
        assert!(text.contains("`web.workers` can deadlock: any number of requests"), "{text}");
        assert!(!text.contains("connections` can deadlock"), "{text}");
    }
}

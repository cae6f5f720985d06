//! Whether requests wait for each other for ever.
//!
//! Looked for once, at the end of a replication, so it costs nothing while the system runs. A frame can go on if time
//! alone moves it (a step, a journey, a back-off, a timeout shorter than the run), if it waits for units of which
//! somebody who can go on holds some, if it waits for what somebody fetches who can go on, or for an answer that can
//! come. Those that cannot wait for each other; which pools they hold and which they wait for closes a cycle. In doubt
//! a frame can go on: what is called a deadlock is one.
//!
//! Source: Holt, *Some Deadlock Properties of Computer Systems*, Computing Surveys 4(3), 1972: reduction of the
//! general resource graph.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use sim_core::SimTime;

use super::System;
use super::frame::{Frame, Held, Kind, NONE, State};
use crate::blueprint::PoolId;
use crate::observe::{Deadlock, DeadlockLink};

/// What may go on.
struct Moving {
    /// By index of a frame.
    frames: Vec<bool>,
    /// By instance of a pool: whether some of its units are held by somebody who can go on.
    instances: Vec<bool>,
    /// Groups of fetches of which somebody can go on.
    fetches: BTreeSet<u32>,
    /// By index of a frame: answers that can still come to it.
    answers: Vec<u32>,
}

/// Those who hold units of one instance and wait for units of another.
struct Edge {
    units: u64,
    since: SimTime,
}

/// By group of fetches: instances of pools.
type Behind = BTreeMap<u32, BTreeSet<u32>>;

/// The instances that a frame waits for.
fn wanted(frame: &Frame, behind: &Behind) -> BTreeSet<u32> {
    match frame.state {
        State::Awaiting => behind.get(&frame.at).cloned().unwrap_or_default(),
        _ => BTreeSet::from([frame.at]),
    }
}

impl System<'_> {
    /// The requests that wait for each other; none where all can go on.
    pub(super) fn deadlock(&self) -> Option<Deadlock> {
        if self.instances.iter().all(|instance| instance.waiting == 0) {
            return None;
        }
        let moving = self.moving();
        let waits = |frame: &Frame| matches!(frame.state, State::Queued | State::Awaiting);
        let stuck: Vec<(u32, &Frame)> = self
            .frames
            .iter()
            .map(|(key, frame)| (key.index(), frame))
            .filter(|&(index, frame)| waits(frame) && !moving.frames[index as usize])
            .collect();
        let behind = self.behind_fetches(&stuck);
        let mut edges: BTreeMap<u32, BTreeMap<u32, Edge>> = BTreeMap::new();
        for &(index, frame) in &stuck {
            let wanted = wanted(frame, &behind);
            // Not what is fetched for a cache.
            for held in self.holds(index).filter(|held| held.instance != NONE) {
                for &to in &wanted {
                    let edge = edges.entry(held.instance).or_default().entry(to);
                    let edge = edge.or_insert(Edge { units: 0, since: SimTime::ZERO });
                    edge.units += u64::from(held.units);
                    edge.since = edge.since.max(frame.since);
                }
            }
        }
        self.cycle(&edges)
    }

    /// By group of fetches: what those wait for, in the end, who fetch. Who waits for a fetch waits for the same.
    fn behind_fetches(&self, stuck: &[(u32, &Frame)]) -> Behind {
        let mut behind = Behind::new();
        loop {
            let mut has_grown = false;
            for &(index, frame) in stuck {
                let wanted = wanted(frame, &behind);
                for fetch in self.holds(index).filter(|held| held.instance == NONE) {
                    let known = behind.entry(self.caches.group_of_fetch(fetch.units)).or_default();
                    has_grown |= !wanted.is_subset(known);
                    known.extend(&wanted);
                }
            }
            if !has_grown {
                return behind;
            }
        }
    }

    /// What the frame holds, and what all those hold that wait for its answer.
    fn holds(&self, index: u32) -> impl Iterator<Item = &Held> {
        let next = |holder: &&Frame| self.waiting_parent(holder).map(|parent| self.frames.at(parent));
        successors(Some(self.frames.at(index)), next).flat_map(|holder| self.held.below(holder.holds))
    }

    /// Follows those who wait from pool to pool until one comes again.
    fn cycle(&self, edges: &BTreeMap<u32, BTreeMap<u32, Edge>>) -> Option<Deadlock> {
        for &start in edges.keys() {
            let mut path = vec![start];
            while let Some(next) = path.last().and_then(|at| edges.get(at)) {
                let Some((&to, _)) = next.iter().max_by_key(|(to, edge)| (edge.units, u32::MAX - **to))
                else {
                    break;
                };
                if let Some(begin) = path.iter().position(|at| *at == to) {
                    let cycle = path.split_off(begin);
                    return Some(self.told(&cycle, edges));
                }
                path.push(to);
            }
        }
        None
    }

    fn told(&self, cycle: &[u32], edges: &BTreeMap<u32, BTreeMap<u32, Edge>>) -> Deadlock {
        let pool = |instance: u32| PoolId(self.instances[instance as usize].pool);
        let mut since = SimTime::ZERO;
        let mut links = Vec::with_capacity(cycle.len());
        for (position, &from) in cycle.iter().enumerate() {
            let to = cycle[(position + 1) % cycle.len()];
            let edge = &edges[&from][&to];
            since = since.max(edge.since);
            let in_use = u64::from(self.instances[from as usize].in_use);
            links.push(DeadlockLink {
                pool: pool(from),
                units: edge.units.min(in_use),
                in_use,
                waits_for: pool(to),
            });
        }
        Deadlock { since, links }
    }

    /// The frame that waits for the answer of this one.
    fn waiting_parent(&self, frame: &Frame) -> Option<u32> {
        if frame.replied && frame.kind != Kind::Reply {
            return None; // It has answered, and merely runs on.
        }
        let parent = self.frames.get(frame.link.parent)?;
        let waits = parent.kind == Kind::Call || parent.epoch == frame.link.epoch;
        waits.then(|| frame.link.parent.index())
    }

    /// Reduces the graph until nothing more can go on.
    fn moving(&self) -> Moving {
        let size = self.frames.iter().map(|(key, _)| key.index() + 1).max().unwrap_or(0) as usize;
        let mut moving = Moving {
            frames: vec![false; size],
            instances: vec![false; self.instances.len()],
            fetches: BTreeSet::new(),
            answers: vec![0; size],
        };
        let mut open = Vec::new();
        for (key, frame) in self.frames.iter() {
            if self.moves_by_itself(frame) {
                self.set_moving(key.index(), &mut moving);
            } else {
                open.push(key.index());
            }
        }
        // What a connection holds comes back when it is closed, which somebody or something may do.
        for (_, _, unit) in self.connections.census() {
            if let Some((source, _)) = unit {
                moving.instances[source as usize] = true;
            }
        }
        for batch in self.batches.running() {
            moving.instances[batch.instance as usize] = true;
        }
        let mut visits: Vec<(u32, u32, bool)> = Vec::new();
        for (_, visit) in self.visits.iter() {
            let waits_on = visit.visitor.frame;
            let parent = if self.frames.get(waits_on).is_some() { waits_on.index() } else { NONE };
            visits.push((parent, visit.instance, visit.is_waiting));
            if !visit.is_waiting && visit.instance != NONE {
                moving.instances[visit.instance as usize] = true;
            }
        }
        loop {
            let before = (open.len(), visits.len());
            visits.retain(|&(parent, instance, waits)| {
                let goes_on = !waits || moving.instances[instance as usize];
                if goes_on && parent != NONE {
                    moving.answers[parent as usize] += 1;
                }
                !goes_on
            });
            open.retain(|&index| {
                let frame = self.frames.at(index);
                let goes_on = match frame.state {
                    State::Queued => moving.instances[frame.at as usize],
                    State::Awaiting => moving.fetches.contains(&frame.at),
                    // One branch that ends may be enough, be it by a failure.
                    _ => moving.answers[index as usize] > 0,
                };
                if goes_on {
                    self.set_moving(index, &mut moving);
                }
                !goes_on
            });
            if before == (open.len(), visits.len()) {
                return moving;
            }
        }
    }

    fn set_moving(&self, index: u32, moving: &mut Moving) {
        moving.frames[index as usize] = true;
        let frame = self.frames.at(index);
        for held in self.held.below(frame.holds) {
            if held.instance == NONE {
                moving.fetches.insert(self.caches.group_of_fetch(held.units));
            } else {
                moving.instances[held.instance as usize] = true;
            }
        }
        if let Some(parent) = self.waiting_parent(frame) {
            moving.answers[parent as usize] += 1;
        }
    }

    /// Whether time alone brings the frame on.
    fn moves_by_itself(&self, frame: &Frame) -> bool {
        let own = match frame.state {
            // A timeout longer than the run is none.
            State::Queued => frame.patience.since(frame.since) <= self.plan.duration,
            State::Calling | State::Joining => frame.kind == Kind::Call && self.is_timed(frame),
            // Whoever fetches what it waits for has to go on.
            State::Awaiting => false,
            // A core is given back by whoever computes; who waits for a limit is not followed.
            _ => true,
        };
        own || self.is_cancelled_in_time(frame)
    }

    /// Whether a policy gives up on this call some time.
    fn is_timed(&self, call: &Frame) -> bool {
        let watched = self.watches.peek(call.at).call;
        let policy = self.plan.calls[watched.index()].policy.map(|policy| &self.policies[policy.index()]);
        policy.is_some_and(|policy| policy.timeout.is_some() || policy.total.is_some() || policy.deadline)
    }

    /// Whether a policy above gives up some time and stops what it has called.
    fn is_cancelled_in_time(&self, frame: &Frame) -> bool {
        let mut frame = frame;
        while let Some(parent) = self.waiting_parent(frame) {
            frame = self.frames.at(parent);
            if frame.kind == Kind::Call && self.is_timed(frame) {
                let watched = self.watches.peek(frame.at).call;
                let policy = self.plan.calls[watched.index()].policy;
                if policy.is_some_and(|policy| self.policies[policy.index()].cancel) {
                    return true;
                }
            }
        }
        false
    }
}

//! Nodes: where replicas have their place, how further ones come, and how those that are not needed are given back.
//!
//! A new replica is a pod: it waits for a node, for the scheduler and for its image before it starts. All pods of a
//! service request the same, so room is counted in pods. The scheduler takes the node with the fewest.
//!
//! Source: kubernetes/autoscaler, main of August 2026: `cluster-autoscaler/core/scaledown/` (`eligibility`, `planner`,
//! `unneeded`, `budgets`); kube-scheduler, `NodeResourcesFit`, which prefers the least allocated.

use std::collections::VecDeque;

use sim_core::distribution::Distribution;
use sim_core::{Calendar, Draws, PopulationWindow, SimTime, Span, combine, hash_name};

use super::pool::Level;
use super::scalers::ScalerAlarm;
use super::{Packed, Standing, System, span};
use crate::autoscaler::plan::Nodes as Plan;

const SALT_SCHEDULING: u64 = 0xA24B_AED4_963E_E407;
const SALT_PULL: u64 = 0x9FB2_1C65_1E98_DF26;
const SALT_NODE: u64 = 0xD6E8_FEB8_6659_FD93;

/// Nodes that are given back at once, at most: `--max-scale-down-parallelism`.
const GIVEN_BACK: usize = 10;

/// Of those, nodes that pods have to leave first: `--max-drain-parallelism`.
const DRAINED: usize = 1;

/// The nodes of one autoscaler.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    /// By number; that of a node that is gone goes to the next one.
    rows: Vec<Node>,
    coming: u32,
    /// How many were ever asked for.
    asked: u64,
    last_asked: Option<SimTime>,
    /// Replicas that wait for one, in their life.
    waiting: VecDeque<(u32, u32)>,
    /// Whether it is planned when to look next.
    is_scanned: bool,
    level: Level,
}

/// A node.
#[derive(Clone, Copy, Debug)]
struct Node {
    stage: Stage,
    /// Pods that have their place on it.
    pods: u32,
    /// Since when it could be done without.
    unneeded_since: Option<SimTime>,
}

/// How far a node has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It takes pods.
    Open,
    /// It takes none any more, and those that it has leave.
    Drains,
    /// It is given back.
    Gone,
}

impl Node {
    const NEW: Self = Self { stage: Stage::Open, pods: 0, unneeded_since: None };

    /// Room for further pods.
    fn room(&self, plan: &Plan) -> u32 {
        plan.pods.saturating_sub(self.pods)
    }

    /// Whether so little of it is requested that it could be given back.
    fn is_underused(&self, plan: &Plan) -> bool {
        self.stage == Stage::Open && f64::from(self.pods) < plan.utilization * f64::from(plan.pods)
    }

    /// Whether it has not been needed for long enough.
    fn is_due(&self, plan: &Plan, now: SimTime) -> bool {
        self.stage == Stage::Open
            && self.unneeded_since.is_some_and(|since| since.saturating_add(plan.unneeded) < now)
    }
}

impl Nodes {
    /// As many as the plan has from the start, or as many as the replicas need.
    pub(super) fn new(plan: &Plan, replicas: u32) -> Self {
        let ready = plan.ready.max(replicas.div_ceil(plan.pods.max(1)));
        let mut nodes = Self::default();
        for _ in 0..ready {
            nodes.add(SimTime::ZERO);
        }
        nodes
    }

    /// Closes the segment that ends at `now`.
    pub(super) fn flush(&mut self, now: SimTime) -> PopulationWindow {
        self.level.flush(now)
    }

    /// One more is ready.
    fn add(&mut self, now: SimTime) {
        self.level.grow(1, now);
        match self.rows.iter_mut().find(|row| row.stage == Stage::Gone) {
            Some(free) => *free = Node::NEW,
            None => self.rows.push(Node::NEW),
        }
    }

    /// A place for one more pod: of the nodes that have room, the one with the fewest pods.
    pub(super) fn place(&mut self, plan: &Plan) -> Option<usize> {
        let has_room = |(_, row): &(usize, &Node)| row.stage == Stage::Open && row.room(plan) > 0;
        let (at, _) = self.rows.iter().enumerate().filter(has_room).min_by_key(|(_, row)| row.pods)?;
        self.rows[at].pods += 1;
        Some(at)
    }

    /// A pod is gone.
    fn leave(&mut self, at: usize, now: SimTime) {
        self.rows[at].pods -= 1;
        self.go_if_empty(at, now);
    }

    /// It takes no further pods, and goes when it has none.
    fn drain(&mut self, at: usize, now: SimTime) {
        self.rows[at].stage = Stage::Drains;
        self.go_if_empty(at, now);
    }

    fn go_if_empty(&mut self, at: usize, now: SimTime) {
        let row = &mut self.rows[at];
        if row.stage == Stage::Drains && row.pods == 0 {
            row.stage = Stage::Gone;
            self.level.shrink(1, now);
        }
    }

    /// Looks which nodes could be done without: little of them is requested, and the others have room for their pods.
    ///
    /// One after the other, as if those before had gone already: empty ones first, then those that could be done
    /// without before.
    fn find_unneeded(&mut self, plan: &Plan, now: SimTime) {
        let mut found: Vec<usize> =
            (0..self.rows.len()).filter(|&at| self.rows[at].is_underused(plan)).collect();
        found.sort_by_key(|&at| (self.rows[at].pods > 0, self.rows[at].unneeded_since.is_none()));
        let open = self.rows.iter().filter(|row| row.stage == Stage::Open);
        let room: u32 = open.map(|row| row.room(plan)).sum();
        // Without a node its room is gone, and its pods take some of the others'.
        let spare = (room / plan.pods.max(1)) as usize;
        found.truncate(spare);
        for (at, row) in self.rows.iter_mut().enumerate() {
            row.unneeded_since = found.contains(&at).then(|| row.unneeded_since.unwrap_or(now));
        }
    }

    /// Nodes that are given back now.
    fn due(&self, plan: &Plan, now: SimTime) -> Vec<usize> {
        if self.last_asked.is_some_and(|asked| asked.saturating_add(plan.after_add) > now) {
            return Vec::new();
        }
        let of = |stage| self.rows.iter().filter(move |row| row.stage == stage).count();
        let (open, draining) = (of(Stage::Open), of(Stage::Drains));
        let spare = open.saturating_sub(plan.min as usize).min(GIVEN_BACK.saturating_sub(draining));
        let due = |is_empty: bool| {
            let is =
                move |at: &usize| self.rows[*at].is_due(plan, now) && (self.rows[*at].pods == 0) == is_empty;
            (0..self.rows.len()).filter(is)
        };
        due(true).chain(due(false).take(DRAINED.saturating_sub(draining))).take(spare).collect()
    }

    /// Whether there is something to look for: pods without a node, or a node with little on it.
    fn are_watched(&self, plan: &Plan) -> bool {
        !self.waiting.is_empty() || self.rows.iter().any(|row| row.is_underused(plan))
    }
}

impl System<'_> {
    /// Plans when to look next, if there is something to look for: at full periods.
    pub(super) fn plan_scan(&mut self, scaler: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let Some(plan) = &self.plan.autoscalers[scaler as usize].placement.nodes else { return };
        let nodes = &mut self.scalers.rows[scaler as usize].nodes;
        if nodes.are_watched(plan) && !std::mem::replace(&mut nodes.is_scanned, true) {
            let scan = plan.scan.as_nanos().max(1);
            let at = SimTime::from_nanos((now.as_nanos() / scan + 1) * scan);
            self.scaler_alarm_at(at, scaler, ScalerAlarm::Scan, calendar);
        }
    }

    /// The cluster autoscaler looks: for pods without a node, and for nodes that could be done without.
    pub(super) fn scan(&mut self, scaler: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let Some(plan) = &self.plan.autoscalers[scaler as usize].placement.nodes else { return };
        self.ask_for_nodes(scaler, plan, now, calendar);
        let nodes = &mut self.scalers.rows[scaler as usize].nodes;
        nodes.is_scanned = false;
        nodes.find_unneeded(plan, now);
        for at in nodes.due(plan, now) {
            self.drain_node(scaler, at, now, calendar);
        }
        self.plan_scan(scaler, now, calendar);
    }

    /// Asks for as many nodes as pods without one need, beyond those that are coming.
    fn ask_for_nodes(&mut self, scaler: u32, plan: &Plan, now: SimTime, calendar: &mut Calendar<Packed>) {
        let nodes = &mut self.scalers.rows[scaler as usize].nodes;
        let replicas = &self.replicas;
        nodes.waiting.retain(|&(replica, life)| {
            let at = &replicas[replica as usize];
            at.life == life && at.standing == Standing::Starting
        });
        let missing = (nodes.waiting.len() as u32).saturating_sub(nodes.coming * plan.pods);
        for _ in 0..missing.div_ceil(plan.pods.max(1)) {
            let nodes = &mut self.scalers.rows[scaler as usize].nodes;
            nodes.coming += 1;
            nodes.asked += 1;
            nodes.last_asked = Some(now);
            let name = combine(hash_name(&self.plan.autoscalers[scaler as usize].path), nodes.asked);
            let mut draws = Draws::keyed(combine(self.stream, name) ^ SALT_NODE);
            let at = now.saturating_add(span(plan.provision.sample(&mut draws)));
            self.scaler_alarm_at(at, scaler, ScalerAlarm::Node, calendar);
        }
    }

    /// A node is there that was asked for.
    pub(super) fn node_ready(&mut self, scaler: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let nodes = &mut self.scalers.rows[scaler as usize].nodes;
        nodes.coming -= 1;
        nodes.add(now);
        self.fill_nodes(scaler, now, calendar);
        self.plan_scan(scaler, now, calendar);
    }

    /// A node is given back: its pods are evicted, and others are started in their place.
    fn drain_node(&mut self, scaler: u32, at: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.scalers.rows[scaler as usize];
        row.nodes.drain(at, now);
        let service = row.service as usize;
        let on_it: Vec<usize> =
            (0..row.pods.len()).filter(|&local| row.pods[local].node == Some(at)).collect();
        for local in on_it {
            let replica = self.services[service].replicas[local];
            if !matches!(self.replicas[replica as usize].standing, Standing::Draining | Standing::Gone) {
                self.take_away(replica, now, calendar);
            }
        }
        let wanted = self.services_in_force[service].replicas as usize;
        self.scale_lives(service, wanted, now, calendar);
    }

    /// How long it takes until the container of a replica runs, unless it has to wait for a node. One that has crashed
    /// has a node, and starts again there.
    pub(super) fn place_pod(
        &mut self,
        replica: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<Span> {
        let Some(scaler) = self.scaler_of(replica) else { return Some(Span::ZERO) };
        let (local, life) = (self.replicas[replica as usize].local, self.replicas[replica as usize].life);
        let row = &mut self.scalers.rows[scaler as usize];
        if row.pods.get(local as usize).is_some_and(|pod| pod.starts.is_some()) {
            return Some(Span::ZERO);
        }
        row.renew(local, now);
        let Some(plan) = &self.plan.autoscalers[scaler as usize].placement.nodes else {
            return Some(self.bind(scaler, replica, now));
        };
        let node = row.nodes.place(plan);
        row.pods[local as usize].node = node;
        if node.is_some() {
            return Some(self.bind(scaler, replica, now));
        }
        row.nodes.waiting.push_back((replica, life));
        self.plan_scan(scaler, now, calendar);
        None
    }

    /// The pod has its place: how long it takes until its container runs.
    fn bind(&mut self, scaler: u32, replica: u32, now: SimTime) -> Span {
        let plan = &self.plan.autoscalers[scaler as usize];
        let (local, life) = (self.replicas[replica as usize].local, self.replicas[replica as usize].life);
        let name = combine(hash_name(&plan.path), combine(u64::from(local), u64::from(life)));
        let draw = |law: &Option<Distribution>, salt: u64| {
            let mut draws = Draws::keyed(combine(self.stream, name) ^ salt);
            law.as_ref().map_or(Span::ZERO, |law| span(law.sample(&mut draws)))
        };
        let placement = &plan.placement;
        let wait = draw(&placement.scheduling, SALT_SCHEDULING) + draw(&placement.pull, SALT_PULL);
        let pod = &mut self.scalers.rows[scaler as usize].pods[local as usize];
        pod.starts = Some(now.saturating_add(wait));
        wait
    }

    /// Places pods that wait for a node, as far as there is room.
    fn fill_nodes(&mut self, scaler: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let Some(plan) = &self.plan.autoscalers[scaler as usize].placement.nodes else { return };
        loop {
            let row = &mut self.scalers.rows[scaler as usize];
            let Some(&(replica, life)) = row.nodes.waiting.front() else { return };
            let at = &self.replicas[replica as usize];
            if at.life == life && at.standing == Standing::Starting {
                let Some(node) = row.nodes.place(plan) else { return };
                row.pods[at.local as usize].node = Some(node);
                row.nodes.waiting.pop_front();
                let wait = self.bind(scaler, replica, now);
                self.boot(replica, wait, now, calendar);
            } else {
                row.nodes.waiting.pop_front();
            }
        }
    }

    /// The replica has changed how it stands.
    pub(super) fn pod_stands(&mut self, replica: u32, now: SimTime) {
        let Some(scaler) = self.scaler_of(replica) else { return };
        let local = self.replicas[replica as usize].local as usize;
        if let Some(pod) = self.scalers.rows[scaler as usize].pods.get_mut(local) {
            pod.since = now;
        }
    }

    /// The replica is gone: its node has room for another, or goes too.
    pub(super) fn pod_gone(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let Some(scaler) = self.scaler_of(replica) else { return };
        let local = self.replicas[replica as usize].local as usize;
        let row = &mut self.scalers.rows[scaler as usize];
        let Some(pod) = row.pods.get_mut(local) else { return };
        pod.starts = None;
        if let Some(node) = pod.node.take() {
            row.nodes.leave(node, now);
            self.fill_nodes(scaler, now, calendar);
            self.plan_scan(scaler, now, calendar);
        }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::Constant;

    use super::*;

    /// Nodes for four pods each, which may be given back after 10 min when less than half of them is requested.
    fn plan() -> Plan {
        Plan {
            pods: 4,
            ready: 0,
            min: 0,
            provision: Constant::new(60.0).unwrap().into(),
            scan: seconds(10),
            utilization: 0.5,
            unneeded: seconds(600),
            after_add: seconds(600),
            price: None,
        }
    }

    fn seconds(n: u64) -> Span {
        Span::from_nanos(n * 1_000_000_000)
    }

    fn at(n: u64) -> SimTime {
        SimTime::ZERO + seconds(n)
    }

    /// Nodes with so many pods on them, looked at once at 10 s.
    fn looked_at(pods: &[u32]) -> Nodes {
        let rows = pods.iter().map(|&pods| Node { pods, ..Node::NEW }).collect();
        let mut nodes = Nodes { rows, ..Nodes::default() };
        nodes.find_unneeded(&plan(), at(10));
        nodes
    }

    fn unneeded(pods: &[u32]) -> Vec<usize> {
        let nodes = looked_at(pods);
        (0..pods.len()).filter(|&at| nodes.rows[at].unneeded_since.is_some()).collect()
    }

    #[test]
    fn half_of_a_node_is_enough_to_keep_it() {
        assert_eq!(unneeded(&[4, 2]), [] as [usize; 0]);
        assert_eq!(unneeded(&[3, 1]), [1]);
    }

    #[test]
    fn a_node_whose_pods_have_no_other_place_is_needed() {
        assert_eq!(unneeded(&[4, 4, 1]), [] as [usize; 0]);
        assert_eq!(unneeded(&[4, 3, 1]), [2]);
    }

    /// Three pods on three nodes fit on one, which then has to stay: what has moved in thought counts.
    #[test]
    fn nodes_that_move_to_each_other_do_not_all_go() {
        assert_eq!(unneeded(&[1, 1, 1]), [0, 1]);
        assert_eq!(unneeded(&[0, 0, 0]), [0, 1, 2], "nobody needs empty ones");
    }

    /// Of those that are empty up to ten go at once, of those that pods have to leave one; the fewest stay.
    #[test]
    fn empty_nodes_go_together_and_others_one_by_one() {
        assert_eq!(looked_at(&[1, 1, 1]).due(&plan(), at(611)), [0]);
        assert_eq!(looked_at(&[0; 12]).due(&plan(), at(611)).len(), 10);
        let fewest = Plan { min: 2, ..plan() };
        assert_eq!(looked_at(&[0, 0, 1]).due(&fewest, at(611)), [0]);
    }

    /// Longer than 10 min, not as long: `since + unneeded` before now.
    #[test]
    fn nodes_go_after_more_than_the_time_for_which_they_are_not_needed() {
        assert_eq!(looked_at(&[3, 0]).due(&plan(), at(610)), [] as [usize; 0]);
        assert_eq!(looked_at(&[3, 0]).due(&plan(), at(611)), [1]);
    }

    /// Nothing is given back until 10 min after one was asked for, and then it is.
    #[test]
    fn nothing_goes_soon_after_a_node_was_asked_for() {
        let nodes = Nodes { last_asked: Some(at(100)), ..looked_at(&[3, 0]) };
        assert_eq!(nodes.due(&plan(), at(699)), [] as [usize; 0]);
        assert_eq!(nodes.due(&plan(), at(700)), [1]);
    }
}

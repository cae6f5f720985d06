//! Faults: crashes and what they take with them, zones that are lost, and links on which messages do not arrive.

use sim_core::{Calendar, Draws, SimTime, Span, combine};

use super::alarms::Alarm;
use super::frame::{FrameKey, Kind, NONE, State};
use super::lives::REFUSES;
use super::network::RETRANSMIT;
use super::{Event, Packed, Standing, System, Task, span};
use crate::blueprint::{Blueprint, Fault, LinkId, Outcome, PolicyId, Recurrence};

/// Separate the draws of one recurring event.
const SALT_GAP: u64 = 0xA076_1D64_78BD_642F;
const SALT_LASTS: u64 = 0xE703_7ED1_A0B4_28DB;
const SALT_WHICH: u64 = 0x8EBC_6AF0_9C88_C6E3;
const SALT_RESTART: u64 = 0x5899_65CC_7537_4CC3;

/// How often a message is sent again before its sender gives up: Linux, `tcp_retries2`.
const MOST_RESENT: u32 = 15;

/// The longest wait before a message is sent again: Linux, `TCP_RTO_MAX`.
const LONGEST_WAIT: u64 = 120_000_000_000;

/// What is known of faults while a replication runs.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    /// By change: how often it has begun.
    begun: Vec<u64>,
    /// By zone: how many events have it lost.
    zones_lost: Vec<u32>,
}

impl Faults {
    pub(super) fn new(plan: &Blueprint) -> Self {
        Self { begun: vec![0; plan.changes.len()], zones_lost: vec![0; plan.zones.len()] }
    }
}

impl System<'_> {
    /// Whether the zone in which the replica stands is lost.
    pub(super) fn is_zone_lost(&self, replica: u32) -> bool {
        let row = &self.replicas[replica as usize];
        let zone = self.plan.services[row.service as usize].life.zone(row.local);
        zone.is_some_and(|zone| self.faults.zones_lost[zone.index()] > 0)
    }

    // What recurs ------------------------------------------------------------------------------------------

    /// Plans when a change happens first.
    pub(super) fn plan_change(&mut self, change: u32, calendar: &mut Calendar<Packed>) {
        let plan = self.plan;
        let row = &plan.changes[change as usize];
        if row.when.is_some() {
            self.plan_condition(change, calendar);
            return;
        }
        let Some(recurs) = row.recurs.as_deref() else {
            calendar.schedule(row.at, Event::Change { change, begins: true }.pack());
            if let Some(until) = row.until {
                calendar.schedule(until, Event::Change { change, begins: false }.pack());
            }
            return;
        };
        if recurs.each_replica {
            let Some(Fault::Crash { service, .. }) = &row.fault else { return };
            for number in 0..self.services[service.index()].replicas.len() {
                let replica = self.services[service.index()].replicas[number];
                self.plan_failure(change, replica, row.at, calendar);
            }
        } else if recurs.at_once {
            calendar.schedule(row.at, Event::Change { change, begins: true }.pack());
        } else {
            self.plan_next(change, row.at, calendar);
        }
    }

    /// The draws of the `n`-th time.
    fn draws_of(&self, recurs: &Recurrence, salt: u64, n: u64) -> Draws {
        Draws::keyed(combine(combine(self.stream, recurs.stream ^ salt), n))
    }

    /// How often the change has begun.
    fn begun(&self, change: u32) -> u64 {
        self.faults.begun[change as usize]
    }

    /// Plans the next beginning, a gap after `from`.
    fn plan_next(&mut self, change: u32, from: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.plan.changes[change as usize];
        let Some(recurs) = row.recurs.as_deref() else { return };
        let Some(gap) = &recurs.gap else { return };
        let mut draws = self.draws_of(recurs, SALT_GAP, self.begun(change));
        let at = from.saturating_add(span(gap.sample(&mut draws)));
        if row.until.is_none_or(|until| at < until) && at < SimTime::ZERO + self.plan.duration {
            calendar.schedule(at, Event::Change { change, begins: true }.pack());
        }
    }

    /// What recurs has begun or ended: plans what comes next of it.
    pub(super) fn recur(&mut self, change: u32, begins: bool, now: SimTime, calendar: &mut Calendar<Packed>) {
        let Some(recurs) = self.plan.changes[change as usize].recurs.as_deref() else { return };
        if !begins {
            if recurs.from_end {
                self.plan_next(change, now, calendar);
            }
            return;
        }
        self.faults.begun[change as usize] += 1;
        let lasts = recurs.lasts.as_ref().map(|lasts| {
            let mut draws = self.draws_of(recurs, SALT_LASTS, self.begun(change));
            span(lasts.sample(&mut draws))
        });
        if let Some(lasts) = lasts {
            let until = now.saturating_add(lasts);
            calendar.schedule(until, Event::Change { change, begins: false }.pack());
        }
        if !recurs.from_end || lasts.is_none() {
            self.plan_next(change, now, calendar);
        }
    }

    // Faults of replicas -----------------------------------------------------------------------------------

    /// What happens to replicas when the change begins or ends.
    pub(super) fn strike(
        &mut self,
        change: u32,
        begins: bool,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let plan = self.plan;
        let Some(fault) = &plan.changes[change as usize].fault else { return };
        match fault {
            Fault::Crash { service, replicas, any, restart } if begins => {
                let path = sim_core::hash_name(&plan.services[service.index()].path);
                let name = combine(combine(self.stream, path), plan.changes[change as usize].at.as_nanos());
                let hit = self.victims(change, service.index(), *replicas as usize, *any);
                for replica in hit {
                    let local = self.replicas[replica as usize].local;
                    let n = combine(self.begun(change), u64::from(local));
                    let mut draws = Draws::keyed(combine(name, n) ^ SALT_RESTART);
                    let restart = restart.as_ref().map(|law| span(law.sample(&mut draws)));
                    self.crash(replica, restart, now, calendar);
                }
            }
            Fault::Lose(zone) => {
                let lost = &mut self.faults.zones_lost[zone.index()];
                *lost = if begins { *lost + 1 } else { *lost - 1 };
                for replica in 0..self.replicas.len() as u32 {
                    let row = &self.replicas[replica as usize];
                    let Some(service) = self.plan.services.get(row.service as usize) else { continue };
                    if service.life.zone(row.local) != Some(*zone) {
                        continue;
                    }
                    if begins && row.standing != Standing::Down {
                        self.crash(replica, None, now, calendar);
                        self.replicas[replica as usize].is_due = true;
                    } else if !begins {
                        self.start_if_due(replica, now, calendar);
                    }
                }
            }
            Fault::Deploy { service, surge, unavailable } if begins => {
                self.deploy(service.index(), (*surge, *unavailable), now, calendar);
            }
            Fault::Crash { .. } | Fault::Deploy { .. } => {}
        }
    }

    /// Who crashes: the first ones that are up, or any of them.
    fn victims(&mut self, change: u32, service: usize, count: usize, any: bool) -> Vec<u32> {
        let is_up =
            |at: &u32| matches!(self.replicas[*at as usize].standing, Standing::Ready | Standing::Starting);
        let mut up: Vec<u32> = self.services[service].replicas.iter().copied().filter(is_up).collect();
        if any && let Some(recurs) = self.plan.changes[change as usize].recurs.as_deref() {
            let mut draws = self.draws_of(recurs, SALT_WHICH, self.begun(change));
            for at in 0..count.min(up.len()) {
                let other = at + (draws.unit() * (up.len() - at) as f64) as usize;
                up.swap(at, other);
            }
        }
        up.truncate(count);
        up
    }

    /// Plans when a replica fails by its own clock, which begins at `from`.
    fn plan_failure(&mut self, change: u32, replica: u32, from: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.plan.changes[change as usize];
        let Some(recurs) = row.recurs.as_deref() else { return };
        let Some(gap) = &recurs.gap else { return };
        let times = &mut self.replicas[replica as usize];
        times.failures += 1;
        let name = combine(u64::from(times.local), u64::from(times.failures));
        let mut draws = self.draws_of(recurs, SALT_GAP, name);
        let at = from.saturating_add(span(gap.sample(&mut draws)));
        if row.until.is_none_or(|until| at < until) && at < SimTime::ZERO + self.plan.duration {
            self.set_alarm(at, Alarm::Fails { change, replica }, calendar);
        }
    }

    /// A replica fails by its own clock. The clock stands still until it is ready again.
    pub(super) fn fails(&mut self, change: u32, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.plan.changes[change as usize];
        let (Some(recurs), Some(Fault::Crash { restart, .. })) = (row.recurs.as_deref(), &row.fault) else {
            return;
        };
        let up = self.replicas[replica as usize].standing == Standing::Ready;
        if up {
            let times = &self.replicas[replica as usize];
            let name = combine(u64::from(times.local), u64::from(times.failures));
            let mut draws = self.draws_of(recurs, SALT_RESTART, name);
            let restart = restart.as_ref().map(|law| span(law.sample(&mut draws)));
            self.replicas[replica as usize].clock = change;
            self.crash(replica, restart, now, calendar);
        } else {
            // It has crashed otherwise, or is not there: its clock begins anew.
            self.plan_failure(change, replica, now, calendar);
        }
    }

    /// A replica is ready: the clock that made it crash runs again.
    pub(super) fn wind_up(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let change = std::mem::replace(&mut self.replicas[replica as usize].clock, NONE);
        if change != NONE {
            self.plan_failure(change, replica, now, calendar);
        }
    }

    /// A replica is new: the clocks by which it fails begin to run.
    pub(super) fn wind_new(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let plan = self.plan;
        let of = self.replicas[replica as usize].service;
        for (change, row) in (0_u32..).zip(&plan.changes) {
            let ours = matches!(&row.fault, Some(Fault::Crash { service, .. }) if service.0 == of);
            if ours && row.recurs.as_ref().is_some_and(|recurs| recurs.each_replica) {
                self.plan_failure(change, replica, now.max(row.at), calendar);
            }
        }
    }

    // What is lost with a replica --------------------------------------------------------------------------

    /// Ends everything that runs on the replica. Callers see a connection that is reset: the call is `lost`.
    pub(super) fn cut_off(&mut self, replica: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        // In an order of their own, not in that of where they are kept.
        let runs = |kind: Kind| {
            move |system: &Self| -> Vec<FrameKey> {
                let runs_here = |frame: &super::Frame| {
                    frame.replica == replica && frame.kind == kind && frame.state != State::Travelling
                };
                let of = system.frames.iter().filter(|(_, frame)| runs_here(frame));
                let mut keys: Vec<_> = of.map(|(key, frame)| (frame.arrived, frame.draw_key, key)).collect();
                keys.sort_by_key(|&(arrived, name, _)| (arrived, name));
                keys.into_iter().map(|(.., key)| key).collect()
            }
        };
        let service = self.replicas[replica as usize].service as usize;
        // Nobody gets what another one here gives back.
        for kind in [Kind::Endpoint, Kind::Job, Kind::Refresher, Kind::Branch, Kind::Opener] {
            for key in runs(kind)(self) {
                self.leave_wait(key.index(), now);
            }
        }
        for key in runs(Kind::Endpoint)(self) {
            if self.frames.contains(key) {
                self.count_crashed(service, 0, u64::from(!self.frames.at(key.index()).replied));
                self.drop_children(key.index(), now);
                self.leave_wait(key.index(), now);
                if let Some(next) = self.finish(key.index(), Outcome::LOST, now, calendar) {
                    self.ready.add(Task::Run(self.frames.key_of(next)));
                }
            }
        }
        // What worked for nobody: branches that were not needed, and what opens connections.
        for kind in [Kind::Branch, Kind::Opener] {
            for key in runs(kind)(self) {
                if self.frames.contains(key) {
                    self.drop_children(key.index(), now);
                    self.leave_wait(key.index(), now);
                    if let Some(next) = self.finish(key.index(), Outcome::LOST, now, calendar) {
                        self.ready.add(Task::Run(self.frames.key_of(next)));
                    }
                }
            }
        }
        // What a job had begun is not done: whoever started it is told, and starts it again elsewhere. A fetch passes
        // to the next one who waits for it.
        for kind in [Kind::Job, Kind::Refresher, Kind::Call] {
            for key in runs(kind)(self) {
                if self.frames.contains(key) {
                    self.drop_children(key.index(), now);
                    self.cancel(key.index(), now);
                }
            }
        }
        self.end_batches(replica, now);
    }

    /// Ends what hangs on a frame whose replica is lost: its branches and calls with it; what other replicas do for
    /// it goes on for nobody, unless the policy cancels.
    fn drop_children(&mut self, index: u32, now: SimTime) {
        let frame = self.frames.at(index);
        let cancels = frame.kind == Kind::Call && {
            let call = self.watches.peek(frame.at).call;
            let policy = self.plan.calls[call.index()].policy.map_or(0, PolicyId::index);
            self.policies[policy].cancel
        };
        loop {
            let child = self.frames.at(index).first_child;
            if child == NONE {
                return;
            }
            match self.frames.at(child).kind {
                Kind::Branch | Kind::Call => {
                    self.drop_children(child, now);
                    self.cancel(child, now);
                }
                _ if cancels => self.cancel(child, now),
                _ => {
                    self.release_balancer(child, None, now);
                    self.leave_parent(child);
                }
            }
        }
    }

    /// The replica knows nothing any more: of its calls, its callers, its levels and its limits.
    pub(super) fn forget_replica(&mut self, replica: u32, now: SimTime) {
        let row = &self.replicas[replica as usize];
        let (service, local, pools, first) = (row.service, row.local, row.pools, row.balancers);
        let routes = &self.plan.services[service as usize].routes;
        let own = first..first + routes.len() as u32;
        if !own.is_empty() {
            let keys: Vec<u32> = self
                .frames
                .iter()
                .filter(|(_, frame)| own.contains(&frame.balancer))
                .map(|(key, _)| key.index())
                .collect();
            for index in keys {
                self.frames.at_mut(index).balancer = NONE;
            }
            self.forget_visits_of(own.clone());
            for balancer in own {
                self.renew_balancer(balancer, now);
            }
        }
        self.close_connections_to(service as usize, local as usize);
        self.forget_memories(replica, now);
        self.renew_volumes(service, replica, now);
        self.rates.renew(service, replica, now);
        for slot in 0..self.plan.services[service as usize].pools.len() as u32 {
            self.close_idle(pools + slot, now);
            self.renew_instance(pools + slot, local, now);
        }
    }

    /// A replica that is down, starting or gone is called.
    #[cold]
    pub(super) fn refuse_connection(&mut self, index: u32, replica: u32) {
        let failing = self.replicas[replica as usize].failing;
        let end = self.end_address;
        let frame = self.frames.at_mut(index);
        if failing != REFUSES {
            frame.pc = failing;
            return;
        }
        frame.pc = end;
        frame.outcome = Outcome::REJECTED;
        let service = self.replicas[replica as usize].service as usize;
        self.count_crashed(service, 1, 0);
    }

    // Links ------------------------------------------------------------------------------------------------

    /// A message may have been lost on the way: whether it is to be sent again, and when it arrives then.
    ///
    /// What does not arrive is sent again, after twice as long each time, until its sender gives up: so what is still
    /// wanted when a partition heals arrives soon after.
    #[cold]
    pub(super) fn resend(
        &mut self,
        index: u32,
        link: LinkId,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> bool {
        if !self.links[link.index()].is_cut {
            return false;
        }
        let frame = self.frames.at_mut(index);
        if frame.outcome == Outcome::LOST {
            return false; // The news that it was given up comes from its own side.
        }
        let sent = frame.pending;
        frame.pending += 1;
        if sent == MOST_RESENT {
            frame.pending = 0;
            self.lose(index);
            return false;
        }
        let wire = self.plan.calls[self.frames.at(index).call.index()].wire;
        let first = wire.map_or(RETRANSMIT, |wire| self.wires[wire.index()].retransmit).as_nanos();
        let wait = first.saturating_mul(1 << sent).min(LONGEST_WAIT);
        let at = now.saturating_add(Span::from_nanos(wait));
        calendar.schedule(at, Event::StepDone(self.frames.key_of(index)).pack());
        true
    }
}

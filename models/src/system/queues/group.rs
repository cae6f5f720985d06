//! Who belongs to a group, and how its partitions are shared out.
//!
//! Source: Apache Kafka, *Consumer rebalance protocol*: eager (`RangeAssignor`, `RoundRobinAssignor`), incremental
//! cooperative (KIP-429, `CooperativeStickyAssignor`) and static membership (KIP-345).

use sim_core::{Calendar, SimTime, Span};

use super::members::{Doing, Member};
use super::{QueueAlarm, Sharing, System, Task};
use crate::blueprint::RebalancePlan;
use crate::system::frame::NONE;
use crate::system::{Alarm, Packed, Standing};

impl System<'_> {
    /// Members of all groups are there from the start.
    pub(in crate::system) fn start_members(&mut self) {
        for group in 0..self.queues.groups.len() {
            self.ready.add(Task::Place(group as u32));
        }
    }

    /// The replicas of a service have changed.
    pub(in crate::system) fn place_members(&mut self, service: u32) {
        for group in 0..self.queues.groups.len() {
            if self.service_of_group(group) == Some(service) {
                self.ready.add(Task::Place(group as u32));
            }
        }
    }

    fn service_of_group(&self, group: usize) -> Option<u32> {
        let job = self.queues.groups[group].plan.job?;
        Some(self.plan.jobs[job.index()].service.0)
    }

    /// Brings the members of a group to where and as many as they are to be.
    pub(in crate::system) fn place(&mut self, group: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let at = group as usize;
        let Some(service) = self.service_of_group(at) else { return };
        let service = &self.services[service as usize];
        let replicas = service.ready.iter().map(|&local| service.replicas[local as usize]);
        // Callers may not know yet that one is down; who runs there does.
        let ready: Vec<u32> =
            replicas.filter(|&at| self.replicas[at as usize].standing == Standing::Ready).collect();
        let plan = &self.queues.groups[at].plan;
        let per_replica = plan.per_replica;
        let wanted = match (per_replica, ready.is_empty()) {
            (_, true) => 0,
            (true, _) => plan.members as usize * ready.len(),
            (false, _) => plan.members as usize,
        };
        let is_static = matches!(plan.rebalance, RebalancePlan::Static { .. });
        let all = 0..self.queues.members.len() as u32;
        let mut staying: Vec<u32> = all
            .filter(|&m| {
                let row = &self.queues.members[m as usize];
                row.group == group && row.doing != Doing::Gone && !row.is_leaving
            })
            .collect();
        let mut leaving: Vec<u32> = Vec::new();
        staying.retain(|&member| {
            let stays = ready.contains(&self.queues.members[member as usize].replica);
            if !stays {
                leaving.push(member);
            }
            stays
        });
        let mut moved = std::mem::take(&mut leaving);
        while staying.len() > wanted {
            let Some(member) = staying.pop() else { break };
            leaving.push(member);
        }
        let mut joining = Vec::new();
        while staying.len() + joining.len() < wanted {
            let load = |replica: u32| {
                let here = |m: &&u32| self.queues.members[**m as usize].replica == replica;
                staying.iter().chain(&joining).filter(here).count()
            };
            let Some(&replica) = ready.iter().min_by_key(|&&replica| (load(replica), replica)) else { break };
            let free: Vec<bool> = {
                let mut taken = vec![false; wanted];
                for &member in staying.iter().chain(&joining) {
                    let number = self.queues.members[member as usize].number as usize;
                    if let Some(seat) = taken.get_mut(number) {
                        *seat = true;
                    }
                }
                taken
            };
            let number = free.iter().position(|taken| !taken).unwrap_or(wanted) as u32;
            self.queues.members.push(Member::new(group, number, replica));
            joining.push(self.queues.members.len() as u32 - 1);
        }
        if !self.queues.groups[at].is_settled {
            self.queues.groups[at].is_settled = true;
            self.first_members(at, joining, now);
            return;
        }
        if is_static {
            // Who comes back under the same name within its session finds its partitions as they were.
            let pairs: Vec<(u32, u32)> = moved.iter().copied().zip(joining.iter().copied()).collect();
            for (member, heir) in pairs {
                moved.retain(|&other| other != member);
                joining.retain(|&other| other != heir);
                self.queues.members[heir as usize].number = self.queues.members[member as usize].number;
                self.queues.members[member as usize].heir = heir;
                self.dismiss(member, now, calendar);
            }
        }
        for member in moved.into_iter().chain(leaving) {
            self.dismiss(member, now, calendar);
        }
        for member in joining {
            self.join_group(member, now, calendar);
        }
    }

    fn first_members(&mut self, group: usize, members: Vec<u32>, now: SimTime) {
        let row = &mut self.queues.groups[group];
        row.present.set(members.len() as u64, now);
        row.members.clone_from(&members);
        if self.queues.queues[row.queue as usize].plan.partitions.is_some() {
            self.share_out(group, now);
        }
        for member in members {
            self.ready.add(Task::Poll(member));
        }
    }

    /// The member is to go: now, or when it has worked off what it has.
    fn dismiss(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.members[member as usize];
        row.is_leaving = true;
        let heir = row.heir;
        let awaited = |other: &&mut Member| other.heir == member && other.doing != Doing::Gone;
        if let Some(other) = self.queues.members.iter_mut().find(awaited) {
            // It has not come yet: whom it was to follow is followed by whoever follows it.
            other.heir = heir;
            self.queues.members[member as usize].doing = Doing::Gone;
        } else if self.queues.members[member as usize].doing != Doing::Working {
            self.leave_group(member, now, calendar);
        }
    }

    /// The member is gone.
    pub(super) fn leave_group(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.members[member as usize];
        let group = row.group as usize;
        row.doing = Doing::Gone;
        let was_counted = std::mem::replace(&mut row.is_counted, false);
        let (owned, heir) = (std::mem::take(&mut row.owned), row.heir);
        self.queues.groups[group].members.retain(|&other| other != member);
        self.queues.groups[group].idle.retain(|&other| other != member);
        self.count_members(group, now);
        if heir == NONE {
            self.give_up_partitions(group, &owned);
            if was_counted {
                self.rebalance(group, now, calendar);
            }
        } else if was_counted {
            self.inherit(group, heir, owned, now, calendar);
        } else {
            // Others have its partitions: nothing is left to take over.
            self.join_group(heir, now, calendar);
        }
    }

    /// Static: who comes back has the partitions that it had.
    fn inherit(
        &mut self,
        group: usize,
        heir: u32,
        owned: Vec<u32>,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        for &partition in &owned {
            self.queues.groups[group].tracks[partition as usize].owner = heir;
        }
        self.queues.members[heir as usize].owned = owned;
        self.enter_group(group, heir, now);
        self.note_stopped(group, now);
        if self.queues.groups[group].sharing == Sharing::Done {
            self.ready.add(Task::Poll(heir));
        } else {
            self.queues.members[heir as usize].doing = Doing::Joining;
            self.check_gathered(group, now, calendar);
        }
    }

    fn enter_group(&mut self, group: usize, member: u32, now: SimTime) {
        let row = &mut self.queues.groups[group];
        row.members.push(member);
        let members = &self.queues.members;
        row.members.sort_by_key(|&member| (members[member as usize].number, member));
        self.count_members(group, now);
    }

    fn count_members(&mut self, group: usize, now: SimTime) {
        let members = self.queues.groups[group].members.len() as u64;
        self.queues.groups[group].present.set(members, now);
    }

    fn give_up_partitions(&mut self, group: usize, owned: &[u32]) {
        for &partition in owned {
            let track = &mut self.queues.groups[group].tracks[partition as usize];
            track.owner = NONE;
        }
    }

    /// The member joins the group.
    pub(super) fn join_group(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let group = self.queues.members[member as usize].group as usize;
        self.enter_group(group, member, now);
        let queue = self.queues.groups[group].queue as usize;
        if self.queues.queues[queue].plan.partitions.is_none() {
            self.ready.add(Task::Poll(member));
            return;
        }
        self.rebalance(group, now, calendar);
    }

    /// The member has taken too long: the group goes on without it.
    pub(super) fn evict(&mut self, member: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.members[member as usize];
        row.is_counted = false;
        let (group, owned) = (row.group as usize, std::mem::take(&mut row.owned));
        self.no_longer_busy(member, now);
        self.queues.groups[group].seen.expulsions += 1;
        self.queues.groups[group].members.retain(|&other| other != member);
        self.count_members(group, now);
        self.give_up_partitions(group, &owned);
        self.rebalance(group, now, calendar);
    }

    // Sharing out ------------------------------------------------------------------------------------------

    /// Shares the partitions out anew.
    pub(super) fn rebalance(&mut self, group: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &self.queues.groups[group];
        if self.queues.queues[row.queue as usize].plan.partitions.is_none() || !row.is_settled {
            return;
        }
        if let RebalancePlan::Cooperative(pause) = row.plan.rebalance {
            self.queues.groups[group].seen.rebalances += 1;
            self.hand_over_partitions(group, pause, now, calendar);
            return;
        }
        if row.sharing == Sharing::Done {
            self.queues.groups[group].sharing = Sharing::Gathering;
            self.queues.groups[group].seen.rebalances += 1;
        }
        for member in self.queues.groups[group].members.clone() {
            let row = &mut self.queues.members[member as usize];
            if matches!(row.doing, Doing::Free | Doing::Pausing) {
                row.doing = Doing::Joining;
            }
        }
        self.note_stopped(group, now);
        self.check_gathered(group, now, calendar);
    }

    /// A member has come back for more. Whether it has to wait for its share first.
    pub(super) fn waits_for_share(
        &mut self,
        group: usize,
        member: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> bool {
        let row = &self.queues.groups[group];
        if let RebalancePlan::Cooperative(pause) = row.plan.rebalance {
            self.release_partitions(group, member, pause, now, calendar);
            return false;
        }
        if row.sharing == Sharing::Done {
            return false;
        }
        self.queues.members[member as usize].doing = Doing::Joining;
        self.note_stopped(group, now);
        self.check_gathered(group, now, calendar);
        true
    }

    /// The same for one that would wait before it tries a message again: it comes back at once.
    pub(super) fn stops_pausing(
        &mut self,
        member: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> bool {
        let row = &self.queues.members[member as usize];
        if row.is_leaving {
            self.leave_group(member, now, calendar);
            return true;
        }
        self.waits_for_share(row.group as usize, member, now, calendar)
    }

    /// When all have come, they wait for their shares.
    fn check_gathered(&mut self, group: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.queues.groups[group];
        let members = &self.queues.members;
        let has_come = |&member: &u32| members[member as usize].doing == Doing::Joining;
        if row.sharing != Sharing::Gathering || !row.members.iter().all(has_come) {
            return;
        }
        row.sharing = Sharing::Pausing;
        let pause = match row.plan.rebalance {
            RebalancePlan::Eager(pause)
            | RebalancePlan::Cooperative(pause)
            | RebalancePlan::Static { pause, .. } => pause,
        };
        let alarm = Alarm::Queue(QueueAlarm::Shared(group as u32));
        self.set_alarm(now.saturating_add(pause), alarm, calendar);
    }

    /// All go on, with their shares.
    pub(super) fn shared_out(&mut self, group: usize, now: SimTime) {
        let row = &mut self.queues.groups[group];
        if row.sharing != Sharing::Pausing {
            return;
        }
        row.sharing = Sharing::Done;
        for member in row.members.clone() {
            let row = &mut self.queues.members[member as usize];
            if row.doing == Doing::Joining {
                row.doing = Doing::Free;
                self.ready.add(Task::Poll(member));
            }
        }
        self.share_out(group, now);
    }

    /// Gives every partition an owner: one after the other, to one member after the other.
    fn share_out(&mut self, group: usize, now: SimTime) {
        let row = &mut self.queues.groups[group];
        for &member in &row.members {
            self.queues.members[member as usize].owned.clear();
        }
        for (partition, track) in row.tracks.iter_mut().enumerate() {
            track.heir = NONE;
            track.owner = match row.members.len() {
                0 => NONE,
                members => row.members[partition % members],
            };
            if track.owner != NONE {
                self.queues.members[track.owner as usize].owned.push(partition as u32);
            }
        }
        self.note_stopped(group, now);
    }

    /// Cooperative: finds the partitions that have to change hands, as few as possible, and takes them back.
    fn hand_over_partitions(
        &mut self,
        group: usize,
        pause: Span,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &mut self.queues.groups[group];
        let members = row.members.clone();
        if members.is_empty() {
            self.note_stopped(group, now);
            return;
        }
        // Where each is going to be; what is on its way stays on it if it can.
        let place = |track: &super::Track| if track.heir == NONE { track.owner } else { track.heir };
        let mut loads = vec![0_usize; members.len()];
        let seat = |member: u32| members.iter().position(|&other| other == member);
        let mut homeless = Vec::new();
        let least = row.tracks.len() / members.len();
        let mut spare = row.tracks.len() % members.len();
        for (partition, track) in row.tracks.iter().enumerate() {
            let Some(seat) = seat(place(track)) else {
                homeless.push(partition);
                continue;
            };
            // A member keeps its fair share, and one more while there are partitions that nobody else would get.
            if loads[seat] < least {
                loads[seat] += 1;
            } else if loads[seat] == least && spare > 0 {
                loads[seat] += 1;
                spare -= 1;
            } else {
                homeless.push(partition);
            }
        }
        for partition in homeless {
            let Some(seat) = (0..members.len()).min_by_key(|&seat| (loads[seat], seat)) else { continue };
            loads[seat] += 1;
            self.queues.groups[group].tracks[partition].heir = members[seat];
        }
        let owners: Vec<u32> = self.queues.groups[group].tracks.iter().map(|track| track.owner).collect();
        for (partition, owner) in owners.into_iter().enumerate() {
            if self.queues.groups[group].tracks[partition].heir == NONE {
                continue;
            }
            if owner == NONE {
                self.send_to_heir(group, partition, pause, now, calendar);
            } else if self.queues.members[owner as usize].doing != Doing::Working {
                self.release_partitions(group, owner, pause, now, calendar);
            }
        }
        for member in members {
            if self.queues.members[member as usize].doing == Doing::Joining {
                self.queues.members[member as usize].doing = Doing::Free;
            }
        }
        self.note_stopped(group, now);
    }

    /// Cooperative: a member gives back the partitions that others are to have.
    fn release_partitions(
        &mut self,
        group: usize,
        member: u32,
        pause: Span,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let owned = self.queues.members[member as usize].owned.clone();
        let moves = |&partition: &u32| self.queues.groups[group].tracks[partition as usize].heir != NONE;
        let moving: Vec<u32> = owned.iter().copied().filter(moves).collect();
        if moving.is_empty() {
            return;
        }
        self.queues.members[member as usize].owned.retain(|partition| !moving.contains(partition));
        for partition in moving {
            self.queues.groups[group].tracks[partition as usize].owner = NONE;
            self.send_to_heir(group, partition as usize, pause, now, calendar);
        }
        self.note_stopped(group, now);
    }

    /// Cooperative: a partition that nobody has any more is on its way to its new owner.
    fn send_to_heir(
        &mut self,
        group: usize,
        partition: usize,
        pause: Span,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let due = now.saturating_add(pause);
        let track = &mut self.queues.groups[group].tracks[partition];
        if track.due > SimTime::ZERO && track.due >= now {
            return; // It is on its way already.
        }
        track.due = due;
        self.set_alarm(due, Alarm::Queue(QueueAlarm::Moved(group as u32, partition as u32)), calendar);
    }

    /// Cooperative: a partition has reached its new owner.
    pub(super) fn moved(
        &mut self,
        group: usize,
        partition: usize,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let track = &mut self.queues.groups[group].tracks[partition];
        let heir = track.heir;
        if heir == NONE || track.owner != NONE || track.due != now {
            return; // It has gone another way.
        }
        (track.heir, track.due) = (NONE, SimTime::ZERO);
        if !self.queues.groups[group].members.contains(&heir) {
            self.rebalance(group, now, calendar);
            return;
        }
        self.queues.groups[group].tracks[partition].owner = heir;
        self.queues.members[heir as usize].owned.push(partition as u32);
        self.ready.add(Task::Poll(heir));
        self.note_stopped(group, now);
    }

    /// Counts the partitions that nobody works on.
    fn note_stopped(&mut self, group: usize, now: SimTime) {
        let row = &mut self.queues.groups[group];
        if self.queues.queues[row.queue as usize].plan.partitions.is_none() {
            return;
        }
        let members = &self.queues.members;
        let stands = |track: &&super::Track| {
            track.owner == NONE || members[track.owner as usize].doing == Doing::Joining
        };
        let stopped = row.tracks.iter().filter(stands).count() as u64;
        row.stopped.set(stopped, now);
    }
}

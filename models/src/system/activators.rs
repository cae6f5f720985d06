//! Activators: what stands in front of a service that may have no replica, and holds requests back until one is ready.
//!
//! A request that comes through an activator is at the service's door, which stands for the replica that it has not got
//! yet. It waits there for one of the activator's slots and goes on to a replica. How many slots there are follows from
//! the replicas that are ready: none at all without any. Whether requests come this way is for the autoscaler to say;
//! the others go where their caller's route sends them.

use sim_core::{Calendar, SimTime};

use super::frame::NONE;
use super::steps::Asked;
use super::{Packed, Replica, Standing, System};
use crate::blueprint::{Blueprint, Outcome, PoolId, ServiceId};

/// As many slots as anybody wants.
const UNLIMITED: u32 = u32::MAX;

impl Blueprint {
    /// Where requests wait for the activator of a service.
    fn activator_of(&self, service: usize) -> Option<PoolId> {
        self.autoscalers[self.autoscaler_of(ServiceId(service as u32))?].activator
    }
}

impl System<'_> {
    /// Lays out the doors of services that have an activator.
    pub(super) fn add_doors(&mut self) {
        for service in 0..self.services.len() {
            if self.plan.activator_of(service).is_some() {
                self.services[service].door = self.replicas.len() as u32;
                self.replicas.push(Replica {
                    standing: Standing::Gone, // Nothing can happen to it.
                    ..Replica::blank(service as u32, NONE, NONE)
                });
                self.set_door(service, SimTime::ZERO);
            }
        }
    }

    /// The replicas that are ready have changed, or what the autoscaler wants of the activator.
    pub(super) fn set_door(&mut self, service: usize, now: SimTime) {
        let Some(pool) = self.plan.activator_of(service) else { return };
        let ready = self.ready_of(service).count() as u32;
        let (is_wanted, each) = self.wanted_of_activator(service);
        let slots = if each > 0 { each.saturating_mul(ready) } else { UNLIMITED };
        let instance = self.pools[pool.index()].first_instance;
        self.instances[instance as usize].slots = if ready > 0 { slots } else { 0 };
        let row = &mut self.services[service];
        row.is_behind = is_wanted || ready == 0;
        row.note_only();
        self.serve_waiting(instance, now);
    }

    /// The replicas of a service that are ready.
    fn ready_of(&self, service: usize) -> impl Iterator<Item = u32> {
        let is_ready = |at: &u32| self.replicas[*at as usize].standing == Standing::Ready;
        self.services[service].replicas.iter().copied().filter(is_ready)
    }

    /// The door that the request is at, unless it has come to a replica.
    fn at_door(&self, index: u32) -> Option<usize> {
        let replica = self.frames.at(index).replica;
        let service = self.replicas[replica as usize].service as usize;
        (self.services[service].door == replica).then_some(service)
    }

    /// A request passes the activator, if it came to one.
    pub(super) fn activate(
        &mut self,
        index: u32,
        pool: PoolId,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Asked {
        let Some(service) = self.at_door(index) else { return Asked::Got };
        let asked = self.acquire(index, pool.index(), 1, now, calendar);
        let instance = self.pools[pool.index()].first_instance;
        let place = &self.instances[instance as usize];
        if matches!(asked, Asked::Queued) && place.slots == 0 && place.waiting == 1 {
            self.poke(service, now, calendar);
        }
        asked
    }

    /// A request that the activator has let through, at the operation at `pc`, goes on to the replica that has least to
    /// do.
    pub(super) fn dispatch(&mut self, index: u32, pc: u32, now: SimTime) {
        let Some(service) = self.at_door(index) else { return };
        let load = |at: &u32| self.replicas[*at as usize].present;
        let Some(replica) = self.ready_of(service).min_by_key(load) else {
            // The last one has gone in this instant: it waits once more.
            self.release_innermost(index, Outcome::OK, now);
            self.frames.at_mut(index).pc = pc - 1;
            return;
        };
        self.leave_replica(self.services[service].door, now);
        self.frames.at_mut(index).replica = replica;
        self.receive(index, replica, now);
    }
}

//! Instances of pools that each value of an attribute has for itself: made when somebody asks, forgotten when idle.

use std::collections::BTreeMap;

use super::System;
use super::pool::Instance;
use super::routing::value_of;
use crate::blueprint::{Attribute, PoolScope, Spacing};
use crate::discipline::{Line, Waiting};

/// The instances of a pool by value.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyed {
    pub(super) instances: BTreeMap<u32, u32>,
    /// Instances that are of no value at present.
    spare: Vec<u32>,
}

impl System<'_> {
    /// The value of an attribute of the frame's request.
    pub(super) fn value(&self, index: u32, by: Attribute) -> u32 {
        let request = self.requests.at(self.frames.at(index).request);
        value_of(by, request.label, request.class)
    }

    /// Which instance of a rate or a volume is meant by a frame.
    pub(super) fn which(&self, index: u32, spacing: Spacing) -> u32 {
        match spacing {
            Spacing::One => 0,
            Spacing::Replica(_) => self.frames.at(index).replica,
            Spacing::Each(by) => self.value(index, by),
        }
    }

    /// The instance of a pool that is meant by a frame.
    #[inline]
    pub(super) fn instance_for(&mut self, index: u32, pool: usize) -> u32 {
        let frame = self.frames.at(index);
        let row = &self.pools[pool];
        if let PoolScope::Each(by) = row.scope {
            return self.instance_of_value(pool, self.value(index, by));
        }
        let class = self.requests.at(frame.request).class;
        row.instance(self.replicas[frame.replica as usize].pools, class)
    }

    #[inline(never)]
    fn instance_of_value(&mut self, pool: usize, value: u32) -> u32 {
        let row = &mut self.pools[pool];
        if let Some(&instance) = row.keyed.instances.get(&value) {
            return instance;
        }
        let instance = row.keyed.spare.pop().unwrap_or_else(|| {
            self.instances.push(Instance::new(pool as u32, row.slots));
            self.connections.add_none();
            self.instances.len() as u32 - 1
        });
        let stream = self.stream_of(pool as u32, value);
        let row = &mut self.pools[pool];
        let place = &mut self.instances[instance as usize];
        (place.which, place.slots) = (value, row.slots);
        place.line = Waiting::new(row.order, self.plan.classes.len(), stream);
        row.keyed.instances.insert(value, instance);
        instance
    }

    /// Forgets the instance of a value for which nobody is there any more.
    #[inline(never)]
    pub(super) fn forget_if_idle(&mut self, instance: u32) {
        let place = &mut self.instances[instance as usize];
        let row = &mut self.pools[place.pool as usize];
        if matches!(row.scope, PoolScope::Each(_)) && place.in_use == 0 && place.waiting == 0 {
            place.line.sweep(|_| false);
            row.keyed.instances.remove(&place.which);
            row.keyed.spare.push(instance);
        }
    }
}

//! Warm pools: instances that are made ready ahead of time and stopped.
//!
//! Source: *EC2 Auto Scaling User Guide*, "Warm pools".

/// A warm pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarmPool {
    /// Instances in the group and the pool together; none for the group's most. `MaxGroupPreparedCapacity`
    pub max_prepared: Option<i64>,
    /// At least so many in the pool. `MinSize`
    pub min: i64,
    /// What those in the pool do meanwhile. `PoolState`
    pub state: WarmState,
}

/// What instances of a warm pool do until they are needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WarmState {
    /// They have booted once and are stopped.
    #[default]
    Stopped,
    /// They run.
    Running,
    /// Their memory is on disk.
    Hibernated,
}

impl WarmPool {
    /// Instances in the pool beside a desired capacity.
    pub fn size(&self, desired: i64, max: i64) -> i64 {
        (self.max_prepared.unwrap_or(max) - desired).max(self.min).max(0)
    }
}

//! Adjustments of capacity.
//!
//! Source: *EC2 Auto Scaling User Guide*, "Scaling adjustment types".

/// What the number of an adjustment means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdjustmentType {
    /// `ChangeInCapacity`: it is added.
    #[default]
    ChangeInCapacity,
    /// `ExactCapacity`: it is the capacity.
    ExactCapacity,
    /// `PercentChangeInCapacity`: so many percent are added.
    PercentChangeInCapacity,
}

/// A change of capacity as a policy has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjustment {
    /// What the number means.
    pub kind: AdjustmentType,
    /// The number.
    pub value: f64,
    /// Smaller changes by percent are made as large as this. `MinAdjustmentMagnitude`
    pub min_magnitude: Option<i64>,
}

/// Fewest and most of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Fewest.
    pub min: i64,
    /// Most.
    pub max: i64,
}

impl Bounds {
    /// The nearest capacity within.
    pub fn clamp(self, capacity: i64) -> i64 {
        capacity.min(self.max).max(self.min)
    }
}

impl Adjustment {
    /// The capacity after the adjustment, before bounds.
    pub fn unbounded(self, capacity: i64) -> i64 {
        match self.kind {
            AdjustmentType::ExactCapacity => self.value as i64,
            AdjustmentType::ChangeInCapacity => capacity + self.value as i64,
            AdjustmentType::PercentChangeInCapacity => {
                let change = round(capacity as f64 * self.value / 100.0);
                let least = self.min_magnitude.unwrap_or(0);
                let change = match self.value {
                    percent if percent > 0.0 => change.max(least),
                    percent if percent < 0.0 => change.min(-least),
                    _ => change,
                };
                capacity + change
            }
        }
    }

    /// The capacity after the adjustment.
    pub fn apply(self, capacity: i64, bounds: Bounds) -> i64 {
        bounds.clamp(self.unbounded(capacity))
    }
}

/// A change in whole units: cut towards zero, but at least one unit where there is any change.
pub fn round(change: f64) -> i64 {
    if change > 0.0 && change < 1.0 {
        1
    } else if change < 0.0 && change > -1.0 {
        -1
    } else {
        change as i64
    }
}

/// Units to take away from a group whose instances weigh differently: nothing while it runs fewer than desired by
/// as much, because the decrement is then below what is missing.
///
/// Source: *EC2 Auto Scaling User Guide*, "Configure instance weighting".
pub fn weighted_decrement(running: i64, desired: i64, decrement: i64) -> i64 {
    if decrement < running - desired { 0 } else { decrement }
}

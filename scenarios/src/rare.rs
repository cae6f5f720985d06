//! What is rare, as checked.

use models::rare::{Gauge, Rare};

/// Events that are too rare to be waited for, and how sure one wants to be of them.
#[derive(Clone, Debug, PartialEq)]
pub struct RareEvents {
    /// The events, in the order of the file.
    pub events: Vec<RareEvent>,
    /// Half-width of the intervals, relative to their values.
    pub precision: f64,
    /// Most replications of each.
    pub replications: u32,
}

/// Something that is rare.
#[derive(Clone, Debug, PartialEq)]
pub struct RareEvent {
    /// As written: `shoppers.latency > 2s`.
    pub text: String,
    /// What it is.
    pub sought: Sought,
    /// What is high before it happens, as written: `shoppers.in_flight`.
    pub toward: String,
    /// The same.
    pub gauge: Gauge,
}

/// What is sought of something rare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sought {
    /// How often it is so.
    Share(Rare),
    /// The latency that a share of the requests (0 to 1) does not exceed.
    Quantile(models::blueprint::TrafficId, f64),
}

impl Sought {
    /// What has to be watched for it.
    pub fn rare(self) -> Rare {
        match self {
            Self::Share(rare) => rare,
            Self::Quantile(traffic, _) => Rare::Tail(traffic),
        }
    }
}

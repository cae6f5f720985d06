//! The domain at run time: services, resources, steps, policies and routes, and the closed forms of queueing
//! theory that are shown beside the simulation.

pub mod adapt;
pub mod attribute;
pub mod autoscaler;
pub mod balancer;
pub mod blueprint;
pub mod cache;
pub mod discipline;
pub mod formula;
pub mod health;
pub mod limiter;
pub mod observe;
pub mod places;
pub mod policy;
pub mod rare;
pub mod spans;
mod system;
pub mod theory;

pub use system::{Replication, record, replicate, split};

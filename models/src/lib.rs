//! The domain at run time: services, resources, steps, policies and routes, and the closed forms of queueing
//! theory that are shown beside the simulation.

pub mod blueprint;
pub mod observe;

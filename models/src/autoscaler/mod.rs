//! The laws of real autoscalers: from what their controllers see to a number of replicas.
//!
//! Each law is a pure function of plain values: pods, samples with their times, settings, what the controller
//! remembers. None knows the simulation, and none may see what the real one cannot: a sampled service time, a
//! request, the truth behind a metric. The arithmetic is the real one's to the last bit, integers where it has
//! integers and floating point in its order, because its decisions are made at edges.

#![expect(clippy::cast_possible_wrap, reason = "replicas and slots of time are counted far below 2^31")]

pub mod aws;
pub mod controller;
pub mod flaps;
pub mod google;
pub mod keda;
pub mod knative;
pub mod kubernetes;
pub mod own;
pub mod pipeline;
pub mod plan;

//! What crosses the crates, in one binary.

mod broken;
mod caches;
mod connections;
mod coverage;
mod determinism;
mod events;
mod faults;
mod flows;
mod jobs;
mod laws;
mod messages;
mod once;
mod oracle;
mod queues;
mod scaling;
mod shipped;
mod theory;
mod traces;

//! What crosses the crates, in one binary.

mod caches;
mod connections;
mod determinism;
mod faults;
mod flows;
mod laws;
mod messages;
mod oracle;
mod scaling;
mod shipped;
mod theory;

//! What crosses the crates, in one binary.

mod laws;
mod oracle;
mod theory;

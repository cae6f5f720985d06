//! The scenario language of Hockeystick: load, check, compile; experiments and results.

mod diagnostic;
pub mod metric;
pub mod results;
mod spec;
mod text;
pub mod tree;
mod words;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use text::Source;
pub use tree::Override;

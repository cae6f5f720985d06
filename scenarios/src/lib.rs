//! The scenario language of Hockeystick: load, check, compile; experiments and results.

mod check;
mod compile;
mod diagnostic;
mod expect;
pub mod experiment;
mod explain;
mod formula;
mod goal;
pub mod import;
mod lint;
mod load;
pub mod manifest;
pub mod metric;
mod rare;
pub mod replay;
pub mod results;
mod scenario;
mod screening;
mod spec;
mod sweep;
mod text;
pub mod tree;
mod uncertain;
mod words;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use explain::{explain, schema};
pub use goal::{Aim, Goal, GoalAxis, Measure};
pub use rare::{RareEvent, RareEvents, Sought};
pub use scenario::{Scenario, Warmup};
pub use screening::Screening;
pub use sweep::{Axis, AxisValue};
pub use text::Source;
pub use tree::Override;
pub use uncertain::{Input, Known, Uncertain};
pub use words::did_you_mean;

//! The scenario language of Hockeystick: load, check, compile; experiments and results.

pub mod metric;
pub mod results;

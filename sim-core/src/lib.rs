//! The kernel: time, calendar, loop, random streams, statistics. It has never heard of a service.

pub mod random;
pub mod time;

pub use random::{Draws, Stream, combine, hash_name, mix};
pub use time::{MAX_SPAN, SimTime, Span, SpanError};

//! The kernel: time, calendar, loop, random streams, statistics. It has never heard of a service.

pub mod calendar;
pub mod distribution;
pub mod estimate;
pub mod fingerprint;
pub mod histogram;
pub mod modulation;
pub mod population;
pub mod random;
pub mod rate;
pub mod simulate;
pub mod slab;
pub mod student;
pub mod tally;
pub mod time;
pub mod warmup;
pub mod zipf;

pub use calendar::Calendar;
pub use estimate::Estimate;
pub use fingerprint::Fingerprint;
pub use histogram::Histogram;
pub use population::{Population, PopulationWindow, Present};
pub use random::{Draws, Stream, combine, hash_name, mix};
pub use simulate::{CancelFlag, EndReason, Ended, Limits, Model, run, run_some};
pub use slab::{Key, Slab};
pub use student::{normal_quantile, student_share, student_t};
pub use tally::Tally;
pub use time::{MAX_SPAN, SimTime, Span, SpanError};
pub use warmup::mser5;
pub use zipf::Zipf;

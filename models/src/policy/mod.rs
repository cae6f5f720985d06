//! The mechanisms of a policy as state machines: what one caller remembers of the calls that it made.
//!
//! Each is told when something happens and answers what to do; none knows of the simulation. How they are put
//! together, `fallback(retry(breaker(limit(hedge(timeout(attempt))))))`, is the system's affair.

pub mod breaker;
pub mod budget;
pub mod hedge;
pub mod limit;

pub use breaker::{Breaker, Permit, StateTimes};
pub use budget::Budget;
pub use hedge::Latencies;
pub use limit::{Entry, Limit};

//! The closed forms of queueing theory that are shown beside the simulation; pure functions, one file a model.
//!
//! Rates are per second and times in seconds, or any other pair of matching units. A model without a steady
//! state, because more work arrives than can be done, is `None`. Letters are those of the textbooks: lambda
//! arrivals and mu services per second, c servers, rho the utilization, S a service time.

mod birth_death;
mod bounds;
mod cache;
mod closed;
mod erlang;
mod fan_out;
mod fork_join;
mod gg;
mod gim1;
mod jackson;
mod machine_repair;
mod md1;
mod mg1;
mod mg1_ps;
mod mm1;
mod mmc;
mod mmck;
mod patience;
mod power_of_choices;
mod priority;
mod quadrature;
mod retry;
mod size_based;

pub use bounds::{max_throughput, min_response, saturation_population};
pub use cache::{CharacteristicTime, Popularity};
pub use closed::{Closed, ClosedStation, Station, closed};
pub use erlang::{erlang_b, erlang_c};
pub use fan_out::FanOut;
pub use fork_join::fork_join_mean;
pub use gg::{allen_cunneen, kingman};
pub use gim1::GiM1;
pub use jackson::{JacksonStation, OpenNetwork, jackson};
pub use machine_repair::MachineRepair;
pub use md1::Md1;
pub use mg1::Mg1;
pub use mg1_ps::Mg1Ps;
pub use mm1::Mm1;
pub use mmc::Mmc;
pub use mmck::Mmck;
pub use patience::{Impatient, Patience};
pub use power_of_choices::PowerOfChoices;
pub use priority::{
    mg1_preemptive_responses, mg1_priority_waits, mmc_preemptive_responses, mmc_priority_waits,
};
pub use retry::{Retried, TimeoutRetry, retry_amplification};
pub use size_based::{BySize, by_size_mean};

/// A probability that rounding may have moved out of its range.
fn share(x: f64) -> f64 {
    x.clamp(0.0, 1.0)
}

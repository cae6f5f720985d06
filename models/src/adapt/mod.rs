//! Limits that find themselves: how many slots there are, from how long they were held and how that ended.
//!
//! Each rule is a state machine that knows nothing of the simulation. It is told of every hold that ends, as a
//! real limiter would be: how long it took, and never how long the work itself would have taken.

pub mod aimd;
pub mod gradient;
pub mod vegas;
mod window;

use sim_core::{SimTime, Span};

use crate::blueprint::{AdaptPlan, AdaptRule};
pub use aimd::Aimd;
pub use gradient::Gradient;
pub use vegas::Vegas;
use window::Window;

/// A hold that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub now: SimTime,
    /// How long it took.
    pub time: Span,
    /// How many slots were in use when it began, its own included.
    pub in_use: u32,
    /// Whether it ended as under overload: in a timeout, a rejection, or because its caller gave up.
    pub dropped: bool,
}

#[derive(Clone, Debug)]
enum Rule {
    Aimd(Aimd),
    Vegas(Vegas),
    Gradient(Gradient),
}

/// The limit of one instance of a pool.
#[derive(Clone, Debug)]
pub struct Adaptive {
    rule: Rule,
    /// What is told to the rule together, if it is not told of every hold.
    window: Option<Window>,
}

impl Adaptive {
    /// A limit that begins at `slots`. `stream` names its own draws, if it makes any.
    pub fn new(plan: &AdaptPlan, slots: u32, stream: u64) -> Self {
        let rule = match plan.rule {
            AdaptRule::Aimd(settings) => Rule::Aimd(Aimd::new(settings, plan.bounds, slots)),
            AdaptRule::Vegas(settings) => Rule::Vegas(Vegas::new(settings, plan.bounds, slots, stream)),
            AdaptRule::Gradient(settings) => Rule::Gradient(Gradient::new(settings, plan.bounds, slots)),
        };
        Self { rule, window: plan.window.map(Window::new) }
    }

    /// How many slots there are now that a hold has ended.
    pub fn learn(&mut self, sample: Sample) -> u32 {
        // Nothing can be told from a hold that took no time.
        let sample = Some(sample).filter(|sample| sample.time > Span::ZERO);
        let sample = match &mut self.window {
            Some(window) => sample.and_then(|sample| window.add(sample)),
            None => sample,
        };
        match &mut self.rule {
            Rule::Aimd(rule) => rule.learn(sample),
            Rule::Vegas(rule) => rule.learn(sample),
            Rule::Gradient(rule) => rule.learn(sample),
        }
    }
}

/// What the tests of the rules share.
#[cfg(test)]
mod testing {
    use super::*;

    /// A hold of `ms` milliseconds that began as number `in_use`.
    #[expect(clippy::unnecessary_wraps, reason = "rules are handed a window's sample, if there is one")]
    pub(super) fn held(ms: u64, in_use: u32) -> Option<Sample> {
        let time = Span::from_nanos(ms * 1_000_000);
        Some(Sample { now: SimTime::ZERO + time, time, in_use, dropped: false })
    }

    pub(super) fn dropped(ms: u64, in_use: u32) -> Option<Sample> {
        held(ms, in_use).map(|sample| Sample { dropped: true, ..sample })
    }
}

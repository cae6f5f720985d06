//! Single requests followed on their way: who called whom, and what took how long.

use sim_core::SimTime;

use crate::attribute::Label;
use crate::blueprint::{CallId, EndpointId, Outcome, PoolId, TrafficId};

/// What was kept of the requests of a replication that were followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// In the order in which they started.
    pub traces: Vec<RequestTrace>,
    /// Requests that were not followed, because they came while too much was followed already.
    pub missed: u64,
}

/// A request, and everything that was done for it until nobody worked for it any more.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestTrace {
    /// Its traffic.
    pub traffic: TrafficId,
    /// Its class.
    pub class: u16,
    /// Its key, tenant and user.
    pub label: Label,
    /// Names the requests of its traffic in this replication: seed, replication and path.
    pub stream: u64,
    /// Names it among those.
    pub key: u64,
    /// Whether it is one of the slowest of its traffic and class.
    pub is_slow: bool,
    /// Whether it is one of those that were picked at random.
    pub is_sampled: bool,
    /// The critical path: place and nanoseconds, which sum to the latency. Empty where there was no answer.
    pub path: Vec<(u32, u64)>,
    /// The first is the request itself; a parent comes before its children.
    pub spans: Vec<Span>,
    /// Spans that are missing, because there were too many.
    pub left_out: u64,
}

impl RequestTrace {
    /// How long the request took, in nanoseconds.
    pub fn nanos(&self) -> u64 {
        let root = &self.spans[0];
        root.to.since(root.from).as_nanos()
    }
}

/// What was done for a request from one instant to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Position of the span that it is part of; that of the request is its own.
    pub parent: u32,
    /// When it began.
    pub from: SimTime,
    /// When it ended. After its parent where nobody waited for it any more.
    pub to: SimTime,
    /// What was done.
    pub what: What,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the run was over before it had ended.
    pub is_open: bool,
}

/// What is done during a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The request, as its traffic sees it.
    Request,
    /// A call under a policy, with all its attempts.
    Call(CallId),
    /// One copy of an attempt of such a call, as its caller sees it.
    Attempt {
        /// The attempt, from 1.
        attempt: u32,
        /// The copy: 0 is the first, the others are hedges.
        copy: u32,
        /// Its number among all copies of the call.
        number: u32,
    },
    /// A request at an endpoint, from when it was sent to its end there.
    Endpoint(EndpointId, u32),
    /// A branch of an `all` step.
    Branch,
    /// The fallback of a call.
    Fallback,
    /// An answer on its way back.
    Answer,
    /// Time spent at a place.
    At(u32),
    /// Having so many units of a pool.
    Hold(PoolId, u32),
    /// Waiting before the next attempt.
    BackOff,
    /// Waiting for an end of the calls that the caller has in flight.
    Limit,
}

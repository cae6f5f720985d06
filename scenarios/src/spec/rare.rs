//! What is too rare to be waited for, as written.

use super::{At, ExpectSpec, List, Positive, Required, Share, Text, spec};

spec! {
    /// What is too rare to be waited for, and how sure one wants to be of it: what `hockeystick rare` estimates.
    RareSpec: "`rare`" {
        /// What is rare: `shoppers.latency > 2s`, `web.in_flight >= 100`, `web.in_flight reaches 500` or
        /// `shoppers.p99.99`.
        events: Required<List<ExpectSpec>>,
        /// What is high before an answer is late: `web.in_flight`, `conns.queue_length` or `orders.lag`.
        toward: Option<At<Text>> => "the requests of the traffic that are in flight" (""),
        /// Half-width of the intervals relative to their values; replications are added until it is reached.
        precision: At<Share> = "10%" ("what is rare is asked for by its order of magnitude"),
        /// Most replications of each event.
        replications: At<Positive> = "200" ("as many as `precision` of a run adds"),
    }
}

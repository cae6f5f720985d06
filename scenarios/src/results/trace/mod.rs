//! Single requests, span by span, for the tools that show traces.

mod chrome;
mod otlp;

pub use chrome::chrome;
pub use otlp::otlp;

/// The slowest requests of a run, and some picked at random.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// The scenario's name.
    pub scenario: String,
    /// Version of the program.
    pub version: String,
    /// In the order in which they started.
    pub requests: Vec<TracedRequest>,
    /// Requests that were not followed, because they came while too much was followed already.
    pub missed: u64,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedRequest {
    /// Names it: the same seed, scenario and request give the same.
    pub id: u128,
    /// The first is the request itself; a parent comes before its children.
    pub spans: Vec<TracedSpan>,
}

/// Something that took time.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedSpan {
    /// Names it.
    pub id: u64,
    /// The span that it is part of; none for the request itself.
    pub parent: Option<u64>,
    /// The service that spent the time, or the traffic.
    pub service: String,
    /// What was done: `web.checkout`, `attempt 2`, `wait for db_connections`.
    pub name: String,
    /// What kind of thing that is.
    pub kind: SpanKind,
    /// When it began, in nanoseconds since the run did.
    pub from: u64,
    /// When it ended.
    pub to: u64,
    /// How it ended; none for what merely takes time.
    pub outcome: Option<String>,
    /// Whether it ended otherwise than with an answer.
    pub failed: bool,
    /// What else is known of it, by name.
    pub attributes: Vec<(String, Attribute)>,
}

/// What kind of thing a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A request or an attempt, as whoever sent it sees it.
    Client,
    /// A request at an endpoint.
    Server,
    /// Anything else.
    Internal,
}

/// What is known of a span.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A name.
    Text(String),
    /// A number.
    Whole(u64),
    /// Something that is so.
    Flag,
}

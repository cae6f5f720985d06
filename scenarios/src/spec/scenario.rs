//! The scenario as written: its top level.

use serde_json::{Value as Json, json};

use super::{
    At, AutoscalerSpec, CacheSpec, Changes, Count, Definitions, EventSpec, ExpectSpec, JobSpec, List, Name,
    Named, NamedEntry, Number, Policy, Positive, QueueSpec, RareSpec, Required, ResourceSpec, RouteSpec,
    Seed, SensitivitySpec, ServiceSpec, Share, Sink, Size, SolveSpec, Spec, SweepSpec, Text, Time,
    TrafficSpec, UncertaintySpec, defined, spec,
};
use crate::tree::{Node, Value};

/// Sections that say what the system is; the others say how it is looked at.
pub(crate) const MODEL: [&str; 9] =
    ["traffic", "services", "resources", "caches", "policies", "routes", "queues", "jobs", "autoscalers"];

spec! {
    /// What the system is, what traffic it gets, what happens to it, and what must hold.
    ScenarioSpec: "a scenario" {
        /// Its name in reports.
        name: Option<At<Name>> => "the name of the file" (""),
        /// The question that it answers, in a sentence.
        about: Option<At<Text>>,
        /// How long a replication runs.
        duration: Required<At<Time>>,
        /// How much of it is not measured: a time, or `auto` for MSER-5.
        warmup: At<WarmupSpec> = "0s" ("k6 and wrk measure from the first request on"),
        /// Seed of all random numbers; with the same seed a run repeats exactly.
        seed: At<Seed> = "1" ("any fixed number will do"),
        /// Independent runs.
        replications: At<Positive> = "10" ("Law, Simulation Modeling and Analysis, 5th ed., §9.4"),
        /// Half-width of the intervals relative to their values; more replications run until it is reached.
        precision: Option<At<Share>> => "as many replications as `replications` says" (""),
        /// How inputs that are not known exactly are drawn.
        uncertainty: UncertaintySpec = "{}" ("see each"),
        /// What a replication may use before it is cut short.
        limits: LimitsSpec = "{}" ("see each"),
        /// Requests that arrive.
        traffic: Required<Named<TrafficSpec>>,
        /// Replicas that do the work.
        services: Required<Named<ServiceSpec>>,
        /// What is limited and shared.
        resources: Option<Named<ResourceSpec>>,
        /// What remembers answers.
        caches: Option<Named<CacheSpec>>,
        /// How calls are made.
        policies: Option<Named<Policy>>,
        /// How replicas are chosen.
        routes: Option<Named<RouteSpec>>,
        /// Work that is kept for later.
        queues: Option<Named<QueueSpec>>,
        /// Work that no caller waits for.
        jobs: Option<Named<JobSpec>>,
        /// What decides how many replicas services have.
        autoscalers: Option<Named<AutoscalerSpec>>,
        /// What happens by the clock.
        events: Option<List<EventSpec>>,
        /// Named sets of changes, to be compared.
        variants: Option<Named<VariantSpec>>,
        /// Paths and the values that they take one after the other; several form a grid.
        sweep: Option<SweepsSpec>,
        /// What is to be found: the cheapest point, or the largest load, at which every expectation holds.
        solve: Option<At<SolveSpec>>,
        /// Which paths move a metric most.
        sensitivity: Option<SensitivitySpec>,
        /// What is too rare to be waited for, and how sure one wants to be of it.
        rare: Option<At<RareSpec>>,
        /// What a replica of a service costs, or a node of its autoscaler: `{web: 0.05 USD/replica-hour}`,
        /// `{web: 0.40 USD/node-hour}`.
        cost: Option<Named<PriceSpec>>,
        /// What must hold: `shoppers.p99 < 250ms`.
        expect: Option<List<ExpectSpec>>,
    }
}

spec! {
    /// What a replication may use before it is cut short; the report says which limit was hit.
    LimitsSpec: "limits" {
        /// Events.
        events: At<BigCount> = "10G" ("some hours of computing"),
        /// Events at one instant: more is a loop that takes no time.
        events_at_one_instant: At<BigCount> = "1M" ("far beyond any burst"),
        /// Wall time.
        wall: At<Time> = "10m" ("the patience of a build pipeline"),
        /// Estimated memory.
        memory: At<Size> = "2GiB" ("the memory of a small build machine"),
        /// Depth of calls within calls.
        call_depth: At<Count> = "1000" ("Python, sys.getrecursionlimit"),
    }
}

/// A whole number that may be larger than other counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BigCount {
    pub(crate) count: u64,
}

impl Spec for BigCount {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let number = Number::read(node, sink)?.number;
        if !(1.0..=1e18).contains(&number) || number.fract() != 0.0 {
            sink.expected("a whole number from 1", node, "write `1000000`, `1M` or `1e6`");
            return None;
        }
        Some(Self { count: number as u64 })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Positive::schema(definitions)
    }
}

/// What has a price for as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priced {
    Replica,
    /// A node of the autoscaler of a service.
    Node,
    /// One more of what a path counts.
    Unit,
}

impl Priced {
    fn word(self) -> &'static str {
        match self {
            Self::Replica => "replica",
            Self::Node => "node",
            Self::Unit => "unit",
        }
    }
}

/// What something costs: `0.05 USD/replica-hour`.
#[derive(Clone, Debug)]
pub(crate) struct PriceSpec {
    pub(crate) of: Priced,
    pub(crate) per_hour: f64,
    pub(crate) currency: String,
}

impl PriceSpec {
    /// The price of one of these that a text stands for.
    pub(crate) fn per(of: Priced, text: &str) -> Option<Self> {
        let (amount, time) = text.split_once('/')?;
        let hours = match time.trim().strip_prefix(of.word())? {
            "-hour" => 1.0,
            "-day" => 24.0,
            "-month" => 730.0, // 365 days in 12 months, as clouds count.
            _ => return None,
        };
        let (number, currency) = amount.trim().split_once(' ')?;
        let number: f64 = number.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
        let currency = currency.trim();
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then(|| Self { of, per_hour: number / hours, currency: currency.into() })
    }
}

impl Spec for PriceSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let of_either = |text| Self::per(Priced::Replica, text).or_else(|| Self::per(Priced::Node, text));
        let price = node.text().and_then(of_either);
        if price.is_none() {
            let help = "write `0.05 USD/replica-hour`; the times are `replica-hour`, `replica-day` and `replica-month`, and the \
                        same of a `node`";
            sink.expected("a price", node, help);
        }
        price
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Price", |_| {
            json!({"type": "string", "pattern": "^[0-9.]+ [A-Z]{3}/(replica|node)-(hour|day|month)$",
                   "description": "What a replica or a node costs for as long as it is there: `0.05 USD/replica-hour`."})
        })
    }
}

/// How much of the run is not measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WarmupSpec {
    /// This much.
    Fixed(Time),
    /// Found by MSER-5.
    Auto,
}

impl Spec for WarmupSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match node.text() {
            Some("auto") => Some(Self::Auto),
            Some(text) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                sink.expected("a time such as `1m`, or `auto`", node, "write `1m` or `auto`");
                None
            }
            _ => Time::read(node, sink).map(Self::Fixed),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let time = Time::schema(definitions);
        json!({"anyOf": [{"const": "auto"}, time]})
    }
}

/// A variant: what it changes.
#[derive(Clone, Debug)]
pub(crate) struct VariantSpec;

impl Spec for VariantSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match &node.value {
            // `broken:` with nothing behind it is the scenario itself.
            Value::Null => Some(Self),
            _ => Changes::read(node, sink).map(|_| Self),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let changes = Changes::schema(definitions);
        json!({"anyOf": [{"type": "null"}, changes]})
    }
}

/// Swept paths and their values; and by what every point is judged.
#[derive(Clone, Debug)]
pub(crate) struct SweepsSpec {
    pub(crate) axes: Vec<NamedEntry<SweepSpec>>,
    /// Whose good state it is: `users`, or `users.ok > 90%`.
    pub(crate) outcome: Option<ExpectSpec>,
}

/// What stands in a sweep beside its paths.
const OUTCOME: &str = "outcome";

impl Spec for SweepsSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            sink.expected(
                "paths and their values",
                node,
                "write `{traffic.shoppers.rate: {from: 50/s, to: 1200/s, points: 20}}`",
            );
            return None;
        };
        let (outcomes, paths): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| &*entry.key == OUTCOME);
        let outcome = outcomes.first().and_then(|entry| {
            if entry.node.text().is_none() {
                sink.expected(
                    "a condition",
                    &entry.node,
                    "write `outcome: users`, or `outcome: users.ok > 90%`",
                );
                return None;
            }
            ExpectSpec::read(&entry.node, sink)
        });
        Some(Self { axes: paths.into_iter().map(|entry| NamedEntry::of(entry, sink)).collect(), outcome })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Sweeps", |definitions| {
            let sweep = SweepSpec::schema(definitions);
            let outcome = json!({"type": "string", "description":
                "By which condition every point is judged: `users`, which is `users.ok > 99%`, or another one."});
            json!({"type": "object", "properties": {OUTCOME: outcome}, "additionalProperties": sweep})
        })
    }

    fn complete(node: &mut Node) {
        if let Value::Map(entries) = &mut node.value {
            for entry in entries.iter_mut().filter(|entry| &*entry.key != OUTCOME) {
                SweepSpec::complete(&mut entry.node);
            }
        }
    }
}

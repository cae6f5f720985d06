//! What is to be found, as written.

use serde_json::{Value as Json, json};

use super::{
    At, ByPath, Definitions, Positive, PriceSpec, Priced, Sink, Spec, SweepSpec, Text, defined, spec,
};
use crate::tree::Node;

spec! {
    /// What is to be found: the cheapest point, or the largest load, at which every expectation holds.
    SolveSpec: "`solve`" {
        /// What is to be as little as possible: `cost`, or one of the paths of `over`.
        minimize: Option<At<Text>>,
        /// What is to be as much as possible: a path, such as `traffic.shoppers.rate`.
        maximize: Option<At<Text>>,
        /// Paths and the values that they may take: `1..50`, `[5, 10, 20]` or a range with `points` or `step`.
        over: Option<ByPath<SweepSpec>> => "a load that is maximized is found by doubling" (""),
        /// What one more of a path costs, beside what replicas cost: `{resources.conns.slots: 0.01 USD/unit-hour}`.
        prices: Option<ByPath<UnitPriceSpec>> => "nothing but what `cost` says" (""),
        /// Most replications of a point; if they leave it undecided, it does not count.
        replications: At<Positive> = "50" ("half the width of ten takes forty"),
        /// Most points that are tried.
        points: At<Positive> = "200" ("bisection needs 7 of 100; without it, 200 are all of them"),
    }
}

/// What a unit of something costs: `0.01 USD/unit-hour`.
#[derive(Clone, Debug)]
pub(crate) struct UnitPriceSpec(pub(crate) PriceSpec);

impl Spec for UnitPriceSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let price = node.text().and_then(|text| PriceSpec::per(Priced::Unit, text));
        if price.is_none() {
            let help = "write `0.01 USD/unit-hour`; the times are `unit-hour`, `unit-day` and `unit-month`";
            sink.expected("a price", node, help);
        }
        price.map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "UnitPrice", |_| {
            json!({"type": "string", "pattern": "^[0-9.]+ [A-Z]{3}/unit-(hour|day|month)$",
                   "description": "What one more of something costs for as long as it is there: `0.01 USD/unit-hour`."})
        })
    }
}

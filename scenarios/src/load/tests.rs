use models::blueprint::{ArmTest, Arrivals, BranchPlan, Op, Row};

use super::*;
use crate::metric::{Comparison, Figure};

const SHOP: &str = "
duration: 10m
warmup: 1m
traffic:
  shoppers: {rate: 40/s, to: {web.checkout: 80%, web.browse: 20%}}
  robots: {users: 5, think: 1s, to: web.browse}
services:
  web:
    workers: 64
    cores: 2
    endpoints:
      checkout:
        - cpu: 5ms
        - all:
            - call: db.insert
            - [{delay: 1ms}, {call: db.insert}]
        - choose:
            - {weight: 25%, do: [{delay: 2ms}]}
            - {weight: 75%, do: [{fail: sold_out, rate: 1%}]}
      browse: [{repeat: 3, do: [{hold: pool, do: [{delay: 3ms}]}]}]
  db: {endpoints: {insert: [{cpu: {exp: 5ms}}]}}
resources: {pool: {slots: 2, per: web}}
expect: [\"shoppers.p99[2m..3m] < 250ms\", \"shoppers.failed:sold_out < 2%\"]
";

fn load(text: &str) -> Scenario {
    let source = Source::from_text("shop.yaml", text, ".").unwrap();
    Scenario::load(&source, &[]).unwrap_or_else(|diagnostics| panic!("{diagnostics}")).0
}

/// The operations of an endpoint with their salts, up to its end.
fn code<'a>(blueprint: &'a Blueprint, endpoint: &str) -> (Vec<Op>, &'a [u64]) {
    let plan = blueprint.endpoints.iter().find(|plan| plan.name == endpoint).unwrap();
    let from = plan.entry.index();
    let to = from + blueprint.code[from..].iter().position(|op| *op == Op::End).unwrap();
    (blueprint.code[from..=to].to_vec(), &blueprint.salts[from..=to])
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let swapped =
        SHOP.replace("  shoppers: {rate: 40/s, to: {web.checkout: 80%, web.browse: 20%}}\n", "").replace(
            "services:",
            "  shoppers: {to: {web.browse: 20%, web.checkout: 80%}, rate: 40/s}\nservices:",
        );
    let moved = swapped
        .replace("  db: {endpoints: {insert: [{cpu: {exp: 5ms}}]}}\n", "")
        .replace("services:\n", "services:\n  db: {endpoints: {insert: [{cpu: {exp: 5ms}}]}}\n");
    assert_eq!(load(SHOP).compile(), load(&moved).compile());
}

#[test]
fn another_service_changes_no_salt() {
    let more = SHOP.replace("services:\n", "services:\n  cache: {endpoints: {get: [{delay: 1ms}]}}\n");
    let (before, after) = (load(SHOP).compile(), load(&more).compile());
    assert_eq!(code(&before, "web.checkout").1, code(&after, "web.checkout").1);
    assert_eq!(before.traffics[0].stream, after.traffics[0].stream);
    let salt = |blueprint: &Blueprint| {
        let call = blueprint.traffics[1].targets[0].1;
        blueprint.calls[call.index()].salt
    };
    assert_eq!(salt(&before), salt(&after));
}

#[test]
fn steps_become_flat_code() {
    let blueprint = load(SHOP).compile();
    let (browse, _) = code(&blueprint, "web.browse");
    assert!(
        matches!(
            browse.as_slice(),
            [
                Op::Acquire { .. },
                Op::RepeatBegin { .. },
                Op::Acquire { .. },
                Op::Delay(_),
                Op::Release,
                Op::RepeatEnd { .. },
                Op::End
            ]
        ),
        "{browse:?}"
    );
    let Op::RepeatBegin { exit, .. } = browse[1] else { panic!("{browse:?}") };
    assert_eq!(blueprint.code[exit.index()], Op::End);
    let (checkout, _) = code(&blueprint, "web.checkout");
    assert!(matches!(checkout[3], Op::Choose(_)), "{checkout:?}");
    let choice = &blueprint.choices[0];
    assert_eq!(choice.arms[0].0, ArmTest::Below(0.25));
    assert_eq!(choice.arms[1].0, ArmTest::Below(1.0));
    assert_eq!(blueprint.code[choice.otherwise.index()], Op::End);
    let [BranchPlan::Call(_), BranchPlan::Code(branch)] = blueprint.forks[0].branches[..] else {
        panic!("{:?}", blueprint.forks)
    };
    assert!(matches!(blueprint.code[branch.index()], Op::Delay(_)));
    assert_eq!(blueprint.outcomes.last().map(String::as_str), Some("failed:sold_out"));
}

#[test]
fn shares_are_sorted_by_name_and_cumulative() {
    let blueprint = load(SHOP).compile();
    let shares: Vec<f64> = blueprint.traffics[1].targets.iter().map(|(share, _)| *share).collect();
    assert_eq!(shares, [0.2, 1.0]);
    let Arrivals::Closed { users, .. } = blueprint.traffics[0].arrivals else {
        panic!("{:?}", blueprint.traffics[0].arrivals)
    };
    assert_eq!(users, 5);
    // Thinking, and three times 3 ms.
    assert_eq!(blueprint.traffics[0].expected_cycle, Span::from_seconds(1.009).ok());
}

#[test]
fn windows_and_the_warm_up_cut_the_run() {
    let scenario = load(SHOP);
    let cuts: Vec<f64> = scenario.compile().cuts.iter().map(|cut| cut.as_seconds()).collect();
    assert_eq!(cuts, [60.0, 120.0, 180.0]);
    let expectation = &scenario.expectations()[0];
    assert_eq!((expectation.comparison, expectation.bound), (Comparison::Less, 0.25));
    let crate::metric::Quantity::One(term) = &expectation.left else { panic!("{expectation:?}") };
    assert_eq!(term.metric.figure, Figure::Quantile(0.99));
}

#[test]
fn an_event_is_the_difference_that_it_makes() {
    let events = "events: [{at: 2m, for: 10s, set: {services.db.speed: 0.1, traffic.shoppers.rate: 80/s}}]\n";
    let blueprint = load(&format!("{SHOP}{events}")).compile();
    let change = &blueprint.changes[0];
    assert_eq!(change.label, "services.db.speed: 0.1, traffic.shoppers.rate: 80/s");
    assert!(
        matches!(change.patch.rows.as_slice(), [Row::Service(_, service), Row::Traffic(..)] if service.speed < 0.2),
        "{change:?}"
    );
}

#[test]
fn an_override_is_as_good_as_the_file() {
    let source = Source::from_text("shop.yaml", SHOP, ".").unwrap();
    let set = Override::parse("services.web.workers=8").unwrap();
    let (changed, _) = Scenario::load(&source, &[set]).unwrap();
    assert_eq!(changed.compile(), load(&SHOP.replace("workers: 64", "workers: 8")).compile());
}

#[test]
fn a_variant_is_a_set_of_overrides() {
    let text = format!("{SHOP}variants: {{broken: , fixed: {{services: {{web: {{workers: 8}}}}}}}}\n");
    let source = Source::from_text("shop.yaml", text, ".").unwrap();
    assert_eq!(source.variants(), ["broken", "fixed"]);
    let (fixed, _) = Scenario::load(&source, &source.variant_overrides("fixed")).unwrap();
    assert_eq!(fixed.compile(), load(&SHOP.replace("workers: 64", "workers: 8")).compile());
}

/// An autoscaler that one variant has: what is expected of it is known in all of them, and measured in that one.
#[test]
fn a_variant_may_have_metrics_of_its_own() {
    let more =
        "autoscalers: {web: {concurrency: {target: 3}}}\nvariants: {scaled: , fixed: {autoscalers: ~}}\n";
    let sound = SHOP.lines().filter(|line| !line.starts_with("expect:"));
    let text =
        sound.chain(["expect: [scaled.autoscalers.web.flaps < 3]", more]).collect::<Vec<_>>().join("\n");
    let source = Source::from_text("shop.yaml", text, ".").unwrap();
    let is_here = |variant: &str| {
        let (scenario, _) = Scenario::load(&source, &source.variant_overrides(variant)).unwrap();
        scenario.expectations()[0].left.terms()[0].is_here
    };
    assert_eq!((is_here("fixed"), is_here("scaled")), (false, true));
}

#[test]
fn a_sweep_keeps_units() {
    let sweep = "sweep: {traffic.shoppers.rate: {from: 1k/min, to: 4k/min, points: 4}, \
                 services.web.workers: [1, 2]}\n";
    let scenario = load(&format!("{SHOP}{sweep}"));
    let [rate, workers] = scenario.axes() else { panic!("{:?}", scenario.axes()) };
    let texts: Vec<&str> = rate.values.iter().map(|value| value.text.as_str()).collect();
    assert_eq!(texts, ["1k/min", "2k/min", "3k/min", "4k/min"]);
    assert!((rate.values[1].number - 2_000.0 / 60.0).abs() < 1e-9);
    assert_eq!((rate.unit.as_str(), workers.unit.as_str()), ("/s", "workers"));
    let source = Source::from_text("shop.yaml", SHOP, ".").unwrap();
    assert!(Scenario::load(&source, &[rate.override_at(1), workers.override_at(0)]).is_ok());
}

#[test]
fn classes_are_ordered_by_importance() {
    let text = SHOP.replace(
        "{rate: 40/s,",
        "{attributes: {class: {bulk: 80%, critical: 20%}, priority: [critical, bulk]}, rate: 40/s,",
    );
    let blueprint = load(&text).compile();
    assert_eq!(blueprint.classes, ["critical", "bulk", "default"]);
    assert_eq!(blueprint.traffics[1].classes, [(0.8, 1), (1.0, 0)]);
}

#[test]
fn the_schema_describes_every_section() {
    let schema = crate::schema();
    let scenario = &schema["definitions"]["ScenarioSpec"]["properties"];
    for key in ["traffic", "services", "resources", "policies", "routes", "events", "sweep", "expect"] {
        assert!(scenario[key]["description"].is_string(), "{key}");
    }
    assert!(!schema.to_string().contains(":null"), "a definition was left open");
    let range = serde_json::json!({"$ref": "#/definitions/Between"});
    assert_eq!(schema["definitions"]["Rate"]["anyOf"][1], range, "a rate may be uncertain");
    assert!(schema["definitions"]["Seed"]["anyOf"].is_null(), "a seed is known");
}

#[test]
fn an_explained_scenario_is_the_same_scenario() {
    let source = Source::from_text("shop.yaml", SHOP, ".").unwrap();
    let explained = crate::explain(&source, &[]).unwrap();
    assert_eq!(load(&explained).compile(), load(SHOP).compile(), "{explained}");
}

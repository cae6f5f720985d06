//! The same seed gives the same bytes: on any number of threads, in any order of the file, whatever else it
//! contains, in debug and in release.

#![expect(clippy::unwrap_used, reason = "a test may")]

use models::blueprint::{Blueprint, Caller, UsePlan};
use models::observe::{Observations, Segment};
use models::{Replication, replicate};
use rayon::ThreadPoolBuilder;
use scenarios::experiment::{Options, Plan, Silent, run, sensitivity};
use scenarios::{Scenario, Source};
use serde_json::{Map, Value, json};
use sim_core::{CancelFlag, Fingerprint, hash_name};

/// A scenario with something of everything.
pub(crate) fn shop() -> Value {
    json!({
        "duration": "60s",
        "warmup": "5s",
        "traffic": {
            "shoppers": {
                "rate": {"0s": "20/s", "30s": "60/s", "60s": "30/s"}, "to": {"web.browse": "80%", "web.buy": "20%"},
                "policy": "browser",
                "attributes": {"class": {"gold": "30%", "iron": "70%"}, "priority": ["gold", "iron"]},
            },
            "robots": {"rate": "5/s", "to": "web.browse", "arrivals": "even", "batch": {"uniform": [1, 5]}, "class": "iron"},
            "clerks": {"users": 5, "think": {"exp": "500ms"}, "to": "stock.check", "class": "gold"},
        },
        "services": {
            "web": {
                "replicas": 3, "workers": 8, "queue": 40, "cores": 1.5,
                "endpoints": {
                    "browse": [{"cpu": {"lognormal": {"p50": "5ms", "p99": "40ms"}}}, {"call": "stock.check", "policy": "inner"}],
                    "buy": [
                        {"cpu": {"exp": "10ms"}},
                        {"all": [{"call": "stock.check"}, [{"delay": {"exp": "8ms"}}, {"call": "bank.pay", "policy": "inner"}]],
                         "wait_for": 1, "cancel": true},
                        {"hold": "lock", "do": [{"call": "bank.pay", "policy": "inner"}]},
                        "reply",
                        {"delay": "5ms"},
                    ],
                },
            },
            "stock": {
                "replicas": 2, "cores": 1, "scheduling": "run_to_completion",
                "endpoints": {"check": [{"cpu": {"gamma": {"mean": "6ms", "cv": 1.5}}}]},
            },
            "bank": {
                "resources": {"line": {"slots": 4, "order": "priority", "timeout": "200ms"}},
                "endpoints": {
                    "pay": [
                        {"hold": "line", "do": [{"choose": [
                            {"weight": "90%", "do": [{"delay": {"exp": "20ms"}}]},
                            {"else": [{"repeat": {"uniform": [1, 3]}, "do": [{"delay": "30ms"}]}, {"fail": "declined", "rate": "50%"}]},
                        ]}]},
                    ],
                },
            },
        },
        "resources": {"lock": {"slots": 3, "order": "lifo", "queue": 20}, "spare": {"slots": 1, "per": "class"}},
        "policies": {
            "browser": {"timeout": "800ms", "total": "3s", "retry": {"attempts": 3}},
            "inner": {"timeout": "150ms", "cancel": true,
                      "retry": {"attempts": 2, "backoff": {"base": "10ms", "max": "100ms", "jitter": "equal"}}},
        },
        "routes": {"web": {"pick": {"least": 2}}, "stock": {"pick": "random", "latency": {"exp": "1ms"}}},
        "events": [
            {"at": "20s", "for": "5s", "set": {"services.stock.speed": 0.3}},
            {"at": "40s", "for": "8s", "set": {"services.web.replicas": 1, "services.web.workers": 16}},
        ],
    })
}

/// The same shop, whose calls are hedged, limited, broken off and answered by fallbacks.
pub(crate) fn guarded_shop() -> Value {
    let mut shop = shop();
    shop["policies"] = json!({
        "browser": {"timeout": "60ms", "total": "3s", "deadline": true, "hedge": {"after": "p90"},
                    "retry": {"attempts": 3, "backoff": "5ms", "budget": {"ratio": "1%", "cap": 1}},
                    "fallback": [{"delay": {"exp": "2ms"}}]},
        "inner": {"timeout": "20ms", "cancel": true, "limit": {"calls": 1, "queue": 1, "timeout": "2ms"},
                  "breaker": {"window": "5s", "min_calls": 5, "failures": "5%", "open": "500ms", "probes": 2},
                  "retry": {"attempts": 2, "backoff": {"base": "10ms", "max": "100ms", "jitter": "equal"}}},
    });
    shop
}

pub(crate) fn compile(scenario: &Value) -> Blueprint {
    let text = serde_json::to_string_pretty(scenario).unwrap();
    let source = Source::from_text("shop", text, "").unwrap_or_else(|wrong| panic!("{wrong}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    scenario.compile()
}

fn simulate(plan: &Blueprint) -> Observations {
    replicate(plan, &Replication { seed: 3, index: 1, breakdown: true }, &CancelFlag::new())
}

#[test]
fn a_run_is_the_same_bytes_on_any_number_of_threads() {
    let plan = Plan::new(compile(&shop()), 3);
    let run_on = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = Options { bins: Some(20), distributions: true };
        let outcome = pool.install(|| run(&plan, options, &Silent, &CancelFlag::new())).unwrap();
        (serde_json::to_string(&outcome.report).unwrap(), outcome.observations.unwrap())
    };
    let (report, observations) = run_on(1);
    assert!(
        report.len() > 1_000 && observations.events > 50_000,
        "{} events prove little",
        observations.events
    );
    for threads in [2, 3, 8] {
        let (other_report, other_observations) = run_on(threads);
        assert!(report == other_report, "{threads} threads change the report");
        assert!(observations == other_observations, "{threads} threads change the observations");
    }
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let plan = compile(&shop());
    let seen = simulate(&plan);
    for round in 0..20 {
        let shuffled = shuffle(&shop(), round);
        assert_ne!(serde_json::to_string(&shuffled).unwrap(), serde_json::to_string(&shop()).unwrap());
        let mut other = compile(&shuffled);
        assert!(simulate(&other) == seen, "round {round} changes the observations");
        // An event says what the reader wrote, in that order.
        let labels = plan.changes.iter().map(|change| change.label.clone());
        other.changes.iter_mut().zip(labels).for_each(|(change, label)| change.label = label);
        assert!(other == plan, "round {round} changes the blueprint");
    }
}

#[test]
fn attributes_that_nobody_looks_at_change_nothing() {
    let mut labelled = shop();
    for traffic in labelled["traffic"].as_object_mut().unwrap().values_mut() {
        traffic["attributes"]["key"] = json!({"zipf": {"s": 1.1, "n": "1M"}});
        // Tenants with names are counted apart.
        traffic["attributes"]["tenant"] = json!({"zipf": {"s": 0.5, "n": 7}});
        traffic["attributes"]["user"] = json!({"uniform": 5_000});
    }
    assert!(simulate(&compile(&labelled)) == simulate(&compile(&shop())));
}

/// Checks that could find nothing are not made, and calls take the same replicas on the long way.
#[test]
fn health_of_healthy_replicas_changes_nothing() {
    let mut judged = shop();
    judged["routes"]["web"]["health"] = json!({"check": "2s"});
    judged["routes"]["stock"]["health"] = json!({"check": "100ms", "rise": 1});
    let (seen, plain) = (simulate(&compile(&judged)), simulate(&compile(&shop())));
    assert_eq!((seen.fingerprint, seen.events), (plain.fingerprint, plain.events));
    let out: u128 = seen.segments.iter().flat_map(|segment| &segment.routes).map(|route| route.out_ns).sum();
    assert_eq!(out, 0);
}

/// The same value with the entries of every map in another order; points in time have theirs.
fn shuffle(value: &Value, round: u32) -> Value {
    let in_time = |key: &String| key.starts_with(|c: char| c.is_ascii_digit());
    match value {
        Value::Object(map) if !map.keys().any(in_time) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| hash_name(&format!("{round} {key}")));
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), shuffle(value, round)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| shuffle(item, round)).collect()),
        other => other.clone(),
    }
}

#[test]
fn an_unrelated_part_changes_no_other_number() {
    for shop in [shop(), guarded_shop()] {
        add_an_unrelated_part_to(&shop);
    }
}

fn add_an_unrelated_part_to(shop: &Value) {
    let before = compile(shop);
    // By name it comes before everything, between, and behind.
    for name in ["aaa", "m", "zzz"] {
        let mut more = shop.clone();
        more["traffic"][name] =
            json!({"rate": "30/s", "to": format!("{name}.go"), "policy": name, "class": "gold"});
        more["services"][name] = json!({
            "replicas": 2, "workers": 1, "cores": 1,
            "endpoints": {
                "go": [{"hold": name, "do": [{"cpu": {"exp": "20ms"}}, {"call": format!("{name}.back")}]}],
                "back": [{"fail": name, "rate": "20%"}],
            },
        });
        more["resources"][name] = json!({"slots": 2});
        more["policies"][name] = json!({"timeout": "100ms", "retry": {"attempts": 3}});
        let after = compile(&more);
        let (seen, other) = (simulate(&before), simulate(&after));
        assert!(other.events > seen.events, "{name} does nothing");
        assert_eq!(seen.segments.len(), other.segments.len());
        for (a, b) in seen.segments.iter().zip(&other.segments) {
            same_by_name((&before, a), (&after, b));
        }
    }
}

/// Fails unless everything that `before` knows is the same in `after`.
fn same_by_name(before: (&Blueprint, &Segment), after: (&Blueprint, &Segment)) {
    let (plan, seen) = before;
    let (other_plan, other) = after;
    for (at, there) in places(&plan.traffics, &other_plan.traffics, |row| &row.name) {
        let (mut mine, mut theirs) = (seen.traffics[at].clone(), other.traffics[there].clone());
        // There is one more name of an outcome, which nobody here has.
        for (seen, names) in [(&mut mine, &plan.outcomes), (&mut theirs, &other_plan.outcomes)] {
            let groups = seen.classes.iter_mut().chain(&mut seen.tenants).map(|group| &mut group.outcomes);
            for outcomes in groups.chain([&mut seen.outcomes]) {
                *outcomes = of_names(&plan.outcomes, names, outcomes);
            }
        }
        assert!(mine == theirs, "{}", plan.traffics[at].name);
    }
    for (at, there) in places(&plan.endpoints, &other_plan.endpoints, |row| &row.name) {
        assert!(seen.endpoints[at] == other.endpoints[there], "{}", plan.endpoints[at].name);
    }
    for (at, there) in places(&plan.services, &other_plan.services, |row| &row.name) {
        assert!(seen.services[at] == other.services[there], "{}", plan.services[at].name);
        assert!(seen.cores[at] == other.cores[there], "the cores of {}", plan.services[at].name);
    }
    for (at, there) in places(&plan.pools, &other_plan.pools, |row| &row.name) {
        assert!(seen.pools[at] == other.pools[there], "{}", plan.pools[at].name);
    }
    let (uses, other_uses) = (uses(plan), uses(other_plan));
    for (at, there) in places(&uses, &other_uses, |name| name) {
        assert!(seen.policies[at] == other.policies[there], "{}", uses[at]);
    }
}

/// Every use of a policy, by names.
fn uses(plan: &Blueprint) -> Vec<String> {
    let name = |usage: &UsePlan| {
        let caller = match usage.caller {
            Caller::Service(id) => &plan.services[id.index()].path,
            Caller::Traffic(id) => &plan.traffics[id.index()].path,
        };
        format!("{} by {caller}", plan.policies[usage.policy.index()].name)
    };
    plan.uses.iter().map(name).collect()
}

#[test]
fn policies_of_all_kinds_act_in_the_guarded_shop() {
    let seen = simulate(&compile(&guarded_shop()));
    let mut sum = [0; 6];
    for policy in seen.segments.iter().flat_map(|segment| &segment.policies) {
        let counts = [
            policy.retries,
            policy.unaffordable,
            policy.hedges,
            policy.trips,
            policy.limited,
            policy.fallbacks,
        ];
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    assert!(sum.iter().all(|count| *count > 0), "{sum:?}");
}

/// Where each row of `table` stands in the `other` one, by name.
fn places<T>(table: &[T], other: &[T], name: impl Fn(&T) -> &String) -> Vec<(usize, usize)> {
    let place = |row: &T| other.iter().position(|there| name(there) == name(row));
    let found: Vec<(usize, usize)> =
        table.iter().enumerate().filter_map(|(at, row)| Some((at, place(row)?))).collect();
    assert!(!found.is_empty() && found.len() == table.len() && other.len() > table.len(), "{found:?}");
    found
}

/// Counts in the order of `names`; what has not been counted is 0.
fn of_names(names: &[String], own: &[String], counts: &[u64]) -> Vec<u64> {
    let count = |name: &String| own.iter().position(|other| other == name).and_then(|at| counts.get(at));
    names.iter().map(|name| count(name).copied().unwrap_or(0)).collect()
}

/// A change of this number changes results: say so in the changelog, under *Results change*.
///
/// It is that of Linux on `x86_64`: elsewhere the mathematical functions may differ in the last bit.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn the_results_are_the_pinned_ones() {
    let seen = simulate(&compile(&shop()));
    let found = (seen.events, results(&seen).to_string());
    assert_eq!(found, (29_936, "395c40132865138f4174f6714e05d332".to_owned()));
}

/// A fingerprint of what was observed. That of the trajectory also depends on how events are stored.
fn results(seen: &Observations) -> Fingerprint {
    let mut all = Fingerprint::new();
    for segment in &seen.segments {
        for traffic in &segment.traffics {
            traffic.outcomes.iter().for_each(|count| all.absorb(*count));
            all.absorb2(traffic.offered, traffic.attempts);
            all.absorb2(traffic.latency.sum() as u64, traffic.unanswered.sum() as u64);
        }
        for endpoint in &segment.endpoints {
            all.absorb2(endpoint.answered, endpoint.failed);
        }
        for pool in &segment.pools {
            all.absorb2(pool.in_use.integral as u64, pool.waiting.integral as u64);
            all.absorb2(pool.rejected, pool.timed_out);
        }
        for cores in segment.cores.iter().flatten() {
            all.absorb2(cores.present.integral as u64, cores.response.max().unwrap_or(0));
            all.absorb2(cores.busy.to_bits(), cores.worked.to_bits());
        }
    }
    all
}

/// A small queue of whose inputs two are uncertain.
const GUESSED: &str = "
duration: 5s
uncertainty: {points: 12}
traffic: {users: {rate: {between: [40/s, 60/s]}, to: web.get}}
services: {web: {workers: {between: [1, 3]}, endpoints: {get: [{delay: {exp: 10ms}}]}}}
sensitivity: {of: users.p99}
";

/// What `work` finds on this many threads, as JSON.
fn on_threads<T: serde::Serialize + Send>(threads: usize, work: impl Fn() -> T + Send) -> String {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    serde_json::to_string(&pool.install(work)).unwrap()
}

#[test]
fn uncertain_inputs_are_drawn_alike_on_any_number_of_threads() {
    let source = Source::from_text("guessed.yaml", GUESSED, ".").unwrap();
    let (scenario, _) = Scenario::load(&source, &[]).unwrap();
    let plan = Plan::drawn(&source, &[], &scenario).unwrap();
    let report = || run(&plan, Options::default(), &Silent, &CancelFlag::default()).unwrap().report;
    let one = on_threads(1, report);
    assert_eq!(one, on_threads(3, report));
    assert!(one.contains("\"uncertainty\""), "{one}");
}

#[test]
fn paths_are_ranked_alike_on_any_number_of_threads() {
    let source = Source::from_text("guessed.yaml", GUESSED, ".").unwrap();
    let report = || sensitivity(&source, &[], &Silent, &CancelFlag::default()).unwrap();
    let one = on_threads(1, report);
    assert_eq!(one, on_threads(3, report));
    assert!(one.contains("\"services.web.workers\""), "{one}");
}

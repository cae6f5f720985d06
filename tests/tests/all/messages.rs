//! The reader of a wrong scenario sees exactly this.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use scenarios::{Override, Scenario, Source};

/// What a reader sees of a scenario in a folder with these overrides; warnings included.
fn seen_in(folder: &Path, text: &str, sets: &[&str]) -> String {
    let source = match Source::from_text("shop.yaml", text, folder) {
        Ok(source) => source,
        Err(diagnostics) => return diagnostics.render(false),
    };
    let mut overrides = Vec::new();
    for set in sets {
        match Override::parse(set) {
            Ok(change) => overrides.push(change),
            Err(diagnostics) => return diagnostics.render(false),
        }
    }
    match Scenario::load(&source, &overrides) {
        Ok((_, warnings)) if warnings.is_empty() => "no message\n".into(),
        Ok((_, warnings)) => warnings.render(false),
        Err(diagnostics) => diagnostics.render(false),
    }
}

fn seen(text: &str) -> String {
    seen_in(Path::new("."), text, &[])
}

/// A sound scenario, whose lines are replaced by wrong ones.
const SHOP: &str = "\
name: shop
duration: 10m
traffic:
  shoppers: {rate: 40/s, to: web.checkout}
services:
  web:
    replicas: 2
    workers: 64
    cores: 2
    endpoints:
      checkout: [{cpu: 5ms}, {call: db.insert}]
  db: {endpoints: {insert: [{cpu: {exp: 5ms}}]}}
";

/// What a reader sees of [`SHOP`] when `from` is replaced by `to`.
fn shop(from: &str, to: &str) -> String {
    assert!(SHOP.contains(from), "`{from}` is not in the scenario");
    seen(&SHOP.replace(from, to))
}

/// What a reader sees of [`SHOP`] with more lines behind it.
fn shop_and(more: &str) -> String {
    seen(&format!("{SHOP}{more}"))
}

/// What a reader sees of [`SHOP`] when `from` is replaced by `to`, with more lines behind it.
fn shop_with(from: &str, to: &str, more: &str) -> String {
    seen(&format!("{}{more}", SHOP.replace(from, to)))
}

/// A folder of its own under the temporary one, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    folder
}

#[test]
fn a_sound_scenario_needs_no_message() {
    assert_eq!(seen(SHOP), "no message\n");
}

#[test]
fn unknown_and_misspelt_keys() {
    assert_snapshot!("unknown_key", shop("cores: 2", "colour: red"));
    assert_snapshot!("misspelt_key", shop("workers: 64", "wrokers: 64"));
    assert_snapshot!("misspelt_section", shop("traffic:", "trafic:"));
    assert_snapshot!("misspelt_step", shop("{call: db.insert}", "{cal: db.insert}"));
    assert_snapshot!("misspelt_distribution", shop("{exp: 5ms}", "{expo: 5ms}"));
    assert_snapshot!("function_instead_of_map", shop("{exp: 5ms}", "exp(5ms)"));
}

#[test]
fn keys_given_twice() {
    assert_snapshot!("duplicate_key", shop("replicas: 2", "replicas: 2\n    replicas: 3"));
}

#[test]
fn missing_keys() {
    assert_snapshot!("missing_target", shop(", to: web.checkout", ""));
    assert_snapshot!("missing_rate", shop("rate: 40/s, ", ""));
    assert_snapshot!("missing_duration", shop("duration: 10m\n", ""));
    assert_snapshot!("empty_file", seen(""));
    assert_snapshot!("only_a_list", seen("[1, 2]\n"));
}

/// What is wrong with a traffic is told once, and not again as something that is missing elsewhere.
#[test]
fn a_mistake_has_no_others_in_its_wake() {
    let more = "variants: {more: {services.web.replicas: 3}}\n\
                expect: [shoppers.p99 < 1s, more.shoppers.p99 < 1s]\nsolve: {maximize: traffic.shoppers.rate}\n";
    assert_eq!(shop_with("40/s", "40/s", more), "no message\n");
    let told = shop_with("40/s", "40", more);
    assert_eq!(told.matches("error: ").count(), 1, "{told}");
}

#[test]
fn missing_units() {
    assert_snapshot!("rate_without_unit", shop("40/s", "40"));
    assert_snapshot!("time_without_unit", shop("duration: 10m", "duration: 10"));
    assert_snapshot!("share_without_unit", shop("40/s, ", "40/s, attributes: {class: {a: 0.2, b: 80%}}, "));
    assert_snapshot!("unknown_unit", shop("10m", "10 parsecs"));
}

#[test]
fn numbers_that_are_none() {
    assert_snapshot!("rate_nan", shop("40/s", ".nan"));
    assert_snapshot!("time_infinite", shop("cpu: 5ms", "cpu: .inf"));
    assert_snapshot!("time_negative", shop("cpu: 5ms", "cpu: -5ms"));
    assert_snapshot!("time_too_long", shop("cpu: 5ms", "cpu: 1000000d"));
    assert_snapshot!("rate_zero", shop("40/s", "0/s"));
    assert_snapshot!("rate_too_high", shop("40/s", "1000000000000000000/s"));
    assert_snapshot!("replicas_zero", shop("replicas: 2", "replicas: 0"));
    assert_snapshot!("replicas_fraction", shop("replicas: 2", "replicas: 2.5"));
    assert_snapshot!("cores_zero", shop("cores: 2", "cores: 0"));
    assert_snapshot!("duration_zero", shop("10m", "0s"));
    assert_snapshot!("warmup_too_long", shop("duration: 10m", "duration: 10m\nwarmup: 10m"));
}

#[test]
fn distributions_that_do_not_exist() {
    assert_snapshot!("percentiles_out_of_order", shop("{exp: 5ms}", "{lognormal: {p50: 9ms, p99: 2ms}}"));
    assert_snapshot!(
        "quantiles_out_of_order",
        shop("{exp: 5ms}", "{quantiles: {p50: 9ms, p95: 2ms, p99: 20ms}}")
    );
    assert_snapshot!(
        "lognormal_of_three",
        shop("{exp: 5ms}", "{lognormal: {p50: 1ms, p99: 2ms, mean: 1ms}}")
    );
    assert_snapshot!("mean_of_zero", shop("{exp: 5ms}", "{exp: 0s}"));
    assert_snapshot!("infinite_mean", shop("{exp: 5ms}", "{pareto: {mean: 5ms, alpha: 0.9}}"));
    assert_snapshot!("weights_not_whole", shop("{exp: 5ms}", "{mixture: [[90%, 1ms], [20%, 5ms]]}"));
    assert_snapshot!("two_distributions", shop("{exp: 5ms}", "{exp: 5ms, uniform: [1ms, 2ms]}"));
}

#[test]
fn arrivals_that_cannot_be() {
    let traffic = |arrivals: &str| shop("rate: 40/s", &format!("arrivals: {arrivals}"));
    assert_eq!(traffic("{mmpp: [[100/s, 9s], [1000/s, 1s]]}"), "no message\n");
    let moving = "{mmpp: [[1/s, 9s], [10/s, 1s]]}, rate: {0s: 10/s, 5m: 80/s}";
    assert_eq!(traffic(moving), "no message\n");
    assert_snapshot!("mmpp_one_state", traffic("{mmpp: [[100/s, 9s]]}"));
    assert_snapshot!("mmpp_silent", traffic("{mmpp: [[0/s, 9s], [0/s, 1s]]}"));
    assert_snapshot!("mmpp_no_stay", traffic("{mmpp: [[100/s, 0s], [10/s, 1s]]}"));
    assert_snapshot!("mmpp_order", traffic("{mmpp: [[9s, 100/s], [1s, 10/s]]}"));
}

#[test]
fn rates_over_time_that_do_not_exist() {
    assert_snapshot!("rate_points_from_later", shop("40/s", "{1m: 40/s, 2m: 80/s}"));
    assert_snapshot!("rate_points_out_of_order", shop("40/s", "{0s: 40/s, 2m: 80/s, 1m: 20/s}"));
    assert_snapshot!("rate_daily_peak", shop("40/s", "{daily: {mean: 40/s, peak: 400/s, at: \"20:00\"}}"));
}

#[test]
fn names_that_lead_nowhere() {
    assert_snapshot!("unknown_service", shop("to: web.checkout", "to: wbe.checkout"));
    assert_snapshot!("unknown_endpoint", shop("db.insert", "db.inser"));
    assert_snapshot!("service_without_endpoint", shop("to: web.checkout", "to: web"));
    assert_snapshot!("unknown_policy", shop("to: web.checkout", "to: web.checkout, policy: browser"));
    assert_snapshot!("unknown_route", shop("{call: db.insert}", "{call: db.insert, route: near}"));
    assert_snapshot!("unknown_resource", shop("{call: db.insert}", "{hold: connections, do: []}"));
    assert_snapshot!("unknown_class", shop("{call: db.insert}", "{choose: [{class: gold, do: []}]}"));
    assert_snapshot!("bad_name", shop("  db: {", "  d b: {"));
}

#[test]
fn parts_that_do_not_fit() {
    let resource = "resources: {pool: {slots: 2, per: db}}\n";
    let text = SHOP.replace("{call: db.insert}", "{hold: pool, do: []}");
    assert_snapshot!("resource_of_another_service", seen(&format!("{text}{resource}")));
    assert_snapshot!("more_units_than_slots", {
        let text = text.replace("hold: pool", "hold: pool, units: 3");
        seen(&format!("{text}resources: {{pool: {{slots: 2}}}}\n"))
    });
    assert_snapshot!(
        "weights_of_choose",
        shop("{call: db.insert}", "{choose: [{weight: 50%, do: []}, {weight: 20%, do: []}]}")
    );
    assert_snapshot!(
        "weight_alone_in_choose",
        shop("{call: db.insert}", "{choose: [{weight: 20%, do: []}]}")
    );
    assert_snapshot!(
        "quorum_too_large",
        shop("{call: db.insert}", "{all: [{call: db.insert}], wait_for: 3}")
    );
    assert_snapshot!("queue_without_workers", shop("    workers: 64", "    queue: 64"));
    assert_snapshot!("rate_and_users", shop("rate: 40/s", "rate: 40/s, users: 5, think: 1s"));
    assert_snapshot!("users_without_think", shop("rate: 40/s", "users: 5"));
    assert_snapshot!(
        "priority_without_classes",
        shop_and("resources: {pool: {slots: 2, order: priority}}\n")
    );
    assert_snapshot!("two_verbs", shop("{cpu: 5ms}, ", "{cpu: 5ms, delay: 2ms}, "));
}

#[test]
fn calls_that_never_end() {
    let text =
        SHOP.replace("insert: [{cpu: {exp: 5ms}}]", "insert: [{hold: pool, do: [{call: web.checkout}]}]");
    assert_snapshot!("cycle", seen(&format!("{text}resources: {{pool: {{slots: 2}}}}\n")));
    let conditional = text
        .replace("{call: web.checkout}", "{choose: [{weight: 10%, do: [{call: web.checkout}]}, {else: []}]}");
    assert_eq!(seen(&format!("{conditional}resources: {{pool: {{slots: 2}}}}\n")), "no message\n");
}

#[test]
fn files_that_cannot_be_read() {
    let folder = folder("files");
    fs::write(folder.join("latencies.csv"), "ms,count\n1,2\n3,4\n").unwrap();
    fs::write(folder.join("bad.csv"), "ms\n1\nfast\n").unwrap();
    fs::write(folder.parent().unwrap().join("secret.csv"), "1\n").unwrap();
    let with = |distribution: &str| seen_in(&folder, &SHOP.replace("{exp: 5ms}", distribution), &[]);
    assert_eq!(with("{file: latencies.csv, column: ms, unit: ms}"), "no message\n");
    assert_snapshot!("file_missing", with("{file: latency.csv, column: ms, unit: ms}"));
    assert_snapshot!("file_column", with("{file: latencies.csv, column: s, unit: ms}"));
    assert_snapshot!("file_columns", with("{file: latencies.csv, unit: ms}"));
    assert_snapshot!("file_unit", with("{file: latencies.csv, column: ms}"));
    assert_snapshot!("file_row", with("{file: bad.csv, unit: ms}"));
    assert_snapshot!("file_absolute", with("{file: /etc/passwd, unit: ms}"));
    assert_snapshot!("file_above", with("{file: ../secret.csv, unit: ms}"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret.csv", folder.join("link.csv")).unwrap();
        assert_snapshot!("file_link", with("{file: link.csv, unit: ms}"));
    }
}

#[test]
fn scenarios_that_cannot_be_read() {
    let folder = folder("scenarios");
    let read = |name: &str| {
        let message = Source::read(folder.join(name)).unwrap_err().render(false);
        message.replace(&folder.display().to_string(), "folder")
    };
    assert_snapshot!("scenario_missing", read("shop.yaml"));
    fs::create_dir(folder.join("shops")).unwrap();
    assert_snapshot!("scenario_folder", read("shops"));
    fs::write(folder.join("latin.yaml"), b"duration: 10m\nname: caf\xe9\n").unwrap();
    assert_snapshot!("scenario_not_utf8", read("latin.yaml"));
    // One token of a gigabyte, which takes no room on disk.
    fs::File::create(folder.join("huge.yaml")).unwrap().set_len(1 << 30).unwrap();
    assert_snapshot!("scenario_huge", read("huge.yaml"));
}

#[test]
fn hostile_texts() {
    assert_snapshot!("not_yaml", seen("a: [1, 2\nb: 3\n"));
    assert_snapshot!("brackets", seen(&"[".repeat(100_000)));
    assert_snapshot!("token", seen(&"a".repeat((4 << 20) + 1)));
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
        let all = [format!("*{of}"), format!("*{of}"), format!("*{of}"), format!("*{of}"), format!("*{of}")];
        let all = all.join(", ");
        bomb.extend([name, ": &", name, " [", &all, ", ", &all, "]\n"]);
    }
    assert_snapshot!("alias_bomb", seen(&bomb));
    assert_snapshot!("many_aliases", seen(&format!("a: &a x\nb: [\n{}]\n", "*a,\n".repeat(1_001))));
    assert_snapshot!("alias_of_itself", seen("a: &a [*a]\n"));
    assert_snapshot!("alias_of_nothing", seen("a: *b\n"));
    assert_snapshot!("tag", seen("a: !lognormal {p50: 2ms}\n"));
    assert_snapshot!("merge_key", seen("a: &a {b: 1}\nc: {<<: *a}\n"));
    assert_snapshot!("two_documents", seen("a: 1\n---\nb: 2\n"));
    assert_snapshot!("list_as_key", seen("? [a, b]\n: 1\n"));
}

#[test]
fn expectations_that_say_nothing() {
    let expect = |text: &str| shop_and(&format!("expect:\n  - {text}\n"));
    assert_eq!(expect("shoppers.p99 < 250ms"), "no message\n");
    assert_eq!(expect("web.workers.utilization[2m..5m] < 80%"), "no message\n");
    assert_eq!(expect("traffic.shoppers.throughput = 40/s ± 1%"), "no message\n");
    assert_snapshot!("expect_metric", expect("shopers.p99 < 250ms"));
    assert_snapshot!("expect_figure", expect("web.workers.utilisation < 80%"));
    assert_snapshot!("expect_unit", expect("shoppers.p99 < 250"));
    assert_snapshot!("expect_share", expect("shoppers.errors < 0.01"));
    assert_snapshot!("expect_comparison", expect("shoppers.p99 ~ 250ms"));
    assert_snapshot!("expect_incomplete", expect("shoppers.p99 <"));
    assert_snapshot!("expect_tolerance", expect("shoppers.throughput = 40/s"));
    assert_snapshot!("expect_window_reversed", expect("shoppers.p99[5m..2m] < 250ms"));
    assert_snapshot!("expect_window_outside", expect("shoppers.p99[5m..20m] < 250ms"));
    assert_snapshot!("expect_variant", expect("fixed: shoppers.p99 < 250ms"));
    assert_snapshot!("expect_not_yet", expect("shoppers.max(ok) < 100s"));
}

#[test]
fn expectations_of_recoveries_and_slopes() {
    let expect = |text: &str| shop_and(&format!("expect:\n  - {text}\n"));
    assert_eq!(expect("shoppers.recovery(ok > 99%, after 130s) < 100s"), "no message\n");
    assert_eq!(expect("web.recovery(mean <= 20ms, after 0s) < 100s"), "no message\n");
    assert_eq!(expect("web.workers.queue_length.slope[100s..200s] = 0/s ± 1/s"), "no message\n");
    assert_eq!(expect("shoppers.in_flight.slope > -1/s"), "no message\n");
    assert_snapshot!("recovery_of_what", expect("shoppers.recovery < 100s"));
    assert_snapshot!("recovery_since_when", expect("shoppers.recovery(ok > 99%) < 100s"));
    assert_snapshot!("recovery_figure", expect("shoppers.recovery(okay > 99%, after 130s) < 100s"));
    assert_snapshot!("recovery_unit", expect("shoppers.recovery(ok > 99, after 130s) < 100s"));
    assert_snapshot!("recovery_bound", expect("shoppers.recovery(ok > 99%, after 130s) < 100"));
    assert_snapshot!("recovery_after_the_end", expect("shoppers.recovery(ok > 99%, after 10m) < 100s"));
    assert_snapshot!("recovery_window", expect("shoppers.recovery(ok > 99%, after 1m)[1m..2m] < 100s"));
    let ratio = "shoppers.recovery(ok > 99%, after 1m) / shoppers.recovery(ok > 50%, after 1m) < 0.5";
    assert_snapshot!("recovery_ratio", expect(ratio));
    assert_snapshot!("parentheses", expect("shoppers.p99(ok > 99%, after 130s) < 100s"));
    assert_snapshot!("slope_of_no_level", expect("shoppers.p99.slope < 1/s"));
    assert_snapshot!("slope_of_cores", expect("web.cores.queue_length.slope < 1/s"));
    assert_snapshot!("slope_unit", expect("shoppers.in_flight.slope < 1s"));
}

#[test]
fn outcomes_that_judge_nothing() {
    let outcome =
        |text: &str| shop_and(&format!("sweep:\n  traffic.shoppers.rate: [50/s, 60/s]\n  outcome: {text}\n"));
    assert_eq!(outcome("shoppers"), "no message\n");
    assert_eq!(outcome("shoppers.p99 < 1s"), "no message\n");
    assert_snapshot!("outcome_of_whom", outcome("shopers"));
    assert_snapshot!("outcome_unit", outcome("shoppers.ok > 90"));
    assert_snapshot!("outcome_window", outcome("shoppers.ok[1m..2m] > 90%"));
    assert_snapshot!("outcome_slope", outcome("shoppers.in_flight.slope < 1/s"));
    assert_snapshot!("outcome_shape", outcome("[shoppers]"));
}

#[test]
fn sweeps_that_lead_nowhere() {
    let sweep = |text: &str| shop_and(&format!("sweep:\n  {text}\n"));
    assert_eq!(sweep("traffic.shoppers.rate: {from: 50/s, to: 120/s, points: 20}"), "no message\n");
    assert_snapshot!("sweep_path", sweep("services.wbe.replicas: [1, 2]"));
    assert_snapshot!("sweep_key", sweep("services.web.replica: [1, 2]"));
    assert_snapshot!("sweep_units", sweep("traffic.shoppers.rate: {from: 50/s, to: 120s, points: 20}"));
    assert_snapshot!("sweep_wrong_unit", sweep("traffic.shoppers.rate: [50, 60]"));
    assert_snapshot!("sweep_without_points", sweep("traffic.shoppers.rate: {from: 50/s, to: 120/s}"));
    assert_snapshot!(
        "sweep_log_from_zero",
        sweep("traffic.shoppers.rate: {from: 0/s, to: 120/s, points: 3, spacing: log}")
    );
    assert_snapshot!("sweep_step", sweep("services.web.replicas: {from: 4, to: 1, step: 1}"));
}

#[test]
fn answers_that_cannot_be_found() {
    let expected = "expect: [shoppers.p99 < 250ms]\ncost: {web: 0.05 USD/replica-hour}\n";
    let solve = |text: &str| shop_and(&format!("{expected}solve: {text}\n"));
    for sound in [
        "{minimize: cost, over: {services.web.replicas: 1..50}}",
        "{minimize: services.web.workers, over: {services.web.workers: [8, 16], services.web.replicas: [1, 2]}}",
        "{maximize: traffic.shoppers.rate}",
        "{maximize: traffic.shoppers.rate, over: {traffic.shoppers.rate: 10/s..100/s}, points: 9, replications: 20}",
    ] {
        assert_eq!(solve(sound), "no message\n");
    }
    assert_snapshot!("solve_without_aim", solve("{over: {services.web.replicas: 1..50}}"));
    assert_snapshot!("solve_for_two", solve("{minimize: cost, maximize: traffic.shoppers.rate}"));
    assert_snapshot!("solve_over_nothing", solve("{minimize: cost}"));
    assert_snapshot!(
        "solve_paths",
        solve(
            "{minimize: services.wbe.replicas, over: {services.web.replicas: 1..50, services.bd.workers: 1..9}}"
        )
    );
    assert_snapshot!(
        "solve_path_elsewhere",
        solve("{minimize: services.web.workers, over: {services.web.replicas: 1..9}}")
    );
    assert_snapshot!("solve_load", solve("{maximize: traffic.shopers.rate}"));
    assert_snapshot!("solve_without_value", solve("{maximize: services.db.workers}"));
    let moving = shop_with(
        "rate: 40/s",
        "rate: {0s: 40/s, 5m: 80/s}",
        &format!("{expected}solve: {{maximize: traffic.shoppers.rate}}\n"),
    );
    assert_snapshot!("solve_moving_load", moving);
    assert_snapshot!("solve_of_nothing", shop_and("solve: {maximize: traffic.shoppers.rate}\n"));
    let compared =
        "variants: {a: {}}\nexpect: [a.shoppers.p99 < 250ms]\nsolve: {maximize: traffic.shoppers.rate}\n";
    assert_snapshot!("solve_of_variants", shop_and(compared));
}

#[test]
fn events_that_are_not_rare() {
    let rare = |events: &str| shop_and(&format!("rare: {{events: [{events}]}}\n"));
    for sound in [
        "shoppers.latency > 2s",
        "shoppers.latency >= 2s",
        "web.in_flight >= 100",
        "web.in_flight reaches 500",
        "web.workers.queue_length > 9",
        "shoppers.p99.99, shoppers.in_flight >= 5",
    ] {
        assert_eq!(rare(sound), "no message\n", "{sound}");
    }
    assert_snapshot!(
        "rare_events",
        rare(
            "shoppers.latency > 5, shoppers.latency reaches 2s, web.latency > 2s, shopers.latency > 2s, web.in_flight >= 1.5, \
             web.in_flight >= 0, web.workers.utilization >= 1, shoppers.mean, shoppers.p100, web.in_flight < 5"
        )
    );
    assert_snapshot!("rare_nothing", rare(""));
    assert_snapshot!(
        "rare_toward",
        shop_and("rare: {events: [shoppers.latency > 2s], toward: web.offered}\n")
    );
}

#[test]
fn sensitivities_of_nothing() {
    let ranked = |text: &str| shop_and(&format!("sensitivity: {text}\n"));
    for sound in [
        "{of: shoppers.p99}",
        "{of: 'web.workers.queue_length.slope[100s..400s]', range: 5%}",
        "{of: shoppers.errors, over: {services.web.replicas: 2..8, traffic.shoppers.rate: 20/s..50/s}}",
    ] {
        assert_eq!(ranked(sound), "no message\n");
    }
    assert_snapshot!("sensitivity_of_nothing", ranked("{}"));
    assert_snapshot!("sensitivity_metric", ranked("{of: shopper.p99}"));
    assert_snapshot!("sensitivity_no_metric", ranked("{of: shoppers.p99 < 1s}"));
    assert_snapshot!("sensitivity_recovery", ranked("{of: 'shoppers.recovery(ok > 99%, after 10s)'}"));
    assert_snapshot!("sensitivity_range", ranked("{of: shoppers.p99, range: 0%}"));
    assert_snapshot!(
        "sensitivity_paths",
        ranked("{of: shoppers.p99, over: {traffic.shoppers.rate: 9/s..9s, services.db.replicas: 9..1}}")
    );
    assert_snapshot!(
        "sensitivity_ends",
        ranked("{of: shoppers.p99, over: {services.web.replicas: 1..9, services.db.replicas: 3}}")
    );
    assert_snapshot!(
        "sensitivity_nowhere",
        ranked("{of: shoppers.p99, over: {services.wbe.replicas: 1..9}}")
    );
    let wrong_set = seen_in(Path::new("."), SHOP, &["sensitivity.of=\"shoppers.p98x\""]);
    assert_snapshot!("sensitivity_set", wrong_set);
}

#[test]
fn inputs_that_are_not_known() {
    let delay = |value: &str| shop("{exp: 5ms}", value);
    assert_eq!(delay("{exp: {between: [3ms, 5ms]}}"), "no message\n");
    assert_eq!(shop("rate: 40/s", "rate: {between: [30/s, 50/s]}"), "no message\n");
    assert_snapshot!("between_reversed", delay("{between: [5ms, 3ms]}"));
    assert_snapshot!("between_one", delay("{between: [5ms]}"));
    assert_snapshot!("between_units", delay("{between: [3ms, 5/s]}"));
    assert_snapshot!("between_nested", delay("{between: [{between: [1ms, 2ms]}, 5ms]}"));
    assert_snapshot!("between_words", delay("{between: [fast, slow]}"));
    assert_snapshot!("between_bare", delay("{between: [3, 5]}"));
    assert_snapshot!("between_ends", shop("workers: 64", "workers: {between: [0, 64]}"));
    assert_snapshot!("between_elsewhere", shop("duration: 10m", "duration: {between: [5m, 10m]}"));
    let swept = shop_and("sweep: {services.web.replicas: [{between: [1, 2]}, 3]}\n");
    assert_snapshot!("between_swept", swept);
    let few = "uncertainty: {points: 9, replications: 1}\n";
    assert_snapshot!("uncertainty_few", shop_with("cpu: 5ms", "cpu: {between: [4ms, 6ms]}", few));
    assert_eq!(shop_and(few), "no message\n", "nothing is drawn");
    assert_snapshot!("bootstrap_word", delay("{file: x.csv, unit: ms, bootstrap: often}"));
}

#[test]
fn whoever_draws_nothing_says_so() {
    let text = SHOP
        .replace("cpu: 5ms", "cpu: {between: [4ms, 6ms]}")
        .replace("replicas: 2", "replicas: {between: [2, 5]}");
    let source = Source::from_text("shop.yaml", &text, ".").unwrap();
    let (_, doubts) = Scenario::load_not_drawn(&source, &[]).unwrap();
    assert_snapshot!("not_drawn", doubts.render(false));
    let explained = scenarios::explain(&source, &[]).unwrap();
    let middles: Vec<&str> = explained.lines().filter(|line| line.contains("middle")).collect();
    assert_snapshot!("explained_middles", middles.join("\n"));
}

#[test]
fn ranges_that_lead_nowhere() {
    let over = |values: &str| {
        let path = "services.web.replicas";
        shop_and(&format!(
            "expect: [shoppers.p99 < 1s]\nsolve: {{minimize: {path}, over: {{{path}: {values}}}}}\n"
        ))
    };
    assert_snapshot!("range_backwards", over("50..1"));
    assert_snapshot!("range_of_fractions", over("1..2.5"));
    assert_snapshot!("range_of_words", over("one..two"));
    assert_snapshot!("range_of_two_units", over("1..50/s"));
    assert_snapshot!("range_of_nothing", over("3"));
    let square = "{services.web.workers: 1..400, services.web.replicas: 1..400}";
    let many =
        format!("expect: [shoppers.p99 < 1s]\nsolve: {{minimize: services.web.replicas, over: {square}}}\n");
    assert_snapshot!("solve_too_many", shop_and(&many));
}

#[test]
fn costs_that_are_not_known() {
    let solve =
        |more: &str, text: &str| shop_and(&format!("expect: [shoppers.p99 < 250ms]\n{more}solve: {text}\n"));
    let over = "minimize: cost, over: {services.web.replicas: 1..50}";
    let web = "cost: {web: 0.05 USD/replica-hour}\n";
    assert_snapshot!("cost_of_nothing", solve("", &format!("{{{over}}}")));
    assert_snapshot!(
        "cost_in_two_currencies",
        solve("cost: {web: 1 USD/replica-hour, db: 1 EUR/replica-hour}\n", &format!("{{{over}}}"))
    );
    let scaled = format!("{web}autoscalers: {{web: {{concurrency: {{target: 35}}, min: 1, max: 9}}}}\n");
    assert_snapshot!("cost_of_an_autoscaler", solve(&scaled, &format!("{{{over}}}")));
    assert_snapshot!(
        "unit_price",
        solve(web, &format!("{{{over}, prices: {{services.web.replicas: 0.05 USD/hour}}}}"))
    );
    assert_snapshot!(
        "unit_price_path",
        solve(web, &format!("{{{over}, prices: {{services.web.replica: 1 USD/unit-hour}}}}"))
    );
    let timed = "{minimize: cost, over: {policies.p.timeout: [1s, 2s]}, prices: {policies.p.timeout: 1 USD/unit-hour}}";
    assert_snapshot!("unit_price_of_time", solve("policies: {p: {timeout: 1s}}\n", timed));
}

#[test]
fn events_that_cannot_happen() {
    let event = |text: &str| shop_and(&format!("events:\n  - {text}\n"));
    assert_eq!(event("{at: 2m, for: 10s, set: {services.db.speed: 0.1}}"), "no message\n");
    assert_snapshot!("event_after_the_end", event("{at: 20m, set: {services.db.speed: 0.1}}"));
    assert_snapshot!("event_path", event("{at: 2m, set: {services.bd.speed: 0.1}}"));
    assert_snapshot!("event_value", event("{at: 2m, set: {services.web.replicas: 0}}"));
    assert_snapshot!("event_section", event("{at: 2m, set: {duration: 5m}}"));
    assert_snapshot!("event_shape", event("{at: 2m, set: {services.db.workers: 5}}"));
    let slow = "{every: 1m, for: 1s, set: {services.db.speed: 0.5}}";
    assert_eq!(event(&[slow; 5].join("\n  - ")), "no message\n");
    assert_snapshot!("events_in_any_order", event(&[slow; 6].join("\n  - ")));
}

#[test]
fn attributes_that_do_not_exist() {
    let attributes = |text: &str| shop("40/s, ", &format!("40/s, attributes: {{{text}}}, "));
    assert_eq!(
        attributes("key: {zipf: {s: 1.1, n: 1M}}, tenant: {weights: {a: 40%, b: 60%}}"),
        "no message\n"
    );
    assert_snapshot!("attribute_unknown", attributes("kye: {uniform: 5}"));
    assert_snapshot!("attribute_spread", attributes("key: {zipff: {s: 1.1, n: 1M}}"));
    assert_snapshot!("attribute_number", attributes("key: 1000"));
    assert_snapshot!("attribute_no_values", attributes("key: {uniform: 0}"));
    assert_snapshot!("attribute_weights", attributes("tenant: {weights: {a: 40%, b: 40%}}"));
}

#[test]
fn connections_that_cannot_be_opened() {
    let pools = |text: &str| {
        shop_and(&format!("resources:\n  sessions: {{slots: 9, queue: 0}}\n  pool: {{slots: 2, {text}}}\n"))
    };
    assert_eq!(
        pools("per: web, connect: {exp: 4ms}, idle: 10m, max_life: 30m, eager: true, from: sessions"),
        "no message\n"
    );
    assert_snapshot!("connection_from", pools("from: sesions"));
    assert_snapshot!("connection_from_itself", pools("from: pool"));
    assert_snapshot!("connection_nobody_opens", pools("connect: 5ms, eager: true"));
    assert_snapshot!("connection_too_old", pools("max_life: 0s"));
    assert_snapshot!("connection_unit", pools("connect: 5, idle: 10"));
    assert_snapshot!("connection_served_together", pools("connect: 5ms, batch: {max: 4, time: 1ms}"));
    let from = |source: &str| {
        let keyed = SHOP.replace("web.checkout}", "web.checkout, attributes: {key: {uniform: 5}}}");
        let text = format!("{keyed}resources:\n  source: {source}\n  pool: {{slots: 2, from: source}}\n");
        seen(&text)
    };
    assert_eq!(from("{slots: 9}"), "no message\n");
    assert_snapshot!("connection_from_a_value", from("{slots: 9, per: key}"));
    assert_snapshot!("connection_from_a_batch", from("{slots: 9, batch: {max: 4, time: 1ms}}"));
    assert_snapshot!("connection_from_a_rate", from("{rate: 10/s, burst: 5}"));
    assert_snapshot!("connection_from_connections", from("{slots: 9, connect: 5ms}"));
}

#[test]
fn routes_that_lead_nowhere() {
    let route = |text: &str| shop_and(&format!("routes:\n  web: {text}\n"));
    assert_eq!(route("{pick: {weighted: [3, 1]}, health: {check: 2s, eject: {}}}"), "no message\n");
    assert_eq!(route("{pick: {hash: class}, connections: pinned}"), "no message\n");
    assert_snapshot!("pick_without_attribute", route("{pick: {hash: key}}"));
    assert_snapshot!("pick_by_what", route("{pick: {hash: kye}}"));
    assert_snapshot!("pick_word", route("{pick: leest_connections}"));
    assert_snapshot!("pick_form", route("{pick: ring}"));
    assert_eq!(route("{pick: join_idle}"), "no message\n");
    assert_eq!(route("{pick: {least: {choices: 3, replacement: true}}}"), "no message\n");
    assert_snapshot!("pick_least_key", route("{pick: {least: {choice: 3}}}"));
    assert_snapshot!("pick_least_nothing", route("{pick: {least: 0}}"));
    assert_snapshot!("pick_weights", route("{pick: {weighted: [3, 1, 1]}}"));
    assert_snapshot!("pick_no_weight", route("{pick: {weighted: [0, 0]}}"));
    assert_snapshot!("pick_points", route("{pick: {ring: {by: class, points: 0}}}"));
    assert_snapshot!("pick_many_points", route("{pick: {ring: {by: class, points: 1M}}}"));
    assert_snapshot!("pick_sticky_for", route("{pick: {sticky: {by: class}}}"));
    assert_snapshot!(
        "pick_sticky_twice",
        route("{pick: {sticky: {by: class, for: 1h, pick: {hash: class}}}}")
    );
    assert_snapshot!("connections", route("{connections: pind}"));
    assert_snapshot!("health_of_nothing", route("{health: {fall: 2}}"));
    assert_snapshot!("health_key", route("{health: {chek: 2s}}"));
    assert_snapshot!("health_at_once", route("{health: {check: 0s, eject: {for: 0s}}}"));
    assert_snapshot!("health_unit", route("{health: {check: 2}}"));
    assert_snapshot!("slow_start_of_nothing", route("{slow_start: 0s}"));
}

#[test]
fn replicas_that_cannot_fail() {
    let event = |text: &str| shop_and(&format!("events:\n  - {text}\n"));
    assert_eq!(event("{at: 2m, for: 1m, fail: web, replicas: 2, after: {exp: 0.1ms}}"), "no message\n");
    assert_snapshot!("fail_service", event("{at: 2m, fail: wbe, after: 1ms}"));
    assert_snapshot!("fail_replicas", event("{at: 2m, fail: web, replicas: 3, after: 1ms}"));
    assert_snapshot!("fail_after", event("{at: 2m, fail: web}"));
    assert_snapshot!("fail_outcome", event("{at: 2m, fail: web, after: 1ms, outcome: ok}"));
    assert_snapshot!("fail_key", event("{at: 2m, fail: web, after: 1ms, set: {services.db.speed: 2}}"));
}

#[test]
fn expectations_of_variants() {
    let variants =
        "autoscalers: {web: {concurrency: {target: 3}}}\nvariants: {scaled: , fixed: {autoscalers: ~}}\n";
    let misspelt = format!("{variants}expect: [scaled.autoscalers.web.flips < 3]\n");
    assert_snapshot!("expect_of_variant_misspelt", shop_and(&misspelt));
}

#[test]
fn variants_that_cannot_be_made() {
    assert_snapshot!("variant_path", shop_and("variants: {fixed: {services.bd.speed: 2}}\n"));
    assert_snapshot!("variant_value", shop_and("variants: {fixed: {services: {web: {replicas: many}}}}\n"));
}

#[test]
fn overrides_that_cannot_be_made() {
    let set = |argument: &str| seen_in(Path::new("."), SHOP, &[argument]);
    assert_eq!(set("services.web.replicas=3"), "no message\n");
    assert_snapshot!("set_without_value", set("services.web.replicas"));
    assert_snapshot!("set_name", set("services.wbe.replicas=3"));
    assert_snapshot!("set_key", set("services.web.replica=3"));
    assert_snapshot!("set_value", set("traffic.shoppers.rate=40"));
    assert_snapshot!("set_below_a_number", set("services.web.replicas.min=3"));
    assert_snapshot!("set_beyond_a_list", set("services.web.endpoints.checkout.7.cpu=3ms"));
}

#[test]
fn policies_that_cannot_be() {
    let sql = |fields: &str| shop_and(&format!("policies: {{sql: {{{fields}}}}}\n"));
    assert_snapshot!("policy_deadline", sql("deadline: 1s"));
    assert_snapshot!("policy_preset", sql("preset: resilience4"));
    assert_snapshot!("budget_without_unit", sql("retry: {budget: 0.1}"));
    assert_snapshot!("budget_beyond_all", sql("retry: {budget: {ratio: 120%}}"));
    assert_snapshot!("budget_of_nothing", sql("retry: {budget: {ratio: 10%, cap: 0.5}}"));
    assert_snapshot!("budget_credit", sql("retry: {budget: {credit: attempts}}"));
    assert_snapshot!("breaker_window_without_unit", sql("breaker: {window: 100}"));
    assert_snapshot!("breaker_window_of_half_a_call", sql("breaker: {window: 1.5 calls}"));
    assert_snapshot!("breaker_at_nothing", sql("breaker: {failures: 0%}"));
    assert_snapshot!("breaker_share_of_nothing", sql("breaker: {slow_share: 50%}"));
    assert_snapshot!("breaker_open_without_unit", sql("breaker: {open: 10}"));
    assert_snapshot!("hedge_percentile", sql("hedge: {after: p101}"));
    assert_snapshot!("hedge_after_nothing", sql("hedge: {max: 1}"));
    assert_snapshot!("hedge_word", sql("hedge: {after: soon}"));
    assert_eq!(sql("retry: {backoff: {exp: 2s}}, avoid_tried: true"), "no message\n");
    assert_eq!(sql("preset: grpc, retry: {backoff: {exp: 2s}}"), "no message\n");
    assert_snapshot!("backoff_drawn_without_unit", sql("retry: {backoff: {exp: 2}}"));
    assert_snapshot!("backoff_drawn_and_growing", sql("retry: {backoff: {exp: 2s, max: 10s}}"));
    assert_snapshot!("avoid_tried_word", sql("avoid_tried: once"));
    assert_snapshot!("limit_of_nothing", sql("limit: 0"));
    assert_snapshot!("limit_without_queue", sql("limit: {calls: 5, timeout: 1s}"));
    assert_snapshot!("policy_key", sql("braker: {}"));
}

#[test]
fn fallbacks_that_cannot_run() {
    let with = |policies: &str| {
        shop_with(
            "to: web.checkout",
            "to: web.checkout, policy: browser",
            &format!("policies: {{{policies}}}\n"),
        )
    };
    assert_snapshot!("fallback_resource", with("browser: {fallback: [{hold: licences, do: []}]}"));
    assert_snapshot!(
        "fallback_without_end",
        with("browser: {fallback: [{call: db.insert, policy: browser}]}")
    );
    assert_eq!(with("browser: {fallback: [{fail: sorry}]}"), "no message\n");
}

#[test]
fn metrics_of_policies() {
    let expect = |metric: &str| {
        let policies = "policies: {browser: {retry: {}, breaker: {}}}\n";
        let more = format!("{policies}expect: [\"{metric}\"]\n");
        shop_with("to: web.checkout", "to: web.checkout, policy: browser", &more)
    };
    assert_eq!(expect("policies.browser.breaker.open < 10%"), "no message\n");
    assert_eq!(expect("browser.breaker.trips = 0"), "no message\n");
    assert_snapshot!("policy_metric", expect("policies.browser.breaker.opn < 10%"));
    assert_snapshot!("policy_metric_unit", expect("policies.browser.retries < 10%"));
}

#[test]
fn what_is_not_supported_yet() {
    assert_snapshot!("not_yet_connect", shop_and("policies: {sql: {connect: 1s}}\n"));
}

#[test]
fn rates_that_let_nothing_through() {
    let rate = |text: &str| shop_and(&format!("resources: {{quota: {{{text}}}}}\n"));
    assert_eq!(rate("rate: 100/min, burst: 20, per: cluster"), "no message\n");
    assert_eq!(rate("rate: 10MiB/s, style: leaky, queue: 10, timeout: 1s"), "no message\n");
    assert_snapshot!("rate_without_time", rate("rate: 100"));
    assert_snapshot!("rate_of_nothing", rate("rate: 0/s"));
    assert_snapshot!("rate_burst_of_a_window", rate("rate: 100/s, style: fixed_window, burst: 5"));
    assert_snapshot!("rate_window_of_a_bucket", rate("rate: 100/s, window: 5s"));
    assert_snapshot!("rate_leaky_without_room", rate("rate: 100/s, style: leaky"));
    assert_snapshot!("rate_short_window", rate("rate: 100/min, style: sliding_window, window: 100ms"));
    assert_snapshot!("rate_impatient", rate("rate: 100/s, timeout: 1s"));
    assert_snapshot!("rate_per_what", rate("rate: 100/s, per: tenant"));
}

#[test]
fn volumes_that_make_no_sense() {
    let volume = |text: &str| shop_and(&format!("resources: {{stock: {{{text}}}}}\n"));
    assert_eq!(volume("volume: 4GiB, level: 1GiB, on_full: block, timeout: 1s"), "no message\n");
    assert_snapshot!("volume_of_nothing", volume("volume: 0"));
    assert_snapshot!("volume_too_full", volume("volume: 10, level: 11"));
    assert_snapshot!("volume_restart", volume("volume: 4GiB, on_full: restart"));
    assert_snapshot!("volume_queue", volume("volume: 10, queue: 5"));
    assert_snapshot!("volume_and_slots", volume("volume: 10, slots: 5"));
}

#[test]
fn caches_that_make_no_sense() {
    let keyed = SHOP.replace("to: web.checkout", "to: web.checkout, attributes: {key: {uniform: 9}}");
    let cached = |step: &str, cache: &str| {
        seen(&format!("{}caches: {{pages: {{{cache}}}}}\n", keyed.replace("{call: db.insert}", step)))
    };
    let cache = |cache: &str| cached("{get: pages}", cache);
    for good in [
        "at: web, size: 100k, evict: lfu, ttl: 60s, jitter: 10%, coalesce: replica, miss: [{call: db.insert}]",
        "at: {service: web}, ttl: 60s, stale_while: 5s, early: 1, negative: 1s, warm: 50%",
        "follows: db, lag: {exp: 2s}",
        "size: 10, evict: none, on_full: fail",
    ] {
        assert_eq!(cache(good), "no message\n", "{good}");
    }
    assert_snapshot!("cache_at_nowhere", cache("at: wbe"));
    assert_snapshot!("cache_at_what", cache("at: {zone: a}"));
    assert_snapshot!("cache_of_another", cache("at: db"));
    assert_snapshot!("cache_without_time", cache("stale_while: 5s, jitter: 10%"));
    assert_snapshot!("cache_time_of_nothing", cache("ttl: 0s"));
    assert_snapshot!("cache_evict_without_size", cache("evict: fifo"));
    assert_snapshot!("cache_evict_word", cache("size: 5, evict: mru"));
    assert_snapshot!("cache_full_but_evicts", cache("size: 5, on_full: fail"));
    assert_snapshot!("cache_never_early", cache("ttl: 5s, early: 0"));
    assert_snapshot!("cache_warm_for_whom", shop_and("caches: {pages: {size: 5, warm: 50%}}\n"));
    assert_snapshot!("cache_fetched_from_itself", cache("miss: [{get: pages}]"));
    assert_snapshot!("cache_wrong_miss", cached("{get: pages}, {get: pages}", "miss: [{call: db.inzert}]"));
    assert_snapshot!("cache_unknown", cached("{get: page}", "ttl: 5s"));
    assert_snapshot!("cache_of_none", shop("{call: db.insert}", "{get: pages}"));
    assert_snapshot!("cache_without_attribute", cached("{get: pages, key: tenant}", "ttl: 5s"));
    assert_snapshot!("copy_of_nothing", cache("follows: bd, lag: 2s"));
    assert_snapshot!("copy_without_lag", cache("follows: db"));
    assert_snapshot!("copy_with_a_size", cache("follows: db, lag: 2s, size: 5, ttl: 5s"));
    assert_snapshot!(
        "copy_pins_whom",
        cache("follows: db, lag: 2s, pin_writer: 5s, miss: [{call: db.insert}]")
    );
    assert_snapshot!("copy_never_missing", cache("follows: db, lag: 2s, miss: [{call: db.insert}]"));
    assert_snapshot!("copy_of_no_service", cache("lag: 2s, pin_writer: 5s"));
    assert_snapshot!("put_removes_from_a_copy", cached("{put: pages, remove: true}", "follows: db, lag: 2s"));
    let event = |event: &str| {
        let both = "caches: {pages: {ttl: 5s}, copy: {follows: db, lag: 2s}}\n";
        seen(&format!("{keyed}{both}events: [{{at: 5s, {event}}}]\n"))
    };
    assert_eq!(event("flush: pages, share: 50%"), "no message\n");
    assert_eq!(event("expire: pages"), "no message\n");
    assert_eq!(event("set: {caches.copy.lag: 30s}"), "no message\n");
    assert_snapshot!("flush_unknown", event("flush: page"));
    assert_snapshot!("flush_a_copy", event("flush: copy"));
    assert_snapshot!("flush_for_a_while", event("for: 5s, flush: pages"));
}

#[test]
fn steps_that_move_what_does_not_move() {
    let resources = "resources: {quota: {rate: 10/s, burst: 5}, stock: {volume: 10}, pool: {slots: 2}, \
                     gpu: {slots: 1, batch: {max: 4, time: 1ms}}}\n";
    let step = |step: &str| shop_with("{call: db.insert}", step, resources);
    for good in ["{take: quota}", "{take: stock, units: all, guard: none}", "{give: stock}", "{hold: gpu}"] {
        assert_eq!(step(good), "no message\n");
    }
    assert_eq!(step("{choose: [{when: stock.free < 20%, do: [{give: stock, units: all}]}]}"), "no message\n");
    assert_snapshot!("take_slots", step("{take: pool}"));
    assert_snapshot!("take_unknown", step("{take: qouta}"));
    assert_snapshot!("take_all_of_a_rate", step("{take: quota, units: all}"));
    assert_snapshot!("take_more_than_the_burst", step("{take: quota, units: 6}"));
    assert_snapshot!("take_unguarded_rate", step("{take: quota, guard: none}"));
    assert_snapshot!("give_a_rate", step("{give: quota}"));
    assert_snapshot!("hold_a_volume", step("{hold: stock, do: [{delay: 1ms}]}"));
    assert_snapshot!("hold_nothing_done", step("{hold: pool}"));
    assert_snapshot!("hold_batch_with_steps", step("{hold: gpu, do: [{delay: 1ms}]}"));
    assert_snapshot!("when_of_a_rate", step("{choose: [{when: quota.level > 0, do: [{delay: 1ms}]}]}"));
    assert_snapshot!("when_without_comparison", step("{choose: [{when: stock.level, do: [{delay: 1ms}]}]}"));
    assert_snapshot!("when_of_what", step("{choose: [{when: stock.sizes > 0, do: [{delay: 1ms}]}]}"));
    let when = |text: &str| step(&format!("{{choose: [{{when: {text}, do: [{{delay: 1ms}}]}}]}}"));
    for good in ["stock.level > 50% and not stock.used = 3", "\"max(1, log2(stock.size)) < 2 * stock.level\""]
    {
        assert_eq!(when(good), "no message\n");
    }
    assert_snapshot!("when_a_number", when("stock.level + 1"));
    assert_snapshot!("when_number_of_condition", when("(stock.level > 1) + 1 > 2"));
    assert_snapshot!("when_unclosed", when("(stock.level > 1"));
    assert_snapshot!("when_function", when("log(stock.level) > 1"));
    assert_snapshot!("when_arguments", when("max(stock.level) > 1"));
    assert_snapshot!("when_cut_by_a_comma", when("max(1, stock.level) > 1"));
    assert_eq!(step("{cpu: 1us, times: 1 + stock.used / stock.size}"), "no message\n");
    assert_eq!(step("{take: stock, units: 0.5 * stock.level}"), "no message\n");
    assert_snapshot!("times_a_condition", step("{delay: 1us, times: stock.level > 1}"));
    assert_snapshot!("times_and_bytes", step("{cpu: 1us, times: stock.level, per_byte: 1ns}"));
    assert_snapshot!("units_of_a_rate", step("{take: stock, units: quota.level}"));
    assert_snapshot!("when_than_what", step("{choose: [{when: stock.level > 5s, do: [{delay: 1ms}]}]}"));
    let batch = |batch: &str| shop_and(&format!("resources: {{gpu: {{slots: 1, batch: {batch}}}}}\n"));
    assert_snapshot!("batch_min_over_max", batch("{max: 4, min: 5, time: 1ms}"));
    assert_snapshot!("batch_without_time", batch("{max: 4}"));
    assert_snapshot!("batch_shed", batch("{max: 4, time: 1ms}, drop_abandoned: true"));
    assert_snapshot!("batch_dropped", batch("{max: 4, time: 1ms}, order: {codel: {}}"));
}

#[test]
fn all_mistakes_of_a_file_at_once() {
    let text = "\
name: shop of horrors
duration: 10
warmup: -5s
traffic:
  shoppers: {rate: 40, to: web.chekout}
  robots: {rate: 5/s, to: wbe.checkout, polcy: x}
services:
  web:
    replicas: 0
    wrokers: 3
    endpoints:
      checkout:
        - cpu: {lognormal: {p50: 9ms, p99: 2ms}}
        - call: db.inser
  db: {endpoints: {insert: [{cpu: {exp: -1ms}}]}}
expect:
  - shoppers.p99 < 250
events:
  - {at: 2m, set: {services.bd.speed: 0.1}}
";
    assert_snapshot!("many_mistakes", seen(text));
}

#[test]
fn explain_shows_what_a_preset_fills_in() {
    let text = format!("{SHOP}policies: {{sql: {{preset: hystrix, timeout: 2s, breaker: {{open: 9s}}}}}}\n");
    let source = Source::from_text("shop.yaml", text, ".").unwrap();
    let explained = scenarios::explain(&source, &[]).unwrap();
    let policies = explained.find("policies:").unwrap()..explained.find("warmup:").unwrap();
    assert_snapshot!("explain_preset", explained[policies]);
    let again = Source::from_text("shop.yaml", explained, ".").unwrap();
    let blueprint = |source: &Source| Scenario::load(source, &[]).unwrap().0.compile();
    assert_eq!(blueprint(&again), blueprint(&source), "what is explained means the same");
}

#[test]
fn cores_with_settings() {
    let cores = |settings: &str| shop("cores: 2", settings);
    assert_eq!(cores("cores: 2\n    scheduling: srpt"), "no message\n");
    assert_eq!(cores("cores: {cores: 0.5, throttle: {}, scheduling: run_to_completion}"), "no message\n");
    assert_eq!(cores("resources: {cpus: {cores: 2, contention: {kappa: 0.01}}}"), "no message\n");
    assert_snapshot!("cores_twice", cores("cores: 2\n    resources: {cpus: {cores: 4}}"));
    assert_snapshot!("cores_two_resources", cores("resources: {a: {cores: 4}, b: {cores: 2}}"));
    assert_snapshot!("cores_of_nobody", shop_and("resources: {cpus: {cores: 4}}\n"));
    let held = SHOP.replace("cores: 2", "resources: {cpus: {cores: 2}}");
    let held = held.replace("{cpu: 5ms}", "{hold: cpus, do: [{cpu: 5ms}]}");
    assert_snapshot!("cores_are_not_held", seen(&held));
    assert_snapshot!("scheduling_word", cores("cores: 2\n    scheduling: fair"));
    assert_snapshot!("scheduling_priority_bare", cores("cores: 2\n    scheduling: priority"));
    assert_snapshot!("scheduling_priority_kind", cores("cores: 2\n    scheduling: {priority: strict}"));
    assert_snapshot!("scheduling_without_classes", cores("cores: 2\n    scheduling: {priority: preemptive}"));
    assert_snapshot!("contention_number", cores("cores: {cores: 2, contention: {sigma: 0.05}}"));
    assert_snapshot!("throttle_period", cores("cores: {cores: 2, throttle: {period: 0ms}}"));
    assert_snapshot!("throttle_host", cores("cores: {cores: 2, throttle: {host_cores: 0}}"));
}

#[test]
fn networks_that_cannot_be() {
    let route = |settings: &str| shop_and(&format!("routes: {{db: {{{settings}}}}}\n"));
    assert_eq!(
        route("latency: 1ms, bandwidth: 1Gbit/s, loss: 1%, connect: {round_trips: 2}"),
        "no message\n"
    );
    assert_snapshot!("bandwidth_unit", route("bandwidth: 1Gbps"));
    assert_snapshot!("bandwidth_zero", route("bandwidth: 0Mbit/s"));
    assert_snapshot!("connect_without_latency", route("connect: {round_trips: 2}"));
    assert_snapshot!("connect_round_trips", route("latency: 1ms, connect: {round_trips: 1000}"));
    assert_snapshot!("retransmit_at_once", route("loss: 1%, retransmit: 0ms"));
    assert_snapshot!("bytes_without_unit", shop("{call: db.insert}", "{call: db.insert, bytes: 1000}"));
}

#[test]
fn explain_shows_where_defaults_come_from() {
    let text = format!("{SHOP}policies: {{sql: {{timeout: 1s, retry: {{}}}}}}\n");
    let source = Source::from_text("shop.yaml", text, ".").unwrap();
    assert_snapshot!("explain", scenarios::explain(&source, &[]).unwrap());
}

/// What a reader sees of a resource of slots with these further keys.
fn slots(more: &str) -> String {
    let held = shop("{cpu: 5ms}", "{hold: pool, do: [{cpu: 5ms}]}");
    assert!(held.contains("there is no resource"), "{held}");
    let text = SHOP.replace("{cpu: 5ms}", "{hold: pool, do: [{cpu: 5ms}]}");
    seen(&format!("{text}resources: {{pool: {{slots: 20, {more}}}}}\n"))
}

#[test]
fn lines() {
    for sound in [
        "order: sjf",
        "order: random",
        "order: edf, timeout: {exp: 1s}",
        "order: {codel: 5ms}",
        "order: {codel: {}}",
        "order: {adaptive_lifo: 5}",
        "order: {adaptive_lifo: {above: 5, codel: {}}}",
        "drop_abandoned: true",
        "admit: {default: 50%}",
        "adapt: {aimd: {}}",
        "adapt: {vegas: {}}",
        "adapt: {gradient: {}}",
    ] {
        assert_eq!(slots(sound), "no message\n", "{sound}");
    }
    assert_snapshot!("order_preempts", slots("order: srpt"));
    assert_snapshot!("order_without_settings", slots("order: codel"));
    assert_snapshot!("order_misspelt", slots("order: {adaptive_life: 5}"));
    assert_snapshot!("deadlines_of_nobody", slots("order: edf"));
    assert_snapshot!("codel_target", slots("order: {codel: {target: 200ms}}"));
    assert_snapshot!("admit_unknown_class", slots("admit: {bulk: 40%}"));
    assert_snapshot!("adapt_without_settings", slots("adapt: gradient"));
    assert_snapshot!("adapt_begins_too_low", slots("adapt: {gradient: {min: 30}}"));
    assert_snapshot!("adapt_bounds", slots("adapt: {aimd: {min: 30, max: 10}}"));
    assert_snapshot!("no_patience", slots("timeout: 0s"));
}

#[test]
fn lines_of_workers() {
    let workers = |lines: &str| shop("    workers: 64\n", &format!("    workers: 64\n{lines}"));
    let sound = "    order: lifo\n    timeout: 1s\n    drop_abandoned: true\n    admit: {default: 50%}\n";
    assert_eq!(workers(sound), "no message\n");
    assert_snapshot!("order_without_workers", shop("    workers: 64", "    order: lifo"));
    assert_snapshot!("size_is_not_known", workers("    order: sjf\n"));
    let held = SHOP.replace("{call: db.insert}", "{hold: pool, do: [{call: db.insert}]}");
    assert_snapshot!(
        "size_of_a_hold",
        seen(&format!("{held}resources: {{pool: {{slots: 2, order: sjf}}}}\n"))
    );
    let levels = SHOP.replace("{cpu: 5ms}", "{hold: pool, do: [{cpu: 5us, times: rows.used}]}");
    let sized = "resources: {pool: {slots: 2, order: sjf}, rows: {volume: 9}}\n";
    assert_snapshot!("size_by_levels", seen(&format!("{levels}{sized}")));
    let two = SHOP.replace("{cpu: 5ms}", "{hold: pool, units: 2, do: [{cpu: 5ms}]}");
    let adapts = "resources: {pool: {slots: 20, adapt: {vegas: {}}}}\n";
    assert_snapshot!("units_above_the_least", seen(&format!("{two}{adapts}")));
}

#[test]
fn queues_and_jobs() {
    assert_snapshot!(
        "queues_names",
        shop_and(
            "queues: {orders: {partitions: 6, by: key, consumers: {job: wrk}, attempts: 3, dead_letter: oders}}
jobs: {work: {service: wob, do: [{send: order}]}}
"
        )
    );
    assert_snapshot!(
        "queues_kinds",
        shop_and(
            "queues:
  line: {by: class, consumers: {job: work, poll: 5s, rebalance: static}, dead_letter: line}
  log: {partitions: 6, visibility: 30s, attempts: 2, dead_letter: grave, consumers: {job: work, rebalance: lazy}}
  grave: {attempts: 2, dead_letter: log, retention: 0s}
jobs: {work: {service: web, do: [{send: log, acks: 2}], every: 1s}}
"
        )
    );
    assert_snapshot!(
        "queues_metrics",
        shop_and(
            "queues: {log: {consumers: {a: {job: work}, b: {job: work}}}}
jobs: {work: {service: web, do: [{delay: 1ms}]}}
events: [{at: 1m, set: {queues.log.partitions: 2}}]
expect: [log.lag < 3, log.a.lagg < 3, log.b.age.slope < 1/s]
"
        )
    );
}

#[test]
fn jobs_that_start_by_themselves() {
    let job = |text: &str| {
        shop_with(
            "web.checkout}",
            "web.checkout, attributes: {key: {uniform: 9}}}",
            &format!(
                "resources: {{tank: {{volume: 10}}, spot: {{volume: 10, per: key}}, quota: {{rate: 5/s}}}}\njobs: {{own: {{service: web, {text}}}}}\n"
            ),
        )
    };
    for sound in [
        "every: 60s, do: [{cpu: 1ms}]",
        "every: {exp: 1h}, at: 0s, per: service, do: [{pause: 1ms}]",
        "when: tank.level < 20%, at: {uniform: [0s, 20s]}, do: [{give: tank, units: all}]",
        "at: 1m, do: [{take: tank}, {delay: 1s}, {give: tank}]",
        "every: 60s, when: tank.used > 0, do: [{pause: 1ms, times: tank.used / tank.size}]",
    ] {
        assert_eq!(job(sound), "no message\n", "{sound}");
    }
    assert_snapshot!("job_that_nothing_starts", job("do: [{delay: 1ms}]"));
    assert_snapshot!("job_at_no_distance", job("every: 0s, do: [{delay: 1ms}]"));
    assert_snapshot!("job_when_no_condition", job("when: tank.level, do: [{delay: 1ms}]"));
    assert_snapshot!("job_when_of_a_rate", job("when: quota.level > 1, do: [{delay: 1ms}]"));
    assert_snapshot!("job_when_of_values", job("when: spot.level > 1, do: [{delay: 1ms}]"));
    assert_snapshot!("job_per_what", job("every: 1s, per: cluster, do: [{delay: 1ms}]"));
    assert_snapshot!(
        "job_of_a_queue_with_a_clock",
        shop_and(
            "queues: {line: {consumers: {job: work}}}
jobs: {work: {service: web, every: 1s, do: [{delay: 1ms}]}}
"
        )
    );
}

#[test]
fn pauses() {
    assert_snapshot!("pause_without_cores", shop("{cpu: {exp: 5ms}}", "{pause: 5ms}"));
    let policy = "web.checkout, policy: {timeout: 1s, fallback: [{pause: 1ms}]}";
    assert_snapshot!("pause_of_a_client", shop("web.checkout", policy));
}

#[test]
fn events_on_a_condition() {
    let event = |text: &str| {
        shop_with(
            "web.checkout}",
            "web.checkout, attributes: {key: {uniform: 9}}}",
            &format!(
                "resources: {{tank: {{volume: 10}}, spot: {{volume: 10, per: key}}, heap: {{volume: 10, per: web}}}}\nevents:\n  - {{{text}}}\n"
            ),
        )
    };
    for sound in [
        "when: tank.level < 3, set: {services.db.speed: 0.5}",
        "when: tank.level < 3, at: 1m, for: {exp: 1s}, set: {services.db.speed: 0.5}",
    ] {
        assert_eq!(event(sound), "no message\n", "{sound}");
    }
    assert_snapshot!(
        "event_when_and_every",
        event("when: tank.level < 3, every: 1m, set: {services.db.speed: 0.5}")
    );
    assert_snapshot!("event_when_of_values", event("when: spot.level < 3, set: {services.db.speed: 0.5}"));
    assert_snapshot!("event_when_of_replicas", event("when: heap.level < 3, set: {services.db.speed: 0.5}"));
}

#[test]
fn faults() {
    let event = |text: &str| shop_and(&format!("events:\n  - {text}\n"));
    let health = "routes: {web: {health: {check: 2s}}}\n";
    for sound in [
        "{at: 1m, crash: web, restart: 30s}",
        "{at: 1m, crash: web, replicas: 2, restart: never}",
        "{every: {exp: 1h}, crash: web}",
        "{mttf: {exp: 1h}, crash: web, restart: {exp: 5m}}",
        "{at: 1m, for: 30s, partition: [web, db]}",
        "{at: 1m, for: 30s, partition: [shoppers, web]}",
        "{at: 1m, latency: {between: [web, db], add: {exp: 5ms}}}",
        "{every: 5m, for: {exp: 10s}, loss: {between: [web, db], share: 5%}}",
        "{at: 1m, deploy: web}",
        "{mttf: 20s, for: 500ms, set: {services.db.speed: 0}}",
    ] {
        assert_eq!(shop_and(&format!("{health}events:\n  - {sound}\n")), "no message\n", "{sound}");
    }
    assert_snapshot!("event_of_two_kinds", event("{at: 1m, crash: web, deploy: web}"));
    assert_snapshot!("event_at_no_time", event("{crash: web}"));
    assert_snapshot!("crash_unknown_service", event("{at: 1m, crash: wep}"));
    assert_snapshot!("crash_more_than_there_are", event("{at: 1m, crash: web, replicas: 3}"));
    assert_snapshot!("crash_restart_word", event("{at: 1m, crash: web, restart: sometimes}"));
    assert_snapshot!("mttf_of_some", event("{mttf: 1h, crash: web, replicas: 1}"));
    assert_snapshot!("mttf_without_end", event("{mttf: 1h, set: {services.db.speed: 0}}"));
    assert_snapshot!("mttf_and_every", event("{mttf: 1h, every: 1h, for: 1s, set: {services.db.speed: 0}}"));
    assert_snapshot!("event_once_drawn", event("{at: 1m, for: {exp: 1s}, set: {services.db.speed: 0}}"));
    assert_snapshot!("partition_of_three", event("{at: 1m, partition: [web, db, shoppers]}"));
    assert_snapshot!("partition_of_one", event("{at: 1m, partition: [web, web]}"));
    assert_snapshot!("partition_unknown_side", event("{at: 1m, partition: [web, bd]}"));
    assert_snapshot!("lose_without_zones", event("{at: 1m, lose: {zone: a}}"));
    assert_snapshot!("deploy_of_nothing", event("{at: 1m, deploy: web, surge: 0%, max_unavailable: 0%}"));
}

#[test]
fn lives_of_replicas() {
    let web = |text: &str| shop("    replicas: 2\n", &format!("    replicas: 2\n    {text}\n"));
    for sound in [
        "startup: 20s",
        "startup: {exp: 20s}",
        "startup: {delay: {exp: 20s}, warm: 30s, slowdown: 3}",
        "drain: 30s",
        "zones: [a, b, c]",
        "resources: {heap: {volume: 4GiB, on_full: restart}}",
    ] {
        assert_eq!(web(sound), "no message\n", "{sound}");
    }
    assert_eq!(shop_and("cost: {web: 0.05 USD/replica-hour, db: 90 EUR/replica-month}\n"), "no message\n");
    assert_snapshot!("startup_without_delay", web("startup: {warm: 30s}"));
    assert_snapshot!("startup_faster", web("startup: {delay: 1s, warm: 30s, slowdown: 0.5}"));
    assert_snapshot!("startup_never_warm", web("startup: {delay: 1s, slowdown: 3}"));
    assert_snapshot!("price_of_time", shop_and("cost: {web: 0.05 USD/hour}\n"));
    assert_snapshot!("price_of_nothing", shop_and("cost: {wep: 0.05 USD/replica-hour}\n"));
    assert_snapshot!("zone_without_zones", shop_and("routes: {db: {zone: prefer}}\n"));
    assert_snapshot!("zone_as_a_pick", shop_and("routes: {db: {pick: {zone: prefer}}}\n"));
    assert_snapshot!(
        "restart_of_what_is_shared",
        shop_and("resources: {heap: {volume: 4GiB, on_full: restart}}\n")
    );
}

#[test]
fn nodes_and_their_prices() {
    let scan = "autoscalers:\n  web: {concurrency: {target: 3}, nodes: {pods: 4, provision: 2m, scan: 0s}}\n";
    assert_snapshot!("nodes_seen_always", shop_and(scan));
    let priced = |price: &str, more: &str| shop_and(&format!("cost: {{web: {price}}}\n{more}"));
    let on_nodes = "autoscalers: {web: {concurrency: {target: 3}, nodes: {pods: 4, provision: 2m}}}\n";
    assert_eq!(priced("0.40 USD/node-hour", on_nodes), "no message\n");
    assert_snapshot!("price_of_no_node", priced("0.40 USD/node-hour", ""));
    assert_snapshot!("price_of_something_else", priced("0.40 USD/pod-hour", on_nodes));
}

#[test]
fn autoscalers() {
    let scaler = |text: &str| shop_and(&format!("autoscalers:\n  {text}\n"));
    let cpu = "metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]";
    let hpa = |more: &str| format!("web: {{hpa: {{maxReplicas: 9, {cpu}}}{more}}}");
    for sound in [
        hpa("").as_str(),
        hpa(", requests: {cpu: 500m, memory: 1Gi}, pipeline: {scrape: 30s, loss: 1%}, scheduling: 2s")
            .as_str(),
        "front: {service: web, schedule: [{from: 1m, until: 2m, replicas: 4}]}",
        "web: {min: 2, max: 9, concurrency: {target: 35}, nodes: {pods: 4, provision: {exp: 2m}}}",
        "web: {latency: {of: web.checkout.p95, target: 200ms}}",
        "web: {queue_depth: {backlog: web.workers.queue_length, rate: shoppers.offered, drain: 1m, per_message: 5ms}}",
        "web: {aws_target_tracking: {target: 50}}",
        "web: {keda: {triggers: [{type: redis, name: lag, metadata: {}}]}, metrics: {lag: web.in_flight}}",
        "web: {knative: {containerConcurrency: 10, target: 5, max-scale: 9, config: {stable-window: 30s}}}",
        "web: {max: 9, aws_step: {policies: [{alarm: {above: 70}, percent: true, min_magnitude: 2, steps: [{to: 10, add: 10}, {from: 10, add: 30}]}]}, predictive: {forecast: [2, 5]}}",
        "web: {min: 0, concurrency: {target: 5}, activator: {queue: 100, timeout: 10s}}",
    ] {
        assert_eq!(scaler(sound), "no message\n", "{sound}");
    }
    assert_snapshot!("scaler_of_nothing", scaler("wep: {concurrency: {target: 35}}"));
    assert_snapshot!("scaler_without_law", scaler("web: {min: 2}"));
    assert_snapshot!(
        "scaler_of_two_laws",
        scaler("web: {concurrency: {target: 3}, aws_target_tracking: {target: 50}}")
    );
    assert_snapshot!(
        "scalers_of_one_service",
        scaler("web: {concurrency: {target: 3}}\n  other: {service: web, concurrency: {target: 3}}")
    );
    assert_snapshot!("scaler_bounds_twice", scaler(&hpa(", min: 2")));
    assert_snapshot!("scaler_bounds", scaler("web: {min: 4, max: 2, concurrency: {target: 0}}"));
    assert_snapshot!(
        "scaler_with_a_timetable",
        scaler(&hpa(", schedule: [{from: 1m, until: 2m, replicas: 4}]"))
    );
    assert_snapshot!("scaler_of_a_bad_manifest", scaler("web: {hpa: {minReplicas: 5, maxReplicas: 4}}"));
    let pods = "web: {hpa: {maxReplicas: 9, metrics: [{type: Pods, pods: {metric: {name: busy}, target: {type: AverageValue, averageValue: 5}}}]}";
    assert_snapshot!("scaler_unknown_metric", scaler(&format!("{pods}}}")));
    assert_snapshot!(
        "scaler_metric_of_others",
        scaler(&format!("{pods}, metrics: {{busy: shoppers.offered}}}}"))
    );
    assert_snapshot!("scaler_metric_unseen", scaler(&format!("{pods}, metrics: {{busy: shoppers.p99}}}}")));
    assert_snapshot!(
        "scaler_metric_misspelt",
        scaler(&format!("{pods}, metrics: {{bussy: web.in_flight}}}}"))
    );
    assert_snapshot!("scaler_manifest_missing", scaler("web: {manifest: hpa.yaml}"));
    assert_snapshot!(
        "scaler_of_memory",
        scaler(
            "web: {hpa: {maxReplicas: 9, metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 70}}}]}}"
        )
    );
    assert_snapshot!(
        "scaler_timetable_backwards",
        scaler("web: {schedule: [{from: 2m, until: 1m, replicas: 4}]}")
    );
    assert_snapshot!(
        "scaler_target_known",
        scaler("web: {hpa: {maxReplicas: 9}, metrics: {cpu: {of: web.in_flight, target: 3}}}")
    );
    assert_snapshot!(
        "scaler_forecast_beside",
        scaler("web: {concurrency: {target: 3}, predictive: {forecast: [2, 5]}}")
    );
    assert_snapshot!("scaler_forecast_empty", scaler("web: {predictive: {forecast: []}}"));
    assert_snapshot!("scaler_knative_word", scaler("web: {knative: {target: many, max-scal: 3}}"));
    let steps = |alarm: &str, steps: &str| {
        scaler(&format!("web: {{aws_step: {{policies: [{{alarm: {{{alarm}}}, steps: [{steps}]}}]}}}}"))
    };
    assert_snapshot!("scaler_steps_of_nothing", scaler("web: {aws_step: {policies: []}}"));
    assert_snapshot!("scaler_steps_without", steps("above: 70", ""));
    assert_snapshot!("scaler_step_twice", steps("above: 70", "{add: 1, remove: 1}"));
    assert_snapshot!("scaler_steps_mixed", steps("above: 70", "{to: 10, add: 1}, {from: 10, set: 9}"));
    assert_snapshot!("scaler_steps_gap", steps("above: 70", "{to: 10, add: 1}, {from: 20, add: 2}"));
    assert_snapshot!("scaler_steps_overlap", steps("above: 70", "{to: 10, add: 1}, {from: 5, add: 2}"));
    assert_snapshot!("scaler_alarm_twice", steps("above: 70, below: 30", "{add: 1}"));
    assert_snapshot!("scaler_alarm_without", steps("period: 1m", "{add: 1}"));
    assert_snapshot!("scaler_alarm_at_once", steps("above: 70, period: 0s", "{add: 1}"));
    assert_snapshot!(
        "scaler_alarm_never",
        steps("above: 70, evaluation_periods: 2, datapoints: 3", "{add: 1}")
    );
    assert_snapshot!(
        "scaler_activator_twice",
        shop_with(
            "workers: 64",
            "workers: 64\n    resources: {activator: {slots: 1}}",
            "autoscalers: {web: {knative: {}}}\n"
        )
    );
    let measured =
        "  web: {concurrency: {target: 35}}\nevents: [{at: 1m, set: {autoscalers.web.pipeline.scrape: 1s}}]";
    assert_snapshot!("scaler_measures_otherwise", shop_and(&format!("autoscalers:\n{measured}\n")));
}

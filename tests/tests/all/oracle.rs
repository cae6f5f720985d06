//! Simulations of scenario files against the oracle vectors.
//!
//! Every configuration becomes a scenario as a user would write it, runs in independent replications from empty,
//! and every metric is held against the known value by the rule of `oracle/README.md`:
//! `|estimate - value| <= 4 sqrt(se^2 + u^2) + u_bias`. The runs are long enough for the test to fail: a standard
//! error over 5 % of the value (10 % for variances, p99 and p99.9, and for what is seen less than once in a
//! thousand requests; more at high load: see [`Scale::limit`]) fails as well. What our observations cannot
//! express is listed in [`NOT_SEEN`] with the reason: a metric that is neither read nor listed fails, and so does
//! one that is both.
//!
//! | variable | effect |
//! |---|---|
//! | `HOCKEYSTICK_LONG` | all configurations, not the representative ones in [`QUICK`] |
//! | `HOCKEYSTICK_ORACLE` | the folder of the vectors; families that are not known here are listed |
//! | `HOCKEYSTICK_ONLY` | only configurations whose name contains this |
//! | `HOCKEYSTICK_SEED` | another seed than 1: is it chance? |

#![expect(clippy::unwrap_used, reason = "a test may")]

mod arrivals;
mod balancers;
mod caches;
mod closed;
mod cores;
mod courses;
mod limiters;
mod networks;
mod policies;
mod published;
mod replicas;
mod seen;
mod stations;
mod text;

use std::env;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use hockeystick_tests::vectors::{self, Case, Exactness, Group, Params};
use models::blueprint::Blueprint;
use models::observe::{Ended, Observations};
use models::{Replication, replicate};
use scenarios::experiment::merge;
use scenarios::{Scenario, Source};
use sim_core::{CancelFlag, Estimate, Histogram};

use self::courses::{COURSES, Course};
use self::seen::{Reading, Seen};
use self::text::Model;
use crate::laws;

/// How a family is written as a scenario, and how its metrics are read.
struct Family {
    name: &'static str,
    model: fn(&Params) -> Model,
    read: fn(&Seen<'_>, &str) -> Option<Reading>,
}

const fn family(
    name: &'static str,
    model: fn(&Params) -> Model,
    read: fn(&Seen<'_>, &str) -> Option<Reading>,
) -> Family {
    Family { name, model, read }
}

const FAMILIES: &[Family] = &[
    family("mm1", stations::station, stations::read_station),
    family("mm1k", stations::station, stations::read_station),
    family("mmc", stations::station, stations::read_station),
    family("mmck", stations::station, stations::read_station),
    family("erlang_b", stations::station, stations::read_station),
    family("md1", stations::station, stations::read_station),
    family("mg1", stations::station, stations::read_station),
    family("mg1k", stations::station, stations::read_station),
    family("mdc", stations::station, stations::read_station),
    family("mgc", stations::station, stations::read_station),
    family("mgc_sim", stations::station, stations::read_station),
    family("gm1", stations::station, stations::read_station),
    family("gg1", stations::station, stations::read_station),
    family("ggc_sim", stations::station, stations::read_station),
    family("ddc", stations::station, stations::read_station),
    family("littles_law", stations::little, stations::read_little),
    family("mg1_ps", stations::sharing, stations::read_sharing),
    family("mg1_lifo_np", stations::lifo, stations::read_lifo),
    family("mg1_priority_np", stations::priority, stations::read_priority),
    family("mmc_priority_np", stations::priority, stations::read_priority),
    family("mg1_sjf", stations::shortest, stations::read_shortest),
    family("erlang_a", stations::impatient, stations::read_impatient),
    family("mmc_queue_timeout", stations::impatient, stations::read_impatient),
    family("mg1_srpt", cores::by_size, cores::read_by_size),
    family("mg1_psjf", cores::by_size, cores::read_by_size),
    family("mg1_foreground_background", cores::by_size, cores::read_by_size),
    family("mg1_lifo_pr", cores::by_size, cores::read_by_size),
    family("mg1_priority_pr", cores::priority, cores::read_priority),
    family("mmc_priority_pr", cores::priority, cores::read_priority),
    family("usl", cores::contention, cores::read_contention),
    family("lb_round_robin", stations::round_robin, stations::read_station),
    family("lb_random", stations::random, stations::read_station),
    family("machine_repair", networks::closed, networks::read_closed),
    family("closed_mva", closed::product_form, closed::read_product_form),
    family("closed_mva_multiclass", closed::classes, closed::read_classes),
    family("closed_jackson", closed::jackson, closed::read_product_form),
    family("jackson_open", networks::jackson, networks::read_jackson),
    family("fanout_max_iid", networks::fan_out, networks::read_response),
    family("fanout_slow_fraction", networks::fan_out, networks::read_slow_share),
    family("quorum", networks::quorum, networks::read_response),
    family("fork_join_sim", networks::fork_join, networks::read_response),
    family("fork_join_mm1", networks::fork_join, networks::read_fork_join),
    family("timeout_retry", policies::timeout_retry, policies::read_timeout_retry),
    family("retry_amplification", policies::amplification, policies::read_amplification),
    family("hedged_request", policies::hedged, policies::read_hedged),
    family("circuit_breaker", policies::breaker, policies::read_breaker),
    family("redundancy_d", policies::redundancy, policies::read_redundancy),
    family("retrial_mmc", policies::retrial, policies::read_retrial),
    family("serial_latency", networks::serial, networks::read_response),
    family("split_merge", networks::split_merge, networks::read_split_merge),
    family("jsq", balancers::shortest, balancers::read),
    family("jiq", balancers::idle, balancers::read),
    family("lb_least_work_left", balancers::least_work, balancers::read),
    family("load_balancer_sim", balancers::policy, balancers::read),
    family("power_of_d_limit", balancers::choices, balancers::read),
    family("token_bucket", limiters::token_bucket, limiters::read_limiter),
    family("leaky_bucket_shaper", limiters::leaky_bucket, limiters::read_limiter),
    family("fixed_window_limiter", limiters::fixed_window, limiters::read_limiter),
    family("mm1_batch_service", limiters::batches, limiters::read_batches),
    family("mxg1", arrivals::batches, stations::read_station),
    family("mg1_vacation", arrivals::vacations, arrivals::read_vacations),
    family("mmpp2_g1", arrivals::modulated, arrivals::read_modulated),
    family("k_of_n_availability", replicas::nodes, replicas::read_nodes),
    family("mg1_breakdown", replicas::pauses, replicas::read_pauses),
    family("mg1_setup", replicas::setup, replicas::read_setup),
    family("cold_start_keepalive", replicas::keep_alive, replicas::read_keep_alive),
    family("ttl_cache", caches::ttl, caches::read),
    family("lru_cache_che", caches::lru, caches::read),
    family("lru_cache_exact", caches::lru, caches::read),
    family("fifo_cache", caches::fifo, caches::read),
    family("cache_stampede", caches::stampede, caches::read),
    family("published", published::model, published::read),
];

const GIVEN_SIZE: &str = "a request's need is not kept beside its response time";

/// What our observations cannot express: family, metric, and why.
const NOT_SEEN: &[(&str, &str, &str)] = &[
    ("mm1", "number_in_system_var", "populations are integrated over time, their squares are not"),
    ("mm1", "prob_n_ge_10", "populations have a mean and a maximum, no distribution over time"),
    ("mm1", "busy_period_mean", "busy periods are not observed"),
    ("mg1_ps", "mean_slowdown", "a request's need is not kept beside its response time, except as a class"),
    ("mg1_srpt", "sojourn_mean_given_size_0.5", GIVEN_SIZE),
    ("mg1_srpt", "sojourn_mean_given_size_3.0", GIVEN_SIZE),
    ("mg1_psjf", "sojourn_mean_given_size_0.5", GIVEN_SIZE),
    ("mg1_psjf", "sojourn_mean_given_size_3.0", GIVEN_SIZE),
    ("mg1_foreground_background", "sojourn_mean_given_size_0.5", GIVEN_SIZE),
    ("mg1_foreground_background", "sojourn_mean_given_size_3.0", GIVEN_SIZE),
    ("usl", "n_peak", "it is no whole number of requests"),
    ("fixed_window_limiter", "prob_window_saturated", "windows are not looked at one by one"),
    ("machine_repair", "prob_all_thinking", "several servers have no distribution of how many are busy"),
    ("mg1_breakdown", "busy_or_paused_fraction_of_load", "pauses of an idle server are not told from others"),
    ("circuit_breaker", "calls_until_trip_mean", "trips are not told apart by the state that they ended"),
    ("load_balancer_sim", "fraction_servers_with_ge_2", SINGLE_QUEUES),
    ("mxg1", "first_of_batch_wait_mean", "which request is the first of its batch is not kept"),
    ("power_of_d_limit", "fraction_servers_with_ge_2", SINGLE_QUEUES),
    ("power_of_d_limit", "fraction_servers_with_ge_3", SINGLE_QUEUES),
    ("lru_cache_che", "hit_ratio_rank1", ALL_KEYS),
    ("lru_cache_che", "hit_ratio_rank10", ALL_KEYS),
    ("published", "n_peak", "it is no whole number of requests"),
    ("published", "amdahl_limit", "it takes infinitely many requests at once"),
];

const SINGLE_QUEUES: &str = "queues are seen all together, not how many of them are how long";

const ALL_KEYS: &str =
    "hits are counted for all keys together; those of a key are held against the bare store";

/// Quantiles at a jump of the distribution function: exactly this share of the times is below it. Either end of the
/// jump may be found, so the share itself is looked at: case, metric, value.
const AT_A_JUMP: [(&str, &str, f64); 1] =
    [("hedged_request/bimodal_m0.0199_d0.02#response_p99", "response_below_0.02", 0.99)];

/// The configurations that are run by default.
const QUICK: &[&str] = &[
    "mm1/lam0.7_mu1",
    "mm1k/lam0.8_mu1_K5",
    "mm1k/lam2_mu1_K1",
    "mmc/c4_rho0.8",
    "mmc/c16_rho0.8",
    "mmck/lam15_mu1_c16_K20",
    "erlang_b/c10_a10_hyperexponential",
    "erlang_b/c50_a45_deterministic",
    "md1/lam0.7_D1",
    "mg1/04_erlang_lam0.8",
    "mg1/10_gamma_lam0.6",
    "mg1k/deterministic_lam0.9_K5",
    "mdc/c2_rho0.5",
    "mgc/c4_rho0.7_hyperexponential_scv2.0",
    "mgc_sim/c2_rho0.8_lognormal",
    "gm1/erl2_rho0.8",
    "gg1/E2_E2",
    "ggc_sim/E4_E4_c8",
    "ddc/a1_s0.8_c1",
    "littles_law/X3.5_W10",
    "mg1_ps/bimodal_lam0.6",
    "mg1_ps/exponential_lam0.8",
    "mg1_lifo_np/deterministic_lam0.5",
    "mg1_priority_np/cfg0",
    "mmc_priority_np/c2_0.4_0.6_0.6",
    "mg1_sjf/exponential_lam0.7",
    "erlang_a/lam10_mu1_c10_theta1",
    "mmc_queue_timeout/lam1.2_mu1_c1_tau3",
    "mg1_srpt/erlang_lam0.8",
    "mg1_psjf/lognormal_lam0.7",
    "mg1_foreground_background/uniform_lam0.7",
    "mg1_lifo_pr/deterministic_lam0.5",
    "mg1_priority_pr/cfg5",
    "mmc_priority_pr/c4_1_2",
    "usl/g50_a0.1_b0.002",
    "lb_round_robin/n3_rho.5",
    "lb_random/n16_rho.7",
    "machine_repair/c1_N5_Z10_s1",
    "closed_mva/cfg1_N50",
    "closed_mva/cfg5_N10",
    "closed_mva_multiclass/cfg0",
    "closed_jackson/cfg0",
    "jackson_open/cfg2",
    "jackson_open/cfg6",
    "fanout_max_iid/lognormal_n5",
    "fanout_slow_fraction/p0.001_n100",
    "quorum/weibull_n5_k2",
    "fork_join_sim/n4_rho0.5",
    "fork_join_sim/n8_rho0.5",
    "fork_join_mm1/n2_rho0.7",
    "timeout_retry/mean0.1_tau0.15_r2_b0.05",
    "retry_amplification/p0.2_r2_layers2",
    "hedged_request/lognormal_m0.02_d0.05",
    "hedged_request/bimodal_m0.0199_d0.02",
    "circuit_breaker/lam20_p0.2_k2_To1",
    "redundancy_d/k4_d2_lam0.5",
    "retrial_mmc/c2_lam1.5_theta1",
    "serial_latency/n3_0.005",
    "split_merge/n4_lam0.3",
    "jsq/n2_lam0.8",
    "jiq/n2_lam0.7",
    "lb_least_work_left/n4_rho.8",
    "load_balancer_sim/power_of_d_n10_d2_lam0.9",
    "load_balancer_sim/jiq_n4_d0_lam0.8",
    "power_of_d_limit/d3_lam0.5",
    "token_bucket/lam120_rate100_B5",
    "leaky_bucket_shaper/lam80_rate100_K3",
    "fixed_window_limiter/lam100_lim100_win1",
    "mm1_batch_service/lam1_mu1_a1_b4",
    "mm1_batch_service/lam5_mu1_a4_b8",
    "mxg1/geometric2_erlang_lam0.3",
    "mg1_vacation/exponential_lam70_exponential",
    "mmpp2_g1/cfg0",
    "mginf_transient/lam20_hyperexponential",
    "mm1_transient/lam0.8_mu1_n00",
    "mtg_inf_sinusoid/lam10_A0.5_P60_exponential",
    "fluid_overload_drain/150_50_100_60",
    "k_of_n_availability/n5_mttf200_mttr20",
    "mg1_breakdown/exponential_lam0.5_xi0.1_exponential_always",
    "mg1_breakdown/exponential_lam0.5_xi0.1_exponential_busy_only",
    "mg1_setup/deterministic_lam0.3_exponential",
    "cold_start_keepalive/lam0.5_ka1",
    "ttl_cache/n1_s0_lam1_T3_fixed_ttl",
    "ttl_cache/n100_s0.8_lam10_T30_reset_on_hit",
    "lru_cache_che/n1000_s1.0_C50",
    "lru_cache_exact/n100_s0.8_C20",
    "fifo_cache/n1000_s0.8_C100",
    "cache_stampede/lam5_L0.1_ttl1_none",
    "cache_stampede/lam10_L2_ttl5_single_flight",
    "mginf/lam10_exponential",
    "mg1_drain/exponential_lam0.8_n50",
    "published/infsrc_a1.9_M3",
    "published/bolch_8_4",
];

/// Replications of each configuration: enough for a standard error that can be trusted four times over.
const REPLICATIONS: u32 = 32;

/// The requests of the independent simulations behind `sim_check`.
const CHECKED: f64 = 1e6;

#[test]
fn simulations_agree_with_the_oracle() {
    let long = is_set("HOCKEYSTICK_LONG");
    let elsewhere = is_set("HOCKEYSTICK_ORACLE");
    let there = vectors::families();
    let mut failures = String::new();
    for name in names() {
        if elsewhere && !there.iter().any(|family| family == name) {
            print(&format!("{name}: not there"));
            continue;
        }
        let found = if let Some(family) = FAMILIES.iter().find(|family| family.name == name) {
            check(family, long)
        } else {
            let course = COURSES.iter().find(|course| course.name == name);
            course.map_or_else(Found::default, |course| check_course(course, long))
        };
        if found.checked + found.not_seen > 0 {
            let Found { passed, checked, not_seen, .. } = found;
            print(&format!("{name}: passed {passed} of {checked}, {not_seen} not observable"));
        }
        print(found.failures.trim_end());
        failures.push_str(&found.failures);
    }
    let unknown = |name: &&String| !names().any(|family| family == name.as_str());
    let unknown: Vec<&str> = there.iter().filter(unknown).map(String::as_str).collect();
    print(&format!("without a scenario: {}", unknown.join(", ")));
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn every_family_has_a_representative_configuration() {
    for name in names() {
        let of_family = |group: &&str| group.split('/').next() == Some(name);
        assert!(QUICK.iter().any(of_family), "{name}");
    }
}

/// The families that there are scenarios for.
fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.name).chain(COURSES.iter().map(|course| course.name))
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some()
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture, and when the test fails")]
fn print(line: &str) {
    if !line.is_empty() {
        println!("{line}");
    }
}

/// What came of a family.
#[derive(Default)]
struct Found {
    passed: usize,
    checked: usize,
    not_seen: usize,
    failures: String,
}

impl Found {
    fn judge(&mut self, case: &Case, estimate: Figure, scale: Scale) {
        self.checked += 1;
        match judge(case, estimate, scale) {
            Ok(()) => self.passed += 1,
            Err(why) => {
                let _ = writeln!(self.failures, "{}: {why}", case.id);
            }
        }
    }

    fn unlisted(&mut self, case: &Case) {
        let _ = writeln!(self.failures, "{}: not observed, and not listed", case.id);
    }
}

/// The configurations of a family that are to be run.
fn groups(name: &str, long: bool) -> Vec<Group> {
    let mut groups = vectors::family(name);
    for case in groups.iter_mut().flat_map(|group| &mut group.cases) {
        if let Some((_, metric, share)) = AT_A_JUMP.iter().find(|(id, ..)| *id == case.id) {
            (case.metric, case.value) = ((*metric).to_owned(), *share);
        }
    }
    if !long {
        let is_quick = |group: &Group| QUICK.contains(&group.name.as_str());
        if groups.iter().any(is_quick) {
            groups.retain(is_quick);
        } else {
            groups.truncate(1); // Of another folder.
        }
    }
    if let Ok(only) = env::var("HOCKEYSTICK_ONLY") {
        groups.retain(|group| group.name.contains(&only));
    }
    groups
}

fn check_course(course: &Course, long: bool) -> Found {
    let mut found = Found::default();
    for (case, estimate) in groups(course.name, long).iter().flat_map(|group| courses::found(course, group)) {
        match estimate {
            Some(estimate) => found.judge(&case, estimate, Scale::NONE),
            None => found.unlisted(&case),
        }
    }
    found
}

fn check(family: &Family, long: bool) -> Found {
    let mut found = Found::default();
    for group in &groups(family.name, long) {
        let run = run(family, group, long);
        for case in &group.cases {
            match (run.estimate(family, case), is_listed(group, case)) {
                (None, true) => found.not_seen += 1,
                (Some(estimate), false) => found.judge(case, estimate, run.scale),
                (None, false) => found.unlisted(case),
                (Some(_), true) => {
                    let _ = writeln!(found.failures, "{}: observed, but listed as not observable", case.id);
                }
            }
        }
    }
    found
}

/// Simulates the configuration; and once or twice more, longer, where it shows too little. How long does not depend
/// on what was found, but on how precise it is.
fn run<'a>(family: &Family, group: &'a Group, long: bool) -> Run<'a> {
    let model = (family.model)(&group.params);
    let mut requests = requests(group, &model, long);
    for _ in 0..2 {
        let run = Run::of(group, &model, requests);
        let lack = run.imprecision(family, group);
        if lack <= 1.0 {
            return run;
        }
        requests *= (1.3 * lack).powi(2).min(10.0);
    }
    Run::of(group, &model, requests)
}

/// Whether the metric is listed as one that cannot be seen.
fn is_listed(group: &Group, case: &Case) -> bool {
    let family = group.name.split('/').next().unwrap_or_default();
    // Two sizes are two classes, which have a slowdown; one server is idle exactly while all think; who has pauses only
    // while it is busy has no others.
    let two_sizes = group.params.get("service").is_some_and(|service| service["dist"] == "bimodal");
    let one_server = family == "machine_repair" && group.params.count("servers") == 1;
    let paused_busy = family == "mg1_breakdown" && group.name.ends_with("_busy_only");
    if two_sizes || one_server || paused_busy {
        return false;
    }
    NOT_SEEN.iter().any(|(of, metric, _)| *of == family && *metric == case.metric)
}

/// A figure of all replications together, and its standard error from their scatter.
#[derive(Clone, Copy)]
struct Figure {
    value: f64,
    error: f64,
    /// Of a quantile: how much is exactly 0.
    zeros: Option<Zeros>,
}

fn judge(case: &Case, estimate: Figure, scale: Scale) -> Result<(), String> {
    let Figure { value, error, .. } = estimate;
    // Seen less than once in a million requests; or all but that often.
    let seldom = if case.below_resolution { Some(0.0) } else { is_nearly_one(case).then_some(1.0) };
    if let Some(near) = seldom {
        let close = (value - near).abs() < 1e-6;
        return if close { Ok(()) } else { Err(format!("{value} is not within 1e-6 of {near}")) };
    }
    if let (Some(zeros), 0.0) = (estimate.zeros, case.value) {
        return zeros.judge();
    }
    let (uncertainty, bias) = match case.exactness {
        Exactness::Exact => (0.0, 0.0),
        Exactness::Approximate(bias) => (0.0, bias),
        Exactness::Simulated(error) => (error, 0.0),
    };
    // The histogram's buckets; and what is left of floating point where nothing is random.
    let rounding = if estimate.zeros.is_some() { 0.004 } else { 1e-9 } * case.value.abs();
    let allowed = 4.0 * error.hypot(uncertainty) + bias + rounding;
    let off = value - case.value;
    if off.abs() > allowed || off.is_nan() {
        let errors = off / error.hypot(uncertainty);
        return Err(format!("{} expected, {value} ± {error} found: {errors:.1} standard errors", case.value));
    }
    let limit = scale.limit(case);
    if error > limit {
        return Err(format!("too imprecise: {value} ± {error}, the limit is {limit}"));
    }
    Ok(())
}

/// A share, or the mean response of a fan-out that hardly ever takes anything but 1 s.
fn is_nearly_one(case: &Case) -> bool {
    let share = ["prob_at_least", "fraction_"].iter().any(|name| case.metric.starts_with(name));
    (share || case.metric.ends_with("_prob") || case.id.starts_with("fanout_slow_fraction/"))
        && case.value < 1.0
        && case.value > 1.0 - 1e-6
}

/// Whether there is something to compare: it is neither 0 nor unheard of.
fn is_compared(case: &Case) -> bool {
    !case.below_resolution && !is_nearly_one(case) && case.value != 0.0
}

/// What lacks to 1, where that is little.
fn lacking(case: &Case) -> Option<f64> {
    let share = case.metric == "utilization" || case.metric.ends_with("_prob");
    (share && case.value > 0.999 && case.value < 1.0).then_some(1.0 - case.value)
}

/// How long the load of a configuration remembers.
#[derive(Clone, Copy)]
struct Scale {
    /// Requests in a relaxation time.
    remembered: f64,
    /// Whether less than one in ten waits.
    calm: bool,
}

impl Scale {
    /// Of runs that start anew.
    const NONE: Self = Self { remembered: 0.0, calm: false };

    fn of(group: &Group, model: &Model) -> Self {
        let waits = group.cases.iter().find(|case| case.metric == "prob_wait");
        let calm = waits.is_some_and(|case| case.value < 0.1);
        Self { remembered: model.relaxation * model.rate, calm }
    }

    /// The largest standard error with which a comparison says something: 5 % of the value, 10 % in the tail and for
    /// what is rare, such as waiting where hardly anybody waits; 20 % of what lacks to 1 where hardly anything does. At
    /// 90 % load and above the longest response times come in herds, a few in a million requests: 15 % for p99.9, and
    /// at 99 % load 15 % for p99 and 30 % for p99.9.
    fn limit(self, case: &Case) -> f64 {
        if let Some(lacking) = lacking(case) {
            return 0.2 * lacking;
        }
        let tail = ["_p99", "_p999", "_var"].iter().any(|end| case.metric.ends_with(end));
        let size = case.value.abs();
        let waits = case.metric.contains("wait") || case.metric.contains("queue");
        let rare = size < 1e-3 || self.calm && waits;
        let limit = match self.remembered {
            _ if !tail && !rare => 0.05,
            remembered if case.metric.ends_with("_p999") && remembered > 1e5 => 0.3,
            remembered if case.metric.ends_with("_p99") && remembered > 1e5 => 0.15,
            remembered if case.metric.ends_with("_p999") && remembered > 1e3 => 0.15,
            _ => 0.1,
        };
        limit * size
    }

    /// Requests that show the case well enough.
    ///
    /// The independent simulations tell what a million requests show; errors fall with the square root. Four times
    /// what it takes, since these errors are estimates as well. In the tail they are too small: there what is
    /// beyond the quantile comes in herds, about one relaxation time long, and the times fall off exponentially.
    fn requests(self, case: &Case) -> f64 {
        let limit = self.limit(case);
        if let Some(lacking) = lacking(case) {
            return 15.0 * lacking / limit.powi(2);
        }
        let error = case.sim_check.map_or(0.0, |check| check.std_err);
        let checked = 4.0 * CHECKED * (error / limit).powi(2);
        let beyond: f64 = match case.metric.rsplit('_').next() {
            Some("p99") => 0.01,
            Some("p999") => 0.001,
            _ => return checked,
        };
        let herds = 2.0 / (beyond * (beyond.ln() * limit / case.value).powi(2));
        checked.max(2.0 * self.remembered * herds)
    }
}

/// The share of times that are exactly 0 where a quantile is to be 0.
#[derive(Clone, Copy)]
struct Zeros {
    /// Of the quantile.
    p: f64,
    share: f64,
    error: f64,
}

impl Zeros {
    fn judge(self) -> Result<(), String> {
        let Self { p, share, error } = self;
        if share + 4.0 * error < p {
            return Err(format!("{p} expected to be 0, {share} ± {error} found"));
        }
        let limit = 0.1 * (1.0 - p);
        if error > limit {
            Err(format!("too imprecise: {share} ± {error}, the limit is {limit}"))
        } else {
            Ok(())
        }
    }
}

/// A configuration that was simulated.
struct Run<'a> {
    plan: Blueprint,
    scale: Scale,
    params: &'a Params,
    replications: Vec<Observations>,
    all: Observations,
}

impl<'a> Run<'a> {
    fn of(group: &'a Group, model: &Model, requests: f64) -> Self {
        let plan = compile(&group.name, model, requests);
        check_laws(&plan, &group.params);
        let replications = simulate(&plan);
        for seen in &replications {
            assert_eq!(seen.ended, Ended::Complete, "{}", group.name);
            laws::check(&plan, seen);
        }
        let all = merge(&replications).unwrap();
        Self { plan, scale: Scale::of(group, model), params: &group.params, replications, all }
    }

    /// The largest standard error in terms of its limit.
    fn imprecision(&self, family: &Family, group: &Group) -> f64 {
        let compared = group.cases.iter().filter(|case| is_compared(case));
        let errors = compared.filter_map(|case| {
            let figure = self.estimate(family, case)?;
            Some(figure.error / self.scale.limit(case))
        });
        errors.fold(0.0, f64::max)
    }

    fn estimate(&self, family: &Family, case: &Case) -> Option<Figure> {
        let read = |observations: &Observations| {
            let segment = observations.segments.last()?;
            (family.read)(&Seen { plan: &self.plan, segment, params: self.params }, &case.metric)
        };
        let all = read(&self.all)?;
        let each: Vec<Reading> = self.replications.iter().filter_map(read).collect();
        assert_eq!(each.len(), REPLICATIONS as usize, "{}", case.id);
        match all {
            Reading::Value(value) => {
                let value_of =
                    |reading: &Reading| if let Reading::Value(x) = reading { *x } else { f64::NAN };
                let error = Estimate::standard_error(&each.iter().map(value_of).collect::<Vec<_>>())?;
                Some(Figure { value, error, zeros: None })
            }
            Reading::Quantile(times, p) => quantile(&times, p, &each),
        }
    }
}

/// The `p`-quantile of all times. Its error follows from that of the share below it, which a few replications tell
/// without bias even of far quantiles.
///
/// Source: Woodruff, *Confidence Intervals for Medians and Other Position Measures*, JASA 47, 1952.
fn quantile(times: &Histogram, p: f64, each: &[Reading]) -> Option<Figure> {
    let shares = |at: u64| -> Option<f64> {
        let share = |reading: &Reading| match reading {
            Reading::Quantile(times, _) => times.share_at_most(at).unwrap_or(f64::NAN),
            Reading::Value(_) => f64::NAN,
        };
        Estimate::standard_error(&each.iter().map(share).collect::<Vec<_>>())
    };
    let seconds = |p: f64| Some(times.quantile(p.clamp(0.0, 1.0))? / 1e9);
    let value = seconds(p)?;
    let off = shares((value * 1e9) as u64)?;
    let error = (seconds(p + off)? - seconds(p - off)?) / 2.0;
    let zeros = Zeros { p, share: times.share_at_most(0)?, error: shares(0)? };
    Some(Figure { value, error, zeros: Some(zeros) })
}

/// How many requests each replication measures: enough for every case, and not less than a round number.
fn requests(group: &Group, model: &Model, long: bool) -> f64 {
    let scale = Scale::of(group, model);
    let seen = group.cases.iter().filter(|case| is_compared(case));
    let needed = seen.map(|case| scale.requests(case));
    let (least, most) = if long { (2e6, 1e8) } else { (5e5, 1e7) };
    let total = needed.fold(least / model.weight.sqrt(), f64::max).min(most / model.weight);
    // Quantiles of replications that are short beside the relaxation time mean nothing.
    (total / f64::from(REPLICATIONS)).max(30.0 * model.relaxation * model.rate)
}

fn compile(name: &str, model: &Model, requests: f64) -> Blueprint {
    let warmup = 6.0 * model.relaxation;
    let duration = warmup + requests / model.rate;
    let text = format!("duration: {duration:.3}s\nwarmup: {warmup:.3}s\n{}", model.text);
    let source = Source::from_text(name, text.clone(), "").unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    let (scenario, _) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    scenario.compile()
}

/// The laws of the file are those of the configuration.
fn check_laws(plan: &Blueprint, params: &Params) {
    for name in ["service", "latency", "branch_service", "copy_service"] {
        let Some(law) = params.get(name).map(vectors::law) else { continue };
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1e-6);
        let is_it = |sampler: &sim_core::distribution::Distribution| {
            close(sampler.mean(), law.mean()) && close(sampler.scv(), law.scv())
        };
        let by_class = plan.classes.len() > 1;
        let mut batches = plan.pools.iter().filter_map(|pool| pool.batch.as_ref());
        let is_there = plan.samplers.iter().any(is_it) || batches.any(|batch| is_it(&batch.base));
        assert!(by_class || is_there, "{law:?} is not among {:?}", plan.samplers);
    }
}

fn seed() -> u64 {
    env::var("HOCKEYSTICK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// The replications, on as many threads as there are.
fn simulate(plan: &Blueprint) -> Vec<Observations> {
    let seed = seed();
    let next = AtomicU32::new(0);
    let done: Mutex<Vec<(u32, Observations)>> = Mutex::default();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= REPLICATIONS {
                break;
            }
            let replication = Replication { seed, index, breakdown: false };
            let observations = replicate(plan, &replication, &CancelFlag::new());
            done.lock().unwrap().push((index, observations));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, seen)| seen).collect()
}

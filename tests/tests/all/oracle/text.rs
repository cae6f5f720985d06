//! Scenario files as a user would write them: the pieces.

use serde_json::Value;

/// A configuration as a scenario, still without `duration` and `warmup`.
pub(super) struct Model {
    /// Everything else of the file.
    pub(super) text: String,
    /// Requests per second.
    pub(super) rate: f64,
    /// How long the empty start is felt, in seconds: the relaxation time.
    pub(super) relaxation: f64,
    /// Calls and steps that a request costs, roughly.
    pub(super) weight: f64,
}

/// The relaxation time of `servers` servers at utilization `rho`.
///
/// Source: Cohen, *The Single Server Queue* (1982), III.7.3; the variation of the service time as in Kingman's
/// formula. It is doubled: what is left of the start after six of them is beyond measuring.
pub(super) fn relaxation(mean: f64, scv: f64, servers: f64, rho: f64) -> f64 {
    let gap = (1.0 - rho.sqrt()).powi(2);
    mean * (1.0 + 2.0 * (1.0 + scv) / (servers * gap))
}

/// Mean and squared coefficient of variation of a law.
pub(super) fn moments(law: &Value) -> (f64, f64) {
    (field(law, "implied_mean"), field(law, "implied_scv"))
}

pub(super) fn field(law: &Value, name: &str) -> f64 {
    law[name].as_f64().unwrap_or_else(|| panic!("there is no number {name} in {law}"))
}

/// A law as a time in the scenario language.
pub(super) fn law(law: &Value) -> String {
    let of = |name: &str| field(law, name);
    let (mean, scv) = moments(law);
    let cv = scv.sqrt();
    match law["dist"].as_str() {
        Some("exponential") => format!("{{exp: {mean}s}}"),
        Some("deterministic") => format!("{mean}s"),
        Some("erlang") => format!("{{erlang: {{mean: {mean}s, k: {}}}}}", of("k")),
        Some("hyperexponential") => {
            let phases = two_of(of("p1"), of("mean1"), of("mean2"));
            format!("{{hyperexp: {phases}}}")
        }
        Some("bimodal") => format!("{{mixture: {}}}", two_of(of("p1"), of("v1"), of("v2"))),
        Some("lognormal") => format!("{{lognormal: {{mean: {mean}s, cv: {cv}}}}}"),
        Some("gamma") => format!("{{gamma: {{mean: {mean}s, cv: {cv}}}}}"),
        Some("weibull") => format!("{{weibull: {{mean: {mean}s, shape: {}}}}}", of("shape")),
        Some("pareto") => format!("{{pareto: {{mean: {mean}s, alpha: {}}}}}", of("alpha")),
        Some("bounded_pareto") => {
            format!("{{pareto: {{mean: {mean}s, alpha: {}, max: {}s}}}}", of("alpha"), of("max"))
        }
        Some("uniform") => format!("{{uniform: [{}s, {}s]}}", of("a"), of("b")),
        _ => panic!("there is no way to write the law {law}"),
    }
}

fn two_of(share: f64, first: f64, second: f64) -> String {
    format!("[[{}%, {first}s], [{}%, {second}s]]", share * 100.0, (1.0 - share) * 100.0)
}

/// Traffic `name` with Poisson arrivals to `to`.
pub(super) fn traffic(name: &str, rate: f64, to: &str) -> String {
    format!("  {name}: {{rate: {rate}/s, to: {to}}}\n")
}

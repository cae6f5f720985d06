//! A service graph as the text of a scenario.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::demand::{CORES, Demand};
use super::graph::{Command, Graph, Service};

/// Longest name that the language takes.
const LONGEST_NAME: usize = 64;
/// Visits of services that a replication is to simulate.
const VISITS: f64 = 200_000.0;
/// Visits of services that all points of a sweep together are to simulate: a minute or two on two cores.
const SWEPT_VISITS: f64 = 6e7;
/// Replications of a point that this is reckoned with: the language's default, fewer decide nothing.
const REPLICATIONS: f64 = 10.0;
/// Points of a sweep: fewer show no curve, more show nothing new.
const POINTS: (f64, f64) = (6.0, 11.0);
/// Requests of a replication: fewer tell too little of the slow ones, more only take longer.
const REQUESTS: (f64, f64) = (500.0, 50_000.0);
/// Widest line of a comment.
const WIDTH: usize = 110;

/// The scenario; `rate` is how it was given, and per second.
pub(super) fn scenario(file: &str, graph: &Graph, demand: &Demand, rate: Option<(&str, f64)>) -> String {
    let names = names(graph);
    let per_second = rate.map_or_else(|| floor(demand.capacity / 2.0), |(_, rate)| rate);
    let rate_text = rate.map_or_else(|| rate_of(per_second), |(text, _)| text.to_owned());
    let bound = bound(demand);
    let duration = duration(demand, per_second, bound);
    let mut out = String::new();
    header(&mut out, file, graph);
    experiment(&mut out, file, duration, (&rate_text, per_second));
    traffic(&mut out, demand, &names, (&rate_text, rate.is_some()), per_second);
    out.push_str("\nservices:\n");
    for (at, service) in graph.services.iter().enumerate() {
        self::service(&mut out, service, &names, at, demand);
    }
    expectations(&mut out, demand, bound);
    sweep(&mut out, demand, &names, duration);
    out
}

fn header(out: &mut String, file: &str, graph: &Graph) {
    let file = plain(base(file));
    comment(
        out,
        &format!(
            "Imported from the Istio service graph {file}. A graph says who calls whom; whatever else latency \
             depends on had to be assumed. Measure it, and change it here:"
        ),
    );
    out.push_str("#\n");
    let assumed = [
        "CPU time: `cpu: {exp: 1ms}` at every service for every request, also for one that fails. The graph has \
         none, and this decides how much the system can take."
            .to_owned(),
        format!("cores: {CORES} for each replica."),
        "workers: no limit, as a Go server has none; `workers: 64` would add one.".to_owned(),
        "network: calls take no time on the way; `routes: {name: {latency: 1ms}}` would add some.".to_owned(),
        "calls: no timeouts and no retries, as the mock service has none. A call that fails fails its caller."
            .to_owned(),
        "errors: independent of each other; the mock service fails every n-th request instead.".to_owned(),
        "arrivals: Poisson, at a rate that the graph does not give.".to_owned(),
    ];
    for text in &assumed {
        item(out, text);
    }
    if !graph.unused.is_empty() {
        out.push_str("#\n# What the graph says and this scenario leaves out:\n#\n");
        for (key, why, times) in &graph.unused {
            let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
            item(out, &format!("{key} ({times}): {why}."));
        }
    }
    out.push('\n');
}

/// Seconds of a replication: long enough for its requests, and for a few of the slow ones to come and go.
fn duration(demand: &Demand, per_second: f64, bound: f64) -> f64 {
    let requests = (VISITS / visits(demand)).clamp(REQUESTS.0, REQUESTS.1);
    ceil(requests / per_second).max(ceil(2.0 * bound))
}

/// Visits of services that a request makes.
fn visits(demand: &Demand) -> f64 {
    demand.visits.iter().sum()
}

fn experiment(out: &mut String, file: &str, duration: f64, (rate, per_second): (&str, f64)) {
    let name = mapped(base(file).rsplit_once('.').map_or(base(file), |(stem, _)| stem));
    let _ = writeln!(out, "name: {}", quoted(&name));
    let _ = writeln!(out, "about: How much traffic can the service graph take?");
    let _ = writeln!(
        out,
        "duration: {}  # about {} requests at {rate}",
        time(duration),
        count(duration * per_second)
    );
    let _ = writeln!(out, "warmup: {}", time(duration / 10.0));
}

fn traffic(
    out: &mut String,
    demand: &Demand,
    names: &[String],
    (rate, given): (&str, bool),
    per_second: f64,
) {
    let share = 100.0 / demand.entries.len() as f64;
    let to = match demand.entries.as_slice() {
        [one] => format!("{}.get", names[*one]),
        several => {
            let shares: Vec<String> = several
                .iter()
                .map(|entry| format!("{}.get: {}%", names[*entry], round(share, 1e4)))
                .collect();
            format!("{{{}}}", shares.join(", "))
        }
    };
    let busiest = &names[demand.busiest];
    let limit = rate_of(round(demand.capacity, 10.0));
    out.push_str("\ntraffic:\n");
    let text = if !given {
        format!("assumed: half of {limit}, at which `{busiest}` saturates.")
    } else if per_second > demand.capacity {
        format!("This is more than the {limit} at which `{busiest}` saturates.")
    } else {
        format!("`{busiest}` saturates at {limit}.")
    };
    indented(out, &text);
    if demand.entries.len() > 1 {
        indented(out, "assumed: all entry points get the same share.");
    }
    let _ = writeln!(out, "  requests: {{rate: {rate}, to: {to}}}");
}

fn service(out: &mut String, service: &Service, names: &[String], at: usize, demand: &Demand) {
    if names[at] != service.name {
        indented(out, &format!("{} in the graph", plain(&service.name)));
    }
    if demand.visits[at] == 0.0 {
        indented(out, "Nothing calls it.");
    }
    let _ = writeln!(out, "  {}:", names[at]);
    let _ = writeln!(out, "    replicas: {}", service.replicas);
    let _ = writeln!(out, "    cores: {CORES}");
    out.push_str("    endpoints:\n      get:\n        - cpu: {exp: 1ms}\n");
    if service.error_rate > 0.0 {
        let _ =
            writeln!(out, "        - {{fail: http_500, rate: {}%}}", round(service.error_rate * 100.0, 1e6));
    }
    for command in &service.script {
        match command {
            Command::All(branches) => {
                out.push_str("        - all:\n");
                for branch in branches {
                    step(out, 12, branch, names);
                }
            }
            one => step(out, 8, one, names),
        }
    }
}

fn step(out: &mut String, indent: usize, command: &Command, names: &[String]) {
    let _ = match command {
        Command::Sleep(text, _) => writeln!(out, "{:indent$}- delay: {text}", ""),
        Command::Call(service, probability) if *probability < 1.0 => writeln!(
            out,
            "{:indent$}- choose: [{{weight: {}%, do: [{{call: {}.get}}]}}, {{else: []}}]",
            "",
            round(probability * 100.0, 1e6),
            names[*service]
        ),
        Command::Call(service, _) => writeln!(out, "{:indent$}- call: {}.get", "", names[*service]),
        Command::All(_) => Ok(()), // Only one level.
    };
}

fn expectations(out: &mut String, demand: &Demand, bound: f64) {
    out.push_str("\nexpect:\n");
    indented(out, "assumed: set these to what your users need.");
    let _ = writeln!(out, "  - requests.p99 < {}", time(bound));
    let errors = if demand.failed > 0.0 { ceil(demand.failed * 150.0).max(1.0) } else { 1.0 };
    if demand.failed > 0.0 {
        let failed = round(demand.failed * 100.0, 100.0);
        indented(out, &format!("The error rates of the graph alone fail about {failed} % of the requests."));
    }
    if errors < 100.0 {
        let _ = writeln!(out, "  - requests.errors < {}%", round(errors, 100.0));
    }
}

fn sweep(out: &mut String, demand: &Demand, names: &[String], duration: f64) {
    out.push_str("\nsweep:\n");
    let limit = demand.capacity;
    indented(
        out,
        &format!("From little load to just beyond the point where `{}` saturates.", names[demand.busiest]),
    );
    let (from, to) = (floor(limit / 10.0), floor(limit * 1.1));
    let point = REPLICATIONS * duration * f64::midpoint(from, to) * visits(demand);
    let points = (SWEPT_VISITS / point).floor().clamp(POINTS.0, POINTS.1);
    let (from, to) = (rate_of(from), rate_of(to));
    let _ = writeln!(out, "  traffic.requests.rate: {{from: {from}, to: {to}, points: {points}}}");
}

/// Seconds within which 99 of 100 requests are expected to be answered: met at half load, not near saturation.
fn bound(demand: &Demand) -> f64 {
    ceil(20.0 * demand.longest.cpu + 1.5 * demand.longest.sleep)
}

/// By service: a name that the language takes, each once.
fn names(graph: &Graph) -> Vec<String> {
    let kept = graph.services.iter().filter(|service| mapped(&service.name) == service.name);
    let mut taken: BTreeSet<String> = kept.map(|service| service.name.clone()).collect();
    let unique = |service: &Service| {
        let name = mapped(&service.name);
        if name == service.name {
            return name;
        }
        let numbered = (2..).map(|n| {
            let number = format!("-{n}");
            format!("{}{number}", &name[..name.len().min(LONGEST_NAME - number.len())])
        });
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
        let free = free.unwrap_or(name);
        taken.insert(free.clone());
        free
    };
    graph.services.iter().map(unique).collect()
}

/// `text` with `-` for everything that a name cannot have.
fn mapped(text: &str) -> String {
    let good = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    let name: String = text.chars().take(LONGEST_NAME).map(good).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// In quotes if YAML takes it for something else than a text.
fn quoted(name: &str) -> String {
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&name.to_lowercase().as_str());
    if word { name.to_owned() } else { format!("\"{name}\"") }
}

/// The last part of a path.
fn base(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// In backticks, on one line.
fn plain(text: &str) -> String {
    format!("`{}`", text.escape_debug())
}

/// A comment, wrapped.
fn comment(out: &mut String, text: &str) {
    wrapped(out, "# ", "# ", text);
}

fn item(out: &mut String, text: &str) {
    wrapped(out, "# - ", "#   ", text);
}

fn indented(out: &mut String, text: &str) {
    wrapped(out, "  # ", "  # ", text);
}

fn wrapped(out: &mut String, first: &str, next: &str, text: &str) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            next.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(&line);
    out.push('\n');
}

/// To a multiple of 1/`steps`.
fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

/// Rounded down to two digits.
fn floor(value: f64) -> f64 {
    let unit = 10_f64.powf(value.log10().floor() - 1.0);
    tidy((value / unit * (1.0 + 1e-12)).floor() * unit)
}

/// Rounded up to 1, 1.5, 2, 3, 5 or 7.5 times a power of ten.
fn ceil(value: f64) -> f64 {
    let unit = 10_f64.powf(value.log10().floor());
    let step = [1.0, 1.5, 2.0, 3.0, 5.0, 7.5].into_iter().find(|step| value <= step * unit * (1.0 + 1e-9));
    tidy(step.unwrap_or(10.0) * unit)
}

/// Without the noise that powers of ten leave behind.
fn tidy(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

fn time(seconds: f64) -> String {
    let seconds = tidy(seconds);
    if seconds >= 1.0 {
        format!("{seconds}s")
    } else if seconds >= 1e-3 {
        format!("{}ms", tidy(seconds * 1e3))
    } else {
        format!("{}us", tidy(seconds * 1e6))
    }
}

fn rate_of(per_second: f64) -> String {
    format!("{}/s", tidy(per_second))
}

/// With commas between the thousands.
fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

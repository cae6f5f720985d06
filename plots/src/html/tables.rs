//! The tables of the report. A column without a single figure is left out.

use std::fmt::Write;

use scenarios::results::{
    Applies, AutoscalerResult, CompareReport, CostResult, E, JobResult, Latency, LifeResult, Met, Report,
    SensitivityReport, ServiceResult, SolveReport, SweepReport, TheoryLine, TrafficResult, TriedPoint,
    Uncertainty, Verdict,
};

use super::verdict_words;
use crate::found::{quantile, resources};
use crate::scene::escape;
use crate::unit::Unit;

/// A cell: its words, and what stands small under them.
#[derive(Clone, Debug, Default)]
struct Cell {
    words: String,
    small: String,
    class: &'static str,
}

impl Cell {
    fn words(words: impl Into<String>) -> Self {
        Self { words: words.into(), class: "words", ..Self::default() }
    }

    /// Words that may break.
    fn long(words: impl Into<String>) -> Self {
        Self { words: words.into(), class: "words long", ..Self::default() }
    }

    fn figure(unit: &Unit, value: Option<f64>) -> Self {
        Self { words: value.map_or_else(String::new, |value| unit.figure(value)), ..Self::default() }
    }

    fn count(count: u64) -> Self {
        Self { words: if count == 0 { String::new() } else { count.to_string() }, ..Self::default() }
    }

    /// An estimate over its interval.
    fn estimate(unit: &Unit, estimate: Option<E>) -> Self {
        let value = estimate.map(|e| e.value);
        let bare = |bound: f64| unit.figure_like(bound, value.unwrap_or(bound), false);
        let interval = estimate.and_then(|e| e.lo.zip(e.hi));
        let small = interval.map_or_else(String::new, |(lo, hi)| format!("{} to {}", bare(lo), bare(hi)));
        let cell = Self::figure(unit, value);
        if cell.words.starts_with('<') { cell } else { Self { small, ..cell } }
    }
}

/// A table with a heading of its own; nothing without rows.
fn table(title: &str, head: &[&str], rows: &[Vec<Cell>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let used = |column: usize| column == 0 || rows.iter().any(|row| !row[column].words.is_empty());
    let columns: Vec<usize> = (0..head.len()).filter(|column| used(*column)).collect();
    let mut out = format!("<section><h2>{}</h2><div class=\"scroll\"><table>\n<thead><tr>", escape(title));
    for &column in &columns {
        let class = if rows[0][column].class.starts_with("words") { " class=\"words\"" } else { "" };
        let _ = write!(out, "<th{class}>{}</th>", escape(head[column]));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for &column in &columns {
            let Cell { words, small, class } = &row[column];
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            let small =
                if small.is_empty() { String::new() } else { format!("<small>{}</small>", escape(small)) };
            let words = if words.is_empty() { "–" } else { words };
            let _ = write!(out, "<td{class}>{}{small}</td>", escape(words));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div></section>\n");
    out
}

/// Expectations and their verdicts.
pub(super) fn verdicts(expect: &[Verdict]) -> String {
    let row = |verdict: &Verdict| {
        let metric = verdict.text.split_whitespace().next().unwrap_or("");
        let (words, class) = verdict_words(verdict.verdict);
        vec![
            Cell::words(&verdict.text),
            Cell { words: words.into(), class, ..Cell::default() },
            Cell::estimate(&Unit::of_metric(metric), verdict.observed),
            Cell::long(verdict.why.clone().unwrap_or_default()),
        ]
    };
    let rows: Vec<_> = expect.iter().map(row).collect();
    table("Expectations", &["expectation", "verdict", "observed", "why"], &rows)
}

const LATENCY: [&str; 6] = ["mean", "p50", "p90", "p95", "p99", "p99.9"];

/// The figures of a latency, with a mark at those that rest on few samples (the page's footer explains it).
fn latency(found: &Latency) -> Vec<Cell> {
    let cell = |name: &&str| {
        let mut cell = Cell::estimate(&Unit::Seconds, quantile(found, name));
        if !cell.words.is_empty() && found.thin.iter().any(|thin| thin == name) {
            cell.words.push('*');
        }
        cell
    };
    LATENCY.iter().map(cell).chain([Cell::figure(&Unit::Seconds, found.max)]).collect()
}

/// All traffics of a result.
pub(super) fn traffic(report: &Report, title: &str) -> String {
    let row = |(name, found): (&String, &TrafficResult)| {
        let mut row = vec![
            Cell::words(name),
            Cell::estimate(&Unit::Rate, found.offered),
            Cell::estimate(&Unit::Rate, found.throughput),
            Cell::estimate(&Unit::Share, found.errors),
            Cell::estimate(&Unit::Count(String::new()), found.attempts_per_request),
        ];
        row.extend(latency(&found.latency));
        row
    };
    let rows: Vec<_> = report.traffic.iter().map(row).collect();
    let head = [
        "traffic",
        "offered",
        "throughput",
        "errors",
        "attempts",
        "mean",
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "max",
    ];
    table(title, &head, &rows)
}

/// The tables of a run.
pub(super) fn run(report: &Report) -> Vec<String> {
    let mut all = vec![traffic(report, "Traffic"), outcomes(report)];
    all.extend(report.traffic.iter().map(|(name, found)| time_at(name, found)));
    all.extend([endpoints(report), lives(report), jobs(report), resource_table(report), autoscalers(report)]);
    all.extend([theory(&report.theory), littles_law(report)]);
    all
}

fn outcomes(report: &Report) -> String {
    let row = |(name, found): (&String, &TrafficResult)| {
        let cell = |(outcome, count): (&String, &u64)| {
            let share = found.shares.get(outcome).map(|e| Unit::Share.figure(e.value)).unwrap_or_default();
            vec![Cell::words(name), Cell::words(outcome), Cell { small: share, ..Cell::count(*count) }]
        };
        found.outcomes.iter().filter(|(_, count)| **count > 0).map(cell).collect::<Vec<_>>()
    };
    let rows: Vec<_> = report.traffic.iter().flat_map(row).collect();
    table("What became of the requests", &["traffic", "outcome", "requests"], &rows)
}

/// Where the requests of each percentile spend their time.
fn time_at(name: &str, found: &TrafficResult) -> String {
    let percentiles: Vec<&String> = found.time_at.keys().collect();
    let mut places: Vec<(&str, &str)> = Vec::new();
    for at in found.time_at.values().flatten() {
        if !places.contains(&(&at.place, &at.kind)) {
            places.push((&at.place, &at.kind));
        }
    }
    let row = |(place, kind): &(&str, &str)| {
        let seconds = |percentile: &&String| {
            let at = found.time_at[*percentile].iter().find(|at| at.place == *place && at.kind == *kind);
            Cell::figure(&Unit::Seconds, at.map(|at| at.seconds))
        };
        let mut row = vec![Cell::words(*place), Cell::words(*kind)];
        row.extend(percentiles.iter().map(seconds));
        row
    };
    let rows: Vec<_> = places.iter().map(row).collect();
    let mut head = vec!["place", "kind"];
    head.extend(percentiles.iter().map(|name| name.as_str()));
    table(&format!("Where requests of {name} spend their time"), &head, &rows)
}

fn endpoints(report: &Report) -> String {
    let mut rows = Vec::new();
    for (service, found) in &report.services {
        for (endpoint, figures) in &found.endpoints {
            let mut row = vec![
                Cell::words(format!("{service}.{endpoint}")),
                Cell::estimate(&Unit::Count(String::new()), found.replicas),
                Cell::estimate(&Unit::Rate, figures.throughput),
                Cell::estimate(&Unit::Rate, figures.failures),
            ];
            row.extend(latency(&figures.latency));
            rows.push(row);
        }
    }
    let head = [
        "endpoint",
        "replicas",
        "throughput",
        "failures",
        "mean",
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "max",
    ];
    table("Services", &head, &rows)
}

/// What became of replicas, where they come and go or have a price, and what they cost.
fn lives(report: &Report) -> String {
    let count = Unit::Count(String::new());
    let row = |(name, found): (&String, &ServiceResult)| {
        let hours = found.replica_hours?;
        let life =
            |of: fn(&LifeResult) -> Option<E>| Cell::estimate(&count, found.life.as_ref().and_then(of));
        Some(vec![
            Cell::words(name),
            life(|life| life.ready),
            life(|life| life.warming),
            life(|life| life.starting),
            life(|life| life.draining),
            life(|life| life.down),
            life(|life| life.starts),
            life(|life| life.crashes),
            Cell::estimate(&count, Some(hours)),
            cost(found.cost.as_ref()),
        ])
    };
    let rows: Vec<_> = report.services.iter().filter_map(row).collect();
    let head = [
        "service",
        "ready",
        "warming",
        "starting",
        "draining",
        "down",
        "starts",
        "crashes",
        "replica-hours",
        "cost",
    ];
    table("Replicas", &head, &rows)
}

fn cost(found: Option<&CostResult>) -> Cell {
    let unit = Unit::Count(found.map_or_else(String::new, |found| found.currency.clone()));
    Cell::estimate(&unit, found.and_then(|found| found.total))
}

fn jobs(report: &Report) -> String {
    let row = |(name, found): (&String, &JobResult)| {
        let mut row = vec![
            Cell::words(name),
            Cell::estimate(&Unit::Rate, found.throughput),
            Cell::estimate(&Unit::Rate, found.failures.filter(|failures| failures.value > 0.0)),
            Cell::estimate(&Unit::Count(String::new()), found.in_flight),
        ];
        row.extend(latency(&found.latency));
        row
    };
    let rows: Vec<_> = report.jobs.iter().map(row).collect();
    let head = ["job", "runs", "failures", "under way", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"];
    table("Jobs", &head, &rows)
}

/// What autoscalers wanted, how often that changed, and for which reason most often.
fn autoscalers(report: &Report) -> String {
    let count = Unit::Count(String::new());
    let row = |(name, found): (&String, &AutoscalerResult)| {
        let looks: u64 = found.reasons.values().sum();
        let mut reasons: Vec<_> = found.reasons.iter().collect();
        reasons.sort_by_key(|(reason, times)| (std::cmp::Reverse(**times), *reason));
        let share = |(reason, times): &(&String, &u64)| {
            format!("{reason} {}", Unit::Share.figure(**times as f64 / looks as f64))
        };
        let reasons: Vec<String> = reasons.iter().take(3).map(share).collect();
        vec![
            Cell::words(name),
            Cell::estimate(&count, found.replicas),
            Cell::estimate(&count, found.replicas_max),
            Cell::estimate(&count, found.ups),
            Cell::estimate(&count, found.downs),
            Cell::estimate(&count, found.changes_per_hour),
            Cell::estimate(&count, found.flaps),
            Cell::estimate(&count, found.nodes),
            Cell::estimate(&count, found.node_hours),
            cost(found.cost.as_ref()),
            Cell::long(reasons.join(", ")),
        ]
    };
    let rows: Vec<_> = report.autoscalers.iter().map(row).collect();
    let head = [
        "autoscaler",
        "wanted",
        "most",
        "up",
        "down",
        "changes/h",
        "flaps",
        "nodes",
        "node-hours",
        "cost of nodes",
        "most often",
    ];
    table("Autoscalers", &head, &rows)
}

fn resource_table(report: &Report) -> String {
    let count = Unit::Count(String::new());
    let rows = resources(report).map(|(name, found)| {
        vec![
            Cell::words(name),
            Cell::words(&found.kind),
            Cell::estimate(&count, found.capacity),
            Cell::estimate(&Unit::Share, found.utilization),
            Cell::estimate(&count, found.in_use),
            Cell::estimate(&count, found.queue_length),
            Cell::count(found.queue_max.unwrap_or(0)),
            Cell::estimate(&Unit::Share, found.wait_probability),
            Cell::estimate(&Unit::Seconds, found.wait.mean),
            Cell::estimate(&Unit::Seconds, found.wait.p99),
            Cell::estimate(&Unit::Seconds, found.hold.mean),
            Cell::count(found.rejected),
            Cell::count(found.timed_out),
            Cell::count(found.dropped),
            Cell::count(found.abandoned),
            Cell::estimate(&Unit::Share, found.paused),
        ]
    });
    let head = [
        "resource",
        "kind",
        "capacity",
        "utilization",
        "in use",
        "queue",
        "longest queue",
        "have to wait",
        "mean wait",
        "p99 wait",
        "mean hold",
        "rejected",
        "timed out",
        "dropped",
        "abandoned",
        "paused",
    ];
    table("Resources", &head, &rows.collect::<Vec<_>>())
}

fn theory(lines: &[TheoryLine]) -> String {
    let row = |line: &TheoryLine| {
        let unit = theory_unit(&line.metric);
        let applies = match line.applies {
            Applies::Exactly => "exactly",
            Applies::Approximately => "approximately",
            Applies::No => "no",
        };
        vec![
            Cell::words(&line.at),
            Cell::words(&line.model),
            Cell::words(&line.metric),
            Cell::figure(&unit, line.value),
            Cell::estimate(&unit, line.simulated),
            Cell::words(applies),
            Cell::long(&line.why),
        ]
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    table(
        "Theory beside the simulation",
        &["at", "model", "metric", "theory", "simulated", "applies", "why"],
        &rows,
    )
}

/// The unit of `response mean`, `wait p99`, `utilization`.
fn theory_unit(metric: &str) -> Unit {
    Unit::of_metric(&metric.replace(' ', "."))
}

fn littles_law(report: &Report) -> String {
    let count = Unit::Count(String::new());
    let rows = report.laws.littles_law.iter().map(|law| {
        vec![
            Cell::words(&law.at),
            Cell::figure(&count, Some(law.l)),
            Cell::figure(&Unit::Rate, Some(law.lambda)),
            Cell::figure(&Unit::Seconds, law.w),
            Cell::figure(&Unit::Share, law.gap),
            Cell { words: format!("{:.0e}", law.residual), ..Cell::default() },
        ]
    });
    let head = ["at", "L", "λ", "W", "(L − λW) / L", "residual of the exact law"];
    table("Little's Law", &head, &rows.collect::<Vec<_>>())
}

/// The tables of a sweep: a line for each point and traffic.
pub(super) fn sweep(sweep: &SweepReport) -> Vec<String> {
    let mut rows = Vec::new();
    for point in &sweep.points {
        for (name, found) in &point.result.traffic {
            let mut row = Vec::new();
            for (i, path) in sweep.paths.iter().enumerate() {
                let unit = Unit::named(sweep.units.get(i).map_or("", String::as_str));
                row.push(Cell::figure(&unit, point.at.get(path).copied()));
            }
            row.extend([
                if point.result.traffic.len() > 1 { Cell::words(name) } else { Cell::default() },
                Cell::estimate(&Unit::Rate, found.offered),
                Cell::estimate(&Unit::Rate, found.throughput),
                Cell::estimate(&Unit::Share, found.errors),
            ]);
            row.extend(latency(&found.latency));
            row.push(busiest(&point.result));
            row.push(state(&point.result));
            rows.push(row);
        }
    }
    let mut head: Vec<&str> = sweep.paths.iter().map(String::as_str).collect();
    head.extend([
        "traffic",
        "offered",
        "throughput",
        "errors",
        "mean",
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "max",
    ]);
    head.extend(["busiest", "expectations"]);
    vec![table("Points", &head, &rows)]
}

/// The resource with the highest utilization.
fn busiest(report: &Report) -> Cell {
    let known = resources(report).filter_map(|(name, found)| Some((name, found.utilization?.value)));
    let top = known.max_by(|a, b| a.1.total_cmp(&b.1));
    top.map_or_else(Cell::default, |(name, value)| Cell {
        words: Unit::Share.figure(value),
        small: name,
        class: "",
    })
}

/// The worst verdict, and whether there is a steady state at all.
fn state(report: &Report) -> Cell {
    let small = report.growth.first().map_or_else(String::new, |growth| format!("{} grows", growth.at));
    let verdicts: Vec<_> = report.expect.iter().map(|verdict| verdict_words(verdict.verdict)).collect();
    let worst = ["bad", "open", "good"].iter().find_map(|class| verdicts.iter().find(|(_, c)| c == class));
    let (words, class) =
        worst.copied().unwrap_or(if small.is_empty() { ("", "") } else { ("no steady state", "bad") });
    Cell { words: words.to_owned(), small, class }
}

/// What was tried for an answer, the smallest first.
pub(super) fn tried(report: &SolveReport) -> String {
    let mut points: Vec<&TriedPoint> = report.tried.iter().collect();
    points.sort_by(|a, b| a.value.total_cmp(&b.value));
    let costs = report.of == "cost";
    let answer = report.answer_point();
    let row = |point: &&TriedPoint| {
        let (words, class) = verdict_words(point.verdict);
        let is_answer = answer.is_some_and(|answer| std::ptr::eq(answer, *point));
        let open = point.result.expect.iter().find(|verdict| verdict.verdict != Met::Met);
        let mut row = vec![Cell::words(if is_answer { "answer" } else { "" })];
        row.extend(costs.then(|| Cell::figure(&Unit::named(&report.unit), Some(point.value))));
        let at = report.paths.iter().zip(&report.units);
        row.extend(at.map(|(path, unit)| Cell::figure(&Unit::named(unit), point.at.get(path).copied())));
        row.extend([
            Cell::estimate(&Unit::of_metric(&report.metric), point.metric),
            Cell { words: words.into(), class, ..Cell::default() },
            Cell::count(u64::from(point.result.replications)),
            Cell::long(open.map(|verdict| verdict.text.clone()).unwrap_or_default()),
        ]);
        row
    };
    let mut head = vec![""];
    head.extend(costs.then_some("cost"));
    head.extend(report.paths.iter().map(String::as_str));
    head.extend([report.metric.as_str(), "verdict", "replications", "because of"]);
    table("Tried", &head, &points.iter().map(row).collect::<Vec<_>>())
}

/// The paired differences.
pub(super) fn differences(compare: &CompareReport) -> String {
    let rows = compare.differences.iter().map(|row| {
        let unit = Unit::of_metric(&row.metric);
        let class = match row.verdict.as_str() {
            "better" => "good",
            "worse" => "bad",
            _ => "open",
        };
        vec![
            Cell::words(&row.metric),
            Cell::words(&row.variant),
            Cell::estimate(&unit, Some(row.base)),
            Cell::estimate(&unit, Some(row.value)),
            Cell::estimate(&unit, Some(row.difference)),
            Cell { words: row.verdict.clone(), class, ..Cell::default() },
        ]
    });
    let base = compare.base.as_str();
    let head = ["metric", "variant", base, "with the variant", "difference", "verdict"];
    table("Paired differences", &head, &rows.collect::<Vec<_>>())
}

/// What every path does to a metric.
pub(super) fn effects(report: &SensitivityReport) -> String {
    let unit = Unit::of_metric(&report.metric);
    let rows = report.paths.iter().map(|path| {
        let own = Unit::named(&path.unit);
        vec![
            Cell::words(&path.path),
            Cell::figure(&own, Some(path.from)),
            Cell::figure(&own, Some(path.to)),
            Cell::estimate(&unit, path.mu_star),
            Cell::estimate(&unit, path.mu),
            Cell::figure(&unit, path.sigma),
            Cell::estimate(&unit, path.low),
            Cell::estimate(&unit, path.high),
        ]
    });
    let title = format!("What moves {}", report.metric);
    let head = ["Path", "from", "to", "μ*", "μ", "σ", "at the start", "at the end"];
    table(&title, &head, &rows.collect::<Vec<_>>())
}

/// Metrics over the points at which uncertain inputs were drawn.
pub(super) fn uncertain(found: &Uncertainty) -> String {
    let rows = found.metrics.iter().map(|metric| {
        let unit = Unit::of_metric(&metric.metric);
        vec![
            Cell::words(&metric.metric),
            Cell::estimate(&unit, Some(metric.mean)),
            Cell::figure(&unit, Some(metric.p5)),
            Cell::figure(&unit, Some(metric.p95)),
        ]
    });
    let title = format!("Uncertain inputs · {} points", found.points);
    table(&title, &["Metric", "mean", "5 % below", "5 % above"], &rows.collect::<Vec<_>>())
}

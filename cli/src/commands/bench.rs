//! `hockeystick bench`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use scenarios::Source;
use scenarios::experiment::{self, Options};
use scenarios::results::{E, Report};
use serde::{Deserialize, Serialize};
use sim_core::student_t;

use crate::effort::on_threads;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::text::{Cell, Column, Page, Table, Unit};
use crate::{formats, interrupt, load, output};

/// Measure the speed of the simulator on five workloads with known answers
///
/// Each is a scenario file, run exactly as `run` would; `--write` puts the files into a folder. A visit to a
/// station counts as two events, whatever happens inside.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Which of them
    #[arg(value_enum, ignore_case = true, default_value = "all")]
    workload: Which,
    /// Threads to use
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Write the scenario files to a folder instead of running them
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Run in this process and print what was measured as JSON
    #[arg(long, hide = true)]
    measure: bool,
}

/// Independent runs of each, as the scenarios say.
const REPLICATIONS: u32 = 10;
/// Of the intervals.
const CONFIDENCE: f64 = 0.95;

/// Which workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    W1,
    W2,
    W3,
    W4,
    W5,
    All,
}

/// A workload and what is known of it.
struct Workload {
    which: Which,
    name: &'static str,
    text: &'static str,
    /// Two for each visit to a station.
    events_per_request: u64,
    /// Exact mean and p99 of the response time in seconds.
    mean: f64,
    p99: f64,
}

const WORKLOADS: [Workload; 5] = [
    Workload {
        which: Which::W1,
        name: "w1",
        text: include_str!("../../bench/w1.yaml"),
        events_per_request: 2,
        mean: 5.0,
        p99: 23.026,
    },
    Workload {
        which: Which::W2,
        name: "w2",
        text: include_str!("../../bench/w2.yaml"),
        events_per_request: 2,
        mean: 1.369_59,
        p99: 5.269_83,
    },
    Workload {
        which: Which::W3,
        name: "w3",
        text: include_str!("../../bench/w3.yaml"),
        events_per_request: 40,
        mean: 0.061_97,
        p99: 0.1497,
    },
    Workload {
        which: Which::W4,
        name: "w4",
        text: include_str!("../../bench/w4.yaml"),
        events_per_request: 20,
        mean: 17.4554,
        p99: 30.52,
    },
    Workload {
        which: Which::W5,
        name: "w5",
        text: include_str!("../../bench/w5.yaml"),
        events_per_request: 2,
        mean: 6.989_79e-3,
        p99: 29.2585e-3,
    },
];

/// What a child process measures of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    /// Visits count twice.
    events: u64,
    /// CPU time in seconds, loading and reporting included.
    cpu: Option<f64>,
    /// Wall time in seconds.
    wall: f64,
    /// Largest resident size in bytes.
    memory: Option<u64>,
    mean: Option<E>,
    p99: Option<E>,
}

pub(crate) fn bench(arguments: &Arguments) -> Result<Exit, Failure> {
    let chosen: Vec<&Workload> = WORKLOADS
        .iter()
        .filter(|workload| arguments.workload == Which::All || arguments.workload == workload.which)
        .collect();
    if let Some(folder) = &arguments.write {
        write(&chosen, folder)?;
        return Ok(Exit::Met);
    }
    if arguments.measure {
        for workload in chosen {
            output::result(&formats::json(&measure(workload, arguments.threads)?)?, None)?;
        }
        return Ok(Exit::Met);
    }
    let mut measured = Vec::new();
    for workload in chosen {
        output::remark(&format!("{}: {}", workload.name, about(workload)));
        measured.push((workload, in_child(workload, arguments.threads)?));
    }
    show(&measured, arguments.threads)?;
    Ok(Exit::Met)
}

fn write(workloads: &[&Workload], folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::write(folder, error))?;
    for workload in workloads {
        output::save(&folder.join(format!("{}.yaml", workload.name)), workload.text.as_bytes())?;
    }
    Ok(())
}

fn about(workload: &Workload) -> &str {
    workload.text.lines().find_map(|line| line.strip_prefix("about: ")).unwrap_or_default()
}

/// In a process of its own, so that its peak of memory is its own.
fn in_child(workload: &Workload, threads: u16) -> Result<Measured, Failure> {
    let failed = |reason: String| Failure::Machine { what: "measure in a process of its own", reason };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let child = Command::new(program)
        .args(["bench", workload.name, "--measure", "--threads", &threads.to_string()])
        .args(output::is_quiet().then_some("--quiet"))
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !child.status.success() {
        return Err(failed(format!("it ended with {}", child.status)));
    }
    serde_json::from_slice(&child.stdout).map_err(|error| failed(error.to_string()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what is measured; no result depends on it"
)]
fn measure(workload: &Workload, threads: u16) -> Result<Measured, Failure> {
    let begin = std::time::Instant::now();
    let report = run(workload, threads)?;
    let traffic = report.traffic.values().next();
    Ok(Measured {
        events: workload.events_per_request * traffic.map_or(0, |traffic| traffic.requests),
        cpu: cpu_seconds(),
        wall: begin.elapsed().as_secs_f64(),
        memory: peak_memory(),
        mean: traffic.and_then(|traffic| traffic.latency.mean),
        p99: traffic.and_then(|traffic| traffic.latency.p99),
    })
}

fn run(workload: &Workload, threads: u16) -> Result<Report, Failure> {
    let source = Source::from_text(format!("{}.yaml", workload.name), workload.text, "")?;
    let loaded = load::load(source, None, &[])?;
    let plan = load::plan(&loaded.scenario, None);
    let cancel = interrupt::flag()?;
    let bar = Bar::new();
    on_threads(Some(threads), || Ok(experiment::run(&plan, Options::default(), &bar, &cancel)?.report))
}

/// CPU time that this process has used.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every system tells it")]
fn cpu_seconds() -> Option<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

#[cfg(not(unix))]
fn cpu_seconds() -> Option<f64> {
    None
}

/// The largest resident size of this process in bytes, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn show(measured: &[(&Workload, Measured)], threads: u16) -> Result<(), Failure> {
    let mut speed = Table::new([
        Column::name("Speed"),
        Column::number("events"),
        Column::number("CPU"),
        Column::number("wall"),
        Column::number("M events/s/core"),
        Column::number("peak memory"),
    ]);
    let mut answers = Table::new(
        [Column::name("Answers")]
            .into_iter()
            .chain(["exact", "simulated", "±"].map(Column::number))
            .chain([Column::text("")]),
    );
    let together = at_once(2 * measured.len());
    for (workload, found) in measured {
        let per_second = found.cpu.map(|cpu| found.events as f64 / cpu / 1e6);
        speed.row([
            Cell::from(format!("  {}", workload.name)),
            Unit::Count.cell(found.events as f64),
            found.cpu.map_or_else(Cell::none, |cpu| Unit::Seconds.cell(cpu)),
            Unit::Seconds.cell(found.wall),
            per_second.map_or_else(Cell::none, |rate| Unit::Count.cell(rate)),
            found.memory.map_or_else(Cell::none, |bytes| Cell::Number {
                digits: format!("{:.1}", bytes as f64 / 1_048_576.0),
                unit: "MiB".to_owned(),
            }),
        ]);
        for (figure, exact, seen) in [("mean", workload.mean, found.mean), ("p99", workload.p99, found.p99)] {
            let seen = seen.map(|e| wider(&e, together));
            answers.row(answer(&format!("  {} {figure}", workload.name), exact, seen));
        }
    }
    let mut page = Page::new(output::width());
    page.prose(&format!(
        "{REPLICATIONS} replications each on {threads} thread{}; a visit to a station counts as two events.",
        if threads == 1 { "" } else { "s" }
    ));
    page.table(&speed);
    page.table(&answers);
    page.item("inside: of intervals that all hold at once with 95 % confidence (Bonferroni)");
    output::result(&page.into_text(), None)
}

/// How much wider intervals are of which `answers` are to hold at once.
fn at_once(answers: usize) -> f64 {
    let degrees = REPLICATIONS - 1;
    student_t(degrees, 1.0 - (1.0 - CONFIDENCE) / answers as f64) / student_t(degrees, CONFIDENCE)
}

fn wider(e: &E, by: f64) -> E {
    let reach = |end: f64| e.value + (end - e.value) * by;
    E { value: e.value, lo: e.lo.map(reach), hi: e.hi.map(reach) }
}

fn answer(name: &str, exact: f64, seen: Option<E>) -> Vec<Cell> {
    let inside = seen.and_then(|e| Some((e.lo?..=e.hi?).contains(&exact)));
    let exact = seen.map_or_else(
        || Unit::Seconds.cell(exact),
        |e| {
            let reach = e.hi.map_or(0.0, |hi| hi - e.value);
            Unit::Seconds.estimate(&E { value: exact, lo: Some(exact - reach), hi: Some(exact + reach) })
        },
    );
    let margin = seen.map_or(Cell::Empty, |e| Unit::Seconds.bare_margin(&e));
    vec![
        Cell::from(name),
        exact,
        seen.map_or_else(Cell::none, |e| Unit::Seconds.estimate(&e)),
        margin,
        Cell::from(match inside {
            Some(true) => "inside",
            Some(false) => "OUTSIDE",
            None => "",
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_that_hold_at_once_are_wider() {
        // Student's t of nine degrees: 2.262 at 95 %, 3.690 at 99.5 %.
        assert!((at_once(10) - 3.690 / 2.262).abs() < 1e-3);
        let e = wider(&E { value: 5.0, lo: Some(4.0), hi: Some(6.0) }, 1.5);
        assert_eq!((e.value, e.lo, e.hi), (5.0, Some(3.5), Some(6.5)));
    }

    #[test]
    fn every_workload_is_a_scenario_without_doubts() {
        for workload in &WORKLOADS {
            let source = Source::from_text(workload.name, workload.text, "").unwrap();
            let (scenario, doubts) = scenarios::Scenario::load(&source, &[]).unwrap();
            assert!(doubts.is_empty(), "{}\n{doubts}", workload.name);
            assert_eq!(scenario.replications(), REPLICATIONS);
            assert!(!about(workload).is_empty());
        }
    }
}

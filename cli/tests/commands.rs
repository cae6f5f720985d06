//! The command as its users meet it: what it prints where, and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn hockeystick() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hockeystick"))
}

/// A folder of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hockeystick-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let output = hockeystick().args(arguments).current_dir(&self.0).output().unwrap();
        Ran::of(&output)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How it ended and what it said.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// A queue whose mean response time is 20 ms.
const QUEUE: &str = "\
name: queue
duration: 200s
warmup: 10s
traffic: {requests: {rate: 50/s, to: server.get}}
services: {server: {workers: 1, endpoints: {get: [{delay: {exp: 10ms}}]}}}
variants: {now: {}, twice: {services.server.workers: 2}}
expect: [requests.mean < 30ms]
sweep: {traffic.requests.rate: [20/s, 60/s]}
";

#[test]
fn the_exit_code_is_the_verdict() {
    let folder = Folder::new("codes");
    folder.write("queue.yaml", QUEUE);
    let code = |more: &[&str]| folder.run(&[&["run", "queue.yaml", "-q"], more].concat()).code;
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--set", "expect=[requests.mean < 10ms]"]), Some(1));
    assert_eq!(code(&["--set", "expect=[requests.men < 10ms]"]), Some(2));
    assert_eq!(code(&["--replications", "3"]), Some(3));
    assert_eq!(code(&["--set", "limits.events=1000"]), Some(3));
}

#[test]
fn a_mistake_is_told_with_its_place_and_the_fix() {
    let folder = Folder::new("mistakes");
    folder.write("wrong.yaml", &QUEUE.replace("workers", "wrkers").replace("50/s", "50"));
    folder.write("queue.yaml", QUEUE);
    let ran = folder.run(&["check", "wrong.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("did you mean `workers`?") && ran.err.contains("wrong.yaml:4:"), "{}", ran.err);

    for (arguments, said) in [
        (&["run", "nowhere.yaml"][..], "there is no such file"),
        (&["run", "."], "it is a folder"),
        (&["run", "queue.yaml", "--variant", "twise"], "did you mean `twice`?"),
        (&["compare", "queue.yaml", "--variants", "now,twise"], "did you mean `twice`?"),
        (&["run", "queue.yaml", "--set", "services.sever.workers=2"], "did you mean `server`?"),
        (&["run", "queue.yaml", "-o", "nowhere/x.json"], "cannot write `nowhere/x.json`"),
        (&["rum", "queue.yaml"], "a similar subcommand exists: 'run'"),
        (&["import", "isotope", "queue.yaml"], "expected a list of services"),
    ] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
        assert!(!ran.err.contains('\u{1b}'), "no colours without a terminal: {:?}", ran.err);
    }
}

#[test]
fn set_changes_what_is_run() {
    let folder = Folder::new("set");
    folder.write("queue.yaml", QUEUE);
    let mean = |set: &str| {
        let ran = folder.run(&["run", "queue.yaml", "--format", "json", "--set", set]);
        let report: scenarios::results::Report = serde_json::from_str(&ran.out).unwrap();
        report.traffic["requests"].latency.mean.unwrap().value
    };
    let (idle, busy) = (mean("traffic.requests.rate=1/s"), mean("traffic.requests.rate=80/s"));
    assert!((0.009..0.0115).contains(&idle), "{idle}");
    assert!((0.04..0.06).contains(&busy), "{busy}");
}

#[test]
fn results_have_a_schema() {
    let folder = Folder::new("schema");
    folder.write("queue.yaml", QUEUE);
    let schema = |arguments: &[&str]| {
        let ran = folder.run(&[arguments, &["queue.yaml", "--format", "json", "-q"]].concat());
        let value: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        value["schema"].as_str().unwrap().to_owned()
    };
    assert_eq!(schema(&["run"]), "hockeystick.result/1");
    assert_eq!(schema(&["sweep"]), "hockeystick.sweep/1");
    assert_eq!(schema(&["compare"]), "hockeystick.compare/1");
    let csv = folder.run(&["run", "queue.yaml", "--format", "csv"]).out;
    assert!(csv.starts_with("metric,value,lo,hi\n"), "{csv}");
    let language = folder.run(&["schema"]).out;
    assert!(language.contains("json-schema.org/draft-07"), "{language}");
}

#[test]
fn a_sweep_draws_its_chart() {
    let folder = Folder::new("sweep");
    folder.write("queue.yaml", QUEUE);
    let ran = folder.run(&["sweep", "queue.yaml", "--out", "charts", "--html"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("Capacity"), "{}", ran.out);
    assert!(ran.err.contains("queue.svg"), "{}", ran.err);
    let starts = |file: &str| fs::read_to_string(folder.0.join("charts").join(file)).unwrap();
    assert!(starts("queue.svg").starts_with("<svg"));
    assert!(starts("queue.html").starts_with("<!"));
}

/// That expectations fail somewhere is what a sweep is to find out.
#[test]
fn a_sweep_ends_well_when_every_point_ran() {
    let folder = Folder::new("explores");
    folder.write("queue.yaml", QUEUE);
    let sweep = |more: &[&str]| folder.run(&[&["sweep", "queue.yaml", "-q"], more].concat());
    let ran = sweep(&["--set", "expect=[requests.mean < 15ms]"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("beyond it `requests.mean < 15ms` fails"), "{said}");
    assert_eq!(sweep(&["--set", "limits.events=1000"]).code, Some(3));
    assert_eq!(sweep(&["--set", "sweep={traffic.requests.rat: [1/s]}"]).code, Some(2));
}

#[test]
fn a_sweep_of_workers_says_how_many_suffice() {
    let folder = Folder::new("suffices");
    folder.write("queue.yaml", QUEUE);
    let ran = folder.run(&[
        "sweep",
        "queue.yaml",
        "--set",
        "sweep={services.server.workers: [1, 2, 3]}",
        "--set",
        "expect=[requests.mean < 15ms]",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("Suffices the smallest value that meets every expectation is 2 workers; at 1 worker `"),
        "{said}"
    );
    assert!(!said.contains("Knee") && !said.contains("Capacity"), "{said}");
}

#[test]
fn doubts_are_told_and_change_no_exit_code() {
    let folder = Folder::new("doubts");
    folder.write("queue.yaml", &QUEUE.replace("50/s", "150/s"));
    let ran = folder.run(&["check", "queue.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err.contains("warning: `server.workers` needs 1.50 units on average and has 1"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("No mistakes."), "{}", ran.out);
}

#[test]
fn results_go_to_standard_output_alone_and_repeat_on_any_threads() {
    let folder = Folder::new("determinism");
    folder.write("queue.yaml", QUEUE);
    let one = folder.run(&["run", "queue.yaml", "--threads", "1", "--check-determinism"]);
    let two = folder.run(&["run", "queue.yaml", "--threads", "2", "-q"]);
    assert_eq!(one.out, two.out);
    assert!(one.out.contains("met        requests.mean < 30ms"), "{}", one.out);
    assert!(one.out.lines().all(|line| line.chars().count() <= 80), "{}", one.out);
    assert!(one.err.contains("two runs gave the same bytes"), "{}", one.err);
    assert_eq!(two.err, "");
}

#[test]
fn new_writes_a_scenario_that_runs_and_overwrites_nothing() {
    let folder = Folder::new("new");
    for template in ["web", "queue", "fanout", "retries", "users"] {
        assert_eq!(folder.run(&["new", template, "--template", template]).code, Some(0));
        let file = format!("{template}.yaml");
        let checked = folder.run(&["check", &file]);
        assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""), "{template}");
        let short = folder.run(&["run", &file, "-q", "--replications", "2"]);
        assert!(matches!(short.code, Some(0 | 3)), "{template}: {short:?}");
    }
    fs::write(folder.0.join("web.yaml"), "mine").unwrap();
    let refused = folder.run(&["new", "web"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("`web.yaml` exists already"), "{}", refused.err);
    assert_eq!(fs::read_to_string(folder.0.join("web.yaml")).unwrap(), "mine");
    assert_eq!(folder.run(&["new", "web", "--force"]).code, Some(0));
}

#[test]
fn an_imported_graph_checks_and_runs() {
    let folder = Folder::new("import");
    folder.write(
        "graph.yaml",
        "defaults: {requestSize: 1 KB, numReplicas: 2}\nservices:\n- name: a\n- name: b\n  script: [sleep: 10ms]\n\
         - name: c\n  isEntrypoint: true\n  script:\n  - - call: a\n    - call: {service: b, size: 10K}\n",
    );
    let ran = folder.run(&["import", "isotope", "graph.yaml", "-o", "graph.out.yaml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let checked = folder.run(&["check", "graph.out.yaml"]);
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""), "{checked:?}");
    let ran = folder.run(&["run", "graph.out.yaml"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(folder.run(&["import", "isotope", "graph.yaml", "-o", "graph.out.yaml"]).code, Some(2));
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    let folder = Folder::new("pipe");
    let mut child = hockeystick()
        .arg("schema")
        .current_dir(&folder.0)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert!(Path::new(&folder.0).exists());
}

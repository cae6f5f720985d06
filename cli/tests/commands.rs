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

/// What was run stands at the top level, before any figure, whatever was asked.
#[test]
fn results_begin_with_what_was_run() {
    let folder = Folder::new("head");
    let more = "solve: {maximize: traffic.requests.rate}\nsensitivity: {of: requests.mean}\n\
                rare: {events: [requests.latency > 40ms], precision: 50%}\n";
    folder.write("queue.yaml", &(QUEUE.replace("200s", "20s").replace("10s", "1s") + more));
    for (command, schema) in
        [("run", "result"), ("solve", "solve"), ("rare", "rare"), ("sweep", "sensitivity")]
    {
        let asked: &[&str] = if schema == "sensitivity" { &["--sensitivity"] } else { &[] };
        let arguments = [&[command], asked, &["queue.yaml", "--variant", "twice", "-q"]].concat();
        let text = folder.run(&arguments);
        assert!(text.out.starts_with("queue, variant twice"), "{}{}", text.out, text.err);
        let json = folder.run(&[&*arguments, &["--format", "json"]].concat()).out;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let head: Vec<&str> = value.as_object().unwrap().keys().take(6).map(String::as_str).collect();
        assert_eq!(head, ["schema", "scenario", "about", "variant", "version", "seed"], "{command}");
        assert_eq!(value["schema"], format!("hockeystick.{schema}/1"));
        assert_eq!((&value["scenario"], &value["variant"]), (&"queue".into(), &"twice".into()));
    }
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

/// The mean response of M/M/1 is 1/(100/s - 50/s) = 20 ms, of M/M/2 10.67 ms.
#[test]
fn an_answer_has_a_picture_and_an_exit_code() {
    let folder = Folder::new("solve");
    folder.write(
        "queue.yaml",
        &format!(
            "{QUEUE}solve: {{minimize: services.server.workers, over: {{services.server.workers: 1..8}}}}\n"
        ),
    );
    let solve = |more: &[&str]| folder.run(&[&["solve", "queue.yaml"], more].concat());
    let ran = solve(&["--set", "expect=[requests.mean < 15ms]", "--html", "--out", "found"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("at which every expectation holds is 2 workers"), "{said}");
    assert!(said.contains("on seed 2 workers 2 holds, in 10 replications"), "{said}");
    let starts = |file: &str| fs::read_to_string(folder.0.join("found").join(file)).unwrap();
    assert!(starts("queue.svg").starts_with("<svg") && starts("queue.html").starts_with("<!"));
    assert_eq!(
        solve(&["-q", "--set", "expect=[requests.mean < 5ms]"]).code,
        Some(1),
        "not even the service is that short"
    );
    assert_eq!(solve(&["-q", "--set", "solve.points=1"]).code, Some(3));
    let wrong = solve(&["--set", "solve={maximize: traffic.requsts.rate}"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("did you mean `requests`?"), "{}", wrong.err);
    folder.write("none.yaml", QUEUE);
    let none = folder.run(&["solve", "none.yaml"]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("`none.yaml` has no `solve`"), "{}", none.err);
    for (format, start) in [
        ("json", "{\n  \"schema\": \"hockeystick.solve/1\""),
        ("csv", "services.server.workers,value,verdict"),
        ("junit", "<?xml"),
    ] {
        let ran = solve(&["-q", "--format", format]);
        assert!(ran.out.starts_with(start), "{}", ran.out);
    }
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

/// An autoscaler at 50 % of the CPU.
const HPA: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {kind: Deployment, name: web}
  maxReplicas: 20
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
";

/// 100 and from a minute on 400, for 14 minutes.
const LOAD: &str = "time,load\n0,100\n60,400\n300,100\n600,100\n";

/// What one replica carries.
const OF_100: [&str; 4] = ["--value", "total", "--capacity", "100"];

/// 2 carry 100 at 50 %. At 60 s 200 % ask for 8, of which 4 are allowed; the other 4 follow at 75 s. They are held
/// until 600 s, one pass beyond 300 s after the last wish for 8.
#[test]
fn a_manifest_is_replayed_against_what_was_recorded() {
    let folder = Folder::new("replay");
    folder.write("hpa.yaml", HPA);
    folder.write("load.csv", LOAD);
    let ran = |more: &[&str]| folder.run(&[&["replay", "hpa.yaml", "load.csv"], &OF_100[..], more].concat());
    let shown = ran(&["--cost", "0.6 USD/replica-hour"]);
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    assert!(shown.out.lines().all(|line| line.chars().count() <= 80), "{}", shown.out);
    insta::assert_snapshot!(shown.out);
    let csv = ran(&["--format", "csv"]).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines,
        [
            "workload,time,at,value,from,to,reason",
            "web,0:01:00,60,200,2,4,ScaleUpLimit",
            "web,0:01:15,75,100,4,8,DesiredWithinRange",
            "web,0:10:00,600,12.5,8,2,DesiredWithinRange",
        ]
    );
    assert_eq!(
        ran(&["--format", "csv", "--all"]).out.lines().count(),
        57,
        "one each 15 s of 840 s, and a head"
    );
    let json = ran(&["--format", "json"]).out;
    assert!(json.starts_with("{\n  \"schema\": \"hockeystick.replay/1\""), "{json}");
    assert_eq!(ran(&["--plot", "web.svg"]).code, Some(0));
    let svg = fs::read_to_string(folder.0.join("web.svg")).unwrap();
    for words in ["target 50 %", "needed", "replicas", "ScaleDownStabilized"] {
        assert!(svg.contains(words), "{words}");
    }
}

#[test]
fn several_autoscalers_are_fed_by_columns_of_their_names() {
    let folder = Folder::new("replay-several");
    folder.write("hpa.yaml", &format!("{HPA}---\n{}", HPA.replace("web", "cart")));
    folder.write("load.csv", "time,cart,web\n0,100,300\n300,100,300\n");
    let ran = |more: &[&str]| folder.run(&[&["replay", "hpa.yaml", "load.csv"], &OF_100[..], more].concat());
    let both = ran(&[]);
    assert_eq!(both.code, Some(0), "{}", both.err);
    assert!(both.out.lines().all(|line| line.chars().count() <= 80), "{}", both.out);
    insta::assert_snapshot!(both.out);
    let one = ran(&["--target", "cart"]).out;
    assert!(one.starts_with("cart: HorizontalPodAutoscaler, 1 to 20 replicas\n"), "{one}");
}

/// The example of the handbook: a picture of it stands there.
#[test]
fn the_example_of_the_handbook_is_replayed() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/replay");
    let output = hockeystick()
        .args(["replay", "hpa.yaml", "load.csv", "--closed"])
        .args(OF_100)
        .current_dir(docs)
        .output()
        .unwrap();
    let ran = Ran::of(&output);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    for words in ["TooManyReplicas", "ScaleDownStabilized", "Under-provisioned", "2 to 10,"] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
}

#[test]
fn what_cannot_be_replayed_is_told_with_its_place_and_the_fix() {
    let folder = Folder::new("replay-mistakes");
    folder.write("hpa.yaml", HPA);
    folder.write("two.yaml", &format!("{HPA}---\n{}", HPA.replace("web", "cart")));
    folder.write("job.yaml", "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nspec: {triggers: []}\n");
    let teapot = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: w}\n\
                  spec: {triggers: [{type: teapot, metadata: {a: b}}]}\n";
    folder.write("teapot.yaml", teapot);
    folder.write("load.csv", LOAD);
    folder.write("back.csv", "time,load\n2026-03-01 09:30:00,1\n2026-03-01 09:29:00,2\n");
    folder.write("when.csv", "time,load\n2026-03-01 09:30:00,1\nyesterday,2\n");
    folder.write("word.csv", "time,load\n0,1\n60,many\n");
    folder.write("wide.csv", "time,a,b\n0,1,2\n");
    folder.write("ragged.csv", "time,load\n0,1\n60,2,3\n");
    folder.write("narrow.csv", "load\n1\n");
    folder.write("empty.csv", "time,load\n");
    folder.write("vector.json", r#"{"status": "success", "data": {"resultType": "vector", "result": []}}"#);
    folder.write("error.json", r#"{"status": "error", "error": "parse error"}"#);
    folder.write("nothing.json", r#"{"data": {"resultType": "matrix", "result": []}}"#);
    folder.write("broken.json", "{\"data\":\n");
    let mut told = String::new();
    let commands: [&[&str]; 21] = [
        &["hpa.yaml", "none.csv"],
        &["hpa.yaml", "back.csv"],
        &["hpa.yaml", "when.csv"],
        &["hpa.yaml", "word.csv"],
        &["hpa.yaml", "wide.csv"],
        &["hpa.yaml", "wide.csv", "--column", "c"],
        &["hpa.yaml", "ragged.csv"],
        &["hpa.yaml", "narrow.csv"],
        &["hpa.yaml", "empty.csv"],
        &["hpa.yaml", "vector.json"],
        &["hpa.yaml", "error.json"],
        &["hpa.yaml", "nothing.json"],
        &["hpa.yaml", "broken.json"],
        &["hpa.yaml", "load.csv", "--value", "total"],
        &["hpa.yaml", "load.csv", "--closed"],
        &["hpa.yaml", "load.csv", "--metric", "cpus"],
        &["hpa.yaml", "load.csv", "load.csv"],
        &["two.yaml", "load.csv", "--plot", "x.svg"],
        &["two.yaml", "load.csv", "--target", "shop"],
        &["job.yaml", "load.csv"],
        &["teapot.yaml", "load.csv"],
    ];
    for command in commands {
        let ran = folder.run(&[&["replay"], command].concat());
        assert_eq!(ran.code, Some(2), "{command:?}: {}", ran.out);
        told += "$ hockeystick replay ";
        told += &command.join(" ");
        told += "\n";
        told += &ran.err;
        told += "\n";
    }
    insta::assert_snapshot!(told);
}

#[test]
fn lengths_of_time_and_prices_of_the_command_line_have_units() {
    let folder = Folder::new("replay-units");
    let told = |more: &[&str]| folder.run(&[&["replay", "hpa.yaml", "load.csv"], more].concat()).err;
    assert!(told(&["--closed", "--startup", "30"]).contains("expected a time such as `5ms`, found `30`"));
    assert!(told(&["--cost", "5"]).contains("expected a price such as `0.05 USD/replica-hour`"));
    assert!(told(&["--capacity", "0"]).contains("expected a number above 0"));
}

#[test]
fn traces_are_written_beside_an_unchanged_result() {
    let folder = Folder::new("traces");
    folder.write("queue.yaml", QUEUE);
    let plain = folder.run(&["run", "queue.yaml", "--format", "json"]);
    let traced = folder.run(&["run", "queue.yaml", "--format", "json", "--trace", "10", "--out", "found"]);
    assert_eq!((plain.code, &plain.out), (traced.code, &traced.out));
    for (file, key) in [("queue.trace.json", "traceEvents"), ("queue.otlp.json", "resourceSpans")] {
        let text = fs::read_to_string(folder.0.join("found").join(file)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(!json[key].as_array().unwrap().is_empty(), "{file}");
    }
}

#[test]
fn a_baseline_tells_what_has_become_worse() {
    let folder = Folder::new("baseline");
    folder.write("queue.yaml", QUEUE);
    folder.write("other.yaml", &QUEUE.replace("name: queue", "name: other"));
    let written = folder.run(&["run", "queue.yaml", "--format", "json", "-o", "before.json"]);
    let run = |arguments: &[&str]| {
        folder.run(&[&["run", "queue.yaml", "--baseline", "before.json"], arguments].concat())
    };

    let same = run(&[]);
    assert_eq!(same.code, written.code, "{}", same.err);
    assert!(same.out.contains("no evidence") && !same.out.contains("REGRESSED"), "{}", same.out);

    let slower = run(&["--set", "traffic.requests.rate=70/s"]);
    assert_eq!(slower.code, Some(1), "{}", slower.err);
    let row =
        |name: &str| slower.out.lines().find(|line| line.trim_start().starts_with(name)).unwrap().to_owned();
    assert!(row("requests.mean").ends_with("REGRESSED"), "{}", slower.out);
    assert!(row("requests.throughput").ends_with("improved"), "{}", slower.out);
    assert!(slower.out.lines().all(|line| line.chars().count() <= 80), "{}", slower.out);
    let junit = run(&["--set", "traffic.requests.rate=70/s", "--format", "junit"]);
    assert!(
        junit.out.contains("queue since its baseline") && junit.out.contains("REGRESSED"),
        "{}",
        junit.out
    );
    let json = run(&["--set", "traffic.requests.rate=70/s", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["baseline"]["changes"][0]["trend"], "regressed");

    // What was not looked at then cannot be judged; what has a name of its own is not judged twice.
    let more = run(&["--set", "expect=[requests.mean < 30ms, requests.p90 < 1s]"]);
    assert!(more.out.contains("Not in both results: requests.p90 < 1s."), "{}", more.out);
    assert_eq!(more.out.matches("requests.mean").count(), 2, "{}", more.out);

    let other = folder.run(&["run", "other.yaml", "--baseline", "before.json"]);
    assert_eq!(other.code, Some(2));
    assert!(other.err.contains("is a result of `queue`, and this is `other`"), "{}", other.err);
    let none = folder.run(&["run", "queue.yaml", "--baseline", "queue.yaml"]);
    assert!(none.err.contains("`queue.yaml` is no result of `run --format json`"), "{}", none.err);
    assert!(none.err.contains("help: write one with"), "{}", none.err);
}

/// A scenario that would run for hours stands in front: nothing of it is run.
#[test]
fn verify_tells_of_all_wrong_scenarios_before_it_runs_one() {
    let folder = Folder::new("verify-wrong");
    folder.write("a.yaml", &QUEUE.replace("200s", "100000h"));
    folder.write("b.yaml", &QUEUE.replace("server.get", "sever.get"));
    folder.write("c.yaml", &format!("{QUEUE}variants: {{fast: {{services.server.speed: -1}}}}\n"));
    let ran = folder.run(&["verify", "a.yaml", "b.yaml", "c.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("b.yaml") && ran.err.contains("c.yaml"), "{}", ran.err);
}

#[test]
fn a_ranking_has_a_picture_and_knows_what_moves_nothing() {
    let folder = Folder::new("ranking");
    let idle =
        QUEUE.replace("services: {", "services: {idle: {workers: 3, endpoints: {get: [{delay: 1ms}]}}, ");
    folder.write("queue.yaml", &idle.replace("duration: 200s", "duration: 30s"));
    let ran = folder.run(&["sweep", "queue.yaml", "--sensitivity=requests.mean"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("moves `requests.mean`"), "{}", ran.out);
    assert!(ran.out.contains("... and not at all by `services.idle."), "{}", ran.out);
    assert!(folder.0.join("queue.svg").is_file());
    let over = ["sweep", "queue.yaml", "-q", "--sensitivity=requests.mean", "--over"];
    let chosen = folder.run(&[&over[..], &["services.idle.workers=1..9"]].concat());
    assert!(chosen.out.contains("none of the paths moves `requests.mean` at all"), "{}", chosen.out);
    let wrong = folder.run(&[&over[..], &["services.idle.workers"]].concat());
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("write `--over services.web.replicas=2..8`"), "{}", wrong.err);
    let unasked = folder.run(&["sweep", "queue.yaml", "--sensitivity"]);
    assert!(unasked.err.contains("`--sensitivity=shoppers.p99`"), "{}", unasked.err);
}

#[test]
fn uncertain_inputs_are_drawn_by_run_and_named_by_all_others() {
    let folder = Folder::new("guesses");
    let guessed = QUEUE.replace("rate: 50/s", "rate: {between: [40/s, 60/s]}");
    folder.write("queue.yaml", &guessed.replace("duration: 200s", "duration: 30s"));
    let few = ["--set", "uncertainty.points=10"];
    let ran = folder.run(&[&["run", "queue.yaml", "--html"], &few[..]].concat());
    assert!(ran.out.contains("measure `traffic.requests.rate` better"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("20 replications of 30 s, of which 10 s warm up, at 10 points"), "{}", ran.out);
    assert!(!ran.err.contains("is uncertain"), "{}", ran.err);
    assert!(fs::read_to_string(folder.0.join("queue.html")).unwrap().contains("class=\"cause\""));
    for command in [&["compare"][..], &["check"], &["verify", "--seeds", "1"]] {
        let ran = folder.run(&[command, &["queue.yaml"], &few[..]].concat());
        assert!(ran.err.contains("`traffic.requests.rate` is uncertain"), "{command:?}: {}", ran.err);
    }
}

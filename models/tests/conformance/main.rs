//! Decisions of real autoscalers, held against the laws in `models::autoscaler`.
//!
//! The vectors and where they come from are told in `README.md`. Another folder of the same kind is run by
//! `HOCKEYSTICK_CONFORMANCE=<folder> cargo test -p models --test conformance`.

mod aws;
mod keda;
mod knative;
mod kubernetes;
mod read;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use read::text;

/// What a case should come to and what it did.
struct Compared {
    expected: Value,
    found: Value,
    /// How far numbers may be apart, relative to the larger.
    tolerance: f64,
}

impl Compared {
    fn new(expected: &Value, found: Value) -> Self {
        Self { expected: expected.clone(), found, tolerance: 1e-9 }
    }

    fn holds(&self) -> bool {
        agrees(&self.expected, &self.found, self.tolerance)
    }
}

/// Whether all that is expected is found; what is found beyond that does not matter, but for the length of lists.
fn agrees(expected: &Value, found: &Value, tolerance: f64) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            !expected.is_empty()
                && expected
                    .iter()
                    .all(|(key, value)| found.get(key).is_some_and(|other| agrees(value, other, tolerance)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected.iter().zip(found).all(|(value, other)| agrees(value, other, tolerance))
        }
        (Value::Number(expected), Value::Number(found)) => {
            if let (Some(expected), Some(found)) = (expected.as_i64(), found.as_i64()) {
                return expected == found;
            }
            let of = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
            let (expected, found) = (of(expected), of(found));
            (expected - found).abs() <= tolerance * expected.abs().max(found.abs()).max(1.0)
        }
        _ => expected == found,
    }
}

/// Runs a case; nothing for a kind that is not known.
fn run(case: &Value) -> Option<Compared> {
    let kind = text(case, "kind");
    kubernetes::run(kind, case)
        .or_else(|| knative::run(kind, case))
        .or_else(|| keda::run(kind, case))
        .or_else(|| aws::run(kind, case))
}

/// What is wrong with a case, if anything is.
fn fault(case: &Value) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| run(case))) {
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Some(format!("it panics: {}", said.unwrap_or_default()))
        }
        Ok(None) => Some(format!("there is no kind `{}`", text(case, "kind"))),
        Ok(Some(compared)) if compared.holds() => None,
        Ok(Some(compared)) => Some(format!("expected {}, found {}", compared.expected, compared.found)),
    }
}

/// Runs a file; a line of what passed, and the faults.
fn run_file(path: &Path, report: &mut String) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let content = std::fs::read_to_string(path).expect("a file that can be read");
    let cases: Vec<Value> = serde_json::from_str(&content).expect("an array of cases");
    let faults: Vec<String> = cases
        .iter()
        .filter_map(|case| fault(case).map(|fault| format!("  {}: {fault}", text(case, "id"))))
        .collect();
    let passed = cases.len() - faults.len();
    writeln!(report, "{name}: passed {passed} of {}", cases.len()).expect("a string takes it");
    for fault in &faults {
        writeln!(report, "{fault}").expect("a string takes it");
    }
    !cases.is_empty() && faults.is_empty()
}

#[test]
#[expect(clippy::print_stdout, reason = "the report is what the suite is run for")]
fn autoscalers_decide_as_the_real_ones_do() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/vectors");
    let folder = std::env::var_os("HOCKEYSTICK_CONFORMANCE").map_or(own, PathBuf::from);
    let entries = std::fs::read_dir(&folder).expect("a folder of vectors");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty(), "no vectors in {}", folder.display());
    let mut report = String::new();
    let passed: Vec<bool> = files.iter().map(|path| run_file(path, &mut report)).collect();
    println!("{report}");
    assert!(passed.iter().all(|passed| *passed), "{report}");
}

#[test]
fn a_comparison_can_fail() {
    let of = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let holds = |expected: &str, found: &str| agrees(&of(expected), &of(found), 1e-9);
    assert!(holds(r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#));
    assert!(holds("0.3", "0.30000000000000004"));
    assert!(!holds(r#"{"a": 1, "b": 2}"#, r#"{"a": 1}"#));
    assert!(!holds("{}", "{}"), "a case that expects nothing proves nothing");
    assert!(!holds("9223372036854775807", "9223372036854775806"));
    assert!(!holds("[1]", "[1, 2]"));
    assert!(!holds("null", "0"));
    assert!(!holds("0.3", "0.3001"));
    let unknown = of(r#"{"id": "x", "kind": "unheard_of", "expected": {}}"#);
    assert!(fault(&unknown).is_some_and(|fault| fault.contains("no kind")));
}

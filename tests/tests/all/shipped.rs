//! The shipped scenarios: each checks without a mistake or a doubt, and its expectations hold.
//!
//! `HOCKEYSTICK_LONG=1` runs them on twenty seeds each rather than on their own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use scenarios::experiment::{self, Silent};
use scenarios::results::{Met, Verdict};
use scenarios::{Override, Scenario, Source};
use sim_core::CancelFlag;

/// Seeds that a long test runs.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

/// Where the scenarios that ship are.
pub(crate) const FOLDERS: [&str; 2] = ["library", "lessons"];

/// The files of such a folder, sorted.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(folder);
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 6, "{}: {} scenarios", path.display(), files.len());
    files
}

fn read(file: &Path) -> Source {
    Source::read(file).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn load(source: &Source, overrides: &[Override]) -> Scenario {
    let (scenario, doubts) =
        Scenario::check(source, overrides).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    match DOUBTS.iter().find(|(name, _)| *name == scenario.name()) {
        Some((_, doubt)) => assert!(doubts.to_string().contains(doubt), "{}: {doubts}", scenario.name()),
        None => assert!(doubts.is_empty(), "{doubts}"),
    }
    scenario
}

/// Scenarios about something that `check` rightly warns of, and a part of the warning.
const DOUBTS: &[(&str, &str)] = &[
    ("expiry_wave", "all expire after 60 s, at the same instant"),
    ("cpu_of_waiters", "the CPU of `web` is at 25 % of what is requested, and the target is 70 %"),
    ("guesses", "is uncertain, and taken to be the middle of its range"),
    ("flash_sale", "needs 13.3 units on average and has 10"),
    ("consumer_lag", "gets 5000 messages a second and `index` works off 4000 at most"),
    ("held_or_queued", "needs 600 units on average and has 200"),
    ("hot_range", "needs 20.0 units on average and has 8"),
    (
        "scaling_exhausts_the_database",
        "30 replicas with 10 of `web.conns` each: 300, and `db.sessions` has 97",
    ),
    ("rebalance_storm", "a full batch of 500 takes `bill` 350 s on average"),
    ("tolerance", "`web` gives replicas away at once, and a replica of `web` takes 20.0 s to start"),
    ("whale_quota", "needs 26.7 units on average and has 20"),
];

/// The sets that `HOCKEYSTICK_LONG` asks for: none, or one seed each.
fn seeds() -> Vec<Vec<Override>> {
    if std::env::var_os("HOCKEYSTICK_LONG").is_none() {
        return vec![Vec::new()];
    }
    let set =
        |seed: u64| Override::parse(&format!("seed={seed}")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    SEEDS.map(|seed| vec![set(seed)]).collect()
}

/// Every verdict on the scenario: on it as it stands, and on its variants against each other.
fn verdicts(source: &Source, overrides: &[Override]) -> Vec<Verdict> {
    let (verdicts, complete) = experiment::verdicts(source, overrides, &Silent, &CancelFlag::default())
        .unwrap_or_else(|broken| panic!("{broken}"));
    assert!(complete, "nobody cut it short");
    verdicts
}

fn assert_expectations_hold(folder: &str) {
    let mut failures = String::new();
    for file in files(folder) {
        let source = read(&file);
        let written = load(&source, &[]).expectations().len();
        for overrides in seeds() {
            let verdicts = verdicts(&source, &overrides);
            assert!(verdicts.len() >= written, "{}: {verdicts:#?}", file.display());
            for verdict in verdicts.iter().filter(|verdict| verdict.verdict != Met::Met) {
                let seed = overrides.first().map(Override::value);
                writeln!(failures, "{}, seed {seed:?}: {verdict:?}", file.display()).expect("memory");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_library_keeps_its_expectations() {
    assert_expectations_hold("library");
}

#[test]
fn the_lessons_agree_with_their_theory() {
    assert_expectations_hold("lessons");
}

/// A reader who opens a file finds in three lines what it shows, then its name, which is that of the file.
#[test]
fn a_shipped_scenario_begins_with_what_it_shows() {
    for file in FOLDERS.into_iter().flat_map(files) {
        let source = read(&file);
        let comments = source.text().lines().take_while(|line| line.starts_with("# ")).count();
        assert!((2..=6).contains(&comments), "{}: {comments} lines", file.display());
        let scenario = load(&source, &[]);
        let stem = file.file_stem().expect("a file").to_string_lossy();
        assert_eq!(stem.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_'), scenario.name());
        assert!(scenario.about().is_some_and(|about| about.ends_with('?')), "{}", file.display());
        assert!(!scenario.expectations().is_empty(), "{}", file.display());
    }
}

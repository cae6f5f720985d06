//! `hockeystick verify`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use scenarios::experiment::{self, Unverified};
use scenarios::results::{Met, VerifyReport};
use scenarios::{Override, Scenario, Source};

use crate::effort::on_threads;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::{formats, interrupt, junit, load, output, text};

/// Whether expectations hold on many seeds: every scenario, every variant
///
/// Each scenario is run as written and with all its variants, once for each seed. The table has a line for each
/// expectation: the lowest and the highest figure of all seeds, and the worst verdict.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How many seeds: 1 to this
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: u32,
    /// Set the value at a path, as in `--set replications=30`; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Threads to use; the result does not depend on it [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Write the result to a file instead of printing it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A table
    Text,
    /// A table for a document
    Markdown,
    /// One JSON object
    Json,
    /// XML of `JUnit` for CI systems: a test for each expectation, which fails, or is an error where it is undecided
    Junit,
}

pub(crate) fn verify(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut overrides = Vec::new();
    for set in &arguments.set {
        overrides.push(Override::parse(set)?);
    }
    let sources = sound(&files(&arguments.files)?, &overrides)?;
    output::expect_folders(arguments.output.iter().map(PathBuf::as_path))?;
    let cancel = interrupt::flag()?;
    let bar = Bar::new();
    let seen = on_threads(arguments.threads, || {
        let one = |source| experiment::verify(source, &overrides, arguments.seeds, &bar, &cancel);
        let seen: Result<Vec<_>, Unverified> = sources.iter().map(one).collect();
        seen.map_err(|why| match why {
            Unverified::Wrong(mistakes) => Failure::from(mistakes),
            Unverified::Broken(broken) => Failure::from(broken),
        })
    });
    drop(bar);
    let report = VerifyReport {
        schema: "hockeystick.verify/1".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seeds: arguments.seeds,
        scenarios: seen?,
    };
    let text = match arguments.format {
        Form::Text => text::verify(&report, output::width()),
        Form::Markdown => text::verify_markdown(&report),
        Form::Json => formats::json(&report)?,
        Form::Junit => junit::verified(&report)?,
    };
    output::result(&text, arguments.output.as_deref())?;
    if interrupt::was_pressed() {
        return Ok(Exit::Interrupted);
    }
    let verdicts = || report.scenarios.iter().flat_map(|scenario| &scenario.expect).map(|e| e.verdict);
    Ok(if verdicts().any(|verdict| verdict == Met::NotMet) {
        Exit::NotMet
    } else if verdicts().any(|verdict| verdict == Met::Undecided)
        || report.scenarios.iter().any(|scenario| !scenario.complete)
    {
        Exit::Undecided
    } else {
        Exit::Met
    })
}

/// The scenarios, none of which is wrong: before any of them runs, all that is wrong with all of them is told.
fn sound(files: &[PathBuf], overrides: &[Override]) -> Result<Vec<Source>, Failure> {
    let look = |file: &PathBuf| {
        let source = load::read(file)?;
        let (scenario, doubts) = Scenario::load_not_drawn(&source, overrides)?;
        experiment::variants(&source, overrides)?;
        if !scenario.uncertain().inputs.is_empty() {
            output::warn(&doubts);
        }
        Ok(source)
    };
    let (mut sound, mut wrong) = (Vec::new(), Vec::new());
    for file in files {
        match look(file) {
            Ok(source) => sound.push(source),
            Err(failure) => wrong.push(failure),
        }
    }
    if wrong.is_empty() { Ok(sound) } else { Err(Failure::Several(wrong)) }
}

/// The files, with those of folders in the order of their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| Failure::read(path, error))? {
            inside.push(entry.map_err(|error| Failure::read(path, error))?.path());
        }
        inside.retain(|file| is_scenario(file));
        inside.sort();
        if inside.is_empty() {
            let message = format!("there is no scenario in `{}`", path.display());
            return Err(Failure::command(message, Some("scenarios end with `.yaml` or `.yml`".to_owned())));
        }
        files.extend(inside);
    }
    Ok(files)
}

fn is_scenario(file: &Path) -> bool {
    file.is_file() && file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

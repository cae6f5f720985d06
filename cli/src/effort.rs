//! Arguments that several commands share: which scenario, how much work, what comes out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scenarios::{Override, Source};

use crate::failure::Failure;
use crate::load::{self, Loaded};

/// Which scenario, and what is changed in it.
#[derive(Args, Debug)]
pub(crate) struct Choice {
    /// The scenario file; `-` reads standard input
    pub(crate) file: PathBuf,
    /// Set the value at a path, as in `--set services.web.replicas=3`; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
}

/// How much work, and on which random numbers.
#[derive(Args, Debug)]
pub(crate) struct Effort {
    /// Independent runs [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) replications: Option<u32>,
    /// Seed of all random numbers [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Threads to use; the result does not depend on it [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

/// Which scenario, which of its variants, and what is changed in it.
#[derive(Args, Debug)]
pub(crate) struct Chosen {
    #[command(flatten)]
    choice: Choice,
    /// Take one of the scenario's variants
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
}

impl Chosen {
    /// Loads it, with this effort.
    ///
    /// # Errors
    ///
    /// When anything is wrong with it.
    pub(crate) fn load(&self, effort: &Effort) -> Result<Loaded, Failure> {
        let sets = [self.choice.set.clone(), effort.as_sets()].concat();
        load::load(load::read(&self.choice.file)?, self.variant.as_deref(), &sets)
    }

    /// Loads it for whoever takes uncertain inputs in the middle, with this effort and further changes.
    ///
    /// # Errors
    ///
    /// See [`Chosen::load`].
    pub(crate) fn not_drawn(&self, effort: &Effort, more: Vec<String>) -> Result<Loaded, Failure> {
        let sets = [self.choice.set.clone(), effort.as_sets(), more].concat();
        load::not_drawn(load::read(&self.choice.file)?, self.variant.as_deref(), &sets)
    }

    /// Loads it, with more doubts.
    ///
    /// # Errors
    ///
    /// See [`Chosen::load`].
    pub(crate) fn check(&self) -> Result<Loaded, Failure> {
        load::check(load::read(&self.choice.file)?, self.variant.as_deref(), &self.choice.set)
    }

    /// The file, and what is changed in it, unchecked.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or a change makes no sense.
    pub(crate) fn read(&self) -> Result<(Source, Vec<Override>), Failure> {
        let source = load::read(&self.choice.file)?;
        let overrides = load::overrides(&source, self.variant.as_deref(), &self.choice.set)?;
        Ok((source, overrides))
    }
}

impl Effort {
    /// The same as `--set` would say it.
    pub(crate) fn as_sets(&self) -> Vec<String> {
        let replications = self.replications.map(|n| format!("replications={n}"));
        let seed = self.seed.map(|n| format!("seed={n}"));
        replications.into_iter().chain(seed).collect()
    }
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences
    Text,
    /// One JSON object with a stable schema: seconds, per second, shares from 0 to 1
    Json,
    /// `metric,value,lo,hi`, one figure a line
    Csv,
    /// XML of `JUnit` for CI systems: a test for each expectation, which fails, or is an error where it is undecided
    Junit,
}

/// Where the result goes and how it looks.
#[derive(Args, Debug)]
pub(crate) struct Outlet {
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write the result to a file instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Does `work` on as many threads as asked for.
///
/// # Errors
///
/// When the machine gives no threads, or what `work` returns.
pub(crate) fn on_threads<T: Send>(
    threads: Option<u16>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let Some(threads) = threads else { return work() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build();
    pool.map_err(|error| Failure::Machine { what: "start threads", reason: error.to_string() })?.install(work)
}

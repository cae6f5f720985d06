//! Why a command did not run.

use std::io;
use std::path::{Path, PathBuf};

use plots::PlotError;
use scenarios::experiment::BrokenLaws;
use scenarios::{Diagnostic, Diagnostics};
use thiserror::Error;

/// Why a command did not run.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// Something is wrong with the scenario.
    #[error("{0}")]
    Scenario(#[from] Diagnostics),
    /// Something is wrong with several of them, or with the files that they are in.
    #[error("{} files cannot be used", .0.len())]
    Several(Vec<Failure>),
    /// The command line asks for something that is not there.
    #[error("{message}")]
    Command {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`: {}", path.display(), reason(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`: {}", path.display(), reason(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing can be printed.
    #[error("cannot write the result: {0}")]
    Print(#[source] io::Error),
    /// The machine gives no threads, no process, no signal handler.
    #[error("cannot {what}: {reason}")]
    Machine {
        /// What was to be done.
        what: &'static str,
        /// Why it cannot.
        reason: String,
    },
    /// There is nothing to draw, or it cannot be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// The simulator is wrong.
    #[error(transparent)]
    Laws(#[from] BrokenLaws),
    /// The simulator is wrong: it does not repeat itself.
    #[error("two runs with the same seed differ in {0}; this is a bug of the simulator")]
    NotDeterministic(String),
}

impl Failure {
    /// A mistake in the command.
    pub(crate) fn command(message: impl Into<String>, help: Option<String>) -> Self {
        Self::Command { message: message.into(), help }
    }

    /// A mistake in the command that somebody else found.
    pub(crate) fn from_diagnostic(wrong: Diagnostic) -> Self {
        Self::Command { message: wrong.message, help: wrong.help }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> Option<&str> {
        match self {
            Self::Command { help, .. } => help.as_deref(),
            _ => None,
        }
    }
}

/// Why the machine refuses a file.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::AlreadyExists => "it exists already".into(),
        _ => error.to_string(),
    }
}

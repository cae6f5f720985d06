//! How the command ended.

use std::process::ExitCode;

use scenarios::results::{Met, Verdict};

/// How the command ended, as scripts and build pipelines see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It ran, and every expectation is met.
    Met,
    /// An expectation is not met.
    NotMet,
    /// It did not run: something is wrong with the scenario or the command.
    DidNotRun,
    /// An expectation is undecided, or the run was cut short.
    Undecided,
    /// Interrupted by the reader.
    Interrupted,
}

impl Exit {
    /// What `verdicts` come to, on a run that was or was not `complete`.
    pub(crate) fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>, complete: bool) -> Self {
        let mut exit = if complete { Self::Met } else { Self::Undecided };
        for verdict in verdicts {
            match verdict.verdict {
                Met::Met => {}
                Met::NotMet => return Self::NotMet,
                Met::Undecided => exit = Self::Undecided,
            }
        }
        exit
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Met => 0,
            Exit::NotMet => 1,
            Exit::DidNotRun => 2,
            Exit::Undecided => 3,
            Exit::Interrupted => 130,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(verdict: Met) -> Verdict {
        Verdict { text: String::new(), verdict, observed: None, why: None }
    }

    #[test]
    fn the_worst_verdict_counts() {
        let of = |all: &[Met], complete| {
            let verdicts: Vec<Verdict> = all.iter().copied().map(verdict).collect();
            Exit::of(&verdicts, complete)
        };
        assert_eq!(of(&[], true), Exit::Met);
        assert_eq!(of(&[], false), Exit::Undecided);
        assert_eq!(of(&[Met::Met, Met::Undecided], true), Exit::Undecided);
        assert_eq!(of(&[Met::Undecided, Met::NotMet], false), Exit::NotMet);
    }
}

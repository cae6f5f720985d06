//! The command `hockeystick`.
//!
//! One file per subcommand in `commands`. Results go to standard output, everything else to standard error, both
//! through `output`. The exit code says how it ended: see [`exit::Exit`].

mod baseline;
mod commands;
mod effort;
mod exit;
mod failure;
mod formats;
mod interrupt;
mod junit;
mod load;
mod output;
mod pictures;
mod progress;
mod text;

use std::process::ExitCode;

use clap::Parser;

use commands::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::complain(&failure);
            exit::Exit::DidNotRun.into()
        }
    }
}

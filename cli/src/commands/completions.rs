//! `hockeystick completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Print completions for a shell
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn completions(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "hockeystick", &mut script);
    output::result(&String::from_utf8_lossy(&script), None)?;
    Ok(Exit::Met)
}

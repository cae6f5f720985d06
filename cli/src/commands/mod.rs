//! The subcommands, one file each.

mod bench;
mod check;
mod compare;
mod completions;
mod explain;
mod import;
mod new;
mod rare;
mod replay;
mod run;
mod schema;
mod sensitivity;
mod solve;
mod sweep;
mod verify;

use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Capacity planning by simulation: where the latency curve turns up, what breaks first, which fix works
#[derive(Parser, Debug)]
#[command(name = "hockeystick", version, arg_required_else_help = true, max_term_width = 100, after_help = CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print results, warnings and errors only: no progress, no remarks
    #[arg(long, short, global = true)]
    quiet: bool,
}

const CODES: &str = "\
Exit codes: 0 every expectation is met, 1 one is not met, 2 it did not run,
3 undecided or cut short, 130 interrupted. A sweep ends with 0 when every
point ran, whatever is expected; solve when it found a point, with 1 when
none holds; rare when every probability is known well enough.

Start with: hockeystick new shop && hockeystick run shop.yaml";

#[derive(Subcommand, Debug)]
enum Command {
    Check(check::Arguments),
    Run(run::Arguments),
    Sweep(sweep::Arguments),
    Compare(compare::Arguments),
    Solve(solve::Arguments),
    Rare(rare::Arguments),
    Replay(Box<replay::Arguments>),
    Verify(verify::Arguments),
    Explain(explain::Arguments),
    New(new::Arguments),
    #[command(subcommand)]
    Import(import::From),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Bench(bench::Arguments),
}

impl Cli {
    /// Does what the command line asks for.
    ///
    /// # Errors
    ///
    /// When it cannot be done.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.quiet {
            output::be_quiet();
        }
        match self.command {
            Command::Check(arguments) => check::check(&arguments),
            Command::Run(arguments) => run::run(&arguments),
            Command::Sweep(arguments) => sweep::sweep(&arguments),
            Command::Compare(arguments) => compare::compare(&arguments),
            Command::Solve(arguments) => solve::solve(&arguments),
            Command::Rare(arguments) => rare::rare(&arguments),
            Command::Replay(arguments) => replay::replay(&arguments),
            Command::Verify(arguments) => verify::verify(&arguments),
            Command::Explain(arguments) => explain::explain(&arguments),
            Command::New(arguments) => new::new(&arguments),
            Command::Import(from) => import::import(&from),
            Command::Schema(arguments) => schema::schema(&arguments),
            Command::Completions(arguments) => completions::completions(&arguments),
            Command::Bench(arguments) => bench::bench(&arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}

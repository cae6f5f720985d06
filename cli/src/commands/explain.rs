//! `hockeystick explain`.

use clap::Args;

use crate::effort::Chosen;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Print a scenario with every default filled in, and where each default comes from
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
}

pub(crate) fn explain(arguments: &Arguments) -> Result<Exit, Failure> {
    let (source, overrides) = arguments.chosen.read()?;
    output::result(&scenarios::explain(&source, &overrides)?, None)?;
    Ok(Exit::Met)
}

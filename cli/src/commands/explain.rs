//! `hockeystick explain`.

use clap::Args;
use scenarios::Override;

use crate::effort::Choice;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{load, output};

/// Print a scenario with every default filled in, and where each default comes from
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    /// Explain one of the scenario's variants
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
}

pub(crate) fn explain(arguments: &Arguments) -> Result<Exit, Failure> {
    let source = load::read(&arguments.choice.file)?;
    let mut overrides = match &arguments.variant {
        Some(name) => load::variant_of(&source, name)?,
        None => Vec::new(),
    };
    for set in &arguments.choice.set {
        overrides.push(Override::parse(set)?);
    }
    output::result(&scenarios::explain(&source, &overrides)?, None)?;
    Ok(Exit::Met)
}

//! `hockeystick import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use scenarios::import::isotope;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Make a scenario from another program's file
#[derive(Subcommand, Debug)]
pub(crate) enum From {
    Isotope(Isotope),
}

/// From a service graph of Isotope, Istio's benchmark
#[derive(Args, Debug)]
pub(crate) struct Isotope {
    /// The service graph
    graph: PathBuf,
    /// Write the scenario to a file instead of printing it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,
    /// Requests per second [default: half of what the busiest service can do]
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
}

pub(crate) fn import(from: &From) -> Result<Exit, Failure> {
    let From::Isotope(arguments) = from;
    let text =
        std::fs::read_to_string(&arguments.graph).map_err(|error| Failure::read(&arguments.graph, error))?;
    let name = arguments.graph.display().to_string();
    let imported = isotope(&name, &text, arguments.rate.as_deref())?;
    output::warn(&imported.warnings);
    match &arguments.output {
        Some(file) => {
            output::create(file, imported.text.as_bytes(), arguments.force)?;
            output::remark(&format!(
                "what had to be assumed stands in it; next: hockeystick run {}",
                file.display()
            ));
        }
        None => output::result(&imported.text, None)?,
    }
    Ok(Exit::Met)
}

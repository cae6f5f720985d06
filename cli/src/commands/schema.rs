//! `hockeystick schema`.

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{formats, output};

/// Print the JSON schema of scenarios, for editors
#[derive(Args, Debug)]
pub(crate) struct Arguments {}

pub(crate) fn schema(_: &Arguments) -> Result<Exit, Failure> {
    output::result(&formats::json(&scenarios::schema())?, None)?;
    Ok(Exit::Met)
}

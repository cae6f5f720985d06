//! From the command line to a plan.

use std::io::Read;
use std::path::Path;

use scenarios::experiment::Plan;
use scenarios::{Diagnostics, Override, Scenario, Source, did_you_mean};

use crate::failure::Failure;
use crate::output;

/// A scenario with the changes that the command line asks for.
pub(crate) struct Loaded {
    /// The file.
    pub(crate) source: Source,
    /// What was changed.
    pub(crate) overrides: Vec<Override>,
    /// The scenario.
    pub(crate) scenario: Scenario,
    /// The variant.
    pub(crate) variant: Option<String>,
}

/// Most that is read from standard input: one byte more than a scenario can have, so that it is found too large.
const MOST: u64 = (4 << 20) + 1;

/// Reads the scenario at `path`; `-` is standard input.
///
/// # Errors
///
/// When it cannot be read or is not YAML.
pub(crate) fn read(path: &Path) -> Result<Source, Failure> {
    if path.as_os_str() != "-" {
        return Ok(Source::read(path)?);
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MOST).read_to_string(&mut text);
    read.map_err(|error| Failure::read(Path::new("-"), error))?;
    Ok(Source::from_text("standard input", text, "")?)
}

/// Loads the scenario with the changes of `variant`, then those of `sets`; doubts are told on the way.
///
/// # Errors
///
/// When anything is wrong with it.
pub(crate) fn load(source: Source, variant: Option<&str>, sets: &[String]) -> Result<Loaded, Failure> {
    load_by(Scenario::load, source, variant, sets)
}

/// The same for whoever takes uncertain inputs in the middle; that is told.
///
/// # Errors
///
/// When anything is wrong with it.
pub(crate) fn not_drawn(source: Source, variant: Option<&str>, sets: &[String]) -> Result<Loaded, Failure> {
    load_by(Scenario::load_not_drawn, source, variant, sets)
}

/// The same, with more doubts.
///
/// # Errors
///
/// When anything is wrong with it.
pub(crate) fn check(source: Source, variant: Option<&str>, sets: &[String]) -> Result<Loaded, Failure> {
    load_by(Scenario::check, source, variant, sets)
}

type Load = fn(&Source, &[Override]) -> Result<(Scenario, Diagnostics), Diagnostics>;

fn load_by(load: Load, source: Source, variant: Option<&str>, sets: &[String]) -> Result<Loaded, Failure> {
    let overrides = overrides(&source, variant, sets)?;
    let (scenario, doubts) = load(&source, &overrides)?;
    output::warn(&doubts);
    Ok(Loaded { source, overrides, scenario, variant: variant.map(str::to_owned) })
}

/// The changes of `variant`, then those of `sets`.
///
/// # Errors
///
/// When there is no such variant, or a change makes no sense.
pub(crate) fn overrides(
    source: &Source,
    variant: Option<&str>,
    sets: &[String],
) -> Result<Vec<Override>, Failure> {
    let mut overrides = match variant {
        Some(name) => variant_of(source, name)?,
        None => Vec::new(),
    };
    for set in sets {
        overrides.push(Override::parse(set)?);
    }
    Ok(overrides)
}

/// What the variant `name` changes.
///
/// # Errors
///
/// When there is no such variant.
pub(crate) fn variant_of(source: &Source, name: &str) -> Result<Vec<Override>, Failure> {
    let variants = source.variants();
    if variants.iter().any(|variant| variant == name) {
        return Ok(source.variant_overrides(name));
    }
    let names = || variants.iter().map(String::as_str);
    let help = did_you_mean(name, names()).unwrap_or_else(|| match variants.len() {
        0 => format!("`{}` has no variants", source.name()),
        _ => format!(
            "its variants are {}",
            names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    });
    Err(Failure::command(format!("there is no variant `{name}`"), Some(help)))
}

/// What is run of `scenario`.
pub(crate) fn plan(scenario: &Scenario, variant: Option<&str>) -> Plan {
    let mut plan = Plan::of(scenario);
    plan.heading.variant = variant.map(str::to_owned);
    plan
}

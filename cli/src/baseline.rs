//! `run --baseline`: an earlier result to hold the new one against.

use std::path::Path;

use scenarios::results::Report;
use serde::de::Error;

use crate::failure::Failure;

/// Reads what `run --format json` has written.
///
/// # Errors
///
/// When it cannot be read, or is something else, or of another scenario or variant than these.
pub(crate) fn read(path: &Path, scenario: &str, variant: Option<&str>) -> Result<Report, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::read(path, error))?;
    let shown = path.display();
    let report: Report = parse(&bytes).map_err(|why| {
        let help = "write one with `hockeystick run FILE --format json -o baseline.json`";
        let message = format!("`{shown}` is no result of `run --format json`: {why}");
        Failure::command(message, Some(help.to_owned()))
    })?;
    let named = |scenario: &str, variant: Option<&str>| match variant {
        Some(variant) => format!("variant `{variant}` of `{scenario}`"),
        None => format!("`{scenario}`"),
    };
    let (then, now) =
        (named(&report.head.scenario, report.head.variant.as_deref()), named(scenario, variant));
    if then != now {
        let help = "a baseline is an earlier result of the same scenario; variants are compared by `compare`";
        let message = format!("`{shown}` is a result of {then}, and this is {now}");
        return Err(Failure::command(message, Some(help.to_owned())));
    }
    Ok(report)
}

fn parse(bytes: &[u8]) -> serde_json::Result<Report> {
    let value: serde_json::Value = serde_json::from_slice(bytes)?;
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some("hockeystick.result/1") => serde_json::from_value(value),
        Some(other) => Err(Error::custom(format!("its schema is `{other}`"))),
        None => Err(Error::custom("it has no `schema`")),
    }
}

//! `hockeystick sweep --sensitivity`.

use plots::sensitivity_svg;
use scenarios::experiment::{self, Unranked};
use scenarios::results::SensitivityReport;

use super::sweep::Arguments;
use crate::effort::{Format, on_threads};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::{formats, interrupt, output, pictures, text};

/// Ranks the paths that move `metric`, or what the scenario's `sensitivity` names.
pub(crate) fn sensitivity(arguments: &Arguments, metric: Option<&str>) -> Result<Exit, Failure> {
    if arguments.outlet.format == Format::Junit {
        let help = "ask for `--format json`, or sweep the load".to_owned();
        return Err(Failure::command("a ranking of paths has no expectations to report on", Some(help)));
    }
    let mut sets: Vec<String> =
        metric.map(|metric| format!("sensitivity.of={}", quoted(metric))).into_iter().collect();
    sets.extend(chosen(&arguments.over)?);
    let loaded = arguments.chosen.not_drawn(&arguments.effort, sets)?;
    let files = arguments.drawn.files(loaded.scenario.name())?;
    output::expect_folders(files.all().chain(arguments.outlet.output.as_deref()))?;
    let cancel = interrupt::flag()?;
    let bar = Bar::new();
    let ranked = on_threads(arguments.effort.threads, || {
        experiment::sensitivity(&loaded.source, &loaded.overrides, &bar, &cancel).map_err(refused)
    });
    drop(bar);
    let mut report = ranked?;
    report.head.variant = loaded.variant;
    show(arguments, &files, &report)?;
    if interrupt::was_pressed() {
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::of([], report.complete))
}

fn refused(why: Unranked) -> Failure {
    let help = match why {
        Unranked::Wrong(mistakes) => return Failure::from(mistakes),
        Unranked::Broken(broken) => return Failure::from(broken),
        Unranked::NotAsked => "name a metric as `expect` does: `--sensitivity=shoppers.p99`",
        Unranked::NothingMoves | Unranked::TooMany(_) => {
            "name a path and its two ends: `--over services.web.replicas=2..8`"
        }
    };
    Failure::command(why.to_string(), Some(help.to_owned()))
}

/// The same as `--set` would say it: all paths of `--over`, in place of those of the scenario.
fn chosen(over: &[String]) -> Result<Option<String>, Failure> {
    let one = |argument: &String| match argument.split_once('=') {
        Some((path, ends)) if !path.trim().is_empty() => {
            Ok(format!("{}: {}", quoted(path.trim()), quoted(ends)))
        }
        _ => {
            let message = format!("expected a path and its two ends, found `{argument}`");
            Err(Failure::command(message, Some("write `--over services.web.replicas=2..8`".to_owned())))
        }
    };
    let paths: Vec<String> = over.iter().map(one).collect::<Result<_, _>>()?;
    Ok((!paths.is_empty()).then(|| format!("sensitivity.over={{{}}}", paths.join(", "))))
}

/// A text as YAML takes it, whatever is in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn show(arguments: &Arguments, files: &pictures::Files, report: &SensitivityReport) -> Result<(), Failure> {
    if report.paths.iter().any(|path| path.low.is_some()) {
        pictures::chart(&sensitivity_svg(report)?, &files.svg, arguments.drawn.png())?;
        if let Some(file) = &files.html {
            pictures::page(report, file)?;
        }
    } else {
        output::remark("no path moves it: nothing to draw");
    }
    let text = match arguments.outlet.format {
        Format::Text => text::sensitivity(report, output::width()),
        Format::Csv => formats::sensitivity_csv(report)?,
        Format::Json | Format::Junit => formats::json(report)?, // JUnit has been refused.
    };
    output::result(&text, arguments.outlet.output.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_set_as_a_whole() {
        let over = ["a.b=1..2".to_owned(), "c = 3ms..4ms".to_owned()];
        let set = chosen(&over).unwrap().unwrap();
        assert_eq!(set, r#"sensitivity.over={"a.b": "1..2", "c": " 3ms..4ms"}"#);
        assert_eq!(chosen(&[]).unwrap(), None);
        let wrong = chosen(&["a.b".to_owned()]).unwrap_err();
        assert_eq!(wrong.to_string(), "expected a path and its two ends, found `a.b`");
    }
}

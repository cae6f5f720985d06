//! `hockeystick new`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use scenarios::{Scenario, Source};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Write a scenario to start from
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Name of the scenario [default: that of the template]
    name: Option<String>,
    /// The file to write (default: `<name>.yaml`)
    file: Option<PathBuf>,
    /// What it is about
    #[arg(long, short, value_enum, default_value_t = Template::Web)]
    template: Template,
    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,
}

/// Scenarios to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Template {
    /// A web shop: front end, two services, a database behind a connection pool
    Web,
    /// One service with one queue: the smallest scenario
    Queue,
    /// A request that waits for the slowest of many leaves
    Fanout,
    /// A slow dependency, timeouts and retries, and two ways to do better
    Retries,
    /// A fixed number of users who think between requests
    Users,
}

impl Template {
    fn name(self) -> &'static str {
        match self {
            Self::Web => "shop",
            Self::Queue => "queue",
            Self::Fanout => "fanout",
            Self::Retries => "retries",
            Self::Users => "users",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Web => include_str!("../../templates/web.yaml"),
            Self::Queue => include_str!("../../templates/queue.yaml"),
            Self::Fanout => include_str!("../../templates/fanout.yaml"),
            Self::Retries => include_str!("../../templates/retries.yaml"),
            Self::Users => include_str!("../../templates/users.yaml"),
        }
    }
}

pub(crate) fn new(arguments: &Arguments) -> Result<Exit, Failure> {
    let (name, file) = name_and_file(arguments);
    let text = arguments.template.text().replacen(
        &format!("name: {}\n", arguments.template.name()),
        &format!("name: {name}\n"),
        1,
    );
    // A name that is none is told before anything is written.
    Scenario::load(&Source::from_text(file.display().to_string(), text.as_str(), "")?, &[])?;
    output::create(&file, text.as_bytes(), arguments.force)?;
    output::remark(&format!("next: hockeystick run {}", file.display()));
    Ok(Exit::Met)
}

/// `new shop`, `new shop.yaml`, `new shop scenarios/shop.yaml`.
fn name_and_file(arguments: &Arguments) -> (String, PathBuf) {
    let Some(name) = arguments.name.clone() else {
        let name = arguments.template.name();
        return (name.to_owned(), PathBuf::from(format!("{name}.yaml")));
    };
    let path = Path::new(&name);
    let is_file = name.contains(['/', '\\']) || path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    match (&arguments.file, is_file) {
        (None, true) => {
            let stem =
                path.file_stem().map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
            (stem, path.to_owned())
        }
        (None, false) => (name.clone(), PathBuf::from(format!("{name}.yaml"))),
        (Some(file), _) => (name, file.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_scenario_without_doubts() {
        for template in Template::value_variants() {
            assert!(template.text().contains(&format!("name: {}\n", template.name())), "{template:?}");
            let source = Source::from_text("template", template.text(), "").unwrap();
            let (_, doubts) =
                Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{template:?}\n{wrong}"));
            assert!(doubts.is_empty(), "{template:?}\n{doubts}");
        }
    }

    #[test]
    fn a_name_is_a_file_when_it_looks_like_one() {
        let of = |name: Option<&str>, file: Option<&str>| {
            name_and_file(&Arguments {
                name: name.map(str::to_owned),
                file: file.map(PathBuf::from),
                template: Template::Web,
                force: false,
            })
        };
        assert_eq!(of(None, None), ("shop".into(), "shop.yaml".into()));
        assert_eq!(of(Some("peak"), None), ("peak".into(), "peak.yaml".into()));
        assert_eq!(of(Some("a/peak.yml"), None), ("peak".into(), "a/peak.yml".into()));
        assert_eq!(of(Some("peak"), Some("x.yaml")), ("peak".into(), "x.yaml".into()));
    }
}

//! `hockeystick replay`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use plots::replay_svg;
use scenarios::manifest::{self, ControllerSettings, Scaler};
use scenarios::replay::{self, Feed, Loop, Meaning, Options, Price, Recording, Series, Span, Taken};
use scenarios::results::{Replay, ReplayReport};
use scenarios::{Diagnostic, did_you_mean};

use crate::effort::{Format, Outlet};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{formats, output, pictures, text};

/// Replay an autoscaler's manifest against a recorded metric: no scenario needed
///
/// Shows what the controller would have done, why, and whether it was enough. Replicas answer at once unless
/// `--closed` or `--replicas` says otherwise.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Manifest of Kubernetes (HPA), KEDA, Knative or AWS, unchanged
    manifest: PathBuf,
    /// What was recorded: CSV, or what Prometheus answers to a range query; `METRIC=FILE` where there are several
    #[arg(required = true, value_name = "SERIES")]
    series: Vec<String>,
    /// A file that belongs to the manifest: config maps of Knative, alarms and groups of AWS
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// Replay only the autoscaler of this workload
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Metric of the manifest that the series is of [default: its first]
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Column of the CSV, or `label=value` of Prometheus [default: the only one, or that of the workload's name]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// What the values say [default: by the kind of the metric]
    #[arg(long, value_enum)]
    value: Option<ValueKind>,
    /// Load that one replica carries at 100 %, in units of the recorded value
    #[arg(long, value_name = "LOAD", value_parser = above_zero)]
    capacity: Option<f64>,
    /// Multiply recorded values by this: 100 for shares up to 1, 0.00333 for counts of 5 minutes
    #[arg(long, value_name = "N", value_parser = above_zero)]
    factor: Option<f64>,
    /// Replicas that were there: a number, or a file like the series. Decisions are those beside them
    #[arg(long, value_name = "N|FILE")]
    replicas: Option<String>,
    /// Replicas to begin with [default: the recorded ones, or as many as are needed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=100_000))]
    start: Option<i32>,
    /// Let replicas start, be full, and be seen late, instead of answering at once
    #[arg(long)]
    closed: bool,
    /// How long a replica takes to be ready in a closed loop [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = replay::span, requires = "closed")]
    startup: Option<Span>,
    /// Time between two scrapes in a closed loop [default: by the kind of the metric]
    #[arg(long, value_name = "TIME", value_parser = replay::span, requires = "closed")]
    scrape: Option<Span>,
    /// How old a scraped value is before it can be seen in a closed loop [default: 0s]
    #[arg(long, value_name = "TIME", value_parser = replay::span, requires = "closed")]
    age: Option<Span>,
    /// How long a value holds when none follows [default: 5m, or three usual steps]
    #[arg(long, value_name = "TIME", value_parser = replay::span)]
    stale_after: Option<Span>,
    /// A change that turns another within this time is a flap [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = replay::span)]
    flap_window: Option<Span>,
    /// What a replica costs: `0.05 USD/replica-hour`
    #[arg(long, value_name = "PRICE", value_parser = price)]
    cost: Option<Price>,
    /// Show every decision, not only changes
    #[arg(long)]
    all: bool,
    /// What a replica is to have of a metric whose target the manifest does not say in a way that is known here
    #[arg(long, value_name = "N", value_parser = above_zero)]
    goal: Option<f64>,
    #[command(flatten)]
    outlet: Outlet,
    /// Draw it: an SVG, or a PNG if the name says so
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Draw the chart as PNG too, beside the SVG
    #[arg(long, requires = "plot")]
    png: bool,
}

/// What recorded values say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ValueKind {
    /// The load of all replicas together
    Total,
    /// The mean of what each replica has
    PerPod,
    /// The mean share of each replica that is in use, in percent
    Utilization,
}

fn price(text: &str) -> Result<Price, String> {
    Price::parse(text).ok_or_else(|| "expected a price such as `0.05 USD/replica-hour`".to_owned())
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected a number above 0".to_owned())
}

pub(crate) fn replay(arguments: &Arguments) -> Result<Exit, Failure> {
    if arguments.outlet.format == Format::Junit {
        let help =
            "expectations are those of a scenario: use it with `run`, `compare` or `verify`".to_owned();
        return Err(Failure::command("a replay expects nothing that JUnit could tell of", Some(help)));
    }
    let outputs = [&arguments.plot, &arguments.outlet.output];
    output::expect_folders(outputs.into_iter().flatten().map(PathBuf::as_path))?;
    let scalers = scalers(arguments)?;
    let recordings = Recordings::read(arguments)?;
    let options = options(arguments)?;
    let replays = scalers
        .into_iter()
        .map(|scaler| recordings.replay(arguments, scaler, &options))
        .collect::<Result<_, _>>()?;
    let report = ReplayReport {
        schema: "hockeystick.replay/1".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        replays,
    };
    show(arguments, &report)?;
    Ok(Exit::Met)
}

/// The autoscalers of the manifest that are to be replayed.
fn scalers(arguments: &Arguments) -> Result<Vec<Scaler>, Failure> {
    let paths: Vec<&PathBuf> = std::iter::once(&arguments.manifest).chain(&arguments.with).collect();
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let texts = paths.iter().map(|path| text_of(path)).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut manifests = manifest::read_all(&files, &ControllerSettings::default())?;
    output::warn(&manifests.warnings);
    for scaler in &mut manifests.scalers {
        for metric in arguments.goal.map_or_else(Vec::new, |_| scaler.open.clone()) {
            scaler.aim(&metric, (arguments.goal.unwrap_or_default() * 1000.0).round() as i64);
        }
        scaler.forget_open();
    }
    if let Some(target) = &arguments.target {
        return Ok(vec![manifests.scaler_of(target).map_err(Failure::from_diagnostic)?.clone()]);
    }
    if manifests.scalers.is_empty() {
        return Err(Failure::from_diagnostic(manifest::nothing_scales()));
    }
    Ok(manifests.scalers)
}

fn text_of(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::read(path, error))
}

fn recording(path: &str) -> Result<Recording, Failure> {
    Ok(Recording::read(path, text_of(Path::new(path))?)?)
}

fn options(arguments: &Arguments) -> Result<Options, Failure> {
    let usual = Options::default();
    let how = match (arguments.closed, &arguments.replicas) {
        (true, _) => Loop::Closed,
        (false, Some(_)) => Loop::Recorded,
        (false, None) => Loop::Open,
    };
    Ok(Options {
        how,
        recorded: arguments.replicas.as_deref().map(|given| replicas(arguments, given)).transpose()?,
        start: arguments.start,
        startup: arguments.startup.unwrap_or(usual.startup),
        scrape: arguments.scrape,
        age: arguments.age,
        stale_after: arguments.stale_after,
        flap_window: arguments.flap_window.unwrap_or(usual.flap_window),
        price: arguments.cost.clone(),
        keep_all: arguments.all || arguments.plot.is_some(),
    })
}

/// Replicas that were there all along, or over time.
fn replicas(arguments: &Arguments, given: &str) -> Result<Arc<Series>, Failure> {
    if let Ok(count) = given.parse::<u32>() {
        return Ok(Arc::new(Series::constant(f64::from(count))));
    }
    let target = arguments.target.iter().map(String::as_str);
    let likely: Vec<&str> = ["replicas", "ready"].into_iter().chain(target).collect();
    Ok(recording(given)?.series(None, &likely)?)
}

/// Files with the metric that each is of, if that is said.
struct Recordings(Vec<(Option<String>, Recording)>);

impl Recordings {
    fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let mut list = Vec::new();
        for given in &arguments.series {
            let named = given.split_once('=').filter(|_| !Path::new(given).exists());
            let (metric, file) = named.map_or((None, given.as_str()), |(metric, file)| (Some(metric), file));
            list.push((metric.map(str::to_owned), recording(file)?));
        }
        if list.len() > 1 && list.iter().any(|(metric, _)| metric.is_none()) {
            let help = "write `METRIC=FILE` for each".to_owned();
            return Err(Failure::command(
                "several series, and not all say of which metric they are",
                Some(help),
            ));
        }
        if let [(metric @ None, _)] = list.as_mut_slice() {
            metric.clone_from(&arguments.metric);
        }
        Ok(Self(list))
    }

    fn replay(&self, arguments: &Arguments, scaler: Scaler, options: &Options) -> Result<Replay, Failure> {
        let taken = Taken {
            meaning: arguments.value.map(|value| match value {
                ValueKind::Total => Meaning::Total,
                ValueKind::PerPod => Meaning::PerReplica,
                ValueKind::Utilization => Meaning::Utilization,
            }),
            capacity: arguments.capacity,
            factor: arguments.factor,
        };
        let (mut feeds, mut files) = (Vec::new(), Vec::new());
        for (metric, recording) in &self.0 {
            let wanted = scaler.metrics();
            let found = match metric {
                Some(name) => wanted.iter().find(|metric| *metric.name == *name.as_str()),
                None => wanted.first(),
            };
            let Some(found) = found else {
                let names: Vec<&str> = wanted.iter().map(|metric| &*metric.name).collect();
                return Err(no_metric(&scaler, metric.as_deref().unwrap_or_default(), &names));
            };
            let likely = [scaler.title(), &found.name];
            let series = recording.series(arguments.column.as_deref(), &likely)?;
            feeds.push(Feed::new(found.clone(), series, taken).map_err(Failure::from_diagnostic)?);
            files.push(recording.name());
        }
        replay::replay(scaler, &feeds, &files, options).map_err(Failure::from_diagnostic)
    }
}

fn no_metric(scaler: &Scaler, name: &str, known: &[&str]) -> Failure {
    if known.is_empty() {
        let nothing = format!("nothing that the autoscaler of `{}` looks at is modelled", scaler.title());
        let help = "the warnings above say why; write a trigger that is, `type: prometheus`, or say its target: `--goal 10`";
        return Failure::from_diagnostic(Diagnostic::error(nothing).help(help));
    }
    let help = did_you_mean(name, known.iter().copied())
        .unwrap_or_else(|| format!("it asks for {}", known.join(", ")));
    let missing = format!("the autoscaler of `{}` asks for no metric `{name}`", scaler.title());
    Failure::from_diagnostic(Diagnostic::error(missing).help(help))
}

fn show(arguments: &Arguments, report: &ReplayReport) -> Result<(), Failure> {
    if let Some(file) = &arguments.plot {
        let [one] = report.replays.as_slice() else {
            let help = Some("say which with `--target`".to_owned());
            return Err(Failure::command("there are several autoscalers, and a picture shows one", help));
        };
        pictures::chart(&replay_svg(one, &report.version)?, file, arguments.png)?;
    }
    let text = match arguments.outlet.format {
        Format::Text => text::replay(report, arguments.all, output::width()),
        Format::Csv => formats::replay_csv(report)?,
        Format::Json => formats::json(report)?,
        Format::Junit => unreachable!("refused before the work"),
    };
    output::result(&text, arguments.outlet.output.as_deref())
}

//! `hockeystick compare`.

use std::path::{Path, PathBuf};

use clap::Args;
use plots::compare_svg;
use scenarios::experiment::{self, Options, Plan};
use scenarios::results::CompareReport;
use scenarios::{Scenario, Source};

use crate::effort::{Choice, Effort, Format, Outlet, on_threads};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::{formats, interrupt, junit, load, output, pictures, text};

/// Compare variants on the same arrivals and needs
///
/// Expectations that name a variant decide the exit code.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    /// Variants to compare [default: all of them]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    variants: Vec<String>,
    /// The variant that the others are compared with [default: the first]
    #[arg(long, value_name = "NAME")]
    base: Option<String>,
    #[command(flatten)]
    effort: Effort,
    #[command(flatten)]
    outlet: Outlet,
    /// Draw the differences: an SVG, or a PNG if the name says so
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    pictures: pictures::Wanted,
}

/// What the scenario itself is called among its variants.
const ITSELF: &str = "as_written";

pub(crate) fn compare(arguments: &Arguments) -> Result<Exit, Failure> {
    let source = load::read(&arguments.choice.file)?;
    let sets = [arguments.choice.set.clone(), arguments.effort.as_sets()].concat();
    let scenario = load::load(source.clone(), None, &sets)?.scenario;
    let names = names(arguments, &scenario, &source)?;
    let base = arguments.base.clone().unwrap_or_else(|| names[0].clone());
    let mut variants: Vec<(String, Plan)> = Vec::new();
    for name in &names {
        variants.push((name.clone(), plan_of(&source, name, &sets)?));
    }
    let html = arguments.pictures.html_file(Path::new(""), scenario.name());
    let outputs = [&arguments.plot, &html, &arguments.outlet.output];
    output::expect_folders(outputs.into_iter().flatten().map(PathBuf::as_path))?;
    let cancel = interrupt::flag()?;
    let bar = Bar::new();
    let report = on_threads(arguments.effort.threads, || {
        Ok(experiment::compare(&variants, &base, Options::default(), &bar, &cancel)?)
    })?;
    drop(bar);
    show(arguments, &report)?;
    if interrupt::was_pressed() {
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::of(&report.expect, report.variants.iter().all(|(_, result)| result.complete)))
}

/// The variants to run, the base among them. A single variant is compared with the scenario as it is written.
fn names(arguments: &Arguments, scenario: &Scenario, source: &Source) -> Result<Vec<String>, Failure> {
    let mut names =
        if arguments.variants.is_empty() { scenario.variants().to_vec() } else { arguments.variants.clone() };
    for name in names.iter().chain(&arguments.base).filter(|name| *name != ITSELF) {
        load::variant_of(source, name)?;
    }
    if names.is_empty() {
        let help = "add `variants: {fixed: {services.web.replicas: 8}}` to the scenario";
        return Err(Failure::command(format!("`{}` has no variants", source.name()), Some(help.to_owned())));
    }
    if let Some(base) = arguments.base.as_ref().filter(|base| !names.contains(base)) {
        names.insert(0, base.clone());
    }
    if names.len() == 1 {
        names.insert(0, ITSELF.to_owned());
    }
    let mut seen = Vec::new();
    names.retain(|name| {
        let new = !seen.contains(name);
        seen.push(name.clone());
        new
    });
    Ok(names)
}

fn plan_of(source: &Source, name: &str, sets: &[String]) -> Result<Plan, Failure> {
    let variant = Some(name).filter(|name| *name != ITSELF);
    let loaded = load::not_drawn(source.clone(), variant, sets)?;
    Ok(load::plan(&loaded.scenario, Some(name)))
}

fn show(arguments: &Arguments, report: &CompareReport) -> Result<(), Failure> {
    let unnamed = || arguments.pictures.png.then(|| PathBuf::from(format!("{}.svg", report.scenario)));
    if let Some(file) = arguments.plot.clone().or_else(unnamed) {
        pictures::chart(&compare_svg(report)?, &file, arguments.pictures.png)?;
    }
    if let Some(file) = arguments.pictures.html_file(Path::new(""), &report.scenario) {
        pictures::page(report, &file)?;
    }
    let text = match arguments.outlet.format {
        Format::Text => text::compare(report, output::width()),
        Format::Json => formats::json(report)?,
        Format::Csv => formats::compare_csv(report)?,
        Format::Junit => junit::expectations(&report.scenario, &report.expect)?,
    };
    output::result(&text, arguments.outlet.output.as_deref())
}

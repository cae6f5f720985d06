//! The report: one page of HTML with the pictures and the tables, for screens and for paper.
//!
//! Nothing is fetched and nothing is run: the page works from a disk and from a mail. It is written as XML, so
//! that any parser can check it.

mod tables;

use std::fmt::Write;

use scenarios::results::{CompareReport, Met, Report, SensitivityReport, SolveReport, SweepReport};

use crate::found::{intervals, method, title, warning};
use crate::page::Around;
use crate::scene::escape;
use crate::{PlotError, causes, compare, run, solve, sweep, tornado};

/// What a page reports.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// One run.
    Run(&'a Report),
    /// A sweep.
    Sweep(&'a SweepReport),
    /// A comparison of variants.
    Compare(&'a CompareReport),
    /// An answer.
    Solve(&'a SolveReport),
    /// Which paths move a metric.
    Sensitivity(&'a SensitivityReport),
}

impl<'a> From<&'a Report> for Found<'a> {
    fn from(report: &'a Report) -> Self {
        Self::Run(report)
    }
}

impl<'a> From<&'a SweepReport> for Found<'a> {
    fn from(report: &'a SweepReport) -> Self {
        Self::Sweep(report)
    }
}

impl<'a> From<&'a CompareReport> for Found<'a> {
    fn from(report: &'a CompareReport) -> Self {
        Self::Compare(report)
    }
}

impl<'a> From<&'a SolveReport> for Found<'a> {
    fn from(report: &'a SolveReport) -> Self {
        Self::Solve(report)
    }
}

impl<'a> From<&'a SensitivityReport> for Found<'a> {
    fn from(report: &'a SensitivityReport) -> Self {
        Self::Sensitivity(report)
    }
}

const STYLE: &str = include_str!("html/style.css");

/// A page of its own with the picture and the tables of a run, a sweep, a comparison, an answer or a ranking.
///
/// A run without series has a page without a picture.
///
/// # Errors
///
/// As the picture's function: there is no page about a sweep or an answer without points or a comparison without
/// differences.
pub fn report_html<'a>(found: impl Into<Found<'a>>) -> Result<String, PlotError> {
    match found.into() {
        Found::Run(report) => of_run(report),
        Found::Sweep(sweep) => of_sweep(sweep),
        Found::Compare(compare) => of_compare(compare),
        Found::Solve(report) => of_solve(report),
        Found::Sensitivity(report) => of_sensitivity(report),
    }
}

fn of_run(report: &Report) -> Result<String, PlotError> {
    let mut page = Page::new(&title(&report.head), report.head.about.as_deref());
    page.warn(warning(&[report]).as_deref());
    page.facts(&report.deadlock.iter().map(String::as_str).collect::<Vec<_>>(), "bad");
    page.facts(&report.growth.iter().map(|growth| growth.text.as_str()).collect::<Vec<_>>(), "bad");
    page.facts(
        &report.bottleneck.iter().map(|bottleneck| bottleneck.text.as_str()).collect::<Vec<_>>(),
        "fact",
    );
    page.add(&tables::verdicts(&report.expect));
    match run::picture(report, Around::Nothing) {
        Ok(svg) => page.picture(&svg),
        Err(PlotError::NoSeries) => {}
        Err(why) => return Err(why),
    }
    if let Some(found) = &report.uncertainty {
        page.add(&tables::uncertain(found));
        if let Some(svg) = causes::picture(found) {
            page.picture(&svg);
        }
        let texts = found.metrics.iter().filter_map(|metric| metric.text.as_deref());
        page.facts(&texts.collect::<Vec<_>>(), "fact");
    }
    for table in tables::run(report) {
        page.add(&table);
    }
    page.notes(&report.notes);
    let mut made = method(&[report], &report.head.version, "");
    made.splice(1..1, intervals(&[report]));
    made.push(format!("{} events", report.events));
    made.push(format!("fingerprint {}", report.fingerprint));
    Ok(page.finish(&made))
}

fn of_sweep(sweep: &SweepReport) -> Result<String, PlotError> {
    let svg = sweep::picture(sweep, Around::Nothing)?;
    let reports: Vec<&Report> = sweep.points.iter().map(|point| &point.result).collect();
    let mut page = Page::new(&sweep.scenario, sweep.about.as_deref());
    page.warn(warning(&reports).as_deref());
    let capacity = sweep.capacity.iter().map(|capacity| capacity.text.as_str());
    let safe = sweep.safe.iter().map(|safe| safe.text.as_str());
    let knee = sweep.knee.iter().map(|knee| knee.text.as_str());
    let suffices = sweep.suffices.iter().map(|suffices| suffices.text.as_str());
    page.facts(&capacity.chain(safe).chain(knee).chain(suffices).collect::<Vec<_>>(), "fact");
    page.picture(&svg);
    for table in tables::sweep(sweep) {
        page.add(&table);
    }
    let mut notes: Vec<String> = Vec::new();
    for note in reports.iter().flat_map(|report| &report.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    page.notes(&notes);
    let mut made = method(&reports, &sweep.version, " per point");
    made.splice(1..1, intervals(&reports));
    Ok(page.finish(&made))
}

fn of_compare(compare: &CompareReport) -> Result<String, PlotError> {
    let svg = compare::picture(compare, Around::Nothing)?;
    let reports: Vec<&Report> = compare.variants.iter().map(|(_, report)| report).collect();
    let about = format!("What changes against `{}`", compare.base);
    let mut page = Page::new(&compare.scenario, Some(&about));
    page.warn(warning(&reports).as_deref());
    page.add(&tables::verdicts(&compare.expect));
    page.picture(&svg);
    page.add(&tables::differences(compare));
    for (name, report) in &compare.variants {
        page.add(&tables::traffic(report, &format!("Traffic · {name}")));
    }
    Ok(page.finish(&method(&reports, &compare.version, " per variant")))
}

fn of_solve(report: &SolveReport) -> Result<String, PlotError> {
    let svg = solve::picture(report, Around::Nothing)?;
    let reports: Vec<&Report> = report.tried.iter().map(|point| &point.result).collect();
    let mut page = Page::new(&title(&report.head), report.head.about.as_deref());
    page.warn(warning(&reports).as_deref());
    page.facts(&[&report.text], "fact");
    page.picture(&svg);
    page.add(&tables::tried(report));
    let assumptions = report.assumptions.iter().map(|assumption| assumption.text.clone());
    page.notes(&assumptions.chain(report.notes.iter().cloned()).collect::<Vec<_>>());
    let mut made = method(&reports, &report.head.version, " per point");
    made.splice(1..1, intervals(&reports));
    Ok(page.finish(&made))
}

fn of_sensitivity(report: &SensitivityReport) -> Result<String, PlotError> {
    let svg = tornado::picture(report, Around::Nothing)?;
    let about = report.head.about.clone().unwrap_or_else(|| format!("What moves `{}`", report.metric));
    let mut page = Page::new(&title(&report.head), Some(&about));
    page.picture(&svg);
    page.add(&tables::effects(report));
    page.notes(&report.notes);
    Ok(page.finish(&tornado::made(report)))
}

/// The words for a verdict, and its class.
fn verdict_words(verdict: Met) -> (&'static str, &'static str) {
    match verdict {
        Met::Met => ("✓ met", "good"),
        Met::NotMet => ("✗ not met", "bad"),
        Met::Undecided => ("? undecided", "open"),
    }
}

/// A page that is being written.
struct Page {
    title: String,
    body: String,
}

impl Page {
    fn new(title: &str, about: Option<&str>) -> Self {
        let mut body = format!("<header><h1>{}</h1>\n", escape(title));
        if let Some(about) = about {
            let _ = writeln!(body, "<p class=\"about\">{}</p>", escape(about));
        }
        body.push_str("</header>\n");
        Self { title: title.to_owned(), body }
    }

    fn warn(&mut self, words: Option<&str>) {
        if let Some(words) = words {
            let _ = writeln!(self.body, "<p class=\"warning\">{}</p>", escape(words));
        }
    }

    fn facts(&mut self, facts: &[&str], class: &str) {
        for fact in facts {
            let _ = writeln!(self.body, "<p class=\"{class}\">{}</p>", escape(fact));
        }
    }

    /// The picture as a part of the page, as wide as the page allows.
    fn picture(&mut self, svg: &str) {
        let _ = writeln!(self.body, "<figure>{svg}</figure>");
    }

    fn add(&mut self, html: &str) {
        self.body.push_str(html);
    }

    fn notes(&mut self, notes: &[String]) {
        if notes.is_empty() {
            return;
        }
        self.body.push_str("<section><h2>Remarks</h2><ul>\n");
        for note in notes {
            let _ = writeln!(self.body, "<li>{}</li>", escape(note));
        }
        self.body.push_str("</ul></section>\n");
    }

    fn finish(self, made: &[String]) -> String {
        let (title, body, mut foot) = (escape(&self.title), self.body, escape(&made.join(" · ")));
        if body.contains("*</td>") || body.contains("*<small>") {
            foot.push_str(" · * fewer than 10 samples beyond: too few to rely on");
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n\
             <meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\
             <footer>{foot}</footer>\n</main>\n</body>\n</html>\n"
        )
    }
}

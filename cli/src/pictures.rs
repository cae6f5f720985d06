//! Charts and pages beside the result.

use std::path::{Path, PathBuf};

use clap::Args;
use plots::{Found, report_html};

use crate::failure::Failure;
use crate::output;

/// Pixels of a PNG for each unit of the SVG: sharp on dense screens.
#[cfg(feature = "png")]
const SCALE: f32 = 2.0;

/// Which pictures are wanted.
#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// Draw the chart as PNG too, beside the SVG
    #[arg(long)]
    pub(crate) png: bool,
    /// Write a self-contained HTML report (default name: `<scenario>.html`)
    #[expect(clippy::option_option, reason = "not asked for, asked for, asked for under a name")]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    html: Option<Option<PathBuf>>,
}

impl Wanted {
    /// Where the HTML report goes, if there is to be one: unless it is named, into `folder`, named like the scenario.
    pub(crate) fn html_file(&self, folder: &Path, scenario: &str) -> Option<PathBuf> {
        self.html.as_ref().map(|file| file.clone().unwrap_or_else(|| folder.join(format!("{scenario}.html"))))
    }
}

/// Where the pictures of a command that always draws go.
#[derive(Args, Debug)]
pub(crate) struct Drawn {
    /// Where the chart goes (default: `<scenario>.svg`)
    #[arg(long, value_name = "FILE", alias = "plot")]
    svg: Option<PathBuf>,
    /// Folder for the chart and the report, unless they are named
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    wanted: Wanted,
}

impl Drawn {
    /// Whether the chart is wanted as PNG too.
    pub(crate) fn png(&self) -> bool {
        self.wanted.png
    }

    /// The files for a scenario of this name; their folder is made.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn files(&self, name: &str) -> Result<Files, Failure> {
        let folder = output::folder(self.out.as_deref())?;
        let svg = self.svg.clone().unwrap_or_else(|| folder.join(format!("{name}.svg")));
        Ok(Files { svg, html: self.wanted.html_file(&folder, name) })
    }
}

/// Where pictures go.
pub(crate) struct Files {
    /// The chart.
    pub(crate) svg: PathBuf,
    /// The report.
    pub(crate) html: Option<PathBuf>,
}

impl Files {
    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.svg.as_path()).chain(self.html.as_deref())
    }
}

/// Writes the chart to `file` (as PNG if its name says so), and as PNG beside it if `png` is set.
///
/// # Errors
///
/// When it cannot be drawn or written.
pub(crate) fn chart(svg: &str, file: &Path, png: bool) -> Result<(), Failure> {
    let is_png = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if is_png {
        return save_png(svg, file);
    }
    output::save(file, svg.as_bytes())?;
    if png { save_png(svg, &file.with_extension("png")) } else { Ok(()) }
}

#[cfg(feature = "png")]
fn save_png(svg: &str, file: &Path) -> Result<(), Failure> {
    output::save(file, &plots::to_png(svg, SCALE)?)
}

#[cfg(not(feature = "png"))]
fn save_png(_: &str, file: &Path) -> Result<(), Failure> {
    let help = Some("build with `--features png`, or ask for an SVG".to_owned());
    Err(Failure::command(format!("cannot write `{}`: this build has no PNG", file.display()), help))
}

/// Writes the HTML report.
///
/// # Errors
///
/// When there is nothing to show, or it cannot be written.
pub(crate) fn page<'a>(found: impl Into<Found<'a>>, file: &Path) -> Result<(), Failure> {
    output::save(file, report_html(found)?.as_bytes())
}

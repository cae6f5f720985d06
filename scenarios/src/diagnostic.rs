//! Messages about a file: what, where, and what to do.

use std::fmt::{self, Write};
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::tree::{Node, Place};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario cannot be used.
    Error,
    /// The scenario can be used, but is probably not what was meant.
    Warning,
}

/// One mistake, or one doubt.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one phrase.
    pub message: String,
    /// Where, when it is somewhere.
    pub place: Option<Place>,
    /// The path of the value at the place: `traffic.shoppers.rate`.
    pub path: Option<String>,
    /// Other places that belong to it, each with a few words.
    pub related: Vec<(Place, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            place: None,
            path: None,
            related: Vec::new(),
            help: None,
        }
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// The same, at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with advice if there is any.
    #[must_use]
    pub(crate) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// The same, with a second place.
    #[must_use]
    pub fn related(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push((place, text.into()));
        self
    }
}

/// One of the texts that a scenario is made of: the file, or a `--set`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    /// How messages call it: `shop.yaml`, `--set`.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
}

/// What is wrong with a scenario, all of it at once, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    texts: Vec<Arc<Text>>,
}

/// Messages that are drawn; the rest is counted.
const MOST_SHOWN: usize = 100;
/// Lines longer than this are named, not drawn.
const LONGEST_LINE: usize = 2_000;

impl Diagnostics {
    /// One message that has no place in a file.
    pub(crate) fn one(diagnostic: Diagnostic) -> Self {
        Self { list: vec![diagnostic], texts: Vec::new() }
    }

    /// Messages about `texts`, sorted by place, each once, with the paths that `tree` tells.
    pub(crate) fn new(mut list: Vec<Diagnostic>, texts: Vec<Arc<Text>>, trees: &[&Node]) -> Self {
        list.sort_by_key(|a| (a.severity, a.place));
        list.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        for diagnostic in list.iter_mut().take(MOST_SHOWN) {
            if let (None, Some(place)) = (&diagnostic.path, diagnostic.place) {
                diagnostic.path = trees.iter().find_map(|tree| tree.path_of(place));
            }
        }
        Self { list, texts }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The messages.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Where a message points: the name of the file, the line and the column, both from 1.
    pub fn position(&self, diagnostic: &Diagnostic) -> Option<(&str, usize, usize)> {
        let place = diagnostic.place?;
        let text = self.texts.get(usize::from(place.source))?;
        let before = &text.text[..(place.start as usize).min(text.text.len())];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        Some((&text.name, line, before[line_start..].chars().count() + 1))
    }

    /// The messages as a terminal shows them.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for diagnostic in self.list.iter().take(MOST_SHOWN) {
            out.push_str(&self.draw(diagnostic, &renderer));
            out.push_str("\n\n");
        }
        if self.list.len() > MOST_SHOWN {
            let _ = write!(out, "... and {} more\n\n", self.list.len() - MOST_SHOWN);
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    fn draw(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(diagnostic.message.as_str());
        let mut group = match diagnostic.place.and_then(|place| Excerpt::of(&self.texts, place)) {
            Some(excerpt) => self.snippet(title, diagnostic, &excerpt),
            None => match self.position(diagnostic) {
                Some((name, line, column)) => {
                    title.element(Origin::path(name).line(line).char_column(column))
                }
                None => Group::with_title(title),
            },
        };
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    fn snippet<'a>(
        &'a self,
        title: annotate_snippets::Title<'a>,
        diagnostic: &'a Diagnostic,
        excerpt: &Excerpt<'a>,
    ) -> Group<'a> {
        let label = diagnostic.path.as_ref().map(|path| format!("`{path}`"));
        let mut related = Vec::new();
        for (place, text) in &diagnostic.related {
            if let Some(other) = Excerpt::of(&self.texts, *place) {
                related.push((other, text.as_str()));
            }
        }
        // Places of the same text are drawn together, from the first line to the last.
        let same = |other: &Excerpt<'_>| {
            std::ptr::eq(other.text, excerpt.text) && other.line.abs_diff(excerpt.line) < 200
        };
        let all = || related.iter().map(|(other, _)| other).filter(|other| same(other)).chain([excerpt]);
        let first = all().min_by_key(|e| e.line_start).unwrap_or(excerpt);
        let end = all().map(|e| e.line_end).max().unwrap_or(excerpt.line_end);
        let base = first.line_start;
        let mut snippet = Snippet::source(&excerpt.text.text[base..end])
            .line_start(first.line)
            .path(excerpt.text.name.as_str())
            .annotation(AnnotationKind::Primary.span(excerpt.start - base..excerpt.end - base).label(label));
        let mut elsewhere = Vec::new();
        for (other, text) in related {
            if same(&other) {
                let span = other.start - base..other.end - base;
                snippet = snippet.annotation(AnnotationKind::Context.span(span).label(text));
            } else {
                elsewhere.push((other, text));
            }
        }
        let mut group = title.element(snippet);
        for (other, text) in elsewhere {
            let span = other.start - other.line_start..other.end - other.line_start;
            group = group.element(
                Snippet::source(&other.text.text[other.line_start..other.line_end])
                    .line_start(other.line)
                    .path(other.text.name.as_str())
                    .annotation(AnnotationKind::Context.span(span).label(text)),
            );
        }
        group
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// A place and the line that it begins in.
struct Excerpt<'a> {
    text: &'a Text,
    line: usize,
    line_start: usize,
    line_end: usize,
    start: usize,
    end: usize,
}

impl<'a> Excerpt<'a> {
    /// None where the text is not at hand or the line is too long to be shown.
    fn of(texts: &'a [Arc<Text>], place: Place) -> Option<Self> {
        let text = texts.get(usize::from(place.source))?;
        let all = text.text.as_str();
        let start = (place.start as usize).min(all.len());
        let line_start = all[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = all[start..].find('\n').map_or(all.len(), |i| start + i);
        if line_end - line_start > LONGEST_LINE {
            return None;
        }
        // What spans several lines is pointed at in its first.
        let end = (place.end as usize).clamp(start, line_end);
        let end = start + all[start..end].trim_end().len();
        let line = all[..start].bytes().filter(|&b| b == b'\n').count() + 1;
        Some(Self { text, line, line_start, line_end, start, end })
    }
}

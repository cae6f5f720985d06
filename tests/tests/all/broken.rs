//! Every scenario that ships, broken at one word after the other: there is a message or none, and never a panic.
//!
//! `HOCKEYSTICK_LONG=1` breaks every word in every way; otherwise it is one in [`SAMPLE`] of them.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use scenarios::{Scenario, Source};

use crate::shipped::{FOLDERS, files};

/// What a word is replaced by.
const INSTEAD: [&str; 8] = ["", "0", "-1", "1e300", "nonsense", "[]", "{}", "{between: [1, 2]}"];

/// One in so many is tried where time is short.
const SAMPLE: usize = 23;

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.%/-".contains(c)
}

/// Where the words of a text are.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut from = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (from, is_word(c)) {
            (None, true) => from = Some(at),
            (Some(start), false) => {
                words.push(start..at);
                from = None;
            }
            _ => {}
        }
    }
    words
}

/// Whether the scenario is read, or refused, without a panic.
fn is_survived(file: &Path, text: &str) -> bool {
    let folder = file.parent().unwrap_or(file);
    let checked = || {
        let source = Source::from_text("broken.yaml", text, folder)?;
        Scenario::check(&source, &[]).map(|_| ())
    };
    catch_unwind(AssertUnwindSafe(checked)).is_ok()
}

#[test]
fn a_broken_scenario_has_a_message_and_no_panic() {
    let every = if std::env::var_os("HOCKEYSTICK_LONG").is_some() { 1 } else { SAMPLE };
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (file, text)
    };
    let texts: Vec<(PathBuf, String)> = FOLDERS.into_iter().flat_map(files).map(read).collect();
    let mut all = Vec::new();
    for (file, text) in &texts {
        for word in words(text) {
            all.extend(INSTEAD.map(|instead| (file, text, word.clone(), instead)));
        }
    }
    let panics: Vec<String> = all
        .par_iter()
        .skip(every / 2)
        .step_by(every)
        .filter(|(file, text, word, instead)| {
            !is_survived(file, &[&text[..word.start], instead, &text[word.end..]].concat())
        })
        .map(|(file, text, word, instead)| {
            let line = text[..word.end].lines().count();
            format!("{}:{line}: `{instead}` instead of `{}`", file.display(), &text[word.clone()])
        })
        .collect();
    assert!(panics.is_empty(), "{}", panics.join("\n"));
}

//! Probabilities of what is rare.

use scenarios::results::{E, RareOf, RareReport, RareResult};

use super::figure::{Unit, clock, counted, grouped};
use super::page::Page;
use super::table::{Cell, Column, Table};

/// Seconds in a year, on average.
const YEAR: f64 = 365.25 * 86_400.0;

/// The report as text, `width` columns wide.
pub(crate) fn rare(report: &RareReport, width: usize) -> String {
    let mut page = Page::new(width);
    page.head(&report.head);
    page.prose(&format!(
        "Runs of {} that come close to what is rare went on in several copies, each of which counts for less.",
        clock(report.measured)
    ));
    page.gap();
    let mut table = Table::new([
        Column::name("Rare"),
        Column::number("probability"),
        Column::number("±"),
        Column::text("which is"),
    ]);
    for event in &report.events {
        table.row(row(event, report.measured));
    }
    page.table(&table);
    page.gap();
    for event in &report.events {
        page.hanging("* ", "  ", &told(event));
    }
    for note in &report.notes {
        page.hanging("Note  ", "      ", note);
    }
    page.into_text()
}

fn row(event: &RareResult, measured: f64) -> [Cell; 4] {
    let name = Cell::from(event.text.as_str());
    let Some(e) = event.value else { return [name, Cell::none(), Cell::none(), Cell::from("unknown")] };
    if event.of == RareOf::Latency {
        return [name, Unit::Seconds.brief(&e), Cell::Word(margin(&e)), Cell::from("the latency")];
    }
    [
        name,
        Cell::Word(format!("{:.1e}", e.value)),
        Cell::Word(margin(&e)),
        Cell::from(means(event.of, e.value, measured).as_str()),
    ]
}

/// The half-width of the interval, relative to the value.
fn margin(e: &E) -> String {
    let (Some(lo), Some(hi)) = (e.lo, e.hi) else { return String::new() };
    format!("{:.0} %", (hi - lo) / 2.0 / e.value * 100.0)
}

/// The probability in words.
fn means(of: RareOf, share: f64, measured: f64) -> String {
    let one_in = grouped(two_digits(1.0 / share));
    match of {
        RareOf::Requests => format!("1 request in {one_in}"),
        RareOf::Runs => format!("1 run of {} in {one_in}", clock(measured)),
        RareOf::Time => format!("{} a year", Unit::Seconds.say(share * YEAR)),
        RareOf::Latency => String::new(),
    }
}

/// As much of a number as is known of what is rare.
fn two_digits(number: f64) -> u64 {
    let scale = 10.0_f64.powf(number.log10().floor() - 1.0).max(1.0);
    ((number / scale).round() * scale) as u64
}

/// How it was found out.
fn told(event: &RareResult) -> String {
    let split = match (event.levels.as_slice(), event.value) {
        ([], None) => "none of them split".to_owned(),
        ([], Some(_)) => "none of them split: it is not rare".to_owned(),
        ([level], _) => format!("split where {} is {level}", event.toward),
        ([first, .., last], _) => {
            format!("split at {} levels of {} from {first} to {last}", event.levels.len(), event.toward)
        }
    };
    let plain = event.plain_events.filter(|plain| *plain > event.events as f64);
    let plain =
        plain.map(|plain| format!(", where plain simulation needs {} or more", grouped(two_digits(plain))));
    let note = event.note.as_ref().map(|note| format!(". Note: {note}"));
    format!(
        "{}: {}, {split}; {} events{}{}",
        event.text,
        counted(u64::from(event.replications), "replication"),
        grouped(event.events),
        plain.unwrap_or_default(),
        note.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fixtures;

    #[test]
    fn probabilities_are_shown_in_80_columns() {
        let text = rare(&fixtures::rare(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}

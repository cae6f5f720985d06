//! A replay of autoscalers.

use scenarios::results::{Replay, ReplayCounts, ReplayDecision, ReplayReport, ReplaySummary};

use super::figure::{Unit, clock, grouped};
use super::page::Page;
use super::table::{Cell, Column, Table};

/// Changes that are shown of the beginning and of the end, where there are many.
const END: usize = 30;

/// So many more are shown, rather than left out.
const FEW: usize = 20;

/// The report as text, `width` columns wide; one line for each autoscaler where there are several.
pub(crate) fn replay(report: &ReplayReport, all: bool, width: usize) -> String {
    let mut page = Page::new(width);
    match report.replays.as_slice() {
        [one] => alone(&mut page, one, all),
        several => side_by_side(&mut page, several),
    }
    page.into_text()
}

fn alone(page: &mut Page, replay: &Replay, all: bool) {
    head(page, replay);
    if all {
        page.table(&decisions(replay, &replay.all));
    } else {
        changes(page, replay);
    }
    page.table(&reasons(replay));
    summary(page, replay);
    if !replay.notes.is_empty() {
        page.gap();
    }
    for note in &replay.notes {
        page.hanging("Note  ", "      ", note);
    }
}

/// Changes; of more than a few screens the first and the last.
fn changes(page: &mut Page, replay: &Replay) {
    let changes = &replay.changes;
    if changes.is_empty() {
        page.gap();
        page.prose("Nothing was changed.");
    } else if changes.len() <= 2 * END + FEW {
        page.table(&decisions(replay, changes));
    } else {
        page.table(&decisions(replay, &changes[..END]));
        let left_out = grouped((changes.len() - 2 * END) as u64);
        page.gap();
        page.prose(&format!("{left_out} further changes are left out here; `--format csv` has all of them."));
        page.table(&decisions(replay, &changes[changes.len() - END..]));
    }
}

fn head(page: &mut Page, replay: &Replay) {
    page.prose(&format!("{}: {}, {}", replay.name, replay.kind, bounds(replay)));
    for metric in &replay.metrics {
        let targets: Vec<String> =
            metric.targets.iter().map(|target| with_unit(*target, &metric.unit)).collect();
        let held = if targets.is_empty() { String::new() } else { format!(" at {}", targets.join(" and ")) };
        let values = grouped(metric.values);
        page.item(&format!(
            "{}{held}, from {}: {values} values, one each {}",
            metric.name,
            metric.file,
            clock(metric.step)
        ));
    }
    let begin = replay.begin.as_ref().map_or_else(String::new, |begin| format!(" from {begin} UTC"));
    page.item(&format!("{}{begin}; {}", clock(replay.window.to), loop_of(replay)));
}

fn bounds(replay: &Replay) -> String {
    match replay.max {
        Some(max) => format!("{} to {max} replicas", replay.min),
        None => format!("{} replicas or more", replay.min),
    }
}

fn loop_of(replay: &Replay) -> &'static str {
    match replay.how.as_str() {
        "closed" => "closed loop: replicas take time to start and to be seen",
        "recorded" => "beside the replicas that were recorded",
        _ => "open loop: replicas are there at once",
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    if unit.is_empty() { Unit::Count.say(value) } else { format!("{} {unit}", Unit::Count.say(value)) }
}

fn decisions(replay: &Replay, shown: &[ReplayDecision]) -> Table {
    let metric = replay.metrics.first();
    let unit = metric.map_or("", |metric| metric.unit.as_str());
    let mut table = Table::new([
        Column::text("Time"),
        Column::number(metric.map_or("value", |metric| metric.name.as_str())),
        Column::number("from"),
        Column::number("to"),
        Column::name("why"),
    ]);
    for decision in shown {
        table.row([
            Cell::from(decision.time.as_str()),
            value(decision.value, unit),
            count(decision.from),
            decision.to.map_or_else(Cell::none, count),
            Cell::from(decision.meaning.as_str()),
        ]);
    }
    table
}

fn value(value: Option<f64>, unit: &str) -> Cell {
    match value.map(|value| Unit::Count.cell(value)) {
        Some(Cell::Number { digits, unit: scale }) => Cell::Number { digits, unit: format!("{scale}{unit}") },
        _ => Cell::none(),
    }
}

fn count(count: i32) -> Cell {
    Cell::count(u64::try_from(count).unwrap_or(0))
}

fn reasons(replay: &Replay) -> Table {
    let mut table = Table::new([
        Column::whole_name("Reason"),
        Column::number("times"),
        Column::number("share"),
        Column::text("what it means"),
    ]);
    for reason in &replay.reasons {
        table.row([
            Cell::from(reason.reason.as_str()),
            Cell::count(reason.count),
            Cell::Word(format!("{:.1} %", 100.0 * reason.count as f64 / replay.decisions as f64)),
            Cell::from(reason.meaning.as_str()),
        ]);
    }
    table
}

/// Figures, each with its name in front.
fn summary(page: &mut Page, replay: &Replay) {
    let found = &replay.summary;
    page.gap();
    let mut say = |name: &str, text: String| {
        page.hanging(&format!("{name:19}"), &" ".repeat(19), &text);
    };
    say("Changes", changed(found));
    say(
        "Flapping",
        format!(
            "{} per hour: {} turned another within {}",
            Unit::Count.say(found.flaps_per_hour),
            if found.flaps == 1 {
                "1 change".to_owned()
            } else {
                format!("{} changes", grouped(found.flaps))
            },
            clock(found.flap_window)
        ),
    );
    if let (Some(under), Some(worst), Some(hours)) = (found.under, found.worst, found.missing_hours) {
        say("Under-provisioned", provisioned(under, "missing", hours, Some(worst)));
    }
    if let (Some(over), Some(hours)) = (found.over, found.surplus_hours) {
        say("Over-provisioned", provisioned(over, "too many", hours, None));
    }
    if let Some(disagrees) = found.disagrees {
        let share = Unit::Share.say(disagrees);
        say("Another count", format!("{share} of the decisions would have had another than was there"));
    }
    if let Some(counts) = &found.replicas {
        let needed = found.needed.map_or_else(String::new, |needed| format!("; needed {}", spread(&needed)));
        say("Replicas", format!("{}{needed}", spread(counts)));
    }
    let needed = found.needed_hours.map(|hours| format!("; needed {}", Unit::Count.say(hours)));
    say("Replica-hours", format!("{}{}", Unit::Count.say(found.replica_hours), needed.unwrap_or_default()));
    if let Some(cost) = &found.cost {
        say("Cost", format!("{:.2} {}", cost.amount, cost.currency));
    }
    if found.under.is_some() && found.unknown > 1e-3 {
        say(
            "Not known",
            format!("{} of the time nobody knows what was needed", Unit::Share.say(found.unknown)),
        );
    }
}

fn changed(found: &ReplaySummary) -> String {
    format!("{} ({} up, {} down)", grouped(found.changes), grouped(found.up), grouped(found.down))
}

fn provisioned(share: f64, what: &str, hours: f64, worst: Option<i32>) -> String {
    let worst = worst.filter(|worst| *worst > 0).map(|worst| format!(", {worst} at worst"));
    format!(
        "{} of the time: {} replica-hours {what}{}",
        Unit::Share.say(share),
        Unit::Count.say(hours),
        worst.unwrap_or_default()
    )
}

fn spread(counts: &ReplayCounts) -> String {
    format!("{} to {}, {} on average", counts.min, counts.max, Unit::Count.say(counts.mean))
}

/// A line for each of several autoscalers.
fn side_by_side(page: &mut Page, replays: &[Replay]) {
    let plural = replays.len();
    if let Some(first) = replays.first() {
        page.prose(&format!("{plural} autoscalers over {}; {}", clock(first.window.to), loop_of(first)));
    }
    let mut table = Table::new([
        Column::name("Workload"),
        Column::number("changes"),
        Column::number("flaps/h"),
        Column::number("under"),
        Column::number("over"),
        Column::number("min"),
        Column::number("mean"),
        Column::number("max"),
        Column::number("hours"),
        Column::number("cost"),
    ]);
    let share = |share: Option<f64>| share.map_or_else(Cell::none, |share| Unit::Share.cell(share));
    for replay in replays {
        let found = &replay.summary;
        let counts = |of: fn(&ReplayCounts) -> f64| {
            found.replicas.as_ref().map_or_else(Cell::none, |counts| Unit::Count.cell(of(counts)))
        };
        table.row([
            Cell::from(replay.name.as_str()),
            Cell::count(found.changes),
            Unit::Count.cell(found.flaps_per_hour),
            share(found.under),
            share(found.over),
            counts(|counts| f64::from(counts.min)),
            counts(|counts| counts.mean),
            counts(|counts| f64::from(counts.max)),
            Unit::Count.cell(found.replica_hours),
            found.cost.as_ref().map_or_else(Cell::none, |cost| Unit::Count.cell(cost.amount)),
        ]);
    }
    page.table(&table);
    page.item("under, over: share of the time with fewer or more ready replicas than needed");
    let mut told: Vec<(&str, usize)> = Vec::new();
    for note in replays.iter().flat_map(|replay| &replay.notes) {
        match told.iter_mut().find(|(known, _)| known == note) {
            Some((_, count)) => *count += 1,
            None => told.push((note, 1)),
        }
    }
    for (note, count) in told {
        page.hanging("Note  ", "      ", &format!("{count} of {plural}: {note}"));
    }
}

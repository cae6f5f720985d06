//! Which paths move a metric most.

use scenarios::results::{E, PathEffect, SensitivityReport};

use super::figure::{Unit, counted};
use super::page::Page;
use super::sweep::value;
use super::table::{Cell, Column, Table};

/// The report as text, `width` columns wide.
pub(crate) fn sensitivity(report: &SensitivityReport, width: usize) -> String {
    let mut page = Page::new(width);
    page.head(&report.head);
    let trajectories = if report.trajectories == 1 { "trajectory" } else { "trajectories" };
    page.prose(&format!(
        "{} {trajectories}, {}; what is compared meets the same arrivals and needs.",
        report.trajectories,
        counted(report.points, "point")
    ));
    page.gap();
    page.hanging("Answer    ", "          ", &answer(report));
    page.table(&ranking(report));
    let still: Vec<String> =
        report.paths.iter().filter(|path| is_still(path)).map(|path| format!("`{}`", path.path)).collect();
    if !still.is_empty() {
        page.item(&format!("... and not at all by {}", still.join(", ")));
    }
    page.gap();
    page.prose(&format!(
        "`{}` with one path moved and all others as they stand, where it is {}:",
        report.metric,
        base(report)
    ));
    page.table(&ends(report));
    page.gap();
    page.hanging(
        "Read      ",
        "          ",
        "μ* is how much the metric changes, up or down, when a path moves through its range, averaged over places of the \
         other paths (± 95 % interval); μ counts ups and downs against each other; a σ as large as μ* says that it depends \
         on the others, or bends.",
    );
    for note in left_out(report).iter().chain(&report.notes) {
        page.hanging("Note      ", "          ", note);
    }
    if !report.complete {
        page.hanging("Note      ", "          ", "it was cut short, so some of it is missing");
    }
    page.into_text()
}

/// The path that matters most, in a sentence.
fn answer(report: &SensitivityReport) -> String {
    let unit = Unit::of_metric(&report.metric);
    let Some((first, effect)) = report.paths.iter().find_map(|path| Some((path, path.mu_star?))) else {
        return format!("there is nothing to measure `{}` by", report.metric);
    };
    if effect.value <= 0.0 {
        return format!("none of the paths moves `{}` at all", report.metric);
    }
    let share = share(report, effect).map(|share| format!(", {share}")).unwrap_or_default();
    format!(
        "`{}` moves `{}` most: from {} to {} by {}{share}",
        first.path,
        report.metric,
        value(&first.unit, first.from),
        value(&first.unit, first.to),
        unit.say_estimate(&effect),
    )
}

/// Whether it moves nothing, at any point.
fn is_still(path: &PathEffect) -> bool {
    path.mu_star.is_some_and(|e| e.value <= 0.0)
}

/// An effect in per cent of the metric as the scenario stands.
fn share(report: &SensitivityReport, effect: E) -> Option<String> {
    let share = effect.value / report.base?.value.abs();
    share.is_finite().then(|| format!("{:.0} % of {}", share * 100.0, base(report)))
}

fn base(report: &SensitivityReport) -> String {
    report.base.map_or_else(String::new, |e| Unit::of_metric(&report.metric).say(e.value))
}

fn ranking(report: &SensitivityReport) -> Table {
    let unit = Unit::of_metric(&report.metric);
    let heads = ["from", "to", "μ*", "±", "of base", "μ", "σ"].map(Column::number);
    let mut table = Table::new(std::iter::once(Column::whole_name("Path")).chain(heads));
    for path in report.paths.iter().filter(|path| !is_still(path)) {
        let estimate = |e: Option<E>, show: &dyn Fn(&E) -> Cell| e.as_ref().map_or_else(Cell::none, show);
        let share = path.mu_star.zip(report.base).map(|(effect, base)| effect.value / base.value.abs());
        table.row([
            Cell::Text(path.path.clone()),
            Cell::Word(value(&path.unit, path.from)),
            Cell::Word(value(&path.unit, path.to)),
            estimate(path.mu_star, &|e| unit.brief(e)),
            estimate(path.mu_star, &|e| unit.bare_margin(e)),
            share.filter(|share| share.is_finite()).map_or_else(Cell::none, |share| Cell::Number {
                digits: format!("{:.0}", share * 100.0),
                unit: "%".to_owned(),
            }),
            estimate(path.mu, &|e| unit.brief(e)),
            path.sigma.map_or_else(Cell::none, |sigma| unit.cell(sigma)),
        ]);
    }
    table
}

/// The metric at the ends of the leading paths.
fn ends(report: &SensitivityReport) -> Table {
    let unit = Unit::of_metric(&report.metric);
    let heads = ["from", "it is", "±", "to", "it is", "±"].map(Column::number);
    let mut table = Table::new(std::iter::once(Column::whole_name("Path")).chain(heads));
    for path in report.paths.iter().filter(|path| path.low.is_some() || path.high.is_some()) {
        let end = |e: Option<E>| match e {
            Some(e) => [unit.brief(&e), unit.bare_margin(&e)],
            None => [Cell::none(), Cell::none()],
        };
        let at = |number: f64| Cell::Word(value(&path.unit, number));
        let ([low, low_margin], [high, high_margin]) = (end(path.low), end(path.high));
        table.row([
            Cell::Text(path.path.clone()),
            at(path.from),
            low,
            low_margin,
            at(path.to),
            high,
            high_margin,
        ]);
    }
    table
}

/// What was not moved, by the reason.
fn left_out(report: &SensitivityReport) -> Option<String> {
    let listed: Vec<String> =
        report.left_out.iter().map(|left| format!("`{}` ({})", left.path, left.why)).collect();
    (!listed.is_empty()).then(|| format!("not moved: {}", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use hockeystick_tests::results;

    use super::*;

    #[test]
    fn a_ranking_is_shown_in_80_columns() {
        let text = sensitivity(&results::ranking(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}

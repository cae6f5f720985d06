//! A comparison of variants.

use scenarios::results::{CompareReport, Difference};

use super::figure::Unit;
use super::page::Page;
use super::run::expectations;
use super::table::{Cell, Column, Table};

/// The report as text, `width` columns wide.
pub(crate) fn compare(report: &CompareReport, width: usize) -> String {
    let mut page = Page::new(width);
    let others: Vec<&str> =
        report.variants.iter().map(|(name, _)| name.as_str()).filter(|name| *name != report.base).collect();
    page.prose(&format!("{}: {} compared with {}", report.scenario, others.join(", "), report.base));
    let replications = report.variants.iter().map(|(_, result)| result.replications).min().unwrap_or(0);
    page.prose(&format!(
        "{replications} replications of each on the same arrivals and needs; ± is the 95 % interval of the pairs."
    ));
    for (name, result) in &report.variants {
        for growth in &result.growth {
            page.hanging("  ", "    ", &format!("{name} is OVERLOADED: {}", growth.text));
        }
        if let Some(deadlock) = &result.deadlock {
            page.hanging("  ", "    ", &format!("{name} is STUCK: {deadlock}"));
        }
        for reason in &result.cut_short {
            page.hanging("  ", "    ", &format!("{name} was cut short: {reason}"));
        }
    }
    for variant in others {
        differences(&mut page, report, variant);
    }
    expectations(&mut page, &report.expect);
    page.into_text()
}

/// Widest head of a column: longer names stand above the table.
const HEAD: usize = 16;

fn differences(page: &mut Page, report: &CompareReport, variant: &str) {
    // What all metrics are about stands in the head.
    let abouts = report.differences.iter().map(|difference| difference.metric.split('.').next());
    let common =
        abouts.clone().next().flatten().filter(|first| abouts.clone().all(|about| about == Some(first)));
    let fits = |name: &str| name.chars().count() <= HEAD;
    let heads = if fits(&report.base) && fits(variant) {
        [report.base.as_str(), variant, "difference", "±"]
    } else {
        page.gap();
        page.prose(&format!("{variant} (variant) beside {} (base)", report.base));
        ["base", "variant", "difference", "±"]
    };
    let mut table = Table::new(
        [Column::whole_name(common.unwrap_or("Metric"))]
            .into_iter()
            .chain(heads.map(Column::number))
            .chain([Column::number("change"), Column::text("verdict")]),
    );
    let mut about = common;
    for difference in report.differences.iter().filter(|difference| difference.variant == variant) {
        let (subject, metric) = difference.metric.split_once('.').unwrap_or(("", &difference.metric));
        if about.replace(subject).is_none_or(|last| last != subject) {
            table.row([Cell::Span(format!("  {subject}"))]);
        }
        let indent = if common.is_some() { "  " } else { "    " };
        table.row(row(difference, &format!("{indent}{metric}")));
    }
    page.table(&table);
}

fn row(difference: &Difference, metric: &str) -> Vec<Cell> {
    let unit = Unit::of_metric(&difference.metric);
    let number = |cell: Cell, sign: &str| match cell {
        Cell::Number { digits, unit } => Cell::Number { digits: format!("{sign}{digits}"), unit },
        other => other,
    };
    let sign = if difference.difference.value > 0.0 { "+" } else { "" };
    let change = (difference.difference.value / difference.base.value * 100.0).is_finite();
    vec![
        Cell::from(metric),
        unit.brief(&difference.base),
        unit.brief(&difference.value),
        number(unit.estimate(&difference.difference), sign),
        unit.bare_margin(&difference.difference),
        if change && difference.base.value != 0.0 {
            let percent = difference.difference.value / difference.base.value * 100.0;
            Cell::Number {
                digits: format!("{percent:+.0}").replace("+0", "0").replace("-0", "0"),
                unit: "%".to_owned(),
            }
        } else {
            Cell::none()
        },
        Cell::from(difference.verdict.as_str()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fixtures;

    #[test]
    fn a_comparison_is_shown_in_80_columns() {
        let text = compare(&fixtures::comparison(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}

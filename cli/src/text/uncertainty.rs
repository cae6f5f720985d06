//! What uncertain inputs and chance contribute to a run.

use scenarios::results::{Causes, E, UncertainMetric, Uncertainty};

use super::figure::Unit;
use super::page::Page;
use super::table::{Cell, Column, Table};

/// Shares below this are not worth a word.
const LEAST: f64 = 0.005;

/// The section of a run's page.
pub(super) fn uncertainty(page: &mut Page, found: &Uncertainty) {
    page.gap();
    page.prose(&format!(
        "Uncertain inputs: {} points, {} replications each; ± is over points",
        found.points, found.replications
    ));
    page.table(&metrics(found));
    for met in &found.expect {
        page.item(&format!("`{}` is met at {} of {} points", met.text, met.met, met.points));
    }
    page.gap();
    page.line("Where the variance over the points comes from");
    for metric in &found.metrics {
        let causes = metric.causes.as_ref().map_or_else(|| "it does not vary".to_owned(), causes);
        page.hanging("  ", "    ", &format!("{}: {causes}", metric.metric));
    }
    let told = found.metrics.iter().filter(|metric| speaks(metric, found));
    let advice: Vec<&String> = told.filter_map(|metric| metric.text.as_ref()).collect();
    if !advice.is_empty() {
        page.gap();
        page.line("What to do about it");
        for text in advice {
            page.hanging("  - ", "    ", text);
        }
    }
}

/// Of the latencies of a traffic, the 99th percentile speaks for all; what is expected speaks for itself.
fn speaks(metric: &UncertainMetric, found: &Uncertainty) -> bool {
    let figure = metric.metric.rsplit('.').next();
    !matches!(figure, Some("mean" | "p50"))
        || found.expect.iter().any(|met| met.text.starts_with(&metric.metric))
}

fn metrics(found: &Uncertainty) -> Table {
    let heads = ["mean", "±", "5 % below", "5 % above"].map(Column::number);
    let mut table = Table::new(std::iter::once(Column::whole_name("Metric")).chain(heads));
    for UncertainMetric { metric, mean, p5, p95, .. } in &found.metrics {
        let unit = Unit::of_metric(metric);
        table.row([
            Cell::Text(format!("  {metric}")),
            unit.brief(mean),
            unit.bare_margin(mean),
            unit.cell(*p5),
            unit.cell(*p95),
        ]);
    }
    table
}

/// The causes, the greatest first; those that are next to nothing together.
fn causes(causes: &Causes) -> String {
    let mut all: Vec<(String, E)> =
        causes.inputs.iter().map(|cause| (format!("`{}`", cause.path), cause.share)).collect();
    all.push(("noise".to_owned(), causes.noise));
    all.push(("unexplained".to_owned(), causes.rest));
    all.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
    let (told, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, share)| share.value >= LEAST);
    let mut words: Vec<String> = told
        .iter()
        .map(|(name, E { value, lo, hi })| {
            let half = lo.zip(*hi).map(|(lo, hi)| (hi - lo) / 2.0);
            let margin = half.map(|half| format!(" ± {:.0}", half * 100.0)).unwrap_or_default();
            format!("{name} {:.0} %{margin}", value * 100.0)
        })
        .collect();
    if !rest.is_empty() {
        let names: Vec<String> = rest.into_iter().map(|(name, _)| name).collect();
        words.push(format!("next to nothing: {}", names.join(", ")));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use hockeystick_tests::results;

    use super::*;

    #[test]
    fn uncertain_inputs_are_shown_in_80_columns() {
        let mut page = Page::new(80);
        uncertainty(&mut page, &results::uncertainty());
        let text = page.into_text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}

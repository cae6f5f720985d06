//! A run.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use scenarios::results::{
    Applies, E, Latency, LittlesLaw, Met, PolicyResult, Report, ResourceResult, TheoryLine, TimeAt,
    TrafficResult, Verdict,
};

use super::autoscalers::autoscalers;
use super::baseline::baseline;
use super::caches::caches;
use super::figure::{Unit, clock, counted, grouped};
use super::flows::{rates, volumes};
use super::lives::lives;
use super::page::Page;
use super::queues::{jobs, queues};
use super::table::{Cell, Column, Table};
use super::uncertainty::uncertainty;

/// Rows of a table that are shown without `--all`.
const ROWS: usize = 12;
/// Places that are shown without `--all`, of each traffic.
const PLACES: usize = 8;
/// Percentiles of which it is known where their time goes.
const PERCENTILES: [&str; 3] = ["p50", "p99", "p99.9"];

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Every row of long tables.
    pub(crate) all: bool,
    /// Little's Law at every place.
    pub(crate) laws: bool,
}

/// The report as text, `width` columns wide.
pub(crate) fn run(report: &Report, detail: Detail, width: usize) -> String {
    let mut page = Page::new(width);
    heading(&mut page, report);
    growth(&mut page, report);
    traffic(&mut page, report, detail);
    response_times(&mut page, report, detail);
    not_shown(&mut page, report);
    services(&mut page, report, detail);
    resources(&mut page, report, detail);
    connections(&mut page, report, detail);
    rates(&mut page, report);
    volumes(&mut page, report);
    caches(&mut page, report);
    queues(&mut page, report);
    autoscalers(&mut page, report);
    jobs(&mut page, report);
    policies(&mut page, report, detail);
    routes(&mut page, report, detail);
    laws(&mut page, &report.laws.littles_law, detail);
    theory(&mut page, &report.theory, detail);
    places(&mut page, report, detail);
    bottleneck(&mut page, report);
    expectations(&mut page, &report.expect);
    if let Some(found) = &report.uncertainty {
        uncertainty(&mut page, found);
    }
    if let Some(found) = &report.baseline {
        baseline(&mut page, found);
    }
    notes(&mut page, &report.notes);
    footer(&mut page, report);
    page.into_text()
}

/// Whether anything is known of how sure the figures are.
fn has_intervals(report: &Report) -> bool {
    report.traffic.values().any(|traffic| traffic.latency.mean.is_some_and(|mean| mean.lo.is_some()))
}

fn heading(page: &mut Page, report: &Report) {
    page.head(&report.head);
    let warmup = match report.window.from {
        0.0 => String::new(),
        from => format!(", of which {} warm up", clock(from)),
    };
    let each = clock(report.window.to);
    let points = report.uncertainty.as_ref().map(|found| format!(", at {} points", found.points));
    let points = points.unwrap_or_default();
    page.prose(&match report.replications {
        0 => "No replication got anywhere.".to_owned(),
        1 if has_intervals(report) => {
            format!("One replication of {each}{warmup}; ± is the 95 % interval of its batch means.")
        }
        1 => format!("One replication of {each}{warmup}: no intervals."),
        n => format!("{n} replications of {each}{warmup}{points}; ± is the 95 % interval."),
    });
    for reason in &report.cut_short {
        page.prose(&format!("Cut short: {reason}."));
    }
}

fn growth(page: &mut Page, report: &Report) {
    if let Some(deadlock) = &report.deadlock {
        page.gap();
        page.line("STUCK: requests wait for each other");
        page.item(deadlock);
    }
    if report.growth.is_empty() {
        return;
    }
    page.gap();
    match unsteady(report) {
        Unsteady::All => page.line("OVERLOADED: there is no steady state"),
        Unsteady::Some(names) => {
            page.prose(&format!("OVERLOADED: there is no steady state for {}", names.join(", ")));
        }
    }
    for growth in &report.growth {
        page.item(&growth.text);
    }
}

/// The traffics without a steady state.
enum Unsteady<'a> {
    All,
    Some(Vec<&'a str>),
}

fn unsteady(report: &Report) -> Unsteady<'_> {
    let names = report.traffic.keys().filter(|name| !is_steady(report, name)).map(String::as_str);
    let names: Vec<&str> = names.collect();
    if names.len() == report.traffic.len() { Unsteady::All } else { Unsteady::Some(names) }
}

fn is_steady(report: &Report, traffic: &str) -> bool {
    report.is_steady(&format!("traffic.{traffic}"))
}

/// Which figures are left out because they would only say how long the run was.
fn not_shown(page: &mut Page, report: &Report) {
    if report.growth.is_empty() && report.deadlock.is_none() {
        return;
    }
    page.gap();
    match unsteady(report) {
        Unsteady::All => page.prose("Response times and queues have no steady state and are not shown."),
        Unsteady::Some(names) => page.prose(&format!(
            "Response times and queues on the way of {} have no steady state and are not shown.",
            names.join(", ")
        )),
    }
}

/// The rows that are shown, and how many are not.
fn shown<T>(rows: Vec<T>, detail: Detail, most: usize) -> (Vec<T>, usize) {
    let hidden = if detail.all { 0 } else { rows.len().saturating_sub(most) };
    // One more row takes no more room than saying that there is one more.
    let hidden = if hidden == 1 { 0 } else { hidden };
    let kept = rows.len() - hidden;
    (rows.into_iter().take(kept).collect(), hidden)
}

fn more(page: &mut Page, hidden: usize, what: &str) {
    if hidden > 0 {
        page.item(&format!("... and {hidden} more{what}; `--all` shows them"));
    }
}

fn estimate(unit: Unit, e: Option<E>) -> Cell {
    e.map_or_else(Cell::none, |e| unit.estimate(&e))
}

pub(super) fn brief(unit: Unit, e: Option<E>) -> Cell {
    e.map_or_else(Cell::none, |e| unit.brief(&e))
}

fn margin(unit: Unit, e: Option<E>) -> Cell {
    e.map_or(Cell::Empty, |e| unit.margin(&e))
}

/// Adds a row of estimates, and one with their margins below it.
fn estimates(table: &mut Table, name: &str, cells: &[(Unit, Option<E>)], last: Option<Cell>) {
    let values = cells.iter().map(|(unit, e)| estimate(*unit, *e));
    table.row([Cell::from(format!("  {name}"))].into_iter().chain(values).chain(last));
    let margins: Vec<Cell> = cells.iter().map(|(unit, e)| margin(*unit, *e)).collect();
    if margins.iter().any(|cell| *cell != Cell::Empty) {
        table.row([Cell::Empty].into_iter().chain(margins));
    }
}

fn busiest_traffics(report: &Report) -> Vec<(&String, &TrafficResult)> {
    let mut traffics: Vec<_> = report.traffic.iter().collect();
    let offered = |traffic: &TrafficResult| traffic.offered.map_or(0.0, |e| e.value);
    traffics.sort_by(|a, b| offered(b.1).total_cmp(&offered(a.1)));
    traffics
}

fn traffic(page: &mut Page, report: &Report, detail: Detail) {
    let mut table = Table::new([
        Column::name("Traffic"),
        Column::number("offered/s"),
        Column::number("answered/s"),
        Column::number("ok"),
        Column::number("errors"),
        Column::number("attempts"),
        Column::number("in flight"),
    ]);
    let (traffics, hidden) = shown(busiest_traffics(report), detail, ROWS);
    for (name, traffic) in &traffics {
        let steady = is_steady(report, name);
        let retried = traffic.attempts_per_request.filter(|e| e.value > 1.0);
        let cells = [
            (Unit::Rate, traffic.offered),
            (Unit::Rate, traffic.throughput),
            (Unit::Share, traffic.ok),
            (Unit::Share, traffic.errors),
            (Unit::Count, retried),
            (Unit::Count, traffic.in_flight.filter(|_| steady)),
        ];
        estimates(&mut table, name, &cells, None);
    }
    page.table(&table);
    more(page, hidden, "");
    for (name, traffic) in &traffics {
        outcomes(page, name, traffic);
    }
}

/// What became of the requests, when it was not always the same.
fn outcomes(page: &mut Page, name: &str, traffic: &TrafficResult) {
    let mut ended: Vec<(&String, &u64)> =
        traffic.outcomes.iter().filter(|(outcome, n)| **n > 0 && *outcome != "in_flight").collect();
    if ended.len() < 2 {
        return;
    }
    ended.sort_by(|a, b| b.1.cmp(a.1));
    let mut said: Vec<String> =
        ended.iter().map(|(outcome, n)| format!("{} {outcome}", grouped(**n))).collect();
    if let Some(n) = traffic.outcomes.get("in_flight").filter(|n| **n > 0) {
        said.push(format!("{} in flight at the end", grouped(*n)));
    }
    page.item(&format!("{name}: of {} requests {}", grouped(traffic.requests), said.join(", ")));
}

fn response_times(page: &mut Page, report: &Report, detail: Detail) {
    let mut table = Table::new(
        [Column::name("Response times")]
            .into_iter()
            .chain(["mean", "p50", "p95", "p99", "p99.9", "max"].map(Column::number)),
    );
    let mut rows: Vec<(String, &Latency)> = Vec::new();
    for (name, traffic) in busiest_traffics(report).into_iter().filter(|(name, _)| is_steady(report, name)) {
        rows.push((name.clone(), &traffic.latency));
        // Without time-outs and retries both are the same.
        if let Some(intended) = traffic.intended.as_ref().filter(|intended| **intended != traffic.latency) {
            rows.push((format!("{name}, as intended"), intended));
        }
        let groups = traffic.classes.iter().chain(&traffic.tenants);
        rows.extend(groups.map(|(group, of)| (format!("{name}, {group}"), &of.latency)));
    }
    let (rows, hidden) = shown(rows, detail, ROWS);
    for (name, latency) in rows.iter().filter(|(_, latency)| latency.count > 0) {
        let thin = |name: &str| latency.thin.iter().any(|thin| thin == name);
        let cells =
            [latency.mean, latency.p50, latency.p95, latency.p99, latency.p999].map(|e| (Unit::Seconds, e));
        let values = cells.iter().zip(["mean", "p50", "p95", "p99", "p99.9"]).map(|((unit, e), name)| {
            let cell = estimate(*unit, *e);
            if thin(name) { doubted(cell) } else { cell }
        });
        let max = latency.max.map_or_else(Cell::none, |max| Unit::Seconds.cell(max));
        table.row([Cell::from(format!("  {name}"))].into_iter().chain(values).chain([max]));
        let margins: Vec<Cell> = cells.iter().map(|(unit, e)| margin(*unit, *e)).collect();
        if margins.iter().any(|cell| *cell != Cell::Empty) {
            table.row([Cell::Empty].into_iter().chain(margins));
        }
    }
    page.table(&table);
    more(page, hidden, "");
}

/// Too few samples to rely on.
fn doubted(cell: Cell) -> Cell {
    match cell {
        Cell::Number { digits, unit } => Cell::Number { digits, unit: format!("{unit}?") },
        other => other,
    }
}

fn services(page: &mut Page, report: &Report, detail: Detail) {
    let mut table = Table::new([
        Column::name("Services"),
        Column::number("replicas"),
        Column::number("answered/s"),
        Column::number("failed/s"),
        Column::number("mean"),
        Column::number("p99"),
    ]);
    let busy = |service: &str| {
        let resources = report.services.get(service).map(|service| &service.resources);
        let busiest = resources.into_iter().flat_map(BTreeMap::values).filter_map(|r| r.utilization);
        busiest.map(|e| e.value).fold(0.0, f64::max)
    };
    let mut rows: Vec<_> = report
        .services
        .iter()
        .flat_map(|(name, service)| service.endpoints.iter().map(move |endpoint| (name, service, endpoint)))
        .collect();
    rows.sort_by(|a, b| busy(b.0).total_cmp(&busy(a.0)));
    let (rows, hidden) = shown(rows, detail, ROWS);
    for (name, service, (endpoint, result)) in rows {
        let steady = report.is_steady(&format!("services.{name}.endpoints.{endpoint}"));
        let latency = |e: Option<E>| brief(Unit::Seconds, e.filter(|_| steady));
        table.row([
            Cell::from(format!("  {name}.{endpoint}")),
            brief(Unit::Count, service.replicas),
            brief(Unit::Rate, result.throughput),
            brief(Unit::Rate, result.failures.filter(|e| e.value > 0.0)),
            latency(result.latency.mean),
            latency(result.latency.p99),
        ]);
    }
    page.table(&table);
    more(page, hidden, "");
    lives(page, report);
}

fn busy(resource: &ResourceResult) -> f64 {
    resource.utilization.map_or(0.0, |e| e.value)
}

/// All resources, by the name under which a metric finds them, the busiest first.
pub(super) fn busiest_resources(report: &Report) -> Vec<(String, &ResourceResult)> {
    let own = report.services.iter().flat_map(|(service, result)| {
        result.resources.iter().map(move |(name, resource)| (format!("{service}.{name}"), resource))
    });
    let shared = report.resources.iter().map(|(name, resource)| (name.clone(), resource));
    let mut resources: Vec<_> = own.chain(shared).collect();
    resources.sort_by(|a, b| busy(b.1).total_cmp(&busy(a.1)));
    resources
}

/// The path of a resource.
fn path_of(name: &str) -> String {
    match name.split_once('.') {
        Some((service, own)) => format!("services.{service}.resources.{own}"),
        None => format!("resources.{name}"),
    }
}

fn resources(page: &mut Page, report: &Report, detail: Detail) {
    let mut table = Table::new([
        Column::name("Resources"),
        Column::number("units"),
        Column::number("busy"),
        Column::number("queue"),
        Column::number("longest"),
        Column::number("wait"),
        Column::number("wait p99"),
        Column::number("refused"),
    ]);
    let idle = |resource: &ResourceResult| resource.acquired == 0 && busy(resource) == 0.0;
    let mut used = busiest_resources(report);
    used.retain(|(_, resource)| resource.limiter.is_none() && resource.volume.is_none());
    used.retain(|(_, resource)| detail.all || !idle(resource));
    let (rows, hidden) = shown(used.clone(), detail, ROWS);
    let next = used.get(rows.len()).map(|(_, resource)| busy(resource));
    let quotas: Vec<String> = rows
        .iter()
        .flat_map(|(name, resource)| [quota(name, resource), pauses(name, resource)])
        .flatten()
        .collect();
    for (name, resource) in rows {
        let steady = report.is_steady(&path_of(&name));
        let waited = resource.queue_max.is_some_and(|longest| longest > 0);
        let settled = |e: Option<E>| e.filter(|_| steady && waited);
        let refused = resource.rejected + resource.timed_out + resource.dropped + resource.abandoned;
        table.row([
            Cell::from(match resource.batch_size {
                Some(size) => format!("  {name} ({} a batch)", Unit::Count.say(size.value)),
                None => format!("  {name}"),
            }),
            brief(Unit::Count, resource.capacity),
            brief(Unit::Share, resource.utilization),
            brief(Unit::Count, settled(resource.queue_length)),
            resource.queue_max.filter(|_| waited).map_or_else(Cell::none, Cell::count),
            brief(Unit::Seconds, settled(resource.wait.mean)),
            brief(Unit::Seconds, settled(resource.wait.p99)),
            if refused > 0 { Cell::count(refused) } else { Cell::none() },
        ]);
    }
    page.table(&table);
    let at_most = next.map(|busy| format!(", at most {} busy", Unit::Share.say(busy))).unwrap_or_default();
    more(page, hidden, &at_most);
    for (name, resource) in &used {
        if let Some(limit) = resource.limit {
            page.item(&format!("{name}: the limit was {} on average", Unit::Count.say(limit.value)));
        }
        let counts =
            [(resource.dropped, "dropped by CoDel"), (resource.abandoned, "abandoned by their callers")];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, how)| format!("{} {how}", grouped(*count)))
            .collect();
        if !counts.is_empty() {
            page.item(&format!("{name}: {}", counts.join(", ")));
        }
    }
    for quota in &quotas {
        page.item(quota);
    }
}

/// Resources that are connections.
fn connections(page: &mut Page, report: &Report, detail: Detail) {
    let mut table = Table::new([
        Column::name("Connections"),
        Column::number("slots"),
        Column::number("open"),
        Column::number("used"),
        Column::number("opened/s"),
        Column::number("refused/s"),
    ]);
    let mut kept = busiest_resources(report);
    kept.retain(|(_, resource)| resource.connections.is_some());
    if kept.is_empty() {
        return;
    }
    let (rows, hidden) = shown(kept, detail, ROWS);
    for (name, resource) in rows {
        let Some(found) = resource.connections else { continue };
        table.row([
            Cell::from(format!("  {name}")),
            brief(Unit::Count, resource.capacity),
            brief(Unit::Count, found.open),
            brief(Unit::Count, resource.in_use),
            brief(Unit::Rate, found.opened),
            brief(Unit::Rate, found.refused),
        ]);
    }
    page.table(&table);
    more(page, hidden, "");
}

/// What the quota of some cores holds back, if it does.
fn quota(name: &str, resource: &ResourceResult) -> Option<String> {
    let (time, periods) = (resource.throttled?.value, resource.throttled_periods?.value);
    (time > 0.0).then(|| {
        let (time, periods) = (Unit::Share.say(time), Unit::Share.say(periods));
        format!(
            "{name}: the quota is used up in {periods} of the periods; work stands still {time} of the time"
        )
    })
}

/// How long pauses have some cores, if they do.
fn pauses(name: &str, resource: &ResourceResult) -> Option<String> {
    let share = resource.paused?.value;
    Some(format!("{name}: pauses have them {} of the time, which counts as used", Unit::Share.say(share)))
}

/// Policies that have done something, or all of them.
fn policies(page: &mut Page, report: &Report, detail: Detail) {
    let mut table = Table::new([
        Column::name("Policies"),
        Column::number("calls/s"),
        Column::number("attempts"),
        Column::number("retries/s"),
        Column::number("refused/s"),
        Column::number("hedges/s"),
        Column::number("open"),
        Column::number("fallbacks/s"),
    ]);
    let mut rows: Vec<(String, &PolicyResult)> = Vec::new();
    for (name, policy) in &report.policies {
        rows.push((name.clone(), policy));
        rows.extend(policy.callers.iter().map(|(caller, policy)| (format!("  by {caller}"), policy)));
    }
    rows.retain(|(_, policy)| detail.all || has_acted(policy));
    let (rows, hidden) = shown(rows, detail, ROWS);
    for (name, policy) in rows {
        let some = |e: Option<E>| e.filter(|e| e.value > 0.0);
        let open = policy.breaker.as_ref().and_then(|breaker| breaker.open);
        table.row([
            Cell::from(format!("  {name}")),
            brief(Unit::Rate, policy.calls),
            brief(Unit::Count, policy.attempts_per_call),
            brief(Unit::Rate, some(policy.retries)),
            refused(policy).map_or_else(Cell::none, |per_second| Unit::Rate.cell(per_second)),
            brief(Unit::Rate, some(policy.hedges)),
            brief(Unit::Share, open),
            brief(Unit::Rate, some(policy.fallbacks)),
        ]);
    }
    page.table(&table);
    more(page, hidden, "");
    for (name, policy) in &report.policies {
        let breaker = policy.breaker.as_ref();
        let trips = breaker.and_then(|breaker| breaker.trips).filter(|trips| trips.value > 0.0);
        if let (Some(breaker), Some(trips)) = (breaker, trips) {
            let rejected = breaker.rejected.map_or(0.0, |e| e.value);
            page.item(&format!(
                "{name}: the breaker opened {} times a run and turned away {}",
                Unit::Count.say(trips.value),
                Unit::Rate.say(rejected),
            ));
        }
    }
}

/// Attempts per second that a policy turned away: by its breaker, its limit or its budget.
fn refused(policy: &PolicyResult) -> Option<f64> {
    let breaker = policy.breaker.as_ref().and_then(|breaker| breaker.rejected);
    let parts = [breaker, policy.limit_rejected, policy.retries_refused];
    let sum: f64 = parts.into_iter().flatten().map(|e| e.value).sum();
    (sum > 0.0).then_some(sum)
}

fn has_acted(policy: &PolicyResult) -> bool {
    let open = policy.breaker.as_ref().and_then(|breaker| breaker.open);
    let signs = [policy.timeouts, policy.expired, policy.retries, policy.hedges, policy.fallbacks, open];
    refused(policy).is_some() || signs.into_iter().flatten().any(|e| e.value > 0.0)
}

/// What callers thought of the health of replicas, where they did.
fn routes(page: &mut Page, report: &Report, detail: Detail) {
    let heads = ["sent/s", "ejections", "out", "in panic"];
    let mut table = Table::new([Column::name("Routes")].into_iter().chain(heads.map(Column::number)));
    let judged = report.routes.iter().filter(|(_, route)| route.sent.is_some());
    let (rows, hidden) = shown(judged.collect(), detail, ROWS);
    for (name, route) in rows {
        table.row([
            Cell::from(format!("  {name}")),
            brief(Unit::Rate, route.sent),
            if route.ejections > 0 { Cell::count(route.ejections) } else { Cell::none() },
            brief(Unit::Share, route.out.filter(|e| e.value > 0.0)),
            brief(Unit::Share, route.panic.filter(|e| e.value > 0.0)),
        ]);
    }
    page.table(&table);
    more(page, hidden, "");
    for (name, route) in &report.routes {
        if let (Some(connects), Some(reused)) = (route.connects, route.reused) {
            let (opened, found) = (Unit::Rate.say(connects.value), Unit::Share.say(reused.value));
            page.item(&format!(
                "{name}: {opened} connections are opened, {found} of the calls find one open"
            ));
        }
    }
}

fn laws(page: &mut Page, laws: &[LittlesLaw], detail: Detail) {
    let largest = |key: fn(&LittlesLaw) -> f64| laws.iter().max_by(|a, b| key(a).total_cmp(&key(b)));
    let gap = |law: &LittlesLaw| law.gap.map_or(0.0, f64::abs);
    let (Some(worst), Some(widest)) = (largest(|law| law.residual), largest(gap)) else { return };
    page.gap();
    page.prose(&format!(
        "Little's Law holds on the sample path at all {} places, worst residual {}{}. As readers compute it, L and \
         \u{3bb}W differ by {} at most, at {}.",
        laws.len(),
        residual(worst.residual),
        if worst.residual > 0.0 { format!(" at {}", worst.at) } else { String::new() },
        Unit::Share.say(gap(widest)),
        widest.at,
    ));
    if !detail.laws {
        return;
    }
    let heads = ["L", "\u{3bb}/s", "W", "gap", "residual"];
    let mut table = Table::new([Column::name("Little's Law")].into_iter().chain(heads.map(Column::number)));
    for law in laws {
        table.row([
            Cell::from(format!("  {}", law.at)),
            Unit::Count.cell(law.l),
            Unit::Rate.cell(law.lambda),
            law.w.map_or_else(Cell::none, |w| Unit::Seconds.cell(w)),
            law.gap.map_or_else(Cell::none, |gap| Unit::Share.cell(gap)),
            Cell::Word(residual(law.residual)),
        ]);
    }
    page.table(&table);
}

fn residual(residual: f64) -> String {
    if residual == 0.0 { "0".to_owned() } else { format!("{residual:.0e}") }
}

/// What a theory line's metric measures.
fn unit_of_theory(metric: &str) -> Unit {
    let has = |words: &[&str]| words.iter().any(|word| metric.contains(word));
    if has(&["utilization", "probability", "blocked", "loss", "ratio", "errors"]) {
        Unit::Share
    } else if has(&["throughput", "rate", "saturat"]) {
        Unit::Rate
    } else if has(&[
        "queue length",
        "in flight",
        "in service",
        "number",
        "attempts",
        "in_flight",
        "queue_length",
    ]) {
        Unit::Count
    } else {
        Unit::Seconds
    }
}

fn theory(page: &mut Page, lines: &[TheoryLine], detail: Detail) {
    let heads = ["theory", "simulated", "±"];
    let mut table = Table::new(
        [Column::name("Theory beside simulation")]
            .into_iter()
            .chain(heads.map(Column::number))
            .chain([Column::text("")]),
    );
    let (applying, others): (Vec<&TheoryLine>, Vec<&TheoryLine>) =
        lines.iter().partition(|line| line.applies != Applies::No && line.value.is_some());
    let (applying, hidden) = shown(applying, detail, ROWS);
    let mut last = None;
    let mut outside = false;
    for line in applying {
        if last.replace((&line.at, &line.model)) != Some((&line.at, &line.model)) {
            let about = if line.applies == Applies::Exactly { "" } else { " (approximation)" };
            table.row([Cell::Span(format!("  {}: {}{about}", line.at, line.model))]);
        }
        let unit = unit_of_theory(&line.metric);
        let verdict = verdict_on(line);
        outside |= verdict == OUTSIDE;
        table.row([
            Cell::from(format!("    {}", line.metric)),
            line.value.map_or_else(Cell::none, |value| beside(unit, value, line.simulated)),
            estimate(unit, line.simulated),
            line.simulated.map_or(Cell::Empty, |e| unit.bare_margin(&e)),
            Cell::from(verdict),
        ]);
    }
    page.table(&table);
    more(page, hidden, "");
    if outside {
        page.item("One exact value in twenty lies outside of its interval by chance.");
    }
    not_applying(page, &others, detail);
}

/// The verdict on an exact value that the simulation's interval misses.
const OUTSIDE: &str = "OUTSIDE";

/// The theory's value with the digits of the simulation's.
fn beside(unit: Unit, value: f64, simulated: Option<E>) -> Cell {
    match simulated {
        Some(E { value: seen, lo: Some(lo), hi: Some(hi) }) => {
            let reach = (seen - lo).abs().max((hi - seen).abs());
            unit.estimate(&E { value, lo: Some(value - reach), hi: Some(value + reach) })
        }
        _ => unit.cell(value),
    }
}

/// Whether the closed form lies inside of the simulation's interval.
fn verdict_on(line: &TheoryLine) -> String {
    let (Some(value), Some(E { value: seen, lo: Some(lo), hi: Some(hi) })) = (line.value, line.simulated)
    else {
        return String::new();
    };
    if (lo..=hi).contains(&value) {
        return "inside".to_owned();
    }
    if lo >= hi {
        return String::new(); // Every replication saw the same, such as no wait at all: that is no interval.
    }
    match line.applies {
        Applies::Exactly => OUTSIDE.to_owned(),
        _ => format!("{:+.1} %", (value / seen - 1.0) * 100.0),
    }
}

/// Closed forms that say nothing here, by reason.
fn not_applying(page: &mut Page, lines: &[&TheoryLine], detail: Detail) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in lines {
        match reasons.iter_mut().find(|(why, _)| *why == line.why) {
            Some((_, places)) if places.contains(&line.at.as_str()) => {}
            Some((_, places)) => places.push(&line.at),
            None => reasons.push((&line.why, vec![&line.at])),
        }
    }
    if reasons.is_empty() {
        return;
    }
    page.gap();
    page.line("No closed form:");
    let (reasons, hidden) = shown(reasons, detail, PLACES);
    for (why, places) in reasons {
        let (first, rest) = shown(places, detail, 4);
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        page.hanging("  ", "    ", &format!("{}{rest}: {why}", first.join(", ")));
    }
    more(page, hidden, "");
}

fn places(page: &mut Page, report: &Report, detail: Detail) {
    for (name, traffic) in busiest_traffics(report).into_iter().take(if detail.all { usize::MAX } else { 4 })
    {
        let steady = is_steady(report, name);
        let known: Vec<&str> = PERCENTILES.into_iter().filter(|p| traffic.time_at.contains_key(*p)).collect();
        let Some(slow) = known.iter().find(|p| **p == "p99").or(known.last()) else { continue };
        let at = |p: &str| traffic.time_at.get(p).map_or(&[][..], Vec::as_slice);
        let mut keys: Vec<(&str, &str)> = Vec::new();
        for time in known.iter().flat_map(|p| at(p)) {
            if !keys.contains(&(&time.place, &time.kind)) {
                keys.push((&time.place, &time.kind));
            }
        }
        let seconds = |p: &str, key: (&str, &str)| {
            at(p)
                .iter()
                .find(|time| (time.place.as_str(), time.kind.as_str()) == key)
                .map(|time| time.seconds)
        };
        let by = |key: (&str, &str)| seconds(slow, key).unwrap_or(0.0);
        keys.sort_by(|a, b| by(*b).partial_cmp(&by(*a)).unwrap_or(Ordering::Equal));
        let (keys, hidden) = shown(keys, detail, PLACES);
        let mut columns = vec![Column::name("  place"), Column::text("as")];
        for p in &known {
            columns.push(Column::number(p));
            columns.extend(steady.then(|| Column::number("")));
        }
        let mut table = Table::new(columns);
        for key in keys {
            let mut row = vec![Cell::from(format!("  {}", key.0)), Cell::from(key.1)];
            for p in &known {
                row.extend(time_and_share(at(p), seconds(p, key), steady));
            }
            table.row(row);
        }
        if !table.is_empty() {
            page.gap();
            page.line(&format!("Where the time of {name} goes"));
            page.rows(&table);
            more(page, hidden, "");
        }
    }
}

/// How long, and which share of the whole. Without a steady state the shares still say what is to blame.
fn time_and_share(all: &[TimeAt], seconds: Option<f64>, steady: bool) -> Vec<Cell> {
    let whole: f64 = all.iter().map(|time| time.seconds).sum();
    let share = |seconds: f64| Cell::Number {
        digits: format!("{:.0}", 100.0 * seconds / whole),
        unit: "%".to_owned(),
    };
    match seconds.filter(|_| whole > 0.0) {
        Some(seconds) if steady => vec![Unit::Seconds.cell(seconds), share(seconds)],
        Some(seconds) => vec![share(seconds)],
        None if steady => vec![Cell::none(), Cell::Empty],
        None => vec![Cell::none()],
    }
}

fn bottleneck(page: &mut Page, report: &Report) {
    let Some(bottleneck) = &report.bottleneck else { return };
    page.gap();
    let seen = bottleneck.utilization.map(|e| format!(" Simulated: {}.", Unit::Share.say_estimate(&e)));
    page.prose(&format!("{}.{}", bottleneck.text.replace('`', ""), seen.unwrap_or_default()));
}

/// Expectations and their verdicts.
pub(super) fn expectations(page: &mut Page, expect: &[Verdict]) {
    if expect.is_empty() {
        return;
    }
    page.gap();
    page.line("Expectations");
    for verdict in expect {
        let mark = match verdict.verdict {
            Met::Met => "  met        ",
            Met::NotMet => "  NOT MET    ",
            Met::Undecided => "  undecided  ",
        };
        let colon = if verdict.observed.is_some() { ":" } else { "" };
        let observed = observed(verdict);
        let space = if observed.is_empty() { "" } else { " " };
        page.hanging(mark, "             ", &format!("{}{colon}{space}{observed}", verdict.text));
    }
}

/// What was seen of an expectation, and why it is undecided.
pub(crate) fn observed(verdict: &Verdict) -> String {
    let ratio = verdict.text.split(['<', '>', '=']).next().is_some_and(|left| left.contains('/'));
    let unit = if ratio { Unit::Count } else { Unit::of_metric(&verdict.text) };
    let seen = verdict.observed.map(|e| unit.say_estimate(&e));
    let why = verdict.why.as_ref().map(|why| format!("({why})"));
    [seen, why].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn notes(page: &mut Page, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    page.gap();
    page.line("Notes");
    for note in notes {
        page.hanging("  - ", "    ", note);
    }
}

fn footer(page: &mut Page, report: &Report) {
    page.gap();
    let replications = counted(u64::from(report.replications), "replication");
    page.line(&format!("{replications}, seed {}, {} events", report.head.seed, grouped(report.events)));
    page.line(&format!("fingerprint {}", report.fingerprint));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fixtures;

    #[test]
    fn a_steady_run_is_shown_in_80_columns() {
        let text = run(&fixtures::shop(), Detail::default(), 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn everything_is_shown_on_demand() {
        let text = run(&fixtures::shop(), Detail { all: true, laws: true }, 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn an_overloaded_run_shows_no_means() {
        let text = run(&fixtures::overloaded(), Detail::default(), 80);
        assert!(!text.contains("Response times  ") && !text.contains("wait"), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn growth_hides_only_what_it_touches() {
        let mut report = fixtures::overloaded();
        let bots = report.traffic["shoppers"].clone();
        report.traffic.insert("bots".into(), bots);
        let text = run(&report, Detail::default(), 80);
        assert!(text.contains("OVERLOADED: there is no steady state for shoppers\n"), "{text}");
        let times = text.split("Response times").nth(1).unwrap();
        assert!(times.lines().nth(1).unwrap().trim_start().starts_with("bots"), "{text}");
        assert!(
            text.contains("Response times and queues on the way of shoppers have no steady state"),
            "{text}"
        );
    }

    #[test]
    fn one_replication_has_no_intervals() {
        let text = run(&fixtures::single(), Detail::default(), 80);
        assert!(!text.contains('±'), "{text}");
        insta::assert_snapshot!(text);
    }
}

//! What became of replicas: their states, and what they and their nodes cost.

use std::fmt::Write as _;

use scenarios::results::{CostResult, E, LifeResult, Report};

use super::figure::Unit;
use super::page::Page;

/// A line for each service whose replicas come and go, or have a price; and for its nodes, where they are counted.
pub(super) fn lives(page: &mut Page, report: &Report) {
    for (name, service) in &report.services {
        if let Some(life) = &service.life {
            page.item(&format!("{name}: {}", lived(life)));
        }
        hours(page, name, "replica", service.replica_hours, service.cost.as_ref());
    }
    for (name, autoscaler) in &report.autoscalers {
        hours(page, name, "node", autoscaler.node_hours, autoscaler.cost.as_ref());
    }
}

/// For how many hours so many were there, and what they cost.
fn hours(page: &mut Page, name: &str, of: &str, hours: Option<E>, cost: Option<&CostResult>) {
    let Some(hours) = hours else { return };
    let cost = cost.and_then(|cost| Some((cost.total?, &cost.currency)));
    let cost =
        cost.map(|(total, currency)| format!(", which cost {} {currency}", Unit::Count.say(total.value)));
    let hours = Unit::Count.say(hours.value);
    page.item(&format!("{name}: {hours} {of}-hours{}", cost.unwrap_or_default()));
}

/// What became of replicas, in words.
fn lived(life: &LifeResult) -> String {
    let count = |e: Option<E>| e.map_or(0.0, |e| e.value);
    let mut told = vec![format!("{} replicas ready", Unit::Count.say(count(life.ready)))];
    let states = [
        (life.warming, "of them warming up"),
        (life.starting, "starting"),
        (life.draining, "draining"),
        (life.down, "down"),
    ];
    for (e, word) in states {
        if count(e) >= 0.000_5 {
            told.push(format!("{} {word}", Unit::Count.say(count(e))));
        }
    }
    let events = [
        (life.crashes, "crashes"),
        (life.starts, "starts"),
        (life.cut_off, "requests cut off"),
        (life.refused, "calls refused"),
    ];
    for (e, word) in events {
        if count(e) > 0.0 {
            told.push(format!("{} {word}", Unit::Count.say(count(e))));
        }
    }
    let mut text = told.join(", ");
    // The numbers that were there most of the time say most; of several that were there equally long the largest does.
    let mut shares: Vec<(u32, String)> = Vec::new();
    for (k, e) in &life.available {
        let share = Unit::Share.say(count(*e));
        match shares.last_mut() {
            Some((number, known)) if *known == share => *number = *k,
            _ => shares.push((*k, share)),
        }
    }
    for (k, share) in shares.into_iter().take(2) {
        let _ = write!(text, "; at least {k} ready {share} of the time");
    }
    text
}

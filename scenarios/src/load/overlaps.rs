//! Changes of values that may be in force together. What two events set may be in one row of the blueprint, or one may
//! set back what the other has set: what holds is what the file says once all have been set that are in force, in the
//! order in which they began. So the scenario is compiled once for each of those orders that can come.

use std::collections::BTreeSet;

use models::blueprint::{Change, Overlap, Patch};

use super::events::{Base, TimedEvent};
use crate::diagnostic::Diagnostic;
use crate::spec::Sink;

/// Events about the same rows of which some begin at random or on a condition, at most: any order of them is compiled.
const MOST_AT_ANY_TIME: usize = 5;

/// What holds while several changes are in force that are about the same. Takes it over from the changes.
pub(super) fn overlaps(
    of: &Base<'_>,
    events: &[TimedEvent<'_>],
    changes: &mut [Change],
    sink: &mut Sink,
) -> Vec<Overlap> {
    let mut all = Vec::new();
    for group in groups(events, changes) {
        let any_time = group.iter().any(|&change| !by_the_clock_once(&changes[change]));
        if any_time && group.len() > MOST_AT_ANY_TIME {
            let event = &events[group[MOST_AT_ANY_TIME]];
            let message =
                format!("more than {MOST_AT_ANY_TIME} events are about this, and not all have a fixed time");
            let help =
                "what holds would follow from the order in which they begin: set several values in one event";
            sink.report(Diagnostic { place: event.place(), ..Diagnostic::error(message).help(help) });
            continue;
        }
        let mut stacks = Vec::new();
        for order in orders(&group, changes) {
            let Some(patch) = stacked(of, &order, events, changes, sink) else { break };
            stacks.push((order.iter().map(|&change| change as u32).collect(), patch));
        }
        for &change in &group {
            changes[change].patch = Patch::default();
        }
        all.push(Overlap { changes: group.iter().map(|&change| change as u32).collect(), stacks });
    }
    all
}

/// What holds once the changes of this order have begun. What a change makes alone is known.
fn stacked(
    of: &Base<'_>,
    order: &[usize],
    events: &[TimedEvent<'_>],
    changes: &[Change],
    sink: &mut Sink,
) -> Option<Patch> {
    match order {
        [] => Some(Patch::default()),
        &[alone] => Some(changes[alone].patch.clone()),
        _ => {
            let begun: Vec<&TimedEvent<'_>> = order.iter().map(|&change| &events[change]).collect();
            of.patch(&begun, sink)
        }
    }
}

/// Whether it begins once, at a time that is known.
fn by_the_clock_once(change: &Change) -> bool {
    change.recurs.is_none() && change.when.is_none()
}

/// Changes that are about the same, directly or through others; those that are alone are left out.
fn groups(events: &[TimedEvent<'_>], changes: &[Change]) -> Vec<Vec<usize>> {
    let paths: Vec<Vec<String>> =
        events.iter().map(|event| event.assignments().into_iter().map(|set| set.path).collect()).collect();
    let are_about_the_same = |a: usize, b: usize| {
        let reaches = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let one_sets_the_other = |a: &String| paths[b].iter().any(|b| reaches(a, b) || reaches(b, a));
        let in_one_row = || changes[a].patch.rows.iter().any(|row| changes[b].patch.row_like(row).is_some());
        paths[a].iter().any(one_sets_the_other) || in_one_row()
    };
    let sets: Vec<usize> = (0..events.len()).filter(|&event| !paths[event].is_empty()).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &change in &sets {
        let (mut joined, others): (Vec<_>, Vec<_>) = std::mem::take(&mut groups)
            .into_iter()
            .partition(|group| group.iter().any(|&other| are_about_the_same(other, change)));
        joined.push(vec![change]);
        groups = others;
        groups.push(joined.concat());
    }
    groups.retain(|group| group.len() > 1);
    for group in &mut groups {
        group.sort_unstable();
    }
    groups.sort_unstable();
    groups
}

/// The orders in which changes may have begun that are in force at the same time.
fn orders(group: &[usize], changes: &[Change]) -> BTreeSet<Vec<usize>> {
    let (fixed, any_time): (Vec<usize>, Vec<usize>) =
        group.iter().partition(|&&change| by_the_clock_once(&changes[change]));
    let mut orders = course(&fixed, changes);
    for change in any_time {
        // It may have begun before or after any of the others, or not at all.
        for order in orders.clone() {
            orders.extend((0..=order.len()).map(|at| {
                let mut order = order.clone();
                order.insert(at, change);
                order
            }));
        }
    }
    orders
}

/// What is in force from one instant to the next, of changes with fixed times.
fn course(group: &[usize], changes: &[Change]) -> BTreeSet<Vec<usize>> {
    let mut steps: Vec<_> = group.iter().map(|&change| (changes[change].at, change, true)).collect();
    steps.extend(group.iter().filter_map(|&change| Some((changes[change].until?, change, false))));
    // Of one instant, in the order in which they are planned.
    steps.sort_by_key(|&(at, change, begins)| (at, change, !begins));
    let mut in_force = Vec::new();
    let mut orders = BTreeSet::from([Vec::new()]);
    for (_, change, begins) in steps {
        if begins {
            in_force.push(change);
        } else {
            in_force.retain(|&other| other != change);
        }
        orders.insert(in_force.clone());
    }
    orders
}

#[cfg(test)]
mod tests {
    use models::blueprint::Recurrence;
    use sim_core::SimTime;

    use super::*;

    fn change(at: u64, until: Option<u64>, recurs: bool) -> Change {
        let recurs = recurs.then(|| Box::new(Recurrence::of(0, None)));
        Change {
            at: SimTime::from_nanos(at),
            until: until.map(SimTime::from_nanos),
            patch: Patch::default(),
            label: String::new(),
            recurs,
            when: None,
            fault: None,
        }
    }

    #[test]
    fn what_has_a_fixed_time_is_in_force_in_one_order() {
        let changes = [change(1, Some(5), false), change(3, None, false), change(5, Some(9), false)];
        let orders: Vec<Vec<usize>> = orders(&[0, 1, 2], &changes).into_iter().collect();
        let expected: [&[usize]; 5] = [&[], &[0], &[0, 1], &[1], &[1, 2]];
        assert_eq!(orders, expected);
    }

    #[test]
    fn what_begins_at_any_time_stands_anywhere() {
        let changes = [change(1, None, false), change(3, None, true)];
        let orders: Vec<Vec<usize>> = orders(&[0, 1], &changes).into_iter().collect();
        let expected: [&[usize]; 5] = [&[], &[0], &[0, 1], &[1], &[1, 0]];
        assert_eq!(orders, expected);
    }
}

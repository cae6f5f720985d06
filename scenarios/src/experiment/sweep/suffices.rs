//! Which values suffice, where what is swept is no load: replicas, a timeout, the size of a pool.

use super::Line;
use crate::experiment::analysis::{duration, figure, percent};
use crate::results::{Met, Suffices, SweepPoint};

/// The values at which every expectation is met, and whether more or less of it is better as far as they show.
///
/// Nothing is said of values between those that were run. None where nothing was expected.
pub(crate) fn find(line: &Line<'_>, unit: &str) -> Option<Suffices> {
    if line.points.iter().all(|(_, point)| point.result.expect.is_empty()) {
        return None;
    }
    let met: Vec<bool> = line.points.iter().map(|(_, point)| is_met(point)).collect();
    let values = line.points.iter().zip(&met).filter(|(_, met)| **met).map(|((value, _), _)| *value);
    let values: Vec<f64> = values.collect();
    let changes = met.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let only = |wanted: bool| values.first().zip(values.last()).filter(|_| changes == 1 && met[0] == wanted);
    let at_least = only(false).map(|(first, _)| *first);
    let at_most = only(true).map(|(_, last)| *last);
    let text = text(line, unit, &met, &values);
    Some(Suffices { values, at_least, at_most, text })
}

fn is_met(point: &SweepPoint) -> bool {
    point.result.expect.iter().all(|verdict| verdict.verdict == Met::Met)
}

fn text(line: &Line<'_>, unit: &str, met: &[bool], values: &[f64]) -> String {
    let say = |value: f64| said(unit, value);
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        let open = line.points.iter().filter(|(_, point)| !fails(point)).map(|(value, _)| say(*value));
        let open: Vec<String> = open.collect();
        let undecided =
            if open.is_empty() { String::new() } else { format!("; undecided: {}", open.join(", ")) };
        return format!("no value that was run meets every expectation{undecided}");
    };
    let why = |at: usize| {
        let (value, point) = line.points[at];
        let open = point.result.expect.iter().find(|verdict| verdict.verdict != Met::Met);
        open.map_or_else(String::new, |verdict| {
            let how = if verdict.verdict == Met::NotMet { "fails" } else { "is undecided" };
            format!("; at {} `{}` {how}", say(value), verdict.text)
        })
    };
    match met.windows(2).filter(|pair| pair[0] != pair[1]).count() {
        0 => format!("every value from {} to {} meets every expectation", say(*first), say(*last)),
        1 if met[0] => {
            let next = met.iter().position(|met| !met).unwrap_or(0);
            format!("the largest value that meets every expectation is {}{}", say(*last), why(next))
        }
        1 => {
            let before = met.iter().position(|met| *met).unwrap_or(1) - 1;
            format!("the smallest value that meets every expectation is {}{}", say(*first), why(before))
        }
        _ => {
            let all: Vec<String> = values.iter().map(|value| say(*value)).collect();
            format!("every expectation is met at {} only", all.join(", "))
        }
    }
}

/// Whether an expectation is not met for sure.
fn fails(point: &SweepPoint) -> bool {
    point.result.expect.iter().any(|verdict| verdict.verdict == Met::NotMet)
}

/// A value as the reader would write it.
pub(crate) fn said(unit: &str, value: f64) -> String {
    match unit {
        "%" => percent(value),
        "s" => duration(value),
        "/s" => format!("{}/s", figure(value)),
        "" => format!("{value}"),
        units if value.total_cmp(&1.0).is_eq() => format!("1 {}", units.trim_end_matches('s')),
        units => format!("{value} {units}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_in_their_units() {
        assert_eq!(said("", 4.0), "4");
        assert_eq!(said("s", 0.25), "250 ms");
        assert_eq!(said("s", 2.0), "2.00 s");
        assert_eq!(said("%", 0.5), "50 %");
        assert_eq!(said("users", 40.0), "40 users");
        assert_eq!(said("users", 1.0), "1 user");
    }
}

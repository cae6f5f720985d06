//! Fields of a case; one that is missing where it has to be there fails the case.

use serde_json::Value;
use sim_core::{SimTime, Span};

/// The time at which everything is decided.
pub(crate) const NOW_S: f64 = 10_000_000.0;

pub(crate) fn field<'a>(case: &'a Value, key: &str) -> &'a Value {
    case.get(key).unwrap_or_else(|| panic!("the case has no `{key}`"))
}

/// A field that may be missing or `null`.
pub(crate) fn maybe<'a>(case: &'a Value, key: &str) -> Option<&'a Value> {
    case.get(key).filter(|value| !value.is_null())
}

pub(crate) fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    field(case, key).as_str().unwrap_or_else(|| panic!("`{key}` is not a text"))
}

pub(crate) fn int(case: &Value, key: &str) -> i64 {
    integer(field(case, key))
}

pub(crate) fn maybe_int(case: &Value, key: &str) -> Option<i64> {
    maybe(case, key).map(integer)
}

/// A whole number; `5.0` is one.
pub(crate) fn integer(value: &Value) -> i64 {
    let whole = || value.as_f64().filter(|x| x.fract() == 0.0).map(|x| x as i64);
    value.as_i64().or_else(whole).unwrap_or_else(|| panic!("{value} is not a whole number"))
}

pub(crate) fn count(case: &Value, key: &str) -> i32 {
    i32::try_from(int(case, key)).expect("a count")
}

pub(crate) fn maybe_count(case: &Value, key: &str) -> Option<i32> {
    maybe_int(case, key).map(|value| i32::try_from(value).expect("a count"))
}

pub(crate) fn num(case: &Value, key: &str) -> f64 {
    field(case, key).as_f64().unwrap_or_else(|| panic!("`{key}` is not a number"))
}

pub(crate) fn maybe_num(case: &Value, key: &str) -> Option<f64> {
    maybe(case, key).map(|_| num(case, key))
}

pub(crate) fn flag(case: &Value, key: &str) -> bool {
    maybe(case, key).is_some_and(|value| value.as_bool().unwrap_or_else(|| panic!("`{key}` is not a flag")))
}

pub(crate) fn list<'a>(case: &'a Value, key: &str) -> &'a [Value] {
    field(case, key).as_array().unwrap_or_else(|| panic!("`{key}` is not a list"))
}

pub(crate) fn maybe_list<'a>(case: &'a Value, key: &str) -> &'a [Value] {
    maybe(case, key).map_or(&[], |_| list(case, key))
}

pub(crate) fn entries<'a>(case: &'a Value, key: &str) -> Vec<(&'a str, &'a Value)> {
    let map = field(case, key).as_object().unwrap_or_else(|| panic!("`{key}` is not a map"));
    map.iter().map(|(key, value)| (key.as_str(), value)).collect()
}

pub(crate) fn span(seconds: f64) -> Span {
    Span::from_seconds(seconds).expect("a time")
}

pub(crate) fn seconds(case: &Value, key: &str) -> Span {
    span(num(case, key))
}

pub(crate) fn at(seconds: f64) -> SimTime {
    SimTime::ZERO + span(seconds)
}

pub(crate) fn now() -> SimTime {
    at(NOW_S)
}

/// The time that is so old now.
pub(crate) fn ago(case: &Value, key: &str) -> SimTime {
    at(NOW_S - num(case, key))
}

pub(crate) fn maybe_ago(case: &Value, key: &str) -> Option<SimTime> {
    maybe(case, key).map(|_| ago(case, key))
}

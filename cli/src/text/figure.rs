//! Figures as people say them, with no more digits than their intervals support.

use scenarios::results::E;

use super::table::Cell;

/// What a figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds, told in ns, µs, ms, s or h.
    Seconds,
    /// A share, told in per cent.
    Share,
    /// Per second; the unit stands in the head of the column.
    Rate,
    /// A number.
    Count,
}

/// Significant digits of a figure without an interval.
const DIGITS: i32 = 3;
/// Most significant digits of any figure.
const MOST_DIGITS: i32 = 5;

impl Unit {
    /// Of a metric as a scenario writes it: `shoppers.p99`, `users.ok[0s..9s]`.
    pub(crate) fn of_metric(metric: &str) -> Self {
        let metric = metric.split(['[', '(', ' ', '<', '>', '=']).next().unwrap_or(metric);
        if metric.ends_with(".p99.9") {
            return Self::Seconds;
        }
        if metric.contains(".level")
            || metric.contains("herd.")
            || metric.ends_with("replicas.max")
            || metric.ends_with("nodes.max")
            || metric.contains(".lag") && !metric.contains(".slope")
        {
            return Self::Count;
        }
        if metric.ends_with(".age.end") {
            return Self::Seconds;
        }
        if metric.contains(".partition.") {
            return Self::Count;
        }
        if metric.ends_with("breaker.rejected") || metric.ends_with("limit.rejected") {
            return Self::Rate;
        }
        let last = metric.rsplit('.').next().unwrap_or(metric);
        let percentile = last.strip_prefix('p').is_some_and(|q| q.parse::<f64>().is_ok());
        match last {
            _ if percentile => Self::Seconds,
            "mean" | "max" | "wait" | "hold" | "wait_mean" | "hold_mean" | "recovery" | "empty_at"
            | "age" => Self::Seconds,
            "throughput" | "offered" | "failures" | "rate" | "acquired" | "calls" | "timeouts" | "sent"
            | "deliveries" | "ejections" | "connects" | "expired" | "retries" | "retries_refused"
            | "hedges" | "hedges_won" | "fallbacks" | "opened" | "open_refused" | "slope" | "gets"
            | "misses" | "stale_hits" | "negative_hits" | "early" | "coalesced" | "coalesced_failures"
            | "fetches" | "refreshes" | "fetch_failures" | "evictions" | "no_room" | "puts" => Self::Rate,
            "queue_length"
            | "queue_max"
            | "in_flight"
            | "in_use"
            | "limit"
            | "replicas"
            | "attempts"
            | "attempts_per_request"
            | "attempts_per_call"
            | "trips"
            | "connections"
            | "queue"
            | "imbalance"
            | "batch_size"
            | "fetching"
            | "entries"
            | "taken"
            | "given"
            | "dead"
            | "done"
            | "duplicates"
            | "disordered"
            | "rebalances"
            | "expulsions"
            | "runs_per_message"
            | "members"
            | "senders"
            | "oversold"
            | "starting"
            | "warming"
            | "ready"
            | "draining"
            | "down"
            | "starts"
            | "crashes"
            | "cut_off"
            | "replica_hours"
            | "node_hours"
            | "changes"
            | "changes_per_hour"
            | "ups"
            | "downs"
            | "flaps"
            | "flaps_per_hour"
            | "nodes"
            | "cost"
            | "refused" => Self::Count,
            _ => Self::Share,
        }
    }

    /// Factor and suffix in which figures of this size are told.
    fn scale(self, size: f64) -> (f64, &'static str) {
        match self {
            Self::Seconds if size >= 100_000.0 => (3_600.0, "h"),
            Self::Seconds if size >= 0.999_95 || size == 0.0 => (1.0, "s"),
            Self::Seconds if size >= 0.999_95e-3 => (1e-3, "ms"),
            Self::Seconds if size >= 0.999_95e-6 => (1e-6, "µs"),
            Self::Seconds => (1e-9, "ns"),
            Self::Share => (0.01, "%"),
            Self::Rate | Self::Count if size >= 1e9 => (1e9, "G"),
            Self::Rate | Self::Count if size >= 1e7 => (1e6, "M"),
            Self::Rate | Self::Count if size >= 99_999.5 => (1e3, "k"),
            Self::Rate | Self::Count => (1.0, ""),
        }
    }

    /// A figure without an interval, as a cell.
    pub(crate) fn cell(self, value: f64) -> Cell {
        let (factor, suffix) = self.scale(value.abs());
        Cell::Number { digits: plain(value / factor, DIGITS), unit: suffix.to_owned() }
    }

    /// A figure with as many digits as its interval supports.
    pub(crate) fn estimate(self, e: &E) -> Cell {
        let told = Told::of(self, e);
        Cell::Number { digits: told.value, unit: told.suffix.to_owned() }
    }

    /// A figure whose interval is not shown: three digits, or fewer where the interval does not support them.
    pub(crate) fn brief(self, e: &E) -> Cell {
        let told = Told::with(self, e, DIGITS);
        let whole = told.value.trim_end_matches('0').trim_end_matches('.');
        let digits = if told.margin.is_none() || !told.value.contains('.') { &told.value } else { whole };
        Cell::Number { digits: digits.to_owned(), unit: told.suffix.to_owned() }
    }

    /// What stands below [`Unit::estimate`]: how far the interval reaches.
    pub(crate) fn margin(self, e: &E) -> Cell {
        match Told::of(self, e).margin {
            Some(bound) if bound.starts_with(['≤', '≥']) => Cell::Word(bound),
            Some(margin) => Cell::Number { digits: margin, unit: String::new() },
            None => Cell::Empty,
        }
    }

    /// The same in a column of its own, without the sign.
    pub(crate) fn bare_margin(self, e: &E) -> Cell {
        match self.margin(e) {
            Cell::Number { digits, unit } => {
                Cell::Number { digits: digits.trim_start_matches(['±', ' ']).to_owned(), unit }
            }
            other => other,
        }
    }

    /// In a sentence: `61.97 ms`, `40/s`.
    pub(crate) fn say(self, value: f64) -> String {
        let (factor, suffix) = self.scale(value.abs());
        self.with_unit(&plain(value / factor, DIGITS), suffix)
    }

    /// In a sentence, with its interval: `61.97 ms ± 0.12`.
    pub(crate) fn say_estimate(self, e: &E) -> String {
        let told = Told::of(self, e);
        let value = self.with_unit(&told.value, told.suffix);
        match told.margin {
            Some(margin) if margin.starts_with(['≤', '≥']) => format!("{value} ({margin})"),
            Some(margin) => format!("{value} {margin}"),
            None => value,
        }
    }

    fn with_unit(self, digits: &str, suffix: &str) -> String {
        match self {
            Self::Seconds | Self::Share => format!("{digits} {suffix}"),
            Self::Rate => format!("{digits}{suffix}/s"),
            Self::Count => format!("{digits}{suffix}"),
        }
    }
}

/// An estimate in digits.
struct Told {
    value: String,
    suffix: &'static str,
    /// `± 0.12`, or `≤ 0.01` where nothing was seen.
    margin: Option<String>,
}

impl Told {
    fn of(unit: Unit, e: &E) -> Self {
        Self::with(unit, e, MOST_DIGITS)
    }

    fn with(unit: Unit, e: &E, most: i32) -> Self {
        let reach = match (e.lo, e.hi) {
            (Some(lo), Some(hi)) => (e.value - lo).abs().max((hi - e.value).abs()),
            _ => 0.0,
        };
        let size = if e.value == 0.0 { reach } else { e.value.abs() };
        let (factor, suffix) = unit.scale(size);
        let (value, reach) = (e.value / factor, reach / factor);
        if !(reach > 0.0 && reach.is_finite() && value.is_finite()) {
            let value = if value.fract() == 0.0 { plain(value, 15) } else { plain(value, most.min(4)) };
            return Self { value, suffix, margin: None };
        }
        // Nothing (or nothing else) was seen: the interval has one end.
        if unit == Unit::Share && (e.value == 0.0 || e.value >= 1.0) {
            let (sign, end) = if e.value <= 0.0 { ("≤", reach) } else { ("≥", value - reach) };
            let decimals = decimals_for(reach, 1).max(0) as usize;
            return Self {
                value: format!("{value:.0}"),
                suffix,
                margin: Some(format!("{sign} {end:.decimals$}")),
            };
        }
        let most = most - 1 - value.abs().max(reach).log10().floor() as i32;
        let decimals = decimals_for(reach, 2).min(most).max(0) as usize;
        Self {
            value: minus(format!("{value:.decimals$}")),
            suffix,
            margin: Some(format!("± {reach:.decimals$}")),
        }
    }
}

/// Decimals that show `digits` significant digits of `value`.
fn decimals_for(value: f64, digits: i32) -> i32 {
    digits - 1 - value.abs().log10().floor() as i32
}

/// A number with at most `digits` significant digits, without trailing zeros.
fn plain(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { value.to_string() };
    }
    let decimals = decimals_for(value, digits).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    minus(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
}

/// No `-0`.
fn minus(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

/// A length of simulated time: `90 s`, `10 min`, `3.5 h`, `14.5 d`.
pub(crate) fn clock(seconds: f64) -> String {
    let (factor, suffix) = match seconds {
        s if s >= 172_800.0 => (86_400.0, "d"),
        s if s >= 7_200.0 => (3_600.0, "h"),
        s if s >= 120.0 => (60.0, "min"),
        _ => return Unit::Seconds.say(seconds),
    };
    format!("{} {suffix}", plain(seconds / factor, DIGITS))
}

/// A whole number with commas between the thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 seed`, `1,000 seeds`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e(value: f64, reach: f64) -> E {
        E { value, lo: Some(value - reach), hi: Some(value + reach) }
    }

    #[test]
    fn digits_follow_the_interval() {
        let seconds = |value, reach| Unit::Seconds.say_estimate(&e(value, reach));
        assert_eq!(seconds(0.061_968_3, 0.000_121), "61.97 ms ± 0.12");
        assert_eq!(seconds(0.149_71, 0.012_3), "150 ms ± 12");
        assert_eq!(seconds(23.026, 0.000_4), "23.026 s ± 0.000");
        assert_eq!(seconds(0.002, 0.0), "2 ms");
        assert_eq!(Unit::Rate.say_estimate(&e(400.123, 0.43)), "400.12/s ± 0.43");
        assert_eq!(Unit::Count.say_estimate(&e(-0.001, 0.5)), "0.00 ± 0.50");
    }

    #[test]
    fn what_was_never_seen_has_a_bound() {
        let none = E { value: 0.0, lo: Some(0.0), hi: Some(0.000_123) };
        assert_eq!(Unit::Share.say_estimate(&none), "0 % (≤ 0.01)");
        let all = E { value: 1.0, lo: Some(0.999_6), hi: Some(1.0) };
        assert_eq!(Unit::Share.say_estimate(&all), "100 % (≥ 99.96)");
        let one = E { value: 0.25, lo: None, hi: None };
        assert_eq!(Unit::Share.say_estimate(&one), "25 %");
    }

    #[test]
    fn figures_read_as_people_say_them() {
        let said = [0.0, 2.5e-7, 0.0123, 0.25, 1.0, 1234.0, 360_000.0].map(|s| Unit::Seconds.say(s));
        assert_eq!(said, ["0 s", "250 ns", "12.3 ms", "250 ms", "1 s", "1234 s", "100 h"]);
        assert_eq!(Unit::Rate.say(500_000.0), "500k/s");
        assert_eq!([clock(60.0), clock(600.0), clock(1.25e6)], ["60 s", "10 min", "14.5 d"]);
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn metrics_have_units() {
        assert_eq!(Unit::of_metric("shoppers.p99 < 250ms"), Unit::Seconds);
        assert_eq!(Unit::of_metric("shoppers.p99.9[2m..3m] < 250ms"), Unit::Seconds);
        assert_eq!(Unit::of_metric("shoppers.errors < 1%"), Unit::Share);
        assert_eq!(Unit::of_metric("web.workers.queue_length < 4"), Unit::Count);
        assert_eq!(Unit::of_metric("shoppers.throughput > 40/s"), Unit::Rate);
        assert_eq!(Unit::of_metric("shoppers.recovery(ok > 99%, after 2m) < 9s"), Unit::Seconds);
        assert_eq!(Unit::of_metric("web.workers.queue_length.slope[1m..2m] < 1/s"), Unit::Rate);
    }
}

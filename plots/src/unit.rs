//! Figures as people say them: `12 ms`, `1.2k/s`, `4 %`.

/// What a figure measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds, told in µs, ms or s.
    Seconds,
    /// Time since the start of a run, told in s, min, h or d.
    Clock,
    /// Per second.
    Rate,
    /// A share, told in per cent.
    Share,
    /// A number, with the word for what is counted (or none).
    Count(String),
    /// Nothing: a lane for each curve, which has its name.
    Lanes,
}

impl Unit {
    /// From a unit as a sweep's report writes it.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "/s" => Self::Rate,
            "s" => Self::Seconds,
            "%" => Self::Share,
            other => Self::Count(other.to_owned()),
        }
    }

    /// From a metric's name: `shoppers.p99`, `web.workers.utilization`.
    pub(crate) fn of_metric(metric: &str) -> Self {
        let metric = metric.split('(').next().unwrap_or(metric);
        let timed = ["mean", "p50", "p90", "p95", "p99", "p99.9", "max", "wait", "hold", "recovery", "age"];
        let shared =
            ["errors", "ok", "utilization", "wait_probability", "hit_ratio", "stale_reads", "availability"];
        let rated = ["throughput", "offered", "failures", "rate", "slope", "gets", "fetches"];
        let outcomes = [
            "degraded",
            "rejected",
            "timed_out",
            "cancelled",
            "abandoned",
            "dropped",
            "failed",
            "error",
            "shed",
            "open",
        ];
        let last = metric.rsplit('.').next().unwrap_or(metric);
        let is = |names: &[&str]| names.contains(&last);
        if metric.contains("herd.") {
            Self::Count(String::new())
        } else if metric.ends_with(".p99.9")
            || is(&timed)
            || last.starts_with('p') && last[1..].parse::<f64>().is_ok()
        {
            Self::Seconds
        } else if is(&shared) || is(&outcomes) {
            Self::Share
        } else if is(&rated) {
            Self::Rate
        } else {
            Self::Count(String::new())
        }
    }

    /// Three significant digits and the unit: `12.3 ms`, `1.25k/s`, `0.4 %`.
    pub(crate) fn figure(&self, value: f64) -> String {
        if *self == Self::Share && value > 0.0 && value < 1e-5 {
            return "<0.001 %".to_owned();
        }
        let (factor, suffix) = self.prefix(value.abs());
        minus(&format!("{}{suffix}", digits(value / factor, 3)))
    }

    /// The same in the unit that suits `like`, with or without naming it: `−0.5 ms` beside `114 ms`.
    pub(crate) fn figure_like(&self, value: f64, like: f64, named: bool) -> String {
        let (factor, suffix) = self.prefix(like.abs());
        let suffix = if named { suffix } else { String::new() };
        minus(&format!("{}{suffix}", digits(value / factor, 3)))
    }

    /// The factor and the suffix in which figures of this size are told.
    fn prefix(&self, size: f64) -> (f64, String) {
        match self {
            Self::Lanes => (1.0, String::new()),
            Self::Seconds if size == 0.0 => (1.0, " s".into()),
            Self::Seconds if size < 0.999_5e-3 => (1e-6, " µs".into()),
            Self::Seconds if size < 0.999_5 => (1e-3, " ms".into()),
            Self::Clock if size >= 172_800.0 => (86_400.0, " d".into()),
            Self::Clock if size >= 7_200.0 => (3_600.0, " h".into()),
            Self::Clock if size >= 180.0 => (60.0, " min".into()),
            Self::Seconds | Self::Clock => (1.0, " s".into()),
            Self::Rate => {
                let (factor, letter) = thousands(size);
                (factor, format!("{letter}/s"))
            }
            Self::Share => (0.01, " %".into()),
            Self::Count(what) => {
                let (factor, letter) = thousands(size);
                (factor, if what.is_empty() { letter.into() } else { format!("{letter} {what}") })
            }
        }
    }

    /// Labels of an axis' ticks: one unit and as many decimals as the step needs on a linear axis, the best unit
    /// for each on a logarithmic one.
    pub(crate) fn ticks(&self, values: &[f64], log: bool) -> Vec<String> {
        let bare = Self::Count(String::new());
        let unit = if matches!(self, Self::Count(_)) { &bare } else { self };
        if log {
            return values.iter().map(|&value| unit.figure(value)).collect();
        }
        let top = values.iter().fold(0.0_f64, |top, value| top.max(value.abs()));
        let (factor, suffix) = unit.prefix(top);
        let step = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(f64::INFINITY, f64::min);
        let decimals = decimals_of(if step.is_finite() { step / factor } else { top / factor });
        let label = |&value: &f64| match unit {
            Self::Share if value == 0.0 => "0 %".to_owned(),
            _ if value == 0.0 => "0".to_owned(),
            _ => minus(&format!("{}{suffix}", grouped(value / factor, decimals))),
        };
        values.iter().map(label).collect()
    }
}

fn thousands(size: f64) -> (f64, &'static str) {
    match size {
        s if s >= 999_500_000.0 => (1e9, "G"),
        s if s >= 999_500.0 => (1e6, "M"),
        s if s >= 9_995.0 => (1e3, "k"),
        _ => (1.0, ""),
    }
}

/// Decimals that tell multiples of `step` apart, at most 6.
fn decimals_of(step: f64) -> usize {
    (0..6)
        .find(|&n| {
            let scaled = step * 10_f64.powi(n);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .map_or(6, |n| n as usize)
}

/// A number with `significant` digits, no trailing zeros.
fn digits(value: f64, significant: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { value.to_string() };
    }
    let whole = value.abs().log10().floor() as i32 + 1;
    let decimals = (significant - whole).clamp(0, 9) as usize;
    let text = grouped(value, decimals);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Fixed decimals, thousands set apart by commas.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    let mut out = String::from(if value < 0.0 && !zero { "-" } else { "" });
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Typographic minus.
fn minus(text: &str) -> String {
    text.replacen('-', "−", 1)
}

/// A quantity as a scenario writes it, in base units: `250ms`, `40/s`, `1%`, `0.99`.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let number: f64 = text[..split].replace('_', "").parse().ok()?;
    let factor = match text[split..].trim() {
        "" | "s" | "/s" => 1.0,
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "%" => 0.01,
        "/min" => 1.0 / 60.0,
        "/h" => 1.0 / 3_600.0,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_say_them() {
        let seconds = |value| Unit::Seconds.figure(value);
        assert_eq!(
            [seconds(0.0), seconds(2.5e-4), seconds(0.0123), seconds(0.25), seconds(1.0), seconds(1234.0)],
            ["0 s", "250 µs", "12.3 ms", "250 ms", "1 s", "1,234 s"]
        );
        assert_eq!(Unit::Rate.figure(41.27), "41.3/s");
        assert_eq!(Unit::Rate.figure(12_500.0), "12.5k/s");
        assert_eq!(Unit::Share.figure(0.004), "0.4 %");
        assert_eq!(Unit::Share.figure(3e-9), "<0.001 %");
        assert_eq!(Unit::Clock.figure(600.0), "10 min");
        assert_eq!(Unit::Count("users".into()).figure(3.0), "3 users");
        assert_eq!(seconds(-0.012), "−12 ms");
        assert_eq!(Unit::Seconds.figure_like(-5e-4, 0.114, true), "−0.5 ms");
        assert_eq!(Unit::Seconds.figure_like(1e-3, 0.114, false), "1");
    }

    #[test]
    fn ticks_share_a_unit_on_a_linear_axis() {
        assert_eq!(Unit::Seconds.ticks(&[0.0, 0.5, 1.0], false), ["0", "0.5 s", "1.0 s"]);
        assert_eq!(Unit::Rate.ticks(&[0.0, 5_000.0, 10_000.0], false), ["0", "5k/s", "10k/s"]);
        assert_eq!(Unit::Seconds.ticks(&[0.01, 0.1, 1.0], true), ["10 ms", "100 ms", "1 s"]);
    }

    #[test]
    fn quantities_of_scenarios_parse() {
        assert_eq!(parse("250ms"), Some(0.25));
        assert_eq!(parse(" 1% "), Some(0.01));
        assert_eq!(parse("120/min"), Some(2.0));
        assert_eq!(parse("soon"), None);
    }

    #[test]
    fn metrics_have_units() {
        assert_eq!(Unit::of_metric("shoppers.p99.9"), Unit::Seconds);
        assert_eq!(Unit::of_metric("shoppers.p75"), Unit::Seconds);
        assert_eq!(Unit::of_metric("web.workers.utilization"), Unit::Share);
        assert_eq!(Unit::of_metric("shoppers.throughput"), Unit::Rate);
        assert_eq!(Unit::of_metric("shoppers.recovery(ok > 99%, after 2m)"), Unit::Seconds);
    }
}

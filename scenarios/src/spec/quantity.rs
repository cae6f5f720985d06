//! Numbers with units, which refuse nonsense when they are read.

use serde_json::{Value as Json, json};

use super::{Definitions, Sink, Spec, defined};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Value, quoted};

/// Largest rate: a thousand million requests per second.
const MAX_RATE: f64 = 1e9;
/// Largest time: 100 years of 365.25 days, in seconds.
const MAX_TIME: f64 = 3_155_760_000.0;

/// A number whose unit is known, as part of distributions.
pub(crate) trait Quantity: Spec + Copy + std::fmt::Debug {
    /// What it is called in definitions of the schema.
    const NAME: &'static str;
    /// In base units: seconds, per second, a fraction, plain.
    fn value(self) -> f64;
    /// What a column of a file holds, in base units, when its unit is `unit`.
    fn unit(unit: Option<&str>) -> Option<f64>;
    /// Units that a column of a file can have.
    const UNITS: &'static [&'static str];
}

/// The number at the start of a text, and what follows it.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let bytes = text.as_bytes();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits_from = end;
    while end < bytes.len() && (bytes[end].is_ascii_digit() || bytes[end] == b'.') {
        end += 1;
    }
    if end == digits_from {
        return None;
    }
    // An exponent, unless the `e` starts a word.
    if end < bytes.len() && matches!(bytes[end], b'e' | b'E') {
        let mut behind = end + 1;
        behind += usize::from(matches!(bytes.get(behind), Some(b'+' | b'-')));
        if bytes.get(behind).is_some_and(u8::is_ascii_digit) {
            while bytes.get(behind).is_some_and(u8::is_ascii_digit) {
                behind += 1;
            }
            end = behind;
        }
    }
    let number: f64 = text[..end].parse().ok()?;
    Some((number, &text[end..]))
}

/// The factor that `k`, `M` and `G` stand for, and what follows it.
fn split_scale(text: &str) -> (f64, &str) {
    match text.as_bytes().first() {
        Some(b'k') => (1e3, &text[1..]),
        Some(b'M') => (1e6, &text[1..]),
        Some(b'G') => (1e9, &text[1..]),
        _ => (1.0, text),
    }
}

/// Why a text is not a quantity: a message and what to do.
pub(crate) type Wrong = (String, String);

fn expected(what: &str, found: &str, help: impl Into<String>) -> Wrong {
    (format!("expected {what}, found {found}"), help.into())
}

/// The schema of a quantity that is known; of most, a range will do as well.
fn or_range(name: &str, schema: Json, definitions: &mut Definitions) -> Json {
    const KNOWN: [&str; 4] = ["Bandwidth", "Seed", "Flag", "Clock"];
    if KNOWN.contains(&name) {
        return schema;
    }
    let range = defined(definitions, "Between", |_| {
        let ends =
            json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["string", "number"]}});
        json!({"type": "object", "properties": {"between": ends}, "required": ["between"],
               "additionalProperties": false,
               "description": "What is not known exactly: any value between two, the smaller one first."})
    });
    json!({"anyOf": [schema, range]})
}

/// Declares a quantity: its name, its parser and how its schema looks.
macro_rules! quantity {
    ($(#[doc = $doc:literal])+ $name:ident { $field:ident: $ty:ty }, $parse:path, $schema:tt) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) struct $name {
            pub(crate) $field: $ty,
        }

        impl Spec for $name {
            fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
                match $parse(node) {
                    Ok($field) => Some(Self { $field }),
                    Err((message, help)) => {
                        let place = if matches!(node.value, Value::Null) { node.label } else { node.place };
                        sink.report(Diagnostic::error(message).at(place).help(help));
                        None
                    }
                }
            }

            fn schema(definitions: &mut Definitions) -> Json {
                defined(definitions, stringify!($name), |definitions| {
                    let mut schema = or_range(stringify!($name), json!($schema), definitions);
                    schema["description"] = Json::from(super::tidy(concat!($($doc, "\n"),+)));
                    schema
                })
            }
        }
    };
}

quantity! {
    /// A time: `5ms`, `1.5s`, `10m`, `1h30m`. Units: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`. Not negative, at most
    /// 100 years.
    Time { seconds: f64 }, time, {"type": "string", "pattern": "^([0-9.]+(e-?[0-9]+)?(ns|us|µs|ms|s|m|min|h|d))+$"}
}

quantity! {
    /// How often something happens: `40/s`, `90/min`, `10k/h`. Not negative, at most 10^9 per second.
    Rate { per_second: f64 }, rate, {"type": "string", "pattern": "^[0-9.]+(e[+-]?[0-9]+)?[kMG]?/(s|min|m|h|d)$"}
}

quantity! {
    /// A share of a whole, from `0%` to `100%`.
    Share { fraction: f64 }, share, {"type": "string", "pattern": "^[0-9.]+(e-?[0-9]+)?%$"}
}

quantity! {
    /// An amount of data: `512B`, `64KiB`, `4GiB`, `1.5GB`.
    Size { bytes: f64 }, size, {"type": "string", "pattern": "^[0-9.]+(B|kB|KiB|MB|MiB|GB|GiB|TB|TiB)$"}
}

quantity! {
    /// How much data passes in a time: `1Gbit/s`, `100Mbit/s`, `125MB/s`, `10MiB/s`. More than nothing.
    Bandwidth { bytes_per_second: f64 }, bandwidth, {"type": "string", "pattern": "^[0-9.]+([kMGT]?(bit|B)|[KMGT]iB)/s$"}
}

quantity! {
    /// How much of something there is: a plain number, or an amount of data.
    Amount { units: f64 }, amount, {"type": ["number", "string"], "minimum": 0}
}

/// An amount per time, and the time by which it is said: `100/min` is 100 in 60 seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Per {
    /// How much.
    pub(crate) amount: f64,
    /// In how many seconds.
    pub(crate) seconds: f64,
}

quantity! {
    /// How much of something there is in a time: `100/min`, `40/s`, `10MiB/s`.
    Quota { per: Per }, quota, {"type": "string", "pattern": "^[0-9.]+(e[+-]?[0-9]+)?([kMG]|B|kB|KiB|MB|MiB|GB|GiB)?/(s|min|m|h|d)$"}
}

quantity! {
    /// A whole number from 0; `10k`, `1M` and `1e6` are understood.
    Count { count: u32 }, count, {"type": ["integer", "string"], "minimum": 0}
}

quantity! {
    /// A whole number from 1; `10k`, `1M` and `1e6` are understood.
    Positive { count: u32 }, positive, {"type": ["integer", "string"], "minimum": 1}
}

quantity! {
    /// A whole number from 0 to 2^64 - 1.
    Seed { seed: u64 }, seed, {"type": "integer", "minimum": 0}
}

quantity! {
    /// A number from 0; `10k`, `1M` and `1e6` are understood.
    Number { number: f64 }, number, {"type": ["number", "string"], "minimum": 0}
}

quantity! {
    /// `true` or `false`.
    Flag { on: bool }, flag, {"type": "boolean"}
}

quantity! {
    /// A time of the day: `"20:00"`.
    Clock { seconds: f64 }, clock, {"type": "string", "pattern": "^[0-2]?[0-9]:[0-5][0-9]$"}
}

/// Seconds in a unit as `(multiply, divide)`: dividing by a power of ten rounds once, multiplying by its inverse
/// twice.
fn time_unit(unit: &str) -> Option<(f64, f64)> {
    Some(match unit {
        "ns" => (1.0, 1e9),
        "us" | "µs" | "μs" => (1.0, 1e6),
        "ms" => (1.0, 1e3),
        "s" => (1.0, 1.0),
        "m" | "min" => (60.0, 1.0),
        "h" => (3_600.0, 1.0),
        "d" => (86_400.0, 1.0),
        _ => return None,
    })
}

const TIME: &str = "a time such as `5ms`";
const TIME_UNITS: &str = "the units are `ns`, `us`, `ms`, `s`, `m`, `h` and `d`";

fn time(node: &Node) -> Result<f64, Wrong> {
    node.text().map_or_else(|| Err(expected(TIME, &node.describe(), TIME_UNITS)), seconds)
}

/// The seconds that a text stands for: `1h30m`.
pub(crate) fn seconds(text: &str) -> Result<f64, Wrong> {
    let text = text.trim();
    let wrong = |help: String| Err(expected(TIME, &quoted(text), help));
    if text.ends_with(['f', 'F', 'n', 'N']) && text.trim_start_matches(['-', '+']).starts_with('.') {
        return wrong("write a number and its unit: `5ms`, `1.5s`, `10m`".into());
    }
    let mut seconds = 0.0;
    let mut rest = text;
    loop {
        let Some((number, behind)) = split_number(rest) else {
            return wrong(TIME_UNITS.into());
        };
        let unit_end = behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        if unit.is_empty() && behind.is_empty() {
            let fixed = text.trim_start_matches('-');
            return wrong(format!("write `{fixed}ms`, `{fixed}s` or `{fixed}m`"));
        }
        let Some((times, over)) = time_unit(unit) else {
            return wrong(TIME_UNITS.into());
        };
        if number < 0.0 || text.starts_with('-') {
            return Err((
                format!("a time cannot be negative, found {}", quoted(text)),
                "write it without the `-`".into(),
            ));
        }
        seconds += number * times / over;
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    if seconds > MAX_TIME {
        return Err((
            format!("a time is at most 100 years, found {}", quoted(text)),
            "write at most `36525d`".into(),
        ));
    }
    Ok(seconds)
}

fn rate(node: &Node) -> Result<f64, Wrong> {
    const WHAT: &str = "a rate such as `40/s`";
    const FORM: &str = "write `40/s`, `40/min` or `40/h`";
    let Some(text) = node.text() else {
        return Err(expected(WHAT, &node.describe(), FORM));
    };
    let text = text.trim();
    let Some((number, behind)) = split_number(text) else {
        return Err(expected(WHAT, &quoted(text), FORM));
    };
    let (scale, behind) = split_scale(behind);
    if number < 0.0 {
        return Err((
            format!("a rate cannot be negative, found {}", quoted(text)),
            "write it without the `-`".into(),
        ));
    }
    let over = match behind.trim() {
        "/s" | "/sec" => 1.0,
        "/min" | "/m" => 60.0,
        "/h" => 3_600.0,
        "/d" => 86_400.0,
        "" | "rps" | "qps" | "tps" | "Hz" => {
            let bare = text.strip_suffix(behind).unwrap_or(text).trim();
            return Err(expected(
                WHAT,
                &quoted(text),
                format!("write `{bare}/s`, `{bare}/min` or `{bare}/h`"),
            ));
        }
        _ => return Err(expected(WHAT, &quoted(text), FORM)),
    };
    let per_second = number * scale / over;
    if per_second > MAX_RATE {
        return Err((
            format!("a rate is at most 10^9 per second, found {}", quoted(text)),
            "simulate a slice of the system: fewer replicas and proportionally less traffic".into(),
        ));
    }
    Ok(per_second)
}

fn share(node: &Node) -> Result<f64, Wrong> {
    const WHAT: &str = "a share such as `10%`";
    let Some(text) = node.text() else {
        return Err(expected(WHAT, &node.describe(), "write `10%`"));
    };
    let text = text.trim();
    let Some((number, behind)) = split_number(text) else {
        return Err(expected(WHAT, &quoted(text), "write `10%`"));
    };
    match behind.trim() {
        "%" if (0.0..=100.0).contains(&number) => Ok(number / 100.0),
        "%" => Err((
            format!("a share lies between `0%` and `100%`, found {}", quoted(text)),
            "write `10%`".into(),
        )),
        "" if (0.0..=1.0).contains(&number) => {
            Err(expected(WHAT, &quoted(text), format!("write `{}`", as_percent(number))))
        }
        "" => Err(expected(WHAT, &quoted(text), format!("write `{text}%`"))),
        _ => Err(expected(WHAT, &quoted(text), "write `10%`")),
    }
}

fn size(node: &Node) -> Result<f64, Wrong> {
    const WHAT: &str = "an amount of data such as `4GiB`";
    const UNITS: &str = "the units are `B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`, `TB` and `TiB`";
    let Some(text) = node.text() else {
        return Err(expected(WHAT, &node.describe(), UNITS));
    };
    let Some((number, unit)) = split_number(text.trim()) else {
        return Err(expected(WHAT, &quoted(text), UNITS));
    };
    let factor = match unit.trim() {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "TiB" => 1_099_511_627_776.0,
        _ => return Err(expected(WHAT, &quoted(text), UNITS)),
    };
    if number < 0.0 {
        return Err((format!("an amount of data cannot be negative, found {}", quoted(text)), UNITS.into()));
    }
    Ok(number * factor)
}

fn bandwidth(node: &Node) -> Result<f64, Wrong> {
    const WHAT: &str = "a bandwidth such as `1Gbit/s`";
    const UNITS: &str =
        "the units are `kbit/s`, `Mbit/s`, `Gbit/s`, `kB/s`, `MB/s`, `GB/s`, `MiB/s` and `GiB/s`";
    let Some(text) = node.text() else {
        return Err(expected(WHAT, &node.describe(), UNITS));
    };
    let Some((number, unit)) = split_number(text.trim()) else {
        return Err(expected(WHAT, &quoted(text), UNITS));
    };
    let factor = match unit.trim() {
        "bit/s" => 0.125,
        "kbit/s" => 125.0,
        "Mbit/s" => 125e3,
        "Gbit/s" => 125e6,
        "Tbit/s" => 125e9,
        "B/s" => 1.0,
        "kB/s" | "KB/s" => 1e3,
        "MB/s" => 1e6,
        "GB/s" => 1e9,
        "TB/s" => 1e12,
        "KiB/s" => 1024.0,
        "MiB/s" => 1_048_576.0,
        "GiB/s" => 1_073_741_824.0,
        "TiB/s" => 1_099_511_627_776.0,
        _ => return Err(expected(WHAT, &quoted(text), UNITS)),
    };
    if number <= 0.0 {
        return Err((format!("nothing passes at {}", quoted(text)), "write `1Gbit/s`".into()));
    }
    Ok(number * factor)
}

fn amount(node: &Node) -> Result<f64, Wrong> {
    let plain = scaled(node).filter(|units| *units >= 0.0);
    plain.map_or_else(|| size(node), Ok).map_err(|(message, help)| {
        let negative = scaled(node).is_some();
        if negative { ("an amount cannot be negative".into(), help) } else { (message, help) }
    })
}

fn quota(node: &Node) -> Result<Per, Wrong> {
    let in_bytes = || {
        let (amount, unit) = node.text()?.trim().split_once('/')?;
        let amount = size(&Node::plain(amount, node.place)).ok()?;
        let (seconds, over) = time_unit(unit)?;
        (amount > 0.0).then_some(Per { amount, seconds: seconds / over })
    };
    if let Some(per) = in_bytes() {
        return Ok(per);
    }
    let per_second = rate(node)?;
    if per_second <= 0.0 {
        let help = "to let nothing through, write a step `fail: rejected`".to_owned();
        return Err(("nothing ever gets through at this rate".into(), help));
    }
    let seconds = match node.text().and_then(|text| text.rsplit('/').next()).map(str::trim) {
        Some("min" | "m") => 60.0,
        Some("h") => 3_600.0,
        Some("d") => 86_400.0,
        _ => 1.0,
    };
    Ok(Per { amount: per_second * seconds, seconds })
}

/// A plain number with an optional `k`, `M` or `G`.
fn scaled(node: &Node) -> Option<f64> {
    let text = node.text()?.trim();
    let (number, behind) = split_number(text)?;
    let (scale, behind) = split_scale(behind);
    (behind.is_empty() && number.is_finite()).then_some(number * scale)
}

fn whole(node: &Node, least: u32) -> Result<u32, Wrong> {
    let what = if least == 0 { "a whole number".into() } else { format!("a whole number from {least}") };
    let most = u32::MAX - 1;
    match scaled(node) {
        Some(number) if number > f64::from(most) => Err((
            format!("expected at most {most}, found {}", node.describe()),
            "scale the system down".into(),
        )),
        Some(number) if number.fract() == 0.0 && number >= f64::from(least) => Ok(number as u32),
        Some(number) if number >= f64::from(least) => Err(expected(
            &what,
            &node.describe(),
            format!("write `{}` or `{}`", number.floor(), number.ceil()),
        )),
        Some(_) => Err(expected(&what, &node.describe(), format!("the least is {least}"))),
        None => Err(expected(&what, &node.describe(), "write it without a unit: `12`, `10k` or `1M`")),
    }
}

fn count(node: &Node) -> Result<u32, Wrong> {
    whole(node, 0)
}

fn positive(node: &Node) -> Result<u32, Wrong> {
    whole(node, 1)
}

fn seed(node: &Node) -> Result<u64, Wrong> {
    node.text()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| expected("a whole number", &node.describe(), "a seed is a number from 0 to 2^64 - 1"))
}

fn number(node: &Node) -> Result<f64, Wrong> {
    match scaled(node) {
        Some(number) if number >= 0.0 => Ok(number),
        Some(_) => Err((
            format!("expected a number from 0, found {}", node.describe()),
            "write it without the `-`".into(),
        )),
        None => Err(expected("a number", &node.describe(), "write it without a unit: `0.5`, `12`, `10k`")),
    }
}

fn flag(node: &Node) -> Result<bool, Wrong> {
    match node.value {
        Value::Bool(on) => Ok(on),
        _ => Err(expected("`true` or `false`", &node.describe(), "write `true` or `false`")),
    }
}

fn clock(node: &Node) -> Result<f64, Wrong> {
    let parsed = node.text().and_then(|text| {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then(|| f64::from(hours * 3_600 + minutes * 60))
    });
    parsed.ok_or_else(|| {
        expected("a time of the day such as `\"20:00\"`", &node.describe(), "write `\"20:00\"`")
    })
}

impl Quantity for Time {
    const NAME: &'static str = "Time";
    const UNITS: &'static [&'static str] = &["ns", "us", "ms", "s", "m", "h", "d"];
    fn value(self) -> f64 {
        self.seconds
    }
    fn unit(unit: Option<&str>) -> Option<f64> {
        time_unit(unit?).map(|(times, over)| times / over)
    }
}

impl Quantity for Size {
    const NAME: &'static str = "Size";
    const UNITS: &'static [&'static str] = &["B", "kB", "KiB", "MB", "MiB"];
    fn value(self) -> f64 {
        self.bytes
    }
    fn unit(unit: Option<&str>) -> Option<f64> {
        Some(match unit? {
            "B" => 1.0,
            "kB" => 1e3,
            "KiB" => 1024.0,
            "MB" => 1e6,
            "MiB" => 1_048_576.0,
            _ => return None,
        })
    }
}

impl Quantity for Number {
    const NAME: &'static str = "Number";
    const UNITS: &'static [&'static str] = &[];
    fn value(self) -> f64 {
        self.number
    }
    fn unit(unit: Option<&str>) -> Option<f64> {
        unit.is_none().then_some(1.0)
    }
}

impl Quantity for Amount {
    const NAME: &'static str = "Amount";
    const UNITS: &'static [&'static str] = &[];
    fn value(self) -> f64 {
        self.units
    }
    fn unit(unit: Option<&str>) -> Option<f64> {
        unit.is_none().then_some(1.0)
    }
}

/// What a number with a unit is, in base units: for sweeps and expectations, which take any.
pub(crate) fn any_quantity(node: &Node) -> Option<(&'static str, f64)> {
    None.or_else(|| scaled(node).map(|number| ("", number)))
        .or_else(|| time(node).ok().map(|seconds| ("s", seconds)))
        .or_else(|| rate(node).ok().map(|per_second| ("/s", per_second)))
        .or_else(|| percent(node).map(|fraction| ("%", fraction)))
        .or_else(|| size(node).ok().map(|bytes| ("B", bytes)))
}

/// A fraction as a percentage, without the noise of binary fractions.
pub(crate) fn as_percent(fraction: f64) -> String {
    format!("{}%", (fraction * 1e12).round() / 1e10)
}

/// A percentage of any size: an expectation may allow 120 %.
fn percent(node: &Node) -> Option<f64> {
    let (number, behind) = split_number(node.text()?.trim())?;
    (behind.trim() == "%").then_some(number / 100.0)
}

/// That none of the quantities was found.
pub(crate) fn wrong_quantity(node: &Node, sink: &mut Sink) {
    sink.expected(
        "a number with its unit",
        node,
        "write it like the value it replaces: `50/s`, `5ms`, `10%`, `3`",
    );
}

/// What names look like.
pub(crate) const NAME_PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";
/// What to do about a wrong name.
pub(crate) const NAME_HELP: &str = "names are 1 to 64 letters, digits, `_` and `-`";

/// Why `name` is not a name.
pub(crate) fn wrong_name(name: &str) -> Option<String> {
    let good = (1..=Name::LONGEST).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    (!good).then(|| format!("{} is not a name", quoted(name)))
}

/// A name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) String);

impl Name {
    /// Most characters of a name.
    pub(crate) const LONGEST: usize = 64;
}

impl Spec for Name {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Some(text) = node.text() else {
            sink.expected("a name", node, NAME_HELP);
            return None;
        };
        if let Some(why) = wrong_name(text) {
            sink.report(Diagnostic::error(why).at(node.place).help(NAME_HELP));
            return None;
        }
        Some(Self(text.into()))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "integer"]})
    }
}

/// Any text on one line or several; references with dots as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl Spec for Text {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Some(text) = node.text() else {
            sink.expected("a text", node, "put it in quotes if YAML takes it for something else");
            return None;
        };
        Some(Self(text.into()))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Place;

    fn node(text: &str) -> Node {
        Node::plain(text, Place::default())
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in [
            ("5ms", 0.005),
            ("1.5s", 1.5),
            ("10m", 600.0),
            ("1h30m", 5_400.0),
            ("0s", 0.0),
            ("2us", 2e-6),
            ("1e3ms", 1.0),
        ] {
            assert_eq!(time(&node(text)), Ok(seconds), "{text}");
        }
        for text in ["5", "-5ms", ".nan", ".inf", "5 parsecs", "ms", "200000d", "1m-30s", ""] {
            assert!(time(&node(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_have_units() {
        for (text, per_second) in
            [("400/s", 400.0), ("90/min", 1.5), ("10k/h", 10_000.0 / 3_600.0), ("1e3/s", 1e3)]
        {
            assert_eq!(rate(&node(text)), Ok(per_second), "{text}");
        }
        for text in ["40", "-1/s", "1e18/s", "40 rps", ".inf/s", "x/s"] {
            assert!(rate(&node(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_are_whole() {
        assert_eq!(count(&node("10k")), Ok(10_000));
        assert_eq!(count(&node("1e6")), Ok(1_000_000));
        for text in ["-1", "1.5", "1e18", ".nan", "5ms", "x"] {
            assert!(count(&node(text)).is_err(), "{text}");
        }
        assert!(positive(&node("0")).is_err());
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(share(&node("10%")), Ok(0.1));
        assert_eq!(share(&node("0.5")).unwrap_err().1, "write `50%`");
        assert!(share(&node("101%")).is_err());
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size(&node("4GiB")), Ok(4_294_967_296.0));
        assert!(size(&node("4")).is_err());
    }
}

//! Times of recordings: seconds, or dates and times of day.

/// A time in milliseconds, since the epoch where it is a date.
pub(super) type Millis = i64;

/// From here on a number of seconds is a time since 1970: 1973-03-03.
const DATES_FROM: f64 = 1e8;
/// From here on a number is in milliseconds, as browsers and dashboards count.
const MILLIS_FROM: f64 = 1e11;
const DAY: i64 = 86_400_000;

/// Reads a time: seconds, RFC 3339, or `YYYY-MM-DD HH:MM:SS` in UTC.
pub(super) fn parse(text: &str) -> Option<Millis> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return from_number(number);
    }
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (clock, offset) = split_offset(rest.trim())?;
    date_millis(date)?.checked_add(clock_millis(clock)?)?.checked_sub(offset)
}

/// A time that is written as a number.
pub(super) fn from_number(number: f64) -> Option<Millis> {
    let millis = if number.abs() >= MILLIS_FROM { number } else { number * 1000.0 };
    // Beyond this no clock goes.
    (millis.is_finite() && millis.abs() < 1e15).then(|| millis.round() as Millis)
}

/// Whether a time is a date rather than seconds since some start.
pub(super) fn is_date(millis: Millis) -> bool {
    millis as f64 >= DATES_FROM * 1000.0
}

/// The time as a table shows it: `2026-03-01 09:30:00` in UTC, or `1:30:00` since the start.
pub(super) fn show(millis: Millis) -> String {
    let (days, clock) = (millis.div_euclid(DAY), millis.rem_euclid(DAY) / 1000);
    let (hours, minutes, seconds) = (clock / 3600, clock / 60 % 60, clock % 60);
    if is_date(millis) {
        let (year, month, day) = civil(days);
        return format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}");
    }
    format!("{}:{minutes:02}:{seconds:02}", days * 24 + hours)
}

/// `09:30:00.25+02:00` as the clock and the offset from UTC in milliseconds.
fn split_offset(text: &str) -> Option<(&str, Millis)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, 0));
    };
    let (clock, offset) = text.split_at(at);
    let (hours, minutes) = offset[1..].split_once(':')?;
    let minutes = number(hours, 23)? * 60 + number(minutes, 59)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    Some((clock, sign * minutes * 60_000))
}

fn clock_millis(text: &str) -> Option<Millis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let hours = number(parts.next()?, 24)?;
    let minutes = number(parts.next()?, 59)?;
    // A leap second is the first of the next minute.
    let seconds = parts.next().map_or(Some(0), |seconds| number(seconds, 60))?;
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths)
}

fn date_millis(text: &str) -> Option<Millis> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month, day) = (number(year, 9999)?, number(month, 12)?, number(day, 31)?);
    if parts.next().is_some() {
        return None;
    }
    let days = days_from_civil(year, month, day);
    (civil(days) == (year, month, day)).then_some(days * DAY)
}

/// A number of digits alone.
fn number(text: &str, most: i64) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= most)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
///
/// Source: Hinnant, *chrono-Compatible Low-Level Date Algorithms*, 2013.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date so many days after 1970-01-01.
///
/// Source: as [`days_from_civil`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `date -u -d @1397088240`: 2014-04-10 00:04:00.
    #[test]
    fn every_way_to_write_a_time_is_read() {
        let expected = Some(1_397_088_240_000);
        for text in [
            "2014-04-10 00:04:00",
            "2014-04-10T00:04:00Z",
            "2014-04-10T02:04:00+02:00",
            "2014-04-09T19:34:00.000-04:30",
            "2014-04-10 00:04",
            "1397088240",
            "1397088240000",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("2014-04-10T00:04:00.25Z"), Some(1_397_088_240_250));
        assert_eq!(parse("90.5"), Some(90_500));
        assert_eq!(parse("2000-02-29 00:00:00"), Some(951_782_400_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "soon", "2014-02-30 00:00:00", "2014-13-01 00:00:00", "12:30", "2014-04-10 25:00:00", "NaN"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_shown_as_dates_or_since_the_start() {
        assert_eq!(show(1_397_088_240_000), "2014-04-10 00:04:00");
        assert_eq!(show(951_782_399_000), "2000-02-28 23:59:59");
        assert_eq!(show(93_784_500), "26:03:04");
    }
}

//! What was recorded: columns of a CSV file, or what Prometheus answers to a range query.

use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Diagnostics, Text};
use crate::did_you_mean;
use crate::tree::Place;
use crate::words::listed;

use super::time::{self, Millis};

/// A file of recorded series.
#[derive(Clone, Debug)]
pub struct Recording {
    text: Arc<Text>,
    columns: Vec<Column>,
}

/// One series of a file.
#[derive(Clone, Debug)]
struct Column {
    /// The head of the column, or the labels of the series.
    name: String,
    /// Labels with their values, of Prometheus.
    labels: Vec<(String, String)>,
    series: Arc<Series>,
    /// The first value that is none; a mistake only if the column is asked for.
    wrong: Option<Diagnostic>,
}

/// Values over time; each holds from its time until the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// In milliseconds, never falling.
    times: Vec<Millis>,
    /// Nothing where none was measured.
    values: Vec<Option<f64>>,
}

impl Recording {
    /// Reads a file that messages call `name`.
    ///
    /// # Errors
    ///
    /// When it is neither CSV with a column of times nor an answer of Prometheus, or its times go back.
    pub fn read(name: &str, text: String) -> Result<Self, Diagnostics> {
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let text = Arc::new(Text { name: name.to_owned(), text });
        let json = text.text.trim_start().starts_with(['{', '[']);
        let columns = if json { prometheus(&text.text) } else { comma_separated(&text.text) };
        let columns = columns.map_err(|wrong| told(&text, wrong))?;
        Ok(Self { text, columns })
    }

    /// How messages call it.
    pub fn name(&self) -> &str {
        &self.text.name
    }

    /// One of its series: the one that is called `column` (or has such a label), else the only one, else the first that
    /// is called like one of `likely`.
    ///
    /// # Errors
    ///
    /// When there is no such series, it is not clear which, or one of its values is no number from 0.
    pub fn series(&self, column: Option<&str>, likely: &[&str]) -> Result<Arc<Series>, Diagnostics> {
        let found = match column {
            Some(name) => self.columns.iter().find(|column| column.is(name)).ok_or_else(|| {
                let unknown =
                    Diagnostic::error(format!("`{}` has no column `{name}`", self.name())).at(self.top());
                let names = || self.columns.iter().map(|column| column.name.as_str());
                let help = did_you_mean(name, names());
                unknown.help(help.unwrap_or_else(|| format!("its columns are {}", listed(names()))))
            }),
            None => self.guess(likely),
        };
        let found = found.map_err(|wrong| told(&self.text, wrong))?;
        match &found.wrong {
            Some(wrong) => Err(told(&self.text, wrong.clone())),
            None => Ok(found.series.clone()),
        }
    }

    fn guess(&self, likely: &[&str]) -> Result<&Column, Diagnostic> {
        if let [only] = self.columns.as_slice() {
            return Ok(only);
        }
        let called = likely.iter().find_map(|name| self.columns.iter().find(|column| column.is(name)));
        called.ok_or_else(|| {
            let names = listed(self.columns.iter().map(|column| column.name.as_str()));
            Diagnostic::error(format!("`{}` has {} series", self.name(), self.columns.len()))
                .at(self.top())
                .help(format!("say which with `--column`: {names}"))
        })
    }

    /// The first line.
    fn top(&self) -> Place {
        line(&self.text.text, 0)
    }
}

impl Column {
    /// Whether it goes by this name: its head, `label=value`, or the value of a label alone.
    fn is(&self, name: &str) -> bool {
        let label = |(label, value): &(String, String)| value == name || format!("{label}={value}") == name;
        self.name == name || self.labels.iter().any(label)
    }
}

impl Series {
    /// A value that holds all along.
    pub fn constant(value: f64) -> Self {
        Self { times: vec![Millis::MIN / 2], values: vec![Some(value)] }
    }

    /// A series of times in milliseconds and values, already in order.
    #[cfg(test)]
    pub(super) fn of(points: impl IntoIterator<Item = (Millis, Option<f64>)>) -> Self {
        let (times, values) = points.into_iter().unzip();
        Self { times, values }
    }

    /// The first time and the time at which the last value ends, which holds for as long as is usual.
    pub(super) fn range(&self) -> (Millis, Millis) {
        let first = self.times.first().copied().unwrap_or(0);
        (first, self.times.last().copied().unwrap_or(0) + self.step())
    }

    /// The usual time between two values: the median; a minute for a single value.
    pub(super) fn step(&self) -> Millis {
        let mut steps: Vec<Millis> =
            self.times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0).collect();
        steps.sort_unstable();
        steps.get(steps.len() / 2).copied().unwrap_or(60_000)
    }

    /// The value that holds at a time, unless it was measured longer than `stale_after` ago; before the first, the
    /// first.
    pub(super) fn at(&self, time: Millis, stale_after: Millis) -> Option<f64> {
        let behind = self.times.partition_point(|at| *at <= time);
        let index = behind.saturating_sub(1);
        let age = time - self.times.get(index)?;
        self.values[index].filter(|_| age <= stale_after)
    }

    /// When it next says something else.
    pub(super) fn next_change(&self, time: Millis, stale_after: Millis) -> Option<Millis> {
        let behind = self.times.partition_point(|at| *at <= time);
        let next = self.times.get(behind).copied();
        let gone = behind
            .checked_sub(1)
            .and_then(|last| self.times[last].checked_add(stale_after)?.checked_add(1))
            .filter(|gone| *gone > time);
        [next, gone].into_iter().flatten().min()
    }

    /// Its times with what was measured.
    #[cfg(test)]
    pub(super) fn points(&self) -> impl Iterator<Item = (Millis, Option<f64>)> {
        self.times.iter().copied().zip(self.values.iter().copied())
    }

    /// Times at which nothing was measured.
    pub(super) fn missing(&self) -> usize {
        self.values.iter().filter(|value| value.is_none()).count()
    }

    /// Times.
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    fn push(&mut self, time: Millis, value: Option<f64>) -> Result<(), Millis> {
        match self.times.last() {
            Some(last) if *last > time => return Err(*last),
            // Of two values of one time the later is the correction.
            Some(last) if *last == time => {
                self.times.pop();
                self.values.pop();
            }
            _ => {}
        }
        self.times.push(time);
        self.values.push(value);
        Ok(())
    }
}

fn told(text: &Arc<Text>, wrong: Diagnostic) -> Diagnostics {
    Diagnostics::new(vec![wrong], vec![text.clone()], &[])
}

/// The line that begins at a byte.
fn line(text: &str, start: usize) -> Place {
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    Place { source: 0, start: start as u32, end: end as u32 }
}

/// A value: nothing for an empty cell and for what stands for nothing.
fn value(text: &str) -> Result<Option<f64>, ()> {
    let text = text.trim();
    if ["", "nan", "null", "none", "-"].iter().any(|nothing| text.eq_ignore_ascii_case(nothing)) {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
        _ => Err(()),
    }
}

fn no_value(found: &str, column: &str) -> Diagnostic {
    Diagnostic::error(format!("expected a number from 0 in column `{column}`, found `{found}`"))
        .help("leave the cell empty where nothing was measured")
}

fn goes_back(time: Millis, last: Millis) -> Diagnostic {
    let (time, last) = (time::show(time), time::show(last));
    Diagnostic::error(format!("the time goes back, from {last} to {time}"))
        .help("sort the lines by time, the oldest first")
}

/// Heads of columns that hold times.
const TIMES: [&str; 5] = ["time", "timestamp", "date", "datetime", "ts"];

fn comma_separated(text: &str) -> Result<Vec<Column>, Diagnostic> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let mut rows = Rows::default();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let at = error.position().map_or(0, |position| position.byte() as usize);
            let place = line(text, at.min(text.len()));
            Diagnostic::error("this is not CSV: a line has more or fewer columns than the first")
                .at(place)
                .help("give every line a time and the same columns, separated by commas")
        })?;
        let at = record.position().map_or(0, |position| position.byte() as usize);
        rows.take(&record, line(text, at))?;
    }
    if rows.columns.iter().all(|column| column.series.times.is_empty()) {
        return Err(Diagnostic::error("there are no values in this file").at(line(text, 0)).help(
            "give a column of times and a column of values: `time,value`, or what Prometheus answers to \
             `/api/v1/query_range`",
        ));
    }
    Ok(rows.columns)
}

/// Lines of CSV on their way into columns.
#[derive(Default)]
struct Rows {
    /// Which column holds the times.
    times: usize,
    columns: Vec<Column>,
}

impl Rows {
    fn take(&mut self, record: &csv::StringRecord, place: Place) -> Result<(), Diagnostic> {
        if self.columns.is_empty() {
            let head = record.get(0).is_some_and(|cell| time::parse(cell).is_none());
            self.head(record, head, place)?;
            if head {
                return Ok(());
            }
        }
        let cell = record.get(self.times).unwrap_or_default();
        let time = time::parse(cell).ok_or_else(|| {
            Diagnostic::error(format!("expected a time, found `{cell}`"))
                .at(place)
                .help("write seconds, `2026-03-01T09:30:00Z` or `2026-03-01 09:30:00`")
        })?;
        let cells = record.iter().enumerate().filter(|(index, _)| *index != self.times);
        for (column, (_, cell)) in self.columns.iter_mut().zip(cells) {
            let value = value(cell).unwrap_or_else(|()| {
                column.wrong.get_or_insert_with(|| no_value(cell, &column.name).at(place));
                None
            });
            let series = Arc::make_mut(&mut column.series);
            series.push(time, value).map_err(|last| goes_back(time, last).at(place))?;
        }
        Ok(())
    }

    /// Columns from the first line, which names them or not.
    fn head(&mut self, record: &csv::StringRecord, named: bool, place: Place) -> Result<(), Diagnostic> {
        if record.len() < 2 {
            let lone =
                Diagnostic::error("expected a column of times and a column of values, found one column");
            return Err(lone.at(place).help("separate them with a comma: `2026-03-01 09:30:00,42`"));
        }
        let is_time = |cell: &str| TIMES.iter().any(|name| cell.eq_ignore_ascii_case(name));
        self.times = record.iter().position(is_time).unwrap_or(0);
        for (index, cell) in record.iter().enumerate().filter(|(index, _)| *index != self.times) {
            let name = if named { cell.to_owned() } else { (index + 1).to_string() };
            self.columns.push(Column { name, labels: Vec::new(), series: Arc::default(), wrong: None });
        }
        Ok(())
    }
}

/// How to ask Prometheus.
const ASK: &str = "ask `/api/v1/query_range`, with `query`, `start`, `end` and `step`";

fn prometheus(text: &str) -> Result<Vec<Column>, Diagnostic> {
    let top = || line(text, text.len() - text.trim_start().len());
    let answer: Value = serde_json::from_str(text).map_err(|error| {
        let before: usize =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let wrong = Diagnostic::error(format!("this is not JSON: {error}"));
        wrong.at(line(text, before.min(text.len()))).help(ASK)
    })?;
    if answer.get("status").and_then(Value::as_str) == Some("error") {
        let why = answer.get("error").and_then(Value::as_str).unwrap_or("it does not say which");
        return Err(Diagnostic::error(format!("Prometheus answered with an error: {why}"))
            .at(top())
            .help(ASK));
    }
    let data = answer.get("data").unwrap_or(&answer);
    let kind = data.get("resultType").and_then(Value::as_str);
    let result = data.get("result").and_then(Value::as_array);
    let Some(result) = result.filter(|_| kind == Some("matrix")) else {
        let found = kind.map_or("no `resultType`".to_owned(), |kind| format!("`{kind}`"));
        let wrong = Diagnostic::error(format!("expected an answer of type `matrix`, found {found}"));
        return Err(wrong.at(top()).help(ASK));
    };
    if result.is_empty() {
        let wrong = Diagnostic::error("Prometheus found no series").at(top());
        return Err(wrong.help("try the query over the same time in its own interface"));
    }
    result.iter().map(|one| matrix_column(one).map_err(|wrong| wrong.at(top()))).collect()
}

fn matrix_column(one: &Value) -> Result<Column, Diagnostic> {
    let labels: Vec<(String, String)> = one
        .get("metric")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())))
        .collect();
    let said: Vec<String> = labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
    let name = if said.is_empty() { "value".to_owned() } else { said.join(",") };
    let mut series = Series::default();
    let mut wrong = None;
    for pair in one.get("values").and_then(Value::as_array).into_iter().flatten() {
        let shape = || {
            Diagnostic::error(format!(
                "expected a time and a text such as `[1397088240, \"94\"]`, found `{pair}`"
            ))
            .help(ASK)
        };
        let time = pair.get(0).and_then(Value::as_f64).and_then(time::from_number).ok_or_else(shape)?;
        let text = pair.get(1).and_then(Value::as_str).ok_or_else(shape)?;
        let value = value(text).unwrap_or_else(|()| {
            wrong.get_or_insert_with(|| no_value(text, &name));
            None
        });
        series.push(time, value).map_err(|last| goes_back(time, last))?;
    }
    Ok(Column { name, labels, series: Arc::new(series), wrong })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Arc<Series>, String> {
        let recording = Recording::read("load.csv", text.to_owned()).map_err(|wrong| wrong.to_string())?;
        recording.series(None, &[]).map_err(|wrong| wrong.to_string())
    }

    fn points(series: &Series) -> Vec<(Millis, Option<f64>)> {
        series.points().collect()
    }

    #[test]
    fn a_value_holds_until_the_next_and_not_for_ever() {
        let series = read("time,value\n0,1\n300,2\n600,\n900,NaN\n1200,5\n").expect("a series");
        assert_eq!((series.range(), series.step(), series.missing()), ((0, 1_500_000), 300_000, 2));
        let at = |seconds: i64| series.at(seconds * 1000, 300_000);
        assert_eq!(
            [at(-5), at(0), at(299), at(300), at(600), at(1100)],
            [Some(1.0), Some(1.0), Some(1.0), Some(2.0), None, None]
        );
        assert_eq!((at(1200), at(1500), at(1501)), (Some(5.0), Some(5.0), None));
        assert_eq!(series.next_change(0, 300_000), Some(300_000));
        assert_eq!(series.next_change(1_200_000, 300_000), Some(1_500_001));
        assert_eq!(series.next_change(1_500_001, 300_000), None);
    }

    #[test]
    fn columns_are_found_by_name_alone_or_by_what_is_scaled() {
        let wide = "web,timestamp,cart\n1,2026-03-01 09:30:00,x\n2,2026-03-01 09:31:00,4\n";
        let recording = Recording::read("load.csv", wide.to_owned()).expect("a recording");
        let web = recording.series(None, &["web"]).expect("web");
        assert_eq!(points(&web), [(1_772_357_400_000, Some(1.0)), (1_772_357_460_000, Some(2.0))]);
        let wrong = |column| recording.series(column, &[]).expect_err("a mistake").to_string();
        assert!(wrong(Some("cart")).contains("expected a number from 0 in column `cart`, found `x`"));
        assert!(wrong(Some("wbe")).contains("did you mean `web`?"), "{}", wrong(Some("wbe")));
        assert!(wrong(None).contains("has 2 series"));
    }

    #[test]
    fn a_file_without_a_head_is_read() {
        assert_eq!(
            points(&read("10,1\n20,2\n").expect("a series")),
            [(10_000, Some(1.0)), (20_000, Some(2.0))]
        );
    }

    #[test]
    fn an_answer_of_prometheus_is_read() {
        let one = |pod: &str| {
            format!(
                r#"{{"metric": {{"pod": "{pod}"}}, "values": [[1397088240, "0.5"], [1397088255.5, "NaN"]]}}"#
            )
        };
        let answer = |series: &str| {
            format!(r#"{{"status": "success", "data": {{"resultType": "matrix", "result": [{series}]}}}}"#)
        };
        let series = read(&answer(&one("a"))).expect("a series");
        assert_eq!(points(&series), [(1_397_088_240_000, Some(0.5)), (1_397_088_255_500, None)]);
        let both = Recording::read("x.json", answer(&format!("{}, {}", one("a"), one("b")))).expect("two");
        assert!(both.series(None, &[]).expect_err("which").to_string().contains("`pod=a` and `pod=b`"));
        assert!(both.series(Some("pod=b"), &[]).is_ok() && both.series(None, &["b"]).is_ok());
    }

    #[test]
    fn the_later_of_two_values_of_a_time_counts() {
        assert_eq!(points(&read("t,v\n5,1\n5,2\n").expect("a series")), [(5_000, Some(2.0))]);
    }
}

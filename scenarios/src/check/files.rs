//! Columns of CSV files that a scenario names.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Checker;
use crate::spec::{At, Text};
use crate::text::{read_bounded, reason};
use crate::tree::quoted;
use crate::words::{did_you_mean, listed};

/// Largest file of values in bytes.
const MAX_BYTES: usize = 64 << 20;

/// A mistake: what is wrong, and what to do.
type Wrong = (String, String);

impl Checker<'_> {
    /// What a text file beside the scenario says; none where a mistake has been told.
    pub(super) fn text_of(&mut self, file: &At<Text>) -> Option<String> {
        let text = String::from_utf8(self.bytes_of(file)?);
        if text.is_err() {
            let message = format!("{} is not text", quoted(&file.value.0));
            self.error(file.place, message, "save it as UTF-8");
        }
        text.ok()
    }

    fn bytes_of(&mut self, file: &At<Text>) -> Option<Vec<u8>> {
        let name = &file.value.0;
        let read = inside(&self.source.folder, name).and_then(|path| {
            let bytes = read_bounded(&path, MAX_BYTES)
                .map_err(|error| (format!("cannot read {}: {}", quoted(name), reason(&error)), beside()))?;
            bytes.ok_or_else(|| {
                (format!("{} is larger than 64 MiB", quoted(name)), "sample or shorten it".into())
            })
        });
        match read {
            Ok(bytes) => Some(bytes),
            Err((message, help)) => {
                self.error(file.place, message, help);
                None
            }
        }
    }

    /// The numbers in a column of a file; none where a mistake has been told.
    pub(super) fn column(&mut self, file: &At<Text>, column: Option<&At<Text>>) -> Option<Arc<[f64]>> {
        let key = (file.value.0.clone(), column.map(|column| column.value.0.clone()));
        if let Some(values) = self.source.files.lock().ok().and_then(|files| files.get(&key).cloned()) {
            return Some(values);
        }
        let name = &file.value.0;
        let bytes = self.bytes_of(file)?;
        match numbers(name, &bytes, column.map(|column| column.value.0.as_str())) {
            Ok(values) => {
                let values: Arc<[f64]> = values.into();
                if let Ok(mut files) = self.source.files.lock() {
                    files.insert(key, values.clone());
                }
                Some(values)
            }
            Err((message, help)) => {
                self.error(column.map_or(file.place, |column| column.place), message, help);
                None
            }
        }
    }
}

fn beside() -> String {
    "put it beside the scenario; paths are relative to the scenario's folder".into()
}

/// The path of a file that is really inside `folder`.
fn inside(folder: &Path, name: &str) -> Result<PathBuf, Wrong> {
    let relative = Path::new(name);
    let outside = || (format!("{} is outside of the scenario's folder", quoted(name)), beside());
    if name.is_empty()
        || !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    {
        return Err(outside());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let path = folder.join(relative);
    let unreadable =
        |error: std::io::Error| (format!("cannot read {}: {}", quoted(name), reason(&error)), beside());
    let (real, root) = (path.canonicalize().map_err(unreadable)?, folder.canonicalize().map_err(unreadable)?);
    // A link may point anywhere.
    if real.starts_with(&root) { Ok(real) } else { Err(outside()) }
}

/// The numbers in a column of CSV; the only column when none is named.
fn numbers(name: &str, bytes: &[u8], column: Option<&str>) -> Result<Vec<f64>, Wrong> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(bytes);
    let broken = |error: csv::Error| {
        (format!("{} is not CSV: {error}", quoted(name)), "separate the columns with commas".to_string())
    };
    let mut records = reader.byte_records();
    let empty = || (format!("{} holds no values", quoted(name)), "give one value a row".to_string());
    let first = records.next().ok_or_else(empty)?.map_err(broken)?;
    let header: Vec<String> = first.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
    let number = |field: &[u8]| std::str::from_utf8(field).ok().and_then(|text| text.parse::<f64>().ok());
    let mut values = Vec::new();
    let index = match column {
        Some(column) => header.iter().position(|field| field == column).ok_or_else(|| {
            let known = || header.iter().map(String::as_str);
            let help = did_you_mean(column, known())
                .unwrap_or_else(|| format!("its columns are {}", listed(known())));
            (format!("{} has no column {}", quoted(name), quoted(column)), help)
        })?,
        None if header.len() == 1 => {
            values.extend(first.get(0).and_then(number));
            0
        }
        None => {
            let columns = listed(header.iter().map(String::as_str));
            return Err((
                format!("{} has {} columns", quoted(name), header.len()),
                format!("say which with `column`: {columns}"),
            ));
        }
    };
    for (row, record) in records.enumerate() {
        let record = record.map_err(broken)?;
        let field = record.get(index).unwrap_or_default();
        let value = number(field).filter(|value| value.is_finite() && *value >= 0.0).ok_or_else(|| {
            let found = quoted(&String::from_utf8_lossy(field));
            (
                format!("row {} of {} holds {found}", row + 2, quoted(name)),
                "every value is a number from 0".into(),
            )
        })?;
        values.push(value);
    }
    if values.is_empty() { Err(empty()) } else { Ok(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_name_or_alone() {
        assert_eq!(numbers("f", b"a,b\n1,2\n3,4\n", Some("b")), Ok(vec![2.0, 4.0]));
        assert_eq!(numbers("f", b"ms\n1\n3\n", None), Ok(vec![1.0, 3.0]));
        assert_eq!(numbers("f", b"1\n3\n", None), Ok(vec![1.0, 3.0]));
        assert!(numbers("f", b"a,b\n1,2\n", None).is_err());
        assert!(numbers("f", b"a\nx\n", None).is_err());
        assert!(numbers("f", b"a\n-1\n", None).is_err());
        assert!(numbers("f", b"", None).is_err());
    }

    #[test]
    fn a_path_stays_inside_the_folder() {
        for name in ["/etc/passwd", "../x.csv", "a/../../x.csv", ""] {
            assert!(inside(Path::new("."), name).is_err(), "{name}");
        }
        assert!(inside(Path::new("."), "Cargo.toml").is_ok());
    }
}

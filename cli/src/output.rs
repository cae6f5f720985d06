//! The only place that prints: results to standard output, everything else to standard error.

use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use scenarios::Diagnostics;

use crate::failure::Failure;

/// Whether remarks are kept back.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Keeps remarks and progress back from now on; results, warnings and errors are still printed.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether remarks are kept back.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints a result, or writes it to `file`.
///
/// # Errors
///
/// When it cannot be written. A reader who has gone (`| head`) is no error.
pub(crate) fn result(text: &str, file: Option<&Path>) -> Result<(), Failure> {
    if let Some(file) = file {
        return save(file, text.as_bytes());
    }
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Print(error)),
        _ => Ok(()),
    }
}

/// The folder for what is not named; it is made if it is not there.
///
/// # Errors
///
/// When it cannot be made.
pub(crate) fn folder(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = wanted.unwrap_or(Path::new("")).to_owned();
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(&folder).map_err(|error| Failure::write(&folder, error))?;
    }
    Ok(folder)
}

/// Makes sure that there are folders for `files`, before work is done that would be lost.
///
/// # Errors
///
/// When there is none.
pub(crate) fn expect_folders<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    for file in files {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Failure::write(file, io::Error::from(ErrorKind::NotFound)));
        }
    }
    Ok(())
}

/// Writes a file and says so.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn save(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(file, bytes).map_err(|error| Failure::write(file, error))?;
    remark(&format!("wrote {}", file.display()));
    Ok(())
}

/// Writes a new file and says so.
///
/// # Errors
///
/// When it cannot be written, or is there already and `force` is not set.
pub(crate) fn create(file: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    if !force && file.exists() {
        let message = format!("`{}` exists already", file.display());
        return Err(Failure::command(
            message,
            Some("give another name, or `--force` to overwrite it".into()),
        ));
    }
    save(file, bytes)
}

/// Says something beside the result.
pub(crate) fn remark(text: &str) {
    if !is_quiet() {
        tell(text);
    }
}

/// Shows doubts about a scenario.
pub(crate) fn warn(diagnostics: &Diagnostics) {
    if !diagnostics.is_empty() {
        tell(&diagnostics.render(colors()));
    }
}

/// Says why the command did not run.
pub(crate) fn complain(failure: &Failure) {
    match failure {
        Failure::Scenario(diagnostics) => tell(diagnostics.render(colors()).trim_end()),
        Failure::Several(failures) => {
            for (at, failure) in failures.iter().enumerate() {
                if at > 0 {
                    tell("");
                }
                complain(failure);
            }
        }
        other => {
            let help = other.help().map(|help| format!("\n  = help: {help}")).unwrap_or_default();
            tell(&format!("error: {other}{help}"));
        }
    }
}

/// Columns of the terminal that results go to, if it is one.
pub(crate) fn width() -> usize {
    if io::stdout().is_terminal() { usize::from(console::Term::stdout().size().1) } else { 80 }
}

/// Whether messages may be coloured; nothing depends on it.
fn colors() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Nothing can be done about a message that cannot be written.
fn tell(text: &str) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "{text}");
}

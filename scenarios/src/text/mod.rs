//! Reading a scenario from disk, and nothing larger than a scenario can be.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::diagnostic::{Diagnostic, Diagnostics, Text};
use crate::tree::{self, Node, Override, Place, apply, assignments};
use crate::words::closest;

/// Largest scenario in bytes.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// A scenario as it was read: text and value tree, nothing of it checked but that it is YAML.
#[derive(Clone, Debug)]
pub struct Source {
    pub(crate) text: Arc<Text>,
    pub(crate) folder: PathBuf,
    pub(crate) tree: Node,
    pub(crate) mistakes: Vec<Diagnostic>,
    /// Columns of CSV files that were read, by file and column.
    pub(crate) files: Arc<Mutex<Columns>>,
}

type Columns = BTreeMap<(String, Option<String>), Arc<[f64]>>;

impl Source {
    /// Reads the file at `path`; files that it names are looked for beside it.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is over 4 MiB, or is not YAML in UTF-8.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Diagnostics> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let bytes = read_bounded(path, MAX_BYTES).map_err(|error| Diagnostics::one(refused(path, &error)))?;
        let Some(bytes) = bytes else {
            return Err(Diagnostics::one(too_large(&name)));
        };
        let text = String::from_utf8(bytes).map_err(|error| Diagnostics::one(not_utf8(&name, &error)))?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Self::from_text(name, text, folder)
    }

    /// A scenario from memory; files that it names are looked for in `folder`.
    ///
    /// # Errors
    ///
    /// When it is over 4 MiB or not YAML.
    pub fn from_text(
        name: impl Into<String>,
        text: impl Into<String>,
        folder: impl Into<PathBuf>,
    ) -> Result<Self, Diagnostics> {
        let (name, text) = (name.into(), text.into());
        if text.len() > MAX_BYTES {
            return Err(Diagnostics::one(too_large(&name)));
        }
        let text = text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text);
        let text = Arc::new(Text { name, text });
        match tree::parse(&text.text, 0) {
            Ok((tree, mistakes)) => {
                Ok(Self { text, folder: folder.into(), tree, mistakes, files: Arc::default() })
            }
            Err(mut mistake) => {
                mistake.place = mistake.place.or(Some(Place::default()));
                Err(Diagnostics::new(vec![mistake], vec![text], &[]))
            }
        }
    }

    /// How messages call it.
    pub fn name(&self) -> &str {
        &self.text.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// Names of the variants, in the order of the file.
    pub fn variants(&self) -> Vec<String> {
        let variants = self.tree.get("variants");
        variants.map_or(&[][..], Node::entries).iter().map(|entry| entry.key.to_string()).collect()
    }

    /// What the variant `name` changes; nothing when there is no such variant.
    pub fn variant_overrides(&self, name: &str) -> Vec<Override> {
        let variant = self.tree.get("variants").and_then(|variants| variants.get(name));
        let changes = variant.map(assignments).unwrap_or_default();
        changes.into_iter().map(|assignment| Override { assignment, text: None }).collect()
    }

    /// The tree after some changes; those that lead nowhere are told when it is loaded with them.
    pub(crate) fn tree_with(&self, overrides: &[Override]) -> Node {
        let mut tree = self.tree.clone();
        for change in overrides {
            let _ = apply(&mut tree, &change.moved_to(0));
        }
        tree
    }
}

/// The bytes of a file, or none if there are more than `most`.
pub(crate) fn read_bounded(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

fn refused(path: &Path, error: &io::Error) -> Diagnostic {
    let why = reason(error);
    let diagnostic = Diagnostic::error(format!("cannot read `{}`: {why}", path.display()));
    match error.kind() {
        io::ErrorKind::NotFound => diagnostic.help(meant(path).unwrap_or_else(|| {
            "check the path; `hockeystick new` writes a scenario to start from".to_owned()
        })),
        _ => diagnostic,
    }
}

/// The file of the same folder that was probably meant.
fn meant(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_yaml = |path: &Path| path.extension().is_some_and(|known| known == "yaml" || known == "yml");
    let known = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut known: Vec<PathBuf> = known.filter(|path| is_yaml(path)).collect();
    known.sort();
    // The extension is the same everywhere: it makes no two names alike.
    let stem = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    let stems: Vec<String> = known.iter().filter_map(|path| stem(path)).collect();
    let guess = closest(&stem(path)?, stems.iter().map(String::as_str))?;
    let file = known.iter().find(|known| stem(known).is_some_and(|stem| stem == guess))?.file_name()?;
    Some(format!("did you mean `{}`?", path.with_file_name(file).display()))
}

/// Why the machine refuses a file, the same on every system.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}

fn too_large(name: &str) -> Diagnostic {
    Diagnostic::error(format!("`{name}` is larger than 4 MiB"))
        .help("a scenario is a few hundred lines; measurements belong into CSV files beside it")
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let good = error.utf8_error().valid_up_to();
    let line = error.as_bytes()[..good].split(|&b| b == b'\n').count();
    Diagnostic::error(format!(
        "`{name}` is not UTF-8: byte {good}, in line {line}, is not part of any character"
    ))
    .help("save it as UTF-8 without a byte order mark")
}

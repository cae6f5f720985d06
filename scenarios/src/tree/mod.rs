//! The value tree: what the file says before any of it has a type, with the place of every value.

mod overrides;
mod parse;
mod print;

pub use overrides::Override;
pub(crate) use overrides::{Assignment, apply, assignments, find};
pub(crate) use parse::{parse, parse_documents};
pub(crate) use print::print;

/// Where something stands: bytes `start..end` of one of the texts that a scenario is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 0 for the file, then one for each `--set`.
    pub source: u16,
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Place {
    /// From the start of `self` to the end of `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { end: other.end.max(self.end), ..self }
    }
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// What names it: its key, or the value itself in a list.
    pub label: Place,
}

/// A value as it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(Box<str>),
    /// Any other text.
    String(Box<str>),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Box<str>,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub node: Node,
    /// What `explain` says of it.
    pub note: Option<Box<Note>>,
}

/// A remark on a value that was filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The remark.
    pub text: String,
    /// Whether there is no value, only the remark.
    pub absent: bool,
}

impl Node {
    /// A value that stands at `place`, which names it too.
    pub fn new(value: Value, place: Place) -> Self {
        Self { value, place, label: place }
    }

    /// The value that `text` stands for when nothing is quoted.
    pub(crate) fn plain(text: &str, place: Place) -> Self {
        Self::new(parse::plain_scalar(text), place)
    }

    /// The text of a number or a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Number(text) | Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of `key`, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| &*entry.key == key).map(|entry| &entry.node)
    }

    /// How a message speaks of it: `` `40` ``, `a list`, `nothing`.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(text) | Value::String(text) => quoted(text),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }

    /// The path of the value or key that stands at `place`, found by walking the tree.
    ///
    /// A place inside of a text has the path of the text.
    pub(crate) fn path_of(&self, place: Place) -> Option<String> {
        let below = |node: &Self, name: &dyn Fn() -> String| match node.path_of(place) {
            Some(path) => Some(format!("{}.{path}", name())),
            None => node.is_at(place).then(name),
        };
        match &self.value {
            Value::List(items) => {
                items.iter().enumerate().find_map(|(i, item)| below(item, &|| i.to_string()))
            }
            Value::Map(entries) => entries.iter().find_map(|entry| {
                let name = || entry.key.to_string();
                if entry.place == place { Some(name()) } else { below(&entry.node, &name) }
            }),
            _ => None,
        }
    }

    fn is_at(&self, place: Place) -> bool {
        let inside = matches!(self.value, Value::String(_))
            && self.place.source == place.source
            && (self.place.start..=self.place.end).contains(&place.start)
            && place.end <= self.place.end;
        self.place == place || inside
    }

    /// Says that the whole tree stands in text number `source`.
    pub(crate) fn move_to(&mut self, source: u16) {
        self.place.source = source;
        self.label.source = source;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.move_to(source)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.place.source = source;
                    entry.node.move_to(source);
                }
            }
            _ => {}
        }
    }

    /// Values in the tree, this one included.
    pub(crate) fn size(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.node.size()).sum::<usize>(),
            _ => 1,
        }
    }
}

/// `text` in backticks, cut where it gets long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        format!("`{}`", text.escape_debug())
    } else {
        let start: String = text.chars().take(LONGEST).collect();
        format!("`{}...`", start.escape_debug())
    }
}

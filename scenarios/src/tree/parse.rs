//! From text to the value tree: one pass over the parser's events, which bounds what a file can cost.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::{Entry, Node, Place, Value, quoted};
use crate::diagnostic::Diagnostic;
use crate::spec::MOST_MISTAKES;

/// Deepest nesting of lists and maps.
const MAX_DEPTH: usize = 64;
/// Most uses of anchors.
const MAX_ALIASES: usize = 1_000;
/// Most values, each use of an anchor counted in full.
const MAX_NODES: usize = 1_000_000;

/// The tree of the one document in `text`, and the mistakes that do not stand in the way of reading on.
///
/// # Errors
///
/// When the text is not YAML, or costs more than a scenario can need.
pub(crate) fn parse(text: &str, source: u16) -> Result<(Node, Vec<Diagnostic>), Diagnostic> {
    let builder = run(text, Builder { source, ..Builder::default() })?;
    match builder.root {
        Some(root) => Ok((root, builder.mistakes)),
        None => Err(Diagnostic::error("the file is empty").help(
            "a scenario has at least `duration`, `traffic` and `services`; `hockeystick new` writes one to start from",
        )),
    }
}

/// The trees of all documents in `text` that hold anything, and the mistakes that do not stand in the way of reading
/// on.
///
/// # Errors
///
/// When the text is not YAML, or costs more than it should.
pub(crate) fn parse_documents(text: &str, source: u16) -> Result<(Vec<Node>, Vec<Diagnostic>), Diagnostic> {
    let mut builder = run(text, Builder { source, many: true, ..Builder::default() })?;
    builder.close_document();
    Ok((builder.closed, builder.mistakes))
}

fn run(text: &str, mut builder: Builder) -> Result<Builder, Diagnostic> {
    let source = builder.source;
    let options = granit_parser::options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| not_yaml(&error, text, source))?;
        let place = builder.place(&span);
        builder.take(event, place)?;
    }
    Ok(builder)
}

fn not_yaml(error: &ScanError, text: &str, source: u16) -> Diagnostic {
    use granit_parser::ErrorKind;
    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let place = Place { source, start: at as u32, end: end as u32 };
    let diagnostic = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(place),
        ErrorKind::UnknownAnchor => Diagnostic::error("there is no such anchor before this line")
            .help("an anchor, `&name value`, has to stand above the `*name` that repeats it"),
        _ => Diagnostic::error(format!("the file is not YAML: {}", error.info())),
    };
    diagnostic.at(place)
}

fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::error(format!("lists and maps are nested more than {MAX_DEPTH} deep"))
        .at(place)
        .help("no scenario needs this; check for a bracket that is not closed")
}

/// Builds the tree from events, without recursion.
#[derive(Default)]
struct Builder {
    source: u16,
    root: Option<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    aliases: usize,
    nodes: usize,
    documents: usize,
    /// Whether there may be several documents; those before the last.
    many: bool,
    closed: Vec<Node>,
    mistakes: Vec<Diagnostic>,
}

/// A list or map whose end has not come yet.
struct Open {
    value: Value,
    place: Place,
    anchor: usize,
    /// The key whose value comes next, in a map.
    key: Option<(Box<str>, Place)>,
    /// Whether that key was there before: its value is read and left out.
    again: bool,
    /// Places of the keys so far, in a map.
    keys: BTreeMap<Box<str>, Place>,
}

impl Open {
    /// The part of a path that leads to what comes next.
    fn name(&self) -> Option<String> {
        match &self.value {
            Value::List(items) => Some(items.len().to_string()),
            _ => self.key.as_ref().map(|(key, _)| key.to_string()),
        }
    }
}

impl Builder {
    fn place(&self, span: &granit_parser::Span) -> Place {
        let range = span.byte_range().unwrap_or_default();
        Place { source: self.source, start: range.start as u32, end: range.end as u32 }
    }

    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Diagnostic> {
        if event.tag().is_some() {
            return Err(Diagnostic::error("a tag such as `!name` has no meaning here")
                .at(place)
                .help("a choice is a map of one key: `{lognormal: {p50: 2ms, p99: 9ms}}`"));
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.many {
                    self.close_document();
                } else if self.documents > 1 {
                    return Err(Diagnostic::error(
                        "a file holds one scenario, and this is a second document",
                    )
                    .at(place)
                    .help("remove the `---`, or put the second scenario into a file of its own"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, _) => {
                if self.awaits_key() {
                    return self.key(&text, style, place);
                }
                let value = match style {
                    ScalarStyle::Plain => plain_scalar(&text),
                    _ => Value::String(text.into()),
                };
                self.count(1, place)?;
                self.finish(Node::new(value, place), anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Value::List(Vec::new()), place, anchor),
            Event::MappingStart(_, anchor, _) => self.begin(Value::Map(Vec::new()), place, anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop().expect("the parser balances its events");
                let last = match &open.value {
                    Value::List(items) => items.last().map(|item| item.place),
                    Value::Map(entries) => entries.last().map(|entry| entry.place.to(entry.node.place)),
                    _ => None,
                };
                // A block ends where its last value does; a bracket ends itself.
                let end = if place.start == place.end { last.unwrap_or(place) } else { place };
                self.finish(Node::new(open.value, open.place.to(end)), open.anchor)
            }
            Event::Alias(anchor) => {
                if self.awaits_key() {
                    return Err(not_a_key(place));
                }
                self.aliases += 1;
                if self.aliases > MAX_ALIASES {
                    return Err(Diagnostic::error(format!("anchors are used more than {MAX_ALIASES} times"))
                        .at(place)
                        .help("write the values out, or generate fewer of them"));
                }
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(Diagnostic::error("an anchor is used inside its own value").at(place));
                };
                let node = node.clone();
                self.count(node.size(), place)?;
                self.finish(node, 0)
            }
            _ => Ok(()),
        }
    }

    /// Puts away a document that is complete, unless there is nothing in it. Anchors end with it.
    fn close_document(&mut self) {
        self.anchors.clear();
        self.closed.extend(self.root.take().filter(|root| root.value != Value::Null));
    }

    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.value, Value::Map(_)) && open.key.is_none())
    }

    fn count(&mut self, nodes: usize, place: Place) -> Result<(), Diagnostic> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(Diagnostic::error(
                "the file holds more than a million values once its anchors are expanded",
            )
            .at(place)
            .help("measurements belong into a CSV file: `{file: latencies.csv, column: ms, unit: ms}`"));
        }
        Ok(())
    }

    fn begin(&mut self, value: Value, place: Place, anchor: usize) -> Result<(), Diagnostic> {
        if self.awaits_key() {
            return Err(not_a_key(place));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(too_deep(place));
        }
        self.count(1, place)?;
        self.open.push(Open { value, place, anchor, key: None, again: false, keys: BTreeMap::new() });
        Ok(())
    }

    fn key(&mut self, text: &str, style: ScalarStyle, place: Place) -> Result<(), Diagnostic> {
        if text == "<<" && style == ScalarStyle::Plain {
            return Err(Diagnostic::error("merge keys (`<<`) are not part of the language")
                .at(place)
                .help("repeat a whole value with `*name`, or write the keys out"));
        }
        if text.is_empty() {
            return Err(Diagnostic::error("a key is missing before the `:`").at(place));
        }
        let known = self.open.last().is_some_and(|open| open.keys.contains_key(text));
        let above: Vec<String> = if known && self.mistakes.len() < MOST_MISTAKES {
            self.open.iter().filter_map(Open::name).collect()
        } else {
            Vec::new()
        };
        let open = self.open.last_mut().expect("only a map awaits a key");
        open.again = known;
        if let Some(first) = open.keys.get(text).filter(|_| self.mistakes.len() < MOST_MISTAKES) {
            let mut mistake = Diagnostic::error(format!("{} is given twice", quoted(text)))
                .at(place)
                .related(*first, "first here")
                .help("remove one of the two, or rename it");
            mistake.path = Some([above, vec![text.into()]].concat().join("."));
            self.mistakes.push(mistake);
        } else if !known {
            open.keys.insert(text.into(), place);
        }
        open.key = Some((text.into(), place));
        Ok(())
    }

    fn finish(&mut self, mut node: Node, anchor: usize) -> Result<(), Diagnostic> {
        if anchor != 0 {
            self.count(node.size(), node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => {
                let (key, place) = open.key.take().expect("a value follows its key");
                if open.again {
                    return Ok(());
                }
                node.label = place;
                entries.push(Entry { key, place, node, note: None });
            }
            _ => unreachable!("only lists and maps are open"),
        }
        Ok(())
    }
}

fn not_a_key(place: Place) -> Diagnostic {
    Diagnostic::error("a key has to be a name, found a list, a map or an anchor")
        .at(place)
        .help("put a value with braces or brackets behind a `:`")
}

/// What an unquoted scalar stands for, by the YAML 1.2 core schema.
///
/// Source: YAML 1.2.2, §10.3.2.
pub(super) fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.into()),
        _ => Value::String(text.into()),
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'))
        && unsigned.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_numbers_strings_booleans_or_nothing() {
        assert_eq!(plain_scalar("12"), Value::Number("12".into()));
        assert_eq!(plain_scalar("-1.5e3"), Value::Number("-1.5e3".into()));
        assert_eq!(plain_scalar(".nan"), Value::Number(".nan".into()));
        assert_eq!(plain_scalar("400/s"), Value::String("400/s".into()));
        assert_eq!(plain_scalar("nan"), Value::String("nan".into()));
        assert_eq!(plain_scalar("infinity"), Value::String("infinity".into()));
        assert_eq!(plain_scalar("yes"), Value::String("yes".into()));
        assert_eq!(plain_scalar("~"), Value::Null);
    }

    #[test]
    fn every_value_has_the_place_where_it_stands() {
        let text = "a:\n  b: [1, {c: x}]\n";
        let (root, mistakes) = parse(text, 0).unwrap();
        assert!(mistakes.is_empty());
        let list = root.get("a").unwrap().get("b").unwrap();
        let Value::List(items) = &list.value else { panic!("{list:?}") };
        let written = |place: Place| &text[place.start as usize..place.end as usize];
        assert_eq!(written(list.place), "[1, {c: x}]");
        assert_eq!(written(items[1].place), "{c: x}");
        assert_eq!(written(list.label), "b");
        let x = items[1].get("c").unwrap();
        assert_eq!(root.path_of(x.place).as_deref(), Some("a.b.1.c"));
    }

    #[test]
    fn an_alias_repeats_its_anchor() {
        let (root, _) = parse("a: &x {b: 1}\nc: *x\n", 0).unwrap();
        assert_eq!(root.get("a").unwrap().value, root.get("c").unwrap().value);
    }
}

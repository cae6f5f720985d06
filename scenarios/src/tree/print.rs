//! From the value tree back to YAML.

use std::fmt::Write;

use super::{Entry, Node, Value};

/// Longest map or list that is written on one line.
const LINE: usize = 88;

/// The tree as YAML; remarks become comments.
pub(crate) fn print(root: &Node) -> String {
    let mut out = String::new();
    match &root.value {
        Value::Map(entries) => block_map(entries, 0, &mut out),
        Value::List(items) => block_list(items, 0, &mut out),
        _ => out.push_str(&flow(root)),
    }
    out
}

fn block_map(entries: &[Entry], indent: usize, out: &mut String) {
    for entry in entries {
        out.push_str(&" ".repeat(indent));
        key_and_value(entry, indent, out);
    }
}

fn key_and_value(entry: &Entry, indent: usize, out: &mut String) {
    let note = entry.note.as_deref();
    if let Some(note) = note.filter(|note| note.absent) {
        let _ = writeln!(out, "# {}: {}", entry.key, note.text);
        return;
    }
    out.push_str(&key(&entry.key));
    out.push(':');
    let comment = note.map(|note| format!("  # {}", note.text)).unwrap_or_default();
    value(&entry.node, indent, &comment, out);
}

fn value(node: &Node, indent: usize, comment: &str, out: &mut String) {
    let nested = !matches!(&node.value, Value::Map(entries) if entries.is_empty())
        && !matches!(&node.value, Value::List(items) if items.is_empty())
        && matches!(node.value, Value::Map(_) | Value::List(_));
    if nested && (has_notes(node) || flow(node).len() + indent > LINE) {
        out.push_str(comment);
        out.push('\n');
        match &node.value {
            Value::Map(entries) => block_map(entries, indent + 2, out),
            Value::List(items) => block_list(items, indent + 2, out),
            _ => {}
        }
    } else {
        out.push(' ');
        out.push_str(&flow(node));
        out.push_str(comment);
        out.push('\n');
    }
}

fn block_list(items: &[Node], indent: usize, out: &mut String) {
    for item in items {
        out.push_str(&" ".repeat(indent));
        out.push('-');
        match &item.value {
            Value::Map(entries) if has_notes(item) || flow(item).len() + indent > LINE => {
                out.push(' ');
                for (i, entry) in entries.iter().enumerate() {
                    if i > 0 {
                        out.push_str(&" ".repeat(indent + 2));
                    }
                    key_and_value(entry, indent + 2, out);
                }
            }
            _ => value(item, indent, "", out),
        }
    }
}

fn has_notes(node: &Node) -> bool {
    match &node.value {
        Value::Map(entries) => entries.iter().any(|entry| entry.note.is_some() || has_notes(&entry.node)),
        Value::List(items) => items.iter().any(has_notes),
        _ => false,
    }
}

/// The value on one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.to_string(),
        Value::String(text) => string(text),
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|entry| format!("{}: {}", key(&entry.key), flow(&entry.node))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn key(text: &str) -> String {
    string(text)
}

/// The text, quoted where YAML would read something else.
fn string(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-./%<>=± ".contains(c);
    let plain = text.chars().all(safe)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '/')
        && !text.ends_with(' ')
        && matches!(super::parse::plain_scalar(text), Value::String(_));
    if plain { text.into() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn what_is_printed_reads_back_the_same() {
        let text = "name: a\nabout: \"what: a # b?\"\nn: \"12\"\nsteps:\n  - {cpu: {lognormal: {p50: 2ms}}}\n  - call: x.y\n    policy: \"long policy name that fills the line until it is too long for one\"\n    route: another_long_one\ne: []\n";
        let (root, _) = parse(text, 0).unwrap();
        let printed = print(&root);
        let (again, _) = parse(&printed, 0).unwrap();
        assert_eq!(print(&again), printed);
        assert!(matches!(again.get("n").unwrap().value, Value::String(_)), "{printed}");
        assert_eq!(again.get("about"), again.get("about"));
    }
}

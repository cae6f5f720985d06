//! A map of a manifest: what has been read of it, and a warning for the rest.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use models::autoscaler::kubernetes::quantity;
use sim_core::Span;

use crate::diagnostic::Diagnostic;
use crate::did_you_mean;
use crate::spec::Sink;
use crate::tree::{Node, Place, Value};

/// A map whose keys are ticked off as they are asked for.
pub(crate) struct Block<'a> {
    node: &'a Node,
    asked: RefCell<Vec<String>>,
    is_loose: bool,
}

impl<'a> Block<'a> {
    /// A map, or an error that something else stands there.
    pub(crate) fn of(node: &'a Node, sink: &mut Sink) -> Option<Self> {
        if matches!(node.value, Value::Map(_)) {
            Some(Self { node, asked: RefCell::default(), is_loose: false })
        } else {
            sink.expected("a map", node, "");
            None
        }
    }

    /// The same where numbers and flags may stand for texts: in a scenario, where no API server insists on quotes.
    pub(super) fn loosely(self) -> Self {
        Self { is_loose: true, ..self }
    }

    /// Whether numbers and flags may stand for texts.
    pub(super) fn is_loose(&self) -> bool {
        self.is_loose
    }

    /// The map itself.
    pub(super) fn node(&self) -> &'a Node {
        self.node
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        self.node.place
    }

    /// Its keys with their places.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&'a str, Place)> {
        self.node.entries().iter().map(|entry| (&*entry.key, entry.place))
    }

    /// The value of a key; `null` is none.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(key.into());
        self.node.get(key).filter(|node| !matches!(node.value, Value::Null))
    }

    /// The value of a key that has to be there.
    pub(super) fn need(&self, key: &str, help: &str, sink: &mut Sink) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            sink.report(Diagnostic::error(format!("`{key}` is missing")).at(self.node.label).help(help));
        }
        found
    }

    /// A map below this one.
    pub(super) fn block(&self, key: &str, sink: &mut Sink) -> Option<Block<'a>> {
        Some(Block { is_loose: self.is_loose, ..Block::of(self.get(key)?, sink)? })
    }

    /// The items of a list, none where it is not there.
    pub(super) fn list(&self, key: &str, sink: &mut Sink) -> &'a [Node] {
        match self.get(key).map(|node| (node, &node.value)) {
            None => &[],
            Some((_, Value::List(items))) => items,
            Some((node, _)) => {
                sink.expected("a list", node, "");
                &[]
            }
        }
    }

    /// A text.
    pub(super) fn text(&self, key: &str, sink: &mut Sink) -> Option<&'a str> {
        let node = self.get(key)?;
        if let Value::String(text) = &node.value {
            return Some(text);
        }
        sink.expected("a text", node, "put it in quotes");
        None
    }

    /// Yes or no.
    pub(super) fn flag(&self, key: &str, sink: &mut Sink) -> Option<bool> {
        let node = self.get(key)?;
        if let Value::Bool(flag) = node.value {
            return Some(flag);
        }
        sink.expected("`true` or `false`", node, "");
        None
    }

    /// A whole number of a range.
    pub(super) fn int(&self, key: &str, range: RangeInclusive<i64>, sink: &mut Sink) -> Option<i64> {
        let node = self.get(key)?;
        let number = match &node.value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let (least, most) = (range.start(), range.end());
                let what = match (*least, *most) {
                    (i64::MIN, _) => "a whole number".into(),
                    (least, MOST) => format!("a whole number of at least {least}"),
                    (least, most) => format!("a whole number from {least} to {most}"),
                };
                sink.expected(&what, node, "");
                None
            }
        }
    }

    /// A number of replicas.
    pub(super) fn count(&self, key: &str, least: i64, sink: &mut Sink) -> Option<i32> {
        self.int(key, least..=MOST, sink).and_then(|count| i32::try_from(count).ok())
    }

    /// Whole seconds.
    pub(super) fn seconds(&self, key: &str, range: RangeInclusive<i64>, sink: &mut Sink) -> Option<Span> {
        self.int(key, range, sink).map(|seconds| Span::from_nanos(seconds.unsigned_abs() * 1_000_000_000))
    }

    /// Any number.
    pub(super) fn number(&self, key: &str, sink: &mut Sink) -> Option<f64> {
        let node = self.get(key)?;
        let number = match &node.value {
            Value::Number(text) => text.parse::<f64>().ok().filter(|number| number.is_finite()),
            _ => None,
        };
        if number.is_none() {
            sink.expected("a number", node, "");
        }
        number
    }

    /// A quantity of Kubernetes, in thousandths.
    pub(crate) fn quantity(&self, key: &str, sink: &mut Sink) -> Option<i64> {
        let node = self.get(key)?;
        let milli = node.text().and_then(quantity::milli);
        match milli {
            Some(milli) if milli >= 0 => Some(milli),
            _ => {
                sink.expected("a quantity", node, "write a number such as `100`, `500m` or `2Gi`");
                None
            }
        }
    }

    /// Keys that say nothing of scaling.
    pub(super) fn skip(&self, keys: &[&str]) {
        self.asked.borrow_mut().extend(keys.iter().map(ToString::to_string));
    }

    /// A warning for each of these keys that is there.
    pub(super) fn not_modelled(&self, keys: &[(&str, &str)], sink: &mut Sink) {
        for (key, why) in keys {
            if let Some(node) = self.get(key) {
                let warning = Diagnostic::warning(format!("`{key}` is not modelled")).at(node.label);
                sink.report(if why.is_empty() { warning } else { warning.help(*why) });
            }
        }
    }

    /// A warning for each key that nobody asked for.
    pub(crate) fn finish(&self, sink: &mut Sink) {
        let asked = self.asked.borrow();
        for (key, place) in self.keys() {
            if !asked.iter().any(|known| known == key) {
                let known = asked.iter().map(String::as_str);
                let unknown = Diagnostic::warning(format!("`{key}` is not modelled")).at(place);
                sink.report(unknown.help_if(did_you_mean(key, known)));
            }
        }
    }
}

/// The largest count that Kubernetes knows.
pub(super) const MOST: i64 = i32::MAX as i64;

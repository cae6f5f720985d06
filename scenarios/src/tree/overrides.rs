//! One way to change a number: set the value at a path. `--set`, variants, sweeps and events all end here.

use std::sync::Arc;

use super::{Entry, Node, Place, Value, parse, quoted};
use crate::diagnostic::{Diagnostic, Diagnostics, Text};
use crate::text::MAX_BYTES;
use crate::words::did_you_mean;

/// A value for a path, from outside of the file or from another part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    pub(crate) assignment: Assignment,
    /// The text that the places refer to, unless it is the file.
    pub(crate) text: Option<Arc<Text>>,
}

/// A path, the value it gets, and where the path is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) value: Node,
}

impl Override {
    /// Reads `services.web.replicas=3`, as it stands behind `--set`.
    ///
    /// # Errors
    ///
    /// When there is no `=`, no path before it, or no YAML behind it.
    pub fn parse(argument: &str) -> Result<Self, Diagnostics> {
        let text = Arc::new(Text { name: "--set".into(), text: argument.into() });
        let wrong = |diagnostic: Diagnostic| Diagnostics::new(vec![diagnostic], vec![text.clone()], &[]);
        let whole = Place { source: 0, start: 0, end: argument.len() as u32 };
        let expected = |found: &str| {
            Diagnostic::error(format!("expected a path and a value, found {found}"))
                .at(whole)
                .help("write `--set services.web.replicas=3`")
        };
        if argument.len() > MAX_BYTES {
            return Err(Diagnostics::one(expected("a text of more than 4 MiB")));
        }
        let Some((path, value)) = argument.split_once('=') else {
            return Err(wrong(expected(&quoted(argument))));
        };
        if path.trim().is_empty() || path.split('.').any(|part| part.trim().is_empty()) {
            return Err(wrong(expected(&quoted(argument))));
        }
        let place = Place { source: 0, start: 0, end: path.len() as u32 };
        let node = if value.trim().is_empty() {
            Node::new(Value::Null, Place { source: 0, start: whole.end, end: whole.end })
        } else {
            // Blanks keep the value where it stands in the argument.
            let (node, mistakes) =
                parse(&format!("{}{value}", " ".repeat(path.len() + 1)), 0).map_err(wrong)?;
            if !mistakes.is_empty() {
                return Err(Diagnostics::new(mistakes, vec![text.clone()], &[]));
            }
            node
        };
        let assignment = Assignment { path: path.trim().into(), place, value: node };
        Ok(Self { assignment, text: Some(text) })
    }

    /// The path that gets a value.
    pub fn path(&self) -> &str {
        &self.assignment.path
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.assignment.value.value
    }

    /// Says that the places refer to text number `source`.
    pub(crate) fn moved_to(&self, source: u16) -> Assignment {
        let mut assignment = self.assignment.clone();
        if self.text.is_some() {
            assignment.place.source = source;
            assignment.value.move_to(source);
        }
        assignment
    }
}

/// The paths and values that a map of changes stands for: `{a.b: 1}` as well as `{a: {b: 1}}`.
///
/// Nested maps reach into sections, names and groups of settings. A value that is a map itself, such as a
/// distribution or a mix of weights, is set as a whole.
pub(crate) fn assignments(changes: &Node) -> Vec<Assignment> {
    let mut out = Vec::new();
    collect("", changes, &mut out);
    out
}

fn collect(prefix: &str, changes: &Node, out: &mut Vec<Assignment>) {
    for entry in changes.entries() {
        let path = if prefix.is_empty() { entry.key.to_string() } else { format!("{prefix}.{}", entry.key) };
        let nested = !entry.node.entries().is_empty() && !entry.key.contains('.') && reaches_into(&path);
        if nested {
            collect(&path, &entry.node, out);
        } else {
            out.push(Assignment { path, place: entry.place, value: entry.node.clone() });
        }
    }
}

/// Sections whose keys are names.
const NAMED: [&str; 8] =
    ["traffic", "services", "resources", "policies", "routes", "queues", "jobs", "autoscalers"];

fn reaches_into(path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        [section] => NAMED.contains(section) || *section == "limits",
        [section, _] => NAMED.contains(section),
        ["services", _, "endpoints" | "resources" | "cores"]
        | ["services", _, "resources", _]
        | ["queues", _, "consumers"]
        | ["traffic", _, "attributes"]
        | ["policies", _, "retry" | "breaker" | "hedge"]
        | ["policies", _, "retry", "backoff"] => true,
        _ => false,
    }
}

/// What a missing name of a section is called, when `walked` leads to such a section.
fn named_thing(walked: &str) -> Option<&'static str> {
    let parts: Vec<&str> = walked.split('.').collect();
    match parts.as_slice() {
        ["traffic"] => Some("traffic"),
        ["services"] => Some("service"),
        ["resources"] | ["services", _, "resources"] => Some("resource"),
        ["policies"] => Some("policy"),
        ["routes"] => Some("route"),
        ["queues"] => Some("queue"),
        ["jobs"] => Some("job"),
        ["autoscalers"] => Some("autoscaler"),
        ["services", _, "endpoints"] => Some("endpoint"),
        _ => None,
    }
}

/// Sets the value at a path of the tree.
///
/// The last part of the path may be new: whether there is such a setting is checked with the rest of the file.
///
/// # Errors
///
/// When the path leads nowhere.
pub(crate) fn apply(root: &mut Node, assignment: &Assignment) -> Result<(), Diagnostic> {
    set(root, "", &assignment.path, assignment)
}

/// The value at a path, if the file gives one.
pub(crate) fn find<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    if let Value::List(items) = &node.value {
        let (first, behind) =
            path.split_once('.').map_or((path, None), |(first, behind)| (first, Some(behind)));
        let item = items.get(first.parse::<usize>().ok()?)?;
        return behind.map_or(Some(item), |behind| find(item, behind));
    }
    let entries = node.entries().iter();
    // As for setting: the longest key that fits is meant.
    let inside = entries.filter_map(|entry| Some((entry, path.strip_prefix(&*entry.key)?)));
    let inside = inside.filter(|(_, behind)| behind.is_empty() || behind.starts_with('.'));
    let (entry, behind) = inside.max_by_key(|(entry, _)| entry.key.len())?;
    behind.strip_prefix('.').map_or(Some(&entry.node), |behind| find(&entry.node, behind))
}

/// Whether the value says that there is to be none: `~` or `null`. Nothing at all is a value that was forgotten.
fn removes(value: &Node) -> bool {
    value.value == Value::Null && value.place.start < value.place.end
}

fn set(node: &mut Node, walked: &str, rest: &str, assignment: &Assignment) -> Result<(), Diagnostic> {
    let (first, behind) = rest.split_once('.').map_or((rest, None), |(first, behind)| (first, Some(behind)));
    let join = |part: &str| if walked.is_empty() { part.to_string() } else { format!("{walked}.{part}") };
    match &mut node.value {
        Value::Map(entries) => {
            if removes(&assignment.value) && entries.iter().any(|entry| *entry.key == *rest) {
                entries.retain(|entry| *entry.key != *rest);
                return Ok(());
            }
            if let Some(entry) = entries.iter_mut().find(|entry| *entry.key == *rest) {
                entry.place = assignment.place;
                entry.node = Node { label: assignment.place, ..assignment.value.clone() };
                return Ok(());
            }
            // Keys such as `web.browse` hold dots themselves: the longest that fits is meant.
            let inside = entries
                .iter_mut()
                .filter(|entry| rest.strip_prefix(&*entry.key).is_some_and(|r| r.starts_with('.')))
                .max_by_key(|entry| entry.key.len());
            if let Some(entry) = inside {
                let path = join(&entry.key);
                let behind = &rest[entry.key.len() + 1..];
                return set(&mut entry.node, &path, behind, assignment);
            }
            let Some(behind) = behind else {
                entries.push(Entry {
                    key: first.into(),
                    place: assignment.place,
                    node: Node { label: assignment.place, ..assignment.value.clone() },
                    note: None,
                });
                return Ok(());
            };
            if let Some(thing) = named_thing(walked) {
                let help = did_you_mean(first, entries.iter().map(|entry| &*entry.key));
                return Err(Diagnostic::error(format!("there is no {thing} {}", quoted(first)))
                    .at(assignment.place)
                    .help_if(help));
            }
            let mut inner = Node::new(Value::Map(Vec::new()), assignment.place);
            set(&mut inner, &join(first), behind, assignment)?;
            entries.push(Entry { key: first.into(), place: assignment.place, node: inner, note: None });
            Ok(())
        }
        Value::List(items) => {
            let count = items.len();
            let item = first.parse::<usize>().ok().and_then(|i| items.get_mut(i));
            let Some(item) = item else {
                return Err(Diagnostic::error(format!(
                    "{} is a list and has no {}",
                    quoted(walked),
                    quoted(first)
                ))
                .at(assignment.place)
                .help(match count {
                    0 => "it is empty".to_string(),
                    _ => format!("its items are numbered from 0 to {}", count - 1),
                }));
            };
            if let Some(behind) = behind {
                set(item, &join(first), behind, assignment)
            } else {
                *item = Node { label: assignment.place, ..assignment.value.clone() };
                Ok(())
            }
        }
        Value::Null => {
            node.value = Value::Map(Vec::new());
            set(node, walked, rest, assignment)
        }
        _ => Err(Diagnostic::error(format!(
            "{} is {}, so it has no {}",
            quoted(walked),
            node.describe(),
            quoted(first)
        ))
        .at(assignment.place)
        .help(format!("set `{walked}` as a whole"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        parse(text, 0).unwrap().0
    }

    fn after(text: &str, argument: &str) -> Result<Node, Diagnostic> {
        let mut root = tree(text);
        apply(&mut root, &Override::parse(argument).unwrap().assignment)?;
        Ok(root)
    }

    #[test]
    fn a_path_leads_through_maps_lists_and_keys_with_dots() {
        let root = after(
            "services: {web: {endpoints: {x: [{cpu: 1ms}, {delay: 2ms}]}}}",
            "services.web.endpoints.x.1.delay=5ms",
        )
        .unwrap();
        let steps =
            root.get("services").unwrap().get("web").unwrap().get("endpoints").unwrap().get("x").unwrap();
        let Value::List(steps) = &steps.value else { panic!("{steps:?}") };
        assert_eq!(steps[1].get("delay").unwrap().text(), Some("5ms"));
        let found = |path: &str| find(&root, path).and_then(Node::text);
        assert_eq!(found("services.web.endpoints.x.1.delay"), Some("5ms"));
        assert_eq!(found("services.web.endpoints.x.7.delay"), None);
        assert_eq!(found("services.web.replicas"), None);
        let root =
            after("traffic: {t: {to: {web.buy: 10%, web.see: 90%}}}", "traffic.t.to.web.buy=20%").unwrap();
        let to = root.get("traffic").unwrap().get("t").unwrap().get("to").unwrap();
        assert_eq!(to.get("web.buy").unwrap().text(), Some("20%"));
    }

    #[test]
    fn the_last_part_may_be_new_but_a_name_may_not() {
        let root = after("policies: {sql: {retry: {attempts: 3}}}", "policies.sql.retry.budget=10%").unwrap();
        let retry = root.get("policies").unwrap().get("sql").unwrap().get("retry").unwrap();
        assert_eq!(retry.get("budget").unwrap().text(), Some("10%"));
        let error = after("services: {web: {replicas: 3}}", "services.wbe.replicas=3").unwrap_err();
        assert_eq!(error.message, "there is no service `wbe`");
        assert_eq!(error.help.as_deref(), Some("did you mean `web`?"));
        let error = after("services: {web: {cores: 3}}", "services.web.cores.x=3").unwrap_err();
        assert_eq!(error.message, "`services.web.cores` is `3`, so it has no `x`");
    }

    #[test]
    fn a_tilde_removes_a_setting() {
        let text = "policies: {sql: {retry: {attempts: 3, budget: 10%}}}";
        let root = after(text, "policies.sql.retry.budget=~").unwrap();
        let retry =
            |root: &Node| root.get("policies").unwrap().get("sql").unwrap().get("retry").cloned().unwrap();
        assert!(retry(&root).get("budget").is_none());
        assert_eq!(retry(&root).get("attempts").unwrap().text(), Some("3"));
        let changes = tree("policies.sql.retry: {budget: null}");
        let nested = assignments(&changes);
        assert_eq!(nested.len(), 1, "a dotted path is set as a whole");
        let mut root = tree(text);
        let changes = tree("policies: {sql: {retry: {budget: ~}}}");
        for one in assignments(&changes) {
            apply(&mut root, &one).unwrap();
        }
        assert!(retry(&root).get("budget").is_none() && retry(&root).get("attempts").is_some());
    }

    #[test]
    fn nested_changes_reach_into_groups_and_set_values_as_a_whole() {
        let changes = tree(
            "services: {web: {replicas: 3, cores: {cores: 2}}}\npolicies.sql.retry: {attempts: 1}\ntraffic: {t: {to: {a.b: 1}}}",
        );
        let paths: Vec<String> = assignments(&changes).into_iter().map(|a| a.path).collect();
        assert_eq!(
            paths,
            ["services.web.replicas", "services.web.cores.cores", "policies.sql.retry", "traffic.t.to"]
        );
    }
}

//! The scenario as written, field by field.
//!
//! One table per struct, written with [`spec!`] and [`choice!`], is what reading, the JSON schema, `explain` and
//! the reference manual are made from. Reading collects every mistake and goes on.

mod adapt;
mod autoscaler;
mod cache;
mod cores;
mod curve;
mod distribution;
mod event;
mod experiment;
mod job;
mod order;
mod policy;
mod preset;
mod quantity;
mod queue;
mod rare;
mod reference;
mod resource;
mod route;
mod scenario;
mod sensitivity;
mod service;
mod solve;
mod step;
mod traffic;
mod uncertainty;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value as Json, json};

pub(crate) use adapt::AdaptSpec;
pub(crate) use autoscaler::{
    ActivatorSpec, AlarmSpec, AutoscalerSpec, ControllerSpec, MetricGiven, NodesSpec, PipelineSpec,
    PredictiveSpec, ScheduleSpec, StepPolicySpec, StepScaleSpec, TargetTrackingSpec,
};
pub(crate) use cache::{
    CacheSpec, CoalesceWord, EvictWord, ExpireEvent, ExpireWord, FlushEvent, GetStep, OnFullCacheWord,
    PlaceSpec, PutStep, StoreWord,
};
pub(crate) use cores::{
    ContentionSpec, CoresMapSpec, CoresSpec, PriorityWord, SchedulingSpec, SchedulingWord, ThrottleSpec,
};
pub(crate) use curve::RateSpec;
pub(crate) use distribution::{DistributionSpec, Family, HyperexpSpec, is_distribution};
pub(crate) use event::{CrashEvent, DeployEvent, EventSpec, FailEvent, RestartSpec, TimingSpec};
pub(crate) use experiment::{EndsSpec, ExpectSpec, RangeSpec, Spacing, SweepSpec};
pub(crate) use job::{JobSpec, OnceInWord};
pub(crate) use order::{CodelSpec, OrderSpec};
pub(crate) use policy::{
    AfterSpec, BackoffSpec, BreakerSpec, BudgetFields, CreditWord, HedgeSpec, JitterWord, LimitFields,
    Policy, PolicyRef, PolicySpec, RetrySpec, SpendWord, WindowSpec,
};
pub(crate) use quantity::{
    Amount, Bandwidth, Clock, Count, Flag, Name, Number, Positive, Quantity, Quota, Rate, Seed, Share, Size,
    Text, Time, any_quantity, as_percent, seconds, wrong_quantity,
};
pub(crate) use queue::{
    AckWord, AcksWord, ConsumerSpec, ConsumersSpec, EachWord, OnFullQueueWord, PerWord, QueueSpec,
    RebalanceSpec, SendStep,
};
pub(crate) use rare::RareSpec;
pub(crate) use reference::reference;
pub(crate) use resource::{
    BatchSpec, OnFullWord, RateResourceSpec, ResourceSpec, SlotsSpec, StyleWord, VolumeSpec,
};
pub(crate) use route::{
    ByWord, ConnectSpec, ConnectionsWord, HealthSpec, PickSpec, RingSpec, RouteSpec, StickySpec,
};
pub(crate) use scenario::{BigCount, LimitsSpec, MODEL, PriceSpec, Priced, ScenarioSpec, WarmupSpec};
pub(crate) use sensitivity::SensitivitySpec;
pub(crate) use service::ServiceSpec;
pub(crate) use solve::{SolveSpec, UnitPriceSpec};
pub(crate) use step::{
    AllStep, ArmSpec, BranchSpec, CallStep, ChooseStep, FailStep, GiveStep, GuardWord, HoldStep, PauseStep,
    StepSpec, TakeStep, UnitsSpec, WaitForSpec,
};
pub(crate) use traffic::{
    ArrivalsSpec, AttributesSpec, SLACK, SpreadSpec, TargetsSpec, TraceSpec, TrafficSpec, percent,
};
pub(crate) use uncertainty::UncertaintySpec;

use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::{Entry, Node, Note, Place, Value, quoted};
use crate::words::{closest, listed};

/// Mistakes after which a file is only read on, not reported on.
pub(crate) const MOST_MISTAKES: usize = 1_000;

/// Where mistakes are collected.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) list: Vec<Diagnostic>,
}

impl Sink {
    /// Adds a mistake, unless there are more than anybody reads.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.list.push(diagnostic);
        }
    }

    /// Whether further mistakes are left out.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= MOST_MISTAKES
    }

    /// Whether there is an error among what was collected.
    pub(crate) fn failed(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Adds that something else was expected than what `node` is.
    pub(crate) fn expected(&mut self, what: &str, node: &Node, help: impl Into<String>) {
        let place = if matches!(node.value, Value::Null) { node.label } else { node.place };
        let help = help.into();
        let diagnostic = Diagnostic::error(format!("expected {what}, found {}", node.describe())).at(place);
        self.report(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }
}

/// A value of the language.
pub(crate) trait Spec: Sized {
    /// Whether a field of this type may be left out.
    const OPTIONAL: bool = false;

    /// The value that `node` stands for; mistakes go to the sink.
    fn read(node: &Node, sink: &mut Sink) -> Option<Self>;

    /// The value of a field that `owner` does not have.
    fn absent(owner: &Node, field: &Field, sink: &mut Sink) -> Option<Self> {
        if let Fallback::Value(text, _) = field.fallback {
            return Self::read(&default_node(text, owner.label), sink);
        }
        // A misspelt key has been told already.
        let misspelt = |entry: &Entry| closest(&entry.key, [field.key]).is_some() && entry.key.len() > 2;
        if owner.entries().iter().any(misspelt) {
            return None;
        }
        sink.report(
            Diagnostic::error(format!("`{}` is missing", field.key)).at(owner.label).help(field.summary()),
        );
        None
    }

    /// The value of a field that could not be read, so that the rest of the file is still checked.
    fn broken(owner: &Node, field: &Field) -> Option<Self> {
        match field.fallback {
            Fallback::Value(..) => Self::absent(owner, field, &mut Sink::default()),
            _ => None,
        }
    }

    /// Its JSON schema.
    fn schema(definitions: &mut Definitions) -> Json;

    /// Fills defaults in, each with a remark on where it comes from.
    fn complete(_node: &mut Node) {}
}

/// A field of a struct of the language.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    /// Its key in the file.
    pub(crate) key: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
    /// What happens when it is left out.
    pub(crate) fallback: Fallback,
    /// Whether it may be left out without a default.
    pub(crate) optional: bool,
    /// The schema of its values.
    pub(crate) schema: fn(&mut Definitions) -> Json,
    /// Completes its value.
    pub(crate) complete: fn(&mut Node),
}

impl Field {
    /// The first sentence of its description.
    fn summary(&self) -> String {
        let doc = self.doc.trim();
        let end = doc.find(". ").or(doc.find(".\n")).unwrap_or(doc.trim_end_matches('.').len());
        format!("`{}`: {}", self.key, lower(&doc[..end]).replace('\n', " ").replace("  ", " "))
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.trim().chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.trim().into(),
    }
}

/// What happens when a field is left out.
#[derive(Clone, Copy)]
pub(crate) enum Fallback {
    /// Nothing in particular: it is required, or simply not there.
    None,
    /// This value holds, from this source.
    Value(&'static str, &'static str),
    /// There is none, which means this, as in this source.
    Absent(&'static str, &'static str),
}

/// The value that a default stands for.
fn default_node(text: &str, place: Place) -> Node {
    let mut node = if text.starts_with(['{', '[']) {
        crate::tree::parse(text, 0).expect("defaults are YAML").0
    } else {
        Node::plain(text, place)
    };
    node.place = place;
    node.label = place;
    node
}

/// Named parts of the JSON schema.
pub(crate) type Definitions = BTreeMap<String, Json>;

/// A reference to the definition `name`, which `make` adds if it is not there yet.
pub(crate) fn defined(
    definitions: &mut Definitions,
    name: &str,
    make: impl FnOnce(&mut Definitions) -> Json,
) -> Json {
    if !definitions.contains_key(name) {
        definitions.insert(name.into(), Json::Null); // Ends the recursion of steps within steps.
        let schema = make(definitions);
        definitions.insert(name.into(), schema);
    }
    json!({"$ref": format!("#/definitions/{name}")})
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it stands.
    pub(crate) place: Place,
}

impl<T: Spec> Spec for At<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        T::read(node, sink).map(|value| Self { value, place: node.place })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn complete(node: &mut Node) {
        T::complete(node);
    }
}

impl<T: Spec> Spec for Option<T> {
    const OPTIONAL: bool = true;

    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        Some(T::read(node, sink))
    }

    fn absent(_: &Node, _: &Field, _: &mut Sink) -> Option<Self> {
        Some(None)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn complete(node: &mut Node) {
        T::complete(node);
    }
}

impl<T: Spec> Spec for Box<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        T::read(node, sink).map(Box::new)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn complete(node: &mut Node) {
        T::complete(node);
    }
}

/// A value that must be there; when it is not, that is told and the rest is checked without it.
#[derive(Clone, Debug)]
pub(crate) struct Required<T>(pub(crate) Option<T>);

impl<T: Spec> Spec for Required<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        Some(Self(T::read(node, sink)))
    }

    fn absent(owner: &Node, field: &Field, sink: &mut Sink) -> Option<Self> {
        Some(Self(T::absent(owner, field, sink)))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn complete(node: &mut Node) {
        T::complete(node);
    }
}

/// A value that is looked at later.
#[derive(Clone, Debug)]
pub(crate) struct Raw(pub(crate) Node);

impl Spec for Raw {
    fn read(node: &Node, _: &mut Sink) -> Option<Self> {
        Some(Self(node.clone()))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({})
    }
}

/// Paths and the values they get.
#[derive(Clone, Debug)]
pub(crate) struct Changes(pub(crate) Node);

impl Spec for Changes {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if let Value::Map(_) = &node.value {
            Some(Self(node.clone()))
        } else {
            let help = "write a map such as `{services.db.speed: 0.1}`";
            sink.expected("paths and values", node, help);
            None
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(
            definitions,
            "Changes",
            |_| json!({"type": "object", "description": "Paths and the values they get: `{services.db.speed: 0.1}`."}),
        )
    }
}

/// Things with names, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Named<T> {
    pub(crate) entries: Vec<NamedEntry<T>>,
}

/// A thing and its name.
#[derive(Clone, Debug)]
pub(crate) struct NamedEntry<T> {
    pub(crate) name: String,
    pub(crate) place: Place,
    /// None when it could not be read, which has been told.
    pub(crate) value: Option<T>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> Named<T> {
    /// The entries sorted by name: nothing may depend on the order of the file.
    pub(crate) fn sorted(&self) -> Vec<&NamedEntry<T>> {
        let mut sorted: Vec<_> = self.entries.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        sorted
    }
}

impl<T: Spec> Spec for Named<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            sink.expected("a map of names", node, "write `name: {...}`");
            return None;
        };
        let mut named = Self::default();
        for entry in entries {
            if let Some(why) = quantity::wrong_name(&entry.key) {
                sink.report(Diagnostic::error(why).at(entry.place).help(quantity::NAME_HELP));
            }
            named.entries.push(NamedEntry::of(entry, sink));
        }
        Some(named)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let inner = T::schema(definitions);
        json!({"type": "object", "propertyNames": {"pattern": quantity::NAME_PATTERN}, "additionalProperties": inner})
    }

    fn complete(node: &mut Node) {
        if let Value::Map(entries) = &mut node.value {
            for entry in entries {
                T::complete(&mut entry.node);
            }
        }
    }
}

/// Things by path, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct ByPath<T> {
    pub(crate) entries: Vec<NamedEntry<T>>,
}

impl<T: Spec> NamedEntry<T> {
    /// The thing at an entry of a map, whatever its key.
    pub(crate) fn of(entry: &Entry, sink: &mut Sink) -> Self {
        Self { name: entry.key.to_string(), place: entry.place, value: T::read(&entry.node, sink) }
    }
}

impl<T: Spec> Spec for ByPath<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            sink.expected("a map of paths", node, "write `{services.web.replicas: ...}`");
            return None;
        };
        Some(Self { entries: entries.iter().map(|entry| NamedEntry::of(entry, sink)).collect() })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "object", "additionalProperties": T::schema(definitions)})
    }

    fn complete(node: &mut Node) {
        if let Value::Map(entries) = &mut node.value {
            for entry in entries {
                T::complete(&mut entry.node);
            }
        }
    }
}

/// A list; `whole` tells whether all of it could be read.
#[derive(Clone, Debug)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    pub(crate) whole: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), whole: true }
    }
}

impl<T: Spec> Spec for List<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::List(nodes) = &node.value else {
            sink.expected("a list", node, "write `[...]`, or one line with `- ` for each item");
            return None;
        };
        let items: Vec<T> = nodes.iter().filter_map(|node| T::read(node, sink)).collect();
        Some(Self { whole: items.len() == nodes.len(), items })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "array", "items": T::schema(definitions)})
    }

    fn complete(node: &mut Node) {
        if let Value::List(items) = &mut node.value {
            items.iter_mut().for_each(T::complete);
        }
    }
}

/// A value or a list of two.
impl<A: Spec, B: Spec> Spec for (A, B) {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::List(items) = &node.value else {
            sink.expected("a list of two", node, "write `[a, b]`");
            return None;
        };
        let [a, b] = items.as_slice() else {
            let diagnostic = Diagnostic::error(format!("expected a list of two, found {}", items.len()));
            sink.report(diagnostic.at(node.place).help("write `[a, b]`"));
            return None;
        };
        let (a, b) = (A::read(a, sink), B::read(b, sink));
        Some((a?, b?))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let items = [A::schema(definitions), B::schema(definitions)];
        json!({"type": "array", "items": items, "minItems": 2, "maxItems": 2})
    }
}

/// Checks the keys of a map against the fields of a struct.
///
/// `later` are keys that the language has and this version does not.
pub(crate) fn check_keys(
    node: &Node,
    what: &str,
    fields: &[Field],
    later: &[&str],
    sink: &mut Sink,
) -> Option<Vec<Option<usize>>> {
    let Value::Map(entries) = &node.value else {
        sink.expected(what, node, format!("its keys are {}", listed(fields.iter().map(|field| field.key))));
        return None;
    };
    let mut found = vec![None; fields.len()];
    for (i, entry) in entries.iter().enumerate() {
        if let Some(position) = fields.iter().position(|field| field.key == &*entry.key) {
            found[position].get_or_insert(i);
        } else if !sink.is_full() {
            sink.report(unknown_key(entry, what, fields.iter().map(|field| field.key), later));
        }
    }
    Some(found)
}

/// That a key is not supported yet, or not known at all.
fn unknown_key<'a>(
    entry: &Entry,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    later: &[&str],
) -> Diagnostic {
    if later.contains(&&*entry.key) {
        return not_yet(&entry.key, entry.place);
    }
    let help = match closest(&entry.key, known.clone()) {
        Some(guess) => format!("did you mean `{guess}`?"),
        None => format!("the keys of {what} are {}", listed(known)),
    };
    Diagnostic::error(format!("unknown key {} in {what}", quoted(&entry.key))).at(entry.place).help(help)
}

/// That something is part of the language but not of this version.
pub(crate) fn not_yet(what: &str, place: Place) -> Diagnostic {
    Diagnostic::error(format!("not supported yet: `{what}`"))
        .at(place)
        .help("it is part of the language, but this version does not simulate it")
}

/// Reads the field that is entry number `found` of the owner.
pub(crate) fn read_field<T: Spec>(
    owner: &Node,
    field: &Field,
    found: Option<usize>,
    later_in_use: bool,
    sink: &mut Sink,
) -> Option<T> {
    match found {
        Some(i) => T::read(&owner.entries()[i].node, sink).or_else(|| T::broken(owner, field)),
        // A kind of thing that is not supported yet lacks the keys of those that are.
        None if later_in_use => T::absent(owner, field, &mut Sink::default()),
        None => T::absent(owner, field, sink),
    }
}

/// Fills in the defaults of a struct.
pub(crate) fn complete_fields(node: &mut Node, fields: &[Field]) {
    let place = node.label;
    let Value::Map(entries) = &mut node.value else {
        return;
    };
    for field in fields {
        if let Some(entry) = entries.iter_mut().find(|entry| &*entry.key == field.key) {
            (field.complete)(&mut entry.node);
            continue;
        }
        let (value, remark) = match field.fallback {
            Fallback::None => continue,
            Fallback::Value(text, source) => {
                let mut given = default_node(text, place);
                (field.complete)(&mut given);
                (given, Note { text: format!("default: {source}"), absent: false })
            }
            Fallback::Absent(text, source) => {
                let text =
                    if source.is_empty() { text.to_string() } else { format!("{text} (default: {source})") };
                (Node::new(Value::Null, place), Note { text, absent: true })
            }
        };
        entries.push(Entry { key: field.key.into(), place, node: value, note: Some(Box::new(remark)) });
    }
}

/// The schema of a struct.
pub(crate) fn object_schema(doc: &str, fields: &[Field], definitions: &mut Definitions) -> Json {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for field in fields {
        let schema = (field.schema)(definitions);
        let mut text = tidy(field.doc);
        let mut property = match schema {
            // Draft 7 ignores what stands beside a reference.
            Json::Object(map) if map.contains_key("$ref") => json!({"allOf": [Json::Object(map)]}),
            other => other,
        };
        match field.fallback {
            Fallback::Value(value, source) => {
                let _ = write!(text, " Default: `{value}` ({source}).");
                property["default"] = Json::from(value);
            }
            Fallback::Absent(value, "") => {
                let _ = write!(text, " Default: {value}.");
            }
            Fallback::Absent(value, source) => {
                let _ = write!(text, " Default: {value} ({source}).");
            }
            Fallback::None if !field.optional => required.push(field.key),
            Fallback::None => {}
        }
        property["description"] = Json::from(text);
        properties.insert(field.key.into(), property);
    }
    json!({
        "type": "object",
        "description": tidy(doc),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Doc comment lines as one paragraph each.
pub(crate) fn tidy(doc: &str) -> String {
    let lines: Vec<&str> = doc.lines().map(str::trim).collect();
    lines.split(|line| line.is_empty()).map(|paragraph| paragraph.join(" ")).collect::<Vec<_>>().join("\n\n")
}

/// The key of a field: its own word for it, or the identifier.
macro_rules! key_of {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

/// What happens when the field is left out.
macro_rules! fallback_of {
    () => {
        $crate::spec::Fallback::None
    };
    (= $value:literal $source:literal) => {
        $crate::spec::Fallback::Value($value, $source)
    };
    (=> $value:literal $source:literal) => {
        $crate::spec::Fallback::Absent($value, $source)
    };
}

/// All fields of a struct: those of another one that it includes, and its own.
pub(crate) const fn joined<const N: usize>(included: &[Field], own: &[Field]) -> [Field; N] {
    let mut all = [own[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < included.len() { included[at] } else { own[at - included.len()] };
        at += 1;
    }
    all
}

/// The table of a struct's fields, with those that it includes.
macro_rules! all_fields {
    ($own:expr) => {
        $own
    };
    ($own:expr, $included:ty) => {
        &$crate::spec::joined::<{ <$included>::FIELDS.len() + $own.len() }>(<$included>::FIELDS, $own)
    };
}

/// A struct of the language: `key: Type`, `key: Type = "default" ("its source")`, or
/// `key: Option<Type> => "what it means to have none" ("source")`.
///
/// `..name: Other` in front includes the keys of another struct, which is then the field `name`.
macro_rules! spec {
    (
        $(#[doc = $doc:literal])+
        $name:ident $(<$q:ident>)? : $what:literal {
            $(..$included:ident : $include:ty,)?
            $(
                $(#[doc = $fdoc:literal])+
                $field:ident $([$key:literal])? : $ty:ty
                    $(= $value:literal ($source:literal))?
                    $(=> $none:literal ($nsource:literal))?
            ),* $(,)?
        }
        $(later [$($later:literal),* $(,)?])?
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name $(<$q>)? {
            $(pub(crate) $included: $include,)?
            $($(#[doc = $fdoc])+ pub(crate) $field: $ty,)*
        }

        impl $(<$q: $crate::spec::Quantity>)? $name $(<$q>)? {
            /// The table of its fields.
            pub(crate) const FIELDS: &'static [$crate::spec::Field] =
                $crate::spec::all_fields!(Self::OWN $(, $include)?);
            const OWN: &'static [$crate::spec::Field] = &[
                $($crate::spec::Field {
                    key: $crate::spec::key_of!($field $($key)?),
                    doc: concat!($($fdoc, "\n"),+),
                    fallback: $crate::spec::fallback_of!($(= $value $source)? $(=> $none $nsource)?),
                    optional: <$ty as $crate::spec::Spec>::OPTIONAL,
                    schema: <$ty as $crate::spec::Spec>::schema,
                    complete: <$ty as $crate::spec::Spec>::complete,
                },)*
            ];
            const LATER: &'static [&'static str] = &[$($($later),*)?];

            /// Its fields, from the rows of the owner that are about them.
            pub(crate) fn read_rows(
                node: &$crate::tree::Node,
                rows: &mut impl Iterator<Item = (&'static $crate::spec::Field, Option<usize>)>,
                later: bool,
                sink: &mut $crate::spec::Sink,
            ) -> Option<Self> {
                $(let $included = <$include>::read_rows(node, rows, later, sink);)?
                $(
                    let $field = rows.next().and_then(|(row, found)| {
                        $crate::spec::read_field::<$ty>(node, row, found, later, sink)
                    });
                )*
                Some(Self { $($included: $included?,)? $($field: $field?,)* })
            }
        }

        impl $(<$q: $crate::spec::Quantity>)? $crate::spec::Spec for $name $(<$q>)? {
            fn read(node: &$crate::tree::Node, sink: &mut $crate::spec::Sink) -> Option<Self> {
                let found = $crate::spec::check_keys(node, $what, Self::FIELDS, Self::LATER, sink)?;
                let later = node.entries().iter().any(|entry| Self::LATER.contains(&&*entry.key));
                Self::read_rows(node, &mut Self::FIELDS.iter().zip(found), later, sink)
            }

            fn schema(definitions: &mut $crate::spec::Definitions) -> serde_json::Value {
                let name = concat!(stringify!($name), $("<", stringify!($q))?).split('<').next().unwrap_or_default();
                let name = format!("{name}{}", [$($q::NAME,)? ""].concat());
                $crate::spec::defined(definitions, &name, |definitions| {
                    $crate::spec::object_schema(concat!($($doc, "\n"),+), Self::FIELDS, definitions)
                })
            }

            fn complete(node: &mut $crate::tree::Node) {
                $crate::spec::complete_fields(node, Self::FIELDS);
            }
        }
    };
}

/// A set of words of the language.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $name:ident : $what:literal {
            $($(#[doc = $wdoc:literal])+ $variant:ident = $word:literal),+ $(,)?
        }
        $(later [$($later:literal),* $(,)?])?
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $($(#[doc = $wdoc])+ $variant,)+
        }

        impl $crate::spec::Spec for $name {
            fn read(node: &$crate::tree::Node, sink: &mut $crate::spec::Sink) -> Option<Self> {
                const WORDS: &[&str] = &[$($word),+];
                const LATER: &[&str] = &[$($($later),*)?];
                match node.text() {
                    $(Some($word) => return Some(Self::$variant),)+
                    _ => {}
                }
                $crate::spec::wrong_word(node, $what, WORDS, LATER, sink);
                None
            }

            fn schema(definitions: &mut $crate::spec::Definitions) -> serde_json::Value {
                $crate::spec::defined(definitions, stringify!($name), |_| {
                    let docs = [$(concat!("`", $word, "`:", $($wdoc),+)),+].join("\n");
                    let about = $crate::spec::tidy(concat!($($doc, "\n"),+));
                    serde_json::json!({"enum": [$($word),+], "description": format!("{about}\n\n{docs}")})
                })
            }
        }
    };
}

/// Reports that `node` is none of the words.
pub(crate) fn wrong_word(node: &Node, what: &str, words: &[&str], later: &[&str], sink: &mut Sink) {
    let map_key = match node.entries() {
        [entry] => Some(&*entry.key),
        _ => None,
    };
    if let Some(word) = node.text().or(map_key).filter(|word| later.contains(word)) {
        sink.report(not_yet(word, node.place));
        return;
    }
    let help = match node.text().and_then(|word| closest(word, words.iter().copied())) {
        Some(guess) => format!("did you mean `{guess}`?"),
        None => format!("the words are {}", listed(words.iter().copied())),
    };
    sink.expected(what, node, help);
}

/// The one key of a choice such as `{lognormal: {...}}`.
pub(crate) fn one_key<'a>(
    node: &'a Node,
    what: &str,
    known: &[&str],
    later: &[&str],
    sink: &mut Sink,
) -> Option<&'a Entry> {
    match node.entries() {
        [entry] if known.contains(&&*entry.key) => Some(entry),
        [entry] if later.contains(&&*entry.key) => {
            sink.report(not_yet(&entry.key, entry.place));
            None
        }
        [entry] => {
            let help = match closest(&entry.key, known.iter().copied()) {
                Some(guess) => format!("did you mean `{guess}`?"),
                None => format!("one of {}", listed(known.iter().copied())),
            };
            let message = format!("expected {what}, found the unknown {}", quoted(&entry.key));
            sink.report(Diagnostic::error(message).at(entry.place).help(help));
            None
        }
        [] => {
            sink.expected(what, node, format!("one of {}", listed(known.iter().copied())));
            None
        }
        [_, second, ..] => {
            let keys = listed(node.entries().iter().map(|entry| &*entry.key));
            let place = second.place;
            let message = format!("expected {what} with one key, found {keys}");
            sink.report(Diagnostic::error(message).at(place).help(format!("keep one of {keys}")));
            None
        }
    }
}

pub(crate) use {all_fields, fallback_of, key_of, spec, words};

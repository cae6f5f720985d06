//! A service graph as read and checked.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::spec::{Positive, Sink, Spec, Time};
use crate::tree::{Entry, Node, Place, Value, quoted};
use crate::words::{closest, did_you_mean, listed};

/// Keys that scenarios have no use for, and why.
const UNUSED: [(&str, &str); 12] = [
    ("type", "HTTP and gRPC calls take the same time here"),
    ("requestSize", "sizes of messages take no time here; give a route a `latency` instead"),
    ("responseSize", "sizes of messages take no time here; give a route a `latency` instead"),
    ("payloadSize", "sizes of messages take no time here; give a route a `latency` instead"),
    ("size", "sizes of messages take no time here; give a route a `latency` instead"),
    ("namespace", "where a service is deployed changes nothing here; give a route a `latency` instead"),
    ("cluster", "where a service is deployed changes nothing here; give a route a `latency` instead"),
    ("hostname", "calls go to the service whatever its host is called"),
    ("extra-header", "headers change nothing here"),
    ("numRbacPolicies", "the cost of access rules is not in the graph; add it to the CPU time"),
    ("computeUsage", "the CPU time per request is not in the graph"),
    ("memoryUsage", "memory does not limit the mock service"),
];

/// Keys of a service that are read.
const SERVICE_KEYS: [&str; 5] = ["name", "isEntrypoint", "numReplicas", "errorRate", "script"];
/// Keys of the defaults that are read.
const DEFAULT_KEYS: [&str; 3] = ["numReplicas", "errorRate", "script"];

/// A service graph.
#[derive(Debug)]
pub(super) struct Graph {
    /// Its services, callers before those that they call.
    pub(super) services: Vec<Service>,
    /// Unused keys that occur: key, why it is unused, how often it occurs.
    pub(super) unused: Vec<(&'static str, &'static str, usize)>,
}

/// A mock service.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name in the graph.
    pub(super) name: String,
    place: Place,
    /// Whether it is marked as open to the world.
    pub(super) entry: bool,
    /// Replicas.
    pub(super) replicas: u32,
    /// Share of its requests that fail.
    pub(super) error_rate: f64,
    /// What it does for a request.
    pub(super) script: Vec<Command>,
}

/// A command of a script.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// Time passes: as written, and in seconds.
    Sleep(String, f64),
    /// A call of the service with this index, made with this probability.
    Call(usize, f64),
    /// Commands at once.
    All(Vec<Command>),
}

impl Command {
    /// The calls in it.
    pub(super) fn calls(&self) -> Vec<(usize, f64)> {
        match self {
            Self::Sleep(..) => Vec::new(),
            Self::Call(service, probability) => vec![(*service, *probability)],
            Self::All(commands) => commands.iter().flat_map(Self::calls).collect(),
        }
    }
}

impl Graph {
    /// The graph that `root` describes; mistakes go to the sink.
    pub(super) fn read(root: &Node, sink: &mut Sink) -> Option<Self> {
        let Value::Map(entries) = &root.value else {
            sink.expected("a service graph", root, "it begins with `services:`");
            return None;
        };
        let mut reader = Reader { sink, names: BTreeMap::new(), unused: BTreeMap::new() };
        let known = ["apiVersion", "kind", "default", "defaults", "services"];
        entries
            .iter()
            .filter(|entry| !known.contains(&&*entry.key))
            .for_each(|entry| reader.unknown(entry, &known));
        let defaults = root.get("defaults").or(root.get("default"));
        let Some(list) = root.get("services") else {
            let help = "an Isotope graph lists them: `services: [{name: a, isEntrypoint: true}]`";
            reader.sink.report(Diagnostic::error("`services` is missing").at(root.label).help(help));
            return None;
        };
        let Value::List(nodes) = &list.value else {
            reader.sink.expected("a list of services", list, "write `- name: a` for each");
            return None;
        };
        if nodes.is_empty() {
            reader.sink.report(Diagnostic::error("the graph has no services").at(list.place));
            return None;
        }
        reader.collect_names(nodes);
        if let Some(defaults) = defaults {
            reader.count_unused(defaults, &DEFAULT_KEYS);
        }
        let services: Vec<Option<Service>> =
            nodes.iter().map(|node| reader.service(node, defaults)).collect();
        let unused = std::mem::take(&mut reader.unused);
        let unused = UNUSED.iter().filter_map(|(key, why)| Some((*key, *why, *unused.get(key)?))).collect();
        let services = services.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self { services: in_call_order(services, sink)?, unused })
    }
}

/// Reads a graph.
struct Reader<'a> {
    sink: &'a mut Sink,
    /// Index and place of each name.
    names: BTreeMap<String, (usize, Place)>,
    /// How often each unused key occurs.
    unused: BTreeMap<&'static str, usize>,
}

impl Reader<'_> {
    /// Scripts call services that may come later in the file.
    fn collect_names(&mut self, nodes: &[Node]) {
        for (index, node) in nodes.iter().enumerate() {
            let Some((name, place)) = node.get("name").and_then(|name| Some((name.text()?, name.place)))
            else {
                let place = node.place;
                let help = "write `- name: a`";
                self.sink.report(Diagnostic::error("a service needs a name").at(place).help(help));
                continue;
            };
            if let Some((_, first)) = self.names.get(name) {
                let message = format!("two services are called {}", quoted(name));
                self.sink.report(Diagnostic::error(message).at(place).related(*first, "first here"));
            } else {
                self.names.insert(name.to_owned(), (index, place));
            }
        }
    }

    fn unknown(&mut self, entry: &Entry, known: &[&str]) {
        let known = || known.iter().copied().chain(UNUSED.iter().map(|(key, _)| *key));
        let help = match closest(&entry.key, known()) {
            Some(guess) => format!("did you mean `{guess}`?"),
            None => format!("the keys are {}", listed(known())),
        };
        self.sink.report(Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(format!("unknown key {}, which is ignored", quoted(&entry.key)))
                .at(entry.place)
                .help(help)
        });
    }

    /// Counts the keys of `node` that are not used, and doubts those that are not known.
    fn count_unused(&mut self, node: &Node, known: &[&str]) {
        for entry in node.entries().iter().filter(|entry| !known.contains(&&*entry.key)) {
            match UNUSED.iter().find(|(key, _)| *key == &*entry.key) {
                Some((key, _)) => *self.unused.entry(key).or_default() += 1,
                None => self.unknown(entry, known),
            }
        }
    }

    fn service(&mut self, node: &Node, defaults: Option<&Node>) -> Option<Service> {
        if !matches!(node.value, Value::Map(_)) {
            self.sink.expected("a service", node, "write `- name: a`");
            return None;
        }
        self.count_unused(node, &SERVICE_KEYS);
        let setting = |key: &str| node.get(key).or_else(|| defaults.and_then(|defaults| defaults.get(key)));
        let entry = match node.get("isEntrypoint").map(|node| (node, &node.value)) {
            None => false,
            Some((_, Value::Bool(entry))) => *entry,
            Some((node, _)) => {
                self.sink.expected("`true` or `false`", node, "");
                false
            }
        };
        let replicas = match setting("numReplicas") {
            Some(node) => Positive::read(node, self.sink).map_or(1, |replicas| replicas.count),
            None => 1,
        };
        let error_rate = setting("errorRate").and_then(|node| self.share(node)).unwrap_or(0.0);
        let script = setting("script").map(|node| self.script(node)).unwrap_or_default();
        let name = node.get("name")?;
        Some(Service {
            name: name.text()?.to_owned(),
            place: name.place,
            entry,
            replicas,
            error_rate,
            script,
        })
    }

    /// A share: `5%` or `0.05`.
    fn share(&mut self, node: &Node) -> Option<f64> {
        let text = node.text().unwrap_or_default().trim();
        let (number, divisor) = match text.strip_suffix('%') {
            Some(number) => (number, 100.0),
            None => (text, 1.0),
        };
        let share = number.trim().parse::<f64>().ok().map(|number| number / divisor);
        if !share.is_some_and(|share| (0.0..=1.0).contains(&share)) {
            self.sink.expected("a share", node, "write `5%` or `0.05`, from `0%` to `100%`");
            return None;
        }
        share
    }

    fn script(&mut self, node: &Node) -> Vec<Command> {
        let Value::List(commands) = &node.value else {
            self.sink.expected("a script", node, "write `- call: b` or `- sleep: 10ms` for each step");
            return Vec::new();
        };
        commands.iter().filter_map(|node| self.step(node)).collect()
    }

    /// A command, or a list of commands at once.
    fn step(&mut self, node: &Node) -> Option<Command> {
        let Value::List(commands) = &node.value else { return self.command(node) };
        let mut branches = Vec::new();
        for command in commands {
            if matches!(command.value, Value::List(_)) {
                let mistake =
                    Diagnostic::error("commands at once cannot hold further lists: there is only one level");
                self.sink.report(mistake.at(command.place).help("give the inner list a service of its own"));
            } else {
                branches.extend(self.command(command));
            }
        }
        match branches.len() {
            0 => None,
            1 => branches.pop(),
            _ => Some(Command::All(branches)),
        }
    }

    fn command(&mut self, node: &Node) -> Option<Command> {
        let help = "a command is `call: b` or `sleep: 10ms`";
        let [entry] = node.entries() else {
            self.sink.expected("one command", node, help);
            return None;
        };
        match &*entry.key {
            "sleep" => {
                let seconds = Time::read(&entry.node, self.sink)?.seconds;
                Some(Command::Sleep(entry.node.text()?.trim().to_owned(), seconds))
            }
            "call" => self.call(&entry.node),
            other => {
                let message = format!("unknown command {}", quoted(other));
                self.sink.report(Diagnostic::error(message).at(entry.place).help(help));
                None
            }
        }
    }

    /// `b`, or `{service: b, payloadSize: 1 KB}`.
    fn call(&mut self, node: &Node) -> Option<Command> {
        let mut probability = 1.0;
        let target = match &node.value {
            Value::Map(_) => {
                self.count_unused(node, &["service", "probability"]);
                if let Some(percent) = node.get("probability") {
                    probability = self.probability(percent)?;
                }
                let Some(service) = node.get("service") else {
                    let mistake = Diagnostic::error("a call needs a `service`").at(node.label);
                    self.sink.report(mistake.help("write `call: b` or `call: {service: b}`"));
                    return None;
                };
                service
            }
            _ => node,
        };
        let Some(name) = target.text() else {
            self.sink.expected("the name of a service", target, "write `call: b` or `call: {service: b}`");
            return None;
        };
        let Some((index, _)) = self.names.get(name) else {
            let mistake = Diagnostic::error(format!("there is no service {}", quoted(name))).at(target.place);
            let known = self.names.keys().map(String::as_str);
            self.sink.report(mistake.help_if(did_you_mean(name, known)));
            return None;
        };
        Some(Command::Call(*index, probability))
    }

    /// In whole percent.
    fn probability(&mut self, node: &Node) -> Option<f64> {
        let percent = node.text().and_then(|text| text.trim().trim_end_matches('%').parse::<f64>().ok());
        if !percent.is_some_and(|percent| (0.0..=100.0).contains(&percent)) {
            self.sink.expected("a probability in percent", node, "write a number from `0` to `100`");
            return None;
        }
        percent.map(|percent| percent / 100.0)
    }
}

/// The services, callers first. Calls in a circle are a mistake.
fn in_call_order(services: Vec<Service>, sink: &mut Sink) -> Option<Vec<Service>> {
    let calls: Vec<Vec<usize>> = services
        .iter()
        .map(|service| service.script.iter().flat_map(Command::calls).map(|(callee, _)| callee).collect())
        .collect();
    let mut callers = vec![0_usize; services.len()];
    calls.iter().flatten().for_each(|callee| callers[*callee] += 1);
    // Those that nobody calls (any more), the first of the file on top.
    let mut free: Vec<usize> = (0..services.len()).rev().filter(|service| callers[*service] == 0).collect();
    let mut order = Vec::new();
    while let Some(service) = free.pop() {
        order.push(service);
        for callee in calls[service].iter().rev() {
            callers[*callee] -= 1;
            if callers[*callee] == 0 {
                free.push(*callee);
            }
        }
    }
    if order.len() < services.len() {
        sink.report(circle(&services, &calls, &callers));
        return None;
    }
    Some(renumbered(services, &order))
}

/// Says which calls go round. Whoever is still waiting for a caller is in a circle or called from one, so going
/// from callee to caller ends up in a circle.
fn circle(services: &[Service], calls: &[Vec<usize>], callers: &[usize]) -> Diagnostic {
    let caller_of = |callee: usize| {
        (0..services.len()).find(|caller| callers[*caller] > 0 && calls[*caller].contains(&callee))
    };
    let mut path: Vec<usize> = callers.iter().position(|waiting| *waiting > 0).into_iter().collect();
    while let Some(caller) = path.last().and_then(|callee| caller_of(*callee)) {
        if let Some(start) = path.iter().position(|service| *service == caller) {
            path.drain(..start);
            break;
        }
        path.push(caller);
    }
    path.reverse();
    // It begins where the file does.
    if let Some(first) = path.iter().enumerate().min_by_key(|(_, service)| **service).map(|(at, _)| at) {
        path.rotate_left(first);
    }
    path.extend(path.first().copied());
    let names: Vec<String> = path.iter().map(|service| quoted(&services[*service].name)).collect();
    let place = path.first().map(|service| services[*service].place).unwrap_or_default();
    Diagnostic::error(format!("the calls go round in a circle: {}", names.join(" -> ")))
        .at(place)
        .help("a request would never end: remove one of these calls")
}

fn renumbered(services: Vec<Service>, order: &[usize]) -> Vec<Service> {
    let mut new = vec![0; services.len()];
    order.iter().enumerate().for_each(|(at, service)| new[*service] = at);
    let mut placed: Vec<(usize, Service)> = services.into_iter().enumerate().collect();
    placed.sort_by_key(|(old, _)| new[*old]);
    placed
        .into_iter()
        .map(|(_, mut service)| {
            service.script.iter_mut().for_each(|command| renumber(command, &new));
            service
        })
        .collect()
}

fn renumber(command: &mut Command, new: &[usize]) {
    match command {
        Command::Sleep(..) => {}
        Command::Call(service, _) => *service = new[*service],
        Command::All(commands) => commands.iter_mut().for_each(|command| renumber(command, new)),
    }
}

//! Service graphs of Isotope, Istio's benchmark of mock services.
//!
//! A graph says who calls whom, in which order and with which errors. It says nothing of CPU time, cores, limits
//! or traffic; those are assumed, and the scenario says so where it does.
//!
//! Source: istio/tools, isotope/README.md, and isotope/service/pkg/srv for what the mock service does: an error is
//! drawn before the script runs, a call that fails ends the script, a list of commands waits for all of them.

mod demand;
mod graph;
mod write;

use std::sync::Arc;

use super::Imported;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Text};
use crate::spec::{Rate, Sink, Spec};
use crate::tree::{self, Node, Place};

use demand::Demand;
use graph::Graph;

/// The service graph `text`, called `name` in messages, as a scenario with open traffic of `rate` (such as `100/s`;
/// without one, half of what the busiest service can do).
///
/// # Errors
///
/// When the text is no service graph, calls a service that it does not have, or calls in a circle; or when `rate`
/// is no rate.
pub fn isotope(name: &str, text: &str, rate: Option<&str>) -> Result<Imported, Diagnostics> {
    let given = rate.map(rate_of).transpose()?;
    let source = Arc::new(Text { name: name.into(), text: text.into() });
    let (root, mistakes) = match tree::parse(text, 0) {
        Ok(read) => read,
        Err(mut mistake) => {
            mistake.place = mistake.place.or(Some(Place::default()));
            return Err(Diagnostics::new(vec![mistake], vec![source], &[]));
        }
    };
    let mut sink = Sink { list: mistakes };
    let graph = Graph::read(&root, &mut sink);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        sink.list.into_iter().partition(|diagnostic| diagnostic.severity == Severity::Error);
    let told = |list: Vec<Diagnostic>| Diagnostics::new(list, vec![source.clone()], &[&root]);
    let graph = match graph {
        Some(graph) if errors.is_empty() => graph,
        _ => return Err(told(errors)),
    };
    let demand = Demand::of(&graph);
    let text =
        write::scenario(name, &graph, &demand, given.as_ref().map(|(text, rate)| (text.as_str(), *rate)));
    Ok(Imported { text, warnings: told(warnings) })
}

/// A rate as given on the command line, as text and per second.
fn rate_of(text: &str) -> Result<(String, f64), Diagnostics> {
    let place = Place { source: 0, start: 0, end: text.len() as u32 };
    let mut sink = Sink::default();
    match Rate::read(&Node::plain(text, place), &mut sink) {
        Some(rate) if rate.per_second > 0.0 => Ok((text.trim().to_owned(), rate.per_second)),
        other => {
            if other.is_some() {
                sink.report(Diagnostic::error("a rate of 0 is no traffic").at(place).help("write `100/s`"));
            }
            let source = Arc::new(Text { name: "--rate".into(), text: text.into() });
            Err(Diagnostics::new(sink.list, vec![source], &[]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(graph: &str) -> String {
        isotope("graph.yaml", graph, None).unwrap_err().to_string()
    }

    /// The graph that isotope's own documentation draws.
    const DOCUMENTED: &str = "\
apiVersion: v1alpha1
kind: MockServiceGraph
defaults:
  type: http
  requestSize: 1 KB
  responseSize: 16 KB
services:
- name: a
  errorRate: 0.01%
  script:
  - sleep: 100ms
- name: b
  type: grpc
- name: c
  script:
  - call:
      service: a
      size: 10K
  - call: b
- name: d
  isEntrypoint: true
  script:
  - - call: a
    - call: c
  - sleep: 10ms
  - call: b
";

    #[test]
    fn the_documented_graph_becomes_a_scenario() {
        let imported = isotope("graph.yaml", DOCUMENTED, None).unwrap();
        assert!(imported.warnings.is_empty(), "{}", imported.warnings);
        let steps = "    endpoints:
      get:
        - cpu: {exp: 1ms}
        - all:
            - call: a.get
            - call: c.get
        - delay: 10ms
        - call: b.get
";
        assert!(imported.text.contains(steps), "{}", imported.text);
        assert!(imported.text.contains("- {fail: http_500, rate: 0.01%}"), "{}", imported.text);
        // `a` and `b` get two requests for each that `d` gets: 500 a second at most, and half of it is used.
        assert!(imported.text.contains("requests: {rate: 250/s, to: d.get}"), "{}", imported.text);
    }

    #[test]
    fn a_large_graph_has_fewer_points_to_sweep() {
        let fan = |leaves: usize| {
            let calls: Vec<String> = (0..leaves).map(|i| format!("{{call: s{i}}}")).collect();
            let names: Vec<String> = (0..leaves).map(|i| format!("- name: s{i}\n")).collect();
            let names = names.concat();
            format!(
                "services:\n- {{name: front, isEntrypoint: true, script: [[{}]]}}\n{names}",
                calls.join(", ")
            )
        };
        let points = |text: &str| {
            text.rsplit("points: ").next().map(|rest| rest.trim().trim_end_matches('}').to_owned())
        };
        let text = |leaves| isotope("g", &fan(leaves), None).unwrap().text;
        assert_eq!(points(&text(3)).unwrap(), "11");
        assert_eq!(points(&text(20_000)).unwrap(), "6");
    }

    #[test]
    fn a_rate_and_both_spellings_of_defaults_are_understood() {
        let graph =
            "default: {numReplicas: 3, errorRate: 0.25}\nservices: [{name: a}, {name: b, errorRate: 0%}]";
        let text = isotope("g", graph, Some("40/s")).unwrap().text;
        assert!(text.contains("rate: 40/s"), "{text}");
        assert!(text.contains("- {fail: http_500, rate: 25%}"), "{text}");
        assert_eq!(text.matches("replicas: 3").count(), 2, "{text}");
        assert!(text.contains("to: {a.get: 50%, b.get: 50%}"), "{text}");
        assert!(isotope("g", graph, Some("40")).unwrap_err().to_string().contains("write `40/s`"));
    }

    #[test]
    fn names_that_the_language_refuses_are_mapped() {
        let graph =
            "services: [{name: a.b, isEntrypoint: true, script: [call: a b]}, {name: a b}, {name: a-b}]";
        let text = isotope("g", graph, None).unwrap().text;
        assert!(text.contains("  a-b-2:"), "{text}");
        assert!(text.contains("- call: a-b-3.get") || text.contains("- call: a-b-2.get"), "{text}");
        assert!(text.contains("`a.b` in the graph"), "{text}");
    }

    #[test]
    fn mistakes_have_places() {
        let text = wrong("services:\n- name: a\n  script:\n  - call: bb\n- name: b\n");
        assert!(text.contains("there is no service `bb`") && text.contains("graph.yaml:4:11"), "{text}");
        assert!(text.contains("did you mean `b`?"), "{text}");
        let text = wrong("services:\n- name: a\n  script:\n  - call: b\n- name: b\n  script:\n  - call: a\n");
        assert!(text.contains("go round in a circle: `a` -> `b` -> `a`"), "{text}");
        let text = wrong("services:\n- name: a\n  script: [sleep: soon]\n  numReplicas: 0\n- name: a\n");
        assert!(
            text.contains("expected a time") && text.contains("`0`") && text.contains("two services"),
            "{text}"
        );
        assert!(wrong("kind: Deployment\n").contains("`services` is missing"));
        assert!(wrong("services: []\n").contains("no services"));
        assert!(wrong("services:\n- {name: a, script: [[[call: a]]]}\n").contains("only one level"));
    }

    #[test]
    fn unknown_keys_are_doubts() {
        let imported = isotope("g", "services: [{name: a, numReplica: 3}]", None).unwrap();
        assert!(
            imported.warnings.to_string().contains("did you mean `numReplicas`?"),
            "{}",
            imported.warnings
        );
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let mut graph = String::from("services:\n");
        for i in 0..20_000 {
            let (name, next) = (i.to_string(), (i + 1).to_string());
            graph.extend(["- {name: s", &name, ", script: [call: s", &next, "]}\n"]);
        }
        graph.push_str("- name: s20000\n");
        assert!(isotope("g", &graph, None).is_ok());
    }
}

//! Chrome trace events: what `chrome://tracing`, Perfetto and Speedscope open.
//!
//! Every request is a process of its own, named after its traffic, time and outcome. Spans are complete events
//! (`ph: X`) in microseconds, with the nanoseconds behind the point. Events of one thread must nest, so what runs beside
//! something else gets a thread of its own.
//!
//! Source: *Trace Event Format*, Google, 2016.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Attribute, TracedRequest, TracedSpan, Traces};

/// A file of trace events.
#[derive(Serialize)]
struct File {
    #[serde(rename = "traceEvents")]
    events: Vec<Value>,
    #[serde(rename = "displayTimeUnit")]
    unit: &'static str,
    #[serde(rename = "otherData")]
    about: BTreeMap<&'static str, String>,
}

/// The traces as Chrome trace event JSON.
///
/// # Errors
///
/// Never, in practice: traces are plain data.
pub fn chrome(traces: &Traces) -> Result<String, serde_json::Error> {
    let events = (1..).zip(&traces.requests).flat_map(|(pid, request)| events(pid, request)).collect();
    let about = BTreeMap::from([
        ("program", format!("hockeystick {}", traces.version)),
        ("scenario", traces.scenario.clone()),
    ]);
    serde_json::to_string(&File { events, unit: "ms", about })
}

/// The events of one request.
fn events(pid: u64, request: &TracedRequest) -> Vec<Value> {
    let root = &request.spans[0];
    let took = (root.to - root.from) as f64 / 1e6;
    let outcome = root.outcome.as_deref().unwrap_or_default();
    let name = format!("{}: {took:.3} ms, {outcome}", root.name);
    let mut events = vec![
        json!({"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": name}}),
        json!({"ph": "M", "name": "process_sort_index", "pid": pid, "tid": 0, "args": {"sort_index": pid}}),
    ];
    let threads = threads(&request.spans);
    events.extend(request.spans.iter().zip(threads).map(|(span, tid)| event(pid, tid, span)));
    events
}

fn event(pid: u64, tid: usize, span: &TracedSpan) -> Value {
    let mut args = Map::new();
    args.insert("service".to_owned(), json!(span.service));
    if let Some(outcome) = &span.outcome {
        args.insert("outcome".to_owned(), json!(outcome));
    }
    args.extend(span.attributes.iter().map(|(name, value)| (name.clone(), plain(value))));
    json!({
        "ph": "X", "name": span.name, "cat": span.service, "pid": pid, "tid": tid,
        "ts": micros(span.from), "dur": micros(span.to - span.from), "args": args,
    })
}

fn plain(attribute: &Attribute) -> Value {
    match attribute {
        Attribute::Text(text) => json!(text),
        Attribute::Whole(number) => json!(number),
        Attribute::Flag => json!(true),
    }
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1000.0
}

/// For each span the first thread in which it nests, tried from that of its parent on.
fn threads(spans: &[TracedSpan]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|&at| (spans[at].from, std::cmp::Reverse(spans[at].to), at));
    let positions: BTreeMap<u64, usize> = spans.iter().map(|span| span.id).zip(0..).collect();
    let mut found = vec![0; spans.len()];
    // By thread: the ends of the spans that are open in it.
    let mut open: Vec<Vec<u64>> = Vec::new();
    for at in order {
        let span = &spans[at];
        let first = span.parent.and_then(|parent| positions.get(&parent)).map_or(0, |&parent| found[parent]);
        let nests = |ends: &mut Vec<u64>| {
            while ends.last().is_some_and(|end| *end <= span.from) {
                ends.pop();
            }
            ends.last().is_none_or(|end| *end >= span.to)
        };
        let fits = (first..open.len()).find(|&thread| nests(&mut open[thread]));
        let thread = fits.unwrap_or_else(|| {
            open.push(Vec::new());
            open.len() - 1
        });
        open[thread].push(span.to);
        found[at] = thread;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::SpanKind;

    fn span(id: u64, parent: Option<u64>, from: u64, to: u64) -> TracedSpan {
        TracedSpan {
            id,
            parent,
            service: "web".to_owned(),
            name: format!("span {id}"),
            kind: SpanKind::Internal,
            from,
            to,
            outcome: None,
            failed: false,
            attributes: Vec::new(),
        }
    }

    /// 2 and 3 run side by side in 1, and 4 in 3; 5 begins when 2 is over; 6 runs on after 1.
    #[test]
    fn what_runs_side_by_side_gets_threads_of_its_own() {
        let spans = [
            span(1, None, 0, 100),
            span(2, Some(1), 10, 50),
            span(3, Some(1), 20, 60),
            span(4, Some(3), 30, 60),
            span(5, Some(1), 60, 80),
            span(6, Some(1), 90, 120),
        ];
        assert_eq!(threads(&spans), [0, 0, 1, 1, 0, 1]);
    }
}

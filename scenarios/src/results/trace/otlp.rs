//! OpenTelemetry's protocol as JSON: what Jaeger, Tempo and every collector take in at `/v1/traces`.
//!
//! A resource for each service and each traffic. Simulated time begins at the Unix epoch, since it has no date. Whole
//! numbers of 64 bits are strings, ids are hexadecimal, enumerations are numbers.
//!
//! Source: OTLP specification 1.x, *JSON Protobuf Encoding*; opentelemetry-proto, `trace/v1/trace.proto`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Attribute, SpanKind, TracedRequest, TracedSpan, Traces};

/// Before the names of attributes that are ours.
const PREFIX: &str = "hockeystick";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    trace_id: String,
    #[serde(rename = "spanId")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Value>,
    status: Value,
}

/// The traces as one request to export them, in OTLP/JSON.
///
/// # Errors
///
/// Never, in practice: traces are plain data.
pub fn otlp(traces: &Traces) -> Result<String, serde_json::Error> {
    let mut by_service: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for request in &traces.requests {
        for span in &request.spans {
            by_service.entry(&span.service).or_default().push(exported(request, span));
        }
    }
    let resource = |(service, spans): (&str, Vec<Span>)| {
        json!({
            "resource": {"attributes": [
                attribute("service.name", &Attribute::Text(service.to_owned())),
                attribute("service.namespace", &Attribute::Text(traces.scenario.clone())),
            ]},
            "scopeSpans": [{"scope": {"name": PREFIX, "version": traces.version}, "spans": spans}],
        })
    };
    let resources: Vec<Value> = by_service.into_iter().map(resource).collect();
    serde_json::to_string(&json!({ "resourceSpans": resources }))
}

fn exported(request: &TracedRequest, span: &TracedSpan) -> Span {
    let outcome = span.outcome.iter().map(|outcome| ("outcome", Attribute::Text(outcome.clone())));
    let others = span.attributes.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let all = outcome.chain(others);
    Span {
        trace_id: format!("{:032x}", request.id),
        id: format!("{:016x}", span.id),
        parent_span_id: span.parent.map(|parent| format!("{parent:016x}")),
        name: span.name.clone(),
        kind: match span.kind {
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
        },
        start_time_unix_nano: span.from.to_string(),
        end_time_unix_nano: span.to.to_string(),
        attributes: all.map(|(name, value)| attribute(&format!("{PREFIX}.{name}"), &value)).collect(),
        status: status(span),
    }
}

/// Unset for what merely takes time, else ok or error.
fn status(span: &TracedSpan) -> Value {
    match &span.outcome {
        None => json!({"code": 0}),
        Some(outcome) if span.failed => json!({"code": 2, "message": outcome}),
        Some(_) => json!({"code": 1}),
    }
}

fn attribute(key: &str, value: &Attribute) -> Value {
    let value = match value {
        Attribute::Text(text) => json!({"stringValue": text}),
        Attribute::Whole(number) => json!({"intValue": number.to_string()}),
        Attribute::Flag => json!({"boolValue": true}),
    };
    json!({"key": key, "value": value})
}

//! Follows the requests of one replication, and names what was done for them.

use models::blueprint::{Blueprint, Outcome};
use models::places::{Kind, Places};
use models::spans::{RequestTrace, Span, What};
use models::{Replication, record};
use sim_core::{CancelFlag, combine, mix};

use super::gather::Progress;
use super::run::{Options, Plan, Prepared};
use crate::results::{Attribute, SpanKind, TracedRequest, TracedSpan, Traces};

/// Runs the first replication of `plan` once more and follows its requests: of about `most`, half are the slowest and
/// half are picked at random, shared out evenly among the traffics and their classes.
///
/// It is the replication that a [`super::run`] with the same options has run first, event by event.
pub fn trace(
    plan: &Plan,
    options: Options,
    most: u32,
    progress: &dyn Progress,
    cancel: &CancelFlag,
) -> Traces {
    let prepared = Prepared::new(plan, options.bins, &super::engine, progress, cancel);
    progress.stage("following requests");
    let blueprint = &prepared.case.blueprint;
    let replication = Replication { seed: prepared.case.seed, index: 0, breakdown: false };
    let (_, recorded) = record(blueprint, &replication, most, cancel);
    let namer = Namer { plan: blueprint, places: Places::of(blueprint) };
    Traces {
        scenario: blueprint.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        requests: recorded.traces.iter().map(|trace| namer.request(trace)).collect(),
        missed: recorded.missed,
    }
}

/// Knows what a blueprint calls things.
struct Namer<'a> {
    plan: &'a Blueprint,
    places: Places,
}

impl Namer<'_> {
    fn request(&self, trace: &RequestTrace) -> TracedRequest {
        let mut spans: Vec<TracedSpan> = Vec::with_capacity(trace.spans.len());
        for (position, span) in (0..).zip(&trace.spans) {
            let parent = (position > 0).then(|| &spans[span.parent as usize]);
            let named = self.span(trace, position, span, parent);
            spans.push(named);
        }
        TracedRequest { id: u128::from(trace.stream) << 64 | u128::from(trace.key), spans }
    }

    fn span(
        &self,
        trace: &RequestTrace,
        position: u32,
        span: &Span,
        parent: Option<&TracedSpan>,
    ) -> TracedSpan {
        let (name, kind) = self.name(trace, span.what);
        let ends = matches!(
            span.what,
            What::Request | What::Call(_) | What::Attempt { .. } | What::Endpoint(..) | What::Fallback
        );
        let mut attributes = self.attributes(trace, span.what);
        if parent.is_some_and(|parent| span.to.as_nanos() > parent.to) {
            attributes.push(("abandoned".to_owned(), Attribute::Flag));
        }
        if span.is_open {
            attributes.push(("unfinished".to_owned(), Attribute::Flag));
        }
        TracedSpan {
            // Never 0, which says that there is none.
            id: mix(combine(trace.key, u64::from(position))).max(1),
            parent: parent.map(|parent| parent.id),
            service: self.service(trace, span.what, parent),
            name,
            kind,
            from: span.from.as_nanos(),
            to: span.to.as_nanos(),
            outcome: (ends && !span.is_open).then(|| self.outcome(span.outcome)),
            failed: ends && !span.is_open && !span.outcome.is_answer(),
            attributes,
        }
    }

    /// Who spends the time: what is not an endpoint of its own is done by whoever it is part of.
    fn service(&self, trace: &RequestTrace, what: What, parent: Option<&TracedSpan>) -> String {
        match (what, parent) {
            (What::Endpoint(endpoint, _), _) => {
                let service = self.plan.endpoints[endpoint.index()].service;
                self.plan.services[service.index()].name.clone()
            }
            (_, Some(parent)) => parent.service.clone(),
            (_, None) => self.plan.traffics[trace.traffic.index()].name.clone(),
        }
    }

    fn name(&self, trace: &RequestTrace, what: What) -> (String, SpanKind) {
        let endpoint = |id: models::blueprint::EndpointId| &self.plan.endpoints[id.index()].name;
        match what {
            What::Request => (self.plan.traffics[trace.traffic.index()].name.clone(), SpanKind::Client),
            What::Call(call) => {
                let called = endpoint(self.plan.calls[call.index()].endpoint);
                (format!("call {called}"), SpanKind::Internal)
            }
            What::Attempt { attempt, copy: 0, .. } => (format!("attempt {attempt}"), SpanKind::Client),
            What::Attempt { attempt, copy, .. } => {
                (format!("attempt {attempt}, hedge {copy}"), SpanKind::Client)
            }
            What::Endpoint(id, _) => (endpoint(id).clone(), SpanKind::Server),
            What::Branch => ("branch".to_owned(), SpanKind::Internal),
            What::Fallback => ("fallback".to_owned(), SpanKind::Internal),
            What::Answer => ("answer".to_owned(), SpanKind::Internal),
            What::At(place) => (self.at(place), SpanKind::Internal),
            What::Hold(pool, _) => {
                (format!("hold {}", self.plan.pools[pool.index()].name), SpanKind::Internal)
            }
            What::BackOff => ("back-off".to_owned(), SpanKind::Internal),
            What::Limit => ("wait for the limit".to_owned(), SpanKind::Internal),
        }
    }

    /// What is done at a place.
    fn at(&self, place: u32) -> String {
        let (name, kind) = self.places.describe(self.plan, place);
        match kind {
            Kind::Queueing | Kind::Pools => format!("wait for {name}"),
            Kind::Service | Kind::Retries => "work".to_owned(),
            Kind::Network => "network".to_owned(),
        }
    }

    fn attributes(&self, trace: &RequestTrace, what: What) -> Vec<(String, Attribute)> {
        let text = |name: &str, text: &str| (name.to_owned(), Attribute::Text(text.to_owned()));
        let whole = |name: &str, number: u64| (name.to_owned(), Attribute::Whole(number));
        match what {
            What::Request => self.of_request(trace),
            What::Call(call) => {
                let policy = self.plan.calls[call.index()].policy;
                policy.iter().map(|id| text("policy", &self.plan.policies[id.index()].name)).collect()
            }
            What::Attempt { attempt, copy, .. } => {
                vec![whole("attempt", u64::from(attempt)), whole("copy", u64::from(copy))]
            }
            What::Endpoint(_, replica) => vec![whole("replica", u64::from(replica))],
            What::At(place) => {
                let (name, kind) = self.places.describe(self.plan, place);
                vec![text("place", &name), text("as", kind.name())]
            }
            What::Hold(pool, units) => {
                vec![text("place", &self.plan.pools[pool.index()].name), whole("units", u64::from(units))]
            }
            What::Branch | What::Fallback | What::Answer | What::BackOff | What::Limit => Vec::new(),
        }
    }

    /// Why the request is shown, what it is, and its critical path in nanoseconds.
    fn of_request(&self, trace: &RequestTrace) -> Vec<(String, Attribute)> {
        let kept = match (trace.is_slow, trace.is_sampled) {
            (true, true) => "slowest, sample",
            (true, false) => "slowest",
            (false, _) => "sample",
        };
        let mut found = vec![("kept".to_owned(), Attribute::Text(kept.to_owned()))];
        let plan = &self.plan.traffics[trace.traffic.index()];
        if let Some(class) = self.plan.classes.get(usize::from(trace.class))
            && self.plan.classes.len() > 1
        {
            found.push(("class".to_owned(), Attribute::Text(class.clone())));
        }
        if plan.attributes.tenant.is_some() {
            let name = self.plan.tenants.get(trace.label.tenant as usize);
            let tenant =
                name.cloned().map_or(Attribute::Whole(u64::from(trace.label.tenant)), Attribute::Text);
            found.push(("tenant".to_owned(), tenant));
        }
        let numbers = [
            ("key", plan.attributes.key.is_some(), trace.label.key),
            ("user", trace.label.user != u32::MAX, trace.label.user),
            ("bytes", plan.attributes.bytes.is_some(), trace.label.bytes),
        ];
        let known = numbers.into_iter().filter(|(_, is_known, _)| *is_known);
        found.extend(known.map(|(name, _, number)| (name.to_owned(), Attribute::Whole(u64::from(number)))));
        let part = |&(place, nanos): &(u32, u64)| {
            let (name, kind) = self.places.describe(self.plan, place);
            (format!("critical_path.{name}.{}", kind.name()), Attribute::Whole(nanos))
        };
        found.extend(trace.path.iter().map(part));
        if trace.left_out > 0 {
            found.push(("spans_left_out".to_owned(), Attribute::Whole(trace.left_out)));
        }
        found
    }

    fn outcome(&self, outcome: Outcome) -> String {
        self.plan.outcomes[usize::from(outcome.0)].clone()
    }
}

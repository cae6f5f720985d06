//! The network of routes and calls: bytes, what is lost, and connections.

use models::blueprint::{ConnectPlan, RouteId};

use super::{Checker, span};
use crate::scenario::Wire;
use crate::spec::{CallStep, ConnectSpec, RouteSpec};

impl Checker<'_> {
    /// How connections of a route are opened.
    pub(super) fn connect(&mut self, spec: &RouteSpec) -> Option<ConnectPlan> {
        let at = spec.connect.as_ref()?;
        if spec.latency.is_none() {
            let help = "add `latency: 1ms`: a round trip is twice that";
            self.error(at.place, "a handshake takes round trips, and this route has no `latency`", help);
        }
        let ConnectSpec { round_trips, keep_alive, idle } = &at.value;
        if round_trips.value.count > MOST_ROUND_TRIPS {
            let message = format!("expected at most {MOST_ROUND_TRIPS} round trips");
            self.error(round_trips.place, message, "TLS 1.2 over TCP makes 3");
            return None;
        }
        Some(ConnectPlan {
            round_trips: round_trips.value.count,
            keep_alive: span(keep_alive).unwrap_or_default(),
            idle: idle.as_ref().map_or(u32::MAX, |idle| idle.value.count),
        })
    }

    /// What messages meet on a route, where they meet anything.
    pub(super) fn wire(&mut self, spec: &RouteSpec) -> Option<Box<Wire>> {
        let loss = spec.loss.value.fraction;
        if spec.bandwidth.is_none() && loss <= 0.0 {
            return None;
        }
        if spec.retransmit.value.seconds <= 0.0 {
            let help = "write `retransmit: 200ms`";
            self.error(spec.retransmit.place, "what is lost cannot be sent again at once", help);
        }
        Some(Box::new(Wire {
            bandwidth: spec.bandwidth.as_ref().map_or(f64::INFINITY, |at| at.value.bytes_per_second),
            loss,
            retransmit: span(&spec.retransmit).unwrap_or_default(),
            request: None,
            reply: None,
        }))
    }

    /// The same for a call.
    pub(super) fn wire_of(&mut self, step: &CallStep, route: RouteId) -> Option<Box<Wire>> {
        let request = step.bytes.as_ref().and_then(|law| self.distribution(law));
        let reply = step.reply_bytes.as_ref().and_then(|law| self.distribution(law));
        let wire = self.used_routes[route.index()].wire.clone()?;
        Some(Box::new(Wire { request, reply, ..*wire }))
    }
}

/// More than any protocol makes.
const MOST_ROUND_TRIPS: u32 = 100;

//! The network: how long a message takes, whether it arrives, and what it costs to open a connection.
//!
//! A message takes its latency, the time that its bytes take at the route's bandwidth, as if it had the route to
//! itself, and what is lost on the way: a packet that is lost is sent again after a while, as TCP does it, and the
//! message is there when its last packet is. A call that finds no open connection first makes the round trips of a
//! handshake.

use sim_core::{Calendar, Draws, SimTime, Span};

use super::frame::{Kind, NONE, State};
use super::{Event, Packed, System, span};
use crate::blueprint::{ConnectPlan, Outcome, Payload, Pick, SamplerId, WirePlan};

/// Separate the draws of one frame that are not made by an operation.
const SALT_NETWORK: u64 = 0x27D4_EB2F_1656_67C5;
const SALT_BYTES: u64 = 0x94D0_49BB_1331_11EB;
const SALT_LOSS: u64 = 0xBF58_476D_1CE4_E5B9;
const SALT_CONNECT: u64 = 0xD6E8_FEB8_6659_FD93;

const SALT_ADDED: u64 = 0x1D8E_4E27_C47D_124F;
const SALT_LINK_LOSS: u64 = 0xEB44_ACCA_B455_D165;

/// How long a sender waits before it sends a lost packet again, where the route says nothing: Linux, `TCP_RTO_MIN`.
pub(super) const RETRANSMIT: Span = Span::from_nanos(200_000_000);

/// Bytes of a packet: 1,500 of Ethernet without the headers of IPv4 and TCP.
const PACKET: f64 = 1460.0;

/// How often a packet is sent, in all, before the connection is given up: Linux, `tcp_retries2` = 15.
const MOST_SENT: i32 = 16;

/// The longest wait before a packet is sent again: Linux, `TCP_RTO_MAX`.
const LONGEST_WAIT: f64 = 120.0;

/// Connections of one caller to one replica.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptAlive {
    /// Since when those that nobody uses have been so, the latest last.
    idle: Vec<SimTime>,
    /// Of one that all calls share: when it has been opened, or will be.
    opened: Option<SimTime>,
    /// When a call on it ended last.
    used: SimTime,
}

impl KeptAlive {
    /// Takes a connection for a call. Returns how long it takes until the call can be sent, given what a handshake
    /// would take, and whether one was open already.
    ///
    /// `shared` tells how many calls are on the one connection that all share, this one included; none where each
    /// call has its own.
    pub(super) fn take(
        &mut self,
        plan: &ConnectPlan,
        shared: Option<u32>,
        now: SimTime,
        handshake: impl FnOnce() -> Span,
    ) -> (Span, bool) {
        let is_open = |since: SimTime| since.saturating_add(plan.keep_alive) > now;
        match shared {
            Some(calls) => {
                if let Some(opened) = self.opened.filter(|_| calls > 1 || is_open(self.used)) {
                    // Who comes during the handshake waits for its end.
                    let wait = if opened > now { opened.since(now) } else { Span::ZERO };
                    return (wait, true);
                }
                let wait = handshake();
                self.opened = Some(now.saturating_add(wait));
                self.used = now;
                (wait, false)
            }
            None if self.idle.last().is_some_and(|&since| is_open(since)) => {
                self.idle.pop();
                (Span::ZERO, true)
            }
            None => {
                self.idle.clear(); // The latest has been closed, so all have.
                (handshake(), false)
            }
        }
    }

    /// A call has ended and left its connection open.
    pub(super) fn give_back(&mut self, plan: &ConnectPlan, now: SimTime) {
        self.used = now;
        if self.opened.is_none() && self.idle.len() < plan.idle as usize && plan.keep_alive > Span::ZERO {
            self.idle.push(now);
        }
    }
}

impl WirePlan {
    /// How long a message of so many bytes takes beyond its latency, and whether it arrives.
    ///
    /// `unit` is uniform in [0, 1). All packets are sent at once; each is sent again until it arrives, and the message
    /// waits for the one that was sent most often: with probability `(1 - loss^k)^packets` that was at most k times.
    fn time(&self, bytes: f64, unit: f64) -> (f64, bool) {
        let wire = bytes / self.bandwidth;
        if self.loss <= 0.0 {
            return (wire, true);
        }
        let packets = (bytes / PACKET).ceil().max(1.0);
        let within = |times: i32| (1.0 - self.loss.powi(times)).powf(packets);
        let mut sent = 1;
        let (mut delay, mut wait) = (0.0, self.retransmit.as_seconds());
        while unit >= within(sent) {
            delay += wait;
            wait = (2.0 * wait).min(LONGEST_WAIT);
            if sent == MOST_SENT {
                return (wire + delay, false);
            }
            sent += 1;
        }
        (wire + delay, true)
    }
}

impl System<'_> {
    /// Sends a request, or an answer, on its way.
    pub(super) fn travel(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let frame = self.frames.at_mut(index);
        frame.state = State::Travelling;
        frame.since = now;
        let (call, draw_key, request) = (frame.call, frame.draw_key, frame.request);
        let direction = u64::from(frame.kind == Kind::Reply);
        let plan = &self.plan.calls[call.index()];
        let mut draws = Draws::keyed(draw_key ^ SALT_NETWORK.wrapping_add(direction));
        let mut time = plan.latency.map_or(Span::ZERO, |latency| self.span_from(latency, &mut draws));
        if direction == 0
            && let Some(latency) = plan.latency
        {
            time = longer(time, self.connect(index, latency, draw_key, now));
        }
        if let Some(wire) = plan.wire {
            let row = &self.wires[wire.index()];
            let bytes = match if direction == 0 { row.request } else { row.reply } {
                Payload::Nothing => 0.0,
                Payload::Request => f64::from(self.requests.at(request).label.bytes),
                Payload::Drawn(law) => {
                    let mut draws = Draws::keyed(draw_key ^ SALT_BYTES.wrapping_add(direction));
                    self.samplers[law.index()].sample(&mut draws)
                }
            };
            let unit = Draws::keyed(draw_key ^ SALT_LOSS.wrapping_add(direction)).unit();
            let (more, arrives) = row.time(bytes, unit);
            time = longer(time, span(more));
            if !arrives {
                self.lose(index);
            }
        }
        if let Some(link) = plan.link {
            let row = &self.links[link.index()];
            if let Some(added) = &row.added {
                let mut draws = Draws::keyed(draw_key ^ SALT_ADDED.wrapping_add(direction));
                time = longer(time, span(added.sample(&mut draws)));
            }
            if row.loss > 0.0 {
                let unit = Draws::keyed(draw_key ^ SALT_LINK_LOSS.wrapping_add(direction)).unit();
                let wire = WirePlan {
                    bandwidth: f64::INFINITY,
                    loss: row.loss,
                    retransmit: plan.wire.map_or(RETRANSMIT, |wire| self.wires[wire.index()].retransmit),
                    request: Payload::Nothing,
                    reply: Payload::Nothing,
                };
                let (more, arrives) = wire.time(0.0, unit);
                time = longer(time, span(more));
                if !arrives {
                    self.lose(index);
                }
            }
        }
        calendar.schedule_in(time, Event::StepDone(self.frames.key_of(index)).pack());
    }

    /// Whether the message, which would arrive now, is held up by a link on which nothing passes.
    #[cold]
    pub(super) fn is_held_up(&mut self, index: u32, now: SimTime, calendar: &mut Calendar<Packed>) -> bool {
        let frame = self.frames.at_mut(index);
        let link = self.plan.calls[frame.call.index()].link;
        let held_up = link.is_some_and(|link| self.resend(index, link, now, calendar));
        let frame = self.frames.at_mut(index);
        if held_up {
            frame.state = State::Travelling;
        } else {
            frame.pending = 0;
        }
        held_up
    }

    /// The message will not arrive: its sender gives up, and the caller hears of that in its place.
    pub(super) fn lose(&mut self, index: u32) {
        let end = self.end_address;
        let frame = self.frames.at_mut(index);
        frame.kind = Kind::Reply;
        frame.pc = end;
        frame.outcome = Outcome::LOST;
    }

    /// How long the call waits for a connection.
    fn connect(&mut self, index: u32, latency: SamplerId, draw_key: u64, now: SimTime) -> Span {
        let frame = self.frames.at(index);
        if frame.balancer == NONE {
            return Span::ZERO; // A plain route, which opens connections for nothing.
        }
        let local = self.replicas[frame.replica as usize].local as usize;
        let row = &mut self.balancers[frame.balancer as usize];
        let route = &self.routes[row.route.index()];
        let Some(plan) = &route.connect else { return Span::ZERO };
        let shared = matches!(route.pick, Pick::Pinned { .. }).then(|| row.in_flight[local]);
        let law = &self.samplers[latency.index()];
        let handshake = || {
            let mut draws = Draws::keyed(draw_key ^ SALT_CONNECT);
            let ways = 2 * plan.round_trips;
            (0..ways).fold(Span::ZERO, |sum, _| longer(sum, span(law.sample(&mut draws))))
        };
        let connections = row.connections(local);
        let (wait, was_open) = connections.take(plan, shared, now, handshake);
        let meter = &mut self.route_meters[row.route.index()];
        meter.reused += u64::from(was_open);
        meter.connects += u64::from(!was_open);
        wait
    }
}

/// The sum; what lies beyond the longest span is as good as never.
fn longer(time: Span, more: Span) -> Span {
    Span::from_nanos(time.as_nanos().saturating_add(more.as_nanos())).min(sim_core::MAX_SPAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(bandwidth: f64, loss: f64) -> WirePlan {
        let retransmit = Span::from_nanos(200_000_000);
        WirePlan { bandwidth, loss, retransmit, request: Payload::Nothing, reply: Payload::Nothing }
    }

    #[test]
    fn bytes_take_their_time() {
        // 1 Gbit/s is 125 MB/s: 100 kB take 0.8 ms.
        assert_eq!(wire(125e6, 0.0).time(100e3, 0.9), (0.000_8, true));
    }

    #[test]
    fn lost_packets_are_sent_again() {
        // 100 packets at 2 %: 0.98^100 = 13.3 % of the messages lose none, 0.9996^100 = 96.1 % none twice.
        let lossy = wire(f64::INFINITY, 0.02);
        assert_eq!(lossy.time(146_000.0, 0.132), (0.0, true));
        assert_eq!(lossy.time(146_000.0, 0.133), (0.2, true));
        assert_eq!(lossy.time(146_000.0, 0.960), (0.2, true));
        let (delay, arrives) = lossy.time(146_000.0, 0.961);
        assert!((delay - 0.6).abs() < 1e-12 && arrives);
        assert_eq!(lossy.time(0.0, 0.979), (0.0, true));
        assert_eq!(lossy.time(0.0, 0.981), (0.2, true));
    }

    /// 0.2 + 0.4 + ... + 102.4 s and six times 120 s: the 924.6 s of Linux's documentation.
    #[test]
    fn a_dead_route_is_given_up_after_fifteen_minutes() {
        let (delay, arrives) = wire(f64::INFINITY, 1.0).time(0.0, 0.0);
        assert!((delay - 924.6).abs() < 1e-9 && !arrives, "{delay}");
    }

    #[test]
    fn a_connection_is_used_again_while_it_is_kept() {
        let ms = |n: u64| SimTime::from_nanos(n * 1_000_000);
        let span = |n: u64| Span::from_nanos(n * 1_000_000);
        let plan = ConnectPlan { round_trips: 2, keep_alive: span(100), idle: 1 };
        let mut own = KeptAlive::default();
        assert_eq!(own.take(&plan, None, ms(0), || span(40)), (span(40), false));
        assert_eq!(own.take(&plan, None, ms(10), || span(40)), (span(40), false));
        own.give_back(&plan, ms(50));
        own.give_back(&plan, ms(60)); // One is kept, the other is closed.
        assert_eq!(own.take(&plan, None, ms(149), || span(40)), (Span::ZERO, true));
        assert_eq!(own.take(&plan, None, ms(149), || span(40)), (span(40), false));
        own.give_back(&plan, ms(200));
        assert_eq!(own.take(&plan, None, ms(300), || span(40)), (span(40), false));
    }

    #[test]
    fn who_shares_a_connection_waits_for_its_handshake() {
        let ms = |n: u64| SimTime::from_nanos(n * 1_000_000);
        let span = |n: u64| Span::from_nanos(n * 1_000_000);
        let plan = ConnectPlan { round_trips: 2, keep_alive: span(100), idle: u32::MAX };
        let mut shared = KeptAlive::default();
        assert_eq!(shared.take(&plan, Some(1), ms(0), || span(40)), (span(40), false));
        assert_eq!(shared.take(&plan, Some(2), ms(10), || span(40)), (span(30), true));
        shared.give_back(&plan, ms(80));
        assert_eq!(shared.take(&plan, Some(1), ms(170), || span(40)), (Span::ZERO, true));
        shared.give_back(&plan, ms(200));
        assert_eq!(shared.take(&plan, Some(1), ms(300), || span(40)), (span(40), false));
    }
}

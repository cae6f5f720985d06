//! Which replica gets a call: the caller's balancer, and what the caller thinks of the replicas' health.

use sim_core::{Calendar, Draws, SimTime, Span, combine, hash_name};

use super::frame::NONE;
use super::lives::REFUSES;
use super::network::KeptAlive;
use super::{Event, Packed, System};
use crate::attribute::Label;
use crate::balancer::{Balancer, Needs, Pick, Seen};
use crate::blueprint::{Attribute, CallId, Outcome, RouteId, RoutePlan, ZoneId};
use crate::health::Health;
use crate::observe::RouteObservation;

/// Separates the draws for a replica from all others of a call.
const SALT_ROUTE: u64 = 0x6C62_272E_07BB_0142;

const SALT_ZONE: u64 = 0x2545_F491_4F6C_DD1D;

/// How often a call passes over replicas that are new.
const MOST_PASSED_OVER: u32 = 64;

/// One caller's balancer for one route.
#[derive(Clone, Debug)]
pub(super) struct CallerRoute {
    rule: Balancer,
    /// Whether the rule looks at `in_flight` and at nothing else: not at requests, answers or health.
    counts: bool,
    is_plain: bool,
    /// Calls that this caller has outstanding at each replica.
    pub(super) in_flight: Vec<u32>,
    /// Its connections to each replica, where opening them takes time.
    connections: Vec<KeptAlive>,
    pub(super) route: RouteId,
    /// The caller's number.
    caller: u32,
    needs: Needs,
    health: Option<Box<Health>>,
    /// Whether its next check is planned.
    checking: bool,
}

impl System<'_> {
    pub(super) fn add_balancers(&mut self, routes: &[RouteId], caller: u32) -> u32 {
        let first = self.balancers.len() as u32;
        for &route in routes {
            let row = &self.routes[route.index()];
            let needs = Balancer::needs(&row.pick);
            self.balancers.push(CallerRoute {
                rule: Balancer::new(&row.pick, caller),
                counts: needs.in_flight,
                is_plain: row.is_plain(),
                in_flight: Vec::new(),
                connections: Vec::new(),
                route,
                caller,
                needs,
                health: row.health.is_some().then(Box::default),
                checking: false,
            });
        }
        first
    }

    /// The replica that gets the call, and the balancer that counts it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "taking turns is the usual case, and shorter than a call")]
    pub(super) fn choose_replica(
        &mut self,
        caller: u32,
        call: CallId,
        request: u32,
        draw_key: u64,
        now: SimTime,
    ) -> (u32, u32) {
        let made = &self.plan.calls[call.index()];
        let service = self.plan.endpoints[made.endpoint.index()].service;
        let balancer = self.replicas[caller as usize].balancers + made.route_slot;
        let target = &self.services[service.index()];
        let row = &mut self.balancers[balancer as usize];
        if !row.is_plain {
            return self.choose_with_care(caller, balancer, service.index(), request, draw_key, NONE, now);
        }
        if target.only != NONE {
            return (target.only, NONE);
        }
        if let Balancer::RoundRobin(rule) = &mut row.rule {
            let chosen = target.ready[rule.turn(target.ready.len())];
            return (target.replicas[chosen as usize], NONE);
        }
        self.choose_by_rule(balancer, service.index(), draw_key, now)
    }

    /// The same for a rule that looks at calls in flight, or draws.
    #[inline(never)]
    fn choose_by_rule(&mut self, balancer: u32, service: usize, draw_key: u64, now: SimTime) -> (u32, u32) {
        let target = &self.services[service];
        let row = &mut self.balancers[balancer as usize];
        if row.in_flight.len() < target.replicas.len() {
            row.in_flight.resize(target.replicas.len(), 0);
        }
        let mut draws = Draws::keyed(draw_key ^ SALT_ROUTE);
        let (candidates, in_flight) = (&*target.ready, &*row.in_flight);
        let mut seen = Seen { candidates, in_flight, label: 0, now, draws: &mut draws };
        let chosen = target.ready[row.rule.pick(&mut seen)];
        let counted = if row.counts {
            row.in_flight[chosen as usize] += 1;
            balancer
        } else {
            NONE
        };
        (target.replicas[chosen as usize], counted)
    }

    /// The same among the replicas that a call has not been sent to yet, which has tried those from `tried` on; among
    /// all where it has tried them all.
    pub(super) fn choose_untried(
        &mut self,
        caller: u32,
        call: CallId,
        request: u32,
        draw_key: u64,
        tried: u32,
        now: SimTime,
    ) -> (u32, u32) {
        let made = &self.plan.calls[call.index()];
        let service = self.plan.endpoints[made.endpoint.index()].service.index();
        let balancer = self.replicas[caller as usize].balancers + made.route_slot;
        self.choose_with_care(caller, balancer, service, request, draw_key, tried, now)
    }

    /// The same for a rule that goes by the request, by answers or by health, or where replicas are to be avoided.
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "all that a choice can depend on")]
    fn choose_with_care(
        &mut self,
        caller: u32,
        balancer: u32,
        service: usize,
        request: u32,
        draw_key: u64,
        tried: u32,
        now: SimTime,
    ) -> (u32, u32) {
        if self.services[service].is_behind {
            return (self.services[service].door, NONE);
        }
        let own = self.zone_of_caller(caller);
        let target = &self.services[service];
        let row = &mut self.balancers[balancer as usize];
        if row.in_flight.len() < target.replicas.len() {
            row.in_flight.resize(target.replicas.len(), 0);
        }
        let mut candidates = &*target.ready;
        if let (Some(health), Some(plan)) = (&mut row.health, &self.routes[row.route.index()].health) {
            let meter = &mut self.route_meters[row.route.index()];
            meter.sent += 1;
            match health.usable(plan, &target.ready, now) {
                Some(usable) => candidates = usable,
                None => meter.in_panic += 1,
            }
        }
        if tried != NONE {
            let known = &self.tried;
            let is_untried = |local: &&u32| {
                let mut at = tried;
                while at != NONE && known.peek(at).local != **local {
                    at = known.peek(at).before;
                }
                at == NONE
            };
            self.untried.clear();
            self.untried.extend(candidates.iter().filter(is_untried));
            if !self.untried.is_empty() {
                candidates = &self.untried;
            }
        }
        if let (Some(zone), Some(own)) = (self.routes[row.route.index()].zone, own) {
            let life = &self.services_in_force[service].life;
            let is_own = |local: &&u32| life.zone(**local) == Some(own);
            let known = target.ready.iter().filter(is_own).count() as f64;
            let healthy = candidates.iter().filter(is_own).count() as f64;
            let stays = known > 0.0 && draws_zone(draw_key) < zone.overprovisioning * healthy / known;
            let chosen: Vec<u32> =
                candidates.iter().copied().filter(|local| is_own(&local) == stays).collect();
            if !chosen.is_empty() {
                self.zoned = chosen;
                candidates = &self.zoned;
            }
        }
        let label = row.needs.label.map_or(0, |attribute| {
            let request = self.requests.at(request);
            value_of(attribute, request.label, request.class)
        });
        let mut draws = Draws::keyed(draw_key ^ SALT_ROUTE);
        let in_flight = &*row.in_flight;
        let mut seen = Seen { candidates, in_flight, label, now, draws: &mut draws };
        let mut chosen = candidates[row.rule.pick(&mut seen)];
        if let Some(window) = self.routes[row.route.index()].slow_start {
            // One that is new is passed over as often as its weight falls short of the others'.
            for _ in 0..MOST_PASSED_OVER {
                let since = self.replicas[target.replicas[chosen as usize] as usize].ready_since;
                let weight = slow_start_weight(since, window, now);
                if weight >= 1.0 || candidates.len() == 1 || seen.draws.unit() < weight {
                    break;
                }
                chosen = candidates[row.rule.pick(&mut seen)];
            }
        }
        row.in_flight[chosen as usize] += 1;
        (target.replicas[chosen as usize], balancer)
    }

    /// The zone of the replica that calls; none for clients.
    fn zone_of_caller(&self, caller: u32) -> Option<ZoneId> {
        let caller = &self.replicas[caller as usize];
        self.services_in_force.get(caller.service as usize)?.life.zone(caller.local)
    }

    /// The caller no longer counts the frame as outstanding; `outcome` is how the call ended for it, if it did.
    #[inline]
    pub(super) fn release_balancer(&mut self, index: u32, outcome: Option<Outcome>, now: SimTime) {
        let frame = self.frames.at_mut(index);
        let balancer = std::mem::replace(&mut frame.balancer, NONE);
        if balancer == NONE {
            return;
        }
        let sent = frame.sent;
        let local = self.replicas[frame.replica as usize].local;
        let row = &mut self.balancers[balancer as usize];
        row.in_flight[local as usize] -= 1;
        if let Some(outcome) = outcome
            && !row.is_plain
        {
            row.ended(local, outcome, now.since(sent), now, &self.routes);
        }
    }

    /// The caller's replica is lost: its balancer begins anew, with nothing outstanding.
    pub(super) fn renew_balancer(&mut self, balancer: u32, now: SimTime) {
        let row = &mut self.balancers[balancer as usize];
        let route = &self.routes[row.route.index()];
        row.rule = Balancer::new(&route.pick, row.caller);
        row.in_flight.fill(0);
        row.connections.clear();
        if let Some(health) = &mut row.health {
            let meter = &mut self.route_meters[row.route.index()];
            meter.out_ns += health.take_out_ns(now);
            meter.ejections += health.ejections;
            **health = Health::default();
        }
    }

    /// A replica is lost, and all connections to it.
    pub(super) fn close_connections_to(&mut self, service: usize, local: usize) {
        for row in &mut self.balancers {
            if self.routes[row.route.index()].service.index() == service
                && let Some(connections) = row.connections.get_mut(local)
            {
                *connections = KeptAlive::default();
            }
        }
    }

    // Health -----------------------------------------------------------------------------------------------

    /// The route's row has changed: who follows another rule now forgets what the old one knew.
    pub(super) fn change_route(
        &mut self,
        route: RouteId,
        to: RoutePlan,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let before = std::mem::replace(&mut self.routes[route.index()], to);
        let after = &self.routes[route.index()];
        for row in self.balancers.iter_mut().filter(|row| row.route == route) {
            if before.pick != after.pick {
                row.rule = Balancer::new(&after.pick, row.caller);
                row.needs = Balancer::needs(&after.pick);
                row.counts = row.needs.in_flight;
            }
            row.is_plain = after.is_plain();
            if after.health.is_none()
                && let Some(mut health) = row.health.take()
            {
                let meter = &mut self.route_meters[route.index()];
                meter.out_ns += health.take_out_ns(now);
                meter.ejections += health.ejections;
            } else if after.health.is_some() && row.health.is_none() {
                row.health = Some(Box::default());
            }
        }
        self.plan_checks(after.service.index(), now, calendar);
    }

    /// Plans checks of the service by every caller that makes any, because they may find something new.
    pub(super) fn plan_checks(&mut self, service: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        for balancer in 0..self.balancers.len() as u32 {
            let row = &self.balancers[balancer as usize];
            let route = &self.routes[row.route.index()];
            if route.service.index() == service && !row.checking {
                self.plan_check(balancer, now, calendar);
            }
        }
    }

    /// Plans the first check after `now`. Each caller has its own phase.
    fn plan_check(&mut self, balancer: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.balancers[balancer as usize];
        let route = &self.routes[row.route.index()];
        let Some(check) = route.health.as_ref().and_then(|health| health.check) else { return };
        row.checking = true;
        let name = combine(hash_name(&route.name), u64::from(row.caller));
        let every = check.every.as_nanos().max(1);
        let phase = (Draws::keyed(combine(self.stream, name)).unit() * every as f64) as u64;
        let passed = (now.as_nanos() + every - phase) / every;
        let at = SimTime::from_nanos((phase + passed * every).max(now.as_nanos()));
        calendar.schedule(at, Event::Check { balancer }.pack());
    }

    /// A caller checks the replicas of a service.
    ///
    /// Checks that could not change its opinion are left out: it checks until it knows what there is to know, and
    /// again when something has changed.
    pub(super) fn check(&mut self, balancer: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        let row = &mut self.balancers[balancer as usize];
        row.checking = false;
        let route = &self.routes[row.route.index()];
        let (Some(health), Some(plan)) = (&mut row.health, &route.health) else { return };
        let Some(check) = plan.check else { return };
        let target = &self.services[route.service.index()];
        health.usable(plan, &target.ready, now);
        let mut open = false;
        for &local in &target.ready {
            let replica = target.replicas[local as usize];
            let passed = self.replicas[replica as usize].failing == NONE;
            open |= health.checked(&check, local, passed, now);
        }
        if open {
            self.balancers[balancer as usize].checking = true;
            calendar.schedule_in(check.every, Event::Check { balancer }.pack());
        }
    }

    /// Makes the first `count` ready replicas of a service run `entry` in place of any endpoint, and no others.
    pub(super) fn fail_replicas(
        &mut self,
        service: usize,
        count: usize,
        entry: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        for &replica in &self.services[service].replicas {
            let failing = &mut self.replicas[replica as usize].failing;
            *failing = if *failing == REFUSES { REFUSES } else { NONE };
        }
        let target = &self.services[service];
        for &local in target.ready.iter().take(count) {
            let failing = &mut self.replicas[target.replicas[local as usize] as usize].failing;
            *failing = if *failing == REFUSES { REFUSES } else { entry };
        }
        self.plan_checks(service, now, calendar);
    }

    /// Closes the segment of each route that ends at `now`. `replica_ns` is the time of its service's replicas.
    pub(super) fn flush_routes(&mut self, replica_ns: &[u128], now: SimTime) -> Vec<RouteObservation> {
        for row in &mut self.balancers {
            let Some(health) = &mut row.health else { continue };
            let meter = &mut self.route_meters[row.route.index()];
            meter.out_ns += health.take_out_ns(now);
            meter.ejections += std::mem::take(&mut health.ejections);
            meter.replica_ns += replica_ns[self.routes[row.route.index()].service.index()];
        }
        self.route_meters.iter_mut().map(std::mem::take).collect()
    }
}

impl CallerRoute {
    /// Sessions that it keeps.
    pub(super) fn sessions(&self) -> usize {
        self.rule.entries()
    }

    /// The connections to replica number `local`.
    pub(super) fn connections(&mut self, local: usize) -> &mut KeptAlive {
        if self.connections.len() <= local {
            self.connections.resize_with(local + 1, KeptAlive::default);
        }
        &mut self.connections[local]
    }

    /// A call to replica number `local` has ended for this caller.
    #[inline(never)]
    fn ended(&mut self, local: u32, outcome: Outcome, latency: Span, now: SimTime, routes: &[RoutePlan]) {
        if self.needs.endings {
            self.rule.ended(local, latency, now);
        }
        // Who turns away from a call closes its connection.
        if let Some(plan) = &routes[self.route.index()].connect
            && !matches!(outcome, Outcome::TIMED_OUT | Outcome::CANCELLED | Outcome::LOST)
        {
            self.connections(local as usize).give_back(plan, now);
        }
        if let (Some(health), Some(plan)) = (&mut self.health, &routes[self.route.index()].health)
            && outcome != Outcome::CANCELLED
        {
            health.ended(plan, local, outcome.is_answer(), now);
        }
    }
}

/// What decides whether a call stays in its zone.
fn draws_zone(draw_key: u64) -> f64 {
    Draws::keyed(draw_key ^ SALT_ZONE).unit()
}

/// The share of calls that a replica gets of those of one that has long been ready.
///
/// Source: Envoy, `slow_start_config`: a straight line over the window, with a `min_weight_percent` of 10 %.
fn slow_start_weight(since: SimTime, window: Span, now: SimTime) -> f64 {
    if since == SimTime::ZERO {
        return 1.0; // It has been there from the start.
    }
    (now.since(since).as_seconds() / window.as_seconds()).clamp(0.1, 1.0)
}

pub(super) fn value_of(attribute: Attribute, label: Label, class: u16) -> u32 {
    match attribute {
        Attribute::Class => u32::from(class),
        Attribute::Key => label.key,
        Attribute::Tenant => label.tenant,
        Attribute::User => label.user,
    }
}

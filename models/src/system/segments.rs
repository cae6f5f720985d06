//! Cutting the measurements into segments, and changes by the clock.

use sim_core::{Calendar, Present, SimTime};

use super::frame::{Kind, NONE, State};
use super::{Event, Packed, Service, Standing, System, Task};
use crate::blueprint::{CoresPlan, FlushPlan, PoolScope, Row};
use crate::observe::{
    CoresObservation, EndpointObservation, Segment, ServiceObservation, ThrottledObservation,
};

/// Who is where at the end of a segment.
struct Census {
    traffics: Vec<Present>,
    services: Vec<Present>,
    computing: Vec<Present>,
    in_use: Vec<Present>,
    waiting: Vec<Present>,
    connections: Vec<Present>,
    metered: Vec<Present>,
    blocked: Vec<Present>,
    jobs: Vec<Present>,
    fetching: Vec<Present>,
    awaiting: Vec<Present>,
    sending: Vec<Present>,
}

impl System<'_> {
    /// Plans the first cut and all changes.
    pub(super) fn start_clock(&mut self, calendar: &mut Calendar<Packed>) {
        for change in 0..self.plan.changes.len() as u32 {
            self.plan_change(change, calendar);
        }
        self.plan_cut(calendar);
    }

    fn plan_cut(&mut self, calendar: &mut Calendar<Packed>) {
        if let Some(&at) = self.plan.cuts.get(self.next_cut) {
            self.next_cut += 1;
            calendar.schedule(at, Event::Cut.pack());
        }
    }

    pub(super) fn cut(&mut self, now: SimTime, calendar: &mut Calendar<Packed>) {
        self.close_segment(now);
        self.plan_cut(calendar);
    }

    /// Ends the current segment at `now` and begins the next.
    pub(super) fn close_segment(&mut self, now: SimTime) {
        let census = self.census();
        self.carry_gauges(now);
        self.check_memories();
        let endpoints = self.endpoints.iter_mut().map(|meter| EndpointObservation {
            answered: meter.latency.count(),
            failed: std::mem::take(&mut meter.failed),
            latency: meter.latency.take().compact(),
        });
        let services = self.services.iter_mut().zip(&census.services);
        let pools = self.pools.iter_mut().zip(census.in_use.iter().zip(&census.waiting));
        let traffics = self.sources.iter_mut().zip(&census.traffics);
        let mut segment = Segment {
            from: self.segment_start,
            to: now,
            traffics: traffics.map(|(source, &present)| source.meter.flush(now, present)).collect(),
            endpoints: endpoints.collect(),
            services: services
                .map(|(service, &present)| ServiceObservation {
                    present: service.present.flush(now, present),
                    replicas: service.running.flush(now),
                    life: None,
                    received: {
                        let replicas = &mut self.replicas;
                        let taken = |&at: &u32| std::mem::take(&mut replicas[at as usize].received);
                        service.replicas.iter().map(taken).collect()
                    },
                })
                .collect(),
            routes: Vec::new(),
            rates: self.rates.flush(&census.metered, now),
            volumes: self.volumes.flush(&census.blocked, now),
            jobs: self.jobs.flush(&census.jobs, now),
            caches: self.caches.flush(&census.fetching, &census.awaiting, now),
            queues: self.queues.flush(&census.sending, now),
            autoscalers: self.scalers.flush(now),
            pools: pools.map(|(pool, (&in_use, &waiting))| pool.flush(now, in_use, waiting)).collect(),
            cores: Vec::new(),
            policies: self.memories.flush(now),
        };
        for (row, life) in segment.services.iter_mut().zip(self.flush_lives(now)) {
            row.life = life;
        }
        for (pool, (row, &open)) in segment.pools.iter_mut().zip(&census.connections).enumerate() {
            row.connections = self.connections.flush(pool, now, open);
        }
        let replica_ns: Vec<u128> = segment.services.iter().map(|row| row.replicas.integral).collect();
        segment.routes = self.flush_routes(&replica_ns, now);
        let span_ns = u128::from(now.since(segment.from).as_nanos());
        for (pool, plan) in segment.pools.iter_mut().zip(&self.plan.pools) {
            pool.instance_ns = match plan.scope {
                PoolScope::Replica { service, .. } => replica_ns[service.index()],
                PoolScope::One => span_ns,
                PoolScope::Each(_) => 0,
                PoolScope::Class => span_ns * self.plan.classes.len().max(1) as u128,
            };
        }
        for (service, &present) in census.computing.iter().enumerate() {
            segment.cores.push(self.close_cores(service, present, now));
        }
        self.segments.push(segment);
        self.segment_start = now;
    }

    /// Counts who is where, from what is in flight. What the populations have counted must agree with it.
    fn census(&self) -> Census {
        let nobody = |rows: usize| vec![Present::default(); rows];
        let mut census = Census {
            traffics: nobody(self.sources.len()),
            services: nobody(self.services.len()),
            computing: nobody(self.services.len()),
            in_use: nobody(self.pools.len()),
            waiting: nobody(self.pools.len()),
            connections: nobody(self.pools.len()),
            metered: nobody(self.plan.rates.len()),
            blocked: nobody(self.plan.volumes.len()),
            jobs: nobody(self.plan.jobs.len()),
            fetching: nobody(self.plan.caches.len()),
            awaiting: nobody(self.plan.caches.len()),
            sending: nobody(self.plan.queues.len()),
        };
        let pool_of = |instance: u32| self.instances[instance as usize].pool as usize;
        for (instance, opened, unit) in self.connections.census() {
            census.connections[pool_of(instance)].add(1, opened);
            if let Some((source, since)) = unit {
                census.in_use[pool_of(source)].add(1, since);
            }
        }
        for batch in self.batches.running() {
            census.in_use[pool_of(batch.instance)].add(1, batch.since);
        }
        for (_, request) in self.requests.iter().filter(|(_, request)| !request.ended) {
            census.traffics[request.traffic as usize].add(1, request.start);
        }
        for (_, visit) in self.visits.iter() {
            if let Some(traffic) = census.traffics.get_mut(visit.visitor.traffic as usize) {
                traffic.add(1, visit.arrived);
            }
            let service = self.replicas[visit.replica as usize].service as usize;
            census.services[service].add(1, visit.arrived);
            if visit.instance != NONE {
                let pool = self.instances[visit.instance as usize].pool as usize;
                let stage = if visit.is_waiting { &mut census.waiting } else { &mut census.in_use };
                stage[pool].add(1, if visit.is_waiting { visit.arrived } else { visit.began });
            }
            if self.computes(visit) {
                census.computing[service].add(1, visit.began);
            }
        }
        for (key, frame) in self.frames.iter() {
            if frame.kind == Kind::Job {
                census.jobs[self.jobs.of(key.index())].add(1, frame.arrived);
            }
            let service = self.replicas[frame.replica as usize].service as usize;
            if frame.kind == Kind::Endpoint && frame.state != State::Travelling {
                census.services[service].add(1, frame.arrived);
            }
            match frame.state {
                State::Queued => {
                    let pool = self.instances[frame.at as usize].pool;
                    census.waiting[pool as usize].add(1, frame.since);
                }
                State::Metered => {
                    census.metered[self.rates.rate_of(frame.at) as usize].add(1, frame.since);
                }
                State::Blocked => {
                    census.blocked[self.volumes.volume_of(frame.at) as usize].add(1, frame.since);
                }
                State::Awaiting => {
                    census.awaiting[self.caches.cache_of(frame.at) as usize].add(1, frame.since);
                }
                State::Sending => census.sending[frame.at as usize].add(1, frame.since),
                State::Computing | State::CoreQueued => census.computing[service].add(1, frame.since),
                _ => {}
            }
            for held in self.held.below(frame.holds) {
                if held.instance == NONE {
                    census.fetching[self.caches.fetched_for(held.units) as usize].add(1, held.since);
                    continue;
                }
                let pool = self.instances[held.instance as usize].pool;
                census.in_use[pool as usize].add(u64::from(held.units), held.since);
            }
        }
        census
    }

    fn close_cores(&mut self, service: usize, present: Present, now: SimTime) -> Option<CoresObservation> {
        self.services_in_force[service].cores?;
        self.count_capacity(service, now);
        let (mut busy, mut worked, mut paused, mut partial) = (0.0, 0.0, 0.0, 0.0);
        let replica_ns = std::mem::take(&mut self.services[service].cores.replica_ns);
        let mut throttled = ThrottledObservation { replica_ns, ..ThrottledObservation::default() };
        let Service { replicas, lives, .. } = &mut self.services[service];
        for (local, &replica) in replicas.iter().enumerate() {
            let cores = self.replicas[replica as usize].cores;
            let row = &mut self.cores[cores as usize];
            row.advance(now);
            let used = std::mem::take(&mut row.busy);
            busy += used;
            if let Some(lives) = lives {
                lives.add_busy(local, used);
            }
            worked += std::mem::take(&mut row.worked);
            paused += std::mem::take(&mut row.paused);
            partial += row.partial();
            throttled.add(row.take_throttled());
        }
        let meter = &mut self.services[service].cores;
        let partial_start = std::mem::replace(&mut meter.partial, partial);
        Some(CoresObservation {
            capacity: std::mem::take(&mut meter.capacity),
            busy,
            worked,
            met: std::mem::take(&mut meter.met),
            partial_start,
            partial_end: partial,
            present: meter.present.flush(now, present),
            response: meter.response.take().compact(),
            wait: meter.wait.take().compact(),
            throttled,
            paused,
        })
    }

    /// Adds up the core time that there has been. Call it before the cores or the replicas change.
    pub(super) fn count_capacity(&mut self, service: usize, now: SimTime) {
        let Some(limit) = self.services_in_force[service].cores else { return };
        let row = &mut self.services[service];
        let elapsed = now.since(row.cores.since).as_nanos() as f64;
        row.cores.capacity += elapsed * limit.cores * f64::from(row.standing);
        row.cores.replica_ns += elapsed * f64::from(row.standing);
        row.cores.since = now;
    }

    // Changes ----------------------------------------------------------------------------------------------

    pub(super) fn change(
        &mut self,
        change: u32,
        begins: bool,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let plan = self.plan;
        let overlap = plan.overlaps.iter().find(|overlap| overlap.changes.contains(&change));
        let before = overlap.map(|overlap| overlap.patch(&self.in_force));
        if begins {
            self.in_force.push(change);
        } else {
            // What recurs may have begun again before it ended.
            let begun = self.in_force.iter().position(|&other| other == change);
            begun.map(|at| self.in_force.remove(at));
        }
        for row in &plan.changes[change as usize].patch.rows {
            let row = self.row_in_force(row);
            self.apply(row, now, calendar);
        }
        if let (Some(overlap), Some(before)) = (overlap, before) {
            let after = overlap.patch(&self.in_force);
            for row in before.rows.iter().filter(|row| after.row_like(row).is_none()) {
                self.apply(self.planned(row), now, calendar);
            }
            for row in after.rows.iter().filter(|row| before.row_like(row) != Some(row)) {
                self.apply(row.clone(), now, calendar);
            }
        }
        self.strike(change, begins, now, calendar);
        self.recur(change, begins, now, calendar);
    }

    /// What holds for the row that `like` names: the latest change in force, or the plan.
    fn row_in_force(&self, like: &Row) -> Row {
        let plan = self.plan;
        for &change in self.in_force.iter().rev() {
            if let Some(row) = plan.changes[change as usize].patch.row_like(like) {
                return row.clone();
            }
        }
        self.planned(like)
    }

    /// The row that `like` names, as it is while no change is in force.
    fn planned(&self, like: &Row) -> Row {
        let plan = self.plan;
        match like {
            Row::Formula(id, _) => Row::Formula(*id, plan.formulas[id.index()].clone()),
            Row::Sampler(id, _) => Row::Sampler(*id, plan.samplers[id.index()].clone()),
            Row::Pool(id, _) => Row::Pool(*id, plan.pools[id.index()].clone()),
            Row::Rate(id, _) => Row::Rate(*id, plan.rates[id.index()].clone()),
            Row::Volume(id, _) => Row::Volume(*id, plan.volumes[id.index()].clone()),
            Row::Move(id, _) => Row::Move(*id, plan.moves[id.index()]),
            Row::Cache(id, _) => Row::Cache(*id, plan.caches[id.index()].clone()),
            Row::Flush(flush) => Row::Flush(FlushPlan { share: 0.0, ..*flush }),
            Row::Service(id, _) => Row::Service(*id, plan.services[id.index()].clone()),
            Row::Traffic(id, _) => Row::Traffic(*id, plan.traffics[id.index()].clone()),
            Row::Policy(id, _) => Row::Policy(*id, plan.policies[id.index()].clone()),
            Row::Route(id, _) => Row::Route(*id, plan.routes[id.index()].clone()),
            Row::Wire(id, _) => Row::Wire(*id, plan.wires[id.index()].clone()),
            Row::Failing(id, _) => Row::Failing(*id, None),
            Row::Cut(id, _) => Row::Cut(*id, plan.links[id.index()].is_cut),
            Row::Added(id, _) => Row::Added(*id, plan.links[id.index()].added.clone()),
            Row::Lossy(id, _) => Row::Lossy(*id, plan.links[id.index()].loss),
            Row::Job(id, _) => Row::Job(*id, plan.jobs[id.index()].clone()),
            Row::Queue(id, _) => Row::Queue(*id, plan.queues[id.index()].clone()),
            Row::Send(id, _) => Row::Send(*id, plan.sends[id.index()]),
            Row::Autoscaler(id, _) => {
                Row::Autoscaler(*id, Box::new(plan.autoscalers[id.index()].controller.clone()))
            }
            Row::Fork(id, _) => Row::Fork(*id, plan.forks[id.index()].clone()),
            Row::Choice(id, _) => Row::Choice(*id, plan.choices[id.index()].clone()),
            Row::Code(id, _) => Row::Code(*id, plan.code[id.index()]),
        }
    }

    fn apply(&mut self, row: Row, now: SimTime, calendar: &mut Calendar<Packed>) {
        match row {
            Row::Formula(id, row) => self.change_formula(id.index(), row),
            Row::Sampler(id, row) => self.samplers[id.index()] = row,
            Row::Policy(id, row) => self.change_policy(id, row),
            Row::Route(id, row) => self.change_route(id, row, now, calendar),
            Row::Failing(id, row) => {
                let (count, entry) = row.map_or((0, NONE), |row| (row.replicas as usize, row.entry.0));
                self.fail_replicas(id.index(), count, entry, now, calendar);
            }
            Row::Cut(id, is_cut) => self.links[id.index()].is_cut = is_cut,
            Row::Added(id, added) => self.links[id.index()].added = added,
            Row::Lossy(id, loss) => self.links[id.index()].loss = loss,
            Row::Wire(id, row) => self.wires[id.index()] = row,
            Row::Job(id, row) => self.change_job(id.index(), row, now, calendar),
            Row::Queue(id, row) => self.change_queue(id.index(), row, now, calendar),
            Row::Send(id, row) => self.queues.sends[id.index()] = row,
            Row::Autoscaler(id, law) => self.scalers.follow(id.index(), &law),
            Row::Fork(id, row) => self.forks[id.index()] = row,
            Row::Choice(id, row) => self.choices[id.index()] = row,
            Row::Code(id, row) => self.code[id.index()] = row,
            Row::Traffic(id, row) => self.replan_arrival(id.0, row, now, calendar),
            Row::Pool(id, row) => self.change_pool(id.index(), &row, now, calendar),
            Row::Rate(id, row) => self.change_rate(id.index(), row, now, calendar),
            Row::Volume(id, row) => self.change_volume(id.index(), row, now),
            Row::Move(id, row) => self.moves[id.index()] = row,
            Row::Cache(id, row) => self.caches.change(id.index(), row, now),
            Row::Flush(flush) => self.caches.empty(flush, now),
            Row::Service(id, row) => self.change_service(id.index(), row, now, calendar),
        }
    }

    fn change_service(
        &mut self,
        service: usize,
        to: crate::blueprint::ServicePlan,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        self.count_capacity(service, now);
        self.services[service].speed = to.speed;
        let plan = to.cores.unwrap_or_else(|| CoresPlan::shared(f64::INFINITY));
        for number in 0..self.services[service].replicas.len() {
            let replica = self.services[service].replicas[number];
            let at = self.replicas[replica as usize].cores;
            let name = self.name_of_cores(service as u32, number as u32);
            self.cores[at as usize].change(&plan, to.speed, name, now);
            self.admit_to_cores(at, now);
            self.schedule_burst_end(at, calendar);
        }
        let declared = std::mem::replace(&mut self.services[service].declared, to.replicas);
        // What an autoscaler has made of it stays, unless this is what changes.
        let wanted =
            if to.replicas == declared { self.services_in_force[service].replicas } else { to.replicas };
        self.replicas_set(service, wanted, now);
        self.services_in_force[service] = crate::blueprint::ServicePlan { replicas: wanted, ..to };
        let wanted = wanted as usize;
        if self.services[service].lives.is_some() {
            self.scale_lives(service, wanted, now, calendar);
        } else {
            self.scale(service, wanted, now);
        }
        for failure in &self.plan.failures {
            // Who is new has not heard of it.
            self.plan_checks(failure.service.index(), now, calendar);
        }
    }

    /// Brings the replicas that take calls to `wanted`. Those taken away finish what they have.
    fn scale(&mut self, service: usize, wanted: usize, now: SimTime) {
        while self.services[service].ready.len() > wanted {
            let Some(local) = self.services[service].ready.pop() else { break };
            let replica = self.services[service].replicas[local as usize];
            self.replicas[replica as usize].standing = Standing::Draining;
            self.retire_if_idle(replica, now);
        }
        let mut local = 0;
        while self.services[service].ready.len() < wanted {
            let row = &self.services[service];
            if local as usize == row.replicas.len() {
                self.count_capacity(service, now);
                let replica = self.add_replica(service as u32, now);
                self.wake_jobs(replica);
            } else if !row.ready.contains(&local) {
                let replica = row.replicas[local as usize];
                self.revive(replica, Standing::Ready, now);
                self.wake_jobs(replica);
                self.services[service].ready.push(local);
            }
            local += 1;
        }
        self.services[service].note_only();
        self.place_members(service as u32);
    }

    /// A request reaches the replica.
    #[inline]
    pub(super) fn receive(&mut self, index: u32, replica: u32, now: SimTime) {
        self.replicas[replica as usize].received += 1;
        self.occupy(replica, now);
        if self.replicas[replica as usize].failing != NONE {
            self.refuse_connection(index, replica);
        }
    }

    /// Somebody begins to run on the replica.
    #[inline]
    pub(super) fn occupy(&mut self, replica: u32, now: SimTime) {
        let row = &mut self.replicas[replica as usize];
        row.present += 1;
        if row.standing == Standing::Gone {
            self.revive(replica, Standing::Draining, now);
        }
    }

    /// Somebody no longer runs on the replica.
    #[inline]
    pub(super) fn leave_replica(&mut self, replica: u32, now: SimTime) {
        let row = &mut self.replicas[replica as usize];
        row.present -= 1;
        if row.standing == Standing::Draining {
            self.retire_if_idle(replica, now);
        }
    }

    /// What a replica has counts until nobody runs on it.
    #[cold]
    fn retire_if_idle(&mut self, replica: u32, now: SimTime) {
        let row = &mut self.replicas[replica as usize];
        if row.present > 0 {
            return;
        }
        if self.services[row.service as usize].lives.is_some() {
            self.ready.add(Task::Retire(replica));
            return;
        }
        self.stand(replica, Standing::Gone, now);
    }

    /// The replica stands as told; if it was gone, what it has counts again.
    #[cold]
    fn revive(&mut self, replica: u32, standing: Standing, now: SimTime) {
        let service = self.replicas[replica as usize].service as usize;
        if self.services[service].lives.is_some() {
            return; // It refuses.
        }
        self.stand(replica, standing, now);
    }
}

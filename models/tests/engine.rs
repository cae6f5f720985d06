//! The engine against known answers, on blueprints made by hand.

#![expect(clippy::unwrap_used, reason = "a test may")]

use models::blueprint::*;
use models::observe::{Ended, Observations};
use models::{Replication, replicate};
use sim_core::distribution::{Constant, Distribution, Exponential, HyperExp};
use sim_core::rate::RateCurve;
use sim_core::{CancelFlag, Span, hash_name};

/// Makes blueprints piece by piece.
struct Build(Blueprint);

impl Build {
    fn new(seconds: u64, warmup: u64) -> Self {
        Self(Blueprint {
            name: "test".to_owned(),
            duration: Span::from_nanos(seconds * 1_000_000_000),
            warmup: Span::from_nanos(warmup * 1_000_000_000),
            classes: vec![],
            outcomes: Outcome::FIXED.iter().map(|&name| name.to_owned()).collect(),
            traffics: vec![],
            services: vec![],
            endpoints: vec![],
            pools: vec![],
            code: vec![],
            salts: vec![],
            samplers: vec![],
            calls: vec![],
            routes: vec![],
            policies: vec![],
            forks: vec![],
            choices: vec![],
            failures: vec![],
            changes: vec![],
            cuts: if warmup > 0 {
                vec![sim_core::SimTime::from_nanos(warmup * 1_000_000_000)]
            } else {
                vec![]
            },
            limits: Limits::default(),
        })
    }

    fn sampler(&mut self, law: Distribution) -> SamplerId {
        self.0.samplers.push(law);
        SamplerId(self.0.samplers.len() as u32 - 1)
    }

    fn service(&mut self, name: &str, replicas: u32, workers: Option<(u32, u32)>) -> ServiceId {
        let id = ServiceId(self.0.services.len() as u32);
        let mut pools = vec![];
        if let Some((slots, queue)) = workers {
            pools.push(PoolId(self.0.pools.len() as u32));
            self.0.pools.push(PoolPlan {
                path: format!("services.{name}.workers"),
                name: format!("{name}.workers"),
                slots,
                queue,
                timeout: None,
                order: Discipline::Fifo,
                scope: PoolScope::Replica { service: id, slot: 0 },
                is_workers: true,
            });
        }
        self.0.services.push(ServicePlan {
            name: name.to_owned(),
            path: format!("services.{name}"),
            replicas,
            cores: None,
            speed: 1.0,
            pools,
            routes: vec![],
        });
        id
    }

    /// Adds an endpoint that holds the workers, if there are any, around `steps`.
    fn endpoint(&mut self, service: ServiceId, steps: &[Op]) -> EndpointId {
        let entry = CodeAddress(self.0.code.len() as u32);
        if let Some(&pool) = self.0.services[service.index()].pools.first() {
            self.0.code.push(Op::Acquire { pool, units: 1 });
        }
        self.0.code.extend_from_slice(steps);
        self.0.code.push(Op::End);
        while self.0.salts.len() < self.0.code.len() {
            self.0.salts.push(hash_name(&format!("op {}", self.0.salts.len())));
        }
        let name = format!("{}.go", self.0.services[service.index()].name);
        self.0.endpoints.push(EndpointPlan { name, service, entry });
        EndpointId(self.0.endpoints.len() as u32 - 1)
    }

    fn policy(&mut self, policy: PolicyPlan) -> PolicyId {
        self.0.policies.push(policy);
        PolicyId(self.0.policies.len() as u32 - 1)
    }

    fn call(&mut self, endpoint: EndpointId, policy: Option<PolicyId>) -> CallId {
        let service = self.0.endpoints[endpoint.index()].service;
        let route = RouteId(self.0.routes.len() as u32);
        self.0.routes.push(RoutePlan { name: String::new(), service, pick: Pick::RoundRobin, health: None });
        let id = CallId(self.0.calls.len() as u32);
        let salt = hash_name(&format!("call {}", id.0));
        self.0.calls.push(CallPlan { endpoint, route, route_slot: 0, policy, latency: None, salt });
        id
    }

    /// Registers the call's route with the calling service.
    fn from(&mut self, service: ServiceId, call: CallId) -> CallId {
        let slot = self.0.services[service.index()].routes.len() as u32;
        let route = self.0.calls[call.index()].route;
        self.0.services[service.index()].routes.push(route);
        self.0.calls[call.index()].route_slot = slot;
        call
    }

    fn traffic(&mut self, arrivals: Arrivals, call: CallId) {
        let name = format!("users{}", self.0.traffics.len());
        self.0.traffics.push(TrafficPlan {
            stream: hash_name(&name),
            path: format!("traffic.{name}"),
            name,
            arrivals,
            targets: vec![(1.0, call)],
            classes: vec![(1.0, 0)],
            attributes: Box::default(),
            routes: vec![self.0.calls[call.index()].route],
            expected_cycle: None,
        });
    }

    fn run(&self, seed: u64) -> Observations {
        replicate(&self.0, &Replication { seed, index: 0, breakdown: true }, &CancelFlag::new())
    }
}

fn exponential(mean: f64) -> Distribution {
    Distribution::from(Exponential::new(mean).unwrap())
}

fn poisson(per_second: f64) -> Arrivals {
    Arrivals::Open { rate: RateCurve::constant(per_second).unwrap(), gap: exponential(1.0), batch: None }
}

fn station(rate: f64, service: f64, slots: u32, queue: u32, seconds: u64) -> Build {
    let mut build = Build::new(seconds, seconds / 20);
    let server = build.service("server", 1, Some((slots, queue)));
    let time = build.sampler(exponential(service));
    let endpoint = build.endpoint(server, &[Op::Delay(time)]);
    let call = build.call(endpoint, None);
    build.traffic(poisson(rate), call);
    build
}

/// The measured part, every law checked.
fn measured(seen: &Observations) -> &models::observe::Segment {
    assert_eq!(seen.ended, Ended::Complete);
    assert!(seen.balances.iter().all(models::observe::Balance::holds), "{:?}", seen.balances);
    for segment in &seen.segments {
        let windows = segment
            .traffics
            .iter()
            .map(|t| &t.present)
            .chain(segment.services.iter().map(|s| &s.present))
            .chain(segment.pools.iter().flat_map(|p| [&p.waiting, &p.in_use, &p.capacity]))
            .chain(segment.cores.iter().flatten().map(|c| &c.present));
        for window in windows {
            assert!(window.residual() <= 0.0, "{window:?}");
        }
        for cores in segment.cores.iter().flatten() {
            let demand = cores.met + cores.partial_end - cores.partial_start;
            assert!((cores.worked - demand).abs() <= 1e-6 * cores.worked.max(1.0), "{cores:?}");
        }
    }
    seen.segments.last().unwrap()
}

fn close(value: f64, expected: f64, tolerance: f64) {
    assert!((value / expected - 1.0).abs() < tolerance, "{value} instead of {expected}");
}

#[test]
fn a_single_server_queue_has_its_textbook_mean() {
    let seen = station(0.8, 1.0, 1, u32::MAX, 2_000_000).run(1);
    let last = measured(&seen);
    close(last.traffics[0].latency.mean().unwrap() / 1e9, 5.0, 0.03);
    close(last.traffics[0].latency.quantile(0.99).unwrap() / 1e9, 23.026, 0.05);
    close(last.pools[0].in_use.mean(), 0.8, 0.01);
}

#[test]
fn many_servers_share_one_queue() {
    let seen = station(14.4, 1.0, 16, u32::MAX, 200_000).run(2);
    close(measured(&seen).traffics[0].latency.mean().unwrap() / 1e9, 1.36959, 0.02);
}

#[test]
fn a_full_queue_rejects() {
    // M/M/1/2 at rho 1: a third of the requests finds two there.
    let seen = station(1.0, 1.0, 1, 1, 400_000).run(3);
    let last = measured(&seen);
    let rejected = last.traffics[0].outcomes[Outcome::REJECTED.0 as usize] as f64;
    close(rejected / last.traffics[0].offered as f64, 1.0 / 3.0, 0.02);
}

#[test]
fn processor_sharing_has_the_mean_of_the_queue_in_line() {
    let mut build = Build::new(400_000, 20_000);
    let server = build.service("server", 1, None);
    build.0.services[0].cores = Some(CoresPlan { cores: 1.0, run_to_completion: false });
    let need = build.sampler(Distribution::from(HyperExp::new(1.0, 2.0).unwrap()));
    let endpoint = build.endpoint(server, &[Op::Cpu(need)]);
    let call = build.call(endpoint, None);
    build.traffic(poisson(0.7), call);
    let seen = build.run(4);
    close(measured(&seen).traffics[0].latency.mean().unwrap() / 1e9, 1.0 / 0.3, 0.03);
}

#[test]
fn an_event_loop_serves_in_line() {
    let mut build = Build::new(400_000, 20_000);
    let server = build.service("server", 1, None);
    build.0.services[0].cores = Some(CoresPlan { cores: 1.0, run_to_completion: true });
    let need = build.sampler(Distribution::from(Constant::new(1.0).unwrap()));
    let endpoint = build.endpoint(server, &[Op::Cpu(need)]);
    let call = build.call(endpoint, None);
    build.traffic(poisson(0.5), call);
    let seen = build.run(5);
    close(measured(&seen).traffics[0].latency.mean().unwrap() / 1e9, 1.5, 0.01);
}

#[test]
fn a_fork_waits_for_its_slowest_branch() {
    let mut build = Build::new(20_000, 1_000);
    let front = build.service("front", 1, None);
    let leaf = build.service("leaf", 1, None);
    let time = build.sampler(exponential(0.01));
    let copies = build.sampler(Distribution::from(Constant::new(10.0).unwrap()));
    let get = build.endpoint(leaf, &[Op::Delay(time)]);
    let call = build.call(get, None);
    let call = build.from(front, call);
    build.0.forks.push(ForkPlan {
        branches: vec![BranchPlan::Call(call)],
        copies: Some(copies),
        wait_for: WaitFor::All,
        cancel: false,
    });
    let fan = build.endpoint(front, &[Op::Fork(ForkId(0))]);
    let enter = build.call(fan, None);
    build.traffic(poisson(10.0), enter);
    let seen = build.run(6);
    let harmonic: f64 = (1..=10).map(|i| 1.0 / f64::from(i)).sum();
    close(measured(&seen).traffics[0].latency.mean().unwrap() / 1e9, 0.01 * harmonic, 0.01);
}

#[test]
fn attempts_time_out_and_are_tried_again() {
    let mut build = Build::new(100_000, 1_000);
    let server = build.service("server", 1, None);
    let time = build.sampler(exponential(1.0));
    let endpoint = build.endpoint(server, &[Op::Delay(time)]);
    let mut member = vec![false; 8];
    member[Outcome::TIMED_OUT.0 as usize] = true;
    let policy = build.policy(PolicyPlan {
        name: "p".to_owned(),
        path: "policies.p".to_owned(),
        timeout: Some(Span::from_nanos(500_000_000)),
        total: None,
        cancel: false,
        retry: Some(RetryPlan {
            attempts: 5,
            outcomes: OutcomeSet { member },
            base: Span::from_nanos(200_000_000),
            factor: 1.0,
            max: Span::from_nanos(200_000_000),
            jitter: Jitter::None,
        }),
    });
    let call = build.call(endpoint, Some(policy));
    build.traffic(poisson(5.0), call);
    let seen = build.run(7);
    let last = measured(&seen);
    let p = (-0.5_f64).exp();
    let ended: u64 = last.traffics[0].outcomes.iter().sum();
    let answered = last.traffics[0].outcomes[0];
    close(answered as f64 / ended as f64, 1.0 - p.powi(5), 0.01);
    close(last.traffics[0].attempts as f64 / ended as f64, (1.0 - p.powi(5)) / (1.0 - p), 0.01);
}

#[test]
fn cancellation_frees_what_the_whole_tree_holds() {
    // The caller gives up after 1 ms; the callee would hold its only slot for an hour.
    let mut build = Build::new(100, 0);
    let front = build.service("front", 1, Some((4, u32::MAX)));
    let back = build.service("back", 1, Some((1, u32::MAX)));
    let hour = build.sampler(Distribution::from(Constant::new(3_600.0).unwrap()));
    let slow = build.endpoint(back, &[Op::Delay(hour)]);
    let inner = build.call(slow, None);
    let inner = build.from(front, inner);
    let fan = build.endpoint(front, &[Op::Call(inner)]);
    let policy = build.policy(PolicyPlan {
        name: "p".to_owned(),
        path: "policies.p".to_owned(),
        timeout: Some(Span::from_nanos(1_000_000)),
        total: None,
        cancel: true,
        retry: None,
    });
    let outer = build.call(fan, Some(policy));
    build.traffic(poisson(50.0), outer);
    let seen = build.run(8);
    let last = measured(&seen);
    let timed_out = last.traffics[0].outcomes[Outcome::TIMED_OUT.0 as usize];
    assert!(timed_out > 4_000, "{timed_out}");
    assert!(last.pools.iter().all(|pool| pool.in_use.n_end <= 2), "{:?}", last.pools);
}

#[test]
fn closed_users_cycle_between_thinking_and_the_station() {
    // M/M/1//5 with think 10 s and service 1 s.
    let mut build = station(1.0, 1.0, 1, u32::MAX, 300_000);
    build.0.traffics[0].arrivals = Arrivals::Closed { users: 5, think: exponential(10.0) };
    let seen = build.run(9);
    let mut p0 = 0.0;
    let mut term = 1.0;
    for n in 0..=5 {
        p0 += term;
        term *= f64::from(5 - n) * 0.1;
    }
    let throughput = 1.0 - 1.0 / p0;
    close(measured(&seen).traffics[0].latency.count() as f64 / 285_000.0, throughput, 0.01);
}

#[test]
fn the_same_seed_gives_the_same_trajectory() {
    let build = station(0.8, 1.0, 1, u32::MAX, 10_000);
    assert_eq!(build.run(11), build.run(11));
    assert_ne!(build.run(11).fingerprint, build.run(12).fingerprint);
}

#[test]
fn recursion_without_end_stops_at_the_depth_limit() {
    let mut build = Build::new(10, 0);
    let server = build.service("server", 1, None);
    // The endpoint calls itself: its own call is the first of the table.
    let endpoint = build.endpoint(server, &[Op::Call(CallId(0))]);
    let inner = build.call(endpoint, None);
    build.from(server, inner);
    let outer = build.call(endpoint, None);
    build.traffic(poisson(1.0), outer);
    assert_eq!(build.run(13).ended, Ended::CallDepth);
}

#[test]
fn branches_that_are_not_needed_go_on_or_are_stopped() {
    // One of three branches is enough; each holds one of many slots for a second on average.
    for (cancel, expected) in [(false, 3.0), (true, 1.0)] {
        let mut build = Build::new(10_000, 100);
        let front = build.service("front", 1, None);
        let leaf = build.service("leaf", 1, Some((1_000, u32::MAX)));
        let time = build.sampler(exponential(1.0));
        let copies = build.sampler(Distribution::from(Constant::new(3.0).unwrap()));
        let get = build.endpoint(leaf, &[Op::Delay(time)]);
        let call = build.call(get, None);
        let call = build.from(front, call);
        build.0.forks.push(ForkPlan {
            branches: vec![BranchPlan::Call(call)],
            copies: Some(copies),
            wait_for: WaitFor::Count(1),
            cancel,
        });
        let fan = build.endpoint(front, &[Op::Fork(ForkId(0))]);
        let enter = build.call(fan, None);
        build.traffic(poisson(2.0), enter);
        let seen = build.run(14);
        let last = measured(&seen);
        close(last.traffics[0].latency.mean().unwrap() / 1e9, 1.0 / 3.0, 0.02);
        // By Little's Law, what is held is the rate times the work of a request.
        close(last.pools[0].in_use.mean(), 2.0 * expected, 0.03);
    }
}

#[test]
fn what_follows_a_reply_still_holds_the_worker() {
    let mut build = Build::new(50_000, 1_000);
    let server = build.service("server", 1, Some((100, u32::MAX)));
    let fast = build.sampler(exponential(0.1));
    let slow = build.sampler(exponential(0.9));
    let endpoint = build.endpoint(server, &[Op::Delay(fast), Op::Reply, Op::Delay(slow)]);
    let call = build.call(endpoint, None);
    build.traffic(poisson(5.0), call);
    let seen = build.run(15);
    let last = measured(&seen);
    close(last.traffics[0].latency.mean().unwrap() / 1e9, 0.1, 0.01);
    close(last.pools[0].in_use.mean(), 5.0, 0.02);
}

#[test]
fn a_slow_network_adds_to_the_latency_in_both_directions() {
    let mut build = Build::new(10_000, 100);
    let server = build.service("server", 1, Some((100, u32::MAX)));
    let work = build.sampler(Distribution::from(Constant::new(0.005).unwrap()));
    let network = build.sampler(Distribution::from(Constant::new(0.05).unwrap()));
    let endpoint = build.endpoint(server, &[Op::Delay(work)]);
    let call = build.call(endpoint, None);
    build.0.calls[call.index()].latency = Some(network);
    build.traffic(poisson(5.0), call);
    let seen = build.run(16);
    let last = measured(&seen);
    assert_eq!(last.traffics[0].latency.max(), Some(105_000_000));
    assert_eq!(last.endpoints[0].latency.max(), Some(5_000_000));
}

#[test]
fn a_service_that_stands_still_serves_when_it_goes_on() {
    // Standing still from 10 s to 20 s: whoever arrives meanwhile is served right after.
    let mut build = Build::new(41, 0);
    let server = build.service("server", 1, None);
    build.0.services[0].cores = Some(CoresPlan { cores: 1.0, run_to_completion: false });
    let need = build.sampler(Distribution::from(Constant::new(0.001).unwrap()));
    let endpoint = build.endpoint(server, &[Op::Cpu(need)]);
    let call = build.call(endpoint, None);
    build.traffic(poisson(10.0), call);
    let mut still = build.0.services[0].clone();
    still.speed = 0.0;
    build.0.changes.push(Change {
        at: sim_core::SimTime::from_nanos(10_000_000_000),
        until: Some(sim_core::SimTime::from_nanos(20_000_000_000)),
        patch: Patch { rows: vec![Row::Service(server, still)] },
        label: "services.server.speed: 0".to_owned(),
    });
    let seen = build.run(17);
    let last = measured(&seen);
    let longest = last.traffics[0].latency.max().unwrap() as f64 / 1e9;
    assert!((9.5..10.2).contains(&longest), "{longest}");
    assert_eq!(seen.balances[0].in_flight, 0);
}

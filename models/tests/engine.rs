//! The engine against known answers, on blueprints made by hand.

#![expect(clippy::unwrap_used, reason = "a test may")]

use models::blueprint::*;
use models::observe::{Ended, Observations};
use models::{Replication, replicate};
use sim_core::distribution::{Constant, Distribution, Exponential, HyperExp, Quantiles};
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
            tenants: Vec::new(),
            outcomes: Outcome::FIXED.iter().map(|&name| name.to_owned()).collect(),
            traffics: vec![],
            services: vec![],
            endpoints: vec![],
            pools: vec![],
            rates: vec![],
            volumes: vec![],
            jobs: vec![],
            queues: vec![],
            sends: vec![],
            autoscalers: vec![],
            moves: vec![],
            formulas: vec![],
            caches: vec![],
            gets: vec![],
            puts: vec![],
            code: vec![],
            salts: vec![],
            samplers: vec![],
            calls: vec![],
            routes: vec![],
            wires: vec![],
            policies: vec![],
            uses: vec![],
            zones: vec![],
            links: vec![],
            forks: vec![],
            choices: vec![],
            failures: vec![],
            changes: vec![],
            overlaps: vec![],
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
                queue,
                is_workers: true,
                ..PoolPlan::new(
                    format!("services.{name}.workers"),
                    format!("{name}.workers"),
                    slots,
                    PoolScope::Replica { service: id, slot: 0 },
                )
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
            life: LifePlan::default(),
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
        self.0.routes.push(RoutePlan {
            name: String::new(),
            service,
            pick: Pick::RoundRobin,
            health: None,
            connect: None,
            slow_start: None,
            zone: None,
        });
        let id = CallId(self.0.calls.len() as u32);
        let salt = hash_name(&format!("call {}", id.0));
        self.0.calls.push(CallPlan {
            endpoint,
            route,
            route_slot: 0,
            policy,
            latency: None,
            wire: None,
            link: None,
            salt,
        });
        id
    }

    /// Registers the call's route with the calling service.
    fn from(&mut self, service: ServiceId, call: CallId) -> CallId {
        let slot = self.0.services[service.index()].routes.len() as u32;
        let route = self.0.calls[call.index()].route;
        self.0.services[service.index()].routes.push(route);
        self.0.calls[call.index()].route_slot = slot;
        self.uses(call, Caller::Service(service));
        call
    }

    fn uses(&mut self, call: CallId, caller: Caller) {
        if let Some(policy) = self.0.calls[call.index()].policy {
            self.0.uses.push(UsePlan { policy, caller, fallback: None });
            self.0.uses.sort_by_key(|usage| (usage.policy, usage.caller));
        }
    }

    fn traffic(&mut self, arrivals: Arrivals, call: CallId) {
        self.uses(call, Caller::Traffic(TrafficId(self.0.traffics.len() as u32)));
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
    Arrivals::Open {
        rate: RateCurve::constant(per_second).unwrap(),
        gap: exponential(1.0),
        modulation: None,
        batch: None,
    }
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
    build.0.services[0].cores = Some(CoresPlan::shared(1.0));
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
    build.0.services[0].cores =
        Some(CoresPlan { scheduling: Scheduling::RunToCompletion, ..CoresPlan::shared(1.0) });
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
        timeout: Some(Span::from_nanos(500_000_000)),
        retry: Some(RetryPlan {
            attempts: 5,
            outcomes: OutcomeSet { member },
            base: Span::from_nanos(200_000_000),
            factor: 1.0,
            max: Span::from_nanos(200_000_000),
            jitter: Jitter::None,
            drawn: None,
            budget: None,
            parallel: None,
        }),
        ..PolicyPlan::named("p")
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
        timeout: Some(Span::from_nanos(1_000_000)),
        cancel: true,
        ..PolicyPlan::named("p")
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
    build.0.services[0].cores = Some(CoresPlan::shared(1.0));
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
        recurs: None,
        when: None,
        fault: None,
    });
    let seen = build.run(17);
    let last = measured(&seen);
    let longest = last.traffics[0].latency.max().unwrap() as f64 / 1e9;
    assert!((9.5..10.2).contains(&longest), "{longest}");
    assert_eq!(seen.balances[0].in_flight, 0);
}

// Policies -------------------------------------------------------------------------------------------------

fn seconds(n: f64) -> Span {
    Span::from_seconds(n).unwrap()
}

/// Requests at even gaps, the first after one of them.
fn even(per_second: f64) -> Arrivals {
    let gap = Distribution::from(Constant::new(1.0).unwrap());
    Arrivals::Open { rate: RateCurve::constant(per_second).unwrap(), gap, modulation: None, batch: None }
}

fn retry(attempts: u32, outcomes: &[Outcome]) -> RetryPlan {
    let mut member = vec![false; 8];
    for outcome in outcomes {
        member[outcome.0 as usize] = true;
    }
    RetryPlan {
        attempts,
        outcomes: OutcomeSet { member },
        base: Span::ZERO,
        factor: 1.0,
        max: Span::ZERO,
        jitter: Jitter::None,
        drawn: None,
        budget: None,
        parallel: None,
    }
}

/// Requests at a service whose only endpoint takes `time`, called under `policy`.
fn guarded(arrivals: Arrivals, time: Distribution, policy: PolicyPlan, run_seconds: u64) -> Build {
    let mut build = Build::new(run_seconds, 0);
    let server = build.service("server", 1, Some((1_000_000, u32::MAX)));
    let time = build.sampler(time);
    let endpoint = build.endpoint(server, &[Op::Delay(time)]);
    let policy = build.policy(policy);
    let call = build.call(endpoint, Some(policy));
    build.traffic(arrivals, call);
    build
}

fn always(seconds: f64) -> Distribution {
    Distribution::from(Constant::new(seconds).unwrap())
}

/// Requests that each of four replicas received, of ten calls under the policy.
fn received(pick: Pick, policy: PolicyPlan) -> Vec<u64> {
    let mut build = guarded(even(1.0), always(0.5), policy, 11);
    build.0.services[0].replicas = 4;
    build.0.routes[0].pick = pick;
    let seen = build.run(3);
    measured(&seen).services[0].received.clone()
}

#[test]
fn copies_that_avoid_what_was_tried_reach_every_replica_once() {
    let copies = |max| PolicyPlan {
        hedge: Some(HedgePlan { after: HedgeAfter::Time(Span::ZERO), max, cancel: true, tied: false }),
        avoid_tried: true,
        ..PolicyPlan::named("p")
    };
    assert_eq!(received(Pick::Random, copies(3)), [10, 10, 10, 10]);
    assert_eq!(received(Pick::LeastConnections, copies(3)), [10, 10, 10, 10]);
    assert_eq!(received(Pick::First, copies(1)), [10, 10, 0, 0]);
    // The fifth has no other to go to.
    assert_eq!(received(Pick::First, copies(4)), [20, 10, 10, 10]);
    let anywhere = PolicyPlan { avoid_tried: false, ..copies(3) };
    assert_eq!(received(Pick::First, anywhere), [40, 0, 0, 0]);
}

#[test]
fn retries_that_avoid_what_was_tried_go_to_the_next_replica() {
    let patient = PolicyPlan {
        timeout: Some(seconds(0.1)),
        retry: Some(retry(3, &[Outcome::TIMED_OUT])),
        avoid_tried: true,
        ..PolicyPlan::named("p")
    };
    assert_eq!(received(Pick::First, patient.clone()), [10, 10, 10, 0]);
    assert_eq!(received(Pick::First, PolicyPlan { avoid_tried: false, ..patient }), [30, 0, 0, 0]);
}

#[test]
fn a_drawn_back_off_has_the_law_it_is_drawn_from() {
    // Two attempts of 0.1 s and an exponential back-off of 1 s between them.
    let policy = PolicyPlan {
        timeout: Some(seconds(0.1)),
        retry: Some(RetryPlan { drawn: Some(exponential(1.0)), ..retry(2, &[Outcome::TIMED_OUT]) }),
        ..PolicyPlan::named("p")
    };
    let seen = guarded(poisson(20.0), always(3_600.0), policy, 2_000).run(9);
    let times = &measured(&seen).traffics[0].unanswered;
    close(times.mean().unwrap() / 1e9, 1.2, 0.02);
    close(times.quantile(0.99).unwrap() / 1e9, 0.2 + 100_f64.ln(), 0.05);
}

#[test]
fn a_breaker_opens_probes_and_opens_again() {
    // Every call times out after 50 ms. Ten of them open the breaker, then one probe every 10 s does.
    let policy = PolicyPlan {
        timeout: Some(seconds(0.05)),
        breaker: Some(BreakerPlan {
            window: BreakerWindow::Calls(10),
            min_calls: 10,
            failures: 0.5,
            slow: None,
            slow_share: None,
            open: seconds(10.0),
            probes: 1,
        }),
        ..PolicyPlan::named("p")
    };
    // At 0.1 s and every 0.1 s after. The tenth call ends at 1.05 s: the breaker is half open at 11.05 s, the call
    // at 11.1 s is the probe, and fails at 11.15 s; the next one is made at 21.2 s, and so on.
    let seen = guarded(even(10.0), always(3_600.0), policy, 100).run(21);
    let last = measured(&seen);
    let policy = &last.policies[0];
    assert_eq!((policy.attempts, policy.timed_out, policy.trips), (19, 19, 10), "{policy:?}");
    assert_eq!(policy.calls, policy.attempts + policy.broken);
    assert_eq!(last.traffics[0].outcomes[Outcome::REJECTED.0 as usize], policy.broken);
    let total = policy.breaker.closed + policy.breaker.open + policy.breaker.half_open;
    assert!((99_800_000_000..=100_000_000_000).contains(&total), "{:?}", policy.breaker);
    // Half open for 0.05 s before a probe and 0.05 s with it, nine times.
    close(policy.breaker.half_open as f64, 9.0 * 1e8, 1e-6);
}

#[test]
fn a_budget_bounds_the_retries() {
    let budget =
        BudgetPlan { ratio: 0.1, cap: 10.0, credit: Credit::Attempt, spend: Spend::Retry, reserve: 0.0 };
    let policy = PolicyPlan {
        timeout: Some(seconds(0.01)),
        retry: Some(RetryPlan { budget: Some(budget), ..retry(4, &[Outcome::TIMED_OUT]) }),
        ..PolicyPlan::named("p")
    };
    let seen = guarded(even(10.0), always(1.0), policy, 1_000).run(22);
    let policy = &measured(&seen).policies[0];
    // Ten tokens at the start, and a tenth for each call but the few that come while the bucket is full.
    let expected = 10 + policy.calls / 10;
    assert!((expected - 1..=expected).contains(&policy.retries), "{policy:?}");
    assert_eq!(policy.attempts, policy.calls + policy.retries);
}

#[test]
fn retries_under_way_are_bounded() {
    // Each retry backs off for 10 s, so three of them every 10 s are all there are.
    let policy = PolicyPlan {
        timeout: Some(seconds(0.01)),
        retry: Some(RetryPlan {
            base: seconds(10.0),
            max: seconds(10.0),
            parallel: Some(3),
            ..retry(2, &[Outcome::TIMED_OUT])
        }),
        ..PolicyPlan::named("p")
    };
    let seen = guarded(even(10.0), always(1.0), policy, 100).run(23);
    let policy = &measured(&seen).policies[0];
    assert!((27..=30).contains(&policy.retries), "{policy:?}");
}

#[test]
fn a_limit_bounds_what_is_in_flight_and_who_waits() {
    // Two in flight and one that waits, each takes 1 s: of ten a second, two are served.
    let limit = LimitPlan { calls: 2, queue: 1, timeout: None };
    let policy = PolicyPlan { limit: Some(limit), ..PolicyPlan::named("p") };
    let seen = guarded(even(10.0), always(1.0), policy, 100).run(24);
    let last = measured(&seen);
    assert_eq!(last.services[0].present.max, 2);
    let slowest = last.traffics[0].latency.max().unwrap();
    assert!((1_000_000_001..=2_000_000_000).contains(&slowest), "{slowest}");
    let served = last.traffics[0].outcomes[0];
    assert!((196..=200).contains(&served), "{served}");
    assert_eq!(last.traffics[0].outcomes[Outcome::REJECTED.0 as usize], last.policies[0].limited);
}

#[test]
fn who_waits_too_long_for_the_limit_is_rejected() {
    let limit = LimitPlan { calls: 1, queue: 100, timeout: Some(seconds(0.5)) };
    let policy = PolicyPlan { limit: Some(limit), ..PolicyPlan::named("p") };
    let seen = guarded(even(10.0), always(1.0), policy, 100).run(25);
    let last = measured(&seen);
    // A call that waited half a second is rejected: nobody is there for longer than 1.5 s.
    assert!(last.traffics[0].latency.max().unwrap() <= 1_500_000_000);
    assert_eq!(last.traffics[0].unanswered.max(), Some(500_000_000));
    close(last.traffics[0].outcomes[0] as f64, 99.0, 0.02);
}

#[test]
fn each_caller_replica_has_a_limit_unless_it_is_shared() {
    for (shared, most) in [(false, 4), (true, 1)] {
        let mut build = Build::new(100, 0);
        let front = build.service("front", 4, None);
        let back = build.service("back", 1, None);
        let time = build.sampler(always(1.0));
        let get = build.endpoint(back, &[Op::Delay(time)]);
        let limit = LimitPlan { calls: 1, queue: 0, timeout: None };
        let policy = build.policy(PolicyPlan { limit: Some(limit), shared, ..PolicyPlan::named("p") });
        let call = build.call(get, Some(policy));
        let call = build.from(front, call);
        let fan = build.endpoint(front, &[Op::Call(call)]);
        let enter = build.call(fan, None);
        build.traffic(even(10.0), enter);
        let seen = build.run(26);
        assert_eq!(measured(&seen).services[1].present.max, most, "shared: {shared}");
    }
}

#[test]
fn hedges_answer_for_the_slow() {
    // One call in ten takes 1 s, the others 10 ms; a copy after 20 ms takes as long as it happens to.
    let slow = Distribution::from(
        Quantiles::new(&[(0.0, 0.01), (0.899_999, 0.01), (0.9, 1.0), (1.0, 1.0)]).unwrap(),
    );
    let hedge = HedgePlan { after: HedgeAfter::Time(seconds(0.02)), max: 1, cancel: true, tied: false };
    let policy = PolicyPlan { hedge: Some(hedge), ..PolicyPlan::named("p") };
    let seen = guarded(poisson(100.0), slow, policy, 2_000).run(27);
    let last = measured(&seen);
    let policy = &last.policies[0];
    close(policy.hedges as f64 / policy.calls as f64, 0.1, 0.02);
    close(policy.hedges_won as f64 / policy.hedges as f64, 0.9, 0.02);
    let beyond = 1.0 - last.traffics[0].latency.share_at_most(500_000_000).unwrap();
    close(beyond, 0.01, 0.1);
    // The loser is stopped: by Little's Law a call is worked on for 10 ms, or 20 ms and twice 10 ms, or 1.98 s.
    let work = 0.9 * 0.01 + 0.1 * (0.9 * (0.03 + 0.01) + 0.1 * (1.0 + 0.98));
    close(last.pools[0].in_use.mean(), 100.0 * work, 0.05);
}

#[test]
fn a_hedge_after_a_live_percentile_sends_that_share_of_copies() {
    let hedge = HedgePlan { after: HedgeAfter::Quantile(0.95), max: 1, cancel: true, tied: false };
    let policy = PolicyPlan { hedge: Some(hedge), ..PolicyPlan::named("p") };
    let seen = guarded(poisson(100.0), exponential(0.01), policy, 2_000).run(28);
    let policy = &measured(&seen).policies[0];
    close(policy.hedges as f64 / policy.calls as f64, 0.05, 0.05);
}

#[test]
fn tied_copies_do_the_work_once() {
    // Two copies of every request wait in two queues; the one that is served first stops the other.
    let mut last_work = Vec::new();
    for tied in [false, true] {
        let mut build = Build::new(20_000, 0);
        let server = build.service("server", 2, Some((1, u32::MAX)));
        let time = build.sampler(exponential(0.1));
        let pool = build.0.services[0].pools[0];
        let entry = CodeAddress(build.0.code.len() as u32);
        build.0.code.extend([Op::Acquire { pool, units: 1 }, Op::Begin, Op::Delay(time), Op::End]);
        build.0.salts.extend([1, 2, 3, 4]);
        build.0.endpoints.push(EndpointPlan { name: "server.go".to_owned(), service: server, entry });
        let hedge = HedgePlan { after: HedgeAfter::Time(Span::ZERO), max: 1, cancel: false, tied };
        let policy = build.policy(PolicyPlan { hedge: Some(hedge), ..PolicyPlan::named("p") });
        let call = build.call(EndpointId(0), Some(policy));
        build.traffic(poisson(5.0), call);
        let seen = build.run(29);
        last_work.push(measured(&seen).pools[0].in_use.mean());
    }
    close(last_work[0], 1.0, 0.02);
    // The first copy of a request that meets a free replica begins before the second is sent.
    close(last_work[1], 0.5, 0.02);
}

#[test]
fn a_fallback_answers_for_what_failed() {
    let policy = PolicyPlan { timeout: Some(seconds(0.05)), ..PolicyPlan::named("p") };
    let mut build = guarded(even(10.0), always(1.0), policy, 100);
    let cached = build.sampler(always(0.001));
    build.0.uses[0].fallback = Some(CodeAddress(build.0.code.len() as u32));
    build.0.code.extend([Op::Delay(cached), Op::End]);
    build.0.salts.extend([7, 8]);
    let seen = build.run(30);
    let last = measured(&seen);
    let ended: u64 = last.traffics[0].outcomes.iter().sum();
    assert_eq!(last.traffics[0].outcomes[Outcome::DEGRADED.0 as usize], ended);
    assert_eq!(last.traffics[0].latency.max(), Some(51_000_000));
}

#[test]
fn work_that_is_past_its_deadline_does_not_begin() {
    // Twice as much arrives as can be served, and nobody waits for longer than a second. What has waited that long
    // is worked on all the same, unless the server knows.
    for deadline in [false, true] {
        let mut build = Build::new(1_000, 500);
        let server = build.service("server", 1, Some((1, u32::MAX)));
        let time = build.sampler(always(0.1));
        let endpoint = build.endpoint(server, &[Op::Delay(time)]);
        let policy =
            build.policy(PolicyPlan { timeout: Some(seconds(1.05)), deadline, ..PolicyPlan::named("p") });
        let call = build.call(endpoint, Some(policy));
        build.traffic(even(20.0), call);
        let seen = build.run(31);
        let last = measured(&seen);
        let waiting = last.pools[0].waiting.n_end;
        assert!(
            if deadline { waiting <= 22 } else { waiting > 9_000 },
            "{waiting} wait, deadline {deadline}"
        );
    }
}

#[test]
fn a_deadline_travels_down_and_cuts_timers() {
    // The front has 1 s; it works for 0.7 s and then calls the back, which has a timeout of its own of 5 s.
    let mut build = Build::new(100, 0);
    let front = build.service("front", 1, None);
    let back = build.service("back", 1, None);
    let (work, hour) = (build.sampler(always(0.7)), build.sampler(always(3_600.0)));
    let slow = build.endpoint(back, &[Op::Delay(hour)]);
    let patient = build.policy(PolicyPlan {
        timeout: Some(seconds(5.0)),
        cancel: true,
        ..PolicyPlan::named("patient")
    });
    let inner = build.call(slow, Some(patient));
    let inner = build.from(front, inner);
    let enter = build.endpoint(front, &[Op::Delay(work), Op::Call(inner)]);
    let hurried = build.policy(PolicyPlan {
        timeout: Some(seconds(1.0)),
        deadline: true,
        ..PolicyPlan::named("hurried")
    });
    let call = build.call(enter, Some(hurried));
    build.traffic(even(1.0), call);
    let seen = build.run(32);
    let last = measured(&seen);
    // Each call at the back is given up 0.3 s after it began, though the client's timeout cancels nothing.
    assert_eq!(last.services[1].present.max, 1, "{:?}", last.services[1].present);
    assert_eq!(last.policies[patient.index()].timed_out, last.services[1].present.leaves);
}

#[test]
fn variants_that_differ_in_policy_meet_the_same_needs() {
    let plain = guarded(poisson(10.0), exponential(0.1), PolicyPlan::named("p"), 1_000).run(33);
    let hedge = HedgePlan { after: HedgeAfter::Time(seconds(3_000.0)), max: 1, cancel: true, tied: false };
    let limit = LimitPlan { calls: 1_000, queue: 0, timeout: None };
    let policy = PolicyPlan { hedge: Some(hedge), limit: Some(limit), ..PolicyPlan::named("p") };
    let guarded = guarded(poisson(10.0), exponential(0.1), policy, 1_000).run(33);
    assert_eq!(measured(&plain).traffics, measured(&guarded).traffics);
}

/// Who has given up in front of one pool, but was served, is not given up in front of the next.
#[test]
fn a_timeout_of_an_earlier_wait_is_over_with_it() {
    let mut build = Build::new(10, 0);
    let server = build.service("server", 1, None);
    let pool = |name: &str, timeout: Option<f64>| PoolPlan {
        timeout: timeout.map(|seconds| Distribution::from(Constant::new(seconds).unwrap())),
        ..PoolPlan::new(format!("resources.{name}"), name, 1, PoolScope::One)
    };
    build.0.pools.extend([pool("first", Some(1.0)), pool("second", None)]);
    let [short, long] = [0.4, 2.0].map(|seconds| build.sampler(Constant::new(seconds).unwrap().into()));
    let endpoint = build.endpoint(
        server,
        &[
            Op::Acquire { pool: PoolId(0), units: 1 },
            Op::Delay(short),
            Op::Release,
            Op::Acquire { pool: PoolId(1), units: 1 },
            Op::Delay(long),
            Op::Release,
        ],
    );
    let call = build.call(endpoint, None);
    build.traffic(Arrivals::Trace([0, 1].into()), call);
    // The second waits for the first pool until 0.4 s, and for the second one from 0.8 to 2.4 s.
    let seen = build.run(1);
    assert_eq!(seen.balances[0].of(Outcome::OK), 2, "{:?}", seen.balances);
}

/// Three requests of a second each for one worker, whose callers wait for one and a half: the second is given up while
/// it is served, the third before.
#[test]
fn who_has_been_abandoned_is_dropped_when_it_is_his_turn() {
    let mut build = Build::new(10, 0);
    let server = build.service("server", 1, Some((1, u32::MAX)));
    build.0.pools[0].drop_abandoned = true;
    let second = build.sampler(Constant::new(1.0).unwrap().into());
    let endpoint = build.endpoint(server, &[Op::Delay(second)]);
    let policy = build.policy(PolicyPlan { timeout: Some(seconds(1.5)), ..PolicyPlan::named("p") });
    let call = build.call(endpoint, Some(policy));
    build.traffic(Arrivals::Trace([0, 100_000_000, 200_000_000].into()), call);
    let seen = build.run(1);
    let pool = &measured(&seen).pools[0];
    assert_eq!((pool.acquired, pool.abandoned, pool.dropped), (2, 1, 0));
    assert_eq!(seen.balances[0].of(Outcome::TIMED_OUT), 2);
}

/// A pool of `slots` units beside the services.
fn shared_pool(build: &mut Build, name: &str, slots: u32, timeout: Option<Span>) -> PoolId {
    let timeout = timeout.map(|timeout| Distribution::from(Constant::new(timeout.as_seconds()).unwrap()));
    let pool =
        PoolPlan { timeout, ..PoolPlan::new(format!("resources.{name}"), name, slots, PoolScope::One) };
    build.0.pools.push(pool);
    PoolId(build.0.pools.len() as u32 - 1)
}

/// Two users take a unit each and wait for one more.
fn nested(slots: u32, timeout: Option<Span>) -> Observations {
    let mut build = Build::new(100, 0);
    let web = build.service("web", 1, None);
    let pool = shared_pool(&mut build, "connections", slots, timeout);
    let step = build.sampler(exponential(0.01));
    let more = Op::Acquire { pool, units: 1 };
    let endpoint = build.endpoint(web, &[more, Op::Delay(step), more, Op::Delay(step)]);
    let call = build.call(endpoint, None);
    build.traffic(Arrivals::Closed { users: 2, think: exponential(0.001) }, call);
    build.run(1)
}

#[test]
fn requests_that_wait_for_each_other_are_found() {
    let deadlock = nested(2, None).deadlock.unwrap();
    let link = models::observe::DeadlockLink { pool: PoolId(0), units: 2, in_use: 2, waits_for: PoolId(0) };
    assert_eq!(deadlock.links, [link]);
    assert!(deadlock.since.as_seconds() < 10.0, "{deadlock:?}");
    assert_eq!(nested(3, None).deadlock, None, "one more than all can hold");
    assert_eq!(nested(2, Some(seconds(1.0))).deadlock, None, "a timeout frees them");
}

#[test]
fn a_cycle_leads_through_two_pools() {
    let mut build = Build::new(1000, 0);
    let web = build.service("web", 1, None);
    let (a, b) = (shared_pool(&mut build, "a", 3, None), shared_pool(&mut build, "b", 2, None));
    let step = build.sampler(exponential(0.01));
    for (first, second) in [(a, b), (b, a)] {
        let hold = |pool| Op::Acquire { pool, units: 1 };
        let endpoint = build.endpoint(web, &[hold(first), Op::Delay(step), hold(second), Op::Delay(step)]);
        let call = build.call(endpoint, None);
        build.traffic(Arrivals::Closed { users: 5, think: exponential(0.001) }, call);
    }
    let deadlock = build.run(1).deadlock.unwrap();
    let pools: Vec<(PoolId, u64, u64, PoolId)> =
        deadlock.links.iter().map(|link| (link.pool, link.units, link.in_use, link.waits_for)).collect();
    assert_eq!(pools, [(a, 3, 3, b), (b, 2, 2, a)]);
}

//! Small systems for tests, compiled by hand.

use models::blueprint::{
    Arrivals, Blueprint, BranchPlan, CallId, CallPlan, CodeAddress, CoresPlan, EndpointId, EndpointPlan,
    ForkId, ForkPlan, LifePlan, Limits, Op, Outcome, Pick, PoolId, PoolPlan, PoolScope, RouteId, RoutePlan,
    SamplerId, ServiceId, ServicePlan, TrafficPlan, WaitFor,
};
use sim_core::Span;
use sim_core::distribution::{Distribution, Exponential};
use sim_core::rate::RateCurve;

/// An exponential distribution with the given mean.
pub(crate) fn exp(mean: f64) -> Distribution {
    Exponential::new(mean).unwrap().into()
}

/// A span of whole or broken seconds.
pub(crate) fn span(seconds: f64) -> Span {
    Span::from_seconds(seconds).unwrap()
}

/// Builds blueprints: services first, then the traffics that call them.
pub(crate) struct Builder(pub(crate) Blueprint);

impl Builder {
    pub(crate) fn new(duration: f64, warmup: f64) -> Self {
        Self(Blueprint {
            name: "test".to_owned(),
            duration: span(duration),
            warmup: span(warmup),
            classes: Vec::new(),
            tenants: Vec::new(),
            outcomes: Outcome::FIXED.map(str::to_owned).to_vec(),
            traffics: Vec::new(),
            services: Vec::new(),
            endpoints: Vec::new(),
            jobs: Vec::new(),
            queues: Vec::new(),
            sends: Vec::new(),
            autoscalers: Vec::new(),
            pools: Vec::new(),
            rates: Vec::new(),
            volumes: Vec::new(),
            moves: Vec::new(),
            formulas: Vec::new(),
            caches: Vec::new(),
            gets: Vec::new(),
            puts: Vec::new(),
            code: Vec::new(),
            salts: Vec::new(),
            samplers: Vec::new(),
            calls: Vec::new(),
            routes: Vec::new(),
            wires: Vec::new(),
            policies: Vec::new(),
            uses: Vec::new(),
            zones: Vec::new(),
            links: Vec::new(),
            forks: Vec::new(),
            choices: Vec::new(),
            failures: Vec::new(),
            changes: Vec::new(),
            overlaps: Vec::new(),
            cuts: Vec::new(),
            limits: Limits::default(),
        })
    }

    pub(crate) fn sampler(&mut self, law: Distribution) -> SamplerId {
        self.0.samplers.push(law);
        SamplerId(self.0.samplers.len() as u32 - 1)
    }

    /// A service with one endpoint, `name.do`, and one replica.
    pub(crate) fn service(
        &mut self,
        name: &str,
        workers: Option<u32>,
        cores: Option<f64>,
        steps: &[Op],
    ) -> EndpointId {
        let service = ServiceId(self.0.services.len() as u32);
        let mut pools = Vec::new();
        let entry = CodeAddress(self.0.code.len() as u32);
        if let Some(slots) = workers {
            let pool = PoolId(self.0.pools.len() as u32);
            self.0.pools.push(PoolPlan {
                is_workers: true,
                ..PoolPlan::new(
                    format!("services.{name}.workers"),
                    format!("{name}.workers"),
                    slots,
                    PoolScope::Replica { service, slot: 0 },
                )
            });
            pools.push(pool);
            self.0.code.push(Op::Acquire { pool, units: 1 });
        }
        self.0.code.extend_from_slice(steps);
        self.0.code.push(Op::End);
        self.0.salts = (1..=self.0.code.len() as u64).map(|n| n * 0x9E37_79B9).collect();
        self.0.services.push(ServicePlan {
            name: name.to_owned(),
            path: format!("services.{name}"),
            replicas: 1,
            cores: cores.map(CoresPlan::shared),
            speed: 1.0,
            pools,
            routes: Vec::new(),
            life: LifePlan::default(),
        });
        self.0.routes.push(RoutePlan {
            name: name.to_owned(),
            service,
            pick: Pick::RoundRobin,
            health: None,
            connect: None,
            slow_start: None,
            zone: None,
        });
        self.0.endpoints.push(EndpointPlan { name: format!("{name}.do"), service, entry });
        EndpointId(self.0.endpoints.len() as u32 - 1)
    }

    /// A call of `endpoint`, the first route of the service that makes it.
    pub(crate) fn call(&mut self, endpoint: EndpointId, route_slot: u32) -> CallId {
        let route = RouteId(self.0.endpoints[endpoint.index()].service.0);
        let salt = 77 + self.0.calls.len() as u64;
        self.0.calls.push(CallPlan {
            endpoint,
            route,
            route_slot,
            policy: None,
            latency: None,
            wire: None,
            link: None,
            salt,
        });
        CallId(self.0.calls.len() as u32 - 1)
    }

    /// A Poisson traffic at `rate`.
    pub(crate) fn open(&mut self, name: &str, rate: f64, to: EndpointId) {
        let rate = RateCurve::constant(rate).unwrap();
        self.traffic(name, Arrivals::Open { rate, gap: exp(1.0), modulation: None, batch: None }, to);
    }

    /// Users with exponential think times.
    pub(crate) fn closed(&mut self, name: &str, users: u32, think: f64, to: EndpointId) {
        self.traffic(name, Arrivals::Closed { users, think: exp(think) }, to);
    }

    pub(crate) fn traffic(&mut self, name: &str, arrivals: Arrivals, to: EndpointId) {
        let call = self.call(to, 0);
        let route = self.0.calls[call.index()].route;
        self.0.traffics.push(TrafficPlan {
            name: name.to_owned(),
            path: format!("traffic.{name}"),
            stream: sim_core::hash_name(name),
            arrivals,
            targets: vec![(1.0, call)],
            classes: vec![(1.0, 0)],
            attributes: Box::default(),
            routes: vec![route],
            expected_cycle: None,
        });
    }
}

/// M/M/c: `servers` workers, each request delayed for an exponential time.
pub(crate) fn mmc(rate: f64, mean: f64, servers: u32, duration: f64, warmup: f64) -> Blueprint {
    let mut builder = Builder::new(duration, warmup);
    let service = builder.sampler(exp(mean));
    let web = builder.service("web", Some(servers), None, &[Op::Delay(service)]);
    builder.open("users", rate, web);
    builder.0
}

/// M/M/1-PS: one core shared by all.
pub(crate) fn shared_core(rate: f64, law: Distribution, duration: f64, warmup: f64) -> Blueprint {
    let mut builder = Builder::new(duration, warmup);
    let need = builder.sampler(law);
    let web = builder.service("web", None, Some(1.0), &[Op::Cpu(need)]);
    builder.open("users", rate, web);
    builder.0
}

impl Builder {
    /// A service without limits whose endpoint calls the others, one after the other or in parallel.
    pub(crate) fn gateway(&mut self, name: &str, to: &[EndpointId], parallel: bool) -> EndpointId {
        let calls: Vec<CallId> =
            to.iter().enumerate().map(|(slot, endpoint)| self.call(*endpoint, slot as u32)).collect();
        let routes = to.iter().map(|e| RouteId(self.0.endpoints[e.index()].service.0)).collect();
        let steps: Vec<Op> = if parallel {
            self.0.forks.push(ForkPlan {
                branches: calls.into_iter().map(BranchPlan::Call).collect(),
                copies: None,
                wait_for: WaitFor::All,
                cancel: false,
            });
            vec![Op::Fork(ForkId(self.0.forks.len() as u32 - 1))]
        } else {
            calls.into_iter().map(Op::Call).collect()
        };
        let endpoint = self.service(name, None, None, &steps);
        let service = self.0.endpoints[endpoint.index()].service;
        self.0.services[service.index()].routes = routes;
        endpoint
    }

    /// A station: exponential delays in `workers`.
    pub(crate) fn station(&mut self, name: &str, workers: u32, mean: f64) -> EndpointId {
        let law = self.sampler(exp(mean));
        self.service(name, Some(workers), None, &[Op::Delay(law)])
    }
}

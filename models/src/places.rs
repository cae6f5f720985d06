//! Places where a request spends its time, numbered for the breakdown of latencies.
//!
//! A request's time is divided among places without gap or overlap: work at a service, waiting for its CPU,
//! waiting for a pool, time on the network, and time lost to attempts that did not count.

use crate::blueprint::{Blueprint, CacheId, PoolId, QueueId, RateId, ServiceId, TrafficId, VolumeId};

/// What is done with time at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Waiting for workers or for the CPU.
    Queueing,
    /// Being worked on, or waiting for something that is not modelled.
    Service,
    /// Waiting for another resource than workers.
    Pools,
    /// Attempts that did not count, and back-off between attempts.
    Retries,
    /// On the way.
    Network,
}

impl Kind {
    /// As it stands in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queueing => "queueing",
            Self::Service => "service",
            Self::Pools => "pools",
            Self::Retries => "retries",
            Self::Network => "network",
        }
    }
}

/// Numbers the places of a blueprint.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    services: u32,
    pools: u32,
    traffics: u32,
    rates: u32,
    volumes: u32,
    caches: u32,
}

impl Places {
    /// The places of `plan`.
    pub fn of(plan: &Blueprint) -> Self {
        Self {
            services: plan.services.len() as u32,
            pools: plan.pools.len() as u32,
            traffics: plan.traffics.len() as u32,
            rates: plan.rates.len() as u32,
            volumes: plan.volumes.len() as u32,
            caches: plan.caches.len() as u32,
        }
    }

    /// Work at the service.
    pub fn work(self, service: ServiceId) -> u32 {
        service.0
    }

    /// Waiting for the service's CPU.
    pub fn cpu_wait(self, service: ServiceId) -> u32 {
        self.services + service.0
    }

    /// On the way to and from the service.
    pub fn network(self, service: ServiceId) -> u32 {
        2 * self.services + service.0
    }

    /// Lost attempts of calls that the service makes.
    pub fn retries(self, service: ServiceId) -> u32 {
        3 * self.services + service.0
    }

    /// Waiting for the pool.
    pub fn pool_wait(self, pool: PoolId) -> u32 {
        4 * self.services + pool.0
    }

    /// Lost attempts of the traffic itself.
    pub fn client_retries(self, traffic: TrafficId) -> u32 {
        4 * self.services + self.pools + traffic.0
    }

    /// Waiting for units of the rate.
    pub fn rate_wait(self, rate: RateId) -> u32 {
        4 * self.services + self.pools + self.traffics + rate.0
    }

    /// Waiting until somebody gives to the volume.
    pub fn volume_wait(self, volume: VolumeId) -> u32 {
        4 * self.services + self.pools + self.traffics + self.rates + volume.0
    }

    /// Waiting for what somebody else fetches for the cache.
    pub fn cache_wait(self, cache: CacheId) -> u32 {
        4 * self.services + self.pools + self.traffics + self.rates + self.volumes + cache.0
    }

    /// Waiting for room on the queue.
    pub fn queue_wait(self, queue: QueueId) -> u32 {
        4 * self.services + self.pools + self.traffics + self.rates + self.volumes + self.caches + queue.0
    }

    /// Name and kind of place number `place`.
    pub fn describe(self, plan: &Blueprint, place: u32) -> (String, Kind) {
        let service = |i: u32| plan.services[i as usize].name.clone();
        let (quarter, rest) = (place / self.services.max(1), place % self.services.max(1));
        if place < 4 * self.services {
            return match quarter {
                0 => (service(rest), Kind::Service),
                1 => (format!("{}.cores", service(rest)), Kind::Queueing),
                2 => (service(rest), Kind::Network),
                _ => (service(rest), Kind::Retries),
            };
        }
        let pool = place - 4 * self.services;
        if let Some(row) = plan.pools.get(pool as usize) {
            return (row.name.clone(), if row.is_workers { Kind::Queueing } else { Kind::Pools });
        }
        let traffic = pool - self.pools;
        if let Some(row) = plan.traffics.get(traffic as usize) {
            return (row.name.clone(), Kind::Retries);
        }
        let rate = traffic - self.traffics;
        if let Some(row) = plan.rates.get(rate as usize) {
            return (row.name.clone(), Kind::Pools);
        }
        let volume = rate - self.rates;
        if let Some(row) = plan.volumes.get(volume as usize) {
            return (row.name.clone(), Kind::Pools);
        }
        let cache = volume - self.volumes;
        if let Some(row) = plan.caches.get(cache as usize) {
            return (row.name.clone(), Kind::Pools);
        }
        (plan.queues[(cache - self.caches) as usize].name.clone(), Kind::Pools)
    }
}

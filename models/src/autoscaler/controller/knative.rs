//! Knative's autoscaler over time: a scrape each second, a decision each two, and what comes of it.

use sim_core::{SimTime, Span};

use super::super::knative::apply::{ApplyReason, Probe, Reachability, Standing, active_threshold, activity};
use super::super::knative::collect::{SCRAPE_INTERVAL, extrapolate, sample_size};
use super::super::knative::decide::{DecideReason, Observed, TICK};
use super::super::knative::{
    Activity, ClusterConfig, Collector, Decider, Revision, ScalingMetric, Serving, Spec, activators, apply,
};
use super::super::kubernetes::{Phase, Pod};
use super::{Decision, Why, World};

/// Why Knative wants what it does: the decision, or what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnativeReason {
    /// As decided.
    Decided(DecideReason),
    /// As the bounds or the way to zero have it.
    Applied(ApplyReason),
}

/// The autoscaler of one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct KnativeController {
    config: ClusterConfig,
    revision: Revision,
    spec: Spec,
    collector: Collector,
    decider: Decider,
    standing: Standing,
    excess_burst_capacity: f64,
    next_scrape: SimTime,
    next_tick: SimTime,
    /// What holds until the next decision.
    why: KnativeReason,
}

impl KnativeController {
    /// A controller for a revision that has `ready` pods now.
    pub fn new(config: ClusterConfig, revision: Revision, ready: i32, now: SimTime) -> Self {
        let spec = revision.spec(&config, true);
        let (stable, panic) = (revision.stable_window(&config), revision.panic_window(&config));
        let standing = Standing {
            activity: if ready > 0 { Activity::Active } else { Activity::Inactive },
            since: now,
            initialized: ready > 0,
            reachability: Reachability::Reachable,
            current: ready,
        };
        Self {
            collector: Collector::new(revision.algorithm, stable, panic),
            decider: Decider::new(&spec, ready, now),
            spec,
            config,
            revision,
            standing,
            excess_burst_capacity: 0.0,
            next_scrape: now,
            next_tick: now,
            why: KnativeReason::Applied(ApplyReason::NoDecision),
        }
    }

    /// Whether requests go through the activator: while nothing serves, and while there is too little room for bursts.
    pub fn wants_proxy(&self) -> bool {
        self.standing.activity != Activity::Active || self.excess_burst_capacity < 0.0
    }

    /// Requests that the activator lets through to a pod at once; 0 for any number.
    pub fn container_concurrency(&self) -> u32 {
        self.revision.container_concurrency
    }

    /// Activators that the requests are spread over.
    pub fn activators(&self, ready: i32) -> i32 {
        let capacity = self.spec.target_burst_capacity;
        activators(ready, self.spec.total_value, capacity, self.config.activator_capacity)
    }

    /// The activator holds a request for which there is no pod: it is not left for the next tick.
    pub fn poke(&mut self, now: SimTime, value: f64) -> SimTime {
        self.collector.record(now, value);
        self.next_tick = now;
        now
    }

    pub(super) fn look(&mut self, world: &impl World, now: SimTime) -> Decision {
        let seen = world.target();
        let serves = |pod: &&Pod| pod.phase == Phase::Running && pod.is_ready() && !pod.deleting;
        let ready = seen.pods.iter().filter(serves).count() as i32;
        if now >= self.next_scrape {
            self.next_scrape = now.saturating_add(SCRAPE_INTERVAL);
            self.scrape(world, ready, now);
        }
        let mut replicas = None;
        if now >= self.next_tick {
            self.next_tick = now.saturating_add(TICK);
            self.standing.current = seen.spec_replicas;
            (replicas, self.why) = self.tick(world, ready, now);
        }
        let next = self.next_scrape.min(self.next_tick);
        Decision { replicas, why: Why::Knative(self.why), next }
    }

    fn scrape(&mut self, world: &impl World, ready: i32, now: SimTime) {
        let mut sampled = world.scrape();
        sampled.truncate(sample_size(ready).max(0) as usize);
        let through = world.activator();
        let value = |of: &super::Scraped, proxied: bool| match (self.revision.metric, proxied) {
            (ScalingMetric::Concurrency, false) => of.concurrency - of.proxied_concurrency,
            (ScalingMetric::Concurrency, true) => of.concurrency,
            (ScalingMetric::Rps, false) => of.rps - of.proxied_rps,
            (ScalingMetric::Rps, true) => of.rps,
        };
        let through = value(&through, true);
        if ready == 0 && through <= 0.0 {
            return; // Nobody is there to be asked.
        }
        let pods = extrapolate(&sampled, ready).map_or(0.0, |pods| value(&pods, false));
        self.collector.record(now, pods.max(0.0) + through);
    }

    fn tick(&mut self, world: &impl World, ready: i32, now: SimTime) -> (Option<i32>, KnativeReason) {
        let observed = Observed { ready: Some(ready), averages: self.collector.averages(now) };
        let answer = self.decider.decide(&self.spec, &observed, now);
        if let Some(answer) = answer {
            self.excess_burst_capacity = answer.excess_burst_capacity;
        }
        let proxied = world.proxied();
        let serving = Serving {
            proxy: self.wants_proxy(),
            proxy_for: proxied.unwrap_or(Span::ZERO),
            probe: if proxied.is_some() { Probe::Ok } else { Probe::Negative },
        };
        let desired = answer.map(|answer| answer.desired);
        let applied = apply(&self.config, &self.revision, &self.standing, &serving, desired, now);
        if let Some(again) = applied.again {
            self.next_tick = self.next_tick.min(now.saturating_add(again));
        }
        let threshold = active_threshold(&self.config, &self.revision, &self.standing);
        self.standing.initialized |= ready >= threshold;
        let next = activity(self.standing.activity, ready, applied.wanted, threshold);
        if next != self.standing.activity {
            self.standing.activity = next;
            self.standing.since = now;
        }
        let why = match (applied.reason, answer) {
            (ApplyReason::AsDecided, Some(answer)) => KnativeReason::Decided(answer.reason),
            (reason, _) => KnativeReason::Applied(reason),
        };
        // What is wanted but not to be written yet leaves the count as it is.
        (if applied.write { applied.wanted } else { None }, why)
    }

    pub(super) fn restarted(&mut self, world: &impl World, now: SimTime) {
        let ready = world.target().pods.iter().filter(|pod| pod.is_ready()).count() as i32;
        let stable = self.revision.stable_window(&self.config);
        let panic = self.revision.panic_window(&self.config);
        self.collector = Collector::new(self.revision.algorithm, stable, panic);
        self.decider = Decider::new(&self.spec, ready, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Controller;
    use super::super::Scraped;
    use super::super::worlds::{Change, at, reasoned_course};
    use super::*;

    /// Runs a revision with a target of 10 in flight for each pod, 7 of which it aims at; the activator is in the path
    /// of requests all along.
    fn course(load: impl Fn(u64) -> f64, until: u64) -> Vec<Change> {
        let revision = Revision { container_concurrency: 10, ..Revision::default() };
        let controller = KnativeController::new(ClusterConfig::default(), revision, 1, at(0));
        reasoned_course(Controller::Knative(controller), 1, until, |world, second| {
            let pods = world.pods.len().max(1) as f64;
            let pod = Scraped { concurrency: load(second) / pods, ..Scraped::default() };
            world.scraped = vec![pod; world.pods.len()];
            world.proxied = Some(Span::ZERO);
        })
    }

    /// 5 in flight, 70 from 60 s to 90 s, then 5 again. At 60 s the panic window of 6 s holds five seconds of 5 and
    /// one of 70: 95 / 6 = 15.8 needs 3 pods of 7, at least twice the one there is. It grows with the window's
    /// content to 10 at 66 s. The last tick at which the panic window asks for twice the pods is long before the
    /// stable window catches up; what was wanted in the panic holds until more than 60 s after.
    #[test]
    fn a_panic_holds_its_peak_for_a_stable_window() {
        let changes = course(|second| if (60..90).contains(&second) { 70.0 } else { 5.0 }, 300);
        assert_eq!(changes[0], Change { second: 60, to: 3, why: "Panic".into() });
        let peak = changes.iter().map(|change| change.to).max();
        assert_eq!(peak, Some(10));
        let reached = changes.iter().position(|change| change.to == 10).expect("the peak");
        let last_burst = 62; // 5 + 5 + 5 + 70 * 3 -> 225 / 6 = 37.5 needs 6, twice the 3 pods; at 64 s 9 of 6.
        let fall = &changes[reached + 1];
        assert!(fall.second > last_burst + 60 && fall.second <= last_burst + 64, "{changes:?}");
        assert_eq!(fall.why, "Stable");
    }

    /// Nothing from 10 s on. The stable window is empty of load at 70 s, 0 is wanted; it has been active since 0 s,
    /// longer than a window, so it is taken out of service at once, and 30 s of grace later its pod goes.
    #[test]
    fn to_zero_takes_a_window_and_the_grace_period() {
        let changes = course(|second| if second < 10 { 5.0 } else { 0.0 }, 200);
        let last = changes.last().expect("a change");
        assert_eq!((last.to, last.why.as_str()), (0, "Idle"));
        assert!((98..=102).contains(&last.second), "{changes:?}");
    }
}

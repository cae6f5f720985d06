//! How long a request takes on average in a system that has nothing else to do.

use models::blueprint::{EndpointId, WaitFor};

use crate::scenario::{ArmWhen, Branch, Call, Endpoint, Service, Step, Timed};

/// Mean times of endpoints without any waiting.
pub(crate) struct EmptySystem<'a> {
    endpoints: &'a [Endpoint],
    services: &'a [Service],
    /// Mean response times, once they are known.
    means: Vec<f64>,
}

impl<'a> EmptySystem<'a> {
    pub(crate) fn new(endpoints: &'a [Endpoint], services: &'a [Service]) -> Self {
        Self { endpoints, services, means: Vec::new() }
    }

    /// Mean time from a request of a traffic to its answer, in seconds.
    pub(crate) fn response(&mut self, targets: &[(f64, Call)]) -> f64 {
        if self.means.is_empty() {
            self.solve();
        }
        let mut below = 0.0;
        let mut mean = 0.0;
        for (share, call) in targets {
            mean += (share - below) * self.call(call);
            below = *share;
        }
        mean
    }

    /// Mean time of these steps, at nominal speed.
    pub(crate) fn time_of(&mut self, steps: &[Step]) -> f64 {
        if self.means.is_empty() {
            self.solve();
        }
        self.sequence(steps, 1.0).0
    }

    /// Passes over all endpoints until nothing changes; recursion that is conditional converges.
    fn solve(&mut self) {
        const PASSES: usize = 100;
        self.means = vec![0.0; self.endpoints.len()];
        for _ in 0..PASSES {
            let mut change: f64 = 0.0;
            for i in 0..self.endpoints.len() {
                let endpoint = &self.endpoints[i];
                let speed = self.services.get(endpoint.service.index()).map_or(1.0, |service| service.speed);
                let (mean, _) = self.sequence(&endpoint.steps, speed);
                change = change.max((mean - self.means[i]).abs() / mean.max(1e-9));
                self.means[i] = mean;
            }
            if change < 1e-9 {
                return;
            }
        }
    }

    fn call(&self, call: &Call) -> f64 {
        let EndpointId(endpoint) = call.endpoint;
        let latency = call.latency.as_ref().map_or(0.0, |latency| 2.0 * latency.mean());
        self.means.get(endpoint as usize).copied().unwrap_or(0.0) + latency
    }

    /// Mean time until the answer, and the probability that steps behind these are reached before it.
    fn sequence(&self, steps: &[Step], speed: f64) -> (f64, f64) {
        let (mut mean, mut reached) = (0.0, 1.0);
        for step in steps {
            let (time, on) = self.step(step, speed);
            mean += reached * time;
            reached *= on;
            if reached <= 0.0 {
                break;
            }
        }
        (mean, reached)
    }

    fn step(&self, step: &Step, speed: f64) -> (f64, f64) {
        match step {
            // What the bytes take is left out.
            Step::Cpu(need) | Step::PerByte { need, .. } | Step::Times { time: need, of: Timed::Cpu, .. } => {
                (if speed > 0.0 { need.mean() / speed } else { 0.0 }, 1.0)
            }
            Step::Delay(time) | Step::Pause(time) | Step::Times { time, .. } => (time.mean(), 1.0),
            Step::Hold { steps, .. } => self.sequence(steps, speed),
            Step::Batch { alone, .. } => (*alone, 1.0),
            Step::Take(_) | Step::Give(_) | Step::Put { .. } | Step::Send(_) => (0.0, 1.0),
            // An empty system has had time to fill its caches.
            Step::Get { hit, .. } => self.sequence(hit, speed),
            Step::Call(call) => (self.call(call), 1.0),
            Step::All { branches, wait_for, .. } => {
                let mut times: Vec<f64> = branches
                    .iter()
                    .map(|branch| match branch {
                        Branch::Call(call) => self.call(call),
                        Branch::Steps(steps) => self.sequence(steps, speed).0,
                    })
                    .collect();
                times.sort_by(f64::total_cmp);
                let last = match wait_for {
                    WaitFor::All => times.len(),
                    WaitFor::Count(count) => (*count as usize).clamp(1, times.len().max(1)),
                };
                (times.get(last - 1).copied().unwrap_or(0.0), 1.0)
            }
            Step::Repeat { times, steps } => {
                let (once, on) = self.sequence(steps, speed);
                (once * times.mean(), on)
            }
            Step::Choose(arms) => {
                let weights: f64 = arms
                    .iter()
                    .map(|(when, _)| if let ArmWhen::Weight(weight) = when { *weight } else { 0.0 })
                    .sum();
                let mut mean = 0.0;
                let mut on = (1.0 - weights).max(0.0);
                for (when, steps) in arms {
                    let share = match when {
                        ArmWhen::Weight(weight) => *weight,
                        ArmWhen::Else => (1.0 - weights).max(0.0),
                        ArmWhen::Class(_) | ArmWhen::Level(_) => 0.0,
                    };
                    let (time, passes) = self.sequence(steps, speed);
                    mean += share * time;
                    on += if matches!(when, ArmWhen::Else) { share * (passes - 1.0) } else { share * passes };
                }
                (mean, on.clamp(0.0, 1.0))
            }
            Step::Reply => (0.0, 0.0),
            Step::Fail { probability, .. } => (0.0, 1.0 - probability),
        }
    }
}

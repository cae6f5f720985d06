//! What a request of a service graph asks of each service.

use super::graph::{Command, Graph};

/// CPU time that is assumed for a request at a service, in seconds.
pub(super) const CPU: f64 = 1e-3;
/// Cores that are assumed for a replica.
pub(super) const CORES: u32 = 1;

/// Estimates that rates, run lengths and bounds are chosen by.
#[derive(Debug)]
pub(super) struct Demand {
    /// Services that requests enter by.
    pub(super) entries: Vec<usize>,
    /// By service: visits of a request.
    pub(super) visits: Vec<f64>,
    /// Requests per second at which the first service saturates.
    pub(super) capacity: f64,
    /// That service.
    pub(super) busiest: usize,
    /// Mean seconds that a request computes and sleeps on its longest way, without any queueing.
    pub(super) longest: Way,
    /// Share of the requests that fail.
    pub(super) failed: f64,
}

/// Seconds on the way through a service and what it calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    pub(super) cpu: f64,
    pub(super) sleep: f64,
}

impl Way {
    fn total(self) -> f64 {
        self.cpu + self.sleep
    }

    fn then(self, next: Self) -> Self {
        Self { cpu: self.cpu + next.cpu, sleep: self.sleep + next.sleep }
    }
}

impl Demand {
    /// Of a graph whose services stand in call order.
    pub(super) fn of(graph: &Graph) -> Self {
        let services = &graph.services;
        let entries = entries(graph);
        let mut visits = vec![0.0; services.len()];
        for entry in &entries {
            visits[*entry] = 1.0 / entries.len() as f64;
        }
        for (caller, service) in services.iter().enumerate() {
            for (callee, probability) in service.script.iter().flat_map(Command::calls) {
                visits[callee] += visits[caller] * (1.0 - service.error_rate) * probability;
            }
        }
        let mut ways = vec![Way::default(); services.len()];
        let mut answered = vec![1.0; services.len()];
        for (caller, service) in services.iter().enumerate().rev() {
            let own = Way { cpu: CPU, sleep: 0.0 };
            ways[caller] = service.script.iter().fold(own, |way, command| way.then(way_of(command, &ways)));
            let calls = service.script.iter().flat_map(Command::calls);
            let succeed = calls.map(|(callee, probability)| 1.0 - probability * (1.0 - answered[callee]));
            answered[caller] = (1.0 - service.error_rate) * succeed.product::<f64>();
        }
        let limit = |service: usize| {
            f64::from(services[service].replicas) * f64::from(CORES) / (visits[service] * CPU)
        };
        let used = (0..services.len()).filter(|service| visits[*service] > 0.0);
        let busiest = used.min_by(|a, b| limit(*a).total_cmp(&limit(*b))).unwrap_or(0);
        let all = entries.len() as f64;
        let longest = entries.iter().map(|entry| ways[*entry]).max_by(|a, b| a.total().total_cmp(&b.total()));
        Self {
            capacity: limit(busiest),
            busiest,
            longest: longest.unwrap_or_default(),
            failed: entries.iter().map(|entry| (1.0 - answered[*entry]) / all).sum(),
            entries,
            visits,
        }
    }
}

/// Those marked as such; without a mark, those that nobody calls.
fn entries(graph: &Graph) -> Vec<usize> {
    let marked: Vec<usize> =
        (0..graph.services.len()).filter(|service| graph.services[*service].entry).collect();
    if !marked.is_empty() {
        return marked;
    }
    let mut called = vec![false; graph.services.len()];
    let calls = graph.services.iter().flat_map(|service| &service.script).flat_map(Command::calls);
    calls.for_each(|(callee, _)| called[callee] = true);
    (0..graph.services.len()).filter(|service| !called[*service]).collect()
}

fn way_of(command: &Command, ways: &[Way]) -> Way {
    match command {
        Command::Sleep(_, seconds) => Way { cpu: 0.0, sleep: *seconds },
        Command::Call(callee, _) => ways[*callee],
        Command::All(commands) => {
            let longest = commands.iter().map(|command| way_of(command, ways));
            let longest = longest.max_by(|a, b| a.total().total_cmp(&b.total())).unwrap_or_default();
            // The largest of n exponential times is the n-th harmonic number longer than their mean.
            let more: f64 = (2..=commands.len()).map(|n| CPU / n as f64).sum();
            longest.then(Way { cpu: more, sleep: 0.0 })
        }
    }
}

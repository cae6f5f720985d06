//! What the collector scrapes: some pods each second, told as if it were all.
//!
//! Source: knative/serving, `pkg/autoscaler/metrics/stats_scraper.go`, `sample_size.go` and `collector.go`.

use sim_core::{SimTime, Span};

use super::super::kubernetes::seconds;
use super::window::{Window, WindowAlgorithm};

/// Time between two scrapes: `scrapeTickInterval`.
pub const SCRAPE_INTERVAL: Span = seconds(1);
/// The length of a bucket: `BucketSize` in `pkg/autoscaler/config/config.go`.
pub const BUCKET: Span = seconds(1);

/// How many of `pods` are scraped: all of three, 14 of a hundred, never more than 16.
///
/// A sample that is right to 95 % within 4 pods, for a variance of 100 / 25.
pub fn sample_size(pods: i32) -> i32 {
    const ALL_OF: i32 = 3;
    const X: f64 = 1.96 * 1.96 * 100.0 / 25.0;
    if pods <= ALL_OF {
        return pods;
    }
    let pods = f64::from(pods);
    (pods * X / (pods + X - 1.0)).ceil() as i32
}

/// What a pod answers to a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scraped {
    /// Requests in flight, on average since the last scrape.
    pub concurrency: f64,
    /// Of those, the ones that came through an activator, which tells of them itself.
    pub proxied_concurrency: f64,
    /// Requests since the last scrape, per second.
    pub rps: f64,
    /// Of those, the ones that came through an activator.
    pub proxied_rps: f64,
}

/// The averages of some pods, told as if it were all that are ready.
pub fn extrapolate(sampled: &[Scraped], ready: i32) -> Option<Scraped> {
    if sampled.is_empty() {
        return None;
    }
    let share = f64::from(ready) / sampled.len() as f64;
    let sum = |of: fn(&Scraped) -> f64| sampled.iter().map(of).sum::<f64>() * share;
    Some(Scraped {
        concurrency: sum(|pod| pod.concurrency),
        proxied_concurrency: sum(|pod| pod.proxied_concurrency),
        rps: sum(|pod| pod.rps),
        proxied_rps: sum(|pod| pod.proxied_rps),
    })
}

/// The windows of one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Collector {
    stable: Window,
    panic: Window,
}

impl Collector {
    /// Empty windows.
    pub fn new(algorithm: WindowAlgorithm, stable: Span, panic: Span) -> Self {
        let of = |window| Window::new(algorithm, window, BUCKET);
        Self { stable: of(stable), panic: of(panic) }
    }

    /// Writes down a value that was measured, without what activators tell of themselves.
    pub fn record(&mut self, at: SimTime, value: f64) {
        self.stable.record(at, value);
        self.panic.record(at, value);
    }

    /// The averages over both windows; nothing while there is nothing in them.
    pub fn averages(&self, now: SimTime) -> Option<(f64, f64)> {
        if self.stable.is_empty(now) && self.panic.is_empty(now) {
            return None;
        }
        Some((self.stable.average(now), self.panic.average(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// X = 15.3664: 100 pods give 1536.64 / 114.3664 = 13.44.
    #[test]
    fn samples_grow_more_slowly_than_pods() {
        let sizes: Vec<i32> = [0, 1, 3, 4, 10, 100, 1_000_000].map(sample_size).to_vec();
        assert_eq!(sizes, [0, 1, 3, 4, 7, 14, 16]);
    }

    #[test]
    fn a_sample_stands_for_all_pods() {
        let pods = [1.0, 3.0].map(|concurrency| Scraped { concurrency, ..Scraped::default() });
        assert!((extrapolate(&pods, 10).expect("some pods").concurrency - 20.0).abs() < 1e-12);
        assert_eq!(extrapolate(&[], 10), None);
    }
}

//! Windows over what is measured, and over what was decided.
//!
//! Source: knative/serving, `pkg/autoscaler/aggregation/bucketing.go` and `aggregation/max/window.go`.

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

/// How a window is averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowAlgorithm {
    /// Every second weighs the same.
    #[default]
    Linear,
    /// Later seconds weigh more.
    WeightedExponential,
}

/// The weight of the newest second is at least this.
const LEAST_COEFFICIENT: f64 = 0.2;
/// What is left of the weights beyond the window.
const WEIGHT_LEFT: f64 = 0.0001;
/// Averages are cut to this part.
const PRECISION: f64 = 1e6;

/// Sums by the second, over a window that moves on.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    algorithm: WindowAlgorithm,
    granularity: u64,
    /// Buckets in the window.
    length: u64,
    buckets: Vec<f64>,
    /// The first and the last bucket that were written to, by their number since the start of time.
    written: Option<(u64, u64)>,
    total: f64,
}

impl Window {
    /// An empty window of a length, in buckets of `granularity`.
    ///
    /// # Panics
    ///
    /// When `granularity` is zero.
    pub fn new(algorithm: WindowAlgorithm, window: Span, granularity: Span) -> Self {
        let granularity = granularity.as_nanos();
        assert!(granularity > 0, "buckets without a length");
        let buckets = window.as_nanos().div_ceil(granularity).max(1);
        Self {
            algorithm,
            granularity,
            length: buckets,
            buckets: vec![0.0; buckets as usize],
            written: None,
            total: 0.0,
        }
    }

    fn number(&self, at: SimTime) -> u64 {
        at.as_nanos() / self.granularity
    }

    fn bucket(&mut self, number: u64) -> &mut f64 {
        &mut self.buckets[(number % self.length) as usize]
    }

    /// Adds to the second of `at`; what is older than the window is left out.
    pub fn record(&mut self, at: SimTime, value: f64) {
        let now = self.number(at);
        match self.written {
            None => self.restart(now),
            Some((_, last)) if now >= last + self.length => self.restart(now),
            Some((_, last)) if now + self.length <= last => return,
            Some((first, last)) => {
                for number in last + 1..=now {
                    let left = std::mem::take(self.bucket(number));
                    self.total -= left;
                }
                self.written = Some((first.min(now), last.max(now)));
            }
        }
        *self.bucket(now) += value;
        self.total += value;
    }

    fn restart(&mut self, now: u64) {
        self.buckets.fill(0.0);
        self.total = 0.0;
        self.written = Some((now, now));
    }

    /// Whether nothing has been written for longer than the window.
    pub fn is_empty(&self, now: SimTime) -> bool {
        self.written.is_none_or(|(_, last)| self.number(now) > last + self.length)
    }

    /// The average at a time.
    pub fn average(&self, now: SimTime) -> f64 {
        let Some((first, last)) = self.written else {
            return 0.0;
        };
        let silent = self.number(now).saturating_sub(last);
        match self.algorithm {
            WindowAlgorithm::Linear => self.linear(first, last, silent),
            WindowAlgorithm::WeightedExponential => self.weighted(last, silent),
        }
    }

    fn linear(&self, first: u64, last: u64, silent: u64) -> f64 {
        if silent >= self.length {
            return 0.0;
        }
        let outdated: f64 =
            (last + 1..=last + silent).map(|number| self.buckets[(number % self.length) as usize]).sum();
        let counted = (last - first + 1).min(self.length - silent);
        cut((self.total - outdated) / counted as f64)
    }

    fn weighted(&self, last: u64, silent: u64) -> f64 {
        if silent > self.length {
            return 0.0;
        }
        let coefficient = (1.0 - WEIGHT_LEFT.powf(1.0 / self.length as f64)).max(LEAST_COEFFICIENT);
        let mut weight = coefficient * (1.0 - coefficient).powf(silent as f64);
        let mut sum = 0.0;
        for back in 0..self.length - silent {
            let number = last + self.length - back;
            sum += self.buckets[(number % self.length) as usize] * weight;
            weight *= 1.0 - coefficient;
        }
        sum
    }
}

/// Cut to six digits, as the real one reports.
fn cut(x: f64) -> f64 {
    (x * PRECISION).floor() / PRECISION
}

/// The largest of the last values, by the number of their time slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxWindow {
    slots: i64,
    /// Slots and values that may still become the largest: values fall.
    maxima: VecDeque<(i64, i32)>,
}

impl MaxWindow {
    /// An empty window of so many slots.
    pub fn new(slots: usize) -> Self {
        Self { slots: slots as i64, maxima: VecDeque::new() }
    }

    /// A window of a length, in slots of `granularity`.
    pub fn of_time(length: Span, granularity: Span) -> Self {
        Self::new(length.as_nanos().div_ceil(granularity.as_nanos()) as usize)
    }

    /// Puts a value into a slot, which is not before the last.
    pub fn record(&mut self, slot: i64, value: i32) {
        while self.maxima.front().is_some_and(|(old, _)| *old <= slot - self.slots) {
            self.maxima.pop_front();
        }
        while self.maxima.back().is_some_and(|(_, old)| *old <= value) {
            self.maxima.pop_back();
        }
        self.maxima.push_back((slot, value));
    }

    /// Puts a value into the slot of a time.
    pub fn record_at(&mut self, at: SimTime, granularity: Span, value: i32) {
        self.record((at.as_nanos() / granularity.as_nanos()) as i64, value);
    }

    /// The largest, as of the last record.
    pub fn current(&self) -> Option<i32> {
        self.maxima.front().map(|(_, value)| *value)
    }
}

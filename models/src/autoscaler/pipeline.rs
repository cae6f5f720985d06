//! What stands between the truth and a controller: who reads it, how often, and how old it is by then.
//!
//! It dominates how fast an autoscaler reacts. Nothing here decides when an event happens: these are times and values
//! as functions of times and values, so that whoever runs them needs no state beyond the last two readings of a pod.

use sim_core::{SimTime, Span};

use super::kubernetes::pods::{PodId, Sample};
use super::kubernetes::seconds;

/// How a value gets from where it arises to a controller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pipeline {
    /// How often the source itself looks. Between two looks it tells what it saw last.
    pub refresh: Span,
    /// How often the source is asked.
    pub scrape: Span,
    /// When, within that time, after the start of the run.
    pub phase: Span,
    /// How long an answer takes until it can be had.
    pub delay: Span,
    /// Older values are gone; none for never.
    pub stale_after: Option<Span>,
    /// How numbers are cut.
    pub rounding: Rounding,
    /// The share of answers that get lost.
    pub loss: f64,
}

/// How numbers are cut on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// To whole thousandths, up: quantities of Kubernetes.
    #[default]
    MilliUp,
    /// Not at all.
    None,
}

impl Pipeline {
    /// CPU and memory in Kubernetes: the kubelet looks every 10 s (`--housekeeping-interval`), the metrics server asks
    /// every 15 s (`--metric-resolution` of its manifest; the flag's own default is 60 s).
    ///
    /// Source: kubernetes-sigs/metrics-server, `manifests/base/deployment.yaml`; kubernetes/kubernetes,
    /// `pkg/kubelet/cadvisor/cadvisor_linux.go`.
    pub fn metrics_server() -> Self {
        Self {
            refresh: seconds(10),
            scrape: seconds(15),
            phase: Span::ZERO,
            delay: Span::ZERO,
            stale_after: None,
            rounding: Rounding::MilliUp,
            loss: 0.0,
        }
    }

    /// Custom metrics by Prometheus: asked every minute (`scrape_interval`), forgotten after five
    /// (`--query.lookback-delta`).
    ///
    /// Source: prometheus/prometheus, `docs/configuration/configuration.md`, `docs/command-line/prometheus.md`.
    pub fn prometheus() -> Self {
        Self {
            refresh: Span::ZERO,
            scrape: seconds(60),
            stale_after: Some(seconds(300)),
            ..Self::metrics_server()
        }
    }

    /// A source that is asked at the time of the decision: KEDA's triggers.
    pub fn live() -> Self {
        Self { refresh: Span::ZERO, scrape: Span::ZERO, ..Self::metrics_server() }
    }

    /// `CloudWatch`: a datapoint a minute with detailed monitoring, every five minutes without.
    ///
    /// Source: *Amazon EC2 User Guide*, "Monitor your instances using `CloudWatch`".
    pub fn cloudwatch(detailed: bool) -> Self {
        Self {
            refresh: Span::ZERO,
            scrape: seconds(if detailed { 60 } else { 300 }),
            rounding: Rounding::None,
            ..Self::metrics_server()
        }
    }

    /// When the answer was asked for that is the newest at `now`; nothing before the first.
    pub fn newest_scrape(&self, now: SimTime) -> Option<SimTime> {
        let there = now.as_nanos().checked_sub(self.delay.as_nanos())?;
        grid(there, self.scrape, self.phase)
    }

    /// When the scrape before that one was.
    pub fn scrape_before(&self, scrape: SimTime) -> Option<SimTime> {
        scrape.as_nanos().checked_sub(self.scrape.as_nanos().max(1)).map(SimTime::from_nanos)
    }

    /// When the source had looked that is asked at `scrape`.
    pub fn looked(&self, scrape: SimTime) -> SimTime {
        grid(scrape.as_nanos(), self.refresh, Span::ZERO).unwrap_or(SimTime::ZERO)
    }

    /// How old the truth is behind what a controller sees at `now`.
    pub fn age(&self, now: SimTime) -> Option<Span> {
        self.newest_scrape(now).map(|scrape| now.since(self.looked(scrape)))
    }

    /// The most that it can be.
    pub fn worst_age(&self) -> Span {
        self.refresh + self.scrape + self.delay
    }

    /// Whether a value of then is still told now.
    pub fn is_fresh(&self, at: SimTime, now: SimTime) -> bool {
        self.stale_after.is_none_or(|after| now.since(at) <= after)
    }

    /// Whether an answer arrives, given a number drawn uniformly from 0 to 1.
    pub fn arrives(&self, draw: f64) -> bool {
        draw >= self.loss
    }

    /// A value in thousandths, as it is told.
    pub fn milli(&self, value: f64) -> i64 {
        let milli = value * 1000.0;
        match self.rounding {
            Rounding::MilliUp => milli.ceil() as i64,
            Rounding::None => milli as i64,
        }
    }
}

/// The last point of a grid at or before a time.
fn grid(nanos: u64, step: Span, phase: Span) -> Option<SimTime> {
    let since = nanos.checked_sub(phase.as_nanos())?;
    let step = step.as_nanos().max(1);
    Some(SimTime::from_nanos(phase.as_nanos() + since / step * step))
}

/// What a source told of a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When.
    pub at: SimTime,
    /// What: CPU seconds or requests so far, or how many wait now.
    pub value: f64,
}

/// The last two readings of a pod, or of something else: what its use is told from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Readings {
    last: Option<Reading>,
    before: Option<Reading>,
}

impl Readings {
    /// Takes the next reading. One that is no newer than the last is dropped: the source has not looked since.
    pub fn take(&mut self, reading: Reading) {
        if self.last.is_none_or(|last| reading.at > last.at) {
            self.before = self.last.replace(reading);
        }
    }

    /// The use between the last two readings; nothing while there is one only, which is why a young pod has no sample.
    ///
    /// Source: kubernetes-sigs/metrics-server, `pkg/storage/pod.go`.
    pub fn sample(&self, pod: PodId, pipeline: &Pipeline) -> Option<Sample> {
        let (at, window, rate) = self.rate()?;
        Some(Sample { pod, at, window, value_milli: pipeline.milli(rate) })
    }

    /// The newest reading.
    pub fn last(&self) -> Option<Reading> {
        self.last
    }

    /// Of something that only grows: when it was read last, how long after the time before, and by how much it has
    /// grown in between, per second.
    pub fn rate(&self) -> Option<(SimTime, Span, f64)> {
        let (last, before) = (self.last?, self.before?);
        let window = last.at.since(before.at);
        Some((last.at, window, (last.value - before.value) / window.as_seconds()))
    }
}

/// The mean of what a metric was over a period, from its integral at both ends.
/// The mean of what a metric was over a period, from its integral at both ends.
pub fn mean(integral_at_start: f64, integral_at_end: f64, period: Span) -> f64 {
    (integral_at_end - integral_at_start) / period.as_seconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SimTime {
        SimTime::ZERO + Span::from_seconds(seconds).expect("a time")
    }

    /// A controller that looks at 44 s sees the scrape of 30 s, and that tells what the kubelet saw at 30 s; at 59 s
    /// the scrape of 45 s, of what it saw at 40 s.
    #[test]
    fn what_is_seen_is_older_than_it_looks() {
        let pipeline = Pipeline::metrics_server();
        assert_eq!(pipeline.newest_scrape(at(44.0)), Some(at(30.0)));
        assert_eq!(pipeline.looked(at(45.0)), at(40.0));
        assert_eq!(pipeline.age(at(44.0)), Some(seconds(14)));
        assert_eq!(pipeline.age(at(59.0)), Some(seconds(19)));
        assert_eq!(pipeline.worst_age(), seconds(25));
        assert_eq!(Pipeline::live().age(at(59.0)), Some(Span::ZERO));
    }

    #[test]
    fn an_answer_takes_its_time() {
        let pipeline = Pipeline { phase: seconds(7), delay: seconds(2), ..Pipeline::prometheus() };
        assert_eq!(pipeline.newest_scrape(at(8.9)), None);
        assert_eq!(pipeline.newest_scrape(at(9.0)), Some(at(7.0)));
        assert_eq!(pipeline.newest_scrape(at(68.9)), Some(at(7.0)));
        assert_eq!(pipeline.newest_scrape(at(69.0)), Some(at(67.0)));
        assert!(pipeline.is_fresh(at(7.0), at(307.0)) && !pipeline.is_fresh(at(7.0), at(307.1)));
        assert_eq!(Pipeline::metrics_server().scrape_before(at(30.0)), Some(at(15.0)));
    }

    /// 3 CPU seconds at 10 s, 9 at 30 s: 300 millicores; a reading of the same look changes nothing.
    #[test]
    fn use_is_told_from_two_readings() {
        let pipeline = Pipeline::metrics_server();
        let mut readings = Readings::default();
        readings.take(Reading { at: at(10.0), value: 3.0 });
        assert_eq!(readings.sample(1, &pipeline), None);
        readings.take(Reading { at: at(30.0), value: 9.0 });
        readings.take(Reading { at: at(30.0), value: 9.0 });
        let sample = Sample { pod: 1, at: at(30.0), window: seconds(20), value_milli: 300 };
        assert_eq!(readings.sample(1, &pipeline), Some(sample));
    }

    #[test]
    fn numbers_are_cut_and_answers_lost() {
        let pipeline = Pipeline { loss: 0.25, ..Pipeline::metrics_server() };
        assert_eq!(pipeline.milli(0.0101), 11, "thousandths are rounded up");
        assert_eq!([0.0, 0.2499, 0.25, 0.9].map(|draw| pipeline.arrives(draw)), [false, false, true, true]);
        assert!((mean(30.0, 90.0, seconds(60)) - 1.0).abs() < 1e-12);
    }
}

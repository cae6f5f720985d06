//! What a metric was over the last hours: what a reader sees of it later.

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

/// Longer than any pipeline looks back.
const KEPT: Span = Span::from_nanos(4 * 3_600_000_000_000);

/// A metric over time, constant between two stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    stands: VecDeque<Stand>,
    /// The integral of the mean over replicas up to now.
    integral: f64,
}

/// How a metric stands from a time on.
#[derive(Clone, Copy, Debug)]
struct Stand {
    at: SimTime,
    /// The sum over replicas and the mean over them; nothing while nothing is recorded.
    value: Option<(f64, f64)>,
    /// The integral of the mean up to then.
    integral: f64,
}

impl Stand {
    fn mean(&self) -> f64 {
        self.value.map_or(0.0, |(_, mean)| mean)
    }
}

impl Track {
    /// So much from now on.
    pub(super) fn note(&mut self, now: SimTime, total: Option<f64>, mean: Option<f64>) {
        let stand = Stand { at: now, value: total.zip(mean), integral: self.integral };
        match self.stands.back_mut() {
            Some(last) if last.at == now => *last = stand,
            Some(last) if last.value == stand.value => {}
            _ => self.stands.push_back(stand),
        }
        while self.stands.len() > 2 && now.since(self.stands[1].at) > KEPT {
            self.stands.pop_front();
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Span) {
        let mean = self.stands.back().map_or(0.0, Stand::mean);
        self.integral += mean * time.as_seconds();
    }

    /// The stand that held at a time; the first for times before it.
    fn stand(&self, at: SimTime) -> Option<&Stand> {
        let behind = self.stands.partition_point(|stand| stand.at <= at);
        self.stands.get(behind.saturating_sub(1))
    }

    /// The total and the mean at a time.
    pub(super) fn at(&self, at: SimTime) -> Option<(f64, f64)> {
        self.stand(at)?.value
    }

    /// The integral of the mean up to a time.
    pub(super) fn integral(&self, at: SimTime) -> f64 {
        let Some(stand) = self.stand(at) else {
            return 0.0;
        };
        let since = if at > stand.at { at.since(stand.at).as_seconds() } else { 0.0 };
        stand.integral + stand.mean() * since
    }

    /// The mean of the mean between two times.
    pub(super) fn mean(&self, from: SimTime, to: SimTime) -> f64 {
        (self.integral(to) - self.integral(from)) / to.since(from).as_seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// 2 for 10 s, 5 for 10 s: 20 and 70; between 5 s and 15 s the mean is 3.5.
    #[test]
    fn a_mean_is_told_from_the_integral() {
        let mut track = Track::default();
        track.note(at(0), Some(4.0), Some(2.0));
        track.pass(at(10).since(at(0)));
        track.note(at(10), Some(10.0), Some(5.0));
        track.pass(at(20).since(at(10)));
        track.note(at(20), None, None);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(track.integral(at(10)), 20.0) && close(track.integral(at(25)), 70.0));
        assert!(close(track.mean(at(5), at(15)), 3.5));
        assert_eq!(
            (track.at(at(9)), track.at(at(10)), track.at(at(20))),
            (Some((4.0, 2.0)), Some((10.0, 5.0)), None)
        );
    }
}

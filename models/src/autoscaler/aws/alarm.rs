//! Alarms of `CloudWatch`.
//!
//! Source: *Amazon `CloudWatch` User Guide*, "Using Amazon `CloudWatch` alarms".

use std::collections::VecDeque;

use sim_core::Span;

use super::super::kubernetes::seconds;

/// How a datapoint is held against the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `GreaterThanThreshold`
    Above,
    /// `GreaterThanOrEqualToThreshold`
    AtLeast,
    /// `LessThanThreshold`
    Below,
    /// `LessThanOrEqualToThreshold`
    AtMost,
}

/// State of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// Enough datapoints breach the threshold.
    Alarm,
    /// Not enough do.
    Ok,
    /// There is not enough to go by.
    InsufficientData,
}

/// An alarm over the last datapoints of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    comparison: Comparison,
    threshold: f64,
    /// Datapoints that have to breach, of so many.
    needed: usize,
    periods: usize,
    /// Time between two datapoints.
    period: Span,
    recent: VecDeque<Option<f64>>,
}

impl Alarm {
    /// An alarm that rings when `needed` of the last `periods` datapoints breach, which come once a minute.
    pub fn new(comparison: Comparison, threshold: f64, needed: usize, periods: usize) -> Self {
        Self { comparison, threshold, needed, periods, period: seconds(60), recent: VecDeque::new() }
    }

    /// The same with another time between two datapoints.
    #[must_use]
    pub fn every(self, period: Span) -> Self {
        Self { period, ..self }
    }

    /// Time between two datapoints.
    pub fn period(&self) -> Span {
        self.period
    }

    /// How a datapoint is held against the threshold.
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// The threshold.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    fn breaches(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Above => value > self.threshold,
            Comparison::AtLeast => value >= self.threshold,
            Comparison::Below => value < self.threshold,
            Comparison::AtMost => value <= self.threshold,
        }
    }

    /// The next datapoint, or that there was none; missing ones neither breach nor calm.
    pub fn next(&mut self, value: Option<f64>) -> AlarmState {
        self.recent.push_back(value);
        while self.recent.len() > self.periods {
            self.recent.pop_front();
        }
        let known = self.recent.iter().flatten().count();
        let breaching = self.recent.iter().flatten().filter(|value| self.breaches(**value)).count();
        if breaching >= self.needed {
            AlarmState::Alarm
        } else if known == 0 {
            AlarmState::InsufficientData
        } else {
            AlarmState::Ok
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 of 3 above 50: the third breach in a row rings, a calm minute stops it, a missing one keeps it from ringing.
    #[test]
    fn an_alarm_needs_all_its_datapoints() {
        let mut alarm = Alarm::new(Comparison::Above, 50.0, 3, 3);
        let minutes = [Some(60.0), Some(60.0), Some(60.0), Some(50.0), Some(60.0), Some(60.0), None];
        let states: Vec<AlarmState> = minutes.into_iter().map(|value| alarm.next(value)).collect();
        let rings: Vec<bool> = states.iter().map(|state| *state == AlarmState::Alarm).collect();
        assert_eq!(rings, [false, false, true, false, false, false, false]);
    }
}

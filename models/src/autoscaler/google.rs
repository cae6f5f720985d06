//! The autoscaler of Google's managed instance groups.
//!
//! Source: *Compute Engine documentation*, "Autoscaling groups of instances" and "Understanding autoscaler
//! decisions". Only what those pages say is modelled; how a forecast is made is not told there.

use std::collections::VecDeque;

use sim_core::{SimTime, Span};

use super::kubernetes::seconds;

/// An autoscaler of a managed instance group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Fewest instances. `minNumReplicas`
    pub min: i64,
    /// Most instances. `maxNumReplicas`
    pub max: i64,
    /// How long an instance starts and its usage is not trusted. `coolDownPeriodSec`, 60 s.
    pub initialization: Span,
    /// Which way it may go. `mode`
    pub mode: Mode,
    /// How fast it may shrink. `scaleInControl`
    pub scale_in: Option<ScaleInControl>,
}

impl Settings {
    /// How long a peak holds the size up: ten minutes, or as long as an instance takes to start.
    pub fn stabilization(&self) -> Span {
        self.initialization.max(seconds(600))
    }
}

/// Which way the autoscaler may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `ON`: both.
    #[default]
    On,
    /// `ONLY_SCALE_OUT`: it never shrinks.
    OnlyScaleOut,
    /// `OFF`: neither.
    Off,
}

/// How far below a recent peak the size may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleInControl {
    /// So far. `maxScaledInReplicas`
    pub at_most: Reduction,
    /// The peak of this long. `timeWindowSec`
    pub window: Span,
}

/// A number of instances, or a share of the peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reduction {
    /// `fixed`
    Instances(i64),
    /// `percent`
    Percent(f64),
}

/// Instances for one signal: rounded up, so that too much goes only in whole instances.
pub fn for_utilization(instances: i64, utilization: f64, target: f64) -> i64 {
    (instances as f64 * utilization / target).ceil() as i64
}

/// Why the size is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The signals ask for it.
    Recommended,
    /// They asked for more a while ago.
    Stabilized,
    /// It may not shrink as fast.
    ScaleInControl,
    /// The fewest or the most.
    Bounded,
    /// The mode does not allow the change.
    Mode,
}

impl Reason {
    /// In a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Recommended => "as the signals ask for",
            Self::Stabilized => "held up by the last peak",
            Self::ScaleInControl => "shrinking limited by the controls",
            Self::Bounded => "held at the fewest or the most",
            Self::Mode => "the mode does not allow it",
        }
    }
}

/// Remembers recommendations and sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Autoscaler {
    recommendations: VecDeque<(SimTime, i64)>,
    sizes: VecDeque<(SimTime, i64)>,
}

impl Autoscaler {
    /// The size, given what each signal asks for: the largest of them, and of the stabilisation period.
    ///
    /// `current` is the size now; no signals, no change.
    pub fn decide(
        &mut self,
        settings: &Settings,
        current: i64,
        signals: &[i64],
        now: SimTime,
    ) -> (i64, Reason) {
        let window = settings.scale_in.map_or(Span::ZERO, |control| control.window);
        let size_peak = peak(&mut self.sizes, (now, current), window, now);
        let Some(recommended) = signals.iter().copied().max() else {
            return (current, Reason::Recommended);
        };
        let held = peak(&mut self.recommendations, (now, recommended), settings.stabilization(), now);
        let (mut size, mut reason) = (held, Reason::Recommended);
        if held > recommended {
            reason = Reason::Stabilized;
        }
        if let Some(control) = settings.scale_in {
            let most = match control.at_most {
                Reduction::Instances(instances) => instances,
                Reduction::Percent(percent) => (size_peak as f64 * percent / 100.0) as i64,
            };
            if size < size_peak - most {
                size = (size_peak - most).min(current);
                reason = Reason::ScaleInControl;
            }
        }
        if size != size.min(settings.max).max(settings.min) {
            size = size.min(settings.max).max(settings.min);
            reason = Reason::Bounded;
        }
        let forbidden = match settings.mode {
            Mode::On => false,
            Mode::OnlyScaleOut => size < current,
            Mode::Off => size != current,
        };
        if forbidden { (current, Reason::Mode) } else { (size, reason) }
    }
}

/// Adds an entry and says the largest of those that are at most `window` old.
fn peak(entries: &mut VecDeque<(SimTime, i64)>, new: (SimTime, i64), window: Span, now: SimTime) -> i64 {
    while entries.front().is_some_and(|(at, _)| now.since(*at) > window) {
        entries.pop_front();
    }
    entries.push_back(new);
    entries.iter().map(|(_, size)| *size).max().unwrap_or(new.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> SimTime {
        SimTime::from_nanos(minutes * 60_000_000_000)
    }

    fn settings() -> Settings {
        Settings { min: 1, max: 100, initialization: seconds(60), mode: Mode::On, scale_in: None }
    }

    /// 10 at 12 of 10 need 12; 10 at 8.5 of 10 need 8.5, so 9 stay.
    #[test]
    fn signals_are_rounded_up() {
        assert_eq!(for_utilization(10, 0.72, 0.6), 12);
        assert_eq!(for_utilization(10, 0.51, 0.6), 9);
    }

    /// The peak of minute 0 holds for ten minutes, then everything goes in one step.
    #[test]
    fn the_peak_of_ten_minutes_holds_the_size() {
        let mut scaler = Autoscaler::default();
        assert_eq!(scaler.decide(&settings(), 10, &[20, 5], at(0)), (20, Reason::Recommended));
        for minute in 1..=10 {
            assert_eq!(
                scaler.decide(&settings(), 20, &[4], at(minute)),
                (20, Reason::Stabilized),
                "{minute}"
            );
        }
        assert_eq!(scaler.decide(&settings(), 20, &[4], at(11)), (4, Reason::Recommended));
    }

    /// At most 3 below the peak of 20 minutes: 20, 17, and 14 only once the 20 are out of the window.
    #[test]
    fn scale_in_controls_slow_the_way_down() {
        let control = ScaleInControl { at_most: Reduction::Instances(3), window: seconds(1200) };
        let settings = Settings { scale_in: Some(control), ..settings() };
        let mut scaler = Autoscaler::default();
        let mut size = 20;
        let mut course = Vec::new();
        for minute in 0..=45 {
            size = scaler.decide(&settings, size, &[4], at(minute)).0;
            course.push(size);
        }
        assert_eq!((course[0], course[20], course[21], course[22], course[42]), (17, 17, 14, 14, 11));
    }
}

//! Changes that take back the one before.

use sim_core::{SimTime, Span};

use super::kubernetes::seconds;

/// Tells changes that take back what was changed a while ago.
///
/// Growing and shrinking with the load of a day is what an autoscaler is for. One that grows and shrinks within
/// [`Flaps::WINDOW`] has moved replicas that it had no use for, or will soon miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaps {
    window: Span,
    last: Option<(SimTime, bool)>,
}

impl Default for Flaps {
    fn default() -> Self {
        Self::within(Self::WINDOW)
    }
}

impl Flaps {
    /// A change that comes later takes nothing back: 10 min, twice the time for which Kubernetes holds a count up.
    pub const WINDOW: Span = seconds(600);

    /// Changes that come later than that take nothing back.
    pub fn within(window: Span) -> Self {
        Self { window, last: None }
    }

    /// Whether a change takes the one before back: it goes the other way, and no later than the window after it.
    pub fn is_flap(&mut self, from: i32, to: i32, now: SimTime) -> bool {
        let grows = to > from;
        let before = self.last.replace((now, grows));
        before.is_some_and(|(at, grew)| grew != grows && now.since(at) <= self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flap_turns_round_within_ten_minutes() {
        let mut flaps = Flaps::default();
        let course = [(0, 3, 5), (60, 5, 8), (660, 8, 4), (1261, 4, 6), (1270, 6, 5), (1271, 5, 4)];
        let told = course
            .map(|(second, from, to)| flaps.is_flap(from, to, SimTime::from_nanos(second * 1_000_000_000)));
        assert_eq!(told, [false, false, true, false, true, false]);
    }
}

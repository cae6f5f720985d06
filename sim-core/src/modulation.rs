//! Rates that jump at random: [`Modulation`], the states of a Markov-modulated Poisson process.

use std::sync::Arc;

use thiserror::Error;

use crate::distribution::{Exponential, Law as _};
use crate::random::{Draws, combine};
use crate::rate::RateCurve;

/// Why the numbers do not make a modulation.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ModulationError {
    /// There are not two states to go between.
    #[error("expected at least two states")]
    Few,
    /// A rate is negative or not finite, or all are 0.
    #[error("expected a rate of 0 or more and one above 0, found {0}")]
    Rate(f64),
    /// A stay takes no time, or for ever.
    #[error("expected a mean stay above 0, found {0}")]
    Stay(f64),
}

/// States that follow each other in a circle, each with a factor for a rate and an exponential stay.
///
/// The factors average 1 over time, so that a rate times the factor of the moment has the mean of the rate. With
/// exponential gaps of mean 1 that is a Markov-modulated Poisson process.
///
/// Source: Fischer and Meier-Hellstern, *The Markov-Modulated Poisson Process (MMPP) Cookbook*, Performance Evaluation
/// 18(2), 1993.
///
/// ```
/// use sim_core::modulation::Modulation;
///
/// // 100/s for 9 s on average, then 1,000/s for 1 s on average.
/// let (bursty, mean) = Modulation::new(&[(100.0, 9.0), (1000.0, 1.0)])?;
/// assert_eq!(mean, 190.0);
/// # let _ = bursty;
/// # Ok::<(), sim_core::modulation::ModulationError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Modulation(Arc<[State]>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    factor: f64,
    /// Mean stay in seconds.
    stay: f64,
}

impl Modulation {
    /// The modulation of states with a rate and a mean stay in seconds each, and the mean rate over time.
    ///
    /// # Errors
    ///
    /// When there are fewer than two states, a rate is negative, none is above 0, or a stay is not above 0.
    pub fn new(states: &[(f64, f64)]) -> Result<(Self, f64), ModulationError> {
        if states.len() < 2 {
            return Err(ModulationError::Few);
        }
        for &(rate, stay) in states {
            if !(rate >= 0.0 && rate.is_finite()) {
                return Err(ModulationError::Rate(rate));
            }
            if !(stay > 0.0 && stay.is_finite()) {
                return Err(ModulationError::Stay(stay));
            }
        }
        let time: f64 = states.iter().map(|(_, stay)| stay).sum();
        let mean = states.iter().map(|(rate, stay)| rate * stay).sum::<f64>() / time;
        if mean <= 0.0 || !mean.is_finite() {
            return Err(ModulationError::Rate(mean));
        }
        let state = |&(rate, stay): &(f64, f64)| State { factor: rate / mean, stay };
        Ok((Self(states.iter().map(state).collect()), mean))
    }

    fn highest(&self) -> f64 {
        self.0.iter().fold(0.0, |highest, state| state.factor.max(highest))
    }
}

/// Where a modulation is.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    draws: Draws,
    state: usize,
    /// When it goes on to the next state, in seconds.
    until: f64,
}

impl Phase {
    /// Begins at time 0, as likely in a state as it is at any other time.
    pub fn new(modulation: &Modulation, mut draws: Draws) -> Self {
        let time: f64 = modulation.0.iter().map(|state| state.stay).sum();
        let mut left = draws.unit() * time;
        let later = modulation.0.iter().position(|state| {
            left -= state.stay;
            left < 0.0
        });
        let mut phase = Self { draws, state: later.unwrap_or(0), until: 0.0 };
        phase.until = phase.stay(modulation);
        phase
    }

    /// Lets the states that are to come be drawn anew, under another name.
    pub fn diverge(&mut self, name: u64) {
        self.draws = Draws::keyed(combine(self.draws.next_u64(), name));
    }

    fn stay(&mut self, modulation: &Modulation) -> f64 {
        let stay = modulation.0[self.state % modulation.0.len()].stay;
        Exponential::new(stay).map_or(stay, |law| law.sample(&mut self.draws))
    }

    fn go_on(&mut self, modulation: &Modulation) {
        self.state = (self.state + 1) % modulation.0.len();
        self.until += self.stay(modulation);
    }

    fn factor(&self, modulation: &Modulation) -> f64 {
        modulation.0[self.state % modulation.0.len()].factor
    }

    /// The time at which the integral of the modulated rate since `from` equals `amount`; `None` if it never does.
    pub fn after(
        &mut self,
        modulation: &Modulation,
        rate: &RateCurve,
        from: f64,
        amount: f64,
    ) -> Option<f64> {
        // Even at its highest it would not get there: the rate ends.
        rate.after(from, amount / modulation.highest())?;
        let (mut at, mut left) = (from, amount);
        loop {
            let factor = self.factor(modulation);
            let inside = factor * rate.integral(at, self.until);
            if factor > 0.0 && left <= inside {
                return Some(rate.after(at, left / factor)?.max(at));
            }
            left = (left - inside).max(0.0);
            at = self.until.max(at);
            self.go_on(modulation);
            rate.after(at, left / modulation.highest())?;
        }
    }

    /// The integral of the modulated rate from `from`, where the phase is, to `to`, where it is then.
    pub fn integral(&mut self, modulation: &Modulation, rate: &RateCurve, from: f64, to: f64) -> f64 {
        let (mut at, mut sum) = (from, 0.0);
        while self.until < to {
            sum += self.factor(modulation) * rate.integral(at, self.until);
            at = self.until.max(at);
            self.go_on(modulation);
        }
        sum + self.factor(modulation) * rate.integral(at, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bursty() -> Modulation {
        Modulation::new(&[(100.0, 9.0), (1000.0, 1.0), (0.0, 2.0)]).unwrap().0
    }

    #[test]
    fn its_mean_over_time_is_that_of_the_rate() {
        let (modulation, mean) = Modulation::new(&[(100.0, 9.0), (1000.0, 1.0)]).unwrap();
        assert!((mean - 190.0).abs() < 1e-9, "{mean}");
        let rate = RateCurve::constant(10.0).unwrap();
        let mut phase = Phase::new(&modulation, Draws::keyed(1));
        let integral = phase.integral(&modulation, &rate, 0.0, 1e6);
        // The standard error of the share of time in the second state is about 0.4 %.
        assert!((integral / 1e7 - 1.0).abs() < 0.01, "{integral}");
    }

    #[test]
    fn what_lies_before_an_arrival_is_what_was_asked_for() {
        let modulation = bursty();
        let rate = RateCurve::linear(&[(0.0, 1.0), (100.0, 5.0)]).unwrap();
        let start = Phase::new(&modulation, Draws::keyed(7));
        let (mut ahead, mut at) = (start, 0.0);
        for amount in [0.1, 3.0, 0.0, 250.0, 1.0] {
            let before = ahead;
            let next = ahead.after(&modulation, &rate, at, amount).unwrap();
            let mut again = before;
            let integral = again.integral(&modulation, &rate, at, next);
            assert!((integral - amount).abs() < 1e-9 * amount.max(1.0), "{integral} for {amount}");
            at = next;
        }
    }

    #[test]
    fn begins_in_a_state_as_often_as_it_is_in_it() {
        let modulation = bursty();
        let in_second =
            (0..20_000).filter(|&key| Phase::new(&modulation, Draws::keyed(key)).state == 1).count();
        // 1 of 12 s: 1,667 of 20,000, standard deviation 39.
        assert!((1_510..1_825).contains(&in_second), "{in_second}");
    }

    #[test]
    fn ends_where_the_rate_ends() {
        let modulation = bursty();
        let rate = RateCurve::bins(10.0, vec![1.0]).unwrap();
        let mut phase = Phase::new(&modulation, Draws::keyed(3));
        assert_eq!(phase.after(&modulation, &rate, 0.0, 1e3), None);
    }

    #[test]
    fn states_that_cannot_be_are_refused() {
        assert_eq!(Modulation::new(&[(1.0, 1.0)]), Err(ModulationError::Few));
        assert_eq!(Modulation::new(&[(1.0, 0.0), (1.0, 1.0)]), Err(ModulationError::Stay(0.0)));
        assert_eq!(Modulation::new(&[(-1.0, 1.0), (1.0, 1.0)]), Err(ModulationError::Rate(-1.0)));
        assert_eq!(Modulation::new(&[(0.0, 1.0), (0.0, 1.0)]), Err(ModulationError::Rate(0.0)));
    }
}

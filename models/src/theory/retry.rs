use sim_core::distribution::Distribution;

use super::quadrature::integrate;
use super::share;

/// Attempts one after the other, each given up after a timeout, with a constant pause between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeoutRetry {
    /// How long an attempt may take.
    pub timeout: f64,
    /// Attempts at most, the first included.
    pub attempts: u32,
    /// The pause after an attempt that is followed by another.
    pub backoff: f64,
}

/// What comes of [`TimeoutRetry`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retried {
    /// Probability that one of the attempts succeeds.
    pub success: f64,
    /// Mean number of attempts.
    pub mean_attempts: f64,
    /// Mean time until success or the last timeout.
    pub mean_response: f64,
    /// Mean time until success, of those who have it.
    pub mean_response_success: f64,
}

impl TimeoutRetry {
    /// The outcome for calls whose attempts are independent, each of this latency.
    ///
    /// Wald's identity: attempts are made until one ends in time, so their mean number times the mean of
    /// min(latency, timeout) is the time spent in them.
    ///
    /// # Panics
    ///
    /// When there is no attempt.
    pub fn outcome(self, latency: &Distribution) -> Retried {
        assert!(self.attempts > 0, "without an attempt there is no outcome");
        let late = latency.survival(self.timeout);
        let all_late = late.powf(f64::from(self.attempts));
        let success = share(1.0 - all_late);
        let mean_attempts = mean_attempts(late, self.attempts);
        let mean_response = mean_attempts * self.mean_attempt(latency) + (mean_attempts - 1.0) * self.backoff;
        let n = f64::from(self.attempts);
        let longest = n * self.timeout + (n - 1.0) * self.backoff;
        let mean_response_success = (mean_response - all_late * longest) / success;
        Retried { success, mean_attempts, mean_response, mean_response_success }
    }

    /// The mean of min(latency, timeout).
    fn mean_attempt(self, latency: &Distribution) -> f64 {
        if latency.is_exponential() {
            return latency.mean() * latency.cdf(self.timeout);
        }
        integrate(&|t| latency.survival(t), 0.0, self.timeout)
    }
}

/// (1 - p^n) / (1 - p): how many of n attempts are made when each fails with probability p.
fn mean_attempts(failing: f64, attempts: u32) -> f64 {
    (0..attempts).rev().fold(0.0, |sum, _| sum * failing + 1.0)
}

/// Calls that reach the leaf per request, and the share of requests that succeed, below `layers` of retries.
///
/// Every layer calls the one below until it succeeds, `attempts` times at most; the leaf fails with probability
/// `failing` each time. When it always fails, `attempts^layers` calls reach it.
///
/// Source: Google, *Site Reliability Engineering* (2016), ch. 22.
///
/// ```
/// // Three layers that try four times each, over a dead leaf.
/// let (calls, success) = models::theory::retry_amplification(1.0, 4, 3);
/// assert_eq!((calls, success), (64.0, 0.0));
/// ```
pub fn retry_amplification(failing: f64, attempts: u32, layers: u32) -> (f64, f64) {
    let (calls, failing) = (0..layers).fold((1.0, failing), |(calls, failing), _| {
        (calls * mean_attempts(failing, attempts), failing.powf(f64::from(attempts)))
    });
    (calls, share(1.0 - failing))
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::{Exponential, Gamma};

    use super::*;

    #[test]
    fn integration_agrees_with_the_closed_form() {
        let retry = TimeoutRetry { timeout: 2.0, attempts: 3, backoff: 0.5 };
        let by_formula = retry.outcome(&Exponential::new(1.0).unwrap().into());
        let by_integral = retry.mean_attempt(&Gamma::new(1.0, 1.0 + 1e-9).unwrap().into());
        assert!((by_integral - (1.0 - (-2.0_f64).exp())).abs() < 1e-8);
        let q = (-2.0_f64).exp();
        assert!((by_formula.mean_attempts - (1.0 + q + q * q)).abs() < 1e-12);
    }

    #[test]
    fn one_attempt_is_a_timeout_alone() {
        let once = TimeoutRetry { timeout: 1.0, attempts: 1, backoff: 9.0 };
        let found = once.outcome(&Exponential::new(1.0).unwrap().into());
        assert!((found.mean_attempts - 1.0).abs() < 1e-12);
        assert!((found.success - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
    }
}

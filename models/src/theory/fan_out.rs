use sim_core::distribution::Distribution;
use sim_core::distribution::numeric::boundary;

use super::fork_join::harmonic;
use super::quadrature::integrate;

/// Independent calls in parallel that end with the k-th answer of n: all, any, or a quorum. Without queueing.
///
/// Source: David, Nagaraja, *Order Statistics*, 3rd ed. (2003), §2.1 and §3.1.
///
/// ```
/// use models::theory::FanOut;
/// use sim_core::distribution::{Distribution, Exponential};
///
/// let latency: Distribution = Exponential::new(0.01)?.into();
/// // The later of two exponential times takes 1 + 1/2 means.
/// assert!((FanOut::all(2).mean(&latency) - 0.015).abs() < 1e-12);
/// # Ok::<(), sim_core::distribution::DistributionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanOut {
    calls: u32,
    answers: u32,
}

impl FanOut {
    /// `calls` calls that wait for all of the answers.
    ///
    /// # Panics
    ///
    /// When there is no call.
    pub fn all(calls: u32) -> Self {
        Self::quorum(calls, calls)
    }

    /// `calls` calls that wait for `answers` answers.
    ///
    /// # Panics
    ///
    /// When `answers` is not from 1 to `calls`.
    pub fn quorum(calls: u32, answers: u32) -> Self {
        assert!(answers >= 1 && answers <= calls, "cannot wait for {answers} answers of {calls}");
        Self { calls, answers }
    }

    /// Probability that too few answers have come, when each is outstanding with probability `outstanding`.
    ///
    /// It takes more than n - k outstanding ones: a sum of the binomial law.
    fn unfinished(self, outstanding: f64) -> f64 {
        let missing = self.calls - self.answers + 1;
        if outstanding >= 1.0 || outstanding <= 0.0 {
            return if outstanding >= 1.0 { 1.0 } else { 0.0 };
        }
        if missing == 1 {
            return -(f64::from(self.calls) * (-outstanding).ln_1p()).exp_m1();
        }
        let odds = outstanding / (1.0 - outstanding);
        // From the likeliest count outwards the terms only get smaller.
        let mode = (f64::from(self.calls + 1) * outstanding).floor().min(f64::from(self.calls)) as u32;
        let ratio = |j: u32| odds * f64::from(self.calls - j + 1) / f64::from(j); // Of j to j - 1.
        let mut counted = if mode >= missing { 1.0 } else { 0.0 };
        let mut other = 1.0 - counted;
        let mut term = 1.0;
        let mut add = |j: u32, term: f64| if j >= missing { counted += term } else { other += term };
        for j in mode + 1..=self.calls {
            term *= ratio(j);
            add(j, term);
        }
        term = 1.0;
        for j in (0..mode).rev() {
            term /= ratio(j + 1);
            add(j, term);
        }
        counted / (counted + other)
    }

    /// Probability of a response time above `t`, for calls of this latency.
    pub fn survival(self, latency: &Distribution, t: f64) -> f64 {
        self.unfinished(latency.survival(t))
    }

    /// The `p`-quantile of the response time, for calls of this latency.
    pub fn quantile(self, latency: &Distribution, p: f64) -> f64 {
        latency.upper_quantile(self.outstanding(1.0 - p))
    }

    /// The probability for a single call that leaves the whole unfinished with probability `unfinished`.
    fn outstanding(self, unfinished: f64) -> f64 {
        if self.answers == self.calls {
            return -((-unfinished).ln_1p() / f64::from(self.calls)).exp_m1();
        }
        boundary(|s| self.unfinished(s) >= unfinished, 0.0, 1.0)
    }

    /// Mean response time, for calls of this latency; exact if it is exponential, else by integration.
    ///
    /// Infinite where it diverges, and where the tail falls off more slowly than about t^-1.05.
    pub fn mean(self, latency: &Distribution) -> f64 {
        if latency.is_constant() {
            return latency.mean();
        }
        if latency.is_exponential() {
            return latency.mean() * (harmonic(self.calls) - harmonic(self.calls - self.answers));
        }
        let survival = |t: f64| self.survival(latency, t);
        let at_tail = |unfinished: f64| latency.upper_quantile(self.outstanding(unfinished));
        // More than half may take no time at all.
        let typical = at_tail(0.5).max(1e-12 * at_tail(1e-9));
        // Below `low` almost nothing has ended. In the logarithm of the time any tail dies out exponentially.
        let low = at_tail(1.0 - 1e-15).max(1e-30 * typical);
        let mut high = at_tail(1e-9).max(2.0 * low);
        while survival(high) * high > 1e-15 * typical {
            high *= 2.0;
            if high > 1e300 {
                return f64::INFINITY;
            }
        }
        if high == 0.0 {
            return 0.0;
        }
        low + integrate(&|y: f64| survival(y.exp()) * y.exp(), low.ln(), high.ln())
    }
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::{Constant, Exponential, Mixture, Pareto, Uniform};

    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "found {found}, expected {expected}");
    }

    #[test]
    fn uniform_order_statistics_divide_the_interval() {
        let uniform = Uniform::new(0.0, 1.0).unwrap().into();
        for (n, k) in [(1, 1), (3, 2), (5, 5), (9, 1), (500, 500), (500, 250)] {
            close(FanOut::quorum(n, k).mean(&uniform), f64::from(k) / f64::from(n + 1));
        }
    }

    #[test]
    fn a_quorum_may_have_a_mean_where_all_have_none() {
        // Pareto with min 1 and alpha 1.5: the least of two is Pareto with alpha 3.
        let heavy = Pareto::from_min(1.0, 1.5, None).unwrap().into();
        close(FanOut::quorum(2, 1).mean(&heavy), 1.5);
        close(FanOut::quorum(2, 1).quantile(&heavy, 0.5), 2.0_f64.powf(1.0 / 3.0));
        // With alpha 0.8 one call has no mean; the faster of two has alpha 1.6.
        let heavier = Pareto::from_min(1.0, 0.8, None).unwrap().into();
        close(FanOut::quorum(2, 1).mean(&heavier), 1.6 / 0.6);
        assert!(FanOut::all(2).mean(&heavier).is_infinite());
    }

    #[test]
    fn calls_that_mostly_take_no_time_have_a_mean() {
        let part = |value| Constant::new(value).unwrap().into();
        let rarely = Mixture::new(vec![(0.75, part(0.0)), (0.25, part(2.0))]).unwrap().into();
        close(FanOut::all(1).mean(&rarely), 0.5);
        close(FanOut::quorum(2, 1).mean(&rarely), 0.125);
    }

    #[test]
    fn fan_out_makes_the_slow_share_common() {
        let part = |value| Constant::new(value).unwrap().into();
        let one_in_a_hundred = Mixture::new(vec![(0.99, part(0.01)), (0.01, part(1.0))]).unwrap().into();
        let hundred = FanOut::all(100);
        assert!((hundred.survival(&one_in_a_hundred, 0.5) - 0.634).abs() < 1e-3);
        close(hundred.mean(&one_in_a_hundred), 0.01 + 0.99 * (1.0 - 0.99_f64.powi(100)));
    }

    #[test]
    fn quantiles_invert_the_law() {
        let latency = Exponential::new(1.0).unwrap().into();
        for (n, k) in [(3, 2), (20, 18), (5, 1), (7, 7)] {
            for p in [0.5, 0.9, 0.999] {
                let x = FanOut::quorum(n, k).quantile(&latency, p);
                assert!((FanOut::quorum(n, k).survival(&latency, x) - (1.0 - p)).abs() < 1e-12);
            }
        }
    }
}

use sim_core::distribution::numeric::smallest;

use super::erlang_c;

/// One queue for c servers, Poisson arrivals, exponential service, first come first served: M/M/c.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.5; Gross et al., *Fundamentals of Queueing Theory*,
/// 4th ed. (2008), §2.3, for the law of the response time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmc {
    lambda: f64,
    mu: f64,
    servers: u32,
    prob_wait: f64,
}

impl Mmc {
    /// `None` unless `lambda < servers * mu`.
    pub fn new(lambda: f64, mu: f64, servers: u32) -> Option<Self> {
        let stable = lambda >= 0.0 && mu.is_finite() && lambda < mu * f64::from(servers);
        stable.then(|| Self { lambda, mu, servers, prob_wait: erlang_c(lambda / mu, servers) })
    }

    /// Mean share of the servers that are busy.
    pub fn utilization(&self) -> f64 {
        self.lambda / (self.mu * f64::from(self.servers))
    }

    /// c mu - lambda, the rate at which waits fall off.
    fn slack(&self) -> f64 {
        self.mu * f64::from(self.servers) - self.lambda
    }

    /// Probability of a wait (Erlang C).
    pub fn prob_wait(&self) -> f64 {
        self.prob_wait
    }

    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.prob_wait / self.slack()
    }

    /// Variance of the wait.
    pub fn var_wait(&self) -> f64 {
        self.prob_wait * (2.0 - self.prob_wait) / self.slack().powi(2)
    }

    /// The `p`-quantile of the wait; 0 up to the share of requests that do not wait.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        ((self.prob_wait / (1.0 - p)).ln() / self.slack()).max(0.0)
    }

    /// Mean response time.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + 1.0 / self.mu
    }

    /// Variance of the response time; wait and service time are independent.
    pub fn var_response(&self) -> f64 {
        self.var_wait() + self.mu.powi(-2)
    }

    /// Probability of a response time above `t`.
    ///
    /// The service time alone, or with the probability of a wait an exponential wait before it.
    pub fn response_survival(&self, t: f64) -> f64 {
        let (t, mu, slack) = (t.max(0.0), self.mu, self.slack());
        let served = (-mu * t).exp();
        let excess = slack - mu;
        // (e^(-mu t) - e^(-slack t)) / excess, which tends to t e^(-mu t) as the rates meet.
        let late = if (excess * t).abs() > 0.5 {
            (served - (-slack * t).exp()) / excess
        } else if excess == 0.0 {
            served * t
        } else {
            served * -(-excess * t).exp_m1() / excess
        };
        served + self.prob_wait * mu * late
    }

    /// The `p`-quantile of the response time, by inversion of its law.
    pub fn response_quantile(&self, p: f64) -> f64 {
        smallest(|t| self.response_survival(t) <= 1.0 - p, self.mean_response())
    }

    /// Mean number waiting.
    pub fn queue_length(&self) -> f64 {
        self.lambda * self.mean_wait()
    }

    /// Mean number waiting or in service.
    pub fn mean_number(&self) -> f64 {
        self.lambda * self.mean_response()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mm1;
    use super::*;

    #[test]
    fn one_server_is_mm1() {
        let (one, mm1) = (Mmc::new(0.7, 1.0, 1).unwrap(), Mm1::new(0.7, 1.0).unwrap());
        assert!((one.mean_wait() - mm1.mean_wait()).abs() < 1e-12);
        assert!((one.response_quantile(0.99) - mm1.response_quantile(0.99)).abs() < 1e-10);
        assert!((one.wait_quantile(0.99) - mm1.wait_quantile(0.99)).abs() < 1e-10);
        assert!((one.var_wait() - mm1.var_wait()).abs() < 1e-10);
    }

    #[test]
    fn equal_rates_are_no_special_case() {
        // c mu - lambda = mu: the response of those who wait is the sum of two equal phases.
        let at = |lambda| Mmc::new(lambda, 1.0, 2).unwrap().response_survival(2.0);
        assert!((at(1.0) - (1.0 + 2.0 / 3.0) * (-2.0_f64).exp()).abs() < 1e-12);
        assert!((at(1.0) - at(1.0 + 1e-9)).abs() < 1e-8);
        assert!(Mmc::new(2.0, 1.0, 2).is_none());
    }
}

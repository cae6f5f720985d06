use sim_core::distribution::numeric::boundary;

/// One server, exponential service, independent gaps of any law between arrivals: GI/M/1.
///
/// An arrival finds the server busy with probability sigma, the root below 1 of
/// sigma = A(mu (1 - sigma)), where A(s) = E[e^(-s gap)]; response times are exponential.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §6.4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GiM1 {
    mu: f64,
    sigma: f64,
}

impl GiM1 {
    /// `transform` is the A(s) of the gaps. `None` unless their mean, `mean_gap`, is above 1/mu.
    pub fn new(mean_gap: f64, mu: f64, transform: impl Fn(f64) -> f64) -> Option<Self> {
        if mu.is_nan() || mean_gap * mu <= 1.0 {
            return None;
        }
        // In idle = 1 - sigma, which may be small: A(mu idle) starts at 1 with a steeper fall than 1 - idle.
        let excess = |idle: f64| idle - 1.0 + transform(mu * idle);
        let idle = boundary(|idle| excess(idle) >= 0.0, 1e-9 * (1.0 - 1.0 / (mean_gap * mu)), 1.0);
        Some(Self { mu, sigma: 1.0 - idle })
    }

    /// One of `n` servers, each with its own queue, when Poisson arrivals go to them in turn: `E_n/M/1`.
    ///
    /// `lambda` are the arrivals per second at all of them. `None` unless `lambda < n * mu`.
    pub fn round_robin(lambda: f64, mu: f64, n: u32) -> Option<Self> {
        let n = f64::from(n);
        Self::new(n / lambda, mu, |s| (n * -(s / lambda).ln_1p()).exp())
    }

    /// Probability of a wait.
    pub fn prob_wait(&self) -> f64 {
        self.sigma
    }

    /// mu (1 - sigma), the rate at which response times fall off.
    fn slack(&self) -> f64 {
        self.mu * (1.0 - self.sigma)
    }

    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.sigma / self.slack()
    }

    /// Mean response time.
    pub fn mean_response(&self) -> f64 {
        1.0 / self.slack()
    }

    /// The `p`-quantile of the wait; 0 up to the share of requests that do not wait.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        ((self.sigma / (1.0 - p)).ln() / self.slack()).max(0.0)
    }

    /// The `p`-quantile of the response time.
    pub fn response_quantile(&self, p: f64) -> f64 {
        -(-p).ln_1p() / self.slack()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mm1;
    use super::*;

    #[test]
    fn one_server_in_turn_is_mm1() {
        let (turn, mm1) = (GiM1::round_robin(0.7, 1.0, 1).unwrap(), Mm1::new(0.7, 1.0).unwrap());
        assert!((turn.mean_response() - mm1.mean_response()).abs() < 1e-9);
        assert!((turn.wait_quantile(0.99) - mm1.wait_quantile(0.99)).abs() < 1e-9);
        assert_eq!(GiM1::round_robin(2.0, 1.0, 2), None);
    }

    #[test]
    fn two_servers_in_turn_by_hand() {
        // Erlang-2 gaps of mean 1, mu = 2: sigma is (3 - sqrt 5)/2 (the oracle of E2/M/1 at half load).
        let turn = GiM1::round_robin(2.0, 2.0, 2).unwrap();
        assert!((turn.prob_wait() - 0.5 * (3.0 - 5.0_f64.sqrt())).abs() < 1e-12);
    }
}

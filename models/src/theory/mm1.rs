/// One server, Poisson arrivals, exponential service, first come first served: M/M/1.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.2 and §5.
///
/// ```
/// use models::theory::Mm1;
/// let half = Mm1::new(0.5, 1.0).unwrap();
/// assert_eq!(half.mean_response(), 2.0);
/// assert!(Mm1::new(1.0, 1.0).is_none(), "no steady state");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mm1 {
    lambda: f64,
    mu: f64,
}

impl Mm1 {
    /// `None` unless `lambda < mu`.
    pub fn new(lambda: f64, mu: f64) -> Option<Self> {
        (lambda >= 0.0 && lambda < mu && mu.is_finite()).then_some(Self { lambda, mu })
    }

    /// One of `n` servers, each with its own queue, when every request goes to one at random.
    ///
    /// Each is an M/M/1 of its own with lambda/n. `None` unless that is below `mu`.
    pub fn random_split(lambda: f64, mu: f64, n: u32) -> Option<Self> {
        Self::new(lambda / f64::from(n), mu)
    }

    /// The share of the time that the server is busy; also the probability of a wait.
    pub fn utilization(&self) -> f64 {
        self.lambda / self.mu
    }

    /// mu - lambda, the rate at which response times fall off.
    fn slack(&self) -> f64 {
        self.mu - self.lambda
    }

    /// Mean response time.
    pub fn mean_response(&self) -> f64 {
        1.0 / self.slack()
    }

    /// Variance of the response time.
    pub fn var_response(&self) -> f64 {
        self.slack().powi(-2)
    }

    /// Probability of a response time above `t`; the response time is exponential.
    pub fn response_survival(&self, t: f64) -> f64 {
        (-self.slack() * t.max(0.0)).exp()
    }

    /// The `p`-quantile of the response time.
    pub fn response_quantile(&self, p: f64) -> f64 {
        -(-p).ln_1p() / self.slack()
    }

    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.utilization() / self.slack()
    }

    /// Variance of the wait.
    pub fn var_wait(&self) -> f64 {
        let rho = self.utilization();
        rho * (2.0 - rho) / self.slack().powi(2)
    }

    /// The `p`-quantile of the wait; 0 up to the share of requests that do not wait.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        ((self.utilization() / (1.0 - p)).ln() / self.slack()).max(0.0)
    }

    /// Mean number waiting.
    pub fn queue_length(&self) -> f64 {
        self.lambda * self.mean_wait()
    }

    /// Mean number waiting or in service.
    pub fn mean_number(&self) -> f64 {
        self.lambda * self.mean_response()
    }

    /// Variance of the number waiting or in service.
    pub fn var_number(&self) -> f64 {
        self.lambda * self.mu / self.slack().powi(2)
    }

    /// Share of the time with at least `n` waiting or in service.
    pub fn prob_at_least(&self, n: u32) -> f64 {
        self.utilization().powf(f64::from(n))
    }

    /// Mean length of a period without an idle moment.
    pub fn mean_busy_period(&self) -> f64 {
        1.0 / self.slack()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hockey_stick() {
        // Ninety per cent: ten service times; ninety-nine: a hundred.
        assert!((Mm1::new(0.9, 1.0).unwrap().mean_response() - 10.0).abs() < 1e-12);
        assert!((Mm1::new(0.99, 1.0).unwrap().mean_response() - 100.0).abs() < 1e-9);
        assert!(Mm1::new(1.1, 1.0).is_none() && Mm1::new(f64::NAN, 1.0).is_none());
    }

    #[test]
    fn those_who_do_not_wait_have_a_wait_of_zero() {
        let half = Mm1::new(0.5, 1.0).unwrap();
        assert!(half.wait_quantile(0.4) == 0.0 && half.wait_quantile(0.6) > 0.0);
    }
}

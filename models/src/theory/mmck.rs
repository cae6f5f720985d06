use sim_core::distribution::numeric::smallest;

use super::birth_death;

/// c servers and room for K requests in all, those in service included: M/M/c/K. M/M/1/K with one server.
///
/// A request that finds K is rejected. What is said of requests is said of the accepted ones.
///
/// Source: Gross et al., *Fundamentals of Queueing Theory*, 4th ed. (2008), §2.5.
#[derive(Clone, Debug, PartialEq)]
pub struct Mmck {
    lambda: f64,
    mu: f64,
    servers: u32,
    /// The long-run share of the time with n present.
    shares: Vec<f64>,
}

impl Mmck {
    /// `places` is K. There is always a steady state; `None` for rates that are not positive, no server, or
    /// fewer places than servers.
    pub fn new(lambda: f64, mu: f64, servers: u32, places: u32) -> Option<Self> {
        let valid = lambda > 0.0 && mu > 0.0 && (lambda / mu).is_finite();
        if !valid || servers == 0 || places < servers {
            return None;
        }
        let shares =
            birth_death::shares(places as usize, |n| lambda / (mu * f64::from(servers).min(n as f64)));
        Some(Self { lambda, mu, servers, shares })
    }

    /// Probability that an arrival is rejected.
    pub fn prob_rejected(&self) -> f64 {
        self.shares[self.shares.len() - 1]
    }

    /// Accepted requests per second.
    pub fn throughput(&self) -> f64 {
        self.lambda * self.shares[..self.shares.len() - 1].iter().sum::<f64>()
    }

    /// Mean share of the servers that are busy.
    pub fn utilization(&self) -> f64 {
        self.throughput() / (self.mu * f64::from(self.servers))
    }

    /// Mean number waiting.
    pub fn queue_length(&self) -> f64 {
        birth_death::mean(&self.shares, |n| (n - f64::from(self.servers)).max(0.0))
    }

    /// Mean number waiting or in service.
    pub fn mean_number(&self) -> f64 {
        birth_death::mean(&self.shares, |n| n)
    }

    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.queue_length() / self.throughput()
    }

    /// Mean response time.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + 1.0 / self.mu
    }

    /// How many others an accepted request finds.
    fn found(&self) -> Vec<f64> {
        let accepted = &self.shares[..self.shares.len() - 1];
        let total: f64 = accepted.iter().sum();
        accepted.iter().map(|share| share / total).collect()
    }

    /// Probability of a wait.
    pub fn prob_wait(&self) -> f64 {
        self.found()[self.servers as usize..].iter().sum()
    }

    /// The `p`-quantile of the response time.
    pub fn response_quantile(&self, p: f64) -> f64 {
        let found = self.found();
        let survival = |t| birth_death::response_survival(&found, self.servers, self.mu, t);
        smallest(|t| survival(t) <= 1.0 - p, self.mean_response())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mmc, erlang_b};
    use super::*;

    #[test]
    fn without_a_queue_it_is_erlang_b() {
        let loss = Mmck::new(3.0, 1.0, 5, 5).unwrap();
        assert!((loss.prob_rejected() - erlang_b(3.0, 5)).abs() < 1e-12);
        assert!(loss.queue_length().abs() < 1e-12 && loss.prob_wait().abs() < 1e-12);
    }

    #[test]
    fn with_much_room_it_is_mmc() {
        let (roomy, open) = (Mmck::new(3.0, 1.0, 4, 400).unwrap(), Mmc::new(3.0, 1.0, 4).unwrap());
        assert!((roomy.mean_wait() - open.mean_wait()).abs() < 1e-10);
        assert!((roomy.response_quantile(0.99) - open.response_quantile(0.99)).abs() < 1e-8);
    }

    #[test]
    fn two_places_by_hand() {
        // One server, rho 1: three equally likely states.
        let small = Mmck::new(1.0, 1.0, 1, 2).unwrap();
        assert!((small.prob_rejected() - 1.0 / 3.0).abs() < 1e-12);
        assert!((small.mean_response() - 1.5).abs() < 1e-12);
        assert!(Mmck::new(1.0, 1.0, 3, 2).is_none());
    }
}

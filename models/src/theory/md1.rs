use sim_core::distribution::numeric::boundary;

/// One server, Poisson arrivals, constant service time: M/D/1, and the law of its wait.
///
/// The probabilities of the number present come from the balance of crossings of each level, those of the wait
/// from the queue that a request leaves behind; both sum positive terms only, where Erlang's formula alternates.
///
/// Source: Franx, *A simple solution for the M/D/c waiting time distribution*, Operations Research Letters
/// 29(5), 2001.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Md1 {
    lambda: f64,
    service: f64,
}

impl Md1 {
    /// `None` unless `lambda * service < 1`.
    pub fn new(lambda: f64, service: f64) -> Option<Self> {
        (lambda > 0.0 && service > 0.0 && lambda * service < 1.0).then_some(Self { lambda, service })
    }

    /// The share of the time that the server is busy; also the probability of a wait.
    pub fn utilization(&self) -> f64 {
        self.lambda * self.service
    }

    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        let rho = self.utilization();
        0.5 * rho * self.service / (1.0 - rho)
    }

    /// Variance of the wait.
    pub fn var_wait(&self) -> f64 {
        let rho = self.utilization();
        self.mean_wait().powi(2) + rho * self.service.powi(2) / (3.0 * (1.0 - rho))
    }

    /// The `p`-quantile of the wait; 0 up to the share of requests that do not wait.
    ///
    /// Takes O(k^2) for a quantile of k service times.
    ///
    /// # Panics
    ///
    /// When `p` is not from 0 to below 1.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        assert!((0.0..1.0).contains(&p), "there is no quantile {p} of a wait");
        if p <= 1.0 - self.utilization() {
            return 0.0;
        }
        // Who has at most k - 1 waiting before it waits at most k service times.
        let queue = Queue::up_to(self.utilization(), p);
        let blocks = queue.at_most.len();
        let within = |share: f64| queue.at_most_served(self.utilization() * (1.0 - share));
        self.service * ((blocks - 1) as f64 + boundary(|share| within(share) >= p, 0.0, 1.0))
    }

    /// The `p`-quantile of the response time.
    ///
    /// # Panics
    ///
    /// When `p` is not from 0 to below 1.
    pub fn response_quantile(&self, p: f64) -> f64 {
        self.wait_quantile(p) + self.service
    }
}

/// The number waiting, not counting who is in service.
struct Queue {
    /// Probability that at most n wait.
    at_most: Vec<f64>,
}

impl Queue {
    /// As far as it takes to cover the probability `p`.
    fn up_to(rho: f64, p: f64) -> Self {
        let arrivals = Arrivals::new(rho);
        let mut present = vec![1.0 - rho];
        let mut total = 1.0 - rho;
        let mut at_most = Vec::new();
        while at_most.last().is_none_or(|covered| *covered < p) {
            let n = present.len() - 1;
            // Up over level n: from 0 by more than n arrivals, from j by more than n - j + 1. Down: by none.
            let from_above: f64 = (1..=n).map(|j| present[j] * arrivals.above(n - j + 1)).sum();
            let next = (present[0] * arrivals.above(n) + from_above) / arrivals.none;
            present.push(next);
            total += next;
            at_most.push(total);
            if next < 1e-300 {
                break; // Rounding keeps the total below p.
            }
        }
        Self { at_most }
    }

    /// Probability that of the queue left behind, all but `mean` Poisson arrivals fit: the law of the wait.
    fn at_most_served(&self, mean: f64) -> f64 {
        let mut poisson = (-mean).exp();
        let mut sum = 0.0;
        for (j, at_most) in self.at_most.iter().rev().enumerate() {
            sum += poisson * at_most;
            poisson *= mean / (j + 1) as f64;
        }
        sum
    }
}

/// The number that arrives during one service time.
struct Arrivals {
    none: f64,
    above: Vec<f64>,
}

impl Arrivals {
    fn new(rho: f64) -> Self {
        // Summed from the far end: precise where it is tiny.
        let terms: Vec<f64> = (0..200)
            .scan((-rho).exp(), |term, n| Some(std::mem::replace(term, *term * rho / f64::from(n + 1))))
            .collect();
        let mut above = vec![0.0; terms.len()];
        for n in (0..terms.len() - 1).rev() {
            above[n] = above[n + 1] + terms[n + 1];
        }
        Self { none: terms[0], above }
    }

    fn above(&self, n: usize) -> f64 {
        self.above.get(n).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Erlang's own formula, which alternates: fine for short waits.
    fn wait_cdf(rho: f64, t: f64) -> f64 {
        let mut sum = 0.0;
        let mut factorial = 1.0;
        for k in 0..=(t.floor() as i32) {
            factorial *= f64::from(k.max(1));
            let x = rho * (t - f64::from(k));
            sum += (-x).powi(k) / factorial * x.exp();
        }
        (1.0 - rho) * sum
    }

    #[test]
    fn quantiles_agree_with_erlangs_formula() {
        for (rho, p) in [(0.5, 0.9), (0.8, 0.5), (0.8, 0.9), (0.95, 0.3)] {
            let wait = Md1::new(rho, 1.0).unwrap().wait_quantile(p);
            assert!((wait_cdf(rho, wait) - p).abs() < 1e-9, "{rho} {p}: {wait}");
        }
    }

    #[test]
    fn a_busy_server_has_long_waits() {
        let busy = Md1::new(0.99, 1.0).unwrap();
        // About exponential with the mean wait.
        let ratio = busy.wait_quantile(0.999) / (busy.mean_wait() * 1000.0_f64.ln());
        assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
        assert!(Md1::new(0.5, 1.0).unwrap().wait_quantile(0.5) == 0.0);
    }
}

use sim_core::distribution::numeric::smallest;

use super::birth_death;

/// N users who think, call a station of c servers, and think again: M/M/c//N, the machine repair model.
///
/// Source: Gross et al., *Fundamentals of Queueing Theory*, 4th ed. (2008), §2.8; the arrival theorem of
/// Lavenberg and Reiser, *Stationary state probabilities at arrival instants*, J. Applied Probability 17(4), 1980.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineRepair {
    mu: f64,
    servers: u32,
    /// The long-run share of the time with n users at the station.
    shares: Vec<f64>,
    /// How many others a user finds there on arrival: the shares with one user fewer.
    found: Vec<f64>,
}

impl MachineRepair {
    /// Think and service times are exponential with mean `think` and rate `mu`. `None` unless both are positive,
    /// and there is a user and a server.
    pub fn new(users: u32, think: f64, mu: f64, servers: u32) -> Option<Self> {
        let valid = think > 0.0 && mu > 0.0 && (think * mu).is_finite();
        if !valid || users == 0 || servers == 0 {
            return None;
        }
        let shares = |users: u32| {
            birth_death::shares(users as usize, |n| {
                let n = n as f64;
                (f64::from(users) - n + 1.0) / (think * mu * n.min(f64::from(servers)))
            })
        };
        Some(Self { mu, servers, shares: shares(users), found: shares(users - 1) })
    }

    fn busy_servers(&self) -> f64 {
        birth_death::mean(&self.shares, |n| n.min(f64::from(self.servers)))
    }

    /// Calls per second.
    pub fn throughput(&self) -> f64 {
        self.mu * self.busy_servers()
    }

    /// Mean share of the servers that are busy.
    pub fn utilization(&self) -> f64 {
        self.busy_servers() / f64::from(self.servers)
    }

    /// Mean number of users at the station.
    pub fn mean_number(&self) -> f64 {
        birth_death::mean(&self.shares, |n| n)
    }

    /// Mean response time of the station.
    pub fn mean_response(&self) -> f64 {
        self.mean_number() / self.throughput()
    }

    /// Share of the time in which everybody thinks.
    pub fn prob_all_thinking(&self) -> f64 {
        self.shares[0]
    }

    /// Probability of a wait.
    pub fn prob_wait(&self) -> f64 {
        self.found.iter().skip(self.servers as usize).sum()
    }

    /// The `p`-quantile of the response time.
    pub fn response_quantile(&self, p: f64) -> f64 {
        let survival = |t| birth_death::response_survival(&self.found, self.servers, self.mu, t);
        smallest(|t| survival(t) <= 1.0 - p, self.mean_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_user_never_waits() {
        let alone = MachineRepair::new(1, 3.0, 1.0, 1).unwrap();
        assert!((alone.throughput() - 0.25).abs() < 1e-12);
        assert!((alone.mean_response() - 1.0).abs() < 1e-12);
        assert!(alone.prob_wait().abs() < 1e-12);
        assert!((alone.response_quantile(0.5) - std::f64::consts::LN_2).abs() < 1e-12);
    }

    #[test]
    fn the_interactive_response_time_law_holds() {
        let many = MachineRepair::new(1000, 10.0, 5.0, 16).unwrap();
        assert!((many.mean_response() - (1000.0 / many.throughput() - 10.0)).abs() < 1e-9);
        assert!(MachineRepair::new(5, 0.0, 1.0, 1).is_none());
    }
}

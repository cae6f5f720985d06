use sim_core::distribution::Distribution;

/// One server, Poisson arrivals, any service time: M/G/1.
///
/// First come first served unless a method says otherwise; the mean wait is the same in any order that does not
/// look at the service times.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §5.6 and §5.7 (Pollaczek and Khinchine).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mg1 {
    lambda: f64,
    /// E[S], E[S^2], E[S^3].
    moments: [f64; 3],
}

impl Mg1 {
    /// `None` unless `lambda E[S] < 1`.
    pub fn new(lambda: f64, service: &Distribution) -> Option<Self> {
        let moments = [service.mean(), service.second_moment(), service.third_moment()];
        (lambda >= 0.0 && lambda * moments[0] < 1.0).then_some(Self { lambda, moments })
    }

    /// The share of the time that the server is busy; also the probability of a wait.
    pub fn utilization(&self) -> f64 {
        self.lambda * self.moments[0]
    }

    /// lambda E[S^n] / (n (1 - rho)); 0 without arrivals, even where the moment is infinite.
    fn excess(&self, n: usize) -> f64 {
        if self.lambda == 0.0 {
            return 0.0;
        }
        self.lambda * self.moments[n - 1] / (n as f64 * (1.0 - self.utilization()))
    }

    /// Mean wait; infinite if the service time has no variance.
    pub fn mean_wait(&self) -> f64 {
        self.excess(2)
    }

    /// Variance of the wait; infinite if the service time has no third moment.
    pub fn var_wait(&self) -> f64 {
        self.mean_wait().powi(2) + self.excess(3)
    }

    /// Mean response time.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.moments[0]
    }

    /// Variance of the response time.
    pub fn var_response(&self) -> f64 {
        self.var_wait() + self.moments[1] - self.moments[0].powi(2)
    }

    /// Mean number waiting.
    pub fn queue_length(&self) -> f64 {
        self.lambda * self.mean_wait()
    }

    /// Mean number waiting or in service.
    pub fn mean_number(&self) -> f64 {
        self.lambda * self.mean_response()
    }

    /// Variance of the wait when the latest arrival is served next, without preemption; the mean is the same.
    ///
    /// The second moment is 1/(1 - rho) times that of first come first served.
    ///
    /// Source: Takacs, *Delay distributions for one line with Poisson input, general holding times, and various
    /// orders of service*, Bell System Technical Journal 42, 1963.
    pub fn var_wait_lifo(&self) -> f64 {
        let squared = self.mean_wait().powi(2);
        (self.var_wait() + squared) / (1.0 - self.utilization()) - squared
    }
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::{Constant, Exponential, Pareto};

    use super::super::Mm1;
    use super::*;

    #[test]
    fn exponential_service_is_mm1() {
        let (any, mm1) =
            (Mg1::new(0.7, &Exponential::new(1.0).unwrap().into()).unwrap(), Mm1::new(0.7, 1.0).unwrap());
        assert!((any.mean_wait() - mm1.mean_wait()).abs() < 1e-12);
        assert!((any.var_wait() - mm1.var_wait()).abs() < 1e-12);
    }

    #[test]
    fn constant_service_halves_the_wait() {
        let constant = Mg1::new(0.5, &Constant::new(1.0).unwrap().into()).unwrap();
        assert!((constant.mean_wait() - 0.5).abs() < 1e-12);
        assert!(Mg1::new(1.0, &Constant::new(1.0).unwrap().into()).is_none());
    }

    #[test]
    fn a_heavy_tail_makes_the_mean_wait_infinite() {
        let heavy = Pareto::new(0.5, 1.5, None).unwrap().into();
        assert!(Mg1::new(1.0, &heavy).unwrap().mean_wait().is_infinite());
    }
}

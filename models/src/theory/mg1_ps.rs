use sim_core::distribution::Distribution;

/// One server shared by all that are present, Poisson arrivals, any service time: M/G/1 processor sharing.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 2 (1976), §4.4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mg1Ps {
    lambda: f64,
    mean_service: f64,
}

impl Mg1Ps {
    /// `None` unless `lambda E[S] < 1`; beyond its mean the law of the service time does not matter.
    pub fn new(lambda: f64, service: &Distribution) -> Option<Self> {
        let mean_service = service.mean();
        (lambda >= 0.0 && lambda * mean_service < 1.0).then_some(Self { lambda, mean_service })
    }

    /// The share of the time that the server is busy.
    pub fn utilization(&self) -> f64 {
        self.lambda * self.mean_service
    }

    /// Mean response time.
    pub fn mean_response(&self) -> f64 {
        self.mean_response_of(self.mean_service)
    }

    /// Mean response time of requests that need `size` of service: in proportion to it.
    pub fn mean_response_of(&self, size: f64) -> f64 {
        size * self.mean_slowdown()
    }

    /// Mean of response time over service time, the same for every size.
    pub fn mean_slowdown(&self) -> f64 {
        1.0 / (1.0 - self.utilization())
    }

    /// Mean number present.
    pub fn mean_number(&self) -> f64 {
        self.lambda * self.mean_response()
    }

    /// Variance of the response time if the service time is exponential.
    ///
    /// Source: Coffman, Muntz, Trotter, *Waiting Time Distributions for Processor-Sharing Systems*, Journal of the
    /// ACM 17(1), 1970.
    pub fn var_response_exponential(&self) -> f64 {
        let rho = self.utilization();
        self.mean_response().powi(2) * (2.0 + rho) / (2.0 - rho)
    }
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::Constant;

    use super::*;

    #[test]
    fn a_request_twice_as_large_takes_twice_as_long() {
        let half = Mg1Ps::new(0.5, &Constant::new(1.0).unwrap().into()).unwrap();
        assert!((half.mean_response() - 2.0).abs() < 1e-12);
        assert!((half.mean_response_of(3.0) - 6.0).abs() < 1e-12);
        assert!(Mg1Ps::new(1.0, &Constant::new(1.0).unwrap().into()).is_none());
    }
}

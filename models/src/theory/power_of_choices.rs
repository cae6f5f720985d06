/// One of very many servers, each with exponential service and its own queue, when Poisson arrivals go to the shortest
/// of `choices` queues drawn at random.
///
/// The share of servers with at least k requests is `rho^((d^k - 1)/(d - 1))` in the limit of infinitely many servers:
/// it falls doubly exponentially. With few servers queues are somewhat longer.
///
/// Source: Vvedenskaya, Dobrushin and Karpelevich, *Queueing System with Selection of the Shortest of Two Queues*,
/// Problems of Information Transmission 32(1), 1996; Mitzenmacher, *The Power of Two Choices in Randomized Load
/// Balancing*, IEEE TPDS 12(10), 2001.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerOfChoices {
    rho: f64,
    mu: f64,
    choices: f64,
}

impl PowerOfChoices {
    /// `lambda` are the arrivals per second for each server. `None` unless `lambda < mu`, or without a choice.
    pub fn new(lambda: f64, mu: f64, choices: u32) -> Option<Self> {
        let rho = lambda / mu;
        let fits = (0.0..1.0).contains(&rho) && choices >= 1;
        fits.then_some(Self { rho, mu, choices: f64::from(choices) })
    }

    /// The share of servers with at least `count` requests, the one in service included.
    pub fn share_with(&self, count: u32) -> f64 {
        // (d^k - 1)/(d - 1) is 1 + d + ... + d^(k - 1), also for d = 1.
        let exponent = (0..count).fold(0.0, |sum, _| sum * self.choices + 1.0);
        self.rho.powf(exponent)
    }

    /// Probability of a wait: none of those drawn is idle.
    pub fn prob_wait(&self) -> f64 {
        self.rho.powf(self.choices)
    }

    /// Mean response time. A request that joins as the k-th stays k service times; it does where all that were drawn
    /// have at least k - 1.
    pub fn mean_response(&self) -> f64 {
        let mut sum = 0.0;
        let mut exponent = 0.0;
        loop {
            let term = self.rho.powf(exponent);
            sum += term;
            if term < 1e-17 * sum {
                return sum / self.mu;
            }
            exponent = (exponent + 1.0) * self.choices;
        }
    }

    /// Mean wait.
    pub fn mean_wait(&self) -> f64 {
        self.mean_response() - 1.0 / self.mu
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mm1;
    use super::*;

    #[test]
    fn without_a_choice_it_is_mm1() {
        let (one, mm1) = (PowerOfChoices::new(0.7, 1.0, 1).unwrap(), Mm1::new(0.7, 1.0).unwrap());
        assert!((one.mean_response() - mm1.mean_response()).abs() < 1e-12);
        assert!((one.prob_wait() - 0.7).abs() < 1e-12);
        assert!((one.share_with(3) - 0.343).abs() < 1e-12);
        assert_eq!(PowerOfChoices::new(1.0, 1.0, 2), None);
        assert_eq!(PowerOfChoices::new(0.5, 1.0, 0), None);
    }

    #[test]
    fn two_choices_by_hand() {
        // 1 + 1/4 + 1/64 + 1/16384 + 2^-30 + ...: exponents 0, 2, 6, 14, 30.
        let two = PowerOfChoices::new(5.0, 10.0, 2).unwrap();
        let expected = 1.0 + 0.25 + 1.0 / 64.0 + 1.0 / 16_384.0 + 0.5_f64.powi(30) + 0.5_f64.powi(62);
        assert!((10.0 * two.mean_response() - expected).abs() < 1e-12);
        assert!((two.share_with(2) - 0.125).abs() < 1e-12);
        assert!((two.prob_wait() - 0.25).abs() < 1e-12);
    }

    #[test]
    fn an_idle_server_answers_in_its_service_time() {
        let idle = PowerOfChoices::new(0.0, 4.0, 2).unwrap();
        assert_eq!((idle.mean_response(), idle.mean_wait()), (0.25, 0.0));
    }
}

//! Queues whose customers do not wait forever: M/M/c+M (Erlang A) and M/M/c+D.

use super::birth_death::{mean, shares};
use super::erlang_b;

/// How long those who wait are willing to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Patience {
    /// Exponentially distributed with this mean, each on their own.
    Exponential(f64),
    /// All of them this long; they are served in order of arrival.
    Constant(f64),
}

/// A station with Poisson arrivals and exponential service where those who wait give up. It has a steady state under
/// any load.
///
/// Source: Palm, *Etude des délais d'attente*, Ericsson Technics 5, 1937; Baccelli and Hebuterne, *On Queues with
/// Impatient Customers*, Performance '81; in the form of Zeltyn and Mandelbaum, *Call Centers with Impatient
/// Customers*, Queueing Systems 51, 2005.
///
/// ```
/// use models::theory::{Impatient, Patience};
/// // Whoever leaves as fast as he would be served: as if there were a server for each.
/// let station = Impatient::new(3.0, 1.0, 2, Patience::Exponential(1.0)).unwrap();
/// assert!((station.mean_queue() - 3.0 + station.utilization() * 2.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impatient {
    offered: f64,
    servers: f64,
    prob_wait: f64,
    prob_abandon: f64,
    mean_queue: f64,
}

impl Impatient {
    /// A station of `servers` servers with rate `mu` and arrivals at rate `lambda`; none where a rate, a number or a
    /// patience is not positive.
    pub fn new(lambda: f64, mu: f64, servers: u32, patience: Patience) -> Option<Self> {
        let (Patience::Exponential(mean) | Patience::Constant(mean)) = patience;
        if !(lambda > 0.0 && mu > 0.0 && servers > 0 && mean > 0.0 && mean.is_finite()) {
            return None;
        }
        let (offered, count) = (lambda / mu, f64::from(servers));
        let (prob_wait, prob_abandon, mean_queue) = match patience {
            Patience::Exponential(mean) => exponential(lambda, mu, servers, 1.0 / mean),
            Patience::Constant(patience) => constant(lambda, mu, servers, patience),
        };
        let station = Self { offered, servers: count, prob_wait, prob_abandon, mean_queue };
        // A constant patience that is long beside an overload is out of range.
        (prob_wait.is_finite() && prob_abandon.is_finite() && mean_queue.is_finite()).then_some(station)
    }

    /// Probability that all servers are busy when somebody arrives.
    pub fn prob_wait(&self) -> f64 {
        self.prob_wait
    }

    /// Probability that somebody gives up.
    pub fn prob_abandon(&self) -> f64 {
        self.prob_abandon
    }

    /// Mean number of those who wait.
    pub fn mean_queue(&self) -> f64 {
        self.mean_queue
    }

    /// Busy share of the servers.
    pub fn utilization(&self) -> f64 {
        self.offered * (1.0 - self.prob_abandon) / self.servers
    }
}

/// Whether all are busy, who gives up, and how many wait, where each of those who wait leaves at rate `theta`.
fn exponential(lambda: f64, mu: f64, servers: u32, theta: f64) -> (f64, f64, f64) {
    let c = f64::from(servers);
    // Beyond the number at which as many leave as arrive, and thirty times its deviation, there is nobody.
    let level = ((lambda - c * mu) / theta).max(0.0);
    let last = servers as usize + (level + 30.0 * (lambda / theta).sqrt().max(c.sqrt()) + 100.0) as usize;
    let waiting = |n: f64| (n - c).max(0.0);
    let shares = shares(last, |n| lambda / (mu * (n as f64).min(c) + theta * waiting(n as f64)));
    let queue = mean(&shares, waiting);
    let busy = shares[servers as usize..].iter().sum();
    (busy, theta * queue / lambda, queue)
}

/// The same where all leave after `patience`.
fn constant(lambda: f64, mu: f64, servers: u32, patience: f64) -> (f64, f64, f64) {
    let service = mu * f64::from(servers);
    // The offered wait has a density that grows by this rate until the patience, then falls with that of service.
    let growth = (lambda - service) * patience;
    let end = growth.exp();
    // The integrals of e^x and x e^x from 0 to the growth, per unit of it.
    let (area, moment) = if growth.abs() < 1e-6 {
        (1.0 + growth / 2.0, 0.5 + growth / 3.0)
    } else {
        (growth.exp_m1() / growth, (end - growth.exp_m1() / growth) / growth)
    };
    let weight = patience * area + end / service;
    let idle = 1.0 / erlang_b(lambda / mu, servers - 1);
    let total = idle + lambda * weight;
    let abandon = (1.0 + (lambda - service) * weight) / total;
    let wait = lambda / total * (patience * patience * moment + patience * end / service);
    (lambda * weight / total, abandon, lambda * wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody is turned away who would be served at once: with patience for next to nothing it is Erlang B, with
    /// endless patience Erlang C.
    #[test]
    fn little_patience_is_loss_and_much_is_waiting() {
        for patience in [Patience::Exponential, Patience::Constant] {
            let loss = Impatient::new(8.0, 1.0, 10, patience(1e-9)).unwrap();
            assert!((loss.prob_abandon() - erlang_b(8.0, 10)).abs() < 1e-6, "{loss:?}");
            let delay = Impatient::new(8.0, 1.0, 10, patience(1e4)).unwrap();
            assert!((delay.prob_wait() - super::super::erlang_c(8.0, 10)).abs() < 1e-3, "{delay:?}");
        }
    }

    /// One server, rates of 1 and a patience of 1: the density is flat, `weight = 1 + 1`, so all are busy with 2/3, and
    /// 1/3 gives up; those who wait: `1/3 * (1/2 + 1)`.
    #[test]
    fn at_full_load_the_density_is_flat() {
        let station = Impatient::new(1.0, 1.0, 1, Patience::Constant(1.0)).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        close(station.prob_wait(), 2.0 / 3.0);
        close(station.prob_abandon(), 1.0 / 3.0);
        close(station.mean_queue(), 0.5);
        close(station.utilization(), 2.0 / 3.0);
    }
}

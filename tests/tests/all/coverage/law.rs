//! Exact laws of response times, for services of 1 s on average.

use sim_core::distribution::numeric::smallest;

/// What is known of the response times of a traffic, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law {
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Law {
    pub(super) fn new(mean: f64, quantile: impl Fn(f64) -> f64) -> Self {
        Self { mean, p50: quantile(0.5), p99: quantile(0.99) }
    }
}

/// Response times in M/G/1, first come first served, if the service time is hyperexponential with two phases.
///
/// The transform of Pollaczek and Khinchine is then rational with two poles, so the response time is above t with
/// probability `w1 e^(-r1 t) + w2 e^(-r2 t)`.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §5.7.
#[derive(Clone, Copy, Debug)]
pub(super) struct TwoPhases {
    weights: [f64; 2],
    rates: [f64; 2],
}

impl TwoPhases {
    /// With `lambda` arrivals a second; a phase is a probability and a mean, and the probabilities sum to 1.
    pub(super) fn new(lambda: f64, [(p1, mean1), (p2, mean2)]: [(f64, f64); 2]) -> Self {
        let (mu1, mu2) = (mean1.recip(), mean2.recip());
        let rest = 1.0 - lambda * (p1 * mean1 + p2 * mean2);
        // The denominator is s^2 + b s + c, and the numerator falls from c at s = 0.
        let (b, c) = (mu1 + mu2 - lambda, rest * mu1 * mu2);
        let root = (b * b - 4.0 * c).sqrt();
        let rates = [0.5 * (b - root), 0.5 * (b + root)];
        let numerator = |s: f64| rest * (p1 * mu1 * (s + mu2) + p2 * mu2 * (s + mu1));
        let weight = |at: f64, other: f64| numerator(-at) / ((other - at) * at);
        Self { weights: [weight(rates[0], rates[1]), weight(rates[1], rates[0])], rates }
    }

    /// Two phases of balanced means, as `{hyperexp: {mean: 1s, cv: ...}}` has them.
    pub(super) fn balanced(lambda: f64, cv: f64) -> Self {
        let tilt = ((cv * cv - 1.0) / (cv * cv + 1.0)).sqrt();
        Self::new(lambda, [1.0 + tilt, 1.0 - tilt].map(|twice| (0.5 * twice, twice.recip())))
    }

    fn survival(&self, t: f64) -> f64 {
        self.weights.iter().zip(self.rates).map(|(weight, rate)| weight * (-rate * t).exp()).sum()
    }

    pub(super) fn mean(&self) -> f64 {
        self.weights.iter().zip(self.rates).map(|(weight, rate)| weight / rate).sum()
    }

    pub(super) fn quantile(&self, p: f64) -> f64 {
        smallest(|t| self.survival(t) <= 1.0 - p, self.mean())
    }
}

/// How long a walk over 0, 1, 2, ... lasts: the stay of a request that has so many others before or beside it.
///
/// By uniformization: with steps at the same rate everywhere, the walk still goes on at t with the probability that
/// it outlives as many steps as fall into t, which are Poisson.
///
/// Source: Jensen, *Markoff chains as an aid in the study of Markoff processes*, Skandinavisk Aktuarietidskrift 36, 1953.
#[derive(Clone, Debug)]
pub(super) struct Passage {
    /// Steps a second.
    rate: f64,
    /// The probability that the walk outlives 0, 1, 2, ... steps, as far as that can be told from 0.
    outlives: Vec<f64>,
}

/// What can happen to the walk in a state, per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moves {
    pub(super) up: f64,
    pub(super) down: f64,
    pub(super) end: f64,
}

/// Probabilities below this are left out.
const LEAST: f64 = 1e-15;

impl Passage {
    /// The walk begins in state n with probability `start[n]`, and does not leave the states that this has.
    pub(super) fn new(start: Vec<f64>, moves: impl Fn(usize) -> Moves) -> Self {
        let moves: Vec<Moves> = (0..start.len()).map(moves).collect();
        let rate = moves.iter().map(|m| m.up + m.down + m.end).fold(0.0, f64::max);
        let (mut here, mut outlives) = (start, Vec::new());
        loop {
            let left: f64 = here.iter().sum();
            outlives.push(left);
            if left < LEAST {
                return Self { rate, outlives };
            }
            here = step(&here, &moves, rate);
        }
    }

    pub(super) fn mean(&self) -> f64 {
        self.outlives.iter().sum::<f64>() / self.rate
    }

    pub(super) fn variance(&self) -> f64 {
        let twice: f64 = self.outlives.iter().zip(1..).map(|(left, k)| 2.0 * f64::from(k) * left).sum();
        twice / self.rate.powi(2) - self.mean().powi(2)
    }

    pub(super) fn quantile(&self, p: f64) -> f64 {
        smallest(|t| self.survival(t) <= 1.0 - p, self.mean())
    }

    /// Times of some hundred steps at most: beyond, the first of the Poisson probabilities is not told from 0.
    fn survival(&self, t: f64) -> f64 {
        let steps = self.rate * t;
        let mut poisson = (-steps).exp();
        let terms = self.outlives.iter().zip(1..).map(|(left, next)| {
            let term = poisson * left;
            poisson *= steps / f64::from(next);
            term
        });
        terms.sum()
    }
}

/// Where the walk is a step later.
fn step(here: &[f64], moves: &[Moves], rate: f64) -> Vec<f64> {
    let last = here.len() - 1;
    let mut next = vec![0.0; here.len()];
    for (n, (p, m)) in here.iter().zip(moves).enumerate() {
        let share = p / rate;
        let up = if n < last { m.up } else { 0.0 };
        next[n] += p - share * (up + m.down + m.end);
        next[(n + 1).min(last)] += share * up;
        next[n.saturating_sub(1)] += share * m.down;
    }
    next
}

/// The probabilities of 0, 1, 2, ... that fall by the factor `rho`.
pub(super) fn geometric(rho: f64) -> Vec<f64> {
    let each = |p: &f64| Some(p * rho).filter(|p| *p > LEAST * 1e-3);
    std::iter::successors(Some(1.0 - rho), each).collect()
}

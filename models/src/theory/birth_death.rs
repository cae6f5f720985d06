//! Systems that go up and down by one, and the time that is spent in them.

use sim_core::distribution::special::incomplete_gamma;

/// Long-run shares of the states 0 to `last`, given the ratio of each to the state below it.
///
/// The ratios must not increase. Computed outwards from the likeliest state, so that nothing overflows.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.1.
pub(super) fn shares(last: usize, ratio: impl Fn(usize) -> f64) -> Vec<f64> {
    let mode = (1..=last).take_while(|&n| ratio(n) >= 1.0).count();
    let mut weights = vec![1.0; last + 1];
    for n in mode + 1..=last {
        weights[n] = weights[n - 1] * ratio(n);
    }
    for n in (0..mode).rev() {
        weights[n] = weights[n + 1] / ratio(n + 1);
    }
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// Mean of `of(n)` over the states.
pub(super) fn mean(shares: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    shares.iter().enumerate().map(|(n, share)| share * of(n as f64)).sum()
}

/// Probability of a response time above `t` for a request that finds `n` others with probability `found[n]`.
///
/// First come first served at `servers` exponential servers of rate `mu`: it waits for n - c + 1 departures at
/// rate c mu, then for its own.
pub(super) fn response_survival(found: &[f64], servers: u32, mu: f64, t: f64) -> f64 {
    let given = |n: usize| {
        let departures = (n + 1).saturating_sub(servers as usize);
        staged_survival(departures, mu * f64::from(servers), mu, t)
    };
    found.iter().enumerate().filter(|(_, share)| **share > 0.0).map(|(n, share)| share * given(n)).sum()
}

/// Probability that `stages` exponential stages of rate `a`, then one of rate `b <= a`, take longer than `t`.
fn staged_survival(stages: usize, a: f64, b: f64, t: f64) -> f64 {
    if stages == 0 {
        return (-b * t).exp();
    }
    let stages = stages as f64;
    if a <= b {
        return incomplete_gamma(stages + 1.0, a * t).1;
    }
    // Tilting by e^(b t) turns the convolution into an Erlang law of rate a - b.
    let ended = incomplete_gamma(stages, (a - b) * t).0;
    let last = if ended > 0.0 { (stages * (a / (a - b)).ln() - b * t + ended.ln()).exp() } else { 0.0 };
    incomplete_gamma(stages, a * t).1 + last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_of_any_size_stays_in_range() {
        let shares = shares(5000, |_| 2.0);
        assert!((shares[5000] - 0.5).abs() < 1e-12);
        assert!((mean(&shares, |n| n) - 4999.0).abs() < 1e-6);
    }

    #[test]
    fn two_stages_are_a_difference_of_exponentials() {
        // Rates 2 and 1: P(> t) = 2 e^-t - e^-2t.
        for t in [0.1_f64, 1.0, 5.0] {
            let exact = 2.0 * (-t).exp() - (-2.0 * t).exp();
            assert!((staged_survival(1, 2.0, 1.0, t) - exact).abs() < 1e-13);
        }
    }
}

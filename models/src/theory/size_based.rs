use sim_core::distribution::Distribution;

/// Disciplines of one server that go by size, or by what has been served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BySize {
    /// The smallest size first, without preemption.
    ShortestFirst,
    /// The smallest size first; who is larger stands back.
    PreemptiveShortest,
    /// The smallest rest first.
    ShortestRemaining,
    /// Who has been served least.
    LeastAttained,
}

/// Steps in which the body of the law is integrated, and its last hundredth.
const BODY: u32 = 20_000;
const TAIL: u32 = 4_000;
/// Sizes that fewer than this share exceed are left out.
const LEAST: f64 = 1e-13;

/// Mean response time in M/G/1 under a discipline that goes by size, to about four digits.
///
/// `None` without a steady state, and for laws in which some sizes have a probability of their own: whoever has the
/// same size would be served in order.
///
/// Source: Schrage, Miller, *The Queue M/G/1 with the Shortest Remaining Processing Time Discipline*, Operations
/// Research 14(4), 1966; Harchol-Balter, *Performance Modeling and Design of Computer Systems* (2013), §31.3, §32.3,
/// §33.1 and §33.2.
pub fn by_size_mean(rule: BySize, lambda: f64, service: &Distribution) -> Option<f64> {
    let load = lambda * service.mean();
    if load.is_nan() || load >= 1.0 || !is_smooth(service) {
        return None;
    }
    let second = service.second_moment();
    if rule == BySize::ShortestFirst && second.is_infinite() {
        return Some(f64::INFINITY);
    }
    // In the order of size: the load and the second moment of those up to x, and the time that an empty server
    // needs for the last pass through x.
    let (mut mean, mut square, mut residence) = (0.0, 0.0, 0.0);
    let (mut above, mut x) = (1.0, service.quantile(0.0));
    if x > 0.0 {
        residence = x; // Nobody is smaller.
    }
    let mut sum = 0.0;
    for q in steps() {
        let next = service.upper_quantile(q);
        let (share, middle, step) = (above - q, f64::midpoint(x, next), next - x);
        let (mean_below, square_below) =
            (mean + 0.5 * share * middle, square + 0.5 * share * middle * middle);
        let beyond = f64::midpoint(above, q);
        let smaller = 1.0 - lambda * mean_below;
        residence += 0.5 * step / smaller;
        let response = match rule {
            BySize::ShortestFirst => middle + 0.5 * lambda * second / (smaller * smaller),
            BySize::PreemptiveShortest => {
                middle / smaller + 0.5 * lambda * square_below / (smaller * smaller)
            }
            BySize::ShortestRemaining => {
                let met = square_below + middle * middle * beyond;
                0.5 * lambda * met / (smaller * smaller) + residence
            }
            BySize::LeastAttained => {
                let busy = 1.0 - lambda * (mean_below + middle * beyond);
                let met = square_below + middle * middle * beyond;
                middle / busy + 0.5 * lambda * met / (busy * busy)
            }
        };
        sum += share * response;
        mean += share * middle;
        square += share * middle * middle;
        residence += 0.5 * step / (1.0 - lambda * mean);
        (above, x) = (q, next);
    }
    Some(sum)
}

/// Shares of sizes that are exceeded, falling: evenly, and by equal factors in the tail.
fn steps() -> impl Iterator<Item = f64> {
    let body = (1..=BODY).map(|i| 1.0 - 0.99 * f64::from(i) / f64::from(BODY));
    let tail = (1..=TAIL).map(|i| 0.01 * (LEAST / 0.01).powf(f64::from(i) / f64::from(TAIL)));
    body.chain(tail)
}

/// Whether no size has a probability of its own.
fn is_smooth(law: &Distribution) -> bool {
    match law {
        Distribution::Constant(_) | Distribution::Empirical(_) | Distribution::Mixture(_) => false,
        Distribution::Normal(_) | Distribution::Quantiles(_) => law.cdf(0.0) <= 0.0,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::{Erlang, Exponential, Pareto, Uniform};

    use super::*;

    fn assert_mean(rule: BySize, lambda: f64, law: impl Into<Distribution>, expected: f64) {
        let mean = by_size_mean(rule, lambda, &law.into()).unwrap();
        assert!((mean / expected - 1.0).abs() < 2e-4, "{rule:?}: {mean} instead of {expected}");
    }

    #[test]
    fn means_are_those_of_independent_integrations() {
        use BySize::{LeastAttained, PreemptiveShortest, ShortestFirst, ShortestRemaining};
        let exponential = || Exponential::new(1.0).unwrap();
        assert_mean(ShortestRemaining, 0.5, exponential(), 1.425_372_664);
        assert_mean(ShortestRemaining, 0.9, exponential(), 3.552_125_100);
        assert_mean(ShortestRemaining, 0.8, Erlang::new(1.0, 2).unwrap(), 2.417_792_864);
        assert_mean(ShortestRemaining, 0.7, Uniform::new(0.0, 2.0).unwrap(), 1.983_939_801);
        assert_mean(PreemptiveShortest, 0.7, exponential(), 2.083_869_530);
        assert_mean(LeastAttained, 0.7, Uniform::new(0.0, 2.0).unwrap(), 4.382_912_491);
        // Memoryless: what has been served tells nothing.
        assert_mean(LeastAttained, 0.7, exponential(), 1.0 / 0.3);
        // Nobody waits for who does not come.
        assert_mean(ShortestFirst, 1e-9, exponential(), 1.0);
    }

    #[test]
    fn overload_and_equal_sizes_have_no_mean() {
        let exponential: Distribution = Exponential::new(1.0).unwrap().into();
        assert_eq!(by_size_mean(BySize::ShortestRemaining, 1.0, &exponential), None);
        let constant: Distribution = sim_core::distribution::Constant::new(1.0).unwrap().into();
        assert_eq!(by_size_mean(BySize::LeastAttained, 0.5, &constant), None);
        let heavy: Distribution = Pareto::new(1.0, 1.5, None).unwrap().into();
        assert_eq!(by_size_mean(BySize::ShortestFirst, 0.5, &heavy), Some(f64::INFINITY));
        assert!(by_size_mean(BySize::ShortestRemaining, 0.5, &heavy).unwrap().is_finite());
    }
}

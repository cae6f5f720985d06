use super::Mm1;

/// Mean response time when every request sends one task to each of `n` queues and waits for the last (fork-join).
///
/// Each queue is an M/M/1 with the full `lambda`. Exact for one and two; an approximation above, within 5 % of
/// simulation up to 32. `None` unless `lambda < mu`.
///
/// Source: Nelson, Tantawi, *Approximate Analysis of Fork/Join Synchronization in Parallel Queues*, IEEE
/// Transactions on Computers 37(6), 1988; Flatto, Hahn, *Two Parallel Queues Created by Arrivals with Two
/// Demands*, SIAM Journal on Applied Mathematics 44(5), 1984, for two.
///
/// ```
/// // Two idle queues: the later of two exponential tasks takes 1.5 means.
/// assert!((models::theory::fork_join_mean(1e-9, 1.0, 2).unwrap() - 1.5).abs() < 1e-6);
/// ```
pub fn fork_join_mean(lambda: f64, mu: f64, n: u32) -> Option<f64> {
    let alone = Mm1::new(lambda, mu)?;
    let rho = alone.utilization();
    if n <= 1 {
        return Some(alone.mean_response());
    }
    let of_two = (12.0 - rho) / 8.0 * alone.mean_response();
    let growth = harmonic(n) / harmonic(2);
    Some((growth + (1.0 - growth) * 4.0 * rho / 11.0) * of_two)
}

/// 1 + 1/2 + ... + 1/n.
pub(super) fn harmonic(n: u32) -> f64 {
    (1..=n).rev().map(|i| 1.0 / f64::from(i)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_system_takes_the_mean_of_the_maximum() {
        for n in [1, 2, 8] {
            assert!((fork_join_mean(0.0, 1.0, n).unwrap() - harmonic(n)).abs() < 1e-12);
        }
        assert_eq!(fork_join_mean(1.0, 1.0, 2), None);
    }
}

/// Probability that a request is rejected in M/G/c/c, where there is no queue (Erlang B).
///
/// `offered` is lambda/mu in erlangs and `servers` is c; the law of the service time does not matter beyond its
/// mean. With no server every request is rejected. Computed by the recursion in c, which stays in range where
/// factorials would overflow.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.6.
///
/// ```
/// // One server: a request is rejected whenever it is busy, a/(1 + a) of the time.
/// assert!((models::theory::erlang_b(2.0, 1) - 2.0 / 3.0).abs() < 1e-12);
/// ```
pub fn erlang_b(offered: f64, servers: u32) -> f64 {
    let mut blocked = 1.0;
    for c in 1..=servers {
        blocked = offered * blocked / (f64::from(c) + offered * blocked);
        if blocked <= 0.0 {
            break; // Further servers leave it there, however many there are.
        }
    }
    blocked
}

/// Probability that a request waits in M/M/c (Erlang C).
///
/// `offered` is lambda/mu in erlangs and `servers` is c. Computed through the Erlang B recursion, which
/// stays in range where factorials would overflow.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.5.
///
/// # Panics
///
/// When `offered >= servers`: the queue grows without bound and there is no steady state.
///
/// ```
/// // One server: a request waits whenever it is busy.
/// assert!((models::theory::erlang_c(0.8, 1) - 0.8).abs() < 1e-12);
/// ```
pub fn erlang_c(offered: f64, servers: u32) -> f64 {
    let rho = offered / f64::from(servers);
    assert!(rho < 1.0, "there is no steady state with {offered} erlangs on {servers} servers");
    let blocked = erlang_b(offered, servers);
    blocked / (1.0 - rho * (1.0 - blocked))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four billion servers are as good as a thousand, and take no longer.
    #[test]
    fn servers_without_end_block_nobody() {
        assert_eq!((erlang_b(2.0, u32::MAX), erlang_c(2.0, u32::MAX)), (0.0, 0.0));
    }

    #[test]
    fn textbook_values() {
        // Ten erlangs on ten lines; and two servers at half load wait a third of the time.
        assert!((erlang_b(10.0, 10) - 0.214_582).abs() < 1e-6);
        assert!((erlang_c(1.0, 2) - 1.0 / 3.0).abs() < 1e-12);
        assert!((erlang_b(3.0, 0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn many_servers_stay_in_range() {
        assert!((0.0..1.0).contains(&erlang_c(9_900.0, 10_000)));
        assert!(erlang_b(1e-3, 1000) >= 0.0);
    }

    #[test]
    #[should_panic(expected = "no steady state")]
    fn overload_has_no_steady_state() {
        erlang_c(2.0, 2);
    }
}

/// The most requests per second that `users` can get through: min(N / (D + Z), 1 / Dmax).
///
/// `demand` is D, what a request needs of all stations together without waiting; `think` is Z; `max_demand` is
/// Dmax, the largest demand per server at any one station.
///
/// Source: Lazowska et al., *Quantitative System Performance* (1984), §5.2.
pub fn max_throughput(users: f64, demand: f64, think: f64, max_demand: f64) -> f64 {
    (users / (demand + think)).min(1.0 / max_demand)
}

/// The least mean response time that `users` can have: max(D, N Dmax - Z).
///
/// Source: Lazowska et al., *Quantitative System Performance* (1984), §5.2.
pub fn min_response(users: f64, demand: f64, think: f64, max_demand: f64) -> f64 {
    demand.max(users * max_demand - think)
}

/// N*, the number of users at which the two bounds of [`max_throughput`] meet: (D + Z) / Dmax.
///
/// Beyond it somebody must wait. Source: Lazowska et al., *Quantitative System Performance* (1984), §5.2.
pub fn saturation_population(demand: f64, think: f64, max_demand: f64) -> f64 {
    (demand + think) / max_demand
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_meet_at_the_saturation_population() {
        // Demands 2, 3 and 1 s with 15 s to think: N* is 7.
        let knee = saturation_population(6.0, 15.0, 3.0);
        assert!((knee - 7.0).abs() < 1e-12);
        assert!((max_throughput(knee, 6.0, 15.0, 3.0) - 1.0 / 3.0).abs() < 1e-12);
        assert!((min_response(knee, 6.0, 15.0, 3.0) - 6.0).abs() < 1e-12);
        assert!((min_response(20.0, 6.0, 15.0, 3.0) - 45.0).abs() < 1e-12);
    }
}

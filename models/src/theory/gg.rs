use super::Mmc;

/// Approximate mean wait in G/G/c (Allen and Cunneen): the one of M/M/c times (ca^2 + cs^2)/2.
///
/// `arrival_scv` and `service_scv` are the squared coefficients of variation of gaps and service times. Exact for
/// M/M/c and M/G/1; within some 10 % for moderate variation and a busy system, worse for light load or gaps that
/// are far from Poisson. `None` unless `lambda < servers * mu`.
///
/// Source: Allen, *Probability, Statistics and Queueing Theory*, 2nd ed. (1990), §5.4.
pub fn allen_cunneen(lambda: f64, mu: f64, servers: u32, arrival_scv: f64, service_scv: f64) -> Option<f64> {
    Mmc::new(lambda, mu, servers).map(|mmc| mmc.mean_wait() * 0.5 * (arrival_scv + service_scv))
}

/// Approximate mean wait in G/G/1 under heavy load (Kingman); [`allen_cunneen`] for one server.
///
/// With the variances in place of the coefficients it is an upper bound; exact for M/G/1.
///
/// Source: Kingman, *The single server queue in heavy traffic*, Proc. Cambridge Philosophical Society 57(4), 1961.
pub fn kingman(lambda: f64, mu: f64, arrival_scv: f64, service_scv: f64) -> Option<f64> {
    allen_cunneen(lambda, mu, 1, arrival_scv, service_scv)
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::Gamma;

    use super::super::Mg1;
    use super::*;

    #[test]
    fn both_are_exact_for_poisson_arrivals_at_one_server() {
        let exact = Mg1::new(0.7, &Gamma::new(1.0, 2.0).unwrap().into()).unwrap().mean_wait();
        assert!((kingman(0.7, 1.0, 1.0, 4.0).unwrap() - exact).abs() < 1e-9);
        assert_eq!(allen_cunneen(4.0, 1.0, 4, 1.0, 1.0), None);
    }
}

use sim_core::distribution::Distribution;

use super::{Mmc, erlang_c};

/// Mean wait of each class at one server that serves the most important first, without preemption: M/G/1.
///
/// Each class is its arrivals per second and its service time, the most important first; first come first served
/// within a class. `None` for the classes that come off too badly to have a steady state.
///
/// Source: Cobham, *Priority Assignment in Waiting Line Problems*, Operations Research 2(1), 1954; Kleinrock,
/// *Queueing Systems*, vol. 2 (1976), §3.3.
pub fn mg1_priority_waits(classes: &[(f64, Distribution)]) -> Vec<Option<f64>> {
    let overloaded = |load: f64| load >= 1.0;
    let loads: Vec<f64> = classes.iter().map(|(lambda, service)| lambda * service.mean()).collect();
    // Under overload the server is always busy, with those served: the classes up to the overload.
    let mut load: f64 = 0.0;
    let mut residual = 0.0;
    for ((lambda, service), own) in classes.iter().zip(&loads) {
        let fits = (1.0 - load).clamp(0.0, *own) / own.max(f64::MIN_POSITIVE);
        if lambda * fits > 0.0 {
            residual += 0.5 * lambda * fits * service.second_moment();
        }
        load += own;
    }
    let mut before = 0.0;
    loads
        .iter()
        .map(|own| {
            let after = before + own;
            let wait = (!overloaded(after)).then(|| residual / ((1.0 - before) * (1.0 - after)));
            before = after;
            wait
        })
        .collect()
}

/// Mean wait of each class at c servers that serve the most important first, without preemption: M/M/c.
///
/// `lambdas` are the arrivals per second of the classes, the most important first; all have the same exponential
/// service time of rate `mu`. `None` unless all of them together have a steady state.
///
/// Source: Cobham, *Priority Assignment in Waiting Line Problems*, Operations Research 2(1), 1954.
pub fn mmc_priority_waits(lambdas: &[f64], mu: f64, servers: u32) -> Option<Vec<f64>> {
    let lambda: f64 = lambdas.iter().sum();
    let capacity = mu * f64::from(servers);
    if lambda.is_nan() || lambda >= capacity {
        return None;
    }
    let residual = erlang_c(lambda / mu, servers) / capacity;
    let waits = lambdas.iter().scan(0.0, |before, own| {
        let after = *before + own / capacity;
        let wait = residual / ((1.0 - *before) * (1.0 - after));
        *before = after;
        Some(wait)
    });
    Some(waits.collect())
}

/// Mean response of each class at one server that serves the most important first, who is less important standing
/// back at once: M/G/1, preemptive-resume.
///
/// Each class is its arrivals per second and its service time, the most important first; first come first served
/// within a class. `None` for the classes that come off too badly to have a steady state.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 2 (1976), §3.4; Harchol-Balter, *Performance Modeling and Design of
/// Computer Systems* (2013), §32.3.
pub fn mg1_preemptive_responses(classes: &[(f64, Distribution)]) -> Vec<Option<f64>> {
    let (mut before, mut residual) = (0.0, 0.0);
    classes
        .iter()
        .map(|(lambda, service)| {
            let after = before + lambda * service.mean();
            residual += 0.5 * lambda * service.second_moment();
            let response = service.mean() / (1.0 - before) + residual / ((1.0 - before) * (1.0 - after));
            before = after;
            (after < 1.0).then_some(response)
        })
        .collect()
}

/// Mean response of each class at c servers that serve the most important first, who is less important standing
/// back at once: M/M/c, preemptive-resume.
///
/// `lambdas` are the arrivals per second of the classes, the most important first; all have the same exponential
/// service time of rate `mu`. The first k classes together are an M/M/c of their own. `None` unless all of them
/// together have a steady state.
///
/// Source: Buzen, Bondi, *The Response Times of Priority Classes under Preemptive Resume in M/M/m Queues*,
/// Operations Research 31(3), 1983.
pub fn mmc_preemptive_responses(lambdas: &[f64], mu: f64, servers: u32) -> Option<Vec<f64>> {
    let (mut lambda, mut present) = (0.0, 0.0);
    let each = lambdas.iter().map(|own| {
        let before = present;
        lambda += own;
        present = lambda * Mmc::new(lambda, mu, servers)?.mean_response();
        Some((present - before) / own)
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use sim_core::distribution::{Constant, Exponential};

    use super::super::{Mg1, Mmc};
    use super::*;

    #[test]
    fn one_class_waits_as_without_priorities() {
        let service: Distribution = Constant::new(1.0).unwrap().into();
        let alone = mg1_priority_waits(&[(0.8, service.clone())]);
        assert!((alone[0].unwrap() - Mg1::new(0.8, &service).unwrap().mean_wait()).abs() < 1e-12);
        let alone = mmc_priority_waits(&[3.0], 1.0, 4).unwrap();
        assert!((alone[0] - Mmc::new(3.0, 1.0, 4).unwrap().mean_wait()).abs() < 1e-12);
    }

    #[test]
    fn only_the_unimportant_starve() {
        // Load 0.5 + 1: the second class gets the other half. The server is always busy with mean residual 1.
        let service: Distribution = Exponential::new(1.0).unwrap().into();
        let waits = mg1_priority_waits(&[(0.5, service.clone()), (1.0, service)]);
        assert!((waits[0].unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(waits[1], None);
        assert_eq!(mmc_priority_waits(&[1.0, 1.0], 1.0, 2), None);
    }

    #[test]
    fn the_important_do_not_see_those_who_stand_back() {
        let service: Distribution = Exponential::new(1.0).unwrap().into();
        let responses = mg1_preemptive_responses(&[(0.3, service.clone()), (0.5, service)]);
        // M/M/1 with 0.3 alone; 1 / 0.7 + 0.8 / (0.7 * 0.2) for the other.
        assert!((responses[0].unwrap() - 1.0 / 0.7).abs() < 1e-12);
        assert!((responses[1].unwrap() - (1.0 / 0.7 + 0.8 / 0.14)).abs() < 1e-12);
        let one = mmc_preemptive_responses(&[0.3, 0.5], 1.0, 1).unwrap();
        assert!((one[1] - responses[1].unwrap()).abs() < 1e-12);
        let four = mmc_preemptive_responses(&[1.0, 2.0], 1.0, 4).unwrap();
        assert!((four[0] - 1.006_802_721).abs() < 1e-9 && (four[1] - 1.760_749_583).abs() < 1e-9, "{four:?}");
        assert_eq!(mmc_preemptive_responses(&[1.0, 1.0], 1.0, 2), None);
    }
}

use super::bounds::max_throughput;

/// A station of a closed network: first come first served with exponential service, or processor sharing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Station {
    /// Mean service time of a visit.
    pub service: f64,
    /// Visits per cycle.
    pub visits: f64,
    /// Its servers.
    pub servers: u32,
}

/// What a closed network does in the long run.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// Cycles per second.
    pub throughput: f64,
    /// Mean time of a cycle without the thinking.
    pub response: f64,
    /// The stations, in the order given.
    pub stations: Vec<ClosedStation>,
}

/// What a station of a closed network does in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosedStation {
    /// Mean number there, waiting or in service.
    pub number: f64,
    /// Mean share of the servers that are busy.
    pub utilization: f64,
    /// Mean time of a visit; 0 for a station that is never visited.
    pub per_visit: f64,
}

/// `users` who think for `think` seconds and then visit the stations, in the steady state.
///
/// Exact for product-form networks, whatever the law of the think time. Mean value analysis, O(users) for each
/// station, while all have one server; the convolution algorithm, O(users^2 stations^2), where one has more. The
/// sums of both have positive terms only. `None` without users, or with nothing that takes time.
///
/// Source: Reiser, Lavenberg, *Mean-Value Analysis of Closed Multichain Queuing Networks*, Journal of the ACM
/// 27(2), 1980; Buzen, *Computational algorithms for closed queueing networks with exponential servers*,
/// Communications of the ACM 16(9), 1973.
///
/// ```
/// use models::theory::{Station, closed};
/// let disk = Station { service: 0.1, visits: 2.0, servers: 1 };
/// let alone = closed(1, 0.8, &[disk]).unwrap();
/// assert_eq!((alone.throughput, alone.response), (1.0, 0.2));
/// ```
pub fn closed(users: u32, think: f64, stations: &[Station]) -> Option<Closed> {
    let valid =
        |station: &Station| station.servers > 0 && demand(station) >= 0.0 && demand(station).is_finite();
    let total: f64 = think + stations.iter().map(demand).sum::<f64>();
    if users == 0 || !(think >= 0.0 && total > 0.0) || !stations.iter().all(valid) {
        return None;
    }
    let (throughput, numbers) = if stations.iter().all(|station| station.servers == 1) {
        mean_value_analysis(users, think, stations)
    } else {
        convolution(users, think, stations)
    };
    let found = |(station, number): (&Station, &f64)| {
        let visits = throughput * station.visits;
        ClosedStation {
            number: *number,
            utilization: throughput * demand(station) / f64::from(station.servers),
            per_visit: if visits > 0.0 { number / visits } else { 0.0 },
        }
    };
    Some(Closed {
        throughput,
        response: numbers.iter().sum::<f64>() / throughput,
        stations: stations.iter().zip(&numbers).map(found).collect(),
    })
}

fn demand(station: &Station) -> f64 {
    station.service * station.visits
}

/// Throughput, and the mean number at each station: an arrival finds the network with one user fewer.
fn mean_value_analysis(users: u32, think: f64, stations: &[Station]) -> (f64, Vec<f64>) {
    let mut numbers = vec![0.0; stations.len()];
    let mut throughput = 0.0;
    for n in 1..=users {
        let times: Vec<f64> =
            stations.iter().zip(&numbers).map(|(station, number)| demand(station) * (1.0 + number)).collect();
        throughput = f64::from(n) / (think + times.iter().sum::<f64>());
        numbers = times.into_iter().map(|time| throughput * time).collect();
    }
    (throughput, numbers)
}

/// The same from the weights of the states, given that station m with k users weighs `weights[m][k]`.
fn convolution(users: u32, think: f64, stations: &[Station]) -> (f64, Vec<f64>) {
    let demands = stations.iter().map(demand).sum::<f64>();
    let per_server = stations.iter().map(|station| demand(station) / f64::from(station.servers));
    // In units in which about one request a second gets through, no weight leaves the range of an f64.
    let unit = max_throughput(f64::from(users), demands, think, per_server.fold(0.0, f64::max));
    let of_station = |station: &Station| weights(users, demand(station) * unit, f64::from(station.servers));
    let thinking = weights(users, think * unit, f64::INFINITY);
    let all: Vec<Vec<f64>> = stations.iter().map(of_station).collect();
    let states = all.iter().fold(thinking.clone(), |states, weights| convolve(&states, weights));
    let n = users as usize;
    let number = |m: usize| {
        let others = all.iter().enumerate().filter(|(i, _)| *i != m).map(|(_, weights)| weights);
        let others = others.fold(thinking.clone(), |states, weights| convolve(&states, weights));
        let present = |k: usize| all[m][k] * others[n - k];
        let total: f64 = (0..=n).map(present).sum();
        (1..=n).map(|k| k as f64 * present(k)).sum::<f64>() / total
    };
    (unit * states[n - 1] / states[n], (0..stations.len()).map(number).collect())
}

/// The weights of 0 to `users` at a station with so many servers, the largest made 1.
fn weights(users: u32, demand: f64, servers: f64) -> Vec<f64> {
    let mut log = 0.0;
    let logs = (1..=users).map(|k| {
        log += (demand / f64::from(k).min(servers)).ln();
        log
    });
    let logs: Vec<f64> = std::iter::once(0.0).chain(logs).collect();
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logs.into_iter().map(|log| (log - highest).exp()).collect()
}

/// The weights of 0 to N users at two parts together, the largest made 1.
fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let sums: Vec<f64> =
        (0..a.len()).map(|n| a[..=n].iter().zip(b[..=n].iter().rev()).map(|(a, b)| a * b).sum()).collect();
    let highest = sums.iter().copied().fold(0.0, f64::max);
    sums.into_iter().map(|sum: f64| sum / highest).collect()
}

#[cfg(test)]
mod tests {
    use super::super::MachineRepair;
    use super::*;

    #[test]
    fn both_algorithms_agree() {
        let station = |service, visits| Station { service, visits, servers: 1 };
        let stations = [station(0.125, 16.0), station(0.3, 10.0), station(0.2, 5.0)];
        for (users, think) in [(1, 4.0), (20, 4.0), (500, 0.0), (500, 4000.0)] {
            let (x, numbers) = mean_value_analysis(users, think, &stations);
            let (y, others) = convolution(users, think, &stations);
            assert!((x / y - 1.0).abs() < 1e-10, "{users}: {x} {y}");
            for (number, other) in numbers.iter().zip(&others) {
                assert!((number / other - 1.0).abs() < 1e-9, "{users}: {number} {other}");
            }
        }
    }

    #[test]
    fn a_single_station_is_the_machine_repair_model() {
        for servers in [1, 4] {
            let found = closed(50, 10.0, &[Station { service: 1.0, visits: 1.0, servers }]).unwrap();
            let exact = MachineRepair::new(50, 10.0, 1.0, servers).unwrap();
            assert!((found.throughput / exact.throughput() - 1.0).abs() < 1e-10);
            assert!((found.response / exact.mean_response() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_to_do_has_no_answer() {
        assert_eq!(closed(0, 1.0, &[]), None);
        assert_eq!(closed(1, 0.0, &[]), None);
        assert!((closed(5, 2.0, &[]).unwrap().throughput - 2.5).abs() < 1e-12);
    }
}

use super::Mmc;

/// An open network of M/M/c stations in the steady state.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenNetwork {
    /// The stations, in the order given.
    pub stations: Vec<JacksonStation>,
    /// Mean number of requests in the network.
    pub mean_number: f64,
    /// Mean time from arrival from outside until departure.
    pub mean_response: f64,
}

/// A station of an open network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JacksonStation {
    /// Visits per second, from outside and from other stations.
    pub arrival_rate: f64,
    /// By itself the station is an M/M/c with this arrival rate.
    pub queue: Mmc,
}

/// Poisson arrivals from outside, and random routing between stations of exponential servers (Jackson).
///
/// `external[i]` arrive per second at station i from outside; a request that leaves i goes to j with probability
/// `routing[i][j]` and leaves the network with what is missing to 1; `stations[i]` are mu and c. `None` if a
/// station is overloaded, or requests cannot leave, or there are none.
///
/// Source: Jackson, *Jobshop-like Queueing Systems*, Management Science 10(1), 1963.
///
/// # Panics
///
/// When the three do not have the same length.
pub fn jackson(external: &[f64], routing: &[Vec<f64>], stations: &[(f64, u32)]) -> Option<OpenNetwork> {
    let n = external.len();
    assert!(routing.len() == n && stations.len() == n, "{n} stations need {n} routes and {n} servers");
    // Traffic equations: lambda_j - sum_i lambda_i routing[i][j] = external_j.
    let rows = (0..n).map(|j| {
        assert!(routing[j].len() == n, "{n} stations need {n} shares in each route");
        let coefficient = |i: usize| f64::from(u8::from(i == j)) - routing[i][j];
        (0..n).map(coefficient).chain([external[j]]).collect()
    });
    let rates = solve(rows.collect())?;
    let stations = rates.iter().zip(stations).map(|(&arrival_rate, &(mu, servers))| {
        Mmc::new(arrival_rate, mu, servers).map(|queue| JacksonStation { arrival_rate, queue })
    });
    let stations: Vec<JacksonStation> = stations.collect::<Option<_>>()?;
    let mean_number: f64 = stations.iter().map(|station| station.queue.mean_number()).sum();
    let entering: f64 = external.iter().sum();
    (entering > 0.0).then(|| OpenNetwork { mean_response: mean_number / entering, mean_number, stations })
}

/// Solves a linear system by elimination with partial pivoting; each row ends with its right side.
fn solve(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = rows.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &j| rows[i][column].abs().total_cmp(&rows[j][column].abs()))?;
        rows.swap(column, pivot);
        let row = rows[column].clone();
        if row[column].abs() < 1e-12 {
            return None;
        }
        for other in (0..n).filter(|other| *other != column) {
            let factor = rows[other][column] / row[column];
            for (value, pivot) in rows[other].iter_mut().zip(&row) {
                *value -= factor * pivot;
            }
        }
    }
    Some(rows.iter().enumerate().map(|(i, row)| row[n] / row[i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feedback_multiplies_the_visits() {
        // A quarter comes back: 4/3 visits each.
        let network = jackson(&[3.0], &[vec![0.25]], &[(2.5, 2)]).unwrap();
        assert!((network.stations[0].arrival_rate - 4.0).abs() < 1e-12);
        assert!(jackson(&[3.0], &[vec![1.0]], &[(2.5, 2)]).is_none(), "nobody leaves");
        assert!(jackson(&[30.0], &[vec![0.25]], &[(2.5, 2)]).is_none(), "overloaded");
    }
}

//! Where the warm-up ends.

/// Observations averaged into one.
const BATCH: usize = 5;

/// Batches that are needed for a verdict, and that a cut must leave.
const LEAST: usize = 10;

/// How many observations to cut off at the beginning, by MSER-5; a multiple of 5.
///
/// The cut that minimises the squared standard error of the mean of what is left, over means of five
/// observations. `None` when that is more than half of the series, which has then not reached a steady state,
/// and when there are fewer than 50 observations to tell by. Of equal cuts the shortest is taken.
///
/// Source: White, Cobb, Spratt, *A Comparison of Five Steady-State Truncation Heuristics for Simulation*,
/// Winter Simulation Conference 2000.
///
/// ```
/// // A minute of filling up, then a steady level.
/// let series: Vec<f64> = (0..200).map(|i| if i < 60 { f64::from(i) } else { 60.0 + f64::from(i % 2) }).collect();
/// assert_eq!(sim_core::mser5(&series), Some(60));
/// ```
pub fn mser5(series: &[f64]) -> Option<usize> {
    let batches: Vec<f64> =
        series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let last_cut = batches.len().checked_sub(LEAST)?;
    let (mut mean, mut squares) = (0.0, 0.0);
    let (mut best, mut best_cut) = (f64::INFINITY, 0);
    // From the end, so that mean and squares of the rest grow by one batch at a time.
    for (cut, batch) in batches.iter().enumerate().rev() {
        let left = (batches.len() - cut) as f64;
        let gap = batch - mean;
        mean += gap / left;
        squares += gap * (batch - mean);
        let criterion = squares / (left * left);
        if cut <= last_cut && criterion <= best {
            (best, best_cut) = (criterion, cut);
        }
    }
    (best_cut * 2 <= batches.len()).then_some(best_cut * BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draws;

    #[test]
    fn a_steady_series_is_not_cut() {
        assert_eq!(mser5(&[7.0; 100]), Some(0));
        let mut draws = Draws::keyed(3);
        let noise: Vec<f64> = (0..1000).map(|_| draws.unit()).collect();
        assert!(mser5(&noise).unwrap() <= 100);
    }

    #[test]
    fn a_decaying_start_is_cut() {
        let mut draws = Draws::keyed(4);
        let series: Vec<f64> =
            (0..2000).map(|i| 20.0 * (-f64::from(i) / 50.0).exp() + draws.unit()).collect();
        let cut = mser5(&series).unwrap();
        assert!((100..400).contains(&cut), "{cut}");
    }

    #[test]
    fn a_series_that_never_settles_has_no_steady_state() {
        let trend: Vec<f64> = (0..500).map(f64::from).collect();
        assert_eq!(mser5(&trend), None);
    }

    #[test]
    fn a_short_series_says_nothing() {
        assert_eq!(mser5(&[]), None);
        assert_eq!(mser5(&[1.0; 49]), None);
        assert_eq!(mser5(&[1.0; 50]), Some(0));
    }
}

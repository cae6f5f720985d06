//! The median of the replications and what ranks say of it.
//!
//! Where a replication may take for ever there is no mean. The median needs no more than an order, and the interval
//! between two order statistics holds it whatever the distribution is.
//!
//! Source: David and Nagaraja, *Order Statistics*, 3rd ed. (2003), section 7.1.

/// The median; none of no values. Between two values in the middle, their mean.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(sorted[middle - 1], upper)) }
}

/// An interval that holds the median with at least 95 %: from the k-th smallest value to the k-th largest.
///
/// None of fewer than six values: even the smallest and the largest of five hold it with 93.75 % only.
pub(crate) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    // P(at most `cut` of n values lie below the median), n fair coins.
    let mut term = 0.5_f64.powi(i32::try_from(n).ok()?);
    let mut below = term;
    let mut cut = 0;
    while below <= 0.025 {
        term *= (n - cut) as f64 / (cut + 1) as f64;
        below += term;
        cut += 1;
    }
    let first = cut.checked_sub(1)?;
    Some((sorted[first], sorted[n - 1 - first]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_by_hand() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, f64::INFINITY, 2.0, 1.0]), Some(3.0));
        assert_eq!(median(&[1.0, f64::INFINITY]), Some(f64::INFINITY));
    }

    /// Tables of the sign test: the second of ten (97.9 %), the sixth of twenty (95.9 %), the first of six (96.9 %).
    #[test]
    fn the_ranks_by_the_tables() {
        let upto = |n: u32| (1..=n).map(f64::from).collect::<Vec<f64>>();
        assert_eq!(interval(&upto(5)), None);
        assert_eq!(interval(&upto(6)), Some((1.0, 6.0)));
        assert_eq!(interval(&upto(10)), Some((2.0, 9.0)));
        assert_eq!(interval(&upto(20)), Some((6.0, 15.0)));
    }
}

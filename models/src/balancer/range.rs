//! Contiguous ranges.

use super::{Pick, Seen};

/// Splits the values of a label into as many contiguous ranges as there are replicas: the first replica has the
/// lowest values.
///
/// Neighbours stay together, so scans are cheap, and so does whatever is popular now: a label that grows with
/// time sends all that is new to the last replica.
///
/// Source: Chang et al., *Bigtable: A Distributed Storage System for Structured Data*, OSDI 2006, §5 (tablets).
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    values: u32,
}

impl Range {
    /// Splits the values from 0 to `values - 1`.
    pub fn over(values: u32) -> Self {
        Self { values: values.max(1) }
    }
}

impl Pick for Range {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        let replicas = seen.candidates.len();
        let range = u64::from(seen.label) * replicas as u64 / u64::from(self.values);
        (range as usize).min(replicas - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ask;
    use super::*;

    #[test]
    fn ranges_are_contiguous_and_equally_long() {
        let mut rule = Range::over(10);
        let at: Vec<u32> = (0..10).map(|label| ask(&mut rule, &[0, 1, 2, 3, 4], label)).collect();
        assert_eq!(at, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
        assert_eq!(ask(&mut rule, &[0, 1], 10), 1, "what lies beyond belongs to the last");
    }
}

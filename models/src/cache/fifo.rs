//! The entry goes that was stored first.

use super::chain::{Chained, Order};

/// First in, first out: hits change nothing.
///
/// Source: Gelenbe, *A Unified Approach to the Evaluation of a Class of Replacement Algorithms*, IEEE TC 22(6), 1973:
/// its hit ratio is that of random eviction.
pub type Fifo = Chained<ByAge>;

/// A use changes nothing, and the first one goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByAge;

impl Order for ByAge {}

#[cfg(test)]
mod tests {
    use super::super::testing::keys_after;
    use crate::blueprint::EvictRule;

    /// Of 1, 2, 3 the new key 4 drives out 1, whether it was used or not.
    #[test]
    fn what_was_stored_first_goes() {
        assert_eq!(keys_after(EvictRule::Fifo, 3, &[1, 2, 3, 1, 4]), [2, 3, 4]);
        assert_eq!(keys_after(EvictRule::Fifo, 3, &[1, 2, 3, 1, 4, 2, 5]), [3, 4, 5]);
    }
}

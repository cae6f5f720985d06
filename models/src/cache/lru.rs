//! The entry goes that has not been used for the longest time.

use super::chain::{Chained, Order};

/// Least recently used, exactly: a hit brings an entry to the end of a list, and the first one goes.
///
/// Redis samples a few entries and evicts the one that has been idle for longest; with its ten candidates the hit
/// ratio is as good as the same.
///
/// Source: Redis, *Key eviction*, `allkeys-lru`; memcached and Varnish keep such a list.
pub type Lru = Chained<ByUse>;

/// A use brings an entry to the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByUse;

impl Order for ByUse {
    const USE_COUNTS: bool = true;
}

#[cfg(test)]
mod tests {
    use super::super::testing::keys_after;
    use crate::blueprint::EvictRule;

    /// Of 1, 2, 3 and a use of 1, the new key 4 drives out 2; of 3, 1, 4 the new key 5 drives out 3.
    #[test]
    fn what_was_not_used_for_longest_goes() {
        assert_eq!(keys_after(EvictRule::Lru, 3, &[1, 2, 3, 1, 4]), [1, 3, 4]);
        assert_eq!(keys_after(EvictRule::Lru, 3, &[1, 2, 3, 1, 4, 5]), [1, 4, 5]);
    }
}

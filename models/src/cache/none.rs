//! Nothing goes before its time.

use super::chain::{Chained, Order};

/// When all places are taken, nothing new is stored; only an entry that has expired makes room.
///
/// The one that was stored first expires first, but for jitter.
///
/// Source: Redis, *Key eviction*, `noeviction`, its default; what has expired is removed in the background.
pub type Keep = Chained<ByExpiry>;

/// A use changes nothing, and the first one goes once it has expired.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByExpiry;

impl Order for ByExpiry {
    const SPARES_THE_LIVING: bool = true;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, keys_after};
    use super::super::{Store, Stored, Value};
    use crate::blueprint::EvictRule;

    #[test]
    fn nothing_goes_for_something_new() {
        assert_eq!(keys_after(EvictRule::None, 3, &[1, 2, 3, 4, 5]), [1, 2, 3]);
    }

    #[test]
    fn what_has_expired_makes_room() {
        let mut store = Store::new(EvictRule::None, 1, 7);
        assert_eq!(store.put(1, Value::until(at(10)), false, at(0)), Stored::Added);
        assert_eq!(store.put(2, Value::until(at(20)), false, at(9)), Stored::Refused);
        assert_eq!(store.put(2, Value::until(at(20)), false, at(10)), Stored::Evicted);
    }
}

//! The first one.

use super::{Pick, Seen};

/// Sends every call to the first replica on the list.
///
/// A list of addresses of which only the first is ever used, such as a name that a client has resolved once, or
/// a primary with stand-bys.
#[derive(Clone, Debug, PartialEq)]
pub struct First;

impl Pick for First {
    #[inline]
    fn pick(&mut self, _seen: &mut Seen<'_>) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ask;
    use super::*;

    #[test]
    fn the_first_candidate_gets_all() {
        assert_eq!([ask(&mut First, &[0, 1, 2], 7), ask(&mut First, &[1, 2], 7)], [0, 1]);
    }
}

//! What the tests that cross the crates share. The tests themselves live in this package's `tests/` folder.

pub mod results;
pub mod vectors;

//! Tests that cross the crates live in this package's `tests/` folder.

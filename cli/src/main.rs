//! The command `hockeystick`.
fn main() {}

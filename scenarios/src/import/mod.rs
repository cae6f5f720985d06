//! Other programs' descriptions of systems as scenarios: text in, scenario text out.

mod isotope;

use crate::diagnostic::Diagnostics;

pub use isotope::isotope;

/// A scenario made from something else.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The scenario, with a comment on everything that had to be assumed.
    pub text: String,
    /// Doubts about the original.
    pub warnings: Diagnostics,
}

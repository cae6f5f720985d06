//! Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};

use sim_core::CancelFlag;

use crate::failure::Failure;
use crate::output;

/// Whether Ctrl-C was pressed.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A flag that the first Ctrl-C raises: what is finished is kept. The second quits.
///
/// # Errors
///
/// When the machine refuses to tell us of signals.
pub(crate) fn flag() -> Result<CancelFlag, Failure> {
    let flag = CancelFlag::new();
    let raised = flag.clone();
    ctrlc::set_handler(move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        raised.cancel();
        output::remark("\ninterrupted: reporting what is finished; press Ctrl-C again to quit");
    })
    .map_err(|error| Failure::Machine { what: "listen for Ctrl-C", reason: error.to_string() })?;
    Ok(flag)
}

/// Whether Ctrl-C was pressed.
pub(crate) fn was_pressed() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

//! Jobs as written.

use super::{At, List, Name, Required, StepSpec, spec};

spec! {
    /// Work that no caller waits for. It runs on the replicas of a service and uses what they have, as requests do.
    JobSpec: "a job" {
        /// The service on whose replicas it runs.
        service: Required<At<Name>>,
        /// The steps of one run: of a queue's consumers, what is done for one message.
        do_steps ["do"]: Required<List<StepSpec>>,
    }
    later ["every", "when", "at"]
}
